//! Leaders that die, are cut off, or are moved: what is lost, what is kept, what is answered.

use crate::harness::*;
use inflight_broker::Role;
use inflight_des::Span;
use inflight_protocol::fact::{Election, Surviving};
use inflight_protocol::message::MetadataRequest;
use inflight_protocol::{
    Acks, ErrorCode, Fact, Incoming, LeaderEpoch, Node, Request, Response, TopicConfig, TopicId,
};

fn elections(world: &World) -> Vec<(u64, (Option<u8>, Election))> {
    world.found(|fact| match fact {
        Fact::LeaderElected { leader, election, .. } => {
            Some((leader.map(|leader| leader.get()), *election))
        }
        _ => None,
    })
}

fn cuts(world: &World) -> Vec<(u8, u64, u64)> {
    let found = world.found(|fact| match fact {
        Fact::LogTruncated { broker, from, to, .. } => Some((broker.get(), from.get(), to.get())),
        _ => None,
    });
    found.into_iter().map(|each| each.1).collect()
}

#[test]
fn a_dead_leader_is_replaced_nine_to_ten_seconds_after_its_last_heartbeat() {
    for seed in 0..20 {
        let mut world = World::with_seed(three(2), seed);
        world.run_for(ms(5_000));
        world.crash(1, Surviving::Appended);
        world.run_until_so(|world| world.replica(2, P0).role == Role::Leader);
        let (at, elected) = elections(&world)[0];
        assert_eq!(elected, (Some(2), Election::Clean));
        // The last heartbeat was up to two seconds before the crash.
        assert!((12_000..=15_126).contains(&at), "at {at}");
        assert_eq!(world.replica(2, P0).leader_epoch, Some(LeaderEpoch::new(1)));
        assert_eq!(world.replica(2, P0).isr, Some(set(&[2, 3])));
        assert_eq!(world.produce_now(2, Acks::All, batch(0, 0, 1)), (0, 0));
    }
}

#[test]
fn a_dead_follower_stalls_acks_all_until_the_controller_fences_it() {
    let mut world = World::new(three(2));
    world.run_for(ms(5_000));
    world.crash(3, Surviving::Appended);
    let connection = world.connect(1);
    let correlation = world.produce(connection, Acks::All, &[(P0, batch(0, 0, 1))]);
    world.run_until_so(|world| world.answer(correlation).is_some());
    let waited = world.now().since(at(5_000)).as_millis();
    assert!((7_000..=10_130).contains(&waited), "{waited} ms");
    assert_eq!(world.produced(correlation).unwrap().error, None);
    assert_eq!(world.replica(1, P0).leader_epoch, Some(LeaderEpoch::new(0)), "the leader stays");
}

#[test]
fn a_follower_that_cannot_be_reached_is_removed_by_the_leader_after_30_to_45_seconds() {
    for seed in 0..10 {
        let mut world = World::with_seed(three(2), seed);
        world.run_for(ms(20_000));
        world.cut(Node::Broker(b(1)), Node::Broker(b(3)));
        let connection = world.connect(1);
        let correlation = world.produce(connection, Acks::All, &[(P0, batch(0, 0, 1))]);
        world.run_until_so(|world| world.replica(1, P0).isr == Some(set(&[1, 2])));
        let waited = world.now().since(at(20_000)).as_millis();
        assert!((29_400..=45_002).contains(&waited), "{waited} ms");
        world.run_until_so(|world| world.answer(correlation).is_some());
    }
}

#[test]
fn an_idle_follower_is_never_removed_by_the_leader() {
    let mut world = World::new(three(2));
    world.run_for(ms(1_000));
    world.cut(Node::Broker(b(1)), Node::Broker(b(3)));
    world.run_for(Span::from_secs(200));
    assert_eq!(world.replica(1, P0).isr, Some(set(&[1, 2, 3])));
    // With the first record it is found to be out of sync.
    world.produce_now(1, Acks::Leader, batch(0, 0, 1));
    world.run_for(Span::from_secs(16));
    assert_eq!(world.replica(1, P0).isr, Some(set(&[1, 2])));
}

#[test]
fn acks_one_is_lost_with_a_leader_that_dies_before_anybody_fetched() {
    let mut world = World::new(three(2));
    world.run_for(ms(1_000));
    world.produce_now(1, Acks::All, batch(0, 0, 2));
    world.run_for(ms(1_000));
    let acked = |fact: &Fact| matches!(fact, Fact::ProduceDecided { .. });
    // Between the answer and the responses to the waiting fetches.
    world.crash_at(acked, 1, Surviving::Appended);
    let connection = world.connect(1);
    world.produce(connection, Acks::Leader, &[(P0, batch(0, 2, 3))]);
    world.run_until_so(|world| world.replica(2, P0).role == Role::Leader);
    assert_eq!(world.offsets(1).0, 5, "a process crash spares what was appended");
    assert_eq!(world.produce_now(2, Acks::All, batch(1, 0, 1)), (0, 2));
    world.restart(1);
    world.run_until_so(World::is_settled);
    assert_eq!(cuts(&world), [(1, 5, 2)]);
    assert_eq!(world.log(1), [(0, 0, 2), (1, 0, 1)]);
    assert_eq!(world.log(1), world.log(2));
}

#[test]
fn a_leader_that_is_cut_off_goes_on_acking_writes_that_will_be_lost() {
    let mut world = World::new(three(2));
    world.run_for(ms(1_000));
    world.isolate(1);
    world.run_until_so(|world| world.replica(2, P0).role == Role::Leader);
    assert_eq!(world.replica(1, P0).role, Role::Leader, "nobody told it");
    assert_eq!(world.produce_now(1, Acks::Leader, batch(0, 0, 1)), (0, 0));
    assert_eq!(world.produce_now(2, Acks::All, batch(1, 0, 2)), (0, 0));
    let connection = world.connect(1);
    let stuck = world.produce(connection, Acks::All, &[(P0, batch(0, 1, 1))]);
    world.run_for(ms(5_000));
    assert_eq!(world.answer(stuck), None);
    world.heal();
    world.run_until_so(World::is_settled);
    assert_eq!(cuts(&world), [(1, 2, 0)]);
    assert_eq!([world.log(1), world.log(2), world.log(3)], [[(1, 0, 2)], [(1, 0, 2)], [(1, 0, 2)]]);
    assert_eq!(world.produced(stuck).unwrap().error, Some(ErrorCode::NotLeaderOrFollower));
}

#[test]
fn what_has_timed_out_or_was_never_acked_is_committed_by_the_next_leader() {
    let mut world = World::new(three(3));
    world.run_for(ms(1_000));
    world.cut(Node::Broker(b(1)), Node::Broker(b(3)));
    let connection = world.connect(1);
    let correlation = world.produce(connection, Acks::All, &[(P0, batch(0, 0, 1))]);
    world.run_until_so(|world| world.answer(correlation).is_some());
    assert_eq!(world.produced(correlation).unwrap().error, Some(ErrorCode::RequestTimedOut));
    assert_eq!(world.offsets(2), (1, 0));
    world.crash(1, Surviving::Appended);
    world.heal();
    world.run_until_so(|world| world.replica(2, P0).role == Role::Leader);
    world.restart(1);
    world.run_until_so(World::is_settled);
    assert_eq!([1, 2, 3].map(|id| world.offsets(id)), [(1, 1); 3]);
}

#[test]
fn moving_the_leader_fails_what_waits_although_it_is_stored() {
    let mut world = World::new(three(2));
    world.delays.insert((Node::Broker(b(3)), Node::Broker(b(1))), ms(20));
    world.run_for(ms(1_000));
    let connection = world.connect(1);
    let correlation = world.produce(connection, Acks::All, &[(P0, batch(0, 0, 1))]);
    world.run_for(ms(5));
    world.control(|controller, cluster, turn| controller.elect(cluster, turn, P0, Some(b(2))));
    world.run_for(ms(100));
    let response = world.produced(correlation).unwrap();
    assert_eq!(response.error, Some(ErrorCode::NotLeaderOrFollower));
    assert_eq!(response.base_offset, Some(offset(0)));
    assert_eq!(response.current_leader.map(|known| known.leader), Some(b(2)));
    assert_eq!(elections(&world).last().unwrap().1, (Some(2), Election::Forced));
    world.run_until_so(World::is_settled);
    assert_eq!([1, 2, 3].map(|id| world.offsets(id)), [(1, 1); 3], "a retry would write it twice");
}

#[test]
fn a_fetch_in_an_old_epoch_is_fenced_and_goes_on_in_the_new_one() {
    let mut world = World::new(three(2));
    world.run_for(ms(1_000));
    world.produce_now(1, Acks::All, batch(0, 0, 1));
    for leader in [2, 3, 1] {
        world.control(|controller, cluster, turn| {
            controller.elect(cluster, turn, P0, Some(b(leader)));
        });
        world.run_for(ms(700));
        assert_eq!(world.replica(leader, P0).role, Role::Leader);
        world.produce_now(leader, Acks::All, batch(0, u64::from(leader), 1));
    }
    world.run_until_so(World::is_settled);
    assert_eq!([1, 2, 3].map(|id| world.offsets(id)), [(4, 4); 3]);
    assert_eq!(cuts(&world), []);
}

#[test]
fn a_new_leader_may_know_less_to_be_committed_than_the_old_one() {
    let mut world = World::new(three(2));
    world.run_for(ms(1_000));
    world.produce_now(1, Acks::All, batch(0, 0, 4));
    world.crash(1, Surviving::Appended);
    world.run_until_so(|world| world.replica(2, P0).role == Role::Leader);
    let became = world.found(|fact| match fact {
        Fact::BecameLeader { broker, start_offset, high_watermark, .. } => {
            Some((broker.get(), start_offset.get(), high_watermark.get()))
        }
        _ => None,
    });
    assert_eq!(became[0].1, (2, 4, 0));
    world.run_for(ms(1_100));
    assert_eq!(world.offsets(2), (4, 4), "once the other follower has fetched");
}

#[test]
fn an_unclean_leader_loses_what_was_committed() {
    let topic = TopicConfig { unclean_leader_election_enable: true, ..TopicConfig::default() };
    let mut world = World::new(cluster(2, 1, 2, topic));
    world.run_for(ms(1_000));
    world.produce_now(1, Acks::All, batch(0, 0, 2));
    world.crash(2, Surviving::Appended);
    world.run_until_so(|world| world.replica(1, P0).isr == Some(set(&[1])));
    assert_eq!(world.produce_now(1, Acks::All, batch(0, 2, 3)), (0, 2));
    assert_eq!(world.offsets(1), (5, 5));
    world.crash(1, Surviving::Appended);
    world.run_for(ms(15_000));
    world.restart(2);
    world.run_until_so(|world| world.replica(2, P0).role == Role::Leader);
    assert_eq!(elections(&world).last().unwrap().1, (Some(2), Election::Unclean));
    assert_eq!(world.produce_now(2, Acks::All, batch(1, 0, 1)), (0, 2));
    world.restart(1);
    world.run_until_so(World::is_settled);
    assert_eq!(cuts(&world), [(1, 5, 2)]);
    assert_eq!(world.log(1), [(0, 0, 2), (1, 0, 1)]);
    let regressed = world.found(|fact| match fact {
        Fact::HighWatermarkRegressed { broker, .. } => Some(broker.get()),
        _ => None,
    });
    assert!(!regressed.is_empty());
}

#[test]
fn nobody_leads_while_the_only_replica_in_sync_is_away() {
    let topic = TopicConfig { min_insync_replicas: 1, ..TopicConfig::default() };
    let mut plain = cluster(2, 1, 2, topic);
    plain.eligible_leader_replicas = false;
    let mut world = World::new(plain);
    world.run_for(ms(1_000));
    world.crash(2, Surviving::Appended);
    world.run_until_so(|world| world.replica(1, P0).isr == Some(set(&[1])));
    world.produce_now(1, Acks::All, batch(0, 0, 3));
    world.crash(1, Surviving::Appended);
    world.restart(2);
    world.run_until_so(|world| world.broker(2).is_listening());
    world.run_for(ms(20_000));
    let connection = world.connect(2);
    let topics = [TopicId::new(0)].into_iter().collect();
    let metadata = world.request(connection, Request::Metadata(MetadataRequest { topics }));
    world.run_for(ms(100));
    let Response::Metadata(response) = world.answer(metadata).unwrap().1 else { panic!() };
    let described = response.partitions[0];
    assert_eq!((described.leader, described.error), (None, Some(ErrorCode::LeaderNotAvailable)));
    assert_eq!(described.leader_epoch, LeaderEpoch::new(1));
    world.restart(1);
    world.run_until_so(World::is_settled);
    assert_eq!(elections(&world).last().unwrap().1, (Some(1), Election::Clean));
    assert_eq!([1, 2].map(|id| world.offsets(id)), [(3, 3); 2], "nothing is lost");
}

#[test]
fn metadata_names_the_new_leader_before_it_knows_that_it_is_one() {
    let mut cluster = three(2);
    cluster.broker_configs[1].metadata_time = inflight_des::Delay::Constant(ms(500));
    let mut world = World::new(cluster);
    world.run_for(ms(1_000));
    world.control(|controller, cluster, turn| controller.elect(cluster, turn, P0, Some(b(2))));
    world.run_for(ms(100));
    // Broker 1 has handed over, and sends clients to broker 2 which refuses them.
    let connection = world.connect(1);
    let first = world.produce(connection, Acks::Leader, &[(P0, batch(0, 0, 1))]);
    world.run_for(ms(10));
    let response = world.produced(first).unwrap();
    assert_eq!(response.current_leader.map(|known| known.leader), Some(b(2)));
    let connection = world.connect(2);
    let second = world.produce(connection, Acks::Leader, &[(P0, batch(0, 0, 1))]);
    world.run_for(ms(10));
    let response = world.produced(second).unwrap();
    assert_eq!(response.error, Some(ErrorCode::NotLeaderOrFollower));
    assert_eq!(response.current_leader.map(|known| known.leader), Some(b(1)));
    world.run_until_so(World::is_settled);
    assert_eq!(world.replica(2, P0).role, Role::Leader);
}

#[test]
fn the_cache_is_switched_before_the_roles() {
    let mut world = World::new(cluster(3, 3, 3, TopicConfig::default()));
    world.run_for(ms(1_000));
    // Broker 1 dies in the middle of a commit that concerns several of its replicas.
    world.crash(2, Surviving::Appended);
    let first_role =
        |fact: &Fact| matches!(fact, Fact::BecameLeader { broker, .. } if broker.get() == 3);
    world.crash_at(first_role, 3, Surviving::Appended);
    world.run_until_so(|world| !world.up.contains(b(3)));
    let applied = world.found(|fact| match fact {
        Fact::MetadataApplied { broker, version } => Some((broker.get(), *version)),
        _ => None,
    });
    assert!(
        applied.iter().all(|each| each.1 != (3, 5)),
        "the commit was not finished: {applied:?}"
    );
    world.restart(3);
    world.restart(2);
    world.run_until_so(World::is_settled);
}

#[test]
fn responses_to_a_fetch_from_before_a_change_are_ignored() {
    let mut world = World::new(three(1));
    world.run_for(ms(1_000));
    // The response to broker 3 is under way while broker 3 learns of another leader.
    world.delays.insert((Node::Broker(b(1)), Node::Broker(b(3))), ms(100));
    world.run_for(ms(500));
    world.produce_now(1, Acks::Leader, batch(0, 0, 1));
    world.control(|controller, cluster, turn| controller.elect(cluster, turn, P0, Some(b(2))));
    world.run_for(ms(50));
    assert_eq!(world.replica(3, P0).leader_epoch, Some(LeaderEpoch::new(1)));
    world.run_until_so(World::is_settled);
    assert_eq!([1, 2, 3].map(|id| world.offsets(id)), [(1, 1); 3]);
    let appended = world.found(|fact| match fact {
        Fact::BatchAppended { broker, leader_epoch, .. } if broker.get() == 3 => {
            Some(leader_epoch.get())
        }
        _ => None,
    });
    assert_eq!(appended.len(), 1);
}

#[test]
fn words_for_the_controller_and_unknown_connections_are_ignored() {
    let mut world = World::new(three(2));
    let connection = world.connect(1);
    world.turn(b(1), |broker, cluster, turn| {
        broker.handle(cluster, turn, Incoming::Disconnected { connection });
        let own = inflight_protocol::ConnectionId { owner: Node::Broker(b(1)), number: 99 };
        broker.handle(cluster, turn, Incoming::Connected { connection: own });
        broker.handle(cluster, turn, Incoming::Disconnected { connection: own });
    });
    world.run_for(ms(100));
    assert!(world.is_settled());
}
