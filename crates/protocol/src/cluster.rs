//! The cluster as it is configured: what never changes during a run.

use crate::config::{BrokerConfig, TopicConfig};
use crate::ids::{BrokerId, BrokerSet, TopicPartition};
use crate::topics::Topics;
use crate::transaction::{CoordinatorKey, TransactionVersion};
use smallvec::SmallVec;

/// Brokers, topics and replica assignments with their settings.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// How many brokers; they are numbered from 1.
    pub brokers: u8,
    /// The settings of each broker.
    pub broker_configs: Vec<BrokerConfig>,
    /// Names and numbers of topics and partitions. A topic without partitions does not exist in
    /// the cluster; clients may ask for it all the same.
    pub topics: Topics,
    /// The settings of each topic.
    pub topic_configs: Vec<TopicConfig>,
    /// The replicas of each partition, the preferred leader first.
    pub assignments: Vec<SmallVec<[BrokerId; 4]>>,
    /// Whether the feature `eligible.leader.replicas.version` is at 1 (KIP-966), as in clusters
    /// made with Kafka 4.1 or later.
    pub eligible_leader_replicas: bool,
    /// The feature `transaction.version`.
    pub transaction_version: TransactionVersion,
    /// Transactional ids and groups.
    pub coordinated: Coordinated,
    /// Rules broken on purpose, to see a checker fire. Empty in any honest run.
    pub defects: Defects,
}

/// Names of transactional ids and groups, and the partition of the internal topic that each belongs
/// to: its leader coordinates it. Of the internal topics only these partitions exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coordinated {
    /// The transactional ids.
    pub transactional_ids: Vec<(String, TopicPartition)>,
    /// The groups.
    pub groups: Vec<(String, TopicPartition)>,
}

impl Coordinated {
    /// The partition of the internal topic whose leader coordinates this.
    /// Kafka: TransactionStateManager.partitionFor, GroupCoordinatorService.partitionFor.
    #[inline]
    pub fn partition(&self, key: CoordinatorKey) -> TopicPartition {
        match key {
            CoordinatorKey::Transaction(id) => self.transactional_ids[id.index()].1,
            CoordinatorKey::Group(group) => self.groups[group.index()].1,
        }
    }
}

impl Cluster {
    /// All brokers.
    pub fn broker_ids(&self) -> impl Iterator<Item = BrokerId> + use<> {
        (1..=self.brokers).map(BrokerId::new)
    }

    /// The settings of a broker.
    #[inline]
    pub fn broker(&self, broker: BrokerId) -> &BrokerConfig {
        &self.broker_configs[broker.index()]
    }

    /// The settings of a partition's topic.
    #[inline]
    pub fn topic(&self, partition: TopicPartition) -> &TopicConfig {
        &self.topic_configs[self.topics.split(partition).0.index()]
    }

    /// The replicas of a partition, the preferred leader first.
    #[inline]
    pub fn replicas(&self, partition: TopicPartition) -> &[BrokerId] {
        &self.assignments[partition.index()]
    }

    /// The replicas of a partition as a set.
    pub fn replica_set(&self, partition: TopicPartition) -> BrokerSet {
        self.replicas(partition).iter().copied().collect()
    }

    /// `min(min.insync.replicas, replication factor)`, which is what counts.
    /// Kafka: Partition.effectiveMinIsr.
    #[inline]
    pub fn effective_min_isr(&self, partition: TopicPartition) -> u32 {
        let replicas = self.replicas(partition).len() as u32;
        self.topic(partition).min_insync_replicas.min(replicas)
    }
}

/// A set of rules that are broken on purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Defects(u32);

/// A rule that can be broken on purpose, so that the checker that guards it is seen to fire.
/// None of these is a setting of Kafka.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Defect {
    /// A broker does not recognise duplicates: it appends every batch of an idempotent producer.
    ForgetDuplicates,
    /// A broker accepts any sequence number.
    IgnoreSequences,
    /// A leader answers `acks=all` after its own append, before the high watermark.
    AckBeforeHighWatermark,
    /// A follower truncates to its high watermark when the leader changes (before KIP-101).
    TruncateToHighWatermark,
    /// A new leader is any live replica, in sync or not, and nobody is told that it is unclean.
    ElectOutOfSync,
    /// A follower skips every other batch that it fetches.
    SkipReplication,
    /// A recovered log has lost the producer state of the batches in it.
    LoseProducerState,
    /// A broker hands out the same producer id again and again.
    RepeatProducerIds,
    /// A broker answers a batch with UNKNOWN_SERVER_ERROR although it was appended.
    FailAfterAppend,
    /// A broker answers a batch with success and appends nothing.
    AckWithoutAppend,
    /// A leader appends the record runs of two sessions under one another's name.
    SwapPayload,
    /// An idempotent producer puts retries back in the order of failure, not of sequence, and sends
    /// them so.
    RequeueOutOfOrder,
    /// A consumer of committed records asks for what is below the high watermark, decided or not.
    ReadAboveStable,
    /// A consumer of committed records gives out those of aborted transactions, too.
    GiveAborted,
    /// A leader takes batches of older producer epochs.
    IgnoreProducerEpochs,
    /// A coordinator aborts a transaction that is over its time without raising the producer epoch
    /// (before KAFKA-6119).
    TimeoutWithoutEpochBump,
}

impl Defects {
    /// None: Kafka as it is.
    pub const NONE: Self = Self(0);

    /// The set with `defect`.
    #[must_use]
    pub const fn with(self, defect: Defect) -> Self {
        Self(self.0 | 1 << defect as u8)
    }

    /// Whether `defect` is planted.
    #[inline]
    pub const fn has(self, defect: Defect) -> bool {
        self.0 >> defect as u8 & 1 == 1
    }

    /// Whether none is planted.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}
