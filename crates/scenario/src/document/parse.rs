//! From text to tree.

use super::{Member, Node, Value};
use crate::diagnostic::Diagnostic;
use crate::source::{Place, SourceId};
use jsonc_parser::ast;
use jsonc_parser::common::Ranged;
use jsonc_parser::errors::ParseError;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

/// JSON with comments and trailing commas, and nothing else that other parsers may let pass.
const OPTIONS: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_trailing_commas: true,
    allow_loose_object_property_names: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// Reads a text. A mark of the byte order in front is passed over.
pub(crate) fn parse(source: SourceId, text: &str) -> Result<Node, Box<Diagnostic>> {
    let skipped = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let tree = Tree { source, skipped, end: text.len() };
    let parsed = parse_to_ast(&text[skipped..], &CollectOptions::default(), &OPTIONS)
        .map_err(|error| tree.error(&error))?;
    match parsed.value {
        Some(value) => Ok(tree.node(&value)),
        None => {
            let place = Place::new(source, text.len(), text.len());
            Err(Diagnostic::error(place, "the text is empty").expected("an object in JSON").into())
        }
    }
}

struct Tree {
    source: SourceId,
    skipped: usize,
    end: usize,
}

impl Tree {
    fn place(&self, ranged: &impl Ranged) -> Place {
        Place::new(self.source, ranged.start() + self.skipped, ranged.end() + self.skipped)
    }

    fn error(&self, error: &ParseError) -> Box<Diagnostic> {
        let range = error.range();
        let start = (range.start + self.skipped).min(self.end);
        let end = (range.end + self.skipped).clamp(start, self.end);
        let sentence = error.kind().to_string();
        let mut letters = sentence.chars();
        let first = letters.next().map(|first| first.to_ascii_lowercase());
        let text: String = first.into_iter().chain(letters).collect();
        Diagnostic::error(Place::new(self.source, start, end), format!("not JSON: {text}")).into()
    }

    fn node(&self, value: &ast::Value<'_>) -> Node {
        let place = self.place(value);
        let value = match value {
            ast::Value::StringLit(text) => Value::Text(text.value.clone().into_owned()),
            ast::Value::NumberLit(number) => Value::Number(number.value.to_owned()),
            ast::Value::BooleanLit(truth) => Value::Bool(truth.value),
            ast::Value::NullKeyword(_) => Value::Null,
            ast::Value::Array(array) => {
                Value::List(array.elements.iter().map(|element| self.node(element)).collect())
            }
            ast::Value::Object(object) => {
                let member = |property: &ast::ObjectProp<'_>| Member {
                    key: property.name.as_str().to_owned(),
                    key_place: self.place(&property.name),
                    node: self.node(&property.value),
                };
                Value::Object(object.properties.iter().map(member).collect())
            }
        };
        Node { place, value }
    }
}
