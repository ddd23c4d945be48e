//! A replica's log. Kafka: storage/internals/log/UnifiedLog.

pub(crate) mod append;
pub(crate) mod bare;
pub(crate) mod batches;
pub(crate) mod coordinate;
pub(crate) mod durability;
pub(crate) mod leader_epochs;
pub(crate) mod producer_entry;
pub(crate) mod producer_state;
pub(crate) mod segments;
pub(crate) mod snapshots;
pub(crate) mod stable;
pub(crate) mod transaction_index;
pub(crate) mod transactions;
pub(crate) mod values;
pub(crate) mod verification;

use batches::{Batches, FirstBatch};
use durability::HighWatermarkCheckpoint;
use inflight_des::Instant;
use inflight_protocol::fact::Surviving;
use inflight_protocol::message::EpochEndOffset;
use inflight_protocol::{
    BrokerConfig, Defect, Defects, LeaderEpoch, Offset, ProducerId, RecordBatch, TopicConfig,
};
use leader_epochs::LeaderEpochCache;
use producer_state::{Expiration, ProducerStateManager};
use segments::Segments;
use smallvec::SmallVec;
use transaction_index::TransactionIndex;
use values::Values;

/// Batches, leader epochs and producer state of one replica, with how much of it is committed and
/// how much is on disk. The log start offset is always 0: nothing is ever deleted by retention.
#[derive(Debug)]
pub(crate) struct PartitionLog {
    batches: Batches,
    epochs: LeaderEpochCache,
    producers: ProducerStateManager,
    segments: Segments,
    /// The transactions that were aborted.
    aborted: TransactionIndex,
    /// What the records of an internal topic say.
    values: Values,
    end: Offset,
    high_watermark: Offset,
    flushed: Offset,
    last_flush: Instant,
    checkpoint: HighWatermarkCheckpoint,
    /// Where the log ended and the high watermark was when the process died, until it is read
    /// again: it may die before that.
    before_crash: Option<(Offset, Offset)>,
}

inflight_des::clone_fields!(PartitionLog {
    batches,
    epochs,
    producers,
    segments,
    aborted,
    values,
    end,
    high_watermark,
    flushed,
    last_flush,
    checkpoint,
    before_crash,
});

/// When a broker forgets producer ids.
pub(crate) fn expiration(broker: &BrokerConfig) -> Expiration {
    Expiration {
        after: broker.producer_id_expiration,
        check_interval: broker.producer_id_expiration_check_interval,
    }
}

/// What the periodic look for unflushed logs finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FlushLook {
    /// flush.ms is over: flush up to here.
    Flush(Offset),
    /// Something is unflushed, but not for long enough.
    Later,
    /// Nothing is unflushed, or the topic has no flush.ms.
    Clean,
}

/// The high watermark and the last stable offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marks {
    /// The high watermark.
    pub(crate) high_watermark: Offset,
    /// The last stable offset.
    pub(crate) last_stable: Offset,
}

/// What a truncation changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Truncation {
    /// The log end offset before and after.
    pub(crate) end: (Offset, Offset),
    /// The high watermark before and after.
    pub(crate) high_watermark: (Offset, Offset),
}

impl PartitionLog {
    /// An empty log.
    pub(crate) fn new(opened: Instant, broker: &BrokerConfig) -> Self {
        let interval = broker.replica_high_watermark_checkpoint_interval;
        Self {
            batches: Batches::default(),
            epochs: LeaderEpochCache::default(),
            producers: ProducerStateManager::new(opened, expiration(broker)),
            segments: Segments::new(),
            aborted: TransactionIndex::default(),
            values: Values::default(),
            end: Offset::ZERO,
            high_watermark: Offset::ZERO,
            flushed: Offset::ZERO,
            last_flush: opened,
            checkpoint: HighWatermarkCheckpoint::new(Offset::ZERO, opened, interval),
            before_crash: None,
        }
    }

    /// The next offset to be written.
    #[inline]
    pub(crate) const fn end(&self) -> Offset {
        self.end
    }

    /// The offset below which everything is committed, as far as this replica knows.
    #[inline]
    pub(crate) const fn high_watermark(&self) -> Offset {
        self.high_watermark
    }

    /// The offset below which everything survives a loss of power.
    pub(crate) const fn flushed(&self) -> Offset {
        self.flushed
    }

    /// The batches.
    pub(crate) const fn batches(&self) -> &Batches {
        &self.batches
    }

    /// The leader epochs.
    #[inline]
    pub(crate) const fn epochs(&self) -> &LeaderEpochCache {
        &self.epochs
    }

    /// The producer state.
    pub(crate) const fn producers(&self) -> &ProducerStateManager {
        &self.producers
    }

    /// Where `epoch` ends in this log. Kafka: UnifiedLog.endOffsetForEpoch.
    #[inline]
    pub(crate) fn end_offset_for(&self, epoch: LeaderEpoch) -> Option<EpochEndOffset> {
        self.epochs.end_offset_for(epoch, self.end)
    }

    /// Notes that a leader epoch starts at the end of the log.
    /// Kafka: UnifiedLog.assignEpochStartOffset.
    pub(crate) fn start_epoch(&mut self, epoch: LeaderEpoch) {
        self.epochs.assign(epoch, self.end);
    }

    /// Does what the periodic check for expired producer ids would have done.
    #[inline]
    pub(crate) fn expire_producers(
        &mut self,
        now: Instant,
        expiration: Expiration,
        forgot: impl FnMut(ProducerId),
    ) {
        self.producers.expire(now, expiration, forgot);
    }

    /// How far the log is to be flushed before the append returns: to its end, after
    /// flush.messages. Kafka: the end of UnifiedLog.append.
    #[inline]
    pub(crate) fn flush_messages_due(&self, topic: &TopicConfig) -> Option<Offset> {
        let unflushed = self.end.get() - self.flushed.get();
        (unflushed >= topic.flush_messages && unflushed > 0).then_some(self.end)
    }

    /// How far the log is to be flushed soon: to the start of a segment that was rolled.
    /// Kafka: the task that UnifiedLog.roll schedules.
    #[inline]
    pub(crate) fn flush_rolled_due(&self) -> Option<Offset> {
        Some(self.segments.active_base()).filter(|base| *base > self.flushed)
    }

    /// How far the log is to be flushed if the periodic look comes at `now`, or whether a later
    /// look may find something. Kafka: LogManager.flushDirtyLogs.
    pub(crate) fn flush_interval_due(&self, topic: &TopicConfig, now: Instant) -> FlushLook {
        match topic.flush_interval {
            Some(interval) if self.end > self.flushed => {
                if now.since(self.last_flush) >= interval {
                    FlushLook::Flush(self.end)
                } else {
                    FlushLook::Later
                }
            }
            Some(_) | None => FlushLook::Clean,
        }
    }

    /// Everything before `to` is on disk. Returns whether that is news.
    /// Kafka: UnifiedLog.flush.
    pub(crate) fn flush(&mut self, to: Offset, now: Instant) -> bool {
        // The log may have been cut since the flush was asked for.
        let to = to.min(self.end);
        let news = to > self.flushed;
        if news {
            self.flushed = to;
            self.last_flush = now;
        }
        news
    }

    /// The process ends in good order: everything is on disk, with a snapshot of the producer
    /// state. Returns whether anything had to be flushed. Kafka: LogManager.shutdown,
    /// UnifiedLog.close.
    pub(crate) fn close(&mut self, now: Instant) -> bool {
        self.before_crash = Some((self.end, self.high_watermark));
        self.producers.take_snapshot(self.end);
        self.flush(self.end, now)
    }

    /// Copies batches for a reader at `offset`; see [`Batches::read`]. Returns their bytes.
    /// Kafka: UnifiedLog.read.
    #[inline]
    pub(crate) fn read(
        &self,
        offset: Offset,
        max_bytes: u32,
        first: FirstBatch,
        out: &mut SmallVec<[RecordBatch; 1]>,
    ) -> u32 {
        if offset >= self.end {
            return 0;
        }
        self.batches.read(offset, self.segments.bound(offset, self.end), max_bytes, first, out)
    }

    /// As [`PartitionLog::read`], of what lies below `limit`.
    pub(crate) fn read_below(
        &self,
        offset: Offset,
        limit: Offset,
        max_bytes: u32,
        first: FirstBatch,
        out: &mut SmallVec<[RecordBatch; 1]>,
    ) -> u32 {
        let bound = self.segments.bound(offset, self.end).min(limit);
        self.batches.read(offset, bound, max_bytes, first, out)
    }

    /// Whether a reader at `offset` is in an older segment than the writer.
    /// Kafka: LogOffsetMetadata.onOlderSegment.
    pub(crate) fn is_in_older_segment(&self, offset: Offset) -> bool {
        offset < self.segments.active_base()
    }

    /// Sets the high watermark, within the bounds of the log. Returns what was before if that is
    /// another. Kafka: UnifiedLog.maybeUpdateHighWatermark, updateHighWatermarkMetadata.
    #[inline]
    pub(crate) fn set_high_watermark(&mut self, to: Offset, now: Instant) -> Option<Marks> {
        let (before, to) = (self.marks(), to.min(self.end));
        if to == before.high_watermark {
            return None;
        }
        self.checkpoint.before_change(before.high_watermark, now);
        self.high_watermark = to;
        self.producers.committed_below(to);
        Some(before)
    }

    /// Cuts the log at `to`, with its leader epochs and its producer state. The leader epochs are
    /// cut even if no batch goes: a leader that wrote nothing has left its epoch there.
    /// Kafka: UnifiedLog.truncateTo.
    pub(crate) fn truncate(
        &mut self,
        to: Offset,
        now: Instant,
        expiration: Expiration,
    ) -> Option<Truncation> {
        if to >= self.end {
            self.epochs.truncate_from_end(self.end);
            return None;
        }
        let (end, high_watermark) = (self.end, self.high_watermark);
        self.cut(to);
        self.producers.rebuild(self.end, &self.batches, &self.segments, now, expiration);
        self.set_high_watermark(high_watermark, now);
        self.producers.committed_below(self.high_watermark);
        Some(Truncation {
            end: (end, self.end),
            high_watermark: (high_watermark, self.high_watermark),
        })
    }

    fn cut(&mut self, to: Offset) {
        let Self { batches, segments, .. } = self;
        batches.truncate(to, |batch| segments.shrink(batch.base_offset, batch.bytes));
        segments.truncate(to);
        self.epochs.truncate_from_end(to);
        self.aborted.truncate(to);
        self.values.truncate(to);
        self.end = to;
        self.flushed = self.flushed.min(to);
    }

    /// The process is gone: what is left is what the crash spares.
    /// Kafka: nothing; this is the operating system's part.
    pub(crate) fn crash(&mut self, now: Instant, surviving: Surviving) {
        self.before_crash.get_or_insert((self.end, self.high_watermark));
        let checkpointed = self.checkpoint.read(self.high_watermark, now);
        match surviving {
            Surviving::Appended => {}
            Surviving::Flushed => self.cut(self.flushed.min(self.end)),
        }
        self.producers.clear();
        self.high_watermark = checkpointed.min(self.end);
        self.checkpoint.write(checkpointed);
    }

    /// The process starts again and loads the log. Returns where log and high watermark ended
    /// before the crash. Kafka: LogLoader.load, Partition.createLog.
    pub(crate) fn recover(
        &mut self,
        now: Instant,
        broker: &BrokerConfig,
        defects: Defects,
    ) -> (Offset, Offset) {
        self.epochs.truncate_from_end(self.end);
        let (batches, segments) = (&self.batches, &self.segments);
        self.producers.recover(self.end, batches, segments, now, expiration(broker));
        if defects.has(Defect::LoseProducerState) {
            self.producers.clear();
        }
        let interval = broker.replica_high_watermark_checkpoint_interval;
        self.checkpoint = HighWatermarkCheckpoint::new(self.high_watermark, now, interval);
        self.last_flush = now;
        self.before_crash.take().unwrap_or((self.end, self.high_watermark))
    }

    /// Frees the memory of the batches that lie wholly before `offset`.
    pub(crate) fn forget_below(&mut self, offset: Offset) {
        let Self { batches, producers, .. } = self;
        batches.forget_below(offset.min(self.end), |batch| producers.forget(batch));
        self.producers.forget_snapshots_below(self.batches.kept_from());
        self.aborted.forget_below(self.batches.kept_from());
    }
}

#[cfg(test)]
mod tests;
