//! What must come out.

use super::fact::{Roles, Tests, fields_schema, pattern};
use crate::diagnostic::Diagnostic;
use crate::document::{Node, Value, quoted};
use crate::expectation::{Count, Expectations, FactCount, Range};
use crate::form::{Form, OneOrMore};
use crate::read::Reader;
use crate::schema::{Schemas, any_of};
use inflight_check::{CheckerId, Verdict};
use inflight_protocol::FactKind;
use serde_json::{Map, Value as Json, json};

object! {
    /// What must come out of the run. The test suite fails if it does not.
    struct Expect {
        /// The gravest verdict of all checkers, or several that are right.
        "verdict" verdict: optional OneOrMore<Verdict>,
        /// What single checkers say.
        "checkers" checkers: default Checkers = "{}",
        /// How many records were sent, acked, lost and so on: numbers or ranges.
        "counts" counts: default Ranges = "{}",
        /// Facts that must occur, and facts that must not.
        "facts" facts: default Vec<FactCount> = "[]",
    }
}

words! {
    /// A verdict.
    "verdict" for Verdict {
        /// Nothing was examined.
        "vacuous" => Verdict::Vacuous,
        /// It holds.
        "ok" => Verdict::Ok,
        /// It does not hold, and this configuration does not promise it after what happened.
        "allowed" => Verdict::Allowed,
        /// It may be broken.
        "possible" => Verdict::Possible,
        /// A promise is broken.
        "violation" => Verdict::Violation,
    }
}

impl Form for Expectations {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Expect { verdict, checkers, counts, facts } = Expect::read(node, reader)?;
        let verdict = verdict.map(|verdict| verdict.0).unwrap_or_default();
        Some(Self { verdict, checkers: checkers.0, counts: counts.0, facts })
    }

    fn schema(schemas: &mut Schemas) -> Json {
        Expect::schema(schemas)
    }
}

/// Reads an object whose keys are words of a closed set.
fn map<K: Copy + PartialEq, V>(
    node: &Node,
    noun: &str,
    words: &[(&'static str, K)],
    read: impl Fn(&Node, &mut Reader<'_>) -> Option<V>,
    reader: &mut Reader<'_>,
) -> Option<Vec<(K, V)>> {
    let Some(members) = node.members() else {
        reader.mismatch(node, format!("an object with a key for each {noun}"));
        return None;
    };
    let mut map: Vec<(K, V)> = Vec::new();
    for member in members {
        reader.within(&member.key, |reader| {
            let known = words.iter().find(|(word, _)| *word == member.key);
            let Some((_, key)) = known else {
                let found = (member.key_place, noun, member.key.as_str());
                return reader.unknown(found, words.iter().map(|(word, _)| *word));
            };
            if map.iter().any(|(before, _)| before == key) {
                let problem = format!("{} stands here twice", quoted(&member.key));
                return reader.report(Diagnostic::error(member.key_place, problem));
            }
            if let Some(value) = read(&member.node, reader) {
                map.push((*key, value));
            }
        });
    }
    Some(map)
}

fn map_schema<'a>(words: impl Iterator<Item = (&'a str, &'a str)>, value: &Json) -> Json {
    let property = |(word, doc): (&str, &str)| {
        let mut value = value.clone();
        if let Some(value) = value.as_object_mut() {
            value.insert("description".to_owned(), crate::schema::sentence(doc).into());
        }
        (word.to_owned(), value)
    };
    let properties: Map<String, Json> = words.map(property).collect();
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

/// Checkers with what they say.
#[derive(Clone, Debug)]
pub(crate) struct Checkers(Vec<(CheckerId, Vec<Verdict>)>);

impl Form for Checkers {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let words: Vec<_> = CheckerId::ALL.iter().map(|id| (id.word(), *id)).collect();
        let verdicts = |node: &Node, reader: &mut Reader<'_>| {
            OneOrMore::read(node, reader).map(|verdicts| verdicts.0)
        };
        map(node, "checker", &words, verdicts, reader).map(Self)
    }

    fn schema(schemas: &mut Schemas) -> Json {
        let words = CheckerId::ALL.iter().map(|id| (id.word(), id.definition()));
        map_schema(words, &OneOrMore::<Verdict>::schema(schemas))
    }
}

/// Counts with the numbers that are right.
#[derive(Clone, Debug)]
pub(crate) struct Ranges(Vec<(Count, Range)>);

impl Form for Ranges {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let words: Vec<_> = Count::ALL.iter().map(|count| (count.word(), *count)).collect();
        map(node, "count", &words, Range::read, reader).map(Self)
    }

    fn schema(schemas: &mut Schemas) -> Json {
        let words = Count::ALL.iter().map(|count| (count.word(), count.doc()));
        map_schema(words, &Range::schema(schemas))
    }
}

object! {
    /// A range of numbers.
    struct RangeForm {
        /// The least number.
        "at-least" least: optional u64,
        /// The greatest number.
        "at-most" most: optional u64,
    }
}

impl Form for Range {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.value {
            Value::Number(_) => u64::read(node, reader).map(Self::exactly),
            Value::Object(_) => {
                let RangeForm { least, most } = RangeForm::read(node, reader)?;
                let range = Self { least: least.unwrap_or(0), most: most.unwrap_or(u64::MAX) };
                if least.is_none() && most.is_none() {
                    reader.mismatch(node, "\"at-least\" or \"at-most\" in it");
                    return None;
                }
                if range.least > range.most {
                    let wrong = Diagnostic::error(node.place, "no number is in this range");
                    reader.report(wrong.expected("at-least below at-most"));
                    return None;
                }
                Some(range)
            }
            Value::Null | Value::Bool(_) | Value::Text(_) | Value::List(_) => {
                reader.mismatch(node, "a number, or { \"at-least\": 1, \"at-most\": 3 }");
                None
            }
        }
    }

    fn schema(schemas: &mut Schemas) -> Json {
        schemas.define("Range", |schemas| {
            let number = json!({ "type": "integer", "minimum": 0 });
            any_of("A number, or a range of numbers.", [number, RangeForm::schema(schemas)])
        })
    }
}

object! {
    /// A fact that must occur.
    struct Occurs {
        /// The name of the fact.
        "happened" kind: required FactKind,
        /// What its fields must be.
        "where" tests: optional Tests,
        /// How often it must occur.
        "times" times: default Range = "{ \"at-least\": 1 }",
    }
}

object! {
    /// A fact that must not occur.
    struct Never {
        /// The name of the fact.
        "never" kind: required FactKind,
        /// What its fields must not be at once.
        "where" tests: optional Tests,
    }
}

choice! {
    /// A fact that must occur, or must not.
    enum FactForm {
        "happened" Occurs(Occurs),
        "never" Never(Never),
    }
}

impl Form for FactCount {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let (kind, tests, times) = match FactForm::read(node, reader)? {
            FactForm::Occurs(Occurs { kind, tests, times }) => (kind, tests, times),
            FactForm::Never(Never { kind, tests }) => (kind, tests, Range::exactly(0)),
        };
        let words = match node.get("where") {
            Some(tests) => format!("{} where {tests}", kind.name()),
            None => kind.name().to_owned(),
        };
        let pattern = pattern(kind, tests.as_ref(), Roles::Unknown, reader)?;
        Some(Self { pattern, times, words })
    }

    fn schema(schemas: &mut Schemas) -> Json {
        let all = [
            FactForm::schema(schemas),
            fields_schema("happened", schemas),
            fields_schema("never", schemas),
        ];
        json!({ "allOf": all })
    }
}
