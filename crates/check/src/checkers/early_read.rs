//! B10, no early read: who reads committed records is given none before its commit was asked for.
//!
//! It does not matter how the transaction ends.

use super::{About, Found, UserView};
use crate::told::Transactions;
use crate::verdict::{Aspect, CheckerId, Judgement, TransactionName};
use inflight_protocol::message::IsolationLevel;

const CHECKER: CheckerId = CheckerId::EarlyRead;

pub(super) fn check(user: &UserView<'_>, transactions: &Transactions, into: &mut Judgement) {
    let Some(readers) = user.told.readers() else { return };
    into.examined(CHECKER, readers.transactional);
    for early in &readers.early {
        let Some(transaction) = transactions.get(early.transaction) else { continue };
        let armed = user.cases[early.lane].isolated(IsolationLevel::ReadCommitted);
        let lane = &user.told.lanes()[early.lane];
        let found = Found {
            checker: CHECKER,
            aspect: Aspect::Plain,
            verdict: armed.verdict(),
            armed,
            session: lane.session,
            partition: lane.partition,
            run: early.run,
            offset: Some(early.offset),
        };
        let (session, number) = (transaction.session, transaction.number);
        let name = Some(TransactionName { session, number });
        let consumer = Some(early.consumer);
        let about = About { transaction: name, consumer, decisive: Some(early.fact) };
        into.add_about(found, about);
    }
}
