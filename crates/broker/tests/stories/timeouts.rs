//! Transactions that are over their time, instances that are fenced, ids that are forgotten: the
//! vectors of broker.md, section 10.

use crate::harness::*;
use inflight_des::Span;
use inflight_protocol::{
    BrokerConfig, Cluster, Defect, Defects, ErrorCode, Fact, Request, Response, TransactionState,
    TransactionVersion, message::InitProducerIdRequest,
};

/// When transactions were found to be over their time, in milliseconds.
fn timed_out(world: &World) -> Vec<u64> {
    let found = world.found(|fact| match fact {
        Fact::TransactionTimedOut { .. } => Some(()),
        _ => None,
    });
    found.into_iter().map(|(at, ())| at).collect()
}

/// A world in which a transaction with data on P0 has just timed out, with its client.
fn after_timeout(version: TransactionVersion) -> (World, Client) {
    let mut world = World::transactional(with_transactions(version));
    let client = world.init(T0, version);
    if version == V0 {
        world.add(&client, &[P0]);
    }
    assert_eq!(world.write(&client, P0, 0, 5).0, 0);
    world.run_until_state(T0, TransactionState::CompleteAbort);
    (world, client)
}

#[test]
fn a_transaction_is_aborted_by_the_first_look_after_its_time() {
    let mut world = World::transactional(with_transactions(V2));
    let client = world.init(T0, V2);
    let begun = world.now();
    world.write(&client, P0, 0, 5);
    let other = world.init(T1, V2);
    world.run_for(ms(7_000));
    world.write(&other, P1, 0, 5);
    world.run_until_state(T1, TransactionState::CompleteAbort);
    let times = timed_out(&world);
    assert_eq!(times.len(), 2);
    let age = times[0] - begun.as_millis();
    assert!((60_000..70_001).contains(&age), "{age}");
    assert_eq!((times[1] - times[0]) % 10_000, 0, "looks come every ten seconds");
    assert_eq!(world.markers(P0), [(5, 1, true)]);
}

#[test]
fn with_version_2_a_producer_survives_its_own_timeout_if_it_aborts() {
    let (mut world, mut client) = after_timeout(V2);
    assert_eq!(world.write(&client, P0, 5, 1).0, 47);
    assert_eq!(world.end(&mut client.at_epoch(0), COMMIT), Err(48));
    assert_eq!(world.end(&mut client, ABORT), Ok(1));
    assert_eq!(world.write(&client, P0, 0, 1), (0, 6));
}

#[test]
fn with_version_1_a_producer_is_fenced_by_its_timeout() {
    let (mut world, mut client) = after_timeout(V0);
    assert_eq!(world.markers(P0), [(5, 1, true)], "the epoch is raised all the same");
    assert_eq!(world.write(&client, P0, 5, 1).0, 47);
    assert_eq!(world.add(&client, &[P1]), 90);
    assert_eq!(world.end(&mut client, COMMIT), Err(90));
    assert_eq!(world.end(&mut client, ABORT), Err(90));
    assert_eq!(world.init(T0, V0).epoch(), 2);
}

#[test]
fn a_commit_that_comes_behind_the_timeout_is_told_that_the_state_is_wrong() {
    // KAFKA-20785: to the coordinator it looks like a retry, of the other kind.
    let (mut world, mut client) = after_timeout(V2);
    assert_eq!(world.end(&mut client, COMMIT), Err(48));
}

#[test]
fn before_kafka_6119_a_timeout_went_unnoticed_and_half_a_transaction_was_committed() {
    for (defects, expected) in
        [(Defects::NONE.with(Defect::TimeoutWithoutEpochBump), Ok(0)), (Defects::NONE, Err(90))]
    {
        let cluster = Cluster { defects, ..with_transactions(V0) };
        let mut world = World::transactional(cluster);
        let mut client = world.init(T0, V0);
        world.add(&client, &[P0]);
        world.write(&client, P0, 0, 1);
        world.run_until_state(T0, TransactionState::CompleteAbort);
        // The producer knows nothing of it, and goes on with the other partition.
        let added = world.add(&client, &[P1]);
        assert_eq!(added, if expected.is_ok() { 0 } else { 90 });
        if added == 0 {
            assert_eq!(world.write(&client, P1, 0, 1).0, 0);
        }
        assert_eq!(world.end(&mut client, COMMIT), expected);
        world.run_until_so(World::is_settled);
        assert_eq!(world.committed(P0), []);
        assert_eq!(world.committed(P1).len(), usize::from(expected.is_ok()), "torn");
    }
}

#[test]
fn a_new_instance_aborts_the_open_transaction_and_gets_the_epoch_after_the_next() {
    for version in [V0, V2] {
        let mut world = World::transactional(with_transactions(version));
        let mut first = world.init(T0, version);
        if version == V0 {
            world.add(&first, &[P0]);
        }
        world.write(&first, P0, 0, 3);
        assert_eq!(world.try_init(T0, version, None), Err(51));
        let marker = |world: &World| world.markers(P0).first().copied();
        world.run_until_so(|world| marker(world).is_some());
        assert_eq!(marker(&world), Some((3, 1, true)));
        world.run_until_state(T0, TransactionState::CompleteAbort);
        if version == V2 {
            // Between the two attempts an abort looks like a retry; the second one fences.
            assert_eq!(world.end(&mut first.clone(), ABORT), Ok(1));
        }
        let second = world.init(T0, version);
        assert_eq!((second.epoch(), second.producer.id), (2, first.producer.id));
        assert_eq!(world.end(&mut first, COMMIT), Err(90));
        assert_eq!(world.write(&first, P0, 3, 1).0, 47);
        assert_eq!(world.write(&first, P1, 0, 1).0, 47, "the coordinator says so");
    }
}

#[test]
fn an_end_that_meets_the_abort_of_a_fence_has_to_wait() {
    let mut world = World::transactional(with_transactions(V2));
    let mut first = world.init(T0, V2);
    world.write(&first, P0, 0, 3);
    world.cut(node(3), node(1));
    assert_eq!(world.try_init(T0, V2, None), Err(51));
    assert_eq!(world.end(&mut first, ABORT), Err(51));
    assert_eq!(world.try_init(T0, V2, None), Err(51));
    world.heal();
    assert_eq!(world.init(T0, V2).epoch(), 2);
}

#[test]
fn a_timeout_has_to_be_within_bounds() {
    let mut world = World::transactional(with_transactions(V2));
    for (timeout_ms, expected) in [(0, Some(50)), (900_001, Some(50)), (900_000, None)] {
        let transaction = Some((T0, timeout_ms));
        let request = InitProducerIdRequest { transaction, current: None };
        match world.ask(3, Request::InitProducerId(request)) {
            Response::InitProducerId(result) => {
                assert_eq!(result.err().map(ErrorCode::number), expected);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_id_that_nobody_uses_is_forgotten() {
    let config = BrokerConfig {
        transactional_id_expiration: Span::from_secs(100),
        transaction_remove_expired_transaction_cleanup_interval: Span::from_secs(10),
        ..BrokerConfig::default()
    };
    let cluster = Cluster { broker_configs: vec![config; 3], ..with_transactions(V2) };
    let mut world = World::transactional(cluster);
    let mut idle = world.init(T0, V2);
    let open = world.init(T1, V2);
    world.write(&open, P0, 0, 1);
    world.run_until_so(|world| world.state(T0).is_none());
    let gone = world.now().as_millis();
    assert!((100_000..112_000).contains(&gone), "{gone}");
    assert_eq!(world.state(T1), Some(TransactionState::CompleteAbort), "timed out since");
    assert_eq!(world.end(&mut idle, ABORT), Err(49));
    // Another instance begins with another producer id.
    let again = world.init(T0, V2);
    assert_eq!(again.epoch(), 0);
    assert_ne!(again.producer.id, idle.producer.id);
    // KAFKA-18019: the tombstone outlives the coordinator.
    world.control(|controller, cluster, turn| controller.elect(cluster, turn, STATE, Some(b(1))));
    world.run_for(ms(1_000));
    assert_eq!(world.state(T0), Some(TransactionState::Empty));
}
