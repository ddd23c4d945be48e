//! Scenarios on a real cluster: three brokers of Apache Kafka and a controller as processes on this
//! machine, real producers, real kills, and a proxy that does to single requests and answers what a
//! fault asks for.
//!
//! What the cluster shows (every replica's log by offset, what each callback said) is one of the
//! outcomes that the simulator says are possible. `fixtures/cluster.jsonl` holds what it showed,
//! and every run of the tests asks the simulator again. With `INFLIGHT_CLUSTER=3` each story is
//! played three times, live; `tests/conformance/run cluster` does it, and ends everything when the
//! time is up. `INFLIGHT_STORIES` names the stories to be played, separated by commas.

mod cluster;
mod failures;
mod frame;
mod java;
mod order;
mod outcome;
mod possible;
mod proxy;
mod stage;
mod stories;
mod transactions;

use cluster::Cluster;
use inflight_tests::{text_of, workspace};
use outcome::Outcome;
use serde_json::{Value, json};
use stage::Stage;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;
use std::{env, fs, process, thread};
use stories::{STORIES, Story};

fn fixture() -> PathBuf {
    workspace().join("tests/fixtures/cluster.jsonl")
}

/// The release that Maven is asked for.
fn kafka_version() -> String {
    let pom = text_of(&workspace().join("tests/conformance/pom.xml"));
    let (_, rest) = pom.split_once("<kafka.version>").expect("the pom names it");
    rest.split('<').next().expect("a version").to_owned()
}

/// Says whether an outcome is one of the possible ones, and if not, what those are.
fn check(
    story: &Story,
    is_fixed: bool,
    outcome: &Outcome,
    possible: &BTreeMap<Outcome, u64>,
) -> Result<(), String> {
    let class = story.classes[usize::from(is_fixed)];
    if possible.keys().any(|one| one.resembles(outcome, class)) {
        return Ok(());
    }
    let mut text =
        format!("{}, fixed: {is_fixed}\ncluster   {}\n", story.scenario, outcome.to_json());
    for (one, runs) in possible {
        writeln!(text, "simulator {} in {runs} runs", one.to_json()).expect("a text takes it");
    }
    Err(text)
}

#[test]
fn what_the_cluster_showed_is_possible() {
    let text = text_of(&fixture());
    let recorded: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    let mut played = 0;
    for story in &STORIES {
        for is_fixed in [false, true] {
            let possible = possible::of(story, is_fixed);
            let before = played;
            let is_it =
                |line: &&Value| line["story"] == story.scenario && line["fixed"] == is_fixed;
            for line in recorded.iter().filter(is_it) {
                let outcome = Outcome::from_json(&line["outcome"]).expect("an outcome");
                check(story, is_fixed, &outcome, &possible)
                    .unwrap_or_else(|wrong| panic!("{wrong}"));
                played += 1;
            }
            let was_played = played > before;
            assert_eq!(was_played, !possible.is_empty(), "{}, fixed: {is_fixed}", story.scenario);
        }
    }
    assert_eq!(played, recorded.len(), "each line belongs to a story");
}

/// Ends this process, and with it all that it started, when so many rounds should be over.
fn watch(times: u64) {
    let seconds = 300 + 900 * times;
    thread::spawn(move || {
        thread::sleep(Duration::from_secs(seconds));
        say(&format!("the stories are not over after {seconds} seconds"));
        process::abort();
    });
}

fn say(text: &str) {
    writeln!(std::io::stderr(), "{text}").expect("standard error is there");
}

/// Writes down what was seen: the outcomes of each story, and how often it was each. What is known
/// of stories that were not played stays.
fn record(seen: &BTreeMap<(usize, bool, Outcome), u64>) {
    let kafka = kafka_version();
    let known = fs::read_to_string(fixture()).unwrap_or_default();
    let mut text = String::new();
    for (index, story) in STORIES.iter().enumerate() {
        let played = seen.iter().filter(|((played, ..), _)| *played == index);
        let lines: Vec<Value> = played
            .map(|((_, is_fixed, outcome), times)| {
                json!({
                    "story": story.scenario, "fixed": is_fixed, "kafka": kafka,
                    "times": times, "outcome": outcome.to_json(),
                })
            })
            .collect();
        let known = known.lines().map(|line| serde_json::from_str(line).expect("a line of JSON"));
        let known = known.filter(|line: &Value| line["story"] == story.scenario);
        let lines = if lines.is_empty() { known.collect() } else { lines };
        for line in lines {
            writeln!(text, "{line}").expect("a text takes it");
        }
    }
    fs::write(fixture(), text).expect("a fixture is written");
}

/// One test, so that one cluster serves all stories.
#[test]
fn the_cluster_agrees_when_asked() {
    let Ok(times) = env::var("INFLIGHT_CLUSTER") else { return };
    let times: u64 = times.parse().expect("INFLIGHT_CLUSTER is a number");
    let wanted = env::var("INFLIGHT_STORIES").unwrap_or_default();
    let is_wanted = |story: &Story| {
        wanted.is_empty() || wanted.split(',').any(|name| story.scenario.ends_with(name))
    };
    watch(times);
    java::build();
    let mut cluster = Cluster::start();
    let (mut seen, mut wrong, mut number) = (BTreeMap::new(), Vec::new(), 0);
    for (index, story) in STORIES.iter().enumerate().filter(|(_, story)| is_wanted(story)) {
        for is_fixed in [false, true] {
            let Some(scenario) = possible::load(story, &[], is_fixed) else { continue };
            let possible = possible::of(story, is_fixed);
            for _ in 0..times {
                number += 1;
                let mut stage = Stage::set(&mut cluster, &scenario, number);
                (story.play)(&mut stage);
                let outcome = stage.end();
                say(&format!("{} {is_fixed} {}", story.scenario, outcome.to_json()));
                let journal = cluster.proxy().take_journal();
                let checked = check(story, is_fixed, &outcome, &possible);
                wrong.extend(checked.err().map(|differs| format!("{differs}{journal}\n")));
                *seen.entry((index, is_fixed, outcome)).or_default() += 1;
            }
        }
    }
    drop(cluster);
    assert!(wrong.is_empty(), "{} of {number} differ\n{}", wrong.len(), wrong.join("\n"));
    if env::var_os("INFLIGHT_RECORD").is_some() {
        record(&seen);
    }
}
