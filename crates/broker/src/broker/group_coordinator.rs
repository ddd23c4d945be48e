//! The group coordinator: which partitions of `__consumer_offsets` it has, and how what it writes
//! is committed.
//!
//! Kafka: coordinator-common CoordinatorRuntime with GroupCoordinatorService on it. State is changed
//! when it is written; whoever waits is answered when the high watermark has passed what was written
//! last. Coordinator records are written as with `acks=1`: min.insync.replicas is not looked at.

mod handle;
mod load;
mod offsets;
mod refuse;
mod tell;
mod write;

pub(super) use write::GroupOrder;

use crate::broker::Broker;
use crate::broker::timers::Timer;
use crate::broker::work::Task;
use crate::group::classic::{GroupState, Member};
use crate::group::shard::GroupShard;
use crate::group::{Action, AfterWrite, Due, Rules};
use inflight_des::{Instant, Span};
use inflight_protocol::message::CommittedResult;
use inflight_protocol::transaction::{CommittedOffset, GroupMember, InternalRecord, MemberId};
use inflight_protocol::{
    Cluster, ConnectionId, CorrelationId, ErrorCode, GroupId, LeaderEpoch, Offset, Request,
    Response, Timestamp, TopicPartition, Turn,
};
use smallvec::SmallVec;
use std::collections::VecDeque;

/// The partitions of `__consumer_offsets` that this broker coordinates.
#[derive(Debug, Default)]
pub(super) struct GroupCoordinator {
    entries: Vec<Context>,
    orders: VecDeque<GroupOrder>,
}

inflight_des::clone_fields!(GroupCoordinator { entries, orders } unless is_unused);

/// One of them. Kafka: CoordinatorRuntime.CoordinatorContext.
#[derive(Debug)]
struct Context {
    partition: TopicPartition,
    epoch: LeaderEpoch,
    stage: Stage,
    shard: GroupShard,
    /// One past the last offset that was written. Kafka: lastWrittenOffset.
    written: Offset,
    /// Kafka: deferredEventQueue.
    deferred: VecDeque<Deferred>,
}

inflight_des::clone_fields!(Context { partition, epoch, stage, shard, written, deferred });

/// Whether a partition was read. Kafka: CoordinatorState.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It will be, at that instant.
    Loading(Instant),
    /// It was.
    Active,
}

/// An answer that waits until what was written before it is committed.
#[derive(Clone, Debug)]
struct Deferred {
    /// The high watermark that it waits for.
    required: Offset,
    deadline: Instant,
    reply: Reply,
}

/// What follows when something is committed, or is not.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// Nothing.
    Nothing,
    /// The request in this slot is answered so.
    Respond(u32, Box<Response>),
    /// The request in this slot is answered by others; but with an error if it waits by then.
    Otherwise(u32, ConnectionId, CorrelationId),
    /// A timer of a member runs again, but for errors that mean that others have the group.
    Again(Due),
    /// The members of a generation get their partitions.
    Assign(GroupId, u32, Vec<GroupMember>),
}

/// A group at a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupView {
    /// Its generation or group epoch.
    pub generation: u32,
    /// Its members, the first one first.
    pub members: Vec<MemberId>,
    /// Whether all of them have their partitions.
    pub is_stable: bool,
}

impl Context {
    const fn is_active(&self) -> bool {
        matches!(self.stage, Stage::Active)
    }
}

impl GroupCoordinator {
    /// Whether it is as it was made.
    fn is_unused(&self) -> bool {
        self.entries.is_empty() && self.orders.is_empty()
    }

    /// In a settled cluster nothing is to be loaded.
    pub(super) fn settled(&mut self, partition: TopicPartition, epoch: LeaderEpoch) {
        self.entries.push(Context {
            partition,
            epoch,
            stage: Stage::Active,
            shard: GroupShard::new(epoch),
            written: Offset::ZERO,
            deferred: VecDeque::new(),
        });
    }

    /// Forgets everything, as a process does that ends.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.orders.clear();
    }

    fn position(&self, partition: TopicPartition) -> Option<usize> {
        self.entries.iter().position(|context| context.partition == partition)
    }

    fn context(&mut self, partition: TopicPartition) -> Option<&mut Context> {
        let place = self.position(partition)?;
        Some(&mut self.entries[place])
    }

    /// A partition that is read, or why there is none.
    /// Kafka: CoordinatorRuntime.withActiveContextOrThrow.
    fn active(&mut self, partition: TopicPartition) -> Result<&mut Context, ErrorCode> {
        let context = self.context(partition).ok_or(ErrorCode::NotCoordinator)?;
        match context.stage {
            Stage::Loading(_) => Err(ErrorCode::CoordinatorLoadInProgress),
            Stage::Active => Ok(context),
        }
    }

    /// Whether a partition is being read.
    pub(super) fn is_loading(&self) -> bool {
        !self.entries.iter().all(Context::is_active)
    }

    /// Whether something is written and not committed, or is to be written, or a group is on its
    /// way from one assignment to another.
    pub(super) fn is_waiting(&self) -> bool {
        let waits =
            |context: &Context| !context.deferred.is_empty() || context.shard.is_rebalancing();
        !self.orders.is_empty() || self.entries.iter().any(waits)
    }

    /// The offsets that are committed, as far as this broker coordinates them.
    pub(super) fn committed(&self) -> impl Iterator<Item = &CommittedOffset> {
        self.entries.iter().flat_map(|context| context.shard.committed())
    }

    /// A committed offset, if this broker coordinates the group.
    pub(super) fn fetch(
        &mut self,
        partition: TopicPartition,
        group: GroupId,
        of: TopicPartition,
    ) -> CommittedResult {
        self.active(partition)?.shard.fetch(group, of)
    }
}

impl Broker {
    /// The clock and the settings of groups.
    fn group_clock(&self, cluster: &Cluster, turn: &Turn<'_>) -> (i64, Rules) {
        (Timestamp::at(turn.now()).get(), Rules::of(cluster.broker(self.id)))
    }

    /// Whether all that this coordinator has written to a partition is committed.
    fn is_caught_up(&self, context: &Context) -> bool {
        let index = self.replica_index(context.partition);
        index.is_some_and(|index| self.partitions[index].log.high_watermark() >= context.written)
    }

    /// Carries out what follows from a request or from time. `reply` is for whoever caused it, and
    /// waits for whatever is to be written. Kafka: CoordinatorRuntime's append.
    fn carry_out(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        partition: TopicPartition,
        actions: Vec<Action>,
        reply: Reply,
    ) {
        let mut reply = Some(reply);
        for action in actions {
            match action {
                Action::Join(slot, response) => {
                    self.answer_group(turn, slot, Response::JoinGroup(Box::new(response)));
                }
                Action::Sync(slot, response) => {
                    self.answer_group(turn, slot, Response::SyncGroup(response));
                }
                Action::Write(value, after) => {
                    let mut replies: SmallVec<[Reply; 2]> = SmallVec::new();
                    if let AfterWrite::Assign(generation) = after {
                        let shares = value.members.iter().map(|member| member.assigned.clone());
                        replies.push(Reply::Assign(value.group, generation, shares.collect()));
                    }
                    replies.extend(reply.take());
                    let records = smallvec::smallvec![InternalRecord::Group(Box::new(value))];
                    self.order_group_write(partition, records, None, replies);
                }
                Action::WriteConsumerGroup(group, records) => {
                    let records = records.into_iter();
                    let records =
                        records.map(|record| InternalRecord::ConsumerGroup(group, record));
                    let replies = reply.take().into_iter().collect();
                    self.order_group_write(partition, records.collect(), None, replies);
                }
                Action::Again(due) => reply = Some(Reply::Again(due)),
                Action::ForgetClassic(group) => {
                    let records = smallvec::smallvec![InternalRecord::GroupForgotten(group)];
                    self.order_group_write(partition, records, None, SmallVec::new());
                }
                Action::Joined(..)
                | Action::Removed(..)
                | Action::Rebalanced(..)
                | Action::Targeted(..)
                | Action::Reconciled(..) => self.tell_group(turn, &action),
            }
        }
        if let Some(reply) = reply {
            self.reply_when_committed(cluster, turn, partition, reply);
        }
        self.arm_groups(turn.now());
    }

    /// Nothing was to be written: the answer waits only for what was written before.
    fn reply_when_committed(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        partition: TopicPartition,
        reply: Reply,
    ) {
        let Some(place) = self.groups.position(partition) else { return };
        let is_caught_up = self.is_caught_up(&self.groups.entries[place]);
        if matches!(reply, Reply::Nothing) {
            return;
        }
        if is_caught_up {
            return self.reply(cluster, turn, partition, reply, None);
        }
        let deadline = turn.now() + cluster.broker(self.id).offsets_commit_timeout;
        let context = &mut self.groups.entries[place];
        let required = context.written;
        context.deferred.push_back(Deferred { required, deadline, reply });
        self.timers.arm(Timer::Groups, deadline);
    }

    /// Something is committed, or will not be.
    fn reply(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        partition: TopicPartition,
        reply: Reply,
        error: Option<ErrorCode>,
    ) {
        match reply {
            Reply::Nothing => {}
            Reply::Respond(slot, response) => match error {
                None => self.answer_group(turn, slot, *response),
                Some(ErrorCode::CoordinatorNotAvailable)
                    if matches!(self.sockets[slot].request, Request::OffsetFetch(_)) =>
                {
                    // Kafka: handleOffsetFetchException.
                    self.refuse_group_request(turn, slot, ErrorCode::NotCoordinator);
                }
                Some(error) => self.refuse_group_request(turn, slot, error),
            },
            Reply::Otherwise(slot, connection, correlation) => {
                let Some(error) = error else { return };
                let known = &self.sockets[slot];
                let waits = (known.id, known.correlation) == (connection, correlation)
                    && known.stage == crate::broker::sockets::Stage::Delayed;
                if waits {
                    if let Some(context) = self.groups.context(partition) {
                        context.shard.abandon(slot);
                    }
                    self.refuse_group_request(turn, slot, error);
                }
            }
            Reply::Again(due) => {
                let is_lost = error.is_some_and(|error| {
                    use ErrorCode::{CoordinatorLoadInProgress, NotCoordinator};
                    !matches!(error, NotCoordinator | CoordinatorLoadInProgress)
                });
                let context = self.groups.context(partition).filter(|_| is_lost);
                let Some(context) = context else { return };
                context.shard.retry(due, Timestamp::at(turn.now()).get());
                self.arm_groups(turn.now());
            }
            Reply::Assign(group, generation, shares) => {
                let clock = self.group_clock(cluster, turn);
                let Some(context) = self.groups.context(partition) else { return };
                let mut actions = Vec::new();
                let result = error.map_or(Ok(&shares[..]), Err);
                context.shard.assigned((group, generation), result, clock, &mut actions);
                self.carry_out(cluster, turn, partition, actions, Reply::Nothing);
            }
        }
    }

    /// The high watermark of a partition has moved: what it has passed is committed.
    /// Kafka: onHighWatermarkUpdated.
    #[inline(never)]
    pub(super) fn groups_committed(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        partition: TopicPartition,
    ) {
        let Some(index) = self.replica_index(partition) else { return };
        loop {
            let high_watermark = self.partitions[index].log.high_watermark();
            let Some(context) = self.groups.context(partition) else { return };
            let is_over = |deferred: &Deferred| deferred.required <= high_watermark;
            let Some(done) = context.deferred.front().filter(|first| is_over(first)) else {
                return;
            };
            let reply = done.reply.clone();
            context.deferred.pop_front();
            self.reply(cluster, turn, partition, reply, None);
        }
    }

    /// Time has come for groups: members expire, rebalances end, answers wait no longer.
    pub(super) fn groups_due(&mut self, turn: &Turn<'_>) {
        for context in &self.groups.entries {
            self.tasks.push_back(Task::GroupTimers(context.partition));
        }
        self.arm_groups(turn.now());
    }

    /// Does what is due in a partition.
    #[inline(never)]
    pub(super) fn expire_groups(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        partition: TopicPartition,
    ) {
        let now = turn.now();
        while let Some(context) = self.groups.context(partition) {
            let late = context.deferred.iter().position(|deferred| deferred.deadline <= now);
            let Some(late) = late.and_then(|place| context.deferred.remove(place)) else { break };
            let error = Some(ErrorCode::CoordinatorNotAvailable);
            self.reply(cluster, turn, partition, late.reply, error);
        }
        let clock = self.group_clock(cluster, turn);
        while let Ok(context) = self.groups.active(partition) {
            let mut actions = Vec::new();
            if !context.shard.expire(clock, &mut actions) {
                break;
            }
            // What is to be written changes the group first, before anybody else's time is over.
            let is_write = |action: &Action| matches!(action, Action::WriteConsumerGroup(..));
            if actions.iter().any(is_write) {
                self.tasks.push_back(Task::GroupTimers(partition));
                self.carry_out(cluster, turn, partition, actions, Reply::Nothing);
                break;
            }
            self.carry_out(cluster, turn, partition, actions, Reply::Nothing);
        }
        self.arm_groups(now);
    }

    /// Sees to it that the broker wakes when a group has something to do.
    fn arm_groups(&mut self, now: Instant) {
        let now_ms = Timestamp::at(now).get();
        let active = self.groups.entries.iter().filter(|context| context.is_active());
        let next = active.filter_map(|context| {
            let in_groups = context.shard.next_ms();
            let in_groups = in_groups.map(|at_ms| {
                let wait_ms = (at_ms - now_ms).max(0) as u64;
                // The clock of groups has whole milliseconds.
                let since = Span::from_millis(now.as_millis() + wait_ms);
                Instant::START + since
            });
            let waiting = context.deferred.iter().map(|deferred| deferred.deadline).min();
            in_groups.into_iter().chain(waiting).min()
        });
        if let Some(at) = next.min() {
            self.timers.arm(Timer::Groups, at.max(now));
        }
    }

    /// A group, if this broker coordinates it and has heard of it.
    pub fn group(&self, group: GroupId) -> Option<GroupView> {
        let shards = self.groups.entries.iter().filter(|context| context.is_active());
        let consumer = shards.clone().find_map(|context| context.shard.consumer_group(group));
        if let Some(known) = consumer {
            return Some(GroupView {
                generation: known.epoch,
                members: known.members.keys().copied().collect(),
                is_stable: known.is_stable(),
            });
        }
        let known = shards.filter_map(|context| context.shard.group(group)).next()?;
        Some(GroupView {
            generation: known.generation(),
            members: known.members().iter().map(Member::id).collect(),
            is_stable: known.state() == GroupState::Stable,
        })
    }

    /// The committed offset of a partition, if this broker coordinates the group: what a consumer
    /// would be told.
    pub fn committed_offset(
        &self,
        group: GroupId,
        partition: TopicPartition,
    ) -> Option<CommittedOffset> {
        let mut all = self.groups.committed();
        all.find(|known| known.group == group && known.partition == partition).copied()
    }
}
