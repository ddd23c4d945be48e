//! Where beats are from top to bottom. Each has a strip of its own, so that no text meets another.

use super::beats::{Beat, What};
use super::select::Selection;
use crate::kind::{Scale, Task};
use crate::measure::Measure;
use inflight_des::Span;

/// Where a beat is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The top of its strip.
    pub(crate) top: i32,
    /// The height of its strip. Zero if it shares the strip of the arrow that it ends.
    pub(crate) height: i32,
    /// Where its line or sign is.
    pub(crate) line: i32,
    /// A wait before it that is not drawn in full.
    pub(crate) cut: Option<Span>,
}

/// The rows of all beats.
pub(crate) struct Rows {
    pub(crate) places: Vec<Row>,
    pub(crate) bottom: i32,
}

/// How many pixels a usual way of a message takes.
const USUAL: u64 = 26;
/// Waits longer than so many usual ways are cut.
const LONG: u64 = 3;
/// The tallest picture in proportion, in pixels beyond the strips.
const TIME_MAX: u64 = 3_000;

impl Rows {
    pub(super) fn of(task: &Task<'_, '_>, selection: &Selection<'_>, top: i32) -> Self {
        let measure = task.measure;
        let scale = if measure.is_cells() { Scale::Order } else { task.options.scale };
        let beats = &selection.beats;
        let usual = usual(task, beats);
        let whole = match (beats.first(), beats.last()) {
            (Some(first), Some(last)) => last.at.since(first.at).as_nanos().max(1),
            _ => 1,
        };
        let mut y = top;
        let mut places: Vec<Row> = Vec::new();
        for (index, beat) in beats.iter().enumerate() {
            let before = index.checked_sub(1).map(|before| beats[before]);
            let wait = before.map_or(Span::ZERO, |before| beat.at.since(before.at));
            let (gap, cut) = gap(scale, wait, usual, whole);
            if scale == Scale::Order && before.is_some_and(|before| ends(beat, before)) {
                let row = places[index - 1];
                places.push(Row { top: row.top, height: 0, line: row.line, cut: None });
                continue;
            }
            y += if cut.is_some() { measure.down(gap, 1) } else { measure.down(gap, 0) };
            let (height, line) = strip(measure, beat);
            places.push(Row { top: y, height, line: y + line, cut });
            y += height;
        }
        Self { places, bottom: y + measure.down(10, 0) }
    }
}

/// The height of a beat's strip, and where its line is in it.
fn strip(measure: Measure, beat: &Beat) -> (i32, i32) {
    if measure.is_cells() {
        return (crate::measure::CELL_HEIGHT, 0);
    }
    match beat.what {
        What::Depart { stroke: super::LOST, .. } => (34, 22),
        What::Depart { .. } | What::Call { .. } => (26, 21),
        What::Note { .. } => (22, 11),
        What::Band { .. } => (28, 14),
        What::Arrive { .. } | What::Lose { .. } => (8, 4),
    }
}

/// Whether a beat is the arrival of the arrow before it.
fn ends(beat: &Beat, before: &Beat) -> bool {
    match (&beat.what, &before.what) {
        (
            What::Arrive { message, .. } | What::Lose { message },
            What::Depart { message: left, .. },
        ) => message == left,
        _ => false,
    }
}

/// How long messages that are shown take: the middle one.
fn usual(task: &Task<'_, '_>, beats: &[&Beat]) -> u64 {
    let mut times: Vec<u64> = beats
        .iter()
        .filter_map(|beat| match beat.what {
            What::Arrive { message, .. } => {
                let sent = task.model.messages.list[message].sent;
                Some(beat.at.since(task.model.at(sent)).as_nanos())
            }
            _ => None,
        })
        .filter(|time| *time > 0)
        .collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or(1_000_000)
}

/// The pixels of a wait, and the wait itself if it is cut.
fn gap(scale: Scale, wait: Span, usual: u64, whole: u64) -> (i32, Option<Span>) {
    let nanos = wait.as_nanos();
    let small = |pixels: u128| i32::try_from(pixels).unwrap_or(0);
    match scale {
        Scale::Order => (0, None),
        Scale::Time => {
            let pixels = u128::from(nanos) * u128::from(TIME_MAX) / u128::from(whole);
            (small(pixels), None)
        }
        Scale::Hybrid if nanos > usual * LONG => (24, Some(wait)),
        Scale::Hybrid => (small(u128::from(nanos) * u128::from(USUAL) / u128::from(usual)), None),
    }
}
