//! B9, no aborted read: who reads committed records is given no record of an aborted transaction.
//!
//! The reader of the end is one of them. To who reads everything such records are given by design:
//! that is shown and permitted.

use super::{About, Found, UserView};
use crate::promise::Armed;
use crate::runs::Run;
use crate::told::{Outcome, Readers, Transactions};
use crate::verdict::{Aspect, CheckerId, Judgement, TransactionName, Verdict};
use inflight_protocol::ids::ConsumerId;
use inflight_protocol::message::IsolationLevel;

const CHECKER: CheckerId = CheckerId::AbortedRead;

pub(super) fn check(user: &UserView<'_>, transactions: &Transactions, into: &mut Judgement) {
    for (index, lane) in user.lanes() {
        let fates = user.read.fates(index);
        into.examined(CHECKER, fates.committed.len());
        for member in transactions.members(index) {
            let Some(transaction) = transactions.get(member.transaction) else { continue };
            if !transaction.outcome().is_excluded() {
                continue;
            }
            let armed = user.cases[index].atomic();
            for run in fates.committed.common_runs(member.run) {
                let found = Found {
                    checker: CHECKER,
                    aspect: Aspect::Visible,
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
        }
    }
    if let Some(readers) = user.told.readers() {
        check_readers(user, transactions, readers, into);
    }
}

/// What consumers were given while the run went on.
fn check_readers(
    user: &UserView<'_>,
    transactions: &Transactions,
    readers: &Readers,
    into: &mut Judgement,
) {
    into.examined(CHECKER, readers.transactional);
    for reading in &readers.lanes {
        for returned in &reading.returned {
            let Some(lane) = user.told.find_lane(returned.session, reading.partition) else {
                continue;
            };
            for member in transactions.members_of(lane, returned.run) {
                let offset = returned.offset + (member.run.start - returned.run.start);
                let given = Given { consumer: reading.consumer, lane, run: member.run, offset };
                check_given(user, transactions, readers, (given, member.transaction), into);
            }
        }
    }
}

/// Records of one transaction that a consumer was given.
#[derive(Clone, Copy)]
struct Given {
    consumer: ConsumerId,
    lane: usize,
    run: Run,
    offset: u64,
}

fn check_given(
    user: &UserView<'_>,
    transactions: &Transactions,
    readers: &Readers,
    (given, number): (Given, u32),
    into: &mut Judgement,
) {
    let Some(transaction) = transactions.get(number) else { return };
    let fates = user.read.fates(given.lane);
    let does_not_count =
        fates.aborted.overlap(given.run) > 0 && fates.committed.overlap(given.run) == 0;
    let isolation = match readers.reads_committed(given.consumer) {
        true => IsolationLevel::ReadCommitted,
        false => IsolationLevel::ReadUncommitted,
    };
    let armed = user.cases[given.lane].isolated(isolation);
    let verdict = match (transaction.outcome(), armed) {
        (Outcome::Aborted, _) => armed.verdict(),
        (Outcome::Unasked, _) if does_not_count => armed.verdict(),
        (Outcome::Unknown, Armed::Promised(_)) if does_not_count => Verdict::Possible,
        (Outcome::Unknown, _) if does_not_count => armed.verdict(),
        _ => return,
    };
    let lane = &user.told.lanes()[given.lane];
    let found = Found {
        checker: CHECKER,
        aspect: Aspect::Plain,
        verdict,
        armed,
        session: lane.session,
        partition: lane.partition,
        run: given.run,
        offset: Some(given.offset),
    };
    let (session, number) = (transaction.session, transaction.number);
    let transaction = Some(TransactionName { session, number });
    let about = About { transaction, consumer: Some(given.consumer), decisive: None };
    into.add_about(found, about);
}
