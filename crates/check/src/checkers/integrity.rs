//! B1, integrity: a record in the log was sent by the session and to the partition that the log
//! says.

use super::{ALWAYS, Found, UserView};
use crate::history::What;
use crate::verdict::{Aspect, CheckerId, Judgement, Verdict};

const CHECKER: CheckerId = CheckerId::Integrity;

pub(super) fn check(user: &UserView<'_>, into: &mut Judgement) {
    into.examined(CHECKER, user.read.records);
    for (odd, _) in user.odd(What::NeverSent) {
        into.add(Found {
            checker: CHECKER,
            aspect: Aspect::NeverSent,
            verdict: Verdict::Violation,
            armed: ALWAYS,
            session: odd.session,
            partition: odd.partition,
            run: odd.run,
            offset: Some(odd.offset),
        });
    }
}
