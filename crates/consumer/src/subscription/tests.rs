//! Positions: reset, comparison with the leader's log, pauses.

use super::*;
use crate::metadata::CurrentLeader;
use inflight_protocol::{BrokerId, LeaderEpoch};

const P0: TopicPartition = TopicPartition::new(0);
const P1: TopicPartition = TopicPartition::new(1);

fn leader(broker: u8, epoch: u32) -> CurrentLeader {
    CurrentLeader { leader: Some(BrokerId::new(broker)), epoch: Some(LeaderEpoch::new(epoch)) }
}

fn at(offset: u64, epoch: Option<u32>, leader: CurrentLeader) -> FetchPosition {
    let offset_epoch = epoch.map(LeaderEpoch::new);
    FetchPosition { offset: Offset::new(offset), offset_epoch, leader }
}

fn end(epoch: u32, offset: u64) -> Option<EpochEndOffset> {
    Some(EpochEndOffset { epoch: LeaderEpoch::new(epoch), end_offset: Offset::new(offset) })
}

fn assigned(policy: AutoOffsetReset) -> SubscriptionState {
    let mut state = SubscriptionState::new(policy);
    state.assign_from_user(&[P0, P1], &Topics::new([("orders", 2)]));
    state
}

/// A consumer that has read up to 9 from a leader of epoch 3 and hears of another one.
fn after_a_change_of_leader(policy: AutoOffsetReset) -> (SubscriptionState, FetchPosition) {
    let mut state = assigned(policy);
    let position = at(9, Some(3), leader(1, 3));
    state.seek_unvalidated(P0, position);
    state.get_mut(P0).unwrap().state = FetchState::Fetching;
    state.get_mut(P0).unwrap().maybe_validate(leader(2, 4));
    assert!(!state.get(P0).unwrap().is_fetchable());
    (state, at(9, Some(3), leader(2, 4)))
}

#[test]
fn a_partition_without_a_position_begins_by_the_policy() {
    let mut state = assigned(AutoOffsetReset::Earliest);
    assert_eq!(state.initializing().collect::<Vec<_>>(), [P0, P1]);
    assert_eq!(state.reset_initializing(|_| true), None);
    let waiting = state.needing_reset(0);
    assert_eq!(waiting.as_slice(), [(P0, ResetTo::Earliest), (P1, ResetTo::Earliest)]);
    assert!(state.maybe_seek(P0, at(5, None, leader(1, 0)), ResetTo::Earliest));
    assert!(state.get(P0).unwrap().is_fetchable());
    assert!(!state.has_all_fetch_positions());
}

#[test]
fn without_a_policy_there_is_nowhere_to_begin() {
    let mut state = assigned(AutoOffsetReset::None);
    state.seek_unvalidated(P0, at(5, None, leader(1, 0)));
    assert_eq!(state.reset_initializing(|_| true), Some(P1));
}

#[test]
fn an_answer_to_another_reset_does_not_count() {
    let mut state = assigned(AutoOffsetReset::Latest);
    state.request_reset(P0, ResetTo::Latest);
    assert!(!state.maybe_seek(P0, at(0, None, leader(1, 0)), ResetTo::Earliest));
    state.seek_unvalidated(P0, at(7, None, leader(1, 0)));
    assert!(
        !state.maybe_seek(P0, at(99, None, leader(1, 0)), ResetTo::Latest),
        "a seek came between"
    );
    assert_eq!(state.get(P0).unwrap().position().unwrap().offset, Offset::new(7));
}

#[test]
fn a_position_that_the_new_leader_has_is_good() {
    let (mut state, asked) = after_a_change_of_leader(AutoOffsetReset::Latest);
    assert_eq!(state.needing_validation(0).as_slice(), [(P0, asked)]);
    assert_eq!(state.complete_validation(P0, asked, end(3, 9)), Validation::Done);
    assert_eq!(state.get(P0).unwrap().position(), Some(asked));
    assert!(state.get(P0).unwrap().is_fetchable());
}

#[test]
fn a_log_that_was_cut_moves_the_position_to_the_cut() {
    let (mut state, asked) = after_a_change_of_leader(AutoOffsetReset::Latest);
    let truncated = Validation::Truncated(Offset::new(6));
    assert_eq!(state.complete_validation(P0, asked, end(2, 6)), truncated);
    let position = state.get(P0).unwrap().position().unwrap();
    assert_eq!(
        (position.offset, position.offset_epoch),
        (Offset::new(6), Some(LeaderEpoch::new(2)))
    );
    assert!(state.get(P0).unwrap().is_fetchable());
}

#[test]
fn a_cut_without_a_policy_is_an_exception() {
    let (mut state, asked) = after_a_change_of_leader(AutoOffsetReset::None);
    assert_eq!(state.complete_validation(P0, asked, end(2, 6)), Validation::Failed);
    assert_eq!(state.complete_validation(P0, asked, None), Validation::Failed);
    assert!(!state.get(P0).unwrap().is_fetchable());
}

#[test]
fn an_epoch_that_nobody_knows_resets_the_position() {
    let (mut state, asked) = after_a_change_of_leader(AutoOffsetReset::Latest);
    assert_eq!(state.complete_validation(P0, asked, None), Validation::Reset);
    assert_eq!(state.needing_reset(0).as_slice(), [(P0, ResetTo::Latest)]);
}

#[test]
fn an_answer_about_another_position_does_not_count() {
    let (mut state, asked) = after_a_change_of_leader(AutoOffsetReset::Latest);
    state.get_mut(P0).unwrap().maybe_validate(leader(3, 5));
    assert_eq!(state.complete_validation(P0, asked, end(2, 6)), Validation::Done);
    assert_eq!(state.get(P0).unwrap().position().unwrap().offset, Offset::new(9));
    assert!(!state.get(P0).unwrap().has_valid_position(), "the comparison is still to be made");
}

#[test]
fn a_position_without_an_epoch_is_not_compared() {
    let mut state = assigned(AutoOffsetReset::Latest);
    state.seek_unvalidated(P0, at(9, None, leader(1, 3)));
    state.get_mut(P0).unwrap().maybe_validate(leader(2, 4));
    assert!(state.get(P0).unwrap().is_fetchable());
    assert_eq!(state.get(P0).unwrap().position().unwrap().leader, leader(2, 4));
}

#[test]
fn a_leader_that_is_not_known_changes_nothing() {
    let mut state = assigned(AutoOffsetReset::Latest);
    state.seek_unvalidated(P0, at(9, None, leader(1, 3)));
    let nobody = CurrentLeader { leader: None, epoch: Some(LeaderEpoch::new(4)) };
    state.get_mut(P0).unwrap().maybe_validate(nobody);
    assert_eq!(state.get(P0).unwrap().position().unwrap().leader, leader(1, 3));
}

#[test]
fn what_is_paused_or_about_to_be_revoked_is_not_fetched() {
    let topics = Topics::new([("orders", 2)]);
    let mut state = assigned(AutoOffsetReset::Latest);
    for partition in [P0, P1] {
        state.seek_unvalidated(partition, at(0, None, leader(1, 0)));
    }
    state.set_paused(P0, true);
    assert!(!state.is_fetchable(P0, &topics) && state.is_fetchable(P1, &topics));
    state.set_paused(P0, false);
    assert!(state.is_fetchable(P0, &topics));
    state.mark_pending_revocation();
    assert!(!state.is_fetchable(P0, &topics) && !state.is_fetchable(P1, &topics));
    assert!(state.has_all_fetch_positions(), "the positions are still there");
}

#[test]
fn partitions_that_stay_keep_their_positions() {
    let mut state = assigned(AutoOffsetReset::Latest);
    state.subscribe(smallvec::smallvec![TopicId::new(0)]);
    state.seek_unvalidated(P1, at(4, None, leader(1, 0)));
    state.assign_from_subscribed(&[P1]);
    assert_eq!(state.get(P1).unwrap().position().unwrap().offset, Offset::new(4));
    state.assign_from_subscribed(&[]);
    state.assign_from_subscribed(&[P1]);
    assert_eq!(state.get(P1).unwrap().position(), None);
}

#[test]
fn served_partitions_take_turns() {
    let mut state = assigned(AutoOffsetReset::Latest);
    state.move_to_end(P0);
    let order: Vec<_> = state.assigned().iter().map(|state| state.partition).collect();
    assert_eq!(order, [P1, P0]);
}
