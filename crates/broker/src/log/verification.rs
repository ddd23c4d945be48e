//! What a leader remembers between asking a coordinator about a transaction and writing to it.
//!
//! Kafka: storage/internals/log/VerificationStateEntry, VerificationGuard. A guard is made when a
//! batch comes that would open a transaction here, and goes with the first write to the
//! transaction or with a marker. An answer of the coordinator that comes with another guard is
//! about a transaction that has ended since.

use crate::log::producer_state::Expiration;
use inflight_des::Instant;
use inflight_protocol::{
    BatchProducer, ErrorCode, ProducerEpoch, ProducerId, RecordBatch, Sequence, Timestamp,
    TransactionVersion,
};

/// A name for one verification, never given twice by a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct VerificationGuard(u32);

/// What a write says about its verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verification {
    /// transaction.partition.verification.enable is off: nobody asks for a guard.
    Off,
    /// The write brings this guard. `None` is Kafka's sentinel, which fits no verification.
    Required(Option<VerificationGuard>),
}

/// One producer id that is being verified.
#[derive(Clone, Copy, Debug)]
struct VerificationStateEntry {
    id: ProducerId,
    guard: VerificationGuard,
    since: Timestamp,
    version: TransactionVersion,
    /// The lowest sequence of the epoch that wanted to be verified; `None` of a coordinator's
    /// batch, which has none and counts as lower than all.
    lowest: Option<Sequence>,
    epoch: ProducerEpoch,
}

/// The producer ids that are being verified. Kafka: ProducerStateManager.verificationStates.
#[derive(Debug, Default)]
pub(crate) struct Verifications {
    entries: Vec<VerificationStateEntry>,
    given: u32,
}

inflight_des::clone_fields!(Verifications { entries, given });

impl Verifications {
    /// Whether none is under way.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn get(&self, id: ProducerId) -> Option<&VerificationStateEntry> {
        self.entries.iter().find(|entry| entry.id == id)
    }

    /// The guard of a verification, which is new if none is under way.
    /// Kafka: ProducerStateManager.maybeCreateVerificationStateEntry.
    pub(crate) fn start(
        &mut self,
        producer: BatchProducer,
        sequence: Option<Sequence>,
        version: TransactionVersion,
        now: Timestamp,
    ) -> VerificationGuard {
        let found = self.entries.iter().position(|entry| entry.id == producer.id);
        let index = found.unwrap_or_else(|| {
            self.given += 1;
            self.entries.push(VerificationStateEntry {
                id: producer.id,
                guard: VerificationGuard(self.given),
                since: now,
                version,
                lowest: sequence,
                epoch: producer.epoch,
            });
            self.entries.len() - 1
        });
        let entry = &mut self.entries[index];
        if producer.epoch > entry.epoch {
            (entry.epoch, entry.lowest) = (producer.epoch, sequence);
        } else if producer.epoch == entry.epoch {
            entry.lowest = entry.lowest.min(sequence);
        }
        entry.guard
    }

    /// Whether a write that would open a transaction may do so.
    /// Kafka: UnifiedLog.batchMissingRequiredVerification.
    pub(crate) fn permits(&self, id: ProducerId, verification: Verification) -> bool {
        match verification {
            Verification::Off => true,
            Verification::Required(None) => false,
            Verification::Required(guard) => self.get(id).map(|entry| entry.guard) == guard,
        }
    }

    /// The two checks of a sequence that only a verification calls for: with version 2 a producer
    /// of which nothing is known starts at 0, and what comes behind a batch that is still to be
    /// verified has to wait. Kafka: the first half of ProducerAppendInfo.checkSequence.
    pub(crate) fn check_sequence(
        &self,
        producer: BatchProducer,
        knows_batches: bool,
    ) -> Result<(), ErrorCode> {
        let Some(entry) = self.get(producer.id) else { return Ok(()) };
        let starts_late = entry.version.bumps_epochs()
            && producer.base_sequence != Sequence::ZERO
            && !knows_batches;
        if starts_late || Some(producer.base_sequence) > entry.lowest {
            return Err(ErrorCode::OutOfOrderSequenceNumber);
        }
        Ok(())
    }

    /// A transactional batch or a marker was written. A marker of the epoch that is being verified
    /// ended the transaction before, if each transaction has its own epoch.
    /// Kafka: the end of UnifiedLog.updateProducers.
    pub(crate) fn written(&mut self, producer: BatchProducer, batch: &RecordBatch) {
        self.entries.retain(|entry| {
            let is_of_next = entry.version.bumps_epochs()
                && batch.kind.is_control()
                && producer.epoch == entry.epoch;
            entry.id != producer.id || is_of_next
        });
    }

    /// Drops what was never written to. Kafka: ProducerStateManager.removeExpiredProducers.
    pub(crate) fn expire(&mut self, now: Instant, expiration: Expiration) {
        self.entries.retain(|entry| !expiration.is_over(entry.since, now));
    }

    /// Loses what is in memory.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}
