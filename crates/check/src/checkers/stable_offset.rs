//! W11, stable offset: the last stable offset is where the first undecided transaction begins, or
//! the high watermark, and neither is beyond the end of the log.
//!
//! A transaction is decided when the high watermark has passed its marker.

use super::{ALWAYS, incidents};
use crate::coordinated::Coordinated;
use crate::history::History;
use crate::verdict::{CheckerId, Judgement, Verdict};

const CHECKER: CheckerId = CheckerId::StableOffset;

pub(super) fn check(history: &History, coordinated: &Coordinated, into: &mut Judgement) {
    into.examined(CHECKER, coordinated.examined.stable);
    for incident in incidents(history, CHECKER) {
        into.add_incident(incident, ALWAYS, Verdict::Violation);
    }
}
