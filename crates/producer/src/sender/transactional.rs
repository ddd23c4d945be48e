//! The sender of a transactional producer: requests to coordinators come before records, one at a
//! time. Kafka: Sender.runOnce, maybeSendAndPollTransactionalRequest, and the end of Sender.run.

use super::{Activity, Next, after_ms};
use crate::batch::{BatchSlot, FinalState};
use crate::connection_states::Peer;
use crate::env::Ctx;
use crate::in_flight::Purpose;
use crate::network_client::Outcome;
use crate::producer::Producer;
use crate::sequencer::{MaySkip, Sequencer};
use crate::transaction_manager::{Closing, State, Thread, TransactionManager, TxnRequest};
use inflight_protocol::error_code::ErrorCode;
use inflight_protocol::fact::SendError;
use inflight_protocol::message::{ProducePartitionResponse, ProduceTransaction};
use inflight_protocol::transaction::CoordinatorKey;

impl TransactionManager {
    /// What a produce request says of it.
    pub(super) fn of_produce(&self) -> ProduceTransaction {
        ProduceTransaction { id: self.id(), version: self.version() }
    }
}

/// Errors after which a producer without an identity asks for one again.
/// Kafka: Sender.shouldHandleAuthorizationError.
const fn is_refusal(error: SendError) -> bool {
    matches!(
        error,
        SendError::Code(
            ErrorCode::TransactionalIdAuthorizationFailed | ErrorCode::ClusterAuthorizationFailed
        )
    )
}

impl Producer {
    /// The manager and the sequencer of a transactional producer.
    pub(crate) fn transactional(&mut self) -> Option<(&mut TransactionManager, &mut Sequencer)> {
        Some((self.transactions.as_deref_mut()?, self.sequencer.as_mut()?))
    }

    /// What a transactional producer does before it looks at the accumulator. `Some` if the pass is
    /// over with it.
    pub(super) fn transactions_first(&mut self, ctx: &mut Ctx<'_, '_>) -> Option<Activity> {
        let (manager, sequencer) = self.transactional()?;
        manager.spins = false;
        for _ in 0..sequencer.resolve_in_transaction() {
            // Kafka leaves the partition where it is if that is no legal step, and throws again in
            // every pass: its thread does nothing else any more.
            if manager.sequences_are_lost(ctx).is_err() {
                return Some(Activity::Pass);
            }
        }
        let last_error = manager.last_error();
        if manager.state() == State::FatalError {
            if let Some(error) = last_error {
                self.abort_batches(ctx, error);
            }
            return Some(self.poll_to_retry(ctx));
        }
        if manager.state() == State::AbortableError
            && let Some(error) = last_error.filter(|error| is_refusal(*error))
        {
            self.abort_batches(ctx, error);
            self.transactions.as_deref_mut()?.uninitialize(ctx, error);
            return Some(Activity::Pass);
        }
        let activity = self.next_transactional_request(ctx);
        self.accumulator.transaction_completing =
            self.transactions.as_ref().is_some_and(|manager| manager.is_completing());
        activity
    }

    /// Kafka: maybeSendAndPollTransactionalRequest.
    fn next_transactional_request(&mut self, ctx: &mut Ctx<'_, '_>) -> Option<Activity> {
        let manager = self.transactions.as_deref_mut()?;
        if manager.in_flight.is_some() {
            return Some(self.poll_to_retry(ctx));
        }
        let doom = match manager.state() {
            State::AbortableError => manager.last_error(),
            State::Aborting => Some(SendError::TransactionAborted),
            _ => None,
        };
        if let Some(error) = doom {
            self.abort_undrained_batches(ctx, error);
        }
        let has_incomplete = self.accumulator.incomplete() > 0;
        let (manager, sequencer) = self.transactional()?;
        match manager.next_request(ctx, sequencer, has_incomplete) {
            Ok(request) => Some(self.direct(ctx, request?)),
            // Kafka throws, which ends the pass.
            Err(_) => Some(Activity::Pass),
        }
    }

    /// Finds who the next request goes to.
    fn direct(&mut self, ctx: &mut Ctx<'_, '_>, request: TxnRequest) -> Activity {
        let Some(manager) = self.transactions.as_deref_mut() else { return Activity::Pass };
        let peer = match request.coordinator(manager.id()) {
            Some(key) => {
                let Some(broker) = manager.coordinator(key) else {
                    manager.look_up(key);
                    manager.retry(request);
                    return Activity::Pass;
                };
                self.network.states().peer_of(broker)
            }
            None => {
                let Some(peer) = self.network.least_loaded(ctx, &self.metadata).peer else {
                    manager.retry(request);
                    return self.poll_to_retry(ctx);
                };
                peer
            }
        };
        manager.in_hand = Some(request);
        self.begin_await_ready(ctx, peer)
    }

    /// There is a connection for the request in hand. A retry sleeps first, and the whole thread
    /// with it.
    pub(super) fn connection_in_hand(&mut self, ctx: &mut Ctx<'_, '_>, peer: Peer) -> Activity {
        let Some(manager) = self.transactions.as_deref_mut() else { return Activity::Pass };
        let Some(request) = &manager.in_hand else { return Activity::Pass };
        let (is_retry, key) = (request.is_retry, request.coordinator(manager.id()));
        let backoff_ms = request.backoff_ms(ctx.env.config.retry_backoff_ms);
        if matches!(key, Some(CoordinatorKey::Transaction(_))) {
            manager.coordinator_is_ready();
        }
        if is_retry {
            let until = after_ms(ctx.turn.now(), backoff_ms);
            return Activity::Sleep { until, then: Next::SendTransactional { peer } };
        }
        self.send_transactional(ctx, peer)
    }

    /// There is none. Kafka: maybeFindCoordinatorAndRetry.
    pub(super) fn no_connection_in_hand(&mut self, ctx: &mut Ctx<'_, '_>) -> Activity {
        let Some(manager) = self.transactions.as_deref_mut() else { return Activity::Pass };
        let id = manager.id();
        match manager.in_hand.as_ref().and_then(|request| request.coordinator(id)) {
            Some(key) => {
                manager.look_up(key);
                self.retry_in_hand()
            }
            None => self.sleep(ctx, Next::GiveUpOnPeer),
        }
    }

    /// The request in hand waits for another turn.
    pub(super) fn retry_in_hand(&mut self) -> Activity {
        if let Some(manager) = self.transactions.as_deref_mut()
            && let Some(request) = manager.in_hand.take()
        {
            manager.retry(request);
        }
        Activity::Pass
    }

    /// Sends the request in hand.
    pub(super) fn send_transactional(&mut self, ctx: &mut Ctx<'_, '_>, peer: Peer) -> Activity {
        let Some(manager) = self.transactions.as_deref_mut() else { return Activity::Pass };
        let Some(request) = manager.in_hand.take() else { return Activity::Pass };
        let message = request.build(manager.id(), manager.timeout_ms());
        let purpose = Purpose::Transaction(request.api());
        manager.in_flight = Some(request);
        self.network.send(ctx, peer, purpose, message, true);
        self.poll_to_retry(ctx)
    }

    /// Kafka: TxnRequestHandler.onComplete. What it throws is caught by the network client.
    pub(super) fn complete_transactional(&mut self, ctx: &mut Ctx<'_, '_>, outcome: Outcome) {
        let Some((manager, sequencer)) = self.transactional() else { return };
        match outcome {
            Outcome::Response(response) => {
                let _ = manager.answered(ctx, sequencer, response);
            }
            Outcome::Disconnected | Outcome::TimedOut => manager.disconnected(),
            Outcome::Written => unreachable!("a request of a transaction is answered"),
        }
    }

    // --- batches ----------------------------------------------------------------------------------

    /// Fails the batches that were never sent. Kafka: RecordAccumulator.abortUndrainedBatches.
    fn abort_undrained_batches(&mut self, ctx: &mut Ctx<'_, '_>, error: SendError) {
        if self.accumulator.incomplete() == 0 {
            return;
        }
        let batches = &self.accumulator.batches;
        let unsent = |slot: &BatchSlot| batches[*slot].producer.is_none();
        let mut doomed: Vec<BatchSlot> = self.accumulator.queued().filter(unsent).collect();
        doomed.sort_unstable_by_key(|slot| self.accumulator.batches[*slot].id);
        for slot in doomed {
            self.accumulator.remove_from_queue(slot);
            if self.accumulator.finish(slot, FinalState::Aborted) {
                self.tell_failed(ctx, slot, error);
                self.batch_is_over(slot);
            }
            self.release(slot);
        }
    }

    /// Kafka: TransactionManager.handleFailedBatch. Where that throws, Sender.failBatch goes on.
    pub(super) fn fail_in_transaction(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        slot: BatchSlot,
        error: SendError,
        may_skip: MaySkip,
    ) {
        let (Some(manager), Some(sequencer)) = (&mut self.transactions, &mut self.sequencer) else {
            return;
        };
        if manager.sending_failed(ctx, Thread::Sender, error).is_err() {
            return;
        }
        let batches = &mut self.accumulator.batches;
        sequencer.untrack(slot, batches);
        if manager.state() == State::FatalError {
            return;
        }
        if error == SendError::Code(ErrorCode::UnknownProducerId) {
            sequencer.reset(batches[slot].partition);
        } else if may_skip == MaySkip::Yes {
            let rewrites = sequencer.move_up(slot, batches);
            self.tell_rewrites(ctx, rewrites);
        }
    }

    /// Kafka: TransactionManager.canRetry.
    pub(super) fn can_retry_in_transaction(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        slot: BatchSlot,
        error: ErrorCode,
        response: &ProducePartitionResponse,
    ) -> bool {
        let Some(sequencer) = &mut self.sequencer else { return false };
        let batches = &mut self.accumulator.batches;
        let (retries, rewrites) =
            sequencer.can_retry_in_transaction(slot, error, response, batches);
        self.tell_rewrites(ctx, rewrites);
        retries
    }

    // --- close() ----------------------------------------------------------------------------------

    /// Whether close() has nothing left to wait for: first what was begun goes on, then a
    /// transaction that is still open is aborted. Kafka: the second and third loop of Sender.run.
    pub(crate) fn has_ended_transactions(&mut self, ctx: &mut Ctx<'_, '_>) -> bool {
        let busy = self.accumulator.has_undrained() || self.network.in_flight_count() > 0;
        let Some((manager, sequencer)) = self.transactional() else { return true };
        let is_ongoing = manager.has_ongoing_transaction();
        if manager.closing == Closing::Begun {
            if busy || (is_ongoing && manager.has_pending_requests()) {
                return false;
            }
            manager.closing = Closing::Abort;
        }
        if manager.closing == Closing::LastPass {
            manager.closing = Closing::Over;
        }
        if !is_ongoing || manager.closing == Closing::Over {
            return true;
        }
        if !manager.is_completing() && manager.begin_abort(ctx, Thread::Sender, sequencer).is_err()
        {
            manager.closing = Closing::LastPass;
        }
        false
    }
}
