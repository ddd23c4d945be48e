//! B21, ownership: in one generation of a group a partition belongs to one member.
//!
//! A member that has missed a rebalance still believes in an older generation; that is permitted.
//! A coordinator that has lost its group counts generations anew.

use super::{ALWAYS, About, UserView};
use crate::guarantee::Guarantee;
use crate::promise::Armed;
use crate::told::Readers;
use crate::verdict::{Aspect, CheckerId, Judgement};

const CHECKER: CheckerId = CheckerId::Ownership;

pub(super) fn check(user: &UserView<'_>, readers: &Readers, into: &mut Judgement) {
    let behind = user.sites.first().map(|site| site.behind.offsets);
    let armed = match behind {
        Some(Err(reason)) => Armed::Excused(Guarantee::Always, reason),
        Some(Ok(())) | None => ALWAYS,
    };
    into.examined(CHECKER, readers.given);
    for shared in &readers.shared {
        let (consumer, decisive) = (Some(shared.consumer), Some(shared.fact));
        let about = About { consumer, decisive, ..About::default() };
        into.add_fact((CHECKER, Aspect::Plain), (armed, armed.verdict()), about);
    }
}
