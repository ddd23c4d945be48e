//! Topic by topic, each member a range. Kafka: assignor/RangeAssignor.

use super::{Candidate, Partitions};
use inflight_protocol::Topics;

/// Members take their ranges in the order of their ids.
pub(super) fn assign(members: &[Candidate], names: &Topics) -> Vec<Partitions> {
    let mut assignment = vec![Partitions::new(); members.len()];
    for topic in names.ids() {
        let takers: Vec<usize> =
            (0..members.len()).filter(|place| members[*place].topics.contains(&topic)).collect();
        if takers.is_empty() {
            continue;
        }
        let count = usize::from(names.partition_count(topic));
        let (each, extra) = (count / takers.len(), count % takers.len());
        let mut partitions = names.partitions(topic);
        for (turn, place) in takers.into_iter().enumerate() {
            let quota = each + usize::from(turn < extra);
            assignment[place].extend(partitions.by_ref().take(quota));
        }
    }
    assignment
}
