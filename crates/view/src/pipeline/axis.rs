//! Time from left to right, with long waits cut out.

use super::gather::Gathered;
use super::readers;
use crate::kind::{Scale, Task};
use crate::scene::{Anchor, Dash, Layer, Scene, Stroke, Type};
use crate::theme::Ink;
use inflight_des::Instant;
use std::collections::BTreeSet;

/// The axis: instants at which something happens, with their x.
pub(super) struct Axis {
    pub(super) left: i32,
    pub(super) right: i32,
    /// In order of time, and of x.
    stops: Vec<(Instant, i32)>,
    /// The stops before which a wait is cut.
    cuts: Vec<usize>,
}

/// How wide lanes are.
const WIDTH: i32 = 860;
/// How wide lanes are in cells.
const WIDTH_CELLS: i32 = 84;
/// The least between two instants, and what a cut takes.
const STEP_MIN: i32 = 12;
const CUT: i32 = 30;

impl Axis {
    pub(super) fn of(task: &Task<'_, '_>, gathered: &Gathered, left: i32) -> Self {
        let mut instants = BTreeSet::from([gathered.from, gathered.to]);
        instants.extend(gathered.calls.iter().map(|call| call.at));
        instants.extend(gathered.batches.iter().flat_map(|batch| [batch.from, batch.to]));
        instants.extend(gathered.requests.iter().flat_map(|bar| [bar.from, bar.to]));
        instants.extend(gathered.backoffs.iter().flat_map(|backoff| [backoff.from, backoff.to]));
        instants.extend(gathered.blocked.iter().flat_map(|blocked| [blocked.from, blocked.to]));
        instants.extend(readers::instants(&gathered.readers));
        let inside = |at: &Instant| (gathered.from..=gathered.to).contains(at);
        let instants: Vec<Instant> = instants.into_iter().filter(inside).collect();
        let width = task.measure.across(WIDTH, WIDTH_CELLS);
        let spans: Vec<u64> =
            instants.windows(2).map(|pair| pair[1].since(pair[0]).as_nanos()).collect();
        let limit = limit(task.options.scale, &spans);
        let least = task.measure.across(STEP_MIN, 2);
        let cut = task.measure.across(CUT, 4);
        let count = i32::try_from(spans.len()).unwrap_or(i32::MAX);
        let drawn: u64 = spans.iter().filter(|span| **span <= limit).sum();
        let room = i64::from((width - least.saturating_mul(count)).max(width / 4));
        let mut x = left;
        let mut stops = vec![];
        let mut cuts = Vec::new();
        for (index, at) in instants.iter().enumerate() {
            if let Some(span) = index.checked_sub(1).map(|before| spans[before]) {
                if span > limit {
                    cuts.push(index);
                    x += cut;
                } else if task.options.scale == Scale::Order {
                    x += i32::try_from(room).unwrap_or(0) / count.max(1) + least;
                } else {
                    let share = i128::from(room) * i128::from(span) / i128::from(drawn.max(1));
                    x += least + i32::try_from(share).unwrap_or(0);
                }
            }
            stops.push((*at, x));
        }
        Self { left, right: x, stops, cuts }
    }

    pub(super) const fn is_cut(&self) -> bool {
        !self.cuts.is_empty()
    }

    /// Where an instant is.
    pub(super) fn x(&self, at: Instant) -> i32 {
        let place = self.stops.partition_point(|(stop, _)| *stop <= at);
        let Some((before, x0)) = place.checked_sub(1).map(|index| self.stops[index]) else {
            return self.left;
        };
        let Some((after, x1)) = self.stops.get(place).copied() else { return x0 };
        let whole = after.since(before).as_nanos().max(1);
        let part = at.since(before).as_nanos();
        let share = i128::from(x1 - x0) * i128::from(part) / i128::from(whole);
        x0 + i32::try_from(share).unwrap_or(0)
    }

    /// The line under the lanes with times, and the cuts through them.
    pub(super) fn draw(&self, scene: &mut Scene, task: &Task<'_, '_>, bottom: i32) {
        let measure = task.measure;
        let line = Stroke::thin(Ink::Grid);
        if !measure.is_cells() {
            scene.line(Layer::Guides, &[(self.left, bottom), (self.right, bottom)], line);
        }
        let mut free = 0;
        let look = Type::small(Ink::Muted);
        let mut y = bottom;
        for (at, x) in &self.stops {
            let text = at.to_string();
            let wide = scene.width_of(&text, look);
            if x - wide / 2 < free {
                continue;
            }
            if !measure.is_cells() {
                scene.line(Layer::Guides, &[(*x, bottom), (*x, bottom + 4)], line);
            }
            let place = scene.text(*x, bottom + measure.down(5, 0), Anchor::Middle, look, &text);
            free = place.right() + measure.across(10, 1);
            y = place.bottom();
            scene.hold(place, measure.across(4, 1));
        }
        for cut in &self.cuts {
            let (x0, x1) = (self.stops[cut - 1].1, self.stops[*cut].1);
            let middle = i32::midpoint(x0, x1);
            if measure.is_cells() {
                scene.text(middle - 8, bottom - 16, Anchor::Start, look, "//");
                continue;
            }
            let dashed = Stroke::thin(Ink::Grid).dash(Dash::Dashed);
            for shift in [-2, 2] {
                let points = [(middle + shift, 0), (middle + shift, bottom + 3)];
                scene.line(Layer::Guides, &points, dashed);
            }
        }
        scene.height = scene.height.max(y);
        scene.width = scene.width.max(self.right + measure.across(20, 2));
    }
}

/// The longest wait that is drawn in proportion: five times the middle one.
fn limit(scale: Scale, spans: &[u64]) -> u64 {
    let mut sorted: Vec<u64> = spans.iter().copied().filter(|span| *span > 0).collect();
    sorted.sort_unstable();
    let middle = sorted.get(sorted.len() / 2).copied().unwrap_or(u64::MAX);
    match scale {
        Scale::Hybrid => middle.saturating_mul(8),
        Scale::Order | Scale::Time => u64::MAX,
    }
}
