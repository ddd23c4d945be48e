//! Whatever is set and whatever goes wrong: as long as no rule is broken on purpose, nothing that
//! the configuration promises is broken, except where Kafka itself falls short.

mod found;
mod law;
mod stories;

use inflight::{CheckerId, Verdict};
use law::Law;
use proptest::test_runner::{Config, TestRunner};
use std::cell::RefCell;
use stories::{Weather, scenario};

/// How many random scenarios of each weather, unless PROPTEST_CASES asks for more.
const CASES: u32 = 1_000;

/// Checks random scenarios. One that fails is shown as a file that can be saved and run.
fn hold(weather: Weather) -> Law {
    let law = RefCell::new(Law::default());
    let mut config = Config { failure_persistence: None, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = CASES;
    }
    let mut runner = TestRunner::new(config);
    let outcome = runner.run(&scenario(weather), |text| law.borrow_mut().check(&text));
    if let Err(wrong) = outcome {
        panic!("{}", wrong.to_string().replace("\\n", "\n").replace("\\\"", "\""));
    }
    law.into_inner()
}

/// A law that nothing is measured by holds always.
fn assert_it_was_tried(law: &Law) {
    for checker in CheckerId::ALL {
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
