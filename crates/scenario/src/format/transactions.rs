//! How an application puts messages into transactions.

use crate::diagnostic::Diagnostic;
use crate::document::{Node, Value};
use crate::form::{At, Form};
use crate::read::Reader;
use crate::schema::Schemas;
use inflight_des::Span;
use inflight_sim::setup::{Aborts, OnFailure, OnFatal, TransactionSetup};
use serde_json::{Value as Json, json};

object! {
    /// How a thread puts its records into transactions.
    struct Transactions {
        /// How many records in a transaction.
        "records" records: required At<u32>,
        /// How long it waits with the end after the last record.
        "hold" hold: default Span = "\"0ms\"",
        /// Which transactions it aborts of its own accord, counted from 0.
        "abort" aborts: default AbortList = "\"never\"",
        /// What it does with the records of a transaction that failed.
        "on-failure" on_failure: default OnFailure = "{ \"repeat\": 3 }",
    }
}

words! {
    /// What an application does when its transactional producer cannot be used any more.
    "on-fatal" for OnFatal {
        /// It closes the producer and ends.
        "stop" => OnFatal::Stop,
        /// Its process ends and is started again at once.
        "restart" => OnFatal::Restart,
    }
}

impl Transactions {
    /// The plan of a thread that sends so many records.
    pub(crate) fn complete(&self, sent: u64, reader: &mut Reader<'_>) -> Option<TransactionSetup> {
        let At { value: messages, place } = self.records;
        if messages == 0 {
            let wrong = Diagnostic::error(place, "0").expected("at least 1");
            reader.within("records", |reader| reader.report(wrong));
            return None;
        }
        let count = sent.div_ceil(messages.into());
        reader.within("abort", |reader| self.aborts.check(count, reader))?;
        let (aborts, on_failure) = (self.aborts.plan(), self.on_failure);
        Some(TransactionSetup { messages, hold: self.hold, aborts, on_failure })
    }
}

/// Which transactions an application aborts of its own accord.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AbortList {
    Never,
    Always,
    These(Vec<At<u32>>),
}

impl AbortList {
    /// The same without places.
    pub(crate) fn plan(&self) -> Aborts {
        match self {
            Self::Never => Aborts::Never,
            Self::Always => Aborts::Always,
            Self::These(list) => Aborts::These(list.iter().map(|number| number.value).collect()),
        }
    }

    /// Complains of transactions that there are not, of so many.
    fn check(&self, count: u64, reader: &mut Reader<'_>) -> Option<()> {
        let Self::These(list) = self else { return Some(()) };
        let mut is_fine = true;
        for (index, At { value: number, place }) in list.iter().enumerate() {
            if u64::from(*number) < count {
                continue;
            }
            is_fine = false;
            let wrong = Diagnostic::error(*place, format!("there is no transaction {number}"));
            let wrong = wrong.expected(match count {
                0 => "\"never\", as no records are sent".to_owned(),
                1 => "0, as there is one".to_owned(),
                _ => format!("a number from 0 to {}, as there are {count}", count - 1),
            });
            reader.at(index, |reader| reader.report(wrong));
        }
        is_fine.then_some(())
    }
}

impl Form for AbortList {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.value {
            Value::Text(text) if text == "never" => Some(Self::Never),
            Value::Text(text) if text == "always" => Some(Self::Always),
            Value::List(_) => Vec::read(node, reader).map(Self::These),
            _ => {
                reader.mismatch(node, "\"never\", \"always\", or a list of numbers such as [0, 2]");
                None
            }
        }
    }

    fn schema(schemas: &mut Schemas) -> Json {
        let words = json!({ "enum": ["never", "always"] });
        json!({ "anyOf": [words, Vec::<At<u32>>::schema(schemas)] })
    }
}

object! {
    /// It puts the records into another transaction.
    struct Repeat {
        /// How many times at most.
        "repeat" times: required u32,
    }
}

impl Form for OnFailure {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.value {
            Value::Text(text) if text == "give-up" => Some(Self::GiveUp),
            Value::Object(_) => {
                Repeat::read(node, reader).map(|Repeat { times }| Self::Repeat { times })
            }
            _ => {
                reader.mismatch(node, "\"give-up\" or { \"repeat\": 3 }");
                None
            }
        }
    }

    fn schema(schemas: &mut Schemas) -> Json {
        let give_up = json!({ "const": "give-up", "description": "It does nothing." });
        json!({ "anyOf": [give_up, Repeat::schema(schemas)] })
    }
}
