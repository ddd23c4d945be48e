//! Transactions: where the producer is in them, what it asks coordinators, and what an error leaves
//! to the application. Sequence numbers are the [`Sequencer`]'s.
//! Kafka: clients/producer/internals/TransactionManager.
//!
//! Threads of the application call what is in `calls`; the sender thread takes requests with
//! [`TransactionManager::next_request`] and hands in the answers (`answers`). A step that is not
//! legal is the caller's mistake on an application's thread, and the end of the producer on the
//! sender's.

use crate::env::{Ctx, Env};
use crate::sequencer::Sequencer;
use crate::transaction_call::OpenCall;
use inflight_protocol::error_code::ErrorCode;
use inflight_protocol::fact::SendError;
use inflight_protocol::{BrokerId, Fact, FactKind, SessionId, TransactionVersion, TransactionalId};
use smallvec::SmallVec;

mod answers;
mod calls;
mod partitions;
mod pending;
mod queue;
mod request;
mod results;
mod state;
mod verdict;

pub(crate) use calls::Known;
pub(crate) use partitions::PartitionSet;
use pending::PriorityQueue;
pub(crate) use request::{Handler, Offsets, TxnRequest};
use results::Results;
pub(crate) use results::{Ended, ResultId};
pub(crate) use state::State;
use state::is_transition_valid;

/// On which thread something happens. Kafka: shouldPoisonStateOnInvalidTransition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Thread {
    /// One of the application's.
    Application,
    /// The sender's.
    Sender,
}

/// A step that the table of states does not have. Kafka: the IllegalStateException of transitionTo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IllegalTransition;

impl From<IllegalTransition> for SendError {
    fn from(_: IllegalTransition) -> Self {
        Self::IllegalState
    }
}

/// A call whose outcome no thread has seen: until then no other call is let in.
/// Kafka: TransactionManager.PendingStateTransition.
#[derive(Clone, Copy, Debug)]
struct PendingTransition {
    result: ResultId,
    state: State,
}

/// The transactions of one producer.
#[derive(Debug)]
pub(crate) struct TransactionManager {
    session: SessionId,
    id: TransactionalId,
    timeout_ms: u32,
    retry_backoff_ms: i64,
    state: State,
    last_error: Option<SendError>,
    /// The protocol, as far as the client has learned of it. Kafka: isTransactionV2Enabled.
    version: TransactionVersion,
    coordinator: Option<BrokerId>,
    /// One, whatever the group: Kafka keeps no more.
    group_coordinator: Option<BrokerId>,
    coordinator_supports_bumping_epoch: bool,
    client_side_epoch_bump_required: bool,
    /// Whether the coordinator knows, or may know, of the transaction.
    transaction_started: bool,
    new_partitions: PartitionSet,
    pending_partitions: PartitionSet,
    pending_offset_commits: PartitionSet,
    pending_requests: PriorityQueue,
    /// The request that the sender is about to send, while it waits for a connection or sleeps.
    pub(crate) in_hand: Option<TxnRequest>,
    /// The request without an answer. There is at most one.
    pub(crate) in_flight: Option<TxnRequest>,
    results: Results,
    pending_transition: Option<PendingTransition>,
    /// Threads inside a call.
    pub(crate) open_calls: SmallVec<[OpenCall; 1]>,
    /// How many transactions were begun.
    begun: u32,
    /// Whether the application has one that did not end.
    is_open: bool,
    /// The last pass found a broker ready and took nothing out for it: Kafka's sender spins then.
    pub(crate) spins: bool,
    /// How far close() has come.
    pub(crate) closing: Closing,
}

/// What close() waits for. Kafka: the loops of Sender.run after the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Closing {
    /// Everything that was begun.
    #[default]
    Begun,
    /// The end of a transaction that is still open: it is aborted.
    Abort,
    /// One more pass: the transaction cannot be aborted.
    LastPass,
    /// Nothing.
    Over,
}

inflight_des::clone_fields!(TransactionManager {
    session,
    id,
    timeout_ms,
    retry_backoff_ms,
    state,
    last_error,
    version,
    coordinator,
    group_coordinator,
    coordinator_supports_bumping_epoch,
    client_side_epoch_bump_required,
    transaction_started,
    new_partitions,
    pending_partitions,
    pending_offset_commits,
    pending_requests,
    in_hand,
    in_flight,
    results,
    pending_transition,
    open_calls,
    begun,
    is_open,
    spins,
    closing,
});

impl TransactionManager {
    /// The manager of a producer with a transactional id; others have none.
    pub(crate) fn new(env: &Env<'_>, session: SessionId) -> Option<Self> {
        Some(Self {
            session,
            id: env.transactional_id?,
            timeout_ms: u32::try_from(env.config.transaction_timeout_ms).unwrap_or(0),
            retry_backoff_ms: env.config.retry_backoff_ms,
            state: State::Uninitialized,
            last_error: None,
            version: TransactionVersion::V0,
            coordinator: None,
            group_coordinator: None,
            coordinator_supports_bumping_epoch: false,
            client_side_epoch_bump_required: false,
            transaction_started: false,
            new_partitions: PartitionSet::default(),
            pending_partitions: PartitionSet::default(),
            pending_offset_commits: PartitionSet::default(),
            pending_requests: PriorityQueue::default(),
            in_hand: None,
            in_flight: None,
            results: Results::default(),
            pending_transition: None,
            open_calls: SmallVec::new(),
            begun: 0,
            is_open: false,
            spins: false,
            closing: Closing::Begun,
        })
    }

    pub(crate) fn id(&self) -> TransactionalId {
        self.id
    }

    pub(crate) fn timeout_ms(&self) -> u32 {
        self.timeout_ms
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    pub(crate) fn version(&self) -> TransactionVersion {
        self.version
    }

    pub(crate) fn last_error(&self) -> Option<SendError> {
        self.last_error
    }

    /// Kafka: isCompleting.
    pub(crate) fn is_completing(&self) -> bool {
        matches!(self.state, State::Committing | State::Aborting)
    }

    fn has_error(&self) -> bool {
        matches!(self.state, State::AbortableError | State::FatalError)
    }

    /// Kafka: hasOngoingTransaction.
    pub(crate) fn has_ongoing_transaction(&self) -> bool {
        self.state == State::InTransaction
            || self.is_completing()
            || self.state == State::AbortableError
    }

    /// Kafka: hasPendingRequests.
    pub(crate) fn has_pending_requests(&self) -> bool {
        !self.pending_requests.is_empty()
    }

    /// The number of the open transaction, or of the next one.
    pub(crate) fn transaction(&self) -> u32 {
        self.begun - u32::from(self.is_open)
    }

    // --- states ---------------------------------------------------------------------------------

    /// Kafka: transitionTo. `error` is for the two states of error.
    fn transition(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        on: Thread,
        target: State,
        error: Option<SendError>,
    ) -> Result<(), IllegalTransition> {
        if is_transition_valid(self.state, target) {
            self.last_error = error;
            self.enter(ctx, target);
            return Ok(());
        }
        if on == Thread::Sender {
            self.last_error = Some(SendError::IllegalState);
            self.enter(ctx, State::FatalError);
        }
        Err(IllegalTransition)
    }

    fn enter(&mut self, ctx: &mut Ctx<'_, '_>, to: State) {
        let (session, from) = (self.session, std::mem::replace(&mut self.state, to));
        if from != to {
            ctx.turn.did(FactKind::ProducerStateChanged.set(), || Fact::ProducerStateChanged {
                session,
                from,
                to,
            });
        }
    }

    /// Kafka: transitionToAbortableError.
    fn abortable(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        on: Thread,
        error: SendError,
    ) -> Result<(), IllegalTransition> {
        if self.state == State::Aborting {
            return Ok(());
        }
        self.transition(ctx, on, State::AbortableError, Some(error))
    }

    /// Kafka: transitionToFatalError.
    fn fatal(&mut self, ctx: &mut Ctx<'_, '_>, error: SendError) {
        self.last_error = Some(error);
        self.enter(ctx, State::FatalError);
        self.fail_pending_transition(error);
    }

    fn fail_pending_transition(&mut self, error: SendError) {
        if let Some(pending) = self.pending_transition {
            self.results.fail(pending.result, error);
        }
    }

    /// Kafka: transitionToUninitialized, after failPendingRequests.
    pub(crate) fn uninitialize(&mut self, ctx: &mut Ctx<'_, '_>, error: SendError) {
        for request in self.pending_requests.iter_mut() {
            request.completed = true;
            if let Some(result) = request.result {
                self.results.fail(result, error);
            }
        }
        self.last_error = None;
        self.enter(ctx, State::Uninitialized);
        self.fail_pending_transition(error);
    }

    /// Sequences in doubt were given up. Kafka: transitionToAbortableErrorOrFatalError.
    pub(crate) fn sequences_are_lost(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
    ) -> Result<(), IllegalTransition> {
        if !self.can_handle_abortable_error() {
            self.fatal(ctx, SendError::FatalState);
            return Ok(());
        }
        self.client_side_epoch_bump_required |= self.bumps_epoch_itself();
        self.abortable(ctx, Thread::Sender, SendError::AbortableState)
    }

    /// What the failure of a batch, or of a send(), makes of the transaction.
    /// Kafka: maybeTransitionToErrorState.
    pub(crate) fn sending_failed(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        on: Thread,
        error: SendError,
    ) -> Result<(), IllegalTransition> {
        if let SendError::Code(code) = error
            && crate::sequencer::is_fatal_for_idempotence(code)
        {
            self.fatal(ctx, error);
            return Ok(());
        }
        let error = match error {
            SendError::DeliveryTimeout
            | SendError::MetadataTimeout
            | SendError::BufferExhausted
            | SendError::Code(ErrorCode::InvalidTxnState) => {
                SendError::Code(ErrorCode::TransactionAbortable)
            }
            SendError::Code(code) if code.is_retriable() => {
                SendError::Code(ErrorCode::TransactionAbortable)
            }
            other => other,
        };
        if self.bumps_epoch_itself() && !self.is_completing() {
            self.client_side_epoch_bump_required = true;
        }
        self.abortable(ctx, on, error)
    }

    /// Kafka: needToTriggerEpochBumpFromClient.
    fn bumps_epoch_itself(&self) -> bool {
        self.coordinator_supports_bumping_epoch && !self.version.bumps_epochs()
    }

    /// Kafka: canHandleAbortableError.
    fn can_handle_abortable_error(&self) -> bool {
        self.coordinator_supports_bumping_epoch || self.version.bumps_epochs()
    }

    /// The transaction is over. Kafka: resetTransactionState.
    fn reset_transaction(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        sequencer: &mut Sequencer,
    ) -> Result<(), IllegalTransition> {
        let bumps = self.client_side_epoch_bump_required;
        let next = if bumps { State::Initializing } else { State::Ready };
        self.transition(ctx, Thread::Sender, next, None)?;
        self.client_side_epoch_bump_required = false;
        self.transaction_started = false;
        self.new_partitions.clear();
        self.pending_partitions.clear();
        sequencer.partitions_in_transaction().clear();
        Ok(())
    }
}
