//! Sentences with holes.
//!
//! `{field}` is a field's value; `{field|text}` has a text for an absent one; `{field:a=x,b=y}`
//! replaces words. `[...]` vanishes if a value in it is absent or an empty set. `{records}`,
//! `{messages}`, `{offsets}` and `{sequences}` are runs made of a first number and `count`, and
//! `{attempt}` is counted from 1. `{raised_epoch}` is a producer epoch that is not the first.

use super::namer::Namer;
use super::nouns::{ENGLISH, Nouns};
use inflight_protocol::Fact;
use inflight_protocol::fact::{FieldType, Value};
use inflight_protocol::ids::{ConsumerId, Node, SessionId};

/// How long names are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// "broker 1", for sentences.
    Long,
    /// "b1", for columns.
    Short,
}

/// A template with the values of a fact.
pub(crate) fn fill(template: &str, fact: &Fact, namer: &Namer, style: Style) -> String {
    fill_with(template, fact, namer, style, &ENGLISH)
}

/// The same with the nouns of a language.
pub(crate) fn fill_with(
    template: &str,
    fact: &Fact,
    namer: &Namer,
    style: Style,
    nouns: &Nouns,
) -> String {
    let filler = Filler { fact, namer, style, nouns };
    let mut text = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some(at) = rest.find(['[', '{']) {
        text.push_str(&rest[..at]);
        let close = if rest[at..].starts_with('[') { ']' } else { '}' };
        let end = rest[at..].find(close).map_or(rest.len(), |length| at + length);
        let inside = &rest[at + 1..end];
        if close == ']' {
            text.push_str(&filler.optional(inside).unwrap_or_default());
        } else {
            text.push_str(&filler.hole(inside).unwrap_or_else(|| nouns.nothing.to_owned()));
        }
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    text + rest
}

/// The node that a field of a fact names: the one that acts.
pub(crate) fn node_of(fact: &Fact, field: &str, namer: &Namer) -> Option<Node> {
    match (field, lookup(fact, field)?) {
        (_, (_, Value::Client(client))) => Some(Node::Client(client)),
        (_, (_, Value::Node(node))) => Some(node),
        (_, (_, Value::Connection(connection))) => Some(connection.owner),
        ("session", (_, Value::Number(number))) => {
            namer.client_of(SessionId::new(u16::try_from(number).ok()?)).map(Node::Client)
        }
        ("consumer", (_, Value::Number(number))) => {
            let consumer = ConsumerId::new(u16::try_from(number).ok()?);
            namer.client_of_consumer(consumer).map(Node::Client)
        }
        (_, (FieldType::Broker | FieldType::OptionalBroker, Value::Number(number))) => {
            Some(Node::Broker(inflight_protocol::BrokerId::new(u8::try_from(number).ok()?)))
        }
        _ => None,
    }
}

/// The type and value of a field.
fn lookup(fact: &Fact, field: &str) -> Option<(FieldType, Value)> {
    let index = fact.kind().fields().iter().position(|spec| spec.name == field)?;
    Some((fact.kind().fields()[index].field_type, fact.field(index)?))
}

struct Filler<'a> {
    fact: &'a Fact,
    namer: &'a Namer,
    style: Style,
    nouns: &'a Nouns,
}

impl Filler<'_> {
    /// A part that vanishes if something in it is absent.
    fn optional(&self, part: &str) -> Option<String> {
        let mut text = String::new();
        let mut rest = part;
        while let Some((before, after)) = rest.split_once('{') {
            let (hole, behind) = after.split_once('}')?;
            text.push_str(before);
            text.push_str(&self.hole(hole)?);
            rest = behind;
        }
        Some(text + rest)
    }

    fn hole(&self, hole: &str) -> Option<String> {
        if let Some((field, absent)) = hole.split_once('|') {
            return Some(self.field(field).unwrap_or_else(|| absent.to_owned()));
        }
        if let Some((field, words)) = hole.split_once(':') {
            let word = self.field(field)?;
            let pair = words.split(',').filter_map(|pair| pair.split_once('='));
            let found = pair.into_iter().find(|(from, _)| *from == word);
            return Some(found.map_or(word.clone(), |(_, to)| to.to_owned()));
        }
        self.field(hole)
    }

    fn field(&self, name: &str) -> Option<String> {
        match name {
            "records" => self.run("record", "first"),
            "messages" => self.run("message", "message"),
            "offsets" => self.run("offset", "base_offset"),
            "sequences" => self.run("sequence", "sequence"),
            "attempt" => Some((self.nouns.attempt)(u32::try_from(self.number("attempt")?).ok()?)),
            "raised_epoch" => {
                let epoch = self.number("producer_epoch").filter(|epoch| *epoch > 0);
                epoch.map(|epoch| epoch.to_string())
            }
            "fault" => Some(self.namer.names().fault(self.number("fault")?)),
            "consumer" => {
                let consumer = ConsumerId::new(u16::try_from(self.number("consumer")?).ok()?);
                Some(self.namer.consumer_by(consumer, self.nouns))
            }
            "session" => {
                let session = SessionId::new(u16::try_from(self.number("session")?).ok()?);
                Some(self.namer.session_by(session, self.nouns))
            }
            _ => {
                let (field_type, value) = lookup(self.fact, name)?;
                self.value(field_type, value)
            }
        }
    }

    fn number(&self, field: &str) -> Option<u64> {
        match lookup(self.fact, field)?.1 {
            Value::Number(number) => u64::try_from(number).ok(),
            _ => None,
        }
    }

    fn run(&self, noun: &str, first: &str) -> Option<String> {
        Some((self.nouns.range)(noun, self.number(first)?, self.number("count")?))
    }

    fn value(&self, field_type: FieldType, value: Value) -> Option<String> {
        Some(match value {
            Value::None => return None,
            Value::Number(number) => match (field_type, self.style) {
                (FieldType::Broker | FieldType::OptionalBroker, Style::Long) => {
                    format!("{} {number}", self.nouns.broker)
                }
                (FieldType::Broker | FieldType::OptionalBroker, Style::Short) => {
                    format!("b{number}")
                }
                _ => number.to_string(),
            },
            Value::Word(word) => word.to_owned(),
            Value::Partition(partition) => self.namer.names().partition(partition),
            Value::Client(client) => self.namer.names().client(client),
            Value::Transactional(id) => self.namer.names().transactional(id),
            Value::Group(group) => self.namer.names().group(group),
            Value::Node(node) => match (node, self.style) {
                (Node::Controller, Style::Long) => self.nouns.controller.to_owned(),
                (Node::Broker(broker), Style::Long) => format!("{} {broker}", self.nouns.broker),
                (node, _) => self.namer.names().node(node),
            },
            Value::Brokers(set) if set.is_empty() => return None,
            Value::Brokers(set) => set.to_string(),
            Value::Connection(connection) => self.namer.names().connection(connection),
            Value::Span(span) => span.to_string(),
        })
    }
}
