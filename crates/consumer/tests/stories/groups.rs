//! Membership: joining, leading, leaving, being thrown out.

use crate::bench::*;
use inflight_consumer::Completion;
use inflight_protocol::config::AssignmentStrategy;
use inflight_protocol::fact::RevokeCause;
use inflight_protocol::message::{
    FindCoordinatorResponse, GroupIdentity, JoinGroupRequest, JoinGroupResponse, JoinedMember,
    OffsetFetchResponse, SyncGroupRequest, SyncGroupResponse,
};
use inflight_protocol::transaction::{CommittedOffset, CoordinatorKey, MemberId};
use inflight_protocol::{
    ClientId, ConsumerConfig, ErrorCode, Fact, Offset, Request, Response, TopicPartition,
};

pub(crate) const ME: MemberId = MemberId { client: ClientId::new(0), number: 0 };
pub(crate) const OTHER: MemberId = MemberId { client: ClientId::new(1), number: 0 };

pub(crate) fn config() -> ConsumerConfig {
    ConsumerConfig::default()
}

/// Says that broker 2 coordinates the group.
pub(crate) fn find_coordinator(bench: &mut Bench) {
    let waiting = bench.take(|request| matches!(request, Request::FindCoordinator(_)));
    let key = CoordinatorKey::Group(GROUP);
    let response = FindCoordinatorResponse { key, coordinator: Ok(b(2)) };
    bench.answer(&waiting, Response::FindCoordinator(response));
}

/// Takes the JoinGroup that waits.
fn join_request(bench: &mut Bench) -> (Waiting, JoinGroupRequest) {
    let waiting = bench.take(|request| matches!(request, Request::JoinGroup(_)));
    let Request::JoinGroup(request) = &waiting.request else { unreachable!() };
    let request = (**request).clone();
    (waiting, request)
}

pub(crate) fn join_response(
    generation: u32,
    leader: MemberId,
    members: Vec<JoinedMember>,
) -> Response {
    Response::JoinGroup(Box::new(JoinGroupResponse {
        error: None,
        generation,
        member: Some(ME),
        leader: Some(leader),
        members,
    }))
}

pub(crate) fn refuse_join(bench: &mut Bench, error: ErrorCode) {
    let (waiting, _) = join_request(bench);
    let member = (error == ErrorCode::MemberIdRequired).then_some(ME);
    let response = JoinGroupResponse {
        error: Some(error),
        generation: 0,
        member,
        leader: None,
        members: Vec::new(),
    };
    bench.answer(&waiting, Response::JoinGroup(Box::new(response)));
}

/// Answers JoinGroup and SyncGroup of a member that does not lead.
pub(crate) fn join(bench: &mut Bench, generation: u32, assignment: &[TopicPartition]) {
    let (waiting, _) = join_request(bench);
    bench.answer(&waiting, join_response(generation, OTHER, Vec::new()));
    let (waiting, _) = sync_request(bench);
    sync(bench, &waiting, Ok(assignment));
}

pub(crate) fn sync_request(bench: &mut Bench) -> (Waiting, SyncGroupRequest) {
    let waiting = bench.take(|request| matches!(request, Request::SyncGroup(_)));
    let Request::SyncGroup(request) = &waiting.request else { unreachable!() };
    let request = request.clone();
    (waiting, request)
}

pub(crate) fn sync(
    bench: &mut Bench,
    waiting: &Waiting,
    result: Result<&[TopicPartition], ErrorCode>,
) {
    let response = SyncGroupResponse {
        error: result.err(),
        assignment: result.unwrap_or_default().iter().copied().collect(),
    };
    bench.answer(waiting, Response::SyncGroup(response));
}

/// Answers OffsetFetch: these offsets are committed.
pub(crate) fn committed(bench: &mut Bench, offsets: &[(TopicPartition, u64)]) {
    let waiting = bench.take(|request| matches!(request, Request::OffsetFetch(_)));
    let Request::OffsetFetch(request) = &waiting.request else { unreachable!() };
    let result = |partition: TopicPartition| {
        let found = offsets.iter().find(|(known, _)| *known == partition);
        found.map(|(_, offset)| CommittedOffset {
            group: GROUP,
            partition,
            offset: Offset::new(*offset),
            leader_epoch: None,
        })
    };
    let partitions = request.partitions.iter().map(|id| (*id, Ok(result(*id)))).collect();
    let response = OffsetFetchResponse { error: None, partitions };
    bench.answer(&waiting, Response::OffsetFetch(response));
}

/// A member of generation 1 with these partitions, in a long poll, fetching from offset 0.
pub(crate) fn member(config: ConsumerConfig, assignment: &[TopicPartition]) -> Bench {
    let mut bench = Bench::with_group(config);
    bench.subscribe();
    bench.poll(ms(3_600_000));
    bench.pass(ms(1));
    find_coordinator(&mut bench);
    refuse_join(&mut bench, ErrorCode::MemberIdRequired);
    join(&mut bench, 1, assignment);
    let offsets: Vec<_> = assignment.iter().map(|id| (*id, 0)).collect();
    committed(&mut bench, &offsets);
    bench.pass(ms(1));
    bench
}

pub(crate) fn heartbeat(bench: &mut Bench, error: Option<ErrorCode>) -> GroupIdentity {
    let waiting = bench.take(|request| matches!(request, Request::Heartbeat(_)));
    let Request::Heartbeat(identity) = waiting.request else { unreachable!() };
    bench.answer(&waiting, Response::Heartbeat(error));
    identity
}

fn has(bench: &Bench, like: impl Fn(&Request) -> bool) -> bool {
    bench.find(like).is_some()
}

fn assignments(bench: &Bench) -> Vec<(u16, u32)> {
    let facts = bench.facts.iter().filter_map(|fact| match fact {
        Fact::PartitionAssigned { partition, generation, .. } => {
            Some((partition.get(), *generation))
        }
        _ => None,
    });
    facts.collect()
}

fn revocations(bench: &Bench) -> Vec<(u16, RevokeCause)> {
    let facts = bench.facts.iter().filter_map(|fact| match fact {
        Fact::PartitionRevoked { partition, why, .. } => Some((partition.get(), *why)),
        _ => None,
    });
    facts.collect()
}

#[test]
fn a_member_joins_with_the_name_that_it_was_given() {
    let mut bench = Bench::with_group(config());
    bench.subscribe();
    bench.poll(ms(60_000));
    bench.pass(ms(1));
    find_coordinator(&mut bench);
    let (waiting, request) = join_request(&mut bench);
    assert_eq!((request.member, request.generation), (None, None));
    assert_eq!((request.session_timeout_ms, request.rebalance_timeout_ms), (45_000, 300_000));
    assert_eq!(waiting.to, b(2));
    bench.waiting.push(waiting);
    refuse_join(&mut bench, ErrorCode::MemberIdRequired);
    assert_eq!(join_request(&mut bench).1.member, Some(ME));
}

#[test]
fn a_member_reads_from_what_is_committed() {
    let bench = member(config(), &[P0]);
    assert_eq!(assignments(&bench), [(0, 1)]);
    let identity = bench.consumer.group_metadata().expect("it has a group");
    assert_eq!(identity.member, Some((ME, 1)));
    assert!(has(&bench, |request| matches!(request, Request::ConsumerFetch(_))));
}

#[test]
fn the_leader_shares_out_the_partitions() {
    let mut bench = Bench::with_group(config());
    bench.subscribe();
    bench.poll(ms(60_000));
    bench.pass(ms(1));
    find_coordinator(&mut bench);
    let (waiting, request) = join_request(&mut bench);
    let joined = |member| JoinedMember {
        member,
        topics: request.topics.clone(),
        owned: Default::default(),
        generation: None,
    };
    let members = vec![joined(OTHER), joined(ME)];
    bench.answer(&waiting, join_response(1, ME, members));
    bench.pass(ms(1));
    let (_, request) = sync_request(&mut bench);
    let shares: Vec<_> =
        request.assignments.iter().map(|share| (share.member, share.assignment.to_vec())).collect();
    assert_eq!(shares, [(OTHER, vec![P1]), (ME, vec![P0])]);
}

#[test]
fn a_coordinator_that_loads_is_asked_again() {
    let mut bench = Bench::with_group(config());
    bench.subscribe();
    bench.poll(ms(60_000));
    bench.pass(ms(1));
    find_coordinator(&mut bench);
    refuse_join(&mut bench, ErrorCode::CoordinatorLoadInProgress);
    assert!(!has(&bench, |request| matches!(request, Request::JoinGroup(_))), "not at once");
    bench.pass(ms(100));
    assert!(has(&bench, |request| matches!(request, Request::JoinGroup(_))));
}

#[test]
fn a_broker_that_does_not_coordinate_is_left() {
    let mut bench = Bench::with_group(config());
    bench.subscribe();
    bench.poll(ms(60_000));
    bench.pass(ms(1));
    find_coordinator(&mut bench);
    refuse_join(&mut bench, ErrorCode::NotCoordinator);
    bench.pass(ms(200));
    assert!(has(&bench, |request| matches!(request, Request::FindCoordinator(_))));
}

#[test]
fn a_lookup_that_fails_backs_off_and_asks_for_metadata() {
    let mut bench = Bench::with_group(config());
    bench.subscribe();
    bench.poll(ms(60_000));
    bench.pass(ms(1));
    let waiting = bench.take(|request| matches!(request, Request::FindCoordinator(_)));
    let key = CoordinatorKey::Group(GROUP);
    let coordinator = Err(ErrorCode::CoordinatorNotAvailable);
    let response = FindCoordinatorResponse { key, coordinator };
    bench.answer(&waiting, Response::FindCoordinator(response));
    bench.pass(ms(70));
    assert!(bench.waiting.is_empty());
    bench.pass(ms(300));
    assert!(has(&bench, |request| matches!(request, Request::FindCoordinator(_))));
}

#[test]
fn a_member_sends_heartbeats_every_three_seconds() {
    let mut bench = member(config(), &[P0]);
    let start = bench.now_ms();
    for beat in 1..4 {
        while bench.find(|request| matches!(request, Request::Heartbeat(_))).is_none() {
            bench.pass(ms(10));
        }
        let due = start + beat * 3_000;
        assert!(bench.now_ms() <= due + 20 && bench.now_ms() + 20 >= due, "{}", bench.now_ms());
        assert_eq!(heartbeat(&mut bench, None).member, Some((ME, 1)));
    }
}

#[test]
fn an_eager_member_gives_up_everything_before_it_joins_again() {
    let mut bench = member(ConsumerConfig { enable_auto_commit: false, ..config() }, &[P0]);
    bench.pass(ms(3_100));
    heartbeat(&mut bench, Some(ErrorCode::RebalanceInProgress));
    bench.pass(ms(1));
    assert_eq!(revocations(&bench), [(0, RevokeCause::Revoked)]);
    let (_, request) = join_request(&mut bench);
    assert_eq!((request.member, request.generation), (Some(ME), Some(1)));
    assert!(request.owned.is_empty());
    assert_eq!(bench.consumer.assignment().count(), 0);
}

#[test]
fn a_cooperative_member_keeps_reading_and_gives_up_only_what_moves() {
    let partition_assignment_strategy = AssignmentStrategy::CooperativeSticky;
    let quiet = ConsumerConfig { enable_auto_commit: false, ..config() };
    let mut bench = member(ConsumerConfig { partition_assignment_strategy, ..quiet }, &[P0, P1]);
    bench.pass(ms(3_100));
    heartbeat(&mut bench, Some(ErrorCode::RebalanceInProgress));
    bench.pass(ms(1));
    assert_eq!(revocations(&bench), []);
    assert_eq!(bench.consumer.assignment().count(), 2);
    let place = bench.waiting.iter().position(|w| matches!(w.request, Request::JoinGroup(_)));
    let waiting = bench.waiting.remove(place.unwrap());
    let Request::JoinGroup(request) = &waiting.request else { unreachable!() };
    assert_eq!(request.owned.as_slice(), [P0, P1]);
    bench.answer(&waiting, join_response(2, OTHER, Vec::new()));
    let (waiting, _) = sync_request(&mut bench);
    sync(&mut bench, &waiting, Ok(&[P0]));
    bench.pass(ms(1));
    assert_eq!(revocations(&bench), [(1, RevokeCause::Revoked)]);
    assert_eq!(assignments(&bench), [(0, 1), (1, 1)], "what stays is not assigned again");
    let (_, request) = join_request(&mut bench);
    assert_eq!(request.owned.as_slice(), [P0], "and a second round follows");
}

#[test]
fn a_member_that_is_thrown_out_loses_its_partitions() {
    let mut bench = member(config(), &[P0]);
    bench.pass(ms(3_100));
    heartbeat(&mut bench, Some(ErrorCode::UnknownMemberId));
    bench.pass(ms(1));
    assert_eq!(revocations(&bench), [(0, RevokeCause::Lost)]);
    assert_eq!(join_request(&mut bench).1.member, None);
}

#[test]
fn a_generation_that_is_over_keeps_the_name() {
    let mut bench = member(config(), &[P0]);
    bench.pass(ms(3_100));
    heartbeat(&mut bench, Some(ErrorCode::IllegalGeneration));
    bench.pass(ms(1));
    let (_, request) = join_request(&mut bench);
    assert_eq!((request.member, request.generation), (Some(ME), None));
    assert_eq!(revocations(&bench), [(0, RevokeCause::Lost)]);
}

#[test]
fn an_application_that_does_not_poll_leaves_the_group_after_max_poll_interval() {
    let mut bench = member(ConsumerConfig { max_poll_interval_ms: 10_000, ..config() }, &[P0]);
    bench.serve(P0, vec![batch(0, 1)]);
    assert_eq!(offsets(&bench.told()), [0]);
    for _ in 0..3 {
        bench.pass(ms(3_000));
        heartbeat(&mut bench, None);
    }
    bench.pass(ms(1_200));
    assert!(has(&bench, |request| matches!(request, Request::LeaveGroup(_))));
    assert_eq!(revocations(&bench), [], "it does not know yet");
    let identity = bench.consumer.group_metadata().expect("it has a group");
    assert_eq!(identity.member, Some((ME, 1)), "what it would commit with is the old generation");
    bench.poll(ms(60_000));
    bench.pass(ms(200));
    assert_eq!(revocations(&bench), [(0, RevokeCause::Lost)]);
    assert_eq!(join_request(&mut bench).1.member, None);
}

#[test]
fn heartbeats_go_on_while_the_application_is_busy() {
    let mut bench = member(config(), &[P0]);
    bench.serve(P0, vec![batch(0, 1)]);
    bench.told();
    for _ in 0..20 {
        bench.pass(ms(3_100));
        heartbeat(&mut bench, None);
    }
}

#[test]
fn a_coordinator_that_does_not_answer_is_given_up_with_the_session() {
    let mut bench = member(ConsumerConfig { session_timeout_ms: 6_000, ..config() }, &[P0]);
    bench.serve(P0, vec![batch(0, 1)]);
    bench.told();
    bench.pass(ms(3_000));
    assert!(has(&bench, |request| matches!(request, Request::Heartbeat(_))));
    bench.pass(ms(3_300));
    assert!(has(&bench, |request| matches!(request, Request::FindCoordinator(_))));
}

#[test]
fn a_member_that_closes_commits_and_says_goodbye() {
    let mut bench = member(config(), &[P0]);
    bench.serve(P0, vec![batch(0, 3)]);
    bench.told();
    bench.turn(|consumer, env, turn| consumer.close(env, turn, ms(30_000)));
    let commit = bench.take(|request| matches!(request, Request::OffsetCommit(_)));
    assert!(!has(&bench, |request| matches!(request, Request::LeaveGroup(_))), "first the commit");
    let Request::OffsetCommit(request) = &commit.request else { unreachable!() };
    assert_eq!(request.offsets[0].offset, Offset::new(3));
    let partitions = smallvec::smallvec![(P0, None)];
    let response = inflight_protocol::message::OffsetCommitResponse { partitions };
    bench.answer(&commit, Response::OffsetCommit(response));
    assert_eq!(revocations(&bench), [(0, RevokeCause::Closed)]);
    let goodbye = bench.take(|request| matches!(request, Request::LeaveGroup(_)));
    bench.answer(&goodbye, Response::LeaveGroup(None));
    assert_eq!(bench.told().last(), Some(&Completion::Closed));
    assert!(bench.consumer.has_ended());
    assert!(bench.facts.iter().any(|fact| matches!(fact, Fact::ConsumerStopped { .. })));
}

#[test]
fn a_close_does_not_wait_for_ever() {
    let mut bench = member(config(), &[P0]);
    bench.serve(P0, vec![batch(0, 3)]);
    bench.told();
    bench.turn(|consumer, env, turn| consumer.close(env, turn, ms(2_000)));
    bench.pass(ms(2_000));
    assert_eq!(bench.told().last(), Some(&Completion::Closed));
}

#[test]
fn an_unstable_offset_is_asked_for_again() {
    let mut bench = Bench::with_group(config());
    bench.subscribe();
    bench.poll(ms(60_000));
    bench.pass(ms(1));
    find_coordinator(&mut bench);
    join(&mut bench, 1, &[P0]);
    let waiting = bench.take(|request| matches!(request, Request::OffsetFetch(_)));
    let partitions = smallvec::smallvec![(P0, Err(ErrorCode::UnstableOffsetCommit))];
    let response = OffsetFetchResponse { error: None, partitions };
    bench.answer(&waiting, Response::OffsetFetch(response));
    bench.pass(ms(70));
    assert!(bench.waiting.is_empty(), "it backs off");
    bench.pass(ms(60));
    committed(&mut bench, &[(P0, 9)]);
    assert_eq!(bench.consumer.assignment().collect::<Vec<_>>(), [(P0, Some(Offset::new(9)))]);
}
