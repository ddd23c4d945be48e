//! Producer state on disk.

use crate::log::producer_entry::{BatchMetadata, ProducerStateEntry};
use inflight_protocol::transaction::CoordinatorEpoch;
use inflight_protocol::{Offset, ProducerEpoch, ProducerId, Timestamp};
use smallvec::SmallVec;

/// One producer id in a snapshot: of its batches only the last is kept.
/// Kafka: ProducerStateManager.writeSnapshot and the schema ProducerSnapshot.
#[derive(Clone, Copy, Debug)]
struct Saved {
    id: ProducerId,
    epoch: ProducerEpoch,
    last_timestamp: Timestamp,
    transaction: Option<Offset>,
    coordinator_epoch: Option<CoordinatorEpoch>,
    last: Option<BatchMetadata>,
}

/// The snapshots of a replica in order of their offsets, all their entries one after the other.
/// Kafka: storage/internals/log/SnapshotFile and the map snapshots of ProducerStateManager.
#[derive(Debug, Default)]
pub(crate) struct Snapshots {
    /// The offset of each snapshot, and where its entries end.
    marks: SmallVec<[(Offset, u32); 2]>,
    entries: Vec<Saved>,
}

inflight_des::clone_fields!(Snapshots { marks, entries });

impl Snapshots {
    /// The offset of the newest snapshot.
    pub(crate) fn latest(&self) -> Option<Offset> {
        self.marks.last().map(|mark| mark.0)
    }

    /// Whether there is a snapshot at `offset`.
    pub(crate) fn has(&self, offset: Offset) -> bool {
        self.marks.binary_search_by_key(&offset, |mark| mark.0).is_ok()
    }

    /// Writes a snapshot at `offset`, unless there is one at or behind it.
    /// Kafka: ProducerStateManager.takeSnapshot.
    pub(crate) fn take(&mut self, offset: Offset, state: &[ProducerStateEntry]) {
        if offset <= self.latest().unwrap_or(Offset::ZERO) {
            return;
        }
        self.entries.extend(state.iter().map(|entry| Saved {
            id: entry.id,
            epoch: entry.epoch,
            last_timestamp: entry.last_timestamp,
            transaction: entry.transaction,
            coordinator_epoch: entry.coordinator_epoch,
            last: entry.last().copied(),
        }));
        self.marks.push((offset, self.entries.len() as u32));
    }

    /// Reads the snapshot at `offset` into `state`, in place of what is there.
    /// Kafka: ProducerStateManager.loadFromSnapshot.
    pub(crate) fn load(&self, offset: Offset, state: &mut Vec<ProducerStateEntry>) {
        state.clear();
        let Ok(index) = self.marks.binary_search_by_key(&offset, |mark| mark.0) else { return };
        let start = index.checked_sub(1).map_or(0, |before| self.marks[before].1);
        let saved = &self.entries[start as usize..self.marks[index].1 as usize];
        state.extend(saved.iter().map(|saved| {
            let mut entry =
                ProducerStateEntry::without_batches(saved.id, saved.epoch, saved.last_timestamp);
            if let Some(last) = saved.last {
                // A marker that has come behind the last batch leaves its time.
                let last = BatchMetadata { timestamp: saved.last_timestamp, ..last };
                entry.add_metadata(saved.epoch, last);
            }
            entry.transaction = saved.transaction;
            entry.coordinator_epoch = saved.coordinator_epoch;
            entry
        }));
    }

    /// Deletes the snapshots behind `end`. Kafka: ProducerStateManager.truncateAndReload.
    pub(crate) fn truncate(&mut self, end: Offset) {
        self.retain(|offset| offset <= end);
    }

    /// Keeps the snapshots at these offsets.
    pub(crate) fn retain(&mut self, mut keeps: impl FnMut(Offset) -> bool) {
        let mut start = 0;
        let mut index = 0;
        while let Some((offset, end)) = self.marks.get(index).copied() {
            if keeps(offset) {
                (start, index) = (end, index + 1);
                continue;
            }
            self.entries.drain(start as usize..end as usize);
            self.marks.remove(index);
            for mark in &mut self.marks[index..] {
                mark.1 -= end - start;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(ids: &[u64]) -> Vec<ProducerStateEntry> {
        ids.iter()
            .map(|id| {
                let (id, epoch) = (ProducerId::new(*id), ProducerEpoch::new(0));
                ProducerStateEntry::without_batches(id, epoch, Timestamp::RUN_START)
            })
            .collect()
    }

    fn ids(snapshots: &Snapshots, offset: u64) -> Vec<u64> {
        let mut state = Vec::new();
        snapshots.load(Offset::new(offset), &mut state);
        state.iter().map(|entry| entry.id.get()).collect()
    }

    #[test]
    fn snapshots_are_dropped_one_by_one() {
        let mut snapshots = Snapshots::default();
        snapshots.take(Offset::ZERO, &state(&[1]));
        assert_eq!(snapshots.latest(), None, "an empty log needs no snapshot");
        for (offset, list) in [(10, &[1][..]), (20, &[1, 2]), (30, &[2, 3, 4])] {
            snapshots.take(Offset::new(offset), &state(list));
        }
        snapshots.take(Offset::new(30), &state(&[9]));
        assert_eq!(ids(&snapshots, 30), [2, 3, 4], "there is one already");
        snapshots.retain(|offset| offset != Offset::new(20));
        assert_eq!(ids(&snapshots, 10), [1]);
        assert_eq!(ids(&snapshots, 20), [0; 0]);
        assert_eq!(ids(&snapshots, 30), [2, 3, 4]);
        snapshots.truncate(Offset::new(29));
        assert_eq!(snapshots.latest(), Some(Offset::new(10)));
    }
}
