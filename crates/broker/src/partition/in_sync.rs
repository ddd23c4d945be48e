//! The in-sync replica set as its leader knows it.

use inflight_protocol::{BrokerId, BrokerSet};

/// A change that the controller has not answered yet.
/// Kafka: cluster/PendingExpandIsr, PendingShrinkIsr.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PendingChange {
    /// This broker is to be added.
    Expand(BrokerId),
    /// These brokers are to be removed.
    Shrink(BrokerSet),
}

/// The committed set and what the leader has proposed.
/// Kafka: the states of Partition.partitionState.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InSyncReplicas {
    committed: BrokerSet,
    pending: Option<PendingChange>,
    proposals: u32,
}

impl InSyncReplicas {
    /// A committed set. Kafka: CommittedPartitionState.
    pub(crate) const fn new(committed: BrokerSet) -> Self {
        Self { committed, pending: None, proposals: 0 }
    }

    /// The set that the controller has committed: what counts against min.insync.replicas.
    #[inline]
    pub(crate) const fn committed(&self) -> BrokerSet {
        self.committed
    }

    /// The set that the high watermark waits for: a joining broker is in it, a leaving one still.
    /// Kafka: PartitionState.maximalIsr.
    #[inline]
    pub(crate) const fn maximal(&self) -> BrokerSet {
        match self.pending {
            Some(PendingChange::Expand(joining)) => self.committed.with(joining),
            Some(PendingChange::Shrink(_)) | None => self.committed,
        }
    }

    /// What has been proposed. Kafka: PartitionState.isInflight.
    #[inline]
    pub(crate) const fn pending(&self) -> Option<PendingChange> {
        self.pending
    }

    /// The set after what has been proposed.
    pub(crate) const fn proposed(&self) -> Option<BrokerSet> {
        match self.pending {
            Some(PendingChange::Expand(joining)) => Some(self.committed.with(joining)),
            Some(PendingChange::Shrink(leaving)) => Some(self.committed.difference(leaving)),
            None => None,
        }
    }

    /// Proposes a change. Returns the number of the proposal.
    pub(crate) fn propose(&mut self, change: PendingChange) -> u32 {
        debug_assert!(self.pending.is_none(), "a partition has one proposal at a time");
        self.pending = Some(change);
        self.proposals += 1;
        self.proposals
    }

    /// Whether the proposal of this number is still the one that waits for an answer.
    pub(crate) const fn awaits(&self, proposal: u32) -> bool {
        self.pending.is_some() && self.proposals == proposal
    }

    /// The controller says what the set is.
    pub(crate) const fn commit(&mut self, committed: BrokerSet) {
        self.committed = committed;
        self.pending = None;
    }

    /// The controller has refused the proposal, which was certainly not applied.
    pub(crate) const fn revert(&mut self) {
        self.pending = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(brokers: &[u8]) -> BrokerSet {
        brokers.iter().copied().map(BrokerId::new).collect()
    }

    #[test]
    fn the_high_watermark_waits_for_who_joins_and_for_who_leaves() {
        let mut in_sync = InSyncReplicas::new(set(&[1, 2]));
        let first = in_sync.propose(PendingChange::Expand(BrokerId::new(3)));
        assert_eq!((in_sync.committed(), in_sync.maximal()), (set(&[1, 2]), set(&[1, 2, 3])));
        assert_eq!(in_sync.proposed(), Some(set(&[1, 2, 3])));
        in_sync.revert();
        assert_eq!(in_sync.maximal(), set(&[1, 2]));
        let second = in_sync.propose(PendingChange::Shrink(set(&[2])));
        assert_eq!((in_sync.committed(), in_sync.maximal()), (set(&[1, 2]), set(&[1, 2])));
        assert_eq!(in_sync.proposed(), Some(set(&[1])));
        assert!(!in_sync.awaits(first));
        assert!(in_sync.awaits(second));
        in_sync.commit(set(&[1]));
        assert!(!in_sync.awaits(second));
        assert_eq!(in_sync.maximal(), set(&[1]));
    }
}
