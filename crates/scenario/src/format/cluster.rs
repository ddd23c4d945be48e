//! The brokers.

use super::broker::{Machine, Override};
use super::who::{Broker, coordinated};
use crate::config::{Config, KafkaSettings, ServerTable};
use crate::diagnostic::Diagnostic;
use crate::document::{Node, quoted};
use crate::form::{At, Form};
use crate::read::Reader;
use crate::schema::Schemas;
use inflight_des::Delay;
use inflight_protocol::config::ServerConfig;
use inflight_protocol::transaction::TRANSACTION_STATE_TOPIC;
use inflight_protocol::{
    BrokerConfig, BrokerId, Defect, Defects, TopicConfig, TopicPartition, Topics,
    TransactionVersion,
};
use serde_json::{Value as Json, json};
use smallvec::SmallVec;

object! {
    /// The brokers and what they are like.
    struct Cluster {
        /// How many brokers: b1, b2 and so on.
        "brokers" brokers: required At<u8>,
        /// Kafka's broker settings, for all brokers.
        "config" config: optional At<Config<ServerTable>>,
        /// Whether eligible leader replicas (KIP-966) are on, as in clusters made with Kafka 4.1
        /// or later.
        "eligible.leader.replicas" eligible_leader_replicas: default bool = "true",
        /// The level of the feature transaction.version: 2 as in clusters made with Kafka 4.0 or
        /// later, 0 or 1 for the protocol before KIP-890.
        "transaction.version" transaction_version: default TransactionVersion = "2",
        /// Which broker leads the partition of an internal topic that a transactional id or a
        /// group belongs to, and so coordinates it, as long as it can: names to brokers.
        "coordinators" coordinators: optional Coordinators,
        /// The time that a request keeps a request handler busy, besides its appends. A property
        /// of the machine, not a setting of Kafka's.
        "request-time" request_time: default Delay = "\"0ms\"",
        /// The time that the append of one batch takes. A property of the machine.
        "append-time" append_time: default Delay = "\"0ms\"",
        /// The time from a commit of the controller until a broker knows it, besides the network.
        /// A property of the machine.
        "metadata-time" metadata_time: default Delay = "\"0ms\"",
        /// What is different about single brokers: b1 to what it has of its own.
        "overrides" overrides: optional Overrides,
        /// Rules that are broken on purpose, to see a checker fire. None of them is a setting of
        /// Kafka's; an honest scenario has none.
        "defects" defects: default Vec<Defect> = "[]",
    }
}

/// What is different about single brokers.
#[derive(Clone, Debug)]
pub(crate) struct Overrides(Vec<(BrokerId, At<Override>)>);

impl Form for Overrides {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(members) = node.members() else {
            reader.mismatch(node, "an object with a key for each broker that is different");
            return None;
        };
        let mut list: Vec<(BrokerId, At<Override>)> = Vec::new();
        for member in members {
            let name = Node::text(member.key_place, member.key.as_str());
            reader.within(&member.key, |reader| {
                let broker = Broker::read(&name, reader);
                let own = At::read(&member.node, reader);
                let (Some(Broker(broker)), Some(own)) = (broker, own) else { return };
                if list.iter().any(|(known, _)| *known == broker) {
                    let problem = format!("{} stands here twice", quoted(&member.key));
                    return reader.report(Diagnostic::error(member.key_place, problem));
                }
                list.push((broker, own));
            });
        }
        Some(Self(list))
    }

    fn schema(schemas: &mut Schemas) -> Json {
        let own = Override::schema(schemas);
        json!({ "type": "object", "patternProperties": { "^b[1-9][0-9]*$": own },
                "additionalProperties": false })
    }
}

/// Which brokers coordinate what, as far as the scenario says it.
#[derive(Clone, Debug)]
pub(crate) struct Coordinators(Vec<(TopicPartition, BrokerId)>);

impl Form for Coordinators {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(members) = node.members() else {
            reader.mismatch(node, "an object: transactional ids and groups to brokers");
            return None;
        };
        let mut list: Vec<(TopicPartition, BrokerId)> = Vec::new();
        for member in members {
            reader.within(&member.key, |reader| {
                let Some(Broker(broker)) = Broker::read(&member.node, reader) else { return };
                let found = coordinated(&member.key, member.key_place, reader);
                let Some(partition) = found else { return };
                if list.iter().any(|(known, other)| *known == partition && *other != broker) {
                    let problem = "another coordinator for the same partition of an internal topic";
                    let problem = Diagnostic::error(member.key_place, problem);
                    return reader.report(problem.expected("the same broker, or another name"));
                }
                list.push((partition, broker));
            });
        }
        Some(Self(list))
    }

    fn schema(schemas: &mut Schemas) -> Json {
        json!({ "type": "object", "additionalProperties": Broker::schema(schemas) })
    }
}

impl Form for TransactionVersion {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let level = node.as_number().and_then(|number| number.parse().ok());
        let version = level.and_then(Self::of_level);
        if version.is_none() {
            reader.mismatch(node, "0, 1 or 2");
        }
        version
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "enum": [0, 1, 2] })
    }
}

/// The cluster, with all settings complete.
#[derive(Clone, Debug)]
pub(crate) struct ClusterPart {
    pub(crate) brokers: u8,
    pub(crate) configs: Vec<BrokerConfig>,
    pub(crate) eligible_leader_replicas: bool,
    pub(crate) transaction_version: TransactionVersion,
    /// Partitions of internal topics and who leads them.
    coordinators: Vec<(TopicPartition, BrokerId)>,
    pub(crate) defects: Vec<Defect>,
}

impl Form for ClusterPart {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let cluster = Cluster::read(node, reader);
        if cluster.is_none() {
            Config::<ServerTable>::check_alone(node, ServerConfig::from_settings, reader);
        }
        cluster?.complete(node, reader)
    }

    fn schema(schemas: &mut Schemas) -> Json {
        Cluster::schema(schemas)
    }

    fn expected() -> Option<&'static str> {
        Some("an object such as { \"brokers\": 3 }")
    }
}

impl Cluster {
    fn complete(self, node: &Node, reader: &mut Reader<'_>) -> Option<ClusterPart> {
        let brokers = self.brokers.value;
        if !(1..=BrokerId::MAX).contains(&brokers) {
            let wrong = Diagnostic::error(self.brokers.place, brokers.to_string());
            let wrong = wrong.expected(format!("a whole number from 1 to {}", BrokerId::MAX));
            reader.within("brokers", |reader| reader.report(wrong));
            return None;
        }
        let none = KafkaSettings::default();
        let place = self.config.as_ref().map_or(node.place, |config| config.place);
        let settings = self.config.as_ref().map_or(&none, |config| &config.value.settings);
        let machine = Machine {
            request_time: self.request_time.clone(),
            append_time: self.append_time.clone(),
            metadata_time: self.metadata_time.clone(),
        };
        let common =
            reader.within("config", |reader| machine.configure(settings, place, reader))?;
        reader.topic_defaults = common.topic;
        let mut configs = vec![common.broker.clone(); usize::from(brokers)];
        for (broker, own) in self.overrides.iter().flat_map(|overrides| &overrides.0) {
            let machine = machine.overridden_by(&own.value);
            let theirs = own.value.config.as_ref().map_or(&none, |config| &config.settings);
            let merged = settings.overridden_by(theirs);
            let server = reader.within("overrides", |reader| {
                reader.within(&format!("b{broker}"), |reader| {
                    let server = machine.configure(&merged, own.place, reader)?;
                    same_topics(theirs, &server, &common.topic, reader);
                    Some(server)
                })
            });
            if let (Some(server), Some(config)) = (server, configs.get_mut(broker.index())) {
                *config = server.broker;
            }
        }
        let eligible_leader_replicas = self.eligible_leader_replicas;
        Some(ClusterPart {
            brokers,
            configs,
            eligible_leader_replicas,
            transaction_version: self.transaction_version,
            coordinators: self.coordinators.map(|given| given.0).unwrap_or_default(),
            defects: self.defects,
        })
    }
}

impl ClusterPart {
    /// The settings of an internal topic, by those of the first broker.
    pub(crate) fn internal_topic(&self, name: &str, reader: &Reader<'_>) -> TopicConfig {
        let defaults = reader.topic_defaults;
        let min_insync_replicas = match (name, self.configs.first()) {
            (TRANSACTION_STATE_TOPIC, Some(broker)) => broker.transaction_state_log_min_isr,
            _ => defaults.min_insync_replicas,
        };
        TopicConfig { min_insync_replicas, unclean_leader_election_enable: false, ..defaults }
    }

    /// The replicas of a partition of an internal topic, the preferred leader first. A cluster that
    /// is smaller than the replication factor has a replica on every broker.
    pub(crate) fn internal_replicas(
        &self,
        topics: &Topics,
        partition: TopicPartition,
    ) -> SmallVec<[BrokerId; 4]> {
        let given = self.coordinators.iter().find(|(known, _)| *known == partition);
        let usual = usize::from(topics.number(partition)) % usize::from(self.brokers);
        let first = given.map_or(usual, |(_, broker)| broker.index());
        let brokers = usize::from(self.brokers);
        let factor =
            self.configs.first().map_or(1, |broker| match topics.name(topics.split(partition).0) {
                TRANSACTION_STATE_TOPIC => broker.transaction_state_log_replication_factor,
                _ => broker.offsets_topic_replication_factor,
            });
        let replicas = 0..brokers.min(factor as usize);
        replicas.map(|next| BrokerId::from_index((first + next) % brokers)).collect()
    }
}

/// The defaults of topics are those of the cluster.
fn same_topics(
    own: &KafkaSettings,
    server: &ServerConfig,
    common: &TopicConfig,
    reader: &mut Reader<'_>,
) {
    use inflight_protocol::config::keys::topic_keys;
    if server.topic == *common {
        return;
    }
    let names = topic_keys().map(|key| key.name);
    let also = ["log.flush.interval.messages", "log.flush.interval.ms"];
    let places = names.chain(also).filter_map(|key| own.key_place(key));
    let place = places.min().or_else(|| own.first_place()).unwrap_or_default();
    let problem = "a default of topics for one broker alone";
    let diagnostic = Diagnostic::error(place, problem);
    reader.report(diagnostic.expected("it in the config of the cluster or of a topic"));
}

impl ClusterPart {
    /// The rules that are broken on purpose.
    pub(crate) fn planted(&self) -> Defects {
        self.defects.iter().fold(Defects::NONE, |defects, defect| defects.with(*defect))
    }
}

words! {
    /// A rule that is broken on purpose.
    "defect" for Defect {
        /// A broker does not recognise duplicates.
        "forget-duplicates" => Defect::ForgetDuplicates,
        /// A broker accepts any sequence number.
        "ignore-sequences" => Defect::IgnoreSequences,
        /// A leader answers acks=all before the high watermark.
        "ack-before-high-watermark" => Defect::AckBeforeHighWatermark,
        /// A follower truncates to its high watermark when the leader changes (before KIP-101).
        "truncate-to-high-watermark" => Defect::TruncateToHighWatermark,
        /// A new leader is any live replica, and nobody is told that it is unclean.
        "elect-out-of-sync" => Defect::ElectOutOfSync,
        /// A follower skips every other batch.
        "skip-replication" => Defect::SkipReplication,
        /// A recovered log has lost its producer state.
        "lose-producer-state" => Defect::LoseProducerState,
        /// The same producer id is handed out again and again.
        "repeat-producer-ids" => Defect::RepeatProducerIds,
        /// A broker answers with an error although the batch was appended.
        "fail-after-append" => Defect::FailAfterAppend,
        /// A broker answers with success and appends nothing.
        "ack-without-append" => Defect::AckWithoutAppend,
        /// A leader appends the records of two sessions under one another's name.
        "swap-payload" => Defect::SwapPayload,
        /// A producer puts retries back in the order of failure.
        "requeue-out-of-order" => Defect::RequeueOutOfOrder,
        /// A consumer of committed records asks for what is not decided.
        "read-above-stable" => Defect::ReadAboveStable,
        /// A consumer of committed records gives out those of aborted transactions.
        "give-aborted" => Defect::GiveAborted,
        /// A leader takes batches of older producer epochs.
        "ignore-producer-epochs" => Defect::IgnoreProducerEpochs,
        /// A transaction that is over its time is aborted without a higher producer epoch (before
        /// KAFKA-6119).
        "timeout-without-epoch-bump" => Defect::TimeoutWithoutEpochBump,
    }
}
