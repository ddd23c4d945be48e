//! The cluster as one broker knows it.

use inflight_protocol::control::{BrokerRegistration, MetadataDelta, PartitionRegistration};
use inflight_protocol::{BrokerEpoch, BrokerId, BrokerSet, Cluster, TopicPartition};

/// A broker's copy of the metadata: as old as its last applied commit.
/// Kafka: metadata/KRaftMetadataCache, image/MetadataImage.
#[derive(Debug, Default)]
pub(crate) struct MetadataCache {
    version: u64,
    brokers: Vec<Option<BrokerRegistration>>,
    partitions: Vec<Option<PartitionRegistration>>,
}

inflight_des::clone_fields!(MetadataCache { version, brokers, partitions });

impl MetadataCache {
    /// A broker that knows nothing yet.
    pub(crate) fn new(cluster: &Cluster) -> Self {
        Self {
            version: 0,
            brokers: vec![None; usize::from(cluster.brokers)],
            partitions: vec![None; cluster.assignments.len()],
        }
    }

    /// Forgets everything, as a process does that ends.
    pub(crate) fn clear(&mut self) {
        self.version = 0;
        self.brokers.fill(None);
        self.partitions.fill(None);
    }

    /// How many commits it contains.
    pub(crate) const fn version(&self) -> u64 {
        self.version
    }

    /// The state of a partition. `None` before the first image.
    #[inline]
    pub(crate) fn partition(&self, partition: TopicPartition) -> Option<&PartitionRegistration> {
        self.partitions.get(partition.index())?.as_ref()
    }

    fn broker(&self, broker: BrokerId) -> Option<&BrokerRegistration> {
        self.brokers[broker.index()].as_ref()
    }

    /// The registered epoch of a broker, fenced or not.
    pub(crate) fn registered_epoch(&self, broker: BrokerId) -> Option<BrokerEpoch> {
        self.broker(broker).map(|registration| registration.epoch)
    }

    /// The epoch of a broker that is registered and not fenced.
    /// Kafka: MetadataCache.getAliveBrokerEpoch.
    #[inline]
    pub(crate) fn alive_epoch(&self, broker: BrokerId) -> Option<BrokerEpoch> {
        let registration = self.broker(broker)?;
        (!registration.fenced).then_some(registration.epoch)
    }

    /// Whether a broker may join an in-sync replica set with this epoch in its fetches.
    /// Kafka: Partition.isReplicaIsrEligible.
    pub(crate) fn may_join(&self, broker: BrokerId, fetch_epoch: Option<BrokerEpoch>) -> bool {
        self.broker(broker).is_some_and(|registration| {
            !registration.fenced
                && !registration.in_controlled_shutdown
                && fetch_epoch == Some(registration.epoch)
        })
    }

    /// The brokers that are registered and not fenced. Kafka: MetadataCache.getAliveBrokerNodes.
    pub(crate) fn alive(&self) -> BrokerSet {
        (0..self.brokers.len())
            .map(BrokerId::from_index)
            .filter(|broker| self.alive_epoch(*broker).is_some())
            .collect()
    }

    /// Whether a broker is registered. Kafka: ClusterImage.broker.
    pub(crate) fn is_registered(&self, broker: BrokerId) -> bool {
        self.broker(broker).is_some()
    }

    /// Whether `delta` can be applied: it is the next commit, or it leaves nothing open.
    pub(crate) fn accepts(&self, delta: &MetadataDelta) -> bool {
        let is_image = delta.brokers.len() == self.brokers.len()
            && delta.partitions.len() == self.partitions.len();
        delta.version == self.version + 1 || (is_image && delta.version > self.version)
    }

    /// Takes over a commit and tells which partitions changed.
    /// Kafka: MetadataCache.setImage, TopicDelta.localChanges.
    pub(crate) fn apply(&mut self, delta: &MetadataDelta, mut changed: impl FnMut(TopicPartition)) {
        self.version = delta.version;
        for (broker, registration) in &delta.brokers {
            self.brokers[broker.index()] = Some(*registration);
        }
        for (partition, registration) in &delta.partitions {
            let known = &mut self.partitions[partition.index()];
            if known.is_none_or(|known| known.partition_epoch != registration.partition_epoch) {
                *known = Some(*registration);
                changed(*partition);
            }
        }
    }
}
