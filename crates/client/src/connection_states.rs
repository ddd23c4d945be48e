//! Connections as the client sees them, one state a peer. Kafka: clients/ClusterConnectionStates.

use crate::backoff::ExponentialBackoff;
use inflight_des::{Chance, StreamId};
use inflight_protocol::{BrokerId, ConnectionId, ConsumerConfig, ProducerConfig};

/// A node of the client's view: a bootstrap address or a broker. The two have connections of their
/// own even if they are the same broker: Kafka gives bootstrap addresses negative node ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Peer(u8);

impl Peer {
    /// Its position in a table of peers.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The peer at a position in a table of peers.
    pub const fn from_index(index: usize) -> Self {
        Self(index as u8)
    }
}

/// The settings of either client that connections go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionSettings {
    /// reconnect.backoff.ms
    pub reconnect_backoff_ms: i64,
    /// reconnect.backoff.max.ms
    pub reconnect_backoff_max_ms: i64,
    /// socket.connection.setup.timeout.ms
    pub setup_timeout_ms: i64,
    /// socket.connection.setup.timeout.max.ms
    pub setup_timeout_max_ms: i64,
    /// connections.max.idle.ms
    pub max_idle_ms: i64,
}

macro_rules! settings_of {
    ($($config:ty),*) => {$(
        impl From<&$config> for ConnectionSettings {
            fn from(config: &$config) -> Self {
                Self {
                    reconnect_backoff_ms: config.reconnect_backoff_ms,
                    reconnect_backoff_max_ms: config.reconnect_backoff_max_ms,
                    setup_timeout_ms: config.socket_connection_setup_timeout_ms,
                    setup_timeout_max_ms: config.socket_connection_setup_timeout_max_ms,
                    max_idle_ms: config.connections_max_idle_ms,
                }
            }
        }
    )*};
}

settings_of!(ProducerConfig, ConsumerConfig);

/// Kafka: clients/ConnectionState.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConnectionState {
    /// Never connected, so no backoff applies.
    #[default]
    Unknown,
    /// The last connection ended or was never made.
    Disconnected,
    /// A connection was asked for.
    Connecting,
    /// The handshake is going on.
    CheckingApiVersions,
    /// Requests can go out.
    Ready,
}

#[derive(Clone, Copy, Debug)]
struct PeerState {
    state: ConnectionState,
    connection: Option<ConnectionId>,
    last_attempt_ms: i64,
    failed_attempts: u32,
    failed_connect_attempts: u32,
    reconnect_backoff_ms: i64,
    setup_timeout_ms: i64,
    throttled_until_ms: i64,
    last_used_ms: i64,
}

const FRESH: PeerState = PeerState {
    state: ConnectionState::Unknown,
    connection: None,
    last_attempt_ms: 0,
    failed_attempts: 0,
    failed_connect_attempts: 0,
    reconnect_backoff_ms: 0,
    setup_timeout_ms: 0,
    throttled_until_ms: 0,
    last_used_ms: 0,
};

/// The states of all peers: the bootstrap addresses first, then the brokers.
#[derive(Debug)]
pub struct ConnectionStates {
    peers: Vec<PeerState>,
    bootstraps: u8,
    reconnect_backoff: ExponentialBackoff,
    setup_timeout: ExponentialBackoff,
    max_idle_ms: i64,
    reconnect_stream: StreamId,
    setup_stream: StreamId,
}

inflight_des::clone_fields!(ConnectionStates {
    peers,
    bootstraps,
    reconnect_backoff,
    setup_timeout,
    max_idle_ms,
    reconnect_stream,
    setup_stream,
});

impl ConnectionStates {
    /// All peers, never connected: so many bootstrap addresses, then so many brokers.
    pub fn new(
        settings: impl Into<ConnectionSettings>,
        bootstraps: usize,
        brokers: usize,
        reconnect_stream: StreamId,
        setup_stream: StreamId,
    ) -> Self {
        let settings = settings.into();
        Self {
            peers: vec![FRESH; bootstraps + brokers],
            bootstraps: bootstraps as u8,
            reconnect_backoff: ExponentialBackoff::new(
                settings.reconnect_backoff_ms,
                settings.reconnect_backoff_max_ms,
            ),
            setup_timeout: ExponentialBackoff::new(
                settings.setup_timeout_ms,
                settings.setup_timeout_max_ms,
            ),
            max_idle_ms: settings.max_idle_ms,
            reconnect_stream,
            setup_stream,
        }
    }

    /// How many bootstrap addresses there are: the first peers.
    pub const fn bootstrap_count(&self) -> usize {
        self.bootstraps as usize
    }

    /// All peers.
    pub fn all(&self) -> impl Iterator<Item = Peer> + use<> {
        (0..self.peers.len()).map(Peer::from_index)
    }

    /// The peer that stands for a broker of the metadata.
    #[inline]
    pub fn peer_of(&self, broker: BrokerId) -> Peer {
        Peer(self.bootstraps + broker.index() as u8)
    }

    /// The broker that a peer stands for, unless it is a bootstrap address.
    pub fn broker_of(&self, peer: Peer) -> Option<BrokerId> {
        peer.index().checked_sub(usize::from(self.bootstraps)).map(BrokerId::from_index)
    }

    /// The peer of a connection, if it is the peer's current one.
    pub fn peer_with(&self, connection: ConnectionId) -> Option<Peer> {
        self.peers.iter().position(|peer| peer.connection == Some(connection)).map(Peer::from_index)
    }

    fn at(&self, peer: Peer) -> &PeerState {
        &self.peers[peer.index()]
    }

    fn at_mut(&mut self, peer: Peer) -> &mut PeerState {
        &mut self.peers[peer.index()]
    }

    /// The connection of a peer, open or being opened.
    pub fn connection(&self, peer: Peer) -> Option<ConnectionId> {
        self.at(peer).connection
    }

    /// When a connection was last tried or lost.
    pub fn last_attempt_ms(&self, peer: Peer) -> i64 {
        self.at(peer).last_attempt_ms
    }

    /// Whether requests can go out as far as the connection is concerned.
    #[inline]
    pub fn is_ready(&self, peer: Peer, now_ms: i64) -> bool {
        let peer = self.at(peer);
        peer.state == ConnectionState::Ready && peer.throttled_until_ms <= now_ms
    }

    /// Whether a connection was asked for and is not there yet.
    pub fn is_connecting(&self, peer: Peer) -> bool {
        self.at(peer).state == ConnectionState::Connecting
    }

    /// Kafka: isPreparingConnection.
    pub fn is_preparing(&self, peer: Peer) -> bool {
        matches!(
            self.at(peer).state,
            ConnectionState::Connecting | ConnectionState::CheckingApiVersions
        )
    }

    /// Kafka: KafkaClient.connectionFailed.
    pub fn is_disconnected(&self, peer: Peer) -> bool {
        self.at(peer).state == ConnectionState::Disconnected
    }

    /// Kafka: canConnect.
    pub fn can_connect(&self, peer: Peer, now_ms: i64) -> bool {
        let peer = self.at(peer);
        match peer.state {
            ConnectionState::Unknown => true,
            ConnectionState::Disconnected => {
                now_ms - peer.last_attempt_ms >= peer.reconnect_backoff_ms
            }
            ConnectionState::Connecting
            | ConnectionState::CheckingApiVersions
            | ConnectionState::Ready => false,
        }
    }

    /// Kafka: pollDelayMs: how long a poll may last before the peer is worth another look.
    pub fn poll_delay_ms(&self, peer: Peer, now_ms: i64) -> i64 {
        let peer = self.at(peer);
        match peer.state {
            // Throttling delays no reconnect, though it goes on afterwards.
            ConnectionState::CheckingApiVersions | ConnectionState::Ready
                if peer.throttled_until_ms > now_ms =>
            {
                peer.throttled_until_ms - now_ms
            }
            ConnectionState::Unknown => 0,
            ConnectionState::Connecting => peer.setup_timeout_ms,
            ConnectionState::Disconnected => {
                (peer.reconnect_backoff_ms - (now_ms - peer.last_attempt_ms)).max(0)
            }
            ConnectionState::CheckingApiVersions | ConnectionState::Ready => i64::MAX,
        }
    }

    /// A connection is being opened. Kafka: connecting.
    pub fn connecting(
        &mut self,
        peer: Peer,
        connection: ConnectionId,
        now_ms: i64,
        chance: &mut Chance,
    ) {
        if self.at(peer).state == ConnectionState::Unknown {
            let setup = self.setup_timeout.draw(0, chance, self.setup_stream);
            self.at_mut(peer).setup_timeout_ms = setup;
        }
        let state = self.at_mut(peer);
        state.state = ConnectionState::Connecting;
        state.connection = Some(connection);
        state.last_attempt_ms = now_ms;
        state.last_used_ms = now_ms;
    }

    /// TCP is up. Kafka: checkingApiVersions. Kafka draws a setup timeout here and a reconnect
    /// backoff in `ready`; both are drawn again at the next disconnect, before anybody reads them.
    pub fn checking_api_versions(&mut self, peer: Peer) {
        let state = self.at_mut(peer);
        state.state = ConnectionState::CheckingApiVersions;
        state.failed_connect_attempts = 0;
    }

    /// The peer answered ApiVersions. Kafka: ready.
    pub fn ready(&mut self, peer: Peer) {
        let state = self.at_mut(peer);
        state.state = ConnectionState::Ready;
        state.failed_attempts = 0;
    }

    /// The connection is gone or was never made. Kafka: disconnected.
    pub fn disconnected(&mut self, peer: Peer, now_ms: i64, chance: &mut Chance) {
        let before = *self.at(peer);
        let backoff =
            self.reconnect_backoff.draw(before.failed_attempts, chance, self.reconnect_stream);
        let failed_connects = if before.state == ConnectionState::Connecting {
            before.failed_connect_attempts + 1
        } else {
            0
        };
        let setup = self.setup_timeout.draw(failed_connects, chance, self.setup_stream);
        let state = self.at_mut(peer);
        state.state = ConnectionState::Disconnected;
        state.connection = None;
        state.last_attempt_ms = now_ms;
        state.failed_attempts += 1;
        state.reconnect_backoff_ms = backoff;
        state.failed_connect_attempts = failed_connects;
        state.setup_timeout_ms = setup;
    }

    /// Kafka: throttle.
    pub fn throttle(&mut self, peer: Peer, until_ms: i64) {
        let state = self.at_mut(peer);
        state.throttled_until_ms = state.throttled_until_ms.max(until_ms);
    }

    /// Bytes went out or came in.
    pub fn used(&mut self, peer: Peer, now_ms: i64) {
        self.at_mut(peer).last_used_ms = now_ms;
    }

    /// A peer whose connection was not set up in time. The comparison is strict, as Kafka's.
    pub fn setup_timed_out(&self, now_ms: i64) -> Option<Peer> {
        self.all().find(|peer| {
            self.is_connecting(*peer)
                && now_ms - self.at(*peer).last_attempt_ms > self.at(*peer).setup_timeout_ms
        })
    }

    /// The peer that was idle for longest, if for too long. Kafka: Selector.IdleExpiryManager.
    pub fn idle_too_long(&self, now_ms: i64) -> Option<Peer> {
        if self.max_idle_ms < 0 {
            return None;
        }
        let oldest = self
            .all()
            .filter(|peer| self.at(*peer).connection.is_some() && !self.is_connecting(*peer))
            .min_by_key(|peer| self.at(*peer).last_used_ms)?;
        (now_ms - self.at(oldest).last_used_ms > self.max_idle_ms).then_some(oldest)
    }

    /// The first millisecond at which one of the timeouts above has something to do: of a setup
    /// that is going on, of an idle connection, and, as `expires_ms` says, of requests in flight.
    pub fn next_timeout_ms(&self, expires_ms: impl Fn(Peer) -> i64) -> i64 {
        let mut earliest = i64::MAX;
        for (index, peer) in self.peers.iter().enumerate() {
            match peer.state {
                ConnectionState::Connecting => {
                    earliest = earliest.min(peer.last_attempt_ms + peer.setup_timeout_ms + 1);
                }
                ConnectionState::CheckingApiVersions | ConnectionState::Ready => {
                    if self.max_idle_ms >= 0 {
                        earliest = earliest.min(peer.last_used_ms + self.max_idle_ms + 1);
                    }
                    earliest = earliest.min(expires_ms(Peer::from_index(index)));
                }
                ConnectionState::Unknown | ConnectionState::Disconnected => {}
            }
        }
        earliest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use inflight_des::Seed;
    use inflight_protocol::{ClientId, Node};

    fn states() -> (ConnectionStates, Chance) {
        let mut chance = Chance::new(Seed::new(1));
        let (reconnect, setup) = (chance.stream("reconnect"), chance.stream("setup"));
        let states = ConnectionStates::new(&ProducerConfig::default(), 1, 3, reconnect, setup);
        (states, chance)
    }

    const CONNECTION: ConnectionId =
        ConnectionId { owner: Node::Client(ClientId::new(0)), number: 0 };

    #[test]
    fn a_bootstrap_address_is_another_peer_than_its_broker() {
        let (states, _) = states();
        let broker = BrokerId::new(1);
        let peer = states.peer_of(broker);
        assert_eq!(states.broker_of(peer), Some(broker));
        let bootstrap = Peer::from_index(0);
        assert_ne!(bootstrap, peer);
        assert_eq!(states.broker_of(bootstrap), None);
    }

    #[test]
    fn failures_lengthen_the_backoff_and_success_resets_it() {
        let (mut states, mut chance) = states();
        let peer = states.peer_of(BrokerId::new(2));
        let mut now = 1_000_000;
        let mut waits = Vec::new();
        for _ in 0..7 {
            states.connecting(peer, CONNECTION, now, &mut chance);
            states.disconnected(peer, now, &mut chance);
            let wait = states.poll_delay_ms(peer, now);
            assert!(!states.can_connect(peer, now + wait - 1));
            assert!(states.can_connect(peer, now + wait));
            waits.push(wait);
            now += wait;
        }
        for (wait, low) in waits.iter().zip([40, 80, 160, 320, 640, 800, 800]) {
            assert!(*wait >= low && *wait <= (low * 3 / 2).min(1_000), "{waits:?}");
        }
        states.connecting(peer, CONNECTION, now, &mut chance);
        states.checking_api_versions(peer);
        states.ready(peer);
        states.disconnected(peer, now, &mut chance);
        assert!((40..60).contains(&states.poll_delay_ms(peer, now)));
    }

    #[test]
    fn the_setup_timeout_is_strict() {
        let (mut states, mut chance) = states();
        let peer = states.peer_of(BrokerId::new(2));
        states.connecting(peer, CONNECTION, 5_000, &mut chance);
        let deadline = states.next_timeout_ms(|_| i64::MAX);
        assert!((13_000..=17_001).contains(&deadline), "{deadline}");
        assert_eq!(states.setup_timed_out(deadline - 1), None);
        assert_eq!(states.setup_timed_out(deadline), Some(peer));
    }

    #[test]
    fn throttling_delays_no_reconnect() {
        let (mut states, mut chance) = states();
        let peer = states.peer_of(BrokerId::new(2));
        states.connecting(peer, CONNECTION, 5_000, &mut chance);
        states.checking_api_versions(peer);
        states.ready(peer);
        states.throttle(peer, 6_000);
        assert_eq!(states.poll_delay_ms(peer, 5_000), 1_000);
        states.disconnected(peer, 5_000, &mut chance);
        assert!((40..60).contains(&states.poll_delay_ms(peer, 5_000)));
        states.connecting(peer, CONNECTION, 5_060, &mut chance);
        states.checking_api_versions(peer);
        states.ready(peer);
        assert!(!states.is_ready(peer, 5_999), "the new connection is throttled as well");
        assert!(states.is_ready(peer, 6_000));
    }

    #[test]
    fn the_connection_idle_for_longest_goes_first() {
        let (mut states, mut chance) = states();
        let (one, two) = (states.peer_of(BrokerId::new(1)), states.peer_of(BrokerId::new(2)));
        for (peer, at) in [(one, 2_000), (two, 1_000)] {
            states.connecting(peer, CONNECTION, at, &mut chance);
            states.checking_api_versions(peer);
            states.ready(peer);
        }
        assert_eq!(states.idle_too_long(541_000), None);
        assert_eq!(states.idle_too_long(541_001), Some(two));
        states.used(two, 541_000);
        assert_eq!(states.idle_too_long(542_001), Some(one));
    }
}
