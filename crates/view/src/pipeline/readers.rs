//! Where consumers are: the next offset that each reads, and the one that its group has committed.
//!
//! A position is that behind the last record that a consumer was given or passed over. Past a control
//! record it moves unseen.

use super::axis::Axis;
use super::lanes::Painter;
use crate::kind::Task;
use crate::scene::{Anchor, Dash, Layer, Scene, Stroke, Type};
use crate::theme::Ink;
use crate::words::Word;
use inflight_des::Instant;
use inflight_protocol::Fact;
use inflight_protocol::ids::{ClientId, ConsumerId, GroupId, TopicPartition};
use std::collections::BTreeMap;

/// How many of them a picture has.
const READERS_MAX: usize = 6;
/// Up to how many changes each has its place on the axis.
const CHANGES_MAX: usize = 60;
/// How tall steps are.
const HEIGHT: i32 = 40;

/// The next offset to read.
pub(super) const POSITION: Stroke = Stroke::thick(Ink::Follower);
/// The committed offset.
pub(super) const COMMITTED: Stroke = Stroke { ink: Ink::Good, quarters: 6, dash: Dash::Dashed };

/// An offset from an instant on; none if nobody holds it any more.
#[derive(Clone, Copy)]
struct Step {
    fact: usize,
    at: Instant,
    offset: Option<u64>,
}

/// A client's way through a partition.
#[derive(Default)]
pub(super) struct Reader {
    position: Vec<Step>,
    committed: Vec<Step>,
}

/// All of them, by client and partition.
pub(super) type Readers = BTreeMap<(ClientId, TopicPartition), Reader>;

/// Every consumer's way, as far as there is room for it.
pub(super) fn of(task: &Task<'_, '_>) -> Readers {
    let model = task.model;
    let mut readers = Readers::new();
    let mut committed: BTreeMap<(GroupId, TopicPartition), Vec<Step>> = BTreeMap::new();
    for (fact, (at, what)) in model.facts().iter().enumerate() {
        let client = |consumer: ConsumerId| model.namer.client_of_consumer(consumer);
        let mut go = |consumer, partition, offset| {
            let Some(client) = client(consumer) else { return };
            let reader = readers.entry((client, partition)).or_default();
            push(&mut reader.position, Step { fact, at: *at, offset });
        };
        match *what {
            Fact::PositionSet { consumer, partition, offset, .. } => {
                go(consumer, partition, Some(offset.get()));
            }
            Fact::RecordsReturned { consumer, partition, base_offset, count, .. }
            | Fact::AbortedRecordsSkipped { consumer, partition, base_offset, count, .. } => {
                go(consumer, partition, Some(base_offset.get() + u64::from(count)));
            }
            Fact::PartitionRevoked { consumer, partition, .. } => go(consumer, partition, None),
            Fact::ConsumerStopped { client, .. } => {
                for (_, reader) in readers.iter_mut().filter(|((who, _), _)| *who == client) {
                    push(&mut reader.position, Step { fact, at: *at, offset: None });
                }
            }
            Fact::GroupOffsetCommitted { group, partition, offset, .. } => {
                let offset = Some(offset.get());
                push(
                    committed.entry((group, partition)).or_default(),
                    Step { fact, at: *at, offset },
                );
            }
            _ => {}
        }
    }
    for ((client, partition), reader) in &mut readers {
        let described = model.story.description.client(*client);
        let name = described.and_then(|client| client.consumer.as_ref()?.group.as_ref());
        let group = name.and_then(|name| model.namer.names().find_group(name));
        let found = group.and_then(|group| committed.get(&(group, *partition)));
        reader.committed = found.cloned().unwrap_or_default();
    }
    readers
}

fn push(steps: &mut Vec<Step>, step: Step) {
    if steps.last().map(|last| last.offset) != Some(step.offset) {
        steps.push(step);
    }
}

/// Those that have a lane, and how many have none.
pub(super) fn shown(
    readers: &Readers,
) -> (impl Iterator<Item = (ClientId, TopicPartition, &Reader)>, usize) {
    let all = readers.iter().map(|((client, partition), reader)| (*client, *partition, reader));
    (all.take(READERS_MAX), readers.len().saturating_sub(READERS_MAX))
}

impl Reader {
    fn steps(&self) -> impl Iterator<Item = &Step> {
        self.position.iter().chain(&self.committed)
    }

    /// When anything changed last.
    pub(super) fn last(&self) -> Option<Instant> {
        self.steps().map(|step| step.at).max()
    }

    pub(super) const fn is_committed(&self) -> bool {
        !self.committed.is_empty()
    }
}

/// The instants of all changes, unless they are too many for an axis.
pub(super) fn instants(readers: &Readers) -> Vec<Instant> {
    let instants: Vec<Instant> =
        shown(readers).0.flat_map(|(.., reader)| reader.steps()).map(|step| step.at).collect();
    if instants.len() <= CHANGES_MAX { instants } else { Vec::new() }
}

impl Painter<'_, '_, '_> {
    /// The lane of a consumer on a partition.
    pub(super) fn positions(&mut self, scene: &mut Scene, name: &str, reader: &Reader) {
        let measure = self.task.measure;
        self.name(scene, name, self.y + measure.down(8, 0));
        let offsets = || reader.steps().filter_map(|step| step.offset);
        let (low, high) = (offsets().min().unwrap_or(0), offsets().max().unwrap_or(0));
        if measure.is_cells() {
            self.in_words(scene, reader, low, high);
            self.end_lane(scene, 1);
            return;
        }
        let foot = self.y + HEIGHT - 4;
        let level = |offset: u64| {
            let share = u128::from(offset - low) * u128::try_from(HEIGHT - 22).unwrap_or(0);
            foot - i32::try_from(share / u128::from((high - low).max(1))).unwrap_or(0)
        };
        // Where both are the same, both can be seen.
        let below = |offset| level(offset) + 3;
        stairs(scene, self.axis, &reader.committed, COMMITTED, below);
        stairs(scene, self.axis, &reader.position, POSITION, level);
        let look = Type::small(Ink::Follower);
        let mut free = self.axis.left;
        for (index, step) in reader.position.iter().enumerate() {
            let (x, Some(offset)) = (self.axis.x(step.at), step.offset) else { continue };
            let text = offset.to_string();
            let next = reader.position.get(index + 1);
            let until = next.map_or(self.axis.right, |next| self.axis.x(next.at));
            // Of steps in quick succession the last one has its number.
            if x + 2 >= free && x + 2 + scene.width_of(&text, look) <= until {
                scene.about(Some(step.fact));
                let top = level(offset) - 16;
                free = scene.label(x + 2, top, Anchor::Start, look, &text).right() + 4;
            }
        }
        scene.about(None);
        self.y += HEIGHT - self.row();
        self.end_lane(scene, 1);
    }

    fn in_words(&self, scene: &mut Scene, reader: &Reader, low: u64, high: u64) {
        let lang = self.task.lang();
        let mut text = format!("{low}..{high}");
        if let Some(Step { offset: Some(offset), .. }) = reader.committed.last() {
            text.push_str(&format!(", {}", lang.value(Word::CommittedOffset, offset)));
        }
        scene.text(self.axis.left, self.y, Anchor::Start, Type::small(Ink::Muted), &text);
    }
}

/// A line for each step, up or down from the one before.
fn stairs(
    scene: &mut Scene,
    axis: &Axis,
    steps: &[Step],
    stroke: Stroke,
    level: impl Fn(u64) -> i32,
) {
    let mut before: Option<i32> = None;
    for (index, step) in steps.iter().enumerate() {
        let from = before;
        before = step.offset.map(&level);
        let until = steps.get(index + 1).map_or(axis.right, |next| axis.x(next.at));
        let (x, Some(y)) = (axis.x(step.at), before) else { continue };
        if x == until && until < axis.right {
            continue;
        }
        scene.about(Some(step.fact));
        scene.line(Layer::Marks, &[(x, from.unwrap_or(y)), (x, y), (until, y)], stroke);
    }
    scene.about(None);
}
