//! What the simulator says may come of a scenario.

use crate::outcome::{Outcome, Told};
use crate::stories::Story;
use inflight::protocol::fact::SendError;
use inflight::protocol::{BrokerId, Fact, SessionId, TopicPartition};
use inflight::{Halt, Keep, Loaded, Options, load_file, play};
use inflight_tests::workspace;
use std::collections::{BTreeMap, BTreeSet};

/// How many runs of a scenario there are.
const SEEDS: u64 = 200;

/// A scenario with a story's changes to its settings and some more, or the fix of it.
pub(crate) fn load(story: &Story, more: &[&str], is_fixed: bool) -> Loaded {
    let overrides = story.changes.iter().chain(more).map(|change| (*change).to_owned()).collect();
    let path = workspace().join(format!("scenarios/{}.json", story.scenario));
    let options = Options { overrides, directory: None };
    let loaded = load_file(&path, &options).unwrap_or_else(|wrong| panic!("{wrong}"));
    if is_fixed { loaded.fix.expect("a fix").scenario } else { loaded }
}

/// The outcomes of many runs, with how many had each.
pub(crate) fn of(story: &Story, is_fixed: bool) -> BTreeMap<Outcome, u64> {
    let mut found = BTreeMap::new();
    for timing in [&[][..]].iter().chain(story.timings) {
        let scenario = load(story, timing, is_fixed);
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
    for partition in topics.all_partitions() {
        let log = story.common_log(partition, &scenario.title);
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
                broker, partition, base_offset, count, session, first, ..
            } => {
                for index in 0..u64::from(count) {
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

    /// The log that all replicas have whose brokers are up.
    fn common_log(&mut self, partition: TopicPartition, title: &str) -> Vec<u64> {
        let brokers: Vec<BrokerId> = (1..=3).map(BrokerId::new).collect();
        let up = brokers.into_iter().filter(|broker| !self.down.contains(broker));
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
