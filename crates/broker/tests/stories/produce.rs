//! Produce requests: the order of checks, acknowledgements, the purgatory.

use crate::harness::*;
use inflight_broker::InjectWhen;
use inflight_des::Span;
use inflight_protocol::config::TimestampType;
use inflight_protocol::fact::Surviving;
use inflight_protocol::message::LeaderAndEpoch;
use inflight_protocol::{
    Acks, ErrorCode, Fact, LeaderEpoch, Node, Offset, RecordBatch, Response, Timestamp,
    TopicConfig, TopicPartition,
};

/// A cluster of three in which only broker 1 is in sync any more.
fn one_in_sync(min_insync_replicas: u32) -> World {
    let mut world = World::new(three(min_insync_replicas));
    world.run_for(ms(100));
    world.crash(2, Surviving::Appended);
    world.crash(3, Surviving::Appended);
    world.run_until_so(|world| world.replica(1, P0).isr == Some(set(&[1])));
    world
}

#[test]
fn each_broken_rule_has_its_code() {
    let topic = TopicConfig {
        segment_bytes: 5_000,
        max_message_bytes: 10_000,
        message_timestamp_before_max_ms: 1_000,
        message_timestamp_after_max_ms: 1_000,
        ..TopicConfig::default()
    };
    let mut world = World::new(cluster(3, 1, 3, topic));
    world.run_for(ms(100));
    let good = batch(0, 0, 1);
    let early =
        RecordBatch { max_timestamp: Timestamp::new(good.max_timestamp.get() - 5_000), ..good };
    let late =
        RecordBatch { max_timestamp: Timestamp::new(good.max_timestamp.get() + 5_000), ..good };
    for (batch, code) in [
        (good, 0),
        (RecordBatch { base_offset: offset(1), ..good }, 87),
        (RecordBatch { bytes: 10_001, ..good }, 10),
        (RecordBatch { bytes: 5_001, ..good }, 18),
        (early, 32),
        (late, 32),
    ] {
        assert_eq!(world.produce_now(1, Acks::All, batch).0, code);
    }
    let rejected = world.found(|fact| match fact {
        Fact::BatchRejected { error, .. } => Some(error.number()),
        _ => None,
    });
    assert_eq!(rejected.iter().map(|each| each.1).collect::<Vec<_>>(), [87, 10, 18, 32, 32]);
    assert_eq!(world.offsets(1).0, 1);
}

#[test]
fn the_wrong_broker_tells_who_leads() {
    let mut world = World::new(three(2));
    let connection = world.connect(2);
    let correlation = world.produce(connection, Acks::Leader, &[(P0, batch(0, 0, 1))]);
    world.run_for(ms(10));
    let response = world.produced(correlation).unwrap();
    assert_eq!(response.error, Some(ErrorCode::NotLeaderOrFollower));
    assert_eq!(response.base_offset, None);
    let leader = LeaderAndEpoch { leader: b(1), epoch: LeaderEpoch::new(0) };
    assert_eq!(response.current_leader, Some(leader));
}

#[test]
fn a_broker_without_a_replica_knows_the_leader_from_metadata() {
    let mut world = World::new(cluster(4, 1, 3, TopicConfig::default()));
    let connection = world.connect(4);
    let correlation = world.produce(connection, Acks::Leader, &[(P0, batch(0, 0, 1))]);
    world.run_for(ms(10));
    let response = world.produced(correlation).unwrap();
    assert_eq!(response.error, Some(ErrorCode::NotLeaderOrFollower));
    assert_eq!(response.current_leader.map(|leader| leader.leader), Some(b(1)));
}

#[test]
fn too_few_in_sync_replicas_refuse_acks_all_and_nothing_else() {
    let mut world = one_in_sync(2);
    assert_eq!(world.produce_now(1, Acks::All, batch(0, 0, 1)), (19, 0));
    assert_eq!(world.produce_now(1, Acks::Leader, batch(0, 0, 1)), (0, 0));
    // What is written with acks=1 is not visible: the high watermark stands still.
    assert_eq!(world.offsets(1), (1, 0));
    assert!(world.is_settled(), "and that is all that will happen");
}

#[test]
fn the_size_of_the_in_sync_set_is_looked_at_before_duplicates() {
    let mut world = World::new(three(2));
    world.run_for(ms(100));
    assert_eq!(world.produce_now(1, Acks::All, idempotent(7, 0, 0, 2)), (0, 0));
    world.crash(2, Surviving::Appended);
    world.crash(3, Surviving::Appended);
    world.run_until_so(|world| world.replica(1, P0).isr == Some(set(&[1])));
    // A retry of a stored batch: only acks=all is refused.
    assert_eq!(world.produce_now(1, Acks::All, idempotent(7, 0, 0, 2)), (19, 0));
    assert_eq!(world.produce_now(1, Acks::Leader, idempotent(7, 0, 0, 2)), (0, 0));
    assert_eq!(world.produce_now(1, Acks::All, idempotent(7, 0, 5, 2)), (19, 0));
}

#[test]
fn with_one_replica_in_sync_acks_all_is_acks_one() {
    let mut world = one_in_sync(1);
    let before = world.now();
    assert_eq!(world.produce_now(1, Acks::All, batch(0, 0, 4)), (0, 0));
    assert_eq!(world.now().since(before), ms(2), "no more than the way there and back");
    assert_eq!(world.offsets(1), (4, 4));
}

#[test]
fn a_duplicate_waits_for_the_high_watermark_too() {
    let mut world = World::new(three(2));
    world.run_for(ms(100));
    world.isolate(2);
    let first = world.connect(1);
    let original = world.produce(first, Acks::All, &[(P0, idempotent(7, 0, 0, 2))]);
    let second = world.connect(1);
    let retry = world.produce(second, Acks::All, &[(P0, idempotent(7, 0, 0, 2))]);
    world.run_for(ms(1_000));
    assert_eq!(world.answer(retry), None);
    world.heal();
    world.run_for(ms(100));
    let (original, retry) = (world.produced(original).unwrap(), world.produced(retry).unwrap());
    assert_eq!((original.error, original.base_offset), (None, Some(offset(0))));
    assert_eq!((retry.error, retry.base_offset), (None, Some(offset(0))));
    assert_eq!(retry.log_append_time, Some(Timestamp::RUN_START), "as Kafka answers a duplicate");
    assert_eq!(original.log_append_time, None);
    assert_eq!(world.offsets(1).0, 2);
}

#[test]
fn a_stuck_partition_delays_the_whole_response_and_times_out_alone() {
    let mut cluster =
        cluster(3, 2, 2, TopicConfig { min_insync_replicas: 2, ..TopicConfig::default() });
    cluster.assignments[1] = [b(1), b(3)].into_iter().collect();
    cluster.broker_configs[0].replica_lag_time_max = Span::from_secs(1_000);
    let mut world = World::new(cluster);
    world.run_for(ms(100));
    world.cut(Node::Broker(b(1)), Node::Broker(b(3)));
    let connection = world.connect(1);
    let both = [(P0, batch(0, 0, 1)), (TopicPartition::new(1), batch(1, 0, 1))];
    let correlation = world.produce(connection, Acks::All, &both);
    world.run_for(ms(29_000));
    assert_eq!(world.answer(correlation), None);
    world.run_for(ms(2_000));
    let (at, response) = world.answer(correlation).unwrap();
    assert_eq!(at, self::at(100 + 1 + 30_000 + 1));
    let Response::Produce(response) = response else { panic!() };
    let errors: Vec<_> = response.partitions.iter().map(|p| (p.error, p.base_offset)).collect();
    assert_eq!(errors[0], (None, Some(offset(0))));
    // What has timed out stays in the log, and may be committed later.
    assert_eq!(errors[1], (Some(ErrorCode::RequestTimedOut), Some(offset(0))));
    assert_eq!(world.replica(1, TopicPartition::new(1)).log_end, offset(1));
}

#[test]
fn a_crash_can_fall_between_the_partitions_of_a_request() {
    let mut cluster = cluster(3, 3, 3, TopicConfig::default());
    cluster.assignments.iter_mut().for_each(|replicas| replicas.sort());
    let mut world = World::new(cluster);
    world.run_for(ms(100));
    let second = |fact: &Fact| {
        matches!(fact, Fact::BatchAppended { broker, partition, .. }
            if broker.get() == 1 && partition.get() == 1)
    };
    world.crash_at(second, 1, Surviving::Appended);
    let connection = world.connect(1);
    let all: Vec<_> = (0..3).map(|id| (TopicPartition::new(id), batch(id, 0, 1))).collect();
    world.produce(connection, Acks::Leader, &all);
    world.run_for(ms(50));
    let ends = [0, 1, 2].map(|id| world.replica(1, TopicPartition::new(id)).log_end);
    assert_eq!(ends, [offset(1), offset(1), Offset::ZERO]);
    assert_eq!(world.answers, []);
}

#[test]
fn an_in_sync_set_that_shrinks_below_the_minimum_freezes_what_waits_until_it_times_out() {
    let mut world = World::new(three(3));
    world.run_for(ms(100));
    world.crash(3, Surviving::Appended);
    let connection = world.connect(1);
    let correlation = world.produce(connection, Acks::All, &[(P0, batch(0, 0, 1))]);
    world.run_until_so(|world| world.replica(1, P0).isr == Some(set(&[1, 2])));
    world.run_until_so(|world| world.answer(correlation).is_some());
    let (at, _) = world.answer(correlation).unwrap();
    // Not 20: since 3.7 the high watermark does not rise below min.insync.replicas.
    let response = world.produced(correlation).unwrap();
    assert_eq!(response.error, Some(ErrorCode::RequestTimedOut));
    assert_eq!(at, self::at(30_102));
    assert_eq!(world.offsets(1), (1, 0));
    assert_eq!(world.offsets(2).0, 1, "the follower has it all the same");
}

#[test]
fn log_append_time_is_the_brokers() {
    let topic = TopicConfig {
        message_timestamp_type: TimestampType::LogAppendTime,
        message_timestamp_after_max_ms: 0,
        ..TopicConfig::default()
    };
    let mut world = World::new(cluster(3, 1, 3, topic));
    world.run_for(ms(1_000));
    let connection = world.connect(1);
    let late = RecordBatch { max_timestamp: Timestamp::new(i64::MAX / 2), ..batch(0, 0, 1) };
    let correlation = world.produce(connection, Acks::Leader, &[(P0, late)]);
    world.run_for(ms(10));
    let now = Timestamp::at(at(1_001));
    assert_eq!(world.produced(correlation).unwrap().log_append_time, Some(now));
    assert_eq!(world.broker(1).batches(P0).next().unwrap().max_timestamp, now);
}

#[test]
fn an_injected_error_comes_before_or_after_the_append() {
    for (when, end) in [(InjectWhen::BeforeAppend, 0), (InjectWhen::AfterAppend, 1)] {
        let mut world = World::new(three(2));
        world.run_for(ms(100));
        let connection = world.connect(1);
        let correlation = world.produce(connection, Acks::All, &[(P0, batch(0, 0, 1))]);
        let error = ErrorCode::KafkaStorageError;
        world.brokers[0].inject((connection, correlation), Some(P0), error, when);
        let next = world.produce(connection, Acks::All, &[(P0, batch(0, 1, 1))]);
        world.run_for(ms(100));
        assert_eq!(world.produced(correlation).unwrap().error, Some(error), "{when:?}");
        let next = world.produced(next).unwrap();
        assert_eq!((next.error, next.base_offset), (None, Some(offset(end))), "{when:?}");
    }
}

#[test]
fn a_batch_is_flushed_before_it_is_acked_if_flush_messages_says_so() {
    let topic = TopicConfig { flush_messages: 1, ..TopicConfig::default() };
    let mut world = World::new(cluster(3, 1, 3, topic));
    world.run_for(ms(100));
    let acked = |fact: &Fact| matches!(fact, Fact::ProduceDecided { .. });
    world.crash_at(acked, 1, Surviving::Flushed);
    let connection = world.connect(1);
    world.produce(connection, Acks::Leader, &[(P0, batch(0, 0, 3))]);
    world.run_for(ms(10));
    assert_eq!(world.offsets(1).0, 3);
    let order = world.found(|fact| match fact {
        Fact::BatchAppended { broker, .. } if broker.get() == 1 => Some("appended"),
        Fact::LogFlushed { broker, .. } if broker.get() == 1 => Some("flushed"),
        Fact::ProduceDecided { .. } => Some("decided"),
        _ => None,
    });
    assert_eq!(order, [(101, "appended"), (101, "flushed"), (101, "decided")]);
}
