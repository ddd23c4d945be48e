//! B19, no spurious fatal error: a producer that does nothing wrong is not told that it is fenced
//! or out of sequence.
//!
//! It is a warning: no record is lost by it, and an application that stops here stops for nothing.

use super::{Found, UserView};
use crate::promise::Armed;
use crate::verdict::{Aspect, CheckerId, Judgement, Verdict};
use inflight_protocol::ErrorCode;
use inflight_protocol::fact::SendError;

const CHECKER: CheckerId = CheckerId::SpuriousFatal;

pub(super) fn check(user: &UserView<'_>, into: &mut Judgement) {
    for (index, lane) in user.lanes().filter(|(index, _)| user.cases[*index].client.idempotence) {
        into.examined(CHECKER, lane.acked.len() + lane.failed.len());
        // The errors themselves are what is looked at, so they are no excuse. One that comes after
        // another error may be its consequence.
        let mut case = user.cases[index];
        let other = lane.failures.iter().position(|failure| !is_spurious(failure.error));
        for (place, failure) in lane.failures.iter().enumerate() {
            if !is_spurious(failure.error) {
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
