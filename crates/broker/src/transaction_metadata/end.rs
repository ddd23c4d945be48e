//! The end of a transaction: what is decided about a request to commit or to abort.
//!
//! Kafka: TransactionCoordinator.endTransaction and endTransactionWithTV1,
//! TransactionMetadata.prepareAbortOrCommit.

use super::{TransactionMetadata, is_exhausted};
use inflight_protocol::transaction::TransactionLogValue;
use inflight_protocol::{
    ErrorCode, ProducerEpoch, ProducerId, ProducerIdAndEpoch, Timestamp, TransactionResult,
    TransactionState, TransactionVersion,
};

/// A request to end a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    /// The producer as the request names it.
    pub(crate) producer: ProducerIdAndEpoch,
    /// Commit or abort.
    pub(crate) result: TransactionResult,
    /// The protocol: with 2 the epoch is raised.
    pub(crate) version: TransactionVersion,
    /// Who wants it.
    pub(crate) origin: EndOrigin,
}

/// Who wants a transaction to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndOrigin {
    /// A client.
    Client,
    /// The coordinator itself: the transaction is over its time, or another instance of the
    /// producer has come.
    Coordinator,
}

/// What is to be done about a request to end a transaction that is legal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EndDecision {
    /// This is to be written. Whether the epoch is raised to fence the producer.
    Prepare(TransactionLogValue, Fencing),
    /// It has been done before. The producer as it is now.
    Done(ProducerIdAndEpoch),
}

/// Whether an epoch was raised to fence a producer, in a way that must not be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fencing {
    /// It was: if this is not written, the next attempt goes on from the raised epoch.
    Raised,
    /// It was not.
    No,
}

impl TransactionMetadata {
    /// Decides about a request to end the transaction. `new_producer_id` is asked for an id if the
    /// epochs of this one are used up.
    pub(crate) fn prepare_end(
        &mut self,
        end: &End,
        now: Timestamp,
        new_producer_id: impl FnOnce() -> Result<ProducerId, ErrorCode>,
    ) -> Result<EndDecision, ErrorCode> {
        if end.version.bumps_epochs() {
            self.prepare_end_bumping(end, now, new_producer_id)
        } else {
            self.prepare_end_v1(end, now)
        }
    }

    fn is_blocked(&self) -> bool {
        self.pending.is_some_and(|pending| pending != TransactionState::PrepareEpochFence)
    }

    fn is_fencing(&self) -> bool {
        self.pending == Some(TransactionState::PrepareEpochFence)
    }

    /// Below version 2 the request is known by producer id and epoch and the current state, no
    /// more. Kafka: endTransactionWithTV1.
    fn prepare_end_v1(&mut self, end: &End, now: Timestamp) -> Result<EndDecision, ErrorCode> {
        use TransactionState as S;
        let (epoch, own) = (end.producer.epoch, self.epoch());
        let is_client = end.origin == EndOrigin::Client;
        if self.producer_id != end.producer.id {
            return Err(ErrorCode::InvalidProducerIdMapping);
        }
        if (is_client && epoch != own) || epoch < own {
            return Err(ErrorCode::ProducerFenced);
        }
        if self.is_blocked() {
            return Err(ErrorCode::ConcurrentTransactions);
        }
        match (self.state, end.result) {
            (S::Ongoing, _) => {
                let mut fencing = Fencing::No;
                if end.result == TransactionResult::Abort && self.is_fencing() {
                    fencing = Fencing::Raised;
                    self.pending = None;
                    self.producer_epoch = Some(epoch);
                    self.last_producer_epoch = None;
                }
                let value = self.ending(end, TransactionVersion::V0, None, now);
                Ok(EndDecision::Prepare(self.prepare(value), fencing))
            }
            (S::CompleteCommit, TransactionResult::Commit)
            | (S::CompleteAbort, TransactionResult::Abort) => Ok(EndDecision::Done(end.producer)),
            (S::PrepareCommit, TransactionResult::Commit)
            | (S::PrepareAbort, TransactionResult::Abort) => Err(ErrorCode::ConcurrentTransactions),
            (
                S::Empty
                | S::PrepareCommit
                | S::PrepareAbort
                | S::CompleteCommit
                | S::CompleteAbort
                | S::Dead
                | S::PrepareEpochFence,
                _,
            ) => Err(ErrorCode::InvalidTxnState),
        }
    }

    /// With version 2 each transaction has its own epoch, so that a request is known to be a retry
    /// by the epoch before the current one. Kafka: endTransaction.
    fn prepare_end_bumping(
        &mut self,
        end: &End,
        now: Timestamp,
        new_producer_id: impl FnOnce() -> Result<ProducerId, ErrorCode>,
    ) -> Result<EndDecision, ErrorCode> {
        use TransactionResult::{Abort, Commit};
        use TransactionState as S;
        let is_overflow_retry = self.is_overflow_retry(end.producer);
        let is_retry = is_overflow_retry || self.is_bump_retry(end.producer.epoch);
        if self.is_blocked() {
            return Err(ErrorCode::ConcurrentTransactions);
        }
        if self.producer_id != end.producer.id && !is_overflow_retry {
            return Err(ErrorCode::InvalidProducerIdMapping);
        }
        if !self.has_valid_epoch(end, is_overflow_retry) {
            return Err(ErrorCode::ProducerFenced);
        }
        match (self.state, end.result) {
            (S::CompleteCommit, Commit) | (S::CompleteAbort, Abort) if is_retry => {
                let (id, epoch) = (self.producer_id, self.epoch());
                return Ok(EndDecision::Done(ProducerIdAndEpoch { id, epoch }));
            }
            (S::CompleteCommit, Abort) if is_retry => return Err(ErrorCode::InvalidTxnState),
            (S::PrepareCommit, Commit) | (S::PrepareAbort, Abort) => {
                return Err(ErrorCode::ConcurrentTransactions);
            }
            (S::Ongoing, _) | (S::Empty | S::CompleteCommit | S::CompleteAbort, Abort) => {}
            (S::Empty | S::CompleteCommit | S::CompleteAbort, Commit)
            | (S::PrepareCommit, Abort)
            | (S::PrepareAbort, Commit)
            | (S::Dead | S::PrepareEpochFence, _) => return Err(ErrorCode::InvalidTxnState),
        }
        let next = if self.is_epoch_exhausted() { Some(new_producer_id()?) } else { None };
        if self.is_fencing() && end.result == Abort {
            self.pending = None;
        }
        if end.result == Commit && self.epoch() == ProducerEpoch::MAX {
            // Kafka throws: no epoch is left, which only an abort survives.
            return Err(ErrorCode::UnknownServerError);
        }
        let value = self.ending(end, end.version, next, now);
        Ok(EndDecision::Prepare(self.prepare(value), Fencing::No))
    }

    /// The client repeats a request after which it got a new producer id.
    fn is_overflow_retry(&self, producer: ProducerIdAndEpoch) -> bool {
        !self.is_fencing()
            && self.previous_producer_id == Some(producer.id)
            && producer.epoch.get() == ProducerEpoch::MAX.get() - 1
            && self.epoch() == ProducerEpoch::new(0)
    }

    /// The client repeats a request after which the epoch was raised.
    fn is_bump_retry(&self, epoch: ProducerEpoch) -> bool {
        !self.is_fencing() && epoch.next() == Some(self.epoch())
    }

    fn has_valid_epoch(&self, end: &End, is_overflow_retry: bool) -> bool {
        use TransactionState as S;
        let (epoch, own) = (end.producer.epoch, self.epoch());
        if self.is_fencing() {
            return (end.origin == EndOrigin::Coordinator || epoch == own) && epoch >= own;
        }
        match self.state {
            S::Ongoing | S::Empty | S::Dead | S::PrepareEpochFence => epoch == own,
            S::PrepareCommit | S::PrepareAbort => self.is_bump_retry(epoch),
            S::CompleteCommit | S::CompleteAbort => {
                self.is_bump_retry(epoch) || is_overflow_retry || epoch == own
            }
        }
    }

    /// Kafka: TransactionMetadata.prepareAbortOrCommit.
    fn ending(
        &self,
        end: &End,
        version: TransactionVersion,
        next_producer_id: Option<ProducerId>,
        now: Timestamp,
    ) -> TransactionLogValue {
        let to = match end.result {
            TransactionResult::Commit => TransactionState::PrepareCommit,
            TransactionResult::Abort => TransactionState::PrepareAbort,
        };
        let mut value = TransactionLogValue {
            next_producer_id,
            last_update: now,
            client_version: version,
            // A transaction without partitions begins and ends at once.
            start: if self.state == TransactionState::Ongoing { self.start } else { Some(now) },
            ..self.transit(to)
        };
        if version.bumps_epochs() {
            value.last_producer_epoch = self.producer_epoch;
            debug_assert!(!is_exhausted(self.epoch()) || next_producer_id.is_some());
            value.producer_epoch = self.epoch().next().unwrap_or(ProducerEpoch::MAX);
        }
        value
    }
}
