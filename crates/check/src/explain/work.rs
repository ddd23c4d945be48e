//! Why a record was processed twice, or never, or given where it does not belong.

use super::cause::Cause;
use super::mechanism::Mechanism;
use super::{decisive_of, end};
use crate::verdict::{Aspect, CheckerId, Finding, TransactionName};
use inflight_des::Instant;
use inflight_protocol::fact::PositionSource;
use inflight_protocol::ids::{ClientId, ConsumerId, GroupId, Offset, SessionId, TopicPartition};
use inflight_protocol::{Fact, TransactionResult};
use inflight_trace::Description;

/// One record at one offset.
#[derive(Clone, Copy, Debug)]
struct Place {
    partition: TopicPartition,
    offset: u64,
    session: SessionId,
    ordinal: u64,
}

impl Place {
    /// The first of a finding's records, where that is known.
    fn of(finding: &Finding) -> Option<Self> {
        let (first, offset) = (finding.records.first()?, finding.offset?);
        let (partition, session) = (first.partition, first.session);
        Some(Self { partition, offset, session, ordinal: first.run.start })
    }
}

/// What happened to one record at one offset on the side of its readers.
#[derive(Debug, Default)]
struct Reading {
    /// By consumer, whether what it was given last at the offset is the record. A log that was cut
    /// has another one there.
    last: Vec<(ConsumerId, bool)>,
    /// By consumer, whose work it does.
    scopes: Vec<(ConsumerId, Result<GroupId, ClientId>)>,
    /// When it was given, and to whom.
    given: Vec<(usize, ConsumerId)>,
    /// When another record was given at its offset.
    other: Option<usize>,
    /// When it was processed or made into a message, and by whom.
    done: Vec<(usize, ConsumerId)>,
    /// When a message was made of it, and by which session.
    made: Vec<(usize, SessionId)>,
    /// When a higher offset was first committed.
    committed: Option<usize>,
    /// When consumers were told that a higher offset is committed.
    commits: Vec<(usize, ConsumerId)>,
    /// When consumers were gone.
    stopped: Vec<(usize, ConsumerId)>,
    /// When consumers lost the partition.
    revoked: Vec<(usize, ConsumerId)>,
    /// When consumers were given the partition.
    assigned: Vec<(usize, ConsumerId)>,
    /// When consumers began to read elsewhere: where, and why.
    placed: Vec<(usize, ConsumerId, u64, PositionSource)>,
    /// When transactions were aborted, and whose.
    aborted: Vec<(usize, TransactionName)>,
}

impl Reading {
    fn of(facts: &[(Instant, Fact)], place: Place) -> Self {
        let mut reading = Self::default();
        for (index, (_, fact)) in facts.iter().enumerate() {
            reading.on_fact(index, fact, place);
        }
        reading
    }

    /// Whether a consumer has the record where it has the offset. It has if nobody saw what it was
    /// given.
    fn has(&self, consumer: ConsumerId) -> bool {
        self.last.iter().rfind(|(who, _)| *who == consumer).is_none_or(|(_, is_it)| *is_it)
    }

    fn on_fact(&mut self, index: usize, fact: &Fact, place: Place) {
        let Place { partition: ours, offset: at, .. } = place;
        let covers = |base: Offset, count: u32| {
            (base.get()..base.get().saturating_add(u64::from(count))).contains(&at)
        };
        match *fact {
            Fact::RecordsReturned { consumer, partition, base_offset, count, session, first }
                if partition == ours && covers(base_offset, count) =>
            {
                let ordinal = first.saturating_add(at - base_offset.get());
                let is_it = (session, ordinal) == (place.session, place.ordinal);
                self.last.push((consumer, is_it));
                if is_it {
                    self.given.push((index, consumer));
                } else {
                    self.other.get_or_insert(index);
                }
            }
            Fact::RecordsProcessed { consumer, partition, base_offset, count, .. }
                if partition == ours && covers(base_offset, count) && self.has(consumer) =>
            {
                self.done.push((index, consumer));
            }
            Fact::RecordsTransformed {
                consumer, partition, base_offset, count, session, ..
            } if partition == ours && covers(base_offset, count) && self.has(consumer) => {
                self.made.push((index, session));
                self.done.push((index, consumer));
            }
            Fact::ConsumerStarted { client, consumer, group, .. } => {
                self.scopes.push((consumer, group.ok_or(client)));
            }
            Fact::OffsetCommitReturned { consumer, partition, offset, error: None, .. }
                if partition == ours && offset.get() > at =>
            {
                self.committed.get_or_insert(index);
                self.commits.push((index, consumer));
            }
            Fact::OffsetsAddedToTransaction { partition, offset, .. }
                if partition == ours && offset.get() > at =>
            {
                self.committed.get_or_insert(index);
            }
            Fact::ConsumerStopped { consumer, .. } => self.stopped.push((index, consumer)),
            Fact::PartitionRevoked { consumer, partition, .. } if partition == ours => {
                self.revoked.push((index, consumer));
            }
            Fact::PartitionAssigned { consumer, partition, .. } if partition == ours => {
                self.assigned.push((index, consumer));
            }
            Fact::PositionSet { consumer, partition, offset, source } if partition == ours => {
                self.placed.push((index, consumer, offset.get(), source));
            }
            Fact::TransactionEnded { session, transaction, result: TransactionResult::Abort } => {
                self.aborted.push((index, TransactionName { session, number: transaction }));
            }
            _ => {}
        }
    }

    /// Why nobody processed it.
    fn skipped(&self, facts: &[(Instant, Fact)], at: u64) -> Cause {
        let decisive = self.committed;
        let reset = self
            .placed
            .iter()
            .find(|(_, _, to, source)| *source == PositionSource::Latest && *to > at);
        let Some((given, consumer)) = self.given.first().copied() else {
            return match (reset, self.other) {
                (Some((index, ..)), _) => {
                    Cause { mechanism: Mechanism::ResetToLatest, decisive: Some(*index) }
                }
                (None, Some(_)) => Cause { mechanism: Mechanism::OffsetReused, decisive },
                (None, None) => Cause { mechanism: Mechanism::ConsumerBroke, decisive },
            };
        };
        // It came back to the record, or to one before it.
        let is_back =
            |after: usize| self.placed.iter().any(|(index, _, to, _)| *index > after && *to <= at);
        // Once a message was made of it, the transaction of that message decides.
        let ours = self.transactions(facts);
        let mut aborted = self
            .aborted
            .iter()
            .filter(|(index, name)| *index > given && (ours.is_empty() || ours.contains(name)));
        let aborted = aborted.next().map(|(index, _)| *index);
        if let Some(aborted) = aborted.filter(|aborted| !is_back(*aborted)) {
            return Cause { mechanism: Mechanism::NoRewind, decisive: Some(aborted) };
        }
        if !self.made.is_empty() {
            return Cause { mechanism: Mechanism::OutputMissing, decisive };
        }
        let gone = self.stopped.iter().chain(&self.revoked);
        let is_gone = gone.into_iter().any(|(index, who)| *who == consumer && *index > given);
        let mechanism = match (self.committed, is_gone) {
            (Some(_), _) => Mechanism::CommittedFirst,
            (None, true) => Mechanism::CommittedFirst,
            (None, false) => Mechanism::Unknown,
        };
        Cause { mechanism, decisive }
    }

    /// The transactions in which messages were made of it.
    fn transactions(&self, facts: &[(Instant, Fact)]) -> Vec<TransactionName> {
        self.made.iter().filter_map(|(at, session)| end::open_at(facts, *session, *at)).collect()
    }

    /// Whose work a consumer does: its group's, or its client's.
    fn scope(&self, consumer: ConsumerId) -> Option<Result<GroupId, ClientId>> {
        let known = self.scopes.iter().rfind(|(who, _)| *who == consumer);
        known.map(|(_, scope)| *scope)
    }

    /// When one group processed it, if it did so more than once.
    fn done_again(&self) -> Option<((usize, ConsumerId), (usize, ConsumerId))> {
        self.done.iter().find_map(|(first, who)| {
            let ours = |(_, other): &&(usize, ConsumerId)| self.scope(*other) == self.scope(*who);
            let last = self.done.iter().rfind(ours).filter(|(last, _)| last > first);
            last.map(|last| ((*first, *who), *last))
        })
    }

    /// Why it was processed again.
    fn repeated(&self, at: u64) -> Cause {
        let Some(((first, consumer), (again, other))) = self.done_again() else {
            return Cause { mechanism: Mechanism::Unknown, decisive: None };
        };
        let between = |index: &usize| (first..again).contains(index);
        let is_stopped = self.stopped.iter().any(|(index, who)| *who == consumer && between(index));
        let is_aborted = self.aborted.iter().any(|(index, _)| between(index));
        let is_moved = self.revoked.iter().chain(&self.assigned).any(|(index, _)| between(index));
        let reset = self.placed.iter().find(|(index, who, to, source)| {
            // Whoever comes next begins there too, if nothing was committed.
            let knew = !is_stopped && !is_moved && *who == consumer
                || self.commits.iter().any(|(commit, by)| {
                    self.scope(*by) == self.scope(*who) && (first..*index).contains(commit)
                });
            between(index)
                && *who == other
                && knew
                && *source == PositionSource::Earliest
                && *to <= at
        });
        if let Some((index, ..)) = reset {
            return Cause { mechanism: Mechanism::ResetToEarliest, decisive: Some(*index) };
        }
        let mechanism = match (is_stopped, consumer == other) {
            (true, _) => Mechanism::CommitLost,
            (false, true) if is_aborted => Mechanism::EffectOutside,
            (false, _) if is_moved || consumer != other => Mechanism::RebalanceRedelivery,
            (false, _) if is_aborted => Mechanism::EffectOutside,
            (false, _) => Mechanism::Unknown,
        };
        Cause { mechanism, decisive: Some(again) }
    }

    /// The facts that belong to its story.
    fn steps(&self, at: u64) -> Vec<usize> {
        let (first, last) = (self.given.first(), self.given.last().max(self.done.last()));
        let (Some((first, _)), Some((last, _))) = (first, last) else {
            return self.other.into_iter().chain(self.committed).collect();
        };
        let last = (*last).max(self.committed.unwrap_or(0));
        let near = |index: &usize| (*first..=last).contains(index);
        let mut steps: Vec<usize> = self.given.iter().map(|(index, _)| *index).collect();
        steps.extend(self.done.iter().map(|(index, _)| *index));
        steps.extend(self.committed);
        let users: Vec<ConsumerId> = self.given.iter().map(|(_, who)| *who).collect();
        let whereabouts = self.revoked.iter().chain(&self.assigned);
        let ours = whereabouts.filter(|(_, who)| users.contains(who)).map(|(index, _)| *index);
        steps.extend(ours.filter(near));
        let stopped = self.stopped.iter().filter(|(_, who)| users.contains(who));
        steps.extend(stopped.map(|(index, _)| *index).filter(|index| index > first));
        let placed = self.placed.iter().map(|(index, ..)| *index);
        steps.extend(placed.filter(near));
        steps.extend(self.aborted.iter().map(|(index, _)| *index).filter(near));
        let reset = self
            .placed
            .iter()
            .filter(|(.., to, source)| *source == PositionSource::Latest && *to > at);
        steps.extend(reset.map(|(index, ..)| *index));
        steps
    }
}

/// Whether the story of a finding is told by what became of an offset.
pub(super) const fn is_about(checker: CheckerId) -> bool {
    matches!(
        checker,
        CheckerId::ReaderOrder
            | CheckerId::ProcessedAtLeastOnce
            | CheckerId::ProcessedAtMostOnce
            | CheckerId::ExactlyOnce
    )
}

/// How a finding about consumers came about.
pub(super) fn of(description: &Description, facts: &[(Instant, Fact)], finding: &Finding) -> Cause {
    let noted = decisive_of(facts, finding);
    let only = |mechanism| Cause { mechanism, decisive: noted };
    let Some(place) = Place::of(finding) else {
        return only(match finding.checker {
            CheckerId::Ownership if finding.excuse.is_some() => Mechanism::GroupForgotten,
            CheckerId::Ownership => Mechanism::TwoOwners,
            _ => Mechanism::Unknown,
        });
    };
    let reading = Reading::of(facts, place);
    let usual = match (finding.checker, finding.aspect) {
        (CheckerId::ReaderOrder, _) => only(Mechanism::ConsumerBroke),
        (CheckerId::ProcessedAtMostOnce, _) | (CheckerId::ExactlyOnce, Aspect::Repeated) => {
            reading.repeated(place.offset)
        }
        _ => reading.skipped(facts, place.offset),
    };
    if finding.checker != CheckerId::ExactlyOnce || usual.mechanism == Mechanism::NoRewind {
        return usual;
    }
    let made = reading.transactions(facts).into_iter();
    let mut skipped =
        made.filter_map(|name| end::skipped_in(description, facts, (name, finding.aspect)));
    skipped.next().unwrap_or(usual)
}

/// How many facts about readers are told at most.
const STEPS_MAX: usize = 16;

/// The facts about readers that belong to the story of a finding.
pub(super) fn steps(facts: &[(Instant, Fact)], finding: &Finding) -> Vec<usize> {
    let Some(place) = Place::of(finding) else { return Vec::new() };
    if !is_about(finding.checker) {
        return Vec::new();
    }
    let mut steps = Reading::of(facts, place).steps(place.offset);
    steps.sort_unstable();
    steps.dedup();
    steps.truncate(STEPS_MAX);
    steps
}
