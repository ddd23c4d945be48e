//! A member on its way to its target assignment. Kafka: modern/consumer/CurrentAssignmentBuilder.

use super::{ConsumerGroup, Member};
use inflight_protocol::consumer_group::{
    AssignedPartitions, CurrentAssignment, ReconciliationState,
};
use inflight_protocol::transaction::MemberId;
use inflight_protocol::{TopicPartition, Topics};

/// What a step towards the target goes by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step<'a> {
    /// The epoch of the target assignment.
    pub(super) target_epoch: u32,
    /// The member's target assignment.
    pub(super) target: &'a [TopicPartition],
    /// Whether the member has changed its subscription with this heartbeat.
    pub(super) has_subscription_changed: bool,
    /// What the member owns, if it says so.
    pub(super) owned: Option<&'a [TopicPartition]>,
    /// The topics of the cluster.
    pub(super) names: &'a Topics,
}

impl ConsumerGroup {
    /// What a member has after a heartbeat. `member` is the member as the heartbeat describes it.
    /// Kafka: maybeReconcile, CurrentAssignmentBuilder.build.
    pub(super) fn reconcile(
        &self,
        id: MemberId,
        member: &Member,
        step: Step<'_>,
    ) -> CurrentAssignment {
        let current = &member.current;
        match current.state {
            ReconciliationState::Stable if current.epoch == step.target_epoch => {
                if step.has_subscription_changed {
                    return member.without_unsubscribed(step);
                }
                current.clone()
            }
            ReconciliationState::UnrevokedPartitions if step.still_owns(&current.revoking) => {
                if step.has_subscription_changed {
                    return member.without_unsubscribed(step);
                }
                current.clone()
            }
            ReconciliationState::Stable
            | ReconciliationState::UnrevokedPartitions
            | ReconciliationState::UnreleasedPartitions => self.next_assignment(id, member, step),
        }
    }

    /// Kafka: computeNextAssignment.
    fn next_assignment(&self, id: MemberId, member: &Member, step: Step<'_>) -> CurrentAssignment {
        let current = &member.current;
        let target = step.target.iter().copied().filter(|partition| member.reads(*partition, step));
        let target: Vec<TopicPartition> = target.collect();
        let (mut assigned, revoking): (AssignedPartitions, AssignedPartitions) =
            current.assigned.iter().copied().partition(|(partition, _)| target.contains(partition));
        if step.still_owns(&revoking) && !revoking.is_empty() {
            let state = ReconciliationState::UnrevokedPartitions;
            let next = CurrentAssignment { state, assigned, revoking, ..current.clone() };
            return at(current.epoch, next);
        }
        let is_wanted =
            |partition: &TopicPartition| !assigned.iter().any(|(has, _)| has == partition);
        let wanted: Vec<TopicPartition> = target.into_iter().filter(is_wanted).collect();
        // What the member itself is giving up is nobody else's.
        let is_own = |partition: TopicPartition| {
            let known = self.members.get(&id);
            known.is_some_and(|known| {
                known.current.revoking.iter().any(|(has, _)| *has == partition)
            })
        };
        let (unreleased, free): (Vec<_>, Vec<_>) = wanted
            .into_iter()
            .partition(|partition| self.is_owned(*partition) && !is_own(*partition));
        assigned.extend(free.into_iter().map(|partition| (partition, step.target_epoch)));
        assigned.sort_unstable();
        let state = match unreleased.is_empty() {
            true => ReconciliationState::Stable,
            false => ReconciliationState::UnreleasedPartitions,
        };
        let revoking = AssignedPartitions::new();
        at(step.target_epoch, CurrentAssignment { state, assigned, revoking, ..current.clone() })
    }
}

impl Member {
    fn reads(&self, partition: TopicPartition, step: Step<'_>) -> bool {
        self.metadata.topics.contains(&step.names.split(partition).0)
    }

    /// The assignment without what the member does not subscribe to any more.
    /// Kafka: updateCurrentAssignment.
    fn without_unsubscribed(&self, step: Step<'_>) -> CurrentAssignment {
        let current = &self.current;
        let (assigned, removed): (AssignedPartitions, AssignedPartitions) =
            current.assigned.iter().copied().partition(|(id, _)| self.reads(*id, step));
        // Who has had nothing and wants nothing is in a new epoch nevertheless, be it the same.
        let wants_nothing = self.metadata.topics.is_empty() && current.revoking.is_empty();
        if removed.is_empty() && !wants_nothing {
            return current.clone();
        }
        let mut revoking = current.revoking.clone();
        revoking.extend(removed);
        revoking.sort_unstable();
        if step.still_owns(&revoking) && !revoking.is_empty() {
            let state = ReconciliationState::UnrevokedPartitions;
            let next = CurrentAssignment { state, assigned, revoking, ..current.clone() };
            return at(current.epoch, next);
        }
        at(current.epoch, CurrentAssignment { assigned, ..current.clone() })
    }
}

impl Step<'_> {
    /// Whether the member has some of these partitions as far as is known.
    /// Kafka: ownsRevokedPartitions.
    fn still_owns(&self, partitions: &AssignedPartitions) -> bool {
        let Some(owned) = self.owned else { return true };
        partitions.iter().any(|(partition, _)| owned.contains(partition))
    }
}

/// The same in an epoch, be it the one that it was in.
/// Kafka: ConsumerGroupMember.Builder.updateMemberEpoch.
fn at(epoch: u32, current: CurrentAssignment) -> CurrentAssignment {
    CurrentAssignment { epoch, previous_epoch: Some(current.epoch), ..current }
}
