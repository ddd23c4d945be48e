//! The JSON Schema of the format, for editors.

use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

/// The definitions of a schema.
#[derive(Debug, Default)]
pub(crate) struct Schemas {
    definitions: BTreeMap<String, Json>,
}

impl Schemas {
    /// A reference to a definition, which is built if it is not there yet.
    pub(crate) fn define(&mut self, name: &str, build: impl FnOnce(&mut Self) -> Json) -> Json {
        if !self.definitions.contains_key(name) {
            // It stands for itself while it is built, so that definitions may be recursive.
            self.definitions.insert(name.to_owned(), Json::Null);
            let built = build(self);
            self.definitions.insert(name.to_owned(), built);
        }
        json!({ "$ref": format!("#/$defs/{name}") })
    }
}

/// The JSON Schema of scenario files.
pub fn schema() -> Json {
    use crate::form::Form;
    let mut schemas = Schemas::default();
    let root = crate::format::Scenario::schema(&mut schemas);
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "inflight scenario",
        "$defs": schemas.definitions,
    });
    if let (Some(schema), Some(root)) = (schema.as_object_mut(), root.as_object()) {
        schema.extend(root.clone());
    }
    schema
}

/// A documentation comment as one line.
pub(crate) fn sentence(doc: &str) -> String {
    doc.trim().to_owned()
}

/// The schema of an object.
pub(crate) struct ObjectSchema {
    doc: &'static str,
    properties: Map<String, Json>,
    required: Vec<&'static str>,
}

impl ObjectSchema {
    pub(crate) fn new(doc: &'static str) -> Self {
        Self { doc, properties: Map::new(), required: Vec::new() }
    }

    /// Adds a key.
    pub(crate) fn key(
        &mut self,
        key: &'static str,
        doc: &str,
        mut value: Json,
        required: bool,
        default: Option<&str>,
    ) {
        if let Some(value) = value.as_object_mut() {
            value.insert("description".to_owned(), sentence(doc).into());
            if let Some(default) = default.and_then(|text| serde_json::from_str(text).ok()) {
                value.insert("default".to_owned(), default);
            }
        }
        self.properties.insert(key.to_owned(), value);
        if required {
            self.required.push(key);
        }
    }

    pub(crate) fn finish(self) -> Json {
        json!({
            "type": "object",
            "description": sentence(self.doc),
            "properties": self.properties,
            "required": self.required,
            "additionalProperties": false,
        })
    }
}

/// Any of several schemas.
pub(crate) fn any_of(doc: &str, schemas: impl IntoIterator<Item = Json>) -> Json {
    let schemas: Vec<Json> = schemas.into_iter().collect();
    json!({ "description": sentence(doc), "anyOf": schemas })
}

/// One of several words, each with its meaning.
pub(crate) fn words<'a>(doc: &str, words: impl IntoIterator<Item = (&'a str, &'a str)>) -> Json {
    let word = |(word, doc)| json!({ "const": word, "description": sentence(doc) });
    let words: Vec<Json> = words.into_iter().map(word).collect();
    json!({ "description": sentence(doc), "oneOf": words })
}

/// A text of a certain form.
pub(crate) fn text(doc: &str, pattern: Option<&str>, examples: &[&str]) -> Json {
    let mut schema = json!({
        "type": "string",
        "description": sentence(doc),
        "examples": examples,
    });
    if let (Some(schema), Some(pattern)) = (schema.as_object_mut(), pattern) {
        schema.insert("pattern".to_owned(), pattern.into());
    }
    schema
}
