//! Odds: ratios of whole numbers.

use super::decimal;
use crate::document::Node;
use crate::form::Form;
use crate::read::Reader;
use crate::schema::{self, Schemas};
use inflight_des::Ratio;
use serde_json::Value as Json;

const EXPECTED: &str = "odds such as \"1 in 100\" or \"0.5%\"";

/// Reads `3 in 100` or `0.5%`.
fn odds(text: &str) -> Option<Ratio> {
    let text = text.trim();
    let (numerator, denominator) = match text.strip_suffix('%') {
        Some(percent) => {
            let (number, scale) = decimal(percent.trim())?;
            (number, scale.checked_mul(100)?)
        }
        None => {
            let (numerator, denominator) = text.split_once(" in ")?;
            (whole(numerator)?, whole(denominator)?)
        }
    };
    Ratio::new(u32::try_from(numerator).ok()?, u32::try_from(denominator).ok()?)
}

fn whole(text: &str) -> Option<u64> {
    let text = text.trim();
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

impl Form for Ratio {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let ratio = node.as_text().and_then(odds);
        if ratio.is_none() {
            reader.mismatch(node, EXPECTED);
        }
        ratio
    }

    fn schema(schemas: &mut Schemas) -> Json {
        schemas.define("Odds", |_| {
            schema::text(
                "Odds: so many in so many, or percent.",
                Some(r"^\s*([0-9]+\s+in\s+[0-9]+|[0-9]+(\.[0-9]+)?\s*%)\s*$"),
                &["1 in 100", "0.5%"],
            )
        })
    }

    fn expected() -> Option<&'static str> {
        Some(EXPECTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odds_are_exact() {
        assert_eq!(odds("1 in 3"), Ratio::new(1, 3));
        assert_eq!(odds("0.5%"), Ratio::new(5, 1_000));
        assert_eq!(odds("100 %"), Ratio::new(100, 100));
        for wrong in ["2 in 1", "101%", "0.01", "1/3", "1 in 0", "", "%", "1. %", "-1 in 2"] {
            assert_eq!(odds(wrong), None, "{wrong}");
        }
    }
}
