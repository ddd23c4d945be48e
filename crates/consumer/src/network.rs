//! Connections and requests: what is not sent yet, what is not answered yet.
//! Kafka: clients/consumer/internals/ConsumerNetworkClient over clients/NetworkClient.

use crate::env::{Ctx, Env, Streams};
use crate::metadata::ConsumerMetadata;
use crate::request::Purpose;
use inflight_client::connection_states::{ConnectionStates, Peer};
use inflight_protocol::config::MetadataRecoveryStrategy;
use inflight_protocol::fact::CloseCause;
use inflight_protocol::message::{Request, Response};
use inflight_protocol::{
    BrokerId, ConnectionId, CorrelationId, Fact, FactKind, Incoming, Node, Outgoing,
};
use smallvec::SmallVec;
use std::collections::VecDeque;

mod node_id;
mod poll;
mod updater;

/// A request that has come to an end.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    pub(crate) purpose: Purpose,
    pub(crate) outcome: Outcome,
}

/// How a request ended. Kafka: RequestFuture with its exception.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// With a response.
    Response(Response),
    /// DisconnectException: the connection was lost or could not be made, or a request on it timed
    /// out.
    Disconnected,
    /// TimeoutException: it could not be sent in time.
    NotSent,
}

/// A request that waits for its connection. Kafka: ConsumerNetworkClient.UnsentRequests.
#[derive(Clone, Debug)]
struct Unsent {
    request: Request,
    purpose: Purpose,
    created_ms: i64,
    timeout_ms: i64,
}

/// A request without an answer. Kafka: NetworkClient.InFlightRequest.
#[derive(Clone, Debug)]
struct InFlight {
    correlation: CorrelationId,
    purpose: Purpose,
    sent_ms: i64,
    timeout_ms: i64,
}

/// The client side of the network.
#[derive(Debug)]
pub(crate) struct Network {
    owner: Node,
    next_connection: u32,
    next_correlation: u32,
    states: ConnectionStates,
    brokers: u8,
    unsent: Vec<VecDeque<Unsent>>,
    in_flight: Vec<VecDeque<InFlight>>,
    /// What has arrived and was not looked at: nobody polls.
    inbox: VecDeque<Incoming>,
    /// Kafka: pendingDisconnects.
    pending_disconnects: SmallVec<[Peer; 2]>,
    /// Kafka: pendingCompletion.
    answered: VecDeque<Answered>,
    metadata_in_progress: bool,
    /// Whether the next poll does not wait: something was queued, written or told since the last one.
    /// Kafka: KafkaClient.wakeup, and that a selector comes back when it has written.
    is_woken: bool,
    /// Whether requests were given up with a connection that this side has closed.
    /// Kafka: abortedSends.
    has_aborted: bool,
    /// Since when a metadata update is tried without success.
    metadata_attempt_ms: Option<i64>,
    /// How many things have happened.
    events: u64,
}

inflight_des::clone_fields!(Network {
    owner,
    next_connection,
    next_correlation,
    states,
    brokers,
    unsent,
    in_flight,
    inbox,
    pending_disconnects,
    answered,
    metadata_in_progress,
    is_woken,
    has_aborted,
    metadata_attempt_ms,
    events,
});

impl Network {
    /// A client without connections. Connection ids start at `next_connection`, since a client
    /// process uses each id once over all its consumers.
    pub(crate) fn new(env: &Env<'_>, streams: Streams, owner: Node, next_connection: u32) -> Self {
        // The coordinator has a connection of its own beside that of the broker that it is.
        let brokers = usize::from(env.brokers) * 2;
        let peers = env.bootstrap.len() + brokers;
        Self {
            owner,
            next_connection,
            next_correlation: 0,
            states: ConnectionStates::new(
                env.config,
                env.bootstrap.len(),
                brokers,
                streams.reconnect_backoff,
                streams.setup_timeout,
            ),
            brokers: env.brokers,
            unsent: vec![VecDeque::new(); peers],
            in_flight: vec![VecDeque::new(); peers],
            inbox: VecDeque::new(),
            pending_disconnects: SmallVec::new(),
            answered: VecDeque::new(),
            metadata_in_progress: false,
            is_woken: false,
            has_aborted: false,
            metadata_attempt_ms: None,
            events: 0,
        }
    }

    /// The id of the next connection.
    pub(crate) fn next_connection(&self) -> u32 {
        self.next_connection
    }

    /// Counts whatever came of polling: messages, lost connections, answers.
    pub(crate) fn events(&self) -> u64 {
        self.events
    }

    /// The peer for fetches and offsets of a broker.
    pub(crate) fn broker(&self, broker: BrokerId) -> Peer {
        self.states.peer_of(broker)
    }

    /// The peer for the requests to a broker as coordinator. Kafka: GroupCoordinatorNode.
    pub(crate) fn coordinator(&self, broker: BrokerId) -> Peer {
        self.states.peer_of(BrokerId::from_index(broker.index() + usize::from(self.brokers)))
    }

    /// The broker behind a peer.
    fn broker_of(&self, env: &Env<'_>, peer: Peer) -> BrokerId {
        match self.states.broker_of(peer) {
            Some(broker) => BrokerId::from_index(broker.index() % usize::from(self.brokers)),
            None => env.bootstrap[peer.index()],
        }
    }

    /// Keeps what arrived for the next poll.
    pub(crate) fn receive(&mut self, incoming: Incoming) {
        self.inbox.push_back(incoming);
    }

    /// Whether a poll finds something that has arrived.
    pub(crate) fn has_arrivals(&self) -> bool {
        !self.inbox.is_empty()
    }

    /// Whether a poll comes back at once.
    pub(crate) fn is_ready(&self) -> bool {
        self.is_woken || self.has_arrivals() || !self.answered.is_empty()
    }

    /// Queues a request. Kafka: ConsumerNetworkClient.send.
    pub(crate) fn send(
        &mut self,
        ctx: &Ctx<'_, '_>,
        peer: Peer,
        request: Request,
        purpose: Purpose,
        timeout_ms: i64,
    ) {
        let created_ms = ctx.now_ms;
        self.is_woken = true;
        self.unsent[peer.index()].push_back(Unsent { request, purpose, created_ms, timeout_ms });
    }

    /// The next answer whose handler is to run.
    pub(crate) fn take_answered(&mut self) -> Option<Answered> {
        let answered = self.answered.pop_front()?;
        self.events += 1;
        Some(answered)
    }

    /// Lets the next poll come back at once. Kafka: KafkaClient.wakeup.
    pub(crate) fn wake_up(&mut self) {
        self.is_woken = true;
    }

    /// How many requests are on their way, or waiting to be.
    pub(crate) fn pending(&self) -> usize {
        self.in_flight_count() + self.unsent.iter().map(VecDeque::len).sum::<usize>()
    }

    /// Kafka: inFlightRequestCount.
    pub(crate) fn in_flight_count(&self) -> usize {
        self.in_flight.iter().map(VecDeque::len).sum()
    }

    /// Kafka: hasPendingRequests.
    pub(crate) fn has_pending(&self, peer: Peer) -> bool {
        !self.in_flight[peer.index()].is_empty() || !self.unsent[peer.index()].is_empty()
    }

    /// Whether a connection failed and it is too early for another one.
    /// Kafka: NetworkClientUtils.isUnavailable.
    pub(crate) fn is_unavailable(&self, peer: Peer, now_ms: i64) -> bool {
        self.states.is_disconnected(peer) && self.states.poll_delay_ms(peer, now_ms) > 0
    }

    /// Kafka: hasReadyNodes.
    pub(crate) fn has_ready_nodes(&self, now_ms: i64) -> bool {
        self.states.all().any(|peer| self.states.is_ready(peer, now_ms))
    }

    /// Whether the handshake with a peer was ever made. Kafka: ApiVersions.get.
    pub(crate) fn knows_versions(&self, peer: Peer, now_ms: i64) -> bool {
        self.states.is_ready(peer, now_ms)
    }

    /// The node with the fewest requests. Kafka: leastLoadedNode.
    pub(crate) fn least_loaded_node(
        &self,
        ctx: &mut Ctx<'_, '_>,
        metadata: &ConsumerMetadata,
    ) -> Option<Peer> {
        self.least_loaded(ctx, metadata).peer
    }

    /// Connects if that is what is missing. Kafka: NetworkClientUtils.tryConnect, client.ready.
    pub(crate) fn try_connect(&mut self, ctx: &mut Ctx<'_, '_>, peer: Peer) {
        if self.states.can_connect(peer, ctx.now_ms) {
            self.connect(ctx, peer);
        }
    }

    /// Drops a connection at the next poll. Kafka: disconnectAsync.
    pub(crate) fn disconnect_soon(&mut self, peer: Peer) {
        self.is_woken = true;
        self.pending_disconnects.push(peer);
    }

    /// Kafka: NetworkClient.initiateConnect.
    fn connect(&mut self, ctx: &mut Ctx<'_, '_>, peer: Peer) {
        let connection = ConnectionId { owner: self.owner, number: self.next_connection };
        self.next_connection += 1;
        self.states.connecting(peer, connection, ctx.now_ms, ctx.turn.chance());
        let to = Node::Broker(self.broker_of(ctx.env, peer));
        ctx.turn.send(Outgoing::Connect { connection, to });
    }

    /// Kafka: NetworkClient.doSend.
    fn transmit(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        peer: Peer,
        request: Request,
        purpose: Purpose,
        timeout_ms: i64,
    ) {
        let correlation = CorrelationId::new(self.next_correlation);
        self.next_correlation += 1;
        let connection = self.states.connection(peer).expect("a peer that is ready is connected");
        let sent_ms = ctx.now_ms;
        self.is_woken = true;
        self.in_flight[peer.index()].push_back(InFlight {
            correlation,
            purpose,
            sent_ms,
            timeout_ms,
        });
        self.states.used(peer, ctx.now_ms);
        ctx.turn.send(Outgoing::Request { connection, correlation, request });
    }

    /// Closes every connection without a word to whoever waits. Kafka: NetworkClient.close.
    pub(crate) fn close_all(&mut self, ctx: &mut Ctx<'_, '_>) {
        for peer in self.states.all() {
            self.hang_up(ctx, peer, CloseCause::Local);
        }
        self.inbox.clear();
        self.unsent.iter_mut().for_each(VecDeque::clear);
        self.in_flight.iter_mut().for_each(VecDeque::clear);
    }

    /// Closes the socket of a peer, if it has one.
    fn hang_up(&self, ctx: &mut Ctx<'_, '_>, peer: Peer, why: CloseCause) {
        let Some(connection) = self.states.connection(peer) else { return };
        ctx.turn.send(Outgoing::Close { connection });
        self.tell_closed(ctx, connection, why);
    }

    fn tell_closed(&self, ctx: &mut Ctx<'_, '_>, connection: ConnectionId, why: CloseCause) {
        let at = self.owner;
        ctx.turn.did(FactKind::ConnectionClosed.set(), || Fact::ConnectionClosed {
            connection,
            at,
            why,
        });
    }

    fn rebootstraps(env: &Env<'_>) -> bool {
        env.config.metadata_recovery_strategy == MetadataRecoveryStrategy::Rebootstrap
    }
}
