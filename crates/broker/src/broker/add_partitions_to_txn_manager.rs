//! Leaders ask transaction coordinators whether a partition is in a transaction, or add it.
//!
//! Kafka: server/transaction/AddPartitionsToTxnManager. One request is out to each coordinator;
//! what comes meanwhile is gathered for the next one, at most once a transactional id.

use crate::broker::Broker;
use crate::broker::inter_broker::{Channel, Inquiry, Outcome, Sender};
use crate::broker::timers::Timer;
use inflight_protocol::fact::CloseCause;
use inflight_protocol::message::{
    AddOrVerify, LeaderAddPartitionsRequest, LeaderAddPartitionsResponse, LeaderAddition,
};
use inflight_protocol::transaction::{CoordinatorKey, TransactionalProducer};
use inflight_protocol::{
    BrokerId, Cluster, ConnectionId, CorrelationId, ErrorCode, Fact, FactKind, Request, Response,
    TopicPartition, Turn,
};
use smallvec::SmallVec;

/// What was asked for one request of a client: the request's connection is in this slot.
#[derive(Clone, Debug)]
struct Addition {
    slot: u32,
    addition: LeaderAddition,
}

/// A request to a coordinator. Kafka: TransactionDataAndCallbacks.
#[derive(Clone, Debug, Default)]
pub(super) struct Additions(SmallVec<[Addition; 1]>);

impl Inquiry for Additions {
    fn request(&self) -> Request {
        let transactions = self.0.iter().map(|one| one.addition.clone()).collect();
        Request::LeaderAddPartitions(LeaderAddPartitionsRequest { transactions })
    }
}

/// The answer about one partition.
pub(super) type Verified = (TopicPartition, Option<ErrorCode>);

/// The channels to coordinators, and what waits for each. There are none before something is asked.
#[derive(Debug, Default)]
pub(super) struct AddPartitionsToTxnManager {
    channels: Vec<Channel<Additions>>,
    gathered: Vec<Additions>,
}

inflight_des::clone_fields!(AddPartitionsToTxnManager { channels, gathered } unless is_unused);

impl AddPartitionsToTxnManager {
    /// Whether it is as it was made.
    fn is_unused(&self) -> bool {
        self.channels.is_empty()
    }

    /// Makes a channel to each broker, if there is none.
    fn open(&mut self, cluster: &Cluster) {
        if self.channels.is_empty() {
            self.channels.extend(cluster.broker_ids().map(Channel::new));
            self.gathered.resize_with(self.channels.len(), Additions::default);
        }
    }

    /// Forgets everything, as a process does that ends.
    pub(super) fn clear(&mut self) {
        self.channels.clear();
        self.gathered.clear();
    }

    /// The channel of a connection.
    pub(super) fn channel_of(&self, connection: ConnectionId) -> Option<usize> {
        self.channels.iter().position(|channel| channel.is_on(connection))
    }
}

impl Broker {
    /// Asks the coordinator about partitions for the request in a slot. The answer comes by
    /// [`Broker::transaction_verified`], which may be called before this returns.
    /// Kafka: AddPartitionsToTxnManager.addOrVerifyTransaction.
    pub(super) fn add_or_verify_transaction(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        slot: u32,
        (who, mode): (TransactionalProducer, AddOrVerify),
        partitions: SmallVec<[TopicPartition; 4]>,
    ) {
        let addition = Addition { slot, addition: LeaderAddition { who, mode, partitions } };
        let Some(coordinator) = self.coordinator_of(cluster, CoordinatorKey::Transaction(who.id))
        else {
            self.verified(cluster, turn, &addition, ErrorCode::CoordinatorNotAvailable);
            return;
        };
        self.add_partitions.open(cluster);
        let gathered = &mut self.add_partitions.gathered[coordinator.index()].0;
        let known = gathered.iter().position(|other| other.addition.who.id == who.id);
        let before = known.map(|index| gathered[index].addition.who.producer.epoch);
        let epoch = who.producer.epoch;
        // Of two requests of one transactional id the newer one counts, unless its epoch is older.
        let refused = match (known, before) {
            (Some(_), Some(before)) if before > epoch => {
                Some((addition, ErrorCode::InvalidProducerEpoch))
            }
            (Some(index), Some(before)) => {
                let old = std::mem::replace(&mut gathered[index], addition);
                let is_fenced = before < epoch;
                let error = if is_fenced {
                    ErrorCode::InvalidProducerEpoch
                } else {
                    ErrorCode::NetworkException
                };
                Some((old, error))
            }
            (Some(_), None) | (None, _) => {
                gathered.push(addition);
                None
            }
        };
        if let Some((refused, error)) = refused {
            self.verified(cluster, turn, &refused, error);
        }
        self.send_additions(cluster, turn, coordinator);
    }

    /// Sends what was gathered for a coordinator, if it has no request to answer.
    /// Kafka: AddPartitionsToTxnManager.generateRequests.
    fn send_additions(&mut self, cluster: &Cluster, turn: &mut Turn<'_>, to: BrokerId) {
        let manager = &mut self.add_partitions;
        let gathered = &mut manager.gathered[to.index()];
        if gathered.0.is_empty() || manager.channels[to.index()].is_busy() {
            return;
        }
        let additions = std::mem::take(gathered);
        let outcomes =
            self.on_additions(to.index(), |channel, sender| channel.send(sender, turn, additions));
        self.additions_done(cluster, turn, to.index(), outcomes);
    }

    fn on_additions<R>(
        &mut self,
        index: usize,
        call: impl FnOnce(&mut Channel<Additions>, &mut Sender<'_>) -> R,
    ) -> R {
        let Self { add_partitions, timers, connections, id, .. } = self;
        let timer = Timer::AddPartitions;
        let mut sender = Sender { broker: *id, connections, timers, timer };
        call(&mut add_partitions.channels[index], &mut sender)
    }

    /// A connection to a coordinator is open.
    pub(super) fn additions_connected(&mut self, turn: &mut Turn<'_>, index: usize) {
        self.on_additions(index, |channel, sender| channel.connected(sender, turn));
    }

    /// A connection to a coordinator is lost.
    pub(super) fn additions_lost(&mut self, cluster: &Cluster, turn: &mut Turn<'_>, index: usize) {
        let why = CloseCause::Peer;
        let outcomes = self.on_additions(index, |channel, sender| channel.lost(sender, turn, why));
        self.additions_done(cluster, turn, index, outcomes);
    }

    /// A coordinator has answered.
    pub(super) fn additions_answered(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        index: usize,
        (correlation, response): (CorrelationId, Response),
    ) {
        let outcomes = self.on_additions(index, |channel, sender| {
            channel.answered(sender, turn, correlation, response)
        });
        self.additions_done(cluster, turn, index, outcomes);
    }

    /// Time has come for a channel.
    pub(super) fn additions_due(&mut self, cluster: &Cluster, turn: &mut Turn<'_>) {
        for index in 0..self.add_partitions.channels.len() {
            let outcomes = self.on_additions(index, |channel, sender| channel.due(sender, turn));
            self.additions_done(cluster, turn, index, outcomes);
        }
    }

    /// Requests to a coordinator are answered, or have failed.
    /// Kafka: AddPartitionsToTxnHandler.onComplete.
    fn additions_done(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        index: usize,
        outcomes: SmallVec<[Outcome<Additions>; 1]>,
    ) {
        for (additions, response) in outcomes {
            for addition in additions.0 {
                match &response {
                    Some(Response::LeaderAddPartitions(response)) => {
                        let results = results_of(&addition.addition, response);
                        self.did_verify(turn, addition.addition.who, &results);
                        self.transaction_verified(cluster, turn, addition.slot, &results);
                    }
                    Some(_) | None => {
                        self.verified(cluster, turn, &addition, ErrorCode::NetworkException);
                    }
                }
            }
        }
        self.send_additions(cluster, turn, BrokerId::from_index(index));
    }

    /// The same error for all partitions.
    fn verified(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        addition: &Addition,
        error: ErrorCode,
    ) {
        let partitions = addition.addition.partitions.iter();
        let results: SmallVec<[Verified; 4]> = partitions.map(|id| (*id, Some(error))).collect();
        self.did_verify(turn, addition.addition.who, &results);
        self.transaction_verified(cluster, turn, addition.slot, &results);
    }

    fn did_verify(&self, turn: &mut Turn<'_>, who: TransactionalProducer, results: &[Verified]) {
        for (partition, error) in results {
            turn.did(FactKind::TransactionVerified.set(), || Fact::TransactionVerified {
                broker: self.id,
                partition: *partition,
                producer_id: who.producer.id,
                producer_epoch: who.producer.epoch,
                error: *error,
            });
        }
    }
}

/// What a response says of the partitions of one transaction.
fn results_of(
    addition: &LeaderAddition,
    response: &LeaderAddPartitionsResponse,
) -> SmallVec<[Verified; 4]> {
    let error_of = |partition: TopicPartition| {
        if response.error.is_some() {
            return response.error;
        }
        let mut results = response.results.iter();
        let result = results.find(|(id, about, _)| (*id, *about) == (addition.who.id, partition));
        match result.and_then(|(.., error)| *error) {
            // What producers expect of a produce request.
            Some(ErrorCode::ProducerFenced) => Some(ErrorCode::InvalidProducerEpoch),
            error => error,
        }
    };
    addition.partitions.iter().map(|partition| (*partition, error_of(*partition))).collect()
}
