//! commitSync(): one commit after another until one is committed, or time is up.

use crate::consumer::Consumer;
use crate::coordinator::commit::{Offsets, Origin};
use crate::coordinator::lookup::Failure;
use crate::env::Ctx;
use crate::wait::Progress;
use inflight_protocol::fact::SendError;

/// commitSync(), and what close() does with enable.auto.commit.
#[derive(Clone, Debug)]
pub(crate) struct SyncCommit {
    pub(crate) origin: Origin,
    pub(crate) offsets: Offsets,
    deadline_ms: i64,
    attempts: u32,
    stage: CommitStage,
}

#[derive(Clone, Copy, Debug)]
enum CommitStage {
    Start,
    Sent(u32),
    Backoff(i64),
}

impl SyncCommit {
    pub(crate) const fn new(origin: Origin, offsets: Offsets, deadline_ms: i64) -> Self {
        Self { origin, offsets, deadline_ms, attempts: 0, stage: CommitStage::Start }
    }
}

impl Consumer {
    /// Kafka: ConsumerCoordinator.commitOffsetsSync.
    pub(crate) fn advance_commit(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        call: &mut SyncCommit,
    ) -> Progress<()> {
        self.invoke_commit_callbacks(ctx);
        loop {
            let is_late = ctx.now_ms >= call.deadline_ms;
            match call.stage {
                CommitStage::Backoff(until_ms) if ctx.now_ms < until_ms => {
                    return Progress::Sleeping(until_ms);
                }
                CommitStage::Backoff(_) if is_late => {
                    return Progress::Failed(SendError::CallTimeout);
                }
                CommitStage::Backoff(_) => call.stage = CommitStage::Start,
                CommitStage::Start if call.offsets.is_empty() => {
                    // Kafka: invokePendingAsyncCommits.
                    let commits = self.coordinator.as_ref().map(|known| &known.commits);
                    return match commits.is_some_and(|commits| commits.has_async_in_flight()) {
                        false => Progress::Done(()),
                        true if is_late => Progress::Failed(SendError::CallTimeout),
                        true => Progress::Polling(call.deadline_ms),
                    };
                }
                CommitStage::Start => {
                    match self.ensure_coordinator(ctx, call.deadline_ms) {
                        Progress::Done(true) => {}
                        Progress::Done(false) => return Progress::Failed(SendError::CallTimeout),
                        Progress::Failed(error) => return Progress::Failed(error),
                        Progress::Polling(until_ms) => return Progress::Polling(until_ms),
                        Progress::Sleeping(until_ms) => return Progress::Sleeping(until_ms),
                    }
                    let id = self.send_sync_commit(ctx, call.offsets.clone(), call.origin);
                    call.stage = CommitStage::Sent(id);
                    if !is_late {
                        return Progress::Polling(call.deadline_ms);
                    }
                    self.poll_network(ctx);
                }
                CommitStage::Sent(id) => {
                    let Some(coordinator) = &mut self.coordinator else {
                        return Progress::Done(());
                    };
                    match coordinator.commits.take_joined(id) {
                        Some(Ok(())) => return Progress::Done(()),
                        Some(Err(Failure::Fatal(error))) => return Progress::Failed(error),
                        None if !is_late => return Progress::Polling(call.deadline_ms),
                        Some(Err(Failure::Retriable(_))) | None => {
                            let stream = ctx.streams.coordinator_backoff;
                            let backoff = coordinator.backoff;
                            let wait_ms = backoff.draw(call.attempts, ctx.turn.chance(), stream);
                            call.attempts += 1;
                            let until_ms = ctx.now_ms.saturating_add(wait_ms);
                            call.stage = CommitStage::Backoff(until_ms.min(call.deadline_ms));
                        }
                    }
                }
            }
        }
    }
}
