//! A whole scenario.

use super::consumer::check_protocols;
use super::limits::Limits;
use super::network::{Network, Nodes};
use super::{ArmedRules, ClusterPart, ConsumerPart, FaultPart, ProducerPart, TopicPart};
use crate::config::{Config, ProducerTable, TopicTable};
use crate::diagnostic::Diagnostic;
use crate::document::{Member, Node, quoted};
use crate::expectation::Expectations;
use crate::form::{Form, OneOrMore};
use crate::internal;
use crate::read::Reader;
use crate::schema::Schemas;
use inflight_protocol::config::keys::{producer_keys, topic_keys};
use inflight_protocol::{Cluster, Topics};
use inflight_sim::Setup;
use serde_json::{Value as Json, json};

object! {
    /// A story about a Kafka cluster and its clients: what they do, what goes wrong, and what
    /// comes out. Keys with dots are Kafka's; ours have hyphens.
    struct Scenario {
        /// What happens, in one line.
        "title" title: required String,
        /// What there is to learn from it.
        "teaches" teaches: optional OneOrMore<String>,
        /// The release of Kafka whose behaviour is simulated.
        "kafka" release: default Release = "\"4.4\"",
        /// The seed of everything that is drawn.
        "seed" seed: default u64 = "1",
        /// The brokers.
        "cluster" cluster: required ClusterPart,
        /// The topics.
        "topics" topics: required Vec<TopicPart>,
        /// The producers, and what applications do with them.
        "producers" producers: default Vec<ProducerPart> = "[]",
        /// The consumers, and what applications do with them.
        "consumers" consumers: default Vec<ConsumerPart> = "[]",
        /// The network between all of them.
        "network" network: optional Network,
        /// What goes wrong.
        "faults" faults: default Vec<FaultPart> = "[]",
        /// Limits of the run.
        "limits" limits: optional Limits,
        /// What must come out.
        "expect" expect: default Expectations = "{}",
        /// The one change that cures it.
        "fix" fix: optional FixPart,
        /// The schema that editors complete keys by.
        "$schema" _schema: optional String,
    }
}

/// A release of Kafka.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Release {
    /// 4.4
    #[default]
    V4_4,
}

impl Release {
    const fn word(self) -> &'static str {
        match self {
            Self::V4_4 => "4.4",
        }
    }
}

words! {
    /// A release of Kafka.
    "release" for Release {
        /// Kafka 4.4.
        "4.4" => Release::V4_4,
    }
}

object! {
    /// A change that cures what the scenario shows. It runs with the same seed and the same faults.
    struct Fix {
        /// Why it helps, as a sentence.
        "why" why: required String,
        /// What to change: a key of Kafka's, or a path into this file, to its new value.
        "set" set: required Changes,
        /// What must come out then.
        "expect" expect: default Expectations = "{}",
    }
}

/// Keys or paths with their new values.
#[derive(Clone, Debug)]
pub(crate) struct Changes(Vec<Member>);

impl Form for Changes {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match node.members() {
            Some(members) if !members.is_empty() => {
                for (index, member) in members.iter().enumerate() {
                    if members[..index].iter().any(|before| before.key == member.key) {
                        let problem = format!("{} stands here twice", quoted(&member.key));
                        reader.report(Diagnostic::error(member.key_place, problem));
                    }
                }
                Some(Self(members.to_vec()))
            }
            Some(_) | None => {
                reader.mismatch(node, "an object such as { \"enable.idempotence\": true }");
                None
            }
        }
    }

    fn schema(schemas: &mut Schemas) -> Json {
        let producer = Config::<ProducerTable>::schema(schemas);
        let topic = Config::<TopicTable>::schema(schemas);
        let value = |config: &Json, key: &str| {
            let config = config["$ref"].as_str().unwrap_or_default();
            let reference = format!("{config}/properties/{key}");
            let value = json!({ "anyOf": [{ "$ref": reference }, { "type": "null" }] });
            (key.to_owned(), value)
        };
        let topic_keys = topic_keys().map(|key| value(&topic, key.name));
        let keys = topic_keys.chain(producer_keys().map(|key| value(&producer, key.name)));
        let keys: serde_json::Map<String, Json> = keys.collect();
        json!({ "type": "object", "minProperties": 1, "properties": keys })
    }
}

/// A fix before it is applied.
#[derive(Clone, Debug)]
pub(crate) struct FixPart {
    pub(crate) why: String,
    pub(crate) set: Vec<Member>,
    pub(crate) expect: Expectations,
}

impl Form for FixPart {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Fix { why, set, expect } = Fix::read(node, reader)?;
        Some(Self { why, set: set.0, expect })
    }

    fn schema(schemas: &mut Schemas) -> Json {
        Fix::schema(schemas)
    }
}

/// More nodes than these make more links than a run has streams of luck for.
const NODES_MAX: usize = 128;
/// More threads than these likewise.
const THREADS_MAX: usize = 4_096;

impl Scenario {
    /// The setup of a run. What does not fit together is reported.
    pub(crate) fn setup(&self, root: &Node, reader: &mut Reader<'_>) -> Option<Setup> {
        let partitions: usize = self.topics.iter().map(|topic| topic.assignment.len()).sum();
        let threads: usize = self.producers.iter().map(|p| p.setup.threads.len()).sum();
        let clients = self.producers.len() + self.consumers.len();
        let nodes = 1 + usize::from(self.cluster.brokers) + clients;
        let mut limit = |key: &str, what: &str, number: usize, most: usize| {
            if number > most {
                let place = root.get(key).map_or(root.place, |node| node.place);
                let problem = Diagnostic::error(place, format!("{number} {what}"));
                let problem = problem.expected(format!("at most {most}"));
                reader.within(key, |reader| reader.report(problem));
            }
        };
        limit("topics", "partitions in all", partitions, usize::from(u16::MAX));
        limit("producers", "brokers and clients together with the controller", nodes, NODES_MAX);
        limit("producers", "threads", threads, THREADS_MAX);
        let network = match &self.network {
            Some(network) => network.clone(),
            None => Network::common(reader)?,
        };
        check_protocols(&self.consumers, reader);
        let (budget, settle) = Limits::complete(self.limits.as_ref());
        if reader.has_errors() {
            return None;
        }
        let brokers = u16::from(self.cluster.brokers);
        let clients = u16::try_from(clients).ok()?;
        Some(Setup {
            title: self.title.clone(),
            cluster: self.cluster(reader)?,
            network: network.complete(Nodes { brokers, clients }),
            clients: (self.producers.iter().map(|producer| &producer.setup))
                .chain(self.consumers.iter().map(|consumer| &consumer.setup))
                .cloned()
                .collect(),
            faults: ArmedRules::number(&self.faults),
            budget,
            settle,
        })
    }

    fn cluster(&self, reader: &Reader<'_>) -> Option<Cluster> {
        let counts: Option<Vec<u16>> =
            self.topics.iter().map(|topic| u16::try_from(topic.assignment.len()).ok()).collect();
        let names = self.topics.iter().map(|topic| topic.name.value.clone());
        let mut topics = Topics::new(names.zip(counts?));
        let census = reader.census;
        let coordinated = internal::add(&mut topics, census.transactional_ids(), census.groups());
        let mut assignments: Vec<_> =
            self.topics.iter().flat_map(|topic| topic.assignment.iter().cloned()).collect();
        let mut topic_configs: Vec<_> = self.topics.iter().map(|topic| topic.config).collect();
        for topic in topics.ids().skip(self.topics.len()) {
            topic_configs.push(self.cluster.internal_topic(topics.name(topic), reader));
            let partitions = topics.partitions(topic);
            assignments.extend(partitions.map(|id| self.cluster.internal_replicas(&topics, id)));
        }
        Some(Cluster {
            brokers: self.cluster.brokers,
            broker_configs: self.cluster.configs.clone(),
            topics,
            topic_configs,
            assignments,
            eligible_leader_replicas: self.cluster.eligible_leader_replicas,
            transaction_version: self.cluster.transaction_version,
            coordinated,
            defects: self.cluster.planted(),
        })
    }

    /// The release of Kafka, as it is written.
    pub(crate) const fn kafka(&self) -> &'static str {
        self.release.word()
    }
}

/// Names of topics are different from one another, and so are those of producers and consumers.
pub(crate) fn check_names(root: &Node, reader: &mut Reader<'_>) {
    for (lists, noun) in [(&["topics"][..], "topic"), (&["producers", "consumers"], "client")] {
        let mut known = Vec::new();
        for key in lists {
            let elements = root.get(key).and_then(Node::elements).unwrap_or_default();
            for (index, element) in elements.iter().enumerate() {
                let Some(node) = element.get("name") else { continue };
                let Some(own) = node.as_text() else { continue };
                if !known.contains(&own) {
                    known.push(own);
                    continue;
                }
                let problem = format!("a second {noun} called {}", quoted(own));
                let twice = Diagnostic::error(node.place, problem).expected("another name");
                reader.within(key, |reader| {
                    reader.at(index, |reader| reader.within("name", |reader| reader.report(twice)));
                });
            }
        }
    }
}
