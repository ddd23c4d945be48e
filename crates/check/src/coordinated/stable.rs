//! The open transactions in a leader's log, and the last stable offset that follows from them.
//!
//! Kafka: ongoingTxns and unreplicatedTxns of storage/internals/log/ProducerStateManager. This is
//! not a copy of a broker's state; it is made from the facts about the log.

use crate::entry::Entry;
use inflight_protocol::ids::ProducerId;

/// The transactions of one partition that hold back readers of committed records.
#[derive(Debug, Default)]
pub(crate) struct Stable {
    /// Whether it is about the log as it is.
    is_current: bool,
    /// Whether every marker was seen as it came, and not read in a log afterwards.
    is_exact: bool,
    /// The open transactions: the first offset and whose it is.
    open: Vec<(u64, ProducerId)>,
    /// Those that a marker ended which may not be committed yet: the first offset and the marker's.
    ended: Vec<(u64, u64)>,
}

inflight_des::clone_fields!(Stable { is_current, is_exact, open, ended });

impl Stable {
    pub(crate) fn reset(&mut self) {
        self.lapse();
    }

    /// The log became another one.
    pub(crate) fn lapse(&mut self) {
        self.open.clear();
        self.ended.clear();
        (self.is_current, self.is_exact) = (false, false);
    }

    /// Makes it about a log, if it is not. The log is given without what comes next.
    pub(crate) fn catch_up(
        &mut self,
        log: impl Iterator<Item = Entry>,
        is_transactional: impl Fn(&Entry) -> bool,
    ) {
        if self.is_current {
            return;
        }
        self.lapse();
        let mut is_empty = true;
        for entry in log {
            is_empty = false;
            if is_transactional(&entry) {
                self.begin(&entry);
            } else if entry.content.result().is_some() {
                self.end(&entry);
            }
        }
        (self.is_current, self.is_exact) = (true, is_empty);
    }

    /// A transactional batch was appended. Tells whether a transaction begins with it.
    pub(crate) fn begin(&mut self, entry: &Entry) -> bool {
        let Some(id) = entry.producer_id else { return false };
        let is_known = self.open.iter().any(|(_, known)| *known == id);
        if !is_known {
            self.open.push((entry.offset, id));
        }
        !is_known
    }

    /// A marker was appended. Tells where the transaction that it ends begins.
    pub(crate) fn end(&mut self, marker: &Entry) -> Option<u64> {
        let at = self.open.iter().position(|(_, id)| Some(*id) == marker.producer_id)?;
        let (first, _) = self.open.remove(at);
        self.ended.push((first, marker.offset));
        Some(first)
    }

    /// Whether an offset may be the last stable one at this high watermark.
    pub(crate) fn allows(&mut self, stable: u64, high_watermark: u64) -> bool {
        self.ended.retain(|(_, marker)| *marker >= high_watermark);
        let undecided = self.open.iter().map(|(first, _)| *first).min();
        let undecided = undecided.map_or(high_watermark, |first| first.min(high_watermark));
        let unreplicated = self.ended.iter().map(|(first, _)| *first).min();
        let expected = unreplicated.map_or(undecided, |first| first.min(undecided));
        // A broker that reads its log from a snapshot does not know of markers before it.
        let is_known_less = !self.is_exact && (expected..=undecided).contains(&stable);
        self.is_exact |= self.ended.is_empty();
        stable == expected || is_known_less
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Content;
    use inflight_protocol::ids::{LeaderEpoch, ProducerEpoch, SessionId};
    use inflight_protocol::{Sequence, TransactionResult};

    fn entry(offset: u64, id: u64, content: Content) -> Entry {
        Entry {
            offset,
            count: 1,
            first: 0,
            producer_id: Some(ProducerId::new(id)),
            leader_epoch: LeaderEpoch::new(0),
            sequence: Sequence::ZERO,
            session: SessionId::new(0),
            producer_epoch: ProducerEpoch::new(0),
            content,
        }
    }

    #[test]
    fn a_transaction_holds_back_until_its_marker_is_committed() {
        let marker = Content::marker(TransactionResult::Commit);
        let mut stable = Stable::default();
        stable.catch_up(std::iter::empty(), |_| true);
        assert!(stable.begin(&entry(0, 1, Content::Records)));
        assert!(!stable.begin(&entry(1, 1, Content::Records)));
        assert!(stable.begin(&entry(2, 2, Content::Records)));
        assert!(stable.allows(0, 3) && !stable.allows(2, 3));
        assert_eq!(stable.end(&entry(3, 1, marker)), Some(0));
        assert_eq!(stable.end(&entry(4, 9, marker)), None, "nothing was open");
        assert!(stable.allows(0, 3) && !stable.allows(2, 3), "the marker is not committed");
        assert!(stable.allows(2, 5) && !stable.allows(5, 5));
        assert_eq!(stable.end(&entry(5, 2, marker)), Some(2));
        assert!(stable.allows(6, 6) && !stable.allows(5, 6));
    }

    #[test]
    fn what_was_read_in_a_log_may_be_unknown_to_its_broker() {
        let marker = Content::marker(TransactionResult::Commit);
        let log = [entry(0, 1, Content::Records), entry(1, 1, marker)];
        let mut stable = Stable::default();
        stable.catch_up(log.into_iter(), |entry| entry.is_records());
        assert!(stable.allows(0, 1) && stable.allows(1, 1));
        stable.lapse();
        stable.catch_up(std::iter::empty(), |_| true);
        stable.begin(&log[0]);
        stable.end(&log[1]);
        assert!(stable.allows(0, 1) && !stable.allows(1, 1), "it saw the marker come");
    }
}
