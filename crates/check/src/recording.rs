//! Judging from a recording or a file.

use crate::history::History;
use crate::judge::Judge;
use crate::verdict::{FactRef, Judgement, View};
use inflight_des::Instant;
use inflight_protocol::Fact;
use inflight_trace::{Description, Observer};

impl History {
    /// The history of a recording. Positions of facts are those of the recording.
    pub fn of(description: &Description, facts: &[(Instant, Fact)]) -> Self {
        let mut history = Self::new(description);
        for (index, (at, fact)) in facts.iter().enumerate() {
            if Self::INTEREST.meets(fact.kind().set()) {
                let seen = FactRef { index: index as u64, at: *at, kind: fact.kind() };
                history.observe(seen, fact);
            }
        }
        history
    }
}

/// Judges a recording.
pub fn judge_facts(description: &Description, facts: &[(Instant, Fact)], view: View) -> Judgement {
    let mut judgement = Judgement::default();
    Judge::default().judge(&History::of(description, facts), view, &mut judgement);
    judgement
}
