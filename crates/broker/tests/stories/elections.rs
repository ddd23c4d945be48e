//! Eligible leader replicas, last known leaders, and leaders on request.

use crate::harness::*;
use inflight_broker::Role;
use inflight_protocol::fact::{Election, Surviving};
use inflight_protocol::{Acks, Fact, Node, TopicConfig};

fn elections(world: &World) -> Vec<(Option<u8>, Election)> {
    let found = world.found(|fact| match fact {
        Fact::LeaderElected { leader, election, .. } => {
            Some((leader.map(|leader| leader.get()), *election))
        }
        _ => None,
    });
    found.into_iter().map(|each| each.1).collect()
}

#[test]
fn an_unclean_restart_makes_a_replica_ineligible_though_its_disk_is_intact() {
    let mut world = World::new(three(2));
    world.run_for(ms(1_000));
    world.produce_now(1, Acks::All, batch(0, 0, 1));
    world.crash(2, Surviving::Appended);
    world.crash(3, Surviving::Appended);
    world.run_until_so(|world| world.replica(1, P0).isr == Some(set(&[1])));
    let elr = world.controller.partition(P0).elr;
    assert_eq!(elr.len(), 1, "the second one to leave did so below the minimum");
    world.crash(1, Surviving::Appended);
    world.run_until_so(|world| world.controller.partition(P0).leader.is_none());
    assert_eq!(world.controller.partition(P0).elr, elr.with(b(1)));
    let eligible = elr.iter().next().unwrap().get();
    world.restart(eligible);
    world.run_until_so(|world| world.broker(eligible).is_listening());
    // It registers without the marker of a clean shutdown and is not trusted any more.
    assert_eq!(world.controller.partition(P0).elr, set(&[1]));
    assert_eq!(world.controller.partition(P0).leader, None);
    world.restart(1);
    world.run_until_so(|world| world.controller.partition(P0).leader.is_some());
    assert_eq!(elections(&world).last().unwrap(), &(Some(1), Election::LastKnown));
}

#[test]
fn a_clean_restart_keeps_a_replica_eligible() {
    let mut world = World::new(three(2));
    world.run_for(ms(1_000));
    world.produce_now(1, Acks::All, batch(0, 0, 1));
    world.run_for(ms(1_000));
    world.crash(3, Surviving::Appended);
    world.run_until_so(|world| world.replica(1, P0).isr == Some(set(&[1, 2])));
    world.shut_down(2);
    world.run_until_so(|world| !world.broker(2).is_up());
    assert_eq!(world.controller.partition(P0).elr, set(&[2]));
    world.crash(1, Surviving::Appended);
    world.run_until_so(|world| world.controller.partition(P0).leader.is_none());
    world.restart(2);
    world.run_until_so(|world| world.replica(2, P0).role == Role::Leader);
    assert_eq!(elections(&world).last().unwrap(), &(Some(2), Election::Eligible));
    assert_eq!(world.offsets(2).0, 1, "whoever is eligible has all that is committed");
}

#[test]
fn the_last_known_leader_leads_with_less_after_a_loss_of_power() {
    let mut world = World::new(cluster(1, 1, 1, TopicConfig::default()));
    world.run_for(ms(1_000));
    assert_eq!(world.produce_now(1, Acks::All, batch(0, 0, 5)), (0, 0));
    world.crash(1, Surviving::Flushed);
    assert_eq!(world.offsets(1), (0, 0));
    world.restart(1);
    world.run_until_so(World::is_settled);
    assert_eq!(elections(&world), [(None, Election::None), (Some(1), Election::LastKnown)]);
    assert_eq!(world.offsets(1), (0, 0), "acked, committed and gone");
}

#[test]
fn without_eligible_leader_replicas_the_short_log_leads_as_well() {
    let topic = TopicConfig { min_insync_replicas: 1, ..TopicConfig::default() };
    let mut plain = cluster(2, 1, 2, topic);
    plain.eligible_leader_replicas = false;
    let mut world = World::new(plain);
    world.run_for(ms(1_000));
    world.produce_now(1, Acks::All, batch(0, 0, 2));
    world.run_for(ms(1_000));
    world.crash(2, Surviving::Appended);
    world.run_until_so(|world| world.replica(1, P0).isr == Some(set(&[1])));
    world.produce_now(1, Acks::All, batch(0, 2, 3));
    world.crash(1, Surviving::Flushed);
    world.run_for(ms(20_000));
    world.restart(1);
    world.restart(2);
    world.run_until_so(World::is_settled);
    assert_eq!(elections(&world).last().unwrap(), &(Some(1), Election::Clean));
    assert_eq!([world.log(1), world.log(2)], [[], []], "the follower is cut to the leader's log");
}

#[test]
fn a_preferred_election_is_made_on_request() {
    let mut world = World::new(three(2));
    world.run_for(ms(1_000));
    world.control(|controller, cluster, turn| controller.elect(cluster, turn, P0, Some(b(3))));
    world.run_for(ms(1_000));
    world.control(|controller, cluster, turn| controller.elect(cluster, turn, P0, None));
    world.control(|controller, cluster, turn| controller.elect(cluster, turn, P0, None));
    world.run_until_so(World::is_settled);
    let expected = [(Some(3), Election::Forced), (Some(1), Election::Preferred)];
    assert_eq!(elections(&world), expected, "the second request found nothing to do");
    assert_eq!(world.replica(1, P0).role, Role::Leader);
}

#[test]
fn a_forced_leader_out_of_sync_makes_the_others_cut_their_logs() {
    let mut world = World::new(three(1));
    world.run_for(ms(1_000));
    for other in [1, 2] {
        world.cut(Node::Broker(b(3)), Node::Broker(b(other)));
    }
    world.produce_now(1, Acks::Leader, batch(0, 0, 3));
    world.run_until_so(|world| world.replica(1, P0).isr == Some(set(&[1, 2])));
    world.run_until_so(|world| world.offsets(2) == (3, 3));
    world.control(|controller, cluster, turn| controller.elect(cluster, turn, P0, Some(b(3))));
    world.heal();
    world.run_until_so(World::is_settled);
    assert_eq!([1, 2, 3].map(|id| world.offsets(id)), [(0, 0); 3]);
}

#[test]
fn a_leader_that_is_not_active_cannot_be_forced() {
    let mut world = World::new(three(1));
    world.run_for(ms(1_000));
    world.crash(3, Surviving::Appended);
    world.run_until_so(|world| world.controller.is_fenced(b(3)));
    world.control(|controller, cluster, turn| controller.elect(cluster, turn, P0, Some(b(3))));
    assert_eq!(world.controller.partition(P0).leader, Some(b(1)));
}

#[test]
fn an_unclean_leader_is_looked_for_every_five_minutes() {
    let topic = TopicConfig { unclean_leader_election_enable: true, ..TopicConfig::default() };
    let mut world = World::new(cluster(2, 1, 2, topic));
    world.run_for(ms(1_000));
    world.crash(2, Surviving::Appended);
    world.run_until_so(|world| world.replica(1, P0).isr == Some(set(&[1])));
    world.crash(1, Surviving::Appended);
    world.run_until_so(|world| world.controller.partition(P0).leader.is_none());
    world.run_for(ms(700_000));
    assert_eq!(world.controller.partition(P0).leader, None, "nobody is there");
    world.restart(2);
    world.run_until_so(World::is_settled);
    assert_eq!(elections(&world).last().unwrap(), &(Some(2), Election::Unclean));
}
