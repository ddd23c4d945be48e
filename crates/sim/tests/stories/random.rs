//! Random clusters, producers, workloads and faults, and what must hold whatever happens.

use crate::bench::*;
use inflight_des::{Delay, Halt, Instant, Ratio, Script, Seed, Span};
use inflight_net::LossMode;
use inflight_protocol::config::Partitioner;
use inflight_protocol::fact::{Fact, FactKind, Surviving, Value};
use inflight_protocol::message::Acks;
use inflight_protocol::record_size::RecordShape;
use inflight_protocol::{
    BrokerConfig, Cluster, Defects, ProducerConfig, TopicConfig, TopicPartition, Topics,
};
use inflight_sim::fault::{Action, FaultRule, Loss, Repeat, Test, Ways, When, Who};
use inflight_sim::setup::{Content, Ending, OnError, Resume, Setup, Style};
use inflight_sim::{Stepper, World};
use inflight_trace::Recorder;
use proptest::prelude::*;
use std::collections::BTreeMap;

prop_compose! {
    fn producer_config()(
        acks in prop_oneof![1 => Just(Acks::None), 1 => Just(Acks::Leader), 3 => Just(Acks::All)],
        idempotent in any::<bool>(),
        retries in prop_oneof![1 => Just(0), 1 => Just(2), 3 => Just(i32::MAX as u32)],
        in_flight in 1_u32..=6,
        linger_ms in prop_oneof![Just(0_i64), Just(5), Just(20)],
        batch_size in prop_oneof![Just(1_u32), Just(400), Just(16_384)],
        request_timeout_ms in prop_oneof![Just(300_i64), Just(2_000), Just(30_000)],
        patience in prop_oneof![Just(0_i64), Just(5_000), Just(90_000)],
        buffer_memory in prop_oneof![Just(1_000_u64), Just(33_554_432)],
        max_block_ms in prop_oneof![Just(0_i64), Just(200), Just(60_000)],
        round_robin in any::<bool>(),
    ) -> ProducerConfig {
        let enable_idempotence = idempotent && acks == Acks::All && retries > 0;
        ProducerConfig {
            acks,
            enable_idempotence,
            retries,
            max_in_flight_requests_per_connection:
                if enable_idempotence { in_flight.min(5) } else { in_flight },
            linger_ms,
            batch_size,
            request_timeout_ms,
            delivery_timeout_ms: request_timeout_ms + linger_ms + patience,
            buffer_memory,
            max_block_ms,
            partitioner: if round_robin { Partitioner::RoundRobin } else { Partitioner::BuiltIn },
            ..ProducerConfig::default()
        }
    }
}

fn delay() -> impl Strategy<Value = Delay> {
    prop_oneof![
        Just(Delay::Constant(Span::from_micros(250))),
        Just(Delay::Uniform { low: Span::from_micros(50), high: ms(5) }),
        Just(Delay::Exponential { floor: Span::from_micros(50), mean: ms(1) }),
    ]
}

fn who(brokers: u8) -> impl Strategy<Value = Who> {
    prop_oneof![
        (1..=brokers).prop_map(broker),
        Just(P1),
        Just(Who::LeaderOf(P0)),
        Just(Who::FollowerOf(P0, 0)),
        Just(Who::AnyBroker),
    ]
}

fn span() -> impl Strategy<Value = Span> {
    prop_oneof![Just(ms(1)), Just(ms(50)), Just(ms(800)), Just(ms(6_000))]
}

/// Actions that can be over: nothing stays cut or down for good unless it says so.
fn action(brokers: u8, harsh: bool) -> impl Strategy<Value = Action> {
    let crash = (who(brokers), any::<bool>(), proptest::option::weighted(0.9, span())).prop_map(
        move |(who, power, restart_after)| {
            let surviving = if harsh && power { Surviving::Flushed } else { Surviving::Appended };
            Action::Crash { who, surviving, restart_after }
        },
    );
    let ways = prop_oneof![Just(Ways::One), Just(Ways::Both)];
    prop_oneof![
        3 => crash,
        1 => (1..=brokers, span())
            .prop_map(|(id, span)| Action::ShutDown { who: broker(id), restart_after: Some(span) }),
        2 => (who(brokers), span()).prop_map(|(who, span)| Action::Pause { who, span }),
        2 => (who(brokers), ways, span()).prop_map(|(who, ways, span)| Action::Cut {
            from: Some(who),
            to: None,
            ways,
            span: Some(span),
        }),
        1 => who(brokers).prop_map(|who| Action::Reset { from: who, to: None }),
        1 => (who(brokers), span()).prop_map(|(who, by)| Action::SlowDisk {
            who,
            by,
            span: Some(ms(500)),
        }),
        1 => (who(brokers), span()).prop_map(|(who, by)| Action::Slow {
            from: Some(who),
            to: None,
            ways: Ways::Both,
            by,
            span: Some(ms(500)),
        }),
        1 => Just(Action::Elect { partition: P0, leader: None }),
    ]
}

fn rule(brokers: u8, harsh: bool) -> impl Strategy<Value = FaultRule> {
    let fact = |kind: FactKind| facts_with(kind, &[]);
    let when = prop_oneof![
        (0_u64..400).prop_map(|at| When::At(Instant::START + ms(at))),
        (1_u32..20).prop_map(move |nth| When::Happened {
            pattern: fact(FactKind::BatchAppended),
            nth,
            repeat: Repeat::Once,
        }),
        (1_u32..10).prop_map(move |nth| When::Happened {
            pattern: fact(FactKind::ProduceDecided),
            nth,
            repeat: Repeat::Once,
        }),
        (1_u32..4).prop_map(|limit| When::Every {
            every: Delay::Uniform { low: ms(5), high: ms(100) },
            limit,
        }),
    ];
    let strike = (when, span(), any::<bool>(), action(brokers, harsh)).prop_map(
        |(when, after, late, then)| FaultRule {
            when,
            after: if late { after } else { Span::ZERO },
            then: vec![then],
        },
    );
    let direction = prop_oneof![Just("request"), Just("response")];
    let how = prop_oneof![Just(Loss::Reset), Just(Loss::Silence)];
    let lose = (direction, how, 1_u32..4).prop_map(|(direction, how, limit)| {
        let tests = [
            ("api", Test::Is(Value::Word("Produce"))),
            ("direction", Test::Is(Value::Word(direction))),
        ];
        let when = When::Odds {
            pattern: facts_with(FactKind::MessageSent, &tests),
            odds: Ratio::new(1, 5).unwrap(),
            limit,
        };
        FaultRule { when, after: Span::ZERO, then: vec![Action::Lose { how }] }
    });
    prop_oneof![3 => strike, 1 => lose]
}

prop_compose! {
    fn workload(partitions: u16)(
        messages in 1_u64..60,
        every in prop_oneof![Just(Span::ZERO), Just(ms(1)), Just(ms(7))],
        burst in 1_u32..6,
        style in prop_oneof![Just(Style::FireAndForget), Just(Style::Callback), Just(Style::Sync)],
        resend in proptest::option::of(1_u32..4),
        ending in prop_oneof![
            3 => Just(Ending::Close),
            1 => Just(Ending::CloseWithin(ms(100))),
            1 => Just(Ending::CloseWithin(Span::ZERO)),
            1 => Just(Ending::Flush),
            1 => Just(Ending::Exit),
        ],
        fixed in proptest::option::of(0..partitions),
        size in 1_u32..300,
    ) -> inflight_sim::setup::ThreadSetup {
        let shape = RecordShape::plain(None, Some(size));
        let mut thread = client("p", ProducerConfig::default()).threads.remove(0);
        thread.messages = messages;
        thread.every = Delay::Constant(every);
        thread.burst = burst;
        thread.style = style;
        thread.on_error = resend.map_or(OnError::GiveUp, |times| OnError::Resend { times });
        thread.ending = ending;
        thread.content = match fixed {
            Some(number) => Content::Partition(number, shape),
            None => Content::Unkeyed(shape),
        };
        thread
    }
}

fn a_cluster(harsh: bool) -> impl Strategy<Value = Cluster> {
    (1_u8..=4, 1_u16..=3).prop_flat_map(move |(brokers, partitions)| {
        let session = prop_oneof![Just(ms(1_500)), Just(ms(9_000))];
        (1..=brokers.min(3), 1_u32..=3, any::<bool>(), any::<bool>(), session, any::<bool>())
            .prop_map(move |(factor, min_isr, unclean, elr, session, small_segments)| {
                let broker_config = BrokerConfig {
                    broker_session_timeout: session,
                    broker_heartbeat_interval: ms(400),
                    replica_lag_time_max: ms(3_000),
                    replica_socket_timeout: ms(3_000),
                    ..BrokerConfig::default()
                };
                let topic = TopicConfig {
                    min_insync_replicas: min_isr.min(u32::from(factor)),
                    unclean_leader_election_enable: unclean && harsh,
                    segment_bytes: if small_segments { 1_500 } else { 1 << 30 },
                    ..TopicConfig::default()
                };
                let replicas = |first: u16| {
                    let ids =
                        (0..u16::from(factor)).map(|next| (first + next) % u16::from(brokers));
                    ids.map(|id| b(id as u8 + 1)).collect()
                };
                Cluster {
                    brokers,
                    broker_configs: vec![broker_config; usize::from(brokers)],
                    topics: Topics::new([("orders", partitions)]),
                    topic_configs: vec![topic],
                    assignments: (0..partitions).map(replicas).collect(),
                    eligible_leader_replicas: elr,
                    transaction_version: inflight_protocol::TransactionVersion::V2,
                    coordinated: inflight_protocol::cluster::Coordinated::default(),
                    defects: Defects::NONE,
                }
            })
    })
}

/// A setup. `harsh` ones lose power and elect uncleanly, after which nothing is promised about
/// what the logs have in common.
fn a_setup(harsh: bool) -> impl Strategy<Value = Setup> {
    a_cluster(harsh).prop_flat_map(move |cluster| {
        let (brokers, partitions) = (cluster.brokers, cluster.topics.partitions_in_all() as u16);
        let clients = proptest::collection::vec(
            (
                producer_config(),
                proptest::collection::vec(workload(partitions), 1..=2),
                prop_oneof![Just(Resume::FirstUnacked), Just(Resume::NextUnsent)],
            ),
            1..=2,
        );
        let faults = proptest::collection::vec(rule(brokers, harsh), 0..=4);
        (Just(cluster), clients, faults, delay(), 0_u32..3, any::<bool>()).prop_map(
            |(cluster, clients, faults, delay, loss, drops)| {
                let mut setup = ten_records(ProducerConfig::default());
                let bootstrap = cluster.broker_ids().collect::<Vec<_>>();
                setup.cluster = cluster;
                setup.clients = (clients.into_iter().enumerate())
                    .map(|(index, (config, threads, resume))| {
                        let mut own = client(&format!("p{}", index + 1), config);
                        own.threads = threads;
                        own.resume = resume;
                        own.bootstrap.clone_from(&bootstrap);
                        own
                    })
                    .collect();
                setup.faults = faults;
                setup.network.links.delay = delay;
                setup.network.links.loss = Ratio::new(loss, 200).unwrap();
                if drops {
                    setup.network.mode = LossMode::Drop;
                    setup.network.links.loss = Ratio::ZERO;
                }
                setup
            },
        )
    })
}

/// Replicas agree below both high watermarks. Kafka: KIP-101.
fn logs_match(world: &World<'_, Recorder>, cluster: &Cluster) -> Result<(), String> {
    for index in 0..cluster.topics.partitions_in_all() {
        let partition = TopicPartition::new(index as u16);
        let records = |id: inflight_protocol::BrokerId| -> (u64, Vec<(u64, u16, u64, u32)>) {
            let broker = &world.brokers()[id.index()];
            let Some(replica) = broker.replica(partition) else { return (0, Vec::new()) };
            let batches = broker.batches(partition).flat_map(|batch| {
                (0..u64::from(batch.records.count)).map(|i| {
                    let epoch = batch.leader_epoch.get();
                    let session = batch.records.session.get();
                    (batch.base_offset.get() + i, session, batch.records.first + i, epoch)
                })
            });
            (replica.high_watermark.get(), batches.collect())
        };
        let logs: Vec<_> = cluster.replicas(partition).iter().map(|id| records(*id)).collect();
        for (i, (mark, log)) in logs.iter().enumerate() {
            for (other_mark, other) in &logs[..i] {
                let common = (*mark).min(*other_mark) as usize;
                if log.get(..common) != other.get(..common) {
                    return Err(format!("{partition:?} differs below {common}:\n{logs:?}"));
                }
            }
        }
    }
    Ok(())
}

/// Every record that send() took ends in exactly one way, except in sessions that were cut short.
fn conserved(facts: &[(Instant, Fact)], halt: Halt) -> Result<(), String> {
    let number = |fact: &Fact, name: &str| match field(fact, name) {
        Value::Number(number) => number as u64,
        other => panic!("{name}: {other:?}"),
    };
    let mut queued: BTreeMap<(u64, String), u64> = BTreeMap::new();
    let mut over: BTreeMap<(u64, String), Vec<(u64, u64)>> = BTreeMap::new();
    let mut cut_short = Vec::new();
    for (_, fact) in facts {
        match fact.kind() {
            FactKind::RecordsQueued => {
                let key = (number(fact, "session"), format!("{:?}", field(fact, "partition")));
                let next = queued.entry(key).or_default();
                if *next != number(fact, "first") {
                    return Err(format!("ordinals go up one by one: {fact:?}"));
                }
                *next += number(fact, "count");
            }
            FactKind::RecordsAcked | FactKind::RecordsFailed => {
                let key = (number(fact, "session"), format!("{:?}", field(fact, "partition")));
                let first = number(fact, "first");
                over.entry(key).or_default().push((first, first + number(fact, "count")));
            }
            FactKind::ProducerStopped if word(fact, "how") != "closed" => {
                cut_short.push(number(fact, "session"));
            }
            _ => {}
        }
    }
    for (key, sent) in queued {
        let mut ranges = over.remove(&key).unwrap_or_default();
        ranges.sort_unstable();
        let mut upto = 0;
        let may_end_open = cut_short.contains(&key.0) || halt != Halt::Quiescent;
        for (first, end) in ranges {
            if first < upto || (first > upto && !may_end_open) {
                return Err(format!("{key:?}: outcome of {first}..{end} after that of ..{upto}"));
            }
            upto = end;
        }
        if upto > sent || (upto < sent && !may_end_open) {
            return Err(format!("{key:?}: {sent} sent, {upto} with an outcome"));
        }
    }
    if over.is_empty() { Ok(()) } else { Err(format!("outcomes of nothing: {over:?}")) }
}

/// What arrives on a connection arrives in the order in which it was sent.
fn in_order(facts: &[(Instant, Fact)]) -> Result<(), String> {
    let mut on_the_way: BTreeMap<String, std::collections::VecDeque<Value>> = BTreeMap::new();
    for (_, fact) in facts {
        let kind = fact.kind();
        if kind != FactKind::MessageSent && kind != FactKind::MessageDelivered {
            continue;
        }
        let line = format!("{:?} {}", field(fact, "connection"), word(fact, "direction"));
        let correlation = field(fact, "correlation");
        let list = on_the_way.entry(line).or_default();
        if kind == FactKind::MessageSent {
            list.push_back(correlation);
        } else {
            // Messages may be lost; what arrives must be behind what arrived before.
            while list.front().is_some_and(|sent| *sent != correlation) {
                list.pop_front();
            }
            if list.pop_front().is_none() {
                return Err(format!("overtaken: {fact:?}"));
            }
        }
    }
    Ok(())
}

fn check(setup: &Setup, seed: u64, logs_must_match: bool) -> Result<(), TestCaseError> {
    let recorder = Recorder::default();
    let mut stepper = Stepper::new(setup, Seed::new(seed), &Script::default(), recorder);
    let mut steps = 0_u64;
    let limit = 400_000;
    while stepper.step().is_some() && steps < limit {
        steps += 1;
        for broker in stepper.world().brokers() {
            if let Err(broken) = broker.invariants(&setup.cluster) {
                return Err(TestCaseError::fail(format!("after {steps} events: {broken}")));
            }
        }
        if logs_must_match && (steps.is_multiple_of(50) || steps < 200) {
            logs_match(stepper.world(), &setup.cluster).map_err(TestCaseError::fail)?;
        }
    }
    if logs_must_match {
        logs_match(stepper.world(), &setup.cluster).map_err(TestCaseError::fail)?;
    }
    let halt = if steps < limit { Halt::Quiescent } else { Halt::EventBudget };
    let facts = stepper.world().observer().facts();
    conserved(facts, halt).map_err(TestCaseError::fail)?;
    in_order(facts).map_err(TestCaseError::fail)?;
    // Synchronous sends to a partition that cannot take them fail one delivery.timeout.ms after the
    // other: such a run is long, but its time goes on.
    let reached = facts.last().map_or(Instant::START, |(at, _)| *at);
    let goes_on = reached >= Instant::START + Span::from_secs(steps / 1_000);
    prop_assert!(steps < limit || goes_on, "the run spins at {reached}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn with_clean_elections_committed_records_stay(setup in a_setup(false), seed: u64) {
        check(&setup, seed, true)?;
    }

    #[test]
    fn whatever_happens_every_machine_keeps_its_rules(setup in a_setup(true), seed: u64) {
        check(&setup, seed, false)?;
    }
}
