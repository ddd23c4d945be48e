//! Groups and committed offsets on brokers: what is written, what survives, what is refused.

use crate::harness::*;
use inflight_protocol::fact::{LeaveCause, Surviving};
use inflight_protocol::message::GroupIdentity;
use inflight_protocol::{Fact, Request, Response, TopicPartition};

fn world() -> World {
    World::transactional(with_transactions(V2))
}

fn committed(world: &World) -> Vec<(u64, bool)> {
    let found = world.found(|fact| match fact {
        Fact::GroupOffsetCommitted { offset, producer_id, .. } => {
            Some((offset.get(), producer_id.is_some()))
        }
        _ => None,
    });
    found.into_iter().map(|(_, found)| found).collect()
}

#[test]
fn a_lone_member_gets_its_partition_and_commits() {
    let mut world = world();
    let member = world.lone_member();
    assert_eq!(world.heartbeat(member), 0);
    assert_eq!(world.fetch_offset(), Ok(None));
    assert_eq!(world.commit(Some(member), 7), 0);
    assert_eq!(world.fetch_offset(), Ok(Some(7)));
    assert_eq!(committed(&world), [(7, false)]);
    let group = world.broker(3).group(READERS).expect("it is coordinated there");
    assert_eq!((group.generation, group.members, group.is_stable), (1, vec![member.0], true));
    let facts = |kind| world.facts.iter().filter(|(_, fact)| fact.kind() == kind).count();
    use inflight_protocol::FactKind::{GroupRebalanced, InternalRecordsAppended, MemberJoined};
    assert_eq!((facts(MemberJoined), facts(GroupRebalanced)), (1, 1));
    // The empty group, the assignment and the offset, on three replicas each.
    world.run_for(ms(1_000));
    let facts = |kind| world.facts.iter().filter(|(_, fact)| fact.kind() == kind).count();
    assert_eq!(facts(InternalRecordsAppended), 9);
}

#[test]
fn an_older_commit_that_comes_late_rewinds_the_group() {
    let mut world = world();
    let member = world.lone_member();
    assert_eq!((world.commit(Some(member), 9), world.commit(Some(member), 4)), (0, 0));
    assert_eq!(world.fetch_offset(), Ok(Some(4)));
}

#[test]
fn a_commit_is_answered_when_it_is_replicated() {
    let mut world = world();
    let member = world.lone_member();
    world.run_for(ms(1_000));
    world.cut(node(3), node(1));
    world.cut(node(3), node(2));
    let asked = world.now();
    // min.insync.replicas is not looked at: the offset is written, and nobody knows it yet.
    assert_eq!(world.commit(Some(member), 7), 15);
    assert_eq!(world.now().since(asked).as_millis() / 100, 50, "offsets.commit.timeout.ms");
    assert_eq!(committed(&world), [(7, false)]);
    assert_eq!(world.fetch_offset(), Err(16), "what is not replicated is not told");
    world.heal();
    world.run_for(ms(2_000));
    assert_eq!(world.fetch_offset(), Ok(Some(7)), "it counts all the same");
}

#[test]
fn a_member_of_a_former_generation_cannot_commit() {
    let mut world = world();
    let old = world.lone_member();
    let joined = world.join(3, Some(old.0));
    assert_eq!(joined.generation, 2);
    let member = (old.0, 2);
    assert_eq!(world.commit(Some(old), 5), 22);
    assert_eq!(world.commit(Some(member), 5), 27, "between JoinGroup and SyncGroup");
    assert_eq!(world.sync(member, &[(old.0, P0)]), Ok(vec![P0]));
    assert_eq!(world.commit(Some(member), 5), 0);
    assert_eq!(world.commit(None, 5), 25, "somebody else is in the group");
}

#[test]
fn a_member_that_falls_silent_is_out_and_cannot_commit() {
    let mut world = world();
    let member = world.lone_member();
    world.run_for(ms(46_000));
    assert_eq!(world.commit(Some(member), 5), 25);
    assert_eq!(world.commit(None, 5), 0, "the group is empty");
    let removed = world.found(|fact| match fact {
        Fact::MemberRemoved { why, .. } => Some(*why),
        _ => None,
    });
    assert_eq!(removed.len(), 1);
    assert_eq!(removed[0].1, LeaveCause::SessionTimeout);
}

#[test]
fn a_session_has_limits() {
    let mut world = world();
    let mut request = join_request(None);
    request.session_timeout_ms = 5_999;
    let Response::JoinGroup(response) = world.ask(3, Request::JoinGroup(Box::new(request))) else {
        panic!("JoinGroup is answered as such");
    };
    assert_eq!(response.error.map(inflight_protocol::ErrorCode::number), Some(26));
}

#[test]
fn other_brokers_do_not_coordinate() {
    let mut world = world();
    assert_eq!(world.commit_to(1, None, 5), 16);
}

#[test]
fn a_new_coordinator_knows_members_and_offsets() {
    let mut world = world();
    let member = world.lone_member();
    assert_eq!(world.commit(Some(member), 7), 0);
    world.run_for(ms(1_000));
    world.crash(3, Surviving::Appended);
    world.run_until_so(|world| world.controller.partition(OFFSETS).leader == Some(b(1)));
    world.run_for(ms(1_000));
    assert_eq!(world.fetch_offset(), Ok(Some(7)));
    assert_eq!(world.heartbeat(member), 0, "the member does not notice");
    assert_eq!(world.commit(Some(member), 8), 0);
    assert_eq!(world.sync(member, &[]), Ok(vec![P0]));
    let loaded = world.found(|fact| match fact {
        Fact::CoordinatorLoaded { broker, partition: OFFSETS, coordinator_epoch } => {
            Some((broker.get(), coordinator_epoch.0))
        }
        _ => None,
    });
    assert_eq!(loaded.into_iter().map(|(_, found)| found).collect::<Vec<_>>(), [(1, 1)]);
    // A session that began with the load ends like any other.
    world.run_for(ms(46_000));
    assert_eq!(world.heartbeat(member), 25);
}

#[test]
fn a_coordinator_that_resigns_leaves_nobody_waiting() {
    let mut world = world();
    let name = world.name(3);
    let joining = world.send_request(3, Request::JoinGroup(Box::new(join_request(Some(name)))));
    world.run_for(ms(100));
    assert!(world.answer(joining).is_none(), "it waits for others");
    world.shut_down(3);
    world.run_for(ms(500));
    let Some((_, Response::JoinGroup(response))) = world.answer(joining) else {
        panic!("it is answered");
    };
    assert_eq!(response.error.map(inflight_protocol::ErrorCode::number), Some(16));
}

#[test]
fn offsets_in_a_transaction_are_unstable_until_it_ends() {
    for (result, expected) in [(COMMIT, Some(9)), (ABORT, Some(3))] {
        let mut world = world();
        let member = world.lone_member();
        assert_eq!(world.commit(Some(member), 3), 0);
        let mut client = world.init(T0, V2);
        assert_eq!(world.commit_in(&client, Some(member), 9), 0);
        assert_eq!(world.fetch_offset(), Err(88));
        assert!(world.end(&mut client, result).is_ok());
        world.run_until_so(World::is_settled);
        assert_eq!(world.fetch_offset(), Ok(expected));
        let by_transaction = committed(&world).iter().filter(|(_, in_txn)| *in_txn).count();
        assert_eq!(by_transaction, usize::from(result == COMMIT));
    }
}

#[test]
fn with_version_1_the_offsets_are_added_first_and_verified() {
    let mut world = World::transactional(with_transactions(V0));
    let member = world.lone_member();
    let mut client = world.init(T0, V0);
    assert_eq!(world.commit_in(&client, Some(member), 9), 120, "the partition was not added");
    assert_eq!(world.add(&client, &[OFFSETS]), 0);
    assert_eq!(world.commit_in(&client, Some(member), 9), 0);
    assert_eq!(world.end(&mut client, COMMIT), Ok(0));
    world.run_until_so(World::is_settled);
    assert_eq!(world.fetch_offset(), Ok(Some(9)));
}

#[test]
fn a_transaction_is_fenced_by_the_generation_if_it_names_a_member() {
    let mut world = world();
    let old = world.lone_member();
    world.join(3, Some(old.0));
    let client = world.init(T0, V2);
    assert_eq!(world.commit_in(&client, Some(old), 9), 22);
    assert_eq!(world.commit_in(&client, Some((old.0, 2)), 9), 0, "even before SyncGroup");
    assert_eq!(world.commit_in(&client, None, 9), 0, "nobody is asked for");
}

#[test]
fn pending_offsets_survive_the_coordinator() {
    let mut world = world();
    let member = world.lone_member();
    let mut client = world.init(T0, V2);
    assert_eq!(world.commit_in(&client, Some(member), 9), 0);
    world.run_for(ms(1_000));
    world.crash(3, Surviving::Appended);
    let elected = |world: &World, partition: TopicPartition| {
        world.controller.partition(partition).leader == Some(b(1))
    };
    world.run_until_so(|world| elected(world, OFFSETS) && elected(world, STATE));
    world.run_for(ms(1_000));
    assert_eq!(world.fetch_offset(), Err(88));
    world.end_at_last(&mut client, COMMIT);
    world.run_for(ms(2_000));
    assert_eq!(world.fetch_offset(), Ok(Some(9)));
}

#[test]
fn a_member_that_leaves_is_gone_at_once() {
    let mut world = world();
    let member = world.lone_member();
    let identity = GroupIdentity { group: READERS, member: Some(member) };
    assert_eq!(world.ask(3, Request::LeaveGroup(identity)), Response::LeaveGroup(None));
    assert_eq!(world.commit(Some(member), 5), 25);
    world.run_for(ms(1_000));
    assert!(world.is_settled());
}
