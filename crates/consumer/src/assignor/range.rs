//! Topic by topic, each member a range. Kafka: RangeAssignor without racks.

use super::{Assignment, Member, by_name};
use inflight_protocol::{TopicId, Topics};
use smallvec::SmallVec;

/// Assigns the partitions of the topics that are known.
pub(crate) fn assign(members: &[Member<'_>], known: &[TopicId], names: &Topics) -> Assignment {
    let mut assignment: Assignment = vec![SmallVec::new(); members.len()];
    for topic in by_name(known, names) {
        let subscribed = |place: &usize| members[*place].topics.contains(&topic);
        let mut takers: Vec<usize> = (0..members.len()).filter(subscribed).collect();
        takers.sort_by_key(|place| members[*place].id);
        if takers.is_empty() {
            continue;
        }
        let count = usize::from(names.partition_count(topic));
        let (each, extra) = (count / takers.len(), count % takers.len());
        let mut partitions = names.partitions(topic);
        for (turn, place) in takers.into_iter().enumerate() {
            let share = each + usize::from(turn < extra);
            assignment[place].extend(partitions.by_ref().take(share));
        }
    }
    assignment
}
