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

    /// Sends what may be sent. Kafka: CommitRequestManager.poll.
    pub(super) fn poll_committed_requests(&mut self, ctx: &mut Ctx<'_, '_>) {
        let Some(node) = self.back().lookup.node else { return };
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

    /// Kafka: OffsetFetchRequestState.onResponse, handleGroupLevelError.
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
        if let Err(failure) = &result {
            let question = &mut questions[place];
            question.state.failed(ctx.now_ms, (ctx.turn.chance(), stream));
            if failure.is_retriable() && ctx.now_ms < question.deadline_ms {
                return;
            }
        }
        let question = questions.remove(place);
        self.back().moves += 1;
        let result = result.map(|offsets| {
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

/// The offsets that there are.
fn read(partitions: &[(TopicPartition, CommittedResult)]) -> Result<Vec<CommittedOffset>, Failure> {
    let mut offsets = Vec::new();
    let mut failure = None;
    for (_, result) in partitions {
        match result {
            Ok(offset) => offsets.extend(*offset),
            Err(ErrorCode::UnstableOffsetCommit) => {
                failure = Some(Failure::Retriable(ErrorCode::UnstableOffsetCommit));
            }
            Err(error) => return Err(Failure::Fatal(SendError::Code(*error))),
        }
    }
    failure.map_or(Ok(offsets), Err)
}
