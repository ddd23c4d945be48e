//! Where the coordinator is. Kafka: clients/consumer/internals/CoordinatorRequestManager.

use super::request_state::RequestState;
use crate::consumer::Consumer;
use crate::coordinator::lookup::Failure;
use crate::env::Ctx;
use crate::network::Outcome;
use crate::request::Purpose;
use inflight_protocol::fact::SendError;
use inflight_protocol::message::{FindCoordinatorRequest, Request, Response};
use inflight_protocol::transaction::CoordinatorKey;
use inflight_protocol::{BrokerId, ConsumerConfig};

/// What is known of the coordinator.
#[derive(Clone, Copy, Debug)]
pub(super) struct CoordinatorLookup {
    /// The broker, unless it is unknown or did not answer.
    pub(super) node: Option<BrokerId>,
    state: RequestState,
    /// How long to wait if there is nobody to ask.
    pause_ms: i64,
    /// close() has begun: nobody is asked any more.
    pub(super) is_closing: bool,
    /// Why nobody will ever be found. Kafka: fatalError.
    pub(super) fatal: Option<SendError>,
}

impl CoordinatorLookup {
    pub(super) fn new(config: &ConsumerConfig) -> Self {
        let pause_ms = config.retry_backoff_ms.max(1);
        let state = RequestState::new(config);
        Self { node: None, state, pause_ms, is_closing: false, fatal: None }
    }

    pub(super) fn next_ms(&self, now_ms: i64) -> Option<i64> {
        let at_ms =
            self.state.next_ms(now_ms).filter(|_| self.node.is_none() && !self.is_closing)?;
        // It could be sent and was not: there is nobody to ask.
        Some(if at_ms == now_ms { now_ms + self.pause_ms } else { at_ms })
    }
}

impl Consumer {
    /// Asks for the coordinator if it is unknown. Kafka: CoordinatorRequestManager.poll.
    pub(super) fn poll_lookup(&mut self, ctx: &mut Ctx<'_, '_>) {
        let key = CoordinatorKey::Group(self.back().group);
        let lookup = &self.back().lookup;
        if lookup.is_closing || lookup.node.is_some() || !lookup.state.can_send(ctx.now_ms) {
            return;
        }
        let Some(peer) = self.network.least_loaded_node(ctx, &self.metadata) else { return };
        self.back().lookup.state.sent();
        let request = Request::FindCoordinator(FindCoordinatorRequest { key });
        let timeout_ms = ctx.env.config.request_timeout_ms;
        self.network.send(ctx, peer, request, Purpose::FindCoordinator, timeout_ms);
    }

    /// Kafka: onResponse, onFailedResponse.
    pub(super) fn lookup_answered(&mut self, ctx: &mut Ctx<'_, '_>, outcome: Outcome) {
        let found = match outcome {
            Outcome::Response(Response::FindCoordinator(response)) => {
                response.coordinator.map_err(Failure::of)
            }
            other => Err(Failure::of_transport(&other)),
        };
        let stream = ctx.streams.coordinator_backoff;
        let lookup = &mut self.back().lookup;
        lookup.node = found.ok();
        let chance = (ctx.turn.chance(), stream);
        lookup.fatal = match found {
            Ok(_) => {
                lookup.state.succeeded(ctx.now_ms, chance);
                None
            }
            Err(failure) => {
                lookup.state.failed(ctx.now_ms, chance);
                (!failure.is_retriable()).then_some(failure.error())
            }
        };
    }

    /// The coordinator is another one, or does not answer. Kafka: markCoordinatorUnknown.
    pub(super) fn mark_coordinator_unknown(&mut self) {
        self.back().lookup.node = None;
    }

    /// A request to the coordinator got no answer. Kafka: handleCoordinatorDisconnect.
    pub(super) fn coordinator_lost(&mut self, outcome: &Outcome) {
        if matches!(outcome, Outcome::Disconnected) {
            self.mark_coordinator_unknown();
        }
    }
}
