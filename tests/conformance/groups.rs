//! The group coordinator against Kafka's GroupCoordinatorService, CoordinatorRuntime,
//! GroupMetadataManager and OffsetMetadataManager: groups of the classic protocol, and those of the
//! consumer protocol.

mod consumers;
mod generate;
mod ours;
mod script;
mod written;

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

/// The same for a group of the consumer protocol.
pub(crate) fn consumers(seed: u64, steps_max: u64) -> Value {
    consumers::script(seed, 2 * steps_max).to_json()
}

/// A shorter script that still `differs`.
pub(crate) fn shrink(script: &Value, differs: &mut dyn FnMut(&Value) -> bool) -> Value {
    let mut script = parsed(script);
    let (load, own) = (script.load, script.own);
    leave_out(&mut script.steps, &mut |steps: &Vec<Step>| {
        let candidate = Script { load, own, steps: steps.clone() };
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

crate::situations!(
    "consumer_groups",
    answer,
    a_new_group_is_in_epoch_1_before_anybody_joins,
    what_no_group_could_answer_is_refused_by_any_broker,
    the_timer_that_is_tried_again_takes_the_place_of_a_newer_session,
    a_newcomer_without_topics_is_taken_for_a_subscriber,
    another_coordinator_counts_a_newcomer_without_topics,
    sessions_that_begin_later_end_later,
    who_wants_nothing_any_more_is_in_a_new_epoch_be_it_the_same,
    one_vote_for_each_assignor_is_a_new_group_epoch_with_each_heartbeat,
    who_gets_nothing_has_a_target_nevertheless,
    members_with_different_topics_are_evened_out,
);
