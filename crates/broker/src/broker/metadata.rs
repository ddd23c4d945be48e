//! Commits of the metadata log, on their way into the cache and into the replicas' roles.
//!
//! Kafka: core/server/metadata/BrokerMetadataPublisher.onMetadataUpdate, ReplicaManager.applyDelta.
//! The cache is switched first; the roles follow, leaders before followers, one a step. In between
//! the broker sends clients to the new leader which may not know yet that it is one.

use crate::broker::Broker;
use crate::broker::timers::Timer;
use crate::broker::work::{Progress, Task};
use crate::log::expiration;
use crate::metadata_cache::MetadataCache;
use crate::partition::InternalTopic;
use crate::partition::lead::RoleChange;
use inflight_des::Instant;
use inflight_protocol::control::{MetadataDelta, PartitionRegistration};
use inflight_protocol::{Cluster, Defect, Fact, FactKind, LeaderEpoch, TopicPartition, Turn};
use std::collections::VecDeque;

/// Commits that have arrived and are not applied, and the one that is being applied.
#[derive(Debug, Default)]
pub(super) struct MetadataQueue {
    arrived: VecDeque<(Instant, MetadataDelta)>,
    stage: ApplyStage,
    /// Replicas whose role is to be looked at: leaders first.
    changes: Vec<TopicPartition>,
    /// How many of `changes` are done.
    done: usize,
    /// How many logs are loaded, while a restarted broker loads them.
    loaded: usize,
    /// Replicas that are to be fetched afresh when all roles are taken.
    refetch: Vec<(TopicPartition, LeaderEpoch)>,
}

inflight_des::clone_fields!(MetadataQueue { arrived, stage, changes, done, loaded, refetch });

/// How far the application of a commit is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum ApplyStage {
    /// None is being applied.
    #[default]
    Idle,
    /// The first one that has arrived is to be applied.
    Due,
    /// The cache has it, the roles do not; this version was applied before.
    Switched(u64),
}

impl MetadataQueue {
    /// Whether there is nothing to apply.
    pub(super) fn is_idle(&self) -> bool {
        self.arrived.is_empty() && self.stage == ApplyStage::Idle
    }

    /// How many commits are applied, roles and all. Kafka: MetadataLoader.lastAppliedOffset.
    pub(super) const fn applied(&self, cache: &MetadataCache) -> u64 {
        match self.stage {
            ApplyStage::Idle | ApplyStage::Due => cache.version(),
            ApplyStage::Switched(before) => before,
        }
    }

    /// Forgets everything, as a process does that ends.
    pub(super) fn clear(&mut self) {
        self.arrived.clear();
        self.stage = ApplyStage::Idle;
        self.changes.clear();
        (self.done, self.loaded) = (0, 0);
        self.refetch.clear();
    }
}

impl Broker {
    /// A commit arrived. It is applied when this broker gets to it, in order.
    pub(super) fn metadata_arrived(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        delta: MetadataDelta,
    ) {
        let config = cluster.broker(self.id);
        let delay = turn.chance().delay(self.streams.metadata_time, &config.metadata_time);
        let queue = &mut self.metadata_queue;
        let before = queue.arrived.back().map_or(Instant::START, |(at, _)| *at);
        queue.arrived.push_back(((turn.now() + delay).max(before), delta));
        self.take_metadata(turn.now());
    }

    /// Starts with the next commit if its time has come and the one before is done with.
    pub(super) fn take_metadata(&mut self, now: Instant) {
        let queue = &self.metadata_queue;
        if queue.stage != ApplyStage::Idle {
            return;
        }
        match queue.arrived.front() {
            Some((at, _)) if *at <= now => {
                self.metadata_queue.stage = ApplyStage::Due;
                self.tasks.push_back(Task::ApplyMetadata);
            }
            Some((at, _)) => self.timers.arm(Timer::Metadata, *at),
            None => {}
        }
    }

    /// Applies the next piece of a commit: the cache, a log to be loaded, or a role.
    pub(super) fn apply_metadata(&mut self, cluster: &Cluster, turn: &mut Turn<'_>) -> Progress {
        if self.metadata_queue.stage == ApplyStage::Due && !self.switch_cache() {
            // A commit that is known already, or one behind a gap: the controller will notice the
            // gap and send everything.
            self.metadata_queue.stage = ApplyStage::Idle;
            self.take_metadata(turn.now());
            return Progress::Volatile;
        }
        if !self.lifecycle.logs_loaded && self.load_next_log(cluster, turn) {
            self.tasks.push_front(Task::ApplyMetadata);
            return Progress::Durable;
        }
        self.lifecycle.logs_are_loaded();
        let queue = &mut self.metadata_queue;
        let next = queue.changes.get(queue.done).copied();
        let Some(partition) = next else {
            self.finish_metadata(cluster, turn);
            return Progress::Volatile;
        };
        queue.done += 1;
        self.tasks.push_front(Task::ApplyMetadata);
        self.take_role(cluster, turn, partition)
    }

    /// Lets the cache take over the next commit, if it can. Kafka: MetadataCache.setImage.
    fn switch_cache(&mut self) -> bool {
        let Some((_, delta)) = self.metadata_queue.arrived.pop_front() else { return false };
        if !self.metadata.accepts(&delta) {
            return false;
        }
        let Self { metadata, metadata_queue, hosted, id, .. } = self;
        metadata_queue.stage = ApplyStage::Switched(metadata.version());
        let changes = &mut metadata_queue.changes;
        metadata.apply(&delta, |partition| {
            if hosted[partition.index()].is_some() {
                changes.push(partition);
            }
        });
        // Kafka: applyLocalLeadersDelta comes before applyLocalFollowersDelta.
        changes.sort_by_key(|partition| {
            let registration = metadata.partition(*partition);
            registration.and_then(|registration| registration.leader) != Some(*id)
        });
        true
    }

    /// Loads the next log of a restarted broker. Returns whether there was one.
    /// Kafka: BrokerMetadataPublisher.initializeManagers, LogManager.startup, LogLoader.load.
    fn load_next_log(&mut self, cluster: &Cluster, turn: &mut Turn<'_>) -> bool {
        let next = self.metadata_queue.loaded;
        let Some(replica) = self.partitions.get_mut(next) else {
            self.metadata_queue.loaded = 0;
            return false;
        };
        let config = cluster.broker(self.id);
        let (end, committed) = replica.log.recover(turn.now(), config, cluster.defects);
        let (broker, partition) = (self.id, replica.id);
        let (to, high_watermark) = (replica.log.end(), replica.log.high_watermark());
        turn.did(FactKind::LogRecovered.set(), || Fact::LogRecovered {
            broker,
            partition,
            from: end,
            to,
            high_watermark,
        });
        if high_watermark < committed {
            self.did_move_high_watermark(turn, next, committed);
        }
        self.metadata_queue.loaded += 1;
        true
    }

    /// A replica leads or follows, as the metadata says. Kafka: ReplicaManager.applyDelta.
    fn take_role(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        partition: TopicPartition,
    ) -> Progress {
        let Some(index) = self.replica_index(partition) else { return Progress::Volatile };
        let Some(registration) = self.metadata.partition(partition).copied() else {
            return Progress::Volatile;
        };
        if registration.leader == Some(self.id) {
            self.lead(cluster, turn, index, &registration);
        } else {
            self.follow(cluster, turn, index, &registration);
        }
        Progress::Durable
    }

    /// Kafka: ReplicaManager.applyLocalLeadersDelta.
    fn lead(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        index: usize,
        registration: &PartitionRegistration,
    ) {
        let partition = self.partitions[index].id;
        for fetcher in &mut self.fetchers {
            fetcher.remove(partition);
        }
        let replica = &mut self.partitions[index];
        let change = replica.make_leader(cluster, registration, turn.now());
        if change == RoleChange::NewEpoch {
            let (broker, log) = (self.id, &replica.log);
            let (start_offset, high_watermark) = (log.end(), log.high_watermark());
            turn.did(FactKind::BecameLeader.set(), || Fact::BecameLeader {
                broker,
                partition,
                leader_epoch: registration.leader_epoch,
                start_offset,
                high_watermark,
            });
        }
        if change != RoleChange::Stale {
            self.watch_in_sync_replicas(cluster, index);
            self.raise_high_watermark_and_wake(cluster, turn, index);
        }
    }

    /// Kafka: ReplicaManager.applyLocalFollowersDelta.
    fn follow(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        index: usize,
        registration: &PartitionRegistration,
    ) {
        let partition = self.partitions[index].id;
        let waiting = self.parked_on(partition);
        let change = self.partitions[index].make_follower(registration);
        if change == RoleChange::Stale {
            return;
        }
        if change == RoleChange::NewEpoch {
            let broker = self.id;
            turn.did(FactKind::BecameFollower.set(), || Fact::BecameFollower {
                broker,
                partition,
                leader_epoch: registration.leader_epoch,
                leader: registration.leader,
            });
        }
        // A broker that shuts down does not fetch what it is out of sync with.
        let is_stopped = self.lifecycle.is_shutting_down()
            && (registration.leader.is_none() || !registration.isr.contains(self.id));
        if is_stopped || change == RoleChange::NewEpoch {
            for fetcher in &mut self.fetchers {
                fetcher.remove(partition);
            }
            self.wake_produces(turn, partition);
            self.release_fetches(cluster, turn, waiting);
        }
        if !is_stopped && change == RoleChange::NewEpoch {
            self.metadata_queue.refetch.push((partition, registration.leader_epoch));
            if cluster.defects.has(Defect::TruncateToHighWatermark) {
                self.truncate_to_high_watermark(cluster, turn, index);
            }
        }
    }

    /// Cuts a log to its high watermark, as followers did before KIP-101: a defect.
    fn truncate_to_high_watermark(&mut self, cluster: &Cluster, turn: &mut Turn<'_>, index: usize) {
        let expiration = expiration(cluster.broker(self.id));
        let log = &mut self.partitions[index].log;
        if let Some(cut) = log.truncate(log.high_watermark(), turn.now(), expiration) {
            self.did_truncate(turn, index, cut);
        }
    }

    /// A partition that this broker has a replica of has changed: it may be elected as coordinator
    /// of what is in it, or resign. Kafka: BrokerMetadataPublisher.updateCoordinator.
    fn update_coordinator(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        partition: TopicPartition,
    ) {
        let Some(index) = self.replica_index(partition) else { return };
        let replica = &self.partitions[index];
        let elected = replica.leadership().map(|leadership| leadership.epoch);
        match replica.internal {
            Some(InternalTopic::TransactionState) => match elected {
                Some(epoch) => self.elected_coordinator(cluster, turn, partition, epoch),
                None => self.resigned_coordinator(cluster, turn, partition),
            },
            Some(InternalTopic::ConsumerOffsets) => match elected {
                Some(epoch) => self.elected_group_coordinator(cluster, turn, partition, epoch),
                None => self.resigned_group_coordinator(cluster, turn, partition),
            },
            None => {}
        }
    }

    /// All roles are taken: coordinators learn what they are, and the fetchers go to their leaders.
    fn finish_metadata(&mut self, cluster: &Cluster, turn: &mut Turn<'_>) {
        self.metadata_queue.stage = ApplyStage::Idle;
        self.decide_appends(cluster, turn);
        let mut changes = std::mem::take(&mut self.metadata_queue.changes);
        for partition in changes.drain(..) {
            self.update_coordinator(cluster, turn, partition);
        }
        self.metadata_queue.changes = changes;
        self.metadata_queue.done = 0;
        let mut refetch = std::mem::take(&mut self.metadata_queue.refetch);
        for (partition, epoch) in refetch.drain(..) {
            let leader = self.metadata.partition(partition).and_then(|known| known.leader);
            if let Some(leader) = leader.filter(|leader| self.metadata.is_registered(*leader)) {
                self.fetchers[leader.index()].add(partition, epoch);
            }
        }
        self.metadata_queue.refetch = refetch;
        self.stop_idle_fetchers(turn);
        let (broker, version) = (self.id, self.metadata.version());
        turn.did(FactKind::MetadataApplied.set(), || Fact::MetadataApplied { broker, version });
        for index in 0..self.fetchers.len() {
            self.run_fetcher(cluster, turn, index);
        }
        self.look_for_marker_leaders();
        self.maybe_ready(cluster, turn);
        self.take_metadata(turn.now());
    }
}
