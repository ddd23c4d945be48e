//! The schemas of `config` objects, made from the tables of keys.

use super::{ConsumerTable, ProducerTable, ServerTable, Table, TopicTable};
use inflight_protocol::config::keys::{
    Family, Key, Treatment, consumer_families, consumer_keys, producer_families, producer_keys,
    server_families, server_keys, topic_keys,
};
use inflight_protocol::config::{Kind, Range};
use serde_json::{Map, Value as Json, json};

impl Table for ProducerTable {
    const NAME: &'static str = "ProducerConfig";

    fn schema() -> Json {
        of("Kafka's producer settings.", producer_keys(), producer_families())
    }
}

impl Table for ConsumerTable {
    const NAME: &'static str = "ConsumerConfig";

    fn schema() -> Json {
        of("Kafka's consumer settings.", consumer_keys(), consumer_families())
    }
}

impl Table for TopicTable {
    const NAME: &'static str = "TopicConfig";

    fn schema() -> Json {
        of("Kafka's topic settings.", topic_keys(), &[])
    }
}

impl Table for ServerTable {
    const NAME: &'static str = "BrokerConfig";

    fn schema() -> Json {
        of("Kafka's broker settings.", server_keys(), server_families())
    }
}

fn of<C: 'static>(
    doc: &str,
    keys: impl Iterator<Item = &'static Key<C>>,
    families: &[Family],
) -> Json {
    let properties: Map<String, Json> =
        keys.map(|key| (key.name.to_owned(), schema_of(key))).collect();
    let pattern = |family: &Family| {
        let prefix = family.prefix.replace('.', "\\.");
        (format!("^{prefix}"), json!({ "description": without_effect(family.reason) }))
    };
    let patterns: Map<String, Json> = families.iter().map(pattern).collect();
    json!({
        "type": "object",
        "description": doc,
        "properties": properties,
        "patternProperties": patterns,
        "additionalProperties": false,
    })
}

fn without_effect(reason: &str) -> String {
    format!("Without effect here: {reason}.")
}

fn schema_of<C>(key: &Key<C>) -> Json {
    let mut doc = key.doc.to_owned();
    if let Some(since) = key.since {
        doc.push_str(&format!(" Since Kafka {since}."));
    }
    match key.treatment {
        Treatment::Modelled => {}
        Treatment::WithoutEffect(reason) => doc.push_str(&format!(" {}", without_effect(reason))),
        Treatment::Unsupported(reason) | Treatment::NotYet(reason) => {
            doc.push_str(&format!(" Only the default is accepted: {reason}."));
        }
    }
    let mut schema = values(&key.kind);
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("description".to_owned(), doc.into());
        if let Some(default) = key.default {
            schema.insert("default".to_owned(), natural(&key.kind, default));
        }
    }
    schema
}

/// The values of a kind. Kafka reads texts, so a number may also be written as one.
fn values(kind: &Kind) -> Json {
    match kind {
        Kind::Int(range) | Kind::Long(range) => match range {
            Range { also: None, min, max, .. } => {
                json!({ "type": ["integer", "string"], "minimum": min, "maximum": max })
            }
            Range { also: Some(_), .. } => json!({ "type": ["integer", "string"] }),
        },
        Kind::Ratio => json!({ "type": ["number", "string"], "minimum": 0, "maximum": 1 }),
        Kind::Bool => json!({ "enum": [true, false, "true", "false"] }),
        Kind::Text | Kind::NonEmptyText | Kind::Class => {
            json!({ "type": ["string", "number", "boolean"] })
        }
        Kind::List(_) => json!({ "type": ["string", "number", "boolean"] }),
        Kind::Enum(words) => {
            let numbers = words.iter().filter_map(|word| word.parse::<i64>().ok().map(Json::from));
            let all: Vec<Json> =
                words.iter().map(|word| Json::from(*word)).chain(numbers).collect();
            json!({ "enum": all })
        }
        Kind::EnumInAnyCase(words) => json!({ "enum": words }),
    }
}

/// A default as one would write it.
fn natural(kind: &Kind, text: &str) -> Json {
    let number = text.parse::<i64>().ok().map(Json::from);
    match kind {
        Kind::Int(_) | Kind::Long(_) => number.unwrap_or_else(|| text.into()),
        Kind::Bool => text.parse::<bool>().map_or_else(|_| text.into(), Json::from),
        Kind::Ratio
        | Kind::Text
        | Kind::NonEmptyText
        | Kind::Enum(_)
        | Kind::EnumInAnyCase(_)
        | Kind::List(_)
        | Kind::Class => text.into(),
    }
}
