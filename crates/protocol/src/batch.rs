//! Record batches as they lie in a log or travel in a request.
//!
//! A batch stands for a *run* of records: within one producer session and partition, records have
//! consecutive ordinals, so (session, first, count) names them all. Payload bytes do not exist.

use crate::ids::{
    LeaderEpoch, Offset, ProducerEpoch, ProducerId, ProducerIdAndEpoch, SessionId, Timestamp,
};
use crate::sequence::Sequence;
use crate::transaction::Marker;

/// A run of records that one producer session sent to one partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RecordRun {
    /// The ordinal of the first record: how many records this session queued for this partition
    /// before it.
    pub first: u64,
    /// How many records, at least 1.
    pub count: u32,
    /// The session.
    pub session: SessionId,
}

impl RecordRun {
    /// One past the ordinal of the last record.
    #[inline]
    pub const fn end(self) -> u64 {
        self.first + self.count as u64
    }
}

/// What a batch holds. Kafka: the attributes isTransactional and isControl of `DefaultRecordBatch`,
/// and the topic that it is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BatchKind {
    /// A producer's records, outside of any transaction.
    #[default]
    Plain,
    /// A producer's records, in a transaction.
    Transactional,
    /// A control record: one offset, no record, no sequence.
    Marker(Marker),
    /// A coordinator's own records in an internal topic. Without a producer.
    Internal,
    /// Offsets that a group coordinator was given in a transaction. With a producer, without
    /// sequences.
    InternalTransactional,
}

impl BatchKind {
    /// Whether its records are in a transaction, or end one. Kafka: RecordBatch.isTransactional.
    #[inline]
    pub const fn is_transactional(self) -> bool {
        matches!(self, Self::Transactional | Self::Marker(_) | Self::InternalTransactional)
    }

    /// Whether it is a control batch.
    #[inline]
    pub const fn is_control(self) -> bool {
        matches!(self, Self::Marker(_))
    }

    /// Whether it is in an internal topic and has values that are kept beside the log.
    #[inline]
    pub const fn is_internal(self) -> bool {
        matches!(self, Self::Internal | Self::InternalTransactional)
    }
}

/// The identity that an idempotent producer gives to a batch.
/// Kafka: the fields producerId, producerEpoch, baseSequence of `DefaultRecordBatch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BatchProducer {
    /// The producer id.
    pub id: ProducerId,
    /// The sequence of the first record. Without meaning in control batches and in
    /// [`BatchKind::InternalTransactional`], where Kafka writes -1.
    pub base_sequence: Sequence,
    /// The producer epoch.
    pub epoch: ProducerEpoch,
}

impl BatchProducer {
    /// The producer id with its epoch.
    #[inline]
    pub const fn id_and_epoch(self) -> ProducerIdAndEpoch {
        ProducerIdAndEpoch { id: self.id, epoch: self.epoch }
    }

    /// The sequence of the last of `count` records.
    #[inline]
    pub const fn last_sequence(self, count: u32) -> Sequence {
        self.base_sequence.plus(count - 1)
    }
}

/// A record batch of format v2. Kafka: common/record/internal/DefaultRecordBatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RecordBatch {
    /// The offset of the first record. Zero until a leader assigns it.
    pub base_offset: Offset,
    /// The records.
    pub records: RecordRun,
    /// Who sent it, if it was an idempotent producer.
    pub producer: Option<BatchProducer>,
    /// The greatest record timestamp.
    pub max_timestamp: Timestamp,
    /// Size in bytes, header included.
    pub bytes: u32,
    /// The epoch of the leader that appended it. Zero until then.
    pub leader_epoch: LeaderEpoch,
    /// What it holds.
    pub kind: BatchKind,
}

impl RecordBatch {
    /// The offset of the last record.
    #[inline]
    pub const fn last_offset(&self) -> Offset {
        self.base_offset.plus(self.records.count as u64 - 1)
    }

    /// The offset after the last record.
    #[inline]
    pub const fn next_offset(&self) -> Offset {
        self.base_offset.plus(self.records.count as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_small() {
        assert!(size_of::<RecordBatch>() <= 64, "{}", size_of::<RecordBatch>());
    }

    #[test]
    fn the_last_sequence_wraps() {
        let producer = BatchProducer {
            id: ProducerId::new(7),
            base_sequence: Sequence::MAX,
            epoch: ProducerEpoch::new(0),
        };
        assert_eq!(producer.last_sequence(1), Sequence::MAX);
        assert_eq!(producer.last_sequence(3).get(), 1);
    }
}
