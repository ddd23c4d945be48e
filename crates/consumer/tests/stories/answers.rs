//! Every error in answer to every request: what is tried again, what is thrown out of which call.

use crate::bench::*;
use crate::groups::{self, OTHER, join_response, refuse_join, sync, sync_request};
use crate::membership::{
    answer_commit, beat, by_hand, commit, has_beat, joining, refuse, states, with_records,
};
use crate::reading::{at_five, fetch_offset, with_a_new_leader};
use inflight_consumer::Completion;
use inflight_protocol::config::{AutoOffsetReset, GroupProtocol};
use inflight_protocol::fact::{MembershipState, SendError};
use inflight_protocol::message::{
    ConsumerFetchResponse, FindCoordinatorResponse, ListOffsetsResponse, OffsetFetchResponse,
    OffsetForLeaderEpochResponse,
};
use inflight_protocol::transaction::CoordinatorKey;
use inflight_protocol::{ConsumerConfig, ErrorCode, Request, Response, TopicPartition};

const LOADS: ErrorCode = ErrorCode::CoordinatorLoadInProgress;
const NOT_AVAILABLE: ErrorCode = ErrorCode::CoordinatorNotAvailable;
const ELSEWHERE: ErrorCode = ErrorCode::NotCoordinator;

fn classic() -> ConsumerConfig {
    ConsumerConfig { enable_auto_commit: false, ..ConsumerConfig::default() }
}

/// Both protocols.
fn protocols() -> [ConsumerConfig; 2] {
    [classic(), by_hand()]
}

/// What a poll() throws.
fn thrown(error: ErrorCode) -> Completion {
    Completion::PollFailed { error: SendError::Code(error) }
}

fn asks(bench: &Bench, like: impl Fn(&Request) -> bool) -> bool {
    bench.find(like).is_some()
}

/// A consumer in a long poll that looks for its coordinator.
fn looking(config: ConsumerConfig) -> Bench {
    let mut bench = Bench::with_group(config);
    bench.subscribe();
    bench.poll(ms(3_600_000));
    bench.pass(ms(1));
    bench
}

fn refuse_lookup(bench: &mut Bench, error: ErrorCode) {
    let waiting = bench.take(|request| matches!(request, Request::FindCoordinator(_)));
    let key = CoordinatorKey::Group(GROUP);
    let response = FindCoordinatorResponse { key, coordinator: Err(error) };
    bench.answer(&waiting, Response::FindCoordinator(response));
}

/// Kafka: FindCoordinatorResponseHandler, CoordinatorRequestManager.onFailedResponse.
#[test]
fn whoever_looks_for_a_coordinator_asks_again_after_a_retriable_error_only() {
    for (error, config) in ErrorCode::ALL.iter().flat_map(|code| protocols().map(|c| (*code, c))) {
        let mut bench = looking(config);
        refuse_lookup(&mut bench, error);
        bench.pass(ms(500));
        if error.is_retriable() {
            assert_eq!(bench.told(), [], "{error}");
            assert!(asks(&bench, |request| matches!(request, Request::FindCoordinator(_))));
        } else {
            assert_eq!(bench.told(), [thrown(error)], "{error}");
        }
    }
}

/// Kafka: JoinGroupResponseHandler, the end of joinGroupIfNeeded.
#[test]
fn whoever_joins_tries_again_after_few_errors() {
    for error in ErrorCode::ALL.iter().copied() {
        let mut bench = looking(classic());
        groups::find_coordinator(&mut bench);
        refuse_join(&mut bench, error);
        bench.pass(ms(500));
        let asks_again = match error {
            LOADS
            | ErrorCode::UnknownMemberId
            | ErrorCode::MemberIdRequired
            | ErrorCode::RebalanceInProgress => {
                asks(&bench, |request| matches!(request, Request::JoinGroup(_)))
            }
            NOT_AVAILABLE | ELSEWHERE => {
                asks(&bench, |request| matches!(request, Request::FindCoordinator(_)))
            }
            _ => {
                assert_eq!(bench.told(), [thrown(error)]);
                continue;
            }
        };
        assert!(asks_again, "{error}");
        assert_eq!(bench.told(), [], "{error}");
    }
}

/// Kafka: SyncGroupResponseHandler. Unlike with JoinGroup it is an exception if the coordinator
/// loads.
#[test]
fn whoever_wants_its_assignment_joins_again_after_few_errors() {
    for error in ErrorCode::ALL.iter().copied() {
        let mut bench = looking(classic());
        groups::find_coordinator(&mut bench);
        let waiting = bench.take(|request| matches!(request, Request::JoinGroup(_)));
        bench.answer(&waiting, join_response(1, OTHER, Vec::new()));
        let (waiting, _) = sync_request(&mut bench);
        sync(&mut bench, &waiting, Err(error));
        bench.pass(ms(500));
        let asks_again = match error {
            ErrorCode::UnknownMemberId
            | ErrorCode::IllegalGeneration
            | ErrorCode::RebalanceInProgress => {
                asks(&bench, |request| matches!(request, Request::JoinGroup(_)))
            }
            NOT_AVAILABLE | ELSEWHERE => {
                asks(&bench, |request| matches!(request, Request::FindCoordinator(_)))
            }
            _ => {
                assert_eq!(bench.told(), [thrown(error)]);
                continue;
            }
        };
        assert!(asks_again, "{error}");
        assert_eq!(bench.told(), [], "{error}");
    }
}

/// Kafka: HeartbeatResponseHandler with the listener of the heartbeat thread: whatever else it is,
/// there is another heartbeat.
#[test]
fn a_heartbeat_ends_the_consumer_only_if_somebody_has_its_instance_id() {
    for error in ErrorCode::ALL.iter().copied() {
        let mut bench = groups::member(classic(), &[P0]);
        bench.pass(ms(3_100));
        groups::heartbeat(&mut bench, Some(error));
        bench.pass(ms(500));
        let told = bench.told();
        let is_thrown = told.contains(&thrown(error));
        assert_eq!(is_thrown, error == ErrorCode::FencedInstanceId, "{error}: {told:?}");
        let goes_on = asks(&bench, |request| {
            matches!(
                request,
                Request::Heartbeat(_) | Request::JoinGroup(_) | Request::FindCoordinator(_)
            )
        });
        assert_eq!(goes_on, !is_thrown, "{error}");
    }
}

/// Kafka: OffsetCommitResponseHandler.
#[test]
fn commit_sync_of_a_fenced_instance_says_so_and_is_not_tried_again() {
    let mut bench = groups::member(classic(), &[P0]);
    bench.serve(P0, vec![batch(0, 3)]);
    bench.told();
    bench.turn(|consumer, env, turn| consumer.commit_sync(env, turn, None));
    let asked = commit(&mut bench);
    // Meanwhile the coordinator has thrown it out: the commit is of a former generation.
    bench.pass(ms(3_100));
    groups::heartbeat(&mut bench, Some(ErrorCode::UnknownMemberId));
    answer_commit(&mut bench, &asked, Some(ErrorCode::FencedInstanceId));
    let error = Some(SendError::CommitFailed);
    assert_eq!(bench.told(), [Completion::CommittedSync { error }]);
}

/// A consumer that has chosen a partition and read a record of it, outside of poll().
fn chooser(config: ConsumerConfig) -> Bench {
    let mut bench = initializing(config);
    groups::committed(&mut bench, &[(P0, 0)]);
    bench.pass(ms(1));
    bench.serve(P0, vec![batch(0, 1)]);
    assert_eq!(offsets(&bench.told()), [0]);
    bench
}

/// Kafka: the listener in commitOffsetsAsync makes a RetriableCommitFailedException of it, so
/// there is another try soon, and that throws what lookupCoordinator() has kept.
#[test]
fn auto_commit_throws_what_the_search_for_a_coordinator_came_to() {
    let mut bench = chooser(ConsumerConfig::default());
    bench.pass(ms(5_000));
    bench.poll(ms(60_000));
    let asked = commit(&mut bench);
    bench.lose(&asked.0);
    bench.pass(ms(300));
    refuse_lookup(&mut bench, ErrorCode::GroupAuthorizationFailed);
    bench.pass(ms(300));
    let told = bench.told();
    assert_eq!(told, [thrown(ErrorCode::GroupAuthorizationFailed)], "not after another interval");
}

/// Kafka: ensureCoordinatorReadyAsync in commitOffsetsAsync.
#[test]
fn commit_async_throws_what_the_search_for_a_coordinator_came_to() {
    let mut bench = chooser(classic());
    bench.commit_async();
    let asked = commit(&mut bench);
    answer_commit(&mut bench, &asked, Some(ELSEWHERE));
    bench.poll(ms(10));
    bench.pass(ms(10));
    bench.commit_async();
    refuse_lookup(&mut bench, ErrorCode::GroupAuthorizationFailed);
    bench.poll(ms(10));
    bench.pass(ms(10));
    let number = bench.turn(|consumer, env, turn| consumer.commit_async(env, turn, None));
    assert_eq!(number, Err(SendError::Code(ErrorCode::GroupAuthorizationFailed)));
    bench.commit_async();
    let asks_again = asks(&bench, |request| matches!(request, Request::FindCoordinator(_)));
    assert!(asks_again, "it is thrown once");
}

fn refuse_committed(bench: &mut Bench, error: ErrorCode) {
    let waiting = bench.take(|request| matches!(request, Request::OffsetFetch(_)));
    let response = OffsetFetchResponse { error: Some(error), partitions: Default::default() };
    bench.answer(&waiting, Response::OffsetFetch(response));
}

/// A consumer that has chosen a partition and asks for the committed offset.
fn initializing(config: ConsumerConfig) -> Bench {
    let mut bench = Bench::with_group(config);
    bench.assign(&[P0]);
    bench.poll(ms(60_000));
    bench.pass(ms(1));
    groups::find_coordinator(&mut bench);
    bench.pass(ms(1));
    bench
}

/// Kafka: OffsetFetchResponseHandler, OffsetFetchRequestState.onFailure.
#[test]
fn committed_offsets_are_asked_for_again_after_a_retriable_error_only() {
    for (error, config) in ErrorCode::ALL.iter().flat_map(|code| protocols().map(|c| (*code, c))) {
        let mut bench = initializing(config);
        refuse_committed(&mut bench, error);
        bench.pass(ms(500));
        let asks_again = asks(&bench, |request| {
            matches!(request, Request::OffsetFetch(_) | Request::FindCoordinator(_))
        });
        if error.is_retriable() {
            assert_eq!(bench.told(), [], "{error}");
            assert!(asks_again, "{error}");
        } else {
            assert_eq!(bench.told(), [thrown(error)], "{error}");
        }
    }
}

/// Kafka: isStaleEpochErrorAndValidEpochAvailable.
#[test]
fn a_member_asks_for_committed_offsets_again_in_its_new_epoch() {
    let mut bench = joining(by_hand());
    let (waiting, _) = beat(&mut bench);
    crate::membership::answer(&mut bench, &waiting, 1, Some(&[P0]));
    bench.pass(ms(200));
    refuse_committed(&mut bench, ErrorCode::StaleMemberEpoch);
    bench.pass(ms(500));
    assert!(asks(&bench, |request| matches!(request, Request::OffsetFetch(_))));
}

fn answer_committed(bench: &mut Bench, results: &[(TopicPartition, ErrorCode)]) {
    let waiting = bench.take(|request| matches!(request, Request::OffsetFetch(_)));
    let partitions = results.iter().map(|(partition, error)| (*partition, Err(*error))).collect();
    let response = OffsetFetchResponse { error: None, partitions };
    bench.answer(&waiting, Response::OffsetFetch(response));
}

/// Kafka: the errors of partitions in OffsetFetchResponseHandler and OffsetFetchRequestState.
#[test]
fn a_partition_that_the_coordinator_does_not_know_is_asked_about_again_by_the_new_protocol() {
    for error in [ErrorCode::UnknownTopicOrPartition, ErrorCode::UnknownTopicId] {
        let mut bench = initializing(classic());
        answer_committed(&mut bench, &[(P0, error)]);
        assert_eq!(bench.told(), [thrown(error)]);
        let mut bench =
            Bench::with_group(ConsumerConfig { default_api_timeout_ms: 2_000, ..by_hand() });
        bench.assign(&[P0]);
        bench.poll(ms(50));
        bench.pass(ms(1));
        groups::find_coordinator(&mut bench);
        bench.pass(ms(100));
        assert_eq!(bench.told(), [Completion::Polled { records: 0 }]);
        bench.poll(ms(60_000));
        let mut questions = 0;
        while asks(&bench, |request| matches!(request, Request::OffsetFetch(_))) {
            answer_committed(&mut bench, &[(P0, error)]);
            questions += 1;
            bench.pass(ms(400));
        }
        assert!((3..10).contains(&questions), "{questions}");
        assert_eq!(bench.told(), []);
        let begins = asks(&bench, |request| matches!(request, Request::ListOffsets(_)));
        assert!(begins, "in the end it begins where auto.offset.reset says");
    }
}

/// Kafka: AsyncPollEvent, cacheExceptionIfEventExpired.
#[test]
fn what_is_answered_between_two_polls_is_thrown_by_the_second() {
    let mut bench = Bench::with_group(by_hand());
    bench.assign(&[P0]);
    bench.poll(ms(50));
    bench.pass(ms(1));
    groups::find_coordinator(&mut bench);
    bench.pass(ms(100));
    assert_eq!(bench.told(), [Completion::Polled { records: 0 }]);
    refuse_committed(&mut bench, ErrorCode::GroupAuthorizationFailed);
    bench.pass(ms(1_000));
    assert_eq!(bench.told(), []);
    bench.poll(ms(60_000));
    assert_eq!(bench.told(), [thrown(ErrorCode::GroupAuthorizationFailed)]);
}

/// Kafka: maybeFailOnCoordinatorFatalError.
#[test]
fn a_question_for_committed_offsets_ends_when_nobody_can_be_asked() {
    let mut bench = Bench::with_group(by_hand());
    bench.assign(&[P0]);
    bench.poll(ms(60_000));
    bench.pass(ms(1));
    refuse_lookup(&mut bench, ErrorCode::GroupAuthorizationFailed);
    bench.pass(ms(200));
    assert_eq!(bench.told(), [thrown(ErrorCode::GroupAuthorizationFailed)]);
    bench.assign(&[P1]);
    bench.poll(ms(60_000));
    bench.pass(ms(500));
    groups::find_coordinator(&mut bench);
    bench.pass(ms(1));
    let questions = bench.waiting.iter().filter_map(|waiting| match &waiting.request {
        Request::OffsetFetch(request) => Some(request.partitions.to_vec()),
        _ => None,
    });
    assert_eq!(questions.collect::<Vec<_>>(), [vec![P1]]);
}

/// Kafka: AbstractHeartbeatRequestManager.onErrorResponse, ConsumerHeartbeatRequestManager.
#[test]
fn a_heartbeat_of_the_new_protocol_ends_the_member_unless_it_says_what_to_do() {
    for error in ErrorCode::ALL.iter().copied() {
        let mut bench = with_records(by_hand());
        bench.poll(ms(60_000));
        bench.pass(ms(5_000));
        let (waiting, _) = beat(&mut bench);
        refuse(&mut bench, &waiting, error);
        bench.pass(ms(500));
        let told = bench.told();
        let is_looking = asks(&bench, |request| matches!(request, Request::FindCoordinator(_)));
        match error {
            NOT_AVAILABLE | ELSEWHERE => assert!(is_looking && told.is_empty(), "{error}"),
            LOADS => assert!(has_beat(&bench) && told.is_empty(), "{error}"),
            ErrorCode::FencedMemberEpoch | ErrorCode::UnknownMemberId => {
                assert_eq!(beat(&mut bench).1.epoch, Some(0), "{error}");
            }
            ErrorCode::TopicAuthorizationFailed => {
                assert_eq!(told, [thrown(error)]);
                assert!(has_beat(&bench), "it stays a member");
            }
            _ => {
                assert!(told.contains(&thrown(error)), "{error}: {told:?}");
                assert_eq!(states(&bench).last(), Some(&MembershipState::Fatal), "{error}");
                assert!(!has_beat(&bench), "{error}");
            }
        }
    }
}

/// Kafka: OffsetCommitRequestState.onResponse, commitSyncWithRetries.
#[test]
fn commit_sync_of_the_new_protocol_tries_again_after_few_errors() {
    for error in ErrorCode::ALL.iter().copied() {
        let mut bench = with_records(by_hand());
        bench.turn(|consumer, env, turn| consumer.commit_sync(env, turn, None));
        let asked = commit(&mut bench);
        answer_commit(&mut bench, &asked, Some(error));
        bench.pass(ms(500));
        let told = bench.told();
        let expected = match error {
            NOT_AVAILABLE | ELSEWHERE | ErrorCode::RequestTimedOut => {
                assert!(told.is_empty(), "{error}: {told:?}");
                assert!(asks(&bench, |request| matches!(request, Request::FindCoordinator(_))));
                continue;
            }
            LOADS | ErrorCode::UnknownTopicOrPartition | ErrorCode::UnknownTopicId => {
                assert!(told.is_empty(), "{error}: {told:?}");
                assert!(asks(&bench, |request| matches!(request, Request::OffsetCommit(_))));
                continue;
            }
            ErrorCode::UnknownMemberId | ErrorCode::StaleMemberEpoch => SendError::CommitFailed,
            _ => SendError::Code(error),
        };
        assert_eq!(told, [Completion::CommittedSync { error: Some(expected) }], "{error}");
    }
}

/// Kafka: unauthorizedTopics, which is looked at last.
#[test]
fn topics_that_may_not_be_committed_are_named_if_nothing_else_is_wrong() {
    let mut bench = with_records(by_hand());
    bench.turn(|consumer, env, turn| consumer.commit_sync(env, turn, None));
    let (waiting, _) = commit(&mut bench);
    let errors = [ErrorCode::TopicAuthorizationFailed, ErrorCode::OffsetMetadataTooLarge];
    let partitions = [P0, P1].into_iter().zip(errors.map(Some)).collect();
    let response = inflight_protocol::message::OffsetCommitResponse { partitions };
    bench.answer(&waiting, Response::OffsetCommit(response));
    let error = Some(SendError::Code(ErrorCode::OffsetMetadataTooLarge));
    assert_eq!(bench.told(), [Completion::CommittedSync { error }]);
}

// --- positions ----------------------------------------------------------------------------------

fn refuse_list(bench: &mut Bench, error: ErrorCode) {
    let waiting = bench.take(|request| matches!(request, Request::ListOffsets(_)));
    let Request::ListOffsets(request) = &waiting.request else { unreachable!() };
    let partitions = request.partitions.iter().map(|(id, ..)| (*id, Err(error))).collect();
    bench.answer(&waiting, Response::ListOffsets(ListOffsetsResponse { partitions }));
}

/// Kafka: OffsetFetcherUtils.handleListOffsetResponse, onFailedResponseForResettingPositions.
#[test]
fn the_end_of_a_topic_that_may_not_be_read_is_thrown_by_the_next_poll() {
    let refused = ErrorCode::TopicAuthorizationFailed;
    for protocol in [None, Some(GroupProtocol::Classic), Some(GroupProtocol::Consumer)] {
        for error in ErrorCode::ALL.iter().copied() {
            let mut bench = match protocol {
                None => Bench::alone(classic()),
                Some(protocol) => {
                    Bench::with_group(ConsumerConfig { group_protocol: protocol, ..classic() })
                }
            };
            bench.assign(&[P0]);
            bench.poll(ms(60_000));
            bench.pass(ms(1));
            if protocol.is_some() {
                groups::find_coordinator(&mut bench);
                bench.pass(ms(1));
                groups::committed(&mut bench, &[]);
            }
            bench.pass(ms(300));
            refuse_list(&mut bench, error);
            bench.pass(ms(500));
            let asks_again = asks(&bench, |request| matches!(request, Request::ListOffsets(_)));
            let told = bench.told();
            if error == refused {
                assert_eq!(told, [thrown(refused)], "{protocol:?}");
            } else {
                assert_eq!(told, [], "{error}");
                let is_over = error == ErrorCode::UnsupportedForMessageFormat;
                assert_eq!(asks_again, !is_over, "{error}");
            }
        }
    }
}

/// Kafka: OffsetsForLeaderEpochUtils.handleResponse, onFailedResponseForValidatingPositions.
#[test]
fn the_end_of_an_epoch_of_a_topic_that_may_not_be_read_is_thrown_by_the_next_poll() {
    for error in ErrorCode::ALL.iter().copied() {
        let mut bench = with_a_new_leader(classic());
        let waiting = bench.take(|request| matches!(request, Request::OffsetForLeaderEpoch(_)));
        let partitions = smallvec::smallvec![(P0, Err(error))];
        let response = OffsetForLeaderEpochResponse { partitions };
        bench.answer(&waiting, Response::OffsetForLeaderEpoch(response));
        bench.pass(ms(500));
        let told = bench.told();
        if error == ErrorCode::TopicAuthorizationFailed {
            assert_eq!(told, [thrown(error)]);
        } else {
            assert_eq!(told, [], "{error}");
            let asks_again =
                asks(&bench, |request| matches!(request, Request::OffsetForLeaderEpoch(_)));
            assert!(asks_again, "{error}");
        }
    }
}

// --- fetches ------------------------------------------------------------------------------------

/// Kafka: FetchSessionHandler.handleResponse, AbstractFetch.handleFetchSuccess.
#[test]
fn a_fetch_session_that_is_lost_costs_one_fetch() {
    for error in [
        ErrorCode::FetchSessionIdNotFound,
        ErrorCode::InvalidFetchSessionEpoch,
        ErrorCode::FetchSessionTopicIdError,
    ] {
        let mut bench = at_five(classic());
        bench.leaders[0] = (2, 0);
        let waiting = bench.take(|request| matches!(request, Request::ConsumerFetch(_)));
        let nothing = ConsumerFetchResponse { error: Some(error), ..Default::default() };
        bench.answer(&waiting, Response::ConsumerFetch(nothing.clone()));
        assert_eq!(fetch_offset(&bench), 5, "at once, and all of it");
        bench.pass(ms(400));
        let waiting = bench.take(|request| matches!(request, Request::ConsumerFetch(_)));
        bench.answer(&waiting, Response::ConsumerFetch(nothing));
        let to = bench.find(|request| matches!(request, Request::ConsumerFetch(_))).map(|w| w.to);
        let hears = error == ErrorCode::FetchSessionTopicIdError;
        assert_eq!(to, Some(b(if hears { 2 } else { 1 })), "{error}");
        assert_eq!(bench.told(), []);
    }
}

/// Kafka: FetchCollector.handleInitializeErrors.
#[test]
fn a_fetch_that_a_leader_refuses_is_tried_again_after_some_errors() {
    for error in ErrorCode::ALL.iter().copied() {
        let auto_offset_reset = AutoOffsetReset::None;
        let mut bench = at_five(ConsumerConfig { auto_offset_reset, ..classic() });
        bench.refuse_fetch(P0, error);
        bench.pass(ms(500));
        match error {
            ErrorCode::NotLeaderOrFollower
            | ErrorCode::ReplicaNotAvailable
            | ErrorCode::KafkaStorageError
            | ErrorCode::FencedLeaderEpoch
            | ErrorCode::OffsetNotAvailable
            | ErrorCode::UnknownTopicOrPartition
            | ErrorCode::UnknownTopicId
            | ErrorCode::InconsistentTopicId
            | ErrorCode::UnknownLeaderEpoch
            | ErrorCode::UnknownServerError => {
                assert_eq!(bench.told(), [], "{error}");
                assert_eq!(fetch_offset(&bench), 5, "{error}");
            }
            _ => assert_eq!(bench.told(), [thrown(error)], "{error}"),
        }
    }
}
