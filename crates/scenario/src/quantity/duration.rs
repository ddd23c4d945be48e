//! Durations.

use crate::diagnostic::Diagnostic;
use crate::document::{Node, Value};
use crate::form::Form;
use crate::read::Reader;
use crate::schema::{self, Schemas};
use inflight_des::Span;
use serde_json::Value as Json;

const EXPECTED: &str = "a duration with its unit such as \"1.5ms\"";

impl Form for Span {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.value {
            Value::Text(text) => match text.parse() {
                Ok(span) => Some(span),
                Err(error) => {
                    let expected = format!("{EXPECTED}: {error}");
                    reader.mismatch(node, expected);
                    None
                }
            },
            Value::Number(number) => {
                let found = Diagnostic::error(node.place, format!("{number} without a unit"));
                let meant = format!("{number}ms");
                let meant = meant.parse::<Self>().is_ok().then_some(meant);
                reader.report(found.expected(EXPECTED).nearest(meant));
                None
            }
            Value::Null | Value::Bool(_) | Value::List(_) | Value::Object(_) => {
                reader.mismatch(node, EXPECTED);
                None
            }
        }
    }

    fn schema(schemas: &mut Schemas) -> Json {
        schemas.define("Duration", |_| {
            schema::text(
                "A duration with its unit: ns, us, ms, s, m or h.",
                Some(r"^\s*[0-9]+(\.[0-9]*)?\s*(ns|us|µs|ms|s|m|h)\s*$"),
                &["250us", "1.5ms", "30s", "10m"],
            )
        })
    }

    fn expected() -> Option<&'static str> {
        Some(EXPECTED)
    }
}
