//! The gallery: a page for each scenario, and an index by theme and by question.
//!
//! Pages are Markdown with pictures beside them, light and dark, as code hosts show them, and one HTML
//! file to step through the run. The same runs give the same bytes.

mod index;
mod page;
mod questions;
mod worth;

use crate::kind::{Kind, Options, Refusal, draw, draw_twin};
use crate::render::svg::svg;
use crate::stepper::{Page, stepper};
use crate::theme::Theme;
use crate::words::Lang;
use crate::{Scene, Story};

/// A scenario that was run, with its fix if it has one.
#[derive(Clone, Debug)]
pub struct Told<'a> {
    /// Its name: theme, slash, what its file is called.
    pub name: String,
    /// Its file, as a command names it.
    pub file: String,
    /// What there is to learn from it.
    pub teaches: &'a [String],
    /// The run.
    pub story: Story<'a>,
    /// The fix and the run with it.
    pub cure: Option<Cure<'a>>,
    /// The trace of the run, for the page to step through, unless it is too long.
    pub trace: Option<String>,
}

/// The one change that cures a scenario.
#[derive(Clone, Debug)]
pub struct Cure<'a> {
    /// Settings with their new values.
    pub changes: String,
    /// Why it helps.
    pub why: &'a str,
    /// The run with it.
    pub story: Story<'a>,
}

/// A file of the gallery: its path in it, and its content.
pub type File = (String, Vec<u8>);

/// The kinds of pictures on a page, in order, as far as they say anything.
const KINDS: [Kind; 6] =
    [Kind::Sequence, Kind::Log, Kind::Txn, Kind::Pipeline, Kind::Latency, Kind::Dedup];

/// Every file of the gallery.
///
/// # Errors
///
/// If a page to step through cannot be made.
pub fn gallery(all: &[Told<'_>], extra: Vec<File>, lang: Lang) -> Result<Vec<File>, Refusal> {
    let mut files = vec![("README.md".to_owned(), index::index(all, &extra, lang).into_bytes())];
    for told in all {
        files.extend(scenario(told, lang)?);
    }
    files.extend(extra);
    Ok(files)
}

/// The page of one scenario with everything on it.
///
/// # Errors
///
/// If the page to step through cannot be made.
pub fn scenario(told: &Told<'_>, lang: Lang) -> Result<Vec<File>, Refusal> {
    let options = Options { lang, ..Options::default() };
    let mut files = Vec::new();
    let mut drawn = Vec::new();
    let worth = worth::Worth::of(told);
    for kind in KINDS.into_iter().filter(|kind| worth.shows(*kind)) {
        let Ok(scene) = picture(told, kind, &options) else { continue };
        drawn.push((kind, scene.summary.clone()));
        files.extend(pair(&format!("{}/{}", told.name, kind.name()), &scene));
    }
    let page = Page {
        command: format!("inflight draw {} --format html", told.file),
        trace: told.trace.clone(),
    };
    let html = stepper(&told.story, &options, &page)?;
    files.push((format!("{}/step.html", told.name), html.into_bytes()));
    let text = page::page(told, &drawn, lang);
    files.push((format!("{}/README.md", told.name), text.into_bytes()));
    Ok(files)
}

fn picture(told: &Told<'_>, kind: Kind, options: &Options) -> Result<Scene, Refusal> {
    match &told.cure {
        Some(cure) => draw_twin(kind, &told.story, &cure.story, &cure.changes, options),
        None => draw(kind, &told.story, options),
    }
}

/// A picture on a light and on a dark ground.
pub fn pair(name: &str, scene: &Scene) -> [File; 2] {
    [
        (format!("{name}.light.svg"), svg(scene, Theme::Light).into_bytes()),
        (format!("{name}.dark.svg"), svg(scene, Theme::Dark).into_bytes()),
    ]
}

/// What shows a pair of pictures on a code host, as its reader likes it.
pub(crate) fn snippet(path: &str, alternative: &str) -> String {
    let alternative = alternative.replace('"', "'").replace('\n', " ");
    format!(
        "<picture>\n  <source media=\"(prefers-color-scheme: dark)\" srcset=\"{path}.dark.svg\">\n  \
         <img alt=\"{alternative}\" src=\"{path}.light.svg\">\n</picture>\n"
    )
}
