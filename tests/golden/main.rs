//! Every scenario of the project, and its fix: each does what its author expects, and each is the
//! same run, byte for byte, as when it was last looked at. `UPDATE_EXPECT=1` pins what there is.

use expect_test::expect_file;
use inflight::sim::run;
use inflight::{Keep, Loaded, Options, Played, Script, Verdict, load_file, play};
use inflight_tests::{files_below, name_of, workspace};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// A scenario, or its fix.
struct Tale {
    /// Its path below `scenarios`, without the ending.
    name: String,
    scenario: Loaded,
}

/// Every scenario in order, each followed by its fix.
fn tales() -> Vec<Tale> {
    let mut tales = Vec::new();
    for path in files_below(&workspace().join("scenarios"), ".json") {
        let name = name_of(&path);
        let name = name.trim_start_matches("scenarios/").trim_end_matches(".json");
        let loaded = load_file(&path, &Options::default());
        let mut scenario = loaded.unwrap_or_else(|wrong| panic!("{wrong}"));
        let fix = scenario.fix.take();
        tales.push(Tale { name: name.to_owned(), scenario });
        if let Some(fix) = fix {
            tales.push(Tale { name: format!("{name} (fixed)"), scenario: fix.scenario });
        }
    }
    assert!(!tales.is_empty(), "there are scenarios");
    tales
}

/// What is pinned of a run.
fn line(tale: &Tale, played: &Played) -> String {
    let (seed, verdict) = (tale.scenario.description.seed, played.judgement.worst().word());
    format!("{} {verdict:<9} seed {seed} {}", played.trace_digest(), tale.name)
}

#[test]
fn every_run_is_what_it_was() {
    let mut text = "# digest, verdict, seed and name of every scenario\n".to_owned();
    for tale in tales() {
        let played = play(&tale.scenario, Keep::Everything);
        writeln!(text, "{}", line(&tale, &played)).expect("a text takes it");
    }
    expect_file!["digests.txt"].assert_eq(&text);
    // Stories differ in what is in their packets, if in nothing else.
    let digests: Vec<&str> = text.lines().skip(1).filter_map(|line| line.get(..32)).collect();
    assert_eq!(digests.iter().collect::<BTreeSet<_>>().len(), digests.len());
}

#[test]
fn every_run_does_what_its_author_expects() {
    let mut wrong = Vec::new();
    for tale in tales() {
        let played = play(&tale.scenario, Keep::Expected);
        wrong.extend(played.unmet.iter().map(|unmet| format!("{}: {unmet}", tale.name)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A scenario has one fix, and Kafka sometimes several.
#[test]
fn another_remedy_than_the_fix_helps_too() {
    let remedies = [
        // Each transaction has its own producer epoch, so that nobody need be asked.
        ("transactions/hanging-transaction", "cluster.transaction.version=2"),
        // Whoever takes over fences, before KIP-447 and since.
        (
            "transactions/zombie-keeps-its-partitions",
            "consumers[1].transform.config.transactional.id=billing-1",
        ),
        (
            "transactions/zombie-keeps-its-partitions",
            "consumers[0].config.session.timeout.ms=45000",
        ),
    ];
    for (name, change) in remedies {
        let options = Options { overrides: vec![change.to_owned()], ..Options::default() };
        let path = workspace().join("scenarios").join(name).with_extension("json");
        let loaded = load_file(&path, &options).unwrap_or_else(|wrong| panic!("{wrong}"));
        let played = play(&loaded, Keep::Expected);
        assert_eq!(played.judgement.worst(), Verdict::Ok, "{name} with {change}");
    }
}

/// One thread goes through the scenarios forwards, the other backwards.
#[test]
fn runs_side_by_side_are_the_same_as_alone() {
    let tales = tales();
    let run = |tale: &Tale| play(&tale.scenario, Keep::Everything);
    let alone: Vec<Played> = tales.iter().map(run).collect();
    let (forwards, mut backwards) = std::thread::scope(|scope| {
        let forwards = scope.spawn(|| tales.iter().map(run).collect::<Vec<_>>());
        let backwards = scope.spawn(|| tales.iter().rev().map(run).collect::<Vec<_>>());
        (forwards.join().expect("no panic"), backwards.join().expect("no panic"))
    });
    backwards.reverse();
    for beside in [forwards, backwards] {
        for ((tale, alone), beside) in tales.iter().zip(&alone).zip(&beside) {
            let all = |played: &Played| (played.digest, played.events, played.end);
            assert_eq!(all(beside), all(alone), "{}", tale.name);
            assert_eq!(beside.facts, alone.facts, "{}", tale.name);
            assert_eq!(beside.judgement, alone.judgement, "{}", tale.name);
        }
    }
}

#[test]
fn whoever_watches_sees_the_same_run() {
    for tale in tales() {
        let all = play(&tale.scenario, Keep::Everything);
        let few = play(&tale.scenario, Keep::Expected);
        let nobody = run(&tale.scenario.setup, tale.scenario.seed, &Script::default(), ());
        assert_eq!(few.digest, all.digest, "{}: a recorder sees", tale.name);
        assert_eq!(few.judgement, all.judgement, "{}: a recorder sees", tale.name);
        assert_eq!(nobody.digest, all.digest, "{}: nobody sees", tale.name);
        assert_eq!(nobody.events, all.events, "{}: nobody sees", tale.name);
    }
}
