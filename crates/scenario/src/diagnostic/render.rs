//! Diagnostics as text, with the source line and a caret.

use super::{Diagnostic, Severity};
use crate::source::Sources;
use inflight_trace::lanes::display_width;
use std::fmt::Write;

/// Whether a text has ANSI escape sequences. Colour adds and never tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colour {
    /// Plain text.
    #[default]
    Off,
    /// With escape sequences.
    Ansi,
}

/// Lines longer than this are shown around the place only.
const LINE_MAX: usize = 120;

struct Paint(Colour);

impl Paint {
    fn with(&self, code: &str, text: &str) -> String {
        match self.0 {
            Colour::Off => text.to_owned(),
            Colour::Ansi => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        }
    }
}

/// One diagnostic, with an empty line behind it.
pub(super) fn render(sources: &Sources, diagnostic: &Diagnostic, colour: Colour) -> String {
    let paint = Paint(colour);
    let code = match diagnostic.severity {
        Severity::Error => "1;31",
        Severity::Warning => "1;33",
    };
    let mut text = paint.with(code, diagnostic.severity.word());
    let _ = write!(text, ": {}", diagnostic.problem);
    if let Some(expected) = &diagnostic.expected {
        let _ = write!(text, ", expected {expected}");
    }
    if sources.get(diagnostic.place.source).is_none_or(|source| source.text.is_empty()) {
        // A file that could not be read has no place to show.
        text.push_str("\n\n");
        return text;
    }
    let at = sources.position(diagnostic.place);
    let name = sources.name(diagnostic.place);
    let gutter = " ".repeat(at.line.to_string().len());
    let arrow = paint.with("34", &format!("{gutter}-->"));
    let _ = write!(text, "\n{arrow} {name}:{}:{}", at.line, at.column);
    if !diagnostic.path.is_empty() {
        let _ = write!(text, " ({})", diagnostic.path);
    }
    let bar = paint.with("34", &format!("{gutter} |"));
    let (line, before, length) = excerpt(sources, diagnostic);
    let number = paint.with("34", &format!("{} |", at.line));
    let _ = write!(text, "\n{bar}\n{number} {line}\n{bar} {}", " ".repeat(before));
    text.push_str(&paint.with(code, &"^".repeat(length)));
    if let Some(nearest) = &diagnostic.nearest {
        let _ = write!(text, " did you mean \"{nearest}\"?");
    }
    if let Some(hint) = &diagnostic.hint {
        let mark = paint.with("34", &format!("{gutter} ="));
        let _ = write!(text, "\n{mark} {hint}");
    }
    text.push_str("\n\n");
    text
}

/// The line, how many columns are before the place, and how many columns the place takes there.
fn excerpt(sources: &Sources, diagnostic: &Diagnostic) -> (String, usize, usize) {
    let place = diagnostic.place;
    let Some(source) = sources.get(place.source) else { return (String::new(), 0, 1) };
    let column = source.position(place.start).column as usize - 1;
    let found = source.text_at(place).lines().next().unwrap_or("").chars().count();
    let line: Vec<char> = source.line_of(place.start).chars().map(plain).collect();
    let column = column.min(line.len());
    let from = if line.len() > LINE_MAX { column.saturating_sub(LINE_MAX / 3) } else { 0 };
    let to = (from + LINE_MAX).min(line.len());
    let end = (column + found).clamp(column, to);
    let text = |range: std::ops::Range<usize>| line[range].iter().collect::<String>();
    let (front, back) = (if from > 0 { "…" } else { "" }, if to < line.len() { "…" } else { "" });
    let before = display_width(front) + display_width(&text(from..column));
    let length = display_width(&text(column..end)).max(1);
    (format!("{front}{}{back}", text(from..to)), before, length)
}

/// A character that takes the columns it seems to take.
fn plain(c: char) -> char {
    match c {
        '\t' => ' ',
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Place;
    use expect_test::expect;

    fn sources(text: &str) -> Sources {
        let mut sources = Sources::default();
        sources.add("story.json", text);
        sources
    }

    #[test]
    fn a_caret_stands_below_what_is_wrong() {
        let sources = sources("{\n\t\"주문\": 1, \"sead\": 7\n}");
        let at = sources.get(Place::default().source).unwrap().text.find("\"sead").unwrap();
        let place = Place { start: at as u32, end: at as u32 + 6, ..Place::default() };
        let diagnostic = Diagnostic::error(place, "unknown key \"sead\"")
            .at_path("sead")
            .nearest(Some("seed"))
            .hint("The keys are in the schema.");
        expect![[r#"
            error: unknown key "sead"
             --> story.json:2:11 (sead)
              |
            2 |  "주문": 1, "sead": 7
              |             ^^^^^^ did you mean "seed"?
              = The keys are in the schema.

        "#]]
        .assert_eq(&render(&sources, &diagnostic, Colour::Off));
        assert!(render(&sources, &diagnostic, Colour::Ansi).contains("\u{1b}[1;31m^^^^^^"));
    }

    #[test]
    fn a_long_line_is_shown_around_the_place() {
        let text = format!("{}wrong{}", "a".repeat(300), "b".repeat(300));
        let sources = sources(&text);
        let place = Place { start: 300, end: 305, ..Place::default() };
        let text = render(&sources, &Diagnostic::error(place, "no"), Colour::Off);
        let line = text.lines().find(|line| line.contains("wrong")).unwrap();
        let carets = text.lines().find(|line| line.contains('^')).unwrap();
        assert!(line.chars().count() < 130, "{line}");
        let column = |line: &str, what| line[..line.find(what).unwrap()].chars().count();
        assert_eq!(column(line, "wrong"), column(carets, "^"));
        assert!(carets.ends_with("^^^^^"));
    }
}
