//! Batching, linger, draining, buffer memory, partitioning, closing.

use crate::bench::{Bench, failures};
use inflight_des::Span;
use inflight_producer::{Completion, Destination};
use inflight_protocol::config::Partitioner;
use inflight_protocol::fact::SendError;
use inflight_protocol::murmur2::murmur2;
use inflight_protocol::{Acks, ProducerConfig, ThreadId};

fn plain() -> ProducerConfig {
    ProducerConfig { enable_idempotence: false, ..ProducerConfig::default() }
}

#[test]
fn a_batch_waits_for_linger_and_then_goes() {
    let mut bench = Bench::new(1, plain());
    bench.send(0, 3, 100);
    bench.pass_ms(4);
    assert!(bench.received.is_empty());
    bench.pass_ms(1);
    assert_eq!(bench.in_flight(1), ["p0 +3"]);
    bench.ack(1, 0);
    assert_eq!(bench.take_log().last().unwrap(), "5 ack p0 0+3 @0");
    assert!(bench.producer.is_idle());
}

#[test]
fn linger_counts_from_the_clock_that_rounds_down() {
    let mut bench = Bench::new(1, plain());
    bench.now += Span::from_micros(700);
    bench.send(0, 1, 100);
    bench.pass_ms(4);
    assert!(bench.received.is_empty());
    bench.pass_ms(1);
    assert_eq!(bench.in_flight(1), ["p0 +1"]);
    assert_eq!(bench.now.as_nanos(), 5_700_000);
}

#[test]
fn a_full_batch_goes_at_once_and_takes_nothing_of_the_next_along() {
    let mut bench = Bench::new(1, plain());
    bench.send(0, 17, 1_000);
    assert_eq!(bench.in_flight(1), ["p0 +16"]);
    bench.pass_ms(5);
    assert_eq!(bench.in_flight(1), ["p0 +16", "p0 +1"]);
}

/// Sharp edge 1.
#[test]
fn one_ready_partition_takes_the_others_of_its_broker_along() {
    let mut bench = Bench::new(6, plain());
    bench.send(0, 1, 100);
    bench.pass_ms(4);
    bench.send(3, 1, 100);
    bench.send(1, 1, 100);
    bench.pass_ms(1);
    assert_eq!(bench.in_flight(1), ["p0 +1, p3 +1"], "partition 3 is broker 1's as well");
    assert!(bench.in_flight(2).is_empty(), "broker 2's own linger is not over");
}

/// Sharp edge 2: a record larger than batch.size lingers.
#[test]
fn an_oversized_record_lingers_until_another_pushes_it() {
    let mut bench = Bench::new(1, plain());
    bench.send(0, 1, 20_000);
    assert!(bench.received.is_empty());
    bench.send(0, 1, 20_000);
    assert_eq!(bench.in_flight(1), ["p0 +1"]);
    bench.pass_ms(5);
    assert_eq!(bench.in_flight(1).len(), 2);
}

/// The vector of the drain cursor: four partitions, complete passes.
#[test]
fn the_drain_cursor_moves_back_by_one_with_each_full_circle() {
    let mut bench = Bench::new(4, plain());
    bench.leaders = vec![Some((1, 0)); 4];
    let mut orders = Vec::new();
    for _ in 0..4 {
        for partition in 0..4 {
            bench.send(partition, 1, 10);
        }
        bench.pass_ms(5);
        let order: String = bench
            .received
            .last()
            .unwrap()
            .request
            .batches
            .iter()
            .map(|(partition, _)| partition.to_string())
            .collect();
        orders.push(order);
        bench.ack(1, 0);
    }
    assert_eq!(orders, ["0123", "3012", "2301", "1230"]);
}

/// RecordAccumulatorTest.testDrainBatches: what stops a drain is first in the next one.
#[test]
fn a_full_request_stops_where_the_next_one_begins() {
    let config = ProducerConfig { max_request_size: 1_300, ..plain() };
    let mut bench = Bench::new(4, config);
    bench.leaders = vec![Some((1, 0)); 4];
    for partition in 0..4 {
        bench.send(partition, 1, 600);
    }
    bench.pass_ms(5);
    // Two batches of 670 bytes do not fit in one request.
    assert_eq!(bench.in_flight(1), ["p0 +1", "p1 +1", "p2 +1", "p3 +1"]);
}

#[test]
fn requests_in_flight_are_limited_per_connection() {
    let config = ProducerConfig { linger_ms: 0, ..plain() };
    let mut bench = Bench::new(1, config);
    for _ in 0..8 {
        bench.send(0, 1, 10);
    }
    assert_eq!(bench.in_flight(1).len(), 5);
    bench.ack(1, 0);
    assert_eq!(bench.in_flight(1)[4], "p0 +3", "what waited goes in one batch");
}

/// max.in.flight.requests.per.connection=1 mutes the partition until its batch is answered.
#[test]
fn with_one_in_flight_a_partition_is_muted() {
    let config =
        ProducerConfig { max_in_flight_requests_per_connection: 1, linger_ms: 0, ..plain() };
    let mut bench = Bench::new(1, config);
    bench.send(0, 1, 10);
    bench.send(0, 1, 10);
    bench.pass_ms(1_000);
    assert_eq!(bench.in_flight(1), ["p0 +1"]);
    bench.ack(1, 0);
    assert_eq!(bench.in_flight(1), ["p0 +1"]);
}

#[test]
fn acks_0_is_success_as_soon_as_the_bytes_are_handed_over() {
    let config = ProducerConfig { acks: Acks::None, linger_ms: 0, ..plain() };
    let mut bench = Bench::new(1, config);
    bench.send(0, 2, 10);
    assert_eq!(bench.take_log().last().unwrap(), "0 ack p0 0+2 @?");
    assert_eq!(bench.in_flight(1), ["p0 +2"], "no answer will ever come");
    assert!(bench.producer.is_idle());
}

// --- send() -----------------------------------------------------------------------------------

#[test]
fn send_waits_for_metadata_and_gives_up_after_max_block_ms() {
    let mut bench = Bench::with_topics(&[("missing", 0)], plain());
    bench.send_as(0, Destination::Any, 2, 10);
    bench.pass_ms(59_999);
    assert_eq!(bench.take_log(), ["0 blocked on metadata"]);
    bench.pass_ms(1);
    let log = bench.take_log();
    assert_eq!(log[..2], ["60000 unblocked", "60000 refuse 1 metadata-timeout"]);
    assert_eq!(log[2], "60000 blocked on metadata", "the second record waits on its own");
    bench.pass_ms(60_000);
    assert_eq!(failures(&bench.completions), [SendError::MetadataTimeout; 2]);
}

#[test]
fn a_partition_that_does_not_exist_blocks_as_a_missing_topic_does() {
    let mut bench = Bench::new(2, plain());
    bench.send(2, 1, 10);
    bench.pass_ms(60_000);
    assert_eq!(failures(&bench.completions), [SendError::MetadataTimeout]);
    bench.send(1, 1, 10);
    bench.pass_ms(5);
    assert_eq!(bench.in_flight(2), ["p1 +1"]);
}

#[test]
fn without_time_to_block_the_first_send_fails_and_a_later_one_does_not() {
    let config = ProducerConfig { max_block_ms: 0, ..plain() };
    let mut bench = Bench::new(1, config);
    bench.send(0, 1, 10);
    assert_eq!(failures(&bench.completions), [SendError::MetadataTimeout]);
    bench.send(0, 1, 10);
    bench.pass_ms(5);
    assert_eq!(bench.in_flight(1), ["p0 +1"]);
}

#[test]
fn records_are_measured_before_they_are_compressed() {
    let mut bench = Bench::new(1, plain());
    bench.send(0, 1, 1_048_489);
    bench.send(0, 1, 1_048_490);
    assert_eq!(failures(&bench.completions), [SendError::RecordTooLarge]);
}

#[test]
fn a_batch_size_beyond_the_buffer_memory_makes_send_throw() {
    let config = ProducerConfig { batch_size: 100_000, buffer_memory: 50_000, ..plain() };
    let mut bench = Bench::new(1, config);
    bench.send(0, 1, 10);
    assert_eq!(failures(&bench.completions), [SendError::BatchLargerThanMemory]);
}

/// Memory is reserved by batch.size and comes back when the batch completes.
#[test]
fn send_waits_for_memory_and_goes_on_when_a_batch_completes() {
    let config = ProducerConfig { buffer_memory: 2 * 16_384, max_block_ms: 1_000, ..plain() };
    let mut bench = Bench::new(3, config);
    for partition in 0..3 {
        bench.send_as(partition, Destination::Partition(partition), 1, 10);
    }
    assert_eq!(bench.take_log().last().unwrap(), "0 blocked on memory");
    bench.pass_ms(5);
    bench.ack(1, 0);
    let log = bench.take_log();
    assert!(log.contains(&"5 unblocked".to_owned()), "{log:?}");
    bench.pass_ms(5);
    assert_eq!(bench.in_flight(3), ["p2 +1"]);
}

#[test]
fn a_thread_that_gets_no_memory_in_time_gets_an_exception() {
    let config = ProducerConfig {
        buffer_memory: 16_384,
        max_block_ms: 1_000,
        linger_ms: 60_000,
        delivery_timeout_ms: 120_000,
        ..plain()
    };
    let mut bench = Bench::new(2, config);
    bench.send_as(0, Destination::Partition(0), 1, 10);
    bench.send_as(1, Destination::Partition(1), 1, 10);
    bench.pass_ms(1_000);
    assert_eq!(failures(&bench.completions), [SendError::BufferExhausted]);
}

// --- partitioning -----------------------------------------------------------------------------

#[test]
fn keys_are_hashed_over_all_partitions_whether_they_have_a_leader_or_not() {
    let mut bench = Bench::new(3, plain());
    bench.leaders[2] = None;
    for key in ["k0", "k1", "k2", "k3"] {
        let hash = murmur2(key.as_bytes());
        bench.send_as(0, Destination::Key { hash, table: None }, 1, 10);
    }
    bench.pass_ms(5);
    // k0 and k1 belong to partition 2, which has no leader; k2 to 0, k3 to 1.
    assert_eq!(
        (bench.in_flight(1), bench.in_flight(2)),
        (vec!["p0 +1".into()], vec!["p1 +1".into()])
    );
    bench.ack(1, 0);
    bench.ack(2, 0);
    bench.leaders[2] = Some((3, 0));
    bench.pass_ms(2_000);
    assert_eq!(bench.in_flight(3), ["p2 +2"]);
}

#[test]
fn ignored_keys_leave_the_choice_to_the_producer() {
    let config = ProducerConfig { partitioner_ignore_keys: true, ..plain() };
    let mut bench = Bench::new(3, config);
    for key in ["k0", "k1", "k2", "k3"] {
        let hash = murmur2(key.as_bytes());
        bench.send_as(0, Destination::Key { hash, table: None }, 1, 10);
    }
    bench.pass_ms(5);
    assert_eq!(bench.received.len(), 1, "all four stick to one partition");
}

#[test]
fn round_robin_goes_through_the_available_partitions() {
    let config = ProducerConfig { partitioner: Partitioner::RoundRobin, ..plain() };
    let mut bench = Bench::new(4, config);
    bench.leaders[1] = None;
    bench.send_as(0, Destination::Any, 6, 10);
    bench.pass_ms(5);
    // Available are 0, 2 and 3, two records each; 0 and 3 are broker 1's.
    assert_eq!(bench.in_flight(1), ["p0 +2, p3 +2"]);
    assert_eq!(bench.in_flight(3), ["p2 +2"]);
}

/// The partition is chosen before the record is measured.
#[test]
fn round_robin_counts_records_that_are_too_large() {
    let partitioner = Partitioner::RoundRobin;
    let config = ProducerConfig { partitioner, max_request_size: 1_000, linger_ms: 0, ..plain() };
    let mut bench = Bench::new(3, config);
    bench.send_as(0, Destination::Any, 1, 10);
    bench.send_as(0, Destination::Any, 1, 2_000);
    bench.send_as(0, Destination::Any, 1, 10);
    let sent: Vec<_> = (1..=3).map(|broker| bench.in_flight(broker).join("")).collect();
    assert_eq!(sent, ["p0 +1", "", "p2 +1"]);
}

/// Nothing has run since the memory came back, so every batch is ready to go.
#[test]
fn a_waiter_counts_until_its_thread_runs() {
    let config = ProducerConfig { buffer_memory: 2_000, batch_size: 1_000, ..plain() };
    let mut bench = Bench::new(3, config);
    bench.leaders = vec![Some((1, 0)); 3];
    bench.send(0, 1, 100);
    bench.pass_ms(5);
    bench.pass_ms(1);
    bench.send_as(1, Destination::Partition(1), 1, 100);
    bench.send_as(2, Destination::Partition(2), 1, 100);
    bench.take_log();
    bench.ack(1, 0);
    assert_eq!(bench.in_flight(1), ["p1 +1"], "partition 1 does not linger");
}

#[test]
fn a_table_puts_a_hot_key_where_it_says() {
    let config =
        ProducerConfig { partitioner: Partitioner::Table(vec![("hot".to_owned(), 1)]), ..plain() };
    let mut bench = Bench::new(3, config);
    let hot = Destination::Key { hash: murmur2(b"hot"), table: Some(1) };
    let other = Destination::Key { hash: murmur2(b"k0"), table: None };
    bench.send_as(0, hot, 1, 10);
    bench.send_as(0, other, 1, 10);
    bench.send_as(0, Destination::Any, 1, 10);
    bench.pass_ms(5);
    assert_eq!(bench.in_flight(2), ["p1 +1"]);
    assert_eq!(bench.in_flight(3), ["p2 +1"], "k0 hashes to 2 of 3");
    assert_eq!(bench.in_flight(1), ["p0 +1"]);
}

/// Sharp edge 26: under saturation a stop at a partition takes two batches.
#[test]
fn the_sticky_partition_changes_after_two_batches_when_nothing_is_drained() {
    let mut bench = Bench::new(3, plain());
    // The topic is known, but no partition of it can be sent to.
    bench.send(0, 1, 1);
    bench.pass_ms(5);
    bench.ack(1, 0);
    bench.down = vec![1, 2, 3];
    for broker in [1, 2, 3] {
        bench.disconnect(broker);
    }
    bench.send_as(0, Destination::Any, 16 * 3 + 1, 1_000);
    bench.down.clear();
    bench.pass_ms(3_000);
    let mut batches: Vec<(u16, u32)> = Vec::new();
    for _ in 0..6 {
        for received in std::mem::take(&mut bench.received) {
            for (partition, batch) in &received.request.batches {
                batches.push((partition.get(), batch.records.count));
            }
        }
    }
    batches.sort_unstable();
    // 16 + 16 records are 32410 bytes: beyond batch.size with the second batch closed, so the
    // third and fourth batch lie elsewhere, unless the draw hit the same partition again.
    let counts: Vec<u32> = batches.iter().map(|(_, count)| *count).collect();
    assert_eq!(counts.iter().sum::<u32>(), 49, "{batches:?}");
    assert_eq!(counts.iter().filter(|count| **count == 16).count(), 3, "{batches:?}");
}

/// partitioner.availability.timeout.ms: the pass that finds brokers out of reach for too long is
/// followed by one that leaves their partitions out, even if all that happens in between is that a
/// metadata request is written.
#[test]
fn partitions_out_of_reach_are_left_out_as_soon_as_they_are_too_late() {
    let config = ProducerConfig {
        partitioner_availability_timeout_ms: 40,
        reconnect_backoff_ms: 10_000,
        reconnect_backoff_max_ms: 10_000,
        ..plain()
    };
    let mut bench = Bench::new(6, config);
    for partition in 0..6 {
        bench.send(partition, 1, 10);
        bench.pass_ms(5);
        bench.ack(1 + partition as u8 % 3, 0);
    }
    bench.down = vec![1, 2];
    for broker in [1, 2] {
        bench.disconnect(broker);
    }
    bench.metadata_works = false;
    for partition in [0, 1, 3, 4] {
        bench.send(partition, 1, 10);
    }
    while !bench.holds_metadata() {
        bench.pass_ms(1);
    }
    bench.send_as(0, Destination::Any, 1, 10);
    bench.pass_ms(5);
    assert_eq!(bench.in_flight(3).len(), 1, "to a partition of the only broker in reach");
    bench.answer_metadata();
}

// --- flush and close ----------------------------------------------------------------------------

#[test]
fn flush_makes_everything_ready_and_waits_for_it() {
    let config = ProducerConfig { linger_ms: 10_000, ..plain() };
    let mut bench = Bench::new(2, config);
    bench.send(0, 1, 10);
    bench.send(1, 1, 10);
    let thread = ThreadId::new(0);
    bench.turn(|producer, env, turn| producer.flush(env, turn, thread));
    assert_eq!((bench.in_flight(1).len(), bench.in_flight(2).len()), (1, 1));
    bench.ack(1, 0);
    assert!(!bench.completions.contains(&Completion::Flushed { thread }));
    bench.ack(2, 0);
    assert!(bench.completions.contains(&Completion::Flushed { thread }));
    bench.send(0, 1, 10);
    assert!(bench.in_flight(1).is_empty(), "afterwards linger counts again");
}

#[test]
fn close_sends_what_is_left_and_ends() {
    let config = ProducerConfig { linger_ms: 10_000, ..plain() };
    let mut bench = Bench::new(1, config);
    bench.send(0, 1, 10);
    let thread = ThreadId::new(0);
    bench.turn(|producer, env, turn| producer.close(env, turn, thread, i64::MAX));
    assert_eq!(bench.in_flight(1), ["p0 +1"]);
    assert!(!bench.producer.has_ended());
    bench.ack(1, 0);
    assert!(bench.producer.has_ended());
    assert!(bench.completions.contains(&Completion::Closed { thread }));
    assert!(bench.take_log().contains(&"0 stopped closed".to_owned()));
}

#[test]
fn close_with_a_timeout_fails_what_is_not_delivered_by_then() {
    let mut bench = Bench::new(1, plain());
    bench.send(0, 1, 10);
    let thread = ThreadId::new(0);
    bench.turn(|producer, env, turn| producer.close(env, turn, thread, 100));
    bench.pass_ms(99);
    assert!(!bench.producer.has_ended());
    bench.pass_ms(1);
    assert!(bench.producer.has_ended());
    assert_eq!(failures(&bench.completions), [SendError::ProducerClosedForcefully]);
}

#[test]
fn send_after_close_is_refused() {
    let mut bench = Bench::new(1, plain());
    let thread = ThreadId::new(0);
    bench.turn(|producer, env, turn| producer.close(env, turn, thread, i64::MAX));
    bench.send(0, 2, 10);
    assert_eq!(failures(&bench.completions), [SendError::ProducerClosed]);
}
