//! The log of a partition, the same on every broker.

use crate::script::Kind;
use inflight_protocol::message::{AbortedTransaction, EpochEndOffset};
use inflight_protocol::transaction::{CoordinatorEpoch, Marker};
use inflight_protocol::{
    BatchKind, BatchProducer, LeaderEpoch, Offset, ProducerEpoch, ProducerId, RecordBatch,
    RecordRun, Sequence, SessionId, Timestamp, TransactionResult,
};
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug)]
struct Batch {
    base: u64,
    count: u32,
    epoch: u32,
    kind: Kind,
    producer: u64,
}

impl Batch {
    fn next(self) -> u64 {
        self.base + u64::from(self.count)
    }

    fn is_marker(self) -> bool {
        matches!(self.kind, Kind::Commit | Kind::Abort)
    }

    fn batch(self) -> RecordBatch {
        let marker = |result| {
            BatchKind::Marker(Marker { result, coordinator_epoch: CoordinatorEpoch::default() })
        };
        let producer = BatchProducer {
            id: ProducerId::new(self.producer),
            base_sequence: Sequence::ZERO,
            epoch: ProducerEpoch::new(0),
        };
        RecordBatch {
            base_offset: Offset::new(self.base),
            records: RecordRun { first: 0, count: self.count, session: SessionId::new(0) },
            producer: (self.kind != Kind::Plain).then_some(producer),
            max_timestamp: Timestamp::RUN_START,
            bytes: 100,
            leader_epoch: LeaderEpoch::new(self.epoch),
            kind: match self.kind {
                Kind::Plain => BatchKind::Plain,
                Kind::Txn => BatchKind::Transactional,
                Kind::Commit => marker(TransactionResult::Commit),
                Kind::Abort => marker(TransactionResult::Abort),
            },
        }
    }
}

/// What a fetch reads of a log.
pub(crate) struct Read {
    pub(crate) batches: Vec<RecordBatch>,
    pub(crate) aborted: Vec<AbortedTransaction>,
}

#[derive(Debug)]
pub(crate) struct Log {
    start: u64,
    batches: Vec<Batch>,
}

impl Log {
    pub(crate) fn new(start: u64) -> Self {
        Self { start, batches: Vec::new() }
    }

    pub(crate) fn append(&mut self, (count, gap): (u32, u64), epoch: u32, kind: (Kind, u64)) {
        let (base, (kind, producer)) = (self.next() + gap, kind);
        self.batches.push(Batch { base, count, epoch, kind, producer });
    }

    pub(crate) fn truncate(&mut self, batches: usize) {
        self.batches.truncate(self.batches.len().saturating_sub(batches));
    }

    pub(crate) fn start(&self) -> u64 {
        self.start
    }

    fn next(&self) -> u64 {
        self.batches.last().map_or(self.start, |last| last.next())
    }

    /// Where readers find the end.
    pub(crate) fn end(&self, committed: bool) -> u64 {
        if committed { self.stable() } else { self.next() }
    }

    /// The last stable offset: where the first open transaction begins.
    fn stable(&self) -> u64 {
        let mut open = BTreeMap::new();
        for batch in &self.batches {
            if batch.kind == Kind::Txn {
                open.entry(batch.producer).or_insert(batch.base);
            } else if batch.is_marker() {
                open.remove(&batch.producer);
            }
        }
        open.into_values().min().unwrap_or_else(|| self.next())
    }

    /// The epoch of the batch that an offset is in or behind.
    pub(crate) fn epoch_at(&self, offset: u64) -> Option<LeaderEpoch> {
        let before = self.batches.iter().rfind(|batch| batch.base <= offset);
        before.map(|batch| LeaderEpoch::new(batch.epoch))
    }

    /// The greatest epoch that is not greater than this one, and where it ends.
    pub(crate) fn end_of(&self, epoch: u32) -> Option<EpochEndOffset> {
        let last = self.batches.iter().rfind(|batch| batch.epoch <= epoch)?;
        Some(EpochEndOffset {
            epoch: LeaderEpoch::new(last.epoch),
            end_offset: Offset::new(last.next()),
        })
    }

    /// So many batches from the one on that an offset is in.
    pub(crate) fn read(&self, offset: u64, count: usize, committed: bool) -> Read {
        let stable = self.stable();
        let readable = self
            .batches
            .iter()
            .filter(|batch| batch.next() > offset && (!committed || batch.base < stable));
        let read: Vec<Batch> = readable.take(count).copied().collect();
        let until = read.last().map(|last| last.next()).filter(|_| committed);
        Read {
            batches: read.into_iter().map(Batch::batch).collect(),
            aborted: until.map_or_else(Vec::new, |until| self.aborted(offset, until)),
        }
    }

    fn aborted(&self, from: u64, until: u64) -> Vec<AbortedTransaction> {
        let mut open = BTreeMap::new();
        let mut found = Vec::new();
        for batch in &self.batches {
            if batch.kind == Kind::Txn {
                open.entry(batch.producer).or_insert(batch.base);
            } else if batch.is_marker()
                && let Some(first) = open.remove(&batch.producer)
                && batch.kind == Kind::Abort
                && batch.base >= from
                && first < until
            {
                found.push(AbortedTransaction {
                    first_offset: Offset::new(first),
                    producer_id: ProducerId::new(batch.producer),
                });
            }
        }
        found
    }
}
