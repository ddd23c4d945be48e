//! Partitions and offsets join a transaction, or are asked after.
//!
//! Kafka: TransactionCoordinator.handleAddPartitionsToTransaction and
//! handleVerifyPartitionsInTransaction, KafkaApis.handleAddPartitionsToTxnRequest and
//! handleAddOffsetsToTxnRequest.

use super::{After, Asker};
use crate::broker::Broker;
use inflight_protocol::message::{
    AddOffsetsToTxnRequest, AddOrVerify, AddPartitionsToTxnRequest, AddPartitionsToTxnResponse,
    LeaderAddPartitionsRequest, LeaderAddPartitionsResponse, LeaderAddition,
};
use inflight_protocol::transaction::{
    CoordinatorEpoch, CoordinatorKey, TransactionLogValue, TransactionalProducer,
};
use inflight_protocol::{
    ApiKey, Cluster, ErrorCode, Request, Response, Timestamp, TopicPartition, TransactionState,
    TransactionVersion, TransactionalId, Turn,
};
use smallvec::SmallVec;

/// What is to be written so that partitions are in a transaction; nothing if they are.
type Joining = Option<(CoordinatorEpoch, TransactionLogValue)>;

impl Broker {
    pub(super) fn handle_add_partitions(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        slot: u32,
        request: &AddPartitionsToTxnRequest,
    ) {
        if let Some(partitions) = self.unknown_among(&request.partitions) {
            let response = AddPartitionsToTxnResponse { partitions };
            self.answer(turn, slot, Response::AddPartitionsToTxn(response));
            return;
        }
        self.add_for_client(cluster, turn, slot, request.who, &request.partitions);
    }

    /// A transaction that has offsets of a group has the group's partition of
    /// `__consumer_offsets`.
    pub(super) fn handle_add_offsets(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        slot: u32,
        request: &AddOffsetsToTxnRequest,
    ) {
        let partition = cluster.coordinated.partition(CoordinatorKey::Group(request.group));
        self.add_for_client(cluster, turn, slot, request.who, &[partition]);
    }

    fn add_for_client(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        slot: u32,
        who: TransactionalProducer,
        partitions: &[TopicPartition],
    ) {
        let version = TransactionVersion::V0;
        match self.join(cluster, Timestamp::at(turn.now()), who, partitions, version) {
            Ok(None) => self.added(turn, slot, None),
            Ok(Some((epoch, value))) => {
                self.append_transition(cluster, epoch, value, After::Add(slot));
            }
            Err(error) => self.added(turn, slot, Some(error)),
        }
    }

    /// Kafka: handleAddPartitionsToTransaction.
    fn join(
        &mut self,
        cluster: &Cluster,
        now: Timestamp,
        who: TransactionalProducer,
        partitions: &[TopicPartition],
        version: TransactionVersion,
    ) -> Result<Joining, ErrorCode> {
        self.with_transaction(cluster, who.id, |_, epoch, metadata| {
            let metadata = metadata.ok_or(ErrorCode::InvalidProducerIdMapping)?;
            if metadata.pending.is_some() {
                return Err(ErrorCode::ConcurrentTransactions);
            }
            if metadata.producer_id != who.producer.id {
                return Err(ErrorCode::InvalidProducerIdMapping);
            }
            if metadata.epoch() != who.producer.epoch {
                return Err(ErrorCode::ProducerFenced);
            }
            if metadata.decided().is_some() {
                return Err(ErrorCode::ConcurrentTransactions);
            }
            let mut missing = partitions.iter().filter(|id| !metadata.partitions.contains(id));
            if metadata.state == TransactionState::Ongoing && missing.next().is_none() {
                return Ok(None);
            }
            Ok(Some((epoch, metadata.prepare_add(partitions, now, version))))
        })?
    }

    /// A client's partitions are in the transaction, or are not.
    pub(super) fn added(&mut self, turn: &mut Turn<'_>, slot: u32, error: Option<ErrorCode>) {
        if let Some(error) = error {
            self.refuse_request(turn, slot, error);
            return;
        }
        let response = match &self.sockets[slot].request {
            Request::AddPartitionsToTxn(request) => {
                let partitions = request.partitions.iter().map(|id| (*id, None)).collect();
                Response::AddPartitionsToTxn(AddPartitionsToTxnResponse { partitions })
            }
            _ => Response::AddOffsetsToTxn(None),
        };
        self.answer(turn, slot, response);
    }

    /// If partitions are not known here, none is added: what is answered for each.
    fn unknown_among<C>(&self, partitions: &[TopicPartition]) -> Option<C>
    where
        C: FromIterator<(TopicPartition, Option<ErrorCode>)>,
    {
        let is_known = |id: TopicPartition| self.metadata.partition(id).is_some();
        if partitions.iter().all(|id| is_known(*id)) {
            return None;
        }
        let errors = partitions.iter().map(|id| {
            let error = if is_known(*id) {
                ErrorCode::OperationNotAttempted
            } else {
                ErrorCode::UnknownTopicOrPartition
            };
            (*id, Some(error))
        });
        Some(errors.collect())
    }

    /// A leader asks about several transactions; it is answered when all are done with.
    pub(super) fn handle_leader_additions(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        slot: u32,
        request: &LeaderAddPartitionsRequest,
    ) {
        self.sockets[slot].undecided = request.transactions.len() as u32;
        if request.transactions.is_empty() {
            self.answer_additions(turn, slot);
        }
        for addition in &request.transactions {
            self.add_for_leader(cluster, turn, slot, addition);
        }
    }

    fn add_for_leader(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        slot: u32,
        addition: &LeaderAddition,
    ) {
        let (who, partitions) = (addition.who, &addition.partitions);
        let unknown: Option<SmallVec<[_; 4]>> = self.unknown_among(partitions);
        if let Some(results) = unknown {
            self.note_additions(turn, slot, who.id, &results);
            return;
        }
        match addition.mode {
            AddOrVerify::Verify => {
                let results = self.verify_partitions(cluster, turn, who, partitions);
                self.note_additions(turn, slot, who.id, &results);
            }
            AddOrVerify::Add => {
                let now = Timestamp::at(turn.now());
                match self.join(cluster, now, who, partitions, TransactionVersion::V2) {
                    Ok(None) => self.leader_added(turn, slot, who.id, None),
                    Ok(Some((epoch, value))) => {
                        self.append_transition(cluster, epoch, value, After::LeaderAdd(slot));
                    }
                    Err(error) => self.leader_added(turn, slot, who.id, Some(error)),
                }
            }
        }
    }

    /// What is pending is not looked at: the log has the last word.
    /// Kafka: handleVerifyPartitionsInTransaction.
    fn verify_partitions(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        who: TransactionalProducer,
        partitions: &[TopicPartition],
    ) -> SmallVec<[(TopicPartition, Option<ErrorCode>); 4]> {
        let found = self.with_transaction(cluster, who.id, |_, _, metadata| {
            let metadata = metadata.ok_or(ErrorCode::InvalidProducerIdMapping)?;
            if metadata.producer_id != who.producer.id {
                return Err(ErrorCode::InvalidProducerIdMapping);
            }
            if metadata.epoch() != who.producer.epoch {
                return Err(ErrorCode::ProducerFenced);
            }
            if metadata.decided().is_some() {
                return Err(ErrorCode::ConcurrentTransactions);
            }
            Ok(metadata.partitions.clone())
        });
        let found = found.and_then(|found| found);
        let asker = Asker::producer(who, ApiKey::AddPartitionsToTxn);
        let error_of = |partition: &TopicPartition| match &found {
            Ok(inside) if inside.contains(partition) => None,
            Ok(_) => Some(ErrorCode::TransactionAbortable),
            Err(error) => Some(*error),
        };
        let results: SmallVec<[_; 4]> =
            partitions.iter().map(|partition| (*partition, error_of(partition))).collect();
        if let Some(error) = results.iter().find_map(|(_, error)| *error) {
            self.did_refuse(turn, asker, error);
        }
        results
    }

    /// A leader's partitions are in one of its transactions, or are not.
    pub(super) fn leader_added(
        &mut self,
        turn: &mut Turn<'_>,
        slot: u32,
        id: TransactionalId,
        error: Option<ErrorCode>,
    ) {
        let Request::LeaderAddPartitions(request) = &self.sockets[slot].request else { return };
        let mut additions = request.transactions.iter();
        let Some(addition) = additions.find(|addition| addition.who.id == id) else { return };
        let who = addition.who;
        let partitions = addition.partitions.iter();
        let results: SmallVec<[_; 4]> = partitions.map(|id| (*id, error)).collect();
        if let Some(error) = error {
            self.did_refuse(turn, Asker::producer(who, ApiKey::AddPartitionsToTxn), error);
        }
        self.note_additions(turn, slot, id, &results);
    }

    fn note_additions(
        &mut self,
        turn: &mut Turn<'_>,
        slot: u32,
        id: TransactionalId,
        results: &[(TopicPartition, Option<ErrorCode>)],
    ) {
        let connection = &mut self.sockets[slot];
        connection.additions.extend(results.iter().map(|(about, error)| (id, *about, *error)));
        connection.undecided -= 1;
        if connection.undecided == 0 {
            self.answer_additions(turn, slot);
        }
    }

    fn answer_additions(&mut self, turn: &mut Turn<'_>, slot: u32) {
        let results = self.sockets[slot].additions.iter().copied().collect();
        let response = LeaderAddPartitionsResponse { error: None, results };
        self.answer(turn, slot, Response::LeaderAddPartitions(response));
    }
}
