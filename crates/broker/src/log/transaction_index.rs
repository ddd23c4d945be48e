//! The index of aborted transactions.
//!
//! Kafka: storage/internals/log/TransactionIndex, AbortedTxn. Kafka has one index a segment; a
//! search from the segment of the first offset on finds the same as a search from the first entry
//! that ends there or behind.

use inflight_protocol::{Offset, ProducerId};

/// A transaction that was aborted. Kafka: the schema AbortedTxn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AbortedTxn {
    /// Whose it was.
    pub(crate) id: ProducerId,
    /// The offset of its first record.
    pub(crate) first: Offset,
    /// The offset of its marker.
    pub(crate) last: Offset,
    /// The first offset that was undecided when the marker was written, or the one behind it.
    pub(crate) last_stable: Offset,
}

/// The aborted transactions of a log in the order of their markers. It is on disk, so that it
/// survives what the log survives.
#[derive(Debug, Default)]
pub(crate) struct TransactionIndex {
    entries: Vec<AbortedTxn>,
}

inflight_des::clone_fields!(TransactionIndex { entries });

impl TransactionIndex {
    /// Notes a transaction. Kafka: TransactionIndex.append.
    pub(crate) fn append(&mut self, aborted: AbortedTxn) {
        debug_assert!(self.entries.last().is_none_or(|last| last.last < aborted.last));
        self.entries.push(aborted);
    }

    /// The transactions that a reader from `from` up to `upper` has to leave out.
    /// Kafka: TransactionIndex.collectAbortedTxns.
    pub(crate) fn collect(&self, from: Offset, upper: Offset) -> impl Iterator<Item = &AbortedTxn> {
        let start = self.entries.partition_point(|entry| entry.last < from);
        let mut is_complete = false;
        self.entries[start..]
            .iter()
            .take_while(move |entry| {
                let was_complete = is_complete;
                is_complete = entry.last_stable >= upper;
                !was_complete
            })
            .filter(move |entry| entry.first < upper)
    }

    /// Drops what ends at `to` or behind. Kafka: TransactionIndex.truncateTo.
    pub(crate) fn truncate(&mut self, to: Offset) {
        let end = self.entries.partition_point(|entry| entry.last < to);
        self.entries.truncate(end);
    }

    /// Drops what ends before `offset`.
    pub(crate) fn forget_below(&mut self, offset: Offset) {
        let end = self.entries.partition_point(|entry| entry.last < offset);
        self.entries.drain(..end);
    }

    /// All of them.
    #[cfg(test)]
    pub(crate) fn entries(&self) -> &[AbortedTxn] {
        &self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: u64, first: u64, last: u64, last_stable: u64) -> AbortedTxn {
        let at = Offset::new;
        AbortedTxn {
            id: ProducerId::new(id),
            first: at(first),
            last: at(last),
            last_stable: at(last_stable),
        }
    }

    #[test]
    fn a_reader_gets_what_overlaps_with_its_range() {
        // Kafka: TransactionIndexTest.testCollectAbortedTransactions.
        let mut index = TransactionIndex::default();
        for aborted in [entry(0, 0, 10, 11), entry(1, 5, 15, 13), entry(2, 18, 35, 25)] {
            index.append(aborted);
        }
        index.append(entry(3, 32, 50, 40));
        let found = |from, upper| -> Vec<u64> {
            let found = index.collect(Offset::new(from), Offset::new(upper));
            found.map(|aborted| aborted.id.get()).collect()
        };
        assert_eq!(found(0, 100), [0, 1, 2, 3]);
        assert_eq!(found(0, 32), [0, 1, 2]);
        assert_eq!(found(0, 35), [0, 1, 2, 3]);
        assert_eq!(found(10, 35), [0, 1, 2, 3]);
        assert_eq!(found(11, 35), [1, 2, 3]);
        assert_eq!(found(20, 41), [2, 3]);
        assert_eq!(found(0, 4), [0], "what lies behind is not looked at");
    }

    #[test]
    fn a_cut_takes_the_markers_behind_it() {
        let mut index = TransactionIndex::default();
        index.append(entry(0, 0, 10, 11));
        index.append(entry(1, 5, 15, 13));
        index.truncate(Offset::new(15));
        assert_eq!(index.entries().len(), 1);
        index.truncate(Offset::new(16));
        assert_eq!(index.entries(), [entry(0, 0, 10, 11)]);
        index.forget_below(Offset::new(11));
        assert!(index.entries().is_empty());
    }
}
