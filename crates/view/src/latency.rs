//! D4, the latency breakdown: where the time from send() to the callback went, record by record,
//! and how much of each limit was used.

mod bars;
mod limits;

use crate::Story;
use crate::frame::{Entry, Sample};
use crate::kind::{Drawing, Refusal, Task};
use crate::model::Model;
use crate::model::latency::{Callback, Life, Stage, lives};
use crate::scene::{Anchor, Dash, Fill, Scene, Stroke, Type};
use crate::theme::Ink;
use crate::words::{Lang, Word};
use inflight_des::Span;

/// How many records have a bar.
const BARS_MAX: usize = 8;

/// Where one record's time went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breakdown {
    /// The record, by its letter.
    pub record: String,
    /// Each part with its name, in order.
    pub parts: Vec<(String, Span)>,
    /// From send() to the callback.
    pub total: Span,
}

/// Where the time of the first record of every call went. The parts sum up to the total exactly.
pub fn breakdown(story: &Story<'_>, lang: Lang) -> Vec<Breakdown> {
    let model = Model::new(*story);
    let one = |life: Life| Breakdown {
        record: model.letters.one(life.session, life.partition, life.ordinal),
        parts: life.parts.iter().map(|part| (name(lang, part.stage), part.span())).collect(),
        total: life.total(),
    };
    lives(&model).into_iter().map(one).collect()
}

/// What a part is called.
pub(crate) fn name(lang: Lang, stage: Stage) -> String {
    use inflight_protocol::fact::BlockedOn;
    match stage {
        Stage::Blocked(BlockedOn::Metadata) => lang.say(Word::BlockedMetadata).to_owned(),
        Stage::Blocked(_) => lang.say(Word::BlockedMemory).to_owned(),
        Stage::InBatch => lang.say(Word::InBatch).to_owned(),
        Stage::Ready => lang.say(Word::Ready).to_owned(),
        Stage::InFlight(1) => lang.say(Word::InFlight).to_owned(),
        Stage::InFlight(nth) => {
            format!("{} {} {nth}", lang.say(Word::InFlight), lang.say(Word::Try))
        }
        Stage::Backoff(_) => lang.say(Word::Backoff).to_owned(),
    }
}

pub(crate) fn lay_out(task: &Task<'_, '_>) -> Result<Drawing, Refusal> {
    let all = lives(task.model);
    if all.is_empty() {
        return Err(Refusal::Nothing("record that entered a batch"));
    }
    let total = all.len();
    let chosen = chosen(task, all.clone());
    let mut scene = Scene::new(task.measure);
    let main = main_of(task, &chosen);
    let scale = bars::Scale::of(task, &chosen, &scene);
    let mut y = bars::axis(&mut scene, task, &scale, 0);
    for (index, life) in chosen.iter().enumerate() {
        y = bars::draw(&mut scene, task, &scale, life, y);
        if index == main {
            y = limits::draw(&mut scene, task, &scale, life, y);
        }
        y += task.measure.down(12, 1);
    }
    y = summary(&mut scene, task, &all, y);
    scene.height = y;
    let mut notes = Vec::new();
    if chosen.len() < total {
        let lang = task.lang();
        notes.push(format!(
            "{} {} {} {total} {}",
            lang.say(Word::Showing),
            chosen.len(),
            lang.say(Word::Of),
            lang.say(Word::Several),
        ));
    }
    let figures = vec![("records", total as u64), ("bars", chosen.len() as u64)];
    Ok(Drawing { scene, legend: legend(&chosen), notes, figures })
}

/// Those that are drawn: what findings are about, then the slowest, in the order of the calls.
fn chosen(task: &Task<'_, '_>, lives: Vec<Life>) -> Vec<Life> {
    if lives.len() <= BARS_MAX {
        return lives;
    }
    let mut ranked: Vec<(bool, Span, usize)> = lives
        .iter()
        .enumerate()
        .map(|(index, life)| (!is_found(task, life), life.total(), index))
        .collect();
    ranked.sort_by_key(|(calm, total, index)| (*calm, std::cmp::Reverse(*total), *index));
    let mut places: Vec<usize> = ranked.iter().take(BARS_MAX).map(|(.., index)| *index).collect();
    places.sort_unstable();
    let mut lives: Vec<Option<Life>> = lives.into_iter().map(Some).collect();
    places.into_iter().filter_map(|place| lives[place].take()).collect()
}

fn is_found(task: &Task<'_, '_>, life: &Life) -> bool {
    let findings = task.model.story.report.explanations.iter();
    let mut records = findings.flat_map(|found| &found.finding.records);
    records.any(|of| {
        (of.session, of.partition) == (life.session, life.partition)
            && (of.run.start..of.run.end).contains(&life.ordinal)
    })
}

/// The one whose limits are shown: the first that a finding is about, else the slowest.
fn main_of(task: &Task<'_, '_>, lives: &[Life]) -> usize {
    let found = lives.iter().position(|life| is_found(task, life));
    let slowest = (0..lives.len()).max_by_key(|index| (lives[*index].total(), usize::MAX - index));
    found.or(slowest).unwrap_or(0)
}

/// The middle, the slow end and the slowest of all records.
fn summary(scene: &mut Scene, task: &Task<'_, '_>, lives: &[Life], y: i32) -> i32 {
    let told = lives.iter().filter(|life| life.callback != Callback::Never);
    let mut totals: Vec<Span> = told.map(Life::total).collect();
    totals.sort_unstable();
    let (Some(longest), count) = (totals.last(), totals.len()) else { return y };
    let at = |hundredths: usize| totals[(count * hundredths).div_ceil(100).max(1) - 1];
    let text = format!(
        "{} ({count} {}): p50 {}, p99 {}, max {longest}",
        task.lang().say(Word::Total),
        task.lang().say(Word::Several),
        at(50),
        at(99),
    );
    let place = scene.text(0, y, Anchor::Start, Type::body(Ink::Muted), &text);
    scene.hold(place, 0);
    place.bottom() + task.measure.down(2, 0)
}

/// How a stage is filled: each in its own way, also without colour.
pub(crate) fn look(stage: Stage) -> (Fill, Option<Stroke>) {
    match stage {
        Stage::Blocked(_) => (Fill::Hatch(Ink::Bad), Some(Stroke::thin(Ink::Bad))),
        Stage::InBatch => (Fill::Tint(Ink::Producer), None),
        Stage::Ready => (Fill::None, Some(Stroke::thin(Ink::Producer))),
        Stage::InFlight(_) => (Fill::Solid(Ink::Producer), None),
        Stage::Backoff(_) => (Fill::None, Some(Stroke::thin(Ink::Warning).dash(Dash::Dotted))),
    }
}

fn legend(lives: &[Life]) -> Vec<Entry> {
    let has = |test: fn(Stage) -> bool| {
        lives.iter().any(|life| life.parts.iter().any(|part| test(part.stage)))
    };
    let sample = |stage| {
        let (fill, stroke) = look(stage);
        let bare = Stroke::thin(Ink::Producer);
        Sample::Box(fill, stroke.unwrap_or(bare))
    };
    use inflight_protocol::fact::BlockedOn;
    let blocked = Stage::Blocked(BlockedOn::Metadata);
    let all = [
        (has(|stage| matches!(stage, Stage::Blocked(_))), blocked, Word::Blocked),
        (has(|stage| stage == Stage::InBatch), Stage::InBatch, Word::InBatch),
        (has(|stage| stage == Stage::Ready), Stage::Ready, Word::Ready),
        (has(|stage| matches!(stage, Stage::InFlight(_))), Stage::InFlight(1), Word::InFlight),
        (has(|stage| matches!(stage, Stage::Backoff(_))), Stage::Backoff(1), Word::Backoff),
    ];
    let shown = all.into_iter().filter(|(wanted, ..)| *wanted);
    shown.map(|(_, stage, word)| Entry { sample: sample(stage), word }).collect()
}
