//! Signs of life, and what happens when they fail. Kafka: Heartbeat, AbstractCoordinator's
//! HeartbeatThread.
//!
//! The thread looks every retry.backoff.ms. Looks at which nothing is due are left out here.

use crate::consumer::Consumer;
use crate::coordinator::generation::{Generation, MemberState, ResetMember};
use crate::coordinator::lookup::FindCoordinator;
use crate::env::Ctx;
use crate::network::Outcome;
use crate::request::Purpose;
use inflight_client::backoff::ExponentialBackoff;
use inflight_protocol::fact::SendError;
use inflight_protocol::message::{Request, Response};
use inflight_protocol::{ConsumerConfig, ErrorCode};

/// The timers of a member, and the thread that goes by them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heartbeat {
    backoff: ExponentialBackoff,
    tick_ms: i64,
    is_enabled: bool,
    /// When the thread looks again, unless it is woken.
    next_tick_ms: i64,
    is_notified: bool,
    attempts: u32,
    heartbeat_due_ms: i64,
    session_over_ms: i64,
    poll_over_ms: i64,
    /// What ended the thread: the next poll() throws it. Kafka: failureCause.
    failure: Option<SendError>,
}

impl Heartbeat {
    pub(crate) fn new(config: &ConsumerConfig, now_ms: i64) -> Self {
        Self {
            backoff: ExponentialBackoff::new(config.retry_backoff_ms, config.retry_backoff_max_ms),
            tick_ms: config.retry_backoff_ms.max(1),
            is_enabled: false,
            next_tick_ms: now_ms,
            is_notified: false,
            attempts: 0,
            heartbeat_due_ms: now_ms + config.heartbeat_interval_ms,
            session_over_ms: now_ms + config.session_timeout_ms,
            poll_over_ms: now_ms + config.max_poll_interval_ms,
            failure: None,
        }
    }

    /// The thread goes to work. Kafka: HeartbeatThread.enable, Heartbeat.resetTimeouts.
    pub(crate) fn enable(&mut self, ctx: &Ctx<'_, '_>) {
        let config = ctx.env.config;
        self.is_enabled = true;
        self.is_notified = true;
        self.session_over_ms = ctx.now_ms + config.session_timeout_ms;
        self.poll_over_ms = ctx.now_ms + config.max_poll_interval_ms;
        self.heartbeat_due_ms = ctx.now_ms + config.heartbeat_interval_ms;
    }

    /// Kafka: closeHeartbeatThread.
    pub(crate) fn close(&mut self) {
        self.is_enabled = false;
    }

    /// Kafka: resetSessionTimeout.
    pub(crate) fn reset_session_timeout(&mut self, ctx: &Ctx<'_, '_>) {
        self.session_over_ms = ctx.now_ms + ctx.env.config.session_timeout_ms;
    }

    /// The application has called poll(), which throws what has ended the thread.
    /// Kafka: pollHeartbeat.
    pub(crate) fn polled(&mut self, ctx: &Ctx<'_, '_>) -> Result<(), SendError> {
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        if self.is_enabled && ctx.now_ms >= self.heartbeat_due_ms {
            self.is_notified = true;
        }
        self.poll_over_ms = ctx.now_ms + ctx.env.config.max_poll_interval_ms;
        Ok(())
    }

    /// Kafka: timeToNextHeartbeat.
    pub(crate) fn due_ms(&self) -> i64 {
        self.heartbeat_due_ms
    }

    fn sent(&mut self, ctx: &Ctx<'_, '_>) {
        self.heartbeat_due_ms = ctx.now_ms + ctx.env.config.heartbeat_interval_ms;
    }

    fn received(&mut self, ctx: &Ctx<'_, '_>) {
        self.attempts = 0;
        self.reset_session_timeout(ctx);
    }

    fn failed(&mut self, ctx: &mut Ctx<'_, '_>) {
        let stream = ctx.streams.heartbeat_backoff;
        let wait_ms = self.backoff.draw(self.attempts, ctx.turn.chance(), stream);
        self.attempts += 1;
        self.heartbeat_due_ms = ctx.now_ms + wait_ms;
        self.is_notified = true;
    }

    /// The first look of the thread at which something that is due at `due_ms` is seen.
    fn look_at(&self, due_ms: i64) -> i64 {
        if due_ms <= self.next_tick_ms {
            return self.next_tick_ms;
        }
        let behind = due_ms - self.next_tick_ms;
        let ticks = behind / self.tick_ms + i64::from(behind % self.tick_ms != 0);
        self.next_tick_ms + ticks * self.tick_ms
    }
}

impl Consumer {
    /// When the heartbeat thread has something to do, if it runs. What has arrived it sees at its
    /// next look, and so it does lost connections and other matters of the network.
    pub(crate) fn heartbeat_wakes(&self, now_ms: i64, network_ms: i64) -> Option<i64> {
        let coordinator = self.coordinator.as_ref()?;
        let heartbeat = &coordinator.heartbeat;
        if !heartbeat.is_enabled {
            return None;
        }
        if heartbeat.is_notified {
            return Some(now_ms);
        }
        let due_ms = match coordinator.node {
            None => heartbeat.next_tick_ms,
            Some(_) => heartbeat
                .heartbeat_due_ms
                .min(heartbeat.session_over_ms)
                .min(heartbeat.poll_over_ms),
        };
        Some(heartbeat.look_at(due_ms.min(network_ms)))
    }

    /// One look of the heartbeat thread, if it is time for one. Returns whether there was one.
    /// Kafka: HeartbeatThread.run.
    pub(crate) fn run_heartbeat_thread(&mut self, ctx: &mut Ctx<'_, '_>) -> bool {
        let network_ms = self.network.next_ms(ctx.now_ms, &mut self.metadata);
        let is_due =
            self.heartbeat_wakes(ctx.now_ms, network_ms).is_some_and(|at| at <= ctx.now_ms);
        if !is_due {
            return false;
        }
        let Some(coordinator) = &mut self.coordinator else { return false };
        coordinator.heartbeat.is_notified = false;
        coordinator.heartbeat.next_tick_ms = ctx.now_ms + coordinator.heartbeat.tick_ms;
        if coordinator.state.has_not_joined() {
            coordinator.heartbeat.is_enabled = false;
            return true;
        }
        self.poll_network(ctx);
        let node = self.coordinator_node(ctx);
        let Some(coordinator) = &mut self.coordinator else { return false };
        if coordinator.state.has_not_joined() {
            coordinator.heartbeat.is_notified = true;
            return true;
        }
        let heartbeat = &mut coordinator.heartbeat;
        if node.is_none() {
            match coordinator.find {
                FindCoordinator::None => {
                    self.look_up_coordinator(ctx);
                }
                FindCoordinator::Asked | FindCoordinator::Answered(_) => {
                    coordinator.find = FindCoordinator::None;
                }
            }
        } else if ctx.now_ms >= heartbeat.session_over_ms {
            heartbeat.is_notified = true;
            self.drop_coordinator();
        } else if ctx.now_ms >= heartbeat.poll_over_ms {
            heartbeat.is_notified = true;
            self.leave_group(ctx);
        } else if ctx.now_ms >= heartbeat.heartbeat_due_ms {
            heartbeat.sent(ctx);
            self.send_heartbeat(ctx);
        }
        self.poll_network(ctx);
        true
    }

    /// Kafka: sendHeartbeatRequest.
    fn send_heartbeat(&mut self, ctx: &mut Ctx<'_, '_>) {
        let Some(coordinator) = &self.coordinator else { return };
        let Some(node) = coordinator.node else { return };
        let generation = coordinator.generation;
        let request = Request::Heartbeat(coordinator.identity_of(generation));
        let peer = self.network.coordinator(node);
        let timeout_ms = ctx.env.config.request_timeout_ms;
        self.network.send(ctx, peer, request, Purpose::Heartbeat(generation), timeout_ms);
    }

    /// Kafka: HeartbeatResponseHandler, and the listener of the heartbeat thread.
    pub(crate) fn heartbeat_answered(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        sent: Generation,
        outcome: Outcome,
    ) {
        let error = match outcome {
            Outcome::Response(Response::Heartbeat(error)) => error,
            Outcome::Disconnected => {
                self.forget_coordinator();
                Some(ErrorCode::NetworkException)
            }
            Outcome::NotSent | Outcome::Response(_) => Some(ErrorCode::RequestTimedOut),
        };
        let Some(coordinator) = &mut self.coordinator else { return };
        match error {
            None => coordinator.heartbeat.received(ctx),
            Some(ErrorCode::RebalanceInProgress) => {
                if coordinator.state == MemberState::Stable {
                    coordinator.rejoin_needed = true;
                }
                coordinator.heartbeat.received(ctx);
            }
            // What is said of a former generation does not matter.
            Some(
                ErrorCode::IllegalGeneration
                | ErrorCode::UnknownMemberId
                | ErrorCode::FencedInstanceId,
            ) if coordinator.generation != sent => coordinator.heartbeat.received(ctx),
            Some(error @ (ErrorCode::IllegalGeneration | ErrorCode::UnknownMemberId)) => {
                coordinator.reset_and_rejoin(reset_of(error));
                coordinator.heartbeat.failed(ctx);
            }
            Some(error @ ErrorCode::FencedInstanceId) => {
                coordinator.reset_and_rejoin(reset_of(error));
                coordinator.heartbeat.failure = Some(SendError::Code(error));
            }
            Some(error) => {
                if matches!(error, ErrorCode::CoordinatorNotAvailable | ErrorCode::NotCoordinator) {
                    self.drop_coordinator();
                }
                if let Some(coordinator) = &mut self.coordinator {
                    coordinator.heartbeat.failed(ctx);
                }
            }
        }
    }
}

/// Whether the member id goes with the generation. Kafka: shouldResetMemberId.
pub(crate) fn reset_of(error: ErrorCode) -> ResetMember {
    if error == ErrorCode::IllegalGeneration { ResetMember::Keep } else { ResetMember::Forget }
}
