//! What happens when a poll returns, in Kafka's order. Kafka: NetworkClient.poll.

use super::{Answered, NetworkClient, NetworkEvent, Outcome};
use crate::connection_states::Peer;
use crate::env::Ctx;
use crate::in_flight::{InFlightRequest, Purpose};
use crate::metadata::{ProducerMetadata, RequestTicket};
use inflight_protocol::fact::{CloseCause, MetadataSource};
use inflight_protocol::message::{MetadataResponse, Request, Response};
use inflight_protocol::{CorrelationId, Fact, FactKind, SessionId};
use smallvec::SmallVec;

impl NetworkClient {
    /// Handles what the socket has, then what timed out. Requests that came to an end are appended
    /// to `answered`, in the order in which their callbacks run. `arrived` is all that the socket
    /// has, if nothing was kept for this poll.
    pub(crate) fn finish_poll(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        metadata: &mut ProducerMetadata,
        session: SessionId,
        arrived: &mut Option<NetworkEvent>,
        answered: &mut Vec<Answered>,
    ) {
        self.wakeup = false;
        if !self.unwritten.is_empty() {
            for peer in std::mem::take(&mut self.unwritten) {
                if let Some(request) = self.in_flight.written(peer) {
                    answered.push(Answered { request, outcome: Outcome::Written });
                }
            }
        }
        if arrived.is_some() {
            match arrived.take() {
                Some(NetworkEvent::Connected(peer)) => self.connected(ctx, peer),
                Some(NetworkEvent::Received(peer, correlation, response)) => {
                    let answer = self.answered_request(peer, correlation, response);
                    self.handle_response(ctx, metadata, session, peer, answer, answered);
                }
                Some(NetworkEvent::Disconnected(peer)) => {
                    self.disconnect(ctx, metadata, peer, CloseCause::Peer, answered);
                }
                None => {}
            }
        } else if !self.inbox.is_empty() {
            self.handle_inbox(ctx, metadata, session, answered);
        }
        if ctx.now_ms >= self.deadline_ms {
            self.handle_timeouts(ctx, metadata, answered);
        }
        if self.metadata_attempt_ms.is_some() && Self::rebootstraps(ctx.env) {
            self.maybe_rebootstrap(ctx, metadata, answered);
        }
    }

    /// The request that a response answers.
    fn answered_request(
        &mut self,
        peer: Peer,
        correlation: CorrelationId,
        response: Response,
    ) -> (InFlightRequest, Response) {
        let request = self.in_flight.complete(peer, correlation);
        (request.expect("a response answers a request in flight"), response)
    }

    /// Kafka: Selector.maybeCloseOldestConnection, handleTimedOutConnections and
    /// handleTimedOutRequests.
    fn handle_timeouts(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        metadata: &mut ProducerMetadata,
        answered: &mut Vec<Answered>,
    ) {
        if let Some(peer) = self.states.idle_too_long(ctx.now_ms) {
            self.disconnect(ctx, metadata, peer, CloseCause::Idle, answered);
        }
        while let Some(peer) = self.states.setup_timed_out(ctx.now_ms) {
            self.disconnect(ctx, metadata, peer, CloseCause::SetupTimeout, answered);
        }
        while let Some(peer) = self.in_flight.timed_out(ctx.now_ms) {
            self.disconnect(ctx, metadata, peer, CloseCause::RequestTimeout, answered);
        }
        self.refresh_deadline();
    }

    /// Receives, at most one a connection; then disconnections; then new connections. The rest of
    /// what a connection has to say stays for the next poll. Kafka: Selector.poll.
    fn handle_inbox(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        metadata: &mut ProducerMetadata,
        session: SessionId,
        answered: &mut Vec<Answered>,
    ) {
        let mut heard: SmallVec<[Peer; 8]> = SmallVec::new();
        let mut lost: SmallVec<[Peer; 8]> = SmallVec::new();
        let mut made: SmallVec<[Peer; 8]> = SmallVec::new();
        let mut later: SmallVec<[NetworkEvent; 1]> = SmallVec::new();
        let mut inbox = std::mem::take(&mut self.inbox);
        for event in inbox.drain(..) {
            match event {
                NetworkEvent::Received(peer, correlation, response) if !heard.contains(&peer) => {
                    heard.push(peer);
                    let answer = self.answered_request(peer, correlation, response);
                    self.handle_response(ctx, metadata, session, peer, answer, answered);
                }
                NetworkEvent::Disconnected(peer) if !heard.contains(&peer) => lost.push(peer),
                NetworkEvent::Connected(peer) => made.push(peer),
                NetworkEvent::Received(..) | NetworkEvent::Disconnected(_) => later.push(event),
            }
        }
        inbox.extend(later);
        self.inbox = inbox;
        for peer in lost {
            if self.states.connection(peer).is_some() {
                self.disconnect(ctx, metadata, peer, CloseCause::Peer, answered);
            }
        }
        for peer in made {
            self.connected(ctx, peer);
        }
    }

    /// Kafka: handleConnections and handleInitiateApiVersionRequests.
    fn connected(&mut self, ctx: &mut Ctx<'_, '_>, peer: Peer) {
        let Some(connection) = self.states.connection(peer) else { return };
        let to = self.node_of(ctx.env, peer);
        ctx.turn
            .did(FactKind::ConnectionOpened.set(), || Fact::ConnectionOpened { connection, to });
        self.states.checking_api_versions(peer);
        self.send(ctx, peer, Purpose::ApiVersions, Request::ApiVersions, true);
    }

    /// Kafka: handleCompletedReceives.
    fn handle_response(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        metadata: &mut ProducerMetadata,
        session: SessionId,
        peer: Peer,
        (request, response): (InFlightRequest, Response),
        answered: &mut Vec<Answered>,
    ) {
        debug_assert_eq!(request.purpose.api(), response.api(), "an answer fits its request");
        self.states.used(peer, ctx.now_ms);
        match (request.purpose, response) {
            (Purpose::ApiVersions, _) => self.states.ready(peer),
            (Purpose::Metadata(ticket), Response::Metadata(response)) => {
                self.handle_metadata(ctx, metadata, session, peer, ticket, &response);
            }
            (purpose, response) => {
                if let Response::Produce(produce) = &response
                    && produce.throttle_time_ms > 0
                {
                    let throttle_ms = i64::from(produce.throttle_time_ms);
                    self.in_flight.throttle(peer, throttle_ms);
                    self.states.throttle(peer, ctx.now_ms + throttle_ms);
                }
                let request = InFlightRequest { purpose, ..request };
                answered.push(Answered { request, outcome: Outcome::Response(response) });
            }
        }
    }

    /// Kafka: DefaultMetadataUpdater.handleSuccessfulResponse.
    fn handle_metadata(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        metadata: &mut ProducerMetadata,
        session: SessionId,
        peer: Peer,
        ticket: RequestTicket,
        response: &MetadataResponse,
    ) {
        self.metadata_in_progress = false;
        if response.brokers.is_empty() {
            metadata.failed_update(ctx.now_ms, ctx.turn.chance());
            return;
        }
        metadata.update(ticket, response, ctx.env.topics, ctx.now_ms, ctx.turn.chance());
        self.metadata_attempt_ms = None;
        let broker = match self.node_of(ctx.env, peer) {
            inflight_protocol::Node::Broker(broker) => broker,
            node => unreachable!("{node} is no broker"),
        };
        ctx.turn.did(FactKind::MetadataUpdated.set(), || Fact::MetadataUpdated {
            session,
            broker,
            through: MetadataSource::Metadata,
        });
    }

    /// A connection ends, by the other side or by this one: every request on it ends with it.
    /// Kafka: NetworkClient.processDisconnection.
    fn disconnect(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        metadata: &mut ProducerMetadata,
        peer: Peer,
        why: CloseCause,
        answered: &mut Vec<Answered>,
    ) {
        let connection = self.states.connection(peer).expect("only a connection can end");
        if why == CloseCause::Peer {
            self.tell_closed(ctx, connection, why);
        } else {
            self.hang_up(ctx, peer, why);
        }
        self.states.disconnected(peer, ctx.now_ms, ctx.turn.chance());
        self.inbox.retain(|event| match event {
            NetworkEvent::Connected(other)
            | NetworkEvent::Received(other, ..)
            | NetworkEvent::Disconnected(other) => *other != peer,
        });
        self.unwritten.retain(|other| *other != peer);
        let timed_out = matches!(why, CloseCause::RequestTimeout | CloseCause::SetupTimeout);
        while let Some(request) = self.in_flight.complete_next(peer) {
            match request.purpose {
                Purpose::ApiVersions => {}
                Purpose::Metadata(_) => {
                    self.metadata_request_failed(metadata, ctx.now_ms, ctx.turn.chance());
                }
                Purpose::InitProducerId | Purpose::Transaction(_) | Purpose::Produce(_) => {
                    let outcome = if timed_out { Outcome::TimedOut } else { Outcome::Disconnected };
                    answered.push(Answered { request, outcome });
                }
            }
        }
        // Kafka: DefaultMetadataUpdater.handleServerDisconnect.
        if self.is_update_due(metadata, ctx.now_ms) {
            self.metadata_request_failed(metadata, ctx.now_ms, ctx.turn.chance());
        }
        metadata.request_update();
    }

    /// Kafka: handleRebootstrap.
    fn maybe_rebootstrap(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        metadata: &mut ProducerMetadata,
        answered: &mut Vec<Answered>,
    ) {
        let Some(since_ms) = self.metadata_attempt_ms else { return };
        let trigger_ms = ctx.env.config.metadata_recovery_rebootstrap_trigger_ms;
        if !Self::rebootstraps(ctx.env) || ctx.now_ms - since_ms <= trigger_ms {
            return;
        }
        let peers: SmallVec<[Peer; 8]> = self.known_peers(metadata).collect();
        for peer in peers {
            if self.states.connection(peer).is_some() {
                self.disconnect(ctx, metadata, peer, CloseCause::Local, answered);
            }
        }
        self.rebootstrap(metadata, ctx.now_ms);
    }
}
