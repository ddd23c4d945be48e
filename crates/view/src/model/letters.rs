//! A record's letter: the same record has the same letter in every picture.
//!
//! A letter stands for a message of the application. A message that the application sends again has
//! the same letter with a prime, since it is another record to Kafka.

use inflight_des::Instant;
use inflight_protocol::Fact;
use inflight_protocol::ids::{ClientId, SessionId, TopicPartition};
use inflight_trace::Namer;
use std::collections::BTreeMap;
use std::ops::Range;

/// How many messages have letters of one character.
const ALPHABET: u32 = 26;
/// Into how many pieces a run is written out.
const STRETCHES_MAX: usize = 6;

/// Which message a record is, and how often the message was sent before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tag {
    pub(crate) message: u32,
    pub(crate) again: u32,
}

/// The letters of a recording.
#[derive(Debug, Default)]
pub(crate) struct Letters {
    tags: BTreeMap<(SessionId, TopicPartition, u64), Tag>,
    messages: u32,
}

impl Letters {
    pub(crate) fn of(facts: &[(Instant, Fact)], namer: &Namer) -> Self {
        let mut letters = Self::default();
        let mut known: BTreeMap<(Option<ClientId>, u64), (u32, u32)> = BTreeMap::new();
        for (_, fact) in facts {
            let Fact::RecordsQueued { session, partition, first, count, message, .. } = *fact
            else {
                continue;
            };
            for step in 0..u64::from(count) {
                let key = (namer.client_of(session), message + step);
                let next = letters.messages;
                let (number, times) = known.entry(key).or_insert((next, 0));
                let tag = Tag { message: *number, again: *times };
                *times += 1;
                if tag.message == next {
                    letters.messages += 1;
                }
                letters.tags.insert((session, partition, first + step), tag);
            }
        }
        letters
    }

    /// How many messages there are.
    pub(crate) const fn messages(&self) -> u32 {
        self.messages
    }

    /// Which message a record is.
    pub(crate) fn tag(
        &self,
        session: SessionId,
        partition: TopicPartition,
        ordinal: u64,
    ) -> Option<Tag> {
        self.tags.get(&(session, partition, ordinal)).copied()
    }

    /// Every record with its tag, by session, partition and ordinal.
    pub(crate) fn records(
        &self,
    ) -> impl Iterator<Item = (SessionId, TopicPartition, u64, Tag)> + '_ {
        self.tags
            .iter()
            .map(|((session, partition, ordinal), tag)| (*session, *partition, *ordinal, *tag))
    }

    /// A tag as it is written.
    pub(crate) fn name(&self, tag: Tag) -> String {
        let primes = match tag.again {
            0 => String::new(),
            1 => "′".to_owned(),
            2 => "″".to_owned(),
            more => format!("({})", more + 1),
        };
        match char::from_digit(10 + tag.message % ALPHABET, 36) {
            Some(letter) if self.messages <= ALPHABET => {
                format!("{}{primes}", letter.to_ascii_uppercase())
            }
            _ => format!("m{}{primes}", tag.message),
        }
    }

    /// A record as it is written.
    pub(crate) fn one(
        &self,
        session: SessionId,
        partition: TopicPartition,
        ordinal: u64,
    ) -> String {
        match self.tag(session, partition, ordinal) {
            Some(tag) => self.name(tag),
            None => format!("#{ordinal}"),
        }
    }

    /// Records that follow one another: up to three letters, or the first and the last. Letters that
    /// are other records' are not counted in: "A,C–F".
    pub(crate) fn run(
        &self,
        session: SessionId,
        partition: TopicPartition,
        first: u64,
        count: u64,
    ) -> String {
        let one = |ordinal| self.one(session, partition, ordinal);
        let few = |from: u64, to: u64| match to - from {
            0..=3 => (from..to).map(one).collect::<Vec<_>>().join(","),
            _ => format!("{}–{}", one(from), one(to - 1)),
        };
        if count <= 3 {
            return few(first, first + count);
        }
        let stretches = self.stretches(session, partition, first..first + count);
        let mut texts = stretches.iter().map(|of| few(of.start, of.end));
        if stretches.len() <= STRETCHES_MAX {
            return texts.collect::<Vec<_>>().join(",");
        }
        let begin: Vec<String> = texts.by_ref().take(STRETCHES_MAX - 1).collect();
        format!("{},…,{}", begin.join(","), texts.next_back().unwrap_or_default())
    }

    /// A run cut where the next record is not the next message.
    fn stretches(
        &self,
        session: SessionId,
        partition: TopicPartition,
        run: Range<u64>,
    ) -> Vec<Range<u64>> {
        let tag = |ordinal| self.tag(session, partition, ordinal);
        let mut stretches: Vec<Range<u64>> = Vec::new();
        for ordinal in run {
            let goes_on = stretches.last().is_some_and(|last| {
                let next = |tag: Tag| Tag { message: tag.message + 1, ..tag };
                tag(last.end - 1).map(next) == tag(ordinal)
            });
            match stretches.last_mut() {
                Some(last) if goes_on => last.end = ordinal + 1,
                _ => stretches.push(ordinal..ordinal + 1),
            }
        }
        stretches
    }

    /// The record that a reader means by such a name.
    pub(crate) fn find(&self, name: &str) -> Option<(SessionId, TopicPartition, u64)> {
        let plain = name.replace('\'', "′");
        let found = self.tags.iter().find(|(_, tag)| self.name(**tag) == plain);
        found.map(|(key, _)| *key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(messages: u32) -> Letters {
        Letters { messages, ..Letters::default() }
    }

    #[test]
    fn few_messages_have_letters_and_many_have_numbers() {
        assert_eq!(letters(3).name(Tag { message: 2, again: 0 }), "C");
        assert_eq!(letters(26).name(Tag { message: 25, again: 1 }), "Z′");
        assert_eq!(letters(27).name(Tag { message: 2, again: 0 }), "m2");
        assert_eq!(letters(3).name(Tag { message: 0, again: 3 }), "A(4)");
    }

    /// Records 0, 1, … of one partition that are these messages.
    fn written(messages: &[u32]) -> String {
        let mut letters = letters(26);
        let (session, partition) = (SessionId::new(0), TopicPartition::new(0));
        for (ordinal, message) in (0..).zip(messages) {
            letters.tags.insert((session, partition, ordinal), Tag { message: *message, again: 0 });
        }
        letters.run(session, partition, 0, messages.len() as u64)
    }

    #[test]
    fn a_run_does_not_take_in_the_letters_of_other_partitions() {
        assert_eq!(written(&[0, 1, 2, 3, 4]), "A–E");
        assert_eq!(written(&[0, 2, 4]), "A,C,E");
        assert_eq!(written(&[0, 2, 4, 6, 7, 8, 9, 13]), "A,C,E,G–J,N");
        assert_eq!(written(&[0, 2, 4, 6, 8, 10, 12, 14]), "A,C,E,G,I,…,O");
    }
}
