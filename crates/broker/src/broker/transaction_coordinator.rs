//! The transaction coordinator: requests about transactional ids, and what becomes of them.
//!
//! Kafka: coordinator/transaction/TransactionCoordinator, and the handlers of KafkaApis in front of
//! it. What needs to be written is answered when it is committed.

mod add;
mod end;
mod initialize;
mod sweep;

use crate::broker::Broker;
use crate::broker::settings::InjectWhen;
use crate::broker::sockets::Stage;
use crate::broker::transaction_state_manager::partition_of;
use crate::transaction_metadata::{End, Fencing, TransactionMetadata};
use inflight_protocol::message::{
    AddPartitionsToTxnResponse, FindCoordinatorResponse, LeaderAddPartitionsResponse,
};
use inflight_protocol::transaction::{
    CoordinatorEpoch, CoordinatorKey, TransactionLogValue, TransactionalProducer,
};
use inflight_protocol::{
    ApiKey, BrokerId, Cluster, ErrorCode, Fact, FactKind, ProducerEpoch, Request, Response,
    TransactionalId, Turn,
};

/// What comes after a change of state is committed. A slot is that of the connection whose request
/// wanted it.
#[derive(Clone, Debug)]
pub(super) enum After {
    /// The producer is initialised.
    Initialize(u32),
    /// A client's partitions are in the transaction.
    Add(u32),
    /// A leader's partitions are in the transaction.
    LeaderAdd(u32),
    /// The end is decided.
    End(EndCaller, End, Fencing),
    /// All markers are written. The number of what was to be completed.
    Complete(u32),
}

/// Who wanted a transaction to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EndCaller {
    /// A client, by EndTxn.
    Client(u32),
    /// A new instance of the producer, by InitProducerId.
    NewInstance(u32),
    /// Its time is over.
    Timeout,
}

/// Who asks, to be told in a fact.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker {
    pub(super) id: TransactionalId,
    pub(super) api: ApiKey,
    pub(super) epoch: Option<ProducerEpoch>,
}

impl Broker {
    /// Executes a request that a transaction coordinator answers, or FindCoordinator, which every
    /// broker answers.
    #[inline(never)]
    pub(super) fn execute_transactional(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        slot: u32,
    ) {
        if let Some(error) = self.injected(slot, None, InjectWhen::BeforeAppend) {
            if let Some(response) = error_response(&self.sockets[slot].request, error) {
                self.respond(turn, slot, response);
            }
            return;
        }
        self.sockets[slot].stage = Stage::Delayed;
        match self.sockets[slot].request.clone() {
            Request::FindCoordinator(request) => {
                let coordinator = self.coordinator_of(cluster, request.key);
                let coordinator = coordinator.ok_or(ErrorCode::CoordinatorNotAvailable);
                let response = FindCoordinatorResponse { key: request.key, coordinator };
                self.answer(turn, slot, Response::FindCoordinator(response));
            }
            Request::InitProducerId(request) => {
                self.handle_init_producer_id(cluster, turn, slot, request);
            }
            Request::AddPartitionsToTxn(request) => {
                self.handle_add_partitions(cluster, turn, slot, &request);
            }
            Request::AddOffsetsToTxn(request) => {
                self.handle_add_offsets(cluster, turn, slot, &request);
            }
            Request::LeaderAddPartitions(request) => {
                self.handle_leader_additions(cluster, turn, slot, &request);
            }
            Request::EndTxn(request) => self.handle_end_txn(cluster, turn, slot, request),
            _ => debug_assert!(false, "no coordinator answers this"),
        }
    }

    /// The broker that coordinates something: the leader of its partition, if that is alive.
    /// Kafka: KafkaApis.getCoordinator, AddPartitionsToTxnManager.getTransactionCoordinator.
    pub(super) fn coordinator_of(
        &self,
        cluster: &Cluster,
        key: CoordinatorKey,
    ) -> Option<BrokerId> {
        let registration = self.metadata.partition(cluster.coordinated.partition(key))?;
        registration.leader.filter(|leader| self.metadata.alive_epoch(*leader).is_some())
    }

    /// Does something about an id that this broker coordinates. Without metadata, it was never
    /// heard of. Kafka: TransactionStateManager.getTransactionState.
    pub(super) fn with_transaction<R>(
        &mut self,
        cluster: &Cluster,
        id: TransactionalId,
        call: impl FnOnce(&mut Self, CoordinatorEpoch, Option<&mut TransactionMetadata>) -> R,
    ) -> Result<R, ErrorCode> {
        let mut transactions = std::mem::take(&mut self.transactions);
        let entry = transactions.entry(partition_of(cluster, id));
        let result = entry.map(|entry| call(self, entry.epoch, entry.get(id)));
        self.transactions = transactions;
        result
    }

    /// A change of state was committed, or not: whoever waited for it goes on.
    pub(super) fn transition_is_over(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        value: &TransactionLogValue,
        after: After,
        error: Option<ErrorCode>,
    ) {
        match after {
            After::Initialize(slot) => self.initialized(turn, slot, value, error),
            After::Add(slot) => self.added(turn, slot, error),
            After::LeaderAdd(slot) => self.leader_added(turn, slot, value.id, error),
            After::End(caller, end, fencing) => {
                self.end_written(cluster, turn, value.id, (caller, end, fencing), error);
            }
            After::Complete(number) => self.completion_written(turn, number, error),
        }
    }

    /// Answers a request, unless an error was injected.
    pub(super) fn answer(&mut self, turn: &mut Turn<'_>, slot: u32, response: Response) {
        let late = self.injected(slot, None, InjectWhen::AfterAppend);
        let error = late.and_then(|error| error_response(&self.sockets[slot].request, error));
        self.respond(turn, slot, error.unwrap_or(response));
    }

    /// Answers a request with an error, and says so.
    pub(super) fn refuse_request(&mut self, turn: &mut Turn<'_>, slot: u32, error: ErrorCode) {
        if let Some(asker) = asker(&self.sockets[slot].request) {
            self.did_refuse(turn, asker, error);
        }
        if let Some(response) = error_response(&self.sockets[slot].request, error) {
            self.answer(turn, slot, response);
        }
    }

    /// Says that a request about a transactional id was refused.
    pub(super) fn did_refuse(&self, turn: &mut Turn<'_>, asker: Asker, error: ErrorCode) {
        turn.did(FactKind::TransactionRequestRejected.set(), || Fact::TransactionRequestRejected {
            broker: self.id,
            transactional_id: asker.id,
            api: asker.api,
            producer_epoch: asker.epoch,
            error,
        });
    }
}

impl Asker {
    /// A producer that asks.
    pub(super) const fn producer(who: TransactionalProducer, api: ApiKey) -> Self {
        Self { id: who.id, api, epoch: Some(who.producer.epoch) }
    }
}

/// Who asks by a request about one transactional id.
fn asker(request: &Request) -> Option<Asker> {
    let api = request.api();
    match request {
        Request::InitProducerId(request) => {
            let (id, _) = request.transaction?;
            Some(Asker { id, api, epoch: request.current.map(|current| current.epoch) })
        }
        Request::AddPartitionsToTxn(request) => Some(Asker::producer(request.who, api)),
        Request::AddOffsetsToTxn(request) => Some(Asker::producer(request.who, api)),
        Request::EndTxn(request) => Some(Asker::producer(request.who, api)),
        _ => None,
    }
}

/// The response that says that a request has failed.
fn error_response(request: &Request, error: ErrorCode) -> Option<Response> {
    Some(match request {
        Request::FindCoordinator(request) => Response::FindCoordinator(FindCoordinatorResponse {
            key: request.key,
            coordinator: Err(error),
        }),
        Request::InitProducerId(_) => Response::InitProducerId(Err(error)),
        Request::AddPartitionsToTxn(request) => {
            let partitions = request.partitions.iter().map(|id| (*id, Some(error))).collect();
            Response::AddPartitionsToTxn(AddPartitionsToTxnResponse { partitions })
        }
        Request::AddOffsetsToTxn(_) => Response::AddOffsetsToTxn(Some(error)),
        Request::LeaderAddPartitions(_) => {
            let error = Some(error);
            let results = smallvec::SmallVec::new();
            Response::LeaderAddPartitions(LeaderAddPartitionsResponse { error, results })
        }
        Request::EndTxn(_) => Response::EndTxn(Err(error)),
        _ => return None,
    })
}
