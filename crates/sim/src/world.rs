//! The world: every machine, the network between them, and who watches.
//!
//! One event is one call into one machine. What the machine leaves in its outbox is interpreted
//! effect by effect in the module `turns`; after each fact a rule may bring a fault, which takes place before
//! the next effect is looked at.

use crate::application::Application;
use crate::fault::{Action, FaultRule, Loss, Realised, When, Who};
use crate::node::NodeState;
use crate::packet::{Letter, Parcel};
use crate::setup::Setup;
use crate::sink::Sink;
use crate::trigger::{Due, Leadership, Triggers};
use inflight_broker::{Broker, Controller};
use inflight_des::{
    Agenda, Chance, Digest, Effect, Halt, Instant, Kinds, Model, Script, Seed, Slots, Span,
    StreamId,
};
use inflight_net::{ConnectionSlot, Connections, Topology};
use inflight_producer::{Env, Producer, Streams};
use inflight_protocol::{
    BrokerId, ClientId, ConnectionId, Defects, Fact, FactKind, Node, Outgoing, SessionId,
    TopicPartition, Topics,
};
use inflight_trace::Observer;

mod deliver;
mod faults;
mod lifecycle;
mod readers;
mod retention;
mod send;
mod settled;
mod threads;
mod turns;

use readers::Reader;

/// An entry of the future event list: eight bytes, the bodies lie in arenas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A parcel arrives.
    Arrive(Parcel),
    /// A machine wanted to be called.
    Wake(u16),
    /// An application thread of a client has something to do.
    Thread {
        /// The client.
        client: u16,
        /// The thread.
        thread: u16,
    },
    /// A rule's time has come.
    Rule(u32),
    /// Something that a fault has put off.
    Later(u32),
}

impl Event {
    /// A number for the digest.
    fn fingerprint(self) -> u64 {
        match self {
            Self::Arrive(Parcel::Letter(slot)) => 1 << 56 | u64::from(slot),
            Self::Arrive(Parcel::Open(slot)) => 6 << 56 | u64::from(slot.index()),
            Self::Arrive(Parcel::Accepted(slot)) => 7 << 56 | u64::from(slot.index()),
            Self::Arrive(Parcel::Closed(slot, side)) => {
                8 << 56 | (side as u64) << 32 | u64::from(slot.index())
            }
            Self::Wake(node) => 2 << 56 | u64::from(node),
            Self::Thread { client, thread } => {
                3 << 56 | u64::from(client) << 16 | u64::from(thread)
            }
            // Without the index: a run that is pinned numbers its rules anew.
            Self::Rule(_) => 4 << 56,
            Self::Later(slot) => 5 << 56 | u64::from(slot),
        }
    }
}

/// Something that a fault has put off.
#[derive(Clone, Debug)]
pub(crate) enum Later {
    /// The actions of a rule, whose `after` is over. The fact was about this node.
    Apply { rule: u32, matched: u32, subject: Option<Node> },
    /// A process is started again.
    Restart(Node),
    /// A process goes on, if it still is the one that was paused.
    Resume(Node, u32),
    /// A link works again.
    Heal(u16, u16),
    /// A link is as fast as it was.
    Unslow(u16, u16),
    /// A disk is as fast as it was.
    Undisk(BrokerId),
}

/// A client process.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) producer: Option<Producer>,
    /// The producer that the process starts with, until it does.
    pub(crate) first: Option<Producer>,
    pub(crate) session: SessionId,
    pub(crate) application: Application,
    pub(crate) streams: Streams,
    pub(crate) next_connection: u32,
    /// The consumer and its thread, if it has one.
    pub(crate) reader: Option<Reader>,
}

impl Clone for Client {
    fn clone(&self) -> Self {
        Self {
            producer: self.producer.clone(),
            first: self.first.clone(),
            session: self.session,
            application: self.application.clone(),
            streams: self.streams,
            next_connection: self.next_connection,
            reader: self.reader.clone(),
        }
    }

    /// The producer of the last run leaves its memory to the first one of the next.
    fn clone_from(&mut self, source: &Self) {
        if self.first.is_none() {
            self.first = self.producer.take();
        }
        self.producer.clone_from(&source.producer);
        self.first.clone_from(&source.first);
        self.session = source.session;
        self.application.clone_from(&source.application);
        self.streams = source.streams;
        self.next_connection = source.next_connection;
        self.reader.clone_from(&source.reader);
    }
}

/// One outbox of a machine.
type Outbox = Vec<Effect<Outgoing, Fact>>;

/// A run in progress. A copy is a run of its own.
#[derive(Debug)]
pub struct World<'s, O> {
    pub(crate) setup: &'s Setup,
    chance: Chance,
    topology: Topology<Parcel>,
    connections: Connections<ConnectionId>,
    /// For each broker: the channel between it and the controller.
    channels: Vec<ConnectionSlot>,
    letters: Slots<Letter>,
    /// How many of them are produce requests.
    produces_under_way: u32,
    pub(crate) controller: Controller,
    pub(crate) brokers: Vec<Broker>,
    pub(crate) clients: Vec<Client>,
    nodes: Vec<NodeState>,
    triggers: Triggers,
    laters: Slots<Option<Later>>,
    /// Faults that are yet to take place for certain: a run does not end before.
    faults_ahead: u32,
    /// Application threads that are not done.
    threads_active: u32,
    sessions: u16,
    consumers: u16,
    /// What has had its effect outside of Kafka.
    sink: Sink,
    /// The message that a rule is looking at.
    message: MessageInHand,
    /// When random faults strike, and whom.
    random_fault_stream: StreamId,
    realised: Vec<Realised>,
    rule_applied: Vec<u32>,
    digest: Digest,
    pub(crate) observer: O,
    wanted: Kinds,
    outboxes: Vec<Outbox>,
    due: Vec<Due>,
    /// Whether batches that no machine will look at again are forgotten.
    forgets: bool,
    events_until_forgetting: u32,
    /// Since when there is nothing but background work.
    idle_since: Option<Instant>,
    /// The cluster did not come to rest in the time that it was given.
    gave_up_settling: bool,
}

impl<O: Clone> Clone for World<'_, O> {
    fn clone(&self) -> Self {
        Self {
            setup: self.setup,
            chance: self.chance.clone(),
            topology: self.topology.clone(),
            connections: self.connections.clone(),
            channels: self.channels.clone(),
            letters: self.letters.clone(),
            produces_under_way: self.produces_under_way,
            controller: self.controller.clone(),
            brokers: self.brokers.clone(),
            clients: self.clients.clone(),
            nodes: self.nodes.clone(),
            triggers: self.triggers.clone(),
            laters: self.laters.clone(),
            faults_ahead: self.faults_ahead,
            threads_active: self.threads_active,
            sessions: self.sessions,
            consumers: self.consumers,
            sink: self.sink.clone(),
            message: self.message,
            random_fault_stream: self.random_fault_stream,
            realised: self.realised.clone(),
            rule_applied: self.rule_applied.clone(),
            digest: self.digest,
            observer: self.observer.clone(),
            wanted: self.wanted,
            outboxes: Vec::new(),
            due: Vec::new(),
            forgets: self.forgets,
            events_until_forgetting: self.events_until_forgetting,
            idle_since: self.idle_since,
            gave_up_settling: self.gave_up_settling,
        }
    }

    /// Reuses the memory that `self` has: resetting a world costs a few copies.
    fn clone_from(&mut self, source: &Self) {
        self.setup = source.setup;
        self.chance.clone_from(&source.chance);
        self.topology.clone_from(&source.topology);
        self.connections.clone_from(&source.connections);
        self.channels.clone_from(&source.channels);
        self.letters.clone_from(&source.letters);
        self.produces_under_way = source.produces_under_way;
        self.controller.clone_from(&source.controller);
        self.brokers.clone_from(&source.brokers);
        self.clients.clone_from(&source.clients);
        self.nodes.clone_from(&source.nodes);
        self.triggers.clone_from(&source.triggers);
        self.laters.clone_from(&source.laters);
        self.faults_ahead = source.faults_ahead;
        self.threads_active = source.threads_active;
        self.sessions = source.sessions;
        self.consumers = source.consumers;
        self.sink.clone_from(&source.sink);
        self.message = source.message;
        self.random_fault_stream = source.random_fault_stream;
        self.realised.clone_from(&source.realised);
        self.rule_applied.clone_from(&source.rule_applied);
        self.digest = source.digest;
        self.observer.clone_from(&source.observer);
        self.wanted = source.wanted;
        self.forgets = source.forgets;
        self.events_until_forgetting = source.events_until_forgetting;
        self.idle_since = source.idle_since;
        self.gave_up_settling = source.gave_up_settling;
    }
}

/// What rules decide about the message that is being sent or delivered.
#[derive(Clone, Copy, Debug, Default)]
struct MessageInHand {
    message: Option<send::Message>,
    lost: Option<Loss>,
    delayed: Span,
}

impl<'s, O: Observer> World<'s, O> {
    /// A world before its first event.
    pub fn new(setup: &'s Setup, observer: O) -> Self {
        let mut chance = Chance::new(Seed::new(0));
        let names = setup.node_names();
        let topology = Topology::new(&names, &mut chance);
        let controller = Controller::new(&setup.cluster, &mut chance);
        let mut connections = Connections::new();
        let channels = setup
            .cluster
            .broker_ids()
            .map(|id| {
                let key = ConnectionId { owner: Node::Broker(id), number: u32::MAX };
                connections.channel(key, id.index() as u16 + 1, 0)
            })
            .collect();
        let brokers = setup
            .cluster
            .broker_ids()
            .map(|id| Broker::new(&setup.cluster, id, &mut chance))
            .collect();
        let clients_restart = setup.faults.iter().flat_map(|rule| &rule.then).any(restarts_client);
        let clients = setup
            .clients
            .iter()
            .enumerate()
            .map(|(index, client)| {
                let application = Application::new(client, clients_restart, &mut chance);
                let streams = Streams::register(&client.name, &mut chance);
                let id = ClientId::new(index as u16);
                let first = client.producer.as_ref().map(|_| {
                    let before = &setup.clients[..index];
                    let sessions = before.iter().filter(|client| client.producer.is_some()).count();
                    let session = SessionId::new(sessions as u16);
                    Producer::new(&env_of(setup, index), id, session, streams, 0)
                });
                let consumer = client.consumer.as_ref();
                Client {
                    producer: None,
                    first,
                    session: SessionId::new(0),
                    application,
                    streams,
                    next_connection: 0,
                    reader: consumer.map(|_| Reader::new(&client.name, &mut chance)),
                }
            })
            .collect();
        let triggers = Triggers::new(&setup.faults, &mut chance);
        let wanted = observer.interest().and(triggers.wanted());
        let certain = |rule: &&FaultRule| matches!(rule.when, When::At(_));
        Self {
            setup,
            topology,
            connections,
            channels,
            letters: Slots::new(),
            produces_under_way: 0,
            controller,
            brokers,
            clients,
            nodes: (0..names.len()).map(|_| NodeState::up()).collect(),
            triggers,
            laters: Slots::new(),
            faults_ahead: setup.faults.iter().filter(certain).count() as u32,
            threads_active: setup.clients.iter().map(|client| client.threads.len() as u32).sum(),
            sessions: 0,
            consumers: 0,
            sink: Sink::default(),
            message: MessageInHand::default(),
            random_fault_stream: chance.stream("random faults"),
            realised: Vec::new(),
            rule_applied: vec![0; setup.faults.len()],
            digest: Digest::new(),
            observer,
            wanted,
            outboxes: Vec::new(),
            due: Vec::new(),
            forgets: retention::is_safe(setup),
            events_until_forgetting: retention::FIRST,
            idle_since: None,
            gave_up_settling: false,
            chance,
        }
    }

    /// Sets the luck of the run. To be called before [`World::start`].
    pub(crate) fn set_luck(&mut self, seed: Seed, script: &Script) {
        self.chance.restart(seed, script);
    }

    /// Schedules what a run starts with.
    pub(crate) fn start(&mut self, agenda: &mut Agenda<'_, Event>) {
        for (index, rule) in self.setup.faults.iter().enumerate() {
            match &rule.when {
                When::At(at) => agenda.at(*at + rule.after, Event::Rule(index as u32)),
                When::Every { every, .. } => {
                    let span = self.chance.delay(self.random_fault_stream, every);
                    agenda.after(span, Event::Rule(index as u32));
                }
                When::Happened { .. } | When::Odds { .. } | When::Armed { .. } => {}
            }
        }
        self.with_controller(agenda, |controller, cluster, turn| controller.start(cluster, turn));
        for index in 0..self.brokers.len() {
            let broker = BrokerId::from_index(index);
            self.with_broker(agenda, broker, |broker, cluster, turn| broker.start(cluster, turn));
        }
        for client in 0..self.clients.len() {
            self.start_client(agenda, client);
        }
    }

    /// The digest of what was done so far: which events and packets there were, and when.
    pub fn digest(&self) -> u128 {
        self.digest.value()
    }

    /// The stream of random numbers with this label, to name draws in a script: `link p1>b1 delay`.
    pub fn stream(&self, label: &str) -> Option<StreamId> {
        self.chance.find(label)
    }

    /// The faults that took effect so far.
    pub fn realised(&self) -> &[Realised] {
        &self.realised
    }

    /// Who watches.
    pub fn observer(&self) -> &O {
        &self.observer
    }

    /// Who watched, when the run is over.
    pub fn into_observer(self) -> O {
        self.observer
    }

    /// Who watches.
    pub fn observer_mut(&mut self) -> &mut O {
        &mut self.observer
    }

    /// The brokers, to look at.
    pub fn brokers(&self) -> &[Broker] {
        &self.brokers
    }

    /// The controller, to look at.
    pub fn controller(&self) -> &Controller {
        &self.controller
    }

    /// Tells everybody that the run is over.
    pub(crate) fn end(&mut self, now: Instant, halt: Halt) {
        if self.wanted.meets(FactKind::RunEnded.set()) {
            self.observer.offer(now, &Fact::RunEnded { halt });
        }
    }

    // --- nodes ----------------------------------------------------------------------------------

    /// The number of a node.
    #[inline]
    pub(crate) fn index_of(&self, node: Node) -> u16 {
        match node {
            Node::Controller => 0,
            Node::Broker(broker) => broker.index() as u16 + 1,
            Node::Client(client) => self.index_of_client(client.index()),
        }
    }

    #[inline]
    pub(crate) fn index_of_client(&self, client: usize) -> u16 {
        u16::from(self.setup.cluster.brokers) + 1 + client as u16
    }

    /// The node with a number.
    #[inline]
    pub(crate) fn node_at(&self, index: u16) -> Node {
        let brokers = u16::from(self.setup.cluster.brokers);
        if index == 0 {
            Node::Controller
        } else if index <= brokers {
            Node::Broker(BrokerId::from_index(usize::from(index) - 1))
        } else {
            Node::Client(ClientId::new(index - brokers - 1))
        }
    }

    pub(crate) fn state(&self, node: Node) -> &NodeState {
        &self.nodes[usize::from(self.index_of(node))]
    }

    pub(crate) fn state_mut(&mut self, node: Node) -> &mut NodeState {
        let index = self.index_of(node);
        &mut self.nodes[usize::from(index)]
    }

    // --- facts ----------------------------------------------------------------------------------

    /// A fact that the world itself states. Built only if somebody wants its kind.
    #[inline]
    pub(crate) fn did(
        &mut self,
        agenda: &mut Agenda<'_, Event>,
        kind: FactKind,
        fact: impl FnOnce() -> Fact,
    ) {
        if self.wanted.meets(kind.set()) {
            let fact = fact();
            self.happened(agenda, &fact);
        }
    }

    /// Shows a fact to the observers, and then to the rules, whose faults take place at once.
    pub(crate) fn happened(&mut self, agenda: &mut Agenda<'_, Event>, fact: &Fact) {
        self.observer.offer(agenda.now(), fact);
        if !self.triggers.wanted().meets(fact.kind().set()) {
            return;
        }
        let mut due = std::mem::take(&mut self.due);
        let leadership = Lead { controller: &self.controller, setup: self.setup };
        let rules = &self.setup.faults;
        self.triggers.observe(rules, fact, &leadership, &mut self.chance, &mut due);
        self.refresh_wanted();
        for each in due.drain(..) {
            self.rule_matched(agenda, each, faults::subject_of(fact));
        }
        self.due = due;
    }

    fn refresh_wanted(&mut self) {
        self.wanted = self.observer.interest().and(self.triggers.wanted());
    }
}

/// Leaders as the controller has committed them.
struct Lead<'a> {
    controller: &'a Controller,
    setup: &'a Setup,
}

impl Leadership for Lead<'_> {
    fn leader_of(&self, partition: TopicPartition) -> Option<BrokerId> {
        self.controller.partition(partition).leader
    }

    fn has_replica(&self, partition: TopicPartition, broker: BrokerId) -> bool {
        self.setup.cluster.replicas(partition).contains(&broker)
    }
}

impl<O: Observer> Model for World<'_, O> {
    type Event = Event;

    fn handle(&mut self, event: Event, agenda: &mut Agenda<'_, Event>) {
        // One word for both: the odd factor spreads the time over all bits.
        let when = agenda.now().as_nanos().wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.digest.absorb(when ^ event.fingerprint());
        match event {
            Event::Arrive(parcel) => self.deliver(agenda, parcel),
            Event::Wake(node) => self.wake(agenda, node),
            Event::Thread { client, thread } => {
                self.thread_is_due(agenda, usize::from(client), usize::from(thread));
            }
            Event::Rule(rule) => self.rule_is_due(agenda, rule),
            Event::Later(slot) => self.later_is_due(agenda, slot),
        }
        self.note_idleness(agenda.now());
        self.count_towards_forgetting();
    }

    fn is_quiescent(&self) -> bool {
        self.idle_since.is_some() && self.is_over()
    }
}

/// The surroundings of a client's producer.
pub(crate) fn env_of(setup: &Setup, client: usize) -> Env<'_> {
    let own = &setup.clients[client];
    let producer = own.producer.as_ref().expect("a client that has a producer has its settings");
    Env {
        config: &producer.config,
        topics: topics_of(setup),
        brokers: setup.cluster.brokers,
        bootstrap: &own.bootstrap,
        compression_ratio: producer.compression_ratio,
        transactional_id: producer.transactional_id,
        transaction_version: setup.cluster.transaction_version,
        defects: defects_of(setup),
    }
}

fn topics_of(setup: &Setup) -> &Topics {
    &setup.cluster.topics
}

fn defects_of(setup: &Setup) -> Defects {
    setup.cluster.defects
}

/// Whether an action can start a client process again.
fn restarts_client(action: &Action) -> bool {
    match action {
        Action::Restart { who } | Action::Crash { who, restart_after: Some(_), .. } => {
            matches!(who, Who::Client(_) | Who::Subject)
        }
        _ => false,
    }
}
