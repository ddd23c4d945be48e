//! What applications call and are told, and the states of their producers.

use super::super::gather::{Hold, Lane, Look};
use super::Walk;
use crate::Icon;
use crate::theme::Ink;
use crate::words::Word;
use inflight_protocol::fact::{ProducerState, SendError, StopCause};
use inflight_protocol::ids::{ClientId, SessionId, TopicPartition};
use inflight_protocol::{ErrorCode, Fact, TransactionResult};

impl Walk<'_, '_, '_> {
    pub(super) fn on_app(&mut self, fact: &Fact) {
        let model = self.task.model;
        let label = |ink, icon| Look::Label(ink, icon);
        let plain = label(Ink::Plain, None);
        match *fact {
            Fact::TransactionsInitialized { session, producer_epoch, .. } => {
                let Some(client) = self.client(session) else { return };
                let text = format!("init e{producer_epoch}");
                self.push(Lane::App(client), text, label(Ink::Good, Some(Icon::Check)));
            }
            Fact::TransactionBegun { session, .. } => {
                let Some(client) = self.client(session) else { return };
                self.push(Lane::App(client), self.say(Word::Begins).to_owned(), plain);
            }
            Fact::RecordsQueued { session, partition, first, count, .. } => {
                let Some(client) = self.client(session) else { return };
                self.send(client, session, partition, first, u64::from(count));
            }
            Fact::OffsetsAddedToTransaction { session, partition, offset, .. } => {
                let Some(client) = self.client(session) else { return };
                let name = model.namer.names().partition(partition);
                let text = format!("{} {name} → {offset}", self.say(Word::SendsOffsets));
                self.push(Lane::App(client), text, label(Ink::Good, Some(Icon::Check)));
            }
            Fact::TransactionEnding { session, result, .. } => {
                let Some(client) = self.client(session) else { return };
                let text = result.word().to_owned();
                self.push(Lane::App(client), text, plain);
            }
            Fact::TransactionEnded { session, result, .. } => {
                let Some(client) = self.client(session) else { return };
                let (word, ink) = match result {
                    TransactionResult::Commit => (Word::Committed, Ink::Good),
                    TransactionResult::Abort => (Word::Aborted, Ink::Bad),
                };
                let text = self.say(word).to_owned();
                self.push(Lane::App(client), text, label(ink, Some(Icon::Check)));
            }
            Fact::TransactionCallFailed { session, call, error, .. } => {
                let Some(client) = self.client(session) else { return };
                let icon = if is_fenced(error) { Icon::Lock } else { Icon::Cross };
                let text = format!("{call}: {}", error.name());
                self.push(Lane::App(client), text, label(Ink::Bad, Some(icon)));
            }
            Fact::RecordsFailed { session, partition, first, count, error, .. } => {
                let Some(client) = self.client(session) else { return };
                let records = model.letters.run(session, partition, first, u64::from(count));
                let text = format!("{records}: {}", error.name());
                self.push(Lane::App(client), text, label(Ink::Bad, Some(Icon::Cross)));
            }
            _ => {}
        }
    }

    pub(super) fn on_producer(&mut self, fact: &Fact) {
        let label = |ink, icon| Look::Label(ink, icon);
        match *fact {
            Fact::ProducerStateChanged { session, to, .. } => {
                let Some(client) = self.client(session) else { return };
                let look = Look::State(producer_ink(to), Hold::Firm);
                self.push(Lane::Producer(client), to.word().to_owned(), look);
            }
            Fact::ProducerStopped { client, how, .. } if self.clients.contains(&client) => {
                let (ink, icon) = match how {
                    StopCause::Closed => (Ink::Muted, None),
                    StopCause::Exited | StopCause::Crashed => (Ink::Bad, Some(Icon::Lightning)),
                };
                if icon.is_some() {
                    let text = self.say(Word::Crashed).to_owned();
                    self.push(Lane::App(client), text, label(ink, icon));
                }
                self.push(Lane::Producer(client), String::new(), Look::State(ink, Hold::Gone));
            }
            Fact::ProducerPaused { client } if self.clients.contains(&client) => {
                let text = self.say(Word::Paused).to_owned();
                self.push(Lane::App(client), text, label(Ink::Bad, Some(Icon::Stopped)));
            }
            Fact::ProducerResumed { client } if self.clients.contains(&client) => {
                let text = self.say(Word::Resumed).to_owned();
                self.push(Lane::App(client), text, label(Ink::Plain, None));
            }
            _ => {}
        }
    }

    /// Calls of one instant are one label.
    fn send(
        &mut self,
        client: ClientId,
        session: SessionId,
        partition: TopicPartition,
        first: u64,
        count: u64,
    ) {
        let model = self.task.model;
        let lane = Lane::App(client);
        let at = model.at(self.index);
        let last = self.out.events.iter().rev().find(|event| event.lane == lane);
        let goes_on = last.is_some_and(|last| last.at == at && last.below == SENDS);
        if !goes_on {
            self.sends.clear();
        }
        self.sends.extend((first..first + count).map(|ordinal| (session, partition, ordinal)));
        let name = |of: &(SessionId, TopicPartition, u64)| model.letters.one(of.0, of.1, of.2);
        let letters = match self.sends.as_slice() {
            [first, _, _, .., last] => format!("{}–{}", name(first), name(last)),
            few => few.iter().map(name).collect::<Vec<_>>().join(","),
        };
        let text = format!("{} {letters}", self.say(Word::Sends));
        match self.out.events.iter_mut().rev().find(|event| event.lane == lane) {
            Some(last) if goes_on => last.text = text,
            _ => {
                let look = Look::Label(Ink::Producer, None);
                self.push_both(lane, text, SENDS.to_owned(), look);
            }
        }
    }
}

/// What marks a label of send() calls, to which later ones of the same instant are added.
pub(super) const SENDS: &str = "send";

fn is_fenced(error: SendError) -> bool {
    matches!(error, SendError::Code(ErrorCode::ProducerFenced | ErrorCode::InvalidProducerEpoch))
}

const fn producer_ink(state: ProducerState) -> Ink {
    match state {
        ProducerState::Uninitialized | ProducerState::Initializing => Ink::Muted,
        ProducerState::Ready => Ink::Good,
        ProducerState::InTransaction => Ink::Transaction,
        ProducerState::Committing | ProducerState::Aborting => Ink::Warning,
        ProducerState::AbortableError | ProducerState::FatalError => Ink::Bad,
    }
}
