//! W8, no double append: no leader appends a record that its log has already.
//!
//! It tells where and when a duplicate came in, which is what B4a cannot.

use super::{case_of, incidents};
use crate::history::History;
use crate::verdict::{CheckerId, Judgement};

const CHECKER: CheckerId = CheckerId::DoubleAppend;

pub(super) fn check(history: &History, into: &mut Judgement) {
    into.examined(CHECKER, history.examined.appends);
    for incident in incidents(history, CHECKER) {
        let armed = case_of(history, incident).map_or(super::NEVER, |case| case.once());
        into.add_incident(incident, armed, armed.verdict());
    }
}
