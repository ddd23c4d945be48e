//! Appends: a leader's, which are checked, and a follower's, which are not.
//!
//! Kafka: storage/internals/log/UnifiedLog.appendAsLeader, appendAsFollower, append.

use crate::log::producer_entry::{BatchMetadata, SequenceCheck};
use crate::log::producer_state::Expiration;
use crate::log::{PartitionLog, expiration};
use inflight_protocol::{
    BrokerConfig, Defect, Defects, ErrorCode, LeaderEpoch, RecordBatch, SessionId, TopicConfig,
};

/// The settings that an append depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AppendSettings<'a> {
    /// Of the topic.
    pub(crate) topic: &'a TopicConfig,
    /// When producer ids are forgotten.
    pub(crate) expiration: Expiration,
    /// Rules that are broken on purpose.
    pub(crate) defects: Defects,
}

impl<'a> AppendSettings<'a> {
    /// Of a topic on a broker.
    pub(crate) fn new(topic: &'a TopicConfig, broker: &BrokerConfig, defects: Defects) -> Self {
        Self { topic, expiration: expiration(broker), defects }
    }
}

/// What became of a batch that a leader was asked to append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Appended {
    /// It is in the log, as this.
    Written(RecordBatch),
    /// It was in the log already.
    Duplicate(BatchMetadata),
    /// It is not in the log, and the answer will be that it is: a defect.
    Pretended(RecordBatch),
    /// It is not in the log.
    Refused(ErrorCode),
}

impl PartitionLog {
    /// Appends a batch as the leader of `epoch`: gives it its offset, looks at its producer's
    /// sequence, and writes it. The epoch and a new segment may be noted even if the batch is
    /// refused then. Kafka: UnifiedLog.appendAsLeader.
    #[inline]
    pub(crate) fn append_as_leader(
        &mut self,
        mut batch: RecordBatch,
        epoch: LeaderEpoch,
        settings: AppendSettings<'_>,
    ) -> Appended {
        batch.base_offset = self.end;
        batch.leader_epoch = epoch;
        self.epochs.assign(epoch, self.end);
        if batch.bytes > settings.topic.segment_bytes {
            return Appended::Refused(ErrorCode::RecordListTooLarge);
        }
        self.maybe_roll(batch.bytes, settings.topic);
        if let Some(producer) = batch.producer {
            match self.producers.check(producer, batch.records.count) {
                SequenceCheck::Accept => {}
                SequenceCheck::Duplicate(_) if settings.defects.has(Defect::ForgetDuplicates) => {}
                SequenceCheck::Duplicate(known) => return Appended::Duplicate(known),
                SequenceCheck::Refuse(ErrorCode::OutOfOrderSequenceNumber)
                    if settings.defects.has(Defect::IgnoreSequences) => {}
                SequenceCheck::Refuse(error) => return Appended::Refused(error),
            }
        }
        if settings.defects.has(Defect::AckWithoutAppend) {
            return Appended::Pretended(batch);
        }
        if settings.defects.has(Defect::SwapPayload) {
            // Sessions go in pairs, and each lends the other its name.
            batch.records.session = SessionId::new(batch.records.session.get() ^ 1);
        }
        self.write(batch);
        Appended::Written(batch)
    }

    /// Appends a batch as it came from the leader. Kafka: UnifiedLog.appendAsFollower.
    #[inline]
    pub(crate) fn append_as_follower(&mut self, batch: RecordBatch, topic: &TopicConfig) {
        self.epochs.assign(batch.leader_epoch, batch.base_offset);
        self.maybe_roll(batch.bytes, topic);
        self.write(batch);
    }

    /// Moves past a batch without writing it, as a defect.
    pub(crate) fn skip(&mut self, batch: &RecordBatch) {
        self.epochs.assign(batch.leader_epoch, batch.base_offset);
        self.end = batch.next_offset();
    }

    #[inline]
    fn write(&mut self, batch: RecordBatch) {
        self.end = batch.next_offset();
        self.segments.grow(batch.bytes);
        self.producers.update(&batch);
        self.batches.push(batch);
    }

    /// Kafka: UnifiedLog.maybeRoll and roll.
    #[inline]
    fn maybe_roll(&mut self, bytes: u32, topic: &TopicConfig) {
        if self.segments.maybe_roll(self.end, bytes, topic.segment_bytes) {
            self.producers.take_snapshot(self.end);
        }
    }
}
