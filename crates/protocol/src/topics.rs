//! Names of topics and partitions, and the numbers that stand for them in a run.

use crate::ids::{TopicId, TopicPartition};
use std::fmt;
use std::ops::Range;

/// The topics of a setup. Partitions are numbered through: topic by topic, partition by partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics {
    names: Vec<String>,
    /// The number of the first partition of each topic, and one past the last of all.
    starts: Vec<u16>,
    /// What partitions of internal topics are called whose others are left out, in order.
    numbers: Vec<(TopicPartition, u16)>,
}

impl Default for Topics {
    /// No topic.
    fn default() -> Self {
        Self { names: Vec::new(), starts: vec![0], numbers: Vec::new() }
    }
}

impl Topics {
    /// From names and partition counts.
    pub fn new<S: Into<String>>(topics: impl IntoIterator<Item = (S, u16)>) -> Self {
        let mut all = Self::default();
        for (name, partitions) in topics {
            all.add(name, partitions);
        }
        all
    }

    /// Adds a topic.
    pub fn add(&mut self, name: impl Into<String>, partitions: u16) -> TopicId {
        let topic = TopicId::new(self.names.len() as u16);
        let end = (self.partitions_in_all() as u16).checked_add(partitions);
        self.names.push(name.into());
        self.starts.push(end.expect("a setup has at most 65535 partitions"));
        topic
    }

    /// Adds a topic of which only these partitions exist, in ascending order: an internal topic
    /// whose other partitions nobody uses.
    pub fn add_sparse(&mut self, name: impl Into<String>, numbers: &[u16]) -> TopicId {
        let topic = self.add(name, numbers.len() as u16);
        self.numbers
            .extend(self.partitions(topic).zip(numbers.iter().copied()).collect::<Vec<_>>());
        topic
    }

    /// The number that a partition is known by in its topic.
    pub fn number(&self, partition: TopicPartition) -> u16 {
        let known = self.numbers.binary_search_by_key(&partition, |(id, _)| *id);
        known.map_or_else(|_| self.split(partition).1, |index| self.numbers[index].1)
    }

    /// How many topics.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// How many partitions in all.
    pub fn partitions_in_all(&self) -> usize {
        self.starts.last().map_or(0, |end| usize::from(*end))
    }

    /// The ids of all topics.
    pub fn ids(&self) -> impl Iterator<Item = TopicId> {
        (0..self.names.len()).map(|index| TopicId::new(index as u16))
    }

    /// All partitions.
    pub fn all_partitions(&self) -> impl Iterator<Item = TopicPartition> {
        (0..self.partitions_in_all()).map(|index| TopicPartition::new(index as u16))
    }

    /// The partitions of a topic.
    pub fn partitions(&self, topic: TopicId) -> impl Iterator<Item = TopicPartition> {
        self.range(topic).map(TopicPartition::new)
    }

    /// How many partitions a topic has.
    #[inline]
    pub fn partition_count(&self, topic: TopicId) -> u16 {
        let range = self.range(topic);
        range.end - range.start
    }

    /// The numbers of a topic's partitions.
    #[inline]
    pub fn range(&self, topic: TopicId) -> Range<u16> {
        self.starts[topic.index()]..self.starts[topic.index() + 1]
    }

    /// A partition of a topic by its number there. `None` if the topic has fewer.
    #[inline]
    pub fn partition(&self, topic: TopicId, number: u16) -> Option<TopicPartition> {
        let range = self.range(topic);
        (number < range.end - range.start).then(|| TopicPartition::new(range.start + number))
    }

    /// The topic of a partition and the partition's number there.
    pub fn split(&self, partition: TopicPartition) -> (TopicId, u16) {
        let topic = self.starts.partition_point(|start| *start <= partition.get()) - 1;
        (TopicId::new(topic as u16), partition.get() - self.starts[topic])
    }

    /// The name of a topic.
    pub fn name(&self, topic: TopicId) -> &str {
        &self.names[topic.index()]
    }

    /// The topic of this name.
    pub fn topic(&self, name: &str) -> Option<TopicId> {
        let index = self.names.iter().position(|known| known == name)?;
        Some(TopicId::new(index as u16))
    }

    /// The partition written `topic-number`, as Kafka prints it.
    pub fn parse(&self, text: &str) -> Option<TopicPartition> {
        let (name, number) = text.rsplit_once('-')?;
        let (topic, number) = (self.topic(name)?, number.parse().ok()?);
        self.partitions(topic).find(|partition| self.number(*partition) == number)
    }

    /// A partition, to be printed as `topic-number`.
    pub fn display(&self, partition: TopicPartition) -> PartitionName<'_> {
        let topic = self.split(partition).0;
        PartitionName { topic: self.name(topic), number: self.number(partition) }
    }
}

/// Prints as `topic-number`.
#[derive(Clone, Copy, Debug)]
pub struct PartitionName<'a> {
    topic: &'a str,
    number: u16,
}

impl fmt::Display for PartitionName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_numbered_through_and_named_back() {
        let topics = Topics::new([("orders", 2), ("empty", 0), ("a-b", 3)]);
        let names: Vec<String> =
            topics.all_partitions().map(|p| topics.display(p).to_string()).collect();
        assert_eq!(names, ["orders-0", "orders-1", "a-b-0", "a-b-1", "a-b-2"]);
        for partition in topics.all_partitions() {
            assert_eq!(topics.parse(&topics.display(partition).to_string()), Some(partition));
        }
        assert_eq!(topics.parse("orders-2"), None);
        assert_eq!(topics.parse("nothing-0"), None);
        assert_eq!(topics.parse("orders"), None);
    }

    #[test]
    fn partitions_that_nobody_uses_are_left_out() {
        let mut topics = Topics::new([("orders", 2)]);
        let internal = topics.add_sparse("__transaction_state", &[7, 22]);
        let names: Vec<String> =
            topics.all_partitions().map(|p| topics.display(p).to_string()).collect();
        assert_eq!(
            names,
            ["orders-0", "orders-1", "__transaction_state-7", "__transaction_state-22"]
        );
        assert_eq!(topics.partition_count(internal), 2);
        for partition in topics.all_partitions() {
            assert_eq!(topics.parse(&topics.display(partition).to_string()), Some(partition));
        }
        assert_eq!(topics.parse("__transaction_state-0"), None);
    }
}
