//! A member goes, of its own will or not. Kafka: GroupMetadataManager.consumerGroupLeave,
//! consumerGroupFenceMember.

use super::ConsumerGroup;
use crate::group::Action;
use inflight_protocol::consumer_group::ConsumerGroupRecord;
use inflight_protocol::fact::LeaveCause;
use inflight_protocol::transaction::MemberId;

impl ConsumerGroup {
    /// What is to be written when a member of the group goes.
    pub(in crate::group) fn fence(&self, id: MemberId, why: LeaveCause, out: &mut Vec<Action>) {
        let epoch = self.epoch + 1;
        let mut records = vec![
            ConsumerGroupRecord::Current(id, None),
            ConsumerGroupRecord::Target(id, None),
            ConsumerGroupRecord::Member(id, None),
            ConsumerGroupRecord::Epoch(Some(epoch)),
        ];
        let left = self.members.len() - 1;
        if left == 0 {
            // As in a new group, the next assignment does not wait.
            records.push(ConsumerGroupRecord::TargetEpoch(Some((epoch, 0))));
        }
        out.push(Action::Removed(self.id, id, why));
        out.push(Action::Rebalanced(self.id, epoch, left as u32));
        out.push(Action::WriteConsumerGroup(self.id, records));
    }
}
