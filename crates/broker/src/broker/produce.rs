//! Produce requests: checks, appends, and what is answered at once.
//!
//! Kafka: core/server/KafkaApis.handleProduceRequest, ReplicaManager.appendRecords,
//! Partition.appendRecordsToLeader. The batches of a request are appended one by one, one a step;
//! only when all are appended does the request wait or is it answered, and only then are the
//! fetches woken that waited for data.

use crate::broker::Broker;
use crate::broker::check_produce::Refusal;
use crate::broker::inter_broker::REQUEST_TIMEOUT;
use crate::broker::settings::InjectWhen;
use crate::broker::work::{Progress, Task};
use crate::log::append::{AppendSettings, Appended};
use crate::log::transactions::CompletedTxn;
use inflight_protocol::config::TimestampType;
use inflight_protocol::fact::{AppendOrigin, CloseCause};
use inflight_protocol::message::{ProducePartitionResponse, ProduceResponse};
use inflight_protocol::{
    Acks, BrokerId, Cluster, Defect, ErrorCode, Fact, FactKind, Node, Offset, Outgoing,
    RecordBatch, Response, Timestamp, TopicConfig, TopicPartition, Turn,
};
use smallvec::SmallVec;

/// What became of one batch of a request.
/// Kafka: server/purgatory/DelayedProduce.ProducePartitionStatus.
#[derive(Clone, Copy, Debug)]
pub(super) struct BatchOutcome {
    /// What is answered.
    pub(super) response: ProducePartitionResponse,
    /// The high watermark that `acks=all` waits for.
    pub(super) required: Offset,
    /// What the append did to the log.
    pub(super) change: LogChange,
}

/// What an append did to the leader's log. Kafka: storage/internals/log/LeaderHwChange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LogChange {
    /// Nothing.
    None,
    /// It is longer.
    Longer,
    /// It is longer, and the high watermark rose as well.
    LongerAndCommitted,
}

impl Broker {
    /// Appends the next batch of a produce request, or finishes the request if there is none.
    #[inline]
    pub(super) fn execute_produce(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        slot: u32,
    ) -> Progress {
        let connection = &self.sockets[slot];
        let Some(request) = connection.produce() else { return Progress::Volatile };
        if let Some(transaction) = request.transaction
            && !self.verify_transaction(cluster, turn, slot, transaction)
        {
            return Progress::Volatile;
        }
        let connection = &self.sockets[slot];
        let Some(request) = connection.produce() else { return Progress::Volatile };
        let (next, batches) = (connection.outcomes.len(), request.batches.len());
        let (acks, batch) = (request.acks, request.batches.get(next).copied());
        let Some((partition, batch)) = batch else {
            self.finish_append(cluster, turn, slot);
            return Progress::Volatile;
        };
        let (outcome, flush) = self.append(cluster, turn, slot, acks, (partition, batch));
        self.sockets[slot].outcomes.push(outcome);
        let is_last = next + 1 == batches;
        // With flush.messages the append returns only when the flush is done.
        if is_last && flush.is_none() {
            self.finish_append(cluster, turn, slot);
        } else {
            self.tasks.push_front(Task::Execute(slot));
        }
        if let Some(to) = flush {
            self.tasks.push_front(Task::Flush(partition, to));
        }
        match outcome.change {
            LogChange::None => Progress::Volatile,
            LogChange::Longer | LogChange::LongerAndCommitted => Progress::Durable,
        }
    }

    /// Appends one batch, or refuses it. Also tells how far the log has to be flushed first.
    fn append(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        slot: u32,
        acks: Acks,
        (partition, batch): (TopicPartition, RecordBatch),
    ) -> (BatchOutcome, Option<Offset>) {
        let now = Timestamp::at(turn.now());
        let (guard, unverified) = self.verdict_of(slot, &batch);
        let injected = self.injected(slot, Some(partition), InjectWhen::BeforeAppend);
        let checked = match (injected, unverified) {
            (Some(error), _) => Err(Refusal::of(error)),
            (None, Some(error)) => Err(Refusal::bare(error)),
            (None, None) => self.check_produce(cluster, acks, partition, &batch, now),
        };
        let index = match checked {
            Ok(index) => index,
            Err(refusal) => return (self.refuse(turn, partition, &batch, refusal), None),
        };
        let id = self.id;
        let settings = AppendSettings::new(
            self.partitions[index].config(cluster),
            cluster.broker(id),
            cluster.defects,
        )
        .with_guard(guard);
        let replica = &mut self.partitions[index];
        let Some(epoch) = replica.leader_epoch() else {
            let refusal = Refusal::of(ErrorCode::NotLeaderOrFollower);
            return (self.refuse(turn, partition, &batch, refusal), None);
        };
        replica.log.expire_producers(turn.now(), settings.expiration, |producer_id| {
            turn.did(FactKind::ProducerStateExpired.set(), || Fact::ProducerStateExpired {
                broker: id,
                partition,
                producer_id,
            });
        });
        let stamped = stamp(batch, settings.topic, now);
        let appended = replica.log.append_as_leader(stamped, epoch, settings);
        let mut outcome = match appended {
            Appended::Written(written) => self.written(cluster, turn, index, &written),
            Appended::Pretended(batch) => {
                accepted(partition, batch.base_offset, replica.log.high_watermark())
            }
            Appended::Duplicate(known) => {
                did_recognize(turn, id, partition, &batch, known.first_offset);
                let mut outcome = accepted(partition, known.first_offset, known.next_offset());
                outcome.response.log_append_time = Some(known.timestamp);
                outcome
            }
            Appended::Refused(error) => {
                let refusal = Refusal::of(error);
                return (self.refuse(turn, partition, &batch, refusal), None);
            }
        };
        let defect = cluster.defects.has(Defect::FailAfterAppend);
        let defect = defect.then_some(ErrorCode::UnknownServerError);
        let late = defect.or_else(|| self.injected(slot, Some(partition), InjectWhen::AfterAppend));
        if late.is_some() {
            outcome.response.error = late;
            self.did_decide(turn, partition, batch.records, late);
        }
        let flush = self.partitions[index].log.flush_messages_due(settings.topic);
        (outcome, flush)
    }

    /// A batch was written to a leader's log.
    #[inline]
    fn written(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        index: usize,
        batch: &RecordBatch,
    ) -> BatchOutcome {
        let partition = self.partitions[index].id;
        let mut outcome = accepted(partition, batch.base_offset, batch.next_offset());
        outcome.change = self.appended(cluster, turn, index, (batch, None), AppendOrigin::Client);
        let topic = self.partitions[index].config(cluster);
        outcome.response.log_append_time = match topic.message_timestamp_type {
            TimestampType::CreateTime => None,
            TimestampType::LogAppendTime => Some(batch.max_timestamp),
        };
        outcome
    }

    /// A leader's log is longer. The high watermark may rise at once, and flushes may be due.
    #[inline]
    pub(super) fn appended(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        index: usize,
        (batch, completed): (&RecordBatch, Option<CompletedTxn>),
        origin: AppendOrigin,
    ) -> LogChange {
        self.did_append(turn, self.partitions[index].id, batch, completed, origin);
        let rose = self.raise_high_watermark(cluster, turn, index);
        self.watch_in_sync_replicas(cluster, index);
        self.flush_soon(cluster, turn.now(), index);
        if rose { LogChange::LongerAndCommitted } else { LogChange::Longer }
    }

    /// All batches were looked at: the request is answered, or waits. Then whoever waited for data
    /// or for the high watermark is woken. Kafka: ReplicaManager.maybeAddDelayedProduce, and
    /// addCompletePurgatoryAction, whose actions run after the request was handled.
    pub(super) fn finish_append(&mut self, cluster: &Cluster, turn: &mut Turn<'_>, slot: u32) {
        let connection = &self.sockets[slot];
        let (acks, timeout_ms) = match connection.produce() {
            Some(request) => (request.acks, request.timeout_ms),
            None => (Acks::All, REQUEST_TIMEOUT.as_millis() as u32),
        };
        let changes: SmallVec<[(TopicPartition, LogChange); 4]> = connection
            .outcomes
            .iter()
            .map(|outcome| (outcome.response.partition, outcome.change))
            .collect();
        match acks {
            Acks::None => self.finish_without_acks(turn, slot),
            Acks::Leader => self.answer_produce_now(turn, slot),
            Acks::All if cluster.defects.has(Defect::AckBeforeHighWatermark) => {
                self.answer_produce_now(turn, slot);
            }
            Acks::All => self.await_high_watermark(cluster, turn, slot, timeout_ms),
        }
        for (partition, change) in changes {
            self.wake_after(cluster, turn, partition, change);
        }
    }

    /// Wakes whoever has waited for what an append has changed.
    pub(super) fn wake_after(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        partition: TopicPartition,
        change: LogChange,
    ) {
        if change == LogChange::LongerAndCommitted {
            self.wake_produces(turn, partition);
        }
        if change != LogChange::None {
            self.wake_fetches(cluster, turn, partition);
        }
    }

    /// Success is not answered; an error is answered by closing the connection, and whatever was
    /// sent behind is lost with it.
    fn finish_without_acks(&mut self, turn: &mut Turn<'_>, slot: u32) {
        self.use_up_injections(slot);
        let connection = &self.sockets[slot];
        if connection.outcomes.iter().all(|outcome| outcome.response.error.is_none()) {
            self.request_done(slot);
            return;
        }
        let connection = connection.id;
        turn.did(FactKind::ConnectionClosed.set(), || Fact::ConnectionClosed {
            connection,
            at: Node::Broker(self.id),
            why: CloseCause::ProduceFailed,
        });
        turn.send(Outgoing::Close { connection });
        self.sockets.close(slot);
    }

    fn answer_produce_now(&mut self, turn: &mut Turn<'_>, slot: u32) {
        for index in 0..self.sockets[slot].outcomes.len() {
            if self.is_in_log(slot, index) {
                self.did_decide_batch(turn, slot, index);
            }
        }
        self.answer_produce(turn, slot);
    }

    /// Writes the response of a request whose batches are all decided. To a client that came to the
    /// wrong broker it tells the right one (KIP-951).
    pub(super) fn answer_produce(&mut self, turn: &mut Turn<'_>, slot: u32) {
        if self.sockets[slot].produce().is_none() {
            self.answer_markers(turn, slot);
            return;
        }
        let mut partitions: SmallVec<[ProducePartitionResponse; 1]> =
            self.sockets[slot].outcomes.iter().map(|outcome| outcome.response).collect();
        for response in &mut partitions {
            if response.error == Some(ErrorCode::NotLeaderOrFollower) {
                response.current_leader = self.current_leader(response.partition);
            }
        }
        let response = ProduceResponse { partitions, throttle_time_ms: 0 };
        self.respond(turn, slot, Response::Produce(response));
    }
}

/// The outcome of a batch that is in the log.
pub(super) const fn accepted(
    partition: TopicPartition,
    base_offset: Offset,
    required: Offset,
) -> BatchOutcome {
    let response = ProducePartitionResponse {
        partition,
        error: None,
        base_offset: Some(base_offset),
        log_append_time: None,
        log_start_offset: Some(Offset::ZERO),
        current_leader: None,
    };
    BatchOutcome { response, required, change: LogChange::None }
}

fn did_recognize(
    turn: &mut Turn<'_>,
    broker: BrokerId,
    partition: TopicPartition,
    batch: &RecordBatch,
    base_offset: Offset,
) {
    let Some(producer) = batch.producer else { return };
    turn.did(FactKind::DuplicateRecognized.set(), || Fact::DuplicateRecognized {
        broker,
        partition,
        base_offset,
        count: batch.records.count,
        session: batch.records.session,
        first: batch.records.first,
        producer_id: producer.id,
        producer_epoch: producer.epoch,
        sequence: producer.base_sequence,
    });
}

/// The batch with the time that the topic wants. Kafka: LogValidator.
const fn stamp(mut batch: RecordBatch, topic: &TopicConfig, now: Timestamp) -> RecordBatch {
    match topic.message_timestamp_type {
        TimestampType::CreateTime => {}
        TimestampType::LogAppendTime => batch.max_timestamp = now,
    }
    batch
}
