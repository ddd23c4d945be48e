//! The controller by itself: proposals, heartbeats, registrations.

use super::*;
use inflight_des::{Kinds, Seed, Span};
use inflight_protocol::control::{BrokerWish, IsrChange};
use inflight_protocol::{
    BrokerConfig, Defects, Effect, ErrorCode, Fact, LeaderEpoch, PartitionEpoch, TopicConfig,
    Topics,
};

const P0: TopicPartition = TopicPartition::new(0);

const fn b(id: u8) -> BrokerId {
    BrokerId::new(id)
}

fn set(brokers: &[u8]) -> BrokerSet {
    brokers.iter().copied().map(BrokerId::new).collect()
}

const fn secs(seconds: u64) -> Instant {
    Instant::from_nanos(seconds * 1_000_000_000)
}

struct Desk {
    cluster: Cluster,
    chance: Chance,
    controller: Controller,
    now: Instant,
    told: Vec<(BrokerId, ToBroker)>,
    facts: Vec<Fact>,
}

impl Desk {
    fn new() -> Self {
        let cluster = Cluster {
            brokers: 3,
            broker_configs: vec![BrokerConfig::default(); 3],
            topics: Topics::new([("t", 1)]),
            topic_configs: vec![TopicConfig { min_insync_replicas: 2, ..TopicConfig::default() }],
            assignments: vec![[b(1), b(2), b(3)].into_iter().collect()],
            eligible_leader_replicas: true,
            transaction_version: inflight_protocol::TransactionVersion::V2,
            coordinated: inflight_protocol::cluster::Coordinated::default(),
            defects: Defects::NONE,
        };
        let mut chance = Chance::new(Seed::new(1));
        let controller = Controller::new(&cluster, &mut chance);
        let now = Instant::START;
        let (told, facts) = (Vec::new(), Vec::new());
        let mut desk = Self { cluster, chance, controller, now, told, facts };
        desk.turn(|controller, cluster, turn| controller.start(cluster, turn));
        desk
    }

    fn turn(&mut self, call: impl FnOnce(&mut Controller, &Cluster, &mut Turn<'_>)) {
        let mut outbox = Vec::new();
        let mut turn = Turn::new(self.now, &mut self.chance, &mut outbox, Kinds::ALL);
        call(&mut self.controller, &self.cluster, &mut turn);
        for effect in outbox {
            match effect {
                Effect::Send(Outgoing::ToBroker(to, word)) => self.told.push((to, word)),
                Effect::Did(fact) => self.facts.push(fact),
                other => panic!("the controller left {other:?}"),
            }
        }
    }

    fn say(&mut self, word: ToController) {
        self.turn(|controller, cluster, turn| controller.handle(cluster, turn, word));
    }

    fn heartbeat(&mut self, broker: u8, want: BrokerWish) -> Vec<(BrokerId, ToBroker)> {
        let epoch = self.controller.broker(b(broker)).epoch;
        let metadata_version = self.controller.version();
        self.told.clear();
        self.say(ToController::Heartbeat { broker: b(broker), epoch, metadata_version, want });
        std::mem::take(&mut self.told)
    }

    /// Lets time pass, with heartbeats of these brokers every second.
    fn pass(&mut self, seconds: u64, alive: &[u8]) {
        for _ in 0..seconds {
            let next = self.now + Span::from_secs(1);
            while let Some(due) = self.controller.next_timeout().filter(|due| *due <= next) {
                self.now = due;
                self.turn(|controller, cluster, turn| controller.handle_timeout(cluster, turn));
            }
            self.now = next;
            for broker in alive {
                self.heartbeat(*broker, BrokerWish::Active);
            }
        }
    }

    fn propose(&mut self, broker: u8, change: IsrChange) -> Result<BrokerSet, ErrorCode> {
        let epoch = self.controller.broker(b(broker)).epoch;
        self.told.clear();
        let changes = [change].into_iter().collect();
        self.say(ToController::AlterPartition { broker: b(broker), epoch, changes });
        let answer = self.told.iter().find_map(|(to, word)| match word {
            ToBroker::AlterPartition { error: None, partitions } => {
                assert_eq!(*to, b(broker));
                Some(partitions[0].result.map(|known| known.isr))
            }
            _ => None,
        });
        answer.expect("a proposal is answered")
    }
}

/// Broker 1 proposes to be in sync with broker 2 alone.
fn change() -> IsrChange {
    IsrChange {
        partition: P0,
        leader_epoch: LeaderEpoch::new(0),
        partition_epoch: PartitionEpoch::new(0),
        isr: set(&[1, 2]),
        broker_epochs: [1, 2].map(BrokerEpoch::new).into_iter().collect(),
    }
}

#[test]
fn a_good_proposal_is_committed_and_published() {
    let mut desk = Desk::new();
    let version = desk.controller.version();
    assert_eq!(desk.propose(1, change()), Ok(set(&[1, 2])));
    assert_eq!(desk.controller.version(), version + 1);
    let published = desk.told.iter().filter(|(_, word)| matches!(word, ToBroker::Metadata(_)));
    assert_eq!(published.map(|(to, _)| *to).collect::<Vec<_>>(), [b(1), b(2), b(3)]);
    let known = desk.controller.partition(P0);
    assert_eq!((known.partition_epoch.get(), known.leader_epoch.get()), (1, 0));
    // The same set again is no change.
    let again = IsrChange { partition_epoch: PartitionEpoch::new(1), ..change() };
    assert_eq!(desk.propose(1, again), Ok(set(&[1, 2])));
    assert_eq!(desk.controller.version(), version + 1);
}

#[test]
fn a_bad_proposal_is_refused_for_the_first_reason() {
    let epochs = |list: &[u32]| list.iter().copied().map(BrokerEpoch::new).collect();
    let cases = [
        (1, IsrChange { leader_epoch: LeaderEpoch::new(1), ..change() }, 41),
        (1, IsrChange { partition_epoch: PartitionEpoch::new(1), ..change() }, 41),
        (2, change(), 42),
        (1, IsrChange { isr: set(&[2, 3]), broker_epochs: epochs(&[2, 3]), ..change() }, 42),
        (1, IsrChange { broker_epochs: epochs(&[1, 1]), ..change() }, 107),
    ];
    for (broker, change, code) in cases {
        let mut desk = Desk::new();
        let refused = desk.propose(broker, change.clone()).unwrap_err();
        assert_eq!(refused.number(), code, "{change:?}");
        assert_eq!(desk.controller.partition(P0).partition_epoch.get(), 0);
    }
}

#[test]
fn a_late_proposal_is_refused_by_its_epochs() {
    let mut desk = Desk::new();
    desk.propose(1, change()).unwrap();
    assert_eq!(desk.propose(1, change()).unwrap_err(), ErrorCode::InvalidUpdateVersion);
    desk.turn(|controller, cluster, turn| controller.elect(cluster, turn, P0, Some(b(2))));
    let late = IsrChange { partition_epoch: PartitionEpoch::new(2), ..change() };
    assert_eq!(desk.propose(1, late).unwrap_err(), ErrorCode::FencedLeaderEpoch);
}

#[test]
fn a_fenced_broker_does_not_come_into_sync() {
    let mut desk = Desk::new();
    desk.pass(12, &[1, 3]);
    assert!(desk.controller.is_fenced(b(2)));
    let partition_epoch = desk.controller.partition(P0).partition_epoch;
    let join = IsrChange {
        partition_epoch,
        isr: set(&[1, 2, 3]),
        broker_epochs: [1, 2, 3].map(BrokerEpoch::new).into_iter().collect(),
        ..change()
    };
    assert_eq!(desk.propose(1, join).unwrap_err(), ErrorCode::IneligibleReplica);
}

#[test]
fn a_proposal_in_a_former_broker_epoch_is_refused_as_a_whole() {
    let mut desk = Desk::new();
    let (broker, epoch) = (b(1), BrokerEpoch::new(0));
    let changes = [change()].into_iter().collect();
    desk.say(ToController::AlterPartition { broker, epoch, changes });
    let error = Some(ErrorCode::StaleBrokerEpoch);
    let expected = ToBroker::AlterPartition { error, partitions: Default::default() };
    assert_eq!(desk.told, [(b(1), expected)]);
}

#[test]
fn a_running_broker_is_not_answered() {
    let mut desk = Desk::new();
    assert_eq!(desk.heartbeat(1, BrokerWish::Active), []);
    desk.told.clear();
    let stale = BrokerEpoch::new(9);
    desk.say(ToController::Heartbeat {
        broker: b(1),
        epoch: stale,
        metadata_version: 0,
        want: BrokerWish::Active,
    });
    let error = Some(ErrorCode::StaleBrokerEpoch);
    let word = ToBroker::Heartbeat { error, is_fenced: true, should_shut_down: false };
    assert_eq!(desk.told, [(b(1), word)]);
}

#[test]
fn a_session_ends_after_nine_seconds_and_is_noticed_within_an_eighth() {
    let mut desk = Desk::new();
    desk.pass(8, &[1, 2]);
    assert!(!desk.controller.is_fenced(b(3)));
    desk.pass(3, &[1, 2]);
    assert!(desk.controller.is_fenced(b(3)));
    assert!(desk.facts.contains(&Fact::BrokerFenced { broker: b(3) }));
    assert_eq!(desk.controller.partition(P0).isr, set(&[1, 2]));
    // Heard of again, it is unfenced at once with the epoch that it had.
    let told = desk.heartbeat(3, BrokerWish::Active);
    assert!(!desk.controller.is_fenced(b(3)));
    assert_eq!(desk.controller.broker(b(3)).epoch, BrokerEpoch::new(3));
    assert!(told.iter().any(|(_, word)| matches!(word, ToBroker::Heartbeat { .. })));
}

#[test]
fn a_broker_behind_its_own_registration_is_not_unfenced() {
    let mut desk = Desk::new();
    desk.pass(12, &[1, 2]);
    desk.say(ToController::Register { broker: b(3), incarnation: 1, previous_epoch: None });
    let epoch = desk.controller.broker(b(3)).epoch;
    assert_eq!(u64::from(epoch.get()), desk.controller.version());
    for (metadata_version, is_fenced) in [(0, true), (desk.controller.version(), false)] {
        let (broker, want) = (b(3), BrokerWish::Active);
        desk.say(ToController::Heartbeat { broker, epoch, metadata_version, want });
        assert_eq!(desk.controller.is_fenced(b(3)), is_fenced);
    }
}

#[test]
fn a_second_registration_of_the_same_process_keeps_its_epoch() {
    let mut desk = Desk::new();
    desk.pass(12, &[1, 2]);
    let mut register = || {
        desk.told.clear();
        desk.say(ToController::Register { broker: b(3), incarnation: 1, previous_epoch: None });
        desk.told.iter().find_map(|(_, word)| match word {
            ToBroker::Registered(result) => Some(*result),
            _ => None,
        })
    };
    let first = register();
    assert!(matches!(first, Some(Ok(_))));
    assert_eq!(register(), first);
}

#[test]
fn a_broker_may_go_when_all_others_know_that_it_leads_nothing() {
    let mut desk = Desk::new();
    let shut_down = |desk: &mut Desk| {
        desk.heartbeat(1, BrokerWish::ShutDown).into_iter().find_map(|(_, word)| match word {
            ToBroker::Heartbeat { should_shut_down, .. } => Some(should_shut_down),
            _ => None,
        })
    };
    assert_eq!(shut_down(&mut desk), Some(false));
    assert_eq!(desk.controller.partition(P0).leader, Some(b(2)));
    assert_eq!(shut_down(&mut desk), Some(false), "brokers 2 and 3 have said nothing since");
    desk.heartbeat(2, BrokerWish::Active);
    assert_eq!(shut_down(&mut desk), Some(false));
    desk.heartbeat(3, BrokerWish::Active);
    assert_eq!(shut_down(&mut desk), Some(true));
    assert!(desk.controller.is_fenced(b(1)));
    // A broker that leads nothing may go at once.
    let told = desk.heartbeat(3, BrokerWish::ShutDown);
    let word = ToBroker::Heartbeat { error: None, is_fenced: true, should_shut_down: true };
    assert!(told.contains(&(b(3), word)));
}

#[test]
fn producer_ids_are_given_out_in_blocks_behind_those_that_brokers_hold() {
    let mut desk = Desk::new();
    for broker in [2, 1] {
        desk.say(ToController::AllocateProducerIds { broker: b(broker) });
    }
    let block =
        |broker, first| (b(broker), ToBroker::ProducerIds { first: ProducerId::new(first) });
    assert_eq!(desk.told, [block(2, 3_000), block(1, 4_000)]);
    assert_eq!(desk.now, secs(0));
}
