//! What the consumer knows of the cluster, and when it asks again.
//! Kafka: clients/Metadata and clients/consumer/internals/ConsumerMetadata.

use inflight_client::backoff::ExponentialBackoff;
use inflight_des::{Chance, StreamId};
use inflight_protocol::message::{LeaderAndEpoch, MetadataResponse};
use inflight_protocol::{
    BrokerId, BrokerSet, ConsumerConfig, ErrorCode, LeaderEpoch, TopicId, TopicPartition, Topics,
};

/// Who leads a partition, as far as that is known. Kafka: Metadata.LeaderAndEpoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CurrentLeader {
    pub(crate) leader: Option<BrokerId>,
    pub(crate) epoch: Option<LeaderEpoch>,
}

/// Cluster metadata with its refresh policy.
#[derive(Debug)]
pub(crate) struct ConsumerMetadata {
    backoff: ExponentialBackoff,
    max_age_ms: i64,
    update_version: u32,
    request_version: u32,
    last_refresh_ms: i64,
    last_successful_refresh_ms: i64,
    failures: u32,
    equivalent_responses: u32,
    need_full_update: bool,
    need_partial_update: bool,
    /// The wait after the last refresh for its failures, and for responses that taught nothing.
    /// Kafka draws the jitter anew at each look; here once per refresh.
    failure_backoff_ms: i64,
    equivalent_backoff_ms: i64,
    topics: Vec<TopicState>,
    partitions: Vec<PartitionState>,
    /// Brokers in the snapshot. Empty while only the bootstrap addresses are known.
    brokers: BrokerSet,
    stream: StreamId,
}

inflight_des::clone_fields!(ConsumerMetadata {
    backoff,
    max_age_ms,
    update_version,
    request_version,
    last_refresh_ms,
    last_successful_refresh_ms,
    failures,
    equivalent_responses,
    need_full_update,
    need_partial_update,
    failure_backoff_ms,
    equivalent_backoff_ms,
    topics,
    partitions,
    brokers,
    stream,
});

#[derive(Clone, Copy, Debug, Default)]
struct TopicState {
    /// Whether the snapshot has its partitions.
    known: bool,
    /// Whether the snapshot before had its topic id. Without one, partitions are taken over from a
    /// response whatever their epoch.
    had_id: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct PartitionState {
    leader: Option<BrokerId>,
    leader_epoch: Option<LeaderEpoch>,
    /// The greatest epoch seen, kept when the snapshot is lost.
    last_seen_epoch: Option<LeaderEpoch>,
}

impl ConsumerMetadata {
    pub(crate) fn new(config: &ConsumerConfig, topics: &Topics, stream: StreamId) -> Self {
        Self {
            backoff: ExponentialBackoff::new(config.retry_backoff_ms, config.retry_backoff_max_ms),
            max_age_ms: config.metadata_max_age_ms,
            // The constructor has called bootstrap(): version 1, full update wanted.
            update_version: 1,
            request_version: 0,
            last_refresh_ms: 0,
            last_successful_refresh_ms: 0,
            failures: 0,
            equivalent_responses: 0,
            need_full_update: true,
            need_partial_update: false,
            failure_backoff_ms: 0,
            equivalent_backoff_ms: 0,
            topics: vec![TopicState::default(); topics.len()],
            partitions: vec![PartitionState::default(); topics.partitions_in_all()],
            brokers: BrokerSet::EMPTY,
            stream,
        }
    }

    /// Whether only the bootstrap addresses are known.
    pub(crate) fn is_bootstrap(&self) -> bool {
        self.brokers.is_empty()
    }

    /// The brokers of the snapshot.
    pub(crate) fn brokers(&self) -> BrokerSet {
        self.brokers
    }

    /// How often the snapshot was replaced.
    pub(crate) fn update_version(&self) -> u32 {
        self.update_version
    }

    /// The version that a request which is made now will have.
    pub(crate) fn request_version(&self) -> u32 {
        self.request_version
    }

    /// Whether the snapshot has the topic. Kafka: Cluster.partitionsForTopic.
    pub(crate) fn knows(&self, topic: TopicId) -> bool {
        self.topics[topic.index()].known
    }

    /// The leader, unless a greater epoch is known than the snapshot's. Kafka: currentLeader.
    pub(crate) fn current_leader(&self, partition: TopicPartition) -> CurrentLeader {
        let state = &self.partitions[partition.index()];
        if state.leader_epoch.is_some() && state.leader_epoch == state.last_seen_epoch {
            let leader = state.leader.filter(|leader| self.brokers.contains(*leader));
            return CurrentLeader { leader, epoch: state.leader_epoch };
        }
        CurrentLeader { leader: None, epoch: state.last_seen_epoch }
    }

    /// Kafka: requestUpdate(false). Returns the version to wait beyond.
    pub(crate) fn request_update(&mut self) -> u32 {
        self.need_full_update = true;
        self.update_version
    }

    /// Kafka: requestUpdate(true): what the last responses taught does not matter.
    pub(crate) fn request_update_now(&mut self) {
        self.need_full_update = true;
        self.equivalent_responses = 0;
        self.equivalent_backoff_ms = 0;
    }

    /// Kafka: requestUpdateForNewTopics. Overrides the backoff of the last refresh.
    pub(crate) fn request_update_for_new_topics(&mut self) {
        self.last_refresh_ms = 0;
        self.need_partial_update = true;
        self.equivalent_responses = 0;
        self.equivalent_backoff_ms = 0;
        self.request_version += 1;
    }

    /// Kafka: updateRequested.
    pub(crate) fn is_update_requested(&self) -> bool {
        self.need_full_update || self.need_partial_update
    }

    /// Kafka: timeToNextUpdate with timeToAllowUpdate, in milliseconds.
    pub(crate) fn time_to_next_update(&mut self, now_ms: i64) -> i64 {
        let age_left = (self.last_successful_refresh_ms + self.max_age_ms - now_ms).max(0);
        if age_left == 0 {
            self.equivalent_responses = 0;
            self.equivalent_backoff_ms = 0;
        }
        let backoff = self.failure_backoff_ms.max(self.equivalent_backoff_ms);
        let allowed = (self.last_refresh_ms + backoff - now_ms).max(0);
        allowed.max(if self.is_update_requested() { 0 } else { age_left })
    }

    /// Kafka: failedUpdate.
    pub(crate) fn failed_update(&mut self, now_ms: i64, chance: &mut Chance) {
        self.last_refresh_ms = now_ms;
        self.failures += 1;
        self.equivalent_responses = 0;
        self.draw_backoffs(chance);
    }

    /// A response to the request of version `requested`; topics for which `wanted` says no are left
    /// out. Kafka: update.
    pub(crate) fn update(
        &mut self,
        requested: u32,
        response: &MetadataResponse,
        topics: &Topics,
        wanted: impl Fn(TopicId) -> bool,
        (now_ms, chance): (i64, &mut Chance),
    ) {
        self.need_partial_update = requested < self.request_version;
        self.last_refresh_ms = now_ms;
        self.failures = 0;
        self.update_version += 1;
        self.need_full_update = false;
        self.last_successful_refresh_ms = now_ms;
        self.equivalent_responses += 1;
        self.take_snapshot(response, topics, wanted);
        self.draw_backoffs(chance);
    }

    /// Kafka: handleMetadataResponse with updateLatestMetadata.
    fn take_snapshot(
        &mut self,
        response: &MetadataResponse,
        topics: &Topics,
        wanted: impl Fn(TopicId) -> bool,
    ) {
        self.brokers = response.brokers;
        for state in &mut self.topics {
            state.known = false;
        }
        for (_, error) in &response.topic_errors {
            self.need_full_update |= error.refreshes_metadata();
        }
        for metadata in &response.partitions {
            let (topic, _) = topics.split(metadata.partition);
            if !wanted(topic) {
                continue;
            }
            let topic_state = &mut self.topics[topic.index()];
            topic_state.known = true;
            self.need_full_update |= metadata.error.is_some_and(ErrorCode::refreshes_metadata);
            let state = &mut self.partitions[metadata.partition.index()];
            match state.last_seen_epoch.filter(|_| topic_state.had_id) {
                // An older view: keep what is cached.
                Some(seen) if metadata.leader_epoch < seen => continue,
                Some(seen) if metadata.leader_epoch == seen => {}
                Some(_) | None => self.equivalent_responses = 0,
            }
            state.last_seen_epoch = Some(metadata.leader_epoch);
            state.leader = metadata.leader;
            state.leader_epoch = Some(metadata.leader_epoch);
        }
        for topic in topics.ids() {
            let state = &mut self.topics[topic.index()];
            state.had_id = state.known;
            if !state.known {
                let forgotten = if wanted(topic) { None } else { Some(PartitionState::default()) };
                for partition in topics.partitions(topic) {
                    let state = &mut self.partitions[partition.index()];
                    (state.leader, state.leader_epoch) = (None, None);
                    *state = forgotten.unwrap_or(*state);
                }
            }
        }
    }

    /// A broker told who leads now. Returns whether that was news.
    /// Kafka: updatePartitionLeadership (KIP-951).
    pub(crate) fn update_leadership(
        &mut self,
        partition: TopicPartition,
        hint: LeaderAndEpoch,
    ) -> bool {
        let state = &mut self.partitions[partition.index()];
        // The response names the leader's endpoint, so the broker need not be known yet.
        if state.leader_epoch.is_none() || Some(hint.epoch) <= state.last_seen_epoch {
            return false;
        }
        state.leader = Some(hint.leader);
        state.leader_epoch = Some(hint.epoch);
        state.last_seen_epoch = Some(hint.epoch);
        self.brokers = self.brokers.with(hint.leader);
        true
    }

    /// A greater epoch was heard of elsewhere. Kafka: updateLastSeenEpochIfNewer.
    pub(crate) fn saw_epoch(&mut self, partition: TopicPartition, epoch: LeaderEpoch) {
        let state = &mut self.partitions[partition.index()];
        if state.last_seen_epoch.is_some_and(|seen| epoch > seen) {
            state.last_seen_epoch = Some(epoch);
            self.need_full_update = true;
        }
    }

    /// Back to the bootstrap addresses. The greatest epochs stay, but as the topic ids are forgotten
    /// the next response replaces them, even by older ones. Kafka: rebootstrap.
    pub(crate) fn rebootstrap(&mut self) {
        self.need_full_update = true;
        self.update_version += 1;
        self.brokers = BrokerSet::EMPTY;
        for state in &mut self.topics {
            state.known = false;
            state.had_id = false;
        }
        for state in &mut self.partitions {
            (state.leader, state.leader_epoch) = (None, None);
        }
    }

    fn draw_backoffs(&mut self, chance: &mut Chance) {
        self.failure_backoff_ms =
            self.backoff.draw(self.failures.saturating_sub(1), chance, self.stream);
        self.equivalent_backoff_ms = match self.equivalent_responses {
            0 => 0,
            n => self.backoff.draw(n - 1, chance, self.stream),
        };
    }
}

#[cfg(test)]
mod tests;
