//! A partition's follower: standing back, appending what the leader has, cutting what it has not.

use crate::log::producer_state::Expiration;
use crate::log::transactions::CompletedTxn;
use crate::log::{Marks, Truncation};
use crate::partition::Partition;
use crate::partition::lead::RoleChange;
use inflight_des::Instant;
use inflight_protocol::control::PartitionRegistration;
use inflight_protocol::message::EpochEndOffset;
use inflight_protocol::{InternalRecord, Offset, RecordBatch, TopicConfig};

/// What a follower did with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replicated {
    /// It is in the log, and has ended this transaction.
    Written(Option<CompletedTxn>),
    /// It is not, though the log goes on behind it: a defect.
    Skipped,
}

impl Partition {
    /// This replica follows a leader, or there is none. Nothing is cut yet: the leader's answer to
    /// the first fetch will tell. Kafka: Partition.makeFollower.
    pub(crate) fn make_follower(&mut self, registration: &PartitionRegistration) -> RoleChange {
        if self.partition_epoch.is_some_and(|known| registration.partition_epoch < known) {
            return RoleChange::Stale;
        }
        let epoch = registration.leader_epoch;
        let is_new_epoch = self.leader_epoch.is_none_or(|known| epoch > known);
        self.leader = registration.leader;
        self.leader_epoch = Some(epoch);
        self.partition_epoch = Some(registration.partition_epoch);
        self.leadership = None;
        if is_new_epoch { RoleChange::NewEpoch } else { RoleChange::SameEpoch }
    }

    /// Appends a batch that the leader sent. Kafka: Partition.appendRecordsToFollowerOrFutureReplica.
    #[inline]
    pub(crate) fn replicate(
        &mut self,
        batch: RecordBatch,
        values: &[InternalRecord],
        topic: &TopicConfig,
        skip: EveryOther,
    ) -> Replicated {
        if skip == EveryOther::Skipped {
            self.skips_next = !self.skips_next;
            if !self.skips_next {
                self.log.skip(&batch);
                return Replicated::Skipped;
            }
        }
        Replicated::Written(self.log.append_as_follower(batch, values, topic))
    }

    /// Takes over the leader's high watermark as far as the log goes: it may fall.
    /// Kafka: ReplicaFetcherThread.processPartitionData.
    #[inline]
    pub(crate) fn follow_high_watermark(&mut self, to: Offset, now: Instant) -> Option<Marks> {
        self.log.set_high_watermark(to, now)
    }

    /// Cuts the log where it parts from the leader's, which knows `diverging` as the end of the
    /// largest epoch that is not above the follower's last one. If the follower does not know
    /// that epoch, it cuts the end of its own largest one below, and will ask again.
    /// Kafka: AbstractFetcherThread.getOffsetTruncationState.
    pub(crate) fn truncate_to_divergence(
        &mut self,
        diverging: EpochEndOffset,
        now: Instant,
        expiration: Expiration,
    ) -> Option<Truncation> {
        let own = self.log.end_offset_for(diverging.epoch);
        let to = match own {
            Some(own) if own.epoch != diverging.epoch => own.end_offset,
            Some(own) => own.end_offset.min(diverging.end_offset),
            None => diverging.end_offset,
        };
        self.log.truncate(to, now, expiration)
    }
}

/// Whether the follower skips every other batch, as a defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EveryOther {
    /// It does not.
    Written,
    /// It does.
    Skipped,
}

#[cfg(test)]
mod tests;
