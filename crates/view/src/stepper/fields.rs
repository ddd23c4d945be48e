//! The fields of a fact as a reader sees them: what is on the wire, by name.

use inflight_protocol::Fact;
use inflight_protocol::fact::Value;
use inflight_trace::Namer;
use serde_json::{Value as Json, json};

/// Each field with its value as text.
pub(super) fn of(fact: &Fact, namer: &Namer) -> Json {
    let mut list = Vec::new();
    fact.for_each_field(|name, value| list.push(json!([name, text(value, namer)])));
    Json::Array(list)
}

fn text(value: Value, namer: &Namer) -> String {
    let names = namer.names();
    match value {
        Value::None => "–".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Word(word) => word.to_owned(),
        Value::Partition(partition) => names.partition(partition),
        Value::Client(client) => names.client(client),
        Value::Node(node) => names.node(node),
        Value::Brokers(set) => set.to_string(),
        Value::Connection(connection) => names.connection(connection),
        // Types that are added later are shown as they are.
        _ => match value {
            Value::Span(span) => span.to_string(),
            other => format!("{other:?}"),
        },
    }
}
