//! Which transactions keep readers of committed records back.
//!
//! Kafka: ongoingTxns and unreplicatedTxns of storage/internals/log/ProducerStateManager.

use inflight_protocol::{Offset, ProducerId};

/// A transaction that a marker has ended. Kafka: storage/internals/log/CompletedTxn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CompletedTxn {
    /// Whose it was.
    pub(crate) id: ProducerId,
    /// The offset of its first record.
    pub(crate) first: Offset,
    /// The offset of its marker.
    pub(crate) last: Offset,
}

/// The transactions of a replica that are undecided, and those that are decided by a marker which
/// is not committed yet.
#[derive(Debug, Default)]
pub(crate) struct OpenTransactions {
    /// In the order of their first offsets.
    ongoing: Vec<(Offset, ProducerId)>,
    /// First offset and marker of each.
    unreplicated: Vec<(Offset, Offset)>,
}

inflight_des::clone_fields!(OpenTransactions { ongoing, unreplicated });

impl OpenTransactions {
    /// A transaction begins. Its first offset is greater than that of all others.
    pub(crate) fn begin(&mut self, first: Offset, id: ProducerId) {
        debug_assert!(self.ongoing.last().is_none_or(|(last, _)| *last < first));
        self.ongoing.push((first, id));
    }

    /// A marker has ended a transaction; its first offset stays unstable until the high watermark
    /// has passed the marker. Kafka: ProducerStateManager.completeTxn.
    pub(crate) fn complete(&mut self, completed: CompletedTxn) {
        self.ongoing.retain(|(first, _)| *first != completed.first);
        self.unreplicated.push((completed.first, completed.last));
    }

    /// The last stable offset that goes into the transaction index with an aborted transaction.
    /// Kafka: ProducerStateManager.lastStableOffset.
    pub(crate) fn stable_after(&self, completed: CompletedTxn) -> Offset {
        let other = self.ongoing.iter().find(|(_, id)| *id != completed.id);
        other.map_or(completed.last.plus(1), |(first, _)| *first)
    }

    /// Forgets the transactions whose marker is committed.
    /// Kafka: ProducerStateManager.onHighWatermarkUpdated.
    #[inline]
    pub(crate) fn committed_below(&mut self, high_watermark: Offset) {
        if !self.unreplicated.is_empty() {
            self.unreplicated.retain(|(_, marker)| *marker >= high_watermark);
        }
    }

    /// The first offset whose record is undecided, or decided by a marker that is not committed.
    /// Kafka: ProducerStateManager.firstUnstableOffset.
    #[inline]
    pub(crate) fn first_unstable(&self) -> Option<Offset> {
        if self.ongoing.is_empty() && self.unreplicated.is_empty() {
            return None;
        }
        let undecided = self.ongoing.first().map(|(first, _)| *first);
        let unreplicated = self.unreplicated.iter().map(|(first, _)| *first).min();
        undecided.into_iter().chain(unreplicated).min()
    }

    /// The undecided transactions, in the order of their first offsets.
    pub(crate) fn ongoing(&self) -> &[(Offset, ProducerId)] {
        &self.ongoing
    }

    /// Starts afresh with these undecided transactions.
    pub(crate) fn reset(&mut self, ongoing: impl Iterator<Item = (Offset, ProducerId)>) {
        self.ongoing.clear();
        self.ongoing.extend(ongoing);
        self.ongoing.sort_unstable();
        self.unreplicated.clear();
    }

    /// Notes a transaction that a replay has seen begin and end.
    pub(crate) fn replayed(&mut self, completed: CompletedTxn) {
        self.unreplicated.push((completed.first, completed.last));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_unstable_until_its_marker_is_committed() {
        let at = Offset::new;
        let (a, b) = (ProducerId::new(1), ProducerId::new(2));
        let mut open = OpenTransactions::default();
        assert_eq!(open.first_unstable(), None);
        open.begin(at(0), a);
        open.begin(at(5), b);
        let first = CompletedTxn { id: a, first: at(0), last: at(7) };
        assert_eq!(open.stable_after(first), at(5), "the other one is still open");
        open.complete(first);
        assert_eq!(open.first_unstable(), Some(at(0)));
        open.committed_below(at(7));
        assert_eq!(open.first_unstable(), Some(at(0)), "the marker itself is at 7");
        open.committed_below(at(8));
        assert_eq!(open.first_unstable(), Some(at(5)));
        let second = CompletedTxn { id: b, first: at(5), last: at(8) };
        assert_eq!(open.stable_after(second), at(9));
    }
}
