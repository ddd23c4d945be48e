//! The cluster that a run starts with: it has been running for a while, and nothing is going on.

use inflight_protocol::control::{BrokerRegistration, MetadataDelta, PartitionRegistration};
use inflight_protocol::{BrokerEpoch, BrokerId, Cluster, LeaderEpoch, PartitionEpoch};

/// The commits that made it: each broker's registration, and one with all topics.
pub(crate) fn version(cluster: &Cluster) -> u64 {
    u64::from(cluster.brokers) + 1
}

/// The epoch of a broker: the commit of its registration.
pub(crate) const fn broker_epoch(broker: BrokerId) -> BrokerEpoch {
    BrokerEpoch::new(broker.get() as u32)
}

/// The metadata. Every broker is unfenced, every replica in sync, every preferred leader leads.
pub(crate) fn image(cluster: &Cluster) -> MetadataDelta {
    let broker = |id: BrokerId| {
        let epoch = broker_epoch(id);
        (id, BrokerRegistration { epoch, fenced: false, in_controlled_shutdown: false })
    };
    let partition = |id| {
        let registration = PartitionRegistration {
            isr: cluster.replica_set(id),
            leader: cluster.replicas(id).first().copied(),
            leader_epoch: LeaderEpoch::new(0),
            partition_epoch: PartitionEpoch::new(0),
            ..PartitionRegistration::default()
        };
        (id, registration)
    };
    MetadataDelta {
        version: version(cluster),
        brokers: cluster.broker_ids().map(broker).collect(),
        partitions: cluster.topics.all_partitions().map(partition).collect(),
    }
}
