//! Batches that were late and ended with another transaction.

use super::{Marker, Story, Trail, open_at};
use crate::explain::cause::Cause;
use crate::explain::mechanism::Mechanism;
use crate::runs::Run;
use inflight_des::Instant;
use inflight_protocol::Fact;
use inflight_protocol::fact::AppendOrigin;
use inflight_protocol::ids::{SessionId, TopicPartition};

/// The batch that was late and made a marker end two transactions. The trail is that of a record of
/// one of them; the batch may be of the other.
pub(super) fn joined(
    facts: &[(Instant, Fact)],
    (story, trail): (&Story, &Trail),
    marker: Marker,
) -> Option<Cause> {
    let Fact::MarkerAppended { first_offset: Some(from), offset: to, .. } =
        facts.get(marker.index)?.1
    else {
        return None;
    };
    let before = facts.get(..marker.index)?.iter().enumerate();
    let late = before.rev().find(|(index, (_, fact))| match *fact {
        Fact::BatchAppended {
            partition,
            base_offset,
            session,
            first,
            producer_epoch: Some(epoch),
            origin: AppendOrigin::Client,
            ..
        } if (partition, session) == (trail.record.partition, story.name.session) => {
            (from..to).contains(&base_offset)
                && story_of(facts, session, partition, first)
                    .is_some_and(|story| story.has_joined((*index, epoch), marker.index))
        }
        _ => false,
    })?;
    Some(Cause { mechanism: Mechanism::LateBatchJoined, decisive: Some(late.0) })
}

/// What happened to the transaction in which a record was queued.
fn story_of(
    facts: &[(Instant, Fact)],
    session: SessionId,
    partition: TopicPartition,
    record: u64,
) -> Option<Story> {
    let queued = facts.iter().position(|(_, fact)| match *fact {
        Fact::RecordsQueued { session: s, partition: p, first, count, .. } => {
            (s, p) == (session, partition) && Run::of(first, u64::from(count)).contains(record)
        }
        _ => false,
    })?;
    Story::of(facts, open_at(facts, session, queued)?)
}
