//! What happened, in 128 bits, and where two runs part.
//!
//! The *trace digest* absorbs instants and facts; it is what runs are told apart by. It knows kinds
//! and fields by their values and names, so a new kind of fact moves no digest in which it does
//! not occur. The *run digest* of the engine is another one: it knows events and packets without
//! their contents, and holds whoever watches.

use crate::observer::Observer;
use inflight_des::{Digest, Instant, Kinds};
use inflight_protocol::Fact;
use inflight_protocol::fact::Value;
use inflight_protocol::ids::{ConnectionId, Node};

/// Digests facts while they happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TraceDigest {
    digest: Digest,
    facts: u64,
}

impl TraceDigest {
    /// The digest of no facts.
    pub const fn new() -> Self {
        Self { digest: Digest::new(), facts: 0 }
    }

    /// The digest of recorded facts.
    pub fn of(facts: &[(Instant, Fact)]) -> Self {
        let mut digest = Self::new();
        crate::recorder::replay(facts, &mut digest);
        digest
    }

    /// The digest so far.
    pub const fn value(&self) -> Digest {
        self.digest
    }

    /// How many facts it has taken in.
    pub const fn facts(&self) -> u64 {
        self.facts
    }
}

impl Observer for TraceDigest {
    const INTEREST: Kinds = Kinds::ALL;

    fn on_fact(&mut self, at: Instant, fact: &Fact) {
        self.facts += 1;
        self.digest.absorb(at.as_nanos());
        self.digest.absorb_text(fact.kind().name());
        fact.for_each_field(|_, value| absorb(&mut self.digest, value));
    }
}

/// Takes in a value; values of different types never look the same.
fn absorb(digest: &mut Digest, value: Value) {
    let (tag, word) = match value {
        Value::None => (0, 0),
        Value::Number(number) => (1, number as u64),
        Value::Word(word) => {
            digest.absorb_text(word);
            (2, 0)
        }
        Value::Partition(partition) => (3, u64::from(partition.get())),
        Value::Client(client) => (4, u64::from(client.get())),
        Value::Node(node) => (5, node_word(node)),
        Value::Brokers(set) => (6, set.bits()),
        Value::Connection(ConnectionId { owner, number }) => {
            (7, node_word(owner) << 32 | u64::from(number))
        }
        Value::Span(span) => (8, span.as_nanos()),
        Value::Transactional(id) => (9, u64::from(id.get())),
        Value::Group(group) => (10, u64::from(group.get())),
    };
    digest.absorb(tag);
    digest.absorb(word);
}

fn node_word(node: Node) -> u64 {
    match node {
        Node::Controller => 0,
        Node::Broker(broker) => 1 << 16 | u64::from(broker.get()),
        Node::Client(client) => 2 << 16 | u64::from(client.get()),
    }
}

/// Where two recordings part: the position, and what each has there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// How many facts are the same before.
    pub index: usize,
    /// What the first recording has there, if it goes on.
    pub left: Option<(Instant, Fact)>,
    /// What the second recording has there, if it goes on.
    pub right: Option<(Instant, Fact)>,
}

/// The first position at which two recordings differ. `None` if they are the same.
pub fn first_divergence(left: &[(Instant, Fact)], right: &[(Instant, Fact)]) -> Option<Divergence> {
    let index = left.iter().zip(right).take_while(|(a, b)| a == b).count();
    let (left, right) = (left.get(index).copied(), right.get(index).copied());
    (left.is_some() || right.is_some()).then_some(Divergence { index, left, right })
}

#[cfg(test)]
mod tests {
    use super::*;
    use inflight_protocol::fact::Surviving;
    use inflight_protocol::{BrokerId, LeaderEpoch, TopicPartition};

    fn story() -> Vec<(Instant, Fact)> {
        let broker = BrokerId::new(1);
        let facts = [
            Fact::BrokerStarted { broker },
            Fact::BecameFollower {
                broker,
                partition: TopicPartition::new(0),
                leader_epoch: LeaderEpoch::new(0),
                leader: None,
            },
            Fact::BrokerCrashed { broker, surviving: Surviving::Appended },
        ];
        facts.iter().zip(0..).map(|(fact, at)| (Instant::from_nanos(at), *fact)).collect()
    }

    #[test]
    fn the_digest_of_a_story_never_changes() {
        let digest = TraceDigest::of(&story());
        assert_eq!(digest.facts(), 3);
        assert_eq!(digest.value().to_string(), PINNED);
    }

    const PINNED: &str = "b091d72dd34ef5b821b99c899a7cf17e";

    #[test]
    fn instants_and_fields_count() {
        let digest = TraceDigest::of(&story());
        let mut later = story();
        later[2].0 = Instant::from_nanos(3);
        assert_ne!(TraceDigest::of(&later), digest);
        let mut other = story();
        other[2].1 =
            Fact::BrokerCrashed { broker: BrokerId::new(1), surviving: Surviving::Flushed };
        assert_ne!(TraceDigest::of(&other), digest);
    }

    #[test]
    fn the_first_divergence_is_found() {
        let (a, mut b) = (story(), story());
        assert_eq!(first_divergence(&a, &b), None);
        let last = b.pop();
        let end = Divergence { index: 2, left: last, right: None };
        assert_eq!(first_divergence(&a, &b), Some(end));
        b[0].0 = Instant::from_nanos(9);
        assert_eq!(first_divergence(&a, &b).map(|d| d.index), Some(0));
    }
}
