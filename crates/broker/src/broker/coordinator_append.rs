//! What this broker's own coordinators write to internal topics.
//!
//! Kafka: ReplicaManager.appendRecords with AppendOrigin.COORDINATOR, as TransactionStateManager
//! calls it: with `acks=all`, and a callback when that is decided. An append is a step of its own,
//! and so is what comes after it.

use crate::broker::Broker;
use crate::broker::timers::Timer;
use crate::broker::transaction_coordinator::After;
use crate::broker::work::{Progress, Task};
use crate::log::append::AppendSettings;
use crate::partition::{Waiter, Waiting};
use inflight_des::{Instant, Span};
use inflight_protocol::fact::AppendOrigin;
use inflight_protocol::transaction::{CoordinatorEpoch, InternalRecord};
use inflight_protocol::{
    Cluster, ErrorCode, Fact, FactKind, LeaderEpoch, Offset, Timestamp, TopicPartition, Turn,
};
use smallvec::SmallVec;
use std::collections::VecDeque;

/// Something to be written.
#[derive(Clone, Debug)]
pub(super) struct AppendOrder {
    pub(super) partition: TopicPartition,
    /// The coordinator's term when it was ordered.
    pub(super) epoch: CoordinatorEpoch,
    pub(super) records: SmallVec<[InternalRecord; 1]>,
    /// For how long it may be uncommitted.
    pub(super) timeout: Span,
    pub(super) then: Then,
}

/// What comes after an append.
#[derive(Clone, Debug)]
pub(super) enum Then {
    /// A transactional id has another state.
    Transition(After),
    /// Transactional ids are forgotten.
    Forget,
}

/// Something that is written and not committed.
#[derive(Clone, Debug)]
pub(super) struct WaitingAppend {
    number: u32,
    pub(super) partition: TopicPartition,
    pub(super) epoch: CoordinatorEpoch,
    pub(super) records: SmallVec<[InternalRecord; 1]>,
    deadline: Instant,
    then: Then,
}

/// The appends of this broker's coordinators.
#[derive(Debug, Default)]
pub(super) struct CoordinatorAppends {
    orders: VecDeque<AppendOrder>,
    waiting: Vec<WaitingAppend>,
    number: u32,
}

inflight_des::clone_fields!(CoordinatorAppends { orders, waiting, number } unless is_unused);

impl CoordinatorAppends {
    /// Whether it is as it was made.
    fn is_unused(&self) -> bool {
        self.number == 0 && self.orders.is_empty() && self.waiting.is_empty()
    }

    /// Forgets everything, as a process does that ends.
    pub(super) fn clear(&mut self) {
        self.orders.clear();
        self.waiting.clear();
    }
}

impl Broker {
    /// Something is to be written, when its step comes.
    pub(super) fn order_append(&mut self, order: AppendOrder) {
        self.appends.orders.push_back(order);
        self.tasks.push_back(Task::CoordinatorAppend);
    }

    /// Writes what was ordered first.
    #[inline(never)]
    pub(super) fn append_ordered(&mut self, cluster: &Cluster, turn: &mut Turn<'_>) -> Progress {
        let Some(order) = self.appends.orders.pop_front() else { return Progress::Volatile };
        let written =
            self.check_order(&order).and_then(|()| self.write_order(cluster, turn, &order));
        let number = self.appends.number;
        self.appends.number = number.wrapping_add(1);
        let deadline = turn.now() + order.timeout;
        let AppendOrder { partition, epoch, records, then, .. } = order;
        let append = WaitingAppend { number, partition, epoch, records, deadline, then };
        match written {
            Err(error) => {
                self.append_done(cluster, turn, append, Some(error));
                Progress::Volatile
            }
            Ok(required) => {
                self.appends.waiting.push(append);
                match self.judge_produce(partition, required) {
                    Some(verdict) => self.tasks.push_back(Task::Appended(number, verdict)),
                    None => {
                        let who = Waiter::Append(number);
                        self.watch(partition, Waiting { required, who });
                        self.timers.arm(Timer::Append, deadline);
                    }
                }
                Progress::Durable
            }
        }
    }

    /// Returns the high watermark that commits it.
    fn write_order(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        order: &AppendOrder,
    ) -> Result<Offset, ErrorCode> {
        let index = self.hosted_index(order.partition)?;
        let epoch = self.writable_epoch(index)?;
        let replica = &mut self.partitions[index];
        let (topic, config) = (replica.config(cluster), cluster.broker(self.id));
        let settings = AppendSettings::new(topic, config, cluster.defects);
        let at = (epoch, Timestamp::at(turn.now()));
        let done = replica.log.append_records(&order.records, None, at, settings)?;
        let written = (&done.batch, done.completed);
        let change = self.appended(cluster, turn, index, written, AppendOrigin::Coordinator);
        self.did_pend(turn, order);
        self.wake_after(cluster, turn, order.partition, change);
        Ok(done.batch.next_offset())
    }

    /// The epoch of a leader that may write with `acks=all`.
    /// Kafka: Partition.appendRecordsToLeader.
    pub(super) fn writable_epoch(&self, index: usize) -> Result<LeaderEpoch, ErrorCode> {
        let replica = &self.partitions[index];
        let leadership = replica.leadership().ok_or(ErrorCode::NotLeaderOrFollower)?;
        if replica.is_under_min_isr(leadership) {
            return Err(ErrorCode::NotEnoughReplicas);
        }
        Ok(leadership.epoch)
    }

    /// An append is committed, or will not be.
    #[inline(never)]
    pub(super) fn append_decided(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        number: u32,
        verdict: Option<ErrorCode>,
    ) {
        let waiting = &mut self.appends.waiting;
        if let Some(index) = waiting.iter().position(|append| append.number == number) {
            let append = waiting.remove(index);
            self.append_done(cluster, turn, append, verdict);
        }
    }

    /// What the roles of replicas have decided reaches the coordinators before they learn that they
    /// are elected or resign. Kafka: Partition.makeLeader and ReplicaManager.applyLocalFollowersDelta
    /// complete delayed operations, BrokerMetadataPublisher tells coordinators after that.
    pub(super) fn decide_appends(&mut self, cluster: &Cluster, turn: &mut Turn<'_>) {
        let is_decided = |task: &Task| matches!(task, Task::Appended(..));
        while let Some(place) = self.tasks.iter().position(is_decided) {
            if let Some(Task::Appended(number, verdict)) = self.tasks.remove(place) {
                self.append_decided(cluster, turn, number, verdict);
            }
        }
    }

    fn append_done(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        mut append: WaitingAppend,
        error: Option<ErrorCode>,
    ) {
        match std::mem::replace(&mut append.then, Then::Forget) {
            Then::Transition(after) => self.transition_done(cluster, turn, append, after, error),
            Then::Forget => self.tombstones_done(turn, &append, error),
        }
    }

    /// Some appends may have waited for too long.
    pub(super) fn expire_appends(&mut self, cluster: &Cluster, turn: &mut Turn<'_>) {
        let now = turn.now();
        let mut index = 0;
        while let Some(append) = self.appends.waiting.get(index) {
            if append.deadline > now {
                self.timers.arm(Timer::Append, append.deadline);
                index += 1;
                continue;
            }
            let append = self.appends.waiting.remove(index);
            let who = Waiter::Append(append.number);
            if let Some(replica) = self.replica_index(append.partition) {
                self.partitions[replica].waiting.retain(|waiting| waiting.who != who);
            }
            self.append_done(cluster, turn, append, Some(ErrorCode::RequestTimedOut));
        }
    }

    /// Forgets producer ids that have expired by now in a log that is about to be written.
    pub(super) fn expire_producers(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        index: usize,
    ) {
        let (broker, expiration) = (self.id, crate::log::expiration(cluster.broker(self.id)));
        let replica = &mut self.partitions[index];
        let partition = replica.id;
        replica.log.expire_producers(turn.now(), expiration, |producer_id| {
            turn.did(FactKind::ProducerStateExpired.set(), || Fact::ProducerStateExpired {
                broker,
                partition,
                producer_id,
            });
        });
    }
}
