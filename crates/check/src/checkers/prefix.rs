//! B5p, prefix: no record is missing below a record that the same session sent later.
//!
//! A missing record that was acked is B3's. Any other gap is permitted: Kafka does not promise to
//! write nothing after a failure.

use super::{Found, NEVER, UserView};
use crate::runs::Run;
use crate::verdict::{Aspect, CheckerId, Judgement};

const CHECKER: CheckerId = CheckerId::Prefix;

pub(super) fn check(user: &UserView<'_>, into: &mut Judgement) {
    for (index, lane) in user.lanes() {
        let present = &user.read.seen[index].present;
        into.examined(CHECKER, present.len());
        let below = Run { start: 0, end: present.end() };
        for gap in present.missing(below).flat_map(|gap| lane.acked.missing(gap)) {
            for run in lane.queued.iter().map(|queued| queued.meet(gap)) {
                if !run.is_empty() {
                    into.add(Found {
                        checker: CHECKER,
                        aspect: Aspect::Gap,
                        verdict: NEVER.verdict(),
                        armed: NEVER,
                        session: lane.session,
                        partition: lane.partition,
                        run,
                        offset: None,
                    });
                }
            }
        }
    }
}
