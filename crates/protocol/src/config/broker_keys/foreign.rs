//! The keys of a broker that change nothing here, or that the simulator refuses.

use super::K;
use crate::config::keys::Family;
use crate::config::kind::{Elements, Kind, Range};
use crate::config::topic_keys::{BROKER_CODECS, NEVER, RECOMPRESSION};

const SCENARIO: &str = "the scenario says which brokers and topics there are";
const LINKS: &str = "a link is given by its delay";
const OFFSETS: &str = "committed offsets have neither an age nor a size in the simulator";
const NO_QUOTAS: &str = "there are no quotas in the simulator";
const RETENTION: &str = "a log keeps its records to the end of the run";
const FILES: &str = "files and indexes cost nothing here";
const SECURITY: &str = "connections are neither encrypted nor authenticated";
const BACKGROUND: &str = "work in the background takes no time here";
const CONSUMERS: &str = "the scenario says what consumers fetch";
const METRICS: &str = "the simulator has its own measurements";
const CONTROLLER: &str = "the controller is one machine that does not fail";

pub(super) static KEYS: &[K] = &[
    int("default.replication.factor", Range::ALL, "1", "The replicas of a topic made without one.")
        .without_effect(SCENARIO),
    int("num.partitions", Range::at_least(1), "1", "The partitions of a topic made without any.")
        .without_effect(SCENARIO),
    yes("auto.create.topics.enable", "Whether asking for a topic makes it.")
        .without_effect(SCENARIO),
    yes("delete.topic.enable", "Whether topics can be deleted.").without_effect(SCENARIO),
    int("broker.id", Range::ALL, "-1", "The number of the broker.").without_effect(SCENARIO),
    K::null("node.id", Kind::Int(Range::at_least(0)), "The number of the node; required.")
        .without_effect(SCENARIO),
    K::null(
        "process.roles",
        Kind::List(Elements::Of(&["broker", "controller"])),
        "What the process is; required.",
    )
    .without_effect(SCENARIO),
    K::null("broker.rack", Kind::Text, "Where the broker stands.")
        .without_effect("brokers have no racks in the simulator"),
    int(
        "initial.broker.registration.timeout.ms",
        Range::ALL,
        "60000",
        "How long a new broker tries to register before it gives up.",
    )
    .without_effect(CONTROLLER),
    int("num.replica.fetchers", Range::at_least(1), "1", "The fetchers of a broker per leader.")
        .unsupported("a follower has one fetcher per leader"),
    K::new(
        "unclean.leader.election.interval.ms",
        Kind::Long(Range::at_least(1)),
        "300000",
        "How often the controller looks for partitions to elect an unclean leader for; internal.",
    )
    .unsupported("the interval of the search is not a setting here"),
    K::new(
        "compression.type",
        BROKER_CODECS,
        "producer",
        "The default of the topic setting of the same name.",
    )
    .unsupported(RECOMPRESSION),
    int("num.network.threads", Range::at_least(1), "3", "The threads that read and write sockets.")
        .without_effect("reading and writing sockets takes no time here"),
    int("queued.max.requests", Range::at_least(1), "500", "The requests that wait for a handler.")
        .without_effect("the queue of requests has no limit here"),
    int("socket.send.buffer.bytes", Range::ALL, "102400", "The size of a socket's send buffer.")
        .without_effect(LINKS),
    int("socket.receive.buffer.bytes", Range::ALL, "102400", "The same for receiving.")
        .without_effect(LINKS),
    int("socket.request.max.bytes", Range::at_least(1), "104857600", "The largest request.")
        .without_effect("requests are kept small by max.request.size"),
    int(
        "replica.socket.receive.buffer.bytes",
        Range::ALL,
        "65536",
        "The size of the receive buffer of a follower's socket.",
    )
    .without_effect(LINKS),
    K::new(
        "connections.max.idle.ms",
        Kind::Long(Range::ALL),
        "600000",
        "How long the broker keeps a connection that nobody uses.",
    )
    .without_effect("clients close their idle connections first"),
    int(
        "log.flush.offset.checkpoint.interval.ms",
        Range::at_least(0),
        "60000",
        "How often the end of what is surely on disk is noted.",
    )
    .without_effect("recovery takes as long as the scenario says"),
    int(
        "log.flush.start.offset.checkpoint.interval.ms",
        Range::at_least(0),
        "60000",
        "How often the beginning of the logs is noted.",
    )
    .without_effect(RETENTION),
    K::new("log.preallocate", Kind::Bool, "false", "The default of the topic setting preallocate.")
        .without_effect(FILES),
    K::new(
        "log.cleanup.policy",
        Kind::List(Elements::Of(&["compact", "delete"])),
        "delete",
        "The default of the topic setting cleanup.policy.",
    )
    .unsupported("logs are not compacted in the simulator"),
    K::new(
        "log.dir.failure.timeout.ms",
        Kind::Long(Range::at_least(1)),
        "30000",
        "How long a broker with a failed directory tries to report it.",
    )
    .without_effect(FILES),
    K::new(
        "server.max.startup.time.ms",
        Kind::Long(Range::at_least(0)),
        NEVER,
        "The longest that a start may take; internal.",
    )
    .without_effect("the scenario says how long a start takes"),
    K::new(
        "transaction.two.phase.commit.enable",
        Kind::Bool,
        "false",
        "Whether transactions may be ended by an outside coordinator.",
    )
    .without_effect("no client asks for it"),
];

pub(super) static FAMILIES: &[Family] = &[
    Family::secret("ssl.", SECURITY),
    Family::secret("sasl.", SECURITY),
    Family::plain("security.", SECURITY),
    Family::secret("listener.name.", SECURITY),
    Family::plain("listener", SCENARIO),
    Family::plain("advertised.listeners", SCENARIO),
    Family::plain("inter.broker.listener.name", SCENARIO),
    Family::plain("controller.", CONTROLLER),
    Family::plain("metadata.log.", CONTROLLER),
    Family::plain("metadata.max.", CONTROLLER),
    Family::plain("log.dir", FILES),
    Family::plain("log.index.", FILES),
    Family::plain("log.segment.delete.", FILES),
    Family::plain("num.recovery.threads.", FILES),
    Family::plain("log.retention.", RETENTION),
    Family::plain("log.roll.", "a run is shorter than the age of a segment"),
    Family::plain("log.cleaner.", "logs are not compacted in the simulator"),
    Family::plain("log.local.", "there is no tiered storage in the simulator"),
    Family::plain("log.remote.", "there is no tiered storage in the simulator"),
    Family::plain("compression.", RECOMPRESSION),
    Family::plain("group.", "no such setting of groups has a meaning in the simulator"),
    Family::plain("offsets.", OFFSETS),
    Family::plain("offset.", OFFSETS),
    Family::plain("transaction.state.log.", FILES),
    Family::plain("quota.", NO_QUOTAS),
    Family::plain("replication.quota.", NO_QUOTAS),
    Family::plain("metric", METRICS),
    Family::plain("auto.include.jmx.reporter", METRICS),
    Family::plain("kafka.metrics.", METRICS),
    Family::plain("telemetry.", METRICS),
    Family::plain("alter.", NO_QUOTAS),
    Family::plain("client.quota.", NO_QUOTAS),
    Family::plain("authorizer.", SECURITY),
    Family::plain("principal.", SECURITY),
    Family::plain("connection.failed.authentication.", SECURITY),
    Family::plain("connections.max.reauth.", SECURITY),
    Family::secret("delegation.token.", SECURITY),
    Family::secret("config.providers", "no providers are consulted"),
    Family::plain("create.topic.policy.", SCENARIO),
    Family::plain("early.start.listeners", SCENARIO),
    Family::plain("cordoned.log.dirs", FILES),
    Family::plain("num.replica.alter.", FILES),
    Family::plain("background.threads", BACKGROUND),
    Family::plain("log.initial.task.delay.ms", BACKGROUND),
    Family::plain("delete.records.purgatory.", BACKGROUND),
    Family::plain("fetch.purgatory.", BACKGROUND),
    Family::plain("producer.purgatory.", BACKGROUND),
    Family::plain("max.connection", LINKS),
    Family::plain("socket.", LINKS),
    Family::plain("request.timeout.ms", CONTROLLER),
    Family::plain("internal.metadata.", CONTROLLER),
    Family::plain("unstable.", CONTROLLER),
    Family::plain("queued.max.request.bytes", "the queue of requests has no limit here"),
    Family::plain("fetch.max.bytes", CONSUMERS),
    Family::plain("max.incremental.fetch.", CONSUMERS),
    Family::plain("replica.selector.", CONSUMERS),
    Family::plain("max.request.partition.", SCENARIO),
    Family::plain("follower.fetch.", "there is no tiered storage in the simulator"),
    Family::plain("remote.", "there is no tiered storage in the simulator"),
    Family::plain("share.", "there are no share groups in the simulator"),
    Family::plain("errors.deadletterqueue.", "there are no share groups in the simulator"),
];

const fn int(name: &'static str, range: Range, default: &'static str, doc: &'static str) -> K {
    K::new(name, Kind::Int(range), default, doc)
}

const fn yes(name: &'static str, doc: &'static str) -> K {
    K::new(name, Kind::Bool, "true", doc)
}
