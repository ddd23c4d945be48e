//! Offsets are committed, in a transaction or not. Kafka: GroupCoordinatorService.commitOffsets and
//! commitTransactionalOffsets, CoordinatorRuntime.scheduleTransactionalWriteOperation.

use super::Reply;
use super::write::{InTransaction, coordinator_error};
use crate::broker::Broker;
use crate::broker::add_partitions_to_txn_manager::Verified;
use crate::broker::sockets::Stage;
use crate::broker::verification::{Verdict, mode_of};
use inflight_protocol::message::{
    OffsetCommitRequest, OffsetCommitResponse, TxnOffsetCommitRequest,
};
use inflight_protocol::transaction::{CommittedOffset, CoordinatorKey, InternalRecord};
use inflight_protocol::{
    Cluster, ErrorCode, Request, Response, Timestamp, TopicPartition, TransactionVersion, Turn,
};

impl Broker {
    pub(super) fn handle_offset_commit(
        &mut self,
        turn: &mut Turn<'_>,
        (slot, partition): (u32, TopicPartition),
        request: &OffsetCommitRequest,
    ) {
        let now_ms = Timestamp::at(turn.now()).get();
        let checked = self.groups.active(partition).and_then(|context| {
            let partitions = request.offsets.iter().map(|offset| offset.partition);
            context.shard.check_commit(request.identity, partitions, false, now_ms)
        });
        match checked {
            Err(error) => self.reject_member(turn, slot, error),
            Ok(()) => {
                let response = Response::OffsetCommit(committed(&request.offsets));
                self.write_offsets(partition, &request.offsets, None, (slot, response));
            }
        }
    }

    /// The coordinator of the transaction is asked first. Kafka: maybeStartTransactionVerification.
    pub(super) fn handle_txn_offset_commit(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        (slot, partition): (u32, TopicPartition),
        request: &TxnOffsetCommitRequest,
    ) {
        let version = request.version;
        let is_off = !version.bumps_epochs()
            && !cluster.broker(self.id).transaction_partition_verification_enable;
        let clock = (version, Timestamp::at(turn.now()));
        let started = match is_off {
            true => Ok(None),
            false => self.start_verification_at(partition, request.who.producer, None, clock),
        };
        match started {
            Err(error) => self.refuse_group_request(turn, slot, coordinator_error(error)),
            Ok(None) => self.commit_in_transaction(turn, slot, partition, None),
            Ok(guard) => {
                let connection = &mut self.sockets[slot];
                connection.stage = Stage::Verifying;
                connection.check.verdicts.push(Verdict { guard, error: None });
                let asked = (request.who, mode_of(version));
                let partitions = smallvec::smallvec![partition];
                self.add_or_verify_transaction(cluster, turn, slot, asked, partitions);
            }
        }
    }

    /// The coordinator of the transaction has answered, or will not.
    pub(in crate::broker) fn txn_offset_commit_verified(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        slot: u32,
        results: &[Verified],
    ) {
        let Request::TxnOffsetCommit(request) = &self.sockets[slot].request else { return };
        let key = CoordinatorKey::Group(request.identity.group);
        let partition = cluster.coordinated.partition(key);
        let connection = &mut self.sockets[slot];
        connection.stage = Stage::Delayed;
        let verdict = connection.check.verdicts.first().copied().unwrap_or_default();
        let error = results
            .iter()
            .find_map(|(about, error)| (*about == partition).then_some(*error).flatten());
        match error {
            Some(error) => self.refuse_group_request(turn, slot, coordinator_error(error)),
            None => self.commit_in_transaction(turn, slot, partition, verdict.guard),
        }
    }

    fn commit_in_transaction(
        &mut self,
        turn: &mut Turn<'_>,
        slot: u32,
        partition: TopicPartition,
        guard: Option<crate::log::verification::VerificationGuard>,
    ) {
        let Request::TxnOffsetCommit(request) = self.sockets[slot].request.clone() else { return };
        let now_ms = Timestamp::at(turn.now()).get();
        let checked = self.groups.active(partition).and_then(|context| {
            let partitions = request.offsets.iter().map(|offset| offset.partition);
            context.shard.check_commit(request.identity, partitions, true, now_ms)
        });
        match checked {
            Err(error) => self.reject_member(turn, slot, in_version(request.version, error)),
            Ok(()) => {
                let response = Response::TxnOffsetCommit(committed(&request.offsets));
                let transaction = Some((request.who.producer, guard));
                self.write_offsets(partition, &request.offsets, transaction, (slot, response));
            }
        }
    }

    fn write_offsets(
        &mut self,
        partition: TopicPartition,
        offsets: &[CommittedOffset],
        transaction: InTransaction,
        (slot, response): (u32, Response),
    ) {
        let records = offsets.iter().map(|offset| InternalRecord::Offset(*offset)).collect();
        let replies = smallvec::smallvec![Reply::Respond(slot, Box::new(response))];
        self.order_group_write(partition, records, transaction, replies);
    }
}

/// What a transaction is told of an error of its group: before TxnOffsetCommit version 6, which comes
/// with transaction.version 2, there are no words for some (KIP-1319).
const fn in_version(version: TransactionVersion, error: ErrorCode) -> ErrorCode {
    match error {
        ErrorCode::StaleMemberEpoch | ErrorCode::GroupIdNotFound if !version.bumps_epochs() => {
            ErrorCode::IllegalGeneration
        }
        _ => error,
    }
}

/// The answer that all is well.
fn committed(offsets: &[CommittedOffset]) -> OffsetCommitResponse {
    let partitions = offsets.iter().map(|offset| (offset.partition, None));
    OffsetCommitResponse { partitions: partitions.collect() }
}
