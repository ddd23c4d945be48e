//! B15, processed at least once: every record below a committed offset was processed.
//!
//! A record that was made into a message is processed once the message counts. What a living
//! consumer still has in its hands may yet be processed, unless nothing will happen any more.

use super::work::{Work, tell_given};
use super::{UserView, work};
use crate::verdict::{Aspect, CheckerId, Judgement};

const CHECKER: CheckerId = CheckerId::ProcessedAtLeastOnce;

pub(super) fn check(user: &UserView<'_>, into: &mut Judgement) {
    for work in user.work {
        let Work { duty, due, skipped, .. } = work;
        into.examined(CHECKER, work::records(due));
        let armed = work::promised(user, work, |case| case.processed(duty));
        for given in skipped {
            tell_given(user, duty, (CHECKER, Aspect::Plain), (armed, given), into);
        }
    }
}
