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
    ConsumerConfig, ErrorCode, Fact, LeaderEpoch, Node, Offset, Request, Response, TopicPartition,
};

const fn is_fetch(request: &Request) -> bool {
    matches!(request, Request::ConsumerFetch(_))
}

/// A consumer of both partitions that are read from 5 on, with fetches on their way.
fn reading(config: ConsumerConfig, leaders: [(u8, u32); 2]) -> Bench {
    begin(Bench::alone(config), leaders)
}

fn begin(mut bench: Bench, leaders: [(u8, u32); 2]) -> Bench {
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

/// Loses the connection over which a broker was asked for records.
fn lose(bench: &mut Bench, broker: u8) {
    let like = |waiting: &&Waiting| waiting.to == b(broker) && is_fetch(&waiting.request);
    let waiting = bench.waiting.iter().find(like).expect("a fetch is on its way").clone();
    bench.lose(&waiting);
}

#[test]
fn connections_that_came_about_while_nobody_polled_shake_hands_in_the_order_of_node_ids() {
    let config = ConsumerConfig { enable_auto_commit: false, ..ConsumerConfig::default() };
    let mut bench = begin(Bench::with_group(config), [(1, 0), (2, 0)]);
    lose(&mut bench, 2);
    for _ in 0..3 {
        bench.poll(ms(0));
    }
    bench.turn(|consumer, _, _| consumer.pause(P1));
    bench.pass(ms(100));
    lose(&mut bench, 1);
    bench.poll(ms(0));
    bench.pass(ms(2_000));
    bench.handshakes.clear();
    // For metadata it connects to broker 2, tried longest ago, and then for records to broker 1.
    bench.poll(ms(0));
    assert_eq!(bench.handshakes, []);
    bench.poll(ms(0));
    assert_eq!(bench.handshakes, [b(1), b(2)]);
}

#[test]
fn connections_that_were_lost_while_nobody_polled_end_in_the_order_of_node_ids() {
    let mut bench = reading(ConsumerConfig::default(), [(1, 0), (2, 0)]);
    let opened: Vec<_> = std::mem::take(&mut bench.facts)
        .into_iter()
        .filter_map(|fact| match fact {
            Fact::ConnectionOpened { connection, to } => Some((connection, to)),
            _ => None,
        })
        .collect();
    lose(&mut bench, 2);
    lose(&mut bench, 1);
    bench.poll(ms(0));
    let closed: Vec<_> = bench
        .facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::ConnectionClosed { connection, .. } => {
                opened.iter().find(|(other, _)| other == connection).map(|(_, to)| *to)
            }
            _ => None,
        })
        .collect();
    assert_eq!(closed, [Node::Broker(b(1)), Node::Broker(b(2))]);
}
