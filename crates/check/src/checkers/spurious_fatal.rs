//! B19, no spurious fatal error: a producer that does nothing wrong is not told that it is fenced
//! or out of sequence.
//!
//! It is a warning: no record is lost by it, and an application that stops here stops for nothing. A
//! transactional producer that has a rival, or a transaction that is too old, is told so rightly.

use super::{About, Found, UserView};
use crate::promise::Armed;
use crate::told::Transactions;
use crate::verdict::{Aspect, CheckerId, FactRef, Judgement, TransactionName, Verdict};
use inflight_des::Span;
use inflight_protocol::ErrorCode;
use inflight_protocol::fact::{Recovery, SendError};
use inflight_protocol::ids::{SessionId, TopicPartition};

const CHECKER: CheckerId = CheckerId::SpuriousFatal;

pub(super) fn check(user: &UserView<'_>, into: &mut Judgement) {
    if let Some(transactions) = user.told.transactions() {
        check_calls(user, transactions, into);
    }
    for (index, lane) in user.lanes().filter(|(index, _)| user.cases[*index].client.idempotence) {
        into.examined(CHECKER, lane.acked.len() + lane.failed.len());
        // The errors themselves are what is looked at, so they are no excuse. One that comes after
        // another error may be its consequence.
        let mut case = user.cases[index];
        let other = lane.failures.iter().position(|failure| !is_spurious(failure.error));
        for (place, failure) in lane.failures.iter().enumerate() {
            if !is_spurious(failure.error) || is_deserved(user, lane.session, failure.fact) {
                continue;
            }
            case.error_surfaced = other.is_some_and(|other| other < place);
            let armed = case.once();
            let verdict = match armed {
                Armed::Promised(_) => Verdict::Possible,
                Armed::Weak(..) | Armed::Excused(..) => Verdict::Allowed,
            };
            into.add(Found {
                checker: CHECKER,
                aspect: Aspect::Plain,
                verdict,
                armed,
                session: lane.session,
                partition: lane.partition,
                run: failure.run,
                offset: None,
            });
        }
    }
}

/// Transactional calls that failed for good.
fn check_calls(user: &UserView<'_>, transactions: &Transactions, into: &mut Judgement) {
    for failure in &transactions.failures {
        into.examined(CHECKER, 1);
        let is_fatal = failure.recovery == Recovery::Close && is_spurious(failure.error);
        if !is_fatal || is_deserved(user, failure.session, failure.fact) {
            continue;
        }
        let client = user.told.client_of(failure.session);
        let case = user.case_of(client, TopicPartition::new(0));
        let armed = case.map_or(super::NEVER, |case| case.atomic());
        let verdict = match armed {
            Armed::Promised(_) => Verdict::Possible,
            Armed::Weak(..) | Armed::Excused(..) => Verdict::Allowed,
        };
        let name = TransactionName { session: failure.session, number: failure.transaction };
        let decisive = Some(failure.fact);
        let about = About { transaction: Some(name), decisive, ..About::default() };
        into.add_fact((CHECKER, Aspect::Call), (armed, verdict), about);
    }
}

/// Whether a transactional producer may be told that it is fenced: another instance of its id was
/// there, or its transaction was older than transaction.timeout.ms.
fn is_deserved(user: &UserView<'_>, session: SessionId, fact: FactRef) -> bool {
    let Some(transactions) = user.told.transactions() else { return false };
    let Some(id) = transactions.id_of(session) else { return false };
    let client = user.told.client_of(session);
    let has_rival = transactions.inits.iter().any(|i| i.id == id && i.session != session)
        || user.told.sessions().any(|(other, known)| other != session && known.client == client);
    let timeout = Span::from_millis(user.plan.client(client).transaction_timeout_ms);
    let mut ours = transactions.list().iter().filter(|t| t.session == session);
    let is_old = ours.any(|transaction| {
        transaction.begun.index < fact.index
            && transaction.ended.is_none_or(|(_, ended)| ended.index > fact.index)
            && transaction.begun.at + timeout < fact.at
    });
    has_rival || is_old
}

const fn is_spurious(error: SendError) -> bool {
    matches!(
        error,
        SendError::Code(
            ErrorCode::ProducerFenced
                | ErrorCode::OutOfOrderSequenceNumber
                | ErrorCode::UnknownProducerId
                | ErrorCode::InvalidTxnState
                | ErrorCode::InvalidProducerEpoch
        )
    )
}
