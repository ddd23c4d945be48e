//! Messages that faults concern: the one that set the rule off, or the next one of a kind.

use super::who::Named;
use crate::diagnostic::Diagnostic;
use crate::document::{Node, Value};
use crate::form::{At, Form};
use crate::read::Reader;
use crate::schema::{Schemas, any_of};
use inflight_protocol::fact::{Direction, FactField, Value as FactValue};
use inflight_protocol::{ApiKey, FactKind};
use inflight_sim::fault::{Pattern, Test, When, Who};
use serde_json::{Value as Json, json};
use smallvec::SmallVec;

object! {
    /// The next message of a kind.
    struct Next {
        /// A request or a response.
        "next" direction: required Direction,
        /// Which request it is, or is the answer to; "any" for all.
        "api" api: default Api = "\"Produce\"",
        /// Who sends it. Without it anybody.
        "from" from: optional Who,
        /// To whom. Without it anybody.
        "to" to: optional Who,
        /// Which of the messages that match, from 1.
        "nth" nth: default At<u32> = "1",
    }
}

words! {
    /// Request or response.
    "direction" for Direction {
        /// From the side that opened the connection.
        "request" => Direction::Request,
        /// From the other side.
        "response" => Direction::Response,
    }
}

/// An API, or any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Api(Option<ApiKey>);

fn api_words() -> Vec<&'static str> {
    ApiKey::ALL.iter().map(|api| api.name()).chain(["any"]).collect()
}

impl Form for Api {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let word = crate::form::word(node, "api", &api_words(), reader)?;
        Some(Self(ApiKey::ALL.iter().copied().find(|api| api.name() == word)))
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "enum": api_words() })
    }
}

/// A message that a fault concerns.
#[derive(Clone, Debug)]
pub(crate) enum Message {
    /// The one that set the rule off.
    This,
    /// The next one that matches, from when the rule applies: what to wait for.
    Next(When),
}

/// What is done with a message: it is caught when it is sent, or when it is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Catch {
    /// When it is sent.
    Sent,
    /// When it is delivered, as a produce request.
    Delivered,
}

/// A message to be caught when it is sent.
#[derive(Clone, Debug)]
pub(crate) struct SentMessage(pub(crate) Message);

/// A produce request to be caught when it is delivered.
#[derive(Clone, Debug)]
pub(crate) struct DeliveredRequest(pub(crate) Message);

impl Form for SentMessage {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        read(node, Catch::Sent, reader).map(Self)
    }

    fn schema(schemas: &mut Schemas) -> Json {
        schema(schemas)
    }

    fn expected() -> Option<&'static str> {
        Some(EXPECTED)
    }
}

impl Form for DeliveredRequest {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        read(node, Catch::Delivered, reader).map(Self)
    }

    fn schema(schemas: &mut Schemas) -> Json {
        schema(schemas)
    }

    fn expected() -> Option<&'static str> {
        Some(EXPECTED)
    }
}

const EXPECTED: &str = "\"this\" or { \"next\": \"response\", \"from\": \"b1\" }";

fn schema(schemas: &mut Schemas) -> Json {
    schemas.define("Message", |schemas| {
        let this = json!({ "const": "this", "description": "The message that set the rule off." });
        any_of("A message.", [this, Next::schema(schemas)])
    })
}

fn read(node: &Node, catch: Catch, reader: &mut Reader<'_>) -> Option<Message> {
    match &node.value {
        Value::Text(text) if text == "this" => Some(Message::This),
        Value::Object(_) => {
            let next = Next::read(node, reader)?;
            next.when(node, catch, reader).map(Message::Next)
        }
        _ => {
            reader.mismatch(node, EXPECTED);
            None
        }
    }
}

impl Next {
    /// What a dormant rule waits for.
    fn when(self, node: &Node, catch: Catch, reader: &mut Reader<'_>) -> Option<When> {
        if self.nth.value == 0 {
            let zero = Diagnostic::error(self.nth.place, "0").expected("a number from 1 on");
            reader.within("nth", |reader| reader.report(zero));
            return None;
        }
        let is_answered = self.direction == Direction::Request
            && super::action::answered().any(|api| self.api.0 == Some(api));
        if catch == Catch::Delivered && !is_answered {
            let wrong = Diagnostic::error(node.place, "no request of one kind");
            let expected = "\"next\": \"request\" and \"api\": \"Produce\" or another";
            reader.report(wrong.expected(expected));
            return None;
        }
        let kind = match catch {
            Catch::Sent => FactKind::MessageSent,
            Catch::Delivered => FactKind::MessageDelivered,
        };
        let from = end("from", self.from, node, reader)?;
        let to = end("to", self.to, node, reader)?;
        let mut tests: SmallVec<[(u8, Test); 4]> = SmallVec::new();
        let mut add = |name: &str, test: Option<Test>| {
            let position = (0..).zip(kind.fields()).find(|(_, field)| field.name == name);
            if let (Some((position, _)), Some(test)) = (position, test) {
                tests.push((position, test));
            }
        };
        add("direction", Some(Test::Is(self.direction.to_value())));
        add("api", self.api.0.map(|api| Test::Is(api.to_value())));
        add("from", from);
        add("to", to);
        Some(When::Armed { pattern: Pattern { kind, tests }, nth: self.nth.value })
    }
}

/// A test of an end of the message. The outer `None` stands for a mistake.
fn end(key: &str, who: Option<Who>, node: &Node, reader: &mut Reader<'_>) -> Option<Option<Test>> {
    let Some(who) = who else { return Some(None) };
    match who {
        Who::LeaderOf(partition) => Some(Some(Test::IsLeaderOf(partition))),
        Who::FollowerOf(partition, 0) => Some(Some(Test::IsFollowerOf(partition))),
        Who::Broker(_) | Who::Client(_) | Who::Controller => {
            let name = node.get(key)?;
            let Named(process) = reader.within(key, |reader| Named::read(name, reader))?;
            Some(Some(Test::Is(FactValue::Node(process))))
        }
        Who::FollowerOf(..) | Who::Subject | Who::AnyBroker => {
            let name = node.get(key)?;
            let expected = "a broker, a producer, \"leader of\" or \"follower of\" a partition";
            reader.within(key, |reader| reader.mismatch(name, expected));
            None
        }
    }
}
