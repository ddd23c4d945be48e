//! What brokers and the controller say to each other.
//!
//! Kafka: BrokerRegistration, BrokerHeartbeat, AlterPartition and AllocateProducerIds requests, and
//! the metadata log that brokers follow, which is a stream of [`MetadataDelta`]s here.

use crate::error_code::ErrorCode;
use crate::ids::{
    BrokerEpoch, BrokerId, BrokerSet, LeaderEpoch, PartitionEpoch, ProducerId, TopicPartition,
};
use smallvec::SmallVec;

/// From a broker to the controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToController {
    /// Kafka: BrokerRegistrationRequest.
    Register {
        /// The broker.
        broker: BrokerId,
        /// How many times this broker was started before.
        incarnation: u32,
        /// The broker epoch found in the clean shutdown marker, if the last stop was clean.
        previous_epoch: Option<BrokerEpoch>,
    },
    /// Kafka: BrokerHeartbeatRequest.
    Heartbeat {
        /// The broker.
        broker: BrokerId,
        /// Its epoch.
        epoch: BrokerEpoch,
        /// How far it has applied the metadata log.
        metadata_version: u64,
        /// What it wants to be.
        want: BrokerWish,
    },
    /// Kafka: AlterPartitionRequest.
    AlterPartition {
        /// The leader that asks.
        broker: BrokerId,
        /// Its broker epoch.
        epoch: BrokerEpoch,
        /// The wishes, at most one a partition.
        changes: SmallVec<[IsrChange; 1]>,
    },
    /// Kafka: AllocateProducerIdsRequest.
    AllocateProducerIds {
        /// The broker that asks.
        broker: BrokerId,
    },
}

/// What a broker wants to be, in a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BrokerWish {
    /// Kafka: wantFence.
    Fenced,
    /// Neither flag.
    Active,
    /// Kafka: wantShutDown.
    ShutDown,
}

/// A new in-sync replica set that a leader proposes. Kafka: AlterPartitionRequest.PartitionData.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IsrChange {
    /// The partition.
    pub partition: TopicPartition,
    /// The leader epoch that the leader knows.
    pub leader_epoch: LeaderEpoch,
    /// The partition epoch that the leader knows.
    pub partition_epoch: PartitionEpoch,
    /// The proposed set.
    pub isr: BrokerSet,
    /// The broker epoch of each member, in ascending order of brokers.
    pub broker_epochs: SmallVec<[BrokerEpoch; 3]>,
}

/// From the controller to a broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToBroker {
    /// The answer to a registration: the new broker epoch, or DUPLICATE_BROKER_REGISTRATION.
    Registered(Result<BrokerEpoch, ErrorCode>),
    /// Kafka: BrokerHeartbeatResponse.
    Heartbeat {
        /// STALE_BROKER_EPOCH, if the broker has been registered anew.
        error: Option<ErrorCode>,
        /// Whether the broker is fenced.
        is_fenced: bool,
        /// Whether a broker that wants to shut down may do so now.
        should_shut_down: bool,
    },
    /// Kafka: AlterPartitionResponse.
    AlterPartition {
        /// An error for the request as a whole.
        error: Option<ErrorCode>,
        /// One entry a change.
        partitions: SmallVec<[AlteredPartition; 1]>,
    },
    /// A record of the metadata log was committed and reached the broker.
    Metadata(MetadataDelta),
    /// A block of producer ids: the first one of [`PRODUCER_ID_BLOCK`].
    ProducerIds {
        /// The first id of the block.
        first: ProducerId,
    },
}

/// How many producer ids a broker gets at a time. Kafka: ProducerIdsBlock.PRODUCER_ID_BLOCK_SIZE.
pub const PRODUCER_ID_BLOCK: u64 = 1_000;

/// The answer to one [`IsrChange`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlteredPartition {
    /// The partition.
    pub partition: TopicPartition,
    /// The new state, or why the change was refused.
    pub result: Result<PartitionRegistration, ErrorCode>,
}

/// One commit of the metadata log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetadataDelta {
    /// The version after it; versions count commits.
    pub version: u64,
    /// Brokers that changed.
    pub brokers: SmallVec<[(BrokerId, BrokerRegistration); 1]>,
    /// Partitions that changed.
    pub partitions: SmallVec<[(TopicPartition, PartitionRegistration); 1]>,
}

/// The controller's view of a broker. Kafka: metadata/BrokerRegistration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BrokerRegistration {
    /// Its epoch.
    pub epoch: BrokerEpoch,
    /// Whether it is fenced: neither leader nor in sync, and not told to clients.
    pub fenced: bool,
    /// Whether it is in controlled shutdown.
    pub in_controlled_shutdown: bool,
}

/// The controller's view of a partition. Kafka: metadata/PartitionRegistration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PartitionRegistration {
    /// The in-sync replicas.
    pub isr: BrokerSet,
    /// The eligible leader replicas (KIP-966).
    pub elr: BrokerSet,
    /// Who led when the partition became leaderless with an empty ISR and ELR (KIP-966).
    pub last_known_leader: Option<BrokerId>,
    /// The leader.
    pub leader: Option<BrokerId>,
    /// Its epoch.
    pub leader_epoch: LeaderEpoch,
    /// Counts all changes.
    pub partition_epoch: PartitionEpoch,
}
