//! Transactions as applications know them.
//!
//! The simulator numbers the transactions of a session; nothing on the wire does. A record that was
//! queued between beginTransaction() and the call that ends it belongs to the transaction.

use super::Told;
use crate::runs::Run;
use crate::verdict::FactRef;
use inflight_protocol::fact::{ProducerState, Recovery, SendError, TransactionCall};
use inflight_protocol::ids::{
    GroupId, ProducerEpoch, ProducerId, SessionId, TopicPartition, TransactionalId,
};
use inflight_protocol::{Fact, TransactionResult};

/// The transactions of a run.
#[derive(Debug, Default)]
pub(crate) struct Transactions {
    /// In the order in which they began.
    list: Vec<Transaction>,
    /// By session.
    sessions: Vec<TransactionalSession>,
    /// By lane, the records in transactions, ascending.
    members: Vec<Vec<Member>>,
    /// The offsets that were sent to transactions.
    pub(crate) offsets: Vec<SentOffset>,
    /// The calls of initTransactions() that returned, oldest first.
    pub(crate) inits: Vec<Init>,
    /// The calls that failed, oldest first.
    pub(crate) failures: Vec<CallFailure>,
}

inflight_des::clone_fields!(Transactions { list, sessions, members, offsets, inits, failures });

/// One transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Transaction {
    pub(crate) session: SessionId,
    /// Its number in the session.
    pub(crate) number: u32,
    pub(crate) begun: FactRef,
    /// The first call of commitTransaction().
    pub(crate) asked_commit: Option<FactRef>,
    /// The first call of abortTransaction().
    pub(crate) asked_abort: Option<FactRef>,
    /// The last call of either that has neither returned nor failed.
    pub(crate) asking: Option<FactRef>,
    /// How it ended, as the application was told.
    pub(crate) ended: Option<(TransactionResult, FactRef)>,
}

/// Records of a lane that are in one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) run: Run,
    /// Its position in the list.
    pub(crate) transaction: u32,
}

/// A group's position that a transaction brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SentOffset {
    /// The position of the transaction in the list.
    pub(crate) transaction: u32,
    pub(crate) group: GroupId,
    pub(crate) partition: TopicPartition,
    pub(crate) offset: u64,
    pub(crate) fact: FactRef,
}

/// A call of initTransactions() that returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Init {
    pub(crate) session: SessionId,
    pub(crate) id: TransactionalId,
    pub(crate) producer_id: ProducerId,
    pub(crate) epoch: ProducerEpoch,
    pub(crate) fact: FactRef,
}

/// A transactional call that threw an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CallFailure {
    pub(crate) session: SessionId,
    pub(crate) transaction: u32,
    pub(crate) error: SendError,
    pub(crate) recovery: Recovery,
    pub(crate) fact: FactRef,
}

/// What is known of a session that has called initTransactions().
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct TransactionalSession {
    /// The first call, until one of them returns.
    initializing: Option<FactRef>,
    id: Option<TransactionalId>,
    /// The transaction that takes its records now.
    open: Option<u32>,
}

/// What became of a transaction, as far as its application can know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// commitTransaction() returned.
    Committed,
    /// abortTransaction() returned.
    Aborted,
    /// Nobody ever asked for its commit: it does not count, and never will.
    Unasked,
    /// Its commit was asked for, and nobody was told what came of it.
    Unknown,
}

impl Outcome {
    /// Whether no record of it may ever be found by who reads committed ones.
    pub(crate) const fn is_excluded(self) -> bool {
        matches!(self, Self::Aborted | Self::Unasked)
    }
}

impl Transaction {
    pub(crate) const fn outcome(&self) -> Outcome {
        match (self.ended, self.asked_commit) {
            (Some((TransactionResult::Commit, _)), _) => Outcome::Committed,
            (Some((TransactionResult::Abort, _)), _) => Outcome::Aborted,
            (None, None) => Outcome::Unasked,
            (None, Some(_)) => Outcome::Unknown,
        }
    }
}

impl Transactions {
    pub(crate) fn reset(&mut self) {
        self.list.clear();
        self.sessions.clear();
        self.members.iter_mut().for_each(Vec::clear);
        self.offsets.clear();
        self.inits.clear();
        self.failures.clear();
    }

    /// Whether nothing transactional happened.
    pub(crate) const fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    /// The calls of initTransactions() that did not return.
    pub(crate) fn initializing(&self) -> impl Iterator<Item = (SessionId, FactRef)> {
        let sessions = self.sessions.iter().enumerate();
        sessions.filter_map(|(at, own)| Some((SessionId::new(at as u16), own.initializing?)))
    }

    /// All transactions, in the order in which they began.
    pub(crate) fn list(&self) -> &[Transaction] {
        &self.list
    }

    /// The transaction at this position.
    pub(crate) fn get(&self, transaction: u32) -> Option<&Transaction> {
        self.list.get(transaction as usize)
    }

    /// The position of a session's transaction.
    pub(crate) fn find(&self, session: SessionId, number: u32) -> Option<u32> {
        let ours = |t: &Transaction| (t.session, t.number) == (session, number);
        self.list.iter().rposition(ours).map(|at| at as u32)
    }

    /// The transactional id of a session, once it is initialised.
    pub(crate) fn id_of(&self, session: SessionId) -> Option<TransactionalId> {
        self.sessions.get(session.index())?.id
    }

    /// Whether a session's batches are transactional.
    pub(crate) fn is_transactional(&self, session: SessionId) -> bool {
        self.id_of(session).is_some()
    }

    /// The records of a lane that are in transactions.
    pub(crate) fn members(&self, lane: usize) -> &[Member] {
        self.members.get(lane).map_or(&[], Vec::as_slice)
    }

    /// The parts of a run of a lane that are in transactions.
    pub(crate) fn members_of(&self, lane: usize, run: Run) -> impl Iterator<Item = Member> + '_ {
        let members = self.members(lane);
        let from = members.partition_point(|member| member.run.end <= run.start);
        let inside = members[from..].iter().take_while(move |member| member.run.start < run.end);
        inside.map(move |member| Member { run: member.run.meet(run), ..*member })
    }

    /// The records of a transaction with their lanes.
    pub(crate) fn records_of(&self, transaction: u32) -> impl Iterator<Item = (usize, Run)> + '_ {
        self.members.iter().enumerate().flat_map(move |(lane, members)| {
            let ours = members.iter().filter(move |member| member.transaction == transaction);
            ours.map(move |member| (lane, member.run))
        })
    }

    /// The transaction of a session that is open.
    pub(crate) fn open(&self, session: SessionId) -> Option<u32> {
        self.sessions.get(session.index())?.open
    }

    fn session(&mut self, session: SessionId) -> &mut TransactionalSession {
        if self.sessions.len() <= session.index() {
            self.sessions.resize(session.index() + 1, TransactionalSession::default());
        }
        &mut self.sessions[session.index()]
    }

    /// Records were queued.
    pub(super) fn queued(&mut self, session: SessionId, lane: usize, run: Run) {
        let Some(open) = self.sessions.get(session.index()).and_then(|known| known.open) else {
            return;
        };
        if self.members.len() <= lane {
            self.members.resize_with(lane + 1, Vec::new);
        }
        match self.members[lane].last_mut() {
            Some(last) if last.transaction == open && last.run.end == run.start => {
                last.run.end = run.end;
            }
            // A recording may hold what no session does: records again, or in disorder.
            Some(last) if last.run.end > run.start => {}
            _ => self.members[lane].push(Member { run, transaction: open }),
        }
    }

    /// The transaction of a fact, which begins with it if no other fact has said so.
    fn at(&mut self, seen: FactRef, session: SessionId, number: u32) -> u32 {
        if let Some(known) = self.find(session, number) {
            return known;
        }
        self.list.push(Transaction {
            session,
            number,
            begun: seen,
            asked_commit: None,
            asked_abort: None,
            asking: None,
            ended: None,
        });
        (self.list.len() - 1) as u32
    }

    /// Takes in a fact about transactions.
    pub(super) fn on_fact(&mut self, seen: FactRef, fact: &Fact) {
        match *fact {
            Fact::ProducerStateChanged {
                session,
                from: ProducerState::Uninitialized,
                to: ProducerState::Initializing,
            } => self.session(session).initializing = Some(seen),
            Fact::TransactionsInitialized {
                session,
                transactional_id,
                producer_id,
                producer_epoch,
            } => {
                let own = self.session(session);
                (own.id, own.initializing) = (Some(transactional_id), None);
                let (id, epoch) = (transactional_id, producer_epoch);
                self.inits.push(Init { session, id, producer_id, epoch, fact: seen });
            }
            Fact::TransactionBegun { session, transaction } => {
                let at = self.at(seen, session, transaction);
                self.session(session).open = Some(at);
            }
            Fact::OffsetsAddedToTransaction { session, transaction, group, partition, offset } => {
                let (transaction, offset) = (self.at(seen, session, transaction), offset.get());
                let sent = SentOffset { transaction, group, partition, offset, fact: seen };
                self.offsets.push(sent);
            }
            Fact::TransactionEnding { session, transaction, result } => {
                let at = self.at(seen, session, transaction);
                self.session(session).open = None;
                let transaction = &mut self.list[at as usize];
                transaction.asking = Some(seen);
                match result {
                    TransactionResult::Commit => transaction.asked_commit.get_or_insert(seen),
                    TransactionResult::Abort => transaction.asked_abort.get_or_insert(seen),
                };
            }
            Fact::TransactionEnded { session, transaction, result } => {
                let at = self.at(seen, session, transaction);
                self.session(session).open = None;
                let transaction = &mut self.list[at as usize];
                (transaction.asking, transaction.ended) = (None, Some((result, seen)));
            }
            Fact::TransactionCallFailed { session, transaction, call, error, recovery } => {
                if call == TransactionCall::Init {
                    self.session(session).initializing = None;
                }
                let is_end = matches!(call, TransactionCall::Commit | TransactionCall::Abort);
                if let Some(at) = self.find(session, transaction).filter(|_| is_end) {
                    self.list[at as usize].asking = None;
                }
                let failure = CallFailure { session, transaction, error, recovery, fact: seen };
                self.failures.push(failure);
            }
            _ => {}
        }
    }
}

impl Told {
    /// The transactions, of which most runs have none.
    pub(crate) fn transactions(&self) -> Option<&Transactions> {
        self.transactions.as_deref().filter(|transactions| !transactions.is_empty())
    }

    /// Whether the records of a lane are in transactions.
    pub(crate) fn is_transactional(&self, lane: usize) -> bool {
        let session = self.lanes()[lane].session;
        self.transactions().is_some_and(|known| known.is_transactional(session))
    }
}
