//! What `inflight run` tells of the project's own scenarios.

use super::{DUPLICATE, Place};
use std::path::Path;

/// What is printed under "What happened" and under "Verdict".
fn told(name: &str) -> (String, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let path = root.join(name).with_extension("json");
    let ran = Place::new(&name.replace('/', "-")).run(&["run", path.to_str().unwrap()]);
    let (_, rest) = ran.ends(0).out.split_once("What happened\n").unwrap();
    let (lanes, verdict) = rest.split_once("Verdict: ").unwrap();
    (lanes.to_owned(), verdict.to_owned())
}

/// The paragraph of a checker's nth finding.
fn finding<'a>(verdict: &'a str, checker: &str, nth: usize) -> &'a str {
    let start = format!("  {checker} ");
    verdict.split("\n\n").filter(|part| part.starts_with(&start)).nth(nth).unwrap()
}

#[test]
fn a_loss_comes_first_and_is_told_once() {
    let (_, verdict) = told("loss/acks-1-failover");
    let loss = finding(&verdict, "B3", 0);
    assert!(loss.contains("appended record 2 of p1"), "{loss}");
    assert!(verdict.find(loss) < verdict.find("  B2 "), "{verdict}");
    let place = finding(&verdict, "B2", 0);
    assert!(place.ends_with("\n  The story is that of B3."), "{place}");
    let (_, verdict) = told("loss/unclean-election");
    let leader = finding(&verdict, "W2", 0);
    assert!(leader.ends_with("\n  The story is that of B3."), "{leader}");
}

#[test]
fn who_was_given_records_hears_their_story_once() {
    let (_, verdict) = told("transactions/abort-without-a-leader");
    assert!(finding(&verdict, "B9", 0).contains("sent no marker to payments-0"), "{verdict}");
    let given = finding(&verdict, "B9", 1);
    assert!(given.contains("Reader was given record 0"), "{given}");
    assert!(given.ends_with("\n  The story is that of B9."), "{given}");
}

#[test]
fn what_is_seen_inside_refers_to_what_was_told() {
    let (_, verdict) = told("surprises/sequence-rewritten");
    let sequences = finding(&verdict, "W7", 0);
    let told_before = "\n  The story is told with B4a.\n  The leader accepted a sequence number ";
    assert!(sequences.contains(told_before), "{sequences}");
    // The batch of another record that came first is a part of the story.
    let (_, verdict) = told("surprises/first-batch-overtaken");
    let sequences = finding(&verdict, "W7", 0);
    assert!(sequences.contains("  The story is told with B5p.\n"), "{sequences}");
    let (_, verdict) = told("surprises/forgotten-batch");
    let other = finding(&verdict, "W8", 1);
    assert!(other.contains("Record 2 ") && other.contains("  The story is told with B4a.\n"));
}

#[test]
fn the_timeline_has_every_fact_that_is_told() {
    for name in ["replication/isolated-leader", "surprises/first-batch-overtaken"] {
        let (lanes, verdict) = told(name);
        assert!(lanes.contains(" more …"), "{name} is too short for this");
        let mut seen = 0;
        for line in verdict.lines() {
            let line = line.strip_prefix("  >").or_else(|| line.strip_prefix("   "));
            let number = line.and_then(|line| line.split_whitespace().next()?.parse::<u32>().ok());
            let Some(number) = number else { continue };
            seen += 1;
            let shown = |line: &str| line.split_whitespace().nth(2) == Some(&number.to_string());
            assert!(lanes.lines().any(shown), "fact {number} of {name} is not in:\n{lanes}");
        }
        assert!(seen > 5, "{verdict}");
    }
}

#[test]
fn messages_that_are_repeated_are_counted() {
    let (_, verdict) = told("duplication/application-sends-again");
    assert!(verdict.lines().nth(1).unwrap().ends_with(", 1 repeated"), "{verdict}");
    let repeated = finding(&verdict, "B4b", 0);
    let text = "repeats a message that the log has already, as record 2.\n  Kafka promises this \
                under no configuration.\n";
    assert!(repeated.contains(text), "{repeated}");
}

#[test]
fn what_is_not_met_is_one_line() {
    let place = Place::new("one-line");
    let pattern = "\"facts\": [{\n  \"happened\": \"LinkCut\",\n  \"times\": 1\n}]";
    let counts = "\"counts\": { \"acked\": 2, \"duplicated\": 1 }";
    place.write("lost.json", &DUPLICATE.replace(counts, pattern));
    let ran = place.run(&["run", "lost.json", "--no-twin"]);
    let start = "1 of 2 expectations not met:\n  facts[0]";
    let (_, rest) = ran.ends(1).out(start).out.split_once(start).unwrap();
    assert!(rest.lines().next().unwrap().ends_with("found 0"), "{rest}");
    let ran = place.run(&["test", "lost.json"]);
    let line = ran.out.lines().find(|line| line.contains("facts[0]")).unwrap();
    assert!(line.ends_with("found 0"), "{}", ran.out);
}
