//! What a replica remembers of all producer ids that wrote to it.
//!
//! Kafka: storage/internals/log/ProducerStateManager. The state follows from the log: leaders and
//! followers build it batch by batch, and after a truncation or a restart it is built again from
//! the newest snapshot and the batches behind it. Snapshots keep one batch per producer id, so a
//! restarted replica recognises less than it did before.

use crate::log::producer_entry::{ProducerStateEntry, SequenceCheck};
use crate::log::snapshots::Snapshots;
use crate::log::transactions::{CompletedTxn, OpenTransactions};
use crate::log::verification::{Verification, Verifications};
use inflight_des::{Instant, Span};
use inflight_protocol::{
    BatchKind, BatchProducer, ErrorCode, Offset, ProducerId, RecordBatch, Timestamp,
};

mod rebuild;

/// The settings that decide when a producer id is forgotten.
/// Kafka: storage/internals/log/ProducerStateManagerConfig.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expiration {
    /// producer.id.expiration.ms
    pub(crate) after: Span,
    /// producer.id.expiration.check.interval.ms
    pub(crate) check_interval: Span,
}

impl Expiration {
    /// Whether a producer id is forgotten by a check at `now`. The age is that of the record
    /// timestamps, not of the append. Kafka: ProducerStateManager.isProducerExpired.
    pub(crate) fn is_over(&self, last_timestamp: Timestamp, now: Instant) -> bool {
        Timestamp::at(now).get() - last_timestamp.get() >= self.after.as_millis() as i64
    }
}

/// The state of all producer ids in one replica. Kafka: ProducerStateManager.
#[derive(Debug)]
pub(crate) struct ProducerStateManager {
    /// In ascending order of producer ids.
    entries: Vec<ProducerStateEntry>,
    /// Where the last one was found.
    recent: usize,
    open: OpenTransactions,
    verifications: Verifications,
    snapshots: Snapshots,
    /// What a rebuild would find behind the batches that memory has forgotten.
    forgotten: Vec<ProducerStateEntry>,
    next_check: Instant,
}

inflight_des::clone_fields!(ProducerStateManager {
    entries,
    recent,
    open,
    verifications,
    snapshots,
    forgotten,
    next_check,
});

impl ProducerStateManager {
    /// No producer id is known. The first check for expired ones is an interval away.
    pub(crate) fn new(opened: Instant, expiration: Expiration) -> Self {
        Self {
            entries: Vec::new(),
            recent: 0,
            open: OpenTransactions::default(),
            verifications: Verifications::default(),
            snapshots: Snapshots::default(),
            forgotten: Vec::new(),
            next_check: opened + expiration.check_interval,
        }
    }

    /// The entries in ascending order of producer ids.
    pub(crate) fn entries(&self) -> &[ProducerStateEntry] {
        &self.entries
    }

    /// Does what the periodic checks since the last call would have done, and tells the producer
    /// ids that they forgot. Nobody looks at the state in between, so they need no event of their
    /// own. Kafka: UnifiedLog.producerExpireCheck, ProducerStateManager.removeExpiredProducers.
    #[inline]
    pub(crate) fn expire(
        &mut self,
        now: Instant,
        expiration: Expiration,
        forgot: impl FnMut(ProducerId),
    ) {
        if now >= self.next_check {
            self.expire_at_last_check(now, expiration, forgot);
        }
    }

    #[cold]
    fn expire_at_last_check(
        &mut self,
        now: Instant,
        expiration: Expiration,
        mut forgot: impl FnMut(ProducerId),
    ) {
        let interval = expiration.check_interval.as_nanos().max(1);
        let passed = now.since(self.next_check).as_nanos() / interval;
        // Entries only get older, so of several checks the last one decides.
        let last_check = self.next_check + Span::from_nanos(passed * interval);
        self.next_check = last_check + Span::from_nanos(interval);
        self.verifications.expire(last_check, expiration);
        self.entries.retain(|entry| {
            let over = is_expired(entry, last_check, expiration);
            if over {
                forgot(entry.id);
            }
            !over
        });
        self.recent = 0;
    }

    /// The entry of a producer id.
    pub(crate) fn entry(&self, id: ProducerId) -> Option<&ProducerStateEntry> {
        let found = self.entries.binary_search_by_key(&id, |entry| entry.id);
        found.ok().map(|index| &self.entries[index])
    }

    /// What is to be done with a batch from a producer. Without any state every sequence is
    /// accepted. Kafka: UnifiedLog.analyzeAndValidateProducerState for AppendOrigin.CLIENT.
    #[inline]
    pub(crate) fn check(
        &mut self,
        producer: BatchProducer,
        batch: &RecordBatch,
        verification: Verification,
    ) -> SequenceCheck {
        let count = batch.records.count;
        let found = self.find(producer.id);
        if batch.kind != BatchKind::Plain || !self.verifications.is_empty() {
            return self.check_transactional(producer, batch, verification);
        }
        let Ok(index) = found else { return SequenceCheck::Accept };
        let entry = &self.entries[index];
        match entry.check(producer, count) {
            SequenceCheck::Accept if entry.transaction.is_some() => {
                SequenceCheck::Refuse(ErrorCode::InvalidTxnState)
            }
            check => check,
        }
    }

    /// As [`ProducerStateManager::check`], of a batch that may open a transaction: the coordinator
    /// has to know of that.
    fn check_transactional(
        &self,
        producer: BatchProducer,
        batch: &RecordBatch,
        verification: Verification,
    ) -> SequenceCheck {
        let entry = self.entry(producer.id);
        if let Some(known) = entry.and_then(|entry| entry.duplicate(producer, batch.records.count))
        {
            return SequenceCheck::Duplicate(*known);
        }
        let checked = self.check_verified(producer, batch, verification).and_then(|()| {
            let knows_batches = entry.is_some_and(|entry| entry.last().is_some());
            self.verifications.check_sequence(producer, knows_batches)
        });
        if let Err(error) = checked {
            return SequenceCheck::Refuse(error);
        }
        let Some(entry) = entry else { return SequenceCheck::Accept };
        match entry.check(producer, batch.records.count) {
            SequenceCheck::Accept
                if entry.transaction.is_some() && batch.kind == BatchKind::Plain =>
            {
                SequenceCheck::Refuse(ErrorCode::InvalidTxnState)
            }
            check => check,
        }
    }

    /// Whether a batch belongs to an open transaction, or may open one. Of what a coordinator
    /// writes nothing else is checked. Kafka: UnifiedLog.analyzeAndValidateProducerState.
    pub(crate) fn check_verified(
        &self,
        producer: BatchProducer,
        batch: &RecordBatch,
        verification: Verification,
    ) -> Result<(), ErrorCode> {
        let entry = self.entry(producer.id);
        if entry.is_some_and(|entry| producer.epoch < entry.epoch) {
            return Err(ErrorCode::InvalidProducerEpoch);
        }
        let is_ongoing = entry.is_some_and(|entry| entry.has_ongoing(producer.epoch));
        let is_verified = !batch.kind.is_transactional()
            || is_ongoing
            || self.verifications.permits(producer.id, verification);
        if is_verified { Ok(()) } else { Err(ErrorCode::InvalidTxnState) }
    }

    /// The verifications that are under way.
    pub(crate) const fn verifications_mut(&mut self) -> &mut Verifications {
        &mut self.verifications
    }

    /// The transactions that keep readers of committed records back.
    #[inline]
    pub(crate) const fn open(&self) -> &OpenTransactions {
        &self.open
    }

    /// The high watermark is at `high_watermark`.
    #[inline]
    pub(crate) fn committed_below(&mut self, high_watermark: Offset) {
        self.open.committed_below(high_watermark);
    }

    /// Notes an appended batch, from a producer, from a coordinator or from the leader. Returns
    /// the transaction that it has ended. Kafka: ProducerStateManager.update.
    #[inline]
    pub(crate) fn update(&mut self, batch: &RecordBatch) -> Option<CompletedTxn> {
        let producer = batch.producer?;
        let index = match self.find(producer.id) {
            Ok(index) => index,
            Err(index) => {
                let (id, epoch, at) = (producer.id, producer.epoch, batch.max_timestamp);
                let entry = ProducerStateEntry::without_batches(id, epoch, at);
                self.entries.insert(index, entry);
                self.recent = index;
                index
            }
        };
        let entry = &mut self.entries[index];
        if batch.kind == BatchKind::Plain {
            return entry.append(producer, batch);
        }
        let before = entry.transaction;
        let completed = entry.append(producer, batch);
        if before.is_none() && entry.transaction.is_some() {
            self.open.begin(batch.base_offset, producer.id);
        }
        if !self.verifications.is_empty() {
            self.verifications.written(producer, batch);
        }
        completed
    }

    /// A marker that is in the log has ended a transaction. Returns the last stable offset for the
    /// index of aborted transactions. Kafka: ProducerStateManager.lastStableOffset, completeTxn.
    pub(crate) fn complete(&mut self, completed: CompletedTxn) -> Offset {
        let stable = self.open.stable_after(completed);
        self.open.complete(completed);
        stable
    }

    /// The position of a producer id, or where it belongs.
    #[inline]
    fn find(&mut self, id: ProducerId) -> Result<usize, usize> {
        if self.entries.get(self.recent).is_some_and(|entry| entry.id == id) {
            return Ok(self.recent);
        }
        let found = self.entries.binary_search_by_key(&id, |entry| entry.id);
        if let Ok(index) = found {
            self.recent = index;
        }
        found
    }

    /// Writes a snapshot of the state at `offset`.
    pub(crate) fn take_snapshot(&mut self, offset: Offset) {
        self.snapshots.take(offset, &self.entries);
    }

    /// Loses what is in memory.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.recent = 0;
        self.open.reset(std::iter::empty());
        self.verifications.clear();
    }

    /// Memory is about to forget a batch: what a rebuild would learn from it is kept instead.
    pub(crate) fn forget(&mut self, batch: &RecordBatch) {
        if self.snapshots.has(batch.base_offset) {
            self.snapshots.load(batch.base_offset, &mut self.forgotten);
        }
        let Some(producer) = batch.producer else { return };
        match self.forgotten.binary_search_by_key(&producer.id, |entry| entry.id) {
            Ok(index) => _ = self.forgotten[index].append(producer, batch),
            Err(index) => self.forgotten.insert(index, ProducerStateEntry::new(producer, batch)),
        }
    }

    /// Drops the snapshots that no rebuild can need any more.
    pub(crate) fn forget_snapshots_below(&mut self, offset: Offset) {
        self.snapshots.retain(|snapshot| snapshot >= offset);
    }
}

/// Whether an entry is forgotten by a check at `now`: one with an open transaction never is.
/// Kafka: ProducerStateManager.isProducerExpired.
fn is_expired(entry: &ProducerStateEntry, now: Instant, expiration: Expiration) -> bool {
    entry.transaction.is_none() && expiration.is_over(entry.last_timestamp, now)
}
