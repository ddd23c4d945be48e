//! Answers that a fault of the scenario gave in the name of a broker.

use super::cast::Part;
use super::cause::Cause;
use super::mechanism::Mechanism;
use super::trail::Trail;
use super::work;
use crate::verdict::Finding;
use inflight_des::Instant;
use inflight_protocol::fact::Direction;
use inflight_protocol::{Acks, ApiKey, ClientId, ErrorCode, Fact, Node};
use inflight_trace::{Description, Namer};

/// An answer that a fault gave.
#[derive(Clone, Copy, Debug)]
struct Answer {
    /// When the fault struck.
    index: usize,
    /// When the request had arrived, and whose it is.
    request: usize,
    from: Node,
    /// Which fault of the scenario.
    fault: usize,
}

/// Every such answer, in order.
fn all<'a>(
    description: &'a Description,
    facts: &'a [(Instant, Fact)],
) -> impl Iterator<Item = Answer> + 'a {
    let mut arrived = None;
    facts.iter().enumerate().filter_map(move |(index, (_, fact))| match *fact {
        Fact::MessageDelivered { from, direction: Direction::Request, .. } => {
            arrived = Some((index, from));
            None
        }
        Fact::FaultInjected { fault } => {
            let fault = usize::try_from(fault).ok()?;
            let is_answer = description.faults.get(fault)?.starts_with("answer ");
            let (request, from) = arrived.filter(|_| is_answer)?;
            Some(Answer { index, request, from, fault })
        }
        _ => None,
    })
}

/// The answers to requests that brought a record.
fn to_record<'a>(
    description: &'a Description,
    facts: &'a [(Instant, Fact)],
    trail: &'a Trail,
) -> impl Iterator<Item = Answer> + 'a {
    let brought = |answer: &Answer| {
        let mut attempts = trail.attempts.iter();
        attempts.any(|attempt| attempt.delivered == Some(answer.request))
    };
    all(description, facts).filter(brought)
}

/// The answers that may have brought about what nothing else explains: to the client whose records
/// it is about, to any client if it is about readers, and between brokers.
fn concerned<'a>(
    description: &'a Description,
    facts: &'a [(Instant, Fact)],
    finding: &'a Finding,
) -> impl Iterator<Item = Answer> + 'a {
    let session = finding.records.first().map(|records| records.session);
    let session = session.or(finding.transaction.map(|name| name.session));
    let namer = Namer::of(description, facts);
    let client: Option<ClientId> = session.and_then(|session| namer.client_of(session));
    let any = client.is_none() || finding.consumer.is_some() || work::is_about(finding.checker);
    let is_ours = move |answer: &Answer| match answer.from {
        Node::Client(from) => any || client == Some(from),
        _ => true,
    };
    all(description, facts).filter(is_ours)
}

/// What else it was, where a fault answered for a broker.
pub(super) fn or_answered(
    description: &Description,
    facts: &[(Instant, Fact)],
    finding: &Finding,
    cause: Cause,
    cast: &[Part],
) -> Cause {
    let trail = cast.first().map(|part| &part.trail);
    let acks = || trail.and_then(|trail| super::cause::acks_of(description, facts, trail));
    let by = match cause.mechanism {
        Mechanism::Unknown => return or_concerned(description, facts, finding, (cause, trail)),
        Mechanism::AcksZero if acks().is_some_and(|acks| acks != Acks::None) => {
            return or_concerned(description, facts, finding, (cause, trail));
        }
        Mechanism::FailedAfterAppend => {
            trail.and_then(|trail| failed_by(description, facts, trail))
        }
        Mechanism::ProducerStateLost => {
            trail.and_then(|trail| refused_by(description, facts, (trail, cause)))
        }
        Mechanism::OpenTransaction => {
            cause.decisive.and_then(|begun| marker_by(description, facts, begun))
        }
        Mechanism::ResetToEarliest | Mechanism::ResetToLatest => {
            cause.decisive.and_then(|reset| reset_by(description, facts, reset))
        }
        _ => None,
    };
    by.map_or(cause, of)
}

/// The cause that an answer is.
const fn of(answer: Answer) -> Cause {
    Cause { mechanism: Mechanism::AnswerInjected, decisive: Some(answer.index) }
}

/// What nothing else explains, if a fault answered somebody whom it concerns.
fn or_concerned(
    description: &Description,
    facts: &[(Instant, Fact)],
    finding: &Finding,
    (cause, trail): (Cause, Option<&Trail>),
) -> Cause {
    let own = trail.and_then(|trail| to_record(description, facts, trail).last());
    if let Some(answer) = own {
        return of(answer);
    }
    let before = cause.decisive.unwrap_or(facts.len());
    match concerned(description, facts, finding).any(|answer| answer.index < before) {
        true => Cause { mechanism: Mechanism::AnswerInjected, ..cause },
        false => cause,
    }
}

/// The answer to the last request that brought a record, which made it fail.
fn failed_by(
    description: &Description,
    facts: &[(Instant, Fact)],
    trail: &Trail,
) -> Option<Answer> {
    trail.failed?;
    let delivered = trail.attempts.last().and_then(|attempt| attempt.delivered);
    let own = to_record(description, facts, trail).last();
    own.filter(|own| Some(own.request) == delivered)
}

/// The answer that looks as if a leader had refused a record.
fn refused_by(
    description: &Description,
    facts: &[(Instant, Fact)],
    (trail, cause): (&Trail, Cause),
) -> Option<Answer> {
    let refused = cause.decisive?;
    let mut delivered = trail.attempts.iter().filter_map(|attempt| attempt.delivered);
    let delivered = delivered.rfind(|index| *index < refused);
    let own = to_record(description, facts, trail).filter(|answer| answer.index < refused).last();
    own.filter(|own| Some(own.request) == delivered)
}

/// The answer about the markers of a transaction that began before.
fn marker_by(description: &Description, facts: &[(Instant, Fact)], begun: usize) -> Option<Answer> {
    let is_it = |answer: &Answer| {
        let request = facts.get(answer.request).map(|(_, fact)| fact);
        let api = ApiKey::WriteTxnMarkers;
        answer.index > begun
            && matches!(request, Some(Fact::MessageDelivered { api: known, .. }) if *known == api)
    };
    all(description, facts).filter(is_it).last()
}

/// The answer to the consumer of a group that made it look for another position.
fn reset_by(description: &Description, facts: &[(Instant, Fact)], reset: usize) -> Option<Answer> {
    let Fact::PositionSet { consumer, partition, .. } = facts.get(reset)?.1 else { return None };
    let before = facts.get(..reset)?;
    let client = before.iter().rev().find_map(|(_, fact)| match *fact {
        Fact::ConsumerStarted { client, consumer: known, .. } if known == consumer => Some(client),
        _ => None,
    })?;
    let since = before.iter().rposition(|(_, fact)| match *fact {
        Fact::PositionSet { consumer: c, partition: p, .. } => (c, p) == (consumer, partition),
        _ => false,
    });
    let is_it = |answer: &Answer| {
        let words = description.faults.get(answer.fault).map_or("", String::as_str);
        answer.from == Node::Client(client)
            && (since.unwrap_or(0)..reset).contains(&answer.index)
            && words.split(' ').any(|word| word == ErrorCode::OffsetOutOfRange.name())
    };
    all(description, facts).filter(is_it).last()
}

/// When faults answered for brokers, as far as that belongs to the story of a finding.
pub(super) fn steps(
    description: &Description,
    facts: &[(Instant, Fact)],
    finding: &Finding,
    (cast, cause): (&[Part], Cause),
) -> Vec<usize> {
    let own = cast.iter().flat_map(|part| to_record(description, facts, &part.trail));
    let mut steps: Vec<usize> = own.map(|answer| answer.index).collect();
    if steps.is_empty() && cause.mechanism == Mechanism::AnswerInjected {
        steps.extend(
            cause
                .decisive
                .filter(|index| matches!(facts.get(*index), Some((_, Fact::FaultInjected { .. })))),
        );
    }
    if steps.is_empty() && cause.mechanism == Mechanism::AnswerInjected {
        let before = cause.decisive.unwrap_or(facts.len());
        let concerned = concerned(description, facts, finding);
        steps.extend(concerned.map(|answer| answer.index).filter(|index| *index < before).last());
    }
    steps
}
