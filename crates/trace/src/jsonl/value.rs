//! The values of fields as JSON, in both directions.

use super::error::nearest;
use crate::names::Names;
use inflight_des::Span;
use inflight_protocol::ErrorCode;
use inflight_protocol::fact::{FieldType, SendError, Value};
use inflight_protocol::ids::{BrokerId, BrokerSet};
use serde_json::Value as Json;
use std::io::{self, Write};

/// The key of a field in a line. A field called like the instant goes by another key.
pub(super) fn key(field: &'static str) -> &'static str {
    if field == "at" { "node" } else { field }
}

/// Writes a value.
pub(super) fn write(out: &mut impl Write, names: &Names, value: Value) -> io::Result<()> {
    match value {
        Value::None => out.write_all(b"null"),
        Value::Number(number) => write!(out, "{number}"),
        Value::Word(word) => quote(out, word),
        Value::Partition(partition) => match names.partitions().get(partition.index()) {
            Some(name) => quote(out, name),
            None => quote(out, &names.partition(partition)),
        },
        Value::Client(client) => quote(out, &names.client(client)),
        Value::Transactional(id) => quote(out, &names.transactional(id)),
        Value::Group(group) => quote(out, &names.group(group)),
        Value::Node(node) => quote(out, &names.node(node)),
        Value::Brokers(set) => {
            out.write_all(b"[")?;
            for (index, broker) in set.iter().enumerate() {
                let comma = if index == 0 { "" } else { "," };
                write!(out, "{comma}{broker}")?;
            }
            out.write_all(b"]")
        }
        Value::Connection(connection) => quote(out, &names.connection(connection)),
        Value::Span(span) => write!(out, "{}", span.as_nanos()),
    }
}

/// Writes a string. Most names need no escapes.
fn quote(out: &mut impl Write, text: &str) -> io::Result<()> {
    if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        out.write_all(b"\"")?;
        out.write_all(text.as_bytes())?;
        out.write_all(b"\"")
    } else {
        serde_json::to_writer(out, text).map_err(io::Error::from)
    }
}

/// Reads a value of a type.
pub(super) fn read(json: &Json, names: &Names, field: FieldType) -> Option<Value> {
    match field {
        FieldType::Number => json.as_i64().map(Value::Number),
        FieldType::Broker => json.as_i64().map(Value::Number),
        FieldType::Word(words) => {
            let text = json.as_str()?;
            words.iter().find(|word| **word == text).map(|word| Value::Word(word))
        }
        FieldType::Error => {
            ErrorCode::from_name(json.as_str()?).map(|code| Value::Word(code.name()))
        }
        FieldType::SendError => {
            SendError::from_name(json.as_str()?).map(|error| Value::Word(error.name()))
        }
        FieldType::Partition => names.find_partition(json.as_str()?).map(Value::Partition),
        FieldType::Client => names.find_client(json.as_str()?).map(Value::Client),
        FieldType::Transactional => {
            names.find_transactional(json.as_str()?).map(Value::Transactional)
        }
        FieldType::Group => names.find_group(json.as_str()?).map(Value::Group),
        FieldType::Node => names.find_node(json.as_str()?).map(Value::Node),
        FieldType::Brokers => brokers(json.as_array()?).map(Value::Brokers),
        FieldType::Connection => names.find_connection(json.as_str()?).map(Value::Connection),
        FieldType::Span => json.as_u64().map(|nanos| Value::Span(Span::from_nanos(nanos))),
        FieldType::OptionalNumber => optional(json, |json| read(json, names, FieldType::Number)),
        FieldType::OptionalBroker => optional(json, |json| read(json, names, FieldType::Broker)),
        FieldType::OptionalError => optional(json, |json| read(json, names, FieldType::Error)),
        FieldType::OptionalSendError => {
            optional(json, |json| read(json, names, FieldType::SendError))
        }
        FieldType::OptionalGroup => optional(json, |json| read(json, names, FieldType::Group)),
    }
}

fn optional(json: &Json, some: impl FnOnce(&Json) -> Option<Value>) -> Option<Value> {
    if json.is_null() { Some(Value::None) } else { some(json) }
}

fn brokers(list: &[Json]) -> Option<BrokerSet> {
    let number = |json: &Json| {
        let number = u8::try_from(json.as_u64()?).ok()?;
        (1..=BrokerId::MAX).contains(&number).then(|| BrokerId::new(number))
    };
    list.iter().map(number).collect()
}

/// What belongs into a field, in words.
pub(super) fn expected(field: FieldType) -> String {
    match field {
        FieldType::Number => "a whole number in range".to_owned(),
        FieldType::Broker => "a broker's number from 1 to 64".to_owned(),
        FieldType::Word(words) => format!("one of {}", words.join(", ")),
        FieldType::Error => "the name of a Kafka error code".to_owned(),
        FieldType::SendError => "the name of a Kafka error code or of a client's error".to_owned(),
        FieldType::Partition => "a partition as topic-number".to_owned(),
        FieldType::Client => "the name of a client".to_owned(),
        FieldType::Transactional => "a transactional id".to_owned(),
        FieldType::Group => "the name of a group".to_owned(),
        FieldType::OptionalGroup => "the name of a group, or null".to_owned(),
        FieldType::Node => "a client's name, b and a broker's number, or controller".to_owned(),
        FieldType::Brokers => "an array of brokers' numbers from 1 to 64".to_owned(),
        FieldType::Connection => "a connection as node#number".to_owned(),
        FieldType::Span => "nanoseconds".to_owned(),
        FieldType::OptionalNumber => "a whole number in range, or null".to_owned(),
        FieldType::OptionalBroker => "a broker's number from 1 to 64, or null".to_owned(),
        FieldType::OptionalError => "the name of a Kafka error code, or null".to_owned(),
        FieldType::OptionalSendError => {
            "the name of a Kafka error code or of a client's error, or null".to_owned()
        }
    }
}

/// The valid value nearest to a text.
pub(super) fn suggestion(json: &Json, names: &Names, field: FieldType) -> Option<String> {
    let text = json.as_str()?;
    let codes = || ErrorCode::ALL.iter().map(|code| code.name());
    match field {
        FieldType::Word(words) => nearest(text, words.iter().copied()),
        FieldType::Error | FieldType::OptionalError => nearest(text, codes()),
        FieldType::SendError | FieldType::OptionalSendError => {
            nearest(text, codes().chain(SendError::LOCAL.iter().map(|error| error.name())))
        }
        FieldType::Partition => nearest(text, names.partitions().iter().map(String::as_str)),
        FieldType::Client | FieldType::Node => {
            nearest(text, names.clients().iter().map(String::as_str))
        }
        FieldType::Transactional => {
            nearest(text, names.transactional_ids().iter().map(String::as_str))
        }
        FieldType::Group | FieldType::OptionalGroup => {
            nearest(text, names.groups().iter().map(String::as_str))
        }
        FieldType::Number
        | FieldType::Broker
        | FieldType::Brokers
        | FieldType::Connection
        | FieldType::Span
        | FieldType::OptionalNumber
        | FieldType::OptionalBroker => None,
    }
}
