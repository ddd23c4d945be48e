//! Heartbeats of a member. Kafka: clients/consumer/internals/{AbstractHeartbeatRequestManager,
//! ConsumerHeartbeatRequestManager, HeartbeatRequestState}.

use super::events::BackgroundEvent;
use super::membership::Membership;
use super::reconcile::LocalAssignment;
use super::request_state::RequestState;
use crate::consumer::Consumer;
use crate::env::Ctx;
use crate::network::Outcome;
use crate::request::Purpose;
use crate::subscription::TopicList;
use inflight_protocol::config::ServerAssignor;
use inflight_protocol::fact::{MembershipState, SendError};
use inflight_protocol::message::{ConsumerGroupHeartbeatRequest, Request, Response};
use inflight_protocol::{ConsumerConfig, ErrorCode};

/// When heartbeats are due, and what the last one said.
#[derive(Clone, Debug)]
pub(super) struct Heartbeats {
    state: RequestState,
    /// As the coordinator names it.
    pub(super) interval_ms: i64,
    due_ms: i64,
    /// When max.poll.interval.ms is over.
    poll_over_ms: i64,
    sent: SentFields,
}

/// What the coordinator was told, which is not told again.
/// Kafka: ConsumerHeartbeatRequestManager.HeartbeatState.SentFields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct SentFields {
    rebalance_timeout_ms: Option<u32>,
    topics: Option<TopicList>,
    assignor: Option<ServerAssignor>,
    local: Option<LocalAssignment>,
}

impl Heartbeats {
    pub(super) fn new(config: &ConsumerConfig, now_ms: i64) -> Self {
        Self {
            state: RequestState::new(config),
            interval_ms: 0,
            due_ms: now_ms,
            poll_over_ms: now_ms.saturating_add(config.max_poll_interval_ms),
            sent: SentFields::default(),
        }
    }

    pub(super) fn next_ms(
        &self,
        membership: &Membership,
        now_ms: i64,
        has_coordinator: bool,
    ) -> Option<i64> {
        if membership.is_out() || !has_coordinator {
            return None;
        }
        let poll_over = (!membership.is_leaving()).then_some(self.poll_over_ms);
        let beat = self.state.next_ms(now_ms).map(|at_ms| at_ms.max(self.due_ms));
        poll_over.into_iter().chain(beat).min()
    }

    /// How long the application's thread may wait for fetches. Kafka: maximumTimeToWait.
    pub(super) fn longest_wait_ms(
        &self,
        membership: &Membership,
        now_ms: i64,
        has_coordinator: bool,
    ) -> i64 {
        if membership.state == MembershipState::Unsubscribed {
            return i64::MAX;
        }
        if now_ms >= self.poll_over_ms {
            return 0;
        }
        if !has_coordinator || membership.is_out() {
            return self.interval_ms;
        }
        if membership.is_in_a_hurry() && !self.state.is_in_flight() {
            return 0;
        }
        let left_ms = self.state.next_ms(now_ms).map_or(0, |at_ms| at_ms - now_ms);
        let wait_ms = if now_ms >= self.due_ms { left_ms } else { self.due_ms - now_ms };
        wait_ms.min((self.poll_over_ms - now_ms) / 2)
    }

    /// Kafka: updateHeartbeatIntervalMs.
    fn update_interval(&mut self, interval_ms: i64, now_ms: i64) {
        if self.interval_ms != interval_ms {
            self.interval_ms = interval_ms;
            self.due_ms = now_ms + interval_ms;
        }
    }
}

impl Consumer {
    /// Sends a heartbeat if it is time to. Kafka: AbstractHeartbeatRequestManager.poll.
    pub(super) fn poll_heartbeat(&mut self, ctx: &mut Ctx<'_, '_>) {
        if self.back().lookup.node.is_none() || self.back().membership.is_out() {
            self.heartbeat_skipped(ctx);
            if let Some(error) = self.back().lookup.fatal.take() {
                self.back().events.push_back(BackgroundEvent::Failed(error));
            }
            return;
        }
        let Heartbeats { state, due_ms, poll_over_ms, .. } = self.back().heartbeats;
        let membership = &self.back().membership;
        if ctx.now_ms >= poll_over_ms && !membership.is_leaving() {
            self.transition_to_sending_leave(ctx, true);
            self.make_heartbeat(ctx, false);
            let heartbeats = &mut self.back().heartbeats;
            heartbeats.state.reset();
            heartbeats.sent = SentFields::default();
            return;
        }
        let is_leaving = membership.state == MembershipState::Leaving;
        let at_once = is_leaving || membership.is_in_a_hurry() && !state.is_in_flight();
        if at_once || ctx.now_ms >= due_ms && state.can_send(ctx.now_ms) {
            self.make_heartbeat(ctx, true);
        }
    }

    /// Kafka: makeHeartbeatRequest.
    fn make_heartbeat(&mut self, ctx: &mut Ctx<'_, '_>, counts: bool) {
        let Some(node) = self.back().lookup.node else { return };
        let request = self.build_heartbeat(ctx);
        let heartbeats = &mut self.back().heartbeats;
        heartbeats.state.sent();
        heartbeats.due_ms = ctx.now_ms + heartbeats.interval_ms;
        self.heartbeat_generated(ctx);
        let peer = self.network.coordinator(node);
        let timeout_ms = ctx.env.config.request_timeout_ms;
        let request = Request::ConsumerGroupHeartbeat(Box::new(request));
        self.network.send(ctx, peer, request, Purpose::MemberHeartbeat { counts }, timeout_ms);
    }

    /// Says what has changed since the last heartbeat, or everything to join.
    /// Kafka: HeartbeatState.buildRequestData.
    fn build_heartbeat(&mut self, ctx: &Ctx<'_, '_>) -> ConsumerGroupHeartbeatRequest {
        let config = ctx.env.config;
        let topics = self.subscriptions.topics().clone();
        let back = self.back();
        let membership = &back.membership;
        let now = SentFields {
            rebalance_timeout_ms: Some(config.max_poll_interval_ms as u32),
            topics: Some(topics),
            assignor: config.group_remote_assignor,
            local: Some(membership.current.clone()),
        };
        let before = std::mem::take(&mut back.heartbeats.sent);
        let tells_all = membership.state == MembershipState::Joining;
        let is_news = |differs: bool| tells_all || differs;
        let owned = now.local.as_ref().filter(|_| is_news(now.local != before.local));
        let topics = now.topics.as_ref().filter(|_| is_news(now.topics != before.topics));
        let is_timeout_news = is_news(now.rebalance_timeout_ms != before.rebalance_timeout_ms);
        let request = ConsumerGroupHeartbeatRequest {
            group: back.group,
            member: membership.id,
            epoch: membership.epoch,
            rebalance_timeout_ms: now.rebalance_timeout_ms.filter(|_| is_timeout_news),
            topics: topics.cloned(),
            assignor: now.assignor.filter(|_| is_news(now.assignor != before.assignor)),
            owned: owned.map(|local| local.partitions.clone()),
        };
        back.heartbeats.sent = now;
        request
    }

    /// Kafka: AbstractHeartbeatRequestManager.onResponse, onFailure.
    pub(super) fn beat_answered(&mut self, ctx: &mut Ctx<'_, '_>, outcome: Outcome) {
        let stream = ctx.streams.heartbeat_backoff;
        let now_ms = ctx.now_ms;
        match outcome {
            Outcome::Response(Response::ConsumerGroupHeartbeat(response)) => match response.error {
                None => {
                    let heartbeats = &mut self.back().heartbeats;
                    let interval_ms = i64::from(response.heartbeat_interval_ms);
                    heartbeats.update_interval(interval_ms, now_ms);
                    heartbeats.state.succeeded(now_ms, (ctx.turn.chance(), stream));
                    self.heartbeat_succeeded(ctx, &response);
                }
                Some(error) => {
                    self.beat_has_failed(ctx);
                    self.heartbeat_refused(ctx, error);
                    self.heartbeat_failed();
                }
            },
            other => {
                self.beat_has_failed(ctx);
                self.coordinator_lost(&other);
                self.heartbeat_failed();
            }
        }
    }

    /// The next heartbeat says everything, after a backoff. Kafka: onFailedAttempt.
    fn beat_has_failed(&mut self, ctx: &mut Ctx<'_, '_>) {
        let stream = ctx.streams.heartbeat_backoff;
        let heartbeats = &mut self.back().heartbeats;
        heartbeats.sent = SentFields::default();
        heartbeats.due_ms = ctx.now_ms;
        heartbeats.state.failed(ctx.now_ms, (ctx.turn.chance(), stream));
    }

    /// Kafka: onErrorResponse.
    fn heartbeat_refused(&mut self, ctx: &mut Ctx<'_, '_>, error: ErrorCode) {
        match error {
            ErrorCode::NotCoordinator | ErrorCode::CoordinatorNotAvailable => {
                self.mark_coordinator_unknown();
                self.back().heartbeats.state.reset();
            }
            ErrorCode::CoordinatorLoadInProgress => {}
            ErrorCode::FencedMemberEpoch | ErrorCode::UnknownMemberId => {
                self.transition_to_fenced(ctx);
                self.back().heartbeats.state.reset();
            }
            ErrorCode::TopicAuthorizationFailed => {
                let error = BackgroundEvent::Failed(SendError::Code(error));
                self.back().events.push_back(error);
            }
            ErrorCode::GroupIdNotFound
                if self.back().membership.state == MembershipState::Unsubscribed => {}
            _ => self.transition_to_fatal(ctx, SendError::Code(error)),
        }
    }

    /// The application has called poll(). Kafka: resetPollTimer.
    pub(super) fn reset_poll_timer(&mut self, ctx: &mut Ctx<'_, '_>) {
        if ctx.now_ms >= self.back().heartbeats.poll_over_ms {
            self.maybe_rejoin_stale(ctx);
        }
        let over_ms = ctx.now_ms.saturating_add(ctx.env.config.max_poll_interval_ms);
        self.back().heartbeats.poll_over_ms = over_ms;
    }
}
