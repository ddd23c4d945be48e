//! Which transactional ids a broker coordinates, and how they get into the log and out of it.
//!
//! Kafka: coordinator/transaction/TransactionStateManager. A broker coordinates the ids of the
//! partitions of `__transaction_state` that it leads, once it has read them to their end. A change
//! of state counts when it is committed.

use crate::broker::Broker;
use crate::broker::coordinator_append::{AppendOrder, Then, WaitingAppend};
use crate::broker::timers::Timer;
use crate::broker::transaction_coordinator::After;
use crate::broker::work::Task;
use crate::transaction_metadata::TransactionMetadata;
use inflight_des::{Instant, Span};
use inflight_protocol::transaction::{
    CoordinatorEpoch, CoordinatorKey, InternalRecord, TransactionLogValue,
};
use inflight_protocol::{
    Cluster, ErrorCode, Fact, FactKind, LeaderEpoch, TopicPartition, TransactionState,
    TransactionalId, Turn,
};

/// The ids that this broker coordinates, by partition. Kafka: transactionMetadataCache and
/// loadingPartitions.
#[derive(Debug, Default)]
pub(super) struct TransactionStateManager {
    entries: Vec<CacheEntry>,
    /// Where the looks for timed-out transactions and for expired ids fall in their periods.
    pub(super) abort_phase: Option<Span>,
    pub(super) expire_phase: Option<Span>,
}

inflight_des::clone_fields!(TransactionStateManager { entries, abort_phase, expire_phase } unless is_unused);

/// The ids of one partition. Kafka: TxnMetadataCacheEntry.
#[derive(Clone, Debug)]
pub(super) struct CacheEntry {
    pub(super) partition: TopicPartition,
    pub(super) epoch: CoordinatorEpoch,
    stage: LoadStage,
    /// In ascending order.
    pub(super) ids: Vec<TransactionMetadata>,
}

/// Whether a partition was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LoadStage {
    /// It will be, at that instant.
    Loading(Instant),
    /// It was.
    Loaded,
}

impl TransactionStateManager {
    /// Whether it is as it was made.
    fn is_unused(&self) -> bool {
        self.entries.is_empty() && self.abort_phase.is_none() && self.expire_phase.is_none()
    }

    /// In a settled cluster nothing is to be loaded.
    pub(super) fn settled(&mut self, partition: TopicPartition, epoch: LeaderEpoch) {
        let (epoch, stage) = (CoordinatorEpoch(epoch.get()), LoadStage::Loaded);
        self.entries.push(CacheEntry { partition, epoch, stage, ids: Vec::new() });
    }

    fn position(&self, partition: TopicPartition) -> Option<usize> {
        self.entries.iter().position(|entry| entry.partition == partition)
    }

    /// The ids of a partition, or why there are none.
    pub(super) fn entry(
        &mut self,
        partition: TopicPartition,
    ) -> Result<&mut CacheEntry, ErrorCode> {
        let index = self.position(partition).ok_or(ErrorCode::NotCoordinator)?;
        match self.entries[index].stage {
            LoadStage::Loading(_) => Err(ErrorCode::CoordinatorLoadInProgress),
            LoadStage::Loaded => Ok(&mut self.entries[index]),
        }
    }

    /// All partitions that are loaded.
    pub(super) fn loaded(&self) -> impl Iterator<Item = &CacheEntry> + Clone {
        self.entries.iter().filter(|entry| entry.stage == LoadStage::Loaded)
    }

    /// As [`TransactionStateManager::loaded`], to change them.
    pub(super) fn loaded_mut(&mut self) -> impl Iterator<Item = &mut CacheEntry> {
        self.entries.iter_mut().filter(|entry| entry.stage == LoadStage::Loaded)
    }

    /// Forgets everything, as a process does that ends.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        (self.abort_phase, self.expire_phase) = (None, None);
    }

    /// Whether a partition is being loaded.
    pub(super) fn is_loading(&self) -> bool {
        self.entries.iter().any(|entry| entry.stage != LoadStage::Loaded)
    }
}

impl CacheEntry {
    /// Where an id is, or belongs.
    fn find(&self, id: TransactionalId) -> Result<usize, usize> {
        self.ids.binary_search_by_key(&id, |metadata| metadata.id)
    }

    /// An id.
    pub(super) fn get(&mut self, id: TransactionalId) -> Option<&mut TransactionMetadata> {
        let index = self.find(id).ok()?;
        Some(&mut self.ids[index])
    }

    /// Adds an id that is not there.
    pub(super) fn insert(&mut self, metadata: TransactionMetadata) {
        if let Err(index) = self.find(metadata.id) {
            self.ids.insert(index, metadata);
        }
    }

    fn remove(&mut self, id: TransactionalId) {
        if let Ok(index) = self.find(id) {
            self.ids.remove(index);
        }
    }
}

/// The partition of `__transaction_state` that an id belongs to.
pub(super) fn partition_of(cluster: &Cluster, id: TransactionalId) -> TopicPartition {
    cluster.coordinated.partition(CoordinatorKey::Transaction(id))
}

/// What the caller of an append is told for an error of the log.
/// Kafka: appendTransactionToLog.
const fn coordinator_error(error: ErrorCode) -> ErrorCode {
    match error {
        ErrorCode::UnknownTopicOrPartition
        | ErrorCode::NotEnoughReplicas
        | ErrorCode::NotEnoughReplicasAfterAppend
        | ErrorCode::RequestTimedOut => ErrorCode::CoordinatorNotAvailable,
        ErrorCode::NotLeaderOrFollower | ErrorCode::KafkaStorageError => ErrorCode::NotCoordinator,
        ErrorCode::MessageTooLarge | ErrorCode::RecordListTooLarge => ErrorCode::UnknownServerError,
        _ => error,
    }
}

impl Broker {
    /// This broker leads a partition of `__transaction_state` in a new epoch: it reads it, and
    /// meanwhile has no answers. Kafka: TransactionCoordinator.onElection,
    /// loadTransactionsForTxnTopicPartition.
    pub(super) fn elected_coordinator(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        partition: TopicPartition,
        epoch: LeaderEpoch,
    ) {
        let epoch = CoordinatorEpoch(epoch.get());
        let known = self.transactions.position(partition);
        if known.is_some_and(|index| self.transactions.entries[index].epoch == epoch) {
            return;
        }
        self.remove_markers_of(cluster, partition);
        let config = cluster.broker(self.id);
        let stream = self.streams.coordinator_load_time;
        let until = turn.now() + turn.chance().delay(stream, &config.coordinator_load_time);
        let stage = LoadStage::Loading(until);
        let entry = CacheEntry { partition, epoch, stage, ids: Vec::new() };
        match known {
            Some(index) => self.transactions.entries[index] = entry,
            None => self.transactions.entries.push(entry),
        }
        if until == turn.now() {
            self.tasks.push_back(Task::LoadTransactions(partition));
        } else {
            self.timers.arm(Timer::Load, until);
        }
    }

    /// This broker does not lead the partition any more. Kafka: TransactionCoordinator.onResignation.
    pub(super) fn resigned_coordinator(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        partition: TopicPartition,
    ) {
        let Some(index) = self.transactions.position(partition) else { return };
        self.transactions.entries.remove(index);
        self.remove_markers_of(cluster, partition);
        let broker = self.id;
        turn.did(FactKind::CoordinatorUnloaded.set(), || Fact::CoordinatorUnloaded {
            broker,
            partition,
        });
    }

    /// The time to read some partitions is over.
    pub(super) fn loads_due(&mut self, now: Instant) {
        for index in 0..self.transactions.entries.len() {
            let entry = &self.transactions.entries[index];
            match entry.stage {
                LoadStage::Loading(until) if until <= now => {
                    self.tasks.push_back(Task::LoadTransactions(entry.partition));
                }
                LoadStage::Loading(until) => self.timers.arm(Timer::Load, until),
                LoadStage::Loaded => {}
            }
        }
    }

    /// A partition is read to the end of its log: what lies above the high watermark counts. The
    /// last record of each id says what it is; whatever is decided gets its markers.
    #[inline(never)]
    pub(super) fn load_transactions(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        partition: TopicPartition,
    ) {
        let Some(index) = self.transactions.position(partition) else { return };
        let is_due = matches!(self.transactions.entries[index].stage,
            LoadStage::Loading(until) if until <= turn.now());
        let Some(replica) = self.replica_index(partition).filter(|_| is_due) else { return };
        let log = &self.partitions[replica].log;
        let entry = &mut self.transactions.entries[index];
        for value in log.batches().iter().flat_map(|batch| log.values_of(batch)) {
            match value {
                InternalRecord::Transaction(value) => {
                    entry.remove(value.id);
                    entry.insert(TransactionMetadata::read(value, cluster.transaction_version));
                }
                InternalRecord::TransactionForgotten(id) => entry.remove(*id),
                InternalRecord::Offset(_)
                | InternalRecord::Group(_)
                | InternalRecord::GroupForgotten(_)
                | InternalRecord::ConsumerGroup(..) => {}
            }
        }
        entry.stage = LoadStage::Loaded;
        let (broker, coordinator_epoch) = (self.id, entry.epoch);
        turn.did(FactKind::CoordinatorLoaded.set(), || Fact::CoordinatorLoaded {
            broker,
            partition,
            coordinator_epoch,
        });
        let decided = entry.ids.iter().filter(|metadata| metadata.decided().is_some());
        let decided: Vec<_> = decided.map(|metadata| metadata.id).collect();
        for id in decided {
            self.add_markers_to_send(cluster, turn, id);
        }
        self.watch_transactions(cluster, turn);
    }

    /// Writes down a prepared change of state. Kafka: appendTransactionToLog.
    pub(super) fn append_transition(
        &mut self,
        cluster: &Cluster,
        epoch: CoordinatorEpoch,
        value: TransactionLogValue,
        after: After,
    ) {
        let timeout = Span::from_millis(u64::from(value.timeout_ms));
        let partition = partition_of(cluster, value.id);
        let records = smallvec::smallvec![InternalRecord::Transaction(Box::new(value))];
        let then = Then::Transition(after);
        self.order_append(AppendOrder { partition, epoch, records, timeout, then });
    }

    /// Whether this broker still coordinates what it is about to write down.
    pub(super) fn check_order(&mut self, order: &AppendOrder) -> Result<(), ErrorCode> {
        let entry = self.transactions.entry(order.partition)?;
        let is_current = entry.epoch == order.epoch;
        is_current.then_some(()).ok_or(ErrorCode::NotCoordinator)
    }

    /// Says what was written down.
    pub(super) fn did_pend(&mut self, turn: &mut Turn<'_>, order: &AppendOrder) {
        let broker = self.id;
        let Ok(entry) = self.transactions.entry(order.partition) else { return };
        for record in &order.records {
            let (id, to) = match record {
                InternalRecord::Transaction(value) => (value.id, value.state),
                InternalRecord::TransactionForgotten(id) => (*id, TransactionState::Dead),
                InternalRecord::Offset(_)
                | InternalRecord::Group(_)
                | InternalRecord::GroupForgotten(_)
                | InternalRecord::ConsumerGroup(..) => continue,
            };
            let Some(metadata) = entry.get(id) else { continue };
            let producer = match record {
                InternalRecord::Transaction(value) => (value.producer_id, value.producer_epoch),
                _ => (metadata.producer_id, metadata.epoch()),
            };
            let from = metadata.state;
            turn.did(FactKind::TransactionStatePending.set(), || Fact::TransactionStatePending {
                broker,
                transactional_id: id,
                from,
                to,
                producer_id: producer.0,
                producer_epoch: producer.1,
            });
        }
    }

    /// A change of state is committed, or could not be written.
    /// Kafka: updateCacheCallback in appendTransactionToLog.
    pub(super) fn transition_done(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        append: WaitingAppend,
        after: After,
        error: Option<ErrorCode>,
    ) {
        let mut error = error.map(coordinator_error);
        let Some(InternalRecord::Transaction(value)) = append.records.into_iter().next() else {
            return;
        };
        let broker = self.id;
        let entry = self.transactions.entry(append.partition);
        match entry.map(|entry| (entry.epoch, entry.get(value.id))) {
            Ok((epoch, Some(metadata))) if epoch == append.epoch => {
                if error.is_none() && metadata.pending != Some(value.state) {
                    // Tombstones of an earlier term have failed meanwhile. Kafka's callback throws,
                    // and nobody is told.
                    return;
                }
                let keeps_pending = matches!(after, After::Complete(_))
                    && error == Some(ErrorCode::CoordinatorNotAvailable);
                if error.is_none() {
                    let before = (metadata.state, metadata.partitions.clone());
                    metadata.complete((*value).clone());
                    did_change(turn, broker, metadata, before, epoch);
                } else if !keeps_pending {
                    metadata.pending = None;
                }
            }
            Ok(_) => error = error.or(Some(ErrorCode::NotCoordinator)),
            Err(other) => error = error.or(Some(other)),
        }
        if error.is_none() {
            self.watch_transaction(cluster, turn, &value);
        }
        self.transition_is_over(cluster, turn, &value, after, error);
    }

    /// The tombstones of expired ids are committed, or could not be written.
    /// Kafka: writeTombstonesForExpiredTransactionalIds.
    pub(super) fn tombstones_done(
        &mut self,
        turn: &mut Turn<'_>,
        append: &WaitingAppend,
        error: Option<ErrorCode>,
    ) {
        let broker = self.id;
        let Ok(entry) = self.transactions.entry(append.partition) else { return };
        let coordinator_epoch = entry.epoch;
        for record in &append.records {
            let InternalRecord::TransactionForgotten(id) = record else { continue };
            // Kafka's callback fails at an id that is not there any more.
            let Some(metadata) = entry.get(*id) else { return };
            let is_as_it_was = coordinator_epoch == append.epoch
                && metadata.pending == Some(TransactionState::Dead);
            if !is_as_it_was || error.is_some() {
                // Even if a later term has prepared something else meanwhile.
                metadata.pending = None;
                continue;
            }
            let (from, producer_id, epoch) =
                (metadata.state, metadata.producer_id, metadata.epoch());
            turn.did(FactKind::TransactionStateChanged.set(), || Fact::TransactionStateChanged {
                broker,
                transactional_id: *id,
                from,
                to: TransactionState::Dead,
                producer_id,
                producer_epoch: epoch,
                coordinator_epoch,
            });
            entry.remove(*id);
        }
    }
}

fn did_change(
    turn: &mut Turn<'_>,
    broker: inflight_protocol::BrokerId,
    metadata: &TransactionMetadata,
    (from, before): (TransactionState, crate::transaction_metadata::Partitions),
    coordinator_epoch: CoordinatorEpoch,
) {
    let (transactional_id, producer_id) = (metadata.id, metadata.producer_id);
    turn.did(FactKind::TransactionStateChanged.set(), || Fact::TransactionStateChanged {
        broker,
        transactional_id,
        from,
        to: metadata.state,
        producer_id,
        producer_epoch: metadata.epoch(),
        coordinator_epoch,
    });
    let added = metadata.partitions.iter().filter(|partition| !before.contains(partition));
    for partition in added {
        turn.did(FactKind::TransactionPartitionAdded.set(), || Fact::TransactionPartitionAdded {
            broker,
            transactional_id,
            partition: *partition,
            producer_id,
            producer_epoch: metadata.epoch(),
        });
    }
}
