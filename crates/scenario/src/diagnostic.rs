//! What is wrong with a scenario, where, and what was expected instead.

mod render;

pub use render::Colour;

use crate::source::{Place, Position, Sources};
use serde_json::{Value as Json, json};
use std::fmt;

/// How grave it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The scenario cannot be run.
    Error,
    /// It can, but perhaps not as its author thinks.
    Warning,
}

impl Severity {
    /// The word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How grave it is.
    pub severity: Severity,
    /// Where.
    pub place: Place,
    /// The path of keys that leads there: `faults[0].when.happened`.
    pub path: String,
    /// What was found, without capital and full stop.
    pub problem: String,
    /// What would have been right, to stand behind "expected".
    pub expected: Option<String>,
    /// The nearest valid text, if there is one.
    pub nearest: Option<String>,
    /// What to do, as a sentence.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// An error without a path.
    pub(crate) fn error(place: Place, problem: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            place,
            path: String::new(),
            problem: problem.into(),
            expected: None,
            nearest: None,
            hint: None,
        }
    }

    /// A warning without a path.
    pub(crate) fn warning(place: Place, problem: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(place, problem) }
    }

    pub(crate) fn at_path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    pub(crate) fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    pub(crate) fn nearest(mut self, nearest: Option<impl Into<String>>) -> Self {
        self.nearest = nearest.map(Into::into);
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    /// Without place: `faults[0].when.happened: unknown fact "BatchApended"; did you mean
    /// "BatchAppended"?`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.problem)?;
        if let Some(expected) = &self.expected {
            write!(f, ", expected {expected}")?;
        }
        match &self.nearest {
            Some(nearest) => write!(f, "; did you mean \"{nearest}\"?"),
            None => Ok(()),
        }
    }
}

/// Everything that is wrong with a scenario, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics {
    sources: Sources,
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    pub(crate) fn new(sources: Sources, mut list: Vec<Diagnostic>) -> Self {
        list.sort_by_key(|diagnostic| (diagnostic.severity, diagnostic.place));
        let mut kept: Vec<Diagnostic> = Vec::with_capacity(list.len());
        for diagnostic in list {
            // A piece that is looked at twice says the same twice.
            let same_place = kept.iter().rev().take_while(|one| one.place == diagnostic.place);
            if !same_place.into_iter().any(|one| *one == diagnostic) {
                kept.push(diagnostic);
            }
        }
        let list = kept;
        Self { sources, list }
    }

    /// The texts that places are in.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// One by one.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many of them are errors.
    pub fn errors(&self) -> usize {
        self.list.iter().filter(|one| one.severity == Severity::Error).count()
    }

    /// Where one starts, as line and column.
    pub fn position(&self, diagnostic: &Diagnostic) -> Position {
        self.sources.position(diagnostic.place)
    }

    /// As text for people, with the lines concerned.
    pub fn render(&self, colour: Colour) -> String {
        self.list.iter().map(|one| render::render(&self.sources, one, colour)).collect()
    }

    /// As data for programs: a list of objects.
    pub fn to_json(&self) -> Json {
        let one = |diagnostic: &Diagnostic| {
            let start = self.position(diagnostic);
            let after = Place { start: diagnostic.place.end, ..diagnostic.place };
            let end = self.sources.position(after);
            json!({
                "severity": diagnostic.severity.word(),
                "file": self.sources.name(diagnostic.place),
                "line": start.line,
                "column": start.column,
                "end-line": end.line,
                "end-column": end.column,
                "path": diagnostic.path,
                "problem": diagnostic.problem,
                "expected": diagnostic.expected,
                "nearest": diagnostic.nearest,
                "hint": diagnostic.hint,
            })
        };
        self.list.iter().map(one).collect()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Colour::Off))
    }
}

impl std::error::Error for Diagnostics {}
