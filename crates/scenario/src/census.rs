//! Who and what there is, looked up before anything else is read, so that one mistake in a
//! declaration is not reported again wherever the name is used.

use crate::document::{Node, Value};
use crate::internal;
use inflight_protocol::cluster::Coordinated;
use inflight_protocol::{BrokerId, ClientId, TopicId, TopicPartition, Topics};

/// The brokers, topics and clients that a document declares.
#[derive(Debug, Default)]
pub(crate) struct Census {
    /// `None` if the number cannot be read.
    brokers: Option<u8>,
    topics: Vec<TopicEntry>,
    /// Whether every declaration could be read.
    topics_are_clear: bool,
    /// Names and numbers, if there is no doubt about them.
    numbers: Option<Topics>,
    producers: Vec<String>,
    producers_are_clear: bool,
    transactional_ids: Vec<String>,
    groups: Vec<String>,
    coordinated: Coordinated,
}

#[derive(Debug)]
struct TopicEntry {
    name: String,
    /// `None` if the number cannot be read. 0 for a topic that is missing.
    partitions: Option<u16>,
    replicas: ReplicaNumbers,
}

/// Which brokers have replicas of a topic, as far as it can be read.
#[derive(Debug)]
enum ReplicaNumbers {
    /// So many, placed in a circle.
    RoundRobin(u8),
    /// These, by partition.
    Explicit(Vec<Vec<u8>>),
    Unclear,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lookup<T> {
    /// This.
    Known(T),
    /// Nothing.
    Unknown,
    /// It cannot be said, because a declaration is wrong, which is reported there.
    Unclear,
}

impl Census {
    pub(crate) fn of(root: &Node) -> Self {
        let brokers = root.get("cluster").and_then(|cluster| cluster.get("brokers"));
        let brokers = brokers.and_then(Node::as_number).and_then(|number| number.parse().ok());
        let brokers = brokers.filter(|number| (1..=BrokerId::MAX).contains(number));
        let (topics, topics_are_clear) = named(root, "topics");
        let topics: Vec<TopicEntry> = topics
            .map(|(name, node)| TopicEntry {
                name: name.to_owned(),
                partitions: partitions(node),
                replicas: replicas(node),
            })
            .collect();
        let (producers, producers_are_clear) = named(root, "producers");
        let (consumers, consumers_are_clear) = named(root, "consumers");
        let producers = producers.chain(consumers).map(|(name, _)| name.to_owned()).collect();
        let producers_are_clear = producers_are_clear && consumers_are_clear;
        let transactional_ids = settings(
            root,
            &[("producers", &["config"]), ("consumers", &["transform", "config"])],
            "transactional.id",
        );
        let groups = settings(root, &[("consumers", &["config"])], "group.id");
        let mut numbers = if topics_are_clear { numbers(&topics) } else { None };
        let coordinated =
            numbers.as_mut().map(|topics| internal::add(topics, &transactional_ids, &groups));
        Self {
            brokers,
            topics,
            topics_are_clear,
            numbers,
            producers,
            producers_are_clear,
            transactional_ids,
            groups,
            coordinated: coordinated.unwrap_or_default(),
        }
    }

    /// The transactional ids, in the order in which they come.
    pub(crate) fn transactional_ids(&self) -> &[String] {
        &self.transactional_ids
    }

    /// The partition of an internal topic that a transactional id or a group belongs to.
    pub(crate) fn coordinated(&self, name: &str) -> Option<TopicPartition> {
        let Coordinated { transactional_ids, groups } = &self.coordinated;
        let found = transactional_ids.iter().chain(groups).find(|(known, _)| known == name);
        found.map(|(_, partition)| *partition)
    }

    /// The names of everything that has a coordinator.
    pub(crate) fn coordinated_names(&self) -> impl Iterator<Item = &str> + Clone {
        self.transactional_ids.iter().chain(&self.groups).map(String::as_str)
    }

    /// The groups, in the order in which they come.
    pub(crate) fn groups(&self) -> &[String] {
        &self.groups
    }

    /// How many brokers.
    pub(crate) const fn brokers(&self) -> Option<u8> {
        self.brokers
    }

    pub(crate) fn broker(&self, number: u64) -> Lookup<BrokerId> {
        let broker = u8::try_from(number).ok().filter(|n| (1..=BrokerId::MAX).contains(n));
        match (broker, self.brokers) {
            (Some(number), Some(brokers)) if number <= brokers => {
                Lookup::Known(BrokerId::new(number))
            }
            (Some(_), None) => Lookup::Unclear,
            (Some(_) | None, _) => Lookup::Unknown,
        }
    }

    pub(crate) fn topic(&self, name: &str) -> Lookup<TopicId> {
        let index = self.topics.iter().position(|topic| topic.name == name);
        match index.and_then(|index| u16::try_from(index).ok()) {
            Some(index) => Lookup::Known(TopicId::new(index)),
            None if self.topics_are_clear => Lookup::Unknown,
            None => Lookup::Unclear,
        }
    }

    /// How many partitions a topic has, if that can be read.
    pub(crate) fn partition_count(&self, topic: TopicId) -> Option<u16> {
        self.topics.get(topic.index())?.partitions
    }

    /// The partition of this name: topic, hyphen, number.
    pub(crate) fn partition(&self, text: &str) -> Lookup<TopicPartition> {
        let numbers = self.numbers.as_ref();
        if let Some(internal) =
            numbers.filter(|_| text.starts_with("__")).and_then(|t| t.parse(text))
        {
            return Lookup::Known(internal);
        }
        let Some((name, number)) = text.rsplit_once('-') else { return Lookup::Unknown };
        let topic = match self.topic(name) {
            Lookup::Known(topic) => topic,
            Lookup::Unknown => return Lookup::Unknown,
            Lookup::Unclear => return Lookup::Unclear,
        };
        let Ok(number) = number.parse() else { return Lookup::Unknown };
        let numbered = self.numbers.as_ref().map(|topics| topics.partition(topic, number));
        match (numbered, self.partition_count(topic)) {
            (Some(Some(partition)), _) => Lookup::Known(partition),
            (_, Some(count)) if number >= count => Lookup::Unknown,
            (Some(None) | None, _) => Lookup::Unclear,
        }
    }

    /// The replicas of a partition, the preferred leader first, if they can be read.
    pub(crate) fn replicas(&self, partition: TopicPartition) -> Option<Vec<u8>> {
        let (topic, number) = self.numbers.as_ref()?.split(partition);
        match &self.topics.get(topic.index())?.replicas {
            ReplicaNumbers::RoundRobin(factor) => {
                let (factor, brokers) = (u64::from(*factor), u64::from(self.brokers?));
                let broker = |place| (u64::from(number) + place) % brokers + 1;
                (0..factor).map(|place| u8::try_from(broker(place)).ok()).collect()
            }
            ReplicaNumbers::Explicit(all) => all.get(usize::from(number)).cloned(),
            ReplicaNumbers::Unclear => None,
        }
    }

    pub(crate) fn producer(&self, name: &str) -> Lookup<ClientId> {
        let index = self.producers.iter().position(|producer| producer == name);
        match index.and_then(|index| u16::try_from(index).ok()) {
            Some(index) => Lookup::Known(ClientId::new(index)),
            None if self.producers_are_clear => Lookup::Unknown,
            None => Lookup::Unclear,
        }
    }

    pub(crate) fn topic_names(&self) -> impl Iterator<Item = &str> + Clone {
        self.topics.iter().map(|topic| topic.name.as_str())
    }

    pub(crate) fn producer_names(&self) -> impl Iterator<Item = &str> + Clone {
        self.producers.iter().map(String::as_str)
    }

    /// The names of all partitions, or of so many that a message has enough of them.
    pub(crate) fn partition_names(&self) -> Vec<String> {
        const MAX: u16 = 64;
        let names = |topic: &TopicEntry| {
            let (name, count) = (topic.name.clone(), topic.partitions.unwrap_or(0).min(MAX));
            (0..count).map(move |number| format!("{name}-{number}"))
        };
        self.topics.iter().flat_map(names).collect()
    }

    /// The names of all brokers.
    pub(crate) fn broker_names(&self) -> Vec<String> {
        (1..=self.brokers.unwrap_or(0)).map(|number| format!("b{number}")).collect()
    }
}

/// The elements of a list with their names, and whether each has one.
fn named<'n>(root: &'n Node, key: &str) -> (impl Iterator<Item = (&'n str, &'n Node)>, bool) {
    let list = root.get(key);
    let elements = list.and_then(Node::elements).unwrap_or_default();
    let name = |node: &'n Node| node.get("name").and_then(Node::as_text).map(|name| (name, node));
    let clear = match list {
        None => true,
        Some(list) => list.elements().is_some() && elements.iter().all(|node| name(node).is_some()),
    };
    (elements.iter().filter_map(name), clear)
}

/// The values of a setting of Kafka's in a `config` of the elements of these lists, each once.
fn settings(root: &Node, lists: &[(&str, &[&str])], setting: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (key, path) in lists {
        let elements = root.get(key).and_then(Node::elements).unwrap_or_default();
        let config = |element| path.iter().try_fold(element, |node: &Node, key| node.get(key));
        for config in elements.iter().filter_map(config) {
            let value = config.get(setting).and_then(Node::as_text);
            if let Some(value) = value.filter(|value| !found.iter().any(|known| known == value)) {
                found.push(value.to_owned());
            }
        }
    }
    found
}

fn partitions(topic: &Node) -> Option<u16> {
    let missing = topic.get("missing").map(|node| &node.value);
    if missing == Some(&Value::Bool(true)) {
        return Some(0);
    }
    if let Some(assignment) = topic.get("assignment") {
        return u16::try_from(assignment.elements()?.len()).ok();
    }
    match topic.get("partitions") {
        None => Some(1),
        Some(node) => node.as_number()?.parse().ok().filter(|count| *count > 0),
    }
}

fn replicas(topic: &Node) -> ReplicaNumbers {
    let number = |node: &Node| {
        let text = node.as_number().or_else(|| node.as_text()?.strip_prefix('b'));
        text.and_then(|text| text.parse().ok())
    };
    let list = |node: &Node| node.elements()?.iter().map(number).collect();
    let explicit = topic.get("assignment").map(|assignment| {
        let all: Option<Vec<Vec<u8>>> =
            assignment.elements().and_then(|lists| lists.iter().map(list).collect());
        all.map_or(ReplicaNumbers::Unclear, ReplicaNumbers::Explicit)
    });
    let factor = || topic.get("replication").and_then(number);
    explicit.or_else(|| factor().map(ReplicaNumbers::RoundRobin)).unwrap_or(ReplicaNumbers::Unclear)
}

fn numbers(topics: &[TopicEntry]) -> Option<Topics> {
    let counts: Option<Vec<u16>> = topics.iter().map(|topic| topic.partitions).collect();
    let counts = counts?;
    let total: u64 = counts.iter().map(|count| u64::from(*count)).sum();
    let fits = total <= u64::from(u16::MAX) && topics.len() <= usize::from(u16::MAX);
    let names = topics.iter().map(|topic| topic.name.clone());
    fits.then(|| Topics::new(names.zip(counts)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::parse;
    use crate::source::SourceId;

    fn census(text: &str) -> Census {
        Census::of(&parse(SourceId::default(), text).unwrap())
    }

    #[test]
    fn names_are_known_unknown_or_unclear() {
        let census = census(
            r#"{ "cluster": { "brokers": 2 }, "producers": [{ "name": "p1" }, { "name": 3 }],
                 "topics": [{ "name": "a", "partitions": 2 }, { "name": "b", "missing": true }] }"#,
        );
        assert_eq!(census.broker(2), Lookup::Known(BrokerId::new(2)));
        assert_eq!(census.broker(3), Lookup::Unknown);
        assert_eq!(census.partition("a-1"), Lookup::Known(TopicPartition::new(1)));
        assert_eq!(census.partition("a-2"), Lookup::Unknown);
        assert_eq!(census.partition("b-0"), Lookup::Unknown);
        assert_eq!(census.producer("p1"), Lookup::Known(ClientId::new(0)));
        assert_eq!(census.producer("p2"), Lookup::Unclear, "one producer has no name");
    }

    #[test]
    fn a_doubtful_declaration_makes_its_names_unclear() {
        let census = census(r#"{ "topics": [{ "name": "a", "partitions": "many" }] }"#);
        assert_eq!(census.topic("a"), Lookup::Known(TopicId::new(0)));
        assert_eq!(census.partition("a-0"), Lookup::Unclear);
        assert_eq!(census.broker(1), Lookup::Unclear);
        assert_eq!(census.broker(65), Lookup::Unknown);
    }
}
