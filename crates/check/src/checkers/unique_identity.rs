//! W6, unique identity: no two live producers have the same producer id and producer epoch.

use super::{ALWAYS, incidents};
use crate::history::History;
use crate::verdict::{CheckerId, Judgement, Verdict};

const CHECKER: CheckerId = CheckerId::UniqueIdentity;

pub(super) fn check(history: &History, into: &mut Judgement) {
    into.examined(CHECKER, history.examined.identities);
    for incident in incidents(history, CHECKER) {
        into.add_incident(incident, ALWAYS, Verdict::Violation);
    }
}
