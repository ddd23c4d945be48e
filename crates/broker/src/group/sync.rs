//! Assignments, signs of life, departures. Kafka: GroupMetadataManager.classicGroupSync,
//! classicGroupHeartbeat, classicGroupLeave.

use crate::group::classic::{ClassicGroup, GroupState};
use crate::group::{Action, AfterWrite, Caller, Rules, refused};
use inflight_protocol::ErrorCode;
use inflight_protocol::fact::LeaveCause;
use inflight_protocol::message::{SyncGroupRequest, SyncGroupResponse};
use inflight_protocol::transaction::{GroupMember, MemberId};
use smallvec::SmallVec;

/// A SyncGroup that is refused.
pub(super) fn sync_refused(error: ErrorCode) -> SyncGroupResponse {
    SyncGroupResponse { error: Some(error), assignment: SmallVec::new() }
}

impl ClassicGroup {
    /// Kafka: classicGroupSyncToClassicGroup.
    pub(super) fn sync(
        &mut self,
        request: &SyncGroupRequest,
        caller: Caller,
        out: &mut Vec<Action>,
    ) {
        let member = request.identity.member.ok_or(ErrorCode::UnknownMemberId);
        let checked = member.and_then(|(id, generation)| {
            self.check_member(id, generation)?;
            Ok(id)
        });
        let id = match checked {
            Ok(id) => id,
            Err(error) => return out.push(Action::Sync(caller, sync_refused(error))),
        };
        match self.state {
            GroupState::Empty => {
                out.push(Action::Sync(caller, sync_refused(ErrorCode::UnknownMemberId)));
            }
            GroupState::PreparingRebalance => {
                out.push(Action::Sync(caller, sync_refused(ErrorCode::RebalanceInProgress)));
            }
            GroupState::CompletingRebalance => {
                if let Some(member) = self.member_mut(id) {
                    member.awaiting_sync = Some(caller);
                }
                self.synced(id);
                if self.leader == Some(id) {
                    let value = self.value(&request.assignments);
                    out.push(Action::Write(value, AfterWrite::Assign(self.generation)));
                }
            }
            GroupState::Stable => {
                self.synced(id);
                let member = self.member(id);
                let assignment = member.map(|m| m.assignment.clone()).unwrap_or_default();
                out.push(Action::Sync(caller, SyncGroupResponse { error: None, assignment }));
            }
        }
    }

    fn synced(&mut self, id: MemberId) {
        self.pending_sync.retain(|pending| *pending != id);
    }

    /// The leader's assignment is committed, or is not. Kafka: the end of
    /// classicGroupSyncToClassicGroup.
    pub(super) fn assigned(
        &mut self,
        generation: u32,
        result: Result<&[GroupMember], ErrorCode>,
        (now_ms, rules): (i64, Rules),
        out: &mut Vec<Action>,
    ) {
        if self.state != GroupState::CompletingRebalance || self.generation != generation {
            return;
        }
        for member in &mut self.members {
            let given = result.unwrap_or_default().iter().find(|to| to.member == member.id());
            member.assignment = given.map(|given| given.assignment.clone()).unwrap_or_default();
        }
        self.propagate(result.err(), now_ms, out);
        match result {
            Ok(_) => self.transition_to(GroupState::Stable),
            Err(_) => self.prepare_or_complete(now_ms, rules, out),
        }
    }

    /// Returns what the member is answered. Kafka: classicGroupHeartbeatToClassicGroup.
    pub(super) fn heartbeat(
        &mut self,
        (id, generation): (MemberId, u32),
        now_ms: i64,
    ) -> Result<Option<ErrorCode>, ErrorCode> {
        self.check_member(id, generation)?;
        self.reschedule(id, now_ms);
        Ok(match self.state {
            GroupState::Empty => Some(ErrorCode::UnknownMemberId),
            GroupState::PreparingRebalance => Some(ErrorCode::RebalanceInProgress),
            GroupState::CompletingRebalance | GroupState::Stable => None,
        })
    }

    /// Returns what the member is answered. Kafka: classicGroupLeaveToClassicGroup.
    pub(super) fn leave(
        &mut self,
        id: MemberId,
        (now_ms, rules): (i64, Rules),
        out: &mut Vec<Action>,
    ) -> Option<ErrorCode> {
        if self.pending_join.iter().any(|(pending, _)| *pending == id) {
            self.remove(id);
        } else if self.member(id).is_some() {
            self.take_out(id, LeaveCause::Left, out);
        } else {
            return Some(ErrorCode::UnknownMemberId);
        }
        match self.state {
            GroupState::Stable
            | GroupState::CompletingRebalance
            | GroupState::PreparingRebalance => self.prepare_or_complete(now_ms, rules, out),
            GroupState::Empty => {}
        }
        None
    }

    /// Refuses whatever waits: this is not the coordinator.
    pub(super) fn unload(&mut self, out: &mut Vec<Action>) {
        let error = ErrorCode::NotCoordinator;
        for member in &mut self.members {
            if let Some(caller) = member.awaiting_join.take() {
                out.push(Action::Join(caller, refused(error, Some(member.id()))));
            }
            if let Some(caller) = member.awaiting_sync.take() {
                out.push(Action::Sync(caller, sync_refused(error)));
            }
        }
    }

    /// Removes a member, whose JoinGroup is refused if it waits.
    pub(super) fn take_out(&mut self, id: MemberId, why: LeaveCause, out: &mut Vec<Action>) {
        let caller = self.member_mut(id).and_then(|member| member.awaiting_join.take());
        if let Some(caller) = caller {
            out.push(Action::Join(caller, refused(ErrorCode::UnknownMemberId, None)));
        }
        self.remove(id);
        out.push(Action::Removed(self.id, id, why));
    }
}
