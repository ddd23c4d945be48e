//! Why a record, or a message, is in the log more than once.

use super::anchor::took_later_batch_first;
use super::cause::Cause;
use super::end;
use super::mechanism::Mechanism;
use super::trail::{Copy, Record, Trail};
use inflight_des::Instant;
use inflight_protocol::fact::{AppendOrigin, CloseCause, SendError};
use inflight_protocol::{ErrorCode, Fact};

/// Which append of a record is the one too many.
#[derive(Clone, Copy, Debug)]
pub(super) enum Again {
    /// The one that put it at this offset.
    Offset(u64),
    /// This fact.
    Fact(usize),
    /// Any.
    Any,
}

/// Why one record was appended twice.
pub(super) fn recognise(facts: &[(Instant, Fact)], trail: &Trail, which: Again) -> Cause {
    // The log that it was appended to again had it already: as leader, or copied from one.
    let pairs = trail.appends().filter_map(|again| {
        let had = |copy: &&Copy| {
            copy.broker == again.broker
                && copy.appended < again.appended
                && copy.removed.is_none_or(|removed| removed > again.appended)
        };
        trail.copies.iter().find(had).map(|before| (before, again))
    });
    let pairs: Vec<_> = pairs.collect();
    let wanted = pairs.iter().rev().find(|(_, again)| match which {
        Again::Offset(offset) => again.offset == offset,
        Again::Fact(index) => again.appended == index,
        Again::Any => false,
    });
    let Some((before, again)) = wanted.or(pairs.first()).copied() else {
        return Cause { mechanism: Mechanism::Unknown, decisive: None };
    };
    let mechanism = match (before.wire, again.wire) {
        (None, _) | (_, None) => retried(facts, trail, before, again),
        (Some(first), Some(second)) => {
            let within = before.appended..again.appended;
            let mut expired = trail.state_expired.iter();
            let mut rejected = trail.rejected.iter();
            let forgotten = expired.any(|(at, by)| *by == again.broker && within.contains(at));
            let refused = rejected.any(|(at, by, error)| {
                let had = |copy: &Copy| copy.broker == *by && copy.appended < *at;
                *error == ErrorCode::OutOfOrderSequenceNumber
                    && within.contains(at)
                    && trail.copies.iter().any(had)
            });
            match (first == second, first.0 == second.0) {
                _ if forgotten => Mechanism::StateExpired,
                (true, _) => Mechanism::ProducerStateLost,
                (false, true) if refused => Mechanism::ForgottenBatch,
                (false, true) => rewritten(facts, trail),
                (false, false) => Mechanism::NewProducerId,
            }
        }
    };
    Cause { mechanism, decisive: Some(again.appended) }
}

/// Why a record got another sequence number.
pub(super) fn rewritten(facts: &[(Instant, Fact)], trail: &Trail) -> Mechanism {
    let Record { session, partition, .. } = trail.record;
    let before = trail.rewritten.unwrap_or(facts.len());
    match took_later_batch_first(facts, session, partition, before) {
        Some(_) => Mechanism::FirstBatchOvertaken,
        None => Mechanism::SequenceRewritten,
    }
}

/// Why a producer without idempotence sent again what was appended.
fn retried(facts: &[(Instant, Fact)], trail: &Trail, before: &Copy, again: &Copy) -> Mechanism {
    let Some(last) = trail.carried_out(again) else {
        return Mechanism::RetriedBlindly;
    };
    if trail.is_ghost(again) {
        return Mechanism::GhostRequest;
    }
    let Some(earlier) = trail.attempt_before(last.drained) else {
        return Mechanism::RetriedBlindly;
    };
    let origin = trail.copies.iter().find(|copy| {
        copy.origin == AppendOrigin::Client
            && copy.offset == before.offset
            && copy.appended <= before.appended
    });
    let first = origin.unwrap_or(before);
    let carried_out = trail.carried_out(first).unwrap_or(earlier);
    if trail.is_ghost(first) {
        return Mechanism::GhostRequest;
    }
    if carried_out.response_lost.is_some() {
        return Mechanism::LostResponse;
    }
    let requeued = carried_out.requeued.map_or(last.drained, |(requeued, _)| requeued);
    let between = facts.get(first.appended..requeued).unwrap_or_default();
    let gone = between.iter().any(|(_, fact)| match fact {
        Fact::BrokerCrashed { broker, .. } | Fact::BrokerStopped { broker } => {
            *broker == carried_out.broker
        }
        _ => false,
    });
    if gone || first.broker != again.broker {
        return Mechanism::LeaderGone;
    }
    let closed = carried_out.closed.and_then(|index| facts.get(index));
    match (closed, carried_out.requeued) {
        (Some((_, Fact::ConnectionClosed { why: CloseCause::RequestTimeout, .. })), _) => {
            Mechanism::RequestTimeout
        }
        (Some(_), _) => Mechanism::ConnectionBroken,
        (None, Some((_, error))) if error != ErrorCode::NetworkException => {
            Mechanism::ErrorAfterAppend
        }
        (None, _) => Mechanism::RetriedBlindly,
    }
}

/// Why a message is in the log through two calls of send(). The trails are in the order of the
/// calls.
pub(super) fn resent(facts: &[(Instant, Fact)], first: &Trail, second: &Trail) -> Cause {
    let mechanism = if first.record.session != second.record.session {
        Mechanism::RestartedProducer
    } else {
        match first.failed {
            Some((_, SendError::DeliveryTimeout)) => Mechanism::ResentAfterExpiry,
            Some(_) => Mechanism::ResentByApplication,
            None if end::is_aborted_between(facts, first, second) => Mechanism::ResentAfterAbort,
            None => Mechanism::Unknown,
        }
    };
    let appended = |trail: &Trail| trail.copies.first().map(|copy| copy.appended);
    Cause { mechanism, decisive: appended(first).max(appended(second)) }
}
