//! Links between nodes, as faults name them.

use crate::document::{Node, Value};
use crate::form::Form;
use crate::read::Reader;
use crate::schema::{Schemas, any_of};
use inflight_sim::fault::Who;
use serde_json::Value as Json;

object! {
    /// The links from one side to the other.
    struct Ends {
        /// One side. Without it everybody else.
        "from" from: optional Who,
        /// The other side. Without it everybody else.
        "to" to: optional Who,
    }
}

/// Links, by their ends. `None` is everybody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Links {
    pub(crate) from: Option<Who>,
    pub(crate) to: Option<Who>,
}

impl Form for Links {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match node.value {
            Value::Object(_) => {
                let Ends { from, to } = Ends::read(node, reader)?;
                if from.is_none() && to.is_none() {
                    reader.mismatch(node, "\"from\" or \"to\" in it");
                    return None;
                }
                Some(Self { from, to })
            }
            Value::Text(_) => Who::read(node, reader).map(|who| Self { from: Some(who), to: None }),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) => {
                reader.mismatch(node, EXPECTED);
                None
            }
        }
    }

    fn schema(schemas: &mut Schemas) -> Json {
        schemas.define("Links", |schemas| {
            let any = [Who::schema(schemas), Ends::schema(schemas)];
            any_of("All links of somebody, or those from one side to the other.", any)
        })
    }

    fn expected() -> Option<&'static str> {
        Some(EXPECTED)
    }
}

const EXPECTED: &str = "somebody, or { \"from\": \"p1\", \"to\": \"b1\" }";

impl Links {
    /// Everybody who is named.
    pub(crate) fn named(&self) -> impl Iterator<Item = Who> {
        self.from.into_iter().chain(self.to)
    }
}
