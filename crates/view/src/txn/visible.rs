//! What readers were given, and where the last stable offset was then.

use crate::Story;
use crate::model::Model;
use crate::model::logs::Logs;
use inflight_des::Instant;
use inflight_protocol::Fact;
use inflight_protocol::ids::{ConsumerId, TopicPartition};
use inflight_protocol::message::IsolationLevel;
use std::collections::BTreeMap;

/// Records that a consumer was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visible {
    /// When.
    pub at: Instant,
    /// To whom.
    pub consumer: ConsumerId,
    /// Its isolation.level.
    pub isolation: IsolationLevel,
    /// The partition.
    pub partition: TopicPartition,
    /// The offset behind the last of them.
    pub end: u64,
    /// The highest last stable offset that a leader of the partition had until then.
    pub stable: u64,
}

impl Visible {
    /// Whether a reader of committed records was given something above the last stable offset.
    pub fn is_early(&self) -> bool {
        self.isolation == IsolationLevel::ReadCommitted && self.end > self.stable
    }
}

/// Where the leader of a partition has its high watermark and last stable offset from a fact on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// The position of the fact.
    pub fact: usize,
    /// The partition.
    pub partition: TopicPartition,
    /// The high watermark.
    pub high: u64,
    /// The last stable offset, as the leader's log gives it.
    pub stable: u64,
}

/// The logs of partitions, fact by fact.
pub(super) struct Levels {
    logs: Vec<(Logs, Option<(u64, u64)>)>,
}

impl Levels {
    pub(super) fn new(model: &Model<'_>, partitions: &[TopicPartition]) -> Self {
        Self { logs: partitions.iter().map(|one| (Logs::new(model, *one), None)).collect() }
    }

    /// The state of a partition's logs.
    pub(super) fn of(&self, partition: TopicPartition) -> Option<&Logs> {
        self.logs.iter().map(|(logs, _)| logs).find(|logs| logs.partition == partition)
    }

    /// Takes over a fact. Gives what has changed by it.
    pub(super) fn apply(&mut self, index: usize, fact: &Fact) -> Vec<Level> {
        let mut changed = Vec::new();
        for (logs, last) in &mut self.logs {
            if !logs.apply(fact) {
                continue;
            }
            let Some(leader) = logs.leader.and_then(|leader| logs.replica(leader)) else {
                continue;
            };
            let (high, stable) = (leader.high_watermark, logs.last_stable(leader));
            if last.replace((high, stable)) != Some((high, stable)) {
                changed.push(Level { fact: index, partition: logs.partition, high, stable });
            }
        }
        changed
    }
}

/// The partitions that have markers.
fn marked(model: &Model<'_>) -> Vec<TopicPartition> {
    let mut list: Vec<TopicPartition> = model
        .facts()
        .iter()
        .filter_map(|(_, fact)| match *fact {
            Fact::MarkerAppended { partition, .. } => Some(partition),
            _ => None,
        })
        .filter(|partition| !model.is_internal(*partition))
        .collect();
    list.sort_unstable();
    list.dedup();
    list
}

/// How high watermark and last stable offset of the leaders move where there are transactions.
pub fn levels(story: &Story<'_>) -> Vec<Level> {
    let model = Model::new(*story);
    let mut levels = Levels::new(&model, &marked(&model));
    let facts = model.facts().iter().enumerate();
    facts.flat_map(|(index, (_, fact))| levels.apply(index, fact)).collect()
}

/// Everything that readers of partitions with transactions were given.
pub fn visibility(story: &Story<'_>) -> Vec<Visible> {
    let model = Model::new(*story);
    let mut isolation: BTreeMap<ConsumerId, IsolationLevel> = BTreeMap::new();
    let partitions = marked(&model);
    let mut stable: BTreeMap<TopicPartition, u64> =
        partitions.iter().map(|partition| (*partition, 0)).collect();
    let mut levels = Levels::new(&model, &partitions);
    let mut seen = Vec::new();
    for (index, (at, fact)) in model.facts().iter().enumerate() {
        for level in levels.apply(index, fact) {
            let highest = stable.entry(level.partition).or_default();
            *highest = (*highest).max(level.stable);
        }
        match *fact {
            Fact::ConsumerStarted { consumer, isolation: level, .. } => {
                isolation.insert(consumer, level);
            }
            Fact::RecordsReturned { consumer, partition, base_offset, count, .. } => {
                let Some(stable) = stable.get(&partition).copied() else { continue };
                let Some(isolation) = isolation.get(&consumer).copied() else { continue };
                let end = base_offset.get() + u64::from(count);
                seen.push(Visible { at: *at, consumer, isolation, partition, end, stable });
            }
            _ => {}
        }
    }
    seen
}
