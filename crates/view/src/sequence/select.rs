//! Which beats are shown: all if they fit, else those around the anomaly, with a note that says so.

use super::beats::{Beat, Beats, What};
use crate::kind::{Focus, Refusal, Task};
use crate::words::Word;
use inflight_protocol::ids::{SessionId, TopicPartition};
use std::collections::BTreeSet;

/// How many arrows a picture that stands alone has at most.
pub(super) const ARROWS_MAX: usize = 60;

/// What is shown.
pub(crate) struct Selection<'b> {
    pub(crate) beats: Vec<&'b Beat>,
    /// What is left out, in words.
    pub(crate) notes: Vec<String>,
}

impl Selection<'_> {
    pub(crate) fn arrows(&self) -> usize {
        arrows(&self.beats)
    }
}

fn arrows(beats: &[&Beat]) -> usize {
    beats.iter().filter(|beat| matches!(beat.what, What::Depart { .. })).count()
}

type Records = (SessionId, TopicPartition, u64, u64);

pub(crate) fn select<'b>(
    task: &Task<'_, '_>,
    beats: &'b Beats,
    arrows_max: usize,
) -> Result<Selection<'b>, Refusal> {
    let all: Vec<&Beat> = beats.list.iter().collect();
    let total = arrows(&all);
    let lang = task.lang();
    let mut why: Vec<&str> = Vec::new();
    let mut chosen = all;
    let wanted = wanted(task)?;
    match &task.options.focus {
        Focus::Window(from, to) => {
            chosen.retain(|beat| (*from..=*to).contains(&beat.at));
            why.push(lang.say(Word::OnlyWindow));
        }
        Focus::Record(_) => {
            chosen.retain(|beat| concerns(beat, &wanted));
            why.push(lang.say(Word::OnlyRecords));
        }
        Focus::Auto | Focus::Anomaly => {
            let must = task.options.focus == Focus::Anomaly;
            if (must || total > arrows_max) && !wanted.is_empty() {
                chosen.retain(|beat| beat.decides || concerns(beat, &wanted));
                let tells = |beat: &&Beat| beat.decides || !beat.records.is_empty();
                let first = chosen.iter().position(tells).unwrap_or(0);
                let last = chosen.iter().rposition(tells).unwrap_or(0);
                let mut place = 0..;
                // What happens in passing matters around these records alone.
                chosen.retain(|beat| {
                    let inside = place.next().is_some_and(|at| (first..=last).contains(&at));
                    inside || !is_idle(beat)
                });
                why.push(lang.say(Word::OnlyRecords));
            }
        }
    }
    if arrows(&chosen) > arrows_max {
        chosen = around(&chosen, arrows_max);
        why.push(task.around());
    }
    let mut chosen = whole(chosen, beats);
    // What the run ends with in passing needs no picture.
    while chosen.len() > 1 && chosen.last().is_some_and(|beat| is_idle(beat)) {
        chosen.pop();
    }
    let shown = arrows(&chosen);
    let mut notes = Vec::new();
    if shown < total || !why.is_empty() {
        let (showing, of) = (lang.say(Word::Showing), lang.say(Word::Of));
        let why = why.join(", ");
        notes.push(format!("{showing} {shown} {of} {total} {}: {why}", lang.say(Word::Arrows)));
    }
    if chosen.is_empty() {
        return Err(Refusal::Nothing("event in this focus"));
    }
    Ok(Selection { beats: chosen, notes })
}

/// The records that matter most.
fn wanted(task: &Task<'_, '_>) -> Result<Vec<Records>, Refusal> {
    if let Focus::Record(name) = &task.options.focus {
        let found = task.model.letters.find(name);
        let (session, partition, ordinal) = found.ok_or_else(|| Refusal::NoRecord(name.clone()))?;
        return Ok(vec![(session, partition, ordinal, 1)]);
    }
    let explanations = &task.model.story.report.explanations;
    let first = explanations.iter().find(|found| !found.finding.records.is_empty());
    let records = first.iter().flat_map(|found| &found.finding.records);
    Ok(records.map(|of| (of.session, of.partition, of.run.start, of.run.len())).collect())
}

/// Whether a beat is about one of these records, or about none in particular.
fn concerns(beat: &Beat, wanted: &[Records]) -> bool {
    beat.records.is_empty()
        || beat.records.iter().any(|(session, partition, first, count)| {
            wanted.iter().any(|(s, p, f, c)| {
                (session, partition) == (s, p) && *first < f + c && *f < first + count
            })
        })
}

/// As many beats around the first that decides as have this many arrows.
fn around<'b>(beats: &[&'b Beat], arrows_max: usize) -> Vec<&'b Beat> {
    let centre = beats.iter().position(|beat| beat.decides).unwrap_or(0);
    let is_arrow = |index: usize| matches!(beats[index].what, What::Depart { .. });
    let (mut from, mut to, mut count) = (centre, centre, 0);
    while count < arrows_max && (from > 0 || to < beats.len()) {
        if from > 0 {
            from -= 1;
            count += usize::from(is_arrow(from));
        }
        if to < beats.len() && count < arrows_max {
            count += usize::from(is_arrow(to));
            to += 1;
        }
    }
    beats[from..to].to_vec()
}

/// The beats with the ends of all arrows whose starts are among them, and no other ends.
fn whole<'b>(chosen: Vec<&'b Beat>, beats: &'b Beats) -> Vec<&'b Beat> {
    let departing = |beat: &&&Beat| match beat.what {
        What::Depart { message, .. } => Some(message),
        _ => None,
    };
    let started: BTreeSet<usize> = chosen.iter().filter_map(|beat| departing(&beat)).collect();
    let facts: BTreeSet<usize> = chosen.iter().map(|beat| beat.fact).collect();
    let keep = |beat: &&Beat| match beat.what {
        What::Arrive { message, .. } | What::Lose { message } => started.contains(&message),
        _ => facts.contains(&beat.fact),
    };
    beats.list.iter().filter(keep).collect()
}

/// Whether a beat says nothing that a reader misses at the end.
fn is_idle(beat: &Beat) -> bool {
    matches!(beat.what, What::Note { ink: crate::Ink::Muted, .. }) && !beat.decides
}
