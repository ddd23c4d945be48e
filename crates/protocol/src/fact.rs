//! The vocabulary of facts: everything observable about a run, in one closed enum.
//!
//! A fact is small, `Copy` and in the past tense. Triggers, recorder, checkers, digest,
//! explanations and diagrams all read this one stream and nothing else. Names and fields are
//! stable: they appear in scenario files and traces.

use crate::consumer_group::ReconciliationState;
use crate::error_code::ErrorCode;
use crate::ids::{
    BatchId, BrokerEpoch, BrokerId, BrokerSet, ClientId, ConnectionId, ConsumerId, CorrelationId,
    GroupId, LeaderEpoch, Node, Offset, PartitionEpoch, ProducerEpoch, ProducerId, SessionId,
    ThreadId, TopicPartition, TransactionalId,
};
use crate::message::{ApiKey, IsolationLevel};
use crate::sequence::Sequence;
use crate::transaction::{CoordinatorEpoch, TransactionResult, TransactionState};
use inflight_des::{Halt, Kinds, Span};

#[macro_use]
mod declare;
#[macro_use]
mod list;
mod value;
mod words;
pub use value::{FactField, FieldType, Value};
pub use words::{
    AppendOrigin, BlockedOn, CloseCause, CommitMode, Direction, DrainReason, Election, ExpiryPlace,
    LastStop, LeaveCause, LossCause, MembershipState, MetadataSource, PositionSource,
    ProducerState, Recovery, RevokeCause, SendError, StopCause, Surviving, TransactionCall,
};

/// One field of a kind of fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldSpec {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// The type of its values.
    pub field_type: FieldType,
}

impl FactKind {
    /// The set of this one kind.
    #[inline]
    pub const fn set(self) -> Kinds {
        Kinds::of(self as u8)
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

/// The set of several kinds.
pub const fn kinds(list: &[FactKind]) -> Kinds {
    let mut set = Kinds::NONE;
    let mut index = 0;
    while index < list.len() {
        set = set.and(list[index].set());
        index += 1;
    }
    set
}

/// The facts that an application can know: what it sent and what it was told. A checker of the
/// user's view reads no other.
pub const USER_VIEW: Kinds = kinds(&[
    FactKind::ProducerStarted,
    FactKind::ProducerStopped,
    FactKind::RecordsQueued,
    FactKind::SendBlocked,
    FactKind::SendReturned,
    FactKind::SendRefused,
    FactKind::RecordsAcked,
    FactKind::RecordsFailed,
    // That initTransactions() was called.
    FactKind::ProducerStateChanged,
    FactKind::TransactionsInitialized,
    FactKind::TransactionBegun,
    FactKind::OffsetsAddedToTransaction,
    FactKind::TransactionEnding,
    FactKind::TransactionEnded,
    FactKind::TransactionCallFailed,
    FactKind::ConsumerStarted,
    FactKind::ConsumerStopped,
    FactKind::PartitionAssigned,
    FactKind::PartitionRevoked,
    FactKind::PositionSet,
    FactKind::RecordsReturned,
    FactKind::RecordsProcessed,
    FactKind::RecordsTransformed,
    FactKind::OffsetCommitRequested,
    FactKind::OffsetCommitReturned,
    FactKind::ConsumerFailed,
    FactKind::RunEnded,
]);

client_facts! { [network_facts broker_facts coordinator_facts control_facts facts] {} }

#[cfg(test)]
mod tests;
