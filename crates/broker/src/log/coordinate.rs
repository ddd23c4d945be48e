//! What coordinators write to a log: markers, and records of internal topics.
//!
//! Kafka: UnifiedLog.appendAsLeader with AppendOrigin.COORDINATOR,
//! MemoryRecords.withEndTransactionMarker.

use crate::log::PartitionLog;
use crate::log::append::AppendSettings;
use crate::log::transactions::CompletedTxn;
use crate::log::verification::VerificationGuard;
use inflight_protocol::consumer_group::ConsumerGroupRecord;
use inflight_protocol::transaction::{InternalRecord, Marker};
use inflight_protocol::{
    BatchKind, BatchProducer, ErrorCode, LeaderEpoch, Offset, ProducerIdAndEpoch, RecordBatch,
    RecordRun, Sequence, Timestamp, TransactionVersion,
};

/// Bytes of a batch around its records. Kafka: DefaultRecordBatch.RECORD_BATCH_OVERHEAD.
const BATCH_OVERHEAD: u32 = 61;
/// Bytes of a marker: a record with a key of 4 and a value of 6 bytes.
/// Kafka: EndTransactionMarker.
const MARKER_BYTES: u32 = 17;
/// Bytes of a coordinator's record besides what there may be several of: keys, versions, numbers.
const RECORD_BYTES: u32 = 80;
/// Bytes of a partition in a coordinator's record.
const PARTITION_BYTES: u32 = 8;

/// What a coordinator has done to a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Coordinated {
    /// The batch as it is in the log.
    pub(crate) batch: RecordBatch,
    /// The transaction that it has ended.
    pub(crate) completed: Option<CompletedTxn>,
}

impl PartitionLog {
    /// Appends a marker as the leader of `epoch`.
    pub(crate) fn append_marker(
        &mut self,
        producer: ProducerIdAndEpoch,
        marker: Marker,
        version: TransactionVersion,
        (epoch, now): (LeaderEpoch, Timestamp),
        settings: AppendSettings<'_>,
    ) -> Result<Coordinated, ErrorCode> {
        let mut batch = RecordBatch {
            kind: BatchKind::Marker(marker),
            bytes: BATCH_OVERHEAD + MARKER_BYTES,
            producer: Some(without_sequence(producer)),
            ..bare(1, now)
        };
        self.prepare(&mut batch, epoch, settings.topic)?;
        if let Some(entry) = self.producers.entry(producer.id) {
            entry.check_marker(producer.epoch, marker, version)?;
        }
        Ok(Coordinated { batch, completed: self.write(batch) })
    }

    /// Appends a coordinator's records as the leader of `epoch`: outside of any transaction, or in
    /// the transaction of a producer, with the guard of its verification.
    pub(crate) fn append_records(
        &mut self,
        records: &[InternalRecord],
        transaction: Option<(ProducerIdAndEpoch, Option<VerificationGuard>)>,
        (epoch, now): (LeaderEpoch, Timestamp),
        settings: AppendSettings<'_>,
    ) -> Result<Coordinated, ErrorCode> {
        let size: u32 = records.iter().map(record_bytes).sum();
        let mut batch = RecordBatch {
            kind: BatchKind::Internal,
            bytes: BATCH_OVERHEAD + size,
            ..bare(records.len() as u32, now)
        };
        if batch.bytes > settings.topic.max_message_bytes {
            return Err(ErrorCode::MessageTooLarge);
        }
        if let Some((producer, _)) = transaction {
            batch.kind = BatchKind::InternalTransactional;
            batch.producer = Some(without_sequence(producer));
        }
        self.prepare(&mut batch, epoch, settings.topic)?;
        if let Some((producer, guard)) = transaction {
            let verification = settings.with_guard(guard).verification;
            self.producers.check_verified(without_sequence(producer), &batch, verification)?;
        }
        self.values.push(batch.base_offset, records.iter().cloned());
        Ok(Coordinated { batch, completed: self.write(batch) })
    }

    /// The values of a batch of an internal topic.
    pub(crate) fn values_of(&self, batch: &RecordBatch) -> impl Iterator<Item = &InternalRecord> {
        self.values.of(batch)
    }

    /// Begins to verify that a producer's batch may open a transaction here. `None` if it is open.
    /// Kafka: UnifiedLog.maybeStartTransactionVerification.
    pub(crate) fn start_verification(
        &mut self,
        producer: ProducerIdAndEpoch,
        sequence: Option<Sequence>,
        version: TransactionVersion,
        now: Timestamp,
    ) -> Result<Option<VerificationGuard>, ErrorCode> {
        if let Some(entry) = self.producers.entry(producer.id) {
            if producer.epoch < entry.epoch {
                return Err(ErrorCode::InvalidProducerEpoch);
            }
            if entry.has_ongoing(producer.epoch) {
                return Ok(None);
            }
        }
        let producer = without_sequence(producer);
        Ok(Some(self.producers.verifications_mut().start(producer, sequence, version, now)))
    }
}

const fn bare(count: u32, now: Timestamp) -> RecordBatch {
    RecordBatch {
        base_offset: Offset::ZERO,
        records: RecordRun { first: 0, count, session: inflight_protocol::SessionId::new(0) },
        producer: None,
        max_timestamp: now,
        bytes: 0,
        leader_epoch: LeaderEpoch::new(0),
        kind: BatchKind::Internal,
    }
}

const fn without_sequence(producer: ProducerIdAndEpoch) -> BatchProducer {
    BatchProducer { id: producer.id, base_sequence: Sequence::ZERO, epoch: producer.epoch }
}

/// The estimated size of a record. Only segments and bandwidth look at it.
fn record_bytes(record: &InternalRecord) -> u32 {
    let partitions = match record {
        InternalRecord::Transaction(value) => value.partitions.len(),
        InternalRecord::Group(value) => {
            value.members.iter().map(|member| 1 + member.assigned.assignment.len()).sum()
        }
        InternalRecord::ConsumerGroup(_, ConsumerGroupRecord::Target(_, Some(partitions))) => {
            partitions.len()
        }
        InternalRecord::ConsumerGroup(_, ConsumerGroupRecord::Current(_, Some(current))) => {
            current.assigned.len() + current.revoking.len()
        }
        InternalRecord::TransactionForgotten(_)
        | InternalRecord::Offset(_)
        | InternalRecord::GroupForgotten(_)
        | InternalRecord::ConsumerGroup(..) => 0,
    };
    RECORD_BYTES + PARTITION_BYTES * partitions as u32
}
