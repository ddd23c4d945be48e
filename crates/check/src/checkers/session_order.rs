//! B5, session order: the first copies of one session's records are in the order of its send()
//! calls.
//!
//! A position is a fact once a record is there, whatever its sender was told.

use super::{Found, UserView};
use crate::history::What;
use crate::verdict::{Aspect, CheckerId, Judgement};

const CHECKER: CheckerId = CheckerId::SessionOrder;

pub(super) fn check(user: &UserView<'_>, into: &mut Judgement) {
    into.examined(CHECKER, user.read.seen.iter().map(|seen| seen.present.len()).sum());
    for (odd, case) in user.odd(What::Overtaken) {
        let Some(case) = case else { continue };
        let armed = case.ordered();
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
