//! Batches whose time is up. Kafka: Sender.failExpiredBatches.

use crate::batch::{BatchSlot, FinalState};
use crate::env::Ctx;
use crate::producer::Producer;
use crate::sender::wrapped;
use crate::sequencer::MaySkip;
use inflight_protocol::fact::{ExpiryPlace, SendError};
use inflight_protocol::{Fact, FactKind};

impl Producer {
    /// Fails what has been with the producer for delivery.timeout.ms: first what waits in the
    /// accumulator, then what is in flight. The latter's requests stay out, and their memory is
    /// kept until they are answered. Returns whether there were any.
    pub(super) fn expire_batches(&mut self, ctx: &mut Ctx<'_, '_>) -> bool {
        if self.accumulator.nothing_expires(ctx.now_ms) {
            return false;
        }
        let mut queued = std::mem::take(&mut self.expired_queued);
        let mut in_flight = std::mem::take(&mut self.expired_in_flight);
        self.accumulator.expire(
            ctx.env.config,
            &mut self.in_flight_batches,
            ctx.now_ms,
            &mut queued,
            &mut in_flight,
        );
        let any = !queued.is_empty() || !in_flight.is_empty();
        for slot in queued.drain(..) {
            self.fail_expired(ctx, slot, ExpiryPlace::Queued);
        }
        for slot in in_flight.drain(..) {
            self.fail_expired(ctx, slot, ExpiryPlace::InFlight);
        }
        self.expired_queued = queued;
        self.expired_in_flight = in_flight;
        any
    }

    fn fail_expired(&mut self, ctx: &mut Ctx<'_, '_>, slot: BatchSlot, place: ExpiryPlace) {
        let batch = &self.accumulator.batches[slot];
        let (partition, in_retry) = (batch.partition, batch.in_retry());
        ctx.turn.did(FactKind::BatchExpired.set(), || Fact::BatchExpired {
            session: batch.records.session,
            partition,
            batch: batch.id,
            first: batch.records.first,
            count: batch.records.count,
            place,
        });
        if self.accumulator.finish(slot, FinalState::Failed) {
            self.tell_failed(ctx, slot, SendError::DeliveryTimeout);
            if self.transactions.is_some() {
                self.fail_in_transaction(ctx, slot, SendError::DeliveryTimeout, MaySkip::No);
            } else if let Some(sequencer) = &mut self.sequencer {
                sequencer.failed(slot, None, MaySkip::No, &self.accumulator.batches);
            }
            self.batch_is_over(slot);
        }
        // Only a batch that was put back at least once leaves its sequence in doubt: if it is
        // out for the first time, its answer is still expected.
        if in_retry && let Some(sequencer) = &mut self.sequencer {
            let mark = sequencer.mark_unresolved(slot, &self.accumulator.batches);
            let session = self.session;
            if let Some(next) = mark {
                ctx.turn.did(FactKind::SequenceUnresolved.set(), || Fact::SequenceUnresolved {
                    session,
                    partition,
                    next_sequence: wrapped(next),
                });
            }
        }
        if !self.accumulator.batches[slot].in_request {
            self.release(slot);
        }
    }
}
