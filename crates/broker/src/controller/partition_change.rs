//! Who leads next, and who counts as in sync.
//!
//! Kafka: metadata/controller/PartitionChangeBuilder.

use inflight_protocol::control::PartitionRegistration;
use inflight_protocol::fact::Election;
use inflight_protocol::{BrokerId, BrokerSet};

/// Which leaders an election may choose. Kafka: PartitionChangeBuilder.Election.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ElectionType {
    /// The preferred replica if it is in sync, or else as Online.
    Preferred,
    /// A replica that is in sync.
    Online,
    /// A replica that is in sync, or else any that is active.
    Unclean,
}

/// Everything that decides a change of a partition.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PartitionChange<'a> {
    /// The state before.
    pub(crate) current: &'a PartitionRegistration,
    /// The replicas, the preferred leader first.
    pub(crate) replicas: &'a [BrokerId],
    /// `min(min.insync.replicas, replication factor)`.
    pub(crate) min_isr: u32,
    /// Whether eligible leader replicas are kept (KIP-966).
    pub(crate) keeps_elr: bool,
    /// Which leaders may be chosen.
    pub(crate) election: ElectionType,
    /// The brokers that may lead. Kafka: isAcceptableLeader.
    pub(crate) acceptable: BrokerSet,
    /// The in-sync replicas that are wanted.
    pub(crate) target_isr: BrokerSet,
    /// A broker that has come back after an unclean shutdown.
    pub(crate) unclean_shutdown: Option<BrokerId>,
    /// Whether a leader out of sync is preferred, as a defect.
    pub(crate) prefers_out_of_sync: bool,
}

/// A chosen leader and how it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Choice {
    leader: Option<BrokerId>,
    how: Election,
}

impl PartitionChange<'_> {
    /// The state after the change and, if the leader is another, how it was chosen. `None` if
    /// nothing changes. Kafka: PartitionChangeBuilder.build.
    pub(crate) fn build(&self) -> Option<(PartitionRegistration, Option<Election>)> {
        let mut target_isr = self.target_isr;
        let mut target_elr = self.target_elr();
        let mut choice = self.elect(target_elr);
        let is_new_leader = choice.leader != self.current.leader;
        if is_new_leader && let Some(leader) = choice.leader {
            if choice.how == Election::Clean && target_elr.contains(leader) {
                target_isr = BrokerSet::EMPTY.with(leader);
                target_elr = target_elr.without(leader);
                choice.how = Election::Eligible;
            } else if !target_isr.contains(leader) {
                // Data may be lost: whoever is chosen counts as in sync, and nobody else.
                target_isr = BrokerSet::EMPTY.with(leader);
                target_elr = BrokerSet::EMPTY;
            }
        }
        let mut new = *self.current;
        new.elr = if self.keeps_elr { target_elr } else { BrokerSet::EMPTY };
        // Without eligible leader replicas the in-sync set never becomes empty: its last member
        // stays in it even if it cannot lead.
        if !target_isr.is_empty() || self.keeps_elr {
            new.isr = target_isr;
        }
        if is_new_leader {
            new.leader = choice.leader;
            new.leader_epoch = new.leader_epoch.next();
            new.last_known_leader = self.last_known_leader(choice.leader);
        }
        if new == *self.current {
            return None;
        }
        new.partition_epoch = new.partition_epoch.next();
        Some((new, is_new_leader.then_some(choice.how)))
    }

    /// Who was in sync when the in-sync set fell below the minimum, and has not been shut down
    /// uncleanly since. Kafka: PartitionChangeBuilder.maybePopulateTargetElr.
    fn target_elr(&self) -> BrokerSet {
        if !self.keeps_elr || self.target_isr.len() >= self.min_isr {
            return BrokerSet::EMPTY;
        }
        let candidates = self.current.elr.union(self.current.isr).difference(self.target_isr);
        self.unclean_shutdown.map_or(candidates, |broker| candidates.without(broker))
    }

    /// Kafka: PartitionChangeBuilder.maybeUpdateLastKnownLeader.
    fn last_known_leader(&self, leader: Option<BrokerId>) -> Option<BrokerId> {
        match leader {
            _ if !self.keeps_elr => self.current.last_known_leader,
            None => self.current.last_known_leader.or(self.current.leader),
            Some(_) => None,
        }
    }

    /// Kafka: PartitionChangeBuilder.electLeader.
    fn elect(&self, target_elr: BrokerSet) -> Choice {
        let found = |leader, how| Choice { leader: Some(leader), how };
        if self.prefers_out_of_sync
            && let Some(leader) = self.first(|id| !self.current.isr.contains(id))
            && !self.current.leader.is_some_and(|leader| self.acceptable.contains(leader))
        {
            return found(leader, Election::Clean);
        }
        let is_valid = |id: BrokerId| {
            let is_member = self.target_isr.contains(id);
            is_member || (self.target_isr.is_empty() && target_elr.contains(id))
        };
        if self.election == ElectionType::Preferred
            && let Some(preferred) = self.replicas.first().copied()
            && self.acceptable.contains(preferred)
            && is_valid(preferred)
        {
            return found(preferred, Election::Preferred);
        }
        if let Some(leader) = self.current.leader
            && self.acceptable.contains(leader)
            && is_valid(leader)
        {
            return found(leader, Election::Clean);
        }
        if let Some(leader) = self.first(is_valid) {
            return found(leader, Election::Clean);
        }
        if let Some(leader) = self.electable_last_known_leader(target_elr) {
            return found(leader, Election::LastKnown);
        }
        if self.election == ElectionType::Unclean
            && let Some(leader) = self.first(|_| true)
        {
            return found(leader, Election::Unclean);
        }
        Choice { leader: None, how: Election::None }
    }

    /// The first acceptable replica, in the order of the assignment, that fulfils a condition.
    fn first(&self, condition: impl Fn(BrokerId) -> bool) -> Option<BrokerId> {
        let mut replicas = self.replicas.iter().copied();
        replicas.find(|id| self.acceptable.contains(*id) && condition(*id))
    }

    /// Kafka: PartitionChangeBuilder.canElectLastKnownLeader.
    fn electable_last_known_leader(&self, target_elr: BrokerSet) -> Option<BrokerId> {
        let nobody = self.target_isr.is_empty() && target_elr.is_empty();
        let last_known = self.current.last_known_leader.filter(|_| self.keeps_elr && nobody)?;
        self.acceptable.contains(last_known).then_some(last_known)
    }
}

#[cfg(test)]
mod tests;
