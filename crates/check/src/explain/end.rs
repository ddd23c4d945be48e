//! Why a transaction is not what its application was told, or has no end.

mod late;
mod open;
mod skipped;

pub(super) use skipped::of_work as skipped_in;

use super::cause::Cause;
use super::decisive_of;
use super::loss;
use super::mechanism::Mechanism;
use super::trail::{Copy, Trail};
use crate::verdict::{Aspect, CheckerId, Finding, TransactionName};
use inflight_des::Instant;
use inflight_protocol::fact::{AppendOrigin, Direction};
use inflight_protocol::ids::{Node, ProducerEpoch, SessionId, TransactionalId};
use inflight_protocol::{ApiKey, Fact, TopicPartition, TransactionResult, TransactionState};
use inflight_trace::Description;
use std::ops::Range;

/// What happened to one transaction.
#[derive(Debug)]
struct Story {
    name: TransactionName,
    begun: usize,
    /// When its end was asked for, and how.
    asked: Vec<(usize, TransactionResult)>,
    /// When its end was told, and how.
    ended: Option<(usize, TransactionResult)>,
    /// The transactional id of its session, and when another session got it.
    id: Option<TransactionalId>,
    rival: Option<usize>,
    /// When the coordinator gave it up.
    timed_out: Option<usize>,
    /// When markers of its transactional id were left out.
    skipped: Vec<(TopicPartition, usize)>,
    /// Whether the end of an earlier transaction of the session was asked for, and how.
    earlier: Vec<TransactionResult>,
    /// When the coordinator decided about its transactional id since it was begun.
    decisions: Vec<Decision>,
}

/// A coordinator decided how a transaction ends.
#[derive(Clone, Copy, Debug)]
struct Decision {
    index: usize,
    /// The producer epoch of the markers to come.
    epoch: ProducerEpoch,
}

/// A marker that ends a record's transaction in its partition.
#[derive(Clone, Copy, Debug)]
struct Marker {
    index: usize,
    result: TransactionResult,
    epoch: ProducerEpoch,
}

impl Story {
    fn of(facts: &[(Instant, Fact)], name: TransactionName) -> Option<Self> {
        let begun = facts.iter().position(|(_, fact)| match *fact {
            Fact::TransactionBegun { session, transaction } => {
                (session, transaction) == (name.session, name.number)
            }
            _ => false,
        })?;
        let id = id_of(facts, name.session);
        let mut story = Self {
            name,
            begun,
            asked: Vec::new(),
            ended: None,
            id,
            rival: None,
            timed_out: None,
            skipped: Vec::new(),
            earlier: Vec::new(),
            decisions: Vec::new(),
        };
        for (index, (_, fact)) in facts.iter().enumerate() {
            story.on_fact(index, fact);
        }
        Some(story)
    }

    fn on_fact(&mut self, index: usize, fact: &Fact) {
        let over = self.ended.is_some_and(|(ended, _)| ended < index);
        match *fact {
            Fact::TransactionEnding { session, transaction, result }
                if session == self.name.session =>
            {
                if transaction == self.name.number {
                    self.asked.push((index, result));
                } else if transaction < self.name.number {
                    self.earlier.push(result);
                }
            }
            Fact::TransactionEnded { session, transaction, result }
                if (session, transaction) == (self.name.session, self.name.number) =>
            {
                self.ended = Some((index, result));
            }
            Fact::TransactionTimedOut { transactional_id, .. }
                if Some(transactional_id) == self.id && index > self.begun && !over =>
            {
                self.timed_out.get_or_insert(index);
            }
            Fact::TransactionStateChanged {
                transactional_id,
                to: TransactionState::PrepareCommit | TransactionState::PrepareAbort,
                producer_epoch: epoch,
                ..
            } if Some(transactional_id) == self.id && index > self.begun => {
                self.decisions.push(Decision { index, epoch });
            }
            Fact::MarkerSkipped { transactional_id, partition, .. }
                if Some(transactional_id) == self.id =>
            {
                self.skipped.push((partition, index));
            }
            Fact::TransactionsInitialized { session, transactional_id, .. }
                if Some(transactional_id) == self.id
                    && session != self.name.session
                    && index > self.begun =>
            {
                self.rival.get_or_insert(index);
            }
            _ => {}
        }
    }

    /// Whether an end was asked for before a fact.
    fn has_asked(&self, result: TransactionResult, before: usize) -> bool {
        self.asked.iter().any(|(index, asked)| *asked == result && *index < before)
    }

    /// When the coordinator left out a marker of a partition, between two facts.
    fn skipped(&self, partition: TopicPartition, between: Range<usize>) -> Option<usize> {
        let ours =
            |(at, index): &&(TopicPartition, usize)| *at == partition && between.contains(index);
        self.skipped.iter().rfind(ours).map(|(_, index)| *index)
    }

    /// What its coordinator decided when its application wanted it to end, or without being asked.
    /// A request that was late may have made it decide before.
    fn own_end(&self) -> Option<Decision> {
        let since = self.asked.first().map_or(self.begun, |(asked, _)| *asked);
        let mut decisions = self.decisions.iter();
        match self.ended {
            Some((ended, _)) => decisions.rfind(|decision| decision.index < ended).copied(),
            None => decisions.find(|decision| decision.index > since).copied(),
        }
    }

    /// Whether a record of it was appended when it was over.
    fn is_late(&self, appended: usize) -> bool {
        let decided = self.own_end().map(|decision| decision.index);
        let over = decided.or(self.ended.map(|(ended, _)| ended));
        over.is_some_and(|over| over < appended)
    }

    /// Whether a record of it was appended when it was over, and ended with a later transaction of
    /// the same producer epoch. A leader refuses it where each transaction has an epoch of its own.
    fn has_joined(&self, (appended, epoch): (usize, ProducerEpoch), marker: usize) -> bool {
        self.own_end().is_some_and(|own| {
            let mut between = self.decisions.iter().map(|decision| decision.index);
            own.index < appended
                && own.epoch == epoch
                && between.any(|index| own.index < index && index < marker)
        })
    }
}

/// The transaction that was open in a session at a fact.
pub(super) fn open_at(
    facts: &[(Instant, Fact)],
    session: SessionId,
    at: usize,
) -> Option<TransactionName> {
    let mut before = facts.get(..at)?.iter().rev();
    before.find_map(|(_, fact)| match *fact {
        Fact::TransactionBegun { session: s, transaction } if s == session => {
            Some(TransactionName { session, number: transaction })
        }
        _ => None,
    })
}

fn id_of(facts: &[(Instant, Fact)], session: SessionId) -> Option<TransactionalId> {
    facts.iter().find_map(|(_, fact)| match *fact {
        Fact::TransactionsInitialized { session: known, transactional_id, .. }
            if known == session =>
        {
            Some(transactional_id)
        }
        _ => None,
    })
}

/// The transaction in which a record was queued.
fn transaction_of(facts: &[(Instant, Fact)], trail: &Trail) -> Option<TransactionName> {
    open_at(facts, trail.record.session, trail.queued?)
}

/// Whether the transaction in which one record was queued was aborted, as its application wanted or
/// was told, before it queued another record.
pub(super) fn is_aborted_between(facts: &[(Instant, Fact)], one: &Trail, other: &Trail) -> bool {
    let story = transaction_of(facts, one).and_then(|name| Story::of(facts, name));
    let (Some(story), Some(queued)) = (story, other.queued) else { return false };
    let is_abort = |(index, result): &(usize, TransactionResult)| {
        *result == TransactionResult::Abort && *index < queued
    };
    story.asked.iter().chain(&story.ended).any(is_abort)
}

/// The transaction that a finding is about.
fn named(
    facts: &[(Instant, Fact)],
    finding: &Finding,
    trail: Option<&Trail>,
) -> Option<TransactionName> {
    let of_record = || transaction_of(facts, trail?);
    finding.transaction.or_else(of_record)
}

/// The marker that ends a copy of a record.
fn marker_of(facts: &[(Instant, Fact)], trail: &Trail, copy: &Copy) -> Option<Marker> {
    let (id, ..) = copy.wire?;
    let behind = facts.iter().enumerate().skip(copy.appended);
    behind.map(|(index, (_, fact))| (index, *fact)).find_map(|(index, fact)| match fact {
        Fact::MarkerAppended {
            partition,
            offset,
            result,
            producer_id,
            producer_epoch,
            origin: AppendOrigin::Client | AppendOrigin::Coordinator,
            ..
        } if (partition, producer_id) == (trail.record.partition, id)
            && offset.get() > copy.offset =>
        {
            Some(Marker { index, result, epoch: producer_epoch })
        }
        _ => None,
    })
}

/// Where a producer's records in a record's partition were ended last before it was appended.
fn behind_marker(facts: &[(Instant, Fact)], trail: &Trail, copy: &Copy) -> usize {
    let Some((id, ..)) = copy.wire else { return copy.appended };
    let before = facts.get(..copy.appended).unwrap_or_default();
    let last = before.iter().rposition(|(_, fact)| match *fact {
        Fact::MarkerAppended {
            partition,
            producer_id,
            origin: AppendOrigin::Client | AppendOrigin::Coordinator,
            ..
        } => (partition, producer_id) == (trail.record.partition, id),
        _ => false,
    });
    last.unwrap_or(0)
}

/// How a finding about a transaction came about.
pub(super) fn of(
    description: &Description,
    facts: &[(Instant, Fact)],
    finding: &Finding,
    trail: Option<&Trail>,
) -> Cause {
    let noted = decisive_of(facts, finding);
    let only = |mechanism| Cause { mechanism, decisive: noted };
    match finding.checker {
        CheckerId::StableOffset => return only(Mechanism::StableOffsetWrong),
        CheckerId::TransactionalOffsets => {
            let name = named(facts, finding, None);
            let skipped = name.and_then(|name| skipped::of_offsets(description, facts, name));
            return skipped.unwrap_or_else(|| only(Mechanism::OffsetsApart));
        }
        CheckerId::Markers if finding.aspect == Aspect::Disagreed => {
            return only(Mechanism::MarkersApart);
        }
        _ => {}
    }
    let unexplained = match finding.checker {
        CheckerId::Fencing => Mechanism::ZombieNotFenced,
        _ => Mechanism::Unknown,
    };
    let name = named(facts, finding, trail);
    let Some((story, trail)) = name.and_then(|name| Story::of(facts, name)).zip(trail) else {
        return only(unexplained);
    };
    let Some(copy) = trail.appends().last() else {
        let swapped = loss::taken_for_another(facts, trail, facts.len());
        return swapped.unwrap_or_else(|| only(unexplained));
    };
    let ended = marker_of(facts, trail, copy);
    let together = || {
        let since = behind_marker(facts, trail, copy);
        (finding.checker == CheckerId::Markers).then_some(since..copy.appended)
    };
    let skipped = |between| story.skipped(trail.record.partition, between);
    let before = ended.map_or(facts.len(), |marker| marker.index);
    let skipped = skipped(copy.appended..before).or_else(|| skipped(together()?));
    if let Some(skipped) = skipped {
        return Cause { mechanism: Mechanism::MarkerSkipped, decisive: Some(skipped) };
    }
    let decided = ended.and_then(|marker| match finding.checker {
        CheckerId::Markers => late::joined(facts, (&story, trail), marker)
            .or_else(|| ended_wrongly(facts, &story, (copy, marker))),
        _ => ended_wrongly(facts, &story, (copy, marker)),
    });
    match finding.checker {
        CheckerId::EarlyRead => only(Mechanism::ReadAboveStable),
        CheckerId::Fencing => only(unexplained),
        CheckerId::NoLoss | CheckerId::Atomicity if decided.is_some_and(is_abort_unasked) => {
            // It ended as its coordinator decided, and other partitions of it did not.
            let elsewhere = story.own_skipped(facts).next();
            let skipped = elsewhere.map(|(_, index, _)| Cause {
                mechanism: Mechanism::MarkerSkipped,
                decisive: Some(index),
            });
            skipped.or(decided).unwrap_or_else(|| only(unexplained))
        }
        CheckerId::StableProgress | CheckerId::KnownTransactions => {
            open::recognise(description, facts, (&story, copy), ended)
        }
        CheckerId::AbortedRead | CheckerId::RepeatableRead if finding.consumer.is_some() => {
            let given = given(facts, finding);
            let mechanism = match finding.excuse {
                Some(_) => Mechanism::ReadUncommitted,
                None => Mechanism::ReadAboveStable,
            };
            let decided = decided.filter(|cause| cause.mechanism != Mechanism::Unknown);
            decided.unwrap_or(Cause { mechanism, decisive: given })
        }
        _ => decided.unwrap_or_else(|| only(unexplained)),
    }
}

/// Whether its coordinator aborted a transaction that nobody wanted aborted.
const fn is_abort_unasked(cause: Cause) -> bool {
    matches!(cause.mechanism, Mechanism::TransactionTimedOut | Mechanism::AbortedByRival)
}

/// Why a marker ended a record in another way than its application wanted.
fn ended_wrongly(
    facts: &[(Instant, Fact)],
    story: &Story,
    (copy, marker): (&Copy, Marker),
) -> Option<Cause> {
    let by = |mechanism, index| Some(Cause { mechanism, decisive: Some(index) });
    let epoch = copy.wire.map(|(_, epoch, _)| epoch);
    if epoch.is_some_and(|epoch| story.has_joined((copy.appended, epoch), marker.index)) {
        return by(Mechanism::LateBatchJoined, copy.appended);
    }
    if story.has_asked(marker.result, marker.index) {
        return None;
    }
    let is_aborted = marker.result == TransactionResult::Abort;
    if let Some(timed_out) = story.timed_out.filter(|at| is_aborted && *at < marker.index) {
        return by(Mechanism::TransactionTimedOut, timed_out);
    }
    if epoch == Some(marker.epoch) && story.earlier.contains(&marker.result) {
        let request = late_request(facts, story, marker.index);
        return by(Mechanism::LateEnd, request.unwrap_or(marker.index));
    }
    match story.rival.filter(|_| is_aborted) {
        Some(_) => by(Mechanism::AbortedByRival, marker.index),
        None => by(Mechanism::Unknown, marker.index),
    }
}

/// When the request that led to a marker reached the coordinator.
fn late_request(facts: &[(Instant, Fact)], story: &Story, marker: usize) -> Option<usize> {
    let ours = facts.iter().find_map(|(_, fact)| match *fact {
        Fact::ProducerStarted { client, session } if session == story.name.session => {
            Some(Node::Client(client))
        }
        _ => None,
    });
    facts
        .get(story.begun..marker)?
        .iter()
        .rposition(|(_, fact)| match *fact {
            Fact::MessageDelivered {
                from,
                api: ApiKey::EndTxn,
                direction: Direction::Request,
                ..
            } => Some(from) == ours,
            _ => false,
        })
        .map(|at| story.begun + at)
}

/// When a consumer was given the first of a finding's records.
fn given(facts: &[(Instant, Fact)], finding: &Finding) -> Option<usize> {
    let first = finding.records.first()?;
    facts.iter().position(|(_, fact)| match *fact {
        Fact::RecordsReturned { consumer, partition, session, first: start, count, .. } => {
            let run = start..start.saturating_add(u64::from(count));
            (Some(consumer), partition, session)
                == (finding.consumer, first.partition, first.session)
                && run.contains(&first.run.start)
        }
        _ => false,
    })
}

/// How many facts about a transaction are told at most.
const STEPS_MAX: usize = 16;

/// The facts about the transaction of a finding that belong to its story.
pub(super) fn steps(
    facts: &[(Instant, Fact)],
    finding: &Finding,
    trail: Option<&Trail>,
) -> Vec<usize> {
    let Some(story) = named(facts, finding, trail).and_then(|name| Story::of(facts, name)) else {
        return Vec::new();
    };
    let mut steps = vec![story.begun];
    steps.extend(story.asked.iter().map(|(index, _)| *index));
    steps.extend(story.ended.map(|(index, _)| index));
    steps.extend(story.timed_out);
    steps.extend(story.rival);
    if let Some(trail) = trail {
        let markers = trail.appends().filter_map(|copy| marker_of(facts, trail, copy));
        steps.extend(markers.map(|marker| marker.index));
    }
    if finding.consumer.is_some() {
        steps.extend(given(facts, finding));
    }
    steps.extend(other_steps(facts, &story));
    if finding.checker == CheckerId::TransactionalOffsets {
        steps.extend(sent_offsets(facts, story.name));
    }
    steps.sort_unstable();
    steps.dedup();
    steps.truncate(STEPS_MAX);
    steps
}

/// When a transaction was given offsets.
fn sent_offsets(
    facts: &[(Instant, Fact)],
    name: TransactionName,
) -> impl Iterator<Item = usize> + '_ {
    facts.iter().enumerate().filter_map(move |(index, (_, fact))| match *fact {
        Fact::OffsetsAddedToTransaction { session, transaction, .. } => {
            ((session, transaction) == (name.session, name.number)).then_some(index)
        }
        _ => None,
    })
}

/// What the coordinator decided meanwhile, what was told of failures, and the end of the
/// transaction before.
fn other_steps(facts: &[(Instant, Fact)], story: &Story) -> Vec<usize> {
    let ours = |index: usize, fact: &Fact| match *fact {
        Fact::TransactionStateChanged { transactional_id, .. } => {
            Some(transactional_id) == story.id && index > story.begun
        }
        Fact::TransactionCallFailed { session, .. } => session == story.name.session,
        Fact::TransactionEnding { session, transaction, .. }
        | Fact::TransactionEnded { session, transaction, .. } => {
            session == story.name.session && transaction.checked_add(1) == Some(story.name.number)
        }
        _ => false,
    };
    let numbered = facts.iter().enumerate();
    numbered.filter(|(index, (_, fact))| ours(*index, fact)).map(|(index, _)| index).collect()
}
