//! B14, fencing: once an instance of a transactional id is initialised, no older one commits
//! anything.
//!
//! What was asked for before may still be carried out. An older instance may write for a while; what
//! counts is whether that is committed. The oracle also sees a coordinator that lets an older
//! instance commit.

use super::{About, Found, UserView, incidents};
use crate::coordinated::Coordinated;
use crate::guarantee::Guarantee;
use crate::history::History;
use crate::promise::Armed;
use crate::told::{Init, Transaction, Transactions};
use crate::verdict::{Aspect, CheckerId, FactRef, Judgement, TransactionName};
use inflight_protocol::TransactionResult;
use inflight_protocol::ids::TopicPartition;

const CHECKER: CheckerId = CheckerId::Fencing;

pub(super) fn check(user: &UserView<'_>, transactions: &Transactions, into: &mut Judgement) {
    for (place, older) in transactions.inits.iter().enumerate() {
        // Calls may return in another order than that in which the coordinator gave out epochs.
        let is_newer = |(at, newer): &(usize, &Init)| {
            newer.id == older.id
                && newer.session != older.session
                && match newer.producer_id == older.producer_id {
                    true => newer.epoch > older.epoch,
                    false => *at > place,
                }
        };
        let Some((_, newer)) = transactions.inits.iter().enumerate().find(is_newer) else {
            continue;
        };
        into.examined(CHECKER, 1);
        let theirs = transactions.list().iter().enumerate();
        for (at, transaction) in theirs.filter(|(_, t)| t.session == older.session) {
            // What it asked for before it was replaced.
            let asked = transaction.asked_commit;
            if asked.is_none_or(|asked| asked.index > newer.fact.index) {
                replaced(user, transactions, (at as u32, transaction), newer.fact, into);
            }
        }
    }
}

/// A transaction that must not be committed any more.
fn replaced(
    user: &UserView<'_>,
    transactions: &Transactions,
    (at, transaction): (u32, &Transaction),
    since: FactRef,
    into: &mut Judgement,
) {
    let (session, number) = (transaction.session, transaction.number);
    let name = Some(TransactionName { session, number });
    let about = About { transaction: name, decisive: Some(since), ..About::default() };
    let mut sent = false;
    for (index, run) in transactions.records_of(at) {
        let (lane, armed) = (&user.told.lanes()[index], user.cases[index].fenced());
        sent |= lane.acked.overlap(run) > 0;
        for run in user.read.fates(index).committed.common_runs(run) {
            let found = Found {
                checker: CHECKER,
                aspect: Aspect::ZombieRecord,
                verdict: user.weigh(lane.partition, armed),
                armed,
                session: lane.session,
                partition: lane.partition,
                run,
                offset: None,
            };
            into.add_about(found, about);
        }
    }
    let offsets = transactions.offsets.iter().any(|sent| sent.transaction == at);
    let ended = transaction.ended.filter(|(result, _)| *result == TransactionResult::Commit);
    // A transaction without anything in it is ended without asking anybody.
    if let Some((_, fact)) = ended.filter(|_| sent || offsets) {
        let client = user.told.client_of(session);
        let case = user.case_of(client, TopicPartition::new(0));
        let armed = case.map_or(super::NEVER, |case| case.fenced());
        let about = About { decisive: Some(fact), ..about };
        into.add_fact((CHECKER, Aspect::ZombieCommit), (armed, armed.verdict()), about);
    }
}

/// What a coordinator decided for an instance that was replaced.
pub(super) fn check_coordinator(
    history: &History,
    coordinated: &Coordinated,
    into: &mut Judgement,
) {
    into.examined(CHECKER, coordinated.examined.fenced);
    for incident in incidents(history, CHECKER) {
        let armed = Armed::Promised(Guarantee::Fencing);
        into.add_incident(incident, armed, armed.verdict());
    }
}
