//! What a reader of committed records may see.
//!
//! Kafka: UnifiedLog.lastStableOffset, fetchLastStableOffsetMetadata, LocalLog.read for
//! READ_COMMITTED.

use crate::log::{Marks, PartitionLog};
use inflight_protocol::Offset;
use inflight_protocol::message::AbortedTransaction;

impl PartitionLog {
    /// The offset below which everything is decided: that of the first record whose transaction is
    /// open or has a marker that is not committed, or the high watermark.
    /// Kafka: UnifiedLog.lastStableOffset.
    #[inline]
    pub(crate) fn last_stable_offset(&self) -> Offset {
        let unstable = self.producers.open().first_unstable();
        unstable.map_or(self.high_watermark, |unstable| unstable.min(self.high_watermark))
    }

    /// High watermark and last stable offset.
    #[inline]
    pub(crate) fn marks(&self) -> Marks {
        Marks { high_watermark: self.high_watermark, last_stable: self.last_stable_offset() }
    }

    /// The aborted transactions with records at or behind `from` and below `upper`, in the order
    /// of their markers. Kafka: LocalLog.collectAbortedTransactions.
    pub(crate) fn aborted_transactions(
        &self,
        from: Offset,
        upper: Offset,
    ) -> impl Iterator<Item = AbortedTransaction> {
        self.aborted.collect(from, upper).map(|aborted| AbortedTransaction {
            first_offset: aborted.first,
            producer_id: aborted.id,
        })
    }
}
