//! The settings of topics and brokers.

use inflight_des::Span;
use inflight_protocol::config::{
    Raised, Rule, ServerAssignors, ServerConfig, Settings, TimestampType, WarningKind,
};
use inflight_protocol::{BrokerConfig, TopicConfig};

fn settings(pairs: &[(&str, &str)]) -> Settings {
    pairs.iter().copied().collect()
}

fn topic(pairs: &[(&str, &str)]) -> TopicConfig {
    TopicConfig::from_settings(&settings(pairs), &TopicConfig::default()).expect("legal").config
}

fn server(pairs: &[(&str, &str)]) -> ServerConfig {
    ServerConfig::from_settings(&settings(pairs)).expect("legal").config
}

#[test]
fn a_topic_is_read_over_the_defaults_of_its_cluster() {
    let cluster = server(&[
        ("min.insync.replicas", "2"),
        ("message.max.bytes", "5000"),
        ("log.message.timestamp.type", "LogAppendTime"),
        ("unclean.leader.election.enable", "true"),
        ("log.segment.bytes", "2097152"),
        ("log.flush.interval.messages", "10"),
        ("log.message.timestamp.before.max.ms", "1"),
        ("log.message.timestamp.after.max.ms", "2"),
    ]);
    let own = settings(&[("max.message.bytes", "6000"), ("flush.ms", "1000")]);
    let topic = TopicConfig::from_settings(&own, &cluster.topic).unwrap().config;
    assert_eq!(
        topic,
        TopicConfig {
            min_insync_replicas: 2,
            unclean_leader_election_enable: true,
            max_message_bytes: 6_000,
            segment_bytes: 2_097_152,
            flush_messages: 10,
            flush_interval: Some(Span::from_millis(1_000)),
            message_timestamp_type: TimestampType::LogAppendTime,
            message_timestamp_before_max_ms: 1,
            message_timestamp_after_max_ms: 2,
        }
    );
}

#[test]
fn the_longest_flush_interval_is_never() {
    assert_eq!(topic(&[("flush.ms", "9223372036854775807")]).flush_interval, None);
    assert_eq!(topic(&[("flush.ms", "0")]).flush_interval, Some(Span::ZERO));
    assert_eq!(topic(&[("flush.messages", "1")]).flush_messages, 1);
}

#[test]
fn the_flush_scheduler_stands_in_for_the_flush_interval() {
    let scheduler = "log.flush.scheduler.interval.ms";
    let alone = server(&[(scheduler, "50")]);
    let span = Some(Span::from_millis(50));
    assert_eq!(
        (alone.broker.log_flush_scheduler_interval, alone.topic.flush_interval),
        (span, span)
    );
    let both = server(&[("log.flush.interval.ms", "7"), (scheduler, "50")]);
    assert_eq!(both.broker.log_flush_scheduler_interval, span);
    assert_eq!(both.topic.flush_interval, Some(Span::from_millis(7)));
}

#[test]
fn small_segments_have_a_key_of_their_own() {
    let small = ("internal.segment.bytes", "1000");
    assert_eq!(topic(&[small, ("segment.bytes", "2097152")]).segment_bytes, 1_000);
    let errors = TopicConfig::from_settings(
        &settings(&[("segment.bytes", "1048575")]),
        &TopicConfig::default(),
    );
    assert_eq!(errors.unwrap_err()[0].rule, Rule::Range);
}

#[test]
fn kafka_refuses_a_topic_with_a_key_that_it_does_not_know() {
    let wrong = settings(&[("min.insync.replica", "2"), ("acks", "all")]);
    let errors = TopicConfig::from_settings(&wrong, &TopicConfig::default()).unwrap_err();
    let said: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "min.insync.replica=2, expected a setting of a topic; did you mean \
             \"min.insync.replicas\"?",
            "acks=all, expected a setting of a topic not of a producer",
        ]
    );
    assert!(errors.iter().all(|error| (error.rule, error.raised) == (Rule::Unknown, Raised::Raw)));
}

#[test]
fn topics_that_the_simulator_cannot_keep_are_refused() {
    let rules = |pairs| {
        let outcome = TopicConfig::from_settings(&settings(pairs), &TopicConfig::default());
        outcome.unwrap_err().iter().map(|error| error.rule).collect::<Vec<_>>()
    };
    assert_eq!(rules(&[("cleanup.policy", "compact")]), [Rule::Unsupported]);
    assert_eq!(rules(&[("cleanup.policy", "compat")]), [Rule::Range]);
    assert_eq!(rules(&[("compression.type", "gzip")]), [Rule::Unsupported]);
    assert_eq!(rules(&[("min.cleanable.dirty.ratio", "1.5")]), [Rule::Range]);
}

#[test]
fn a_broker_is_read() {
    let read = BrokerConfig::from_settings(&settings(&[
        ("replica.lag.time.max.ms", "10000"),
        ("replica.fetch.min.bytes", "100"),
        ("num.io.threads", "1"),
        ("controlled.shutdown.enable", "false"),
        ("leader.imbalance.check.interval.seconds", "60"),
        ("node.id", "1"),
        ("listeners", "PLAINTEXT://:9092"),
    ]));
    let read = read.unwrap();
    assert_eq!(
        read.config,
        BrokerConfig {
            replica_lag_time_max: Span::from_millis(10_000),
            replica_fetch_min_bytes: 100,
            num_io_threads: 1,
            controlled_shutdown_enable: false,
            leader_imbalance_check_interval: Span::from_secs(60),
            ..BrokerConfig::default()
        }
    );
    let kinds: Vec<_> = read.warnings.iter().map(|warning| warning.kind).collect();
    assert_eq!(kinds, [WarningKind::WithoutEffect; 2]);
}

#[test]
fn a_follower_waits_no_longer_than_its_socket_and_its_lag_allow() {
    let rules = |pairs| {
        let errors = ServerConfig::from_settings(&settings(pairs)).unwrap_err();
        errors.iter().map(|error| error.rule).collect::<Vec<_>>()
    };
    assert_eq!(rules(&[("replica.fetch.wait.max.ms", "30001")]), [Rule::B1, Rule::B2]);
    assert_eq!(rules(&[("replica.socket.timeout.ms", "499")]), [Rule::B1]);
    assert_eq!(rules(&[("replica.lag.time.max.ms", "499")]), [Rule::B2]);
    server(&[("replica.fetch.wait.max.ms", "30000")]);
}

#[test]
fn a_heartbeat_that_is_too_slow_is_a_warning() {
    let kinds = |text| {
        let read =
            ServerConfig::from_settings(&settings(&[("broker.heartbeat.interval.ms", text)]));
        read.unwrap().warnings.iter().map(|warning| warning.kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds("4501"), [WarningKind::HeartbeatTooSlow]);
    assert_eq!(kinds("4500"), []);
}

#[test]
fn differences_are_shown_by_their_key() {
    let changed = server(&[("num.io.threads", "2"), ("min.insync.replicas", "2")]);
    let shown: Vec<_> = changed
        .differences_from_default()
        .into_iter()
        .map(|d| format!("{}={} ({})", d.key, d.value, d.default))
        .collect();
    assert_eq!(shown, ["num.io.threads=2 (8)", "min.insync.replicas=2 (1)"]);
    assert_eq!(topic(&[("min.insync.replicas", "2")]).differences_from_default().len(), 1);
}

#[test]
fn groups_of_the_consumer_protocol_keep_to_the_limits_that_the_broker_sets() {
    let rules = |pairs: &[(&str, &str)]| {
        let errors = ServerConfig::from_settings(&settings(pairs)).unwrap_err();
        errors.iter().map(|error| error.rule).collect::<Vec<_>>()
    };
    assert_eq!(rules(&[("group.consumer.session.timeout.ms", "6000")]), [Rule::B3]);
    assert_eq!(rules(&[("group.consumer.session.timeout.ms", "60001")]), [Rule::B3]);
    assert_eq!(rules(&[("group.consumer.heartbeat.interval.ms", "4999")]), [Rule::B3]);
    assert_eq!(rules(&[("group.consumer.assignment.interval.ms", "15001")]), [Rule::B3]);
    assert_eq!(rules(&[("group.consumer.max.session.timeout.ms", "44999")]), [Rule::B3; 2]);
    let slow = [
        ("group.consumer.max.heartbeat.interval.ms", "50000"),
        ("group.consumer.heartbeat.interval.ms", "45000"),
    ];
    assert_eq!(rules(&slow), [Rule::B3], "heartbeats are more frequent than sessions end");
    let found = server(&[
        ("group.consumer.session.timeout.ms", "6000"),
        ("group.consumer.min.session.timeout.ms", "6000"),
        ("group.consumer.max.size", "2"),
        ("group.consumer.assignors", "range, uniform"),
    ]);
    let groups = found.broker.consumer_groups;
    assert_eq!((groups.session_timeout_ms, groups.max_size), (6_000, 2));
    assert_eq!(groups.assignors, ServerAssignors::RangeUniform);
    let assignors = |list| rules(&[("group.consumer.assignors", list)]);
    assert_eq!(assignors("uniform,uniform"), [Rule::Range]);
    assert_eq!(assignors("mine"), [Rule::Unsupported]);
    assert_eq!(assignors(""), [Rule::Range]);
}
