//! How the batches of a log are spread over segment files.

use inflight_protocol::Offset;
use smallvec::{SmallVec, smallvec};

/// One segment file. Kafka: storage/internals/log/LogSegment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Segment {
    base: Offset,
    bytes: u64,
}

/// The segments of a log; the last one is active. Kafka: storage/internals/log/LogSegments.
///
/// Only size rolls a segment. segment.ms (seven days) and full indexes are left out: they matter
/// to fsync alone, and no run comes near them.
#[derive(Debug)]
pub(crate) struct Segments {
    list: SmallVec<[Segment; 1]>,
}

inflight_des::clone_fields!(Segments { list });

impl Segments {
    /// One empty segment at offset 0.
    pub(crate) fn new() -> Self {
        Self { list: smallvec![Segment { base: Offset::ZERO, bytes: 0 }] }
    }

    /// The first offset of the active segment.
    #[inline]
    pub(crate) fn active_base(&self) -> Offset {
        self.list[self.list.len() - 1].base
    }

    /// Opens a new segment at `end` if `bytes` more do not fit into the active one, and says so.
    /// Kafka: UnifiedLog.maybeRoll, LogSegment.shouldRoll.
    #[inline]
    pub(crate) fn maybe_roll(&mut self, end: Offset, bytes: u32, segment_bytes: u32) -> bool {
        let active = self.list[self.list.len() - 1];
        let full = active.bytes + u64::from(bytes) > u64::from(segment_bytes);
        if !full || active.bytes == 0 {
            return false;
        }
        self.list.push(Segment { base: end, bytes: 0 });
        true
    }

    /// Counts bytes that were written to the active segment.
    #[inline]
    pub(crate) fn grow(&mut self, bytes: u32) {
        let active = self.list.len() - 1;
        self.list[active].bytes += u64::from(bytes);
    }

    /// Counts a batch that was cut off the end of the log.
    pub(crate) fn shrink(&mut self, base_offset: Offset, bytes: u32) {
        // A cut goes batch by batch from the end, so a segment that starts behind the batch has
        // lost all of its own.
        while self.list.len() > 1 && self.active_base() > base_offset {
            self.list.pop();
        }
        let active = self.list.len() - 1;
        self.list[active].bytes = self.list[active].bytes.saturating_sub(u64::from(bytes));
    }

    /// Deletes the segments that start behind `end`. Kafka: LocalLog.truncateTo.
    pub(crate) fn truncate(&mut self, end: Offset) {
        while self.list.len() > 1 && self.active_base() > end {
            self.list.pop();
        }
    }

    /// Where a read from `offset` ends at the latest: Kafka reads from one segment at a time.
    /// Kafka: LocalLog.read.
    #[inline]
    pub(crate) fn bound(&self, offset: Offset, end: Offset) -> Offset {
        if self.active_base() <= offset {
            return end;
        }
        let next = self.list.partition_point(|segment| segment.base <= offset);
        self.list.get(next).map_or(end, |segment| segment.base)
    }

    /// Whether a segment starts at `offset`.
    pub(crate) fn starts_at(&self, offset: Offset) -> bool {
        self.list.binary_search_by_key(&offset, |segment| segment.base).is_ok()
    }

    /// The first offsets of the last two segments, or of the only one.
    pub(crate) fn last_two(&self) -> impl Iterator<Item = Offset> {
        self.list.iter().skip(self.list.len().saturating_sub(2)).map(|segment| segment.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(offset: u64) -> Offset {
        Offset::new(offset)
    }

    #[test]
    fn a_segment_is_rolled_when_the_next_batch_does_not_fit() {
        let mut segments = Segments::new();
        assert!(!segments.maybe_roll(at(0), 500, 100), "an empty segment takes any batch");
        segments.grow(60);
        assert!(!segments.maybe_roll(at(5), 40, 100), "exactly full is not too full");
        assert!(segments.maybe_roll(at(5), 41, 100));
        segments.grow(41);
        assert_eq!(segments.active_base(), at(5));
        assert_eq!(segments.bound(at(2), at(9)), at(5), "a read stays in its segment");
        assert_eq!(segments.bound(at(5), at(9)), at(9));
        assert_eq!(segments.last_two().collect::<Vec<_>>(), [at(0), at(5)]);
    }

    #[test]
    fn a_cut_takes_segments_and_bytes_away() {
        let mut segments = Segments::new();
        segments.grow(60);
        segments.maybe_roll(at(5), 60, 100);
        segments.grow(60);
        segments.shrink(at(5), 60);
        assert_eq!(segments.active_base(), at(5), "the segment is empty but still there");
        segments.shrink(at(0), 60);
        assert_eq!(segments.active_base(), at(0));
        assert!(!segments.maybe_roll(at(0), 100, 100));
    }
}
