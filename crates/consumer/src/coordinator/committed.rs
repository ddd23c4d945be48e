//! Where to begin: the committed offsets. Kafka: ConsumerCoordinator.fetchCommittedOffsets.

use crate::consumer::Consumer;
use crate::coordinator::generation::Generation;
use crate::coordinator::join::Partitions;
use crate::coordinator::lookup::Failure;
use crate::env::Ctx;
use crate::network::Outcome;
use crate::request::Purpose;
use crate::subscription::FetchPosition;
use crate::wait::Progress;
use inflight_protocol::ErrorCode;
use inflight_protocol::fact::{PositionSource, SendError};
use inflight_protocol::message::{OffsetFetchRequest, OffsetFetchResponse, Request, Response};
use inflight_protocol::transaction::CommittedOffset;

/// A request for committed offsets. Kafka: PendingCommittedOffsetRequest.
#[derive(Clone, Debug)]
pub(crate) enum CommittedRequest {
    /// There is none.
    None,
    /// It is on its way, or nobody has looked at its answer.
    Asked {
        /// Its number: an answer to another one does not count.
        id: u32,
        /// For which partitions.
        partitions: Partitions,
        /// In which generation.
        generation: Option<Generation>,
        /// The offsets that there are.
        answer: Option<Result<Vec<CommittedOffset>, Failure>>,
    },
}

/// How far fetchCommittedOffsets() is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CommittedWait {
    attempts: u32,
    until_ms: Option<i64>,
    /// Whether the question is out, and what is left is to poll for the answer.
    is_asked: bool,
}

impl Consumer {
    /// Gives partitions without a position the committed one. Kafka:
    /// initWithCommittedOffsetsIfNeeded.
    pub(crate) fn init_with_committed(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        wait: &mut CommittedWait,
        deadline_ms: i64,
    ) -> Progress<bool> {
        loop {
            let mut wanted: Partitions = self.subscriptions.initializing().collect();
            if wanted.is_empty() {
                return Progress::Done(true);
            }
            wanted.sort_unstable();
            let is_late = ctx.now_ms >= deadline_ms;
            if !wait.is_asked {
                match wait.until_ms {
                    Some(until_ms) if ctx.now_ms < until_ms => {
                        return Progress::Sleeping(until_ms);
                    }
                    Some(_) if is_late => return Progress::Done(false),
                    Some(_) | None => wait.until_ms = None,
                }
                self.forget_other_request(&wanted);
                match self.ensure_coordinator(ctx, deadline_ms) {
                    Progress::Done(true) => {}
                    other => return other,
                }
                self.ask_for_committed(ctx, &wanted);
                wait.is_asked = true;
                if !self.has_committed() && !is_late {
                    return Progress::Polling(deadline_ms);
                }
                self.poll_network(ctx);
            }
            let Some(coordinator) = &mut self.coordinator else { return Progress::Done(false) };
            let CommittedRequest::Asked { answer, .. } = &mut coordinator.committed else {
                wait.is_asked = false;
                continue;
            };
            let Some(answer) = answer.take() else {
                return if is_late {
                    Progress::Done(false)
                } else {
                    Progress::Polling(deadline_ms)
                };
            };
            coordinator.committed = CommittedRequest::None;
            wait.is_asked = false;
            match answer {
                Ok(offsets) => {
                    self.refresh_committed(ctx, &offsets);
                    return Progress::Done(true);
                }
                Err(Failure::Fatal(error)) => return Progress::Failed(error),
                Err(Failure::Retriable(_)) => {
                    let stream = ctx.streams.coordinator_backoff;
                    let backoff = coordinator.backoff;
                    let wait_ms = backoff.draw(wait.attempts, ctx.turn.chance(), stream);
                    wait.attempts += 1;
                    wait.until_ms = Some(ctx.now_ms.saturating_add(wait_ms).min(deadline_ms));
                }
            }
        }
    }

    /// Whether the answer about committed offsets is there.
    fn has_committed(&self) -> bool {
        self.coordinator.as_ref().is_some_and(|known| {
            matches!(known.committed, CommittedRequest::Asked { answer: Some(_), .. })
        })
    }

    /// Whoever wants other offsets does not look at the answer, also if nobody can be asked for them
    /// now. Kafka: PendingCommittedOffsetRequest.sameRequest.
    fn forget_other_request(&mut self, wanted: &Partitions) {
        let Some(coordinator) = &mut self.coordinator else { return };
        let now_in = coordinator.generation_if_stable();
        if let CommittedRequest::Asked { partitions, generation, .. } = &coordinator.committed
            && (partitions != wanted || *generation != now_in)
        {
            coordinator.committed = CommittedRequest::None;
        }
    }

    fn ask_for_committed(&mut self, ctx: &mut Ctx<'_, '_>, wanted: &Partitions) {
        let node = self.coordinator_node(ctx);
        let Some(coordinator) = &mut self.coordinator else { return };
        if matches!(coordinator.committed, CommittedRequest::Asked { .. }) {
            return;
        }
        let now_in = coordinator.generation_if_stable();
        let answer = match node {
            Some(_) => None,
            None => Some(Err(Failure::Retriable(ErrorCode::CoordinatorNotAvailable))),
        };
        let id = coordinator.commits.number();
        let (partitions, generation) = (wanted.clone(), now_in);
        coordinator.committed = CommittedRequest::Asked { id, partitions, generation, answer };
        let Some(node) = node else { return };
        // Kafka names no member here, so the group is not asked about it.
        let identity = coordinator.identity_of(Generation::NONE);
        let request = OffsetFetchRequest { identity, partitions: wanted.clone() };
        let peer = self.network.coordinator(node);
        let timeout_ms = ctx.env.config.request_timeout_ms;
        let request = Request::OffsetFetch(request);
        self.network.send(ctx, peer, request, Purpose::OffsetFetch(id), timeout_ms);
    }

    /// Kafka: OffsetFetchResponseHandler.
    pub(crate) fn committed_answered(&mut self, asked: u32, outcome: Outcome) {
        let result = match outcome {
            Outcome::Response(Response::OffsetFetch(response)) => self.read_committed(&response),
            other => {
                if matches!(other, Outcome::Disconnected) {
                    self.forget_coordinator();
                }
                Err(Failure::of_transport(&other))
            }
        };
        let Some(coordinator) = &mut self.coordinator else { return };
        if let CommittedRequest::Asked { id, answer, .. } = &mut coordinator.committed
            && *id == asked
        {
            *answer = Some(result);
        }
    }

    fn read_committed(
        &mut self,
        response: &OffsetFetchResponse,
    ) -> Result<Vec<CommittedOffset>, Failure> {
        if let Some(error) = response.error {
            if matches!(error, ErrorCode::CoordinatorNotAvailable | ErrorCode::NotCoordinator) {
                self.drop_coordinator();
            }
            return Err(Failure::of(error));
        }
        let mut offsets = Vec::new();
        let mut is_unstable = false;
        for (_, result) in &response.partitions {
            match result {
                Ok(Some(offset)) => offsets.push(*offset),
                Ok(None) => {}
                Err(ErrorCode::UnstableOffsetCommit) => is_unstable = true,
                Err(error) => return Err(Failure::Fatal(SendError::Code(*error))),
            }
        }
        if is_unstable {
            return Err(Failure::Retriable(ErrorCode::UnstableOffsetCommit));
        }
        Ok(offsets)
    }

    /// Kafka: ConsumerUtils.refreshCommittedOffsets.
    pub(crate) fn refresh_committed(&mut self, ctx: &mut Ctx<'_, '_>, offsets: &[CommittedOffset]) {
        for committed in offsets {
            let partition = committed.partition;
            if let Some(epoch) = committed.leader_epoch {
                self.metadata.saw_epoch(partition, epoch);
            }
            if self.subscriptions.get(partition).is_none() {
                continue;
            }
            let leader = self.metadata.current_leader(partition);
            let (offset, offset_epoch) = (committed.offset, committed.leader_epoch);
            let position = FetchPosition { offset, offset_epoch, leader };
            self.subscriptions.seek_unvalidated(partition, position);
            self.tell_position(ctx, partition, offset, PositionSource::Committed);
        }
    }
}
