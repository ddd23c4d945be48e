//! What applications sent and what they were told: the user's view of a run.
//!
//! Nothing here knows a broker. A *lane* is one producer session and one partition; within it
//! records are numbered from 0 in the order of the send() calls.

mod lane;
mod readers;
mod transactions;

pub(crate) use lane::{Bound, Lane, SendCall};
pub(crate) use readers::{Duty, Given, Passed, Places, Readers, Scope};
pub(crate) use transactions::{Init, Outcome, SentOffset, Transaction, Transactions};

use crate::pool;
use crate::runs::{Run, Runs};
use crate::verdict::FactRef;
use inflight_des::{Halt, Instant, Kinds};
use inflight_protocol::Fact;
use inflight_protocol::fact::USER_VIEW;
use inflight_protocol::ids::{ClientId, SessionId, ThreadId, TopicPartition};

/// The user's view of a run.
#[derive(Debug, Default)]
pub(crate) struct Told {
    sessions: Vec<Session>,
    lanes: Vec<Lane>,
    /// How many of `lanes` are in use; the rest is memory to be used again.
    used: usize,
    clients: Vec<Client>,
    /// By partition, the highest offset that was acked, and whose it was.
    highest_acked: Vec<Option<Bound>>,
    /// Messages that were sent again.
    resends: Vec<Resend>,
    transactions: Option<Box<Transactions>>,
    readers: Option<Box<Readers>>,
    pub(crate) sent: u64,
    pub(crate) refused: u64,
    pub(crate) halt: Option<Halt>,
    /// When the last of these facts happened.
    pub(crate) until: Instant,
}

impl Clone for Told {
    fn clone(&self) -> Self {
        let mut copy = Self::default();
        copy.clone_from(self);
        copy
    }

    /// As `clone`, but keeps the memory of lanes and sessions that are not needed now.
    fn clone_from(&mut self, source: &Self) {
        let Self { sessions, lanes, used, clients, highest_acked, resends, .. } = source;
        self.transactions.clone_from(&source.transactions);
        self.readers.clone_from(&source.readers);
        pool::copy(&mut self.sessions, sessions, Session::clear);
        // What lies behind those in use is cleared when it is used again.
        pool::copy(&mut self.lanes, &lanes[..*used], |_| {});
        pool::copy(&mut self.clients, clients, |client| client.messages.clear());
        self.used = *used;
        self.highest_acked.clone_from(highest_acked);
        self.resends.clone_from(resends);
        (self.sent, self.refused) = (source.sent, source.refused);
        (self.halt, self.until) = (source.halt, source.until);
    }
}

/// The user's view needs no fact that a user does not see.
pub(crate) const INTEREST: Kinds = USER_VIEW;

/// One producer object.
#[derive(Debug, Default)]
pub(crate) struct Session {
    pub(crate) client: Option<ClientId>,
    pub(crate) is_stopped: bool,
    /// The calls of send() that have not returned, and since when.
    pub(crate) blocked: Vec<(ThreadId, FactRef)>,
    /// By partition, the number of the lane, or [`NO_LANE`].
    lanes: Vec<u32>,
}

inflight_des::clone_fields!(Session { client, is_stopped, blocked, lanes });

impl Session {
    fn clear(&mut self) {
        (self.client, self.is_stopped) = (None, false);
        self.blocked.clear();
        self.lanes.clear();
    }
}

const NO_LANE: u32 = u32::MAX;

/// One client.
#[derive(Debug, Default)]
struct Client {
    /// The numbers of its messages that were queued.
    messages: Runs,
}

inflight_des::clone_fields!(Client { messages });

/// Messages that their client sent before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Resend {
    pub(crate) client: ClientId,
    pub(crate) messages: Run,
}

impl Told {
    pub(crate) fn reset(&mut self) {
        self.sessions.iter_mut().for_each(Session::clear);
        self.used = 0;
        self.clients.iter_mut().for_each(|client| client.messages.clear());
        self.highest_acked.clear();
        self.resends.clear();
        (self.sent, self.refused, self.halt, self.until) = (0, 0, None, Instant::START);
        if let Some(transactions) = &mut self.transactions {
            transactions.reset();
        }
        if let Some(readers) = &mut self.readers {
            readers.reset();
        }
    }

    /// Whether there are neither transactions nor consumers.
    pub(crate) fn is_simple(&self) -> bool {
        self.transactions().is_none() && self.readers().is_none()
    }

    /// The lanes in the order in which they began.
    #[inline]
    pub(crate) fn lanes(&self) -> &[Lane] {
        &self.lanes[..self.used]
    }

    #[inline]
    pub(crate) fn lane_mut(&mut self, lane: usize) -> &mut Lane {
        &mut self.lanes[lane]
    }

    /// The sessions with their numbers.
    pub(crate) fn sessions(&self) -> impl Iterator<Item = (SessionId, &Session)> {
        let numbered = self.sessions.iter().enumerate();
        numbered.map(|(index, session)| (SessionId::new(index as u16), session))
    }

    /// Whether a session's producer is gone.
    pub(crate) fn is_stopped(&self, session: SessionId) -> bool {
        self.sessions.get(session.index()).is_some_and(|session| session.is_stopped)
    }

    /// The client of a session.
    pub(crate) fn client_of(&self, session: SessionId) -> Option<ClientId> {
        self.sessions.get(session.index())?.client
    }

    /// The messages that were sent more than once.
    pub(crate) fn resends(&self) -> &[Resend] {
        &self.resends
    }

    /// The lane of a session and a partition, if it has begun.
    #[inline]
    pub(crate) fn find_lane(&self, session: SessionId, partition: TopicPartition) -> Option<usize> {
        let lane = *self.sessions.get(session.index())?.lanes.get(partition.index())?;
        (lane != NO_LANE).then_some(lane as usize)
    }

    /// The lane of a session and a partition.
    #[inline]
    pub(crate) fn lane(&mut self, session: SessionId, partition: TopicPartition) -> usize {
        match self.find_lane(session, partition) {
            Some(lane) => lane,
            None => self.begin_lane(session, partition),
        }
    }

    #[cold]
    fn begin_lane(&mut self, session: SessionId, partition: TopicPartition) -> usize {
        let client = self.session(session).client;
        let lanes = &mut self.sessions[session.index()].lanes;
        if lanes.len() <= partition.index() {
            lanes.resize(partition.index() + 1, NO_LANE);
        }
        lanes[partition.index()] = self.used as u32;
        if self.lanes.len() == self.used {
            self.lanes.push(Lane::default());
        }
        self.lanes[self.used].begin(session, partition, client);
        self.used += 1;
        self.used - 1
    }

    fn session(&mut self, session: SessionId) -> &mut Session {
        if self.sessions.len() <= session.index() {
            self.sessions.resize_with(session.index() + 1, Session::default);
        }
        &mut self.sessions[session.index()]
    }

    /// Takes in a fact of the user's view. Others change nothing.
    #[inline]
    pub(crate) fn on_fact(&mut self, seen: FactRef, fact: &Fact) {
        match *fact {
            Fact::RecordsQueued { session, partition, first, count, message, .. } => {
                let lane = self.lane(session, partition);
                let run = Run::of(first, u64::from(count));
                self.queued(lane, seen.at, run, message);
                if let Some(transactions) = &mut self.transactions {
                    transactions.queued(session, lane, run);
                }
            }
            Fact::RecordsAcked { session, partition, first, count, base_offset, .. } => {
                let lane = self.lane(session, partition);
                let run = Run::of(first, u64::from(count));
                self.lanes[lane].ack(run, base_offset);
                if let Some(base) = base_offset {
                    self.raise_bound(partition, session, run, base.get());
                }
            }
            Fact::RecordsFailed { session, partition, first, count, error, .. } => {
                let lane = self.lane(session, partition);
                self.lanes[lane].fail(Run::of(first, u64::from(count)), error, seen);
            }
            Fact::SendRefused { count, .. } => {
                self.sent += u64::from(count);
                self.refused += u64::from(count);
            }
            Fact::ProducerStarted { client, session } => {
                self.session(session).client = Some(client);
            }
            Fact::ProducerStopped { session, .. } => {
                let session = self.session(session);
                session.is_stopped = true;
                session.blocked.clear();
            }
            Fact::SendBlocked { session, thread, .. } => {
                self.session(session).blocked.push((thread, seen));
            }
            Fact::SendReturned { session, thread, .. } => {
                self.session(session).blocked.retain(|(blocked, _)| *blocked != thread);
            }
            Fact::RunEnded { halt } => self.halt = Some(halt),
            Fact::ProducerStateChanged { .. }
            | Fact::TransactionsInitialized { .. }
            | Fact::TransactionBegun { .. }
            | Fact::OffsetsAddedToTransaction { .. }
            | Fact::TransactionEnding { .. }
            | Fact::TransactionEnded { .. }
            | Fact::TransactionCallFailed { .. }
            | Fact::ConsumerStarted { .. }
            | Fact::ConsumerStopped { .. }
            | Fact::PartitionAssigned { .. }
            | Fact::PartitionRevoked { .. }
            | Fact::PositionSet { .. }
            | Fact::RecordsReturned { .. }
            | Fact::RecordsProcessed { .. }
            | Fact::RecordsTransformed { .. }
            | Fact::OffsetCommitReturned { .. } => self.on_other_fact(seen, fact),
            _ => return,
        }
        self.until = seen.at;
    }

    #[inline]
    fn queued(&mut self, lane: usize, at: Instant, run: Run, message: u64) {
        self.sent += run.len();
        let lane = &mut self.lanes[lane];
        let bound = self.highest_acked.get(lane.partition.index()).copied().flatten();
        lane.queue(SendCall { run, message, at, bound });
        let Some(client) = lane.client else { return };
        if self.clients.len() <= client.index() {
            self.clients.resize_with(client.index() + 1, Client::default);
        }
        let messages = Run::of(message, run.len());
        if self.clients[client.index()].messages.insert(messages) > 0 {
            self.resent(client, messages);
        }
    }

    #[cold]
    fn resent(&mut self, client: ClientId, messages: Run) {
        match self.resends.last_mut() {
            Some(last) if last.client == client && last.messages.end == messages.start => {
                last.messages.end = messages.end;
            }
            _ => self.resends.push(Resend { client, messages }),
        }
    }

    #[inline]
    fn raise_bound(&mut self, partition: TopicPartition, session: SessionId, run: Run, base: u64) {
        if self.highest_acked.len() <= partition.index() {
            self.highest_acked.resize(partition.index() + 1, None);
        }
        let highest = &mut self.highest_acked[partition.index()];
        let offset = base.saturating_add(run.len().saturating_sub(1));
        if highest.is_none_or(|bound| bound.offset < offset) {
            *highest = Some(Bound { offset, ordinal: run.end.saturating_sub(1), session });
        }
    }
}
