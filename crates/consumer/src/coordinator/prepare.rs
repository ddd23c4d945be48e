//! Before a rebalance and after it. Kafka: ConsumerCoordinator.onJoinPrepare, onJoinComplete.

use crate::completion::Completion;
use crate::consumer::Consumer;
use crate::coordinator::commit::Origin;
use crate::coordinator::join::Partitions;
use crate::env::Ctx;
use inflight_protocol::fact::RevokeCause;
use inflight_protocol::message::{GroupIdentity, RebalanceProtocol};
use inflight_protocol::{Fact, FactKind, TopicPartition};

impl Consumer {
    /// Commits what was consumed and gives up what has to be given up, before a join. Returns
    /// whether that is done. Kafka: the condition needsJoinPrepare with onJoinPrepare.
    pub(crate) fn prepare_to_join(&mut self, ctx: &mut Ctx<'_, '_>) -> bool {
        let Some(coordinator) = &mut self.coordinator else { return false };
        if !coordinator.needs_join_prepare {
            return true;
        }
        let timeout_ms = ctx.env.config.max_poll_interval_ms;
        let until_ms = *coordinator.join_prepare_until_ms.get_or_insert(ctx.now_ms + timeout_ms);
        if coordinator.next_auto_commit_ms.is_some() && coordinator.join_prepare_commit.is_none() {
            if coordinator.protocol == RebalanceProtocol::Eager {
                self.subscriptions.mark_pending_revocation();
            }
            // The coordinator is known here.
            let commit = self.commit_consumed_async(ctx, Origin::BeforeJoin);
            if let Some(coordinator) = &mut self.coordinator {
                coordinator.join_prepare_commit = commit.unwrap_or_default();
            }
        }
        if let Some(commit) = self.coordinator.as_ref().and_then(|known| known.join_prepare_commit)
        {
            self.poll_network(ctx);
            let Some(coordinator) = &mut self.coordinator else { return false };
            let result = coordinator.commits.take_joined(commit);
            let is_settled = match result {
                Some(Ok(())) => true,
                Some(Err(failure)) => !failure.is_retriable(),
                None => false,
            };
            if result.is_some() {
                coordinator.join_prepare_commit = None;
            }
            if !is_settled && ctx.now_ms < until_ms {
                return false;
            }
        }
        self.give_up_partitions(ctx);
        let Some(coordinator) = &mut self.coordinator else { return false };
        coordinator.is_leader = false;
        coordinator.join_prepare_until_ms = None;
        coordinator.join_prepare_commit = None;
        coordinator.needs_join_prepare = false;
        self.subscriptions.reset_group_subscription();
        true
    }

    /// With an eager protocol everything goes, with a cooperative one what is not subscribed to,
    /// and without a membership everything is lost.
    fn give_up_partitions(&mut self, ctx: &mut Ctx<'_, '_>) {
        let Some(coordinator) = &self.coordinator else { return };
        let generation = coordinator.generation;
        let is_member = generation.id.is_some() && generation.member.is_some();
        let (why, keep): (_, Partitions) = match coordinator.protocol {
            _ if !is_member => (RevokeCause::Lost, Partitions::new()),
            RebalanceProtocol::Eager => (RevokeCause::Revoked, Partitions::new()),
            RebalanceProtocol::Cooperative => {
                let topics = self.subscriptions.topics();
                let owned = self.subscriptions.assigned().iter().map(|state| state.partition);
                let keep = owned.filter(|id| topics.contains(&ctx.env.topics.split(*id).0));
                (RevokeCause::Revoked, keep.collect())
            }
        };
        self.revoke_all_but(ctx, &keep, why);
        self.subscriptions.assign_from_subscribed(&keep);
    }

    /// Tells the application which partitions it loses. Kafka: invokePartitionsRevoked, ...Lost.
    pub(crate) fn revoke_all_but(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        keep: &[TopicPartition],
        why: RevokeCause,
    ) {
        let owned = self.subscriptions.assigned().iter().map(|state| state.partition);
        let mut gone: Partitions = owned.filter(|id| !keep.contains(id)).collect();
        gone.sort_by_key(|id| ctx.place(*id));
        for partition in gone {
            let consumer = self.id;
            ctx.turn.did(FactKind::PartitionRevoked.set(), || Fact::PartitionRevoked {
                consumer,
                partition,
                why,
            });
            self.completions.push(Completion::Revoked { partition, why });
        }
    }

    /// The member has its partitions. Kafka: onJoinComplete.
    pub(crate) fn join_completed(&mut self, ctx: &mut Ctx<'_, '_>, assignment: &Partitions) {
        let Some(coordinator) = &mut self.coordinator else { return };
        if !coordinator.is_leader {
            coordinator.assignment_snapshot = None;
        }
        let generation = coordinator.generation;
        let member = generation.member.zip(generation.id);
        coordinator.identity = GroupIdentity { group: coordinator.group, member };
        let mut assigned = assignment.clone();
        assigned.sort_by_key(|id| ctx.place(*id));
        let topics = self.subscriptions.topics();
        if assigned.iter().any(|id| !topics.contains(&ctx.env.topics.split(*id).0)) {
            // The subscription has changed since the join.
            coordinator.rejoin_needed = true;
            return;
        }
        let owned: Partitions =
            self.subscriptions.assigned().iter().map(|state| state.partition).collect();
        let protocol = coordinator.protocol;
        if protocol == RebalanceProtocol::Cooperative
            && owned.iter().any(|id| !assigned.contains(id))
        {
            coordinator.rejoin_needed = true;
            self.revoke_all_but(ctx, &assigned, RevokeCause::Revoked);
        }
        if let Some(coordinator) = &mut self.coordinator
            && let Some(next_ms) = &mut coordinator.next_auto_commit_ms
        {
            *next_ms = ctx.now_ms + ctx.env.config.auto_commit_interval_ms;
        }
        self.subscriptions.assign_from_subscribed(&assigned);
        let generation = generation.id.unwrap_or_default();
        for partition in assigned.into_iter().filter(|id| !owned.contains(id)) {
            self.tell_assigned(ctx, partition, generation);
        }
    }

    /// Tells the application that it may read a partition. Kafka: invokePartitionsAssigned.
    pub(crate) fn tell_assigned(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        partition: TopicPartition,
        generation: u32,
    ) {
        let consumer = self.id;
        ctx.turn.did(FactKind::PartitionAssigned.set(), || Fact::PartitionAssigned {
            consumer,
            partition,
            generation,
        });
        self.completions.push(Completion::Assigned { partition });
    }
}
