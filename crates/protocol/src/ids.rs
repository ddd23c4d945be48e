//! Identities. Two numbers that could be swapped are two types.

use inflight_des::Instant;
use std::fmt;
use std::num::NonZeroU64;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($repr:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($repr);

        impl $name {
            /// The id with this number.
            #[inline]
            pub const fn new(number: $repr) -> Self {
                Self(number)
            }

            /// Its number.
            #[inline]
            pub const fn get(self) -> $repr {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// A broker, numbered from 1 as in `node.id=1`.
    BrokerId(u8)
}
id! {
    /// A client process: the program around a producer. Numbered from 0 in the order of the setup.
    ClientId(u16)
}
id! {
    /// One producer object, from construction to close or crash. A restart is a new session.
    SessionId(u16)
}
id! {
    /// One application thread of a client.
    ThreadId(u16)
}
id! {
    /// One consumer object, from construction to close or crash. A restart is a new one.
    ConsumerId(u16)
}
id! {
    /// A transactional id, numbered from 0 in the order of the setup; see `Coordinated` for names.
    TransactionalId(u16)
}
id! {
    /// A consumer group, numbered from 0 in the order of the setup; see `Coordinated` for names.
    GroupId(u16)
}
id! {
    /// A topic, numbered from 0 in the order of the setup.
    TopicId(u16)
}
id! {
    /// A topic partition, numbered from 0 over all topics of the setup; see `Topics` for names.
    TopicPartition(u16)
}
id! {
    /// A batch of one producer session, numbered from 0 in the order of creation.
    BatchId(u32)
}
id! {
    /// Numbers the requests of one client or fetcher. Kafka: RequestHeader.correlationId.
    CorrelationId(u32)
}
id! {
    /// Kafka's leader epoch: grows by one whenever a partition gets a leader.
    LeaderEpoch(u32)
}
id! {
    /// Grows by one with each change of a partition's state at the controller.
    PartitionEpoch(u32)
}
id! {
    /// Given to a broker at each registration.
    BrokerEpoch(u32)
}
id! {
    /// The producer epoch.
    ProducerEpoch(i16)
}
id! {
    /// An offset in a partition's log.
    Offset(u64)
}
id! {
    /// A record's or a log's wall-clock time in milliseconds.
    Timestamp(i64)
}

impl BrokerId {
    /// Brokers are few: sets of them are bit masks.
    pub const MAX: u8 = 64;

    /// Position in a table of brokers, from 0.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize - 1
    }

    /// The broker at a position in a table of brokers.
    #[inline]
    pub const fn from_index(index: usize) -> Self {
        Self(index as u8 + 1)
    }
}

macro_rules! index {
    ($($name:ident),*) => {$(
        impl $name {
            /// Position in a table, from 0.
            #[inline]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

index!(
    ClientId,
    ConsumerId,
    GroupId,
    SessionId,
    ThreadId,
    TopicId,
    TopicPartition,
    TransactionalId
);

impl LeaderEpoch {
    /// The epoch of the next leader.
    #[inline]
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl PartitionEpoch {
    /// The epoch after one more change.
    #[inline]
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl Offset {
    /// The first offset of a log.
    pub const ZERO: Self = Self(0);

    /// The offset `count` further on.
    #[inline]
    #[must_use]
    pub const fn plus(self, count: u64) -> Self {
        Self(self.0 + count)
    }
}

impl Timestamp {
    /// What every wall clock reads when a run starts. Far from 0, which Kafka takes for "never".
    pub const RUN_START: Self = Self(1_000_000_000_000);

    /// What a wall clock reads at an instant of the run.
    #[inline]
    pub const fn at(now: Instant) -> Self {
        Self(Self::RUN_START.0 + now.as_millis() as i64)
    }
}

impl ProducerEpoch {
    /// The epoch after which a producer needs a new id. Kafka: Short.MAX_VALUE.
    pub const MAX: Self = Self(i16::MAX);

    /// The next epoch, if there is one.
    #[inline]
    pub const fn next(self) -> Option<Self> {
        match self.0.checked_add(1) {
            Some(epoch) => Some(Self(epoch)),
            None => None,
        }
    }
}

/// A producer id. Any number from 0 except the greatest; an `Option` of it is no larger.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProducerId(NonZeroU64);

impl ProducerId {
    /// The id with this number.
    #[inline]
    pub const fn new(number: u64) -> Self {
        match NonZeroU64::new(number + 1) {
            Some(number) => Self(number),
            None => panic!("producer ids end before 2^64 - 1"),
        }
    }

    /// Its number.
    #[inline]
    pub const fn get(self) -> u64 {
        self.0.get() - 1
    }
}

impl fmt::Debug for ProducerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProducerId({})", self.get())
    }
}

impl fmt::Display for ProducerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

/// A producer's identity on the wire. Kafka: common/utils/ProducerIdAndEpoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProducerIdAndEpoch {
    /// The producer id.
    pub id: ProducerId,
    /// The producer epoch.
    pub epoch: ProducerEpoch,
}

/// A set of brokers, as a bit mask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BrokerSet(u64);

impl BrokerSet {
    /// No broker.
    pub const EMPTY: Self = Self(0);

    /// The set with these bits: bit 0 is broker 1.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Its bits: bit 0 is broker 1.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Whether `broker` is in the set.
    #[inline]
    pub const fn contains(self, broker: BrokerId) -> bool {
        self.0 >> broker.index() & 1 == 1
    }

    /// The set with `broker`.
    #[inline]
    #[must_use]
    pub const fn with(self, broker: BrokerId) -> Self {
        Self(self.0 | 1 << broker.index())
    }

    /// The set without `broker`.
    #[inline]
    #[must_use]
    pub const fn without(self, broker: BrokerId) -> Self {
        Self(self.0 & !(1 << broker.index()))
    }

    /// The members of both sets.
    #[inline]
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The members of either set.
    #[inline]
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The members of this set that are not in the other.
    #[inline]
    #[must_use]
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// How many brokers.
    #[inline]
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether there is none.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The members in ascending order.
    pub fn iter(self) -> impl Iterator<Item = BrokerId> + Clone {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let index = rest.trailing_zeros() as usize;
            rest &= rest.wrapping_sub(1);
            (index < 64).then(|| BrokerId::from_index(index))
        })
    }
}

impl FromIterator<BrokerId> for BrokerSet {
    fn from_iter<I: IntoIterator<Item = BrokerId>>(brokers: I) -> Self {
        brokers.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl fmt::Display for BrokerSet {
    /// `{1,2,3}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (index, broker) in self.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{broker}")?;
        }
        f.write_str("}")
    }
}

/// A process that takes part in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Node {
    /// The `KRaft` controller quorum, which is one node here.
    Controller,
    /// A broker.
    Broker(BrokerId),
    /// A client.
    Client(ClientId),
}

impl fmt::Display for Node {
    /// `controller`, `b1`, `c0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Controller => f.write_str("controller"),
            Self::Broker(broker) => write!(f, "b{broker}"),
            Self::Client(client) => write!(f, "c{client}"),
        }
    }
}

/// A TCP connection: who opened it, and which one of that node's it is. Never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId {
    // First, because it is what two ids differ in most often.
    /// Numbered from 0 in the order in which the owner opened them.
    pub number: u32,
    /// The node that opened it.
    pub owner: Node,
}

/// The id as one word, for those who look for one among many.
impl From<ConnectionId> for u64 {
    #[inline]
    fn from(id: ConnectionId) -> Self {
        let owner = match id.owner {
            Node::Controller => 0,
            Node::Broker(broker) => 1 << 16 | Self::from(broker.get()),
            Node::Client(client) => 2 << 16 | Self::from(client.get()),
        };
        owner << 32 | Self::from(id.number)
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.owner, self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_optional_producer_id_costs_nothing() {
        assert_eq!(size_of::<Option<ProducerId>>(), 8);
        assert_eq!(ProducerId::new(0).get(), 0);
        assert!(ProducerId::new(1) < ProducerId::new(2));
    }

    #[test]
    fn sets_of_brokers_are_sets() {
        let b = BrokerId::new;
        let set: BrokerSet = [b(3), b(1), b(64)].into_iter().collect();
        assert_eq!(set.to_string(), "{1,3,64}");
        assert_eq!(set.without(b(1)).iter().collect::<Vec<_>>(), [b(3), b(64)]);
        assert_eq!((set.len(), set.contains(b(2)), set.contains(b(64))), (3, false, true));
        assert!(BrokerSet::EMPTY.is_empty());
    }

    #[test]
    fn producer_epochs_end() {
        assert_eq!(ProducerEpoch::new(0).next(), Some(ProducerEpoch::new(1)));
        assert_eq!(ProducerEpoch::MAX.next(), None);
    }
}
