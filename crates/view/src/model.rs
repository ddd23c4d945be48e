//! What a recording says, put in order for drawing: who sent which records in which request, what
//! each log held when, what applications were told.

pub(crate) mod classify;
pub(crate) mod latency;
pub(crate) mod letters;
pub(crate) mod logs;
pub(crate) mod messages;
pub(crate) mod requests;

use crate::Story;
use inflight_des::Instant;
use inflight_protocol::Fact;
use inflight_protocol::ids::{ProducerEpoch, ProducerId, SessionId, TopicPartition};
use inflight_trace::Namer;
use letters::Letters;
use messages::Messages;
use requests::Requests;

/// A story with everything that several kinds of pictures ask for.
pub(crate) struct Model<'a> {
    pub(crate) story: Story<'a>,
    pub(crate) namer: Namer,
    pub(crate) letters: Letters,
    pub(crate) messages: Messages,
    pub(crate) requests: Requests,
    /// By fact: whether it writes a copy or a record out of order.
    pub(crate) odd: classify::Odd,
}

impl<'a> Model<'a> {
    pub(crate) fn new(story: Story<'a>) -> Self {
        let namer = Namer::of(story.description, story.facts);
        let letters = Letters::of(story.facts, &namer);
        let messages = Messages::of(story.facts);
        let requests = Requests::of(story.facts, &namer, &messages);
        let odd = classify::Odd::of(story.facts, &letters);
        Self { story, namer, letters, messages, requests, odd }
    }

    pub(crate) const fn facts(&self) -> &'a [(Instant, Fact)] {
        self.story.facts
    }

    pub(crate) fn at(&self, index: usize) -> Instant {
        self.story.facts.get(index).map_or(Instant::START, |(at, _)| *at)
    }

    /// The facts that decide findings, each once.
    pub(crate) fn decisive(&self) -> Vec<usize> {
        let findings = self.story.report.explanations.iter();
        let decisive = findings.filter_map(|found| found.finding.decisive);
        let mut list: Vec<usize> =
            decisive.filter_map(|fact| usize::try_from(fact.index).ok()).collect();
        list.sort_unstable();
        list.dedup();
        list
    }

    /// The partition that the picture is about: that of the first finding, or the first with records.
    pub(crate) fn partition(&self) -> TopicPartition {
        let findings = self.story.report.explanations.iter();
        let found = findings.flat_map(|found| &found.finding.records).map(|of| of.partition).next();
        let queued = self.facts().iter().find_map(|(_, fact)| match fact {
            Fact::RecordsQueued { partition, .. } => Some(*partition),
            _ => None,
        });
        found.or(queued).unwrap_or_default()
    }

    /// How many partitions there are, without those of internal topics.
    pub(crate) fn partitions(&self) -> usize {
        let topics = self.story.description.topics.iter();
        let ours = topics.filter(|topic| !topic.name.starts_with("__"));
        ours.map(|topic| topic.replicas.len()).sum()
    }

    /// A partition's name where there are several, with a space behind it.
    pub(crate) fn where_to(&self, partition: TopicPartition) -> String {
        match self.partitions() {
            0 | 1 => String::new(),
            _ => format!("{} ", self.namer.names().partition(partition)),
        }
    }

    /// The name of a partition that is none of these, with a space behind it.
    pub(crate) fn where_to_elsewhere(
        &self,
        partition: TopicPartition,
        known: &[TopicPartition],
    ) -> String {
        match known {
            [one] if *one == partition => String::new(),
            _ => format!("{} ", self.namer.names().partition(partition)),
        }
    }

    /// Records by their letters, in brackets.
    pub(crate) fn records(
        &self,
        session: SessionId,
        partition: TopicPartition,
        first: u64,
        count: u32,
    ) -> String {
        format!("[{}]", self.letters.run(session, partition, first, u64::from(count)))
    }

    /// The client that writes under a producer id and epoch: the one that was initialised last with
    /// an epoch that is not above it, since epochs are raised on the way.
    pub(crate) fn writer(&self, wanted: ProducerId, epoch: ProducerEpoch) -> Option<String> {
        let of = |(_, fact): &(Instant, Fact)| match *fact {
            Fact::ProducerIdAssigned { session, producer_id, producer_epoch }
            | Fact::TransactionsInitialized { session, producer_id, producer_epoch, .. }
                if producer_id == wanted && producer_epoch <= epoch =>
            {
                self.namer.client_of(session)
            }
            _ => None,
        };
        let client = self.facts().iter().filter_map(of).next_back()?;
        Some(self.namer.names().client(client))
    }

    /// Whether a partition belongs to an internal topic.
    pub(crate) fn is_internal(&self, partition: TopicPartition) -> bool {
        let topic = self.story.description.topic_of(partition);
        topic.is_some_and(|topic| topic.name.starts_with("__"))
    }

    /// A setting of a client in milliseconds, as the description has it.
    pub(crate) fn millis(&self, session: SessionId, key: &str) -> Option<u64> {
        let client = self.story.description.client(self.namer.client_of(session)?)?;
        let (_, text) = client.config.iter().find(|(known, _)| known == key)?;
        text.parse().ok()
    }
}
