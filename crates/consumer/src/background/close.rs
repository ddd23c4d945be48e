//! close(). Kafka: AsyncKafkaConsumer.close, ConsumerNetworkThread.cleanup.

use super::app::AppCall;
use crate::completion::Completion;
use crate::consumer::Consumer;
use crate::coordinator::commit::Origin;
use crate::coordinator::join::Partitions;
use crate::env::Ctx;
use inflight_protocol::fact::RevokeCause;

/// How far close() is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CloseWithBackground {
    pub(super) deadline_ms: i64,
    stage: CloseStage,
}

#[derive(Clone, Copy, Debug)]
enum CloseStage {
    Start,
    /// The last automatic commit, of this number.
    Commit(u32),
    /// The coordinator is to know that the member leaves.
    Leave,
    /// Commits of commitAsync(), and whatever else was asked.
    Goodbye,
}

impl Consumer {
    /// The application calls close().
    pub(crate) fn begin_close_with_background(&mut self, deadline_ms: i64) {
        let close = CloseWithBackground { deadline_ms, stage: CloseStage::Start };
        self.back().call = Some(AppCall::Close(close));
    }

    pub(super) fn drive_close(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        mut close: CloseWithBackground,
    ) -> bool {
        let is_late = ctx.now_ms >= close.deadline_ms;
        let next = match close.stage {
            CloseStage::Start => Some(self.commit_on_close(ctx, close.deadline_ms)),
            CloseStage::Commit(id) => {
                let is_over = self.back().commits.take_result(id).is_some();
                if !is_over && is_late {
                    self.abandon_commit(ctx, id);
                }
                (is_over || is_late).then(|| self.say_farewell(ctx))
            }
            CloseStage::Leave if self.back().membership.is_leave_pending && !is_late => None,
            CloseStage::Leave => Some(CloseStage::Goodbye),
            CloseStage::Goodbye => {
                let is_busy = self.back().commits.has_async() || self.network.pending() > 0;
                if !is_busy || is_late {
                    self.execute_commit_callbacks(ctx);
                    self.end(ctx);
                    self.completions.push(Completion::Closed);
                    return true;
                }
                None
            }
        };
        let has_moved = next.is_some();
        close.stage = next.unwrap_or(close.stage);
        self.back().call = Some(AppCall::Close(close));
        has_moved
    }

    /// Kafka: autoCommitOnClose.
    fn commit_on_close(&mut self, ctx: &mut Ctx<'_, '_>, deadline_ms: i64) -> CloseStage {
        self.execute_commit_callbacks(ctx);
        if !self.back().commits.is_automatic() {
            return self.say_farewell(ctx);
        }
        let offsets = self.all_consumed();
        CloseStage::Commit(self.add_commit(ctx, Origin::Close, offsets, deadline_ms))
    }

    /// Nothing is looked for any more, the listener is called, and the member leaves.
    /// Kafka: stopFindCoordinatorOnClose, runRebalanceCallbacksOnClose, leaveGroupOnClose.
    fn say_farewell(&mut self, ctx: &mut Ctx<'_, '_>) -> CloseStage {
        self.back().commits.is_closing = true;
        self.back().lookup.is_closing = true;
        if self.subscriptions.is_auto_assigned() {
            let owned = self.subscriptions.assigned().iter().map(|state| state.partition);
            let mut owned: Partitions = owned.collect();
            owned.sort_by_key(|id| ctx.place(*id));
            let why = RevokeCause::Closed;
            self.tell_removed(ctx, &owned, why);
            let told = owned.into_iter().map(|partition| Completion::Revoked { partition, why });
            self.completions.extend(told);
        }
        self.leave_with_close(ctx);
        CloseStage::Leave
    }
}
