//! Java's .properties files. The expectations are what java.util.Properties of JDK 17 loads.

use inflight_protocol::config::Origin;
use inflight_protocol::config::properties::{MalformedEscape, Position, Properties};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn read(text: &str) -> Vec<(String, String)> {
    let properties = Properties::read(text).expect("legal");
    properties.entries.into_iter().map(|entry| (entry.key, entry.value)).collect()
}

fn at(line: u32, column: u32) -> Position {
    Position { line, column }
}

#[track_caller]
fn check(text: &str, expected: &[(&str, &str)]) {
    let expected: Vec<_> =
        expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    assert_eq!(read(text), expected, "{text:?}");
}

#[test]
fn a_key_ends_at_a_separator() {
    for text in ["a=b", "a:b", "a b", "a\tb", "a\u{c}b", "a = b", "  a  :b", "a =b", "\ta  b"] {
        check(text, &[("a", "b")]);
    }
    check("a==b", &[("a", "=b")]);
    check("a = = b", &[("a", "= b")]);
    check("a : = b", &[("a", "= b")]);
    check("=b", &[("", "b")]);
    check("a", &[("a", "")]);
    check("a=", &[("a", "")]);
    check("a=b c ", &[("a", "b c ")]);
    check(r"a\=b\:c\ d=e", &[("a=b:c d", "e")]);
}

#[test]
fn comments_and_blank_lines_do_not_count() {
    check("# a=b\n  ! c=d\n\n \t\n\u{c}e=f#g\n#\\\nh=i", &[("e", "f#g"), ("h", "i")]);
    check("", &[]);
    check("#", &[]);
}

#[test]
fn lines_end_in_three_ways() {
    check("a=1\nb=2\r\nc=3\rd=4", &[("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")]);
}

#[test]
fn an_odd_number_of_backslashes_continues_a_line() {
    check("a=b\\\n   c", &[("a", "bc")]);
    check("a=b\\\r\n\tc", &[("a", "bc")]);
    check("a=b\\\\\nc=d", &[("a", "b\\"), ("c", "d")]);
    check("a=b\\\\\\\nc=d", &[("a", "b\\c=d")]);
    check("a\\\n=b", &[("a", "b")]);
    check("a=b\\\n#c", &[("a", "b#c")]);
    check("a=b\\\n\nc=d", &[("a", "b"), ("c", "d")]);
    check("a=b\\", &[("a", "b")]);
    check("a=b\\\n", &[("a", "b")]);
    check("\\\n#a=b\nc=d", &[("c", "d")]);
    check("\\", &[("", "")]);
}

#[test]
fn escapes_stand_for_characters() {
    check(r"a=\t\n\r\f\\\q\#", &[("a", "\t\n\r\u{c}\\q#")]);
    check(r"a=\u0041\u00e9\uD83D\uDE00", &[("a", "Aé😀")]);
    check(r"\u0061=b", &[("a", "b")]);
    check(r"a=\ud83dx", &[("a", "\u{fffd}x")]);
    check(r"a=\\u12", &[("a", r"\u12")]);
}

#[test]
fn a_malformed_escape_has_a_place() {
    let text = "a=1\n b=x\\u12g4\nc=\\\n  \\u\nd\\u00=4";
    let places: Vec<_> = Properties::read(text).unwrap_err().iter().map(|error| error.at).collect();
    assert_eq!(places, [at(2, 5), at(4, 3), at(5, 2)]);
    let error = MalformedEscape { at: at(2, 5) };
    assert_eq!(error.to_string(), r"line 2, column 5: \u without four hexadecimal digits");
}

#[test]
fn keys_and_values_have_places() {
    let text = "# é\r\n  acks = all\r\rlinger.ms\nrétries:\\\n    \\u0035\nx=";
    let properties = Properties::read(text).unwrap();
    let places: Vec<_> = properties
        .entries
        .iter()
        .map(|entry| (entry.key.as_str(), entry.value.as_str(), entry.key_at, entry.value_at))
        .collect();
    assert_eq!(
        places,
        [
            ("acks", "all", at(2, 3), at(2, 10)),
            ("linger.ms", "", at(4, 1), at(4, 10)),
            ("rétries", "5", at(5, 1), at(6, 5)),
            ("x", "", at(7, 1), at(7, 3)),
        ]
    );
}

#[test]
fn the_last_of_several_values_counts() {
    let properties = Properties::read("a=1\nb=2\na=3").unwrap();
    assert_eq!(properties.get("a").map(|entry| entry.value.as_str()), Some("3"));
    assert_eq!(properties.get("c"), None);
    let settings = properties.settings();
    assert_eq!(settings.get("a").map(|setting| setting.origin), Some(Origin(2)));
    assert_eq!(properties.entry(Origin(2)).map(|entry| entry.key_at), Some(at(3, 1)));
}

#[test]
fn files_are_latin1() {
    let properties = Properties::read_latin1(b"name=caf\xe9\n").unwrap();
    assert_eq!(properties.entries[0].value, "café");
}

/// As java.util.Properties.store writes, but for dates. Characters that need no escape get one if
/// `every` says so.
fn escape(text: &str, is_key: bool, every: usize) -> String {
    let mut escaped = String::new();
    for (index, c) in text.chars().enumerate() {
        match c {
            '\t' => escaped.push_str("\\t"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\u{c}' => escaped.push_str("\\f"),
            '\\' | '=' | ':' | '#' | '!' => escaped.extend(['\\', c]),
            ' ' if is_key || index == 0 => escaped.push_str("\\ "),
            _ if index % every == 0 => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    escaped.push_str(&format!("\\u{unit:04X}"));
                }
            }
            _ => escaped.push(c),
        }
    }
    escaped
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        map in prop::collection::btree_map(".{1,12}|[ =:#!\\\\\t\r\n\u{c}a]{1,6}",
            ".{0,20}|[ =:#!\\\\\t\r\n\u{c}a]{0,6}", 0..8),
        separator in prop::sample::select(vec!["=", ":", " = ", "\t", " : ", " =\\\n  "]),
        end in prop::sample::select(vec!["\n", "\r", "\r\n", "\n\n# comment\\\n"]),
        every in 1_usize..5,
    ) {
        let line = |(key, value): (&String, &String)| {
            format!("{}{separator}{}{end}", escape(key, true, every), escape(value, false, every))
        };
        let text: String = map.iter().map(line).collect();
        let back: BTreeMap<_, _> = read(&text).into_iter().collect();
        prop_assert_eq!(back, map, "{}", text);
    }

    #[test]
    fn any_bytes_have_an_outcome(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Properties::read_latin1(&bytes);
    }

    #[test]
    fn any_text_has_an_outcome_in_its_own_lines(
        text in "([ab=: \\\\#!u0\t\r\n\u{c}]|\\\\u00e[0-9]){0,60}"
    ) {
        let lines = text.replace("\r\n", "\n").replace('\r', "\n");
        let lines: Vec<Vec<char>> = lines.split('\n').map(|line| line.chars().collect()).collect();
        if let Ok(properties) = Properties::read(&text) {
            for entry in properties.entries {
                let char_at = |place: Position| {
                    lines[place.line as usize - 1].get(place.column as usize - 1).copied()
                };
                let same = |text: &str, place| {
                    let found = char_at(place);
                    found == text.chars().next() || found == Some('\\') || text.is_empty()
                };
                prop_assert!(same(&entry.key, entry.key_at), "{:?} {:?}", text, entry);
                prop_assert!(same(&entry.value, entry.value_at), "{:?} {:?}", text, entry);
            }
        }
    }
}
