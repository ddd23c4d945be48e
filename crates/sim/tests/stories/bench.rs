//! Setups in a few words, and what came of them.

use inflight_des::{Delay, Instant, Script, Seed, Span};
use inflight_net::NetworkSettings;
use inflight_protocol::fact::{Fact, FactKind, Surviving, Value};
use inflight_protocol::record_size::RecordShape;
use inflight_protocol::{
    BrokerConfig, BrokerId, ClientId, Cluster, Defects, ProducerConfig, TopicConfig, TopicId,
    TopicPartition, Topics,
};
use inflight_sim::fault::{Action, FaultRule, Pattern, Repeat, Test, When, Who};
use inflight_sim::setup::{
    ClientSetup, Content, Ending, OnError, OnFatal, ProducerSetup, Resume, Setup, Style,
    ThreadSetup,
};
use inflight_sim::{Run, run};
use inflight_trace::Recorder;

pub(crate) const P0: TopicPartition = TopicPartition::new(0);
pub(crate) const P1: Who = Who::Client(ClientId::new(0));

pub(crate) const fn ms(ms: u64) -> Span {
    Span::from_millis(ms)
}

pub(crate) const fn b(id: u8) -> BrokerId {
    BrokerId::new(id)
}

pub(crate) fn broker(id: u8) -> Who {
    Who::Broker(b(id))
}

/// Three brokers, topic `orders` with one partition on all of them, min.insync.replicas 2.
pub(crate) fn cluster() -> Cluster {
    Cluster {
        brokers: 3,
        broker_configs: vec![BrokerConfig::default(); 3],
        topics: Topics::new([("orders", 1)]),
        topic_configs: vec![TopicConfig { min_insync_replicas: 2, ..TopicConfig::default() }],
        assignments: vec![[1, 2, 3].map(b).into_iter().collect()],
        eligible_leader_replicas: true,
        transaction_version: inflight_protocol::TransactionVersion::V2,
        coordinated: inflight_protocol::cluster::Coordinated::default(),
        defects: Defects::NONE,
    }
}

/// The cluster, and one producer that sends ten records of 100 bytes, one a millisecond, and closes.
pub(crate) fn ten_records(config: ProducerConfig) -> Setup {
    Setup {
        title: "ten records".to_owned(),
        cluster: cluster(),
        network: NetworkSettings::default(),
        clients: vec![client("p1", config)],
        faults: Vec::new(),
        budget: Setup::default_budget(),
        settle: Setup::SETTLE,
    }
}

pub(crate) fn client(name: &str, config: ProducerConfig) -> ClientSetup {
    ClientSetup {
        name: name.to_owned(),
        bootstrap: [1, 2, 3].map(b).to_vec(),
        producer: Some(ProducerSetup { config, compression_ratio: 1.0, transactional_id: None }),
        threads: vec![ThreadSetup {
            topic: TopicId::new(0),
            messages: 10,
            content: Content::Unkeyed(RecordShape::plain(None, Some(100))),
            start: Span::ZERO,
            every: Delay::Constant(ms(1)),
            burst: 1,
            style: Style::Callback,
            on_error: OnError::GiveUp,
            ending: Ending::Close,
            transactions: None,
        }],
        resume: Resume::FirstUnacked,
        on_fatal: OnFatal::Stop,
        consumer: None,
    }
}

// --- faults ---------------------------------------------------------------------------------------

/// Facts of a kind whose named fields pass tests.
pub(crate) fn facts_with(kind: FactKind, tests: &[(&str, Test)]) -> Pattern {
    let position = |name: &str| {
        let found = kind.fields().iter().position(|field| field.name == name);
        found.unwrap_or_else(|| panic!("{kind:?} has no field {name}")) as u8
    };
    Pattern { kind, tests: tests.iter().map(|(name, test)| (position(name), *test)).collect() }
}

/// A rule for the nth such fact.
pub(crate) fn on_nth(nth: u32, pattern: Pattern, then: Action) -> FaultRule {
    let when = When::Happened { pattern, nth, repeat: Repeat::Once };
    FaultRule { when, after: Span::ZERO, then: vec![then] }
}

/// A rule for a time.
pub(crate) fn at(span: Span, then: Action) -> FaultRule {
    FaultRule { when: When::At(Instant::START + span), after: Span::ZERO, then: vec![then] }
}

/// The nth batch that the leader of partition 0 appends.
pub(crate) fn append_by_leader(nth: u32, then: Action) -> FaultRule {
    let is_leader = [("broker", Test::IsLeaderOf(P0))];
    on_nth(nth, facts_with(FactKind::BatchAppended, &is_leader), then)
}

pub(crate) const fn kill(who: Who, restart_after: Option<Span>) -> Action {
    Action::Crash { who, surviving: Surviving::Appended, restart_after }
}

pub(crate) const fn power_off(who: Who, restart_after: Option<Span>) -> Action {
    Action::Crash { who, surviving: Surviving::Flushed, restart_after }
}

/// The leader of partition 0 is killed right after the nth batch that it appended.
pub(crate) fn crash_after_append(nth: u32) -> FaultRule {
    append_by_leader(nth, kill(Who::Subject, None))
}

// --- what happened --------------------------------------------------------------------------------

pub(crate) fn record(setup: &Setup) -> Run<Recorder> {
    run(setup, Seed::new(1), &Script::default(), Recorder::default())
}

pub(crate) fn all(run: &Run<Recorder>, kind: FactKind) -> Vec<(Instant, Fact)> {
    run.observer.facts().iter().filter(|(_, fact)| fact.kind() == kind).copied().collect()
}

pub(crate) fn count(run: &Run<Recorder>, kind: FactKind) -> usize {
    run.observer.count(kind)
}

/// A field of a fact.
pub(crate) fn field(fact: &Fact, name: &str) -> Value {
    let mut found = None;
    fact.for_each_field(|other, value| {
        if other == name {
            found = Some(value);
        }
    });
    found.unwrap_or_else(|| panic!("{:?} has no field {name}", fact.kind()))
}

/// A field of a fact that is a word.
pub(crate) fn word(fact: &Fact, name: &str) -> &'static str {
    match field(fact, name) {
        Value::Word(word) => word,
        other => panic!("{name} is {other:?}"),
    }
}

/// A field of each fact of a kind that is a number.
pub(crate) fn numbers(run: &Run<Recorder>, kind: FactKind, name: &str) -> Vec<i64> {
    let number = |fact: &Fact| match field(fact, name) {
        Value::Number(number) => number,
        other => panic!("{name} is {other:?}"),
    };
    all(run, kind).iter().map(|(_, fact)| number(fact)).collect()
}

/// How many records the application was told to be delivered, and not to be.
pub(crate) fn outcomes(run: &Run<Recorder>) -> (i64, i64) {
    let sum = |kind| numbers(run, kind, "count").iter().sum();
    (sum(FactKind::RecordsAcked), sum(FactKind::RecordsFailed))
}
