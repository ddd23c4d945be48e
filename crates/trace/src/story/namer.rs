//! What a reader calls a session, a record, a partition.

use super::nouns::{ENGLISH, Nouns};
use crate::description::Description;
use crate::names::Names;
use crate::observer::Observer;
use inflight_des::{Instant, Kinds};
use inflight_protocol::fact::kinds;
use inflight_protocol::ids::{ClientId, ConsumerId, SessionId, TopicPartition};
use inflight_protocol::{Fact, FactKind};

/// Names for people. It learns from facts which session belongs to which client.
#[derive(Clone, Debug, Default)]
pub struct Namer {
    names: Names,
    /// The client of each session, and how many sessions of that client came before.
    sessions: Vec<Option<(ClientId, u32)>>,
    /// The same of each consumer.
    consumers: Vec<Option<(ClientId, u32)>>,
}

impl Namer {
    /// A namer that knows no session yet.
    pub fn new(description: &Description) -> Self {
        Self { names: Names::new(description), sessions: Vec::new(), consumers: Vec::new() }
    }

    /// A namer that knows the sessions of a recording.
    pub fn of(description: &Description, facts: &[(Instant, Fact)]) -> Self {
        let mut namer = Self::new(description);
        crate::recorder::replay(facts, &mut namer);
        namer
    }

    /// The names of clients, partitions and nodes.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The client of a session.
    pub fn client_of(&self, session: SessionId) -> Option<ClientId> {
        let known = self.sessions.get(session.index()).copied().flatten();
        known.map(|(client, _)| client)
    }

    /// How many sessions of the same client came before a session.
    pub fn sessions_before(&self, session: SessionId) -> u32 {
        let known = self.sessions.get(session.index()).copied().flatten();
        known.map_or(0, |(_, before)| before)
    }

    /// A session: its client's name, and which of several it is.
    pub fn session(&self, session: SessionId) -> String {
        self.session_by(session, &ENGLISH)
    }

    /// A session with the nouns of a language.
    pub fn session_by(&self, session: SessionId, nouns: &Nouns) -> String {
        match self.sessions.get(session.index()).copied().flatten() {
            None => format!("{} {session}", nouns.session),
            Some((client, 0)) => self.names.client(client),
            Some((client, n)) => {
                format!("{} ({})", self.names.client(client), (nouns.life)("session", n))
            }
        }
    }

    /// The client of a consumer.
    pub fn client_of_consumer(&self, consumer: ConsumerId) -> Option<ClientId> {
        let known = self.consumers.get(consumer.index()).copied().flatten();
        known.map(|(client, _)| client)
    }

    /// A consumer: its client's name, and which of several it is.
    pub fn consumer(&self, consumer: ConsumerId) -> String {
        self.consumer_by(consumer, &ENGLISH)
    }

    /// A consumer with the nouns of a language.
    pub fn consumer_by(&self, consumer: ConsumerId, nouns: &Nouns) -> String {
        match self.consumers.get(consumer.index()).copied().flatten() {
            None => format!("{} {consumer}", nouns.consumer),
            Some((client, 0)) => self.names.client(client),
            Some((client, n)) => {
                format!("{} ({})", self.names.client(client), (nouns.life)("consumer", n))
            }
        }
    }

    /// Records of a session and partition: "records 3..5 of p1 in orders-0".
    pub fn records(
        &self,
        session: SessionId,
        partition: TopicPartition,
        first: u64,
        count: u64,
    ) -> String {
        format!(
            "{} of {} in {}",
            range("record", first, count),
            self.session(session),
            self.names.partition(partition)
        )
    }
}

impl Observer for Namer {
    const INTEREST: Kinds = kinds(&[FactKind::ProducerStarted, FactKind::ConsumerStarted]);

    fn on_fact(&mut self, _: Instant, fact: &Fact) {
        match *fact {
            Fact::ProducerStarted { client, session } => {
                note(&mut self.sessions, session.index(), client);
            }
            Fact::ConsumerStarted { client, consumer, .. } => {
                note(&mut self.consumers, consumer.index(), client);
            }
            _ => {}
        }
    }
}

/// Notes whose an object is.
fn note(list: &mut Vec<Option<(ClientId, u32)>>, index: usize, client: ClientId) {
    let before = list.iter().flatten().filter(|(known, _)| *known == client).count();
    if list.len() <= index {
        list.resize(index + 1, None);
    }
    list[index] = Some((client, before as u32));
}

/// A run of numbered things: "record 3", "records 3..5", "no records". Both ends are included.
pub fn range(noun: &str, first: u64, count: u64) -> String {
    match count {
        0 => format!("no {noun}s"),
        1 => format!("{noun} {first}"),
        _ => format!("{noun}s {first}..{}", first.saturating_add(count - 1)),
    }
}

/// The name of a position that is counted from 0: "1st", "2nd", "11th".
pub fn ordinal(index: u32) -> String {
    let number = u64::from(index) + 1;
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}
