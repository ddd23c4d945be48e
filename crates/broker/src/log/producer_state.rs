//! What a replica remembers of all producer ids that wrote to it.
//!
//! Kafka: storage/internals/log/ProducerStateManager. The state follows from the log: leaders and
//! followers build it batch by batch, and after a truncation or a restart it is built again from
//! the newest snapshot and the batches behind it. Snapshots keep one batch per producer id, so a
//! restarted replica recognises less than it did before.

use crate::log::batches::Batches;
use crate::log::producer_entry::{ProducerStateEntry, SequenceCheck};
use crate::log::segments::Segments;
use crate::log::snapshots::Snapshots;
use inflight_des::{Instant, Span};
use inflight_protocol::{BatchProducer, Offset, ProducerId, RecordBatch, Timestamp};

/// The settings that decide when a producer id is forgotten.
/// Kafka: storage/internals/log/ProducerStateManagerConfig.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expiration {
    /// producer.id.expiration.ms
    pub(crate) after: Span,
    /// producer.id.expiration.check.interval.ms
    pub(crate) check_interval: Span,
}

impl Expiration {
    /// Whether a producer id is forgotten by a check at `now`. The age is that of the record
    /// timestamps, not of the append. Kafka: ProducerStateManager.isProducerExpired.
    fn is_over(&self, last_timestamp: Timestamp, now: Instant) -> bool {
        Timestamp::at(now).get() - last_timestamp.get() >= self.after.as_millis() as i64
    }
}

/// The state of all producer ids in one replica. Kafka: ProducerStateManager.
#[derive(Debug)]
pub(crate) struct ProducerStateManager {
    /// In ascending order of producer ids.
    entries: Vec<ProducerStateEntry>,
    /// Where the last one was found.
    recent: usize,
    snapshots: Snapshots,
    /// What a rebuild would find behind the batches that memory has forgotten.
    forgotten: Vec<ProducerStateEntry>,
    next_check: Instant,
}

inflight_des::clone_fields!(ProducerStateManager {
    entries,
    recent,
    snapshots,
    forgotten,
    next_check,
});

impl ProducerStateManager {
    /// No producer id is known. The first check for expired ones is an interval away.
    pub(crate) fn new(opened: Instant, expiration: Expiration) -> Self {
        Self {
            entries: Vec::new(),
            recent: 0,
            snapshots: Snapshots::default(),
            forgotten: Vec::new(),
            next_check: opened + expiration.check_interval,
        }
    }

    /// The entries in ascending order of producer ids.
    pub(crate) fn entries(&self) -> &[ProducerStateEntry] {
        &self.entries
    }

    /// Does what the periodic checks since the last call would have done, and tells the producer
    /// ids that they forgot. Nobody looks at the state in between, so they need no event of their
    /// own. Kafka: UnifiedLog.producerExpireCheck, ProducerStateManager.removeExpiredProducers.
    #[inline]
    pub(crate) fn expire(
        &mut self,
        now: Instant,
        expiration: Expiration,
        forgot: impl FnMut(ProducerId),
    ) {
        if now >= self.next_check {
            self.expire_at_last_check(now, expiration, forgot);
        }
    }

    #[cold]
    fn expire_at_last_check(
        &mut self,
        now: Instant,
        expiration: Expiration,
        mut forgot: impl FnMut(ProducerId),
    ) {
        let interval = expiration.check_interval.as_nanos().max(1);
        let passed = now.since(self.next_check).as_nanos() / interval;
        // Entries only get older, so of several checks the last one decides.
        let last_check = self.next_check + Span::from_nanos(passed * interval);
        self.next_check = last_check + Span::from_nanos(interval);
        self.entries.retain(|entry| {
            let over = expiration.is_over(entry.last_timestamp, last_check);
            if over {
                forgot(entry.id);
            }
            !over
        });
        self.recent = 0;
    }

    /// What is to be done with a batch from a producer. Without any state every sequence is
    /// accepted. Kafka: UnifiedLog.analyzeAndValidateProducerState for AppendOrigin.CLIENT.
    #[inline]
    pub(crate) fn check(&mut self, producer: BatchProducer, count: u32) -> SequenceCheck {
        match self.find(producer.id) {
            Ok(index) => self.entries[index].check(producer, count),
            Err(_) => SequenceCheck::Accept,
        }
    }

    /// Notes an appended batch, from a producer or from the leader.
    /// Kafka: ProducerStateManager.update.
    #[inline]
    pub(crate) fn update(&mut self, batch: &RecordBatch) {
        let Some(producer) = batch.producer else { return };
        match self.find(producer.id) {
            Ok(index) => self.entries[index].add(producer, batch),
            Err(index) => {
                self.entries.insert(index, ProducerStateEntry::new(producer, batch));
                self.recent = index;
            }
        }
    }

    /// The position of a producer id, or where it belongs.
    #[inline]
    fn find(&mut self, id: ProducerId) -> Result<usize, usize> {
        if self.entries.get(self.recent).is_some_and(|entry| entry.id == id) {
            return Ok(self.recent);
        }
        let found = self.entries.binary_search_by_key(&id, |entry| entry.id);
        if let Ok(index) = found {
            self.recent = index;
        }
        found
    }

    /// Writes a snapshot of the state at `offset`.
    pub(crate) fn take_snapshot(&mut self, offset: Offset) {
        self.snapshots.take(offset, &self.entries);
    }

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
        let start = snapshot.unwrap_or_else(|| batches.kept_from());
        let mut read = Vec::new();
        for batch in batches.from(start).take_while(|batch| batch.base_offset < end) {
            if segments.starts_at(batch.base_offset) {
                self.note_read(&mut read);
            }
            if segments.last_two().any(|base| base == batch.base_offset) {
                self.snapshots.take(batch.base_offset, &self.entries);
            }
            Self::read(&mut read, batch);
        }
        self.note_read(&mut read);
    }

    /// A replay has come to a batch: what is `read` of a segment is noted at its end only.
    /// Kafka: UnifiedLog.updateProducers, ProducerStateManager.prepareUpdate.
    fn read(read: &mut Vec<ProducerStateEntry>, batch: &RecordBatch) {
        let Some(producer) = batch.producer else { return };
        if let Some(entry) = read.iter_mut().find(|entry| entry.id == producer.id) {
            entry.add(producer, batch);
            return;
        }
        read.push(ProducerStateEntry::new(producer, batch));
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
        self.entries.retain(|entry| !expiration.is_over(entry.last_timestamp, now));
        self.recent = 0;
    }

    /// Loses what is in memory.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.recent = 0;
    }

    /// Memory is about to forget a batch: what a rebuild would learn from it is kept instead.
    pub(crate) fn forget(&mut self, batch: &RecordBatch) {
        if self.snapshots.has(batch.base_offset) {
            self.snapshots.load(batch.base_offset, &mut self.forgotten);
        }
        let Some(producer) = batch.producer else { return };
        match self.forgotten.binary_search_by_key(&producer.id, |entry| entry.id) {
            Ok(index) => self.forgotten[index].add(producer, batch),
            Err(index) => self.forgotten.insert(index, ProducerStateEntry::new(producer, batch)),
        }
    }

    /// Drops the snapshots that no rebuild can need any more.
    pub(crate) fn forget_snapshots_below(&mut self, offset: Offset) {
        self.snapshots.retain(|snapshot| snapshot >= offset);
    }

    /// Whether the state is what the batches say: per producer id the same epoch and the same
    /// newest batches, however many of them a snapshot has left. Expired ids may be missing.
    pub(crate) fn agrees_with(&self, batches: &Batches) -> bool {
        let mut naive = self.forgotten.clone();
        for (producer, batch) in batches.iter().filter_map(|b| b.producer.map(|p| (p, b))) {
            match naive.binary_search_by_key(&producer.id, |entry| entry.id) {
                Ok(index) => naive[index].add(producer, batch),
                Err(index) => naive.insert(index, ProducerStateEntry::new(producer, batch)),
            }
        }
        self.entries.iter().all(|entry| {
            let expected = naive.iter().find(|expected| expected.id == entry.id);
            expected.is_some_and(|expected| {
                let newest = entry.batches().rev().zip(expected.batches().rev());
                expected.epoch == entry.epoch
                    && (entry.batches().len() == 0) == (expected.batches().len() == 0)
                    && newest.into_iter().all(|(known, logged)| known == logged)
            })
        })
    }
}
