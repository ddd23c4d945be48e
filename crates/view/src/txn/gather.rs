//! What is on the lanes: calls, states, what coordinators say, logs, readers.

use super::walk::Walk;
use crate::kind::Task;
use crate::scene::Dash;
use crate::theme::Ink;
use crate::{Fill, Icon, Stroke};
use inflight_des::Instant;
use inflight_protocol::TransactionResult;
use inflight_protocol::ids::{ClientId, GroupId, ProducerId, TopicPartition, TransactionalId};
use std::collections::BTreeSet;

/// How many partitions have a lane.
const PARTITIONS_MAX: usize = 4;

/// A lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lane {
    /// Faults.
    Faults,
    /// What an application calls and is told.
    App(ClientId),
    /// The state of its producer.
    Producer(ClientId),
    /// The state of a transactional id at its coordinator.
    Coordinator(TransactionalId),
    /// The producer epoch of a transactional id.
    Epoch(TransactionalId),
    /// What a coordinator does beside that.
    Says(TransactionalId),
    /// The offsets of a group that transactions bring.
    Offsets(GroupId),
    /// What the leader of a partition appends.
    Log(TopicPartition),
    /// The leader's high watermark and last stable offset.
    Stable(TopicPartition),
    /// What a consumer is given.
    Reader(ClientId),
}

impl Lane {
    /// From top to bottom: lanes of the same client, id or partition together.
    pub(super) const fn rank(self) -> (u8, u16, u8) {
        match self {
            Self::Faults => (0, 0, 0),
            Self::App(client) => (1, client.get(), 0),
            Self::Producer(client) => (1, client.get(), 1),
            Self::Coordinator(id) => (2, id.get(), 0),
            Self::Epoch(id) => (2, id.get(), 1),
            Self::Says(id) => (2, id.get(), 2),
            Self::Offsets(group) => (3, group.get(), 0),
            Self::Log(partition) => (4, partition.get(), 0),
            Self::Stable(partition) => (4, partition.get(), 1),
            Self::Reader(client) => (5, client.get(), 0),
        }
    }
}

/// How an event looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Words, maybe with a sign.
    Label(Ink, Option<Icon>),
    /// A state that holds until the next one of its lane; a pending one is written down and not
    /// replicated yet.
    State(Ink, Hold),
    /// A box.
    Cell(Fill, Stroke, Option<Icon>),
    /// A control record.
    Marker(TransactionResult),
    /// A high watermark and a last stable offset.
    Levels { high: u64, stable: u64 },
}

/// How a state is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// In force.
    Firm,
    /// Written down.
    Pending,
    /// Nobody holds it.
    Gone,
}

/// Something on a lane.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) fact: usize,
    pub(super) at: Instant,
    pub(super) lane: Lane,
    pub(super) text: String,
    /// A second line.
    pub(super) below: String,
    pub(super) look: Look,
}

/// How long a transaction is open in a partition: events by position; the end may never come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) partition: TopicPartition,
    pub(super) producer_id: ProducerId,
    pub(super) from: usize,
    pub(super) to: Option<(usize, TransactionResult)>,
}

/// Everything that can be drawn.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) events: Vec<Event>,
    /// Facts from and to, not positions of events.
    pub(super) open: Vec<Span>,
    /// The partitions that have lanes, and how many have none.
    pub(super) partitions: Vec<TopicPartition>,
    pub(super) partitions_left: usize,
    /// What a reader lacks in the end: the high watermark less the offset committed last.
    pub(super) lags: Vec<(ClientId, u64)>,
}

impl Gathered {
    pub(super) fn of(task: &Task<'_, '_>) -> Self {
        Walk::new(task).run()
    }
}

/// The partitions with lanes: those that have markers or records in transactions.
pub(super) fn partitions(task: &Task<'_, '_>) -> (Vec<TopicPartition>, usize) {
    use inflight_protocol::Fact;
    let model = task.model;
    let transactional = crate::model::logs::transactional(model.facts());
    let mut seen: BTreeSet<TopicPartition> = BTreeSet::new();
    for (_, fact) in model.facts() {
        match *fact {
            Fact::BatchAppended { partition, producer_id: Some(id), .. }
                if transactional.contains(&id) =>
            {
                seen.insert(partition);
            }
            Fact::MarkerAppended { partition, .. }
            | Fact::TransactionPartitionAdded { partition, .. } => {
                seen.insert(partition);
            }
            _ => {}
        }
    }
    seen.retain(|partition| !model.is_internal(*partition));
    // The one that the story is about comes in any case.
    let main = model.partition();
    let mut list: Vec<TopicPartition> = seen.iter().copied().collect();
    let left = list.len().saturating_sub(PARTITIONS_MAX);
    list.sort_by_key(|partition| (*partition != main, *partition));
    list.truncate(PARTITIONS_MAX);
    list.sort_unstable();
    (list, left)
}

pub(super) const fn kept(ink: Ink) -> Look {
    Look::Cell(Fill::Tint(ink), Stroke::thin(ink), None)
}

pub(super) const fn dropped(icon: Icon) -> Look {
    Look::Cell(Fill::Solid(Ink::Ground), Stroke::thin(Ink::Bad).dash(Dash::Dashed), Some(icon))
}
