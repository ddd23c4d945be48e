//! Produce requests that wait for the in-sync replicas.
//!
//! Kafka: server/purgatory/DelayedProduce, ReplicaManager.maybeAddDelayedProduce. A request is
//! answered when each of its batches is decided: its partition's high watermark is past it, this
//! broker leads the partition no more, or the time is over.

use crate::broker::Broker;
use crate::broker::inter_broker::REQUEST_TIMEOUT;
use crate::broker::sockets::Stage;
use crate::broker::timers::Timer;
use crate::broker::work::Task;
use crate::partition::{InternalTopic, Waiter, Waiting};
use inflight_des::{Instant, Span};
use inflight_protocol::message::LeaderAndEpoch;
use inflight_protocol::{
    Cluster, ErrorCode, Fact, FactKind, Offset, RecordRun, TopicPartition, Turn,
};

impl Broker {
    /// Whether a batch of a request is in the log, so that it is still to be decided.
    #[inline]
    pub(super) fn is_in_log(&self, slot: u32, index: usize) -> bool {
        self.sockets[slot].outcomes[index].response.error.is_none()
    }

    /// Decides what can be decided now, and lets the request wait for the rest.
    /// Kafka: DelayedOperationPurgatory.tryCompleteElseWatch.
    pub(super) fn await_high_watermark(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        slot: u32,
        timeout_ms: u32,
    ) {
        let mut undecided = 0;
        for index in 0..self.sockets[slot].outcomes.len() {
            if !self.is_in_log(slot, index) {
                continue;
            }
            let outcome = self.sockets[slot].outcomes[index];
            let partition = outcome.response.partition;
            match self.judge_produce(partition, outcome.required) {
                Some(verdict) => self.decide(turn, slot, index, verdict),
                None => {
                    undecided += 1;
                    let index = index as u32;
                    let who = Waiter::Request { slot, index };
                    self.watch(partition, Waiting { required: outcome.required, who });
                    self.did_delay(turn, slot, index);
                }
            }
        }
        if undecided == 0 {
            self.answer_produce(turn, slot);
            return;
        }
        let mut timeout = Span::from_millis(u64::from(timeout_ms));
        if self.waits_for_groups(slot) {
            timeout = timeout.min(cluster.broker(self.id).offsets_commit_timeout);
        }
        let deadline = turn.now() + timeout;
        let connection = &mut self.sockets[slot];
        connection.stage = Stage::Delayed;
        connection.undecided = undecided;
        connection.deadline = deadline;
        self.timers.arm(Timer::Produce, deadline);
    }

    /// What is answered for a batch that waits for this high watermark: an error, success, or
    /// nothing yet. Kafka: Partition.checkEnoughReplicasReachOffset.
    #[inline]
    pub(super) fn judge_produce(
        &self,
        partition: TopicPartition,
        required: Offset,
    ) -> Option<Option<ErrorCode>> {
        let Some(index) = self.replica_index(partition) else {
            return Some(Some(ErrorCode::NotLeaderOrFollower));
        };
        let replica = &self.partitions[index];
        let Some(leadership) = replica.leadership() else {
            return Some(Some(ErrorCode::NotLeaderOrFollower));
        };
        if replica.log.high_watermark() < required {
            return None;
        }
        let is_enough = leadership.in_sync.maximal().len() >= replica.min_isr;
        Some((!is_enough).then_some(ErrorCode::NotEnoughReplicasAfterAppend))
    }

    /// Lets a batch wait, in the order of the high watermarks that batches wait for.
    pub(super) fn watch(&mut self, partition: TopicPartition, waiting: Waiting) {
        let Some(index) = self.replica_index(partition) else { return };
        let list = &mut self.partitions[index].waiting;
        let behind = list.iter().rev().take_while(|other| other.required > waiting.required);
        let position = list.len() - behind.count();
        list.insert(position, waiting);
    }

    /// The high watermark of a partition rose: the batches that it has passed are decided.
    /// Kafka: DelayedOperationPurgatory.checkAndComplete.
    #[inline]
    pub(super) fn wake_produces(&mut self, turn: &mut Turn<'_>, partition: TopicPartition) {
        let Some(index) = self.replica_index(partition) else { return };
        self.wake_readers(turn, partition);
        if self.partitions[index].internal == Some(InternalTopic::ConsumerOffsets) {
            self.tasks.push_back(Task::GroupsCommitted(partition));
        }
        while let Some(first) = self.partitions[index].waiting.front().copied() {
            let Some(verdict) = self.judge_produce(partition, first.required) else { return };
            self.partitions[index].waiting.pop_front();
            match first.who {
                Waiter::Request { slot, index } => {
                    self.decide(turn, slot, index as usize, verdict);
                    self.decided(turn, slot);
                }
                Waiter::Append(number) => self.tasks.push_back(Task::Appended(number, verdict)),
            }
        }
    }

    /// Notes what is answered for a batch.
    fn decide(&mut self, turn: &mut Turn<'_>, slot: u32, index: usize, verdict: Option<ErrorCode>) {
        self.sockets[slot].outcomes[index].response.error = verdict;
        self.did_decide_batch(turn, slot, index);
    }

    /// One batch less waits; with the last one the request is answered.
    fn decided(&mut self, turn: &mut Turn<'_>, slot: u32) {
        let connection = &mut self.sockets[slot];
        connection.undecided -= 1;
        if connection.undecided == 0 {
            connection.deadline = Instant::NEVER;
            self.answer_produce(turn, slot);
        }
    }

    /// The time of produce requests is over: what is not decided times out.
    /// Kafka: DelayedProduce.onExpiration.
    pub(super) fn expire_produces(&mut self, cluster: &Cluster, turn: &mut Turn<'_>) {
        let now = turn.now();
        let mut woken = std::mem::take(&mut self.woken);
        woken.clear();
        woken.extend(self.sockets.slots().filter(|slot| {
            let connection = &self.sockets[*slot];
            connection.stage == Stage::Delayed && connection.appends()
        }));
        for slot in woken.drain(..) {
            if self.sockets[slot].deadline <= now {
                self.expire_produce(cluster, turn, slot);
            } else {
                self.timers.arm(Timer::Produce, self.sockets[slot].deadline);
            }
        }
        self.woken = woken;
    }

    fn expire_produce(&mut self, cluster: &Cluster, turn: &mut Turn<'_>, slot: u32) {
        let groups_first = self.waits_for_groups(slot);
        for index in 0..self.sockets[slot].outcomes.len() {
            let partition = self.sockets[slot].outcomes[index].response.partition;
            let Some(replica) = self.replica_index(partition) else { continue };
            let replica = &mut self.partitions[replica];
            if groups_first && replica.internal != Some(InternalTopic::ConsumerOffsets) {
                continue;
            }
            let who = Waiter::Request { slot, index: index as u32 };
            let this = |waiting: &Waiting| waiting.who == who;
            if let Some(position) = replica.waiting.iter().position(this) {
                replica.waiting.remove(position);
                self.sockets[slot].undecided -= 1;
                self.decide(turn, slot, index, Some(ErrorCode::RequestTimedOut));
            }
        }
        if self.sockets[slot].undecided > 0 {
            let waited = cluster.broker(self.id).offsets_commit_timeout.min(REQUEST_TIMEOUT);
            let left = Span::from_nanos(REQUEST_TIMEOUT.as_nanos() - waited.as_nanos());
            let deadline = self.sockets[slot].deadline + left;
            self.sockets[slot].deadline = deadline;
            self.timers.arm(Timer::Produce, deadline);
            return;
        }
        self.sockets[slot].deadline = Instant::NEVER;
        self.answer_produce(turn, slot);
    }

    /// Whether a request with markers waits for one of a group coordinator. That is patient for
    /// offsets.commit.timeout.ms. Kafka: CoordinatorRuntime.scheduleTransactionCompletion.
    pub(super) fn waits_for_groups(&self, slot: u32) -> bool {
        let connection = &self.sockets[slot];
        let mut outcomes = connection.outcomes.iter().zip(0..);
        connection.produce().is_none()
            && outcomes.any(|(outcome, index)| {
                let replica = self.replica_index(outcome.response.partition);
                let replica = replica.map(|replica| &self.partitions[replica]);
                let who = Waiter::Request { slot, index };
                replica.is_some_and(|replica| {
                    replica.internal == Some(InternalTopic::ConsumerOffsets)
                        && replica.waiting.iter().any(|waiting| waiting.who == who)
                })
            })
    }

    /// The leader of a partition as this broker knows it: the replica's own knowledge, or else the
    /// metadata's. Kafka: KafkaApis.getCurrentLeader.
    pub(super) fn current_leader(&self, partition: TopicPartition) -> Option<LeaderAndEpoch> {
        match self.replica_index(partition) {
            Some(index) => self.partitions[index].current_leader(),
            None => {
                let registration = self.metadata.partition(partition)?;
                let epoch = registration.leader_epoch;
                Some(LeaderAndEpoch { leader: registration.leader?, epoch })
            }
        }
    }

    fn did_delay(&self, turn: &mut Turn<'_>, slot: u32, index: u32) {
        if self.sockets[slot].produce().is_none() {
            return;
        }
        turn.did(FactKind::ProduceDelayed.set(), || {
            let outcome = &self.sockets[slot].outcomes[index as usize];
            let run = self.run_of(slot, index as usize);
            Fact::ProduceDelayed {
                broker: self.id,
                partition: outcome.response.partition,
                session: run.session,
                first: run.first,
                count: run.count,
                required_offset: outcome.required,
            }
        });
    }

    /// Says what will be answered for a batch of a request.
    pub(super) fn did_decide_batch(&self, turn: &mut Turn<'_>, slot: u32, index: usize) {
        if self.sockets[slot].produce().is_none() {
            return;
        }
        let response = self.sockets[slot].outcomes[index].response;
        self.did_decide(turn, response.partition, self.run_of(slot, index), response.error);
    }

    /// Says what will be answered for records.
    pub(super) fn did_decide(
        &self,
        turn: &mut Turn<'_>,
        partition: TopicPartition,
        records: RecordRun,
        error: Option<ErrorCode>,
    ) {
        turn.did(FactKind::ProduceDecided.set(), || Fact::ProduceDecided {
            broker: self.id,
            partition,
            session: records.session,
            first: records.first,
            count: records.count,
            error,
        });
    }

    fn run_of(&self, slot: u32, index: usize) -> RecordRun {
        let request = self.sockets[slot].produce();
        let batch = request.and_then(|request| request.batches.get(index));
        batch.map(|(_, batch)| batch.records).unwrap_or_default()
    }
}
