//! What transactional producers, coordinators and markers do.

use super::{Script, b};
use inflight_protocol::fact::{AppendOrigin, Recovery, SendError, TransactionCall};
use inflight_protocol::ids::*;
use inflight_protocol::message::IsolationLevel;
use inflight_protocol::transaction::{CONSUMER_OFFSETS_TOPIC, CoordinatorEpoch};
use inflight_protocol::{Fact, TransactionResult, TransactionState};

/// isolation.level=read_committed
pub(crate) const READ_COMMITTED: IsolationLevel = IsolationLevel::ReadCommitted;

/// The session of a marker in a log; its ordinal is 1 for a commit.
pub(super) const MARKER: u16 = u16::MAX;

/// The producer id of the one transactional id.
const ID: u64 = 100;

/// What a script remembers of transactional sessions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    /// By session, the producer epoch.
    epochs: Vec<Option<i16>>,
    /// By session, how many transactions it has begun.
    begun: Vec<u32>,
    /// The producer epoch that initTransactions() gives next.
    next: i16,
}

impl Memory {
    /// What a transactional session calls itself.
    pub(super) fn identity(&self, session: u16) -> Option<(u64, i16)> {
        let epoch = self.epochs.get(usize::from(session)).copied().flatten()?;
        Some((ID, epoch))
    }
}

const T: TransactionalId = TransactionalId::new(0);

impl Script {
    /// The first client has the transactional id `t1`, and the cluster this transaction.version.
    pub(crate) fn transactional(mut self, version: u8) -> Self {
        self.description.transactional_ids = vec!["t1".to_owned()];
        self.description.transaction_version = Some(version);
        self.description.clients[0].transactional_id = Some("t1".to_owned());
        self
    }

    fn version(&self) -> u8 {
        self.description.transaction_version.expect("the script is transactional")
    }

    /// initTransactions() returns.
    pub(crate) fn init(mut self, session: u16) -> Self {
        let epoch = self.transactional.next;
        self.transactional.next += 1;
        let memory = &mut self.transactional;
        memory.epochs.resize(memory.epochs.len().max(usize::from(session) + 1), None);
        memory.begun.resize(memory.epochs.len(), 0);
        memory.epochs[usize::from(session)] = Some(epoch);
        self.fact(Fact::TransactionsInitialized {
            session: SessionId::new(session),
            transactional_id: T,
            producer_id: ProducerId::new(ID),
            producer_epoch: ProducerEpoch::new(epoch),
        })
    }

    pub(crate) fn is_initialised(&self, session: u16) -> bool {
        self.transactional.identity(session).is_some()
    }

    /// Whether a session has begun a transaction.
    pub(crate) fn has_begun(&self, session: u16) -> bool {
        self.transactional.begun.get(usize::from(session)).is_some_and(|begun| *begun > 0)
    }

    /// The log end offset of a broker.
    pub(crate) fn end_of(&self, broker: u8) -> u64 {
        self.replica(broker).len() as u64
    }

    fn epoch_of(&self, session: u16) -> i16 {
        self.transactional.identity(session).expect("the session is initialised").1
    }

    /// The number of a session's latest transaction.
    fn number(&self, session: u16) -> u32 {
        self.transactional.begun[usize::from(session)] - 1
    }

    pub(crate) fn begin(mut self, session: u16) -> Self {
        self.transactional.begun[usize::from(session)] += 1;
        let transaction = self.number(session);
        self.fact(Fact::TransactionBegun { session: SessionId::new(session), transaction })
    }

    /// The coordinator has the partition in the session's transaction.
    pub(crate) fn add_partition(self, session: u16) -> Self {
        let (epoch, partition) = (self.epoch_of(session), self.at());
        self.state(TransactionState::Empty, TransactionState::Ongoing, epoch).fact(
            Fact::TransactionPartitionAdded {
                broker: b(1),
                transactional_id: T,
                partition,
                producer_id: ProducerId::new(ID),
                producer_epoch: ProducerEpoch::new(epoch),
            },
        )
    }

    /// The transactional id has another state.
    pub(crate) fn state(self, from: TransactionState, to: TransactionState, epoch: i16) -> Self {
        self.fact(Fact::TransactionStateChanged {
            broker: b(1),
            transactional_id: T,
            from,
            to,
            producer_id: ProducerId::new(ID),
            producer_epoch: ProducerEpoch::new(epoch),
            coordinator_epoch: CoordinatorEpoch(0),
        })
    }

    /// The coordinator gives up the open transaction.
    pub(crate) fn time_out(self, session: u16) -> Self {
        let producer_epoch = ProducerEpoch::new(self.epoch_of(session));
        self.fact(Fact::TransactionTimedOut {
            broker: b(1),
            transactional_id: T,
            producer_id: ProducerId::new(ID),
            producer_epoch,
        })
    }

    /// The coordinator leaves out the marker of the partition, for want of a leader.
    pub(crate) fn skip_marker(self, session: u16, result: TransactionResult) -> Self {
        let producer_epoch = ProducerEpoch::new(self.epoch_of(session));
        let partition = self.at();
        self.fact(Fact::MarkerSkipped {
            broker: b(1),
            transactional_id: T,
            partition,
            result,
            producer_id: ProducerId::new(ID),
            producer_epoch,
        })
    }

    /// commitTransaction() or abortTransaction() is called.
    pub(crate) fn ending(self, session: u16, result: TransactionResult) -> Self {
        let transaction = self.number(session);
        self.fact(Fact::TransactionEnding { session: SessionId::new(session), transaction, result })
    }

    /// It returns.
    pub(crate) fn ended(mut self, session: u16, result: TransactionResult) -> Self {
        let transaction = self.number(session);
        if self.version() >= 2 {
            let epoch = self.epoch_of(session) + 1;
            self.transactional.epochs[usize::from(session)] = Some(epoch);
            self.transactional.next = self.transactional.next.max(epoch + 1);
            for shelf in &mut self.shelves {
                shelf.bases[usize::from(session)] = shelf.queued[usize::from(session)];
            }
        }
        self.fact(Fact::TransactionEnded { session: SessionId::new(session), transaction, result })
    }

    /// It fails.
    pub(crate) fn end_fails(self, session: u16, error: SendError, recovery: Recovery) -> Self {
        let transaction = self.number(session);
        let (session, call) = (SessionId::new(session), TransactionCall::Commit);
        self.fact(Fact::TransactionCallFailed { session, transaction, call, error, recovery })
    }

    /// The coordinator decides about the open transaction of a session.
    pub(crate) fn decide(self, session: u16, result: TransactionResult) -> Self {
        let to = match result {
            TransactionResult::Commit => TransactionState::PrepareCommit,
            TransactionResult::Abort => TransactionState::PrepareAbort,
        };
        let epoch = self.marker_epoch(session);
        self.state(TransactionState::Ongoing, to, epoch)
    }

    /// All partitions have their marker.
    pub(crate) fn complete(self, session: u16, result: TransactionResult) -> Self {
        let (from, to) = match result {
            TransactionResult::Commit => {
                (TransactionState::PrepareCommit, TransactionState::CompleteCommit)
            }
            TransactionResult::Abort => {
                (TransactionState::PrepareAbort, TransactionState::CompleteAbort)
            }
        };
        let epoch = self.marker_epoch(session);
        self.state(from, to, epoch)
    }

    /// The producer epoch of a marker for the open transaction of a session.
    fn marker_epoch(&self, session: u16) -> i16 {
        self.epoch_of(session) + i16::from(self.version() >= 2)
    }

    /// A leader appends a marker, and everybody copies and commits it.
    pub(crate) fn marker(self, session: u16, result: TransactionResult) -> Self {
        let epoch = self.marker_epoch(session);
        self.marker_of(epoch, result).replicate(1)
    }

    /// A leader appends a marker of a producer epoch.
    pub(crate) fn marker_of(mut self, epoch: i16, result: TransactionResult) -> Self {
        let leader_epoch = self.shelf().epoch;
        let is_commit = u64::from(result == TransactionResult::Commit);
        let log = &mut self.shelf().logs[0];
        log.push((MARKER, is_commit, leader_epoch, Some((ID, epoch, 0))));
        let offset = log.len() as u64 - 1;
        self.appended(1, offset, 1, AppendOrigin::Client)
    }

    /// The fact that a broker appended the marker at an offset of its log.
    pub(super) fn marked(self, broker: u8, offset: u64, origin: AppendOrigin) -> Self {
        let (_, is_commit, leader_epoch, wire) = self.replica(broker)[offset as usize];
        let (id, epoch, _) = wire.expect("a marker is somebody's");
        let before = self.replica(broker)[..offset as usize].iter();
        let first = before.clone().position(|(session, .., wire)| {
            *session != MARKER && wire.is_some_and(|(known, ..)| known == id)
        });
        let partition = self.at();
        self.fact(Fact::MarkerAppended {
            broker: b(broker),
            partition,
            offset: Offset::new(offset),
            result: match is_commit {
                1 => TransactionResult::Commit,
                _ => TransactionResult::Abort,
            },
            producer_id: ProducerId::new(id),
            producer_epoch: ProducerEpoch::new(epoch),
            coordinator_epoch: CoordinatorEpoch(0),
            leader_epoch: LeaderEpoch::new(leader_epoch),
            first_offset: first.map(|first| Offset::new(first as u64)),
            origin,
        })
    }

    /// A session begins a transaction and writes records that everybody has.
    pub(crate) fn write(self, session: u16, count: u32) -> Self {
        let first = self.queued(session);
        let run = self.begin(session).add_partition(session).queue(session, count);
        let run = run.append(1, session, first, count).replicate(1);
        run.ack(session, first, count, 1)
    }

    /// The open transaction of a session ends as its application wants it, in this partition.
    pub(crate) fn end_as(self, session: u16, result: TransactionResult) -> Self {
        let run = self.ending(session, result).decide(session, result);
        run.marker(session, result).complete(session, result).ended(session, result)
    }

    /// A leader's last stable offset moves.
    pub(crate) fn stable(self, from: u64, to: u64) -> Self {
        let (from, to, partition) = (Offset::new(from), Offset::new(to), self.at());
        self.fact(Fact::LastStableOffsetAdvanced { broker: b(1), partition, from, to })
    }

    /// sendOffsetsToTransaction() returns for the first group.
    pub(crate) fn send_offset(self, session: u16, offset: u64) -> Self {
        let (transaction, partition) = (self.number(session), self.at());
        self.fact(Fact::OffsetsAddedToTransaction {
            session: SessionId::new(session),
            transaction,
            group: GroupId::new(0),
            partition,
            offset: Offset::new(offset),
        })
    }

    /// The group's coordinator has an offset that waits for the transaction.
    pub(crate) fn pend_offset(self, offset: u64) -> Self {
        let partition = self.at();
        self.fact(Fact::GroupOffsetPending {
            broker: b(1),
            group: GroupId::new(0),
            partition,
            offset: Offset::new(offset),
            producer_id: ProducerId::new(ID),
        })
    }

    /// The group's coordinator has an offset that a transaction brought.
    pub(crate) fn count_offset(self, offset: u64) -> Self {
        let partition = self.at();
        self.fact(Fact::GroupOffsetCommitted {
            broker: b(1),
            group: GroupId::new(0),
            partition,
            offset: Offset::new(offset),
            producer_id: Some(ProducerId::new(ID)),
        })
    }

    /// The group's coordinator has an offset that was committed outside of any transaction.
    pub(crate) fn commit_plainly(self, offset: u64) -> Self {
        let partition = self.at();
        self.fact(Fact::GroupOffsetCommitted {
            broker: b(1),
            group: GroupId::new(0),
            partition,
            offset: Offset::new(offset),
            producer_id: None,
        })
    }

    /// The newest partition is one of `__consumer_offsets`.
    pub(crate) fn keeping_offsets(mut self) -> Self {
        let replicas = self.description.topics[0].replicas.pop();
        let mut internal = self.description.topics[0].clone();
        internal.name = CONSUMER_OFFSETS_TOPIC.to_owned();
        internal.replicas = replicas.into_iter().collect();
        self.description.topics.push(internal);
        self
    }
}
