//! When metadata is asked for, and from whom. Kafka: NetworkClient.DefaultMetadataUpdater.

use super::NetworkClient;
use crate::connection_states::Peer;
use crate::env::Ctx;
use crate::in_flight::Purpose;
use crate::metadata::ProducerMetadata;
use inflight_des::Chance;
use inflight_protocol::BrokerSet;
use inflight_protocol::message::Request;

/// Kafka: clients/LeastLoadedNode.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeastLoaded {
    pub(crate) peer: Option<Peer>,
    any_connection_ready: bool,
}

impl NetworkClient {
    /// Kafka: DefaultMetadataUpdater.isUpdateDue.
    #[inline]
    pub(crate) fn is_update_due(&self, metadata: &mut ProducerMetadata, now_ms: i64) -> bool {
        !self.metadata_in_progress && metadata.time_to_next_update(now_ms) == 0
    }

    /// The peers of the current snapshot. Kafka: DefaultMetadataUpdater.fetchNodes.
    pub(super) fn known_peers<'a>(
        &'a self,
        metadata: &ProducerMetadata,
    ) -> impl Iterator<Item = Peer> + Clone + use<'a> {
        let (bootstraps, brokers) = if metadata.is_bootstrap() {
            (self.states.bootstrap_count(), BrokerSet::EMPTY)
        } else {
            (0, metadata.brokers())
        };
        let brokers = brokers.iter().map(|broker| self.states.peer_of(broker));
        (0..bootstraps).map(Peer::from_index).chain(brokers)
    }

    /// Sends a metadata request if one is due and can be sent. Returns for how many milliseconds
    /// a poll may block as far as metadata is concerned. Kafka: DefaultMetadataUpdater.maybeUpdate.
    pub(crate) fn maybe_update_metadata(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        metadata: &mut ProducerMetadata,
    ) -> i64 {
        let request_timeout_ms = ctx.env.config.request_timeout_ms;
        let in_progress = if self.metadata_in_progress { request_timeout_ms } else { 0 };
        let timeout_ms = metadata.time_to_next_update(ctx.now_ms).max(in_progress);
        if timeout_ms > 0 {
            return timeout_ms;
        }
        self.metadata_attempt_ms.get_or_insert(ctx.now_ms);
        let mut least_loaded = self.least_loaded(ctx, metadata);
        let nothing_left = least_loaded.peer.is_none() && !least_loaded.any_connection_ready;
        if Self::rebootstraps(ctx.env) && nothing_left {
            self.rebootstrap(metadata, ctx.now_ms);
            least_loaded = self.least_loaded(ctx, metadata);
        }
        let reconnect_backoff_ms = ctx.env.config.reconnect_backoff_ms;
        let Some(peer) = least_loaded.peer else { return reconnect_backoff_ms };
        if self.can_send_request(peer, ctx.now_ms) {
            let planned = metadata.plan_request(ctx.now_ms);
            let purpose = Purpose::Metadata(planned.ticket);
            self.send(ctx, peer, purpose, Request::Metadata(planned.request), true);
            self.metadata_in_progress = true;
            return request_timeout_ms;
        }
        if self.known_peers(metadata).any(|peer| self.states.is_connecting(peer)) {
            return reconnect_backoff_ms;
        }
        if self.states.can_connect(peer, ctx.now_ms) {
            self.connect(ctx, peer);
            return reconnect_backoff_ms;
        }
        i64::MAX
    }

    /// Kafka: NetworkClient.leastLoadedNode.
    pub(crate) fn least_loaded(
        &self,
        ctx: &mut Ctx<'_, '_>,
        metadata: &ProducerMetadata,
    ) -> LeastLoaded {
        let peers = self.known_peers(metadata);
        let offset = match peers.clone().count() {
            0 | 1 => 0,
            n => ctx.turn.chance().pick(ctx.streams.least_loaded, n as u64) as usize,
        };
        let (mut ready, mut connecting, mut connectable): (Option<(usize, Peer)>, _, Option<Peer>) =
            (None, None, None);
        let mut any_connection_ready = false;
        for peer in peers.clone().skip(offset).chain(peers.take(offset)) {
            any_connection_ready |= self.states.is_ready(peer, ctx.now_ms);
            if self.can_send_request(peer, ctx.now_ms) {
                let in_flight = self.in_flight.count(peer);
                if in_flight == 0 {
                    return LeastLoaded { peer: Some(peer), any_connection_ready: true };
                }
                if ready.is_none_or(|(fewest, _)| in_flight < fewest) {
                    ready = Some((in_flight, peer));
                }
            } else if self.states.is_preparing(peer) {
                connecting = Some(peer);
            } else if self.states.can_connect(peer, ctx.now_ms)
                && connectable.is_none_or(|other| {
                    self.states.last_attempt_ms(other) > self.states.last_attempt_ms(peer)
                })
            {
                connectable = Some(peer);
            }
        }
        let peer = ready.map(|(_, peer)| peer).or(connecting).or(connectable);
        LeastLoaded { peer, any_connection_ready }
    }

    /// Kafka: DefaultMetadataUpdater.handleFailedRequest.
    pub(super) fn metadata_request_failed(
        &mut self,
        metadata: &mut ProducerMetadata,
        now_ms: i64,
        chance: &mut Chance,
    ) {
        metadata.failed_update(now_ms, chance);
        self.metadata_in_progress = false;
    }

    /// Kafka: DefaultMetadataUpdater.rebootstrap.
    pub(super) fn rebootstrap(&mut self, metadata: &mut ProducerMetadata, now_ms: i64) {
        metadata.rebootstrap();
        self.metadata_attempt_ms = Some(now_ms);
    }
}
