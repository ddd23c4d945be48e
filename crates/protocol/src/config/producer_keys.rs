//! The keys of a producer that the simulator models.

use super::keys::{Family, Key, Whole};
use super::kind::{Kind, Range};
use super::{CompressionType, MetadataRecoveryStrategy, Partitioner, ProducerConfig};
use crate::message::Acks;

mod foreign;

type K = Key<ProducerConfig>;

/// Times and sizes that Kafka wants at least 0.
const FROM_ZERO: Range = Range::at_least(0);

/// The class that has its own variant of [`Partitioner`].
pub(super) const ROUND_ROBIN: &str = "org.apache.kafka.clients.producer.RoundRobinPartitioner";

/// The legal words of compression.type.
const CODECS: &[&str] = &["none", "gzip", "snappy", "lz4", "zstd"];

/// How a number of the key becomes the field of the same name.
macro_rules! number {
    ($key:expr, $field:ident) => {
        $key.number(|c| c.$field.number(), |c, n| c.$field = Whole::of(n))
    };
}

/// Modelled keys, then those that only exist.
pub(super) static PRODUCER_KEYS: &[&[K]] = &[&MODELLED, foreign::KEYS];

/// Keys whose names depend on something else.
pub(super) static PRODUCER_FAMILIES: &[Family] = foreign::FAMILIES;

static MODELLED: [K; 29] = [
    K::new(
        "acks",
        Kind::Enum(&["all", "-1", "0", "1"]),
        "all",
        "How many replicas must have a batch before the producer takes it for written.",
    )
    .word(|c| acks_word(c.acks), |c, word| c.acks = acks_of(word)),
    K::new(
        "enable.idempotence",
        Kind::Bool,
        "true",
        "Whether batches carry a producer id and sequence numbers, so that a broker can drop the \
         copies that retries make.",
    )
    .flag(|c| c.enable_idempotence, |c, yes| c.enable_idempotence = yes),
    number!(
        K::new(
            "retries",
            Kind::Int(FROM_ZERO),
            "2147483647",
            "How many times a batch is sent again after an error that may pass."
        ),
        retries
    ),
    number!(
        K::new(
            "max.in.flight.requests.per.connection",
            Kind::Int(Range::at_least(1)),
            "5",
            "How many requests may be unanswered on one connection."
        ),
        max_in_flight_requests_per_connection
    ),
    K::new(
        "batch.size",
        Kind::Int(FROM_ZERO),
        "16384",
        "The size in bytes that a batch grows to; a larger record gets a batch of its own.",
    )
    .number(|c| c.batch_size.into(), |c, n| c.batch_size = u32::of(n.max(1))),
    K::new(
        "linger.ms",
        Kind::Long(FROM_ZERO),
        "5",
        "How long a batch that is not full waits for more records.",
    )
    .number(|c| c.linger_ms, |c, n| c.linger_ms = n.min(i32::MAX.into())),
    number!(
        K::new(
            "delivery.timeout.ms",
            Kind::Int(FROM_ZERO),
            "120000",
            "How long after a record was appended to its batch the producer reports its fate."
        ),
        delivery_timeout_ms
    ),
    number!(
        K::new(
            "request.timeout.ms",
            Kind::Int(FROM_ZERO),
            "30000",
            "How long the client waits for a response before it drops the connection."
        ),
        request_timeout_ms
    ),
    number!(
        K::new(
            "max.block.ms",
            Kind::Long(FROM_ZERO),
            "60000",
            "How long a send may block for metadata and for buffer memory together."
        ),
        max_block_ms
    ),
    number!(
        K::new(
            "buffer.memory",
            Kind::Long(FROM_ZERO),
            "33554432",
            "The bytes of memory that all batches not yet answered share."
        ),
        buffer_memory
    ),
    number!(
        K::new(
            "max.request.size",
            Kind::Int(FROM_ZERO),
            "1048576",
            "The largest request in bytes, and so the largest record before compression."
        ),
        max_request_size
    ),
    number!(
        K::new(
            "retry.backoff.ms",
            Kind::Long(FROM_ZERO),
            "100",
            "The pause before the first retry; it doubles with each further one."
        ),
        retry_backoff_ms
    ),
    number!(
        K::new(
            "retry.backoff.max.ms",
            Kind::Long(FROM_ZERO),
            "1000",
            "The longest pause between retries."
        ),
        retry_backoff_max_ms
    ),
    number!(
        K::new(
            "reconnect.backoff.ms",
            Kind::Long(FROM_ZERO),
            "50",
            "The pause before the first new connection to a broker that was lost; it doubles."
        ),
        reconnect_backoff_ms
    ),
    number!(
        K::new(
            "reconnect.backoff.max.ms",
            Kind::Long(FROM_ZERO),
            "1000",
            "The longest pause between connections to one broker."
        ),
        reconnect_backoff_max_ms
    ),
    number!(
        K::new(
            "socket.connection.setup.timeout.ms",
            Kind::Long(Range::ALL),
            "10000",
            "How long a first attempt to connect may take; it doubles with each further one."
        ),
        socket_connection_setup_timeout_ms
    ),
    number!(
        K::new(
            "socket.connection.setup.timeout.max.ms",
            Kind::Long(Range::ALL),
            "30000",
            "The longest that an attempt to connect may take."
        ),
        socket_connection_setup_timeout_max_ms
    ),
    number!(
        K::new(
            "connections.max.idle.ms",
            Kind::Long(Range::ALL),
            "540000",
            "How long an unused connection stays open; a negative number keeps it open."
        ),
        connections_max_idle_ms
    ),
    number!(
        K::new(
            "metadata.max.age.ms",
            Kind::Long(FROM_ZERO),
            "300000",
            "The age at which metadata is asked for again without a reason."
        ),
        metadata_max_age_ms
    ),
    number!(
        K::new(
            "metadata.max.idle.ms",
            Kind::Long(Range::at_least(5_000)),
            "300000",
            "How long the producer remembers a topic that it no longer writes to."
        ),
        metadata_max_idle_ms
    ),
    K::new(
        "metadata.recovery.strategy",
        Kind::EnumInAnyCase(&["none", "rebootstrap"]),
        "rebootstrap",
        "Whether the client goes back to its bootstrap servers when no known broker answers.",
    )
    .word(
        |c| strategy_word(c.metadata_recovery_strategy),
        |c, word| {
            c.metadata_recovery_strategy = strategy_of(word);
        },
    ),
    number!(
        K::new(
            "metadata.recovery.rebootstrap.trigger.ms",
            Kind::Long(FROM_ZERO),
            "300000",
            "How long metadata may be out of reach before the client goes back to bootstrap."
        ),
        metadata_recovery_rebootstrap_trigger_ms
    ),
    K::new(
        "compression.type",
        Kind::Enum(CODECS),
        "none",
        "How batches are compressed; here a ratio on their sizes.",
    )
    .word(|c| codec_word(c.compression_type), |c, word| c.compression_type = codec_of(word)),
    K::null(
        "partitioner.class",
        Kind::Class,
        "Who chooses the partition of a record; without a class, the producer's own logic.",
    )
    .word(
        |c| partitioner_word(&c.partitioner),
        |c, word| {
            c.partitioner = match word {
                ROUND_ROBIN => Partitioner::RoundRobin,
                _ => Partitioner::BuiltIn,
            };
        },
    ),
    K::new(
        "partitioner.adaptive.partitioning.enable",
        Kind::Bool,
        "true",
        "Whether records without a key prefer the partitions of faster brokers.",
    )
    .flag(
        |c| c.partitioner_adaptive_partitioning_enable,
        |c, yes| c.partitioner_adaptive_partitioning_enable = yes,
    ),
    number!(
        K::new(
            "partitioner.availability.timeout.ms",
            Kind::Long(FROM_ZERO),
            "0",
            "How long a broker may take no batch before its partitions are passed over; 0 is never."
        ),
        partitioner_availability_timeout_ms
    ),
    K::new(
        "partitioner.ignore.keys",
        Kind::Bool,
        "false",
        "Whether records with a key are spread as if they had none.",
    )
    .flag(|c| c.partitioner_ignore_keys, |c, yes| c.partitioner_ignore_keys = yes),
    K::null(
        "transactional.id",
        Kind::NonEmptyText,
        "The name under which transactions survive the producer that began them.",
    )
    .text(|c| c.transactional_id.as_deref(), |c, text| c.transactional_id = Some(text.to_owned())),
    number!(
        K::new(
            "transaction.timeout.ms",
            Kind::Int(Range::ALL),
            "60000",
            "How long the coordinator lets a transaction stay open; nothing without transactions."
        ),
        transaction_timeout_ms
    ),
];

const fn acks_word(acks: Acks) -> &'static str {
    match acks {
        Acks::All => "all",
        Acks::None => "0",
        Acks::Leader => "1",
    }
}

/// Kafka: ProducerConfig.parseAcks.
fn acks_of(word: &str) -> Acks {
    match word {
        "0" => Acks::None,
        "1" => Acks::Leader,
        _ => Acks::All,
    }
}

pub(super) const fn strategy_word(strategy: MetadataRecoveryStrategy) -> &'static str {
    match strategy {
        MetadataRecoveryStrategy::None => "none",
        MetadataRecoveryStrategy::Rebootstrap => "rebootstrap",
    }
}

pub(super) fn strategy_of(word: &str) -> MetadataRecoveryStrategy {
    match word {
        "none" => MetadataRecoveryStrategy::None,
        _ => MetadataRecoveryStrategy::Rebootstrap,
    }
}

const fn codec_word(codec: CompressionType) -> &'static str {
    match codec {
        CompressionType::None => "none",
        CompressionType::Gzip => "gzip",
        CompressionType::Snappy => "snappy",
        CompressionType::Lz4 => "lz4",
        CompressionType::Zstd => "zstd",
    }
}

fn codec_of(word: &str) -> CompressionType {
    match word {
        "gzip" => CompressionType::Gzip,
        "snappy" => CompressionType::Snappy,
        "lz4" => CompressionType::Lz4,
        "zstd" => CompressionType::Zstd,
        _ => CompressionType::None,
    }
}

const fn partitioner_word(partitioner: &Partitioner) -> &'static str {
    match partitioner {
        Partitioner::BuiltIn => "null",
        Partitioner::RoundRobin => ROUND_ROBIN,
        Partitioner::Table(_) => "(the scenario's table)",
    }
}
