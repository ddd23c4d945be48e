//! A broker as a client of other brokers: one connection to each, one request at a time.
//!
//! Kafka: server/util/InterBrokerSendThread with a NetworkClient whose
//! max.in.flight.requests.per.connection is 1 and whose reconnect.backoff.ms is 50 throughout. There
//! are two of these: for what leaders ask transaction coordinators, and for the markers of
//! coordinators. Both ask for ApiVersions on a new connection. A broker is a peer of itself like any
//! other.

use crate::broker::timers::{Timer, Timers};
use inflight_des::{Instant, Span};
use inflight_protocol::fact::CloseCause;
use inflight_protocol::{
    BrokerId, ConnectionId, CorrelationId, Fact, FactKind, Node, Outgoing, Request, Response, Turn,
};
use smallvec::SmallVec;
use std::collections::VecDeque;

/// request.timeout.ms of a broker.
pub(super) const REQUEST_TIMEOUT: Span = Span::from_secs(30);
/// The pause after a lost or refused connection.
const RECONNECT_BACKOFF: Span = Span::from_millis(50);
/// socket.connection.setup.timeout.ms, doubled with each failure up to [`SETUP_TIMEOUT_MAX`]. Kafka
/// spreads it by 20 %.
const SETUP_TIMEOUT: Span = Span::from_secs(10);
/// socket.connection.setup.timeout.max.ms
const SETUP_TIMEOUT_MAX: Span = Span::from_secs(30);

/// What is asked of another broker.
pub(super) trait Inquiry: Clone {
    /// The request.
    fn request(&self) -> Request;
}

/// What became of an inquiry: the response, or none if the connection was lost, refused or too slow.
pub(super) type Outcome<T> = (T, Option<Response>);

/// The connection to one broker, and what waits for it.
#[derive(Clone, Debug)]
pub(super) struct Channel<T> {
    to: BrokerId,
    connection: Option<ConnectionId>,
    stage: ChannelStage,
    correlation: CorrelationId,
    setup_failures: u32,
    asked: Option<T>,
    /// Kafka: UnsentRequests. With the instant from which it waits.
    unsent: VecDeque<(Instant, T)>,
}

/// What a channel is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ChannelStage {
    /// There is no connection, and none is tried before this.
    Closed(Instant),
    /// Waiting for a connection, at most until then.
    Connecting(Instant),
    /// Waiting for ApiVersions, at most until then.
    Greeting(Instant),
    /// Ready for a request.
    Free,
    /// Waiting for a response, at most until then.
    Asking(Instant),
}

/// Who sends, and how it is woken.
pub(super) struct Sender<'a> {
    pub(super) broker: BrokerId,
    /// Numbers the connections that the broker opens.
    pub(super) connections: &'a mut u32,
    pub(super) timers: &'a mut Timers,
    pub(super) timer: Timer,
}

impl<T: Inquiry> Channel<T> {
    /// A channel that nothing was sent on yet.
    pub(super) fn new(to: BrokerId) -> Self {
        Self {
            to,
            connection: None,
            stage: ChannelStage::Closed(Instant::START),
            correlation: CorrelationId::default(),
            setup_failures: 0,
            asked: None,
            unsent: VecDeque::new(),
        }
    }

    /// Whether something was asked and not answered.
    pub(super) fn is_busy(&self) -> bool {
        self.asked.is_some() || !self.unsent.is_empty()
    }

    /// Whether the channel has lost its connection a moment ago, so that whatever is sent now
    /// fails at once.
    pub(super) fn is_backing_off(&self, now: Instant) -> bool {
        matches!(self.stage, ChannelStage::Closed(until) if until > now)
    }

    /// When it may connect again, if it has lost its connection.
    pub(super) fn backs_off_until(&self) -> Instant {
        match self.stage {
            ChannelStage::Closed(until) => until,
            _ => Instant::START,
        }
    }

    /// Whether this is its connection.
    pub(super) fn is_on(&self, connection: ConnectionId) -> bool {
        self.connection == Some(connection)
    }

    /// Sends something, when its turn has come. Returns what has failed.
    pub(super) fn send(
        &mut self,
        sender: &mut Sender<'_>,
        turn: &mut Turn<'_>,
        inquiry: T,
    ) -> SmallVec<[Outcome<T>; 1]> {
        self.unsent.push_back((turn.now(), inquiry));
        self.run(sender, turn)
    }

    /// Goes on as far as it can. Kafka: InterBrokerSendThread.pollOnce.
    fn run(&mut self, sender: &mut Sender<'_>, turn: &mut Turn<'_>) -> SmallVec<[Outcome<T>; 1]> {
        let now = turn.now();
        let mut failed = SmallVec::new();
        while let Some((since, _)) = self.unsent.front()
            && *since + REQUEST_TIMEOUT < now
        {
            failed.extend(self.unsent.pop_front().map(|(_, inquiry)| (inquiry, None)));
        }
        if self.unsent.is_empty() {
            return failed;
        }
        match self.stage {
            // Kafka: checkDisconnects.
            ChannelStage::Closed(until) if until > now => {
                failed.extend(self.unsent.drain(..).map(|(_, inquiry)| (inquiry, None)));
            }
            ChannelStage::Closed(_) => self.connect(sender, turn),
            ChannelStage::Free => self.ask(sender, turn),
            ChannelStage::Connecting(_) | ChannelStage::Greeting(_) | ChannelStage::Asking(_) => {}
        }
        failed
    }

    fn wait(&mut self, sender: &mut Sender<'_>, stage: ChannelStage) {
        self.stage = stage;
        sender.timers.arm(sender.timer, self.wakes_at());
    }

    fn connect(&mut self, sender: &mut Sender<'_>, turn: &mut Turn<'_>) {
        let owner = Node::Broker(sender.broker);
        let connection = ConnectionId { owner, number: *sender.connections };
        *sender.connections += 1;
        self.connection = Some(connection);
        let timeout = SETUP_TIMEOUT.times(1 << self.setup_failures.min(2)).min(SETUP_TIMEOUT_MAX);
        self.wait(sender, ChannelStage::Connecting(turn.now() + timeout));
        turn.send(Outgoing::Connect { connection, to: Node::Broker(self.to) });
    }

    fn ask(&mut self, sender: &mut Sender<'_>, turn: &mut Turn<'_>) {
        let Some((_, inquiry)) = self.unsent.pop_front() else { return };
        let request = inquiry.request();
        self.asked = Some(inquiry);
        self.wait(sender, ChannelStage::Asking(turn.now() + REQUEST_TIMEOUT));
        self.write(turn, request);
    }

    fn write(&mut self, turn: &mut Turn<'_>, request: Request) {
        let Some(connection) = self.connection else { return };
        self.correlation = CorrelationId::new(self.correlation.get().wrapping_add(1));
        turn.send(Outgoing::Request { connection, correlation: self.correlation, request });
    }

    /// The connection is open.
    pub(super) fn connected(&mut self, sender: &mut Sender<'_>, turn: &mut Turn<'_>) {
        let Some(connection) = self.connection else { return };
        self.setup_failures = 0;
        let to = Node::Broker(self.to);
        turn.did(FactKind::ConnectionOpened.set(), || Fact::ConnectionOpened { connection, to });
        self.wait(sender, ChannelStage::Greeting(turn.now() + REQUEST_TIMEOUT));
        self.write(turn, Request::ApiVersions);
    }

    /// A response has come. Returns what it answers, and what has failed.
    pub(super) fn answered(
        &mut self,
        sender: &mut Sender<'_>,
        turn: &mut Turn<'_>,
        correlation: CorrelationId,
        response: Response,
    ) -> SmallVec<[Outcome<T>; 1]> {
        if correlation != self.correlation {
            return SmallVec::new();
        }
        let mut outcomes = SmallVec::new();
        match self.stage {
            ChannelStage::Greeting(_) => {}
            ChannelStage::Asking(_) => {
                outcomes.extend(self.asked.take().map(|asked| (asked, Some(response))));
            }
            ChannelStage::Closed(_) | ChannelStage::Connecting(_) | ChannelStage::Free => {
                return outcomes;
            }
        }
        self.stage = ChannelStage::Free;
        outcomes.extend(self.run(sender, turn));
        outcomes
    }

    /// The connection was refused, closed or reset, or is given up.
    pub(super) fn lost(
        &mut self,
        sender: &Sender<'_>,
        turn: &mut Turn<'_>,
        why: CloseCause,
    ) -> SmallVec<[Outcome<T>; 1]> {
        if let Some(connection) = self.connection.take() {
            let at = Node::Broker(sender.broker);
            turn.did(FactKind::ConnectionClosed.set(), || Fact::ConnectionClosed {
                connection,
                at,
                why,
            });
            if why != CloseCause::Peer {
                turn.send(Outgoing::Close { connection });
            }
        }
        self.stage = ChannelStage::Closed(turn.now() + RECONNECT_BACKOFF);
        let asked = self.asked.take().into_iter();
        let unsent = self.unsent.drain(..).map(|(_, inquiry)| inquiry);
        asked.chain(unsent).map(|inquiry| (inquiry, None)).collect()
    }

    /// Time has come for something. Returns what has failed.
    pub(super) fn due(
        &mut self,
        sender: &mut Sender<'_>,
        turn: &mut Turn<'_>,
    ) -> SmallVec<[Outcome<T>; 1]> {
        let now = turn.now();
        let outcomes = match self.stage {
            ChannelStage::Connecting(until) if until <= now => {
                self.setup_failures += 1;
                self.lost(sender, turn, CloseCause::SetupTimeout)
            }
            ChannelStage::Greeting(until) | ChannelStage::Asking(until) if until <= now => {
                self.lost(sender, turn, CloseCause::RequestTimeout)
            }
            _ => self.run(sender, turn),
        };
        sender.timers.arm(sender.timer, self.wakes_at());
        outcomes
    }

    /// When it is to be woken.
    fn wakes_at(&self) -> Instant {
        match self.stage {
            ChannelStage::Closed(_) | ChannelStage::Free => Instant::NEVER,
            ChannelStage::Connecting(at)
            | ChannelStage::Greeting(at)
            | ChannelStage::Asking(at) => at,
        }
    }
}
