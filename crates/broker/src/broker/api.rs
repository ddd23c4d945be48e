//! Metadata requests, answered from this broker's own metadata, which may be old.

use crate::broker::Broker;
use crate::broker::settings::InjectWhen;
use inflight_protocol::message::{MetadataResponse, PartitionMetadata};
use inflight_protocol::{Cluster, ErrorCode, Request, Response, TopicId, TopicPartition, Turn};

impl Broker {
    /// Answers a metadata request. A topic without partitions does not exist, and none is created.
    /// Kafka: KafkaApis.handleTopicMetadataRequest.
    pub(super) fn execute_metadata(&mut self, cluster: &Cluster, turn: &mut Turn<'_>, slot: u32) {
        let Request::Metadata(request) = &self.sockets[slot].request else { return };
        let injected = self
            .injected(slot, None, InjectWhen::BeforeAppend)
            .or_else(|| self.injected(slot, None, InjectWhen::AfterAppend));
        let mut response =
            MetadataResponse { brokers: self.metadata.alive(), ..MetadataResponse::default() };
        for topic in &request.topics {
            match injected.or_else(|| self.topic_error(cluster, *topic)) {
                Some(error) => response.topic_errors.push((*topic, error)),
                None => {
                    let partitions = cluster.topics.partitions(*topic);
                    response.partitions.extend(partitions.filter_map(|id| self.describe(id)));
                }
            }
        }
        self.respond(turn, slot, Response::Metadata(response));
    }

    fn topic_error(&self, cluster: &Cluster, topic: TopicId) -> Option<ErrorCode> {
        let mut partitions = cluster.topics.partitions(topic);
        let exists = partitions.any(|id| self.metadata.partition(id).is_some());
        (!exists).then_some(ErrorCode::UnknownTopicOrPartition)
    }

    /// A partition for a client. Kafka: KRaftMetadataCache.partitionMetadata.
    fn describe(&self, partition: TopicPartition) -> Option<PartitionMetadata> {
        let registration = self.metadata.partition(partition)?;
        let leader = registration.leader.filter(|leader| self.metadata.is_registered(*leader));
        Some(PartitionMetadata {
            partition,
            error: leader.is_none().then_some(ErrorCode::LeaderNotAvailable),
            leader,
            leader_epoch: registration.leader_epoch,
        })
    }
}
