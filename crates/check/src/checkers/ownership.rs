//! B21, ownership: in one generation of a group a partition belongs to one member.
//!
//! A member that has missed a rebalance still believes in an older generation; that is permitted.

use super::{ALWAYS, About};
use crate::told::Readers;
use crate::verdict::{Aspect, CheckerId, Judgement, Verdict};

const CHECKER: CheckerId = CheckerId::Ownership;

pub(super) fn check(readers: &Readers, into: &mut Judgement) {
    into.examined(CHECKER, readers.given);
    for shared in &readers.shared {
        let (consumer, decisive) = (Some(shared.consumer), Some(shared.fact));
        let about = About { consumer, decisive, ..About::default() };
        into.add_fact((CHECKER, Aspect::Plain), (ALWAYS, Verdict::Violation), about);
    }
}
