//! The keys of a broker that matter to delivery, and the cluster-wide defaults of topics.

use super::ServerConfig;
use super::keys::{Family, Key, Whole};
use super::kind::{Kind, Range};
use super::topic_keys::{
    NEVER, SEGMENT_BYTES, TIMESTAMP_TYPES, interval_number, interval_of, timestamp_of,
    timestamp_word,
};
use inflight_des::Span;

mod foreign;

type K = Key<ServerConfig>;

/// Modelled keys, the defaults of topics, then keys that only exist.
pub(super) static SERVER_KEYS: &[&[K]] = &[
    &MODELLED,
    transactions::KEYS,
    groups::KEYS,
    consumer_groups::KEYS,
    &TOPIC_DEFAULTS,
    foreign::KEYS,
];

/// Keys that are known by how they begin.
pub(super) static SERVER_FAMILIES: &[Family] = foreign::FAMILIES;

/// The key whose value stands in for log.flush.interval.ms. Kafka:
/// AbstractKafkaConfig.logFlushIntervalMs.
pub(super) const FLUSH_SCHEDULER: &str = "log.flush.scheduler.interval.ms";
/// The default of flush.ms.
pub(super) const FLUSH_INTERVAL: &str = "log.flush.interval.ms";

/// Numbers that Kafka does not check and that have no meaning below 0.
const USEFUL: Range = Range::useful_from(0);
/// Intervals that Kafka does not check and that must pass some time.
const INTERVAL: Range = Range::useful_from(1);

/// How a number of milliseconds becomes the field of the same name.
macro_rules! millis {
    ($key:expr, $field:ident) => {
        $key.number(
            |c| c.broker.$field.as_millis().number(),
            |c, n| c.broker.$field = Span::from_millis(u64::of(n)),
        )
    };
}

/// How a number becomes the field of the same name.
macro_rules! number {
    ($key:expr, $field:ident) => {
        $key.number(|c| c.broker.$field.number(), |c, n| c.broker.$field = Whole::of(n))
    };
}

pub(super) mod consumer_groups;
mod groups;
mod transactions;

static MODELLED: [K; 17] = [
    millis!(
        K::new(
            "replica.lag.time.max.ms",
            Kind::Long(USEFUL),
            "30000",
            "How long a follower may be behind its leader's end before it leaves the in-sync set."
        ),
        replica_lag_time_max
    ),
    millis!(
        K::new(
            "replica.fetch.wait.max.ms",
            Kind::Int(USEFUL),
            "500",
            "How long a leader holds a follower's fetch that finds nothing new."
        ),
        replica_fetch_wait_max
    ),
    number!(
        K::new(
            "replica.fetch.min.bytes",
            Kind::Int(USEFUL),
            "1",
            "How many bytes are worth an answer to a follower's fetch before the wait is over."
        ),
        replica_fetch_min_bytes
    ),
    number!(
        K::new(
            "replica.fetch.max.bytes",
            Kind::Int(Range::at_least(0)),
            "1048576",
            "The bytes of one partition in the answer to a fetch; one batch always fits."
        ),
        replica_fetch_max_bytes
    ),
    number!(
        K::new(
            "replica.fetch.response.max.bytes",
            Kind::Int(Range::at_least(0)),
            "10485760",
            "The bytes of all partitions in the answer to a fetch; one batch always fits."
        ),
        replica_fetch_response_max_bytes
    ),
    millis!(
        K::new(
            "replica.fetch.backoff.ms",
            Kind::Int(Range::at_least(0)),
            "1000",
            "The pause of a follower after a fetch that failed."
        ),
        replica_fetch_backoff
    ),
    millis!(
        K::new(
            "replica.socket.timeout.ms",
            Kind::Int(USEFUL),
            "30000",
            "How long a follower waits for the answer to a fetch."
        ),
        replica_socket_timeout
    ),
    millis!(
        K::new(
            "replica.high.watermark.checkpoint.interval.ms",
            Kind::Long(INTERVAL),
            "5000",
            "How often a broker writes its high watermarks to disk."
        ),
        replica_high_watermark_checkpoint_interval
    ),
    K::new(
        FLUSH_SCHEDULER,
        Kind::Long(Range::useful_from(1)),
        NEVER,
        "How often a broker looks for logs whose flush.ms is over; and the default of flush.ms.",
    )
    .number(
        |c| interval_number(c.broker.log_flush_scheduler_interval),
        |c, n| c.broker.log_flush_scheduler_interval = interval_of(n),
    ),
    number!(
        K::new(
            "num.io.threads",
            Kind::Int(Range::at_least(1)),
            "8",
            "How many requests a broker works on at once."
        ),
        num_io_threads
    ),
    millis!(
        K::new(
            "broker.heartbeat.interval.ms",
            Kind::Int(INTERVAL),
            "2000",
            "How often a broker tells the controller that it lives."
        ),
        broker_heartbeat_interval
    ),
    millis!(
        K::new(
            "broker.session.timeout.ms",
            Kind::Int(USEFUL),
            "9000",
            "How long the controller waits for a heartbeat before it fences the broker."
        ),
        broker_session_timeout
    ),
    K::new(
        "controlled.shutdown.enable",
        Kind::Bool,
        "true",
        "Whether a broker that is stopped hands over its leaderships first.",
    )
    .flag(
        |c| c.broker.controlled_shutdown_enable,
        |c, yes| c.broker.controlled_shutdown_enable = yes,
    ),
    millis!(
        K::new(
            "producer.id.expiration.ms",
            Kind::Int(Range::at_least(1)),
            "86400000",
            "How long a partition remembers a producer id that is not used."
        ),
        producer_id_expiration
    ),
    millis!(
        K::new(
            "producer.id.expiration.check.interval.ms",
            Kind::Int(Range::at_least(1)),
            "600000",
            "How often a broker looks for producer ids to forget; internal in Kafka."
        ),
        producer_id_expiration_check_interval
    ),
    K::new(
        "auto.leader.rebalance.enable",
        Kind::Bool,
        "true",
        "Whether the controller moves leaderships back to preferred replicas.",
    )
    .flag(
        |c| c.broker.auto_leader_rebalance_enable,
        |c, yes| c.broker.auto_leader_rebalance_enable = yes,
    ),
    K::new(
        "leader.imbalance.check.interval.seconds",
        Kind::Long(Range::at_least(1)),
        "300",
        "How often the controller looks for leaderships to move back.",
    )
    .number(
        |c| (c.broker.leader_imbalance_check_interval.as_millis() / 1_000).number(),
        |c, n| c.broker.leader_imbalance_check_interval = Span::from_secs(u64::of(n)),
    ),
];

/// Kafka: server/config/ServerTopicConfigSynonyms.
static TOPIC_DEFAULTS: [K; 9] = [
    K::new(
        "min.insync.replicas",
        Kind::Int(Range::at_least(1)),
        "1",
        "The default of the topic setting of the same name.",
    )
    .number(
        |c| c.topic.min_insync_replicas.into(),
        |c, n| {
            c.topic.min_insync_replicas = u32::of(n);
        },
    ),
    K::new(
        "unclean.leader.election.enable",
        Kind::Bool,
        "false",
        "The default of the topic setting of the same name.",
    )
    .flag(
        |c| c.topic.unclean_leader_election_enable,
        |c, yes| c.topic.unclean_leader_election_enable = yes,
    ),
    K::new(
        "message.max.bytes",
        Kind::Int(Range::at_least(0)),
        "1048588",
        "The default of the topic setting max.message.bytes.",
    )
    .number(|c| c.topic.max_message_bytes.into(), |c, n| c.topic.max_message_bytes = u32::of(n)),
    K::new(
        "log.segment.bytes",
        Kind::Int(SEGMENT_BYTES),
        "1073741824",
        "The default of the topic setting segment.bytes.",
    )
    .number(|c| c.topic.segment_bytes.into(), |c, n| c.topic.segment_bytes = u32::of(n)),
    K::new(
        "log.flush.interval.messages",
        Kind::Long(Range::at_least(1)),
        NEVER,
        "The default of the topic setting flush.messages.",
    )
    .number(|c| c.topic.flush_messages.number(), |c, n| c.topic.flush_messages = u64::of(n)),
    K::null(
        FLUSH_INTERVAL,
        Kind::Long(Range::at_least(0)),
        "The default of the topic setting flush.ms; that of log.flush.scheduler.interval.ms if it \
         is absent.",
    )
    .number(
        |c| interval_number(c.topic.flush_interval),
        |c, n| {
            c.topic.flush_interval = interval_of(n);
        },
    ),
    K::new(
        "log.message.timestamp.type",
        TIMESTAMP_TYPES,
        "CreateTime",
        "The default of the topic setting message.timestamp.type.",
    )
    .word(
        |c| timestamp_word(c.topic.message_timestamp_type),
        |c, word| {
            c.topic.message_timestamp_type = timestamp_of(word);
        },
    ),
    K::new(
        "log.message.timestamp.before.max.ms",
        Kind::Long(Range::at_least(0)),
        NEVER,
        "The default of the topic setting message.timestamp.before.max.ms.",
    )
    .number(
        |c| c.topic.message_timestamp_before_max_ms,
        |c, n| c.topic.message_timestamp_before_max_ms = n,
    ),
    K::new(
        "log.message.timestamp.after.max.ms",
        Kind::Long(Range::at_least(0)),
        "3600000",
        "The default of the topic setting message.timestamp.after.max.ms.",
    )
    .number(
        |c| c.topic.message_timestamp_after_max_ms,
        |c, n| c.topic.message_timestamp_after_max_ms = n,
    ),
];
