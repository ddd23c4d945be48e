//! The queue of requests: what goes next, what comes back, what is given up.
//! Kafka: TransactionManager.nextRequest, retry, lookupCoordinator, close.

use super::{Handler, IllegalTransition, State, TransactionManager, TxnRequest};
use crate::env::Ctx;
use crate::sequencer::Sequencer;
use inflight_protocol::fact::SendError;
use inflight_protocol::transaction::CoordinatorKey;
use inflight_protocol::{BrokerId, TopicPartition};

impl TransactionManager {
    /// The next request to be sent, if one may go now. Kafka: nextRequest.
    pub(crate) fn next_request(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        sequencer: &mut Sequencer,
        has_incomplete_batches: bool,
    ) -> Result<Option<TxnRequest>, IllegalTransition> {
        if !self.new_partitions.is_empty() {
            self.enqueue_new_partitions(sequencer);
        }
        let ends = self.pending_requests.peek().is_some_and(TxnRequest::is_end);
        if ends && has_incomplete_batches {
            return Ok(None);
        }
        let Some(mut request) = self.pending_requests.poll() else { return Ok(None) };
        if self.has_error() {
            // A coordinator is looked for all the same if the transaction is going to be aborted.
            let harmless = matches!(request.handler, Handler::FindCoordinator(_));
            if !(self.state == State::AbortableError && harmless) {
                let error = self.last_error.unwrap_or(SendError::FatalState);
                self.fail(&mut request, error);
                return Ok(None);
            }
        }
        if ends && !self.transaction_started {
            self.done(&mut request);
            self.reset_transaction(ctx, sequencer)?;
            return Ok(self.pending_requests.poll());
        }
        Ok(Some(request))
    }

    /// Kafka: addPartitionsToTransactionHandler, enqueued.
    pub(super) fn enqueue_new_partitions(&mut self, sequencer: &Sequencer) {
        self.pending_partitions.append(&mut self.new_partitions);
        let handler = Handler::AddPartitions {
            producer: sequencer.id_and_epoch(),
            partitions: self.pending_partitions.iter().collect(),
            backoff_ms: self.retry_backoff_ms,
        };
        self.pending_requests.offer(TxnRequest::new(handler, None));
    }

    pub(super) fn done(&mut self, request: &mut TxnRequest) {
        request.completed = true;
        if let Some(result) = request.result {
            self.results.done(result);
        }
    }

    pub(super) fn fail(&mut self, request: &mut TxnRequest, error: SendError) {
        request.completed = true;
        if let Some(result) = request.result {
            self.results.fail(result, error);
        }
    }

    /// Puts a request back; it sleeps before it is sent. Kafka: retry, TxnRequestHandler.reenqueue.
    pub(crate) fn retry(&mut self, mut request: TxnRequest) {
        request.is_retry = true;
        self.pending_requests.offer(request);
    }

    /// Kafka: coordinator.
    pub(crate) fn coordinator(&self, key: CoordinatorKey) -> Option<BrokerId> {
        match key {
            CoordinatorKey::Transaction(_) => self.coordinator,
            CoordinatorKey::Group(_) => self.group_coordinator,
        }
    }

    /// Forgets a coordinator and asks for it. Kafka: lookupCoordinator.
    pub(crate) fn look_up(&mut self, key: CoordinatorKey) {
        match key {
            CoordinatorKey::Transaction(_) => self.coordinator = None,
            CoordinatorKey::Group(_) => self.group_coordinator = None,
        }
        self.pending_requests.offer(TxnRequest::new(Handler::FindCoordinator(key), None));
    }

    /// There is a connection to the transaction's coordinator, so its versions are known: every
    /// broker here lets a client raise its epoch. Kafka: handleCoordinatorReady.
    pub(crate) fn coordinator_is_ready(&mut self) {
        self.coordinator_supports_bumping_epoch = self.coordinator.is_some();
    }

    /// The producer is closed at once. Kafka: TransactionManager.close.
    pub(crate) fn close(&mut self, ctx: &mut Ctx<'_, '_>) {
        let error = SendError::ProducerClosedForcefully;
        let mut requests = std::mem::take(&mut self.pending_requests);
        for request in requests.iter_mut() {
            self.fail(request, error);
            self.fatal(ctx, error);
        }
        self.pending_requests = requests;
        self.fail_pending_transition(error);
    }

    /// Whether it neither does nor waits for anything. An open transaction is not counted.
    pub(crate) fn is_idle(&self) -> bool {
        self.pending_requests.is_empty()
            && self.new_partitions.is_empty()
            && self.in_hand.is_none()
            && self.in_flight.is_none()
    }

    /// Whether batches of a partition may be sent some time: it is in the transaction, or is
    /// going to be.
    pub(super) fn knows(&self, sequencer: &mut Sequencer, partition: TopicPartition) -> bool {
        sequencer.partitions_in_transaction().contains(partition)
            || self.new_partitions.contains(partition)
            || self.pending_partitions.contains(partition)
    }
}
