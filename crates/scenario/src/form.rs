//! The shape of a piece of the file: how it is read, and its schema. Both come from one table.
//!
//! [`object!`] declares the keys of an object, [`choice!`] objects that are told apart by a key,
//! [`words!`] a closed set of words.

use crate::document::{Node, Value};
use crate::read::Reader;
use crate::schema::Schemas;
use crate::source::Place;
use serde_json::{Value as Json, json};

/// A piece of the file.
pub(crate) trait Form: Sized {
    /// Reads it. What is wrong is reported; `None` if nothing can be made of it.
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self>;

    /// Its JSON Schema.
    fn schema(schemas: &mut Schemas) -> Json;

    /// What it is, to stand behind "expected", where a sentence says more than the schema.
    fn expected() -> Option<&'static str> {
        None
    }
}

/// A piece with its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) place: Place,
}

impl<T: Form> Form for At<T> {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self { value: T::read(node, reader)?, place: node.place })
    }

    fn schema(schemas: &mut Schemas) -> Json {
        T::schema(schemas)
    }

    fn expected() -> Option<&'static str> {
        T::expected()
    }
}

/// Any piece, to be read later.
impl Form for Node {
    fn read(node: &Node, _: &mut Reader<'_>) -> Option<Self> {
        Some(node.clone())
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({})
    }
}

/// A list. Elements that cannot be read are reported and left out.
impl<T: Form> Form for Vec<T> {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(elements) = node.elements() else {
            reader.mismatch(node, "a list");
            return None;
        };
        let read = elements.iter().enumerate();
        let read = read.map(|(index, node)| reader.at(index, |reader| T::read(node, reader)));
        Some(read.collect::<Vec<_>>().into_iter().flatten().collect())
    }

    fn schema(schemas: &mut Schemas) -> Json {
        json!({ "type": "array", "items": T::schema(schemas) })
    }

    fn expected() -> Option<&'static str> {
        Some("a list")
    }
}

/// A list with something in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NonEmpty<T>(pub(crate) Vec<T>);

impl<T: Form> Form for NonEmpty<T> {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if node.elements().is_some_and(|elements| elements.is_empty()) {
            reader.mismatch(node, "at least one element");
            return None;
        }
        Vec::read(node, reader).map(Self)
    }

    fn schema(schemas: &mut Schemas) -> Json {
        json!({ "type": "array", "items": T::schema(schemas), "minItems": 1 })
    }
}

/// One of something, or a list of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OneOrMore<T>(pub(crate) Vec<T>);

impl<T: Form> Form for OneOrMore<T> {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match node.value {
            Value::List(ref elements) if elements.is_empty() => {
                reader.mismatch(node, "at least one element");
                None
            }
            Value::List(_) => Vec::read(node, reader).map(Self),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Object(_) => {
                T::read(node, reader).map(|one| Self(vec![one]))
            }
        }
    }

    fn schema(schemas: &mut Schemas) -> Json {
        let one = T::schema(schemas);
        json!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
    }

    fn expected() -> Option<&'static str> {
        T::expected()
    }
}

impl Form for String {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = node.as_text();
        if text.is_none() {
            reader.mismatch(node, "a text in quotation marks");
        }
        text.map(str::to_owned)
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "type": "string" })
    }

    fn expected() -> Option<&'static str> {
        Some("a text")
    }
}

impl Form for bool {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match node.value {
            Value::Bool(truth) => Some(truth),
            Value::Null | Value::Number(_) | Value::Text(_) | Value::List(_) | Value::Object(_) => {
                reader.mismatch(node, "true or false");
                None
            }
        }
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "type": "boolean" })
    }

    fn expected() -> Option<&'static str> {
        Some("true or false")
    }
}

macro_rules! whole_numbers {
    ($($type:ident $expected:literal;)*) => {$(
        impl Form for $type {
            fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
                let number = node.as_number().and_then(|number| number.parse().ok());
                if number.is_none() {
                    reader.mismatch(node, $expected);
                }
                number
            }

            fn schema(_: &mut Schemas) -> Json {
                json!({ "type": "integer", "minimum": $type::MIN, "maximum": $type::MAX })
            }

            fn expected() -> Option<&'static str> {
                Some($expected)
            }
        }
    )*};
}

whole_numbers! {
    u8 "a whole number from 0 to 255";
    u16 "a whole number from 0 to 65535";
    u32 "a whole number from 0 to 4294967295";
    u64 "a whole number from 0 on";
}

/// Declares an object: its keys with their documentation, types, and what stands for absent ones.
///
/// A key is `required`, `optional`, or has a `default`, which is written in JSON.
macro_rules! object {
    (@type required $type:ty) => { $type };
    (@type optional $type:ty) => { Option<$type> };
    (@type default $type:ty) => { $type };
    (@read required $members:ident $reader:ident $key:literal) => {
        $members.required($key, $reader)
    };
    (@read optional $members:ident $reader:ident $key:literal) => {
        $members.optional($key, $reader)
    };
    (@read default $members:ident $reader:ident $key:literal $default:literal) => {
        $members.or($key, $default, $reader)
    };
    (
        $(#[doc = $doc:literal])+
        struct $name:ident {
            $(
                $(#[doc = $key_doc:literal])+
                $key:literal $field:ident: $mode:ident $type:ty $(= $default:literal)?,
            )*
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug)]
        pub(crate) struct $name {
            $( $(#[doc = $key_doc])+ pub(crate) $field: object!(@type $mode $type), )*
        }

        impl $crate::form::Form for $name {
            fn read(
                node: &$crate::document::Node,
                reader: &mut $crate::read::Reader<'_>,
            ) -> Option<Self> {
                let members = reader.object(node, &[$($key),*])?;
                $( let $field = object!(@read $mode members reader $key $($default)?); )*
                Some(Self { $($field: $field?),* })
            }

            fn schema(schemas: &mut $crate::schema::Schemas) -> serde_json::Value {
                schemas.define(stringify!($name), |schemas| {
                    let mut object = $crate::schema::ObjectSchema::new(concat!($($doc),+));
                    $(
                        let value = <$type as $crate::form::Form>::schema(schemas);
                        let default: Option<&str> = None $(.or(Some($default)))?;
                        let required = stringify!($mode) == "required";
                        object.key($key, concat!($($key_doc),+), value, required, default);
                    )*
                    object.finish()
                })
            }
        }
    };
}

/// Declares objects that are told apart by which of some keys they have.
macro_rules! choice {
    (
        $(#[doc = $doc:literal])+
        enum $name:ident {
            $( $key:literal $variant:ident($type:ty), )*
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug)]
        pub(crate) enum $name {
            $( #[doc = concat!("It has `", $key, "`.")] $variant($type), )*
        }

        impl $name {
            /// The keys that tell them apart.
            pub(crate) const KEYS: &'static [&'static str] = &[$($key),*];
        }

        impl $crate::form::Form for $name {
            fn read(
                node: &$crate::document::Node,
                reader: &mut $crate::read::Reader<'_>,
            ) -> Option<Self> {
                match $crate::form::telling_key(node, Self::KEYS, reader)? {
                    $(
                        $key => <$type as $crate::form::Form>::read(node, reader)
                            .map(Self::$variant),
                    )*
                    _ => None,
                }
            }

            fn schema(schemas: &mut $crate::schema::Schemas) -> serde_json::Value {
                schemas.define(stringify!($name), |schemas| {
                    let any = [$(<$type as $crate::form::Form>::schema(schemas)),*];
                    $crate::schema::any_of(concat!($($doc),+), any)
                })
            }
        }
    };
}

/// Declares words for the values of a type.
macro_rules! words {
    (
        $(#[doc = $doc:literal])+
        $noun:literal for $type:ty {
            $( $(#[doc = $word_doc:literal])+ $word:literal => $value:expr, )*
        }
    ) => {
        impl $crate::form::Worded for $type {
            const WORDS: &'static [(&'static str, Self)] = &[$(($word, $value)),*];
        }

        impl $crate::form::Form for $type {
            fn read(
                node: &$crate::document::Node,
                reader: &mut $crate::read::Reader<'_>,
            ) -> Option<Self> {
                use $crate::form::Worded;
                let words: &[&'static str] = &[$($word),*];
                let word = $crate::form::word(node, $noun, words, reader)?;
                Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, value)| *value)
            }

            fn schema(_: &mut $crate::schema::Schemas) -> serde_json::Value {
                let words = [$(($word, concat!($($word_doc),+))),*];
                $crate::schema::words(concat!($($doc),+), words)
            }

            fn expected() -> Option<&'static str> {
                Some(concat!("one of" $(, " \"", $word, "\"")*))
            }
        }
    };
}

/// A type whose values are the words of [`words!`].
pub(crate) trait Worded: Copy + PartialEq + 'static {
    /// The words with their values.
    const WORDS: &'static [(&'static str, Self)];

    /// The word for a value.
    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, value)| *value == self).map_or("", |(word, _)| word)
    }
}

/// The one of `keys` that an object has. Anything else is reported.
pub(crate) fn telling_key(
    node: &Node,
    keys: &'static [&'static str],
    reader: &mut Reader<'_>,
) -> Option<&'static str> {
    use crate::diagnostic::Diagnostic;
    use crate::read::one_of;
    let Some(members) = node.members() else {
        reader.mismatch(node, format!("an object with {}", one_of(keys.iter().copied())));
        return None;
    };
    let found = |key: &&&str| members.iter().any(|member| member.key == **key);
    let mut present = keys.iter().filter(found);
    match (present.next(), present.next()) {
        (Some(key), None) => return Some(key),
        (Some(one), Some(other)) => {
            let problem = format!("both \"{one}\" and \"{other}\"");
            reader.report(Diagnostic::error(node.place, problem).expected("one of them"));
        }
        (None, _) => match members.first() {
            Some(first) => {
                let found = (first.key_place, "key", first.key.as_str());
                reader.unknown(found, keys.iter().copied());
            }
            None => reader.mismatch(node, format!("{} in it", one_of(keys.iter().copied()))),
        },
    }
    None
}

/// A word of a closed set.
pub(crate) fn word(
    node: &Node,
    noun: &str,
    words: &[&'static str],
    reader: &mut Reader<'_>,
) -> Option<&'static str> {
    let Some(text) = node.as_text() else {
        reader.mismatch(node, crate::read::one_of(words.iter().copied()));
        return None;
    };
    let known = words.iter().find(|word| **word == text);
    if known.is_none() {
        reader.unknown((node.place, noun, text), words.iter().copied());
    }
    known.copied()
}
