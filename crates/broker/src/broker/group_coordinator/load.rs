//! A coordinator takes a partition over, and gives it up. Kafka: CoordinatorRuntime.
//! scheduleLoadOperation and scheduleUnloadOperation, CoordinatorLoaderImpl.

use super::{Context, Reply, Stage};
use crate::broker::Broker;
use crate::broker::timers::Timer;
use crate::broker::work::Task;
use crate::group::Action;
use crate::group::shard::GroupShard;
use inflight_des::Instant;
use inflight_protocol::transaction::CoordinatorEpoch;
use inflight_protocol::{
    BatchKind, Cluster, ErrorCode, Fact, FactKind, LeaderEpoch, Offset, Response, Timestamp,
    TopicPartition, Turn,
};
use std::collections::VecDeque;

impl Broker {
    /// This broker leads a partition in a new epoch: it reads it, and meanwhile has no answers.
    pub(in crate::broker) fn elected_group_coordinator(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        partition: TopicPartition,
        epoch: LeaderEpoch,
    ) {
        if let Some(context) = self.groups.context(partition) {
            // It goes on with what it has, or with reading it. Kafka: scheduleLoadOperation.
            context.epoch = epoch;
            return;
        }
        let config = cluster.broker(self.id);
        let stream = self.streams.coordinator_load_time;
        let until = turn.now() + turn.chance().delay(stream, &config.coordinator_load_time);
        self.groups.entries.push(Context {
            partition,
            epoch,
            stage: Stage::Loading(until),
            shard: GroupShard::new(epoch),
            written: Offset::ZERO,
            deferred: VecDeque::new(),
        });
        if until == turn.now() {
            self.tasks.push_back(Task::LoadGroups(partition));
        } else {
            self.timers.arm(Timer::GroupLoad, until);
        }
    }

    /// This broker does not lead the partition any more.
    pub(in crate::broker) fn resigned_group_coordinator(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        partition: TopicPartition,
    ) {
        if self.give_up_groups(cluster, turn, partition) {
            let broker = self.id;
            turn.did(FactKind::CoordinatorUnloaded.set(), || Fact::CoordinatorUnloaded {
                broker,
                partition,
            });
        }
    }

    /// Whoever waits is told that this is not the coordinator. Kafka: CoordinatorContext.unload,
    /// GroupMetadataManager.onUnloaded.
    fn give_up_groups(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        partition: TopicPartition,
    ) -> bool {
        let Some(place) = self.groups.position(partition) else { return false };
        let mut context = self.groups.entries.remove(place);
        let mut actions = Vec::new();
        context.shard.unload(&mut actions);
        for action in actions {
            match action {
                Action::Join(slot, response) => {
                    self.answer_group(turn, slot, Response::JoinGroup(Box::new(response)));
                }
                Action::Sync(slot, response) => {
                    self.answer_group(turn, slot, Response::SyncGroup(response));
                }
                // Nobody else waits: what is to be written is the next coordinator's affair.
                _ => {}
            }
        }
        for deferred in context.deferred {
            let error = Some(ErrorCode::NotCoordinator);
            self.reply(cluster, turn, partition, deferred.reply, error);
        }
        true
    }

    /// The time to read some partitions is over.
    pub(in crate::broker) fn group_loads_due(&mut self, now: Instant) {
        for context in &self.groups.entries {
            match context.stage {
                Stage::Loading(until) if until <= now => {
                    self.tasks.push_back(Task::LoadGroups(context.partition));
                }
                Stage::Loading(until) => self.timers.arm(Timer::GroupLoad, until),
                Stage::Active => {}
            }
        }
    }

    /// A partition is read to the end of its log: what lies above the high watermark counts.
    #[inline(never)]
    pub(in crate::broker) fn load_groups(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        partition: TopicPartition,
    ) {
        let now = turn.now();
        let now_ms = Timestamp::at(now).get();
        let clock = self.group_clock(cluster, turn);
        let Some(index) = self.replica_index(partition) else { return };
        let log = &self.partitions[index].log;
        let Some(context) = self.groups.context(partition) else { return };
        match context.stage {
            Stage::Loading(until) if until <= now => {}
            Stage::Loading(_) | Stage::Active => return,
        }
        for batch in log.batches().iter() {
            let producer = batch.producer.map(|producer| producer.id);
            if let (BatchKind::Marker(marker), Some(id)) = (batch.kind, producer) {
                context.shard.offsets_mut().end_transaction(id, marker.result);
                continue;
            }
            for (place, value) in log.values_of(batch).enumerate() {
                let at = batch.base_offset.plus(place as u64);
                context.shard.replay(value, producer, at, now_ms);
            }
        }
        context.shard.loaded(clock);
        context.written = log.end();
        context.stage = Stage::Active;
        let (broker, epoch) = (self.id, context.epoch);
        turn.did(FactKind::CoordinatorLoaded.set(), || Fact::CoordinatorLoaded {
            broker,
            partition,
            coordinator_epoch: CoordinatorEpoch(epoch.get()),
        });
        self.carry_out(cluster, turn, partition, Vec::new(), Reply::Nothing);
    }
}
