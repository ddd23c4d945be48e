//! The member's place in its group, and how it changes.
//! Kafka: clients/consumer/internals/{AbstractMembershipManager, ConsumerMembershipManager}.

use super::events::{AfterRemoved, BackgroundEvent};
use super::reconcile::{LocalAssignment, Reconciliation};
use crate::consumer::Consumer;
use crate::coordinator::join::Partitions;
use crate::env::Ctx;
use crate::subscription::TopicList;
use inflight_protocol::fact::{MembershipState, RevokeCause, SendError};
use inflight_protocol::message::{ConsumerGroupHeartbeatResponse, GroupIdentity};
use inflight_protocol::transaction::MemberId;
use inflight_protocol::{Fact, FactKind};

/// A member of a group, or somebody who may become one.
#[derive(Clone, Debug)]
pub(super) struct Membership {
    /// Its name, which it took itself.
    pub(super) id: MemberId,
    pub(super) state: MembershipState,
    /// 0 to join, `None` to leave.
    pub(super) epoch: Option<u32>,
    /// What the coordinator wants the member to have.
    pub(super) target: LocalAssignment,
    /// What it has, as far as the coordinator is told.
    pub(super) current: LocalAssignment,
    /// On the way from one to the other. Kafka: reconciliationInProgress.
    pub(super) reconciliation: Option<Reconciliation>,
    /// Kafka: rejoinedWhileReconciliationInProgress.
    pub(super) has_rejoined: bool,
    /// Topics whose names are known although the metadata may have lost them.
    /// Kafka: assignedTopicNamesCache.
    pub(super) named_topics: TopicList,
    /// Kafka: subscriptionUpdated.
    pub(super) is_subscription_new: bool,
    /// max.poll.interval.ms is over.
    is_poll_late: bool,
    /// A stale member whose partitions are given up. Kafka: staleMemberAssignmentRelease.
    is_released: bool,
    /// A stale member that is to join again once its partitions are given up.
    wants_to_rejoin: bool,
    /// The answer to the last farewell does not matter any more. Kafka: leaveGroupInProgress.
    pub(super) is_leave_pending: bool,
}

impl Membership {
    pub(super) fn new(id: MemberId) -> Self {
        Self {
            id,
            state: MembershipState::Unsubscribed,
            epoch: Some(0),
            target: LocalAssignment::default(),
            current: LocalAssignment::default(),
            reconciliation: None,
            has_rejoined: false,
            named_topics: TopicList::new(),
            is_subscription_new: false,
            is_poll_late: false,
            is_released: false,
            wants_to_rejoin: false,
            is_leave_pending: false,
        }
    }

    /// Kafka: isNotInGroup, shouldSkipHeartbeat.
    pub(super) const fn is_out(&self) -> bool {
        matches!(
            self.state,
            MembershipState::Unsubscribed
                | MembershipState::Fenced
                | MembershipState::Fatal
                | MembershipState::Stale
        )
    }

    /// Kafka: isLeavingGroup.
    pub(super) const fn is_leaving(&self) -> bool {
        matches!(self.state, MembershipState::PrepareLeaving | MembershipState::Leaving)
    }

    /// Kafka: shouldHeartbeatNow.
    pub(super) const fn is_in_a_hurry(&self) -> bool {
        matches!(
            self.state,
            MembershipState::Acknowledging | MembershipState::Leaving | MembershipState::Joining
        )
    }
}

impl Consumer {
    /// Kafka: transitionTo.
    pub(super) fn transition(&mut self, ctx: &mut Ctx<'_, '_>, to: MembershipState) {
        let consumer = self.id;
        let back = self.back();
        back.moves += 1;
        let from = std::mem::replace(&mut back.membership.state, to);
        if from != to {
            ctx.turn.did(FactKind::MemberStateChanged.set(), || Fact::MemberStateChanged {
                consumer,
                from,
                to,
            });
        }
    }

    /// Kafka: updateMemberEpoch with its listeners.
    pub(super) fn update_epoch(&mut self, epoch: Option<u32>) {
        let back = self.back();
        let group = back.group;
        back.membership.epoch = epoch;
        let valid = epoch.filter(|epoch| *epoch > 0);
        back.commits.member = valid.map(|epoch| (back.membership.id, epoch));
        if valid.is_some() {
            back.identity = GroupIdentity { group, member: back.commits.member };
        }
    }

    /// Kafka: onConsumerPoll.
    pub(super) fn membership_polled(&mut self, ctx: &mut Ctx<'_, '_>) {
        let membership = &mut self.back().membership;
        let is_new = std::mem::take(&mut membership.is_subscription_new);
        if is_new && membership.state == MembershipState::Unsubscribed {
            self.transition_to_joining(ctx);
        }
    }

    /// Kafka: transitionToJoining.
    pub(super) fn transition_to_joining(&mut self, ctx: &mut Ctx<'_, '_>) {
        let membership = &mut self.back().membership;
        if membership.state == MembershipState::Fatal {
            return;
        }
        membership.has_rejoined = membership.reconciliation.is_some();
        self.update_epoch(Some(0));
        self.transition(ctx, MembershipState::Joining);
        self.forget_target();
    }

    fn forget_target(&mut self) {
        let membership = &mut self.back().membership;
        membership.target = LocalAssignment::default();
        membership.named_topics.clear();
    }

    /// Kafka: onHeartbeatSuccess.
    pub(super) fn heartbeat_succeeded(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        response: &ConsumerGroupHeartbeatResponse,
    ) {
        let membership = &mut self.back().membership;
        if membership.state == MembershipState::Leaving {
            return;
        }
        if membership.state == MembershipState::Unsubscribed && response.epoch.is_none() {
            membership.is_leave_pending = false;
            return;
        }
        if membership.is_out() {
            return;
        }
        if response.epoch.is_none() {
            membership.is_leave_pending = false;
            return;
        }
        let state = membership.state;
        self.update_epoch(response.epoch);
        // Kafka: MemberState.canHandleNewAssignment.
        let can_take = matches!(
            state,
            MembershipState::Joining
                | MembershipState::Reconciling
                | MembershipState::Acknowledging
                | MembershipState::Stable
        );
        if let Some(assignment) = response.assignment.as_ref().filter(|_| can_take) {
            self.assignment_received(ctx, assignment);
        }
    }

    /// Kafka: processAssignmentReceived.
    fn assignment_received(&mut self, ctx: &mut Ctx<'_, '_>, assignment: &Partitions) {
        let membership = &mut self.back().membership;
        membership.target.update_with(assignment);
        let is_reconciled = membership.current == membership.target;
        let state = membership.state;
        if !is_reconciled {
            self.transition(ctx, MembershipState::Reconciling);
        } else if matches!(state, MembershipState::Reconciling | MembershipState::Joining) {
            self.transition(ctx, MembershipState::Stable);
        }
    }

    /// A heartbeat has failed for good, or for now. Kafka: onHeartbeatFailure.
    pub(super) fn heartbeat_failed(&mut self) {
        let membership = &mut self.back().membership;
        if membership.state == MembershipState::Unsubscribed {
            membership.is_leave_pending = false;
        }
    }

    /// The coordinator does not know the member, or knows it in another epoch: it gives up what it
    /// has and joins again. Kafka: transitionToFenced.
    pub(super) fn transition_to_fenced(&mut self, ctx: &mut Ctx<'_, '_>) {
        let membership = &mut self.back().membership;
        match membership.state {
            MembershipState::Unsubscribed => return,
            MembershipState::PrepareLeaving | MembershipState::Leaving => {
                membership.is_leave_pending = false;
                return self.transition(ctx, MembershipState::Unsubscribed);
            }
            _ => {}
        }
        self.transition(ctx, MembershipState::Fenced);
        self.update_epoch(Some(0));
        self.lose_partitions(ctx, AfterRemoved::Rejoin);
    }

    /// Only close() helps. Kafka: handleFatalFailure, transitionToFatal.
    pub(super) fn transition_to_fatal(&mut self, ctx: &mut Ctx<'_, '_>, error: SendError) {
        self.back().events.push_back(BackgroundEvent::Failed(error));
        let was_leaving = self.back().membership.is_leaving()
            || self.back().membership.state == MembershipState::Unsubscribed;
        self.transition(ctx, MembershipState::Fatal);
        self.back().commits.member = None;
        if was_leaving {
            self.back().membership.is_leave_pending = false;
        } else {
            self.lose_partitions(ctx, AfterRemoved::Forget);
        }
    }

    /// Kafka: signalPartitionsLost.
    fn lose_partitions(&mut self, ctx: &mut Ctx<'_, '_>, then: AfterRemoved) {
        let owned: Partitions =
            self.subscriptions.assigned().iter().map(|state| state.partition).collect();
        self.subscriptions.mark_pending_revocation_of(&owned);
        self.remove_partitions(ctx, (owned, RevokeCause::Lost), then);
    }

    /// Kafka: clearAssignment.
    pub(super) fn clear_assignment(&mut self) {
        if self.subscriptions.is_auto_assigned() {
            self.subscriptions.assign_from_subscribed(&[]);
        }
        self.back().membership.current = LocalAssignment::default();
        self.forget_target();
    }

    /// The member says goodbye with its next heartbeat. Kafka: transitionToSendingLeaveGroup.
    pub(super) fn transition_to_sending_leave(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        is_poll_late: bool,
    ) {
        let membership = &mut self.back().membership;
        if matches!(membership.state, MembershipState::Fatal | MembershipState::Unsubscribed) {
            return;
        }
        if is_poll_late {
            membership.is_poll_late = true;
            self.transition(ctx, MembershipState::PrepareLeaving);
        }
        self.update_epoch(None);
        self.back().membership.current = LocalAssignment::default();
        self.transition(ctx, MembershipState::Leaving);
    }

    /// A heartbeat is on its way. Kafka: onHeartbeatRequestGenerated.
    pub(super) fn heartbeat_generated(&mut self, ctx: &mut Ctx<'_, '_>) {
        let membership = &mut self.back().membership;
        match membership.state {
            MembershipState::Acknowledging => {
                let is_reconciled = membership.current == membership.target;
                let to = match is_reconciled {
                    true => MembershipState::Stable,
                    false => MembershipState::Reconciling,
                };
                self.transition(ctx, to);
            }
            MembershipState::Leaving if membership.is_poll_late => {
                membership.is_released = false;
                membership.wants_to_rejoin = false;
                self.transition(ctx, MembershipState::Stale);
                self.lose_partitions(ctx, AfterRemoved::Release);
            }
            MembershipState::Leaving => self.transition(ctx, MembershipState::Unsubscribed),
            _ => {}
        }
    }

    /// A heartbeat could not be sent. Kafka: onHeartbeatRequestSkipped.
    pub(super) fn heartbeat_skipped(&mut self, ctx: &mut Ctx<'_, '_>) {
        if self.back().membership.state == MembershipState::Leaving {
            self.transition(ctx, MembershipState::Unsubscribed);
            self.back().membership.is_leave_pending = false;
        }
    }

    /// poll() was called after all. Kafka: maybeRejoinStaleMember.
    pub(super) fn maybe_rejoin_stale(&mut self, ctx: &mut Ctx<'_, '_>) {
        let membership = &mut self.back().membership;
        membership.is_poll_late = false;
        if membership.state == MembershipState::Stale {
            membership.wants_to_rejoin = true;
            self.rejoin_if_released(ctx);
        }
    }

    /// The partitions of a stale member are given up.
    pub(super) fn stale_released(&mut self, ctx: &mut Ctx<'_, '_>) {
        self.clear_assignment();
        self.back().membership.is_released = true;
        self.rejoin_if_released(ctx);
    }

    fn rejoin_if_released(&mut self, ctx: &mut Ctx<'_, '_>) {
        let membership = &mut self.back().membership;
        if membership.is_released && std::mem::take(&mut membership.wants_to_rejoin) {
            self.transition_to_joining(ctx);
        }
    }

    /// close(): the member leaves, and the listener has been called. Kafka: leaveGroupOnClose.
    pub(super) fn leave_with_close(&mut self, ctx: &mut Ctx<'_, '_>) {
        let membership = &mut self.back().membership;
        if membership.is_out() {
            if membership.state == MembershipState::Fenced {
                self.transition(ctx, MembershipState::Unsubscribed);
            }
            return self.clear_assignment();
        }
        if membership.is_leaving() {
            return;
        }
        membership.is_leave_pending = true;
        self.transition(ctx, MembershipState::PrepareLeaving);
        self.clear_assignment();
        self.transition_to_sending_leave(ctx, false);
    }
}
