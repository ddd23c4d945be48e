//! True to Kafka: the producer, request for request.
//!
//! Kafka's own KafkaProducer with all that it is made of plays scripts on a virtual clock and virtual
//! sockets (`tests/conformance/producer`); this project's producer plays the same scripts and must
//! open the same connections, send the same requests at the same milliseconds, let the same calls
//! return or fail at the same time, and end every record the same way.
//!
//! `fixtures/producer.jsonl` holds scripts and what Kafka did. Only with a JDK and Maven:
//!
//! - `PRODUCER_CONFORMANCE=1000` plays so many scripts of each space on both, live; on a difference
//!   it shrinks the script and shows both sides. `PRODUCER_CONFORMANCE_SEED` is the first seed.
//! - `PRODUCER_CONFORMANCE=record` writes the fixtures anew, `record-transactions` those with
//!   transactions.
//!
//! What scripts may have stands at `generate::Space`. Not in it: more than one topic, headers,
//! answers to metadata and ApiVersions requests other than success.
//!
//! With transactions: initTransactions, beginTransaction, sendOffsetsToTransaction,
//! commitTransaction, abortTransaction and close, in their order or out of it, with
//! transaction.version 0 and 2; the script answers every request to a coordinator. Lines are then
//! these requests too, what calls return or throw, and the state at the end of each millisecond.
//!
//! What is pinned on both sides: jitter is none, the least loaded node is sought from the first on,
//! and the script says what chance makes of sticky partitions. What is made equal: Kafka's selector
//! returns early when something times out, where Kafka would notice it with its next poll; threads of
//! the application go on when the sender blocks; and hash maps are in ascending order, as names and
//! addresses are chosen so.

mod bench;
mod calls;
mod coordinators;
mod generate;
mod live;
mod network;
mod script;

use script::Recorded;
use std::path::PathBuf;

/// Where the fixtures are.
fn fixtures() -> PathBuf {
    inflight_tests::workspace().join("tests/fixtures/producer.jsonl")
}

/// Where those with transactions are.
fn transaction_fixtures() -> PathBuf {
    inflight_tests::workspace().join("tests/fixtures/transactions.jsonl")
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

/// Plays the fixtures of a file; all of them agree, and there are at least so many.
fn agree(path: &std::path::Path, least: usize) {
    let text = inflight_tests::text_of(path);
    let mut played = 0;
    for line in text.lines() {
        let recorded: Recorded = serde_json::from_str(line).expect("a fixture");
        let id = recorded.script.id.as_str();
        if let Some(shown) = difference(&recorded) {
            panic!("{id}\n{shown}");
        }
        played += 1;
    }
    assert!(played >= least, "only {played} fixtures");
}

#[test]
fn fixtures_agree() {
    agree(&fixtures(), 500);
}

#[test]
fn fixtures_with_transactions_agree() {
    agree(&transaction_fixtures(), 100);
}

#[test]
fn live_agrees() {
    if let Ok(how) = std::env::var("PRODUCER_CONFORMANCE") {
        live::run(&how);
    }
}
