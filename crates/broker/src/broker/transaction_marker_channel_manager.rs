//! The markers of decided transactions, on their way to the leaders of the partitions.
//!
//! Kafka: coordinator/transaction/TransactionMarkerChannelManager and
//! TransactionMarkerRequestCompletionHandler. A marker is sent until its leader has it; when all
//! have theirs, the end of the transaction is written down. A partition without a leader counts as
//! one that has its marker. What waits for a connection that was just lost is looked at again when
//! that may be opened again; Kafka's thread does not rest meanwhile.

use crate::broker::Broker;
use crate::broker::inter_broker::{Channel, Inquiry, Outcome, Sender};
use crate::broker::timers::Timer;
use crate::broker::transaction_state_manager::partition_of;
use crate::broker::work::Task;
use crate::transaction_metadata::Partitions;
use inflight_des::Instant;
use inflight_protocol::fact::CloseCause;
use inflight_protocol::message::{MarkerEntry, WriteTxnMarkersRequest};
use inflight_protocol::transaction::{CoordinatorEpoch, TransactionLogValue};
use inflight_protocol::{
    BrokerId, Cluster, ConnectionId, CorrelationId, ProducerIdAndEpoch, Request, Response,
    Timestamp, TopicPartition, TransactionalId, Turn,
};
use smallvec::SmallVec;

mod completion;

/// A decided transaction whose markers are on their way, or whose end is to be written down.
/// Kafka: PendingCompleteTxn.
#[derive(Clone, Debug)]
struct PendingCompleteTxn {
    /// Never used again: another attempt to complete the same transaction is another one.
    number: u32,
    id: TransactionalId,
    coordinator_epoch: CoordinatorEpoch,
    /// What will be written down.
    value: Box<TransactionLogValue>,
}

/// Markers of one transaction for one leader. Kafka: PendingCompleteTxnAndMarkerEntry.
#[derive(Clone, Debug)]
struct PendingMarkers {
    number: u32,
    id: TransactionalId,
    entry: MarkerEntry,
}

/// A request with markers.
#[derive(Clone, Debug, Default)]
pub(super) struct Markers(SmallVec<[PendingMarkers; 1]>);

impl Inquiry for Markers {
    fn request(&self) -> Request {
        let markers = self.0.iter().map(|one| one.entry.clone()).collect();
        Request::WriteTxnMarkers(WriteTxnMarkersRequest { markers })
    }
}

/// The channels to leaders, and what waits to be sent. There are none before something is sent.
#[derive(Debug, Default)]
pub(super) struct TransactionMarkerChannelManager {
    channels: Vec<Channel<Markers>>,
    /// What is to be sent, to whoever leads then. Kafka: markersQueuePerBroker and
    /// markersQueueForUnknownBroker.
    queue: Vec<PendingMarkers>,
    /// Kafka: transactionsWithPendingMarkers, at most one an id.
    pending: Vec<PendingCompleteTxn>,
    /// Kafka: txnLogAppendRetryQueue.
    retries: Vec<PendingCompleteTxn>,
    /// When the retries are looked at if nothing else happens.
    retry_at: Instant,
    /// What is being written down.
    completing: Vec<PendingCompleteTxn>,
    number: u32,
    is_ordered: bool,
}

inflight_des::clone_fields!(TransactionMarkerChannelManager { channels, queue, pending, retries, retry_at, completing, number, is_ordered } unless is_unused);

impl TransactionMarkerChannelManager {
    /// Whether it is as it was made.
    fn is_unused(&self) -> bool {
        self.number == 0 && self.channels.is_empty()
    }

    /// Forgets everything, as a process does that ends.
    pub(super) fn clear(&mut self) {
        self.channels.clear();
        self.queue.clear();
        self.pending.clear();
        self.retries.clear();
        self.completing.clear();
        self.is_ordered = false;
    }

    /// The channel of a connection.
    pub(super) fn channel_of(&self, connection: ConnectionId) -> Option<usize> {
        self.channels.iter().position(|channel| channel.is_on(connection))
    }

    /// Kafka: removeMarkersForTxn.
    fn cancel(&mut self, number: u32) {
        self.pending.retain(|pending| pending.number != number);
    }
}

impl Broker {
    /// A decision is committed, or was found in the log: markers are sent to all partitions.
    /// Returns the producer as it will be after that; `None` if nothing is decided.
    /// Kafka: addTxnMarkersToSend.
    pub(super) fn add_markers_to_send(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        id: TransactionalId,
    ) -> Option<ProducerIdAndEpoch> {
        let now = Timestamp::at(turn.now());
        let prepared = self.with_transaction(cluster, id, |_, epoch, metadata| {
            let metadata = metadata?;
            let entry = MarkerEntry {
                producer: ProducerIdAndEpoch { id: metadata.producer_id, epoch: metadata.epoch() },
                result: metadata.decided()?,
                coordinator_epoch: epoch,
                version: metadata.client_version,
                partitions: metadata.partitions.clone(),
            };
            Some((entry, metadata.prepare_complete(now)))
        });
        let (entry, value) = prepared.ok().flatten()?;
        let next = ProducerIdAndEpoch { id: value.producer_id, epoch: value.producer_epoch };
        let markers = &mut self.markers;
        let number = markers.number;
        markers.number = number.wrapping_add(1);
        markers.pending.retain(|pending| pending.id != id);
        markers.pending.push(PendingCompleteTxn {
            number,
            id,
            coordinator_epoch: entry.coordinator_epoch,
            value: Box::new(value),
        });
        if entry.partitions.is_empty() {
            self.order_markers();
        } else {
            self.queue_markers(PendingMarkers { number, id, entry });
        }
        self.maybe_write_completion(cluster, id);
        Some(next)
    }

    fn queue_markers(&mut self, markers: PendingMarkers) {
        self.markers.queue.push(markers);
        self.order_markers();
    }

    /// There is new metadata: markers may have a leader to go to. Kafka's thread does not rest while
    /// there are such; otherwise it does not hear of it.
    pub(super) fn look_for_marker_leaders(&mut self) {
        if !self.markers.queue.is_empty() {
            self.order_markers();
        }
    }

    /// Sees to it that the queue is looked at. Kafka: wakeup.
    fn order_markers(&mut self) {
        let markers = &mut self.markers;
        let has_work = !markers.queue.is_empty() || !markers.retries.is_empty();
        if has_work && !markers.is_ordered {
            markers.is_ordered = true;
            self.tasks.push_back(Task::SendMarkers);
        }
    }

    /// Sends what can be sent. Kafka: generateRequests, addTxnMarkersToBrokerQueue.
    #[inline(never)]
    pub(super) fn send_markers(&mut self, cluster: &Cluster, turn: &mut Turn<'_>) {
        self.markers.is_ordered = false;
        if self.markers.channels.is_empty() {
            self.markers.channels.extend(cluster.broker_ids().map(Channel::new));
        }
        for retry in std::mem::take(&mut self.markers.retries) {
            self.write_completion(cluster, retry);
        }
        let mut requests: Vec<Markers> = Vec::new();
        requests.resize_with(self.markers.channels.len(), Markers::default);
        for markers in std::mem::take(&mut self.markers.queue) {
            self.sort_markers(cluster, turn, markers, &mut requests);
        }
        for (index, request) in requests.into_iter().enumerate() {
            if !request.0.is_empty() {
                let outcomes =
                    self.on_markers(index, |channel, sender| channel.send(sender, turn, request));
                self.markers_done(cluster, turn, index, outcomes);
            }
        }
    }

    /// Splits markers by the leaders of their partitions. What has no leader is left out.
    /// Kafka: addTxnMarkersToBrokerQueue.
    fn sort_markers(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        markers: PendingMarkers,
        requests: &mut [Markers],
    ) {
        let PendingMarkers { number, id, entry } = markers;
        let mut leaderless = Partitions::new();
        let mut later = Partitions::new();
        for partition in &entry.partitions {
            let Some(leader) = self.marker_leader(*partition) else {
                leaderless.push(*partition);
                continue;
            };
            let channel = &self.markers.channels[leader.index()];
            if channel.is_backing_off(turn.now()) {
                self.timers.arm(Timer::Markers, channel.backs_off_until());
                later.push(*partition);
                continue;
            }
            let request = &mut requests[leader.index()].0;
            match request.iter_mut().find(|one| one.number == number) {
                Some(one) => one.entry.partitions.push(*partition),
                None => {
                    let partitions = smallvec::smallvec![*partition];
                    let entry = MarkerEntry { partitions, ..entry.clone() };
                    request.push(PendingMarkers { number, id, entry });
                }
            }
        }
        if !leaderless.is_empty()
            && !self.skip_markers(cluster, turn, (number, id), &entry, &leaderless)
        {
            return;
        }
        if !later.is_empty() {
            let entry = MarkerEntry { partitions: later, ..entry };
            self.markers.queue.push(PendingMarkers { number, id, entry });
        }
    }

    /// The leader that a marker is sent to, fenced or not. A partition that has none looks like one
    /// that was deleted. Kafka: KRaftMetadataCache.getPartitionLeaderEndpoint.
    fn marker_leader(&self, partition: TopicPartition) -> Option<BrokerId> {
        let leader = self.metadata.partition(partition)?.leader;
        leader.filter(|leader| self.metadata.is_registered(*leader))
    }

    fn on_markers<R>(
        &mut self,
        index: usize,
        call: impl FnOnce(&mut Channel<Markers>, &mut Sender<'_>) -> R,
    ) -> R {
        let Self { markers, timers, connections, id, .. } = self;
        let mut sender = Sender { broker: *id, connections, timers, timer: Timer::Markers };
        call(&mut markers.channels[index], &mut sender)
    }

    /// A connection to a leader is open.
    pub(super) fn markers_connected(&mut self, turn: &mut Turn<'_>, index: usize) {
        self.on_markers(index, |channel, sender| channel.connected(sender, turn));
    }

    /// A connection to a leader is lost.
    pub(super) fn markers_lost(&mut self, cluster: &Cluster, turn: &mut Turn<'_>, index: usize) {
        let why = CloseCause::Peer;
        let outcomes = self.on_markers(index, |channel, sender| channel.lost(sender, turn, why));
        self.markers_done(cluster, turn, index, outcomes);
        self.order_markers();
    }

    /// A leader has answered.
    pub(super) fn markers_answered(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        index: usize,
        (correlation, response): (CorrelationId, Response),
    ) {
        let outcomes = self.on_markers(index, |channel, sender| {
            channel.answered(sender, turn, correlation, response)
        });
        self.markers_done(cluster, turn, index, outcomes);
    }

    /// Time has come for a channel, or for what waits.
    pub(super) fn markers_due(&mut self, cluster: &Cluster, turn: &mut Turn<'_>) {
        for index in 0..self.markers.channels.len() {
            let outcomes = self.on_markers(index, |channel, sender| channel.due(sender, turn));
            self.markers_done(cluster, turn, index, outcomes);
        }
        let markers = &self.markers;
        // Kafka's thread sleeps until one of these.
        if !markers.queue.is_empty() || markers.retry_at <= turn.now() {
            self.order_markers();
        } else if !markers.retries.is_empty() {
            self.timers.arm(Timer::Markers, markers.retry_at);
        }
    }

    fn markers_done(
        &mut self,
        cluster: &Cluster,
        turn: &Turn<'_>,
        index: usize,
        outcomes: SmallVec<[Outcome<Markers>; 1]>,
    ) {
        let is_news = !outcomes.is_empty();
        for (markers, response) in outcomes {
            let response = match &response {
                Some(Response::WriteTxnMarkers(response)) => Some(response),
                Some(_) | None => None,
            };
            for sent in markers.0 {
                self.markers_answered_for(cluster, sent, response);
            }
        }
        let channel = &self.markers.channels[index];
        if channel.is_backing_off(turn.now()) {
            self.timers.arm(Timer::Markers, channel.backs_off_until());
        }
        if is_news {
            self.order_markers();
        }
    }

    /// This broker coordinates a partition of `__transaction_state` anew or no more: what waits to
    /// be sent for it is dropped. Kafka: removeMarkersForTxnTopicPartition.
    pub(super) fn remove_markers_of(&mut self, cluster: &Cluster, partition: TopicPartition) {
        let mut dropped: SmallVec<[u32; 4]> = SmallVec::new();
        self.markers.queue.retain(|markers| {
            let keeps = partition_of(cluster, markers.id) != partition;
            if !keeps {
                dropped.push(markers.number);
            }
            keeps
        });
        for number in dropped {
            self.markers.cancel(number);
        }
    }
}
