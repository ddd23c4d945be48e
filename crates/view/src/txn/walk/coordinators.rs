//! What coordinators decide, and who coordinates.

use super::super::gather::{Hold, Lane, Look, kept};
use super::{Identity, Walk};
use crate::theme::Ink;
use crate::words::Word;
use crate::{Fill, Icon, Stroke};
use inflight_protocol::fact::AppendOrigin;
use inflight_protocol::ids::{BrokerId, GroupId, Offset, TopicPartition, TransactionalId};
use inflight_protocol::{ErrorCode, Fact, TransactionState};

impl Walk<'_, '_, '_> {
    pub(super) fn on_coordinator(&mut self, fact: &Fact) {
        match *fact {
            Fact::InternalRecordsAppended {
                partition, origin: AppendOrigin::Coordinator, ..
            } => self.written = Some(partition),
            Fact::TransactionStatePending { broker, transactional_id, .. } => {
                let written = self.written;
                let of = self.identity(transactional_id);
                (of.home, of.coordinator) = (written, Some(broker));
                let look = Look::State(Ink::Muted, Hold::Pending);
                self.push(Lane::Coordinator(transactional_id), String::new(), look);
            }
            Fact::TransactionStateChanged {
                broker, transactional_id, to, producer_epoch, ..
            } => {
                let of = self.identity(transactional_id);
                (of.state, of.coordinator) = (to, Some(broker));
                let raised = of.epoch != Some(producer_epoch);
                of.epoch = Some(producer_epoch);
                let look = Look::State(state_ink(to), Hold::Firm);
                self.push(Lane::Coordinator(transactional_id), to.word().to_owned(), look);
                if raised {
                    let look = Look::State(Ink::Plain, Hold::Firm);
                    self.push(Lane::Epoch(transactional_id), format!("e{producer_epoch}"), look);
                }
            }
            Fact::TransactionPartitionAdded { transactional_id, partition, .. } => {
                let name = self.task.model.namer.names().partition(partition);
                let look = Look::Label(Ink::Muted, None);
                self.push(Lane::Says(transactional_id), format!("+ {name}"), look);
            }
            Fact::TransactionTimedOut { transactional_id, .. } => {
                let look = Look::Label(Ink::Bad, Some(Icon::Fired));
                let text = "transaction.timeout.ms".to_owned();
                self.push(Lane::Says(transactional_id), text, look);
            }
            Fact::TransactionRequestRejected { transactional_id, api, error, .. } => {
                let text = format!("{}: {}", api.name(), error.name());
                let icon = match error {
                    ErrorCode::ProducerFenced | ErrorCode::InvalidProducerEpoch => Icon::Lock,
                    _ => Icon::Cross,
                };
                let lane = Lane::Says(transactional_id);
                // What is asked again and again is said once.
                let last = self.out.events.iter().rev().find(|event| event.lane == lane);
                if last.is_none_or(|last| last.text != text) {
                    self.push(lane, text, Look::Label(Ink::Bad, Some(icon)));
                }
            }
            Fact::BrokerCrashed { broker, .. } => self.coordinator_down(broker),
            Fact::CoordinatorLoaded { broker, partition, .. } => {
                self.coordinator_up(broker, partition);
            }
            Fact::GroupOffsetPending { group, partition, offset, .. } => {
                let stroke = Stroke::thin(Ink::Transaction);
                let look = Look::Cell(Fill::Hatch(Ink::Transaction), stroke, None);
                self.offsets(group, partition, offset, look);
            }
            Fact::GroupOffsetCommitted {
                group, partition, offset, producer_id: Some(_), ..
            } => {
                self.offsets(group, partition, offset, kept(Ink::Good));
            }
            _ => {}
        }
    }

    fn offsets(&mut self, group: GroupId, partition: TopicPartition, offset: Offset, look: Look) {
        let name = self.task.model.namer.names().partition(partition);
        self.push(Lane::Offsets(group), format!("{name} → {offset}"), look);
    }

    fn identity(&mut self, id: TransactionalId) -> &mut Identity {
        let unknown =
            Identity { state: TransactionState::Empty, epoch: None, coordinator: None, home: None };
        self.ids.entry(id).or_insert(unknown)
    }

    fn coordinator_down(&mut self, broker: BrokerId) {
        let gone: Vec<TransactionalId> = self
            .ids
            .iter()
            .filter(|(_, of)| of.coordinator == Some(broker))
            .map(|(id, _)| *id)
            .collect();
        for id in gone {
            self.identity(id).coordinator = None;
            let text = format!("b{broker} {}", self.say(Word::Down));
            self.push(Lane::Coordinator(id), text, Look::State(Ink::Bad, Hold::Gone));
        }
    }

    fn coordinator_up(&mut self, broker: BrokerId, partition: TopicPartition) {
        let mine: Vec<(TransactionalId, TransactionState)> = self
            .ids
            .iter()
            .filter(|(_, of)| of.home == Some(partition) && of.coordinator != Some(broker))
            .map(|(id, of)| (*id, of.state))
            .collect();
        for (id, state) in mine {
            self.identity(id).coordinator = Some(broker);
            let text = format!("b{broker} {}", self.say(Word::TakesOver));
            self.push(Lane::Says(id), text, Look::Label(Ink::Warning, None));
            let look = Look::State(state_ink(state), Hold::Firm);
            self.push(Lane::Coordinator(id), state.word().to_owned(), look);
        }
    }
}

const fn state_ink(state: TransactionState) -> Ink {
    match state {
        TransactionState::Empty | TransactionState::Dead => Ink::Muted,
        TransactionState::Ongoing => Ink::Transaction,
        TransactionState::PrepareCommit
        | TransactionState::PrepareAbort
        | TransactionState::PrepareEpochFence => Ink::Warning,
        TransactionState::CompleteCommit => Ink::Good,
        TransactionState::CompleteAbort => Ink::Bad,
    }
}
