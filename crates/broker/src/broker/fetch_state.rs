//! What a fetcher knows: its partitions, its connection, what it is doing.

use inflight_des::{Instant, Span};
use inflight_protocol::message::FetchResponse;
use inflight_protocol::{
    BrokerId, ConnectionId, CorrelationId, InternalRecord, LeaderEpoch, Offset, RecordBatch,
    TopicPartition,
};

/// socket.connection.setup.timeout.ms of the client inside, doubled with each failure up to
/// [`SETUP_TIMEOUT_MAX`]. Kafka spreads it by 20 %.
const SETUP_TIMEOUT: Span = Span::from_secs(10);
/// socket.connection.setup.timeout.max.ms
const SETUP_TIMEOUT_MAX: Span = Span::from_secs(30);

/// The fetcher from one leader. Kafka: ReplicaFetcherThread with its BrokerBlockingSender.
#[derive(Debug)]
pub(super) struct Fetcher {
    pub(super) source: BrokerId,
    pub(super) partitions: Vec<FetchState>,
    pub(super) connection: Option<ConnectionId>,
    pub(super) stage: FetchStage,
    pub(super) correlation: CorrelationId,
    pub(super) setup_failures: u32,
    /// The response that is being taken over, and how much of it is done.
    pub(super) incoming: FetchResponse,
    pub(super) cursor: Cursor,
}

inflight_des::clone_fields!(Fetcher {
    source,
    partitions,
    connection,
    stage,
    correlation,
    setup_failures,
    incoming,
    cursor,
});

/// A partition that is fetched. Its position is the end of the log.
/// Kafka: server/PartitionFetchState.
#[derive(Clone, Copy, Debug)]
pub(super) struct FetchState {
    pub(super) partition: TopicPartition,
    /// The leader epoch that is fetched with.
    pub(super) epoch: LeaderEpoch,
    /// It is not fetched before this.
    pub(super) ready_at: Instant,
    /// The offset in the request that is out, if the partition is in it.
    pub(super) requested: Option<Offset>,
}

/// What a fetcher is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FetchStage {
    /// Nothing; until then every partition is delayed.
    Resting(Instant),
    /// Waiting for a connection, at most until then.
    Connecting(Instant),
    /// Waiting for a response, at most until then.
    Asking(Instant),
    /// Writing what a response brought, from then on.
    Writing(Instant),
}

/// How much of a response is taken over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The entry at hand.
    pub(super) entry: usize,
    /// The position of its first batch.
    pub(super) first_batch: usize,
    /// How many of its batches are written.
    pub(super) written: usize,
    /// The position of the first value that is not taken over.
    pub(super) value: usize,
}

impl Fetcher {
    /// A fetcher with nothing to fetch from the broker at this position.
    pub(super) fn new(source: BrokerId) -> Self {
        Self {
            source,
            partitions: Vec::new(),
            connection: None,
            stage: FetchStage::Resting(Instant::NEVER),
            correlation: CorrelationId::default(),
            setup_failures: 0,
            incoming: FetchResponse::default(),
            cursor: Cursor::default(),
        }
    }

    /// Adds a partition, or starts with it afresh. Kafka: AbstractFetcherThread.addPartitions.
    pub(super) fn add(&mut self, partition: TopicPartition, epoch: LeaderEpoch) {
        self.remove(partition);
        let ready_at = Instant::START;
        self.partitions.push(FetchState { partition, epoch, ready_at, requested: None });
    }

    /// Removes a partition; what is still answered for it is ignored.
    /// Kafka: AbstractFetcherThread.removePartitions.
    pub(super) fn remove(&mut self, partition: TopicPartition) {
        self.partitions.retain(|state| state.partition != partition);
    }

    /// The state of a partition.
    pub(super) fn state_mut(&mut self, partition: TopicPartition) -> Option<&mut FetchState> {
        self.partitions.iter_mut().find(|state| state.partition == partition)
    }

    /// Forgets everything, as a process does that ends.
    pub(super) fn clear(&mut self) {
        self.partitions.clear();
        self.connection = None;
        self.stage = FetchStage::Resting(Instant::NEVER);
        self.setup_failures = 0;
        self.incoming = FetchResponse::default();
        self.cursor = Cursor::default();
    }

    /// Whether a response is being taken over.
    pub(super) const fn is_writing(&self) -> bool {
        matches!(self.stage, FetchStage::Writing(_))
    }

    /// The values of the batch at hand, which are taken over with it.
    #[inline]
    pub(super) fn take_values(&mut self, batch: &RecordBatch) -> &[InternalRecord] {
        if !batch.kind.is_internal() {
            return &[];
        }
        let start = self.cursor.value;
        self.cursor.value += batch.records.count as usize;
        &self.incoming.values[start..self.cursor.value]
    }

    /// The next entry is at hand: the values of those before are done with, taken over or not.
    pub(super) fn skip_values(&mut self) {
        if !self.incoming.values.is_empty() {
            let done = &self.incoming.batches[..self.cursor.first_batch];
            let internal = done.iter().filter(|batch| batch.kind.is_internal());
            self.cursor.value = internal.map(|batch| batch.records.count as usize).sum();
        }
    }

    /// When it is to be woken.
    pub(super) const fn wakes_at(&self) -> Instant {
        match self.stage {
            FetchStage::Resting(at)
            | FetchStage::Connecting(at)
            | FetchStage::Asking(at)
            | FetchStage::Writing(at) => at,
        }
    }

    /// How long the next attempt to connect may take.
    pub(super) fn setup_timeout(&self) -> Span {
        SETUP_TIMEOUT.times(1 << self.setup_failures.min(2)).min(SETUP_TIMEOUT_MAX)
    }
}
