//! The sender thread: its passes, its polls, its sleeps. Kafka: clients/producer/internals/Sender.
//!
//! A pass takes no time. The thread is therefore always in one of three places when nothing
//! happens: in a poll, asleep, or at its end; see [`Activity`].

use crate::accumulator::Ready;
use crate::batch::{BatchSlot, FinalState};
use crate::connection_states::Peer;
use crate::env::Ctx;
use crate::in_flight::Purpose;
use crate::network_client::NetworkEvent;
use crate::producer::Producer;
use crate::sequencer::{Rewrites, Sequencer, State};
use inflight_des::{Instant, Span};
use inflight_protocol::error_code::ErrorCode;
use inflight_protocol::fact::SendError;
use inflight_protocol::message::{Acks, ProduceRequest, Request};
use inflight_protocol::{BatchKind, BrokerSet, Fact, FactKind, RecordBatch, Sequence, Timestamp};
use smallvec::SmallVec;

mod complete;
mod expire;
mod needless;
mod producer_id;
mod transactional;

pub(crate) use producer_id::ProducerIdRequest;

/// Where the sender thread is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activity {
    /// About to begin a pass.
    Pass,
    /// In a poll that ends at `until`, or before if the network has something.
    Poll { until: Instant, then: Next },
    /// In Time.sleep; the network has to wait.
    Sleep { until: Instant, then: Next },
    /// The thread has ended.
    Ended,
}

/// What the thread goes on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The next pass.
    Pass,
    /// The wait for a connection to this peer, begun at that millisecond.
    /// Kafka: NetworkClientUtils.awaitReady.
    AwaitReady { peer: Peer, since_ms: i64 },
    /// The InitProducerId request to this peer.
    SendInitProducerId { peer: Peer },
    /// The request of a transaction that is in hand, to this peer.
    SendTransactional { peer: Peer },
    /// Asking for metadata, after no connection could be made for a request that any broker takes.
    GiveUpOnPeer,
}

/// What a look at the accumulator brought.
struct Looked {
    /// For how many milliseconds the poll may block.
    timeout_ms: i64,
    /// Whether another look at the same instant would bring the same, and change nothing.
    is_all: bool,
}

impl Producer {
    /// Runs the thread until it blocks. `arrived` ends a poll that it is in; it is all that the
    /// network has.
    pub(crate) fn run_sender(&mut self, ctx: &mut Ctx<'_, '_>, arrived: &mut Option<NetworkEvent>) {
        loop {
            match self.activity {
                Activity::Pass => {
                    if self.has_shut_down(ctx) {
                        self.end_sender(ctx);
                        return;
                    }
                    self.activity = self.run_once(ctx);
                }
                Activity::Poll { until, then } => {
                    let now = ctx.turn.now();
                    let silent = arrived.is_none() && !self.network.has_work();
                    if now < until && silent && !self.network.is_deadline_over(ctx.now_ms) {
                        return;
                    }
                    self.finish_poll(ctx, arrived);
                    self.activity = self.go_on(ctx, then);
                }
                Activity::Sleep { until, then } => {
                    if ctx.turn.now() < until {
                        return;
                    }
                    self.activity = self.go_on(ctx, then);
                }
                Activity::Ended => return,
            }
        }
    }

    fn go_on(&mut self, ctx: &mut Ctx<'_, '_>, next: Next) -> Activity {
        match next {
            Next::Pass => Activity::Pass,
            Next::AwaitReady { peer, since_ms } => self.await_ready(ctx, peer, since_ms),
            Next::SendInitProducerId { peer } => self.send_init_producer_id(ctx, peer),
            Next::SendTransactional { peer } => self.send_transactional(ctx, peer),
            Next::GiveUpOnPeer => {
                self.metadata.request_update();
                if self.transactions.is_some() {
                    return self.retry_in_hand();
                }
                self.producer_id_request = ProducerIdRequest::Pending { is_retry: true };
                Activity::Pass
            }
        }
    }

    /// One pass. Kafka: Sender.runOnce.
    fn run_once(&mut self, ctx: &mut Ctx<'_, '_>) -> Activity {
        if self.sequencer.is_some()
            && let Some(activity) = self.idempotence_first(ctx)
        {
            return activity;
        }
        let Looked { timeout_ms, is_all } = self.send_producer_data(ctx);
        let version = self.metadata.version();
        let activity = self.poll(ctx, timeout_ms, Next::Pass);
        // Kafka takes one request of a transaction a pass.
        let is_all = is_all && self.transactions.is_none() && version == self.metadata.version();
        if is_all && timeout_ms > 0 && self.network.has_unwritten() {
            self.write_without_a_pass(ctx, activity);
        }
        activity
    }

    /// A poll that writes a request returns at once, and the pass after it finds what this pass
    /// found: unless a broker was waiting for the metadata request to go out, the poll began with a
    /// rebootstrap, or metadata is still due. That pass is left out.
    fn write_without_a_pass(&mut self, ctx: &mut Ctx<'_, '_>, activity: Activity) {
        if self.network.is_update_due(&mut self.metadata, ctx.now_ms) {
            return;
        }
        let sample = needless::sample(self);
        self.network.write(ctx.now_ms);
        if let Some(before) = sample
            && !self.network.has_unwritten()
        {
            needless::check(ctx, before, self, activity);
        }
    }

    /// What an idempotent producer does before it looks at the accumulator. `Some` if the pass is
    /// over with it.
    fn idempotence_first(&mut self, ctx: &mut Ctx<'_, '_>) -> Option<Activity> {
        if self.transactions.is_some() {
            return self.transactions_first(ctx);
        }
        let sequencer = self.sequencer.as_mut()?;
        sequencer.resolve();
        if sequencer.state() == State::FatalError {
            let error = sequencer.last_error().map_or(SendError::FatalState, SendError::Code);
            self.abort_batches(ctx, error);
            return Some(self.poll_to_retry(ctx));
        }
        if sequencer.state() == State::AbortableError {
            // Only CLUSTER_AUTHORIZATION_FAILED leads here. Kafka: shouldHandleAuthorizationError.
            let error = sequencer.last_error().unwrap_or(ErrorCode::ClusterAuthorizationFailed);
            sequencer.uninitialize();
            self.abort_batches(ctx, SendError::Code(error));
            return Some(Activity::Pass);
        }
        self.bump_epoch(ctx);
        if self.sequencer.as_mut().is_some_and(Sequencer::start_initializing) {
            self.producer_id_request = ProducerIdRequest::Pending { is_retry: false };
        }
        self.advance_producer_id_request(ctx)
    }

    fn bump_epoch(&mut self, ctx: &mut Ctx<'_, '_>) {
        let session = self.session;
        let batches = &mut self.accumulator.batches;
        let Some(sequencer) = &mut self.sequencer else { return };
        let Some(bumped) = sequencer.bump_epoch_if_required(batches) else { return };
        if let Some(now) = sequencer.id_and_epoch() {
            ctx.turn.did(FactKind::ProducerEpochBumped.set(), || Fact::ProducerEpochBumped {
                session,
                producer_id: now.id,
                producer_epoch: now.epoch,
            });
        }
        self.tell_rewrites(ctx, bumped.rewrites);
    }

    fn tell_rewrites(&self, ctx: &mut Ctx<'_, '_>, rewrites: Rewrites) {
        let session = self.session;
        for rewrite in rewrites {
            let batch = &self.accumulator.batches[rewrite.slot];
            let Some(producer) = batch.producer else { continue };
            ctx.turn.did(FactKind::SequenceRewritten.set(), || Fact::SequenceRewritten {
                session,
                partition: batch.partition,
                batch: batch.id,
                first: batch.records.first,
                count: batch.records.count,
                from: rewrite.from,
                to: rewrite.to,
                producer_epoch: producer.epoch,
            });
        }
    }

    /// Sends what is ready. Kafka: Sender.sendProducerData.
    fn send_producer_data(&mut self, ctx: &mut Ctx<'_, '_>) -> Looked {
        let Ready { mut brokers, mut next_check_ms, unknown_leader_topics } =
            self.accumulator.ready(ctx, &self.metadata);
        if !unknown_leader_topics.is_empty() {
            for topic in unknown_leader_topics {
                self.metadata.add(topic, ctx.now_ms);
            }
            self.metadata.request_update();
        }
        let is_all = if brokers.is_empty() {
            !self.expire_batches(ctx)
        } else {
            self.send_to(ctx, &mut brokers, &mut next_check_ms)
        };
        let limit_ms = next_check_ms.min(ctx.env.config.request_timeout_ms);
        let expiry_ms = self
            .accumulator
            .next_expiry_ms(
                ctx.env.config,
                &self.in_flight_batches,
                ctx.now_ms.saturating_add(limit_ms),
            )
            .saturating_sub(ctx.now_ms);
        // Kafka polls without blocking as long as a broker was ready. If that sent nothing the
        // thread spins until time or the network changes something; here it waits for that.
        Looked { timeout_ms: next_check_ms.min(expiry_ms).max(0), is_all }
    }

    /// Sends what is ready to the brokers that can take it; the others are left out. Returns
    /// whether another look at the same instant would find neither more to send nor anything else.
    fn send_to(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        brokers: &mut BrokerSet,
        next_check_ms: &mut i64,
    ) -> bool {
        // What is noted about a broker's latency may change where the next records go.
        let mut is_all = ctx.env.config.partitioner_availability_timeout_ms <= 0;
        for broker in brokers.iter() {
            let peer = self.network.states().peer_of(broker);
            let ready = self.network.ready(ctx, &mut self.metadata, peer);
            self.accumulator.update_node_latency_stats(
                ctx.env.config,
                broker.index(),
                ctx.now_ms,
                ready,
            );
            if !ready {
                *brokers = brokers.without(broker);
                is_all &= !self.network.states().is_ready(peer, ctx.now_ms);
                let delay_ms = self.network.states().poll_delay_ms(peer, ctx.now_ms);
                *next_check_ms = delay_ms.min(*next_check_ms);
            }
        }
        if brokers.is_empty() {
            return !self.expire_batches(ctx) && is_all;
        }
        // Kafka drains for all brokers, looks for expired batches, and then sends. A batch that
        // just expired is sent all the same.
        let mut requests: SmallVec<[(Peer, SmallVec<[BatchSlot; 2]>); 2]> = SmallVec::new();
        let mut correlation = self.network.next_correlation().get();
        for broker in brokers.iter() {
            let drained = self.accumulator.drain(
                ctx,
                &self.metadata,
                self.sequencer.as_mut(),
                broker,
                inflight_protocol::CorrelationId::new(correlation),
                next_check_ms,
            );
            if drained.is_empty() {
                continue;
            }
            correlation += 1;
            for slot in &drained {
                let partition = self.accumulator.batches[*slot].partition;
                self.accumulator.batches[*slot].in_request = true;
                self.in_flight_batches[partition.index()].push_back(*slot);
                if self.guarantee_message_order {
                    self.accumulator.set_muted(partition, true);
                }
            }
            requests.push((self.network.states().peer_of(broker), drained));
        }
        if let Some(manager) = &mut self.transactions {
            manager.spins = requests.is_empty();
        }
        if self.expire_batches(ctx) {
            // Kafka polls without blocking, and then what waited behind those batches is ready.
            *next_check_ms = 0;
        }
        for (peer, drained) in requests {
            self.send_produce_request(ctx, peer, drained);
        }
        false
    }

    /// Kafka: Sender.sendProduceRequest.
    fn send_produce_request(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        peer: Peer,
        drained: SmallVec<[BatchSlot; 2]>,
    ) {
        let config = ctx.env.config;
        let transaction = self.transactions.as_ref().map(|manager| manager.of_produce());
        let kind = transaction.map_or(BatchKind::Plain, |_| BatchKind::Transactional);
        let batches = drained
            .iter()
            .map(|slot| {
                let batch = &self.accumulator.batches[*slot];
                (batch.partition, RecordBatch { kind, ..batch.as_record_batch() })
            })
            .collect();
        let request = Request::Produce(ProduceRequest {
            acks: config.acks,
            timeout_ms: config.request_timeout_ms as u32,
            transaction,
            batches,
        });
        let expects_response = config.acks != Acks::None;
        self.network.send(ctx, peer, Purpose::Produce(drained), request, expects_response);
    }

    /// Begins a poll. Kafka: the first half of NetworkClient.poll.
    pub(crate) fn poll(&mut self, ctx: &mut Ctx<'_, '_>, timeout_ms: i64, then: Next) -> Activity {
        let metadata_ms = self.network.maybe_update_metadata(ctx, &mut self.metadata);
        let wait_ms = timeout_ms.min(metadata_ms).min(ctx.env.config.request_timeout_ms);
        Activity::Poll { until: after_ms(ctx.turn.now(), wait_ms), then }
    }

    /// A poll of `retry.backoff.ms`. Kafka's thread spins if that is 0; here it looks again when the
    /// network has something, or a millisecond later.
    pub(crate) fn poll_to_retry(&mut self, ctx: &mut Ctx<'_, '_>) -> Activity {
        self.poll(ctx, ctx.env.config.retry_backoff_ms.max(1), Next::Pass)
    }

    /// Ends a poll: what came in, what timed out, and the callbacks of both.
    pub(crate) fn finish_poll(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        arrived: &mut Option<NetworkEvent>,
    ) {
        let mut answered = std::mem::take(&mut self.answered);
        let (metadata, session) = (&mut self.metadata, self.session);
        self.network.finish_poll(ctx, metadata, session, arrived, &mut answered);
        if !answered.is_empty() {
            for answer in answered.drain(..) {
                self.complete_response(ctx, answer);
            }
        }
        self.answered = answered;
    }

    /// Fails every batch that the application waits for. Kafka: Sender.maybeAbortBatches and
    /// RecordAccumulator.abortBatches.
    pub(crate) fn abort_batches(&mut self, ctx: &mut Ctx<'_, '_>, error: SendError) {
        if self.accumulator.incomplete() == 0 {
            return;
        }
        let mut doomed: Vec<BatchSlot> = self.accumulator.queued().collect();
        for list in &mut self.in_flight_batches {
            doomed.extend(list.drain(..));
        }
        // In the order in which they were made, as the application would expect.
        doomed.sort_unstable_by_key(|slot| self.accumulator.batches[*slot].id);
        for slot in doomed {
            self.accumulator.remove_from_queue(slot);
            if self.accumulator.finish(slot, FinalState::Aborted) {
                self.tell_failed(ctx, slot, error);
                self.batch_is_over(slot);
            }
            if let Some(sequencer) = &mut self.sequencer {
                sequencer.untrack(slot, &self.accumulator.batches);
            }
            if !self.accumulator.batches[slot].in_request {
                self.release(slot);
            }
        }
    }

    /// When the thread wants to run again if the network stays silent.
    #[inline]
    pub(crate) fn sender_wakes(&self) -> Instant {
        match self.activity {
            Activity::Pass => Instant::START,
            Activity::Poll { until, .. } => until.min(instant_of_ms(self.network.deadline_ms())),
            Activity::Sleep { until, .. } => until,
            Activity::Ended => Instant::NEVER,
        }
    }
}

/// The instant `ms` milliseconds after `now`, or never.
pub(crate) fn after_ms(now: Instant, ms: i64) -> Instant {
    u64::try_from(ms).map_or(now, |ms| now + Span::from_millis(ms))
}

/// The first instant at which the wall clock reads `ms`.
pub(crate) fn instant_of_ms(ms: i64) -> Instant {
    let since_start = ms.saturating_sub(Timestamp::RUN_START.get());
    after_ms(Instant::START, since_start)
}

/// A sequence number of Kafka's plain arithmetic, for a fact.
pub(crate) fn wrapped(sequence: i32) -> Sequence {
    Sequence::new(sequence & i32::MAX).expect("31 bits are never negative")
}
