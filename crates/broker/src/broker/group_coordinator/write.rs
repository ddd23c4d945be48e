//! What a group coordinator writes to its partition. Kafka: CoordinatorPartitionWriter.append.
//!
//! What is to be written is written in a step of its own, right after the one that wants it.

use super::{Deferred, Reply};
use crate::broker::Broker;
use crate::broker::timers::Timer;
use crate::broker::work::{Progress, Task};
use crate::log::append::AppendSettings;
use crate::log::verification::VerificationGuard;
use inflight_protocol::fact::AppendOrigin;
use inflight_protocol::transaction::InternalRecord;
use inflight_protocol::{
    Cluster, ErrorCode, Fact, FactKind, LeaderEpoch, Offset, ProducerId, ProducerIdAndEpoch,
    RecordBatch, Timestamp, TopicPartition, TransactionResult, Turn,
};
use smallvec::SmallVec;

/// A producer whose transaction something is written in, with the guard of its verification.
pub(super) type InTransaction = Option<(ProducerIdAndEpoch, Option<VerificationGuard>)>;

/// Something to be written.
#[derive(Clone, Debug)]
pub(in crate::broker) struct GroupOrder {
    partition: TopicPartition,
    /// The term in which it was ordered.
    epoch: LeaderEpoch,
    records: SmallVec<[InternalRecord; 1]>,
    transaction: InTransaction,
    replies: SmallVec<[Reply; 2]>,
}

impl Broker {
    /// Something is to be written, before anything else happens.
    pub(super) fn order_group_write(
        &mut self,
        partition: TopicPartition,
        records: SmallVec<[InternalRecord; 1]>,
        transaction: InTransaction,
        replies: SmallVec<[Reply; 2]>,
    ) {
        let epoch = self.groups.context(partition).map(|context| context.epoch);
        let epoch = epoch.unwrap_or_default();
        let order = GroupOrder { partition, epoch, records, transaction, replies };
        // In the order of the orders, and before whatever else is queued.
        let behind = self.groups.orders.len();
        self.groups.orders.push_back(order);
        self.tasks.insert(behind.min(self.tasks.len()), Task::GroupWrite);
    }

    /// Writes what was ordered first.
    #[inline(never)]
    pub(in crate::broker) fn write_group_order(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
    ) -> Progress {
        let Some(order) = self.groups.orders.pop_front() else { return Progress::Volatile };
        let partition = order.partition;
        match self.write_groups(cluster, turn, &order) {
            Err(error) => {
                for reply in order.replies {
                    self.reply(cluster, turn, partition, reply, Some(error));
                }
                Progress::Volatile
            }
            Ok(()) => {
                let deadline = turn.now() + cluster.broker(self.id).offsets_commit_timeout;
                if let Some(context) = self.groups.context(partition) {
                    let required = context.written;
                    let wanted = order.replies.into_iter();
                    let wanted = wanted.filter(|reply| !matches!(reply, Reply::Nothing));
                    let deferred = wanted.map(|reply| Deferred { required, deadline, reply });
                    context.deferred.extend(deferred);
                    self.timers.arm(Timer::Groups, deadline);
                }
                self.tasks.push_back(Task::GroupsCommitted(partition));
                Progress::Durable
            }
        }
    }

    fn write_groups(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        order: &GroupOrder,
    ) -> Result<(), ErrorCode> {
        let partition = order.partition;
        let is_current = self.groups.active(partition)?.epoch == order.epoch;
        let index = self.replica_index(partition).ok_or(ErrorCode::NotCoordinator)?;
        let leadership = self.partitions[index].leadership().filter(|_| is_current);
        let epoch = leadership.ok_or(ErrorCode::NotCoordinator)?.epoch;
        self.expire_producers(cluster, turn, index);
        let replica = &mut self.partitions[index];
        let (topic, config) = (replica.config(cluster), cluster.broker(self.id));
        let settings = AppendSettings::new(topic, config, cluster.defects);
        let at = (epoch, Timestamp::at(turn.now()));
        let (records, transaction) = (&order.records, order.transaction);
        let done = replica.log.append_records(records, transaction, at, settings);
        let done = done.map_err(coordinator_error)?;
        let written = (&done.batch, done.completed);
        let change = self.appended(cluster, turn, index, written, AppendOrigin::Coordinator);
        let producer = transaction.map(|(producer, _)| producer.id);
        self.replay_groups(turn, partition, &done.batch, (records, producer));
        self.wake_after(cluster, turn, partition, change);
        Ok(())
    }

    /// What was written counts from now on. Kafka: GroupCoordinatorShard.replay. A group itself is
    /// in memory as it is, with whoever waits for it, but for those of the consumer protocol.
    fn replay_groups(
        &mut self,
        turn: &mut Turn<'_>,
        partition: TopicPartition,
        batch: &RecordBatch,
        (records, producer): (&[InternalRecord], Option<ProducerId>),
    ) {
        let broker = self.id;
        let Some(context) = self.groups.context(partition) else { return };
        context.written = batch.next_offset();
        for (place, record) in records.iter().enumerate() {
            let committed = match record {
                InternalRecord::Offset(committed) => committed,
                InternalRecord::ConsumerGroup(..) | InternalRecord::GroupForgotten(_) => {
                    context.shard.replay(record, None, batch.base_offset, 0);
                    continue;
                }
                _ => continue,
            };
            let at = batch.base_offset.plus(place as u64);
            context.shard.offsets_mut().replay(*committed, producer, at);
            let (group, of, offset) = (committed.group, committed.partition, committed.offset);
            match producer {
                None => {
                    did_commit(turn, broker, *committed, None);
                }
                Some(producer_id) => {
                    turn.did(FactKind::GroupOffsetPending.set(), || Fact::GroupOffsetPending {
                        broker,
                        group,
                        partition: of,
                        offset,
                        producer_id,
                    });
                }
            }
        }
    }

    /// A marker was written to a partition of `__consumer_offsets`: the offsets of the transaction
    /// count, or are nothing. Kafka: replayEndTransactionMarker.
    pub(in crate::broker) fn group_marker_written(
        &mut self,
        turn: &mut Turn<'_>,
        partition: TopicPartition,
        (producer, result): (ProducerId, TransactionResult),
        end: Offset,
    ) {
        let broker = self.id;
        let Some(context) = self.groups.context(partition) else { return };
        context.written = end;
        for committed in context.shard.offsets_mut().end_transaction(producer, result) {
            did_commit(turn, broker, committed, Some(producer));
        }
    }

    /// Whether a marker may be written to a partition: to one of `__consumer_offsets` only by its
    /// coordinator. Kafka: GroupCoordinatorService.completeTransaction, and what
    /// KafkaApis.handleWriteTxnMarkersRequest makes of its errors.
    pub(in crate::broker) fn check_group_marker(
        &mut self,
        partition: TopicPartition,
    ) -> Result<(), ErrorCode> {
        self.groups.active(partition).map(|_| ()).map_err(|_| ErrorCode::NotLeaderOrFollower)
    }
}

fn did_commit(
    turn: &mut Turn<'_>,
    broker: inflight_protocol::BrokerId,
    committed: inflight_protocol::transaction::CommittedOffset,
    producer_id: Option<ProducerId>,
) {
    let (group, partition, offset) = (committed.group, committed.partition, committed.offset);
    turn.did(FactKind::GroupOffsetCommitted.set(), || Fact::GroupOffsetCommitted {
        broker,
        group,
        partition,
        offset,
        producer_id,
    });
}

/// What a client is told of an error of the log.
/// Kafka: CoordinatorOperationExceptionHelper.handleOperationException.
pub(super) const fn coordinator_error(error: ErrorCode) -> ErrorCode {
    match error {
        ErrorCode::NetworkException => ErrorCode::CoordinatorLoadInProgress,
        ErrorCode::UnknownTopicOrPartition
        | ErrorCode::NotEnoughReplicas
        | ErrorCode::RequestTimedOut => ErrorCode::CoordinatorNotAvailable,
        ErrorCode::NotLeaderOrFollower | ErrorCode::KafkaStorageError => ErrorCode::NotCoordinator,
        ErrorCode::MessageTooLarge
        | ErrorCode::RecordListTooLarge
        | ErrorCode::InvalidFetchSize => ErrorCode::UnknownServerError,
        _ => error,
    }
}
