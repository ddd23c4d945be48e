//! Kafka's error codes: number, name, exception and class.
//!
//! Kafka: common/protocol/Errors, and the exceptions' superclasses in common/errors, as of 4.4.

use std::fmt;

/// What a client may do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorClass {
    /// Not a RetriableException.
    Fatal,
    /// A RetriableException.
    Retriable,
    /// An InvalidMetadataException: retriable, and the client asks for metadata first.
    RefreshMetadata,
}

macro_rules! error_codes {
    ($($variant:ident, $number:literal, $name:literal, $exception:literal, $class:ident;)*) => {
        /// An error code. Success, Kafka's `NONE`, is the absence of one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(i16)]
        pub enum ErrorCode {
            $(#[doc = concat!($name, " (", $number, "): ", $exception, ".")] $variant = $number,)*
        }

        impl ErrorCode {
            /// Every code, by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Kafka's name for it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The exception that the Java client makes of it.
            pub const fn exception(self) -> &'static str {
                match self { $(Self::$variant => $exception,)* }
            }

            /// What a client may do about it.
            #[inline]
            pub const fn class(self) -> ErrorClass {
                match self { $(Self::$variant => ErrorClass::$class,)* }
            }
        }
    };
}

impl ErrorCode {
    /// Its number on the wire.
    pub const fn number(self) -> i16 {
        self as i16
    }

    /// The code of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }

    /// The code with this number.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.number() == number)
    }

    /// Whether the exception is a RetriableException.
    #[inline]
    pub const fn is_retriable(self) -> bool {
        !matches!(self.class(), ErrorClass::Fatal)
    }

    /// Whether the exception is an InvalidMetadataException.
    #[inline]
    pub const fn refreshes_metadata(self) -> bool {
        matches!(self.class(), ErrorClass::RefreshMetadata)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

error_codes! {
    UnknownServerError, -1, "UNKNOWN_SERVER_ERROR", "UnknownServerException", Fatal;
    OffsetOutOfRange, 1, "OFFSET_OUT_OF_RANGE", "OffsetOutOfRangeException", Fatal;
    CorruptMessage, 2, "CORRUPT_MESSAGE", "CorruptRecordException", Retriable;
    UnknownTopicOrPartition, 3, "UNKNOWN_TOPIC_OR_PARTITION", "UnknownTopicOrPartitionException", RefreshMetadata;
    InvalidFetchSize, 4, "INVALID_FETCH_SIZE", "InvalidFetchSizeException", Fatal;
    LeaderNotAvailable, 5, "LEADER_NOT_AVAILABLE", "LeaderNotAvailableException", RefreshMetadata;
    NotLeaderOrFollower, 6, "NOT_LEADER_OR_FOLLOWER", "NotLeaderOrFollowerException", RefreshMetadata;
    RequestTimedOut, 7, "REQUEST_TIMED_OUT", "TimeoutException", Retriable;
    BrokerNotAvailable, 8, "BROKER_NOT_AVAILABLE", "BrokerNotAvailableException", Fatal;
    ReplicaNotAvailable, 9, "REPLICA_NOT_AVAILABLE", "ReplicaNotAvailableException", RefreshMetadata;
    MessageTooLarge, 10, "MESSAGE_TOO_LARGE", "RecordTooLargeException", Fatal;
    StaleControllerEpoch, 11, "STALE_CONTROLLER_EPOCH", "ControllerMovedException", Fatal;
    OffsetMetadataTooLarge, 12, "OFFSET_METADATA_TOO_LARGE", "OffsetMetadataTooLarge", Fatal;
    NetworkException, 13, "NETWORK_EXCEPTION", "NetworkException", RefreshMetadata;
    CoordinatorLoadInProgress, 14, "COORDINATOR_LOAD_IN_PROGRESS", "CoordinatorLoadInProgressException", Retriable;
    CoordinatorNotAvailable, 15, "COORDINATOR_NOT_AVAILABLE", "CoordinatorNotAvailableException", Retriable;
    NotCoordinator, 16, "NOT_COORDINATOR", "NotCoordinatorException", Retriable;
    InvalidTopicException, 17, "INVALID_TOPIC_EXCEPTION", "InvalidTopicException", Fatal;
    RecordListTooLarge, 18, "RECORD_LIST_TOO_LARGE", "RecordBatchTooLargeException", Fatal;
    NotEnoughReplicas, 19, "NOT_ENOUGH_REPLICAS", "NotEnoughReplicasException", Retriable;
    NotEnoughReplicasAfterAppend, 20, "NOT_ENOUGH_REPLICAS_AFTER_APPEND", "NotEnoughReplicasAfterAppendException", Retriable;
    InvalidRequiredAcks, 21, "INVALID_REQUIRED_ACKS", "InvalidRequiredAcksException", Fatal;
    IllegalGeneration, 22, "ILLEGAL_GENERATION", "IllegalGenerationException", Fatal;
    InconsistentGroupProtocol, 23, "INCONSISTENT_GROUP_PROTOCOL", "InconsistentGroupProtocolException", Fatal;
    InvalidGroupId, 24, "INVALID_GROUP_ID", "InvalidGroupIdException", Fatal;
    UnknownMemberId, 25, "UNKNOWN_MEMBER_ID", "UnknownMemberIdException", Fatal;
    InvalidSessionTimeout, 26, "INVALID_SESSION_TIMEOUT", "InvalidSessionTimeoutException", Fatal;
    RebalanceInProgress, 27, "REBALANCE_IN_PROGRESS", "RebalanceInProgressException", Fatal;
    InvalidCommitOffsetSize, 28, "INVALID_COMMIT_OFFSET_SIZE", "InvalidCommitOffsetSizeException", Fatal;
    TopicAuthorizationFailed, 29, "TOPIC_AUTHORIZATION_FAILED", "TopicAuthorizationException", Fatal;
    GroupAuthorizationFailed, 30, "GROUP_AUTHORIZATION_FAILED", "GroupAuthorizationException", Fatal;
    ClusterAuthorizationFailed, 31, "CLUSTER_AUTHORIZATION_FAILED", "ClusterAuthorizationException", Fatal;
    InvalidTimestamp, 32, "INVALID_TIMESTAMP", "InvalidTimestampException", Fatal;
    UnsupportedSaslMechanism, 33, "UNSUPPORTED_SASL_MECHANISM", "UnsupportedSaslMechanismException", Fatal;
    IllegalSaslState, 34, "ILLEGAL_SASL_STATE", "IllegalSaslStateException", Fatal;
    UnsupportedVersion, 35, "UNSUPPORTED_VERSION", "UnsupportedVersionException", Fatal;
    TopicAlreadyExists, 36, "TOPIC_ALREADY_EXISTS", "TopicExistsException", Fatal;
    InvalidPartitions, 37, "INVALID_PARTITIONS", "InvalidPartitionsException", Fatal;
    InvalidReplicationFactor, 38, "INVALID_REPLICATION_FACTOR", "InvalidReplicationFactorException", Fatal;
    InvalidReplicaAssignment, 39, "INVALID_REPLICA_ASSIGNMENT", "InvalidReplicaAssignmentException", Fatal;
    InvalidConfig, 40, "INVALID_CONFIG", "InvalidConfigurationException", Fatal;
    NotController, 41, "NOT_CONTROLLER", "NotControllerException", Retriable;
    InvalidRequest, 42, "INVALID_REQUEST", "InvalidRequestException", Fatal;
    UnsupportedForMessageFormat, 43, "UNSUPPORTED_FOR_MESSAGE_FORMAT", "UnsupportedForMessageFormatException", Fatal;
    PolicyViolation, 44, "POLICY_VIOLATION", "PolicyViolationException", Fatal;
    OutOfOrderSequenceNumber, 45, "OUT_OF_ORDER_SEQUENCE_NUMBER", "OutOfOrderSequenceException", Fatal;
    DuplicateSequenceNumber, 46, "DUPLICATE_SEQUENCE_NUMBER", "DuplicateSequenceException", Fatal;
    InvalidProducerEpoch, 47, "INVALID_PRODUCER_EPOCH", "InvalidProducerEpochException", Fatal;
    InvalidTxnState, 48, "INVALID_TXN_STATE", "InvalidTxnStateException", Fatal;
    InvalidProducerIdMapping, 49, "INVALID_PRODUCER_ID_MAPPING", "InvalidPidMappingException", Fatal;
    InvalidTransactionTimeout, 50, "INVALID_TRANSACTION_TIMEOUT", "InvalidTxnTimeoutException", Fatal;
    ConcurrentTransactions, 51, "CONCURRENT_TRANSACTIONS", "ConcurrentTransactionsException", Retriable;
    TransactionCoordinatorFenced, 52, "TRANSACTION_COORDINATOR_FENCED", "TransactionCoordinatorFencedException", Fatal;
    TransactionalIdAuthorizationFailed, 53, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "TransactionalIdAuthorizationException", Fatal;
    SecurityDisabled, 54, "SECURITY_DISABLED", "SecurityDisabledException", Fatal;
    OperationNotAttempted, 55, "OPERATION_NOT_ATTEMPTED", "OperationNotAttemptedException", Fatal;
    KafkaStorageError, 56, "KAFKA_STORAGE_ERROR", "KafkaStorageException", RefreshMetadata;
    LogDirNotFound, 57, "LOG_DIR_NOT_FOUND", "LogDirNotFoundException", Fatal;
    SaslAuthenticationFailed, 58, "SASL_AUTHENTICATION_FAILED", "SaslAuthenticationException", Fatal;
    UnknownProducerId, 59, "UNKNOWN_PRODUCER_ID", "UnknownProducerIdException", Fatal;
    ReassignmentInProgress, 60, "REASSIGNMENT_IN_PROGRESS", "ReassignmentInProgressException", Fatal;
    DelegationTokenAuthDisabled, 61, "DELEGATION_TOKEN_AUTH_DISABLED", "DelegationTokenDisabledException", Fatal;
    DelegationTokenNotFound, 62, "DELEGATION_TOKEN_NOT_FOUND", "DelegationTokenNotFoundException", Fatal;
    DelegationTokenOwnerMismatch, 63, "DELEGATION_TOKEN_OWNER_MISMATCH", "DelegationTokenOwnerMismatchException", Fatal;
    DelegationTokenRequestNotAllowed, 64, "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED", "UnsupportedByAuthenticationException", Fatal;
    DelegationTokenAuthorizationFailed, 65, "DELEGATION_TOKEN_AUTHORIZATION_FAILED", "DelegationTokenAuthorizationException", Fatal;
    DelegationTokenExpired, 66, "DELEGATION_TOKEN_EXPIRED", "DelegationTokenExpiredException", Fatal;
    InvalidPrincipalType, 67, "INVALID_PRINCIPAL_TYPE", "InvalidPrincipalTypeException", Fatal;
    NonEmptyGroup, 68, "NON_EMPTY_GROUP", "GroupNotEmptyException", Fatal;
    GroupIdNotFound, 69, "GROUP_ID_NOT_FOUND", "GroupIdNotFoundException", Fatal;
    FetchSessionIdNotFound, 70, "FETCH_SESSION_ID_NOT_FOUND", "FetchSessionIdNotFoundException", Retriable;
    InvalidFetchSessionEpoch, 71, "INVALID_FETCH_SESSION_EPOCH", "InvalidFetchSessionEpochException", Retriable;
    ListenerNotFound, 72, "LISTENER_NOT_FOUND", "ListenerNotFoundException", RefreshMetadata;
    TopicDeletionDisabled, 73, "TOPIC_DELETION_DISABLED", "TopicDeletionDisabledException", Fatal;
    FencedLeaderEpoch, 74, "FENCED_LEADER_EPOCH", "FencedLeaderEpochException", RefreshMetadata;
    UnknownLeaderEpoch, 75, "UNKNOWN_LEADER_EPOCH", "UnknownLeaderEpochException", Retriable;
    UnsupportedCompressionType, 76, "UNSUPPORTED_COMPRESSION_TYPE", "UnsupportedCompressionTypeException", Fatal;
    StaleBrokerEpoch, 77, "STALE_BROKER_EPOCH", "StaleBrokerEpochException", Fatal;
    OffsetNotAvailable, 78, "OFFSET_NOT_AVAILABLE", "OffsetNotAvailableException", Retriable;
    MemberIdRequired, 79, "MEMBER_ID_REQUIRED", "MemberIdRequiredException", Fatal;
    PreferredLeaderNotAvailable, 80, "PREFERRED_LEADER_NOT_AVAILABLE", "PreferredLeaderNotAvailableException", RefreshMetadata;
    GroupMaxSizeReached, 81, "GROUP_MAX_SIZE_REACHED", "GroupMaxSizeReachedException", Fatal;
    FencedInstanceId, 82, "FENCED_INSTANCE_ID", "FencedInstanceIdException", Fatal;
    EligibleLeadersNotAvailable, 83, "ELIGIBLE_LEADERS_NOT_AVAILABLE", "EligibleLeadersNotAvailableException", RefreshMetadata;
    ElectionNotNeeded, 84, "ELECTION_NOT_NEEDED", "ElectionNotNeededException", RefreshMetadata;
    NoReassignmentInProgress, 85, "NO_REASSIGNMENT_IN_PROGRESS", "NoReassignmentInProgressException", Fatal;
    GroupSubscribedToTopic, 86, "GROUP_SUBSCRIBED_TO_TOPIC", "GroupSubscribedToTopicException", Fatal;
    InvalidRecord, 87, "INVALID_RECORD", "InvalidRecordException", Fatal;
    UnstableOffsetCommit, 88, "UNSTABLE_OFFSET_COMMIT", "UnstableOffsetCommitException", Retriable;
    ThrottlingQuotaExceeded, 89, "THROTTLING_QUOTA_EXCEEDED", "ThrottlingQuotaExceededException", Retriable;
    ProducerFenced, 90, "PRODUCER_FENCED", "ProducerFencedException", Fatal;
    ResourceNotFound, 91, "RESOURCE_NOT_FOUND", "ResourceNotFoundException", Fatal;
    DuplicateResource, 92, "DUPLICATE_RESOURCE", "DuplicateResourceException", Fatal;
    UnacceptableCredential, 93, "UNACCEPTABLE_CREDENTIAL", "UnacceptableCredentialException", Fatal;
    InconsistentVoterSet, 94, "INCONSISTENT_VOTER_SET", "InconsistentVoterSetException", Fatal;
    InvalidUpdateVersion, 95, "INVALID_UPDATE_VERSION", "InvalidUpdateVersionException", Fatal;
    FeatureUpdateFailed, 96, "FEATURE_UPDATE_FAILED", "FeatureUpdateFailedException", Fatal;
    PrincipalDeserializationFailure, 97, "PRINCIPAL_DESERIALIZATION_FAILURE", "PrincipalDeserializationException", Fatal;
    SnapshotNotFound, 98, "SNAPSHOT_NOT_FOUND", "SnapshotNotFoundException", Fatal;
    PositionOutOfRange, 99, "POSITION_OUT_OF_RANGE", "PositionOutOfRangeException", Fatal;
    UnknownTopicId, 100, "UNKNOWN_TOPIC_ID", "UnknownTopicIdException", RefreshMetadata;
    DuplicateBrokerRegistration, 101, "DUPLICATE_BROKER_REGISTRATION", "DuplicateBrokerRegistrationException", Fatal;
    BrokerIdNotRegistered, 102, "BROKER_ID_NOT_REGISTERED", "BrokerIdNotRegisteredException", Fatal;
    InconsistentTopicId, 103, "INCONSISTENT_TOPIC_ID", "InconsistentTopicIdException", RefreshMetadata;
    InconsistentClusterId, 104, "INCONSISTENT_CLUSTER_ID", "InconsistentClusterIdException", Fatal;
    TransactionalIdNotFound, 105, "TRANSACTIONAL_ID_NOT_FOUND", "TransactionalIdNotFoundException", Fatal;
    FetchSessionTopicIdError, 106, "FETCH_SESSION_TOPIC_ID_ERROR", "FetchSessionTopicIdException", Retriable;
    IneligibleReplica, 107, "INELIGIBLE_REPLICA", "IneligibleReplicaException", Fatal;
    NewLeaderElected, 108, "NEW_LEADER_ELECTED", "NewLeaderElectedException", Fatal;
    OffsetMovedToTieredStorage, 109, "OFFSET_MOVED_TO_TIERED_STORAGE", "OffsetMovedToTieredStorageException", Fatal;
    FencedMemberEpoch, 110, "FENCED_MEMBER_EPOCH", "FencedMemberEpochException", Fatal;
    UnreleasedInstanceId, 111, "UNRELEASED_INSTANCE_ID", "UnreleasedInstanceIdException", Fatal;
    UnsupportedAssignor, 112, "UNSUPPORTED_ASSIGNOR", "UnsupportedAssignorException", Fatal;
    StaleMemberEpoch, 113, "STALE_MEMBER_EPOCH", "StaleMemberEpochException", Fatal;
    MismatchedEndpointType, 114, "MISMATCHED_ENDPOINT_TYPE", "MismatchedEndpointTypeException", Fatal;
    UnsupportedEndpointType, 115, "UNSUPPORTED_ENDPOINT_TYPE", "UnsupportedEndpointTypeException", Fatal;
    UnknownControllerId, 116, "UNKNOWN_CONTROLLER_ID", "UnknownControllerIdException", Fatal;
    UnknownSubscriptionId, 117, "UNKNOWN_SUBSCRIPTION_ID", "UnknownSubscriptionIdException", Fatal;
    TelemetryTooLarge, 118, "TELEMETRY_TOO_LARGE", "TelemetryTooLargeException", Fatal;
    InvalidRegistration, 119, "INVALID_REGISTRATION", "InvalidRegistrationException", Fatal;
    TransactionAbortable, 120, "TRANSACTION_ABORTABLE", "TransactionAbortableException", Fatal;
    InvalidRecordState, 121, "INVALID_RECORD_STATE", "InvalidRecordStateException", Fatal;
    ShareSessionNotFound, 122, "SHARE_SESSION_NOT_FOUND", "ShareSessionNotFoundException", Retriable;
    InvalidShareSessionEpoch, 123, "INVALID_SHARE_SESSION_EPOCH", "InvalidShareSessionEpochException", Retriable;
    FencedStateEpoch, 124, "FENCED_STATE_EPOCH", "FencedStateEpochException", Fatal;
    InvalidVoterKey, 125, "INVALID_VOTER_KEY", "InvalidVoterKeyException", Fatal;
    DuplicateVoter, 126, "DUPLICATE_VOTER", "DuplicateVoterException", Fatal;
    VoterNotFound, 127, "VOTER_NOT_FOUND", "VoterNotFoundException", Fatal;
    InvalidRegularExpression, 128, "INVALID_REGULAR_EXPRESSION", "InvalidRegularExpression", Fatal;
    RebootstrapRequired, 129, "REBOOTSTRAP_REQUIRED", "RebootstrapRequiredException", Fatal;
    StreamsInvalidTopology, 130, "STREAMS_INVALID_TOPOLOGY", "StreamsInvalidTopologyException", Fatal;
    StreamsInvalidTopologyEpoch, 131, "STREAMS_INVALID_TOPOLOGY_EPOCH", "StreamsInvalidTopologyEpochException", Fatal;
    StreamsTopologyFenced, 132, "STREAMS_TOPOLOGY_FENCED", "StreamsTopologyFencedException", Fatal;
    ShareSessionLimitReached, 133, "SHARE_SESSION_LIMIT_REACHED", "ShareSessionLimitReachedException", Retriable;
    GroupDeletionFailed, 134, "GROUP_DELETION_FAILED", "GroupDeletionFailedException", Fatal;
    StreamsTopologyDescriptionUpdateFailed, 135, "STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED", "StreamsTopologyDescriptionUpdateFailedException", Fatal;
    ControllerIdNotRegistered, 136, "CONTROLLER_ID_NOT_REGISTERED", "ControllerIdNotRegisteredException", Fatal;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_by_name_and_by_number() {
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::from_name(code.name()), Some(*code));
            assert_eq!(ErrorCode::from_number(code.number()), Some(*code));
        }
        assert_eq!(ErrorCode::from_number(0), None, "success is no error");
        assert_eq!(ErrorCode::ALL.len(), 137);
    }

    /// The groups that a producer tells apart (Sender.completeBatch).
    #[test]
    fn classes_are_those_of_the_exceptions() {
        use ErrorClass::{Fatal, RefreshMetadata, Retriable};
        for (name, class) in [
            ("UNKNOWN_TOPIC_OR_PARTITION", RefreshMetadata),
            ("LEADER_NOT_AVAILABLE", RefreshMetadata),
            ("NOT_LEADER_OR_FOLLOWER", RefreshMetadata),
            ("NETWORK_EXCEPTION", RefreshMetadata),
            ("REPLICA_NOT_AVAILABLE", RefreshMetadata),
            ("KAFKA_STORAGE_ERROR", RefreshMetadata),
            ("FENCED_LEADER_EPOCH", RefreshMetadata),
            ("UNKNOWN_TOPIC_ID", RefreshMetadata),
            ("INCONSISTENT_TOPIC_ID", RefreshMetadata),
            ("LISTENER_NOT_FOUND", RefreshMetadata),
            ("REQUEST_TIMED_OUT", Retriable),
            ("NOT_ENOUGH_REPLICAS", Retriable),
            ("NOT_ENOUGH_REPLICAS_AFTER_APPEND", Retriable),
            ("CORRUPT_MESSAGE", Retriable),
            ("UNKNOWN_LEADER_EPOCH", Retriable),
            ("CONCURRENT_TRANSACTIONS", Retriable),
            ("COORDINATOR_LOAD_IN_PROGRESS", Retriable),
            ("THROTTLING_QUOTA_EXCEEDED", Retriable),
            ("UNKNOWN_SERVER_ERROR", Fatal),
            ("BROKER_NOT_AVAILABLE", Fatal),
            ("OUT_OF_ORDER_SEQUENCE_NUMBER", Fatal),
            ("DUPLICATE_SEQUENCE_NUMBER", Fatal),
            ("UNKNOWN_PRODUCER_ID", Fatal),
            ("INVALID_PRODUCER_EPOCH", Fatal),
            ("MESSAGE_TOO_LARGE", Fatal),
            ("INVALID_RECORD", Fatal),
            ("TOPIC_AUTHORIZATION_FAILED", Fatal),
        ] {
            assert_eq!(ErrorCode::from_name(name).unwrap().class(), class, "{name}");
        }
    }
}
