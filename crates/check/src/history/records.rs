//! The facts about records: appended, recognised, refused, acked.

use super::History;
use crate::entry::Entry;
use crate::logs::Appended;
use crate::producers::SequenceFault;
use crate::runs::Run;
use crate::verdict::{Aspect, CheckerId, FactRef};
use inflight_protocol::fact::AppendOrigin;
use inflight_protocol::ids::{BrokerId, Offset, SessionId, TopicPartition};
use inflight_protocol::{Acks, Sequence};

impl History {
    /// A broker appended what a producer sent.
    #[inline]
    pub(super) fn appended(
        &mut self,
        seen: FactRef,
        (broker, partition, lane): (BrokerId, TopicPartition, usize),
        entry: Entry,
    ) {
        let run = Run::of(entry.first, entry.count);
        self.examined.appends += 1;
        let known = &self.traces[lane].appended;
        let next = run.start == known.end() && run.start == known.len();
        if !next {
            self.appended_oddly(seen, (broker, partition, lane), &entry);
        }
        let plain = next && run.end <= self.told.lanes()[lane].queued.end();
        self.traces[lane].appended.insert(run);
        let index = partition.index();
        let state = &mut self.partitions[index];
        let before = state.logs.end();
        let appended = state.logs.append(broker, entry, AppendOrigin::Client);
        state.is_plain &= plain && appended == Appended::Grown;
        match appended {
            Appended::Grown => {}
            Appended::Rewritten => return self.lapse(index),
            Appended::Copied => return,
        }
        if self.told.transactions().is_some() {
            self.appended_in_transaction(seen, partition, &entry);
        }
        if entry.producer_id.is_some() {
            self.examined.sequences += 1;
            self.examined.decisions += 1;
            let logs = &self.partitions[index].logs;
            let log = || logs.spine(0, before);
            if let Some(fault) = self.producers[index].append(broker, log, &entry) {
                self.sequence_fault(seen, partition, &entry, fault);
            }
        }
        let many = self.partitions[index].logs.entries() > self.settled.limits.max;
        // What consumers were given is held against the log in the end.
        if many && !self.plan.is_coordinated && self.told.is_simple() {
            self.settle(partition);
        }
    }

    /// A broker appended something else than the next records of a lane.
    #[cold]
    fn appended_oddly(
        &mut self,
        seen: FactRef,
        (broker, partition, lane): (BrokerId, TopicPartition, usize),
        entry: &Entry,
    ) {
        let run = Run::of(entry.first, entry.count);
        let logs = &self.partitions[partition.index()].logs;
        let trace = &self.traces[lane];
        if logs.owner() != Some(broker) || trace.appended.overlap(run) == 0 {
            return;
        }
        let forgotten = trace.seen.present.common_runs(run).next().map(|both| (both, None));
        let again = forgotten.or_else(|| {
            let same = logs.newest_first().filter(|known| known.session == entry.session);
            let both = |known: &Entry| (run.meet(Run::of(known.first, known.count)), *known);
            let (both, known) = same.map(both).find(|(both, _)| !both.is_empty())?;
            Some((both, Some(known.offset + (both.start - known.first))))
        });
        if let Some((both, offset)) = again {
            let incident = seen.incident(CheckerId::DoubleAppend, Aspect::Plain, partition);
            let mut incident = incident.about(entry.session, both);
            incident.offset = offset;
            self.incidents.push(incident);
        }
    }

    #[cold]
    fn sequence_fault(
        &mut self,
        seen: FactRef,
        partition: TopicPartition,
        entry: &Entry,
        fault: SequenceFault,
    ) {
        use CheckerId::{ProducerState, Sequences};
        let (checkers, aspect): (&[CheckerId], Aspect) = match fault {
            SequenceFault::Unanchored => (&[Sequences], Aspect::Unanchored),
            SequenceFault::Skipped => (&[Sequences, ProducerState], Aspect::Skipped),
            SequenceFault::Repeated => (&[Sequences, ProducerState], Aspect::Repeated),
            SequenceFault::OldEpoch => (&[ProducerState], Aspect::OldEpoch),
        };
        for checker in checkers {
            let incident = seen.incident(*checker, aspect, partition).at_offset(entry.offset);
            let records = Run::of(entry.first, entry.count);
            self.incidents.push(incident.about(entry.session, records));
        }
    }

    /// An application was told that records are delivered.
    #[inline]
    pub(super) fn acked(
        &mut self,
        seen: FactRef,
        (session, partition): (SessionId, TopicPartition),
        run: Run,
        base_offset: Option<Offset>,
    ) {
        let lane = self.lane(session, partition);
        if !self.traces[lane].appended.covers(run) {
            self.acked_from_nowhere(seen, lane, run);
        }
        let index = self.at(partition);
        let state = &mut self.partitions[index];
        if let Some(base) = base_offset {
            state.is_plain &= state.logs.holds(base.get(), session, run);
        }
    }

    /// Records were acked that no leader ever appended.
    #[cold]
    fn acked_from_nowhere(&mut self, seen: FactRef, lane: usize, run: Run) {
        let told = &self.told.lanes()[lane];
        if self.plan.client(told.client).acks == Acks::None {
            return;
        }
        for missing in self.traces[lane].appended.missing(run) {
            let incident =
                seen.incident(CheckerId::TruthfulErrors, Aspect::FalseAck, told.partition);
            self.incidents.push(incident.about(told.session, missing));
        }
    }

    /// A leader took a batch for one that it has.
    pub(super) fn recognised(
        &mut self,
        seen: FactRef,
        (broker, partition): (BrokerId, TopicPartition),
        (session, run): (SessionId, Run),
        base_offset: Offset,
    ) {
        self.examined.decisions += 1;
        let index = self.at(partition);
        let logs = &self.partitions[index].logs;
        if logs.owner() == Some(broker) && !logs.holds(base_offset.get(), session, run) {
            self.disagreement(seen, partition, (session, run), Aspect::WrongDuplicate);
        }
    }

    /// A leader refused a batch for its sequence.
    pub(super) fn refused(
        &mut self,
        seen: FactRef,
        (broker, partition): (BrokerId, TopicPartition),
        (session, run): (SessionId, Run),
        sequence: Sequence,
    ) {
        self.examined.decisions += 1;
        let index = self.at(partition);
        let identity = self.identities.get(session.index()).copied().unwrap_or_default();
        // Nobody says when a transaction has raised the epoch.
        let is_transactional =
            self.told.transactions().is_some_and(|known| known.is_transactional(session));
        let has_changed = identity.has_changed || is_transactional;
        let Some(id) = identity.id.filter(|_| !has_changed) else { return };
        if self.partitions[index].logs.owner() != Some(broker) {
            return;
        }
        let producers = &self.producers[index];
        if producers.is_next(id, identity.epoch, sequence) {
            self.disagreement(seen, partition, (session, run), Aspect::RefusedNext);
        } else if producers.is_last(id, identity.epoch, (sequence, run.len())) {
            self.disagreement(seen, partition, (session, run), Aspect::RefusedDuplicate);
        }
    }

    /// A leader's decision does not fit its own log.
    #[cold]
    fn disagreement(
        &mut self,
        seen: FactRef,
        partition: TopicPartition,
        (session, run): (SessionId, Run),
        aspect: Aspect,
    ) {
        let incident = seen.incident(CheckerId::ProducerState, aspect, partition);
        self.incidents.push(incident.about(session, run));
    }
}
