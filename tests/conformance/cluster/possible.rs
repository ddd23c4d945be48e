//! What the simulator says may come of a scenario.

use crate::outcome::{ABORT, COMMIT, FAILED_ABORT, FAILED_COMMIT, Outcome, Told};
use crate::stories::Story;
use inflight::protocol::fact::{SendError, TransactionCall};
use inflight::protocol::{
    BrokerId, Fact, ProducerId, SessionId, TopicPartition, TransactionResult,
};
use inflight::{Halt, Keep, Loaded, Options, load_file, play};
use inflight_tests::workspace;
use std::collections::{BTreeMap, BTreeSet};

/// How many runs of a scenario there are.
const SEEDS: u64 = 200;

/// A scenario with a story's changes to its settings and some more, or the fix of it if it has one.
pub(crate) fn load(story: &Story, more: &[&str], is_fixed: bool) -> Option<Loaded> {
    let overrides = story.changes.iter().chain(more).map(|change| (*change).to_owned()).collect();
    let path = workspace().join(format!("scenarios/{}.json", story.scenario));
    let options = Options { overrides, directory: None };
    let loaded = load_file(&path, &options).unwrap_or_else(|wrong| panic!("{wrong}"));
    if is_fixed { loaded.fix.map(|fix| fix.scenario) } else { Some(loaded) }
}

/// The outcomes of many runs, with how many had each. None without a fix that is asked for.
pub(crate) fn of(story: &Story, is_fixed: bool) -> BTreeMap<Outcome, u64> {
    let mut found = BTreeMap::new();
    for timing in [&[][..]].iter().chain(story.timings) {
        let Some(scenario) = load(story, timing, is_fixed) else { continue };
        for seed in 1..=SEEDS {
            *found.entry(outcome(&scenario.clone().with_seed(seed))).or_default() += 1;
        }
    }
    found
}

/// A run as its facts tell it.
#[derive(Default)]
struct Replay {
    /// The message of each record.
    messages: BTreeMap<(SessionId, TopicPartition, u64), u64>,
    /// The logs of all replicas.
    logs: BTreeMap<(TopicPartition, BrokerId), Vec<u64>>,
    down: BTreeSet<BrokerId>,
    /// Sessions with transactions.
    transactional: BTreeSet<SessionId>,
    /// Whose the entries of a partition's log are: a producer's in a transaction, or nobody's.
    owners: BTreeMap<TopicPartition, BTreeMap<u64, Option<ProducerId>>>,
    outcome: Outcome,
}

/// How one run ends.
fn outcome(scenario: &Loaded) -> Outcome {
    let played = play(scenario, Keep::Everything);
    assert_eq!(played.halt, Halt::Quiescent, "{}", scenario.title);
    let mut story = Replay::default();
    for (_, fact) in &played.facts {
        story.note(*fact);
    }
    let topics = &scenario.setup.cluster.topics;
    let is_internal = |id| topics.name(topics.split(id).0).starts_with("__");
    for partition in topics.all_partitions().filter(|id| !is_internal(*id)) {
        let (topic, number) = topics.split(partition);
        let replicas = &scenario.description.topics[topic.index()].replicas[number as usize];
        let log = story.common_log(partition, replicas, &scenario.title);
        if !story.transactional.is_empty() {
            let committed = story.committed(partition, &log);
            story.outcome.committed.push(committed);
        }
        story.outcome.logs.push(log);
    }
    story.outcome
}

impl Replay {
    fn message(&self, session: SessionId, partition: TopicPartition, record: u64) -> u64 {
        self.messages[&(session, partition, record)]
    }

    fn log(&mut self, partition: TopicPartition, broker: BrokerId) -> &mut Vec<u64> {
        self.logs.entry((partition, broker)).or_default()
    }

    fn note(&mut self, fact: Fact) {
        match fact {
            Fact::RecordsQueued { session, partition, first, count, message, .. } => {
                for index in 0..u64::from(count) {
                    self.messages.insert((session, partition, first + index), message + index);
                }
            }
            Fact::BatchAppended {
                broker,
                partition,
                base_offset,
                count,
                session,
                first,
                producer_id,
                ..
            } => {
                let owner = producer_id.filter(|_| self.transactional.contains(&session));
                for index in 0..u64::from(count) {
                    self.own(partition, base_offset.get() + index, owner);
                    let message = self.message(session, partition, first + index);
                    let log = self.log(partition, broker);
                    assert_eq!(log.len() as u64, base_offset.get() + index, "a log has no holes");
                    log.push(message);
                }
            }
            Fact::LogTruncated { broker, partition, to, .. }
            | Fact::LogRecovered { broker, partition, to, .. } => {
                self.log(partition, broker).truncate(to.get() as usize);
            }
            Fact::MarkerAppended { broker, partition, offset, result, producer_id, .. } => {
                self.own(partition, offset.get(), Some(producer_id));
                let log = self.log(partition, broker);
                assert_eq!(log.len() as u64, offset.get(), "a log has no holes");
                log.push(if result == TransactionResult::Commit { COMMIT } else { ABORT });
            }
            Fact::TransactionBegun { session, .. } => {
                self.transactional.insert(session);
            }
            Fact::TransactionCallFailed { transaction, call, .. } => {
                self.end_failed(u64::from(transaction), call);
            }
            Fact::BrokerCrashed { broker, .. } | Fact::BrokerStopped { broker } => {
                self.down.insert(broker);
            }
            Fact::BrokerStarted { broker } => {
                self.down.remove(&broker);
            }
            Fact::RecordsAcked { session, partition, first, count, base_offset, .. } => {
                for index in 0..u64::from(count) {
                    let offset = base_offset.map(|offset| offset.get() + index);
                    self.tell(session, partition, first + index, Told::Acked(offset));
                }
            }
            Fact::RecordsFailed { session, partition, first, count, error, .. } => {
                for record in first..first + u64::from(count) {
                    self.tell(session, partition, record, Told::Failed(exception(error)));
                }
            }
            _ => {}
        }
    }

    fn tell(&mut self, session: SessionId, partition: TopicPartition, record: u64, told: Told) {
        let message = self.message(session, partition, record);
        self.outcome.told.entry(message).or_default().push(told);
    }

    /// Calls that do not end a transaction are no part of an outcome.
    fn end_failed(&mut self, transaction: u64, call: TransactionCall) {
        let (told_as, name) = match call {
            TransactionCall::Commit => (FAILED_COMMIT, "commit"),
            TransactionCall::Abort => (FAILED_ABORT, "abort"),
            _ => return,
        };
        let failed = Told::Failed(name.to_owned());
        self.outcome.told.entry(told_as + transaction).or_default().push(failed);
    }

    fn own(&mut self, partition: TopicPartition, offset: u64, owner: Option<ProducerId>) {
        self.owners.entry(partition).or_default().insert(offset, owner);
    }

    /// What a read_committed consumer gets of a log at the end.
    fn committed(&self, partition: TopicPartition, log: &[u64]) -> Vec<u64> {
        let owners = &self.owners[&partition];
        let owner = |offset: usize| owners[&(offset as u64)];
        let is_marker = |entry: u64| entry == COMMIT || entry == ABORT;
        let mut found = Vec::new();
        for (offset, entry) in log.iter().enumerate().filter(|(_, entry)| !is_marker(**entry)) {
            let Some(producer) = owner(offset) else {
                found.push(*entry);
                continue;
            };
            let mut rest = log.iter().enumerate().skip(offset);
            let end = rest.find(|(at, end)| is_marker(**end) && owner(*at) == Some(producer));
            match end {
                Some((_, end)) if *end == COMMIT => found.push(*entry),
                Some(_) => {}
                // The last stable offset stays here.
                None => break,
            }
        }
        found
    }

    /// The log that all replicas have whose brokers are up.
    fn common_log(&mut self, partition: TopicPartition, replicas: &[u8], title: &str) -> Vec<u64> {
        let brokers = replicas.iter().map(|broker| BrokerId::new(*broker));
        let up = brokers.filter(|broker| !self.down.contains(broker));
        let logs: BTreeSet<Vec<u64>> = up
            .collect::<Vec<_>>()
            .into_iter()
            .map(|broker| self.log(partition, broker).clone())
            .collect();
        assert_eq!(logs.len(), 1, "{title}: replicas differ at the end: {logs:?}");
        logs.into_iter().next().expect("one log")
    }
}

/// The simple name of the exception that a callback gets.
fn exception(error: SendError) -> String {
    match error {
        SendError::Code(code) => code.exception(),
        SendError::DeliveryTimeout | SendError::MetadataTimeout | SendError::CallTimeout => {
            "TimeoutException"
        }
        SendError::TransactionAborted => "TransactionAbortedException",
        SendError::IllegalState => "IllegalStateException",
        SendError::CommitFailed => "CommitFailedException",
        SendError::NoOffset => "NoOffsetForPartitionException",
        SendError::LogTruncation => "LogTruncationException",
        SendError::BufferExhausted => "BufferExhaustedException",
        SendError::RecordTooLarge => "RecordTooLargeException",
        SendError::BatchLargerThanMemory | SendError::InvalidPartition => {
            "IllegalArgumentException"
        }
        SendError::ProducerClosed
        | SendError::ProducerClosedForcefully
        | SendError::FatalState
        | SendError::AbortableState => "KafkaException",
    }
    .to_owned()
}
