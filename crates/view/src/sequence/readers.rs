//! What happens at a consumer.

use super::beats::{Place, What};
use crate::icon::Icon;
use crate::model::Model;
use crate::theme::Ink;
use crate::words::{Lang, Word};
use inflight_protocol::Fact;
use inflight_protocol::fact::StopCause;
use inflight_protocol::ids::{ConsumerId, Offset, SessionId, TopicPartition};

type Records = Vec<(SessionId, TopicPartition, u64, u64)>;

/// What a fact shows at a consumer's lifeline.
pub(super) fn of(
    model: &Model<'_>,
    lang: Lang,
    index: usize,
    fact: &Fact,
) -> Option<(What, Records)> {
    let say = |word| lang.say(word);
    let name = |partition| model.where_to(partition);
    let note = |consumer, text, ink, icon| {
        let place = Place::Producer(model.namer.client_of_consumer(consumer)?);
        Some(What::Note { place, text, ink, icon })
    };
    let mut about = Records::new();
    let what = match *fact {
        Fact::RecordsReturned { consumer, partition, base_offset, count, session, first } => {
            about.push((session, partition, first, u64::from(count)));
            let records = model.records(session, partition, first, count);
            let text = format!("poll(): {}{records} @{base_offset}", name(partition));
            note(consumer, text, Ink::Good, None)
        }
        Fact::AbortedRecordsSkipped { consumer, partition, base_offset, count, .. } => {
            let at = range(base_offset, count);
            let text =
                format!("{} {}{at} ({})", say(Word::Skips), name(partition), say(Word::Aborted));
            note(consumer, text, Ink::Bad, Some(Icon::Cross))
        }
        Fact::RecordsProcessed { consumer, partition, base_offset, count, known } => {
            let (records, mut text) = told(model, index, consumer, partition, base_offset, count);
            about.extend(records);
            text = format!("{} {text}", say(Word::Processes));
            let (ink, icon) = match known {
                0 => (Ink::Plain, None),
                _ => (Ink::Good, Some(Icon::Check)),
            };
            if known > 0 {
                text.push_str(&format!(" ({}: {known})", say(Word::Known)));
            }
            note(consumer, text, ink, icon)
        }
        Fact::OffsetCommitReturned { consumer, partition, offset, error: None, .. } => {
            let text = format!("{} {}{offset}", say(Word::CommitsOffset), name(partition));
            note(consumer, text, Ink::Good, Some(Icon::Check))
        }
        Fact::OffsetCommitReturned { consumer, partition, offset, error: Some(error), .. } => {
            let (word, name) = (say(Word::CommitsOffset), name(partition));
            let text = format!("{word} {name}{offset}: {}", error.name());
            note(consumer, text, Ink::Bad, Some(Icon::Cross))
        }
        Fact::PartitionAssigned { consumer, partition, .. } => {
            let name = model.namer.names().partition(partition);
            note(consumer, format!("+ {name}"), Ink::Plain, None)
        }
        Fact::PartitionRevoked { consumer, partition, why } => {
            let name = model.namer.names().partition(partition);
            note(consumer, format!("− {name} ({})", lang.word(why.word())), Ink::Warning, None)
        }
        Fact::PositionSet { consumer, partition, offset, source } => {
            let (word, source) = (say(Word::ReadsFrom), lang.word(source.word()));
            let text = format!("{word} {}{offset} ({source})", name(partition));
            note(consumer, text, Ink::Muted, None)
        }
        Fact::ConsumerStarted { client, consumer, .. } if !is_first(model, consumer) => {
            let text = say(Word::Started).to_owned();
            let place = Place::Producer(client);
            Some(What::Note { place, text, ink: Ink::Plain, icon: None })
        }
        Fact::ConsumerStopped { consumer, how, .. } if how != StopCause::Closed => {
            let text = format!("{} ({})", say(Word::Stopped), lang.word(how.word()));
            note(consumer, text, Ink::Bad, Some(Icon::Lightning))
        }
        Fact::ConsumerFailed { consumer, error } => {
            note(consumer, format!("poll(): {}", error.name()), Ink::Bad, Some(Icon::Cross))
        }
        _ => None,
    };
    what.map(|what| (what, about))
}

/// Whether a consumer is the first of its client.
fn is_first(model: &Model<'_>, consumer: ConsumerId) -> bool {
    let client = model.namer.client_of_consumer(consumer);
    (0..consumer.get())
        .all(|before| model.namer.client_of_consumer(ConsumerId::new(before)) != client)
}

fn range(base: Offset, count: u32) -> String {
    match count {
        1 => format!("@{base}"),
        _ => format!("@{base}–{}", base.get() + u64::from(count) - 1),
    }
}

/// The records that a consumer was given at these offsets, by their letters.
fn told(
    model: &Model<'_>,
    index: usize,
    consumer: ConsumerId,
    partition: TopicPartition,
    base: Offset,
    count: u32,
) -> (Option<(SessionId, TopicPartition, u64, u64)>, String) {
    let given = model.facts()[..index].iter().rev().find_map(|(_, fact)| match *fact {
        Fact::RecordsReturned { consumer: c, partition: p, base_offset, count, session, first }
            if (c, p) == (consumer, partition)
                && (base_offset.get()..base_offset.get() + u64::from(count))
                    .contains(&base.get()) =>
        {
            Some((session, first + (base.get() - base_offset.get())))
        }
        _ => None,
    });
    let name = model.where_to(partition);
    match given {
        Some((session, first)) => {
            let records = model.records(session, partition, first, count);
            (Some((session, partition, first, u64::from(count))), format!("{name}{records}"))
        }
        None => (None, format!("{name}{}", range(base, count))),
    }
}
