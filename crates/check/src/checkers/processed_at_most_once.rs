//! B16, processed at most once: no record is processed twice.
//!
//! Kafka promises it to who commits first, and a sink that leaves out what was processed before
//! needs no promise. Everybody else sees it after a crash or a rebalance.

use super::work::tell_given;
use super::{UserView, work};
use crate::verdict::{Aspect, CheckerId, Judgement};

const CHECKER: CheckerId = CheckerId::ProcessedAtMostOnce;

pub(super) fn check(user: &UserView<'_>, into: &mut Judgement) {
    for work in user.work {
        let duty = &work.duty;
        into.examined(CHECKER, duty.effects);
        let armed = work::promised(user, work, |case| case.processed_once(duty));
        for again in &duty.again {
            tell_given(user, duty, (CHECKER, Aspect::Plain), (armed, again), into);
        }
    }
}
