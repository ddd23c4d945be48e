//! Whether links and brokers are as they should be, and since when.

use inflight_des::Instant;
use inflight_protocol::Fact;
use inflight_protocol::ids::{BrokerSet, Node};

/// What disturbs a cluster. Progress can be asked for only when it is over.
#[derive(Debug, Default)]
pub(crate) struct Calm {
    /// The links that are cut.
    cuts: Vec<(Node, Node)>,
    /// The brokers that stand still.
    paused: BrokerSet,
    /// When something of the kind happened last.
    since: Instant,
}

inflight_des::clone_fields!(Calm { cuts, paused, since });

impl Calm {
    pub(crate) fn reset(&mut self) {
        self.cuts.clear();
        (self.paused, self.since) = (BrokerSet::EMPTY, Instant::START);
    }

    /// Since when nothing is disturbed. `None` while something is.
    pub(crate) fn since(&self) -> Option<Instant> {
        (self.cuts.is_empty() && self.paused.is_empty()).then_some(self.since)
    }

    /// Takes in a fact about links and brokers.
    pub(crate) fn on_fact(&mut self, at: Instant, fact: &Fact) {
        match *fact {
            Fact::LinkCut { from, to } => self.cuts.push((from, to)),
            Fact::LinkHealed { from, to } => self.cuts.retain(|cut| *cut != (from, to)),
            Fact::BrokerPaused { broker } => self.paused = self.paused.with(broker),
            Fact::BrokerResumed { broker } => self.paused = self.paused.without(broker),
            // A broker that is gone stands still no more; others lead in its place.
            Fact::BrokerCrashed { broker, .. } => self.paused = self.paused.without(broker),
            _ => {}
        }
        self.since = at;
    }
}
