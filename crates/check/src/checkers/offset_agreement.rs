//! B2, offset agreement: a record is at the offset that its sender was told.
//!
//! Only an offset of the committed prefix is a promise: acks=1 tells an offset that a change of the
//! leader may give to another record.

use super::{ALWAYS, Found, UserView};
use crate::history::What;
use crate::promise::Armed;
use crate::verdict::{Aspect, CheckerId, Judgement, Verdict};

const CHECKER: CheckerId = CheckerId::OffsetAgreement;

pub(super) fn check(user: &UserView<'_>, into: &mut Judgement) {
    into.examined(CHECKER, user.read.acks);
    for aspect in [Aspect::Elsewhere, Aspect::Replaced] {
        for (odd, case) in user.odd(What::Misplaced(aspect)) {
            let Some(case) = case else { continue };
            let armed = match case.durable() {
                Armed::Promised(_) => ALWAYS,
                other => other,
            };
            let verdict = match user.weigh(odd.partition, armed) {
                Verdict::Violation if user.read.is_ahead(odd.partition, odd.offset) => {
                    Verdict::Possible
                }
                verdict => verdict,
            };
            into.add(Found {
                checker: CHECKER,
                aspect,
                verdict,
                armed,
                session: odd.session,
                partition: odd.partition,
                run: odd.run,
                offset: Some(odd.offset),
            });
        }
    }
}
