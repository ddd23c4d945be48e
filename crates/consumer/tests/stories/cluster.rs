//! Consumers among real brokers, on links with a delay of one millisecond.

mod network;

use inflight_broker::{Broker, Controller};
use inflight_consumer::{Completion, Consumer, Env, Streams};
use inflight_des::{Chance, Instant, Kinds, Seed, Span};
use inflight_protocol::cluster::Coordinated;
use inflight_protocol::message::ProduceRequest;
use inflight_protocol::transaction::{CONSUMER_OFFSETS_TOPIC, coordinator_partition};
use inflight_protocol::{
    Acks, BatchKind, BrokerConfig, BrokerId, BrokerSet, ClientId, Cluster, ConnectionId,
    ConsumerConfig, ConsumerId, CorrelationId, Defects, Effect, Fact, GroupId, Incoming,
    LeaderEpoch, Node, Offset, RecordBatch, RecordRun, Request, SessionId, Timestamp, TopicConfig,
    TopicId, TopicPartition, Topics, TransactionVersion, Turn,
};
use std::collections::{BTreeMap, BTreeSet};

const DELAY: Span = Span::from_millis(1);
const POLL: Span = Span::from_millis(1_000);
/// The partition of `__consumer_offsets` that the group belongs to.
pub(crate) const OFFSETS: TopicPartition = TopicPartition::new(2);
const ORDERS: TopicId = TopicId::new(0);
/// Whoever writes the records.
const WRITER: ClientId = ClientId::new(99);

#[derive(Clone, Debug)]
enum Event {
    Deliver(Node, u32, Incoming),
    Connect(ConnectionId, BrokerId),
    Wake(Node),
}

/// An application that polls for ever, and what it has seen.
pub(crate) struct Application {
    pub(crate) consumer: Consumer,
    config: ConsumerConfig,
    /// Whether it polls again when a poll has returned.
    pub(crate) polls: bool,
    /// Whether its process stands still.
    pub(crate) paused: bool,
    pub(crate) alive: bool,
    /// The records that it got, in order: partition and offset.
    pub(crate) seen: Vec<(u16, u64)>,
    pub(crate) told: Vec<Completion>,
    /// What has arrived while it was paused.
    held: Vec<Incoming>,
}

pub(crate) struct World {
    pub(crate) cluster: Cluster,
    pub(crate) controller: Controller,
    pub(crate) brokers: Vec<Broker>,
    pub(crate) applications: Vec<Application>,
    pub(crate) facts: Vec<(Instant, Fact)>,
    up: BrokerSet,
    lives: Vec<u32>,
    chance: Chance,
    now: Instant,
    events: BTreeMap<(Instant, u64), Event>,
    serial: u64,
    /// How many events there were at this instant.
    at_once: u32,
    armed: BTreeMap<Node, Instant>,
    wires: BTreeMap<ConnectionId, BrokerId>,
    closed: BTreeSet<ConnectionId>,
    written: BTreeMap<TopicPartition, u64>,
    next_connection: u32,
}

fn b(id: u8) -> BrokerId {
    BrokerId::new(id)
}

/// Three brokers, two partitions of `orders` led by 1 and 2, a group coordinated by 3, and
/// min.insync.replicas 2.
fn cluster() -> Cluster {
    let topic = TopicConfig { min_insync_replicas: 2, ..TopicConfig::default() };
    let mut topics = Topics::new([("orders", 2)]);
    topics.add_sparse(CONSUMER_OFFSETS_TOPIC, &[coordinator_partition("readers", 50) as u16]);
    let replicas = |order: [u8; 3]| order.into_iter().map(b).collect();
    Cluster {
        brokers: 3,
        broker_configs: vec![BrokerConfig::default(); 3],
        topics,
        topic_configs: vec![topic; 2],
        assignments: vec![replicas([1, 2, 3]), replicas([2, 3, 1]), replicas([3, 1, 2])],
        eligible_leader_replicas: true,
        transaction_version: TransactionVersion::V2,
        coordinated: Coordinated {
            transactional_ids: Vec::new(),
            groups: vec![("readers".to_owned(), OFFSETS)],
        },
        defects: Defects::NONE,
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let cluster = cluster();
        let mut chance = Chance::new(Seed::new(1));
        let controller = Controller::new(&cluster, &mut chance);
        let ids = cluster.broker_ids();
        let brokers = ids.map(|id| Broker::new(&cluster, id, &mut chance)).collect();
        let mut world = Self {
            up: cluster.broker_ids().collect(),
            lives: vec![0; 3],
            cluster,
            controller,
            brokers,
            applications: Vec::new(),
            facts: Vec::new(),
            chance,
            now: Instant::START,
            events: BTreeMap::new(),
            serial: 0,
            at_once: 0,
            armed: BTreeMap::new(),
            wires: BTreeMap::new(),
            closed: BTreeSet::new(),
            written: BTreeMap::new(),
            next_connection: 0,
        };
        world.control(|controller, cluster, turn| controller.start(cluster, turn));
        for id in world.cluster.broker_ids() {
            world.broker_turn(id, |broker, cluster, turn| broker.start(cluster, turn));
        }
        world
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.now.as_millis()
    }

    // --- applications -------------------------------------------------------------------------

    /// A member of the group that begins to poll.
    pub(crate) fn subscribe(&mut self, config: ConsumerConfig) -> usize {
        let place = self.applications.len();
        let streams = Streams::register(&format!("c{place}"), &mut self.chance);
        let bootstrap = [b(1), b(2), b(3)];
        let env = Env {
            config: &config,
            topics: &self.cluster.topics,
            brokers: 3,
            bootstrap: &bootstrap,
            group: Some(GroupId::new(0)),
            defects: Defects::NONE,
        };
        let ids = (ClientId::new(place as u16), ConsumerId::new(place as u16));
        let consumer = Consumer::new(&env, self.now, ids, streams, 0);
        self.applications.push(Application {
            consumer,
            config,
            polls: false,
            paused: false,
            alive: true,
            seen: Vec::new(),
            told: Vec::new(),
            held: Vec::new(),
        });
        self.turn(place, |consumer, env, turn| consumer.start(env, turn));
        self.turn(place, |consumer, env, turn| consumer.subscribe(env, turn, &[ORDERS]));
        self.applications[place].polls = true;
        self.turn(place, |consumer, env, turn| consumer.poll(env, turn, POLL));
        place
    }

    /// The consumer of an application does something; then the application polls again, if it
    /// does that.
    pub(crate) fn turn(
        &mut self,
        place: usize,
        call: impl FnOnce(&mut Consumer, &Env<'_>, &mut Turn<'_>),
    ) {
        let bootstrap = [b(1), b(2), b(3)];
        let mut outbox = Vec::new();
        let application = &mut self.applications[place];
        let env = Env {
            config: &application.config,
            topics: &self.cluster.topics,
            brokers: 3,
            bootstrap: &bootstrap,
            group: Some(GroupId::new(0)),
            defects: Defects::NONE,
        };
        let mut turn = Turn::new(self.now, &mut self.chance, &mut outbox, Kinds::ALL);
        call(&mut application.consumer, &env, &mut turn);
        let mut polls = 0;
        loop {
            for completion in application.consumer.completions().drain(..) {
                if let Completion::Records { partition, base_offset, run } = completion {
                    let offsets = base_offset.get()..base_offset.get() + u64::from(run.count);
                    application.seen.extend(offsets.map(|at| (partition.get(), at)));
                }
                application.told.push(completion);
            }
            let may_poll = application.polls
                && !application.consumer.is_in_call()
                && !application.consumer.has_ended()
                && application.consumer.group_metadata().is_some();
            if !may_poll {
                break;
            }
            application.consumer.poll(&env, &mut turn, POLL);
            polls += 1;
            assert!(polls < 10_000, "polls that return at once: {:?}", application.told.last());
        }
        let next = application.consumer.next_timeout(self.now);
        let node = Node::Client(ClientId::new(place as u16));
        for effect in outbox {
            match effect {
                Effect::Did(fact) => self.facts.push((self.now, fact)),
                Effect::Send(outgoing) => self.route(node, outgoing),
                Effect::Again => panic!("a consumer takes no steps"),
            }
        }
        self.arm(node, next);
    }

    /// The process of an application stands still.
    pub(crate) fn pause(&mut self, place: usize) {
        self.applications[place].paused = true;
    }

    /// And goes on.
    pub(crate) fn resume(&mut self, place: usize) {
        self.applications[place].paused = false;
        for incoming in std::mem::take(&mut self.applications[place].held) {
            self.turn(place, |consumer, env, turn| consumer.handle(env, turn, incoming));
        }
        self.turn(place, |consumer, env, turn| consumer.handle_timeout(env, turn));
    }

    /// The process of an application is gone.
    pub(crate) fn kill(&mut self, place: usize) {
        self.applications[place].alive = false;
        let owner = Node::Client(ClientId::new(place as u16));
        let wires: Vec<_> = self.wires.keys().copied().filter(|id| id.owner == owner).collect();
        for connection in wires {
            self.close(owner, connection);
        }
    }

    /// Somebody writes a batch of records to a partition, with `acks=all`.
    pub(crate) fn write(&mut self, partition: u16, count: u32) {
        let partition = TopicPartition::new(partition);
        let first = self.written.entry(partition).or_default();
        let batch = RecordBatch {
            base_offset: Offset::ZERO,
            records: RecordRun { first: *first, count, session: SessionId::new(partition.get()) },
            producer: None,
            max_timestamp: Timestamp::RUN_START,
            bytes: 61 + 10 * count,
            leader_epoch: LeaderEpoch::new(0),
            kind: BatchKind::Plain,
        };
        *first += u64::from(count);
        let leader = self.controller.partition(partition).leader.expect("it has a leader");
        let owner = Node::Client(WRITER);
        let connection = ConnectionId { owner, number: self.next_connection };
        self.next_connection += 1;
        self.wires.insert(connection, leader);
        let request = Request::Produce(ProduceRequest {
            acks: Acks::All,
            timeout_ms: 30_000,
            transaction: None,
            batches: smallvec::smallvec![(partition, batch)],
        });
        let correlation = CorrelationId::new(0);
        let incoming = Incoming::Request { connection, correlation, request };
        self.send(Node::Broker(leader), incoming);
    }

    // --- time ---------------------------------------------------------------------------------

    pub(crate) fn run_for(&mut self, span: Span) {
        let until = self.now + span;
        while self.events.first_key_value().is_some_and(|((at, _), _)| *at <= until) {
            self.step();
        }
        self.now = until;
    }

    pub(crate) fn run_until_so(&mut self, is_so: impl Fn(&Self) -> bool) {
        let limit = self.now + Span::from_secs(600);
        while !is_so(self) {
            assert!(self.now < limit, "it never was so");
            self.step();
        }
    }

    fn step(&mut self) {
        let ((at, _), event) = self.events.pop_first().expect("something happens");
        self.at_once = if at == self.now { self.at_once + 1 } else { 0 };
        assert!(self.at_once < 100_000, "time stands still at {at}: {event:?}");
        self.now = at;
        match event {
            Event::Wake(node) => {
                // A newer alarm has taken the place of any other.
                if self.armed.get(&node) == Some(&at) {
                    self.armed.remove(&node);
                    self.wake(node);
                }
            }
            Event::Connect(connection, to) => {
                let is_open = self.up.contains(to) && self.brokers[to.index()].is_listening();
                let answer = if is_open {
                    self.wires.insert(connection, to);
                    Incoming::Connected { connection }
                } else {
                    Incoming::Disconnected { connection }
                };
                self.send(connection.owner, answer);
            }
            Event::Deliver(to, life, incoming) => self.deliver(to, life, incoming),
        }
    }

    fn wake(&mut self, node: Node) {
        match node {
            Node::Controller => {
                self.control(|controller, cluster, turn| controller.handle_timeout(cluster, turn));
            }
            Node::Broker(id) if self.up.contains(id) => {
                self.broker_turn(id, |broker, cluster, turn| broker.handle_timeout(cluster, turn));
            }
            Node::Client(id) if self.runs(id) => {
                self.turn(id.index(), |consumer, env, turn| consumer.handle_timeout(env, turn));
            }
            Node::Broker(_) | Node::Client(_) => {}
        }
    }

    fn runs(&self, client: ClientId) -> bool {
        let application = self.applications.get(client.index());
        application.is_some_and(|application| application.alive && !application.paused)
    }

    fn deliver(&mut self, to: Node, life: u32, incoming: Incoming) {
        match to {
            Node::Controller => {
                let Incoming::ToController(word) = incoming else { panic!("{incoming:?}") };
                self.control(|controller, cluster, turn| controller.handle(cluster, turn, word));
            }
            Node::Broker(id) if self.up.contains(id) && self.lives[id.index()] == life => {
                self.broker_turn(id, |broker, cluster, turn| {
                    broker.handle(cluster, turn, incoming);
                });
            }
            Node::Client(id) if self.runs(id) => {
                self.turn(id.index(), |consumer, env, turn| consumer.handle(env, turn, incoming));
            }
            Node::Client(id) => {
                if let Some(application) = self.applications.get_mut(id.index()) {
                    application.held.push(incoming);
                }
            }
            Node::Broker(_) => {}
        }
    }
}
