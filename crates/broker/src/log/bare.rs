//! A log without a broker around it, for the comparison with the real one.

use crate::log::append::{AppendSettings, Appended};
use crate::log::{PartitionLog, expiration};
use inflight_des::{Instant, Span};
use inflight_protocol::fact::Surviving;
use inflight_protocol::{
    BrokerConfig, Defects, ErrorCode, LeaderEpoch, Offset, ProducerEpoch, ProducerId, RecordBatch,
    Sequence, Timestamp, TopicConfig,
};

/// The log of one replica and its clock. What a broker does soon after an append, it does at once.
#[derive(Debug)]
pub struct BareLog {
    log: PartitionLog,
    topic: TopicConfig,
    broker: BrokerConfig,
    now: Instant,
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BareAnswer {
    /// It is in the log, from this offset on.
    Written(Offset),
    /// It was already, from this offset on.
    Duplicate(Offset),
    /// It is not in the log.
    Refused(ErrorCode),
}

/// What is known of one producer id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BareProducer {
    /// The producer id.
    pub id: ProducerId,
    /// Its epoch.
    pub epoch: ProducerEpoch,
    /// The first offset, the first sequence and the records of each remembered batch.
    pub batches: Vec<(Offset, Sequence, u32)>,
}

impl BareLog {
    /// An empty log.
    pub fn new(topic: TopicConfig, broker: BrokerConfig) -> Self {
        let now = Instant::START;
        Self { log: PartitionLog::new(now, &broker), topic, broker, now }
    }

    /// The next offset to be written.
    pub fn end(&self) -> Offset {
        self.log.end()
    }

    /// Appends as the leader of `epoch`.
    pub fn append(&mut self, batch: RecordBatch, epoch: LeaderEpoch) -> BareAnswer {
        let settings = AppendSettings::new(&self.topic, &self.broker, Defects::NONE);
        let batch = RecordBatch { max_timestamp: Timestamp::at(self.now), ..batch };
        let answer = match self.log.append_as_leader(batch, epoch, settings) {
            Appended::Written(batch) | Appended::Pretended(batch) => {
                BareAnswer::Written(batch.base_offset)
            }
            Appended::Duplicate(known) => BareAnswer::Duplicate(known.first_offset),
            Appended::Refused(error) => BareAnswer::Refused(error),
        };
        self.flush_rolled();
        answer
    }

    /// Appends at the end what the leader of `epoch` has appended to its own log.
    pub fn follow(&mut self, batch: RecordBatch, epoch: LeaderEpoch) {
        let (base_offset, max_timestamp) = (self.log.end(), Timestamp::at(self.now));
        let batch = RecordBatch { base_offset, max_timestamp, leader_epoch: epoch, ..batch };
        self.log.append_as_follower(batch, &[], &self.topic);
        self.flush_rolled();
    }

    fn flush_rolled(&mut self) {
        if let Some(to) = self.log.flush_rolled_due() {
            self.log.flush(to, self.now);
        }
    }

    /// A leader epoch starts at the end.
    pub fn lead(&mut self, epoch: LeaderEpoch) {
        self.log.start_epoch(epoch);
    }

    /// Cuts the log.
    pub fn truncate(&mut self, to: Offset) {
        self.log.truncate(to, self.now, expiration(&self.broker));
    }

    /// Everything is on disk.
    pub fn flush(&mut self) {
        self.log.flush(self.log.end(), self.now);
    }

    /// Time goes by, and producer ids expire.
    pub fn wait(&mut self, span: Span) {
        self.now += span;
        self.log.expire_producers(self.now, expiration(&self.broker), |_| {});
    }

    /// A clean shutdown and a start.
    pub fn close(&mut self) {
        self.log.close(self.now);
        self.crash(Surviving::Appended);
    }

    /// The process dies, and starts again.
    pub fn crash(&mut self, surviving: Surviving) {
        self.log.crash(self.now, surviving);
        self.log.recover(self.now, &self.broker, Defects::NONE);
    }

    /// The producer ids in ascending order.
    pub fn producers(&self) -> impl Iterator<Item = BareProducer> {
        self.log.producers().entries().iter().map(|entry| BareProducer {
            id: entry.id,
            epoch: entry.epoch,
            batches: entry
                .batches()
                .map(|batch| (batch.first_offset, batch.first_sequence, batch.count))
                .collect(),
        })
    }

    /// The leader epochs with their first offsets.
    pub fn leader_epochs(&self) -> impl Iterator<Item = (LeaderEpoch, Offset)> {
        self.log.epochs().entries().iter().map(|entry| (entry.epoch, entry.start))
    }
}
