//! B18, truthful errors: a record that was refused for certain is not in the log, an acked one was
//! appended.
//!
//! An error is certain if every attempt was refused before anything was written, or if none left
//! the client. An error that ends the producer is given to every batch that waits for an answer, so
//! it is certain only for those that a leader refused with it. The application sees only the last
//! error, so in its view an error is certain only if there was one attempt. Whether an acked record was ever appended only the oracle sees.

use super::{ALWAYS, Found, UserView, incidents};
use crate::history::{History, LaneTrace, ends_producer, is_certain};
use crate::runs::Run;
use crate::verdict::{Aspect, CheckerId, Judgement, Verdict};
use inflight_protocol::fact::SendError;
use inflight_protocol::{ErrorCode, TransactionResult};

const CHECKER: CheckerId = CheckerId::TruthfulErrors;

pub(super) fn check(user: &UserView<'_>, oracle: Option<&History>, into: &mut Judgement) {
    for (index, lane) in user.lanes() {
        into.examined(CHECKER, lane.acked.len() + lane.failed.len());
        let present = &user.read.seen[index].present;
        let one_attempt = user.cases[index].client.retries == 0;
        for failure in &lane.failures {
            let refusal = match failure.error {
                SendError::Code(code) if is_certain(code) => Some(code),
                _ => None,
            };
            for run in present.common_runs(failure.run) {
                let certain: Vec<Run> = match oracle {
                    None if refusal.is_some() && one_attempt => vec![run],
                    None => Vec::new(),
                    Some(history) => {
                        history.traces.get(index).map_or(Vec::new(), |t| certain(t, run, refusal))
                    }
                };
                for run in certain {
                    into.add(Found {
                        checker: CHECKER,
                        aspect: Aspect::FalseFailure,
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
    }
    check_ends(user, into);
    let Some(history) = oracle else { return };
    for incident in incidents(history, CHECKER) {
        into.add_incident(incident, ALWAYS, Verdict::Violation);
    }
}

/// What was told of the end of transactions.
fn check_ends(user: &UserView<'_>, into: &mut Judgement) {
    let Some(transactions) = user.told.transactions() else { return };
    for (index, lane) in user.lanes() {
        let fates = user.read.fates(index);
        let armed = user.cases[index].atomic();
        for member in transactions.members(index) {
            let Some((result, _)) = transactions.get(member.transaction).and_then(|t| t.ended)
            else {
                continue;
            };
            into.examined(CHECKER, member.run.len());
            let (aspect, runs): (_, Vec<Run>) = match result {
                TransactionResult::Commit => {
                    let outside = fates.outside_of(member.run);
                    let undone = outside.flat_map(|run| fates.aborted.common_runs(run));
                    (Aspect::FalseCommit, undone.collect())
                }
                TransactionResult::Abort => {
                    (Aspect::FalseAbort, fates.committed.common_runs(member.run).collect())
                }
            };
            for run in runs {
                into.add(Found {
                    checker: CHECKER,
                    aspect,
                    verdict: user.weigh(lane.partition, armed),
                    armed,
                    session: lane.session,
                    partition: lane.partition,
                    run,
                    offset: None,
                });
            }
        }
    }
}

/// The records of a failed run that were refused for certain.
fn certain(trace: &LaneTrace, run: Run, refusal: Option<ErrorCode>) -> Vec<Run> {
    let mut sure: Vec<Run> = trace.drained.missing(run).collect();
    let Some(error) = refusal else { return sure };
    let answered = |run: Run| -> Vec<Run> {
        match ends_producer(error) {
            true => trace.refused.common_runs(run).collect(),
            false => vec![run],
        }
    };
    let sent = trace.drained.common_runs(run).flat_map(answered);
    sure.extend(sent.flat_map(|run| trace.doubtful.missing(run)));
    sure
}
