//! W9, known transactions: every transaction that is open in a partition is known to its coordinator.
//!
//! It shows a hanging transaction at the append that opens it, long before a reader waits in vain.

use super::{case_of, incidents};
use crate::coordinated::Coordinated;
use crate::history::History;
use crate::verdict::{CheckerId, Judgement};

const CHECKER: CheckerId = CheckerId::KnownTransactions;

pub(super) fn check(history: &History, coordinated: &Coordinated, into: &mut Judgement) {
    into.examined(CHECKER, coordinated.examined.batches);
    for incident in incidents(history, CHECKER) {
        let armed = case_of(history, incident).map_or(super::NEVER, |case| case.stable_progress());
        into.add_incident(incident, armed, armed.verdict());
    }
}
