//! Facts in memory.

use crate::observer::Observer;
use inflight_des::{Instant, Kinds};
use inflight_protocol::{Fact, FactKind};

/// Keeps the facts of chosen kinds with their instants, in the order in which they happened.
#[derive(Debug, PartialEq, Eq)]
pub struct Recorder {
    kinds: Kinds,
    facts: Vec<(Instant, Fact)>,
}

inflight_des::clone_fields!(Recorder { kinds, facts });

impl Default for Recorder {
    /// Keeps every kind.
    fn default() -> Self {
        Self::new(Kinds::ALL)
    }
}

impl Recorder {
    /// Keeps these kinds.
    pub const fn new(kinds: Kinds) -> Self {
        Self { kinds, facts: Vec::new() }
    }

    /// The facts.
    pub fn facts(&self) -> &[(Instant, Fact)] {
        &self.facts
    }

    /// The facts, when the run is over.
    pub fn into_facts(self) -> Vec<(Instant, Fact)> {
        self.facts
    }

    /// How many facts.
    pub fn len(&self) -> usize {
        self.facts.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// How many facts of a kind.
    pub fn count(&self, kind: FactKind) -> usize {
        self.facts.iter().filter(|(_, fact)| fact.kind() == kind).count()
    }

    /// Forgets the facts and keeps the memory.
    pub fn reset(&mut self) {
        self.facts.clear();
    }

    /// Tells the facts to an observer, as if they happened again.
    pub fn replay(&self, mut observer: impl Observer) {
        replay(&self.facts, &mut observer);
    }
}

/// Tells recorded facts to an observer, as if they happened again.
pub fn replay(facts: &[(Instant, Fact)], observer: &mut impl Observer) {
    for (at, fact) in facts {
        observer.offer(*at, fact);
    }
}

impl Observer for Recorder {
    const INTEREST: Kinds = Kinds::ALL;

    #[inline]
    fn interest(&self) -> Kinds {
        self.kinds
    }

    #[inline]
    fn on_fact(&mut self, at: Instant, fact: &Fact) {
        self.facts.push((at, *fact));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use inflight_protocol::BrokerId;

    #[test]
    fn a_recorded_fact_is_small() {
        assert!(size_of::<(Instant, Fact)>() <= 72, "{}", size_of::<(Instant, Fact)>());
    }

    #[test]
    fn chosen_kinds_are_kept_in_order() {
        let broker = BrokerId::new(1);
        let mut recorder = Recorder::new(FactKind::BrokerStarted.set());
        for nanos in 0..3 {
            recorder.offer(Instant::from_nanos(nanos), &Fact::BrokerStarted { broker });
            recorder.offer(Instant::from_nanos(nanos), &Fact::BrokerPaused { broker });
        }
        assert_eq!(recorder.len(), 3);
        assert_eq!(recorder.count(FactKind::BrokerStarted), 3);
        let mut again = Recorder::default();
        recorder.replay(&mut again);
        assert_eq!(again.facts(), recorder.facts());
        recorder.reset();
        assert!(recorder.is_empty());
    }
}
