//! What a leader's own log says of each producer: the last sequence, the last batch.
//!
//! Kafka: storage/internals/log/ProducerStateEntry. This is not a copy of a broker's state; it is
//! made from the facts about the log, so that the broker's decisions can be judged.

use crate::entry::{Content, Entry, advance};
use inflight_protocol::Sequence;
use inflight_protocol::ids::{BrokerId, ProducerEpoch, ProducerId};

/// The producers of the log that the spine is.
#[derive(Debug, Default)]
pub(crate) struct Producers {
    /// Ascending by producer id.
    known: Vec<Tail>,
    /// Where the last one was found.
    recent: usize,
    /// Whether `known` is about the spine as it is.
    is_current: bool,
    /// What the forgotten part of the spine said.
    forgotten: Vec<Tail>,
    /// Who forgot which producer id when its log ended where.
    expired: Vec<(BrokerId, ProducerId, u64)>,
}

inflight_des::clone_fields!(Producers { known, recent, is_current, forgotten, expired });

/// The end of one producer's records in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tail {
    id: ProducerId,
    epoch: ProducerEpoch,
    /// The sequence of the last record.
    last: Sequence,
    /// The offset of the last record, and one more.
    end: u64,
    /// The first sequence of the newest batch, if it was seen as a batch.
    newest: Option<Sequence>,
}

/// What is wrong with the sequence of an appended batch, seen from the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SequenceFault {
    /// It is not 0 although the log has no batch of this producer epoch.
    Unanchored,
    /// It is in the log already.
    Repeated,
    /// Some are missing before it.
    Skipped,
    /// The log has a higher producer epoch.
    OldEpoch,
}

impl Tail {
    /// A producer of which the log has nothing yet.
    const fn start(entry: &Entry, id: ProducerId) -> Self {
        let (epoch, last) = (entry.producer_epoch, Sequence::ZERO.previous());
        Self { id, epoch, last, end: 0, newest: None }
    }

    /// Notes a batch at the end of the log.
    fn take(&mut self, entry: &Entry) {
        self.epoch = entry.producer_epoch;
        self.last = advance(entry.sequence, entry.count).previous();
        self.end = entry.end();
        self.newest = Some(entry.sequence);
    }

    /// Notes a marker at the end of the log. One of a higher producer epoch starts the sequence
    /// afresh. Kafka: ProducerAppendInfo.appendEndTxnMarker.
    fn mark(&mut self, entry: &Entry) {
        if entry.producer_epoch > self.epoch {
            (self.last, self.newest) = (Sequence::ZERO.previous(), None);
        }
        (self.epoch, self.end) = (entry.producer_epoch, entry.end());
    }

    fn judge(&self, entry: &Entry) -> Option<SequenceFault> {
        if entry.producer_epoch < self.epoch {
            return Some(SequenceFault::OldEpoch);
        }
        if entry.producer_epoch > self.epoch {
            return (entry.sequence != Sequence::ZERO).then_some(SequenceFault::Unanchored);
        }
        if entry.sequence.follows(self.last) {
            return None;
        }
        // Half of the number space lies ahead, half behind.
        let ahead = entry.sequence.get().wrapping_sub(self.last.get()) & i32::MAX;
        let repeated = ahead == 0 || ahead > i32::MAX / 2;
        Some(if repeated { SequenceFault::Repeated } else { SequenceFault::Skipped })
    }
}

impl Producers {
    pub(crate) fn reset(&mut self) {
        self.known.clear();
        self.forgotten.clear();
        self.expired.clear();
        (self.recent, self.is_current) = (0, false);
    }

    /// The spine became another one: everything must be looked up anew.
    #[inline]
    pub(crate) const fn lapse(&mut self) {
        self.is_current = false;
    }

    /// A batch was appended at the end of the spine. `log` gives the spine before it.
    #[inline]
    pub(crate) fn append<I: Iterator<Item = Entry>>(
        &mut self,
        owner: BrokerId,
        log: impl FnOnce() -> I,
        entry: &Entry,
    ) -> Option<SequenceFault> {
        let id = entry.producer_id?;
        if !self.is_current {
            self.look_up(owner, log());
        }
        if self.known.get(self.recent).is_none_or(|tail| tail.id != id) {
            match self.known.binary_search_by_key(&id, |tail| tail.id) {
                Ok(found) => self.recent = found,
                Err(place) => {
                    self.known.insert(place, Tail::start(entry, id));
                    self.known[place].take(entry);
                    self.recent = place;
                    let unanchored = entry.sequence != Sequence::ZERO;
                    return unanchored.then_some(SequenceFault::Unanchored);
                }
            }
        }
        let tail = &mut self.known[self.recent];
        let fault = tail.judge(entry);
        tail.take(entry);
        fault
    }

    /// A marker was appended at the end of the spine.
    pub(crate) fn mark(&mut self, entry: &Entry) {
        if self.is_current {
            note(&mut self.known, entry);
        }
    }

    /// Reads the spine. The bounds of batches are not in it, so they are unknown.
    #[cold]
    fn look_up(&mut self, owner: BrokerId, log: impl Iterator<Item = Entry>) {
        self.known.clone_from(&self.forgotten);
        for entry in log {
            note(&mut self.known, &entry);
        }
        for (broker, id, end) in &self.expired {
            let gone = |tail: &Tail| tail.id == *id && tail.end <= *end;
            if *broker == owner {
                self.known.retain(|tail| !gone(tail));
            }
        }
        self.known.iter_mut().for_each(|tail| tail.newest = None);
        self.is_current = true;
    }

    /// The spine forgets an entry.
    pub(crate) fn forget(&mut self, entry: &Entry) {
        note(&mut self.forgotten, entry);
    }

    /// A replica forgot a producer id when its log ended at `end`.
    pub(crate) fn expire(&mut self, broker: BrokerId, id: ProducerId, end: u64) {
        self.expired.push((broker, id, end));
        self.is_current = false;
    }

    /// Whether the log says that a refused sequence comes next.
    pub(crate) fn is_next(&self, id: ProducerId, epoch: ProducerEpoch, first: Sequence) -> bool {
        self.tail(id).is_some_and(|tail| tail.epoch == epoch && first.follows(tail.last))
    }

    /// Whether a refused batch is the last one of the log, so that any broker must know it.
    pub(crate) fn is_last(
        &self,
        id: ProducerId,
        epoch: ProducerEpoch,
        batch: (Sequence, u64),
    ) -> bool {
        let last = advance(batch.0, batch.1).previous();
        self.tail(id).is_some_and(|tail| {
            tail.epoch == epoch && tail.newest == Some(batch.0) && tail.last == last
        })
    }

    fn tail(&self, id: ProducerId) -> Option<&Tail> {
        let found = self.known.binary_search_by_key(&id, |tail| tail.id).ok()?;
        self.is_current.then(|| &self.known[found])
    }
}

/// Notes an entry in a list of tails.
fn note(tails: &mut Vec<Tail>, entry: &Entry) {
    let Some(id) = entry.producer_id else { return };
    let place = match tails.binary_search_by_key(&id, |tail| tail.id) {
        Ok(found) => found,
        Err(place) => {
            tails.insert(place, Tail::start(entry, id));
            place
        }
    };
    match entry.content {
        Content::Records => tails[place].take(entry),
        Content::Commit | Content::Abort | Content::Internal => tails[place].mark(entry),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use inflight_protocol::ids::{LeaderEpoch, SessionId};

    fn batch(id: u64, epoch: i16, sequence: i32, count: u64) -> Entry {
        Entry {
            offset: 0,
            count,
            first: 0,
            producer_id: Some(ProducerId::new(id)),
            leader_epoch: LeaderEpoch::new(0),
            sequence: Sequence::new(sequence).unwrap(),
            session: SessionId::new(0),
            producer_epoch: ProducerEpoch::new(epoch),
            content: Content::Records,
        }
    }

    fn append(producers: &mut Producers, entry: Entry) -> Option<SequenceFault> {
        producers.append(BrokerId::new(1), std::iter::empty, &entry)
    }

    #[test]
    fn sequences_without_gap_and_repetition_are_fine() {
        let mut producers = Producers::default();
        for (id, epoch, sequence, fault) in [
            (1, 0, 0, None),
            (1, 0, 3, None),
            (2, 0, 0, None),
            (1, 0, 3, Some(SequenceFault::Repeated)),
            (1, 0, 9, Some(SequenceFault::Skipped)),
            (1, 1, 0, None),
            (1, 0, 12, Some(SequenceFault::OldEpoch)),
            (3, 0, 5, Some(SequenceFault::Unanchored)),
            (2, 0, 3, None),
            (4, 0, i32::MAX - 2, Some(SequenceFault::Unanchored)),
            (4, 0, 0, None),
        ] {
            assert_eq!(append(&mut producers, batch(id, epoch, sequence, 3)), fault, "{sequence}");
        }
    }

    #[test]
    fn a_marker_of_a_higher_epoch_starts_the_sequence_afresh() {
        use inflight_protocol::TransactionResult::Commit;
        let marker = |epoch| Entry { content: Content::marker(Commit), ..batch(1, epoch, 0, 1) };
        let mut producers = Producers::default();
        assert_eq!(append(&mut producers, batch(1, 0, 0, 3)), None);
        producers.mark(&marker(0));
        assert_eq!(append(&mut producers, batch(1, 0, 3, 3)), None, "the epoch is as before");
        producers.mark(&marker(1));
        assert_eq!(append(&mut producers, batch(1, 1, 0, 3)), None);
        assert_eq!(append(&mut producers, batch(1, 0, 6, 1)), Some(SequenceFault::OldEpoch));
    }

    #[test]
    fn refusals_are_held_against_the_log() {
        let mut producers = Producers::default();
        let (id, epoch) = (ProducerId::new(1), ProducerEpoch::new(0));
        let s = |n| Sequence::new(n).unwrap();
        append(&mut producers, batch(1, 0, 0, 3));
        assert!(producers.is_next(id, epoch, s(3)));
        assert!(!producers.is_next(id, epoch, s(4)));
        assert!(producers.is_last(id, epoch, (s(0), 3)));
        assert!(!producers.is_last(id, epoch, (s(0), 2)));
        producers.lapse();
        assert!(!producers.is_next(id, epoch, s(3)), "nothing is known yet");
        producers.expire(BrokerId::new(1), id, 3);
        let next = batch(1, 0, 40, 1);
        let log = || std::iter::once(batch(1, 0, 0, 3));
        let fault = producers.append(BrokerId::new(1), log, &next);
        assert_eq!(fault, Some(SequenceFault::Unanchored), "the broker forgot it");
    }
}
