//! Records wait here in batches, a queue a partition, until the sender takes them.
//! Kafka: clients/producer/internals/RecordAccumulator.

use crate::backoff::ExponentialBackoff;
use crate::batch::{BatchSlot, FinalState, NewBatch, ProducerBatch, Segment};
use crate::buffer_pool::BufferPool;
use crate::compression::CompressionRatios;
use crate::env::Env;
use crate::partitioner::TopicPartitioner;
use inflight_des::Slots;
use inflight_protocol::{BatchId, ProducerConfig, SessionId, TopicPartition};
use std::collections::VecDeque;

mod append;
mod drain;
mod ready;
mod requeue;

pub(crate) use append::{Appended, Buffer, RunToAppend};
pub(crate) use ready::Ready;

/// All batches of a producer, whatever state they are in.
pub(crate) type Batches = Slots<ProducerBatch>;

/// The accumulator.
#[derive(Debug)]
pub(crate) struct RecordAccumulator {
    pub(crate) batches: Batches,
    queues: Vec<Queue>,
    topics: Vec<TopicPartitioner>,
    pub(crate) pool: BufferPool,
    compression: CompressionRatios,
    session: SessionId,
    next_batch: u32,
    retry_backoff: ExponentialBackoff,
    /// For each broker: the position at which the next drain starts.
    drain_index: Vec<u32>,
    node_stats: Vec<Option<NodeLatencyStats>>,
    pub(crate) flushes_in_progress: u32,
    /// A transaction ends, which flushes. Kafka: TransactionManager.isCompleting.
    pub(crate) transaction_completing: bool,
    pub(crate) closed: bool,
    /// Batches that the application waits for.
    incomplete: u32,
    /// No batch expires before this; see `expire`.
    expiry_bound_ms: i64,
}

inflight_des::clone_fields!(RecordAccumulator {
    batches,
    queues,
    topics,
    pool,
    compression,
    session,
    next_batch,
    retry_backoff,
    drain_index,
    node_stats,
    flushes_in_progress,
    transaction_completing,
    closed,
    incomplete,
    expiry_bound_ms,
});

/// The batches of one partition.
#[derive(Debug, Default)]
struct Queue {
    batches: VecDeque<BatchSlot>,
    /// Whether a record was ever appended; queues are never removed.
    exists: bool,
    /// With max.in.flight.requests.per.connection=1: a batch is in flight.
    muted: bool,
    /// The ordinal of the next record.
    next_record: u64,
}

inflight_des::clone_fields!(Queue { batches, exists, muted, next_record });

/// Kafka: RecordAccumulator.NodeLatencyStats.
#[derive(Clone, Copy, Debug)]
struct NodeLatencyStats {
    ready_ms: i64,
    drain_ms: i64,
}

impl RecordAccumulator {
    pub(crate) fn new(env: &Env<'_>, session: SessionId) -> Self {
        let config = env.config;
        let brokers = usize::from(env.brokers);
        Self {
            batches: Slots::new(),
            queues: std::iter::repeat_with(Queue::default)
                .take(env.topics.partitions_in_all())
                .collect(),
            topics: std::iter::repeat_with(TopicPartitioner::new).take(env.topics.len()).collect(),
            pool: BufferPool::new(config.buffer_memory, config.batch_size),
            compression: CompressionRatios::new(config.compression_type, env.topics.len()),
            session,
            next_batch: 0,
            retry_backoff: ExponentialBackoff::new(
                config.retry_backoff_ms,
                config.retry_backoff_max_ms,
            ),
            drain_index: vec![0; brokers],
            node_stats: vec![None; brokers],
            flushes_in_progress: 0,
            transaction_completing: false,
            closed: false,
            incomplete: 0,
            expiry_bound_ms: i64::MAX,
        }
    }

    /// Opens a batch in a free slot.
    fn open_batch(&mut self, mut new: NewBatch) -> BatchSlot {
        new.id = BatchId::new(self.next_batch);
        self.next_batch += 1;
        self.incomplete += 1;
        let slot = match self.batches.reuse() {
            Some(slot) => slot,
            None => self.batches.insert(ProducerBatch::default()),
        };
        self.batches[slot].open(new);
        slot
    }

    /// The id that the next batch will have.
    pub(crate) fn next_batch(&self) -> BatchId {
        BatchId::new(self.next_batch)
    }

    /// How many batches the application waits for. Kafka: IncompleteBatches.
    pub(crate) fn incomplete(&self) -> u32 {
        self.incomplete
    }

    /// Kafka: hasUndrained.
    pub(crate) fn has_undrained(&self) -> bool {
        self.queues.iter().any(|queue| !queue.batches.is_empty())
    }

    /// Every queued batch, partition by partition.
    pub(crate) fn queued(&self) -> impl Iterator<Item = BatchSlot> + '_ {
        self.queues.iter().flat_map(|queue| queue.batches.iter().copied())
    }

    /// Kafka: mutePartition and unmutePartition.
    pub(crate) fn set_muted(&mut self, partition: TopicPartition, muted: bool) {
        self.queues[partition.index()].muted = muted;
    }

    /// Sets the final state of a batch, once. Returns whether this was the first time; then the
    /// application is to be told. Kafka: ProducerBatch.done.
    pub(crate) fn finish(&mut self, slot: BatchSlot, state: FinalState) -> bool {
        let batch = &mut self.batches[slot];
        let first = batch.final_state.is_none();
        if first {
            batch.final_state = Some(state);
            self.incomplete -= 1;
        } else {
            debug_assert_ne!(
                batch.final_state,
                Some(FinalState::Succeeded),
                "a batch that succeeded changes no more"
            );
        }
        first
    }

    /// Gives the batch's memory back, unless it is a split child, whose memory never came from the
    /// pool, or it has none any more. Kafka: RecordAccumulator.deallocate.
    pub(crate) fn deallocate(&mut self, slot: BatchSlot) {
        let batch = &mut self.batches[slot];
        if batch.is_split || batch.buffer_deallocated {
            return;
        }
        batch.buffer_deallocated = true;
        let capacity = batch.capacity;
        self.pool.deallocate(capacity);
    }

    /// Forgets a batch that is finished and in no request.
    pub(crate) fn forget(&mut self, slot: BatchSlot) {
        debug_assert!(self.batches[slot].final_state.is_some(), "a forgotten batch is finished");
        debug_assert!(!self.batches[slot].in_request, "a forgotten batch is in no request");
        self.batches.free(slot);
    }

    /// Takes a batch out of its queue, if it is there.
    pub(crate) fn remove_from_queue(&mut self, slot: BatchSlot) {
        let partition = self.batches[slot].partition;
        self.queues[partition.index()].batches.retain(|other| *other != slot);
    }

    /// Whether no batch has reached its timeout. The bound may be too early, never too late.
    #[inline]
    pub(crate) fn nothing_expires(&self, now_ms: i64) -> bool {
        now_ms < self.expiry_bound_ms
    }

    /// When the poll has to end for the next batch that expires, if that is before `limit_ms`;
    /// otherwise anything from there on. Only the first batch of each list counts: one behind it
    /// that is older, as after a retry, is noticed late. Kafka: RecordAccumulator.nextExpiryTimeMs.
    #[inline]
    pub(crate) fn next_expiry_ms(
        &self,
        config: &ProducerConfig,
        in_flight: &[VecDeque<BatchSlot>],
        limit_ms: i64,
    ) -> i64 {
        if self.expiry_bound_ms >= limit_ms {
            return limit_ms;
        }
        let queued = self.queues.iter().map(|queue| &queue.batches);
        in_flight
            .iter()
            .chain(queued)
            .filter_map(|list| list.front())
            .map(|slot| self.expires_ms(config, *slot))
            .min()
            .unwrap_or(i64::MAX)
    }

    fn expires_ms(&self, config: &ProducerConfig, slot: BatchSlot) -> i64 {
        self.batches[slot].created_ms.saturating_add(config.delivery_timeout_ms)
    }

    /// Batches whose delivery.timeout.ms is over, from the heads of the queues; they are taken out.
    /// In-flight batches are looked at first, as `in_flight` says, and go to the other list.
    /// Kafka: Sender.getExpiredInflightBatches and RecordAccumulator.expiredBatches.
    pub(crate) fn expire(
        &mut self,
        config: &ProducerConfig,
        in_flight: &mut [VecDeque<BatchSlot>],
        now_ms: i64,
        expired_queued: &mut Vec<BatchSlot>,
        expired_in_flight: &mut Vec<BatchSlot>,
    ) {
        let timeout_ms = config.delivery_timeout_ms;
        let expires_ms = |batch: &ProducerBatch| batch.created_ms.saturating_add(timeout_ms);
        let mut bound_ms = i64::MAX;
        let queued = self.queues.iter_mut().map(|queue| &mut queue.batches);
        let lists =
            (in_flight.iter_mut().map(|list| (list, true))).chain(queued.map(|list| (list, false)));
        for (list, is_in_flight) in lists {
            while let Some(slot) = list.front().copied() {
                let batch = &self.batches[slot];
                if !batch.has_reached_delivery_timeout(timeout_ms, now_ms) {
                    // What lies behind a batch that has time left is not looked at, even if it is
                    // older: then the bound lies in the past, and each pass looks again.
                    let all = list.iter().map(|slot| expires_ms(&self.batches[*slot]));
                    bound_ms = all.fold(bound_ms, i64::min);
                    break;
                }
                list.pop_front();
                if is_in_flight {
                    expired_in_flight.push(slot);
                } else {
                    expired_queued.push(slot);
                }
            }
        }
        self.expiry_bound_ms = bound_ms;
    }

    /// Lets the bound of `expire` know of a new batch.
    fn bound_expiry(&mut self, config: &ProducerConfig, created_ms: i64) {
        let expires_ms = created_ms.saturating_add(config.delivery_timeout_ms);
        self.expiry_bound_ms = self.expiry_bound_ms.min(expires_ms);
    }

    /// Kafka: updateNodeLatencyStats.
    pub(crate) fn update_node_latency_stats(
        &mut self,
        config: &ProducerConfig,
        broker: usize,
        now_ms: i64,
        can_drain: bool,
    ) {
        if config.partitioner_availability_timeout_ms <= 0 {
            return;
        }
        let stats = self.node_stats[broker]
            .get_or_insert(NodeLatencyStats { ready_ms: now_ms, drain_ms: now_ms });
        if can_drain {
            stats.drain_ms = now_ms;
        }
        stats.ready_ms = now_ms;
    }

    /// The segments of a batch, to tell the application about each.
    pub(crate) fn segments(&self, slot: BatchSlot) -> &[Segment] {
        &self.batches[slot].segments
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use inflight_protocol::{BrokerId, Defects, Topics, TransactionVersion};

    /// Two batches that a disconnect has put back in reverse, as without idempotence.
    #[test]
    fn of_a_queue_only_the_head_ends_the_poll_when_it_expires() {
        let config = ProducerConfig { delivery_timeout_ms: 1_000, ..ProducerConfig::default() };
        let topics = Topics::new([("t", 1)]);
        let env = Env {
            config: &config,
            topics: &topics,
            brokers: 1,
            bootstrap: &[BrokerId::new(1)],
            compression_ratio: 1.0,
            defects: Defects::NONE,
            transactional_id: None,
            transaction_version: TransactionVersion::V2,
        };
        let mut accumulator = RecordAccumulator::new(&env, SessionId::new(0));
        for created_ms in [400, 100] {
            let slot = accumulator.open_batch(NewBatch {
                id: BatchId::new(0),
                partition: TopicPartition::new(0),
                session: SessionId::new(0),
                first: 0,
                created_ms,
                capacity: 100,
                compression_ratio: None,
            });
            accumulator.queues[0].batches.push_back(slot);
            accumulator.bound_expiry(&config, created_ms);
        }
        assert!(!accumulator.nothing_expires(1_100), "each pass looks from then on");
        assert_eq!(accumulator.next_expiry_ms(&config, &[], i64::MAX), 1_400);
        assert_eq!(accumulator.next_expiry_ms(&config, &[], 900), 900, "nobody asks for more");
        let in_flight = [accumulator.queues[0].batches.clone(), VecDeque::from([1])];
        assert_eq!(accumulator.next_expiry_ms(&config, &in_flight, i64::MAX), 1_100);
    }
}
