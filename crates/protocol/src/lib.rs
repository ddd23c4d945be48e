//! The words that the simulator is written in, and where Kafka defines them.
//!
//! Nothing here decides anything: behaviour lives in the machines. [`ids`], [`sequence`] and
//! [`batch`] are the values; [`message`] and [`control`] are what machines send one another;
//! [`error_code`] is Kafka's table; [`config`] and [`cluster`] are the settings; [`fact`] is the
//! closed list of everything that can be observed about a run.

pub mod batch;
pub mod cluster;
pub mod config;
pub mod consumer_group;
pub mod control;
pub mod error_code;
pub mod fact;
pub mod ids;
pub mod message;
pub mod murmur2;
pub mod record_size;
pub mod sequence;
pub mod topics;
pub mod transaction;

pub use batch::{BatchKind, BatchProducer, RecordBatch, RecordRun};
pub use cluster::{Cluster, Defect, Defects};
pub use config::{BrokerConfig, ConsumerConfig, ProducerConfig, TopicConfig};
pub use error_code::{ErrorClass, ErrorCode};
pub use fact::{Fact, FactKind};
pub use ids::{
    BatchId, BrokerEpoch, BrokerId, BrokerSet, ClientId, ConnectionId, ConsumerId, CorrelationId,
    GroupId, LeaderEpoch, Node, Offset, PartitionEpoch, ProducerEpoch, ProducerId,
    ProducerIdAndEpoch, SessionId, ThreadId, Timestamp, TopicId, TopicPartition, TransactionalId,
};
pub use message::{Acks, ApiKey, Incoming, Outgoing, Request, Response};
pub use sequence::Sequence;
pub use topics::Topics;
pub use transaction::{InternalRecord, TransactionResult, TransactionState, TransactionVersion};

/// A machine's turn with the words of this crate.
pub type Turn<'a> = inflight_des::Turn<'a, Outgoing, Fact>;

/// One element of a machine's outbox with the words of this crate.
pub type Effect = inflight_des::Effect<Outgoing, Fact>;
