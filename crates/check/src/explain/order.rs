//! Why a record is behind one that was sent later, or missing before it.

use super::anchor::took_later_batch_first;
use super::cast::Part;
use super::cause::Cause;
use super::duplicate;
use super::mechanism::Mechanism;
use super::trail::{Attempt, Copy, Record, Trail};
use inflight_des::Instant;
use inflight_protocol::fact::SendError;
use inflight_protocol::{ErrorCode, Fact};

/// Why a record was overtaken by one that was sent later.
pub(super) fn recognise(facts: &[(Instant, Fact)], late: &Part, early: &Part) -> Cause {
    let (Some(late_append), Some(early_append)) = (late.append(), early.append()) else {
        return Cause { mechanism: Mechanism::Unknown, decisive: None };
    };
    let (late, early) = (&late.trail, &early.trail);
    let decisive = Some(late_append.appended.max(early_append.appended));
    let renumbered = [late, early].into_iter().find(|trail| trail.rewritten.is_some());
    let mechanism = if let Some(trail) = renumbered {
        duplicate::rewritten(facts, trail)
    } else if same_numbering(late_append, early_append) {
        Mechanism::AcceptedOutOfOrder
    } else if late.is_ghost(late_append) || early.is_ghost(early_append) {
        Mechanism::GhostRequest
    } else {
        overtaken((late, late_append), (early, early_append))
    };
    Cause { mechanism, decisive }
}

/// Whether both were numbered by one producer epoch, so that a leader could see the order.
fn same_numbering(late: &Copy, early: &Copy) -> bool {
    let named = |copy: &Copy| copy.wire.map(|(id, epoch, _)| (id, epoch));
    named(late).is_some() && named(late) == named(early)
}

/// What became of the earlier record's attempt while the later one was accepted.
fn overtaken(
    (late, late_append): (&Trail, &Copy),
    (early, early_append): (&Trail, &Copy),
) -> Mechanism {
    let numbered = late_append.wire.is_some() && early_append.wire.is_some();
    // Without numbers a leader sees no order.
    let unexplained = if numbered { Mechanism::AcceptedOutOfOrder } else { Mechanism::Unknown };
    let Some(carrying) = early.carried_out(early_append) else { return unexplained };
    if is_reversed(late, (early, carrying)) {
        return Mechanism::RequeuedInReverse;
    }
    if is_on_older_connection((late, late_append), carrying) {
        return Mechanism::OldConnection;
    }
    let Some(failed) = late.attempt_before(early_append.appended) else {
        return Mechanism::Unknown;
    };
    let Some((requeued, _)) = failed.requeued else { return unexplained };
    let moved = carrying.broker != failed.broker;
    if carrying.drained < requeued {
        // Both were on their way when the earlier one failed.
        return if moved { Mechanism::LeaderMoved } else { Mechanism::OvertakenWhileRefused };
    }
    if moved { Mechanism::LeaderMoved } else { Mechanism::RequeuedInReverse }
}

/// Whether the attempt that came late is still the first one and went out before the other, on
/// another connection to the same broker.
fn is_on_older_connection((late, late_append): (&Trail, &Copy), carrying: &Attempt) -> bool {
    let is_older = |attempt: &Attempt| {
        attempt.requeued.is_none()
            && attempt.drained < carrying.drained
            && attempt.broker == carrying.broker
            && attempt.connection.is_some()
            && attempt.connection != carrying.connection
    };
    late.carried_out(late_append).is_some_and(is_older)
}

/// Whether both were on their way when they came back last, the earlier one after the late one, so
/// that it was put in front and sent again first. Both retries may be on their way together.
fn is_reversed(late: &Trail, (early, carrying): (&Trail, &Attempt)) -> bool {
    let back = |attempt: &Attempt| attempt.requeued.map(|(at, _)| at);
    let came_back = |at: &usize| *at < carrying.drained;
    let Some(first) = late.attempts.iter().filter_map(back).rfind(came_back) else { return false };
    let mut others = early.attempts.iter().filter(|other| other.drained < first).filter_map(back);
    let Some(second) = others.find(|at| first < *at && *at < carrying.drained) else {
        return false;
    };
    let next = |trail: &Trail, back: usize| {
        trail.attempts.iter().map(|attempt| attempt.drained).find(|drained| *drained > back)
    };
    next(late, first).is_none_or(|late| next(early, second).is_some_and(|early| early < late))
}

/// Why a record is missing before a later one.
pub(super) fn missing(facts: &[(Instant, Fact)], trail: &Trail) -> Cause {
    let Record { session, partition, .. } = trail.record;
    let refused = trail.rejected.last().map(|(.., error)| *error);
    let is_shut_out = refused == Some(ErrorCode::OutOfOrderSequenceNumber)
        && trail.failed.is_some_and(|(failed, _)| {
            took_later_batch_first(facts, session, partition, failed).is_some()
        });
    let (mechanism, decisive) = match (trail.failed, trail.stopped) {
        (Some((index, _)), _) if is_shut_out => (Mechanism::FirstBatchShutOut, Some(index)),
        (Some((index, SendError::DeliveryTimeout)), _) => (Mechanism::GivenUp, Some(index)),
        (Some((index, _)), _) => (Mechanism::Refused, Some(index)),
        (None, Some(index)) => (Mechanism::ProducerGone, Some(index)),
        (None, None) => (Mechanism::Unknown, None),
    };
    Cause { mechanism, decisive }
}
