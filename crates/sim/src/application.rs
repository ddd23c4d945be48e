//! The application's threads: what they send, when, and what they make of the outcome.
//!
//! This is the state; [`crate::world`] moves it, since every step is a call of the producer.

use crate::setup::{ClientSetup, Content, OnError, Resume, Style, ThreadSetup};
use inflight_des::{Chance, Instant, StreamId};
use inflight_producer::{Completion, Destination, Reports, SendRequest};
use inflight_protocol::ThreadId;
use inflight_protocol::fact::{Recovery, SendError, TransactionCall};
use inflight_protocol::record_size::RecordShape;
use std::collections::VecDeque;
use transactions::{Before, Transacting};

mod transactions;

/// The threads of one client process.
#[derive(Debug)]
pub(crate) struct Application {
    pub(crate) threads: Vec<Thread>,
    next_message: u64,
}

inflight_des::clone_fields!(Application { threads, next_message });

/// One application thread.
#[derive(Debug)]
pub(crate) struct Thread {
    pub(crate) place: Place,
    /// How many of its messages it has given to send() for the first time.
    sent: u64,
    /// What is left of the burst that has begun.
    burst_left: u32,
    /// When the next burst is due.
    next_due: Instant,
    /// When an event for this thread is due, if there is one.
    scheduled: Option<Instant>,
    /// Messages to send again.
    again: VecDeque<Sent>,
    /// Messages whose outcome the thread waits to hear of, if it does.
    open: VecDeque<Sent>,
    pace: StreamId,
    keys: StreamId,
    reports: Reports,
    /// Where it is with its transactions, if it makes any.
    transacting: Option<Transacting>,
}

inflight_des::clone_fields!(Thread {
    place,
    sent,
    burst_left,
    next_due,
    scheduled,
    again,
    open,
    pace,
    keys,
    reports,
    transacting,
});

/// Where a thread is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Between calls.
    Free,
    /// Inside send().
    InSend,
    /// In get(), for so many records.
    InGet(u32),
    /// Inside a transactional call.
    InTransactionalCall,
    /// Inside flush().
    InFlush,
    /// Inside close().
    InClose,
    /// All its messages are sent, and their outcomes heard if it cares.
    Finished,
    /// Done for good.
    Done,
    /// The process is gone.
    Dead,
}

/// Messages alike that were given to send().
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sent {
    message: u64,
    count: u32,
    /// How many times they were sent again.
    resends: u32,
    destination: Destination,
    shape: RecordShape,
}

/// What a thread that is free does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NextStep {
    /// Sends.
    Send(SendRequest),
    /// Makes a transactional call.
    Call(TransactionCall),
    /// Waits for its next burst, for which an event is to be scheduled.
    WaitUntil(Instant),
    /// Waits for something that will come by itself.
    Listen,
    /// It has finished.
    Finish,
}

/// Whom a completion concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// A thread that may go on.
    Thread(usize),
    /// The client has done all that it had to do.
    End,
}

impl Application {
    /// `may_restart` says that the process can be started again, so that the application has to
    /// remember what it was told.
    pub(crate) fn new(setup: &ClientSetup, may_restart: bool, chance: &mut Chance) -> Self {
        let threads = setup.threads.iter().enumerate().map(|(index, thread)| Thread {
            place: Place::Dead,
            sent: 0,
            burst_left: 0,
            next_due: Instant::START + thread.start,
            scheduled: None,
            again: VecDeque::new(),
            open: VecDeque::new(),
            pace: chance.stream(&format!("{} thread {index} pace", setup.name)),
            keys: chance.stream(&format!("{} thread {index} keys", setup.name)),
            reports: if thread.style == Style::Sync
                || thread.on_error != OnError::GiveUp
                || (may_restart && setup.resume == Resume::FirstUnacked)
            {
                Reports::Wanted
            } else {
                Reports::Ignored
            },
            transacting: thread.transactions.as_ref().map(|_| Transacting::default()),
        });
        Self { threads: threads.collect(), next_message: 0 }
    }

    /// The process starts: threads that are not done begin, with what is left to them.
    pub(crate) fn start(&mut self) {
        for thread in &mut self.threads {
            if thread.place == Place::Dead {
                thread.place = Place::Free;
            }
        }
    }

    /// The process is gone. Returns how many threads were not done.
    pub(crate) fn crash(&mut self) -> u32 {
        let mut were_active = 0;
        for thread in &mut self.threads {
            if !matches!(thread.place, Place::Done | Place::Dead) {
                were_active += 1;
                thread.place = Place::Dead;
            }
            thread.burst_left = 0;
            thread.scheduled = None;
            if let Some(transacting) = &mut thread.transacting {
                // What was not committed is sent again, in the order of the messages.
                thread.open.clear();
                thread.open.extend(transacting.crash());
            }
        }
        were_active
    }

    /// The process is about to be started again. Returns how many threads have work.
    pub(crate) fn revive(&mut self, setup: &ClientSetup) -> u32 {
        let mut active = 0;
        for thread in &mut self.threads {
            if thread.place != Place::Dead {
                continue;
            }
            active += 1;
            match setup.resume {
                Resume::FirstUnacked => {
                    // From its source it reads again what it was not told to be delivered.
                    let mut unheard: Vec<Sent> =
                        thread.again.drain(..).chain(thread.open.drain(..)).collect();
                    unheard.sort_unstable_by_key(|sent| sent.message);
                    thread.again.extend(unheard);
                }
                Resume::NextUnsent => {
                    thread.again.clear();
                    thread.open.clear();
                }
            }
        }
        active
    }

    /// What a free thread does next.
    pub(crate) fn next_step(
        &mut self,
        index: usize,
        setup: &ThreadSetup,
        now: Instant,
        chance: &mut Chance,
    ) -> NextStep {
        let thread = &mut self.threads[index];
        match thread.before_next(setup, now) {
            Before::Go => {}
            Before::Call(call) => {
                thread.place = Place::InTransactionalCall;
                return NextStep::Call(call);
            }
            Before::WaitUntil(at) => return thread.wait_until(at),
            Before::Finish => return NextStep::Finish,
        }
        if let Some(sent) = thread.again.pop_front() {
            return NextStep::Send(thread.take_up(index, setup, sent));
        }
        if thread.burst_left == 0 && thread.sent < setup.messages {
            if now < thread.next_due {
                return thread.wait_until(thread.next_due);
            }
            let left = setup.messages - thread.sent;
            thread.burst_left = u64::from(setup.burst).min(left) as u32;
            let pause = chance.delay(thread.pace, &setup.every);
            thread.next_due += pause;
        }
        if thread.burst_left > 0 {
            let sent = thread.next_messages(setup, self.next_message, chance);
            self.next_message += u64::from(sent.count);
            thread.sent += u64::from(sent.count);
            thread.burst_left -= sent.count;
            return NextStep::Send(thread.take_up(index, setup, sent));
        }
        let hears_of_all = setup.on_error != OnError::GiveUp && setup.transactions.is_none();
        if hears_of_all && !thread.open.is_empty() {
            return NextStep::Listen;
        }
        NextStep::Finish
    }

    /// Takes in what the producer has to say. Returns the thread that it concerns, and whether the
    /// that is all the client had to do.
    pub(crate) fn hear(&mut self, setup: &[ThreadSetup], completion: Completion) -> Heard {
        match completion {
            Completion::SendReturned { thread } => {
                let own = &mut self.threads[thread.index()];
                if own.place == Place::InSend {
                    let waits = setup[thread.index()].style == Style::Sync;
                    let open: u32 = own.open.iter().map(|sent| sent.count).sum();
                    own.place = if waits && open > 0 { Place::InGet(open) } else { Place::Free };
                }
                Heard::Thread(thread.index())
            }
            Completion::Acked { thread, message, count, .. } => {
                self.threads[thread.index()].outcome(message, count, None);
                Heard::Thread(thread.index())
            }
            Completion::Failed { thread, message, count, .. } => {
                let on_error = setup[thread.index()].on_error;
                self.threads[thread.index()].outcome(message, count, Some(on_error));
                Heard::Thread(thread.index())
            }
            // A send() that threw in a transaction is heard of when the transaction ends.
            Completion::Transaction { thread, call: TransactionCall::Send, .. } => {
                Heard::Thread(thread.index())
            }
            Completion::Transaction { thread, result, .. } => {
                let result = result.map_err(|thrown| (thrown.error, thrown.recovery));
                let (setup, index) = (&setup[thread.index()], thread.index());
                self.transactional_call_returned(setup, index, result);
                Heard::Thread(index)
            }
            // The last thing that the last thread of a client does.
            Completion::Flushed { .. } | Completion::Closed { .. } => Heard::End,
        }
    }

    /// A transactional call of a thread has returned or thrown.
    fn transactional_call_returned(
        &mut self,
        setup: &ThreadSetup,
        index: usize,
        result: Result<(), (SendError, Recovery)>,
    ) {
        let thread = &mut self.threads[index];
        thread.place = Place::Free;
        let (Some(plan), Some(own)) = (&setup.transactions, &mut thread.transacting) else {
            return;
        };
        thread.again.extend(own.returned(plan, result));
        // Whatever it was told about them, they count with their transaction.
        thread.open.clear();
    }

    /// Whether the producer of a transactional thread cannot be used any more.
    pub(crate) fn is_fatal(&self) -> bool {
        let mut all = self.threads.iter().filter_map(|thread| thread.transacting.as_ref());
        all.any(Transacting::is_fatal)
    }

    /// Whether every thread has finished.
    pub(crate) fn all_finished(&self) -> bool {
        self.threads.iter().all(|thread| thread.place == Place::Finished)
    }

    /// The client has ended as it should. Returns how many threads were not done before.
    pub(crate) fn done(&mut self) -> u32 {
        let were_active = self.threads.iter().filter(|thread| thread.place != Place::Done).count();
        self.threads.iter_mut().for_each(|thread| thread.place = Place::Done);
        were_active as u32
    }
}

impl Thread {
    /// Waits, with one event for one instant.
    fn wait_until(&mut self, at: Instant) -> NextStep {
        if self.scheduled == Some(at) {
            return NextStep::Listen;
        }
        self.scheduled = Some(at);
        NextStep::WaitUntil(at)
    }

    /// The next new messages that can go into one call.
    fn next_messages(&self, setup: &ThreadSetup, message: u64, chance: &mut Chance) -> Sent {
        let one_by_one = setup.style == Style::Sync;
        let room = self.transacting.as_ref().zip(setup.transactions.as_ref());
        let room = room.map_or(u32::MAX, |(transacting, plan)| transacting.room(plan));
        let run = if one_by_one { 1 } else { self.burst_left.min(room) };
        let (count, destination, shape) = match &setup.content {
            Content::Unkeyed(shape) => (run, Destination::Any, *shape),
            Content::Partition(number, shape) => (run, Destination::Partition(*number), *shape),
            Content::Keys(keys) => {
                let key = keys[(self.sent % keys.len() as u64) as usize];
                (1, Destination::Key { hash: key.hash, table: key.table }, key.shape)
            }
            Content::WeightedKeys(keys) => {
                let total: u64 = keys.iter().map(|(weight, _)| u64::from(*weight)).sum();
                let mut drawn = chance.pick(self.keys, total);
                let chosen = keys.iter().find(|(weight, _)| {
                    let here = drawn < u64::from(*weight);
                    drawn = drawn.saturating_sub(u64::from(*weight));
                    here
                });
                let (_, key) = chosen.expect("a number below the total falls on a key");
                (1, Destination::Key { hash: key.hash, table: key.table }, key.shape)
            }
        };
        Sent { message, count, resends: 0, destination, shape }
    }

    /// Goes into send() with these messages.
    fn take_up(&mut self, index: usize, setup: &ThreadSetup, sent: Sent) -> SendRequest {
        self.place = Place::InSend;
        if self.reports == Reports::Wanted {
            self.open.push_back(sent);
        }
        if let Some(transacting) = &mut self.transacting {
            transacting.takes(sent);
        }
        SendRequest {
            thread: ThreadId::new(index as u16),
            topic: setup.topic,
            destination: sent.destination,
            shape: sent.shape,
            message: sent.message,
            count: sent.count,
            reports: self.reports,
        }
    }

    /// Messages have an outcome: success if there is no `on_error`.
    fn outcome(&mut self, message: u64, count: u32, on_error: Option<OnError>) {
        if let Some(transacting) = self.transacting.as_mut().filter(|_| on_error.is_some()) {
            transacting.message_failed();
        }
        let end = message + u64::from(count);
        let (mut rest, mut failed) = (VecDeque::new(), Vec::new());
        for sent in self.open.drain(..) {
            let (from, to) = (sent.message, sent.message + u64::from(sent.count));
            let (low, high) = (from.max(message), to.min(end));
            if low >= high {
                rest.push_back(sent);
                continue;
            }
            // What lies before and behind the messages that were heard of stays open.
            for (start, stop) in [(from, low), (high, to)] {
                if start < stop {
                    rest.push_back(Sent { message: start, count: (stop - start) as u32, ..sent });
                }
            }
            failed.push(Sent { message: low, count: (high - low) as u32, ..sent });
        }
        self.open = rest;
        if let Some(OnError::Resend { times }) = on_error {
            for sent in failed.into_iter().filter(|sent| sent.resends < times) {
                self.again.push_back(Sent { resends: sent.resends + 1, ..sent });
            }
        }
        if let Place::InGet(left) = self.place {
            let left = left.saturating_sub(count);
            self.place = if left == 0 { Place::Free } else { Place::InGet(left) };
        }
    }
}

#[cfg(test)]
mod tests;
