use super::*;
use inflight_des::Seed;
use inflight_protocol::message::PartitionMetadata;

const NOW: i64 = 1_000_000;
const P0: TopicPartition = TopicPartition::new(0);

struct Bench {
    metadata: ConsumerMetadata,
    topics: Topics,
    chance: Chance,
}

fn bench() -> Bench {
    let topics = Topics::new([("orders", 1), ("other", 1)]);
    let mut chance = Chance::new(Seed::new(1));
    let stream = chance.stream("metadata");
    let metadata = ConsumerMetadata::new(&ConsumerConfig::default(), &topics, stream);
    Bench { metadata, topics, chance }
}

impl Bench {
    fn respond(&mut self, leader: u8, epoch: u32) {
        let response = MetadataResponse {
            brokers: [1, 2].map(BrokerId::new).into_iter().collect(),
            partitions: smallvec::smallvec![PartitionMetadata {
                partition: P0,
                error: None,
                leader: Some(BrokerId::new(leader)),
                leader_epoch: LeaderEpoch::new(epoch),
            }],
            ..MetadataResponse::default()
        };
        let (version, clock) = (self.metadata.request_version(), (NOW, &mut self.chance));
        let orders = TopicId::new(0);
        self.metadata.update(version, &response, &self.topics, |t| t == orders, clock);
    }

    fn leader(&self) -> (Option<u8>, Option<u32>) {
        let current = self.metadata.current_leader(P0);
        (current.leader.map(BrokerId::get), current.epoch.map(LeaderEpoch::get))
    }
}

#[test]
fn a_greater_epoch_from_elsewhere_hides_the_leader_until_the_next_update() {
    let mut bench = bench();
    bench.metadata.saw_epoch(P0, LeaderEpoch::new(7));
    assert_eq!(bench.leader(), (None, None), "there was no epoch to compare with");
    bench.respond(1, 4);
    assert_eq!(bench.leader(), (Some(1), Some(4)));
    assert!(!bench.metadata.is_update_requested());
    bench.metadata.saw_epoch(P0, LeaderEpoch::new(5));
    assert_eq!(bench.leader(), (None, Some(5)));
    assert!(bench.metadata.is_update_requested());
    bench.respond(1, 4);
    assert_eq!(bench.leader(), (None, Some(5)), "an older view does not count");
    bench.respond(2, 5);
    assert_eq!(bench.leader(), (Some(2), Some(5)));
}

#[test]
fn a_leader_hint_counts_if_it_is_newer() {
    let mut bench = bench();
    let hint = |leader, epoch| LeaderAndEpoch {
        leader: BrokerId::new(leader),
        epoch: LeaderEpoch::new(epoch),
    };
    assert!(!bench.metadata.update_leadership(P0, hint(2, 9)), "nothing is known of it");
    bench.respond(1, 4);
    assert!(!bench.metadata.update_leadership(P0, hint(2, 4)));
    assert!(bench.metadata.update_leadership(P0, hint(2, 5)));
    assert_eq!(bench.leader(), (Some(2), Some(5)));
}

#[test]
fn topics_that_nobody_subscribes_to_are_left_out() {
    let mut bench = bench();
    bench.respond(1, 4);
    assert!(bench.metadata.knows(TopicId::new(0)));
    let response = MetadataResponse::default();
    let clock = (NOW, &mut bench.chance);
    bench.metadata.update(0, &response, &bench.topics, |_| false, clock);
    assert!(!bench.metadata.knows(TopicId::new(0)));
    assert_eq!(bench.leader(), (None, None));
}

#[test]
fn an_answer_to_an_older_request_leaves_the_update_wanted() {
    let mut bench = bench();
    let before = bench.metadata.request_version();
    bench.metadata.request_update_for_new_topics();
    let response = MetadataResponse::default();
    let clock = (NOW, &mut bench.chance);
    bench.metadata.update(before, &response, &bench.topics, |_| true, clock);
    assert!(bench.metadata.is_update_requested());
}
