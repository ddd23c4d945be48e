//! The consumer's side of its group: where the coordinator is, membership, commits.
//! Kafka: clients/consumer/internals/{AbstractCoordinator, ConsumerCoordinator, Heartbeat}.

pub(crate) mod assign;
pub(crate) mod commit;
pub(crate) mod committed;
pub(crate) mod generation;
pub(crate) mod heartbeat;
pub(crate) mod join;
pub(crate) mod leave;
pub(crate) mod lookup;
pub(crate) mod prepare;

use crate::subscription::TopicList;
use commit::Commits;
use committed::CommittedRequest;
use generation::{Generation, MemberState};
use heartbeat::Heartbeat;
use inflight_client::backoff::ExponentialBackoff;
use inflight_protocol::config::AssignmentStrategy;
use inflight_protocol::message::{GroupIdentity, RebalanceProtocol};
use inflight_protocol::{BrokerId, ConsumerConfig, GroupId};
use join::Join;
use lookup::{FindCoordinator, Lookup};

/// What a consumer with a group knows of it.
#[derive(Debug)]
pub(crate) struct Coordinator {
    pub(crate) group: GroupId,
    /// How partitions change hands, by partition.assignment.strategy.
    pub(crate) protocol: RebalanceProtocol,
    pub(crate) backoff: ExponentialBackoff,
    /// The broker that coordinates the group, if it is known.
    pub(crate) node: Option<BrokerId>,
    pub(crate) find: FindCoordinator,
    pub(crate) lookup: Lookup,
    pub(crate) state: MemberState,
    pub(crate) generation: Generation,
    pub(crate) rejoin_needed: bool,
    pub(crate) needs_join_prepare: bool,
    pub(crate) join: Join,
    /// Until when onJoinPrepare() may wait for its commit, while it does.
    pub(crate) join_prepare_until_ms: Option<i64>,
    /// The commit that onJoinPrepare() waits for.
    pub(crate) join_prepare_commit: Option<u32>,
    pub(crate) is_leader: bool,
    /// The topics of the last join.
    pub(crate) joined_topics: Option<TopicList>,
    /// The topics that the snapshot had when the leader made the assignment.
    pub(crate) assignment_snapshot: Option<TopicList>,
    pub(crate) heartbeat: Heartbeat,
    pub(crate) commits: Commits,
    pub(crate) committed: CommittedRequest,
    /// The member as of the last assignment. Kafka: groupMetadata().
    pub(crate) identity: GroupIdentity,
    pub(crate) next_auto_commit_ms: Option<i64>,
}

inflight_des::clone_fields!(Coordinator {
    group,
    protocol,
    backoff,
    node,
    find,
    lookup,
    state,
    generation,
    rejoin_needed,
    needs_join_prepare,
    join,
    join_prepare_until_ms,
    join_prepare_commit,
    is_leader,
    joined_topics,
    assignment_snapshot,
    heartbeat,
    commits,
    committed,
    identity,
    next_auto_commit_ms,
});

impl Coordinator {
    /// Of a consumer that is constructed now.
    pub(crate) fn new(config: &ConsumerConfig, group: GroupId, now_ms: i64) -> Self {
        let backoff = ExponentialBackoff::new(config.retry_backoff_ms, config.retry_backoff_max_ms);
        Self {
            group,
            protocol: match config.partition_assignment_strategy {
                AssignmentStrategy::Range => RebalanceProtocol::Eager,
                AssignmentStrategy::CooperativeSticky => RebalanceProtocol::Cooperative,
            },
            backoff,
            node: None,
            find: FindCoordinator::None,
            lookup: Lookup::default(),
            state: MemberState::Unjoined,
            generation: Generation::NONE,
            rejoin_needed: true,
            needs_join_prepare: true,
            join: Join::None,
            join_prepare_until_ms: None,
            join_prepare_commit: None,
            is_leader: false,
            joined_topics: None,
            assignment_snapshot: None,
            heartbeat: Heartbeat::new(config, now_ms),
            commits: Commits::default(),
            committed: CommittedRequest::None,
            identity: GroupIdentity { group, member: None },
            next_auto_commit_ms: config
                .enable_auto_commit
                .then_some(now_ms + config.auto_commit_interval_ms),
        }
    }

    /// Kafka: generationIfStable.
    pub(crate) fn generation_if_stable(&self) -> Option<Generation> {
        (self.state == MemberState::Stable).then_some(self.generation)
    }

    /// Whether the member is in its group and knows of no reason to join again.
    pub(crate) fn has_joined(&self) -> bool {
        let is_joining = self.rejoin_needed || !matches!(self.join, Join::None);
        self.state == MemberState::Stable && !is_joining
    }

    /// Kafka: rebalanceInProgress.
    pub(crate) fn is_rebalancing(&self) -> bool {
        matches!(self.state, MemberState::PreparingRebalance | MemberState::CompletingRebalance)
    }

    /// Kafka: resetStateAndGeneration, resetStateAndRejoin.
    pub(crate) fn reset_and_rejoin(&mut self, reset: generation::ResetMember) {
        self.state = MemberState::Unjoined;
        self.generation = match reset {
            generation::ResetMember::Forget => Generation::NONE,
            generation::ResetMember::Keep => {
                Generation { member: self.generation.member, ..Generation::NONE }
            }
        };
        self.rejoin_needed = true;
        self.needs_join_prepare = true;
    }

    /// The identity that requests of this generation carry.
    pub(crate) fn identity_of(&self, generation: Generation) -> GroupIdentity {
        let member = generation.member.zip(generation.id);
        GroupIdentity { group: self.group, member }
    }
}
