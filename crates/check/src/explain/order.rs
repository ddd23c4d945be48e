//! Why a record is behind one that was sent later, or missing before it.

use super::cast::Part;
use super::cause::Cause;
use super::mechanism::Mechanism;
use super::trail::{Copy, Trail};
use inflight_des::Instant;
use inflight_protocol::Fact;
use inflight_protocol::fact::SendError;

/// Why a record was overtaken by one that was sent later.
pub(super) fn recognise(facts: &[(Instant, Fact)], late: &Part, early: &Part) -> Cause {
    let (Some(late_append), Some(early_append)) = (late.append(), early.append()) else {
        return Cause { mechanism: Mechanism::Unknown, decisive: None };
    };
    let (late, early) = (&late.trail, &early.trail);
    let decisive = Some(late_append.appended.max(early_append.appended));
    let mechanism = if late.rewritten.is_some() || early.rewritten.is_some() {
        Mechanism::SequenceRewritten
    } else if same_numbering(late_append, early_append) {
        Mechanism::AcceptedOutOfOrder
    } else if is_ghost(late, late_append) || is_ghost(early, early_append) {
        Mechanism::GhostRequest
    } else {
        overtaken(facts, late, (early, early_append))
    };
    Cause { mechanism, decisive }
}

/// Whether both were numbered by one producer epoch, so that a leader could see the order.
fn same_numbering(late: &Copy, early: &Copy) -> bool {
    let named = |copy: &Copy| copy.wire.map(|(id, epoch, _)| (id, epoch));
    named(late).is_some() && named(late) == named(early)
}

/// Whether an append carried out an attempt that its producer had given up.
fn is_ghost(trail: &Trail, append: &Copy) -> bool {
    let carried_out = trail.attempt_before(append.appended);
    let given_up = carried_out.and_then(|attempt| attempt.requeued);
    given_up.is_some_and(|(requeued, _)| requeued < append.appended)
}

/// What became of the earlier record's attempt while the later one was accepted.
fn overtaken(
    facts: &[(Instant, Fact)],
    late: &Trail,
    (early, early_append): (&Trail, &Copy),
) -> Mechanism {
    let Some(carrying) = early.attempt_before(early_append.appended) else {
        return Mechanism::AcceptedOutOfOrder;
    };
    let Some(failed) = late.attempt_before(early_append.appended) else {
        return Mechanism::Unknown;
    };
    let Some((requeued, _)) = failed.requeued else { return Mechanism::AcceptedOutOfOrder };
    let moved = carrying.broker != failed.broker;
    if carrying.drained < requeued {
        // Both were on their way when the earlier one failed.
        return if moved { Mechanism::LeaderMoved } else { Mechanism::OvertakenWhileRefused };
    }
    let at = |index: usize| facts.get(index).map(|(at, _)| *at);
    let before = early.attempts.iter().filter(|attempt| attempt.drained < carrying.drained);
    let together = before.filter_map(|attempt| attempt.requeued);
    if together.into_iter().any(|(other, _)| at(other) == at(requeued)) || !moved {
        return Mechanism::RequeuedInReverse;
    }
    Mechanism::LeaderMoved
}

/// Why a record is missing before a later one.
pub(super) fn missing(trail: &Trail) -> Cause {
    let (mechanism, decisive) = match (trail.failed, trail.stopped) {
        (Some((index, SendError::DeliveryTimeout)), _) => (Mechanism::GivenUp, Some(index)),
        (Some((index, _)), _) => (Mechanism::Refused, Some(index)),
        (None, Some(index)) => (Mechanism::ProducerGone, Some(index)),
        (None, None) => (Mechanism::Unknown, None),
    };
    Cause { mechanism, decisive }
}
