//! Connections, requests in flight, and the order of things in one poll.
//! Kafka: clients/NetworkClient with common/network/Selector below it.

use crate::connection_states::{ConnectionStates, Peer};
use crate::env::{Ctx, Env, Streams};
use crate::in_flight::{InFlightRequest, InFlightRequests, Purpose};
use crate::metadata::ProducerMetadata;
use inflight_protocol::config::MetadataRecoveryStrategy;
use inflight_protocol::fact::CloseCause;
use inflight_protocol::message::{Request, Response};
use inflight_protocol::{ConnectionId, CorrelationId, Fact, FactKind, Incoming, Node, Outgoing};
use smallvec::SmallVec;

mod poll;
mod updater;

/// A request that has come to an end, to be looked at when the poll is over.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    pub(crate) request: InFlightRequest,
    pub(crate) outcome: Outcome,
}

/// How a request ended. Kafka: clients/ClientResponse.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// With a response.
    Response(Response),
    /// acks=0: its bytes were handed to the socket.
    Written,
    /// The connection was lost.
    Disconnected,
    /// A request on the connection, this one or another, timed out.
    TimedOut,
}

/// What the socket has for a poll.
#[derive(Clone, Debug)]
pub(crate) enum NetworkEvent {
    Connected(Peer),
    Received(Peer, CorrelationId, Response),
    Disconnected(Peer),
}

/// The client side of the network.
#[derive(Debug)]
pub(crate) struct NetworkClient {
    owner: Node,
    next_connection: u32,
    next_correlation: u32,
    states: ConnectionStates,
    in_flight: InFlightRequests,
    inbox: Vec<NetworkEvent>,
    /// Peers with a request that the next poll writes to the socket.
    unwritten: SmallVec<[Peer; 4]>,
    wakeup: bool,
    /// The first millisecond at which a timeout of a peer has something to do, or earlier.
    deadline_ms: i64,
    metadata_in_progress: bool,
    /// Since when a metadata update is tried without success.
    metadata_attempt_ms: Option<i64>,
}

inflight_des::clone_fields!(NetworkClient {
    owner,
    next_connection,
    next_correlation,
    states,
    in_flight,
    inbox,
    unwritten,
    wakeup,
    deadline_ms,
    metadata_in_progress,
    metadata_attempt_ms,
});

impl NetworkClient {
    /// A client without connections. Connection ids start at `next_connection`, since a client
    /// process uses each id once over all its producers.
    pub(crate) fn new(env: &Env<'_>, streams: Streams, owner: Node, next_connection: u32) -> Self {
        let config = env.config;
        let peers = env.bootstrap.len() + usize::from(env.brokers);
        Self {
            owner,
            next_connection,
            next_correlation: 0,
            states: ConnectionStates::new(
                config,
                env.bootstrap.len(),
                usize::from(env.brokers),
                streams.reconnect_backoff,
                streams.setup_timeout,
            ),
            in_flight: InFlightRequests::new(
                config.max_in_flight_requests_per_connection,
                config.request_timeout_ms,
                peers,
            ),
            inbox: Vec::new(),
            unwritten: SmallVec::new(),
            wakeup: false,
            deadline_ms: i64::MAX,
            metadata_in_progress: false,
            metadata_attempt_ms: None,
        }
    }

    /// The id of the next connection.
    pub(crate) fn next_connection(&self) -> u32 {
        self.next_connection
    }

    pub(crate) fn states(&self) -> &ConnectionStates {
        &self.states
    }

    /// The node behind a peer.
    fn node_of(&self, env: &Env<'_>, peer: Peer) -> Node {
        let broker = self.states.broker_of(peer).unwrap_or_else(|| env.bootstrap[peer.index()]);
        Node::Broker(broker)
    }

    /// What arrived, unless it belongs to a connection that is closed already.
    #[inline]
    pub(crate) fn receive(&self, incoming: Incoming) -> Option<NetworkEvent> {
        match incoming {
            Incoming::Connected { connection } => {
                self.states.peer_with(connection).map(NetworkEvent::Connected)
            }
            Incoming::Disconnected { connection } => {
                self.states.peer_with(connection).map(NetworkEvent::Disconnected)
            }
            Incoming::Response { connection, correlation, response } => {
                let peer = self.states.peer_with(connection);
                peer.map(|peer| NetworkEvent::Received(peer, correlation, response))
            }
            Incoming::Request { .. } | Incoming::ToController(_) | Incoming::ToBroker(_) => {
                unreachable!("a producer gets no requests")
            }
        }
    }

    /// Keeps something for the next poll.
    pub(crate) fn keep(&mut self, event: Option<NetworkEvent>) {
        self.inbox.extend(event);
    }

    /// Kafka: KafkaClient.wakeup.
    pub(crate) fn wakeup(&mut self) {
        self.wakeup = true;
    }

    /// Whether nothing waits for the next poll.
    pub(crate) fn is_inbox_empty(&self) -> bool {
        self.inbox.is_empty()
    }

    /// Whether a poll returns at once.
    pub(crate) fn has_work(&self) -> bool {
        self.wakeup || !self.inbox.is_empty() || !self.unwritten.is_empty()
    }

    /// Whether a poll returns at once because it writes.
    #[inline]
    pub(crate) fn has_unwritten(&self) -> bool {
        !self.unwritten.is_empty()
    }

    /// Does what a poll does that has nothing else to do than to write requests which expect
    /// responses. If there is more, nothing is done, and it is left to a poll.
    pub(crate) fn write(&mut self, now_ms: i64) {
        if self.wakeup || !self.inbox.is_empty() || now_ms >= self.deadline_ms {
            return;
        }
        for peer in self.unwritten.drain(..) {
            let over = self.in_flight.written(peer);
            debug_assert!(over.is_none(), "only produce requests may expect no response");
        }
    }

    /// The first millisecond at which something may time out that no poll timeout counts.
    #[inline]
    pub(crate) fn deadline_ms(&self) -> i64 {
        self.deadline_ms
    }

    /// Whether something timed out. The deadline may have been that of a request which is over.
    #[inline]
    pub(crate) fn is_deadline_over(&mut self, now_ms: i64) -> bool {
        if now_ms >= self.deadline_ms {
            self.refresh_deadline();
        }
        now_ms >= self.deadline_ms
    }

    /// Finds the deadline anew. Until then it may be too early, never too late.
    fn refresh_deadline(&mut self) {
        self.deadline_ms = self.states.next_timeout_ms(|peer| self.in_flight.expires_ms(peer));
    }

    /// Kafka: inFlightRequestCount.
    pub(crate) fn in_flight_count(&self) -> usize {
        self.in_flight.count_all()
    }

    /// Kafka: NetworkClient.canSendRequest.
    #[inline]
    pub(crate) fn can_send_request(&self, peer: Peer, now_ms: i64) -> bool {
        self.states.is_ready(peer, now_ms) && self.in_flight.can_send_more(peer)
    }

    /// Kafka: NetworkClient.isReady: no request goes out while a metadata update is due.
    #[inline]
    pub(crate) fn is_ready(
        &self,
        metadata: &mut ProducerMetadata,
        peer: Peer,
        now_ms: i64,
    ) -> bool {
        !self.is_update_due(metadata, now_ms) && self.can_send_request(peer, now_ms)
    }

    /// Kafka: NetworkClient.ready: connects if that is what is missing.
    #[inline]
    pub(crate) fn ready(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        metadata: &mut ProducerMetadata,
        peer: Peer,
    ) -> bool {
        if self.is_ready(metadata, peer, ctx.now_ms) {
            return true;
        }
        if self.states.can_connect(peer, ctx.now_ms) {
            self.connect(ctx, peer);
        }
        false
    }

    /// Kafka: NetworkClient.initiateConnect.
    fn connect(&mut self, ctx: &mut Ctx<'_, '_>, peer: Peer) {
        let connection = ConnectionId { owner: self.owner, number: self.next_connection };
        self.next_connection += 1;
        self.states.connecting(peer, connection, ctx.now_ms, ctx.turn.chance());
        let timeout_ms = self.states.poll_delay_ms(peer, ctx.now_ms);
        self.deadline_ms = self.deadline_ms.min(ctx.now_ms + timeout_ms + 1);
        let to = self.node_of(ctx.env, peer);
        ctx.turn.send(Outgoing::Connect { connection, to });
    }

    /// Sends a request; the next poll writes it. Kafka: NetworkClient.doSend.
    pub(crate) fn send(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        peer: Peer,
        purpose: Purpose,
        request: Request,
        expects_response: bool,
    ) -> CorrelationId {
        let correlation = CorrelationId::new(self.next_correlation);
        self.next_correlation += 1;
        let connection = self.states.connection(peer).expect("a peer that is ready is connected");
        self.in_flight.add(
            peer,
            InFlightRequest {
                correlation,
                purpose,
                sent_ms: ctx.now_ms,
                throttle_ms: 0,
                written: false,
                expects_response,
            },
        );
        self.states.used(peer, ctx.now_ms);
        self.unwritten.push(peer);
        let timeout_ms = ctx.env.config.request_timeout_ms;
        self.deadline_ms = self.deadline_ms.min(ctx.now_ms + timeout_ms + 1);
        ctx.turn.send(Outgoing::Request { connection, correlation, request });
        correlation
    }

    /// The number that the next request will have.
    pub(crate) fn next_correlation(&self) -> CorrelationId {
        CorrelationId::new(self.next_correlation)
    }

    /// Closes every connection without a word to whoever waits. Kafka: NetworkClient.close.
    pub(crate) fn close_all(&mut self, ctx: &mut Ctx<'_, '_>) {
        for peer in self.states.all() {
            self.hang_up(ctx, peer, CloseCause::Local);
        }
        self.inbox.clear();
        self.unwritten.clear();
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
