//! Batches that come late, and what keeps them out: bugs.md, A1 and A2, and the messages between
//! leaders and coordinators.

use crate::harness::*;
use inflight_protocol::{
    BrokerConfig, Cluster, ErrorCode, Fact, Request, Response, TransactionState, TransactionVersion,
};

fn unverified(version: TransactionVersion) -> Cluster {
    let config = BrokerConfig {
        transaction_partition_verification_enable: false,
        ..BrokerConfig::default()
    };
    Cluster { broker_configs: vec![config; 3], ..with_transactions(version) }
}

#[test]
fn a_batch_that_comes_behind_the_abort_hangs_unless_it_is_verified() {
    for (cluster, expected) in [(unverified(V0), 0), (with_transactions(V0), 120)] {
        let mut world = World::transactional(cluster);
        let mut client = world.init(T0, V0);
        world.add(&client, &[P0]);
        world.end_at_last(&mut client, ABORT);
        world.run_until_state(T0, TransactionState::CompleteAbort);
        // The batch was on its way all the time.
        assert_eq!(world.write(&client, P0, 0, 1).0, expected);
        world.run_until_so(World::is_settled);
        world.run_for(inflight_des::Span::from_secs(200));
        let (end, committed, stable) = world.marks(P0);
        let hangs = expected == 0;
        assert_eq!((end, committed, stable), if hangs { (2, 2, 1) } else { (1, 1, 1) });
    }
}

#[test]
fn with_version_2_the_late_batch_has_an_old_epoch_verified_or_not() {
    for cluster in [unverified(V2), with_transactions(V2)] {
        let mut world = World::transactional(cluster);
        let mut client = world.init(T0, V2);
        world.write(&client, P0, 0, 1);
        let late = client;
        world.end_at_last(&mut client, ABORT);
        world.run_until_state(T0, TransactionState::CompleteAbort);
        assert_eq!(world.write(&late, P0, 1, 1).0, 47, "the marker has told the partition");
        assert_eq!(world.write(&late, P1, 0, 1).0, 47, "the coordinator tells the other");
        world.run_until_so(World::is_settled);
        assert_eq!(world.marks(P1), (0, 0, 0));
    }
}

#[test]
fn below_version_2_a_late_batch_joins_the_next_transaction() {
    let mut world = World::transactional(with_transactions(V0));
    let mut client = world.init(T0, V0);
    world.add(&client, &[P0]);
    world.end_at_last(&mut client, ABORT);
    world.run_until_state(T0, TransactionState::CompleteAbort);
    world.add(&client, &[P0]);
    assert_eq!(world.write(&client, P0, 0, 1), (0, 1), "of the aborted transaction");
    world.end_at_last(&mut client, COMMIT);
    world.run_until_so(World::is_settled);
    assert_eq!(world.committed(P0), [(0, 1)]);
}

#[test]
fn a_late_end_ends_the_wrong_transaction_below_version_2() {
    for (version, expected) in [(V0, Ok(0)), (V2, Err(90))] {
        let mut world = World::transactional(with_transactions(version));
        let mut client = world.init(T0, version);
        let begin = |world: &mut World, client: &Client| {
            if version == V0 {
                assert_eq!(world.add(client, &[P0]), 0);
            }
        };
        begin(&mut world, &client);
        world.write(&client, P0, 0, 1);
        // The first copy of the request hangs in the network.
        let mut late = client;
        world.end_at_last(&mut client, COMMIT);
        world.run_until_state(T0, TransactionState::CompleteCommit);
        begin(&mut world, &client);
        let sequence = if version == V0 { 1 } else { 0 };
        world.write(&client, P0, sequence, 1);
        assert_eq!(world.end(&mut late, COMMIT), expected);
        if version == V0 {
            world.run_until_state(T0, TransactionState::CompleteCommit);
        }
        let ends = world.end(&mut client, ABORT);
        // With version 1 the producer finds its transaction committed.
        assert_eq!(ends, if version == V0 { Err(48) } else { Ok(2) });
        world.run_until_so(World::is_settled);
        let committed = world.committed(P0).len();
        assert_eq!(committed, if version == V0 { 2 } else { 1 });
    }
}

#[test]
fn a_transaction_that_is_open_in_the_log_is_not_asked_about_again() {
    let mut world = World::transactional(with_transactions(V2));
    let client = world.init(T0, V2);
    for sequence in 0..3 {
        assert_eq!(world.write(&client, P0, sequence, 1), (0, sequence as u64));
    }
    let asked = world.found(|fact| match fact {
        Fact::TransactionVerified { .. } => Some(()),
        _ => None,
    });
    assert_eq!(asked.len(), 1);
}

#[test]
fn without_a_coordinator_the_client_is_asked_to_retry() {
    for version in [V0, V2] {
        let mut world = World::transactional(with_transactions(version));
        let client = world.init(T0, version);
        if version == V0 {
            world.add(&client, &[P0]);
        }
        world.crash(3, inflight_protocol::fact::Surviving::Appended);
        // Nobody listens at the coordinator; until it is fenced, the leader does not know.
        assert_eq!(world.write(&client, P0, 0, 1).0, 19);
        assert_eq!(world.write(&client, P0, 0, 1).0, 19, "while it pauses it fails at once");
        world.run_until_so(|world| {
            world.controller.partition(STATE).leader == Some(b(1)) && world.state(T0).is_some()
        });
        world.run_for(ms(1_000));
        assert_eq!(world.write(&client, P0, 0, 1), (0, 0));
    }
}

#[test]
fn of_two_requests_that_wait_for_one_coordinator_the_newer_one_counts() {
    let mut world = World::transactional(with_transactions(V2));
    let client = world.init(T0, V2);
    // The connection exists, so that the first request is on its way.
    let other = world.init(T1, V2);
    assert_eq!(world.write(&other, P0, 0, 1).0, 0);
    world.delays.insert((node(1), node(3)), ms(500));
    let sent: Vec<_> = [0, 0, 1]
        .map(|epoch| world.send_request(1, client.at_epoch(epoch).produce(P0, 0, 1)))
        .into();
    world.run_until_so(|world| sent.iter().all(|it| world.answer(*it).is_some()));
    let codes: Vec<_> = sent
        .iter()
        .map(|it| world.produced(*it).unwrap().error.map_or(0, ErrorCode::number))
        .collect();
    // The second waits, and is replaced by the third, whose epoch the coordinator does not know.
    assert_eq!(codes, [0, 47, 47]);
}

#[test]
fn a_transactional_batch_needs_a_transactional_request() {
    let mut world = World::transactional(with_transactions(V2));
    let client = world.init(T0, V2);
    let connection = world.connect(1);
    let batches = [(P0, client.batch(0, 1))];
    let sent = world.produce(connection, inflight_protocol::Acks::All, &batches);
    world.run_until_so(|world| world.answer(sent).is_some());
    assert_eq!(world.produced(sent).unwrap().error.map(ErrorCode::number), Some(53));
}

#[test]
fn internal_topics_are_not_for_clients() {
    let mut world = World::transactional(with_transactions(V2));
    let connection = world.connect(3);
    let sent = world.produce(connection, inflight_protocol::Acks::All, &[(STATE, batch(0, 0, 1))]);
    world.run_until_so(|world| world.answer(sent).is_some());
    assert_eq!(world.produced(sent).unwrap().error.map(ErrorCode::number), Some(17));
}

#[test]
fn an_unknown_partition_is_added_by_nobody() {
    use inflight_protocol::TopicPartition;
    use inflight_protocol::message::AddPartitionsToTxnRequest;
    let mut world = World::transactional(with_transactions(V0));
    let client = world.init(T0, V0);
    let partitions = [P0, TopicPartition::new(9)].into_iter().collect();
    let request = AddPartitionsToTxnRequest { who: client.who(), partitions };
    let Response::AddPartitionsToTxn(response) = world.ask(3, Request::AddPartitionsToTxn(request))
    else {
        panic!("it is answered as such");
    };
    let codes: Vec<_> =
        response.partitions.iter().map(|(_, error)| error.unwrap().number()).collect();
    assert_eq!(codes, [55, 3]);
    assert_eq!(world.state(T0), Some(TransactionState::Empty));
}

#[test]
fn who_is_not_the_coordinator_says_so() {
    let mut world = World::transactional(with_transactions(V2));
    let client = world.init(T0, V2);
    assert_eq!(world.find_coordinator(1), Ok(3));
    let Response::EndTxn(result) = world.ask(1, client.end(ABORT)) else {
        panic!("it is an answer")
    };
    assert_eq!(result, Err(ErrorCode::NotCoordinator));
}
