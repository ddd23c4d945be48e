//! Batches that come back. Kafka: RecordAccumulator.reenqueue, insertInSequenceOrder,
//! splitAndReenqueue; ProducerBatch.split.

use super::{BatchSlot, RecordAccumulator};
use crate::batch::{NewBatch, Segment};
use crate::env::Ctx;
use crate::sequencer::Sequencer;
use inflight_protocol::{BatchId, BatchProducer, Defect, TopicId};
use smallvec::SmallVec;

impl RecordAccumulator {
    /// Puts a failed batch back for another attempt. Without idempotence it goes to the front, so
    /// that two failures in a row come back in reverse.
    pub(crate) fn requeue(&mut self, ctx: &mut Ctx<'_, '_>, slot: BatchSlot, idempotent: bool) {
        let attempts = self.batches[slot].attempts;
        let stream = ctx.streams.retry_backoff;
        let backoff_ms = self.retry_backoff.draw(attempts, ctx.turn.chance(), stream);
        self.batches[slot].requeued(ctx.now_ms, backoff_ms);
        if idempotent && !ctx.env.defects.has(Defect::RequeueOutOfOrder) {
            self.insert_in_sequence_order(slot);
        } else {
            let partition = self.batches[slot].partition;
            self.queues[partition.index()].batches.push_front(slot);
        }
    }

    /// Before the first batch with a larger sequence, or with none. The comparison is of plain
    /// numbers, as Kafka's.
    fn insert_in_sequence_order(&mut self, slot: BatchSlot) {
        let sequence = |slot: BatchSlot| self.batches[slot].producer.map(|own| own.base_sequence);
        let own = sequence(slot);
        let queue = &self.queues[self.batches[slot].partition.index()].batches;
        let smaller = |other: &BatchSlot| sequence(*other).is_some_and(|other| Some(other) < own);
        let place = queue.iter().take_while(|other| smaller(other)).count();
        let partition = self.batches[slot].partition;
        self.queues[partition.index()].batches.insert(place, slot);
    }

    /// Splits a batch that was too large into batches that are sent as soon as possible. Returns
    /// the id of the first of them and how many there are.
    pub(crate) fn split(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        slot: BatchSlot,
        mut sequencer: Option<&mut Sequencer>,
    ) -> (BatchId, u32) {
        let big = &self.batches[slot];
        let (topic, _) = ctx.env.topics.split(big.partition);
        let target = if big.is_split {
            big.max_record_size.max(big.estimated_size() / 2)
        } else {
            ctx.env.config.batch_size
        };
        self.compression.too_large(topic, ctx.env.compression_ratio);
        let first_child = self.next_batch();
        let children = self.refill(topic, slot, target);
        for child in children.iter().rev() {
            match sequencer.as_deref_mut() {
                Some(sequencer) => {
                    sequencer.track(*child, &self.batches);
                    self.insert_in_sequence_order(*child);
                }
                None => {
                    let partition = self.batches[*child].partition;
                    self.queues[partition.index()].batches.push_front(*child);
                }
            }
        }
        (first_child, children.len() as u32)
    }

    /// Fills new batches with the records of a big one, in order.
    fn refill(&mut self, topic: TopicId, big: BatchSlot, target: u32) -> SmallVec<[BatchSlot; 4]> {
        let parent = self.batches[big].clone();
        let mut children: SmallVec<[BatchSlot; 4]> = SmallVec::new();
        let mut first = parent.records.first;
        for segment in &parent.segments {
            let mut rest = *segment;
            while rest.count > 0 {
                let appended = match children.last() {
                    Some(child) => self.batches[*child].try_append(rest, parent.created_ms),
                    None => 0,
                };
                if appended == 0 {
                    if let Some(child) = children.last() {
                        self.batches[*child].close_for_appends();
                    }
                    let child = self.open_batch(NewBatch {
                        id: BatchId::new(0),
                        partition: parent.partition,
                        session: self.session,
                        first,
                        created_ms: parent.created_ms,
                        capacity: rest.shape.upper_bound().max(target),
                        compression_ratio: self.compression.estimate(topic),
                    });
                    let batch = &mut self.batches[child];
                    batch.is_split = true;
                    batch.flush_key = parent.flush_key;
                    children.push(child);
                    continue;
                }
                first += u64::from(appended);
                rest = Segment {
                    count: rest.count - appended,
                    message: rest.message + u64::from(appended),
                    ..rest
                };
            }
        }
        let mut sequence = parent.producer.map(|producer| producer.base_sequence);
        for child in &children {
            let batch = &mut self.batches[*child];
            batch.close_for_appends();
            batch.producer = parent
                .producer
                .zip(sequence)
                .map(|(producer, base_sequence)| BatchProducer { base_sequence, ..producer });
            sequence = sequence.map(|sequence| sequence.plus(batch.records.count));
        }
        children
    }
}
