//! The facts about transactions that no user sees.

use super::History;
use crate::entry::Entry;
use crate::logs::Appended;
use crate::plan::Role;
use crate::runs::Run;
use crate::verdict::{Aspect, CheckerId, FactRef};
use inflight_protocol::fact::AppendOrigin;
use inflight_protocol::ids::{BrokerId, Offset, TopicPartition};
use inflight_protocol::{Fact, TransactionResult};

impl History {
    /// What only runs with transactions or groups have.
    pub(super) fn on_coordinated_fact(&mut self, seen: FactRef, fact: &Fact) {
        match *fact {
            Fact::MarkerAppended { broker, partition, origin, .. } => {
                if let Some(entry) = Entry::of_control(fact) {
                    self.marked(seen, (broker, partition, origin), entry);
                }
            }
            Fact::InternalRecordsAppended { broker, partition, origin, .. } => {
                let Some(entry) = Entry::of_control(fact) else { return };
                let index = self.at(partition);
                let appended = self.partitions[index].logs.append(broker, entry, origin);
                if appended == Appended::Rewritten {
                    self.lapse(index);
                }
            }
            Fact::LastStableOffsetAdvanced { broker, partition, to, .. } => {
                self.stable_moved(seen, broker, partition, to);
            }
            Fact::TransactionsInitialized { session, producer_id, producer_epoch, .. } => {
                self.coordinated.get_or_insert_default().on_id_fact(seen, fact, false);
                let known = self.identities.get(session.index());
                if known.is_none_or(|k| (k.id, k.epoch) != (Some(producer_id), producer_epoch)) {
                    self.identified(seen, session, producer_id, producer_epoch);
                }
            }
            Fact::TransactionStatePending { .. }
            | Fact::TransactionStateChanged { .. }
            | Fact::TransactionPartitionAdded { .. }
            | Fact::TransactionVerified { .. }
            | Fact::TransactionTimedOut { .. } => {
                let bumps_epochs = self.plan.cluster.bumps_epochs();
                let coordinated = self.coordinated.get_or_insert_default();
                if coordinated.on_id_fact(seen, fact, bumps_epochs) {
                    let none = TopicPartition::new(0);
                    let incident = seen.incident(CheckerId::Fencing, Aspect::ZombieCommit, none);
                    self.incidents.push(incident);
                }
            }
            Fact::CoordinatorLoaded { .. } | Fact::CoordinatorUnloaded { .. } => {
                let coordinated = self.coordinated.get_or_insert_default();
                coordinated.on_id_fact(seen, fact, false);
                coordinated.offsets.on_fact(seen, fact);
            }
            Fact::GroupOffsetPending { .. } | Fact::GroupOffsetCommitted { .. } => {
                self.coordinated.get_or_insert_default().offsets.on_fact(seen, fact);
            }
            Fact::LinkCut { .. }
            | Fact::LinkHealed { .. }
            | Fact::BrokerPaused { .. }
            | Fact::BrokerResumed { .. } => self.calm.on_fact(seen.at, fact),
            _ => {}
        }
    }

    /// Makes what is known of a partition's open transactions be about its log up to an offset.
    fn catch_up(&mut self, partition: TopicPartition, end: u64) {
        let Some(transactions) = self.told.transactions() else { return };
        let log = self.partitions[partition.index()].logs.spine(0, end);
        let is_transactional =
            |entry: &Entry| entry.is_records() && transactions.is_transactional(entry.session);
        let coordinated = self.coordinated.get_or_insert_default();
        coordinated.stable(partition.index()).catch_up(log, is_transactional);
    }

    /// A leader appended a producer's batch at the end of its log, in a run with transactions.
    #[cold]
    pub(super) fn appended_in_transaction(
        &mut self,
        seen: FactRef,
        partition: TopicPartition,
        entry: &Entry,
    ) {
        let transactions = self.told.transactions();
        if transactions.is_none_or(|known| !known.is_transactional(entry.session)) {
            return;
        }
        self.catch_up(partition, entry.offset);
        let coordinated = self.coordinated.get_or_insert_default();
        coordinated.examined.batches += 1;
        let begins = coordinated.stable(partition.index()).begin(entry);
        if begins && !coordinated.may_know(partition, entry) {
            let incident = seen.incident(CheckerId::KnownTransactions, Aspect::Plain, partition);
            let run = Run::of(entry.first, entry.count);
            self.incidents.push(incident.about(entry.session, run).at_offset(entry.offset));
        }
    }

    /// A broker has a marker in its log.
    fn marked(
        &mut self,
        seen: FactRef,
        (broker, partition, origin): (BrokerId, TopicPartition, AppendOrigin),
        marker: Entry,
    ) {
        let index = self.at(partition);
        let before = self.partitions[index].logs.end();
        match self.partitions[index].logs.append(broker, marker, origin) {
            Appended::Grown => {}
            Appended::Rewritten => return self.lapse(index),
            Appended::Copied => return,
        }
        self.producers[index].mark(&marker);
        self.catch_up(partition, before);
        let coordinated = self.coordinated.get_or_insert_default();
        coordinated.examined.markers += 1;
        let first = coordinated.stable(index).end(&marker);
        if let Some(id) = marker.producer_id {
            coordinated.note_marker(partition, id);
            let plan = self.plan.partitions.get(index);
            let is_offsets = plan.is_some_and(|plan| plan.role == Role::Offsets);
            if let Some(result) = marker.content.result().filter(|_| is_offsets) {
                coordinated.offsets.on_marker(seen, id, result);
            }
        }
        if let Some(first) = first {
            self.hold_against_marker(seen, partition, &marker, first);
        }
    }

    /// Holds a marker against the records of the transaction that it ends.
    fn hold_against_marker(
        &mut self,
        seen: FactRef,
        partition: TopicPartition,
        marker: &Entry,
        first: u64,
    ) {
        let Some(result) = marker.content.result() else { return };
        let (Some(transactions), Some(coordinated)) =
            (self.told.transactions(), &mut self.coordinated)
        else {
            return;
        };
        let timed_out = marker.producer_id.and_then(|id| coordinated.timed_out(id));
        let log = self.partitions[partition.index()].logs.spine(first, marker.offset);
        let ours = |e: &Entry| e.is_records() && e.producer_id == marker.producer_id;
        let mut ended: Option<u32> = None;
        for entry in log.filter(ours) {
            let Some(lane) = self.told.find_lane(entry.session, partition) else { continue };
            for member in transactions.members_of(lane, Run::of(entry.first, entry.count)) {
                let number = member.transaction;
                let aspect = match ended {
                    Some(other) if other == number => continue,
                    Some(_) => Some(Aspect::Mixed),
                    None => transactions.get(number).and_then(|transaction| {
                        let asked = match result {
                            TransactionResult::Commit => transaction.asked_commit,
                            TransactionResult::Abort => transaction.asked_abort,
                        };
                        // An abort of the coordinator's own raises the epoch, or says why.
                        let is_own = result == TransactionResult::Abort
                            && (marker.producer_epoch > entry.producer_epoch
                                || timed_out.is_some_and(|t| t.index > transaction.begun.index));
                        (asked.is_none() && !is_own).then_some(Aspect::WrongEnd)
                    }),
                };
                let differs = coordinated.mark(number, result).is_some_and(|other| other != result);
                ended.get_or_insert(number);
                if let Some(aspect) = aspect.or(differs.then_some(Aspect::Disagreed)) {
                    let incident = seen.incident(CheckerId::Markers, aspect, partition);
                    let incident = incident.about(entry.session, member.run);
                    self.incidents.push(incident.at_offset(marker.offset));
                }
            }
        }
    }

    /// A leader's last stable offset moved.
    fn stable_moved(
        &mut self,
        seen: FactRef,
        broker: BrokerId,
        partition: TopicPartition,
        to: Offset,
    ) {
        let index = self.at(partition);
        let state = &self.partitions[index];
        // Who is in a transaction in an internal topic nobody says.
        let is_data = state.plan.is_none_or(|plan| plan.role == Role::Data);
        let Some(replica) = state.logs.known(broker) else { return };
        if state.logs.owner() != Some(broker) || !is_data || self.told.transactions().is_none() {
            return;
        }
        let (mark, end) = (replica.high_watermark, replica.end);
        self.catch_up(partition, end);
        let coordinated = self.coordinated.get_or_insert_default();
        coordinated.examined.stable += 1;
        let is_allowed = coordinated.stable(index).allows(to.get(), mark);
        if mark > end || !is_allowed {
            let incident = seen.incident(CheckerId::StableOffset, Aspect::Plain, partition);
            self.incidents.push(incident.at_offset(to.get()));
        }
    }
}
