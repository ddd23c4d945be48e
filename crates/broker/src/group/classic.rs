//! A group of the classic protocol. Kafka: classic/{ClassicGroup, ClassicGroupMember,
//! ClassicGroupState}.

use crate::group::{Action, Caller};
use inflight_protocol::message::{
    GroupIdentity, JoinGroupRequest, JoinGroupResponse, JoinedMember, RebalanceProtocol,
    SyncGroupResponse,
};
use inflight_protocol::transaction::{GroupMember, GroupMetadataValue, MemberId, WrittenMember};
use inflight_protocol::{ErrorCode, GroupId, TopicPartition};
use smallvec::SmallVec;

/// Kafka: ClassicGroupState. A group is dead when it is removed, and then it is not here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GroupState {
    /// Without members.
    Empty,
    /// Waiting for the members to join.
    PreparingRebalance,
    /// Waiting for the leader's assignment.
    CompletingRebalance,
    /// Everybody has their partitions.
    Stable,
}

/// A member of a group. Kafka: ClassicGroupMember.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) joined: JoinedMember,
    pub(super) session_timeout_ms: u32,
    pub(super) rebalance_timeout_ms: u32,
    pub(super) assignment: SmallVec<[TopicPartition; 4]>,
    /// Who waits for the answer to JoinGroup.
    pub(super) awaiting_join: Option<Caller>,
    /// Who waits for the answer to SyncGroup.
    pub(super) awaiting_sync: Option<Caller>,
    /// Whether its first rebalance is going on.
    pub(super) is_new: bool,
    /// When the member is taken for dead, in milliseconds of the clock.
    pub(super) expires_ms: i64,
}

impl Member {
    pub(crate) const fn id(&self) -> MemberId {
        self.joined.member
    }
}

/// What happens when a rebalance has waited for long enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JoinTimer {
    /// The first rebalance of an empty group: others may come in the meantime.
    /// Kafka: tryCompleteInitialRebalanceElseSchedule.
    Initial {
        /// Of this wait.
        delay_ms: i64,
        /// For how long it may go on after it.
        remaining_ms: i64,
    },
    /// Members that have not rejoined are out.
    Rebalance,
}

/// A group.
#[derive(Debug)]
pub(crate) struct ClassicGroup {
    pub(crate) id: GroupId,
    pub(super) state: GroupState,
    pub(super) was_empty: bool,
    pub(super) generation: u32,
    /// Whether it ever had members. Kafka: protocolType.
    pub(super) had_members: bool,
    pub(super) protocol: Option<RebalanceProtocol>,
    pub(super) leader: Option<MemberId>,
    pub(super) members: Vec<Member>,
    /// Names that were given and not used, and until when they may be.
    pub(super) pending_join: Vec<(MemberId, i64)>,
    /// Members that have joined the generation and not sent SyncGroup.
    pub(super) pending_sync: Vec<MemberId>,
    pub(super) has_newcomer: bool,
    pub(super) join_timer: Option<(i64, JoinTimer)>,
    pub(super) sync_timer_ms: Option<i64>,
}

inflight_des::clone_fields!(ClassicGroup {
    id,
    state,
    was_empty,
    generation,
    had_members,
    protocol,
    leader,
    members,
    pending_join,
    pending_sync,
    has_newcomer,
    join_timer,
    sync_timer_ms,
});

impl ClassicGroup {
    /// A group without members.
    pub(crate) const fn new(id: GroupId) -> Self {
        Self {
            id,
            state: GroupState::Empty,
            was_empty: false,
            generation: 0,
            had_members: false,
            protocol: None,
            leader: None,
            members: Vec::new(),
            pending_join: Vec::new(),
            pending_sync: Vec::new(),
            has_newcomer: false,
            join_timer: None,
            sync_timer_ms: None,
        }
    }

    /// A group as it was written down; its members' sessions begin now.
    /// Kafka: GroupMetadataManager.replay and onLoaded.
    pub(crate) fn read(value: &GroupMetadataValue, now_ms: i64) -> Self {
        let members = value.members.iter().map(|written| Member {
            joined: written.joined.clone(),
            session_timeout_ms: written.session_timeout_ms,
            rebalance_timeout_ms: written.rebalance_timeout_ms,
            assignment: written.assigned.assignment.clone(),
            awaiting_join: None,
            awaiting_sync: None,
            is_new: false,
            expires_ms: now_ms + i64::from(written.session_timeout_ms),
        });
        let members: Vec<Member> = members.collect();
        let is_empty = members.is_empty();
        Self {
            state: if is_empty { GroupState::Empty } else { GroupState::Stable },
            generation: value.generation,
            had_members: true,
            protocol: value.protocol,
            leader: value.leader,
            members,
            ..Self::new(value.group)
        }
    }

    /// The group as it is to be written down, with these assignments.
    pub(super) fn value(&self, assignments: &[GroupMember]) -> GroupMetadataValue {
        let given = |id: MemberId| {
            let found = assignments.iter().find(|given| given.member == id);
            let assignment = found.map(|given| given.assignment.clone()).unwrap_or_default();
            GroupMember { member: id, assignment }
        };
        let members = self.members.iter().map(|member| WrittenMember {
            assigned: given(member.id()),
            joined: member.joined.clone(),
            session_timeout_ms: member.session_timeout_ms,
            rebalance_timeout_ms: member.rebalance_timeout_ms,
        });
        GroupMetadataValue {
            group: self.id,
            generation: self.generation,
            protocol: self.protocol,
            leader: self.leader,
            members: members.collect(),
        }
    }

    pub(crate) const fn state(&self) -> GroupState {
        self.state
    }

    pub(crate) const fn generation(&self) -> u32 {
        self.generation
    }

    /// The members.
    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }

    pub(super) fn member(&self, id: MemberId) -> Option<&Member> {
        self.members.iter().find(|member| member.id() == id)
    }

    pub(super) fn member_mut(&mut self, id: MemberId) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.id() == id)
    }

    pub(super) fn transition_to(&mut self, state: GroupState) {
        self.was_empty = self.state == GroupState::Empty;
        self.state = state;
    }

    /// Kafka: ClassicGroup.rebalanceTimeoutMs.
    pub(super) fn rebalance_timeout_ms(&self) -> i64 {
        self.members.iter().map(|member| member.rebalance_timeout_ms.into()).max().unwrap_or(0)
    }

    /// Kafka: hasAllMembersJoined.
    pub(super) fn have_all_joined(&self) -> bool {
        self.pending_join.is_empty()
            && self.members.iter().all(|member| member.awaiting_join.is_some())
    }

    /// Whether the group can do with a member's way of rebalancing. Kafka: supportsProtocols.
    pub(super) fn supports(&self, protocol: RebalanceProtocol) -> bool {
        self.members.is_empty() || self.protocol == Some(protocol)
    }

    /// A member lives. Kafka: rescheduleClassicGroupMemberHeartbeat.
    pub(super) fn reschedule(&mut self, id: MemberId, now_ms: i64) {
        if let Some(member) = self.member_mut(id) {
            member.expires_ms = now_ms + i64::from(member.session_timeout_ms);
        }
    }

    /// Takes a member out, whoever that makes the leader. Kafka: ClassicGroup.remove.
    pub(super) fn remove(&mut self, id: MemberId) {
        self.members.retain(|member| member.id() != id);
        if self.leader == Some(id) {
            self.leader = self.members.first().map(Member::id);
        }
        self.pending_join.retain(|(pending, _)| *pending != id);
        self.pending_sync.retain(|pending| *pending != id);
    }

    /// What the leader is told of the members. Kafka: currentClassicGroupMembers.
    pub(super) fn joined_members(&self) -> Vec<JoinedMember> {
        self.members.iter().map(|member| member.joined.clone()).collect()
    }

    /// The answer to a member that is in the generation.
    pub(super) fn join_response(&self, id: MemberId) -> JoinGroupResponse {
        let leads = self.leader == Some(id);
        JoinGroupResponse {
            error: None,
            generation: self.generation,
            member: Some(id),
            leader: self.leader,
            members: if leads { self.joined_members() } else { Vec::new() },
        }
    }

    /// Answers the SyncGroup of each member that waits. Kafka: propagateAssignment.
    pub(super) fn propagate(
        &mut self,
        error: Option<ErrorCode>,
        now_ms: i64,
        out: &mut Vec<Action>,
    ) {
        for member in &mut self.members {
            let Some(caller) = member.awaiting_sync.take() else { continue };
            let assignment = member.assignment.clone();
            out.push(Action::Sync(caller, SyncGroupResponse { error, assignment }));
            member.expires_ms = now_ms + i64::from(member.session_timeout_ms);
        }
    }

    /// Whether an offset may be committed, in a transaction or not.
    /// Kafka: ClassicGroup.validateOffsetCommit.
    pub(crate) fn check_commit(
        &self,
        identity: GroupIdentity,
        in_transaction: bool,
    ) -> Result<(), ErrorCode> {
        let Some((member, generation)) = identity.member else {
            let is_empty = self.state == GroupState::Empty;
            if !is_empty && !in_transaction {
                return Err(ErrorCode::UnknownMemberId);
            }
            return self.check_completing(in_transaction);
        };
        self.check_member(member, generation)?;
        self.check_completing(in_transaction)
    }

    fn check_completing(&self, in_transaction: bool) -> Result<(), ErrorCode> {
        if !in_transaction && self.state == GroupState::CompletingRebalance {
            return Err(ErrorCode::RebalanceInProgress);
        }
        Ok(())
    }

    /// Kafka: validateMember and the comparison of generations.
    pub(super) fn check_member(&self, id: MemberId, generation: u32) -> Result<(), ErrorCode> {
        self.member(id).ok_or(ErrorCode::UnknownMemberId)?;
        if generation != self.generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        Ok(())
    }
}

/// Whether a member has nothing new to say. Kafka: ClassicGroupMember.matches.
pub(super) fn matches(member: &Member, request: &JoinGroupRequest) -> bool {
    member.joined.topics == request.topics
        && member.joined.owned == request.owned
        && member.joined.generation == request.generation
}
