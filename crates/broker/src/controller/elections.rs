//! Changes of partitions that the controller makes by itself or on request.
//!
//! Kafka: metadata/controller/ReplicationControlManager: generateLeaderAndIsrUpdates, electLeader,
//! maybeBalancePartitionLeaders, maybeElectUncleanLeaders.

use crate::controller::Controller;
use crate::controller::commit::{PartitionUpdate, Records};
use crate::controller::partition_change::{ElectionType, PartitionChange};
use inflight_protocol::control::PartitionRegistration;
use inflight_protocol::fact::Election;
use inflight_protocol::{BrokerId, BrokerSet, Cluster, Defect, TopicPartition, Turn};
use smallvec::SmallVec;

/// How a broker leaves the in-sync replica sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Departure {
    /// It is fenced or shuts down: it may stay eligible.
    Fenced(BrokerId),
    /// It has come back after an unclean shutdown: what it had may be gone.
    UncleanShutdown(BrokerId),
}

impl Controller {
    /// The partitions as they are without a broker. Kafka: generateLeaderAndIsrUpdates.
    pub(super) fn partitions_without(
        &self,
        cluster: &Cluster,
        departure: Departure,
    ) -> SmallVec<[PartitionUpdate; 1]> {
        let (broker, unclean_shutdown) = match departure {
            Departure::Fenced(broker) => (broker, None),
            Departure::UncleanShutdown(broker) => (broker, Some(broker)),
        };
        let acceptable = self.active().without(broker);
        let concerns = |known: &PartitionRegistration| {
            known.isr.contains(broker) || (unclean_shutdown.is_some() && known.elr.contains(broker))
        };
        let partitions = cluster.topics.all_partitions();
        partitions
            .filter(|id| concerns(self.partition(*id)))
            .filter_map(|id| {
                let isr = self.partition(id).isr.without(broker);
                let change = self.change(cluster, id, acceptable, isr);
                self.update(id, PartitionChange { unclean_shutdown, ..change })
            })
            .collect()
    }

    /// The leaderless partitions as they are with another active broker.
    pub(super) fn leaderless_with(
        &self,
        cluster: &Cluster,
        broker: BrokerId,
    ) -> SmallVec<[PartitionUpdate; 1]> {
        let acceptable = self.active().with(broker);
        let partitions = cluster.topics.all_partitions();
        partitions
            .filter(|id| self.partition(*id).leader.is_none())
            .filter_map(|id| {
                let change = self.change(cluster, id, acceptable, self.partition(id).isr);
                self.update(id, change)
            })
            .collect()
    }

    /// A change of a partition towards a set of in-sync replicas, with whatever election its topic
    /// permits.
    pub(super) fn change<'a>(
        &'a self,
        cluster: &'a Cluster,
        partition: TopicPartition,
        acceptable: BrokerSet,
        target_isr: BrokerSet,
    ) -> PartitionChange<'a> {
        let is_unclean = cluster.topic(partition).unclean_leader_election_enable;
        PartitionChange {
            current: self.partition(partition),
            replicas: cluster.replicas(partition),
            min_isr: cluster.effective_min_isr(partition),
            keeps_elr: cluster.eligible_leader_replicas,
            election: if is_unclean { ElectionType::Unclean } else { ElectionType::Online },
            acceptable,
            target_isr,
            unclean_shutdown: None,
            prefers_out_of_sync: cluster.defects.has(Defect::ElectOutOfSync),
        }
    }

    fn update(
        &self,
        partition: TopicPartition,
        change: PartitionChange<'_>,
    ) -> Option<PartitionUpdate> {
        change.build().map(|(new, election)| (partition, new, election))
    }

    /// An election of this type, with the in-sync replicas as they are.
    fn election(
        &self,
        cluster: &Cluster,
        partition: TopicPartition,
        election: ElectionType,
    ) -> Option<PartitionUpdate> {
        let isr = self.partition(partition).isr;
        let change = self.change(cluster, partition, self.active(), isr);
        self.update(partition, PartitionChange { election, ..change })
    }

    /// Elects a leader on request: the preferred one, or the one that is named, whether it is in
    /// sync or not, if only it is active. The second has no counterpart in Kafka; it is how a
    /// fault forces a change.
    pub fn elect(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        partition: TopicPartition,
        leader: Option<BrokerId>,
    ) {
        let update = match leader {
            None => self.election(cluster, partition, ElectionType::Preferred),
            Some(leader) => self.forced(partition, leader),
        };
        let partitions = update.into_iter().collect();
        self.commit(cluster, turn, Records { broker: None, partitions });
    }

    fn forced(&self, partition: TopicPartition, leader: BrokerId) -> Option<PartitionUpdate> {
        let mut new = *self.partition(partition);
        if new.leader == Some(leader) || !self.active().contains(leader) {
            return None;
        }
        if !new.isr.contains(leader) {
            new.isr = BrokerSet::EMPTY.with(leader);
            new.elr = BrokerSet::EMPTY;
        }
        new.leader = Some(leader);
        new.last_known_leader = None;
        new.leader_epoch = new.leader_epoch.next();
        new.partition_epoch = new.partition_epoch.next();
        Some((partition, new, Some(Election::Forced)))
    }

    /// Whether a partition is led by another replica than the preferred one.
    pub(super) fn is_imbalanced(&self, cluster: &Cluster, partition: TopicPartition) -> bool {
        let preferred = cluster.replicas(partition).first();
        preferred.is_some_and(|preferred| self.partition(partition).leader != Some(*preferred))
    }

    /// Whether a partition without a leader may get an unclean one.
    pub(super) fn awaits_unclean_leader(
        &self,
        cluster: &Cluster,
        partition: TopicPartition,
    ) -> bool {
        self.partition(partition).leader.is_none()
            && cluster.topic(partition).unclean_leader_election_enable
    }

    /// The periodic pass over partitions that their preferred replica does not lead. Kafka stops
    /// after a thousand elections and goes on soon after.
    pub(super) fn balance_leaders(&mut self, cluster: &Cluster, turn: &mut Turn<'_>) {
        let partitions = cluster.topics.all_partitions();
        let partitions = partitions
            .filter(|id| self.is_imbalanced(cluster, *id))
            .filter_map(|id| self.election(cluster, id, ElectionType::Preferred))
            .collect();
        self.commit(cluster, turn, Records { broker: None, partitions });
    }

    /// The periodic pass over partitions without a leader.
    pub(super) fn elect_unclean_leaders(&mut self, cluster: &Cluster, turn: &mut Turn<'_>) {
        let partitions = cluster.topics.all_partitions();
        let partitions = partitions
            .filter(|id| self.awaits_unclean_leader(cluster, *id))
            .filter_map(|id| self.election(cluster, id, ElectionType::Unclean))
            .collect();
        self.commit(cluster, turn, Records { broker: None, partitions });
    }
}
