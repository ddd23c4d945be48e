//! What a reader finds of one lane, reading the log from its beginning.

use crate::runs::{Run, Runs};

/// The records of one session and partition that a reader has found so far.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The records found.
    pub(crate) present: Runs,
    /// Copies beyond the first.
    pub(crate) duplicated: u64,
    /// Records whose first copy is behind a later record.
    pub(crate) reordered: u64,
}

inflight_des::clone_fields!(Seen { present, duplicated, reordered });

/// Something odd about records that a reader comes upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Oddity {
    /// They were found before.
    Repeated,
    /// A later record was found before.
    Overtaken,
}

impl Seen {
    pub(crate) fn clear(&mut self) {
        self.present.clear();
        (self.duplicated, self.reordered) = (0, 0);
    }

    /// The reader comes upon records. Tells what is odd about them.
    #[inline]
    pub(crate) fn absorb(&mut self, run: Run, mut tell: impl FnMut(Oddity, Run)) {
        if run.start >= self.present.end() {
            self.present.insert(run);
            return;
        }
        let top = self.present.end();
        let mut from = run.start;
        let end = Run { start: run.end, end: run.end };
        for new in self.present.missing(run).chain([end]) {
            let known = Run { start: from, end: new.start };
            if !known.is_empty() {
                self.duplicated += known.len();
                tell(Oddity::Repeated, known);
            }
            let overtaken = new.meet(Run { start: 0, end: top });
            if !overtaken.is_empty() {
                self.reordered += overtaken.len();
                tell(Oddity::Overtaken, overtaken);
            }
            from = new.end;
        }
        self.present.insert(run);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn runs_are_read_as_records_are(
            runs in proptest::collection::vec((0..20_u64, 1..5_u64), 0..12),
        ) {
            let mut seen = Seen::default();
            let (mut found, mut plain) = (Vec::new(), BTreeSet::new());
            let (mut duplicated, mut reordered) = (0, 0);
            for (first, count) in runs {
                seen.absorb(Run::of(first, count), |oddity, run| found.push((oddity, run)));
                for record in first..first + count {
                    if plain.contains(&record) {
                        duplicated += 1;
                    } else if plain.last().is_some_and(|last| *last > record) {
                        reordered += 1;
                    }
                    plain.insert(record);
                }
            }
            prop_assert_eq!((seen.duplicated, seen.reordered), (duplicated, reordered));
            prop_assert_eq!(seen.present.len(), plain.len() as u64);
            let told = |oddity| -> u64 {
                found.iter().filter(|(o, _)| *o == oddity).map(|(_, run)| run.len()).sum()
            };
            prop_assert_eq!(told(Oddity::Repeated), duplicated);
            prop_assert_eq!(told(Oddity::Overtaken), reordered);
        }
    }
}
