//! A producer on a bench: the network is a list, time moves when the test says so, and brokers
//! answer what the test tells them to. Handshakes, metadata and producer ids are answered at once.

use inflight_des::{Chance, Effect, Instant, Kinds, Seed, Span};
use inflight_producer::{Completion, Destination, Env, Producer, Reports, SendRequest, Streams};
use inflight_protocol::fact::{ExpiryPlace, SendError};
use inflight_protocol::message::{
    LeaderAndEpoch, MetadataResponse, PartitionMetadata, ProducePartitionResponse, ProduceRequest,
    ProduceResponse,
};
use inflight_protocol::record_size::RecordShape;
use inflight_protocol::{
    BrokerId, ClientId, ConnectionId, CorrelationId, Defects, ErrorCode, Fact, Incoming,
    LeaderEpoch, Node, Offset, Outgoing, ProducerConfig, ProducerEpoch, ProducerId,
    ProducerIdAndEpoch, RecordBatch, Request, Response, SessionId, ThreadId, TopicId,
    TopicPartition, Topics, TransactionVersion, TransactionalId, Turn,
};
use smallvec::SmallVec;
use std::collections::VecDeque;

use crate::coordinator::Coordinator;

/// A produce request that a broker has received.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) broker: u8,
    pub(crate) connection: ConnectionId,
    pub(crate) correlation: CorrelationId,
    pub(crate) request: ProduceRequest,
}

impl Received {
    /// `t-0 s0+3` for each batch: partition, sequence if there is one, count, and `e1` if the epoch
    /// is not 0.
    pub(crate) fn batches(&self) -> String {
        let name = |(partition, batch): &(TopicPartition, RecordBatch)| {
            let identity = match batch.producer {
                None => String::new(),
                Some(producer) if producer.epoch.get() == 0 => {
                    format!("s{}", producer.base_sequence)
                }
                Some(producer) => format!("e{} s{}", producer.epoch, producer.base_sequence),
            };
            format!("p{partition} {identity}+{}", batch.records.count)
        };
        self.request.batches.iter().map(name).collect::<Vec<_>>().join(", ")
    }
}

pub(crate) struct Bench {
    pub(crate) config: ProducerConfig,
    pub(crate) topics: Topics,
    pub(crate) producer: Producer,
    pub(crate) now: Instant,
    /// Leader and epoch of each partition, as brokers tell it.
    pub(crate) leaders: Vec<Option<(u8, u32)>>,
    /// Requests that no broker has answered yet.
    pub(crate) received: Vec<Received>,
    /// What happened, in order.
    pub(crate) log: Vec<String>,
    /// Brokers that refuse connections.
    pub(crate) down: Vec<u8>,
    /// Answers to InitProducerId requests that come before success.
    pub(crate) id_errors: Vec<ErrorCode>,
    /// How many metadata requests were answered.
    pub(crate) metadata_requests: u32,
    /// Whether metadata requests are answered.
    pub(crate) metadata_works: bool,
    pub(crate) completions: Vec<Completion>,
    connections: Vec<(ConnectionId, u8)>,
    /// Answers that wait for the answer to an earlier produce request on their connection.
    deferred: Vec<(ConnectionId, CorrelationId, Response)>,
    held_metadata: Option<(ConnectionId, CorrelationId, SmallVec<[TopicId; 4]>)>,
    chance: Chance,
    bootstrap: Vec<BrokerId>,
    next_id: u64,
    /// With a transactional id: the coordinators.
    pub(crate) coordinator: Option<Coordinator>,
}

const BROKERS: u8 = 3;

impl Bench {
    /// Topic `t` with so many partitions; partition n is led by broker 1 + n mod 3.
    pub(crate) fn new(partitions: u16, config: ProducerConfig) -> Self {
        Self::with_topics(&[("t", partitions)], config)
    }

    pub(crate) fn with_topics(topics: &[(&str, u16)], config: ProducerConfig) -> Self {
        Self::build(topics, config, Vec::new(), None)
    }

    /// With a transactional id.
    pub(crate) fn transactional(
        partitions: u16,
        config: ProducerConfig,
        coordinator: Coordinator,
    ) -> Self {
        Self::build(&[("t", partitions)], config, Vec::new(), Some(coordinator))
    }

    /// With these answers to the first InitProducerId requests.
    pub(crate) fn starting_with(
        partitions: u16,
        config: ProducerConfig,
        id_errors: Vec<ErrorCode>,
    ) -> Self {
        Self::build(&[("t", partitions)], config, id_errors, None)
    }

    fn build(
        topics: &[(&str, u16)],
        config: ProducerConfig,
        id_errors: Vec<ErrorCode>,
        coordinator: Option<Coordinator>,
    ) -> Self {
        let topics = Topics::new(topics.iter().copied());
        let mut chance = Chance::new(Seed::new(1));
        let streams = Streams::register("p1", &mut chance);
        let bootstrap = vec![BrokerId::new(1)];
        let env = Env {
            config: &config,
            topics: &topics,
            brokers: BROKERS,
            bootstrap: &bootstrap,
            compression_ratio: 1.0,
            defects: Defects::NONE,
            transactional_id: coordinator.as_ref().map(|_| TransactionalId::new(0)),
            transaction_version: coordinator
                .as_ref()
                .map_or(TransactionVersion::V2, |it| it.version),
        };
        let producer = Producer::new(&env, ClientId::new(0), SessionId::new(0), streams, 0);
        let partitions = topics.partitions_in_all();
        let leaders = (0..partitions).map(|index| Some((1 + index as u8 % BROKERS, 0))).collect();
        let mut bench = Self {
            config,
            topics,
            producer,
            now: Instant::START,
            leaders,
            received: Vec::new(),
            log: Vec::new(),
            down: Vec::new(),
            id_errors,
            metadata_requests: 0,
            metadata_works: true,
            completions: Vec::new(),
            connections: Vec::new(),
            deferred: Vec::new(),
            held_metadata: None,
            chance,
            bootstrap,
            next_id: 1_000,
            coordinator,
        };
        bench.turn(|producer, env, turn| producer.start(env, turn));
        bench
    }

    /// Whether a metadata request waits.
    pub(crate) fn holds_metadata(&self) -> bool {
        self.held_metadata.is_some()
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.now.as_millis()
    }

    /// One call into the producer, and everything that follows at once.
    pub(crate) fn turn(&mut self, call: impl FnOnce(&mut Producer, &Env<'_>, &mut Turn<'_>)) {
        let mut call = Some(call);
        let mut arrivals = VecDeque::new();
        self.call(&mut arrivals, &mut |producer, env, turn| {
            let call = call.take().expect("called once");
            call(producer, env, turn);
        });
        while let Some(incoming) = arrivals.pop_front() {
            let mut incoming = Some(incoming);
            self.call(&mut arrivals, &mut |producer, env, turn| {
                let incoming = incoming.take().expect("called once");
                producer.handle(env, turn, incoming);
            });
        }
    }

    fn call(
        &mut self,
        arrivals: &mut VecDeque<Incoming>,
        call: &mut dyn FnMut(&mut Producer, &Env<'_>, &mut Turn<'_>),
    ) {
        let mut outbox = Vec::new();
        let env = Env {
            config: &self.config,
            topics: &self.topics,
            brokers: BROKERS,
            bootstrap: &self.bootstrap,
            compression_ratio: 1.0,
            defects: Defects::NONE,
            transactional_id: self.coordinator.as_ref().map(|_| TransactionalId::new(0)),
            transaction_version: (self.coordinator.as_ref())
                .map_or(TransactionVersion::V2, |it| it.version),
        };
        let mut turn = Turn::new(self.now, &mut self.chance, &mut outbox, Kinds::ALL);
        call(&mut self.producer, &env, &mut turn);
        self.completions.append(self.producer.completions());
        for effect in outbox {
            match effect {
                Effect::Did(fact) => self.note(&fact),
                Effect::Send(outgoing) => arrivals.extend(self.answer(outgoing)),
                Effect::Again => unreachable!("a producer never asks for a step"),
            }
        }
    }

    /// What a broker answers at once.
    fn answer(&mut self, outgoing: Outgoing) -> Option<Incoming> {
        match outgoing {
            Outgoing::Connect { connection, to } => {
                let Node::Broker(broker) = to else { panic!("connected to {to}") };
                if self.down.contains(&broker.get()) {
                    return Some(Incoming::Disconnected { connection });
                }
                self.connections.push((connection, broker.get()));
                Some(Incoming::Connected { connection })
            }
            Outgoing::Close { connection } => {
                self.connections.retain(|(known, _)| *known != connection);
                self.log.push(format!("{} close", self.now_ms()));
                None
            }
            Outgoing::Request { connection, correlation, request } => {
                if let Some(coordinator) = &mut self.coordinator
                    && let Some(line) = crate::coordinator::describe(&request)
                {
                    let at_ms = self.now.as_millis();
                    let on = self.connections.iter().find(|(known, _)| *known == connection);
                    let broker = match on.expect("requests go out on open connections").1 {
                        _ if line.starts_with("find") => "any".to_owned(),
                        broker => format!("b{broker}"),
                    };
                    self.log.push(format!("{at_ms} {broker} <- {line}"));
                    let response = coordinator.take(connection, correlation, &request)?;
                    return self.in_order(connection, correlation, response);
                }
                let response = match request {
                    Request::ApiVersions => Response::ApiVersions,
                    Request::Metadata(request) => {
                        if !self.metadata_works {
                            self.held_metadata = Some((connection, correlation, request.topics));
                            return None;
                        }
                        self.metadata_requests += 1;
                        Response::Metadata(self.metadata(&request.topics))
                    }
                    Request::InitProducerId(_) => Response::InitProducerId(self.producer_id()),
                    Request::Produce(request) => {
                        let broker = self.broker_of(connection);
                        let at_ms = self.now_ms();
                        let received = Received { broker, connection, correlation, request };
                        self.log.push(format!("{at_ms} b{broker} <- {}", received.batches()));
                        self.received.push(received);
                        return None;
                    }
                    _ => unreachable!("a producer without transactions asks for nothing else"),
                };
                self.in_order(connection, correlation, response)
            }
            Outgoing::Response { .. }
            | Outgoing::ToController(_)
            | Outgoing::ToBroker(..)
            | Outgoing::Exit => unreachable!("not a producer's"),
        }
    }

    /// The answer, unless an earlier request on the connection waits for its own.
    fn in_order(
        &mut self,
        connection: ConnectionId,
        correlation: CorrelationId,
        response: Response,
    ) -> Option<Incoming> {
        if self.received.iter().any(|other| other.connection == connection) {
            self.deferred.push((connection, correlation, response));
            return None;
        }
        Some(Incoming::Response { connection, correlation, response })
    }

    /// Answers the request of a transaction that was held back.
    pub(crate) fn release(&mut self) {
        let (connection, correlation, response) = self.coordinator().release();
        let arrived = self.in_order(connection, correlation, response);
        if let Some(incoming) = arrived {
            self.turn(|producer, env, turn| producer.handle(env, turn, incoming));
        }
    }

    fn broker_of(&self, connection: ConnectionId) -> u8 {
        let known = self.connections.iter().find(|(known, _)| *known == connection);
        known.expect("requests go out on open connections").1
    }

    fn metadata(&self, asked: &[TopicId]) -> MetadataResponse {
        let mut response = MetadataResponse {
            brokers: (1..=BROKERS).map(BrokerId::new).collect(),
            ..MetadataResponse::default()
        };
        for topic in asked {
            if self.topics.partition_count(*topic) == 0 {
                response.topic_errors.push((*topic, ErrorCode::UnknownTopicOrPartition));
            }
            for partition in self.topics.partitions(*topic) {
                let led = self.leaders[partition.index()];
                response.partitions.push(PartitionMetadata {
                    partition,
                    error: led.is_none().then_some(ErrorCode::LeaderNotAvailable),
                    leader: led.map(|(leader, _)| BrokerId::new(leader)),
                    leader_epoch: LeaderEpoch::new(led.map_or(0, |(_, epoch)| epoch)),
                });
            }
        }
        response
    }

    fn producer_id(&mut self) -> Result<ProducerIdAndEpoch, ErrorCode> {
        if !self.id_errors.is_empty() {
            return Err(self.id_errors.remove(0));
        }
        self.next_id += 1;
        Ok(ProducerIdAndEpoch { id: ProducerId::new(self.next_id), epoch: ProducerEpoch::new(0) })
    }

    fn note(&mut self, fact: &Fact) {
        let now = self.now_ms();
        let line = match fact {
            Fact::RecordsAcked { partition, first, count, base_offset, .. } => {
                let offset = base_offset.map_or("?".to_owned(), |offset| offset.to_string());
                format!("ack p{partition} {first}+{count} @{offset}")
            }
            Fact::RecordsFailed { partition, first, count, error, .. } => {
                format!("fail p{partition} {first}+{count} {}", error.name())
            }
            Fact::SendRefused { count, error, .. } => format!("refuse {count} {}", error.name()),
            Fact::BatchRequeued { partition, first, error, .. } => {
                format!("requeue p{partition} {first} {error}")
            }
            Fact::BatchExpired { partition, first, place, .. } => {
                let place = if *place == ExpiryPlace::InFlight { "in flight" } else { "queued" };
                format!("expire p{partition} {first} {place}")
            }
            Fact::ProducerEpochBumped { producer_epoch, .. } => format!("epoch {producer_epoch}"),
            Fact::SequenceRewritten { partition, first, from, to, .. } => {
                format!("rewrite p{partition} {first} s{from} -> s{to}")
            }
            Fact::SequenceUnresolved { partition, next_sequence, .. } => {
                format!("unresolved p{partition} before s{next_sequence}")
            }
            Fact::BatchSplit { partition, children, .. } => {
                format!("split p{partition} into {children}")
            }
            Fact::SendBlocked { on, .. } => format!("blocked on {on}"),
            Fact::SendReturned { .. } => "unblocked".to_owned(),
            Fact::ProducerIdAssigned { producer_id, .. } => format!("id {producer_id}"),
            Fact::ProducerStopped { how, .. } => format!("stopped {how}"),
            Fact::ProducerStateChanged { to, .. } => format!("is {to}"),
            Fact::TransactionsInitialized { producer_id, producer_epoch, .. } => {
                format!("init {producer_id}/{producer_epoch}")
            }
            Fact::TransactionBegun { transaction, .. } => format!("begin {transaction}"),
            Fact::OffsetsAddedToTransaction { partition, offset, .. } => {
                format!("offset p{partition} {offset}")
            }
            Fact::TransactionEnding { transaction, result, .. } => {
                format!("{result} {transaction} begins")
            }
            Fact::TransactionEnded { transaction, result, .. } => {
                format!("{result} {transaction} done")
            }
            Fact::TransactionCallFailed { call, error, recovery, .. } => {
                format!("{call} throws {}, leaves {recovery}", error.name())
            }
            _ => return,
        };
        self.log.push(format!("{now} {line}"));
    }

    /// The log since the last call.
    pub(crate) fn take_log(&mut self) -> Vec<String> {
        std::mem::take(&mut self.log)
    }

    // --- the application ------------------------------------------------------------------------

    /// Sends `count` records with values of `bytes` bytes to a partition.
    pub(crate) fn send(&mut self, partition: u16, count: u32, bytes: u32) {
        self.send_as(0, Destination::Partition(partition), count, bytes);
    }

    pub(crate) fn send_as(&mut self, thread: u16, to: Destination, count: u32, bytes: u32) {
        let request = SendRequest {
            thread: ThreadId::new(thread),
            topic: TopicId::new(0),
            destination: to,
            shape: RecordShape::plain(None, Some(bytes)),
            message: 0,
            count,
            reports: Reports::Wanted,
        };
        self.turn(|producer, env, turn| producer.send(env, turn, request));
    }

    // --- time -----------------------------------------------------------------------------------

    /// Lets so many milliseconds pass.
    pub(crate) fn pass_ms(&mut self, ms: u64) {
        let until = self.now + Span::from_millis(ms);
        let mut calls = 0;
        while let Some(at) = self.producer.next_timeout().filter(|at| *at <= until) {
            self.now = at.max(self.now);
            self.turn(|producer, env, turn| producer.handle_timeout(env, turn));
            calls += 1;
            assert!(calls < 100_000, "the producer spins at {}", self.now);
        }
        self.now = until;
    }

    // --- brokers --------------------------------------------------------------------------------

    /// Answers the metadata request that came while metadata did not work.
    pub(crate) fn answer_metadata(&mut self) {
        let (connection, correlation, topics) =
            self.held_metadata.take().expect("a metadata request waits");
        let response = Response::Metadata(self.metadata(&topics));
        let incoming = Incoming::Response { connection, correlation, response };
        self.turn(|producer, env, turn| producer.handle(env, turn, incoming));
    }

    /// Answers the oldest request that broker has not answered: success at this offset.
    pub(crate) fn ack(&mut self, broker: u8, offset: u64) {
        self.respond(broker, |_| Ok(offset));
    }

    /// Answers the oldest request of a broker with one error for all partitions.
    pub(crate) fn refuse(&mut self, broker: u8, error: ErrorCode) {
        self.respond(broker, |_| Err((error, None)));
    }

    /// Answers the oldest request of a broker: NOT_LEADER_OR_FOLLOWER, and who leads.
    pub(crate) fn moved(&mut self, broker: u8, leader: u8, epoch: u32) {
        let hint = LeaderAndEpoch { leader: BrokerId::new(leader), epoch: LeaderEpoch::new(epoch) };
        self.respond(broker, |_| Err((ErrorCode::NotLeaderOrFollower, Some(hint))));
    }

    pub(crate) fn respond(
        &mut self,
        broker: u8,
        result: impl Fn(TopicPartition) -> Result<u64, (ErrorCode, Option<LeaderAndEpoch>)>,
    ) {
        let index = self.received.iter().position(|received| received.broker == broker);
        let received = self.received.remove(index.expect("the broker has a request"));
        let partitions = received.request.batches.iter().map(|(partition, _)| {
            let result = result(*partition);
            ProducePartitionResponse {
                partition: *partition,
                error: result.err().map(|(error, _)| error),
                base_offset: result.ok().map(Offset::new),
                log_append_time: None,
                log_start_offset: None,
                current_leader: result.err().and_then(|(_, hint)| hint),
            }
        });
        let response = Response::Produce(ProduceResponse {
            partitions: partitions.collect(),
            throttle_time_ms: 0,
        });
        let Received { connection, correlation, .. } = received;
        let incoming = Incoming::Response { connection, correlation, response };
        self.turn(|producer, env, turn| producer.handle(env, turn, incoming));
        self.answer_deferred(connection);
    }

    /// Sends the answers that nothing stands before any more.
    fn answer_deferred(&mut self, connection: ConnectionId) {
        while let Some(index) = self.deferred.iter().position(|(on, correlation, _)| {
            let earlier = |other: &Received| {
                other.connection == connection && other.correlation < *correlation
            };
            *on == connection && !self.received.iter().any(earlier)
        }) {
            let (_, correlation, response) = self.deferred.remove(index);
            let incoming = Incoming::Response { connection, correlation, response };
            self.turn(|producer, env, turn| producer.handle(env, turn, incoming));
        }
    }

    /// The connections of a broker break, and its requests with them.
    pub(crate) fn disconnect(&mut self, broker: u8) {
        let broken: Vec<ConnectionId> = self
            .connections
            .iter()
            .filter(|(_, known)| *known == broker)
            .map(|(connection, _)| *connection)
            .collect();
        self.connections.retain(|(_, known)| *known != broker);
        self.received.retain(|received| received.broker != broker);
        self.deferred.retain(|(connection, ..)| !broken.contains(connection));
        if let Some(coordinator) = &mut self.coordinator {
            coordinator.forget(&broken);
        }
        for connection in broken {
            let incoming = Incoming::Disconnected { connection };
            self.turn(|producer, env, turn| producer.handle(env, turn, incoming));
        }
    }

    /// What was sent to a broker and is not answered: `p0 s0+1` a batch.
    pub(crate) fn in_flight(&self, broker: u8) -> Vec<String> {
        let own = self.received.iter().filter(|received| received.broker == broker);
        own.map(Received::batches).collect()
    }
}

/// The error of each failed completion.
pub(crate) fn failures(completions: &[Completion]) -> Vec<SendError> {
    let errors = completions.iter().filter_map(|completion| match completion {
        Completion::Failed { error, .. } => Some(*error),
        _ => None,
    });
    errors.collect()
}
