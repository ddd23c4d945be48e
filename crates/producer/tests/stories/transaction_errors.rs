//! What goes wrong in transactions, and what is left to the application then.

use crate::bench::{Bench, failures};
use crate::coordinator::Coordinator;
use crate::transactions::{config, ready, sending};
use inflight_protocol::fact::SendError;
use inflight_protocol::{ApiKey, ErrorCode, ProducerConfig, TransactionVersion};

const V0: TransactionVersion = TransactionVersion::V0;
const V2: TransactionVersion = TransactionVersion::V2;

fn refuse_next(bench: &mut Bench, api: ApiKey, error: ErrorCode) {
    bench.coordinator().errors.push((api, error));
}

/// testDisallowCommitOnProduceFailure, testAllowAbortOnProduceFailure, testBumpTransactionalEpochOn-
/// AbortableError: with version 1 the producer raises its epoch itself after the abort.
#[test]
fn with_version_1_a_failed_batch_costs_the_transaction_and_an_epoch() {
    let mut bench = sending(V0);
    bench.refuse(1, ErrorCode::TopicAuthorizationFailed);
    bench.commit();
    bench.abort();
    bench.begin();
    bench.send(0, 1, 10);
    assert_eq!(
        bench.take_log(),
        [
            "100 fail p0 0+1 TOPIC_AUTHORIZATION_FAILED",
            "100 is abortable-error",
            "100 commit throws abortable-state, leaves abort",
            "100 is aborting",
            "100 abort 0 begins",
            "100 b2 <- abort e0",
            "100 is initializing",
            "100 b2 <- bump 0",
            "100 epoch 1",
            "100 is ready",
            "100 abort 0 done",
            "100 is in-transaction",
            "100 begin 1",
            "100 b2 <- add p0",
            "100 b1 <- p0 e1 s0+1"
        ]
    );
}

#[test]
fn with_version_2_the_abort_brings_the_epoch() {
    let mut bench = sending(V2);
    bench.refuse(1, ErrorCode::TopicAuthorizationFailed);
    bench.abort();
    bench.begin();
    bench.send(0, 1, 10);
    let requests: Vec<String> =
        bench.take_story().into_iter().filter(|line| line.contains("<-")).collect();
    assert_eq!(requests, ["100 b2 <- abort e0", "100 b1 <- p0 e1 s0+1"]);
}

/// testInvalidProducerEpochFromProduce: abortable from a leader, fatal from a coordinator, where it
/// is told as PRODUCER_FENCED.
#[test]
fn an_old_epoch_is_the_end_only_if_the_coordinator_says_so() {
    let mut bench = sending(V2);
    bench.refuse(1, ErrorCode::InvalidProducerEpoch);
    bench.commit();
    bench.abort();
    let story = bench.take_story();
    assert!(story.contains(&"100 commit throws INVALID_PRODUCER_EPOCH, leaves abort".to_owned()));
    assert!(story.last().unwrap().ends_with("abort 0 done"), "{story:?}");
    bench.begin();
    bench.send(0, 1, 10);
    bench.ack(1, 1);
    refuse_next(&mut bench, ApiKey::EndTxn, ErrorCode::InvalidProducerEpoch);
    bench.commit();
    bench.abort();
    let story = bench.take_story();
    assert!(story.contains(&"100 commit throws PRODUCER_FENCED, leaves close".to_owned()));
    assert!(story.contains(&"100 abort throws PRODUCER_FENCED, leaves close".to_owned()));
}

/// testFatalErrorWhenProduceResponseWithInvalidPidMapping and A17: everything throws then.
#[test]
fn after_a_fatal_error_only_close_is_left() {
    let mut bench = sending(V2);
    bench.refuse(1, ErrorCode::InvalidProducerIdMapping);
    bench.commit();
    bench.abort();
    bench.begin();
    bench.init();
    bench.send(0, 1, 10);
    bench.pass_ms(100);
    let story = bench.take_story();
    let thrown = |call: &str| format!("100 {call} throws fatal-state, leaves close");
    for call in ["commit", "abort", "begin", "init", "send"] {
        assert!(story.contains(&thrown(call)), "{call}: {story:?}");
    }
    let error = SendError::Code(ErrorCode::InvalidProducerIdMapping);
    assert_eq!(failures(&bench.completions), [error; 2], "the second was appended all the same");
    bench.close(1_000);
    assert!(bench.take_story().last().unwrap().ends_with("stopped closed"));
}

/// testTransactionalIdAuthorizationFailureInInitProducerId: the producer is as new, and may try
/// again.
#[test]
fn a_refused_transactional_id_can_be_tried_again() {
    let error = ErrorCode::TransactionalIdAuthorizationFailed;
    let coordinator = Coordinator::new(V2).refusing(ApiKey::InitProducerId, error);
    let mut bench = Bench::transactional(1, config(), coordinator);
    bench.init();
    bench.pass_ms(100);
    bench.init();
    let log = bench.take_log();
    let from = log.iter().position(|line| line.contains("abortable")).unwrap();
    assert_eq!(
        log[from..],
        [
            "100 is abortable-error",
            "100 is uninitialized",
            "100 init throws TRANSACTIONAL_ID_AUTHORIZATION_FAILED, leaves retry",
            "100 is initializing",
            "100 b2 <- init",
            "100 id 1001",
            "100 is ready",
            "100 init 1001/0"
        ]
    );
}

/// testTransitionToAbortableErrorOnBatchExpiry, and 4.1's wrapping: what cannot be delivered in time
/// is told as TRANSACTION_ABORTABLE by what is called next.
#[test]
fn a_batch_that_expires_makes_the_transaction_abortable() {
    let short = ProducerConfig { delivery_timeout_ms: 500, request_timeout_ms: 400, ..config() };
    let mut bench = Bench::transactional(1, short, Coordinator::new(V2));
    bench.init();
    bench.pass_ms(100);
    bench.leaders[0] = None;
    bench.begin();
    bench.send(0, 1, 10);
    bench.commit();
    bench.take_log();
    bench.pass_ms(1_500);
    let story = bench.take_story();
    assert!(story.contains(&"600 fail p0 0+1 delivery-timeout".to_owned()), "{story:?}");
    // testDropCommitOnBatchExpiry: the sender finds out in its next pass, here with the next
    // metadata.
    let thrown = story.last().unwrap();
    assert!(thrown.ends_with("commit throws TRANSACTION_ABORTABLE, leaves abort"), "{story:?}");
}

/// testAbortableErrorWhileAbortInProgress.
#[test]
fn an_abort_is_not_stopped_by_an_abortable_error() {
    let mut bench = sending(V2);
    bench.abort();
    bench.refuse(1, ErrorCode::TopicAuthorizationFailed);
    let story = bench.take_story();
    assert!(story.last().unwrap().ends_with("abort 0 done"), "{story:?}");
}

/// testAbortTransactionAndReuseSequenceNumberOnError: a batch that the leader refused took no
/// sequence; the next one has it. Coordinators that cannot raise epochs are gone, but an abort that
/// is under way raises none either.
#[test]
fn a_refused_batch_gives_its_sequences_back() {
    let mut bench = sending(V0);
    bench.send(0, 2, 10);
    bench.abort();
    bench.take_log();
    bench.refuse(1, ErrorCode::InvalidRecord);
    assert!(bench.take_log().contains(&"100 rewrite p0 1 s1 -> s0".to_owned()));
    bench.refuse(1, ErrorCode::OutOfOrderSequenceNumber);
    bench.pass_ms(120);
    assert_eq!(bench.in_flight(1), ["p0 s0+2"]);
    bench.ack(1, 0);
    bench.begin();
    bench.send(0, 1, 10);
    assert_eq!(bench.in_flight(1), ["p0 s2+1"], "no epoch was raised");
}

/// TransactionManager.canRetry: out of order though it is the next one.
#[test]
fn a_gap_in_the_sequences_fails_the_batch() {
    let mut bench = sending(V2);
    bench.refuse(1, ErrorCode::OutOfOrderSequenceNumber);
    assert_eq!(
        failures(&bench.completions),
        [SendError::Code(ErrorCode::OutOfOrderSequenceNumber)]
    );
    assert_eq!(bench.take_states(), ["abortable-error"]);
}

/// testTopicAuthorizationFailureInAddPartitions.
#[test]
fn a_topic_that_may_not_be_written_to_makes_the_transaction_abortable() {
    let mut bench = ready(V0);
    refuse_next(&mut bench, ApiKey::AddPartitionsToTxn, ErrorCode::TopicAuthorizationFailed);
    bench.begin();
    bench.send(0, 1, 10);
    bench.pass_ms(10);
    bench.abort();
    assert_eq!(
        bench.take_story(),
        [
            "100 begin 0",
            "100 b2 <- add p0",
            "100 fail p0 0+1 TOPIC_AUTHORIZATION_FAILED",
            "110 abort 0 begins",
            "110 abort 0 done"
        ],
        "testRecoveryFromAbortableErrorTransactionNotStarted"
    );
}

/// testIllegalGenerationInTxnOffsetCommitByGroupMetadata.
#[test]
fn offsets_of_an_old_generation_make_the_transaction_abortable() {
    let mut bench = ready(V2);
    refuse_next(&mut bench, ApiKey::TxnOffsetCommit, ErrorCode::IllegalGeneration);
    bench.begin();
    bench.send_offsets(7);
    bench.pass_ms(100);
    bench.abort();
    let story = bench.take_story();
    assert!(story.contains(&"200 send-offsets throws commit-failed, leaves abort".to_owned()));
    assert!(story.contains(&"200 b2 <- abort e0".to_owned()), "the group may know of it");
}

/// testBumpTransactionalEpochOnRecoverableAddOffsetsRequestError.
#[test]
fn a_producer_that_the_coordinator_forgot_raises_its_epoch() {
    let mut bench = ready(V0);
    refuse_next(&mut bench, ApiKey::AddOffsetsToTxn, ErrorCode::UnknownProducerId);
    bench.begin();
    bench.send_offsets(7);
    bench.abort();
    let story = bench.take_story();
    assert!(
        story.contains(&"100 send-offsets throws UNKNOWN_PRODUCER_ID, leaves abort".to_owned())
    );
    assert!(story.contains(&"100 b2 <- bump 0".to_owned()), "{story:?}");
}

/// testTransactionAbortableExceptionInEndTxn.
#[test]
fn a_commit_may_become_abortable_but_an_abort_may_not() {
    let mut bench = sending(V2);
    bench.ack(1, 0);
    refuse_next(&mut bench, ApiKey::EndTxn, ErrorCode::TransactionAbortable);
    refuse_next(&mut bench, ApiKey::EndTxn, ErrorCode::TransactionAbortable);
    bench.commit();
    bench.abort();
    let thrown: Vec<String> =
        bench.take_story().into_iter().filter(|line| line.contains("throws")).collect();
    assert_eq!(
        thrown,
        [
            "100 commit throws TRANSACTION_ABORTABLE, leaves abort",
            "100 abort throws fatal-state, leaves close"
        ]
    );
}

/// KafkaProducer.doSend: a send() that fails before it appends fails the transaction too; from any
/// state that has no such step it throws instead.
#[test]
fn a_record_that_is_too_large_makes_the_transaction_abortable() {
    let mut bench = ready(V2);
    bench.send(0, 1, 2_000_000);
    bench.begin();
    bench.send(0, 1, 2_000_000);
    bench.commit();
    assert_eq!(
        bench.take_story(),
        [
            "100 refuse 1 record-too-large",
            "100 send throws illegal-state, leaves none",
            "100 begin 0",
            "100 refuse 1 record-too-large",
            "100 commit throws abortable-state, leaves abort"
        ]
    );
}

/// testFindCoordinatorAllowedInAbortableErrorState.
#[test]
fn in_an_abortable_error_a_coordinator_is_still_looked_for() {
    let mut bench = sending(V0);
    bench.coordinator().holds = Some(ApiKey::AddPartitionsToTxn);
    bench.send(1, 1, 10);
    bench.refuse(1, ErrorCode::TopicAuthorizationFailed);
    bench.disconnect(2);
    bench.coordinator().holds = None;
    bench.pass_ms(200);
    let story = bench.take_story();
    let asked: Vec<_> = story.iter().filter(|line| line.contains("<- ")).collect();
    assert!(asked.last().unwrap().contains("find transaction"), "{story:?}");
}
