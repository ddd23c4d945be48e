//! The log and the sizes of records against the real Apache Kafka.
//!
//! `tests/fixtures` holds what Kafka answered to random scripts, and every run of the tests asks
//! our side the same. With `INFLIGHT_KAFKA=live` the Maven project beside this file is built and
//! asked again, with new scripts; `tests/conformance/run` does it.

mod generate;
mod groups;
mod kafka;
mod ours;
mod script;
mod shrink;
mod sizes;
mod stand;
mod transactions;

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
/// How many scripts of each coordinator are recorded.
const COORDINATED: u64 = 300;
/// How long recorded scripts are, and those that are played live.
const STEPS_MAX: [u64; 2] = [24, 48];
/// How many records a recorded batch has, and one that is sized live.
const RECORDS_MAX: [u64; 2] = [4, 150];
/// Seeds of live scripts start here if nothing else is said.
const LIVE_FROM: u64 = 1_000_000;
/// How many differences a comparison shows before it stops.
const SHOWN_MAX: usize = 8;

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

/// In a situation that has a name we do what Kafka did.
fn agrees_about(fixture_name: &str, situation: &str, ours: impl Fn(&Value) -> Value) {
    let text = text_of(&fixture(fixture_name));
    let mut lines = text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON"));
    let recorded: Value = lines
        .find(|line: &Value| line["name"] == situation)
        .unwrap_or_else(|| panic!("no {situation} in {fixture_name}.jsonl"));
    let (script, kafka) = (&recorded["script"], &recorded["kafka"]);
    let ours = ours(script);
    assert!(*kafka == ours, "{situation}\n{}", difference(script, kafka, &ours));
}

/// Tests for situations in a fixture, each with its name.
macro_rules! situations {
    ($fixture:literal, $ours:expr, $($name:ident),* $(,)?) => {
        $(#[test]
        fn $name() {
            crate::agrees_about($fixture, stringify!($name), $ours);
        })*
    };
}
pub(crate) use situations;

fn agrees_with_recorded(name: &str, least: u64, ours: impl Fn(&Value) -> Value) {
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
    assert!(count >= least, "{count} in {name}.jsonl");
}

#[test]
fn the_log_does_what_kafka_did() {
    agrees_with_recorded("log", RECORDED, our_log);
}

#[test]
fn records_and_keys_are_what_they_were_to_kafka() {
    agrees_with_recorded("sizes", RECORDED, our_sizes);
}

#[test]
fn transaction_coordinators_do_what_kafkas_did() {
    agrees_with_recorded("transaction_coordinator", COORDINATED, transactions::answer);
}

#[test]
fn group_coordinators_do_what_kafkas_did() {
    agrees_with_recorded("group_coordinator", COORDINATED, groups::answer);
}

#[test]
fn coordinators_of_the_consumer_protocol_do_what_kafkas_did() {
    agrees_with_recorded("consumer_groups", COORDINATED, groups::answer);
}

/// What the environment asks for.
fn mode() -> Option<String> {
    env::var("INFLIGHT_KAFKA").ok()
}

fn number(variable: &str, otherwise: u64) -> u64 {
    env::var(variable).map_or(otherwise, |text| text.parse().expect("a number"))
}

/// The situations of a fixture that have a name, each with its script.
fn named(name: &str) -> Vec<(String, Value)> {
    let text = fs::read_to_string(fixture(name)).unwrap_or_default();
    let lines = text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON"));
    let named = lines.filter_map(|line: Value| {
        let name = line["name"].as_str()?;
        Some((name.to_owned(), line["script"].clone()))
    });
    named.collect()
}

fn record(name: &str, count: u64, kafka: &mut Kafka, generated: impl Fn(u64) -> Value) {
    let mut text = String::new();
    for (name, script) in named(name) {
        let answer = kafka.ask(&script);
        let line = json!({ "name": name, "script": script, "kafka": answer });
        writeln!(text, "{line}").expect("a string grows");
    }
    for seed in 0..count {
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

/// The parts that are compared: all, or that of this name alone.
fn asks_for(part: &str) -> bool {
    env::var("INFLIGHT_PART").map_or(true, |only| only == part)
}

/// One test, so that Maven runs once.
#[test]
fn kafka_agrees_when_asked() {
    let Some(mode) = mode() else { return };
    kafka::build();
    let records = match mode.as_str() {
        "record" => true,
        "live" => false,
        other => panic!("INFLIGHT_KAFKA is live or record, not {other}"),
    };
    let steps_max = STEPS_MAX[usize::from(!records)];
    let records_max = RECORDS_MAX[usize::from(!records)];
    if asks_for("sizes") {
        let (mut kafka, generated) =
            (Kafka::start("Sizes"), |seed| sizes::script(seed, records_max));
        match records {
            true => record("sizes", RECORDED, &mut kafka, generated),
            false => compare(&mut kafka, generated, our_sizes, |_, script| script.clone()),
        }
    }
    if asks_for("log") {
        let (mut kafka, generated) = (Kafka::start("Log"), |seed| generated_log(seed, steps_max));
        match records {
            true => record("log", RECORDED, &mut kafka, generated),
            false => compare(&mut kafka, generated, our_log, shorter_log),
        }
    }
    if asks_for("transactions") {
        use transactions::{answer, script, shrink};
        let kafka = Kafka::start("Transactions");
        coordinator("transaction_coordinator", kafka, (records, script), answer, shrink);
    }
    if asks_for("groups") {
        use groups::{answer, script, shrink};
        let kafka = Kafka::start("Groups");
        coordinator("group_coordinator", kafka, (records, script), answer, shrink);
    }
    if asks_for("consumers") {
        use groups::{answer, consumers, shrink};
        let kafka = Kafka::start("Groups");
        coordinator("consumer_groups", kafka, (records, consumers), answer, shrink);
    }
}

/// Compares or records one of the coordinators.
fn coordinator(
    name: &str,
    mut kafka: Kafka,
    (records, script): (bool, impl Fn(u64, u64) -> Value),
    answer: impl Fn(&Value) -> Value,
    shrink: impl Fn(&Value, &mut dyn FnMut(&Value) -> bool) -> Value,
) {
    if records {
        record(name, COORDINATED, &mut kafka, |seed| script(seed, STEPS_MAX[0]));
    } else {
        let generated = |seed| script(seed, STEPS_MAX[1]);
        compare(&mut kafka, generated, &answer, |kafka, script| {
            shrink(script, &mut |it| kafka.ask(it) != answer(it))
        });
    }
}
