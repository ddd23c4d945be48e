//! Reads a document piece by piece and goes on after an error, so that all of them are found.

use crate::census::Census;
use crate::diagnostic::{Diagnostic, Severity};
use crate::document::{Node, quoted};
use crate::form::Form;
use crate::nearest::nearest;
use crate::source::{Place, Sources};
use inflight_protocol::TopicConfig;
use std::fmt::Write;
use std::path::PathBuf;

/// What reading needs to know, and what it found.
pub(crate) struct Reader<'c> {
    /// Who and what there is, to resolve names.
    pub(crate) census: &'c Census,
    /// The texts that places are in.
    pub(crate) sources: Sources,
    /// Where relative paths start, if there is a file system.
    pub(crate) directory: Option<PathBuf>,
    /// What topics have that do not say otherwise, once the cluster is read.
    pub(crate) topic_defaults: TopicConfig,
    diagnostics: Vec<Diagnostic>,
    path: Vec<Step>,
}

enum Step {
    Key(String),
    Index(usize),
}

impl<'c> Reader<'c> {
    pub(crate) fn new(census: &'c Census, sources: Sources, directory: Option<PathBuf>) -> Self {
        Self {
            census,
            sources,
            directory,
            topic_defaults: TopicConfig::default(),
            diagnostics: Vec::new(),
            path: Vec::new(),
        }
    }

    pub(crate) fn finish(self) -> (Sources, Vec<Diagnostic>) {
        (self.sources, self.diagnostics)
    }

    /// Whether the scenario cannot be run.
    pub(crate) fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|one| one.severity == Severity::Error)
    }

    /// The path of keys to what is being read.
    pub(crate) fn path(&self) -> String {
        let mut path = String::new();
        for step in &self.path {
            match step {
                Step::Index(index) => {
                    let _ = write!(path, "[{index}]");
                }
                Step::Key(key) if key.contains(['.', ' ', '[']) => {
                    let _ = write!(path, "[{}]", quoted(key));
                }
                Step::Key(key) => {
                    path.push_str(if path.is_empty() { "" } else { "." });
                    path.push_str(key);
                }
            }
        }
        path
    }

    /// Notes a diagnostic, at the path of what is being read unless it has one.
    pub(crate) fn report(&mut self, mut diagnostic: Diagnostic) {
        if diagnostic.path.is_empty() {
            diagnostic.path = self.path();
        }
        self.diagnostics.push(diagnostic);
    }

    /// Notes that a value is not what belongs there.
    pub(crate) fn mismatch(&mut self, node: &Node, expected: impl Into<String>) {
        self.report(Diagnostic::error(node.place, node.describe()).expected(expected));
    }

    /// Notes that a word is none of those that may stand there.
    pub(crate) fn unknown<'a>(
        &mut self,
        (place, noun, found): (Place, &str, &str),
        names: impl IntoIterator<Item = &'a str> + Clone,
    ) {
        let near = nearest(found, names.clone());
        let mut diagnostic = Diagnostic::error(place, format!("unknown {noun} {}", quoted(found)));
        if near.is_none() {
            diagnostic = diagnostic.expected(one_of(names));
        }
        self.report(diagnostic.nearest(near));
    }

    /// Reads what belongs to a key.
    pub(crate) fn within<T>(&mut self, key: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(Step::Key(key.to_owned()));
        let value = read(self);
        self.path.pop();
        value
    }

    /// Reads an element of a list.
    pub(crate) fn at<T>(&mut self, index: usize, read: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(Step::Index(index));
        let value = read(self);
        self.path.pop();
        value
    }

    /// The members of an object that may have these keys. Others are reported.
    pub(crate) fn object<'n>(&mut self, node: &'n Node, keys: &[&str]) -> Option<Members<'n>> {
        let Some(members) = node.members() else {
            self.mismatch(node, "an object");
            return None;
        };
        let mut meant = Vec::new();
        for (index, member) in members.iter().enumerate() {
            if members[..index].iter().any(|before| before.key == member.key) {
                let problem = format!("{} stands here twice", quoted(&member.key));
                self.within(&member.key, |reader| {
                    reader.report(Diagnostic::error(member.key_place, problem));
                });
            } else if !keys.contains(&member.key.as_str()) {
                meant.extend(nearest(&member.key, keys.iter().copied()).map(str::to_owned));
                self.within(&member.key, |reader| {
                    let found = (member.key_place, "key", member.key.as_str());
                    reader.unknown(found, keys.iter().copied());
                });
            }
        }
        Some(Members { node, meant })
    }
}

/// The members of an object whose keys were checked.
pub(crate) struct Members<'n> {
    node: &'n Node,
    /// The keys that others were probably meant to be, which has been said.
    meant: Vec<String>,
}

impl Members<'_> {
    /// The value of a key that must be there.
    pub(crate) fn required<T: Form>(&self, key: &str, reader: &mut Reader<'_>) -> Option<T> {
        if let Some(node) = self.node.get(key) {
            return reader.within(key, |reader| T::read(node, reader));
        }
        if self.meant.iter().any(|meant| meant == key) {
            return None;
        }
        let opening = Place { end: self.node.place.start + 1, ..self.node.place };
        let mut missing = Diagnostic::error(opening, format!("{} is missing", quoted(key)));
        if let Some(expected) = T::expected() {
            missing = missing.expected(expected);
        }
        reader.report(missing);
        None
    }

    /// The value of a key that may be there. `None` if it is there and wrong.
    pub(crate) fn optional<T: Form>(
        &self,
        key: &str,
        reader: &mut Reader<'_>,
    ) -> Option<Option<T>> {
        match self.node.get(key) {
            None => Some(None),
            Some(node) => reader.within(key, |reader| T::read(node, reader)).map(Some),
        }
    }

    /// The value of a key, or what stands for it if it is absent, in JSON.
    pub(crate) fn or<T: Form>(
        &self,
        key: &str,
        default: &str,
        reader: &mut Reader<'_>,
    ) -> Option<T> {
        match self.node.get(key) {
            Some(node) => reader.within(key, |reader| T::read(node, reader)),
            None => {
                let mut node = crate::document::parse(self.node.place.source, default).ok()?;
                node.place = self.node.place;
                reader.within(key, |reader| T::read(&node, reader))
            }
        }
    }
}

/// Names as they stand behind "expected".
pub(crate) fn one_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const MAX: usize = 12;
    let names: Vec<&str> = names.into_iter().collect();
    match names.as_slice() {
        [] => "nothing here".to_owned(),
        [only] => format!("\"{only}\""),
        [first @ .., last] if names.len() <= MAX => {
            format!("{} or {last}", first.join(", "))
        }
        _ => format!("one of {}, …", names[..MAX].join(", ")),
    }
}
