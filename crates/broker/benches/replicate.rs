//! What a batch costs: appended by its leader, fetched and appended by two followers, committed
//! and acknowledged, with all the turns in between and nothing else.

use divan::Bencher;
use divan::counter::ItemsCount;
use inflight_broker::Broker;
use inflight_des::{Chance, Instant, Kinds, Seed, Span};
use inflight_protocol::message::ProduceRequest;
use inflight_protocol::{
    Acks, BatchProducer, BrokerConfig, BrokerId, ClientId, Cluster, ConnectionId, CorrelationId,
    Defects, Effect, Incoming, LeaderEpoch, Node, Offset, Outgoing, ProducerEpoch, ProducerId,
    RecordBatch, RecordRun, Request, Sequence, SessionId, Timestamp, TopicConfig, TopicPartition,
    Topics, Turn,
};
use std::collections::VecDeque;

fn main() {
    divan::main();
}

const RECORDS: u32 = 150;
const BATCHES: u64 = 1_000;

/// Brokers whose messages arrive at once.
struct Loop {
    cluster: Cluster,
    brokers: Vec<Broker>,
    chance: Chance,
    now: Instant,
    outbox: Vec<Effect>,
    wire: VecDeque<(BrokerId, Incoming)>,
    /// Where each broker's connections go, by number.
    peers: Vec<Vec<BrokerId>>,
    answers: u64,
    sequence: Sequence,
    partitions: u16,
}

impl Loop {
    fn new(partitions: u16) -> Self {
        let replicas = || (1..=3).map(BrokerId::new).collect();
        let cluster = Cluster {
            brokers: 3,
            broker_configs: vec![BrokerConfig::default(); 3],
            topics: Topics::new([("t", partitions)]),
            topic_configs: vec![TopicConfig { min_insync_replicas: 2, ..TopicConfig::default() }],
            assignments: (0..partitions).map(|_| replicas()).collect(),
            eligible_leader_replicas: true,
            transaction_version: inflight_protocol::TransactionVersion::V2,
            coordinated: inflight_protocol::cluster::Coordinated::default(),
            defects: Defects::NONE,
        };
        let mut chance = Chance::new(Seed::new(1));
        let ids = cluster.broker_ids();
        let brokers = ids.map(|id| Broker::new(&cluster, id, &mut chance)).collect();
        let mut this = Self {
            cluster,
            brokers,
            chance,
            now: Instant::from_nanos(1_000_000_000),
            outbox: Vec::new(),
            wire: VecDeque::new(),
            peers: vec![Vec::new(); 3],
            answers: 0,
            sequence: Sequence::ZERO,
            partitions,
        };
        for id in 1..=3 {
            this.turn(BrokerId::new(id), |broker, cluster, turn| broker.start(cluster, turn));
        }
        this.run();
        this
    }

    fn turn(&mut self, id: BrokerId, call: impl FnOnce(&mut Broker, &Cluster, &mut Turn<'_>)) {
        let mut turn = Turn::new(self.now, &mut self.chance, &mut self.outbox, Kinds::NONE);
        call(&mut self.brokers[id.index()], &self.cluster, &mut turn);
        while self.interpret(id) {
            let mut turn = Turn::new(self.now, &mut self.chance, &mut self.outbox, Kinds::NONE);
            self.brokers[id.index()].step(&self.cluster, &mut turn);
        }
        std::hint::black_box(self.brokers[id.index()].next_timeout());
    }

    fn interpret(&mut self, id: BrokerId) -> bool {
        let mut again = false;
        for effect in self.outbox.drain(..) {
            match effect {
                Effect::Again => again = true,
                Effect::Did(_) => {}
                Effect::Send(Outgoing::Connect { connection, to: Node::Broker(to) }) => {
                    self.peers[id.index()].push(to);
                    self.wire.push_back((id, Incoming::Connected { connection }));
                }
                Effect::Send(Outgoing::Request { connection, correlation, request }) => {
                    let to = self.peers[id.index()][connection.number as usize];
                    let incoming = Incoming::Request { connection, correlation, request };
                    self.wire.push_back((to, incoming));
                }
                Effect::Send(Outgoing::Response { connection, correlation, response }) => {
                    match connection.owner {
                        Node::Broker(owner) => {
                            let incoming = Incoming::Response { connection, correlation, response };
                            self.wire.push_back((owner, incoming));
                        }
                        Node::Client(_) | Node::Controller => self.answers += 1,
                    }
                }
                Effect::Send(_) => {}
            }
        }
        again
    }

    fn run(&mut self) {
        while let Some((to, incoming)) = self.wire.pop_front() {
            self.turn(to, |broker, cluster, turn| broker.handle(cluster, turn, incoming));
        }
    }

    fn produce(&mut self, partition: u16) {
        let producer = BatchProducer {
            id: ProducerId::new(7),
            base_sequence: self.sequence,
            epoch: ProducerEpoch::new(0),
        };
        let batch = RecordBatch {
            kind: inflight_protocol::BatchKind::Plain,
            base_offset: Offset::ZERO,
            records: RecordRun { first: 0, count: RECORDS, session: SessionId::new(0) },
            producer: Some(producer),
            max_timestamp: Timestamp::at(self.now),
            bytes: 16_000,
            leader_epoch: LeaderEpoch::new(0),
        };
        if partition + 1 == self.partitions {
            self.sequence = self.sequence.plus(RECORDS);
        }
        let batches = [(TopicPartition::new(partition), batch)].into_iter().collect();
        let request =
            ProduceRequest { acks: Acks::All, timeout_ms: 30_000, transaction: None, batches };
        let connection = ConnectionId { owner: Node::Client(ClientId::new(0)), number: 0 };
        let incoming = Incoming::Request {
            connection,
            correlation: CorrelationId::new(0),
            request: Request::Produce(request),
        };
        self.wire.push_back((BrokerId::new(1), incoming));
        self.run();
    }

    fn forget(&mut self) {
        for broker in &mut self.brokers {
            for partition in self.cluster.topics.all_partitions() {
                let Some(view) = broker.replica(partition) else { continue };
                broker.forget_below(partition, view.high_watermark);
            }
        }
    }
}

#[divan::bench(args = [1, 10])]
fn acks_all_on_three_replicas(bencher: Bencher<'_, '_>, partitions: u16) {
    let mut cluster = Loop::new(partitions);
    bencher.counter(ItemsCount::new(BATCHES * u64::from(partitions))).bench_local(move || {
        let before = cluster.answers;
        for _ in 0..BATCHES {
            for partition in 0..partitions {
                cluster.produce(partition);
            }
        }
        cluster.forget();
        assert_eq!(cluster.answers - before, BATCHES * u64::from(partitions));
    });
}

/// Half a second in which nothing happens: two fetches of a follower expire, are answered and sent
/// again. Five turns.
#[divan::bench]
fn idle_half_second(bencher: Bencher<'_, '_>) {
    let mut cluster = Loop::new(1);
    cluster.produce(0);
    bencher.counter(ItemsCount::new(BATCHES)).bench_local(move || {
        for _ in 0..BATCHES {
            cluster.now += Span::from_millis(500);
            cluster.turn(BrokerId::new(1), |broker, cluster, turn| {
                broker.handle_timeout(cluster, turn);
            });
            cluster.run();
        }
    });
}

/// How a run is reset: three brokers with some batches each, from a template.
#[divan::bench]
fn reset_three_brokers(bencher: Bencher<'_, '_>) {
    let template = Loop::new(1);
    let mut used = Loop::new(1);
    for _ in 0..10 {
        used.produce(0);
    }
    bencher.bench_local(move || {
        for (used, template) in used.brokers.iter_mut().zip(&template.brokers) {
            used.clone_from(template);
        }
    });
}
