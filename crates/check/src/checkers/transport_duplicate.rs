//! B4a, no transport duplicate: one send() call puts its record into the log at most once.
//!
//! It does not matter what the sender was told: at most once is promised for any outcome.

use super::{Found, UserView};
use crate::history::What;
use crate::verdict::{Aspect, CheckerId, Judgement};

const CHECKER: CheckerId = CheckerId::TransportDuplicate;

pub(super) fn check(user: &UserView<'_>, into: &mut Judgement) {
    into.examined(CHECKER, user.read.records);
    for (odd, case) in user.odd(What::Repeated) {
        let Some(case) = case else { continue };
        let armed = case.once();
        into.add(Found {
            checker: CHECKER,
            aspect: Aspect::Plain,
            verdict: user.weigh(odd.partition, armed),
            armed,
            session: odd.session,
            partition: odd.partition,
            run: odd.run,
            offset: Some(odd.offset),
        });
    }
}
