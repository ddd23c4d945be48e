//! What crashes leave.

use crate::harness::*;
use inflight_des::Span;
use inflight_protocol::fact::Surviving;
use inflight_protocol::{Acks, Fact, TopicConfig};

fn alone(topic: TopicConfig) -> World {
    let mut world = World::new(cluster(1, 1, 1, topic));
    world.run_for(ms(1_000));
    world
}

#[test]
fn a_process_crash_loses_nothing_and_a_loss_of_power_all_that_was_not_flushed() {
    for (surviving, end) in [(Surviving::Appended, 6), (Surviving::Flushed, 4)] {
        let mut world = alone(TopicConfig { segment_bytes: 300, ..TopicConfig::default() });
        for first in [0, 2, 4] {
            world.produce_now(
                1,
                Acks::All,
                inflight_protocol::RecordBatch { bytes: 150, ..batch(0, first, 2) },
            );
        }
        // The third batch did not fit: the segment before it was flushed.
        assert_eq!(world.replica(1, P0).flushed, offset(4));
        world.crash(1, surviving);
        assert_eq!(world.offsets(1).0, end, "{surviving}");
        world.restart(1);
        world.run_until_so(World::is_settled);
        assert_eq!(world.offsets(1), (end, end));
        let recovered = world.found(|fact| match fact {
            Fact::LogRecovered { from, to, high_watermark, .. } => {
                Some((from.get(), to.get(), high_watermark.get()))
            }
            _ => None,
        });
        assert_eq!(recovered[0].1, (6, end, 0), "the checkpoint is from before the first batch");
    }
}

#[test]
fn the_high_watermark_of_a_restarted_broker_is_a_few_seconds_old() {
    let mut world = alone(TopicConfig::default());
    world.produce_now(1, Acks::All, batch(0, 0, 2));
    world.run_until(at(6_000));
    world.produce_now(1, Acks::All, batch(0, 2, 2));
    world.crash(1, Surviving::Appended);
    assert_eq!(world.offsets(1), (4, 2));
    world.restart(1);
    world.run_until_so(World::is_settled);
    assert_eq!(world.offsets(1), (4, 4), "alone in sync, it commits what it has");
}

#[test]
fn replication_is_the_durability_that_counts_by_default() {
    let mut world = World::new(three(2));
    world.run_for(ms(1_000));
    world.produce_now(1, Acks::All, batch(0, 0, 5));
    world.crash(1, Surviving::Flushed);
    world.run_until_so(|world| world.replica(2, P0).isr.is_some());
    world.restart(1);
    world.run_until_so(World::is_settled);
    assert_eq!([1, 2, 3].map(|id| world.offsets(id)), [(5, 5); 3]);
}

#[test]
fn a_whole_cluster_that_loses_power_loses_what_it_acked() {
    let mut world = World::new(three(2));
    world.run_for(ms(1_000));
    world.produce_now(1, Acks::All, batch(0, 0, 5));
    for id in 1..=3 {
        world.crash(id, Surviving::Flushed);
    }
    world.run_for(ms(30_000));
    for id in 1..=3 {
        world.restart(id);
    }
    world.run_until_so(World::is_settled);
    assert_eq!([1, 2, 3].map(|id| world.offsets(id)), [(0, 0); 3]);
}

#[test]
fn flush_ms_takes_effect_only_if_the_broker_looks() {
    let topic = TopicConfig { flush_interval: Some(ms(1_000)), ..TopicConfig::default() };
    let flushes = |look: Option<Span>| {
        let mut cluster = cluster(1, 1, 1, topic);
        cluster.broker_configs[0].log_flush_scheduler_interval = look;
        let mut world = World::new(cluster);
        world.run_until(at(5_200));
        world.produce_now(1, Acks::All, batch(0, 0, 1));
        world.run_for(ms(10_000));
        world.found(|fact| match fact {
            Fact::LogFlushed { to, .. } => Some(to.get()),
            _ => None,
        })
    };
    assert_eq!(flushes(None), []);
    assert_eq!(flushes(Some(ms(3_000))), [(6_000, 1)]);
}

#[test]
fn memory_can_forget_what_nobody_will_read() {
    let mut world = World::new(three(2));
    world.run_for(ms(1_000));
    for first in 0..10 {
        world.produce_now(1, Acks::All, idempotent(9, 0, first, 1));
    }
    world.run_until_so(World::is_settled);
    for broker in &mut world.brokers {
        broker.forget_below(P0, offset(8));
    }
    assert_eq!(world.log(1).len(), 2);
    assert_eq!(world.offsets(1), (10, 10));
    assert_eq!(world.produce_now(1, Acks::All, idempotent(9, 0, 6, 1)), (0, 6), "still recognised");
    assert_eq!(world.produce_now(1, Acks::All, idempotent(9, 0, 10, 1)), (0, 10));
    world.crash(3, Surviving::Appended);
    world.run_for(ms(100));
    world.restart(3);
    world.run_until_so(World::is_settled);
    assert_eq!([1, 2, 3].map(|id| world.offsets(id)), [(11, 11); 3]);
}

#[test]
fn a_copy_in_mid_flight_goes_on_identically() {
    let mut world = World::new(three(2));
    world.run_for(ms(1_000));
    for first in 0..4 {
        world.produce_now(1, Acks::All, idempotent(9, 0, first, 1));
    }
    let copies: Vec<_> = world.brokers.clone();
    let mut reused = World::new(three(2)).brokers;
    for (target, source) in reused.iter_mut().zip(&world.brokers) {
        target.clone_from(source);
    }
    for (copy, reused) in copies.iter().zip(&reused) {
        assert_eq!(format!("{copy:?}"), format!("{reused:?}"));
    }
}
