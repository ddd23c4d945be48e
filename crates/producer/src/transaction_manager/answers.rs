//! What answers to the requests of transactions change.
//! Kafka: the handlers of TransactionManager, onComplete and handleResponse.

use super::verdict::{self, Partition, Verdict};
use super::{Handler, IllegalTransition, State, Thread, TransactionManager, TxnRequest};
use crate::env::Ctx;
use crate::sequencer::Sequencer;
use inflight_protocol::error_code::ErrorCode;
use inflight_protocol::fact::SendError;
use inflight_protocol::message::{
    AddPartitionsToTxnResponse, EndTxnResponse, OffsetCommitResponse, Response,
};
use inflight_protocol::transaction::CoordinatorKey;
use inflight_protocol::{BrokerId, Fact, FactKind, ProducerIdAndEpoch};

/// The sleep before the first partitions of a transaction are added again while the one before is
/// still ending, in milliseconds. Kafka: ADD_PARTITIONS_RETRY_BACKOFF_MS.
const ADD_PARTITIONS_RETRY_BACKOFF_MS: i64 = 20;

/// An answer can lead to a step that is not legal; then nothing further comes of it.
type Outcome = Result<(), IllegalTransition>;

impl TransactionManager {
    /// The connection was lost. Kafka: TxnRequestHandler.onComplete, wasDisconnected.
    pub(crate) fn disconnected(&mut self) {
        let Some(request) = self.in_flight.take() else { return };
        if let Some(key) = request.coordinator(self.id) {
            self.look_up(key);
        }
        self.retry(request);
    }

    /// Kafka: TxnRequestHandler.onComplete, handleResponse.
    pub(crate) fn answered(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        sequencer: &mut Sequencer,
        response: Response,
    ) -> Outcome {
        let Some(request) = self.in_flight.take() else { return Ok(()) };
        match response {
            Response::FindCoordinator(response) => {
                self.found_coordinator(ctx, request, response.key, response.coordinator)
            }
            Response::InitProducerId(answer) => self.initialized(ctx, sequencer, request, answer),
            Response::AddPartitionsToTxn(response) => {
                self.added_partitions(ctx, sequencer, request, &response)
            }
            Response::AddOffsetsToTxn(error) => self.added_offsets(ctx, sequencer, request, error),
            Response::TxnOffsetCommit(response) => self.committed_offsets(ctx, request, &response),
            Response::EndTxn(answer) => self.ended(ctx, sequencer, request, answer),
            other => unreachable!("{:?} answers no request of a transaction", other.api()),
        }
    }

    /// Kafka: FindCoordinatorHandler.handleResponse.
    fn found_coordinator(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        request: TxnRequest,
        key: CoordinatorKey,
        answer: Result<BrokerId, ErrorCode>,
    ) -> Outcome {
        match (answer, key) {
            (Ok(broker), CoordinatorKey::Transaction(_)) => self.coordinator = Some(broker),
            (Ok(broker), CoordinatorKey::Group(_)) => self.group_coordinator = Some(broker),
            (Err(error), _) => {
                return self.apply(ctx, request, verdict::of_find_coordinator(error));
            }
        }
        Ok(())
    }

    /// Kafka: InitProducerIdHandler.handleResponse.
    fn initialized(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        sequencer: &mut Sequencer,
        mut request: TxnRequest,
        answer: Result<ProducerIdAndEpoch, ErrorCode>,
    ) -> Outcome {
        let producer = match answer {
            Ok(producer) => producer,
            Err(error) => return self.apply(ctx, request, verdict::of_init_producer_id(error)),
        };
        self.set_producer(ctx, sequencer, producer);
        self.transition(ctx, Thread::Sender, State::Ready, None)?;
        if matches!(request.handler, Handler::InitProducerId { current: Some(_) }) {
            sequencer.reset_all();
        }
        self.done(&mut request);
        Ok(())
    }

    /// Kafka: setProducerIdAndEpoch.
    fn set_producer(
        &self,
        ctx: &mut Ctx<'_, '_>,
        sequencer: &mut Sequencer,
        producer: ProducerIdAndEpoch,
    ) {
        let session = self.session;
        let ProducerIdAndEpoch { id: producer_id, epoch: producer_epoch } = producer;
        if sequencer.set_id_and_epoch(producer) == Some(producer_id) {
            ctx.turn.did(FactKind::ProducerEpochBumped.set(), || Fact::ProducerEpochBumped {
                session,
                producer_id,
                producer_epoch,
            });
        } else {
            ctx.turn.did(FactKind::ProducerIdAssigned.set(), || Fact::ProducerIdAssigned {
                session,
                producer_id,
                producer_epoch,
            });
        }
    }

    /// Kafka: AddPartitionsToTxnHandler.handleResponse. Partitions leave the pending set whether
    /// they were added or not, unless the request is sent again.
    fn added_partitions(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        sequencer: &mut Sequencer,
        mut request: TxnRequest,
        response: &AddPartitionsToTxnResponse,
    ) -> Outcome {
        let full_backoff_ms = self.retry_backoff_ms;
        let Handler::AddPartitions { backoff_ms, .. } = &mut request.handler else {
            unreachable!("partitions are answered to who adds partitions")
        };
        *backoff_ms = full_backoff_ms;
        let (mut unauthorized, mut failed) = (None, None);
        for (_, error) in &response.partitions {
            let Some(error) = error else { continue };
            match verdict::of_added_partition(*error) {
                Partition::Decides(verdict) => return self.apply(ctx, request, verdict),
                Partition::Concurrent => {
                    if sequencer.partitions_in_transaction().is_empty() {
                        *backoff_ms = ADD_PARTITIONS_RETRY_BACKOFF_MS;
                    }
                    self.retry(request);
                    return Ok(());
                }
                Partition::Fails(told @ SendError::Code(_)) => unauthorized = Some(told),
                Partition::Fails(told) => failed = Some(told),
                Partition::LooksUp | Partition::Waits => {}
            }
        }
        for (partition, _) in &response.partitions {
            self.pending_partitions.remove(*partition);
        }
        if let Some(told) = unauthorized.or(failed) {
            return self.apply(ctx, request, Verdict::Abortable(told));
        }
        for (partition, _) in &response.partitions {
            sequencer.partitions_in_transaction().insert(*partition);
        }
        self.transaction_started = true;
        self.done(&mut request);
        Ok(())
    }

    /// Kafka: AddOffsetsToTxnHandler.handleResponse. The result comes with the offsets themselves.
    fn added_offsets(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        sequencer: &Sequencer,
        request: TxnRequest,
        error: Option<ErrorCode>,
    ) -> Outcome {
        if let Some(error) = error {
            return self.apply(ctx, request, verdict::of_add_offsets(error));
        }
        let Handler::AddOffsets { identity, offsets, .. } = request.handler else {
            unreachable!("offsets are answered to who adds offsets")
        };
        let handler = self.commit_offsets(sequencer, identity, offsets);
        self.pending_requests.offer(TxnRequest {
            completed: request.completed,
            ..TxnRequest::new(handler, request.result)
        });
        self.transaction_started = true;
        Ok(())
    }

    /// Kafka: TxnOffsetCommitHandler.handleResponse.
    fn committed_offsets(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        mut request: TxnRequest,
        response: &OffsetCommitResponse,
    ) -> Outcome {
        let mut reloaded = false;
        for (partition, error) in &response.partitions {
            let Some(error) = error else {
                self.pending_offset_commits.remove(*partition);
                continue;
            };
            match verdict::of_committed_offset(*error) {
                Partition::LooksUp if !reloaded => {
                    reloaded = true;
                    if let Some(key) = request.coordinator(self.id) {
                        self.look_up(key);
                    }
                }
                Partition::Decides(Verdict::Fatal(told)) => {
                    self.fail(&mut request, told);
                    self.fatal(ctx, told);
                    break;
                }
                Partition::Decides(Verdict::Abortable(told)) => {
                    self.fail(&mut request, told);
                    self.abortable(ctx, Thread::Sender, told)?;
                    break;
                }
                _ => {}
            }
        }
        if request.completed {
            self.pending_offset_commits.clear();
        } else if self.pending_offset_commits.is_empty() {
            self.done(&mut request);
        } else {
            self.retry(request);
        }
        Ok(())
    }

    /// Kafka: EndTxnHandler.handleResponse. With version 2 the answer brings the epoch of the next
    /// transaction, and a new producer id if there is no greater epoch.
    fn ended(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        sequencer: &mut Sequencer,
        mut request: TxnRequest,
        answer: EndTxnResponse,
    ) -> Outcome {
        let Handler::EndTxn { result, .. } = request.handler else {
            unreachable!("an end is answered to who ends")
        };
        match answer {
            Ok(next) => {
                if let Some(producer) = next {
                    self.set_producer(ctx, sequencer, producer);
                    sequencer.reset_all();
                }
                self.reset_transaction(ctx, sequencer)?;
                self.done(&mut request);
                Ok(())
            }
            Err(error) => self.apply(ctx, request, verdict::of_end(error, result)),
        }
    }

    fn apply(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        mut request: TxnRequest,
        verdict: Verdict,
    ) -> Outcome {
        match verdict {
            Verdict::LookUp => {
                self.look_up(CoordinatorKey::Transaction(self.id));
                self.retry(request);
                Ok(())
            }
            Verdict::Retry => {
                self.retry(request);
                Ok(())
            }
            Verdict::Abortable(error) => {
                self.fail(&mut request, error);
                self.abortable(ctx, Thread::Sender, error)
            }
            Verdict::AbortableIfPossible(error) if self.can_handle_abortable_error() => {
                self.client_side_epoch_bump_required |= self.bumps_epoch_itself();
                self.apply(ctx, request, Verdict::Abortable(SendError::Code(error)))
            }
            Verdict::AbortableIfPossible(error) => {
                self.apply(ctx, request, Verdict::Fatal(SendError::Code(error)))
            }
            Verdict::Fatal(error) => {
                self.fail(&mut request, error);
                self.fatal(ctx, error);
                Ok(())
            }
        }
    }
}
