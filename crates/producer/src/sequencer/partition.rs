//! The sequence numbers of one partition. Kafka: clients/producer/internals/TxnPartitionEntry.

use super::Rewrite;
use crate::accumulator::Batches;
use crate::batch::BatchSlot;
use inflight_protocol::{
    BatchProducer, Offset, ProducerEpoch, ProducerId, ProducerIdAndEpoch, Sequence,
};
use smallvec::SmallVec;

/// Kafka's sentinel, kept as the number that it is: sequences are compared with it.
const NONE_ACKED: i32 = -1;

#[derive(Clone, Debug)]
pub(super) struct PartitionSequence {
    pub(super) id_and_epoch: Option<ProducerIdAndEpoch>,
    pub(super) next_sequence: Sequence,
    pub(super) last_acked_sequence: i32,
    /// Kept for transactions only.
    pub(super) last_acked_offset: Option<Offset>,
    /// Batches that were drained and are neither done nor failed, retries included, in order of
    /// (producer id, epoch, sequence).
    in_flight: SmallVec<[BatchSlot; 6]>,
}

impl Default for PartitionSequence {
    fn default() -> Self {
        Self {
            id_and_epoch: None,
            next_sequence: Sequence::ZERO,
            last_acked_sequence: NONE_ACKED,
            last_acked_offset: None,
            in_flight: SmallVec::new(),
        }
    }
}

type Key = (ProducerId, ProducerEpoch, i32);

fn key(slot: BatchSlot, batches: &Batches) -> Key {
    let producer = batches[slot].producer.expect("only a batch with a sequence is tracked");
    (producer.id, producer.epoch, producer.base_sequence.get())
}

impl PartitionSequence {
    #[inline]
    pub(super) fn has_in_flight(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// Kafka: TransactionManager.firstInFlightSequence.
    pub(super) fn first_in_flight_sequence(&self, batches: &Batches) -> Option<Sequence> {
        let first = self.in_flight.first()?;
        batches[*first].producer.map(|producer| producer.base_sequence)
    }

    /// Kafka: TransactionManager.isNextSequence, with the plain difference that it takes.
    pub(super) fn is_next(&self, sequence: i32) -> bool {
        sequence.wrapping_sub(self.last_acked_sequence) == 1
    }

    /// A set: of two batches with one key the first stays.
    pub(super) fn track(&mut self, slot: BatchSlot, batches: &Batches) {
        let new = key(slot, batches);
        if let Err(place) = self.in_flight.binary_search_by_key(&new, |other| key(*other, batches))
        {
            self.in_flight.insert(place, slot);
        }
    }

    pub(super) fn untrack(&mut self, slot: BatchSlot, batches: &Batches) {
        if batches[slot].producer.is_some() {
            self.in_flight.retain(|other| *other != slot);
        }
    }

    /// Kafka: startSequencesAtBeginning.
    pub(super) fn start_at_beginning(
        &mut self,
        id_and_epoch: Option<ProducerIdAndEpoch>,
        batches: &mut Batches,
        rewrites: &mut SmallVec<[Rewrite; 5]>,
    ) {
        let mut sequence = Sequence::ZERO;
        for slot in &self.in_flight {
            let batch = &mut batches[*slot];
            let before = batch.producer.expect("only a batch with a sequence is tracked");
            // Without an id (the epoch was exhausted) the old one stays on the batch, as it would
            // be refused in any case; a new id comes before anything is sent.
            let identity = id_and_epoch.unwrap_or(before.id_and_epoch());
            batch.producer = Some(BatchProducer {
                id: identity.id,
                epoch: identity.epoch,
                base_sequence: sequence,
            });
            batch.sequence_has_been_reset = true;
            rewrites.push(Rewrite { slot: *slot, from: before.base_sequence, to: sequence });
            sequence = sequence.plus(batch.records.count);
        }
        self.id_and_epoch = id_and_epoch;
        self.next_sequence = sequence;
        self.last_acked_sequence = NONE_ACKED;
    }

    /// `count` sequences from `base` on were never used: what is behind them moves up. Nothing is
    /// done if that made a sequence negative.
    pub(super) fn move_up(
        &mut self,
        base: i32,
        count: i32,
        batches: &mut Batches,
        rewrites: &mut SmallVec<[Rewrite; 5]>,
    ) {
        let Some(next) = Sequence::new(self.next_sequence.get() - count) else { return };
        self.next_sequence = next;
        for slot in &self.in_flight {
            let batch = &mut batches[*slot];
            let before = batch.producer.expect("only a batch with a sequence is tracked");
            let from = before.base_sequence;
            if from.get() < base {
                continue;
            }
            let Some(to) = Sequence::new(from.get() - count) else { return };
            batch.producer = Some(BatchProducer { base_sequence: to, ..before });
            batch.sequence_has_been_reset = true;
            rewrites.push(Rewrite { slot: *slot, from, to });
        }
    }
}
