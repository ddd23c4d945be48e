//! What is written on arrows.

use crate::model::Model;
use crate::model::requests::{Decision, Sent};
use crate::words::{Lang, Word};
use inflight_protocol::ApiKey;
use inflight_protocol::fact::Direction;
use inflight_protocol::ids::{SessionId, TopicPartition};

type Records = [(SessionId, TopicPartition, u64, u64)];

/// The records of a produce request or response.
pub(super) fn records(
    model: &Model<'_>,
    message: usize,
) -> Vec<(SessionId, TopicPartition, u64, u64)> {
    let request = model.requests.of_message(message);
    let batches = request.iter().flat_map(|request| &request.batches);
    batches.map(|sent| (sent.session, sent.partition, sent.first, u64::from(sent.count))).collect()
}

/// Whether a response says that anything failed.
pub(super) fn is_refusal(model: &Model<'_>, message: usize) -> bool {
    let request = model.requests.of_message(message);
    let said = request.and_then(|request| request.response.as_ref());
    said.is_some_and(|(_, said)| {
        said.iter().flatten().any(|decision| matches!(decision, Decision::Failed(_)))
    })
}

fn letters(model: &Model<'_>, records: &Records) -> String {
    let one = |(session, partition, first, count): &(SessionId, TopicPartition, u64, u64)| {
        let letters = model.letters.run(*session, *partition, *first, *count);
        format!("{}[{letters}]", model.where_to(*partition))
    };
    records.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// What a copy brings.
pub(super) fn copy(model: &Model<'_>, lang: Lang, records: &Records) -> String {
    format!("{} {}", lang.say(Word::Copied), letters(model, records))
}

/// What a consumer is given.
pub(super) fn given(model: &Model<'_>, records: &Records) -> String {
    format!("Fetch {}", letters(model, records))
}

/// Records alone, for the far end of a long arrow.
pub(super) fn short(model: &Model<'_>, message: usize, records: &Records) -> String {
    if records.is_empty() {
        return format!("#{}", model.messages.list[message].correlation);
    }
    letters(model, records)
}

/// What a request asks or a response says.
pub(super) fn message(model: &Model<'_>, lang: Lang, place: usize) -> String {
    let message = &model.messages.list[place];
    let (api, number) = (message.api.name(), message.correlation);
    let request = model.requests.of_message(place).filter(|_| message.api == ApiKey::Produce);
    let Some(request) = request else { return format!("{api} #{number}") };
    if message.direction == Direction::Request {
        let batches = request.batches.iter().map(|sent| asked(model, lang, sent));
        return format!("Produce {} #{number}", batches.collect::<Vec<_>>().join(" "));
    }
    let said = request.response.iter().flat_map(|(_, said)| said);
    let batches = request.batches.iter().zip(said);
    let parts = batches.map(|(sent, decision)| answered(model, lang, sent, *decision));
    format!("{} #{number}", parts.collect::<Vec<_>>().join(" "))
}

fn asked(model: &Model<'_>, lang: Lang, sent: &Sent) -> String {
    let Sent { session, partition, first, count, .. } = *sent;
    let mut text = model.where_to(partition);
    text.push_str(&model.records(session, partition, first, count));
    if let Some(sequence) = sent.sequence {
        let first = sequence.get();
        text.push_str(&match count {
            1 => format!(" seq {first}"),
            _ => format!(" seq {first}–{}", sequence.plus(count - 1).get()),
        });
    }
    if let Some(epoch) = sent.producer_epoch.filter(|epoch| epoch.get() > 0) {
        text.push_str(&format!(" ep {epoch}"));
    }
    if sent.attempt > 0 {
        text.push_str(&format!(" {} {}", lang.say(Word::Try), sent.attempt + 1));
    }
    text
}

fn answered(model: &Model<'_>, lang: Lang, sent: &Sent, decision: Option<Decision>) -> String {
    let Sent { session, partition, first, count, .. } = *sent;
    let records = model.where_to(partition) + &model.records(session, partition, first, count);
    match decision {
        Some(Decision::Written(Some(offset))) => format!("ack {records} @{offset}"),
        Some(Decision::Written(None)) | None => format!("ack {records}"),
        Some(Decision::Recognised(offset)) => {
            format!("ack {records} @{offset} ({})", lang.say(Word::Known))
        }
        Some(Decision::Failed(error)) => format!("{} {records}", error.name()),
    }
}
