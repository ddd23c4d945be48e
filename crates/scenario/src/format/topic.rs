//! The topics.

use super::who::Broker;
use crate::config::{Config, KafkaSettings, TopicTable};
use crate::diagnostic::Diagnostic;
use crate::document::Node;
use crate::form::{At, Form};
use crate::read::Reader;
use crate::schema::Schemas;
use crate::source::Place;
use inflight_protocol::{BrokerId, TopicConfig};
use serde_json::Value as Json;
use smallvec::SmallVec;

object! {
    /// A topic.
    struct Topic {
        /// Its name.
        "name" name: required At<String>,
        /// How many partitions it has.
        "partitions" partitions: optional At<u16>,
        /// The replication factor. Partition p has its preferred leader on broker 1 + p modulo the
        /// number of brokers, and its other replicas on the brokers after that.
        "replication" replication: optional At<u8>,
        /// The replicas of each partition, the preferred leader first, in place of `partitions`
        /// and `replication`: [["b1", "b2"], ["b2", "b3"]].
        "assignment" assignment: optional At<Vec<At<Vec<Broker>>>>,
        /// Kafka's topic settings.
        "config" config: optional At<Config<TopicTable>>,
        /// Whether the topic does not exist, although clients may ask for it.
        "missing" missing: default bool = "false",
    }
}

/// The replicas of a partition, the preferred leader first.
type Replicas = SmallVec<[BrokerId; 4]>;

/// A topic, with all settings complete.
#[derive(Clone, Debug)]
pub(crate) struct TopicPart {
    pub(crate) name: At<String>,
    pub(crate) assignment: Vec<Replicas>,
    pub(crate) config: TopicConfig,
}

impl Form for TopicPart {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let topic = Topic::read(node, reader);
        if topic.is_none() {
            let defaults = reader.topic_defaults;
            let read = |settings: &_| TopicConfig::from_settings(settings, &defaults);
            Config::<TopicTable>::check_alone(node, read, reader);
        }
        topic?.complete(node.place, reader)
    }

    fn schema(schemas: &mut Schemas) -> Json {
        Topic::schema(schemas)
    }
}

impl Topic {
    fn complete(self, place: Place, reader: &mut Reader<'_>) -> Option<TopicPart> {
        check_name(&self.name, reader);
        let none = KafkaSettings::default();
        let config_place = self.config.as_ref().map_or(place, |config| config.place);
        let settings = self.config.as_ref().map_or(&none, |config| &config.value.settings);
        let defaults = reader.topic_defaults;
        let config = reader.within("config", |reader| {
            let read = |settings: &_| TopicConfig::from_settings(settings, &defaults);
            settings.configure(config_place, read, reader)
        });
        let assignment = self.replicas(place, reader);
        Some(TopicPart { name: self.name, assignment: assignment?, config: config? })
    }

    fn replicas(&self, place: Place, reader: &mut Reader<'_>) -> Option<Vec<Replicas>> {
        let present = [
            ("partitions", self.partitions.as_ref().map(|at| at.place)),
            ("replication", self.replication.as_ref().map(|at| at.place)),
            ("assignment", self.assignment.as_ref().map(|at| at.place)),
        ];
        let first = |keys: &[&str]| {
            let has = |(key, place): &(&'static str, Option<Place>)| {
                place.filter(|_| keys.contains(key)).map(|place| (*key, place))
            };
            present.iter().find_map(has)
        };
        let clash = if self.missing {
            first(&["partitions", "replication", "assignment"])
                .map(|found| (found, "a topic that is missing"))
        } else if self.assignment.is_some() {
            first(&["partitions", "replication"]).map(|found| (found, "an assignment"))
        } else {
            None
        };
        if let Some(((key, place), beside)) = clash {
            let problem = Diagnostic::error(place, format!("\"{key}\" beside {beside}"));
            reader.within(key, |reader| reader.report(problem.expected("one of the two")));
            return None;
        }
        match (&self.assignment, &self.replication) {
            _ if self.missing => Some(Vec::new()),
            (Some(assignment), _) => {
                reader.within("assignment", |reader| explicit(assignment, reader))
            }
            (None, Some(replication)) => self.round_robin(replication, reader),
            (None, None) => {
                let opening = Place { end: place.start + 1, ..place };
                let missing = Diagnostic::error(opening, "\"replication\" is missing");
                reader.report(missing.expected("the replication factor, or an \"assignment\""));
                None
            }
        }
    }

    fn round_robin(&self, replication: &At<u8>, reader: &mut Reader<'_>) -> Option<Vec<Replicas>> {
        let partitions = self.partitions.as_ref().map_or(1, |partitions| partitions.value);
        if let Some(At { place, .. }) = self.partitions.as_ref().filter(|_| partitions == 0) {
            let zero = Diagnostic::error(*place, "0").expected("at least one partition");
            let zero = zero.hint("A topic that does not exist has \"missing\": true.");
            reader.within("partitions", |reader| reader.report(zero));
        }
        let brokers = reader.census.brokers()?;
        let factor = replication.value;
        if !(1..=brokers).contains(&factor) {
            let problem = format!("{factor} replicas on {brokers} broker{}", plural(brokers));
            let wrong = Diagnostic::error(replication.place, problem);
            let wrong = wrong.expected(format!("a whole number from 1 to {brokers}"));
            reader.within("replication", |reader| reader.report(wrong));
            return None;
        }
        let replica = |partition: u16, place: u8| {
            let index = (usize::from(partition) + usize::from(place)) % usize::from(brokers);
            BrokerId::from_index(index)
        };
        let replicas = |partition| (0..factor).map(|place| replica(partition, place)).collect();
        Some((0..partitions).map(replicas).collect())
    }
}

const fn plural(number: u8) -> &'static str {
    if number == 1 { "" } else { "s" }
}

/// Kafka's rules for assignments: no replica twice, and the same number for all partitions.
fn explicit(
    assignment: &At<Vec<At<Vec<Broker>>>>,
    reader: &mut Reader<'_>,
) -> Option<Vec<Replicas>> {
    let mut wrong = |place, problem: &str, expected: &str| {
        reader.report(Diagnostic::error(place, problem).expected(expected));
        None
    };
    let Some(first) = assignment.value.first() else {
        return wrong(assignment.place, "an empty list", "the replicas of at least one partition");
    };
    let mut all = Vec::new();
    for replicas in &assignment.value {
        let brokers: Replicas = replicas.value.iter().map(|broker| broker.0).collect();
        let twice = |(index, broker)| brokers[..index].contains(broker);
        if brokers.is_empty() {
            return wrong(replicas.place, "no replica", "at least one broker");
        }
        if brokers.iter().enumerate().any(twice) {
            return wrong(replicas.place, "a broker stands here twice", "different brokers");
        }
        if brokers.len() != first.value.len() {
            let expected = "as many as the first partition has, as Kafka does";
            return wrong(replicas.place, &format!("{} replicas", brokers.len()), expected);
        }
        all.push(brokers);
    }
    Some(all)
}

/// Kafka: common/internals/Topic.validate.
fn check_name(name: &At<String>, reader: &mut Reader<'_>) {
    const LENGTH_MAX: usize = 249;
    let text = &name.value;
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let expected = if text.is_empty() || text.len() > LENGTH_MAX {
        "1 to 249 characters"
    } else if text == "." || text == ".." {
        "a name other than . and .."
    } else if !text.chars().all(legal) {
        "letters of ASCII, digits, dot, underscore and hyphen, as Kafka does"
    } else {
        return;
    };
    let wrong = Diagnostic::error(name.place, crate::document::quoted(text)).expected(expected);
    reader.within("name", |reader| reader.report(wrong));
}
