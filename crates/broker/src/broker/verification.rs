//! Transactional batches: the coordinator is asked before they are appended.
//!
//! Kafka: ReplicaManager.handleProduceAppend, maybeSendPartitionsToTransactionCoordinator,
//! maybeStartTransactionVerificationForPartition. A partition whose log has the transaction open
//! needs no asking. While the answer is awaited no handler is busy, but the connection is muted. The
//! rest of the request is done by whichever handler is free, which takes no more time here.

use crate::broker::Broker;
use crate::broker::add_partitions_to_txn_manager::Verified;
use crate::broker::sockets::Stage;
use crate::broker::timers::Timer;
use crate::broker::work::Task;
use crate::log::verification::VerificationGuard;
use inflight_des::Instant;
use inflight_protocol::message::{AddOrVerify, ProduceTransaction};
use inflight_protocol::transaction::TransactionalProducer;
use inflight_protocol::{
    BatchKind, BatchProducer, Cluster, ErrorCode, ProducerIdAndEpoch, RecordBatch, Request,
    Sequence, Timestamp, TopicPartition, TransactionVersion, Turn,
};
use smallvec::SmallVec;

/// How far the verification of a produce request is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum CheckStage {
    /// It was not begun, or there is no need.
    #[default]
    NotYet,
    /// The coordinator is asked; the first time was then.
    Asking(Instant),
    /// The coordinator is asked again at the second instant; the first time was at the first.
    Pausing(Instant, Instant),
    /// It is done.
    Done,
}

/// What the verification of one batch has come to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Verdict {
    /// What the log wants to see before it opens the transaction.
    pub(super) guard: Option<VerificationGuard>,
    /// Why the batch is not appended.
    pub(super) error: Option<ErrorCode>,
}

/// The verification of the request in execution on a connection.
#[derive(Debug, Default)]
pub(crate) struct TransactionCheck {
    pub(super) stage: CheckStage,
    /// One for each batch, once it is begun.
    pub(super) verdicts: Vec<Verdict>,
}

inflight_des::clone_fields!(TransactionCheck { stage, verdicts });

impl TransactionCheck {
    /// The request is done with.
    pub(super) fn reset(&mut self) {
        self.stage = CheckStage::NotYet;
        self.verdicts.clear();
    }
}

impl Broker {
    /// Sees to it that the batches of a transactional request are verified. Returns whether they
    /// are, as far as they can be; if not, the request is executed again when they are.
    #[inline(never)]
    pub(super) fn verify_transaction(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        slot: u32,
        transaction: ProduceTransaction,
    ) -> bool {
        self.sockets[slot].check.stage == CheckStage::Done
            || self.begin_verification(cluster, turn, slot, transaction, turn.now())
    }

    /// Asks about every partition that does not have the transaction open. Returns whether there
    /// was none. `since` is when this was done first.
    /// Kafka: maybeSendPartitionsToTransactionCoordinator.
    fn begin_verification(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        slot: u32,
        transaction: ProduceTransaction,
        since: Instant,
    ) -> bool {
        let now = Timestamp::at(turn.now());
        let Some(request) = self.sockets[slot].produce() else { return true };
        let batches = request.batches.clone();
        let mut senders = batches.iter().filter_map(|(_, batch)| sender_of(batch));
        let sender = senders.next();
        let are_mixed = senders.any(|other| Some(other) != sender);
        let is_off = !transaction.version.bumps_epochs()
            && !cluster.broker(self.id).transaction_partition_verification_enable;
        let mut verdicts = std::mem::take(&mut self.sockets[slot].check.verdicts);
        verdicts.clear();
        let mut asks: SmallVec<[TopicPartition; 4]> = SmallVec::new();
        for (partition, batch) in &batches {
            let verdict = match batch.producer {
                // Kafka: "Transactional records contained more than one producer ID".
                _ if are_mixed => refused(ErrorCode::InvalidProducerIdMapping),
                Some(producer) if batch.kind == BatchKind::Transactional && !is_off => {
                    self.start_verification(*partition, producer, transaction, now)
                }
                Some(_) | None => Verdict::default(),
            };
            if verdict.guard.is_some() {
                asks.push(*partition);
            }
            verdicts.push(verdict);
        }
        let connection = &mut self.sockets[slot];
        connection.check.verdicts = verdicts;
        let Some(producer) = sender.filter(|_| !asks.is_empty()) else {
            connection.check.stage = CheckStage::Done;
            return true;
        };
        connection.check.stage = CheckStage::Asking(since);
        connection.stage = Stage::Verifying;
        let who = TransactionalProducer { id: transaction.id, producer };
        let mode = mode_of(transaction.version);
        self.add_or_verify_transaction(cluster, turn, slot, (who, mode), asks);
        false
    }

    /// Kafka: Partition.maybeStartTransactionVerification.
    fn start_verification(
        &mut self,
        partition: TopicPartition,
        producer: BatchProducer,
        transaction: ProduceTransaction,
        now: Timestamp,
    ) -> Verdict {
        if self.metadata.partition(partition).is_none() {
            return refused(ErrorCode::UnknownTopicOrPartition);
        }
        let sequence = Some(producer.base_sequence);
        let (producer, version) = (producer.id_and_epoch(), transaction.version);
        match self.start_verification_at(partition, producer, sequence, (version, now)) {
            Ok(guard) => Verdict { guard, error: None },
            Err(error) => refused(error),
        }
    }

    /// Begins to verify that a producer may open a transaction in a partition that is led here.
    /// Without a guard it is open already.
    pub(super) fn start_verification_at(
        &mut self,
        partition: TopicPartition,
        producer: ProducerIdAndEpoch,
        sequence: Option<Sequence>,
        (version, now): (TransactionVersion, Timestamp),
    ) -> Result<Option<VerificationGuard>, ErrorCode> {
        let index = self.hosted_index(partition)?;
        let replica = &mut self.partitions[index];
        if replica.leadership().is_none() {
            return Err(ErrorCode::NotLeaderOrFollower);
        }
        replica.log.start_verification(producer, sequence, version, now)
    }

    /// What the verification of the next batch of a request has come to: a guard, or what the
    /// client is answered.
    #[inline]
    pub(super) fn verdict_of(
        &self,
        slot: u32,
        batch: &RecordBatch,
    ) -> (Option<VerificationGuard>, Option<ErrorCode>) {
        if batch.kind == BatchKind::Plain {
            return (None, None);
        }
        let connection = &self.sockets[slot];
        let transaction = connection.produce().and_then(|request| request.transaction);
        let Some(transaction) = transaction else {
            return (None, Some(ErrorCode::TransactionalIdAuthorizationFailed));
        };
        let verdict = connection.check.verdicts.get(connection.outcomes.len()).copied();
        let Verdict { guard, error } = verdict.unwrap_or_default();
        (guard, error.map(|error| produce_error(error, transaction.version)))
    }

    /// The coordinator has answered what was asked for the request in a slot, or will not.
    pub(super) fn transaction_verified(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        slot: u32,
        results: &[Verified],
    ) {
        match &self.sockets[slot].request {
            Request::Produce(_) => self.produce_verified(cluster, turn, slot, results),
            Request::TxnOffsetCommit(_) => {
                self.txn_offset_commit_verified(cluster, turn, slot, results);
            }
            _ => {}
        }
    }

    /// Kafka: maybeRetryOnConcurrentTransactions and postVerificationCallback.
    fn produce_verified(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        slot: u32,
        results: &[Verified],
    ) {
        let config = cluster.broker(self.id);
        let Some(transaction) = self.sockets[slot].produce().and_then(|it| it.transaction) else {
            return;
        };
        let CheckStage::Asking(since) = self.sockets[slot].check.stage else { return };
        self.note_verdicts(slot, results);
        let now = turn.now();
        let connection = &mut self.sockets[slot];
        let is_concurrent = (connection.check.verdicts.iter())
            .any(|verdict| verdict.error == Some(ErrorCode::ConcurrentTransactions));
        let is_in_time = now.since(since) < config.add_partitions_to_txn_retry_backoff_max;
        if transaction.version.bumps_epochs() && is_concurrent && is_in_time {
            let until = now + config.add_partitions_to_txn_retry_backoff;
            connection.check.stage = CheckStage::Pausing(since, until);
            self.timers.arm(Timer::Verification, until);
            return;
        }
        connection.check.stage = CheckStage::Done;
        connection.stage = Stage::Executing;
        self.tasks.push_back(Task::Execute(slot));
    }

    fn note_verdicts(&mut self, slot: u32, results: &[Verified]) {
        let connection = &mut self.sockets[slot];
        let Request::Produce(request) = &connection.request else { return };
        for ((partition, _), verdict) in request.batches.iter().zip(&mut connection.check.verdicts)
        {
            let result = results.iter().find(|(about, _)| about == partition);
            if let Some((_, error)) = result {
                verdict.error = *error;
            }
        }
    }

    /// The pauses of some requests are over: their coordinators are asked again.
    pub(super) fn retry_verifications(&mut self, cluster: &Cluster, turn: &mut Turn<'_>) {
        let now = turn.now();
        let mut due: SmallVec<[(u32, Instant); 4]> = SmallVec::new();
        for slot in self.sockets.slots() {
            if let CheckStage::Pausing(since, until) = self.sockets[slot].check.stage {
                if until <= now {
                    due.push((slot, since));
                } else {
                    self.timers.arm(Timer::Verification, until);
                }
            }
        }
        for (slot, since) in due {
            let transaction = self.sockets[slot].produce().and_then(|it| it.transaction);
            let Some(transaction) = transaction else { continue };
            if self.begin_verification(cluster, turn, slot, transaction, since) {
                self.sockets[slot].stage = Stage::Executing;
                self.tasks.push_back(Task::Execute(slot));
            }
        }
    }
}

/// What a coordinator is asked.
pub(super) const fn mode_of(version: TransactionVersion) -> AddOrVerify {
    if version.bumps_epochs() { AddOrVerify::Add } else { AddOrVerify::Verify }
}

/// What a client is answered for an error of the coordinator. Most clients do not retry these
/// errors in a produce request; NOT_ENOUGH_REPLICAS they do, without asking for metadata.
/// Kafka: ReplicaManager.handleProduceAppend.
pub(super) const fn produce_error(error: ErrorCode, version: TransactionVersion) -> ErrorCode {
    match error {
        ErrorCode::NetworkException
        | ErrorCode::CoordinatorLoadInProgress
        | ErrorCode::CoordinatorNotAvailable
        | ErrorCode::NotCoordinator => ErrorCode::NotEnoughReplicas,
        ErrorCode::ConcurrentTransactions if !version.bumps_epochs() => {
            ErrorCode::NotEnoughReplicas
        }
        _ => error,
    }
}

const fn refused(error: ErrorCode) -> Verdict {
    Verdict { guard: None, error: Some(error) }
}

/// The producer of a transactional batch.
fn sender_of(batch: &RecordBatch) -> Option<ProducerIdAndEpoch> {
    let producer = batch.producer.filter(|_| batch.kind == BatchKind::Transactional)?;
    Some(producer.id_and_epoch())
}
