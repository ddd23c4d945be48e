//! The checks of a batch before the log is looked at.

use crate::broker::Broker;
use crate::broker::produce::{BatchOutcome, LogChange};
use inflight_protocol::config::TimestampType;
use inflight_protocol::message::ProducePartitionResponse;
use inflight_protocol::{
    Acks, Cluster, ErrorCode, Fact, FactKind, Offset, RecordBatch, Timestamp, TopicConfig,
    TopicPartition, Turn,
};

/// Why a batch is refused, and whether the answer names the start of the log.
/// Kafka: the two kinds of catch clauses of ReplicaManager.appendToLocalLog.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal {
    pub(super) error: ErrorCode,
    log_start_offset: Option<Offset>,
}

impl Refusal {
    /// The refusal for an error found before any partition was looked at.
    pub(super) const fn bare(error: ErrorCode) -> Self {
        Self { error, log_start_offset: None }
    }

    /// The refusal for an error found at a partition that leads here.
    pub(super) const fn of(error: ErrorCode) -> Self {
        let is_bare = matches!(
            error,
            ErrorCode::UnknownTopicOrPartition
                | ErrorCode::NotLeaderOrFollower
                | ErrorCode::MessageTooLarge
                | ErrorCode::RecordListTooLarge
                | ErrorCode::CorruptMessage
                | ErrorCode::KafkaStorageError
                | ErrorCode::UnknownTopicId
        );
        Self { error, log_start_offset: if is_bare { None } else { Some(Offset::ZERO) } }
    }
}

impl Broker {
    /// The checks before the log is looked at, in Kafka's order: it is known here, a replica is
    /// here, it leads, enough replicas are in sync, the batch is well formed, not too large, and
    /// of this time. Kafka: KafkaApis.handleProduceRequest, ReplicaManager.getPartitionOrException,
    /// Partition.appendRecordsToLeader, UnifiedLog.analyzeAndValidateRecords, LogValidator.
    #[inline]
    pub(super) fn check_produce(
        &self,
        cluster: &Cluster,
        acks: Acks,
        partition: TopicPartition,
        batch: &RecordBatch,
        now: Timestamp,
    ) -> Result<usize, Refusal> {
        let bare = Refusal::bare;
        if self.metadata.partition(partition).is_none() {
            return Err(bare(ErrorCode::UnknownTopicOrPartition));
        }
        let index = self.replica_index(partition);
        let index = index.ok_or(bare(ErrorCode::NotLeaderOrFollower))?;
        let replica = &self.partitions[index];
        if replica.internal.is_some() {
            return Err(bare(ErrorCode::InvalidTopicException));
        }
        let leadership = replica.leadership().ok_or(bare(ErrorCode::NotLeaderOrFollower))?;
        if acks == Acks::All && replica.is_under_min_isr(leadership) {
            return Err(Refusal::of(ErrorCode::NotEnoughReplicas));
        }
        let topic = replica.config(cluster);
        let error = if batch.base_offset != Offset::ZERO {
            ErrorCode::InvalidRecord
        } else if batch.bytes > topic.max_message_bytes {
            ErrorCode::MessageTooLarge
        } else if !is_of_this_time(batch.max_timestamp, now, topic) {
            ErrorCode::InvalidTimestamp
        } else {
            return Ok(index);
        };
        Err(Refusal::of(error))
    }

    /// Says that a batch is refused, and what is answered.
    pub(super) fn refuse(
        &self,
        turn: &mut Turn<'_>,
        partition: TopicPartition,
        batch: &RecordBatch,
        refusal: Refusal,
    ) -> BatchOutcome {
        turn.did(FactKind::BatchRejected.set(), || Fact::BatchRejected {
            broker: self.id,
            partition,
            session: batch.records.session,
            first: batch.records.first,
            count: batch.records.count,
            sequence: batch.producer.map(|producer| producer.base_sequence),
            error: refusal.error,
        });
        let response = ProducePartitionResponse {
            partition,
            error: Some(refusal.error),
            base_offset: None,
            log_append_time: None,
            log_start_offset: refusal.log_start_offset,
            current_leader: None,
        };
        BatchOutcome { response, required: Offset::ZERO, change: LogChange::None }
    }
}

/// Whether a timestamp is within the topic's bounds. Of a batch only the greatest one is known, so
/// that stands for all. Kafka: LogValidator.recordHasInvalidTimestamp.
const fn is_of_this_time(timestamp: Timestamp, now: Timestamp, topic: &TopicConfig) -> bool {
    match topic.message_timestamp_type {
        TimestampType::LogAppendTime => true,
        TimestampType::CreateTime => {
            let age = now.get() - timestamp.get();
            age <= topic.message_timestamp_before_max_ms
                && -age <= topic.message_timestamp_after_max_ms
        }
    }
}
