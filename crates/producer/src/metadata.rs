//! What the producer knows of the cluster, and when it asks again.
//! Kafka: clients/Metadata and clients/producer/internals/ProducerMetadata.

use crate::backoff::ExponentialBackoff;
use inflight_des::{Chance, StreamId};
use inflight_protocol::error_code::ErrorCode;
use inflight_protocol::message::{LeaderAndEpoch, MetadataRequest, MetadataResponse};
use inflight_protocol::{
    BrokerId, BrokerSet, LeaderEpoch, ProducerConfig, TopicId, TopicPartition, Topics,
};

/// Cluster metadata with its refresh policy.
#[derive(Debug)]
pub(crate) struct ProducerMetadata {
    backoff: ExponentialBackoff,
    max_age_ms: i64,
    max_idle_ms: i64,
    update_version: u32,
    /// The version that waiting threads were last woken for.
    announced_version: u32,
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
    /// The snapshot: leaders of the partitions of known topics.
    partitions: Vec<PartitionState>,
    /// Brokers in the snapshot. Empty while only the bootstrap addresses are known.
    brokers: BrokerSet,
    /// Partitions by leader, in ascending order, as drain goes through them.
    led_by: Vec<Vec<TopicPartition>>,
    stream: StreamId,
}

inflight_des::clone_fields!(ProducerMetadata {
    backoff,
    max_age_ms,
    max_idle_ms,
    update_version,
    announced_version,
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
    led_by,
    stream,
});

#[derive(Clone, Copy, Debug, Default)]
struct TopicState {
    /// Until when the topic is kept without use; `None` while it is not tracked.
    expires_ms: Option<i64>,
    is_new: bool,
    /// Whether the snapshot has its partitions.
    known: bool,
    /// Whether the snapshot before had its topic id. Without one, partitions are taken over from a
    /// response whatever their epoch.
    had_id: bool,
    error: Option<ErrorCode>,
}

#[derive(Clone, Copy, Debug, Default)]
struct PartitionState {
    leader: Option<BrokerId>,
    leader_epoch: Option<LeaderEpoch>,
    /// The greatest epoch seen, kept when the snapshot is lost.
    last_seen_epoch: Option<LeaderEpoch>,
}

impl PartitionState {
    /// The snapshot no longer has the partition; the greatest epoch seen is not forgotten.
    fn leave_snapshot(&mut self) {
        self.leader = None;
        self.leader_epoch = None;
    }
}

/// A request to send, and what its response will mean.
#[derive(Clone, Debug)]
pub(crate) struct PlannedRequest {
    pub(crate) request: MetadataRequest,
    pub(crate) ticket: RequestTicket,
}

/// Kafka: NetworkClient.DefaultMetadataUpdater.InProgressData.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RequestTicket {
    request_version: u32,
    is_partial: bool,
}

impl ProducerMetadata {
    pub(crate) fn new(config: &ProducerConfig, topics: &Topics, stream: StreamId) -> Self {
        Self {
            backoff: ExponentialBackoff::new(config.retry_backoff_ms, config.retry_backoff_max_ms),
            max_age_ms: config.metadata_max_age_ms,
            max_idle_ms: config.metadata_max_idle_ms,
            // The constructor has called bootstrap(): version 1, full update wanted.
            update_version: 1,
            announced_version: 1,
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
            led_by: Vec::new(),
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

    /// Counts the snapshots. Kafka: Metadata.updateVersion.
    #[inline]
    pub(crate) fn version(&self) -> u32 {
        self.update_version
    }

    /// The newest version that a waiting thread knows of. A rebootstrap raises the version without
    /// waking anybody. Kafka: ProducerMetadata.awaitUpdate, and notifyAll in its update.
    pub(crate) fn announced_version(&self) -> u32 {
        self.announced_version
    }

    /// Kafka: Cluster.partitionCountForTopic, `None` if the topic is not in the snapshot.
    pub(crate) fn partition_count(&self, topics: &Topics, topic: TopicId) -> Option<u16> {
        self.topics[topic.index()].known.then(|| topics.partition_count(topic))
    }

    /// Kafka: Cluster.leaderFor.
    #[inline]
    pub(crate) fn leader(&self, partition: TopicPartition) -> Option<BrokerId> {
        self.partitions[partition.index()].leader
    }

    /// Kafka: MetadataSnapshot.leaderEpochFor.
    #[inline]
    pub(crate) fn leader_epoch(&self, partition: TopicPartition) -> Option<LeaderEpoch> {
        self.partitions[partition.index()].leader_epoch
    }

    /// Kafka: Cluster.partitionsForNode, in ascending order.
    pub(crate) fn partitions_led_by(&self, broker: BrokerId) -> &[TopicPartition] {
        self.led_by.get(broker.index()).map_or(&[], |list| list.as_slice())
    }

    /// The topic's error in the last response. Kafka: ProducerMetadata.getError.
    pub(crate) fn topic_error(&self, topic: TopicId) -> Option<ErrorCode> {
        self.topics[topic.index()].error
    }

    /// Kafka: ProducerMetadata.add.
    #[inline]
    pub(crate) fn add(&mut self, topic: TopicId, now_ms: i64) {
        let state = &mut self.topics[topic.index()];
        let is_new = state.expires_ms.is_none();
        state.expires_ms = Some(now_ms + self.max_idle_ms);
        if is_new {
            state.is_new = true;
            self.request_update_for_new_topics();
        }
    }

    /// Adds topics all at once. Returns the version to wait beyond if one of them is new.
    /// Kafka: ProducerMetadata.add with a collection.
    pub(crate) fn add_all(
        &mut self,
        topics: impl Iterator<Item = TopicId>,
        now_ms: i64,
    ) -> Option<u32> {
        let mut any_new = false;
        for topic in topics {
            let state = &mut self.topics[topic.index()];
            let is_new = state.expires_ms.is_none();
            state.expires_ms = Some(now_ms + self.max_idle_ms);
            state.is_new |= is_new;
            any_new |= is_new;
        }
        if !any_new {
            return None;
        }
        self.request_update_for_new_topics();
        Some(self.update_version)
    }

    /// Kafka: Metadata.requestUpdateForNewTopics. Overrides the backoff of the last refresh.
    fn request_update_for_new_topics(&mut self) {
        self.last_refresh_ms = 0;
        self.need_partial_update = true;
        self.equivalent_responses = 0;
        self.equivalent_backoff_ms = 0;
        self.request_version += 1;
    }

    /// Kafka: Metadata.requestUpdate(false).
    pub(crate) fn request_update(&mut self) {
        self.need_full_update = true;
    }

    /// Kafka: ProducerMetadata.requestUpdateForTopic. Returns the version to wait beyond.
    pub(crate) fn request_update_for_topic(&mut self, topic: TopicId) -> u32 {
        if self.topics[topic.index()].is_new {
            self.request_update_for_new_topics();
        } else {
            self.request_update();
        }
        self.update_version
    }

    /// Kafka: Metadata.timeToNextUpdate with timeToAllowUpdate, in milliseconds.
    #[inline]
    pub(crate) fn time_to_next_update(&mut self, now_ms: i64) -> i64 {
        let age_left = (self.last_successful_refresh_ms + self.max_age_ms - now_ms).max(0);
        if age_left == 0 {
            self.equivalent_responses = 0;
            self.equivalent_backoff_ms = 0;
        }
        let backoff = self.failure_backoff_ms.max(self.equivalent_backoff_ms);
        let allowed = (self.last_refresh_ms + backoff - now_ms).max(0);
        let wanted = self.need_full_update || self.need_partial_update;
        allowed.max(if wanted { 0 } else { age_left })
    }

    /// Kafka: Metadata.newMetadataRequestAndVersion.
    pub(crate) fn plan_request(&self, now_ms: i64) -> PlannedRequest {
        let is_partial =
            !self.need_full_update && self.last_successful_refresh_ms + self.max_age_ms > now_ms;
        let wanted =
            |state: &TopicState| if is_partial { state.is_new } else { state.expires_ms.is_some() };
        let topics = (self.topics.iter().enumerate())
            .filter(|(_, state)| wanted(state))
            .map(|(index, _)| TopicId::new(index as u16))
            .collect();
        PlannedRequest {
            request: MetadataRequest { topics },
            ticket: RequestTicket { request_version: self.request_version, is_partial },
        }
    }

    /// Kafka: Metadata.failedUpdate.
    pub(crate) fn failed_update(&mut self, now_ms: i64, chance: &mut Chance) {
        self.last_refresh_ms = now_ms;
        self.failures += 1;
        self.equivalent_responses = 0;
        self.draw_backoffs(chance);
    }

    /// Kafka: Metadata.update and ProducerMetadata.update.
    pub(crate) fn update(
        &mut self,
        ticket: RequestTicket,
        response: &MetadataResponse,
        topics: &Topics,
        now_ms: i64,
        chance: &mut Chance,
    ) {
        self.need_partial_update = ticket.request_version < self.request_version;
        self.last_refresh_ms = now_ms;
        self.failures = 0;
        self.update_version += 1;
        self.announced_version = self.update_version;
        if !ticket.is_partial {
            self.need_full_update = false;
            self.last_successful_refresh_ms = now_ms;
        }
        self.equivalent_responses += 1;
        self.take_snapshot(ticket, response, topics, now_ms);
        self.draw_backoffs(chance);
    }

    /// Kafka: Metadata.handleMetadataResponse.
    fn take_snapshot(
        &mut self,
        ticket: RequestTicket,
        response: &MetadataResponse,
        topics: &Topics,
        now_ms: i64,
    ) {
        self.brokers = response.brokers;
        if !ticket.is_partial {
            self.forget_topics_out_of_use(topics, now_ms);
        }
        for state in &mut self.topics {
            state.error = None;
        }
        for (topic, error) in &response.topic_errors {
            let state = &mut self.topics[topic.index()];
            state.error = Some(*error);
            state.is_new = false;
            state.known = false;
            for partition in topics.partitions(*topic) {
                self.partitions[partition.index()].leave_snapshot();
            }
            self.need_full_update |= error.refreshes_metadata();
        }
        for metadata in &response.partitions {
            let (topic, _) = topics.split(metadata.partition);
            let topic_state = &mut self.topics[topic.index()];
            topic_state.is_new = false;
            if topic_state.expires_ms.is_none() {
                continue;
            }
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
        for state in &mut self.topics {
            state.had_id = state.known;
        }
        self.index_leaders();
    }

    /// Kafka: ProducerMetadata.retainTopic.
    fn forget_topics_out_of_use(&mut self, topics: &Topics, now_ms: i64) {
        for topic in topics.ids() {
            let state = &mut self.topics[topic.index()];
            let expired = state.expires_ms.is_some_and(|expires| expires <= now_ms);
            if !expired || state.is_new {
                continue;
            }
            *state = TopicState::default();
            for partition in topics.partitions(topic) {
                self.partitions[partition.index()] = PartitionState::default();
            }
        }
    }

    fn index_leaders(&mut self) {
        self.led_by.iter_mut().for_each(Vec::clear);
        for (index, state) in self.partitions.iter().enumerate() {
            let Some(leader) = state.leader else { continue };
            if self.led_by.len() <= leader.index() {
                self.led_by.resize_with(leader.index() + 1, Vec::new);
            }
            self.led_by[leader.index()].push(TopicPartition::new(index as u16));
        }
    }

    /// A broker told who leads now. Returns whether that was news.
    /// Kafka: Metadata.updatePartitionLeadership (KIP-951).
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
        self.index_leaders();
        true
    }

    /// Back to the bootstrap addresses. The greatest epochs stay, but as the topic ids are forgotten
    /// the next response replaces them, even by older ones. Kafka: Metadata.rebootstrap.
    pub(crate) fn rebootstrap(&mut self) {
        self.need_full_update = true;
        self.update_version += 1;
        self.brokers = BrokerSet::EMPTY;
        for state in &mut self.topics {
            state.known = false;
            state.had_id = false;
        }
        self.partitions.iter_mut().for_each(PartitionState::leave_snapshot);
        self.index_leaders();
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
mod tests {
    use super::*;
    use inflight_des::Seed;
    use inflight_protocol::message::PartitionMetadata;

    struct Bench {
        metadata: ProducerMetadata,
        topics: Topics,
        chance: Chance,
    }

    const ORDERS: TopicId = TopicId::new(0);
    const NOW: i64 = 1_000_000;

    impl Bench {
        fn new() -> Self {
            let topics = Topics::new([("orders", 2), ("other", 1)]);
            let mut chance = Chance::new(Seed::new(1));
            let stream = chance.stream("metadata");
            let metadata = ProducerMetadata::new(&ProducerConfig::default(), &topics, stream);
            Self { metadata, topics, chance }
        }

        fn respond(&mut self, now_ms: i64, leaders: &[(u16, u8, u32)]) {
            let ticket = self.metadata.plan_request(now_ms).ticket;
            let response = MetadataResponse {
                brokers: [1, 2, 3].map(BrokerId::new).into_iter().collect(),
                partitions: leaders
                    .iter()
                    .map(|(partition, leader, epoch)| PartitionMetadata {
                        partition: TopicPartition::new(*partition),
                        error: None,
                        leader: Some(BrokerId::new(*leader)),
                        leader_epoch: LeaderEpoch::new(*epoch),
                    })
                    .collect(),
                ..MetadataResponse::default()
            };
            self.metadata.update(ticket, &response, &self.topics, now_ms, &mut self.chance);
        }
    }

    #[test]
    fn the_first_request_is_due_at_once() {
        let mut bench = Bench::new();
        assert_eq!(bench.metadata.time_to_next_update(NOW), 0);
        assert!(bench.metadata.is_bootstrap());
    }

    #[test]
    fn refreshes_are_a_backoff_apart_even_when_they_succeed() {
        let mut bench = Bench::new();
        bench.metadata.add(ORDERS, NOW);
        bench.respond(NOW, &[(0, 1, 0), (1, 2, 0)]);
        bench.metadata.request_update();
        let wait = bench.metadata.time_to_next_update(NOW);
        assert!((80..120).contains(&wait), "{wait}");
    }

    #[test]
    fn responses_that_teach_nothing_grow_the_gap_to_a_second() {
        let mut bench = Bench::new();
        bench.metadata.add(ORDERS, NOW);
        let mut waits = Vec::new();
        for _ in 0..7 {
            bench.respond(NOW, &[(0, 1, 0), (1, 2, 0)]);
            bench.metadata.request_update();
            waits.push(bench.metadata.time_to_next_update(NOW));
        }
        assert!((80..120).contains(&waits[1]), "{waits:?}");
        assert!((160..240).contains(&waits[2]), "{waits:?}");
        assert!((800..=1_000).contains(&waits[6]), "{waits:?}");
        bench.respond(NOW, &[(0, 1, 1), (1, 2, 0)]);
        bench.metadata.request_update();
        let wait = bench.metadata.time_to_next_update(NOW);
        assert!((80..120).contains(&wait), "a newer epoch resets the count: {wait}");
    }

    #[test]
    fn a_new_topic_overrides_the_backoff_with_a_partial_request() {
        let mut bench = Bench::new();
        bench.metadata.add(ORDERS, NOW);
        bench.respond(NOW, &[(0, 1, 0), (1, 2, 0)]);
        bench.metadata.add(TopicId::new(1), NOW);
        assert_eq!(bench.metadata.time_to_next_update(NOW), 0);
        let planned = bench.metadata.plan_request(NOW);
        assert!(planned.ticket.is_partial);
        assert_eq!(planned.request.topics.as_slice(), [TopicId::new(1)]);
    }

    #[test]
    fn an_older_view_does_not_replace_a_newer_one() {
        let mut bench = Bench::new();
        bench.metadata.add(ORDERS, NOW);
        bench.respond(NOW, &[(0, 2, 5), (1, 2, 0)]);
        bench.respond(NOW + 1, &[(0, 1, 4), (1, 2, 0)]);
        assert_eq!(bench.metadata.leader(TopicPartition::new(0)), Some(BrokerId::new(2)));
    }

    #[test]
    fn a_leader_hint_counts_if_it_is_newer() {
        let mut bench = Bench::new();
        bench.metadata.add(ORDERS, NOW);
        bench.respond(NOW, &[(0, 1, 5), (1, 2, 0)]);
        let (p0, b3) = (TopicPartition::new(0), BrokerId::new(3));
        let hint = |epoch| LeaderAndEpoch { leader: b3, epoch: LeaderEpoch::new(epoch) };
        assert!(!bench.metadata.update_leadership(p0, hint(5)));
        assert!(bench.metadata.update_leadership(p0, hint(6)));
        assert_eq!(bench.metadata.leader(p0), Some(b3));
        assert_eq!(bench.metadata.partitions_led_by(b3), [p0]);
        assert!(bench.metadata.partitions_led_by(BrokerId::new(1)).is_empty());
    }

    #[test]
    fn idle_topics_are_forgotten_at_the_next_full_update() {
        let mut bench = Bench::new();
        bench.metadata.add(ORDERS, NOW);
        bench.respond(NOW, &[(0, 1, 0), (1, 2, 0)]);
        bench.respond(NOW + 300_000, &[]);
        assert_eq!(bench.metadata.partition_count(&bench.topics, ORDERS), None);
        assert!(bench.metadata.plan_request(NOW + 300_000).request.topics.is_empty());
    }

    #[test]
    fn after_rebootstrapping_an_older_epoch_is_news() {
        let mut bench = Bench::new();
        bench.metadata.add(ORDERS, NOW);
        bench.respond(NOW, &[(0, 2, 5), (1, 2, 0)]);
        bench.metadata.rebootstrap();
        assert!(bench.metadata.is_bootstrap());
        assert_eq!(bench.metadata.leader(TopicPartition::new(0)), None);
        bench.respond(NOW + 1, &[(0, 1, 4), (1, 2, 0)]);
        assert_eq!(bench.metadata.leader(TopicPartition::new(0)), Some(BrokerId::new(1)));
        bench.respond(NOW + 2, &[(0, 3, 3), (1, 2, 0)]);
        assert_eq!(bench.metadata.leader(TopicPartition::new(0)), Some(BrokerId::new(1)));
    }

    #[test]
    fn a_response_after_rebootstrapping_does_not_lengthen_the_gap() {
        let mut bench = Bench::new();
        bench.metadata.add(ORDERS, NOW);
        for _ in 0..4 {
            bench.respond(NOW, &[(0, 1, 0), (1, 2, 0)]);
        }
        bench.metadata.rebootstrap();
        bench.respond(NOW, &[(0, 1, 0), (1, 2, 0)]);
        bench.metadata.request_update();
        let wait = bench.metadata.time_to_next_update(NOW);
        assert!((80..120).contains(&wait), "{wait}");
    }

    #[test]
    fn rebootstrapping_wakes_nobody_who_waits_for_an_update() {
        let mut bench = Bench::new();
        bench.metadata.add(ORDERS, NOW);
        let version = bench.metadata.request_update_for_topic(ORDERS);
        bench.metadata.rebootstrap();
        assert_eq!(bench.metadata.announced_version(), version);
        bench.respond(NOW + 1, &[(0, 1, 0), (1, 2, 0)]);
        assert!(bench.metadata.announced_version() > version);
    }
}
