//! What coordinators decide, and control records.

use super::beats::{Place, What};
use crate::icon::Icon;
use crate::log::word_of;
use crate::model::Model;
use crate::theme::Ink;
use crate::words::{Lang, Word};
use inflight_protocol::fact::AppendOrigin;
use inflight_protocol::ids::BrokerId;
use inflight_protocol::{ErrorCode, Fact, TransactionResult, TransactionState};

fn note(broker: BrokerId, text: String, ink: Ink, icon: Option<Icon>) -> What {
    What::Note { place: Place::Broker(broker), text, ink, icon }
}

/// What a fact shows at a coordinator, or of a marker.
pub(super) fn of(model: &Model<'_>, lang: Lang, fact: &Fact) -> Option<What> {
    let names = model.namer.names();
    Some(match *fact {
        Fact::TransactionStateChanged {
            broker,
            transactional_id,
            from,
            to,
            producer_epoch,
            ..
        } if from != to => {
            let id = names.transactional(transactional_id);
            let ink = match to {
                TransactionState::CompleteCommit | TransactionState::CompleteAbort => Ink::Muted,
                _ => Ink::Transaction,
            };
            note(broker, format!("{id}: {to} e{producer_epoch}"), ink, None)
        }
        Fact::TransactionTimedOut { broker, transactional_id, .. } => {
            let id = names.transactional(transactional_id);
            note(broker, format!("{id}: transaction.timeout.ms"), Ink::Bad, Some(Icon::Fired))
        }
        // A request that comes too early is repeated until its time has come.
        Fact::TransactionRequestRejected { error: ErrorCode::ConcurrentTransactions, .. } => {
            return None;
        }
        Fact::TransactionRequestRejected { broker, api, error, .. } => {
            let text = format!("{} {}: {}", lang.say(Word::Refuses), api.name(), error.name());
            note(broker, text, Ink::Bad, Some(Icon::Cross))
        }
        Fact::MarkerAppended {
            broker,
            partition,
            offset,
            result,
            origin: AppendOrigin::Coordinator,
            ..
        } if !model.is_internal(partition) => {
            let ink = match result {
                TransactionResult::Commit => Ink::Good,
                TransactionResult::Abort => Ink::Bad,
            };
            let name = model.where_to(partition);
            let text = format!("{name}{} @{offset}", lang.say(word_of(result)));
            note(broker, text, ink, Some(Icon::Rhombus))
        }
        Fact::MarkerRejected { broker, error, .. } => {
            let text = format!("{}: {}", lang.say(Word::Marker), error.name());
            note(broker, text, Ink::Bad, Some(Icon::Cross))
        }
        Fact::LastStableOffsetAdvanced { broker, partition, to, .. }
            if !model.is_internal(partition) =>
        {
            let text = format!("{}{} {to}", model.where_to(partition), lang.say(Word::LastStable));
            note(broker, text, Ink::Muted, Some(Icon::Left))
        }
        Fact::GroupOffsetCommitted { broker, group, partition, offset, .. } => {
            let (group, name) = (names.group(group), names.partition(partition));
            note(broker, format!("{group}: {name} → {offset}"), Ink::Plain, None)
        }
        Fact::MemberRemoved { broker, group, client, why } => {
            let (group, client) = (names.group(group), names.client(client));
            let (word, why) = (lang.say(Word::IsOut), lang.word(why.word()));
            note(broker, format!("{group}: {client} {word} ({why})"), Ink::Warning, None)
        }
        Fact::GroupRebalanced { broker, group, generation, members } => {
            let group = names.group(group);
            let (word, of) = (lang.say(Word::Generation), lang.say(Word::Members));
            let text = format!("{group}: {word} {generation}, {of} {members}");
            note(broker, text, Ink::Plain, None)
        }
        _ => return None,
    })
}
