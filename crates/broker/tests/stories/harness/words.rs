//! Short words for clusters, batches and times.

use inflight_des::{Instant, Span};
use inflight_protocol::*;

/// The first partition.
pub(crate) const P0: TopicPartition = TopicPartition::new(0);

pub(crate) const fn b(id: u8) -> BrokerId {
    BrokerId::new(id)
}

pub(crate) const fn node(id: u8) -> Node {
    Node::Broker(b(id))
}

pub(crate) const fn ms(millis: u64) -> Span {
    Span::from_millis(millis)
}

pub(crate) const fn at(millis: u64) -> Instant {
    Instant::from_nanos(millis * 1_000_000)
}

pub(crate) const fn offset(offset: u64) -> Offset {
    Offset::new(offset)
}

pub(crate) fn set(brokers: &[u8]) -> BrokerSet {
    brokers.iter().copied().map(BrokerId::new).collect()
}

/// A cluster of `brokers` with one topic; the first replica of partition i is broker i + 1.
pub(crate) fn cluster(brokers: u8, partitions: u16, replicas: u8, topic: TopicConfig) -> Cluster {
    let assignment =
        |partition: u16| (0..replicas).map(|i| b((partition as u8 + i) % brokers + 1)).collect();
    Cluster {
        brokers,
        broker_configs: vec![BrokerConfig::default(); usize::from(brokers)],
        topics: Topics::new([("t", partitions)]),
        topic_configs: vec![topic],
        assignments: (0..partitions).map(assignment).collect(),
        eligible_leader_replicas: true,
        transaction_version: TransactionVersion::V2,
        coordinated: cluster::Coordinated::default(),
        defects: Defects::NONE,
    }
}

/// Three brokers, one partition with three replicas, and this min.insync.replicas.
pub(crate) fn three(min_insync_replicas: u32) -> Cluster {
    cluster(3, 1, 3, TopicConfig { min_insync_replicas, ..TopicConfig::default() })
}

/// A batch of `count` records that a session sends.
pub(crate) fn batch(session: u16, first: u64, count: u32) -> RecordBatch {
    RecordBatch {
        kind: BatchKind::Plain,
        base_offset: Offset::ZERO,
        records: RecordRun { first, count, session: SessionId::new(session) },
        producer: None,
        max_timestamp: Timestamp::RUN_START,
        bytes: 61 + 10 * count,
        leader_epoch: LeaderEpoch::new(0),
    }
}

/// As [`batch`], from an idempotent producer whose sequences follow its ordinals.
pub(crate) fn idempotent(pid: u64, epoch: i16, sequence: i32, count: u32) -> RecordBatch {
    let producer = BatchProducer {
        id: ProducerId::new(pid),
        base_sequence: Sequence::new(sequence).expect("sequences are not negative"),
        epoch: ProducerEpoch::new(epoch),
    };
    RecordBatch { producer: Some(producer), ..batch(pid as u16, sequence as u64, count) }
}
