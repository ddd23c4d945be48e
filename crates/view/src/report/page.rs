//! The page of one scenario.

use super::{Told, snippet};
use crate::Story;
use crate::kind::Kind;
use crate::model::Model;
use crate::truth::truth_markdown;
use crate::words::Lang;
use crate::{frame, latency};

/// How many findings are told.
const FINDINGS_MAX: usize = 3;
/// How many records have a line of figures.
const RECORDS_MAX: usize = 12;

/// The page as Markdown.
pub(super) fn page(told: &Told<'_>, drawn: &[(Kind, String)], lang: Lang) -> String {
    let model = Model::new(told.story);
    let mut text = format!("# {}\n\n", told.story.description.title);
    for sentence in told.teaches {
        text.push_str(&format!("{sentence}\n"));
    }
    text.push_str(&format!("\n**{}**\n\n", frame::verdict(&model, lang)));
    text.push_str(&story(told));
    if let Some(cure) = &told.cure {
        let cured = Model::new(cure.story);
        text.push_str(&format!(
            "## The fix: `{}`\n\n{} With it: **{}**.\n\n",
            cure.changes,
            cure.why,
            frame::verdict(&cured, lang)
        ));
    }
    for (kind, summary) in drawn {
        let heading = capital(Lang::En.say(kind.word()));
        text.push_str(&format!("## {heading}\n\n{}\n", snippet(kind.name(), summary)));
        if *kind == Kind::Latency {
            text.push_str(&figures(&told.story, lang));
        }
    }
    text.push_str(
        "[Step through the run](step.html), event by event: download it and open it.\n\n",
    );
    text.push_str(&tables(told, lang));
    text.push_str(&settings(&model));
    text.push_str(&format!(
        "## Again\n\n```sh\ninflight run {file}\ninflight draw {file} --twin --kind log -o log.svg\n\
         ```\n\n[All scenarios](../../README.md) · [the file](../../../{file})\n",
        file = told.file,
    ));
    text
}

/// How it came about, as the explanations tell.
fn story(told: &Told<'_>) -> String {
    let mut text = String::new();
    let explanations = &told.story.report.explanations;
    if explanations.is_empty() {
        return text;
    }
    text.push_str("## How it came about\n\n");
    let mut told_mechanisms = Vec::new();
    for found in explanations.iter().take(FINDINGS_MAX) {
        text.push_str(&format!("*{}.*\n", capital(&found.headline)));
        if told_mechanisms.contains(&found.mechanism) {
            text.push('\n');
            continue;
        }
        told_mechanisms.push(found.mechanism);
        text.push_str(&format!("{}\n\n", found.mechanism.sentence()));
        let decisive = found.finding.decisive.map(|fact| fact.index);
        for step in &found.chain {
            let is_decisive = decisive == u64::try_from(step.index).ok();
            let sentence = match is_decisive {
                true => format!("**{}**", step.sentence),
                false => step.sentence.clone(),
            };
            text.push_str(&format!("- {} {sentence}\n", step.at));
        }
        text.push('\n');
        for remedy in &found.remedies {
            text.push_str(&format!("- `{}`: {}\n", remedy.what, remedy.why));
        }
        text.push('\n');
    }
    let rest = told.story.report.judgement.findings.len().saturating_sub(FINDINGS_MAX);
    if rest > 0 {
        text.push_str(&format!("{rest} more findings are not told here.\n\n"));
    }
    text
}

/// Where the time of each record went.
fn figures(story: &Story<'_>, lang: Lang) -> String {
    let all = latency::breakdown(story, lang);
    let mut text = String::from("| record | total | parts |\n| --- | --- | --- |\n");
    for one in all.iter().take(RECORDS_MAX) {
        let parts = one.parts.iter().map(|(name, span)| format!("{name} {span}"));
        let parts = parts.collect::<Vec<_>>().join(" + ");
        text.push_str(&format!("| {} | {} | {parts} |\n", one.record, one.total));
    }
    if all.len() > RECORDS_MAX {
        text.push_str(&format!("\nThe first {RECORDS_MAX} of {} calls.\n", all.len()));
    }
    text.push('\n');
    text
}

/// What was said of each record and where it is, without and with the fix.
fn tables(told: &Told<'_>, lang: Lang) -> String {
    let mut text = String::new();
    let runs = std::iter::once(("as it is".to_owned(), &told.story))
        .chain(told.cure.iter().map(|cure| (format!("with `{}`", cure.changes), &cure.story)));
    for (name, story) in runs {
        if let Ok(table) = truth_markdown(story, lang) {
            text.push_str(&format!("## What was said, and what is there: {name}\n\n{table}\n"));
        }
    }
    text
}

/// The settings that are not Kafka's defaults.
fn settings(model: &Model<'_>) -> String {
    let lines = frame::changed(model);
    if lines.is_empty() {
        return "## Settings\n\nKafka's defaults.\n\n".to_owned();
    }
    let list: String = lines.iter().map(|line| format!("- `{line}`\n")).collect();
    format!("## Settings that are not Kafka's defaults\n\n{list}\n")
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().iter().flat_map(|c| c.to_uppercase()).collect();
    first + letters.as_str()
}
