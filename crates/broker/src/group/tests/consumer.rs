//! Groups of the consumer protocol without log and network: what is to be written is written at
//! once.

use super::*;
use crate::group::consumer::check_request;
use inflight_protocol::Topics;
use inflight_protocol::config::{ConsumerGroupConfig, ServerAssignor, ServerAssignors};
use inflight_protocol::consumer_group::{ConsumerGroupRecord, ReconciliationState};
use inflight_protocol::message::ConsumerGroupHeartbeatRequest;

const P: [TopicPartition; 4] = [P0, P1, TopicPartition::new(2), TopicPartition::new(3)];

fn member(client: u16) -> MemberId {
    MemberId { client: ClientId::new(client), number: 1 << 31 }
}

/// A coordinator with a topic of four partitions, and all that it has written.
struct Group {
    bench: Bench,
    names: Topics,
    log: Vec<InternalRecord>,
    assignor: Option<ServerAssignor>,
}

/// What a member was answered: epoch and partitions, if it was told any.
type Answer = Result<(u32, Option<Vec<TopicPartition>>), ErrorCode>;

impl Group {
    fn new() -> Self {
        let names = Topics::new([("orders", 4), ("bills", 1)]);
        Self { bench: Bench::new(), names, log: Vec::new(), assignor: None }
    }

    fn with(config: ConsumerGroupConfig) -> Self {
        let mut group = Self::new();
        let config = BrokerConfig { consumer_groups: config, ..BrokerConfig::default() };
        group.bench.rules = Rules::of(&config);
        group
    }

    /// Writes what is to be written.
    fn write(&mut self) {
        let Self { bench, log, .. } = self;
        for action in &bench.out {
            let records: Vec<InternalRecord> = match action {
                Action::WriteConsumerGroup(id, records) => {
                    let one = |record: &ConsumerGroupRecord| {
                        InternalRecord::ConsumerGroup(*id, record.clone())
                    };
                    records.iter().map(one).collect()
                }
                Action::ForgetClassic(id) => vec![InternalRecord::GroupForgotten(*id)],
                _ => continue,
            };
            for record in records {
                bench.shard.replay(&record, None, Offset::ZERO, bench.now_ms);
                log.push(record);
            }
        }
        let is_write = |action: &Action| {
            matches!(action, Action::WriteConsumerGroup(..) | Action::ForgetClassic(_))
        };
        bench.out.retain(|action| !is_write(action));
    }

    fn ask(&mut self, request: &ConsumerGroupHeartbeatRequest) -> Answer {
        let clock = (self.bench.now_ms, self.bench.rules);
        check_request(request, self.bench.rules)?;
        let Bench { shard, out, .. } = &mut self.bench;
        let response = shard.consumer_heartbeat(request, clock, &self.names, out)?;
        self.write();
        let assignment = response.assignment.map(|list| list.to_vec());
        Ok((response.epoch.unwrap_or(u32::MAX), assignment))
    }

    fn request(&self, client: u16, epoch: u32) -> ConsumerGroupHeartbeatRequest {
        ConsumerGroupHeartbeatRequest {
            group: GROUP,
            member: member(client),
            epoch: Some(epoch),
            rebalance_timeout_ms: None,
            topics: None,
            assignor: None,
            owned: None,
        }
    }

    fn join(&mut self, client: u16) -> Answer {
        let request = ConsumerGroupHeartbeatRequest {
            rebalance_timeout_ms: Some(300_000),
            topics: Some(smallvec::smallvec![TopicId::new(0)]),
            assignor: self.assignor,
            owned: Some(Default::default()),
            ..self.request(client, 0)
        };
        self.ask(&request)
    }

    fn beat(&mut self, client: u16, epoch: u32) -> Answer {
        self.ask(&self.request(client, epoch))
    }

    /// A heartbeat that says what the member owns.
    fn owns(&mut self, client: u16, epoch: u32, owned: &[TopicPartition]) -> Answer {
        let owned = Some(owned.iter().copied().collect());
        self.ask(&ConsumerGroupHeartbeatRequest { owned, ..self.request(client, epoch) })
    }

    fn leave(&mut self, client: u16) -> Answer {
        self.ask(&ConsumerGroupHeartbeatRequest { epoch: None, ..self.request(client, 0) })
    }

    fn pass(&mut self, ms: i64) {
        let until = self.bench.now_ms + ms;
        while let Some(at) = self.bench.shard.next_ms().filter(|at| *at <= until) {
            self.bench.now_ms = at.max(self.bench.now_ms);
            let clock = (self.bench.now_ms, self.bench.rules);
            assert!(self.bench.shard.expire(clock, &mut self.bench.out), "what is due is done");
            self.write();
        }
        self.bench.now_ms = until;
    }

    fn state(&self, client: u16) -> (u32, ReconciliationState) {
        let group = self.bench.shard.consumer_group(GROUP).expect("there is a group");
        let current = &group.members[&member(client)].current;
        (current.epoch, current.state)
    }

    fn commit(&mut self, client: u16, epoch: u32, of: &[TopicPartition]) -> Result<(), ErrorCode> {
        let identity = GroupIdentity { group: GROUP, member: Some((member(client), epoch)) };
        let now_ms = self.bench.now_ms;
        self.bench.shard.check_commit(identity, of.iter().copied(), false, now_ms)
    }

    /// Two members in epoch 3 of the group: 0 has just been told to give up what 1 is to have.
    fn in_between() -> Self {
        let mut group = Self::new();
        assert_eq!(group.join(0), Ok((2, Some(P.to_vec()))));
        group.pass(1_000);
        assert_eq!(group.join(1), Ok((3, Some(vec![]))), "0 has not given up anything");
        assert_eq!(group.beat(0, 2), Ok((2, Some(vec![P0, P1]))));
        group
    }
}

use ReconciliationState::{Stable, UnreleasedPartitions, UnrevokedPartitions};

#[test]
fn a_lone_member_has_everything_at_once() {
    let mut group = Group::new();
    assert_eq!(group.join(0), Ok((2, Some(P.to_vec()))));
    assert_eq!(group.state(0), (2, Stable));
    assert_eq!(group.beat(0, 2), Ok((2, None)), "nothing is told twice");
    assert!(group.bench.shard.consumer_group(GROUP).unwrap().is_stable());
}

/// GroupMetadataManagerTest.testReconciliationProcess, with two members.
#[test]
fn a_partition_changes_hands_when_its_owner_says_that_it_has_given_it_up() {
    let mut group = Group::in_between();
    assert_eq!(group.state(0), (2, UnrevokedPartitions));
    assert_eq!(group.state(1), (3, UnreleasedPartitions));
    assert_eq!(group.beat(1, 3), Ok((3, None)), "0 has not acknowledged");
    assert_eq!(group.owns(0, 2, &P), Ok((2, None)), "it owns them still");
    assert_eq!(group.owns(0, 2, &P[..2]), Ok((3, None)));
    assert_eq!(group.state(0), (3, Stable));
    assert_eq!(group.beat(1, 3), Ok((3, Some(P[2..].to_vec()))));
    assert_eq!(group.state(1), (3, Stable));
}

#[test]
fn a_member_that_does_not_give_up_is_out_with_its_rebalance_timeout() {
    let mut group = Group::in_between();
    group.bench.out.clear();
    for _ in 0..30 {
        group.beat(0, 2).expect("it lives");
        group.beat(1, 3).expect("it lives");
        group.pass(10_000);
    }
    assert_eq!(removed(&group.bench.out), [(member(0), LeaveCause::RebalanceTimeout)]);
    assert_eq!(group.beat(0, 2), Err(ErrorCode::UnknownMemberId));
    assert_eq!(group.beat(1, 3), Ok((4, Some(P.to_vec()))));
}

#[test]
fn a_silent_member_is_out_with_its_session() {
    let mut group = Group::in_between();
    group.bench.out.clear();
    group.pass(44_000);
    group.beat(1, 3).expect("it lives");
    group.pass(1_000);
    assert_eq!(removed(&group.bench.out), [(member(0), LeaveCause::SessionTimeout)]);
    assert_eq!(group.beat(1, 3), Ok((4, Some(P.to_vec()))));
}

#[test]
fn two_members_whose_sessions_end_together_are_two_group_epochs() {
    let mut group = Group::new();
    group.join(0).expect("it joins");
    group.join(1).expect("it joins");
    group.pass(45_000);
    let known = group.bench.shard.consumer_group(GROUP).expect("an empty group is there");
    assert_eq!((known.epoch, known.target_epoch, known.members.len()), (5, 5, 0));
}

#[test]
fn a_member_that_leaves_makes_room() {
    let mut group = Group::in_between();
    group.owns(0, 2, &P[..2]).expect("it has given up");
    assert_eq!(group.leave(0), Ok((u32::MAX, None)));
    assert_eq!(group.leave(0), Err(ErrorCode::UnknownMemberId));
    group.pass(1_000);
    assert_eq!(group.beat(1, 3), Ok((4, Some(P.to_vec()))));
}

#[test]
fn only_joining_makes_a_group() {
    let mut group = Group::new();
    assert_eq!(group.beat(0, 2), Err(ErrorCode::GroupIdNotFound));
    assert_eq!(group.leave(0), Err(ErrorCode::GroupIdNotFound));
    assert_eq!(group.beat(0, 0), Err(ErrorCode::InvalidRequest), "who joins says everything");
    assert!(group.join(0).is_ok());
    assert_eq!(group.beat(1, 2), Err(ErrorCode::UnknownMemberId));
}

/// testConsumerGroupMemberEpochValidation.
#[test]
fn heartbeats_are_of_the_epoch_or_the_one_before() {
    let mut group = Group::in_between();
    assert_eq!(group.beat(0, 3), Err(ErrorCode::FencedMemberEpoch), "greater than is known");
    group.owns(0, 2, &P[..2]).expect("it has given up");
    assert_eq!(group.state(0), (3, Stable));
    assert_eq!(group.beat(0, 2), Err(ErrorCode::FencedMemberEpoch), "who knows what it owns");
    assert_eq!(group.owns(0, 2, &P), Err(ErrorCode::FencedMemberEpoch), "it owns too much");
    assert!(group.owns(0, 2, &P[..2]).is_ok(), "the answer may have been lost");
    assert!(group.join(0).is_ok(), "whoever begins anew may");
}

/// testConsumerGroupHeartbeatWithAssignmentInterval and its like.
#[test]
fn the_next_target_assignment_waits_for_its_interval() {
    let mut group = Group::new();
    group.join(0).expect("it joins");
    group.pass(999);
    assert_eq!(group.join(1), Ok((2, Some(vec![]))), "the target is that of epoch 2");
    assert_eq!(group.beat(0, 2), Ok((2, None)));
    group.pass(1);
    assert_eq!(group.beat(0, 2), Ok((2, Some(vec![P0, P1]))));
    let config = ConsumerGroupConfig { assignment_interval_ms: 0, ..Default::default() };
    let mut group = Group::with(config);
    group.join(0).expect("it joins");
    assert_eq!(group.join(1), Ok((3, Some(vec![]))));
}

#[test]
fn a_full_group_takes_nobody() {
    let config = ConsumerGroupConfig { max_size: 1, ..Default::default() };
    let mut group = Group::with(config);
    group.join(0).expect("it joins");
    assert_eq!(group.join(1), Err(ErrorCode::GroupMaxSizeReached));
    assert!(group.join(0).is_ok(), "it is in the group");
}

#[test]
fn members_choose_the_assignor_by_majority() {
    let config = ConsumerGroupConfig { assignment_interval_ms: 0, ..Default::default() };
    let mut group = Group::with(config);
    group.assignor = Some(ServerAssignor::Range);
    group.join(5).expect("it joins");
    group.join(9).expect("it joins");
    group.assignor = None;
    group.join(2).expect("it joins");
    let known = group.bench.shard.consumer_group(GROUP).unwrap();
    let target =
        |client| known.members[&member(client)].target.clone().unwrap_or_default().to_vec();
    assert_eq!(target(2), vec![P0, P1], "the first range goes to the first member");
    let mut alone = Group::with(ConsumerGroupConfig {
        assignors: ServerAssignors::Uniform,
        ..Default::default()
    });
    alone.assignor = Some(ServerAssignor::Range);
    assert_eq!(alone.join(0), Err(ErrorCode::UnsupportedAssignor));
}

#[test]
fn another_subscription_is_another_group_epoch() {
    let mut group = Group::new();
    group.join(0).expect("it joins");
    group.pass(1_000);
    let topics = Some(smallvec::smallvec![TopicId::new(1)]);
    let request = ConsumerGroupHeartbeatRequest { topics, ..group.request(0, 2) };
    assert_eq!(group.ask(&request), Ok((2, Some(vec![]))), "the old ones are given up first");
    assert_eq!(group.owns(0, 2, &[]), Ok((3, Some(vec![TopicPartition::new(4)]))));
}

/// ConsumerGroupTest.testValidateOffsetCommit, KIP-1251.
#[test]
fn commits_are_of_the_epoch_or_of_what_the_member_has_had_since() {
    let mut group = Group::in_between();
    assert_eq!(group.commit(0, 2, &P), Ok(()), "what it has to give up as well");
    assert_eq!(group.commit(0, 3, &P), Err(ErrorCode::StaleMemberEpoch), "nobody gave it that");
    group.owns(0, 2, &P[..2]).expect("it has given up");
    assert_eq!(group.commit(0, 3, &P), Ok(()), "in its epoch a member is believed");
    assert_eq!(group.commit(0, 2, &P[..2]), Ok(()), "it has had them since epoch 2");
    assert_eq!(group.commit(0, 2, &P), Err(ErrorCode::StaleMemberEpoch), "these are 1's");
    group.beat(1, 3).expect("it lives");
    assert_eq!(group.commit(1, 2, &P[2..]), Err(ErrorCode::StaleMemberEpoch), "before it had them");
    assert_eq!(group.commit(7, 2, &P), Err(ErrorCode::UnknownMemberId));
    let nobody = GroupIdentity { group: GROUP, member: None };
    let now_ms = group.bench.now_ms;
    let mut ask = |in_transaction| {
        group.bench.shard.check_commit(nobody, P.into_iter(), in_transaction, now_ms)
    };
    assert_eq!(ask(false), Err(ErrorCode::UnknownMemberId));
    assert_eq!(ask(true), Ok(()), "a transaction without a member is not fenced");
}

#[test]
fn committed_offsets_are_told_to_members_of_the_epoch() {
    let mut group = Group::new();
    group.join(0).expect("it joins");
    let ask = |client, epoch| GroupIdentity { group: GROUP, member: Some((member(client), epoch)) };
    assert_eq!(group.bench.shard.check_fetch(ask(0, 2)), Ok(()));
    let stale = Err(ErrorCode::StaleMemberEpoch);
    assert_eq!(group.bench.shard.check_fetch(ask(0, 1)), stale);
    assert_eq!(group.bench.shard.check_fetch(ask(1, 2)), Err(ErrorCode::UnknownMemberId));
    let nobody = GroupIdentity { group: GROUP, member: None };
    assert_eq!(group.bench.shard.check_fetch(nobody), Ok(()));
}

#[test]
fn the_next_coordinator_reads_the_group_as_it_was() {
    let mut group = Group::in_between();
    let before = group.bench.shard.consumer_group(GROUP).unwrap().members.clone();
    group.bench.shard = GroupShard::new(LeaderEpoch::new(1));
    for record in &group.log {
        group.bench.shard.replay(record, None, Offset::ZERO, group.bench.now_ms);
    }
    group.bench.shard.loaded((group.bench.now_ms, group.bench.rules));
    assert_eq!(group.bench.shard.consumer_group(GROUP).unwrap().members, before);
    assert_eq!(group.owns(0, 2, &P[..2]), Ok((3, None)), "it goes on where it was");
    group.bench.out.clear();
    group.pass(45_000);
    assert_eq!(removed(&group.bench.out).len(), 2, "sessions begin with the load");
}

#[test]
fn an_empty_group_of_the_other_protocol_makes_way() {
    let mut group = Group::new();
    assert_eq!(group.bench.check(None, false), Ok(()), "a group without a protocol");
    assert!(group.join(0).is_ok());
    assert!(group.bench.shard.group(GROUP).is_none());
    let caller = group.bench.join(1, &Bench::request(None));
    let error = Some(ErrorCode::InconsistentGroupProtocol);
    assert_eq!(group.bench.joined(caller).unwrap().error, error);
    assert!(group.leave(0).is_ok());
    let name = group.bench.name(1);
    group.write();
    assert!(group.bench.shard.consumer_group(GROUP).is_none());
    group.bench.join(1, &Bench::request(Some(name)));
    assert_eq!(group.join(0), Err(ErrorCode::GroupIdNotFound), "somebody is there");
}
