//! Sizes and rates.

use super::{number_and_unit, times};
use crate::diagnostic::Diagnostic;
use crate::document::{Node, Value};
use crate::form::Form;
use crate::read::Reader;
use crate::schema::{self, Schemas};
use serde_json::Value as Json;

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u32);

/// Bytes a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate(pub(crate) u64);

const SIZE: &str = "a size with its unit such as \"100 B\" or \"16 KiB\"";
const RATE: &str = "a rate with its unit such as \"100 MB/s\" or \"1 Gbit/s\"";

const UNITS: [(&str, u64); 7] = [
    ("B", 1),
    ("kB", 1_000),
    ("KiB", 1 << 10),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
];

/// Bits a second, in bits.
const BIT_UNITS: [(&str, u64); 4] =
    [("bit/s", 1), ("kbit/s", 1_000), ("Mbit/s", 1_000_000), ("Gbit/s", 1_000_000_000)];

fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = number_and_unit(text);
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
    times(number, *factor)
}

fn bytes_a_second(text: &str) -> Option<u64> {
    let (number, unit) = number_and_unit(text);
    let rate = match BIT_UNITS.iter().find(|(name, _)| *name == unit) {
        Some((_, factor)) => times(number, *factor)? / 8,
        None => bytes(text.trim().strip_suffix("/s")?)?,
    };
    (rate > 0).then_some(rate)
}

/// The text of a quantity, or a complaint about the lack of a unit.
fn quantity<'n>(
    node: &'n Node,
    expected: &str,
    unit: &str,
    reader: &mut Reader<'_>,
) -> Option<&'n str> {
    match &node.value {
        Value::Text(text) => Some(text),
        Value::Number(number) => {
            let found = Diagnostic::error(node.place, format!("{number} without a unit"));
            reader.report(found.expected(expected).nearest(Some(format!("{number} {unit}"))));
            None
        }
        Value::Null | Value::Bool(_) | Value::List(_) | Value::Object(_) => {
            reader.mismatch(node, expected);
            None
        }
    }
}

impl Form for Size {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = quantity(node, SIZE, "B", reader)?;
        let size = bytes(text).filter(|bytes| *bytes <= i32::MAX as u64);
        if size.is_none() {
            let units = UNITS.map(|(name, _)| name).join(", ");
            reader.mismatch(node, format!("{SIZE}, below 2 GiB; units are {units}"));
        }
        size.and_then(|bytes| u32::try_from(bytes).ok()).map(Self)
    }

    fn schema(schemas: &mut Schemas) -> Json {
        schemas.define("Size", |_| {
            schema::text(
                "A size with its unit: B, kB (1000), KiB (1024), MB, MiB, GB or GiB.",
                Some(r"^\s*[0-9]+(\.[0-9]+)?\s*(B|kB|KiB|MB|MiB|GB|GiB)\s*$"),
                &["100 B", "1 KiB", "16 KiB", "1 MiB"],
            )
        })
    }

    fn expected() -> Option<&'static str> {
        Some(SIZE)
    }
}

impl Form for Rate {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = quantity(node, RATE, "MB/s", reader)?;
        let rate = bytes_a_second(text);
        if rate.is_none() {
            reader.mismatch(node, format!("{RATE}, at least a byte a second"));
        }
        rate.map(Self)
    }

    fn schema(schemas: &mut Schemas) -> Json {
        schemas.define("Rate", |_| {
            schema::text(
                "Bytes or bits a second, with the unit.",
                Some(r"^\s*[0-9]+(\.[0-9]+)?\s*((B|kB|KiB|MB|MiB|GB|GiB)|(|k|M|G)bit)/s\s*$"),
                &["100 MB/s", "1 Gbit/s"],
            )
        })
    }

    fn expected() -> Option<&'static str> {
        Some(RATE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_rates_have_units() {
        assert_eq!(bytes("100 B"), Some(100));
        assert_eq!(bytes("1.5KiB"), Some(1_536));
        assert_eq!(bytes("0.0001 KiB"), None, "no whole number of bytes");
        assert_eq!(bytes("100"), None);
        assert_eq!(bytes("1 KB"), None, "1000 or 1024?");
        assert_eq!(bytes("-1 B"), None);
        assert_eq!(bytes(". B"), None);
        assert_eq!(bytes_a_second("1 Gbit/s"), Some(125_000_000));
        assert_eq!(bytes_a_second("2.5 MB/s"), Some(2_500_000));
        assert_eq!(bytes_a_second("1 MB"), None);
        assert_eq!(bytes_a_second("0 B/s"), None);
    }
}
