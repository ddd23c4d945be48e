//! What is said of an append.

use crate::broker::Broker;
use crate::log::transactions::CompletedTxn;
use inflight_protocol::fact::AppendOrigin;
use inflight_protocol::transaction::Marker;
use inflight_protocol::{BatchKind, Fact, FactKind, RecordBatch, TopicPartition, Turn};

impl Broker {
    /// Says that a batch is in the log, and which transaction it has ended if it is a marker.
    #[inline]
    pub(super) fn did_append(
        &self,
        turn: &mut Turn<'_>,
        partition: TopicPartition,
        batch: &RecordBatch,
        completed: Option<CompletedTxn>,
        origin: AppendOrigin,
    ) {
        match batch.kind {
            BatchKind::Plain | BatchKind::Transactional => {
                self.did_append_records(turn, partition, batch, origin);
            }
            BatchKind::Internal | BatchKind::InternalTransactional => {
                turn.did(FactKind::InternalRecordsAppended.set(), || {
                    Fact::InternalRecordsAppended {
                        broker: self.id,
                        partition,
                        base_offset: batch.base_offset,
                        count: batch.records.count,
                        leader_epoch: batch.leader_epoch,
                        origin,
                    }
                });
            }
            BatchKind::Marker(marker) => {
                self.did_append_marker(turn, partition, (batch, marker), completed, origin);
            }
        }
    }

    #[inline]
    fn did_append_records(
        &self,
        turn: &mut Turn<'_>,
        partition: TopicPartition,
        batch: &RecordBatch,
        origin: AppendOrigin,
    ) {
        turn.did(FactKind::BatchAppended.set(), || Fact::BatchAppended {
            broker: self.id,
            partition,
            base_offset: batch.base_offset,
            count: batch.records.count,
            session: batch.records.session,
            first: batch.records.first,
            leader_epoch: batch.leader_epoch,
            producer_id: batch.producer.map(|producer| producer.id),
            producer_epoch: batch.producer.map(|producer| producer.epoch),
            sequence: batch.producer.map(|producer| producer.base_sequence),
            origin,
        });
    }

    fn did_append_marker(
        &self,
        turn: &mut Turn<'_>,
        partition: TopicPartition,
        (batch, marker): (&RecordBatch, Marker),
        completed: Option<CompletedTxn>,
        origin: AppendOrigin,
    ) {
        let Some(producer) = batch.producer else { return };
        turn.did(FactKind::MarkerAppended.set(), || Fact::MarkerAppended {
            broker: self.id,
            partition,
            offset: batch.base_offset,
            result: marker.result,
            producer_id: producer.id,
            producer_epoch: producer.epoch,
            coordinator_epoch: marker.coordinator_epoch,
            leader_epoch: batch.leader_epoch,
            first_offset: completed.map(|completed| completed.first),
            origin,
        });
    }
}
