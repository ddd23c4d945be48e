//! B4b, no message duplicate: one message of the application is in the log at most once, however
//! often it was sent.
//!
//! Kafka never promises it: a second send() call, or one of another session, is another record.
//! The copies beyond the first are found, each as the record of the call that put it there.

use super::{Found, NEVER, UserView};
use crate::runs::{Run, Runs};
use crate::verdict::{Aspect, CheckerId, Judgement};

const CHECKER: CheckerId = CheckerId::MessageDuplicate;

pub(super) fn check(user: &UserView<'_>, into: &mut Judgement) {
    let mut repeated = Runs::new();
    for client in clients(user) {
        repeated.clear();
        for resend in user.told.resends().iter().filter(|resend| resend.client == client) {
            repeated.insert(resend.messages);
        }
        into.examined(CHECKER, repeated.len());
        let mut found = Runs::new();
        for (index, lane) in user.lanes().filter(|(_, lane)| lane.client == Some(client)) {
            for send in lane.sends() {
                let messages = Run::of(send.message, send.run.len());
                for again in repeated.iter().map(|run| run.meet(messages)) {
                    let records = Run::of(
                        send.run.start + again.start.saturating_sub(messages.start),
                        again.len(),
                    );
                    let counting = user.read.counting(user.told, index);
                    for present in counting.common_runs(records) {
                        let first = again.start + (present.start - records.start);
                        for copy in found.common_runs(Run::of(first, present.len())) {
                            into.add(Found {
                                checker: CHECKER,
                                aspect: Aspect::Plain,
                                verdict: NEVER.verdict(),
                                armed: NEVER,
                                session: lane.session,
                                partition: lane.partition,
                                run: Run::of(present.start + (copy.start - first), copy.len()),
                                offset: None,
                            });
                        }
                        found.insert(Run::of(first, present.len()));
                    }
                }
            }
        }
    }
}

/// The clients that sent anything again.
fn clients(user: &UserView<'_>) -> Vec<inflight_protocol::ClientId> {
    let mut clients: Vec<_> = user.told.resends().iter().map(|resend| resend.client).collect();
    clients.sort_unstable();
    clients.dedup();
    clients
}
