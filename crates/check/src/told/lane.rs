//! What one session sent to one partition, and what it was told.

use crate::runs::{Run, Runs};
use crate::verdict::FactRef;
use inflight_des::Instant;
use inflight_protocol::fact::SendError;
use inflight_protocol::ids::{ClientId, Offset, SessionId, TopicPartition};
use std::collections::VecDeque;

/// One session and one partition.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    pub(crate) session: SessionId,
    pub(crate) partition: TopicPartition,
    pub(crate) client: Option<ClientId>,
    /// The records that send() queued.
    pub(crate) queued: Runs,
    /// The records that are delivered, as the application was told.
    pub(crate) acked: Runs,
    /// The records that failed, as the application was told.
    pub(crate) failed: Runs,
    /// The calls of send(), oldest first.
    sends: VecDeque<SendCall>,
    /// Older ones that failed: they are remembered, since their messages may come again.
    failed_sends: Vec<SendCall>,
    /// What was told of offsets, oldest first.
    pub(crate) acks: Vec<Ack>,
    /// The errors, oldest first.
    pub(crate) failures: Vec<Failure>,
}

inflight_des::clone_fields!(Lane {
    session,
    partition,
    client,
    queued,
    acked,
    failed,
    sends,
    failed_sends,
    acks,
    failures,
});

/// Calls of send() that followed one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SendCall {
    /// The records.
    pub(crate) run: Run,
    /// The application's number of the first message.
    pub(crate) message: u64,
    /// When the last of them was queued.
    pub(crate) at: Instant,
    /// What was acked before: these records belong behind it.
    pub(crate) bound: Option<Bound>,
}

/// The record with the highest offset of a partition that any application was told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bound {
    pub(crate) offset: u64,
    pub(crate) ordinal: u64,
    pub(crate) session: SessionId,
}

/// Records and the offset of the first, as the application was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ack {
    pub(crate) run: Run,
    pub(crate) offset: u64,
}

/// Records and the error that the application was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) run: Run,
    pub(crate) error: SendError,
    pub(crate) fact: FactRef,
}

impl Lane {
    pub(super) fn begin(
        &mut self,
        session: SessionId,
        partition: TopicPartition,
        client: Option<ClientId>,
    ) {
        (self.session, self.partition, self.client) = (session, partition, client);
        self.queued.clear();
        self.acked.clear();
        self.failed.clear();
        self.sends.clear();
        self.failed_sends.clear();
        self.acks.clear();
        self.failures.clear();
    }

    #[inline]
    pub(super) fn queue(&mut self, send: SendCall) {
        self.queued.insert(send.run);
        match self.sends.back_mut() {
            Some(last)
                if last.run.end == send.run.start
                    && last.message.wrapping_add(last.run.len()) == send.message
                    && last.bound == send.bound =>
            {
                last.run.end = send.run.end;
                last.at = send.at;
            }
            _ => self.sends.push_back(send),
        }
    }

    #[inline]
    pub(super) fn ack(&mut self, run: Run, base_offset: Option<Offset>) {
        self.acked.insert(run);
        let Some(base) = base_offset else { return };
        let offset = base.get();
        match self.acks.last_mut() {
            Some(last)
                if last.run.end == run.start
                    && last.offset.saturating_add(last.run.len()) == offset =>
            {
                last.run.end = run.end;
            }
            _ => self.acks.push(Ack { run, offset }),
        }
    }

    #[cold]
    pub(super) fn fail(&mut self, run: Run, error: SendError, fact: FactRef) {
        self.failed.insert(run);
        match self.failures.last_mut() {
            Some(last) if last.run.end == run.start && last.error == error => {
                last.run.end = run.end;
            }
            _ => self.failures.push(Failure { run, error, fact }),
        }
    }

    /// Whether an error was told to the application.
    pub(crate) fn has_failed(&self) -> bool {
        !self.failed.is_empty()
    }

    /// The records that nothing was ever told of, ascending.
    pub(crate) fn untold(&self) -> impl Iterator<Item = Run> + '_ {
        self.queued.without(&self.acked).flat_map(|run| self.failed.missing(run))
    }

    /// The calls of send() for records of a run, in order, as far as they are remembered.
    pub(crate) fn sends_of(&self, run: Run) -> impl Iterator<Item = (Run, &SendCall)> {
        let old = self.failed_sends.partition_point(|send| send.run.end <= run.start);
        let new = self.sends.partition_point(|send| send.run.end <= run.start);
        let sends = self.failed_sends[old..].iter().chain(self.sends.range(new..));
        sends
            .take_while(move |send| send.run.start < run.end)
            .map(move |send| (send.run.meet(run), send))
    }

    /// Every call of send() that is remembered.
    pub(crate) fn sends(&self) -> impl Iterator<Item = &SendCall> {
        self.failed_sends.iter().chain(&self.sends)
    }

    /// Forgets the calls of send() below an ordinal whose records were all acked.
    pub(crate) fn forget_sends(&mut self, below: u64) {
        while let Some(send) = self.sends.front().filter(|send| send.run.end <= below) {
            if !self.acked.covers(send.run) {
                self.failed_sends.push(*send);
            }
            self.sends.pop_front();
        }
    }
}
