//! Sequence numbers of a transactional producer, where it parts from an idempotent one: it raises
//! no epoch by itself, so what cannot be retried fails, and later batches move up.
//! Kafka: the branches of TransactionManager that ask for isTransactional().

use super::{Rewrite, Sequencer};
use crate::accumulator::Batches;
use crate::batch::BatchSlot;
use crate::transaction_manager::PartitionSet;
use inflight_protocol::error_code::ErrorCode;
use inflight_protocol::message::ProducePartitionResponse;
use inflight_protocol::{Offset, ProducerId, ProducerIdAndEpoch, TopicPartition};
use smallvec::SmallVec;

/// Batches whose sequences changed.
pub(crate) type Rewrites = SmallVec<[Rewrite; 5]>;

impl Sequencer {
    /// For a producer with a transactional id.
    pub(crate) fn transactional(partitions: usize) -> Self {
        Self { in_transaction: Some(PartitionSet::default()), ..Self::new(partitions) }
    }

    /// The partitions that records may be sent to. Kafka: partitionsInTransaction.
    pub(crate) fn partitions_in_transaction(&mut self) -> &mut PartitionSet {
        self.in_transaction.get_or_insert_default()
    }

    /// Kafka: setProducerIdAndEpoch. Returns the producer id before.
    pub(crate) fn set_id_and_epoch(&mut self, producer: ProducerIdAndEpoch) -> Option<ProducerId> {
        self.id_and_epoch.replace(producer).map(|before| before.id)
    }

    /// Every partition starts anew. Kafka: resetSequenceNumbers.
    pub(crate) fn reset_all(&mut self) {
        self.partitions.iter_mut().for_each(|entry| *entry = Default::default());
        self.unresolved.clear();
    }

    /// A partition starts anew. Kafka: resetSequenceForPartition.
    pub(crate) fn reset(&mut self, partition: TopicPartition) {
        *self.at_mut(partition) = Default::default();
        self.unresolved.retain(|(other, _)| *other != partition);
    }

    /// A batch was certainly not written: those behind it move up. Kafka:
    /// adjustSequencesDueToFailedBatch, which throws where this has nothing to say.
    pub(crate) fn move_up(&mut self, slot: BatchSlot, batches: &mut Batches) -> Rewrites {
        let mut rewrites = Rewrites::new();
        let batch = &batches[slot];
        if let Some(producer) = batch.producer {
            let (partition, count) = (batch.partition, batch.records.count as i32);
            let entry = self.at_mut(partition);
            entry.move_up(producer.base_sequence.get(), count, batches, &mut rewrites);
        }
        rewrites
    }

    /// Where the last record of a batch lies. Kafka: updateLastAckedOffset.
    pub(crate) fn acked_at(&mut self, slot: BatchSlot, base: Option<Offset>, batches: &Batches) {
        let batch = &batches[slot];
        let last = base.map(|base| base.plus(u64::from(batch.records.count) - 1));
        let entry = self.at_mut(batch.partition);
        entry.last_acked_offset = entry.last_acked_offset.max(last);
    }

    /// Whether an error permits another attempt, perhaps with other sequences. Kafka: canRetry.
    pub(crate) fn can_retry_in_transaction(
        &mut self,
        slot: BatchSlot,
        error: ErrorCode,
        response: &ProducePartitionResponse,
        batches: &mut Batches,
    ) -> (bool, Rewrites) {
        let batch = &batches[slot];
        let partition = batch.partition;
        let mut rewrites = Rewrites::new();
        let retries = match error {
            ErrorCode::UnknownProducerId => match response.log_start_offset {
                None => true,
                Some(_) if batch.sequence_has_been_reset => true,
                // The log's head went, and the producer's state with it.
                start if self.at(partition).last_acked_offset < start => {
                    let id_and_epoch = self.id_and_epoch;
                    let entry = self.at_mut(partition);
                    entry.start_at_beginning(id_and_epoch, batches, &mut rewrites);
                    true
                }
                Some(_) => false,
            },
            ErrorCode::OutOfOrderSequenceNumber => {
                let base = batch.producer.map(|producer| producer.base_sequence.get());
                let is_next = base.is_some_and(|base| self.at(partition).is_next(base));
                let earlier_is_missing = batch.sequence_has_been_reset || !is_next;
                !self.is_unresolved(partition) && earlier_is_missing
            }
            other => other.is_retriable(),
        };
        (retries, rewrites)
    }

    /// Clears partitions in doubt that have nothing in flight any more. Returns for how many of
    /// them a sequence is lost. Kafka: maybeResolveSequences.
    #[inline]
    pub(crate) fn resolve_in_transaction(&mut self) -> usize {
        if self.unresolved.is_empty() {
            return 0;
        }
        let mut lost = 0;
        let partitions = &self.partitions;
        self.unresolved.retain(|(partition, _)| {
            let entry = &partitions[partition.index()];
            let in_flight = entry.has_in_flight();
            lost += usize::from(!in_flight && !entry.is_next(entry.next_sequence.get()));
            in_flight
        });
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::ProducerBatch;
    use inflight_protocol::{ProducerEpoch, RecordRun, Sequence};

    const P0: TopicPartition = TopicPartition::new(0);

    /// A sequencer with batches of these record counts in flight.
    fn with_in_flight(counts: &[u32]) -> (Sequencer, Batches, Vec<BatchSlot>) {
        let mut sequencer = Sequencer::transactional(1);
        sequencer.set_id_and_epoch(ProducerIdAndEpoch {
            id: ProducerId::new(7),
            epoch: ProducerEpoch::new(2),
        });
        let mut batches = Batches::new();
        let slots = counts
            .iter()
            .map(|count| {
                let slot = batches.insert(ProducerBatch::default());
                batches[slot].records = RecordRun { count: *count, ..RecordRun::default() };
                sequencer.assign(slot, &mut batches);
                slot
            })
            .collect();
        (sequencer, batches, slots)
    }

    fn sequences(batches: &Batches, slots: &[BatchSlot]) -> Vec<i32> {
        let sequence = |slot: &BatchSlot| {
            batches[*slot].producer.map_or(-1, |producer| producer.base_sequence.get())
        };
        slots.iter().map(sequence).collect()
    }

    /// TxnPartitionMap.adjustSequencesDueToFailedBatch.
    #[test]
    fn batches_behind_one_that_was_not_written_move_up() {
        let (mut sequencer, mut batches, slots) = with_in_flight(&[3, 2, 4]);
        assert_eq!(sequences(&batches, &slots), [0, 3, 5]);
        sequencer.untrack(slots[1], &batches);
        let rewrites = sequencer.move_up(slots[1], &mut batches);
        assert_eq!(sequences(&batches, &slots), [0, 3, 3]);
        assert_eq!((rewrites.len(), rewrites[0].slot), (1, slots[2]));
        assert_eq!(sequencer.at(P0).next_sequence.get(), 7);
        assert!(batches[slots[2]].sequence_has_been_reset);
    }

    /// Kafka throws then, and Sender.failBatch catches it.
    #[test]
    fn no_sequence_becomes_negative() {
        let (mut sequencer, mut batches, slots) = with_in_flight(&[3]);
        sequencer.reset(P0);
        assert!(sequencer.move_up(slots[0], &mut batches).is_empty());
        assert_eq!(sequencer.at(P0).next_sequence, Sequence::ZERO);
    }

    fn answer(log_start: Option<u64>) -> ProducePartitionResponse {
        ProducePartitionResponse {
            partition: P0,
            error: None,
            base_offset: None,
            log_append_time: None,
            log_start_offset: log_start.map(Offset::new),
            current_leader: None,
        }
    }

    /// TransactionManager.canRetry: if the log starts after all that was acknowledged, the leader
    /// has forgotten the producer, and a batch may start at 0 again.
    #[test]
    fn a_producer_that_retention_made_unknown_starts_again() {
        let error = ErrorCode::UnknownProducerId;
        let (mut sequencer, mut batches, slots) = with_in_flight(&[2, 1, 1]);
        sequencer.completed(slots[0], &batches);
        sequencer.acked_at(slots[0], Some(Offset::new(10)), &batches);
        let ask = |sequencer: &mut Sequencer, batches: &mut Batches, slot, start| {
            sequencer.can_retry_in_transaction(slot, error, &answer(start), batches)
        };
        assert!(ask(&mut sequencer, &mut batches, slots[1], None).0, "it is not known why");
        assert!(!ask(&mut sequencer, &mut batches, slots[1], Some(11)).0, "11 was acknowledged");
        let (retries, rewrites) = ask(&mut sequencer, &mut batches, slots[1], Some(12));
        assert!(retries);
        assert_eq!(rewrites.len(), 2);
        assert_eq!(sequences(&batches, &slots[1..]), [0, 1]);
        assert!(ask(&mut sequencer, &mut batches, slots[2], Some(0)).0, "it was reset just now");
    }

    #[test]
    fn a_batch_out_of_order_is_retried_only_if_an_earlier_one_is_missing() {
        let error = ErrorCode::OutOfOrderSequenceNumber;
        let (mut sequencer, mut batches, slots) = with_in_flight(&[2, 1]);
        let later =
            sequencer.can_retry_in_transaction(slots[1], error, &answer(None), &mut batches);
        let next = sequencer.can_retry_in_transaction(slots[0], error, &answer(None), &mut batches);
        assert_eq!((later.0, next.0), (true, false));
    }

    /// testMaybeResolveSequencesTransactionalProducer.
    #[test]
    fn a_sequence_is_lost_if_the_last_batches_were_never_acknowledged() {
        let (mut sequencer, batches, slots) = with_in_flight(&[2, 1]);
        sequencer.mark_unresolved(slots[0], &batches);
        assert_eq!(sequencer.resolve_in_transaction(), 0);
        assert!(sequencer.is_unresolved(P0), "one is in flight");
        sequencer.untrack(slots[0], &batches);
        sequencer.completed(slots[1], &batches);
        assert_eq!(sequencer.resolve_in_transaction(), 0);
        assert!(!sequencer.is_unresolved(P0), "a later one was acknowledged");
        let (mut sequencer, batches, slots) = with_in_flight(&[2]);
        sequencer.mark_unresolved(slots[0], &batches);
        sequencer.untrack(slots[0], &batches);
        assert_eq!(sequencer.resolve_in_transaction(), 1);
        assert!(!sequencer.is_unresolved(P0));
    }
}
