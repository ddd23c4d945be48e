//! Which facts are told, in order.

use super::cast::Part;
use inflight_des::Instant;
use inflight_protocol::{Fact, FactKind};

/// How many steps a chain has at most.
const STEPS_MAX: usize = 40;

/// The positions of the facts that matter for a story, ascending.
pub(super) fn of(facts: &[(Instant, Fact)], cast: &[Part], decisive: Option<usize>) -> Vec<usize> {
    let told = |part: &Part| {
        let acked = part.trail.acked.map(|ack| ack.index);
        let failed = part.trail.failed.map(|(index, _)| index);
        acked.max(failed).max(part.trail.given_up.map(|loss| loss.index))
    };
    let end = cast.iter().map(told).max().flatten().max(decisive);
    let kind = |index: usize| facts.get(index).map(|(_, fact)| fact.kind());
    let mut steps: Vec<usize> =
        cast.iter().flat_map(|part| part.trail.steps.iter().copied()).chain(decisive).collect();
    steps.sort_unstable();
    steps.dedup();
    // What the cluster does once the record is told about and settled is another story.
    steps.retain(|step| end.is_none_or(|end| *step <= end) || kind(*step).is_some_and(outlasts));
    shorten(&mut steps, kind, decisive);
    steps
}

/// Whether a fact of this kind belongs to the story however late it comes.
const fn outlasts(kind: FactKind) -> bool {
    matches!(kind, FactKind::LogTruncated | FactKind::LogRecovered | FactKind::DuplicateRecognized)
}

/// Leaves out what matters least, but not the first and the last of a kind.
fn shorten(
    steps: &mut Vec<usize>,
    kind: impl Fn(usize) -> Option<FactKind>,
    decisive: Option<usize>,
) {
    for weight in 0..=WEIGHT_MAX {
        let mut excess = steps.len().saturating_sub(STEPS_MAX);
        let all = steps.clone();
        let of_kind = |step: &&usize, wanted| kind(**step) == wanted;
        steps.retain(|step| {
            let own = kind(*step);
            let is_end = all.iter().find(|other| of_kind(other, own)) == Some(step)
                || all.iter().rev().find(|other| of_kind(other, own)) == Some(step);
            let light = own.is_none_or(|kind| weigh(kind) <= weight);
            let leave = excess > 0 && light && !is_end && Some(*step) != decisive;
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
