//! What leaders answer to markers, and the end of a transaction when all have theirs.
//!
//! Kafka: TransactionMarkerRequestCompletionHandler, and maybeWriteTxnCompletion of
//! TransactionMarkerChannelManager.

use super::{PendingCompleteTxn, PendingMarkers};
use crate::broker::Broker;
use crate::broker::inter_broker::REQUEST_TIMEOUT;
use crate::broker::timers::Timer;
use crate::broker::transaction_coordinator::After;
use crate::transaction_metadata::Partitions;
use inflight_protocol::message::{MarkerEntry, WriteTxnMarkersResponse};
use inflight_protocol::{
    Cluster, ErrorCode, Fact, FactKind, TopicPartition, TransactionalId, Turn,
};

impl Broker {
    /// What became of the markers of one transaction at one leader: they are there, are sent again,
    /// or are not wanted any more.
    /// Kafka: TransactionMarkerRequestCompletionHandler.onComplete.
    pub(super) fn markers_answered_for(
        &mut self,
        cluster: &Cluster,
        sent: PendingMarkers,
        response: Option<&WriteTxnMarkersResponse>,
    ) {
        let epoch = self.with_transaction(cluster, sent.id, |_, epoch, _| epoch);
        if epoch != Ok(sent.entry.coordinator_epoch) {
            self.markers.cancel(sent.number);
            return;
        }
        let Some(response) = response else {
            self.queue_markers(sent);
            return;
        };
        let (mut written, mut again) = (Partitions::new(), Partitions::new());
        let mut is_fenced = false;
        let results = response.results.iter();
        for (_, partition, error) in results.filter(|(who, ..)| who.id == sent.entry.producer.id) {
            match error {
                None => written.push(*partition),
                Some(ErrorCode::InvalidProducerEpoch | ErrorCode::TransactionCoordinatorFenced) => {
                    is_fenced = true;
                }
                Some(_) => again.push(*partition),
            }
        }
        if is_fenced {
            self.markers.cancel(sent.number);
        }
        self.remove_written(cluster, sent.id, &written);
        if is_fenced {
            return;
        }
        if again.is_empty() {
            self.maybe_write_completion(cluster, sent.id);
        } else {
            let entry = MarkerEntry { partitions: again, ..sent.entry };
            self.queue_markers(PendingMarkers { entry, ..sent });
        }
    }

    /// Takes partitions without a leader for deleted ones, which need no marker. Returns whether
    /// the other markers are still wanted. Kafka: addTxnMarkersToBrokerQueue.
    pub(super) fn skip_markers(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        (number, id): (u32, TransactionalId),
        entry: &MarkerEntry,
        leaderless: &[TopicPartition],
    ) -> bool {
        let epoch = self.with_transaction(cluster, id, |_, epoch, _| epoch);
        if epoch != Ok(entry.coordinator_epoch) {
            self.markers.cancel(number);
            return false;
        }
        for partition in leaderless {
            turn.did(FactKind::MarkerSkipped.set(), || Fact::MarkerSkipped {
                broker: self.id,
                transactional_id: id,
                partition: *partition,
                result: entry.result,
                producer_id: entry.producer.id,
                producer_epoch: entry.producer.epoch,
            });
        }
        self.remove_written(cluster, id, leaderless);
        self.maybe_write_completion(cluster, id);
        true
    }

    fn remove_written(
        &mut self,
        cluster: &Cluster,
        id: TransactionalId,
        written: &[TopicPartition],
    ) {
        // The coordinator was looked for a moment ago.
        let _ = self.with_transaction(cluster, id, |_, _, metadata| {
            // A marker that was sent twice may be answered when all is over.
            let metadata = metadata.filter(|metadata| metadata.decided().is_some());
            if let Some(metadata) = metadata {
                written.iter().for_each(|partition| metadata.remove_partition(*partition));
            }
        });
    }

    /// Writes down the end of a transaction, if all its partitions have their markers.
    /// Kafka: maybeWriteTxnCompletion.
    pub(super) fn maybe_write_completion(&mut self, cluster: &Cluster, id: TransactionalId) {
        let is_left = self.with_transaction(cluster, id, |_, _, metadata| {
            metadata.is_none_or(|metadata| !metadata.partitions.is_empty())
        });
        let pending = &mut self.markers.pending;
        let position = pending.iter().position(|pending| pending.id == id);
        if let Some(position) = position.filter(|_| is_left == Ok(false)) {
            let pending = pending.remove(position);
            self.write_completion(cluster, pending);
        }
    }

    /// Kafka: writeTxnCompletion, tryAppendToLog.
    pub(super) fn write_completion(&mut self, cluster: &Cluster, pending: PendingCompleteTxn) {
        let epoch = self.with_transaction(cluster, pending.id, |_, epoch, _| epoch);
        if epoch != Ok(pending.coordinator_epoch) {
            return;
        }
        let after = After::Complete(pending.number);
        let value = (*pending.value).clone();
        self.append_transition(cluster, pending.coordinator_epoch, value, after);
        self.markers.completing.push(pending);
    }

    /// The end of a transaction is committed; or it is written again, if that could not be for now.
    pub(in crate::broker) fn completion_written(
        &mut self,
        turn: &Turn<'_>,
        number: u32,
        error: Option<ErrorCode>,
    ) {
        let completing = &mut self.markers.completing;
        let Some(index) = completing.iter().position(|it| it.number == number) else { return };
        let pending = completing.remove(index);
        if error == Some(ErrorCode::CoordinatorNotAvailable) {
            // Kafka's thread looks at it when it is woken, or after request.timeout.ms.
            if self.markers.retries.is_empty() {
                self.markers.retry_at = turn.now() + REQUEST_TIMEOUT;
            }
            self.markers.retries.push(pending);
            self.timers.arm(Timer::Markers, self.markers.retry_at);
        }
    }
}
