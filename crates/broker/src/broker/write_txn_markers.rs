//! Markers, at the leaders of the partitions that a transaction was in.
//!
//! Kafka: KafkaApis.handleWriteTxnMarkersRequest. The markers of a request are appended one by one,
//! one a step, as a producer's batches are with `acks=all`, and answered together.

use crate::broker::Broker;
use crate::broker::produce::{BatchOutcome, LogChange, accepted};
use crate::broker::settings::InjectWhen;
use crate::broker::work::{Progress, Task};
use crate::log::append::AppendSettings;
use crate::partition::InternalTopic;
use inflight_protocol::fact::AppendOrigin;
use inflight_protocol::message::{MarkerEntry, WriteTxnMarkersResponse};
use inflight_protocol::transaction::Marker;
use inflight_protocol::{
    Cluster, ErrorCode, Fact, FactKind, Offset, Request, Response, Timestamp, TopicPartition, Turn,
};

impl Broker {
    /// Appends the next marker of a request, or finishes the request if there is none.
    #[inline(never)]
    pub(super) fn execute_write_txn_markers(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        slot: u32,
    ) -> Progress {
        let next = self.sockets[slot].outcomes.len();
        let Some((entry, partition)) = self.nth_marker(slot, next) else {
            self.finish_append(cluster, turn, slot);
            return Progress::Volatile;
        };
        let entry = MarkerEntry { partitions: smallvec::SmallVec::new(), ..entry.clone() };
        let outcome = self.append_marker(cluster, turn, slot, (&entry, partition));
        self.sockets[slot].outcomes.push(outcome);
        self.tasks.push_front(Task::Execute(slot));
        if outcome.change == LogChange::None {
            return Progress::Volatile;
        }
        if let Some(index) = self.replica_index(partition) {
            let replica = &self.partitions[index];
            if let Some(to) = replica.log.flush_messages_due(replica.config(cluster)) {
                self.tasks.push_front(Task::Flush(partition, to));
            }
        }
        Progress::Durable
    }

    /// The marker at a position among all of a request.
    fn nth_marker(&self, slot: u32, position: usize) -> Option<(&MarkerEntry, TopicPartition)> {
        let Request::WriteTxnMarkers(request) = &self.sockets[slot].request else { return None };
        let all = request.markers.iter();
        let mut all = all.flat_map(|entry| entry.partitions.iter().map(move |id| (entry, *id)));
        all.nth(position)
    }

    fn append_marker(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        slot: u32,
        (entry, partition): (&MarkerEntry, TopicPartition),
    ) -> BatchOutcome {
        let injected = self.injected(slot, Some(partition), InjectWhen::BeforeAppend);
        let written = match injected {
            Some(error) => Err(error),
            None => self.write_marker(cluster, turn, (entry, partition)),
        };
        match written {
            Ok(mut outcome) => {
                let late = self.injected(slot, Some(partition), InjectWhen::AfterAppend);
                outcome.response.error = late;
                outcome
            }
            Err(error) => {
                turn.did(FactKind::MarkerRejected.set(), || Fact::MarkerRejected {
                    broker: self.id,
                    partition,
                    producer_id: entry.producer.id,
                    producer_epoch: entry.producer.epoch,
                    error,
                });
                let mut outcome = accepted(partition, Offset::ZERO, Offset::ZERO);
                outcome.response.error = Some(error);
                outcome
            }
        }
    }

    /// Appends a marker to a log that is led here, if enough replicas are in sync.
    fn write_marker(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        (entry, partition): (&MarkerEntry, TopicPartition),
    ) -> Result<BatchOutcome, ErrorCode> {
        // Kafka: ReplicaManager.onlinePartition.
        let index = self.replica_index(partition).ok_or(ErrorCode::UnknownTopicOrPartition)?;
        let is_of_groups = self.partitions[index].internal == Some(InternalTopic::ConsumerOffsets);
        let epoch = if is_of_groups {
            self.check_group_marker(partition)?;
            let leadership = self.partitions[index].leadership();
            leadership.ok_or(ErrorCode::NotLeaderOrFollower)?.epoch
        } else {
            self.writable_epoch(index)?
        };
        self.expire_producers(cluster, turn, index);
        let replica = &mut self.partitions[index];
        let (topic, config) = (replica.config(cluster), cluster.broker(self.id));
        let settings = AppendSettings::new(topic, config, cluster.defects);
        let marker = Marker { result: entry.result, coordinator_epoch: entry.coordinator_epoch };
        let at = (epoch, Timestamp::at(turn.now()));
        let done =
            replica.log.append_marker(entry.producer, marker, entry.version, at, settings)?;
        let written = (&done.batch, done.completed);
        let origin = AppendOrigin::Coordinator;
        let change = self.appended(cluster, turn, index, written, origin);
        if is_of_groups {
            let end = done.batch.next_offset();
            self.group_marker_written(turn, partition, (entry.producer.id, entry.result), end);
        }
        let outcome = accepted(partition, done.batch.base_offset, done.batch.next_offset());
        Ok(BatchOutcome { change, ..outcome })
    }

    /// Answers a request whose markers are all decided.
    pub(super) fn answer_markers(&mut self, turn: &mut Turn<'_>, slot: u32) {
        let outcomes = self.sockets[slot].outcomes.iter().enumerate();
        let results = outcomes.filter_map(|(position, outcome)| {
            let (entry, partition) = self.nth_marker(slot, position)?;
            Some((entry.producer, partition, outcome.response.error))
        });
        let response = WriteTxnMarkersResponse { results: results.collect() };
        self.respond(turn, slot, Response::WriteTxnMarkers(response));
    }
}
