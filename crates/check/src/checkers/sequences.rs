//! W7, sequences: a leader appends the sequence numbers of a producer epoch without gap and
//! repetition.
//!
//! A broker without state for a producer id accepts any first sequence, so a first one that is not
//! 0 is a warning.

use super::{case_of, incidents};
use crate::history::History;
use crate::promise::Armed;
use crate::verdict::{Aspect, CheckerId, Judgement, Verdict};

const CHECKER: CheckerId = CheckerId::Sequences;

pub(super) fn check(history: &History, into: &mut Judgement) {
    into.examined(CHECKER, history.examined.sequences);
    for incident in incidents(history, CHECKER) {
        let armed = case_of(history, incident).map_or(super::NEVER, |case| case.once());
        let verdict = match (incident.aspect, armed) {
            (Aspect::Unanchored, Armed::Promised(_)) => Verdict::Possible,
            (Aspect::Unanchored, Armed::Weak(..)) => Verdict::Allowed,
            (_, armed) => armed.verdict(),
        };
        into.add_incident(incident, armed, verdict);
    }
}
