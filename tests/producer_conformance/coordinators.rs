//! The coordinators of a script with transactions: what they are asked, and what they say.

use crate::script::Script;
use inflight_protocol::message::{
    AddPartitionsToTxnResponse, FindCoordinatorResponse, OffsetCommitResponse,
};
use inflight_protocol::transaction::CoordinatorKey;
use inflight_protocol::{
    BrokerId, ErrorCode, ProducerEpoch, ProducerId, ProducerIdAndEpoch, Request, Response,
    TransactionVersion,
};

const PRODUCER_ID: u64 = 1_001;

pub(crate) struct Coordinators {
    transaction: u8,
    group: u8,
    epoch: i16,
}

fn level(version: TransactionVersion) -> u8 {
    if version.bumps_epochs() { 2 } else { 0 }
}

/// A request as lines show it; `None` for one that has nothing to do with transactions.
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
            let each = request.partitions.iter().map(|partition| format!(" p{partition}"));
            format!("add{}", each.collect::<String>())
        }
        Request::AddOffsetsToTxn(_) => "add offsets".to_owned(),
        Request::TxnOffsetCommit(request) => {
            let offsets = request.offsets.iter();
            let each = offsets.map(|offset| format!(" p{}@{}", offset.partition, offset.offset));
            format!("offsets{} v{}", each.collect::<String>(), level(request.version))
        }
        Request::EndTxn(request) => {
            let (result, epoch) = (request.result, request.who.producer.epoch);
            format!("{result} {epoch} v{}", level(request.version))
        }
        _ => return None,
    })
}

impl Coordinators {
    pub(crate) fn of(script: &Script) -> Option<Self> {
        let script = script.transactions.as_ref()?;
        let (transaction, group) = (script.coordinator, script.group_coordinator);
        Some(Self { transaction, group, epoch: 0 })
    }

    fn producer(&mut self) -> ProducerIdAndEpoch {
        let epoch = ProducerEpoch::new(self.epoch);
        self.epoch += 1;
        ProducerIdAndEpoch { id: ProducerId::new(PRODUCER_ID), epoch }
    }

    pub(crate) fn answer(&mut self, request: &Request, error: Option<ErrorCode>) -> Response {
        match request {
            Request::FindCoordinator(request) => {
                let id = match request.key {
                    CoordinatorKey::Transaction(_) => self.transaction,
                    CoordinatorKey::Group(_) => self.group,
                };
                let coordinator = error.map_or(Ok(BrokerId::new(id)), Err);
                let key = request.key;
                Response::FindCoordinator(FindCoordinatorResponse { key, coordinator })
            }
            Request::InitProducerId(_) => Response::InitProducerId(match error {
                Some(error) => Err(error),
                None => Ok(self.producer()),
            }),
            Request::AddPartitionsToTxn(request) => {
                let partitions = request.partitions.iter().map(|each| (*each, error)).collect();
                Response::AddPartitionsToTxn(AddPartitionsToTxnResponse { partitions })
            }
            Request::AddOffsetsToTxn(_) => Response::AddOffsetsToTxn(error),
            Request::TxnOffsetCommit(request) => {
                let answer = request.offsets.iter().map(|offset| (offset.partition, error));
                Response::TxnOffsetCommit(OffsetCommitResponse { partitions: answer.collect() })
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
