//! InitProducerId with a transactional id: a new instance of a producer takes over.
//!
//! Kafka: TransactionCoordinator.handleInitProducerId, prepareInitProducerIdTransit.

use super::{After, EndCaller};
use crate::broker::Broker;
use crate::broker::transaction_state_manager::partition_of;
use crate::transaction_metadata::{End, EndOrigin, TransactionMetadata};
use inflight_protocol::message::InitProducerIdRequest;
use inflight_protocol::transaction::TransactionLogValue;
use inflight_protocol::{
    Cluster, ErrorCode, ProducerId, ProducerIdAndEpoch, Response, Timestamp, TransactionResult,
    TransactionState, TransactionalId, Turn,
};

/// What becomes of a request to initialise a producer.
enum Initialization {
    /// This is to be written.
    Write(TransactionLogValue),
    /// The open transaction is to be aborted first, by the producer with this epoch.
    Fence(ProducerIdAndEpoch),
}

impl Broker {
    pub(super) fn handle_init_producer_id(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        slot: u32,
        request: InitProducerIdRequest,
    ) {
        let Some((id, timeout_ms)) = request.transaction else {
            let result = self.generate_producer_id(cluster, turn);
            self.answer(turn, slot, Response::InitProducerId(result));
            return;
        };
        let max = cluster.broker(self.id).transaction_max_timeout.as_millis();
        if timeout_ms == 0 || u64::from(timeout_ms) > max {
            self.refuse_request(turn, slot, ErrorCode::InvalidTransactionTimeout);
            return;
        }
        let known = self.know_transaction(cluster, turn, id, timeout_ms);
        let prepared = known.and_then(|()| {
            self.with_transaction(cluster, id, |broker, epoch, metadata| {
                let metadata = metadata.ok_or(ErrorCode::NotCoordinator)?;
                let wish = (timeout_ms, request.current);
                Ok((epoch, broker.prepare_initialization(cluster, turn, metadata, wish)?))
            })?
        });
        match prepared {
            Ok((epoch, Initialization::Write(value))) => {
                self.append_transition(cluster, epoch, value, After::Initialize(slot));
            }
            Ok((_, Initialization::Fence(producer))) => {
                let version = cluster.transaction_version;
                let (result, origin) = (TransactionResult::Abort, EndOrigin::Coordinator);
                let end = End { producer, result, version, origin };
                self.end_transaction(cluster, turn, id, end, EndCaller::NewInstance(slot));
            }
            Err(error) => self.refuse_request(turn, slot, error),
        }
    }

    /// Sees to it that there is metadata of an id. Kafka: putTransactionStateIfNotExists.
    fn know_transaction(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        id: TransactionalId,
        timeout_ms: u32,
    ) -> Result<(), ErrorCode> {
        let is_known = self.with_transaction(cluster, id, |_, _, metadata| metadata.is_some())?;
        if !is_known {
            let producer_id = self.new_producer_id(cluster, turn)?;
            let now = Timestamp::at(turn.now());
            let metadata = TransactionMetadata::new(id, producer_id, timeout_ms, now);
            self.transactions.entry(partition_of(cluster, id))?.insert(metadata);
            self.watch_expiry(cluster, turn, now);
        }
        Ok(())
    }

    /// A producer id for a transactional id. Kafka: ProducerIdManager.generateProducerId.
    pub(super) fn new_producer_id(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
    ) -> Result<ProducerId, ErrorCode> {
        self.generate_producer_id(cluster, turn).map(|producer| producer.id)
    }

    fn prepare_initialization(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        metadata: &mut TransactionMetadata,
        (timeout_ms, current): (u32, Option<ProducerIdAndEpoch>),
    ) -> Result<Initialization, ErrorCode> {
        use TransactionState as S;
        let now = Timestamp::at(turn.now());
        if metadata.pending.is_some() {
            return Err(ErrorCode::ConcurrentTransactions);
        }
        if current.is_some_and(|current| !metadata.knows_producer(current)) {
            return Err(ErrorCode::ProducerFenced);
        }
        let expected = current.map(|current| current.epoch);
        match metadata.state {
            S::PrepareAbort | S::PrepareCommit => Err(ErrorCode::ConcurrentTransactions),
            S::Empty | S::CompleteAbort | S::CompleteCommit => {
                let matches = expected.is_none_or(|epoch| epoch == metadata.epoch());
                let value = if metadata.is_epoch_exhausted() && matches {
                    let id = self.new_producer_id(cluster, turn)?;
                    metadata.prepare_rotation(id, timeout_ms, expected, now)
                } else {
                    metadata.prepare_increment(timeout_ms, expected, now)?
                };
                Ok(Initialization::Write(value))
            }
            S::Ongoing => Ok(Initialization::Fence(metadata.prepare_fence())),
            // An id is never seen in these states.
            S::Dead | S::PrepareEpochFence => Err(ErrorCode::UnknownServerError),
        }
    }

    /// The producer is initialised, or that could not be written.
    pub(super) fn initialized(
        &mut self,
        turn: &mut Turn<'_>,
        slot: u32,
        value: &TransactionLogValue,
        error: Option<ErrorCode>,
    ) {
        if let Some(error) = error {
            self.refuse_request(turn, slot, error);
            return;
        }
        let producer = ProducerIdAndEpoch { id: value.producer_id, epoch: value.producer_epoch };
        self.answer(turn, slot, Response::InitProducerId(Ok(producer)));
    }
}
