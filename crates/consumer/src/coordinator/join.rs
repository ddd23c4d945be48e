//! Joining the group. Kafka: AbstractCoordinator.joinGroupIfNeeded and its handlers.

use crate::consumer::Consumer;
use crate::coordinator::generation::{Generation, MemberState, ResetMember};
use crate::coordinator::heartbeat::reset_of;
use crate::env::Ctx;
use crate::network::Outcome;
use crate::request::Purpose;
use crate::subscription::TopicList;
use crate::wait::Progress;
use inflight_protocol::fact::SendError;
use inflight_protocol::message::{
    JoinGroupRequest, JoinGroupResponse, Request, Response, SyncGroupRequest,
};
use inflight_protocol::transaction::GroupMember;
use inflight_protocol::{ErrorCode, TopicPartition};
use smallvec::SmallVec;

/// How much longer than the rebalance JoinGroup may take. Kafka: JOIN_GROUP_TIMEOUT_LAPSE.
const JOIN_GROUP_TIMEOUT_LAPSE_MS: i64 = 5_000;

/// A member's partitions.
pub(crate) type Partitions = SmallVec<[TopicPartition; 4]>;

/// An attempt to join. Kafka: joinFuture.
#[derive(Clone, Debug)]
pub(crate) enum Join {
    /// There is none.
    None,
    /// JoinGroup is on its way.
    Joining,
    /// The leader has its answer and waits for metadata beyond this version, to know all topics.
    Metadata(Box<JoinGroupResponse>, u32),
    /// SyncGroup is on its way.
    Syncing,
    /// It is over, and nobody has looked at that.
    Over(Result<Partitions, JoinFailure>),
}

/// Why an attempt to join failed, as to what comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JoinFailure {
    /// The member is to say something else: it does so at once.
    Again,
    /// For a reason that another attempt may not meet. Kafka: a RetriableException, such as
    /// UnjoinedGroupException, DisconnectException, TimeoutException.
    Later,
    /// poll() throws this.
    Thrown(SendError),
}

impl JoinFailure {
    /// Any code that is not known here is a KafkaException, whatever is done about it elsewhere.
    /// Kafka: JoinGroupResponseHandler.
    const fn of_join(error: ErrorCode) -> Self {
        match error {
            ErrorCode::UnknownMemberId
            | ErrorCode::MemberIdRequired
            | ErrorCode::RebalanceInProgress => Self::Again,
            ErrorCode::CoordinatorLoadInProgress
            | ErrorCode::CoordinatorNotAvailable
            | ErrorCode::NotCoordinator => Self::Later,
            _ => Self::Thrown(SendError::Code(error)),
        }
    }

    /// The same for SyncGroup, which no coordinator that loads answers.
    /// Kafka: SyncGroupResponseHandler.
    const fn of_sync(error: ErrorCode) -> Self {
        match error {
            ErrorCode::UnknownMemberId
            | ErrorCode::IllegalGeneration
            | ErrorCode::RebalanceInProgress => Self::Again,
            ErrorCode::CoordinatorNotAvailable | ErrorCode::NotCoordinator => Self::Later,
            _ => Self::Thrown(SendError::Code(error)),
        }
    }
}

impl Consumer {
    /// Kafka: ConsumerCoordinator.rejoinNeededOrPending.
    pub(crate) fn is_rejoin_needed(&mut self) -> bool {
        if !self.subscriptions.is_auto_assigned() {
            return false;
        }
        let known = self.known_topics();
        let Some(coordinator) = &mut self.coordinator else { return false };
        let topics_came = coordinator.assignment_snapshot.as_ref().is_some_and(|had| *had != known);
        let joined = coordinator.joined_topics.as_ref();
        let is_other = joined.is_some_and(|topics| topics != self.subscriptions.topics());
        if topics_came || is_other {
            coordinator.rejoin_needed = true;
            return true;
        }
        coordinator.rejoin_needed || !matches!(coordinator.join, Join::None)
    }

    /// The topics of the group that the metadata has. Kafka: ConsumerCoordinator.MetadataSnapshot.
    pub(crate) fn known_topics(&self) -> TopicList {
        let topics = self.subscriptions.metadata_topics();
        topics.into_iter().filter(|topic| self.metadata.knows(*topic)).collect()
    }

    /// Joins as far as that goes without waiting. Returns whether the member is in the group.
    /// Kafka: ensureActiveGroup(time.timer(0)), joinGroupIfNeeded.
    pub(crate) fn ensure_active_group(&mut self, ctx: &mut Ctx<'_, '_>) -> Result<bool, SendError> {
        while self.is_rejoin_needed() {
            match self.ensure_coordinator(ctx, ctx.now_ms) {
                Progress::Done(true) => {}
                Progress::Failed(error) => return Err(error),
                Progress::Done(false) | Progress::Polling(_) | Progress::Sleeping(_) => {
                    return Ok(false);
                }
            }
            if !self.prepare_to_join(ctx) {
                return Ok(false);
            }
            self.initiate_join(ctx);
            self.poll_network(ctx);
            let Some(coordinator) = &mut self.coordinator else { return Ok(false) };
            if !matches!(coordinator.join, Join::Over(_)) {
                return Ok(false);
            }
            let Join::Over(result) = std::mem::replace(&mut coordinator.join, Join::None) else {
                unreachable!("it is over");
            };
            match result {
                Ok(assignment) => {
                    if coordinator.generation.id.is_some()
                        && coordinator.state == MemberState::Stable
                    {
                        self.join_completed(ctx, &assignment);
                        self.set_needs_join_prepare();
                    } else {
                        coordinator.reset_and_rejoin(ResetMember::Forget);
                    }
                }
                Err(failure) => {
                    if !self.join_failed(failure)? {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }

    fn set_needs_join_prepare(&mut self) {
        if let Some(coordinator) = &mut self.coordinator {
            coordinator.needs_join_prepare = true;
        }
    }

    /// Returns whether the next attempt follows at once.
    fn join_failed(&mut self, failure: JoinFailure) -> Result<bool, SendError> {
        let Some(coordinator) = &mut self.coordinator else { return Ok(false) };
        coordinator.rejoin_needed = true;
        match failure {
            JoinFailure::Again => Ok(true),
            JoinFailure::Later => Ok(false),
            JoinFailure::Thrown(error) => Err(error),
        }
    }

    /// Kafka: initiateJoinGroup, sendJoinGroupRequest.
    fn initiate_join(&mut self, ctx: &mut Ctx<'_, '_>) {
        let node = self.coordinator_node(ctx);
        let Some(coordinator) = &mut self.coordinator else { return };
        if !matches!(coordinator.join, Join::None) {
            return;
        }
        coordinator.state = MemberState::PreparingRebalance;
        let Some(node) = node else {
            coordinator.join = Join::Over(Err(JoinFailure::Later));
            return;
        };
        coordinator.join = Join::Joining;
        coordinator.joined_topics = Some(self.subscriptions.topics().clone());
        let config = ctx.env.config;
        let owned = self.subscriptions.assigned().iter().map(|state| state.partition).collect();
        let generation = coordinator.generation;
        let request = JoinGroupRequest {
            group: coordinator.group,
            member: generation.member,
            session_timeout_ms: config.session_timeout_ms as u32,
            rebalance_timeout_ms: config.max_poll_interval_ms as u32,
            protocol: coordinator.protocol,
            topics: self.subscriptions.topics().clone(),
            owned,
            generation: generation.id,
        };
        let lapse_ms = config.max_poll_interval_ms + JOIN_GROUP_TIMEOUT_LAPSE_MS;
        let timeout_ms = config.request_timeout_ms.max(lapse_ms);
        let peer = self.network.coordinator(node);
        let request = Request::JoinGroup(Box::new(request));
        self.network.send(ctx, peer, request, Purpose::JoinGroup(generation), timeout_ms);
    }

    /// Kafka: JoinGroupResponseHandler.
    pub(crate) fn join_answered(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        sent: Generation,
        outcome: Outcome,
    ) {
        let response = match outcome {
            Outcome::Response(Response::JoinGroup(response)) => response,
            other => return self.join_lost(&other),
        };
        let Some(coordinator) = &mut self.coordinator else { return };
        let Some(error) = response.error else {
            if coordinator.state != MemberState::PreparingRebalance {
                coordinator.join = Join::Over(Err(JoinFailure::Later));
                return;
            }
            coordinator.state = MemberState::CompletingRebalance;
            coordinator.heartbeat.enable(ctx);
            let id = Some(response.generation);
            coordinator.generation = Generation { id, member: response.member };
            if response.leader == response.member {
                self.lead(ctx, response);
            } else {
                self.sync(ctx, Vec::new());
            }
            return;
        };
        match error {
            ErrorCode::UnknownMemberId if coordinator.generation == sent => {
                coordinator.reset_and_rejoin(ResetMember::Forget);
            }
            ErrorCode::MemberIdRequired => {
                coordinator.generation = Generation { id: None, member: response.member };
                coordinator.rejoin_needed = true;
            }
            _ => {}
        }
        coordinator.join = Join::Over(Err(JoinFailure::of_join(error)));
        if matches!(error, ErrorCode::CoordinatorNotAvailable | ErrorCode::NotCoordinator) {
            self.drop_coordinator();
        }
    }

    /// The connection to the coordinator is gone. Kafka: CoordinatorResponseHandler.onFailure.
    fn join_lost(&mut self, outcome: &Outcome) {
        if matches!(outcome, Outcome::Disconnected) {
            self.forget_coordinator();
        }
        if let Some(coordinator) = &mut self.coordinator {
            coordinator.join = Join::Over(Err(JoinFailure::Later));
        }
    }

    /// Sends the assignments, or asks for the own one. Kafka: sendSyncGroupRequest.
    pub(crate) fn sync(&mut self, ctx: &mut Ctx<'_, '_>, assignments: Vec<GroupMember>) {
        let node = self.coordinator_node(ctx);
        let Some(coordinator) = &mut self.coordinator else { return };
        let Some(node) = node else {
            coordinator.join = Join::Over(Err(JoinFailure::Later));
            return;
        };
        coordinator.join = Join::Syncing;
        let generation = coordinator.generation;
        let identity = coordinator.identity_of(generation);
        let request = Request::SyncGroup(SyncGroupRequest { identity, assignments });
        let peer = self.network.coordinator(node);
        let timeout_ms = ctx.env.config.request_timeout_ms;
        self.network.send(ctx, peer, request, Purpose::SyncGroup(generation), timeout_ms);
    }

    /// Kafka: SyncGroupResponseHandler.
    pub(crate) fn sync_answered(&mut self, sent: Generation, outcome: Outcome) {
        let response = match outcome {
            Outcome::Response(Response::SyncGroup(response)) => response,
            other => return self.join_lost(&other),
        };
        let Some(coordinator) = &mut self.coordinator else { return };
        let Some(error) = response.error else {
            let is_expected = coordinator.generation.id.is_some()
                && coordinator.state == MemberState::CompletingRebalance;
            coordinator.join = if is_expected {
                coordinator.state = MemberState::Stable;
                coordinator.rejoin_needed = false;
                Join::Over(Ok(response.assignment))
            } else {
                Join::Over(Err(JoinFailure::Again))
            };
            return;
        };
        if matches!(error, ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration)
            && coordinator.generation == sent
        {
            coordinator.reset_and_rejoin(reset_of(error));
        }
        coordinator.join = Join::Over(Err(JoinFailure::of_sync(error)));
        if matches!(error, ErrorCode::CoordinatorNotAvailable | ErrorCode::NotCoordinator) {
            self.drop_coordinator();
        }
    }
}
