//! The call that the application's thread is in, and how far it is.
//! Kafka: ClassicKafkaConsumer.poll and commitSync.

mod sync_commit;

pub(crate) use self::sync_commit::SyncCommit;

use crate::close::CloseCall;
use crate::completion::Completion;
use crate::consumer::Consumer;
use crate::coordinator::commit::{Offsets, Origin};
use crate::coordinator::committed::CommittedWait;
use crate::env::Ctx;
use crate::wait::Progress;
use inflight_protocol::fact::SendError;
use inflight_protocol::{Fact, FactKind};

/// A call that has not returned.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    kind: Kind,
    blocked: Blocked,
}

#[derive(Clone, Debug)]
enum Kind {
    Poll(PollCall),
    Commit(SyncCommit),
    Close(CloseCall),
}

/// What a thread is waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blocked {
    /// Nothing: the call has only begun.
    No,
    /// It is in a poll of the network, which ends then or when something arrives.
    Polling(i64),
    /// It sleeps until then.
    Sleeping(i64),
}

/// poll()
#[derive(Clone, Copy, Debug)]
struct PollCall {
    deadline_ms: i64,
    place: Place,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    /// At the beginning of its loop.
    Start,
    /// Looking for the coordinator.
    Lookup,
    /// Waiting for metadata beyond a version, without a usable connection.
    Metadata(u32),
    /// Looking for the committed offsets.
    Committed(CommittedWait),
    /// Waiting for records.
    Fetch,
}

impl Call {
    pub(crate) const fn poll(deadline_ms: i64) -> Self {
        let call = PollCall { deadline_ms, place: Place::Start };
        Self { kind: Kind::Poll(call), blocked: Blocked::No }
    }

    pub(crate) const fn commit(offsets: Offsets, deadline_ms: i64) -> Self {
        let call = SyncCommit::new(Origin::Sync, offsets, deadline_ms);
        Self { kind: Kind::Commit(call), blocked: Blocked::No }
    }

    pub(crate) const fn close(deadline_ms: i64) -> Self {
        Self { kind: Kind::Close(CloseCall::new(deadline_ms)), blocked: Blocked::No }
    }

    /// When the thread goes on, if nothing arrives.
    pub(crate) const fn wakes(&self) -> i64 {
        match self.blocked {
            Blocked::No => i64::MIN,
            Blocked::Polling(until_ms) | Blocked::Sleeping(until_ms) => until_ms,
        }
    }
}

impl Consumer {
    /// Lets the application's thread go on with its call. Returns whether it got anywhere.
    pub(crate) fn drive_call(&mut self, ctx: &mut Ctx<'_, '_>) -> bool {
        let Some(mut call) = self.call.take() else { return false };
        match call.blocked {
            Blocked::Sleeping(until_ms) if ctx.now_ms < until_ms => {
                self.call = Some(call);
                return false;
            }
            Blocked::Polling(back_ms) => {
                if ctx.now_ms < back_ms && !self.network.is_ready() {
                    self.call = Some(call);
                    return false;
                }
                self.end_poll(ctx);
            }
            Blocked::No | Blocked::Sleeping(_) => {}
        }
        let progress = match &mut call.kind {
            Kind::Poll(poll) => self.advance_poll(ctx, poll),
            Kind::Commit(commit) => self.advance_commit(ctx, commit).map_done(),
            Kind::Close(close) => self.advance_close(ctx, close),
        };
        match progress {
            Progress::Polling(until_ms) => {
                let back_ms = self.begin_poll(ctx, until_ms);
                let waits = back_ms > ctx.now_ms;
                call.blocked = if waits { Blocked::Polling(back_ms) } else { Blocked::No };
                self.call = Some(call);
            }
            Progress::Sleeping(until_ms) => {
                call.blocked = Blocked::Sleeping(until_ms);
                self.call = Some(call);
            }
            Progress::Done(done) => self.returned(ctx, &call, done),
            Progress::Failed(error) => self.threw(ctx, &call, error),
        }
        true
    }

    fn returned(&mut self, ctx: &mut Ctx<'_, '_>, call: &Call, done: Returned) {
        match (&call.kind, done) {
            (Kind::Poll(_), Returned::Records(records)) => {
                self.completions.push(Completion::Polled { records });
            }
            (Kind::Commit(commit), _) => self.commit_returned(ctx, commit, None),
            (Kind::Close(_), _) => self.completions.push(Completion::Closed),
            (Kind::Poll(_), Returned::Nothing) => unreachable!("poll() returns records"),
        }
    }

    fn threw(&mut self, ctx: &mut Ctx<'_, '_>, call: &Call, error: SendError) {
        match &call.kind {
            Kind::Commit(commit) => return self.commit_returned(ctx, commit, Some(error)),
            Kind::Poll(_) => self.completions.push(Completion::PollFailed { error }),
            Kind::Close(_) => self.completions.push(Completion::Closed),
        }
        let consumer = self.id;
        ctx.turn.did(FactKind::ConsumerFailed.set(), || Fact::ConsumerFailed { consumer, error });
    }

    fn commit_returned(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        commit: &SyncCommit,
        error: Option<SendError>,
    ) {
        self.tell_returned(ctx, &commit.offsets, commit.origin, error);
        self.completions.push(Completion::CommittedSync { error });
    }

    // --- poll() ---------------------------------------------------------------------------------

    fn advance_poll(&mut self, ctx: &mut Ctx<'_, '_>, call: &mut PollCall) -> Progress<Returned> {
        if self.has_no_subscription() {
            return Progress::Failed(SendError::IllegalState);
        }
        loop {
            let step = match call.place {
                Place::Start => self.begin_poll_loop(ctx, call),
                Place::Lookup => match self.ensure_coordinator(ctx, call.deadline_ms) {
                    Progress::Done(true) => self.poll_member(ctx, call),
                    Progress::Done(false) => self.poll_for_fetches(ctx, call),
                    Progress::Failed(error) => Step::Failed(error),
                    Progress::Polling(until_ms) => Step::Polling(until_ms),
                    Progress::Sleeping(until_ms) => Step::Sleeping(until_ms),
                },
                Place::Metadata(version)
                    if self.metadata.update_version() == version
                        && ctx.now_ms < call.deadline_ms =>
                {
                    Step::Polling(call.deadline_ms)
                }
                Place::Metadata(_) => {
                    self.poll_network(ctx);
                    self.poll_positions(ctx, call)
                }
                Place::Committed(wait) => self.poll_committed(ctx, call, wait),
                Place::Fetch => self.end_poll_loop(ctx, call),
            };
            match step {
                Step::Again => {}
                Step::Done(records) => return Progress::Done(Returned::Records(records)),
                Step::Failed(error) => return Progress::Failed(error),
                Step::Polling(until_ms) => return Progress::Polling(until_ms),
                Step::Sleeping(until_ms) => return Progress::Sleeping(until_ms),
            }
        }
    }

    /// Kafka: ConsumerCoordinator.poll up to its first wait.
    fn begin_poll_loop(&mut self, ctx: &mut Ctx<'_, '_>, call: &mut PollCall) -> Step {
        self.invoke_commit_callbacks(ctx);
        if self.coordinator.is_none() {
            return self.poll_positions(ctx, call);
        }
        if self.subscriptions.is_auto_assigned() {
            let heartbeat = self.coordinator.as_mut().map(|known| &mut known.heartbeat);
            if let Some(Err(error)) = heartbeat.map(|heartbeat| heartbeat.polled(ctx)) {
                return Step::Failed(error);
            }
            self.run_heartbeat_thread(ctx);
            call.place = Place::Lookup;
            return Step::Again;
        }
        let is_lost =
            self.metadata.is_update_requested() && !self.network.has_ready_nodes(ctx.now_ms);
        if is_lost {
            call.place = Place::Metadata(self.metadata.request_update());
            return Step::Polling(call.deadline_ms);
        }
        self.poll_network(ctx);
        self.poll_positions(ctx, call)
    }

    /// A coordinator is known: the member joins if it has to.
    fn poll_member(&mut self, ctx: &mut Ctx<'_, '_>, call: &mut PollCall) -> Step {
        if self.is_rejoin_needed() {
            match self.ensure_active_group(ctx) {
                Ok(true) => {}
                Ok(false) => return self.poll_for_fetches(ctx, call),
                Err(error) => return Step::Failed(error),
            }
        }
        self.poll_positions(ctx, call)
    }

    /// Commits by itself, and sees to it that all partitions have positions.
    /// Kafka: the end of ConsumerCoordinator.poll, updateFetchPositions.
    fn poll_positions(&mut self, ctx: &mut Ctx<'_, '_>, call: &mut PollCall) -> Step {
        let checked = self.maybe_auto_commit(ctx).and_then(|()| self.validate_positions(ctx));
        if let Err(error) = checked {
            return Step::Failed(error);
        }
        self.has_all_positions = self.subscriptions.has_all_fetch_positions();
        if self.has_all_positions {
            return self.poll_for_fetches(ctx, call);
        }
        self.poll_committed(ctx, call, CommittedWait::default())
    }

    fn poll_committed(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        call: &mut PollCall,
        mut wait: CommittedWait,
    ) -> Step {
        if self.coordinator.is_some() {
            let progress = self.init_with_committed(ctx, &mut wait, call.deadline_ms);
            call.place = Place::Committed(wait);
            match progress {
                Progress::Done(true) => {}
                Progress::Done(false) => return self.poll_for_fetches(ctx, call),
                Progress::Failed(error) => return Step::Failed(error),
                Progress::Polling(until_ms) => return Step::Polling(until_ms),
                Progress::Sleeping(until_ms) => return Step::Sleeping(until_ms),
            }
        }
        if self.subscriptions.reset_initializing(|_| true).is_some() {
            return Step::Failed(SendError::NoOffset);
        }
        if let Err(error) = self.reset_positions(ctx) {
            return Step::Failed(error);
        }
        self.poll_for_fetches(ctx, call)
    }

    /// Returns what was fetched, or asks for more. Kafka: pollForFetches.
    fn poll_for_fetches(&mut self, ctx: &mut Ctx<'_, '_>, call: &mut PollCall) -> Step {
        match self.collect_fetch(ctx) {
            Err(error) => return Step::Failed(error),
            Ok(collected) if !collected.is_empty() => {
                return self.return_records(ctx, collected.records);
            }
            Ok(_) => {}
        }
        self.send_fetches(ctx);
        let config = ctx.env.config;
        let mut until_ms = call.deadline_ms;
        if let Some(coordinator) = &self.coordinator {
            // Kafka spins while something is due that cannot be done. Nothing comes of it.
            let is_joined = !coordinator.state.has_not_joined();
            let heartbeat_ms = is_joined.then(|| coordinator.heartbeat.due_ms());
            let due = heartbeat_ms.into_iter().chain(coordinator.next_auto_commit_ms);
            until_ms = due.filter(|at| *at > ctx.now_ms).fold(until_ms, i64::min);
        }
        // A look-up of a position may have failed and wait for another try.
        if !self.has_all_positions {
            until_ms = until_ms.min(ctx.now_ms + config.retry_backoff_ms);
        }
        call.place = Place::Fetch;
        // Somebody else may have polled for them meanwhile.
        Step::Polling(if self.has_available_fetches(ctx) { ctx.now_ms } else { until_ms })
    }

    /// Something happened, or the time is over. Kafka: the end of the loop of poll().
    fn end_poll_loop(&mut self, ctx: &mut Ctx<'_, '_>, call: &mut PollCall) -> Step {
        match self.collect_fetch(ctx) {
            Err(error) => return Step::Failed(error),
            Ok(collected) if !collected.is_empty() => {
                return self.return_records(ctx, collected.records);
            }
            Ok(_) => {}
        }
        if ctx.now_ms >= call.deadline_ms {
            return Step::Done(0);
        }
        call.place = Place::Start;
        Step::Again
    }

    /// Before records are returned the next ones are asked for.
    fn return_records(&mut self, ctx: &mut Ctx<'_, '_>, records: u32) -> Step {
        self.send_fetches(ctx);
        if self.network.pending() > 0 {
            self.transmit_sends(ctx);
        }
        Step::Done(records)
    }
}

/// What a call returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Returned {
    /// Nothing.
    Nothing,
    /// So many records.
    Records(u32),
}

impl Progress<()> {
    /// The same, of a call that returns nothing.
    const fn map_done(self) -> Progress<Returned> {
        match self {
            Self::Done(()) => Progress::Done(Returned::Nothing),
            Self::Failed(error) => Progress::Failed(error),
            Self::Polling(until_ms) => Progress::Polling(until_ms),
            Self::Sleeping(until_ms) => Progress::Sleeping(until_ms),
        }
    }
}

/// What comes next in poll().
enum Step {
    Again,
    Done(u32),
    Failed(SendError),
    Polling(i64),
    Sleeping(i64),
}
