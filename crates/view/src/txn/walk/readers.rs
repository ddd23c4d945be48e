//! What consumers are given.

use super::super::gather::{Lane, Look, dropped};
use super::Walk;
use crate::theme::Ink;
use crate::words::Word;
use crate::{Fill, Icon, Stroke};
use inflight_protocol::Fact;
use inflight_protocol::fact::StopCause;
use inflight_protocol::ids::{ClientId, ConsumerId};

impl Walk<'_, '_, '_> {
    fn reader(&self, consumer: ConsumerId) -> Option<ClientId> {
        let client = self.task.model.namer.client_of_consumer(consumer)?;
        self.readers.contains(&client).then_some(client)
    }

    pub(super) fn on_reader(&mut self, fact: &Fact) {
        let model = self.task.model;
        match *fact {
            Fact::RecordsReturned { consumer, partition, count, session, first, .. } => {
                let Some(client) = self.reader(consumer) else { return };
                let letters = model.letters.run(session, partition, first, u64::from(count));
                let text = model.where_to_elsewhere(partition, &self.out.partitions) + &letters;
                let lane = Lane::Reader(client);
                let look = Look::Cell(Fill::Tint(Ink::Producer), Stroke::thin(Ink::Producer), None);
                self.push(lane, text, look);
            }
            Fact::AbortedRecordsSkipped { consumer, partition, base_offset, count, .. } => {
                let Some(client) = self.reader(consumer) else { return };
                let Some(logs) = self.levels.of(partition) else { return };
                let leader = logs.leader.and_then(|leader| logs.replica(leader));
                let record = leader.and_then(|leader| leader.record(base_offset.get()));
                let text = match record {
                    Some((session, first)) => {
                        model.letters.run(session, partition, first, u64::from(count))
                    }
                    None => format!("@{base_offset}"),
                };
                let text = format!("{} {text}", self.say(Word::Skips));
                self.push(Lane::Reader(client), text, dropped(Icon::Cross));
            }
            Fact::OffsetCommitReturned { consumer, partition, offset, error: None, .. } => {
                let Some(client) = self.reader(consumer) else { return };
                self.committed.insert((client, partition), offset.get());
                let text = format!("{} {offset}", self.say(Word::CommitsOffset));
                self.push(Lane::Reader(client), text, Look::Label(Ink::Muted, None));
            }
            Fact::ConsumerStopped { consumer, how, .. } if how != StopCause::Closed => {
                let Some(client) = self.reader(consumer) else { return };
                let text = self.say(Word::Crashed).to_owned();
                let look = Look::Label(Ink::Bad, Some(Icon::Lightning));
                self.push(Lane::Reader(client), text, look);
            }
            _ => {}
        }
    }
}
