//! The settings of a consumer.

use super::{MetadataRecoveryStrategy, ServerAssignor};
use crate::message::IsolationLevel;

/// The settings of a consumer. Kafka: clients/consumer/ConsumerConfig.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerConfig {
    /// group.id
    pub group_id: Option<String>,
    /// group.protocol
    pub group_protocol: GroupProtocol,
    /// auto.offset.reset
    pub auto_offset_reset: AutoOffsetReset,
    /// enable.auto.commit, which is off without a group.
    pub enable_auto_commit: bool,
    /// auto.commit.interval.ms
    pub auto_commit_interval_ms: i64,
    /// isolation.level
    pub isolation_level: IsolationLevel,
    /// max.poll.records
    pub max_poll_records: u32,
    /// max.poll.interval.ms
    pub max_poll_interval_ms: i64,
    /// session.timeout.ms
    pub session_timeout_ms: i64,
    /// heartbeat.interval.ms
    pub heartbeat_interval_ms: i64,
    /// fetch.min.bytes
    pub fetch_min_bytes: u32,
    /// fetch.max.wait.ms
    pub fetch_max_wait_ms: u32,
    /// fetch.max.bytes
    pub fetch_max_bytes: u32,
    /// max.partition.fetch.bytes
    pub max_partition_fetch_bytes: u32,
    /// group.remote.assignor
    pub group_remote_assignor: Option<ServerAssignor>,
    /// partition.assignment.strategy
    pub partition_assignment_strategy: AssignmentStrategy,
    /// default.api.timeout.ms
    pub default_api_timeout_ms: i64,
    /// request.timeout.ms
    pub request_timeout_ms: i64,
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
    /// metadata.recovery.strategy
    pub metadata_recovery_strategy: MetadataRecoveryStrategy,
    /// metadata.recovery.rebootstrap.trigger.ms
    pub metadata_recovery_rebootstrap_trigger_ms: i64,
}

impl AutoOffsetReset {
    /// The word, as Kafka writes it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Latest => "latest",
            Self::Earliest => "earliest",
            Self::None => "none",
        }
    }
}

/// group.protocol
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum GroupProtocol {
    /// Members assign the partitions among themselves.
    #[default]
    Classic,
    /// The coordinator assigns them (KIP-848).
    Consumer,
}

/// auto.offset.reset
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AutoOffsetReset {
    /// To the end.
    #[default]
    Latest,
    /// To the beginning.
    Earliest,
    /// An exception.
    None,
}

/// partition.assignment.strategy: the assignors that are offered to the group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AssignmentStrategy {
    /// RangeAssignor, alone or before CooperativeStickyAssignor. Members that offer both take part
    /// in eager rebalances, and the first one wins the vote.
    #[default]
    Range,
    /// CooperativeStickyAssignor alone.
    CooperativeSticky,
}

impl Default for ConsumerConfig {
    /// The defaults of Kafka 4.x with nothing set.
    fn default() -> Self {
        Self {
            group_id: None,
            group_protocol: GroupProtocol::Classic,
            auto_offset_reset: AutoOffsetReset::Latest,
            enable_auto_commit: true,
            auto_commit_interval_ms: 5_000,
            isolation_level: IsolationLevel::ReadUncommitted,
            max_poll_records: 500,
            max_poll_interval_ms: 300_000,
            session_timeout_ms: 45_000,
            heartbeat_interval_ms: 3_000,
            fetch_min_bytes: 1,
            fetch_max_wait_ms: 500,
            fetch_max_bytes: 52_428_800,
            max_partition_fetch_bytes: 1_048_576,
            group_remote_assignor: None,
            partition_assignment_strategy: AssignmentStrategy::Range,
            default_api_timeout_ms: 60_000,
            request_timeout_ms: 30_000,
            retry_backoff_ms: 100,
            retry_backoff_max_ms: 1_000,
            reconnect_backoff_ms: 50,
            reconnect_backoff_max_ms: 1_000,
            socket_connection_setup_timeout_ms: 10_000,
            socket_connection_setup_timeout_max_ms: 30_000,
            connections_max_idle_ms: 540_000,
            metadata_max_age_ms: 300_000,
            metadata_recovery_strategy: MetadataRecoveryStrategy::Rebootstrap,
            metadata_recovery_rebootstrap_trigger_ms: 300_000,
        }
    }
}
