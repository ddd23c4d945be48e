//! When nothing more will happen by itself.

use crate::broker::Broker;
use crate::controller::Controller;
use crate::partition::Partition;
use inflight_protocol::control::PartitionRegistration;
use inflight_protocol::{BrokerSet, Cluster, TopicPartition};

/// Whether a cluster without clients and faults will stay as it is: whoever is up is registered,
/// unfenced, in sync, and has what its leader has, committed as far as it can be; whoever is down
/// is fenced; and no transaction is open that will still time out, or decided and still to be
/// completed. `brokers` are all brokers in order; `up` are those whose process runs.
///
/// A high watermark that stands still because too few replicas are in sync is settled, and so is a
/// transaction that waits for such a partition. Preferred leaders are not waited for.
pub fn is_settled(
    cluster: &Cluster,
    controller: &Controller,
    brokers: &[Broker],
    up: BrokerSet,
) -> bool {
    let live = || brokers.iter().filter(|broker| up.contains(broker.id()));
    // Replication is what most runs wait for last.
    let mut partitions = cluster.topics.all_partitions();
    partitions.all(|partition| {
        let registration = controller.partition(partition);
        is_partition_settled(cluster, registration, brokers, up, partition)
    }) && live().all(|broker| {
        broker.is_settled()
            && broker.metadata_version() == controller.version()
            && controller.is_active(broker.id(), broker.broker_epoch())
    }) && brokers
        .iter()
        .filter(|broker| !up.contains(broker.id()))
        .all(|broker| controller.is_fenced(broker.id()))
        && live().flat_map(Broker::open_transactions).all(|(state, partitions)| {
            let mut needed = std::iter::once(&state).chain(partitions);
            needed.any(|partition| is_stuck(cluster, controller, *partition))
        })
}

/// Whether nothing can be written to a partition with `acks=all`.
fn is_stuck(cluster: &Cluster, controller: &Controller, partition: TopicPartition) -> bool {
    let registration = controller.partition(partition);
    let is_frozen = registration.isr.len() < cluster.effective_min_isr(partition);
    registration.leader.is_none() || is_frozen
}

fn is_partition_settled(
    cluster: &Cluster,
    registration: &PartitionRegistration,
    brokers: &[Broker],
    up: BrokerSet,
    partition: TopicPartition,
) -> bool {
    let live = cluster.replica_set(partition).intersection(up);
    let Some(leader) = registration.leader else {
        // The periodic unclean election may still find somebody.
        let topic = cluster.topic(partition);
        return live.is_empty() || !topic.unclean_leader_election_enable;
    };
    let Some(leading) = brokers[leader.index()].hosted(partition) else { return false };
    let is_frozen = registration.isr.len() < cluster.effective_min_isr(partition);
    let is_committed = is_frozen || leading.log.high_watermark() == leading.log.end();
    is_committed
        && leading.leadership().is_some()
        && leading.leader_epoch() == Some(registration.leader_epoch)
        && live.difference(registration.isr).is_empty()
        && live.without(leader).iter().all(|follower| {
            let following = brokers[follower.index()].hosted(partition);
            following.is_some_and(|following| {
                has_all(following, leading)
                    && (following.log.high_watermark() == leading.log.high_watermark()
                        || is_of_a_group(cluster, partition))
            })
        })
}

/// Whether the offsets of a group are here. Consumers that commit by themselves never rest, and a
/// follower learns of a high watermark with the next records only.
fn is_of_a_group(cluster: &Cluster, partition: TopicPartition) -> bool {
    cluster.coordinated.groups.iter().any(|(_, own)| *own == partition)
}

fn has_all(following: &Partition, leading: &Partition) -> bool {
    following.log.end() == leading.log.end()
        && following.leader_epoch() == leading.leader_epoch()
        && following.leadership().is_none()
}
