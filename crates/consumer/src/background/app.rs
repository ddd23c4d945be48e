//! The application's thread: poll() and commitSync().
//! Kafka: AsyncKafkaConsumer.poll, pollForFetches, commitSync, ApplicationEventProcessor.

use super::close::CloseWithBackground;
use crate::completion::Completion;
use crate::consumer::Consumer;
use crate::coordinator::commit::{Offsets, Origin};
use crate::coordinator::join::Partitions;
use crate::coordinator::lookup::Failure;
use crate::env::Ctx;
use inflight_protocol::fact::SendError;
use inflight_protocol::{Fact, FactKind};

/// A call that has not returned.
#[derive(Clone, Debug)]
pub(crate) enum AppCall {
    /// poll(), with the wait that it is in.
    Poll { deadline_ms: i64, is_first: bool, wait: Option<Wait> },
    /// commitSync() with the number of its commit.
    Commit { id: u32, deadline_ms: i64 },
    /// close()
    Close(CloseWithBackground),
}

/// Waiting for something to be fetched. Kafka: FetchBuffer.awaitWakeup.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wait {
    until_ms: i64,
    /// Kafka would look again and again: whatever happens on the network ends the wait.
    spins: Option<u64>,
    is_woken: bool,
}

impl AppCall {
    /// When the thread goes on, if nothing happens.
    pub(crate) fn wakes(&self) -> Option<i64> {
        match self {
            Self::Poll { wait, .. } => wait.map(|wait| wait.until_ms),
            Self::Commit { deadline_ms, .. } => Some(*deadline_ms),
            Self::Close(close) => Some(close.deadline_ms),
        }
    }
}

/// What poll() has asked the network thread for. Kafka: AsyncPollEvent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PollEvent {
    deadline_ms: i64,
    stage: PollStage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PollStage {
    /// The committed offsets, by the number of the question.
    Committed(u32),
    /// The beginning or the end of partitions, so many questions.
    Resetting(usize),
    /// It is done, or has failed.
    Complete(Result<(), SendError>),
}

impl Consumer {
    /// Lets the application's thread go on. Returns whether it got anywhere.
    pub(super) fn drive_app(&mut self, ctx: &mut Ctx<'_, '_>) -> bool {
        let Some(call) = self.back().call.take() else { return false };
        match call {
            AppCall::Poll { deadline_ms, is_first, wait } => {
                self.drive_poll(ctx, (deadline_ms, is_first), wait)
            }
            AppCall::Commit { id, deadline_ms } => self.drive_commit(ctx, id, deadline_ms),
            AppCall::Close(close) => self.drive_close(ctx, close),
        }
    }

    /// A fetch has come to its end, or the thread need not wait for one.
    pub(super) fn wake_app(&mut self) {
        if let Some(AppCall::Poll { wait: Some(wait), .. }) = &mut self.back().call {
            wait.is_woken = true;
        }
    }

    // --- poll() ---------------------------------------------------------------------------------

    fn drive_poll(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        (deadline_ms, is_first): (i64, bool),
        wait: Option<Wait>,
    ) -> bool {
        let result = match wait {
            None => self.begin_pass(ctx, (deadline_ms, is_first)),
            Some(wait) => {
                let events = self.network.events();
                let is_over = wait.is_woken
                    || ctx.now_ms >= wait.until_ms
                    || wait.spins.is_some_and(|before| before != events);
                if !is_over {
                    self.back().call =
                        Some(AppCall::Poll { deadline_ms, is_first, wait: Some(wait) });
                    return false;
                }
                self.end_pass(ctx, deadline_ms)
            }
        };
        match result {
            Err(error) => {
                self.completions.push(Completion::PollFailed { error });
                let consumer = self.id;
                ctx.turn.did(FactKind::ConsumerFailed.set(), || Fact::ConsumerFailed {
                    consumer,
                    error,
                });
            }
            Ok(Some(records)) => self.completions.push(Completion::Polled { records }),
            Ok(None) => {}
        }
        true
    }

    /// One pass of poll() up to its wait. Kafka: checkInflightPoll, pollForFetches.
    fn begin_pass(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        (deadline_ms, is_first): (i64, bool),
    ) -> Result<Option<u32>, SendError> {
        if self.has_no_subscription() {
            return Err(SendError::IllegalState);
        }
        self.check_poll_event(ctx, deadline_ms, is_first)?;
        if let Some(records) = self.collect(ctx)? {
            return Ok(Some(records));
        }
        let wait = self.wait_for_fetches(ctx, deadline_ms);
        self.back().call = Some(AppCall::Poll { deadline_ms, is_first: false, wait: Some(wait) });
        Ok(None)
    }

    /// The wait is over: what was fetched is returned, or there is another pass.
    fn end_pass(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        deadline_ms: i64,
    ) -> Result<Option<u32>, SendError> {
        if let Some(records) = self.collect(ctx)? {
            return Ok(Some(records));
        }
        if ctx.now_ms >= deadline_ms {
            return Ok(Some(0));
        }
        self.back().call = Some(AppCall::Poll { deadline_ms, is_first: false, wait: None });
        Ok(None)
    }

    fn collect(&mut self, ctx: &mut Ctx<'_, '_>) -> Result<Option<u32>, SendError> {
        let collected = self.collect_fetch(ctx)?;
        if collected.is_empty() {
            return Ok(None);
        }
        // Kafka: sendPrefetches.
        self.send_fetches(ctx);
        Ok(Some(collected.records))
    }

    /// Kafka: checkInflightPoll.
    fn check_poll_event(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        deadline_ms: i64,
        is_first: bool,
    ) -> Result<(), SendError> {
        if let Some(event) = self.back().poll_event {
            match event.stage {
                PollStage::Complete(Err(error)) => {
                    self.back().poll_event = None;
                    return Err(error);
                }
                // What it brought is returned first.
                PollStage::Complete(Ok(())) if self.has_buffered() => {}
                PollStage::Complete(Ok(())) => self.back().poll_event = None,
                _ if is_first && ctx.now_ms >= event.deadline_ms => self.back().poll_event = None,
                _ => {}
            }
        }
        let is_new = self.back().poll_event.is_none();
        if is_new {
            self.process_poll_event(ctx, deadline_ms);
        }
        self.execute_commit_callbacks(ctx);
        if let Err(error) = self.process_background_events(ctx) {
            self.back().poll_event = None;
            return Err(error);
        }
        let Some(event) = self.back().poll_event else { return Ok(()) };
        match event.stage {
            PollStage::Complete(result) => {
                self.back().poll_event = None;
                result
            }
            _ if !is_new && ctx.now_ms >= event.deadline_ms => {
                self.back().poll_event = None;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// What the network thread does for a poll(). Kafka: ApplicationEventProcessor.process of an
    /// AsyncPollEvent.
    fn process_poll_event(&mut self, ctx: &mut Ctx<'_, '_>, deadline_ms: i64) {
        self.maybe_reconcile(ctx, true);
        self.maybe_commit_automatically(ctx);
        self.membership_polled(ctx);
        self.reset_poll_timer(ctx);
        let stage = self.update_fetch_positions(ctx, deadline_ms);
        self.back().poll_event = Some(PollEvent { deadline_ms, stage });
        self.back().moves += 1;
    }

    /// Kafka: OffsetsRequestManager.updateFetchPositions, and the fetches that follow.
    fn update_fetch_positions(&mut self, ctx: &mut Ctx<'_, '_>, deadline_ms: i64) -> PollStage {
        if let Err(error) = self.validate_positions(ctx) {
            return PollStage::Complete(Err(error));
        }
        if self.subscriptions.has_all_fetch_positions() {
            return self.fetches_created(ctx);
        }
        let mut wanted: Partitions = self.subscriptions.initializing().collect();
        if wanted.is_empty() {
            return self.reset_where_needed(ctx, &wanted);
        }
        wanted.sort_unstable();
        PollStage::Committed(self.ask_committed(ctx, &wanted, deadline_ms))
    }

    /// Partitions for which nothing is committed begin where auto.offset.reset says.
    /// Kafka: initWithPartitionOffsetsIfNeeded.
    fn reset_where_needed(&mut self, ctx: &mut Ctx<'_, '_>, asked: &Partitions) -> PollStage {
        let stuck = self.subscriptions.reset_initializing(|partition| asked.contains(&partition));
        if stuck.is_some() {
            return PollStage::Complete(Err(SendError::NoOffset));
        }
        let before = self.network.pending();
        if let Err(error) = self.reset_positions(ctx) {
            return PollStage::Complete(Err(error));
        }
        match self.network.pending() - before {
            0 => self.fetches_created(ctx),
            questions => PollStage::Resetting(questions),
        }
    }

    fn fetches_created(&mut self, ctx: &mut Ctx<'_, '_>) -> PollStage {
        self.send_fetches(ctx);
        PollStage::Complete(Ok(()))
    }

    /// The committed offsets are known, or will not be.
    pub(super) fn committed_known(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        (id, asked): (u32, &Partitions),
        result: Result<(), SendError>,
    ) {
        let waits = self.back().poll_event.filter(|event| event.stage == PollStage::Committed(id));
        let Some(event) = waits else { return };
        let stage = match result {
            Ok(()) => self.reset_where_needed(ctx, asked),
            // Time that is over is nobody's fault: another poll tries again.
            Err(SendError::CallTimeout) => self.fetches_created(ctx),
            Err(error) => PollStage::Complete(Err(error)),
        };
        self.back().poll_event = Some(PollEvent { stage, ..event });
    }

    /// A leader has told where partitions begin or end.
    pub(super) fn reset_answered(&mut self, ctx: &mut Ctx<'_, '_>) {
        let Some(event) = self.back().poll_event else { return };
        let PollStage::Resetting(questions) = event.stage else { return };
        let stage = match questions {
            0 | 1 => self.fetches_created(ctx),
            more => PollStage::Resetting(more - 1),
        };
        self.back().poll_event = Some(PollEvent { stage, ..event });
    }

    /// How long to wait for fetches. Kafka: pollForFetches.
    fn wait_for_fetches(&mut self, ctx: &Ctx<'_, '_>, deadline_ms: i64) -> Wait {
        let config = ctx.env.config;
        let now_ms = ctx.now_ms;
        let back = self.back();
        let has_coordinator = back.lookup.node.is_some();
        let heartbeat = &back.heartbeats;
        let longest_ms = heartbeat
            .longest_wait_ms(&back.membership, now_ms, has_coordinator)
            .min(back.commits.longest_wait_ms(config, now_ms));
        let backoff_ms = config.retry_backoff_ms;
        let subscriptions = &self.subscriptions;
        let is_short = subscriptions.assigned().is_empty()
            || !subscriptions.has_all_fetch_positions()
            || self.has_fetchable_without_data(ctx)
            || !self.has_pending_fetches();
        let wait_ms = if is_short { longest_ms.min(backoff_ms) } else { longest_ms };
        let spins = (wait_ms == 0).then(|| self.network.events());
        let wait_ms = if wait_ms == 0 { backoff_ms.max(1) } else { wait_ms };
        let until_ms = now_ms.saturating_add(wait_ms).min(deadline_ms);
        Wait { until_ms, spins, is_woken: false }
    }

    // --- commitSync() and commitAsync() ------------------------------------------------------------

    /// Kafka: AsyncKafkaConsumer.commitSync.
    pub(crate) fn begin_commit(&mut self, ctx: &mut Ctx<'_, '_>, offsets: Offsets) {
        self.execute_commit_callbacks(ctx);
        let deadline_ms = ctx.now_ms + ctx.env.config.default_api_timeout_ms;
        let id = self.add_commit(ctx, Origin::Sync, offsets, deadline_ms);
        self.back().call = Some(AppCall::Commit { id, deadline_ms });
    }

    /// Kafka: AsyncKafkaConsumer.commitAsync. Returns the number of the commit.
    pub(crate) fn begin_async_commit(&mut self, ctx: &mut Ctx<'_, '_>, offsets: Offsets) -> u32 {
        self.execute_commit_callbacks(ctx);
        self.add_commit(ctx, Origin::Async, offsets, i64::MAX)
    }

    fn drive_commit(&mut self, ctx: &mut Ctx<'_, '_>, id: u32, deadline_ms: i64) -> bool {
        let is_late = ctx.now_ms >= deadline_ms;
        let commits = &mut self.back().commits;
        if commits.has_async() && !is_late {
            self.back().call = Some(AppCall::Commit { id, deadline_ms });
            return false;
        }
        let result = commits.take_result(id);
        let error = match result {
            Some(result) => result.err().map(Failure::error),
            None if is_late => {
                self.abandon_commit(ctx, id);
                Some(SendError::CallTimeout)
            }
            None => {
                self.back().call = Some(AppCall::Commit { id, deadline_ms });
                return false;
            }
        };
        self.execute_commit_callbacks(ctx);
        self.completions.push(Completion::CommittedSync { error });
        true
    }
}
