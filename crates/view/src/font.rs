//! The embedded font: how wide a text is, and the outlines of its characters.
//!
//! Noto Sans CJK KR, cut down to Latin, punctuation, arrows and the 2,350 syllables of KS X 1001.
//! Pictures are measured with it, so that no font of the reader's machine moves anything.

use std::sync::LazyLock;
use ttf_parser::{Face, GlyphId, OutlineBuilder};

/// How heavy a text is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weight {
    /// As usual.
    #[default]
    Regular,
    /// For what is read first.
    Bold,
}

static REGULAR: LazyLock<Face<'static>> =
    LazyLock::new(|| parse(include_bytes!("../fonts/NotoSansKR-Regular.otf")));
static BOLD: LazyLock<Face<'static>> =
    LazyLock::new(|| parse(include_bytes!("../fonts/NotoSansKR-Bold.otf")));

fn parse(bytes: &'static [u8]) -> Face<'static> {
    match Face::parse(bytes, 0) {
        Ok(face) => face,
        Err(wrong) => panic!("the embedded font is a font: {wrong}"),
    }
}

fn face(weight: Weight) -> &'static Face<'static> {
    match weight {
        Weight::Regular => &REGULAR,
        Weight::Bold => &BOLD,
    }
}

/// The character's glyph, or the one that stands for what the font does not have.
fn glyph(face: &Face<'_>, character: char) -> GlyphId {
    face.glyph_index(character).unwrap_or(GlyphId(0))
}

/// How many thousandths of the size a character takes.
fn advance(face: &Face<'_>, character: char) -> u32 {
    u32::from(face.glyph_hor_advance(glyph(face, character)).unwrap_or(0))
}

/// The width of a text in pixels, rounded up.
pub(crate) fn width(text: &str, size: i32, weight: Weight) -> i32 {
    let face = face(weight);
    let units = text.chars().map(|character| advance(face, character)).sum::<u32>();
    let scaled = i64::from(units) * i64::from(size);
    i32::try_from((scaled + 999) / 1000).unwrap_or(i32::MAX)
}

/// Gives the outline of each character of a text to a builder, with the x at which it starts in
/// thousandths of the size.
pub(crate) fn outline(
    text: &str,
    weight: Weight,
    mut each: impl FnMut(u32, &mut dyn FnMut(&mut dyn OutlineBuilder)),
) {
    let face = face(weight);
    let mut x = 0;
    for character in text.chars() {
        let id = glyph(face, character);
        // A space has no outline.
        each(x, &mut |builder| {
            let _ = face.outline_glyph(id, builder);
        });
        x += advance(face, character);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hangul_is_measured_at_its_width() {
        let (latin, hangul) =
            (width("ab", 100, Weight::Regular), width("레코", 100, Weight::Regular));
        assert!(latin < 120, "{latin}");
        assert!((180..=200).contains(&hangul), "{hangul}");
        assert!(width("ab", 100, Weight::Bold) > latin);
        assert_eq!(width("", 100, Weight::Regular), 0);
    }

    #[test]
    fn every_syllable_of_the_korean_standard_has_a_glyph() {
        for character in ['가', '힝', '흡', '→', '≥', '–', '·', '~'] {
            let regular = face(Weight::Regular).glyph_index(character);
            assert!(regular.is_some(), "{character}");
            assert!(face(Weight::Bold).glyph_index(character).is_some(), "{character}");
        }
    }
}
