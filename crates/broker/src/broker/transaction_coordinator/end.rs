//! Commit and abort: the decision is written down, the client is told, and markers are sent.
//!
//! Kafka: TransactionCoordinator.endTransaction and its callback sendTxnMarkersCallback. The client
//! gets its answer when the decision is committed; the markers come later.

use super::{After, Asker, EndCaller};
use crate::broker::Broker;
use crate::transaction_metadata::{End, EndDecision, EndOrigin, Fencing};
use inflight_protocol::message::EndTxnRequest;
use inflight_protocol::{
    ApiKey, Cluster, ErrorCode, ProducerIdAndEpoch, Response, Timestamp, TransactionalId, Turn,
};

impl Broker {
    pub(super) fn handle_end_txn(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        slot: u32,
        request: EndTxnRequest,
    ) {
        let end = End {
            producer: request.who.producer,
            result: request.result,
            version: request.version,
            origin: EndOrigin::Client,
        };
        self.end_transaction(cluster, turn, request.who.id, end, EndCaller::Client(slot));
    }

    /// Decides about the end of a transaction, and writes the decision down.
    pub(super) fn end_transaction(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        id: TransactionalId,
        end: End,
        caller: EndCaller,
    ) {
        let now = Timestamp::at(turn.now());
        let decision = self.with_transaction(cluster, id, |broker, epoch, metadata| {
            let metadata = metadata.ok_or(ErrorCode::InvalidProducerIdMapping)?;
            let decision =
                metadata.prepare_end(&end, now, || broker.new_producer_id(cluster, turn))?;
            Ok((epoch, decision))
        });
        match decision.and_then(|decision| decision) {
            Ok((epoch, EndDecision::Prepare(value, fencing))) => {
                let after = After::End(caller, end, fencing);
                self.append_transition(cluster, epoch, value, after);
            }
            Ok((_, EndDecision::Done(producer))) => {
                self.ended(turn, id, (caller, end), Ok(producer));
            }
            Err(error) => self.ended(turn, id, (caller, end), Err(error)),
        }
    }

    /// The decision is committed, or could not be written.
    pub(super) fn end_written(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        id: TransactionalId,
        (caller, end, fencing): (EndCaller, End, Fencing),
        error: Option<ErrorCode>,
    ) {
        if let Some(error) = error {
            if fencing == Fencing::Raised {
                // The coordinator may be another one by now, which knows nothing of it.
                let _ = self.with_transaction(cluster, id, |_, _, metadata| {
                    if let Some(metadata) = metadata {
                        metadata.fence_has_failed();
                    }
                });
            }
            self.ended(turn, id, (caller, end), Err(error));
            return;
        }
        let next = self.add_markers_to_send(cluster, turn, id);
        self.ended(turn, id, (caller, end), next.ok_or(ErrorCode::InvalidTxnState));
    }

    /// Tells whoever wanted the end. A client of version 2 is told what it is from now on; a new
    /// instance has to come again.
    fn ended(
        &mut self,
        turn: &mut Turn<'_>,
        id: TransactionalId,
        (caller, end): (EndCaller, End),
        result: Result<ProducerIdAndEpoch, ErrorCode>,
    ) {
        match (caller, result) {
            (EndCaller::Client(slot), Ok(producer)) => {
                let next = Some(producer).filter(|_| end.version.bumps_epochs());
                self.answer(turn, slot, Response::EndTxn(Ok(next)));
            }
            (EndCaller::NewInstance(slot), Ok(_)) => {
                self.refuse_request(turn, slot, ErrorCode::ConcurrentTransactions);
            }
            (EndCaller::Client(slot) | EndCaller::NewInstance(slot), Err(error)) => {
                self.refuse_request(turn, slot, error);
            }
            (EndCaller::Timeout, Ok(_)) => {}
            (EndCaller::Timeout, Err(error)) => {
                let epoch = Some(end.producer.epoch);
                self.did_refuse(turn, Asker { id, api: ApiKey::EndTxn, epoch }, error);
            }
        }
    }
}
