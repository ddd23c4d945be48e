//! Transactional ids as their coordinators know them.

use super::Coordinated;
use crate::entry::Entry;
use crate::verdict::FactRef;
use inflight_protocol::ids::{ProducerEpoch, ProducerId, TopicPartition, TransactionalId};
use inflight_protocol::transaction::CoordinatorEpoch;
use inflight_protocol::{Fact, TransactionState};

/// One transactional id.
#[derive(Debug, Default)]
pub(super) struct Id {
    state: TransactionState,
    producer: Option<(ProducerId, ProducerEpoch)>,
    term: CoordinatorEpoch,
    /// The partitions in the transaction.
    partitions: Vec<TopicPartition>,
    /// Those of them that have their marker.
    marked: Vec<TopicPartition>,
    /// Whether a change was written down that may never have been carried out.
    is_pending: bool,
    /// Whether another coordinator may have read of a change that nobody has told.
    is_uncertain: bool,
    /// Whether another coordinator read of the open transaction: it may know more of its partitions
    /// than the first one came to tell.
    was_read: bool,
    /// When its transaction was last given up for its age.
    timed_out: Option<FactRef>,
    /// The newest instance, as initTransactions() told it.
    fence: Option<(ProducerId, ProducerEpoch)>,
    /// How many times initTransactions() returned.
    instances: u32,
}

inflight_des::clone_fields!(Id {
    state,
    producer,
    term,
    partitions,
    marked,
    is_pending,
    is_uncertain,
    was_read,
    timed_out,
    fence,
    instances
});

impl Coordinated {
    fn id(&mut self, id: TransactionalId) -> &mut Id {
        if self.ids.len() <= id.index() {
            self.ids.resize_with(id.index() + 1, Id::default);
        }
        &mut self.ids[id.index()]
    }

    /// The transactional id that a producer id belongs to.
    fn owner(&self, producer: ProducerId) -> Option<&Id> {
        let is_owner = |id: &&Id| id.producer.is_some_and(|(known, _)| known == producer);
        self.ids.iter().find(is_owner)
    }

    /// Takes in a fact about transactional ids. Tells whether a fenced instance commits.
    pub(crate) fn on_id_fact(&mut self, seen: FactRef, fact: &Fact, bumps_epochs: bool) -> bool {
        match *fact {
            Fact::TransactionStatePending { transactional_id, .. } => {
                self.id(transactional_id).is_pending = true;
            }
            Fact::TransactionStateChanged {
                transactional_id,
                to,
                producer_id,
                producer_epoch,
                coordinator_epoch,
                ..
            } => {
                let fences = self.id(transactional_id).instances > 1;
                self.examined.fenced += u64::from(fences && to == TransactionState::PrepareCommit);
                let id = self.id(transactional_id);
                if coordinator_epoch >= id.term {
                    id.term = coordinator_epoch;
                    id.become_(to, (producer_id, producer_epoch));
                }
                return id.is_fenced(to, (producer_id, producer_epoch), bumps_epochs);
            }
            Fact::TransactionPartitionAdded {
                transactional_id,
                partition,
                producer_id,
                producer_epoch,
                ..
            } => {
                let id = self.id(transactional_id);
                id.producer = Some((producer_id, producer_epoch));
                id.add(partition);
            }
            Fact::TransactionVerified { partition, producer_id, error: None, .. } => {
                let is_owner = |id: &&mut Id| id.producer.is_some_and(|(id, _)| id == producer_id);
                let owner = self.ids.iter_mut().find(is_owner);
                if let Some(id) = owner.filter(|id| id.was_read) {
                    id.add(partition);
                }
            }
            Fact::TransactionTimedOut { transactional_id, .. } => {
                self.id(transactional_id).timed_out = Some(seen);
            }
            Fact::TransactionsInitialized {
                transactional_id, producer_id, producer_epoch, ..
            } => {
                let id = self.id(transactional_id);
                (id.fence, id.instances) = (Some((producer_id, producer_epoch)), id.instances + 1);
            }
            Fact::CoordinatorLoaded { .. } => {
                for id in &mut self.ids {
                    id.is_uncertain |= id.is_pending;
                    id.was_read |= id.state == TransactionState::Ongoing;
                }
            }
            _ => {}
        }
        false
    }

    /// A partition has the marker of a producer's transaction.
    pub(crate) fn note_marker(&mut self, partition: TopicPartition, producer: ProducerId) {
        let ids = self.ids.iter_mut();
        for id in ids.filter(|id| id.producer.is_some_and(|(known, _)| known == producer)) {
            id.marked.push(partition);
        }
    }

    /// When the transaction of a producer id was last given up for its age.
    pub(crate) fn timed_out(&self, producer: ProducerId) -> Option<FactRef> {
        self.owner(producer)?.timed_out
    }

    /// Whether the coordinator may have a producer's transaction with this partition in it.
    pub(crate) fn may_know(&self, partition: TopicPartition, entry: &Entry) -> bool {
        let Some(id) = entry.producer_id.and_then(|id| self.owner(id)) else { return true };
        let is_marked = id.marked.contains(&partition);
        id.is_uncertain || (id.partitions.contains(&partition) && !is_marked)
    }
}

impl Id {
    /// A partition is in the transaction.
    fn add(&mut self, partition: TopicPartition) {
        if !self.partitions.contains(&partition) {
            self.partitions.push(partition);
        }
        self.marked.retain(|known| *known != partition);
    }

    fn become_(&mut self, to: TransactionState, producer: (ProducerId, ProducerEpoch)) {
        self.state = to;
        self.producer = Some(producer);
        self.is_pending = false;
        match to {
            TransactionState::Empty
            | TransactionState::CompleteCommit
            | TransactionState::CompleteAbort
            | TransactionState::Dead => {
                self.partitions.clear();
                self.marked.clear();
                (self.is_uncertain, self.was_read) = (false, false);
            }
            TransactionState::Ongoing
            | TransactionState::PrepareCommit
            | TransactionState::PrepareAbort
            | TransactionState::PrepareEpochFence => {}
        }
    }

    /// Whether an instance that is older than the newest one commits.
    fn is_fenced(
        &self,
        to: TransactionState,
        (producer_id, epoch): (ProducerId, ProducerEpoch),
        bumps_epochs: bool,
    ) -> bool {
        let Some((newest, fence)) = self.fence else { return false };
        // A commit that raises the epoch shows the one after that of its transaction.
        let is_older = if bumps_epochs { epoch <= fence } else { epoch < fence };
        to == TransactionState::PrepareCommit && producer_id == newest && is_older
    }
}
