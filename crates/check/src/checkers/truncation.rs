//! W5, no committed truncation: no replica cuts committed records from its log.

use super::{ALWAYS, incidents};
use crate::history::History;
use crate::verdict::{CheckerId, Judgement};

const CHECKER: CheckerId = CheckerId::Truncation;

pub(super) fn check(history: &History, into: &mut Judgement) {
    into.examined(CHECKER, history.examined.truncations);
    for incident in incidents(history, CHECKER) {
        let armed = incident.armed.unwrap_or(ALWAYS);
        into.add_incident(incident, armed, armed.verdict());
    }
}
