//! The tables of keys: complete, true to the defaults, exact at the limits of every range.

use inflight_protocol::config::keys::{Key, Treatment, producer_keys, server_keys, topic_keys};
use inflight_protocol::config::{
    ConfigError, Kind, Limits, Partitioner, Raised, Range, Rule, ServerConfig, Settings,
};
use inflight_protocol::{ProducerConfig, TopicConfig};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// The table of the behaviour sheet, section 1.1.
const SHEET: [&str; 41] = [
    "acks",
    "enable.idempotence",
    "retries",
    "max.in.flight.requests.per.connection",
    "batch.size",
    "linger.ms",
    "delivery.timeout.ms",
    "request.timeout.ms",
    "max.block.ms",
    "buffer.memory",
    "max.request.size",
    "retry.backoff.ms",
    "retry.backoff.max.ms",
    "reconnect.backoff.ms",
    "reconnect.backoff.max.ms",
    "socket.connection.setup.timeout.ms",
    "socket.connection.setup.timeout.max.ms",
    "connections.max.idle.ms",
    "metadata.max.age.ms",
    "metadata.max.idle.ms",
    "metadata.recovery.strategy",
    "metadata.recovery.rebootstrap.trigger.ms",
    "bootstrap.resolve.timeout.ms",
    "metadata.cluster.check.enable",
    "compression.type",
    "compression.gzip.level",
    "compression.lz4.level",
    "compression.zstd.level",
    "partitioner.class",
    "partitioner.adaptive.partitioning.enable",
    "partitioner.availability.timeout.ms",
    "partitioner.ignore.keys",
    "partitioner.rack.aware",
    "client.rack",
    "transactional.id",
    "transaction.timeout.ms",
    "transaction.two.phase.commit.enable",
    "buffer.memory.allocation.strategy",
    "client.id",
    "send.buffer.bytes",
    "receive.buffer.bytes",
];

/// The rest of ProducerConfig.java, without the families `ssl.` and `sasl.`.
const REST: [&str; 13] = [
    "enable.metrics.push",
    "bootstrap.servers",
    "client.dns.lookup",
    "key.serializer",
    "value.serializer",
    "interceptor.classes",
    "metric.reporters",
    "metrics.num.samples",
    "metrics.recording.level",
    "metrics.sample.window.ms",
    "config.providers",
    "security.protocol",
    "security.providers",
];

#[test]
fn every_producer_key_is_there_once() {
    let names: Vec<_> = producer_keys().map(|key| key.name).collect();
    let unique: BTreeSet<_> = names.iter().copied().collect();
    assert_eq!(unique.len(), names.len());
    let expected: BTreeSet<_> = SHEET.into_iter().chain(REST).collect();
    assert_eq!(unique, expected);
}

#[test]
fn the_topic_and_broker_keys_are_there_once() {
    let topic: BTreeSet<_> = topic_keys().map(|key| key.name).collect();
    assert_eq!(topic.len(), topic_keys().count());
    for name in [
        "min.insync.replicas",
        "unclean.leader.election.enable",
        "max.message.bytes",
        "segment.bytes",
        "flush.messages",
        "flush.ms",
        "message.timestamp.type",
        "message.timestamp.before.max.ms",
        "message.timestamp.after.max.ms",
    ] {
        let key = topic_keys().find(|key| key.name == name).expect(name);
        assert_eq!(key.treatment, Treatment::Modelled, "{name}");
    }
    let server: BTreeSet<_> = server_keys().map(|key| key.name).collect();
    assert_eq!(server.len(), server_keys().count());
}

fn is_a_sentence(doc: &str) -> bool {
    doc.ends_with('.') && doc.starts_with(|c: char| c.is_uppercase())
}

fn check_words<C: 'static>(keys: impl Iterator<Item = &'static Key<C>>) {
    for Key { name, doc, treatment, default, kind, .. } in keys {
        assert!(is_a_sentence(doc), "{name}: {doc}");
        match treatment {
            Treatment::Modelled => {}
            Treatment::WithoutEffect(reason)
            | Treatment::Unsupported(reason)
            | Treatment::NotYet(reason) => assert!(!is_a_sentence(reason), "{name}: {reason}"),
        }
        assert!(default.is_some_and(|text| !text.is_empty()) || !matches!(kind, Kind::Bool));
    }
}

#[test]
fn every_key_has_its_sentence() {
    check_words(producer_keys());
    check_words(topic_keys());
    check_words(server_keys());
}

/// The defaults of a table, written out.
fn defaults<C: 'static>(keys: impl Iterator<Item = &'static Key<C>>) -> Settings {
    keys.filter_map(|key| Some((key.name, key.default?))).collect()
}

#[test]
fn the_defaults_of_the_tables_are_the_defaults_of_the_structs() {
    let producer = ProducerConfig::from_settings(&defaults(producer_keys()));
    assert_eq!(producer.map(|c| (c.config, c.warnings)), Ok((ProducerConfig::default(), vec![])));
    let topic = TopicConfig::from_settings(&defaults(topic_keys()), &TopicConfig::default());
    assert_eq!(topic.map(|c| (c.config, c.warnings)), Ok((TopicConfig::default(), vec![])));
    let server = ServerConfig::from_settings(&defaults(server_keys()));
    assert_eq!(server.map(|c| (c.config, c.warnings)), Ok((ServerConfig::default(), vec![])));
}

#[test]
fn what_is_shown_is_what_the_table_says() {
    fn check<C: 'static>(
        shown: &[(&str, String)],
        keys: impl Iterator<Item = &'static Key<C>> + Clone,
    ) {
        for (name, value) in shown {
            let key = keys.clone().find(|key| key.name == *name).expect("a key of the table");
            let default = key.default.unwrap_or(match *name {
                "log.flush.interval.ms" => "9223372036854775807",
                _ => "null",
            });
            assert_eq!(value, default, "{name}");
        }
    }
    check(&ProducerConfig::default().effective(), producer_keys());
    check(&TopicConfig::default().effective(), topic_keys());
    check(&ServerConfig::default().effective(), server_keys());
    assert_eq!(ProducerConfig::default().effective().len(), 29);
    assert_eq!(ProducerConfig::default().effective()[0], ("acks", "all".to_owned()));
    assert_eq!(ProducerConfig::default().differences_from_default(), []);
}

/// Whether `text` is refused for itself, and how.
fn objection<T: std::fmt::Debug>(
    name: &str,
    text: &str,
    read: &impl Fn(&Settings) -> Result<T, Vec<ConfigError>>,
) -> Option<(Rule, Raised)> {
    let settings: Settings = [(name, text)].into_iter().collect();
    let errors = read(&settings).err().unwrap_or_default();
    let of_type = |error: &&ConfigError| matches!(error.rule, Rule::Type | Rule::Range);
    errors.iter().find(of_type).map(|error| (error.rule, error.raised))
}

fn check_limits<C: 'static, T: std::fmt::Debug>(
    keys: impl Iterator<Item = &'static Key<C>>,
    read: impl Fn(&Settings) -> Result<T, Vec<ConfigError>>,
) {
    for key in keys {
        let (low, high, range) = match key.kind {
            Kind::Int(range) => (i32::MIN.into(), i32::MAX.into(), range),
            Kind::Long(range) => (i64::MIN, i64::MAX, range),
            _ => continue,
        };
        let Range { min, max, also, limits } = range;
        let raised = match limits {
            Limits::Kafka => Raised::Raw,
            Limits::Simulator => Raised::Never,
        };
        let found = |number: i128| objection(key.name, &number.to_string(), &read);
        let (min, max) = (i128::from(min.max(low)), i128::from(max.min(high)));
        assert_eq!(found(min), None, "{} at {min}", key.name);
        assert_eq!(found(max), None, "{} at {max}", key.name);
        for (outside, past) in [(min - 1, min == low.into()), (max + 1, max == high.into())] {
            let expected = match past {
                _ if also.map(i128::from) == Some(outside) => None,
                true => Some((Rule::Type, Raised::Raw)),
                false => Some((Rule::Range, raised)),
            };
            assert_eq!(found(outside), expected, "{} at {outside}", key.name);
        }
        if let Some(also) = also {
            assert_eq!(found(also.into()), None, "{} at {also}", key.name);
        }
        assert_eq!(objection(key.name, "1.0", &read), Some((Rule::Type, Raised::Raw)));
        assert_eq!(objection(key.name, "", &read), Some((Rule::Type, Raised::Raw)));
    }
}

#[test]
fn every_range_is_exact_at_its_limits() {
    check_limits(producer_keys(), ProducerConfig::from_settings);
    check_limits(server_keys(), ServerConfig::from_settings);
    let defaults = TopicConfig::default();
    check_limits(topic_keys(), |settings| TopicConfig::from_settings(settings, &defaults));
}

#[test]
fn every_word_of_an_enum_is_taken_and_no_other() {
    for key in producer_keys() {
        let (Kind::Enum(words) | Kind::EnumInAnyCase(words)) = key.kind else { continue };
        for word in words {
            let text = format!(" {word} ");
            assert_eq!(objection(key.name, &text, &ProducerConfig::from_settings), None);
        }
        let found = objection(key.name, "nonsense", &ProducerConfig::from_settings);
        assert_eq!(found, Some((Rule::Range, Raised::Raw)), "{}", key.name);
    }
}

/// Texts that are legal for many keys, and some that are for none.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        (0_i64..200_000).prop_map(|number| number.to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        prop::sample::select(vec!["true", "false", "all", "0", "1", "gzip", "none", "", " ", "x"])
            .prop_map(str::to_owned),
        ".*",
    ]
}

proptest! {
    #[test]
    fn any_settings_have_an_outcome(
        pairs in prop::collection::vec(
            (prop::sample::select([&SHEET[..], &REST[..]].concat()), texts()), 0..8)
    ) {
        let settings: Settings = pairs.into_iter().collect();
        match ProducerConfig::from_settings(&settings) {
            Ok(configured) => {
                // What a configuration comes to, set explicitly, comes to the same.
                let config = configured.config;
                // What is absent cannot be set to absence.
                let is_there = |key: &str| match key {
                    "partitioner.class" => config.partitioner != Partitioner::BuiltIn,
                    "transactional.id" => config.transactional_id.is_some(),
                    _ => true,
                };
                let effective = config.effective().into_iter();
                let again: Settings = effective.filter(|(key, _)| is_there(key)).collect();
                let again = ProducerConfig::from_settings(&again).map(|again| again.config);
                prop_assert_eq!(again, Ok(config));
            }
            Err(errors) => for error in errors {
                prop_assert!(error.settings.iter().any(|s| s.origin.is_some()), "{}", error);
                prop_assert!(!error.expected.ends_with('.') && !error.expected.is_empty());
            },
        }
    }
}
