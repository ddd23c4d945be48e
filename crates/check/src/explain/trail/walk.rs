//! Follows one record from fact to fact.

use super::{Ack, Attempt, Copy, Loss, Record, Trail};
use crate::explain::electable::Electable;
use inflight_des::Instant;
use inflight_protocol::fact::{AppendOrigin, Direction};
use inflight_protocol::ids::{
    BrokerId, BrokerSet, ClientId, LeaderEpoch, Node, SessionId, TopicPartition,
};
use inflight_protocol::{ApiKey, Fact};
use inflight_trace::{Description, Namer};

/// Follows one record through all facts.
pub(in crate::explain) fn follow(
    description: &Description,
    facts: &[(Instant, Fact)],
    record: Record,
) -> Trail {
    let replicas = description.replica_set(record.partition);
    let mut walk = Walk {
        client: Namer::of(description, facts).client_of(record.session),
        electable: Electable::new(record.partition, replicas),
        isr_changed: None,
        elected_from: replicas,
        leader: None,
        elected: None,
        holds: false,
        trail: Trail::new(record),
    };
    for (index, (at, fact)) in facts.iter().enumerate() {
        let begun = walk.trail.has_begun();
        let matters = walk.on_client_fact(index, fact)
            || walk.on_network_fact(index, fact)
            || walk.on_log_fact(index, fact)
            || walk.on_cluster_fact(index, *at, fact);
        if !begun && walk.trail.has_begun() && walk.electable.isr != replicas {
            // Who was in sync when it began.
            walk.trail.steps.extend(walk.isr_changed);
        }
        if matters {
            walk.trail.steps.push(index);
        }
    }
    walk.trail
}

struct Walk {
    client: Option<ClientId>,
    electable: Electable,
    /// When that last changed.
    isr_changed: Option<usize>,
    /// Who could be elected before the last election.
    elected_from: BrokerSet,
    /// The last broker that took over.
    leader: Option<BrokerId>,
    /// The last election: the fact, who was elected, and the epoch.
    elected: Option<(usize, Option<BrokerId>, LeaderEpoch)>,
    /// Whether the leader has the record.
    holds: bool,
    trail: Trail,
}

impl Walk {
    fn is_ours(
        &self,
        session: SessionId,
        partition: TopicPartition,
        first: u64,
        count: u32,
    ) -> bool {
        let record = &self.trail.record;
        (session, partition) == (record.session, record.partition)
            && (first..first.saturating_add(u64::from(count))).contains(&record.ordinal)
    }

    fn on_client_fact(&mut self, index: usize, fact: &Fact) -> bool {
        let trail = &self.trail;
        let ordinal = trail.record.ordinal;
        match *fact {
            Fact::RecordsQueued { session, partition, first, count, message, .. }
                if self.is_ours(session, partition, first, count) =>
            {
                self.trail.queued = Some(index);
                self.trail.message = Some(message + (ordinal - first));
            }
            Fact::BatchDrained {
                session, partition, first, count, broker, correlation, ..
            } if self.is_ours(session, partition, first, count) => {
                self.trail.attempts.push(Attempt {
                    drained: index,
                    broker,
                    correlation,
                    connection: None,
                    delivered: None,
                    handled: false,
                    response_lost: None,
                    closed: None,
                    requeued: None,
                });
            }
            Fact::BatchRequeued { session, partition, first, count, error, .. }
                if self.is_ours(session, partition, first, count) =>
            {
                if let Some(attempt) = self.trail.attempts.last_mut() {
                    attempt.requeued = Some((index, error));
                }
            }
            Fact::SequenceRewritten { session, partition, first, count, .. }
                if self.is_ours(session, partition, first, count) =>
            {
                self.trail.rewritten = Some(index);
            }
            Fact::BatchExpired { session, partition, first, count, .. } => {
                return self.is_ours(session, partition, first, count);
            }
            Fact::RecordsAcked { session, partition, first, count, base_offset, .. }
                if self.is_ours(session, partition, first, count) =>
            {
                let offset = base_offset.map(|base| base.plus(ordinal - first));
                let (isr, holders) = (self.electable.isr, trail.holders());
                let claimed = trail.claimed;
                let leader = self.elected.map_or(self.leader, |(_, elected, _)| elected);
                self.trail.acked = Some(Ack { index, offset, isr, holders, claimed, leader });
            }
            Fact::RecordsFailed { session, partition, first, count, error, .. }
                if self.is_ours(session, partition, first, count) =>
            {
                self.trail.failed = Some((index, error));
            }
            Fact::ProducerStopped { session, .. } if session == trail.record.session => {
                self.trail.stopped = Some(index);
                return self.trail.acked.is_none() && self.trail.failed.is_none();
            }
            Fact::ProducerEpochBumped { session, .. } => {
                let told = trail.acked.is_some() || trail.failed.is_some();
                return session == trail.record.session && trail.has_begun() && !told;
            }
            _ => return false,
        }
        true
    }

    fn on_network_fact(&mut self, index: usize, fact: &Fact) -> bool {
        let ours = self.client.map(Node::Client);
        let mut attempts = self.trail.attempts.iter_mut().rev();
        match *fact {
            Fact::MessageSent {
                from, to, connection, correlation, api: ApiKey::Produce, ..
            } => {
                let mut sent = attempts.filter(|attempt| attempt.correlation == correlation);
                let sent = sent.find(|attempt| Node::Broker(attempt.broker) == to);
                if let Some(attempt) = sent.filter(|_| Some(from) == ours) {
                    attempt.connection = Some(connection);
                }
                false
            }
            Fact::MessageDelivered {
                from,
                connection,
                correlation,
                api: ApiKey::Produce,
                direction: Direction::Request,
                ..
            } => {
                // The client's next process counts from the beginning again.
                let mut sent = attempts.filter(|attempt| {
                    attempt.correlation == correlation
                        && attempt.delivered.is_none()
                        && attempt.connection.is_none_or(|known| known == connection)
                });
                if let Some(attempt) = sent.next().filter(|_| Some(from) == ours) {
                    attempt.delivered = Some(index);
                }
                false
            }
            Fact::ConnectionClosed { connection, at, .. } => {
                let told = self.trail.acked.is_some() || self.trail.failed.is_some();
                let waits = attempts.next().filter(|attempt| attempt.requeued.is_none());
                let waits = waits.filter(|a| a.connection.is_none_or(|known| known == connection));
                let Some(attempt) = waits.filter(|_| Some(at) == ours && !told) else {
                    return false;
                };
                attempt.closed.get_or_insert(index);
                true
            }
            Fact::MessageLost {
                from, to, correlation, api: ApiKey::Produce, direction, ..
            } => {
                let (client, broker) = match direction {
                    Direction::Request => (from, to),
                    Direction::Response => (to, from),
                };
                let lost = attempts.find(|attempt| {
                    attempt.correlation == correlation && Node::Broker(attempt.broker) == broker
                });
                let Some(attempt) = lost.filter(|_| ours == Some(client)) else { return false };
                if direction == Direction::Response {
                    attempt.response_lost = Some(index);
                }
                true
            }
            _ => false,
        }
    }

    fn on_log_fact(&mut self, index: usize, fact: &Fact) -> bool {
        match *fact {
            Fact::BatchAppended { partition, session, first, count, .. } => {
                let ours = self.is_ours(session, partition, first, count);
                if ours {
                    self.appended(index, fact);
                }
                return ours;
            }
            Fact::DuplicateRecognized { broker, partition, session, first, count, .. }
                if self.is_ours(session, partition, first, count) =>
            {
                self.trail.handle(broker);
                self.trail.recognised.push(index);
            }
            Fact::BatchRejected { broker, partition, session, first, count, error, .. }
                if self.is_ours(session, partition, first, count) =>
            {
                self.trail.handle(broker);
                self.trail.rejected.push((index, broker, error));
            }
            Fact::ProduceDecided { partition, session, first, count, error: Some(_), .. } => {
                return self.is_ours(session, partition, first, count);
            }
            Fact::LogTruncated { broker, partition, to, .. }
            | Fact::LogRecovered { broker, partition, to, .. } => {
                return partition == self.trail.record.partition
                    && self.removed(index, broker, to.get());
            }
            Fact::FollowerAdvanced { broker, partition, follower, log_end_offset } => {
                let counts = |copy: &Copy| {
                    copy.broker == broker
                        && copy.removed.is_none()
                        && copy.offset < log_end_offset.get()
                };
                let ours = partition == self.trail.record.partition;
                if ours && self.trail.copies.iter().any(counts) {
                    self.trail.claimed = self.trail.claimed.with(follower);
                }
                return false;
            }
            Fact::HighWatermarkAdvanced { broker, partition, from, to } => {
                let passes = |copy: &Copy| {
                    copy.broker == broker
                        && copy.origin == AppendOrigin::Client
                        && copy.removed.is_none()
                        && (from.get()..to.get()).contains(&copy.offset)
                };
                let ours = partition == self.trail.record.partition;
                return ours && self.trail.copies.iter().any(passes);
            }
            Fact::ProducerStateExpired { broker, partition, producer_id } => {
                let known = self.trail.copies.iter().filter_map(|copy| copy.wire);
                let ours = partition == self.trail.record.partition
                    && known.into_iter().any(|(id, ..)| id == producer_id);
                if ours {
                    self.trail.state_expired.push((index, broker));
                }
                return ours;
            }
            _ => return false,
        }
        true
    }

    fn appended(&mut self, index: usize, fact: &Fact) {
        let Some(entry) = crate::entry::Entry::of(fact) else { return };
        let Fact::BatchAppended { broker, origin, .. } = *fact else { return };
        let skipped = self.trail.record.ordinal - entry.first;
        let sequence = crate::entry::advance(entry.sequence, skipped);
        let is_append = origin == AppendOrigin::Client;
        let attempt = if is_append { self.trail.handle(broker) } else { None };
        self.trail.copies.push(Copy {
            appended: index,
            broker,
            offset: entry.offset.saturating_add(skipped),
            origin,
            wire: entry.producer_id.map(|id| (id, entry.producer_epoch, sequence)),
            attempt,
            removed: None,
        });
        if self.leader.is_none_or(|leader| leader == broker) {
            (self.leader, self.holds, self.trail.given_up) = (Some(broker), true, None);
        }
    }

    /// A log is cut. Tells whether the record was in what is gone.
    fn removed(&mut self, index: usize, broker: BrokerId, to: u64) -> bool {
        let mut gone = false;
        for copy in &mut self.trail.copies {
            if copy.broker == broker && copy.removed.is_none() && copy.offset >= to {
                copy.removed = Some(index);
                gone = true;
            }
        }
        let has = self.trail.holders().contains(broker);
        if gone && self.leader == Some(broker) && self.holds && !has {
            self.give_up(index, None, broker);
        }
        gone
    }

    fn give_up(&mut self, index: usize, election: Option<usize>, leader: BrokerId) {
        self.holds = false;
        let electable = self.elected_from;
        self.trail.given_up = Some(Loss { index, election, electable, leader });
    }

    fn on_cluster_fact(&mut self, index: usize, at: Instant, fact: &Fact) -> bool {
        let ours = self.trail.record.partition;
        if self.electable.on_fact(at, fact) {
            self.isr_changed = Some(index);
            return self.trail.has_begun();
        }
        match *fact {
            Fact::LeaderElected { partition, leader, leader_epoch, .. } if partition == ours => {
                self.elected_from = self.electable.at(at);
                self.elected = Some((index, leader, leader_epoch));
                self.trail.has_begun()
            }
            Fact::BecameLeader { broker, partition, leader_epoch, .. } if partition == ours => {
                let latest = self.elected.map_or(leader_epoch, |(.., latest)| latest);
                leader_epoch >= latest && self.took_over(index, broker)
            }
            Fact::BrokerCrashed { broker, .. } | Fact::BrokerStopped { broker } => {
                let waits = self.trail.attempts.last().is_some_and(|a| a.broker == broker);
                self.trail.holders().contains(broker) || (waits && self.trail.acked.is_none())
            }
            _ => false,
        }
    }

    fn took_over(&mut self, index: usize, broker: BrokerId) -> bool {
        let held = self.holds;
        self.leader = Some(broker);
        self.holds = self.trail.holders().contains(broker);
        if self.holds {
            self.trail.given_up = None;
        } else if held || self.trail.given_up.is_some_and(|loss| loss.election.is_none()) {
            let election = self.elected.filter(|(_, leader, _)| *leader == Some(broker));
            self.give_up(index, election.map(|(index, ..)| index), broker);
        }
        held != self.holds && self.trail.has_begun()
    }
}
