//! As even as possible, and as much as possible stays where it is.
//! Kafka: assignor/UniformAssignor, UniformHomogeneousAssignmentBuilder.
//!
//! If members have different topics, Kafka balances by moving partitions one by one
//! (UniformHeterogeneousAssignmentBuilder). Here each partition goes to its reader with the fewest
//! partitions, and stays where it is unless that has more than one too many.

use super::{Candidate, Partitions, is_homogeneous};
use inflight_protocol::{TopicPartition, Topics};

/// The new target assignment of each member.
pub(super) fn assign(members: &[Candidate], names: &Topics) -> Vec<Partitions> {
    if members.is_empty() {
        return Vec::new();
    }
    if is_homogeneous(members) {
        homogeneous(members, names)
    } else {
        heterogeneous(members, names)
    }
}

/// Kafka: UniformHomogeneousAssignmentBuilder.build.
fn homogeneous(members: &[Candidate], names: &Topics) -> Vec<Partitions> {
    let topics = &members[0].topics;
    let is_assigned =
        |partition: &TopicPartition| members.iter().any(|member| member.target.contains(partition));
    let all: Vec<TopicPartition> =
        topics.iter().flat_map(|topic| names.partitions(*topic)).collect();
    let mut unassigned: Vec<TopicPartition> =
        all.iter().copied().filter(|partition| !is_assigned(partition)).collect();
    let least = all.len() / members.len();
    let mut extra = all.len() % members.len();
    let mut unfilled = Vec::new();
    let mut assignment = Vec::with_capacity(members.len());
    // Kafka: maybeRevokePartitions.
    for (place, member) in members.iter().enumerate() {
        let mut takes_extra = extra > 0;
        let mut quota = least + usize::from(takes_extra);
        let mut kept = Partitions::new();
        for partition in member.target.iter().copied() {
            if !topics.contains(&names.split(partition).0) {
                continue;
            }
            if quota > 0 {
                quota -= 1;
                kept.push(partition);
            } else {
                unassigned.push(partition);
            }
        }
        if quota > 0 && takes_extra && members.len() - place > extra {
            // Somebody behind may have one partition more already.
            quota -= 1;
            takes_extra = false;
        }
        if quota > 0 {
            unfilled.push((place, quota));
        }
        extra -= usize::from(takes_extra);
        assignment.push(kept);
    }
    // Kafka: assignRemainingPartitions.
    let mut rest = unassigned.into_iter();
    for (place, quota) in unfilled {
        assignment[place].extend(rest.by_ref().take(quota));
    }
    debug_assert!(rest.next().is_none(), "every partition has its member");
    assignment
}

fn heterogeneous(members: &[Candidate], names: &Topics) -> Vec<Partitions> {
    let reads = |place: usize, partition: TopicPartition| {
        members[place].topics.contains(&names.split(partition).0)
    };
    let mut assignment: Vec<Partitions> = members
        .iter()
        .enumerate()
        .map(|(place, member)| {
            member.target.iter().copied().filter(|id| reads(place, *id)).collect()
        })
        .collect();
    for partition in names.ids().flat_map(|topic| names.partitions(topic)) {
        let readers = (0..members.len()).filter(|place| reads(*place, partition));
        let Some(least) = readers.min_by_key(|place| assignment[*place].len()) else { continue };
        let owner = assignment.iter().position(|list| list.contains(&partition));
        let is_even = |owner: &usize| assignment[*owner].len() <= assignment[least].len() + 1;
        if owner.as_ref().is_some_and(is_even) {
            continue;
        }
        if let Some(owner) = owner {
            assignment[owner].retain(|id| *id != partition);
        }
        assignment[least].push(partition);
    }
    assignment
}
