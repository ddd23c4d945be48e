//! Which facts are told, in order.

use super::cast::Part;
use super::trail::Trail;
use inflight_des::Instant;
use inflight_protocol::{Fact, FactKind};

/// How many steps a chain has at most.
const STEPS_MAX: usize = 40;

/// More attempts than these are folded.
const ATTEMPTS_MAX: usize = 6;
/// How many attempts are told before a fold. After it comes the last one.
const ATTEMPTS_FIRST: usize = 2;

/// One step of a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Told {
    /// The position of the fact.
    pub(super) index: usize,
    /// If it stands for others: how many attempts there were in all.
    pub(super) attempts: Option<usize>,
}

/// The facts that matter for a story, ascending. Some are told in any case.
pub(super) fn of(facts: &[(Instant, Fact)], cast: &[Part], key: &[usize]) -> Vec<Told> {
    let told = |part: &Part| {
        let acked = part.trail.acked.map(|ack| ack.index);
        let failed = part.trail.failed.map(|(index, _)| index);
        acked.max(failed).max(part.trail.given_up.map(|loss| loss.index))
    };
    let end = cast.iter().map(told).max().flatten().max(key.iter().copied().max());
    let kind = |index: usize| facts.get(index).map(|(_, fact)| fact.kind());
    let mut steps: Vec<usize> = cast
        .iter()
        .flat_map(|part| part.trail.steps.iter().copied())
        .chain(key.iter().copied())
        .collect();
    steps.sort_unstable();
    steps.dedup();
    // What the cluster does once the record is told about and settled is another story.
    steps.retain(|step| end.is_none_or(|end| *step <= end) || kind(*step).is_some_and(outlasts));
    let mut folds = Vec::new();
    for part in cast {
        folds.extend(fold(&mut steps, &part.trail, kind, key));
    }
    shorten(&mut steps, kind, key);
    let steps = steps.into_iter().map(|index| Told { index, attempts: None });
    let mut told: Vec<Told> = steps.chain(folds).collect();
    told.sort_unstable();
    told
}

/// Leaves out the attempts in the middle, if there are many. Gives what stands for them.
fn fold(
    steps: &mut Vec<usize>,
    trail: &Trail,
    kind: impl Fn(usize) -> Option<FactKind>,
    key: &[usize],
) -> Option<Told> {
    let attempts = trail.attempts.len();
    if attempts <= ATTEMPTS_MAX {
        return None;
    }
    let folded = trail.attempts[ATTEMPTS_FIRST].drained..trail.attempts[attempts - 1].drained;
    steps.retain(|step| {
        let is_ours = folded.contains(step) && trail.steps.contains(step);
        !is_ours || key.contains(step) || kind(*step).is_none_or(|kind| !repeats(kind))
    });
    Some(Told { index: folded.start, attempts: Some(attempts) })
}

/// Whether facts of this kind come with every attempt.
const fn repeats(kind: FactKind) -> bool {
    matches!(
        kind,
        FactKind::BatchDrained
            | FactKind::BatchRequeued
            | FactKind::BatchRejected
            | FactKind::ProduceDecided
            | FactKind::MessageLost
            | FactKind::ConnectionClosed
    )
}

/// Whether a fact of this kind belongs to the story however late it comes.
const fn outlasts(kind: FactKind) -> bool {
    matches!(kind, FactKind::LogTruncated | FactKind::LogRecovered | FactKind::DuplicateRecognized)
}

/// Leaves out what matters least, but not the first and the last of a kind.
fn shorten(steps: &mut Vec<usize>, kind: impl Fn(usize) -> Option<FactKind>, key: &[usize]) {
    for weight in 0..=WEIGHT_MAX {
        let mut excess = steps.len().saturating_sub(STEPS_MAX);
        let all = steps.clone();
        let of_kind = |step: &&usize, wanted| kind(**step) == wanted;
        steps.retain(|step| {
            let own = kind(*step);
            let is_end = all.iter().find(|other| of_kind(other, own)) == Some(step)
                || all.iter().rev().find(|other| of_kind(other, own)) == Some(step);
            let light = own.is_none_or(|kind| weigh(kind) <= weight);
            let leave = excess > 0 && light && !is_end && !key.contains(step);
            excess -= usize::from(leave);
            !leave
        });
    }
}

const WEIGHT_MAX: u8 = 2;

/// How much a fact of a kind tells.
const fn weigh(kind: FactKind) -> u8 {
    match kind {
        FactKind::BatchDrained
        | FactKind::BatchRequeued
        | FactKind::BatchRejected
        | FactKind::ProduceDecided
        | FactKind::ConnectionClosed
        | FactKind::HighWatermarkAdvanced => 0,
        FactKind::IsrChanged
        | FactKind::MessageLost
        | FactKind::ProducerEpochBumped
        | FactKind::BatchAppended => 1,
        _ => 2,
    }
}
