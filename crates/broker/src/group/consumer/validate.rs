//! Whether a member may do what it asks for. Kafka: ConsumerGroup.validateOffsetCommit,
//! validateOffsetFetch, GroupMetadataManager.throwIfConsumerGroupMemberEpochIsInvalid,
//! GroupCoordinatorService.throwIfConsumerGroupHeartbeatRequestIsInvalid.

use super::{ConsumerGroup, Member};
use crate::group::Rules;
use inflight_protocol::message::{ConsumerGroupHeartbeatRequest, GroupIdentity};
use inflight_protocol::{ErrorCode, TopicPartition};

/// Whether a heartbeat is one that anybody could send, whatever group there is.
/// Kafka: throwIfConsumerGroupHeartbeatRequestIsInvalid.
pub(crate) fn check_request(
    request: &ConsumerGroupHeartbeatRequest,
    rules: Rules,
) -> Result<(), ErrorCode> {
    let is_complete = request.rebalance_timeout_ms.is_some()
        && request.topics.is_some()
        && request.owned.as_ref().is_some_and(|owned| owned.is_empty());
    if request.epoch == Some(0) && !is_complete {
        return Err(ErrorCode::InvalidRequest);
    }
    let known = rules.consumer.assignors.list();
    if request.assignor.is_some_and(|assignor| !known.contains(&assignor)) {
        return Err(ErrorCode::UnsupportedAssignor);
    }
    Ok(())
}

impl ConsumerGroup {
    /// Whether offsets of these partitions may be committed, in a transaction or not. A member of
    /// an older epoch may commit what it has had since (KIP-1251).
    pub(in crate::group) fn check_commit(
        &self,
        identity: GroupIdentity,
        mut partitions: impl Iterator<Item = TopicPartition>,
        in_transaction: bool,
    ) -> Result<(), ErrorCode> {
        let Some((id, epoch)) = identity.member else {
            let is_allowed = in_transaction || self.members.is_empty();
            return if is_allowed { Ok(()) } else { Err(ErrorCode::UnknownMemberId) };
        };
        let member = self.members.get(&id).ok_or(ErrorCode::UnknownMemberId)?;
        if epoch == member.current.epoch {
            return Ok(());
        }
        let has_had = |partition| member.assignment_epoch(partition).is_some_and(|at| at <= epoch);
        if epoch > member.current.epoch || !partitions.all(has_had) {
            return Err(ErrorCode::StaleMemberEpoch);
        }
        Ok(())
    }

    /// Whether committed offsets may be told.
    pub(in crate::group) fn check_fetch(&self, identity: GroupIdentity) -> Result<(), ErrorCode> {
        let Some((id, epoch)) = identity.member else { return Ok(()) };
        let member = self.members.get(&id).ok_or(ErrorCode::UnknownMemberId)?;
        if epoch != member.current.epoch {
            return Err(ErrorCode::StaleMemberEpoch);
        }
        Ok(())
    }
}

impl Member {
    /// Whether a heartbeat of this epoch is the member's. One of the epoch before is, if the member
    /// owns nothing that it should not: the answer with the greater epoch may have been lost.
    pub(super) fn check_epoch(
        &self,
        epoch: u32,
        owned: Option<&[TopicPartition]>,
    ) -> Result<(), ErrorCode> {
        if epoch == 0 || epoch == self.current.epoch {
            return Ok(());
        }
        let is_assigned =
            |id: &TopicPartition| self.current.assigned.iter().any(|(assigned, _)| assigned == id);
        let is_subset = owned.is_some_and(|owned| owned.iter().all(is_assigned));
        if self.current.previous_epoch == Some(epoch) && epoch < self.current.epoch && is_subset {
            return Ok(());
        }
        Err(ErrorCode::FencedMemberEpoch)
    }
}
