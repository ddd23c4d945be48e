//! Which appends write a second copy, or a record behind one that was sent later.

use super::letters::Letters;
use inflight_des::Instant;
use inflight_protocol::Fact;
use inflight_protocol::ids::{BrokerId, SessionId, TopicPartition};
use std::collections::BTreeMap;

/// What is odd about an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Oddity {
    /// The log had one of its records, or its message, already.
    Copy,
    /// The log had a later record of the same session and not this one.
    Late,
}

/// The odd appends of a recording, by fact.
#[derive(Debug, Default)]
pub(crate) struct Odd {
    by_fact: BTreeMap<usize, Oddity>,
}

/// What a log has had, as far as it is needed here. Truncated records are forgotten.
#[derive(Default)]
struct Had {
    /// Offset, session, first ordinal, count.
    entries: Vec<(u64, SessionId, u64, u64)>,
}

impl Had {
    fn cut(&mut self, end: u64) {
        self.entries.retain(|(offset, ..)| *offset < end);
        if let Some((offset, _, _, count)) = self.entries.last_mut() {
            *count = (*count).min(end - *offset);
        }
    }
}

impl Odd {
    pub(crate) fn of(facts: &[(Instant, Fact)], letters: &Letters) -> Self {
        let mut logs: BTreeMap<(BrokerId, TopicPartition), Had> = BTreeMap::new();
        let mut odd = Self::default();
        for (index, (_, fact)) in facts.iter().enumerate() {
            match *fact {
                Fact::BatchAppended {
                    broker,
                    partition,
                    base_offset,
                    count,
                    session,
                    first,
                    ..
                } => {
                    let had = logs.entry((broker, partition)).or_default();
                    let count = u64::from(count);
                    if let Some(oddity) = judge(had, letters, partition, session, first, count) {
                        odd.by_fact.insert(index, oddity);
                    }
                    had.entries.push((base_offset.get(), session, first, count));
                }
                Fact::LogTruncated { broker, partition, to, .. }
                | Fact::LogRecovered { broker, partition, to, .. } => {
                    logs.entry((broker, partition)).or_default().cut(to.get());
                }
                _ => {}
            }
        }
        odd
    }

    /// What is odd about the append at a fact.
    pub(crate) fn at(&self, fact: usize) -> Option<Oddity> {
        self.by_fact.get(&fact).copied()
    }
}

fn judge(
    had: &Had,
    letters: &Letters,
    partition: TopicPartition,
    session: SessionId,
    first: u64,
    count: u64,
) -> Option<Oddity> {
    let end = first + count;
    let meets =
        |(_, s, f, c): &&(u64, SessionId, u64, u64)| *s == session && *f < end && first < f + c;
    if had.entries.iter().any(|entry| meets(&entry)) {
        return Some(Oddity::Copy);
    }
    let tag = letters.tag(session, partition, first);
    if let Some(tag) = tag.filter(|tag| tag.again > 0) {
        let same = |(_, s, f, c): &(u64, SessionId, u64, u64)| {
            (*f..f + c).any(|ordinal| {
                letters
                    .tag(*s, partition, ordinal)
                    .is_some_and(|known| known.message == tag.message)
            })
        };
        if had.entries.iter().any(same) {
            return Some(Oddity::Copy);
        }
    }
    let later = |(_, s, f, _): &(u64, SessionId, u64, u64)| *s == session && *f >= end;
    had.entries.iter().any(later).then_some(Oddity::Late)
}
