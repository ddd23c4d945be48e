//! What a story comes to: the log by offset, and what the application was told.

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What a callback said.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Told {
    /// Delivered, and at which offset if the producer knows it.
    Acked(Option<u64>),
    /// Not delivered: the simple name of the exception's class.
    Failed(String),
}

/// What stands for a marker in a log of messages.
pub(crate) const COMMIT: u64 = 1_000_000;
/// The same.
pub(crate) const ABORT: u64 = 1_000_001;
/// In place of a message: a transaction whose commitTransaction() has failed, by its number.
pub(crate) const FAILED_COMMIT: u64 = 2_000_000;
/// The same for abortTransaction().
pub(crate) const FAILED_ABORT: u64 = 3_000_000;

/// How a story ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Outcome {
    /// The numbers of the messages by offset, for each partition of all topics in order.
    pub(crate) logs: Vec<Vec<u64>>,
    /// What a read_committed consumer gets of each partition, if there are transactions.
    pub(crate) committed: Vec<Vec<u64>>,
    /// What the callbacks of each message said, in order.
    pub(crate) told: BTreeMap<u64, Vec<Told>>,
}

/// How closely outcomes are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Everything: each offset, each callback.
    Exact,
    /// Where it depends on milliseconds how many records a fault meets: see [`Shape`].
    Shape,
}

/// An outcome without its numbers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Shape {
    /// What callbacks said, without offsets, whatever the message.
    told: BTreeSet<Vec<Told>>,
    /// Whether a message is in a log more than once.
    has_duplicates: bool,
    /// Whether a message is somewhere in front of one with a smaller number.
    has_inversions: bool,
    /// How many stretches of messages with numbers in sequence were acked and are in no log.
    stretches_lost: usize,
}

impl Outcome {
    /// Whether two outcomes are the same as far as this class looks.
    pub(crate) fn resembles(&self, other: &Self, class: Class) -> bool {
        match class {
            Class::Exact => self == other,
            Class::Shape => self.shape() == other.shape(),
        }
    }

    /// The outcome without its numbers.
    pub(crate) fn shape(&self) -> Shape {
        let bare = |told: &Told| match told {
            Told::Acked(_) => Told::Acked(None),
            failed @ Told::Failed(_) => failed.clone(),
        };
        let told = self.told.values().map(|told| told.iter().map(bare).collect()).collect();
        let messages: usize = self.logs.iter().map(Vec::len).sum();
        let present: BTreeSet<u64> = self.logs.iter().flatten().copied().collect();
        let is_lost = |message: &u64| {
            let acked = self.told[message].iter().any(|told| matches!(told, Told::Acked(_)));
            acked && !present.contains(message)
        };
        let lost: BTreeSet<u64> = self.told.keys().copied().filter(is_lost).collect();
        let begins = |message: &&u64| **message == 0 || !lost.contains(&(**message - 1));
        Shape {
            told,
            has_duplicates: messages > present.len(),
            has_inversions: self.logs.iter().any(|log| !log.is_sorted()),
            stretches_lost: lost.iter().filter(begins).count(),
        }
    }

    /// As it is recorded.
    pub(crate) fn to_json(&self) -> Value {
        let word = |told: &Told| match told {
            Told::Acked(offset) => json!(offset),
            Told::Failed(error) => json!(error),
        };
        let told = self.told.iter().map(|(message, told)| {
            let words: Vec<Value> = told.iter().map(word).collect();
            (message.to_string(), words)
        });
        let mut json = json!({ "logs": self.logs, "told": told.collect::<BTreeMap<_, _>>() });
        if !self.committed.is_empty() {
            json["committed"] = json!(self.committed);
        }
        json
    }

    /// What was recorded.
    pub(crate) fn from_json(json: &Value) -> Option<Self> {
        let numbers = |log: &Value| log.as_array()?.iter().map(Value::as_u64).collect();
        let word = |word: &Value| match word {
            Value::String(error) => Some(Told::Failed(error.clone())),
            Value::Null => Some(Told::Acked(None)),
            offset => Some(Told::Acked(Some(offset.as_u64()?))),
        };
        let logs = json["logs"].as_array()?.iter().map(numbers).collect::<Option<_>>()?;
        let committed = json["committed"].as_array().into_iter().flatten().map(numbers);
        let committed = committed.collect::<Option<_>>()?;
        let told = json["told"].as_object()?.iter().map(|(message, words)| {
            let words = words.as_array()?.iter().map(word).collect::<Option<_>>()?;
            Some((message.parse().ok()?, words))
        });
        Some(Self { logs, committed, told: told.collect::<Option<_>>()? })
    }
}

#[test]
fn a_shape_forgets_numbers_and_keeps_what_went_wrong() {
    let of = |log: &[u64], acked: u64| {
        let told = (0..acked).map(|message| (message, vec![Told::Acked(Some(message))]));
        Outcome { logs: vec![log.to_vec()], told: told.collect(), ..Outcome::default() }
    };
    let fine = of(&[0, 1, 2], 3);
    assert!(fine.resembles(&of(&[0, 1], 2), Class::Shape));
    assert!(!fine.resembles(&of(&[0, 1], 2), Class::Exact));
    for wrong in [of(&[0, 1, 1, 2], 3), of(&[0, 2, 1], 3), of(&[0, 2], 3)] {
        assert!(!wrong.resembles(&fine, Class::Shape), "{wrong:?}");
    }
    let (one, two) = (of(&[0, 5], 6), of(&[0, 2, 5], 6));
    assert_eq!((one.shape().stretches_lost, two.shape().stretches_lost), (1, 2));
    assert_eq!(Outcome::from_json(&one.to_json()), Some(one));
}
