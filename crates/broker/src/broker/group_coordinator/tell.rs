//! What happens to groups, said as facts.

use crate::broker::Broker;
use crate::group::Action;
use inflight_protocol::{Fact, FactKind, Turn};

impl Broker {
    /// Says what has become of a group and its members. Answers and writes are not said here.
    pub(super) fn tell_group(&self, turn: &mut Turn<'_>, action: &Action) {
        let broker = self.id;
        match *action {
            Action::Joined(group, member) => {
                let client = member.client;
                turn.did(FactKind::MemberJoined.set(), || Fact::MemberJoined {
                    broker,
                    group,
                    client,
                });
            }
            Action::Removed(group, member, why) => {
                let client = member.client;
                turn.did(FactKind::MemberRemoved.set(), || Fact::MemberRemoved {
                    broker,
                    group,
                    client,
                    why,
                });
            }
            Action::Rebalanced(group, generation, members) => {
                turn.did(FactKind::GroupRebalanced.set(), || Fact::GroupRebalanced {
                    broker,
                    group,
                    generation,
                    members,
                });
            }
            Action::Targeted(group, epoch, members) => {
                turn.did(FactKind::TargetAssigned.set(), || Fact::TargetAssigned {
                    broker,
                    group,
                    epoch,
                    members,
                });
            }
            Action::Reconciled(group, member, ref current) => {
                turn.did(FactKind::MemberReconciled.set(), || Fact::MemberReconciled {
                    broker,
                    group,
                    client: member.client,
                    epoch: current.epoch,
                    state: current.state,
                    assigned: current.assigned.len() as u32,
                    revoking: current.revoking.len() as u32,
                });
            }
            Action::Join(..)
            | Action::Sync(..)
            | Action::Write(..)
            | Action::WriteConsumerGroup(..)
            | Action::Again(_)
            | Action::ForgetClassic(_) => {}
        }
    }
}
