//! Committed offsets, and those that wait for a transaction. Kafka: OffsetMetadataManager.

use inflight_protocol::transaction::CommittedOffset;
use inflight_protocol::{GroupId, Offset, ProducerId, TopicPartition, TransactionResult};
use std::collections::BTreeMap;

/// A committed offset and where it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Written {
    committed: CommittedOffset,
    at: Offset,
}

type OffsetsByPartition = BTreeMap<(GroupId, TopicPartition), Written>;

/// The offsets of the groups of one partition of `__consumer_offsets`.
#[derive(Debug, Default)]
pub(crate) struct CommittedOffsets {
    offsets: OffsetsByPartition,
    /// Kafka: pendingTransactionalOffsets.
    pending: BTreeMap<ProducerId, OffsetsByPartition>,
}

inflight_des::clone_fields!(CommittedOffsets { offsets, pending });

impl CommittedOffsets {
    /// An offset was written, in a producer's transaction or not. The last one that is written
    /// counts, whatever it is. Kafka: replay.
    pub(crate) fn replay(
        &mut self,
        committed: CommittedOffset,
        producer: Option<ProducerId>,
        at: Offset,
    ) {
        let key = (committed.group, committed.partition);
        let written = Written { committed, at };
        match producer {
            None => self.offsets.insert(key, written),
            Some(id) => self.pending.entry(id).or_default().insert(key, written),
        };
    }

    /// A transaction has ended: its offsets count if it commits, unless younger ones were
    /// committed without it. Returns those that count. Kafka: replayEndTransactionMarker.
    pub(crate) fn end_transaction(
        &mut self,
        producer: ProducerId,
        result: TransactionResult,
    ) -> Vec<CommittedOffset> {
        let pending = self.pending.remove(&producer).unwrap_or_default();
        let mut merged = Vec::new();
        if result == TransactionResult::Abort {
            return merged;
        }
        for (key, written) in pending {
            let known = self.offsets.get(&key);
            if known.is_none_or(|known| written.at > known.at) {
                self.offsets.insert(key, written);
                merged.push(written.committed);
            }
        }
        merged
    }

    /// The committed offset of a partition.
    pub(crate) fn get(&self, group: GroupId, partition: TopicPartition) -> Option<CommittedOffset> {
        self.offsets.get(&(group, partition)).map(|written| written.committed)
    }

    /// Whether a transaction may still change the offset of a partition.
    pub(crate) fn is_pending(&self, group: GroupId, partition: TopicPartition) -> bool {
        self.pending.values().any(|offsets| offsets.contains_key(&(group, partition)))
    }

    /// All committed offsets, by group and partition.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &CommittedOffset> {
        self.offsets.values().map(|written| &written.committed)
    }
}
