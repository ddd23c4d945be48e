//! W12, producer state: what a leader knows of a producer is what its own log says.
//!
//! Judged by what leaders do: a repeated or skipped sequence that is accepted, a next one that is
//! refused, a batch that is taken for another one. The bounds of older batches are not kept, so a
//! refusal of a batch before the last one is never found.

use super::{case_of, incidents};
use crate::history::History;
use crate::verdict::{CheckerId, Judgement};

const CHECKER: CheckerId = CheckerId::ProducerState;

pub(super) fn check(history: &History, into: &mut Judgement) {
    into.examined(CHECKER, history.examined.decisions);
    for incident in incidents(history, CHECKER) {
        let armed = case_of(history, incident).map_or(super::NEVER, |case| case.once());
        into.add_incident(incident, armed, armed.verdict());
    }
}
