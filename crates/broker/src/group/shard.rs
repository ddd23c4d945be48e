//! The groups of one partition of `__consumer_offsets`. Kafka: GroupCoordinatorShard,
//! GroupMetadataManager.

mod consumer;

use crate::group::classic::{ClassicGroup, GroupState};
use crate::group::consumer::ConsumerGroup;
use crate::group::offsets::CommittedOffsets;
use crate::group::sessions::Sessions;
use crate::group::sync::sync_refused;
use crate::group::{Action, Caller, NOBODY, Rules, refused};
use inflight_protocol::message::{
    CommittedResult, GroupIdentity, JoinGroupRequest, SyncGroupRequest,
};
use inflight_protocol::transaction::{CommittedOffset, GroupMember, InternalRecord, MemberId};
use inflight_protocol::{
    ClientId, ErrorCode, GroupId, LeaderEpoch, Offset, ProducerId, TopicPartition,
};

/// Bits of a member id's number that count within a term; the others are the term.
const NUMBERS_PER_TERM_BITS: u32 = 16;

/// Groups and offsets in memory: what is written, committed or not.
#[derive(Debug, Default)]
pub(crate) struct GroupShard {
    groups: Vec<ClassicGroup>,
    /// None of them is among `groups`.
    consumer_groups: Vec<ConsumerGroup>,
    sessions: Sessions,
    offsets: CommittedOffsets,
    /// The term of the coordinator, for the names that it gives.
    term: LeaderEpoch,
    names: u32,
}

inflight_des::clone_fields!(GroupShard { groups, consumer_groups, sessions, offsets, term, names });

impl GroupShard {
    /// A shard without groups, of a coordinator in this term.
    pub(crate) fn new(term: LeaderEpoch) -> Self {
        Self { term, ..Self::default() }
    }

    /// Whether some group is on its way from one assignment to another.
    pub(crate) fn is_rebalancing(&self) -> bool {
        let is_between = |group: &ClassicGroup| {
            matches!(
                group.state(),
                GroupState::PreparingRebalance | GroupState::CompletingRebalance
            )
        };
        let mut modern = self.consumer_groups.iter();
        self.groups.iter().any(is_between)
            || modern.any(|group| !group.members.is_empty() && !group.is_stable())
    }

    /// A group, if there is one. Kafka: GroupMetadataManager.group.
    pub(crate) fn group(&self, id: GroupId) -> Option<&ClassicGroup> {
        self.groups.iter().find(|group| group.id == id)
    }

    fn group_mut(&mut self, id: GroupId) -> Option<&mut ClassicGroup> {
        self.groups.iter_mut().find(|group| group.id == id)
    }

    /// Kafka: getOrMaybeCreateClassicGroup.
    fn get_or_create(&mut self, id: GroupId) -> &mut ClassicGroup {
        let place = self.groups.iter().position(|group| group.id == id);
        let place = place.unwrap_or_else(|| {
            self.groups.push(ClassicGroup::new(id));
            self.groups.len() - 1
        });
        &mut self.groups[place]
    }

    /// The committed offsets.
    pub(crate) const fn offsets_mut(&mut self) -> &mut CommittedOffsets {
        &mut self.offsets
    }

    /// A record of the log is taken over. Kafka: GroupCoordinatorShard.replay.
    pub(crate) fn replay(
        &mut self,
        record: &InternalRecord,
        producer: Option<ProducerId>,
        at: Offset,
        now_ms: i64,
    ) {
        match record {
            InternalRecord::Offset(committed) => {
                if self.consumer_group(committed.group).is_none() {
                    self.get_or_create(committed.group);
                }
                self.offsets.replay(*committed, producer, at);
            }
            InternalRecord::Group(value) => {
                self.groups.retain(|group| group.id != value.group);
                self.groups.push(ClassicGroup::read(value, now_ms));
            }
            InternalRecord::GroupForgotten(id) => self.groups.retain(|group| group.id != *id),
            InternalRecord::ConsumerGroup(id, record) => self.replay_consumer_group(*id, record),
            InternalRecord::Transaction(_) | InternalRecord::TransactionForgotten(_) => {}
        }
    }

    /// Kafka: classicGroupJoinToClassicGroup.
    pub(crate) fn join(
        &mut self,
        request: &JoinGroupRequest,
        (caller, client): (Caller, ClientId),
        (now_ms, rules): (i64, Rules),
        out: &mut Vec<Action>,
    ) {
        let clock = (now_ms, rules);
        if self.consumer_group(request.group).is_some_and(|group| !group.members.is_empty()) {
            // Kafka would let the member in beside those of the other protocol.
            let error = ErrorCode::InconsistentGroupProtocol;
            return out.push(Action::Join(caller, refused(error, request.member)));
        }
        self.forget_empty_consumer_group(request.group, out);
        match request.member {
            Some(id) => match self.group_mut(request.group) {
                Some(group) => group.join_named(request, (caller, id), clock, out),
                None => {
                    let unknown = refused(ErrorCode::UnknownMemberId, Some(id));
                    out.push(Action::Join(caller, unknown));
                }
            },
            None => {
                let number = self.term.get() << NUMBERS_PER_TERM_BITS | self.names;
                self.names += 1;
                let id = MemberId { client, number };
                let is_new = self.group(request.group).is_none();
                let group = self.get_or_create(request.group);
                group.join_new(request, (caller, id), clock, out);
                if is_new {
                    // The group is written down as soon as there is one.
                    let value = group.value(&[]);
                    out.push(Action::Write(value, crate::group::AfterWrite::Nothing));
                }
            }
        }
    }

    /// Kafka: classicGroupSync.
    pub(crate) fn sync(
        &mut self,
        request: &SyncGroupRequest,
        caller: Caller,
        out: &mut Vec<Action>,
    ) {
        match self.group_mut(request.identity.group) {
            Some(group) => group.sync(request, caller, out),
            None => out.push(Action::Sync(caller, sync_refused(ErrorCode::UnknownMemberId))),
        }
    }

    /// An assignment is committed, or is not.
    pub(crate) fn assigned(
        &mut self,
        (group, generation): (GroupId, u32),
        result: Result<&[GroupMember], ErrorCode>,
        clock: (i64, Rules),
        out: &mut Vec<Action>,
    ) {
        if let Some(group) = self.group_mut(group) {
            group.assigned(generation, result, clock, out);
        }
    }

    /// Returns what the member is answered when all that was written is committed, or an error that
    /// it is told at once, as Kafka does with what is thrown. Kafka: classicGroupHeartbeat.
    pub(crate) fn heartbeat(
        &mut self,
        identity: GroupIdentity,
        now_ms: i64,
    ) -> Result<Option<ErrorCode>, ErrorCode> {
        let member = identity.member.ok_or(ErrorCode::UnknownMemberId)?;
        let group = self.group_mut(identity.group).ok_or(ErrorCode::UnknownMemberId)?;
        group.heartbeat(member, now_ms)
    }

    /// As [`GroupShard::heartbeat`]. Kafka: classicGroupLeave.
    pub(crate) fn leave(
        &mut self,
        identity: GroupIdentity,
        clock: (i64, Rules),
        out: &mut Vec<Action>,
    ) -> Result<Option<ErrorCode>, ErrorCode> {
        let (member, _) = identity.member.ok_or(ErrorCode::UnknownMemberId)?;
        let group = self.group_mut(identity.group).ok_or(ErrorCode::UnknownMemberId)?;
        Ok(group.leave(member, clock, out))
    }

    /// Somebody who waits for JoinGroup or SyncGroup was told something else; the groups wait on.
    pub(crate) fn abandon(&mut self, caller: Caller) {
        let members = self.groups.iter_mut().flat_map(|group| &mut group.members);
        for waiting in members.flat_map(|it| [&mut it.awaiting_join, &mut it.awaiting_sync]) {
            if *waiting == Some(caller) {
                *waiting = Some(NOBODY);
            }
        }
    }

    /// Whether offsets of these partitions may be committed, in a transaction or not. A member of
    /// the classic protocol that commits lives.
    /// Kafka: OffsetMetadataManager.validateOffsetCommit, validateTransactionalOffsetCommit.
    pub(crate) fn check_commit(
        &mut self,
        identity: GroupIdentity,
        partitions: impl Iterator<Item = TopicPartition>,
        in_transaction: bool,
        now_ms: i64,
    ) -> Result<(), ErrorCode> {
        if let Some(group) = self.consumer_group(identity.group) {
            return group.check_commit(identity, partitions, in_transaction);
        }
        if identity.member.is_none() {
            self.get_or_create(identity.group);
        }
        let group = self.group_mut(identity.group).ok_or(ErrorCode::GroupIdNotFound)?;
        group.check_commit(identity, in_transaction)?;
        if !in_transaction && let Some((member, _)) = identity.member {
            group.reschedule(member, now_ms);
        }
        Ok(())
    }

    /// Whether the committed offsets of a group may be told to whoever asks.
    /// Kafka: OffsetMetadataManager.validateOffsetFetch.
    pub(crate) fn check_fetch(&self, identity: GroupIdentity) -> Result<(), ErrorCode> {
        self.consumer_group(identity.group).map_or(Ok(()), |group| group.check_fetch(identity))
    }

    /// The committed offset of a partition, unless a transaction may still change it.
    /// Kafka: OffsetMetadataManager.fetchOffsets with requireStable.
    pub(crate) fn fetch(&self, group: GroupId, partition: TopicPartition) -> CommittedResult {
        if self.offsets.is_pending(group, partition) {
            return Err(ErrorCode::UnstableOffsetCommit);
        }
        Ok(self.offsets.get(group, partition))
    }

    /// When time has something to do next, in milliseconds of the clock.
    pub(crate) fn next_ms(&self) -> Option<i64> {
        let classic = self.groups.iter().filter_map(ClassicGroup::next_ms);
        classic.chain(self.sessions.next_ms()).min()
    }

    /// Does one thing that is due. Returns whether there was anything.
    pub(crate) fn expire(&mut self, (now_ms, rules): (i64, Rules), out: &mut Vec<Action>) -> bool {
        self.groups.iter_mut().any(|group| group.expire(now_ms, rules, out))
            || self.expire_sessions(now_ms, out)
    }

    /// Whoever waits is told that this is not the coordinator. Kafka: onUnloaded.
    pub(crate) fn unload(&mut self, out: &mut Vec<Action>) {
        for group in &mut self.groups {
            group.unload(out);
        }
    }

    /// The offsets that are committed, by group and partition.
    pub(crate) fn committed(&self) -> impl Iterator<Item = &CommittedOffset> {
        self.offsets.iter()
    }
}
