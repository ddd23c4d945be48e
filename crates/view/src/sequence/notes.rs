//! What happens at one place.

use super::beats::{Place, What};
use crate::icon::Icon;
use crate::model::Model;
use crate::model::classify::Oddity;
use crate::theme::Ink;
use crate::words::{Lang, Word};
use inflight_protocol::ApiKey;
use inflight_protocol::Fact;
use inflight_protocol::fact::{AppendOrigin, CloseCause, Direction, StopCause};
use inflight_protocol::ids::{BrokerSet, ConnectionId, Node, SessionId, TopicPartition};

type Records = Vec<(SessionId, TopicPartition, u64, u64)>;
type Found = (What, Records);

fn note(place: Place, text: String, ink: Ink, icon: Option<Icon>) -> What {
    What::Note { place, text, ink, icon }
}

fn band(text: String, ink: Ink, icon: Icon) -> What {
    What::Band { text, ink, icon }
}

/// What a fact shows, if it is not about a message or a call.
pub(super) fn of(model: &Model<'_>, lang: Lang, index: usize, fact: &Fact) -> Option<Found> {
    at_leader(model, lang, index, fact)
        .or_else(|| at_producer(model, lang, index, fact))
        .or_else(|| at_broker(model, lang, fact).map(|what| (what, Vec::new())))
        .or_else(|| in_cluster(model, lang, index, fact).map(|what| (what, Vec::new())))
}

fn at_leader(model: &Model<'_>, lang: Lang, index: usize, fact: &Fact) -> Option<Found> {
    let letters = |session, partition, first, count| {
        model.where_to(partition) + &model.records(session, partition, first, count)
    };
    Some(match *fact {
        Fact::BatchAppended {
            broker,
            partition,
            session,
            first,
            count,
            base_offset,
            origin,
            ..
        } => {
            let records = letters(session, partition, first, count);
            let odd = model.odd.at(index);
            // A copy by a follower is the arrow that brings it.
            if origin == AppendOrigin::Replication {
                return None;
            }
            let (word, ink, icon) = match odd {
                Some(Oddity::Copy) => (Word::AppendAgain, Ink::Duplicate, Some(Icon::Same)),
                Some(Oddity::Late) => (Word::AppendLate, Ink::Warning, Some(Icon::Swap)),
                None => (Word::Append, Ink::Plain, None),
            };
            let text = format!("{} {records} @{base_offset}", lang.say(word));
            let about = vec![(session, partition, first, u64::from(count))];
            (note(Place::Broker(broker), text, ink, icon), about)
        }
        Fact::DuplicateRecognized {
            broker, partition, session, first, count, base_offset, ..
        } => {
            let records = letters(session, partition, first, count);
            let text = format!("{} {records} = @{base_offset}", lang.say(Word::Known));
            let about = vec![(session, partition, first, u64::from(count))];
            (note(Place::Broker(broker), text, Ink::Good, Some(Icon::Check)), about)
        }
        Fact::BatchRejected { broker, partition, session, first, count, error, .. } => {
            let records = letters(session, partition, first, count);
            let text = format!("{} {records}: {}", lang.say(Word::Refuses), error.name());
            let about = vec![(session, partition, first, u64::from(count))];
            (note(Place::Broker(broker), text, Ink::Bad, Some(Icon::Cross)), about)
        }
        _ => return None,
    })
}

fn at_producer(model: &Model<'_>, lang: Lang, index: usize, fact: &Fact) -> Option<Found> {
    let place = |session| model.namer.client_of(session).map(Place::Producer);
    let letters = |session, partition, first, count| {
        model.where_to(partition) + &model.records(session, partition, first, count)
    };
    Some(match *fact {
        Fact::BatchRequeued { session, partition, first, count, error, .. } => {
            let records = letters(session, partition, first, count);
            let text = format!("{records} {}: {}", lang.say(Word::Requeued), error.name());
            let about = vec![(session, partition, first, u64::from(count))];
            (note(place(session)?, text, Ink::Warning, None), about)
        }
        Fact::BatchExpired { session, partition, first, count, .. } => {
            let records = letters(session, partition, first, count);
            let text = format!("{records} {}", lang.say(Word::Expired));
            let about = vec![(session, partition, first, u64::from(count))];
            (note(place(session)?, text, Ink::Bad, Some(Icon::Fired)), about)
        }
        Fact::SequenceRewritten { session, partition, first, count, from, to, .. } => {
            let records = letters(session, partition, first, count);
            let word = lang.say(Word::Renumbered);
            let text = format!("{records} {word}: seq {} → {}", from.get(), to.get());
            let about = vec![(session, partition, first, u64::from(count))];
            (note(place(session)?, text, Ink::Warning, Some(Icon::Triangle)), about)
        }
        Fact::ProducerEpochBumped { session, producer_epoch, .. } => {
            let text = format!("{} {producer_epoch}", lang.say(Word::EpochRaised));
            (note(place(session)?, text, Ink::Warning, None), Vec::new())
        }
        Fact::ProducerIdAssigned { session, producer_id, producer_epoch } => {
            let (id, epoch) = (lang.say(Word::ProducerId), lang.say(Word::Epoch));
            let text = format!("{id} {producer_id}, {epoch} {producer_epoch}");
            (note(place(session)?, text, Ink::Muted, None), Vec::new())
        }
        Fact::ProducerStarted { client, session } if model.namer.sessions_before(session) > 0 => {
            let text = lang.say(Word::Started).to_owned();
            (note(Place::Producer(client), text, Ink::Plain, None), Vec::new())
        }
        Fact::ProducerStopped { client, how, .. } if how != StopCause::Closed => {
            let text = format!("{} ({})", lang.say(Word::Stopped), lang.word(how.word()));
            (note(Place::Producer(client), text, Ink::Bad, Some(Icon::Lightning)), Vec::new())
        }
        Fact::ProducerPaused { client } => {
            let text = lang.say(Word::Paused).to_owned();
            (note(Place::Producer(client), text, Ink::Bad, None), Vec::new())
        }
        Fact::ProducerResumed { client } => {
            let text = lang.say(Word::Resumed).to_owned();
            (note(Place::Producer(client), text, Ink::Plain, None), Vec::new())
        }
        Fact::ConnectionClosed { connection, at: Node::Client(client), why }
            if !matches!(why, CloseCause::Local | CloseCause::Idle)
                && was_open(model, connection)
                && !only_polls(model, index, connection) =>
        {
            let name = model.namer.names().connection(connection);
            let text = match why {
                CloseCause::RequestTimeout => {
                    format!("{}: {name}", lang.say(Word::RequestTimeout))
                }
                _ => format!("{}: {name}", lang.say(Word::ConnectionLost)),
            };
            (note(Place::Producer(client), text, Ink::Bad, Some(Icon::Cross)), Vec::new())
        }
        _ => return None,
    })
}

fn at_broker(model: &Model<'_>, lang: Lang, fact: &Fact) -> Option<What> {
    let name = |partition| model.where_to(partition);
    Some(match *fact {
        Fact::HighWatermarkAdvanced { partition, .. } if model.is_internal(partition) => {
            return None;
        }
        Fact::HighWatermarkAdvanced { broker, partition, to, .. } => {
            // Followers learn it one fetch later, which the log strips show.
            let leads = |fact: &Fact| matches!(fact, Fact::ProduceDelayed { broker: b, .. } if *b == broker);
            if !model.facts().iter().any(|(_, fact)| leads(fact)) {
                return None;
            }
            let text = format!("{}{} {to}", name(partition), lang.say(Word::HighWatermark));
            note(Place::Broker(broker), text, Ink::Muted, Some(Icon::Up))
        }
        Fact::BecameLeader { broker, partition, leader_epoch, .. } => {
            let (leads, epoch) = (lang.say(Word::Leads), lang.say(Word::Epoch));
            let text = format!("{}{leads}, {epoch} {leader_epoch}", name(partition));
            note(Place::Broker(broker), text, Ink::Plain, None)
        }
        Fact::LogTruncated { broker, partition, from, to } => {
            let text = format!("{}{}: {from} → {to}", name(partition), lang.say(Word::Truncates));
            note(Place::Broker(broker), text, Ink::Bad, Some(Icon::Cross))
        }
        Fact::LogRecovered { broker, partition, from, to, .. } if from != to => {
            let text = format!("{}{} {from} → {to}", name(partition), lang.say(Word::Recovered));
            note(Place::Broker(broker), text, Ink::Bad, None)
        }
        Fact::BrokerCrashed { broker, surviving } => {
            let text = format!("{} ({})", lang.say(Word::Crashed), lang.word(surviving.word()));
            note(Place::Broker(broker), text, Ink::Bad, Some(Icon::Lightning))
        }
        Fact::BrokerStopped { broker } => {
            note(Place::Broker(broker), lang.say(Word::Stopped).to_owned(), Ink::Bad, None)
        }
        Fact::BrokerStarted { broker } => {
            note(Place::Broker(broker), lang.say(Word::Started).to_owned(), Ink::Plain, None)
        }
        Fact::BrokerPaused { broker } => {
            note(Place::Broker(broker), lang.say(Word::Paused).to_owned(), Ink::Bad, None)
        }
        Fact::BrokerResumed { broker } => {
            note(Place::Broker(broker), lang.say(Word::Resumed).to_owned(), Ink::Plain, None)
        }
        Fact::ProducerStateExpired { broker, partition, producer_id } => {
            let text = format!("{}{} {producer_id} ✕", name(partition), lang.say(Word::ProducerId));
            note(Place::Broker(broker), text, Ink::Warning, None)
        }
        _ => return None,
    })
}

fn in_cluster(model: &Model<'_>, lang: Lang, index: usize, fact: &Fact) -> Option<What> {
    let set = |set: BrokerSet| set.to_string();
    Some(match *fact {
        Fact::IsrChanged { partition, from, to, .. } if from != to => {
            let text = format!("{}ISR {} → {}", model.where_to(partition), set(from), set(to));
            note(Place::Controller, text, Ink::Warning, None)
        }
        Fact::LeaderElected { partition, leader, leader_epoch, election } => {
            let leader = leader.map_or(lang.say(Word::Nobody).to_owned(), |b| format!("b{b}"));
            let (elected, epoch) = (lang.say(Word::Elected), lang.say(Word::Epoch));
            let name = model.where_to(partition);
            let how = lang.word(election.word());
            let text = format!("{name}{elected} {leader}, {epoch} {leader_epoch} ({how})");
            note(Place::Controller, text, Ink::Plain, None)
        }
        Fact::BrokerFenced { broker } => {
            let text = format!("{} b{broker}", lang.say(Word::Fenced));
            note(Place::Controller, text, Ink::Warning, Some(Icon::Lock))
        }
        Fact::BrokerUnfenced { broker } => {
            let text = format!("{} b{broker}", lang.say(Word::Unfenced));
            note(Place::Controller, text, Ink::Muted, None)
        }
        Fact::FaultInjected { fault } => {
            let what = model.namer.names().fault(u64::from(fault));
            band(lang.value(Word::Fault, what), Ink::Bad, Icon::Lightning)
        }
        Fact::LinkHealed { from, to } if first_of_kind(model, index) => {
            let names = model.namer.names();
            let text = format!("{} – {}", names.node(from), names.node(to));
            band(lang.value(Word::Healed, text), Ink::Good, Icon::Check)
        }
        _ => return None,
    })
}

/// Whether a connection was ever open. An attempt that fails is no news.
fn was_open(model: &Model<'_>, wanted: ConnectionId) -> bool {
    let opens = |fact: &Fact| matches!(fact, Fact::ConnectionOpened { connection, .. } if *connection == wanted);
    model.facts().iter().any(|(_, fact)| opens(fact))
}

/// Whether the last request on a connection was one that a consumer repeats all the time.
fn only_polls(model: &Model<'_>, index: usize, wanted: ConnectionId) -> bool {
    let asked = model.facts()[..index].iter().rev().find_map(|(_, fact)| match *fact {
        Fact::MessageSent { connection, api, direction: Direction::Request, .. }
            if connection == wanted =>
        {
            Some(api)
        }
        _ => None,
    });
    asked.is_some_and(|api| {
        matches!(
            api,
            ApiKey::Fetch
                | ApiKey::Heartbeat
                | ApiKey::Metadata
                | ApiKey::JoinGroup
                | ApiKey::SyncGroup
        )
    })
}

/// Whether no fact of the same kind comes right before, at the same instant.
fn first_of_kind(model: &Model<'_>, index: usize) -> bool {
    let facts = model.facts();
    let before = index.checked_sub(1).and_then(|before| facts.get(before));
    let (at, fact) = &facts[index];
    !before.is_some_and(|(then, other)| then == at && other.kind() == fact.kind())
}
