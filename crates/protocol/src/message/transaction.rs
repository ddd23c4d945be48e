//! Requests and responses of transactions.

use crate::error_code::ErrorCode;
use crate::ids::{BrokerId, GroupId, ProducerIdAndEpoch, TopicPartition, TransactionalId};
use crate::transaction::{
    CommittedOffset, CoordinatorEpoch, CoordinatorKey, MemberId, TransactionResult,
    TransactionVersion, TransactionalProducer,
};
use smallvec::SmallVec;

/// Kafka: FindCoordinatorRequest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FindCoordinatorRequest {
    /// Whose coordinator.
    pub key: CoordinatorKey,
}

/// Kafka: FindCoordinatorResponse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FindCoordinatorResponse {
    /// Whose coordinator.
    pub key: CoordinatorKey,
    /// The coordinator, or COORDINATOR_NOT_AVAILABLE.
    pub coordinator: Result<BrokerId, ErrorCode>,
}

/// Kafka: InitProducerIdRequest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct InitProducerIdRequest {
    /// The transactional id and transaction.timeout.ms. Without, any broker answers.
    pub transaction: Option<(TransactionalId, u32)>,
    /// The producer id and epoch that the client has, if it wants a greater epoch.
    pub current: Option<ProducerIdAndEpoch>,
}

/// What a produce request of a transactional producer says besides its batches.
/// Kafka: ProduceRequest.transactionalId, and its version: 12 and above add partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProduceTransaction {
    /// The transactional id.
    pub id: TransactionalId,
    /// Below 2 the leader verifies that the partition is in the transaction; with 2 it adds it.
    pub version: TransactionVersion,
}

/// Kafka: AddPartitionsToTxnRequest up to version 3, from a client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AddPartitionsToTxnRequest {
    /// Whose transaction.
    pub who: TransactionalProducer,
    /// The partitions.
    pub partitions: SmallVec<[TopicPartition; 4]>,
}

/// Kafka: AddPartitionsToTxnResponse.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AddPartitionsToTxnResponse {
    /// One entry a partition.
    pub partitions: SmallVec<[(TopicPartition, Option<ErrorCode>); 4]>,
}

/// What a leader asks a coordinator about partitions.
/// Kafka: AddPartitionsToTxnRequest.AddPartitionsToTxnTransaction.verifyOnly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AddOrVerify {
    /// Whether they are in the transaction.
    Verify,
    /// To add them.
    Add,
}

/// One transaction in a leader's request. Kafka: AddPartitionsToTxnTransaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LeaderAddition {
    /// Whose transaction.
    pub who: TransactionalProducer,
    /// To add or to verify.
    pub mode: AddOrVerify,
    /// The partitions.
    pub partitions: SmallVec<[TopicPartition; 4]>,
}

/// Kafka: AddPartitionsToTxnRequest from version 4, from the leader of partitions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LeaderAddPartitionsRequest {
    /// At most one entry a transactional id.
    pub transactions: SmallVec<[LeaderAddition; 1]>,
}

/// Kafka: AddPartitionsToTxnResponse from version 4.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LeaderAddPartitionsResponse {
    /// An error for the request as a whole.
    pub error: Option<ErrorCode>,
    /// One entry a transactional id and partition.
    pub results: SmallVec<[(TransactionalId, TopicPartition, Option<ErrorCode>); 2]>,
}

/// Kafka: AddOffsetsToTxnRequest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddOffsetsToTxnRequest {
    /// Whose transaction.
    pub who: TransactionalProducer,
    /// The group whose offsets will be committed with it.
    pub group: GroupId,
}

/// Who commits offsets, as far as a group can tell. Kafka: ConsumerGroupMetadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GroupIdentity {
    /// The group.
    pub group: GroupId,
    /// The member and its generation or member epoch. Without, nothing is checked but that the
    /// group is empty, or not even that in a transaction.
    pub member: Option<(MemberId, u32)>,
}

/// Kafka: TxnOffsetCommitRequest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TxnOffsetCommitRequest {
    /// Whose transaction.
    pub who: TransactionalProducer,
    /// With 2 the group coordinator adds its partition to the transaction (version 5).
    pub version: TransactionVersion,
    /// Who commits.
    pub identity: GroupIdentity,
    /// The offsets.
    pub offsets: SmallVec<[CommittedOffset; 2]>,
}

/// Kafka: EndTxnRequest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EndTxnRequest {
    /// Whose transaction.
    pub who: TransactionalProducer,
    /// Commit or abort.
    pub result: TransactionResult,
    /// With 2 the producer epoch is raised (version 5).
    pub version: TransactionVersion,
}

/// Kafka: EndTxnResponse: with version 5 the producer id and epoch of the next transaction.
pub type EndTxnResponse = Result<Option<ProducerIdAndEpoch>, ErrorCode>;

/// The end of one producer's transaction in some partitions.
/// Kafka: WriteTxnMarkersRequest.TxnMarkerEntry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MarkerEntry {
    /// The producer id and the epoch of the marker.
    pub producer: ProducerIdAndEpoch,
    /// Commit or abort.
    pub result: TransactionResult,
    /// The coordinator's term.
    pub coordinator_epoch: CoordinatorEpoch,
    /// The protocol of the transaction: with 2 the epoch must be greater than the data's.
    pub version: TransactionVersion,
    /// The partitions.
    pub partitions: SmallVec<[TopicPartition; 4]>,
}

/// Kafka: WriteTxnMarkersRequest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WriteTxnMarkersRequest {
    /// The markers.
    pub markers: SmallVec<[MarkerEntry; 1]>,
}

/// Kafka: WriteTxnMarkersResponse.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WriteTxnMarkersResponse {
    /// One entry a producer and partition.
    pub results: SmallVec<[(ProducerIdAndEpoch, TopicPartition, Option<ErrorCode>); 2]>,
}
