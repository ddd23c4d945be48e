//! When a leader took a producer's batch before the first one.

use inflight_des::Instant;
use inflight_protocol::fact::AppendOrigin;
use inflight_protocol::ids::{ProducerEpoch, ProducerId, SessionId, TopicPartition};
use inflight_protocol::{Fact, Sequence};

/// When a leader that had nothing of a session's producer epoch took a batch of it that is not the
/// first one, before a fact.
pub(super) fn took_later_batch_first(
    facts: &[(Instant, Fact)],
    session: SessionId,
    partition: TopicPartition,
    before: usize,
) -> Option<usize> {
    let mut known: Vec<(Option<ProducerId>, Option<ProducerEpoch>)> = Vec::new();
    facts.iter().take(before).position(|(_, fact)| match *fact {
        Fact::BatchAppended {
            partition: p,
            session: s,
            producer_id: id @ Some(_),
            producer_epoch: epoch,
            sequence: Some(sequence),
            origin: AppendOrigin::Client,
            ..
        } if (p, s) == (partition, session) => {
            let is_known = known.contains(&(id, epoch));
            known.push((id, epoch));
            !is_known && sequence != Sequence::ZERO
        }
        _ => false,
    })
}
