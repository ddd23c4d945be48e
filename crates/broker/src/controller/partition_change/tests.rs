//! Elections as a table. Cases after PartitionChangeBuilderTest and broker.md, 3.3 and 3.4.

use super::*;
use inflight_protocol::{LeaderEpoch, PartitionEpoch};

fn set(brokers: &[u8]) -> BrokerSet {
    brokers.iter().copied().map(BrokerId::new).collect()
}

const fn some(broker: u8) -> Option<BrokerId> {
    Some(BrokerId::new(broker))
}

/// Replicas 2, 1, 3; min.insync.replicas 2; leader epoch 100, partition epoch 200.
struct Case {
    leader: Option<u8>,
    isr: &'static [u8],
    elr: &'static [u8],
    last_known: Option<u8>,
    target_isr: &'static [u8],
    active: &'static [u8],
    election: ElectionType,
    keeps_elr: bool,
    unclean_shutdown: Option<u8>,
}

const LED: Case = Case {
    leader: Some(1),
    isr: &[1, 2, 3],
    elr: &[],
    last_known: None,
    target_isr: &[1, 2, 3],
    active: &[1, 2, 3],
    election: ElectionType::Online,
    keeps_elr: true,
    unclean_shutdown: None,
};

const LEADERLESS: Case =
    Case { leader: None, isr: &[], elr: &[], last_known: Some(1), target_isr: &[], ..LED };

#[derive(Debug, PartialEq, Eq)]
struct Seen {
    leader: Option<BrokerId>,
    isr: BrokerSet,
    elr: BrokerSet,
    last_known: Option<BrokerId>,
    election: Option<Election>,
}

fn seen(
    leader: Option<BrokerId>,
    isr: &[u8],
    elr: &[u8],
    last_known: Option<BrokerId>,
    election: Option<Election>,
) -> Option<Seen> {
    Some(Seen { leader, isr: set(isr), elr: set(elr), last_known, election })
}

fn run(case: &Case) -> Option<Seen> {
    let current = PartitionRegistration {
        isr: set(case.isr),
        elr: set(case.elr),
        last_known_leader: case.last_known.map(BrokerId::new),
        leader: case.leader.map(BrokerId::new),
        leader_epoch: LeaderEpoch::new(100),
        partition_epoch: PartitionEpoch::new(200),
    };
    let replicas = [2, 1, 3].map(BrokerId::new);
    let change = PartitionChange {
        current: &current,
        replicas: &replicas,
        min_isr: 2,
        keeps_elr: case.keeps_elr,
        election: case.election,
        acceptable: set(case.active),
        target_isr: set(case.target_isr),
        unclean_shutdown: case.unclean_shutdown.map(BrokerId::new),
        prefers_out_of_sync: false,
    };
    let (new, election) = change.build()?;
    assert_eq!(new.partition_epoch.get(), 201, "each change counts");
    let bumped = new.leader_epoch.get() == 101;
    assert_eq!(bumped, election.is_some(), "the leader epoch grows with each leader, or none");
    let last_known = new.last_known_leader;
    Some(Seen { leader: new.leader, isr: new.isr, elr: new.elr, last_known, election })
}

#[test]
fn nothing_to_change_is_no_change() {
    assert_eq!(run(&LED), None);
    assert_eq!(run(&Case { active: &[], ..LEADERLESS }), None);
}

#[test]
fn a_lost_follower_costs_no_leader_epoch() {
    let case = Case { target_isr: &[1, 2], active: &[1, 2], ..LED };
    assert_eq!(run(&case), seen(some(1), &[1, 2], &[], None, None));
}

#[test]
fn the_first_in_sync_replica_of_the_assignment_is_next() {
    let case = Case { target_isr: &[2, 3], active: &[2, 3], ..LED };
    assert_eq!(run(&case), seen(some(2), &[2, 3], &[], None, Some(Election::Clean)));
    let case = Case { isr: &[1, 3], target_isr: &[3], active: &[2, 3], ..LED };
    let third = seen(some(3), &[3], &[1], None, Some(Election::Clean));
    assert_eq!(run(&case), third, "broker 2 is active but not in sync");
}

#[test]
fn who_leaves_below_the_minimum_stays_eligible() {
    let case = Case { isr: &[1, 2], target_isr: &[1], active: &[1], ..LED };
    assert_eq!(run(&case), seen(some(1), &[1], &[2], None, None));
    let case = Case { isr: &[1], elr: &[2], target_isr: &[], active: &[], ..LED };
    let nobody = seen(None, &[], &[1, 2], some(1), Some(Election::None));
    assert_eq!(run(&case), nobody, "the old leader is noted as well");
    let case = Case { isr: &[1], elr: &[2], target_isr: &[1, 3], ..LED };
    assert_eq!(run(&case), seen(some(1), &[1, 3], &[], None, None), "enough are in sync again");
}

#[test]
fn an_eligible_replica_leads_when_nobody_is_in_sync() {
    let case = Case { elr: &[1, 3], active: &[3], ..LEADERLESS };
    assert_eq!(run(&case), seen(some(3), &[3], &[1], None, Some(Election::Eligible)));
}

#[test]
fn an_unclean_shutdown_makes_a_replica_ineligible() {
    let departed = Case { unclean_shutdown: Some(2), active: &[1, 3], ..LED };
    let case = Case { isr: &[1], elr: &[2, 3], target_isr: &[1], ..departed };
    assert_eq!(run(&case), seen(some(1), &[1], &[3], None, None));
    let case = Case { leader: Some(2), isr: &[2], target_isr: &[], ..departed };
    assert_eq!(run(&case), seen(None, &[], &[], some(2), Some(Election::None)));
}

#[test]
fn the_last_known_leader_leads_when_nobody_is_eligible() {
    let case = Case { active: &[1, 2], ..LEADERLESS };
    assert_eq!(run(&case), seen(some(1), &[1], &[], None, Some(Election::LastKnown)));
    assert_eq!(run(&Case { active: &[2, 3], ..LEADERLESS }), None, "not if it is away");
    assert_eq!(run(&Case { elr: &[3], active: &[1, 2], ..LEADERLESS }), None, "nor if one is");
}

#[test]
fn an_unclean_election_takes_the_first_active_replica() {
    let case = Case { election: ElectionType::Unclean, active: &[2, 3], ..LEADERLESS };
    assert_eq!(run(&case), seen(some(2), &[2], &[], None, Some(Election::Unclean)));
    let case = Case { elr: &[1], ..case };
    let cleared = seen(some(2), &[2], &[], None, Some(Election::Unclean));
    assert_eq!(run(&case), cleared, "who was eligible is not any more");
    let case = Case { elr: &[3], ..case };
    assert_eq!(run(&case), seen(some(3), &[3], &[], None, Some(Election::Eligible)));
}

#[test]
fn an_unclean_leader_that_was_eligible_ends_the_eligibility_of_all() {
    // Broker 1 is in sync but not active, which keeps the eligible ones from being valid.
    let case = Case {
        isr: &[1],
        elr: &[2, 3],
        target_isr: &[1],
        active: &[2, 3],
        election: ElectionType::Unclean,
        ..LEADERLESS
    };
    assert_eq!(run(&case), seen(some(2), &[2], &[], None, Some(Election::Unclean)));
}

#[test]
fn without_eligible_replicas_the_in_sync_set_is_never_empty() {
    let plain = Case { keeps_elr: false, ..LED };
    let case = Case { isr: &[1], target_isr: &[], active: &[2, 3], ..plain };
    assert_eq!(run(&case), seen(None, &[1], &[], None, Some(Election::None)));
    let case = Case { election: ElectionType::Unclean, ..case };
    assert_eq!(run(&case), seen(some(2), &[2], &[], None, Some(Election::Unclean)));
    let case = Case { leader: None, isr: &[1], target_isr: &[1], active: &[1], ..plain };
    assert_eq!(run(&case), seen(some(1), &[1], &[], None, Some(Election::Clean)));
}

#[test]
fn the_preferred_replica_leads_if_it_is_in_sync_and_active() {
    let preferred = Case { election: ElectionType::Preferred, ..LED };
    assert_eq!(run(&preferred), seen(some(2), &[1, 2, 3], &[], None, Some(Election::Preferred)));
    assert_eq!(run(&Case { active: &[1, 3], ..preferred }), None, "the leader stays");
    let case = Case { isr: &[1, 3], target_isr: &[1, 3], ..preferred };
    assert_eq!(run(&case), None);
    let case = Case { leader: None, last_known: Some(1), active: &[3], ..preferred };
    assert_eq!(run(&case), seen(some(3), &[1, 2, 3], &[], None, Some(Election::Clean)));
}

#[test]
fn the_leader_stays_as_long_as_it_is_valid() {
    let case = Case { election: ElectionType::Unclean, target_isr: &[1], ..LED };
    assert_eq!(run(&case), seen(some(1), &[1], &[2, 3], None, None));
}
