//! What a poll finds, and what it leaves for the next one.

use crate::bench::*;
use inflight_consumer::Completion;
use inflight_protocol::fact::SendError;
use inflight_protocol::message::{
    ConsumerFetchPartitionResponse, ConsumerFetchResponse, ListOffsetsRequest, ListOffsetsResponse,
    OffsetAndEpoch,
};
use inflight_protocol::transaction::CommittedOffset;
use inflight_protocol::{
    ConsumerConfig, ErrorCode, LeaderEpoch, Offset, Request, Response, TopicPartition,
};

const fn is_fetch(request: &Request) -> bool {
    matches!(request, Request::ConsumerFetch(_))
}

/// A consumer of both partitions that are read from 5 on, with fetches on their way.
fn reading(config: ConsumerConfig, leaders: [(u8, u32); 2]) -> Bench {
    let mut bench = Bench::alone(config);
    bench.leaders = leaders.to_vec();
    bench.assign(&[P0, P1]);
    for partition in [P0, P1] {
        bench.turn(|consumer, env, turn| consumer.seek(env, turn, partition, Offset::new(5)));
    }
    bench.poll(ms(1));
    bench.pass(ms(1));
    bench.told();
    bench
}

fn entry(
    partition: TopicPartition,
    error: Option<ErrorCode>,
    batches: u32,
) -> ConsumerFetchPartitionResponse {
    ConsumerFetchPartitionResponse {
        partition,
        error,
        high_watermark: Offset::new(8),
        last_stable_offset: Offset::new(8),
        diverging_epoch: None,
        current_leader: None,
        batches,
        aborted: 0,
    }
}

#[test]
fn what_came_while_nobody_polled_is_found_one_answer_a_connection() {
    let mut bench = Bench::alone(ConsumerConfig::default());
    bench.assign(&[P0, P1]);
    bench.turn(|consumer, env, turn| consumer.seek(env, turn, P0, Offset::new(5)));
    bench.poll(ms(1));
    bench.pass(ms(1));
    let list = bench.take(|request| matches!(request, Request::ListOffsets(_)));
    let Request::ListOffsets(ListOffsetsRequest { partitions, .. }) = &list.request else {
        unreachable!()
    };
    assert_eq!(partitions[0].0, P1);
    let found = OffsetAndEpoch { offset: Some(Offset::ZERO), leader_epoch: None };
    let partitions = smallvec::smallvec![(P1, Ok(found))];
    bench.answer(&list, Response::ListOffsets(ListOffsetsResponse { partitions }));
    bench.serve(P0, vec![batch(5, 3)]);
    bench.told();
    bench.poll(ms(0));
    assert_eq!(bench.told(), [Completion::Polled { records: 0 }]);
    bench.poll(ms(0));
    assert_eq!(offsets(&bench.told()), [5, 6, 7]);
}

/// Broker 2 answers that there is nothing in its partition.
fn nothing(bench: &mut Bench) {
    let of_two = |request: &Request| matches!(request, Request::ConsumerFetch(fetch) if fetch.partitions[0].partition == P1);
    let fetch = bench.take(of_two);
    let partitions = smallvec::smallvec![entry(P1, None, 0)];
    let response = ConsumerFetchResponse { partitions, ..ConsumerFetchResponse::default() };
    bench.answer(&fetch, Response::ConsumerFetch(response));
}

fn is_two_asked(bench: &Bench) -> bool {
    bench.waiting.iter().any(|waiting| waiting.to == b(2) && is_fetch(&waiting.request))
}

#[test]
fn the_first_answer_of_a_session_is_buffered_even_if_there_is_nothing_in_it() {
    let config = ConsumerConfig { max_poll_records: 1, ..ConsumerConfig::default() };
    let mut bench = reading(config, [(1, 0), (2, 0)]);
    bench.serve(P0, vec![batch(5, 1)]);
    nothing(&mut bench);
    bench.poll(ms(0));
    assert_eq!(offsets(&bench.told()), [5]);
    assert!(!is_two_asked(&bench), "{:?}", bench.waiting);
    bench.poll(ms(0));
    assert!(is_two_asked(&bench), "{:?}", bench.waiting);
}

#[test]
fn a_partition_of_which_a_session_tells_nothing_new_is_not_buffered() {
    let config = ConsumerConfig { max_poll_records: 1, ..ConsumerConfig::default() };
    let mut bench = reading(config, [(1, 0), (2, 0)]);
    nothing(&mut bench);
    bench.poll(ms(0));
    bench.poll(ms(0));
    bench.told();
    bench.serve(P0, vec![batch(5, 1)]);
    nothing(&mut bench);
    bench.poll(ms(0));
    assert_eq!(offsets(&bench.told()), [5]);
    assert!(is_two_asked(&bench), "{:?}", bench.waiting);
}

#[test]
fn a_code_that_fetches_do_not_know_takes_the_records_before_it_along() {
    let mut bench = reading(ConsumerConfig::default(), [(1, 0), (1, 0)]);
    let fetch = bench.take(is_fetch);
    let unknown = ErrorCode::LeaderNotAvailable;
    let response = ConsumerFetchResponse {
        partitions: smallvec::smallvec![entry(P0, None, 1), entry(P1, Some(unknown), 0)],
        batches: vec![batch(5, 3)],
        ..ConsumerFetchResponse::default()
    };
    bench.answer(&fetch, Response::ConsumerFetch(response));
    bench.poll(ms(0));
    let thrown = Completion::PollFailed { error: SendError::Code(unknown) };
    assert_eq!(bench.told(), [thrown]);
    let positions: Vec<_> = bench.consumer.assignment().collect();
    assert!(positions.contains(&(P0, Some(Offset::new(8)))), "{positions:?}");
    bench.poll(ms(0));
    assert_eq!(bench.told(), [thrown], "what was wrong is still there");
    bench.poll(ms(0));
    assert_eq!(bench.told(), [Completion::Polled { records: 0 }]);
}

#[test]
fn who_commits_with_a_newer_epoch_looks_for_its_leader() {
    let mut bench = Bench::with_group(ConsumerConfig::default());
    bench.assign(&[P0]);
    bench.turn(|consumer, env, turn| consumer.seek(env, turn, P0, Offset::new(5)));
    bench.poll(ms(200));
    bench.pass(ms(200));
    bench.leaders[0] = (2, 1);
    bench.poll(ms(200));
    bench.pass(ms(200));
    assert!(!is_two_asked(&bench));
    let offsets = [CommittedOffset {
        group: GROUP,
        partition: P0,
        offset: Offset::new(5),
        leader_epoch: Some(LeaderEpoch::new(1)),
    }];
    let sent = bench.turn(|consumer, env, turn| consumer.commit_async(env, turn, Some(&offsets)));
    assert!(sent.is_ok());
    bench.poll(ms(200));
    bench.pass(ms(200));
    assert!(is_two_asked(&bench), "{:?}", bench.waiting);
}
