//! A consumer that chooses its partitions itself: positions, polls, errors of fetches.

use crate::bench::*;
use inflight_consumer::Completion;
use inflight_protocol::config::AutoOffsetReset;
use inflight_protocol::fact::{PositionSource, SendError};
use inflight_protocol::message::{
    ConsumerFetchRequest, EpochEndOffset, ListOffsetsRequest, ListOffsetsResponse, OffsetAndEpoch,
    OffsetForLeaderEpochResponse, OffsetSpec,
};
use inflight_protocol::{
    ConsumerConfig, ErrorCode, Fact, LeaderEpoch, Offset, Request, Response, TopicPartition,
};

fn config() -> ConsumerConfig {
    ConsumerConfig::default()
}

fn fetches(bench: &Bench) -> Vec<ConsumerFetchRequest> {
    let requests = bench.waiting.iter().filter_map(|waiting| match &waiting.request {
        Request::ConsumerFetch(fetch) => Some(fetch.clone()),
        _ => None,
    });
    requests.collect()
}

pub(crate) fn fetch_offset(bench: &Bench) -> u64 {
    fetches(bench)[0].partitions[0].fetch_offset.get()
}

fn positions(bench: &Bench) -> Vec<(u64, PositionSource)> {
    let sources = bench.facts.iter().filter_map(|fact| match fact {
        Fact::PositionSet { offset, source, .. } => Some((offset.get(), *source)),
        _ => None,
    });
    sources.collect()
}

/// Answers the ListOffsets that waits.
fn list(bench: &mut Bench, offset: u64) -> OffsetSpec {
    let waiting = bench.take(|request| matches!(request, Request::ListOffsets(_)));
    let Request::ListOffsets(ListOffsetsRequest { partitions, .. }) = &waiting.request else {
        unreachable!()
    };
    let (partition, epoch, spec) = partitions[0];
    let found = OffsetAndEpoch { offset: Some(Offset::new(offset)), leader_epoch: Some(epoch) };
    let partitions = smallvec::smallvec![(partition, Ok(found))];
    bench.answer(&waiting, Response::ListOffsets(ListOffsetsResponse { partitions }));
    spec
}

/// A consumer of one partition, in a long poll, with a fetch from offset 5.
pub(crate) fn at_five(config: ConsumerConfig) -> Bench {
    let mut bench = Bench::alone(config);
    bench.assign(&[P0]);
    bench.turn(|consumer, env, turn| consumer.seek(env, turn, P0, Offset::new(5)));
    bench.poll(ms(10_000));
    bench.pass(ms(1));
    assert_eq!(fetch_offset(&bench), 5);
    bench
}

#[test]
fn a_new_consumer_begins_at_the_end() {
    let mut bench = Bench::alone(config());
    bench.assign(&[P0]);
    bench.poll(ms(10_000));
    bench.pass(ms(300));
    assert_eq!(list(&mut bench, 7), OffsetSpec::Latest);
    bench.pass(ms(200));
    assert_eq!(positions(&bench), [(7, PositionSource::Latest)]);
    assert_eq!(fetch_offset(&bench), 7);
}

#[test]
fn with_earliest_it_begins_at_the_beginning() {
    let auto_offset_reset = AutoOffsetReset::Earliest;
    let mut bench = Bench::alone(ConsumerConfig { auto_offset_reset, ..config() });
    bench.assign(&[P0]);
    bench.poll(ms(10_000));
    bench.pass(ms(300));
    assert_eq!(list(&mut bench, 0), OffsetSpec::Earliest);
    assert_eq!(positions(&bench), [(0, PositionSource::Earliest)]);
}

#[test]
fn with_none_it_does_not_begin() {
    let auto_offset_reset = AutoOffsetReset::None;
    let mut bench = Bench::alone(ConsumerConfig { auto_offset_reset, ..config() });
    bench.assign(&[P0]);
    bench.poll(ms(10_000));
    bench.pass(ms(300));
    let error = SendError::NoOffset;
    assert_eq!(bench.told(), [Completion::PollFailed { error }]);
    assert!(bench.facts.iter().any(|fact| matches!(fact, Fact::ConsumerFailed { .. })));
}

#[test]
fn a_poll_without_a_subscription_is_out_of_place() {
    let mut bench = Bench::alone(config());
    bench.poll(ms(100));
    assert_eq!(bench.told(), [Completion::PollFailed { error: SendError::IllegalState }]);
}

#[test]
fn a_poll_returns_what_was_fetched_and_asks_for_more_at_once() {
    let mut bench = at_five(config());
    bench.serve(P0, vec![batch(5, 3), batch(8, 2)]);
    let told = bench.told();
    assert_eq!(offsets(&told), [5, 6, 7, 8, 9]);
    assert_eq!(told.last(), Some(&Completion::Polled { records: 5 }));
    // Pipelined: the next fetch goes out before the records are returned.
    assert_eq!(fetch_offset(&bench), 10);
}

#[test]
fn a_poll_that_finds_nothing_returns_at_its_time() {
    let mut bench = at_five(config());
    bench.pass(ms(9_998));
    assert_eq!(bench.told(), []);
    bench.pass(ms(1));
    assert_eq!(bench.told(), [Completion::Polled { records: 0 }]);
}

#[test]
fn max_poll_records_leaves_the_rest_for_the_next_poll() {
    let mut bench = at_five(ConsumerConfig { max_poll_records: 4, ..config() });
    bench.serve(P0, vec![batch(5, 3), batch(8, 3)]);
    assert_eq!(offsets(&bench.told()), [5, 6, 7, 8]);
    assert!(fetches(&bench).is_empty(), "the partition is buffered");
    bench.poll(ms(10_000));
    assert_eq!(offsets(&bench.told()), [9, 10]);
    assert_eq!(fetch_offset(&bench), 11);
}

#[test]
fn a_batch_that_reaches_before_the_position_is_cut() {
    let mut bench = at_five(config());
    bench.serve(P0, vec![batch(3, 4)]);
    assert_eq!(offsets(&bench.told()), [5, 6]);
}

#[test]
fn what_was_fetched_before_a_seek_is_not_returned() {
    let mut bench = at_five(ConsumerConfig { max_poll_records: 1, ..config() });
    bench.serve(P0, vec![batch(5, 3)]);
    assert_eq!(offsets(&bench.told()), [5]);
    bench.turn(|consumer, env, turn| consumer.seek(env, turn, P0, Offset::new(20)));
    bench.poll(ms(10_000));
    assert_eq!(offsets(&bench.told()), Vec::<u64>::new());
    assert_eq!(fetch_offset(&bench), 20);
}

#[test]
fn a_paused_partition_keeps_what_was_fetched() {
    let mut bench = at_five(ConsumerConfig { max_poll_records: 1, ..config() });
    bench.serve(P0, vec![batch(5, 3)]);
    bench.told();
    bench.consumer.pause(P0);
    bench.poll(ms(50));
    bench.pass(ms(50));
    assert_eq!(bench.told(), [Completion::Polled { records: 0 }]);
    bench.consumer.resume(P0);
    bench.poll(ms(50));
    assert_eq!(offsets(&bench.told()), [6]);
}

#[test]
fn nothing_is_read_from_the_network_between_polls_without_a_group() {
    let mut bench = at_five(config());
    bench.pass(ms(10_000));
    bench.told();
    bench.serve(P0, vec![batch(5, 3)]);
    bench.pass(ms(60_000));
    assert_eq!(bench.told(), []);
    bench.poll(ms(0));
    // A poll without time returns what has arrived only if it was collected before the wait.
    let told = bench.told();
    assert_eq!(offsets(&told), [5, 6, 7]);
}

#[test]
fn a_position_out_of_range_is_reset() {
    let mut bench = at_five(config());
    bench.refuse_fetch(P0, ErrorCode::OffsetOutOfRange);
    bench.pass(ms(200));
    assert_eq!(list(&mut bench, 3), OffsetSpec::Latest);
    bench.pass(ms(200));
    assert_eq!(positions(&bench).last(), Some(&(3, PositionSource::Latest)));
    assert_eq!(fetch_offset(&bench), 3);
}

#[test]
fn a_position_out_of_range_is_an_exception_without_a_policy() {
    let auto_offset_reset = AutoOffsetReset::None;
    let mut bench = at_five(ConsumerConfig { auto_offset_reset, ..config() });
    bench.refuse_fetch(P0, ErrorCode::OffsetOutOfRange);
    let error = SendError::Code(ErrorCode::OffsetOutOfRange);
    assert_eq!(bench.told(), [Completion::PollFailed { error }]);
}

/// Another broker leads, and the consumer hears of it. Until it does, it asks the old leader again.
fn move_leader(bench: &mut Bench) {
    bench.leaders[0] = (2, 1);
    bench.refuse_fetch(P0, ErrorCode::NotLeaderOrFollower);
    let again = bench.find(|request| matches!(request, Request::ConsumerFetch(_)));
    assert_eq!(again.expect("without metadata it knows no other").to, b(1));
    bench.pass(ms(400));
    bench.refuse_fetch(P0, ErrorCode::NotLeaderOrFollower);
    bench.pass(ms(400));
}

#[test]
fn a_leader_that_is_none_any_more_sends_the_consumer_to_the_next() {
    let mut bench = at_five(config());
    move_leader(&mut bench);
    let fetch = bench.find(|request| matches!(request, Request::ConsumerFetch(_))).unwrap();
    assert_eq!(fetch.to, b(2));
}

/// A consumer that has read a batch of epoch 0 and hears of a leader of epoch 1.
pub(crate) fn with_a_new_leader(config: ConsumerConfig) -> Bench {
    let mut bench = at_five(config);
    bench.serve(P0, vec![batch(5, 3)]);
    bench.told();
    bench.poll(ms(10_000));
    move_leader(&mut bench);
    bench
}

/// Answers the OffsetForLeaderEpoch that waits.
fn epoch_ends(bench: &mut Bench, end: Option<(u32, u64)>) -> (TopicPartition, u32, u32) {
    let waiting = bench.take(|request| matches!(request, Request::OffsetForLeaderEpoch(_)));
    let Request::OffsetForLeaderEpoch(request) = &waiting.request else { unreachable!() };
    let (partition, leader_epoch, read) = request.partitions[0];
    let end = end.map(|(epoch, offset)| EpochEndOffset {
        epoch: LeaderEpoch::new(epoch),
        end_offset: Offset::new(offset),
    });
    let partitions = smallvec::smallvec![(partition, Ok(end))];
    let response = OffsetForLeaderEpochResponse { partitions };
    bench.answer(&waiting, Response::OffsetForLeaderEpoch(response));
    (partition, leader_epoch.get(), read.get())
}

#[test]
fn a_new_leader_is_asked_whether_it_has_what_was_read() {
    let mut bench = with_a_new_leader(config());
    assert!(fetches(&bench).is_empty(), "nothing is fetched before the answer");
    assert_eq!(epoch_ends(&mut bench, Some((0, 8))), (P0, 1, 0));
    assert_eq!(fetch_offset(&bench), 8);
}

#[test]
fn a_log_that_was_cut_takes_the_consumer_back() {
    let mut bench = with_a_new_leader(config());
    epoch_ends(&mut bench, Some((0, 6)));
    assert_eq!(positions(&bench).last(), Some(&(6, PositionSource::Truncation)));
    assert_eq!(fetch_offset(&bench), 6);
}

#[test]
fn a_log_that_was_cut_is_an_exception_without_a_policy() {
    let auto_offset_reset = AutoOffsetReset::None;
    let mut bench = with_a_new_leader(ConsumerConfig { auto_offset_reset, ..config() });
    epoch_ends(&mut bench, Some((0, 6)));
    assert_eq!(bench.told(), [Completion::PollFailed { error: SendError::LogTruncation }]);
}

#[test]
fn a_fetch_that_is_not_answered_is_sent_again() {
    let mut bench = at_five(config());
    let fetch = bench.take(|request| matches!(request, Request::ConsumerFetch(_)));
    bench.lose(&fetch);
    bench.pass(ms(500));
    assert_eq!(fetch_offset(&bench), 5);
}

#[test]
fn two_partitions_of_one_leader_are_fetched_together_and_take_turns() {
    let mut bench = Bench::alone(ConsumerConfig { max_poll_records: 2, ..config() });
    bench.assign(&[P0, P1]);
    for partition in [P0, P1] {
        bench.turn(|consumer, env, turn| consumer.seek(env, turn, partition, Offset::ZERO));
    }
    bench.poll(ms(10_000));
    bench.pass(ms(1));
    assert_eq!(fetches(&bench).len(), 1);
    assert_eq!(fetches(&bench)[0].partitions.len(), 2);
    bench.serve(P0, vec![batch(0, 2)]);
    assert_eq!(offsets(&bench.told()), [0, 1]);
    // The first partition is not exhausted yet as far as the consumer knows: its leader is left
    // alone until it is.
    assert!(fetches(&bench).is_empty());
    bench.poll(ms(10_000));
    let order: Vec<_> = fetches(&bench)[0].partitions.iter().map(|f| f.partition).collect();
    assert_eq!(order, [P1, P0]);
}
