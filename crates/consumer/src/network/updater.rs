//! When metadata is asked for, and from whom. Kafka: NetworkClient.DefaultMetadataUpdater.

use super::Network;
use crate::env::Ctx;
use crate::metadata::ConsumerMetadata;
use crate::request::Purpose;
use crate::subscription::SubscriptionState;
use inflight_client::connection_states::Peer;
use inflight_des::Chance;
use inflight_protocol::BrokerSet;
use inflight_protocol::fact::CloseCause;
use inflight_protocol::message::{MetadataRequest, MetadataResponse, Request};
use smallvec::SmallVec;

/// Kafka: clients/LeastLoadedNode.
#[derive(Clone, Copy, Debug)]
pub(super) struct LeastLoaded {
    pub(super) peer: Option<Peer>,
    any_connection_ready: bool,
}

impl Network {
    /// Kafka: isUpdateDue.
    pub(super) fn is_update_due(&self, metadata: &mut ConsumerMetadata, now_ms: i64) -> bool {
        !self.metadata_in_progress && metadata.time_to_next_update(now_ms) == 0
    }

    /// The peers of the current snapshot. Kafka: fetchNodes.
    fn known_peers<'a>(
        &'a self,
        metadata: &ConsumerMetadata,
    ) -> impl Iterator<Item = Peer> + Clone + use<'a> {
        let (bootstraps, brokers) = if metadata.is_bootstrap() {
            (self.states.bootstrap_count(), BrokerSet::EMPTY)
        } else {
            (0, metadata.brokers())
        };
        let brokers = brokers.iter().map(|broker| self.states.peer_of(broker));
        (0..bootstraps).map(Peer::from_index).chain(brokers)
    }

    /// Sends a metadata request if one is due and can be sent, or connects. Returns how many
    /// milliseconds a poll may wait before the next look. Kafka: maybeUpdate.
    pub(super) fn maybe_update_metadata(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        metadata: &mut ConsumerMetadata,
        subscriptions: &SubscriptionState,
    ) -> i64 {
        if self.metadata_in_progress {
            return ctx.env.config.request_timeout_ms;
        }
        let wait_ms = metadata.time_to_next_update(ctx.now_ms);
        if wait_ms > 0 {
            return wait_ms;
        }
        self.metadata_attempt_ms.get_or_insert(ctx.now_ms);
        let mut least_loaded = self.least_loaded(ctx, metadata);
        let nothing_left = least_loaded.peer.is_none() && !least_loaded.any_connection_ready;
        if Self::rebootstraps(ctx.env) && nothing_left {
            self.rebootstrap(metadata, ctx.now_ms);
            least_loaded = self.least_loaded(ctx, metadata);
        }
        let backoff_ms = ctx.env.config.reconnect_backoff_ms;
        let Some(peer) = least_loaded.peer else { return backoff_ms };
        if self.states.is_ready(peer, ctx.now_ms) {
            let request =
                MetadataRequest { topics: subscriptions.metadata_topics().to_vec().into() };
            let purpose = Purpose::Metadata(metadata.request_version());
            let timeout_ms = ctx.env.config.request_timeout_ms;
            self.transmit(ctx, peer, Request::Metadata(request), purpose, timeout_ms);
            self.metadata_in_progress = true;
        } else if self.known_peers(metadata).any(|peer| self.states.is_connecting(peer)) {
            return backoff_ms;
        } else if self.states.can_connect(peer, ctx.now_ms) {
            self.try_connect(ctx, peer);
            return backoff_ms;
        }
        i64::MAX
    }

    /// The first millisecond at which something can be done about metadata.
    pub(super) fn next_metadata_ms(&self, now_ms: i64, metadata: &mut ConsumerMetadata) -> i64 {
        if self.metadata_in_progress {
            return i64::MAX;
        }
        let wait_ms = metadata.time_to_next_update(now_ms);
        if wait_ms > 0 {
            return now_ms.saturating_add(wait_ms);
        }
        let mut peers = self.known_peers(metadata);
        if peers.clone().any(|peer| self.states.is_preparing(peer)) {
            return i64::MAX;
        }
        let next = peers.by_ref().map(|peer| self.states.poll_delay_ms(peer, now_ms).max(1)).min();
        now_ms.saturating_add(next.unwrap_or(1))
    }

    /// Kafka: NetworkClient.leastLoadedNode.
    pub(super) fn least_loaded(
        &self,
        ctx: &mut Ctx<'_, '_>,
        metadata: &ConsumerMetadata,
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
            if self.states.is_ready(peer, ctx.now_ms) {
                any_connection_ready = true;
                let in_flight = self.in_flight[peer.index()].len();
                if in_flight == 0 {
                    return LeastLoaded { peer: Some(peer), any_connection_ready };
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

    /// Kafka: handleSuccessfulResponse.
    pub(super) fn handle_metadata(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        metadata: &mut ConsumerMetadata,
        subscriptions: &SubscriptionState,
        version: u32,
        response: &MetadataResponse,
    ) {
        self.metadata_in_progress = false;
        if response.brokers.is_empty() {
            metadata.failed_update(ctx.now_ms, ctx.turn.chance());
            return;
        }
        let wanted = |topic| subscriptions.needs_metadata(topic);
        let clock = (ctx.now_ms, ctx.turn.chance());
        metadata.update(version, response, ctx.env.topics, wanted, clock);
        self.metadata_attempt_ms = None;
    }

    /// Kafka: handleFailedRequest.
    pub(super) fn metadata_request_failed(
        &mut self,
        metadata: &mut ConsumerMetadata,
        now_ms: i64,
        chance: &mut Chance,
    ) {
        metadata.failed_update(now_ms, chance);
        self.metadata_in_progress = false;
    }

    /// Kafka: handleRebootstrap.
    pub(super) fn maybe_rebootstrap(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        metadata: &mut ConsumerMetadata,
    ) {
        let Some(since_ms) = self.metadata_attempt_ms else { return };
        let trigger_ms = ctx.env.config.metadata_recovery_rebootstrap_trigger_ms;
        if ctx.now_ms - since_ms <= trigger_ms {
            return;
        }
        let peers: SmallVec<[Peer; 8]> = self.known_peers(metadata).collect();
        for peer in peers {
            if self.states.connection(peer).is_some() {
                self.disconnect(ctx, metadata, peer, CloseCause::Local);
            }
        }
        self.rebootstrap(metadata, ctx.now_ms);
    }

    /// Kafka: rebootstrap.
    fn rebootstrap(&mut self, metadata: &mut ConsumerMetadata, now_ms: i64) {
        metadata.rebootstrap();
        self.metadata_attempt_ms = Some(now_ms);
    }
}
