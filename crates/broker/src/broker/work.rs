//! Work in steps: at most one durable change a turn, so that a fault can fall between any two.

use crate::broker::Broker;
use inflight_protocol::{BrokerId, Cluster, Offset, TopicPartition, Turn};

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
        while let Some(task) = self.tasks.pop_front() {
            if self.perform(cluster, turn, task) == Progress::Durable {
                break;
            }
        }
        if !self.tasks.is_empty() {
            self.step_is_due = true;
            turn.again();
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
        }
    }
}
