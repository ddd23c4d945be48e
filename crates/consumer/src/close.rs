//! close(). Kafka: ClassicKafkaConsumer.close, ConsumerCoordinator.close, AbstractCoordinator.close.

use crate::call::{Returned, SyncCommit};
use crate::consumer::Consumer;
use crate::coordinator::commit::Origin;
use crate::env::Ctx;
use crate::network::Outcome;
use crate::wait::Progress;
use inflight_client::connection_states::Peer;
use inflight_protocol::fact::{RevokeCause, StopCause};
use inflight_protocol::{Fact, FactKind};

/// How far close() is.
#[derive(Clone, Debug)]
pub(crate) struct CloseCall {
    deadline_ms: i64,
    stage: CloseStage,
}

#[derive(Clone, Debug)]
enum CloseStage {
    Start,
    /// The last automatic commit.
    Commit(SyncCommit),
    /// Commits that wait for a coordinator.
    Pending,
    /// Requests that the coordinator has not answered.
    Goodbye(Peer),
    End,
}

impl CloseCall {
    pub(crate) const fn new(deadline_ms: i64) -> Self {
        Self { deadline_ms, stage: CloseStage::Start }
    }
}

impl Consumer {
    pub(crate) fn advance_close(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        call: &mut CloseCall,
    ) -> Progress<Returned> {
        loop {
            let is_late = ctx.now_ms >= call.deadline_ms;
            match &mut call.stage {
                CloseStage::Start => call.stage = self.begin_close(ctx, call.deadline_ms),
                CloseStage::Commit(commit) => match self.advance_commit(ctx, commit) {
                    Progress::Polling(until_ms) => return Progress::Polling(until_ms),
                    Progress::Sleeping(until_ms) => return Progress::Sleeping(until_ms),
                    Progress::Done(()) => {
                        self.tell_returned(ctx, &commit.offsets, commit.origin, None);
                        call.stage = CloseStage::Pending;
                    }
                    Progress::Failed(error) => {
                        self.tell_returned(ctx, &commit.offsets, commit.origin, Some(error));
                        call.stage = CloseStage::Pending;
                    }
                },
                CloseStage::Pending => {
                    let commits = self.coordinator.as_ref().map(|known| &known.commits);
                    if commits.is_some_and(|commits| commits.has_pending()) && !is_late {
                        match self.ensure_coordinator(ctx, call.deadline_ms) {
                            Progress::Polling(until_ms) => return Progress::Polling(until_ms),
                            Progress::Sleeping(until_ms) => return Progress::Sleeping(until_ms),
                            Progress::Done(_) | Progress::Failed(_) => {}
                        }
                    }
                    call.stage = self.leave_on_close(ctx);
                }
                CloseStage::Goodbye(peer) => {
                    let peer = *peer;
                    if self.network.has_pending(peer) && !is_late {
                        return Progress::Polling(call.deadline_ms);
                    }
                    call.stage = CloseStage::End;
                }
                CloseStage::End => {
                    self.invoke_commit_callbacks(ctx);
                    self.end(ctx);
                    return Progress::Done(Returned::Nothing);
                }
            }
        }
    }

    /// Kafka: maybeAutoCommitOffsetsSync.
    fn begin_close(&mut self, ctx: &mut Ctx<'_, '_>, deadline_ms: i64) -> CloseStage {
        let Some(coordinator) = &self.coordinator else { return CloseStage::End };
        let offsets = self.all_consumed();
        if coordinator.next_auto_commit_ms.is_none() || offsets.is_empty() {
            return CloseStage::Pending;
        }
        self.tell_requested(ctx, &offsets, Origin::Close);
        CloseStage::Commit(SyncCommit::new(Origin::Close, offsets, deadline_ms))
    }

    /// Kafka: onLeavePrepare, maybeLeaveGroup, awaitPendingRequests.
    fn leave_on_close(&mut self, ctx: &mut Ctx<'_, '_>) -> CloseStage {
        let Some(coordinator) = &mut self.coordinator else { return CloseStage::End };
        coordinator.heartbeat.close();
        if self.subscriptions.is_auto_assigned() {
            self.revoke_all_but(ctx, &[], RevokeCause::Closed);
            self.subscriptions.assign_from_subscribed(&[]);
        }
        self.leave_group(ctx);
        match self.coordinator_node(ctx) {
            Some(node) => CloseStage::Goodbye(self.network.coordinator(node)),
            None => CloseStage::End,
        }
    }

    /// The answer to LeaveGroup does not matter but for the connection.
    pub(crate) fn left(&mut self, outcome: &Outcome) {
        if matches!(outcome, Outcome::Disconnected) {
            self.forget_coordinator();
        }
    }

    pub(crate) fn end(&mut self, ctx: &mut Ctx<'_, '_>) {
        self.network.close_all(ctx);
        self.has_ended = true;
        let (client, consumer) = (self.client, self.id);
        ctx.turn.did(FactKind::ConsumerStopped.set(), || Fact::ConsumerStopped {
            client,
            consumer,
            how: StopCause::Closed,
        });
    }
}
