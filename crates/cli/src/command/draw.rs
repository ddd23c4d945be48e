//! `inflight draw`

use super::grid::draw_grid;
use super::run::read_trace;
use crate::args::{
    ColourChoice, DrawArgs, PictureFormat, PictureKind, PictureLang, PictureScale, PictureTheme,
};
use crate::failure::{Exit, Failure, warn};
use crate::printer::Printer;
use inflight::trace::jsonl::{Ending, Trace, Writer, save};
use inflight::{Description, Fact, Instant, Keep, Loaded, Report, Span, judge_recording, play};
use inflight_view as view;
use std::io::Write;
use std::path::Path;
use view::{Focus, Kind, Medium, Options, Page, Refusal, Scene, Story};

/// A run with its judgement, however it was come by.
pub(crate) struct Told {
    pub(crate) description: Description,
    pub(crate) facts: Vec<(Instant, Fact)>,
    pub(crate) report: Report,
    /// How the run ended.
    pub(crate) ending: Ending,
}

/// Pages hold traces up to this size.
const TRACE_MAX: usize = 400_000;

impl Told {
    /// Runs a scenario.
    pub(crate) fn of(scenario: &Loaded) -> Self {
        let played = play(scenario, Keep::Everything);
        let report = played.explain(&scenario.description);
        let digest = played.trace_digest();
        let facts = played.facts.len() as u64;
        let ending = Ending { events: played.events, facts, digest, halt: played.halt };
        let description = scenario.description.clone();
        Self { description, facts: played.facts, report, ending }
    }

    /// The trace as JSON lines, unless it is too long for a page.
    pub(crate) fn trace(&self) -> Option<String> {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, &self.description).ok()?;
        for (at, fact) in &self.facts {
            writer.write(*at, fact).ok()?;
        }
        writer.finish(self.ending.events, &self.ending.digest, self.ending.halt).ok()?;
        String::from_utf8(bytes).ok().filter(|text| text.len() <= TRACE_MAX)
    }

    pub(crate) fn story(&self) -> Story<'_> {
        Story { description: &self.description, facts: &self.facts, report: &self.report }
    }
}

/// Draws a picture of a scenario's run or of a trace.
pub(crate) fn draw(
    args: &DrawArgs,
    colour: ColourChoice,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let options = options(args)?;
    let Some(kind) = kind(args.kind) else {
        only_a_grid(args)?;
        let scene = draw_grid(&options)?;
        return deliver(args, &render(args, &scene)?, printer);
    };
    let Some(file) = &args.file else {
        let problem = "a scenario or a trace is needed, as in: inflight draw scenario.json";
        return Err(Failure::Input(problem.to_owned()));
    };
    let (told, fix) = tell(args, file, colour)?;
    let refused = |refusal: Refusal| Failure::Input(refusal.to_string());
    if args.format == PictureFormat::Html {
        let page = Page { command: command(args, file), trace: told.trace() };
        let page = view::stepper(&told.story(), &options, &page).map_err(refused)?;
        return deliver(args, page.as_bytes(), printer);
    }
    let export = match args.format {
        PictureFormat::Mermaid => Some(view::export::mermaid(&told.story(), &options)),
        PictureFormat::Plantuml => Some(view::export::plantuml(&told.story(), &options)),
        PictureFormat::Shiviz => Some(view::export::shiviz(&told.story(), &options)),
        _ => None,
    };
    if let Some(export) = export {
        only_sequences(args)?;
        return deliver(args, export.map_err(refused)?.as_bytes(), printer);
    }
    let scene = match &fix {
        None => view::draw(kind, &told.story(), &options).map_err(refused)?,
        Some((changes, cured)) => {
            view::draw_twin(kind, &told.story(), &cured.story(), changes, &options)
                .map_err(refused)?
        }
    };
    deliver(args, &render(args, &scene)?, printer)
}

/// The grid is drawn from runs of its own, and is neither a page nor a sequence.
fn only_a_grid(args: &DrawArgs) -> Result<(), Failure> {
    let not_taken = [
        (args.file.is_some(), "file"),
        (args.read.seed.is_some(), "--seed"),
        (!args.read.set.is_empty(), "--set"),
        (args.twin, "--twin"),
        (args.focus != "auto", "--focus"),
    ];
    let is_picture =
        matches!(args.format, PictureFormat::Svg | PictureFormat::Png | PictureFormat::Text);
    let problem = match not_taken.into_iter().find(|(is_given, _)| *is_given) {
        Some((_, what)) => format!("--kind isr-grid makes its own runs and takes no {what}"),
        None if !is_picture => "--kind isr-grid takes --format svg, png or text".to_owned(),
        None => return Ok(()),
    };
    Err(Failure::Input(problem))
}

/// Other tools draw sequences, of one run.
fn only_sequences(args: &DrawArgs) -> Result<(), Failure> {
    if args.kind == PictureKind::Sequence && !args.twin {
        return Ok(());
    }
    let problem =
        "mermaid, plantuml and shiviz take the sequence of one run, without --kind and --twin";
    Err(Failure::Input(problem.to_owned()))
}

/// Writes a picture where it is wanted.
fn deliver(args: &DrawArgs, bytes: &[u8], printer: &mut Printer) -> Result<Exit, Failure> {
    match &args.out {
        None => printer.bytes(bytes)?,
        Some(path) => save(path, |out| out.write_all(bytes))
            .map_err(|error| Failure::Input(error.to_string()))?,
    }
    Ok(Exit::Fine)
}

/// The command that draws the same page again.
fn command(args: &DrawArgs, file: &Path) -> String {
    let mut command = format!("inflight draw {} --format html", file.display());
    if let Some(seed) = args.read.seed {
        command.push_str(&format!(" --seed {seed}"));
    }
    for change in &args.read.set {
        command.push_str(&format!(" --set {change}"));
    }
    command
}

/// The run, and with `--twin` the run of its fix and what that changes.
fn tell(
    args: &DrawArgs,
    file: &Path,
    colour: ColourChoice,
) -> Result<(Told, Option<(String, Told)>), Failure> {
    if file.extension().is_some_and(|extension| extension == "jsonl") {
        if args.twin || args.read.seed.is_some() || !args.read.set.is_empty() {
            let problem = "a trace is drawn as it is: --seed, --set and --twin need a scenario";
            return Err(Failure::Input(problem.to_owned()));
        }
        let trace = read_trace(file)?;
        let report = judge_recording(&trace.description, &trace.facts);
        let Trace { description, facts, ending } = trace;
        let told = Told { description, facts, report, ending };
        return Ok((told, None));
    }
    let scenario = super::read(file, &args.read)?;
    warn(&scenario.warnings, colour)?;
    let fix = match (&scenario.fix, args.twin) {
        (_, false) => None,
        (None, true) => {
            let problem = format!("{} has no fix, so it has no twin", file.display());
            return Err(Failure::Input(problem));
        }
        (Some(fix), true) => {
            let changes = fix.changes.iter().map(|(key, value)| format!("{key}={value}"));
            Some((changes.collect::<Vec<_>>().join(", "), Told::of(&fix.scenario)))
        }
    };
    Ok((Told::of(&scenario), fix))
}

fn render(args: &DrawArgs, scene: &Scene) -> Result<Vec<u8>, Failure> {
    let theme = match args.theme {
        PictureTheme::Light => view::Theme::Light,
        PictureTheme::Dark => view::Theme::Dark,
    };
    match args.format {
        PictureFormat::Svg => Ok(view::svg(scene, theme).into_bytes()),
        PictureFormat::Png => view::png(scene, theme, 2).map_err(Failure::Input),
        // Whatever is no picture was delivered before.
        _ => Ok(view::text(scene).into_bytes()),
    }
}

/// The kind of a picture of one run. `None` for what many runs are drawn from.
const fn kind(kind: PictureKind) -> Option<Kind> {
    Some(match kind {
        PictureKind::Sequence => Kind::Sequence,
        PictureKind::Log => Kind::Log,
        PictureKind::Pipeline => Kind::Pipeline,
        PictureKind::Latency => Kind::Latency,
        PictureKind::Txn => Kind::Txn,
        PictureKind::Dedup => Kind::Dedup,
        PictureKind::Truth => Kind::Truth,
        PictureKind::Overview => Kind::Overview,
        PictureKind::IsrGrid => return None,
    })
}

fn options(args: &DrawArgs) -> Result<Options, Failure> {
    Ok(Options {
        lang: lang(args.lang),
        scale: match args.scale {
            PictureScale::Order => view::Scale::Order,
            PictureScale::Time => view::Scale::Time,
            PictureScale::Hybrid => view::Scale::Hybrid,
        },
        focus: focus(&args.focus)?,
        medium: match args.format {
            PictureFormat::Text => Medium::Cells,
            _ => Medium::Pixels,
        },
    })
}

/// The language of labels.
pub(crate) const fn lang(lang: PictureLang) -> view::Lang {
    match lang {
        PictureLang::En => view::Lang::En,
        PictureLang::Ko => view::Lang::Ko,
        PictureLang::Both => view::Lang::Both,
    }
}

/// Reads a focus.
fn focus(text: &str) -> Result<Focus, Failure> {
    if let Some((from, to)) = text.split_once("..") {
        let instant = |text: &str| {
            let span: Result<Span, _> = text.parse();
            let wrong = |error| Failure::Input(format!("--focus {text:?}: {error}"));
            span.map(|span| Instant::START + span).map_err(wrong)
        };
        return Ok(Focus::Window(instant(from)?, instant(to)?));
    }
    Ok(match text {
        "auto" => Focus::Auto,
        "anomaly" => Focus::Anomaly,
        record => Focus::Record(record.to_owned()),
    })
}
