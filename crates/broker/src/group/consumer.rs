//! A group of the consumer protocol (KIP-848): the coordinator assigns the partitions, and each
//! member goes over to its assignment on its own.
//!
//! Kafka: modern/ModernGroup, modern/consumer/{ConsumerGroup, ConsumerGroupMember}. Nothing here
//! changes but by records that are written: [`ConsumerGroup::replay`].

mod heartbeat;
mod leave;
mod reconcile;
mod validate;

pub(super) use heartbeat::Beat;
pub(crate) use validate::check_request;

use crate::group::assignor::Partitions;
use inflight_protocol::consumer_group::{
    ConsumerGroupRecord, CurrentAssignment, MemberMetadata, ReconciliationState,
};
use inflight_protocol::transaction::MemberId;
use inflight_protocol::{GroupId, TopicPartition};
use std::collections::BTreeMap;

/// A member. Kafka: ConsumerGroupMember, with its target assignment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) metadata: MemberMetadata,
    /// `None` until there is a target assignment with the member.
    pub(crate) target: Option<Partitions>,
    pub(crate) current: CurrentAssignment,
}

impl Member {
    /// Kafka: isReconciledTo.
    pub(super) fn is_reconciled_to(&self, target_epoch: u32) -> bool {
        self.current.state == ReconciliationState::Stable && self.current.epoch == target_epoch
    }

    /// The epoch in which the member got a partition that it has, be it only until it gives it up.
    pub(super) fn assignment_epoch(&self, partition: TopicPartition) -> Option<u32> {
        let mut has = self.current.assigned.iter().chain(&self.current.revoking);
        has.find(|(id, _)| *id == partition).map(|(_, epoch)| *epoch)
    }
}

/// A group.
#[derive(Debug)]
pub(crate) struct ConsumerGroup {
    pub(crate) id: GroupId,
    /// Kafka: groupEpoch.
    pub(crate) epoch: u32,
    /// The group epoch that the target assignment is of. Kafka: targetAssignmentEpoch.
    pub(crate) target_epoch: u32,
    /// When it was computed, in milliseconds of the clock; 0 lets the next one come at once.
    pub(super) target_ms: i64,
    pub(crate) members: BTreeMap<MemberId, Member>,
    /// The group epoch in which the coordinator last looked at what all members subscribe to.
    /// Kafka: metadataRefreshDeadline; what topics there are does not change here.
    pub(super) refreshed: Option<u32>,
}

inflight_des::clone_fields!(ConsumerGroup {
    id,
    epoch,
    target_epoch,
    target_ms,
    members,
    refreshed
});

impl ConsumerGroup {
    /// A group that nobody has heard of. Kafka: ModernGroup, TargetAssignmentMetadata.INITIAL.
    pub(crate) const fn new(id: GroupId) -> Self {
        let members = BTreeMap::new();
        Self { id, epoch: 1, target_epoch: 1, target_ms: 0, members, refreshed: None }
    }

    /// A record is true from here on. Returns whether the group is still there.
    /// Kafka: GroupMetadataManager.replay.
    pub(super) fn replay(&mut self, record: &ConsumerGroupRecord) -> bool {
        match record {
            ConsumerGroupRecord::Epoch(Some(epoch)) => self.epoch = *epoch,
            ConsumerGroupRecord::Epoch(None) => return false,
            ConsumerGroupRecord::Member(id, Some(metadata)) => {
                self.members.entry(*id).or_default().metadata = (**metadata).clone();
            }
            ConsumerGroupRecord::Member(id, None) => {
                self.members.remove(id);
            }
            ConsumerGroupRecord::TargetEpoch(epoch) => {
                (self.target_epoch, self.target_ms) = epoch.unwrap_or((1, 0));
            }
            ConsumerGroupRecord::Target(id, target) => {
                if let Some(member) = self.members.get_mut(id) {
                    member.target.clone_from(target);
                }
            }
            ConsumerGroupRecord::Current(id, current) => {
                if let Some(member) = self.members.get_mut(id) {
                    member.current = current.as_deref().cloned().unwrap_or_default();
                }
            }
        }
        true
    }

    /// Whether everybody has what they are to have. Kafka: ConsumerGroupState.STABLE.
    pub(crate) fn is_stable(&self) -> bool {
        let mut members = self.members.values();
        self.epoch == self.target_epoch
            && !self.members.is_empty()
            && members.all(|member| member.is_reconciled_to(self.target_epoch))
    }

    /// Whether all members subscribe to the same topics. Kafka: subscriptionType.
    fn is_homogeneous(&self) -> bool {
        let mut members = self.members.values();
        let first = members.next();
        first.is_none_or(|first| members.all(|it| it.metadata.topics == first.metadata.topics))
    }

    /// Whether some member has a partition, be it only until it gives it up.
    /// Kafka: currentPartitionEpoch.
    fn is_owned(&self, partition: TopicPartition) -> bool {
        self.members.values().any(|member| member.assignment_epoch(partition).is_some())
    }
}
