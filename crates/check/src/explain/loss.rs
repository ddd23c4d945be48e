//! Why an acked record is not in the log.

use super::cause::Cause;
use super::mechanism::Mechanism;
use super::trail::{Ack, Loss, Trail};
use inflight_des::Instant;
use inflight_protocol::fact::{Election, Surviving};
use inflight_protocol::ids::BrokerSet;
use inflight_protocol::{Acks, Fact};

/// Why a record that was acked is not where it belongs.
pub(super) fn recognise(facts: &[(Instant, Fact)], trail: &Trail, acks: Option<Acks>) -> Cause {
    let Some(ack) = trail.acked else { return unanswered(facts, trail) };
    let first = trail.appends().next();
    let Some(first) = first.filter(|copy| copy.appended < ack.index) else {
        return never_appended(facts, trail, ack);
    };
    if let Some(loss) = trail.given_up {
        return given_up(facts, trail, (ack, loss), acks);
    }
    let here = trail.copies.iter().any(|copy| copy.removed.is_none());
    let zombie = ack.leader.is_some_and(|leader| leader != first.broker);
    let mechanism = match (zombie, here) {
        (true, _) => Mechanism::ZombieLeader,
        (false, true) => Mechanism::NotCommittedYet,
        (false, false) => Mechanism::Unknown,
    };
    Cause { mechanism, decisive: Some(if zombie { first.appended } else { ack.index }) }
}

/// Why a record is gone that a consumer had and nobody has answered for.
fn unanswered(facts: &[(Instant, Fact)], trail: &Trail) -> Cause {
    let Some(loss) = trail.given_up else {
        return Cause { mechanism: Mechanism::Unknown, decisive: None };
    };
    let election = loss.election.and_then(|index| match facts.get(index)?.1 {
        Fact::LeaderElected { election, .. } => Some(election),
        _ => None,
    });
    let mechanism = match election {
        _ if lost_power(facts, trail).contains(loss.leader) => Mechanism::PowerLoss,
        Some(Election::Unclean | Election::LastKnown) => Mechanism::UncleanElection,
        Some(Election::Forced) if !loss.electable.contains(loss.leader) => {
            Mechanism::UncleanElection
        }
        _ => Mechanism::Unknown,
    };
    Cause { mechanism, decisive: Some(loss.election.unwrap_or(loss.index)) }
}

/// Why an acked record is at another offset than its sender was told.
pub(super) fn elsewhere(facts: &[(Instant, Fact)], trail: &Trail) -> Cause {
    let Some(ack) = trail.acked else {
        return Cause { mechanism: Mechanism::Unknown, decisive: None };
    };
    if let Some(swapped) = taken_for_another(facts, trail, ack.index) {
        return swapped;
    }
    let told = ack.offset.map(|offset| offset.get());
    let copy = trail.copies.iter().rev().find(|copy| Some(copy.offset) == told);
    match copy {
        Some(copy) => {
            let decisive = copy.removed.or(Some(ack.index));
            Cause { mechanism: Mechanism::OtherCopyStayed, decisive }
        }
        None => Cause { mechanism: Mechanism::AckWithoutAppend, decisive: Some(ack.index) },
    }
}

/// A leader took the record for another one. If a batch of its producer had failed in the partition
/// before, its sequence was given away again.
pub(super) fn taken_for_another(
    facts: &[(Instant, Fact)],
    trail: &Trail,
    before: usize,
) -> Option<Cause> {
    let recognised = *trail.recognised.iter().find(|index| **index < before)?;
    let failed = facts.get(..recognised)?.iter().any(|(_, fact)| match *fact {
        Fact::RecordsFailed { session, partition, .. } => {
            (session, partition) == (trail.record.session, trail.record.partition)
        }
        _ => false,
    });
    let mechanism = if failed { Mechanism::SequenceReused } else { Mechanism::PayloadSwap };
    Some(Cause { mechanism, decisive: Some(recognised) })
}

/// It was acked before any leader had it.
fn never_appended(facts: &[(Instant, Fact)], trail: &Trail, ack: Ack) -> Cause {
    if let Some(swapped) = taken_for_another(facts, trail, ack.index) {
        return swapped;
    }
    // Without an offset nobody has answered: the client acked for itself.
    let mechanism = match ack.offset {
        None => Mechanism::AcksZero,
        Some(_) => Mechanism::AckWithoutAppend,
    };
    Cause { mechanism, decisive: Some(ack.index) }
}

/// A leader without it took over.
fn given_up(
    facts: &[(Instant, Fact)],
    trail: &Trail,
    (ack, loss): (Ack, Loss),
    acks: Option<Acks>,
) -> Cause {
    let by_all = acks == Some(Acks::All);
    let mechanism = answered_early((ack, loss), by_all)
        .or_else(|| elected_wrongly(facts, trail, (ack, loss), by_all))
        .or_else(|| lost_with_power(facts, trail, (ack, loss), by_all));
    let decisive = Some(loss.election.unwrap_or(loss.index));
    if let Some(mechanism) = mechanism {
        return Cause { mechanism, decisive };
    }
    let cut = trail.copies.iter().filter_map(|copy| copy.removed).find(|index| {
        *index < loss.index && matches!(facts.get(*index), Some((_, Fact::LogTruncated { .. })))
    });
    match cut {
        Some(_) => Cause { mechanism: Mechanism::TruncatedTooFar, decisive: cut },
        // Fewer in sync than min.insync.replicas: acks=1 is answered, and nothing is committed.
        None if !by_all && ack.holders.len() == 1 => {
            Cause { mechanism: Mechanism::LeaderAlone, decisive }
        }
        None => Cause { mechanism: Mechanism::Unknown, decisive },
    }
}

/// It was answered before every in-sync replica had it.
fn answered_early((ack, loss): (Ack, Loss), by_all: bool) -> Option<Mechanism> {
    let everywhere = !ack.isr.is_empty() && ack.isr.difference(ack.holders).is_empty();
    // A leader that may not be elected explains a loss whatever the old leader did.
    let electable = loss.election.is_none() || loss.electable.contains(loss.leader);
    if everywhere || (by_all && !electable) {
        return None;
    }
    let pretended = ack.isr.difference(ack.holders.union(ack.claimed)).is_empty();
    let zombie = ack.leader.is_some_and(|leader| !ack.holders.contains(leader));
    Some(match (by_all, ack.offset) {
        (true, _) if pretended => Mechanism::ReplicasDiffer,
        (_, None) => Mechanism::AcksZero,
        _ if zombie => Mechanism::ZombieLeader,
        (true, _) => Mechanism::AckedTooEarly,
        (false, _) => Mechanism::LeaderAlone,
    })
}

/// A replica was elected that need not have it.
fn elected_wrongly(
    facts: &[(Instant, Fact)],
    trail: &Trail,
    (ack, loss): (Ack, Loss),
    by_all: bool,
) -> Option<Mechanism> {
    let Fact::LeaderElected { election, .. } = facts.get(loss.election?)?.1 else { return None };
    let in_sync = loss.electable.contains(loss.leader);
    let unclean = match election {
        Election::Unclean | Election::LastKnown => true,
        Election::Forced => !in_sync,
        Election::Clean | Election::Eligible | Election::Preferred | Election::None => false,
    };
    match (unclean, in_sync) {
        (true, _) if lost_power(facts, trail).contains(loss.leader) => None,
        (true, _) if by_all && ack.isr.len() == 1 => Some(Mechanism::LoneInSync),
        (true, _) => Some(Mechanism::UncleanElection),
        (false, true) => None,
        (false, false) => Some(Mechanism::OutOfSyncElection),
    }
}

/// The new leader had it, and lost it with its power.
fn lost_with_power(
    facts: &[(Instant, Fact)],
    trail: &Trail,
    (ack, loss): (Ack, Loss),
    by_all: bool,
) -> Option<Mechanism> {
    let without_power = lost_power(facts, trail);
    let all = ack.isr.difference(without_power).is_empty();
    without_power.contains(loss.leader).then_some(match (ack.isr.len(), all) {
        (1, _) if by_all => Mechanism::LoneInSync,
        (1, _) => Mechanism::PowerLoss,
        (_, false) if loss.electable.len() <= 1 => Mechanism::LastReplicaStanding,
        _ => Mechanism::PowerLoss,
    })
}

/// The brokers whose machines lost power while they had the record.
fn lost_power(facts: &[(Instant, Fact)], trail: &Trail) -> BrokerSet {
    let gone = trail.copies.iter().filter(|copy| {
        let removed = copy.removed.and_then(|index| facts.get(index));
        matches!(removed, Some((_, Fact::LogRecovered { .. })))
    });
    let crashed = trail.copies.iter().filter(|copy| {
        let stays_down = facts[copy.appended..].iter().rev().find_map(|(_, fact)| match fact {
            Fact::LogRecovered { broker, .. } if *broker == copy.broker => Some(false),
            Fact::BrokerCrashed { broker, surviving } if *broker == copy.broker => {
                Some(*surviving == Surviving::Flushed)
            }
            _ => None,
        });
        copy.removed.is_none() && stays_down == Some(true)
    });
    gone.chain(crashed).map(|copy| copy.broker).collect()
}
