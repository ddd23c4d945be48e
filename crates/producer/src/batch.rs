//! A batch under construction, in flight, or finished.
//! Kafka: clients/producer/internals/ProducerBatch with common/record/internal/MemoryRecordsBuilder.

use inflight_protocol::record_size::{BATCH_OVERHEAD, RecordShape};
use inflight_protocol::{
    BatchId, BatchProducer, LeaderEpoch, RecordBatch, RecordRun, SessionId, ThreadId, Timestamp,
    TopicPartition,
};

/// Where a batch lives in the accumulator's arena.
pub(crate) type BatchSlot = u32;

/// Records of one shape, sent by one thread at one time, that lie side by side in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) shape: RecordShape,
    pub(crate) count: u32,
    pub(crate) timestamp: Timestamp,
    /// The application's number of the first record's message.
    pub(crate) message: u64,
    pub(crate) thread: ThreadId,
    pub(crate) reports: Reports,
}

/// Whether the application hears what became of its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reports {
    /// It ignores the future and gave no callback.
    Ignored,
    /// It waits for the future, or gave a callback.
    Wanted,
}

/// How a batch ended for the application. Set once. Kafka: ProducerBatch.FinalState.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FinalState {
    /// By close() or a fatal error.
    Aborted,
    /// With an error.
    Failed,
    /// Acknowledged.
    Succeeded,
    /// Too large: its records live on in other batches.
    Split,
}

/// A batch of records for one partition.
#[derive(Debug)]
pub(crate) struct ProducerBatch {
    pub(crate) id: BatchId,
    pub(crate) partition: TopicPartition,
    pub(crate) created_ms: i64,
    pub(crate) last_attempt_ms: i64,
    last_append_ms: i64,
    /// How many attempts failed and were put back.
    pub(crate) attempts: u32,
    /// The wait before the next attempt, drawn when the last one failed.
    pub(crate) backoff_ms: i64,
    current_leader_epoch: Option<LeaderEpoch>,
    attempts_when_leader_last_changed: u32,
    pub(crate) is_split: bool,
    /// Sequence numbers were rewritten and the batch was not sent since. Kafka: reopened.
    pub(crate) sequence_has_been_reset: bool,
    /// A request with this batch is out, or its answer is being looked at. Kafka: inflight.
    pub(crate) in_request: bool,
    pub(crate) buffer_deallocated: bool,
    pub(crate) final_state: Option<FinalState>,
    /// flush() calls that wait for batches up to this one wait for it: the id of the batch that it
    /// was split from, or its own.
    pub(crate) flush_key: BatchId,
    pub(crate) producer: Option<BatchProducer>,
    pub(crate) records: RecordRun,
    /// What the buffer pool was charged. Kafka: initialCapacity.
    pub(crate) capacity: u32,
    write_limit: u32,
    /// Bytes of the records before compression.
    uncompressed: u32,
    compression_ratio_estimate: f32,
    closed_for_appends: bool,
    built_bytes: Option<u32>,
    /// The largest upper bound of a record's size. Kafka: maxRecordSize.
    pub(crate) max_record_size: u32,
    base_timestamp: Timestamp,
    max_timestamp: Timestamp,
    pub(crate) segments: Vec<Segment>,
}

impl Default for ProducerBatch {
    fn default() -> Self {
        Self {
            id: BatchId::new(0),
            partition: TopicPartition::new(0),
            created_ms: 0,
            last_attempt_ms: 0,
            last_append_ms: 0,
            attempts: 0,
            backoff_ms: 0,
            current_leader_epoch: None,
            attempts_when_leader_last_changed: 0,
            is_split: false,
            sequence_has_been_reset: false,
            in_request: false,
            buffer_deallocated: false,
            final_state: None,
            flush_key: BatchId::new(0),
            producer: None,
            records: RecordRun::default(),
            capacity: 0,
            write_limit: 0,
            uncompressed: 0,
            compression_ratio_estimate: 1.0,
            closed_for_appends: false,
            built_bytes: None,
            max_record_size: 0,
            base_timestamp: Timestamp::new(0),
            max_timestamp: Timestamp::new(0),
            segments: Vec::new(),
        }
    }
}

impl Clone for ProducerBatch {
    fn clone(&self) -> Self {
        Self { segments: self.segments.clone(), ..*self }
    }

    fn clone_from(&mut self, source: &Self) {
        let mut segments = std::mem::take(&mut self.segments);
        segments.clone_from(&source.segments);
        *self = Self { segments, ..*source };
    }
}

/// What a new batch starts with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewBatch {
    pub(crate) id: BatchId,
    pub(crate) partition: TopicPartition,
    pub(crate) session: SessionId,
    /// The ordinal of the record that will be its first.
    pub(crate) first: u64,
    pub(crate) created_ms: i64,
    pub(crate) capacity: u32,
    /// The estimate for compressed batches, `None` without compression.
    pub(crate) compression_ratio: Option<f32>,
}

/// Compressed sizes are estimated 5 % larger than the ratio says.
/// Kafka: CompressionRatioEstimator, MemoryRecordsBuilder.COMPRESSION_RATE_ESTIMATION_FACTOR.
const COMPRESSION_SAFETY: f32 = 1.05;

impl ProducerBatch {
    /// Makes this an empty batch; keeps its memory.
    pub(crate) fn open(&mut self, new: NewBatch) {
        let mut segments = std::mem::take(&mut self.segments);
        segments.clear();
        *self = Self {
            id: new.id,
            partition: new.partition,
            created_ms: new.created_ms,
            last_attempt_ms: new.created_ms,
            last_append_ms: new.created_ms,
            flush_key: new.id,
            records: RecordRun { session: new.session, first: new.first, count: 0 },
            capacity: new.capacity,
            write_limit: new.capacity,
            compression_ratio_estimate: new.compression_ratio.map_or(0.0, |ratio| ratio),
            segments,
            ..Self::default()
        };
    }

    fn is_compressed(&self) -> bool {
        self.compression_ratio_estimate > 0.0
    }

    /// Kafka: MemoryRecordsBuilder.estimatedBytesWritten.
    fn estimated_bytes_written(&self) -> u32 {
        if self.is_compressed() {
            let payload =
                self.uncompressed as f32 * self.compression_ratio_estimate * COMPRESSION_SAFETY;
            BATCH_OVERHEAD + payload as u32
        } else {
            BATCH_OVERHEAD + self.uncompressed
        }
    }

    /// Kafka: ProducerBatch.estimatedSizeInBytes: exact once the batch is built.
    pub(crate) fn estimated_size(&self) -> u32 {
        self.built_bytes.unwrap_or_else(|| self.estimated_bytes_written())
    }

    /// Kafka: MemoryRecordsBuilder.isFull.
    pub(crate) fn is_full(&self) -> bool {
        self.closed_for_appends
            || (self.records.count > 0 && self.write_limit <= self.estimated_bytes_written())
    }

    /// How many of `count` records of one shape fit, one after the other.
    /// Kafka: MemoryRecordsBuilder.hasRoomFor, repeated.
    fn room_for(&self, shape: RecordShape, timestamp: Timestamp, count: u32) -> u32 {
        if self.is_full() || count == 0 {
            return 0;
        }
        let delta = self.next_timestamp_delta(timestamp);
        if self.is_compressed() {
            // The candidate counts uncompressed, what is written counts compressed: step by step.
            let (mut fitting, mut uncompressed) = (0, self.uncompressed);
            let limit = self.write_limit;
            while fitting < count {
                let size = shape.record_size(self.records.count + fitting, delta);
                let written = BATCH_OVERHEAD
                    + (uncompressed as f32 * self.compression_ratio_estimate * COMPRESSION_SAFETY)
                        as u32;
                let empty = self.records.count + fitting == 0;
                if !empty && (written >= limit || written + size > limit) {
                    break;
                }
                uncompressed += size;
                fitting += 1;
            }
            return fitting;
        }
        let room = self.write_limit.saturating_sub(self.estimated_bytes_written());
        let (fitting, _) = shape.run_that_fits(self.records.count, delta, count, u64::from(room));
        // An empty batch takes its first record whatever its size.
        if self.records.count == 0 { fitting.max(1) } else { fitting }
    }

    /// How far a record of this time is from the batch's first.
    pub(crate) fn next_timestamp_delta(&self, timestamp: Timestamp) -> i64 {
        if self.records.count == 0 { 0 } else { timestamp.get() - self.base_timestamp.get() }
    }

    /// Appends as many of the segment's records as fit and returns how many.
    /// Kafka: ProducerBatch.tryAppend, repeated.
    pub(crate) fn try_append(&mut self, segment: Segment, now_ms: i64) -> u32 {
        let fitting = self.room_for(segment.shape, segment.timestamp, segment.count);
        if fitting == 0 {
            return 0;
        }
        if self.records.count == 0 {
            self.base_timestamp = segment.timestamp;
            self.max_timestamp = segment.timestamp;
        }
        let delta = self.next_timestamp_delta(segment.timestamp);
        self.uncompressed += segment.shape.run_size(self.records.count, delta, fitting) as u32;
        self.records.count += fitting;
        self.max_timestamp = self.max_timestamp.max(segment.timestamp);
        self.max_record_size = self.max_record_size.max(segment.shape.upper_bound());
        self.last_append_ms = now_ms;
        match self.segments.last_mut() {
            Some(last)
                if last.shape == segment.shape
                    && last.timestamp == segment.timestamp
                    && last.thread == segment.thread
                    && last.reports == segment.reports
                    && last.message + u64::from(last.count) == segment.message =>
            {
                last.count += fitting;
            }
            _ => self.segments.push(Segment { count: fitting, ..segment }),
        }
        fitting
    }

    /// Kafka: ProducerBatch.closeForRecordAppends.
    pub(crate) fn close_for_appends(&mut self) {
        self.closed_for_appends = true;
    }

    /// Fixes the batch's size. Kafka: ProducerBatch.close. `ratio` is what compression really
    /// achieves on the payload.
    pub(crate) fn close(&mut self, ratio: f32) {
        self.closed_for_appends = true;
        self.sequence_has_been_reset = false;
        if self.built_bytes.is_none() {
            let payload = if self.is_compressed() {
                (self.uncompressed as f32 * ratio) as u32
            } else {
                self.uncompressed
            };
            self.built_bytes = Some(BATCH_OVERHEAD + payload);
        }
    }

    /// Whether the batch was put back at least once. Kafka: ProducerBatch.inRetry.
    pub(crate) fn in_retry(&self) -> bool {
        self.attempts > 0
    }

    /// Kafka: ProducerBatch.waitedTimeMs.
    pub(crate) fn waited_ms(&self, now_ms: i64) -> i64 {
        (now_ms - self.last_attempt_ms).max(0)
    }

    /// Kafka: ProducerBatch.reenqueued.
    pub(crate) fn requeued(&mut self, now_ms: i64, backoff_ms: i64) {
        self.attempts += 1;
        self.last_attempt_ms = self.last_append_ms.max(now_ms);
        self.last_append_ms = self.last_attempt_ms;
        self.backoff_ms = backoff_ms;
    }

    /// Kafka: ProducerBatch.hasReachedDeliveryTimeout.
    pub(crate) fn has_reached_delivery_timeout(&self, timeout_ms: i64, now_ms: i64) -> bool {
        timeout_ms <= now_ms - self.created_ms
    }

    /// Kafka: ProducerBatch.maybeUpdateLeaderEpoch.
    pub(crate) fn update_leader_epoch(&mut self, latest: Option<LeaderEpoch>) {
        if latest.is_some() && latest > self.current_leader_epoch {
            self.attempts_when_leader_last_changed = self.attempts;
            self.current_leader_epoch = latest;
        }
    }

    /// Kafka: ProducerBatch.hasLeaderChangedForTheOngoingRetry: such a retry skips its backoff.
    pub(crate) fn leader_changed_for_ongoing_retry(&self) -> bool {
        self.attempts >= 1 && self.attempts == self.attempts_when_leader_last_changed
    }

    /// Whether the retry has to wait longer. Kafka: RecordAccumulator.shouldBackoff.
    pub(crate) fn is_backing_off(&self, now_ms: i64) -> bool {
        self.attempts > 0
            && self.waited_ms(now_ms) < self.backoff_ms
            && !self.leader_changed_for_ongoing_retry()
    }

    /// The batch as it goes into a request.
    pub(crate) fn as_record_batch(&self) -> RecordBatch {
        RecordBatch {
            kind: inflight_protocol::BatchKind::Plain,
            base_offset: inflight_protocol::Offset::ZERO,
            records: self.records,
            producer: self.producer,
            max_timestamp: self.max_timestamp,
            bytes: self.estimated_size(),
            leader_epoch: LeaderEpoch::new(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(capacity: u32, compression_ratio: Option<f32>) -> ProducerBatch {
        let mut batch = ProducerBatch::default();
        batch.open(NewBatch {
            id: BatchId::new(3),
            partition: TopicPartition::new(0),
            session: SessionId::new(0),
            first: 7,
            created_ms: 100,
            capacity,
            compression_ratio,
        });
        batch
    }

    fn segment(bytes: u32, count: u32) -> Segment {
        Segment {
            shape: RecordShape::plain(None, Some(bytes)),
            count,
            timestamp: Timestamp::new(100),
            message: 0,
            thread: ThreadId::new(0),
            reports: Reports::Ignored,
        }
    }

    #[test]
    fn an_ordinary_batch_is_full_when_the_next_record_does_not_fit() {
        let mut batch = open(16_384, None);
        assert_eq!(batch.try_append(segment(1_000, 20), 100), 16);
        assert_eq!((batch.estimated_size(), batch.is_full()), (16_205, false));
        assert_eq!(batch.try_append(segment(1_000, 4), 100), 0);
        batch.close_for_appends();
        assert!(batch.is_full());
    }

    #[test]
    fn an_oversized_first_record_leaves_the_batch_open() {
        let shape = RecordShape::plain(None, Some(20_000));
        let mut batch = open(shape.upper_bound(), None);
        assert_eq!(batch.try_append(segment(20_000, 1), 100), 1);
        assert_eq!((batch.estimated_size(), batch.is_full()), (20_072, false));
        // Seven bytes of an empty value fit into the 15 that are left; a second one does too.
        assert_eq!(batch.try_append(segment(0, 3), 100), 2);
    }

    #[test]
    fn records_alike_are_one_segment() {
        let mut batch = open(16_384, None);
        batch.try_append(segment(10, 2), 100);
        batch.try_append(Segment { message: 2, ..segment(10, 3) }, 100);
        batch.try_append(Segment { message: 9, ..segment(10, 1) }, 100);
        assert_eq!(batch.segments.len(), 2);
        assert_eq!((batch.records.first, batch.records.count), (7, 6));
    }

    #[test]
    fn compression_lets_more_records_in_than_fit_uncompressed() {
        let mut batch = open(990, Some(0.5));
        let fitting = batch.try_append(segment(91, 50), 100);
        // Each record takes 100 bytes, written counts 52.5 for it, a candidate counts 100: with 15
        // in, 61 + 787 + 100 fit; with 16 in, 61 + 839 + 100 do not.
        assert_eq!(fitting, 16);
        batch.close(0.5);
        assert_eq!(batch.estimated_size(), BATCH_OVERHEAD + 800);
    }

    #[test]
    fn a_newer_leader_epoch_ends_the_backoff() {
        let mut batch = open(16_384, None);
        batch.update_leader_epoch(Some(LeaderEpoch::new(4)));
        assert!(!batch.is_backing_off(100));
        batch.requeued(200, 90);
        assert!(batch.is_backing_off(289));
        assert!(!batch.is_backing_off(290));
        batch.update_leader_epoch(Some(LeaderEpoch::new(4)));
        assert!(batch.is_backing_off(250));
        batch.update_leader_epoch(Some(LeaderEpoch::new(5)));
        assert!(!batch.is_backing_off(250), "the leader changed for this retry");
        batch.requeued(300, 180);
        assert!(batch.is_backing_off(301), "but not for the next");
    }
}
