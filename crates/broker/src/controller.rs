//! The controller. Kafka: metadata/controller/QuorumController and its managers.
//!
//! The quorum is one node here, and it never fails: a failover would add a session timeout to
//! whatever waits for the controller, and nothing else that this simulation looks at.

mod alter_partition;
mod commit;
mod elections;
mod heartbeat;
mod partition_change;
mod register;
mod schedule;

use inflight_des::{Chance, Instant};
use inflight_protocol::control::{
    BrokerRegistration, PRODUCER_ID_BLOCK, PartitionRegistration, ToBroker, ToController,
};
use inflight_protocol::{
    BrokerEpoch, BrokerId, BrokerSet, Cluster, Outgoing, ProducerId, TopicPartition, Turn,
};
use schedule::Schedule;

/// The controller as a machine. Its driver calls [`Controller::handle`] for each word of a broker
/// and [`Controller::handle_timeout`] when [`Controller::next_timeout`] is reached.
#[derive(Debug)]
pub struct Controller {
    /// How many commits the metadata log has.
    version: u64,
    brokers: Vec<BrokerControl>,
    partitions: Vec<PartitionRegistration>,
    next_producer_id: u64,
    schedule: Schedule,
}

inflight_des::clone_fields!(Controller {
    version,
    brokers,
    partitions,
    next_producer_id,
    schedule
});

/// What the controller knows of a broker.
/// Kafka: BrokerRegistration, BrokerHeartbeatManager.BrokerHeartbeatState.
#[derive(Clone, Copy, Debug)]
struct BrokerControl {
    registration: BrokerRegistration,
    /// Which start of the process is registered.
    incarnation: u32,
    /// When it was last heard of in this epoch; `None` once its session is over.
    /// Kafka: BrokerHeartbeatTracker.contactTimes.
    contact: Option<Instant>,
    /// How far it has applied the metadata log, by its last heartbeat in this epoch.
    metadata_version: Option<u64>,
    /// The commit that others must have applied before it may shut down.
    /// Kafka: controlledShutdownOffset.
    shutdown_version: Option<u64>,
}

impl Controller {
    /// The controller of a settled cluster. Names its streams of chance.
    pub fn new(cluster: &Cluster, chance: &mut Chance) -> Self {
        let image = crate::bootstrap::image(cluster);
        let broker = |(_, registration): &(BrokerId, BrokerRegistration)| BrokerControl {
            registration: *registration,
            incarnation: 0,
            contact: Some(Instant::START),
            metadata_version: Some(image.version),
            shutdown_version: None,
        };
        Self {
            version: image.version,
            brokers: image.brokers.iter().map(broker).collect(),
            partitions: image.partitions.iter().map(|(_, partition)| *partition).collect(),
            next_producer_id: u64::from(cluster.brokers) * PRODUCER_ID_BLOCK,
            schedule: Schedule::new(chance),
        }
    }

    /// The run starts: the sessions of all brokers begin.
    pub fn start(&mut self, cluster: &Cluster, turn: &mut Turn<'_>) {
        for control in &mut self.brokers {
            control.contact = Some(turn.now());
        }
        self.watch_sessions(cluster);
    }

    /// A broker has a word for the controller.
    pub fn handle(&mut self, cluster: &Cluster, turn: &mut Turn<'_>, word: ToController) {
        match word {
            ToController::Register { broker, incarnation, previous_epoch } => {
                self.register(cluster, turn, broker, incarnation, previous_epoch);
            }
            ToController::Heartbeat { broker, epoch, metadata_version, want } => {
                self.heartbeat(cluster, turn, broker, (epoch, metadata_version), want);
            }
            ToController::AlterPartition { broker, epoch, changes } => {
                self.alter_partition(cluster, turn, broker, epoch, &changes);
            }
            ToController::AllocateProducerIds { broker } => {
                // Kafka: ProducerIdControlManager.generateNextProducerId.
                let first = ProducerId::new(self.next_producer_id);
                self.next_producer_id += PRODUCER_ID_BLOCK;
                turn.send(Outgoing::ToBroker(broker, ToBroker::ProducerIds { first }));
            }
        }
    }

    /// How many commits the metadata log has.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The registration of a broker.
    pub fn broker(&self, broker: BrokerId) -> &BrokerRegistration {
        &self.brokers[broker.index()].registration
    }

    /// The state of a partition.
    pub fn partition(&self, partition: TopicPartition) -> &PartitionRegistration {
        &self.partitions[partition.index()]
    }

    /// Whether a broker is registered with this epoch, unfenced and not shutting down.
    pub fn is_active(&self, broker: BrokerId, epoch: BrokerEpoch) -> bool {
        let registration = self.broker(broker);
        registration.epoch == epoch && !registration.fenced && !registration.in_controlled_shutdown
    }

    /// Whether a broker is fenced.
    pub fn is_fenced(&self, broker: BrokerId) -> bool {
        self.broker(broker).fenced
    }

    /// The brokers that may lead. Kafka: ClusterControlManager.isActive.
    fn active(&self) -> BrokerSet {
        let is_active = |index: &usize| {
            let registration = &self.brokers[*index].registration;
            !registration.fenced && !registration.in_controlled_shutdown
        };
        (0..self.brokers.len()).filter(is_active).map(BrokerId::from_index).collect()
    }
}

#[cfg(test)]
mod tests;
