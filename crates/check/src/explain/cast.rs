//! Who takes part in a story: the first of a finding's records, and the one that explains it.

use super::trail::{self, Copy, Record, Trail};
use crate::history::History;
use crate::read::FinalRead;
use crate::runs::Run;
use crate::verdict::{CheckerId, Finding, Records};
use inflight_des::Instant;
use inflight_protocol::{ClientId, Fact};
use inflight_trace::{Description, Namer};

/// A record with its trail.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) trail: Trail,
    /// The offset at which a reader finds it, if the finding is about that.
    offset: Option<u64>,
}

impl Part {
    /// The append that put the record where a reader finds it.
    pub(super) fn append(&self) -> Option<&Copy> {
        self.trail.append_at(self.offset?)
    }
}

/// The records of a story. The first is the finding's own.
pub(super) fn of(
    description: &Description,
    facts: &[(Instant, Fact)],
    finding: &Finding,
) -> Vec<Part> {
    let Some(Records { session, partition, run }) = finding.records.first().copied() else {
        return Vec::new();
    };
    let follow = |record| trail::follow(description, facts, record);
    let record = Record { session, partition, ordinal: run.start };
    let own = Part { trail: follow(record), offset: finding.offset };
    let other = match finding.checker {
        CheckerId::SessionOrder => finding.offset.and_then(|offset| {
            let (record, offset) = overtaker(description, facts, record, offset)?;
            Some(Part { trail: follow(record), offset: Some(offset) })
        }),
        CheckerId::MessageDuplicate | CheckerId::MessageOrder => {
            let record = same_message(description, facts, &own.trail);
            record.map(|record| Part { trail: follow(record), offset: None })
        }
        _ => None,
    };
    std::iter::once(own).chain(other).collect()
}

/// Of the records of the same lane that were sent later and lie before an offset, the one sent
/// first, with its offset.
fn overtaker(
    description: &Description,
    facts: &[(Instant, Fact)],
    late: Record,
    offset: u64,
) -> Option<(Record, u64)> {
    let mut read = FinalRead::default();
    read.take(&History::of(description, facts));
    let before = read.pieces(late.partition).iter().filter(|piece| {
        piece.session == late.session
            && piece.offset < offset
            && piece.run.end > late.ordinal.saturating_add(1)
    });
    let later = before.map(|piece| {
        let ordinal = piece.run.start.max(late.ordinal.saturating_add(1));
        (ordinal, piece.offset.saturating_add(ordinal - piece.run.start))
    });
    let (ordinal, offset) = later.min()?;
    Some((Record { ordinal, ..late }, offset))
}

/// Another record of the same message, by the same client.
fn same_message(
    description: &Description,
    facts: &[(Instant, Fact)],
    trail: &Trail,
) -> Option<Record> {
    let message = trail.message?;
    let namer = Namer::of(description, facts);
    let ours: Option<ClientId> = namer.client_of(trail.record.session);
    facts.iter().find_map(|(_, fact)| match *fact {
        Fact::RecordsQueued { session, partition, first, count, message: start, .. } => {
            let messages = Run::of(start, u64::from(count));
            let inside = (messages.start..messages.end).contains(&message);
            let ordinal = first.saturating_add(message.saturating_sub(start));
            let record = Record { session, partition, ordinal };
            (inside && namer.client_of(session) == ours && record != trail.record).then_some(record)
        }
        _ => None,
    })
}
