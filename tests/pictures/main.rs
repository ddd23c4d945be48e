//! Every picture of every scenario: it can be read, it is the same every time, and its figures are
//! those of the run.

mod accept;
mod browser;
mod exactly_once;
mod exports;
mod gallery;
mod korean;
mod readable;
mod transactions;

use inflight::{Description, Fact, Instant, Keep, Loaded, Options, Report, load_file, play};
use inflight_tests::{files_below, name_of, workspace};
use inflight_view::Story;

/// A run with its judgement.
struct Told {
    name: String,
    description: Description,
    facts: Vec<(Instant, Fact)>,
    report: Report,
}

impl Told {
    fn of(name: String, scenario: &Loaded) -> Self {
        let played = play(scenario, Keep::Everything);
        let report = played.explain(&scenario.description);
        Self { name, description: scenario.description.clone(), facts: played.facts, report }
    }

    fn story(&self) -> Story<'_> {
        Story { description: &self.description, facts: &self.facts, report: &self.report }
    }
}

/// Every scenario with its fix, if it has one, and what the fix changes.
fn scenarios() -> Vec<(Told, Option<(String, Told)>)> {
    let files = files_below(&workspace().join("scenarios"), ".json");
    let told = files.iter().map(|path| {
        let name = name_of(path);
        let scenario =
            load_file(path, &Options::default()).unwrap_or_else(|wrong| panic!("{wrong}"));
        let fix = scenario.fix.as_ref().map(|fix| {
            let changes = fix.changes.iter().map(|(key, value)| format!("{key}={value}"));
            let changes = changes.collect::<Vec<_>>().join(", ");
            (changes, Told::of(format!("{name}, its fix"), &fix.scenario))
        });
        (Told::of(name, &scenario), fix)
    });
    told.collect()
}

fn scenario(name: &str) -> (Told, Option<(String, Told)>) {
    let path = workspace().join("scenarios").join(name);
    let loaded = load_file(&path, &Options::default()).unwrap_or_else(|wrong| panic!("{wrong}"));
    let fix = loaded.fix.as_ref().map(|fix| {
        let changes = fix.changes.iter().map(|(key, value)| format!("{key}={value}"));
        (
            changes.collect::<Vec<_>>().join(", "),
            Told::of(format!("{name}, its fix"), &fix.scenario),
        )
    });
    (Told::of(name.to_owned(), &loaded), fix)
}
