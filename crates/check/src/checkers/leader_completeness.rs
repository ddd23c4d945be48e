//! W2, leader completeness: a new leader's log has everything that was committed.
//!
//! Committed is what every member of the leader's greatest in-sync set had at some moment, whatever
//! any broker took for its high watermark.

use super::{ALWAYS, incidents};
use crate::history::History;
use crate::verdict::{Aspect, CheckerId, Judgement, Verdict};

const CHECKER: CheckerId = CheckerId::LeaderCompleteness;

pub(super) fn check(history: &History, into: &mut Judgement) {
    into.examined(CHECKER, history.examined.leaders);
    for incident in incidents(history, CHECKER) {
        let armed = incident.armed.unwrap_or(ALWAYS);
        let verdict = match (incident.aspect, armed.verdict()) {
            (Aspect::Forgotten, Verdict::Violation) => Verdict::Possible,
            (_, verdict) => verdict,
        };
        into.add_incident(incident, armed, verdict);
    }
}
