//! Appends: a leader's, which are checked, and a follower's, which are not.
//!
//! Kafka: storage/internals/log/UnifiedLog.appendAsLeader, appendAsFollower, append.

use crate::log::producer_entry::{BatchMetadata, SequenceCheck};
use crate::log::producer_state::Expiration;
use crate::log::transaction_index::AbortedTxn;
use crate::log::transactions::CompletedTxn;
use crate::log::verification::{Verification, VerificationGuard};
use crate::log::{PartitionLog, expiration};
use inflight_protocol::transaction::InternalRecord;
use inflight_protocol::{
    BatchKind, BrokerConfig, Defect, Defects, ErrorCode, LeaderEpoch, RecordBatch, SessionId,
    TopicConfig, TransactionResult,
};

/// The settings that an append depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AppendSettings<'a> {
    /// Of the topic.
    pub(crate) topic: &'a TopicConfig,
    /// When producer ids are forgotten.
    pub(crate) expiration: Expiration,
    /// transaction.partition.verification.enable, and the guard that the batch brings.
    pub(crate) verification: Verification,
    /// Rules that are broken on purpose.
    pub(crate) defects: Defects,
}

impl<'a> AppendSettings<'a> {
    /// Of a topic on a broker.
    pub(crate) fn new(topic: &'a TopicConfig, broker: &BrokerConfig, defects: Defects) -> Self {
        let verification = if broker.transaction_partition_verification_enable {
            Verification::Required(None)
        } else {
            Verification::Off
        };
        Self { topic, expiration: expiration(broker), verification, defects }
    }

    /// The same, for a batch that brings this guard.
    #[must_use]
    pub(crate) const fn with_guard(mut self, guard: Option<VerificationGuard>) -> Self {
        if let Verification::Required(_) = self.verification {
            self.verification = Verification::Required(guard);
        }
        self
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
        if let Err(error) = self.prepare(&mut batch, epoch, settings.topic) {
            return Appended::Refused(error);
        }
        if let Some(producer) = batch.producer {
            match self.producers.check(producer, &batch, settings.verification) {
                SequenceCheck::Accept => {}
                SequenceCheck::Duplicate(_) if settings.defects.has(Defect::ForgetDuplicates) => {}
                SequenceCheck::Duplicate(known) => return Appended::Duplicate(known),
                SequenceCheck::Refuse(ErrorCode::OutOfOrderSequenceNumber)
                    if settings.defects.has(Defect::IgnoreSequences) => {}
                SequenceCheck::Refuse(ErrorCode::InvalidProducerEpoch)
                    if settings.defects.has(Defect::IgnoreProducerEpochs) => {}
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

    /// Gives a batch its place at the end of the log, and sees to it that there is room.
    #[inline]
    pub(super) fn prepare(
        &mut self,
        batch: &mut RecordBatch,
        epoch: LeaderEpoch,
        topic: &TopicConfig,
    ) -> Result<(), ErrorCode> {
        batch.base_offset = self.end;
        batch.leader_epoch = epoch;
        self.epochs.assign(epoch, self.end);
        if batch.bytes > topic.segment_bytes {
            return Err(ErrorCode::RecordListTooLarge);
        }
        self.maybe_roll(batch.bytes, topic);
        Ok(())
    }

    /// Appends a batch as it came from the leader, with its values if it is in an internal topic.
    /// Returns the transaction that it has ended. Kafka: UnifiedLog.appendAsFollower.
    #[inline]
    pub(crate) fn append_as_follower(
        &mut self,
        batch: RecordBatch,
        values: &[InternalRecord],
        topic: &TopicConfig,
    ) -> Option<CompletedTxn> {
        self.epochs.assign(batch.leader_epoch, batch.base_offset);
        self.maybe_roll(batch.bytes, topic);
        if !values.is_empty() {
            self.values.push(batch.base_offset, values.iter().cloned());
        }
        self.write(batch)
    }

    /// Moves past a batch without writing it, as a defect.
    pub(crate) fn skip(&mut self, batch: &RecordBatch) {
        self.epochs.assign(batch.leader_epoch, batch.base_offset);
        self.end = batch.next_offset();
    }

    #[inline]
    pub(super) fn write(&mut self, batch: RecordBatch) -> Option<CompletedTxn> {
        self.end = batch.next_offset();
        self.segments.grow(batch.bytes);
        let completed = self.producers.update(&batch);
        if let Some(completed) = completed {
            self.complete(completed, &batch);
        }
        self.batches.push(batch);
        completed
    }

    /// A transaction is over. Kafka: LogSegment.updateTxnIndex, ProducerStateManager.completeTxn.
    #[cold]
    fn complete(&mut self, completed: CompletedTxn, batch: &RecordBatch) {
        let last_stable = self.producers.complete(completed);
        let CompletedTxn { id, first, last } = completed;
        if let BatchKind::Marker(marker) = batch.kind
            && marker.result == TransactionResult::Abort
        {
            self.aborted.append(AbortedTxn { id, first, last, last_stable });
        }
    }

    /// Kafka: UnifiedLog.maybeRoll and roll.
    #[inline]
    fn maybe_roll(&mut self, bytes: u32, topic: &TopicConfig) {
        if self.segments.maybe_roll(self.end, bytes, topic.segment_bytes) {
            self.producers.take_snapshot(self.end);
        }
    }
}
