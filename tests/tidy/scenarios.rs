//! Scenarios are there to teach.

use inflight::{Keep, Loaded, Options, Verdict, load_file, play};
use inflight_tests::{files_below, name_of, workspace};
use std::collections::BTreeSet;

fn scenarios() -> Vec<(String, Loaded)> {
    let files = files_below(&workspace().join("scenarios"), ".json");
    let load =
        |path| load_file(path, &Options::default()).unwrap_or_else(|wrong| panic!("{wrong}"));
    files.iter().map(|path| (name_of(path), load(path))).collect()
}

#[test]
fn every_scenario_says_what_it_teaches() {
    let mut titles = BTreeSet::new();
    for (name, scenario) in scenarios() {
        assert!(!scenario.teaches.is_empty(), "{name}: \"teaches\"");
        for sentence in &scenario.teaches {
            assert!(sentence.ends_with(['.', '?', '!']), "{name}: a sentence: {sentence}");
        }
        assert!(!scenario.title.ends_with('.'), "{name}: a title");
        assert!(titles.insert(scenario.title.clone()), "{name}: its title has another, too");
    }
}

#[test]
fn whatever_goes_wrong_in_a_scenario_is_cured_by_its_fix() {
    for (name, scenario) in scenarios() {
        let verdict = play(&scenario, Keep::Expected).judgement.worst();
        let Some(fix) = &scenario.fix else {
            assert_eq!(verdict, Verdict::Ok, "{name}: \"fix\"");
            continue;
        };
        assert!(fix.why.ends_with('.'), "{name}: why the fix helps, as a sentence");
        assert!(!fix.changes.is_empty(), "{name}: what the fix changes");
        let fixed = play(&fix.scenario, Keep::Expected).judgement.worst();
        assert_eq!(fixed, Verdict::Ok, "{name}: the fix");
    }
}

#[test]
fn every_scenario_and_fix_expects_something() {
    for (name, scenario) in scenarios() {
        let fixed = scenario.fix.iter().map(|fix| (&fix.scenario, "its fix"));
        for (told, which) in std::iter::once((&scenario, "it")).chain(fixed) {
            assert!(!told.expectations.verdict.is_empty(), "{name}: the verdict of {which}");
            assert!(!told.expectations.counts.is_empty(), "{name}: the counts of {which}");
        }
    }
}

/// What Kafka did once is told apart from what it does.
#[test]
fn only_history_breaks_a_rule_on_purpose() {
    for (name, scenario) in scenarios() {
        let is_history = name.starts_with("scenarios/history/");
        assert_eq!(scenario.description.defects.len(), usize::from(is_history), "{name}");
        let fixed = scenario.fix.as_ref().map(|fix| &fix.scenario.description.defects);
        assert!(fixed.is_none_or(Vec::is_empty), "{name}: its fix is Kafka as it is");
    }
}
