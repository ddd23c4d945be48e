//! W13, transactional offsets: a group has the offsets of a transaction exactly if the transaction
//! is committed, and nothing was committed outside of transactions after it.

use super::{About, UserView};
use crate::coordinated::{Coordinated, Materialised, Offsets};
use crate::history::History;
use crate::told::{Outcome, Transactions};
use crate::verdict::{Aspect, CheckerId, Judgement, TransactionName};
use inflight_des::Halt;
use inflight_protocol::ids::TopicPartition;

const CHECKER: CheckerId = CheckerId::TransactionalOffsets;

pub(super) fn check(
    user: &UserView<'_>,
    history: &History,
    coordinated: &Coordinated,
    into: &mut Judgement,
) {
    let offsets = &coordinated.offsets;
    into.examined(CHECKER, offsets.materialised.len() as u64);
    for stranger in &offsets.strangers {
        let case = user.case_of(None, stranger.partition);
        let armed = case.map_or(super::NEVER, |case| case.coordinated());
        let about = About { decisive: Some(stranger.fact), ..About::default() };
        into.add_fact((CHECKER, Aspect::NeverSent), (armed, armed.verdict()), about);
    }
    if let Some(transactions) = history.told.transactions() {
        check_sent(user, transactions, offsets, into);
    }
}

/// Holds what transactions sent against what groups have.
fn check_sent(
    user: &UserView<'_>,
    transactions: &Transactions,
    offsets: &Offsets,
    into: &mut Judgement,
) {
    let at_rest = user.told.halt == Some(Halt::Quiescent);
    for (place, sent) in transactions.offsets.iter().enumerate() {
        let same_part = |other: &&crate::told::SentOffset| {
            (other.transaction, other.group, other.partition)
                == (sent.transaction, sent.group, sent.partition)
        };
        let is_replaced = transactions.offsets[place + 1..].iter().any(|other| same_part(&other));
        let Some(transaction) = transactions.get(sent.transaction).filter(|_| !is_replaced) else {
            continue;
        };
        into.examined(CHECKER, 1);
        let is_it = |known: &&Materialised| {
            (known.group, known.partition, known.offset)
                == (sent.group, sent.partition, sent.offset)
                && known.fact.index > sent.fact.index
        };
        let counts = offsets.materialised.iter().find(is_it);
        let is_overtaken = offsets.overtaken.iter().any(|known| is_it(&known));
        // Another transaction may have brought the same offset.
        let is_explained = transactions.offsets.iter().any(|other| {
            let outcome = transactions.get(other.transaction).map(|t| t.outcome());
            (other.group, other.partition, other.offset)
                == (sent.group, sent.partition, sent.offset)
                && outcome.is_some_and(|outcome| !outcome.is_excluded())
        });
        let (aspect, decisive) = match (transaction.outcome(), counts) {
            (Outcome::Committed, None) if at_rest && !is_overtaken => {
                (Aspect::FalseCommit, sent.fact)
            }
            (outcome, Some(counts)) if outcome.is_excluded() && !is_explained => {
                (Aspect::FalseAbort, counts.fact)
            }
            _ => continue,
        };
        let client = user.told.client_of(transaction.session);
        let case = user.case_of(client, TopicPartition::new(0));
        let armed = case.map_or(super::NEVER, |case| case.coordinated());
        let (session, number) = (transaction.session, transaction.number);
        let name = Some(TransactionName { session, number });
        let about = About { transaction: name, decisive: Some(decisive), ..About::default() };
        into.add_fact((CHECKER, aspect), (armed, armed.verdict()), about);
    }
}
