//! What an error in an answer means, request by request.
//! Kafka: the handleResponse methods of TransactionManager's handlers.

use inflight_protocol::TransactionResult;
use inflight_protocol::error_code::ErrorCode;
use inflight_protocol::fact::SendError;

/// What is done about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The coordinator is looked for, and asked again.
    LookUp,
    /// The same is asked again.
    Retry,
    /// The transaction has to be aborted.
    Abortable(SendError),
    /// It has to be aborted, and the epoch has to be raised; or all is over.
    AbortableIfPossible(ErrorCode),
    /// Only close() helps.
    Fatal(SendError),
}

use Verdict::{Abortable, AbortableIfPossible, Fatal, LookUp, Retry};

/// A coordinator that is none, and errors that pass.
const fn in_common(error: ErrorCode) -> Option<Verdict> {
    match error {
        ErrorCode::CoordinatorNotAvailable | ErrorCode::NotCoordinator => Some(LookUp),
        _ if error.is_retriable() => Some(Retry),
        // Coordinators of old answer with the first where new ones do with the second.
        ErrorCode::InvalidProducerEpoch | ErrorCode::ProducerFenced => {
            Some(Fatal(SendError::Code(ErrorCode::ProducerFenced)))
        }
        _ => None,
    }
}

/// The errors that a transaction of a producer with an id does not survive.
const fn is_fatal(error: ErrorCode) -> bool {
    matches!(
        error,
        ErrorCode::TransactionalIdAuthorizationFailed
            | ErrorCode::InvalidTxnState
            | ErrorCode::InvalidProducerIdMapping
    )
}

/// Kafka: FindCoordinatorHandler.
pub(super) const fn of_find_coordinator(error: ErrorCode) -> Verdict {
    match error {
        _ if error.is_retriable() => Retry,
        ErrorCode::TransactionalIdAuthorizationFailed => Fatal(SendError::Code(error)),
        ErrorCode::GroupAuthorizationFailed | ErrorCode::TransactionAbortable => {
            Abortable(SendError::Code(error))
        }
        _ => Fatal(SendError::FatalState),
    }
}

/// Kafka: InitProducerIdHandler.
pub(super) fn of_init_producer_id(error: ErrorCode) -> Verdict {
    in_common(error).unwrap_or(match error {
        ErrorCode::TransactionalIdAuthorizationFailed
        | ErrorCode::ClusterAuthorizationFailed
        | ErrorCode::TransactionAbortable => Abortable(SendError::Code(error)),
        _ => Fatal(SendError::FatalState),
    })
}

/// Kafka: AddOffsetsToTxnHandler.
pub(super) fn of_add_offsets(error: ErrorCode) -> Verdict {
    in_common(error).unwrap_or(match error {
        ErrorCode::UnknownProducerId => AbortableIfPossible(error),
        _ if is_fatal(error) => Fatal(SendError::Code(error)),
        ErrorCode::GroupAuthorizationFailed | ErrorCode::TransactionAbortable => {
            Abortable(SendError::Code(error))
        }
        _ => Fatal(SendError::FatalState),
    })
}

/// Kafka: EndTxnHandler. An abort that would have to be aborted would go on for ever.
pub(super) fn of_end(error: ErrorCode, result: TransactionResult) -> Verdict {
    in_common(error).unwrap_or(match (error, result) {
        (ErrorCode::UnknownProducerId, _) => AbortableIfPossible(error),
        (ErrorCode::TransactionAbortable, TransactionResult::Commit) => {
            Abortable(SendError::Code(error))
        }
        _ if is_fatal(error) => Fatal(SendError::Code(error)),
        _ => Fatal(SendError::FatalState),
    })
}

/// What the error of one partition means for a request with several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Partition {
    /// The request as a whole is judged by it.
    Decides(Verdict),
    /// CONCURRENT_TRANSACTIONS: it is asked again, perhaps soon.
    Concurrent,
    /// The others are looked at; if none decides, this is what the application is told.
    Fails(SendError),
    /// The coordinator is looked for, and this partition asked for again.
    LooksUp,
    /// This partition is asked for again.
    Waits,
}

/// Kafka: AddPartitionsToTxnHandler.
pub(super) fn of_added_partition(error: ErrorCode) -> Partition {
    if error == ErrorCode::ConcurrentTransactions {
        return Partition::Concurrent;
    }
    match (in_common(error), error) {
        (Some(verdict), _) => Partition::Decides(verdict),
        (None, ErrorCode::TopicAuthorizationFailed) => Partition::Fails(SendError::Code(error)),
        (None, ErrorCode::UnknownProducerId) => Partition::Decides(AbortableIfPossible(error)),
        (None, ErrorCode::TransactionAbortable) => {
            Partition::Decides(Abortable(SendError::Code(error)))
        }
        _ if is_fatal(error) => Partition::Decides(Fatal(SendError::Code(error))),
        _ => Partition::Fails(SendError::AbortableState),
    }
}

/// Kafka: TxnOffsetCommitHandler.
pub(super) fn of_committed_offset(error: ErrorCode) -> Partition {
    match error {
        ErrorCode::CoordinatorNotAvailable
        | ErrorCode::NotCoordinator
        | ErrorCode::RequestTimedOut => Partition::LooksUp,
        _ if error.is_retriable() => Partition::Waits,
        ErrorCode::GroupAuthorizationFailed
        | ErrorCode::FencedInstanceId
        | ErrorCode::TransactionAbortable => Partition::Decides(Abortable(SendError::Code(error))),
        ErrorCode::UnknownMemberId
        | ErrorCode::IllegalGeneration
        | ErrorCode::GroupIdNotFound
        | ErrorCode::StaleMemberEpoch => Partition::Decides(Abortable(SendError::CommitFailed)),
        ErrorCode::InvalidProducerEpoch | ErrorCode::ProducerFenced => {
            Partition::Decides(Fatal(SendError::Code(ErrorCode::ProducerFenced)))
        }
        ErrorCode::TransactionalIdAuthorizationFailed | ErrorCode::UnsupportedForMessageFormat => {
            Partition::Decides(Fatal(SendError::Code(error)))
        }
        _ => Partition::Decides(Fatal(SendError::FatalState)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FENCED: Verdict = Fatal(SendError::Code(ErrorCode::ProducerFenced));

    const fn code(error: ErrorCode) -> SendError {
        SendError::Code(error)
    }

    /// TransactionManagerTest.testRetriableErrors, testLookupCoordinatorOnNotCoordinatorError.
    #[test]
    fn a_lost_coordinator_is_looked_for_and_what_passes_is_asked_again() {
        let verdicts: [fn(ErrorCode) -> Verdict; 3] =
            [of_init_producer_id, of_add_offsets, |error| of_end(error, TransactionResult::Commit)];
        for of in verdicts {
            assert_eq!(of(ErrorCode::NotCoordinator), LookUp);
            assert_eq!(of(ErrorCode::CoordinatorNotAvailable), LookUp);
            assert_eq!(of(ErrorCode::CoordinatorLoadInProgress), Retry);
            assert_eq!(of(ErrorCode::ConcurrentTransactions), Retry);
            assert_eq!(of(ErrorCode::InvalidProducerEpoch), FENCED);
            assert_eq!(of(ErrorCode::ProducerFenced), FENCED);
        }
        assert_eq!(of_find_coordinator(ErrorCode::CoordinatorNotAvailable), Retry);
    }

    /// testTransactionAbortableExceptionInEndTxn.
    #[test]
    fn an_abort_that_would_have_to_be_aborted_is_fatal() {
        let error = ErrorCode::TransactionAbortable;
        assert_eq!(of_end(error, TransactionResult::Commit), Abortable(code(error)));
        assert_eq!(of_end(error, TransactionResult::Abort), Fatal(SendError::FatalState));
    }

    /// testTransactionalIdAuthorizationFailureInInitProducerId and its like.
    #[test]
    fn a_refused_transactional_id_is_fatal_but_for_the_producer_id() {
        let error = ErrorCode::TransactionalIdAuthorizationFailed;
        assert_eq!(of_init_producer_id(error), Abortable(code(error)));
        assert_eq!(of_find_coordinator(error), Fatal(code(error)));
        assert_eq!(of_add_offsets(error), Fatal(code(error)));
        assert_eq!(of_added_partition(error), Partition::Decides(Fatal(code(error))));
        assert_eq!(of_committed_offset(error), Partition::Decides(Fatal(code(error))));
    }

    /// testGroupAuthorizationFailureInFindCoordinator and its like.
    #[test]
    fn a_refused_group_or_topic_leaves_the_abort() {
        let group = ErrorCode::GroupAuthorizationFailed;
        assert_eq!(of_find_coordinator(group), Abortable(code(group)));
        assert_eq!(of_add_offsets(group), Abortable(code(group)));
        assert_eq!(of_committed_offset(group), Partition::Decides(Abortable(code(group))));
        let topic = ErrorCode::TopicAuthorizationFailed;
        assert_eq!(of_added_partition(topic), Partition::Fails(code(topic)));
    }

    /// testGroupMetadataMismatchErrorInTxnOffsetCommit.
    #[test]
    fn offsets_of_a_consumer_that_is_no_member_fail_the_commit() {
        for error in [
            ErrorCode::UnknownMemberId,
            ErrorCode::IllegalGeneration,
            ErrorCode::GroupIdNotFound,
            ErrorCode::StaleMemberEpoch,
        ] {
            let verdict = Partition::Decides(Abortable(SendError::CommitFailed));
            assert_eq!(of_committed_offset(error), verdict, "{error}");
        }
        let fenced = ErrorCode::FencedInstanceId;
        assert_eq!(of_committed_offset(fenced), Partition::Decides(Abortable(code(fenced))));
    }

    /// testRetriableErrorInTxnOffsetCommit, testCoordinatorNotAvailable.
    #[test]
    fn offsets_wait_for_what_passes() {
        assert_eq!(of_committed_offset(ErrorCode::RequestTimedOut), Partition::LooksUp);
        assert_eq!(of_committed_offset(ErrorCode::CoordinatorLoadInProgress), Partition::Waits);
        assert_eq!(of_committed_offset(ErrorCode::UnknownTopicOrPartition), Partition::Waits);
    }

    /// testInvalidTxnStateInAddPartitions, testInvalidTxnStateFailureInAddOffsetsToTxn, A23.
    #[test]
    fn an_invalid_state_or_mapping_is_fatal() {
        for error in [ErrorCode::InvalidTxnState, ErrorCode::InvalidProducerIdMapping] {
            assert_eq!(of_add_offsets(error), Fatal(code(error)));
            assert_eq!(of_end(error, TransactionResult::Commit), Fatal(code(error)));
            assert_eq!(of_added_partition(error), Partition::Decides(Fatal(code(error))));
            assert_eq!(of_init_producer_id(error), Fatal(SendError::FatalState));
        }
    }
}
