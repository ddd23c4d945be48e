//! How a finding came about: which facts are asked, by checker.

use super::cast::Part;
use super::duplicate::{self, Again};
use super::electable::Electable;
use super::mechanism::Mechanism;
use super::trail::Trail;
use super::{decisive_of, end, loss, order, work};
use crate::verdict::{Aspect, CheckerId, Finding};
use inflight_des::Instant;
use inflight_protocol::fact::{Election, SendError};
use inflight_protocol::{Acks, ErrorCode, Fact};
use inflight_trace::{Description, Namer};

/// How something came about, and the fact that decides it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cause {
    pub(super) mechanism: Mechanism,
    pub(super) decisive: Option<usize>,
}

/// How a finding came about. The cast is its first record and the one that explains it.
pub(super) fn of(
    description: &Description,
    facts: &[(Instant, Fact)],
    finding: &Finding,
    cast: &[Part],
) -> Cause {
    let only = |mechanism| Cause { mechanism, decisive: None };
    let trail = cast.first().map(|part| &part.trail);
    match finding.checker {
        CheckerId::OffsetAgreement if finding.aspect == Aspect::Elsewhere => {
            trail.map_or(only(Mechanism::Unknown), |trail| loss::elsewhere(facts, trail))
        }
        CheckerId::NoLoss | CheckerId::TruthfulErrors | CheckerId::Atomicity
            if is_about_ends(finding) =>
        {
            // What the log has lost no marker undoes.
            let lost = trail.filter(|trail| trail.given_up.is_some());
            let lost =
                lost.map(|trail| loss::recognise(facts, trail, acks_of(description, facts, trail)));
            let lost = lost.filter(|cause| cause.mechanism != Mechanism::Unknown);
            lost.unwrap_or_else(|| end::of(description, facts, finding, trail))
        }
        CheckerId::NoLoss | CheckerId::OffsetAgreement => trail
            .map_or(only(Mechanism::Unknown), |trail| {
                loss::recognise(facts, trail, acks_of(description, facts, trail))
            }),
        CheckerId::TruthfulErrors => match (trail, finding.aspect) {
            (Some(trail), Aspect::FalseAck) => {
                loss::recognise(facts, trail, acks_of(description, facts, trail))
            }
            (Some(trail), _) => Cause {
                mechanism: Mechanism::FailedAfterAppend,
                decisive: trail.failed.map(|(index, _)| index),
            },
            (None, _) => only(Mechanism::Unknown),
        },
        CheckerId::TransportDuplicate | CheckerId::DoubleAppend => {
            let noted = decisive_of(facts, finding).map(Again::Fact);
            let which = noted.or(finding.offset.map(Again::Offset)).unwrap_or(Again::Any);
            let why = |trail| duplicate::recognise(facts, trail, which);
            trail.map_or(only(Mechanism::Unknown), why)
        }
        CheckerId::Sequences | CheckerId::ProducerState => state(finding, facts, trail),
        CheckerId::MessageDuplicate | CheckerId::MessageOrder => match cast {
            [one, other] if one.trail.queued <= other.trail.queued => {
                duplicate::resent(facts, &one.trail, &other.trail)
            }
            [one, other] => duplicate::resent(facts, &other.trail, &one.trail),
            _ => only(Mechanism::Unknown),
        },
        CheckerId::SessionOrder => match cast {
            [late, early] => order::recognise(facts, late, early),
            _ => only(Mechanism::Unknown),
        },
        CheckerId::Prefix => {
            trail.map_or(only(Mechanism::Unknown), |trail| order::missing(facts, trail))
        }
        CheckerId::Integrity => only(Mechanism::ForeignRecord),
        CheckerId::Progress => only(Mechanism::NeverAnswered),
        CheckerId::LogMatching => only(Mechanism::ReplicasDiffer),
        CheckerId::Truncation => only(Mechanism::TruncatedTooFar),
        CheckerId::LeaderCompleteness => election(description, facts, finding),
        CheckerId::SpuriousFatal => {
            let failed = trail.and_then(|trail| trail.failed);
            let out_of_order = SendError::Code(ErrorCode::OutOfOrderSequenceNumber);
            let mechanism = match failed {
                Some((_, error)) if error == out_of_order => Mechanism::RefusedOutOfOrder,
                _ => Mechanism::Unknown,
            };
            Cause { mechanism, decisive: failed.map(|(index, _)| index) }
        }
        CheckerId::AppendOrder => only(Mechanism::Unknown),
        CheckerId::UniqueIdentity => only(Mechanism::IdentityTwice),
        CheckerId::ReaderOrder
        | CheckerId::ProcessedAtLeastOnce
        | CheckerId::ProcessedAtMostOnce
        | CheckerId::ExactlyOnce
        | CheckerId::Ownership => work::of(description, facts, finding),
        CheckerId::RepeatableRead if finding.aspect != Aspect::Undone => trail
            .map_or(only(Mechanism::Unknown), |trail| {
                loss::recognise(facts, trail, acks_of(description, facts, trail))
            }),
        _ => end::of(description, facts, finding, trail),
    }
}

/// Whether it is about how a transaction ended.
const fn is_about_ends(finding: &Finding) -> bool {
    match finding.checker {
        CheckerId::NoLoss => matches!(finding.aspect, Aspect::Undone),
        CheckerId::TruthfulErrors => {
            matches!(finding.aspect, Aspect::FalseCommit | Aspect::FalseAbort)
        }
        _ => true,
    }
}

/// Why a leader decided against its log.
fn state(finding: &Finding, facts: &[(Instant, Fact)], trail: Option<&Trail>) -> Cause {
    let noted = decisive_of(facts, finding);
    let only = |mechanism| Cause { mechanism, decisive: noted };
    match finding.aspect {
        Aspect::WrongDuplicate => trail
            .and_then(|trail| loss::taken_for_another(facts, trail, facts.len()))
            .unwrap_or_else(|| only(Mechanism::PayloadSwap)),
        Aspect::Unanchored | Aspect::Skipped => only(Mechanism::AcceptedOutOfOrder),
        Aspect::Repeated => trail.map_or(only(Mechanism::ProducerStateLost), |trail| {
            let which = noted.map_or(Again::Any, Again::Fact);
            let cause = duplicate::recognise(facts, trail, which);
            match cause.mechanism {
                Mechanism::Unknown => only(Mechanism::ProducerStateLost),
                _ => cause,
            }
        }),
        _ => only(Mechanism::ProducerStateLost),
    }
}

/// Why a leader lacks committed records.
fn election(description: &Description, facts: &[(Instant, Fact)], finding: &Finding) -> Cause {
    let noted = decisive_of(facts, finding);
    let unknown = Cause { mechanism: Mechanism::Unknown, decisive: noted };
    let Some(index) = noted else { return unknown };
    let Fact::BecameLeader { broker, partition, leader_epoch, .. } = facts[index].1 else {
        return unknown;
    };
    let mut electable = Electable::new(partition, description.replica_set(partition));
    let mut elected = None;
    let (mut recovered, mut truncated) = (false, None);
    for (place, (at, fact)) in facts[..index].iter().enumerate() {
        electable.on_fact(*at, fact);
        match *fact {
            Fact::LeaderElected { partition: p, leader_epoch: epoch, election, .. }
                if (p, epoch) == (partition, leader_epoch) =>
            {
                elected = Some((place, election, electable.at(*at).contains(broker)));
            }
            Fact::LogRecovered { broker: b, partition: p, from, to, .. }
                if (b, p) == (broker, partition) =>
            {
                recovered |= to < from;
            }
            Fact::LogTruncated { broker: b, partition: p, to, .. }
                if (b, p) == (broker, partition) && Some(to.get()) == finding.offset =>
            {
                truncated = Some(place);
            }
            _ => {}
        }
    }
    let decisive = elected.map(|(place, ..)| place).or(Some(index));
    let mechanism = match (elected, truncated) {
        (Some((_, Election::Unclean, _)), _) => Mechanism::UncleanElection,
        _ if recovered => Mechanism::PowerLoss,
        (Some((_, Election::LastKnown, _)), _) => Mechanism::UncleanElection,
        (Some((.., false)), _) => Mechanism::OutOfSyncElection,
        (_, Some(place)) => {
            return Cause { mechanism: Mechanism::TruncatedTooFar, decisive: Some(place) };
        }
        (Some(_), None) => Mechanism::ReplicasDiffer,
        (None, None) => Mechanism::Unknown,
    };
    Cause { mechanism, decisive }
}

/// The acks setting of a record's client, to tell a broken promise from one that was never made.
pub(super) fn acks_of(
    description: &Description,
    facts: &[(Instant, Fact)],
    trail: &Trail,
) -> Option<Acks> {
    let namer = Namer::of(description, facts);
    let client = namer.client_of(trail.record.session)?;
    description.client(client).map(|client| client.acks)
}
