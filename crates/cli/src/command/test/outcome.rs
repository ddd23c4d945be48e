//! One scenario tested.

use crate::command::repeated;
use crate::failure::Exit;
use crate::printer::Look;
use inflight::{Diagnostics, Fix, Keep, Loaded, Options, Unmet, Verdict, load_file, play};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// What became of a scenario and its twin.
pub(super) struct Tested {
    pub(super) path: PathBuf,
    pub(super) cases: Vec<Case>,
}

/// One run.
pub(super) struct Case {
    /// What the fix changes, if it is the twin.
    pub(super) fix: Option<String>,
    /// The verdict and the counts, in brief.
    pub(super) note: String,
    pub(super) outcome: Outcome,
}

/// How it went.
pub(super) enum Outcome {
    /// Everything is as expected.
    Passed,
    /// Something is not as expected.
    Failed(Vec<Unmet>),
    /// The scenario cannot be run.
    Unusable(Box<Diagnostics>),
    /// The simulator broke an assertion of its own.
    Panicked(String),
}

impl Outcome {
    /// The word at the beginning of the line.
    pub(super) const fn word(&self) -> (&'static str, Look) {
        match self {
            Self::Passed => ("ok", Look::Good),
            Self::Failed(_) => ("FAIL", Look::Bad),
            Self::Unusable(_) => ("BAD", Look::Bad),
            Self::Panicked(_) => ("BUG", Look::Bad),
        }
    }

    /// How the process should end.
    pub(super) const fn exit(&self) -> Exit {
        match self {
            Self::Passed => Exit::Fine,
            Self::Failed(_) => Exit::Unmet,
            Self::Unusable(_) => Exit::Unusable,
            Self::Panicked(_) => Exit::Bug,
        }
    }
}

/// Tests a scenario and its twin.
pub(super) fn tested(path: &Path) -> Tested {
    let loaded = catch_unwind(AssertUnwindSafe(|| load_file(path, &Options::default())));
    let cases = match loaded {
        Ok(Ok(scenario)) => {
            let twin = scenario.fix.as_deref();
            let own = case(&scenario, None);
            let twin = twin.map(|fix| case(&fix.scenario, Some(changes(fix))));
            std::iter::once(own).chain(twin).collect()
        }
        Ok(Err(diagnostics)) => vec![without_run(Outcome::Unusable(Box::new(diagnostics)))],
        Err(panic) => vec![without_run(Outcome::Panicked(message(&*panic)))],
    };
    Tested { path: path.to_owned(), cases }
}

fn without_run(outcome: Outcome) -> Case {
    Case { fix: None, note: String::new(), outcome }
}

fn changes(fix: &Fix) -> String {
    let changes = fix.changes.iter().map(|(key, value)| format!("{key}={value}"));
    changes.collect::<Vec<_>>().join(", ")
}

fn case(scenario: &Loaded, fix: Option<String>) -> Case {
    let played = match catch_unwind(AssertUnwindSafe(|| play(scenario, Keep::Expected))) {
        Ok(played) => played,
        Err(panic) => {
            let outcome = Outcome::Panicked(message(&*panic));
            return Case { fix, note: String::new(), outcome };
        }
    };
    let worst = played.judgement.worst();
    let counts = &played.judgement.counts;
    let mut note = format!("{worst}: {} of {} acked", counts.acked, counts.sent);
    for (number, word) in [
        (counts.lost, "lost"),
        (counts.duplicated, "duplicated"),
        (counts.reordered, "reordered"),
        (repeated(&played.judgement), "repeated"),
    ] {
        if number > 0 {
            note.push_str(&format!(", {number} {word}"));
        }
    }
    let mut unmet = played.unmet;
    if scenario.expectations.is_empty() && worst == Verdict::Violation {
        let (about, found) = ("verdict".to_owned(), worst.to_string());
        unmet.push(Unmet { about, expected: "no violation".to_owned(), found });
    }
    let outcome = if unmet.is_empty() { Outcome::Passed } else { Outcome::Failed(unmet) };
    Case { fix, note, outcome }
}

/// What a panic says.
fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without a message").to_owned()
}
