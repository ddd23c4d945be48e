//! Random schedules of produce requests, crashes, cuts and elections.
//!
//! Whatever happens: two logs that agree on a batch agree on everything before it; in the end all
//! logs are the same; and a batch of an idempotent producer is there at most once. As long as
//! disks keep what was appended and no leader is forced, what was acked with acks=all by two
//! replicas in sync is there.

use crate::harness::*;
use inflight_des::Span;
use inflight_protocol::fact::{Election, Surviving};
use inflight_protocol::{
    Acks, ConnectionId, CorrelationId, Fact, Node, RecordBatch, Response, TopicConfig,
    TopicPartition,
};
use proptest::prelude::*;

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    /// A new producer sends its only batch to a broker.
    Produce { broker: u8, partition: u16, acks: Acks },
    /// A new producer sends a batch to each partition in one request.
    ProduceBoth { broker: u8, acks: Acks },
    /// The last batch is sent again, to this broker.
    Retry { broker: u8 },
    /// The client closes the connection of the last batch.
    Disconnect,
    /// A broker process dies.
    Crash(u8),
    /// A broker's machine loses power.
    LosePower(u8),
    /// A broker is made the leader, in sync or not.
    Force(u16, u8),
    /// A broker process is started, if it is down.
    Restart(u8),
    /// A broker is shut down in good order.
    ShutDown(u8),
    /// Two brokers do not hear each other.
    Cut(u8, u8),
    /// A broker and the controller do not hear each other.
    CutController(u8),
    /// All links work again.
    Heal,
    /// The preferred replica is to lead.
    Prefer(u16),
    /// Time passes.
    Wait(u64),
}

fn broker() -> impl Strategy<Value = u8> {
    1..4_u8
}

fn acks() -> impl Strategy<Value = Acks> {
    prop_oneof![4 => Just(Acks::All), 2 => Just(Acks::Leader), 1 => Just(Acks::None)]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (broker(), 0..2_u16, acks())
            .prop_map(|(broker, partition, acks)| Step::Produce { broker, partition, acks }),
        2 => (broker(), acks()).prop_map(|(broker, acks)| Step::ProduceBoth { broker, acks }),
        3 => broker().prop_map(|broker| Step::Retry { broker }),
        1 => Just(Step::Disconnect),
        2 => broker().prop_map(Step::Crash),
        3 => broker().prop_map(Step::Restart),
        1 => broker().prop_map(Step::ShutDown),
        2 => (broker(), broker()).prop_map(|(one, other)| Step::Cut(one, other)),
        1 => broker().prop_map(Step::CutController),
        2 => Just(Step::Heal),
        1 => (0..2_u16).prop_map(Step::Prefer),
        12 => prop_oneof![0..20_u64, 0..600_u64, 1_000..15_000_u64].prop_map(Step::Wait),
    ]
}

/// As [`step`], and worse.
fn harsh_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        15 => step(),
        1 => broker().prop_map(Step::LosePower),
        1 => (0..2_u16, broker()).prop_map(|(partition, broker)| Step::Force(partition, broker)),
    ]
}

/// The delays of links, in microseconds: each pair of nodes has its own.
fn delays() -> impl Strategy<Value = Vec<u64>> {
    proptest::collection::vec(prop_oneof![Just(0), 1..3_000_u64, 1..200_000_u64], 16)
}

/// A batch under way.
#[derive(Clone, Copy, Debug)]
struct Sent {
    connection: ConnectionId,
    correlation: CorrelationId,
    partition: TopicPartition,
    batch: RecordBatch,
    acks: Acks,
}

fn world(delays: &[u64], seed: u64, keeps_elr: bool) -> World {
    let topic =
        TopicConfig { min_insync_replicas: 2, segment_bytes: 400, ..TopicConfig::default() };
    let mut cluster = cluster(3, 2, 3, topic);
    cluster.eligible_leader_replicas = keeps_elr;
    let mut world = World::with_seed(cluster, seed);
    let nodes = [1, 2, 3].map(|id| Node::Broker(b(id))).into_iter().chain([Node::Controller]);
    let nodes: Vec<_> = nodes.collect();
    for (index, delay) in delays.iter().enumerate() {
        let link = (nodes[index / 4], nodes[index % 4]);
        world.delays.insert(link, Span::from_micros(*delay));
    }
    world
}

fn perform(world: &mut World, sent: &mut Vec<Sent>, step: &Step) {
    match *step {
        Step::Produce { broker, partition, acks } => {
            let partition = TopicPartition::new(partition);
            let batch = next_batch(sent);
            send(world, sent, broker, (partition, batch, acks));
        }
        Step::ProduceBoth { broker, acks } => produce_both(world, sent, broker, acks),
        Step::Retry { broker } => {
            if let Some(last) = sent.last().copied() {
                send(world, sent, broker, (last.partition, last.batch, last.acks));
            }
        }
        Step::Disconnect => {
            if let Some(last) = sent.last() {
                world.disconnect(last.connection);
            }
        }
        Step::Crash(id) => {
            if world.up.contains(b(id)) {
                world.crash(id, Surviving::Appended);
            }
        }
        Step::LosePower(id) => {
            if world.up.contains(b(id)) {
                world.crash(id, Surviving::Flushed);
            }
        }
        Step::Force(partition, id) => elect(world, partition, Some(id)),
        Step::Restart(id) => {
            if !world.up.contains(b(id)) {
                world.restart(id);
            }
        }
        Step::ShutDown(id) => {
            if world.up.contains(b(id)) {
                world.shut_down(id);
            }
        }
        Step::Cut(one, other) => {
            if one != other {
                world.cut(Node::Broker(b(one)), Node::Broker(b(other)));
            }
        }
        Step::CutController(id) => world.cut(Node::Broker(b(id)), Node::Controller),
        Step::Heal => world.heal(),
        Step::Prefer(partition) => elect(world, partition, None),
        Step::Wait(millis) => world.run_for(ms(millis)),
    }
}

fn elect(world: &mut World, partition: u16, leader: Option<u8>) {
    let partition = TopicPartition::new(partition);
    world.control(|controller, cluster, turn| {
        controller.elect(cluster, turn, partition, leader.map(b));
    });
}

/// The only batch of a new producer.
fn next_batch(sent: &[Sent]) -> RecordBatch {
    idempotent(sent.len() as u64, 0, 0, 1 + sent.len() as u32 % 3)
}

fn produce_both(world: &mut World, sent: &mut Vec<Sent>, broker: u8, acks: Acks) {
    if !world.broker(broker).is_listening() {
        return;
    }
    let batch = next_batch(sent);
    let connection = world.connect(broker);
    let batches = [0, 1].map(|partition| (TopicPartition::new(partition), batch));
    let correlation = world.produce(connection, acks, &batches);
    for (partition, batch) in batches {
        sent.push(Sent { connection, correlation, partition, batch, acks });
    }
}

fn send(
    world: &mut World,
    sent: &mut Vec<Sent>,
    broker: u8,
    (partition, batch, acks): (TopicPartition, RecordBatch, Acks),
) {
    if !world.broker(broker).is_listening() {
        return;
    }
    let connection = world.connect(broker);
    let correlation = world.produce(connection, acks, &[(partition, batch)]);
    sent.push(Sent { connection, correlation, partition, batch, acks });
}

/// Two logs that have a batch of the same offset and leader epoch agree up to there.
fn logs_match(world: &World) {
    for partition in world.cluster.topics.all_partitions() {
        let logs = [1, 2, 3].map(|id| world.broker(id).batches(partition).collect::<Vec<_>>());
        for (one, other) in [(0, 1), (0, 2), (1, 2)] {
            let (one, other) = (&logs[one], &logs[other]);
            let agree = |index: &usize| {
                let (one, other) = (one[*index], other[*index]);
                one.base_offset == other.base_offset && one.leader_epoch == other.leader_epoch
            };
            let common = (0..one.len().min(other.len())).rev().find(agree);
            let upto = common.map_or(0, |last| last + 1);
            assert_eq!(one[..upto], other[..upto], "logs that agree on a batch agree before it");
        }
    }
}

/// Heals everything and starts whoever is down, until nothing happens any more. A controlled
/// shutdown may hang for five minutes before it is over.
fn finish(world: &mut World) {
    world.heal();
    for _ in 0..20 {
        world.run_for(Span::from_secs(20));
        for id in 1..=3 {
            if !world.up.contains(b(id)) {
                world.restart(id);
            }
        }
        if world.is_settled() {
            return;
        }
    }
    panic!("it never was settled");
}

/// Whether disks have kept all that was appended, and only replicas in sync have led.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Luck {
    Fair,
    Foul,
}

fn judge(world: &World, sent: &[Sent], luck: Luck) {
    for partition in world.cluster.topics.all_partitions() {
        let logs = [1, 2, 3].map(|id| world.broker(id).batches(partition).collect::<Vec<_>>());
        assert!(logs.iter().all(|log| *log == logs[0]), "all logs are the same in the end");
        for one in sent.iter().filter(|one| one.partition == partition) {
            let stored = logs[0].iter().filter(|batch| batch.producer == one.batch.producer);
            let stored = stored.count();
            assert!(stored <= 1, "an idempotent batch is stored at most once");
            let lost = stored == 0 && luck == Luck::Fair && is_acked_by_all(world, one);
            assert!(!lost, "what was acked with acks=all is there: {one:?}");
        }
    }
}

fn is_acked_by_all(world: &World, one: &Sent) -> bool {
    let Some((_, Response::Produce(response))) = world.answer(one.correlation) else {
        return false;
    };
    let answer = response.partitions.iter().find(|answer| answer.partition == one.partition);
    one.acks == Acks::All && answer.is_some_and(|answer| answer.error.is_none())
}

/// What a schedule happens to.
#[derive(Clone, Debug)]
struct Setting {
    delays: Vec<u64>,
    seed: u64,
    keeps_elr: bool,
    steps_are_late: bool,
}

fn setting() -> impl Strategy<Value = Setting> {
    (delays(), any::<u64>(), any::<bool>(), any::<bool>()).prop_map(
        |(delays, seed, keeps_elr, steps_are_late)| Setting {
            delays,
            seed,
            keeps_elr,
            steps_are_late,
        },
    )
}

fn run(steps: &[Step], setting: &Setting, luck: Luck) {
    let mut world = world(&setting.delays, setting.seed, setting.keeps_elr);
    world.steps_are_late = setting.steps_are_late;
    let mut sent = Vec::new();
    for step in steps {
        perform(&mut world, &mut sent, step);
        logs_match(&world);
    }
    finish(&mut world);
    judge(&world, &sent, luck);
    stays_settled(&mut world);
}

/// What is settled stays so, but for preferred leaders.
fn stays_settled(world: &mut World) {
    let before = world.facts.len();
    world.run_for(Span::from_secs(50));
    let is_unrest = |fact: &Fact| {
        matches!(fact, Fact::LeaderElected { election, .. }
        if *election != Election::Preferred)
            || matches!(
                fact,
                Fact::BatchAppended { .. }
                    | Fact::LogTruncated { .. }
                    | Fact::IsrChanged { .. }
                    | Fact::HighWatermarkRegressed { .. }
                    | Fact::BrokerFenced { .. }
            )
    };
    let late: Vec<_> = world.facts[before..].iter().filter(|(_, fact)| is_unrest(fact)).collect();
    assert!(late.is_empty(), "{late:?} after the cluster was settled");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_acked_is_lost_and_nothing_is_stored_twice(
        steps in proptest::collection::vec(step(), 1..60),
        setting in setting(),
    ) {
        run(&steps, &setting, Luck::Fair);
    }

    #[test]
    fn losses_of_power_and_forced_leaders_leave_equal_logs(
        steps in proptest::collection::vec(harsh_step(), 1..60),
        setting in setting(),
    ) {
        run(&steps, &setting, Luck::Foul);
    }
}
