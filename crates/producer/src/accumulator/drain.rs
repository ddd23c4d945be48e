//! Taking batches out for one broker. Kafka: RecordAccumulator.drainBatchesForOneNode.

use super::{BatchSlot, RecordAccumulator};
use crate::env::Ctx;
use crate::metadata::ProducerMetadata;
use crate::sequencer::Sequencer;
use inflight_protocol::fact::DrainReason;
use inflight_protocol::{BrokerId, CorrelationId, Defect, Fact, FactKind};
use smallvec::SmallVec;

impl RecordAccumulator {
    /// The head batch of each partition that the broker leads, as far as they fit in one request.
    /// Linger is not looked at again: one ready partition takes all others along. `next_check_ms`
    /// is lowered to when a batch that is backing off may go.
    pub(crate) fn drain(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        metadata: &ProducerMetadata,
        mut sequencer: Option<&mut Sequencer>,
        broker: BrokerId,
        correlation: CorrelationId,
        next_check_ms: &mut i64,
    ) -> SmallVec<[BatchSlot; 2]> {
        let partitions = metadata.partitions_led_by(broker);
        let mut drained = SmallVec::new();
        if partitions.is_empty() {
            return drained;
        }
        let mut size = 0_u32;
        let start = self.drain_index[broker.index()] as usize % partitions.len();
        for step in 0..partitions.len() {
            let index = (start + step) % partitions.len();
            // What is stored is the partition looked at, not the next one: after a full circle the
            // next drain starts one earlier, after a stop it starts at what caused the stop.
            self.drain_index[broker.index()] = index as u32;
            let partition = partitions[index];
            let queue = &self.queues[partition.index()];
            let Some(head) = queue.batches.front().copied().filter(|_| !queue.muted) else {
                continue;
            };
            let has_successor = queue.batches.len() > 1;
            self.batches[head].update_leader_epoch(metadata.leader_epoch(partition));
            let batch = &self.batches[head];
            if batch.is_backing_off(ctx.now_ms) {
                let left_ms = batch.backoff_ms - batch.waited_ms(ctx.now_ms);
                *next_check_ms = left_ms.min(*next_check_ms);
                continue;
            }
            let limit = ctx.env.config.max_request_size;
            if size.saturating_add(batch.estimated_size()) > limit && !drained.is_empty() {
                break;
            }
            let in_any_order =
                batch.producer.is_some() && ctx.env.defects.has(Defect::RequeueOutOfOrder);
            let stops = |seq: &&mut Sequencer| seq.stops_drain(batch, &self.batches);
            if !in_any_order && sequencer.as_ref().is_some_and(stops) {
                break;
            }
            let reason = || self.reason(ctx, head, has_successor);
            let reason = if ctx.turn.wants(FactKind::BatchDrained.set()) {
                reason()
            } else {
                DrainReason::Full
            };
            self.queues[partition.index()].batches.pop_front();
            if let Some(sequencer) = sequencer.as_deref_mut()
                && self.batches[head].producer.is_none()
            {
                sequencer.assign(head, &mut self.batches);
            }
            self.close_batch(ctx, head);
            size = size.saturating_add(self.batches[head].estimated_size());
            self.tell_drained(ctx, head, broker, correlation, reason);
            drained.push(head);
        }
        drained
    }

    fn close_batch(&mut self, ctx: &Ctx<'_, '_>, slot: BatchSlot) {
        let ratio = ctx.env.compression_ratio;
        let (topic, _) = ctx.env.topics.split(self.batches[slot].partition);
        self.batches[slot].close(ratio);
        if self.compression.estimate(topic).is_some() {
            self.compression.observed(topic, ratio);
        }
    }

    fn reason(&self, ctx: &Ctx<'_, '_>, head: BatchSlot, has_successor: bool) -> DrainReason {
        if self.batches[head].in_retry() {
            return DrainReason::Retry;
        }
        self.sendable_because(ctx, head, has_successor).unwrap_or(DrainReason::Alongside)
    }

    fn tell_drained(
        &self,
        ctx: &mut Ctx<'_, '_>,
        slot: BatchSlot,
        broker: BrokerId,
        correlation: CorrelationId,
        reason: DrainReason,
    ) {
        let batch = &self.batches[slot];
        ctx.turn.did(FactKind::BatchDrained.set(), || Fact::BatchDrained {
            session: batch.records.session,
            partition: batch.partition,
            batch: batch.id,
            first: batch.records.first,
            count: batch.records.count,
            bytes: batch.estimated_size(),
            broker,
            correlation,
            attempt: batch.attempts,
            sequence: batch.producer.map(|producer| producer.base_sequence),
            producer_epoch: batch.producer.map(|producer| producer.epoch),
            reason,
        });
    }
}
