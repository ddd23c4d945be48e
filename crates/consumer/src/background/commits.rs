//! Commits of a member: they go out in the order in which they were asked for, each with the member
//! epoch of the moment. Kafka: clients/consumer/internals/CommitRequestManager.

use super::request_state::RequestState;
use crate::completion::Completion;
use crate::consumer::Consumer;
use crate::coordinator::commit::{CommitResult, Offsets, Origin, decisive};
use crate::coordinator::generation::Generation;
use crate::coordinator::lookup::Failure;
use crate::env::Ctx;
use crate::network::Outcome;
use crate::request::Purpose;
use inflight_protocol::fact::SendError;
use inflight_protocol::message::{GroupIdentity, OffsetCommitRequest, Request, Response};
use inflight_protocol::transaction::MemberId;
use inflight_protocol::{ConsumerConfig, ErrorCode};
use smallvec::SmallVec;

/// A commit that has not come to its end. Kafka: OffsetCommitRequestState.
#[derive(Clone, Debug)]
struct CommitRequest {
    id: u32,
    origin: Origin,
    offsets: Offsets,
    deadline_ms: i64,
    state: RequestState,
}

/// The commits of a member.
#[derive(Clone, Debug)]
pub(super) struct CommitRequests {
    next: u32,
    fresh: RequestState,
    /// In the order in which they were asked for, those that are with the coordinator as well.
    requests: Vec<CommitRequest>,
    /// commitAsync() that has come to its end, and whose callback waits for the next call.
    completed: Vec<(u32, Offsets, CommitResult)>,
    /// What commitSync() and close() wait for.
    results: SmallVec<[(u32, CommitResult); 1]>,
    /// When the next automatic commit is due, with enable.auto.commit.
    auto_due_ms: Option<i64>,
    /// Whether an automatic one has not come to its end. Kafka: hasInflightCommit.
    is_auto_pending: bool,
    /// Who commits, while the member is in the group. Kafka: memberInfo.
    pub(super) member: Option<(MemberId, u32)>,
    /// close() has begun: what waits goes out at once.
    pub(super) is_closing: bool,
}

impl CommitRequests {
    pub(super) fn new(config: &ConsumerConfig, now_ms: i64) -> Self {
        let interval_ms = config.enable_auto_commit.then_some(config.auto_commit_interval_ms);
        Self {
            next: 0,
            fresh: RequestState::new(config),
            requests: Vec::new(),
            completed: Vec::new(),
            results: SmallVec::new(),
            auto_due_ms: interval_ms.map(|interval_ms| now_ms + interval_ms),
            is_auto_pending: false,
            member: None,
            is_closing: false,
        }
    }

    /// Kafka: autoCommitEnabled.
    pub(super) const fn is_automatic(&self) -> bool {
        self.auto_due_ms.is_some()
    }

    pub(super) fn next_ms(&self, now_ms: i64, has_coordinator: bool) -> Option<i64> {
        let waiting = self.requests.iter().filter_map(|request| request.state.next_ms(now_ms));
        waiting.min().filter(|_| has_coordinator)
    }

    /// How long the application's thread may wait for fetches. Kafka: maximumTimeToWait.
    pub(super) fn longest_wait_ms(&self, config: &ConsumerConfig, now_ms: i64) -> i64 {
        match self.auto_due_ms {
            None => i64::MAX,
            Some(due_ms) if now_ms >= due_ms && self.is_auto_pending => {
                config.auto_commit_interval_ms
            }
            Some(due_ms) => (due_ms - now_ms).max(0),
        }
    }

    /// The result of a commit that somebody waits for, once.
    pub(super) fn take_result(&mut self, id: u32) -> Option<CommitResult> {
        let place = self.results.iter().position(|(known, _)| *known == id)?;
        Some(self.results.remove(place).1)
    }

    /// Whether a commitAsync() has not come to its end.
    pub(super) fn has_async(&self) -> bool {
        self.requests.iter().any(|request| request.origin == Origin::Async)
    }

    /// A number for a request.
    pub(super) fn number(&mut self) -> u32 {
        self.next += 1;
        self.next - 1
    }

    fn add(&mut self, origin: Origin, offsets: Offsets, deadline_ms: i64) -> u32 {
        let (id, state) = (self.number(), self.fresh);
        self.requests.push(CommitRequest { id, origin, offsets, deadline_ms, state });
        id
    }
}

impl Consumer {
    /// Kafka: commitAsync, commitSync.
    pub(super) fn add_commit(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        origin: Origin,
        offsets: Offsets,
        deadline_ms: i64,
    ) -> u32 {
        self.tell_requested(ctx, &offsets, origin);
        let commits = &mut self.back().commits;
        if offsets.is_empty() {
            let id = commits.number();
            match origin {
                Origin::Async => commits.completed.push((id, offsets, Ok(()))),
                _ => commits.results.push((id, Ok(()))),
            }
            return id;
        }
        commits.add(origin, offsets, deadline_ms)
    }

    /// Commits what was consumed if it is time to. Kafka: updateTimerAndMaybeCommit.
    pub(crate) fn maybe_commit_automatically(&mut self, ctx: &mut Ctx<'_, '_>) {
        let commits = &self.back().commits;
        let is_due = commits.auto_due_ms.is_some_and(|due_ms| ctx.now_ms >= due_ms);
        if !is_due || commits.is_auto_pending {
            return;
        }
        let offsets = self.all_consumed();
        if !offsets.is_empty() {
            self.tell_requested(ctx, &offsets, Origin::Auto);
            let commits = &mut self.back().commits;
            commits.is_auto_pending = true;
            commits.add(Origin::Auto, offsets, i64::MAX);
        }
        self.reset_auto_commit(ctx);
    }

    /// Kafka: resetAutoCommitTimer.
    pub(super) fn reset_auto_commit(&mut self, ctx: &Ctx<'_, '_>) {
        let next_ms = ctx.now_ms + ctx.env.config.auto_commit_interval_ms;
        if let Some(due_ms) = &mut self.back().commits.auto_due_ms {
            *due_ms = next_ms;
        }
    }

    /// Returns the number of the commit that a rebalance has to wait for, if there is one.
    /// Kafka: maybeAutoCommitSyncBeforeRebalance.
    pub(super) fn commit_before_rebalance(&mut self, ctx: &mut Ctx<'_, '_>) -> Option<u32> {
        let offsets = self.all_consumed();
        if !self.back().commits.is_automatic() || offsets.is_empty() {
            return None;
        }
        let deadline_ms = ctx.now_ms.saturating_add(ctx.env.config.max_poll_interval_ms);
        self.tell_requested(ctx, &offsets, Origin::BeforeJoin);
        let commits = &mut self.back().commits;
        commits.is_auto_pending = true;
        Some(commits.add(Origin::BeforeJoin, offsets, deadline_ms))
    }

    /// Sends what may be sent. Kafka: CommitRequestManager.poll.
    pub(super) fn poll_commits(&mut self, ctx: &mut Ctx<'_, '_>) {
        let (node, fatal) = (self.back().lookup.node, self.back().lookup.fatal);
        let commits = &mut self.back().commits;
        if commits.requests.is_empty() {
            return;
        }
        let is_closing = commits.is_closing;
        let Some(node) = node else {
            let given_up = fatal.or(is_closing.then_some(SendError::CommitFailed));
            if let Some(error) = given_up {
                self.fail_waiting_commits(ctx, |_| true, error);
            }
            return;
        };
        let now_ms = ctx.now_ms;
        let is_over = |request: &CommitRequest| {
            request.state.attempts() > 0 && now_ms >= request.deadline_ms && !is_closing
        };
        self.fail_waiting_commits(ctx, is_over, SendError::CallTimeout);
        let back = self.back();
        let identity = GroupIdentity { group: back.group, member: back.commits.member };
        let mut ready = Vec::new();
        for request in &mut back.commits.requests {
            let may_go = request.state.can_send(now_ms) || is_closing;
            if may_go && !request.state.is_in_flight() {
                request.state.sent();
                ready.push((request.id, request.offsets.clone()));
            }
        }
        let peer = self.network.coordinator(node);
        let timeout_ms = ctx.env.config.request_timeout_ms;
        for (id, offsets) in ready {
            let request = Request::OffsetCommit(OffsetCommitRequest { identity, offsets });
            let purpose = Purpose::OffsetCommit(id, Generation::NONE);
            self.network.send(ctx, peer, request, purpose, timeout_ms);
        }
    }

    fn fail_waiting_commits(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        is_lost: impl Fn(&CommitRequest) -> bool,
        error: SendError,
    ) {
        let requests = self.back().commits.requests.iter();
        let lost = requests.filter(|request| !request.state.is_in_flight() && is_lost(request));
        let lost: SmallVec<[u32; 2]> = lost.map(|request| request.id).collect();
        for id in lost {
            self.commit_request_ended(ctx, id, Err(Failure::Fatal(error)));
        }
    }

    /// Kafka: OffsetCommitRequestState.onResponse.
    pub(super) fn commit_request_answered(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        id: u32,
        outcome: Outcome,
    ) {
        let result = match outcome {
            Outcome::Response(Response::OffsetCommit(response)) => {
                decisive(&response).map_or(Ok(()), |error| Err(self.commit_request_refused(error)))
            }
            other => {
                self.coordinator_lost(&other);
                Err(Failure::of_transport(&other))
            }
        };
        let stream = ctx.streams.coordinator_backoff;
        let requests = &mut self.back().commits.requests;
        if let (Err(_), Some(request)) = (result, requests.iter_mut().find(|known| known.id == id))
        {
            request.state.failed(ctx.now_ms, (ctx.turn.chance(), stream));
        }
        self.commit_request_ended(ctx, id, result);
    }

    fn commit_request_refused(&mut self, error: ErrorCode) -> Failure {
        match error {
            ErrorCode::CoordinatorNotAvailable
            | ErrorCode::NotCoordinator
            | ErrorCode::RequestTimedOut => {
                self.mark_coordinator_unknown();
                Failure::Retriable(error)
            }
            ErrorCode::CoordinatorLoadInProgress
            | ErrorCode::UnknownTopicOrPartition
            | ErrorCode::UnknownTopicId => Failure::Retriable(error),
            ErrorCode::UnknownMemberId => Failure::Fatal(SendError::CommitFailed),
            _ => Failure::Fatal(SendError::Code(error)),
        }
    }

    /// An attempt has come to its end: there is another one, or whoever asked is told.
    fn commit_request_ended(&mut self, ctx: &mut Ctx<'_, '_>, id: u32, result: CommitResult) {
        let consumed = self.all_consumed();
        let commits = &mut self.back().commits;
        let Some(place) = commits.requests.iter().position(|request| request.id == id) else {
            return;
        };
        let CommitRequest { origin, deadline_ms, .. } = commits.requests[place];
        let is_over = ctx.now_ms >= deadline_ms;
        let is_retriable = result.is_err_and(Failure::is_retriable);
        let is_stale = result == Err(Failure::Fatal(SendError::Code(ErrorCode::StaleMemberEpoch)));
        let goes_on = match origin {
            Origin::Sync | Origin::Close => is_retriable && !is_over,
            Origin::BeforeJoin => {
                let unknown = Failure::Retriable(ErrorCode::UnknownTopicOrPartition);
                let may = is_retriable && result != Err(unknown);
                (may || is_stale && commits.member.is_some()) && !is_over && !consumed.is_empty()
            }
            Origin::Async | Origin::Auto => false,
        };
        if goes_on {
            let request = &mut commits.requests[place];
            if origin == Origin::BeforeJoin && request.offsets != consumed {
                // The next attempt is about whatever is consumed by then.
                request.offsets.clone_from(&consumed);
                self.tell_requested(ctx, &consumed, origin);
            }
            return;
        }
        let request = commits.requests.remove(place);
        self.back().moves += 1;
        let result = match result {
            Err(_) if is_stale && matches!(origin, Origin::Sync | Origin::Close) => {
                Err(Failure::Fatal(SendError::CommitFailed))
            }
            Err(_) if is_retriable && matches!(origin, Origin::Sync | Origin::Close) => {
                Err(Failure::Fatal(SendError::CallTimeout))
            }
            result => result,
        };
        self.commit_request_told(ctx, request, result);
    }

    fn commit_request_told(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        request: CommitRequest,
        result: CommitResult,
    ) {
        let CommitRequest { id, origin, offsets, .. } = request;
        let error = result.err().map(Failure::error);
        match origin {
            Origin::Async => self.back().commits.completed.push((id, offsets, result)),
            Origin::Sync | Origin::Close => {
                self.tell_returned(ctx, &offsets, origin, error);
                self.back().commits.results.push((id, result));
            }
            Origin::Auto => {
                self.back().commits.is_auto_pending = false;
                self.tell_returned(ctx, &offsets, origin, error);
            }
            Origin::BeforeJoin => {
                self.back().commits.is_auto_pending = false;
                self.tell_returned(ctx, &offsets, origin, error);
                let reconciliation = &self.back().membership.reconciliation;
                if reconciliation.as_ref().is_some_and(|known| known.commit == Some(id)) {
                    self.reconciliation_committed(ctx);
                }
            }
        }
    }

    /// Runs the callbacks of commitAsync(). Kafka: OffsetCommitCallbackInvoker.executeCallbacks.
    pub(super) fn execute_commit_callbacks(&mut self, ctx: &mut Ctx<'_, '_>) {
        for (commit, offsets, result) in std::mem::take(&mut self.back().commits.completed) {
            let error = result.err().map(Failure::error);
            self.tell_returned(ctx, &offsets, Origin::Async, error);
            self.completions.push(Completion::CommittedAsync { commit, error });
        }
    }

    /// A call that waited for a commit gives up: nobody is told what becomes of it.
    pub(super) fn abandon_commit(&mut self, ctx: &mut Ctx<'_, '_>, id: u32) {
        let requests = &mut self.back().commits.requests;
        if let Some(place) = requests.iter().position(|request| request.id == id) {
            let CommitRequest { origin, offsets, .. } = requests.remove(place);
            self.tell_returned(ctx, &offsets, origin, Some(SendError::CallTimeout));
        }
    }
}
