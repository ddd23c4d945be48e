//! B17, exactly once: every input that was committed has its output exactly once.
//!
//! An output counts if who reads committed records finds it. What nobody can decide yet is neither
//! missing nor there.

use super::work::{Work, tell_given};
use super::{UserView, work};
use crate::verdict::{Aspect, CheckerId, Judgement};

const CHECKER: CheckerId = CheckerId::ExactlyOnce;

pub(super) fn check(user: &UserView<'_>, into: &mut Judgement) {
    for work in user.work.iter().filter(|work| !work.duty.transformed.is_empty()) {
        let Work { duty, due, skipped, twice, .. } = work;
        into.examined(CHECKER, work::records(due));
        let armed = work::promised(user, work, |case| case.exactly_once(duty));
        for given in skipped {
            tell_given(user, duty, (CHECKER, Aspect::PassedOver), (armed, given), into);
        }
        for given in twice {
            tell_given(user, duty, (CHECKER, Aspect::Repeated), (armed, given), into);
        }
    }
}
