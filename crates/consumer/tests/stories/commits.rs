//! Commits: by call and by themselves, and what a rebalance does to them.

use crate::bench::*;
use crate::groups::{ME, config, find_coordinator, heartbeat, member};
use inflight_consumer::{Completion, Consumer, Env};
use inflight_protocol::fact::{CommitMode, SendError};
use inflight_protocol::message::{OffsetCommitRequest, OffsetCommitResponse};
use inflight_protocol::transaction::CommittedOffset;
use inflight_protocol::{ConsumerConfig, ErrorCode, Fact, Offset, Request, Response, Turn};

fn quiet() -> ConsumerConfig {
    ConsumerConfig { enable_auto_commit: false, ..config() }
}

fn is_commit(request: &Request) -> bool {
    matches!(request, Request::OffsetCommit(_))
}

fn request_of(waiting: &Waiting) -> &OffsetCommitRequest {
    match &waiting.request {
        Request::OffsetCommit(request) => request,
        other => panic!("{other:?}"),
    }
}

/// Answers the first commit that waits. Returns the offset that it would commit.
fn answer(bench: &mut Bench, error: Option<ErrorCode>) -> u64 {
    let waiting = bench.take(is_commit);
    let offset = request_of(&waiting).offsets[0].offset.get();
    let response = OffsetCommitResponse { partitions: smallvec::smallvec![(P0, error)] };
    bench.answer(&waiting, Response::OffsetCommit(response));
    offset
}

/// A member that has read 0-2 of its partition.
fn reader(config: ConsumerConfig) -> Bench {
    let mut bench = member(config, &[P0]);
    bench.serve(P0, vec![batch(0, 3)]);
    assert_eq!(offsets(&bench.told()), [0, 1, 2]);
    bench
}

fn commit_sync(bench: &mut Bench) {
    bench.turn(|consumer, env, turn| consumer.commit_sync(env, turn, None));
}

fn returned(bench: &Bench) -> Vec<(u64, CommitMode, Option<SendError>)> {
    let facts = bench.facts.iter().filter_map(|fact| match fact {
        Fact::OffsetCommitReturned { offset, mode, error, .. } => {
            Some((offset.get(), *mode, *error))
        }
        _ => None,
    });
    facts.collect()
}

#[test]
fn commit_sync_commits_what_was_returned() {
    let mut bench = reader(quiet());
    commit_sync(&mut bench);
    let waiting = bench.find(is_commit).expect("it asks the coordinator");
    assert_eq!(waiting.to, b(2));
    assert_eq!(request_of(waiting).identity.member, Some((ME, 1)));
    assert_eq!(answer(&mut bench, None), 3);
    assert_eq!(bench.told(), [Completion::CommittedSync { error: None }]);
    assert_eq!(returned(&bench), [(3, CommitMode::Sync, None)]);
}

#[test]
fn commit_sync_tries_again_until_it_may() {
    let mut bench = reader(quiet());
    commit_sync(&mut bench);
    answer(&mut bench, Some(ErrorCode::CoordinatorLoadInProgress));
    assert_eq!(bench.told(), []);
    bench.pass(ms(150));
    answer(&mut bench, None);
    assert_eq!(bench.told(), [Completion::CommittedSync { error: None }]);
}

#[test]
fn commit_sync_gives_up_after_default_api_timeout() {
    let mut bench = reader(ConsumerConfig { default_api_timeout_ms: 2_000, ..quiet() });
    commit_sync(&mut bench);
    for _ in 0..40 {
        bench.pass(ms(50));
        if bench.find(is_commit).is_some() {
            answer(&mut bench, Some(ErrorCode::CoordinatorLoadInProgress));
        }
    }
    bench.pass(ms(1_000));
    let error = Some(SendError::CallTimeout);
    assert_eq!(bench.told(), [Completion::CommittedSync { error }]);
}

#[test]
fn commit_async_is_not_tried_again() {
    let mut bench = reader(quiet());
    let commit = bench.commit_async();
    answer(&mut bench, Some(ErrorCode::CoordinatorLoadInProgress));
    bench.pass(ms(1_000));
    assert!(bench.find(is_commit).is_none());
    assert_eq!(bench.told(), [], "the callback runs inside of the next call");
    bench.poll(ms(100));
    let error = Some(SendError::Code(ErrorCode::CoordinatorLoadInProgress));
    assert_eq!(bench.told(), [Completion::CommittedAsync { commit, error }]);
}

#[test]
fn commits_may_overtake_one_another() {
    let mut bench = reader(quiet());
    let offset = |offset: u64| CommittedOffset {
        group: GROUP,
        partition: P0,
        offset: Offset::new(offset),
        leader_epoch: None,
    };
    for at in [2, 1] {
        let offsets = [offset(at)];
        let commit = |consumer: &mut Consumer, env: &Env<'_>, turn: &mut Turn<'_>| {
            consumer.commit_async(env, turn, Some(&offsets))
        };
        bench.turn(commit).unwrap();
    }
    assert_eq!((answer(&mut bench, None), answer(&mut bench, None)), (2, 1), "nobody sorts them");
}

#[test]
fn a_commit_of_a_former_generation_fails() {
    for error in [ErrorCode::IllegalGeneration, ErrorCode::UnknownMemberId] {
        let mut bench = reader(quiet());
        commit_sync(&mut bench);
        answer(&mut bench, Some(error));
        let error = Some(SendError::CommitFailed);
        assert_eq!(bench.told(), [Completion::CommittedSync { error }]);
        commit_sync(&mut bench);
        assert_eq!(bench.told(), [Completion::CommittedSync { error }], "and it knows why now");
    }
}

#[test]
fn a_commit_during_a_rebalance_is_for_after_the_next_poll() {
    let mut bench = reader(quiet());
    commit_sync(&mut bench);
    answer(&mut bench, Some(ErrorCode::RebalanceInProgress));
    let error = Some(SendError::Code(ErrorCode::RebalanceInProgress));
    assert_eq!(bench.told(), [Completion::CommittedSync { error }]);
    bench.poll(ms(10_000));
    bench.pass(ms(1));
    assert!(bench.find(|request| matches!(request, Request::JoinGroup(_))).is_some());
}

#[test]
fn auto_commit_commits_in_a_poll_what_earlier_polls_returned() {
    let mut bench = reader(config());
    bench.pass(ms(5_000));
    assert!(bench.find(is_commit).is_none(), "nothing happens outside of a poll");
    bench.serve(P0, vec![batch(3, 2)]);
    bench.poll(ms(100));
    // The records of this very poll are not in it, although the consumer has them already.
    let told = bench.told();
    assert_eq!(offsets(&told), [3, 4]);
    assert_eq!(answer(&mut bench, None), 3);
}

#[test]
fn records_that_were_fetched_and_not_returned_are_not_committed() {
    // KAFKA-2942: fetching ahead does not move the position.
    let mut bench = reader(config());
    bench.serve(P0, vec![batch(3, 2)]);
    bench.pass(ms(4_000));
    heartbeat(&mut bench, None);
    assert_eq!(bench.consumer.consumed()[0].offset, Offset::new(3));
    bench.turn(|consumer, env, turn| consumer.close(env, turn, ms(1_000)));
    assert_eq!(answer(&mut bench, None), 3);
}

/// The position may be in doubt by the time the application asks, after an election say.
#[test]
fn what_is_behind_the_records_stays_when_the_position_moves() {
    let mut bench = reader(config());
    bench.turn(|consumer, env, turn| consumer.seek(env, turn, P0, Offset::new(1)));
    assert_eq!(bench.consumer.consumed()[0].offset, Offset::new(1));
    let next: Vec<_> = bench.consumer.next_offsets().collect();
    assert_eq!((next.len(), next[0].partition, next[0].offset), (1, P0, Offset::new(3)));
}

#[test]
fn auto_commit_is_tried_again_soon() {
    let mut bench = reader(config());
    bench.pass(ms(5_000));
    heartbeat(&mut bench, None);
    bench.poll(ms(3_000));
    answer(&mut bench, Some(ErrorCode::CoordinatorLoadInProgress));
    bench.pass(ms(250));
    assert_eq!(answer(&mut bench, None), 3);
    bench.pass(ms(2_000));
    assert!(bench.find(is_commit).is_none());
}

#[test]
fn before_an_eager_rebalance_what_was_returned_is_committed_and_nothing_more_is_returned() {
    // KAFKA-14196: while the commit is on its way, nothing may be returned any more.
    let mut bench = reader(config());
    bench.pass(ms(3_100));
    bench.poll(ms(60_000));
    heartbeat(&mut bench, Some(ErrorCode::RebalanceInProgress));
    bench.pass(ms(1));
    assert!(bench.find(is_commit).is_some());
    assert!(bench.find(|request| matches!(request, Request::JoinGroup(_))).is_none());
    bench.serve(P0, vec![batch(3, 2)]);
    bench.pass(ms(150));
    assert_eq!(bench.told(), [], "the partition is about to be revoked");
    assert_eq!(answer(&mut bench, None), 3);
    bench.pass(ms(200));
    assert!(bench.find(|request| matches!(request, Request::JoinGroup(_))).is_some());
}

#[test]
fn a_commit_that_nobody_answers_does_not_hold_up_the_rebalance_for_ever() {
    let mut bench = reader(ConsumerConfig { max_poll_interval_ms: 6_000, ..config() });
    bench.pass(ms(3_100));
    bench.poll(ms(60_000));
    heartbeat(&mut bench, Some(ErrorCode::RebalanceInProgress));
    bench.pass(ms(5_000));
    assert!(bench.find(|request| matches!(request, Request::JoinGroup(_))).is_none());
    // The application looks again when the next heartbeat is due.
    bench.pass(ms(4_000));
    assert!(bench.find(|request| matches!(request, Request::JoinGroup(_))).is_some());
}

#[test]
fn whoever_chooses_its_partitions_commits_without_a_generation() {
    let mut bench = Bench::with_group(quiet());
    bench.assign(&[P0]);
    bench.poll(ms(3_600_000));
    bench.pass(ms(1));
    find_coordinator(&mut bench);
    crate::groups::committed(&mut bench, &[(P0, 0)]);
    bench.pass(ms(1));
    bench.serve(P0, vec![batch(0, 1)]);
    bench.told();
    commit_sync(&mut bench);
    let waiting = bench.find(is_commit).expect("it asks the coordinator");
    assert_eq!(request_of(waiting).identity.member, None);
    assert_eq!(answer(&mut bench, None), 1);
}

#[test]
fn a_commit_that_fails_with_the_answer_about_the_coordinator_is_told_by_the_same_poll() {
    let mut bench = Bench::with_group(ConsumerConfig { enable_auto_commit: false, ..config() });
    bench.assign(&[P0]);
    bench.turn(|consumer, env, turn| consumer.seek(env, turn, P0, Offset::new(5)));
    bench.poll(ms(200));
    bench.pass(ms(200));
    bench.commit_async();
    find_coordinator(&mut bench);
    bench.poll(ms(200));
    bench.pass(ms(200));
    let commit = bench.take(is_commit);
    bench.lose(&commit);
    bench.poll(ms(0));
    bench.poll(ms(0));
    bench.told();
    let commit = bench.commit_async();
    bench.poll(ms(0));
    bench.told();
    // It is too early for another connection to the coordinator.
    find_coordinator(&mut bench);
    bench.poll(ms(20));
    let error = Some(SendError::Code(ErrorCode::CoordinatorNotAvailable));
    assert_eq!(bench.told(), [Completion::CommittedAsync { commit, error }]);
}

#[test]
fn a_failure_about_other_partitions_is_forgotten_before_the_coordinator_is_known() {
    let is_fetch = |request: &Request| matches!(request, Request::OffsetFetch(_));
    let mut bench = Bench::with_group(quiet());
    bench.assign(&[P0, P1]);
    bench.poll(ms(10));
    find_coordinator(&mut bench);
    bench.pass(ms(10));
    let asked = bench.take(is_fetch);
    bench.assign(&[P1]);
    bench.lose(&asked);
    bench.poll(ms(10));
    bench.pass(ms(10));
    bench.assign(&[P0, P1]);
    bench.pass(ms(200));
    bench.poll(ms(1_000));
    find_coordinator(&mut bench);
    assert!(bench.find(is_fetch).is_some(), "{:?}", bench.waiting);
}
