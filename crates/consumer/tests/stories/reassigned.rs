//! Members of the consumer protocol and brokers together: sharing, failing over, coming and going.

use crate::bench::ms;
use crate::cluster::World;
use crate::together::{
    assignment, committed, config, nobody_shares_a_partition, offsets_of, two_members, write,
};
use inflight_consumer::Completion;
use inflight_protocol::config::{GroupProtocol, ServerAssignor};
use inflight_protocol::fact::{CommitMode, LeaveCause, RevokeCause, SendError};
use inflight_protocol::{ConsumerConfig, ErrorCode, Fact};

fn settings() -> ConsumerConfig {
    ConsumerConfig { group_protocol: GroupProtocol::Consumer, ..config() }
}

fn revocations(world: &World) -> Vec<RevokeCause> {
    let revoked = world.facts.iter().filter_map(|(_, fact)| match fact {
        Fact::PartitionRevoked { why, .. } => Some(*why),
        _ => None,
    });
    revoked.collect()
}

fn removals(world: &World) -> Vec<LeaveCause> {
    let removed = world.facts.iter().filter_map(|(_, fact)| match fact {
        Fact::MemberRemoved { why, .. } => Some(*why),
        _ => None,
    });
    removed.collect()
}

#[test]
fn a_consumer_reads_everything_in_order_and_commits_it() {
    let mut world = World::new();
    let one = world.subscribe(settings());
    write(&mut world, 20);
    world.run_for(ms(10_000));
    for partition in [0, 1] {
        assert_eq!(offsets_of(&world, one, partition), (0..200).collect::<Vec<_>>());
        assert_eq!(committed(&world, partition), Some(200));
    }
    // Records arrive with one link to the broker and one back.
    let wrote = world.now_ms();
    world.write(0, 1);
    world.run_until_so(|world| world.applications[one].seen.contains(&(0, 200)));
    assert!(world.now_ms() <= wrote + 5, "{} ms", world.now_ms() - wrote);
}

/// There is no first delay: a lone member reads within a second, and the next one takes half of
/// the partitions within two heartbeats.
#[test]
fn a_member_that_joins_late_takes_over_where_the_other_was() {
    for assignor in [None, Some(ServerAssignor::Range)] {
        let config = ConsumerConfig { group_remote_assignor: assignor, ..settings() };
        let mut world = World::new();
        let one = world.subscribe(config.clone());
        world.run_for(ms(1_000));
        assert_eq!(assignment(&world, one), [0, 1]);
        write(&mut world, 100);
        let two = world.subscribe(config);
        let asked = world.now_ms();
        world.run_until_so(|world| assignment(world, two).len() == 1);
        assert!(world.now_ms() - asked < 11_000, "{} ms", world.now_ms() - asked);
        write(&mut world, 200);
        world.run_for(ms(5_000));
        let (moved, kept) = (assignment(&world, two)[0], assignment(&world, one)[0]);
        let mut both = offsets_of(&world, one, moved);
        both.extend(offsets_of(&world, two, moved));
        assert_eq!(both, (0..3_000).collect::<Vec<_>>(), "neither gap nor repeat");
        assert_eq!(offsets_of(&world, one, kept), (0..3_000).collect::<Vec<_>>());
        nobody_shares_a_partition(&world);
        assert_eq!(revocations(&world), [RevokeCause::Revoked], "only what moves");
    }
}

#[test]
fn members_come_and_go_and_each_record_is_read_once() {
    let mut world = World::new();
    let mut members = vec![world.subscribe(settings())];
    for _ in 0..4 {
        write(&mut world, 40);
        members.push(world.subscribe(settings()));
        world.run_for(ms(12_000));
        write(&mut world, 40);
        let gone = members.remove(0);
        world.applications[gone].polls = false;
        world.run_until_so(|world| !world.applications[gone].consumer.is_in_call());
        world.turn(gone, |consumer, env, turn| consumer.close(env, turn, ms(30_000)));
        world.run_for(ms(12_000));
    }
    nobody_shares_a_partition(&world);
    for partition in [0, 1] {
        let all = 0..world.applications.len();
        let mut seen: Vec<u64> =
            all.flat_map(|place| offsets_of(&world, place, partition)).collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..3_200).collect::<Vec<_>>());
    }
    assert_eq!(removals(&world), [LeaveCause::Left; 4]);
}

#[test]
fn a_member_that_dies_is_replaced_after_its_session_from_the_last_commit() {
    let mut world = World::new();
    let (one, two) = two_members(&mut world, settings());
    world.run_for(ms(5_000));
    write(&mut world, 200);
    let lost = assignment(&world, one)[0];
    let (died, at) = (world.now_ms(), committed(&world, lost).expect("it has committed"));
    let read = offsets_of(&world, one, lost).len() as u64;
    assert!(at < read, "the last commit is some time ago");
    world.kill(one);
    world.run_until_so(|world| assignment(world, two).len() == 2);
    let took = world.now_ms() - died;
    assert!((40_000..51_000).contains(&took), "session and heartbeat: {took}");
    world.run_for(ms(1_000));
    let again = offsets_of(&world, two, lost);
    assert_eq!(again, (at..2_000).collect::<Vec<_>>(), "what was not committed comes twice");
    assert_eq!(removals(&world), [LeaveCause::SessionTimeout]);
}

#[test]
fn a_process_that_stands_still_for_too_long_comes_back_to_nothing() {
    let mut world = World::new();
    let quiet = ConsumerConfig { enable_auto_commit: false, ..settings() };
    let (one, two) = two_members(&mut world, quiet);
    world.run_for(ms(5_000));
    write(&mut world, 100);
    let lost = assignment(&world, one)[0];
    world.applications[one].polls = false;
    world.run_until_so(|world| !world.applications[one].consumer.is_in_call());
    world.pause(one);
    world.run_for(ms(60_000));
    assert_eq!(assignment(&world, two).len(), 2, "the other has its partition");
    world.resume(one);
    world.turn(one, |consumer, env, turn| consumer.commit_sync(env, turn, None));
    world.run_for(ms(5_000));
    let error = Some(SendError::CommitFailed);
    assert!(world.applications[one].told.contains(&Completion::CommittedSync { error }));
    assert_eq!(committed(&world, lost), None);
    assert_eq!(assignment(&world, one), [lost], "what it has lost it hears of when it polls");
    world.applications[one].polls = true;
    world.turn(one, |consumer, env, turn| consumer.handle_timeout(env, turn));
    world.run_for(ms(15_000));
    assert_eq!(revocations(&world)[1..], [RevokeCause::Lost, RevokeCause::Revoked]);
    assert_eq!(assignment(&world, one).len(), 1, "it joins again");
}

/// Nobody is fenced, and what was read is committed with the new coordinator.
#[test]
fn a_coordinator_that_dies_costs_neither_members_nor_offsets() {
    let mut world = World::new();
    let (one, two) = two_members(&mut world, settings());
    write(&mut world, 200);
    world.crash(3);
    world.run_for(ms(20_000));
    write(&mut world, 100);
    world.run_for(ms(10_000));
    for partition in [0, 1] {
        assert_eq!(committed(&world, partition), Some(3_000));
    }
    let total = world.applications[one].seen.len() + world.applications[two].seen.len();
    assert_eq!(total, 6_000, "nobody was thrown out");
    assert_eq!(removals(&world), []);
    let failed = world.facts.iter().filter_map(|(_, fact)| match fact {
        Fact::OffsetCommitReturned { mode: CommitMode::Auto, error: Some(error), .. } => {
            Some(error)
        }
        _ => None,
    });
    for error in failed {
        assert!(matches!(error, SendError::Code(code) if code.is_retriable()), "{error:?}");
    }
}

/// Who has what, and who has to give up what, is in the log that the next coordinator reads.
#[test]
fn a_rebalance_goes_on_with_the_next_coordinator() {
    let mut world = World::new();
    let one = world.subscribe(settings());
    world.run_for(ms(2_000));
    write(&mut world, 60);
    let two = world.subscribe(settings());
    world.run_until_so(|world| {
        world.facts.iter().any(
            |(_, fact)| matches!(fact, Fact::MemberReconciled { revoking, .. } if *revoking > 0),
        )
    });
    world.crash(3);
    world.run_for(ms(40_000));
    assert_eq!((assignment(&world, one).len(), assignment(&world, two).len()), (1, 1));
    assert_eq!(removals(&world), []);
    nobody_shares_a_partition(&world);
    let refused = world.facts.iter().filter(|(_, fact)| {
        let fenced = ErrorCode::FencedMemberEpoch;
        matches!(fact, Fact::GroupRequestRejected { error, .. } if *error == fenced)
    });
    assert_eq!(refused.count(), 0);
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let story = || {
        let mut world = World::new();
        let _ = two_members(&mut world, settings());
        write(&mut world, 50);
        world.crash(2);
        world.run_for(ms(20_000));
        world.facts
    };
    assert_eq!(story(), story());
}
