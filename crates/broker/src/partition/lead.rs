//! A partition's leader: taking over, hearing from followers, changing the in-sync replicas.

use crate::metadata_cache::MetadataCache;
use crate::partition::in_sync::{InSyncReplicas, PendingChange};
use crate::partition::remote::{InSync, Remote, Term};
use crate::partition::{Leadership, Partition};
use inflight_des::{Instant, Span};
use inflight_protocol::control::{IsrChange, PartitionRegistration};
use inflight_protocol::message::{EpochEndOffset, FetchPartition};
use inflight_protocol::{
    BrokerEpoch, BrokerId, BrokerSet, Cluster, ErrorCode, LeaderEpoch, Offset,
};
use smallvec::SmallVec;

/// What a metadata change meant to a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RoleChange {
    /// It is older than what the replica knows.
    Stale,
    /// The leader epoch is the same.
    SameEpoch,
    /// There is a new leader epoch.
    NewEpoch,
}

impl Partition {
    /// This replica leads. A new leader epoch starts at the end of the log, and what is known of
    /// the followers starts afresh. Kafka: Partition.makeLeader.
    pub(crate) fn make_leader(
        &mut self,
        cluster: &Cluster,
        registration: &PartitionRegistration,
        now: Instant,
    ) -> RoleChange {
        if self.partition_epoch.is_some_and(|known| registration.partition_epoch < known) {
            return RoleChange::Stale;
        }
        let epoch = registration.leader_epoch;
        let is_new_epoch = self.leader_epoch.is_none_or(|known| epoch > known);
        let term = if self.leadership.is_some() { Term::Again } else { Term::First };
        let start = self.log.end();
        let followers = cluster.replicas(self.id).iter().filter(|id| **id != self.broker);
        let leadership = self.leadership.get_or_insert_with(|| Leadership {
            epoch,
            start,
            in_sync: InSyncReplicas::new(registration.isr),
            remotes: followers.map(|id| Remote::new(*id)).collect(),
        });
        leadership.in_sync.commit(registration.isr);
        if is_new_epoch {
            for remote in &mut leadership.remotes {
                let is_member = registration.isr.contains(remote.broker);
                let in_sync = if is_member { InSync::Yes } else { InSync::No };
                remote.reset(now, start, term, in_sync);
            }
            (leadership.epoch, leadership.start) = (epoch, start);
            self.log.start_epoch(epoch);
            self.leader_epoch = Some(epoch);
        }
        self.leader = Some(self.broker);
        self.partition_epoch = Some(registration.partition_epoch);
        if is_new_epoch { RoleChange::NewEpoch } else { RoleChange::SameEpoch }
    }

    /// Compares the leader epoch in a request with the one known here.
    /// Kafka: Partition.checkCurrentLeaderEpoch.
    #[inline]
    pub(crate) fn check_leader_epoch(&self, requested: LeaderEpoch) -> Result<(), ErrorCode> {
        match self.leader_epoch.cmp(&Some(requested)) {
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => Err(ErrorCode::FencedLeaderEpoch),
            std::cmp::Ordering::Less => Err(ErrorCode::UnknownLeaderEpoch),
        }
    }

    /// Whether a follower may read here: the leader epochs agree, this replica leads, and it
    /// knows the follower. Kafka: Partition.localLogWithEpochOrThrow, followerReplicaOrThrow.
    #[inline]
    pub(crate) fn check_fetch(
        &self,
        follower: BrokerId,
        fetch: &FetchPartition,
    ) -> Result<&Leadership, ErrorCode> {
        self.check_leader_epoch(fetch.current_leader_epoch)?;
        let leadership = self.leadership.as_ref().ok_or(ErrorCode::NotLeaderOrFollower)?;
        leadership.remote(follower).map(|_| leadership).ok_or(ErrorCode::UnknownLeaderEpoch)
    }

    /// Where the follower's log parts from this one, if it does. An error if this replica cannot
    /// tell, or if the follower is beyond its end. Kafka: Partition.readRecords.
    #[inline]
    pub(crate) fn diverging_epoch(
        &self,
        fetch: &FetchPartition,
    ) -> Result<Option<EpochEndOffset>, ErrorCode> {
        let Some(last) = fetch.last_fetched_epoch else {
            let is_within = fetch.fetch_offset <= self.log.end();
            return if is_within { Ok(None) } else { Err(ErrorCode::OffsetOutOfRange) };
        };
        let end = self.log.end_offset_for(last).ok_or(ErrorCode::OffsetOutOfRange)?;
        let diverges = end.epoch < last || end.end_offset < fetch.fetch_offset;
        Ok(diverges.then_some(end))
    }

    /// The usual fetch: a follower that is in sync and has all there is asks for more. What the
    /// other functions would find out step by step is seen at a glance: there is nothing to read,
    /// nothing to cut, and nothing to change but when the follower was heard of. `None` if it is
    /// not this case.
    #[inline]
    pub(crate) fn usual_fetch(
        &mut self,
        follower: BrokerId,
        fetch: &FetchPartition,
        metadata: &MetadataCache,
    ) -> Option<&mut Remote> {
        let (end, last_epoch) = (self.log.end(), self.log.epochs().latest());
        let leadership = self.leadership.as_mut()?;
        let is_same_epoch = match fetch.last_fetched_epoch {
            Some(_) => fetch.last_fetched_epoch == last_epoch,
            None => end == Offset::ZERO,
        };
        let is_usual = fetch.fetch_offset == end
            && is_same_epoch
            && fetch.current_leader_epoch == leadership.epoch
            && leadership.in_sync.committed().contains(follower);
        let remote = leadership.remote_mut(follower).filter(|_| is_usual)?;
        let is_known =
            remote.log_end == Some(end) && remote.epoch == metadata.alive_epoch(follower);
        is_known.then_some(remote)
    }

    /// A follower has fetched from an offset. Returns its new log end if that is another, or the
    /// error if its broker epoch is a former one.
    /// Kafka: Partition.updateFollowerFetchState, Replica.updateFetchStateOrThrow.
    #[inline]
    pub(crate) fn follower_fetched(
        &mut self,
        follower: BrokerId,
        offset: Offset,
        epoch: BrokerEpoch,
        now: Instant,
        metadata: &MetadataCache,
    ) -> Result<Option<Offset>, ErrorCode> {
        let leader_end = self.log.end();
        let leadership = self.leadership.as_mut().ok_or(ErrorCode::NotLeaderOrFollower)?;
        let remote = leadership.remote_mut(follower).ok_or(ErrorCode::UnknownLeaderEpoch)?;
        if metadata.alive_epoch(follower).is_some_and(|known| known > epoch) {
            return Err(ErrorCode::NotLeaderOrFollower);
        }
        let before = remote.log_end;
        remote.fetched(offset, leader_end, now, epoch);
        Ok((before != Some(offset)).then_some(offset))
    }

    /// Proposes to add a follower that is in sync again: it has everything that is committed, and
    /// everything up to the start of this leader's epoch. Kafka: Partition.maybeExpandIsr.
    #[inline]
    pub(crate) fn maybe_expand_isr(
        &mut self,
        follower: BrokerId,
        metadata: &MetadataCache,
    ) -> Option<Proposal> {
        let high_watermark = self.log.high_watermark();
        let leadership = self.leadership.as_mut()?;
        if leadership.in_sync.pending().is_some()
            || leadership.in_sync.committed().contains(follower)
        {
            return None;
        }
        let remote = leadership.remote(follower)?;
        let end = remote.log_end?;
        let is_in_sync = end >= high_watermark && end >= leadership.start;
        if !is_in_sync || !metadata.may_join(follower, remote.epoch) {
            return None;
        }
        self.propose(PendingChange::Expand(follower))
    }

    /// Proposes to remove the followers that have not been caught up for too long.
    /// Kafka: Partition.maybeShrinkIsr, getOutOfSyncReplicas.
    pub(crate) fn maybe_shrink_isr(&mut self, now: Instant, lag_max: Span) -> Option<Proposal> {
        let leader_end = self.log.end();
        let leadership = self.leadership.as_ref()?;
        if leadership.in_sync.pending().is_some() {
            return None;
        }
        let members = leadership.in_sync.committed().without(self.broker);
        let leaving: BrokerSet = members
            .iter()
            .filter(|member| {
                let remote = leadership.remote(*member);
                remote.is_none_or(|remote| !remote.is_caught_up(leader_end, now, lag_max))
            })
            .collect();
        if leaving.is_empty() {
            return None;
        }
        self.propose(PendingChange::Shrink(leaving))
    }

    fn propose(&mut self, change: PendingChange) -> Option<Proposal> {
        let leadership = self.leadership.as_mut()?;
        let from = leadership.in_sync.committed();
        let number = leadership.in_sync.propose(change);
        Some(Proposal { number, from, to: leadership.in_sync.proposed()? })
    }

    /// The request that asks the controller for a proposed set. A member that has not fetched
    /// from this leader yet is named with the broker epoch that the metadata has; Kafka would
    /// leave it out. Kafka: Partition.prepareIsrExpand, addBrokerEpochToIsr.
    pub(crate) fn isr_change(
        &self,
        isr: BrokerSet,
        own_epoch: BrokerEpoch,
        metadata: &MetadataCache,
    ) -> Option<IsrChange> {
        let leadership = self.leadership.as_ref()?;
        let broker_epochs: SmallVec<[BrokerEpoch; 3]> = isr
            .iter()
            .map(|member| {
                if member == self.broker {
                    return own_epoch;
                }
                let fetched = leadership.remote(member).and_then(|remote| remote.epoch);
                fetched.or_else(|| metadata.registered_epoch(member)).unwrap_or_default()
            })
            .collect();
        Some(IsrChange {
            partition: self.id,
            leader_epoch: leadership.epoch,
            partition_epoch: self.partition_epoch?,
            isr,
            broker_epochs,
        })
    }

    /// The controller has answered a proposal that is still the current one. Returns whether the
    /// proposal has to be made again. Kafka: Partition.handleAlterPartitionUpdate and
    /// handleAlterPartitionError.
    pub(crate) fn isr_answered(
        &mut self,
        result: Result<PartitionRegistration, ErrorCode>,
    ) -> Verdict {
        let (leader_epoch, partition_epoch) = (self.leader_epoch, self.partition_epoch);
        let Some(leadership) = self.leadership.as_mut() else { return Verdict::Settled };
        match result {
            Ok(new) => {
                let is_stale = Some(new.leader_epoch) != leader_epoch
                    || Some(new.partition_epoch) < partition_epoch;
                if !is_stale {
                    leadership.in_sync.commit(new.isr);
                    self.partition_epoch = Some(new.partition_epoch);
                }
                Verdict::Settled
            }
            // The controller says that it did not apply it, so the last committed set holds.
            Err(ErrorCode::OperationNotAttempted | ErrorCode::IneligibleReplica) => {
                leadership.in_sync.revert();
                Verdict::Settled
            }
            // Metadata is on its way; until then the proposal stays.
            Err(
                ErrorCode::UnknownTopicOrPartition
                | ErrorCode::UnknownTopicId
                | ErrorCode::FencedLeaderEpoch
                | ErrorCode::InvalidUpdateVersion
                | ErrorCode::InvalidRequest
                | ErrorCode::NewLeaderElected,
            ) => Verdict::Settled,
            Err(_) => Verdict::AskAgain,
        }
    }
}

/// A proposed in-sync replica set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Proposal {
    /// The number of the proposal.
    pub(crate) number: u32,
    /// The committed set.
    pub(crate) from: BrokerSet,
    /// The proposed set.
    pub(crate) to: BrokerSet,
}

/// What to do after the answer to a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing: it is decided, or metadata will decide it.
    Settled,
    /// Ask the controller again.
    AskAgain,
}

#[cfg(test)]
mod tests;
