//! What a replica remembers of one producer id.

use inflight_protocol::{
    BatchProducer, ErrorCode, Offset, ProducerEpoch, ProducerId, RecordBatch, Sequence, Timestamp,
};

/// How many batches are remembered per producer id: a client may have five in flight, and a retry
/// of any of them must be recognised. Kafka: ProducerStateEntry.NUM_BATCHES_TO_RETAIN.
pub(crate) const BATCHES_RETAINED: usize = 5;

/// A batch that was appended. Kafka: storage/internals/log/BatchMetadata.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BatchMetadata {
    /// The offset of its first record.
    pub(crate) first_offset: Offset,
    /// Its greatest record timestamp.
    pub(crate) timestamp: Timestamp,
    /// The sequence of its first record.
    pub(crate) first_sequence: Sequence,
    /// How many records.
    pub(crate) count: u32,
}

impl BatchMetadata {
    /// The sequence of its last record.
    #[inline]
    const fn last_sequence(&self) -> Sequence {
        self.first_sequence.plus(self.count - 1)
    }

    /// The offset after its last record.
    #[inline]
    pub(crate) const fn next_offset(&self) -> Offset {
        self.first_offset.plus(self.count as u64)
    }
}

/// The last five batches, oldest first.
#[derive(Clone, Copy, Debug, Default)]
struct Recent {
    ring: [BatchMetadata; BATCHES_RETAINED],
    oldest: u8,
    len: u8,
}

impl Recent {
    #[inline]
    fn get(&self, index: usize) -> &BatchMetadata {
        let at = self.oldest as usize + index;
        &self.ring[if at < BATCHES_RETAINED { at } else { at - BATCHES_RETAINED }]
    }

    #[inline]
    fn iter(&self) -> impl DoubleEndedIterator<Item = &BatchMetadata> + ExactSizeIterator {
        (0..self.len as usize).map(|index| self.get(index))
    }

    #[inline]
    fn last(&self) -> Option<&BatchMetadata> {
        self.len.checked_sub(1).map(|index| self.get(index as usize))
    }

    #[inline]
    fn push(&mut self, batch: BatchMetadata) {
        let at = (self.oldest as usize + self.len as usize) % BATCHES_RETAINED;
        self.ring[at] = batch;
        if self.len as usize == BATCHES_RETAINED {
            self.oldest = (self.oldest + 1) % BATCHES_RETAINED as u8;
        } else {
            self.len += 1;
        }
    }
}

/// What is to be done with a batch, as far as its producer id goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SequenceCheck {
    /// It may be appended.
    Accept,
    /// It was appended before.
    Duplicate(BatchMetadata),
    /// It must not be appended.
    Refuse(ErrorCode),
}

/// The state of one producer id in one replica. Kafka: storage/internals/log/ProducerStateEntry.
///
/// Transactions add the coordinator epoch and the first offset of the open transaction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProducerStateEntry {
    /// The producer id.
    pub(crate) id: ProducerId,
    /// The greatest record timestamp of the last batch, which decides when the entry expires.
    pub(crate) last_timestamp: Timestamp,
    /// The producer epoch that all remembered batches have.
    pub(crate) epoch: ProducerEpoch,
    recent: Recent,
}

impl ProducerStateEntry {
    /// The entry of a producer id whose first known batch is this one.
    pub(crate) fn new(producer: BatchProducer, batch: &RecordBatch) -> Self {
        let mut entry = Self::without_batches(producer.id, producer.epoch, batch.max_timestamp);
        entry.add(producer, batch);
        entry
    }

    /// The entry of a producer id of which no batch is known.
    pub(crate) fn without_batches(
        id: ProducerId,
        epoch: ProducerEpoch,
        last_timestamp: Timestamp,
    ) -> Self {
        Self { id, last_timestamp, epoch, recent: Recent::default() }
    }

    /// Notes an appended batch. A new epoch forgets the batches of the old one.
    /// Kafka: ProducerStateEntry.addBatch.
    #[inline]
    pub(crate) fn add(&mut self, producer: BatchProducer, batch: &RecordBatch) {
        self.add_metadata(
            producer.epoch,
            BatchMetadata {
                first_offset: batch.base_offset,
                timestamp: batch.max_timestamp,
                first_sequence: producer.base_sequence,
                count: batch.records.count,
            },
        );
    }

    /// As [`ProducerStateEntry::add`], from what a snapshot has kept.
    pub(crate) fn add_metadata(&mut self, epoch: ProducerEpoch, batch: BatchMetadata) {
        if self.epoch != epoch {
            self.recent.len = 0;
            self.epoch = epoch;
        }
        self.recent.push(batch);
        self.last_timestamp = batch.timestamp;
    }

    /// Notes what several batches in a row have come to. If the epoch has changed among them and
    /// changed back, what was known before stays. Kafka: ProducerStateEntry.update.
    pub(crate) fn update(&mut self, next: &Self) {
        for batch in next.batches() {
            self.add_metadata(next.epoch, *batch);
        }
    }

    /// The last batch.
    pub(crate) fn last(&self) -> Option<&BatchMetadata> {
        self.recent.last()
    }

    /// The remembered batches, oldest first.
    pub(crate) fn batches(
        &self,
    ) -> impl DoubleEndedIterator<Item = &BatchMetadata> + ExactSizeIterator {
        self.recent.iter()
    }

    /// Looks for the batch among the remembered ones, then at its epoch, then at its sequence.
    /// Kafka: UnifiedLog.analyzeAndValidateProducerState, ProducerStateEntry.findDuplicateBatch,
    /// ProducerAppendInfo.checkProducerEpoch and checkSequence.
    #[inline]
    pub(crate) fn check(&self, producer: BatchProducer, count: u32) -> SequenceCheck {
        let last = self.recent.last();
        if self.epoch == producer.epoch {
            // Even what directly follows the last batch may be a repeat: a leader that has
            // forgotten the producer takes older sequences, and its followers, which have not, note
            // them behind the newer ones.
            if let Some(known) = self.find(producer.base_sequence, count) {
                return SequenceCheck::Duplicate(*known);
            }
            if last.is_some_and(|last| producer.base_sequence.follows(last.last_sequence())) {
                return SequenceCheck::Accept;
            }
        }
        if producer.epoch < self.epoch {
            return SequenceCheck::Refuse(ErrorCode::InvalidProducerEpoch);
        }
        // A new epoch starts at 0, and so does one of which no batch is known.
        let starts_anew = self.epoch != producer.epoch || last.is_none();
        if starts_anew && producer.base_sequence == Sequence::ZERO {
            return SequenceCheck::Accept;
        }
        SequenceCheck::Refuse(ErrorCode::OutOfOrderSequenceNumber)
    }

    /// The remembered batch of exactly these sequences.
    /// Kafka: ProducerStateEntry.batchWithSequenceRange.
    fn find(&self, first: Sequence, count: u32) -> Option<&BatchMetadata> {
        self.recent.iter().find(|known| known.first_sequence == first && known.count == count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use inflight_protocol::RecordRun;

    fn producer(epoch: i16, sequence: i32) -> BatchProducer {
        BatchProducer {
            id: ProducerId::new(9),
            base_sequence: Sequence::new(sequence).unwrap(),
            epoch: ProducerEpoch::new(epoch),
        }
    }

    fn batch(offset: u64, count: u32) -> RecordBatch {
        RecordBatch {
            kind: inflight_protocol::BatchKind::Plain,
            base_offset: Offset::new(offset),
            records: RecordRun { count, ..RecordRun::default() },
            producer: None,
            max_timestamp: Timestamp::RUN_START,
            bytes: 100,
            leader_epoch: inflight_protocol::LeaderEpoch::new(0),
        }
    }

    /// Epoch 3 with the sequences 0-4 at 100, 5-9 at 105 and 10 at 110 (broker.md, section 10).
    fn three_batches() -> ProducerStateEntry {
        let mut entry = ProducerStateEntry::new(producer(3, 0), &batch(100, 5));
        entry.add(producer(3, 5), &batch(105, 5));
        entry.add(producer(3, 10), &batch(110, 1));
        entry
    }

    #[derive(Debug, PartialEq, Eq)]
    enum Seen {
        Appended,
        Known(u64),
        Refused(i16),
    }

    fn check(entry: &ProducerStateEntry, epoch: i16, first: i32, last: i32) -> Seen {
        let count = (i64::from(last) - i64::from(first)).rem_euclid(1 << 31) as u32 + 1;
        match entry.check(producer(epoch, first), count) {
            SequenceCheck::Accept => Seen::Appended,
            SequenceCheck::Duplicate(known) => Seen::Known(known.first_offset.get()),
            SequenceCheck::Refuse(error) => Seen::Refused(error.number()),
        }
    }

    #[test]
    fn a_batch_is_known_next_or_out_of_order() {
        let entry = three_batches();
        for (epoch, first, last, expected) in [
            (3, 5, 9, Seen::Known(105)),
            (3, 0, 4, Seen::Known(100)),
            (3, 10, 10, Seen::Known(110)),
            (3, 5, 10, Seen::Refused(45)),
            (3, 6, 9, Seen::Refused(45)),
            (3, 11, 12, Seen::Appended),
            (3, 12, 13, Seen::Refused(45)),
            (2, 11, 12, Seen::Refused(47)),
            (2, 5, 9, Seen::Refused(47)),
            (4, 0, 1, Seen::Appended),
            (4, 1, 2, Seen::Refused(45)),
        ] {
            assert_eq!(check(&entry, epoch, first, last), expected, "e{epoch} {first}-{last}");
        }
    }

    #[test]
    fn a_new_epoch_forgets_the_batches_of_the_old_one() {
        let mut entry = three_batches();
        entry.add(producer(4, 0), &batch(111, 2));
        assert_eq!(entry.batches().len(), 1);
        assert_eq!(check(&entry, 4, 0, 1), Seen::Known(111));
        assert_eq!(check(&entry, 3, 5, 9), Seen::Refused(47), "only equal epochs are compared");
    }

    #[test]
    fn the_sixth_batch_back_is_not_recognised() {
        let mut entry = ProducerStateEntry::new(producer(0, 0), &batch(0, 1));
        for sequence in 1..=5 {
            assert_eq!(check(&entry, 0, 0, 0), Seen::Known(0), "before batch {sequence}");
            entry.add(producer(0, sequence), &batch(sequence as u64, 1));
        }
        assert_eq!(check(&entry, 0, 0, 0), Seen::Refused(45));
        assert_eq!(check(&entry, 0, 1, 1), Seen::Known(1));
    }

    #[test]
    fn sequences_go_on_behind_the_greatest_number() {
        let near = i32::MAX - 1;
        let mut entry = ProducerStateEntry::new(producer(0, near), &batch(0, 2));
        assert_eq!(check(&entry, 0, 0, 3), Seen::Appended);
        entry.add(producer(0, 0), &batch(2, 4));
        assert_eq!(check(&entry, 0, near, i32::MAX), Seen::Known(0));
        // A batch may straddle the wrap.
        let mut entry = ProducerStateEntry::new(producer(0, near), &batch(0, 1));
        assert_eq!(check(&entry, 0, i32::MAX, 1), Seen::Appended);
        entry.add(producer(0, i32::MAX), &batch(1, 3));
        assert_eq!(check(&entry, 0, i32::MAX, 1), Seen::Known(1));
        assert_eq!(check(&entry, 0, 2, 2), Seen::Appended);
    }

    #[test]
    fn what_follows_the_last_batch_may_be_a_repeat() {
        // A leader that had forgotten the producer has taken 0-4 behind 5-9.
        let mut entry = ProducerStateEntry::new(producer(0, 5), &batch(0, 5));
        entry.add(producer(0, 0), &batch(5, 5));
        assert_eq!(check(&entry, 0, 5, 9), Seen::Known(0));
        assert_eq!(check(&entry, 0, 5, 8), Seen::Appended);
    }

    #[test]
    fn without_a_known_batch_the_epoch_starts_at_zero() {
        let id = ProducerId::new(9);
        let entry =
            ProducerStateEntry::without_batches(id, ProducerEpoch::new(3), Timestamp::RUN_START);
        assert_eq!(check(&entry, 3, 0, 0), Seen::Appended);
        assert_eq!(check(&entry, 3, 7, 7), Seen::Refused(45));
    }
}
