//! Groups of the consumer protocol among the others. Kafka: GroupMetadataManager.

use super::GroupShard;
use crate::group::classic::GroupState;
use crate::group::consumer::{Beat, ConsumerGroup};
use crate::group::{Action, Due, Rules};
use inflight_protocol::consumer_group::{ConsumerGroupRecord, ReconciliationState};
use inflight_protocol::fact::LeaveCause;
use inflight_protocol::message::{ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse};
use inflight_protocol::{ErrorCode, GroupId, Topics};

impl GroupShard {
    /// A group of the consumer protocol, if there is one.
    pub(crate) fn consumer_group(&self, id: GroupId) -> Option<&ConsumerGroup> {
        self.consumer_groups.iter().find(|group| group.id == id)
    }

    /// What a heartbeat leads to, be it to join, to live or to leave. Returns what is answered when
    /// all of it is written. Kafka: consumerGroupHeartbeat.
    pub(crate) fn consumer_heartbeat(
        &mut self,
        request: &ConsumerGroupHeartbeatRequest,
        (now_ms, rules): (i64, Rules),
        names: &Topics,
        out: &mut Vec<Action>,
    ) -> Result<ConsumerGroupHeartbeatResponse, ErrorCode> {
        let Some(epoch) = request.epoch else { return self.consumer_leave(request, out) };
        let (group, member) = (request.group, request.member);
        let beat = Beat { request, epoch, now_ms, rules, names };
        let beaten = match self.consumer_group(group) {
            Some(known) => known.heartbeat(beat, out)?,
            None if epoch == 0 => {
                self.forget_empty_classic_group(group, out)?;
                ConsumerGroup::new(group).heartbeat(beat, out)?
            }
            None => return Err(ErrorCode::GroupIdNotFound),
        };
        let mut groups = self.consumer_groups.iter_mut();
        if let Some(known) = groups.find(|known| known.id == group) {
            known.refreshed = beaten.refreshed;
        }
        if let Some(must_revoke) = beaten.must_revoke() {
            let until_ms = now_ms + i64::from(beaten.rebalance_timeout_ms);
            let epoch = beaten.response.epoch.unwrap_or_default();
            let timer = must_revoke.then_some((until_ms, epoch));
            self.sessions.set_rebalance(group, member, timer);
        }
        let session_ms = i64::from(rules.consumer.session_timeout_ms);
        self.sessions.begin_session(group, member, now_ms + session_ms);
        if !beaten.records.is_empty() {
            out.push(Action::WriteConsumerGroup(group, beaten.records));
        }
        Ok(beaten.response)
    }

    /// Kafka: consumerGroupLeave.
    fn consumer_leave(
        &mut self,
        request: &ConsumerGroupHeartbeatRequest,
        out: &mut Vec<Action>,
    ) -> Result<ConsumerGroupHeartbeatResponse, ErrorCode> {
        let (id, member) = (request.group, request.member);
        let group = self.consumer_group(id).ok_or(ErrorCode::GroupIdNotFound)?;
        if !group.members.contains_key(&member) {
            return Err(ErrorCode::UnknownMemberId);
        }
        group.fence(member, LeaveCause::Left, out);
        self.sessions.cancel(id, member);
        Ok(ConsumerGroupHeartbeatResponse {
            error: None,
            epoch: None,
            heartbeat_interval_ms: 0,
            assignment: None,
        })
    }

    /// What was to put a member out is not committed in time.
    pub(crate) fn retry(&mut self, due: Due, now_ms: i64) {
        self.sessions.retry(due, now_ms);
    }

    /// Puts the first member out whose time is over. Returns whether there was one.
    /// Kafka: consumerGroupFenceMemberOperation.
    pub(super) fn expire_sessions(&mut self, now_ms: i64, out: &mut Vec<Action>) -> bool {
        let Some(due) = self.sessions.take_due(now_ms) else { return false };
        out.push(Action::Again(due));
        let Some(group) = self.consumer_group(due.group) else { return true };
        let Some(member) = group.members.get(&due.member) else { return true };
        if due.epoch.is_none_or(|epoch| epoch == member.current.epoch) {
            group.fence(due.member, due.why, out);
            self.sessions.cancel(due.group, due.member);
        }
        true
    }

    /// A record about a group is true from here on.
    pub(super) fn replay_consumer_group(&mut self, id: GroupId, record: &ConsumerGroupRecord) {
        let place = self.consumer_groups.iter().position(|group| group.id == id);
        let is_end = matches!(
            record,
            ConsumerGroupRecord::Epoch(None) | ConsumerGroupRecord::TargetEpoch(None)
        );
        if place.is_none() && is_end {
            return;
        }
        let place = place.unwrap_or_else(|| {
            // A simple group that has offsets becomes one of the consumer protocol.
            self.groups.retain(|group| group.id != id);
            self.consumer_groups.push(ConsumerGroup::new(id));
            self.consumer_groups.len() - 1
        });
        if !self.consumer_groups[place].replay(record) {
            self.consumer_groups.remove(place);
        }
    }

    /// The log was read to its end: the sessions of all members begin. Kafka: onLoaded.
    pub(crate) fn loaded(&mut self, (now_ms, rules): (i64, Rules)) {
        let session_ms = i64::from(rules.consumer.session_timeout_ms);
        for group in &self.consumer_groups {
            for (id, member) in &group.members {
                self.sessions.begin_session(group.id, *id, now_ms + session_ms);
                if member.current.state == ReconciliationState::UnrevokedPartitions {
                    let until_ms = now_ms + i64::from(member.metadata.rebalance_timeout_ms);
                    let timer = Some((until_ms, member.current.epoch));
                    self.sessions.set_rebalance(group.id, *id, timer);
                }
            }
        }
    }

    /// A group of the classic protocol makes way if it is empty. Kafka:
    /// getOrMaybeCreateConsumerGroup; one with members would be converted there.
    fn forget_empty_classic_group(
        &self,
        id: GroupId,
        out: &mut Vec<Action>,
    ) -> Result<(), ErrorCode> {
        match self.group(id).map(|group| group.state()) {
            None => Ok(()),
            Some(GroupState::Empty) => {
                out.push(Action::ForgetClassic(id));
                Ok(())
            }
            Some(_) => Err(ErrorCode::GroupIdNotFound),
        }
    }

    /// A group of the consumer protocol makes way if it is empty.
    /// Kafka: maybeDeleteEmptyConsumerGroup.
    pub(super) fn forget_empty_consumer_group(&mut self, id: GroupId, out: &mut Vec<Action>) {
        if self.consumer_group(id).is_some_and(|group| group.members.is_empty()) {
            self.consumer_groups.retain(|group| group.id != id);
            let records =
                vec![ConsumerGroupRecord::TargetEpoch(None), ConsumerGroupRecord::Epoch(None)];
            out.push(Action::WriteConsumerGroup(id, records));
        }
    }
}
