//! One partition on one broker. Kafka: core/cluster/Partition.

pub(crate) mod follow;
pub(crate) mod high_watermark;
pub(crate) mod in_sync;
pub(crate) mod lead;
pub(crate) mod remote;

use crate::log::PartitionLog;
use in_sync::InSyncReplicas;
use inflight_des::Instant;
use inflight_protocol::message::LeaderAndEpoch;
use inflight_protocol::transaction::{CONSUMER_OFFSETS_TOPIC, TRANSACTION_STATE_TOPIC};
use inflight_protocol::{
    BrokerId, Cluster, LeaderEpoch, Offset, PartitionEpoch, TopicConfig, TopicId, TopicPartition,
};
use remote::Remote;
use smallvec::SmallVec;
use std::collections::VecDeque;

/// A replica with its role.
#[derive(Debug)]
pub(crate) struct Partition {
    /// Which partition.
    pub(crate) id: TopicPartition,
    /// Its topic.
    pub(crate) topic: TopicId,
    /// Which internal topic that is, if it is one.
    pub(crate) internal: Option<InternalTopic>,
    /// This broker.
    broker: BrokerId,
    /// `min(min.insync.replicas, replication factor)`. Kafka: Partition.effectiveMinIsr.
    pub(crate) min_isr: u32,
    /// The log.
    pub(crate) log: PartitionLog,
    /// The leader, as far as this broker knows.
    leader: Option<BrokerId>,
    /// `None` as long as no metadata was applied since the process started.
    leader_epoch: Option<LeaderEpoch>,
    partition_epoch: Option<PartitionEpoch>,
    /// What it knows as a leader.
    leadership: Option<Leadership>,
    /// Batches that wait for the high watermark, by the offset that they wait for.
    pub(crate) waiting: VecDeque<Waiting>,
    /// Whether the follower skips the next batch: a defect.
    skips_next: bool,
}

inflight_des::clone_fields!(Partition {
    id,
    topic,
    internal,
    broker,
    min_isr,
    log,
    leader,
    leader_epoch,
    partition_epoch,
    leadership,
    waiting,
    skips_next,
});

/// A topic where coordinators keep their state. Kafka: common/internals/Topic.INTERNAL_TOPICS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InternalTopic {
    /// `__transaction_state`
    TransactionState,
    /// `__consumer_offsets`
    ConsumerOffsets,
}

impl InternalTopic {
    /// The internal topic of this name.
    pub(crate) fn named(topic: &str) -> Option<Self> {
        match topic {
            TRANSACTION_STATE_TOPIC => Some(Self::TransactionState),
            CONSUMER_OFFSETS_TOPIC => Some(Self::ConsumerOffsets),
            _ => None,
        }
    }
}

/// What only a leader knows.
#[derive(Clone, Debug)]
pub(crate) struct Leadership {
    /// The leader epoch.
    pub(crate) epoch: LeaderEpoch,
    /// The log end offset when the epoch began. Kafka: Partition.leaderEpochStartOffsetOpt.
    pub(crate) start: Offset,
    /// The in-sync replicas.
    pub(crate) in_sync: InSyncReplicas,
    /// The followers. Kafka: Partition.remoteReplicasMap.
    pub(crate) remotes: SmallVec<[Remote; 2]>,
}

/// A batch that waits in the purgatory.
/// Kafka: the watchers of DelayedOperationPurgatory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// The high watermark that satisfies it.
    pub(crate) required: Offset,
    /// Who waits.
    pub(crate) who: Waiter,
}

/// Who waits for a high watermark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiter {
    /// A batch of a request.
    Request {
        /// The slot of the connection whose request it is in.
        slot: u32,
        /// The position of the batch in the request.
        index: u32,
    },
    /// An append of this broker's own coordinator, by its number.
    Append(u32),
}

impl Partition {
    /// A replica with an empty log that knows of no metadata yet.
    pub(crate) fn new(
        cluster: &Cluster,
        broker: BrokerId,
        id: TopicPartition,
        opened: Instant,
    ) -> Self {
        let topic = cluster.topics.split(id).0;
        Self {
            id,
            topic,
            internal: InternalTopic::named(cluster.topics.name(topic)),
            broker,
            min_isr: cluster.effective_min_isr(id),
            log: PartitionLog::new(opened, cluster.broker(broker)),
            leader: None,
            leader_epoch: None,
            partition_epoch: None,
            leadership: None,
            waiting: VecDeque::new(),
            skips_next: false,
        }
    }

    /// The settings of the topic.
    #[inline]
    pub(crate) fn config<'a>(&self, cluster: &'a Cluster) -> &'a TopicConfig {
        &cluster.topic_configs[self.topic.index()]
    }

    /// The leader epoch, if any metadata was applied.
    #[inline]
    pub(crate) const fn leader_epoch(&self) -> Option<LeaderEpoch> {
        self.leader_epoch
    }

    /// The partition epoch, if any metadata was applied.
    pub(crate) const fn partition_epoch(&self) -> Option<PartitionEpoch> {
        self.partition_epoch
    }

    /// What it knows as a leader, if it leads. Kafka: Partition.isLeader, leaderLogIfLocal.
    #[inline]
    pub(crate) const fn leadership(&self) -> Option<&Leadership> {
        self.leadership.as_ref()
    }

    /// As [`Partition::leadership`], to change it.
    #[inline]
    pub(crate) const fn leadership_mut(&mut self) -> Option<&mut Leadership> {
        self.leadership.as_mut()
    }

    /// Who leads and in which epoch, to tell a client that came to the wrong broker.
    /// Kafka: KafkaApis.getCurrentLeader.
    pub(crate) fn current_leader(&self) -> Option<LeaderAndEpoch> {
        Some(LeaderAndEpoch { leader: self.leader?, epoch: self.leader_epoch? })
    }

    /// Forgets what a process forgets when it ends; the log is dealt with apart.
    pub(crate) fn lose_memory(&mut self) {
        self.leader = None;
        self.leader_epoch = None;
        self.partition_epoch = None;
        self.leadership = None;
        self.waiting.clear();
        self.skips_next = false;
    }
}

impl Leadership {
    /// A follower.
    #[inline]
    pub(crate) fn remote(&self, broker: BrokerId) -> Option<&Remote> {
        self.remotes.iter().find(|remote| remote.broker == broker)
    }

    /// A follower, to change what is known of it.
    #[inline]
    pub(crate) fn remote_mut(&mut self, broker: BrokerId) -> Option<&mut Remote> {
        self.remotes.iter_mut().find(|remote| remote.broker == broker)
    }

    /// Whether a follower that is in sync does not have all that the leader has.
    pub(crate) fn is_any_behind(&self, leader_end: Offset) -> bool {
        let members = self.in_sync.committed();
        let mut members = self.remotes.iter().filter(|remote| members.contains(remote.broker));
        members.any(|remote| remote.log_end != Some(leader_end))
    }

    /// The earliest instant at which a follower that is in sync now was last caught up: no
    /// follower can be out of sync before replica.lag.time.max.ms after that.
    pub(crate) fn earliest_caught_up(&self) -> Option<Instant> {
        let members = self.in_sync.committed();
        self.remotes
            .iter()
            .filter(|remote| members.contains(remote.broker))
            .map(|remote| remote.last_caught_up.unwrap_or(Instant::START))
            .min()
    }
}
