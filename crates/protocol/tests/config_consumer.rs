//! The settings of a consumer: table, limits, and the checks of one against another.

use inflight_protocol::ConsumerConfig;
use inflight_protocol::config::keys::{Treatment, consumer_families, consumer_keys};
use inflight_protocol::config::{
    AssignmentStrategy, AutoOffsetReset, GroupProtocol, Kind, Raised, Range, Rule, ServerAssignor,
    Settings, WarningKind,
};
use inflight_protocol::message::IsolationLevel;

/// The settings with what is to be warned of, or what is wrong with them.
type Read = Result<(ConsumerConfig, Vec<WarningKind>), Vec<(Rule, Raised)>>;

fn read(pairs: &[(&str, &str)]) -> Read {
    let settings: Settings = pairs.iter().copied().collect();
    match ConsumerConfig::from_settings(&settings) {
        Ok(read) => Ok((read.config, read.warnings.iter().map(|warning| warning.kind).collect())),
        Err(errors) => Err(errors.iter().map(|error| (error.rule, error.raised)).collect()),
    }
}

fn config(pairs: &[(&str, &str)]) -> ConsumerConfig {
    read(pairs).expect("legal settings").0
}

#[test]
fn the_defaults_are_those_of_kafka_4() {
    let mut pairs: Vec<(&str, &str)> =
        consumer_keys().filter_map(|key| Some((key.name, key.default?))).collect();
    pairs.push(("group.id", "g"));
    let expected = ConsumerConfig { group_id: Some("g".to_owned()), ..ConsumerConfig::default() };
    assert_eq!(read(&pairs), Ok((expected.clone(), vec![])));
    for (name, value) in ConsumerConfig::default().effective() {
        let key = consumer_keys().find(|key| key.name == name).expect("a key of the table");
        assert_eq!(value, key.default.unwrap_or("null"), "{name}");
    }
    let differences = expected.differences_from_default();
    assert_eq!(differences.iter().map(|found| found.key).collect::<Vec<_>>(), ["group.id"]);
}

#[test]
fn every_key_is_there_once_and_has_its_sentence() {
    let mut names: Vec<_> = consumer_keys().map(|key| key.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), consumer_keys().count());
    for key in consumer_keys() {
        assert!(key.doc.ends_with('.') && key.doc.starts_with(char::is_uppercase), "{}", key.name);
        assert_eq!(key.treatment == Treatment::Modelled, is_shown(key.name), "{}", key.name);
    }
    assert!(consumer_families().iter().any(|family| family.prefix == "ssl."));
}

fn is_shown(name: &str) -> bool {
    ConsumerConfig::default().effective().iter().any(|(key, _)| *key == name)
}

#[test]
fn numbers_are_refused_outside_their_limits() {
    for key in consumer_keys() {
        let (Kind::Int(range) | Kind::Long(range)) = key.kind else { continue };
        let Range { min, .. } = range;
        if min > i64::from(i32::MIN) {
            let outside = (min - 1).to_string();
            let errors = read(&[("group.id", "g"), (key.name, &outside)]).expect_err(key.name);
            assert!(errors.iter().any(|(rule, _)| *rule == Rule::Range), "{}", key.name);
        }
    }
}

#[test]
fn words_become_settings() {
    let found = config(&[
        ("group.id", "g"),
        ("group.protocol", "CONSUMER"),
        ("auto.offset.reset", "earliest"),
        ("isolation.level", "read_committed"),
        ("enable.auto.commit", "false"),
    ]);
    assert_eq!(found.group_protocol, GroupProtocol::Consumer);
    assert_eq!(found.auto_offset_reset, AutoOffsetReset::Earliest);
    assert_eq!(found.isolation_level, IsolationLevel::ReadCommitted);
    assert!(!found.enable_auto_commit);
}

#[test]
fn a_consumer_without_a_group_does_not_commit_by_itself() {
    assert!(!config(&[]).enable_auto_commit);
    assert!(config(&[("group.id", "g")]).enable_auto_commit);
    let refused = read(&[("enable.auto.commit", "true")]);
    assert_eq!(refused, Err(vec![(Rule::C1, Raised::Raw)]));
}

#[test]
fn heartbeats_are_more_frequent_than_sessions_end() {
    let keys = [("group.id", "g"), ("session.timeout.ms", "3000")];
    assert_eq!(read(&keys), Err(vec![(Rule::C2, Raised::Wrapped)]));
    assert!(read(&keys[1..]).is_ok(), "without a group there are no heartbeats");
}

#[test]
fn offsets_are_reset_to_an_end_or_not_at_all() {
    let reset = |text: &str| read(&[("auto.offset.reset", text)]).map(|_| ());
    assert_eq!(reset("by_duration:PT1H"), Err(vec![(Rule::Unsupported, Raised::Never)]));
    assert_eq!(reset("Latest"), Err(vec![(Rule::Range, Raised::Raw)]));
    assert_eq!(reset("none"), Ok(()));
}

#[test]
fn the_assignors_are_range_and_cooperative_sticky() {
    let package = "org.apache.kafka.clients.consumer.";
    let list = |names: &[&str]| {
        let classes: Vec<_> = names.iter().map(|name| format!("{package}{name}")).collect();
        read(&[("partition.assignment.strategy", &classes.join(", "))])
            .map(|(config, _)| config.partition_assignment_strategy)
    };
    let range = Ok(AssignmentStrategy::Range);
    assert_eq!(list(&["RangeAssignor"]), range);
    assert_eq!(list(&["RangeAssignor", "CooperativeStickyAssignor"]), range);
    let sticky = Ok(AssignmentStrategy::CooperativeSticky);
    assert_eq!(list(&["CooperativeStickyAssignor"]), sticky);
    assert_eq!(list(&["RoundRobinAssignor"]), Err(vec![(Rule::Unsupported, Raised::Never)]));
    let twice = list(&["RangeAssignor", "RangeAssignor"]);
    assert_eq!(twice, Err(vec![(Rule::Range, Raised::Raw)]));
}

#[test]
fn settings_of_the_other_protocol_are_refused() {
    let refused = read(&[
        ("group.id", "g"),
        ("group.protocol", "consumer"),
        ("session.timeout.ms", "45000"),
        ("heartbeat.interval.ms", "3000"),
    ]);
    assert_eq!(refused, Err(vec![(Rule::C3, Raised::Raw); 2]));
}

#[test]
fn only_the_coordinator_has_the_assignors_that_members_may_name() {
    let name = |protocol: &str, assignor: &str| {
        let settings =
            [("group.id", "g"), ("group.protocol", protocol), ("group.remote.assignor", assignor)];
        read(&settings).map(|(config, _)| config.group_remote_assignor)
    };
    assert_eq!(name("consumer", "range"), Ok(Some(ServerAssignor::Range)));
    assert_eq!(name("consumer", "uniform"), Ok(Some(ServerAssignor::Uniform)));
    assert_eq!(name("consumer", "mine"), Err(vec![(Rule::Unsupported, Raised::Never)]));
    assert_eq!(name("classic", "range"), Err(vec![(Rule::C3, Raised::Raw)]));
}

#[test]
fn members_are_dynamic() {
    let refused = read(&[("group.id", "g"), ("group.instance.id", "one")]);
    assert_eq!(refused, Err(vec![(Rule::Unsupported, Raised::Never)]));
}

#[test]
fn an_idle_connection_may_be_closed_in_a_rebalance() {
    let (_, warnings) = read(&[("connections.max.idle.ms", "60000")]).expect("legal");
    assert_eq!(warnings, [WarningKind::IdleDuringRebalance]);
    let (config, warnings) = read(&[("reconnect.backoff.ms", "700")]).expect("legal");
    assert_eq!(warnings, [WarningKind::ReconnectBackoffConstant]);
    assert_eq!(config.reconnect_backoff_max_ms, 700);
}
