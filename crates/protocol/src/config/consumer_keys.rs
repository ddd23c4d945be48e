//! The keys of a consumer that the simulator models.

use super::keys::{Family, Key, Whole};
use super::kind::{Elements, Kind, Range};
use super::producer_keys::{strategy_of, strategy_word};
use super::{AssignmentStrategy, AutoOffsetReset, ConsumerConfig, GroupProtocol, ServerAssignor};
use crate::message::IsolationLevel;

mod foreign;

type K = Key<ConsumerConfig>;

/// Times and sizes that Kafka wants at least 0.
const FROM_ZERO: Range = Range::at_least(0);

/// The key that names an assignor of the coordinator's.
pub(super) const REMOTE_ASSIGNOR: &str = "group.remote.assignor";
/// The class behind [`AssignmentStrategy::Range`].
pub(super) const RANGE: &str = "org.apache.kafka.clients.consumer.RangeAssignor";
/// The class behind [`AssignmentStrategy::CooperativeSticky`].
pub(super) const COOPERATIVE_STICKY: &str =
    "org.apache.kafka.clients.consumer.CooperativeStickyAssignor";
/// Kafka's default: both.
const BOTH: &str = "org.apache.kafka.clients.consumer.RangeAssignor,\
                    org.apache.kafka.clients.consumer.CooperativeStickyAssignor";

/// How a number of the key becomes the field of the same name.
macro_rules! number {
    ($field:ident: $name:literal, $kind:expr, $default:literal, $doc:literal) => {
        K::new($name, $kind, $default, $doc)
            .number(|c| c.$field.number(), |c, n| c.$field = Whole::of(n))
    };
}

/// Modelled keys, then those that only exist.
pub(super) static CONSUMER_KEYS: &[&[K]] = &[&MODELLED, foreign::KEYS];

/// Keys whose names depend on something else.
pub(super) static CONSUMER_FAMILIES: &[Family] = foreign::FAMILIES;

static MODELLED: [K; 28] = [
    K::null("group.id", Kind::Text, "The group that shares the partitions and keeps the offsets.")
        .text(|c| c.group_id.as_deref(), |c, text| c.group_id = Some(text.to_owned())),
    K::new(
        "group.protocol",
        Kind::EnumInAnyCase(&["classic", "consumer"]),
        "classic",
        "Who assigns the partitions of a group: its members, or the coordinator.",
    )
    .word(|c| protocol_word(c.group_protocol), |c, word| c.group_protocol = protocol_of(word)),
    K::null(
        REMOTE_ASSIGNOR,
        Kind::Text,
        "The assignor that the coordinator is to use, with the consumer protocol.",
    )
    .text(
        |c| c.group_remote_assignor.map(ServerAssignor::word),
        |c, text| c.group_remote_assignor = ServerAssignor::from_word(text),
    ),
    K::new(
        "auto.offset.reset",
        Kind::Text,
        "latest",
        "Where to begin if there is no committed offset, or none that the log has.",
    )
    .word(|c| c.auto_offset_reset.word(), |c, word| c.auto_offset_reset = reset_of(word)),
    K::new(
        "enable.auto.commit",
        Kind::Bool,
        "true",
        "Whether each poll commits what the polls before it returned, every now and then.",
    )
    .flag(|c| c.enable_auto_commit, |c, yes| c.enable_auto_commit = yes),
    number!(auto_commit_interval_ms: "auto.commit.interval.ms", Kind::Int(FROM_ZERO), "5000",
        "How long after an automatic commit the next one is due."),
    K::new(
        "isolation.level",
        Kind::Enum(&["read_committed", "read_uncommitted"]),
        "read_uncommitted",
        "Whether records of open and aborted transactions are returned.",
    )
    .word(|c| isolation_word(c.isolation_level), |c, w| c.isolation_level = isolation_of(w)),
    number!(max_poll_records: "max.poll.records", Kind::Int(Range::at_least(1)), "500",
        "How many records a poll returns at most."),
    number!(max_poll_interval_ms: "max.poll.interval.ms", Kind::Int(Range::at_least(1)), "300000",
        "How long an application may be away from poll before its consumer leaves the group."),
    number!(session_timeout_ms: "session.timeout.ms", Kind::Int(Range::useful_from(1)), "45000",
        "How long the coordinator waits for a heartbeat before it removes a member."),
    number!(heartbeat_interval_ms: "heartbeat.interval.ms", Kind::Int(Range::useful_from(0)),
        "3000", "How long after a heartbeat the next one is due."),
    number!(fetch_min_bytes: "fetch.min.bytes", Kind::Int(FROM_ZERO), "1",
        "How many bytes are worth an answer to a fetch before its wait is over."),
    number!(fetch_max_wait_ms: "fetch.max.wait.ms", Kind::Int(FROM_ZERO), "500",
        "How long a broker holds a fetch that finds too little."),
    number!(fetch_max_bytes: "fetch.max.bytes", Kind::Int(FROM_ZERO), "52428800",
        "The bytes of all partitions in the answer to a fetch; one batch always fits."),
    number!(max_partition_fetch_bytes: "max.partition.fetch.bytes", Kind::Int(FROM_ZERO),
        "1048576", "The bytes of one partition in the answer to a fetch; one batch always fits."),
    K::new(
        "partition.assignment.strategy",
        Kind::List(Elements::Any),
        BOTH,
        "The classes that a group may choose from to share its partitions.",
    )
    .word(
        |c| strategy_class(c.partition_assignment_strategy),
        |c, word| c.partition_assignment_strategy = assignment_of(word),
    ),
    number!(default_api_timeout_ms: "default.api.timeout.ms", Kind::Int(FROM_ZERO), "60000",
        "How long a call without a timeout of its own may block."),
    number!(request_timeout_ms: "request.timeout.ms", Kind::Int(FROM_ZERO), "30000",
        "How long the client waits for a response before it drops the connection."),
    number!(retry_backoff_ms: "retry.backoff.ms", Kind::Long(FROM_ZERO), "100",
        "The pause before the first retry; it doubles with each further one."),
    number!(retry_backoff_max_ms: "retry.backoff.max.ms", Kind::Long(FROM_ZERO), "1000",
        "The longest pause between retries."),
    number!(reconnect_backoff_ms: "reconnect.backoff.ms", Kind::Long(FROM_ZERO), "50",
        "The pause before the first new connection to a broker that was lost; it doubles."),
    number!(reconnect_backoff_max_ms: "reconnect.backoff.max.ms", Kind::Long(FROM_ZERO), "1000",
        "The longest pause between connections to one broker."),
    number!(socket_connection_setup_timeout_ms: "socket.connection.setup.timeout.ms",
        Kind::Long(Range::ALL), "10000",
        "How long a first attempt to connect may take; it doubles with each further one."),
    number!(socket_connection_setup_timeout_max_ms: "socket.connection.setup.timeout.max.ms",
        Kind::Long(Range::ALL), "30000", "The longest that an attempt to connect may take."),
    number!(connections_max_idle_ms: "connections.max.idle.ms", Kind::Long(Range::ALL), "540000",
        "How long an unused connection stays open; a negative number keeps it open."),
    number!(metadata_max_age_ms: "metadata.max.age.ms", Kind::Long(FROM_ZERO), "300000",
        "The age at which metadata is asked for again without a reason."),
    K::new(
        "metadata.recovery.strategy",
        Kind::EnumInAnyCase(&["none", "rebootstrap"]),
        "rebootstrap",
        "Whether the client goes back to its bootstrap servers when no known broker answers.",
    )
    .word(
        |c| strategy_word(c.metadata_recovery_strategy),
        |c, word| c.metadata_recovery_strategy = strategy_of(word),
    ),
    number!(metadata_recovery_rebootstrap_trigger_ms: "metadata.recovery.rebootstrap.trigger.ms",
        Kind::Long(FROM_ZERO), "300000",
        "How long metadata may be out of reach before the client goes back to bootstrap."),
];

const fn protocol_word(protocol: GroupProtocol) -> &'static str {
    match protocol {
        GroupProtocol::Classic => "classic",
        GroupProtocol::Consumer => "consumer",
    }
}

fn protocol_of(word: &str) -> GroupProtocol {
    match word {
        "consumer" => GroupProtocol::Consumer,
        _ => GroupProtocol::Classic,
    }
}

fn reset_of(word: &str) -> AutoOffsetReset {
    match word {
        "earliest" => AutoOffsetReset::Earliest,
        "none" => AutoOffsetReset::None,
        _ => AutoOffsetReset::Latest,
    }
}

const fn isolation_word(isolation: IsolationLevel) -> &'static str {
    match isolation {
        IsolationLevel::ReadUncommitted => "read_uncommitted",
        IsolationLevel::ReadCommitted => "read_committed",
    }
}

fn isolation_of(word: &str) -> IsolationLevel {
    match word {
        "read_committed" => IsolationLevel::ReadCommitted,
        _ => IsolationLevel::ReadUncommitted,
    }
}

const fn strategy_class(strategy: AssignmentStrategy) -> &'static str {
    match strategy {
        AssignmentStrategy::Range => BOTH,
        AssignmentStrategy::CooperativeSticky => COOPERATIVE_STICKY,
    }
}

fn assignment_of(list: &str) -> AssignmentStrategy {
    match list {
        COOPERATIVE_STICKY => AssignmentStrategy::CooperativeSticky,
        _ => AssignmentStrategy::Range,
    }
}
