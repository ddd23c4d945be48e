//! Committed offsets that are asked for. Kafka: CommitRequestManager.fetchOffsets,
//! OffsetFetchRequestState.

use super::request_state::RequestState;
use crate::consumer::Consumer;
use crate::coordinator::join::Partitions;
use crate::coordinator::lookup::Failure;
use crate::env::Ctx;
use crate::network::Outcome;
use crate::request::Purpose;
use inflight_protocol::fact::SendError;
use inflight_protocol::message::{
    CommittedResult, GroupIdentity, OffsetFetchRequest, Request, Response,
};
use inflight_protocol::transaction::CommittedOffset;
use inflight_protocol::{ErrorCode, TopicPartition};

/// A question for the committed offsets of some partitions.
#[derive(Clone, Debug)]
struct Question {
    id: u32,
    /// In ascending order.
    partitions: Partitions,
    deadline_ms: i64,
    state: RequestState,
}

/// The questions that have no answer yet.
#[derive(Clone, Debug, Default)]
pub(super) struct CommittedRequests {
    questions: Vec<Question>,
}

impl CommittedRequests {
    pub(super) fn next_ms(&self, now_ms: i64, has_coordinator: bool) -> Option<i64> {
        let waiting = self.questions.iter().filter_map(|one| one.state.next_ms(now_ms));
        waiting.min().filter(|_| has_coordinator)
    }
}

impl Consumer {
    /// Asks for the committed offsets of these partitions, unless that was done. Returns the number
    /// of the question. Kafka: initWithCommittedOffsetsIfNeeded.
    pub(super) fn ask_committed(
        &mut self,
        ctx: &Ctx<'_, '_>,
        partitions: &Partitions,
        deadline_ms: i64,
    ) -> u32 {
        let back = self.back();
        let known = back.committed.questions.iter().find(|one| one.partitions == *partitions);
        if let Some(known) = known {
            return known.id;
        }
        let id = back.commits.number();
        let longest_ms = ctx.now_ms.saturating_add(ctx.env.config.default_api_timeout_ms);
        back.moves += 1;
        back.committed.questions.push(Question {
            id,
            partitions: partitions.clone(),
            deadline_ms: deadline_ms.max(longest_ms),
            state: RequestState::new(ctx.env.config),
        });
        id
    }

    /// Sends what may be sent, unless there will never be anybody to ask.
    /// Kafka: CommitRequestManager.poll, maybeFailOnCoordinatorFatalError.
    pub(super) fn poll_committed_requests(&mut self, ctx: &mut Ctx<'_, '_>) {
        let Some(node) = self.back().lookup.node else {
            if let Some(error) = self.back().lookup.fatal {
                let waits = |one: &mut Question| !one.state.is_in_flight();
                for lost in
                    self.back().committed.questions.extract_if(.., waits).collect::<Vec<_>>()
                {
                    self.committed_known(ctx, (lost.id, &lost.partitions), Err(error));
                }
            }
            return;
        };
        let back = self.back();
        let identity = GroupIdentity { group: back.group, member: back.commits.member };
        let mut ready = Vec::new();
        for question in &mut back.committed.questions {
            if question.state.can_send(ctx.now_ms) {
                question.state.sent();
                ready.push((question.id, question.partitions.clone()));
            }
        }
        let peer = self.network.coordinator(node);
        let timeout_ms = ctx.env.config.request_timeout_ms;
        for (id, partitions) in ready {
            let request = Request::OffsetFetch(OffsetFetchRequest { identity, partitions });
            self.network.send(ctx, peer, request, Purpose::OffsetFetch(id), timeout_ms);
        }
    }

    /// Kafka: OffsetFetchRequestState.onResponse, handleGroupLevelError,
    /// handleRetriablePartitionErrors.
    pub(super) fn committed_request_answered(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        id: u32,
        outcome: Outcome,
    ) {
        let result = match outcome {
            Outcome::Response(Response::OffsetFetch(response)) => match response.error {
                None => read(&response.partitions),
                Some(error) => Err(self.question_refused(error)),
            },
            other => {
                self.coordinator_lost(&other);
                Err(Failure::of_transport(&other))
            }
        };
        let stream = ctx.streams.coordinator_backoff;
        let questions = &mut self.back().committed.questions;
        let Some(place) = questions.iter().position(|one| one.id == id) else { return };
        let question = &mut questions[place];
        if !matches!(&result, Ok(Found { is_partial: false, .. })) {
            question.state.failed(ctx.now_ms, (ctx.turn.chance(), stream));
        }
        let next_ms = question.state.next_ms(ctx.now_ms).unwrap_or(ctx.now_ms);
        let is_asked_again = match &result {
            Ok(found) => found.is_partial && next_ms < question.deadline_ms,
            Err(failure) => failure.is_retriable() && ctx.now_ms < question.deadline_ms,
        };
        if is_asked_again {
            return;
        }
        let question = questions.remove(place);
        self.back().moves += 1;
        let result = result.map(|Found { offsets, .. }| {
            let initializing: Partitions = self.subscriptions.initializing().collect();
            let wanted = offsets.into_iter().filter(|one| initializing.contains(&one.partition));
            let wanted: Vec<CommittedOffset> = wanted.collect();
            self.refresh_committed(ctx, &wanted);
        });
        self.committed_known(
            ctx,
            (id, &question.partitions),
            result.map_err(|failure| match failure {
                Failure::Retriable(_) => SendError::CallTimeout,
                Failure::Fatal(error) => error,
            }),
        );
    }

    fn question_refused(&mut self, error: ErrorCode) -> Failure {
        let is_member = self.back().commits.member.is_some();
        match error {
            ErrorCode::NotCoordinator | ErrorCode::CoordinatorNotAvailable => {
                self.mark_coordinator_unknown();
                Failure::Retriable(error)
            }
            // The same question in the epoch of now may do.
            ErrorCode::StaleMemberEpoch if is_member => Failure::Retriable(error),
            _ => Failure::of(error),
        }
    }
}

/// What an answer says. Kafka: OffsetFetchResult.
struct Found {
    /// The offsets that there are.
    offsets: Vec<CommittedOffset>,
    /// Whether the coordinator does not know of some of the partitions, and may soon.
    is_partial: bool,
}

fn read(partitions: &[(TopicPartition, CommittedResult)]) -> Result<Found, Failure> {
    let mut found = Found { offsets: Vec::new(), is_partial: false };
    let (mut refused, mut unstable) = (None, None);
    for (_, result) in partitions {
        match result {
            Ok(offset) => found.offsets.extend(*offset),
            Err(ErrorCode::UnknownTopicOrPartition | ErrorCode::UnknownTopicId) => {
                found.is_partial = true;
            }
            Err(error @ ErrorCode::UnstableOffsetCommit) => {
                unstable = Some(Failure::Retriable(*error));
            }
            Err(error @ ErrorCode::TopicAuthorizationFailed) => refused = Some(Failure::of(*error)),
            Err(error) => return Err(Failure::Fatal(SendError::Code(*error))),
        }
    }
    refused.or(unstable).map_or(Ok(found), Err)
}
