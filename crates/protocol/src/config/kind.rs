//! The types of settings, and how a text becomes a value of one.

use super::error::Rule;
use super::nearest;

/// The type of a key. Kafka: ConfigDef.Type with its ConfigDef.Validator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number of 32 bits.
    Int(Range),
    /// A whole number of 64 bits.
    Long(Range),
    /// A number from 0 to 1, with a fraction.
    Ratio,
    /// `true` or `false`, in any case.
    Bool,
    /// Any text.
    Text,
    /// Any text but the empty one.
    NonEmptyText,
    /// One of these words.
    Enum(&'static [&'static str]),
    /// One of these words, in any case.
    EnumInAnyCase(&'static [&'static str]),
    /// Words separated by commas.
    List(Elements),
    /// The name of a Java class.
    Class,
}

/// The legal numbers of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The least.
    pub min: i64,
    /// The greatest.
    pub max: i64,
    /// One more that is legal although it is outside.
    pub also: Option<i64>,
    /// Who sets the limits.
    pub limits: Limits,
}

/// Who sets the limits of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limits {
    /// Kafka refuses what is outside.
    Kafka,
    /// Kafka checks nothing, the simulator has no use for what is outside.
    Simulator,
}

/// The legal elements of a list. Kafka: ConfigDef.ValidList.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elements {
    /// Any, or none at all.
    Any,
    /// Any, but at least one.
    AtLeastOne,
    /// Some of these.
    Of(&'static [&'static str]),
}

impl Range {
    /// No limits but those of the type.
    pub const ALL: Self = Self { min: i64::MIN, max: i64::MAX, also: None, limits: Limits::Kafka };

    /// From `min`.
    pub const fn at_least(min: i64) -> Self {
        Self { min, ..Self::ALL }
    }

    /// From `min` to `max` inclusive.
    pub const fn between(min: i64, max: i64) -> Self {
        Self { min, max, ..Self::ALL }
    }

    /// From `min`, for a key that Kafka does not check.
    pub const fn useful_from(min: i64) -> Self {
        Self { min, limits: Limits::Simulator, ..Self::ALL }
    }

    /// With one legal value more.
    #[must_use]
    pub const fn or(self, value: i64) -> Self {
        Self { also: Some(value), ..self }
    }

    /// Whether `number` is legal.
    pub fn contains(&self, number: i64) -> bool {
        (self.min..=self.max).contains(&number) || self.also == Some(number)
    }

    const fn within(self, low: i64, high: i64) -> Self {
        let min = if self.min < low { low } else { self.min };
        let max = if self.max > high { high } else { self.max };
        Self { min, max, ..self }
    }

    fn sentence(&self, bits: u32) -> String {
        let mut text = match (self.min, self.max) {
            (i64::MIN, i64::MAX) => format!("a whole number of {bits} bits"),
            (min, i64::MAX) => format!("a whole number of at least {min}"),
            (min, max) => format!("a whole number from {min} to {max}"),
        };
        if let Some(also) = self.also {
            text.push_str(&format!(", or {also}"));
        }
        match self.limits {
            Limits::Kafka => {}
            Limits::Simulator => text.push_str(" in the simulator"),
        }
        text
    }
}

/// A text that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// A number.
    Number(i64),
    /// A truth value.
    Flag(bool),
    /// Anything else, trimmed.
    Text(String),
}

/// Why a text was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misfit {
    /// [`Rule::Type`] or [`Rule::Range`].
    pub(crate) rule: Rule,
    /// The nearest legal text.
    pub(crate) nearest: Option<String>,
}

/// The text as Kafka reads it: without the characters up to U+0020 at its ends. Java: String.trim.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(|c| c <= ' ')
}

impl Kind {
    /// Its name: `int`, `long`, `double`, `bool`, `string`, `enum`, `list`, `class`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Int(_) => "int",
            Self::Long(_) => "long",
            Self::Ratio => "double",
            Self::Bool => "bool",
            Self::Text | Self::NonEmptyText => "string",
            Self::Enum(_) | Self::EnumInAnyCase(_) => "enum",
            Self::List(_) => "list",
            Self::Class => "class",
        }
    }

    /// The legal values in words, to go after "expected".
    pub fn legal(&self) -> String {
        match self {
            Self::Int(range) => {
                let all = *range == Range::ALL;
                let range = range.within(i32::MIN.into(), i32::MAX.into());
                if all { Range::ALL.sentence(32) } else { range.sentence(32) }
            }
            Self::Long(range) => range.sentence(64),
            Self::Ratio => "a number from 0 to 1".to_owned(),
            Self::Bool => "true or false".to_owned(),
            Self::Text => "any text".to_owned(),
            Self::NonEmptyText => "a text that is not empty".to_owned(),
            Self::Enum(words) => format!("one of {}", words.join(", ")),
            Self::EnumInAnyCase(words) => format!("one of {}, in any case", words.join(", ")),
            Self::List(Elements::Any) => "a list with commas, without empty elements".to_owned(),
            Self::List(Elements::AtLeastOne) => "a list with commas, not empty".to_owned(),
            Self::List(Elements::Of(words)) => format!("a list of {}", words.join(", ")),
            Self::Class => "the name of a class".to_owned(),
        }
    }

    /// Who objects to a value outside [`Kind::legal`].
    pub const fn limits(&self) -> Limits {
        match self {
            Self::Int(range) | Self::Long(range) => range.limits,
            Self::Ratio | Self::Bool | Self::Text | Self::NonEmptyText => Limits::Kafka,
            Self::Enum(_) | Self::EnumInAnyCase(_) | Self::List(_) | Self::Class => Limits::Kafka,
        }
    }

    /// Reads a text. Kafka: ConfigDef.parseType and the key's validator. Digits are those of ASCII,
    /// while Java takes those of every script.
    pub(crate) fn read(&self, text: &str) -> Result<Value, Misfit> {
        let text = trim(text);
        match self {
            Self::Int(range) => {
                let range = range.within(i32::MIN.into(), i32::MAX.into());
                read_number(text, range, |text| text.parse::<i32>().ok().map(i64::from))
            }
            Self::Long(range) => read_number(text, *range, |text| text.parse().ok()),
            Self::Ratio => match text.parse::<f64>() {
                Ok(number) if !(0.0..=1.0).contains(&number) => {
                    Err(Misfit { rule: Rule::Range, nearest: None })
                }
                Ok(_) => Ok(Value::Text(text.to_owned())),
                Err(_) => Err(Misfit { rule: Rule::Type, nearest: None }),
            },
            Self::Bool => read_bool(text),
            Self::Text | Self::Class => Ok(Value::Text(text.to_owned())),
            Self::NonEmptyText if text.is_empty() => {
                Err(Misfit { rule: Rule::Range, nearest: None })
            }
            Self::NonEmptyText => Ok(Value::Text(text.to_owned())),
            Self::Enum(words) => read_word(text, words.iter().find(|word| **word == text), words),
            Self::EnumInAnyCase(words) => {
                let upper = text.to_uppercase();
                read_word(text, words.iter().find(|word| word.to_uppercase() == upper), words)
            }
            Self::List(elements) => read_list(text, *elements),
        }
    }
}

fn read_number(text: &str, range: Range, parse: fn(&str) -> Option<i64>) -> Result<Value, Misfit> {
    match parse(text) {
        Some(number) if range.contains(number) => Ok(Value::Number(number)),
        Some(_) => Err(Misfit { rule: Rule::Range, nearest: None }),
        None => {
            let plain = nearest::plain_number(text);
            let legal = |text: &String| parse(text).is_some_and(|number| range.contains(number));
            Err(Misfit { rule: Rule::Type, nearest: plain.filter(legal) })
        }
    }
}

fn read_bool(text: &str) -> Result<Value, Misfit> {
    if text.eq_ignore_ascii_case("true") {
        return Ok(Value::Flag(true));
    }
    if text.eq_ignore_ascii_case("false") {
        return Ok(Value::Flag(false));
    }
    let nearest = nearest::truth(text).map(str::to_owned);
    Err(Misfit { rule: Rule::Type, nearest })
}

fn read_word(text: &str, found: Option<&&str>, words: &[&'static str]) -> Result<Value, Misfit> {
    match found {
        Some(word) => Ok(Value::Text((*word).to_owned())),
        None => {
            let nearest = nearest::word(text, words.iter().copied()).map(str::to_owned);
            Err(Misfit { rule: Rule::Range, nearest })
        }
    }
}

fn read_list(text: &str, elements: Elements) -> Result<Value, Misfit> {
    let range = |nearest: Option<&str>| {
        Err(Misfit { rule: Rule::Range, nearest: nearest.map(str::to_owned) })
    };
    if text.is_empty() {
        return match elements {
            Elements::Any | Elements::Of(_) => Ok(Value::Text(String::new())),
            Elements::AtLeastOne => range(None),
        };
    }
    for element in text.split(',').map(trim) {
        if element.is_empty() {
            return range(None);
        }
        match elements {
            Elements::Of(words) if !words.contains(&element) => {
                return range(nearest::word(element, words.iter().copied()));
            }
            Elements::Any | Elements::AtLeastOne | Elements::Of(_) => {}
        }
    }
    Ok(Value::Text(text.to_owned()))
}
