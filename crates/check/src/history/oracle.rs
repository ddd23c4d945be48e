//! The facts that no user sees.

use super::{History, Identity};
use crate::entry::Entry;
use crate::partition::TakeOver;
use crate::runs::Run;
use crate::verdict::{Aspect, CheckerId, FactRef};
use inflight_protocol::fact::AppendOrigin;
use inflight_protocol::ids::{
    BrokerId, Offset, ProducerEpoch, ProducerId, SessionId, TopicPartition,
};
use inflight_protocol::{ErrorCode, Fact};

impl History {
    #[inline]
    pub(super) fn on_oracle_fact(&mut self, seen: FactRef, fact: &Fact) {
        match *fact {
            Fact::BatchAppended { broker, partition, session, origin, .. } => {
                let Some(entry) = Entry::of(fact) else { return };
                let index = self.at(partition);
                if origin == AppendOrigin::Client {
                    let lane = self.lane(session, partition);
                    self.appended(seen, (broker, partition, lane), entry);
                } else {
                    self.partitions[index].logs.append(broker, entry, origin);
                }
            }
            Fact::HighWatermarkAdvanced { broker, partition, to, .. } => {
                self.watermark(seen, broker, partition, to);
            }
            Fact::RecordsAcked { session, partition, first, count, base_offset, .. } => {
                let run = Run::of(first, u64::from(count));
                self.acked(seen, (session, partition), run, base_offset);
            }
            Fact::BatchDrained { session, partition, first, count, .. } => {
                let lane = self.lane(session, partition);
                self.traces[lane].drained.insert(Run::of(first, u64::from(count)));
            }
            _ => self.on_rare_fact(seen, fact),
        }
    }

    /// What a quiet run does not have, except at its start.
    fn on_rare_fact(&mut self, seen: FactRef, fact: &Fact) {
        match *fact {
            Fact::BatchRequeued { session, partition, first, count, error, .. } => {
                let lane = self.lane(session, partition);
                if !is_certain(error) {
                    self.traces[lane].doubtful.insert(Run::of(first, u64::from(count)));
                }
            }
            Fact::DuplicateRecognized {
                broker,
                partition,
                base_offset,
                session,
                first,
                count,
                ..
            } => {
                let run = Run::of(first, u64::from(count));
                self.recognised(seen, (broker, partition), (session, run), base_offset);
            }
            Fact::BatchRejected { broker, partition, session, first, count, sequence, error } => {
                let run = Run::of(first, u64::from(count));
                if ends_producer(error) {
                    let lane = self.lane(session, partition);
                    self.traces[lane].refused.insert(run);
                }
                let sequence = sequence.filter(|_| error == ErrorCode::OutOfOrderSequenceNumber);
                if let Some(sequence) = sequence {
                    self.refused(seen, (broker, partition), (session, run), sequence);
                }
            }
            Fact::ProducerStateExpired { broker, partition, producer_id } => {
                let index = self.at(partition);
                let end = self.partitions[index].logs.replica(broker).end;
                self.partitions[index].happened.state_expired = true;
                self.producers[index].expire(broker, producer_id, end);
            }
            Fact::ProducerIdAssigned { session, producer_id, producer_epoch }
            | Fact::ProducerEpochBumped { session, producer_id, producer_epoch } => {
                self.identified(seen, session, producer_id, producer_epoch);
            }
            Fact::ProducerPaused { client } => {
                if self.paused.len() <= client.index() {
                    self.paused.resize(client.index() + 1, false);
                }
                self.paused[client.index()] = true;
            }
            Fact::BrokerCrashed { broker, surviving } => {
                self.calm.on_fact(seen.at, fact);
                self.partitions.iter_mut().for_each(|p| p.crashed(broker, surviving));
            }
            Fact::BrokerStopped { broker } => {
                self.partitions.iter_mut().for_each(|p| p.stopped(broker));
            }
            Fact::BrokerStarted { broker } => {
                self.calm.on_fact(seen.at, fact);
                self.partitions.iter_mut().for_each(|p| p.started(broker));
            }
            Fact::BrokerRegistered { broker, .. } => {
                self.partitions.iter_mut().for_each(|p| p.registered(broker));
            }
            _ => self.on_cluster_fact(seen, fact),
        }
    }

    /// What happens to leaders and logs.
    fn on_cluster_fact(&mut self, seen: FactRef, fact: &Fact) {
        match *fact {
            Fact::HighWatermarkRegressed { broker, partition, to, .. } => {
                let index = self.at(partition);
                self.partitions[index].logs.replica(broker).high_watermark = to.get();
            }
            Fact::LogTruncated { broker, partition, to, .. } => {
                self.truncated(seen, broker, partition, to);
            }
            Fact::LogFlushed { broker, partition, to } => {
                let index = self.at(partition);
                self.partitions[index].logs.replica(broker).flushed = to.get();
            }
            Fact::LogRecovered { broker, partition, from, to, high_watermark } => {
                let index = self.at(partition);
                let mark = high_watermark.get();
                self.partitions[index].recovered(broker, from.get(), to.get(), mark);
                self.lapse(index);
            }
            Fact::IsrProposed { partition, to, .. } => {
                let index = self.at(partition);
                self.partitions[index].isr_proposed(to);
            }
            Fact::IsrChanged { partition, from, to, elr, .. } => {
                let index = self.at(partition);
                self.partitions[index].isr_changed(seen.at, from, to, elr);
            }
            Fact::LeaderElected { partition, leader, leader_epoch, election } => {
                self.calm.on_fact(seen.at, fact);
                let index = self.at(partition);
                self.partitions[index].elected(seen.at, leader, leader_epoch, election);
            }
            Fact::BecameLeader { broker, partition, leader_epoch, high_watermark, .. } => {
                let index = self.at(partition);
                let mark = high_watermark.get();
                let taken = self.partitions[index].became_leader(broker, leader_epoch, mark);
                self.lapse(index);
                if let Some(taken) = taken {
                    self.took_over(seen, partition, taken);
                }
            }
            Fact::BecameFollower { broker, partition, .. } => {
                let index = self.at(partition);
                self.partitions[index].became_follower(broker);
            }
            _ => self.on_coordinated_fact(seen, fact),
        }
    }

    /// A partition's log became another one: what follows from it must be looked up anew.
    pub(super) fn lapse(&mut self, index: usize) {
        self.producers[index].lapse();
        if let Some(coordinated) = &mut self.coordinated {
            coordinated.lapse(index);
        }
    }

    #[inline]
    fn watermark(
        &mut self,
        seen: FactRef,
        broker: BrokerId,
        partition: TopicPartition,
        to: Offset,
    ) {
        self.examined.watermarks += 1;
        let index = self.at(partition);
        let logs = &mut self.partitions[index].logs;
        logs.replica(broker).high_watermark = to.get();
        let differs = logs.replica(broker).differs();
        if differs || (logs.owner() == Some(broker) && logs.replicas().any(|(_, r)| r.differs())) {
            self.compare_logs(seen, partition);
        }
    }

    /// Some replica's log differs from the leader's: sees whether it may.
    #[cold]
    fn compare_logs(&mut self, seen: FactRef, partition: TopicPartition) {
        let state = &self.partitions[partition.index()];
        let armed = state.committed_armed();
        // After losses logs differ until everybody has followed; that is looked at in the end.
        if armed.excuse().is_some() {
            return;
        }
        let Some(offset) = state.logs.replicas().find_map(|(broker, _)| state.mismatch(broker))
        else {
            return;
        };
        let checker = CheckerId::LogMatching;
        let noted = self.incidents.iter().any(|known| {
            known.checker == checker && known.partition == partition && known.offset == Some(offset)
        });
        if !noted {
            let incident = seen.incident(checker, Aspect::Plain, partition).at_offset(offset);
            self.incidents.push(incident.armed(armed));
        }
    }

    fn truncated(
        &mut self,
        seen: FactRef,
        broker: BrokerId,
        partition: TopicPartition,
        to: Offset,
    ) {
        self.examined.truncations += 1;
        let index = self.at(partition);
        let state = &mut self.partitions[index];
        let cut = state.truncated(broker, to.get());
        self.lapse(index);
        if cut.is_some() {
            let incident = seen.incident(CheckerId::Truncation, Aspect::Plain, partition);
            let armed = self.partitions[index].committed_armed();
            self.incidents.push(incident.at_offset(to.get()).armed(armed));
        }
    }

    /// A broker leads after another one did.
    fn took_over(&mut self, seen: FactRef, partition: TopicPartition, taken: TakeOver) {
        self.examined.leaders += 1;
        if taken.agreed < taken.committed || taken.forgotten {
            let aspect = if taken.forgotten { Aspect::Forgotten } else { Aspect::Plain };
            let incident = seen.incident(CheckerId::LeaderCompleteness, aspect, partition);
            let armed = self.partitions[partition.index()].committed_armed();
            self.incidents.push(incident.at_offset(taken.agreed).armed(armed));
        }
    }

    pub(super) fn identified(
        &mut self,
        seen: FactRef,
        session: SessionId,
        id: ProducerId,
        epoch: ProducerEpoch,
    ) {
        self.examined.identities += 1;
        let mut rivals = self.identities.iter().enumerate().filter(|(other, identity)| {
            *other != session.index() && (identity.id, identity.epoch) == (Some(id), epoch)
        });
        let live = |(other, _): (usize, _)| !self.told.is_stopped(SessionId::new(other as u16));
        if rivals.any(live) {
            let none = TopicPartition::new(0);
            let incident = seen.incident(CheckerId::UniqueIdentity, Aspect::Plain, none);
            self.incidents.push(incident);
        }
        if self.identities.len() <= session.index() {
            self.identities.resize(session.index() + 1, Identity::default());
        }
        let identity = &mut self.identities[session.index()];
        identity.has_changed |= identity.id.is_some();
        (identity.id, identity.epoch) = (Some(id), epoch);
    }
}

/// Whether an error of a batch tells for certain that the broker wrote nothing.
pub(crate) const fn is_certain(error: ErrorCode) -> bool {
    matches!(
        error,
        ErrorCode::TopicAuthorizationFailed
            | ErrorCode::ClusterAuthorizationFailed
            | ErrorCode::UnknownTopicOrPartition
            | ErrorCode::InvalidTopicException
            | ErrorCode::InvalidRequiredAcks
            | ErrorCode::InvalidRecord
            | ErrorCode::InvalidTimestamp
            | ErrorCode::MessageTooLarge
            | ErrorCode::RecordListTooLarge
            | ErrorCode::NotEnoughReplicas
            | ErrorCode::InvalidTxnState
            | ErrorCode::InvalidProducerEpoch
            | ErrorCode::ProducerFenced
    )
}

/// Whether an error may end the producer, which then gives it to every batch that waits for an
/// answer; it knows INVALID_PRODUCER_EPOCH from leaders alone. Kafka:
/// TransactionManager.transitionToFatalError, Sender.maybeAbortBatches.
pub(crate) const fn ends_producer(error: ErrorCode) -> bool {
    matches!(
        error,
        ErrorCode::ClusterAuthorizationFailed
            | ErrorCode::InvalidTxnState
            | ErrorCode::ProducerFenced
    )
}
