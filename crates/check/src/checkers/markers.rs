//! W10, markers: a marker ends the transaction that it is meant for, as its other markers do.
//!
//! A commit marker must have been asked for by the application of the records that it ends, and so
//! must an abort marker that does not come from the coordinator's own decision.

use super::{case_of, incidents};
use crate::coordinated::Coordinated;
use crate::history::History;
use crate::verdict::{CheckerId, Judgement};

const CHECKER: CheckerId = CheckerId::Markers;

pub(super) fn check(history: &History, coordinated: &Coordinated, into: &mut Judgement) {
    into.examined(CHECKER, coordinated.examined.markers);
    for incident in incidents(history, CHECKER) {
        let armed = case_of(history, incident).map_or(super::NEVER, |case| case.atomic());
        into.add_incident(incident, armed, armed.verdict());
    }
}
