//! A request of a transaction, from being wanted to being answered.
//! Kafka: TransactionManager.TxnRequestHandler and its subclasses.

use super::results::ResultId;
use inflight_protocol::message::{
    AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, EndTxnRequest, FindCoordinatorRequest,
    GroupIdentity, InitProducerIdRequest, Request, TxnOffsetCommitRequest,
};
use inflight_protocol::transaction::{
    CommittedOffset, CoordinatorKey, TransactionResult, TransactionalProducer,
};
use inflight_protocol::{
    ApiKey, ProducerEpoch, ProducerId, ProducerIdAndEpoch, TopicPartition, TransactionVersion,
    TransactionalId,
};
use smallvec::SmallVec;

/// What a producer without an id calls itself: in Kafka -1 and -1, here the largest id and -1. An initialisation that was answered with
/// TRANSACTION_ABORTABLE can be aborted, and then a transaction begun.
/// Kafka: common/utils/internals/ProducerIdAndEpoch.NONE.
const NO_PRODUCER: ProducerIdAndEpoch =
    ProducerIdAndEpoch { id: ProducerId::new(u64::MAX - 1), epoch: ProducerEpoch::new(-1) };

/// The offsets that one call brings.
pub(crate) type Offsets = SmallVec<[CommittedOffset; 2]>;

/// A request with its state.
#[derive(Clone, Debug)]
pub(crate) struct TxnRequest {
    pub(crate) handler: Handler,
    /// What a thread of the application waits for, if one may.
    pub(super) result: Option<ResultId>,
    /// Whether its result is known. Kafka: TransactionalRequestResult.isCompleted.
    pub(super) completed: bool,
    /// Whether it sleeps before it is sent.
    pub(crate) is_retry: bool,
}

/// What is asked, and by which rules the answer is read. The producer is the one at the time when
/// the request was made; a retry asks the same again.
#[derive(Clone, Debug)]
pub(crate) enum Handler {
    /// Kafka: FindCoordinatorHandler.
    FindCoordinator(CoordinatorKey),
    /// Kafka: InitProducerIdHandler. With a producer it raises the epoch.
    InitProducerId { current: Option<ProducerIdAndEpoch> },
    /// Kafka: AddPartitionsToTxnHandler.
    AddPartitions {
        producer: Option<ProducerIdAndEpoch>,
        partitions: SmallVec<[TopicPartition; 4]>,
        /// The sleep before a retry, in milliseconds.
        backoff_ms: i64,
    },
    /// Kafka: AddOffsetsToTxnHandler.
    AddOffsets { producer: Option<ProducerIdAndEpoch>, identity: GroupIdentity, offsets: Offsets },
    /// Kafka: TxnOffsetCommitHandler.
    TxnOffsetCommit {
        producer: Option<ProducerIdAndEpoch>,
        identity: GroupIdentity,
        offsets: Offsets,
        version: TransactionVersion,
    },
    /// Kafka: EndTxnHandler.
    EndTxn {
        producer: Option<ProducerIdAndEpoch>,
        result: TransactionResult,
        version: TransactionVersion,
    },
}

/// Kafka: TransactionManager.Priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Priority {
    FindCoordinator,
    InitProducerId,
    AddPartitionsOrOffsets,
    EndTxn,
    EpochBump,
}

impl TxnRequest {
    pub(super) fn new(handler: Handler, result: Option<ResultId>) -> Self {
        Self { handler, result, completed: false, is_retry: false }
    }

    pub(super) fn priority(&self) -> Priority {
        match &self.handler {
            Handler::FindCoordinator(_) => Priority::FindCoordinator,
            Handler::InitProducerId { current: None } => Priority::InitProducerId,
            Handler::InitProducerId { current: Some(_) } => Priority::EpochBump,
            Handler::AddPartitions { .. }
            | Handler::AddOffsets { .. }
            | Handler::TxnOffsetCommit { .. } => Priority::AddPartitionsOrOffsets,
            Handler::EndTxn { .. } => Priority::EndTxn,
        }
    }

    pub(super) fn is_end(&self) -> bool {
        matches!(self.handler, Handler::EndTxn { .. })
    }

    /// Whose coordinator it goes to; any broker takes the request for a coordinator.
    /// Kafka: TxnRequestHandler.coordinatorType, coordinatorKey.
    pub(crate) fn coordinator(&self, id: TransactionalId) -> Option<CoordinatorKey> {
        match &self.handler {
            Handler::FindCoordinator(_) => None,
            Handler::TxnOffsetCommit { identity, .. } => {
                Some(CoordinatorKey::Group(identity.group))
            }
            _ => Some(CoordinatorKey::Transaction(id)),
        }
    }

    /// The sleep before a retry, in milliseconds. Kafka: TxnRequestHandler.retryBackoffMs.
    pub(crate) fn backoff_ms(&self, retry_backoff_ms: i64) -> i64 {
        match &self.handler {
            Handler::AddPartitions { backoff_ms, .. } => retry_backoff_ms.min(*backoff_ms),
            _ => retry_backoff_ms,
        }
    }

    pub(crate) fn api(&self) -> ApiKey {
        match &self.handler {
            Handler::FindCoordinator(_) => ApiKey::FindCoordinator,
            Handler::InitProducerId { .. } => ApiKey::InitProducerId,
            Handler::AddPartitions { .. } => ApiKey::AddPartitionsToTxn,
            Handler::AddOffsets { .. } => ApiKey::AddOffsetsToTxn,
            Handler::TxnOffsetCommit { .. } => ApiKey::TxnOffsetCommit,
            Handler::EndTxn { .. } => ApiKey::EndTxn,
        }
    }

    /// The request as it goes out. Kafka: TxnRequestHandler.requestBuilder.
    pub(crate) fn build(&self, id: TransactionalId, timeout_ms: u32) -> Request {
        let who = |producer: &Option<ProducerIdAndEpoch>| TransactionalProducer {
            id,
            producer: producer.unwrap_or(NO_PRODUCER),
        };
        match &self.handler {
            Handler::FindCoordinator(key) => {
                Request::FindCoordinator(FindCoordinatorRequest { key: *key })
            }
            Handler::InitProducerId { current } => Request::InitProducerId(InitProducerIdRequest {
                transaction: Some((id, timeout_ms)),
                current: *current,
            }),
            Handler::AddPartitions { producer, partitions, .. } => {
                Request::AddPartitionsToTxn(AddPartitionsToTxnRequest {
                    who: who(producer),
                    partitions: partitions.clone(),
                })
            }
            Handler::AddOffsets { producer, identity, .. } => {
                let group = identity.group;
                Request::AddOffsetsToTxn(AddOffsetsToTxnRequest { who: who(producer), group })
            }
            Handler::TxnOffsetCommit { producer, identity, offsets, version } => {
                Request::TxnOffsetCommit(TxnOffsetCommitRequest {
                    who: who(producer),
                    version: *version,
                    identity: *identity,
                    offsets: offsets.clone(),
                })
            }
            Handler::EndTxn { producer, result, version } => Request::EndTxn(EndTxnRequest {
                who: who(producer),
                result: *result,
                version: *version,
            }),
        }
    }
}
