//! Registration, fencing, restarts and shutdowns.

use crate::harness::*;
use inflight_broker::Role;
use inflight_protocol::fact::{Election, LastStop, Surviving};
use inflight_protocol::{Acks, BrokerEpoch, Fact, FactKind, LeaderEpoch, Node, TopicConfig};

fn lives(world: &World) -> Vec<(FactKind, u8)> {
    let found = world.found(|fact| match fact {
        Fact::BrokerStarted { broker }
        | Fact::BrokerStopped { broker }
        | Fact::BrokerFenced { broker }
        | Fact::BrokerUnfenced { broker }
        | Fact::BrokerRegistered { broker, .. }
        | Fact::LogRecovered { broker, .. } => Some((fact.kind(), broker.get())),
        _ => None,
    });
    found.into_iter().map(|each| each.1).collect()
}

fn registered(world: &World) -> Vec<(u64, (BrokerEpoch, LastStop))> {
    world.found(|fact| match fact {
        Fact::BrokerRegistered { broker_epoch, after, .. } => Some((*broker_epoch, *after)),
        _ => None,
    })
}

#[test]
fn a_quick_restart_has_to_sit_out_the_old_session() {
    let mut world = World::new(three(2));
    world.run_for(ms(5_000));
    world.crash(3, Surviving::Appended);
    world.run_for(ms(100));
    world.restart(3);
    world.run_until_so(World::is_settled);
    let (at, (epoch, after)) = registered(&world)[0];
    // Session: nine seconds since the last heartbeat; attempts: every two seconds.
    assert!((12_000..=16_100).contains(&at), "at {at}");
    assert_eq!((epoch.get(), after), (world.broker(3).broker_epoch().get(), LastStop::Unclean));
    assert!(epoch.get() > 3, "a new registration has a new epoch");
}

#[test]
fn a_restarted_broker_is_fenced_out_of_sync_and_comes_back_by_fetching() {
    let mut world = World::new(three(2));
    world.run_for(ms(5_000));
    world.produce_now(1, Acks::All, batch(0, 0, 2));
    world.crash(3, Surviving::Appended);
    world.run_for(ms(100));
    world.restart(3);
    world.run_until_so(|world| world.broker(3).is_listening());
    use FactKind::{BrokerFenced, BrokerRegistered, BrokerStarted, BrokerUnfenced, LogRecovered};
    let seen = lives(&world);
    let fenced_first = seen.iter().any(|each| each.0 == BrokerFenced);
    let rest: Vec<_> = seen.into_iter().filter(|each| each.0 != BrokerFenced).collect();
    let expected =
        [BrokerStarted, BrokerRegistered, LogRecovered, BrokerUnfenced].map(|kind| (kind, 3));
    assert_eq!(rest, expected);
    // Either the session was found to be over first, or the registration came before that.
    assert!(fenced_first || registered(&world).len() == 1);
    world.run_until_so(|world| world.replica(1, P0).isr == Some(set(&[1, 2, 3])));
    world.run_until_so(World::is_settled);
}

#[test]
fn a_fenced_broker_that_is_heard_of_again_keeps_its_epoch() {
    let mut world = World::new(three(2));
    world.run_for(ms(5_000));
    world.cut(Node::Broker(b(1)), Node::Controller);
    world.run_until_so(|world| world.controller.is_fenced(b(1)));
    assert_eq!(world.replica(2, P0).role, Role::Follower);
    world.run_for(ms(100));
    assert_eq!(world.replica(2, P0).role, Role::Leader);
    assert_eq!(world.replica(1, P0).role, Role::Leader, "it does not know");
    world.heal();
    world.run_until_so(World::is_settled);
    assert_eq!(registered(&world), []);
    assert_eq!(world.broker(1).broker_epoch(), BrokerEpoch::new(1));
    assert_eq!(world.replica(1, P0).role, Role::Follower);
    assert_eq!(world.replica(2, P0).isr, Some(set(&[1, 2, 3])));
}

#[test]
fn brokers_are_fenced_one_by_one_within_milliseconds() {
    let mut world = World::new(cluster(5, 1, 3, TopicConfig::default()));
    world.run_for(ms(5_000));
    for id in 1..=3 {
        world.crash(id, Surviving::Appended);
    }
    world.run_until_so(|world| (1..=3).all(|id| world.controller.is_fenced(b(id))));
    let fenced = world.found(|fact| match fact {
        Fact::BrokerFenced { broker } => Some(broker.get()),
        _ => None,
    });
    for pair in fenced.windows(2) {
        let apart = pair[1].0 - pair[0].0;
        assert!(apart == 10 || apart >= 1_100, "{fenced:?}");
    }
}

#[test]
fn a_controlled_shutdown_hands_the_leadership_over_first() {
    let mut world = World::new(three(2));
    world.run_for(ms(5_000));
    world.produce_now(1, Acks::All, batch(0, 0, 2));
    world.run_for(ms(1_000));
    let started = world.now();
    world.shut_down(1);
    world.run_until_so(|world| !world.broker(1).is_up());
    let took = world.now().since(started).as_millis();
    // The other brokers have to tell with their heartbeats that they have heard of it.
    assert!((50..=6_100).contains(&took), "{took} ms");
    let order = world.found(|fact| match fact {
        Fact::LeaderElected { leader, .. } => Some((*leader, "elected")),
        Fact::BrokerFenced { .. } => Some((None, "fenced")),
        Fact::LogFlushed { broker, .. } => Some((Some(*broker), "flushed")),
        Fact::BrokerStopped { broker } => Some((Some(*broker), "stopped")),
        _ => None,
    });
    let order: Vec<_> = order.into_iter().map(|each| each.1).collect();
    let expected = [
        (Some(b(2)), "elected"),
        (None, "fenced"),
        (Some(b(1)), "flushed"),
        (Some(b(1)), "stopped"),
    ];
    assert_eq!(order, expected);
    assert_eq!(world.replica(1, P0).flushed, offset(2));
    world.run_for(ms(500));
    world.restart(1);
    world.run_until_so(World::is_settled);
    let (_, (_, after)) = registered(&world)[0];
    assert_eq!(after, LastStop::Clean);
}

#[test]
fn a_clean_restart_waits_for_the_old_session_too() {
    let mut world = World::new(three(2));
    world.run_for(ms(5_000));
    world.shut_down(3);
    world.run_until_so(|world| !world.broker(3).is_up());
    let stopped = world.now();
    world.restart(3);
    world.run_until_so(|world| !registered(world).is_empty());
    let waited = world.now().since(stopped).as_millis();
    assert!((8_000..=11_100).contains(&waited), "{waited} ms");
}

#[test]
fn a_leader_that_shuts_down_alone_leaves_the_partition_without_one() {
    let mut world = World::new(cluster(1, 1, 1, TopicConfig::default()));
    world.run_for(ms(5_000));
    world.produce_now(1, Acks::All, batch(0, 0, 2));
    world.shut_down(1);
    world.run_until_so(|world| !world.broker(1).is_up());
    assert_eq!(world.controller.partition(P0).leader, None);
    assert_eq!(world.controller.partition(P0).leader_epoch, LeaderEpoch::new(1));
    world.restart(1);
    world.run_until_so(World::is_settled);
    assert_eq!(world.offsets(1), (2, 2));
    assert_eq!(world.replica(1, P0).leader_epoch, Some(LeaderEpoch::new(2)));
}

#[test]
fn a_broker_without_controlled_shutdown_just_stops() {
    let mut cluster = three(2);
    cluster.broker_configs[0].controlled_shutdown_enable = false;
    let mut world = World::new(cluster);
    world.run_for(ms(5_000));
    world.shut_down(1);
    assert!(!world.broker(1).is_up());
    world.run_for(ms(5_000));
    assert_eq!(world.controller.partition(P0).leader, Some(b(1)), "nobody was told");
    world.restart(1);
    world.run_until_so(World::is_settled);
    assert_eq!(registered(&world)[0].1.1, LastStop::Clean);
}

#[test]
fn a_crash_in_the_middle_of_a_shutdown_is_no_clean_stop() {
    let mut world = World::new(cluster(3, 2, 3, TopicConfig::default()));
    world.run_for(ms(5_000));
    world.produce_now(1, Acks::All, batch(0, 0, 1));
    let flushed =
        |fact: &Fact| matches!(fact, Fact::LogFlushed { broker, .. } if broker.get() == 3);
    world.crash_at(flushed, 3, Surviving::Appended);
    world.shut_down(3);
    world.run_until_so(|world| !world.up.contains(b(3)));
    world.restart(3);
    world.run_until_so(World::is_settled);
    assert_eq!(registered(&world)[0].1.1, LastStop::Unclean);
}

#[test]
fn an_answer_meant_for_a_process_that_died_does_not_mislead_the_next_one() {
    let mut world = World::new(three(2));
    world.cut(Node::Broker(b(2)), Node::Controller);
    world.crash(2, Surviving::Appended);
    for _ in 0..2 {
        world.restart(2);
        world.shut_down(2);
        world.run_for(ms(10));
    }
    world.restart(2);
    world.run_for(ms(9_001));
    world.heal();
    world.run_until_so(World::is_settled);
    assert_eq!(registered(&world).len(), 3);
}

#[test]
fn commits_that_were_lost_on_their_way_are_sent_again() {
    let mut world = World::new(three(2));
    world.run_for(ms(5_000));
    // Broker 3 loses two words of the controller and gets the third one.
    let version = world.controller.version();
    for leader in [2, 1] {
        world.control(|controller, cluster, turn| {
            controller.elect(cluster, turn, P0, Some(b(leader)));
        });
        world.lose_words_to(3);
    }
    world.control(|controller, cluster, turn| controller.elect(cluster, turn, P0, Some(b(2))));
    world.run_for(ms(100));
    assert_eq!(world.controller.version(), version + 3);
    assert_eq!(world.broker(3).metadata_version(), version);
    world.run_until_so(World::is_settled);
    assert_eq!(world.replica(3, P0).leader_epoch, Some(LeaderEpoch::new(3)));
}

#[test]
fn leaders_go_back_to_the_preferred_replica_within_five_minutes() {
    let mut world = World::new(three(2));
    world.run_for(ms(5_000));
    world.crash(1, Surviving::Appended);
    world.run_until_so(|world| world.replica(2, P0).role == Role::Leader);
    world.restart(1);
    world.run_until_so(World::is_settled);
    let settled = world.now();
    assert_eq!(world.replica(2, P0).role, Role::Leader);
    world.run_until_so(|world| world.replica(1, P0).role == Role::Leader);
    assert!(world.now().since(settled).as_millis() <= 300_000);
    let last = world.found(|fact| match fact {
        Fact::LeaderElected { election, .. } => Some(*election),
        _ => None,
    });
    assert_eq!(last.last().unwrap().1, Election::Preferred);
}
