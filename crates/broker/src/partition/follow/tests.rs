//! Truncation by leader epochs: the vectors of broker.md, section 10.

use super::*;
use crate::log::expiration;
use inflight_protocol::message::FetchPartition;
use inflight_protocol::{
    BrokerConfig, BrokerId, Cluster, Defects, LeaderEpoch, RecordRun, SessionId, Timestamp,
    TopicPartition, Topics,
};

fn cluster() -> Cluster {
    Cluster {
        brokers: 2,
        broker_configs: vec![BrokerConfig::default(); 2],
        topics: Topics::new([("t", 1)]),
        topic_configs: vec![TopicConfig::default()],
        assignments: vec![[BrokerId::new(1), BrokerId::new(2)].into_iter().collect()],
        eligible_leader_replicas: true,
        transaction_version: inflight_protocol::TransactionVersion::V2,
        coordinated: inflight_protocol::cluster::Coordinated::default(),
        defects: Defects::NONE,
    }
}

/// A replica whose log has these epochs, each up to an offset, record by record.
fn replica(id: u8, epochs: &[(u32, u64)]) -> Partition {
    let cluster = cluster();
    let partition = TopicPartition::new(0);
    let mut replica = Partition::new(&cluster, BrokerId::new(id), partition, Instant::START);
    for (epoch, end) in epochs {
        while replica.log.end().get() < *end {
            let batch = RecordBatch {
                kind: inflight_protocol::BatchKind::Plain,
                base_offset: replica.log.end(),
                records: RecordRun { first: 0, count: 1, session: SessionId::new(0) },
                producer: None,
                max_timestamp: Timestamp::RUN_START,
                bytes: 100,
                leader_epoch: LeaderEpoch::new(*epoch),
            };
            replica.log.append_as_follower(batch, &[], &cluster.topic_configs[0]);
        }
    }
    replica
}

/// The offsets that a follower cuts to, fetch by fetch, until the leader has data for it.
fn cuts(leader: &Partition, follower: &mut Partition) -> Vec<(u64, u32, u64, u64)> {
    let mut cuts = Vec::new();
    loop {
        let last = follower.log.epochs().latest();
        let fetch = FetchPartition {
            partition: TopicPartition::new(0),
            current_leader_epoch: LeaderEpoch::new(99),
            fetch_offset: follower.log.end(),
            last_fetched_epoch: last,
            log_start_offset: Offset::ZERO,
            max_bytes: 1,
        };
        let Some(diverging) = leader.diverging_epoch(&fetch).unwrap() else { return cuts };
        let expiration = expiration(&BrokerConfig::default());
        let cut = follower.truncate_to_divergence(diverging, Instant::START, expiration).unwrap();
        let (from, to) = cut.end;
        assert!(to < from, "each round gets closer");
        cuts.push((from.get(), diverging.epoch.get(), diverging.end_offset.get(), to.get()));
    }
}

#[test]
fn vector_a_the_follower_has_more_of_an_old_epoch() {
    let leader = replica(1, &[(1, 10), (2, 15)]);
    let mut follower = replica(2, &[(1, 12)]);
    assert_eq!(cuts(&leader, &mut follower), [(12, 1, 10, 10)]);
}

#[test]
fn vector_b_the_follower_has_an_epoch_that_the_leader_never_saw() {
    let mut leader = replica(1, &[(1, 8), (2, 12)]);
    leader.log.start_epoch(LeaderEpoch::new(4));
    let mut follower = replica(2, &[(1, 10), (3, 13)]);
    assert_eq!(cuts(&leader, &mut follower), [(13, 2, 12, 10), (10, 1, 8, 8)]);
    assert_eq!(follower.log.epochs().latest(), Some(LeaderEpoch::new(1)));
}

#[test]
fn vector_c_an_unclean_leader_has_less_than_was_committed() {
    let mut leader = replica(1, &[(6, 5)]);
    leader.log.start_epoch(LeaderEpoch::new(7));
    let mut follower = replica(2, &[(6, 9)]);
    follower.follow_high_watermark(Offset::new(9), Instant::START);
    assert_eq!(cuts(&leader, &mut follower), [(9, 6, 5, 5)]);
    assert_eq!(follower.log.high_watermark(), Offset::new(5));
}

#[test]
fn equal_logs_are_not_cut() {
    let leader = replica(1, &[(1, 8), (2, 12)]);
    let mut follower = replica(2, &[(1, 8), (2, 10)]);
    assert_eq!(cuts(&leader, &mut follower), []);
}

#[test]
fn a_follower_takes_over_a_high_watermark_within_its_log() {
    let mut follower = replica(2, &[(1, 8)]);
    let mut follow = |to| {
        let from = follower.follow_high_watermark(Offset::new(to), Instant::START);
        (from.map(|before| before.high_watermark.get()), follower.log.high_watermark().get())
    };
    assert_eq!(follow(20), (Some(0), 8), "not beyond its end");
    assert_eq!(follow(8), (None, 8));
    assert_eq!(follow(3), (Some(8), 3), "it may fall");
}
