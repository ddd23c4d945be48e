//! The page of one scenario.

use super::{Told, snippet};
use crate::Story;
use crate::kind::Kind;
use crate::model::Model;
use crate::truth::truth_markdown;
use crate::words::{Lang, Word};
use crate::{frame, latency};
use inflight_check::Step;

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
    text.push_str(&story(told, &model, lang));
    if let Some(cure) = &told.cure {
        let cured = Model::new(cure.story);
        text.push_str(&format!(
            "## {}: `{}`\n\n{} {}: **{}**.\n\n",
            lang.say(Word::TheFix),
            cure.changes,
            cure.why,
            lang.say(Word::WithIt),
            frame::verdict(&cured, lang)
        ));
    }
    for (kind, summary) in drawn {
        let heading = capital(lang.say(kind.word()));
        text.push_str(&format!("## {heading}\n\n{}\n", snippet(kind.name(), summary)));
        if *kind == Kind::Latency {
            text.push_str(&figures(&told.story, lang));
        }
    }
    let (step, how) = (lang.say(Word::StepThrough), lang.say(Word::StepHow));
    text.push_str(&format!("[{step}](step.html){how}\n\n"));
    text.push_str(&tables(told, lang));
    text.push_str(&settings(&model, lang));
    text.push_str(&format!(
        "## {again}\n\n```sh\ninflight run {file}\ninflight draw {file} --twin --kind log -o log.svg\n\
         ```\n\n[{all}](../../README.md) · [{the_file}](../../../{file})\n",
        again = lang.say(Word::Again),
        all = lang.say(Word::AllScenarios),
        the_file = lang.say(Word::TheFile),
        file = told.file,
    ));
    text
}

/// How it came about, as the explanations tell.
fn story(told: &Told<'_>, model: &Model<'_>, lang: Lang) -> String {
    let mut text = String::new();
    let explanations = &told.story.report.explanations;
    if explanations.is_empty() {
        return text;
    }
    text.push_str(&format!("## {}\n\n", lang.say(Word::HowItCame)));
    let mut told_mechanisms = Vec::new();
    for found in explanations.iter().take(FINDINGS_MAX) {
        text.push_str(&format!("*{}.*\n", capital(&lang.headline(found, &model.namer))));
        if told_mechanisms.contains(&found.mechanism) {
            text.push('\n');
            continue;
        }
        told_mechanisms.push(found.mechanism);
        text.push_str(&format!("{}\n\n", lang.mechanism(found.mechanism)));
        let decisive = found.finding.decisive.map(|fact| fact.index);
        for step in &found.chain {
            let sentence = told_step(model, lang, step);
            let is_decisive = decisive == u64::try_from(step.index).ok();
            let sentence = if is_decisive { format!("**{sentence}**") } else { sentence };
            text.push_str(&format!("- {} {sentence}\n", step.at));
        }
        text.push('\n');
        for remedy in &found.remedies {
            let (what, why) = (lang.remedy(remedy.what), lang.remedy(remedy.why));
            text.push_str(&format!("- `{what}`: {why}\n"));
        }
        text.push('\n');
    }
    let rest = told.story.report.judgement.findings.len().saturating_sub(FINDINGS_MAX);
    if rest > 0 {
        let line = match lang.is_english() {
            true => format!("{rest} more findings are not told here."),
            false => lang.value(Word::MoreFindings, rest),
        };
        text.push_str(&format!("{line}\n\n"));
    }
    text
}

/// A step of a story. What is told of many attempts has their number in it.
fn told_step(model: &Model<'_>, lang: Lang, step: &Step) -> String {
    if lang.is_english() {
        return step.sentence.clone();
    }
    let attempts: String = step.sentence.chars().filter(char::is_ascii_digit).collect();
    match (step.sentence.starts_with('…'), model.facts().get(step.index)) {
        (false, Some((_, fact))) => lang.fact(fact, &model.namer),
        _ => format!("… {}", lang.value(Word::AndSoOn, attempts)),
    }
}

/// Where the time of each record went.
fn figures(story: &Story<'_>, lang: Lang) -> String {
    let all = latency::breakdown(story, lang);
    let mut text = format!(
        "| {} | {} | {} |\n| --- | --- | --- |\n",
        lang.say(Word::Record),
        lang.say(Word::Total),
        lang.say(Word::Parts)
    );
    for one in all.iter().take(RECORDS_MAX) {
        let parts = one.parts.iter().map(|(name, span)| format!("{name} {span}"));
        let parts = parts.collect::<Vec<_>>().join(" + ");
        text.push_str(&format!("| {} | {} | {parts} |\n", one.record, one.total));
    }
    if all.len() > RECORDS_MAX {
        let (showing, of) = (lang.say(Word::Showing), lang.say(Word::Of));
        let word = lang.say(Word::Calls);
        text.push_str(&format!("\n{showing} {RECORDS_MAX} {of} {} {word}\n", all.len()));
    }
    text.push('\n');
    text
}

/// What was said of each record and where it is, without and with the fix.
fn tables(told: &Told<'_>, lang: Lang) -> String {
    let mut text = String::new();
    let (plain, with) = (lang.say(Word::AsItIs), lang.say(Word::WithFix));
    let cure = told.cure.as_ref();
    let runs = std::iter::once((plain.to_owned(), &told.story))
        .chain(cure.map(|cure| (format!("{with} `{}`", cure.changes), &cure.story)));
    for (name, story) in runs {
        if let Ok(table) = truth_markdown(story, lang) {
            let heading = capital(lang.say(Word::Truth));
            text.push_str(&format!("## {heading}: {name}\n\n{table}\n"));
        }
    }
    text
}

/// The settings that are not Kafka's defaults.
fn settings(model: &Model<'_>, lang: Lang) -> String {
    let lines = frame::changed(model);
    if lines.is_empty() {
        let (heading, text) = (lang.say(Word::Settings), lang.say(Word::Defaults));
        return format!("## {heading}\n\n{text}.\n\n");
    }
    let list: String = lines.iter().map(|line| format!("- `{line}`\n")).collect();
    format!("## {}\n\n{list}\n", lang.say(Word::ChangedSettings))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().iter().flat_map(|c| c.to_uppercase()).collect();
    first + letters.as_str()
}
