//! Coordinators that fail, move and come back: what was decided stays decided, and markers arrive.

use crate::harness::*;
use inflight_des::{Delay, Span};
use inflight_protocol::fact::Surviving;
use inflight_protocol::{BrokerConfig, Cluster, ErrorCode, Fact, Response, TransactionState};

/// A decision that is committed, with markers that do not reach the leader of P0.
fn decided_without_markers() -> (World, Client) {
    let mut world = World::transactional(with_transactions(V2));
    let mut client = world.init(T0, V2);
    assert_eq!(world.write(&client, P0, 0, 5), (0, 0));
    assert_eq!(world.end(&mut client, COMMIT), Ok(1));
    world.cut(node(3), node(1));
    assert_eq!(world.markers(P0), []);
    (world, client)
}

#[test]
fn a_new_coordinator_sends_the_markers_of_the_last_one() {
    let (mut world, client) = decided_without_markers();
    world.crash(3, Surviving::Appended);
    world.run_until_so(|world| world.controller.partition(STATE).leader.is_some_and(|l| l != b(3)));
    world.run_until_state(T0, TransactionState::CompleteCommit);
    assert_eq!(world.markers(P0), [(5, 1, false)]);
    let terms = world.found(|fact| match fact {
        Fact::MarkerAppended { broker, coordinator_epoch, .. } if broker.get() == 1 => {
            Some(coordinator_epoch.0)
        }
        _ => None,
    });
    assert!(terms[0].1 > 0, "in the new coordinator's term");
    // A retry of the commit finds it done.
    assert_eq!(world.end(&mut client.at_epoch(0), COMMIT), Ok(1));
}

#[test]
fn a_client_that_repeats_its_commit_at_the_new_coordinator_is_told_the_truth() {
    // The coordinator dies when the decision is committed, before it answers.
    let mut world = World::transactional(with_transactions(V2));
    let mut client = world.init(T0, V2);
    world.write(&client, P0, 0, 5);
    let decided = |fact: &Fact| {
        matches!(fact, Fact::TransactionStateChanged { to: TransactionState::PrepareCommit, .. })
    };
    world.crash_at(decided, 3, Surviving::Appended);
    let lost = world.send_request(3, client.end(COMMIT));
    world.run_until_so(|world| !world.broker(3).is_up());
    assert_eq!(world.answer(lost), None);
    world.run_until_so(|world| world.controller.partition(STATE).leader.is_some_and(|l| l != b(3)));
    world.run_for(ms(100));
    world.end_at_last(&mut client, COMMIT);
    world.run_until_state(T0, TransactionState::CompleteCommit);
    assert_eq!(world.committed(P0), [(0, 5)]);
}

#[test]
fn what_a_coordinator_could_not_commit_may_win_all_the_same() {
    // The decision is in the log of the next coordinator, though it was never committed.
    let mut world = World::transactional(with_transactions(V2));
    let client = world.init(T0, V2);
    world.write(&client, P0, 0, 5);
    let copied = |fact: &Fact| {
        matches!(
            fact,
            Fact::InternalRecordsAppended { broker, base_offset, .. }
                if broker.get() == 1 && base_offset.get() == 2
        )
    };
    world.crash_at(copied, 3, Surviving::Appended);
    world.send_request(3, client.end(COMMIT));
    world.run_until_so(|world| world.controller.partition(STATE).leader == Some(b(1)));
    world.run_until_state(T0, TransactionState::CompleteCommit);
    assert_eq!(world.committed(P0), [(0, 5)]);
}

#[test]
fn a_coordinator_that_comes_back_knows_nothing_of_its_former_term() {
    // KAFKA-16352, Redpanda #3616: leadership goes away and comes back.
    let (mut world, _) = decided_without_markers();
    for leader in [1, 3] {
        world.control(|controller, cluster, turn| {
            controller.elect(cluster, turn, STATE, Some(b(leader)));
        });
        world.run_for(ms(5));
    }
    world.heal();
    world.run_until_state(T0, TransactionState::CompleteCommit);
    world.run_until_so(World::is_settled);
    let states = world.found(|fact| match fact {
        Fact::TransactionStateChanged { broker, to, .. } => Some((broker.get(), *to)),
        _ => None,
    });
    let completed = states.iter().filter(|(_, it)| it.1 == TransactionState::CompleteCommit);
    assert_eq!(completed.count(), 1);
    assert!(!world.markers(P0).is_empty());
    assert_eq!(world.committed(P0), [(0, 5)]);
}

#[test]
fn a_marker_whose_answer_is_lost_is_written_again() {
    // KAFKA-19999: with a strict epoch rule the repeated marker would be refused for ever.
    let mut world = World::transactional(with_transactions(V2));
    let mut client = world.init(T0, V2);
    world.write(&client, P0, 0, 5);
    let copied =
        |fact: &Fact| matches!(fact, Fact::MarkerAppended { broker, .. } if *broker == b(2));
    world.crash_at(copied, 1, Surviving::Appended);
    world.send_request(3, client.end(COMMIT));
    world.run_until_state(T0, TransactionState::CompleteCommit);
    assert_eq!(world.leader(P0), 2);
    assert_eq!(world.markers(P0), [(5, 1, false), (6, 1, false)]);
    let rejected = world.found(|fact| match fact {
        Fact::MarkerRejected { error, .. } => Some(error.number()),
        _ => None,
    });
    assert_eq!(rejected, []);
    client = client.at_epoch(1);
    assert_eq!(world.write(&client, P0, 0, 1), (0, 7));
}

#[test]
fn a_coordinator_without_enough_replicas_says_that_it_is_not_available() {
    let mut world = World::transactional(with_transactions(V2));
    let mut client = world.init(T0, V2);
    world.write(&client, P1, 0, 5);
    for id in [1, 2] {
        world.crash(id, Surviving::Appended);
    }
    world.run_until_so(|world| world.controller.partition(STATE).isr == set(&[3]));
    world.run_for(ms(1_000));
    assert_eq!(world.end(&mut client, COMMIT), Err(15));
    assert_eq!(world.state(T0), Some(TransactionState::Ongoing));
    for id in [1, 2] {
        world.restart(id);
    }
    world.end_at_last(&mut client, COMMIT);
    world.run_until_so(World::is_settled);
    assert_eq!(world.committed(P1), [(0, 5)]);
}

#[test]
fn a_decision_that_is_not_committed_in_time_is_given_up_for_now() {
    let mut world = World::transactional(with_transactions(V2));
    let mut client = world.init(T0, V2);
    world.write(&client, P0, 0, 5);
    // No follower hears of the decision, and this leader does not hear that it is one no more.
    world.isolate(3);
    let begun = world.now();
    assert_eq!(world.end(&mut client, COMMIT), Err(15));
    assert_eq!(world.now().since(begun), ms(60_002), "the transaction's own timeout");
    assert_eq!(world.broker(3).transaction_state(T0), Some(TransactionState::Ongoing));
    world.heal();
    // Meanwhile the others have timed it out.
    world.run_until_so(World::is_settled);
    assert_eq!(world.state(T0), Some(TransactionState::CompleteAbort));
    assert_eq!(world.committed(P0), []);
}

#[test]
fn a_loading_coordinator_asks_for_patience() {
    let config = BrokerConfig {
        coordinator_load_time: Delay::Constant(Span::from_secs(3)),
        ..BrokerConfig::default()
    };
    let cluster = Cluster { broker_configs: vec![config; 3], ..with_transactions(V2) };
    let mut world = World::transactional(cluster);
    let mut client = world.init(T0, V2);
    world.write(&client, P0, 0, 5);
    world.control(|controller, cluster, turn| controller.elect(cluster, turn, STATE, Some(b(1))));
    world.run_for(ms(1_000));
    assert!(!world.is_settled());
    assert_eq!(world.end(&mut client, COMMIT), Err(14));
    assert_eq!(world.try_init(T0, V2, None), Err(14));
    let Response::EndTxn(result) = world.ask(3, client.end(COMMIT)) else { panic!("an answer") };
    assert_eq!(result, Err(ErrorCode::NotCoordinator));
    world.run_for(ms(2_000));
    assert_eq!(world.end(&mut client, COMMIT), Ok(1));
    let terms = world.found(|fact| match fact {
        Fact::CoordinatorLoaded { broker, coordinator_epoch, .. } => {
            Some((broker.get(), coordinator_epoch.0))
        }
        Fact::CoordinatorUnloaded { broker, .. } => Some((broker.get(), 0)),
        _ => None,
    });
    let terms: Vec<_> = terms.into_iter().map(|(_, term)| term).collect();
    assert_eq!(terms, [(3, 0), (1, 1)]);
}

#[test]
fn the_time_of_a_transaction_goes_on_at_the_next_coordinator() {
    let mut world = World::transactional(with_transactions(V2));
    let client = world.init(T0, V2);
    let begun = world.now();
    world.write(&client, P0, 0, 5);
    world.run_for(Span::from_secs(30));
    world.control(|controller, cluster, turn| controller.elect(cluster, turn, STATE, Some(b(1))));
    world.run_until_state(T0, TransactionState::CompleteAbort);
    let age = world.now().since(begun).as_millis();
    assert!((60_000..71_000).contains(&age), "{age}");
}

/// As released with 4.4.0: no leader looks like no partition.
#[test]
fn a_partition_without_a_leader_never_gets_its_marker() {
    let mut cluster = with_transactions(V2);
    cluster.assignments[P0.index()] = std::iter::once(b(1)).collect();
    let mut world = World::transactional(cluster);
    let mut client = world.init(T0, V2);
    world.write(&client, P0, 0, 5);
    world.write(&client, P1, 0, 3);
    world.run_for(ms(1_000));
    world.crash(1, Surviving::Appended);
    world.run_until_so(|world| world.controller.partition(P0).leader.is_none());
    world.run_for(ms(100));
    assert_eq!(world.end(&mut client, ABORT), Ok(1));
    world.run_until_state(T0, TransactionState::CompleteAbort);
    let skipped = world.found(|fact| match fact {
        Fact::MarkerSkipped { partition, .. } => Some(*partition),
        _ => None,
    });
    assert_eq!(skipped.iter().map(|(_, partition)| *partition).collect::<Vec<_>>(), [P0]);
    assert_eq!(world.markers(P1).len(), 1);
    world.restart(1);
    world.run_until_so(World::is_settled);
    assert_eq!(world.markers(P0), [], "the coordinator has forgotten it");
    assert_eq!(world.marks(P0).2, 0, "it hangs");
    world.write(&client, P0, 0, 2);
    assert_eq!(world.end(&mut client, COMMIT), Ok(2));
    world.run_until_so(World::is_settled);
    assert_eq!(world.marks(P0).2, 8, "the next transaction of the producer takes it along");
    assert_eq!(world.committed(P0), [(0, 5), (0, 2)], "and commits what was aborted");
}

#[test]
fn a_leader_that_fails_over_has_what_it_takes_to_end_the_transaction() {
    let mut world = World::transactional(with_transactions(V2));
    let mut client = world.init(T0, V2);
    world.write(&client, P0, 0, 5);
    world.run_for(ms(1_000));
    world.crash(1, Surviving::Flushed);
    world.run_until_so(|world| world.controller.partition(P0).leader == Some(b(2)));
    world.run_for(ms(100));
    assert_eq!(world.write(&client, P0, 5, 1), (0, 5), "open there as well, so nobody is asked");
    assert_eq!(world.end(&mut client, ABORT), Ok(1));
    world.run_until_state(T0, TransactionState::CompleteAbort);
    world.restart(1);
    world.run_until_so(World::is_settled);
    assert_eq!(world.committed(P0), []);
    for id in 1..=3 {
        assert_eq!(world.replica(id, P0).last_stable.get(), 7, "broker {id}");
    }
}

#[test]
fn a_cluster_is_not_settled_before_its_transactions_are_over() {
    let mut world = World::transactional(with_transactions(V2));
    let client = world.init(T0, V2);
    world.run_for(ms(1_000));
    assert!(world.is_settled(), "an idle id is no work");
    world.write(&client, P0, 0, 5);
    world.run_for(ms(5_000));
    assert!(!world.is_settled(), "it will time out");
    world.run_until_so(World::is_settled);
    assert_eq!(world.state(T0), Some(TransactionState::CompleteAbort));
    assert_eq!(world.marks(P0), (6, 6, 6));
}
