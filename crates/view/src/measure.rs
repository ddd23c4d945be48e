//! One layout for two media: pixels on a page, and cells of a terminal.
//!
//! A layout asks here how wide a text is and how far apart lines are. On a terminal everything is a
//! multiple of a cell, so that the same layout code gives a picture of characters.

use crate::font::{self, Weight};
use inflight_des::Span;
use inflight_trace::lanes::{display_width, fit};

/// The width of a cell in the units of a scene.
pub(crate) const CELL_WIDTH: i32 = 8;
/// The height of a cell in the units of a scene.
pub(crate) const CELL_HEIGHT: i32 = 16;

/// What a picture is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Medium {
    /// Pixels: SVG, PNG, HTML.
    #[default]
    Pixels,
    /// Cells of a terminal: text.
    Cells,
}

/// Measures for one medium.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Measure {
    pub(crate) medium: Medium,
}

impl Measure {
    pub(crate) const fn is_cells(self) -> bool {
        matches!(self.medium, Medium::Cells)
    }

    /// The width of a text.
    pub(crate) fn text(self, text: &str, size: i32, weight: Weight) -> i32 {
        match self.medium {
            Medium::Pixels => font::width(text, size, weight),
            Medium::Cells => columns(display_width(text)),
        }
    }

    /// One of two lengths: the first in pixels, the second in cells across.
    pub(crate) const fn across(self, pixels: i32, cells: i32) -> i32 {
        match self.medium {
            Medium::Pixels => pixels,
            Medium::Cells => cells * CELL_WIDTH,
        }
    }

    /// One of two lengths: the first in pixels, the second in cells down.
    pub(crate) const fn down(self, pixels: i32, cells: i32) -> i32 {
        match self.medium {
            Medium::Pixels => pixels,
            Medium::Cells => cells * CELL_HEIGHT,
        }
    }

    /// A text in lines that are no wider than this. A word that is too long alone is cut.
    pub(crate) fn wrap(self, text: &str, size: i32, width: i32) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for word in text.split_whitespace() {
            let longer = lines.last().map(|line| format!("{line} {word}"));
            match longer.filter(|line| self.text(line, size, Weight::Regular) <= width) {
                Some(line) => {
                    lines.pop();
                    lines.push(line);
                }
                None => lines.push(self.cut(word, size, width)),
            }
        }
        lines
    }

    /// The text, or as much of it as fits, with an ellipsis.
    pub(crate) fn cut(self, text: &str, size: i32, width: i32) -> String {
        if self.text(text, size, Weight::Regular) <= width {
            return text.to_owned();
        }
        if self.is_cells() {
            return fit(text, usize::try_from(width / CELL_WIDTH).unwrap_or(0), "…");
        }
        let mut cut = text.to_owned();
        while cut.pop().is_some() {
            let shorter = format!("{}…", cut.trim_end());
            if self.text(&shorter, size, Weight::Regular) <= width {
                return shorter;
            }
        }
        cut
    }
}

/// A span as it is read: four digits or so, the rest rounded down.
pub(crate) fn brief(span: Span) -> Span {
    let nanos = span.as_nanos();
    let digits = nanos.checked_ilog10().unwrap_or(0);
    let unit = 10_u64.pow(digits.saturating_sub(3));
    Span::from_nanos(nanos / unit * unit)
}

fn columns(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX / CELL_WIDTH) * CELL_WIDTH
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIXELS: Measure = Measure { medium: Medium::Pixels };
    const CELLS: Measure = Measure { medium: Medium::Cells };

    #[test]
    fn lines_are_no_wider_than_allowed_in_either_language() {
        let texts = [
            "A lost response makes a duplicate because the broker cannot tell",
            "응답 확인이 유실되면 브로커는 재시도를 새 배치와 구별할 수 없다",
        ];
        for text in texts {
            for measure in [PIXELS, CELLS] {
                let lines = measure.wrap(text, 13, 160);
                assert!(lines.len() > 2, "{lines:?}");
                for line in &lines {
                    assert!(measure.text(line, 13, Weight::Regular) <= 160, "{line}");
                }
                assert_eq!(lines.join(" "), text);
            }
        }
    }

    #[test]
    fn spans_have_few_digits() {
        let text = |nanos| brief(Span::from_nanos(nanos)).to_string();
        assert_eq!([8_955_912_813, 87_500_000, 0].map(text), ["8.955s", "87.5ms", "0ms"]);
    }

    #[test]
    fn a_word_that_is_too_long_is_cut() {
        let cut = PIXELS.cut("OUT_OF_ORDER_SEQUENCE_NUMBER", 12, 100);
        assert!(cut.ends_with('…') && PIXELS.text(&cut, 12, Weight::Regular) <= 100, "{cut}");
        assert_eq!(CELLS.cut("프로듀서", 12, 56), "프로듀…");
    }
}
