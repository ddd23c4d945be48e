//! The part of a description that checkers look up while a run goes on, by number.

use inflight_protocol::Acks;
use inflight_protocol::ids::{BrokerSet, ClientId, TopicPartition};
use inflight_protocol::message::IsolationLevel;
use inflight_protocol::transaction::{CONSUMER_OFFSETS_TOPIC, TRANSACTION_STATE_TOPIC};
use inflight_trace::{ClientDescription, CommitStyle, ConsumerDescription, Description};

/// A client's settings that decide what is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientPlan {
    pub(crate) acks: Acks,
    pub(crate) idempotence: bool,
    pub(crate) retries: u32,
    pub(crate) max_in_flight: u32,
    pub(crate) delivery_timeout_ms: u64,
    pub(crate) max_block_ms: u64,
    /// Whether it has a producer.
    pub(crate) produces: bool,
    /// Whether it has a transactional.id.
    pub(crate) transactional: bool,
    pub(crate) transaction_timeout_ms: u64,
    /// Its consumer, if it has one.
    pub(crate) reader: Option<ReaderPlan>,
}

/// A consumer's settings, and its application's ways, that decide what is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReaderPlan {
    pub(crate) isolation: IsolationLevel,
    pub(crate) commits: CommitStyle,
    /// enable.auto.commit
    pub(crate) auto_commits: bool,
    pub(crate) has_group: bool,
    pub(crate) sends_group_metadata: bool,
    pub(crate) rewinds: bool,
    pub(crate) deduplicates: bool,
}

/// What is the same for the whole cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClusterPlan {
    /// The level of transaction.version.
    pub(crate) transaction_version: u8,
    /// transaction.partition.verification.enable
    pub(crate) verifies: bool,
    /// How long after transaction.timeout.ms a coordinator looks at the latest.
    pub(crate) cleanup_ms: u64,
}

impl ClusterPlan {
    /// Whether each transaction has its own producer epoch (KIP-890 part 2).
    pub(crate) const fn bumps_epochs(self) -> bool {
        self.transaction_version >= 2
    }
}

impl Default for ClusterPlan {
    /// Kafka's defaults.
    fn default() -> Self {
        Self { transaction_version: 2, verifies: true, cleanup_ms: 10_000 }
    }
}

/// What a topic is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Role {
    /// The applications' records.
    #[default]
    Data,
    /// `__transaction_state`
    Transactions,
    /// `__consumer_offsets`
    Offsets,
}

/// A partition's settings that decide what is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PartitionPlan {
    pub(crate) replicas: BrokerSet,
    /// min.insync.replicas, but not more than there are replicas.
    pub(crate) min_isr: u32,
    /// unclean.leader.election.enable
    pub(crate) unclean_enabled: bool,
    /// The number of the topic in the description.
    pub(crate) topic: usize,
    pub(crate) role: Role,
}

/// What a description says of clients and partitions.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) clients: Vec<ClientPlan>,
    pub(crate) partitions: Vec<PartitionPlan>,
    pub(crate) brokers: usize,
    pub(crate) cluster: ClusterPlan,
    /// Whether there are transactions or consumers.
    pub(crate) is_coordinated: bool,
}

inflight_des::clone_fields!(Plan { clients, partitions, brokers, cluster, is_coordinated });

/// The default of max.block.ms.
const MAX_BLOCK_MS: u64 = 60_000;
/// The default of transaction.timeout.ms.
const TRANSACTION_TIMEOUT_MS: u64 = 60_000;

impl Plan {
    pub(crate) fn new(description: &Description) -> Self {
        let usual = ClusterPlan::default();
        let cluster = ClusterPlan {
            transaction_version: description
                .transaction_version
                .unwrap_or(usual.transaction_version),
            verifies: description
                .transaction_partition_verification_enable
                .unwrap_or(usual.verifies),
            cleanup_ms: description.transaction_cleanup_interval_ms.unwrap_or(usual.cleanup_ms),
        };
        let clients: Vec<ClientPlan> = description.clients.iter().map(ClientPlan::new).collect();
        let is_coordinated = !description.transactional_ids.is_empty()
            || !description.groups.is_empty()
            || clients.iter().any(|client| client.transactional || client.reader.is_some());
        let topics = description.topics.iter().enumerate();
        let numbered =
            topics.flat_map(|(number, topic)| topic.replicas.iter().map(move |_| number));
        let partitions = numbered.enumerate().map(|(index, topic)| {
            let replicas = description.replica_set(TopicPartition::new(index as u16));
            let settings = &description.topics[topic];
            PartitionPlan {
                replicas,
                min_isr: settings.min_insync_replicas.min(replicas.len()),
                unclean_enabled: settings.unclean_leader_election_enable,
                topic,
                role: match settings.name.as_str() {
                    TRANSACTION_STATE_TOPIC => Role::Transactions,
                    CONSUMER_OFFSETS_TOPIC => Role::Offsets,
                    _ => Role::Data,
                },
            }
        });
        let (partitions, brokers) = (partitions.collect(), usize::from(description.brokers));
        Self { clients, partitions, brokers, cluster, is_coordinated }
    }

    /// A client's settings. An unknown client has those that promise nothing.
    pub(crate) fn client(&self, client: Option<ClientId>) -> ClientPlan {
        const NOBODY: ClientPlan = ClientPlan {
            acks: Acks::None,
            idempotence: false,
            retries: u32::MAX,
            max_in_flight: u32::MAX,
            delivery_timeout_ms: u64::MAX,
            max_block_ms: u64::MAX,
            produces: true,
            transactional: false,
            transaction_timeout_ms: u64::MAX,
            reader: None,
        };
        client.and_then(|client| self.clients.get(client.index()).copied()).unwrap_or(NOBODY)
    }
}

impl ClientPlan {
    fn new(client: &ClientDescription) -> Self {
        let max_block = client.config.iter().find(|(key, _)| key == "max.block.ms");
        let timeout = client.transaction_timeout_ms;
        Self {
            acks: client.acks,
            idempotence: client.enable_idempotence,
            retries: client.retries,
            max_in_flight: client.max_in_flight,
            delivery_timeout_ms: client.delivery_timeout_ms,
            max_block_ms: max_block
                .map_or(MAX_BLOCK_MS, |(_, ms)| ms.parse().unwrap_or(MAX_BLOCK_MS)),
            produces: client.produces,
            transactional: client.transactional_id.is_some(),
            transaction_timeout_ms: timeout.unwrap_or(TRANSACTION_TIMEOUT_MS),
            reader: client.consumer.as_ref().map(ReaderPlan::new),
        }
    }
}

impl ReaderPlan {
    const fn new(consumer: &ConsumerDescription) -> Self {
        Self {
            isolation: consumer.isolation,
            commits: consumer.commits,
            auto_commits: consumer.enable_auto_commit,
            has_group: consumer.group.is_some(),
            sends_group_metadata: consumer.sends_group_metadata,
            rewinds: consumer.rewinds_after_abort,
            deduplicates: consumer.deduplicates,
        }
    }
}
