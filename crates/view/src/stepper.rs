//! D14, the stepper: one HTML file in which one cursor moves through a run.
//!
//! Nothing comes from elsewhere, so the file works from a disk. Pictures are drawn here, by the same
//! layouts; the script only moves the cursor, changes which picture of the logs is seen, and lights
//! up what lies in an event's causal past. Without scripts, and on paper, the film strip stays.

mod causes;
mod fields;
mod frames;
mod packed;

use crate::kind::{Options, Refusal, Task};
use crate::measure::{Measure, Medium};
use crate::model::Model;
use crate::render::svg::{Sheet, escape, inline};
use crate::scene::Scene;
use crate::theme::{Ink, Theme, hex};
use crate::words::{Lang, Word};
use crate::{Story, frame, pipeline, sequence, txn};
use frames::Frames;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// How many arrows and requests a page shows at most.
const ARROWS_MAX: usize = 100;
/// How many events the lanes of transactions have at most.
const EVENTS_MAX: usize = 300;

/// What a page has beside the run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The command that makes it again.
    pub command: String,
    /// The trace as JSON lines, so that the page holds everything it was drawn from. It is packed in
    /// the page, which can save it as it was.
    pub trace: Option<String>,
}

/// One event of the run, as the page's script knows it.
struct Step {
    fact: usize,
    y: i32,
    x: Option<i32>,
    /// The x on the lanes of transactions.
    txn: Option<i32>,
    log: Option<usize>,
    decides: bool,
    before: Vec<usize>,
}

/// The page of a run.
///
/// # Errors
///
/// If nothing happens in the run.
pub fn stepper(story: &Story<'_>, options: &Options, page: &Page) -> Result<String, Refusal> {
    let options = Options { medium: Medium::Pixels, ..options.clone() };
    let model = Model::new(*story);
    let measure = Measure { medium: Medium::Pixels };
    let task = Task { model: &model, options: &options, measure, parts_at: None };
    let beats = sequence::collect(&model, options.lang);
    let selection = sequence::select(&task, &beats, ARROWS_MAX)?;
    let (mut drawn, places) = sequence::lay_out_up_to(&task, ARROWS_MAX)?;
    let lanes = pipeline::lay_out_up_to(&task, ARROWS_MAX).ok();
    let transactions = txn::lay_out_up_to(&task, EVENTS_MAX).ok();
    let txn_places: BTreeMap<usize, i32> =
        transactions.iter().flat_map(|(_, places)| places).copied().collect();
    let lane_places = lanes.as_ref().map(|(_, places)| places.clone()).unwrap_or_default();
    let frames = Frames::of(&task, &places);
    let before = causes::of(&model, &selection.beats);
    let steps = selection.beats.iter().zip(&places).zip(before).enumerate();
    let steps: Vec<Step> = steps
        .map(|(index, ((beat, (fact, y)), before))| Step {
            fact: *fact,
            y: *y,
            x: lane_places.iter().find(|(known, _)| known == fact).map(|(_, x)| *x),
            txn: txn_places.get(fact).copied(),
            log: frames.at[index],
            decides: beat.decides,
            before,
        })
        .collect();
    let title = &story.description.title;
    drawn.scene.title = format!("{title}: {}", options.lang.say(Word::Sequence));
    let lanes = lanes.map(|(mut drawing, _)| {
        drawing.scene.title = format!("{title}: {}", options.lang.say(Word::Pipeline));
        drawing.scene
    });
    let mut notes = drawn.notes;
    notes.extend(frames.notes.iter().cloned());
    let transactions = transactions.map(|(mut drawing, _)| {
        drawing.scene.title = format!("{title}: {}", options.lang.say(Word::Txn));
        notes.append(&mut drawing.notes);
        drawing.scene
    });
    let shown = Shown { sequence: &drawn.scene, lanes, transactions, frames: &frames, notes };
    let data = data(&task, &steps, &shown);
    Ok(html(&task, &shown, &data, page))
}

/// The pictures of a page, and what they leave out.
struct Shown<'s> {
    sequence: &'s Scene,
    lanes: Option<Scene>,
    transactions: Option<Scene>,
    frames: &'s Frames,
    notes: Vec<String>,
}

/// What the script reads.
fn data(task: &Task<'_, '_>, steps: &[Step], shown: &Shown<'_>) -> Json {
    let model = task.model;
    let one = |step: &Step| {
        let (at, fact) = &model.facts()[step.fact];
        json!({
            "f": step.fact,
            "y": step.y,
            "x": step.x,
            "t": step.txn,
            "log": step.log,
            "bad": step.decides,
            "before": step.before,
            "at": at.to_string(),
            "kind": fact.kind().name(),
            "text": task.lang().fact(fact, &model.namer),
            "short": sequence::tell(model, task.lang(), step.fact),
            "fields": fields::of(fact, &model.namer),
        })
    };
    json!({
        "height": shown.sequence.height,
        "width": shown.lanes.as_ref().map(|lanes| lanes.width),
        "txn": shown.transactions.as_ref().map(|lanes| lanes.width),
        "steps": steps.iter().map(one).collect::<Vec<_>>(),
    })
}

fn html(task: &Task<'_, '_>, shown: &Shown<'_>, data: &Json, page: &Page) -> String {
    let frames = shown.frames;
    let (model, lang) = (task.model, task.lang());
    let mut sheet = Sheet::default();
    let mut inline = |scene: &Scene| inline(scene, &mut sheet);
    let logs = films(frames.scenes.iter().map(&mut inline));
    let film = frames.film.as_ref().map_or(String::new(), &mut inline);
    let trace = page.trace.as_ref().map_or(String::new(), |trace| {
        let packed = packed::pack(trace.as_bytes());
        let save = lang.say(Word::SaveTrace);
        format!(
            "<script type=\"text/plain\" id=\"trace\">{packed}</script>\n\
             <button id=\"save\" hidden>{save}</button>\n"
        )
    });
    let optional = |scene: &Option<Scene>, inline: &mut dyn FnMut(&Scene) -> String| {
        scene.as_ref().map_or(String::new(), inline)
    };
    let parts = json!({
        "data": data,
        "frames": logs,
        "sequence": inline(shown.sequence),
        "lanes": optional(&shown.lanes, &mut inline),
        "transactions": optional(&shown.transactions, &mut inline),
    });
    let transactions = shown.transactions.as_ref().map_or(String::new(), |lanes| {
        let (name, width) = (lang.term(Word::Txn), lanes.width);
        format!(
            "<section id=\"txn\" aria-label=\"{name}\">\n<h2>{name}</h2>\n<div class=\"wide\">\
             <div class=\"picture\" data-part=\"transactions\" style=\"width:{width}px\">\
             <div id=\"txn-cursor\"></div>\
             </div></div>\n</section>\n"
        )
    });
    let say = |word| lang.say(word);
    let (sign, ink) = frame::verdict_look(model.story.report.judgement.worst());
    // One of several: which one.
    let partition = match model.where_to(model.partition()) {
        name if name.is_empty() => name,
        name => format!(" · {}", name.trim_end()),
    };
    let values = [
        ("{{lang}}", lang.code().to_owned()),
        ("{{title}}", escape(&model.story.description.title)),
        ("{{verdict}}", format!("{} {}", sign.character(), escape(&frame::verdict(model, lang)))),
        ("{{ink}}", ink.name().to_owned()),
        ("{{partition}}", escape(&partition)),
        ("{{findings}}", findings(model, lang)),
        ("{{previous}}", say(Word::Previous).to_owned()),
        ("{{next}}", say(Word::Next).to_owned()),
        ("{{anomaly}}", say(Word::Anomaly).to_owned()),
        ("{{keys}}", say(Word::Keys).to_owned()),
        ("{{step}}", say(Word::Step).to_owned()),
        ("{{fields}}", say(Word::Fields).to_owned()),
        ("{{past}}", say(Word::CausalPast).to_owned()),
        ("{{log}}", lang.term(Word::Log)),
        ("{{pipeline}}", lang.term(Word::Pipeline)),
        ("{{sequence}}", lang.term(Word::Sequence)),
        ("{{profile}}", escape(&frame::profile(model, lang))),
        ("{{command}}", escape(&page.command)),
        ("{{colours}}", colours() + &sheet.rules() + "\n"),
        ("{{notes}}", shown.notes.iter().map(|note| format!("<p>{}</p>", escape(note))).collect()),
        (
            "{{class}}",
            match shown.transactions {
                Some(_) => " class=\"with-txn\"".to_owned(),
                None => String::new(),
            },
        ),
        ("{{transactions}}", transactions),
        ("{{parts}}", packed::pack(parts.to_string().as_bytes())),
        ("{{none}}", say(Word::NoPicture).to_owned()),
        ("{{film}}", film),
        ("{{trace}}", trace),
        ("{{style}}", include_str!("stepper/page.css").to_owned()),
        ("{{script}}", include_str!("stepper/page.js").to_owned()),
    ];
    fill(include_str!("stepper/page.html"), &values)
}

/// Pictures that have most of their marks in common: each mark once, and which ones each picture has.
fn films(pictures: impl Iterator<Item = String>) -> Json {
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    let mut marks: Vec<String> = Vec::new();
    let mut one = |line: &str| {
        *known.entry(line.to_owned()).or_insert_with(|| {
            marks.push(line.to_owned());
            marks.len() - 1
        })
    };
    let pictures: Vec<Vec<usize>> =
        pictures.map(|picture| picture.lines().map(&mut one).collect()).collect();
    json!({ "marks": marks, "pictures": pictures })
}

/// A template with its holes filled, each once and from left to right, so that no value is taken for
/// a hole.
fn fill(template: &str, values: &[(&str, String)]) -> String {
    let mut page = String::with_capacity(template.len() * 8);
    let mut rest = template;
    while let Some(at) = rest.find("{{") {
        page.push_str(&rest[..at]);
        let hole = values.iter().find(|(name, _)| rest[at..].starts_with(name));
        match hole {
            Some((name, value)) => {
                page.push_str(value);
                rest = &rest[at + name.len()..];
            }
            None => {
                page.push_str("{{");
                rest = &rest[at + 2..];
            }
        }
    }
    page + rest
}

/// What was found and how it came about, as a list.
fn findings(model: &Model<'_>, lang: Lang) -> String {
    let mut list = String::new();
    for found in model.story.report.explanations.iter().take(3) {
        list.push_str(&format!(
            "<li><b>{}</b>. {}</li>\n",
            escape(&lang.headline(found, &model.namer)),
            escape(lang.mechanism(found.mechanism))
        ));
    }
    match list.is_empty() {
        true => String::new(),
        false => format!("<ul class=\"findings\">\n{list}</ul>\n"),
    }
}

/// The palette as variables of a style sheet, light and dark.
fn colours() -> String {
    let of = |theme: Theme| {
        Ink::ALL
            .iter()
            .map(|ink| {
                let (name, full, thin) = (ink.name(), theme.rgb(*ink), theme.tint(*ink));
                format!("--{name}:{};--{name}-tint:{};", hex(full), hex(thin))
            })
            .collect::<String>()
    };
    let (light, dark) = (of(Theme::Light), of(Theme::Dark));
    format!(":root{{{light}}}\n@media screen and (prefers-color-scheme: dark){{:root{{{dark}}}}}\n")
}

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn what_is_filled_in_is_not_filled_again() {
        let values = [("{{a}}", "{{b}}".to_owned()), ("{{b}}", "x".to_owned())];
        assert_eq!(fill("<{{a}}|{{b}}|{{c}}>", &values), "<{{b}}|x|{{c}}>");
    }
}
