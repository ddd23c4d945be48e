//! Producer state that is built again: after a cut, at a start, and to see whether it is right.
//!
//! Kafka: UnifiedLog.rebuildProducerState, LogLoader.load, ProducerStateManager.truncateAndReload.

use super::{Expiration, ProducerStateManager, is_expired};
use crate::log::batches::Batches;
use crate::log::producer_entry::ProducerStateEntry;
use crate::log::segments::Segments;
use crate::log::transactions::CompletedTxn;
use inflight_des::Instant;
use inflight_protocol::{Offset, RecordBatch};

impl ProducerStateManager {
    /// Builds the state at `end` again after a truncation.
    /// Kafka: UnifiedLog.rebuildProducerState, ProducerStateManager.truncateAndReload.
    pub(crate) fn rebuild(
        &mut self,
        end: Offset,
        batches: &Batches,
        segments: &Segments,
        now: Instant,
        expiration: Expiration,
    ) {
        // Kafka spares itself the replay if no producer id was active before.
        if self.entries.is_empty() {
            self.snapshots.truncate(end);
        } else {
            self.load_and_replay(end, batches, segments, now, expiration);
        }
        self.snapshots.take(end, &self.entries);
    }

    /// The process starts again: what the log loader makes of the state. Recovery of the active
    /// segment, or the clean shutdown before, has left a snapshot at the end of the log, so that
    /// one batch per producer id is all that is known. Kafka: LogLoader.load and recoverSegment,
    /// UnifiedLog.close.
    pub(crate) fn recover(
        &mut self,
        end: Offset,
        batches: &Batches,
        segments: &Segments,
        now: Instant,
        expiration: Expiration,
    ) {
        self.load_and_replay(end, batches, segments, now, expiration);
        self.snapshots.take(end, &self.entries);
        self.snapshots.load(end, &mut self.entries);
        self.forget_expired(now, expiration);
        self.find_ongoing();
        // Kafka: ProducerStateManager.removeStraySnapshots.
        self.snapshots.retain(|offset| offset == end || segments.starts_at(offset));
        self.next_check = now + expiration.check_interval;
    }

    /// The newest snapshot that is not behind `end`, and the batches from there.
    fn load_and_replay(
        &mut self,
        end: Offset,
        batches: &Batches,
        segments: &Segments,
        now: Instant,
        expiration: Expiration,
    ) {
        self.snapshots.truncate(end);
        let snapshot = self.snapshots.latest().filter(|offset| *offset >= batches.kept_from());
        match snapshot {
            Some(offset) => self.snapshots.load(offset, &mut self.entries),
            None => self.entries.clone_from(&self.forgotten),
        }
        self.forget_expired(now, expiration);
        self.find_ongoing();
        let start = snapshot.unwrap_or_else(|| batches.kept_from());
        let mut read = Vec::new();
        let mut completed = Vec::new();
        for batch in batches.from(start).take_while(|batch| batch.base_offset < end) {
            if segments.starts_at(batch.base_offset) {
                self.note_read(&mut read);
            }
            if segments.last_two().any(|base| base == batch.base_offset) {
                self.snapshots.take(batch.base_offset, &self.entries);
            }
            completed.extend(self.read(&mut read, batch));
        }
        self.note_read(&mut read);
        self.find_ongoing();
        for completed in completed {
            self.open.replayed(completed);
        }
    }

    /// A replay has come to a batch: what is `read` of a segment is noted at its end only. Returns
    /// the transaction that the batch has ended.
    /// Kafka: UnifiedLog.updateProducers, ProducerStateManager.prepareUpdate.
    fn read(
        &self,
        read: &mut Vec<ProducerStateEntry>,
        batch: &RecordBatch,
    ) -> Option<CompletedTxn> {
        let producer = batch.producer?;
        if let Some(entry) = read.iter_mut().find(|entry| entry.id == producer.id) {
            return entry.append(producer, batch);
        }
        let known = self.entry(producer.id).map(ProducerStateEntry::continued);
        let mut entry = known.unwrap_or_else(|| {
            let at = batch.max_timestamp;
            ProducerStateEntry::without_batches(producer.id, producer.epoch, at)
        });
        let completed = entry.append(producer, batch);
        read.push(entry);
        completed
    }

    /// The undecided transactions are those of the entries.
    fn find_ongoing(&mut self) {
        let ongoing = self.entries.iter();
        self.open.reset(ongoing.filter_map(|entry| Some((entry.transaction?, entry.id))));
    }

    /// Kafka: the end of UnifiedLog.loadProducersFromRecords.
    fn note_read(&mut self, read: &mut Vec<ProducerStateEntry>) {
        for entry in read.drain(..) {
            match self.find(entry.id) {
                Ok(index) => self.entries[index].update(&entry),
                Err(index) => self.entries.insert(index, entry),
            }
        }
    }

    fn forget_expired(&mut self, now: Instant, expiration: Expiration) {
        self.entries.retain(|entry| !is_expired(entry, now, expiration));
        self.recent = 0;
    }

    /// Whether the state is what the batches say: per producer id the same epoch and the same
    /// newest batches, however many of them a snapshot has left. Expired ids may be missing.
    pub(crate) fn agrees_with(&self, batches: &Batches) -> bool {
        let mut naive = self.forgotten.clone();
        for (producer, batch) in batches.iter().filter_map(|b| b.producer.map(|p| (p, b))) {
            match naive.binary_search_by_key(&producer.id, |entry| entry.id) {
                Ok(index) => _ = naive[index].append(producer, batch),
                Err(index) => naive.insert(index, ProducerStateEntry::new(producer, batch)),
            }
        }
        self.entries.iter().all(|entry| {
            let expected = naive.iter().find(|expected| expected.id == entry.id);
            expected.is_some_and(|expected| {
                let newest = entry.batches().rev().zip(expected.batches().rev());
                // An entry that has expired once has forgotten who sent its last marker.
                expected.epoch == entry.epoch
                    && expected.transaction == entry.transaction
                    && expected.coordinator_epoch >= entry.coordinator_epoch
                    && (entry.batches().len() == 0) == (expected.batches().len() == 0)
                    && newest.into_iter().all(|(known, logged)| known.is_same(logged))
            })
        }) && self.entries.iter().filter(|entry| entry.transaction.is_some()).count()
            == self.open.ongoing().len()
            && self.open.ongoing().iter().all(|(first, id)| {
                self.entry(*id).is_some_and(|entry| entry.transaction == Some(*first))
            })
    }
}
