//! Groups without log and network.

mod bench;
mod committed;
mod consumer;

use self::bench::Bench;
use super::classic::GroupState;
use super::offsets::CommittedOffsets;
use super::shard::GroupShard;
use super::*;
use inflight_des::Span;
use inflight_protocol::message::{
    GroupIdentity, JoinGroupRequest, RebalanceProtocol, SyncGroupRequest,
};
use inflight_protocol::transaction::{CommittedOffset, GroupMember, InternalRecord};
use inflight_protocol::{
    ClientId, LeaderEpoch, Offset, ProducerId, TopicId, TopicPartition, TransactionResult,
};

const GROUP: GroupId = GroupId::new(0);
const P0: TopicPartition = TopicPartition::new(0);
const P1: TopicPartition = TopicPartition::new(1);

fn removed(out: &[Action]) -> Vec<(MemberId, LeaveCause)> {
    let removed = out.iter().filter_map(|action| match action {
        Action::Removed(_, member, why) => Some((*member, *why)),
        _ => None,
    });
    removed.collect()
}

#[test]
fn the_first_member_waits_three_seconds_for_others() {
    let mut bench = Bench::new();
    let one = bench.name(0);
    let caller = bench.join(0, &Bench::request(Some(one)));
    bench.pass(2_999);
    assert_eq!(bench.joined(caller), None);
    bench.pass(1);
    let response = bench.joined(caller).expect("the wait is over");
    assert_eq!((response.error, response.generation, response.leader), (None, 1, Some(one)));
    assert_eq!(response.members.len(), 1);
    assert_eq!(bench.state(), GroupState::CompletingRebalance);
}

#[test]
fn whoever_comes_during_the_first_wait_prolongs_it() {
    let mut bench = Bench::new();
    let (one, two) = (bench.name(0), bench.name(1));
    let first = bench.join(0, &Bench::request(Some(one)));
    bench.pass(2_000);
    bench.join(1, &Bench::request(Some(two)));
    bench.pass(3_999);
    assert_eq!(bench.joined(first), None);
    bench.pass(1);
    assert_eq!(bench.joined(first).expect("six seconds are over").members.len(), 2);
}

#[test]
fn a_name_that_nobody_uses_is_forgotten_with_its_session() {
    let mut bench = Bench::new();
    let one = bench.name(0);
    bench.pass(45_000);
    let caller = bench.join(0, &Bench::request(Some(one)));
    assert_eq!(bench.joined(caller).unwrap().error, Some(ErrorCode::UnknownMemberId));
}

#[test]
fn names_are_never_given_twice() {
    let mut bench = Bench::new();
    let names = [bench.name(0), bench.name(0)];
    bench.shard = GroupShard::new(LeaderEpoch::new(1));
    assert!(!names.contains(&bench.name(0)), "the next coordinator does not know them");
}

#[test]
fn assignments_count_once_they_are_committed() {
    let mut bench = Bench::new();
    let one = bench.name(0);
    bench.join(0, &Bench::request(Some(one)));
    bench.pass(3_000);
    let caller = bench.sync(one, 1, &[(one, P0)]);
    assert_eq!(bench.synced(caller), None);
    assert_eq!(bench.state(), GroupState::CompletingRebalance);
    bench.commit(None);
    assert_eq!(bench.synced(caller).unwrap().assignment.as_slice(), [P0]);
    assert_eq!(bench.state(), GroupState::Stable);
}

#[test]
fn an_assignment_that_is_not_committed_begins_another_rebalance() {
    let mut bench = Bench::new();
    let one = bench.name(0);
    bench.join(0, &Bench::request(Some(one)));
    bench.pass(3_000);
    let caller = bench.sync(one, 1, &[(one, P0)]);
    bench.commit(Some(ErrorCode::NotCoordinator));
    assert_eq!(bench.synced(caller).unwrap().error, Some(ErrorCode::NotCoordinator));
    assert_eq!(bench.state(), GroupState::PreparingRebalance);
}

#[test]
fn a_new_member_makes_the_others_join_again() {
    let (mut bench, one, two) = Bench::stable();
    let three = bench.name(2);
    let newcomer = bench.join(2, &Bench::request(Some(three)));
    assert_eq!(bench.state(), GroupState::PreparingRebalance);
    assert_eq!(bench.heartbeat(one, 1), Some(ErrorCode::RebalanceInProgress));
    bench.join(0, &Bench::request(Some(one)));
    assert_eq!(bench.joined(newcomer), None);
    bench.join(1, &Bench::request(Some(two)));
    let response = bench.joined(newcomer).expect("everybody is there");
    assert_eq!((response.generation, response.leader), (2, Some(one)));
    assert_eq!(bench.heartbeat(one, 1), Some(ErrorCode::IllegalGeneration));
    assert_eq!(bench.heartbeat(one, 2), None);
}

#[test]
fn whoever_misses_a_rebalance_is_out() {
    let (mut bench, one, two) = Bench::stable();
    let three = bench.name(2);
    let newcomer = bench.join(2, &Bench::request(Some(three)));
    bench.join(1, &Bench::request(Some(two)));
    for _ in 0..30 {
        bench.heartbeat(one, 1);
        bench.pass(10_000);
    }
    assert_eq!(removed(&bench.out), [(one, LeaveCause::RebalanceTimeout)]);
    let response = bench.joined(newcomer).expect("the rebalance timeout is over");
    assert_eq!((response.generation, response.leader), (2, Some(two)));
    assert_eq!(bench.heartbeat(one, 1), Some(ErrorCode::UnknownMemberId));
}

#[test]
fn a_member_without_heartbeats_is_out_with_its_session() {
    let (mut bench, one, two) = Bench::stable();
    bench.pass(44_000);
    assert_eq!(bench.heartbeat(two, 1), None);
    bench.pass(1_000);
    assert_eq!(removed(&bench.out), [(one, LeaveCause::SessionTimeout)]);
    assert_eq!(bench.state(), GroupState::PreparingRebalance);
    assert_eq!(bench.heartbeat(two, 1), Some(ErrorCode::RebalanceInProgress));
}

#[test]
fn a_member_that_waits_for_its_turn_needs_no_heartbeats() {
    let (mut bench, one, two) = Bench::stable();
    let mut again = Bench::request(Some(two));
    again.generation = Some(1);
    bench.join(1, &again);
    for _ in 0..9 {
        bench.heartbeat(one, 1);
        bench.pass(30_000);
    }
    assert_eq!(removed(&bench.out), []);
}

#[test]
fn a_member_that_leaves_begins_a_rebalance() {
    let (mut bench, one, two) = Bench::stable();
    let identity = GroupIdentity { group: GROUP, member: Some((one, 1)) };
    let clock = (bench.now_ms, bench.rules);
    assert_eq!(bench.shard.leave(identity, clock, &mut bench.out), Ok(None));
    assert_eq!(removed(&bench.out), [(one, LeaveCause::Left)]);
    let caller = bench.join(1, &Bench::request(Some(two)));
    let response = bench.joined(caller).expect("it is alone now");
    assert_eq!((response.generation, response.leader), (2, Some(two)));
}

#[test]
fn a_group_that_everybody_left_is_empty() {
    let (mut bench, one, two) = Bench::stable();
    for member in [one, two] {
        let identity = GroupIdentity { group: GROUP, member: Some((member, 1)) };
        let clock = (bench.now_ms, bench.rules);
        assert_eq!(bench.shard.leave(identity, clock, &mut bench.out), Ok(None));
    }
    assert_eq!(bench.state(), GroupState::Empty);
    let writes = bench.out.iter().filter(|action| matches!(action, Action::Write(..)));
    assert_eq!(writes.count(), 1, "which is written down");
}

#[test]
fn a_follower_with_nothing_new_gets_the_generation_that_there_is() {
    let (mut bench, _, two) = Bench::stable();
    let caller = bench.join(1, &Bench::request(Some(two)));
    let response = bench.joined(caller).expect("nothing has to be done");
    assert_eq!((response.generation, response.members.len()), (1, 0));
    assert_eq!(bench.state(), GroupState::Stable);
}

#[test]
fn the_leader_begins_a_rebalance_when_it_joins_again() {
    let (mut bench, one, _) = Bench::stable();
    let caller = bench.join(0, &Bench::request(Some(one)));
    assert_eq!(bench.joined(caller), None);
    assert_eq!(bench.state(), GroupState::PreparingRebalance);
}

#[test]
fn a_member_that_never_syncs_is_out() {
    let mut bench = Bench::new();
    let (one, two) = (bench.name(0), bench.name(1));
    bench.join(0, &Bench::request(Some(one)));
    bench.join(1, &Bench::request(Some(two)));
    bench.pass(6_000);
    bench.sync(one, 1, &[(one, P0)]);
    bench.commit(None);
    bench.out.clear();
    for _ in 0..10 {
        bench.heartbeat(one, 1);
        bench.heartbeat(two, 1);
        bench.pass(30_000);
    }
    assert_eq!(removed(&bench.out), [(two, LeaveCause::RebalanceTimeout)]);
}

#[test]
fn a_group_does_with_one_way_of_rebalancing() {
    let (mut bench, _, _) = Bench::stable();
    let mut request = Bench::request(None);
    request.protocol = RebalanceProtocol::Cooperative;
    let caller = bench.join(2, &request);
    let error = Some(ErrorCode::InconsistentGroupProtocol);
    assert_eq!(bench.joined(caller).unwrap().error, error);
}

#[test]
fn a_group_has_at_most_group_max_size_members() {
    let (mut bench, _, _) = Bench::stable();
    let config = BrokerConfig { group_max_size: 2, ..BrokerConfig::default() };
    bench.rules = Rules::of(&config);
    let caller = bench.join(2, &Bench::request(None));
    let error = Some(ErrorCode::GroupMaxSizeReached);
    assert_eq!(bench.joined(caller).unwrap().error, error);
}

#[test]
fn commits_are_checked_against_member_and_generation() {
    let (mut bench, one, two) = Bench::stable();
    let stranger = MemberId { client: ClientId::new(9), number: 9 };
    assert_eq!(bench.check(Some((one, 1)), false), Ok(()));
    assert_eq!(bench.check(Some((one, 0)), false), Err(ErrorCode::IllegalGeneration));
    assert_eq!(bench.check(Some((stranger, 1)), false), Err(ErrorCode::UnknownMemberId));
    assert_eq!(bench.check(None, false), Err(ErrorCode::UnknownMemberId), "somebody is there");
    assert_eq!(bench.check(None, true), Ok(()), "a transaction without a member is not fenced");
    let three = bench.name(2);
    bench.join(2, &Bench::request(Some(three)));
    assert_eq!(bench.check(Some((one, 1)), false), Ok(()), "still time before the next generation");
    bench.join(0, &Bench::request(Some(one)));
    bench.join(1, &Bench::request(Some(two)));
    assert_eq!(bench.state(), GroupState::CompletingRebalance);
    assert_eq!(bench.check(Some((one, 1)), false), Err(ErrorCode::IllegalGeneration));
    assert_eq!(bench.check(Some((one, 2)), false), Err(ErrorCode::RebalanceInProgress));
    assert_eq!(bench.check(Some((one, 2)), true), Ok(()));
}

#[test]
fn a_group_that_nobody_has_heard_of_takes_commits_without_a_member() {
    let mut bench = Bench::new();
    let stranger = MemberId { client: ClientId::new(9), number: 9 };
    assert_eq!(bench.check(Some((stranger, 1)), false), Err(ErrorCode::GroupIdNotFound));
    assert_eq!(bench.check(None, false), Ok(()));
    assert_eq!(bench.state(), GroupState::Empty);
}

#[test]
fn a_commit_is_a_sign_of_life() {
    let (mut bench, one, two) = Bench::stable();
    for _ in 0..4 {
        bench.pass(30_000);
        assert_eq!(bench.check(Some((one, 1)), false), Ok(()));
        assert_eq!(bench.heartbeat(two, 1), None);
    }
    assert_eq!(removed(&bench.out), []);
}

#[test]
fn a_group_is_what_was_written_down() {
    let (mut bench, one, two) = Bench::stable();
    let value = bench.shard.group(GROUP).unwrap().value(&[
        GroupMember { member: one, assignment: smallvec::smallvec![P0] },
        GroupMember { member: two, assignment: smallvec::smallvec![P1] },
    ]);
    bench.shard = GroupShard::new(LeaderEpoch::new(1));
    let record = InternalRecord::Group(Box::new(value));
    bench.shard.replay(&record, None, Offset::ZERO, bench.now_ms);
    assert_eq!(bench.state(), GroupState::Stable);
    assert_eq!(bench.heartbeat(one, 1), None);
    let caller = bench.sync(two, 1, &[]);
    assert_eq!(bench.synced(caller).unwrap().assignment.as_slice(), [P1]);
    bench.pass(45_001);
    assert_eq!(removed(&bench.out).len(), 2, "their sessions began with the load");
}

#[test]
fn the_first_delay_is_a_setting() {
    let delay = Span::from_millis(0);
    let config = BrokerConfig { group_initial_rebalance_delay: delay, ..BrokerConfig::default() };
    let mut bench = Bench::new();
    bench.rules = Rules::of(&config);
    let one = bench.name(0);
    let caller = bench.join(0, &Bench::request(Some(one)));
    bench.pass(0);
    assert!(bench.joined(caller).is_some());
}
