//! The texts that settings come from, and places in them.

/// One of the texts of a [`Sources`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(u32);

/// A range of bytes in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Which text.
    pub source: SourceId,
    /// Where it starts, in bytes.
    pub start: u32,
    /// Where it ends, in bytes.
    pub end: u32,
}

/// A text with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The path of a file, or what else the text is: `--set`.
    pub name: String,
    /// The text.
    pub text: String,
}

/// All texts that a scenario was made of: its file, `.properties` files, overrides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    list: Vec<Source>,
}

/// A line and a column, both from 1. Columns are characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl Place {
    /// From bytes.
    pub(crate) fn new(source: SourceId, start: usize, end: usize) -> Self {
        let limited = |bytes| u32::try_from(bytes).unwrap_or(u32::MAX);
        Self { source, start: limited(start), end: limited(end.max(start)) }
    }
}

impl Sources {
    /// Adds a text.
    pub(crate) fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> SourceId {
        let id = SourceId(u32::try_from(self.list.len()).unwrap_or(u32::MAX));
        self.list.push(Source { name: name.into(), text: text.into() });
        id
    }

    /// A text.
    pub fn get(&self, id: SourceId) -> Option<&Source> {
        self.list.get(id.0 as usize)
    }

    /// The name of the text that a place is in.
    pub fn name(&self, place: Place) -> &str {
        self.get(place.source).map_or("", |source| &source.name)
    }

    /// The line and column where a place starts.
    pub fn position(&self, place: Place) -> Position {
        let start = Position { line: 1, column: 1 };
        self.get(place.source).map_or(start, |source| source.position(place.start))
    }
}

impl Source {
    /// The line and column of a byte. A byte behind the end is at the end.
    pub fn position(&self, byte: u32) -> Position {
        let before = &self.text[..self.boundary(byte)];
        let line = before.bytes().filter(|byte| *byte == b'\n').count();
        let column = before.chars().rev().take_while(|c| *c != '\n').count();
        let from_one = |count: usize| u32::try_from(count + 1).unwrap_or(u32::MAX);
        Position { line: from_one(line), column: from_one(column) }
    }

    /// The whole line that a byte is in, without its end.
    pub fn line_of(&self, byte: u32) -> &str {
        let at = self.boundary(byte);
        let start = self.text[..at].rfind('\n').map_or(0, |end| end + 1);
        let end = self.text[at..].find('\n').map_or(self.text.len(), |end| at + end);
        self.text[start..end].trim_end_matches('\r')
    }

    /// What stands at a place.
    pub fn text_at(&self, place: Place) -> &str {
        &self.text[self.boundary(place.start)..self.boundary(place.end)]
    }

    /// The byte where a line and column are.
    pub(crate) fn byte_at(&self, position: Position) -> usize {
        let lines = self.text.split_inclusive('\n');
        let before: usize = lines.take(position.line as usize - 1).map(str::len).sum();
        let columns = self.text[before..].char_indices().nth(position.column as usize - 1);
        columns.map_or(self.text.len(), |(byte, _)| before + byte)
    }

    /// The nearest boundary of a character at or before a byte.
    fn boundary(&self, byte: u32) -> usize {
        let byte = (byte as usize).min(self.text.len());
        (0..=byte).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_lines_and_columns() {
        let mut sources = Sources::default();
        let id = sources.add("a.json", "{\r\n  \"주문\": 1\n}");
        let source = sources.get(id).unwrap();
        let key = Place::new(id, 5, 13);
        assert_eq!(source.text_at(key), "\"주문\"");
        assert_eq!(sources.position(key), Position { line: 2, column: 3 });
        assert_eq!(source.byte_at(Position { line: 2, column: 3 }), 5);
        assert_eq!(source.line_of(5), "  \"주문\": 1");
        assert_eq!(source.line_of(0), "{");
        assert_eq!(source.position(u32::MAX), Position { line: 3, column: 2 });
        assert_eq!(source.position(7), Position { line: 2, column: 4 }, "inside a character");
    }
}
