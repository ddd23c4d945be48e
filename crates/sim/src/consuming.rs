//! The application around a consumer: it polls, does something with the records, and commits.
//!
//! This is the state; [`crate::world`] moves it, since every step is a call of a machine.

use crate::setup::{AfterAbort, ConsumerSetup, OffsetsBy, Work};
use inflight_des::{Chance, Delay, Instant, Span, StreamId};
use inflight_protocol::config::GroupProtocol;
use inflight_protocol::fact::{Recovery, SendError};
use inflight_protocol::transaction::CommittedOffset;
use inflight_protocol::{ErrorCode, Offset, SessionId, TopicPartition, TransactionResult};
use smallvec::SmallVec;
use std::collections::VecDeque;

/// Records that poll() returned, all of one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Returned {
    pub(crate) partition: TopicPartition,
    pub(crate) base_offset: Offset,
    pub(crate) count: u32,
    pub(crate) session: SessionId,
    pub(crate) first: u64,
}

/// Offsets to read from, by partition.
pub(crate) type Offsets = SmallVec<[(TopicPartition, Offset); 2]>;

/// What ConsumerRecords.nextOffsets() says: what is behind what a poll() returned.
pub(crate) type NextOffsets = SmallVec<[CommittedOffset; 2]>;

/// The application's thread.
#[derive(Debug)]
pub(crate) struct Consuming {
    stage: Stage,
    /// Whether the thread is inside a call.
    in_call: bool,
    /// What is left of the records of the last poll().
    records: VecDeque<Returned>,
    /// Where the records of the last poll() begin.
    from: Offsets,
    /// What is to be read after them.
    next: NextOffsets,
    /// How many transactions are over for good.
    number: u32,
    next_message: u64,
    /// When an event for this thread is due, if there is one.
    scheduled: Option<Instant>,
    pace: StreamId,
}

inflight_des::clone_fields!(Consuming {
    stage,
    in_call,
    records,
    from,
    next,
    number,
    next_message,
    scheduled,
    pace,
});

/// Where the thread is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The process is not there.
    Dead,
    /// It begins at that time.
    Starting(Instant),
    /// initTransactions() comes first.
    Initializing,
    /// subscribe() or assign() comes next.
    Subscribes,
    /// About to poll, or inside poll().
    Polls,
    /// commitSync() comes before the records.
    CommitsFirst,
    /// The first of the records takes until then.
    Processing(Instant),
    /// beginTransaction() comes before the records.
    Begins,
    /// The messages of the records are sent, one run after the other.
    Sending,
    /// flush() comes before the commit.
    Flushing,
    /// The offsets go into the transaction.
    SendsOffsets,
    /// It waits with the commit until then.
    Holding(Instant),
    /// The transaction ends.
    Ending(TransactionResult),
    /// The transaction has failed.
    AbortsFailed,
    /// commitSync() comes after the records.
    CommitsLast,
    /// The consumer or its producer cannot be used any more.
    Fatal,
}

/// What the thread does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ConsumerStep {
    /// subscribe() or assign()
    Subscribe,
    /// poll()
    Poll,
    /// Waits, for which an event is to be scheduled.
    WaitUntil(Instant),
    /// Waits for something that comes by itself.
    Listen,
    /// These records have had their effect.
    Process(Returned),
    /// A message is made of each of these records, numbered from here.
    Send(Returned, u64),
    /// flush()
    Flush,
    /// commitSync() of all that was returned
    CommitSync,
    /// commitAsync() of all that was returned
    CommitAsync,
    /// initTransactions()
    Init,
    /// beginTransaction()
    Begin,
    /// sendOffsetsToTransaction()
    SendOffsets(NextOffsets),
    /// commitTransaction() or abortTransaction()
    End(TransactionResult),
    /// The process ends.
    Stop,
}

impl Consuming {
    pub(crate) fn new(name: &str, chance: &mut Chance) -> Self {
        Self {
            stage: Stage::Dead,
            in_call: false,
            records: VecDeque::new(),
            from: SmallVec::new(),
            next: SmallVec::new(),
            number: 0,
            next_message: 0,
            scheduled: None,
            pace: chance.stream(&format!("{name} processing")),
        }
    }

    /// The process starts at `now`, and the thread with it or later.
    pub(crate) fn start(&mut self, setup: &ConsumerSetup, now: Instant) {
        self.stage = Stage::Starting(now.max(Instant::START + setup.start));
    }

    /// The process is gone.
    pub(crate) fn crash(&mut self) {
        self.stage = Stage::Dead;
        self.in_call = false;
        self.records.clear();
        self.scheduled = None;
    }

    /// Whether the thread has records in its hands, or something to commit.
    pub(crate) fn is_busy(&self) -> bool {
        !matches!(self.stage, Stage::Dead | Stage::Polls)
    }

    /// Whether there is a thread.
    pub(crate) fn is_alive(&self) -> bool {
        self.stage != Stage::Dead
    }

    /// What the thread does next, unless it is inside a call.
    pub(crate) fn next_step(
        &mut self,
        setup: &ConsumerSetup,
        is_transactional: bool,
        now: Instant,
        chance: &mut Chance,
    ) -> ConsumerStep {
        if self.in_call {
            return ConsumerStep::Listen;
        }
        let step = self.step(setup, is_transactional, now, chance);
        self.in_call = match step {
            ConsumerStep::Poll
            | ConsumerStep::Send(..)
            | ConsumerStep::Flush
            | ConsumerStep::CommitSync
            | ConsumerStep::Init
            | ConsumerStep::Begin
            | ConsumerStep::SendOffsets(_)
            | ConsumerStep::End(_) => true,
            ConsumerStep::Subscribe
            | ConsumerStep::WaitUntil(_)
            | ConsumerStep::Listen
            | ConsumerStep::Process(_)
            | ConsumerStep::CommitAsync
            | ConsumerStep::Stop => false,
        };
        step
    }

    fn step(
        &mut self,
        setup: &ConsumerSetup,
        is_transactional: bool,
        now: Instant,
        chance: &mut Chance,
    ) -> ConsumerStep {
        match self.stage {
            Stage::Dead => ConsumerStep::Listen,
            Stage::Starting(at) if now < at => self.wait_until(at),
            Stage::Starting(_) if is_transactional => {
                self.stage = Stage::Initializing;
                ConsumerStep::Init
            }
            Stage::Starting(_) | Stage::Subscribes => {
                self.stage = Stage::Polls;
                ConsumerStep::Subscribe
            }
            Stage::Polls => ConsumerStep::Poll,
            Stage::Initializing => ConsumerStep::Init,
            Stage::CommitsFirst | Stage::CommitsLast => ConsumerStep::CommitSync,
            Stage::Processing(until) if now < until => self.wait_until(until),
            Stage::Processing(_) => self.process(setup, now, chance),
            Stage::Begins => ConsumerStep::Begin,
            Stage::Sending => self.send(setup),
            Stage::Flushing => ConsumerStep::Flush,
            Stage::SendsOffsets => ConsumerStep::SendOffsets(self.next.clone()),
            Stage::Holding(until) if now < until => self.wait_until(until),
            Stage::Holding(_) => self.end(setup),
            Stage::Ending(result) => ConsumerStep::End(result),
            Stage::AbortsFailed => ConsumerStep::End(TransactionResult::Abort),
            Stage::Fatal => ConsumerStep::Stop,
        }
    }

    /// Waits, with one event for one instant.
    fn wait_until(&mut self, at: Instant) -> ConsumerStep {
        if self.scheduled == Some(at) {
            return ConsumerStep::Listen;
        }
        self.scheduled = Some(at);
        ConsumerStep::WaitUntil(at)
    }

    // --- what calls return ----------------------------------------------------------------------

    /// poll() has returned; what is to be read after its records.
    pub(crate) fn polled(
        &mut self,
        setup: &ConsumerSetup,
        is_transactional: bool,
        records: impl IntoIterator<Item = Returned>,
        next: impl IntoIterator<Item = CommittedOffset>,
        now: Instant,
        chance: &mut Chance,
    ) {
        self.in_call = false;
        self.records.clear();
        self.records.extend(records);
        self.from.clear();
        for returned in &self.records {
            if !self.from.iter().any(|(known, _)| *known == returned.partition) {
                self.from.push((returned.partition, returned.base_offset));
            }
        }
        self.next.clear();
        self.next.extend(next);
        let is_next = |of: TopicPartition| self.next.iter().any(|next| next.partition == of);
        debug_assert!(
            setup.group.is_none() || self.from.iter().all(|(partition, _)| is_next(*partition)),
            "whoever has records knows what is behind them",
        );
        self.stage = if self.records.is_empty() {
            Stage::Polls
        } else {
            match &setup.work {
                Work::Read => Stage::Polls,
                Work::CommitThenProcess => Stage::CommitsFirst,
                Work::ProcessThenCommit | Work::ProcessThenCommitAsync | Work::AutoCommit => {
                    self.takes_up(setup, now, chance)
                }
                Work::Transform(_) if is_transactional => Stage::Begins,
                Work::Transform(_) => Stage::Sending,
            }
        };
    }

    /// The first of the records is taken up.
    fn takes_up(&self, setup: &ConsumerSetup, now: Instant, chance: &mut Chance) -> Stage {
        Stage::Processing(now + chance.delay(self.pace, &setup.processing))
    }

    /// The first of the records has had its effect; all of its run if that takes no time.
    fn process(
        &mut self,
        setup: &ConsumerSetup,
        now: Instant,
        chance: &mut Chance,
    ) -> ConsumerStep {
        let Some(run) = self.records.pop_front() else {
            self.stage = Stage::Polls;
            match setup.work {
                Work::ProcessThenCommit => self.stage = Stage::CommitsLast,
                Work::ProcessThenCommitAsync => return ConsumerStep::CommitAsync,
                Work::Read | Work::CommitThenProcess | Work::AutoCommit | Work::Transform(_) => {}
            }
            return self.step(setup, false, now, chance);
        };
        let takes_time = setup.processing != Delay::Constant(Span::ZERO);
        let count = if takes_time { 1 } else { run.count };
        if count < run.count {
            self.records.push_front(Returned {
                base_offset: run.base_offset.plus(u64::from(count)),
                count: run.count - count,
                first: run.first + u64::from(count),
                ..run
            });
        }
        self.stage = if self.records.is_empty() {
            Stage::Processing(now)
        } else {
            self.takes_up(setup, now, chance)
        };
        ConsumerStep::Process(Returned { count, ..run })
    }

    /// The messages of the next run, or what comes after the last one.
    fn send(&mut self, setup: &ConsumerSetup) -> ConsumerStep {
        if let Some(run) = self.records.pop_front() {
            let message = self.next_message;
            self.next_message += u64::from(run.count);
            return ConsumerStep::Send(run, message);
        }
        let offsets = match &setup.work {
            Work::Transform(plan) => plan.offsets,
            _ => OffsetsBy::CommitSync,
        };
        match offsets {
            OffsetsBy::CommitSync => {
                self.stage = Stage::Flushing;
                ConsumerStep::Flush
            }
            OffsetsBy::GroupMetadata | OffsetsBy::GroupName => {
                self.stage = Stage::SendsOffsets;
                ConsumerStep::SendOffsets(self.next.clone())
            }
        }
    }

    fn end(&mut self, setup: &ConsumerSetup) -> ConsumerStep {
        let aborts = match &setup.work {
            Work::Transform(plan) => plan.aborts.include(self.number),
            _ => false,
        };
        let result = if aborts { TransactionResult::Abort } else { TransactionResult::Commit };
        self.stage = Stage::Ending(result);
        ConsumerStep::End(result)
    }

    /// send() of all messages of a run has returned, or flush().
    pub(crate) fn sent(&mut self, setup: &ConsumerSetup, is_transactional: bool, now: Instant) {
        self.in_call = false;
        if self.stage == Stage::Flushing {
            self.stage = match &setup.work {
                // The transaction ends before the consumer commits by itself.
                Work::Transform(plan) if is_transactional => Stage::Holding(now + plan.hold),
                _ => Stage::CommitsLast,
            };
        }
    }

    /// commitSync() has returned or thrown. An application whose commit came too late goes on:
    /// somebody else does the work again. One whose group is rebalancing goes on as well, since
    /// poll() completes the rebalance and a later commit is behind what it holds now; if it has
    /// not done its work yet, it goes back to where its records begin, which is returned. With the
    /// consumer protocol nobody throws that: the code is as unexpected as any other.
    /// Kafka: KafkaConsumer.commitSync, RebalanceInProgressException.
    pub(crate) fn committed(
        &mut self,
        setup: &ConsumerSetup,
        result: Result<(), SendError>,
        now: Instant,
        chance: &mut Chance,
    ) -> Option<Offsets> {
        const REBALANCING: SendError = SendError::Code(ErrorCode::RebalanceInProgress);
        self.in_call = false;
        let mut back = None;
        let is_classic = setup.config.group_protocol == GroupProtocol::Classic;
        self.stage = match (self.stage, result) {
            (Stage::CommitsFirst, Ok(())) => self.takes_up(setup, now, chance),
            (stage, Err(REBALANCING)) if is_classic => {
                back = (stage == Stage::CommitsFirst).then(|| self.from.clone());
                Stage::Polls
            }
            (_, Ok(()) | Err(SendError::CommitFailed)) => Stage::Polls,
            (_, Err(_)) => Stage::Fatal,
        };
        back
    }

    /// A transactional call has returned or thrown. What is to be done with the position, if
    /// anything is.
    pub(crate) fn transactional_call_returned(
        &mut self,
        setup: &ConsumerSetup,
        result: Result<(), (SendError, Recovery)>,
        now: Instant,
    ) -> Option<Offsets> {
        self.in_call = false;
        let Work::Transform(plan) = &setup.work else { return None };
        self.stage = match (self.stage, result) {
            (_, Err((_, Recovery::Close | Recovery::None))) => Stage::Fatal,
            (stage, Err((_, Recovery::Retry))) => stage,
            (Stage::Initializing, Err(_)) => Stage::Fatal,
            (_, Err((_, Recovery::Abort))) => Stage::AbortsFailed,
            (Stage::Initializing, Ok(())) => Stage::Subscribes,
            (Stage::Begins, Ok(())) => Stage::Sending,
            (Stage::SendsOffsets, Ok(())) => Stage::Holding(now + plan.hold),
            (Stage::Ending(TransactionResult::Commit), Ok(())) => {
                self.number += 1;
                match plan.offsets {
                    OffsetsBy::CommitSync => Stage::CommitsLast,
                    OffsetsBy::GroupMetadata | OffsetsBy::GroupName => Stage::Polls,
                }
            }
            (Stage::AbortsFailed | Stage::Ending(TransactionResult::Abort), Ok(())) => {
                if self.stage != Stage::AbortsFailed {
                    self.number += 1;
                }
                self.records.clear();
                self.stage = Stage::Polls;
                let rewinds = plan.after_abort == AfterAbort::Rewind;
                return rewinds.then(|| self.from.clone());
            }
            (stage, Ok(())) => stage,
        };
        None
    }

    /// A message was not delivered, or a call threw something that cannot be mended.
    pub(crate) fn failed(&mut self) {
        self.in_call = false;
        self.stage = Stage::Fatal;
    }
}
