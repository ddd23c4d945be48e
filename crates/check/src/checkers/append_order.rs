//! B6, append order: a record lies behind every record that was acked before its send() call.
//!
//! Any sessions, one partition. The acked record must be where its sender was told; one that was
//! lost is B3's.

use super::{Found, UserView};
use crate::history::What;
use crate::verdict::{Aspect, CheckerId, Judgement};

const CHECKER: CheckerId = CheckerId::AppendOrder;

pub(super) fn check(user: &UserView<'_>, into: &mut Judgement) {
    into.examined(CHECKER, user.read.bounds);
    for (odd, case) in user.odd(What::Ahead) {
        let Some(case) = case else { continue };
        let armed = case.durable();
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
