//! The transactional calls on the application's threads, each of which may block for max.block.ms.
//! Kafka: KafkaProducer.initTransactions, beginTransaction, sendOffsetsToTransaction,
//! commitTransaction, abortTransaction, and what send() has to do with transactions.

use crate::env::{Ctx, Env};
use crate::producer::{Completion, Producer};
use crate::sender::after_ms;
use crate::transaction_manager::TransactionManager;
use crate::transaction_manager::{Ended, Known, Offsets, ResultId, State, Thread};
use inflight_des::Instant;
use inflight_protocol::error_code::ErrorCode;
use inflight_protocol::fact::{Recovery, SendError, TransactionCall};
use inflight_protocol::message::GroupIdentity;
use inflight_protocol::transaction::CommittedOffset;
use inflight_protocol::{Fact, FactKind, ThreadId, TopicPartition, TransactionResult, Turn};

/// Why a transactional call threw, and what that leaves to the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallError {
    /// What was thrown.
    pub error: SendError,
    /// What may be called next.
    pub recovery: Recovery,
}

/// A thread inside a transactional call.
#[derive(Clone, Debug)]
pub(crate) struct OpenCall {
    who: Caller,
    place: Place,
    deadline: Instant,
}

/// Who called what.
#[derive(Clone, Debug)]
struct Caller {
    thread: ThreadId,
    call: TransactionCall,
    /// The transaction that was open then, or the next one.
    transaction: u32,
    /// With sendOffsetsToTransaction(): the offsets and who commits them.
    offsets: Option<(GroupIdentity, Offsets)>,
}

/// Where a thread is inside a call.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Waiting for metadata newer than this. Kafka: KafkaProducer.awaitTopicMetadata.
    Metadata { version: u32 },
    /// Waiting for the sender. Kafka: TransactionalRequestResult.await.
    Result(ResultId),
}

impl OpenCall {
    /// Whether the thread waits for this result.
    pub(crate) fn awaits(&self, result: ResultId) -> bool {
        matches!(self.place, Place::Result(own) if own == result)
    }
}

impl TransactionManager {
    /// When the first thread inside a call gives up.
    pub(crate) fn calls_wake(&self) -> Option<Instant> {
        self.open_calls.iter().map(|call| call.deadline).min()
    }
}

impl Producer {
    /// An application thread calls initTransactions(). Every call here ends with
    /// [`Completion::Transaction`].
    pub fn init_transactions(&mut self, env: &Env<'_>, turn: &mut Turn<'_>, thread: ThreadId) {
        let mut ctx = Ctx::new(env, turn, self.streams);
        let who = self.caller(thread, TransactionCall::Init);
        let begun = self.open_manager().and_then(|manager| manager.initialize(&mut ctx));
        self.await_result(&mut ctx, who, begun);
        self.run(&mut ctx);
    }

    /// An application thread calls beginTransaction(), which never blocks.
    pub fn begin_transaction(&mut self, env: &Env<'_>, turn: &mut Turn<'_>, thread: ThreadId) {
        let mut ctx = Ctx::new(env, turn, self.streams);
        let who = self.caller(thread, TransactionCall::Begin);
        let begun = self.open_manager().and_then(|manager| manager.begin(&mut ctx));
        self.return_from(&mut ctx, &who, begun);
        self.run(&mut ctx);
    }

    /// An application thread calls sendOffsetsToTransaction().
    pub fn send_offsets_to_transaction(
        &mut self,
        env: &Env<'_>,
        turn: &mut Turn<'_>,
        thread: ThreadId,
        offsets: &[CommittedOffset],
        identity: GroupIdentity,
    ) {
        let mut ctx = Ctx::new(env, turn, self.streams);
        self.begin_sending_offsets(&mut ctx, thread, offsets, identity);
        self.run(&mut ctx);
    }

    /// An application thread calls commitTransaction(), which flushes.
    pub fn commit_transaction(&mut self, env: &Env<'_>, turn: &mut Turn<'_>, thread: ThreadId) {
        self.end_transaction(env, turn, thread, TransactionResult::Commit);
    }

    /// An application thread calls abortTransaction(): what was not sent yet is not sent.
    pub fn abort_transaction(&mut self, env: &Env<'_>, turn: &mut Turn<'_>, thread: ThreadId) {
        self.end_transaction(env, turn, thread, TransactionResult::Abort);
    }

    fn end_transaction(
        &mut self,
        env: &Env<'_>,
        turn: &mut Turn<'_>,
        thread: ThreadId,
        result: TransactionResult,
    ) {
        let mut ctx = Ctx::new(env, turn, self.streams);
        let who = self.caller(thread, call_of(result));
        let begun = self.begin_ending(&mut ctx, result);
        self.await_result(&mut ctx, who, begun);
        self.run(&mut ctx);
    }

    fn begin_ending(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        result: TransactionResult,
    ) -> Result<ResultId, SendError> {
        self.open_manager()?;
        let session = self.session;
        let (manager, sequencer) = self.transactional().ok_or(SendError::IllegalState)?;
        let transaction = manager.transaction();
        let (id, is_new) = match result {
            TransactionResult::Commit => manager.begin_commit(ctx, sequencer)?,
            TransactionResult::Abort => manager.begin_abort(ctx, Thread::Application, sequencer)?,
        };
        if is_new {
            ctx.turn.did(FactKind::TransactionEnding.set(), || Fact::TransactionEnding {
                session,
                transaction,
                result,
            });
        }
        Ok(id)
    }

    /// The manager, if the producer is transactional and was not closed.
    /// Kafka: throwIfNoTransactionManager, throwIfProducerClosed.
    fn open_manager(&mut self) -> Result<&mut TransactionManager, SendError> {
        let running = self.running;
        let manager = self.transactions.as_deref_mut().ok_or(SendError::IllegalState)?;
        if running { Ok(manager) } else { Err(SendError::ProducerClosed) }
    }

    fn caller(&self, thread: ThreadId, call: TransactionCall) -> Caller {
        let transaction = self.transactions.as_deref().map_or(0, TransactionManager::transaction);
        Caller { thread, call, transaction, offsets: None }
    }

    fn begin_sending_offsets(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        thread: ThreadId,
        offsets: &[CommittedOffset],
        identity: GroupIdentity,
    ) {
        let mut who = self.caller(thread, TransactionCall::SendOffsets);
        if let Err(error) = self.open_manager() {
            return self.return_from(ctx, &who, Err(error));
        }
        if offsets.is_empty() {
            return self.return_from(ctx, &who, Ok(()));
        }
        let deadline = after_ms(ctx.turn.now(), ctx.env.config.max_block_ms);
        let topics = offsets.iter().map(|offset| ctx.env.topics.split(offset.partition).0);
        let version = self.metadata.add_all(topics, ctx.now_ms);
        who.offsets = Some((identity, offsets.iter().copied().collect()));
        match version {
            Some(version) => {
                self.network.wakeup();
                self.block(OpenCall { who, place: Place::Metadata { version }, deadline });
            }
            None => self.send_offsets(ctx, who, deadline),
        }
    }

    /// The metadata is there.
    fn send_offsets(&mut self, ctx: &mut Ctx<'_, '_>, who: Caller, deadline: Instant) {
        let Some((manager, sequencer)) = self.transactional() else { return };
        let Some((identity, offsets)) = who.offsets.clone() else { return };
        match manager.send_offsets(sequencer, identity, offsets) {
            Ok(result) => {
                self.network.wakeup();
                self.block(OpenCall { who, place: Place::Result(result), deadline });
            }
            Err(error) => self.return_from(ctx, &who, Err(error)),
        }
    }

    // --- threads that block -----------------------------------------------------------------------

    fn await_result(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        who: Caller,
        begun: Result<ResultId, SendError>,
    ) {
        match begun {
            Ok(result) => {
                self.network.wakeup();
                let deadline = after_ms(ctx.turn.now(), ctx.env.config.max_block_ms);
                self.block(OpenCall { who, place: Place::Result(result), deadline });
            }
            Err(error) => self.return_from(ctx, &who, Err(error)),
        }
    }

    fn block(&mut self, call: OpenCall) {
        let Some(manager) = self.transactions.as_deref_mut() else { return };
        manager.open_calls.push(call);
        self.calls_going_on += 1;
    }

    /// Lets every thread inside a transactional call look whether its wait is over.
    pub(crate) fn drive_transaction_calls(&mut self, ctx: &mut Ctx<'_, '_>) {
        let mut index = 0;
        while let Some(manager) = self.transactions.as_deref_mut()
            && let Some(open) = manager.open_calls.get(index)
        {
            let is_late = ctx.turn.now() >= open.deadline;
            let newest = self.metadata.announced_version();
            let ended = match open.place {
                Place::Result(result) => manager.take_ended(result),
                Place::Metadata { version } if newest > version => Some(Ok(())),
                Place::Metadata { .. } if self.activity == crate::sender::Activity::Ended => {
                    Some(Err(SendError::ProducerClosed))
                }
                Place::Metadata { .. } => None,
            };
            if ended.is_none() && !is_late {
                index += 1;
                continue;
            }
            let open = manager.open_calls.remove(index);
            self.calls_going_on -= 1;
            self.wake(ctx, open, ended.unwrap_or(Err(SendError::CallTimeout)));
        }
    }

    fn wake(&mut self, ctx: &mut Ctx<'_, '_>, open: OpenCall, ended: Ended) {
        let OpenCall { who, place, deadline } = open;
        match place {
            Place::Metadata { .. } if ended.is_ok() => self.send_offsets(ctx, who, deadline),
            Place::Metadata { .. } => self.return_from(ctx, &who, ended),
            Place::Result(result) => {
                // What initTransactions() and its like wait for can be waited for once more.
                if who.call == TransactionCall::SendOffsets
                    && let Some(manager) = self.transactions.as_deref_mut()
                {
                    manager.forget_result(result);
                }
                self.return_from(ctx, &who, ended);
            }
        }
    }

    /// A call returns or throws.
    fn return_from(&mut self, ctx: &mut Ctx<'_, '_>, who: &Caller, ended: Ended) {
        let result = match ended {
            Ok(()) => {
                self.tell_success(ctx, who);
                Ok(())
            }
            Err(error) => Err(self.tell_thrown(ctx, who, error)),
        };
        let (thread, call) = (who.thread, who.call);
        self.completions.push(Completion::Transaction { thread, call, result });
    }

    fn tell_success(&mut self, ctx: &mut Ctx<'_, '_>, who: &Caller) {
        let session = self.session;
        let Some((manager, sequencer)) = self.transactional() else { return };
        let transaction = who.transaction;
        match who.call {
            TransactionCall::Init => {
                manager.learn_version(ctx.env.transaction_version, Known::FromTheStart);
                let transactional_id = manager.id();
                let Some(producer) = sequencer.id_and_epoch() else { return };
                ctx.turn.did(FactKind::TransactionsInitialized.set(), || {
                    Fact::TransactionsInitialized {
                        session,
                        transactional_id,
                        producer_id: producer.id,
                        producer_epoch: producer.epoch,
                    }
                });
            }
            TransactionCall::Begin => {
                let fact = || Fact::TransactionBegun { session, transaction };
                ctx.turn.did(FactKind::TransactionBegun.set(), fact);
            }
            TransactionCall::SendOffsets => {
                let Some((identity, offsets)) = &who.offsets else { return };
                for offset in offsets {
                    ctx.turn.did(FactKind::OffsetsAddedToTransaction.set(), || {
                        Fact::OffsetsAddedToTransaction {
                            session,
                            transaction,
                            group: identity.group,
                            partition: offset.partition,
                            offset: offset.offset,
                        }
                    });
                }
            }
            TransactionCall::Commit | TransactionCall::Abort => {
                manager.closed_transaction(transaction);
                let result = match who.call {
                    TransactionCall::Commit => TransactionResult::Commit,
                    _ => TransactionResult::Abort,
                };
                let fact = || Fact::TransactionEnded { session, transaction, result };
                ctx.turn.did(FactKind::TransactionEnded.set(), fact);
            }
            TransactionCall::Send => {}
        }
    }

    fn tell_thrown(&self, ctx: &mut Ctx<'_, '_>, who: &Caller, error: SendError) -> CallError {
        let session = self.session;
        let manager = self.transactions.as_deref();
        let (transaction, call) = (who.transaction, who.call);
        let state = manager.map_or(State::Uninitialized, TransactionManager::state);
        let recovery = recovery(state, call, error);
        ctx.turn.did(FactKind::TransactionCallFailed.set(), || Fact::TransactionCallFailed {
            session,
            transaction,
            call,
            error,
            recovery,
        });
        CallError { error, recovery }
    }

    // --- send() -----------------------------------------------------------------------------------

    /// A record was appended. Returns what send() throws, if the record has no place in a
    /// transaction. Kafka: the end of KafkaProducer.doSend.
    pub(crate) fn add_partition(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        thread: ThreadId,
        partition: TopicPartition,
    ) -> Option<SendError> {
        let (manager, sequencer) = self.transactional()?;
        let (added, spins) = (manager.maybe_add_partition(sequencer, partition), manager.spins);
        if spins {
            self.network.wakeup();
        }
        let mut error = added.err()?;
        let manager = self.transactions.as_deref_mut()?;
        // The two that are an ApiException come through a failed future, and are taken for a
        // failure of this record.
        if matches!(error, SendError::Code(_))
            && manager.sending_failed(ctx, Thread::Application, error).is_err()
        {
            error = SendError::IllegalState;
        }
        self.throw_from_send(ctx, thread, error);
        Some(error)
    }

    /// send() failed before it appended anything. Kafka: the ApiException of KafkaProducer.doSend.
    pub(crate) fn refused_in_transaction(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        thread: ThreadId,
        error: SendError,
    ) {
        let is_api_exception = match error {
            SendError::MetadataTimeout | SendError::BufferExhausted | SendError::RecordTooLarge => {
                true
            }
            SendError::Code(code) => {
                !matches!(code, ErrorCode::ProducerFenced | ErrorCode::InvalidProducerEpoch)
            }
            _ => false,
        };
        let Some(manager) = self.transactions.as_deref_mut().filter(|_| is_api_exception) else {
            return;
        };
        if manager.sending_failed(ctx, Thread::Application, error).is_err() {
            self.throw_from_send(ctx, thread, SendError::IllegalState);
        }
    }

    fn throw_from_send(&mut self, ctx: &mut Ctx<'_, '_>, thread: ThreadId, error: SendError) {
        let who = self.caller(thread, TransactionCall::Send);
        self.return_from(ctx, &who, Err(error));
    }
}

const fn call_of(result: TransactionResult) -> TransactionCall {
    match result {
        TransactionResult::Commit => TransactionCall::Commit,
        TransactionResult::Abort => TransactionCall::Abort,
    }
}

/// What an error leaves to the application, by where the producer is after it.
fn recovery(state: State, call: TransactionCall, error: SendError) -> Recovery {
    match (state, error) {
        (State::FatalError, _) => Recovery::Close,
        (_, SendError::ProducerClosed | SendError::ProducerClosedForcefully) => Recovery::Close,
        (_, SendError::CallTimeout) => Recovery::Retry,
        // A refused transactional id: the producer is as new.
        (State::AbortableError | State::Uninitialized, SendError::Code(_))
            if call == TransactionCall::Init =>
        {
            Recovery::Retry
        }
        (State::AbortableError, _) => Recovery::Abort,
        _ => Recovery::None,
    }
}
