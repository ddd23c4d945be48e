//! The high watermark and the in-sync replicas of a leader: the vectors of broker.md, section 10.

use super::*;
use crate::log::append::{AppendSettings, Appended};
use inflight_protocol::control::{BrokerRegistration, MetadataDelta};
use inflight_protocol::{
    BrokerConfig, Defects, PartitionEpoch, RecordBatch, RecordRun, SessionId, Timestamp,
    TopicConfig, TopicPartition, Topics,
};

const LAG_MAX: Span = Span::from_secs(30);

const fn b(id: u8) -> BrokerId {
    BrokerId::new(id)
}

fn set(brokers: &[u8]) -> BrokerSet {
    brokers.iter().copied().map(BrokerId::new).collect()
}

const fn at(offset: u64) -> Offset {
    Offset::new(offset)
}

const fn secs(seconds: u64) -> Instant {
    Instant::from_nanos(seconds * 1_000_000_000)
}

/// Three brokers, one partition with three replicas, min.insync.replicas=2.
fn cluster() -> Cluster {
    Cluster {
        brokers: 3,
        broker_configs: vec![BrokerConfig::default(); 3],
        topics: Topics::new([("t", 1)]),
        topic_configs: vec![TopicConfig { min_insync_replicas: 2, ..TopicConfig::default() }],
        assignments: vec![[b(1), b(2), b(3)].into_iter().collect()],
        eligible_leader_replicas: true,
        transaction_version: inflight_protocol::TransactionVersion::V2,
        coordinated: inflight_protocol::cluster::Coordinated::default(),
        defects: Defects::NONE,
    }
}

struct Leader {
    cluster: Cluster,
    replica: Partition,
    metadata: MetadataCache,
    now: Instant,
    partition_epoch: u32,
    leader_epoch: u32,
}

impl Leader {
    /// A leader with a log of 10 records from before its epoch.
    fn new() -> Self {
        let cluster = cluster();
        let metadata = MetadataCache::new(&cluster);
        let mut replica = Partition::new(&cluster, b(1), TopicPartition::new(0), Instant::START);
        let batch = RecordBatch { base_offset: Offset::ZERO, ..records(10) };
        replica.log.append_as_follower(batch, &[], &cluster.topic_configs[0]);
        let now = secs(1);
        let mut leader =
            Self { cluster, replica, metadata, now, partition_epoch: 0, leader_epoch: 1 };
        for broker in 1..=3 {
            leader.register(broker, Fenced::No);
        }
        leader.isr_is(&[1, 2, 3]);
        leader
    }

    fn register(&mut self, broker: u8, fenced: Fenced) {
        let registration = BrokerRegistration {
            epoch: BrokerEpoch::new(u32::from(broker)),
            fenced: fenced == Fenced::Yes,
            in_controlled_shutdown: false,
        };
        let version = self.metadata.version() + 1;
        let brokers = [(b(broker), registration)].into_iter().collect();
        let delta = MetadataDelta { version, brokers, ..MetadataDelta::default() };
        self.metadata.apply(&delta, |_| {});
    }

    fn registration(&mut self, isr: &[u8]) -> PartitionRegistration {
        self.partition_epoch += 1;
        PartitionRegistration {
            isr: set(isr),
            leader: Some(b(1)),
            leader_epoch: LeaderEpoch::new(self.leader_epoch),
            partition_epoch: PartitionEpoch::new(self.partition_epoch),
            ..PartitionRegistration::default()
        }
    }

    /// Metadata with this in-sync replica set arrives.
    fn isr_is(&mut self, isr: &[u8]) {
        let registration = self.registration(isr);
        self.replica.make_leader(&self.cluster, &registration, self.now);
        self.raise();
    }

    fn raise(&mut self) {
        self.replica.maybe_increment_high_watermark(self.now, LAG_MAX, &self.metadata);
    }

    /// A follower fetches from an offset.
    fn fetch(&mut self, follower: u8, offset: u64) -> Option<BrokerSet> {
        let (epoch, metadata) = (BrokerEpoch::new(u32::from(follower)), &self.metadata);
        let id = b(follower);
        self.replica.follower_fetched(id, at(offset), epoch, self.now, metadata).unwrap();
        let proposal = self.replica.maybe_expand_isr(id, &self.metadata);
        self.raise();
        proposal.map(|proposal| proposal.to)
    }

    fn append(&mut self, count: u32) {
        let broker = BrokerConfig::default();
        let topic = &self.cluster.topic_configs[0];
        let settings = AppendSettings::new(topic, &broker, Defects::NONE);
        let epoch = LeaderEpoch::new(self.leader_epoch);
        let appended = self.replica.log.append_as_leader(records(count), epoch, settings);
        assert!(matches!(appended, Appended::Written(_)));
        self.raise();
    }

    fn high_watermark(&self) -> u64 {
        self.replica.log.high_watermark().get()
    }

    fn is_under_min_isr(&self) -> bool {
        self.replica.is_under_min_isr(self.replica.leadership().unwrap())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fenced {
    Yes,
    No,
}

fn records(count: u32) -> RecordBatch {
    RecordBatch {
        kind: inflight_protocol::BatchKind::Plain,
        base_offset: Offset::ZERO,
        records: RecordRun { first: 0, count, session: SessionId::new(0) },
        producer: None,
        max_timestamp: Timestamp::RUN_START,
        bytes: 100,
        leader_epoch: LeaderEpoch::new(0),
    }
}

#[test]
fn the_high_watermark_vector() {
    let mut leader = Leader::new();
    assert_eq!(leader.high_watermark(), 0, "nobody has fetched yet");
    leader.fetch(2, 10);
    leader.fetch(3, 7);
    assert_eq!(leader.high_watermark(), 7);
    leader.register(3, Fenced::Yes);
    leader.isr_is(&[1, 2]);
    assert_eq!(leader.high_watermark(), 10);
    leader.register(2, Fenced::Yes);
    leader.isr_is(&[1]);
    assert!(leader.is_under_min_isr(), "acks=all gets 19");
    leader.append(3);
    assert_eq!((leader.replica.log.end(), leader.high_watermark()), (at(13), 10));
    leader.register(2, Fenced::No);
    assert_eq!(leader.fetch(2, 10), Some(set(&[1, 2])), "proposed on that fetch");
    assert_eq!(leader.high_watermark(), 10, "frozen: one replica is committed as in sync");
    let answer = leader.registration(&[1, 2]);
    leader.replica.isr_answered(Ok(answer));
    leader.raise();
    assert_eq!(leader.high_watermark(), 10, "as far as broker 2 is");
    leader.fetch(2, 13);
    assert_eq!(leader.high_watermark(), 13);
}

#[test]
fn the_high_watermark_waits_for_a_caught_up_replica_that_is_not_in_sync() {
    let mut leader = Leader::new();
    leader.isr_is(&[1, 2]);
    leader.fetch(2, 10);
    leader.fetch(3, 10);
    // The controller does not let broker 3 join, yet it is close behind and might soon.
    leader.replica.isr_answered(Err(ErrorCode::IneligibleReplica));
    leader.append(5);
    leader.fetch(2, 15);
    assert_eq!(leader.high_watermark(), 10);
    leader.now = secs(32);
    leader.append(1);
    leader.fetch(2, 16);
    assert_eq!(leader.high_watermark(), 16, "after replica.lag.time.max.ms nobody waits for it");
}

#[test]
fn a_follower_joins_once_it_has_the_start_of_the_epoch() {
    let mut leader = Leader::new();
    leader.isr_is(&[1, 2]);
    leader.fetch(2, 10);
    leader.leader_epoch = 2;
    leader.append(2);
    leader.isr_is(&[1, 2]);
    assert_eq!(leader.replica.leadership().unwrap().start, at(12));
    assert_eq!(leader.high_watermark(), 10);
    assert_eq!(leader.fetch(3, 11), None, "above the high watermark, below the epoch's start");
    assert_eq!(leader.fetch(3, 12), Some(set(&[1, 2, 3])));
}

#[test]
fn who_is_fenced_shutting_down_or_of_another_epoch_does_not_join() {
    let mut leader = Leader::new();
    leader.isr_is(&[1, 2]);
    leader.register(3, Fenced::Yes);
    assert_eq!(leader.fetch(3, 10), None);
    leader.register(3, Fenced::No);
    let stale = BrokerEpoch::new(2);
    let (now, metadata) = (leader.now, &leader.metadata);
    assert_eq!(
        leader.replica.follower_fetched(b(3), at(10), stale, now, metadata),
        Err(ErrorCode::NotLeaderOrFollower),
    );
    assert_eq!(leader.fetch(3, 10), Some(set(&[1, 2, 3])));
    assert_eq!(leader.fetch(3, 10), None, "one proposal at a time");
}

#[test]
fn a_follower_leaves_after_thirty_seconds_of_lag_but_not_when_idle() {
    let mut leader = Leader::new();
    leader.fetch(2, 10);
    leader.fetch(3, 10);
    leader.now = secs(500);
    let shrink = |leader: &mut Leader| {
        leader.replica.maybe_shrink_isr(leader.now, LAG_MAX).map(|proposal| proposal.to)
    };
    assert_eq!(shrink(&mut leader), None, "both have everything");
    leader.append(1);
    leader.fetch(2, 11);
    assert_eq!(shrink(&mut leader), Some(set(&[1, 2])), "broker 3 was not heard of for long");
    assert_eq!(leader.replica.log.high_watermark(), at(10));
    // The shrink is only proposed: the high watermark waits for the old set.
    leader.raise();
    assert_eq!(leader.high_watermark(), 10);
    let answer = leader.registration(&[1, 2]);
    leader.replica.isr_answered(Ok(answer));
    leader.raise();
    assert_eq!(leader.high_watermark(), 11);
}

#[test]
fn a_refused_proposal_is_taken_back_or_waits_for_metadata() {
    for (error, taken_back, verdict) in [
        (ErrorCode::IneligibleReplica, true, Verdict::Settled),
        (ErrorCode::OperationNotAttempted, true, Verdict::Settled),
        (ErrorCode::InvalidUpdateVersion, false, Verdict::Settled),
        (ErrorCode::FencedLeaderEpoch, false, Verdict::Settled),
        (ErrorCode::InvalidRequest, false, Verdict::Settled),
        (ErrorCode::UnknownTopicOrPartition, false, Verdict::Settled),
        (ErrorCode::NotController, false, Verdict::AskAgain),
    ] {
        let mut leader = Leader::new();
        leader.isr_is(&[1, 2]);
        leader.fetch(3, 10);
        assert_eq!(leader.replica.isr_answered(Err(error)), verdict, "{error}");
        let in_sync = leader.replica.leadership().unwrap().in_sync;
        assert_eq!(in_sync.pending().is_none(), taken_back, "{error}");
        leader.isr_is(&[1, 2]);
        let in_sync = leader.replica.leadership().unwrap().in_sync;
        assert_eq!(in_sync.pending(), None, "metadata overrides it");
    }
}

#[test]
fn stale_metadata_and_stale_answers_change_nothing() {
    let mut leader = Leader::new();
    leader.fetch(3, 10);
    leader.isr_is(&[1, 2]);
    let old = PartitionRegistration {
        partition_epoch: PartitionEpoch::new(1),
        ..leader.registration(&[1])
    };
    let change = leader.replica.make_leader(&leader.cluster, &old, leader.now);
    assert_eq!(change, RoleChange::Stale);
    assert_eq!(leader.replica.make_follower(&old), RoleChange::Stale);
    assert_eq!(leader.replica.leadership().unwrap().in_sync.committed(), set(&[1, 2]));
}

#[test]
fn leader_epochs_are_compared_before_anything_else() {
    let leader = Leader::new();
    let fetch = |epoch| FetchPartition {
        partition: TopicPartition::new(0),
        current_leader_epoch: LeaderEpoch::new(epoch),
        fetch_offset: at(10),
        last_fetched_epoch: Some(LeaderEpoch::new(0)),
        log_start_offset: Offset::ZERO,
        max_bytes: 1,
    };
    let check = |follower, epoch| leader.replica.check_fetch(b(follower), &fetch(epoch)).err();
    assert_eq!(check(2, 1), None);
    assert_eq!(check(2, 0), Some(ErrorCode::FencedLeaderEpoch));
    assert_eq!(check(2, 2), Some(ErrorCode::UnknownLeaderEpoch));
    assert_eq!(check(4, 1), Some(ErrorCode::UnknownLeaderEpoch), "not a replica");
}
