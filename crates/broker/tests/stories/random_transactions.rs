//! Transactions among random crashes, elections and cuts: what an application was told holds,
//! transactions are whole, and none hangs.

use crate::harness::*;
use inflight_des::{Instant, Span};
use inflight_protocol::fact::Surviving;
use inflight_protocol::message::InitProducerIdRequest;
use inflight_protocol::{
    CorrelationId, ErrorCode, Fact, Node, Request, Response, TopicPartition, TransactionResult,
    TransactionVersion, TransactionalId,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// For how long an application waits for an answer.
const PATIENCE: Span = Span::from_secs(3);

#[derive(Clone, Copy, Debug)]
enum Step {
    /// An application goes on: with an answer, or with another record for a partition.
    Go(usize, u16),
    /// An application wants its transaction to end.
    End(usize, bool),
    Crash(u8),
    Restart(u8),
    Cut(u8, u8),
    CutController(u8),
    Heal,
    Elect(u16, u8),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let broker = || 1..4_u8;
    prop_oneof![
        24 => (0..2_usize, 0..2_u16).prop_map(|(app, partition)| Step::Go(app, partition)),
        6 => (0..2_usize, any::<bool>()).prop_map(|(app, commits)| Step::End(app, commits)),
        1 => broker().prop_map(Step::Crash),
        3 => broker().prop_map(Step::Restart),
        1 => (broker(), broker()).prop_map(|(one, other)| Step::Cut(one, other)),
        1 => broker().prop_map(Step::CutController),
        2 => Just(Step::Heal),
        1 => (0..3_u16, broker()).prop_map(|(partition, leader)| Step::Elect(partition, leader)),
        20 => prop_oneof![6 => 0..30_u64, 1 => 0..400_u64, 1 => 1_000..12_000_u64].prop_map(Step::Wait),
    ]
}

/// What became of a transaction, as the application knows it.
#[derive(Clone, Debug, Default)]
struct Story {
    /// Each record by its number: where, and whether it was acknowledged.
    records: BTreeMap<u64, (TopicPartition, bool)>,
    /// `None` if the application does not know.
    ended: Option<TransactionResult>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Init,
    Add(TopicPartition),
    Record(u64),
    End(TransactionResult),
}

/// An application with one request at a time. It starts a new instance of its producer whenever it
/// is in doubt.
struct App {
    id: TransactionalId,
    version: TransactionVersion,
    client: Option<Client>,
    asked: Option<(Asked, CorrelationId, Instant)>,
    ending: Option<TransactionResult>,
    added: Vec<TopicPartition>,
    sequences: [i32; 2],
    story: Story,
    stories: Vec<Story>,
}

impl App {
    fn new(id: TransactionalId, version: TransactionVersion) -> Self {
        Self {
            id,
            version,
            client: None,
            asked: None,
            ending: None,
            added: Vec::new(),
            sequences: [0; 2],
            story: Story::default(),
            stories: Vec::new(),
        }
    }

    /// The transaction is over, or nobody will ever know.
    fn close(&mut self, ended: Option<TransactionResult>) {
        self.story.ended = ended;
        self.stories.push(std::mem::take(&mut self.story));
        self.added.clear();
        self.ending = None;
        if self.version == V2 {
            self.sequences = [0; 2];
        }
    }

    fn give_up(&mut self) {
        self.close(None);
        self.client = None;
        self.sequences = [0; 2];
    }

    /// Looks for the answer. Returns whether a new request can be sent.
    fn hear(&mut self, world: &World) -> bool {
        let Some((asked, correlation, since)) = self.asked else { return true };
        let Some((_, response)) = world.answer(correlation) else {
            if world.now().since(since) < PATIENCE {
                return false;
            }
            self.asked = None;
            // With version 2 the same end can be asked for again.
            if !(self.version == V2 && matches!(asked, Asked::End(_))) {
                self.give_up();
            }
            return true;
        };
        self.asked = None;
        let patience = |error: &ErrorCode| matches!(error.number(), 14..=16 | 51);
        match (asked, response) {
            (Asked::Init, Response::InitProducerId(Ok(producer))) => {
                let (id, version, producer) = (self.id, self.version, *producer);
                self.client = Some(Client { id, version, producer });
            }
            (Asked::Add(partition), Response::AddPartitionsToTxn(response)) => {
                match response.partitions[0].1 {
                    None => self.added.push(partition),
                    Some(error) if patience(&error) => {}
                    Some(_) => self.give_up(),
                }
            }
            (Asked::Record(number), Response::Produce(response)) => {
                let partition = response.partitions[0].partition;
                match response.partitions[0].error {
                    None => {
                        self.story.records.insert(number, (partition, true));
                        self.sequences[partition.index()] += 1;
                    }
                    Some(_) if self.version == V2 => self.ending = Some(ABORT),
                    Some(_) => self.give_up(),
                }
            }
            (Asked::End(result), Response::EndTxn(Ok(next))) => {
                if let (Some(client), Some(next)) = (&mut self.client, next) {
                    client.producer = *next;
                }
                self.close(Some(result));
            }
            (Asked::End(_), Response::EndTxn(Err(error))) if patience(error) => {}
            (Asked::End(_), Response::EndTxn(Err(_))) => self.give_up(),
            _ => {}
        }
        true
    }

    fn go(&mut self, world: &mut World, partition: TopicPartition, number: u64) {
        if !self.hear(world) {
            return;
        }
        let leader = |world: &World, partition: TopicPartition| {
            let leader = world.controller.partition(partition).leader;
            leader.filter(|leader| world.up.contains(*leader)).map(|leader| leader.get())
        };
        let (asked, to, request) = match (self.client, self.ending) {
            (None, _) => {
                let transaction = Some((self.id, 60_000));
                let request = InitProducerIdRequest { transaction, current: None };
                (Asked::Init, STATE, Request::InitProducerId(request))
            }
            (Some(client), Some(result)) => (Asked::End(result), STATE, client.end(result)),
            (Some(client), None) if self.version == V0 && !self.added.contains(&partition) => {
                (Asked::Add(partition), STATE, client.add(&[partition]))
            }
            (Some(client), None) => {
                let mut request = client.produce(partition, self.sequences[partition.index()], 1);
                if let Request::Produce(request) = &mut request {
                    request.batches[0].1.records.first = number;
                }
                self.story.records.insert(number, (partition, false));
                (Asked::Record(number), partition, request)
            }
        };
        if let Some(leader) = leader(world, to) {
            let correlation = world.send_request(leader, request);
            self.asked = Some((asked, correlation, world.now()));
        } else if let Asked::Record(number) = asked {
            self.story.records.remove(&number);
        }
    }
}

fn perform(world: &mut World, apps: &mut [App], step: Step, number: u64) {
    match step {
        Step::Go(app, partition) => apps[app].go(world, TopicPartition::new(partition), number),
        Step::End(app, commits) => {
            let app = &mut apps[app];
            let is_open = app.story.records.values().any(|(_, acked)| *acked);
            if is_open && app.ending.is_none() {
                app.ending = Some(if commits { COMMIT } else { ABORT });
            }
        }
        Step::Crash(id) if world.up.contains(b(id)) => world.crash(id, Surviving::Appended),
        Step::Restart(id) if !world.up.contains(b(id)) => world.restart(id),
        Step::Crash(_) | Step::Restart(_) => {}
        Step::Cut(one, other) => world.cut(node(one), node(other)),
        Step::CutController(id) => world.cut(node(id), Node::Controller),
        Step::Heal => world.heal(),
        Step::Elect(partition, leader) => {
            let partition = TopicPartition::new(partition);
            let isr = world.controller.partition(partition).isr;
            if isr.contains(b(leader)) && world.up.contains(b(leader)) {
                let leader = Some(b(leader));
                world.control(|controller, cluster, turn| {
                    controller.elect(cluster, turn, partition, leader);
                });
            }
        }
        Step::Wait(millis) => world.run_for(ms(millis)),
    }
}

/// How often a reader of committed records gets each record.
fn read(world: &World) -> BTreeMap<u64, u32> {
    let mut read = BTreeMap::new();
    for partition in [P0, P1] {
        let (end, committed, stable) = world.marks(partition);
        assert_eq!((committed, stable), (end, end), "nothing hangs in {partition}");
        for (number, _) in world.committed(partition) {
            *read.entry(number).or_insert(0) += 1;
        }
    }
    read
}

fn check(apps: &[App], read: &BTreeMap<u64, u32>) {
    let times = |number: &u64| read.get(number).copied().unwrap_or(0);
    for story in apps.iter().flat_map(|app| app.stories.iter().chain([&app.story])) {
        let acked = story.records.iter().filter(|(_, (_, acked))| *acked);
        let acked: Vec<_> = acked.map(|(number, _)| times(number)).collect();
        let all = story.records.keys().map(times);
        match story.ended {
            Some(TransactionResult::Commit) => {
                assert!(acked.iter().all(|times| *times == 1), "committed: {story:?} {acked:?}");
            }
            Some(TransactionResult::Abort) => {
                assert_eq!(all.max().unwrap_or(0), 0, "aborted: {story:?}");
            }
            None => {
                let some = all.max().unwrap_or(0) > 0;
                let whole = acked.iter().all(|times| (*times == 1) == some);
                assert!(whole, "in doubt, but torn: {story:?} {acked:?}");
            }
        }
    }
}

fn run(version: TransactionVersion, seed: u64, steps: &[Step]) {
    let mut world = World::with_seed(with_transactions(version), seed);
    world.steps_are_late = true;
    world.run_for(ms(1_000));
    let mut apps = [App::new(T0, version), App::new(T1, version)];
    for (number, step) in steps.iter().enumerate() {
        perform(&mut world, &mut apps, *step, number as u64);
    }
    world.heal();
    for id in 1..=3 {
        if !world.up.contains(b(id)) {
            world.restart(id);
        }
    }
    world.run_until_so(World::is_settled);
    for app in &mut apps {
        // An answer may have come since.
        app.hear(&world);
    }
    // Kafka forgets the marker of a partition that nobody leads; what follows is told elsewhere.
    let is_skipped = |fact: &Fact| matches!(fact, Fact::MarkerSkipped { .. }).then_some(());
    if !world.found(is_skipped).is_empty() {
        return;
    }
    check(&apps, &read(&world));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 100,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn with_version_2_transactions_are_whole_and_end(
        seed in any::<u64>(),
        steps in proptest::collection::vec(step(), 0..150),
    ) {
        run(V2, seed, &steps);
    }

    #[test]
    fn with_version_1_transactions_are_whole_and_end(
        seed in any::<u64>(),
        steps in proptest::collection::vec(step(), 0..150),
    ) {
        run(V0, seed, &steps);
    }
}
