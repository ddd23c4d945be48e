//! Producer ids for idempotent producers, in blocks from the controller.
//!
//! Kafka: coordinator/transaction/RPCProducerIdManager, common/ProducerIdsBlock.

use crate::broker::Broker;
use crate::broker::alter_partition::CONTROLLER_SOCKET_TIMEOUT;
use inflight_des::Instant;
use inflight_protocol::control::{PRODUCER_ID_BLOCK, ToController};
use inflight_protocol::{
    BrokerId, Cluster, Defect, ErrorCode, Outgoing, ProducerEpoch, ProducerId, ProducerIdAndEpoch,
    Turn,
};

/// After this many ids of a block the next block is asked for.
/// Kafka: RPCProducerIdManager.PID_PREFETCH_THRESHOLD.
const PREFETCH_AFTER: u64 = PRODUCER_ID_BLOCK * 9 / 10;

/// The blocks that a broker holds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ProducerIdManager {
    current: Option<Block>,
    next: Option<u64>,
    /// A block was asked for, and the request counts as lost after this.
    asked_until: Option<Instant>,
}

/// A block of which some ids are given out.
#[derive(Clone, Copy, Debug)]
struct Block {
    first: u64,
    used: u64,
}

impl ProducerIdManager {
    /// In a settled cluster each broker holds a block.
    pub(super) const fn settled(broker: BrokerId) -> Self {
        let first = broker.index() as u64 * PRODUCER_ID_BLOCK;
        Self { current: Some(Block { first, used: 0 }), next: None, asked_until: None }
    }

    /// The next id, if there is one. Kafka: RPCProducerIdManager.generateProducerId.
    fn generate(&mut self) -> Option<ProducerId> {
        if self.current.is_none_or(|block| block.used == PRODUCER_ID_BLOCK) {
            let first = self.next.take()?;
            self.current = Some(Block { first, used: 0 });
        }
        let block = self.current.as_mut()?;
        block.used += 1;
        Some(ProducerId::new(block.first + block.used - 1))
    }

    /// Whether the next block should be asked for.
    fn is_running_out(&self) -> bool {
        self.next.is_none() && self.current.is_none_or(|block| block.used > PREFETCH_AFTER)
    }
}

impl Broker {
    /// A new producer id with epoch 0. Without a block that has one, the client is asked to wait.
    /// Kafka: RPCProducerIdManager.generateProducerId.
    pub(super) fn generate_producer_id(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
    ) -> Result<ProducerIdAndEpoch, ErrorCode> {
        let held = self.producer_ids;
        let id = self.producer_ids.generate();
        if cluster.defects.has(Defect::RepeatProducerIds) {
            self.producer_ids = held;
        }
        if self.producer_ids.is_running_out() {
            self.ask_for_producer_ids(turn);
        }
        let id = id.ok_or(ErrorCode::CoordinatorLoadInProgress)?;
        Ok(ProducerIdAndEpoch { id, epoch: ProducerEpoch::new(0) })
    }

    /// Kafka: RPCProducerIdManager.maybeRequestNextBlock.
    fn ask_for_producer_ids(&mut self, turn: &mut Turn<'_>) {
        let now = turn.now();
        if self.producer_ids.asked_until.is_some_and(|until| until > now) {
            return;
        }
        self.producer_ids.asked_until = Some(now + CONTROLLER_SOCKET_TIMEOUT);
        let request = ToController::AllocateProducerIds { broker: self.id };
        turn.send(Outgoing::ToController(request));
    }

    /// The controller has sent a block.
    pub(super) fn producer_ids_arrived(&mut self, first: ProducerId) {
        if self.producer_ids.asked_until.take().is_some() {
            self.producer_ids.next = Some(first.get());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_block_is_wanted_after_nine_tenths() {
        let mut ids = ProducerIdManager::settled(BrokerId::new(2));
        for number in 0..=PREFETCH_AFTER {
            assert!(!ids.is_running_out(), "before id {number}");
            assert_eq!(ids.generate(), Some(ProducerId::new(1_000 + number)));
        }
        assert!(ids.is_running_out());
        for number in PREFETCH_AFTER + 1..PRODUCER_ID_BLOCK {
            assert_eq!(ids.generate(), Some(ProducerId::new(1_000 + number)));
        }
        assert_eq!(ids.generate(), None);
        ids.next = Some(7_000);
        assert_eq!(ids.generate(), Some(ProducerId::new(7_000)));
        assert!(!ids.is_running_out());
    }

    #[test]
    fn a_restarted_broker_holds_no_block() {
        let mut ids = ProducerIdManager::default();
        assert!(ids.is_running_out());
        assert_eq!(ids.generate(), None);
    }
}
