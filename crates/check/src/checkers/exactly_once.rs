//! B17, exactly once: every input that was committed has its output exactly once.
//!
//! An output counts if who reads committed records finds it. What nobody can decide yet is neither
//! missing nor there.

use super::work::{Work, tell, tell_given};
use super::{UserView, work};
use crate::verdict::{Aspect, CheckerId, Judgement};

const CHECKER: CheckerId = CheckerId::ExactlyOnce;

pub(super) fn check(user: &UserView<'_>, into: &mut Judgement) {
    for work in user.work.iter().filter(|work| !work.duty.transformed.is_empty()) {
        let Work { duty, due, skipped, twice, .. } = work;
        into.examined(CHECKER, due.len());
        let armed = work::promised(user, work, |case| case.exactly_once(duty));
        for run in skipped.iter() {
            tell(user, duty, (CHECKER, Aspect::PassedOver), (armed, run), into);
        }
        for given in twice {
            tell_given(user, duty, (CHECKER, Aspect::Repeated), (armed, given), into);
        }
    }
}
