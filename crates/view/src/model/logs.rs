//! What each replica's log holds, and what applications were told, at any fact.

use super::Model;
use inflight_protocol::ids::{
    BrokerId, BrokerSet, LeaderEpoch, ProducerEpoch, ProducerId, SessionId, TopicPartition,
};
use inflight_protocol::{Fact, Sequence, TransactionResult};
use std::collections::BTreeSet;

/// Records that follow one another in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) offset: u64,
    pub(crate) count: u64,
    pub(crate) session: SessionId,
    pub(crate) first: u64,
    pub(crate) leader_epoch: LeaderEpoch,
    pub(crate) producer: Option<(ProducerId, ProducerEpoch, Sequence)>,
}

impl Entry {
    pub(crate) const fn end(&self) -> u64 {
        self.offset + self.count
    }
}

/// A control record: it ends a producer's transaction in this log, and it takes an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marker {
    pub(crate) offset: u64,
    pub(crate) result: TransactionResult,
    pub(crate) producer_id: ProducerId,
    pub(crate) producer_epoch: ProducerEpoch,
}

/// What became of the transaction of a record, as far as its log says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// No marker has come yet.
    Open,
    /// The next marker of its producer commits.
    Committed,
    /// The next marker of its producer aborts.
    Aborted,
}

/// Whether a replica's broker runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Life {
    #[default]
    Up,
    Down,
    Paused,
}

/// One replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Replica {
    pub(crate) broker: BrokerId,
    pub(crate) entries: Vec<Entry>,
    /// In order of their offsets, which no entry covers.
    pub(crate) markers: Vec<Marker>,
    pub(crate) high_watermark: u64,
    pub(crate) life: Life,
    /// The epoch in which it leads, as far as it knows.
    pub(crate) leads: Option<LeaderEpoch>,
}

impl Replica {
    pub(crate) fn end(&self) -> u64 {
        let records = self.entries.last().map_or(0, Entry::end);
        records.max(self.markers.last().map_or(0, |marker| marker.offset + 1))
    }

    /// The marker at an offset.
    pub(crate) fn marker(&self, offset: u64) -> Option<&Marker> {
        let place = self.markers.partition_point(|marker| marker.offset < offset);
        self.markers.get(place).filter(|marker| marker.offset == offset)
    }

    /// The entry at an offset.
    pub(crate) fn entry(&self, offset: u64) -> Option<&Entry> {
        let place = self.entries.partition_point(|entry| entry.end() <= offset);
        self.entries.get(place).filter(|entry| entry.offset <= offset)
    }

    /// The record at an offset: its session and ordinal.
    pub(crate) fn record(&self, offset: u64) -> Option<(SessionId, u64)> {
        self.entry(offset).map(|entry| (entry.session, entry.first + (offset - entry.offset)))
    }

    /// Every offset at which a record is.
    pub(crate) fn offsets_of(&self, session: SessionId, ordinal: u64) -> Vec<u64> {
        let has = |entry: &&Entry| {
            entry.session == session && (entry.first..entry.first + entry.count).contains(&ordinal)
        };
        let entries = self.entries.iter().filter(has);
        entries.map(|entry| entry.offset + (ordinal - entry.first)).collect()
    }

    /// The marker that ends the transaction of a producer id at an offset.
    fn ends(&self, producer_id: ProducerId, offset: u64) -> Option<&Marker> {
        let behind = self.markers.partition_point(|marker| marker.offset < offset);
        self.markers[behind..].iter().find(|marker| marker.producer_id == producer_id)
    }

    fn cut(&mut self, end: u64) {
        self.markers.retain(|marker| marker.offset < end);
        self.entries.retain(|entry| entry.offset < end);
        if let Some(last) = self.entries.last_mut() {
            last.count = last.count.min(end - last.offset);
        }
    }
}

/// What an application was told of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) session: SessionId,
    pub(crate) first: u64,
    pub(crate) count: u64,
    /// The offset that it was told, or nothing if it was told that they failed.
    pub(crate) outcome: Outcome,
}

/// What an application believes of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Acked(Option<u64>),
    Failed,
}

/// One partition: its replicas in the order of assignment, what was told, who is in sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Logs {
    pub(crate) partition: TopicPartition,
    pub(crate) replicas: Vec<Replica>,
    pub(crate) told: Vec<Told>,
    pub(crate) queued: Vec<(SessionId, u64, u64)>,
    pub(crate) in_sync: BrokerSet,
    pub(crate) leader: Option<BrokerId>,
    /// The producer ids that write in transactions.
    transactional: BTreeSet<ProducerId>,
}

impl Logs {
    pub(crate) fn new(model: &Model<'_>, partition: TopicPartition) -> Self {
        let description = model.story.description;
        let assigned = description.replicas(partition);
        let known = assigned.iter().filter(|n| (1..=BrokerId::MAX).contains(*n));
        let brokers: Vec<BrokerId> = known.map(|n| BrokerId::new(*n)).collect();
        let replica = |broker: &BrokerId| Replica {
            broker: *broker,
            entries: Vec::new(),
            markers: Vec::new(),
            high_watermark: 0,
            life: Life::Up,
            leads: None,
        };
        Self {
            partition,
            replicas: brokers.iter().map(replica).collect(),
            told: Vec::new(),
            queued: Vec::new(),
            in_sync: brokers.iter().copied().collect(),
            leader: brokers.first().copied(),
            transactional: transactional(model.facts()),
        }
    }

    /// Whether anything in a transaction is or was written to a replica.
    pub(crate) fn has_transactions(&self) -> bool {
        self.replicas.iter().any(|replica| {
            !replica.markers.is_empty()
                || replica.entries.iter().any(|entry| self.in_transaction(entry).is_some())
        })
    }

    /// The producer id of an entry that is in a transaction.
    pub(crate) fn in_transaction(&self, entry: &Entry) -> Option<ProducerId> {
        let (id, ..) = entry.producer?;
        self.transactional.contains(&id).then_some(id)
    }

    /// What became of the transaction of the record at an offset, if it is in one.
    pub(crate) fn fate(&self, replica: &Replica, offset: u64) -> Option<Fate> {
        let id = self.in_transaction(replica.entry(offset)?)?;
        Some(match replica.ends(id, offset).map(|marker| marker.result) {
            None => Fate::Open,
            Some(TransactionResult::Commit) => Fate::Committed,
            Some(TransactionResult::Abort) => Fate::Aborted,
        })
    }

    /// The last stable offset: the high watermark, or the first record of a transaction that is
    /// open or whose marker is above the high watermark. Kafka: UnifiedLog.lastStableOffset,
    /// ProducerStateManager.firstUnstableOffset.
    pub(crate) fn last_stable(&self, replica: &Replica) -> u64 {
        let unstable = replica.entries.iter().filter(|entry| {
            self.in_transaction(entry).is_some_and(|id| {
                let marker = replica.ends(id, entry.offset);
                marker.is_none_or(|marker| marker.offset >= replica.high_watermark)
            })
        });
        let first = unstable.map(|entry| entry.offset).min();
        first.map_or(replica.high_watermark, |first| first.min(replica.high_watermark))
    }

    /// The state behind the fact at a position.
    pub(crate) fn after(&self, facts: &[(inflight_des::Instant, Fact)], index: usize) -> Self {
        let mut logs = self.clone();
        for (_, fact) in facts.iter().take(index + 1) {
            logs.apply(fact);
        }
        logs
    }

    pub(crate) fn replica(&self, broker: BrokerId) -> Option<&Replica> {
        self.replicas.iter().find(|replica| replica.broker == broker)
    }

    fn change(&mut self, broker: BrokerId, with: impl FnOnce(&mut Replica)) {
        if let Some(replica) = self.replicas.iter_mut().find(|known| known.broker == broker) {
            with(replica);
        }
    }

    /// What a reader finds: the leader's log below its high watermark.
    pub(crate) fn readable(&self) -> Option<(&Replica, u64)> {
        let leader = self.replica(self.leader?)?;
        Some((leader, leader.high_watermark.min(leader.end())))
    }

    /// Takes over what a fact says of this partition. Gives whether anything changed.
    pub(crate) fn apply(&mut self, fact: &Fact) -> bool {
        self.apply_log(fact) || self.apply_told(fact) || self.apply_life(fact)
    }

    fn apply_log(&mut self, fact: &Fact) -> bool {
        let mine = self.partition;
        match *fact {
            Fact::BatchAppended {
                broker,
                partition,
                base_offset,
                count,
                session,
                first,
                leader_epoch,
                producer_id,
                producer_epoch,
                sequence,
                ..
            } if partition == mine => {
                let producer = producer_id.zip(producer_epoch).zip(sequence);
                let producer = producer.map(|((id, epoch), sequence)| (id, epoch, sequence));
                let (offset, count) = (base_offset.get(), u64::from(count));
                let entry = Entry { offset, count, session, first, leader_epoch, producer };
                self.change(broker, |replica| replica.entries.push(entry));
            }
            Fact::MarkerAppended {
                broker,
                partition,
                offset,
                result,
                producer_id,
                producer_epoch,
                ..
            } if partition == mine => {
                let offset = offset.get();
                let marker = Marker { offset, result, producer_id, producer_epoch };
                self.change(broker, |replica| replica.markers.push(marker));
            }
            Fact::LogTruncated { broker, partition, to, .. } if partition == mine => {
                self.change(broker, |replica| replica.cut(to.get()));
            }
            Fact::LogRecovered { broker, partition, to, high_watermark, .. }
                if partition == mine =>
            {
                self.change(broker, |replica| {
                    replica.cut(to.get());
                    replica.high_watermark = high_watermark.get();
                });
            }
            Fact::HighWatermarkAdvanced { broker, partition, to, .. }
            | Fact::HighWatermarkRegressed { broker, partition, to, .. }
                if partition == mine =>
            {
                self.change(broker, |replica| replica.high_watermark = to.get());
            }
            _ => return false,
        }
        true
    }

    fn apply_told(&mut self, fact: &Fact) -> bool {
        let mine = self.partition;
        match *fact {
            Fact::RecordsQueued { session, partition, first, count, .. } if partition == mine => {
                self.queued.push((session, first, u64::from(count)));
            }
            Fact::RecordsAcked { session, partition, first, count, base_offset, .. }
                if partition == mine =>
            {
                let outcome = Outcome::Acked(base_offset.map(|offset| offset.get()));
                self.told.push(Told { session, first, count: u64::from(count), outcome });
            }
            Fact::RecordsFailed { session, partition, first, count, .. } if partition == mine => {
                let outcome = Outcome::Failed;
                self.told.push(Told { session, first, count: u64::from(count), outcome });
            }
            _ => return false,
        }
        true
    }

    fn apply_life(&mut self, fact: &Fact) -> bool {
        let mine = self.partition;
        match *fact {
            Fact::BrokerCrashed { broker, .. } | Fact::BrokerStopped { broker } => {
                self.change(broker, |replica| {
                    replica.life = Life::Down;
                    replica.leads = None;
                });
            }
            Fact::BrokerStarted { broker } | Fact::BrokerResumed { broker } => {
                self.change(broker, |replica| replica.life = Life::Up);
            }
            Fact::BrokerPaused { broker } => {
                self.change(broker, |replica| replica.life = Life::Paused);
            }
            Fact::BecameLeader { broker, partition, leader_epoch, .. } if partition == mine => {
                self.change(broker, |replica| replica.leads = Some(leader_epoch));
            }
            Fact::BecameFollower { broker, partition, .. } if partition == mine => {
                self.change(broker, |replica| replica.leads = None);
            }
            Fact::IsrChanged { partition, to, .. } if partition == mine => self.in_sync = to,
            Fact::LeaderElected { partition, leader, .. } if partition == mine => {
                self.leader = leader;
            }
            _ => return false,
        }
        true
    }

    /// Whether an application was told something of a record, and what.
    pub(crate) fn outcome(&self, session: SessionId, ordinal: u64) -> Option<Outcome> {
        let about = |told: &&Told| {
            told.session == session && (told.first..told.first + told.count).contains(&ordinal)
        };
        let told = self.told.iter().find(about)?;
        Some(match told.outcome {
            Outcome::Acked(Some(base)) => Outcome::Acked(Some(base + (ordinal - told.first))),
            other => other,
        })
    }
}

/// The producer ids that write in transactions, in a recording.
pub(crate) fn transactional(facts: &[(inflight_des::Instant, Fact)]) -> BTreeSet<ProducerId> {
    let of = |(_, fact): &(inflight_des::Instant, Fact)| match *fact {
        Fact::TransactionsInitialized { producer_id, .. }
        | Fact::TransactionStateChanged { producer_id, .. }
        | Fact::MarkerAppended { producer_id, .. } => Some(producer_id),
        _ => None,
    };
    facts.iter().filter_map(of).collect()
}
