//! A small world: brokers, the controller and a scripted client on links with fixed delays.

mod client;
mod network;
mod reader;
mod transactional;
mod words;

use inflight_broker::{Broker, Controller, ReplicaView, is_settled};
use inflight_des::{Chance, Instant, Kinds, Seed, Span};
use inflight_protocol::control::{ToBroker, ToController};
use inflight_protocol::fact::Surviving;
use inflight_protocol::message::{ProducePartitionResponse, ProduceRequest};
use inflight_protocol::{
    Acks, BrokerId, BrokerSet, ClientId, Cluster, ConnectionId, CorrelationId, Effect, ErrorCode,
    Fact, FactKind, Incoming, Node, Offset, Outgoing, RecordBatch, Request, Response,
    TopicPartition, Turn,
};
pub(crate) use reader::*;
use std::collections::{BTreeMap, BTreeSet};
pub(crate) use transactional::*;
pub(crate) use words::*;

/// How long a message takes unless a test says otherwise.
const DELAY: Span = Span::from_millis(1);

#[derive(Clone, Debug)]
pub(crate) enum Event {
    Deliver { from: Node, to: Node, life: u32, incoming: Incoming },
    Connect { connection: ConnectionId, to: Node },
    Wake(Node),
    Step { broker: BrokerId, life: u32 },
}

/// A connection, and which of its ends know that it is over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wire {
    peer: Node,
    closed_by_owner: bool,
    closed_by_peer: bool,
}

type Trap = (fn(&Fact) -> bool, BrokerId, Surviving);

pub(crate) struct World {
    pub(crate) cluster: Cluster,
    pub(crate) controller: Controller,
    pub(crate) brokers: Vec<Broker>,
    pub(crate) up: BrokerSet,
    pub(crate) facts: Vec<(Instant, Fact)>,
    pub(crate) answers: Vec<(Instant, ConnectionId, CorrelationId, Response)>,
    pub(crate) closed: Vec<(Instant, ConnectionId)>,
    pub(crate) delays: BTreeMap<(Node, Node), Span>,
    /// Whether whatever else happens at an instant may fall between two steps of a broker.
    pub(crate) steps_are_late: bool,
    chance: Chance,
    now: Instant,
    events: BTreeMap<(Instant, u64), Event>,
    serial: u64,
    armed: BTreeMap<Node, Instant>,
    last_delivery: BTreeMap<(Node, Node), Instant>,
    cuts: BTreeSet<(Node, Node)>,
    held: Vec<(Node, Node, Event)>,
    wires: BTreeMap<ConnectionId, Wire>,
    lives: Vec<u32>,
    traps: Vec<Trap>,
    next_connection: u32,
    next_correlation: u32,
}

impl World {
    /// A settled cluster at the start of a run.
    pub(crate) fn new(cluster: Cluster) -> Self {
        Self::with_seed(cluster, 1)
    }

    pub(crate) fn with_seed(cluster: Cluster, seed: u64) -> Self {
        let mut chance = Chance::new(Seed::new(seed));
        let controller = Controller::new(&cluster, &mut chance);
        let ids = cluster.broker_ids();
        let brokers: Vec<_> = ids.map(|id| Broker::new(&cluster, id, &mut chance)).collect();
        let mut world = Self {
            up: cluster.broker_ids().collect(),
            lives: vec![0; brokers.len()],
            cluster,
            controller,
            brokers,
            facts: Vec::new(),
            answers: Vec::new(),
            closed: Vec::new(),
            delays: BTreeMap::new(),
            steps_are_late: false,
            chance,
            now: Instant::START,
            events: BTreeMap::new(),
            serial: 0,
            armed: BTreeMap::new(),
            last_delivery: BTreeMap::new(),
            cuts: BTreeSet::new(),
            held: Vec::new(),
            wires: BTreeMap::new(),
            traps: Vec::new(),
            next_connection: 0,
            next_correlation: 0,
        };
        world.control(|controller, cluster, turn| controller.start(cluster, turn));
        for id in world.cluster.broker_ids() {
            world.turn(id, |broker, cluster, turn| broker.start(cluster, turn));
        }
        world
    }

    pub(crate) const fn now(&self) -> Instant {
        self.now
    }

    pub(crate) fn broker(&self, id: u8) -> &Broker {
        &self.brokers[b(id).index()]
    }

    pub(crate) fn replica(&self, id: u8, partition: TopicPartition) -> ReplicaView {
        self.broker(id).replica(partition).expect("the broker has a replica")
    }

    /// Log end offset and high watermark of a replica of the first partition.
    pub(crate) fn offsets(&self, id: u8) -> (u64, u64) {
        let view = self.replica(id, P0);
        (view.log_end.get(), view.high_watermark.get())
    }

    pub(crate) fn is_settled(&self) -> bool {
        is_settled(&self.cluster, &self.controller, &self.brokers, self.up)
    }

    // --- time ---------------------------------------------------------------------------------

    pub(crate) fn run_for(&mut self, span: Span) {
        self.run_until(self.now + span);
    }

    pub(crate) fn run_until(&mut self, until: Instant) {
        while self.events.first_key_value().is_some_and(|((at, _), _)| *at <= until) {
            self.step();
        }
        self.now = self.now.max(until);
    }

    /// Runs until something is so, for at most ten minutes.
    pub(crate) fn run_until_so(&mut self, mut is_so: impl FnMut(&Self) -> bool) {
        let limit = self.now + Span::from_secs(600);
        while !is_so(self) {
            assert!(self.now < limit && self.step(), "it never was so");
        }
    }

    fn step(&mut self) -> bool {
        let Some(((at, _), event)) = self.events.pop_first() else { return false };
        self.now = at;
        match event {
            Event::Wake(Node::Controller) => {
                self.armed.remove(&Node::Controller);
                self.control(|controller, cluster, turn| controller.handle_timeout(cluster, turn));
            }
            Event::Wake(Node::Broker(id)) => {
                self.armed.remove(&Node::Broker(id));
                self.turn(id, |broker, cluster, turn| broker.handle_timeout(cluster, turn));
            }
            Event::Wake(Node::Client(_)) => {}
            Event::Step { broker, life } => {
                if self.lives[broker.index()] == life {
                    self.turn(broker, |broker, cluster, turn| broker.step(cluster, turn));
                }
            }
            Event::Connect { connection, to } => self.connect_arrived(connection, to),
            Event::Deliver { from, to, life, incoming } => self.deliver(from, to, life, incoming),
        }
        true
    }

    // --- faults -------------------------------------------------------------------------------

    pub(crate) fn crash(&mut self, id: u8, surviving: Surviving) {
        let (cluster, now) = (&self.cluster, self.now);
        self.brokers[b(id).index()].crash(cluster, now, surviving);
        self.process_ended(b(id));
    }

    fn process_ended(&mut self, id: BrokerId) {
        let node = Node::Broker(id);
        self.up = self.up.without(id);
        self.lives[id.index()] += 1;
        self.armed.remove(&node);
        let wires: Vec<_> = self.wires.iter().map(|(id, wire)| (*id, *wire)).collect();
        for (connection, wire) in wires {
            if connection.owner == node || wire.peer == node {
                self.close(node, connection);
            }
        }
    }

    pub(crate) fn restart(&mut self, id: u8) {
        self.up = self.up.with(b(id));
        self.turn(b(id), |broker, cluster, turn| broker.restart(cluster, turn));
    }

    pub(crate) fn shut_down(&mut self, id: u8) {
        self.turn(b(id), |broker, cluster, turn| broker.shut_down(cluster, turn));
    }

    /// The broker crashes at the first fact like this, before anything that follows it.
    pub(crate) fn crash_at(&mut self, fact: fn(&Fact) -> bool, id: u8, surviving: Surviving) {
        self.traps.push((fact, b(id), surviving));
    }

    pub(crate) fn cut(&mut self, one: Node, other: Node) {
        self.cuts.insert((one, other));
        self.cuts.insert((other, one));
    }

    /// Cuts a broker off all others and the controller; clients still reach it.
    pub(crate) fn isolate(&mut self, id: u8) {
        let node = Node::Broker(b(id));
        let others = self.cluster.broker_ids().filter(|other| *other != b(id));
        let others: Vec<_> = others.map(Node::Broker).chain([Node::Controller]).collect();
        for other in others {
            self.cut(node, other);
        }
    }

    /// Loses what the controller has on its way to a broker.
    pub(crate) fn lose_words_to(&mut self, id: u8) {
        self.events.retain(|_, event| {
            !matches!(event, Event::Deliver { from: Node::Controller, to, .. }
                if *to == Node::Broker(b(id)))
        });
    }

    pub(crate) fn heal(&mut self) {
        self.cuts.clear();
        for (from, to, event) in std::mem::take(&mut self.held) {
            self.send(from, to, event);
        }
    }

    // --- turns --------------------------------------------------------------------------------

    pub(crate) fn control(&mut self, call: impl FnOnce(&mut Controller, &Cluster, &mut Turn<'_>)) {
        let mut outbox = Vec::new();
        let mut turn = Turn::new(self.now, &mut self.chance, &mut outbox, Kinds::ALL);
        call(&mut self.controller, &self.cluster, &mut turn);
        for effect in outbox {
            match effect {
                Effect::Send(Outgoing::ToBroker(id, word)) => self.tell(id, word),
                Effect::Did(fact) => self.facts.push((self.now, fact)),
                other => panic!("the controller left {other:?}"),
            }
        }
        self.arm(Node::Controller, self.controller.next_timeout());
    }

    fn tell(&mut self, id: BrokerId, word: ToBroker) {
        self.send_message(Node::Controller, Node::Broker(id), Incoming::ToBroker(word));
    }

    pub(crate) fn turn(
        &mut self,
        id: BrokerId,
        call: impl FnOnce(&mut Broker, &Cluster, &mut Turn<'_>),
    ) {
        let mut outbox = Vec::new();
        let mut turn = Turn::new(self.now, &mut self.chance, &mut outbox, Kinds::ALL);
        call(&mut self.brokers[id.index()], &self.cluster, &mut turn);
        self.check(id);
        while self.interpret(id, &mut outbox) {
            if self.steps_are_late {
                let life = self.lives[id.index()];
                self.schedule(self.now, Event::Step { broker: id, life });
                break;
            }
            let mut turn = Turn::new(self.now, &mut self.chance, &mut outbox, Kinds::ALL);
            self.brokers[id.index()].step(&self.cluster, &mut turn);
            self.check(id);
        }
        let next = self.brokers[id.index()].next_timeout();
        self.arm(Node::Broker(id), next);
    }

    fn check(&self, id: BrokerId) {
        let held = self.brokers[id.index()].invariants(&self.cluster);
        assert_eq!(held, Ok(()), "at {}", self.now);
    }

    /// Returns whether the broker asked for a step.
    fn interpret(&mut self, id: BrokerId, outbox: &mut Vec<Effect>) -> bool {
        let node = Node::Broker(id);
        let mut again = false;
        if self.cluster.defects.is_empty() {
            lasting_first(outbox);
        }
        for effect in outbox.drain(..) {
            match effect {
                Effect::Again => again = true,
                Effect::Did(fact) => {
                    self.facts.push((self.now, fact));
                    let trap = self.traps.iter().position(|(is_it, _, _)| is_it(&fact));
                    if let Some(trap) = trap {
                        let (_, victim, surviving) = self.traps.remove(trap);
                        self.crash(victim.get(), surviving);
                        if victim == id {
                            return false;
                        }
                    }
                }
                Effect::Send(Outgoing::Exit) => {
                    self.process_ended(id);
                    return false;
                }
                Effect::Send(outgoing) => self.route(node, outgoing),
            }
        }
        again
    }

    fn route(&mut self, from: Node, outgoing: Outgoing) {
        match outgoing {
            Outgoing::Connect { connection, to } => {
                self.send(from, to, Event::Connect { connection, to });
            }
            Outgoing::Close { connection } => self.close(from, connection),
            Outgoing::Request { connection, correlation, request } => {
                let to = self.wires[&connection].peer;
                self.send_message(from, to, Incoming::Request { connection, correlation, request });
            }
            Outgoing::Response { connection, correlation, response } => {
                let incoming = Incoming::Response { connection, correlation, response };
                self.send_message(from, connection.owner, incoming);
            }
            Outgoing::ToController(word) => self.tell_controller(from, word),
            Outgoing::ToBroker(..) | Outgoing::Exit => panic!("a broker said {outgoing:?}"),
        }
    }

    fn tell_controller(&mut self, from: Node, word: ToController) {
        self.send_message(from, Node::Controller, Incoming::ToController(word));
    }

    fn arm(&mut self, node: Node, next: Option<Instant>) {
        let Some(next) = next else { return };
        let next = next.max(self.now);
        if self.armed.get(&node).is_none_or(|armed| next < *armed) {
            self.armed.insert(node, next);
            self.schedule(next, Event::Wake(node));
        }
    }
}

impl World {
    /// The facts that a filter makes something of, in order, with their times in milliseconds.
    pub(crate) fn found<T>(&self, filter: impl Fn(&Fact) -> Option<T>) -> Vec<(u64, T)> {
        let found = self.facts.iter();
        found.filter_map(|(at, fact)| filter(fact).map(|t| (at.as_millis(), t))).collect()
    }

    /// Which sessions' runs a replica of the first partition has, as (session, first, count).
    pub(crate) fn log(&self, id: u8) -> Vec<(u16, u64, u32)> {
        let batches = self.broker(id).batches(P0);
        batches.map(|b| (b.records.session.get(), b.records.first, b.records.count)).collect()
    }
}

/// What lasts is done at the beginning of its turn: a fault that falls behind an earlier effect must
/// not find it done. What a producer left behind may be forgotten on the way to it.
fn lasting_first(outbox: &[Effect]) {
    let lasts = |effect: &Effect| {
        let Effect::Did(fact) = effect else { return false };
        matches!(
            fact.kind(),
            FactKind::BatchAppended
                | FactKind::MarkerAppended
                | FactKind::InternalRecordsAppended
                | FactKind::LogTruncated
                | FactKind::LogFlushed
                | FactKind::LogRecovered
        )
    };
    let opens = |effect: &&Effect| {
        let forgets = |fact: &Fact| fact.kind() == FactKind::ProducerStateExpired;
        !matches!(effect, Effect::Did(fact) if forgets(fact))
    };
    for (place, effect) in outbox.iter().filter(opens).enumerate() {
        assert!(place == 0 || !lasts(effect), "{effect:?} comes behind others in {outbox:?}");
    }
}
