//! What becomes of a batch when its request has ended. Kafka: Sender.handleProduceResponse,
//! completeBatch, failBatch, canRetry.

use crate::batch::{BatchSlot, FinalState};
use crate::env::Ctx;
use crate::in_flight::Purpose;
use crate::network_client::{Answered, Outcome};
use crate::producer::Producer;
use crate::sequencer::MaySkip;
use inflight_protocol::error_code::ErrorCode;
use inflight_protocol::fact::{MetadataSource, SendError};
use inflight_protocol::message::{LeaderAndEpoch, ProducePartitionResponse, Response};
use inflight_protocol::{Fact, FactKind, TopicPartition};
use smallvec::SmallVec;

type LeaderHints = SmallVec<[(TopicPartition, LeaderAndEpoch); 2]>;

impl Producer {
    pub(super) fn complete_response(&mut self, ctx: &mut Ctx<'_, '_>, answered: Answered) {
        match answered.request.purpose {
            Purpose::Produce(slots) => self.complete_produce(ctx, &slots, &answered.outcome),
            Purpose::InitProducerId => self.complete_init_producer_id(ctx, answered.outcome),
            Purpose::Transaction(_) => self.complete_transactional(ctx, answered.outcome),
            Purpose::ApiVersions | Purpose::Metadata(_) => {
                unreachable!("the network client keeps these to itself")
            }
        }
    }

    /// Kafka: Sender.handleProduceResponse.
    fn complete_produce(&mut self, ctx: &mut Ctx<'_, '_>, slots: &[BatchSlot], outcome: &Outcome) {
        let mut hints = LeaderHints::new();
        let synthetic = |slot: &BatchSlot, producer: &Self, error| ProducePartitionResponse {
            partition: producer.accumulator.batches[*slot].partition,
            error,
            base_offset: None,
            log_append_time: None,
            log_start_offset: None,
            current_leader: None,
        };
        let error = match outcome {
            Outcome::Response(Response::Produce(response)) => {
                debug_assert_eq!(response.partitions.len(), slots.len());
                for (slot, partition) in slots.iter().zip(&response.partitions) {
                    self.complete_batch(ctx, *slot, partition, &mut hints);
                }
                self.apply_leader_hints(ctx, &hints);
                return;
            }
            Outcome::Response(_) => unreachable!("a produce request gets a produce response"),
            Outcome::Written => None,
            Outcome::Disconnected => Some(ErrorCode::NetworkException),
            Outcome::TimedOut => Some(ErrorCode::RequestTimedOut),
        };
        // Kafka goes through a hash map of partitions here.
        let mut ascending: SmallVec<[BatchSlot; 8]> = SmallVec::from_slice(slots);
        ascending.sort_unstable_by_key(|slot| self.accumulator.batches[*slot].partition);
        for slot in &ascending {
            let response = synthetic(slot, self, error);
            self.complete_batch(ctx, *slot, &response, &mut hints);
        }
    }

    /// Kafka: Metadata.updatePartitionLeadership, from Sender.handleProduceResponse (KIP-951).
    fn apply_leader_hints(&mut self, ctx: &mut Ctx<'_, '_>, hints: &LeaderHints) {
        let session = self.session;
        for (partition, hint) in hints {
            if self.metadata.update_leadership(*partition, *hint) {
                ctx.turn.did(FactKind::MetadataUpdated.set(), || Fact::MetadataUpdated {
                    session,
                    broker: hint.leader,
                    through: MetadataSource::LeaderHint,
                });
            }
        }
    }

    /// Kafka: Sender.completeBatch with the error to look at.
    fn complete_batch(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        slot: BatchSlot,
        response: &ProducePartitionResponse,
        hints: &mut LeaderHints,
    ) {
        let batch = &mut self.accumulator.batches[slot];
        batch.in_request = false;
        let partition = batch.partition;
        let is_done = batch.final_state.is_some();
        match response.error {
            None => self.succeed(ctx, slot, response),
            Some(ErrorCode::MessageTooLarge) if batch.records.count > 1 && !is_done => {
                self.split(ctx, slot);
            }
            Some(error) => {
                if self.can_retry(ctx, slot, error, response) {
                    self.requeue(ctx, slot, error);
                } else if error == ErrorCode::DuplicateSequenceNumber {
                    self.succeed(ctx, slot, response);
                } else {
                    let spare = self.accumulator.batches[slot].attempts < ctx.env.config.retries;
                    let may_skip = if spare { MaySkip::Yes } else { MaySkip::No };
                    self.fail(ctx, slot, error, may_skip);
                }
                if error.refreshes_metadata() {
                    let moved = matches!(
                        error,
                        ErrorCode::NotLeaderOrFollower | ErrorCode::FencedLeaderEpoch
                    );
                    if let Some(hint) = response.current_leader.filter(|_| moved) {
                        hints.push((partition, hint));
                    }
                    self.metadata.request_update();
                }
            }
        }
        if self.guarantee_message_order {
            self.accumulator.set_muted(partition, false);
        }
    }

    /// Kafka: Sender.canRetry.
    fn can_retry(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        slot: BatchSlot,
        error: ErrorCode,
        response: &ProducePartitionResponse,
    ) -> bool {
        let config = ctx.env.config;
        let batch = &self.accumulator.batches[slot];
        if batch.has_reached_delivery_timeout(config.delivery_timeout_ms, ctx.now_ms)
            || batch.attempts >= config.retries
            || batch.final_state.is_some()
        {
            return false;
        }
        match &mut self.sequencer {
            Some(_) if self.transactions.is_some() => {
                self.can_retry_in_transaction(ctx, slot, error, response)
            }
            Some(sequencer) => {
                sequencer.can_retry(slot, error, response, &self.accumulator.batches)
            }
            None => error.is_retriable(),
        }
    }

    /// Kafka: Sender.completeBatch without an error, ProducerBatch.complete.
    fn succeed(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        slot: BatchSlot,
        response: &ProducePartitionResponse,
    ) {
        if let Some(sequencer) = &mut self.sequencer {
            sequencer.completed(slot, &self.accumulator.batches);
            if self.transactions.is_some() {
                sequencer.acked_at(slot, response.base_offset, &self.accumulator.batches);
            }
        }
        if self.accumulator.finish(slot, FinalState::Succeeded) {
            self.tell_acked(ctx, slot, response.base_offset);
            self.leave_in_flight(slot);
            self.batch_is_over(slot);
        }
        self.release(slot);
    }

    /// Kafka: Sender.failBatch, ProducerBatch.completeExceptionally.
    fn fail(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        slot: BatchSlot,
        error: ErrorCode,
        may_skip: MaySkip,
    ) {
        if self.accumulator.finish(slot, FinalState::Failed) {
            self.tell_failed(ctx, slot, SendError::Code(error));
            if self.transactions.is_some() {
                self.fail_in_transaction(ctx, slot, SendError::Code(error), may_skip);
            } else if let Some(sequencer) = &mut self.sequencer {
                sequencer.failed(slot, Some(error), may_skip, &self.accumulator.batches);
            }
            self.leave_in_flight(slot);
            self.batch_is_over(slot);
        }
        self.release(slot);
    }

    /// Kafka: Sender.reenqueueBatch.
    fn requeue(&mut self, ctx: &mut Ctx<'_, '_>, slot: BatchSlot, error: ErrorCode) {
        self.accumulator.requeue(ctx, slot, self.sequencer.is_some());
        self.leave_in_flight(slot);
        let batch = &self.accumulator.batches[slot];
        ctx.turn.did(FactKind::BatchRequeued.set(), || Fact::BatchRequeued {
            session: batch.records.session,
            partition: batch.partition,
            batch: batch.id,
            first: batch.records.first,
            count: batch.records.count,
            attempts: batch.attempts,
            error,
        });
    }

    /// Kafka: the split in Sender.completeBatch.
    fn split(&mut self, ctx: &mut Ctx<'_, '_>, slot: BatchSlot) {
        if let Some(sequencer) = &mut self.sequencer {
            sequencer.untrack(slot, &self.accumulator.batches);
        }
        let (first_child, children) = self.accumulator.split(ctx, slot, self.sequencer.as_mut());
        let batch = &self.accumulator.batches[slot];
        let flush_key = batch.flush_key;
        ctx.turn.did(FactKind::BatchSplit.set(), || Fact::BatchSplit {
            session: batch.records.session,
            partition: batch.partition,
            batch: batch.id,
            first_child,
            children,
        });
        for flush in &mut self.flushes {
            if flush_key <= flush.upto {
                flush.outstanding += children;
            }
        }
        if self.accumulator.finish(slot, FinalState::Split) {
            self.batch_is_over(slot);
        }
        self.leave_in_flight(slot);
        self.release(slot);
    }

    /// Kafka: Sender.maybeRemoveFromInflightBatches.
    fn leave_in_flight(&mut self, slot: BatchSlot) {
        let partition = self.accumulator.batches[slot].partition;
        let list = &mut self.in_flight_batches[partition.index()];
        if list.front() == Some(&slot) {
            list.pop_front();
        } else {
            list.retain(|other| *other != slot);
        }
    }
}
