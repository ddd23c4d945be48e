//! A script on this project's producer.

use crate::network::Network;
use crate::script::{Config, Script, What};
use inflight_des::{Chance, ChoicePoint, Deviation, Effect, Instant, Kinds, Seed, Span};
use inflight_producer::{Destination, Env, Producer, Reports, SendRequest, Streams};
use inflight_protocol::fact::SendError;
use inflight_protocol::message::Acks;
use inflight_protocol::record_size::RecordShape;
use inflight_protocol::{
    BrokerId, ClientId, Defects, Fact, Incoming, Outgoing, ProducerConfig, SessionId, ThreadId,
    TopicId, Topics, Turn,
};

/// How many draws of a stream are prescribed: as many as a script has milliseconds, and more.
const DRAWS: u64 = 16_000;
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
        compression_ratio: 1.0,
        defects: Defects::NONE,
    };
    let mut chance = Chance::new(Seed::new(1));
    let streams = Streams::register("p1", &mut chance);
    pin(&mut chance);
    let mut bench = Bench {
        env,
        producer: Producer::new(&env, ClientId::new(0), SessionId::new(0), streams, 0),
        now: Instant::START,
        chance,
        network: Network::new(script),
        records: 0,
        numbers: vec![Vec::new(); script.leaders.len()],
        lines: Vec::new(),
    };
    bench.run(script);
    bench.lines
}

/// No jitter, and the least loaded node is sought from the first on.
fn pin(chance: &mut Chance) {
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
    chance.restart(Seed::new(1), &inflight_des::Script::new(deviations));
}

fn config(script: &Config) -> ProducerConfig {
    ProducerConfig {
        acks: match script.acks {
            0 => Acks::None,
            1 => Acks::Leader,
            _ => Acks::All,
        },
        enable_idempotence: script.idempotence,
        retries: script.retries,
        max_in_flight_requests_per_connection: script.max_in_flight,
        batch_size: script.batch_size,
        linger_ms: script.linger_ms,
        request_timeout_ms: script.request_timeout_ms,
        delivery_timeout_ms: script.delivery_timeout_ms,
        retry_backoff_ms: script.retry_backoff_ms,
        retry_backoff_max_ms: script.retry_backoff_max_ms,
        reconnect_backoff_ms: script.reconnect_backoff_ms,
        reconnect_backoff_max_ms: script.reconnect_backoff_max_ms,
        socket_connection_setup_timeout_ms: 10_000,
        socket_connection_setup_timeout_max_ms: 10_000,
        ..ProducerConfig::default()
    }
}

struct Bench<'a> {
    env: Env<'a>,
    producer: Producer,
    now: Instant,
    chance: Chance,
    network: Network,
    records: u64,
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
            What::Send { partition, size } => {
                let request = SendRequest {
                    thread: ThreadId::new(self.records as u16),
                    topic: TopicId::new(0),
                    destination: Destination::Partition(*partition),
                    shape: RecordShape::plain(None, Some(*size)),
                    message: self.records,
                    count: 1,
                    reports: Reports::Wanted,
                };
                self.numbers[usize::from(*partition)].push(self.records);
                self.records += 1;
                self.turn(|producer, env, turn| producer.send(env, turn, request));
            }
            What::Flush => {
                let thread = ThreadId::new(u16::MAX);
                self.turn(|producer, env, turn| producer.flush(env, turn, thread));
            }
            What::Answer { nth, errors, hint } => self.network.answer(*nth, errors, *hint),
            What::Disconnect { node } => self.network.disconnect(*node),
            What::Lead { partition, leader } => self.network.lead(*partition, *leader),
        }
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
        self.producer.completions().clear();
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
    }

    fn note(&mut self, line: &str) {
        self.lines.push(format!("{} {line}", self.now.as_millis()));
    }

    fn note_fact(&mut self, fact: &Fact) {
        match *fact {
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
                    self.note(&format!("fail r{number} p{partition} {}", code_of(error)));
                }
            }
            _ => {}
        }
    }
}

/// The error code of the exception, as Kafka's Errors.forException finds it.
fn code_of(error: SendError) -> &'static str {
    match error {
        SendError::Code(code) => code.name(),
        SendError::DeliveryTimeout | SendError::MetadataTimeout => "REQUEST_TIMED_OUT",
        _ => "UNKNOWN_SERVER_ERROR",
    }
}

/// What the network hands to a producer.
pub(crate) type Arrivals = std::collections::VecDeque<Incoming>;
