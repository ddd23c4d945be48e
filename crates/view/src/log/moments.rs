//! Which moments of a run are worth a picture of the logs.

use crate::kind::Task;
use crate::model::logs::Logs;
use inflight_protocol::Fact;
use inflight_protocol::fact::AppendOrigin;
use inflight_protocol::ids::TopicPartition;
use std::collections::BTreeMap;

/// How many pictures stand below each other at most.
const MOMENTS_MAX: usize = 6;

/// The logs behind a fact.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    pub(crate) fact: usize,
    pub(crate) logs: Logs,
    /// Whether the fact decides a finding.
    pub(crate) decides: bool,
}

/// How much a moment is worth: the lower, the more.
type Worth = u8;

/// The moments of a run that a reader wants to see, in order. Empty if no log has a record.
pub(crate) fn moments(task: &Task<'_, '_>) -> Vec<Moment> {
    let model = task.model;
    let partition = model.partition();
    let facts = model.facts();
    let Some(end) = facts.len().checked_sub(1) else { return Vec::new() };
    let decisive = model.decisive();
    let mut worth: BTreeMap<usize, Worth> = BTreeMap::new();
    for (index, (_, fact)) in facts.iter().enumerate() {
        if let Some(rank) = worth_of(task, index, fact, partition) {
            worth.insert(index, rank);
        }
    }
    for index in decisive.iter().take(1) {
        worth.insert(*index, 0);
    }
    if let Some(parts) = task.parts_at {
        worth.insert(parts, 0);
    }
    worth.insert(end, 0);
    // What it looked like before anything went wrong.
    let first = worth.keys().next().copied().unwrap_or(end);
    let calm =
        facts[..first].iter().rposition(|(_, fact)| matches!(fact, Fact::RecordsAcked { .. }));
    if let Some(calm) = calm {
        worth.insert(calm, 1);
    }
    let mut best: Vec<(Worth, usize)> = worth.iter().map(|(index, rank)| (*rank, *index)).collect();
    best.sort_unstable();
    best.truncate(3 * MOMENTS_MAX);
    let mut chosen: Vec<(Worth, usize)> = best;
    chosen.sort_by_key(|(_, index)| *index);
    let mut logs = Logs::new(model, partition);
    let mut next = 0;
    let mut moments: Vec<(Worth, Moment)> = Vec::new();
    for (rank, index) in chosen {
        while next <= index {
            logs.apply(&facts[next].1);
            next += 1;
        }
        let decides = decisive.contains(&index);
        let moment = Moment { fact: index, logs: logs.clone(), decides };
        // Two pictures that look the same are one.
        match moments.last_mut() {
            Some((before, last))
                if looks_alike(&last.logs, &moment.logs)
                    || (task.model.at(last.fact) == task.model.at(index)
                        && !last.decides
                        && task.parts_at != Some(last.fact)) =>
            {
                if rank < *before || index == end {
                    (*before, *last) = (rank.min(*before), moment);
                }
            }
            _ => moments.push((rank, moment)),
        }
    }
    while moments.len() > MOMENTS_MAX {
        let least = moments.iter().enumerate().max_by_key(|(index, (rank, _))| (*rank, *index));
        let Some((index, _)) = least else { break };
        moments.remove(index);
    }
    let any = moments.iter().any(|(_, moment)| {
        moment.logs.replicas.iter().any(|replica| !replica.entries.is_empty())
            || !moment.logs.queued.is_empty()
    });
    if !any {
        return Vec::new();
    }
    moments.into_iter().map(|(_, moment)| moment).collect()
}

/// Whether the same boxes would be drawn.
fn looks_alike(a: &Logs, b: &Logs) -> bool {
    a.replicas == b.replicas && a.told == b.told && a.leader == b.leader && a.in_sync == b.in_sync
}

fn worth_of(task: &Task<'_, '_>, index: usize, fact: &Fact, mine: TopicPartition) -> Option<Worth> {
    let holds = |broker: inflight_protocol::BrokerId| {
        task.model.story.description.replica_set(mine).contains(broker)
    };
    match *fact {
        Fact::LogTruncated { partition, from, to, .. }
        | Fact::LogRecovered { partition, from, to, .. }
            if partition == mine && from != to =>
        {
            Some(2)
        }
        Fact::LeaderElected { partition, .. } if partition == mine => Some(2),
        Fact::BrokerCrashed { broker, .. } if holds(broker) => Some(3),
        Fact::BatchAppended { partition, origin: AppendOrigin::Client, .. }
            if partition == mine =>
        {
            task.model.odd.at(index).map(|_| 1)
        }
        Fact::MarkerAppended { partition, origin: AppendOrigin::Coordinator, .. }
            if partition == mine =>
        {
            Some(3)
        }
        Fact::DuplicateRecognized { partition, .. } if partition == mine => Some(2),
        Fact::RecordsFailed { partition, .. } if partition == mine => Some(3),
        Fact::BatchRejected { partition, .. } if partition == mine => Some(4),
        Fact::IsrChanged { partition, from, to, .. } if partition == mine && from != to => Some(4),
        _ => None,
    }
}
