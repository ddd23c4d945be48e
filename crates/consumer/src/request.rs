//! What requests are for.

use crate::coordinator::generation::Generation;
use crate::subscription::{FetchPosition, ResetTo};
use inflight_protocol::{BrokerId, Offset, TopicPartition};
use smallvec::SmallVec;

/// What a request is for, with all that the handler of its answer needs to know.
#[derive(Clone, Debug)]
pub(crate) enum Purpose {
    /// The handshake of a new connection.
    ApiVersions,
    /// A refresh of the metadata, of this version.
    Metadata(u32),
    /// The coordinator.
    FindCoordinator,
    /// A place in the group.
    JoinGroup(Generation),
    /// The assignment.
    SyncGroup(Generation),
    /// A sign of life.
    Heartbeat(Generation),
    /// The end of the membership.
    LeaveGroup,
    /// A heartbeat of the consumer protocol, whose answer counts or does not.
    MemberHeartbeat { counts: bool },
    /// The commit of this number.
    OffsetCommit(u32, Generation),
    /// The committed offsets, asked for under this number.
    OffsetFetch(u32),
    /// Records from this broker, from these offsets on.
    Fetch(BrokerId, SmallVec<[(TopicPartition, Offset); 2]>),
    /// The beginning or end of these partitions.
    ListOffsets(SmallVec<[(TopicPartition, ResetTo); 2]>),
    /// Where the epochs of these positions end.
    EpochEnds(SmallVec<[(TopicPartition, FetchPosition); 2]>),
}
