//! Who gets which partitions. Kafka: clients/consumer/{RangeAssignor, CooperativeStickyAssignor}.

pub(crate) mod range;
pub(crate) mod sticky;

use inflight_protocol::message::JoinedMember;
use inflight_protocol::transaction::MemberId;
use inflight_protocol::{TopicId, TopicPartition, Topics};
use smallvec::SmallVec;

/// What an assignor knows of a member. Kafka: ConsumerPartitionAssignor.Subscription.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member<'a> {
    /// Its name.
    pub(crate) id: MemberId,
    topics: &'a [TopicId],
    owned: &'a [TopicPartition],
    generation: Option<u32>,
}

impl<'a> Member<'a> {
    /// What a member says of itself.
    pub(crate) fn of(joined: &'a JoinedMember) -> Self {
        let JoinedMember { member, topics, owned, generation } = joined;
        Self { id: *member, topics, owned, generation: *generation }
    }
}

/// The partitions of each member, in the order of the members.
pub(crate) type Assignment = Vec<SmallVec<[TopicPartition; 4]>>;

/// The topics in the order of their names.
fn by_name(topics: &[TopicId], names: &Topics) -> SmallVec<[TopicId; 4]> {
    let mut topics: SmallVec<[TopicId; 4]> = topics.iter().copied().collect();
    topics.sort_by_key(|topic| names.name(*topic));
    topics
}

#[cfg(test)]
mod tests;
