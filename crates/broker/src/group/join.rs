//! Members join, and rebalances begin. Kafka: GroupMetadataManager.classicGroupJoin and what it
//! calls.

use crate::group::classic::{ClassicGroup, GroupState, JoinTimer, Member, matches};
use crate::group::{Action, AfterWrite, Caller, Rules, refused};
use inflight_protocol::ErrorCode;
use inflight_protocol::fact::LeaveCause;
use inflight_protocol::message::{JoinGroupRequest, JoinedMember};
use inflight_protocol::transaction::MemberId;
use smallvec::SmallVec;

/// How long a new member may wait for its first rebalance.
/// Kafka: CLASSIC_GROUP_NEW_MEMBER_JOIN_TIMEOUT_MS.
const NEW_MEMBER_JOIN_TIMEOUT_MS: i64 = 300_000;

impl ClassicGroup {
    /// A consumer without a name gets one, and has to come again with it (KIP-394).
    /// Kafka: classicGroupJoinNewMember, classicGroupJoinNewDynamicMember.
    pub(super) fn join_new(
        &mut self,
        request: &JoinGroupRequest,
        (caller, id): (Caller, MemberId),
        (now_ms, rules): (i64, Rules),
        out: &mut Vec<Action>,
    ) {
        if self.is_full(None, rules) {
            return out.push(Action::Join(caller, refused(ErrorCode::GroupMaxSizeReached, None)));
        }
        if !self.supports(request.protocol) {
            let error = ErrorCode::InconsistentGroupProtocol;
            return out.push(Action::Join(caller, refused(error, None)));
        }
        self.pending_join.push((id, now_ms + i64::from(request.session_timeout_ms)));
        out.push(Action::Join(caller, refused(ErrorCode::MemberIdRequired, Some(id))));
    }

    /// Kafka: acceptJoiningMember.
    fn is_full(&self, id: Option<MemberId>, rules: Rules) -> bool {
        let member = id.and_then(|id| self.member(id));
        match self.state {
            GroupState::Empty => false,
            GroupState::PreparingRebalance => {
                let waiting = self.members.iter().filter(|m| m.awaiting_join.is_some()).count();
                let is_waiting = member.is_some_and(|member| member.awaiting_join.is_some());
                !is_waiting && waiting >= rules.max_size
            }
            GroupState::CompletingRebalance | GroupState::Stable => {
                member.is_none() && self.members.len() >= rules.max_size
            }
        }
    }

    /// A consumer comes with its name. Kafka: classicGroupJoinExistingMember.
    pub(super) fn join_named(
        &mut self,
        request: &JoinGroupRequest,
        (caller, id): (Caller, MemberId),
        (now_ms, rules): (i64, Rules),
        out: &mut Vec<Action>,
    ) {
        if self.is_full(Some(id), rules) {
            self.remove(id);
            return out.push(Action::Join(caller, refused(ErrorCode::GroupMaxSizeReached, None)));
        }
        if !self.supports(request.protocol) {
            let error = ErrorCode::InconsistentGroupProtocol;
            return out.push(Action::Join(caller, refused(error, Some(id))));
        }
        if self.pending_join.iter().any(|(pending, _)| *pending == id) {
            self.add(request, (caller, id), now_ms, out);
            return self.prepare_or_complete(now_ms, rules, out);
        }
        let Some(member) = self.member(id) else {
            let unknown = refused(ErrorCode::UnknownMemberId, Some(id));
            return out.push(Action::Join(caller, unknown));
        };
        let has_changed = !matches(member, request);
        let leads = self.leader == Some(id);
        match self.state {
            GroupState::Empty => {
                let unknown = refused(ErrorCode::UnknownMemberId, Some(id));
                return out.push(Action::Join(caller, unknown));
            }
            GroupState::CompletingRebalance if !has_changed => {
                return out.push(Action::Join(caller, self.join_response(id)));
            }
            GroupState::Stable if !leads && !has_changed => {
                return out.push(Action::Join(caller, self.join_response(id)));
            }
            GroupState::PreparingRebalance
            | GroupState::CompletingRebalance
            | GroupState::Stable => {}
        }
        if let Some(member) = self.member_mut(id) {
            member.joined.topics.clone_from(&request.topics);
            member.joined.owned.clone_from(&request.owned);
            member.joined.generation = request.generation;
            member.session_timeout_ms = request.session_timeout_ms;
            member.rebalance_timeout_ms = request.rebalance_timeout_ms;
            member.awaiting_join = Some(caller);
        }
        self.prepare_or_complete(now_ms, rules, out);
    }

    /// Kafka: addMemberThenRebalanceOrCompleteJoin, ClassicGroup.add.
    fn add(
        &mut self,
        request: &JoinGroupRequest,
        (caller, id): (Caller, MemberId),
        now_ms: i64,
        out: &mut Vec<Action>,
    ) {
        if self.state == GroupState::PreparingRebalance && self.was_empty {
            self.has_newcomer = true;
        }
        self.had_members = true;
        self.protocol = Some(request.protocol);
        self.leader.get_or_insert(id);
        self.members.push(Member {
            joined: JoinedMember {
                member: id,
                topics: request.topics.clone(),
                owned: request.owned.clone(),
                generation: request.generation,
            },
            session_timeout_ms: request.session_timeout_ms,
            rebalance_timeout_ms: request.rebalance_timeout_ms,
            assignment: SmallVec::new(),
            awaiting_join: Some(caller),
            awaiting_sync: None,
            is_new: true,
            expires_ms: now_ms + NEW_MEMBER_JOIN_TIMEOUT_MS,
        });
        self.pending_join.retain(|(pending, _)| *pending != id);
        out.push(Action::Joined(self.id, id));
    }

    /// Kafka: maybePrepareRebalanceOrCompleteJoin, maybeCompleteJoinPhase.
    pub(super) fn prepare_or_complete(&mut self, now_ms: i64, rules: Rules, out: &mut Vec<Action>) {
        if self.state != GroupState::PreparingRebalance {
            self.prepare_rebalance(now_ms, rules, out);
        } else if !self.was_empty && self.have_all_joined() {
            self.complete_join(now_ms, out);
        }
    }

    /// Kafka: prepareRebalance, maybeCompleteJoinElseSchedule.
    pub(super) fn prepare_rebalance(&mut self, now_ms: i64, rules: Rules, out: &mut Vec<Action>) {
        if self.state == GroupState::CompletingRebalance {
            for member in &mut self.members {
                member.assignment.clear();
            }
            self.propagate(Some(ErrorCode::RebalanceInProgress), now_ms, out);
        }
        self.pending_sync.clear();
        self.sync_timer_ms = None;
        let is_initial = self.state == GroupState::Empty;
        self.transition_to(GroupState::PreparingRebalance);
        if is_initial {
            let delay_ms = rules.initial_delay_ms;
            let remaining_ms = (self.rebalance_timeout_ms() - delay_ms).max(0);
            let timer = JoinTimer::Initial { delay_ms, remaining_ms };
            self.join_timer = Some((now_ms + delay_ms, timer));
        } else if self.have_all_joined() {
            self.complete_join(now_ms, out);
        } else {
            let at_ms = now_ms + self.rebalance_timeout_ms();
            self.join_timer = Some((at_ms, JoinTimer::Rebalance));
        }
    }

    /// Everybody has joined, or has had the time to: a new generation begins.
    /// Kafka: completeClassicGroupJoin, ClassicGroup.initNextGeneration.
    pub(super) fn complete_join(&mut self, now_ms: i64, out: &mut Vec<Action>) {
        self.join_timer = None;
        let late = self.members.iter().filter(|member| member.awaiting_join.is_none());
        let late: SmallVec<[MemberId; 4]> = late.map(Member::id).collect();
        for id in late {
            self.remove(id);
            out.push(Action::Removed(self.id, id, LeaveCause::RebalanceTimeout));
        }
        self.generation += 1;
        self.pending_sync.clear();
        let members = self.members.len() as u32;
        out.push(Action::Rebalanced(self.id, self.generation, members));
        if self.members.is_empty() {
            self.protocol = None;
            self.transition_to(GroupState::Empty);
            out.push(Action::Write(self.value(&[]), AfterWrite::Nothing));
            return;
        }
        self.transition_to(GroupState::CompletingRebalance);
        for index in 0..self.members.len() {
            let id = self.members[index].id();
            let response = self.join_response(id);
            let member = &mut self.members[index];
            if let Some(caller) = member.awaiting_join.take() {
                out.push(Action::Join(caller, response));
            }
            member.expires_ms = now_ms + i64::from(member.session_timeout_ms);
            member.is_new = false;
            self.pending_sync.push(id);
        }
        self.sync_timer_ms = Some(now_ms + self.rebalance_timeout_ms());
    }
}
