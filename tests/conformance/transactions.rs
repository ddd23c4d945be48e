//! The transaction coordinator against Kafka's TransactionCoordinator, TransactionStateManager,
//! TransactionMetadata and TransactionMarkerChannelManager.

mod generate;
mod ours;
mod script;

use crate::shrink::leave_out;
use ours::Ours;
use script::{Script, Step};
use serde_json::Value;

fn parsed(script: &Value) -> Script {
    Script::from_json(script).unwrap_or_else(|| panic!("not a script: {script}"))
}

/// What our side makes of a script.
pub(crate) fn answer(script: &Value) -> Value {
    Ours::of(&parsed(script)).answer()
}

/// The script of a seed with at most so many steps.
pub(crate) fn script(seed: u64, steps_max: u64) -> Value {
    generate::script(seed, steps_max).to_json()
}

/// A shorter script that still `differs`.
pub(crate) fn shrink(script: &Value, differs: &mut dyn FnMut(&Value) -> bool) -> Value {
    let mut script = parsed(script);
    let around = script.clone();
    let with = |steps: &[Step]| Script { steps: steps.to_vec(), ..around.clone() };
    leave_out(&mut script.steps, &mut |steps: &Vec<Step>| {
        let candidate = with(steps);
        candidate.is_sound() && differs(&candidate.to_json())
    });
    script.to_json()
}

crate::situations!(
    "transaction_coordinator",
    answer,
    an_id_that_could_not_be_written_is_forgotten_like_any_other,
    what_a_reelected_leader_has_committed_counts_before_it_reads,
    an_end_that_could_not_be_written_is_tried_again_after_half_a_minute,
    new_metadata_alone_does_not_bring_a_retry,
    another_abort_brings_a_retry,
    tombstones_of_an_earlier_term_undo_what_is_pending,
    without_an_epoch_left_only_an_abort_goes_through,
);
