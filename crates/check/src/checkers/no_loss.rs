//! B3, no loss: a record whose sender was told that it is delivered is in the log.
//!
//! A user sees that the record is not found. The oracle tells whether the leader's log has it above
//! the high watermark, where it may be found later, or not at all. A record in a transaction is owed
//! to readers once the transaction is committed; then it is lost, too, if a marker says that it does
//! not count.

use super::{Found, UserView};
use crate::read::{Beyond, Gone, PartState};
use crate::runs::Run;
use crate::verdict::{Aspect, CheckerId, Judgement, Verdict};

const CHECKER: CheckerId = CheckerId::NoLoss;

pub(super) fn check(user: &UserView<'_>, beyond: Option<&Beyond>, into: &mut Judgement) {
    for (index, lane) in user.lanes() {
        into.examined(CHECKER, lane.acked.len());
        let armed = user.cases[index].durable();
        let state = user.read.state(lane.partition);
        let mut tell = |run: Run, aspect, is_final: bool| {
            let verdict = match armed.verdict() {
                Verdict::Violation if !is_final => Verdict::Possible,
                verdict => verdict,
            };
            into.add(Found {
                checker: CHECKER,
                aspect,
                verdict,
                armed,
                session: lane.session,
                partition: lane.partition,
                run,
                offset: None,
            });
        };
        for missing in user.read.missing(user.told, index) {
            let lost = missing.run;
            match missing.how {
                Gone::Absent => {}
                Gone::Undone => {
                    tell(lost, Aspect::Undone, state != PartState::Leaderless);
                    continue;
                }
                Gone::Undecided => {
                    tell(lost, Aspect::Unreadable, false);
                    continue;
                }
                Gone::Doubtful => {
                    tell(lost, Aspect::Plain, false);
                    continue;
                }
            }
            let Some(beyond) = beyond.map(|beyond| beyond.lane(index)) else {
                tell(lost, Aspect::Plain, state == PartState::Whole);
                continue;
            };
            for known in beyond.iter().map(|known| known.meet(lost)) {
                if !known.is_empty() {
                    tell(known, Aspect::Unreadable, false);
                }
            }
            for gone in beyond.missing(lost) {
                tell(gone, Aspect::Storage, state != PartState::Leaderless);
            }
        }
    }
}
