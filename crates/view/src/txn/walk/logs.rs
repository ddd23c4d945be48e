//! What leaders append and refuse.

use super::super::gather::{Lane, Look, Span, dropped, kept};
use super::Walk;
use crate::model::logs::Fate;
use crate::theme::Ink;
use crate::words::Word;
use crate::{Fill, Icon, Stroke};
use inflight_protocol::Fact;
use inflight_protocol::fact::AppendOrigin;
use inflight_protocol::ids::{Offset, ProducerId, TopicPartition};

impl Walk<'_, '_, '_> {
    pub(super) fn on_log(&mut self, fact: &Fact) {
        let model = self.task.model;
        match *fact {
            Fact::BatchAppended {
                partition,
                base_offset,
                count,
                session,
                first,
                producer_id,
                producer_epoch,
                origin: AppendOrigin::Client,
                ..
            } => {
                let Some(place) = self.place(partition) else { return };
                let letters = model.letters.run(session, partition, first, u64::from(count));
                let text = format!("{letters} @{base_offset}");
                let name = model.namer.client_of(session).map(|c| model.namer.names().client(c));
                let epoch = producer_epoch.map_or(String::new(), |epoch| format!(" e{epoch}"));
                let below = format!("{}{epoch}", name.unwrap_or_default());
                let look = self.look_of(place, base_offset);
                self.push_both(Lane::Log(partition), text, below, look);
                if let Some(id) = producer_id.filter(|_| is_in_transaction(look)) {
                    self.opens(partition, id);
                }
            }
            Fact::DuplicateRecognized { partition, session, first, count, .. } => {
                if self.place(partition).is_none() {
                    return;
                }
                let letters = model.letters.run(session, partition, first, u64::from(count));
                let text = format!("{} {letters}", self.say(Word::Known));
                self.push(Lane::Log(partition), text, Look::Label(Ink::Good, Some(Icon::Same)));
            }
            Fact::BatchRejected { partition, session, first, count, error, .. } => {
                if self.place(partition).is_none() {
                    return;
                }
                let letters = model.letters.run(session, partition, first, u64::from(count));
                let text = format!("{letters}: {}", error.name());
                self.push(Lane::Log(partition), text, Look::Label(Ink::Bad, Some(Icon::Cross)));
            }
            Fact::MarkerAppended {
                partition,
                offset,
                result,
                producer_id,
                producer_epoch,
                origin: AppendOrigin::Coordinator,
                ..
            } => {
                if self.place(partition).is_none() {
                    return;
                }
                let word = crate::log::word_of(result);
                let text = format!("{} @{offset}", self.say(word));
                let writer = model.writer(producer_id, producer_epoch).unwrap_or_default();
                let below = format!("{writer} e{producer_epoch}");
                self.push_both(Lane::Log(partition), text, below, Look::Marker(result));
                let index = self.index;
                let mine = |span: &&mut Span| {
                    (span.partition, span.producer_id) == (partition, producer_id)
                        && span.to.is_none()
                };
                if let Some(span) = self.out.open.iter_mut().find(mine) {
                    span.to = Some((index, result));
                }
            }
            Fact::MarkerRejected { partition, error, .. } if self.place(partition).is_some() => {
                let text = format!("{}: {}", self.say(Word::Marker), error.name());
                self.push(Lane::Log(partition), text, Look::Label(Ink::Bad, Some(Icon::Cross)));
            }
            Fact::LeaderElected { partition, leader: Some(leader), .. }
                if self.place(partition).is_some() =>
            {
                let text = format!("b{leader} {}", self.say(Word::Leads));
                self.push(Lane::Log(partition), text, Look::Label(Ink::Plain, None));
            }
            _ => {}
        }
    }

    /// How a record looks that was just appended: by what becomes of its transaction.
    fn look_of(&self, place: usize, offset: Offset) -> Look {
        let ends = &self.ends[place];
        let leader = ends.leader.and_then(|leader| ends.replica(leader));
        let fate = leader.and_then(|leader| ends.fate(leader, offset.get()));
        match fate {
            Some(Fate::Aborted) => dropped(Icon::Cross),
            Some(Fate::Open) => Look::Cell(
                Fill::Tint(Ink::Transaction),
                Stroke::thin(Ink::Transaction),
                Some(Icon::Dot),
            ),
            Some(Fate::Committed) => {
                Look::Cell(Fill::Tint(Ink::Good), Stroke::thin(Ink::Good), Some(Icon::Check))
            }
            None => kept(Ink::Follower),
        }
    }

    fn opens(&mut self, partition: TopicPartition, producer_id: ProducerId) {
        let is_open = self.out.open.iter().any(|span| {
            (span.partition, span.producer_id) == (partition, producer_id) && span.to.is_none()
        });
        if !is_open {
            let from = self.index;
            self.out.open.push(Span { partition, producer_id, from, to: None });
        }
    }
}

const fn is_in_transaction(look: Look) -> bool {
    // Records outside of transactions have no sign.
    matches!(look, Look::Cell(_, _, Some(_)))
}
