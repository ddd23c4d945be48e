//! Brokers and the controller as machines: logs, producer state, replication, elections.
//!
//! A [`Broker`] and the [`Controller`] are plain structs. They do no input or output and own no
//! clock: a driver calls them with a turn (the time, chance, an outbox) and interprets the effects
//! that they leave, in order. What they do follows Apache Kafka 4.4 (development), class by class;
//! where they differ, the documentation of the item says so.
//!
//! | here | Kafka |
//! | --- | --- |
//! | `log` | storage/internals/log: UnifiedLog, ProducerStateManager, LogLoader; LeaderEpochFileCache |
//! | `partition` | core/cluster/Partition, server/replica/Replica |
//! | `broker` | core/server: SocketServer, KafkaApis, ReplicaManager, the purgatories, ReplicaFetcherThread, DefaultAlterPartitionManager, BrokerMetadataPublisher, BrokerLifecycleManager |
//! | `transaction_metadata`, `broker/transaction_*` | coordinator/transaction: TransactionMetadata, TransactionCoordinator, TransactionStateManager, TransactionMarkerChannelManager; server/transaction/AddPartitionsToTxnManager |
//! | `group` | group-coordinator: ClassicGroup, GroupMetadataManager, OffsetMetadataManager |
//! | `controller` | metadata/controller: ReplicationControlManager, PartitionChangeBuilder, ClusterControlManager, BrokerHeartbeatManager |
//!
//! # What a driver has to know
//!
//! - After each call it interprets the outbox effect by effect; a crash may fall between any two.
//!   For each `Effect::Again` it calls [`Broker::step`] at the same instant.
//! - It calls `handle_timeout` when `next_timeout` is reached. Being early does no harm.
//! - What is said between a broker and the controller arrives in the order in which it was said.
//!   What is on its way to a process that dies never arrives; what that process had said may.
//! - A connection that this side has closed delivers nothing more to it. A response to a peer that
//!   has closed the connection may still be sent: it is lost.
//! - A broker that is not [`Broker::is_listening`] refuses connections.
//! - The controller quorum is one node that never fails.

mod bootstrap;
mod broker;
mod controller;
mod group;
mod log;
mod metadata_cache;
mod partition;
mod settled;
mod transaction_metadata;

pub use broker::{Broker, GroupView, InjectWhen, ReplicaView, Role};
pub use controller::Controller;
#[doc(hidden)]
pub use log::bare::{BareAnswer, BareLog, BareProducer};
pub use settled::is_settled;
