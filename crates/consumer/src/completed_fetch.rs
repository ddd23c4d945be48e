//! What a fetch brought for one partition, until it is returned.
//! Kafka: clients/consumer/internals/CompletedFetch.

use inflight_protocol::message::{AbortedTransaction, IsolationLevel};
use inflight_protocol::{
    BatchKind, ErrorCode, LeaderEpoch, Offset, ProducerId, RecordBatch, RecordRun, TopicPartition,
    TransactionResult,
};
use smallvec::SmallVec;
use std::collections::VecDeque;

/// Records of one batch, or a whole batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// They are returned.
    Records(Offset, RecordRun),
    /// They are of an aborted transaction.
    Aborted(Offset, u32, ProducerId),
}

/// What a fetch brought for one partition.
#[derive(Clone, Debug)]
pub(crate) struct CompletedFetch {
    pub(crate) partition: TopicPartition,
    pub(crate) error: Option<ErrorCode>,
    /// Whether the position was compared. Kafka: isInitialized.
    pub(crate) is_initialized: bool,
    /// Whether nothing more is to be had from it. Kafka: isConsumed.
    pub(crate) is_consumed: bool,
    /// Whether records of it were returned. Kafka: bytesRead.
    has_returned: bool,
    /// Whether somebody asked for more than there was. Kafka: isExhausted.
    is_exhausted: bool,
    isolation: IsolationLevel,
    next_offset: Offset,
    last_epoch: Option<LeaderEpoch>,
    batches: VecDeque<RecordBatch>,
    /// The batch whose records are being returned.
    current: Option<RecordBatch>,
    /// In the order of their first offsets, the first one last.
    aborted: SmallVec<[AbortedTransaction; 2]>,
    /// The producers whose transaction is being skipped.
    aborted_producers: SmallVec<[ProducerId; 2]>,
}

impl CompletedFetch {
    pub(crate) fn new(
        partition: TopicPartition,
        fetched_from: Offset,
        isolation: IsolationLevel,
        error: Option<ErrorCode>,
        batches: impl IntoIterator<Item = RecordBatch>,
        aborted: impl IntoIterator<Item = AbortedTransaction>,
    ) -> Self {
        let mut aborted: SmallVec<[AbortedTransaction; 2]> = aborted.into_iter().collect();
        aborted.sort_by_key(|aborted| std::cmp::Reverse(aborted.first_offset));
        Self {
            partition,
            error,
            is_initialized: false,
            is_consumed: false,
            has_returned: false,
            is_exhausted: false,
            isolation,
            next_offset: fetched_from,
            last_epoch: None,
            batches: batches.into_iter().collect(),
            current: None,
            aborted,
            aborted_producers: SmallVec::new(),
        }
    }

    /// Kafka: nextFetchOffset.
    pub(crate) const fn next_offset(&self) -> Offset {
        self.next_offset
    }

    /// The leader epoch of the last batch looked at. Kafka: lastEpoch.
    pub(crate) const fn last_epoch(&self) -> Option<LeaderEpoch> {
        self.last_epoch
    }

    /// Whether somebody asked for more than there was.
    pub(crate) const fn is_exhausted(&self) -> bool {
        self.is_exhausted
    }

    /// Nothing more is to be had from it. Returns whether anything was.
    /// Kafka: drain, which then moves the partition behind the others.
    pub(crate) fn drain(&mut self) -> bool {
        let first_time = !self.is_consumed;
        self.is_consumed = true;
        first_time && self.has_returned
    }

    /// Takes up to `most` records, and whatever control batches and aborted batches lie before and
    /// between them. Returns how many records. Kafka: fetchRecords, nextFetchedRecord.
    pub(crate) fn take(&mut self, most: u32, mut piece: impl FnMut(Piece)) -> u32 {
        let mut taken = 0;
        while taken < most {
            let Some(batch) = self.current.take() else {
                match self.batches.pop_front() {
                    Some(batch) => self.open(batch, &mut piece),
                    None => {
                        self.is_exhausted = true;
                        break;
                    }
                }
                continue;
            };
            let skipped = self.next_offset.get().saturating_sub(batch.base_offset.get()) as u32;
            let count = (batch.records.count - skipped).min(most - taken);
            let first = batch.records.first + u64::from(skipped);
            let base = batch.base_offset.plus(skipped.into());
            piece(Piece::Records(base, RecordRun { first, count, ..batch.records }));
            taken += count;
            self.has_returned = true;
            self.next_offset = base.plus(count.into());
            if self.next_offset < batch.next_offset() {
                self.current = Some(batch);
            }
        }
        taken
    }

    /// The next batch: its records are to be returned, or it is passed.
    fn open(&mut self, batch: RecordBatch, piece: &mut impl FnMut(Piece)) {
        self.last_epoch = Some(batch.leader_epoch);
        if batch.next_offset() <= self.next_offset {
            return;
        }
        if self.isolation == IsolationLevel::ReadCommitted
            && let Some(producer) = batch.producer
        {
            self.consume_aborted_up_to(batch.last_offset());
            let is_aborted = self.aborted_producers.contains(&producer.id);
            match batch.kind {
                BatchKind::Marker(marker) if marker.result == TransactionResult::Abort => {
                    self.aborted_producers.retain(|id| *id != producer.id);
                }
                kind if kind.is_transactional() && is_aborted => {
                    let base = self.next_offset.max(batch.base_offset);
                    let count = (batch.next_offset().get() - base.get()) as u32;
                    if !kind.is_control() {
                        piece(Piece::Aborted(base, count, producer.id));
                    }
                    self.next_offset = batch.next_offset();
                    return;
                }
                _ => {}
            }
        }
        if batch.kind.is_control() {
            self.next_offset = batch.next_offset();
        } else {
            self.current = Some(batch);
        }
    }

    /// Kafka: consumeAbortedTransactionsUpTo.
    fn consume_aborted_up_to(&mut self, offset: Offset) {
        while let Some(next) = self.aborted.last().filter(|next| next.first_offset <= offset) {
            if !self.aborted_producers.contains(&next.producer_id) {
                self.aborted_producers.push(next.producer_id);
            }
            self.aborted.pop();
        }
    }
}

#[cfg(test)]
mod tests;
