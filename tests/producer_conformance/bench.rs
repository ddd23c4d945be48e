//! A script on this project's producer.

use crate::calls;
use crate::network::Network;
use crate::script::{Config, Script, Transactions, What};
use inflight_des::{Chance, ChoicePoint, Deviation, Effect, Instant, Kinds, Seed, Span};
use inflight_producer::{Completion, Destination, Env, Producer, Reports, SendRequest, Streams};
use inflight_protocol::config::{CompressionType, Partitioner};
use inflight_protocol::fact::{ProducerState, SendError};
use inflight_protocol::message::{Acks, GroupIdentity};
use inflight_protocol::murmur2::murmur2;
use inflight_protocol::record_size::RecordShape;
use inflight_protocol::transaction::CommittedOffset;
use inflight_protocol::{
    BrokerId, ClientId, Defects, Fact, GroupId, Incoming, Offset, Outgoing, ProducerConfig,
    SessionId, ThreadId, TopicId, TopicPartition, Topics, TransactionVersion, TransactionalId,
    Turn,
};

/// How many draws of a stream are prescribed: as many as a script has milliseconds, and more.
const DRAWS: u64 = 16_000;
/// The thread that makes transactional calls.
const CALLER: ThreadId = ThreadId::new(50_000);
/// The thread of the first flush().
const FIRST_FLUSH: u16 = 60_000;
/// The draw that makes a jitter of nothing.
const NO_JITTER: u64 = 200_000;

/// What our producer does in a script.
pub(crate) fn play(script: &Script) -> Vec<String> {
    let topics = Topics::new([("t", script.leaders.len() as u16)]);
    let config = config(&script.config);
    let bootstrap = [BrokerId::new(1)];
    let env = Env {
        config: &config,
        topics: &topics,
        brokers: script.brokers,
        bootstrap: &bootstrap,
        compression_ratio: f32::from(script.config.rare.compressed_quarters.unwrap_or(4)) / 4.0,
        defects: Defects::NONE,
        transactional_id: script.transactions.as_ref().map(|_| TransactionalId::new(0)),
        transaction_version: match &script.transactions {
            Some(Transactions { version: 0, .. }) => TransactionVersion::V0,
            _ => TransactionVersion::V2,
        },
    };
    let mut chance = Chance::new(Seed::new(1));
    let streams = Streams::register("p1", &mut chance);
    pin(&mut chance, &script.choices);
    let mut bench = Bench {
        env,
        producer: Producer::new(&env, ClientId::new(0), SessionId::new(0), streams, 0),
        now: Instant::START,
        chance,
        network: Network::new(script),
        records: 0,
        flushes: 0,
        numbers: vec![Vec::new(); script.leaders.len()],
        lines: Vec::new(),
    };
    bench.run(script);
    bench.lines
}

/// No jitter, the least loaded node is sought from the first on, and sticky partitions are chosen as
/// the script says.
fn pin(chance: &mut Chance, choices: &[u32]) {
    let purposes = [
        ("retry backoff", NO_JITTER),
        ("metadata backoff", NO_JITTER),
        ("reconnect backoff", NO_JITTER),
        ("connection setup timeout", NO_JITTER),
        ("least loaded node", 0),
    ];
    let mut deviations = Vec::new();
    for (purpose, outcome) in purposes {
        let stream = chance.find(&format!("p1 {purpose}")).expect("producers name their streams");
        let points = (0..DRAWS).map(|ordinal| ChoicePoint { stream, ordinal });
        deviations.extend(points.map(|point| Deviation { point, outcome }));
    }
    let stream = chance.find("p1 sticky partition").expect("producers name their streams");
    for (ordinal, choice) in (0..DRAWS).zip(choices.iter().cycle()) {
        let point = ChoicePoint { stream, ordinal };
        deviations.push(Deviation { point, outcome: u64::from(*choice) });
    }
    chance.restart(Seed::new(1), &inflight_des::Script::new(deviations));
}

fn config(script: &Config) -> ProducerConfig {
    let rare = &script.rare;
    let defaults = ProducerConfig::default();
    ProducerConfig {
        acks: match script.acks {
            0 => Acks::None,
            1 => Acks::Leader,
            _ => Acks::All,
        },
        enable_idempotence: script.idempotence,
        retries: script.retries,
        max_in_flight_requests_per_connection: script.max_in_flight,
        // As KafkaProducer does.
        batch_size: script.batch_size.max(1),
        linger_ms: script.linger_ms,
        request_timeout_ms: script.request_timeout_ms,
        delivery_timeout_ms: script.delivery_timeout_ms,
        retry_backoff_ms: script.retry_backoff_ms,
        retry_backoff_max_ms: script.retry_backoff_max_ms,
        reconnect_backoff_ms: script.reconnect_backoff_ms,
        reconnect_backoff_max_ms: script.reconnect_backoff_max_ms,
        socket_connection_setup_timeout_ms: rare.setup_timeout_ms.unwrap_or(10_000),
        socket_connection_setup_timeout_max_ms: rare.setup_timeout_max_ms.unwrap_or(10_000),
        max_block_ms: rare.max_block_ms.unwrap_or(defaults.max_block_ms),
        buffer_memory: rare.buffer_memory.unwrap_or(defaults.buffer_memory),
        max_request_size: rare.max_request_size.unwrap_or(defaults.max_request_size),
        compression_type: rare
            .compressed_quarters
            .map_or(CompressionType::None, |_| CompressionType::Gzip),
        partitioner: if rare.round_robin { Partitioner::RoundRobin } else { Partitioner::BuiltIn },
        partitioner_ignore_keys: rare.ignore_keys,
        partitioner_adaptive_partitioning_enable: !rare.not_adaptive,
        partitioner_availability_timeout_ms: rare.availability_timeout_ms.unwrap_or(0),
        ..defaults
    }
}

struct Bench<'a> {
    env: Env<'a>,
    producer: Producer,
    now: Instant,
    chance: Chance,
    network: Network,
    records: u64,
    flushes: u16,
    /// For each partition the numbers of its records.
    numbers: Vec<Vec<u64>>,
    lines: Vec<String>,
}

impl Bench<'_> {
    fn run(&mut self, script: &Script) {
        self.turn(|producer, env, turn| producer.start(env, turn));
        for step in &script.steps {
            self.pass_until(step.at);
            self.step(&step.what);
            self.settle();
        }
        self.pass_until(script.end);
    }

    /// Lets time go to a millisecond; what is due then comes first.
    fn pass_until(&mut self, ms: u64) {
        let until = Instant::START + Span::from_millis(ms);
        let mut calls = 0;
        while let Some(at) = self.producer.next_timeout().filter(|at| *at <= until) {
            self.now = at.max(self.now);
            self.turn(|producer, env, turn| producer.handle_timeout(env, turn));
            calls += 1;
            assert!(calls < 100_000, "the producer spins at {}", self.now);
        }
        self.now = until;
    }

    fn step(&mut self, what: &What) {
        match what {
            What::Send { partition, key, size } => self.send(*partition, *key, *size),
            What::Flush => {
                let thread = ThreadId::new(FIRST_FLUSH + self.flushes);
                self.flushes += 1;
                self.turn(|producer, env, turn| producer.flush(env, turn, thread));
            }
            What::Close { timeout_ms } => {
                let thread = ThreadId::new(u16::MAX);
                self.turn(|producer, env, turn| producer.close(env, turn, thread, *timeout_ms));
            }
            What::Hold { node } => self.network.hold(*node),
            What::Release { node } => self.network.release(*node),
            What::Hide { node } => self.network.hide(*node),
            What::Show { node } => self.network.show(*node),
            What::Answer { nth, errors, hint, throttle, error } => {
                self.network.answer(*nth, errors, (*hint, *throttle), error.as_deref());
            }
            What::Init | What::Begin | What::Commit | What::Abort => self.transactional(what),
            What::Offsets { partition, offset } => self.send_offsets(*partition, *offset),
            What::Disconnect { node } => self.network.disconnect(*node),
            What::Lead { partition, leader } => self.network.lead(*partition, *leader),
        }
    }

    fn send(&mut self, partition: Option<u16>, key: Option<u32>, size: u32) {
        let key = key.map(|key| format!("key{key}"));
        let destination = match (partition, &key) {
            (Some(partition), _) => Destination::Partition(partition),
            (None, Some(key)) => Destination::Key { hash: murmur2(key.as_bytes()), table: None },
            (None, None) => Destination::Any,
        };
        let request = SendRequest {
            thread: ThreadId::new(self.records as u16),
            topic: TopicId::new(0),
            destination,
            shape: RecordShape::plain(key.map(|key| key.len() as u32), Some(size)),
            message: self.records,
            count: 1,
            reports: Reports::Wanted,
        };
        self.records += 1;
        self.turn(|producer, env, turn| producer.send(env, turn, request));
    }

    fn transactional(&mut self, what: &What) {
        self.turn(|producer, env, turn| match what {
            What::Init => producer.init_transactions(env, turn, CALLER),
            What::Begin => producer.begin_transaction(env, turn, CALLER),
            What::Commit => producer.commit_transaction(env, turn, CALLER),
            _ => producer.abort_transaction(env, turn, CALLER),
        });
    }

    fn send_offsets(&mut self, partition: u16, offset: u64) {
        let group = GroupId::new(0);
        let offsets = [CommittedOffset {
            group,
            partition: TopicPartition::new(partition),
            offset: Offset::new(offset),
            leader_epoch: None,
        }];
        let identity = GroupIdentity { group, member: None };
        self.turn(|producer, env, turn| {
            producer.send_offsets_to_transaction(env, turn, CALLER, &offsets, identity);
        });
    }

    /// Hands over what the network has, one by one.
    fn settle(&mut self) {
        let mut calls = 0;
        while let Some(incoming) = self.network.arrivals.pop_front() {
            calls += 1;
            assert!(calls < 10_000, "the network spins at {}", self.now);
            self.call(|producer, env, turn| producer.handle(env, turn, incoming));
        }
    }

    fn turn(&mut self, call: impl FnOnce(&mut Producer, &Env<'_>, &mut Turn<'_>)) {
        self.call(call);
        self.settle();
    }

    fn call(&mut self, call: impl FnOnce(&mut Producer, &Env<'_>, &mut Turn<'_>)) {
        let mut outbox: Vec<Effect<Outgoing, Fact>> = Vec::new();
        let mut turn = Turn::new(self.now, &mut self.chance, &mut outbox, Kinds::ALL);
        call(&mut self.producer, &self.env, &mut turn);
        let completions = std::mem::take(self.producer.completions());
        for effect in outbox {
            match effect {
                Effect::Did(fact) => self.note_fact(&fact),
                Effect::Send(outgoing) => {
                    if let Some(line) = self.network.line(&outgoing) {
                        self.note(&line);
                    }
                    self.network.take(outgoing);
                }
                Effect::Again => unreachable!("a producer never asks for a step"),
            }
        }
        for completion in completions {
            match completion {
                Completion::Flushed { thread } => {
                    self.note(&format!("flushed f{}", thread.get() - FIRST_FLUSH));
                }
                Completion::Closed { .. } => self.note("closed"),
                Completion::SendReturned { .. }
                | Completion::Transaction { .. }
                | Completion::Acked { .. }
                | Completion::Failed { .. } => {}
            }
        }
    }

    fn note(&mut self, line: &str) {
        self.lines.push(format!("{} {line}", self.now.as_millis()));
    }

    fn note_fact(&mut self, fact: &Fact) {
        match *fact {
            Fact::RecordsQueued { partition, message, count, .. } => {
                self.numbers[partition.index()].extend(message..message + u64::from(count));
            }
            Fact::SendRefused { message, error, .. } if self.env.transactional_id.is_none() => {
                self.note(&refused(message, error));
            }
            Fact::RecordsAcked { partition, first, count, base_offset, .. } => {
                for index in 0..u64::from(count) {
                    let number = self.numbers[partition.index()][(first + index) as usize];
                    let offset =
                        base_offset.map_or("?".to_owned(), |offset| offset.plus(index).to_string());
                    self.note(&format!("ack r{number} p{partition} @{offset}"));
                }
            }
            Fact::RecordsFailed { partition, first, count, error, .. } => {
                for index in 0..u64::from(count) {
                    let number = self.numbers[partition.index()][(first + index) as usize];
                    let name = match self.env.transactional_id {
                        Some(_) => calls::name_of(error),
                        None => code_of(error),
                    };
                    self.note(&format!("fail r{number} p{partition} {name}"));
                }
            }
            Fact::TransactionsInitialized { .. } => self.note("init ok"),
            Fact::TransactionBegun { .. } => self.note("begin ok"),
            Fact::OffsetsAddedToTransaction { .. } => self.note("send-offsets ok"),
            Fact::TransactionEnded { result, .. } => self.note(&format!("{result} ok")),
            Fact::TransactionCallFailed { call, error, .. } => {
                self.note(&format!("{call} throws {}", calls::name_of(error)));
            }
            Fact::ProducerStateChanged { to, .. } => self.note(&format!("state {}", kafka(to))),
            _ => {}
        }
    }
}

/// Kafka's name of a state. Kafka: TransactionManager.State.
fn kafka(state: ProducerState) -> &'static str {
    match state {
        ProducerState::Uninitialized => "UNINITIALIZED",
        ProducerState::Initializing => "INITIALIZING",
        ProducerState::Ready => "READY",
        ProducerState::InTransaction => "IN_TRANSACTION",
        ProducerState::Committing => "COMMITTING_TRANSACTION",
        ProducerState::Aborting => "ABORTING_TRANSACTION",
        ProducerState::AbortableError => "ABORTABLE_ERROR",
        ProducerState::FatalError => "FATAL_ERROR",
    }
}

/// What becomes of a send() that fails at once: its callback says so, or it throws.
fn refused(message: u64, error: SendError) -> String {
    match error {
        SendError::Code(code) => format!("refuse r{message} {}", code.name()),
        SendError::MetadataTimeout | SendError::DeliveryTimeout => {
            format!("refuse r{message} TimeoutException")
        }
        SendError::BufferExhausted => format!("refuse r{message} BufferExhaustedException"),
        SendError::RecordTooLarge => format!("refuse r{message} RecordTooLargeException"),
        SendError::BatchLargerThanMemory | SendError::InvalidPartition => {
            format!("throw r{message} IllegalArgumentException")
        }
        SendError::ProducerClosed => format!("throw r{message} closed"),
        // Without transactions there are no others.
        _ => format!("throw r{message} KafkaException"),
    }
}

/// The error code of the exception that ends a batch, as Kafka's Errors.forException finds it, or
/// its class.
fn code_of(error: SendError) -> &'static str {
    match error {
        SendError::Code(code) => code.name(),
        SendError::DeliveryTimeout => "REQUEST_TIMED_OUT",
        _ => "KafkaException",
    }
}

/// What the network hands to a producer.
pub(crate) type Arrivals = std::collections::VecDeque<Incoming>;
