//! B5p, prefix: no record is missing below a record that the same session sent later.
//!
//! A missing record that was acked is B3's. Any other gap is permitted: Kafka does not promise to
//! write nothing after a failure. The records of a transaction that was given up leave no gap.

use super::{Found, NEVER, UserView};
use crate::runs::{Run, Runs};
use crate::verdict::{Aspect, CheckerId, Judgement};

const CHECKER: CheckerId = CheckerId::Prefix;

pub(super) fn check(user: &UserView<'_>, into: &mut Judgement) {
    for (index, lane) in user.lanes() {
        let present = &user.read.seen[index].present;
        into.examined(CHECKER, present.len());
        let below = Run { start: 0, end: present.end() };
        let given_up = given_up(user, index);
        for gap in present.missing(below).flat_map(|gap| lane.acked.missing(gap)) {
            let queued = lane.queued.iter().map(|queued| queued.meet(gap));
            for run in queued.flat_map(|run| given_up.missing(run)) {
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

/// The records of a lane in transactions that do not count and never will.
fn given_up(user: &UserView<'_>, lane: usize) -> Runs {
    let mut runs = Runs::new();
    let Some(transactions) = user.told.transactions() else { return runs };
    for member in transactions.members(lane) {
        let transaction = transactions.get(member.transaction);
        if transaction.is_some_and(|transaction| transaction.outcome().is_excluded()) {
            runs.insert(member.run);
        }
    }
    runs
}
