//! The keys of a producer that change nothing here, or that the simulator refuses.

use super::K;
use crate::config::keys::Family;
use crate::config::kind::{Elements, Kind, Range};

/// Why the settings of a compression level are without effect.
const LEVEL: &str = "compression is a ratio on sizes";
/// Why the settings of metrics are without effect.
const METRICS: &str = "the simulator has its own measurements";
/// Why the settings of security are without effect.
const SECURITY: &str = "connections are neither encrypted nor authenticated";

pub(super) static KEYS: &[K] = &[
    K::new(
        "transaction.two.phase.commit.enable",
        Kind::Bool,
        "false",
        "Whether an outside coordinator ends the transactions, which then never expire.",
    )
    .not_yet("transactions in two phases are not simulated yet")
    .since("4.1"),
    K::new(
        "partitioner.rack.aware",
        Kind::Bool,
        "false",
        "Whether records without a key prefer leaders in the client's own rack.",
    )
    .unsupported("brokers have no racks in the simulator")
    .since("4.4"),
    K::new("client.rack", Kind::Text, "", "Where the client stands, in the words of broker.rack.")
        .without_effect("brokers have no racks in the simulator")
        .since("4.4"),
    K::new(
        "buffer.memory.allocation.strategy",
        Kind::EnumInAnyCase(&["full", "incremental"]),
        "full",
        "Whether a batch takes its memory at once or in chunks; internal and unfinished in Kafka.",
    )
    .unsupported("kafka has not finished the other strategy")
    .since("4.4"),
    K::new(
        "bootstrap.resolve.timeout.ms",
        Kind::Long(Range::at_least(0)),
        "0",
        "How long names may take to be resolved after the client was made; 0 is before.",
    )
    .without_effect("brokers are found without name service")
    .since("4.4"),
    K::new(
        "metadata.cluster.check.enable",
        Kind::Bool,
        "true",
        "Whether the client tells a broker which cluster and node it believes to talk to.",
    )
    .without_effect("connections reach the broker they are meant for")
    .since("4.4"),
    K::new(
        "client.id",
        Kind::Text,
        "",
        "The client's name in the logs of brokers; producer-1 and so on if it is absent.",
    )
    .without_effect("clients are named by the scenario"),
    K::null(
        "bootstrap.servers",
        Kind::List(Elements::AtLeastOne),
        "The brokers to ask first for metadata; required.",
    )
    .without_effect("every broker of the scenario is a bootstrap server"),
    K::null("key.serializer", Kind::Class, "What turns keys into bytes; required.")
        .without_effect("records are sizes and names here"),
    K::null("value.serializer", Kind::Class, "What turns values into bytes; required.")
        .without_effect("records are sizes and names here"),
    K::new(
        "client.dns.lookup",
        Kind::Enum(&["use_all_dns_ips", "resolve_canonical_bootstrap_servers_only"]),
        "use_all_dns_ips",
        "Which of the addresses of a name are tried.",
    )
    .without_effect("brokers are found without name service"),
    K::new(
        "compression.gzip.level",
        Kind::Int(Range::between(1, 9).or(-1)),
        "-1",
        "How hard gzip tries; -1 is its own choice.",
    )
    .without_effect(LEVEL),
    K::new("compression.lz4.level", Kind::Int(Range::between(1, 17)), "9", "How hard lz4 tries.")
        .without_effect(LEVEL),
    K::new(
        "compression.zstd.level",
        Kind::Int(Range::between(-131_072, 22)),
        "3",
        "How hard zstd tries.",
    )
    .without_effect(LEVEL),
    K::new(
        "send.buffer.bytes",
        Kind::Int(Range::at_least(-1)),
        "131072",
        "The size of the socket's send buffer; -1 leaves it to the operating system.",
    )
    .without_effect("a link is given by its delay"),
    K::new(
        "receive.buffer.bytes",
        Kind::Int(Range::at_least(-1)),
        "32768",
        "The size of the socket's receive buffer; -1 leaves it to the operating system.",
    )
    .without_effect("a link is given by its delay"),
    K::new(
        "enable.metrics.push",
        Kind::Bool,
        "true",
        "Whether the client sends its metrics to the brokers if they ask for them.",
    )
    .without_effect("brokers ask for no metrics in the simulator"),
    K::new(
        "metrics.sample.window.ms",
        Kind::Long(Range::at_least(0)),
        "30000",
        "The time that one sample of a metric covers.",
    )
    .without_effect(METRICS),
    K::new(
        "metrics.num.samples",
        Kind::Int(Range::at_least(1)),
        "2",
        "How many samples of a metric are kept.",
    )
    .without_effect(METRICS),
    K::new(
        "metrics.recording.level",
        Kind::Enum(&["INFO", "DEBUG", "TRACE"]),
        "INFO",
        "Which metrics are kept at all.",
    )
    .without_effect(METRICS),
    K::new(
        "metric.reporters",
        Kind::List(Elements::Any),
        "org.apache.kafka.common.metrics.JmxReporter",
        "The classes that are told of metrics.",
    )
    .without_effect(METRICS),
    K::new(
        "interceptor.classes",
        Kind::List(Elements::Any),
        "",
        "The classes that see each record before it is sent and after its fate is known.",
    )
    .without_effect("applications are described by the scenario"),
    K::new(
        "config.providers",
        Kind::List(Elements::Any),
        "",
        "Where the values of other settings are looked up.",
    )
    .unsupported("the values must stand in the settings themselves")
    .since("4.2"),
    K::new(
        "security.protocol",
        Kind::EnumInAnyCase(&["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]),
        "PLAINTEXT",
        "How connections are encrypted and authenticated.",
    )
    .without_effect(SECURITY),
    K::null("security.providers", Kind::Text, "The classes that provide algorithms of security.")
        .without_effect(SECURITY),
];

pub(super) static FAMILIES: &[Family] = &[
    Family::secret("ssl.", SECURITY),
    Family::secret("sasl.", SECURITY),
    Family::plain("metrics.context.", METRICS),
    Family::secret("config.providers.", "no providers are consulted"),
];
