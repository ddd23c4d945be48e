//! What a coordinator writes down about a group of the consumer protocol (KIP-848).
//!
//! Kafka: the schemas ConsumerGroup*Key and *Value, GroupCoordinatorRecordHelpers.

use crate::config::ServerAssignor;
use crate::ids::{TopicId, TopicPartition};
use crate::transaction::MemberId;
use smallvec::SmallVec;

/// Something that is true of a group from here on. `None` is a tombstone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConsumerGroupRecord {
    /// The group epoch. Kafka: ConsumerGroupMetadataValue.
    Epoch(Option<u32>),
    /// What a member wants. Kafka: ConsumerGroupMemberMetadataValue.
    Member(MemberId, Option<Box<MemberMetadata>>),
    /// The group epoch that the target assignment is of, and when it was computed, in milliseconds
    /// of the clock; 0 lets the next one come at once.
    /// Kafka: ConsumerGroupTargetAssignmentMetadataValue.
    TargetEpoch(Option<(u32, i64)>),
    /// What a member is to have. Kafka: ConsumerGroupTargetAssignmentMemberValue.
    Target(MemberId, Option<SmallVec<[TopicPartition; 4]>>),
    /// What a member has. Kafka: ConsumerGroupCurrentMemberAssignmentValue.
    Current(MemberId, Option<Box<CurrentAssignment>>),
}

/// What a member wants. Kafka: ConsumerGroupMemberMetadataValue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberMetadata {
    /// Its topics, in ascending order.
    pub topics: SmallVec<[TopicId; 2]>,
    /// max.poll.interval.ms
    pub rebalance_timeout_ms: u32,
    /// group.remote.assignor
    pub assignor: Option<ServerAssignor>,
}

/// Partitions in ascending order, each with the member epoch in which it was assigned (KIP-1251).
pub type AssignedPartitions = SmallVec<[(TopicPartition, u32); 4]>;

/// What a member has, and how far it is on its way to its target.
/// Kafka: ConsumerGroupCurrentMemberAssignmentValue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CurrentAssignment {
    /// The member epoch.
    pub epoch: u32,
    /// The one before; `None` of a member that has just come.
    pub previous_epoch: Option<u32>,
    /// How far it is.
    pub state: ReconciliationState,
    /// What it may read.
    pub assigned: AssignedPartitions,
    /// What it has to give up, and may still read.
    pub revoking: AssignedPartitions,
}

/// How far a member is on its way to its target assignment. Kafka: modern/MemberState.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReconciliationState {
    /// It has what it is to have.
    #[default]
    Stable,
    /// It has to give up partitions first.
    UnrevokedPartitions,
    /// Others have not given up yet what it is to have.
    UnreleasedPartitions,
}
