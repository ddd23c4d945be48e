//! Whatever is set and whatever goes wrong: as long as no rule is broken on purpose, nothing that
//! the configuration promises is broken, except where Kafka itself falls short.
//!
//! The scenarios are the same every time; `PROPTEST_CASES=100000` looks further.

mod answers;
mod endings;
mod found;
mod groups;
mod law;
mod pipelines;
mod readers;
mod stories;

use inflight::check::Subject;
use inflight::{CheckerId, Verdict};
use law::Law;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use stories::{Weather, scenario};

/// How many random scenarios of each weather, unless PROPTEST_CASES asks for more.
const CASES: u32 = 1_000;

/// Checks so many random scenarios. One that breaks the law is made smaller and shown.
fn hold(weather: Weather) -> Law {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let mut runner = TestRunner::deterministic();
    let strategy = scenario(weather);
    let mut law = Law::default();
    for _ in 0..asked.unwrap_or(CASES) {
        let mut tree = strategy.new_tree(&mut runner).expect("a scenario");
        let Err(mut wrong) = law.check(&tree.current()) else { continue };
        let mut smallest = tree.current();
        let mut goes_on = tree.simplify();
        while goes_on {
            let text = tree.current();
            goes_on = match Law::default().check(&text) {
                Err(still) => {
                    (wrong, smallest) = (still, text);
                    tree.simplify()
                }
                Ok(()) => tree.complicate(),
            };
        }
        panic!("{wrong}\n{smallest}");
    }
    law
}

/// A law that nothing is measured by holds always.
fn assert_it_was_tried(law: &Law) {
    // The stories have neither transactions nor consumers.
    for checker in CheckerId::ALL.iter().filter(|c| c.subject() == Subject::Records) {
        let runs = law.examined.get(checker).copied().unwrap_or_default();
        assert!(runs > 0, "no run had anything for {checker} to examine");
    }
    assert!(law.worst.contains_key(&Verdict::Ok), "some runs are fine: {law:?}");
    assert!(law.worst.contains_key(&Verdict::Allowed), "something went wrong: {law:?}");
}

#[test]
fn promises_hold_while_processes_die_and_links_break() {
    assert_it_was_tried(&hold(Weather::Rough));
}

#[test]
fn promises_hold_while_machines_lose_power() {
    assert_it_was_tried(&hold(Weather::Harsh));
}
