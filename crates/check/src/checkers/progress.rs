//! B20, progress: every call is answered in the time that the settings give it.
//!
//! At rest nothing may be unanswered: neither a record nor a call of send(), initTransactions(),
//! commitTransaction() or abortTransaction(). In a run that was stopped earlier, delivery.timeout.ms or max.block.ms must be
//! over, with a second to spare. A process that stopped running for a while is
//! excused, and so is one that is gone.

use super::{ALWAYS, About, Found, UserView};
use crate::verdict::{Aspect, CheckerId, Judgement, TransactionName, Verdict};
use inflight_des::{Halt, Instant, Span};
use inflight_protocol::ClientId;

const CHECKER: CheckerId = CheckerId::Progress;

/// How late an answer may be.
const SPARE: Span = Span::from_secs(1);

pub(super) fn check(user: &UserView<'_>, into: &mut Judgement) {
    let at_rest = user.told.halt == Some(Halt::Quiescent);
    let is_late = |at: Instant, ms| at_rest || at + Span::from_millis(ms) + SPARE < user.told.until;
    for (index, lane) in user.lanes() {
        into.examined(CHECKER, lane.queued.len());
        let gone = user.told.is_stopped(lane.session);
        if gone || user.was_paused(lane.client) {
            continue;
        }
        let timeout = user.cases[index].client.delivery_timeout_ms;
        for run in lane.untold() {
            for (run, _) in lane.sends_of(run).filter(|(_, send)| is_late(send.at, timeout)) {
                into.add(Found {
                    checker: CHECKER,
                    aspect: Aspect::Unanswered,
                    verdict: Verdict::Violation,
                    armed: ALWAYS,
                    session: lane.session,
                    partition: lane.partition,
                    run,
                    offset: None,
                });
            }
        }
    }
    blocked(user, is_late, into);
    initializing(user, is_late, into);
    waiting(user, is_late, into);
}

/// Calls of initTransactions() that did not return.
fn initializing(user: &UserView<'_>, is_late: impl Fn(Instant, u64) -> bool, into: &mut Judgement) {
    let Some(transactions) = user.told.transactions() else { return };
    let alive = transactions.initializing().filter(|(session, _)| !user.told.is_stopped(*session));
    for (session, fact) in alive {
        let client = user.told.client_of(session);
        if user.was_paused(client) || !is_late(fact.at, user.plan.client(client).max_block_ms) {
            continue;
        }
        into.examined(CHECKER, 1);
        let about = About { decisive: Some(fact), ..About::default() };
        into.add_fact((CHECKER, Aspect::Initializing), (ALWAYS, Verdict::Violation), about);
    }
}

/// Calls that end a transaction and did not return.
fn waiting(user: &UserView<'_>, is_late: impl Fn(Instant, u64) -> bool, into: &mut Judgement) {
    let Some(transactions) = user.told.transactions() else { return };
    let alive = transactions.list().iter().filter(|t| !user.told.is_stopped(t.session));
    for transaction in alive {
        let Some(fact) = transaction.asking else { continue };
        let client = user.told.client_of(transaction.session);
        if user.was_paused(client) || !is_late(fact.at, user.plan.client(client).max_block_ms) {
            continue;
        }
        into.examined(CHECKER, 1);
        let (session, number) = (transaction.session, transaction.number);
        let name = Some(TransactionName { session, number });
        let about = About { transaction: name, decisive: Some(fact), ..About::default() };
        into.add_fact((CHECKER, Aspect::Waiting), (ALWAYS, Verdict::Violation), about);
    }
}

/// Calls of send() that did not return.
fn blocked(user: &UserView<'_>, is_late: impl Fn(Instant, u64) -> bool, into: &mut Judgement) {
    for (_, state) in user.told.sessions().filter(|(_, state)| !state.is_stopped) {
        let max_block = user.plan.client(state.client).max_block_ms;
        for (_, fact) in &state.blocked {
            if user.was_paused(state.client) || !is_late(fact.at, max_block) {
                continue;
            }
            into.examined(CHECKER, 1);
            let about = About { decisive: Some(*fact), ..About::default() };
            into.add_fact((CHECKER, Aspect::Blocked), (ALWAYS, Verdict::Violation), about);
        }
    }
}

impl UserView<'_> {
    fn was_paused(&self, client: Option<ClientId>) -> bool {
        client.is_some_and(|client| self.paused.get(client.index()) == Some(&true))
    }
}
