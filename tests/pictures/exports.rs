//! The same sequence for other tools.

use super::{scenario, scenarios};
use inflight_view::export::{mermaid, plantuml, shiviz};
use inflight_view::{Lang, Options};
use std::collections::BTreeMap;

#[test]
fn mermaid_diagrams_are_short_enough_for_code_hosts() {
    for (told, _) in scenarios() {
        for lang in [Lang::En, Lang::Ko] {
            let options = Options { lang, ..Options::default() };
            let text = mermaid(&told.story(), &options).expect("it can be drawn");
            assert!(text.starts_with("sequenceDiagram\n"), "{}", told.name);
            assert!(text.len() <= 20_000, "{}: {}", told.name, text.len());
            let messages = text.lines().filter(|line| line.contains(">>") || line.contains("-x"));
            assert!(messages.count() <= 120, "{}", told.name);
        }
    }
}

#[test]
fn a_lost_response_is_a_crossed_arrow() {
    let (told, _) = scenario("duplication/lost-response.json");
    let options = Options::default();
    let text = mermaid(&told.story(), &options).expect("it can be drawn");
    assert!(text.contains("  b1--xclient0: ack [B] @1 #35;4\n"), "{text}");
    assert!(text.contains("  Note over b1: append again [B] @2\n"), "{text}");
    let text = plantuml(&told.story(), &options).expect("it can be drawn");
    assert!(text.contains("b1 ->x client0 : ack [B] @1 #4\n"), "{text}");
    assert!(text.starts_with("@startuml\n") && text.ends_with("@enduml\n"));
}

/// What ShiViz reads: an event on a line, then its host and clock.
fn events(log: &str) -> Vec<(String, BTreeMap<String, u64>)> {
    let lines: Vec<&str> = log.lines().collect();
    assert!(lines.len().is_multiple_of(2), "every event has two lines");
    let pairs = lines.chunks(2).map(|pair| {
        assert!(!pair[0].trim().is_empty(), "an event says something");
        let (host, clock) = pair[1].split_once(' ').expect("a host and a clock");
        assert!(!host.is_empty() && clock.starts_with('{') && clock.ends_with('}'), "{}", pair[1]);
        let clock = serde_json::from_str(clock).expect("a clock is JSON");
        (host.to_owned(), clock)
    });
    pairs.collect()
}

#[test]
fn shiviz_clocks_are_vector_clocks() {
    for (told, lang) in
        scenarios().iter().flat_map(|(told, _)| [(told, Lang::En), (told, Lang::Ko)])
    {
        let options = Options { lang, ..Options::default() };
        let log = shiviz(&told.story(), &options).expect("it can be drawn");
        let mut now: BTreeMap<String, u64> = BTreeMap::new();
        for (host, clock) in events(&log) {
            // Every event is one tick of its host, and knows of others only what was.
            let before = now.get(&host).copied().unwrap_or(0);
            assert_eq!(clock.get(&host), Some(&(before + 1)), "{}: {host}", told.name);
            for (other, time) in clock.iter().filter(|(other, _)| **other != host) {
                assert!(now.get(other).is_some_and(|known| time <= known), "{}", told.name);
            }
            now.insert(host, before + 1);
        }
        // A call that fails before anything is sent has application and producer alone.
        assert!(now.len() >= 2, "{}: {now:?}", told.name);
    }
}
