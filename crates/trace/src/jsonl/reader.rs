//! Reads a run, line by line.

use super::error::{Problem, ReadError, nearest};
use super::{Ending, value};
use crate::description::Description;
use crate::names::Names;
use inflight_des::Instant;
use inflight_protocol::fact::FieldType;
use inflight_protocol::{Fact, FactKind};
use serde_json::{Map, Value as Json};
use std::io::BufRead;

/// Reads facts from JSON Lines. Any bytes at all give facts or an error.
#[derive(Debug)]
pub struct Reader<R: BufRead> {
    from: R,
    description: Description,
    names: Names,
    ending: Option<Ending>,
    facts: u64,
    line: u64,
    text: Vec<u8>,
}

impl<R: BufRead> Reader<R> {
    /// A reader that has read the first line.
    pub fn new(from: R) -> Result<Self, ReadError> {
        let (description, names, text) = (Description::default(), Names::default(), Vec::new());
        let mut reader = Self { from, description, names, ending: None, facts: 0, line: 0, text };
        let Some(mut object) = reader.next_object()? else {
            return Err(reader.error(Problem::NoDescription));
        };
        let Some(description) = object.remove("description") else {
            return Err(reader.error(Problem::NoDescription));
        };
        if let Some(key) = object.keys().next() {
            return Err(reader.error(Problem::Description(format!("\"{key}\" beside it"))));
        }
        reader.description = serde_json::from_value(description)
            .map_err(|error| reader.error(Problem::Description(error.to_string())))?;
        let valid = reader.description.validate();
        valid.map_err(|error| reader.error(Problem::Description(error.to_string())))?;
        reader.names = Names::new(&reader.description);
        Ok(reader)
    }

    /// What it is a run of.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The next fact, or `None` behind the last.
    pub fn next_fact(&mut self) -> Result<Option<(Instant, Fact)>, ReadError> {
        if self.ending.is_some() {
            return Ok(None);
        }
        let Some(mut object) = self.next_object()? else {
            return Err(self.error(Problem::NoEnding));
        };
        if let Some(ending) = object.remove("end") {
            self.end(ending, &object)?;
            return Ok(None);
        }
        let fact = self.fact(&object)?;
        self.facts += 1;
        Ok(Some(fact))
    }

    /// The description and how the run ended, when all facts were read.
    pub fn finish(mut self) -> Result<(Description, Ending), ReadError> {
        while self.next_fact()?.is_some() {}
        if self.next_object()?.is_some() {
            return Err(self.error(Problem::AfterEnding));
        }
        match self.ending {
            Some(ending) => Ok((self.description, ending)),
            None => Err(ReadError { line: self.line, column: None, problem: Problem::NoEnding }),
        }
    }

    /// The object on the next line. Blank lines do not count.
    fn next_object(&mut self) -> Result<Option<Map<String, Json>>, ReadError> {
        loop {
            self.text.clear();
            self.line += 1;
            let read = self.from.read_until(b'\n', &mut self.text);
            if read.map_err(|error| self.error(Problem::Input(error.to_string())))? == 0 {
                return Ok(None);
            }
            if !self.text.trim_ascii().is_empty() {
                break;
            }
        }
        let Ok(text) = std::str::from_utf8(&self.text) else {
            return Err(self.error(Problem::NotText));
        };
        serde_json::from_str(text).map(Some).map_err(|error| {
            let problem = Problem::NotJson(error.to_string());
            ReadError { line: self.line, column: Some(error.column().max(1)), problem }
        })
    }

    fn end(&mut self, ending: Json, rest: &Map<String, Json>) -> Result<(), ReadError> {
        if let Some(key) = rest.keys().next() {
            return Err(self.error(Problem::Ending(format!("\"{key}\" beside it"))));
        }
        let ending: Ending = serde_json::from_value(ending)
            .map_err(|error| self.error(Problem::Ending(error.to_string())))?;
        let (found, expected) = (self.facts, ending.facts);
        if found != expected {
            return Err(self.error(Problem::FactCount { found, expected }));
        }
        self.ending = Some(ending);
        Ok(())
    }

    fn fact(&self, object: &Map<String, Json>) -> Result<(Instant, Fact), ReadError> {
        let at = self.given(object, "at", FieldType::Span)?;
        let Some(nanos) = at.as_u64() else {
            return Err(self.wrong(at, "at", FieldType::Span));
        };
        let name = self.given(object, "fact", FieldType::Word(&[]))?;
        let Some(kind) = name.as_str().and_then(FactKind::from_name) else {
            let names = FactKind::ALL.iter().map(|kind| kind.name());
            let nearest = nearest(name.as_str().unwrap_or_default(), names);
            let problem = Problem::UnknownFact { found: shortened(name), nearest };
            return Err(self.error_at("fact", problem));
        };
        self.known_keys(object, kind)?;
        let mut failed = None;
        let fact = Fact::from_fields(kind, |name, field| {
            let key = value::key(name);
            let read = self.given(object, key, field).and_then(|json| {
                value::read(json, &self.names, field).ok_or_else(|| self.wrong(json, key, field))
            });
            read.map_err(|error| failed = Some(error)).ok()
        });
        fact.map(|fact| (Instant::from_nanos(nanos), fact)).map_err(|name| {
            failed.unwrap_or_else(|| {
                let field = kind.fields().iter().find(|field| field.name == name);
                let field_type = field.map_or(FieldType::Number, |field| field.field_type);
                let key = value::key(name);
                self.wrong(object.get(key).unwrap_or(&Json::Null), key, field_type)
            })
        })
    }

    /// Refuses keys that the kind does not have.
    fn known_keys(&self, object: &Map<String, Json>, kind: FactKind) -> Result<(), ReadError> {
        let names = || kind.fields().iter().map(|f| value::key(f.name)).chain(["at", "fact"]);
        match object.keys().find(|key| names().all(|name| name != *key)) {
            None => Ok(()),
            Some(key) => {
                let nearest = nearest(key, names());
                let problem = Problem::UnknownKey { fact: kind.name(), key: key.clone(), nearest };
                Err(self.error_at(key, problem))
            }
        }
    }

    fn given<'a>(
        &self,
        object: &'a Map<String, Json>,
        key: &'static str,
        field: FieldType,
    ) -> Result<&'a Json, ReadError> {
        let expected = || match key {
            "fact" => "the name of a fact".to_owned(),
            _ => value::expected(field),
        };
        let missing = || self.error(Problem::MissingKey { key, expected: expected() });
        object.get(key).ok_or_else(missing)
    }

    fn wrong(&self, found: &Json, key: &'static str, field: FieldType) -> ReadError {
        let problem = Problem::WrongValue {
            key,
            found: shortened(found),
            expected: value::expected(field),
            nearest: value::suggestion(found, &self.names, field),
        };
        self.error_at(key, problem)
    }

    fn error(&self, problem: Problem) -> ReadError {
        ReadError { line: self.line, column: None, problem }
    }

    /// An error at the place where a key stands in the line.
    fn error_at(&self, key: &str, problem: Problem) -> ReadError {
        let text = String::from_utf8_lossy(&self.text);
        let place = text.find(&format!("\"{key}\""));
        let column = place.map(|bytes| text[..bytes].chars().count() + 1);
        ReadError { line: self.line, column, problem }
    }
}

/// A value as it stands in the file, but not more than fits into a message.
fn shortened(json: &Json) -> String {
    const MAX: usize = 60;
    let text = json.to_string();
    if text.chars().count() <= MAX {
        return text;
    }
    text.chars().take(MAX).chain(std::iter::once('…')).collect()
}
