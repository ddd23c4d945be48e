//! The closed sets of words that are values of facts' fields.

use super::value::{FactField, FieldType, Value};
use crate::consumer_group::ReconciliationState;
use crate::error_code::ErrorCode;
use crate::message::IsolationLevel;
use crate::transaction::{TransactionResult, TransactionState};

/// Declares a closed set of words that are values of a fact's field.
macro_rules! words {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident { $( $(#[doc = $word_doc:literal])+ $word:ident = $text:literal, )* }
    )*) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $( $(#[doc = $word_doc])+ $word, )* }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$word),*];

            /// The word, as it stands in scenario files and traces.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$word => $text,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.word())
            }
        }

        impl FactField for $name {
            const TYPE: FieldType = FieldType::Word(&[$($text),*]);

            fn to_value(self) -> Value {
                Value::Word(self.word())
            }

            fn from_value(value: Value) -> Option<Self> {
                match value {
                    Value::Word(word) => Self::ALL.iter().copied().find(|each| each.word() == word),
                    _ => None,
                }
            }
        }
    )*};
}

words! {
    /// How a producer object ended.
    StopCause {
        /// close() was called and has returned.
        Closed = "closed",
        /// The process ended without close().
        Exited = "exited",
        /// The process was killed.
        Crashed = "crashed",
    }
    /// What a blocked send() waits for.
    BlockedOn {
        /// Topic or partition in the metadata.
        Metadata = "metadata",
        /// Buffer memory.
        Memory = "memory",
    }
    /// What made a batch ready.
    DrainReason {
        /// No more records fit, or another batch is behind it.
        Full = "full",
        /// linger.ms is over.
        Linger = "linger",
        /// A thread waits for buffer memory.
        Exhausted = "memory",
        /// flush() is going on.
        Flush = "flush",
        /// close() was called.
        Close = "close",
        /// Another partition of the same broker was ready.
        Alongside = "alongside",
        /// The retry backoff is over.
        Retry = "retry",
    }
    /// Where a batch was when delivery.timeout.ms ended.
    ExpiryPlace {
        /// In the accumulator.
        Queued = "queued",
        /// In a request without an answer.
        InFlight = "in-flight",
    }
    /// How a producer learned of the cluster.
    MetadataSource {
        /// A metadata response.
        Metadata = "metadata",
        /// The current leader in a produce response (KIP-951).
        LeaderHint = "leader-hint",
    }
    /// Why a connection ended, as the node that says so knows it.
    CloseCause {
        /// The other side closed or reset it, or refused it.
        Peer = "peer",
        /// A request was not answered within its timeout.
        RequestTimeout = "request-timeout",
        /// The connection was not set up in time.
        SetupTimeout = "setup-timeout",
        /// No use for connections.max.idle.ms.
        Idle = "idle",
        /// The node closed it on purpose.
        Local = "local",
        /// acks=0 and the broker could not append.
        ProduceFailed = "produce-failed",
    }
    /// Request or response.
    Direction {
        /// From the side that opened the connection.
        Request = "request",
        /// From the other side.
        Response = "response",
    }
    /// Why a message was lost.
    LossCause {
        /// A fault took it.
        Fault = "fault",
        /// The link was cut, in the teaching mode where a cut link loses messages.
        Cut = "cut",
        /// The receiver has closed the connection.
        Closed = "closed",
        /// The receiver is down.
        Down = "down",
    }
    /// From where a batch came into a log. Kafka: AppendOrigin.
    AppendOrigin {
        /// From a producer.
        Client = "client",
        /// From a coordinator: a marker, or a record of an internal topic.
        Coordinator = "coordinator",
        /// From the leader.
        Replication = "replication",
    }
    /// What a crash leaves of the logs.
    Surviving {
        /// Everything appended: the process died, the machine did not.
        Appended = "appended",
        /// What was flushed: the machine lost power.
        Flushed = "flushed",
    }
    /// How a broker's last life ended, as the controller can tell.
    LastStop {
        /// The broker showed the epoch of its clean shutdown marker.
        Clean = "clean",
        /// It did not.
        Unclean = "unclean",
    }
    /// How a leader was chosen. Kafka: PartitionChangeBuilder.
    Election {
        /// The first in-sync replica in assignment order.
        Clean = "clean",
        /// An eligible leader replica that was not in sync (KIP-966).
        Eligible = "eligible",
        /// The last known leader, nobody being in sync or eligible (KIP-966).
        LastKnown = "last-known",
        /// Any live replica: unclean.leader.election.enable.
        Unclean = "unclean",
        /// The preferred replica, on request or by auto.leader.rebalance.enable.
        Preferred = "preferred",
        /// A fault named the leader.
        Forced = "forced",
        /// No replica could be chosen.
        None = "none",
    }
}

words! {
    /// A transactional call of a producer's application.
    TransactionCall {
        /// initTransactions()
        Init = "init",
        /// beginTransaction()
        Begin = "begin",
        /// send()
        Send = "send",
        /// sendOffsetsToTransaction()
        SendOffsets = "send-offsets",
        /// commitTransaction()
        Commit = "commit",
        /// abortTransaction()
        Abort = "abort",
    }
    /// Where a transactional producer is. Kafka: TransactionManager.State.
    ProducerState {
        /// initTransactions() was not called.
        Uninitialized = "uninitialized",
        /// A producer id or epoch was asked for.
        Initializing = "initializing",
        /// Between transactions.
        Ready = "ready",
        /// In a transaction.
        InTransaction = "in-transaction",
        /// commitTransaction() was called.
        Committing = "committing",
        /// abortTransaction() was called.
        Aborting = "aborting",
        /// Something failed, and only abortTransaction() helps.
        AbortableError = "abortable-error",
        /// Something failed, and only close() helps.
        FatalError = "fatal-error",
    }
    /// What a failure leaves to the application.
    Recovery {
        /// The same call again.
        Retry = "retry",
        /// abortTransaction().
        Abort = "abort",
        /// Only close().
        Close = "close",
        /// Nothing has changed: the call was out of place.
        None = "none",
    }
    /// From where a consumer got a position. Kafka: SubscriptionState.FetchStates and resets.
    PositionSource {
        /// The group's committed offset.
        Committed = "committed",
        /// auto.offset.reset=earliest, or the application asked for the beginning.
        Earliest = "earliest",
        /// auto.offset.reset=latest, or the application asked for the end.
        Latest = "latest",
        /// The application said seek().
        Seek = "seek",
        /// The log was cut below the position.
        Truncation = "truncation",
    }
    /// Why a consumer lost a partition.
    RevokeCause {
        /// A rebalance took it, and the consumer was asked first.
        Revoked = "revoked",
        /// The consumer was thrown out of the group, or its generation is over.
        Lost = "lost",
        /// close() was called.
        Closed = "closed",
    }
    /// Why a member is no longer in a group.
    LeaveCause {
        /// It left.
        Left = "left",
        /// No heartbeat for session.timeout.ms.
        SessionTimeout = "session-timeout",
        /// It did not rejoin within the rebalance timeout.
        RebalanceTimeout = "rebalance-timeout",
    }
    /// Where a member of a group is, with the consumer protocol.
    /// Kafka: consumer/internals/MemberState.
    MembershipState {
        /// In no group, and not asking for one.
        Unsubscribed = "unsubscribed",
        /// Asking for a place.
        Joining = "joining",
        /// Going over to another assignment.
        Reconciling = "reconciling",
        /// About to tell the coordinator that it has gone over.
        Acknowledging = "acknowledging",
        /// It has what it is to have.
        Stable = "stable",
        /// Thrown out of the group: it gives up what it has and joins again.
        Fenced = "fenced",
        /// About to leave.
        PrepareLeaving = "prepare-leaving",
        /// Leaving.
        Leaving = "leaving",
        /// Something failed, and only close() helps.
        Fatal = "fatal",
        /// It left because poll() was not called for max.poll.interval.ms.
        Stale = "stale",
    }
    /// How a consumer's application commits. Kafka: commitSync, commitAsync, enable.auto.commit.
    CommitMode {
        /// commitSync()
        Sync = "sync",
        /// commitAsync()
        Async = "async",
        /// enable.auto.commit
        Auto = "auto",
    }
}

macro_rules! words_of {
    ($($name:ident { $($word:ident = $text:literal,)* })*) => {$(
        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$word),*];

            /// The word, as it stands in scenario files and traces.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$word => $text,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.word())
            }
        }

        impl FactField for $name {
            const TYPE: FieldType = FieldType::Word(&[$($text),*]);

            fn to_value(self) -> Value {
                Value::Word(self.word())
            }

            fn from_value(value: Value) -> Option<Self> {
                match value {
                    Value::Word(word) => Self::ALL.iter().copied().find(|each| each.word() == word),
                    _ => None,
                }
            }
        }
    )*};
}

words_of! {
    TransactionResult { Commit = "commit", Abort = "abort", }
    IsolationLevel { ReadUncommitted = "read_uncommitted", ReadCommitted = "read_committed", }
    ReconciliationState {
        Stable = "stable",
        UnrevokedPartitions = "unrevoked-partitions",
        UnreleasedPartitions = "unreleased-partitions",
    }
    TransactionState {
        Empty = "Empty",
        Ongoing = "Ongoing",
        PrepareCommit = "PrepareCommit",
        PrepareAbort = "PrepareAbort",
        CompleteCommit = "CompleteCommit",
        CompleteAbort = "CompleteAbort",
        Dead = "Dead",
        PrepareEpochFence = "PrepareEpochFence",
    }
}

/// What an application is told when records are not delivered: the exception's meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SendError {
    /// A broker's or the client's error code, as the exception of that code.
    Code(ErrorCode),
    /// TimeoutException: delivery.timeout.ms is over.
    DeliveryTimeout,
    /// TimeoutException: the topic or partition did not appear within max.block.ms.
    MetadataTimeout,
    /// BufferExhaustedException: no buffer memory within max.block.ms.
    BufferExhausted,
    /// RecordTooLargeException: larger than max.request.size or buffer.memory.
    RecordTooLarge,
    /// IllegalArgumentException: batch.size is larger than buffer.memory.
    BatchLargerThanMemory,
    /// IllegalArgumentException: the partitioner returned a negative number.
    InvalidPartition,
    /// KafkaException: the producer is closed.
    ProducerClosed,
    /// KafkaException: the producer was closed forcefully, the batch is aborted.
    ProducerClosedForcefully,
    /// KafkaException: the producer is in a fatal error state.
    FatalState,
    /// KafkaException: the transaction has failed, and only abortTransaction() helps.
    AbortableState,
    /// TransactionAbortedException: the transaction was aborted before the record was sent.
    TransactionAborted,
    /// IllegalStateException: the call is out of place.
    IllegalState,
    /// TimeoutException: a transactional call was not answered within max.block.ms, or a
    /// consumer's within default.api.timeout.ms.
    CallTimeout,
    /// CommitFailedException: the group has moved on without this consumer.
    CommitFailed,
    /// NoOffsetForPartitionException: nothing is committed, and auto.offset.reset is none.
    NoOffset,
    /// LogTruncationException: the log was cut below what was read, and auto.offset.reset is none.
    LogTruncation,
}
