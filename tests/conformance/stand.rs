//! One broker of ours, and this program in the place of everybody around it: clients, the follower
//! of the partition that it coordinates, the next leader of it, leaders that markers are sent to,
//! and the controller.
//!
//! Broker 1 coordinates, with broker 2 as follower and min.insync.replicas 2.

use inflight_broker::Broker;
use inflight_des::chance::{ChoicePoint, Deviation, Script};
use inflight_des::{Chance, Instant, Kinds, Seed, Span};
use inflight_protocol::control::{MetadataDelta, PartitionRegistration, ToBroker};
use inflight_protocol::message::{
    FetchPartition, FetchPartitionResponse, FetchRequest, FetchResponse, WriteTxnMarkersRequest,
};
use inflight_protocol::{
    BatchKind, BrokerEpoch, BrokerId, BrokerSet, ClientId, Cluster, ConnectionId, CorrelationId,
    Effect, Incoming, InternalRecord, LeaderEpoch, Node, Offset, Outgoing, PartitionEpoch,
    ProducerId, RecordBatch, RecordRun, Request, Response, SessionId, Timestamp, TopicPartition,
    TransactionResult, Turn,
};
use std::collections::{BTreeMap, VecDeque};

/// The broker.
pub(crate) const OURS: BrokerId = BrokerId::new(1);
/// The other one.
pub(crate) const OTHER: BrokerId = BrokerId::new(2);

/// For how long a leader may be silent.
const PATIENCE: Span = Span::from_secs(10);

/// A request that somebody here has and has not answered.
type Asked<T> = (ConnectionId, CorrelationId, T);

/// Something new in the log of the partition.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    /// A record, and the producer in whose transaction it is.
    Record(InternalRecord, Option<ProducerId>),
    /// A marker.
    Marker(Option<ProducerId>, TransactionResult),
}

/// The broker and what is around it.
#[derive(Debug)]
pub(crate) struct Stand {
    pub(crate) cluster: Cluster,
    pub(crate) broker: Broker,
    /// What clients were answered, by the number of their request.
    pub(crate) answers: Vec<(u32, Response)>,
    chance: Chance,
    now: Instant,
    outbox: Vec<Effect>,
    inbox: VecDeque<Incoming>,
    /// Whom the broker's own connections lead to.
    peers: BTreeMap<ConnectionId, BrokerId>,
    /// Those that markers are sent on.
    channels: BTreeMap<BrokerId, ConnectionId>,
    markers: BTreeMap<BrokerId, Asked<WriteTxnMarkersRequest>>,
    /// Since when a leader has not answered.
    since: BTreeMap<BrokerId, Instant>,
    fetch: Option<Asked<FetchRequest>>,
    partition: TopicPartition,
    leads: bool,
    leader_epoch: u32,
    partition_epoch: u32,
    /// How many records the follower has, and how many were looked at.
    follower: u64,
    seen: u64,
    fetches: u32,
}

impl Stand {
    /// A broker that coordinates a partition, with the draws of these streams prescribed, in
    /// nanoseconds.
    pub(crate) fn new(cluster: Cluster, partition: TopicPartition, draws: &[(&str, u64)]) -> Self {
        let mut chance = Chance::new(Seed::new(1));
        let broker = Broker::new(&cluster, OURS, &mut chance);
        let deviations = draws.iter().map(|(purpose, outcome)| {
            let stream = chance.find(&format!("b{OURS} {purpose}")).expect("a stream of a broker");
            Deviation { point: ChoicePoint { stream, ordinal: 0 }, outcome: *outcome }
        });
        let script = Script::new(deviations.collect::<Vec<_>>());
        chance.restart(Seed::new(1), &script);
        let mut stand = Self {
            cluster,
            broker,
            answers: Vec::new(),
            chance,
            now: Instant::START,
            outbox: Vec::new(),
            inbox: VecDeque::new(),
            peers: BTreeMap::new(),
            channels: BTreeMap::new(),
            markers: BTreeMap::new(),
            since: BTreeMap::new(),
            fetch: None,
            partition,
            leads: true,
            leader_epoch: 0,
            partition_epoch: 0,
            follower: 0,
            seen: 0,
            fetches: 0,
        };
        stand.turn(|broker, cluster, turn| broker.start(cluster, turn));
        stand.settle();
        stand
    }

    /// Whether the broker leads the partition.
    pub(crate) const fn leads(&self) -> bool {
        self.leads
    }

    /// Milliseconds since the beginning.
    pub(crate) const fn now_ms(&self) -> u64 {
        self.now.as_millis()
    }

    /// How many records the follower lacks.
    pub(crate) fn lag(&self) -> u64 {
        self.log_end() - self.follower
    }

    fn log_end(&self) -> u64 {
        let replica = self.broker.replica(self.partition).expect("it has a replica");
        replica.log_end.get()
    }

    // --- what clients do ----------------------------------------------------------------------

    /// A client asks over a connection of its own, which has this number.
    pub(crate) fn ask(&mut self, number: u32, request: Request) {
        let connection = ConnectionId { number, owner: Node::Client(ClientId::new(0)) };
        let correlation = CorrelationId::new(0);
        self.deliver(Incoming::Request { connection, correlation, request });
    }

    // --- what the other broker does -----------------------------------------------------------

    /// The follower gets so many more records, or all.
    pub(crate) fn replicate(&mut self, count: u64) {
        if self.leads {
            let end = self.log_end();
            self.follower = if count == 0 { end } else { end.min(self.follower + count) };
        }
    }

    /// The follower fetches from where it is; what is new in the log is returned.
    pub(crate) fn look(&mut self) -> Vec<Found> {
        if !self.leads {
            return Vec::new();
        }
        // What the first fetch commits may lead to more.
        self.fetch();
        let response = self.fetch();
        let mut found = Vec::new();
        let mut values = response.values.into_iter();
        for batch in &response.batches {
            let producer = batch.producer.map(|producer| producer.id);
            if let BatchKind::Marker(marker) = batch.kind {
                found.push((batch.base_offset.get(), Found::Marker(producer, marker.result)));
                continue;
            }
            let records = values.by_ref().take(batch.records.count as usize);
            let records = records.map(|record| Found::Record(record, producer));
            found.extend((batch.base_offset.get()..).zip(records));
        }
        let end = self.log_end();
        let seen = std::mem::replace(&mut self.seen, end);
        found.into_iter().filter(|(at, _)| *at >= seen).map(|(_, found)| found).collect()
    }

    fn fetch(&mut self) -> FetchResponse {
        let connection = ConnectionId { number: 0, owner: Node::Broker(OTHER) };
        let correlation = CorrelationId::new(self.fetches);
        self.fetches += 1;
        let partition = FetchPartition {
            partition: self.partition,
            current_leader_epoch: LeaderEpoch::new(self.leader_epoch),
            fetch_offset: Offset::new(self.follower),
            last_fetched_epoch: None,
            log_start_offset: Offset::ZERO,
            max_bytes: u32::MAX,
        };
        let request = Request::Fetch(FetchRequest {
            replica: OTHER,
            replica_epoch: BrokerEpoch::new(OTHER.get().into()),
            max_wait_ms: 0,
            min_bytes: 0,
            max_bytes: u32::MAX,
            partitions: [partition].into_iter().collect(),
        });
        self.deliver(Incoming::Request { connection, correlation, request });
        let place =
            self.answers.iter().position(|(_, answer)| matches!(answer, Response::Fetch(_)));
        let place = place.expect("a fetch that does not wait is answered");
        match self.answers.remove(place).1 {
            Response::Fetch(response) => {
                let error = response.partitions.iter().find_map(|entry| entry.error);
                assert_eq!(error, None, "the follower may fetch");
                response
            }
            other => unreachable!("{other:?}"),
        }
    }

    /// The other broker leads, and writes something.
    pub(crate) fn wrote(&mut self, record: InternalRecord) {
        let end = self.log_end();
        let batch = RecordBatch {
            kind: BatchKind::Internal,
            base_offset: Offset::new(end),
            records: RecordRun { first: 0, count: 1, session: SessionId::new(0) },
            producer: None,
            max_timestamp: Timestamp::at(self.now),
            bytes: 150,
            leader_epoch: LeaderEpoch::new(self.leader_epoch),
        };
        let (connection, correlation, _) = self.fetch.take().expect("a follower always fetches");
        let entry = FetchPartitionResponse {
            partition: self.partition,
            error: None,
            high_watermark: Offset::new(end + 1),
            log_start_offset: Offset::ZERO,
            diverging_epoch: None,
            batches: 1,
        };
        let response = Response::Fetch(FetchResponse {
            partitions: [entry].into_iter().collect(),
            batches: [batch].into_iter().collect(),
            values: vec![record],
        });
        self.deliver(Incoming::Response { connection, correlation, response });
        assert_eq!(self.log_end(), end + 1, "a follower takes what its leader wrote");
        (self.follower, self.seen) = (end + 1, end + 1);
    }

    // --- what the controller does -------------------------------------------------------------

    fn register(&mut self, leader: BrokerId, isr: BrokerSet) {
        self.partition_epoch += 1;
        let registration = PartitionRegistration {
            isr,
            leader: Some(leader),
            leader_epoch: LeaderEpoch::new(self.leader_epoch),
            partition_epoch: PartitionEpoch::new(self.partition_epoch),
            ..PartitionRegistration::default()
        };
        let delta = MetadataDelta {
            version: self.broker.metadata_version() + 1,
            partitions: [(self.partition, registration)].into_iter().collect(),
            ..MetadataDelta::default()
        };
        self.deliver(Incoming::ToBroker(ToBroker::Metadata(delta)));
    }

    /// So many replicas are in sync.
    pub(crate) fn in_sync(&mut self, replicas: u32) {
        if self.leads {
            let both = BrokerSet::default().with(OURS).with(OTHER);
            self.register(OURS, if replicas == 1 { both.without(OTHER) } else { both });
        }
    }

    /// The broker leads in a new epoch.
    pub(crate) fn elect(&mut self) {
        (self.leads, self.fetch) = (true, None);
        self.leader_epoch += 1;
        self.register(OURS, BrokerSet::default().with(OURS).with(OTHER));
    }

    /// The other broker leads; it has all that this one has.
    pub(crate) fn resign(&mut self) {
        self.leads = false;
        self.leader_epoch += 1;
        self.follower = self.log_end();
        self.register(OTHER, BrokerSet::default().with(OURS).with(OTHER));
    }

    // --- what leaders do about markers --------------------------------------------------------

    /// The markers that a leader was asked to write and has not.
    pub(crate) fn markers(&self, broker: BrokerId) -> Option<&WriteTxnMarkersRequest> {
        self.markers.get(&broker).map(|(.., request)| request)
    }

    /// A leader answers.
    pub(crate) fn answer_markers(&mut self, broker: BrokerId, response: Response) {
        let (connection, correlation, _) = self.markers.remove(&broker).expect("it was asked");
        self.deliver(Incoming::Response { connection, correlation, response });
    }

    /// The connection on which a leader is sent markers ends.
    pub(crate) fn lose(&mut self, broker: BrokerId) {
        self.markers.remove(&broker);
        if let Some(connection) = self.channels.remove(&broker) {
            self.deliver(Incoming::Disconnected { connection });
        }
    }

    // --- turns --------------------------------------------------------------------------------

    /// Time passes. A leader that is silent for ten seconds loses the connection, before anybody
    /// notices that it is too late.
    pub(crate) fn wait(&mut self, span: Span) {
        let mut left = span;
        while left > Span::ZERO {
            let slice = left.min(PATIENCE);
            for broker in [OURS, OTHER] {
                let since = self.since.get(&broker).filter(|_| self.markers.contains_key(&broker));
                if since.is_some_and(|since| *since + PATIENCE < self.now + slice) {
                    self.lose(broker);
                }
            }
            self.pass(slice);
            left = Span::from_nanos(left.as_nanos() - slice.as_nanos());
        }
    }

    fn pass(&mut self, span: Span) {
        let until = self.now + span;
        while let Some(next) = self.broker.next_timeout().filter(|next| *next <= until) {
            self.now = self.now.max(next);
            self.turn(|broker, cluster, turn| broker.handle_timeout(cluster, turn));
            self.settle();
        }
        self.now = until;
    }

    fn deliver(&mut self, incoming: Incoming) {
        self.inbox.push_back(incoming);
        self.settle();
    }

    /// Everything that was said arrives.
    fn settle(&mut self) {
        while let Some(incoming) = self.inbox.pop_front() {
            self.turn(|broker, cluster, turn| broker.handle(cluster, turn, incoming));
        }
    }

    fn turn(&mut self, call: impl FnOnce(&mut Broker, &Cluster, &mut Turn<'_>)) {
        let mut turn = Turn::new(self.now, &mut self.chance, &mut self.outbox, Kinds::NONE);
        call(&mut self.broker, &self.cluster, &mut turn);
        while self.interpret() {
            let mut turn = Turn::new(self.now, &mut self.chance, &mut self.outbox, Kinds::NONE);
            self.broker.step(&self.cluster, &mut turn);
        }
    }

    /// Returns whether the broker asked for a step.
    fn interpret(&mut self) -> bool {
        let mut again = false;
        for effect in std::mem::take(&mut self.outbox) {
            match effect {
                Effect::Again => again = true,
                Effect::Send(outgoing) => self.carry(outgoing),
                Effect::Did(_) => {}
            }
        }
        again
    }

    fn carry(&mut self, outgoing: Outgoing) {
        match outgoing {
            Outgoing::Connect { connection, to } => {
                if let Node::Broker(to) = to {
                    self.peers.insert(connection, to);
                    self.inbox.push_back(Incoming::Connected { connection });
                }
            }
            Outgoing::Close { connection } => {
                self.peers.remove(&connection);
            }
            Outgoing::Request { connection, correlation, request } => {
                self.asked(connection, correlation, request);
            }
            Outgoing::Response { connection, response, .. } => {
                self.answers.push((connection.number, response));
                if matches!(connection.owner, Node::Client(_)) {
                    self.inbox.push_back(Incoming::Disconnected { connection });
                }
            }
            // The controller never answers.
            Outgoing::ToController(_) | Outgoing::ToBroker(..) | Outgoing::Exit => {}
        }
    }

    fn asked(&mut self, connection: ConnectionId, correlation: CorrelationId, request: Request) {
        match request {
            Request::ApiVersions => {
                self.channels.insert(self.peers[&connection], connection);
                let response = Response::ApiVersions;
                self.inbox.push_back(Incoming::Response { connection, correlation, response });
            }
            Request::WriteTxnMarkers(request) => {
                let (asked, broker) = ((connection, correlation, request), self.peers[&connection]);
                self.markers.insert(broker, asked);
                self.since.insert(broker, self.now);
            }
            Request::Fetch(request) => self.fetch = Some((connection, correlation, request)),
            other => panic!("the broker asks {other:?}"),
        }
    }
}
