//! Connections, and brokers that answer at once but for what the script answers.

use crate::logs::Log;
use crate::requests::describe;
use crate::script::{Kind, Script};
use inflight_protocol::message::{
    ConsumerFetchPartitionResponse, ConsumerFetchRequest, ConsumerFetchResponse,
    FindCoordinatorRequest, FindCoordinatorResponse, IsolationLevel, LeaderAndEpoch,
    ListOffsetsRequest, ListOffsetsResponse, MetadataResponse, OffsetAndEpoch, OffsetCommitRequest,
    OffsetCommitResponse, OffsetFetchRequest, OffsetFetchResponse, OffsetForLeaderEpochRequest,
    OffsetForLeaderEpochResponse, OffsetSpec, PartitionMetadata,
};
use inflight_protocol::transaction::CommittedOffset;
use inflight_protocol::{
    BrokerId, ConnectionId, CorrelationId, ErrorCode, Incoming, LeaderEpoch, Node, Offset,
    Outgoing, Request, Response, TopicId, TopicPartition,
};
use std::collections::VecDeque;

/// A request that no broker has answered yet.
struct Waiting {
    broker: u8,
    connection: ConnectionId,
    correlation: CorrelationId,
    request: Request,
}

impl Waiting {
    /// The broker, and whether as coordinator.
    fn place(&self) -> (u8, bool) {
        let is_coordinator = matches!(
            self.request,
            Request::OffsetCommit(_)
                | Request::OffsetFetch(_)
                | Request::JoinGroup(_)
                | Request::SyncGroup(_)
                | Request::Heartbeat(_)
                | Request::LeaveGroup(_)
        );
        (self.broker, is_coordinator)
    }
}

/// A connection; answers keep the order of requests.
struct Connection {
    id: ConnectionId,
    broker: u8,
    entries: VecDeque<(CorrelationId, Option<Response>)>,
}

/// What a step says about an answer.
#[derive(Clone, Copy)]
pub(crate) struct How<'a> {
    pub(crate) errors: &'a [String],
    pub(crate) error: Option<&'a str>,
    pub(crate) batches: usize,
    pub(crate) hint: bool,
}

/// What lies around a consumer.
pub(crate) struct Network {
    pub(crate) arrivals: VecDeque<Incoming>,
    connections: Vec<Connection>,
    waiting: Vec<Waiting>,
    brokers: u8,
    leaders: Vec<(u8, u32)>,
    logs: Vec<Log>,
    committed: Vec<Option<CommittedOffset>>,
    coordinator: u8,
    /// Brokers whose answers do not get through.
    held: Vec<u8>,
    /// Brokers that cannot be connected to.
    hidden: Vec<u8>,
}

fn code(name: &str) -> Option<ErrorCode> {
    if name == "NONE" {
        return None;
    }
    Some(ErrorCode::from_name(name).expect("scripts name error codes as Kafka does"))
}

impl How<'_> {
    fn of(self, partition: TopicPartition) -> Option<ErrorCode> {
        code(self.errors.get(partition.index() % self.errors.len().max(1))?)
    }

    fn of_all(self) -> Option<ErrorCode> {
        self.error.and_then(code)
    }
}

impl Network {
    pub(crate) fn new(script: &Script) -> Self {
        Self {
            arrivals: VecDeque::new(),
            connections: Vec::new(),
            waiting: Vec::new(),
            brokers: script.brokers,
            leaders: script.leaders.iter().map(|leader| (*leader, 0)).collect(),
            logs: script.starts.iter().map(|start| Log::new(*start)).collect(),
            committed: vec![None; script.leaders.len()],
            coordinator: script.coordinator,
            held: Vec::new(),
            hidden: Vec::new(),
        }
    }

    pub(crate) fn lead(&mut self, partition: u16, leader: u8) {
        let led = &mut self.leaders[usize::from(partition)];
        *led = (leader, led.1 + 1);
    }

    pub(crate) fn coordinate(&mut self, node: u8) {
        self.coordinator = node;
    }

    pub(crate) fn append(&mut self, partition: u16, what: (u32, u64), kind: (Kind, u64)) {
        let epoch = self.leaders[usize::from(partition)].1;
        self.logs[usize::from(partition)].append(what, epoch, kind);
    }

    pub(crate) fn truncate(&mut self, partition: u16, batches: usize) {
        self.logs[usize::from(partition)].truncate(batches);
    }

    /// What is told of something that the consumer sends.
    pub(crate) fn line(&self, outgoing: &Outgoing) -> Option<String> {
        match outgoing {
            Outgoing::Connect { to, .. } => Some(format!("connect {to}")),
            Outgoing::Request { connection, request, .. } => {
                let known = self.connections.iter().find(|known| known.id == *connection)?;
                describe(known.broker, request)
            }
            _ => None,
        }
    }

    /// Takes what the consumer sends.
    pub(crate) fn take(&mut self, outgoing: Outgoing) {
        match outgoing {
            Outgoing::Connect { connection, to } => {
                let Node::Broker(broker) = to else { panic!("connected to {to}") };
                let entries = VecDeque::new();
                self.connections.push(Connection { id: connection, broker: broker.get(), entries });
                if !self.hidden.contains(&broker.get()) {
                    self.arrivals.push_back(Incoming::Connected { connection });
                }
            }
            Outgoing::Close { connection } => {
                self.lose(connection);
                self.arrivals.retain(|arrival| match arrival {
                    Incoming::Connected { connection: of }
                    | Incoming::Disconnected { connection: of }
                    | Incoming::Response { connection: of, .. } => *of != connection,
                    _ => true,
                });
            }
            Outgoing::Request { connection, correlation, request } => {
                self.take_request(connection, correlation, request);
            }
            Outgoing::Response { .. }
            | Outgoing::ToController(_)
            | Outgoing::ToBroker(..)
            | Outgoing::Exit => unreachable!("not a consumer's"),
        }
    }

    fn take_request(
        &mut self,
        connection: ConnectionId,
        correlation: CorrelationId,
        request: Request,
    ) {
        let Some(index) = self.connections.iter().position(|known| known.id == connection) else {
            return;
        };
        let response = match &request {
            Request::ApiVersions => Some(Response::ApiVersions),
            Request::Metadata(request) => Some(Response::Metadata(self.metadata(&request.topics))),
            _ => None,
        };
        let own = &mut self.connections[index];
        if response.is_none() {
            let broker = own.broker;
            self.waiting.push(Waiting { broker, connection, correlation, request });
        }
        own.entries.push_back((correlation, response));
        self.deliver(index);
    }

    fn metadata(&self, asked: &[TopicId]) -> MetadataResponse {
        let mut response = MetadataResponse {
            brokers: (1..=self.brokers).map(BrokerId::new).collect(),
            ..MetadataResponse::default()
        };
        if asked.is_empty() {
            return response;
        }
        for (index, (leader, epoch)) in self.leaders.iter().enumerate() {
            response.partitions.push(PartitionMetadata {
                partition: TopicPartition::new(index as u16),
                error: (*leader == 0).then_some(ErrorCode::LeaderNotAvailable),
                leader: (*leader != 0).then(|| BrokerId::new(*leader)),
                leader_epoch: LeaderEpoch::new(*epoch),
            });
        }
        response
    }

    /// What may come in, in the order of its requests.
    fn deliver(&mut self, index: usize) {
        let own = &mut self.connections[index];
        if self.held.contains(&own.broker) {
            return;
        }
        while let Some((correlation, response)) = own.entries.pop_front() {
            let Some(response) = response else {
                own.entries.push_front((correlation, None));
                return;
            };
            let connection = own.id;
            self.arrivals.push_back(Incoming::Response { connection, correlation, response });
        }
    }

    pub(crate) fn hold(&mut self, broker: u8) {
        self.held.push(broker);
    }

    pub(crate) fn release(&mut self, broker: u8) {
        self.held.retain(|other| *other != broker);
        for index in 0..self.connections.len() {
            if self.connections[index].broker == broker {
                self.deliver(index);
            }
        }
    }

    pub(crate) fn hide(&mut self, broker: u8) {
        self.hidden.push(broker);
    }

    pub(crate) fn show(&mut self, broker: u8) {
        self.hidden.retain(|other| *other != broker);
    }

    /// The connections of a broker break. What it said before is still there.
    pub(crate) fn disconnect(&mut self, broker: u8) {
        let own = self.connections.iter().filter(|known| known.broker == broker);
        let broken: Vec<ConnectionId> = own.map(|known| known.id).collect();
        for connection in broken {
            self.lose(connection);
            self.arrivals.push_back(Incoming::Disconnected { connection });
        }
    }

    fn lose(&mut self, connection: ConnectionId) {
        self.connections.retain(|known| known.id != connection);
        self.waiting.retain(|request| request.connection != connection);
    }

    /// Answers the oldest request of the n-th broker that has one; a broker and the same as
    /// coordinator are two.
    pub(crate) fn answer(&mut self, nth: usize, how: How<'_>) {
        if self.waiting.is_empty() {
            return;
        }
        let mut places: Vec<_> = self.waiting.iter().map(Waiting::place).collect();
        places.sort_unstable();
        places.dedup();
        let place = places[nth % places.len()];
        let oldest = self.waiting.iter().position(|other| other.place() == place);
        let Waiting { connection, correlation, request, .. } =
            self.waiting.remove(oldest.unwrap_or(0));
        let response = match &request {
            Request::ConsumerFetch(request) => self.fetched(request, how),
            Request::ListOffsets(request) => self.listed(request, how),
            Request::OffsetForLeaderEpoch(request) => self.ended(request, how),
            Request::FindCoordinator(request) => self.found(request, how),
            Request::OffsetCommit(request) => self.commit(request, how),
            Request::OffsetFetch(request) => self.committed(request, how),
            other => unreachable!("{:?} was answered at once", other.api()),
        };
        let known = self.connections.iter().position(|known| known.id == connection);
        let index = known.expect("requests wait on open connections");
        for (other, answer) in &mut self.connections[index].entries {
            if *other == correlation {
                *answer = Some(response.clone());
            }
        }
        self.deliver(index);
    }

    fn fetched(&self, request: &ConsumerFetchRequest, how: How<'_>) -> Response {
        let mut response =
            ConsumerFetchResponse { error: how.of_all(), ..ConsumerFetchResponse::default() };
        if response.error.is_some() {
            return Response::ConsumerFetch(response);
        }
        let committed = request.isolation == IsolationLevel::ReadCommitted;
        let mut asked = request.partitions.clone();
        asked.sort_by_key(|fetch| fetch.partition);
        for fetch in &asked {
            let error = how.of(fetch.partition);
            let log = &self.logs[fetch.partition.index()];
            let wanted = if error.is_none() { how.batches } else { 0 };
            let read = log.read(fetch.fetch_offset.get(), wanted, committed);
            let (leader, epoch) = self.leaders[fetch.partition.index()];
            let moved = matches!(
                error,
                Some(ErrorCode::NotLeaderOrFollower | ErrorCode::FencedLeaderEpoch)
            );
            response.partitions.push(ConsumerFetchPartitionResponse {
                partition: fetch.partition,
                error,
                high_watermark: Offset::new(log.end(false)),
                last_stable_offset: Offset::new(log.end(true)),
                diverging_epoch: None,
                current_leader: (moved && how.hint && leader != 0).then(|| LeaderAndEpoch {
                    leader: BrokerId::new(leader),
                    epoch: LeaderEpoch::new(epoch),
                }),
                batches: read.batches.len() as u32,
                aborted: read.aborted.len() as u32,
            });
            response.batches.extend(read.batches);
            response.aborted.extend(read.aborted);
        }
        Response::ConsumerFetch(response)
    }

    fn listed(&self, request: &ListOffsetsRequest, how: How<'_>) -> Response {
        let committed = request.isolation == IsolationLevel::ReadCommitted;
        let partitions = request.partitions.iter().map(|(partition, _, spec)| {
            let log = &self.logs[partition.index()];
            let offset = match spec {
                OffsetSpec::Earliest => log.start(),
                _ => log.end(committed),
            };
            let found = OffsetAndEpoch {
                offset: Some(Offset::new(offset)),
                leader_epoch: log.epoch_at(offset),
            };
            (*partition, how.of(*partition).map_or(Ok(found), Err))
        });
        Response::ListOffsets(ListOffsetsResponse { partitions: partitions.collect() })
    }

    fn ended(&self, request: &OffsetForLeaderEpochRequest, how: How<'_>) -> Response {
        let partitions = request.partitions.iter().map(|(partition, _, asked)| {
            let end = self.logs[partition.index()].end_of(asked.get());
            (*partition, how.of(*partition).map_or(Ok(end), Err))
        });
        let partitions = partitions.collect();
        Response::OffsetForLeaderEpoch(OffsetForLeaderEpochResponse { partitions })
    }

    fn found(&self, request: &FindCoordinatorRequest, how: How<'_>) -> Response {
        let coordinator = how.of_all().map_or(Ok(BrokerId::new(self.coordinator)), Err);
        Response::FindCoordinator(FindCoordinatorResponse { key: request.key, coordinator })
    }

    fn commit(&mut self, request: &OffsetCommitRequest, how: How<'_>) -> Response {
        let mut response = OffsetCommitResponse { partitions: Default::default() };
        for offset in &request.offsets {
            let error = how.of(offset.partition);
            if error.is_none() {
                self.committed[offset.partition.index()] = Some(*offset);
            }
            response.partitions.push((offset.partition, error));
        }
        Response::OffsetCommit(response)
    }

    fn committed(&self, request: &OffsetFetchRequest, how: How<'_>) -> Response {
        let partitions = request.partitions.iter().map(|partition| {
            let committed = self.committed[partition.index()];
            (*partition, how.of(*partition).map_or(Ok(committed), Err))
        });
        let (error, partitions) = (how.of_all(), partitions.collect());
        Response::OffsetFetch(OffsetFetchResponse { error, partitions })
    }
}
