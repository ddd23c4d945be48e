//! Groups of the consumer protocol on brokers: what is written, what survives, what is refused.

use crate::harness::*;
use inflight_protocol::fact::{LeaveCause, Surviving};
use inflight_protocol::message::{ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse};
use inflight_protocol::transaction::MemberId;
use inflight_protocol::{ClientId, Fact, FactKind, Request, Response, TopicId};

const ME: MemberId = MemberId { client: ClientId::new(0), number: 1 << 31 };
const OTHER: MemberId = MemberId { client: ClientId::new(0), number: 1 << 31 | 1 };

fn world() -> World {
    World::transactional(with_transactions(V2))
}

fn beat(member: MemberId, epoch: Option<u32>) -> ConsumerGroupHeartbeatRequest {
    let joins = epoch == Some(0);
    ConsumerGroupHeartbeatRequest {
        group: READERS,
        member,
        epoch,
        rebalance_timeout_ms: joins.then_some(300_000),
        topics: joins.then(|| smallvec::smallvec![TopicId::new(0)]),
        assignor: None,
        owned: joins.then(Default::default),
    }
}

impl World {
    fn beats(
        &mut self,
        id: u8,
        request: ConsumerGroupHeartbeatRequest,
    ) -> ConsumerGroupHeartbeatResponse {
        match self.ask(id, Request::ConsumerGroupHeartbeat(Box::new(request))) {
            Response::ConsumerGroupHeartbeat(response) => *response,
            other => panic!("{other:?}"),
        }
    }

    /// The error code of a heartbeat to the coordinator, or 0.
    fn beat_now(&mut self, member: MemberId, epoch: Option<u32>) -> i16 {
        let leader = self.leader(OFFSETS);
        self.beats(leader, beat(member, epoch)).error.map_or(0, |error| error.number())
    }

    fn count(&self, kind: FactKind) -> usize {
        self.facts.iter().filter(|(_, fact)| fact.kind() == kind).count()
    }
}

#[test]
fn a_lone_member_gets_its_partitions_and_commits() {
    let mut world = world();
    let leader = world.leader(OFFSETS);
    let joined = world.beats(leader, beat(ME, Some(0)));
    assert_eq!((joined.error, joined.epoch), (None, Some(2)));
    assert_eq!(joined.heartbeat_interval_ms, 5_000);
    assert!(joined.assignment.expect("it is told").contains(&P0));
    assert_eq!(world.commit(Some((ME, 2)), 7), 0);
    assert_eq!(world.fetch_offset(), Ok(Some(7)));
    let group = world.broker(leader).group(READERS).expect("it is coordinated there");
    assert_eq!((group.generation, group.members, group.is_stable), (2, vec![ME], true));
    assert_eq!(world.count(FactKind::MemberJoined), 1);
    assert_eq!(world.count(FactKind::TargetAssigned), 1);
    assert_eq!(world.count(FactKind::MemberReconciled), 1);
    // Member, group epoch, target of the member, target epoch, current assignment: one batch.
    world.run_for(ms(1_000));
    let written = world.found(|fact| match fact {
        Fact::InternalRecordsAppended { count, .. } => Some(*count),
        _ => None,
    });
    let written: Vec<u32> = written.into_iter().map(|(_, count)| count).collect();
    assert_eq!(written, [5, 5, 5, 1, 1, 1]);
}

#[test]
fn a_member_that_joins_is_told_when_it_is_replicated() {
    let mut world = world();
    let leader = world.leader(OFFSETS);
    for other in (1..=3).filter(|id| *id != leader) {
        world.cut(node(leader), node(other));
    }
    let asked = world.now();
    assert_eq!(world.beat_now(ME, Some(0)), 15);
    assert_eq!(world.now().since(asked).as_millis() / 100, 50, "offsets.commit.timeout.ms");
    world.heal();
    world.run_for(ms(2_000));
    assert_eq!(world.beat_now(ME, Some(0)), 0);
    let group = world.broker(leader).group(READERS).expect("it is coordinated there");
    assert_eq!((group.generation, group.members.len()), (2, 1), "it was written all the same");
}

#[test]
fn a_group_survives_its_coordinator() {
    let mut world = world();
    let old = world.leader(OFFSETS);
    assert_eq!(world.beat_now(ME, Some(0)), 0);
    world.run_for(ms(2_000));
    assert_eq!(world.beat_now(OTHER, Some(0)), 0);
    assert_eq!(world.commit(Some((ME, 2)), 7), 0);
    world.crash(old, Surviving::Appended);
    world.run_until_so(|world| world.leader(OFFSETS) != old);
    world.run_for(ms(500));
    let new = world.leader(OFFSETS);
    let group = world.broker(new).group(READERS).expect("it is coordinated there");
    assert_eq!((group.generation, group.members), (3, vec![ME, OTHER]));
    assert_eq!(world.beat_now(OTHER, Some(3)), 0, "the member goes on in its epoch");
    assert_eq!(world.commit(Some((ME, 2)), 9), 0);
    assert_eq!(world.fetch_offset(), Ok(Some(9)));
    world.run_for(ms(45_500));
    let removed = world.found(|fact| match fact {
        Fact::MemberRemoved { why, .. } => Some(*why),
        _ => None,
    });
    let removed: Vec<LeaveCause> = removed.into_iter().map(|(_, why)| why).collect();
    assert_eq!(removed, [LeaveCause::SessionTimeout; 2], "sessions begin with the new coordinator");
}

#[test]
fn who_is_not_of_the_epoch_is_refused_and_that_is_said() {
    let mut world = world();
    assert_eq!(world.beat_now(ME, Some(3)), 69, "GROUP_ID_NOT_FOUND");
    assert_eq!(world.beat_now(ME, Some(0)), 0);
    assert_eq!(world.beat_now(ME, Some(3)), 110, "FENCED_MEMBER_EPOCH");
    assert_eq!(world.beat_now(OTHER, Some(2)), 25, "UNKNOWN_MEMBER_ID");
    assert_eq!(world.commit(Some((ME, 3)), 5), 113, "STALE_MEMBER_EPOCH");
    assert_eq!(world.count(FactKind::GroupRequestRejected), 4);
    assert_eq!(world.beat_now(ME, None), 0, "it leaves");
    assert_eq!(world.commit(Some((ME, 2)), 5), 25);
    assert_eq!(world.commit(None, 5), 0, "an empty group takes commits of anybody");
}

#[test]
fn offsets_in_a_transaction_are_of_a_member_of_the_epoch() {
    let mut world = world();
    let client = world.init(T0, V2);
    assert_eq!(world.beat_now(ME, Some(0)), 0);
    assert_eq!(world.commit_in(&client, Some((ME, 1)), 3), 113);
    assert_eq!(world.commit_in(&client, Some((ME, 2)), 3), 0);
}

/// Below TxnOffsetCommit version 6 there is no word for it (KIP-1319).
#[test]
fn before_version_2_an_older_epoch_is_an_illegal_generation() {
    let mut world = World::transactional(with_transactions(V0));
    let client = world.init(T0, V0);
    assert_eq!(world.beat_now(ME, Some(0)), 0);
    assert_eq!(world.add(&client, &[OFFSETS]), 0);
    assert_eq!(world.commit_in(&client, Some((ME, 1)), 3), 22);
    assert_eq!(world.commit_in(&client, Some((ME, 2)), 3), 0);
}

#[test]
fn another_broker_does_not_coordinate_the_group() {
    let mut world = world();
    let leader = world.leader(OFFSETS);
    let other = if leader == 1 { 2 } else { 1 };
    let error = world.beats(other, beat(ME, Some(0))).error;
    assert_eq!(error.map(|error| error.number()), Some(16));
}
