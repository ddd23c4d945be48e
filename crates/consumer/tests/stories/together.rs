//! Consumers and brokers together: reading, sharing, failing over.

use crate::bench::ms;
use crate::cluster::{OFFSETS, World};
use inflight_consumer::Completion;
use inflight_protocol::config::{AssignmentStrategy, AutoOffsetReset};
use inflight_protocol::fact::{CommitMode, PositionSource, SendError};
use inflight_protocol::{BrokerId, ConsumerConfig, Fact, GroupId, TopicPartition};
use std::collections::BTreeMap;

pub(crate) fn config() -> ConsumerConfig {
    ConsumerConfig { auto_offset_reset: AutoOffsetReset::Earliest, ..ConsumerConfig::default() }
}

/// Writes so many batches of ten to each of the two partitions.
pub(crate) fn write(world: &mut World, batches: u32) {
    for _ in 0..batches {
        world.write(0, 10);
        world.write(1, 10);
        world.run_for(ms(50));
    }
}

/// Two members between them: the group waits for more members after its first one and after
/// its second, three seconds each time.
pub(crate) fn two_members(world: &mut World, config: ConsumerConfig) -> (usize, usize) {
    let members = (world.subscribe(config.clone()), world.subscribe(config));
    world.run_for(ms(7_000));
    members
}

pub(crate) fn offsets_of(world: &World, application: usize, partition: u16) -> Vec<u64> {
    let seen = world.applications[application].seen.iter();
    seen.filter(|(id, _)| *id == partition).map(|(_, offset)| *offset).collect()
}

pub(crate) fn committed(world: &World, partition: u16) -> Option<u64> {
    let coordinator = world.controller.partition(OFFSETS).leader?;
    let broker = &world.brokers[coordinator.index()];
    let found = broker.committed_offset(GroupId::new(0), TopicPartition::new(partition))?;
    Some(found.offset.get())
}

pub(crate) fn assignment(world: &World, application: usize) -> Vec<u16> {
    world.applications[application].consumer.assignment().map(|(id, _)| id.get()).collect()
}

/// That nobody owns a partition while somebody else does, judged by what they were told.
pub(crate) fn nobody_shares_a_partition(world: &World) {
    let mut owners: BTreeMap<TopicPartition, _> = BTreeMap::new();
    for (at, fact) in &world.facts {
        match fact {
            Fact::PartitionAssigned { consumer, partition, .. } => {
                let other = owners.insert(*partition, *consumer);
                assert_eq!(other, None, "{partition} at {at}");
            }
            Fact::PartitionRevoked { consumer, partition, .. } => {
                assert_eq!(owners.remove(partition), Some(*consumer), "{partition} at {at}");
            }
            _ => {}
        }
    }
}

#[test]
fn a_consumer_reads_everything_in_order_and_commits_it() {
    let mut world = World::new();
    let one = world.subscribe(config());
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

#[test]
fn two_members_share_the_partitions() {
    let mut world = World::new();
    let (one, two) = two_members(&mut world, config());
    write(&mut world, 100);
    world.run_for(ms(5_000));
    assert_eq!((assignment(&world, one).len(), assignment(&world, two).len()), (1, 1));
    let total = world.applications[one].seen.len() + world.applications[two].seen.len();
    assert_eq!(total, 2_000);
    nobody_shares_a_partition(&world);
}

#[test]
fn a_member_that_joins_late_takes_over_where_the_other_was() {
    for strategy in [AssignmentStrategy::Range, AssignmentStrategy::CooperativeSticky] {
        let config = ConsumerConfig { partition_assignment_strategy: strategy, ..config() };
        let mut world = World::new();
        let one = world.subscribe(config.clone());
        write(&mut world, 100);
        let two = world.subscribe(config);
        write(&mut world, 200);
        world.run_for(ms(5_000));
        let moved = assignment(&world, two)[0];
        let mut both = offsets_of(&world, one, moved);
        both.extend(offsets_of(&world, two, moved));
        assert_eq!(both, (0..3_000).collect::<Vec<_>>(), "{strategy:?}: neither gap nor repeat");
        let kept = assignment(&world, one)[0];
        assert_eq!(offsets_of(&world, one, kept), (0..3_000).collect::<Vec<_>>());
        nobody_shares_a_partition(&world);
        let revoked =
            world.facts.iter().filter(|(_, fact)| matches!(fact, Fact::PartitionRevoked { .. }));
        let expected = if strategy == AssignmentStrategy::Range { 2 } else { 1 };
        assert_eq!(revoked.count(), expected, "{strategy:?}");
    }
}

#[test]
fn a_member_that_dies_is_replaced_after_its_session_from_the_last_commit() {
    let mut world = World::new();
    let (one, two) = two_members(&mut world, config());
    write(&mut world, 200);
    let lost = assignment(&world, one)[0];
    let (died, at) = (world.now_ms(), committed(&world, lost).expect("it has committed"));
    let read = offsets_of(&world, one, lost).len() as u64;
    assert!(at < read, "the last commit is some time ago");
    world.kill(one);
    world.run_until_so(|world| assignment(world, two).len() == 2);
    let took = world.now_ms() - died;
    assert!((41_000..49_000).contains(&took), "session.timeout.ms and a heartbeat: {took}");
    world.run_for(ms(1_000));
    let again = offsets_of(&world, two, lost);
    assert_eq!(again, (at..2_000).collect::<Vec<_>>(), "what was not committed comes twice");
}

#[test]
fn a_member_that_closes_is_replaced_at_once_without_repeats() {
    let mut world = World::new();
    let (one, two) = two_members(&mut world, config());
    write(&mut world, 100);
    let lost = assignment(&world, one)[0];
    world.applications[one].polls = false;
    world.run_until_so(|world| !world.applications[one].consumer.is_in_call());
    let left = world.now_ms();
    world.turn(one, |consumer, env, turn| consumer.close(env, turn, ms(30_000)));
    world.run_until_so(|world| assignment(world, two).len() == 2);
    assert!(world.now_ms() - left < 4_000, "the other hears of it with its next heartbeat");
    world.run_for(ms(1_000));
    let mut both = offsets_of(&world, one, lost);
    both.extend(offsets_of(&world, two, lost));
    assert_eq!(both, (0..1_000).collect::<Vec<_>>());
    assert!(world.applications[one].told.contains(&Completion::Closed));
}

#[test]
fn a_process_that_stands_still_for_too_long_comes_back_to_nothing() {
    let mut world = World::new();
    let quiet = ConsumerConfig { enable_auto_commit: false, ..config() };
    let (one, two) = two_members(&mut world, quiet);
    write(&mut world, 100);
    let lost = assignment(&world, one)[0];
    world.applications[one].polls = false;
    world.run_until_so(|world| !world.applications[one].consumer.is_in_call());
    let before = world.applications[one].consumer.group_metadata().unwrap().member.unwrap();
    world.pause(one);
    world.run_for(ms(60_000));
    assert_eq!(assignment(&world, two).len(), 2, "the other has read its partition from the start");
    assert_eq!(offsets_of(&world, two, lost), (0..1_000).collect::<Vec<_>>());
    world.resume(one);
    // It still believes that it is a member, and its commit says otherwise.
    let identity = world.applications[one].consumer.group_metadata().unwrap();
    assert_eq!(identity.member, Some(before));
    assert_eq!(assignment(&world, one), [lost]);
    world.turn(one, |consumer, env, turn| consumer.commit_sync(env, turn, None));
    world.run_for(ms(5_000));
    let error = Some(SendError::CommitFailed);
    assert!(world.applications[one].told.contains(&Completion::CommittedSync { error }));
    assert_eq!(committed(&world, lost), None);
    world.applications[one].polls = true;
    world.turn(one, |consumer, env, turn| consumer.handle_timeout(env, turn));
    world.run_for(ms(10_000));
    assert_eq!(assignment(&world, one).len(), 1, "it joins again");
}

#[test]
fn a_leader_that_dies_costs_a_pause_and_no_record() {
    let mut world = World::new();
    let one = world.subscribe(config());
    write(&mut world, 100);
    world.crash(1);
    world.run_until_so(|world| {
        world.controller.partition(TopicPartition::new(0)).leader == Some(BrokerId::new(2))
    });
    world.run_for(ms(3_000));
    write(&mut world, 100);
    world.run_for(ms(5_000));
    for partition in [0, 1] {
        assert_eq!(offsets_of(&world, one, partition), (0..2_000).collect::<Vec<_>>());
    }
    let resets = world.facts.iter().filter(|(_, fact)| {
        matches!(fact, Fact::PositionSet { source, .. } if *source != PositionSource::Earliest)
    });
    assert_eq!(resets.count(), 0, "the position was good on the new leader");
}

#[test]
fn a_coordinator_that_dies_costs_neither_members_nor_offsets() {
    let mut world = World::new();
    let (one, two) = two_members(&mut world, config());
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

#[test]
fn the_same_seed_tells_the_same_story() {
    let story = || {
        let mut world = World::new();
        let _ = two_members(&mut world, config());
        write(&mut world, 50);
        world.crash(2);
        world.run_for(ms(20_000));
        world.facts
    };
    assert_eq!(story(), story());
}
