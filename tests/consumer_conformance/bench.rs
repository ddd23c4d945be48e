//! A script on this project's consumer.

use crate::network::{How, Network};
use crate::script::{Config, Place, Script, What};
use inflight_consumer::{Completion, Consumer, Env, Streams};
use inflight_des::{Chance, ChoicePoint, Deviation, Effect, Instant, Kinds, Seed, Span};
use inflight_protocol::config::AutoOffsetReset;
use inflight_protocol::fact::SendError;
use inflight_protocol::message::IsolationLevel;
use inflight_protocol::transaction::CommittedOffset;
use inflight_protocol::{
    BrokerId, ClientId, ConsumerConfig, ConsumerId, Defects, ErrorCode, GroupId, Offset, Outgoing,
    TopicPartition, Topics, Turn,
};
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;

/// How many draws of a stream are prescribed: as many as a script has milliseconds, and more.
const DRAWS: u64 = 16_000;
/// The draw that makes a jitter of nothing.
const NO_JITTER: u64 = 200_000;
const GROUP: GroupId = GroupId::new(0);

/// What our consumer does in a script.
pub(crate) fn play(script: &Script) -> Vec<String> {
    let topics = Topics::new([("t", script.leaders.len() as u16)]);
    let config = config(&script.config);
    let bootstrap = [BrokerId::new(1)];
    let env = Env {
        config: &config,
        topics: &topics,
        brokers: script.brokers,
        bootstrap: &bootstrap,
        group: script.group.then_some(GROUP),
        defects: Defects::NONE,
    };
    let mut chance = Chance::new(Seed::new(1));
    let streams = Streams::register("c1", &mut chance);
    pin(&mut chance);
    let ids = (ClientId::new(0), ConsumerId::new(0));
    let mut bench = Bench {
        env,
        consumer: Consumer::new(&env, Instant::START, ids, streams, 0),
        now: Instant::START,
        chance,
        network: Network::new(script),
        calls: VecDeque::new(),
        in_call: "",
        returned: BTreeMap::new(),
        async_commits: Vec::new(),
        positions: String::new(),
        lines: Vec::new(),
    };
    bench.run(script);
    bench.lines
}

/// No jitter, and the least loaded node is sought from the first on.
fn pin(chance: &mut Chance) {
    let purposes = [
        ("coordinator backoff", NO_JITTER),
        ("heartbeat backoff", NO_JITTER),
        ("metadata backoff", NO_JITTER),
        ("reconnect backoff", NO_JITTER),
        ("connection setup timeout", NO_JITTER),
        ("least loaded node", 0),
    ];
    let mut deviations = Vec::new();
    for (purpose, outcome) in purposes {
        let name = format!("c1 consumer {purpose}");
        let stream = chance.find(&name).expect("consumers name their streams");
        let points = (0..DRAWS).map(|ordinal| ChoicePoint { stream, ordinal });
        deviations.extend(points.map(|point| Deviation { point, outcome }));
    }
    chance.restart(Seed::new(1), &inflight_des::Script::new(deviations));
}

fn config(script: &Config) -> ConsumerConfig {
    let isolation_level = if script.committed {
        IsolationLevel::ReadCommitted
    } else {
        IsolationLevel::ReadUncommitted
    };
    let defaults = ConsumerConfig::default();
    ConsumerConfig {
        isolation_level,
        auto_offset_reset: match script.reset.as_str() {
            "earliest" => AutoOffsetReset::Earliest,
            "latest" => AutoOffsetReset::Latest,
            _ => AutoOffsetReset::None,
        },
        max_poll_records: script.max_poll_records,
        request_timeout_ms: script.request_timeout_ms,
        default_api_timeout_ms: script.default_api_timeout_ms,
        retry_backoff_ms: script.retry_backoff_ms,
        retry_backoff_max_ms: script.retry_backoff_max_ms,
        reconnect_backoff_ms: script.reconnect_backoff_ms,
        reconnect_backoff_max_ms: script.reconnect_backoff_max_ms,
        socket_connection_setup_timeout_ms: 10_000,
        socket_connection_setup_timeout_max_ms: 10_000,
        enable_auto_commit: script.auto_commit_ms.is_some(),
        auto_commit_interval_ms: script.auto_commit_ms.unwrap_or(defaults.auto_commit_interval_ms),
        ..defaults
    }
}

struct Bench<'a> {
    env: Env<'a>,
    consumer: Consumer,
    now: Instant,
    chance: Chance,
    network: Network,
    /// What the application is to do next.
    calls: VecDeque<What>,
    /// The call that the application is in.
    in_call: &'static str,
    /// The runs of offsets that a poll() has returned by partition.
    returned: BTreeMap<u16, Vec<(u64, u64)>>,
    /// The numbers of the calls of commitAsync().
    async_commits: Vec<u32>,
    positions: String,
    lines: Vec<String>,
}

impl Bench<'_> {
    fn run(&mut self, script: &Script) {
        self.turn(|consumer, env, turn| consumer.start(env, turn));
        for step in &script.steps {
            self.pass_until(step.at);
            if step.what.is_call() {
                self.calls.push_back(step.what.clone());
            } else {
                self.step(&step.what);
            }
            self.settle();
        }
        self.pass_until(script.end);
    }

    /// Lets time go to a millisecond; what is due then comes first.
    fn pass_until(&mut self, ms: u64) {
        let until = Instant::START + Span::from_millis(ms);
        let mut calls = 0;
        while let Some(at) = self.consumer.next_timeout(self.now).filter(|at| *at <= until) {
            if at > self.now {
                calls = 0;
            }
            self.now = at.max(self.now);
            self.turn(|consumer, env, turn| consumer.handle_timeout(env, turn));
            self.settle();
            calls += 1;
            assert!(calls < 1_000, "the consumer spins at {}", self.now);
        }
        self.now = until;
    }

    fn step(&mut self, what: &What) {
        let network = &mut self.network;
        match what {
            What::Answer { nth, errors, error, batches, hint } => {
                let (batches, hint) = (*batches, *hint);
                network.answer(*nth, How { errors, error: error.as_deref(), batches, hint });
            }
            What::Append { partition, count, gap, kind, producer } => {
                network.append(*partition, (*count, *gap), (*kind, *producer));
            }
            What::Truncate { partition, batches } => network.truncate(*partition, *batches),
            What::Lead { partition, leader } => network.lead(*partition, *leader),
            What::Coordinate { node } => network.coordinate(*node),
            What::Hold { node } => network.hold(*node),
            What::Release { node } => network.release(*node),
            What::Hide { node } => network.hide(*node),
            What::Show { node } => network.show(*node),
            What::Disconnect { node } => network.disconnect(*node),
            _ => unreachable!("{what:?} is a call"),
        }
    }

    /// Hands over what the network has, one by one, and lets the application make its calls.
    fn settle(&mut self) {
        for _ in 0..10_000 {
            if let Some(incoming) = self.network.arrivals.pop_front() {
                self.turn(|consumer, env, turn| consumer.handle(env, turn, incoming));
            } else if self.consumer.is_in_call() || self.consumer.has_ended() {
                return;
            } else {
                let Some(call) = self.calls.pop_front() else { return };
                self.call(&call);
            }
        }
        panic!("the network spins at {}", self.now);
    }

    fn call(&mut self, what: &What) {
        let assigned = |partition: &u16| {
            let id = TopicPartition::new(*partition);
            self.consumer.assignment().any(|(other, _)| other == id).then_some(id)
        };
        match what {
            What::Assign { partitions } => {
                self.in_call = "assign";
                let ids: Vec<_> = partitions.iter().map(|id| TopicPartition::new(*id)).collect();
                self.turn(|consumer, env, turn| consumer.assign(env, turn, &ids));
            }
            What::Poll { ms } => {
                self.in_call = "poll";
                self.turn(|consumer, env, turn| {
                    consumer.poll(env, turn, Span::from_millis(*ms));
                });
            }
            What::Seek { partition, offset } => {
                let Some(id) = assigned(partition) else { return };
                let offset = Offset::new(*offset);
                self.turn(|consumer, env, turn| consumer.seek(env, turn, id, offset));
            }
            What::Beginning { partition }
            | What::End { partition }
            | What::Pause { partition }
            | What::Resume { partition } => {
                let Some(id) = assigned(partition) else { return };
                match what {
                    What::Beginning { .. } => self.consumer.seek_to_beginning(id),
                    What::End { .. } => self.consumer.seek_to_end(id),
                    What::Pause { .. } => self.consumer.pause(id),
                    _ => self.consumer.resume(id),
                }
            }
            What::Commit { place } => {
                self.in_call = "commit";
                let offsets = place.map(offsets);
                self.turn(|consumer, env, turn| {
                    consumer.commit_sync(env, turn, offsets.as_ref().map(|list| &list[..]));
                });
            }
            What::CommitAsync { place } => self.commit_async(*place),
            What::Close { ms } => {
                self.in_call = "close";
                self.turn(|consumer, env, turn| {
                    consumer.close(env, turn, Span::from_millis(*ms));
                });
            }
            _ => unreachable!("{what:?} is no call"),
        }
        if !self.consumer.is_in_call() {
            self.note_positions();
        }
    }

    fn commit_async(&mut self, place: Option<Place>) {
        let offsets = place.map(offsets);
        let mut thrown = None;
        self.turn(|consumer, env, turn| {
            let id = consumer.commit_async(env, turn, offsets.as_ref().map(|list| &list[..]));
            thrown = Some(id);
        });
        match thrown.expect("the call has returned") {
            Ok(id) => self.async_commits.push(id),
            Err(error) => {
                self.async_commits.push(u32::MAX);
                self.note(&format!("commit-async throws {}", name_of(error)));
            }
        }
    }

    fn turn(&mut self, call: impl FnOnce(&mut Consumer, &Env<'_>, &mut Turn<'_>)) {
        let mut outbox = Vec::new();
        let mut turn = Turn::new(self.now, &mut self.chance, &mut outbox, Kinds::ALL);
        call(&mut self.consumer, &self.env, &mut turn);
        let completions = std::mem::take(self.consumer.completions());
        for effect in outbox {
            match effect {
                Effect::Did(_) => {}
                Effect::Send(outgoing) => self.sent(outgoing),
                Effect::Again => unreachable!("a consumer never asks for a step"),
            }
        }
        for completion in completions {
            self.completed(completion);
        }
    }

    fn sent(&mut self, outgoing: Outgoing) {
        if let Some(line) = self.network.line(&outgoing) {
            self.note(&line);
        }
        self.network.take(outgoing);
    }

    fn completed(&mut self, completion: Completion) {
        match completion {
            Completion::Records { partition, base_offset, run } => {
                let (first, next) = (base_offset.get(), base_offset.plus(run.count.into()).get());
                let runs = self.returned.entry(partition.get()).or_default();
                match runs.last_mut() {
                    Some(last) if last.1 == first => last.1 = next,
                    _ => runs.push((first, next)),
                }
            }
            Completion::Polled { .. } => {
                let mut line = "poll".to_owned();
                for (partition, runs) in std::mem::take(&mut self.returned) {
                    let runs: Vec<_> = runs
                        .into_iter()
                        .map(|(first, next)| format!("{first}-{}", next - 1))
                        .collect();
                    let _ = write!(line, " p{partition}:{}", runs.join(","));
                }
                self.returned_from_call(&line);
            }
            Completion::PollFailed { error } => {
                self.returned.clear();
                self.returned_from_call(&format!("poll throws {}", name_of(error)));
            }
            Completion::CommittedSync { error: None } => self.returned_from_call("commit ok"),
            Completion::CommittedSync { error: Some(error) } => {
                self.returned_from_call(&format!("commit throws {}", name_of(error)));
            }
            Completion::CommittedAsync { commit, error } => {
                let result = error.map_or("ok".to_owned(), name_of);
                let number = self.async_commits.iter().position(|id| *id == commit);
                let number = number.expect("somebody has called commitAsync()");
                self.note(&format!("async {number} {result}"));
            }
            Completion::Closed => self.note("close ok"),
            Completion::Assigned { .. } | Completion::Revoked { .. } => {}
        }
    }

    fn returned_from_call(&mut self, line: &str) {
        self.note(line);
        self.note_positions();
    }

    fn note(&mut self, line: &str) {
        self.lines.push(format!("{} {line}", self.now.as_millis()));
    }

    /// Notes what is assigned, and where it is, if that is news.
    fn note_positions(&mut self) {
        let mut found: Vec<_> = self.consumer.assignment().collect();
        found.sort_unstable_by_key(|(partition, _)| *partition);
        let words: Vec<_> = found
            .into_iter()
            .map(|(partition, offset)| {
                let offset = offset.map_or("-".to_owned(), |offset| offset.to_string());
                format!("p{}={offset}", partition.get())
            })
            .collect();
        let line = words.join(" ");
        if line != self.positions && !self.consumer.has_ended() {
            self.note(&format!("at {line}"));
            self.positions = line;
        }
    }
}

fn offsets(place: Place) -> [CommittedOffset; 1] {
    [CommittedOffset {
        group: GROUP,
        partition: TopicPartition::new(place.partition),
        offset: Offset::new(place.offset),
        leader_epoch: None,
    }]
}

/// The error code of an exception, or what it is without one.
fn name_of(error: SendError) -> String {
    match error {
        SendError::Code(ErrorCode::RequestTimedOut) | SendError::CallTimeout => "TIMEOUT",
        SendError::Code(code) => code.name(),
        SendError::IllegalState => "IllegalStateException",
        SendError::CommitFailed => "COMMIT_FAILED",
        SendError::NoOffset => "NO_OFFSET",
        SendError::LogTruncation => "LOG_TRUNCATION",
        other => return format!("{other:?}"),
    }
    .to_owned()
}
