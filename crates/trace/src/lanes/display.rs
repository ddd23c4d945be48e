//! How wide a text is on a terminal.
//!
//! Hangul, kana, Chinese characters and emoji take two columns, combining marks none. Only the
//! ranges that occur in names are told apart.

/// Ranges of characters that take two columns.
const WIDE: [(u32, u32); 10] = [
    (0x1100, 0x115F),
    (0x2E80, 0x303E),
    (0x3041, 0x33FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0xA4CF),
    (0xA960, 0xA97F),
    (0xAC00, 0xD7A3),
    (0xF900, 0xFAFF),
    (0xFE30, 0xFE6F),
    (0xFF00, 0xFF60),
];

/// Ranges of characters that take no column.
const NONE: [(u32, u32); 6] = [
    (0x0000, 0x001F),
    (0x007F, 0x009F),
    (0x0300, 0x036F),
    (0x200B, 0x200F),
    (0x20D0, 0x20FF),
    (0xFE00, 0xFE0F),
];

fn width(character: char) -> usize {
    let code = character as u32;
    let within = |ranges: &[(u32, u32)]| ranges.iter().any(|(a, b)| (*a..=*b).contains(&code));
    if (0x20..0x7F).contains(&code) {
        1
    } else if within(&NONE) {
        0
    } else if within(&WIDE)
        || (0x1F300..=0x1FAFF).contains(&code)
        || (0x20000..=0x3FFFD).contains(&code)
    {
        2
    } else {
        1
    }
}

/// How many columns a text takes.
pub fn display_width(text: &str) -> usize {
    text.chars().map(width).sum()
}

/// The text, or as much of it as fits with `ellipsis` into `columns`.
pub fn fit(text: &str, columns: usize, ellipsis: &str) -> String {
    if display_width(text) <= columns {
        return text.to_owned();
    }
    let ellipsis = if display_width(ellipsis) <= columns { ellipsis } else { "" };
    let room = columns - display_width(ellipsis);
    let mut cut = String::new();
    let mut used = 0;
    for character in text.chars() {
        used += width(character);
        if used > room {
            break;
        }
        cut.push(character);
    }
    cut + ellipsis
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn width_counts_columns_not_bytes() {
        for (text, columns) in
            [("orders", 6), ("주문", 4), ("é", 1), ("e\u{301}", 1), ("✓", 1), ("🦀", 2), ("", 0)]
        {
            assert_eq!(display_width(text), columns, "{text}");
        }
    }

    #[test]
    fn a_cut_text_fits_with_its_ellipsis() {
        assert_eq!(fit("orders", 6, "…"), "orders");
        assert_eq!(fit("orders", 5, "…"), "orde…");
        assert_eq!(fit("주문내역", 5, "…"), "주문…");
        assert_eq!(fit("주문내역", 4, "…"), "주…");
        assert_eq!(fit("orders", 5, "..."), "or...");
        assert_eq!(fit("orders", 1, "..."), "o");
        assert_eq!(fit("orders", 0, "…"), "");
    }
}
