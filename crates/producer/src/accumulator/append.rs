//! Appending records. Kafka: RecordAccumulator.append, tryAppend, appendNewBatch.

use super::{BatchSlot, RecordAccumulator};
use crate::batch::{NewBatch, Reports, Segment};
use crate::env::Ctx;
use crate::metadata::ProducerMetadata;
use crate::partitioner::{Choice, Destination, Stop};
use inflight_protocol::record_size::RecordShape;
use inflight_protocol::{BatchId, Fact, FactKind, ThreadId, Timestamp, TopicId, TopicPartition};

/// Records alike that one thread sends one after the other at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RunToAppend {
    pub(crate) topic: TopicId,
    pub(crate) choice: Choice,
    pub(crate) shape: RecordShape,
    pub(crate) timestamp: Timestamp,
    pub(crate) message: u64,
    pub(crate) count: u32,
    pub(crate) thread: ThreadId,
    pub(crate) reports: Reports,
}

/// What became of the first records of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Appended {
    /// So many were appended.
    Records {
        count: u32,
        partition: TopicPartition,
        /// Whether the sender is to be woken: a batch was begun or is full.
        wake: bool,
        /// Whether the buffer that the caller had was used for a new batch.
        used_buffer: bool,
    },
    /// The next one needs a new batch, for which the caller has to get memory.
    NeedsMemory {
        /// How many bytes.
        size: u32,
        /// Where the record is to go if the partition is a sticky one.
        stop: Option<Stop>,
    },
}

/// What the caller of [`RecordAccumulator::append`] brings along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Buffer {
    /// Nothing.
    None,
    /// The memory that it was told to get at this stop of the sticky partition.
    For(Option<Stop>),
}

impl RecordAccumulator {
    /// Chooses the partition, once for each record. Kafka: KafkaProducer.partition.
    pub(crate) fn choose(
        &mut self,
        ctx: &Ctx<'_, '_>,
        metadata: &ProducerMetadata,
        topic: TopicId,
        destination: Destination,
    ) -> Choice {
        self.topics[topic.index()].choose(ctx, metadata, topic, destination)
    }

    /// Appends records of a run to the last batch of their partition, or to a new one if the caller
    /// has memory for it: as many as one batch, and one stop at a sticky partition, allows.
    pub(crate) fn append(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        metadata: &ProducerMetadata,
        run: RunToAppend,
        buffer: Buffer,
    ) -> Appended {
        let mut resumed = match buffer {
            Buffer::None => None,
            Buffer::For(stop) => Some(stop),
        };
        loop {
            let is_resumed = resumed.is_some();
            let (partition, stop) = match (run.choice, resumed.take().flatten()) {
                (Choice::Fixed(partition), _) => (partition, None),
                (Choice::Sticky, Some(stop)) => (stop.partition, Some(stop)),
                (Choice::Sticky, None) => {
                    let stop = self.topics[run.topic.index()].peek(ctx, metadata, run.topic);
                    (stop.partition, Some(stop))
                }
            };
            self.queues[partition.index()].exists = true;
            if self.sticky_partition_changed(ctx, metadata, run.topic, stop) {
                continue;
            }
            let last = self.queues[partition.index()].batches.back().copied();
            if let Some(slot) = last {
                let count = self.fill(ctx, metadata, slot, run, stop, 0);
                if count > 0 {
                    let queue = &self.queues[partition.index()];
                    let wake = queue.batches.len() > 1 || self.batches[slot].is_full();
                    return Appended::Records { count, partition, wake, used_buffer: false };
                }
                self.batches[slot].close_for_appends();
            }
            let size = run.shape.upper_bound().max(ctx.env.config.batch_size);
            if buffer == Buffer::None {
                return Appended::NeedsMemory { size, stop };
            }
            // The last batch is closed by now, which may be what the switch was waiting for. Who has
            // just got its memory looks no second time.
            if !is_resumed && self.sticky_partition_changed(ctx, metadata, run.topic, stop) {
                continue;
            }
            let slot = self.begin_batch(ctx, run.topic, partition, size);
            let before = self.batches[slot].estimated_size();
            let count = self.fill(ctx, metadata, slot, run, stop, before);
            debug_assert!(count > 0, "an empty batch takes its first record");
            return Appended::Records { count, partition, wake: true, used_buffer: true };
        }
    }

    /// Kafka: RecordAccumulator.partitionChanged: the stop may be over, and a switch that was held
    /// back because a batch was still open happens as soon as none is.
    fn sticky_partition_changed(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        metadata: &ProducerMetadata,
        topic: TopicId,
        stop: Option<Stop>,
    ) -> bool {
        let Some(stop) = stop else { return false };
        if self.topics[topic.index()].has_left(stop) {
            return true;
        }
        self.all_batches_full(stop.partition)
            && self.topics[topic.index()].produced(ctx, metadata, topic, 0, true)
    }

    /// Kafka: allBatchesFull.
    fn all_batches_full(&self, partition: TopicPartition) -> bool {
        let last = self.queues[partition.index()].batches.back();
        last.is_none_or(|slot| self.batches[*slot].is_full())
    }

    /// Appends to one batch. `begun` are the bytes that a new batch brings with it.
    fn fill(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        metadata: &ProducerMetadata,
        slot: BatchSlot,
        run: RunToAppend,
        stop: Option<Stop>,
        begun: u32,
    ) -> u32 {
        let limit = match stop {
            Some(_) => self.records_until_forced_switch(ctx, slot, run, begun),
            None => run.count,
        };
        let segment = Segment {
            shape: run.shape,
            count: limit,
            timestamp: run.timestamp,
            message: run.message,
            thread: run.thread,
            reports: run.reports,
        };
        let before = self.batches[slot].estimated_size();
        let count = self.batches[slot].try_append(segment, ctx.now_ms);
        if count == 0 {
            return 0;
        }
        let batch = &self.batches[slot];
        let (partition, id) = (batch.partition, batch.id);
        let bytes = batch.estimated_size() - before + begun;
        let queue = &mut self.queues[partition.index()];
        let first = queue.next_record;
        queue.next_record += u64::from(count);
        self.tell_queued(ctx, run, partition, first, count, id, bytes);
        if stop.is_some() {
            let may_switch = self.all_batches_full(partition);
            self.topics[run.topic.index()].produced(ctx, metadata, run.topic, bytes, may_switch);
        }
        count
    }

    /// How many records may go into this batch before the sticky partition switches in any case.
    fn records_until_forced_switch(
        &self,
        ctx: &Ctx<'_, '_>,
        slot: BatchSlot,
        run: RunToAppend,
        begun: u32,
    ) -> u32 {
        if self.compression.estimate(run.topic).is_some() {
            // Growth depends on rounding: one at a time.
            return 1;
        }
        let left = self.topics[run.topic.index()]
            .bytes_until_forced_switch(ctx.env.config.batch_size)
            .saturating_sub(begun);
        let batch = &self.batches[slot];
        let delta = batch.next_timestamp_delta(run.timestamp);
        let room = u64::from(left.saturating_sub(1));
        let (below, _) = run.shape.run_that_fits(batch.records.count, delta, run.count, room);
        (below + 1).min(run.count)
    }

    fn begin_batch(
        &mut self,
        ctx: &Ctx<'_, '_>,
        topic: TopicId,
        partition: TopicPartition,
        capacity: u32,
    ) -> BatchSlot {
        let slot = self.open_batch(NewBatch {
            id: BatchId::new(0),
            partition,
            session: self.session,
            first: self.queues[partition.index()].next_record,
            created_ms: ctx.now_ms,
            capacity,
            compression_ratio: self.compression.estimate(topic),
        });
        self.queues[partition.index()].batches.push_back(slot);
        self.bound_expiry(ctx.env.config, ctx.now_ms);
        slot
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of one fact")]
    fn tell_queued(
        &self,
        ctx: &mut Ctx<'_, '_>,
        run: RunToAppend,
        partition: TopicPartition,
        first: u64,
        count: u32,
        batch: BatchId,
        bytes: u32,
    ) {
        let session = self.session;
        ctx.turn.did(FactKind::RecordsQueued.set(), || Fact::RecordsQueued {
            session,
            thread: run.thread,
            partition,
            first,
            count,
            message: run.message,
            batch,
            bytes,
        });
    }
}
