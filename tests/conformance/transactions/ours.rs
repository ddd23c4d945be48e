//! Our coordinator plays a script, and says the same as the Java program would.

use super::script::{Producer, Script, Step};
use crate::stand::{Found, OTHER, OURS, Stand};
use inflight_des::{Delay, Span};
use inflight_protocol::cluster::Coordinated;
use inflight_protocol::message::{
    AddOffsetsToTxnRequest, AddOrVerify, AddPartitionsToTxnRequest, EndTxnRequest,
    InitProducerIdRequest, LeaderAddPartitionsRequest, LeaderAddition, MarkerEntry,
    WriteTxnMarkersResponse,
};
use inflight_protocol::transaction::{
    CONSUMER_OFFSETS_TOPIC, TRANSACTION_STATE_TOPIC, TransactionLogValue, TransactionalProducer,
};
use inflight_protocol::{
    BrokerConfig, BrokerId, Cluster, Defects, ErrorCode, GroupId, InternalRecord, ProducerEpoch,
    ProducerId, ProducerIdAndEpoch, Request, Response, Timestamp, TopicConfig, TopicPartition,
    Topics, TransactionResult, TransactionState, TransactionVersion, TransactionalId,
};
use serde_json::{Value, json};

/// How many transactional ids there are.
pub(crate) const IDS: u16 = 3;
/// transaction.abort.timed.out.transaction.cleanup.interval.ms
pub(crate) const ABORT_INTERVAL_MS: u64 = 7_919;
/// transaction.remove.expired.transaction.cleanup.interval.ms
pub(crate) const EXPIRE_INTERVAL_MS: u64 = 20_011;
/// transactional.id.expiration.ms
const EXPIRATION_MS: u64 = 60_000;
/// The partition of `__consumer_offsets`.
const GROUP: TopicPartition = TopicPartition::new(3);
/// The partition of `__transaction_state`.
const STATE: TopicPartition = TopicPartition::new(4);

/// Our coordinator in the middle of a script.
#[derive(Debug)]
pub(crate) struct Ours {
    pub(crate) stand: Stand,
    level: TransactionVersion,
    steps: Vec<Value>,
}

fn cluster(level: TransactionVersion, load: u64) -> Cluster {
    let config = BrokerConfig {
        replica_lag_time_max: Span::from_secs(10_000_000),
        replica_socket_timeout: Span::from_secs(10_000_000),
        transactional_id_expiration: Span::from_millis(EXPIRATION_MS),
        transaction_abort_timed_out_transaction_cleanup_interval: Span::from_millis(
            ABORT_INTERVAL_MS,
        ),
        transaction_remove_expired_transaction_cleanup_interval: Span::from_millis(
            EXPIRE_INTERVAL_MS,
        ),
        coordinator_load_time: Delay::Constant(Span::from_millis(load)),
        ..BrokerConfig::default()
    };
    let mut topics = Topics::new([("t", 3)]);
    topics.add_sparse(CONSUMER_OFFSETS_TOPIC, &[0]);
    topics.add_sparse(TRANSACTION_STATE_TOPIC, &[0]);
    let topic = TopicConfig { min_insync_replicas: 2, ..TopicConfig::default() };
    let assignments: [&[BrokerId]; 5] = [&[OURS], &[OTHER], &[OTHER], &[OTHER], &[OURS, OTHER]];
    Cluster {
        brokers: 2,
        broker_configs: vec![config; 2],
        topics,
        topic_configs: vec![topic; 3],
        assignments: assignments.iter().map(|brokers| brokers.iter().copied().collect()).collect(),
        eligible_leader_replicas: true,
        transaction_version: level,
        coordinated: Coordinated {
            transactional_ids: ["a", "b", "c"].map(|id| (id.to_owned(), STATE)).into(),
            groups: vec![("g".to_owned(), GROUP)],
        },
        defects: Defects::NONE,
    }
}

const fn who(id: u16, (pid, epoch): Producer) -> TransactionalProducer {
    let producer =
        ProducerIdAndEpoch { id: ProducerId::new(pid as u64), epoch: ProducerEpoch::new(epoch) };
    TransactionalProducer { id: TransactionalId::new(id), producer }
}

impl Ours {
    /// A coordinator at the beginning of a script.
    pub(crate) fn new(script: &Script) -> Self {
        let level = TransactionVersion::of_level(script.version).expect("a level");
        let draws = [
            ("transaction abort phase", script.abort * 1_000),
            ("transactional id expiry phase", script.expire * 1_000),
        ];
        let stand = Stand::new(cluster(level, script.load), STATE, &draws);
        Self { stand, level, steps: Vec::new() }
    }

    /// Plays a script from its beginning to its end.
    pub(crate) fn of(script: &Script) -> Self {
        let mut ours = Self::new(script);
        for step in &script.steps {
            ours.play(step);
        }
        ours
    }

    /// What an id is, and what is prepared.
    pub(crate) fn id(&self, id: u16) -> Option<(TransactionLogValue, Option<TransactionState>)> {
        self.stand.broker.transaction(TransactionalId::new(id))
    }

    /// Does one step.
    pub(crate) fn play(&mut self, step: &Step) {
        let mut about = None;
        match step {
            Step::Markers(broker, error, place) => {
                about = self.answer_markers(BrokerId::new(*broker), error, *place);
            }
            Step::Lost(broker) => {
                self.stand.lose(BrokerId::new(*broker));
                self.stand.wait(Span::from_millis(100));
            }
            Step::Replicate(count) => self.stand.replicate(*count),
            Step::InSync(replicas) => self.stand.in_sync(*replicas),
            Step::Resign => self.stand.resign(),
            Step::Elect => self.stand.elect(),
            Step::Wrote(record) => {
                let record = read_record(record).expect("a record");
                self.stand.wrote(record);
            }
            Step::Wait(ms) => self.stand.wait(Span::from_millis(*ms)),
            asking => {
                let request = request(asking).expect("all others ask");
                self.stand.ask(self.steps.len() as u32, request);
            }
        }
        let mut written: Vec<Value> =
            self.stand.look().iter().map(|found| self.written(found)).collect();
        written.sort_by_key(|record| record[0].as_u64());
        let mut answers = std::mem::take(&mut self.stand.answers);
        answers.sort_by_key(|(number, _)| *number);
        let answers = answers.iter().map(|(number, response)| told(*number, response));
        let written = written.iter().map(|record| json!(["w", record]));
        self.steps.push(answers.chain(written).chain(about).collect());
    }

    /// A leader answers what it was asked; what that was, if anything.
    fn answer_markers(&mut self, broker: BrokerId, error: &str, place: i32) -> Option<Value> {
        let mut markers = self.stand.markers(broker)?.markers.clone();
        let order = |marker: &MarkerEntry| (marker.producer.id, marker.producer.epoch);
        markers.sort_by_key(|marker| (order(marker), marker.coordinator_epoch));
        let error = ErrorCode::from_name(error);
        let mut results = Vec::new();
        let mut about = vec![json!("m")];
        for marker in &markers {
            let (producer, partitions) = (marker.producer, &marker.partitions);
            for partition in partitions {
                let is_meant = place < 0 || place as usize == results.len();
                results.push((producer, *partition, error.filter(|_| is_meant)));
            }
            about.push(json!([
                producer.id.get(),
                producer.epoch.get(),
                marker.coordinator_epoch.0,
                if marker.result == TransactionResult::Commit { "commit" } else { "abort" },
                marker.version.level(),
                numbers(partitions),
            ]));
        }
        let response = WriteTxnMarkersResponse { results: results.into_iter().collect() };
        self.stand.answer_markers(broker, Response::WriteTxnMarkers(response));
        Some(Value::Array(about))
    }

    /// The line that the Java program would print.
    pub(crate) fn answer(self) -> Value {
        let ids = (0..IDS).filter_map(|id| {
            let (value, pending) = self.id(id)?;
            let mut about = describe(&value);
            about.push(json!(value.last_producer_epoch.map_or(-1, ProducerEpoch::get)));
            about.push(json!(pending.map_or("", state_name)));
            Some(Value::Array(about))
        });
        let ids: Vec<_> = ids.collect();
        json!({ "steps": self.steps, "ids": ids })
    }

    /// What a record says. At level 0 the log has no room for everything.
    fn written(&self, found: &Found) -> Value {
        match found {
            Found::Record(InternalRecord::Transaction(value), _) => {
                let mut about = describe(value);
                if self.level == TransactionVersion::V0 {
                    (about[4], about[5], about[10]) = (json!(-1), json!(-1), json!(0));
                }
                Value::Array(about)
            }
            Found::Record(InternalRecord::TransactionForgotten(id), _) => json!([id.get()]),
            other => panic!("{other:?} is not written here"),
        }
    }
}

fn request(step: &Step) -> Option<Request> {
    let indices = |list: &[u16]| list.iter().map(|number| TopicPartition::new(*number)).collect();
    let leader = |id: u16, producer, partitions: &[u16], mode| {
        let addition =
            LeaderAddition { who: who(id, producer), mode, partitions: indices(partitions) };
        let transactions = [addition].into_iter().collect();
        Request::LeaderAddPartitions(LeaderAddPartitionsRequest { transactions })
    };
    Some(match step {
        Step::Init(id, timeout, producer) => {
            let current = (producer.0 >= 0).then(|| who(*id, *producer).producer);
            let transaction = Some((TransactionalId::new(*id), *timeout));
            Request::InitProducerId(InitProducerIdRequest { transaction, current })
        }
        Step::Add(id, producer, partitions) => {
            let (who, partitions) = (who(*id, *producer), indices(partitions));
            Request::AddPartitionsToTxn(AddPartitionsToTxnRequest { who, partitions })
        }
        Step::Join(id, producer, partitions) => {
            leader(*id, *producer, partitions, AddOrVerify::Add)
        }
        Step::Verify(id, producer, partitions) => {
            leader(*id, *producer, partitions, AddOrVerify::Verify)
        }
        Step::Offsets(id, producer) => Request::AddOffsetsToTxn(AddOffsetsToTxnRequest {
            who: who(*id, *producer),
            group: GroupId::new(0),
        }),
        Step::End(id, producer, commits, version) => {
            use TransactionResult::{Abort, Commit};
            let result = if *commits { Commit } else { Abort };
            let version = TransactionVersion::of_level(*version)?;
            Request::EndTxn(EndTxnRequest { who: who(*id, *producer), result, version })
        }
        _ => return None,
    })
}

fn name(error: Option<ErrorCode>) -> &'static str {
    error.map_or("NONE", ErrorCode::name)
}

fn told(number: u32, response: &Response) -> Value {
    let with = |producer: ProducerIdAndEpoch| {
        json!(["a", number, "NONE", producer.id.get(), producer.epoch.get()])
    };
    let plain = |error| json!(["a", number, name(error)]);
    match response {
        Response::InitProducerId(Ok(producer)) | Response::EndTxn(Ok(Some(producer))) => {
            with(*producer)
        }
        Response::InitProducerId(Err(error)) | Response::EndTxn(Err(error)) => plain(Some(*error)),
        Response::EndTxn(Ok(None)) => plain(None),
        Response::AddOffsetsToTxn(error) => plain(*error),
        Response::AddPartitionsToTxn(response) => {
            let first = response.partitions[0].1;
            assert!(response.partitions.iter().all(|(_, error)| *error == first));
            plain(first)
        }
        Response::LeaderAddPartitions(response) => {
            let mut results = response.results.clone();
            results.sort_by_key(|(_, partition, _)| *partition);
            let errors = results.iter().map(|(.., error)| json!(name(*error)));
            [json!("a"), json!(number)].into_iter().chain(errors).collect()
        }
        other => panic!("{other:?} is not an answer of a coordinator"),
    }
}

fn numbers(partitions: &[TopicPartition]) -> Vec<usize> {
    let mut numbers: Vec<_> = partitions.iter().map(|partition| partition.index()).collect();
    numbers.sort_unstable();
    numbers
}

const STATES: [TransactionState; 8] = [
    TransactionState::Empty,
    TransactionState::Ongoing,
    TransactionState::PrepareCommit,
    TransactionState::PrepareAbort,
    TransactionState::CompleteCommit,
    TransactionState::CompleteAbort,
    TransactionState::Dead,
    TransactionState::PrepareEpochFence,
];

const fn state_name(state: TransactionState) -> &'static str {
    match state {
        TransactionState::Empty => "Empty",
        TransactionState::Ongoing => "Ongoing",
        TransactionState::PrepareCommit => "PrepareCommit",
        TransactionState::PrepareAbort => "PrepareAbort",
        TransactionState::CompleteCommit => "CompleteCommit",
        TransactionState::CompleteAbort => "CompleteAbort",
        TransactionState::Dead => "Dead",
        TransactionState::PrepareEpochFence => "PrepareEpochFence",
    }
}

fn describe(value: &TransactionLogValue) -> Vec<Value> {
    let pid = |pid: Option<ProducerId>| pid.map_or(-1, |pid| pid.get() as i64);
    let since = |at: Timestamp| at.get() - Timestamp::RUN_START.get();
    vec![
        json!(value.id.get()),
        json!(state_name(value.state)),
        json!(value.producer_id.get()),
        json!(value.producer_epoch.get()),
        json!(pid(value.previous_producer_id)),
        json!(pid(value.next_producer_id)),
        json!(value.timeout_ms),
        json!(numbers(&value.partitions)),
        json!(value.start.map_or(-1, since)),
        json!(since(value.last_update)),
        json!(value.client_version.level()),
    ]
}

/// The inverse of [`describe`].
fn read_record(about: &Value) -> Option<InternalRecord> {
    let number = |at: usize| about[at].as_i64();
    let pid = |at: usize| Some(u64::try_from(number(at)?).ok().map(ProducerId::new));
    let at = |ms: i64| Timestamp::new(Timestamp::RUN_START.get() + ms);
    let id = TransactionalId::new(number(0)?.try_into().ok()?);
    if about.as_array()?.len() == 1 {
        return Some(InternalRecord::TransactionForgotten(id));
    }
    let state = STATES.into_iter().find(|state| about[1] == state_name(*state))?;
    let partitions = about[7].as_array()?.iter();
    let partitions = partitions.filter_map(|number| Some(number.as_u64()? as u16));
    Some(InternalRecord::Transaction(Box::new(TransactionLogValue {
        id,
        producer_id: pid(2)??,
        previous_producer_id: pid(4)?,
        next_producer_id: pid(5)?,
        producer_epoch: ProducerEpoch::new(number(3)?.try_into().ok()?),
        last_producer_epoch: None,
        timeout_ms: number(6)?.try_into().ok()?,
        state,
        partitions: partitions.map(TopicPartition::new).collect(),
        start: number(8).filter(|start| *start >= 0).map(at),
        last_update: at(number(9)?),
        client_version: TransactionVersion::of_level(number(10)?.try_into().ok()?)?,
    })))
}
