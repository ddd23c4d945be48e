//! True to Kafka: the consumer, request for request.
//!
//! Kafka's own ClassicKafkaConsumer with all that it is made of plays scripts on a virtual clock and
//! virtual sockets (`tests/conformance/consumer`); this project's consumer plays the same scripts and
//! must open the same connections, send the same requests at the same milliseconds, and let the same
//! calls return or throw the same at the same time, with the same positions afterwards.
//!
//! `fixtures/consumer.jsonl` holds scripts and what Kafka did. Only with a JDK and Maven:
//!
//! - `CONSUMER_CONFORMANCE=1000` plays so many scripts of each space on both, live; on a difference
//!   it shrinks the script and shows both sides. `CONSUMER_CONFORMANCE_SEED` is the first seed,
//!   `CONSUMER_CONFORMANCE_SPACE` the only space.
//! - `CONSUMER_CONFORMANCE=record` writes the fixtures anew.
//!
//! What scripts may have stands at `generate::Space`.

mod bench;
mod generate;
mod live;
mod logs;
mod network;
mod requests;
mod script;

use script::Recorded;
use std::path::PathBuf;

/// Where the fixtures are.
fn fixtures() -> PathBuf {
    inflight_tests::workspace().join("tests/fixtures/consumer.jsonl")
}

/// How many lines before and after a difference are shown.
const CONTEXT: usize = 12;

/// Both sides, line by line, with a mark at each difference; long stretches that agree are left out.
fn side_by_side(kafka: &[String], ours: &[String]) -> String {
    let mut text = format!("  {:<58}   this project\n", "Kafka");
    let count = kafka.len().max(ours.len());
    let differs = |index: usize| kafka.get(index) != ours.get(index);
    let mut left_out = 0;
    for index in 0..count {
        let near = index.saturating_sub(CONTEXT)..(index + CONTEXT + 1).min(count);
        if !near.into_iter().any(differs) {
            left_out += 1;
            continue;
        }
        if left_out > 0 {
            text.push_str(&format!("  ({left_out} lines agree)\n"));
            left_out = 0;
        }
        let line = |side: &[String]| side.get(index).cloned().unwrap_or_default();
        let mark = if differs(index) { '!' } else { ' ' };
        text.push_str(&format!("{mark} {:<58}   {}\n", line(kafka), line(ours)));
    }
    text
}

/// Plays a recorded script here. `Some` says what differs.
fn difference(recorded: &Recorded) -> Option<String> {
    let kafka = Recorded::comparable(&recorded.lines);
    let ours = Recorded::comparable(&bench::play(&recorded.script));
    (kafka != ours).then(|| side_by_side(&kafka, &ours))
}

#[test]
fn fixtures_agree() {
    let text = inflight_tests::text_of(&fixtures());
    let mut played = 0;
    for line in text.lines() {
        let recorded: Recorded = serde_json::from_str(line).expect("a fixture");
        if let Some(shown) = difference(&recorded) {
            panic!("{}\n{shown}", recorded.script.id);
        }
        played += 1;
    }
    assert!(played >= 250, "only {played} fixtures");
}

#[test]
fn live_agrees() {
    if let Ok(how) = std::env::var("CONSUMER_CONFORMANCE") {
        live::run(&how);
    }
}
