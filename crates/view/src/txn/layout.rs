//! Where events are from left to right: in proportion to time where it can be, and never on each
//! other.

use super::gather::{Event, Hold, Lane, Look};
use super::select::Part;
use crate::kind::{Scale, Task};
use crate::scene::{Anchor, Dash, Layer, Scene, Stroke, Type};
use crate::theme::Ink;
use inflight_des::Instant;
use std::collections::BTreeMap;

/// How wide a usual wait is, a long one at most, and all of a run in proportion.
const USUAL: u64 = 12;
const LONG: u64 = 6;
const CUT: i32 = 34;
const WHOLE: u64 = 900;

/// The places of events.
pub(super) struct Layout {
    pub(super) left: i32,
    pub(super) right: i32,
    /// The x of each event.
    pub(super) x: Vec<i32>,
    /// Where a wait is cut.
    cuts: Vec<i32>,
}

impl Layout {
    pub(super) fn of(task: &Task<'_, '_>, events: &[Event], scene: &Scene, left: i32) -> Self {
        let mut waits: Vec<u64> = events
            .windows(2)
            .map(|pair| pair[1].at.since(pair[0].at).as_nanos())
            .filter(|wait| *wait > 0)
            .collect();
        waits.sort_unstable();
        let usual = waits.get(waits.len() / 2).copied().unwrap_or(1).max(1);
        let whole: u64 = waits.iter().sum::<u64>().max(1);
        let mut free: BTreeMap<Lane, i32> = BTreeMap::new();
        let (mut x, mut right) = (left, left);
        let mut places = Vec::new();
        let mut cuts = Vec::new();
        for (index, event) in events.iter().enumerate() {
            let before = index.checked_sub(1).map_or(event.at, |before| events[before].at);
            let wait = event.at.since(before).as_nanos();
            let (gap, cut) = gap(task.options.scale, wait, usual, whole);
            let start = right_of_last(&places, x);
            x = (start + gap).max(free.get(&event.lane).copied().unwrap_or(left));
            if cut {
                // In the middle of what no label covers.
                x = x.max(right - CUT / 2);
                cuts.push(x - CUT / 2);
            }
            let wide = width(scene, event);
            free.insert(event.lane, x + wide);
            right = right.max(x + wide);
            places.push(x);
        }
        Self { left, right: right + 12, x: places, cuts }
    }

    pub(super) const fn is_cut(&self) -> bool {
        !self.cuts.is_empty()
    }

    /// The x of every fact: that of the last event at or before it.
    pub(super) fn places(&self, task: &Task<'_, '_>, part: &Part) -> Vec<(usize, i32)> {
        let shown = part.events.iter().zip(&self.x);
        let mut list: Vec<(usize, i32)> = shown.map(|(event, x)| (event.fact, *x)).collect();
        list.sort_unstable();
        let (Some(first), Some(last)) = (list.first().copied(), list.last().copied()) else {
            return Vec::new();
        };
        let facts = task.model.facts().len();
        let of = |fact: usize| {
            let place = list.partition_point(|(known, _)| *known <= fact);
            list[place.saturating_sub(1)].1
        };
        (part.facts.0.max(first.0)..(last.0 + 1).min(facts)).map(|fact| (fact, of(fact))).collect()
    }

    /// The line under the lanes with times, and the cuts through them.
    pub(super) fn axis(&self, scene: &mut Scene, events: &[Event], bottom: i32) {
        let line = Stroke::thin(Ink::Grid);
        scene.line(Layer::Guides, &[(self.left, bottom), (self.right, bottom)], line);
        let look = Type::small(Ink::Muted);
        let mut free = 0;
        let mut last: Option<Instant> = None;
        let mut y = bottom;
        for (event, x) in events.iter().zip(&self.x) {
            let text = event.at.to_string();
            let wide = scene.width_of(&text, look);
            if last == Some(event.at) || x - 2 < free {
                continue;
            }
            last = Some(event.at);
            scene.line(Layer::Guides, &[(*x, bottom), (*x, bottom + 4)], line);
            let place = scene.text(x - 2, bottom + 5, Anchor::Start, look, &text);
            free = x - 2 + wide + 10;
            y = place.bottom();
            scene.hold(place, 4);
        }
        let dashed = Stroke::thin(Ink::Grid).dash(Dash::Dashed);
        for x in &self.cuts {
            for shift in [-2, 2] {
                scene.line(Layer::Guides, &[(x + shift, 0), (x + shift, bottom + 3)], dashed);
            }
        }
        scene.height = scene.height.max(y);
        scene.width = scene.width.max(self.right + 20);
    }
}

fn right_of_last(places: &[i32], left: i32) -> i32 {
    places.last().copied().unwrap_or(left)
}

/// How much is between two events, and whether that is less than in proportion.
fn gap(scale: Scale, wait: u64, usual: u64, whole: u64) -> (i32, bool) {
    let pixels = |part: u64, of: u64, room: u64| {
        let share = u128::from(part) * u128::from(room) / u128::from(of.max(1));
        i32::try_from(share).unwrap_or(0)
    };
    match scale {
        _ if wait == 0 => (0, false),
        Scale::Order => (USUAL as i32, false),
        Scale::Time => (2 + pixels(wait, whole, WHOLE), false),
        Scale::Hybrid if wait > usual.saturating_mul(LONG) => (CUT, true),
        Scale::Hybrid => (3 + pixels(wait, usual, USUAL), false),
    }
}

/// The room that an event takes on its lane.
fn width(scene: &Scene, event: &Event) -> i32 {
    let below = match event.look {
        Look::Cell(..) | Look::Marker(_) => scene.width_of(&event.below, Type::small(Ink::Plain)),
        Look::Label(..) | Look::State(..) | Look::Levels { .. } => 0,
    };
    let text = scene.width_of(&event.text, Type::strong(Ink::Plain)).max(below);
    match event.look {
        Look::Label(_, None) => text + 12,
        Look::Label(_, Some(_)) => text + 28,
        Look::State(_, Hold::Pending) => 12,
        Look::State(..) => text + 14,
        Look::Cell(_, _, None) => text + 16,
        Look::Cell(_, _, Some(_)) => text + 32,
        Look::Marker(_) => text + 30,
        Look::Levels { .. } => 2,
    }
}
