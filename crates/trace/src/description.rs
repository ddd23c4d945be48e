//! What a reader must know of a setup to judge and draw a run from its facts alone.
//!
//! Names, replica assignments and the settings that decide what is promised. Settings carry
//! Kafka's own keys in the file.

mod consumer;

pub use consumer::{CommitStyle, ConsumerDescription};

use inflight_protocol::{Acks, BrokerId, BrokerSet, ClientId, Cluster, TopicPartition, Topics};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// The version of the file format that this crate writes and reads.
pub const FORMAT: u32 = 1;

/// The setup of a run, as far as readers of facts need it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// The scenario's title.
    pub title: String,
    /// The seed of the run.
    pub seed: u64,
    /// The version of the file format, [`FORMAT`].
    pub format: u32,
    /// The version of the program that ran it.
    pub program: String,
    /// The Kafka release whose behaviour was simulated.
    pub kafka: String,
    /// How many brokers; they are numbered from 1.
    pub brokers: u8,
    /// The topics, in the order of the setup.
    pub topics: Vec<TopicDescription>,
    /// Whether eligible leader replicas (KIP-966) are on.
    #[serde(rename = "eligible.leader.replicas")]
    pub eligible_leader_replicas: bool,
    /// producer.id.expiration.ms of the brokers.
    #[serde(rename = "producer.id.expiration.ms")]
    pub producer_id_expiration_ms: u64,
    /// The clients, in the order of the setup.
    pub clients: Vec<ClientDescription>,
    /// The transactional ids, in the order of the setup.
    #[serde(rename = "transactional.ids", default, skip_serializing_if = "Vec::is_empty")]
    pub transactional_ids: Vec<String>,
    /// The consumer groups, in the order of the setup.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// The level of the feature transaction.version.
    #[serde(rename = "transaction.version", default, skip_serializing_if = "Option::is_none")]
    pub transaction_version: Option<u8>,
    /// transaction.partition.verification.enable of the brokers. Kafka's default is true.
    #[serde(
        rename = "transaction.partition.verification.enable",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub transaction_partition_verification_enable: Option<bool>,
    /// transaction.abort.timed.out.transaction.cleanup.interval.ms of the brokers. Kafka's default
    /// is 10 s.
    #[serde(
        rename = "transaction.abort.timed.out.transaction.cleanup.interval.ms",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub transaction_cleanup_interval_ms: Option<u64>,
    /// What each fault of the scenario does, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
    /// The rules broken on purpose, by name. Empty in any honest run.
    pub defects: Vec<String>,
}

/// A topic of a setup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopicDescription {
    /// Its name.
    pub name: String,
    /// The replicas of each partition, the preferred leader first. A topic without partitions does
    /// not exist in the cluster; clients may ask for it all the same.
    pub replicas: Vec<Vec<u8>>,
    /// The numbers of the partitions, if they are not 0, 1, 2: of an internal topic only those
    /// partitions exist here that something belongs to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub numbers: Vec<u16>,
    /// min.insync.replicas
    #[serde(rename = "min.insync.replicas")]
    pub min_insync_replicas: u32,
    /// unclean.leader.election.enable
    #[serde(rename = "unclean.leader.election.enable")]
    pub unclean_leader_election_enable: bool,
}

/// A client of a setup: the program around a producer, a consumer or both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientDescription {
    /// Its name.
    pub name: String,
    /// How the application uses its producer, in a word.
    pub style: String,
    /// Whether the application sends a message again when it is told that it failed.
    #[serde(rename = "resends.on.error")]
    pub resends_on_error: bool,
    /// acks
    #[serde(with = "acks_word")]
    pub acks: Acks,
    /// enable.idempotence
    #[serde(rename = "enable.idempotence")]
    pub enable_idempotence: bool,
    /// retries
    pub retries: u32,
    /// max.in.flight.requests.per.connection
    #[serde(rename = "max.in.flight.requests.per.connection")]
    pub max_in_flight: u32,
    /// delivery.timeout.ms
    #[serde(rename = "delivery.timeout.ms")]
    pub delivery_timeout_ms: u64,
    /// Every effective setting of the producer, as key and text.
    pub config: Vec<(String, String)>,
    /// Whether it has a producer. The settings of a producer mean nothing in a client without one.
    #[serde(default = "is_usual", skip_serializing_if = "Clone::clone")]
    pub produces: bool,
    /// transactional.id
    #[serde(rename = "transactional.id", default, skip_serializing_if = "Option::is_none")]
    pub transactional_id: Option<String>,
    /// transaction.timeout.ms
    #[serde(rename = "transaction.timeout.ms", default, skip_serializing_if = "Option::is_none")]
    pub transaction_timeout_ms: Option<u64>,
    /// Its consumer and how the application uses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumer: Option<ConsumerDescription>,
    /// The topics that it writes to, if they are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writes: Option<Vec<String>>,
    /// The topics that it reads, if they are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reads: Option<Vec<String>>,
}

/// What an old file does not say.
const fn is_usual() -> bool {
    true
}

impl Default for ClientDescription {
    /// A client with the defaults of Kafka 4.x and no name.
    fn default() -> Self {
        Self {
            name: String::new(),
            style: "fire and forget".to_owned(),
            resends_on_error: false,
            acks: Acks::All,
            enable_idempotence: true,
            retries: i32::MAX as u32,
            max_in_flight: 5,
            delivery_timeout_ms: 120_000,
            config: Vec::new(),
            produces: true,
            transactional_id: None,
            transaction_timeout_ms: None,
            consumer: None,
            writes: None,
            reads: None,
        }
    }
}

impl Description {
    /// A description of a cluster without clients: brokers, topics, assignments and their settings.
    pub fn of_cluster(title: impl Into<String>, seed: u64, cluster: &Cluster) -> Self {
        let topics = cluster.topics.ids().map(|topic| {
            let config = &cluster.topic_configs[topic.index()];
            let replicas = cluster.topics.partitions(topic);
            let brokers = |partition| cluster.replicas(partition).iter().map(|b| b.get()).collect();
            let number = |partition| cluster.topics.number(partition);
            let numbers: Vec<u16> = cluster.topics.partitions(topic).map(number).collect();
            let is_usual = numbers.iter().copied().eq(0..numbers.len() as u16);
            TopicDescription {
                name: cluster.topics.name(topic).to_owned(),
                replicas: replicas.map(brokers).collect(),
                numbers: if is_usual { Vec::new() } else { numbers },
                min_insync_replicas: config.min_insync_replicas,
                unclean_leader_election_enable: config.unclean_leader_election_enable,
            }
        });
        let configs = cluster.broker_configs.iter();
        let expirations = configs.clone().map(|config| config.producer_id_expiration);
        let intervals = configs.map(|config| {
            config.transaction_abort_timed_out_transaction_cleanup_interval.as_millis()
        });
        let is_transactional = !cluster.coordinated.transactional_ids.is_empty();
        Self {
            title: title.into(),
            seed,
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            brokers: cluster.brokers,
            topics: topics.collect(),
            eligible_leader_replicas: cluster.eligible_leader_replicas,
            producer_id_expiration_ms: expirations.map(|span| span.as_millis()).min().unwrap_or(0),
            transactional_ids: names(&cluster.coordinated.transactional_ids),
            groups: names(&cluster.coordinated.groups),
            transaction_version: is_transactional.then(|| cluster.transaction_version.level()),
            transaction_partition_verification_enable: is_transactional.then(|| {
                let mut configs = cluster.broker_configs.iter();
                configs.all(|config| config.transaction_partition_verification_enable)
            }),
            transaction_cleanup_interval_ms: intervals.max().filter(|_| is_transactional),
            ..Self::default()
        }
    }

    /// Names and numbers of topics and partitions. Call it after [`Description::validate`] on
    /// anything that was not made by this program.
    pub fn topic_names(&self) -> Topics {
        let mut topics = Topics::default();
        for topic in &self.topics {
            let count = topic.replicas.len().min(usize::from(u16::MAX)) as u16;
            if topic.numbers.is_empty() {
                topics.add(topic.name.clone(), count);
            } else {
                topics.add_sparse(topic.name.clone(), &topic.numbers);
            }
        }
        topics
    }

    /// How many partitions the topics have together.
    pub fn partitions(&self) -> usize {
        self.topics.iter().map(|topic| topic.replicas.len()).sum()
    }

    /// The topic of a partition.
    pub fn topic_of(&self, partition: TopicPartition) -> Option<&TopicDescription> {
        let mut rest = partition.index();
        self.topics.iter().find(|topic| {
            let here = rest < topic.replicas.len();
            rest = rest.saturating_sub(topic.replicas.len());
            here
        })
    }

    /// The replicas of a partition, the preferred leader first. Empty for an unknown partition.
    pub fn replicas(&self, partition: TopicPartition) -> &[u8] {
        self.topics
            .iter()
            .flat_map(|topic| &topic.replicas)
            .nth(partition.index())
            .map_or(&[], |replicas| replicas)
    }

    /// The replicas of a partition as a set.
    pub fn replica_set(&self, partition: TopicPartition) -> BrokerSet {
        let numbers = self.replicas(partition).iter();
        numbers.filter(|n| (1..=BrokerId::MAX).contains(*n)).map(|n| BrokerId::new(*n)).collect()
    }

    /// The client of this number.
    pub fn client(&self, client: ClientId) -> Option<&ClientDescription> {
        self.clients.get(client.index())
    }

    /// Whether names and numbers hold together, so that a run can be written with them.
    pub fn validate(&self) -> Result<(), DescriptionError> {
        if self.format != FORMAT {
            return Err(DescriptionError::Format(self.format));
        }
        if self.brokers > BrokerId::MAX {
            return Err(DescriptionError::Brokers(self.brokers));
        }
        if self.partitions() > usize::from(u16::MAX) {
            return Err(DescriptionError::Partitions(self.partitions()));
        }
        let mut names = BTreeSet::new();
        for topic in &self.topics {
            if !names.insert(&topic.name) {
                return Err(DescriptionError::TopicTwice(topic.name.clone()));
            }
            if !topic.numbers.is_empty() && topic.numbers.len() != topic.replicas.len() {
                return Err(DescriptionError::Numbers(topic.name.clone()));
            }
            let known = 1..=self.brokers;
            let mut all = topic.replicas.iter().flatten();
            if let Some(broker) = all.find(|broker| !known.contains(*broker)) {
                return Err(DescriptionError::Replica(topic.name.clone(), *broker));
            }
        }
        Ok(())
    }
}

fn names(of: &[(String, TopicPartition)]) -> Vec<String> {
    of.iter().map(|(name, _)| name.clone()).collect()
}

/// What is wrong with a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DescriptionError {
    /// The file format is another one.
    Format(u32),
    /// More brokers than a set can hold.
    Brokers(u8),
    /// More partitions than can be numbered.
    Partitions(usize),
    /// Two topics have one name.
    TopicTwice(String),
    /// A topic has not as many numbers of partitions as partitions.
    Numbers(String),
    /// A topic has a replica on a broker that does not exist.
    Replica(String, u8),
}

impl fmt::Display for DescriptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format(found) => write!(f, "the format is {found}, this program reads {FORMAT}"),
            Self::Brokers(found) => write!(f, "{found} brokers, at most {}", BrokerId::MAX),
            Self::Partitions(found) => write!(f, "{found} partitions, at most {}", u16::MAX),
            Self::TopicTwice(name) => write!(f, "two topics are called \"{name}\""),
            Self::Numbers(name) => {
                write!(f, "\"{name}\" has not as many numbers as partitions")
            }
            Self::Replica(name, broker) => {
                write!(f, "a replica of \"{name}\" is on broker {broker}, which does not exist")
            }
        }
    }
}

impl std::error::Error for DescriptionError {}

/// acks as Kafka writes it.
mod acks_word {
    use super::Acks;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(super) fn serialize<S: Serializer>(acks: &Acks, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(super::acks_text(*acks))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Acks, D::Error> {
        match String::deserialize(from)?.as_str() {
            "0" => Ok(Acks::None),
            "1" => Ok(Acks::Leader),
            "all" => Ok(Acks::All),
            other => Err(D::Error::custom(format!("acks is \"{other}\", not 0, 1 or all"))),
        }
    }
}

/// acks as Kafka writes it: `0`, `1` or `all`.
pub const fn acks_text(acks: Acks) -> &'static str {
    match acks {
        Acks::None => "0",
        Acks::Leader => "1",
        Acks::All => "all",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description() -> Description {
        let topic = |name: &str, replicas: &[&[u8]]| TopicDescription {
            name: name.to_owned(),
            replicas: replicas.iter().map(|r| r.to_vec()).collect(),
            numbers: Vec::new(),
            min_insync_replicas: 2,
            unclean_leader_election_enable: false,
        };
        Description {
            title: "A test".to_owned(),
            format: FORMAT,
            brokers: 3,
            topics: vec![topic("orders", &[&[1, 2, 3], &[2, 3, 1]]), topic("empty", &[])],
            clients: vec![ClientDescription { name: "p1".to_owned(), ..Default::default() }],
            ..Description::default()
        }
    }

    #[test]
    fn a_description_reads_back() {
        let text = serde_json::to_string(&description()).unwrap();
        assert_eq!(serde_json::from_str::<Description>(&text).unwrap(), description());
        assert!(text.contains(r#""acks":"all""#), "{text}");
        assert!(text.contains(r#""min.insync.replicas":2"#), "{text}");
    }

    #[test]
    fn what_only_transactions_and_consumers_have_is_left_out_and_may_be_missing() {
        let text = serde_json::to_string(&description()).unwrap();
        for word in ["transaction", "consumer", "produces"] {
            assert!(!text.contains(word), "{text}");
        }
        let mut d = description();
        (d.transaction_version, d.transaction_cleanup_interval_ms) = (Some(1), Some(10_000));
        d.transaction_partition_verification_enable = Some(false);
        d.clients[0] = ClientDescription {
            produces: false,
            transactional_id: Some("t1".to_owned()),
            transaction_timeout_ms: Some(60_000),
            consumer: Some(ConsumerDescription {
                group: Some("g".to_owned()),
                commits: CommitStyle::CommitFirst,
                ..Default::default()
            }),
            ..d.clients[0].clone()
        };
        let text = serde_json::to_string(&d).unwrap();
        assert!(text.contains(r#""commits":"commit-first""#), "{text}");
        assert!(text.contains(r#""isolation.level":"read_uncommitted""#), "{text}");
        assert_eq!(serde_json::from_str::<Description>(&text).unwrap(), d);
    }

    #[test]
    fn partitions_have_topics_and_replicas() {
        let d = description();
        let p = TopicPartition::new;
        assert_eq!(d.replicas(p(1)), [2, 3, 1]);
        assert_eq!(d.topic_of(p(1)).unwrap().name, "orders");
        assert_eq!(d.topic_of(p(2)), None);
        assert!(d.replicas(p(2)).is_empty());
        assert_eq!(d.replica_set(p(0)).to_string(), "{1,2,3}");
        assert_eq!(d.partitions(), 2);
    }

    #[test]
    fn what_does_not_hold_together_is_refused() {
        let mut d = description();
        assert_eq!(d.validate(), Ok(()));
        d.topics[1].name = "orders".to_owned();
        assert_eq!(d.validate(), Err(DescriptionError::TopicTwice("orders".to_owned())));
        d = description();
        d.brokers = 2;
        assert_eq!(d.validate(), Err(DescriptionError::Replica("orders".to_owned(), 3)));
        d.format = 7;
        assert_eq!(d.validate(), Err(DescriptionError::Format(7)));
    }
}
