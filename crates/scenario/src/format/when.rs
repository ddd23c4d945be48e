//! When a fault takes effect.

use super::fact::{Roles, Tests, fields_schema, pattern};
use crate::diagnostic::Diagnostic;
use crate::document::Node;
use crate::form::{At, Form};
use crate::read::Reader;
use crate::schema::Schemas;
use inflight_des::{Delay, Instant, Ratio, Span};
use inflight_protocol::FactKind;
use inflight_sim::fault::{Repeat, When};
use serde_json::{Value as Json, json};

object! {
    /// At a time of the run.
    struct AtTime {
        /// The time, from the start of the run.
        "at" at: required Span,
    }
}

object! {
    /// Right after something happened.
    struct Happened {
        /// The name of the fact.
        "happened" kind: required FactKind,
        /// What its fields must be. Fields that are not named may be anything.
        "where" tests: optional Tests,
        /// Which of the facts that match, from 1.
        "nth" nth: optional At<u32>,
        /// Whether the rule applies once or to every further match as well.
        "repeat" repeat: optional At<Repeat>,
        /// The odds that the rule applies to a fact that matches.
        "odds" odds: optional At<Ratio>,
        /// How often at most, if there are odds.
        "limit" limit: optional At<u32>,
    }
}

object! {
    /// Again and again, as long as producers have work.
    struct Every {
        /// The time from one to the next.
        "every" every: required Delay,
        /// How often at most.
        "limit" limit: required u32,
    }
}

words! {
    /// Whether a rule applies once or from then on.
    "repetition" for Repeat {
        /// Once.
        "once" => Repeat::Once,
        /// To every further match as well.
        "always" => Repeat::Always,
    }
}

choice! {
    /// When a fault takes effect.
    enum Trigger {
        "at" At(AtTime),
        "happened" Happened(WithFields),
        "every" Every(Every),
    }
}

/// [`Happened`], whose schema knows the fields of each fact.
#[derive(Clone, Debug)]
pub(crate) struct WithFields(Happened);

impl Form for WithFields {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        Happened::read(node, reader).map(Self)
    }

    fn schema(schemas: &mut Schemas) -> Json {
        let all = [Happened::schema(schemas), fields_schema("happened", schemas)];
        json!({ "allOf": all })
    }
}

/// When a fault takes effect, with the name of the fact it waits for.
#[derive(Clone, Debug)]
pub(crate) struct WhenPart(pub(crate) When);

impl Form for WhenPart {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let when = match Trigger::read(node, reader)? {
            Trigger::At(AtTime { at }) => Some(When::At(Instant::START + at)),
            Trigger::Every(Every { every, limit }) => Some(When::Every { every, limit }),
            Trigger::Happened(WithFields(happened)) => happened.when(reader),
        };
        when.map(Self)
    }

    fn schema(schemas: &mut Schemas) -> Json {
        Trigger::schema(schemas)
    }

    fn expected() -> Option<&'static str> {
        Some("an object such as { \"at\": \"5s\" } or { \"happened\": \"BatchAppended\" }")
    }
}

impl Happened {
    fn when(self, reader: &mut Reader<'_>) -> Option<When> {
        let pattern = pattern(self.kind, self.tests.as_ref(), Roles::Known, reader)?;
        let mut wrong = |key: &str, place, problem: String, expected: &str| {
            let diagnostic = Diagnostic::error(place, problem).expected(expected);
            reader.within(key, |reader| reader.report(diagnostic));
            None
        };
        if let Some(At { value: 0, place }) = self.nth {
            return wrong("nth", place, "0".to_owned(), "a number from 1 on");
        }
        match (self.odds, self.limit) {
            (Some(odds), Some(limit)) => {
                let beside = [
                    ("nth", self.nth.map(|nth| nth.place)),
                    ("repeat", self.repeat.map(|repeat| repeat.place)),
                ];
                let clash = beside.into_iter().find_map(|(key, place)| Some((key, place?)));
                if let Some((key, place)) = clash {
                    let problem = format!("\"{key}\" beside \"odds\"");
                    return wrong(key, place, problem, "one of the two");
                }
                Some(When::Odds { pattern, odds: odds.value, limit: limit.value })
            }
            (Some(odds), None) => {
                let problem = "odds without a limit".to_owned();
                wrong("odds", odds.place, problem, "a \"limit\" beside them: how often at most")
            }
            (None, Some(limit)) => {
                wrong("limit", limit.place, "a limit without odds".to_owned(), "\"odds\" beside it")
            }
            (None, None) => {
                let nth = self.nth.map_or(1, |nth| nth.value);
                let repeat = self.repeat.map_or(Repeat::Once, |repeat| repeat.value);
                Some(When::Happened { pattern, nth, repeat })
            }
        }
    }
}
