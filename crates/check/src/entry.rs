//! A piece of a log, and lists of such pieces.
//!
//! Batches that continue one another are one entry, so the log of a single producer is one entry,
//! however long it is.

use crate::runs::Run;
use inflight_protocol::ids::{LeaderEpoch, ProducerEpoch, ProducerId, SessionId};
use inflight_protocol::{Fact, Sequence, TransactionResult};

/// What takes up offsets of a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Content {
    /// Records of a session.
    #[default]
    Records,
    /// A marker that commits a producer's transaction. Session and ordinal mean nothing.
    Commit,
    /// A marker that aborts one.
    Abort,
    /// Records of a coordinator. The ordinal is the offset, the session means nothing.
    Internal,
}

impl Content {
    /// A marker that ends a transaction in this way.
    pub(crate) const fn marker(result: TransactionResult) -> Self {
        match result {
            TransactionResult::Commit => Self::Commit,
            TransactionResult::Abort => Self::Abort,
        }
    }

    /// How a transaction ends here, if it is a marker.
    pub(crate) const fn result(self) -> Option<TransactionResult> {
        match self {
            Self::Commit => Some(TransactionResult::Commit),
            Self::Abort => Some(TransactionResult::Abort),
            Self::Records | Self::Internal => None,
        }
    }
}

/// Records of one session that follow one another in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The offset of the first record.
    pub(crate) offset: u64,
    /// How many records.
    pub(crate) count: u64,
    /// The ordinal of the first record.
    pub(crate) first: u64,
    pub(crate) producer_id: Option<ProducerId>,
    pub(crate) leader_epoch: LeaderEpoch,
    /// The sequence of the first record. Means nothing without a producer id.
    pub(crate) sequence: Sequence,
    pub(crate) session: SessionId,
    /// Means nothing without a producer id.
    pub(crate) producer_epoch: ProducerEpoch,
    /// What it is; most are records.
    pub(crate) content: Content,
}

/// `count` sequence numbers further on.
pub(crate) const fn advance(sequence: Sequence, count: u64) -> Sequence {
    sequence.plus((count & 0x7FFF_FFFF) as u32)
}

impl Entry {
    /// The entry of a [`Fact::BatchAppended`].
    #[inline]
    pub(crate) fn of(fact: &Fact) -> Option<Self> {
        match *fact {
            Fact::BatchAppended {
                base_offset,
                count,
                session,
                first,
                leader_epoch,
                producer_id,
                producer_epoch,
                sequence,
                ..
            } => Some(Self {
                offset: base_offset.get(),
                count: u64::from(count),
                first,
                producer_id,
                leader_epoch,
                sequence: sequence.unwrap_or_default(),
                session,
                producer_epoch: producer_epoch.unwrap_or_default(),
                content: Content::Records,
            }),
            _ => None,
        }
    }

    /// The entry of a marker or of a coordinator's records.
    pub(crate) fn of_control(fact: &Fact) -> Option<Self> {
        match *fact {
            Fact::MarkerAppended {
                offset,
                result,
                producer_id,
                producer_epoch,
                leader_epoch,
                ..
            } => Some(Self {
                offset: offset.get(),
                count: 1,
                first: 0,
                producer_id: Some(producer_id),
                leader_epoch,
                sequence: Sequence::ZERO,
                session: SessionId::new(0),
                producer_epoch,
                content: Content::marker(result),
            }),
            Fact::InternalRecordsAppended { base_offset, count, leader_epoch, .. } => Some(Self {
                offset: base_offset.get(),
                count: u64::from(count),
                first: base_offset.get(),
                producer_id: None,
                leader_epoch,
                sequence: Sequence::ZERO,
                session: SessionId::new(0),
                producer_epoch: ProducerEpoch::new(0),
                content: Content::Internal,
            }),
            _ => None,
        }
    }

    /// Whether it is a session's records.
    #[inline]
    pub(crate) fn is_records(&self) -> bool {
        self.content == Content::Records
    }

    /// One past the offset of the last record.
    #[inline]
    pub(crate) const fn end(&self) -> u64 {
        self.offset.saturating_add(self.count)
    }

    /// Whether `next` is what comes behind this, so that both are one entry.
    #[inline]
    fn continues(&self, next: &Self) -> bool {
        self.end() == next.offset
            && self.first.saturating_add(self.count) == next.first
            && self.session == next.session
            && self.leader_epoch == next.leader_epoch
            && self.producer_id == next.producer_id
            && self.producer_epoch == next.producer_epoch
            && self.content == next.content
            && (self.producer_id.is_none() || advance(self.sequence, self.count) == next.sequence)
    }

    /// The part of the entry within `[from, to)`. It may be empty.
    pub(crate) fn part(&self, from: u64, to: u64) -> Self {
        let start = from.clamp(self.offset, self.end());
        let end = to.clamp(start, self.end());
        let skipped = start - self.offset;
        Self {
            offset: start,
            count: end - start,
            first: self.first.saturating_add(skipped),
            sequence: advance(self.sequence, skipped),
            ..*self
        }
    }

    /// Whether two entries say the same of the offsets that both have.
    fn agrees(&self, other: &Self) -> bool {
        let (from, to) = (self.offset.max(other.offset), self.end().min(other.end()));
        let (ours, theirs) = (self.part(from, to), other.part(from, to));
        ours.first == theirs.first
            && ours.session == theirs.session
            && ours.content == theirs.content
            && ours.leader_epoch == theirs.leader_epoch
    }
}

/// Adds an entry at the end of a list.
#[inline]
pub(crate) fn push(list: &mut Vec<Entry>, entry: Entry) {
    match list.last_mut() {
        Some(last) if last.continues(&entry) => last.count += entry.count,
        _ => list.push(entry),
    }
}

/// The position of the first entry that ends behind an offset. Offsets near the end are found at
/// once.
#[inline]
pub(crate) fn position(list: &[Entry], offset: u64) -> usize {
    const NEAR: usize = 4;
    let near = list.len().saturating_sub(NEAR);
    if near > 0 && list[near - 1].end() > offset {
        return list[..near].partition_point(|entry| entry.end() <= offset);
    }
    let tail = list[near..].iter().take_while(|entry| entry.end() <= offset).count();
    near + tail
}

/// Cuts a list at an offset.
pub(crate) fn truncate(list: &mut Vec<Entry>, to: u64) {
    let keep = position(list, to);
    if let Some(entry) = list.get_mut(keep) {
        *entry = entry.part(0, to);
        let empty = entry.count == 0;
        list.truncate(if empty { keep } else { keep + 1 });
    }
}

/// Up to where, from `entry.offset` on, a list holds what the entry holds.
#[inline]
pub(crate) fn matched(list: &[Entry], entry: &Entry) -> u64 {
    let mut at = entry.offset;
    for known in &list[position(list, at)..] {
        if at >= entry.end() || known.offset > at || !known.agrees(&entry.part(at, entry.end())) {
            break;
        }
        at = known.end().min(entry.end());
    }
    at
}

/// Whether a list has these records at an offset, whichever leader appended them.
#[inline]
pub(crate) fn holds(list: &[Entry], offset: u64, session: SessionId, run: Run) -> bool {
    let (mut at, mut first) = (offset, run.start);
    for known in &list[position(list, at)..] {
        let same = known.session == session
            && known.is_records()
            && known.first.wrapping_sub(known.offset) == first.wrapping_sub(at);
        if first >= run.end || known.offset > at || !same {
            break;
        }
        first = first.saturating_add(known.end() - at);
        at = known.end();
    }
    first >= run.end
}

/// The entries of a list within `[from, to)`, cut to it.
pub(crate) fn within(list: &[Entry], from: u64, to: u64) -> impl Iterator<Item = Entry> + '_ {
    list[position(list, from)..]
        .iter()
        .take_while(move |entry| entry.offset < to)
        .map(move |entry| entry.part(from, to))
        .filter(|entry| entry.count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(offset: u64, count: u64, session: u16, first: u64) -> Entry {
        Entry {
            offset,
            count,
            first,
            producer_id: None,
            leader_epoch: LeaderEpoch::new(0),
            sequence: Sequence::ZERO,
            session: SessionId::new(session),
            producer_epoch: ProducerEpoch::new(0),
            content: Content::Records,
        }
    }

    fn list() -> Vec<Entry> {
        let mut list = Vec::new();
        push(&mut list, entry(0, 2, 0, 0));
        push(&mut list, entry(2, 3, 0, 2));
        push(&mut list, entry(5, 1, 1, 0));
        push(&mut list, entry(6, 4, 0, 5));
        list
    }

    #[test]
    fn what_continues_is_one_entry() {
        assert_eq!(list(), [entry(0, 5, 0, 0), entry(5, 1, 1, 0), entry(6, 4, 0, 5)]);
    }

    #[test]
    fn sequences_must_continue_too() {
        let id = ProducerId::new(7);
        let with = |offset, sequence| Entry {
            producer_id: Some(id),
            sequence: Sequence::new(sequence).unwrap(),
            ..entry(offset, 1, 0, offset)
        };
        let mut list = vec![with(0, i32::MAX)];
        push(&mut list, with(1, 0));
        assert_eq!(list.len(), 1);
        push(&mut list, with(2, 0));
        assert_eq!(list.len(), 2);
    }

    #[test]
    fn markers_stay_apart_and_are_no_records() {
        let marker = |offset, result| Entry {
            producer_id: Some(ProducerId::new(7)),
            content: Content::marker(result),
            ..entry(offset, 1, 0, 0)
        };
        let (commit, abort) = (TransactionResult::Commit, TransactionResult::Abort);
        let mut list = Vec::new();
        push(&mut list, entry(0, 1, 0, 0));
        push(&mut list, marker(1, commit));
        push(&mut list, marker(2, commit));
        assert_eq!(list.len(), 3);
        assert_eq!(matched(&list, &marker(1, commit)), 2);
        assert_eq!(matched(&list, &marker(1, abort)), 1);
        assert_eq!(matched(&list, &entry(1, 1, 0, 0)), 1);
        assert!(!holds(&list, 1, SessionId::new(0), Run::of(0, 1)));
    }

    #[test]
    fn a_list_is_cut_within_an_entry() {
        for to in 0..12 {
            let mut cut = list();
            truncate(&mut cut, to);
            assert_eq!(cut.last().map_or(0, Entry::end), to.min(10));
            let offsets: Vec<u64> = cut.iter().map(|entry| entry.offset).collect();
            assert_eq!(offsets, [0, 5, 6].into_iter().filter(|o| *o < to).collect::<Vec<_>>());
        }
    }

    #[test]
    fn matches_run_across_entries() {
        let list = list();
        assert_eq!(matched(&list, &entry(1, 4, 0, 1)), 5);
        assert_eq!(matched(&list, &entry(1, 6, 0, 1)), 5);
        assert_eq!(matched(&list, &entry(5, 1, 1, 0)), 6);
        assert_eq!(matched(&list, &entry(5, 1, 1, 1)), 5);
        assert_eq!(matched(&list, &entry(8, 9, 0, 7)), 10);
        assert_eq!(matched(&list, &entry(10, 1, 0, 9)), 10);
        let parts: Vec<_> = within(&list, 3, 7).map(|e| (e.offset, e.count, e.first)).collect();
        assert_eq!(parts, [(3, 2, 3), (5, 1, 0), (6, 1, 5)]);
        assert!(holds(&list, 1, SessionId::new(0), Run::of(1, 4)));
        assert!(!holds(&list, 1, SessionId::new(1), Run::of(1, 4)));
        assert!(!holds(&list, 4, SessionId::new(0), Run::of(4, 2)));
        assert_eq!(within(&list, 4, 4).count(), 0);
    }

    #[test]
    fn positions_are_found_far_and_near() {
        let list: Vec<Entry> = (0..50).map(|n| entry(n * 3, 3, n as u16 % 2, n)).collect();
        for offset in 0..160 {
            assert_eq!(position(&list, offset), (offset / 3).min(50) as usize);
        }
    }
}
