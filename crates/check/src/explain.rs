//! Why something was found: the facts that matter, in order, and what would have prevented it.
//!
//! This is a second step, made from a recording, so that judging stays lean. The mechanism is
//! recognised from the facts; settings only say what would have helped.

mod cast;
mod cause;
mod chain;
mod duplicate;
mod electable;
mod headline;
mod loss;
mod mechanism;
mod order;
mod trail;

pub use mechanism::{Mechanism, Remedy};

use crate::verdict::{FactRef, Finding, Judgement, Records, View};
use inflight_des::Instant;
use inflight_protocol::Fact;
use inflight_trace::{Description, Namer, sentence};

/// How many findings of a run are explained.
const EXPLAINED_MAX: usize = 100;

/// A finding with its story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The finding, with the fact that decides it.
    pub finding: Finding,
    /// What was found, in one sentence.
    pub headline: String,
    /// The records by the names that a user knows.
    pub records: Vec<String>,
    /// How it came about.
    pub mechanism: Mechanism,
    /// The facts that matter for the first of the records, in order.
    pub chain: Vec<Step>,
}

/// One fact of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its position in the recording, from 0.
    pub index: usize,
    /// When it happened.
    pub at: Instant,
    /// What happened.
    pub sentence: String,
}

/// A judged recording with an explanation of each finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What the checkers say, with the oracle's knowledge.
    pub judgement: Judgement,
    /// The first hundred findings, explained.
    pub explanations: Vec<Explanation>,
}

/// Judges a recording and explains what was found.
pub fn judge_recording(description: &Description, facts: &[(Instant, Fact)]) -> Report {
    let mut judgement = crate::judge_facts(description, facts, View::Oracle);
    let found = judgement.findings.iter().take(EXPLAINED_MAX);
    let explanations: Vec<_> = found.map(|finding| explain(description, facts, finding)).collect();
    for (finding, explanation) in judgement.findings.iter_mut().zip(&explanations) {
        finding.decisive = explanation.finding.decisive;
    }
    Report { judgement, explanations }
}

/// Explains a finding from a recording of the run. The recording should have every kind of fact;
/// without some the mechanism may stay unknown.
pub fn explain(
    description: &Description,
    facts: &[(Instant, Fact)],
    finding: &Finding,
) -> Explanation {
    let namer = Namer::of(description, facts);
    let cast = cast::of(description, facts, finding);
    let cause = cause::of(description, facts, finding, &cast);
    let mut finding = finding.clone();
    let decisive = cause.decisive.or_else(|| decisive_of(facts, &finding));
    let decisive = decisive.filter(|index| *index < facts.len());
    if let Some(index) = decisive {
        let (at, fact) = facts[index];
        finding.decisive = Some(FactRef { index: index as u64, at, kind: fact.kind() });
    }
    let step = |index: usize| {
        let (at, fact) = facts.get(index)?;
        Some(Step { index, at: *at, sentence: sentence(fact, &namer) })
    };
    Explanation {
        headline: headline::of(&finding, &namer),
        records: finding.records.iter().map(|records| name(records, &namer)).collect(),
        mechanism: cause.mechanism,
        chain: chain::of(facts, &cast, decisive).into_iter().filter_map(step).collect(),
        finding,
    }
}

/// The position of the fact that a checker noted, in this recording.
fn decisive_of(facts: &[(Instant, Fact)], finding: &Finding) -> Option<usize> {
    let noted = finding.decisive?;
    let is_it = |(at, fact): &(Instant, Fact)| *at == noted.at && fact.kind() == noted.kind;
    let index = usize::try_from(noted.index).ok()?;
    match facts.get(index).is_some_and(is_it) {
        true => Some(index),
        false => facts.iter().position(is_it),
    }
}

fn name(records: &Records, namer: &Namer) -> String {
    namer.records(records.session, records.partition, records.run.start, records.run.len())
}
