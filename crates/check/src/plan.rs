//! The part of a description that checkers look up while a run goes on, by number.

use inflight_protocol::Acks;
use inflight_protocol::ids::{BrokerSet, ClientId, TopicPartition};
use inflight_trace::Description;

/// A client's settings that decide what is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientPlan {
    pub(crate) acks: Acks,
    pub(crate) idempotence: bool,
    pub(crate) retries: u32,
    pub(crate) max_in_flight: u32,
    pub(crate) delivery_timeout_ms: u64,
    pub(crate) max_block_ms: u64,
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
}

/// What a description says of clients and partitions.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) clients: Vec<ClientPlan>,
    pub(crate) partitions: Vec<PartitionPlan>,
    pub(crate) brokers: usize,
}

inflight_des::clone_fields!(Plan { clients, partitions, brokers });

/// The default of max.block.ms.
const MAX_BLOCK_MS: u64 = 60_000;

impl Plan {
    pub(crate) fn new(description: &Description) -> Self {
        let clients = description.clients.iter().map(|client| {
            let max_block = client.config.iter().find(|(key, _)| key == "max.block.ms");
            ClientPlan {
                acks: client.acks,
                idempotence: client.enable_idempotence,
                retries: client.retries,
                max_in_flight: client.max_in_flight,
                delivery_timeout_ms: client.delivery_timeout_ms,
                max_block_ms: max_block
                    .map_or(MAX_BLOCK_MS, |(_, ms)| ms.parse().unwrap_or(MAX_BLOCK_MS)),
            }
        });
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
            }
        });
        Self {
            clients: clients.collect(),
            partitions: partitions.collect(),
            brokers: usize::from(description.brokers),
        }
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
        };
        client.and_then(|client| self.clients.get(client.index()).copied()).unwrap_or(NOBODY)
    }
}
