//! Who could be elected without a loss: the in-sync and the eligible leader replicas.

use inflight_des::Instant;
use inflight_protocol::Fact;
use inflight_protocol::ids::{BrokerSet, TopicPartition};

/// The in-sync and eligible leader replicas of one partition, as the controller committed them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Electable {
    partition: TopicPartition,
    pub(super) isr: BrokerSet,
    elr: BrokerSet,
    /// Who could be elected before the last change, and when it came.
    before: (BrokerSet, Option<Instant>),
}

impl Electable {
    /// At the start of a run every replica is in sync.
    pub(super) const fn new(partition: TopicPartition, replicas: BrokerSet) -> Self {
        let before = (replicas, None);
        Self { partition, isr: replicas, elr: BrokerSet::EMPTY, before }
    }

    /// Takes in a fact. Tells whether it changed anything.
    pub(super) fn on_fact(&mut self, at: Instant, fact: &Fact) -> bool {
        let Fact::IsrChanged { partition, from, to, elr, .. } = *fact else { return false };
        if partition != self.partition {
            return false;
        }
        if self.before.1 != Some(at) {
            self.before = (from.union(self.elr), Some(at));
        }
        (self.isr, self.elr) = (to, elr);
        true
    }

    /// Who could be elected at an instant. A change at the same instant belongs to the election and
    /// is no reason for it.
    pub(super) fn at(&self, at: Instant) -> BrokerSet {
        match self.before {
            (before, Some(changed)) if changed == at => before,
            _ => self.isr.union(self.elr),
        }
    }
}
