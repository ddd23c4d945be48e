//! A consumer among brokers that a test plays by hand. Connections, handshakes and metadata answer
//! themselves; every other request waits until the test answers it.

use inflight_consumer::{Completion, Consumer, Env, Streams};
use inflight_des::{Chance, Instant, Kinds, Seed, Span};
use inflight_protocol::message::{
    ConsumerFetchPartitionResponse, ConsumerFetchResponse, MetadataResponse, PartitionMetadata,
};
use inflight_protocol::{
    BatchKind, BrokerId, ClientId, ConnectionId, ConsumerConfig, ConsumerId, CorrelationId,
    Defects, Effect, ErrorCode, Fact, GroupId, Incoming, LeaderEpoch, Node, Offset, Outgoing,
    RecordBatch, RecordRun, Request, Response, SessionId, Timestamp, TopicId, TopicPartition,
    Topics, Turn,
};
use std::collections::BTreeMap;

pub(crate) const ORDERS: TopicId = TopicId::new(0);
pub(crate) const P0: TopicPartition = TopicPartition::new(0);
pub(crate) const P1: TopicPartition = TopicPartition::new(1);
pub(crate) const GROUP: GroupId = GroupId::new(0);

pub(crate) fn b(id: u8) -> BrokerId {
    BrokerId::new(id)
}

pub(crate) const fn ms(ms: u64) -> Span {
    Span::from_millis(ms)
}

/// A request that waits for its answer.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) to: BrokerId,
    pub(crate) request: Request,
    connection: ConnectionId,
    correlation: CorrelationId,
}

/// The consumer with all around it.
pub(crate) struct Bench {
    pub(crate) config: ConsumerConfig,
    pub(crate) consumer: Consumer,
    pub(crate) facts: Vec<Fact>,
    /// What was asked and not answered, in order.
    pub(crate) waiting: Vec<Waiting>,
    /// Whom it has asked for its versions, in order.
    pub(crate) handshakes: Vec<BrokerId>,
    /// Brokers that refuse connections.
    pub(crate) down: Vec<BrokerId>,
    /// Leader and epoch of each partition.
    pub(crate) leaders: Vec<(u8, u32)>,
    topics: Topics,
    group: Option<GroupId>,
    now: Instant,
    chance: Chance,
    wires: BTreeMap<ConnectionId, BrokerId>,
}

impl Bench {
    /// A member-to-be of a group.
    pub(crate) fn with_group(config: ConsumerConfig) -> Self {
        Self::new(config, Some(GROUP))
    }

    /// A consumer without a group.
    pub(crate) fn alone(config: ConsumerConfig) -> Self {
        Self::new(ConsumerConfig { enable_auto_commit: false, ..config }, None)
    }

    fn new(config: ConsumerConfig, group: Option<GroupId>) -> Self {
        let topics = Topics::new([("orders", 2)]);
        let mut chance = Chance::new(Seed::new(1));
        let streams = Streams::register("c0", &mut chance);
        let brokers = [b(1)];
        let env = Env {
            config: &config,
            topics: &topics,
            brokers: 2,
            bootstrap: &brokers,
            group,
            defects: Defects::NONE,
        };
        let ids = (ClientId::new(0), ConsumerId::new(0));
        let consumer = Consumer::new(&env, Instant::START, ids, streams, 0);
        let mut bench = Self {
            config,
            consumer,
            facts: Vec::new(),
            waiting: Vec::new(),
            handshakes: Vec::new(),
            down: Vec::new(),
            leaders: vec![(1, 0), (1, 0)],
            topics,
            group,
            now: Instant::START,
            chance,
            wires: BTreeMap::new(),
        };
        bench.turn(|consumer, env, turn| consumer.start(env, turn));
        bench
    }

    /// The consumer does something, and brokers do what needs no test.
    pub(crate) fn turn<T>(
        &mut self,
        call: impl FnOnce(&mut Consumer, &Env<'_>, &mut Turn<'_>) -> T,
    ) -> T {
        let brokers = [b(1)];
        let env = Env {
            config: &self.config,
            topics: &self.topics,
            brokers: 2,
            bootstrap: &brokers,
            group: self.group,
            defects: Defects::NONE,
        };
        let mut outbox = Vec::new();
        let mut turn = Turn::new(self.now, &mut self.chance, &mut outbox, Kinds::ALL);
        let result = call(&mut self.consumer, &env, &mut turn);
        let mut arrivals = Vec::new();
        for effect in outbox {
            match effect {
                Effect::Did(fact) => self.facts.push(fact),
                Effect::Send(outgoing) => arrivals.extend(self.route(outgoing)),
                Effect::Again => panic!("a consumer takes no steps"),
            }
        }
        for incoming in arrivals {
            self.arrive(incoming);
        }
        result
    }

    fn arrive(&mut self, incoming: Incoming) {
        let call: &mut dyn FnMut(&mut Consumer, &Env<'_>, &mut Turn<'_>) =
            &mut |consumer, env, turn| consumer.handle(env, turn, incoming.clone());
        self.turn(call);
    }

    fn route(&mut self, outgoing: Outgoing) -> Option<Incoming> {
        match outgoing {
            Outgoing::Connect { connection, to: Node::Broker(to) } => {
                if self.down.contains(&to) {
                    return Some(Incoming::Disconnected { connection });
                }
                self.wires.insert(connection, to);
                Some(Incoming::Connected { connection })
            }
            Outgoing::Request { connection, correlation, request } => {
                let to = self.wires[&connection];
                let response = match request {
                    Request::ApiVersions => {
                        self.handshakes.push(to);
                        Response::ApiVersions
                    }
                    Request::Metadata(_) => Response::Metadata(self.metadata()),
                    request => {
                        self.waiting.push(Waiting { to, request, connection, correlation });
                        return None;
                    }
                };
                Some(Incoming::Response { connection, correlation, response })
            }
            Outgoing::Close { connection } => {
                self.wires.remove(&connection);
                self.waiting.retain(|waiting| waiting.connection != connection);
                None
            }
            other => panic!("a consumer does not say {other:?}"),
        }
    }

    fn metadata(&self) -> MetadataResponse {
        let partitions =
            self.leaders.iter().enumerate().map(|(index, (leader, epoch))| PartitionMetadata {
                partition: TopicPartition::new(index as u16),
                error: None,
                leader: Some(b(*leader)),
                leader_epoch: LeaderEpoch::new(*epoch),
            });
        MetadataResponse {
            brokers: [b(1), b(2)].into_iter().collect(),
            partitions: partitions.collect(),
            ..MetadataResponse::default()
        }
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.now.as_millis()
    }

    /// Lets time pass, with all that is due.
    pub(crate) fn pass(&mut self, span: Span) {
        let until = self.now + span;
        let mut turns = 0;
        while let Some(at) = self.consumer.next_timeout(self.now).filter(|at| *at <= until) {
            turns = if at == self.now { turns + 1 } else { 0 };
            assert!(turns < 100, "the consumer spins at {at}");
            self.now = at;
            self.turn(|consumer, env, turn| consumer.handle_timeout(env, turn));
        }
        self.now = until;
        self.turn(|consumer, env, turn| consumer.handle_timeout(env, turn));
    }

    pub(crate) fn poll(&mut self, timeout: Span) {
        self.turn(|consumer, env, turn| consumer.poll(env, turn, timeout));
    }

    pub(crate) fn assign(&mut self, partitions: &[TopicPartition]) {
        self.turn(|consumer, env, turn| consumer.assign(env, turn, partitions));
    }

    pub(crate) fn subscribe(&mut self) {
        self.turn(|consumer, env, turn| consumer.subscribe(env, turn, &[ORDERS]));
    }

    /// commitAsync() of all that was returned. Returns its number.
    pub(crate) fn commit_async(&mut self) -> u32 {
        let number = self.turn(|consumer, env, turn| consumer.commit_async(env, turn, None));
        number.expect("it does not throw")
    }

    /// What the application got to know since it last asked.
    pub(crate) fn told(&mut self) -> Vec<Completion> {
        std::mem::take(self.consumer.completions())
    }

    /// The first request that waits and is like this.
    pub(crate) fn find(&self, like: impl Fn(&Request) -> bool) -> Option<&Waiting> {
        self.waiting.iter().find(|waiting| like(&waiting.request))
    }

    /// Takes the first request that waits and is like this.
    pub(crate) fn take(&mut self, like: impl Fn(&Request) -> bool) -> Waiting {
        let place = self.waiting.iter().position(|waiting| like(&waiting.request));
        let place = place.unwrap_or_else(|| panic!("not in {:?}", self.waiting));
        self.waiting.remove(place)
    }

    pub(crate) fn answer(&mut self, waiting: &Waiting, response: Response) {
        let (connection, correlation) = (waiting.connection, waiting.correlation);
        let incoming = Incoming::Response { connection, correlation, response };
        self.turn(|consumer, env, turn| consumer.handle(env, turn, incoming));
    }

    /// Loses the connection of a request.
    pub(crate) fn lose(&mut self, waiting: &Waiting) {
        let connection = waiting.connection;
        self.wires.remove(&connection);
        self.waiting.retain(|other| other.connection != connection);
        self.turn(|consumer, env, turn| {
            consumer.handle(env, turn, Incoming::Disconnected { connection });
        });
    }

    /// Answers the fetch that waits with these batches of one partition.
    pub(crate) fn serve(&mut self, partition: TopicPartition, batches: Vec<RecordBatch>) {
        let fetch = self.take(|request| matches!(request, Request::ConsumerFetch(_)));
        let end = batches.last().map_or(Offset::ZERO, RecordBatch::next_offset);
        let entry = ConsumerFetchPartitionResponse {
            high_watermark: end,
            last_stable_offset: end,
            batches: batches.len() as u32,
            ..entry(partition, None)
        };
        let response = ConsumerFetchResponse {
            partitions: smallvec::smallvec![entry],
            batches,
            ..ConsumerFetchResponse::default()
        };
        self.answer(&fetch, Response::ConsumerFetch(response));
    }

    /// Answers the fetch that waits with an error.
    pub(crate) fn refuse_fetch(&mut self, partition: TopicPartition, error: ErrorCode) {
        let fetch = self.take(|request| matches!(request, Request::ConsumerFetch(_)));
        let partitions = smallvec::smallvec![entry(partition, Some(error))];
        let response = ConsumerFetchResponse { partitions, ..ConsumerFetchResponse::default() };
        self.answer(&fetch, Response::ConsumerFetch(response));
    }
}

fn entry(partition: TopicPartition, error: Option<ErrorCode>) -> ConsumerFetchPartitionResponse {
    ConsumerFetchPartitionResponse {
        partition,
        error,
        high_watermark: Offset::ZERO,
        last_stable_offset: Offset::ZERO,
        diverging_epoch: None,
        current_leader: None,
        batches: 0,
        aborted: 0,
    }
}

/// A batch of the one session; ordinals are offsets.
pub(crate) fn batch(base: u64, count: u32) -> RecordBatch {
    RecordBatch {
        base_offset: Offset::new(base),
        records: RecordRun { first: base, count, session: SessionId::new(0) },
        producer: None,
        max_timestamp: Timestamp::RUN_START,
        bytes: 100,
        leader_epoch: LeaderEpoch::new(0),
        kind: BatchKind::Plain,
    }
}

/// The offsets of the records among what the application was told.
pub(crate) fn offsets(told: &[Completion]) -> Vec<u64> {
    let runs = told.iter().filter_map(|completion| match completion {
        Completion::Records { base_offset, run, .. } => Some((base_offset.get(), run.count)),
        _ => None,
    });
    runs.flat_map(|(base, count)| base..base + u64::from(count)).collect()
}
