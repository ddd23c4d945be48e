//! Transactions from begin to end: the vectors TV1, TV2 and LSO of broker.md, section 10, through
//! brokers and coordinator.

use crate::harness::*;
use inflight_protocol::{Fact, TransactionState};

#[test]
fn a_transaction_is_committed_with_version_1() {
    let mut world = World::transactional(with_transactions(V0));
    let mut client = world.init(T0, V0);
    assert_eq!(client.epoch(), 0);
    assert_eq!(world.add(&client, &[P0, P1]), 0);
    assert_eq!(world.write(&client, P0, 0, 10), (0, 0));
    assert_eq!(world.write(&client, P1, 0, 3), (0, 0));
    world.run_for(ms(1_000));
    assert_eq!(world.marks(P0), (10, 10, 0), "nothing is stable while it is open");
    assert_eq!(world.end(&mut client, COMMIT), Ok(0));
    assert_eq!(world.state(T0), Some(TransactionState::PrepareCommit), "the client is told first");
    world.run_until_state(T0, TransactionState::CompleteCommit);
    assert_eq!(world.markers(P0), [(10, 0, false)]);
    assert_eq!(world.markers(P1), [(3, 0, false)]);
    world.run_for(ms(1_000));
    assert_eq!(world.marks(P0), (11, 11, 11));
    // The sequences of the next transaction go on, with the same epoch.
    assert_eq!(world.add(&client, &[P0]), 0);
    assert_eq!(world.write(&client, P0, 10, 2), (0, 11));
    assert_eq!(world.end(&mut client, ABORT), Ok(0));
    world.run_until_state(T0, TransactionState::CompleteAbort);
    world.run_for(ms(1_000));
    assert_eq!(world.committed(P0), [(0, 10)]);
    assert!(world.is_settled());
}

#[test]
fn a_transaction_is_committed_with_version_2() {
    let mut world = World::transactional(with_transactions(V2));
    let mut client = world.init(T0, V2);
    assert_eq!(world.write(&client, P0, 0, 10), (0, 0), "the leader adds the partition");
    assert_eq!(world.end(&mut client, COMMIT), Ok(1));
    // The next transaction begins before the markers of this one are written.
    let late = client.at_epoch(0);
    world.run_until_state(T0, TransactionState::CompleteCommit);
    assert_eq!(world.markers(P0), [(10, 1, false)]);
    assert_eq!(world.write(&client, P0, 0, 2), (0, 11), "the sequences begin anew");
    assert_eq!(world.write(&late, P0, 10, 1).0, 47, "a batch of the first transaction");
    assert_eq!(world.end(&mut client, COMMIT), Ok(2));
    world.run_until_so(World::is_settled);
    assert_eq!(world.committed(P0), [(0, 10), (0, 2)]);
}

#[test]
fn followers_know_what_the_leader_knows_of_transactions() {
    let mut world = World::transactional(with_transactions(V2));
    let mut client = world.init(T0, V2);
    world.write(&client, P0, 0, 5);
    world.end_at_last(&mut client, ABORT);
    world.run_until_so(World::is_settled);
    let from = (offset(0), offset(6));
    for id in 1..=3 {
        let view = world.replica(id, P0);
        assert_eq!((view.log_end.get(), view.last_stable.get()), (6, 6), "broker {id}");
        let aborted: Vec<_> = world.broker(id).aborted_transactions(P0, from).collect();
        assert_eq!((aborted.len(), aborted[0].first_offset.get()), (1, 0), "broker {id}");
        let state = world.replica(id, STATE).log_end.get();
        assert_eq!(state, 4, "Empty, Ongoing, PrepareAbort, CompleteAbort at broker {id}");
    }
    let appended = world.found(|fact| match fact {
        Fact::MarkerAppended { broker, partition: P0, offset, first_offset, .. } => {
            Some((broker.get(), offset.get(), first_offset.map(|first| first.get())))
        }
        _ => None,
    });
    let mut appended: Vec<_> = appended.into_iter().map(|(_, fact)| fact).collect();
    appended.sort_unstable();
    assert_eq!(appended, [(1, 5, Some(0)), (2, 5, Some(0)), (3, 5, Some(0))]);
}

#[test]
fn the_last_stable_offset_waits_for_other_producers_transactions() {
    let mut world = World::transactional(with_transactions(V2));
    let mut slow = world.init(T0, V2);
    let mut quick = world.init(T1, V2);
    assert_eq!(world.write(&slow, P0, 0, 5), (0, 0));
    assert_eq!(world.write(&quick, P0, 0, 2), (0, 5));
    world.end_at_last(&mut quick, COMMIT);
    world.run_until_state(T1, TransactionState::CompleteCommit);
    world.run_for(ms(1_000));
    assert_eq!(world.marks(P0), (8, 8, 0));
    world.end_at_last(&mut slow, ABORT);
    world.run_until_so(World::is_settled);
    assert_eq!(world.marks(P0), (9, 9, 9));
    assert_eq!(world.committed(P0), [(0, 2)]);
    let moved = world.found(|fact| match fact {
        Fact::LastStableOffsetAdvanced { broker, partition: P0, from, to } => {
            Some((broker.get(), from.get(), to.get()))
        }
        _ => None,
    });
    let moved: Vec<_> = moved.into_iter().map(|(_, fact)| fact).collect();
    assert_eq!(moved, [(1, 0, 9)]);
}

#[test]
fn an_abort_without_partitions_is_legal_with_version_2_only() {
    let mut world = World::transactional(with_transactions(V2));
    let mut client = world.init(T0, V2);
    assert_eq!(world.end(&mut client, COMMIT), Err(48));
    assert_eq!(world.end(&mut client, ABORT), Ok(1));
    world.run_until_state(T0, TransactionState::CompleteAbort);
    // A retry of the same request is known by its epoch.
    let mut again = client.at_epoch(0);
    assert_eq!(world.end(&mut again, ABORT), Ok(1));
    assert_eq!(world.end(&mut client.at_epoch(0), COMMIT), Err(48));
    assert_eq!(world.end(&mut client, ABORT), Ok(2));
    let mut world = World::transactional(with_transactions(V0));
    let mut client = world.init(T0, V0);
    assert_eq!(world.end(&mut client, ABORT), Err(48));
}

#[test]
fn a_new_transaction_waits_for_the_markers_of_the_last_one() {
    let mut world = World::transactional(with_transactions(V2));
    let mut client = world.init(T0, V2);
    world.write(&client, P0, 0, 1);
    // The coordinator does not reach the leader of P0 for a while.
    world.cut(node(3), node(1));
    assert_eq!(world.end(&mut client, COMMIT), Ok(1));
    let (code, _) = world.write(&client, P1, 0, 1);
    assert_eq!(code, 51, "the leader of P1 has asked for 100 ms");
    let asked = world.found(|fact| match fact {
        Fact::TransactionVerified { broker, partition: P1, error, .. } => {
            Some((broker.get(), error.map(|error| error.number())))
        }
        _ => None,
    });
    assert!((4..=6).contains(&asked.len()), "{asked:?}");
    world.heal();
    world.run_until_state(T0, TransactionState::CompleteCommit);
    assert_eq!(world.write(&client, P1, 0, 1), (0, 0));
}

#[test]
fn with_version_1_the_client_asks_again_itself() {
    let mut world = World::transactional(with_transactions(V0));
    let mut client = world.init(T0, V0);
    world.add(&client, &[P0]);
    world.write(&client, P0, 0, 1);
    world.cut(node(3), node(1));
    assert_eq!(world.end(&mut client, COMMIT), Ok(0));
    assert_eq!(world.end(&mut client, COMMIT), Err(51));
    assert_eq!(world.add(&client, &[P1]), 51);
    world.heal();
    world.run_until_state(T0, TransactionState::CompleteCommit);
    assert_eq!(world.end(&mut client, COMMIT), Ok(0), "a retry finds it done");
    assert_eq!(world.end(&mut client, ABORT), Err(48));
    assert_eq!(world.add(&client, &[P1]), 0);
}

#[test]
fn offsets_add_the_partition_of_their_group() {
    use inflight_protocol::message::AddOffsetsToTxnRequest;
    use inflight_protocol::{GroupId, Request, Response, TopicPartition};
    let mut world = World::transactional(with_transactions(V0));
    let mut client = world.init(T0, V0);
    let request = AddOffsetsToTxnRequest { who: client.who(), group: GroupId::new(0) };
    let response = world.ask(3, Request::AddOffsetsToTxn(request));
    assert_eq!(response, Response::AddOffsetsToTxn(None));
    world.end_at_last(&mut client, COMMIT);
    world.run_until_state(T0, TransactionState::CompleteCommit);
    assert_eq!(world.markers(TopicPartition::new(3)).len(), 1);
}
