//! The keys of records.

use crate::diagnostic::Diagnostic;
use crate::document::{Node, Value, quoted};
use crate::form::{At, Form};
use crate::read::Reader;
use crate::schema::{Schemas, any_of};
use serde_json::{Value as Json, json};

/// Which keys records have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    /// These in turn.
    InTurn(Vec<String>),
    /// One of these, drawn by weight.
    Weighted(Vec<(u32, String)>),
}

impl Keys {
    /// Whether a record may have this key.
    pub(crate) fn has(&self, wanted: &str) -> bool {
        match self {
            Self::InTurn(keys) => keys.iter().any(|key| key == wanted),
            Self::Weighted(keys) => keys.iter().any(|(_, key)| key == wanted),
        }
    }
}

object! {
    /// A key that is drawn for each record, by weight.
    struct Weighted {
        /// Each key with its weight: { "vip": 9, "other": 1 }.
        "weights" weights: required Weights,
    }
}

object! {
    /// Many keys in turn: k0, k1 and so on.
    struct Numbered {
        /// How many.
        "numbered" count: required At<u32>,
    }
}

choice! {
    /// Many keys.
    enum Many {
        "weights" Weighted(Weighted),
        "numbered" Numbered(Numbered),
    }
}

/// More keys than these are of no use, and would be held in memory for each thread.
const NUMBERED_MAX: u32 = 1_000_000;

impl Form for Keys {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.value {
            Value::Text(key) => Some(Self::InTurn(vec![key.clone()])),
            Value::List(elements) if elements.is_empty() => {
                reader.mismatch(node, "at least one key");
                None
            }
            Value::List(_) => Vec::read(node, reader).map(Self::InTurn),
            Value::Object(_) => match Many::read(node, reader)? {
                Many::Weighted(Weighted { weights }) => Some(Self::Weighted(weights.0)),
                Many::Numbered(Numbered { count: At { value, place } }) => {
                    if (1..=NUMBERED_MAX).contains(&value) {
                        return Some(Self::InTurn((0..value).map(|n| format!("k{n}")).collect()));
                    }
                    let wrong = Diagnostic::error(place, value.to_string());
                    reader.report(wrong.expected(format!("a number from 1 to {NUMBERED_MAX}")));
                    None
                }
            },
            Value::Null | Value::Bool(_) | Value::Number(_) => {
                reader.mismatch(node, "a key, a list of keys, or keys with weights");
                None
            }
        }
    }

    fn schema(schemas: &mut Schemas) -> Json {
        schemas.define("Keys", |schemas| {
            let one = json!({ "type": "string", "description": "The same key for all records." });
            let list = json!({ "type": "array", "items": { "type": "string" }, "minItems": 1,
                "description": "These keys in turn." });
            any_of("The keys of records.", [one, list, Many::schema(schemas)])
        })
    }
}

/// Keys with weights.
#[derive(Clone, Debug)]
pub(crate) struct Weights(Vec<(u32, String)>);

impl Form for Weights {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(members) = node.members() else {
            reader.mismatch(node, "an object: keys of records to weights");
            return None;
        };
        let mut weights: Vec<(u32, String)> = Vec::new();
        for member in members {
            reader.within(&member.key, |reader| {
                if weights.iter().any(|(_, known)| *known == member.key) {
                    let problem = format!("{} stands here twice", quoted(&member.key));
                    return reader.report(Diagnostic::error(member.key_place, problem));
                }
                if let Some(weight) = u32::read(&member.node, reader) {
                    weights.push((weight, member.key.clone()));
                }
            });
        }
        if weights.iter().all(|(weight, _)| *weight == 0) {
            let wrong = Diagnostic::error(node.place, "no weight above 0");
            reader.report(wrong.expected("at least one key that can be drawn"));
            return None;
        }
        Some(Self(weights))
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "type": "object", "additionalProperties": { "type": "integer", "minimum": 0 } })
    }
}
