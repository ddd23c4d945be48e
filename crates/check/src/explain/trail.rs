//! The life of one record, picked from all facts of a run.

mod walk;

pub(super) use walk::follow;

use inflight_protocol::fact::{AppendOrigin, SendError};
use inflight_protocol::ids::{
    BrokerId, BrokerSet, ConnectionId, CorrelationId, Offset, ProducerEpoch, ProducerId, SessionId,
    TopicPartition,
};
use inflight_protocol::{ErrorCode, Sequence};

/// One record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) session: SessionId,
    pub(super) partition: TopicPartition,
    pub(super) ordinal: u64,
}

/// One attempt to send it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    pub(super) drained: usize,
    pub(super) broker: BrokerId,
    correlation: CorrelationId,
    pub(super) connection: Option<ConnectionId>,
    /// When the request reached the broker.
    pub(super) delivered: Option<usize>,
    /// Whether the broker has appended or refused what it brought.
    handled: bool,
    /// When the response was lost.
    pub(super) response_lost: Option<usize>,
    /// When the connection was gone, as the client learned.
    pub(super) closed: Option<usize>,
    /// When the client put it back, and why.
    pub(super) requeued: Option<(usize, ErrorCode)>,
}

/// One copy in one log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Copy {
    pub(super) appended: usize,
    pub(super) broker: BrokerId,
    pub(super) offset: u64,
    pub(super) origin: AppendOrigin,
    pub(super) wire: Option<(ProducerId, ProducerEpoch, Sequence)>,
    /// Which attempt a leader carried out, by position.
    attempt: Option<usize>,
    /// When it was cut off.
    pub(super) removed: Option<usize>,
}

/// Everything that happened to one record.
#[derive(Debug)]
pub(super) struct Trail {
    pub(super) record: Record,
    /// The facts that matter, ascending.
    pub(super) steps: Vec<usize>,
    pub(super) queued: Option<usize>,
    /// The application's number of the message.
    pub(super) message: Option<u64>,
    pub(super) attempts: Vec<Attempt>,
    pub(super) copies: Vec<Copy>,
    pub(super) acked: Option<Ack>,
    pub(super) failed: Option<(usize, SendError)>,
    pub(super) rewritten: Option<usize>,
    /// When a leader said that it had it.
    pub(super) recognised: Vec<usize>,
    pub(super) rejected: Vec<(usize, BrokerId, ErrorCode)>,
    /// When its session's producer was gone.
    pub(super) stopped: Option<usize>,
    /// When the leader changed from one that has it to one that has not, or lost it itself.
    pub(super) given_up: Option<Loss>,
    /// The followers whose log reaches beyond it, as their leader knows.
    claimed: BrokerSet,
    /// When a broker forgot its producer id.
    pub(super) state_expired: Vec<(usize, BrokerId)>,
}

/// How its sender was told that it is delivered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ack {
    pub(super) index: usize,
    pub(super) offset: Option<Offset>,
    /// The in-sync replicas at that moment.
    pub(super) isr: BrokerSet,
    /// Who had it at that moment.
    pub(super) holders: BrokerSet,
    /// Whose log reached beyond it at that moment, as the leader knew.
    pub(super) claimed: BrokerSet,
    /// Who led, as the controller saw it.
    pub(super) leader: Option<BrokerId>,
}

/// How it was given up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Loss {
    /// The fact that decides it.
    pub(super) index: usize,
    /// The election that made the new leader, if there was one.
    pub(super) election: Option<usize>,
    /// Who was in sync or eligible before that election.
    pub(super) electable: BrokerSet,
    /// The new leader.
    pub(super) leader: BrokerId,
}

impl Trail {
    /// The trail of a record before anything happened.
    const fn new(record: Record) -> Self {
        Self {
            record,
            steps: Vec::new(),
            queued: None,
            message: None,
            attempts: Vec::new(),
            copies: Vec::new(),
            acked: None,
            failed: None,
            rewritten: None,
            recognised: Vec::new(),
            rejected: Vec::new(),
            stopped: None,
            given_up: None,
            claimed: BrokerSet::EMPTY,
            state_expired: Vec::new(),
        }
    }

    /// Who has the record now.
    fn holders(&self) -> BrokerSet {
        let here = self.copies.iter().filter(|copy| copy.removed.is_none());
        here.map(|copy| copy.broker).collect()
    }

    /// Whether it has left the client or is in a log.
    const fn has_begun(&self) -> bool {
        !self.attempts.is_empty() || !self.copies.is_empty()
    }

    /// The copies that leaders appended.
    pub(super) fn appends(&self) -> impl Iterator<Item = &Copy> {
        self.copies.iter().filter(|copy| copy.origin == AppendOrigin::Client)
    }

    /// The append that put it at an offset of the log as it is in the end.
    pub(super) fn append_at(&self, offset: u64) -> Option<&Copy> {
        self.appends().filter(|copy| copy.offset == offset).last()
    }

    /// The attempt that an append carried out.
    pub(super) fn carried_out(&self, append: &Copy) -> Option<&Attempt> {
        self.attempts.get(append.attempt?)
    }

    /// The latest attempt before a fact.
    pub(super) fn attempt_before(&self, index: usize) -> Option<&Attempt> {
        self.attempts.iter().rev().find(|attempt| attempt.drained < index)
    }

    /// Whether an append carried out an attempt that its producer had given up, to try again or
    /// not.
    pub(super) fn is_ghost(&self, append: &Copy) -> bool {
        let requeued = self.carried_out(append).and_then(|attempt| attempt.requeued);
        let failed = self.failed.map(|(index, _)| index);
        let given_up = requeued.map(|(index, _)| index).or(failed);
        given_up.is_some_and(|index| index < append.appended)
    }

    /// Notes that a broker does what a request asks for. It is the latest that reached it and waits,
    /// or, in a recording without messages, the latest that was sent.
    fn handle(&mut self, broker: BrokerId) -> Option<usize> {
        let waits = |attempt: &Attempt| {
            attempt.broker == broker && attempt.delivered.is_some() && !attempt.handled
        };
        let waiting = self.attempts.iter().enumerate().filter(|(_, attempt)| waits(attempt));
        let latest = waiting.max_by_key(|(_, attempt)| attempt.delivered).map(|(at, _)| at);
        let attempt = latest.or(self.attempts.len().checked_sub(1));
        if let Some(at) = attempt {
            self.attempts[at].handled = true;
        }
        attempt
    }
}
