//! Proposals of in-sync replica sets, on their way to the controller.
//!
//! Kafka: server/partition/DefaultAlterPartitionManager. One request is out at a time; proposals
//! that come meanwhile wait for it. A request that is not answered is sent again for ever.

use crate::broker::Broker;
use crate::broker::lifecycle::Life;
use crate::broker::timers::Timer;
use crate::partition::lead::{Proposal, Verdict};
use inflight_des::{Instant, Span};
use inflight_protocol::control::{AlteredPartition, IsrChange, ToController};
use inflight_protocol::{Cluster, ErrorCode, Outgoing, Turn};
use smallvec::SmallVec;

/// controller.socket.timeout.ms: after this time without an answer a request counts as lost.
pub(super) const CONTROLLER_SOCKET_TIMEOUT: Span = Span::from_secs(30);
/// The pause after an error for a request as a whole.
const RETRY_PAUSE: Span = Span::from_millis(50);

/// The proposals that are not answered yet. Kafka: DefaultAlterPartitionManager.unsentIsrUpdates.
#[derive(Debug, Default)]
pub(super) struct AlterPartitionManager {
    items: SmallVec<[Item; 1]>,
    stage: SendStage,
}

inflight_des::clone_fields!(AlterPartitionManager { items, stage });

/// A proposal as it was made: it is sent with the epochs of then, however long it waits.
/// Kafka: DefaultAlterPartitionManager.AlterPartitionItem.
#[derive(Clone, Debug)]
struct Item {
    number: u32,
    change: IsrChange,
    is_out: bool,
}

/// Whether a request is out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum SendStage {
    /// None is out.
    #[default]
    Free,
    /// One is out, and lost if not answered until then.
    Out(Instant),
    /// The last one was refused; none is sent until then.
    Pausing(Instant),
}

impl AlterPartitionManager {
    /// Whether a proposal is not answered yet.
    pub(super) fn is_idle(&self) -> bool {
        self.items.is_empty()
    }

    /// Forgets everything, as a process does that ends.
    pub(super) fn clear(&mut self) {
        self.items.clear();
        self.stage = SendStage::Free;
    }
}

impl Broker {
    /// Queues a proposal. If there is still one of the same partition, the new one is taken back.
    /// Kafka: DefaultAlterPartitionManager.submit.
    pub(super) fn submit_proposal(
        &mut self,
        turn: &mut Turn<'_>,
        index: usize,
        proposal: Proposal,
    ) {
        let replica = &mut self.partitions[index];
        let items = &mut self.alter_partition.items;
        if items.iter().any(|item| item.change.partition == replica.id) {
            replica.isr_answered(Err(ErrorCode::OperationNotAttempted));
            return;
        }
        let epoch = self.lifecycle.epoch();
        let Some(change) = replica.isr_change(proposal.to, epoch, &self.metadata) else { return };
        items.push(Item { number: proposal.number, change, is_out: false });
        self.send_proposals(turn);
    }

    /// Sends all queued proposals if no request is out.
    /// Kafka: DefaultAlterPartitionManager.maybePropagateIsrChanges.
    fn send_proposals(&mut self, turn: &mut Turn<'_>) {
        let AlterPartitionManager { items, stage } = &mut self.alter_partition;
        if *stage != SendStage::Free || items.is_empty() {
            return;
        }
        if self.lifecycle.life == Life::Registering {
            // Kafka asks with the broker epoch -1 and is told STALE_BROKER_EPOCH.
            let until = turn.now() + RETRY_PAUSE;
            *stage = SendStage::Pausing(until);
            self.timers.arm(Timer::AlterPartition, until);
            return;
        }
        let mut changes = SmallVec::new();
        for item in items {
            item.is_out = true;
            changes.push(item.change.clone());
        }
        let lost_at = turn.now() + CONTROLLER_SOCKET_TIMEOUT;
        *stage = SendStage::Out(lost_at);
        self.timers.arm(Timer::AlterPartition, lost_at);
        let (broker, epoch) = (self.id, self.lifecycle.epoch());
        let request = ToController::AlterPartition { broker, epoch, changes };
        turn.send(Outgoing::ToController(request));
    }

    /// The controller has answered. Kafka: DefaultAlterPartitionManager.handleAlterPartitionResponse.
    pub(super) fn proposals_answered(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        error: Option<ErrorCode>,
        answers: &[AlteredPartition],
    ) {
        if !matches!(self.alter_partition.stage, SendStage::Out(_)) {
            return;
        }
        if error.is_some() {
            let until = turn.now() + RETRY_PAUSE;
            self.alter_partition.stage = SendStage::Pausing(until);
            self.timers.arm(Timer::AlterPartition, until);
            return;
        }
        self.alter_partition.stage = SendStage::Free;
        for answer in answers {
            let items = &mut self.alter_partition.items;
            let position = items
                .iter()
                .position(|item| item.is_out && item.change.partition == answer.partition);
            let Some(position) = position else { continue };
            let item = items.remove(position);
            self.proposal_answered(cluster, turn, item, answer);
        }
        self.send_proposals(turn);
    }

    fn proposal_answered(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        item: Item,
        answer: &AlteredPartition,
    ) {
        let Some(index) = self.replica_index(item.change.partition) else { return };
        let leadership = self.partitions[index].leadership();
        let awaits = leadership.is_some_and(|leadership| leadership.in_sync.awaits(item.number));
        if !awaits {
            return;
        }
        match self.partitions[index].isr_answered(answer.result) {
            Verdict::Settled => {
                self.watch_in_sync_replicas(cluster, index);
                self.raise_high_watermark_and_wake(cluster, turn, index);
            }
            Verdict::AskAgain => {
                self.alter_partition.items.push(Item { is_out: false, ..item });
            }
        }
    }

    /// The answer is late, or the pause is over.
    pub(super) fn retry_alter_partition(&mut self, turn: &mut Turn<'_>) {
        match self.alter_partition.stage {
            SendStage::Free => {}
            SendStage::Out(until) | SendStage::Pausing(until) if until > turn.now() => {
                self.timers.arm(Timer::AlterPartition, until);
            }
            SendStage::Out(_) | SendStage::Pausing(_) => {
                self.alter_partition.stage = SendStage::Free;
                self.send_proposals(turn);
            }
        }
    }
}
