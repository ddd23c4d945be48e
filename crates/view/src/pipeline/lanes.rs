//! The lanes, from the application's calls down to the brokers.

use super::axis::Axis;
use super::gather::{Bar, Gathered};
use super::readers;
use crate::icon::Icon;
use crate::kind::Task;
use crate::scene::{Anchor, Dash, Fill, Layer, Point, Rect, Scene, Stroke, Type};
use crate::theme::Ink;
use crate::words::{Lang, Word};
use inflight_des::Instant;
use inflight_protocol::fact::DrainReason;
use inflight_protocol::ids::{BrokerId, ClientId, TopicPartition};
use std::collections::BTreeSet;

/// The sign of a batch whose producer went away.
pub(super) const GONE: Icon = Icon::Lightning;

/// Why a batch was closed, as one character and in words. Reasons that are added later go by their
/// own word.
const fn closing(reason: DrainReason, lang: Lang) -> (&'static str, &'static str) {
    match reason {
        DrainReason::Full => ("F", lang.say(Word::BarFull)),
        DrainReason::Linger => ("L", lang.say(Word::BarLinger)),
        DrainReason::Exhausted => ("M", lang.say(Word::BarMemory)),
        DrainReason::Flush | DrainReason::Close => ("!", lang.say(Word::BarFlush)),
        DrainReason::Alongside => ("A", lang.say(Word::BarAlongside)),
        _ if matches!(reason, DrainReason::Retry) => ("R", lang.say(Word::BarRetry)),
        _ => ("T", reason.word()),
    }
}

fn clients(gathered: &Gathered) -> BTreeSet<ClientId> {
    let calls = gathered.calls.iter().map(|call| call.client);
    let blocked = gathered.blocked.iter().map(|blocked| blocked.client);
    calls.chain(blocked).chain(gathered.requests.iter().map(|bar| bar.client)).collect()
}

fn partitions(gathered: &Gathered) -> BTreeSet<(ClientId, TopicPartition)> {
    gathered.batches.iter().map(|batch| (batch.client, batch.partition)).collect()
}

fn connections(gathered: &Gathered) -> BTreeSet<(ClientId, BrokerId)> {
    gathered.requests.iter().map(|bar| (bar.client, bar.broker)).collect()
}

/// All names on the left, lane by lane.
struct Names<'t, 'a, 'm> {
    task: &'t Task<'a, 'm>,
    several: bool,
}

impl Names<'_, '_, '_> {
    fn of(&self, client: ClientId) -> String {
        match self.several {
            true => format!("{} ", self.task.model.namer.names().client(client)),
            false => String::new(),
        }
    }

    fn calls(&self, client: ClientId) -> String {
        format!("{}{}", self.of(client), self.task.lang().say(Word::Calls))
    }

    fn batches(&self, client: ClientId, partition: TopicPartition) -> String {
        let name = self.task.model.namer.names().partition(partition);
        let word = self.task.lang().say(Word::OpenBatches);
        format!("{}{name} {word}", self.of(client))
    }

    fn slots(&self, client: ClientId, broker: BrokerId) -> String {
        let word = self.task.lang().say(Word::Slots);
        format!("{}→ b{broker} {word}", self.of(client))
    }

    fn reader(&self, client: ClientId, partition: TopicPartition) -> String {
        let names = self.task.model.namer.names();
        let word = self.task.lang().say(Word::Position);
        format!("{} {} {word}", names.client(client), names.partition(partition))
    }

    fn at_broker(&self, broker: BrokerId) -> String {
        format!("b{broker}: {}", self.task.lang().say(Word::AtBroker))
    }
}

/// How wide the names on the left are.
pub(super) fn names(task: &Task<'_, '_>, gathered: &Gathered, scene: &Scene) -> i32 {
    let names = Names { task, several: clients(gathered).len() > 1 };
    let mut all: Vec<String> =
        clients(gathered).into_iter().map(|client| names.calls(client)).collect();
    all.extend(partitions(gathered).into_iter().map(|(c, p)| names.batches(c, p)));
    for (client, broker) in connections(gathered) {
        all.extend([names.slots(client, broker), names.at_broker(broker)]);
    }
    all.push(task.lang().say(Word::Waiting).to_owned());
    all.extend(readers::shown(&gathered.readers).0.map(|(c, p, _)| names.reader(c, p)));
    let widths = all.iter().map(|name| scene.width_of(name, Type::strong(Ink::Plain)));
    widths.max().unwrap_or(0) + task.measure.across(30, 4)
}

/// Draws all lanes. Gives the y below.
pub(super) fn draw(
    scene: &mut Scene,
    task: &Task<'_, '_>,
    gathered: &Gathered,
    axis: &Axis,
) -> i32 {
    let names = Names { task, several: clients(gathered).len() > 1 };
    let mut painter = Painter { task, axis, y: 0 };
    for client in clients(gathered) {
        painter.calls(scene, &names.calls(client), gathered, client);
    }
    for (client, partition) in partitions(gathered) {
        painter.batches(scene, &names.batches(client, partition), gathered, client, partition);
    }
    for (client, broker) in connections(gathered) {
        painter.slots(scene, &names.slots(client, broker), gathered, client, broker);
    }
    let brokers: BTreeSet<BrokerId> =
        connections(gathered).into_iter().map(|(_, broker)| broker).collect();
    for broker in brokers {
        let counts = at_broker(gathered, broker);
        painter.steps(scene, &names.at_broker(broker), &counts, Ink::Follower);
    }
    let word = task.lang().say(Word::Waiting);
    painter.steps(scene, word, &gathered.waiting, Ink::Producer);
    for (client, partition, reader) in readers::shown(&gathered.readers).0 {
        painter.positions(scene, &names.reader(client, partition), reader);
    }
    painter.closings(scene, gathered);
    painter.y
}

/// How many requests a broker has at a time.
fn at_broker(gathered: &Gathered, broker: BrokerId) -> Vec<(Instant, u64)> {
    let bars = gathered.requests.iter().filter(|bar| bar.broker == broker);
    let mut changes: Vec<(Instant, i64)> =
        bars.filter_map(|bar| bar.there).flat_map(|(from, to)| [(from, 1), (to, -1)]).collect();
    changes.sort_unstable_by_key(|(at, change)| (*at, -change));
    let mut count = 0_i64;
    let counts = changes.into_iter().map(|(at, change)| {
        count += change;
        (at, u64::try_from(count).unwrap_or(0))
    });
    counts.collect()
}

pub(super) struct Painter<'p, 'a, 'm> {
    pub(super) task: &'p Task<'a, 'm>,
    pub(super) axis: &'p Axis,
    pub(super) y: i32,
}

impl Painter<'_, '_, '_> {
    pub(super) fn row(&self) -> i32 {
        self.task.measure.down(24, 1)
    }

    /// The name of a lane, and the line under it.
    pub(super) fn name(&self, scene: &mut Scene, name: &str, y: i32) {
        let x = self.axis.left - self.task.measure.across(22, 3);
        let top = y + self.task.measure.down(4, 0);
        scene.text(x, top, Anchor::End, Type::strong(Ink::Plain), name);
    }

    pub(super) fn end_lane(&mut self, scene: &mut Scene, rows: i32) {
        self.y += rows.max(1) * self.row() + self.task.measure.down(8, 0);
        if !self.task.measure.is_cells() {
            let line = Stroke::thin(Ink::Grid).dash(Dash::Dotted);
            let y = self.y - 4;
            scene.line(Layer::Guides, &[(0, y), (self.axis.right, y)], line);
        }
    }

    fn calls(&mut self, scene: &mut Scene, name: &str, gathered: &Gathered, client: ClientId) {
        let measure = self.task.measure;
        self.name(scene, name, self.y);
        for blocked in gathered.blocked.iter().filter(|blocked| blocked.client == client) {
            let (x0, x1) = (self.axis.x(blocked.from), self.axis.x(blocked.to));
            let height = self.row() - measure.down(6, 0);
            let rect = Rect::new(x0, self.y + measure.down(3, 0), (x1 - x0).max(3), height);
            scene.about(Some(blocked.fact));
            scene.rect(Layer::Marks, rect, Fill::Hatch(Ink::Bad), Some(Stroke::thin(Ink::Bad)));
        }
        let mut free = i32::MIN;
        for call in gathered.calls.iter().filter(|call| call.client == client) {
            let x = self.axis.x(call.at);
            scene.about(Some(call.fact));
            let bottom = self.y + self.row() - measure.down(2, 0);
            if !measure.is_cells() {
                let tick = [(x, bottom - 7), (x, bottom)];
                scene.line(Layer::Marks, &tick, Stroke::thick(Ink::Plain));
            }
            let look = Type::small(Ink::Plain);
            let wide = scene.width_of(&call.text, look);
            if x - wide / 2 >= free {
                let y = self.y - measure.down(1, 0);
                let place = scene.label(x, y, Anchor::Middle, look, &call.text);
                free = place.right() + measure.across(4, 1);
            }
        }
        scene.about(None);
        self.end_lane(scene, 1);
    }

    fn batches(
        &mut self,
        scene: &mut Scene,
        name: &str,
        gathered: &Gathered,
        client: ClientId,
        partition: TopicPartition,
    ) {
        let measure = self.task.measure;
        self.name(scene, name, self.y);
        let mut rows: Vec<i32> = Vec::new();
        let size = self.batch_size(client);
        let glyph = measure.across(14, 2);
        let mine =
            gathered.batches.iter().filter(|b| (b.client, b.partition) == (client, partition));
        for batch in mine {
            let (x0, x1) = (self.axis.x(batch.from), self.axis.x(batch.to));
            let wide = (x1 - x0).max(measure.across(4, 1));
            let row = place(&mut rows, x0, x0 + wide + glyph);
            let y = self.y + row * self.row() + measure.down(2, 0);
            let rect = Rect::new(x0, y, wide, self.row() - measure.down(5, 0));
            scene.about(Some(batch.fact));
            scene.rect(
                Layer::Marks,
                rect,
                Fill::Tint(Ink::Producer),
                Some(Stroke::thin(Ink::Producer)),
            );
            if !measure.is_cells() {
                // How full it is, as a bar at its foot.
                let full =
                    i32::try_from(batch.bytes.min(size) * wide as u64 / size.max(1)).unwrap_or(0);
                let foot = Rect::new(x0, rect.bottom() - 3, full.max(1), 3);
                scene.rect(Layer::Marks, foot, Fill::Solid(Ink::Producer), None);
            }
            self.inside(scene, rect, &batch.text, Ink::Plain);
            let x = x0 + wide + measure.across(3, 0);
            let top = y + measure.down(2, 0);
            if let Some(reason) = batch.closed {
                let letter = closing(reason, self.task.lang()).0;
                scene.label(x, top, Anchor::Start, Type::strong(Ink::Muted), letter);
            }
            if batch.abandoned {
                let x = x0 + wide + measure.across(8, 1);
                scene.icon(GONE, Point { x, y: y + measure.down(9, 0) }, 11, Ink::Bad);
            }
        }
        let waits = gathered.backoffs.iter();
        for backoff in waits.filter(|b| (b.client, b.partition) == (client, partition)) {
            let (x0, x1) = (self.axis.x(backoff.from), self.axis.x(backoff.to));
            let row = place(&mut rows, x0, x1 + glyph);
            let y = self.y + row * self.row() + measure.down(11, 0);
            scene.about(Some(backoff.fact));
            let line = Stroke::thick(Ink::Warning).dash(Dash::Dotted);
            scene.line(Layer::Marks, &[(x0, y), (x1, y)], line);
            let rect =
                Rect::new(x0, y - measure.down(9, 0), x1 - x0, self.row() - measure.down(5, 0));
            self.inside(scene, rect, &backoff.text, Ink::Warning);
        }
        scene.about(None);
        self.end_lane(scene, i32::try_from(rows.len()).unwrap_or(1));
    }

    fn batch_size(&self, client: ClientId) -> u64 {
        let client = self.task.model.story.description.client(client);
        let setting = client.and_then(|client| {
            client.config.iter().find(|(key, _)| key == "batch.size").map(|(_, text)| text)
        });
        setting.and_then(|text| text.parse().ok()).unwrap_or(16_384)
    }

    /// A text in a bar, if there is room for it. Gives whether there was.
    fn inside(&self, scene: &mut Scene, rect: Rect, text: &str, ink: Ink) -> bool {
        let look = Type::small(ink);
        if scene.width_of(text, look) + self.task.measure.across(4, 1) > rect.w {
            return false;
        }
        let y = rect.y + (rect.h - scene.height_of(look)) / 2;
        let x = rect.x + rect.w / 2;
        if ink == Ink::Warning {
            scene.label(x, y, Anchor::Middle, look, text);
        } else {
            scene.text(x, y, Anchor::Middle, look, text);
        }
        true
    }

    /// A text that has no room in its bar, behind it or before it, if nothing else is there.
    fn outside(&self, scene: &mut Scene, bar: Taken, text: &str, taken: &[Taken]) -> Option<Taken> {
        let look = Type::small(Ink::Plain);
        let measure = self.task.measure;
        let (wide, gap) = (scene.width_of(text, look), measure.across(4, 1));
        let ends = [bar.right + gap, bar.left - gap - wide];
        let free = |x: &i32| {
            let fits = *x >= self.axis.left && x + wide <= self.axis.right;
            let other = |one: &Taken| one.row == bar.row && one.left < x + wide && *x < one.right;
            fits && !taken.iter().any(other)
        };
        let x = ends.into_iter().find(free)?;
        let y = self.y + bar.row * self.row() + measure.down(4, 0);
        scene.label(x, y, Anchor::Start, look, text);
        Some(Taken { row: bar.row, left: x, right: x + wide + gap })
    }

    fn slots(
        &mut self,
        scene: &mut Scene,
        name: &str,
        gathered: &Gathered,
        client: ClientId,
        broker: BrokerId,
    ) {
        let measure = self.task.measure;
        self.name(scene, name, self.y);
        let mut rows: Vec<i32> = Vec::new();
        let (mut taken, mut unnamed) = (Vec::new(), Vec::new());
        let mine = |bar: &&Bar| (bar.client, bar.broker) == (client, broker);
        for bar in gathered.requests.iter().filter(mine) {
            let (x0, x1) = (self.axis.x(bar.from), self.axis.x(bar.to));
            let wide = (x1 - x0).max(measure.across(4, 1));
            let sign = if bar.failed { measure.across(15, 2) } else { 0 };
            let row = place(&mut rows, x0, x0 + wide + sign);
            let y = self.y + row * self.row() + measure.down(2, 0);
            let rect = Rect::new(x0, y, wide, self.row() - measure.down(5, 0));
            scene.about(Some(bar.fact));
            let (fill, ink) = match bar.failed {
                true => (Fill::Solid(Ink::Ground), Ink::Bad),
                false => (Fill::Solid(Ink::Producer), Ink::Producer),
            };
            scene.rect(Layer::Marks, rect, fill, Some(Stroke::thin(ink)));
            let ink = if bar.failed { Ink::Plain } else { Ink::Ground };
            let place = Taken { row, left: x0, right: x0 + wide + sign };
            taken.push(place);
            if !self.inside(scene, rect, &bar.text, ink) {
                unnamed.push((bar, place));
            }
            if bar.failed {
                let x = x0 + wide + measure.across(8, 1);
                scene.icon(Icon::Cross, Point { x, y: y + measure.down(9, 0) }, 11, Ink::Bad);
            }
        }
        for (bar, place) in unnamed {
            scene.about(Some(bar.fact));
            taken.extend(self.outside(scene, place, &bar.text, &taken));
        }
        scene.about(None);
        for slot in 0..rows.len() {
            let row = i32::try_from(slot).unwrap_or(0);
            let y = self.y + row * self.row() + measure.down(4, 0);
            let text = (slot + 1).to_string();
            let x = self.axis.left - measure.across(6, 1);
            scene.text(x, y, Anchor::End, Type::small(Ink::Muted), &text);
        }
        self.end_lane(scene, i32::try_from(rows.len()).unwrap_or(1));
    }

    /// A number over time, as steps.
    fn steps(&mut self, scene: &mut Scene, name: &str, values: &[(Instant, u64)], ink: Ink) {
        let measure = self.task.measure;
        let most = values.iter().map(|(_, value)| *value).max().unwrap_or(0);
        if most == 0 {
            return;
        }
        self.name(scene, name, self.y);
        if measure.is_cells() {
            let text = format!("0..{most}");
            scene.text(self.axis.left, self.y, Anchor::Start, Type::small(Ink::Muted), &text);
            self.end_lane(scene, 1);
            return;
        }
        let height = self.row() + 8;
        let bottom = self.y + height;
        let level = |value: u64| {
            let share = u128::from(value) * u128::try_from(height - 4).unwrap_or(0);
            bottom - i32::try_from(share / u128::from(most)).unwrap_or(0)
        };
        let mut points = vec![Point { x: self.axis.left, y: bottom }];
        let mut last = bottom;
        for (at, value) in values {
            let x = self.axis.x(*at);
            points.push(Point { x, y: last });
            last = level(*value);
            points.push(Point { x, y: last });
        }
        points.push(Point { x: self.axis.right, y: last });
        let line: Vec<(i32, i32)> = points.iter().map(|point| (point.x, point.y)).collect();
        points.push(Point { x: self.axis.right, y: bottom });
        scene.area(points, Fill::Tint(ink));
        scene.line(Layer::Marks, &line, Stroke::thin(ink));
        let text = format!("max {most}");
        let right = self.axis.left - 22;
        let place = scene.text(right, self.y + 20, Anchor::End, Type::small(Ink::Muted), &text);
        scene.hold(place, 0);
        self.y += 10;
        self.end_lane(scene, 1);
    }

    /// What the characters behind batches stand for.
    fn closings(&mut self, scene: &mut Scene, gathered: &Gathered) {
        let lang = self.task.lang();
        let mut seen: Vec<DrainReason> = Vec::new();
        for reason in gathered.batches.iter().filter_map(|batch| batch.closed) {
            if !seen.iter().any(|known| closing(*known, lang).0 == closing(reason, lang).0) {
                seen.push(reason);
            }
        }
        if seen.is_empty() {
            return;
        }
        let parts = seen.iter().map(|reason| {
            let (letter, word) = closing(*reason, lang);
            format!("{letter} {word}")
        });
        let text =
            format!("{}: {}", lang.say(Word::ClosedBy), parts.collect::<Vec<_>>().join(", "));
        let y = self.y + self.task.measure.down(2, 0);
        let place = scene.label(self.axis.left, y, Anchor::Start, Type::small(Ink::Muted), &text);
        scene.hold(place, self.task.measure.across(6, 1));
        self.y = place.bottom() + self.task.measure.down(6, 1);
    }
}

/// What a bar or its text takes of a row.
#[derive(Clone, Copy)]
struct Taken {
    row: i32,
    left: i32,
    right: i32,
}

/// The first row that is free from an x on; it is taken up to another.
fn place(rows: &mut Vec<i32>, from: i32, to: i32) -> i32 {
    let free = rows.iter().position(|until| *until <= from);
    let row = free.unwrap_or(rows.len());
    if row == rows.len() {
        rows.push(to);
    } else {
        rows[row] = to;
    }
    i32::try_from(row).unwrap_or(0)
}
