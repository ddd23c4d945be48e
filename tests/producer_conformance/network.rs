//! Connections and brokers that answer at once, but for produce requests and those of transactions,
//! which the script answers.

use crate::bench::Arrivals;
use crate::coordinators::{self, Coordinators};
use crate::script::Script;
use inflight_protocol::message::{
    Acks, LeaderAndEpoch, MetadataResponse, PartitionMetadata, ProducePartitionResponse,
    ProduceRequest, ProduceResponse,
};
use inflight_protocol::{
    BrokerId, ConnectionId, CorrelationId, ErrorCode, Incoming, LeaderEpoch, Node, Offset,
    Outgoing, ProducerEpoch, ProducerId, ProducerIdAndEpoch, Request, Response, TopicId,
    TopicPartition,
};
use std::collections::VecDeque;

/// A request that no broker has answered yet.
struct Waiting {
    broker: u8,
    connection: ConnectionId,
    correlation: CorrelationId,
    request: Request,
}

/// A connection; answers keep the order of requests.
struct Connection {
    id: ConnectionId,
    broker: u8,
    entries: VecDeque<(CorrelationId, Option<Response>)>,
}

/// The batches of a produce request by partition: identity, records, bytes.
fn describe(request: &ProduceRequest) -> String {
    let mut batches: Vec<_> = request.batches.iter().collect();
    batches.sort_by_key(|(partition, _)| *partition);
    let batches = batches.into_iter().map(|(partition, batch)| {
        let identity = batch.producer.map_or("-".to_owned(), |producer| {
            let mark = if batch.kind.is_transactional() { "t" } else { "" };
            format!("{mark}{}/{}/{}", producer.id, producer.epoch, producer.base_sequence)
        });
        format!("p{partition} {identity} +{} {}B", batch.records.count, batch.bytes)
    });
    let kind = match request.transaction {
        None => "",
        Some(transaction) if transaction.version.bumps_epochs() => "v2 ",
        Some(_) => "v0 ",
    };
    format!("{kind}{}", batches.collect::<Vec<_>>().join(", "))
}

/// What lies around a producer.
pub(crate) struct Network {
    pub(crate) arrivals: Arrivals,
    connections: Vec<Connection>,
    waiting: Vec<Waiting>,
    brokers: u8,
    leaders: Vec<(u8, u32)>,
    offsets: Vec<u64>,
    id_errors: VecDeque<ErrorCode>,
    next_id: u64,
    coordinators: Option<Coordinators>,
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

impl Network {
    pub(crate) fn new(script: &Script) -> Self {
        Self {
            arrivals: Arrivals::new(),
            connections: Vec::new(),
            waiting: Vec::new(),
            brokers: script.brokers,
            leaders: script.leaders.iter().map(|leader| (*leader, 0)).collect(),
            offsets: vec![0; script.leaders.len()],
            id_errors: script.id_errors.iter().filter_map(|name| code(name)).collect(),
            next_id: 1_000,
            coordinators: Coordinators::of(script),
            held: Vec::new(),
            hidden: Vec::new(),
        }
    }

    pub(crate) fn lead(&mut self, partition: u16, leader: u8) {
        let led = &mut self.leaders[usize::from(partition)];
        *led = (leader, led.1 + 1);
    }

    /// What is told of something that the producer sends.
    pub(crate) fn line(&self, outgoing: &Outgoing) -> Option<String> {
        match outgoing {
            Outgoing::Connect { to, .. } => Some(format!("connect {to}")),
            Outgoing::Request { connection, request, .. } => {
                let known = self.connections.iter().find(|known| known.id == *connection)?;
                let broker = known.broker;
                if self.coordinators.is_some()
                    && let Some(asked) = coordinators::describe(request)
                {
                    return Some(format!("ask b{broker} {asked}"));
                }
                match request {
                    Request::Produce(request) => {
                        Some(format!("send b{broker} {}", describe(request)))
                    }
                    Request::Metadata(_) => Some(format!("metadata b{broker}")),
                    Request::InitProducerId(_) => Some(format!("init b{broker}")),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Takes what the producer sends.
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
            Outgoing::Close { connection } => self.forget(connection),
            Outgoing::Request { connection, correlation, request } => {
                self.take_request(connection, correlation, request);
            }
            Outgoing::Response { .. }
            | Outgoing::ToController(_)
            | Outgoing::ToBroker(..)
            | Outgoing::Exit => unreachable!("not a producer's"),
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
        let response = self.answer_at_once(&request);
        let own = &mut self.connections[index];
        let broker = own.broker;
        if response.is_none() {
            if matches!(&request, Request::Produce(request) if request.acks == Acks::None) {
                return;
            }
            self.waiting.push(Waiting { broker, connection, correlation, request });
        }
        own.entries.push_back((correlation, response));
        self.deliver(index);
    }

    fn answer_at_once(&mut self, request: &Request) -> Option<Response> {
        Some(match request {
            Request::ApiVersions => Response::ApiVersions,
            Request::Metadata(request) => Response::Metadata(self.metadata(&request.topics)),
            Request::InitProducerId(_) if self.coordinators.is_none() => {
                Response::InitProducerId(self.producer_id())
            }
            _ => return None,
        })
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

    fn producer_id(&mut self) -> Result<ProducerIdAndEpoch, ErrorCode> {
        if let Some(error) = self.id_errors.pop_front() {
            return Err(error);
        }
        self.next_id += 1;
        Ok(ProducerIdAndEpoch { id: ProducerId::new(self.next_id), epoch: ProducerEpoch::new(0) })
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

    /// From now on nothing that a broker says gets through.
    pub(crate) fn hold(&mut self, broker: u8) {
        self.held.push(broker);
    }

    /// What a broker has said since gets through.
    pub(crate) fn release(&mut self, broker: u8) {
        self.held.retain(|other| *other != broker);
        for index in 0..self.connections.len() {
            if self.connections[index].broker == broker {
                self.deliver(index);
            }
        }
    }

    /// From now on no connection to a broker can be made.
    pub(crate) fn hide(&mut self, broker: u8) {
        self.hidden.push(broker);
    }

    /// New connections to a broker can be made again; those tried meanwhile never come about.
    pub(crate) fn show(&mut self, broker: u8) {
        self.hidden.retain(|other| *other != broker);
    }

    /// Answers the oldest request of the n-th broker that has one.
    pub(crate) fn answer(
        &mut self,
        nth: usize,
        errors: &[String],
        (hint, throttle): (bool, u32),
        error: Option<&str>,
    ) {
        if self.waiting.is_empty() {
            return;
        }
        let mut brokers: Vec<u8> = self.waiting.iter().map(|request| request.broker).collect();
        brokers.sort_unstable();
        brokers.dedup();
        let broker = brokers[nth % brokers.len()];
        let oldest = self.waiting.iter().position(|other| other.broker == broker);
        let Waiting { connection, correlation, request, .. } =
            self.waiting.remove(oldest.unwrap_or(0));
        let response = match (&request, &mut self.coordinators) {
            (Request::Produce(request), _) => self.produced(request, errors, hint, throttle),
            (other, Some(coordinators)) => coordinators.answer(other, error.and_then(code)),
            (other, None) => unreachable!("{:?} was answered at once", other.api()),
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

    fn produced(
        &mut self,
        request: &ProduceRequest,
        errors: &[String],
        hint: bool,
        throttle: u32,
    ) -> Response {
        let mut response =
            ProduceResponse { throttle_time_ms: throttle, ..ProduceResponse::default() };
        let error_of = |index: usize| code(errors.get(index % errors.len().max(1))?);
        for (partition, batch) in &request.batches {
            let error = error_of(partition.index());
            let (leader, epoch) = self.leaders[partition.index()];
            let offset = &mut self.offsets[partition.index()];
            let base_offset = error.is_none().then(|| Offset::new(*offset));
            if error.is_none() {
                *offset += u64::from(batch.records.count);
            }
            let moved = error == Some(ErrorCode::NotLeaderOrFollower) && hint && leader != 0;
            response.partitions.push(ProducePartitionResponse {
                partition: *partition,
                error,
                base_offset,
                log_append_time: None,
                log_start_offset: None,
                current_leader: moved.then(|| LeaderAndEpoch {
                    leader: BrokerId::new(leader),
                    epoch: LeaderEpoch::new(epoch),
                }),
            });
        }
        Response::Produce(response)
    }

    /// The connections of a broker break.
    pub(crate) fn disconnect(&mut self, broker: u8) {
        let own = self.connections.iter().filter(|known| known.broker == broker);
        let broken: Vec<ConnectionId> = own.map(|known| known.id).collect();
        for connection in broken {
            self.forget(connection);
            self.arrivals.push_back(Incoming::Disconnected { connection });
        }
    }

    fn forget(&mut self, connection: ConnectionId) {
        self.connections.retain(|known| known.id != connection);
        self.waiting.retain(|request| request.connection != connection);
        self.arrivals.retain(|arrival| match arrival {
            Incoming::Connected { connection: of }
            | Incoming::Disconnected { connection: of }
            | Incoming::Response { connection: of, .. } => *of != connection,
            _ => true,
        });
    }
}
