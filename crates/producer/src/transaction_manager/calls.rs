//! What threads of the application ask of the transaction manager.
//! Kafka: the methods of TransactionManager that KafkaProducer calls.

use super::{
    Ended, Handler, IllegalTransition, Offsets, PendingTransition, ResultId, State, Thread,
    TransactionManager, TxnRequest,
};
use crate::env::Ctx;
use crate::sequencer::Sequencer;
use inflight_protocol::error_code::ErrorCode;
use inflight_protocol::fact::SendError;
use inflight_protocol::message::GroupIdentity;
use inflight_protocol::{TopicPartition, TransactionResult, TransactionVersion};

impl TransactionManager {
    /// Kafka: initializeTransactions.
    pub(crate) fn initialize(&mut self, ctx: &mut Ctx<'_, '_>) -> Result<ResultId, SendError> {
        self.maybe_fail_with_error()?;
        if let Some(result) = self.cached_result(State::Initializing)? {
            return Ok(result);
        }
        self.transition(ctx, Thread::Application, State::Initializing, None)?;
        let handler = Handler::InitProducerId { current: None };
        Ok(self.enqueue_with_result(handler, State::Initializing))
    }

    /// Kafka: beginTransaction.
    pub(crate) fn begin(&mut self, ctx: &mut Ctx<'_, '_>) -> Result<(), SendError> {
        self.refuse_if_a_call_is_pending()?;
        self.maybe_fail_with_error()?;
        self.transition(ctx, Thread::Application, State::InTransaction, None)?;
        self.begun += 1;
        self.is_open = true;
        Ok(())
    }

    /// Kafka: beginCommit. Returns the result to wait for, and whether the call began anything.
    pub(crate) fn begin_commit(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        sequencer: &Sequencer,
    ) -> Result<(ResultId, bool), SendError> {
        if let Some(result) = self.cached_result(State::Committing)? {
            return Ok((result, false));
        }
        self.maybe_fail_with_error()?;
        let on = Thread::Application;
        self.transition(ctx, on, State::Committing, None)?;
        let result = self.begin_completing(ctx, on, sequencer, TransactionResult::Commit)?;
        Ok((result, true))
    }

    /// Kafka: beginAbort, which the sender calls too, to close.
    pub(crate) fn begin_abort(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        on: Thread,
        sequencer: &Sequencer,
    ) -> Result<(ResultId, bool), SendError> {
        if let Some(result) = self.cached_result(State::Aborting)? {
            return Ok((result, false));
        }
        if self.state != State::AbortableError {
            self.maybe_fail_with_error()?;
        }
        self.transition(ctx, on, State::Aborting, None)?;
        self.new_partitions.clear();
        let result = self.begin_completing(ctx, on, sequencer, TransactionResult::Abort)?;
        Ok((result, true))
    }

    /// Kafka: beginCompletingTransaction. The end is of the protocol that the transaction began
    /// with, even if another one is known by now.
    fn begin_completing(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        on: Thread,
        sequencer: &Sequencer,
        result: TransactionResult,
    ) -> Result<ResultId, IllegalTransition> {
        if !self.new_partitions.is_empty() {
            self.enqueue_new_partitions(sequencer);
        }
        let producer = sequencer.id_and_epoch();
        let end = Handler::EndTxn { producer, result, version: self.version };
        self.learn_version(ctx.env.transaction_version, Known::Later);
        let state = self.state;
        if !self.client_side_epoch_bump_required {
            return Ok(self.enqueue_with_result(end, state));
        }
        self.pending_requests.offer(TxnRequest::new(end, None));
        if producer.is_none() {
            // There is nothing to raise. Kafka compares with ProducerIdAndEpoch.NONE and takes
            // this for the first producer id.
            self.transition(ctx, on, State::Initializing, None)?;
        }
        Ok(self.enqueue_with_result(Handler::InitProducerId { current: producer }, state))
    }

    /// Kafka: sendOffsetsToTransaction.
    pub(crate) fn send_offsets(
        &mut self,
        sequencer: &Sequencer,
        identity: GroupIdentity,
        offsets: Offsets,
    ) -> Result<ResultId, SendError> {
        self.refuse_if_a_call_is_pending()?;
        self.maybe_fail_with_error()?;
        if self.state != State::InTransaction {
            return Err(SendError::IllegalState);
        }
        let producer = sequencer.id_and_epoch();
        let handler = if self.version.bumps_epochs() {
            self.transaction_started = true;
            self.commit_offsets(sequencer, identity, offsets)
        } else {
            Handler::AddOffsets { producer, identity, offsets }
        };
        let result = self.results.create();
        self.pending_requests.offer(TxnRequest::new(handler, Some(result)));
        Ok(result)
    }

    /// Kafka: txnOffsetCommitHandler.
    pub(super) fn commit_offsets(
        &mut self,
        sequencer: &Sequencer,
        identity: GroupIdentity,
        offsets: Offsets,
    ) -> Handler {
        for offset in &offsets {
            self.pending_offset_commits.insert(offset.partition);
        }
        let (producer, version) = (sequencer.id_and_epoch(), self.version);
        Handler::TxnOffsetCommit { producer, identity, offsets, version }
    }

    /// A record is in the accumulator: its partition has to be in the transaction before it is
    /// sent. Kafka: maybeAddPartition.
    pub(crate) fn maybe_add_partition(
        &mut self,
        sequencer: &mut Sequencer,
        partition: TopicPartition,
    ) -> Result<(), SendError> {
        self.maybe_fail_with_error()?;
        self.refuse_if_a_call_is_pending()?;
        if sequencer.id_and_epoch().is_none() || self.state != State::InTransaction {
            return Err(SendError::IllegalState);
        }
        if self.version.bumps_epochs() {
            sequencer.partitions_in_transaction().insert(partition);
            self.transaction_started = true;
        } else if !self.knows(sequencer, partition) {
            self.new_partitions.insert(partition);
        }
        Ok(())
    }

    /// Whether [`TransactionManager::maybe_add_partition`] would go well.
    #[inline]
    pub(crate) fn takes_records(&self) -> bool {
        self.state == State::InTransaction
    }

    // --- what stands in the way of a call ---------------------------------------------------------

    /// Kafka: maybeFailWithError.
    fn maybe_fail_with_error(&self) -> Result<(), SendError> {
        if !self.has_error() {
            return Ok(());
        }
        Err(match self.last_error {
            Some(SendError::Code(
                code @ (ErrorCode::ProducerFenced | ErrorCode::InvalidProducerEpoch),
            )) => SendError::Code(code),
            Some(SendError::IllegalState) => SendError::IllegalState,
            _ if self.state == State::FatalError => SendError::FatalState,
            _ => SendError::AbortableState,
        })
    }

    /// Kafka: throwIfPendingState.
    fn refuse_if_a_call_is_pending(&mut self) -> Result<(), SendError> {
        self.forget_seen_transition();
        if self.pending_transition.is_some() { Err(SendError::IllegalState) } else { Ok(()) }
    }

    fn forget_seen_transition(&mut self) {
        let results = &self.results;
        self.pending_transition =
            self.pending_transition.filter(|pending| !results.is_acked(pending.result));
    }

    /// The result that a call has to wait for because an earlier one gave up on it.
    /// Kafka: handleCachedTransactionRequestResult.
    fn cached_result(&mut self, state: State) -> Result<Option<ResultId>, SendError> {
        self.forget_seen_transition();
        match self.pending_transition {
            None => Ok(None),
            Some(pending) if pending.state == state => Ok(Some(pending.result)),
            Some(_) => Err(SendError::IllegalState),
        }
    }

    fn enqueue_with_result(&mut self, handler: Handler, state: State) -> ResultId {
        let result = self.results.create();
        self.pending_requests.offer(TxnRequest::new(handler, Some(result)));
        self.pending_transition = Some(PendingTransition { result, state });
        result
    }

    // --- what threads wait for --------------------------------------------------------------------

    /// How a call ended, if it did; then the thread has seen it.
    pub(crate) fn take_ended(&mut self, result: ResultId) -> Option<Ended> {
        let ended = self.results.see(result)?;
        // Another thread may have called the same and wait for the same.
        let waiting = self.open_calls.iter().filter(|call| call.awaits(result)).count();
        if waiting <= 1 {
            self.results.forget(result);
        }
        Some(ended)
    }

    /// A thread has given up on a result that no other call will ask for.
    pub(crate) fn forget_result(&mut self, result: ResultId) {
        self.results.forget(result);
    }

    /// The application was told that its transaction is over.
    pub(crate) fn closed_transaction(&mut self, transaction: u32) {
        self.is_open &= self.transaction() != transaction;
    }

    // --- the protocol -----------------------------------------------------------------------------

    /// Takes over which protocol the cluster speaks. A transaction in which it changes from 1 to 2
    /// ends with a greater epoch. Kafka: maybeUpdateTransactionV2Enabled.
    pub(crate) fn learn_version(&mut self, version: TransactionVersion, known: Known) {
        let before = std::mem::replace(&mut self.version, version);
        if known == Known::Later && !before.bumps_epochs() && version.bumps_epochs() {
            self.client_side_epoch_bump_required = true;
        }
    }
}

/// When a producer learns of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// As initTransactions() returns.
    FromTheStart,
    /// As a transaction ends.
    Later,
}
