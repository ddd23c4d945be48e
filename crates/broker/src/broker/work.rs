//! Work in steps: at most one durable change a turn, so that a fault can fall between any two.

use crate::broker::Broker;
use inflight_protocol::{BrokerId, Cluster, ErrorCode, Offset, TopicPartition, Turn};

/// Work that is queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// Execute the request of the connection in this slot, or go on with it.
    Execute(u32),
    /// Read the next request of the connection in this slot.
    Read(u32),
    /// Go on with the response of this leader.
    Replicate(BrokerId),
    /// Go on with the commit of the metadata log.
    ApplyMetadata,
    /// Flush a log.
    Flush(TopicPartition, Offset),
    /// Go on with the clean shutdown.
    Close,
    /// Write what a coordinator of this broker has ordered first.
    CoordinatorAppend,
    /// What a coordinator has written, by its number, is committed, or failed with this error.
    Appended(u32, Option<ErrorCode>),
    /// Send markers.
    SendMarkers,
    /// Read a partition of `__transaction_state`.
    LoadTransactions(TopicPartition),
    /// Write what a group coordinator has ordered first.
    GroupWrite,
    /// What a group coordinator has written to a partition may be committed.
    GroupsCommitted(TopicPartition),
    /// Something is due in the groups of a partition.
    GroupTimers(TopicPartition),
    /// Read a partition of `__consumer_offsets`.
    LoadGroups(TopicPartition),
}

/// What a step has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Nothing that a crash would spare.
    Volatile,
    /// Something on disk or in the page cache.
    Durable,
}

impl Broker {
    /// After an `Effect::Again`: one step of the queued work.
    pub fn step(&mut self, cluster: &Cluster, turn: &mut Turn<'_>) {
        self.step_is_due = false;
        self.work(cluster, turn);
    }

    /// Works until something durable has changed or nothing is left.
    #[inline]
    pub(super) fn work(&mut self, cluster: &Cluster, turn: &mut Turn<'_>) {
        if self.step_is_due {
            return;
        }
        while let Some(task) = self.tasks.front().copied() {
            // What lasts comes first in its turn: a fault that falls after an effect before it must
            // not find it done.
            if turn.effects() > 0 && self.may_last(task) {
                break;
            }
            self.tasks.pop_front();
            if self.perform(cluster, turn, task) == Progress::Durable {
                break;
            }
        }
        if !self.tasks.is_empty() {
            self.step_is_due = true;
            turn.again();
        }
    }

    /// Whether a task may change something that a crash spares.
    fn may_last(&self, task: Task) -> bool {
        match task {
            Task::Execute(slot) => self.sockets[slot].appends(),
            Task::Read(_)
            | Task::Appended(..)
            | Task::SendMarkers
            | Task::LoadTransactions(_)
            | Task::GroupsCommitted(_)
            | Task::GroupTimers(_)
            | Task::LoadGroups(_) => false,
            Task::Replicate(_)
            | Task::ApplyMetadata
            | Task::Flush(..)
            | Task::Close
            | Task::CoordinatorAppend
            | Task::GroupWrite => true,
        }
    }

    #[inline]
    fn perform(&mut self, cluster: &Cluster, turn: &mut Turn<'_>, task: Task) -> Progress {
        match task {
            Task::Execute(slot) => self.execute(cluster, turn, slot),
            Task::Read(slot) => {
                self.read_next(cluster, turn, slot);
                Progress::Volatile
            }
            Task::Replicate(source) => self.replicate(cluster, turn, source),
            Task::ApplyMetadata => self.apply_metadata(cluster, turn),
            Task::Flush(partition, to) => self.flush_to(turn, partition, to),
            Task::Close => self.close_step(turn),
            Task::CoordinatorAppend => self.append_ordered(cluster, turn),
            Task::Appended(number, verdict) => {
                self.append_decided(cluster, turn, number, verdict);
                Progress::Volatile
            }
            Task::SendMarkers => {
                self.send_markers(cluster, turn);
                Progress::Volatile
            }
            Task::LoadTransactions(partition) => {
                self.load_transactions(cluster, turn, partition);
                Progress::Volatile
            }
            Task::GroupWrite => self.write_group_order(cluster, turn),
            Task::GroupsCommitted(partition) => {
                self.groups_committed(cluster, turn, partition);
                Progress::Volatile
            }
            Task::GroupTimers(partition) => {
                self.expire_groups(cluster, turn, partition);
                Progress::Volatile
            }
            Task::LoadGroups(partition) => {
                self.load_groups(cluster, turn, partition);
                Progress::Volatile
            }
        }
    }
}
