//! Why something was found: the facts that matter, in order, and what would have prevented it.
//!
//! This is a second step, made from a recording, so that judging stays lean. The mechanism is
//! recognised from the facts; settings only say what would have helped.

mod anchor;
mod answered;
mod cast;
mod cause;
mod chain;
mod duplicate;
mod electable;
mod end;
mod headline;
mod loss;
mod mechanism;
mod order;
mod otherwise;
mod remedy;
mod trail;
mod work;

pub use mechanism::{Mechanism, Remedy};

use crate::verdict::{CheckerId, FactRef, Finding, Judgement, Records, View};
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
    /// The session whose transaction is concerned, by the name of its producer, if one is.
    pub session: Option<String>,
    /// The consumer concerned, by its name, if one is.
    pub consumer: Option<String>,
    /// How it came about.
    pub mechanism: Mechanism,
    /// What became of the last of the records, in one sentence, if it went another way.
    pub otherwise: Option<String>,
    /// What would have prevented it and was not in force.
    pub remedies: Vec<Remedy>,
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
    /// A hundred findings, explained, in the order of the checkers; losses come before records
    /// that are at another offset.
    pub explanations: Vec<Explanation>,
}

/// Judges a recording and explains what was found.
pub fn judge_recording(description: &Description, facts: &[(Instant, Fact)]) -> Report {
    let mut judgement = crate::judge_facts(description, facts, View::Oracle);
    let mut found: Vec<&mut Finding> = judgement.findings.iter_mut().collect();
    found.sort_by_key(|finding| rank(finding.checker));
    found.truncate(EXPLAINED_MAX);
    let explained = found.into_iter().map(|finding| {
        let explanation = explain(description, facts, finding);
        finding.decisive = explanation.finding.decisive;
        explanation
    });
    let explanations = explained.collect();
    Report { judgement, explanations }
}

/// Where a checker's findings stand. A loss tells the story of a record that is at another offset.
const fn rank(checker: CheckerId) -> (u8, bool) {
    match checker {
        CheckerId::NoLoss => (CheckerId::OffsetAgreement as u8, false),
        _ => (checker as u8, true),
    }
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
    let cause = answered::or_answered(description, facts, finding, cause, &cast);
    let mut finding = finding.clone();
    let decisive = cause.decisive.or_else(|| decisive_of(facts, &finding));
    let decisive = decisive.filter(|index| *index < facts.len());
    if let Some(index) = decisive {
        let (at, fact) = facts[index];
        finding.decisive = Some(FactRef { index: index as u64, at, kind: fact.kind() });
    }
    let present = cast.get(1).filter(|part| !part.trail.copies.is_empty());
    let other_record = present.map(|part| part.trail.record);
    let other = otherwise::of(description, facts, &finding, cause.mechanism);
    let mechanisms: Vec<_> =
        std::iter::once(cause.mechanism).chain(other.map(|other| other.mechanism)).collect();
    let step = |chain::Told { index, attempts }| {
        let (at, fact) = facts.get(index)?;
        let sentence = match attempts {
            None => sentence(fact, &namer),
            Some(attempts) => format!("… and so on, {attempts} attempts"),
        };
        Some(Step { index, at: *at, sentence })
    };
    let key: Vec<usize> = decisive
        .into_iter()
        .chain(key_of(facts, &finding, cause.mechanism))
        .chain(end::steps(facts, &finding, cast.first().map(|part| &part.trail)))
        .chain(work::steps(facts, &finding))
        .chain(answered::steps(description, facts, &finding, (&cast, cause)))
        .collect();
    Explanation {
        headline: headline::of(&finding, other_record, &namer),
        records: finding.records.iter().map(|records| name(records, &namer)).collect(),
        session: finding.transaction.map(|name| namer.session(name.session)),
        consumer: finding.consumer.map(|consumer| namer.consumer(consumer)),
        mechanism: cause.mechanism,
        otherwise: other.map(|other| other.sentence(&namer)),
        remedies: remedy::of(description, facts, &finding, &mechanisms),
        chain: chain::of(facts, &cast, &key).into_iter().filter_map(step).collect(),
        finding,
    }
}

/// A fact that a mechanism is about and that may concern another record.
fn key_of(facts: &[(Instant, Fact)], finding: &Finding, mechanism: Mechanism) -> Option<usize> {
    let Records { session, partition, .. } = *finding.records.first()?;
    let is_about_first =
        matches!(mechanism, Mechanism::FirstBatchOvertaken | Mechanism::FirstBatchShutOut);
    let first = || anchor::took_later_batch_first(facts, session, partition, facts.len());
    is_about_first.then(first).flatten()
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
