//! Idempotence: the producer id, sequence numbers, and what is done when they are in doubt.
//! Kafka: the part of clients/producer/internals/TransactionManager that every idempotent producer
//! uses, with TxnPartitionMap and TxnPartitionEntry.

use crate::accumulator::Batches;
use crate::batch::{BatchSlot, ProducerBatch};
use crate::transaction_manager::PartitionSet;
use inflight_protocol::error_code::ErrorCode;
use inflight_protocol::message::ProducePartitionResponse;
use inflight_protocol::{
    BatchProducer, ProducerEpoch, ProducerIdAndEpoch, Sequence, TopicPartition,
};
use smallvec::SmallVec;

mod partition;
mod transactional;
use partition::PartitionSequence;
pub(crate) use transactional::Rewrites;

/// Kafka: TransactionManager.State, as far as a producer without transactions goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Uninitialized,
    Initializing,
    Ready,
    /// CLUSTER_AUTHORIZATION_FAILED: batches fail, then the producer tries again.
    AbortableError,
    /// Nothing will ever be sent again.
    FatalError,
}

/// Hands out sequence numbers and keeps account of them.
#[derive(Debug)]
pub(crate) struct Sequencer {
    state: State,
    last_error: Option<ErrorCode>,
    id_and_epoch: Option<ProducerIdAndEpoch>,
    epoch_bump_required: bool,
    /// In ascending order, as everything that Kafka keeps in a hash set.
    rewrite: SmallVec<[TopicPartition; 2]>,
    /// Partitions with a batch in doubt, and the sequence after it.
    unresolved: SmallVec<[(TopicPartition, i32); 2]>,
    partitions: Vec<PartitionSequence>,
    /// With transactions: the partitions that records may be sent to.
    in_transaction: Option<PartitionSet>,
}

inflight_des::clone_fields!(Sequencer {
    state,
    last_error,
    id_and_epoch,
    epoch_bump_required,
    rewrite,
    unresolved,
    partitions,
    in_transaction,
});

/// A batch whose sequence was rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rewrite {
    pub(crate) slot: BatchSlot,
    pub(crate) from: Sequence,
    pub(crate) to: Sequence,
}

/// What the start of a pass did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bumped {
    /// The epoch was raised; if it could not be raised any further, the id was dropped instead.
    pub(crate) epoch: bool,
    pub(crate) rewrites: SmallVec<[Rewrite; 5]>,
}

impl Sequencer {
    pub(crate) fn new(partitions: usize) -> Self {
        Self {
            state: State::Uninitialized,
            last_error: None,
            id_and_epoch: None,
            epoch_bump_required: false,
            rewrite: SmallVec::new(),
            unresolved: SmallVec::new(),
            partitions: vec![PartitionSequence::default(); partitions],
            in_transaction: None,
        }
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    pub(crate) fn last_error(&self) -> Option<ErrorCode> {
        self.last_error
    }

    pub(crate) fn id_and_epoch(&self) -> Option<ProducerIdAndEpoch> {
        self.id_and_epoch
    }

    fn at(&self, partition: TopicPartition) -> &PartitionSequence {
        &self.partitions[partition.index()]
    }

    fn at_mut(&mut self, partition: TopicPartition) -> &mut PartitionSequence {
        &mut self.partitions[partition.index()]
    }

    // --- the producer id ------------------------------------------------------------------------

    /// Whether a producer id is to be asked for now; then it is being asked for.
    /// Kafka: the second half of bumpIdempotentEpochAndResetIdIfNeeded.
    pub(crate) fn start_initializing(&mut self) -> bool {
        let wanted = self.state != State::Initializing && self.id_and_epoch.is_none();
        if wanted {
            self.state = State::Initializing;
            self.last_error = None;
        }
        wanted
    }

    /// Kafka: InitProducerIdHandler.handleResponse, success.
    pub(crate) fn initialized(&mut self, id_and_epoch: ProducerIdAndEpoch) {
        self.id_and_epoch = Some(id_and_epoch);
        self.state = State::Ready;
        self.last_error = None;
    }

    pub(crate) fn abortable_error(&mut self, error: ErrorCode) {
        self.state = State::AbortableError;
        self.last_error = Some(error);
    }

    pub(crate) fn fatal_error(&mut self, error: Option<ErrorCode>) {
        self.state = State::FatalError;
        self.last_error = error;
    }

    /// Kafka: transitionToUninitialized.
    pub(crate) fn uninitialize(&mut self) {
        self.state = State::Uninitialized;
        self.last_error = None;
    }

    /// Raises the epoch if that was asked for, without a word to any broker: batches in flight of
    /// the partitions that asked get the new epoch and sequences from 0.
    /// Kafka: bumpIdempotentProducerEpoch.
    pub(crate) fn bump_epoch_if_required(&mut self, batches: &mut Batches) -> Option<Bumped> {
        if !std::mem::take(&mut self.epoch_bump_required) {
            return None;
        }
        let ProducerIdAndEpoch { id, epoch } = self.id_and_epoch?;
        let raised = if epoch == ProducerEpoch::MAX { None } else { epoch.next() };
        self.id_and_epoch = raised.map(|epoch| ProducerIdAndEpoch { id, epoch });
        if raised.is_none() {
            self.state = State::Uninitialized;
        }
        let mut bumped = Bumped { epoch: raised.is_some(), rewrites: SmallVec::new() };
        for partition in std::mem::take(&mut self.rewrite) {
            let id_and_epoch = self.id_and_epoch;
            self.at_mut(partition).start_at_beginning(id_and_epoch, batches, &mut bumped.rewrites);
            self.unresolved.retain(|(other, _)| *other != partition);
        }
        Some(bumped)
    }

    /// Kafka: requestIdempotentEpochBumpForPartition.
    fn request_epoch_bump(&mut self, partition: TopicPartition) {
        self.epoch_bump_required = true;
        if let Err(place) = self.rewrite.binary_search(&partition) {
            self.rewrite.insert(place, partition);
        }
    }

    // --- draining -------------------------------------------------------------------------------

    /// Whether the head of a partition's queue may not be sent, and nothing behind it on the same
    /// broker either. Kafka: RecordAccumulator.shouldStopDrainBatchesForPartition.
    #[inline]
    pub(crate) fn stops_drain(&self, head: &ProducerBatch, batches: &Batches) -> bool {
        // A fatal error never comes here: the pass ends before it drains.
        let in_transaction = self.in_transaction.as_ref();
        if in_transaction.is_some_and(|set| !set.contains(head.partition)) {
            return true;
        }
        if self.id_and_epoch.is_none() {
            return true;
        }
        let entry = self.at(head.partition);
        let Some(producer) = head.producer else {
            let stale = entry.id_and_epoch != self.id_and_epoch;
            return (entry.has_in_flight() && stale) || self.is_unresolved(head.partition);
        };
        let first = entry.first_in_flight_sequence(batches);
        first.is_some_and(|sequence| sequence != producer.base_sequence)
    }

    /// Gives a batch that is about to be sent for the first time its identity.
    /// Kafka: the assignment in RecordAccumulator.drainBatchesForOneNode.
    pub(crate) fn assign(&mut self, slot: BatchSlot, batches: &mut Batches) {
        let batch = &batches[slot];
        let (partition, count) = (batch.partition, batch.records.count);
        let id_and_epoch = self.id_and_epoch.expect("no batch is drained without a producer id");
        let entry = &mut self.partitions[partition.index()];
        if entry.id_and_epoch != Some(id_and_epoch) && !entry.has_in_flight() {
            entry.start_at_beginning(Some(id_and_epoch), batches, &mut SmallVec::new());
        }
        batches[slot].producer = Some(BatchProducer {
            id: id_and_epoch.id,
            epoch: id_and_epoch.epoch,
            base_sequence: entry.next_sequence,
        });
        entry.next_sequence = entry.next_sequence.plus(count);
        entry.track(slot, batches);
    }

    /// Tracks a batch that has its identity from the batch that it was split from.
    pub(crate) fn track(&mut self, slot: BatchSlot, batches: &Batches) {
        self.at_mut(batches[slot].partition).track(slot, batches);
    }

    /// Kafka: removeInFlightBatch.
    pub(crate) fn untrack(&mut self, slot: BatchSlot, batches: &Batches) {
        self.at_mut(batches[slot].partition).untrack(slot, batches);
    }

    // --- completion -----------------------------------------------------------------------------

    /// Kafka: handleCompletedBatch.
    pub(crate) fn completed(&mut self, slot: BatchSlot, batches: &Batches) {
        let batch = &batches[slot];
        let Some(producer) = batch.producer else { return };
        let entry = &mut self.partitions[batch.partition.index()];
        // Plain integers, as in Kafka: around the wrap a later sequence compares as smaller.
        let last = producer.base_sequence.get().wrapping_add(batch.records.count as i32 - 1);
        entry.last_acked_sequence = entry.last_acked_sequence.max(last);
        entry.untrack(slot, batches);
    }

    /// Kafka: handleFailedBatch. `may_skip` says that the batch was certainly not written, as far
    /// as Kafka knows (adjustSequenceNumbers).
    pub(crate) fn failed(
        &mut self,
        slot: BatchSlot,
        error: Option<ErrorCode>,
        may_skip: MaySkip,
        batches: &Batches,
    ) {
        if let Some(code) = error.filter(|code| is_fatal_for_idempotence(*code)) {
            self.fatal_error(Some(code));
        }
        let partition = batches[slot].partition;
        self.untrack(slot, batches);
        if self.state == State::FatalError {
            return;
        }
        let out_of_order = matches!(
            error,
            Some(ErrorCode::OutOfOrderSequenceNumber | ErrorCode::UnknownProducerId)
        );
        if out_of_order || may_skip == MaySkip::Yes {
            self.request_epoch_bump(partition);
        }
    }

    /// Whether an error permits another attempt. Kafka: TransactionManager.canRetry.
    pub(crate) fn can_retry(
        &mut self,
        slot: BatchSlot,
        error: ErrorCode,
        response: &ProducePartitionResponse,
        batches: &Batches,
    ) -> bool {
        let batch = &batches[slot];
        let partition = batch.partition;
        if error == ErrorCode::UnknownProducerId {
            if response.log_start_offset.is_some() && !batch.sequence_has_been_reset {
                self.request_epoch_bump(partition);
            }
            return true;
        }
        if error == ErrorCode::OutOfOrderSequenceNumber {
            let base = batch.producer.map(|producer| producer.base_sequence.get());
            let unresolved = self.unresolved_mark(partition);
            let is_next = base.is_some_and(|base| self.at(partition).is_next(base));
            if unresolved.is_none() && (batch.sequence_has_been_reset || !is_next) {
                // An earlier batch is missing: it will come first.
                return true;
            }
            if unresolved.is_none() || unresolved == base {
                self.request_epoch_bump(partition);
            }
            return true;
        }
        error.is_retriable()
    }

    // --- sequences in doubt ---------------------------------------------------------------------

    fn unresolved_mark(&self, partition: TopicPartition) -> Option<i32> {
        self.unresolved.iter().find(|(other, _)| *other == partition).map(|(_, next)| *next)
    }

    fn is_unresolved(&self, partition: TopicPartition) -> bool {
        self.unresolved_mark(partition).is_some()
    }

    /// Kafka: markSequenceUnresolved. Returns the sequence after the batch.
    pub(crate) fn mark_unresolved(&mut self, slot: BatchSlot, batches: &Batches) -> Option<i32> {
        let batch = &batches[slot];
        let producer = batch.producer?;
        let next = producer.base_sequence.get().wrapping_add(batch.records.count as i32);
        match self.unresolved.iter_mut().find(|(other, _)| *other == batch.partition) {
            Some((_, mark)) => *mark = next.max(*mark),
            None => {
                let place = self.unresolved.partition_point(|(other, _)| *other < batch.partition);
                self.unresolved.insert(place, (batch.partition, next));
            }
        }
        Some(next)
    }

    /// Partitions in doubt that have nothing in flight any more: either all is acknowledged, or the
    /// epoch has to be raised. Kafka: maybeResolveSequences.
    #[inline]
    pub(crate) fn resolve(&mut self) {
        if self.unresolved.is_empty() {
            return;
        }
        let mut index = 0;
        while let Some((partition, _)) = self.unresolved.get(index).copied() {
            let entry = self.at(partition);
            if entry.has_in_flight() {
                index += 1;
                continue;
            }
            if !entry.is_next(entry.next_sequence.get()) {
                self.request_epoch_bump(partition);
            }
            self.unresolved.remove(index);
        }
    }
}

/// Whether the client takes a failed batch for not written. Kafka: adjustSequenceNumbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MaySkip {
    Yes,
    No,
}

/// Errors after which an idempotent producer sends nothing any more.
/// Kafka: TransactionManager.maybeTransitionToErrorState.
pub(crate) const fn is_fatal_for_idempotence(error: ErrorCode) -> bool {
    matches!(
        error,
        ErrorCode::ClusterAuthorizationFailed
            | ErrorCode::TransactionalIdAuthorizationFailed
            | ErrorCode::ProducerFenced
            | ErrorCode::UnsupportedVersion
            | ErrorCode::InvalidProducerIdMapping
    )
}
