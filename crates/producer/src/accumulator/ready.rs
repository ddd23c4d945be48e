//! Which brokers have something to be sent. Kafka: RecordAccumulator.ready, partitionReady,
//! batchReady.

use super::{BatchSlot, RecordAccumulator};
use crate::env::Ctx;
use crate::metadata::ProducerMetadata;
use crate::partitioner::LoadStats;
use inflight_protocol::config::Partitioner;
use inflight_protocol::fact::DrainReason;
use inflight_protocol::{BrokerId, BrokerSet, TopicId, TopicPartition};
use smallvec::SmallVec;

/// Kafka: RecordAccumulator.ReadyCheckResult.
#[derive(Clone, Debug)]
pub(crate) struct Ready {
    /// Brokers that lead a partition whose head batch is ready.
    pub(crate) brokers: BrokerSet,
    /// For how long no other batch becomes ready, in milliseconds.
    pub(crate) next_check_ms: i64,
    /// Topics with batches for a partition whose leader is not known.
    pub(crate) unknown_leader_topics: SmallVec<[TopicId; 2]>,
}

impl RecordAccumulator {
    /// Looks at the head of every queue.
    pub(crate) fn ready(&mut self, ctx: &Ctx<'_, '_>, metadata: &ProducerMetadata) -> Ready {
        let mut ready = Ready {
            brokers: BrokerSet::EMPTY,
            next_check_ms: i64::MAX,
            unknown_leader_topics: SmallVec::new(),
        };
        for topic in ctx.env.topics.ids() {
            self.topic_ready(ctx, metadata, topic, &mut ready);
        }
        ready
    }

    /// Whether queue lengths matter to the choice of partitions.
    fn tracks_load(&self, ctx: &Ctx<'_, '_>) -> bool {
        let config = ctx.env.config;
        config.partitioner_adaptive_partitioning_enable
            && config.partitioner == Partitioner::BuiltIn
    }

    fn topic_ready(
        &mut self,
        ctx: &Ctx<'_, '_>,
        metadata: &ProducerMetadata,
        topic: TopicId,
        ready: &mut Ready,
    ) {
        let range = ctx.env.topics.range(topic);
        if range.len() == 1 {
            // There is nothing to balance.
            let partition = TopicPartition::new(range.start);
            self.partition_ready(ctx, metadata, topic, partition, None, ready);
            return;
        }
        let queues = &self.queues[usize::from(range.start)..usize::from(range.end)];
        let existing = queues.iter().filter(|queue| queue.exists).count();
        if existing == 0 {
            return;
        }
        // Kafka keeps statistics once there are as many queues as the topic has partitions.
        let mut stats =
            (self.tracks_load(ctx) && existing == queues.len()).then(|| LoadStats::new(existing));
        for number in range {
            let partition = TopicPartition::new(number);
            if self.queues[partition.index()].exists {
                self.partition_ready(ctx, metadata, topic, partition, stats.as_mut(), ready);
            }
        }
        self.topics[topic.index()].update_load(stats.as_ref());
    }

    fn partition_ready(
        &mut self,
        ctx: &Ctx<'_, '_>,
        metadata: &ProducerMetadata,
        topic: TopicId,
        partition: TopicPartition,
        stats: Option<&mut LoadStats>,
        ready: &mut Ready,
    ) {
        let leader = metadata.leader(partition);
        let queue = &self.queues[partition.index()];
        let Some(head) = queue.batches.front().copied() else {
            if let (Some(_), Some(stats)) = (leader, stats) {
                stats.empty(partition);
            }
            return;
        };
        let length = queue.batches.len();
        self.batches[head].update_leader_epoch(metadata.leader_epoch(partition));
        let Some(leader) = leader else {
            if !ready.unknown_leader_topics.contains(&topic) {
                ready.unknown_leader_topics.push(topic);
            }
            return;
        };
        if let Some(stats) = stats {
            stats.waiting(length as u32, partition, self.is_available(ctx, leader));
        }
        if ready.brokers.contains(leader) || self.queues[partition.index()].muted {
            return;
        }
        let batch = &self.batches[head];
        let backing_off = batch.is_backing_off(ctx.now_ms);
        let wait_ms = if backing_off { batch.backoff_ms } else { ctx.env.config.linger_ms };
        if !backing_off && self.sendable_because(ctx, head, length > 1).is_some() {
            ready.brokers = ready.brokers.with(leader);
        } else {
            let left_ms = (wait_ms - batch.waited_ms(ctx.now_ms)).max(0);
            ready.next_check_ms = ready.next_check_ms.min(left_ms);
        }
    }

    /// Why a batch that is not backing off may be sent now, if it may.
    pub(super) fn sendable_because(
        &self,
        ctx: &Ctx<'_, '_>,
        head: BatchSlot,
        has_successor: bool,
    ) -> Option<DrainReason> {
        let batch = &self.batches[head];
        if has_successor || batch.is_full() {
            Some(DrainReason::Full)
        } else if batch.waited_ms(ctx.now_ms) >= ctx.env.config.linger_ms {
            Some(DrainReason::Linger)
        } else if self.pool.has_waiters() {
            Some(DrainReason::Exhausted)
        } else if self.closed {
            Some(DrainReason::Close)
        } else if self.flushes_in_progress > 0 || self.transaction_completing {
            Some(DrainReason::Flush)
        } else {
            None
        }
    }

    /// Whether the broker has been reached lately, as far as somebody wants to know.
    fn is_available(&self, ctx: &Ctx<'_, '_>, leader: BrokerId) -> bool {
        let timeout_ms = ctx.env.config.partitioner_availability_timeout_ms;
        let Some(stats) = self.node_stats[leader.index()] else { return true };
        timeout_ms <= 0 || stats.ready_ms - stats.drain_ms <= timeout_ms
    }
}
