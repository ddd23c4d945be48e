//! A cluster with transactions, and a transactional client that does what it is told.

use super::*;
use inflight_protocol::cluster::Coordinated;
use inflight_protocol::message::{
    AddPartitionsToTxnRequest, EndTxnRequest, FindCoordinatorRequest, InitProducerIdRequest,
    ProduceTransaction,
};
use inflight_protocol::transaction::{
    CONSUMER_OFFSETS_TOPIC, CoordinatorKey, TRANSACTION_STATE_TOPIC, TransactionalProducer,
    coordinator_partition,
};
use inflight_protocol::{
    BatchKind, ProducerEpoch, ProducerIdAndEpoch, TopicConfig, Topics, TransactionResult,
    TransactionState, TransactionVersion, TransactionalId,
};

/// The second partition of `t`.
pub(crate) const P1: TopicPartition = TopicPartition::new(1);
/// The partition of `__transaction_state` that everything belongs to.
pub(crate) const STATE: TopicPartition = TopicPartition::new(2);
/// The first transactional id.
pub(crate) const T0: TransactionalId = TransactionalId::new(0);
/// The second transactional id.
pub(crate) const T1: TransactionalId = TransactionalId::new(1);
pub(crate) const V0: TransactionVersion = TransactionVersion::V0;
pub(crate) const V2: TransactionVersion = TransactionVersion::V2;
pub(crate) const COMMIT: TransactionResult = TransactionResult::Commit;
pub(crate) const ABORT: TransactionResult = TransactionResult::Abort;

/// Three brokers and min.insync.replicas 2. Broker 1 leads P0, broker 2 leads P1, broker 3
/// coordinates two transactional ids and one group.
pub(crate) fn with_transactions(version: TransactionVersion) -> Cluster {
    let topic = TopicConfig { min_insync_replicas: 2, ..TopicConfig::default() };
    let base = cluster(3, 2, 3, topic);
    let mut topics = Topics::new([("t", 2)]);
    let number = |name| coordinator_partition(name, 50) as u16;
    topics.add_sparse(TRANSACTION_STATE_TOPIC, &[number("payments")]);
    topics.add_sparse(CONSUMER_OFFSETS_TOPIC, &[number("readers")]);
    let offsets = TopicPartition::new(3);
    let ids = ["payments", "refunds"].map(|id| (id.to_owned(), STATE));
    let mut assignments = base.assignments.clone();
    assignments.push([b(3), b(1), b(2)].into_iter().collect());
    assignments.push([b(3), b(1), b(2)].into_iter().collect());
    Cluster {
        topics,
        topic_configs: vec![topic; 3],
        assignments,
        transaction_version: version,
        coordinated: Coordinated {
            transactional_ids: ids.into(),
            groups: vec![("readers".to_owned(), offsets)],
        },
        ..base
    }
}

/// A producer with a transactional id, as far as a test says what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) id: TransactionalId,
    pub(crate) version: TransactionVersion,
    pub(crate) producer: ProducerIdAndEpoch,
}

impl Client {
    pub(crate) const fn who(&self) -> TransactionalProducer {
        TransactionalProducer { id: self.id, producer: self.producer }
    }

    pub(crate) const fn epoch(&self) -> i16 {
        self.producer.epoch.get()
    }

    /// The same producer with another epoch.
    pub(crate) const fn at_epoch(mut self, epoch: i16) -> Self {
        self.producer.epoch = ProducerEpoch::new(epoch);
        self
    }

    /// A transactional batch.
    pub(crate) fn batch(&self, sequence: i32, count: u32) -> RecordBatch {
        let batch = idempotent(self.producer.id.get(), self.epoch(), sequence, count);
        RecordBatch { kind: BatchKind::Transactional, ..batch }
    }

    /// A produce request to one partition.
    pub(crate) fn produce(&self, partition: TopicPartition, sequence: i32, count: u32) -> Request {
        Request::Produce(ProduceRequest {
            acks: Acks::All,
            timeout_ms: 30_000,
            transaction: Some(ProduceTransaction { id: self.id, version: self.version }),
            batches: [(partition, self.batch(sequence, count))].into_iter().collect(),
        })
    }

    pub(crate) fn add(&self, partitions: &[TopicPartition]) -> Request {
        let (who, partitions) = (self.who(), partitions.iter().copied().collect());
        Request::AddPartitionsToTxn(AddPartitionsToTxnRequest { who, partitions })
    }

    pub(crate) const fn end(&self, result: TransactionResult) -> Request {
        Request::EndTxn(EndTxnRequest { who: self.who(), result, version: self.version })
    }
}

fn number(error: Option<ErrorCode>) -> i16 {
    error.map_or(0, ErrorCode::number)
}

impl World {
    /// A cluster with transactions that has been running for a while.
    pub(crate) fn transactional(cluster: Cluster) -> Self {
        let mut world = Self::new(cluster);
        world.run_for(ms(1_000));
        world
    }

    /// Asks a broker over a connection of its own, and waits for the answer.
    pub(crate) fn ask(&mut self, id: u8, request: Request) -> Response {
        let correlation = self.send_request(id, request);
        self.run_until_so(|world| world.answer(correlation).is_some());
        self.answer(correlation).expect("it is answered").1.clone()
    }

    /// Asks a broker over a connection of its own.
    pub(crate) fn send_request(&mut self, id: u8, request: Request) -> CorrelationId {
        let connection = self.connect(id);
        self.request(connection, request)
    }

    /// The leader of a partition, as the controller knows it.
    pub(crate) fn leader(&self, partition: TopicPartition) -> u8 {
        self.controller.partition(partition).leader.expect("it has a leader").get()
    }

    /// Who coordinates a transactional id, as a broker says.
    pub(crate) fn find_coordinator(&mut self, id: u8) -> Result<u8, i16> {
        let request = FindCoordinatorRequest { key: CoordinatorKey::Transaction(T0) };
        match self.ask(id, Request::FindCoordinator(request)) {
            Response::FindCoordinator(found) => {
                found.coordinator.map(|id| id.get()).map_err(ErrorCode::number)
            }
            other => panic!("{other:?}"),
        }
    }

    /// InitProducerId with a timeout of a minute.
    pub(crate) fn try_init(
        &mut self,
        id: TransactionalId,
        version: TransactionVersion,
        current: Option<ProducerIdAndEpoch>,
    ) -> Result<Client, i16> {
        let transaction = Some((id, 60_000));
        let request = InitProducerIdRequest { transaction, current };
        match self.ask(self.leader(STATE), Request::InitProducerId(request)) {
            Response::InitProducerId(Ok(producer)) => Ok(Client { id, version, producer }),
            Response::InitProducerId(Err(error)) => Err(error.number()),
            other => panic!("{other:?}"),
        }
    }

    /// InitProducerId, again and again as long as the coordinator says so.
    pub(crate) fn init(&mut self, id: TransactionalId, version: TransactionVersion) -> Client {
        loop {
            match self.try_init(id, version, None) {
                Ok(client) => return client,
                Err(14..=16 | 51) => self.run_for(ms(100)),
                Err(code) => panic!("InitProducerId is answered with {code}"),
            }
        }
    }

    /// AddPartitionsToTxn: the error code of the first partition, or 0.
    pub(crate) fn add(&mut self, client: &Client, partitions: &[TopicPartition]) -> i16 {
        match self.ask(self.leader(STATE), client.add(partitions)) {
            Response::AddPartitionsToTxn(response) => number(response.partitions[0].1),
            other => panic!("{other:?}"),
        }
    }

    /// A transactional batch to the leader of its partition: the error code, or 0 and its offset.
    pub(crate) fn write(
        &mut self,
        client: &Client,
        partition: TopicPartition,
        sequence: i32,
        count: u32,
    ) -> (i16, u64) {
        let request = client.produce(partition, sequence, count);
        let Response::Produce(response) = self.ask(self.leader(partition), request) else {
            panic!("a produce request is answered as such");
        };
        let response = response.partitions[0];
        (number(response.error), response.base_offset.map_or(0, Offset::get))
    }

    /// EndTxn: the error code, or the epoch that the client has from now on.
    pub(crate) fn end(
        &mut self,
        client: &mut Client,
        result: TransactionResult,
    ) -> Result<i16, i16> {
        match self.ask(self.leader(STATE), client.end(result)) {
            Response::EndTxn(Ok(next)) => {
                client.producer = next.unwrap_or(client.producer);
                Ok(client.epoch())
            }
            Response::EndTxn(Err(error)) => Err(error.number()),
            other => panic!("{other:?}"),
        }
    }

    /// EndTxn, again and again as long as the coordinator says so.
    pub(crate) fn end_at_last(&mut self, client: &mut Client, result: TransactionResult) {
        loop {
            match self.end(client, result) {
                Ok(_) => return,
                Err(14..=16 | 51) => self.run_for(ms(100)),
                Err(code) => panic!("EndTxn is answered with {code}"),
            }
        }
    }

    /// The state of a transactional id at its coordinator.
    pub(crate) fn state(&self, id: TransactionalId) -> Option<TransactionState> {
        let leader = self.controller.partition(STATE).leader?;
        self.broker(leader.get()).transaction_state(id)
    }

    pub(crate) fn run_until_state(&mut self, id: TransactionalId, state: TransactionState) {
        self.run_until_so(|world| world.state(id) == Some(state));
    }

    /// Log end offset, high watermark and last stable offset of a partition's leader.
    pub(crate) fn marks(&self, partition: TopicPartition) -> (u64, u64, u64) {
        let view = self.replica(self.leader(partition), partition);
        (view.log_end.get(), view.high_watermark.get(), view.last_stable.get())
    }

    /// The markers in the leader's log of a partition: (offset, epoch, aborted).
    pub(crate) fn markers(&self, partition: TopicPartition) -> Vec<(u64, i16, bool)> {
        let batches = self.broker(self.leader(partition)).batches(partition);
        batches
            .filter_map(|batch| match batch.kind {
                BatchKind::Marker(marker) => {
                    let epoch = batch.producer?.epoch.get();
                    Some((batch.base_offset.get(), epoch, marker.result == ABORT))
                }
                _ => None,
            })
            .collect()
    }

    /// Which runs a reader of committed records of a partition gets, as (first, count).
    pub(crate) fn committed(&self, partition: TopicPartition) -> Vec<(u64, u32)> {
        let broker = self.broker(self.leader(partition));
        let (_, _, stable) = self.marks(partition);
        let upper = offset(stable);
        let mut aborted: Vec<_> =
            broker.aborted_transactions(partition, (Offset::ZERO, upper)).collect();
        aborted.sort_unstable();
        let mut skipped = BTreeSet::new();
        let mut found = Vec::new();
        for batch in broker.batches(partition).take_while(|batch| batch.base_offset < upper) {
            while let Some(first) = aborted.first().copied()
                && first.first_offset <= batch.last_offset()
            {
                skipped.insert(first.producer_id);
                aborted.remove(0);
            }
            let producer = batch.producer.map(|producer| producer.id);
            match batch.kind {
                BatchKind::Marker(_) => {
                    skipped.retain(|id| Some(*id) != producer);
                }
                BatchKind::Transactional if producer.is_some_and(|id| skipped.contains(&id)) => {}
                _ => found.push((batch.records.first, batch.records.count)),
            }
        }
        found
    }
}
