//! Which facts lanes show.

use inflight_des::Kinds;
use inflight_protocol::ApiKey;
use inflight_protocol::fact::kinds;
use inflight_protocol::ids::TopicPartition;
use inflight_protocol::{Fact, FactKind};

/// Kinds that say what another shown fact says already, or that happen all the time.
const NOISE: Kinds = kinds(&[
    FactKind::MessageSent,
    FactKind::FollowerAdvanced,
    FactKind::MetadataApplied,
    FactKind::MetadataUpdated,
    FactKind::ConnectionOpened,
    FactKind::LogFlushed,
]);

/// A choice of facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Focus {
    /// The kinds that are shown.
    kinds: Kinds,
    /// The kinds that are not, whatever `kinds` says.
    hidden: Kinds,
    /// Whether only produce requests and responses are shown, of all that travels.
    produce_only: bool,
    /// The one partition that is shown, beside what concerns no partition.
    partition: Option<TopicPartition>,
}

impl Default for Focus {
    /// The life of records: what travels is left out except produce requests and responses, and so
    /// is what happens all the time.
    fn default() -> Self {
        Self { kinds: Kinds::ALL, hidden: NOISE, produce_only: true, partition: None }
    }
}

impl Focus {
    /// Every fact.
    pub const ALL: Self =
        Self { kinds: Kinds::ALL, hidden: Kinds::NONE, produce_only: false, partition: None };

    /// Only these kinds.
    pub const fn on(kinds: Kinds) -> Self {
        Self { kinds, hidden: Kinds::NONE, produce_only: false, partition: None }
    }

    /// The same without the facts of other partitions.
    #[must_use]
    pub const fn within(mut self, partition: TopicPartition) -> Self {
        self.partition = Some(partition);
        self
    }

    /// Whether a fact is shown.
    pub fn shows(&self, fact: &Fact) -> bool {
        let kind = fact.kind().set();
        self.kinds.meets(kind)
            && !self.hidden.meets(kind)
            && (!self.produce_only || is_produce(fact))
            && (self.partition.is_none() || concerns(fact, self.partition))
    }
}

/// Whether a fact is about no message, or about one with records or their answer. A lost message
/// is shown whatever it was, unless followers will fetch again anyway.
fn is_produce(fact: &Fact) -> bool {
    let api = match fact {
        Fact::MessageDelivered { api, .. } => *api,
        Fact::MessageLost { api, .. } => return *api != ApiKey::Fetch,
        _ => return true,
    };
    api == ApiKey::Produce
}

/// Whether a fact is about a partition, or about none.
fn concerns(fact: &Fact, partition: Option<TopicPartition>) -> bool {
    use inflight_protocol::fact::Value;
    let mut concerned = true;
    fact.for_each_field(|_, value| {
        if let Value::Partition(of) = value {
            concerned &= Some(of) == partition;
        }
    });
    concerned
}
