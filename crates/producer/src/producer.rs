//! The producer as one machine: the sender thread, the application's calls, and what joins them.
//! Kafka: clients/producer/KafkaProducer.

use crate::accumulator::RecordAccumulator;
use crate::batch::{BatchSlot, Reports};
use crate::call::{Call, SendRequest};
use crate::env::{Ctx, Env, Streams};
use crate::metadata::ProducerMetadata;
use crate::network_client::{Answered, NetworkClient, NetworkEvent};
use crate::sender::{Activity, ProducerIdRequest, after_ms};
use crate::sequencer::Sequencer;
use crate::transaction_call::CallError;
use crate::transaction_manager::{Closing, TransactionManager};
use inflight_des::Instant;
use inflight_protocol::fact::{SendError, StopCause, TransactionCall};
use inflight_protocol::{
    BatchId, ClientId, Fact, FactKind, Incoming, Node, Offset, SessionId, ThreadId, TopicPartition,
    Turn,
};
use std::collections::VecDeque;

/// One producer object, from construction to close or crash.
#[derive(Debug)]
pub struct Producer {
    client: ClientId,
    pub(crate) session: SessionId,
    pub(crate) streams: Streams,
    pub(crate) accumulator: RecordAccumulator,
    pub(crate) sequencer: Option<Sequencer>,
    /// With a transactional id.
    pub(crate) transactions: Option<Box<TransactionManager>>,
    pub(crate) metadata: ProducerMetadata,
    pub(crate) network: NetworkClient,
    pub(crate) activity: Activity,
    pub(crate) producer_id_request: ProducerIdRequest,
    /// Batches in requests, by partition, in the order in which they were drained.
    pub(crate) in_flight_batches: Vec<VecDeque<BatchSlot>>,
    /// max.in.flight.requests.per.connection=1: partitions are muted while a batch is in flight.
    pub(crate) guarantee_message_order: bool,
    pub(crate) calls: Vec<Option<Call>>,
    /// How many threads are inside a call.
    pub(crate) calls_going_on: u32,
    pub(crate) flushes: Vec<FlushCall>,
    closing: Option<CloseCall>,
    pub(crate) running: bool,
    force_close: bool,
    pub(crate) completions: Vec<Completion>,
    pub(crate) granted: Vec<ThreadId>,
    pub(crate) answered: Vec<Answered>,
    pub(crate) expired_queued: Vec<BatchSlot>,
    pub(crate) expired_in_flight: Vec<BatchSlot>,
}

inflight_des::clone_fields!(Producer {
    client,
    session,
    streams,
    accumulator,
    sequencer,
    transactions,
    metadata,
    network,
    activity,
    producer_id_request,
    in_flight_batches,
    guarantee_message_order,
    calls,
    calls_going_on,
    flushes,
    closing,
    running,
    force_close,
    completions,
    granted,
    answered,
    expired_queued,
    expired_in_flight,
});

/// A thread inside flush(), which waits for the batches up to one of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FlushCall {
    thread: ThreadId,
    pub(crate) upto: BatchId,
    pub(crate) outstanding: u32,
}

/// A thread inside close().
#[derive(Clone, Copy, Debug)]
struct CloseCall {
    thread: ThreadId,
    deadline: Instant,
}

/// Something that the application's code gets to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completion {
    /// send() returned, for all records of the request.
    SendReturned {
        /// The thread.
        thread: ThreadId,
    },
    /// The callback or future of these records said success.
    Acked {
        /// The thread that sent them.
        thread: ThreadId,
        /// The application's number of the first.
        message: u64,
        /// How many.
        count: u32,
        /// The partition.
        partition: TopicPartition,
        /// Where the first record lies, if that is known.
        offset: Option<Offset>,
    },
    /// The callback or future of these records said failure, or send() itself did.
    Failed {
        /// The thread that sent them.
        thread: ThreadId,
        /// The application's number of the first.
        message: u64,
        /// How many.
        count: u32,
        /// Why.
        error: SendError,
    },
    /// flush() returned.
    Flushed {
        /// The thread.
        thread: ThreadId,
    },
    /// A transactional call returned or threw. A send() that threw left its record in the
    /// accumulator: what becomes of that is told as always.
    Transaction {
        /// The thread.
        thread: ThreadId,
        /// The call.
        call: TransactionCall,
        /// What was thrown, if something was.
        result: Result<(), CallError>,
    },
    /// close() returned; the producer is gone.
    Closed {
        /// The thread.
        thread: ThreadId,
    },
}

impl Producer {
    /// A new producer. Connection ids start at `next_connection`: a client process uses each once.
    pub fn new(
        env: &Env<'_>,
        client: ClientId,
        session: SessionId,
        streams: Streams,
        next_connection: u32,
    ) -> Self {
        let partitions = env.topics.partitions_in_all();
        let transactions = TransactionManager::new(env, session).map(Box::new);
        let sequencer = if transactions.is_some() {
            Some(Sequencer::transactional(partitions))
        } else {
            env.config.enable_idempotence.then(|| Sequencer::new(partitions))
        };
        Self {
            client,
            session,
            streams,
            accumulator: RecordAccumulator::new(env, session),
            sequencer,
            transactions,
            metadata: ProducerMetadata::new(env.config, env.topics, streams.metadata_backoff),
            network: NetworkClient::new(env, streams, Node::Client(client), next_connection),
            activity: Activity::Pass,
            producer_id_request: ProducerIdRequest::None,
            in_flight_batches: vec![VecDeque::new(); partitions],
            guarantee_message_order: env.config.max_in_flight_requests_per_connection == 1,
            calls: Vec::new(),
            calls_going_on: 0,
            flushes: Vec::new(),
            closing: None,
            running: true,
            force_close: false,
            completions: Vec::new(),
            granted: Vec::new(),
            answered: Vec::new(),
            expired_queued: Vec::new(),
            expired_in_flight: Vec::new(),
        }
    }

    /// Its session.
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// The constructor has returned: the sender thread runs.
    pub fn start(&mut self, env: &Env<'_>, turn: &mut Turn<'_>) {
        let (client, session) = (self.client, self.session);
        turn.did(FactKind::ProducerStarted.set(), || Fact::ProducerStarted { client, session });
        self.run(&mut Ctx::new(env, turn, self.streams));
    }

    /// An application thread sends records. [`Completion::SendReturned`] says when it may go on.
    pub fn send(&mut self, env: &Env<'_>, turn: &mut Turn<'_>, request: SendRequest) {
        let mut ctx = Ctx::new(env, turn, self.streams);
        self.begin_call(&mut ctx, request);
        self.run(&mut ctx);
    }

    /// An application thread calls flush(). Kafka: KafkaProducer.flush.
    pub fn flush(&mut self, env: &Env<'_>, turn: &mut Turn<'_>, thread: ThreadId) {
        let outstanding = self.accumulator.incomplete();
        self.network.wakeup();
        if outstanding == 0 {
            self.completions.push(Completion::Flushed { thread });
        } else {
            let next = self.accumulator.next_batch().get();
            let upto = BatchId::new(next - 1);
            self.flushes.push(FlushCall { thread, upto, outstanding });
            self.accumulator.flushes_in_progress += 1;
        }
        self.run(&mut Ctx::new(env, turn, self.streams));
    }

    /// An application thread calls close() with a timeout in milliseconds; 0 closes at once and
    /// fails what is not delivered. Kafka: KafkaProducer.close.
    pub fn close(&mut self, env: &Env<'_>, turn: &mut Turn<'_>, thread: ThreadId, timeout_ms: i64) {
        let deadline = after_ms(turn.now(), timeout_ms);
        self.closing = Some(CloseCall { thread, deadline });
        self.accumulator.closed = true;
        self.running = false;
        self.force_close = timeout_ms == 0;
        self.network.wakeup();
        let mut ctx = Ctx::new(env, turn, self.streams);
        self.drive_calls(&mut ctx);
        self.accumulator.pool.close();
        self.run(&mut ctx);
    }

    /// Something arrived from the network.
    pub fn handle(&mut self, env: &Env<'_>, turn: &mut Turn<'_>, incoming: Incoming) {
        let mut arrived = self.network.receive(incoming);
        if arrived.is_none() {
            return;
        }
        if !self.network.is_inbox_empty() || !matches!(self.activity, Activity::Poll { .. }) {
            self.network.keep(arrived.take());
        }
        self.run_with(&mut Ctx::new(env, turn, self.streams), &mut arrived);
    }

    /// Time has passed: perhaps as much as was waited for.
    pub fn handle_timeout(&mut self, env: &Env<'_>, turn: &mut Turn<'_>) {
        let mut ctx = Ctx::new(env, turn, self.streams);
        if let Some(closing) = self.closing
            && ctx.turn.now() >= closing.deadline
            && !self.force_close
        {
            self.force_close = true;
            self.network.wakeup();
        }
        self.run(&mut ctx);
    }

    /// When [`Producer::handle_timeout`] wants to be called.
    #[inline]
    pub fn next_timeout(&self) -> Option<Instant> {
        let mut earliest = self.sender_wakes();
        if self.calls_going_on > 0 {
            earliest = earliest.min(self.calls_wake());
        }
        if let Some(closing) = self.closing
            && !self.force_close
        {
            earliest = earliest.min(closing.deadline);
        }
        (earliest < Instant::NEVER).then_some(earliest)
    }

    /// What the application gets to know, in order; the list is emptied by the caller.
    pub fn completions(&mut self) -> &mut Vec<Completion> {
        &mut self.completions
    }

    /// Whether close() has finished.
    pub fn has_ended(&self) -> bool {
        self.activity == Activity::Ended
    }

    /// Whether the producer has nothing to do: no record without an outcome, no thread inside a
    /// call, no request without an answer.
    pub fn is_idle(&self) -> bool {
        self.has_ended()
            || (self.accumulator.incomplete() == 0
                && self.network.in_flight_count() == 0
                && self.calls_going_on == 0
                && self.flushes.is_empty()
                && self.closing.is_none()
                && self.transactions.as_ref().is_none_or(|manager| manager.is_idle()))
    }

    /// The id of the next connection, for the producer that takes over after a restart.
    pub fn next_connection(&self) -> u32 {
        self.network.next_connection()
    }

    /// Runs the sender and the threads until all of them are blocked.
    pub(crate) fn run(&mut self, ctx: &mut Ctx<'_, '_>) {
        self.run_with(ctx, &mut None);
    }

    fn run_with(&mut self, ctx: &mut Ctx<'_, '_>, arrived: &mut Option<NetworkEvent>) {
        loop {
            self.run_sender(ctx, arrived);
            self.drive_calls(ctx);
            if !self.network.has_work() || !matches!(self.activity, Activity::Poll { .. }) {
                return;
            }
        }
    }

    /// Whether the sender's loop is over. Kafka: the conditions of Sender.run.
    pub(crate) fn has_shut_down(&mut self, ctx: &mut Ctx<'_, '_>) -> bool {
        if self.running {
            return false;
        }
        if self.transactions.is_some() {
            return self.force_close || self.has_ended_transactions(ctx);
        }
        let busy = self.accumulator.has_undrained() || self.network.in_flight_count() > 0;
        self.force_close || !busy
    }

    /// The end of Sender.run.
    pub(crate) fn end_sender(&mut self, ctx: &mut Ctx<'_, '_>) {
        let gave_up = |manager: &TransactionManager| manager.closing == Closing::Over;
        if self.force_close || self.transactions.as_deref().is_some_and(gave_up) {
            if let Some(manager) = &mut self.transactions {
                manager.close(ctx);
            }
            self.abort_batches(ctx, SendError::ProducerClosedForcefully);
        }
        if self.transactions.is_some() {
            self.drive_transaction_calls(ctx);
        }
        self.network.close_all(ctx);
        self.activity = Activity::Ended;
        let (client, session) = (self.client, self.session);
        ctx.turn.did(FactKind::ProducerStopped.set(), || Fact::ProducerStopped {
            client,
            session,
            how: StopCause::Closed,
        });
        if let Some(closing) = self.closing.take() {
            self.completions.push(Completion::Closed { thread: closing.thread });
        }
    }

    /// Whether waits for metadata are in vain.
    pub(crate) fn network_is_closed(&self) -> bool {
        self.has_ended()
    }

    // --- the end of a batch ---------------------------------------------------------------------

    /// Kafka: ProducerBatch.completeFutureAndFireCallbacks with success.
    pub(crate) fn tell_acked(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        slot: BatchSlot,
        base_offset: Option<Offset>,
    ) {
        let batch = &self.accumulator.batches[slot];
        let partition = batch.partition;
        ctx.turn.did(FactKind::RecordsAcked.set(), || Fact::RecordsAcked {
            session: batch.records.session,
            partition,
            batch: batch.id,
            first: batch.records.first,
            count: batch.records.count,
            base_offset,
        });
        let mut offset = base_offset;
        for segment in self.accumulator.segments(slot) {
            if segment.reports == Reports::Wanted {
                self.completions.push(Completion::Acked {
                    thread: segment.thread,
                    message: segment.message,
                    count: segment.count,
                    partition,
                    offset,
                });
            }
            offset = offset.map(|offset| offset.plus(u64::from(segment.count)));
        }
    }

    /// Kafka: ProducerBatch.completeFutureAndFireCallbacks with an exception.
    pub(crate) fn tell_failed(&mut self, ctx: &mut Ctx<'_, '_>, slot: BatchSlot, error: SendError) {
        let batch = &self.accumulator.batches[slot];
        ctx.turn.did(FactKind::RecordsFailed.set(), || Fact::RecordsFailed {
            session: batch.records.session,
            partition: batch.partition,
            batch: batch.id,
            first: batch.records.first,
            count: batch.records.count,
            error,
        });
        for segment in self.accumulator.segments(slot) {
            if segment.reports == Reports::Wanted {
                self.completions.push(Completion::Failed {
                    thread: segment.thread,
                    message: segment.message,
                    count: segment.count,
                    error,
                });
            }
        }
    }

    /// A batch needs no waiting for any more.
    pub(crate) fn batch_is_over(&mut self, slot: BatchSlot) {
        if self.flushes.is_empty() {
            return;
        }
        let key = self.accumulator.batches[slot].flush_key;
        let mut flushes = std::mem::take(&mut self.flushes);
        flushes.retain_mut(|flush| {
            if key <= flush.upto {
                flush.outstanding -= 1;
            }
            if flush.outstanding == 0 {
                self.accumulator.flushes_in_progress -= 1;
                self.completions.push(Completion::Flushed { thread: flush.thread });
            }
            flush.outstanding > 0
        });
        self.flushes = flushes;
    }

    /// A finished batch that is in no request gives its memory back and is forgotten.
    pub(crate) fn release(&mut self, slot: BatchSlot) {
        self.accumulator.deallocate(slot);
        self.accumulator.forget(slot);
    }
}
