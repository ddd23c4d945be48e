//! What consumers were given and what their applications did with it.

mod duty;
mod places;

pub(crate) use duty::{Duty, Given, Scope, Transformed};
pub(crate) use places::Places;

use super::Told;
use crate::runs::Run;
use crate::verdict::FactRef;
use inflight_protocol::Fact;
use inflight_protocol::fact::PositionSource;
use inflight_protocol::ids::{ClientId, ConsumerId, GroupId, SessionId, TopicPartition};
use inflight_protocol::message::IsolationLevel;

/// Every consumer of a run.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    /// By consumer.
    consumers: Vec<Option<Consumer>>,
    /// One consumer and one partition each.
    pub(crate) lanes: Vec<ReadLane>,
    /// What is to be done with the records of a partition, by group or client.
    pub(crate) duties: Vec<Duty>,
    /// Records that were given before anybody had asked for the commit of their transaction.
    pub(crate) early: Vec<Early>,
    /// Records that were given after later ones.
    pub(crate) backwards: Vec<Backwards>,
    /// Partitions that two members had in one generation.
    pub(crate) shared: Vec<Shared>,
    /// How often members of a group were given partitions.
    pub(crate) given: u64,
    /// How many records poll() returned.
    pub(crate) returned: u64,
    /// How many records in transactions poll() returned to who reads committed ones.
    pub(crate) transactional: u64,
}

inflight_des::clone_fields!(Readers {
    consumers,
    lanes,
    duties,
    early,
    backwards,
    shared,
    given,
    returned,
    transactional
});

/// One consumer object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Consumer {
    pub(crate) client: ClientId,
    pub(crate) group: Option<GroupId>,
    pub(crate) isolation: IsolationLevel,
    pub(crate) is_stopped: bool,
}

/// What one consumer read of one partition.
#[derive(Debug, Default)]
pub(crate) struct ReadLane {
    pub(crate) consumer: ConsumerId,
    pub(crate) partition: TopicPartition,
    /// The generation in which it has the partition.
    generation: Option<u32>,
    /// The next offset that it must be given, if that is known.
    position: Option<u64>,
    /// Counts the times that it was told to read elsewhere.
    stretch: u32,
    /// What it was not given although it was given later records, in order.
    pub(crate) passed: Vec<Passed>,
    /// What it was given, in order.
    pub(crate) returned: Vec<Returned>,
}

inflight_des::clone_fields!(ReadLane {
    consumer,
    partition,
    generation,
    position,
    stretch,
    passed,
    returned
});

/// Offsets at which a consumer was given nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Passed {
    pub(crate) offsets: Run,
    /// The record that it was given behind them. As long as the log has it there, it has before it
    /// what it had then. `None` if the consumer saw for itself how much of the log stayed.
    pub(crate) behind: Option<(SessionId, u64)>,
}

/// Records that poll() returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Returned {
    pub(crate) offset: u64,
    pub(crate) session: SessionId,
    pub(crate) run: Run,
    stretch: u32,
}

impl Returned {
    pub(crate) const fn end(&self) -> u64 {
        self.offset.saturating_add(self.run.len())
    }

    pub(crate) const fn given(&self) -> Given {
        let offsets = Run { start: self.offset, end: self.end() };
        Given { session: Some(self.session), first: self.run.start, offsets }
    }
}

/// Records that were given too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Early {
    pub(crate) consumer: ConsumerId,
    /// The lane of the producer.
    pub(crate) lane: usize,
    pub(crate) run: Run,
    pub(crate) transaction: u32,
    pub(crate) offset: u64,
    pub(crate) fact: FactRef,
}

/// Records that were given although later ones were given before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Backwards {
    pub(crate) consumer: ConsumerId,
    pub(crate) partition: TopicPartition,
    pub(crate) session: SessionId,
    pub(crate) run: Run,
    pub(crate) offset: u64,
    pub(crate) fact: FactRef,
}

/// A partition that was given to a member while another one of the same generation had it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shared {
    pub(crate) consumer: ConsumerId,
    pub(crate) partition: TopicPartition,
    pub(crate) fact: FactRef,
}

impl ReadLane {
    /// Forgets what it passed over from an offset on, where its log was cut: what is there now came
    /// later, and it begins anew before it.
    fn forget_passed(&mut self, from: u64) {
        self.passed.retain_mut(|passed| {
            if from <= passed.offsets.end {
                (passed.offsets.end, passed.behind) = (from, None);
            }
            !passed.offsets.is_empty()
        });
    }

    /// The records that it was given last at the first of some offsets and behind it.
    fn given_at(&self, offsets: Run) -> Given {
        let Run { start, mut end } = offsets;
        for piece in self.returned.iter().rev() {
            if (piece.offset..piece.end()).contains(&start) {
                let first = piece.run.start + (start - piece.offset);
                let offsets = Run { start, end: end.min(piece.end()) };
                return Given { session: Some(piece.session), first, offsets };
            }
            if piece.offset > start {
                end = end.min(piece.offset);
            }
        }
        Given { session: None, first: start, offsets: Run { start, end } }
    }
}

impl Readers {
    pub(crate) fn reset(&mut self) {
        self.consumers.clear();
        self.lanes.clear();
        self.duties.clear();
        self.early.clear();
        self.backwards.clear();
        self.shared.clear();
        (self.given, self.returned, self.transactional) = (0, 0, 0);
    }

    /// Whether no consumer was ever seen.
    pub(crate) const fn is_empty(&self) -> bool {
        self.consumers.is_empty() && self.lanes.is_empty()
    }

    /// A consumer, if its start is known.
    pub(crate) fn consumer(&self, consumer: ConsumerId) -> Option<&Consumer> {
        self.consumers.get(consumer.index())?.as_ref()
    }

    /// Whether a consumer reads committed records only.
    pub(crate) fn reads_committed(&self, consumer: ConsumerId) -> bool {
        let known = self.consumer(consumer);
        known.is_some_and(|known| known.isolation == IsolationLevel::ReadCommitted)
    }

    /// Whether a consumer is there and has not stopped.
    pub(crate) fn is_alive(&self, consumer: ConsumerId) -> bool {
        self.consumer(consumer).is_some_and(|known| !known.is_stopped)
    }

    /// The clients whose consumers share some work, ascending.
    pub(crate) fn clients_of(&self, scope: Scope) -> Vec<ClientId> {
        let ours = |consumer: &Consumer| match scope {
            Scope::Group(group) => consumer.group == Some(group),
            Scope::Client(client) => consumer.group.is_none() && consumer.client == client,
            Scope::Stranger(_) => false,
        };
        let consumers = self.consumers.iter().flatten().filter(|consumer| ours(consumer));
        let mut clients: Vec<ClientId> = consumers.map(|consumer| consumer.client).collect();
        clients.sort_unstable();
        clients.dedup();
        clients
    }

    /// Whether anybody who shares some work reads committed records only.
    pub(crate) fn scope_reads_committed(&self, scope: Scope) -> bool {
        let mut consumers = (0..self.consumers.len()).map(|index| ConsumerId::new(index as u16));
        consumers.any(|consumer| self.scope(consumer) == scope && self.reads_committed(consumer))
    }

    fn lane(&mut self, consumer: ConsumerId, partition: TopicPartition) -> &mut ReadLane {
        let ours = |lane: &ReadLane| (lane.consumer, lane.partition) == (consumer, partition);
        let at = self.lanes.iter().rposition(ours).unwrap_or_else(|| {
            self.lanes.push(ReadLane { consumer, partition, ..ReadLane::default() });
            self.lanes.len() - 1
        });
        &mut self.lanes[at]
    }

    /// Takes in a fact about consumers, and the transaction that is open where records become
    /// messages.
    pub(super) fn on_fact(&mut self, seen: FactRef, fact: &Fact, transaction: Option<u32>) {
        match *fact {
            Fact::ConsumerStarted { client, consumer, group, isolation } => {
                if self.consumers.len() <= consumer.index() {
                    self.consumers.resize(consumer.index() + 1, None);
                }
                let known = Consumer { client, group, isolation, is_stopped: false };
                self.consumers[consumer.index()] = Some(known);
            }
            Fact::ConsumerStopped { consumer, .. } => {
                if let Some(Some(known)) = self.consumers.get_mut(consumer.index()) {
                    known.is_stopped = true;
                }
            }
            Fact::PartitionAssigned { consumer, partition, generation } => {
                self.assigned(seen, (consumer, partition), generation);
            }
            Fact::PartitionRevoked { consumer, partition, .. } => {
                let lane = self.lane(consumer, partition);
                (lane.generation, lane.position) = (None, None);
                lane.stretch += 1;
            }
            Fact::PositionSet { consumer, partition, offset, source } => {
                let offset = offset.get();
                let lane = self.lane(consumer, partition);
                let before = lane.position.replace(offset);
                if matches!(source, PositionSource::Truncation | PositionSource::Earliest) {
                    lane.forget_passed(offset);
                }
                lane.stretch += 1;
                let is_ahead = before.is_some_and(|before| before < offset);
                let duty = self.duty(consumer, partition);
                duty.placed(offset, source);
                duty.was_skipped |= is_ahead && source == PositionSource::Seek;
            }
            Fact::RecordsProcessed { consumer, partition, base_offset, count, known } => {
                let run = Run::of(base_offset.get(), u64::from(count));
                self.processed((consumer, partition), run, u64::from(known));
            }
            Fact::RecordsTransformed {
                consumer,
                partition,
                base_offset,
                count,
                session,
                message,
            } => {
                let mut run = Run::of(base_offset.get(), u64::from(count));
                while !run.is_empty() {
                    let given = self.lane(consumer, partition).given_at(run);
                    let message = message + (run.start - base_offset.get());
                    run.start = given.offsets.end;
                    let transformed = Transformed { given, session, message, transaction };
                    self.duty(consumer, partition).transformed.push(transformed);
                }
            }
            Fact::OffsetCommitReturned { consumer, partition, offset, error, .. } => {
                let duty = self.duty(consumer, partition);
                match error {
                    None => duty.committed = duty.committed.max(offset.get()),
                    Some(_) => duty.commit_failed = true,
                }
            }
            _ => {}
        }
    }

    /// Records were processed; some of them had no effect, because the application knew them.
    fn processed(
        &mut self,
        (consumer, partition): (ConsumerId, TopicPartition),
        mut offsets: Run,
        known: u64,
    ) {
        let mut left_out = known;
        self.duty(consumer, partition).effects += offsets.len().saturating_sub(known);
        while !offsets.is_empty() {
            let given = self.lane(consumer, partition).given_at(offsets);
            offsets.start = given.offsets.end;
            self.duty(consumer, partition).processed(given, &mut left_out);
        }
    }

    fn assigned(
        &mut self,
        seen: FactRef,
        (consumer, partition): (ConsumerId, TopicPartition),
        generation: u32,
    ) {
        let lane = self.lane(consumer, partition);
        (lane.generation, lane.position) = (Some(generation), None);
        lane.stretch += 1;
        let group = self.consumer(consumer).and_then(|known| known.group);
        if generation == 0 || group.is_none() {
            return;
        }
        self.given += 1;
        let is_rival = |lane: &ReadLane| {
            let known = self.consumer(lane.consumer);
            lane.partition == partition
                && lane.consumer != consumer
                && lane.generation == Some(generation)
                && known.is_some_and(|known| known.group == group && !known.is_stopped)
        };
        if self.lanes.iter().any(is_rival) {
            self.shared.push(Shared { consumer, partition, fact: seen });
        }
    }

    /// poll() returned records.
    fn returned(
        &mut self,
        seen: FactRef,
        (consumer, partition): (ConsumerId, TopicPartition),
        (session, run): (SessionId, Run),
        offset: u64,
    ) {
        self.returned += run.len();
        let lane = self.lane(consumer, partition);
        let end = offset.saturating_add(run.len());
        let is_backwards = lane.position.is_some_and(|position| offset < position);
        if let Some(position) = lane.position.filter(|position| *position < offset) {
            let (offsets, behind) = (Run { start: position, end: offset }, (session, run.start));
            lane.passed.push(Passed { offsets, behind: Some(behind) });
        }
        lane.position = Some(lane.position.map_or(end, |position| position.max(end)));
        let stretch = lane.stretch;
        match lane.returned.last_mut() {
            Some(last)
                if last.end() == offset
                    && last.run.end == run.start
                    && (last.session, last.stretch) == (session, stretch) =>
            {
                last.run.end = run.end;
            }
            _ => lane.returned.push(Returned { offset, session, run, stretch }),
        }
        if is_backwards {
            let known = Backwards { consumer, partition, session, run, offset, fact: seen };
            self.backwards.push(known);
        }
    }
}

impl Told {
    /// The consumers, of which many runs have none.
    pub(crate) fn readers(&self) -> Option<&Readers> {
        self.readers.as_deref().filter(|readers| !readers.is_empty())
    }

    /// Takes in a fact about transactions or consumers.
    #[cold]
    pub(super) fn on_other_fact(&mut self, seen: FactRef, fact: &Fact) {
        match *fact {
            Fact::ProducerStateChanged { .. }
            | Fact::TransactionsInitialized { .. }
            | Fact::TransactionBegun { .. }
            | Fact::OffsetsAddedToTransaction { .. }
            | Fact::TransactionEnding { .. }
            | Fact::TransactionEnded { .. }
            | Fact::TransactionCallFailed { .. } => {
                self.transactions.get_or_insert_default().on_fact(seen, fact);
            }
            Fact::RecordsReturned { consumer, partition, base_offset, count, session, first } => {
                let run = Run::of(first, u64::from(count));
                let offset = base_offset.get();
                let lane = self.find_lane(session, partition);
                let readers = self.readers.get_or_insert_default();
                readers.returned(seen, (consumer, partition), (session, run), offset);
                if let Some(lane) = lane.filter(|_| readers.reads_committed(consumer)) {
                    self.note_early(seen, consumer, (lane, run), offset);
                }
            }
            _ => {
                let open = match (*fact, &self.transactions) {
                    (Fact::RecordsTransformed { session, .. }, Some(known)) => known.open(session),
                    _ => None,
                };
                self.readers.get_or_insert_default().on_fact(seen, fact, open);
            }
        }
    }

    /// Sees whether somebody had asked for the commit of records that a consumer was given.
    fn note_early(
        &mut self,
        seen: FactRef,
        consumer: ConsumerId,
        (lane, run): (usize, Run),
        offset: u64,
    ) {
        let (Some(transactions), Some(readers)) = (&self.transactions, &mut self.readers) else {
            return;
        };
        for member in transactions.members_of(lane, run) {
            readers.transactional += member.run.len();
            let asked = transactions.get(member.transaction).and_then(|t| t.asked_commit);
            if asked.is_none() {
                let offset = offset + (member.run.start - run.start);
                let (transaction, run) = (member.transaction, member.run);
                let fact = seen;
                readers.early.push(Early { consumer, lane, run, transaction, offset, fact });
            }
        }
    }
}
