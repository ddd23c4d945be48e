//! A run is written out as a scenario that repeats it.

use super::{loaded, story};
use inflight_check::History;
use inflight_des::Script;
use inflight_protocol::Fact;
use inflight_scenario::{Loaded, realised};
use inflight_sim::{Run, run};
use inflight_trace::Recorder;

fn play(loaded: &Loaded) -> Run<(History, Recorder)> {
    let watchers = (History::new(&loaded.description), Recorder::default());
    run(&loaded.setup, loaded.seed, &Script::default(), watchers)
}

/// The facts, without the numbers of rules.
fn facts(run: &Run<(History, Recorder)>) -> Vec<String> {
    let fact = |(at, fact): &(_, Fact)| match fact {
        Fact::FaultInjected { .. } => format!("{at} a fault"),
        fact => format!("{at} {fact:?}"),
    };
    run.observer.1.facts().iter().map(fact).collect()
}

const RANDOM: &str = r#""network": { "latency": { "exponential": "1ms" } },
  "faults": [
    { "when": { "at": "2s" }, "then": { "pause": "any broker", "for": "1s" } },
    { "when": { "happened": "MessageSent", "where": { "api": "Produce" }, "odds": "1 in 5", "limit": 4 },
      "then": { "lose": "this" } },
    { "when": { "happened": "RecordsAcked", "nth": 3, "repeat": "always" },
      "then": { "slow": { "from": "any broker" }, "by": "2ms", "for": "100ms" } },
    { "when": { "every": { "exponential": "800ms" }, "limit": 3 },
      "then": { "crash": "any broker", "restart-after": "1s" } },
    { "when": { "happened": "BatchAppended", "nth": 5 },
      "then": { "lose": { "next": "response", "to": "p1" } } },
  ]"#;

fn random(seed: u64) -> Loaded {
    let text = story(RANDOM).replace(
        r#""records": 3"#,
        r#""records": 60, "every": { "exponential": "50ms" }, "key": { "numbered": 9 }"#,
    );
    loaded(&text).with_seed(seed)
}

#[test]
fn a_pinned_run_is_the_same_run() {
    for seed in 1..=6 {
        let original = random(seed);
        let first = play(&original);
        let text = realised(&original, &first.realised);
        assert!(!text.contains("odds") && !text.contains("limit"), "{text}");
        // A rule that found no broker alive finds none when it is played again.
        assert!(text.matches("any broker").count() <= 1, "{text}");
        let again = play(&loaded(&text));
        assert_eq!(facts(&again), facts(&first), "seed {seed}:\n{text}");
    }
}

#[test]
fn a_delayed_rule_is_pinned_to_its_fact() {
    let text = story(
        r#""seed": 3, "faults": [{ "when": { "happened": "RecordsAcked", "odds": "1 in 3", "limit": 4 },
             "after": "100ms", "then": { "slow-disk": "any broker", "by": "1ms" } }]"#,
    );
    let original = loaded(&text.replace(r#""records": 3"#, r#""records": 60, "every": "20ms""#));
    let first = play(&original);
    let again = play(&loaded(&realised(&original, &first.realised)));
    assert_eq!(facts(&again), facts(&first));
}

#[test]
fn pinned_odds_have_the_same_digest() {
    let text = story(
        r#""seed": 3, "faults": [{ "when": { "happened": "MessageSent", "where": { "api": "Produce" },
             "odds": "1 in 3", "limit": 4 }, "then": { "delay": "this", "by": "70ms" } }]"#,
    );
    let text = text.replace(r#""records": 3"#, r#""records": 60, "every": "20ms""#);
    let original = loaded(&text);
    let first = play(&original);
    assert_eq!(first.realised.len(), 4);
    let pinned = loaded(&realised(&original, &first.realised));
    assert_eq!(pinned.setup.faults.len(), 4);
    assert_eq!(play(&pinned).digest, first.digest);
}

#[test]
fn what_is_pinned_already_stays_as_it_is() {
    let original = loaded(&story(
        r#""faults": [{ "when": { "at": "1s" }, "then": { "crash": "b1", "restart-after": "1s" } }]"#,
    ));
    let text = realised(&original, &play(&original).realised);
    assert!(text.contains(r#""when": { "at": "1s" }"#), "{text}");
    assert_eq!(realised(&loaded(&text), &[]), text);
}
