//! The keys of a topic.

use super::keys::{Key, Whole};
use super::kind::{Elements, Kind, Range};
use super::reading::Reading;
use super::{TimestampType, TopicConfig};
use inflight_des::Span;

type K = Key<TopicConfig>;

/// Modelled keys, then those that only exist.
pub(super) static TOPIC_KEYS: &[&[K]] = &[&MODELLED, &FOREIGN];

/// The least size of a segment.
pub(super) const SEGMENT_BYTES: Range = Range::at_least(1_024 * 1_024);
/// A key that overrides segment.bytes. Kafka: LogConfig.segmentSize.
pub(super) const INTERNAL_SEGMENT_BYTES: &str = "internal.segment.bytes";
/// `Long.MAX_VALUE`, Kafka's way to say never.
pub(super) const NEVER: &str = "9223372036854775807";
/// The legal words of message.timestamp.type.
pub(super) const TIMESTAMP_TYPES: Kind = Kind::Enum(&["CreateTime", "LogAppendTime"]);
/// The legal words of a broker's compression.type. Kafka: BrokerCompressionType.
pub(super) const BROKER_CODECS: Kind =
    Kind::Enum(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]);

/// Why other values of compression.type are refused.
pub(super) const RECOMPRESSION: &str = "brokers keep batches as the producer made them";
const LEVEL: &str = "brokers keep batches as the producer made them";
const RETENTION: &str = "a log keeps its records to the end of the run";
const COMPACTION: &str = "logs are not compacted in the simulator";
const FILES: &str = "files and indexes cost nothing here";
const TIERED: &str = "there is no tiered storage in the simulator";
const THROTTLES: &str = "replication is not throttled in the simulator";

/// A number of milliseconds that may mean never. Kafka: `Long.MAX_VALUE`.
pub(super) fn interval_of(millis: i64) -> Option<Span> {
    (millis < i64::MAX).then(|| Span::from_millis(u64::of(millis)))
}

/// The same back.
pub(super) fn interval_number(interval: Option<Span>) -> i64 {
    interval.map_or(i64::MAX, |span| span.as_millis().number())
}

/// The word for a timestamp type. Kafka: common/record/TimestampType.
pub(super) const fn timestamp_word(kind: TimestampType) -> &'static str {
    match kind {
        TimestampType::CreateTime => "CreateTime",
        TimestampType::LogAppendTime => "LogAppendTime",
    }
}

/// The timestamp type of a word.
pub(super) fn timestamp_of(word: &str) -> TimestampType {
    match word {
        "LogAppendTime" => TimestampType::LogAppendTime,
        _ => TimestampType::CreateTime,
    }
}

/// Kafka: LogConfig.segmentSize.
pub(super) fn prefer_internal_segment_bytes(reading: &mut Reading<'_, TopicConfig>) {
    if let Some(bytes) = reading.number(INTERNAL_SEGMENT_BYTES) {
        reading.config.segment_bytes = u32::of(bytes);
    }
}

static MODELLED: [K; 10] = [
    K::new(
        "min.insync.replicas",
        Kind::Int(Range::at_least(1)),
        "1",
        "How many replicas must be in sync for a batch with acks=all to be taken.",
    )
    .number(|c| c.min_insync_replicas.into(), |c, n| c.min_insync_replicas = u32::of(n)),
    K::new(
        "unclean.leader.election.enable",
        Kind::Bool,
        "false",
        "Whether a replica that is not in sync may become leader when no other is left.",
    )
    .flag(|c| c.unclean_leader_election_enable, |c, yes| c.unclean_leader_election_enable = yes),
    K::new(
        "max.message.bytes",
        Kind::Int(Range::at_least(0)),
        "1048588",
        "The largest batch in bytes, after compression, that the topic takes.",
    )
    .number(|c| c.max_message_bytes.into(), |c, n| c.max_message_bytes = u32::of(n)),
    K::new(
        "segment.bytes",
        Kind::Int(SEGMENT_BYTES),
        "1073741824",
        "The size at which a log begins a new file; the old one is flushed.",
    )
    .number(|c| c.segment_bytes.into(), |c, n| c.segment_bytes = u32::of(n)),
    K::null(
        INTERNAL_SEGMENT_BYTES,
        Kind::Int(Range::useful_from(0)),
        "The same as segment.bytes, before it and without its limit; internal in Kafka.",
    ),
    K::new(
        "flush.messages",
        Kind::Long(Range::at_least(1)),
        NEVER,
        "After how many records a log is forced to disk.",
    )
    .number(|c| c.flush_messages.number(), |c, n| c.flush_messages = u64::of(n)),
    K::new(
        "flush.ms",
        Kind::Long(Range::at_least(0)),
        NEVER,
        "After how long a log is forced to disk, as the broker's log.flush.scheduler.interval.ms \
         finds it.",
    )
    .number(|c| interval_number(c.flush_interval), |c, n| c.flush_interval = interval_of(n)),
    K::new(
        "message.timestamp.type",
        TIMESTAMP_TYPES,
        "CreateTime",
        "Whose clock the timestamps of records show.",
    )
    .word(
        |c| timestamp_word(c.message_timestamp_type),
        |c, word| {
            c.message_timestamp_type = timestamp_of(word);
        },
    ),
    K::new(
        "message.timestamp.before.max.ms",
        Kind::Long(Range::at_least(0)),
        NEVER,
        "How far a record's CreateTime may lie behind the broker's clock.",
    )
    .number(|c| c.message_timestamp_before_max_ms, |c, n| c.message_timestamp_before_max_ms = n),
    K::new(
        "message.timestamp.after.max.ms",
        Kind::Long(Range::at_least(0)),
        "3600000",
        "How far a record's CreateTime may lie ahead of the broker's clock.",
    )
    .number(|c| c.message_timestamp_after_max_ms, |c, n| c.message_timestamp_after_max_ms = n),
];

static FOREIGN: [K; 27] = [
    K::new(
        "compression.type",
        BROKER_CODECS,
        "producer",
        "How the broker compresses batches again; producer is not at all.",
    )
    .unsupported(RECOMPRESSION),
    K::new(
        "cleanup.policy",
        Kind::List(Elements::Of(&["compact", "delete"])),
        "delete",
        "Whether old records are dropped, or only those that a newer one of the same key follows.",
    )
    .unsupported(COMPACTION),
    K::new(
        "remote.storage.enable",
        Kind::Bool,
        "false",
        "Whether old segments move to remote storage.",
    )
    .unsupported(TIERED),
    long("retention.ms", Range::at_least(-1), "604800000", "How old a segment may become.")
        .without_effect(RETENTION),
    long("retention.bytes", Range::ALL, "-1", "How large a log may become; -1 is any size.")
        .without_effect(RETENTION),
    long(
        "segment.ms",
        Range::at_least(1),
        "604800000",
        "The age at which a log begins a new file.",
    )
    .without_effect("a run is shorter than the age of a segment"),
    long("segment.jitter.ms", Range::at_least(0), "0", "The most that segment.ms is shortened by.")
        .without_effect("a run is shorter than the age of a segment"),
    int("segment.index.bytes", Range::at_least(4), "10485760", "The size of an index file.")
        .without_effect(FILES),
    int(
        "index.interval.bytes",
        Range::at_least(0),
        "4096",
        "The bytes between entries of an index.",
    )
    .without_effect(FILES),
    long("file.delete.delay.ms", Range::at_least(0), "60000", "The wait before a file is deleted.")
        .without_effect(FILES),
    K::new("preallocate", Kind::Bool, "false", "Whether files are made at their full size.")
        .without_effect(FILES),
    long("delete.retention.ms", Range::at_least(0), "86400000", "How long tombstones are kept.")
        .without_effect(COMPACTION),
    long(
        "min.compaction.lag.ms",
        Range::at_least(0),
        "0",
        "The youngest that a record is dropped.",
    )
    .without_effect(COMPACTION),
    long("max.compaction.lag.ms", Range::at_least(1), NEVER, "The oldest that a record is kept.")
        .without_effect(COMPACTION),
    K::new(
        "min.cleanable.dirty.ratio",
        Kind::Ratio,
        "0.5",
        "The share of uncleaned records that starts compaction.",
    )
    .without_effect(COMPACTION),
    int("compression.gzip.level", Range::between(1, 9).or(-1), "-1", "How hard gzip tries.")
        .without_effect(LEVEL),
    int("compression.lz4.level", Range::between(1, 17), "9", "How hard lz4 tries.")
        .without_effect(LEVEL),
    int("compression.zstd.level", Range::between(-131_072, 22), "3", "How hard zstd tries.")
        .without_effect(LEVEL),
    K::new(
        "leader.replication.throttled.replicas",
        Kind::List(Elements::Any),
        "",
        "The replicas whose leaders are held to the quota of replication.",
    )
    .unsupported(THROTTLES),
    K::new(
        "follower.replication.throttled.replicas",
        Kind::List(Elements::Any),
        "",
        "The replicas whose followers are held to the quota of replication.",
    )
    .unsupported(THROTTLES),
    long("local.retention.ms", Range::at_least(-2), "-2", "The age of a segment kept locally.")
        .without_effect(TIERED),
    long("local.retention.bytes", Range::at_least(-2), "-2", "The size of a log kept locally.")
        .without_effect(TIERED),
    K::new("remote.log.copy.disable", Kind::Bool, "false", "Whether nothing more is copied.")
        .without_effect(TIERED),
    K::new(
        "remote.log.delete.on.disable",
        Kind::Bool,
        "false",
        "Whether remote segments go when remote storage is switched off.",
    )
    .without_effect(TIERED),
    long("remote.copy.lag.ms", Range::at_least(-1), "0", "The wait before a segment is copied.")
        .without_effect(TIERED),
    long("remote.copy.lag.bytes", Range::at_least(-1), "-1", "The bytes that are not copied yet.")
        .without_effect(TIERED),
    K::new(
        "errors.deadletterqueue.group.enable",
        Kind::Bool,
        "false",
        "Whether the topic may take the rejected records of share groups.",
    )
    .without_effect("there are no share groups in the simulator"),
];

const fn long(name: &'static str, range: Range, default: &'static str, doc: &'static str) -> K {
    K::new(name, Kind::Long(range), default, doc)
}

const fn int(name: &'static str, range: Range, default: &'static str, doc: &'static str) -> K {
    K::new(name, Kind::Int(range), default, doc)
}
