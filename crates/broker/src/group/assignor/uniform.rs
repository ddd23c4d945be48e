//! As even as possible, and as much as possible stays where it is.
//! Kafka: assignor/UniformAssignor, UniformHomogeneousAssignmentBuilder.

use super::{Candidate, Partitions, heterogeneous, is_homogeneous};
use inflight_protocol::{TopicPartition, Topics};

/// The new target assignment of each member.
pub(super) fn assign(members: &[Candidate], names: &Topics) -> Vec<Partitions> {
    if members.is_empty() {
        return Vec::new();
    }
    if is_homogeneous(members) {
        homogeneous(members, names)
    } else {
        heterogeneous::assign(members, names)
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
