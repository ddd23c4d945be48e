//! The checks between settings of a producer, one test for each rule.

use inflight_protocol::ProducerConfig;
use inflight_protocol::config::{
    ConfigError, ConfigWarning, Origin, Partitioner, Raised, Rule, Settings, WarningKind,
};
use inflight_protocol::message::Acks;

fn settings(pairs: &[(&str, &str)]) -> Settings {
    pairs.iter().copied().collect()
}

#[track_caller]
fn taken(pairs: &[(&str, &str)]) -> (ProducerConfig, Vec<ConfigWarning>) {
    match ProducerConfig::from_settings(&settings(pairs)) {
        Ok(configured) => (configured.config, configured.warnings),
        Err(errors) => panic!("refused: {errors:?}"),
    }
}

#[track_caller]
fn refused(pairs: &[(&str, &str)]) -> Vec<ConfigError> {
    match ProducerConfig::from_settings(&settings(pairs)) {
        Ok(configured) => panic!("taken: {configured:?}"),
        Err(errors) => errors,
    }
}

#[track_caller]
fn rules(pairs: &[(&str, &str)]) -> Vec<&'static str> {
    refused(pairs).iter().map(|error| error.rule.id()).collect()
}

#[track_caller]
fn kinds(pairs: &[(&str, &str)]) -> Vec<WarningKind> {
    taken(pairs).1.iter().map(|warning| warning.kind).collect()
}

#[test]
fn nothing_set_is_the_default_without_a_word() {
    assert_eq!(taken(&[]), (ProducerConfig::default(), vec![]));
}

#[test]
fn v1_no_retries_end_idempotence_unless_it_was_asked_for() {
    let (config, warnings) = taken(&[("retries", "0")]);
    assert!(!config.enable_idempotence);
    assert_eq!(warnings.len(), 1);
    assert_eq!(warnings[0].kind, WarningKind::IdempotenceDisabled);
    assert_eq!(
        warnings[0].to_string(),
        "retries=0 with enable.idempotence=true (default): idempotence is switched off, so \
         retries can duplicate and reorder"
    );

    let errors = refused(&[("enable.idempotence", "true"), ("retries", "0")]);
    assert_eq!(errors.len(), 1);
    assert_eq!((errors[0].rule, errors[0].raised), (Rule::V1, Raised::Raw));
    assert_eq!((errors[0].key(), errors[0].text()), ("retries", "0"));
    assert_eq!(errors[0].origin(), Some(Origin(1)));
    assert_eq!(
        errors[0].to_string(),
        "retries=0 with enable.idempotence=true, expected at least one retry for an idempotent \
         producer"
    );
    assert!(taken(&[("enable.idempotence", "true"), ("retries", "1")]).0.enable_idempotence);
}

#[test]
fn v2_fewer_acks_end_idempotence_unless_it_was_asked_for() {
    for (acks, value) in [("0", Acks::None), ("1", Acks::Leader)] {
        let (config, warnings) = taken(&[("acks", acks)]);
        assert_eq!((config.acks, config.enable_idempotence), (value, false));
        assert_eq!(warnings[0].kind, WarningKind::IdempotenceDisabled);
        assert_eq!(rules(&[("acks", acks), ("enable.idempotence", "true")]), ["V2"]);
    }
    for acks in ["all", "-1"] {
        let (config, warnings) = taken(&[("acks", acks), ("enable.idempotence", "true")]);
        assert_eq!((config.acks, config.enable_idempotence), (Acks::All, true));
        assert_eq!(warnings, []);
    }
}

#[test]
fn v1_and_v2_are_reported_together() {
    let both = [WarningKind::IdempotenceDisabled; 2];
    assert_eq!(kinds(&[("acks", "0"), ("retries", "0")]), both);
    let explicit = [("acks", "0"), ("retries", "0"), ("enable.idempotence", "true")];
    assert_eq!(rules(&explicit), ["V1", "V2"]);
    assert_eq!(kinds(&[("acks", "0"), ("retries", "0"), ("enable.idempotence", "false")]), []);
}

#[test]
fn v3_six_in_flight_is_an_error_even_where_idempotence_would_have_ended() {
    let in_flight = "max.in.flight.requests.per.connection";
    assert_eq!(rules(&[(in_flight, "6")]), ["V3"]);
    assert_eq!(rules(&[(in_flight, "6"), ("enable.idempotence", "true")]), ["V3"]);
    assert_eq!(rules(&[(in_flight, "10"), ("acks", "1")]), ["V3"]);
    assert_eq!(kinds(&[(in_flight, "5")]), []);
    let (config, _) = taken(&[(in_flight, "6"), ("enable.idempotence", "false")]);
    assert_eq!(config.max_in_flight_requests_per_connection, 6);
    let error = &refused(&[(in_flight, "6")])[0];
    assert_eq!(error.settings[1].origin, None, "idempotence is on by default");
    assert_eq!(
        error.hint.as_deref(),
        Some("Set it to 5 or less, or set enable.idempotence=false.")
    );
}

#[test]
fn v4_a_transactional_id_needs_idempotence_after_it_was_ended() {
    let id = ("transactional.id", "t");
    assert_eq!(rules(&[id, ("acks", "1")]), ["V4"]);
    assert_eq!(rules(&[id, ("retries", "0")]), ["V4"]);
    assert_eq!(rules(&[id, ("enable.idempotence", "false")]), ["V4"]);
    assert_eq!(rules(&[id, ("acks", "1"), ("enable.idempotence", "true")]), ["V2"]);
    let error = &refused(&[id, ("acks", "1"), ("retries", "9")])[0];
    assert_eq!(error.settings[1].key, "acks");
}

#[test]
fn a_transactional_id_and_its_timeout_are_read() {
    let (config, _) = taken(&[("transactional.id", "t"), ("transaction.timeout.ms", "500")]);
    assert_eq!(config.transactional_id.as_deref(), Some("t"));
    assert_eq!((config.transaction_timeout_ms, config.enable_idempotence), (500, true));
    assert_eq!(rules(&[("transactional.id", " ")]), ["range"]);
}

#[test]
fn v5_two_phases_and_a_timeout_exclude_one_another() {
    let two_phases = ("transaction.two.phase.commit.enable", "true");
    let timeout = ("transaction.timeout.ms", "60000");
    assert_eq!(rules(&[two_phases, timeout]), ["V5", "not-yet"], "even at the default");
    assert_eq!(rules(&[two_phases]), ["not-yet"]);
    assert_eq!(kinds(&[timeout, ("transaction.two.phase.commit.enable", "false")]), []);
}

#[test]
fn v6_each_key_is_checked_before_rules_and_every_error_is_reported() {
    let errors = refused(&[
        ("linger.ms", "-1"),
        ("acks", "2"),
        ("enable.idempotence", "yes"),
        ("retries", "many"),
        ("max.in.flight.requests.per.connection", "6"),
        ("delivery.timeout.ms", "1"),
    ]);
    let found: Vec<_> = errors.iter().map(|error| (error.rule.id(), error.key())).collect();
    assert_eq!(
        found,
        [
            ("range", "linger.ms"),
            ("range", "acks"),
            ("type", "enable.idempotence"),
            ("type", "retries"),
        ],
        "V3 needs enable.idempotence and V9 needs linger.ms, which mean nothing"
    );
    assert_eq!(errors[0].to_string(), "linger.ms=-1, expected a whole number of at least 0");
    assert_eq!(
        errors[2].to_string(),
        "enable.idempotence=yes, expected true or false; did you mean \"true\"?"
    );
}

#[test]
fn a_rule_whose_keys_are_sound_is_checked_beside_other_errors() {
    let both = [("max.block.ms", "x"), ("max.in.flight.requests.per.connection", "6")];
    assert_eq!(rules(&both), ["type", "V3"]);
    assert_eq!(
        rules(&[("retries", "x"), ("acks", "1"), ("delivery.timeout.ms", "0")]),
        ["type", "V9"]
    );
}

#[test]
fn v7_a_reconnect_backoff_without_its_maximum_is_constant() {
    let (config, warnings) = taken(&[("reconnect.backoff.ms", "200")]);
    assert_eq!((config.reconnect_backoff_ms, config.reconnect_backoff_max_ms), (200, 200));
    assert_eq!(warnings[0].kind, WarningKind::ReconnectBackoffConstant);
    let (config, warnings) =
        taken(&[("reconnect.backoff.ms", "200"), ("reconnect.backoff.max.ms", "1000")]);
    assert_eq!((config.reconnect_backoff_max_ms, warnings), (1_000, vec![]));
    assert_eq!(taken(&[("reconnect.backoff.ms", "50")]).0.reconnect_backoff_max_ms, 50);
    assert_eq!(kinds(&[("reconnect.backoff.max.ms", "10")]), []);
}

#[test]
fn v7_a_backoff_above_its_maximum_is_a_warning() {
    let (config, warnings) = taken(&[("retry.backoff.ms", "1001")]);
    assert_eq!((config.retry_backoff_ms, config.retry_backoff_max_ms), (1_001, 1_000));
    assert_eq!(
        warnings[0].to_string(),
        "retry.backoff.ms=1001 with retry.backoff.max.ms=1000 (default): every retry waits 1000 \
         ms, without growth"
    );
    assert_eq!(kinds(&[("retry.backoff.ms", "1000")]), []);
    assert_eq!(
        kinds(&[("socket.connection.setup.timeout.ms", "30001")]),
        [WarningKind::SetupTimeoutConstant]
    );
}

#[test]
fn v8_serializers_and_servers_may_also_come_from_code() {
    assert_eq!(kinds(&[]), []);
    let missing = ProducerConfig::missing_in(&settings(&[("value.serialiser", "x.Y")]));
    let found: Vec<_> = missing.iter().map(|error| (error.rule.id(), error.key())).collect();
    assert_eq!(
        found,
        [("V8", "key.serializer"), ("V8", "value.serializer"), ("missing", "bootstrap.servers")]
    );
    assert_eq!(missing[1].nearest.as_deref(), Some("value.serialiser"));
    assert_eq!(
        missing[0].to_string(),
        "key.serializer (absent), expected the class of a serializer"
    );
    let all = [("key.serializer", "a"), ("value.serializer", "b"), ("bootstrap.servers", "c:1")];
    assert_eq!(ProducerConfig::missing_in(&settings(&all)), []);
}

#[test]
fn v9_a_delivery_timeout_is_raised_or_refused() {
    let (config, warnings) = taken(&[("request.timeout.ms", "200000")]);
    assert_eq!(config.delivery_timeout_ms, 200_005);
    assert_eq!(warnings[0].kind, WarningKind::DeliveryTimeoutRaised);

    let errors = refused(&[("delivery.timeout.ms", "30004")]);
    assert_eq!((errors[0].rule, errors[0].raised), (Rule::V9, Raised::Wrapped));
    assert!(errors[0].expected.ends_with("30005"), "{}", errors[0]);
    assert_eq!(kinds(&[("delivery.timeout.ms", "30005")]), [], "equality is legal");
    let default = [("delivery.timeout.ms", "120000"), ("linger.ms", "90001")];
    assert_eq!(rules(&default), ["V9"], "the default, but written");
}

#[test]
fn v9_the_sum_stops_at_31_bits() {
    let longest = i64::from(i32::MAX);
    let (config, _) = taken(&[("linger.ms", "9223372036854775807")]);
    assert_eq!((config.linger_ms, config.delivery_timeout_ms), (longest, longest));
    let both = [("linger.ms", "9223372036854775807"), ("delivery.timeout.ms", "2147483647")];
    assert_eq!(taken(&both).0.delivery_timeout_ms, longest);
}

#[test]
fn v10_rack_awareness_needs_a_rack() {
    let aware = ("partitioner.rack.aware", "true");
    let errors = refused(&[aware]);
    assert_eq!((errors[0].rule, errors[0].raised), (Rule::V10, Raised::Wrapped));
    assert_eq!(rules(&[aware, ("client.rack", "  ")]), ["V10", "unsupported"]);
    assert_eq!(rules(&[aware, ("client.rack", "a")]), ["unsupported"]);
    assert_eq!(kinds(&[("partitioner.rack.aware", "false")]), []);
}

#[test]
fn partitioners_are_those_of_kafka() {
    let class = "partitioner.class";
    let round_robin = "org.apache.kafka.clients.producer.RoundRobinPartitioner";
    assert_eq!(taken(&[(class, round_robin)]).0.partitioner, Partitioner::RoundRobin);
    assert_eq!(taken(&[(class, " ")]).0.partitioner, Partitioner::BuiltIn);
    assert_eq!(kinds(&[(class, "")]), [WarningKind::EmptyClass]);

    let errors = refused(&[(class, "com.example.ByTenant")]);
    assert_eq!((errors[0].rule, errors[0].raised), (Rule::Unsupported, Raised::Never));
    assert!(errors[0].expected.contains("the scenario's partitioner table"), "{}", errors[0]);
    assert_eq!(errors[0].nearest, None);
    assert_eq!(
        refused(&[(class, "RoundRobinPartitioner")])[0].nearest.as_deref(),
        Some(round_robin)
    );
    let deleted = "org.apache.kafka.clients.producer.internals.DefaultPartitioner";
    assert_eq!(refused(&[(class, deleted)])[0].raised, Raised::Raw);
}

#[test]
fn a_key_that_does_not_exist_is_a_warning_or_an_error() {
    let pairs = [("linger_ms", "7"), ("min.insync.replicas", "2"), ("colour", "red")];
    let outcome = ProducerConfig::from_settings(&settings(&pairs)).unwrap();
    assert_eq!(outcome.config, ProducerConfig::default());
    let said: Vec<_> = outcome.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "linger_ms=7: not a setting of a producer, and ignored; did you mean \"linger.ms\"?",
            "min.insync.replicas=2: not a setting of a producer but of a topic, and ignored",
            "colour=red: not a setting of a producer, and ignored",
        ]
    );
    let errors = outcome.strict().unwrap_err();
    assert_eq!(errors.len(), 3);
    assert_eq!((errors[0].rule, errors[0].origin()), (Rule::Unknown, Some(Origin(0))));
    assert_eq!(errors[0].nearest.as_deref(), Some("linger.ms"));
    assert_eq!(
        errors[1].to_string(),
        "min.insync.replicas=2, expected a known key: not a setting of a producer but of a topic, \
         and ignored"
    );
}

#[test]
fn the_last_of_several_settings_counts() {
    let (config, warnings) = taken(&[("acks", "nonsense"), ("retries", "3"), ("acks", "all")]);
    assert_eq!((config.acks, config.retries), (Acks::All, 3));
    assert_eq!(warnings.len(), 1);
    assert_eq!(
        (warnings[0].kind, warnings[0].origin()),
        (WarningKind::Overridden, Some(Origin(0)))
    );
}

#[test]
fn texts_are_trimmed_as_java_trims() {
    let (config, _) =
        taken(&[("acks", " all\t"), ("linger.ms", "\u{1} +9 \n"), ("retries", "007")]);
    assert_eq!((config.acks, config.linger_ms, config.retries), (Acks::All, 9, 7));
    assert_eq!(rules(&[("linger.ms", "\u{a0}9")]), ["type"], "not white space to Java");
    assert_eq!(rules(&[("acks", "ALL")]), ["range"], "words are as they are");
    assert_eq!(kinds(&[("metadata.recovery.strategy", "NONE")]), [], "but some in any case");
}

#[test]
fn slips_in_values_are_recognised() {
    let nearest = |key: &str, text: &str| refused(&[(key, text)])[0].nearest.clone();
    assert_eq!(nearest("acks", "ALL").as_deref(), Some("all"));
    assert_eq!(nearest("compression.type", "snapy").as_deref(), Some("snappy"));
    assert_eq!(nearest("partitioner.ignore.keys", "on").as_deref(), Some("true"));
    assert_eq!(nearest("max.block.ms", "60_000").as_deref(), Some("60000"));
    assert_eq!(nearest("max.block.ms", "-60_000"), None, "not legal either");
    assert_eq!(nearest("max.block.ms", "soon"), None);
}

#[test]
fn passwords_are_not_repeated() {
    let pairs =
        [("ssl.key.password", "hush"), ("sasl.jaas.config", "hush"), ("ssl.key.password", "a")];
    let (_, warnings) = taken(&pairs);
    assert_eq!(warnings.len(), 3);
    assert!(!format!("{warnings:?}").contains("hush"));
}

#[test]
fn what_a_client_of_kafka_has_besides_is_without_effect() {
    let pairs = [
        ("bootstrap.servers", "a:1,b:2"),
        ("key.serializer", "x.Y"),
        ("client.id", "shop"),
        ("send.buffer.bytes", "131072"),
    ];
    assert_eq!(kinds(&pairs), [WarningKind::WithoutEffect; 3], "but not at the default");
    assert_eq!(rules(&[("bootstrap.servers", " ")]), ["range"]);
    assert_eq!(rules(&[("config.providers", "vault")]), ["unsupported"]);
}
