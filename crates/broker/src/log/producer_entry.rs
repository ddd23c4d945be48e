//! What a replica remembers of one producer id.

use crate::log::transactions::CompletedTxn;
use inflight_protocol::transaction::{CoordinatorEpoch, Marker};
use inflight_protocol::{
    BatchKind, BatchProducer, ErrorCode, Offset, ProducerEpoch, ProducerId, RecordBatch, Sequence,
    Timestamp, TransactionVersion,
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

    /// Whether it is the same batch; a snapshot may have left it another time.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Self { timestamp: other.timestamp, ..*self } == *other
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
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProducerStateEntry {
    /// The producer id.
    pub(crate) id: ProducerId,
    /// The greatest record timestamp of the last batch, or the time of the last marker, which
    /// decides when the entry expires.
    pub(crate) last_timestamp: Timestamp,
    /// The first offset of the open transaction. Kafka: currentTxnFirstOffset.
    pub(crate) transaction: Option<Offset>,
    /// The term of the coordinator that sent the last marker.
    pub(crate) coordinator_epoch: Option<CoordinatorEpoch>,
    /// The producer epoch that all remembered batches have.
    pub(crate) epoch: ProducerEpoch,
    recent: Recent,
}

impl ProducerStateEntry {
    /// The entry of a producer id whose first known batch is this one.
    pub(crate) fn new(producer: BatchProducer, batch: &RecordBatch) -> Self {
        let mut entry = Self::without_batches(producer.id, producer.epoch, batch.max_timestamp);
        entry.append(producer, batch);
        entry
    }

    /// The entry of a producer id of which no batch is known.
    pub(crate) fn without_batches(
        id: ProducerId,
        epoch: ProducerEpoch,
        last_timestamp: Timestamp,
    ) -> Self {
        Self {
            id,
            last_timestamp,
            transaction: None,
            coordinator_epoch: None,
            epoch,
            recent: Recent::default(),
        }
    }

    /// The same producer, as a replay of further batches begins with it.
    /// Kafka: ProducerStateEntry.withProducerId.
    pub(crate) fn continued(&self) -> Self {
        Self { recent: Recent::default(), ..*self }
    }

    /// Notes an appended batch. A new epoch forgets the batches of the old one; a transactional
    /// batch opens a transaction; a marker ends it, and is told if there was one.
    /// Kafka: ProducerAppendInfo.appendDataBatch and appendEndTxnMarker, ProducerStateEntry.addBatch.
    #[inline]
    pub(crate) fn append(
        &mut self,
        producer: BatchProducer,
        batch: &RecordBatch,
    ) -> Option<CompletedTxn> {
        match batch.kind {
            BatchKind::Plain | BatchKind::Internal => self.add(producer, batch),
            BatchKind::Transactional => {
                self.add(producer, batch);
                self.transaction.get_or_insert(batch.base_offset);
            }
            // Without sequences, there is nothing to recognise.
            BatchKind::InternalTransactional => {
                self.move_to(producer.epoch);
                self.last_timestamp = batch.max_timestamp;
                self.transaction.get_or_insert(batch.base_offset);
            }
            BatchKind::Marker(marker) => return self.end_transaction(producer, batch, marker),
        }
        None
    }

    fn end_transaction(
        &mut self,
        producer: BatchProducer,
        batch: &RecordBatch,
        marker: Marker,
    ) -> Option<CompletedTxn> {
        self.move_to(producer.epoch);
        self.last_timestamp = batch.max_timestamp;
        self.coordinator_epoch = Some(marker.coordinator_epoch);
        let first = self.transaction.take()?;
        Some(CompletedTxn { id: self.id, first, last: batch.base_offset })
    }

    #[inline]
    fn add(&mut self, producer: BatchProducer, batch: &RecordBatch) {
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

    /// As [`ProducerStateEntry::append`] of a plain batch, from what a snapshot has kept.
    pub(crate) fn add_metadata(&mut self, epoch: ProducerEpoch, batch: BatchMetadata) {
        self.move_to(epoch);
        self.recent.push(batch);
        self.last_timestamp = batch.timestamp;
    }

    /// Kafka: ProducerStateEntry.maybeUpdateProducerEpoch.
    #[inline]
    fn move_to(&mut self, epoch: ProducerEpoch) {
        if self.epoch != epoch {
            self.recent.len = 0;
            self.epoch = epoch;
        }
    }

    /// Notes what several batches in a row have come to. If the epoch has changed among them and
    /// changed back, what was known before stays. Kafka: ProducerStateEntry.update.
    pub(crate) fn update(&mut self, next: &Self) {
        self.move_to(next.epoch);
        for batch in next.batches() {
            self.recent.push(*batch);
        }
        self.last_timestamp = next.last_timestamp;
        self.transaction = next.transaction;
        self.coordinator_epoch = next.coordinator_epoch;
    }

    /// Whether the producer has an open transaction of this epoch here.
    /// Kafka: UnifiedLog.hasOngoingTransaction.
    #[inline]
    pub(crate) fn has_ongoing(&self, epoch: ProducerEpoch) -> bool {
        self.transaction.is_some() && self.epoch == epoch
    }

    /// Whether a marker may be written. With version 2 its epoch is greater than that of the data,
    /// or the same if it was written before: the coordinator may not have heard of that. A marker
    /// of a former coordinator is fenced.
    /// Kafka: ProducerAppendInfo.checkProducerEpoch and checkCoordinatorEpoch.
    pub(crate) fn check_marker(
        &self,
        epoch: ProducerEpoch,
        marker: Marker,
        version: TransactionVersion,
    ) -> Result<(), ErrorCode> {
        let is_repeated =
            epoch == self.epoch && (self.transaction.is_none() || epoch == ProducerEpoch::MAX);
        let is_old = if version.bumps_epochs() {
            epoch <= self.epoch && !is_repeated
        } else {
            epoch < self.epoch
        };
        if is_old {
            return Err(ErrorCode::InvalidProducerEpoch);
        }
        if self.coordinator_epoch > Some(marker.coordinator_epoch) {
            return Err(ErrorCode::TransactionCoordinatorFenced);
        }
        Ok(())
    }

    /// Looks for exactly this batch among the remembered ones.
    /// Kafka: ProducerStateEntry.findDuplicateBatch.
    pub(crate) fn duplicate(&self, producer: BatchProducer, count: u32) -> Option<&BatchMetadata> {
        if self.epoch != producer.epoch {
            return None;
        }
        self.find(producer.base_sequence, count)
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
mod tests;
