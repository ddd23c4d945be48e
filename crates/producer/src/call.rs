//! send() on the application's threads, which may block in two places.
//! Kafka: KafkaProducer.doSend, waitOnMetadata.

use crate::accumulator::{Appended, Buffer, RunToAppend};
use crate::batch::Reports;
use crate::buffer_pool::Allocation;
use crate::env::Ctx;
use crate::partitioner::{Choice, Destination, Stop};
use crate::producer::{Completion, Producer};
use crate::sender::after_ms;
use crate::sequencer::State;
use inflight_des::Instant;
use inflight_protocol::config::Partitioner;
use inflight_protocol::fact::{BlockedOn, SendError};
use inflight_protocol::record_size::RecordShape;
use inflight_protocol::{Fact, FactKind, ThreadId, Timestamp, TopicId};

/// Records alike that an application thread sends one after the other, without a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendRequest {
    /// The thread.
    pub thread: ThreadId,
    /// The topic.
    pub topic: TopicId,
    /// What each record says about its partition.
    pub destination: Destination,
    /// Key, value and headers, as far as sizes go.
    pub shape: RecordShape,
    /// The application's number of the first record; the rest count on.
    pub message: u64,
    /// How many records, at least 1.
    pub count: u32,
    /// Whether the application hears of them again.
    pub reports: Reports,
}

/// A thread inside send().
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    /// What is left to send, the current record first.
    request: SendRequest,
    /// When the current record's send() was called.
    started_ms: i64,
    blocked_since: Instant,
    place: Place,
}

/// Where a thread is inside send().
#[derive(Clone, Copy, Debug)]
enum Place {
    /// At the top: nothing done for the current record.
    Entry,
    /// Waiting for metadata newer than `version`.
    Metadata { version: u32, deadline: Instant },
    /// Waiting for buffer memory for the first record of `run`.
    Memory { run: RunToAppend, stop: Option<Stop>, deadline: Instant },
    /// It has the memory.
    Granted { run: RunToAppend, stop: Option<Stop> },
}

/// What is to be done next about a call.
enum Step {
    Again,
    Blocked,
    Returned,
}

impl Producer {
    /// Calls send() for each record of the request. The thread must not be inside another call.
    pub(crate) fn begin_call(&mut self, ctx: &mut Ctx<'_, '_>, request: SendRequest) {
        let thread = request.thread.index();
        if self.calls.len() <= thread {
            self.calls.resize(thread + 1, None);
        }
        assert!(self.calls[thread].is_none(), "a thread is inside one send() at a time");
        self.calls_going_on += 1;
        self.calls[thread] = Some(Call {
            request,
            started_ms: ctx.now_ms,
            blocked_since: ctx.turn.now(),
            place: Place::Entry,
        });
        self.drive_call(ctx, thread);
    }

    /// Lets every blocked thread look whether its wait is over.
    #[inline]
    pub(crate) fn drive_calls(&mut self, ctx: &mut Ctx<'_, '_>) {
        if self.calls_going_on > 0 {
            self.drive_each_call(ctx);
        }
    }

    fn drive_each_call(&mut self, ctx: &mut Ctx<'_, '_>) {
        let mut thread = 0;
        while thread < self.calls.len() {
            let mut granted = std::mem::take(&mut self.granted);
            self.accumulator.pool.resume(&mut granted);
            for thread in granted.drain(..) {
                if let Some(call) = &mut self.calls[thread.index()]
                    && let Place::Memory { run, stop, .. } = call.place
                {
                    call.place = Place::Granted { run, stop };
                }
            }
            self.granted = granted;
            if self.calls[thread].is_some() {
                self.drive_call(ctx, thread);
            }
            // Whoever got a signal looks before anybody's time is up.
            thread = if self.accumulator.pool.is_signalled() { 0 } else { thread + 1 };
        }
        if self.transactions.is_some() {
            self.drive_transaction_calls(ctx);
        }
    }

    /// When the first blocked thread gives up.
    pub(crate) fn calls_wake(&self) -> Instant {
        self.calls
            .iter()
            .flatten()
            .filter_map(|call| match call.place {
                Place::Metadata { deadline, .. } | Place::Memory { deadline, .. } => Some(deadline),
                Place::Entry | Place::Granted { .. } => None,
            })
            .chain(self.transactions.as_ref().and_then(|manager| manager.calls_wake()))
            .min()
            .unwrap_or(Instant::NEVER)
    }

    /// Goes on with a thread's call until it blocks or returns.
    fn drive_call(&mut self, ctx: &mut Ctx<'_, '_>, thread: usize) {
        while let Some(call) = self.calls[thread] {
            let step = match call.place {
                Place::Entry => self.enter(ctx, thread, call),
                Place::Metadata { version, deadline } => {
                    self.wait_for_metadata(ctx, thread, call, version, deadline)
                }
                Place::Memory { deadline, .. } => self.wait_for_memory(ctx, call, deadline),
                Place::Granted { run, stop } => {
                    self.tell_returned(ctx, &call);
                    let call = Call { place: Place::Entry, ..call };
                    self.append(ctx, thread, call, run, Buffer::For(stop))
                }
            };
            match step {
                Step::Again => {}
                Step::Blocked => return,
                Step::Returned => {
                    self.calls[thread] = None;
                    self.calls_going_on -= 1;
                    let thread = call.request.thread;
                    self.completions.push(Completion::SendReturned { thread });
                }
            }
        }
    }

    fn set_place(&mut self, thread: usize, place: Place) {
        if let Some(call) = &mut self.calls[thread] {
            call.place = place;
        }
    }

    /// The top of send(): closed? metadata there?
    fn enter(&mut self, ctx: &mut Ctx<'_, '_>, thread: usize, call: Call) -> Step {
        if !self.running {
            return self.refuse(ctx, thread, call, call.request.count, SendError::ProducerClosed);
        }
        if let Some(call) = &mut self.calls[thread] {
            call.started_ms = ctx.now_ms;
        }
        self.metadata.add(call.request.topic, ctx.now_ms);
        if self.has_metadata(ctx, &call.request) {
            return self.place_records(ctx, thread, call, ctx.now_ms, ctx.env.config.max_block_ms);
        }
        self.tell_blocked(ctx, thread, BlockedOn::Metadata);
        self.await_metadata(ctx, thread, ctx.env.config.max_block_ms)
    }

    /// Whether the topic is known, and the partition if the record names one.
    fn has_metadata(&self, ctx: &Ctx<'_, '_>, request: &SendRequest) -> bool {
        let count = self.metadata.partition_count(ctx.env.topics, request.topic);
        count.is_some_and(|count| match request.destination {
            Destination::Partition(number) => number < count,
            Destination::Key { .. } | Destination::Any => true,
        })
    }

    fn await_metadata(&mut self, ctx: &mut Ctx<'_, '_>, thread: usize, left_ms: i64) -> Step {
        let Some(call) = self.calls[thread] else { return Step::Returned };
        self.metadata.add(call.request.topic, ctx.now_ms);
        let version = self.metadata.request_update_for_topic(call.request.topic);
        self.network.wakeup();
        let deadline = after_ms(ctx.turn.now(), left_ms);
        self.set_place(thread, Place::Metadata { version, deadline });
        Step::Again
    }

    fn wait_for_metadata(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        thread: usize,
        call: Call,
        version: u32,
        deadline: Instant,
    ) -> Step {
        let max_block_ms = ctx.env.config.max_block_ms;
        let elapsed_ms = ctx.now_ms - call.started_ms;
        let newer = self.metadata.announced_version() > version;
        if self.network_is_closed() {
            return self.refuse(ctx, thread, call, call.request.count, SendError::ProducerClosed);
        }
        if !newer && ctx.turn.now() < deadline {
            return Step::Blocked;
        }
        if !newer || elapsed_ms >= max_block_ms {
            return self.refuse(ctx, thread, call, 1, SendError::MetadataTimeout);
        }
        if let Some(error) = self.metadata.topic_error(call.request.topic)
            && !error.is_retriable()
        {
            return self.refuse(ctx, thread, call, 1, SendError::Code(error));
        }
        if !self.has_metadata(ctx, &call.request) {
            return self.await_metadata(ctx, thread, max_block_ms - elapsed_ms);
        }
        self.tell_returned(ctx, &call);
        let call = Call { place: Place::Entry, ..call };
        let now_ms = call.started_ms + elapsed_ms;
        self.place_records(ctx, thread, call, now_ms, max_block_ms - elapsed_ms)
    }

    /// Chooses the partition and appends. `now_ms` becomes the records' timestamp.
    fn place_records(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        thread: usize,
        call: Call,
        now_ms: i64,
        remaining_ms: i64,
    ) -> Step {
        let request = call.request;
        let config = ctx.env.config;
        let choice =
            self.accumulator.choose(ctx, &self.metadata, request.topic, request.destination);
        // A round robin chooses for each record; everything else chooses alike.
        let one_by_one =
            matches!(choice, Choice::Fixed(_)) && config.partitioner == Partitioner::RoundRobin;
        let count = if one_by_one { 1 } else { request.count };
        let bound = request.shape.upper_bound();
        if bound > config.max_request_size || u64::from(bound) > config.buffer_memory {
            return self.refuse(ctx, thread, call, count, SendError::RecordTooLarge);
        }
        let run = RunToAppend {
            topic: request.topic,
            choice,
            shape: request.shape,
            timestamp: Timestamp::new(now_ms),
            message: request.message,
            count,
            thread: request.thread,
            reports: request.reports,
        };
        // What is left of max.block.ms counts from here.
        if let Some(call) = &mut self.calls[thread] {
            call.started_ms = ctx.now_ms - (config.max_block_ms - remaining_ms);
        }
        self.append(ctx, thread, call, run, Buffer::None)
    }

    fn append(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        thread: usize,
        call: Call,
        run: RunToAppend,
        mut buffer: Buffer,
    ) -> Step {
        if self.accumulator.closed {
            return self.refuse(ctx, thread, call, call.request.count, SendError::ProducerClosed);
        }
        let mut run = run;
        if self.transactions.as_ref().is_some_and(|manager| !manager.takes_records()) {
            // The first one is appended, and then send() throws.
            run.count = 1;
        }
        loop {
            match self.accumulator.append(ctx, &self.metadata, run, buffer) {
                Appended::Records { count, partition, wake, used_buffer } => {
                    if buffer != Buffer::None && !used_buffer {
                        let size = run.shape.upper_bound().max(ctx.env.config.batch_size);
                        self.accumulator.pool.deallocate(size);
                    }
                    if self.transactions.is_some()
                        && let Some(error) = self.add_partition(ctx, call.request.thread, partition)
                    {
                        return self.end_call(ctx, thread, count, error);
                    }
                    // In a fatal state send() throws before it would wake the sender, though its
                    // record is appended. Kafka: TransactionManager.maybeAddPartition.
                    if wake && !self.is_in_fatal_state() {
                        self.network.wakeup();
                    }
                    return self.next_record(thread, count);
                }
                Appended::NeedsMemory { size, stop } => {
                    match self.accumulator.pool.allocate(call.request.thread, size) {
                        Allocation::Granted => buffer = Buffer::For(stop),
                        Allocation::Impossible => {
                            let error = SendError::BatchLargerThanMemory;
                            return self.refuse(ctx, thread, call, call.request.count, error);
                        }
                        Allocation::Waiting => {
                            self.tell_blocked(ctx, thread, BlockedOn::Memory);
                            // The sender finds every batch ready as long as somebody waits, but
                            // nothing wakes it: it finds out at its next pass.
                            let started_ms = self.calls[thread].map_or(0, |call| call.started_ms);
                            let left_ms = ctx.env.config.max_block_ms - (ctx.now_ms - started_ms);
                            let deadline = after_ms(ctx.turn.now(), left_ms.max(0));
                            self.set_place(thread, Place::Memory { run, stop, deadline });
                            return Step::Again;
                        }
                    }
                }
            }
        }
    }

    fn is_in_fatal_state(&self) -> bool {
        self.sequencer.as_ref().is_some_and(|sequencer| sequencer.state() == State::FatalError)
    }

    fn wait_for_memory(&mut self, ctx: &mut Ctx<'_, '_>, call: Call, deadline: Instant) -> Step {
        let thread = call.request.thread;
        if self.accumulator.closed {
            let count = call.request.count;
            return self.refuse(ctx, thread.index(), call, count, SendError::ProducerClosed);
        }
        if ctx.turn.now() < deadline {
            return Step::Blocked;
        }
        self.accumulator.pool.give_up(thread);
        self.refuse(ctx, thread.index(), call, 1, SendError::BufferExhausted)
    }

    /// The first `count` records of the call are done with.
    fn next_record(&mut self, thread: usize, count: u32) -> Step {
        let Some(call) = &mut self.calls[thread] else { return Step::Returned };
        call.request.count -= count;
        call.request.message += u64::from(count);
        call.place = Place::Entry;
        if call.request.count == 0 { Step::Returned } else { Step::Again }
    }

    /// The first `count` records of the call never enter the accumulator.
    fn refuse(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        thread: usize,
        call: Call,
        count: u32,
        error: SendError,
    ) -> Step {
        let session = self.session;
        let SendRequest { thread: id, message, .. } = call.request;
        if !matches!(call.place, Place::Entry) {
            self.tell_returned(ctx, &call);
        }
        ctx.turn.did(FactKind::SendRefused.set(), || Fact::SendRefused {
            session,
            thread: id,
            message,
            count,
            error,
        });
        if call.request.reports == Reports::Wanted {
            self.completions.push(Completion::Failed { thread: id, message, count, error });
        }
        if self.transactions.is_some() {
            self.refused_in_transaction(ctx, id, error);
        }
        self.next_record(thread, count)
    }

    /// send() threw after it had appended `count` records: the application's loop is over, and the
    /// rest of its records is never sent.
    fn end_call(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        thread: usize,
        count: u32,
        error: SendError,
    ) -> Step {
        let step = self.next_record(thread, count);
        match self.calls[thread] {
            Some(call) if call.request.count > 0 => {
                self.refuse(ctx, thread, call, call.request.count, error)
            }
            _ => step,
        }
    }

    fn tell_blocked(&mut self, ctx: &mut Ctx<'_, '_>, thread: usize, on: BlockedOn) {
        let session = self.session;
        let Some(call) = &mut self.calls[thread] else { return };
        call.blocked_since = ctx.turn.now();
        let thread = call.request.thread;
        ctx.turn.did(FactKind::SendBlocked.set(), || Fact::SendBlocked { session, thread, on });
    }

    fn tell_returned(&self, ctx: &mut Ctx<'_, '_>, call: &Call) {
        let session = self.session;
        let (thread, waited) = (call.request.thread, ctx.turn.now().since(call.blocked_since));
        ctx.turn.did(FactKind::SendReturned.set(), || Fact::SendReturned {
            session,
            thread,
            waited,
        });
    }
}
