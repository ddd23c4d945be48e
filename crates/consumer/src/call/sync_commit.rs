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
    Begin,
    /// Looking for the coordinator.
    Lookup,
    Sent(u32),
    /// There was nothing to commit but what commitAsync() has sent, and the network was polled.
    Polled,
    Backoff(i64),
}

impl SyncCommit {
    pub(crate) const fn new(origin: Origin, offsets: Offsets, deadline_ms: i64) -> Self {
        Self { origin, offsets, deadline_ms, attempts: 0, stage: CommitStage::Begin }
    }
}

impl Consumer {
    /// Kafka: ConsumerCoordinator.commitOffsetsSync.
    pub(crate) fn advance_commit(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        call: &mut SyncCommit,
    ) -> Progress<()> {
        loop {
            let is_late = ctx.now_ms >= call.deadline_ms;
            match call.stage {
                CommitStage::Begin => {
                    self.invoke_commit_callbacks(ctx);
                    if call.offsets.is_empty() && !self.has_async_in_flight() {
                        return Progress::Done(());
                    }
                    call.stage = CommitStage::Lookup;
                }
                CommitStage::Backoff(until_ms) if ctx.now_ms < until_ms => {
                    return Progress::Sleeping(until_ms);
                }
                CommitStage::Backoff(_) if is_late => {
                    return Progress::Failed(SendError::CallTimeout);
                }
                CommitStage::Backoff(_) => call.stage = CommitStage::Lookup,
                CommitStage::Lookup => {
                    match self.ensure_coordinator(ctx, call.deadline_ms) {
                        Progress::Done(true) => {}
                        Progress::Done(false) if call.offsets.is_empty() => {}
                        Progress::Done(false) => return Progress::Failed(SendError::CallTimeout),
                        Progress::Failed(error) => return Progress::Failed(error),
                        Progress::Polling(until_ms) => return Progress::Polling(until_ms),
                        Progress::Sleeping(until_ms) => return Progress::Sleeping(until_ms),
                    }
                    call.stage = CommitStage::Polled;
                    let mut is_over = false;
                    if !call.offsets.is_empty() {
                        let id = self.send_sync_commit(ctx, call.offsets.clone(), call.origin);
                        call.stage = CommitStage::Sent(id);
                        let commits = self.coordinator.as_ref().map(|known| &known.commits);
                        is_over = commits.is_some_and(|commits| commits.is_over(id));
                    }
                    return Progress::Polling(if is_over { ctx.now_ms } else { call.deadline_ms });
                }
                CommitStage::Polled => {
                    self.invoke_commit_callbacks(ctx);
                    if !self.has_async_in_flight() {
                        return Progress::Done(());
                    }
                    self.back_off(ctx, call);
                }
                CommitStage::Sent(id) => {
                    let commits = self.coordinator.as_mut().map(|known| &mut known.commits);
                    let result = commits.and_then(|commits| commits.take_joined(id));
                    if result.is_none() && !is_late {
                        return Progress::Polling(call.deadline_ms);
                    }
                    self.invoke_commit_callbacks(ctx);
                    match result {
                        Some(Ok(())) => return Progress::Done(()),
                        Some(Err(Failure::Fatal(error))) => return Progress::Failed(error),
                        Some(Err(Failure::Retriable(_))) | None => self.back_off(ctx, call),
                    }
                }
            }
        }
    }

    fn has_async_in_flight(&self) -> bool {
        self.coordinator.as_ref().is_some_and(|known| known.commits.has_async_in_flight())
    }

    fn back_off(&self, ctx: &mut Ctx<'_, '_>, call: &mut SyncCommit) {
        let Some(coordinator) = &self.coordinator else { return };
        let stream = ctx.streams.coordinator_backoff;
        let wait_ms = coordinator.backoff.draw(call.attempts, ctx.turn.chance(), stream);
        call.attempts += 1;
        let until_ms = ctx.now_ms.saturating_add(wait_ms);
        call.stage = CommitStage::Backoff(until_ms.min(call.deadline_ms));
    }
}
