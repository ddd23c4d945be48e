//! What consumers read of a partition, and when.

use crate::harness::*;
use inflight_protocol::message::{FetchPartition, LeaderAndEpoch, OffsetSpec};
use inflight_protocol::{Acks, LeaderEpoch, Request};

const LATEST: OffsetSpec = OffsetSpec::Latest;

/// Leader epoch 1 of the first partition.
fn in_epoch_one(partition: &mut FetchPartition) {
    partition.current_leader_epoch = LeaderEpoch::new(1);
}

#[test]
fn a_consumer_reads_up_to_the_high_watermark() {
    let mut world = World::new(three(2));
    world.run_for(ms(1_000));
    // The followers fetch nothing from here on.
    world.cut(node(1), node(2));
    world.cut(node(1), node(3));
    assert_eq!(world.produce_now(1, Acks::Leader, batch(0, 0, 3)), (0, 0));
    assert_eq!(world.offsets(1), (3, 0));
    assert_eq!(world.fetch_now(1, fetch(P0, 0, UNCOMMITTED)), Ok(vec![]));
    world.heal();
    world.run_for(ms(2_000));
    assert_eq!(world.fetch_now(1, fetch(P0, 0, UNCOMMITTED)), Ok(vec![(0, 3)]));
}

#[test]
fn a_fetch_that_finds_nothing_waits_for_the_high_watermark() {
    let mut world = World::new(three(2));
    world.run_for(ms(1_000));
    let started = world.now();
    let fetching = world.send_request(1, Request::ConsumerFetch(fetch(P0, 0, UNCOMMITTED)));
    world.run_for(ms(100));
    assert!(world.answer(fetching).is_none());
    assert_eq!(world.produce_now(1, Acks::All, batch(0, 0, 3)).0, 0);
    let (at, _) = world.answer(fetching).expect("it is answered with the append");
    assert!(at < started + ms(150), "{at}");
    assert_eq!(world.fetched(fetching).unwrap().1, [(0, 3)]);
    // Without records it is answered when its time is over.
    let fetching = world.send_request(1, Request::ConsumerFetch(fetch(P0, 3, UNCOMMITTED)));
    world.run_for(ms(501));
    assert!(world.answer(fetching).is_none());
    world.run_for(ms(1));
    assert_eq!(world.fetched(fetching).unwrap().1, []);
}

#[test]
fn fetch_min_bytes_wants_more_than_one_batch() {
    let mut world = World::new(three(1));
    world.run_for(ms(1_000));
    let mut request = fetch(P0, 0, UNCOMMITTED);
    (request.min_bytes, request.max_wait_ms) = (150, 60_000);
    let fetching = world.send_request(1, Request::ConsumerFetch(request));
    assert_eq!(world.produce_now(1, Acks::All, batch(0, 0, 3)).0, 0);
    assert!(world.answer(fetching).is_none(), "91 bytes are not enough");
    assert_eq!(world.produce_now(1, Acks::All, batch(0, 3, 3)).0, 0);
    world.run_for(ms(10));
    assert_eq!(world.fetched(fetching).unwrap().1, [(0, 3), (3, 3)]);
}

#[test]
fn limits_leave_the_first_batch_whole_and_the_rest_out() {
    let mut world = World::new(three(1));
    for first in [0, 3] {
        world.produce_now(1, Acks::All, batch(0, first, 3));
    }
    let mut request = fetch(P0, 0, UNCOMMITTED);
    request.partitions[0].max_bytes = 10;
    assert_eq!(world.fetch_now(1, request), Ok(vec![(0, 3)]));
    // A position inside of a batch gets the whole batch.
    assert_eq!(world.fetch_now(1, fetch(P0, 4, UNCOMMITTED)), Ok(vec![(3, 3)]));
}

#[test]
fn a_position_beyond_the_log_is_out_of_range() {
    let mut world = World::new(three(1));
    world.produce_now(1, Acks::All, batch(0, 0, 3));
    assert_eq!(world.fetch_now(1, fetch(P0, 4, UNCOMMITTED)), Err(1));
    assert_eq!(world.fetch_now(1, fetch(P0, 3, UNCOMMITTED)), Ok(vec![]));
}

#[test]
fn a_position_beyond_the_high_watermark_is_answered_at_once_with_nothing() {
    let mut world = World::new(three(2));
    world.run_for(ms(1_000));
    world.cut(node(1), node(2));
    world.cut(node(1), node(3));
    world.produce_now(1, Acks::Leader, batch(0, 0, 3));
    let started = world.now();
    assert_eq!(world.fetch_now(1, fetch(P0, 2, UNCOMMITTED)), Ok(vec![]));
    assert!(world.now() <= started + ms(3), "it does not wait");
}

#[test]
fn a_consumer_that_is_behind_a_change_of_leader_is_told_who_leads() {
    let mut world = World::new(three(2));
    world.run_for(ms(1_000));
    let waiting = world.send_request(1, Request::ConsumerFetch(fetch(P0, 0, UNCOMMITTED)));
    world.run_for(ms(5));
    world.shut_down(1);
    world.run_until_so(|world| world.answer(waiting).is_some());
    let (entry, _) = world.fetched(waiting).expect("it is answered");
    assert_eq!(entry.error.map(inflight_protocol::ErrorCode::number), Some(74));
    let hint = LeaderAndEpoch { leader: b(2), epoch: LeaderEpoch::new(1) };
    assert_eq!(entry.current_leader, Some(hint));
    // The new leader does not know an epoch that is to come, and not one that is over.
    let mut early = fetch(P0, 0, UNCOMMITTED);
    early.partitions[0].current_leader_epoch = LeaderEpoch::new(2);
    assert_eq!(world.fetch_now(2, early), Err(75));
    assert_eq!(world.fetch_now(2, fetch(P0, 0, UNCOMMITTED)), Err(74));
    let mut right = fetch(P0, 0, UNCOMMITTED);
    right.partitions.iter_mut().for_each(in_epoch_one);
    assert_eq!(world.fetch_now(2, right.clone()), Ok(vec![]));
    // A follower of this epoch does not serve.
    assert_eq!(world.fetch_now(3, right), Err(6));
}

#[test]
fn a_reader_of_committed_records_stops_at_an_open_transaction() {
    let mut world = World::transactional(with_transactions(V2));
    let mut client = world.init(T0, V2);
    assert_eq!(world.write(&client, P0, 0, 5).0, 0);
    assert_eq!(world.produce_now(1, Acks::All, batch(7, 0, 2)), (0, 5));
    assert_eq!(world.fetch_now(1, fetch(P0, 0, UNCOMMITTED)), Ok(vec![(0, 5), (5, 2)]));
    assert_eq!(world.fetch_now(1, fetch(P0, 0, COMMITTED)), Ok(vec![]));
    assert_eq!(world.list(1, P0, (0, LATEST, UNCOMMITTED)), Ok(7));
    assert_eq!(world.list(1, P0, (0, LATEST, COMMITTED)), Ok(0));
    let waiting = world.send_request(1, Request::ConsumerFetch(fetch(P0, 0, COMMITTED)));
    assert!(world.end(&mut client, ABORT).is_ok());
    world.run_for(ms(50));
    let (entry, runs) = world.fetched(waiting).expect("the marker moves the last stable offset");
    assert_eq!(runs, [(0, 5), (5, 2), (7, 1)]);
    assert_eq!((entry.last_stable_offset, entry.aborted), (offset(8), 1));
    // Whoever reads on from behind the transaction is not told of it.
    let later = world.send_request(1, Request::ConsumerFetch(fetch(P0, 8, COMMITTED)));
    world.run_for(ms(600));
    assert_eq!(world.fetched(later).unwrap().0.aborted, 0);
}

#[test]
fn a_partition_begins_at_0_and_ends_at_the_high_watermark() {
    let mut world = World::new(three(1));
    world.produce_now(1, Acks::All, batch(0, 0, 3));
    world.run_for(ms(100));
    assert_eq!(world.list(1, P0, (0, OffsetSpec::Earliest, UNCOMMITTED)), Ok(0));
    assert_eq!(world.list(1, P0, (0, LATEST, UNCOMMITTED)), Ok(3));
    assert_eq!(world.list(1, P0, (1, LATEST, UNCOMMITTED)), Err(75));
    assert_eq!(world.list(2, P0, (0, LATEST, UNCOMMITTED)), Err(6));
}

#[test]
fn a_new_leader_cannot_say_where_the_end_is_before_its_epoch_is_committed() {
    let mut world = World::new(three(2));
    world.run_for(ms(1_000));
    // Broker 2 has the batch and does not know that it is committed; broker 3 is not heard of.
    world.produce_now(1, Acks::Leader, batch(0, 0, 3));
    world.run_until_so(|world| world.offsets(2).0 == 3);
    world.isolate(1);
    world.cut(node(2), node(3));
    world.run_until_so(|world| world.controller.partition(P0).leader == Some(b(2)));
    world.run_for(ms(10));
    assert_eq!(world.offsets(2), (3, 0));
    assert_eq!(world.list(2, P0, (1, LATEST, UNCOMMITTED)), Err(78));
    assert_eq!(world.list(2, P0, (1, OffsetSpec::Earliest, UNCOMMITTED)), Ok(0));
}

#[test]
fn the_end_of_an_epoch_is_where_the_next_one_began() {
    let mut world = World::new(three(2));
    world.run_for(ms(1_000));
    world.produce_now(1, Acks::All, batch(0, 0, 3));
    world.run_for(ms(1_000));
    world.shut_down(1);
    world.run_until_so(|world| world.leader(P0) == 2 && !world.up.contains(b(1)));
    world.produce_now(2, Acks::All, batch(0, 3, 2));
    assert_eq!(world.epoch_end(2, P0, 1, 0), Ok(Some((0, 3))));
    assert_eq!(world.epoch_end(2, P0, 1, 1), Ok(Some((1, 5))));
    assert_eq!(world.epoch_end(2, P0, 1, 2), Ok(None));
    assert_eq!(world.epoch_end(2, P0, 0, 0), Err(74));
}
