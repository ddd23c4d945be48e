//! B13, stable progress: who reads committed records gets to the end of the log.
//!
//! A transaction may hold readers back for transaction.timeout.ms, until its coordinator looks, and
//! while something is disturbed.

use super::{About, Found, UserView};
use crate::read::Fate;
use crate::told::Transactions;
use crate::verdict::{Aspect, CheckerId, Judgement, TransactionName, Verdict};
use inflight_des::{Halt, Span};
use inflight_protocol::ids::TopicPartition;

const CHECKER: CheckerId = CheckerId::StableProgress;

/// How long markers may take when the coordinator has decided.
const SPARE: Span = Span::from_secs(10);

pub(super) fn check(user: &UserView<'_>, transactions: &Transactions, into: &mut Judgement) {
    for (index, part) in user.read.parts.iter().enumerate() {
        let partition = TopicPartition::new(index as u16);
        let is_examined = user
            .lanes()
            .any(|(lane, known)| known.partition == partition && user.told.is_transactional(lane));
        into.examined(CHECKER, u64::from(is_examined));
        if part.stable < part.end {
            check_partition(user, transactions, partition, into);
        }
    }
}

/// A partition whose readers are held back.
fn check_partition(
    user: &UserView<'_>,
    transactions: &Transactions,
    partition: TopicPartition,
    into: &mut Judgement,
) {
    let mut pieces = user.read.pieces(partition).iter();
    let Some(piece) = pieces.find(|piece| piece.fate == Fate::Open) else { return };
    let Some(index) = user.told.find_lane(piece.session, partition) else { return };
    let lane = &user.told.lanes()[index];
    let transaction = transactions
        .members_of(index, piece.run)
        .next()
        .and_then(|member| transactions.get(member.transaction));
    let case = user.cases[index];
    let sent = lane.sends_of(piece.run).next().map(|(_, send)| send.at);
    let begun = transaction.map(|transaction| transaction.begun.at).or(sent);
    let at_rest = user.told.halt == Some(Halt::Quiescent);
    let wait = case.client.transaction_timeout_ms.saturating_add(case.cluster.cleanup_ms);
    let from = begun.max(user.calm).unwrap_or_default();
    let is_over = user.calm.is_some() && from + Span::from_millis(wait) + SPARE < user.told.until;
    if !at_rest && !is_over {
        return;
    }
    let armed = case.stable_progress();
    let verdict = match user.weigh(partition, armed) {
        Verdict::Violation if user.calm.is_none() => Verdict::Possible,
        verdict => verdict,
    };
    let found = Found {
        checker: CHECKER,
        aspect: Aspect::Plain,
        verdict,
        armed,
        session: piece.session,
        partition,
        run: piece.run,
        offset: Some(piece.offset),
    };
    let name = transaction.map(|transaction| TransactionName {
        session: transaction.session,
        number: transaction.number,
    });
    into.add_about(found, About { transaction: name, ..About::default() });
}
