//! Transactions that are open in a partition and have no end.

use super::{Copy, Marker, Story};
use crate::explain::cause::Cause;
use crate::explain::mechanism::Mechanism;
use inflight_des::Instant;
use inflight_protocol::Fact;
use inflight_protocol::ids::{BrokerId, ProducerId, TopicPartition};
use inflight_protocol::transaction::TRANSACTION_STATE_TOPIC;
use inflight_trace::Description;

/// Why a copy of a record is in a transaction that nobody has ended.
pub(super) fn recognise(
    description: &Description,
    facts: &[(Instant, Fact)],
    (story, copy): (&Story, &Copy),
    ended: Option<Marker>,
) -> Cause {
    if story.is_late(copy.appended) {
        return Cause { mechanism: Mechanism::HangingTransaction, decisive: Some(copy.appended) };
    }
    let lost = ended.and_then(|marker| marker_lost(facts, marker));
    if let Some(index) = lost {
        return Cause { mechanism: Mechanism::MarkerLost, decisive: Some(index) };
    }
    let (mechanism, decisive) = match (forgotten(description, facts, story, copy), ended) {
        (Some(index), _) => (Mechanism::TransactionForgotten, index),
        (None, Some(marker)) => (Mechanism::Unknown, marker.index),
        (None, None) => (Mechanism::OpenTransaction, story.begun),
    };
    Cause { mechanism, decisive: Some(decisive) }
}

/// When the broker that wrote a marker cut it off again.
fn marker_lost(facts: &[(Instant, Fact)], marker: Marker) -> Option<usize> {
    let Fact::MarkerAppended { broker, partition, offset, .. } = facts.get(marker.index)?.1 else {
        return None;
    };
    let mut later = facts.iter().enumerate().skip(marker.index);
    later.find_map(|(index, (_, fact))| {
        let (who, of, to) = cut(fact)?;
        ((who, of) == (broker, partition) && to <= offset.get()).then_some(index)
    })
}

/// When a broker lost records of `__transaction_state`, if afterwards the transactional id got
/// another producer id although a transaction was open.
fn forgotten(
    description: &Description,
    facts: &[(Instant, Fact)],
    story: &Story,
    copy: &Copy,
) -> Option<usize> {
    let ours: ProducerId = copy.wire?.0;
    let renamed = facts.iter().skip(story.begun).position(|(_, fact)| match *fact {
        Fact::TransactionsInitialized { transactional_id, producer_id, .. } => {
            Some(transactional_id) == story.id && producer_id != ours
        }
        _ => false,
    })?;
    let between = facts.get(story.begun..story.begun + renamed)?.iter().enumerate();
    let is_state = |partition: TopicPartition| {
        let topic = description.topic_of(partition);
        topic.is_some_and(|topic| topic.name == TRANSACTION_STATE_TOPIC)
    };
    let mut lost =
        between.filter(|(_, (_, fact))| cut(fact).is_some_and(|(_, of, _)| is_state(of)));
    lost.next().map(|(index, _)| story.begun + index)
}

/// Who cut which log to which end.
fn cut(fact: &Fact) -> Option<(BrokerId, TopicPartition, u64)> {
    match *fact {
        Fact::LogTruncated { broker, partition, from, to, .. }
        | Fact::LogRecovered { broker, partition, from, to, .. } => {
            (to < from).then_some((broker, partition, to.get()))
        }
        _ => None,
    }
}
