//! Members join and live. Kafka: GroupMetadataManager.consumerGroupHeartbeat.

use super::reconcile::Step;
use super::{ConsumerGroup, Member};
use crate::group::assignor::{self, Candidate, Partitions};
use crate::group::{Action, Rules};
use inflight_protocol::config::ServerAssignor;
use inflight_protocol::consumer_group::{
    ConsumerGroupRecord, CurrentAssignment, ReconciliationState,
};
use inflight_protocol::message::{ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse};
use inflight_protocol::transaction::MemberId;
use inflight_protocol::{ErrorCode, Topics};
use std::collections::BTreeMap;

/// A heartbeat that is not a farewell, with what it is judged by.
#[derive(Clone, Copy, Debug)]
pub(in crate::group) struct Beat<'a> {
    pub(in crate::group) request: &'a ConsumerGroupHeartbeatRequest,
    /// The member epoch of the request.
    pub(in crate::group) epoch: u32,
    pub(in crate::group) now_ms: i64,
    pub(in crate::group) rules: Rules,
    pub(in crate::group) names: &'a Topics,
}

/// What came of a heartbeat.
#[derive(Clone, Debug)]
pub(in crate::group) struct Beaten {
    pub(in crate::group) response: ConsumerGroupHeartbeatResponse,
    /// What is to be written.
    pub(in crate::group) records: Vec<ConsumerGroupRecord>,
    /// What the member has from now on, if that has changed.
    pub(in crate::group) current: Option<CurrentAssignment>,
    /// max.poll.interval.ms
    pub(in crate::group) rebalance_timeout_ms: u32,
    /// What the group remembers of it.
    pub(in crate::group) refreshed: Option<u32>,
}

/// The target assignment that counts from this heartbeat on.
struct Targets {
    epoch: u32,
    /// Of the member whose heartbeat it is.
    own: Partitions,
}

impl ConsumerGroup {
    /// What a heartbeat leads to. The group itself changes when that is written.
    pub(in crate::group) fn heartbeat(
        &self,
        beat: Beat<'_>,
        out: &mut Vec<Action>,
    ) -> Result<Beaten, ErrorCode> {
        let Beat { request, epoch, .. } = beat;
        let id = request.member;
        let known = self.members.get(&id);
        if known.is_none() && self.members.len() >= beat.rules.consumer.max_size as usize {
            return Err(ErrorCode::GroupMaxSizeReached);
        }
        let mut member = match known {
            Some(known) => known.clone(),
            None if epoch == 0 => Member::default(),
            None => return Err(ErrorCode::UnknownMemberId),
        };
        member.check_epoch(epoch, request.owned.as_deref())?;
        let mut records = Vec::new();
        let before = member.clone();
        member.update(request);
        if known.is_none() || member.metadata != before.metadata {
            let metadata = Some(Box::new(member.metadata.clone()));
            records.push(ConsumerGroupRecord::Member(id, metadata));
        }
        let has_subscription_changed = member.metadata.topics != before.metadata.topics;
        let assignor = self.preferred_assignor(Some((id, &member)), beat.rules);
        let mut group_epoch = self.epoch;
        if has_subscription_changed || assignor != self.preferred_assignor(None, beat.rules) {
            group_epoch += 1;
            records.push(ConsumerGroupRecord::Epoch(Some(group_epoch)));
        }
        let members = (self.members.len() + usize::from(known.is_none())) as u32;
        if known.is_none() {
            out.push(Action::Joined(self.id, id));
        }
        // Kafka: hasMetadataExpired.
        let is_due = group_epoch > self.epoch || self.refreshed.is_none_or(|at| at > self.epoch);
        let refreshed = if is_due { Some(group_epoch) } else { self.refreshed };
        if group_epoch > self.epoch {
            out.push(Action::Rebalanced(self.id, group_epoch, members));
        }
        let assignor = assignor.map(|assignor| (assignor, is_due));
        let targets = self.update_targets(group_epoch, (id, &member), assignor, beat, &mut records);
        if targets.epoch > self.target_epoch {
            out.push(Action::Targeted(self.id, targets.epoch, members));
        }
        let step = Step {
            target_epoch: targets.epoch,
            target: &targets.own,
            has_subscription_changed,
            owned: request.owned.as_deref(),
            names: beat.names,
        };
        let next = self.reconcile(id, &member, step);
        let has_changed = next != member.current;
        if has_changed {
            records.push(ConsumerGroupRecord::Current(id, Some(Box::new(next.clone()))));
            out.push(Action::Reconciled(self.id, id, Box::new(next.clone())));
        }
        let partitions = |of: &CurrentAssignment| -> Partitions {
            of.assigned.iter().map(|(partition, _)| *partition).collect()
        };
        let is_full = request.rebalance_timeout_ms.is_some()
            && request.topics.is_some()
            && request.owned.is_some();
        let is_told = epoch == 0 || is_full || partitions(&next) != partitions(&before.current);
        let response = ConsumerGroupHeartbeatResponse {
            error: None,
            epoch: Some(next.epoch),
            heartbeat_interval_ms: beat.rules.consumer.heartbeat_interval_ms,
            assignment: is_told.then(|| partitions(&next)),
        };
        let rebalance_timeout_ms = member.metadata.rebalance_timeout_ms;
        let current = has_changed.then_some(next);
        Ok(Beaten { response, records, current, rebalance_timeout_ms, refreshed })
    }

    /// What most members ask for, or the first one of the broker's list. `with` is a member as its
    /// heartbeat describes it. Where two are asked for by as many, the order of Kafka's hash maps
    /// decides: uniform comes first, unless only this member asks for the other. So if one member
    /// asks for uniform and one for range, each heartbeat of the latter is a new group epoch.
    /// Kafka: computePreferredServerAssignor, preferredServerAssignor.
    fn preferred_assignor(
        &self,
        with: Option<(MemberId, &Member)>,
        rules: Rules,
    ) -> Option<ServerAssignor> {
        let others =
            self.members.iter().filter(|(id, _)| with.is_none_or(|(other, _)| other != **id));
        let others = others.filter_map(|(_, member)| member.metadata.assignor);
        let own = with.and_then(|(_, member)| member.metadata.assignor);
        let (mut uniform, mut range) = (0, 0);
        for assignor in others.chain(own) {
            match assignor {
                ServerAssignor::Uniform => uniform += 1,
                ServerAssignor::Range => range += 1,
            }
        }
        match (uniform, range) {
            (0, 0) => rules.consumer.assignors.list().first().copied(),
            (1, 1) if own.is_some() => own,
            _ if range > uniform => Some(ServerAssignor::Range),
            _ => Some(ServerAssignor::Uniform),
        }
    }

    /// With the assignor comes whether it is told of a newcomer that subscribes to nothing. If not,
    /// it takes all for subscribers of what the first one subscribes to, if the others are.
    /// Kafka: maybeUpdateTargetAssignment, TargetAssignmentBuilder.build.
    fn update_targets(
        &self,
        group_epoch: u32,
        (id, member): (MemberId, &Member),
        assignor: Option<(ServerAssignor, bool)>,
        beat: Beat<'_>,
        records: &mut Vec<ConsumerGroupRecord>,
    ) -> Targets {
        let interval_ms = i64::from(beat.rules.consumer.assignment_interval_ms);
        let is_early = self.target_ms != 0 && beat.now_ms < self.target_ms + interval_ms;
        let assignor = assignor.filter(|_| group_epoch > self.target_epoch && !is_early);
        let Some((assignor, is_told)) = assignor else {
            return Targets {
                epoch: self.target_epoch,
                own: member.target.clone().unwrap_or_default(),
            };
        };
        let mut members: BTreeMap<MemberId, &Member> =
            self.members.iter().map(|(id, member)| (*id, member)).collect();
        members.insert(id, member);
        let mut candidates: Vec<Candidate> = members
            .iter()
            .map(|(id, member)| Candidate {
                id: *id,
                topics: member.metadata.topics.clone(),
                target: member.target.clone().unwrap_or_default(),
            })
            .collect();
        if !is_told && self.is_homogeneous() {
            let topics = candidates[0].topics.clone();
            candidates.iter_mut().for_each(|candidate| candidate.topics.clone_from(&topics));
        }
        let targets = assignor::assign(assignor, &candidates, beat.names);
        let mut own = Partitions::new();
        for (candidate, target) in candidates.iter().zip(targets) {
            if candidate.id == id {
                own.clone_from(&target);
            }
            let known = self.members.get(&candidate.id).and_then(|known| known.target.as_ref());
            if known != Some(&target) {
                records.push(ConsumerGroupRecord::Target(candidate.id, Some(target)));
            }
        }
        records.push(ConsumerGroupRecord::TargetEpoch(Some((group_epoch, beat.now_ms))));
        Targets { epoch: group_epoch, own }
    }
}

impl Member {
    /// Takes over what a heartbeat says of the member. Kafka: ConsumerGroupMember.Builder.
    fn update(&mut self, request: &ConsumerGroupHeartbeatRequest) {
        let metadata = &mut self.metadata;
        if let Some(topics) = &request.topics {
            metadata.topics.clone_from(topics);
            metadata.topics.sort_unstable();
        }
        metadata.rebalance_timeout_ms =
            request.rebalance_timeout_ms.unwrap_or(metadata.rebalance_timeout_ms);
        metadata.assignor = request.assignor.or(metadata.assignor);
    }
}

impl Beaten {
    /// Whether the member has to give up partitions before its rebalance timeout, if that is news.
    pub(in crate::group) fn must_revoke(&self) -> Option<bool> {
        let state = self.current.as_ref().map(|current| current.state);
        state.map(|state| state == ReconciliationState::UnrevokedPartitions)
    }
}
