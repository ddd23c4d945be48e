//! Coordinators on the bench: they answer with success at once, unless a test says otherwise.

use crate::bench::Bench;
use inflight_protocol::message::{
    AddPartitionsToTxnResponse, FindCoordinatorResponse, GroupIdentity, OffsetCommitResponse,
};
use inflight_protocol::transaction::{CommittedOffset, CoordinatorKey};
use inflight_protocol::{
    ApiKey, BrokerId, ConnectionId, CorrelationId, ErrorCode, GroupId, Offset, ProducerEpoch,
    ProducerId, ProducerIdAndEpoch, Request, Response, ThreadId, TopicPartition,
    TransactionVersion,
};

/// The broker that coordinates the transactional id, and the one that coordinates groups.
pub(crate) const COORDINATOR: u8 = 2;
const GROUP_COORDINATOR: u8 = 3;
/// The thread that makes the transactional calls.
pub(crate) const CALLER: ThreadId = ThreadId::new(9);

type Held = (ConnectionId, CorrelationId, Response);

pub(crate) struct Coordinator {
    pub(crate) version: TransactionVersion,
    /// Errors in place of success, for the next requests of their kinds.
    pub(crate) errors: Vec<(ApiKey, ErrorCode)>,
    /// A kind of request that is not answered until [`Bench::release`].
    pub(crate) holds: Option<ApiKey>,
    /// The epoch of the next producer.
    epoch: i16,
    held: Option<Held>,
}

impl Coordinator {
    pub(crate) fn new(version: TransactionVersion) -> Self {
        Self { version, errors: Vec::new(), holds: None, epoch: 0, held: None }
    }

    /// With an error in place of success for the next request of this kind.
    pub(crate) fn refusing(mut self, api: ApiKey, error: ErrorCode) -> Self {
        self.errors.push((api, error));
        self
    }

    fn error_for(&mut self, api: ApiKey) -> Option<ErrorCode> {
        let place = self.errors.iter().position(|(other, _)| *other == api)?;
        Some(self.errors.remove(place).1)
    }

    pub(crate) fn take(
        &mut self,
        connection: ConnectionId,
        correlation: CorrelationId,
        request: &Request,
    ) -> Option<Response> {
        let response = self.respond(request);
        if self.holds == Some(request.api()) {
            self.held = Some((connection, correlation, response));
            return None;
        }
        Some(response)
    }

    pub(crate) fn release(&mut self) -> Held {
        self.holds = None;
        self.held.take().expect("a request is held back")
    }

    pub(crate) fn forget(&mut self, broken: &[ConnectionId]) {
        self.held = self.held.take().filter(|(connection, ..)| !broken.contains(connection));
    }

    fn producer(&mut self) -> ProducerIdAndEpoch {
        let epoch = ProducerEpoch::new(self.epoch);
        self.epoch += 1;
        ProducerIdAndEpoch { id: ProducerId::new(1_001), epoch }
    }

    fn respond(&mut self, request: &Request) -> Response {
        let error = self.error_for(request.api());
        match request {
            Request::FindCoordinator(request) => {
                let broker = match request.key {
                    CoordinatorKey::Transaction(_) => COORDINATOR,
                    CoordinatorKey::Group(_) => GROUP_COORDINATOR,
                };
                Response::FindCoordinator(FindCoordinatorResponse {
                    key: request.key,
                    coordinator: error.map_or(Ok(BrokerId::new(broker)), Err),
                })
            }
            Request::InitProducerId(_) => Response::InitProducerId(match error {
                Some(error) => Err(error),
                None => Ok(self.producer()),
            }),
            Request::AddPartitionsToTxn(request) => {
                let answer = |partition: &TopicPartition| (*partition, error);
                let partitions = request.partitions.iter().map(answer).collect();
                Response::AddPartitionsToTxn(AddPartitionsToTxnResponse { partitions })
            }
            Request::AddOffsetsToTxn(_) => Response::AddOffsetsToTxn(error),
            Request::TxnOffsetCommit(request) => {
                let answer = |offset: &CommittedOffset| (offset.partition, error);
                let partitions = request.offsets.iter().map(answer).collect();
                Response::TxnOffsetCommit(OffsetCommitResponse { partitions })
            }
            Request::EndTxn(request) => Response::EndTxn(match error {
                Some(error) => Err(error),
                None if request.version.bumps_epochs() => Ok(Some(self.producer())),
                None => Ok(None),
            }),
            other => unreachable!("{:?} is no request of a transaction", other.api()),
        }
    }
}

/// A request of a transaction as the log shows it.
pub(crate) fn describe(request: &Request) -> Option<String> {
    Some(match request {
        Request::FindCoordinator(request) => match request.key {
            CoordinatorKey::Transaction(_) => "find transaction".to_owned(),
            CoordinatorKey::Group(_) => "find group".to_owned(),
        },
        Request::InitProducerId(request) => match request.current {
            None => "init".to_owned(),
            Some(current) => format!("bump {}", current.epoch),
        },
        Request::AddPartitionsToTxn(request) => {
            let partitions = request.partitions.iter().map(|partition| format!(" p{partition}"));
            format!("add{}", partitions.collect::<String>())
        }
        Request::AddOffsetsToTxn(_) => "add offsets".to_owned(),
        Request::TxnOffsetCommit(request) => {
            let own =
                |offset: &CommittedOffset| format!(" p{}@{}", offset.partition, offset.offset);
            format!("offsets{}", request.offsets.iter().map(own).collect::<String>())
        }
        Request::EndTxn(request) => {
            format!("{} e{}", request.result, request.who.producer.epoch)
        }
        _ => return None,
    })
}

impl Bench {
    pub(crate) fn coordinator(&mut self) -> &mut Coordinator {
        self.coordinator.as_mut().expect("a transactional producer")
    }

    pub(crate) fn init(&mut self) {
        self.turn(|producer, env, turn| producer.init_transactions(env, turn, CALLER));
    }

    pub(crate) fn begin(&mut self) {
        self.turn(|producer, env, turn| producer.begin_transaction(env, turn, CALLER));
    }

    pub(crate) fn commit(&mut self) {
        self.turn(|producer, env, turn| producer.commit_transaction(env, turn, CALLER));
    }

    pub(crate) fn abort(&mut self) {
        self.turn(|producer, env, turn| producer.abort_transaction(env, turn, CALLER));
    }

    pub(crate) fn send_offsets(&mut self, offset: u64) {
        let group = GroupId::new(0);
        let offsets = [CommittedOffset {
            group,
            partition: TopicPartition::new(0),
            offset: Offset::new(offset),
            leader_epoch: None,
        }];
        let identity = GroupIdentity { group, member: None };
        self.turn(|producer, env, turn| {
            producer.send_offsets_to_transaction(env, turn, CALLER, &offsets, identity);
        });
    }

    pub(crate) fn close(&mut self, timeout_ms: i64) {
        self.turn(|producer, env, turn| producer.close(env, turn, CALLER, timeout_ms));
    }

    /// The log since the last call without what connections, metadata and states say.
    pub(crate) fn take_story(&mut self) -> Vec<String> {
        let words = [" is ", "blocked"];
        let keep = |line: &String| {
            !words.iter().any(|word| line.contains(word)) && !line.ends_with("0 close")
        };
        self.take_log().into_iter().filter(keep).collect()
    }

    /// The states that the producer went through since the last call.
    pub(crate) fn take_states(&mut self) -> Vec<String> {
        let state = |line: String| line.split_once(" is ").map(|(_, state)| state.to_owned());
        self.take_log().into_iter().filter_map(state).collect()
    }
}
