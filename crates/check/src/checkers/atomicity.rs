//! B11, atomicity: the records of a transaction count together or not at all, and as its application
//! was told.
//!
//! If nobody was told how it ended, it may be either, but not both. Records that nobody can decide
//! yet are on no side.

use super::{About, Found, UserView};
use crate::read::Sides;
use crate::runs::Run;
use crate::told::{Outcome, Transaction, Transactions};
use crate::verdict::{Aspect, CheckerId, Judgement, TransactionName};

const CHECKER: CheckerId = CheckerId::Atomicity;

/// Which records of a transaction are on the wrong side.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrong {
    /// Those that count.
    Inside,
    /// Those that do not.
    Outside,
}

pub(super) fn check(user: &UserView<'_>, transactions: &Transactions, into: &mut Judgement) {
    for (at, transaction) in transactions.list().iter().enumerate() {
        let at = at as u32;
        let sides = user.read.sides(at);
        let Sides { inside, open, aborted, absent } = sides;
        into.examined(CHECKER, inside + open + aborted + absent);
        let Some((wrong, aspect)) = judge(transaction.outcome(), sides) else { continue };
        for (lane, run) in transactions.records_of(at) {
            for run in on_side(user, lane, run, (wrong, transaction.outcome())) {
                tell(user, transaction, (lane, run, aspect), into);
            }
        }
    }
}

/// Which records of a transaction are on the wrong side, if any are.
const fn judge(outcome: Outcome, sides: Sides) -> Option<(Wrong, Aspect)> {
    let (inside, outside) = (sides.inside > 0, sides.aborted + sides.absent > 0);
    match (outcome, inside, outside) {
        (Outcome::Committed, true, true) => Some((Wrong::Outside, Aspect::Torn)),
        (Outcome::Committed, false, true) => Some((Wrong::Outside, Aspect::FalseCommit)),
        (Outcome::Aborted | Outcome::Unasked, true, true) => Some((Wrong::Inside, Aspect::Torn)),
        (Outcome::Aborted | Outcome::Unasked, true, false) => {
            Some((Wrong::Inside, Aspect::FalseAbort))
        }
        (Outcome::Unknown, true, true) => Some((Wrong::Outside, Aspect::Torn)),
        _ => None,
    }
}

/// The records of a run that are on a side. Of a transaction with an unknown end only those count
/// whose sender was told that they are delivered.
fn on_side(
    user: &UserView<'_>,
    lane: usize,
    run: Run,
    (wrong, outcome): (Wrong, Outcome),
) -> Vec<Run> {
    let (fates, told) = (user.read.fates(lane), &user.told.lanes()[lane]);
    match (wrong, outcome) {
        (Wrong::Inside, _) => fates.committed.common_runs(run).collect(),
        (Wrong::Outside, Outcome::Unknown) => {
            fates.outside_of(run).flat_map(|run| told.acked.common_runs(run)).collect()
        }
        (Wrong::Outside, _) => fates.outside_of(run).collect(),
    }
}

fn tell(
    user: &UserView<'_>,
    transaction: &Transaction,
    (index, run, aspect): (usize, Run, Aspect),
    into: &mut Judgement,
) {
    let (lane, armed) = (&user.told.lanes()[index], user.cases[index].atomic());
    let found = Found {
        checker: CHECKER,
        aspect,
        verdict: user.weigh(lane.partition, armed),
        armed,
        session: lane.session,
        partition: lane.partition,
        run,
        offset: None,
    };
    let (session, number) = (transaction.session, transaction.number);
    let name = Some(TransactionName { session, number });
    into.add_about(found, About { transaction: name, ..About::default() });
}
