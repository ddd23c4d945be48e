//! Commits of the metadata log, and how brokers learn of them.

use crate::controller::Controller;
use inflight_protocol::control::{
    BrokerRegistration, MetadataDelta, PartitionRegistration, ToBroker,
};
use inflight_protocol::fact::Election;
use inflight_protocol::{BrokerId, Cluster, Fact, FactKind, Outgoing, TopicPartition, Turn};
use smallvec::SmallVec;

/// A partition's next state and, if its leader changes, how that was chosen.
pub(super) type PartitionUpdate = (TopicPartition, PartitionRegistration, Option<Election>);

/// The records of one operation of the controller, which are committed together.
#[derive(Clone, Debug, Default)]
pub(super) struct Records {
    /// A broker that changed.
    pub(super) broker: Option<(BrokerId, BrokerRegistration)>,
    /// Partitions that changed.
    pub(super) partitions: SmallVec<[PartitionUpdate; 1]>,
}

impl Records {
    /// Whether there is nothing to commit.
    pub(super) fn is_empty(&self) -> bool {
        self.broker.is_none() && self.partitions.is_empty()
    }
}

impl Controller {
    /// Commits records: they hold from now on, and every broker is told.
    /// Kafka: QuorumController.ControllerWriteEvent, then the replay by each manager.
    pub(super) fn commit(&mut self, cluster: &Cluster, turn: &mut Turn<'_>, records: Records) {
        let delta = self.apply(cluster, turn, records);
        self.publish(cluster, turn, delta);
    }

    /// Commits records without telling anybody yet: whoever asked for the change is answered
    /// first.
    pub(super) fn apply(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        records: Records,
    ) -> Option<MetadataDelta> {
        if records.is_empty() {
            return None;
        }
        self.version += 1;
        let mut delta = MetadataDelta { version: self.version, ..MetadataDelta::default() };
        if let Some((broker, registration)) = records.broker {
            self.brokers[broker.index()].registration = registration;
            delta.brokers.push((broker, registration));
        }
        for (partition, new, election) in records.partitions {
            let old = std::mem::replace(&mut self.partitions[partition.index()], new);
            delta.partitions.push((partition, new));
            did_change(turn, partition, &old, &new, election);
        }
        self.watch_leaders(cluster, turn);
        Some(delta)
    }

    /// Sends a commit to every broker: each follows the metadata log, fenced or not.
    pub(super) fn publish(
        &self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        delta: Option<MetadataDelta>,
    ) {
        let Some(delta) = delta else { return };
        for broker in cluster.broker_ids() {
            let word = ToBroker::Metadata(delta.clone());
            turn.send(Outgoing::ToBroker(broker, word));
        }
    }

    /// Sends a broker everything: it has just been registered, or commits were lost on their way.
    /// Kafka: a broker reads the metadata log by itself, from where it left off.
    pub(super) fn send_image(&self, cluster: &Cluster, turn: &mut Turn<'_>, to: BrokerId) {
        let registration = |id: BrokerId| (id, self.brokers[id.index()].registration);
        let partitions = cluster.topics.all_partitions();
        let image = MetadataDelta {
            version: self.version,
            brokers: cluster.broker_ids().map(registration).collect(),
            partitions: partitions.map(|id| (id, self.partitions[id.index()])).collect(),
        };
        turn.send(Outgoing::ToBroker(to, ToBroker::Metadata(image)));
    }
}

fn did_change(
    turn: &mut Turn<'_>,
    partition: TopicPartition,
    old: &PartitionRegistration,
    new: &PartitionRegistration,
    election: Option<Election>,
) {
    if (old.isr, old.elr) != (new.isr, new.elr) {
        turn.did(FactKind::IsrChanged.set(), || Fact::IsrChanged {
            partition,
            from: old.isr,
            to: new.isr,
            elr: new.elr,
            partition_epoch: new.partition_epoch,
        });
    }
    if let Some(election) = election {
        turn.did(FactKind::LeaderElected.set(), || Fact::LeaderElected {
            partition,
            leader: new.leader,
            leader_epoch: new.leader_epoch,
            election,
        });
    }
}
