//! What passes between an application and its producer.

use super::beats::{Place, What};
use crate::icon::Icon;
use crate::measure::brief;
use crate::model::Model;
use crate::theme::Ink;
use crate::words::{Lang, Word};
use inflight_des::Span;
use inflight_protocol::fact::TransactionCall;
use inflight_protocol::ids::{SessionId, TopicPartition};
use inflight_protocol::{Fact, TransactionResult};

/// From when on it is worth telling that send() was blocked.
const LONG_WAIT: Span = Span::from_millis(50);

type Records = Vec<(SessionId, TopicPartition, u64, u64)>;

pub(super) fn of(model: &Model<'_>, lang: Lang, fact: &Fact) -> Option<(What, Records)> {
    match *fact {
        Fact::RecordsQueued { session, partition, first, count, .. } => {
            let records = model.records(session, partition, first, count);
            let text = format!("{} {}{records}", lang.say(Word::Sends), model.where_to(partition));
            let what = call(model, session, true, text, Ink::Plain, None)?;
            Some((what, vec![(session, partition, first, u64::from(count))]))
        }
        // Every first call waits for metadata for a moment.
        Fact::SendReturned { session, waited, .. } if waited >= LONG_WAIT => {
            let text = format!("{} {}", lang.say(Word::Blocked), brief(waited));
            let what = call(model, session, true, text, Ink::Bad, Some(Icon::Stopped))?;
            Some((what, Vec::new()))
        }
        Fact::SendRefused { session, error, .. } => {
            let text = error.name().to_owned();
            let what = call(model, session, false, text, Ink::Bad, Some(Icon::Cross))?;
            Some((what, Vec::new()))
        }
        Fact::RecordsAcked { session, partition, first, count, base_offset, .. } => {
            let records = model.records(session, partition, first, count);
            let at = base_offset.map_or(String::new(), |offset| format!(" @{offset}"));
            let text = format!("{} {records}{at}", lang.say(Word::Acked));
            let what = call(model, session, false, text, Ink::Good, Some(Icon::Check))?;
            Some((what, vec![(session, partition, first, u64::from(count))]))
        }
        Fact::RecordsFailed { session, partition, first, count, error, .. } => {
            let records = model.records(session, partition, first, count);
            let text = format!("{records} {}", error.name());
            let what = call(model, session, false, text, Ink::Bad, Some(Icon::Cross))?;
            Some((what, vec![(session, partition, first, u64::from(count))]))
        }
        _ => transactional(model, fact).map(|what| (what, Vec::new())),
    }
}

/// The calls of a transactional producer and what they return.
fn transactional(model: &Model<'_>, fact: &Fact) -> Option<What> {
    let plain = |session, text| call(model, session, true, text, Ink::Plain, None);
    let icon = Some(Icon::Check);
    match *fact {
        Fact::TransactionsInitialized { session, producer_epoch, .. } => {
            let text = format!("initTransactions(): e{producer_epoch}");
            call(model, session, false, text, Ink::Good, icon)
        }
        Fact::TransactionBegun { session, .. } => plain(session, "beginTransaction()".to_owned()),
        Fact::OffsetsAddedToTransaction { session, partition, offset, .. } => {
            let name = model.namer.names().partition(partition);
            let text = format!("sendOffsetsToTransaction() {name} → {offset}");
            call(model, session, false, text, Ink::Good, icon)
        }
        Fact::TransactionEnding { session, result, .. } => {
            plain(session, format!("{}Transaction()", result.word()))
        }
        Fact::TransactionEnded { session, result, .. } => {
            let ink = match result {
                TransactionResult::Commit => Ink::Good,
                TransactionResult::Abort => Ink::Bad,
            };
            call(model, session, false, format!("{}Transaction()", result.word()), ink, icon)
        }
        Fact::TransactionCallFailed { session, call: which, error, .. } => {
            let text = format!("{}: {}", method(which), error.name());
            call(model, session, false, text, Ink::Bad, Some(Icon::Cross))
        }
        _ => None,
    }
}

/// A transactional call as Kafka names it.
pub(crate) const fn method(call: TransactionCall) -> &'static str {
    match call {
        TransactionCall::Init => "initTransactions()",
        TransactionCall::Begin => "beginTransaction()",
        TransactionCall::Send => "send()",
        TransactionCall::SendOffsets => "sendOffsetsToTransaction()",
        TransactionCall::Commit => "commitTransaction()",
        TransactionCall::Abort => "abortTransaction()",
    }
}

fn call(
    model: &Model<'_>,
    session: SessionId,
    inward: bool,
    text: String,
    ink: Ink,
    icon: Option<Icon>,
) -> Option<What> {
    let client = model.namer.client_of(session)?;
    let (app, producer) = (Place::App(client), Place::Producer(client));
    let (from, to) = if inward { (app, producer) } else { (producer, app) };
    Some(What::Call { from, to, text, ink, icon })
}
