//! Getting a producer id. Kafka: Sender.maybeSendAndPollTransactionalRequest with
//! TransactionManager.InitProducerIdHandler, for a producer without transactions.

use super::{Activity, Next};
use crate::connection_states::Peer;
use crate::env::Ctx;
use crate::in_flight::Purpose;
use crate::network_client::Outcome;
use crate::producer::Producer;
use crate::sender::after_ms;
use inflight_protocol::error_code::ErrorCode;
use inflight_protocol::message::{InitProducerIdRequest, Request, Response};
use inflight_protocol::{Fact, FactKind};

/// The one request of its kind that there can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProducerIdRequest {
    /// There is none.
    None,
    /// It is to be sent; a repeated one after a sleep.
    Pending {
        /// Kafka: TxnRequestHandler.isRetry.
        is_retry: bool,
    },
    /// It was sent. Nothing else is drained until it is answered.
    InFlight,
}

impl Producer {
    /// Does what there is to do about the producer id. `Some` if the pass is over with it.
    pub(super) fn advance_producer_id_request(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
    ) -> Option<Activity> {
        match self.producer_id_request {
            ProducerIdRequest::None => None,
            ProducerIdRequest::InFlight => Some(self.poll_to_retry(ctx)),
            ProducerIdRequest::Pending { .. } => {
                let Some(peer) = self.network.least_loaded(ctx, &self.metadata).peer else {
                    self.producer_id_request = ProducerIdRequest::Pending { is_retry: true };
                    return Some(self.poll_to_retry(ctx));
                };
                Some(self.begin_await_ready(ctx, peer))
            }
        }
    }

    /// Kafka: NetworkClientUtils.awaitReady, which begins with a poll that does not block.
    pub(super) fn begin_await_ready(&mut self, ctx: &mut Ctx<'_, '_>, peer: Peer) -> Activity {
        self.network.maybe_update_metadata(ctx, &mut self.metadata);
        self.finish_poll(ctx, &mut None);
        let now_ms = ctx.now_ms;
        if self.network.is_ready(&mut self.metadata, peer, now_ms)
            || self.network.ready(ctx, &mut self.metadata, peer)
        {
            return self.peer_is_ready(ctx, peer);
        }
        self.await_ready(ctx, peer, now_ms)
    }

    /// The loop of NetworkClientUtils.awaitReady.
    pub(super) fn await_ready(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        peer: Peer,
        since_ms: i64,
    ) -> Activity {
        if self.network.is_ready(&mut self.metadata, peer, ctx.now_ms) {
            return self.peer_is_ready(ctx, peer);
        }
        let left_ms = ctx.env.config.request_timeout_ms - (ctx.now_ms - since_ms);
        if left_ms <= 0 || self.network.states().is_disconnected(peer) {
            if self.transactions.is_some() {
                return self.no_connection_in_hand(ctx);
            }
            return self.sleep(ctx, Next::GiveUpOnPeer);
        }
        let delay_ms = self.network.states().poll_delay_ms(peer, since_ms);
        let timeout_ms = if delay_ms > 0 { left_ms.min(delay_ms) } else { left_ms };
        self.poll(ctx, timeout_ms, Next::AwaitReady { peer, since_ms })
    }

    pub(super) fn sleep(&self, ctx: &Ctx<'_, '_>, then: Next) -> Activity {
        let until = after_ms(ctx.turn.now(), ctx.env.config.retry_backoff_ms);
        Activity::Sleep { until, then }
    }

    fn peer_is_ready(&mut self, ctx: &mut Ctx<'_, '_>, peer: Peer) -> Activity {
        if self.transactions.is_some() {
            return self.connection_in_hand(ctx, peer);
        }
        if self.producer_id_request == (ProducerIdRequest::Pending { is_retry: true }) {
            return self.sleep(ctx, Next::SendInitProducerId { peer });
        }
        self.send_init_producer_id(ctx, peer)
    }

    pub(super) fn send_init_producer_id(&mut self, ctx: &mut Ctx<'_, '_>, peer: Peer) -> Activity {
        let request = Request::InitProducerId(InitProducerIdRequest::default());
        self.network.send(ctx, peer, Purpose::InitProducerId, request, true);
        self.producer_id_request = ProducerIdRequest::InFlight;
        self.poll_to_retry(ctx)
    }

    /// Kafka: InitProducerIdHandler.handleResponse, TxnRequestHandler.onComplete.
    pub(super) fn complete_init_producer_id(&mut self, ctx: &mut Ctx<'_, '_>, outcome: Outcome) {
        let again = ProducerIdRequest::Pending { is_retry: true };
        self.producer_id_request = ProducerIdRequest::None;
        let Some(sequencer) = &mut self.sequencer else { return };
        match outcome {
            Outcome::Response(Response::InitProducerId(Ok(id_and_epoch))) => {
                sequencer.initialized(id_and_epoch);
                let session = self.session;
                ctx.turn.did(FactKind::ProducerIdAssigned.set(), || Fact::ProducerIdAssigned {
                    session,
                    producer_id: id_and_epoch.id,
                    producer_epoch: id_and_epoch.epoch,
                });
            }
            Outcome::Response(Response::InitProducerId(Err(error))) => {
                if error.is_retriable() {
                    self.producer_id_request = again;
                } else if error == ErrorCode::ClusterAuthorizationFailed {
                    sequencer.abortable_error(error);
                } else {
                    // Kafka: a KafkaException about an unexpected error, for most.
                    sequencer.fatal_error(match error {
                        ErrorCode::InvalidProducerEpoch | ErrorCode::ProducerFenced => {
                            Some(ErrorCode::ProducerFenced)
                        }
                        ErrorCode::UnsupportedVersion => Some(error),
                        _ => None,
                    });
                }
            }
            Outcome::Response(_) | Outcome::Written => {
                unreachable!("an InitProducerId request gets its own response")
            }
            Outcome::Disconnected | Outcome::TimedOut => self.producer_id_request = again,
        }
    }
}
