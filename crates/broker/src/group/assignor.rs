//! Who is to have which partitions, with the consumer protocol.
//! Kafka: group-coordinator/assignor, without racks.

mod balancer;
mod heterogeneous;
mod range;
mod uniform;

use inflight_protocol::config::ServerAssignor;
use inflight_protocol::transaction::MemberId;
use inflight_protocol::{TopicId, TopicPartition, Topics};
use smallvec::SmallVec;

/// A member's partitions, in ascending order.
pub(crate) type Partitions = SmallVec<[TopicPartition; 4]>;

/// What an assignor knows of a member. Kafka: MemberSubscription with MemberAssignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// The member.
    pub(crate) id: MemberId,
    /// Its topics, in ascending order.
    pub(crate) topics: SmallVec<[TopicId; 2]>,
    /// Its target assignment so far.
    pub(crate) target: Partitions,
}

/// The new target assignment of each member, in the order of the members, which is that of their
/// ids. Kafka: ConsumerGroupPartitionAssignor.assign.
pub(crate) fn assign(
    assignor: ServerAssignor,
    members: &[Candidate],
    names: &Topics,
) -> Vec<Partitions> {
    let mut assignment = match assignor {
        ServerAssignor::Range => range::assign(members, names),
        ServerAssignor::Uniform => uniform::assign(members, names),
    };
    for partitions in &mut assignment {
        partitions.sort_unstable();
    }
    assignment
}

/// Whether all members subscribe to the same topics. Kafka: SubscriptionType.HOMOGENEOUS.
fn is_homogeneous(members: &[Candidate]) -> bool {
    members.windows(2).all(|pair| pair[0].topics == pair[1].topics)
}

#[cfg(test)]
mod tests;
