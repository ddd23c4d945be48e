//! Where each leader epoch starts in a log.
//!
//! Kafka: storage/internals/epoch/LeaderEpochFileCache. The file behind it is written through at
//! each assignment, so the cache is as durable as the log itself.

use inflight_protocol::message::EpochEndOffset;
use inflight_protocol::{LeaderEpoch, Offset};
use smallvec::SmallVec;

/// A leader epoch and the first offset that its leader wrote or could have written.
/// Kafka: storage/internals/log/EpochEntry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EpochEntry {
    /// The epoch.
    pub(crate) epoch: LeaderEpoch,
    /// Its first offset.
    pub(crate) start: Offset,
}

/// The epochs of a log: both columns ascend. Kafka: LeaderEpochFileCache.
#[derive(Debug, Default)]
pub(crate) struct LeaderEpochCache {
    entries: SmallVec<[EpochEntry; 4]>,
}

inflight_des::clone_fields!(LeaderEpochCache { entries });

impl LeaderEpochCache {
    /// Notes that `epoch` starts at `start`, and forgets whatever contradicts it.
    /// Kafka: LeaderEpochFileCache.assign.
    #[inline]
    pub(crate) fn assign(&mut self, epoch: LeaderEpoch, start: Offset) {
        let known = self.entries.last();
        if known.is_some_and(|latest| latest.epoch == epoch && latest.start <= start) {
            return;
        }
        while self.entries.last().is_some_and(|last| last.epoch >= epoch || last.start >= start) {
            self.entries.pop();
        }
        self.entries.push(EpochEntry { epoch, start });
    }

    /// The epoch of the last batch, or of the leader that has written none yet.
    /// Kafka: LeaderEpochFileCache.latestEpoch.
    #[inline]
    pub(crate) fn latest(&self) -> Option<LeaderEpoch> {
        self.entries.last().map(|entry| entry.epoch)
    }

    /// The largest known epoch that is not above `requested`, and where it ends. `None` if
    /// `requested` is above everything known. Kafka: LeaderEpochFileCache.endOffsetFor.
    #[inline]
    pub(crate) fn end_offset_for(
        &self,
        requested: LeaderEpoch,
        log_end: Offset,
    ) -> Option<EpochEndOffset> {
        if self.latest() == Some(requested) {
            return Some(EpochEndOffset { epoch: requested, end_offset: log_end });
        }
        let higher = self.entries.partition_point(|entry| entry.epoch <= requested);
        let end_offset = self.entries.get(higher)?.start;
        // Below the first known epoch Kafka answers with the epoch that was asked for: what came
        // before is deleted, and the follower can go on from there.
        let epoch = if higher == 0 { requested } else { self.entries[higher - 1].epoch };
        Some(EpochEndOffset { epoch, end_offset })
    }

    /// Forgets the epochs that start at `end` or later.
    /// Kafka: LeaderEpochFileCache.truncateFromEndAsyncFlush.
    pub(crate) fn truncate_from_end(&mut self, end: Offset) {
        while self.entries.last().is_some_and(|last| last.start >= end) {
            self.entries.pop();
        }
    }

    /// The entries in order.
    pub(crate) fn entries(&self) -> &[EpochEntry] {
        &self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const fn epoch(number: u32) -> LeaderEpoch {
        LeaderEpoch::new(number)
    }

    const fn at(offset: u64) -> Offset {
        Offset::new(offset)
    }

    fn cache(entries: &[(u32, u64)]) -> LeaderEpochCache {
        let mut cache = LeaderEpochCache::default();
        for (number, start) in entries {
            cache.assign(epoch(*number), at(*start));
        }
        cache
    }

    fn end(cache: &LeaderEpochCache, requested: u32) -> Option<(u32, u64)> {
        let found = cache.end_offset_for(epoch(requested), at(20))?;
        Some((found.epoch.get(), found.end_offset.get()))
    }

    /// The cases of LeaderEpochFileCacheTest, gathered in a table.
    #[test]
    fn an_epoch_ends_where_the_next_one_starts() {
        let cache = cache(&[(2, 5), (4, 8), (7, 12)]);
        for (requested, expected) in [
            (7, Some((7, 20))),
            (8, None),
            (6, Some((4, 12))),
            (5, Some((4, 12))),
            (4, Some((4, 12))),
            (3, Some((2, 8))),
            (2, Some((2, 8))),
            (1, Some((1, 5))),
        ] {
            assert_eq!(end(&cache, requested), expected, "epoch {requested}");
        }
        assert_eq!(end(&LeaderEpochCache::default(), 0), None);
    }

    #[test]
    fn an_epoch_that_wrote_nothing_gives_way_to_the_next() {
        let cache = cache(&[(0, 0), (1, 6), (2, 6)]);
        let entries: Vec<_> =
            cache.entries().iter().map(|e| (e.epoch.get(), e.start.get())).collect();
        assert_eq!(entries, [(0, 0), (2, 6)]);
    }

    /// LeaderEpochFileCache with a TreeMap, step by step.
    #[derive(Default)]
    struct Naive(BTreeMap<u32, u64>);

    impl Naive {
        fn assign(&mut self, epoch: u32, start: u64) {
            let needed = self
                .0
                .last_key_value()
                .is_none_or(|(latest, known)| *latest != epoch || start < *known);
            if !needed {
                return;
            }
            let kept = self.0.iter().rev().find(|(e, s)| **e < epoch && **s < start);
            let kept = kept.map(|(e, _)| *e);
            self.0.retain(|e, _| kept.is_some_and(|kept| *e <= kept));
            self.0.insert(epoch, start);
        }

        fn end(&self, requested: u32, log_end: u64) -> Option<(u32, u64)> {
            if self.0.last_key_value().is_some_and(|(latest, _)| *latest == requested) {
                return Some((requested, log_end));
            }
            let (_, higher) = self.0.range(requested + 1..).next()?;
            let floor = self.0.range(..=requested).next_back();
            Some((floor.map_or(requested, |(epoch, _)| *epoch), *higher))
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Assign(u32, u64),
        Truncate(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => (0..12_u32, 0..40_u64).prop_map(|(e, s)| Step::Assign(e, s)),
            1 => (0..40_u64).prop_map(Step::Truncate),
        ];
        proptest::collection::vec(step, 0..30)
    }

    proptest! {
        #[test]
        fn the_cache_agrees_with_a_tree(steps in steps(), log_end in 0..50_u64) {
            let (mut cache, mut naive) = (LeaderEpochCache::default(), Naive::default());
            for step in steps {
                match step {
                    Step::Assign(e, s) => {
                        cache.assign(epoch(e), at(s));
                        naive.assign(e, s);
                    }
                    Step::Truncate(to) => {
                        cache.truncate_from_end(at(to));
                        naive.0.retain(|_, start| *start < to);
                    }
                }
                let entries: Vec<_> =
                    cache.entries().iter().map(|e| (e.epoch.get(), e.start.get())).collect();
                let expected: Vec<_> = naive.0.iter().map(|(e, s)| (*e, *s)).collect();
                prop_assert_eq!(&entries, &expected);
                prop_assert!(entries.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1));
                for requested in 0..13 {
                    let found = cache.end_offset_for(epoch(requested), at(log_end));
                    let found = found.map(|f| (f.epoch.get(), f.end_offset.get()));
                    prop_assert_eq!(found, naive.end(requested, log_end));
                }
            }
        }
    }
}
