//! Fetch requests of consumers, at the leader.
//!
//! Kafka: core/server/ReplicaManager.fetchMessages and readFromLog, DelayedFetch for
//! FetchHighWatermark and FetchTxnCommitted. A consumer reads whole batches below the high watermark
//! or the last stable offset. A request that finds too little waits until one of the two has moved,
//! or until its time is over; a position beyond them is answered at once, with nothing.

use crate::broker::Broker;
use crate::broker::settings::InjectWhen;
use crate::broker::sockets::Stage;
use crate::broker::timers::Timer;
use crate::log::batches::FirstBatch;
use inflight_des::{Instant, Span};
use inflight_protocol::message::{
    ConsumerFetchPartitionResponse, ConsumerFetchRequest, ConsumerFetchResponse, FetchPartition,
    IsolationLevel,
};
use inflight_protocol::{ErrorCode, Offset, RecordBatch, Request, Response, TopicPartition, Turn};
use smallvec::SmallVec;

/// A consumer's fetch that waits. Kafka: DelayedFetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ParkedReader {
    slot: u32,
    deadline: Instant,
}

/// A response while it is put together.
struct Filling {
    isolation: IsolationLevel,
    response: ConsumerFetchResponse,
    /// How many bytes it may still grow.
    left: u32,
    bytes: u32,
    first: FirstBatch,
    has_error: bool,
}

impl Broker {
    fn consumer_fetch(&self, slot: u32) -> Option<&ConsumerFetchRequest> {
        match &self.sockets[slot].request {
            Request::ConsumerFetch(request) => Some(request),
            _ => None,
        }
    }

    /// Executes a consumer's fetch: it is answered, or waits. Kafka: fetchMessages.
    #[inline(never)]
    pub(super) fn execute_consumer_fetch(&mut self, turn: &mut Turn<'_>, slot: u32) {
        let Some(request) = self.consumer_fetch(slot) else { return };
        let (max_wait_ms, min_bytes) = (request.max_wait_ms, request.min_bytes);
        let is_nothing = request.partitions.is_empty() || max_wait_ms == 0;
        let filling = self.read_for_consumer(slot);
        let is_enough = is_nothing || filling.has_error || filling.bytes >= min_bytes;
        if is_enough || self.has_enough(slot) {
            self.respond(turn, slot, Response::ConsumerFetch(filling.response));
            return;
        }
        let deadline = turn.now() + Span::from_millis(u64::from(max_wait_ms));
        self.readers.push(ParkedReader { slot, deadline });
        self.sockets[slot].stage = Stage::Delayed;
        self.timers.arm(Timer::Reader, deadline);
    }

    /// Reads all partitions of a request, within its limits.
    fn read_for_consumer(&self, slot: u32) -> Filling {
        let mut filling = Filling {
            isolation: IsolationLevel::ReadUncommitted,
            response: ConsumerFetchResponse::default(),
            left: 0,
            bytes: 0,
            first: FirstBatch::Always,
            has_error: false,
        };
        let Some(request) = self.consumer_fetch(slot) else { return filling };
        filling.isolation = request.isolation;
        filling.left = request.max_bytes;
        for fetch in &request.partitions {
            let injected = self.injected(slot, Some(fetch.partition), InjectWhen::BeforeAppend);
            let read = match injected {
                Some(error) if is_of_session(error) => {
                    filling.response = ConsumerFetchResponse {
                        error: Some(error),
                        ..ConsumerFetchResponse::default()
                    };
                    filling.has_error = true;
                    return filling;
                }
                Some(error) => Err(error),
                None => self.read_partition(&mut filling, fetch),
            };
            let entry = read.unwrap_or_else(|error| {
                filling.has_error = true;
                self.refused_read(fetch.partition, error)
            });
            filling.response.partitions.push(entry);
        }
        filling
    }

    fn refused_read(
        &self,
        partition: TopicPartition,
        error: ErrorCode,
    ) -> ConsumerFetchPartitionResponse {
        let is_elsewhere =
            matches!(error, ErrorCode::NotLeaderOrFollower | ErrorCode::FencedLeaderEpoch);
        let leader = is_elsewhere.then(|| self.current_leader(partition)).flatten();
        ConsumerFetchPartitionResponse {
            partition,
            error: Some(error),
            high_watermark: Offset::ZERO,
            last_stable_offset: Offset::ZERO,
            diverging_epoch: None,
            current_leader: leader,
            batches: 0,
            aborted: 0,
        }
    }

    /// Reads one partition. Kafka: Partition.fetchRecords, readRecords, LocalLog.read.
    fn read_partition(
        &self,
        filling: &mut Filling,
        fetch: &FetchPartition,
    ) -> Result<ConsumerFetchPartitionResponse, ErrorCode> {
        let index = self.hosted_index(fetch.partition)?;
        let replica = &self.partitions[index];
        replica.check_leader_epoch(fetch.current_leader_epoch)?;
        if replica.leadership().is_none() {
            return Err(ErrorCode::NotLeaderOrFollower);
        }
        let log = &replica.log;
        if fetch.fetch_offset > log.end() {
            return Err(ErrorCode::OffsetOutOfRange);
        }
        let bound = self.bound(index, filling.isolation);
        let mut found: SmallVec<[RecordBatch; 1]> = SmallVec::new();
        let max_bytes = fetch.max_bytes.min(filling.left);
        let mut bytes = 0;
        if fetch.fetch_offset < bound {
            bytes = log.read_below(fetch.fetch_offset, bound, max_bytes, filling.first, &mut found);
        }
        let mut aborted = 0;
        if filling.isolation == IsolationLevel::ReadCommitted
            && let Some(last) = found.last()
        {
            let list = &mut filling.response.aborted;
            let before = list.len();
            list.extend(log.aborted_transactions(fetch.fetch_offset, last.next_offset()));
            aborted = (list.len() - before) as u32;
        }
        if bytes > 0 {
            filling.first = FirstBatch::IfItFits;
            filling.left = filling.left.saturating_sub(bytes);
            filling.bytes = filling.bytes.saturating_add(bytes);
        }
        let batches = found.len() as u32;
        filling.response.batches.extend(found);
        Ok(ConsumerFetchPartitionResponse {
            partition: fetch.partition,
            error: None,
            high_watermark: log.high_watermark(),
            last_stable_offset: log.last_stable_offset(),
            diverging_epoch: None,
            current_leader: None,
            batches,
            aborted,
        })
    }

    /// The offset below which a reader may read.
    fn bound(&self, index: usize, isolation: IsolationLevel) -> Offset {
        let log = &self.partitions[index].log;
        match isolation {
            IsolationLevel::ReadUncommitted => log.high_watermark(),
            IsolationLevel::ReadCommitted => log.last_stable_offset(),
        }
    }

    /// Whether a fetch needs to wait no longer. Kafka: DelayedFetch.tryComplete.
    fn has_enough(&self, slot: u32) -> bool {
        let Some(request) = self.consumer_fetch(slot) else { return true };
        let mut gathered = 0_u32;
        for fetch in &request.partitions {
            let Ok(index) = self.hosted_index(fetch.partition) else { return true };
            let replica = &self.partitions[index];
            let is_led = replica.leadership().is_some()
                && replica.check_leader_epoch(fetch.current_leader_epoch).is_ok();
            let bound = self.bound(index, request.isolation);
            // A position beyond the bound comes from a leader that had more.
            if !is_led || fetch.fetch_offset > bound {
                return true;
            }
            if fetch.fetch_offset < bound {
                let log = &replica.log;
                if log.is_in_older_segment(fetch.fetch_offset) {
                    return true;
                }
                let batches = log.batches().from(fetch.fetch_offset);
                let readable = batches.take_while(|batch| batch.base_offset < bound);
                let bytes: u32 = readable.map(|batch| batch.bytes).sum();
                gathered = gathered.saturating_add(bytes.min(fetch.max_bytes));
            }
        }
        gathered >= request.min_bytes
    }

    /// The high watermark of a partition has moved, or it is not led here any more: consumers that
    /// wait for it may have enough.
    #[inline]
    pub(super) fn wake_readers(&mut self, turn: &mut Turn<'_>, partition: TopicPartition) {
        if self.readers.is_empty() {
            return;
        }
        let reads = |reader: &&ParkedReader| {
            self.consumer_fetch(reader.slot).is_some_and(|request| {
                request.partitions.iter().any(|fetch| fetch.partition == partition)
            })
        };
        let waiting: SmallVec<[ParkedReader; 4]> =
            self.readers.iter().filter(reads).copied().collect();
        for reader in waiting {
            if self.has_enough(reader.slot) {
                self.complete_reader(turn, reader);
            }
        }
    }

    /// Answers a fetch that has waited with whatever there is now. Kafka: DelayedFetch.onComplete.
    fn complete_reader(&mut self, turn: &mut Turn<'_>, reader: ParkedReader) {
        self.readers.retain(|other| *other != reader);
        let filling = self.read_for_consumer(reader.slot);
        self.respond(turn, reader.slot, Response::ConsumerFetch(filling.response));
    }

    /// Fetches that have waited for long enough are answered.
    pub(super) fn expire_readers(&mut self, turn: &mut Turn<'_>) {
        let now = turn.now();
        while let Some(reader) = self.readers.iter().find(|reader| reader.deadline <= now).copied()
        {
            self.complete_reader(turn, reader);
        }
        if let Some(next) = self.readers.iter().map(|reader| reader.deadline).min() {
            self.timers.arm(Timer::Reader, next);
        }
    }
}

/// Whether an error is said of a fetch session, and so of a response as a whole.
/// Kafka: FetchManager.newContext, SessionErrorContext.
const fn is_of_session(error: ErrorCode) -> bool {
    matches!(
        error,
        ErrorCode::FetchSessionIdNotFound
            | ErrorCode::InvalidFetchSessionEpoch
            | ErrorCode::FetchSessionTopicIdError
    )
}
