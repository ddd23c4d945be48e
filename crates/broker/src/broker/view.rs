//! What others may see of a broker.

use crate::broker::Broker;
use crate::broker::lifecycle::Life;
use crate::partition::Partition;
use inflight_protocol::message::AbortedTransaction;
use inflight_protocol::transaction::TransactionLogValue;
use inflight_protocol::{
    BrokerEpoch, BrokerSet, LeaderEpoch, Offset, PartitionEpoch, RecordBatch, TopicPartition,
    TransactionState, TransactionalId,
};

/// A replica at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplicaView {
    /// What it is.
    pub role: Role,
    /// The leader epoch that it knows.
    pub leader_epoch: Option<LeaderEpoch>,
    /// The partition epoch that it knows.
    pub partition_epoch: Option<PartitionEpoch>,
    /// The first offset of the log.
    pub log_start: Offset,
    /// One past the last offset of the log.
    pub log_end: Offset,
    /// The high watermark that it knows.
    pub high_watermark: Offset,
    /// The offset below which all transactions are decided and committed, as far as it knows.
    pub last_stable: Offset,
    /// The offset below which everything survives a loss of power.
    pub flushed: Offset,
    /// The committed in-sync replicas, if it leads.
    pub isr: Option<BrokerSet>,
    /// The in-sync replicas that it has proposed, if it leads and the controller has not answered.
    pub proposed_isr: Option<BrokerSet>,
}

/// What a replica is, as far as its broker knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Its broker is down, or has no metadata yet.
    Offline,
    /// It follows a leader, or knows none.
    Follower,
    /// It leads.
    Leader,
}

impl Broker {
    /// A replica of this broker at a glance. `None` if it has none of this partition.
    pub fn replica(&self, partition: TopicPartition) -> Option<ReplicaView> {
        let replica = self.hosted(partition)?;
        let leadership = replica.leadership();
        let role = match (leadership, replica.leader_epoch()) {
            (Some(_), _) => Role::Leader,
            (None, Some(_)) => Role::Follower,
            (None, None) => Role::Offline,
        };
        Some(ReplicaView {
            role,
            leader_epoch: replica.leader_epoch(),
            partition_epoch: replica.partition_epoch(),
            log_start: Offset::ZERO,
            log_end: replica.log.end(),
            high_watermark: replica.log.high_watermark(),
            last_stable: replica.log.last_stable_offset(),
            flushed: replica.log.flushed(),
            isr: leadership.map(|leadership| leadership.in_sync.committed()),
            proposed_isr: leadership.and_then(|leadership| leadership.in_sync.proposed()),
        })
    }

    /// The partition, if this broker has a replica of it.
    #[inline]
    pub(crate) fn hosted(&self, partition: TopicPartition) -> Option<&Partition> {
        self.replica_index(partition).map(|index| &self.partitions[index])
    }

    /// The batches of a replica that are in memory, in order.
    pub fn batches(&self, partition: TopicPartition) -> impl Iterator<Item = &RecordBatch> {
        let index = self.replica_index(partition);
        index.into_iter().flat_map(|index| self.partitions[index].log.batches().iter())
    }

    /// The aborted transactions of a replica with records at or behind `from` and below `upper`, in
    /// the order of their markers.
    pub fn aborted_transactions(
        &self,
        partition: TopicPartition,
        (from, upper): (Offset, Offset),
    ) -> impl Iterator<Item = AbortedTransaction> {
        let index = self.replica_index(partition).into_iter();
        index.flat_map(move |index| self.partitions[index].log.aborted_transactions(from, upper))
    }

    /// The state of a transactional id, if this broker coordinates it and has heard of it.
    pub fn transaction_state(&self, id: TransactionalId) -> Option<TransactionState> {
        let mut ids = self.transactions.loaded().flat_map(|entry| &entry.ids);
        ids.find(|metadata| metadata.id == id).map(|metadata| metadata.state)
    }

    /// A transactional id, if this broker coordinates it and has heard of it: what it is, in the form
    /// in which it is written down, and the state that is prepared and not committed.
    pub fn transaction(
        &self,
        id: TransactionalId,
    ) -> Option<(TransactionLogValue, Option<TransactionState>)> {
        let mut ids = self.transactions.loaded().flat_map(|entry| &entry.ids);
        let metadata = ids.find(|metadata| metadata.id == id)?;
        Some((metadata.current(), metadata.pending))
    }

    /// The transactions that this broker coordinates and that are open, or decided and not
    /// complete: the partition of `__transaction_state`, and the partitions without a marker.
    pub(crate) fn open_transactions(
        &self,
    ) -> impl Iterator<Item = (TopicPartition, &[TopicPartition])> {
        self.transactions.loaded().flat_map(|entry| {
            let open = entry.ids.iter().filter(|metadata| metadata.is_open());
            open.map(|metadata| (entry.partition, &metadata.partitions[..]))
        })
    }

    /// Frees the memory of the batches wholly below `offset`; the log start offset stays. To be
    /// called only with offsets below which no replica will ever read, cut or recover. Logs of
    /// internal topics stay whole: a new coordinator reads them from the beginning.
    pub fn forget_below(&mut self, partition: TopicPartition, offset: Offset) {
        if let Some(index) = self.replica_index(partition)
            && self.partitions[index].internal.is_none()
        {
            self.partitions[index].log.forget_below(offset);
        }
    }

    /// The epoch of its last registration.
    pub const fn broker_epoch(&self) -> BrokerEpoch {
        self.lifecycle.epoch()
    }

    /// How many commits of the metadata log it has applied.
    pub const fn metadata_version(&self) -> u64 {
        self.metadata_queue.applied(&self.metadata)
    }

    /// Whether a client's request is in execution, waits for others, or waits to be read.
    pub fn has_client_work(&self) -> bool {
        self.sockets.has_client_work()
    }

    /// Whether nothing is going on in this broker by itself: it runs, has applied what it has
    /// heard, awaits no answer to a proposal, and serves no client. What concerns several brokers,
    /// replication above all, is [`crate::is_settled`]'s.
    pub fn is_settled(&self) -> bool {
        let proposes = |replica: &Partition| {
            let leadership = replica.leadership();
            leadership.is_some_and(|leadership| leadership.in_sync.pending().is_some())
        };
        self.lifecycle.life == Life::Running
            && self.tasks.is_empty()
            && self.alter_partition.is_idle()
            && self.metadata_queue.is_idle()
            && !self.transactions.is_loading()
            && !self.groups.is_loading()
            && !self.groups.is_waiting()
            && !self.sockets.has_client_work()
            && !self.partitions.iter().any(proposes)
    }
}
