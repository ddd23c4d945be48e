//! Requests and responses of consumers and groups.

use super::{EpochEndOffset, FetchPartition, GroupIdentity, LeaderAndEpoch};
use crate::batch::RecordBatch;
use crate::config::ServerAssignor;
use crate::error_code::ErrorCode;
use crate::ids::{GroupId, LeaderEpoch, Offset, ProducerId, Timestamp, TopicId, TopicPartition};
use crate::transaction::{CommittedOffset, GroupMember, MemberId};
use smallvec::SmallVec;

/// Which records a reader sees. Kafka: common/IsolationLevel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IsolationLevel {
    /// Whatever is below the high watermark.
    #[default]
    ReadUncommitted,
    /// What is below the last stable offset and not aborted.
    ReadCommitted,
}

/// Kafka: FetchRequest, as a consumer sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerFetchRequest {
    /// isolation.level
    pub isolation: IsolationLevel,
    /// fetch.max.wait.ms
    pub max_wait_ms: u32,
    /// fetch.min.bytes
    pub min_bytes: u32,
    /// fetch.max.bytes
    pub max_bytes: u32,
    /// What to fetch. `log_start_offset` is not looked at.
    pub partitions: SmallVec<[FetchPartition; 1]>,
}

/// A transaction that was aborted. Kafka: FetchResponseData.AbortedTransaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AbortedTransaction {
    /// Where it begins in the partition.
    pub first_offset: Offset,
    /// Whose it was.
    pub producer_id: ProducerId,
}

/// Kafka: FetchResponse, as a consumer gets it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConsumerFetchResponse {
    /// Why there is nothing at all: something is wrong with the fetch session.
    pub error: Option<ErrorCode>,
    /// One entry a partition.
    pub partitions: SmallVec<[ConsumerFetchPartitionResponse; 1]>,
    /// The batches of all entries, one entry after the other.
    pub batches: Vec<RecordBatch>,
    /// The aborted transactions of all entries, one entry after the other.
    pub aborted: Vec<AbortedTransaction>,
}

/// Kafka: FetchResponseData.PartitionData, as a consumer gets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsumerFetchPartitionResponse {
    /// The partition.
    pub partition: TopicPartition,
    /// Why there is no data.
    pub error: Option<ErrorCode>,
    /// The leader's high watermark.
    pub high_watermark: Offset,
    /// The leader's last stable offset.
    pub last_stable_offset: Offset,
    /// Where the log parts from what the consumer has read, if it does.
    pub diverging_epoch: Option<EpochEndOffset>,
    /// With NOT_LEADER_OR_FOLLOWER or FENCED_LEADER_EPOCH: who leads now, as far as this broker knows
    /// (KIP-951).
    pub current_leader: Option<LeaderAndEpoch>,
    /// How many of the batches are this entry's.
    pub batches: u32,
    /// How many of the aborted transactions are this entry's.
    pub aborted: u32,
}

/// Where a reader wants to begin. Kafka: ListOffsetsRequest with its special timestamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OffsetSpec {
    /// The first offset.
    Earliest,
    /// The high watermark or last stable offset, by isolation level.
    Latest,
    /// The first record at or after this time.
    At(Timestamp),
}

/// Kafka: ListOffsetsRequest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ListOffsetsRequest {
    /// isolation.level
    pub isolation: IsolationLevel,
    /// Partition, the leader epoch that the consumer knows, and where it wants to begin.
    pub partitions: SmallVec<[(TopicPartition, LeaderEpoch, OffsetSpec); 1]>,
}

/// Kafka: ListOffsetsResponse: offset and its leader epoch, if there is one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ListOffsetsResponse {
    /// One entry a partition.
    pub partitions: SmallVec<[(TopicPartition, Result<OffsetAndEpoch, ErrorCode>); 1]>,
}

/// An offset with the leader epoch it is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OffsetAndEpoch {
    /// The offset. `None` if no record is that young.
    pub offset: Option<Offset>,
    /// The leader epoch.
    pub leader_epoch: Option<LeaderEpoch>,
}

/// Kafka: OffsetForLeaderEpochRequest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OffsetForLeaderEpochRequest {
    /// Partition, the leader epoch that the reader knows, and the epoch that it asks for.
    pub partitions: SmallVec<[(TopicPartition, LeaderEpoch, LeaderEpoch); 1]>,
}

/// Where a leader epoch ends, `None` if it is not known, or why that cannot be said.
pub type EpochEndResult = Result<Option<EpochEndOffset>, ErrorCode>;

/// Kafka: OffsetForLeaderEpochResponse.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OffsetForLeaderEpochResponse {
    /// One entry a partition.
    pub partitions: SmallVec<[(TopicPartition, EpochEndResult); 1]>,
}

/// Kafka: OffsetCommitRequest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OffsetCommitRequest {
    /// Who commits.
    pub identity: GroupIdentity,
    /// The offsets.
    pub offsets: SmallVec<[CommittedOffset; 2]>,
}

/// Kafka: OffsetCommitResponse and TxnOffsetCommitResponse.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OffsetCommitResponse {
    /// One entry a partition.
    pub partitions: SmallVec<[(TopicPartition, Option<ErrorCode>); 2]>,
}

/// Kafka: OffsetFetchRequest, always with requireStable.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OffsetFetchRequest {
    /// Who asks.
    pub identity: GroupIdentity,
    /// The partitions.
    pub partitions: SmallVec<[TopicPartition; 4]>,
}

/// A committed offset, `None` if nothing was committed, or why that cannot be said.
pub type CommittedResult = Result<Option<CommittedOffset>, ErrorCode>;

/// Kafka: OffsetFetchResponse.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OffsetFetchResponse {
    /// An error for the group as a whole.
    pub error: Option<ErrorCode>,
    /// One entry a partition.
    pub partitions: SmallVec<[(TopicPartition, CommittedResult); 2]>,
}

/// How partitions change hands. Kafka: ConsumerPartitionAssignor.RebalanceProtocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RebalanceProtocol {
    /// Everything is revoked before each rebalance.
    #[default]
    Eager,
    /// Only what moves is revoked.
    Cooperative,
}

/// Kafka: JoinGroupRequest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct JoinGroupRequest {
    /// The group.
    pub group: GroupId,
    /// The member id, if the coordinator has given one.
    pub member: Option<MemberId>,
    /// session.timeout.ms
    pub session_timeout_ms: u32,
    /// max.poll.interval.ms
    pub rebalance_timeout_ms: u32,
    /// partition.assignment.strategy
    pub protocol: RebalanceProtocol,
    /// The topics of the subscription.
    pub topics: SmallVec<[TopicId; 2]>,
    /// What the member owns, with a cooperative protocol.
    pub owned: SmallVec<[TopicPartition; 4]>,
    /// The last generation that the member was in (ConsumerProtocolSubscription.generationId).
    pub generation: Option<u32>,
}

/// What a member says of itself when it joins, as the group's leader gets it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct JoinedMember {
    /// The member.
    pub member: MemberId,
    /// Its topics.
    pub topics: SmallVec<[TopicId; 2]>,
    /// What it owns.
    pub owned: SmallVec<[TopicPartition; 4]>,
    /// The last generation that it was in.
    pub generation: Option<u32>,
}

/// Kafka: JoinGroupResponse.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct JoinGroupResponse {
    /// MEMBER_ID_REQUIRED comes with a member id.
    pub error: Option<ErrorCode>,
    /// The generation.
    pub generation: u32,
    /// The member id.
    pub member: Option<MemberId>,
    /// The leader.
    pub leader: Option<MemberId>,
    /// All members, for the leader.
    pub members: Vec<JoinedMember>,
}

/// Kafka: SyncGroupRequest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SyncGroupRequest {
    /// Who asks.
    pub identity: GroupIdentity,
    /// What everybody gets, from the leader.
    pub assignments: Vec<GroupMember>,
}

/// Kafka: SyncGroupResponse.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SyncGroupResponse {
    /// Why there is no assignment.
    pub error: Option<ErrorCode>,
    /// The partitions.
    pub assignment: SmallVec<[TopicPartition; 4]>,
}

/// Kafka: ConsumerGroupHeartbeatRequest (KIP-848). What is `None` is as in the heartbeat before.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConsumerGroupHeartbeatRequest {
    /// The group.
    pub group: GroupId,
    /// The member, which names itself.
    pub member: MemberId,
    /// The member epoch: 0 to join; `None` to leave, which Kafka writes as -1.
    pub epoch: Option<u32>,
    /// max.poll.interval.ms
    pub rebalance_timeout_ms: Option<u32>,
    /// The topics of the subscription.
    pub topics: Option<SmallVec<[TopicId; 2]>>,
    /// group.remote.assignor
    pub assignor: Option<ServerAssignor>,
    /// What the member owns.
    pub owned: Option<SmallVec<[TopicPartition; 4]>>,
}

/// Kafka: ConsumerGroupHeartbeatResponse (KIP-848).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConsumerGroupHeartbeatResponse {
    /// FENCED_MEMBER_EPOCH, UNKNOWN_MEMBER_ID and others.
    pub error: Option<ErrorCode>,
    /// The member epoch; `None` of a member that has left.
    pub epoch: Option<u32>,
    /// group.consumer.heartbeat.interval.ms
    pub heartbeat_interval_ms: u32,
    /// The partitions the member should own, if that is another set than it has been told.
    pub assignment: Option<SmallVec<[TopicPartition; 4]>>,
}
