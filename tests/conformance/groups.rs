//! The group coordinator against Kafka's GroupCoordinatorService, CoordinatorRuntime,
//! GroupMetadataManager and OffsetMetadataManager, as far as classic groups go.

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

/// The script of a seed with at most twice so many steps: a group takes some to come about.
pub(crate) fn script(seed: u64, steps_max: u64) -> Value {
    generate::script(seed, 2 * steps_max).to_json()
}

/// A shorter script that still `differs`.
pub(crate) fn shrink(script: &Value, differs: &mut dyn FnMut(&Value) -> bool) -> Value {
    let mut script = parsed(script);
    let load = script.load;
    leave_out(&mut script.steps, &mut |steps: &Vec<Step>| {
        let candidate = Script { load, steps: steps.clone() };
        candidate.is_sound() && differs(&candidate.to_json())
    });
    script.to_json()
}

crate::situations!(
    "group_coordinator",
    answer,
    a_coordinator_that_is_elected_again_goes_on,
    a_fetch_that_has_waited_for_too_long_is_sent_elsewhere,
    a_marker_for_offsets_is_waited_for_as_long_as_a_commit,
    what_a_stranger_asks_is_refused_before_anything_is_committed,
    a_session_out_of_bounds_is_refused_by_any_broker,
    who_joins_behind_something_uncommitted_waits_for_five_seconds,
);
