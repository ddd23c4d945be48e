//! Retries, timeouts, errors, disconnects; without idempotence.

use crate::bench::{Bench, failures};
use inflight_des::Span;
use inflight_protocol::fact::SendError;
use inflight_protocol::{ErrorCode, ProducerConfig};

fn plain() -> ProducerConfig {
    ProducerConfig { enable_idempotence: false, linger_ms: 0, ..ProducerConfig::default() }
}

/// Two batches of one partition in flight.
fn two_in_flight(config: ProducerConfig) -> Bench {
    let mut bench = Bench::new(1, config);
    bench.send(0, 1, 10);
    bench.send(0, 2, 10);
    assert_eq!(bench.in_flight(1), ["p0 +1", "p0 +2"]);
    bench.take_log();
    bench
}

/// Sharp edge 15.
#[test]
fn after_a_disconnect_batches_come_back_in_reverse() {
    let mut bench = two_in_flight(plain());
    bench.disconnect(1);
    bench.pass_ms(200);
    assert_eq!(bench.in_flight(1), ["p0 +2", "p0 +1"]);
    let log = bench.take_log();
    assert_eq!(
        log[..2],
        ["0 requeue p0 0 NETWORK_EXCEPTION", "0 requeue p0 1 NETWORK_EXCEPTION"],
        "the callbacks run oldest first, each batch goes to the front"
    );
}

/// Whatever the order in which they were drained: Kafka goes through a hash map of partitions.
#[test]
fn a_disconnect_ends_the_batches_of_a_request_in_the_order_of_partitions() {
    let mut bench = Bench::new(4, ProducerConfig { linger_ms: 5, ..plain() });
    bench.leaders = vec![Some((1, 0)); 4];
    for round in 0..2 {
        for partition in 0..4 {
            bench.send(partition, 1, 10);
        }
        bench.pass_ms(5);
        if round == 0 {
            bench.ack(1, 0);
        }
    }
    assert_eq!(bench.in_flight(1), ["p3 +1, p0 +1, p1 +1, p2 +1"]);
    bench.take_log();
    bench.disconnect(1);
    let log = bench.take_log();
    let requeued: Vec<&str> = log.iter().filter_map(|line| line.split(' ').nth(2)).collect();
    assert_eq!(requeued[..4], ["p0", "p1", "p2", "p3"], "{log:?}");
}

/// Sharp edge 10: one request times out, all on the connection fail.
#[test]
fn a_request_timeout_closes_the_connection_and_fails_everything_on_it() {
    let config = ProducerConfig { request_timeout_ms: 1_000, ..plain() };
    let mut bench = Bench::new(1, config);
    bench.send(0, 1, 10);
    bench.pass_ms(900);
    bench.send(0, 2, 10);
    bench.take_log();
    bench.pass_ms(100);
    assert!(bench.take_log().is_empty(), "1000 ms are not more than request.timeout.ms");
    bench.pass_ms(1);
    let log = bench.take_log();
    assert_eq!(
        log,
        [
            "1001 close",
            "1001 requeue p0 0 REQUEST_TIMED_OUT",
            "1001 requeue p0 1 REQUEST_TIMED_OUT"
        ]
    );
}

/// The first batch is refused, the second goes through.
#[test]
fn a_refused_batch_is_retried_behind_one_that_was_not() {
    let mut bench = two_in_flight(plain());
    bench.refuse(1, ErrorCode::NotEnoughReplicas);
    bench.ack(1, 0);
    bench.pass_ms(120);
    assert_eq!(bench.in_flight(1), ["p0 +1"]);
    bench.ack(1, 2);
    let log = bench.take_log();
    let acks: Vec<&String> = log.iter().filter(|line| line.contains("ack")).collect();
    assert!(acks[0].ends_with("ack p0 1+2 @0") && acks[1].ends_with("ack p0 0+1 @2"), "{log:?}");
}

/// Sharp edge 16.
#[test]
fn some_retriable_errors_refresh_no_metadata() {
    for (error, refreshes) in [
        (ErrorCode::NotEnoughReplicas, false),
        (ErrorCode::NotEnoughReplicasAfterAppend, false),
        (ErrorCode::RequestTimedOut, false),
        (ErrorCode::CorruptMessage, false),
        (ErrorCode::NotLeaderOrFollower, true),
        (ErrorCode::UnknownTopicOrPartition, true),
        (ErrorCode::KafkaStorageError, true),
    ] {
        let mut bench = Bench::new(1, plain());
        bench.send(0, 1, 10);
        let before = bench.metadata_requests;
        bench.refuse(1, error);
        bench.pass_ms(2_000);
        assert_eq!(bench.metadata_requests > before, refreshes, "{error}");
        assert_eq!(bench.in_flight(1), ["p0 +1"], "{error} is retried");
    }
}

#[test]
fn retry_backoff_grows_with_each_attempt() {
    let mut bench = Bench::new(1, plain());
    bench.send(0, 1, 10);
    let mut attempts = Vec::new();
    let mut last = 0;
    for _ in 0..6 {
        bench.refuse(1, ErrorCode::CorruptMessage);
        while bench.received.is_empty() {
            bench.pass_ms(1);
        }
        attempts.push(bench.now_ms() - last);
        last = bench.now_ms();
    }
    for (waited, low) in attempts.iter().zip([80, 160, 320, 640, 800, 800]) {
        assert!((low..=(low * 3 / 2).min(1_000)).contains(waited), "{attempts:?}");
    }
}

/// A newer leader epoch ends the backoff; KIP-951 tells it with the error.
#[test]
fn a_leader_hint_makes_the_retry_go_at_once() {
    let mut bench = Bench::new(1, plain());
    bench.send(0, 1, 10);
    bench.moved(1, 2, 1);
    assert_eq!(bench.in_flight(2), ["p0 +1"]);
    assert_eq!(bench.now_ms(), 0);
}

/// Sharp edge 6: a metadata update that is due goes first.
#[test]
fn a_metadata_update_that_is_due_goes_before_the_retry() {
    let mut bench = Bench::new(1, plain());
    bench.send(0, 1, 10);
    bench.pass_ms(2_000);
    let before = bench.metadata_requests;
    bench.leaders[0] = Some((2, 1));
    bench.moved(1, 2, 1);
    assert_eq!(bench.metadata_requests, before + 1);
    assert_eq!(bench.in_flight(2), ["p0 +1"]);
    assert_eq!(bench.now_ms(), 2_000);
}

#[test]
fn an_older_leader_hint_changes_nothing() {
    let mut bench = Bench::new(1, plain());
    bench.leaders[0] = Some((1, 4));
    bench.send(0, 1, 10);
    bench.moved(1, 2, 4);
    bench.pass_ms(500);
    assert_eq!(bench.in_flight(1), ["p0 +1"]);
    assert!(bench.in_flight(2).is_empty());
}

/// Sharp edge 32.
#[test]
fn without_retries_a_retriable_error_fails_at_once() {
    let config = ProducerConfig { retries: 0, ..plain() };
    let mut bench = Bench::new(1, config);
    bench.send(0, 1, 10);
    bench.refuse(1, ErrorCode::NotEnoughReplicas);
    assert_eq!(failures(&bench.completions), [SendError::Code(ErrorCode::NotEnoughReplicas)]);
}

#[test]
fn retries_count_transmissions_beyond_the_first() {
    let config = ProducerConfig { retries: 2, ..plain() };
    let mut bench = Bench::new(1, config);
    bench.send(0, 1, 10);
    for attempt in 0..3 {
        assert_eq!(bench.received.len(), 1, "attempt {attempt}");
        bench.refuse(1, ErrorCode::NotEnoughReplicas);
        bench.pass_ms(1_000);
    }
    assert!(bench.received.is_empty());
    assert_eq!(failures(&bench.completions), [SendError::Code(ErrorCode::NotEnoughReplicas)]);
}

#[test]
fn errors_that_are_not_retriable_fail_the_batch() {
    for error in [
        ErrorCode::UnknownServerError,
        ErrorCode::BrokerNotAvailable,
        ErrorCode::InvalidRecord,
        ErrorCode::InvalidTimestamp,
        ErrorCode::TopicAuthorizationFailed,
        ErrorCode::OutOfOrderSequenceNumber,
    ] {
        let mut bench = Bench::new(1, plain());
        bench.send(0, 1, 10);
        bench.refuse(1, error);
        assert_eq!(failures(&bench.completions), [SendError::Code(error)]);
        bench.send(0, 1, 10);
        assert_eq!(bench.in_flight(1), ["p0 +1"], "the producer goes on after {error}");
    }
}

/// Sharp edge 17.
#[test]
fn duplicate_sequence_number_counts_as_success_without_an_offset() {
    let mut bench = Bench::new(1, plain());
    bench.send(0, 1, 10);
    bench.refuse(1, ErrorCode::DuplicateSequenceNumber);
    assert!(bench.take_log().last().unwrap().ends_with("ack p0 0+1 @?"));
}

// --- delivery.timeout.ms ------------------------------------------------------------------------

#[test]
fn a_queued_batch_expires_after_delivery_timeout_ms() {
    let mut bench = Bench::new(1, plain());
    bench.leaders[0] = None;
    bench.send(0, 1, 10);
    bench.pass_ms(119_999);
    assert!(failures(&bench.completions).is_empty());
    bench.pass_ms(1);
    assert_eq!(failures(&bench.completions), [SendError::DeliveryTimeout]);
    assert!(bench.take_log().contains(&"120000 expire p0 0 queued".to_owned()));
}

/// SenderTest.testInflightBatchesExpireOnDeliveryTimeout; sharp edge 12: the answer that comes
/// after the expiry changes nothing for the user.
#[test]
fn a_batch_in_flight_expires_and_its_late_answer_is_ignored() {
    let config =
        ProducerConfig { delivery_timeout_ms: 1_500, request_timeout_ms: 1_000, ..plain() };
    let mut bench = Bench::new(1, config);
    bench.send(0, 1, 10);
    bench.pass_ms(900);
    bench.refuse(1, ErrorCode::CorruptMessage);
    bench.pass_ms(300);
    assert_eq!(bench.in_flight(1), ["p0 +1"], "the second attempt is out");
    bench.pass_ms(300);
    assert_eq!(failures(&bench.completions), [SendError::DeliveryTimeout]);
    bench.take_log();
    bench.ack(1, 7);
    assert!(bench.take_log().is_empty());
}

/// KAFKA-19012: the memory of an expired batch is kept until its request is answered.
#[test]
fn the_memory_of_an_expired_batch_comes_back_with_the_answer() {
    let config = ProducerConfig {
        delivery_timeout_ms: 1_500,
        request_timeout_ms: 1_400,
        buffer_memory: 16_384,
        max_block_ms: 100,
        ..plain()
    };
    let mut bench = Bench::new(1, config);
    bench.send(0, 1, 10);
    bench.pass_ms(1_399);
    bench.refuse(1, ErrorCode::CorruptMessage);
    bench.pass_ms(101);
    assert_eq!(failures(&bench.completions), [SendError::DeliveryTimeout]);
    assert!(bench.received.is_empty() || bench.received.len() == 1);
    let out = bench.received.len();
    bench.send(0, 1, 10);
    bench.pass_ms(100);
    if out == 1 {
        assert_eq!(failures(&bench.completions)[1..], [SendError::BufferExhausted]);
        bench.ack(1, 0);
        bench.send(0, 1, 10);
    }
    assert_eq!(bench.received.len(), 1, "with the memory back a batch can be built");
}

/// Sharp edge 13.
#[test]
fn a_batch_that_expires_in_the_pass_that_drains_it_is_sent_all_the_same() {
    let config =
        ProducerConfig { request_timeout_ms: 1_500, delivery_timeout_ms: 1_500, ..plain() };
    let mut bench = Bench::new(2, config);
    bench.leaders = vec![None, Some((1, 0))];
    bench.send(1, 1, 10);
    bench.ack(1, 0);
    bench.send(0, 1, 10);
    bench.metadata_works = false;
    bench.pass_ms(1_499);
    assert!(bench.received.is_empty());
    // The leader is found in the very millisecond in which the time is up.
    bench.leaders[0] = Some((1, 0));
    bench.now += Span::from_millis(1);
    bench.take_log();
    bench.answer_metadata();
    assert_eq!(
        bench.take_log(),
        ["1500 expire p0 0 in flight", "1500 fail p0 0+1 delivery-timeout", "1500 b1 <- p0 +1"]
    );
}

/// Sharp edge 22: what is queued fails before what is in flight.
#[test]
fn of_two_that_expire_together_the_queued_one_fails_first() {
    let config = ProducerConfig {
        delivery_timeout_ms: 1_500,
        request_timeout_ms: 1_500,
        max_in_flight_requests_per_connection: 1,
        ..plain()
    };
    let mut bench = Bench::new(1, config);
    bench.send(0, 1, 10);
    bench.send(0, 2, 10);
    assert_eq!(bench.in_flight(1), ["p0 +1"]);
    bench.pass_ms(1_500);
    let log: Vec<String> =
        bench.take_log().into_iter().filter(|line| line.contains("fail")).collect();
    assert_eq!(log, ["1500 fail p0 1+2 delivery-timeout", "1500 fail p0 0+1 delivery-timeout"]);
}

// --- splitting ----------------------------------------------------------------------------------

#[test]
fn a_batch_too_large_for_the_broker_is_split_to_batch_size() {
    let config = ProducerConfig { batch_size: 16_384, linger_ms: 5, ..plain() };
    let mut bench = Bench::new(1, config);
    bench.send(0, 10, 1_000);
    bench.pass_ms(5);
    assert_eq!(bench.in_flight(1), ["p0 +10"]);
    bench.refuse(1, ErrorCode::MessageTooLarge);
    // The first split aims at batch.size, which the batch did not exceed: one child like it.
    assert_eq!(bench.in_flight(1), ["p0 +10"]);
    bench.refuse(1, ErrorCode::MessageTooLarge);
    // The child is split in half (since 4.2).
    assert_eq!(bench.in_flight(1), ["p0 +4", "p0 +4", "p0 +2"]);
    for offset in [0, 4, 8] {
        bench.ack(1, offset);
    }
    let acks: Vec<String> =
        bench.take_log().into_iter().filter(|line| line.contains("ack")).collect();
    assert_eq!(acks, ["5 ack p0 0+4 @0", "5 ack p0 4+4 @4", "5 ack p0 8+2 @8"]);
    assert!(bench.producer.is_idle());
}

#[test]
fn a_single_record_too_large_for_the_broker_fails() {
    let mut bench = Bench::new(1, plain());
    bench.send(0, 1, 1_000);
    bench.refuse(1, ErrorCode::MessageTooLarge);
    assert_eq!(failures(&bench.completions), [SendError::Code(ErrorCode::MessageTooLarge)]);
}

// --- connections --------------------------------------------------------------------------------

/// Sharp edge 33: bootstrap and broker are two connections, each with a handshake.
#[test]
fn a_broker_that_cannot_be_reached_is_tried_again_with_growing_pauses() {
    let mut bench = Bench::new(1, plain());
    bench.send(0, 1, 10);
    bench.ack(1, 0);
    bench.down.push(1);
    bench.disconnect(1);
    bench.send(0, 1, 10);
    bench.pass_ms(5_000);
    assert!(bench.received.is_empty());
    assert!(failures(&bench.completions).is_empty(), "a batch does not fail with a connection");
    bench.down.clear();
    bench.pass_ms(1_000);
    assert_eq!(bench.in_flight(1), ["p0 +1"]);
}

/// Sharp edge 7: every request counts against max.in.flight.
#[test]
fn a_metadata_request_takes_the_only_slot() {
    let config = ProducerConfig {
        max_in_flight_requests_per_connection: 1,
        metadata_max_age_ms: 1_000,
        ..plain()
    };
    let mut bench = Bench::new(1, config);
    bench.send(0, 1, 10);
    bench.ack(1, 0);
    bench.down = vec![2, 3];
    bench.metadata_works = false;
    bench.pass_ms(1_200);
    bench.send(0, 1, 10);
    assert!(bench.in_flight(1).is_empty(), "the metadata request is in the way");
}
