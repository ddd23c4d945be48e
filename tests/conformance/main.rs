//! The log and the sizes of records against the real Apache Kafka.
//!
//! `tests/fixtures` holds what Kafka answered to random scripts, and every run of the tests asks
//! our side the same. With `INFLIGHT_KAFKA=live` the Maven project beside this file is built and
//! asked again, with new scripts; `tests/conformance/run` does it.

mod generate;
mod kafka;
mod ours;
mod script;
mod shrink;
mod sizes;

use inflight_tests::{text_of, workspace};
use kafka::Kafka;
use ours::Ours;
use script::Script;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::{env, fs};

/// How many scripts of each kind are recorded.
const RECORDED: u64 = 600;
/// How long recorded scripts are, and those that are played live.
const STEPS_MAX: [u64; 2] = [24, 48];
/// How many records a recorded batch has, and one that is sized live.
const RECORDS_MAX: [u64; 2] = [4, 150];
/// Seeds of live scripts start here if nothing else is said.
const LIVE_FROM: u64 = 1_000_000;
/// How many differences a comparison shows before it stops.
const SHOWN_MAX: usize = 3;

fn fixture(name: &str) -> PathBuf {
    workspace().join("tests/fixtures").join(format!("{name}.jsonl"))
}

fn parsed(script: &Value) -> Script {
    Script::from_json(script).unwrap_or_else(|| panic!("not a script: {script}"))
}

fn our_log(script: &Value) -> Value {
    Ours::of(&parsed(script)).answer()
}

fn our_sizes(script: &Value) -> Value {
    sizes::answer(script).unwrap_or_else(|| panic!("not a script: {script}"))
}

fn generated_log(seed: u64, steps_max: u64) -> Value {
    generate::script(seed, steps_max).to_json()
}

/// A script, and what Kafka and we make of it.
fn difference(script: &Value, kafka: &Value, ours: &Value) -> String {
    format!("script {script}\nkafka  {kafka}\nours   {ours}\n")
}

fn agrees_with_recorded(name: &str, ours: impl Fn(&Value) -> Value) {
    let text = text_of(&fixture(name));
    let mut count = 0;
    for (number, line) in text.lines().enumerate() {
        let recorded: Value = serde_json::from_str(line).expect("a line of JSON");
        let (script, kafka) = (&recorded["script"], &recorded["kafka"]);
        let ours = ours(script);
        let shown = difference(script, kafka, &ours);
        assert!(*kafka == ours, "{name}.jsonl, line {}\n{shown}", number + 1);
        count += 1;
    }
    assert!(count >= RECORDED, "{count} in {name}.jsonl");
}

#[test]
fn the_log_does_what_kafka_did() {
    agrees_with_recorded("log", our_log);
}

#[test]
fn records_and_keys_are_what_they_were_to_kafka() {
    agrees_with_recorded("sizes", our_sizes);
}

/// What the environment asks for.
fn mode() -> Option<String> {
    env::var("INFLIGHT_KAFKA").ok()
}

fn number(variable: &str, otherwise: u64) -> u64 {
    env::var(variable).map_or(otherwise, |text| text.parse().expect("a number"))
}

fn record(name: &str, kafka: &mut Kafka, generated: impl Fn(u64) -> Value) {
    let mut text = String::new();
    for seed in 0..RECORDED {
        let script = generated(seed);
        let answer = kafka.ask(&script);
        writeln!(text, "{}", json!({ "script": script, "kafka": answer })).expect("a string grows");
    }
    fs::create_dir_all(workspace().join("tests/fixtures")).expect("a directory");
    fs::write(fixture(name), text).expect("a fixture is written");
}

/// Compares so many scripts and says how many differ, with the shortest that show it.
fn compare(
    kafka: &mut Kafka,
    generated: impl Fn(u64) -> Value,
    ours: impl Fn(&Value) -> Value,
    shorten: impl Fn(&mut Kafka, &Value) -> Value,
) {
    let (from, count) = (number("INFLIGHT_FROM", LIVE_FROM), number("INFLIGHT_SCRIPTS", 1_000));
    let mut shown = Vec::new();
    let mut agreed = 0;
    for seed in from..from + count {
        let script = generated(seed);
        if kafka.ask(&script) == ours(&script) {
            agreed += 1;
            continue;
        }
        let short = shorten(kafka, &script);
        let (theirs, ours) = (kafka.ask(&short), ours(&short));
        shown.push(format!("seed {seed}\n{}", difference(&short, &theirs, &ours)));
        if shown.len() == SHOWN_MAX {
            break;
        }
    }
    let summary = format!("{agreed} scripts agree from seed {from} on");
    writeln!(std::io::stderr(), "{summary}").expect("standard error is there");
    assert!(shown.is_empty(), "{summary}; others do not\n{}", shown.join("\n"));
}

fn shorter_log(kafka: &mut Kafka, script: &Value) -> Value {
    let differs = |candidate: &Script| {
        let line = candidate.to_json();
        kafka.ask(&line) != our_log(&line)
    };
    shrink::shrink(&parsed(script), differs).to_json()
}

/// One test, so that Maven runs once.
#[test]
fn kafka_agrees_when_asked() {
    let Some(mode) = mode() else { return };
    kafka::build();
    let (mut log, mut batches) = (Kafka::start("Log"), Kafka::start("Sizes"));
    match mode.as_str() {
        "record" => {
            record("log", &mut log, |seed| generated_log(seed, STEPS_MAX[0]));
            record("sizes", &mut batches, |seed| sizes::script(seed, RECORDS_MAX[0]));
        }
        "live" => {
            let generated = |seed| sizes::script(seed, RECORDS_MAX[1]);
            compare(&mut batches, generated, our_sizes, |_, script| script.clone());
            let generated = |seed| generated_log(seed, STEPS_MAX[1]);
            compare(&mut log, generated, our_log, shorter_log);
        }
        other => panic!("INFLIGHT_KAFKA is live or record, not {other}"),
    }
}
