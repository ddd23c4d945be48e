//! What the network thread leaves for the application's thread, which does it inside of poll().
//! Kafka: clients/consumer/internals/events/BackgroundEvent, AsyncKafkaConsumer.
//! processBackgroundEvents.

use crate::completion::Completion;
use crate::consumer::Consumer;
use crate::coordinator::join::Partitions;
use crate::env::Ctx;
use inflight_protocol::fact::{MembershipState, RevokeCause, SendError};
use inflight_protocol::{Fact, FactKind, TopicPartition};

/// Something for the application's thread.
#[derive(Clone, Debug)]
pub(super) enum BackgroundEvent {
    /// The listener is told that partitions are revoked or lost. Kafka: PartitionsRemovedEvent.
    Removed { partitions: Partitions, why: RevokeCause, then: AfterRemoved },
    /// The assignment changes, and the listener is told what has come. Kafka:
    /// PartitionsAssignedEvent.
    Assigned { assigned: Partitions, added: Partitions },
    /// poll() throws an exception. Kafka: ErrorEvent.
    Failed(SendError),
}

/// What follows when the listener knows that partitions are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AfterRemoved {
    /// The others are assigned.
    Assign,
    /// The member, which was fenced, joins again.
    Rejoin,
    /// The member, which left because poll() was not called, may join again.
    Release,
    /// Nothing: the member has failed.
    Forget,
}

impl Consumer {
    /// The listener is to be told that partitions are gone, if there are any.
    pub(super) fn remove_partitions(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        (mut partitions, why): (Partitions, RevokeCause),
        then: AfterRemoved,
    ) {
        self.back().moves += 1;
        if partitions.is_empty() {
            return self.partitions_removed(ctx, &partitions, then);
        }
        partitions.sort_by_key(|id| ctx.place(*id));
        self.back().events.push_back(BackgroundEvent::Removed { partitions, why, then });
    }

    /// Kafka: the future of the event with what waits for it.
    fn partitions_removed(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        told: &[TopicPartition],
        then: AfterRemoved,
    ) {
        self.back().moves += 1;
        if then == AfterRemoved::Assign {
            return self.reconciliation_revoked();
        }
        // What came in between goes without a word to the listener.
        let owned = self.subscriptions.assigned().iter().map(|state| state.partition);
        let untold: Partitions = owned.filter(|id| !told.contains(id)).collect();
        if self.subscriptions.is_auto_assigned() {
            self.tell_removed(ctx, &untold, RevokeCause::Lost);
        }
        match then {
            AfterRemoved::Release => self.stale_released(ctx),
            AfterRemoved::Assign | AfterRemoved::Rejoin | AfterRemoved::Forget => {
                self.clear_assignment();
            }
        }
        let is_fenced = self.back().membership.state == MembershipState::Fenced;
        if then == AfterRemoved::Rejoin && is_fenced {
            self.transition_to_joining(ctx);
        }
    }

    pub(super) fn tell_removed(
        &self,
        ctx: &mut Ctx<'_, '_>,
        partitions: &[TopicPartition],
        why: RevokeCause,
    ) {
        let consumer = self.id;
        for partition in partitions.iter().copied() {
            ctx.turn.did(FactKind::PartitionRevoked.set(), || Fact::PartitionRevoked {
                consumer,
                partition,
                why,
            });
        }
    }

    /// Does what the network thread has left until now. The error is the first exception.
    /// Kafka: processBackgroundEvents.
    pub(super) fn process_background_events(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
    ) -> Result<(), SendError> {
        let mut result = Ok(());
        for event in std::mem::take(&mut self.back().events) {
            match event {
                BackgroundEvent::Removed { partitions, why, then } => {
                    self.tell_removed(ctx, &partitions, why);
                    let told = partitions.iter();
                    let told =
                        told.map(|partition| Completion::Revoked { partition: *partition, why });
                    self.completions.extend(told);
                    self.partitions_removed(ctx, &partitions, then);
                }
                BackgroundEvent::Assigned { assigned, added } => {
                    self.apply_assignment(ctx, &assigned, added);
                }
                BackgroundEvent::Failed(error) => result = result.and(Err(error)),
            }
        }
        result
    }

    /// Kafka: applyNewAssignment, ApplyAssignmentEvent.
    fn apply_assignment(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        assigned: &[TopicPartition],
        mut added: Partitions,
    ) {
        let mut assigned: Partitions = assigned.iter().copied().collect();
        assigned.sort_by_key(|id| ctx.place(*id));
        added.sort_by_key(|id| ctx.place(*id));
        self.subscriptions.assign_from_subscribed(&assigned);
        let epoch = self.back().membership.epoch.unwrap_or_default();
        for partition in added {
            self.tell_assigned(ctx, partition, epoch);
        }
        self.reconciliation_assigned(ctx);
    }
}
