//! Java's .properties files, with the place of everything in them.
//!
//! Java: java.util.Properties.load. A line is a key and a value, apart by `=`, `:` or white space.
//! Blank lines and lines that begin with `#` or `!` do not count. A line that ends with an odd
//! number of backslashes goes on in the next. `\t`, `\n`, `\r`, `\f` and `\uXXXX` stand for
//! characters, any other backslash for the character after it. Of several values of one key the
//! last counts.

use super::settings::{Origin, Settings};
use std::fmt;

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line, from 1. Lines end with `\n`, `\r` or both.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key, without escapes.
    pub key: String,
    /// The value, without escapes.
    pub value: String,
    /// Where the key begins.
    pub key_at: Position,
    /// Where the value begins, or would.
    pub value_at: Position,
}

/// The entries of a file, in order, with those that a later one of the same key replaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties {
    /// All of them.
    pub entries: Vec<Entry>,
}

/// A `\u` that is not followed by four hexadecimal digits, for which Java refuses the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedEscape {
    /// Where its backslash stands.
    pub at: Position,
}

impl fmt::Display for MalformedEscape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.at;
        write!(f, "line {line}, column {column}: \\u without four hexadecimal digits")
    }
}

impl std::error::Error for MalformedEscape {}

impl Properties {
    /// Reads a text. Java: Properties.load(Reader).
    ///
    /// A `\u` that gives half of a surrogate pair, which Java keeps and Rust cannot, becomes U+FFFD.
    pub fn read(text: &str) -> Result<Self, Vec<MalformedEscape>> {
        Self::parse(text.chars())
    }

    /// Reads a file as Kafka does: one character for each byte, in Latin-1. Java:
    /// Properties.load(InputStream); Kafka: Utils.loadProps.
    pub fn read_latin1(bytes: &[u8]) -> Result<Self, Vec<MalformedEscape>> {
        Self::parse(bytes.iter().copied().map(char::from))
    }

    fn parse(chars: impl Iterator<Item = char>) -> Result<Self, Vec<MalformedEscape>> {
        let mut lines = Lines { chars: Chars::of(chars) };
        let (mut entries, mut errors) = (Vec::new(), Vec::new());
        while let Some(line) = lines.next_logical() {
            match line.entry() {
                Ok(entry) => entries.push(entry),
                Err(mut malformed) => errors.append(&mut malformed),
            }
        }
        if errors.is_empty() { Ok(Self { entries }) } else { Err(errors) }
    }

    /// The entry of `key` that counts.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| entry.key == key)
    }

    /// The entry that a setting of [`Properties::settings`] came from.
    pub fn entry(&self, origin: Origin) -> Option<&Entry> {
        self.entries.get(usize::try_from(origin.0).ok()?)
    }

    /// The entries as settings, whose origins are their indexes.
    pub fn settings(&self) -> Settings {
        self.entries.iter().map(|entry| (entry.key.as_str(), entry.value.as_str())).collect()
    }
}

/// A character and where it stands.
type Placed = (char, Position);

/// Characters with their positions.
struct Chars<I: Iterator<Item = char>> {
    rest: std::iter::Peekable<I>,
    at: Position,
    after_return: bool,
}

impl<I: Iterator<Item = char>> Chars<I> {
    fn of(chars: I) -> Self {
        let at = Position { line: 1, column: 1 };
        Self { rest: chars.peekable(), at, after_return: false }
    }

    fn next(&mut self) -> Option<Placed> {
        let c = self.rest.next()?;
        if c == '\n' && self.after_return {
            // The second half of one line end, which has been counted.
            self.after_return = false;
            return Some((c, self.at));
        }
        let at = self.at;
        if c == '\n' || c == '\r' {
            self.at = Position { line: at.line.saturating_add(1), column: 1 };
        } else {
            self.at.column = at.column.saturating_add(1);
        }
        self.after_return = c == '\r';
        Some((c, at))
    }
}

const fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{c}')
}

const fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r')
}

/// A file cut into logical lines. Java: Properties.LineReader.
struct Lines<I: Iterator<Item = char>> {
    chars: Chars<I>,
}

/// A line with its continuations, without the white space before each and without comments.
struct Line {
    chars: Vec<Placed>,
    /// Where it ends.
    end: Position,
}

impl<I: Iterator<Item = char>> Lines<I> {
    fn next_logical(&mut self) -> Option<Line> {
        let mut line: Vec<Placed> = Vec::new();
        let (mut skipping, mut continued, mut escaping) = (true, false, false);
        while let Some((c, at)) = self.chars.next() {
            if skipping {
                if is_blank(c) || (!continued && is_line_end(c)) {
                    continue;
                }
                (skipping, continued) = (false, false);
            }
            if line.is_empty() && matches!(c, '#' | '!') {
                self.skip_comment();
                skipping = true;
                continue;
            }
            if !is_line_end(c) {
                line.push((c, at));
                escaping = c == '\\' && !escaping;
                continue;
            }
            if line.is_empty() {
                skipping = true;
                continue;
            }
            if !escaping || self.chars.rest.peek().is_none() {
                if escaping {
                    line.pop();
                }
                return Some(Line { chars: line, end: at });
            }
            line.pop();
            (skipping, continued, escaping) = (true, true, false);
            if c == '\r' && self.chars.rest.peek() == Some(&'\n') {
                self.chars.next();
            }
        }
        if line.is_empty() {
            return None;
        }
        if escaping {
            line.pop();
        }
        Some(Line { chars: line, end: self.chars.at })
    }

    fn skip_comment(&mut self) {
        while let Some((c, _)) = self.chars.next() {
            if is_line_end(c) {
                return;
            }
        }
    }
}

impl Line {
    /// Java: Properties.load0.
    fn entry(&self) -> Result<Entry, Vec<MalformedEscape>> {
        let key_end = self.key_end();
        let value_start = self.value_start(key_end);
        let key = unescape(&self.chars[..key_end]);
        let value = unescape(&self.chars[value_start..]);
        match (key, value) {
            (Ok(key), Ok(value)) => {
                let (key_at, value_at) = (self.position(0), self.position(value_start));
                Ok(Entry { key, value, key_at, value_at })
            }
            (key, value) => {
                let errors = [key.err(), value.err()];
                Err(errors.into_iter().flatten().flatten().collect())
            }
        }
    }

    fn position(&self, index: usize) -> Position {
        self.chars.get(index).map_or(self.end, |(_, at)| *at)
    }

    /// The first separator that no backslash precedes.
    fn key_end(&self) -> usize {
        let mut escaping = false;
        let ends = |(c, _): &Placed| {
            let ends = !escaping && (is_blank(*c) || matches!(c, '=' | ':'));
            escaping = *c == '\\' && !escaping;
            ends
        };
        self.chars.iter().position(ends).unwrap_or(self.chars.len())
    }

    /// Behind white space with at most one `=` or `:` in it.
    fn value_start(&self, key_end: usize) -> usize {
        let mut separated = false;
        let stays = |(c, _): &Placed| {
            let separator = matches!(c, '=' | ':') && !separated;
            separated |= separator;
            is_blank(*c) || separator
        };
        key_end + self.chars[key_end..].iter().copied().take_while(stays).count()
    }
}

/// Java: Properties.loadConvert. A pair of `\u` that are a surrogate pair is one character.
fn unescape(chars: &[Placed]) -> Result<String, Vec<MalformedEscape>> {
    let mut text: Vec<u16> = Vec::with_capacity(chars.len());
    let mut errors = Vec::new();
    let mut rest = chars;
    while let [(c, at), tail @ ..] = rest {
        rest = tail;
        let (c, at) = (*c, *at);
        let escaped = match (c, tail) {
            ('\\', [(escaped, _), after @ ..]) => {
                rest = after;
                *escaped
            }
            _ => {
                text.extend_from_slice(c.encode_utf16(&mut [0; 2]));
                continue;
            }
        };
        let plain = match escaped {
            'u' => {
                match unit(rest) {
                    Some(unit) => {
                        text.push(unit);
                        rest = &rest[4..];
                    }
                    None => errors.push(MalformedEscape { at }),
                }
                continue;
            }
            't' => '\t',
            'r' => '\r',
            'n' => '\n',
            'f' => '\u{c}',
            other => other,
        };
        text.extend_from_slice(plain.encode_utf16(&mut [0; 2]));
    }
    if errors.is_empty() { Ok(String::from_utf16_lossy(&text)) } else { Err(errors) }
}

/// The number that the next four characters spell.
fn unit(chars: &[Placed]) -> Option<u16> {
    let digits = chars.get(..4)?;
    digits.iter().try_fold(0, |number: u16, (c, _)| {
        let digit = u16::try_from(c.to_digit(16)?).ok()?;
        Some(number << 4 | digit)
    })
}
