//! Which events are shown: all if they fit, else those around the anomaly.

use super::gather::{Event, Gathered, Hold, Look};
use crate::kind::{Focus, Refusal, Task};
use crate::theme::Ink;
use crate::words::Word;
use inflight_protocol::Fact;
use std::collections::BTreeMap;

/// The events that are shown, by position.
#[derive(Clone, Copy)]
pub(super) struct Chosen {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) shown: usize,
    pub(super) total: usize,
    /// Why the others are left out.
    pub(super) why: &'static str,
}

pub(super) fn select(
    task: &Task<'_, '_>,
    gathered: &Gathered,
    most: usize,
) -> Result<Chosen, Refusal> {
    let all = &gathered.events;
    let lang = task.lang();
    let told = |events: &[Event]| events.iter().filter(|event| is_told(event)).count();
    let (mut from, mut to, why) = match &task.options.focus {
        Focus::Window(from, to) => {
            let start = all.partition_point(|event| event.at < *from);
            let end = all.partition_point(|event| event.at <= *to);
            (start, end, lang.say(Word::OnlyWindow))
        }
        focus => {
            let (centre, why) = centre(task, all, focus)?;
            let (start, end) = around(all, centre, most);
            (start, end, why)
        }
    };
    // A window may still hold too much.
    if told(&all[from..to]) > most {
        let (start, end) = around(&all[from..to], 0, most);
        (from, to) = (from + start, from + end);
    }
    let shown = told(&all[from..to]);
    if shown == 0 {
        return Err(Refusal::Nothing("event in this focus"));
    }
    Ok(Chosen { from, to, shown, total: told(all), why })
}

/// Events that are drawn on one axis.
pub(super) struct Part {
    /// In order, behind the states and levels that held before.
    pub(super) events: Vec<Event>,
    /// The first and the last fact that it shows.
    pub(super) facts: (usize, usize),
}

/// The events from one position up to another, behind what held before.
pub(super) fn part(all: &[Event], from: usize, to: usize) -> Part {
    let mut events = held_before(&all[..from], &all[from]);
    events.extend_from_slice(&all[from..to]);
    Part { events, facts: (all[from].fact, all[to.max(from + 1) - 1].fact) }
}

/// Whether an event is words or a box, not a step of a curve.
const fn is_told(event: &Event) -> bool {
    !matches!(event.look, Look::Levels { .. })
}

/// The event around which the others are chosen.
fn centre(
    task: &Task<'_, '_>,
    all: &[Event],
    focus: &Focus,
) -> Result<(usize, &'static str), Refusal> {
    let lang = task.lang();
    let at = |fact: usize| {
        all.partition_point(|event| event.fact < fact).min(all.len().saturating_sub(1))
    };
    if let Focus::Record(name) = focus {
        let found = task.model.letters.find(name);
        let (session, partition, ordinal) = found.ok_or_else(|| Refusal::NoRecord(name.clone()))?;
        let queues = |fact: &Fact| match *fact {
            Fact::RecordsQueued { session: s, partition: p, first, count, .. } => {
                let run = first..first + u64::from(count);
                (s, p) == (session, partition) && run.contains(&ordinal)
            }
            _ => false,
        };
        let fact = task.model.facts().iter().position(|(_, fact)| queues(fact)).unwrap_or(0);
        return Ok((at(fact), lang.say(Word::OnlyRecords)));
    }
    if let Some(fact) = task.parts_at.into_iter().chain(task.model.decisive()).min() {
        return Ok((at(fact), lang.say(Word::AroundAnomaly)));
    }
    let odd = all.iter().position(|event| {
        matches!(event.look, Look::Label(Ink::Bad, _) | Look::State(Ink::Bad, Hold::Gone))
    });
    Ok(match odd {
        Some(odd) => (odd, lang.say(Word::AroundTrouble)),
        None => (0, lang.say(Word::FromTheStart)),
    })
}

/// As many events around one as have so many words, more behind it than before it.
fn around(all: &[Event], centre: usize, most: usize) -> (usize, usize) {
    let (mut from, mut to, mut count) = (centre, centre, 0);
    while count < most && (from > 0 || to < all.len()) {
        for _ in 0..2 {
            if to < all.len() && count < most {
                count += usize::from(is_told(&all[to]));
                to += 1;
            }
        }
        if from > 0 && count < most {
            from -= 1;
            count += usize::from(is_told(&all[from]));
        }
    }
    (from, to)
}

/// The states and levels in force when the picture begins.
fn held_before(before: &[Event], first: &Event) -> Vec<Event> {
    let mut last: BTreeMap<(u8, u16, u8), &Event> = BTreeMap::new();
    for event in before {
        if matches!(event.look, Look::State(..) | Look::Levels { .. }) {
            last.insert(event.lane.rank(), event);
        }
    }
    let held = last.into_values().map(|event| Event { at: first.at, ..event.clone() });
    held.collect()
}
