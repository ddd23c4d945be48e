//! Replication without faults.

use crate::harness::*;
use inflight_des::Span;
use inflight_protocol::{Acks, Fact, FactKind, Node, TopicConfig, TopicPartition};

#[test]
fn an_acked_batch_is_on_all_replicas() {
    let mut world = World::new(three(2));
    world.run_for(ms(100));
    let connection = world.connect(1);
    let correlation = world.produce(connection, Acks::All, &[(P0, batch(0, 0, 3))]);
    world.run_for(ms(100));
    let response = world.produced(correlation).unwrap();
    assert_eq!((response.error, response.base_offset), (None, Some(offset(0))));
    let appended = world.found(|fact| match fact {
        Fact::BatchAppended { broker, .. } => Some(broker.get()),
        _ => None,
    });
    assert_eq!(appended, [(101, 1), (102, 2), (102, 3)]);
}

#[test]
fn followers_learn_a_fetch_late_that_something_is_committed() {
    let mut world = World::new(three(2));
    world.run_for(ms(100));
    world.produce_now(1, Acks::All, batch(0, 0, 3));
    assert_eq!(world.offsets(1), (3, 3));
    assert_eq!([world.offsets(2), world.offsets(3)], [(3, 0), (3, 0)]);
    assert!(!world.is_settled());
    // Nothing but the log's growth answers a waiting fetch before its 500 ms are over.
    world.run_for(ms(490));
    assert_eq!([world.offsets(2), world.offsets(3)], [(3, 0), (3, 0)]);
    world.run_for(ms(20));
    assert_eq!([world.offsets(2), world.offsets(3)], [(3, 3), (3, 3)]);
    assert!(world.is_settled());
}

#[test]
fn followers_learn_of_it_with_the_next_data() {
    let mut world = World::new(three(2));
    world.run_for(ms(100));
    world.produce_now(1, Acks::All, batch(0, 0, 3));
    world.produce_now(1, Acks::All, batch(0, 3, 2));
    assert_eq!(world.offsets(1), (5, 5));
    assert_eq!([world.offsets(2), world.offsets(3)], [(5, 3), (5, 3)]);
}

#[test]
fn a_fetch_waits_for_so_many_bytes() {
    let mut cluster = three(1);
    for config in &mut cluster.broker_configs {
        config.replica_fetch_min_bytes = 200;
    }
    let mut world = World::new(cluster);
    world.run_for(ms(100));
    world.produce_now(1, Acks::Leader, batch(0, 0, 5));
    world.run_for(ms(10));
    assert_eq!(world.offsets(2).0, 0, "111 bytes are not enough");
    world.produce_now(1, Acks::Leader, batch(0, 5, 5));
    world.run_for(ms(10));
    assert_eq!(world.offsets(2).0, 10);
    world.produce_now(1, Acks::Leader, batch(0, 10, 5));
    world.run_for(ms(510));
    assert_eq!(world.offsets(2).0, 15, "after replica.fetch.wait.max.ms anything will do");
}

#[test]
fn responses_are_limited_per_partition_and_in_all_but_have_one_batch() {
    let mut cluster = cluster(2, 4, 2, TopicConfig::default());
    cluster
        .assignments
        .iter_mut()
        .for_each(|replicas| *replicas = [b(1), b(2)].into_iter().collect());
    for config in &mut cluster.broker_configs {
        config.replica_fetch_max_bytes = 250;
        config.replica_fetch_response_max_bytes = 500;
    }
    let mut world = World::new(cluster);
    world.delays.insert((Node::Broker(b(1)), Node::Broker(b(2))), ms(100));
    world.run_for(ms(250));
    let connection = world.connect(1);
    let all: Vec<_> = (0..4).map(|id| (TopicPartition::new(id), batch(0, 0, 5))).collect();
    for _ in 0..4 {
        world.produce(connection, Acks::Leader, &all);
    }
    world.run_until_so(|world| {
        world.broker(2).replica(TopicPartition::new(3)).unwrap().log_end.get() == 20
    });
    let arrivals = world.found(|fact| match fact {
        Fact::BatchAppended { broker, partition, .. } if broker.get() == 2 => Some(partition.get()),
        _ => None,
    });
    let mut responses: Vec<(u64, Vec<u16>)> = Vec::new();
    for (at, partition) in arrivals {
        match responses.last_mut().filter(|last| last.0 == at) {
            Some(last) => last.1.push(partition),
            None => responses.push((at, vec![partition])),
        }
    }
    let sizes: Vec<usize> = responses.iter().map(|each| each.1.len()).collect();
    // The waiting fetch got what the first request appended; then two batches of 111 bytes fit
    // into a partition's share, and four into a response.
    assert_eq!(sizes.iter().sum::<usize>(), 16);
    assert!(sizes[1..].iter().all(|size| *size <= 4), "{responses:?}");
}

#[test]
fn a_batch_larger_than_all_limits_is_replicated() {
    let mut cluster = three(2);
    for config in &mut cluster.broker_configs {
        config.replica_fetch_max_bytes = 10;
        config.replica_fetch_response_max_bytes = 10;
    }
    let mut world = World::new(cluster);
    assert_eq!(world.produce_now(1, Acks::All, batch(0, 0, 100)), (0, 0));
    assert_eq!(world.produce_now(1, Acks::All, batch(0, 100, 100)), (0, 100));
}

#[test]
fn a_log_that_is_not_in_use_costs_a_fetch_every_half_second() {
    let mut world = World::new(three(2));
    world.run_for(Span::from_secs(60));
    let mut facts: Vec<_> = world.facts.iter().map(|(_, fact)| fact.kind()).collect();
    facts.sort();
    facts.dedup();
    assert_eq!(facts, [FactKind::ConnectionOpened, FactKind::FollowerAdvanced]);
    assert!(world.is_settled());
}

#[test]
fn every_replica_has_the_same_log_and_only_one_leads() {
    let mut world = World::new(cluster(3, 6, 3, TopicConfig::default()));
    for partition in 0..6 {
        let id = TopicPartition::new(partition);
        let connection = world.connect(partition as u8 % 3 + 1);
        world.produce(connection, Acks::All, &[(id, batch(partition, 0, 2))]);
    }
    world.run_for(ms(10));
    world.run_until_so(World::is_settled);
    for id in world.cluster.topics.all_partitions() {
        let logs =
            [1, 2, 3].map(|broker| world.broker(broker).batches(id).copied().collect::<Vec<_>>());
        assert_eq!(logs[0].len(), 1);
        assert!(logs.iter().all(|log| *log == logs[0]));
        let roles = [1, 2, 3].map(|broker| world.replica(broker, id).role);
        assert_eq!(roles.iter().filter(|role| **role == inflight_broker::Role::Leader).count(), 1);
    }
}
