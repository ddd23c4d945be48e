//! What can be wrong with a file, where, and what was expected.

use std::fmt;

/// A file that cannot be read as a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// The line, from 1.
    pub line: u64,
    /// The column, from 1, where it is known.
    pub column: Option<usize>,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The bytes could not be read.
    Input(String),
    /// The bytes are not UTF-8.
    NotText,
    /// The text is not JSON, or not an object.
    NotJson(String),
    /// The file does not begin with a description.
    NoDescription,
    /// The description does not hold together.
    Description(String),
    /// The file ends without its last line.
    NoEnding,
    /// The last line is malformed.
    Ending(String),
    /// Something stands behind the last line.
    AfterEnding,
    /// The last line counts other facts than there are.
    FactCount {
        /// How many there are.
        found: u64,
        /// How many it says.
        expected: u64,
    },
    /// There is no such fact.
    UnknownFact {
        /// What stands there.
        found: String,
        /// The nearest name.
        nearest: Option<String>,
    },
    /// The fact has no such key.
    UnknownKey {
        /// The fact.
        fact: &'static str,
        /// The key.
        key: String,
        /// The nearest key.
        nearest: Option<String>,
    },
    /// A key is missing.
    MissingKey {
        /// The key.
        key: &'static str,
        /// What belongs there.
        expected: String,
    },
    /// A value is of another type or out of range.
    WrongValue {
        /// The key.
        key: &'static str,
        /// What stands there.
        found: String,
        /// What belongs there.
        expected: String,
        /// The nearest valid value.
        nearest: Option<String>,
    },
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(column) = self.column {
            write!(f, ", column {column}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(error) => write!(f, "cannot read: {error}"),
            Self::NotText => f.write_str("the bytes are not UTF-8"),
            Self::NotJson(error) => write!(f, "not a JSON object: {error}"),
            Self::NoDescription => f.write_str("the first line is no {\"description\":...}"),
            Self::Description(error) => write!(f, "description: {error}"),
            Self::NoEnding => f.write_str("the file ends without its {\"end\":...} line"),
            Self::Ending(error) => write!(f, "end: {error}"),
            Self::AfterEnding => f.write_str("something stands behind the {\"end\":...} line"),
            Self::FactCount { found, expected } => {
                write!(f, "{found} facts, but the last line counts {expected}")
            }
            Self::UnknownFact { found, nearest } => {
                write!(f, "fact: unknown fact {found}")?;
                hint(f, nearest.as_deref())
            }
            Self::UnknownKey { fact, key, nearest } => {
                write!(f, "{fact} has no \"{key}\"")?;
                hint(f, nearest.as_deref())
            }
            Self::MissingKey { key, expected } => write!(f, "{key}: missing, expected {expected}"),
            Self::WrongValue { key, found, expected, nearest } => {
                write!(f, "{key}: {found}, expected {expected}")?;
                hint(f, nearest.as_deref())
            }
        }
    }
}

fn hint(f: &mut fmt::Formatter<'_>, nearest: Option<&str>) -> fmt::Result {
    nearest.map_or(Ok(()), |name| write!(f, "; did you mean \"{name}\"?"))
}

impl std::error::Error for ReadError {}

/// The name nearest to `found`, if it is near enough to be meant.
pub(super) fn nearest<'a>(found: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let wanted = found.to_lowercase();
    let distance = |name: &str| strsim::damerau_levenshtein(&wanted, &name.to_lowercase());
    let scored = names.into_iter().map(|name| (distance(name), name));
    let (distance, name) = scored.min_by_key(|(distance, _)| *distance)?;
    (distance <= 1.max(name.chars().count() / 3)).then(|| name.to_owned())
}
