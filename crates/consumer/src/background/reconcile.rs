//! From what the member has to what it is to have: commit, give up, take, tell the coordinator.
//! Kafka: AbstractMembershipManager.maybeReconcile and what it calls.

use super::events::{AfterRemoved, BackgroundEvent};
use crate::consumer::Consumer;
use crate::coordinator::join::Partitions;
use crate::env::Ctx;
use inflight_protocol::fact::{MembershipState, RevokeCause};

/// An assignment, numbered by the member: a new number is news, even with the same partitions.
/// Kafka: AbstractMembershipManager.LocalAssignment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LocalAssignment {
    /// `None` of a member that has been told nothing.
    number: Option<u64>,
    /// In ascending order.
    pub(super) partitions: Partitions,
}

impl LocalAssignment {
    /// Kafka: updateWith.
    pub(super) fn update_with(&mut self, assignment: &Partitions) {
        let mut partitions = assignment.clone();
        partitions.sort_unstable();
        if self.number.is_none() || self.partitions != partitions {
            *self = Self { number: Some(self.number.map_or(0, |number| number + 1)), partitions };
        }
    }
}

/// A change of partitions that is under way.
#[derive(Clone, Debug)]
pub(super) struct Reconciliation {
    /// What the member will have.
    resolved: LocalAssignment,
    revoked: Partitions,
    added: Partitions,
    /// The commit that comes first.
    pub(super) commit: Option<u32>,
}

impl Consumer {
    /// Begins to go over to the target assignment if that is possible now: inside of poll() offsets
    /// can be committed, otherwise nothing that needs that is begun. Kafka: maybeReconcile.
    pub(super) fn maybe_reconcile(&mut self, ctx: &mut Ctx<'_, '_>, can_commit: bool) {
        let membership = &self.back().membership;
        let is_reconciled = membership.current == membership.target;
        if membership.state != MembershipState::Reconciling
            || is_reconciled
            || membership.reconciliation.is_some()
        {
            return;
        }
        let resolved = self.resolve_target(ctx);
        let membership = &mut self.back().membership;
        if membership.current.number.is_some()
            && resolved.partitions == membership.current.partitions
        {
            if membership.current.number != resolved.number {
                membership.current = resolved;
                self.transition(ctx, MembershipState::Acknowledging);
            }
            return;
        }
        let owned: Partitions =
            self.subscriptions.assigned().iter().map(|state| state.partition).collect();
        let assigned = resolved.partitions.clone();
        let added = assigned.iter().copied().filter(|id| !owned.contains(id)).collect();
        let revoked: Partitions = owned.into_iter().filter(|id| !assigned.contains(id)).collect();
        let commits = self.back().commits.is_automatic();
        if !can_commit && (commits || !revoked.is_empty()) {
            return;
        }
        self.subscriptions.mark_pending_revocation_of(&revoked);
        let membership = &mut self.back().membership;
        membership.has_rejoined = false;
        membership.reconciliation = Some(Reconciliation { resolved, revoked, added, commit: None });
        self.back().moves += 1;
        match self.commit_before_rebalance(ctx) {
            None => self.reconciliation_committed(ctx),
            commit => {
                if let Some(reconciliation) = &mut self.back().membership.reconciliation {
                    reconciliation.commit = commit;
                }
            }
        }
    }

    /// The partitions of topics that are known by name. Kafka:
    /// findResolvableAssignmentAndTriggerMetadataUpdate.
    fn resolve_target(&mut self, ctx: &Ctx<'_, '_>) -> LocalAssignment {
        let mut resolved = self.back().membership.target.clone();
        let mut named = std::mem::take(&mut self.back().membership.named_topics);
        let all = resolved.partitions.len();
        resolved.partitions.retain(|partition| {
            let topic = ctx.env.topics.split(*partition).0;
            if self.metadata.knows(topic) && !named.contains(&topic) {
                named.push(topic);
            }
            named.contains(&topic)
        });
        if resolved.partitions.len() < all {
            self.metadata.request_update_now();
        }
        self.back().membership.named_topics = named;
        resolved
    }

    /// What there was to commit is committed, or will not be. Kafka: revokeAndAssign.
    pub(super) fn reconciliation_committed(&mut self, ctx: &mut Ctx<'_, '_>) {
        if self.is_reconciliation_aborted() {
            return;
        }
        let Some(reconciliation) = &self.back().membership.reconciliation else { return };
        let revoked = reconciliation.revoked.clone();
        self.remove_partitions(ctx, (revoked, RevokeCause::Revoked), AfterRemoved::Assign);
    }

    /// The listener knows what is revoked: it is to be told what is assigned.
    /// Kafka: assignPartitions.
    pub(super) fn reconciliation_revoked(&mut self) {
        if self.is_reconciliation_aborted() {
            return;
        }
        let back = self.back();
        let Some(reconciliation) = &back.membership.reconciliation else { return };
        let assigned = reconciliation.resolved.partitions.clone();
        let added = reconciliation.added.clone();
        back.moves += 1;
        back.events.push_back(BackgroundEvent::Assigned { assigned, added });
    }

    /// The application has its new partitions, and the coordinator is to know.
    pub(super) fn reconciliation_assigned(&mut self, ctx: &mut Ctx<'_, '_>) {
        if self.is_reconciliation_aborted() {
            return;
        }
        let Some(reconciliation) = self.back().membership.reconciliation.take() else { return };
        self.back().membership.current = reconciliation.resolved;
        self.reset_auto_commit(ctx);
        self.transition(ctx, MembershipState::Acknowledging);
    }

    /// Kafka: maybeAbortReconciliation.
    fn is_reconciliation_aborted(&mut self) -> bool {
        let membership = &mut self.back().membership;
        let is_aborted =
            membership.state != MembershipState::Reconciling || membership.has_rejoined;
        if is_aborted {
            membership.reconciliation = None;
            membership.has_rejoined = false;
        }
        is_aborted
    }
}
