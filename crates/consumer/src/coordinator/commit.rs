//! Commits: what is sent, what becomes of it, and who is told.
//! Kafka: ConsumerCoordinator.commitOffsetsAsync, sendOffsetCommitRequest and its handler.

use crate::completion::Completion;
use crate::consumer::Consumer;
use crate::coordinator::generation::{Generation, MemberState};
use crate::coordinator::heartbeat::reset_of;
use crate::coordinator::lookup::{Failure, FindCoordinator};
use crate::env::Ctx;
use crate::network::Outcome;
use crate::request::Purpose;
use crate::wait::Progress;
use inflight_protocol::fact::{CommitMode, SendError};
use inflight_protocol::message::{OffsetCommitRequest, OffsetCommitResponse, Request, Response};
use inflight_protocol::transaction::CommittedOffset;
use inflight_protocol::{ErrorCode, Fact, FactKind};
use smallvec::SmallVec;

/// Offsets that are committed together.
pub(crate) type Offsets = SmallVec<[CommittedOffset; 2]>;

/// What a commit came to.
pub(crate) type CommitResult = Result<(), Failure>;

/// Who commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// commitSync()
    Sync,
    /// commitAsync()
    Async,
    /// enable.auto.commit, in poll() or assign().
    Auto,
    /// enable.auto.commit, before a rebalance.
    BeforeJoin,
    /// enable.auto.commit, in close().
    Close,
}

impl Origin {
    const fn mode(self) -> CommitMode {
        match self {
            Self::Sync => CommitMode::Sync,
            Self::Async => CommitMode::Async,
            Self::Auto | Self::BeforeJoin | Self::Close => CommitMode::Auto,
        }
    }
}

/// A commit that has not come to its end.
#[derive(Clone, Debug)]
struct Commit {
    id: u32,
    origin: Origin,
    offsets: Offsets,
}

/// The commits of a consumer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Commits {
    next: u32,
    /// Until a coordinator is known. Kafka: pendingAsyncCommits.
    pending: Vec<Commit>,
    /// With the coordinator.
    in_flight: Vec<Commit>,
    /// Whose callback waits for the next call. Kafka: completedOffsetCommits.
    completed: Vec<(Commit, CommitResult)>,
    /// What the caller of this number waits for.
    results: SmallVec<[(u32, CommitResult); 1]>,
}

impl Commits {
    /// The result of a commit that somebody waits for, once.
    pub(crate) fn take_joined(&mut self, id: u32) -> Option<CommitResult> {
        let place = self.results.iter().position(|(known, _)| *known == id)?;
        Some(self.results.remove(place).1)
    }

    /// Whether the result of a commit that somebody waits for is there.
    pub(crate) fn is_over(&self, id: u32) -> bool {
        self.results.iter().any(|(known, _)| *known == id)
    }

    /// Whether commits wait for a coordinator.
    pub(crate) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Whether a commit of commitAsync() or enable.auto.commit is with the coordinator.
    pub(crate) fn has_async_in_flight(&self) -> bool {
        let asynchronous = |commit: &Commit| !matches!(commit.origin, Origin::Sync | Origin::Close);
        self.in_flight.iter().any(asynchronous)
    }

    /// A number for a request.
    pub(crate) fn number(&mut self) -> u32 {
        self.next += 1;
        self.next - 1
    }
}

impl Failure {
    /// Whether the exception is a RetriableException.
    pub(crate) const fn is_retriable(self) -> bool {
        matches!(self, Self::Retriable(_))
    }
}

/// The error that decides about a commit: topics that may not be committed come last.
/// Kafka: the handlers of OffsetCommitResponse.
pub(crate) fn decisive(response: &OffsetCommitResponse) -> Option<ErrorCode> {
    let errors = || response.partitions.iter().filter_map(|(_, error)| *error);
    errors().find(|error| *error != ErrorCode::TopicAuthorizationFailed).or(errors().next())
}

impl Consumer {
    /// The positions behind all that was returned. Kafka: SubscriptionState.allConsumed.
    pub(crate) fn all_consumed(&self) -> Offsets {
        let Some(group) = self.group else { return Offsets::new() };
        let valid = self.subscriptions.assigned().iter().filter(|state| state.has_valid_position());
        valid
            .filter_map(|state| {
                let position = state.position()?;
                Some(CommittedOffset {
                    group,
                    partition: state.partition,
                    offset: position.offset,
                    leader_epoch: position.offset_epoch,
                })
            })
            .collect()
    }

    /// Commits what was consumed if it is time to. Kafka: maybeAutoCommitOffsetsAsync(now).
    ///
    /// # Errors
    ///
    /// As [`Consumer::commit_offsets_async`].
    pub(crate) fn maybe_auto_commit(&mut self, ctx: &mut Ctx<'_, '_>) -> Result<(), SendError> {
        let Some(next_ms) =
            self.coordinator.as_mut().and_then(|known| known.next_auto_commit_ms.as_mut())
        else {
            return Ok(());
        };
        if ctx.now_ms >= *next_ms {
            *next_ms = ctx.now_ms + ctx.env.config.auto_commit_interval_ms;
            self.commit_consumed_async(ctx, Origin::Auto)?;
        }
        Ok(())
    }

    /// Kafka: autoCommitOffsetsAsync.
    ///
    /// # Errors
    ///
    /// As [`Consumer::commit_offsets_async`].
    pub(crate) fn commit_consumed_async(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        origin: Origin,
    ) -> Result<Option<u32>, SendError> {
        Ok(self.commit_offsets_async(ctx, self.all_consumed(), origin)?.1)
    }

    /// Returns the number of the commit, and the same again if it is on its way.
    /// Kafka: commitOffsetsAsync.
    ///
    /// # Errors
    ///
    /// Why an earlier search for the coordinator failed, if another one would not help and nobody
    /// was told.
    pub(crate) fn commit_offsets_async(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        offsets: Offsets,
        origin: Origin,
    ) -> Result<(u32, Option<u32>), SendError> {
        self.invoke_commit_callbacks(ctx);
        self.tell_requested(ctx, &offsets, origin);
        let is_known = offsets.is_empty()
            || match self.ensure_coordinator(ctx, ctx.now_ms) {
                Progress::Failed(error) => {
                    self.tell_returned(ctx, &offsets, origin, Some(error));
                    return Err(error);
                }
                progress => progress == Progress::Done(true),
            };
        let Some(coordinator) = &mut self.coordinator else { return Ok((0, None)) };
        let id = coordinator.commits.number();
        let commit = Commit { id, origin, offsets };
        if is_known {
            self.send_commit(ctx, commit);
        } else {
            coordinator.commits.pending.push(commit);
            if let FindCoordinator::Answered(result) = self.look_up_coordinator(ctx) {
                self.run_pending_commits(ctx, result.err());
            }
        }
        self.poll_network(ctx);
        Ok((id, is_known.then_some(id)))
    }

    /// A coordinator was found, or not: what waited for that goes on, or is told that another try
    /// may do, whatever the reason was. Kafka: the listener in commitOffsetsAsync.
    pub(crate) fn run_pending_commits(&mut self, ctx: &mut Ctx<'_, '_>, failure: Option<Failure>) {
        let Some(coordinator) = &mut self.coordinator else { return };
        for commit in std::mem::take(&mut coordinator.commits.pending) {
            match failure {
                None => {
                    self.send_commit(ctx, commit);
                    self.poll_network(ctx);
                }
                Some(Failure::Retriable(error) | Failure::Fatal(SendError::Code(error))) => {
                    self.commit_ended(commit, Err(Failure::Retriable(error)));
                }
                Some(failure) => self.commit_ended(commit, Err(failure)),
            }
        }
    }

    /// Starts one attempt of commitSync() or close(). Returns its number.
    pub(crate) fn send_sync_commit(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        offsets: Offsets,
        origin: Origin,
    ) -> u32 {
        let Some(coordinator) = &mut self.coordinator else { return 0 };
        let id = coordinator.commits.number();
        self.send_commit(ctx, Commit { id, origin, offsets });
        id
    }

    /// Kafka: sendOffsetCommitRequest.
    fn send_commit(&mut self, ctx: &mut Ctx<'_, '_>, commit: Commit) {
        if commit.offsets.is_empty() {
            return self.commit_ended(commit, Ok(()));
        }
        let Some(node) = self.coordinator_node(ctx) else {
            let nobody = Failure::Retriable(ErrorCode::CoordinatorNotAvailable);
            return self.commit_ended(commit, Err(nobody));
        };
        let Some(coordinator) = &mut self.coordinator else { return };
        let generation = if self.subscriptions.is_auto_assigned() {
            match coordinator.generation_if_stable() {
                Some(generation) => generation,
                None => {
                    let error = if coordinator.is_rebalancing() {
                        SendError::Code(ErrorCode::RebalanceInProgress)
                    } else {
                        SendError::CommitFailed
                    };
                    return self.commit_ended(commit, Err(Failure::Fatal(error)));
                }
            }
        } else {
            Generation::NONE
        };
        let identity = coordinator.identity_of(generation);
        let request = OffsetCommitRequest { identity, offsets: commit.offsets.clone() };
        let purpose = Purpose::OffsetCommit(commit.id, generation);
        coordinator.commits.in_flight.push(commit);
        let peer = self.network.coordinator(node);
        let timeout_ms = ctx.env.config.request_timeout_ms;
        self.network.send(ctx, peer, Request::OffsetCommit(request), purpose, timeout_ms);
    }

    /// Kafka: OffsetCommitResponseHandler.
    pub(crate) fn commit_answered(&mut self, (id, sent): (u32, Generation), outcome: Outcome) {
        let result = match outcome {
            Outcome::Response(Response::OffsetCommit(response)) => match decisive(&response) {
                None => Ok(()),
                Some(error) => Err(self.commit_refused(sent, error)),
            },
            other => {
                if matches!(other, Outcome::Disconnected) {
                    self.forget_coordinator();
                }
                Err(Failure::of_transport(&other))
            }
        };
        let Some(coordinator) = &mut self.coordinator else { return };
        let in_flight = &mut coordinator.commits.in_flight;
        if let Some(place) = in_flight.iter().position(|commit| commit.id == id) {
            let commit = in_flight.remove(place);
            self.commit_ended(commit, result);
        }
    }

    fn commit_refused(&mut self, sent: Generation, error: ErrorCode) -> Failure {
        let Some(coordinator) = &mut self.coordinator else { return Failure::of(error) };
        match error {
            ErrorCode::CoordinatorLoadInProgress | ErrorCode::UnknownTopicOrPartition => {
                Failure::Retriable(error)
            }
            ErrorCode::CoordinatorNotAvailable
            | ErrorCode::NotCoordinator
            | ErrorCode::RequestTimedOut => {
                self.drop_coordinator();
                Failure::Retriable(error)
            }
            ErrorCode::RebalanceInProgress => {
                coordinator.rejoin_needed = true;
                Failure::Fatal(SendError::Code(error))
            }
            ErrorCode::FencedInstanceId if coordinator.generation == sent => {
                Failure::Fatal(SendError::Code(error))
            }
            ErrorCode::UnknownMemberId
            | ErrorCode::IllegalGeneration
            | ErrorCode::FencedInstanceId => {
                let is_stale = coordinator.generation != sent;
                if is_stale && coordinator.state == MemberState::PreparingRebalance {
                    return Failure::Fatal(SendError::Code(ErrorCode::RebalanceInProgress));
                }
                if error != ErrorCode::FencedInstanceId {
                    coordinator.reset_and_rejoin(reset_of(error));
                }
                Failure::Fatal(SendError::CommitFailed)
            }
            _ => Failure::Fatal(SendError::Code(error)),
        }
    }

    /// A commit has come to its end: its callback waits for the application's next call.
    fn commit_ended(&mut self, commit: Commit, result: CommitResult) {
        let Some(coordinator) = &mut self.coordinator else { return };
        let commits = &mut coordinator.commits;
        match commit.origin {
            Origin::Sync | Origin::Close => commits.results.push((commit.id, result)),
            Origin::BeforeJoin => {
                commits.results.push((commit.id, result));
                commits.completed.push((commit, result));
            }
            Origin::Async | Origin::Auto => commits.completed.push((commit, result)),
        }
    }

    /// Runs the callbacks of commits that have come to their end.
    /// Kafka: invokeCompletedOffsetCommitCallbacks.
    pub(crate) fn invoke_commit_callbacks(&mut self, ctx: &mut Ctx<'_, '_>) {
        let Some(coordinator) = &mut self.coordinator else { return };
        for (commit, result) in std::mem::take(&mut coordinator.commits.completed) {
            let error = result.err().map(Failure::error);
            self.tell_returned(ctx, &commit.offsets, commit.origin, error);
            if commit.origin == Origin::Async {
                self.completions.push(Completion::CommittedAsync { commit: commit.id, error });
            } else if result.is_err_and(Failure::is_retriable)
                && let Some(coordinator) = &mut self.coordinator
            {
                let soon_ms = ctx.now_ms + ctx.env.config.retry_backoff_ms;
                coordinator.next_auto_commit_ms = Some(soon_ms);
            }
        }
    }

    /// Says that offsets are to be committed.
    pub(crate) fn tell_requested(&self, ctx: &mut Ctx<'_, '_>, offsets: &Offsets, origin: Origin) {
        let (consumer, mode) = (self.id, origin.mode());
        for CommittedOffset { partition, offset, .. } in offsets.iter().copied() {
            ctx.turn.did(FactKind::OffsetCommitRequested.set(), || Fact::OffsetCommitRequested {
                consumer,
                partition,
                offset,
                mode,
            });
        }
    }

    /// Says what became of a commit.
    pub(crate) fn tell_returned(
        &self,
        ctx: &mut Ctx<'_, '_>,
        offsets: &Offsets,
        origin: Origin,
        error: Option<SendError>,
    ) {
        let (consumer, mode) = (self.id, origin.mode());
        for CommittedOffset { partition, offset, .. } in offsets.iter().copied() {
            ctx.turn.did(FactKind::OffsetCommitReturned.set(), || Fact::OffsetCommitReturned {
                consumer,
                partition,
                offset,
                mode,
                error,
            });
        }
    }
}
