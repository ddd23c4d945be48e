//! Records by their offsets, where a log that was cut has others at the same offsets.

use super::Given;
use crate::runs::Runs;
use inflight_protocol::ids::SessionId;
use std::collections::BTreeMap;

/// Records with the offsets at which somebody had them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    /// By session, and by how far the offset of its records is ahead of their ordinal.
    lines: BTreeMap<(Option<SessionId>, u64), Runs>,
}

const fn line(given: &Given) -> (Option<SessionId>, u64) {
    (given.session, given.offsets.start.wrapping_sub(given.first))
}

impl Places {
    pub(crate) const fn new() -> Self {
        Self { lines: BTreeMap::new() }
    }

    pub(crate) fn insert(&mut self, given: Given) {
        if !given.offsets.is_empty() {
            self.lines.entry(line(&given)).or_default().insert(given.offsets);
        }
    }

    /// The offsets at which the same records are here.
    pub(crate) fn known(&self, given: &Given) -> Runs {
        let mut known = Runs::new();
        for run in
            self.lines.get(&line(given)).into_iter().flat_map(|l| l.common_runs(given.offsets))
        {
            known.insert(run);
        }
        known
    }

    /// The records that are not here. Where nobody saw which record was at an offset, it may have
    /// been this one.
    pub(crate) fn missing(&self, given: &Given) -> Vec<Given> {
        let mut known = self.known(given);
        let unseen = Given { session: None, first: given.offsets.start, ..*given };
        for run in self.known(&unseen).iter() {
            known.insert(run);
        }
        known.missing(given.offsets).map(|offsets| given.part(offsets)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::Run;

    fn given(session: Option<u16>, first: u64, start: u64, end: u64) -> Given {
        Given { session: session.map(SessionId::new), first, offsets: Run { start, end } }
    }

    #[test]
    fn a_record_is_known_at_its_own_offset() {
        let mut places = Places::default();
        places.insert(given(Some(0), 10, 4, 8));
        assert_eq!(places.missing(&given(Some(0), 8, 2, 6)), [given(Some(0), 8, 2, 4)]);
        for other in [given(Some(0), 11, 4, 6), given(Some(1), 10, 4, 6)] {
            assert!(places.known(&other).is_empty());
            assert_eq!(places.missing(&other), [other]);
        }
    }

    #[test]
    fn whoever_was_not_seen_may_be_anyone() {
        let mut places = Places::default();
        places.insert(given(None, 4, 4, 8));
        assert_eq!(places.missing(&given(Some(1), 0, 6, 10)), [given(Some(1), 2, 8, 10)]);
    }
}
