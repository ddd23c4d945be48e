//! One poll: what goes out, what came in, what timed out. Kafka: ConsumerNetworkClient.poll.

use super::{Answered, InFlight, Network, Outcome, Unsent};
use crate::env::Ctx;
use crate::metadata::ConsumerMetadata;
use crate::request::Purpose;
use crate::subscription::SubscriptionState;
use inflight_client::connection_states::Peer;
use inflight_protocol::fact::CloseCause;
use inflight_protocol::message::{Request, Response};
use inflight_protocol::{ConnectionId, CorrelationId, Fact, FactKind, Incoming, Node};
use smallvec::SmallVec;

/// No poll waits longer. Kafka: ConsumerNetworkClient.MAX_POLL_TIMEOUT_MS.
const MAX_POLL_TIMEOUT_MS: i64 = 5_000;

impl Network {
    /// Does what can be done at this instant. Answers are left for [`Network::take_answered`], in
    /// the order in which their handlers run.
    pub(crate) fn poll(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        metadata: &mut ConsumerMetadata,
        subscriptions: &SubscriptionState,
    ) {
        self.begin_poll(ctx, metadata, subscriptions);
        self.end_poll(ctx, metadata, subscriptions);
    }

    /// What comes before the wait. Returns until when the poll may wait at most: not at all if
    /// there is something to come back with.
    pub(crate) fn begin_poll(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        metadata: &mut ConsumerMetadata,
        subscriptions: &SubscriptionState,
    ) -> i64 {
        self.handle_pending_disconnects(ctx, metadata);
        let wait_ms = self.send_out(ctx, metadata, subscriptions);
        // Kafka waits for no request's timeout, and notices one when it comes back; here it is
        // noticed in time.
        let timeout_ms = self.states.next_timeout_ms(|peer| self.expires_ms(peer));
        if self.is_ready() {
            return ctx.now_ms;
        }
        ctx.now_ms.saturating_add(wait_ms).min(timeout_ms)
    }

    /// What comes after it.
    pub(crate) fn end_poll(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        metadata: &mut ConsumerMetadata,
        subscriptions: &SubscriptionState,
    ) {
        self.take_in(ctx, metadata, subscriptions);
        self.check_disconnects();
        self.try_send(ctx, metadata);
        self.fail_expired(ctx.now_ms);
    }

    /// Sends what can be sent, and takes in what has arrived; nobody is told of what could not be
    /// sent. Kafka: transmitSends.
    pub(crate) fn transmit_sends(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        metadata: &mut ConsumerMetadata,
        subscriptions: &SubscriptionState,
    ) {
        self.send_out(ctx, metadata, subscriptions);
        self.take_in(ctx, metadata, subscriptions);
    }

    /// Sends what can be sent. Returns how many milliseconds there may be nothing else to do.
    fn send_out(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        metadata: &mut ConsumerMetadata,
        subscriptions: &SubscriptionState,
    ) -> i64 {
        let unsent_ms = self.try_send(ctx, metadata);
        if self.has_aborted {
            return 0;
        }
        let had_in_flight = self.in_flight_count() > 0;
        let metadata_ms = self.maybe_update_metadata(ctx, metadata, subscriptions);
        let config = ctx.env.config;
        let wait_ms = unsent_ms.min(metadata_ms).min(config.request_timeout_ms);
        if had_in_flight { wait_ms } else { wait_ms.min(config.retry_backoff_ms) }
    }

    /// Kafka: NetworkClient.poll from Selector.poll on.
    fn take_in(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        metadata: &mut ConsumerMetadata,
        subscriptions: &SubscriptionState,
    ) {
        // With requests that were given up NetworkClient.poll comes back before anything else.
        if std::mem::take(&mut self.has_aborted) {
            return;
        }
        self.is_woken = false;
        self.handle_arrivals(ctx, metadata, subscriptions);
        self.handle_timeouts(ctx, metadata);
        if Self::rebootstraps(ctx.env) {
            self.maybe_rebootstrap(ctx, metadata);
        }
    }

    /// Nobody concludes from it that the metadata is stale. Kafka: handlePendingDisconnects,
    /// NetworkClient.disconnect.
    fn handle_pending_disconnects(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        metadata: &mut ConsumerMetadata,
    ) {
        for peer in std::mem::take(&mut self.pending_disconnects) {
            self.fail_unsent(peer, &Outcome::Disconnected);
            if let Some(connection) = self.states.connection(peer) {
                self.hang_up(ctx, peer, CloseCause::Local);
                let in_flight = self.in_flight[peer.index()].len();
                self.drop_connection(ctx, metadata, peer, connection);
                self.has_aborted |= in_flight > 0;
            }
        }
    }

    /// Nothing but the metadata request itself goes out while an update is due. Returns how many
    /// milliseconds a poll may wait before the next try. Kafka: trySend.
    fn try_send(&mut self, ctx: &mut Ctx<'_, '_>, metadata: &mut ConsumerMetadata) -> i64 {
        let mut wait_ms = ctx.env.config.heartbeat_interval_ms.min(MAX_POLL_TIMEOUT_MS);
        for peer in self.states.all() {
            if self.unsent[peer.index()].is_empty() {
                continue;
            }
            wait_ms = wait_ms.min(self.states.poll_delay_ms(peer, ctx.now_ms));
            self.try_connect(ctx, peer);
            if !self.states.is_ready(peer, ctx.now_ms) || self.is_update_due(metadata, ctx.now_ms) {
                continue;
            }
            while let Some(unsent) = self.unsent[peer.index()].pop_front() {
                let Unsent { request, purpose, timeout_ms, .. } = unsent;
                self.transmit(ctx, peer, request, purpose, timeout_ms);
            }
        }
        wait_ms
    }

    /// Of each connection one thing a poll, as a selector has it: answers first, then connections
    /// that are lost, then those that are made. The rest waits for the next poll. In what order
    /// connections were lost or came about does not count: Kafka looks them up in hash maps.
    fn handle_arrivals(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        metadata: &mut ConsumerMetadata,
        subscriptions: &SubscriptionState,
    ) {
        let mut arrived = self.take_arrivals();
        arrived.sort_by_key(|incoming| match incoming {
            Incoming::Connected { connection } => (2, self.slot_of(*connection)),
            Incoming::Disconnected { connection } => (1, self.slot_of(*connection)),
            _ => (0, 0),
        });
        for incoming in arrived {
            self.handle_arrival(ctx, metadata, subscriptions, incoming);
        }
    }

    /// The first thing in the inbox of each connection. Kafka: Selector.pollSelectionKeys.
    fn take_arrivals(&mut self) -> SmallVec<[Incoming; 1]> {
        if self.inbox.len() <= 1 {
            return self.inbox.pop_front().into_iter().collect();
        }
        let mut heard: SmallVec<[ConnectionId; 4]> = SmallVec::new();
        let mut taken = SmallVec::new();
        for _ in 0..self.inbox.len() {
            let Some(incoming) = self.inbox.pop_front() else { break };
            let connection = connection_of(&incoming);
            if connection.is_some_and(|connection| heard.contains(&connection)) {
                self.inbox.push_back(incoming);
            } else {
                heard.extend(connection);
                taken.push(incoming);
            }
        }
        taken
    }

    fn handle_arrival(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        metadata: &mut ConsumerMetadata,
        subscriptions: &SubscriptionState,
        incoming: Incoming,
    ) {
        match incoming {
            Incoming::Connected { connection } => self.connected(ctx, connection),
            Incoming::Disconnected { connection } => {
                if let Some(peer) = self.states.peer_with(connection) {
                    self.disconnect(ctx, metadata, peer, CloseCause::Peer);
                }
            }
            Incoming::Response { connection, correlation, response } => {
                let Some(peer) = self.states.peer_with(connection) else { return };
                let answer = self.answered_request(peer, correlation);
                self.states.used(peer, ctx.now_ms);
                self.events += 1;
                match (answer.purpose, response) {
                    (Purpose::ApiVersions, _) => self.states.ready(peer),
                    (Purpose::Metadata(version), Response::Metadata(response)) => {
                        self.handle_metadata(ctx, metadata, subscriptions, version, &response);
                    }
                    (purpose, response) => {
                        let outcome = Outcome::Response(response);
                        self.answered.push_back(Answered { purpose, outcome });
                    }
                }
            }
            Incoming::Request { .. } | Incoming::ToController(_) | Incoming::ToBroker(_) => {
                unreachable!("a consumer gets no requests")
            }
        }
    }

    /// The request that a response answers.
    fn answered_request(&mut self, peer: Peer, correlation: CorrelationId) -> InFlight {
        let queue = &mut self.in_flight[peer.index()];
        let place = queue.iter().position(|request| request.correlation == correlation);
        place.and_then(|place| queue.remove(place)).expect("a response answers a request in flight")
    }

    /// Kafka: handleConnections and handleInitiateApiVersionRequests.
    fn connected(&mut self, ctx: &mut Ctx<'_, '_>, connection: ConnectionId) {
        let Some(peer) = self.states.peer_with(connection) else { return };
        let to = Node::Broker(self.broker_of(ctx.env, peer));
        ctx.turn
            .did(FactKind::ConnectionOpened.set(), || Fact::ConnectionOpened { connection, to });
        self.states.checking_api_versions(peer);
        self.events += 1;
        let timeout_ms = ctx.env.config.request_timeout_ms;
        self.transmit(ctx, peer, Request::ApiVersions, Purpose::ApiVersions, timeout_ms);
    }

    /// Kafka: Selector.maybeCloseOldestConnection, handleTimedOutConnections and
    /// handleTimedOutRequests.
    fn handle_timeouts(&mut self, ctx: &mut Ctx<'_, '_>, metadata: &mut ConsumerMetadata) {
        if let Some(peer) = self.states.idle_too_long(ctx.now_ms) {
            self.disconnect(ctx, metadata, peer, CloseCause::Idle);
        }
        while let Some(peer) = self.states.setup_timed_out(ctx.now_ms) {
            self.disconnect(ctx, metadata, peer, CloseCause::SetupTimeout);
        }
        let now_ms = ctx.now_ms;
        while let Some(peer) = self.states.all().find(|peer| self.expires_ms(*peer) <= now_ms) {
            self.disconnect(ctx, metadata, peer, CloseCause::RequestTimeout);
        }
    }

    /// The first millisecond at which a request to this peer has timed out.
    fn expires_ms(&self, peer: Peer) -> i64 {
        let queue = self.in_flight[peer.index()].iter();
        queue.map(|request| request.sent_ms + request.timeout_ms + 1).min().unwrap_or(i64::MAX)
    }

    /// A connection ends, by the other side or by this one: every request on it ends with it.
    /// Kafka: NetworkClient.processDisconnection.
    pub(super) fn disconnect(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        metadata: &mut ConsumerMetadata,
        peer: Peer,
        why: CloseCause,
    ) {
        let connection = self.states.connection(peer).expect("only a connection can end");
        if why == CloseCause::Peer {
            self.tell_closed(ctx, connection, why);
        } else {
            self.hang_up(ctx, peer, why);
        }
        self.drop_connection(ctx, metadata, peer, connection);
        // Kafka: DefaultMetadataUpdater.handleServerDisconnect.
        if self.is_update_due(metadata, ctx.now_ms) {
            self.metadata_request_failed(metadata, ctx.now_ms, ctx.turn.chance());
        }
        metadata.request_update();
    }

    /// A connection is no more, and no request on it is answered. Kafka: cancelInFlightRequests.
    fn drop_connection(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        metadata: &mut ConsumerMetadata,
        peer: Peer,
        connection: ConnectionId,
    ) {
        self.events += 1;
        self.states.disconnected(peer, ctx.now_ms, ctx.turn.chance());
        self.inbox.retain(|incoming| connection_of(incoming) != Some(connection));
        for request in std::mem::take(&mut self.in_flight[peer.index()]) {
            match request.purpose {
                Purpose::ApiVersions => {}
                Purpose::Metadata(_) => {
                    self.metadata_request_failed(metadata, ctx.now_ms, ctx.turn.chance());
                }
                purpose => {
                    let outcome = Outcome::Disconnected;
                    self.answered.push_back(Answered { purpose, outcome });
                }
            }
        }
    }

    /// What waits for a connection that failed fails as well. Kafka: checkDisconnects.
    fn check_disconnects(&mut self) {
        for peer in self.states.all() {
            if self.states.is_disconnected(peer) {
                self.fail_unsent(peer, &Outcome::Disconnected);
            }
        }
    }

    /// Kafka: failUnsentRequests.
    fn fail_unsent(&mut self, peer: Peer, outcome: &Outcome) {
        for unsent in std::mem::take(&mut self.unsent[peer.index()]) {
            let (purpose, outcome) = (unsent.purpose, outcome.clone());
            self.answered.push_back(Answered { purpose, outcome });
        }
    }

    /// Kafka: failExpiredRequests.
    fn fail_expired(&mut self, now_ms: i64) {
        for queue in &mut self.unsent {
            let is_over = |unsent: &Unsent| now_ms - unsent.created_ms > unsent.timeout_ms;
            while queue.front().is_some_and(is_over) {
                let unsent = queue.pop_front().expect("there is a first one");
                let (purpose, outcome) = (unsent.purpose, Outcome::NotSent);
                self.answered.push_back(Answered { purpose, outcome });
            }
        }
    }

    /// The first millisecond at which a poll has something to do that does not arrive.
    pub(crate) fn next_ms(&self, now_ms: i64, metadata: &mut ConsumerMetadata) -> i64 {
        if self.has_arrivals() || !self.pending_disconnects.is_empty() {
            return now_ms;
        }
        let mut earliest = self.states.next_timeout_ms(|peer| self.expires_ms(peer));
        for peer in self.states.all() {
            if let Some(first) = self.unsent[peer.index()].front() {
                earliest = earliest.min(first.created_ms + first.timeout_ms + 1);
                let delay_ms = self.states.poll_delay_ms(peer, now_ms);
                earliest = earliest.min(now_ms.saturating_add(delay_ms.max(1)));
            }
        }
        earliest.min(self.next_metadata_ms(now_ms, metadata))
    }
}

/// The connection that something came over.
fn connection_of(incoming: &Incoming) -> Option<ConnectionId> {
    match incoming {
        Incoming::Connected { connection }
        | Incoming::Disconnected { connection }
        | Incoming::Request { connection, .. }
        | Incoming::Response { connection, .. } => Some(*connection),
        Incoming::ToController(_) | Incoming::ToBroker(_) => None,
    }
}
