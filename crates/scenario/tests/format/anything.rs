//! Any text at all gives a scenario or diagnostics, and no mistake gets through.

use super::{EVERYTHING, load};
use inflight_scenario::Diagnostics;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

/// Every place is within the text.
fn check_places(text: &str, diagnostics: &Diagnostics) {
    assert!(diagnostics.errors() > 0);
    let lines: Vec<&str> = text.split('\n').collect();
    for diagnostic in diagnostics {
        let at = diagnostics.position(diagnostic);
        let line = lines.get(at.line as usize - 1);
        let columns = line.map(|line| line.chars().count());
        let within = columns.is_some_and(|columns| at.column as usize <= columns + 1);
        assert!(within, "{diagnostic} at {at:?}");
    }
    assert!(!diagnostics.to_string().is_empty());
}

fn check(text: &str) {
    if let Err(diagnostics) = load(text) {
        check_places(text, &diagnostics);
    }
}

/// The file without comments, as plain JSON.
fn everything() -> Json {
    let text: String = EVERYTHING.lines().skip(1).collect::<Vec<_>>().join("\n");
    let mut plain = String::new();
    let mut rest = text.as_str();
    // Take out commas before closing brackets; no text of the file has any.
    while let Some(comma) = rest.find(',') {
        let behind = rest[comma + 1..].trim_start();
        plain.push_str(&rest[..comma]);
        if !behind.starts_with([']', '}']) {
            plain.push(',');
        }
        rest = &rest[comma + 1..];
    }
    plain.push_str(rest);
    serde_json::from_str(&plain).unwrap()
}

/// All pointers to values, but those into objects whose keys are the user's own.
fn pointers(value: &Json, at: &str, all: &mut Vec<String>) {
    let free = ["/weights", "/headers", "/partitioner-table"];
    match value {
        Json::Object(members) if !free.iter().any(|end| at.ends_with(end)) => {
            for (key, value) in members {
                let key = key.replace('~', "~0").replace('/', "~1");
                let pointer = format!("{at}/{key}");
                all.push(pointer.clone());
                pointers(value, &pointer, all);
            }
        }
        Json::Array(elements) => {
            for (index, value) in elements.iter().enumerate() {
                let pointer = format!("{at}/{index}");
                all.push(pointer.clone());
                pointers(value, &pointer, all);
            }
        }
        _ => {}
    }
}

#[test]
fn no_unknown_key_gets_through() {
    let file = everything();
    load(&file.to_string()).unwrap();
    let mut all = vec![String::new()];
    pointers(&file, "", &mut all);
    for pointer in all {
        let mut changed = file.clone();
        let Some(Json::Object(members)) = changed.pointer_mut(&pointer) else { continue };
        if ["weights", "headers", "partitioner-table"].iter().any(|end| pointer.ends_with(end)) {
            continue;
        }
        members.insert("zzz".to_owned(), json!(1));
        assert!(load(&changed.to_string()).is_err(), "a key zzz at {pointer:?}");
    }
}

#[test]
fn no_value_of_another_type_gets_through() {
    let file = everything();
    let mut all = Vec::new();
    pointers(&file, "", &mut all);
    assert!(all.len() > 250, "{}", all.len());
    for pointer in all {
        for wrong in [json!({ "zzz": { "zzz": 1 } }), json!([[1.5]])] {
            let mut changed = file.clone();
            *changed.pointer_mut(&pointer).unwrap() = wrong;
            let text = changed.to_string();
            match load(&text) {
                Ok(_) => panic!("nonsense at {pointer:?}"),
                Err(diagnostics) => check_places(&text, &diagnostics),
            }
        }
    }
}

/// Keys and words of the format, to make JSON that goes far.
const WORDS: [&str; 40] = [
    "title",
    "cluster",
    "brokers",
    "topics",
    "name",
    "partitions",
    "replication",
    "assignment",
    "missing",
    "config",
    "producers",
    "workload",
    "topic",
    "records",
    "key",
    "partition",
    "value",
    "every",
    "then",
    "network",
    "latency",
    "links",
    "faults",
    "when",
    "happened",
    "where",
    "broker",
    "BatchAppended",
    "crash",
    "b1",
    "p1",
    "leader of a-0",
    "expect",
    "facts",
    "fix",
    "set",
    "why",
    "1ms",
    "a",
    "1 in 2",
];

fn any_json() -> impl Strategy<Value = Json> {
    let word = || prop::sample::select(&WORDS[..]).prop_map(str::to_owned);
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        (-2_i64..70_000).prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        word().prop_map(Json::from),
        "\\PC{0,8}".prop_map(Json::from),
    ];
    leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
            prop::collection::btree_map(word(), inner, 0..6)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_text_gives_a_scenario_or_places_in_it(
        at in 0_usize..8_000,
        length in 0_usize..12,
        new in "[\\PC\n\t\"{}\\[\\]:,0-9a-z]{0,6}",
    ) {
        let characters: Vec<char> = EVERYTHING.chars().collect();
        let start = at.min(characters.len());
        let end = (start + length).min(characters.len());
        let mut text: String = characters[..start].iter().collect();
        text.push_str(&new);
        text.extend(&characters[end..]);
        check(&text);
    }

    #[test]
    fn a_doubled_or_deleted_line_gives_a_scenario_or_places_in_it(
        at in 0_usize..150,
        copies in 0_usize..3,
    ) {
        let lines = EVERYTHING.lines().enumerate();
        let text: String = lines
            .flat_map(|(index, line)| std::iter::repeat_n(line, if index == at { copies } else { 1 }))
            .flat_map(|line| [line, "\n"])
            .collect();
        check(&text);
    }

    #[test]
    fn a_value_elsewhere_gives_a_scenario_or_places_in_it(from in any::<u64>(), to in any::<u64>()) {
        let mut file = everything();
        let mut all = Vec::new();
        pointers(&file, "", &mut all);
        let pick = |number: u64| &all[(number % all.len() as u64) as usize];
        let value = file.pointer(pick(from)).unwrap().clone();
        *file.pointer_mut(pick(to)).unwrap() = value;
        check(&file.to_string());
    }

    #[test]
    fn any_json_gives_a_scenario_or_places_in_it(json in any_json()) {
        check(&json.to_string());
    }

    #[test]
    fn any_text_gives_a_scenario_or_places_in_it(text in "[\\PC\r\n\t]{0,80}") {
        check(&text);
    }
}
