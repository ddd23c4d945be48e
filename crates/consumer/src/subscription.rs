//! What the application wants to read, what it may read, and where it is.
//! Kafka: clients/consumer/internals/SubscriptionState.

mod assigned;

pub(crate) use self::assigned::{Assigned, FetchPosition, FetchState, ResetTo};

use inflight_protocol::config::AutoOffsetReset;
use inflight_protocol::message::EpochEndOffset;
use inflight_protocol::{Offset, TopicId, TopicPartition, Topics};
use smallvec::SmallVec;

/// A list of topics in ascending order.
pub(crate) type TopicList = SmallVec<[TopicId; 2]>;

/// How a consumer came to its partitions. Kafka: SubscriptionState.SubscriptionType.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SubscriptionType {
    /// Neither subscribe() nor assign() was called.
    #[default]
    None,
    /// subscribe(): the group assigns them.
    Topics,
    /// assign()
    Partitions,
}

/// What the comparison of a position with the leader's log came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Validation {
    /// The position is good, or nobody waits for the answer any more.
    Done,
    /// The log was cut below the position, which is now there.
    Truncated(Offset),
    /// The position is to be reset.
    Reset,
    /// The log was cut below the position, and auto.offset.reset is none.
    Failed,
}

/// Topics, partitions and positions of a consumer.
#[derive(Debug, Default)]
pub(crate) struct SubscriptionState {
    kind: SubscriptionType,
    topics: TopicList,
    /// The topics of the whole group, for its leader.
    group_topics: TopicList,
    /// In the order in which they are fetched.
    assignment: Vec<Assigned>,
    reset_policy: AutoOffsetReset,
}

inflight_des::clone_fields!(SubscriptionState {
    kind,
    topics,
    group_topics,
    assignment,
    reset_policy,
});

impl SubscriptionState {
    pub(crate) fn new(reset_policy: AutoOffsetReset) -> Self {
        Self { reset_policy, ..Self::default() }
    }

    pub(crate) fn kind(&self) -> SubscriptionType {
        self.kind
    }

    /// Kafka: hasAutoAssignedPartitions.
    pub(crate) fn is_auto_assigned(&self) -> bool {
        self.kind == SubscriptionType::Topics
    }

    /// The topics of subscribe().
    pub(crate) fn topics(&self) -> &TopicList {
        &self.topics
    }

    /// Returns whether the topics are others. Kafka: subscribe, changeSubscription.
    pub(crate) fn subscribe(&mut self, mut topics: TopicList) -> bool {
        topics.sort_unstable();
        topics.dedup();
        self.kind = SubscriptionType::Topics;
        let changes = self.topics != topics;
        self.topics = topics;
        changes
    }

    /// Returns whether the topics are others. Kafka: assignFromUser.
    pub(crate) fn assign_from_user(
        &mut self,
        partitions: &[TopicPartition],
        names: &Topics,
    ) -> bool {
        self.kind = SubscriptionType::Partitions;
        self.replace(partitions);
        let mut topics: TopicList = partitions.iter().map(|id| names.split(*id).0).collect();
        topics.sort_unstable();
        topics.dedup();
        let changes = self.topics != topics;
        self.topics = topics;
        changes
    }

    /// Kafka: assignFromSubscribed.
    pub(crate) fn assign_from_subscribed(&mut self, partitions: &[TopicPartition]) {
        self.replace(partitions);
    }

    fn replace(&mut self, partitions: &[TopicPartition]) {
        let kept = std::mem::take(&mut self.assignment);
        let find = |id: TopicPartition| kept.iter().copied().find(|state| state.partition == id);
        let states = partitions.iter().map(|id| find(*id).unwrap_or(Assigned::new(*id)));
        self.assignment.extend(states);
    }

    /// Returns whether the group has topics that this member has not. Kafka: groupSubscribe.
    pub(crate) fn group_subscribe(&mut self, mut topics: TopicList) -> bool {
        topics.sort_unstable();
        topics.dedup();
        let is_more = topics.iter().any(|topic| !self.topics.contains(topic));
        self.group_topics = topics;
        is_more
    }

    /// Kafka: resetGroupSubscription.
    pub(crate) fn reset_group_subscription(&mut self) {
        self.group_topics.clear();
    }

    /// The topics whose metadata is wanted. Kafka: metadataTopics.
    pub(crate) fn metadata_topics(&self) -> TopicList {
        let mut topics = self.topics.clone();
        topics.extend(self.group_topics.iter().copied());
        topics.sort_unstable();
        topics.dedup();
        topics
    }

    /// Kafka: needsMetadata.
    pub(crate) fn needs_metadata(&self, topic: TopicId) -> bool {
        self.topics.contains(&topic) || self.group_topics.contains(&topic)
    }

    /// The assigned partitions in the order in which they are fetched.
    pub(crate) fn assigned(&self) -> &[Assigned] {
        &self.assignment
    }

    /// The assigned partitions, to be changed.
    pub(crate) fn assigned_mut(&mut self) -> &mut [Assigned] {
        &mut self.assignment
    }

    pub(crate) fn get(&self, partition: TopicPartition) -> Option<&Assigned> {
        self.assignment.iter().find(|state| state.partition == partition)
    }

    pub(crate) fn get_mut(&mut self, partition: TopicPartition) -> Option<&mut Assigned> {
        self.assignment.iter_mut().find(|state| state.partition == partition)
    }

    /// Whether records of a partition may be fetched and returned. Kafka: isFetchable.
    pub(crate) fn is_fetchable(&self, partition: TopicPartition, names: &Topics) -> bool {
        let topic = names.split(partition).0;
        let is_subscribed = !self.is_auto_assigned() || self.topics.contains(&topic);
        is_subscribed && self.get(partition).is_some_and(Assigned::is_fetchable)
    }

    pub(crate) fn is_paused(&self, partition: TopicPartition) -> bool {
        self.get(partition).is_some_and(|state| state.paused)
    }

    pub(crate) fn set_paused(&mut self, partition: TopicPartition, paused: bool) {
        if let Some(state) = self.get_mut(partition) {
            state.paused = paused;
        }
    }

    /// Kafka: markPendingRevocation.
    pub(crate) fn mark_pending_revocation(&mut self) {
        for state in &mut self.assignment {
            state.pending_revocation = true;
        }
    }

    /// The same for some partitions.
    pub(crate) fn mark_pending_revocation_of(&mut self, partitions: &[TopicPartition]) {
        let marked = |state: &&mut Assigned| partitions.contains(&state.partition);
        for state in self.assignment.iter_mut().filter(marked) {
            state.pending_revocation = true;
        }
    }

    /// A partition that was served goes behind the others. Kafka: movePartitionToEnd.
    pub(crate) fn move_to_end(&mut self, partition: TopicPartition) {
        if let Some(place) = self.assignment.iter().position(|state| state.partition == partition) {
            self.assignment[place..].rotate_left(1);
        }
    }

    /// Kafka: hasAllFetchPositions.
    pub(crate) fn has_all_fetch_positions(&self) -> bool {
        self.assignment.iter().all(Assigned::has_valid_position)
    }

    /// Kafka: initializingPartitions.
    pub(crate) fn initializing(&self) -> impl Iterator<Item = TopicPartition> {
        let initializing = self.assignment.iter().filter(|state| state.is_initializing());
        initializing.map(|state| state.partition)
    }

    /// Lets these of the partitions without a position begin where auto.offset.reset says. Returns
    /// one that cannot, if there is one. Kafka: resetInitializingPositions.
    pub(crate) fn reset_initializing(
        &mut self,
        is_meant: impl Fn(TopicPartition) -> bool,
    ) -> Option<TopicPartition> {
        let policy = self.default_reset();
        let mut stuck = None;
        let meant = |state: &&mut Assigned| state.is_initializing() && is_meant(state.partition);
        for state in self.assignment.iter_mut().filter(meant) {
            match policy {
                Some(to) => state.reset_to(to),
                None => stuck = Some(state.partition),
            }
        }
        stuck
    }

    /// auto.offset.reset, unless it is none.
    pub(crate) fn default_reset(&self) -> Option<ResetTo> {
        match self.reset_policy {
            AutoOffsetReset::Latest => Some(ResetTo::Latest),
            AutoOffsetReset::Earliest => Some(ResetTo::Earliest),
            AutoOffsetReset::None => None,
        }
    }

    /// Kafka: requestOffsetReset.
    pub(crate) fn request_reset(&mut self, partition: TopicPartition, to: ResetTo) {
        if let Some(state) = self.get_mut(partition) {
            state.reset_to(to);
        }
    }

    /// Kafka: partitionsNeedingReset.
    pub(crate) fn needing_reset(&self, now_ms: i64) -> SmallVec<[(TopicPartition, ResetTo); 4]> {
        let waiting = self
            .assignment
            .iter()
            .filter(|state| state.state == FetchState::AwaitReset && state.may_retry(now_ms));
        waiting.filter_map(|state| Some((state.partition, state.reset?))).collect()
    }

    /// Kafka: partitionsNeedingValidation.
    pub(crate) fn needing_validation(
        &self,
        now_ms: i64,
    ) -> SmallVec<[(TopicPartition, FetchPosition); 4]> {
        let waiting = self
            .assignment
            .iter()
            .filter(|state| state.state == FetchState::AwaitValidation && state.may_retry(now_ms));
        waiting.filter_map(|state| Some((state.partition, state.position?))).collect()
    }

    /// Kafka: setNextAllowedRetry and requestFailed.
    pub(crate) fn retry_at(&mut self, partition: TopicPartition, at_ms: i64) {
        if let Some(state) = self.get_mut(partition) {
            state.next_retry_ms = Some(at_ms);
        }
    }

    /// Kafka: seekUnvalidated.
    pub(crate) fn seek_unvalidated(&mut self, partition: TopicPartition, position: FetchPosition) {
        if let Some(state) = self.get_mut(partition) {
            state.seek_validated(position);
            state.validate(position);
        }
    }

    /// The answer to a reset. Returns whether it still mattered. Kafka: maybeSeekUnvalidated.
    pub(crate) fn maybe_seek(
        &mut self,
        partition: TopicPartition,
        position: FetchPosition,
        asked: ResetTo,
    ) -> bool {
        let awaits = |state: &&mut Assigned| {
            state.state == FetchState::AwaitReset && state.reset == Some(asked)
        };
        let Some(state) = self.get_mut(partition).filter(awaits) else { return false };
        state.seek_validated(position);
        state.validate(position);
        true
    }

    /// Records up to `position` were returned. Kafka: position.
    pub(crate) fn advance(&mut self, partition: TopicPartition, position: FetchPosition) {
        if let Some(state) = self.get_mut(partition) {
            debug_assert!(state.has_valid_position(), "only a valid position moves on");
            state.position = Some(position);
        }
    }

    /// The leader told where the epoch of the position ends. Kafka: maybeCompleteValidation.
    pub(crate) fn complete_validation(
        &mut self,
        partition: TopicPartition,
        asked: FetchPosition,
        end: Option<EpochEndOffset>,
    ) -> Validation {
        let policy = self.default_reset();
        let awaits = |state: &&mut Assigned| {
            state.state == FetchState::AwaitValidation && state.position == Some(asked)
        };
        let Some(state) = self.get_mut(partition).filter(awaits) else { return Validation::Done };
        let Some(end) = end else {
            let Some(to) = policy else { return Validation::Failed };
            state.reset_to(to);
            return Validation::Reset;
        };
        if end.end_offset >= asked.offset {
            state.state = FetchState::Fetching;
            state.next_retry_ms = None;
            return Validation::Done;
        }
        if policy.is_none() {
            return Validation::Failed;
        }
        let epoch = Some(end.epoch);
        let position = FetchPosition { offset: end.end_offset, offset_epoch: epoch, ..asked };
        state.seek_validated(position);
        Validation::Truncated(end.end_offset)
    }
}

#[cfg(test)]
mod tests;
