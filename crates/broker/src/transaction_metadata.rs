//! A transactional id at its coordinator: its state, and how it may change.
//!
//! Kafka: coordinator/transaction/TransactionMetadata. A change is prepared, written to the log,
//! and completed once it is committed. Meanwhile the state to come is *pending*, and most requests
//! are told to come again. What is prepared has the form of what is written:
//! [`TransactionLogValue`] stands for Kafka's TxnTransitMetadata as well.

mod end;

pub(crate) use end::{End, EndDecision, EndOrigin, Fencing};

use inflight_protocol::transaction::TransactionLogValue;
use inflight_protocol::{
    ErrorCode, ProducerEpoch, ProducerId, ProducerIdAndEpoch, Timestamp, TopicPartition,
    TransactionResult, TransactionState, TransactionVersion, TransactionalId,
};
use smallvec::SmallVec;

/// The partitions of a transaction, in ascending order.
pub(crate) type Partitions = SmallVec<[TopicPartition; 4]>;

/// The greatest epoch that a client is given is one below this: so the coordinator can always fence
/// a producer by one more. Kafka: TransactionMetadata.isEpochExhausted.
const fn is_exhausted(epoch: ProducerEpoch) -> bool {
    epoch.get() >= ProducerEpoch::MAX.get() - 1
}

/// What a coordinator knows of a transactional id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TransactionMetadata {
    pub(crate) id: TransactionalId,
    pub(crate) producer_id: ProducerId,
    /// The producer id before the last change.
    previous_producer_id: Option<ProducerId>,
    /// The producer id that comes after this transaction, if this one's epochs are used up.
    next_producer_id: Option<ProducerId>,
    /// `None` until the id is initialised.
    producer_epoch: Option<ProducerEpoch>,
    /// The epoch before the last rise, if a client may present it again. Not in the log.
    last_producer_epoch: Option<ProducerEpoch>,
    pub(crate) timeout_ms: u32,
    pub(crate) state: TransactionState,
    pub(crate) partitions: Partitions,
    /// When the first partition was added.
    pub(crate) start: Option<Timestamp>,
    pub(crate) last_update: Timestamp,
    /// The protocol of the client that changed the state.
    pub(crate) client_version: TransactionVersion,
    /// The state that is written down and not committed.
    pub(crate) pending: Option<TransactionState>,
    /// An epoch was raised to fence a producer, and could not be written.
    has_failed_epoch_fence: bool,
}

impl TransactionMetadata {
    /// An id that was never heard of.
    pub(crate) fn new(
        id: TransactionalId,
        producer_id: ProducerId,
        timeout_ms: u32,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            producer_id,
            previous_producer_id: None,
            next_producer_id: None,
            producer_epoch: None,
            last_producer_epoch: None,
            timeout_ms,
            state: TransactionState::Empty,
            partitions: Partitions::new(),
            start: None,
            last_update: now,
            client_version: TransactionVersion::V0,
            pending: None,
            has_failed_epoch_fence: false,
        }
    }

    /// An id as the log has it. At level 0 of the feature transaction.version, the log has no room
    /// for other producer ids and for the client's protocol. Kafka: TransactionLog.read.
    pub(crate) fn read(value: &TransactionLogValue, level: TransactionVersion) -> Self {
        let is_flexible = level >= TransactionVersion::V1;
        let version = if is_flexible { value.client_version } else { TransactionVersion::V0 };
        Self {
            previous_producer_id: value.previous_producer_id.filter(|_| is_flexible),
            next_producer_id: value.next_producer_id.filter(|_| is_flexible),
            producer_epoch: Some(value.producer_epoch),
            state: value.state,
            partitions: value.partitions.clone(),
            start: value.start,
            client_version: version,
            ..Self::new(value.id, value.producer_id, value.timeout_ms, value.last_update)
        }
    }

    /// The producer epoch; that of an id that was not initialised is Kafka's NO_PRODUCER_EPOCH.
    pub(crate) fn epoch(&self) -> ProducerEpoch {
        self.producer_epoch.unwrap_or(ProducerEpoch::new(-1))
    }

    /// Whether no epoch is left for a client. Kafka: isProducerEpochExhausted.
    pub(crate) fn is_epoch_exhausted(&self) -> bool {
        self.producer_epoch.is_some_and(is_exhausted)
    }

    /// What it is now.
    pub(crate) fn current(&self) -> TransactionLogValue {
        let previous_producer_id = self.previous_producer_id;
        TransactionLogValue { previous_producer_id, ..self.transit(self.state) }
    }

    /// What is written if nothing changes but the state.
    fn transit(&self, to: TransactionState) -> TransactionLogValue {
        TransactionLogValue {
            id: self.id,
            producer_id: self.producer_id,
            previous_producer_id: Some(self.producer_id),
            next_producer_id: self.next_producer_id,
            producer_epoch: self.epoch(),
            last_producer_epoch: self.last_producer_epoch,
            timeout_ms: self.timeout_ms,
            state: to,
            partitions: self.partitions.clone(),
            start: self.start,
            last_update: self.last_update,
            client_version: self.client_version,
        }
    }

    /// Kafka: TransactionMetadata.prepareTransitionTo.
    fn prepare(&mut self, value: TransactionLogValue) -> TransactionLogValue {
        self.make_pending(value.state);
        value
    }

    fn make_pending(&mut self, to: TransactionState) {
        debug_assert!(self.pending.is_none(), "one change of state at a time");
        debug_assert!(valid_previous(to).contains(&self.state), "{:?} to {to:?}", self.state);
        self.pending = Some(to);
    }

    /// A new instance of the producer gets the next epoch. One that presents the epoch before the
    /// current one has not got the answer, and gets it again.
    /// Kafka: prepareIncrementProducerEpoch.
    pub(crate) fn prepare_increment(
        &mut self,
        timeout_ms: u32,
        expected: Option<ProducerEpoch>,
        now: Timestamp,
    ) -> Result<TransactionLogValue, ErrorCode> {
        let next = match self.producer_epoch {
            // Kafka throws an IllegalStateException.
            Some(epoch) if is_exhausted(epoch) => return Err(ErrorCode::UnknownServerError),
            Some(epoch) => epoch.next().ok_or(ErrorCode::UnknownServerError)?,
            None => ProducerEpoch::new(0),
        };
        let (epoch, last) = match expected {
            None => (next, None),
            Some(_) if self.producer_epoch.is_none() => (next, None),
            Some(_) if expected == self.producer_epoch => (next, self.producer_epoch),
            Some(_) if expected == self.last_producer_epoch => {
                (self.epoch(), self.last_producer_epoch)
            }
            Some(_) => return Err(ErrorCode::ProducerFenced),
        };
        Ok(self.prepare(TransactionLogValue {
            producer_epoch: epoch,
            last_producer_epoch: last,
            timeout_ms,
            partitions: Partitions::new(),
            start: None,
            last_update: now,
            ..self.transit(TransactionState::Empty)
        }))
    }

    /// A new instance of the producer gets a new producer id. Kafka: prepareProducerIdRotation.
    pub(crate) fn prepare_rotation(
        &mut self,
        producer_id: ProducerId,
        timeout_ms: u32,
        expected: Option<ProducerEpoch>,
        now: Timestamp,
    ) -> TransactionLogValue {
        self.prepare(TransactionLogValue {
            producer_id,
            producer_epoch: ProducerEpoch::new(0),
            last_producer_epoch: self.producer_epoch.filter(|_| expected.is_some()),
            timeout_ms,
            partitions: Partitions::new(),
            start: None,
            last_update: now,
            ..self.transit(TransactionState::Empty)
        })
    }

    /// Raises the epoch in order to abort the open transaction; returns the producer as it is then.
    /// Kafka: prepareFenceProducerEpoch.
    pub(crate) fn prepare_fence(&mut self) -> ProducerIdAndEpoch {
        let epoch = self.epoch();
        let next = epoch.next().filter(|_| !self.has_failed_epoch_fence).unwrap_or(epoch);
        self.make_pending(TransactionState::PrepareEpochFence);
        ProducerIdAndEpoch { id: self.producer_id, epoch: next }
    }

    /// Partitions join the transaction, or begin it. Kafka: prepareAddPartitions.
    pub(crate) fn prepare_add(
        &mut self,
        added: &[TopicPartition],
        now: Timestamp,
        client_version: TransactionVersion,
    ) -> TransactionLogValue {
        let is_open = self.state == TransactionState::Ongoing;
        let mut partitions = self.partitions.clone();
        partitions.extend(added.iter().copied());
        partitions.sort_unstable();
        partitions.dedup();
        self.prepare(TransactionLogValue {
            partitions,
            start: if is_open { self.start } else { Some(now) },
            last_update: now,
            client_version,
            ..self.transit(TransactionState::Ongoing)
        })
    }

    /// All partitions have their marker. Kafka: prepareComplete.
    pub(crate) fn prepare_complete(&mut self, now: Timestamp) -> TransactionLogValue {
        self.has_failed_epoch_fence = false;
        let to = match self.state {
            TransactionState::PrepareCommit => TransactionState::CompleteCommit,
            _ => TransactionState::CompleteAbort,
        };
        let mut value = TransactionLogValue {
            next_producer_id: None,
            partitions: Partitions::new(),
            last_update: now,
            ..self.transit(to)
        };
        if let Some(next) = self.next_producer_id
            && self.client_version.bumps_epochs()
        {
            // What the client saw last stays: the epoch before the last.
            (value.producer_id, value.producer_epoch) = (next, ProducerEpoch::new(0));
        }
        self.prepare(value)
    }

    /// The id is about to be forgotten. Kafka: prepareDead.
    pub(crate) fn prepare_dead(&mut self) {
        self.make_pending(TransactionState::Dead);
    }

    /// What was prepared is committed. Kafka: completeTransitionTo.
    pub(crate) fn complete(&mut self, value: TransactionLogValue) {
        debug_assert_eq!(self.pending, Some(value.state), "what is completed was prepared");
        self.producer_id = value.producer_id;
        self.previous_producer_id = value.previous_producer_id;
        self.next_producer_id = value.next_producer_id;
        self.producer_epoch = Some(value.producer_epoch);
        self.last_producer_epoch = value.last_producer_epoch;
        self.timeout_ms = value.timeout_ms;
        self.partitions = value.partitions;
        self.start = value.start;
        self.last_update = value.last_update;
        self.client_version = value.client_version;
        self.state = value.state;
        self.pending = None;
    }

    /// An epoch that was to fence a producer could not be written: it is tried again, not raised
    /// again.
    pub(crate) const fn fence_has_failed(&mut self) {
        self.has_failed_epoch_fence = true;
    }

    /// A partition has its marker, or is gone. Kafka: removePartition.
    pub(crate) fn remove_partition(&mut self, partition: TopicPartition) {
        debug_assert!(self.decided().is_some(), "markers are for what is decided");
        self.partitions.retain(|other| *other != partition);
    }

    /// How the transaction ends, if that is decided and not all markers are written.
    pub(crate) const fn decided(&self) -> Option<TransactionResult> {
        match self.state {
            TransactionState::PrepareCommit => Some(TransactionResult::Commit),
            TransactionState::PrepareAbort => Some(TransactionResult::Abort),
            TransactionState::Empty
            | TransactionState::Ongoing
            | TransactionState::CompleteCommit
            | TransactionState::CompleteAbort
            | TransactionState::Dead
            | TransactionState::PrepareEpochFence => None,
        }
    }

    /// Whether a transaction is open, or decided and not complete.
    pub(crate) fn is_open(&self) -> bool {
        self.state == TransactionState::Ongoing || self.decided().is_some()
    }

    /// Whether a producer that presents an id and epoch may be initialised again: the epoch itself
    /// is looked at later. Kafka: isValidProducerId in prepareInitProducerIdTransit.
    pub(crate) fn knows_producer(&self, expected: ProducerIdAndEpoch) -> bool {
        self.producer_epoch.is_none()
            || expected.id == self.producer_id
            || (Some(expected.id) == self.previous_producer_id && is_exhausted(expected.epoch))
    }

    /// Whether the open transaction is over its time.
    /// Kafka: TransactionStateManager.timedOutTransactions.
    pub(crate) fn is_timed_out(&self, now: Timestamp) -> bool {
        let end = self.start.map(|start| start.get() + i64::from(self.timeout_ms));
        self.pending.is_none()
            && self.state == TransactionState::Ongoing
            && end.is_some_and(|end| end < now.get())
    }

    /// Whether the id was not used for so long that it is forgotten.
    /// Kafka: TransactionStateManager.shouldExpire.
    pub(crate) fn is_expired(&self, now: Timestamp, after_ms: i64) -> bool {
        let may_expire = matches!(
            self.state,
            TransactionState::Empty
                | TransactionState::CompleteCommit
                | TransactionState::CompleteAbort
        );
        self.pending.is_none() && may_expire && self.last_update.get() <= now.get() - after_ms
    }
}

/// From where a state may be reached. Kafka: TransactionState.VALID_PREVIOUS_STATES.
pub(crate) const fn valid_previous(to: TransactionState) -> &'static [TransactionState] {
    use TransactionState as S;
    match to {
        S::Empty | S::Dead => &[S::Empty, S::CompleteCommit, S::CompleteAbort],
        S::Ongoing => &[S::Ongoing, S::Empty, S::CompleteCommit, S::CompleteAbort],
        S::PrepareCommit | S::PrepareEpochFence => &[S::Ongoing],
        S::PrepareAbort => {
            &[S::Ongoing, S::PrepareEpochFence, S::Empty, S::CompleteCommit, S::CompleteAbort]
        }
        S::CompleteCommit => &[S::PrepareCommit],
        S::CompleteAbort => &[S::PrepareAbort],
    }
}

#[cfg(test)]
mod tests;
