//! Fetch requests of followers, at the leader.
//!
//! Kafka: core/server/ReplicaManager.fetchMessages and readFromLog, DelayedFetch,
//! Partition.fetchRecords. What a follower fetches from tells the leader how far the follower's
//! log goes, at once when the request arrives. The high watermark in the response is the one from
//! before that, so a follower learns one fetch late that its own fetch has committed something. A
//! request that finds nothing waits for the log to grow, not for the high watermark.

use crate::broker::Broker;
use crate::broker::settings::InjectWhen;
use crate::broker::sockets::Stage;
use crate::broker::timers::Timer;
use crate::log::batches::FirstBatch;
use inflight_des::{Instant, Span};
use inflight_protocol::message::{FetchPartition, FetchPartitionResponse, FetchResponse};
use inflight_protocol::{
    BrokerEpoch, BrokerId, Cluster, ConnectionId, ErrorCode, Fact, FactKind, Offset, Response,
    TopicPartition, Turn,
};
use smallvec::SmallVec;

/// A fetch request that waits for data. Kafka: core/server/DelayedFetch in its purgatory.
#[derive(Clone, Copy, Debug)]
pub(super) struct ParkedFetch {
    slot: u32,
    follower: BrokerId,
    /// Its number in the leader's count of fetch requests.
    fetch: u32,
    deadline: Instant,
}

/// A read, or what forbids to wait for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// So many bytes.
    Bytes(u32),
    /// An error or a diverging epoch: the follower is told at once.
    Urgent,
}

/// Whether a read is the follower's fetch or the end of its wait.
/// Kafka: the parameter readFromPurgatory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// The request has just arrived: it tells how far the follower is.
    OnArrival,
    /// The request has waited.
    AfterWait,
}

/// The response that a fetch request gets, while it is put together.
struct Filling {
    slot: u32,
    follower: BrokerId,
    follower_epoch: BrokerEpoch,
    reading: Reading,
    response: FetchResponse,
    /// How many bytes the response may still grow.
    left: u32,
    first: FirstBatch,
}

impl Broker {
    /// Executes a fetch request: it is answered, or waits.
    pub(super) fn execute_fetch(&mut self, cluster: &Cluster, turn: &mut Turn<'_>, slot: u32) {
        let Some(request) = self.sockets[slot].fetch() else { return };
        let (follower, max_wait_ms) = (request.replica, request.max_wait_ms);
        let min_bytes = if request.partitions.is_empty() { 0 } else { request.min_bytes };
        self.fetches = self.fetches.wrapping_add(1);
        let (response, found) = self.read_all(cluster, turn, slot, Reading::OnArrival);
        let is_enough = match found {
            Found::Urgent => true,
            Found::Bytes(bytes) => bytes >= min_bytes || max_wait_ms == 0,
        };
        if is_enough {
            self.answer_fetch(turn, slot, follower, response);
            return;
        }
        let deadline = turn.now() + Span::from_millis(u64::from(max_wait_ms));
        self.parked.push(ParkedFetch { slot, follower, fetch: self.fetches, deadline });
        self.sockets[slot].stage = Stage::Delayed;
        self.timers.arm(Timer::Fetch, deadline);
    }

    /// Answers a fetch request that has waited with whatever there is now.
    /// Kafka: DelayedFetch.onComplete.
    fn complete_fetch(&mut self, cluster: &Cluster, turn: &mut Turn<'_>, parked: ParkedFetch) {
        self.parked.retain(|other| other.slot != parked.slot);
        let (response, _) = self.read_all(cluster, turn, parked.slot, Reading::AfterWait);
        self.answer_fetch(turn, parked.slot, parked.follower, response);
    }

    fn answer_fetch(
        &mut self,
        turn: &mut Turn<'_>,
        slot: u32,
        follower: BrokerId,
        response: FetchResponse,
    ) {
        let connection = self.sockets[slot].id;
        for entry in &response.partitions {
            let Some(index) = self.replica_index(entry.partition) else { continue };
            let leadership = self.partitions[index].leadership_mut();
            if entry.error.is_none()
                && entry.diverging_epoch.is_none()
                && let Some(remote) = leadership.and_then(|l| l.remote_mut(follower))
            {
                remote.told = Some((connection, entry.high_watermark));
            }
        }
        self.respond(turn, slot, Response::Fetch(response));
    }

    /// Reads all partitions of a request, within its limits.
    fn read_all(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        slot: u32,
        reading: Reading,
    ) -> (FetchResponse, Found) {
        let mut sum = Found::Bytes(0);
        let Some(request) = self.sockets[slot].fetch() else {
            return (FetchResponse::default(), sum);
        };
        let mut filling = Filling {
            slot,
            follower: request.replica,
            follower_epoch: request.replica_epoch,
            reading,
            response: FetchResponse::default(),
            left: request.max_bytes,
            first: FirstBatch::Always,
        };
        let mut index = 0;
        while let Some(fetch) = self.fetch_partition(slot, index) {
            index += 1;
            match self.read_one(cluster, turn, &mut filling, &fetch) {
                Ok(bytes) => {
                    if bytes > 0 {
                        filling.first = FirstBatch::IfItFits;
                        filling.left = filling.left.saturating_sub(bytes);
                    }
                    if let Found::Bytes(sum) = &mut sum {
                        *sum = sum.saturating_add(bytes);
                    }
                }
                Err(urgent) => {
                    filling.response.partitions.push(urgent);
                    sum = Found::Urgent;
                }
            }
        }
        (filling.response, sum)
    }

    /// A partition of the fetch request in a slot, by its position there.
    #[inline]
    fn fetch_partition(&self, slot: u32, index: usize) -> Option<FetchPartition> {
        self.sockets[slot].fetch()?.partitions.get(index).copied()
    }

    /// Reads one partition. Kafka: ReplicaManager.readFromLog.
    #[inline]
    fn read_one(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        filling: &mut Filling,
        fetch: &FetchPartition,
    ) -> Result<u32, FetchPartitionResponse> {
        let partition = fetch.partition;
        let refuse = |error| entry(partition, Some(error), Offset::ZERO);
        if let Some(error) = self.injected(filling.slot, Some(partition), InjectWhen::BeforeAppend)
        {
            return Err(refuse(error));
        }
        let index = self.hosted_index(partition).map_err(refuse)?;
        let follower = filling.follower;
        if self.is_usual(turn.now(), filling, index, fetch) {
            return Ok(0);
        }
        let replica = &self.partitions[index];
        let leadership = replica.check_fetch(follower, fetch).map_err(refuse)?;
        // Read before the fetch is taken into account: one fetch late, as Kafka does.
        let high_watermark = replica.log.high_watermark();
        let told = leadership.remote(follower).and_then(|remote| remote.told);
        if let Some(diverging) = replica.diverging_epoch(fetch).map_err(refuse)? {
            let response = entry(partition, None, high_watermark);
            return Err(FetchPartitionResponse { diverging_epoch: Some(diverging), ..response });
        }
        let batches = &mut filling.response.batches;
        let before = batches.len();
        let max_bytes = fetch.max_bytes.min(filling.left);
        let bytes = replica.log.read(fetch.fetch_offset, max_bytes, filling.first, batches);
        let count = (batches.len() - before) as u32;
        let values = filling.response.values.len();
        if replica.internal.is_some() {
            for batch in filling.response.batches[before..].iter() {
                filling.response.values.extend(replica.log.values_of(batch).cloned());
            }
        }
        if filling.reading == Reading::OnArrival {
            let epoch = filling.follower_epoch;
            let heard = self.follower_fetched(cluster, turn, index, (follower, epoch), fetch);
            if let Err(error) = heard {
                filling.response.batches.truncate(before);
                filling.response.values.truncate(values);
                return Err(refuse(error));
            }
        }
        let connection = self.sockets[filling.slot].id;
        if count > 0 || is_news(told, connection, high_watermark) {
            let response = entry(partition, None, high_watermark);
            let response = FetchPartitionResponse { batches: count, ..response };
            filling.response.partitions.push(response);
        }
        Ok(bytes)
    }

    /// Deals with the usual fetch, which finds nothing to read and nothing to tell, if this is
    /// one.
    #[inline]
    fn is_usual(
        &mut self,
        now: Instant,
        filling: &Filling,
        index: usize,
        fetch: &FetchPartition,
    ) -> bool {
        let replica = &mut self.partitions[index];
        let high_watermark = replica.log.high_watermark();
        let told = Some((self.sockets[filling.slot].id, high_watermark));
        let remote = replica.usual_fetch(filling.follower, fetch, &self.metadata);
        let Some(remote) = remote.filter(|remote| remote.told == told) else { return false };
        match filling.reading {
            Reading::OnArrival if remote.epoch == Some(filling.follower_epoch) => {
                remote.fetched(fetch.fetch_offset, fetch.fetch_offset, now, filling.follower_epoch);
                remote.fetch = self.fetches;
                true
            }
            Reading::OnArrival => false,
            Reading::AfterWait => true,
        }
    }

    /// Where a replica is, or why there is none. Kafka: ReplicaManager.getPartitionOrError.
    pub(super) fn hosted_index(&self, partition: TopicPartition) -> Result<usize, ErrorCode> {
        self.replica_index(partition).ok_or_else(|| {
            let is_known = self.metadata.partition(partition).is_some();
            if is_known {
                ErrorCode::NotLeaderOrFollower
            } else {
                ErrorCode::UnknownTopicOrPartition
            }
        })
    }

    /// The leader learns how far a follower is: the follower may come into sync again, and the
    /// high watermark may rise. Kafka: Partition.updateFollowerFetchState.
    #[inline]
    fn follower_fetched(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        index: usize,
        (follower, epoch): (BrokerId, BrokerEpoch),
        fetch: &FetchPartition,
    ) -> Result<(), ErrorCode> {
        let (now, fetches) = (turn.now(), self.fetches);
        let replica = &mut self.partitions[index];
        let offset = fetch.fetch_offset;
        let advanced = replica.follower_fetched(follower, offset, epoch, now, &self.metadata)?;
        if let Some(remote) = replica.leadership_mut().and_then(|l| l.remote_mut(follower)) {
            remote.fetch = fetches;
        }
        if let Some(log_end_offset) = advanced {
            let (broker, partition) = (self.id, fetch.partition);
            turn.did(FactKind::FollowerAdvanced.set(), || Fact::FollowerAdvanced {
                broker,
                partition,
                follower,
                log_end_offset,
            });
        }
        if let Some(proposal) = self.partitions[index].maybe_expand_isr(follower, &self.metadata) {
            self.propose(turn, index, proposal);
        }
        if advanced.is_some() {
            self.raise_high_watermark_and_wake(cluster, turn, index);
        }
        Ok(())
    }

    /// A leader's log has grown: fetches that waited for that are answered.
    #[inline]
    pub(super) fn wake_fetches(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        partition: TopicPartition,
    ) {
        for parked in self.parked_on(partition) {
            if self.is_satisfied(parked) {
                self.complete_fetch(cluster, turn, parked);
            }
        }
    }

    /// The waiting fetches that name a partition: of each follower the last one it sent.
    #[inline]
    pub(super) fn parked_on(&self, partition: TopicPartition) -> SmallVec<[ParkedFetch; 4]> {
        let Some(index) = self.replica_index(partition) else { return SmallVec::new() };
        let Some(leadership) = self.partitions[index].leadership() else { return SmallVec::new() };
        let names_it = |parked: &&ParkedFetch| {
            let remote = leadership.remote(parked.follower);
            remote.is_some_and(|remote| remote.fetch == parked.fetch)
        };
        self.parked.iter().filter(names_it).copied().collect()
    }

    /// This broker leads a partition no more: the fetches that waited for it are answered.
    /// `waiting` was asked for before. Kafka: completeDelayedOperationsWhenNotPartitionLeader.
    pub(super) fn release_fetches(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        waiting: SmallVec<[ParkedFetch; 4]>,
    ) {
        for parked in waiting {
            self.complete_fetch(cluster, turn, parked);
        }
    }

    /// Whether enough bytes have gathered for a waiting fetch. Kafka: DelayedFetch.tryComplete.
    fn is_satisfied(&self, parked: ParkedFetch) -> bool {
        let Some(request) = self.sockets[parked.slot].fetch() else { return false };
        if request.min_bytes <= 1 {
            return true;
        }
        let mut bytes = 0_u32;
        for fetch in &request.partitions {
            let Ok(index) = self.hosted_index(fetch.partition) else { return true };
            let replica = &self.partitions[index];
            let is_over = replica.check_fetch(parked.follower, fetch).is_err()
                || !matches!(replica.diverging_epoch(fetch), Ok(None));
            let behind = fetch.fetch_offset < replica.log.end()
                && replica.log.is_in_older_segment(fetch.fetch_offset);
            if is_over || behind {
                return true;
            }
            let gathered: u32 =
                replica.log.batches().from(fetch.fetch_offset).map(|b| b.bytes).sum();
            bytes = bytes.saturating_add(gathered.min(fetch.max_bytes));
        }
        bytes >= request.min_bytes
    }

    /// Fetches that have waited long enough are answered.
    pub(super) fn expire_fetches(&mut self, cluster: &Cluster, turn: &mut Turn<'_>) {
        let now = turn.now();
        while let Some(parked) = self.parked.iter().find(|parked| parked.deadline <= now).copied() {
            self.complete_fetch(cluster, turn, parked);
        }
        if let Some(next) = self.parked.iter().map(|parked| parked.deadline).min() {
            self.timers.arm(Timer::Fetch, next);
        }
    }
}

/// Whether the follower has not been told this high watermark on this connection: an incremental
/// fetch session leaves out what has not changed. Kafka: server/FetchSession.CachedPartition.
#[inline]
fn is_news(
    told: Option<(ConnectionId, Offset)>,
    connection: ConnectionId,
    high_watermark: Offset,
) -> bool {
    told != Some((connection, high_watermark))
}

const fn entry(
    partition: TopicPartition,
    error: Option<ErrorCode>,
    high_watermark: Offset,
) -> FetchPartitionResponse {
    FetchPartitionResponse {
        partition,
        error,
        high_watermark,
        log_start_offset: Offset::ZERO,
        diverging_epoch: None,
        batches: 0,
    }
}
