//! Configuration as the machines read it: typed, validated, complete.
//!
//! The names are Kafka's keys with underscores for dots and without the unit where the type has it.
//! [`ProducerConfig::from_settings`] and its like make configurations of [`Settings`] as Kafka does,
//! by the tables in [`keys`]; [`properties`] reads settings from the files that Kafka reads.

mod broker_keys;
mod broker_rules;
mod consumer;
mod consumer_groups;
mod consumer_keys;
mod consumer_rules;
mod error;
mod from_settings;
pub mod keys;
mod kind;
mod nearest;
mod producer_keys;
mod producer_rules;
pub mod properties;
mod reading;
mod settings;
mod topic_keys;

pub use consumer::{AssignmentStrategy, AutoOffsetReset, ConsumerConfig, GroupProtocol};
pub use consumer_groups::{ConsumerGroupConfig, ServerAssignor, ServerAssignors};
pub use error::{Concerned, ConfigError, ConfigWarning, Configured, Raised, Rule, WarningKind};
pub use from_settings::{Difference, Outcome, ServerConfig};
pub use kind::{Elements, Kind, Limits, Range};
pub use producer_rules::IN_FLIGHT_MAX_FOR_IDEMPOTENCE;
pub use settings::{Origin, Setting, Settings};

use crate::message::Acks;
use inflight_des::{Delay, Span};

/// The settings of a producer. Kafka: clients/producer/ProducerConfig.
#[derive(Clone, Debug, PartialEq)]
pub struct ProducerConfig {
    /// acks
    pub acks: Acks,
    /// enable.idempotence, after the checks against the other settings.
    pub enable_idempotence: bool,
    /// retries
    pub retries: u32,
    /// max.in.flight.requests.per.connection
    pub max_in_flight_requests_per_connection: u32,
    /// batch.size in bytes, at least 1: Kafka takes 0 for 1.
    pub batch_size: u32,
    /// linger.ms, at most 2147483647: Kafka takes more for that.
    pub linger_ms: i64,
    /// delivery.timeout.ms, after the adjustment to linger.ms + request.timeout.ms.
    pub delivery_timeout_ms: i64,
    /// request.timeout.ms
    pub request_timeout_ms: i64,
    /// max.block.ms
    pub max_block_ms: i64,
    /// buffer.memory in bytes
    pub buffer_memory: u64,
    /// max.request.size in bytes
    pub max_request_size: u32,
    /// retry.backoff.ms
    pub retry_backoff_ms: i64,
    /// retry.backoff.max.ms
    pub retry_backoff_max_ms: i64,
    /// reconnect.backoff.ms
    pub reconnect_backoff_ms: i64,
    /// reconnect.backoff.max.ms, after the adjustment to reconnect.backoff.ms.
    pub reconnect_backoff_max_ms: i64,
    /// socket.connection.setup.timeout.ms
    pub socket_connection_setup_timeout_ms: i64,
    /// socket.connection.setup.timeout.max.ms
    pub socket_connection_setup_timeout_max_ms: i64,
    /// connections.max.idle.ms; negative means never.
    pub connections_max_idle_ms: i64,
    /// metadata.max.age.ms
    pub metadata_max_age_ms: i64,
    /// metadata.max.idle.ms
    pub metadata_max_idle_ms: i64,
    /// metadata.recovery.strategy
    pub metadata_recovery_strategy: MetadataRecoveryStrategy,
    /// metadata.recovery.rebootstrap.trigger.ms
    pub metadata_recovery_rebootstrap_trigger_ms: i64,
    /// compression.type
    pub compression_type: CompressionType,
    /// partitioner.class
    pub partitioner: Partitioner,
    /// partitioner.adaptive.partitioning.enable
    pub partitioner_adaptive_partitioning_enable: bool,
    /// partitioner.availability.timeout.ms; 0 switches it off.
    pub partitioner_availability_timeout_ms: i64,
    /// partitioner.ignore.keys
    pub partitioner_ignore_keys: bool,
    /// transactional.id
    pub transactional_id: Option<String>,
    /// transaction.timeout.ms
    pub transaction_timeout_ms: i64,
}

/// metadata.recovery.strategy
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MetadataRecoveryStrategy {
    /// Keep to the brokers that are known.
    None,
    /// Go back to bootstrap.servers when no known broker can be reached.
    #[default]
    Rebootstrap,
}

/// compression.type
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CompressionType {
    /// No compression.
    #[default]
    None,
    /// gzip
    Gzip,
    /// snappy
    Snappy,
    /// lz4
    Lz4,
    /// zstd
    Zstd,
}

/// partitioner.class: the classes that exist in Kafka, and a table in place of the user's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Partitioner {
    /// No class: the logic built into the producer.
    #[default]
    BuiltIn,
    /// org.apache.kafka.clients.producer.RoundRobinPartitioner
    RoundRobin,
    /// A custom partitioner: these keys go to these partitions of their topic, every other record
    /// goes where the built-in hash of its key puts it, or to partition 0 without a key.
    Table(Vec<(String, u16)>),
}

impl Default for ProducerConfig {
    /// The defaults of Kafka 4.x with nothing set.
    fn default() -> Self {
        Self {
            acks: Acks::All,
            enable_idempotence: true,
            retries: i32::MAX as u32,
            max_in_flight_requests_per_connection: 5,
            batch_size: 16_384,
            linger_ms: 5,
            delivery_timeout_ms: 120_000,
            request_timeout_ms: 30_000,
            max_block_ms: 60_000,
            buffer_memory: 33_554_432,
            max_request_size: 1_048_576,
            retry_backoff_ms: 100,
            retry_backoff_max_ms: 1_000,
            reconnect_backoff_ms: 50,
            reconnect_backoff_max_ms: 1_000,
            socket_connection_setup_timeout_ms: 10_000,
            socket_connection_setup_timeout_max_ms: 30_000,
            connections_max_idle_ms: 540_000,
            metadata_max_age_ms: 300_000,
            metadata_max_idle_ms: 300_000,
            metadata_recovery_strategy: MetadataRecoveryStrategy::Rebootstrap,
            metadata_recovery_rebootstrap_trigger_ms: 300_000,
            compression_type: CompressionType::None,
            partitioner: Partitioner::BuiltIn,
            partitioner_adaptive_partitioning_enable: true,
            partitioner_availability_timeout_ms: 0,
            partitioner_ignore_keys: false,
            transactional_id: None,
            transaction_timeout_ms: 60_000,
        }
    }
}

/// The settings of a broker, and what the machine it runs on costs. Kafka: server/config/*Configs.
#[derive(Clone, Debug, PartialEq)]
pub struct BrokerConfig {
    /// replica.lag.time.max.ms
    pub replica_lag_time_max: Span,
    /// replica.fetch.wait.max.ms
    pub replica_fetch_wait_max: Span,
    /// replica.fetch.min.bytes
    pub replica_fetch_min_bytes: u32,
    /// replica.fetch.max.bytes
    pub replica_fetch_max_bytes: u32,
    /// replica.fetch.response.max.bytes
    pub replica_fetch_response_max_bytes: u32,
    /// replica.fetch.backoff.ms
    pub replica_fetch_backoff: Span,
    /// replica.socket.timeout.ms
    pub replica_socket_timeout: Span,
    /// replica.high.watermark.checkpoint.interval.ms
    pub replica_high_watermark_checkpoint_interval: Span,
    /// log.flush.scheduler.interval.ms: how often the broker looks for logs whose flush.ms is over.
    /// `None` is never, in which case flush.ms has no effect.
    pub log_flush_scheduler_interval: Option<Span>,
    /// num.io.threads
    pub num_io_threads: u32,
    /// broker.heartbeat.interval.ms
    pub broker_heartbeat_interval: Span,
    /// broker.session.timeout.ms, which the controller goes by.
    pub broker_session_timeout: Span,
    /// controlled.shutdown.enable
    pub controlled_shutdown_enable: bool,
    /// producer.id.expiration.ms
    pub producer_id_expiration: Span,
    /// producer.id.expiration.check.interval.ms
    pub producer_id_expiration_check_interval: Span,
    /// auto.leader.rebalance.enable, which the controller goes by.
    pub auto_leader_rebalance_enable: bool,
    /// leader.imbalance.check.interval.seconds, which the controller goes by.
    pub leader_imbalance_check_interval: Span,
    /// transaction.max.timeout.ms
    pub transaction_max_timeout: Span,
    /// transactional.id.expiration.ms
    pub transactional_id_expiration: Span,
    /// transaction.abort.timed.out.transaction.cleanup.interval.ms
    pub transaction_abort_timed_out_transaction_cleanup_interval: Span,
    /// transaction.remove.expired.transaction.cleanup.interval.ms
    pub transaction_remove_expired_transaction_cleanup_interval: Span,
    /// transaction.partition.verification.enable
    pub transaction_partition_verification_enable: bool,
    /// transaction.state.log.replication.factor, which the assignments of the cluster go by.
    pub transaction_state_log_replication_factor: u32,
    /// transaction.state.log.min.isr, which the settings of the topic go by.
    pub transaction_state_log_min_isr: u32,
    /// offsets.topic.replication.factor, which the assignments of the cluster go by.
    pub offsets_topic_replication_factor: u32,
    /// add.partitions.to.txn.retry.backoff.ms
    pub add_partitions_to_txn_retry_backoff: Span,
    /// add.partitions.to.txn.retry.backoff.max.ms
    pub add_partitions_to_txn_retry_backoff_max: Span,
    /// offsets.commit.timeout.ms
    pub offsets_commit_timeout: Span,
    /// group.initial.rebalance.delay.ms
    pub group_initial_rebalance_delay: Span,
    /// group.min.session.timeout.ms
    pub group_min_session_timeout_ms: u32,
    /// group.max.session.timeout.ms
    pub group_max_session_timeout_ms: u32,
    /// group.max.size
    pub group_max_size: u32,
    /// group.consumer.*
    pub consumer_groups: ConsumerGroupConfig,
    /// The time a request keeps a request handler busy, besides its appends. Not a setting of
    /// Kafka's: a property of the machine.
    pub request_time: Delay,
    /// The time an append of one batch takes. Not a setting of Kafka's.
    pub append_time: Delay,
    /// The time from a commit of the metadata log until this broker has it, besides the link. Not
    /// a setting of Kafka's: fetch, batching and replay of the metadata log.
    pub metadata_time: Delay,
    /// The time a new coordinator takes to read its partition of an internal topic. Not a setting
    /// of Kafka's.
    pub coordinator_load_time: Delay,
}

impl Default for BrokerConfig {
    /// The defaults of Kafka 4.x on a machine that costs nothing.
    fn default() -> Self {
        Self {
            replica_lag_time_max: Span::from_millis(30_000),
            replica_fetch_wait_max: Span::from_millis(500),
            replica_fetch_min_bytes: 1,
            replica_fetch_max_bytes: 1_048_576,
            replica_fetch_response_max_bytes: 10_485_760,
            replica_fetch_backoff: Span::from_millis(1_000),
            replica_socket_timeout: Span::from_millis(30_000),
            replica_high_watermark_checkpoint_interval: Span::from_millis(5_000),
            log_flush_scheduler_interval: None,
            num_io_threads: 8,
            broker_heartbeat_interval: Span::from_millis(2_000),
            broker_session_timeout: Span::from_millis(9_000),
            controlled_shutdown_enable: true,
            producer_id_expiration: Span::from_millis(86_400_000),
            producer_id_expiration_check_interval: Span::from_millis(600_000),
            auto_leader_rebalance_enable: true,
            leader_imbalance_check_interval: Span::from_secs(300),
            transaction_max_timeout: Span::from_secs(900),
            transactional_id_expiration: Span::from_secs(604_800),
            transaction_abort_timed_out_transaction_cleanup_interval: Span::from_secs(10),
            transaction_remove_expired_transaction_cleanup_interval: Span::from_secs(3_600),
            transaction_partition_verification_enable: true,
            transaction_state_log_replication_factor: 3,
            transaction_state_log_min_isr: 2,
            offsets_topic_replication_factor: 3,
            add_partitions_to_txn_retry_backoff: Span::from_millis(20),
            add_partitions_to_txn_retry_backoff_max: Span::from_millis(100),
            offsets_commit_timeout: Span::from_secs(5),
            group_initial_rebalance_delay: Span::from_secs(3),
            group_min_session_timeout_ms: 6_000,
            group_max_session_timeout_ms: 1_800_000,
            group_max_size: i32::MAX as u32,
            consumer_groups: ConsumerGroupConfig::default(),
            request_time: Delay::Constant(Span::ZERO),
            append_time: Delay::Constant(Span::ZERO),
            metadata_time: Delay::Constant(Span::ZERO),
            coordinator_load_time: Delay::Constant(Span::ZERO),
        }
    }
}

/// The settings of a topic. Kafka: storage/internals/log/LogConfig.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicConfig {
    /// min.insync.replicas
    pub min_insync_replicas: u32,
    /// unclean.leader.election.enable
    pub unclean_leader_election_enable: bool,
    /// max.message.bytes
    pub max_message_bytes: u32,
    /// segment.bytes
    pub segment_bytes: u32,
    /// flush.messages
    pub flush_messages: u64,
    /// flush.ms; `None` leaves it to the operating system.
    pub flush_interval: Option<Span>,
    /// message.timestamp.type
    pub message_timestamp_type: TimestampType,
    /// message.timestamp.before.max.ms
    pub message_timestamp_before_max_ms: i64,
    /// message.timestamp.after.max.ms
    pub message_timestamp_after_max_ms: i64,
}

/// message.timestamp.type
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TimestampType {
    /// The producer's.
    #[default]
    CreateTime,
    /// The broker's, at the append.
    LogAppendTime,
}

impl Default for TopicConfig {
    /// The defaults of Kafka 4.x.
    fn default() -> Self {
        Self {
            min_insync_replicas: 1,
            unclean_leader_election_enable: false,
            max_message_bytes: 1_048_588,
            segment_bytes: 1_073_741_824,
            flush_messages: u64::MAX >> 1,
            flush_interval: None,
            message_timestamp_type: TimestampType::CreateTime,
            message_timestamp_before_max_ms: i64::MAX,
            message_timestamp_after_max_ms: 3_600_000,
        }
    }
}
