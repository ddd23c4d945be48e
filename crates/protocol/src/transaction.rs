//! Words of transactions: versions, states, results, markers, and what coordinators write down.
//!
//! Kafka: server-common TransactionVersion, transaction-coordinator TransactionState and
//! TransactionMetadata, common/record/internal/EndTransactionMarker, and the value schemas of the
//! topics `__transaction_state` and `__consumer_offsets`.

use crate::consumer_group::ConsumerGroupRecord;
use crate::ids::{
    ClientId, ConsumerId, GroupId, LeaderEpoch, Offset, ProducerEpoch, ProducerId,
    ProducerIdAndEpoch, Timestamp, TopicPartition, TransactionalId,
};
use crate::message::{JoinedMember, RebalanceProtocol};
use smallvec::SmallVec;

/// The topic where transaction coordinators keep their state.
pub const TRANSACTION_STATE_TOPIC: &str = "__transaction_state";
/// The topic where group coordinators keep committed offsets and groups.
pub const CONSUMER_OFFSETS_TOPIC: &str = "__consumer_offsets";

/// The level of the feature `transaction.version`. Kafka: server/common/TransactionVersion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TransactionVersion {
    /// Level 0: the protocol as it was up to 3.x.
    V0,
    /// Level 1: as 0, with flexible fields in the state records. Nothing here depends on it.
    V1,
    /// Level 2: KIP-890 part 2. Each transaction has its own producer epoch, and leaders add
    /// partitions to transactions.
    #[default]
    V2,
}

impl TransactionVersion {
    /// Its level.
    pub const fn level(self) -> u8 {
        match self {
            Self::V0 => 0,
            Self::V1 => 1,
            Self::V2 => 2,
        }
    }

    /// The version of this level.
    pub const fn of_level(level: u8) -> Option<Self> {
        match level {
            0 => Some(Self::V0),
            1 => Some(Self::V1),
            2 => Some(Self::V2),
            _ => None,
        }
    }

    /// Whether the epoch is raised with each end of a transaction.
    #[inline]
    pub const fn bumps_epochs(self) -> bool {
        matches!(self, Self::V2)
    }
}

/// How a transaction ends. Kafka: common/requests/TransactionResult.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TransactionResult {
    /// Its records count.
    Commit,
    /// They do not.
    Abort,
}

/// Number of the coordinator's term: the leader epoch of its partition of `__transaction_state`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CoordinatorEpoch(pub u32);

/// A control record that ends a producer's transaction in one partition.
/// Kafka: common/record/internal/EndTransactionMarker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Marker {
    /// How.
    pub result: TransactionResult,
    /// The term of the coordinator that sent it.
    pub coordinator_epoch: CoordinatorEpoch,
}

/// The state of a transactional id at its coordinator.
/// Kafka: coordinator/transaction/TransactionState.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TransactionState {
    /// There has been no transaction since the id was initialised.
    #[default]
    Empty,
    /// A transaction is open.
    Ongoing,
    /// Decided: it commits. Markers are on their way.
    PrepareCommit,
    /// Decided: it aborts. Markers are on their way.
    PrepareAbort,
    /// All partitions have their marker.
    CompleteCommit,
    /// All partitions have their marker.
    CompleteAbort,
    /// The id is about to be forgotten.
    Dead,
    /// The open transaction of an older instance is about to be aborted.
    PrepareEpochFence,
}

/// What a coordinator writes down about a transactional id.
/// Kafka: TransactionLogValue; TransactionMetadata in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionLogValue {
    /// The transactional id.
    pub id: TransactionalId,
    /// The producer id.
    pub producer_id: ProducerId,
    /// The producer id before the last rotation. Kafka: previousProducerId.
    pub previous_producer_id: Option<ProducerId>,
    /// The producer id that comes after this transaction. Kafka: nextProducerId.
    pub next_producer_id: Option<ProducerId>,
    /// The producer epoch.
    pub producer_epoch: ProducerEpoch,
    /// The producer epoch before. Kafka: lastProducerEpoch.
    pub last_producer_epoch: Option<ProducerEpoch>,
    /// transaction.timeout.ms of the producer.
    pub timeout_ms: u32,
    /// The state.
    pub state: TransactionState,
    /// The partitions in the transaction, in ascending order.
    pub partitions: SmallVec<[TopicPartition; 4]>,
    /// When its first partition was added.
    pub start: Option<Timestamp>,
    /// When this was written.
    pub last_update: Timestamp,
    /// The protocol that the client speaks. Kafka: clientTransactionVersion.
    pub client_version: TransactionVersion,
}

/// A committed position. Kafka: OffsetCommitValue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CommittedOffset {
    /// The group.
    pub group: GroupId,
    /// The partition.
    pub partition: TopicPartition,
    /// The next offset to read.
    pub offset: Offset,
    /// The leader epoch of the last record that was read.
    pub leader_epoch: Option<LeaderEpoch>,
}

/// What a member of a group is given. Kafka: SyncGroupRequestAssignment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GroupMember {
    /// The member.
    pub member: MemberId,
    /// The partitions that it was given.
    pub assignment: SmallVec<[TopicPartition; 4]>,
}

/// A member of a group, as it is written down. Kafka: GroupMetadataValue.MemberMetadata.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WrittenMember {
    /// The member with its partitions.
    pub assigned: GroupMember,
    /// What it said of itself when it joined.
    pub joined: JoinedMember,
    /// session.timeout.ms
    pub session_timeout_ms: u32,
    /// max.poll.interval.ms
    pub rebalance_timeout_ms: u32,
}

/// A generation of a group, as it is written down. Kafka: GroupMetadataValue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMetadataValue {
    /// The group.
    pub group: GroupId,
    /// The generation.
    pub generation: u32,
    /// How partitions change hands. `None` of an empty group.
    pub protocol: Option<RebalanceProtocol>,
    /// Who assigns them.
    pub leader: Option<MemberId>,
    /// The members; none of an empty group.
    pub members: Vec<WrittenMember>,
}

/// The name of a member: a client, and a number that none of its other names has. A coordinator
/// gives it with the classic protocol, with the consumer protocol the member takes it.
/// Kafka: a member id, client id and a UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId {
    /// The client.
    pub client: ClientId,
    /// The number. Greater ones are younger.
    pub number: u32,
}

impl MemberId {
    /// The bit that tells the names that consumers take from those that coordinators give.
    const OWN: u32 = 1 << 31;

    /// The name that a consumer takes for itself. Kafka: a UUID of the consumer's own.
    pub const fn of_consumer(client: ClientId, consumer: ConsumerId) -> Self {
        Self { client, number: Self::OWN | consumer.get() as u32 }
    }
}

/// A record of an internal topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InternalRecord {
    /// In `__transaction_state`: what is true of a transactional id from here on.
    Transaction(Box<TransactionLogValue>),
    /// In `__transaction_state`: a tombstone, the id is forgotten.
    TransactionForgotten(TransactionalId),
    /// In `__consumer_offsets`: a committed offset. In a transactional batch it counts once the
    /// transaction commits.
    Offset(CommittedOffset),
    /// In `__consumer_offsets`: a group of the classic protocol.
    Group(Box<GroupMetadataValue>),
    /// In `__consumer_offsets`: a tombstone, the group is none of the classic protocol any more.
    GroupForgotten(GroupId),
    /// In `__consumer_offsets`: something about a group of the consumer protocol.
    ConsumerGroup(GroupId, ConsumerGroupRecord),
}

/// Who coordinates what. Kafka: FindCoordinatorRequest with its key type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CoordinatorKey {
    /// A transactional id.
    Transaction(TransactionalId),
    /// A group.
    Group(GroupId),
}

/// A transactional id with its producer, as most requests name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TransactionalProducer {
    /// The transactional id.
    pub id: TransactionalId,
    /// The producer id and epoch.
    pub producer: ProducerIdAndEpoch,
}

/// String.hashCode of Java: over UTF-16 code units.
pub fn java_string_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(unit.into()))
}

/// The partition of an internal topic with `partitions` partitions that a transactional id or a
/// group belongs to. Kafka: Utils.abs(id.hashCode) % partitions, in
/// TransactionStateManager.partitionFor and GroupCoordinatorService.partitionFor.
pub fn coordinator_partition(text: &str, partitions: u32) -> u32 {
    // Utils.abs makes 0 of Integer.MIN_VALUE.
    let hash = java_string_hash(text);
    (if hash == i32::MIN { 0 } else { hash.unsigned_abs() }) % partitions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_spread_as_java_does_it() {
        assert_eq!(java_string_hash(""), 0);
        assert_eq!(java_string_hash("hello"), 99_162_322);
        // The well-known string whose hash is Integer.MIN_VALUE.
        assert_eq!(java_string_hash("polygenelubricants"), i32::MIN);
        assert_eq!(coordinator_partition("polygenelubricants", 50), 0);
        assert_eq!(coordinator_partition("hello", 50), 22);
    }
}
