//! Members of the consumer protocol: joining, going over to another assignment, being thrown out,
//! leaving.

use crate::bench::*;
use crate::groups::{committed, find_coordinator};
use inflight_consumer::Completion;
use inflight_protocol::config::{GroupProtocol, ServerAssignor};
use inflight_protocol::fact::{MembershipState, RevokeCause, SendError};
use inflight_protocol::message::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, OffsetCommitRequest,
    OffsetCommitResponse,
};
use inflight_protocol::{ConsumerConfig, ErrorCode, Fact, Request, Response, TopicPartition};

fn config() -> ConsumerConfig {
    ConsumerConfig { group_protocol: GroupProtocol::Consumer, ..ConsumerConfig::default() }
}

pub(crate) fn by_hand() -> ConsumerConfig {
    ConsumerConfig { enable_auto_commit: false, ..config() }
}

pub(crate) fn beat(bench: &mut Bench) -> (Waiting, ConsumerGroupHeartbeatRequest) {
    let waiting = bench.take(|request| matches!(request, Request::ConsumerGroupHeartbeat(_)));
    let Request::ConsumerGroupHeartbeat(request) = &waiting.request else { unreachable!() };
    let request = (**request).clone();
    (waiting, request)
}

pub(crate) fn has_beat(bench: &Bench) -> bool {
    bench.find(|request| matches!(request, Request::ConsumerGroupHeartbeat(_))).is_some()
}

pub(crate) fn answer(
    bench: &mut Bench,
    waiting: &Waiting,
    epoch: u32,
    assignment: Option<&[TopicPartition]>,
) {
    let response = ConsumerGroupHeartbeatResponse {
        error: None,
        epoch: Some(epoch),
        heartbeat_interval_ms: 5_000,
        assignment: assignment.map(|list| list.iter().copied().collect()),
    };
    bench.answer(waiting, Response::ConsumerGroupHeartbeat(Box::new(response)));
}

pub(crate) fn refuse(bench: &mut Bench, waiting: &Waiting, error: ErrorCode) {
    let response = ConsumerGroupHeartbeatResponse {
        error: Some(error),
        epoch: None,
        heartbeat_interval_ms: 0,
        assignment: None,
    };
    bench.answer(waiting, Response::ConsumerGroupHeartbeat(Box::new(response)));
}

/// A consumer in a long poll that has found its coordinator and asks to join.
pub(crate) fn joining(config: ConsumerConfig) -> Bench {
    let mut bench = Bench::with_group(config);
    bench.subscribe();
    bench.poll(ms(3_600_000));
    bench.pass(ms(1));
    find_coordinator(&mut bench);
    bench
}

/// A member in epoch 1 with both partitions, in a long poll, reading from offset 0.
fn member(config: ConsumerConfig) -> Bench {
    let mut bench = joining(config);
    let (waiting, _) = beat(&mut bench);
    answer(&mut bench, &waiting, 1, Some(&[P0, P1]));
    bench.pass(ms(200));
    let (waiting, request) = beat(&mut bench);
    assert_eq!(request.owned.as_deref(), Some(&[P0, P1][..]));
    answer(&mut bench, &waiting, 1, None);
    bench.pass(ms(200));
    committed(&mut bench, &[(P0, 0), (P1, 0)]);
    bench.pass(ms(1));
    bench
}

/// The same after a poll that has returned three records of partition 0.
pub(crate) fn with_records(config: ConsumerConfig) -> Bench {
    let mut bench = member(config);
    bench.serve(P0, vec![batch(0, 3)]);
    assert_eq!(offsets(&bench.told()), [0, 1, 2]);
    bench
}

/// At the next heartbeat the coordinator wants these partitions only.
fn reassign(bench: &mut Bench, epoch: u32, assignment: &[TopicPartition]) {
    bench.pass(ms(5_000));
    let (waiting, request) = beat(bench);
    assert_eq!((request.owned, request.topics), (None, None), "nothing is told twice");
    answer(bench, &waiting, epoch, Some(assignment));
}

pub(crate) fn commit(bench: &mut Bench) -> (Waiting, OffsetCommitRequest) {
    let waiting = bench.take(|request| matches!(request, Request::OffsetCommit(_)));
    let Request::OffsetCommit(request) = &waiting.request else { unreachable!() };
    let request = request.clone();
    (waiting, request)
}

pub(crate) fn answer_commit(
    bench: &mut Bench,
    asked: &(Waiting, OffsetCommitRequest),
    error: Option<ErrorCode>,
) {
    let partitions = asked.1.offsets.iter().map(|offset| (offset.partition, error)).collect();
    bench.answer(&asked.0, Response::OffsetCommit(OffsetCommitResponse { partitions }));
}

pub(crate) fn states(bench: &Bench) -> Vec<MembershipState> {
    let states = bench.facts.iter().filter_map(|fact| match fact {
        Fact::MemberStateChanged { to, .. } => Some(*to),
        _ => None,
    });
    states.collect()
}

fn revoked(bench: &Bench) -> Vec<(TopicPartition, RevokeCause)> {
    let gone = bench.facts.iter().filter_map(|fact| match fact {
        Fact::PartitionRevoked { partition, why, .. } => Some((*partition, *why)),
        _ => None,
    });
    gone.collect()
}

use MembershipState::{Acknowledging, Fenced, Joining, Leaving, Reconciling, Stable, Stale};

#[test]
fn a_member_names_itself_and_says_everything_once() {
    let config = ConsumerConfig { group_remote_assignor: Some(ServerAssignor::Range), ..config() };
    let mut bench = joining(config);
    let (waiting, request) = beat(&mut bench);
    assert_eq!(request.epoch, Some(0));
    assert_eq!(request.rebalance_timeout_ms, Some(300_000));
    assert_eq!(request.topics.as_deref(), Some(&[ORDERS][..]));
    assert_eq!(request.owned.as_deref(), Some(&[][..]));
    assert_eq!(request.assignor, Some(ServerAssignor::Range));
    let name = request.member;
    answer(&mut bench, &waiting, 1, Some(&[P1]));
    bench.pass(ms(200));
    let (waiting, request) = beat(&mut bench);
    assert_eq!((request.member, request.epoch), (name, Some(1)));
    assert_eq!(request.owned.as_deref(), Some(&[P1][..]), "it acknowledges");
    assert_eq!((request.topics, request.assignor), (None, None));
    answer(&mut bench, &waiting, 1, None);
    assert_eq!(states(&bench), [Joining, Reconciling, Acknowledging, Stable]);
    assert!(bench.told().contains(&Completion::Assigned { partition: P1 }));
}

#[test]
fn heartbeats_come_as_often_as_the_coordinator_says_whatever_the_application_does() {
    let mut bench = with_records(by_hand());
    // The application is outside of poll() all the time.
    bench.pass(ms(4_500));
    assert!(!has_beat(&bench));
    for _ in 0..3 {
        bench.pass(ms(500));
        let (waiting, request) = beat(&mut bench);
        assert_eq!(request.epoch, Some(1));
        answer(&mut bench, &waiting, 1, None);
        bench.pass(ms(4_500));
        assert!(!has_beat(&bench), "only one is under way");
    }
}

/// Kafka: maybeReconcile(false) does not begin what needs a commit or the listener.
#[test]
fn nothing_is_given_up_outside_of_poll() {
    let mut bench = with_records(by_hand());
    reassign(&mut bench, 1, &[P0]);
    bench.pass(ms(2_000));
    assert_eq!(revoked(&bench), []);
    bench.poll(ms(60_000));
    bench.pass(ms(200));
    assert_eq!(revoked(&bench), [(P1, RevokeCause::Revoked)]);
    let (_, request) = beat(&mut bench);
    assert_eq!(request.owned.as_deref(), Some(&[P0][..]));
}

#[test]
fn what_was_consumed_is_committed_before_anything_is_given_up() {
    let mut bench = with_records(config());
    reassign(&mut bench, 1, &[P1]);
    bench.poll(ms(60_000));
    let asked = commit(&mut bench);
    assert_eq!(asked.1.identity.member.map(|(_, epoch)| epoch), Some(1));
    let of_p0 = asked.1.offsets.iter().find(|offset| offset.partition == P0);
    assert_eq!(of_p0.map(|offset| offset.offset.get()), Some(3));
    bench.pass(ms(1_000));
    assert_eq!(revoked(&bench), [], "the commit comes first");
    answer_commit(&mut bench, &asked, None);
    bench.pass(ms(300));
    assert_eq!(revoked(&bench), [(P0, RevokeCause::Revoked)]);
    let (_, request) = beat(&mut bench);
    assert_eq!(request.owned.as_deref(), Some(&[P1][..]));
}

/// Kafka: isStaleEpochErrorAndValidEpochAvailable.
#[test]
fn a_commit_before_a_rebalance_is_tried_again_in_the_epoch_of_now() {
    let mut bench = with_records(config());
    reassign(&mut bench, 2, &[P1]);
    bench.poll(ms(60_000));
    let first = commit(&mut bench);
    answer_commit(&mut bench, &first, Some(ErrorCode::StaleMemberEpoch));
    bench.pass(ms(500));
    let second = commit(&mut bench);
    answer_commit(&mut bench, &second, Some(ErrorCode::UnknownMemberId));
    bench.pass(ms(300));
    assert_eq!(revoked(&bench), [(P0, RevokeCause::Revoked)], "it goes on without the commit");
}

#[test]
fn a_member_that_is_fenced_gives_up_all_and_joins_again() {
    for error in [ErrorCode::FencedMemberEpoch, ErrorCode::UnknownMemberId] {
        let mut bench = with_records(by_hand());
        bench.pass(ms(5_000));
        let (waiting, _) = beat(&mut bench);
        refuse(&mut bench, &waiting, error);
        bench.pass(ms(1_000));
        assert_eq!(states(&bench).last(), Some(&Fenced));
        assert!(!has_beat(&bench), "the listener is not told yet");
        bench.poll(ms(60_000));
        bench.pass(ms(200));
        let lost = RevokeCause::Lost;
        assert_eq!(revoked(&bench), [(P0, lost), (P1, lost)]);
        let (_, request) = beat(&mut bench);
        assert_eq!(request.epoch, Some(0));
        assert_eq!(request.owned.as_deref(), Some(&[][..]));
    }
}

/// The coordinator takes such a commit if the group is empty by now, and refuses it otherwise.
#[test]
fn what_a_fenced_member_commits_is_of_nobody() {
    let mut bench = with_records(config());
    bench.pass(ms(5_000));
    let (waiting, _) = beat(&mut bench);
    refuse(&mut bench, &waiting, ErrorCode::UnknownMemberId);
    bench.poll(ms(60_000));
    let asked = commit(&mut bench);
    assert_eq!(asked.1.identity.member, None);
}

#[test]
fn a_member_that_does_not_poll_leaves_and_comes_back_with_the_next_poll() {
    let config = ConsumerConfig { max_poll_interval_ms: 7_000, ..by_hand() };
    let mut bench = with_records(config);
    bench.pass(ms(5_000));
    let (waiting, _) = beat(&mut bench);
    answer(&mut bench, &waiting, 1, None);
    bench.pass(ms(2_500));
    let (_, request) = beat(&mut bench);
    assert_eq!(request.epoch, None, "it says goodbye");
    assert_eq!(states(&bench)[4..], [MembershipState::PrepareLeaving, Leaving, Stale]);
    bench.pass(ms(20_000));
    assert!(!has_beat(&bench), "it is silent");
    bench.poll(ms(60_000));
    bench.pass(ms(200));
    assert_eq!(revoked(&bench), [(P0, RevokeCause::Lost), (P1, RevokeCause::Lost)]);
    let (_, request) = beat(&mut bench);
    assert_eq!(request.epoch, Some(0));
}

#[test]
fn a_late_commit_tells_what_the_group_thinks_of_the_member() {
    for (error, sync, asynchronous) in [
        (
            ErrorCode::StaleMemberEpoch,
            SendError::CommitFailed,
            SendError::Code(ErrorCode::StaleMemberEpoch),
        ),
        (ErrorCode::UnknownMemberId, SendError::CommitFailed, SendError::CommitFailed),
        (
            ErrorCode::GroupIdNotFound,
            SendError::Code(ErrorCode::GroupIdNotFound),
            SendError::Code(ErrorCode::GroupIdNotFound),
        ),
    ] {
        let mut bench = with_records(by_hand());
        bench.turn(|consumer, env, turn| consumer.commit_sync(env, turn, None));
        let asked = commit(&mut bench);
        answer_commit(&mut bench, &asked, Some(error));
        assert_eq!(bench.told(), [Completion::CommittedSync { error: Some(sync) }]);
        let commit_id = bench.commit_async();
        let asked = commit(&mut bench);
        answer_commit(&mut bench, &asked, Some(error));
        assert_eq!(bench.told(), [], "callbacks are run by the next call");
        bench.poll(ms(0));
        let told = Completion::CommittedAsync { commit: commit_id, error: Some(asynchronous) };
        assert!(bench.told().contains(&told));
    }
}

#[test]
fn commit_sync_tries_again_while_there_is_time_and_commit_async_does_not() {
    let mut bench = with_records(by_hand());
    bench.turn(|consumer, env, turn| consumer.commit_sync(env, turn, None));
    let asked = commit(&mut bench);
    answer_commit(&mut bench, &asked, Some(ErrorCode::CoordinatorLoadInProgress));
    bench.pass(ms(500));
    let asked = commit(&mut bench);
    answer_commit(&mut bench, &asked, None);
    assert_eq!(bench.told(), [Completion::CommittedSync { error: None }]);
    bench.commit_async();
    let asked = commit(&mut bench);
    answer_commit(&mut bench, &asked, Some(ErrorCode::CoordinatorLoadInProgress));
    bench.pass(ms(500));
    let again = bench.find(|request| matches!(request, Request::OffsetCommit(_)));
    assert!(again.is_none());
}

#[test]
fn commit_sync_gives_up_after_default_api_timeout() {
    let mut bench = with_records(by_hand());
    bench.turn(|consumer, env, turn| consumer.commit_sync(env, turn, None));
    let asked = commit(&mut bench);
    answer_commit(&mut bench, &asked, Some(ErrorCode::NotCoordinator));
    bench.pass(ms(60_000));
    let timeout = Some(SendError::CallTimeout);
    assert_eq!(bench.told(), [Completion::CommittedSync { error: timeout }]);
}

#[test]
fn a_coordinator_that_is_lost_is_looked_for_and_told_everything() {
    let mut bench = with_records(by_hand());
    bench.pass(ms(5_000));
    let (waiting, _) = beat(&mut bench);
    bench.lose(&waiting);
    bench.pass(ms(500));
    find_coordinator(&mut bench);
    bench.pass(ms(500));
    let (_, request) = beat(&mut bench);
    assert_eq!(request.epoch, Some(1), "it is a member still");
    assert!(request.topics.is_some() && request.rebalance_timeout_ms.is_some());
    assert_eq!(request.owned.as_deref(), Some(&[P0, P1][..]));
}

#[test]
fn a_coordinator_that_is_none_any_more_is_asked_again_without_delay() {
    let mut bench = with_records(by_hand());
    bench.pass(ms(5_000));
    let (waiting, _) = beat(&mut bench);
    refuse(&mut bench, &waiting, ErrorCode::NotCoordinator);
    bench.pass(ms(500));
    find_coordinator(&mut bench);
    assert!(has_beat(&bench));
}

#[test]
fn a_group_that_is_full_ends_the_consumer() {
    let mut bench = joining(config());
    let (waiting, _) = beat(&mut bench);
    refuse(&mut bench, &waiting, ErrorCode::GroupMaxSizeReached);
    bench.pass(ms(200));
    let error = SendError::Code(ErrorCode::GroupMaxSizeReached);
    assert_eq!(bench.told(), [Completion::PollFailed { error }]);
    bench.poll(ms(10_000));
    bench.pass(ms(20_000));
    assert!(!has_beat(&bench));
}

#[test]
fn close_commits_and_leaves() {
    let mut bench = with_records(config());
    bench.turn(|consumer, env, turn| consumer.close(env, turn, ms(30_000)));
    let asked = commit(&mut bench);
    assert!(!has_beat(&bench), "the commit comes first");
    answer_commit(&mut bench, &asked, None);
    let closed = RevokeCause::Closed;
    assert_eq!(revoked(&bench), [(P0, closed), (P1, closed)]);
    let (waiting, request) = beat(&mut bench);
    assert_eq!(request.epoch, None);
    answer(&mut bench, &waiting, 1, None);
    bench.pass(ms(30_000));
    assert!(bench.consumer.has_ended());
}

#[test]
fn close_does_not_wait_for_a_coordinator_that_nobody_knows() {
    let mut bench = Bench::with_group(by_hand());
    bench.subscribe();
    bench.poll(ms(10));
    bench.pass(ms(10));
    bench.turn(|consumer, env, turn| consumer.close(env, turn, ms(30_000)));
    let waiting = bench.take(|request| matches!(request, Request::FindCoordinator(_)));
    bench.lose(&waiting);
    bench.pass(ms(1_000));
    assert!(bench.consumer.has_ended());
}

/// An older assignment whose commit hangs does not keep the member in a group that it has left.
#[test]
fn a_reconciliation_of_a_former_membership_is_given_up() {
    let mut bench = with_records(config());
    reassign(&mut bench, 1, &[P1]);
    bench.poll(ms(60_000));
    let asked = commit(&mut bench);
    bench.pass(ms(5_000));
    let (waiting, _) = beat(&mut bench);
    refuse(&mut bench, &waiting, ErrorCode::FencedMemberEpoch);
    bench.pass(ms(200));
    let (waiting, request) = beat(&mut bench);
    assert_eq!(request.epoch, Some(0));
    answer_commit(&mut bench, &asked, Some(ErrorCode::UnknownMemberId));
    answer(&mut bench, &waiting, 4, Some(&[P0]));
    bench.pass(ms(300));
    assert_eq!(revoked(&bench), [(P0, RevokeCause::Lost), (P1, RevokeCause::Lost)]);
    let owned: Vec<_> = bench.consumer.assignment().map(|(id, _)| id).collect();
    assert_eq!(owned, [P0]);
}
