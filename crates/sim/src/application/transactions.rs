//! A thread that puts its messages into transactions, as the documentation of KafkaProducer tells
//! applications to do it: a fatal error ends the producer, any other one aborts the transaction.

use super::{Sent, Thread};
use crate::setup::{OnFailure, ThreadSetup, TransactionSetup};
use inflight_des::Instant;
use inflight_protocol::fact::{Recovery, SendError, TransactionCall};

/// Where a thread is with its transactions.
#[derive(Clone, Debug, Default)]
pub(super) struct Transacting {
    stage: Stage,
    /// The messages of the open transaction.
    inside: Vec<Sent>,
    /// How many of them the transaction is to have in all, once that is known to be less than
    /// usual.
    count: u32,
    /// How many transactions are over for good.
    number: u32,
    /// Whether get() told an error about a message of the open transaction.
    has_failed: bool,
}

/// Where a thread is between its calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// initTransactions() has not returned.
    #[default]
    Uninitialized,
    /// No transaction is open.
    Between,
    /// A transaction is open and gets its messages.
    Open,
    /// All messages are sent; it ends at that time.
    Holding(Instant),
    /// commitTransaction() has not returned.
    Committing,
    /// abortTransaction() has not returned.
    Aborting(Why),
    /// The producer cannot be used any more.
    Fatal,
}

/// Why a transaction is aborted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// The application wanted it so.
    Planned,
    /// Something failed.
    Failed,
}

/// What a transactional thread does before it sends anything more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// Nothing: it goes on as any other thread.
    Go,
    /// A transactional call.
    Call(TransactionCall),
    /// It waits.
    WaitUntil(Instant),
    /// It has nothing left to do.
    Finish,
}

impl Transacting {
    /// What comes before the next message. `more` says whether there is one, now or later, and
    /// `ready` whether it can be sent now.
    pub(super) fn before(
        &mut self,
        setup: &TransactionSetup,
        now: Instant,
        more: bool,
        ready: bool,
    ) -> Before {
        match self.stage {
            // Not before it is to begin.
            Stage::Uninitialized if more && !ready => Before::Go,
            Stage::Uninitialized => Before::Call(TransactionCall::Init),
            Stage::Between if !more => Before::Finish,
            Stage::Between if ready => Before::Call(TransactionCall::Begin),
            Stage::Between => Before::Go,
            Stage::Open if self.has_failed => self.abort(Why::Failed),
            Stage::Open if more && self.count < setup.messages => Before::Go,
            Stage::Open => {
                self.stage = Stage::Holding(now + setup.hold);
                self.before(setup, now, more, ready)
            }
            Stage::Holding(until) if now < until => Before::WaitUntil(until),
            Stage::Holding(_) if setup.aborts.include(self.number) => self.abort(Why::Planned),
            Stage::Holding(_) | Stage::Committing => {
                self.stage = Stage::Committing;
                Before::Call(TransactionCall::Commit)
            }
            Stage::Aborting(why) => self.abort(why),
            Stage::Fatal => Before::Finish,
        }
    }

    fn abort(&mut self, why: Why) -> Before {
        self.stage = Stage::Aborting(why);
        Before::Call(TransactionCall::Abort)
    }

    /// Messages go into the open transaction.
    pub(super) fn takes(&mut self, sent: Sent) {
        self.count += sent.count;
        self.inside.push(sent);
    }

    /// How many more messages the open transaction takes.
    pub(super) fn room(&self, setup: &TransactionSetup) -> u32 {
        setup.messages.saturating_sub(self.count).max(1)
    }

    /// get() told an error.
    pub(super) fn message_failed(&mut self) {
        self.has_failed = true;
    }

    /// Whether the producer cannot be used any more.
    pub(super) fn is_fatal(&self) -> bool {
        self.stage == Stage::Fatal
    }

    /// A call has returned or thrown. Returns the messages that are to be sent again.
    pub(super) fn returned(
        &mut self,
        setup: &TransactionSetup,
        result: Result<(), (SendError, Recovery)>,
    ) -> Vec<Sent> {
        match (self.stage, result) {
            (_, Err((_, Recovery::Close | Recovery::None))) => {
                self.stage = Stage::Fatal;
                Vec::new()
            }
            // The same call again.
            (_, Err((_, Recovery::Retry))) => Vec::new(),
            (Stage::Uninitialized, Err((_, Recovery::Abort))) => {
                self.stage = Stage::Fatal;
                Vec::new()
            }
            (_, Err((_, Recovery::Abort))) => {
                self.abort(Why::Failed);
                Vec::new()
            }
            (Stage::Uninitialized, Ok(())) => {
                self.stage = Stage::Between;
                Vec::new()
            }
            (Stage::Between, Ok(())) => {
                self.stage = Stage::Open;
                self.count = 0;
                self.has_failed = false;
                self.inside.clear();
                Vec::new()
            }
            (Stage::Aborting(Why::Failed), Ok(())) => {
                self.stage = Stage::Between;
                let inside = std::mem::take(&mut self.inside);
                let OnFailure::Repeat { times } = setup.on_failure else {
                    self.number += 1;
                    return Vec::new();
                };
                let repeated = inside.into_iter().filter(|sent| sent.resends < times);
                repeated.map(|sent| Sent { resends: sent.resends + 1, ..sent }).collect()
            }
            (Stage::Committing | Stage::Aborting(Why::Planned), Ok(())) => {
                self.stage = Stage::Between;
                self.number += 1;
                self.inside.clear();
                Vec::new()
            }
            (Stage::Open | Stage::Holding(_) | Stage::Fatal, Ok(())) => Vec::new(),
        }
    }

    /// The process is gone. Returns the messages whose transaction was not told to be committed.
    pub(super) fn crash(&mut self) -> Vec<Sent> {
        self.stage = Stage::Uninitialized;
        (self.count, self.has_failed) = (0, false);
        std::mem::take(&mut self.inside)
    }
}

impl Thread {
    /// What a transactional thread does before it sends anything more.
    pub(super) fn before_next(&mut self, setup: &ThreadSetup, now: Instant) -> Before {
        let (Some(plan), Some(own)) = (&setup.transactions, &mut self.transacting) else {
            return Before::Go;
        };
        let unsent = self.sent < setup.messages;
        let more = !self.again.is_empty() || self.burst_left > 0 || unsent;
        let due = unsent && now >= self.next_due;
        let ready = !self.again.is_empty() || self.burst_left > 0 || due;
        own.before(plan, now, more, ready)
    }
}
