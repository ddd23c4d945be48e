//! Markers that a coordinator left out: of the offsets that a transaction sent, and of its messages.

use super::Story;
use crate::explain::cause::Cause;
use crate::explain::mechanism::Mechanism;
use crate::verdict::{Aspect, TransactionName};
use inflight_des::Instant;
use inflight_protocol::transaction::CONSUMER_OFFSETS_TOPIC;
use inflight_protocol::{Fact, TopicPartition, TransactionResult};
use inflight_trace::Description;

/// When the coordinator left out the marker of the offsets that a transaction sent.
pub(super) fn of_offsets(
    description: &Description,
    facts: &[(Instant, Fact)],
    name: TransactionName,
) -> Option<Cause> {
    let story = Story::of(facts, name)?;
    let mut own = story.own_skipped(facts);
    let (_, index, _) = own.find(|(partition, ..)| is_offsets(description, *partition))?;
    Some(Cause { mechanism: Mechanism::MarkerSkipped, decisive: Some(index) })
}

/// The marker that the coordinator left out of a transaction whose work is missing, or there twice.
pub(in crate::explain) fn of_work(
    description: &Description,
    facts: &[(Instant, Fact)],
    (name, aspect): (TransactionName, Aspect),
) -> Option<Cause> {
    let story = Story::of(facts, name)?;
    let mut own = story.own_skipped(facts);
    let found = own.find(|(partition, _, result)| {
        // Offsets that do not count bring the records again, as messages of an abort do that count
        // later. Messages that do not count are missing, as are records below such offsets.
        let repeats = match is_offsets(description, *partition) {
            true => TransactionResult::Commit,
            false => TransactionResult::Abort,
        };
        (*result == repeats) == (aspect == Aspect::Repeated)
    })?;
    Some(Cause { mechanism: Mechanism::MarkerSkipped, decisive: Some(found.1) })
}

fn is_offsets(description: &Description, partition: TopicPartition) -> bool {
    let topic = description.topic_of(partition);
    topic.is_some_and(|topic| topic.name == CONSUMER_OFFSETS_TOPIC)
}

impl Story {
    /// The markers of the transaction itself that the coordinator left out: the partition, when,
    /// and what they were to say.
    pub(super) fn own_skipped<'a>(
        &'a self,
        facts: &'a [(Instant, Fact)],
    ) -> impl Iterator<Item = (TopicPartition, usize, TransactionResult)> + 'a {
        let own = self.own_end().map_or(facts.len(), |decision| decision.index);
        let mut later = self.decisions.iter().map(|decision| decision.index);
        let next = later.find(|index| *index > own).unwrap_or(facts.len());
        let own = self.skipped.iter().filter(move |(_, at)| (own..next).contains(at));
        own.filter_map(|(partition, at)| match facts.get(*at)?.1 {
            Fact::MarkerSkipped { result, .. } => Some((*partition, *at, result)),
            _ => None,
        })
    }
}
