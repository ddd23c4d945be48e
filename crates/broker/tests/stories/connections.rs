//! Connections: one request at a time, and what is executed after the client has gone.

use crate::harness::*;
use inflight_des::Delay;
use inflight_protocol::message::MetadataRequest;
use inflight_protocol::{Acks, ErrorCode, Fact, Node, Request, Response, TopicId};

/// When each batch was appended by its leader, in milliseconds, by its first ordinal.
fn appends(world: &World) -> Vec<(u64, u64)> {
    world.found(|fact| match fact {
        Fact::BatchAppended { broker, first, .. } if broker.get() == 1 => Some(*first),
        _ => None,
    })
}

#[test]
fn the_next_request_of_a_connection_waits_for_all_replicas_of_the_last() {
    let mut world = World::new(three(2));
    world.delays.insert((Node::Broker(b(2)), Node::Broker(b(1))), ms(50));
    world.run_for(ms(200));
    let connection = world.connect(1);
    world.produce(connection, Acks::All, &[(P0, batch(0, 0, 1))]);
    world.produce(connection, Acks::All, &[(P0, batch(0, 1, 1))]);
    world.run_for(ms(400));
    let [(first, 0), (second, 1)] = appends(&world)[..] else { panic!("two appends") };
    assert!(second - first >= 50, "the second batch was not even read before the first was acked");
}

#[test]
fn different_connections_are_concurrent() {
    let mut world = World::new(three(2));
    world.delays.insert((Node::Broker(b(2)), Node::Broker(b(1))), ms(50));
    world.run_for(ms(200));
    for first in 0..2 {
        let connection = world.connect(1);
        world.produce(connection, Acks::All, &[(P0, batch(0, first, 1))]);
    }
    world.run_for(ms(400));
    assert_eq!(appends(&world), [(201, 0), (201, 1)]);
}

#[test]
fn requests_that_were_delivered_are_executed_after_the_client_has_gone() {
    let mut world = World::new(three(2));
    world.run_for(ms(200));
    let connection = world.connect(1);
    for first in 0..4 {
        world.produce(connection, Acks::All, &[(P0, batch(0, first, 1))]);
    }
    world.disconnect(connection);
    world.run_for(ms(400));
    // The response to the first goes nowhere, the one to the second cannot be written: the third
    // and fourth are discarded.
    assert_eq!(appends(&world).iter().map(|each| each.1).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(world.answers, []);
}

#[test]
fn without_acks_all_delivered_requests_are_executed_after_the_client_has_gone() {
    let mut world = World::new(three(2));
    world.run_for(ms(200));
    let connection = world.connect(1);
    for first in 0..4 {
        world.produce(connection, Acks::None, &[(P0, batch(0, first, 1))]);
    }
    world.disconnect(connection);
    world.run_for(ms(400));
    assert_eq!(appends(&world).len(), 4);
}

#[test]
fn an_error_without_acks_closes_the_connection_and_loses_what_is_behind() {
    let mut world = World::new(three(2));
    world.run_for(ms(200));
    let connection = world.connect(1);
    let large = inflight_protocol::RecordBatch { bytes: 2_000_000, ..batch(0, 1, 1) };
    world.produce(connection, Acks::None, &[(P0, batch(0, 0, 1))]);
    world.produce(connection, Acks::None, &[(P0, large)]);
    world.produce(connection, Acks::None, &[(P0, batch(0, 2, 1))]);
    world.run_for(ms(400));
    assert_eq!(appends(&world), [(201, 0)]);
    assert_eq!(world.answers, []);
    assert_eq!(world.closed.len(), 1);
    assert_eq!(world.closed[0].1, connection);
}

#[test]
fn requests_wait_for_an_idle_handler_and_are_checked_when_it_is_done() {
    let mut cluster = cluster(1, 1, 1, inflight_protocol::TopicConfig::default());
    cluster.broker_configs[0].num_io_threads = 1;
    cluster.broker_configs[0].request_time = Delay::Constant(ms(2));
    cluster.broker_configs[0].append_time = Delay::Constant(ms(5));
    let mut world = World::new(cluster);
    for first in 0..3 {
        let connection = world.connect(1);
        world.produce(connection, Acks::Leader, &[(P0, batch(0, first, 1))]);
    }
    world.run_for(ms(100));
    assert_eq!(appends(&world), [(8, 0), (15, 1), (22, 2)]);
}

#[test]
fn a_slow_disk_delays_every_append_of_leader_and_follower() {
    let mut world = World::new(three(2));
    world.run_for(ms(200));
    world.brokers[0].set_disk_delay(ms(30));
    world.brokers[1].set_disk_delay(ms(20));
    let connection = world.connect(1);
    world.produce(connection, Acks::All, &[(P0, batch(0, 0, 1))]);
    world.run_for(ms(400));
    let appended = world.found(|fact| match fact {
        Fact::BatchAppended { broker, .. } => Some(broker.get()),
        _ => None,
    });
    assert_eq!(appended, [(231, 1), (232, 3), (252, 2)]);
}

#[test]
fn other_requests_are_answered_from_what_the_broker_knows() {
    let mut cluster = three(2);
    cluster.topics = inflight_protocol::Topics::new([("t", 1), ("none", 0)]);
    cluster.topic_configs.push(inflight_protocol::TopicConfig::default());
    let mut world = World::new(cluster);
    let connection = world.connect(2);
    let versions = world.request(connection, Request::ApiVersions);
    let topics = [TopicId::new(0), TopicId::new(1)].into_iter().collect();
    let metadata = world.request(connection, Request::Metadata(MetadataRequest { topics }));
    let ids: Vec<_> = (0..2)
        .map(|_| {
            world.request(
                connection,
                Request::InitProducerId(
                    inflight_protocol::message::InitProducerIdRequest::default(),
                ),
            )
        })
        .collect();
    world.run_for(ms(100));
    assert_eq!(world.answer(versions).unwrap().1, &Response::ApiVersions);
    let Response::Metadata(response) = world.answer(metadata).unwrap().1 else { panic!() };
    assert_eq!(response.brokers, set(&[1, 2, 3]));
    let unknown = (TopicId::new(1), ErrorCode::UnknownTopicOrPartition);
    assert_eq!(response.topic_errors[..], [unknown]);
    assert_eq!(response.partitions.len(), 1);
    assert_eq!((response.partitions[0].leader, response.partitions[0].error), (Some(b(1)), None));
    let given: Vec<_> = ids
        .iter()
        .map(|id| match world.answer(*id).unwrap().1 {
            Response::InitProducerId(Ok(given)) => (given.id.get(), given.epoch.get()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(given, [(1_000, 0), (1_001, 0)]);
}
