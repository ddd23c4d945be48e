//! The batches of a log in order of their offsets.

use inflight_protocol::{Offset, RecordBatch};
use smallvec::SmallVec;
use std::collections::VecDeque;

/// The batches that are in memory: those from [`Batches::kept_from`] on.
/// Kafka: storage/internals/log/LocalLog, without its files.
#[derive(Debug, Default)]
pub(crate) struct Batches {
    kept: VecDeque<RecordBatch>,
    kept_from: Offset,
}

inflight_des::clone_fields!(Batches { kept, kept_from });

/// How many batches are looked at from the end before the search becomes binary: readers are
/// mostly close behind the writer.
const LINEAR_LOOKS: usize = 4;

impl Batches {
    /// Adds a batch at the end.
    #[inline]
    pub(crate) fn push(&mut self, batch: RecordBatch) {
        self.kept.push_back(batch);
    }

    /// The first offset in memory.
    pub(crate) const fn kept_from(&self) -> Offset {
        self.kept_from
    }

    /// The batches in order.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &RecordBatch> {
        self.kept.iter()
    }

    /// The batches from the one that holds `offset` on.
    pub(crate) fn from(&self, offset: Offset) -> impl Iterator<Item = &RecordBatch> {
        self.kept.range(self.position(offset)..)
    }

    /// The position of the first batch that ends after `offset`.
    #[inline]
    fn position(&self, offset: Offset) -> usize {
        let mut position = self.kept.len();
        for _ in 0..LINEAR_LOOKS {
            match position.checked_sub(1) {
                Some(before) if self.kept[before].next_offset() > offset => position = before,
                _ => return position,
            }
        }
        self.kept.partition_point(|batch| batch.next_offset() <= offset)
    }

    /// Copies the batches from `offset` on that lie before `bound` and together have at most
    /// `max_bytes` to `out`; the first one is copied whatever its size if `first` says so.
    /// Returns their bytes.
    #[inline]
    pub(crate) fn read(
        &self,
        offset: Offset,
        bound: Offset,
        max_bytes: u32,
        first: FirstBatch,
        out: &mut SmallVec<[RecordBatch; 1]>,
    ) -> u32 {
        debug_assert!(offset >= self.kept_from, "nobody reads what was forgotten");
        let mut bytes = 0_u32;
        for batch in self.kept.range(self.position(offset)..) {
            let fits = batch.bytes <= max_bytes.saturating_sub(bytes);
            let granted = bytes == 0 && first == FirstBatch::Always;
            if batch.base_offset >= bound || !(fits || granted) {
                break;
            }
            bytes = bytes.saturating_add(batch.bytes);
            out.push(*batch);
        }
        bytes
    }

    /// Drops the batches that reach beyond `end`, the last one first.
    pub(crate) fn truncate(&mut self, end: Offset, mut dropped: impl FnMut(&RecordBatch)) {
        while let Some(last) = self.kept.back().filter(|last| last.next_offset() > end) {
            dropped(last);
            self.kept.pop_back();
        }
        self.kept_from = self.kept_from.min(end);
    }

    /// Drops the batches that lie wholly before `offset`, the first one first.
    pub(crate) fn forget_below(&mut self, offset: Offset, mut dropped: impl FnMut(&RecordBatch)) {
        while let Some(first) = self.kept.front().filter(|first| first.next_offset() <= offset) {
            self.kept_from = first.next_offset();
            dropped(first);
            self.kept.pop_front();
        }
    }
}

/// Whether a read returns its first batch even if it is larger than the limits.
/// Kafka: the parameter minOneMessage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FirstBatch {
    /// It does, so that a reader gets past large batches.
    Always,
    /// It does not: another partition has filled the response.
    IfItFits,
}
