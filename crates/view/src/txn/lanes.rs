//! The lanes and what is on them.

use super::gather::{Event, Gathered, Hold, Lane, Look, Span};
use super::layout::Layout;
use super::select::Part;
use crate::icon::Icon;
use crate::kind::Task;
use crate::scene::{Anchor, Dash, Fill, Head, Layer, Point, Rect, Scene, Stroke, Type};
use crate::theme::Ink;
use crate::words::Word;
use inflight_protocol::TransactionResult;
use inflight_protocol::ids::TopicPartition;
use std::collections::BTreeMap;

/// The line under a transaction that is open in a partition.
pub(super) const BAND: Stroke = Stroke { ink: Ink::Transaction, quarters: 14, dash: Dash::Solid };
/// The high watermark over time.
pub(super) const HIGH: Stroke = Stroke { ink: Ink::Good, quarters: 6, dash: Dash::Dashed };
/// The last stable offset over time.
pub(super) const STABLE: Stroke = Stroke { ink: Ink::Transaction, quarters: 8, dash: Dash::Solid };

/// How tall the steps of epochs and curves are.
const STEP: i32 = 5;
const STEPS_MAX: usize = 5;
const CURVE: i32 = 40;

/// The lanes that are shown, from top to bottom.
fn lanes(events: &[Event]) -> Vec<Lane> {
    let mut list: Vec<Lane> = events.iter().map(|event| event.lane).collect();
    // No lane stands without the one that says whose it is.
    list.extend(events.iter().filter_map(|event| match event.lane {
        Lane::Producer(client) => Some(Lane::App(client)),
        Lane::Epoch(id) | Lane::Says(id) => Some(Lane::Coordinator(id)),
        Lane::Stable(partition) => Some(Lane::Log(partition)),
        _ => None,
    }));
    list.sort_by_key(|lane| lane.rank());
    list.dedup();
    list
}

/// What a lane is called.
pub(super) fn name(task: &Task<'_, '_>, lane: Lane) -> String {
    let lang = task.lang();
    let names = task.model.namer.names();
    match lane {
        Lane::Faults => lang.say(Word::Fault).to_owned(),
        Lane::App(client) => format!("{} {}", names.client(client), lang.say(Word::AppCalls)),
        Lane::Producer(_) => lang.say(Word::ProducerStateLane).to_owned(),
        Lane::Coordinator(id) => {
            format!("{} {}", names.transactional(id), lang.say(Word::Coordinator))
        }
        Lane::Epoch(_) => lang.say(Word::EpochRaised).to_owned(),
        Lane::Says(_) => lang.say(Word::CoordinatorSays).to_owned(),
        Lane::Offsets(group) => {
            format!("{} {}", names.group(group), lang.say(Word::GroupOffsets))
        }
        Lane::Log(partition) => {
            format!("{} {}", names.partition(partition), lang.say(Word::LeaderLog))
        }
        Lane::Stable(_) => {
            format!("{}, {}", lang.say(Word::LastStable), lang.say(Word::HighWatermark))
        }
        Lane::Reader(client) => {
            let consumer = task.model.story.description.client(client);
            let consumer = consumer.and_then(|client| client.consumer.as_ref());
            let isolation = consumer.map_or("", |consumer| consumer.isolation.word());
            format!("{} {isolation}", names.client(client))
        }
    }
}

/// Whether a lane belongs to the one above it.
const fn is_minor(lane: Lane) -> bool {
    matches!(lane, Lane::Producer(_) | Lane::Epoch(_) | Lane::Says(_) | Lane::Stable(_))
}

fn look_of(lane: Lane) -> Type {
    match is_minor(lane) {
        true => Type::small(Ink::Muted),
        false => Type::strong(Ink::Plain),
    }
}

/// How wide the names on the left are.
pub(super) fn names(task: &Task<'_, '_>, events: &[Event], scene: &Scene) -> i32 {
    let widths =
        lanes(events).into_iter().map(|lane| scene.width_of(&name(task, lane), look_of(lane)));
    widths.max().unwrap_or(0) + 24
}

/// Draws all lanes and the axis.
pub(super) fn draw(
    scene: &mut Scene,
    task: &Task<'_, '_>,
    gathered: &Gathered,
    part: &Part,
    layout: &Layout,
) {
    let events = &part.events;
    let mut painter = Painter { task, gathered, part, events, layout, tops: BTreeMap::new() };
    let mut y = 0;
    for lane in lanes(events) {
        painter.tops.insert(lane.rank(), y);
        let height = painter.height(lane);
        let look = look_of(lane);
        let middle = y + (painter.row(lane) - scene.height_of(look)) / 2;
        scene.about(None);
        scene.text(layout.left - 14, middle, Anchor::End, look, &name(task, lane));
        match lane {
            Lane::Stable(_) => painter.curve(scene, lane, y),
            Lane::Epoch(_) => painter.stairs(scene, lane, y),
            Lane::Log(partition) => {
                painter.marks(scene, lane, y);
                painter.bands(scene, partition, y);
            }
            _ => painter.marks(scene, lane, y),
        }
        painter.beside(scene, lane, y);
        y += height;
        if !matches!(lane, Lane::App(_) | Lane::Coordinator(_) | Lane::Epoch(_) | Lane::Log(_)) {
            y += 6;
            let line = Stroke::thin(Ink::Grid).dash(Dash::Dotted);
            scene.about(None);
            scene.line(Layer::Guides, &[(0, y - 4), (layout.right, y - 4)], line);
        }
    }
    painter.guides(scene, y);
    scene.about(None);
    layout.axis(scene, events, y + 2);
}

struct Painter<'p, 'a, 'm> {
    task: &'p Task<'a, 'm>,
    gathered: &'p Gathered,
    part: &'p Part,
    events: &'p [Event],
    layout: &'p Layout,
    tops: BTreeMap<(u8, u16, u8), i32>,
}

impl Painter<'_, '_, '_> {
    /// The events of a lane with their x.
    fn on(&self, lane: Lane) -> impl Iterator<Item = (&Event, i32)> {
        let events = self.events.iter().zip(self.layout.x.iter().copied());
        events.filter(move |(event, _)| event.lane == lane)
    }

    /// The x of the first shown event at or behind a fact.
    fn x_of(&self, fact: usize) -> Option<i32> {
        let shown = self.events.iter().zip(&self.layout.x);
        shown.filter(|(event, _)| event.fact == fact).map(|(_, x)| *x).next()
    }

    /// The height of what is written on a lane.
    fn row(&self, lane: Lane) -> i32 {
        match lane {
            Lane::Log(_) => 34,
            Lane::Stable(_) => CURVE,
            Lane::Coordinator(_) | Lane::Offsets(_) | Lane::Reader(_) => 26,
            Lane::Epoch(_) => 20,
            _ => 24,
        }
    }

    fn height(&self, lane: Lane) -> i32 {
        match lane {
            Lane::Log(partition) => {
                let rows = self.spans(partition).iter().map(|(_, row)| row + 1).max().unwrap_or(0);
                self.row(lane) + 4 + 8 * rows as i32
            }
            Lane::Epoch(_) => {
                let steps = self.on(lane).count().clamp(1, STEPS_MAX) as i32 - 1;
                self.row(lane) + STEP * steps
            }
            _ => self.row(lane),
        }
    }

    fn marks(&self, scene: &mut Scene, lane: Lane, y: i32) {
        let row = self.row(lane);
        let all: Vec<(&Event, i32)> = self.on(lane).collect();
        for (index, (event, x)) in all.iter().enumerate() {
            scene.about(Some(event.fact));
            match event.look {
                Look::Label(ink, icon) => label(scene, event, *x, y, row, ink, icon),
                Look::State(ink, hold) => {
                    let until = all.get(index + 1).map_or(self.layout.right, |(_, x)| *x);
                    state(scene, event, Rect::new(*x, y + 2, until - x, row - 4), ink, hold);
                }
                Look::Cell(fill, stroke, icon) => {
                    cell(scene, event, *x, y, row, fill, stroke, icon);
                }
                Look::Marker(result) => marker(scene, event, *x, y, row, result),
                Look::Levels { .. } => {}
            }
        }
        scene.about(None);
    }

    /// The producer epoch as stairs.
    fn stairs(&self, scene: &mut Scene, lane: Lane, y: i32) {
        let all: Vec<(&Event, i32)> = self.on(lane).collect();
        let steps = all.len().clamp(1, STEPS_MAX) - 1;
        let base = y + self.row(lane) + STEP * steps as i32 - 3;
        let mut before: Option<i32> = None;
        for (index, (event, x)) in all.iter().enumerate() {
            let until = all.get(index + 1).map_or(self.layout.right, |(_, x)| *x);
            let level = base - STEP * index.min(steps) as i32;
            scene.about(Some(event.fact));
            let from = before.unwrap_or(level);
            let points = [(*x, from), (*x, level), (until, level)];
            scene.line(Layer::Marks, &points, Stroke::thick(Ink::Muted));
            let look = Type::small(Ink::Plain);
            scene.label(x + 5, level - 16, Anchor::Start, look, &event.text);
            before = Some(level);
        }
        scene.about(None);
    }

    /// The high watermark and the last stable offset as steps, and what lies between them.
    fn curve(&self, scene: &mut Scene, lane: Lane, y: i32) {
        let all: Vec<(&Event, i32, u64, u64)> = self
            .on(lane)
            .filter_map(|(event, x)| match event.look {
                Look::Levels { high, stable } => Some((event, x, high, stable)),
                _ => None,
            })
            .collect();
        let most = all.iter().map(|(_, _, high, _)| *high).max().unwrap_or(0).max(1);
        let level = |value: u64| {
            let share = u128::from(value) * u128::try_from(CURVE - 12).unwrap_or(0);
            y + CURVE - 4 - i32::try_from(share / u128::from(most)).unwrap_or(0)
        };
        let (mut high, mut stable) = (Vec::new(), Vec::new());
        let mut free = self.layout.left;
        for (index, (event, x, top, low)) in all.iter().enumerate() {
            let until = all.get(index + 1).map_or(self.layout.right, |(_, x, ..)| *x);
            scene.about(Some(event.fact));
            if top > low {
                let between = Rect::new(*x, level(*top), until - x, level(*low) - level(*top));
                scene.rect(Layer::Marks, between, Fill::Hatch(Ink::Transaction), None);
            }
            high.extend([(*x, level(*top)), (until, level(*top))]);
            stable.extend([(*x, level(*low)), (until, level(*low))]);
            let before = index.checked_sub(1).map(|before| all[before].3);
            let text = format!("{} {low}", self.task.lang().say(Word::LastStable));
            let look = Type::small(Ink::Transaction);
            let wide = scene.width_of(&text, look);
            if before != Some(*low) && x + 4 >= free && x + 4 + wide < self.layout.right {
                let top = (level(*low) - 15).max(y);
                free = scene.label(x + 4, top, Anchor::Start, look, &text).right() + 8;
            }
        }
        scene.about(None);
        scene.line(Layer::Marks, &high, HIGH);
        scene.line(Layer::Marks, &stable, STABLE);
    }

    /// The transactions that are open in a partition while any of it is shown, each with its row.
    fn spans(&self, partition: TopicPartition) -> Vec<(Span, usize)> {
        let (first, last) = self.part.facts;
        let mut rows: Vec<usize> = Vec::new();
        let mut list = Vec::new();
        for span in &self.gathered.open {
            let end = span.to.map_or(usize::MAX, |(fact, _)| fact);
            if span.partition != partition || span.from > last || end < first {
                continue;
            }
            let row = rows.iter().position(|until| *until <= span.from).unwrap_or(rows.len());
            if row == rows.len() {
                rows.push(end);
            } else {
                rows[row] = end;
            }
            list.push((*span, row));
        }
        list
    }

    fn bands(&self, scene: &mut Scene, partition: TopicPartition, y: i32) {
        for (span, row) in self.spans(partition) {
            let from = self.x_of(span.from).unwrap_or(self.layout.left);
            let to = span.to.and_then(|(fact, _)| self.x_of(fact));
            let line = y + self.row(Lane::Log(partition)) + 4 + 8 * row as i32;
            scene.about(Some(span.from));
            scene.line(Layer::Marks, &[(from + 2, line - 4), (from + 2, line + 2)], BAND);
            match to {
                Some(to) => {
                    scene.line(Layer::Marks, &[(from + 2, line), (to + 12, line)], BAND);
                    scene.line(Layer::Marks, &[(to + 12, line - 4), (to + 12, line + 2)], BAND);
                }
                // Its end is not shown, or never comes.
                None => {
                    let (a, b) = ((from + 2, line), (self.layout.right, line));
                    let (a, b) = (Point { x: a.0, y: a.1 }, Point { x: b.0, y: b.1 });
                    scene.arrow(a, b, BAND, Head::Arrived);
                }
            }
        }
        scene.about(None);
    }

    /// What stands to the right of a lane: how it ends.
    fn beside(&self, scene: &mut Scene, lane: Lane, y: i32) {
        let lang = self.task.lang();
        let x = self.layout.right + 10;
        let mut lines: Vec<(String, Ink)> = Vec::new();
        match lane {
            Lane::Stable(_) => {
                if let Some((Look::Levels { high, stable }, _)) =
                    self.on(lane).last().map(|(event, x)| (event.look, x))
                {
                    lines.push((format!("{} {high}", lang.say(Word::HighWatermark)), Ink::Good));
                    let stable = format!("{} {stable}", lang.say(Word::LastStable));
                    lines.push((stable, Ink::Transaction));
                }
            }
            Lane::Reader(client) => {
                let lags = self.gathered.lags.iter().filter(|(known, _)| *known == client);
                let lag: Vec<u64> = lags.map(|(_, lag)| *lag).collect();
                if !lag.is_empty() {
                    let total: u64 = lag.iter().sum();
                    lines.push((lang.value(Word::Lag, total), Ink::Muted));
                }
            }
            Lane::Log(partition) => {
                let spans = self.spans(partition);
                if spans.iter().any(|(span, _)| span.to.is_none()) {
                    lines.push((lang.say(Word::NeverEnds).to_owned(), Ink::Bad));
                }
            }
            _ => {}
        }
        let look = |ink| Type::small(ink);
        let height = scene.height_of(look(Ink::Muted));
        let mut top = y + (self.row(lane) - height * lines.len() as i32) / 2;
        for (text, ink) in lines {
            let place = scene.text(x, top, Anchor::Start, look(ink), &text);
            scene.hold(place, 6);
            top = place.bottom();
        }
    }

    /// Lines through the lanes: faults, what decides, where runs part, and markers from their
    /// coordinator down to their partition.
    fn guides(&self, scene: &mut Scene, bottom: i32) {
        let top = |lane: Lane| self.tops.get(&lane.rank()).copied();
        for (event, x) in self.on(Lane::Faults) {
            scene.about(Some(event.fact));
            let line = Stroke::thin(Ink::Bad).dash(Dash::Dotted);
            scene.line(Layer::Ground, &[(x + 7, 24), (x + 7, bottom)], line);
        }
        let events = self.events.iter().zip(&self.layout.x);
        for (event, x) in events {
            let (Lane::Log(_), Look::Marker(_)) = (event.lane, event.look) else { continue };
            let coordinator = self.events.iter().find_map(|event| match event.lane {
                Lane::Coordinator(_) => top(event.lane),
                _ => None,
            });
            let (Some(from), Some(to)) = (coordinator, top(event.lane)) else { continue };
            scene.about(Some(event.fact));
            let line = Stroke::thin(Ink::Grid).dash(Dash::Dotted);
            scene.line(Layer::Ground, &[(x + 12, from + 26), (x + 12, to + 8)], line);
        }
        let signs = [(self.task.parts_at, Icon::Rhombus, Ink::Transaction)];
        let decisive = self.task.model.decisive().into_iter();
        let decisive = decisive.map(|fact| (Some(fact), Icon::Triangle, Ink::Warning));
        let mut drawn: Vec<i32> = Vec::new();
        for (fact, icon, ink) in signs.into_iter().chain(decisive) {
            let Some(x) = fact.and_then(|fact| self.x_of(fact)) else { continue };
            if drawn.iter().any(|known| (known - x).abs() < 14) {
                continue;
            }
            drawn.push(x);
            scene.about(fact);
            let line = Stroke::thin(ink).dash(Dash::Dashed);
            scene.line(Layer::Ground, &[(x, 0), (x, bottom)], line);
            scene.icon(icon, Point { x, y: bottom - 6 }, 12, ink);
        }
        scene.about(None);
    }
}

fn label(scene: &mut Scene, event: &Event, x: i32, y: i32, row: i32, ink: Ink, icon: Option<Icon>) {
    let look = Type::body(if ink == Ink::Producer { Ink::Plain } else { ink });
    let mut left = x;
    if let Some(icon) = icon {
        scene.icon(icon, Point { x: x + 7, y: y + row / 2 }, 12, ink);
        left += 16;
    }
    let top = y + (row - scene.height_of(look)) / 2;
    scene.label(left, top, Anchor::Start, look, &event.text);
}

fn state(scene: &mut Scene, event: &Event, rect: Rect, ink: Ink, hold: Hold) {
    let (fill, stroke) = match hold {
        Hold::Firm => (Fill::Tint(ink), Stroke::thin(ink)),
        Hold::Pending => (Fill::Hatch(ink), Stroke::thin(ink)),
        Hold::Gone => (Fill::Solid(Ink::Ground), Stroke::thin(ink).dash(Dash::Dotted)),
    };
    scene.rect(Layer::Marks, rect, fill, Some(stroke));
    let look = Type::body(Ink::Plain);
    let top = rect.y + (rect.h - scene.height_of(look)) / 2;
    scene.text(rect.x + 6, top, Anchor::Start, look, &event.text);
}

#[expect(clippy::too_many_arguments, reason = "a cell has a place and a look")]
fn cell(
    scene: &mut Scene,
    event: &Event,
    x: i32,
    y: i32,
    row: i32,
    fill: Fill,
    stroke: Stroke,
    icon: Option<Icon>,
) {
    let (strong, small) = (Type::strong(Ink::Plain), Type::small(Ink::Muted));
    let sign = if icon.is_some() { 16 } else { 0 };
    let text = scene.width_of(&event.text, strong).max(scene.width_of(&event.below, small));
    let rect = Rect::new(x, y + 1, text + 10 + sign, row - 2);
    scene.rect(Layer::Marks, rect, fill, Some(stroke));
    if let Some(icon) = icon {
        scene.icon(icon, Point { x: x + 11, y: rect.centre().y }, 11, stroke.ink);
    }
    two_lines(scene, Scene::text, event, x + 5 + sign, (rect.y, rect.h));
}

fn marker(scene: &mut Scene, event: &Event, x: i32, y: i32, row: i32, result: TransactionResult) {
    let ink = match result {
        TransactionResult::Commit => Ink::Good,
        TransactionResult::Abort => Ink::Bad,
    };
    scene.icon(Icon::Rhombus, Point { x: x + 12, y: y + row / 2 }, 18, ink);
    two_lines(scene, Scene::label, event, x + 25, (y + 1, row - 2));
}

/// How a text is put into a picture: as it is, or over lines.
type Put = fn(&mut Scene, i32, i32, Anchor, Type, &str) -> Rect;

/// A text, with a smaller one below it if there is one.
fn two_lines(scene: &mut Scene, put: Put, event: &Event, x: i32, (y, height): (i32, i32)) {
    let (strong, small) = (Type::strong(Ink::Plain), Type::small(Ink::Muted));
    let (upper, lower) = (scene.height_of(strong), scene.height_of(small));
    if event.below.is_empty() {
        put(scene, x, y + (height - upper) / 2, Anchor::Start, strong, &event.text);
        return;
    }
    let top = y + (height - upper - lower) / 2;
    put(scene, x, top, Anchor::Start, strong, &event.text);
    put(scene, x, top + upper, Anchor::Start, small, &event.below);
}
