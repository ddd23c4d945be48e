//! The idempotent producer: producer ids, sequence numbers, order after failures, epoch bumps.

use crate::bench::{Bench, failures};
use inflight_protocol::fact::SendError;
use inflight_protocol::{ErrorCode, ProducerConfig};

fn idempotent() -> ProducerConfig {
    ProducerConfig { linger_ms: 0, ..ProducerConfig::default() }
}

fn epochs(log: &[String]) -> Vec<&String> {
    log.iter().filter(|line| line.contains("epoch") || line.contains("rewrite")).collect()
}

#[test]
fn nothing_is_drained_before_there_is_a_producer_id() {
    let mut bench = Bench::new(1, ProducerConfig::default());
    assert_eq!(bench.take_log(), ["0 id 1001"], "it is asked for before any send()");
    bench.send(0, 2, 10);
    bench.pass_ms(5);
    assert_eq!(bench.in_flight(1), ["p0 s0+2"]);
}

/// A repeated InitProducerId request waits for retry.backoff.ms, without growth or jitter.
#[test]
fn a_producer_id_that_is_refused_is_asked_for_again_after_a_sleep() {
    let loading = vec![ErrorCode::CoordinatorLoadInProgress; 2];
    let mut bench = Bench::starting_with(1, idempotent(), loading);
    bench.pass_ms(500);
    assert_eq!(bench.take_log(), ["200 id 1001"]);
}

#[test]
fn cluster_authorization_failed_fails_the_batches_and_is_tried_again() {
    let mut bench =
        Bench::starting_with(1, idempotent(), vec![ErrorCode::ClusterAuthorizationFailed]);
    bench.pass_ms(1);
    assert_eq!(bench.take_log().last().unwrap(), "0 id 1001");
}

#[test]
fn a_fatal_answer_ends_all_sending() {
    let mut bench = Bench::starting_with(1, idempotent(), vec![ErrorCode::UnsupportedVersion]);
    bench.send(0, 1, 10);
    bench.pass_ms(200);
    assert_eq!(failures(&bench.completions), [SendError::Code(ErrorCode::UnsupportedVersion)]);
}

#[test]
fn an_answer_that_nobody_expects_is_told_as_no_code_of_a_record() {
    let fails_with = |error| {
        let mut bench = Bench::starting_with(1, idempotent(), vec![error]);
        bench.send(0, 1, 10);
        bench.pass_ms(200);
        failures(&bench.completions)
    };
    assert_eq!(fails_with(ErrorCode::MessageTooLarge), [SendError::FatalState]);
    let fenced = SendError::Code(ErrorCode::ProducerFenced);
    assert_eq!(fails_with(ErrorCode::InvalidProducerEpoch), [fenced]);
}

/// Kafka's thread spins; it must see the answer all the same.
#[test]
fn without_a_backoff_the_sender_waits_for_the_network() {
    let config = ProducerConfig { retry_backoff_ms: 0, ..idempotent() };
    let mut bench = Bench::starting_with(1, config, vec![ErrorCode::CoordinatorLoadInProgress]);
    bench.pass_ms(10);
    assert_eq!(bench.take_log(), ["0 id 1001"]);
}

/// send() throws there before it would wake the sender, which looks every retry.backoff.ms.
#[test]
fn in_a_fatal_state_a_record_fails_at_the_end_of_the_poll() {
    let mut bench = Bench::starting_with(1, idempotent(), vec![ErrorCode::UnsupportedVersion]);
    bench.pass_ms(50);
    // The wait for metadata has made the sender begin another poll.
    bench.send(0, 1, 10);
    bench.pass_ms(99);
    assert_eq!(failures(&bench.completions), []);
    bench.pass_ms(1);
    assert_eq!(failures(&bench.completions), [SendError::Code(ErrorCode::UnsupportedVersion)]);
}

#[test]
fn sequences_are_assigned_at_the_first_drain_and_kept_over_retries() {
    let mut bench = Bench::new(1, idempotent());
    bench.send(0, 3, 10);
    bench.send(0, 2, 10);
    assert_eq!(bench.in_flight(1), ["p0 s0+3", "p0 s3+2"]);
    bench.refuse(1, ErrorCode::NotEnoughReplicas);
    bench.refuse(1, ErrorCode::OutOfOrderSequenceNumber);
    bench.pass_ms(120);
    assert_eq!(bench.in_flight(1), ["p0 s0+3"], "only the lowest sequence may go");
    bench.ack(1, 0);
    bench.pass_ms(240);
    assert_eq!(bench.in_flight(1), ["p0 s3+2"]);
    bench.ack(1, 3);
    assert!(epochs(&bench.take_log()).is_empty(), "a predecessor was missing: no bump");
}

/// After a disconnect the retries are in order of sequence, one at a time, then pipelined again.
#[test]
fn after_a_disconnect_batches_go_in_sequence_one_at_a_time() {
    let mut bench = Bench::new(1, idempotent());
    for _ in 0..3 {
        bench.send(0, 1, 10);
    }
    bench.disconnect(1);
    bench.send(0, 1, 10);
    bench.pass_ms(500);
    assert_eq!(bench.in_flight(1), ["p0 s0+1"]);
    bench.ack(1, 0);
    assert_eq!(bench.in_flight(1), ["p0 s1+1"]);
    bench.ack(1, 1);
    assert_eq!(bench.in_flight(1), ["p0 s2+1", "p0 s3+1"], "no retry is left: pipelining again");
}

/// Sharp edge 3: head-of-line blocking of a whole broker.
#[test]
fn a_partition_that_must_wait_for_its_turn_blocks_its_broker() {
    let mut bench = Bench::new(4, idempotent());
    bench.send(0, 1, 10);
    bench.send(0, 1, 10);
    bench.disconnect(1);
    bench.pass_ms(500);
    assert_eq!(bench.in_flight(1), ["p0 s0+1"]);
    bench.send(3, 1, 10);
    bench.pass_ms(500);
    assert_eq!(bench.in_flight(1), ["p0 s0+1"], "partition 3 is broker 1's too, and waits");
    bench.ack(1, 0);
    assert_eq!(bench.in_flight(1), ["p0 s1+1, p3 s0+1"]);
}

/// SenderTest.testEpochBumpOnOutOfOrderSequenceForNextBatch: out of order although it is the next
/// batch. The partition starts again at 0 with the next epoch; another one keeps its epoch until
/// it is drained with nothing in flight.
#[test]
fn a_real_gap_bumps_the_epoch_and_restarts_the_partition() {
    let mut bench = Bench::new(2, idempotent());
    bench.send(0, 1, 10);
    bench.send(1, 1, 10);
    bench.ack(1, 0);
    bench.ack(2, 0);
    bench.send(0, 2, 10);
    bench.send(0, 3, 10);
    assert_eq!(bench.in_flight(1), ["p0 s1+2", "p0 s3+3"]);
    bench.take_log();
    bench.refuse(1, ErrorCode::OutOfOrderSequenceNumber);
    let log = bench.take_log();
    assert_eq!(epochs(&log), ["0 epoch 1", "0 rewrite p0 1 s1 -> s0", "0 rewrite p0 3 s3 -> s2"]);
    bench.refuse(1, ErrorCode::OutOfOrderSequenceNumber);
    bench.pass_ms(120);
    assert_eq!(bench.in_flight(1), ["p0 e1 s0+2"]);
    bench.ack(1, 1);
    bench.pass_ms(240);
    assert_eq!(bench.in_flight(1), ["p0 e1 s2+3"]);
    bench.send(1, 1, 10);
    assert_eq!(bench.in_flight(2), ["p1 e1 s0+1"], "a fresh start at its next first drain");
    assert!(epochs(&bench.take_log()).is_empty());
}

/// Sharp edge 18.
#[test]
fn an_error_that_is_not_retriable_bumps_the_epoch_and_rewrites_later_batches() {
    let mut bench = Bench::new(1, idempotent());
    for _ in 0..3 {
        bench.send(0, 1, 10);
    }
    bench.take_log();
    bench.refuse(1, ErrorCode::TopicAuthorizationFailed);
    let log = bench.take_log();
    assert_eq!(epochs(&log), ["0 epoch 1", "0 rewrite p0 1 s1 -> s0", "0 rewrite p0 2 s2 -> s1"]);
    assert_eq!(
        failures(&bench.completions),
        [SendError::Code(ErrorCode::TopicAuthorizationFailed)]
    );
}

/// The last attempt may have been written: no bump then (adjustSequenceNumbers is false).
#[test]
fn a_failure_of_the_last_attempt_bumps_nothing() {
    let config = ProducerConfig { retries: 1, ..idempotent() };
    let mut bench = Bench::new(1, config);
    bench.send(0, 1, 10);
    bench.refuse(1, ErrorCode::NotEnoughReplicas);
    bench.pass_ms(120);
    bench.refuse(1, ErrorCode::NotEnoughReplicas);
    assert_eq!(failures(&bench.completions), [SendError::Code(ErrorCode::NotEnoughReplicas)]);
    assert!(epochs(&bench.take_log()).is_empty());
}

#[test]
fn some_errors_are_fatal_for_an_idempotent_producer() {
    for error in [
        ErrorCode::ClusterAuthorizationFailed,
        ErrorCode::ProducerFenced,
        ErrorCode::UnsupportedVersion,
        ErrorCode::InvalidProducerIdMapping,
    ] {
        let mut bench = Bench::new(1, idempotent());
        bench.send(0, 1, 10);
        bench.refuse(1, error);
        bench.send(0, 1, 10);
        bench.pass_ms(200);
        assert!(bench.received.is_empty(), "{error}");
        assert_eq!(failures(&bench.completions), [SendError::Code(error); 2], "{error}");
    }
}

#[test]
fn invalid_producer_epoch_fails_the_batch_and_bumps() {
    let mut bench = Bench::new(1, idempotent());
    bench.send(0, 1, 10);
    bench.refuse(1, ErrorCode::InvalidProducerEpoch);
    bench.send(0, 1, 10);
    assert_eq!(bench.in_flight(1), ["p0 e1 s0+1"]);
}

// --- sequences in doubt ---------------------------------------------------------------------------

fn short() -> ProducerConfig {
    ProducerConfig { delivery_timeout_ms: 1_500, request_timeout_ms: 1_000, ..idempotent() }
}

/// The first of two batches in flight is refused and expires while it backs off.
fn first_of_two_in_doubt() -> Bench {
    let config = ProducerConfig { retry_backoff_ms: 2_000, retry_backoff_max_ms: 2_000, ..short() };
    let mut bench = Bench::new(1, config);
    bench.send(0, 1, 10);
    bench.pass_ms(900);
    bench.send(0, 1, 10);
    bench.refuse(1, ErrorCode::NotEnoughReplicas);
    bench.pass_ms(600);
    let log = bench.take_log();
    assert!(log.contains(&"1500 unresolved p0 before s1".to_owned()), "{log:?}");
    bench.send(0, 1, 10);
    assert_eq!(bench.in_flight(1), ["p0 s1+1"], "while in doubt, no new batch is drained");
    bench
}

/// SenderTest.testExpiryOfFirstBatchShouldNotCauseUnresolvedSequencesIfFutureBatchesSucceed.
#[test]
fn a_sequence_in_doubt_is_cleared_when_a_later_batch_succeeds() {
    let mut bench = first_of_two_in_doubt();
    bench.ack(1, 1);
    assert_eq!(bench.in_flight(1), ["p0 s2+1"]);
    assert!(epochs(&bench.take_log()).is_empty());
}

/// SenderTest.testExpiryOfFirstBatchShouldCauseEpochBumpIfFutureBatchesFail.
#[test]
fn a_sequence_in_doubt_bumps_the_epoch_when_the_later_batch_fails() {
    let mut bench = first_of_two_in_doubt();
    bench.refuse(1, ErrorCode::OutOfOrderSequenceNumber);
    let log = bench.take_log();
    assert_eq!(epochs(&log), ["1500 epoch 1", "1500 rewrite p0 1 s1 -> s0"]);
}

/// Kafka looks at batches in flight in the order of their requests and stops at the first whose
/// time is not up (Sender.getExpiredInflightBatches): a retry behind a younger batch outlives its
/// delivery.timeout.ms until that one is answered.
#[test]
fn a_retry_behind_a_younger_batch_expires_late() {
    let mut bench = Bench::new(1, short());
    bench.send(0, 1, 10);
    bench.pass_ms(1_000);
    bench.send(0, 1, 10);
    bench.refuse(1, ErrorCode::NotEnoughReplicas);
    bench.pass_ms(500);
    assert_eq!(bench.in_flight(1), ["p0 s1+1", "p0 s0+1"]);
    assert!(failures(&bench.completions).is_empty());
    bench.ack(1, 1);
    assert_eq!(failures(&bench.completions), [SendError::DeliveryTimeout]);
}

/// SenderTest.testExpiryOfAllSentBatchesShouldCauseUnresolvedSequences.
#[test]
fn when_all_sent_batches_expire_after_a_retry_the_epoch_is_bumped() {
    let mut bench = Bench::new(1, short());
    bench.send(0, 1, 10);
    bench.refuse(1, ErrorCode::NotEnoughReplicas);
    bench.leaders[0] = None;
    bench.pass_ms(120);
    bench.refuse(1, ErrorCode::NotLeaderOrFollower);
    bench.pass_ms(1_380);
    assert_eq!(failures(&bench.completions), [SendError::DeliveryTimeout]);
    bench.leaders[0] = Some((1, 1));
    bench.send(0, 1, 10);
    bench.pass_ms(1_100);
    assert_eq!(bench.in_flight(1), ["p0 e1 s0+1"]);
}

/// The pass after the one in which it expires raises the epoch, though all that the poll in between
/// does is to write a metadata request.
#[test]
fn a_batch_that_expires_as_metadata_is_asked_for_bumps_the_epoch_at_once() {
    let config = ProducerConfig { retry_backoff_ms: 1_000, metadata_max_age_ms: 1_500, ..short() };
    let mut bench = Bench::new(1, config);
    bench.send(0, 1, 10);
    bench.metadata_works = false;
    bench.pass_ms(900);
    bench.refuse(1, ErrorCode::NotEnoughReplicas);
    bench.pass_ms(600);
    let log = bench.take_log();
    assert!(log.contains(&"1500 unresolved p0 before s1".to_owned()), "{log:?}");
    assert_eq!(epochs(&log), ["1500 epoch 1"]);
    bench.answer_metadata();
}

/// SenderTest.testExpiryOfUnsentBatchesShouldNotCauseUnresolvedSequences.
#[test]
fn a_batch_that_was_never_sent_leaves_no_doubt() {
    let mut bench = Bench::new(1, short());
    bench.leaders[0] = None;
    bench.send(0, 1, 10);
    bench.pass_ms(1_500);
    assert_eq!(failures(&bench.completions), [SendError::DeliveryTimeout]);
    bench.leaders[0] = Some((1, 0));
    bench.send(0, 1, 10);
    bench.pass_ms(1_100);
    assert_eq!(bench.in_flight(1), ["p0 s0+1"]);
    assert!(bench.take_log().iter().all(|line| !line.contains("unresolved")));
}

/// Sharp edge 14: expiry during the first transmission leaves no mark; if the batch
/// never arrived, its successors are out of order until they expire too.
#[test]
fn a_batch_that_expires_on_its_first_transmission_leaves_no_mark() {
    let config = ProducerConfig { request_timeout_ms: 1_500, ..short() };
    let mut bench = Bench::new(1, config);
    bench.send(0, 1, 10);
    bench.pass_ms(1_000);
    bench.send(0, 1, 10);
    bench.pass_ms(500);
    assert_eq!(failures(&bench.completions), [SendError::DeliveryTimeout]);
    let log = bench.take_log();
    assert!(log.iter().all(|line| !line.contains("unresolved")), "{log:?}");
    bench.disconnect(1);
    bench.pass_ms(200);
    assert_eq!(bench.in_flight(1), ["p0 s1+1"]);
    bench.refuse(1, ErrorCode::OutOfOrderSequenceNumber);
    assert!(epochs(&bench.take_log()).is_empty(), "not the next batch: retried without a bump");
}

/// A split keeps the sequence range of its parent.
#[test]
fn split_batches_share_the_sequences_of_their_parent() {
    let config = ProducerConfig { linger_ms: 5, ..ProducerConfig::default() };
    let mut bench = Bench::new(1, config);
    bench.send(0, 10, 1_000);
    bench.pass_ms(5);
    bench.refuse(1, ErrorCode::MessageTooLarge);
    bench.refuse(1, ErrorCode::MessageTooLarge);
    // Batches that have a sequence go one at a time, as retries do.
    for (expected, offset) in [("p0 s0+4", 0), ("p0 s4+4", 4), ("p0 s8+2", 8)] {
        assert_eq!(bench.in_flight(1), [expected]);
        bench.ack(1, offset);
    }
}

/// Without a log start offset the answer says nothing about lost state (TransactionManager.canRetry).
#[test]
fn unknown_producer_id_without_a_log_start_is_retried() {
    let mut bench = Bench::new(1, idempotent());
    bench.send(0, 1, 10);
    bench.refuse(1, ErrorCode::UnknownProducerId);
    bench.pass_ms(120);
    assert_eq!(bench.in_flight(1), ["p0 s0+1"]);
    assert!(epochs(&bench.take_log()).is_empty());
}
