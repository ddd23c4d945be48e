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
        "abort" aborts: default Aborts = "\"never\"",
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
    /// The plan of a thread.
    pub(crate) fn complete(&self, reader: &mut Reader<'_>) -> Option<TransactionSetup> {
        let At { value: messages, place } = self.records;
        if messages == 0 {
            let wrong = Diagnostic::error(place, "0").expected("at least 1");
            reader.within("records", |reader| reader.report(wrong));
            return None;
        }
        let (aborts, on_failure) = (self.aborts.clone(), self.on_failure);
        Some(TransactionSetup { messages, hold: self.hold, aborts, on_failure })
    }
}

impl Form for Aborts {
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
        json!({ "anyOf": [words, Vec::<u32>::schema(schemas)] })
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
