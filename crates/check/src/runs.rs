//! Sets of numbers that mostly grow at their upper end.

/// A set of numbers as disjoint runs. A set that only ever grows by what comes next is one run and
/// owns no memory.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Runs {
    /// The runs below the last one, ascending, neither touching nor empty.
    earlier: Vec<Run>,
    /// The highest run; empty if the set is.
    last: Run,
    /// How many numbers the set has.
    total: u64,
}

inflight_des::clone_fields!(Runs { earlier, last, total });

/// The numbers from `start` up to, but not including, `end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Run {
    /// The first number.
    pub start: u64,
    /// One past the last number.
    pub end: u64,
}

impl Run {
    /// The run of `count` numbers from `first`.
    #[inline]
    pub const fn of(first: u64, count: u64) -> Self {
        Self { start: first, end: first.saturating_add(count) }
    }

    /// How many numbers.
    #[inline]
    pub const fn len(self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Whether there is none.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// Whether a number is in the run.
    #[inline]
    pub const fn contains(self, number: u64) -> bool {
        self.start <= number && number < self.end
    }

    /// The numbers in both runs.
    #[inline]
    #[must_use]
    pub fn meet(self, other: Self) -> Self {
        Self { start: self.start.max(other.start), end: self.end.min(other.end) }
    }
}

impl Runs {
    /// The empty set.
    pub const fn new() -> Self {
        Self { earlier: Vec::new(), last: Run { start: 0, end: 0 }, total: 0 }
    }

    /// Makes the set empty and keeps its memory.
    pub fn clear(&mut self) {
        self.earlier.clear();
        self.last = Run::default();
        self.total = 0;
    }

    /// How many numbers the set has.
    #[inline]
    pub const fn len(&self) -> u64 {
        self.total
    }

    /// Whether the set has none.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// One past the greatest number, 0 for the empty set.
    #[inline]
    pub const fn end(&self) -> u64 {
        self.last.end
    }

    /// The least number from 0 that is not in the set.
    #[inline]
    pub fn first_gap(&self) -> u64 {
        let lowest = self.earlier.first().copied().unwrap_or(self.last);
        if lowest.start == 0 { lowest.end } else { 0 }
    }

    /// The runs, ascending.
    pub fn iter(&self) -> impl Iterator<Item = Run> + '_ {
        self.earlier.iter().copied().chain((!self.last.is_empty()).then_some(self.last))
    }

    /// Adds a run. Tells how many of its numbers were in the set before.
    #[inline]
    pub fn insert(&mut self, run: Run) -> u64 {
        if run.start == self.last.end && !run.is_empty() {
            self.last.end = run.end;
            self.total += run.len();
            return 0;
        }
        self.insert_anywhere(run)
    }

    #[cold]
    fn insert_anywhere(&mut self, run: Run) -> u64 {
        if run.is_empty() {
            return 0;
        }
        let before = self.overlap(run);
        self.total += run.len() - before;
        if !self.last.is_empty() {
            self.earlier.push(self.last);
        }
        let from = self.earlier.partition_point(|known| known.end < run.start);
        let to = self.earlier.partition_point(|known| known.start <= run.end);
        let mut merged = run;
        if let [first, ..] = self.earlier[from..to] {
            merged.start = merged.start.min(first.start);
            merged.end = merged.end.max(self.earlier[to - 1].end);
        }
        self.earlier.splice(from..to, [merged]);
        self.last = self.earlier.pop().unwrap_or_default();
        before
    }

    /// How many numbers of a run are in the set.
    pub fn overlap(&self, run: Run) -> u64 {
        let from = self.earlier.partition_point(|known| known.end <= run.start);
        let low = self.earlier[from..].iter().take_while(|known| known.start < run.end);
        low.map(|known| known.meet(run).len()).sum::<u64>() + self.last.meet(run).len()
    }

    /// Whether every number of a run is in the set.
    #[inline]
    pub fn covers(&self, run: Run) -> bool {
        if self.last.start <= run.start && run.end <= self.last.end {
            return true;
        }
        self.overlap(run) == run.len()
    }

    /// The parts of a run that are not in the set, ascending.
    pub fn missing(&self, run: Run) -> impl Iterator<Item = Run> + '_ {
        let from = self.earlier.partition_point(|known| known.end <= run.start);
        let mut known = self.earlier[from..].iter().copied().chain([self.last]);
        let mut at = run.start;
        std::iter::from_fn(move || {
            while at < run.end {
                let Some(next) = known.next() else {
                    let rest = Run { start: at, end: run.end };
                    at = run.end;
                    return Some(rest);
                };
                if next.end <= at {
                    continue;
                }
                let gap = Run { start: at, end: next.start.min(run.end) };
                at = next.end;
                if !gap.is_empty() {
                    return Some(gap);
                }
            }
            None
        })
    }

    /// The numbers of this set that another one lacks, ascending.
    pub fn without<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = Run> + 'a {
        self.iter().flat_map(|run| other.missing(run))
    }

    /// The parts of a run that are in the set, ascending.
    pub fn common_runs(&self, run: Run) -> impl Iterator<Item = Run> + '_ {
        let from = self.earlier.partition_point(|known| known.end <= run.start);
        let known = self.earlier[from..].iter().copied().chain([self.last]);
        known
            .take_while(move |known| known.start < run.end)
            .map(move |known| known.meet(run))
            .filter(|both| !both.is_empty())
    }

    /// The numbers in both sets, ascending.
    pub fn common<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = Run> + 'a {
        self.iter().flat_map(|run| other.common_runs(run))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn run() -> impl Strategy<Value = Run> {
        (0..40_u64, 0..8_u64).prop_map(|(first, count)| Run::of(first, count))
    }

    fn set(numbers: impl Iterator<Item = Run>) -> Vec<u64> {
        numbers.flat_map(|run| run.start..run.end).collect()
    }

    #[test]
    fn growth_at_the_end_owns_no_memory() {
        let mut runs = Runs::new();
        for first in 0..1_000 {
            assert_eq!(runs.insert(Run::of(first, 1)), 0);
        }
        assert_eq!(runs.earlier.capacity(), 0);
        assert_eq!((runs.len(), runs.end(), runs.first_gap()), (1_000, 1_000, 1_000));
    }

    proptest! {
        #[test]
        fn a_set_of_runs_is_a_set(
            runs in proptest::collection::vec(run(), 0..20),
            others in proptest::collection::vec(run(), 0..20),
            probe in run(),
        ) {
            let (mut ours, mut plain) = (Runs::new(), BTreeSet::new());
            for run in &runs {
                let known = (run.start..run.end).filter(|n| plain.contains(n)).count() as u64;
                prop_assert_eq!(ours.insert(*run), known);
                plain.extend(run.start..run.end);
            }
            let numbers: Vec<u64> = plain.iter().copied().collect();
            prop_assert_eq!(&set(ours.iter()), &numbers);
            prop_assert_eq!(ours.len(), numbers.len() as u64);
            prop_assert_eq!(ours.end(), numbers.last().map_or(0, |n| n + 1));
            prop_assert_eq!(ours.first_gap(), (0..).find(|n| !plain.contains(n)).unwrap());
            let all: Vec<Run> = ours.iter().collect();
            prop_assert!(all.windows(2).all(|pair| pair[0].end < pair[1].start));
            let inside = |n: &u64| plain.contains(n);
            let probed = probe.start..probe.end;
            prop_assert_eq!(ours.overlap(probe), probed.clone().filter(inside).count() as u64);
            prop_assert_eq!(ours.covers(probe), probed.clone().all(|n| plain.contains(&n)));
            let missing: Vec<u64> = probed.filter(|n| !plain.contains(n)).collect();
            prop_assert_eq!(set(ours.missing(probe)), missing);

            let mut other = Runs::new();
            others.iter().for_each(|run| { other.insert(*run); });
            let theirs: BTreeSet<u64> = set(other.iter()).into_iter().collect();
            let only: Vec<u64> = plain.difference(&theirs).copied().collect();
            prop_assert_eq!(set(ours.without(&other)), only);
            let both: Vec<u64> = plain.intersection(&theirs).copied().collect();
            prop_assert_eq!(set(ours.common(&other)), both);
        }
    }
}
