//! A script that shows a difference, made as short as it goes.

use crate::ours::Ours;
use crate::script::{Batch, Script, Step};

/// The shortest script found that still `differs`.
pub(crate) fn shrink(script: &Script, mut differs: impl FnMut(&Script) -> bool) -> Script {
    let mut script = counted(script);
    let mut keeps = |candidate: &Script| differs(&placed(candidate));
    loop {
        let before = script.clone();
        let segment = script.segment;
        leave_out(&mut script.steps, &mut |steps: &Vec<Step>| {
            keeps(&Script { segment, steps: steps.clone() })
        });
        simplify(&mut script, &mut keeps);
        if script == before {
            return placed(&script);
        }
    }
}

/// Leaves out steps that are not needed, many at once to begin with.
pub(crate) fn leave_out<S: Clone>(steps: &mut Vec<S>, keeps: &mut impl FnMut(&Vec<S>) -> bool) {
    let mut chunk = steps.len();
    while chunk > 0 {
        let mut at = 0;
        while at < steps.len() {
            let mut candidate = steps.clone();
            candidate.drain(at..(at + chunk).min(steps.len()));
            if keeps(&candidate) {
                *steps = candidate;
            } else {
                at += chunk;
            }
        }
        chunk /= 2;
    }
}

fn simplify(script: &mut Script, keeps: &mut impl FnMut(&Script) -> bool) {
    for at in 0..script.steps.len() {
        while let Some(simpler) = simpler(script.steps[at]) {
            let mut candidate = script.clone();
            candidate.steps[at] = simpler;
            if !keeps(&candidate) {
                break;
            }
            *script = candidate;
        }
    }
}

/// Cuts say how many batches go instead of where, so that they make sense without other steps.
fn counted(script: &Script) -> Script {
    let mut ours = Ours::new(script.segment);
    let count = |step: &Step| {
        let counted = match *step {
            Step::Truncate(to) => {
                Step::Truncate(ours.boundaries().iter().filter(|end| **end > to).count() as u64)
            }
            other => other,
        };
        ours.play(*step);
        counted
    };
    Script { segment: script.segment, steps: script.steps.iter().map(count).collect() }
}

/// The script in which cuts say again where.
fn placed(counted: &Script) -> Script {
    let mut ours = Ours::new(counted.segment);
    let place = |step: &Step| {
        let placed = match *step {
            Step::Truncate(batches) => {
                let ends = ours.boundaries();
                Step::Truncate(ends[(ends.len() - 1).saturating_sub(batches as usize)])
            }
            other => other,
        };
        ours.play(placed);
        placed
    };
    Script { segment: counted.segment, steps: counted.steps.iter().map(place).collect() }
}

/// A step that does less.
fn simpler(step: Step) -> Option<Step> {
    let fewer = |batch: Batch| {
        let count = batch.count.checked_sub(1).filter(|count| *count > 0)?;
        Some(Batch { count, ..batch })
    };
    match step {
        Step::Append(batch) => fewer(batch).map(Step::Append),
        Step::Follow(batch) => fewer(batch).map(Step::Follow),
        Step::Truncate(batches) => batches.checked_sub(1).map(Step::Truncate),
        Step::Power | Step::Close => Some(Step::Kill),
        Step::Lead(_) | Step::Flush | Step::Wait(_) | Step::Kill => None,
    }
}
