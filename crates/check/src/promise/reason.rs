//! Why a guarantee does not stand, in words.

use std::fmt;

/// Why a guarantee does not stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// acks=0.
    AcksZero,
    /// acks=1.
    AcksOne,
    /// acks=all, where the guarantee is about acks=1.
    AcksAll,
    /// min.insync.replicas is 1.
    MinIsrOne,
    /// There are fewer than three replicas.
    FewReplicas,
    /// unclean.leader.election.enable is true, and it is not known yet what happens.
    UncleanEnabled,
    /// An unclean election happened.
    UncleanElection,
    /// The last known leader was elected, since nobody else was left, and had lost records.
    LastKnownElection,
    /// Another leader took over.
    LeaderChanged,
    /// Too many replicas lost unflushed records at a time.
    OverBudget,
    /// Every in-sync replica lost unflushed records.
    NoneSurvived,
    /// enable.idempotence is false.
    NotIdempotent,
    /// enable.idempotence is true, where the guarantee is about the other case.
    Idempotent,
    /// Failed batches are sent again.
    Retries,
    /// More than one request may be in flight.
    InFlight,
    /// An error was told to the application before.
    ErrorSurfaced,
    /// A broker forgot the producer id.
    StateExpired,
    /// Unclean elections are neither permitted nor did one happen.
    CleanOnly,
    /// Kafka promises this under no configuration.
    NeverPromised,
    /// The client has no producer.
    NoProducer,
    /// The client has no consumer.
    NoConsumer,
    /// transactional.id is not set.
    NotTransactional,
    /// transaction.version is below 2, where the guarantee needs 2.
    OldTransactions,
    /// transaction.version is 2, where the guarantee is about older ones.
    NewTransactions,
    /// transaction.partition.verification.enable is false.
    Unverified,
    /// transaction.partition.verification.enable is true, where the guarantee is about the other
    /// case.
    Verified,
    /// Records were lost from `__transaction_state`, or may be.
    TransactionsUnsound,
    /// Records were lost from `__consumer_offsets`, or may be.
    OffsetsUnsound,
    /// isolation.level is read_uncommitted.
    ReadsUncommitted,
    /// The application commits before it processes.
    CommitFirst,
    /// The application processes before it commits.
    ProcessFirst,
    /// The application commits in transactions, where the guarantee is about other ways.
    CommitsInTransactions,
    /// The application does not commit in the transaction that has the results.
    CommitsOutside,
    /// enable.auto.commit is true, where the application commits in transactions.
    AutoCommits,
    /// The consumer has no group.
    NoGroup,
    /// A commit failed, as far as the application was told.
    CommitFailed,
    /// sendOffsetsToTransaction() was given the group's name alone.
    NoGroupMetadata,
    /// The application went on after an abort without going back to the committed offsets.
    NoRewind,
    /// The application does not leave out what was processed before.
    NoDeduplication,
    /// auto.offset.reset=latest took the group to the end.
    ResetToLatest,
    /// The application skipped records by seek().
    Sought,
}

impl Reason {
    /// The reason in words, to stand behind "because".
    pub const fn words(self) -> &'static str {
        match self {
            Self::AcksZero => "acks=0 waits for nobody",
            Self::AcksOne => "acks=1 waits for the leader alone",
            Self::AcksAll => "it is about acks=1",
            Self::MinIsrOne => "min.insync.replicas is 1",
            Self::FewReplicas => "there are fewer than three replicas",
            Self::UncleanEnabled => "unclean.leader.election.enable is true",
            Self::UncleanElection => "an unclean election happened",
            Self::LastKnownElection => {
                "the last known leader was elected although it had lost records"
            }
            Self::LeaderChanged => "another leader took over",
            Self::OverBudget => {
                "more replicas lost unflushed records at a time than min.insync.replicas - 1"
            }
            Self::NoneSurvived => "every in-sync replica lost unflushed records",
            Self::NotIdempotent => "enable.idempotence is false",
            Self::Idempotent => "enable.idempotence is true, see G5",
            Self::Retries => "failed batches are sent again (retries is above 0)",
            Self::InFlight => "max.in.flight.requests.per.connection is above 1",
            Self::ErrorSurfaced => "an error was told to the application before",
            Self::StateExpired => "a broker forgot the producer id (producer.id.expiration.ms)",
            Self::CleanOnly => "no unclean election is permitted",
            Self::NeverPromised => "Kafka promises this under no configuration",
            Self::NoProducer => "the client has no producer",
            Self::NoConsumer => "the client has no consumer",
            Self::NotTransactional => "transactional.id is not set",
            Self::OldTransactions => "transaction.version is below 2",
            Self::NewTransactions => "transaction.version is 2, see G7",
            Self::Unverified => "transaction.partition.verification.enable is false",
            Self::Verified => "transaction.partition.verification.enable is true, see G7-",
            Self::TransactionsUnsound => "__transaction_state may lose records",
            Self::OffsetsUnsound => "__consumer_offsets may lose records",
            Self::ReadsUncommitted => "isolation.level is read_uncommitted",
            Self::CommitFirst => "the application commits before it processes",
            Self::ProcessFirst => "the application processes before it commits",
            Self::CommitsInTransactions => "the application commits in transactions, see G11",
            Self::CommitsOutside => {
                "the application does not commit in the transaction that has the results"
            }
            Self::AutoCommits => "enable.auto.commit commits outside of the transaction",
            Self::NoGroup => "the consumer has no group",
            Self::CommitFailed => "a commit failed",
            Self::NoGroupMetadata => {
                "sendOffsetsToTransaction() was given the name of the group alone"
            }
            Self::NoRewind => {
                "the application does not go back to the committed offsets after an abort"
            }
            Self::NoDeduplication => "the application does not leave out what was processed before",
            Self::ResetToLatest => "auto.offset.reset=latest took the group to the end",
            Self::Sought => "the application skipped records by seek()",
        }
    }
}

impl Reason {
    /// Whether the guarantee is about another kind of setup, so that it is no news that it does not
    /// stand here.
    pub const fn is_elsewhere(self) -> bool {
        matches!(
            self,
            Self::AcksAll
                | Self::Idempotent
                | Self::CleanOnly
                | Self::NoProducer
                | Self::NoConsumer
                | Self::NotTransactional
                | Self::NewTransactions
                | Self::Verified
                | Self::CommitsInTransactions
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.words())
    }
}
