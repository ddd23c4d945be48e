//! Requests of consumers and members of groups, by hand.

use super::*;
use inflight_protocol::message::{
    ConsumerFetchPartitionResponse, ConsumerFetchRequest, FetchPartition, GroupIdentity,
    IsolationLevel, JoinGroupRequest, JoinGroupResponse, ListOffsetsRequest, OffsetAndEpoch,
    OffsetCommitRequest, OffsetFetchRequest, OffsetForLeaderEpochRequest, OffsetSpec,
    RebalanceProtocol, SyncGroupRequest, TxnOffsetCommitRequest,
};
use inflight_protocol::transaction::{CommittedOffset, GroupMember, MemberId};
use inflight_protocol::{GroupId, LeaderEpoch, TopicId};

/// The partition of `__consumer_offsets` that the group belongs to.
pub(crate) const OFFSETS: TopicPartition = TopicPartition::new(3);
/// The group.
pub(crate) const READERS: GroupId = GroupId::new(0);
pub(crate) const UNCOMMITTED: IsolationLevel = IsolationLevel::ReadUncommitted;
pub(crate) const COMMITTED: IsolationLevel = IsolationLevel::ReadCommitted;

/// A member with its generation.
pub(crate) type Membership = Option<(MemberId, u32)>;

/// A fetch of one partition in leader epoch 0 with the defaults of a consumer.
pub(crate) fn fetch(
    partition: TopicPartition,
    from: u64,
    isolation: IsolationLevel,
) -> ConsumerFetchRequest {
    ConsumerFetchRequest {
        isolation,
        max_wait_ms: 500,
        min_bytes: 1,
        max_bytes: 52_428_800,
        partitions: smallvec::smallvec![FetchPartition {
            partition,
            current_leader_epoch: LeaderEpoch::new(0),
            fetch_offset: offset(from),
            last_fetched_epoch: None,
            log_start_offset: Offset::ZERO,
            max_bytes: 1_048_576,
        }],
    }
}

pub(crate) fn join_request(member: Option<MemberId>) -> JoinGroupRequest {
    JoinGroupRequest {
        group: READERS,
        member,
        session_timeout_ms: 45_000,
        rebalance_timeout_ms: 300_000,
        protocol: RebalanceProtocol::Eager,
        topics: smallvec::smallvec![TopicId::new(0)],
        owned: Default::default(),
        generation: None,
    }
}

fn committed(partition: TopicPartition, at: u64) -> CommittedOffset {
    CommittedOffset { group: READERS, partition, offset: offset(at), leader_epoch: None }
}

fn number(error: Option<ErrorCode>) -> i16 {
    error.map_or(0, ErrorCode::number)
}

impl World {
    /// The entry and the runs that a fetch was answered with.
    pub(crate) fn fetched(
        &self,
        correlation: CorrelationId,
    ) -> Option<(ConsumerFetchPartitionResponse, Vec<(u64, u32)>)> {
        let Response::ConsumerFetch(response) = self.answer(correlation)?.1 else {
            panic!("a fetch is answered as such");
        };
        let runs = response.batches.iter().map(|b| (b.base_offset.get(), b.records.count));
        Some((response.partitions[0], runs.collect()))
    }

    /// Fetches from a broker and waits for the answer: the error code, or the batches.
    pub(crate) fn fetch_now(
        &mut self,
        id: u8,
        request: ConsumerFetchRequest,
    ) -> Result<Vec<(u64, u32)>, i16> {
        let correlation = self.send_request(id, Request::ConsumerFetch(request));
        self.run_until_so(|world| world.answer(correlation).is_some());
        let (entry, runs) = self.fetched(correlation).expect("it is answered");
        entry.error.map_or(Ok(runs), |error| Err(error.number()))
    }

    /// Where a partition begins or ends for a reader: the error code, or the offset.
    pub(crate) fn list(
        &mut self,
        id: u8,
        partition: TopicPartition,
        (epoch, spec, isolation): (u32, OffsetSpec, IsolationLevel),
    ) -> Result<u64, i16> {
        let partitions = smallvec::smallvec![(partition, LeaderEpoch::new(epoch), spec)];
        let request = ListOffsetsRequest { isolation, partitions };
        let Response::ListOffsets(response) = self.ask(id, Request::ListOffsets(request)) else {
            panic!("ListOffsets is answered as such");
        };
        let found = response.partitions[0].1.map_err(ErrorCode::number);
        found.map(|OffsetAndEpoch { offset, .. }| offset.map_or(u64::MAX, Offset::get))
    }

    /// Where a leader epoch ends: the error code, or epoch and offset.
    pub(crate) fn epoch_end(
        &mut self,
        id: u8,
        partition: TopicPartition,
        current: u32,
        wanted: u32,
    ) -> Result<Option<(u32, u64)>, i16> {
        let epochs = (partition, LeaderEpoch::new(current), LeaderEpoch::new(wanted));
        let request = OffsetForLeaderEpochRequest { partitions: smallvec::smallvec![epochs] };
        let response = self.ask(id, Request::OffsetForLeaderEpoch(request));
        let Response::OffsetForLeaderEpoch(response) = response else {
            panic!("OffsetForLeaderEpoch is answered as such");
        };
        let found = response.partitions[0].1.map_err(ErrorCode::number)?;
        Ok(found.map(|end| (end.epoch.get(), end.end_offset.get())))
    }

    /// Joins until there is an answer other than that a name is required.
    pub(crate) fn join(&mut self, id: u8, member: Option<MemberId>) -> JoinGroupResponse {
        let request = Request::JoinGroup(Box::new(join_request(member)));
        match self.ask(id, request) {
            Response::JoinGroup(response) => *response,
            other => panic!("{other:?}"),
        }
    }

    /// Gets a name.
    pub(crate) fn name(&mut self, id: u8) -> MemberId {
        let response = self.join(id, None);
        assert_eq!(number(response.error), 79);
        response.member.expect("a name comes with it")
    }

    /// A member that is alone in its group, with the first partition.
    pub(crate) fn lone_member(&mut self) -> (MemberId, u32) {
        let leader = self.leader(OFFSETS);
        let name = self.name(leader);
        let joined = self.join(leader, Some(name));
        assert_eq!((joined.error, joined.leader), (None, Some(name)));
        let member = (name, joined.generation);
        assert_eq!(self.sync(member, &[(name, P0)]), Ok(vec![P0]));
        member
    }

    /// SyncGroup: the error code, or the partitions.
    pub(crate) fn sync(
        &mut self,
        member: (MemberId, u32),
        shares: &[(MemberId, TopicPartition)],
    ) -> Result<Vec<TopicPartition>, i16> {
        let assignments = shares.iter().map(|(member, partition)| GroupMember {
            member: *member,
            assignment: smallvec::smallvec![*partition],
        });
        let identity = GroupIdentity { group: READERS, member: Some(member) };
        let request = SyncGroupRequest { identity, assignments: assignments.collect() };
        match self.ask(self.leader(OFFSETS), Request::SyncGroup(request)) {
            Response::SyncGroup(response) => match response.error {
                None => Ok(response.assignment.to_vec()),
                Some(error) => Err(error.number()),
            },
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn heartbeat(&mut self, member: (MemberId, u32)) -> i16 {
        let identity = GroupIdentity { group: READERS, member: Some(member) };
        match self.ask(self.leader(OFFSETS), Request::Heartbeat(identity)) {
            Response::Heartbeat(error) => number(error),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn commit_request(member: Membership, at: u64) -> Request {
        let identity = GroupIdentity { group: READERS, member };
        let offsets = smallvec::smallvec![committed(P0, at)];
        Request::OffsetCommit(OffsetCommitRequest { identity, offsets })
    }

    /// OffsetCommit to the leader of the group's partition: the error code, or 0.
    pub(crate) fn commit(&mut self, member: Membership, at: u64) -> i16 {
        let leader = self.leader(OFFSETS);
        self.commit_to(leader, member, at)
    }

    pub(crate) fn commit_to(&mut self, id: u8, member: Membership, at: u64) -> i16 {
        match self.ask(id, Self::commit_request(member, at)) {
            Response::OffsetCommit(response) => number(response.partitions[0].1),
            other => panic!("{other:?}"),
        }
    }

    /// TxnOffsetCommit: the error code, or 0.
    pub(crate) fn commit_in(&mut self, client: &Client, member: Membership, at: u64) -> i16 {
        let identity = GroupIdentity { group: READERS, member };
        let request = TxnOffsetCommitRequest {
            who: client.who(),
            version: client.version,
            identity,
            offsets: smallvec::smallvec![committed(P0, at)],
        };
        match self.ask(self.leader(OFFSETS), Request::TxnOffsetCommit(request)) {
            Response::TxnOffsetCommit(response) => number(response.partitions[0].1),
            other => panic!("{other:?}"),
        }
    }

    /// OffsetFetch: the error code, or the offset.
    pub(crate) fn fetch_offset(&mut self) -> Result<Option<u64>, i16> {
        let identity = GroupIdentity { group: READERS, member: None };
        let request = OffsetFetchRequest { identity, partitions: smallvec::smallvec![P0] };
        match self.ask(self.leader(OFFSETS), Request::OffsetFetch(request)) {
            Response::OffsetFetch(response) => match response.error {
                Some(error) => Err(error.number()),
                None => response.partitions[0]
                    .1
                    .map(|found| found.map(|committed| committed.offset.get()))
                    .map_err(ErrorCode::number),
            },
            other => panic!("{other:?}"),
        }
    }
}
