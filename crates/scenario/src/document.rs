//! A scenario file as a tree in which every value knows its place.

mod parse;
mod print;

pub(crate) use parse::parse;

use crate::source::Place;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
}

/// A value of JSON. Numbers stay as they are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Node>),
    Object(Vec<Member>),
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) key: String,
    pub(crate) key_place: Place,
    pub(crate) node: Node,
}

impl Node {
    pub(crate) fn text(place: Place, text: impl Into<String>) -> Self {
        Self { place, value: Value::Text(text.into()) }
    }

    pub(crate) fn number(place: Place, number: impl ToString) -> Self {
        Self { place, value: Value::Number(number.to_string()) }
    }

    pub(crate) fn object(place: Place, members: Vec<(&str, Self)>) -> Self {
        let members = members.into_iter().map(|(key, node)| Member {
            key: key.to_owned(),
            key_place: place,
            node,
        });
        Self { place, value: Value::Object(members.collect()) }
    }

    /// The value of a key, if this is an object that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        let members = self.members()?;
        members.iter().find(|member| member.key == key).map(|member| &member.node)
    }

    /// The value of a key, if this is an object that has it.
    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        let Value::Object(members) = &mut self.value else { return None };
        members.iter_mut().find(|member| member.key == key).map(|member| &mut member.node)
    }

    /// The members, if this is an object.
    pub(crate) fn members(&self) -> Option<&[Member]> {
        match &self.value {
            Value::Object(members) => Some(members),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => {
                None
            }
        }
    }

    /// The elements, if this is a list.
    pub(crate) fn elements(&self) -> Option<&[Self]> {
        match &self.value {
            Value::List(elements) => Some(elements),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Object(_) => {
                None
            }
        }
    }

    /// The text, if this is one.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Object(_) => {
                None
            }
        }
    }

    /// The number as it is written, if this is one.
    pub(crate) fn as_number(&self) -> Option<&str> {
        match &self.value {
            Value::Number(number) => Some(number),
            Value::Null | Value::Bool(_) | Value::Text(_) | Value::List(_) | Value::Object(_) => {
                None
            }
        }
    }

    /// Sets a key of an object, in its old place if it has the key.
    pub(crate) fn set(&mut self, key: &str, key_place: Place, node: Self) {
        let Value::Object(members) = &mut self.value else { return };
        let member = Member { key: key.to_owned(), key_place, node };
        match members.iter_mut().find(|member| member.key == key) {
            Some(old) => *old = member,
            None => members.push(member),
        }
    }

    /// Takes a key out of an object.
    pub(crate) fn remove(&mut self, key: &str) -> Option<Self> {
        let Value::Object(members) = &mut self.value else { return None };
        let index = members.iter().position(|member| member.key == key)?;
        Some(members.remove(index).node)
    }

    /// What it is, in words, to stand behind "found".
    pub(crate) fn describe(&self) -> String {
        match &self.value {
            Value::Null => "null".to_owned(),
            Value::Bool(truth) => truth.to_string(),
            Value::Number(number) => number.clone(),
            Value::Text(text) => quoted(text),
            Value::List(elements) if elements.is_empty() => "an empty list".to_owned(),
            Value::List(_) => "a list".to_owned(),
            Value::Object(members) if members.is_empty() => "an empty object".to_owned(),
            Value::Object(_) => "an object".to_owned(),
        }
    }
}

/// A text in quotation marks, but not more of it than fits into a message.
pub(crate) fn quoted(text: &str) -> String {
    const MAX: usize = 60;
    let escaped = serde_json::to_string(text).unwrap_or_default();
    if escaped.chars().count() <= MAX {
        return escaped;
    }
    escaped.chars().take(MAX).chain("…\"".chars()).collect()
}
