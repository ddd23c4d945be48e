//! The index of the gallery: by theme, and by question.

use super::questions::{Answer, QUESTIONS};
use super::{File, Told, snippet};
use crate::frame;
use crate::korean::gallery;
use crate::model::Model;
use crate::words::Lang;

/// What the gallery is.
const ABOUT: &str = "# Gallery\n\nEvery picture here was drawn from a run, and the runs are the \
    project's scenarios. `inflight report scenarios --out reports` makes this folder; the same sources \
    give the same bytes. Letters are messages of the application: the same letter is the same message \
    everywhere, and a prime is the same message sent once more by the application.\n\n";

const THEME_COLUMNS: &str = "| scenario | what came out | cured by |";
const QUESTION_COLUMNS: &str = "| question | answer | scenario |";
const GRID: &str = "what a leader answers, by acks, min.insync.replicas and replicas in sync";

/// How pictures are used elsewhere.
const ELSEWHERE: &str = "\n## Elsewhere\n\nEach picture is a pair of SVG files, for a light and for a \
    dark page. On a code host, copy the `<picture>` of a page and mind the path. A blog with classes for \
    themes takes `![…](log.light.svg){: .light }` and `![…](log.dark.svg){: .dark }`. Where SVG is not \
    shown, `inflight draw FILE --format png` draws pixels; issues and wikis take `--format mermaid` or \
    `--format plantuml`, commit messages `--format text`.\n";

pub(super) fn index(all: &[Told<'_>], extra: &[File], lang: Lang) -> String {
    let say = |english, korean| if lang.is_english() { english } else { korean };
    let mut text = say(ABOUT, gallery::ABOUT).to_owned();
    let (themes, columns) =
        (say("By theme", gallery::THEMES), say(THEME_COLUMNS, gallery::THEME_COLUMNS));
    text.push_str(&format!("## {themes}\n\n"));
    let mut theme = "";
    for told in all {
        let (folder, _) = told.name.split_once('/').unwrap_or(("", &told.name));
        if folder != theme {
            theme = folder;
            text.push_str(&format!("\n### {theme}\n\n{columns}\n| --- | --- | --- |\n"));
        }
        let model = Model::new(told.story);
        let cure =
            told.cure.as_ref().map_or("–".to_owned(), |cure| format!("`{}`", cure.changes));
        text.push_str(&format!(
            "| [{}]({}/README.md) | {} | {cure} |\n",
            told.story.description.title,
            told.name,
            counts(&model, lang),
        ));
    }
    let (heading, columns) = (
        say("By question", gallery::BY_QUESTION),
        say(QUESTION_COLUMNS, gallery::QUESTION_COLUMNS),
    );
    text.push_str(&format!("\n## {heading}\n\n{columns}\n| --- | --- | --- |\n"));
    for (question, korean) in QUESTIONS.iter().zip(gallery::QUESTIONS) {
        let (asked, short) = (say(question.question, korean.0), say(question.short, korean.1));
        let links = links(all, extra, question.answers, lang);
        text.push_str(&format!("| {asked} | {short} | {links} |\n"));
    }
    text.push_str(&pictures(extra, say(GRID, gallery::GRID)));
    text.push_str(say(ELSEWHERE, gallery::ELSEWHERE));
    text
}

fn counts(model: &Model<'_>, lang: Lang) -> String {
    let text = frame::verdict(model, lang);
    text.split(" — ").next().unwrap_or_default().to_owned()
}

/// Where a question leads: scenarios that are there, or what it waits for.
fn links(all: &[Told<'_>], extra: &[File], answers: &[Answer], lang: Lang) -> String {
    let link = |answer: &Answer| match answer {
        Answer::Scenario(name) => all
            .iter()
            .find(|told| told.name == *name)
            .map(|told| format!("[{}]({}/README.md)", told.story.description.title, told.name)),
        Answer::Picture(path, title) => extra
            .iter()
            .any(|(known, _)| known.starts_with(path))
            .then(|| format!("[{title}]({path}.light.svg)")),
        Answer::Waits(what) if lang.is_english() => Some(format!("*waits for {what}*")),
        Answer::Waits(what) => Some(gallery::waits(what)),
    };
    let found: Vec<String> = answers.iter().filter_map(link).collect();
    if found.is_empty() { "*waits for its scenario*".to_owned() } else { found.join(", ") }
}

/// Pictures that belong to no scenario.
fn pictures(extra: &[File], title: &str) -> String {
    let mut text = String::new();
    for (path, _) in extra {
        if let Some(name) = path.strip_suffix(".light.svg") {
            text.push_str(&format!("\n## {title}\n\n{}", snippet(name, title)));
        }
    }
    text
}
