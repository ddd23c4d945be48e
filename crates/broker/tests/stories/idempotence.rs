//! Idempotent producers: the vectors of broker.md, section 10, end to end, and producer ids.

use crate::harness::*;
use inflight_des::Span;
use inflight_protocol::control::PRODUCER_ID_BLOCK;
use inflight_protocol::fact::Surviving;
use inflight_protocol::{
    Acks, ErrorCode, Fact, RecordBatch, Request, Response, Sequence, Timestamp,
};

#[test]
fn retries_gaps_and_epochs_through_a_broker() {
    let mut world = World::new(three(2));
    world.run_for(ms(100));
    let send = |world: &mut World, epoch, first: i32, last: i32| {
        let count = (last - first + 1) as u32;
        world.produce_now(1, Acks::All, idempotent(9, epoch, first, count))
    };
    assert_eq!(send(&mut world, 3, 0, 4), (0, 0));
    assert_eq!(send(&mut world, 3, 5, 9), (0, 5));
    assert_eq!(send(&mut world, 3, 10, 10), (0, 10));
    assert_eq!(send(&mut world, 3, 5, 9), (0, 5));
    assert_eq!(send(&mut world, 3, 5, 10), (45, 0));
    assert_eq!(send(&mut world, 3, 12, 13), (45, 0));
    assert_eq!(send(&mut world, 2, 11, 12), (47, 0));
    assert_eq!(send(&mut world, 3, 11, 12), (0, 11));
    assert_eq!(send(&mut world, 4, 1, 2), (45, 0));
    assert_eq!(send(&mut world, 4, 0, 1), (0, 13));
    assert_eq!(send(&mut world, 3, 5, 9), (47, 0));
    assert_eq!(world.offsets(1).0, 15);
    let recognised = world.found(|fact| match fact {
        Fact::DuplicateRecognized { base_offset, sequence, .. } => {
            Some((base_offset.get(), sequence.get()))
        }
        _ => None,
    });
    assert_eq!(recognised.len(), 1);
    assert_eq!(recognised[0].1, (5, 5));
}

#[test]
fn without_state_any_sequence_is_accepted() {
    let mut world = World::new(three(2));
    assert_eq!(world.produce_now(1, Acks::All, idempotent(9, 0, 37, 4)), (0, 0));
    assert_eq!(world.produce_now(1, Acks::All, idempotent(9, 0, 37, 4)), (0, 0));
    assert_eq!(world.produce_now(1, Acks::All, idempotent(9, 0, 41, 1)), (0, 4));
}

#[test]
fn sequences_wrap_to_zero() {
    let mut world = World::new(three(2));
    let last = i32::MAX - 2;
    assert_eq!(world.produce_now(1, Acks::All, idempotent(9, 0, last, 3)), (0, 0));
    assert_eq!(world.produce_now(1, Acks::All, idempotent(9, 0, 0, 2)), (0, 3));
    assert_eq!(world.produce_now(1, Acks::All, idempotent(9, 0, last, 3)), (0, 0));
    let straddling = RecordBatch { ..idempotent(8, 0, i32::MAX, 2) };
    assert_eq!(world.produce_now(1, Acks::All, straddling), (0, 5));
    assert_eq!(world.produce_now(1, Acks::All, idempotent(8, 0, 1, 1)), (0, 7));
    assert_eq!(Sequence::MAX.get(), i32::MAX);
}

#[test]
fn a_new_leader_recognises_exactly_what_its_log_has() {
    let mut world = World::new(three(2));
    world.run_for(ms(100));
    assert_eq!(world.produce_now(1, Acks::All, idempotent(9, 0, 0, 2)), (0, 0));
    world.run_for(ms(600));
    let lost = |fact: &Fact| matches!(fact, Fact::BatchAppended { base_offset, .. } if base_offset.get() == 2);
    world.crash_at(lost, 1, Surviving::Appended);
    let connection = world.connect(1);
    world.produce(connection, Acks::All, &[(P0, idempotent(9, 0, 2, 2))]);
    world.run_until_so(|world| world.replica(2, P0).isr.is_some());
    // The first batch was replicated, the second one was not.
    assert_eq!(world.produce_now(2, Acks::All, idempotent(9, 0, 0, 2)), (0, 0));
    assert_eq!(world.produce_now(2, Acks::All, idempotent(9, 0, 4, 2)), (45, 0));
    assert_eq!(world.produce_now(2, Acks::All, idempotent(9, 0, 2, 2)), (0, 2));
    assert_eq!(world.produce_now(2, Acks::All, idempotent(9, 0, 4, 2)), (0, 4));
}

#[test]
fn a_restarted_leader_knows_the_last_batch_only() {
    let mut world = World::new(cluster(1, 1, 1, inflight_protocol::TopicConfig::default()));
    world.run_for(ms(100));
    for sequence in 0..3 {
        let at = sequence as u64;
        assert_eq!(world.produce_now(1, Acks::All, idempotent(9, 0, sequence, 1)), (0, at));
    }
    assert_eq!(world.produce_now(1, Acks::All, idempotent(9, 0, 0, 1)), (0, 0));
    world.crash(1, Surviving::Appended);
    world.restart(1);
    world
        .run_until_so(|world| world.replica(1, P0).isr.is_some() && world.broker(1).is_listening());
    assert_eq!(world.produce_now(1, Acks::All, idempotent(9, 0, 2, 1)), (0, 2));
    assert_eq!(world.produce_now(1, Acks::All, idempotent(9, 0, 1, 1)), (45, 0));
    assert_eq!(world.produce_now(1, Acks::All, idempotent(9, 0, 3, 1)), (0, 3));
}

#[test]
fn records_of_yesterday_make_a_producer_be_forgotten() {
    let mut world = World::new(three(2));
    world.run_for(ms(100));
    let day = 86_400_000;
    let old = RecordBatch {
        max_timestamp: Timestamp::new(Timestamp::RUN_START.get() - day),
        ..idempotent(9, 0, 0, 1)
    };
    assert_eq!(world.produce_now(1, Acks::All, old), (0, 0));
    assert_eq!(world.produce_now(1, Acks::All, old), (0, 0), "known until the next check");
    world.run_for(Span::from_secs(600));
    assert_eq!(world.produce_now(1, Acks::All, old), (0, 1), "written again");
    let expired = world.found(|fact| match fact {
        Fact::ProducerStateExpired { broker, producer_id, .. } => {
            Some((broker.get(), producer_id.get()))
        }
        _ => None,
    });
    let mut expired: Vec<_> = expired.into_iter().map(|each| each.1).collect();
    expired.sort_unstable();
    assert_eq!(expired, [(1, 9), (2, 9), (3, 9)]);
}

#[test]
fn producer_ids_come_in_blocks() {
    let mut world = World::new(three(2));
    world.run_for(ms(100));
    let connection = world.connect(1);
    let mut ids = Vec::new();
    for _ in 0..PRODUCER_ID_BLOCK + 2 {
        let correlation = world.request(
            connection,
            Request::InitProducerId(inflight_protocol::message::InitProducerIdRequest::default()),
        );
        world.run_until_so(|world| world.answer(correlation).is_some());
        match world.answer(correlation).unwrap().1 {
            Response::InitProducerId(Ok(given)) => ids.push(given.id.get()),
            other => panic!("{other:?}"),
        }
    }
    let block = PRODUCER_ID_BLOCK;
    let expected: Vec<u64> = (0..block).chain([3 * block, 3 * block + 1]).collect();
    assert_eq!(ids, expected);
}

#[test]
fn a_broker_without_a_block_asks_the_client_to_wait() {
    let mut world = World::new(three(2));
    world.run_for(ms(100));
    world.crash(1, Surviving::Appended);
    world.restart(1);
    world.run_until_so(|world| world.broker(1).is_listening());
    let connection = world.connect(1);
    let first = world.request(
        connection,
        Request::InitProducerId(inflight_protocol::message::InitProducerIdRequest::default()),
    );
    world.run_for(ms(10));
    let refused = Response::InitProducerId(Err(ErrorCode::CoordinatorLoadInProgress));
    assert_eq!(world.answer(first).unwrap().1, &refused);
    let second = world.request(
        connection,
        Request::InitProducerId(inflight_protocol::message::InitProducerIdRequest::default()),
    );
    world.run_for(ms(10));
    let Response::InitProducerId(Ok(given)) = world.answer(second).unwrap().1 else { panic!() };
    assert_eq!(given.id.get(), 3 * PRODUCER_ID_BLOCK);
}
