//! The file form of a run: JSON Lines.
//!
//! One line with the [`Description`], one line a fact, one line that says how the run ended:
//!
//! ```text
//! {"description":{"title":"A lost reply","seed":7,...}}
//! {"at":713000,"fact":"BatchAppended","broker":1,"partition":"orders-0","base_offset":0,...}
//! {"end":{"events":48,"facts":31,"digest":"44767968cc20a01cf4739b7e0fb3f6a1","halt":"quiescent"}}
//! ```
//!
//! Instants and spans are nanoseconds. Partitions, clients, nodes and connections go by their
//! [`Names`](crate::names::Names), closed sets by their words, sets of brokers are arrays, and what
//! is absent is `null`. What is written reads back to the same facts. Keys are the names of the
//! fields; a field called `at` goes by `node`, because `at` is the instant.

mod error;
mod reader;
mod save;
mod value;
mod writer;

pub use error::{Problem, ReadError};
pub use reader::Reader;
pub use save::{SaveError, save};
pub use writer::Writer;

use crate::description::Description;
use inflight_des::{Halt, Instant};
use inflight_protocol::Fact;
use inflight_protocol::fact::{FactField, Value};
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead, Write};

/// How a run ended: the last line of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ending {
    /// How many events the engine handled.
    pub events: u64,
    /// How many facts the file holds.
    pub facts: u64,
    /// The trace digest, in hexadecimal.
    pub digest: String,
    /// Why the run ended.
    #[serde(with = "halt_word")]
    pub halt: Halt,
}

/// A whole run, as read from a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// What it is a run of.
    pub description: Description,
    /// What happened.
    pub facts: Vec<(Instant, Fact)>,
    /// How it ended.
    pub ending: Ending,
}

impl Trace {
    /// Reads a whole file.
    pub fn read(from: impl BufRead) -> Result<Self, ReadError> {
        let mut reader = Reader::new(from)?;
        let mut facts = Vec::new();
        while let Some(fact) = reader.next_fact()? {
            facts.push(fact);
        }
        let (description, ending) = reader.finish()?;
        Ok(Self { description, facts, ending })
    }

    /// Writes a whole file.
    pub fn write(&self, to: impl Write) -> io::Result<()> {
        let mut writer = Writer::new(to, &self.description)?;
        for (at, fact) in &self.facts {
            writer.write(*at, fact)?;
        }
        let Ending { events, digest, halt, .. } = &self.ending;
        writer.finish(*events, digest, *halt).map(drop)
    }
}

/// The word for a [`Halt`].
mod halt_word {
    use super::{FactField, Halt, Value};
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(super) fn serialize<S: Serializer>(halt: &Halt, to: S) -> Result<S::Ok, S::Error> {
        match halt.to_value() {
            Value::Word(word) => to.serialize_str(word),
            _ => Err(serde::ser::Error::custom("a halt is a word")),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Halt, D::Error> {
        let text = String::deserialize(from)?;
        let all = [Halt::Quiescent, Halt::Horizon, Halt::EventBudget];
        let known = |halt: &Halt| matches!(halt.to_value(), Value::Word(word) if word == text);
        all.into_iter().find(known).ok_or_else(|| {
            D::Error::custom(format!("halt is \"{text}\", not quiescent, horizon or event-budget"))
        })
    }
}

#[cfg(test)]
mod tests;
