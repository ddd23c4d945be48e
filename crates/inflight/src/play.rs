//! One run of a scenario, judged.

use inflight_check::View;
use inflight_check::{History, Judgement, Report, judge, judge_recording};
use inflight_des::{Halt, Instant, Kinds, Script};
use inflight_protocol::Fact;
use inflight_scenario::{Loaded, Unmet};
use inflight_sim::fault::Realised;
use inflight_trace::{Description, Recorder, TraceDigest};

/// Which facts are kept in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// Those that the expectations speak of.
    Expected,
    /// Every one, so that the run can be drawn and explained.
    #[default]
    Everything,
}

/// A run that is over.
#[derive(Clone, Debug)]
pub struct Played {
    /// What all checkers say.
    pub judgement: Judgement,
    /// The expectations that were not met.
    pub unmet: Vec<Unmet>,
    /// The facts that were kept, in order.
    pub facts: Vec<(Instant, Fact)>,
    /// Why the run ended.
    pub halt: Halt,
    /// Whether the cluster was at rest at the end.
    pub settled: bool,
    /// When it ended.
    pub end: Instant,
    /// How many events were handled.
    pub events: u64,
    /// The run digest: which events and packets there were, and when. It holds whatever is kept.
    pub digest: u128,
    /// The faults that took effect, in order.
    pub faults: Vec<Realised>,
}

/// Runs a scenario with its seed and judges the run.
pub fn play(scenario: &Loaded, keep: Keep) -> Played {
    let kinds = match keep {
        Keep::Everything => Kinds::ALL,
        Keep::Expected => {
            let expected = scenario.expectations.facts.iter();
            expected.fold(Kinds::NONE, |kinds, facts| kinds.and(facts.pattern.kind.set()))
        }
    };
    let watchers = (History::new(&scenario.description), Recorder::new(kinds));
    let run = inflight_sim::run(&scenario.setup, scenario.seed, &Script::default(), watchers);
    let (history, recorder) = run.observer;
    let judgement = judge(&history, View::Oracle);
    let facts = recorder.into_facts();
    let unmet = scenario.expectations.unmet(&judgement, &facts);
    Played {
        judgement,
        unmet,
        facts,
        halt: run.halt,
        settled: run.settled,
        end: run.end,
        events: run.events,
        digest: run.digest,
        faults: run.realised,
    }
}

impl Played {
    /// The digest of every fact, in hexadecimal, as traces have it: equal digests are equal runs.
    /// Needs [`Keep::Everything`].
    pub fn trace_digest(&self) -> String {
        TraceDigest::of(&self.facts).value().to_string()
    }

    /// What was found, with its story. Needs [`Keep::Everything`].
    pub fn explain(&self, description: &Description) -> Report {
        judge_recording(description, &self.facts)
    }
}
