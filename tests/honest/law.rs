//! What must hold of every run, and what is known to hold not.

use inflight::check::{View, judge_facts};
use inflight::protocol::Fact;
use inflight::{
    CheckerId, Explanation, Halt, Keep, Loaded, Mechanism, Options, Played, Verdict, load_text,
    play,
};
use proptest::test_runner::TestCaseError;
use std::collections::{BTreeMap, BTreeSet};

/// Where Kafka breaks what it promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Weakness {
    /// An idempotent producer raises its epoch and renumbers a batch that the log has already.
    Renumbered(Mechanism),
    /// An idempotent producer that gets no producer id does not look at delivery.timeout.ms: its
    /// sender ends each pass before it looks for expired batches. Kafka: Sender.runOnce.
    WaitsForId,
}

/// What comes of a batch that is renumbered although the log has it.
pub(crate) const RENUMBERED: [Mechanism; 4] = [
    Mechanism::ForgottenBatch,
    Mechanism::FirstBatchOvertaken,
    Mechanism::SequenceRewritten,
    Mechanism::SequenceReused,
];

/// The law, and what was seen while it was applied.
#[derive(Debug, Default)]
pub(crate) struct Law {
    /// In how many runs a checker examined something.
    pub(crate) examined: BTreeMap<CheckerId, u32>,
    /// How many runs had each gravest verdict.
    pub(crate) worst: BTreeMap<Verdict, u32>,
    /// How often each weakness was found.
    weaknesses: BTreeMap<Weakness, u32>,
}

impl Law {
    /// Runs a scenario.
    pub(crate) fn check(&mut self, text: &str) -> Result<(), TestCaseError> {
        let loaded = load_text("random.json", text, &Options::default());
        let loaded = loaded.map_err(|wrong| TestCaseError::fail(wrong.to_string()))?;
        let played = play(&loaded, Keep::Everything);
        let judgement = &played.judgement;
        for (checker, opinion) in judgement.opinions() {
            *self.examined.entry(checker).or_default() += u32::from(opinion.examined > 0);
        }
        *self.worst.entry(judgement.worst()).or_default() += 1;
        self.promises_hold(&loaded, &played).map_err(TestCaseError::fail)?;
        users_see_no_more(&loaded, &played).map_err(TestCaseError::fail)
    }

    fn promises_hold(&mut self, loaded: &Loaded, played: &Played) -> Result<(), String> {
        let nameless = nameless(loaded, played);
        if played.halt == Halt::EventBudget {
            return Err("there is no end of events".to_owned());
        }
        if played.judgement.worst() < Verdict::Violation {
            return Ok(());
        }
        let told = played.explain(&loaded.description).explanations;
        for told in told.iter().filter(|told| told.finding.verdict == Verdict::Violation) {
            let Some(weakness) = weakness(told, &nameless) else {
                let Explanation { finding, headline, mechanism, .. } = told;
                return Err(format!("{}: {headline} [{mechanism}]", finding.checker));
            };
            *self.weaknesses.entry(weakness).or_default() += 1;
        }
        Ok(())
    }
}

/// The known weakness that a finding shows, if it does.
fn weakness(told: &Explanation, nameless: &BTreeSet<u64>) -> Option<Weakness> {
    let finding = &told.finding;
    match (finding.checker, told.mechanism) {
        (_, mechanism) if RENUMBERED.contains(&mechanism) => Some(Weakness::Renumbered(mechanism)),
        (CheckerId::Progress, Mechanism::NeverAnswered) => {
            let is_nameless = |session: u64| nameless.contains(&session);
            let mut sessions = finding.records.iter().map(|records| records.session.get().into());
            let known = !finding.records.is_empty() && sessions.all(is_nameless);
            known.then_some(Weakness::WaitsForId)
        }
        _ => None,
    }
}

/// The sessions of idempotent producers that never got a producer id.
fn nameless(loaded: &Loaded, played: &Played) -> BTreeSet<u64> {
    let mut nameless = BTreeSet::new();
    for (_, fact) in &played.facts {
        match *fact {
            Fact::ProducerStarted { client, session } => {
                let own = loaded.setup.clients[client.index()].producer.as_ref();
                let config = &own.expect("a session has a producer").config;
                if config.enable_idempotence {
                    nameless.insert(session.get().into());
                }
            }
            Fact::ProducerIdAssigned { session, .. } => {
                nameless.remove(&session.get().into());
            }
            _ => {}
        }
    }
    nameless
}

/// Who knows only what applications and readers know finds nothing that is not there.
fn users_see_no_more(loaded: &Loaded, played: &Played) -> Result<(), String> {
    let user = judge_facts(&loaded.description, &played.facts, View::User);
    for (checker, opinion) in user.opinions() {
        let oracle = played.judgement.opinion(checker);
        if opinion.verdict == Verdict::Violation && oracle.verdict < Verdict::Violation {
            return Err(format!("{checker}: a violation, but not for the oracle"));
        }
    }
    Ok(())
}
