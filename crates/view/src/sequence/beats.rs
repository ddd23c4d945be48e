//! What a sequence shows of a run, in order.

use super::{FETCH, LOST, REFUSAL, REQUEST, RESPONSE, calls, coordinators, labels, notes, readers};
use crate::icon::Icon;
use crate::model::Model;
use crate::model::messages::{End, Message};
use crate::scene::Stroke;
use crate::theme::Ink;
use crate::words::{Lang, Word};
use inflight_des::Instant;
use inflight_protocol::fact::{AppendOrigin, Direction};
use inflight_protocol::ids::{BrokerId, ClientId, Node, SessionId, TopicPartition};
use inflight_protocol::{ApiKey, Fact};
use std::collections::BTreeMap;

/// Who has a lifeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// The application of a client.
    App(ClientId),
    /// The producer of a client.
    Producer(ClientId),
    /// A broker.
    Broker(BrokerId),
    /// The controller.
    Controller,
}

impl Place {
    /// Where a node's messages come and go.
    pub(crate) const fn of(node: Node) -> Self {
        match node {
            Node::Client(client) => Self::Producer(client),
            Node::Broker(broker) => Self::Broker(broker),
            Node::Controller => Self::Controller,
        }
    }
}

/// Something that is shown.
#[derive(Clone, Debug)]
pub(crate) struct Beat {
    /// The position of its fact.
    pub(crate) fact: usize,
    pub(crate) at: Instant,
    pub(crate) what: What,
    /// Whether it decides a finding.
    pub(crate) decides: bool,
    /// The records that it is about. Empty if it is about none in particular.
    pub(crate) records: Vec<(SessionId, TopicPartition, u64, u64)>,
}

/// What a beat looks like.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// The application calls, or is told.
    Call { from: Place, to: Place, text: String, ink: Ink, icon: Option<Icon> },
    /// A message leaves.
    Depart { message: usize, from: Place, to: Place, text: String, stroke: Stroke },
    /// A message arrives.
    Arrive { message: usize, text: String },
    /// A message is lost.
    Lose { message: usize },
    /// Something happens at one place.
    Note { place: Place, text: String, ink: Ink, icon: Option<Icon> },
    /// Something happens to all.
    Band { text: String, ink: Ink, icon: Icon },
}

/// All beats of a run.
#[derive(Debug, Default)]
pub(crate) struct Beats {
    pub(crate) list: Vec<Beat>,
}

type Carried = BTreeMap<usize, Vec<(SessionId, TopicPartition, u64, u64)>>;

/// Everything that a sequence can show of a run.
pub(crate) fn collect(model: &Model<'_>, lang: Lang) -> Beats {
    let copies = copies(model);
    let decisive = model.decisive();
    let mut beats = Beats::default();
    for (index, (at, fact)) in model.facts().iter().enumerate() {
        let found = message(model, lang, index, &copies)
            .or_else(|| calls::of(model, lang, fact))
            .or_else(|| notes::of(model, lang, index, fact))
            .or_else(|| readers::of(model, lang, index, fact))
            .or_else(|| coordinators::of(model, lang, fact).map(|what| (what, Vec::new())));
        let Some((what, records)) = found else { continue };
        let decides = decisive.contains(&index);
        beats.list.push(Beat { fact: index, at: *at, what, decides, records });
    }
    beats
}

/// A fact in the words of a picture, with the letters of records; else as a sentence.
pub(crate) fn tell(model: &Model<'_>, lang: Lang, index: usize) -> String {
    let Some((_, fact)) = model.facts().get(index) else { return String::new() };
    let found = calls::of(model, lang, fact)
        .or_else(|| notes::of(model, lang, index, fact))
        .or_else(|| readers::of(model, lang, index, fact))
        .or_else(|| coordinators::of(model, lang, fact).map(|what| (what, Vec::new())));
    if let Fact::BatchAppended {
        broker,
        partition,
        session,
        first,
        count,
        base_offset,
        origin: AppendOrigin::Replication,
        ..
    } = *fact
    {
        let records = model.records(session, partition, first, count);
        return format!("b{broker}: {} {records} @{base_offset}", lang.say(Word::Copied));
    }
    match found {
        Some((What::Call { from, text, to, .. }, _)) => {
            let place = if matches!(from, Place::App(_)) { to } else { from };
            format!("{}: {text}", name(model, lang, place))
        }
        Some((What::Note { place, text, .. }, _)) => {
            format!("{}: {text}", name(model, lang, place))
        }
        Some((What::Band { text, .. }, _)) => text,
        _ => lang.fact(fact, &model.namer),
    }
}

fn name(model: &Model<'_>, lang: Lang, place: Place) -> String {
    match place {
        Place::App(client) | Place::Producer(client) => model.namer.names().client(client),
        Place::Broker(broker) => format!("b{broker}"),
        Place::Controller => lang.say(Word::Controller).to_owned(),
    }
}

/// Fetch responses that brought records to followers and consumers, with the records.
fn copies(model: &Model<'_>) -> Carried {
    let mut carried = Carried::new();
    for (index, (_, fact)) in model.facts().iter().enumerate() {
        let (to, session, partition, first, count) = match *fact {
            Fact::BatchAppended {
                broker,
                partition,
                session,
                first,
                count,
                origin: AppendOrigin::Replication,
                ..
            } => (Node::Broker(broker), session, partition, first, count),
            Fact::RecordsReturned { consumer, partition, session, first, count, .. } => {
                let Some(client) = model.namer.client_of_consumer(consumer) else { continue };
                (Node::Client(client), session, partition, first, count)
            }
            _ => continue,
        };
        if let Some((place, _)) = model.messages.fetched_before(to, index) {
            let records = (session, partition, first, u64::from(count));
            carried.entry(place).or_default().push(records);
        }
    }
    carried
}

type Found = (What, Vec<(SessionId, TopicPartition, u64, u64)>);

/// What a fact says of a message that is shown.
fn message(model: &Model<'_>, lang: Lang, index: usize, copies: &Carried) -> Option<Found> {
    let departing = model.messages.sent_at(index);
    let (place, message) = departing.or_else(|| model.messages.ended_at(index))?;
    let lost = matches!(message.end, End::Lost(..)) && message.api != ApiKey::Fetch;
    let copied = copies.get(&place);
    let produce = message.api == ApiKey::Produce;
    let coordinates = is_coordination(model, message);
    if !(produce || lost || coordinates || copied.is_some()) {
        return None;
    }
    let records = copied.cloned().unwrap_or_else(|| labels::records(model, place));
    if departing.is_none() {
        let text = labels::short(model, place, &records);
        let what = match message.end {
            End::Lost(..) => What::Lose { message: place },
            _ => What::Arrive { message: place, text },
        };
        return Some((what, records));
    }
    let text = match (copied, message.to) {
        (Some(copied), Node::Client(_)) => labels::given(model, copied),
        (Some(copied), _) => labels::copy(model, lang, copied),
        (None, _) => labels::message(model, lang, place),
    };
    let stroke = stroke_of(model, place, message, copied.is_some());
    let (from, to) = (Place::of(message.from), Place::of(message.to));
    Some((What::Depart { message: place, from, to, text, stroke }, records))
}

/// Whether a message ends a transaction, writes its markers, or commits offsets.
fn is_coordination(model: &Model<'_>, message: &Message) -> bool {
    let transactional = |node: Node| match node {
        Node::Client(client) => {
            let client = model.story.description.client(client);
            client.is_some_and(|client| client.transactional_id.is_some())
        }
        Node::Broker(_) | Node::Controller => false,
    };
    match message.api {
        ApiKey::EndTxn
        | ApiKey::WriteTxnMarkers
        | ApiKey::OffsetCommit
        | ApiKey::TxnOffsetCommit => true,
        ApiKey::InitProducerId => transactional(message.from) || transactional(message.to),
        _ => false,
    }
}

fn stroke_of(model: &Model<'_>, place: usize, message: &Message, copied: bool) -> Stroke {
    if matches!(message.end, End::Lost(..)) {
        return LOST;
    }
    match (copied, message.direction) {
        (true, _) => FETCH,
        (_, Direction::Request) => REQUEST,
        (_, Direction::Response) if labels::is_refusal(model, place) => REFUSAL,
        (_, Direction::Response) => RESPONSE,
    }
}
