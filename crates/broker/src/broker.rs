//! A broker. Kafka: core/server/BrokerServer and what it starts.

mod add_partitions_to_txn_manager;
mod alter_partition;
mod api;
mod appended;
mod check_produce;
mod consumer_fetch;
mod coordinator_append;
mod crash;
mod fetch;
mod fetch_state;
mod fetcher;
mod group_coordinator;
mod handlers;
mod incoming;
mod inter_broker;
mod invariants;
mod isr;
mod lifecycle;
mod metadata;
mod offset_lookups;
mod produce;
mod producer_ids;
mod purgatory;
mod replicate;
mod settings;
mod shutdown;
mod sockets;
mod timers;
mod transaction_coordinator;
mod transaction_marker_channel_manager;
mod transaction_state_manager;
mod verification;
mod view;
mod work;
mod write_txn_markers;

pub use group_coordinator::GroupView;
pub use settings::InjectWhen;
pub use view::{ReplicaView, Role};

use crate::metadata_cache::MetadataCache;
use crate::partition::{InternalTopic, Partition};
use add_partitions_to_txn_manager::AddPartitionsToTxnManager;
use alter_partition::AlterPartitionManager;
use consumer_fetch::ParkedReader;
use coordinator_append::CoordinatorAppends;
use fetch::ParkedFetch;
use fetch_state::Fetcher;
use group_coordinator::GroupCoordinator;
use handlers::Handlers;
use inflight_des::{Chance, Instant, Span, StreamId};
use inflight_protocol::{BrokerId, Cluster, TopicPartition};
use lifecycle::Lifecycle;
use metadata::MetadataQueue;
use producer_ids::ProducerIdManager;
use settings::Injection;
use smallvec::SmallVec;
use sockets::Sockets;
use std::collections::VecDeque;
use timers::Timers;
use transaction_marker_channel_manager::TransactionMarkerChannelManager;
use transaction_state_manager::TransactionStateManager;
use work::Task;

/// A broker as a machine: plain data, turned by messages and time.
///
/// Its driver calls [`Broker::handle`] for each message, [`Broker::handle_timeout`] when
/// [`Broker::next_timeout`] is reached, and [`Broker::step`] after each `Effect::Again`. It drops
/// what is on its way to a broker that dies, and refuses connections unless
/// [`Broker::is_listening`].
#[derive(Debug)]
pub struct Broker {
    id: BrokerId,
    streams: Streams,
    lifecycle: Lifecycle,
    metadata: MetadataCache,
    metadata_queue: MetadataQueue,
    /// Where in `partitions` a partition is, if this broker has a replica of it.
    hosted: Vec<Option<u16>>,
    partitions: Vec<Partition>,
    sockets: Sockets,
    handlers: Handlers,
    parked: SmallVec<[ParkedFetch; 4]>,
    /// Fetches of consumers that wait.
    readers: Vec<ParkedReader>,
    /// How many fetch requests of followers were executed.
    fetches: u32,
    /// One for each broker, whether it leads anything or not.
    fetchers: Vec<Fetcher>,
    alter_partition: AlterPartitionManager,
    producer_ids: ProducerIdManager,
    add_partitions: AddPartitionsToTxnManager,
    transactions: TransactionStateManager,
    markers: TransactionMarkerChannelManager,
    appends: CoordinatorAppends,
    groups: GroupCoordinator,
    tasks: VecDeque<Task>,
    /// Whether the driver was asked for a step and has not made it yet.
    step_is_due: bool,
    timers: Timers,
    disk_delay: Span,
    injections: SmallVec<[Injection; 1]>,
    /// When the periodic look for lagging followers falls, within its period.
    isr_phase: Option<Span>,
    /// Numbers the connections that this broker opens, over all its lives.
    connections: u32,
    /// Scratch: who is waiting for what has just happened.
    woken: Vec<u32>,
}

inflight_des::clone_fields!(Broker {
    id,
    streams,
    lifecycle,
    metadata,
    metadata_queue,
    hosted,
    partitions,
    sockets,
    handlers,
    parked,
    readers,
    fetches,
    fetchers,
    alter_partition,
    producer_ids,
    add_partitions,
    transactions,
    markers,
    appends,
    groups,
    tasks,
    step_is_due,
    timers,
    disk_delay,
    injections,
    isr_phase,
    connections,
    woken,
});

/// The streams that a broker draws from.
#[derive(Clone, Copy, Debug)]
struct Streams {
    request_time: StreamId,
    append_time: StreamId,
    metadata_time: StreamId,
    heartbeat_phase: StreamId,
    isr_phase: StreamId,
    coordinator_load_time: StreamId,
    transaction_abort_phase: StreamId,
    transaction_expire_phase: StreamId,
}

impl Broker {
    /// A broker in a settled cluster: registered and unfenced, with empty logs, and with the
    /// metadata of [`crate::Controller::new`] applied. Names its streams of chance.
    pub fn new(cluster: &Cluster, id: BrokerId, chance: &mut Chance) -> Self {
        let mut stream = |purpose: &str| chance.stream(&format!("b{id} {purpose}"));
        let streams = Streams {
            request_time: stream("request time"),
            append_time: stream("append time"),
            metadata_time: stream("metadata time"),
            heartbeat_phase: stream("heartbeat phase"),
            isr_phase: stream("isr check phase"),
            coordinator_load_time: stream("coordinator load time"),
            transaction_abort_phase: stream("transaction abort phase"),
            transaction_expire_phase: stream("transactional id expiry phase"),
        };
        let mut broker = Self {
            id,
            streams,
            lifecycle: Lifecycle::settled(id),
            metadata: MetadataCache::new(cluster),
            metadata_queue: MetadataQueue::default(),
            hosted: vec![None; cluster.assignments.len()],
            partitions: Vec::new(),
            sockets: Sockets::default(),
            handlers: Handlers::new(cluster.broker(id).num_io_threads),
            parked: SmallVec::new(),
            readers: Vec::new(),
            fetches: 0,
            fetchers: cluster.broker_ids().map(Fetcher::new).collect(),
            alter_partition: AlterPartitionManager::default(),
            producer_ids: ProducerIdManager::settled(id),
            add_partitions: AddPartitionsToTxnManager::default(),
            transactions: TransactionStateManager::default(),
            markers: TransactionMarkerChannelManager::default(),
            appends: CoordinatorAppends::default(),
            groups: GroupCoordinator::default(),
            tasks: VecDeque::new(),
            step_is_due: false,
            timers: Timers::new(),
            disk_delay: Span::ZERO,
            injections: SmallVec::new(),
            isr_phase: None,
            connections: 0,
            woken: Vec::new(),
        };
        broker.host_replicas(cluster);
        broker.apply_bootstrap(cluster);
        broker
    }

    /// Makes an empty log for each partition that is assigned to this broker.
    fn host_replicas(&mut self, cluster: &Cluster) {
        for partition in cluster.topics.all_partitions() {
            if cluster.replicas(partition).contains(&self.id) {
                self.hosted[partition.index()] = Some(self.partitions.len() as u16);
                let replica = Partition::new(cluster, self.id, partition, Instant::START);
                self.partitions.push(replica);
            }
        }
    }

    /// Takes the roles of a settled cluster, without a word to anybody.
    fn apply_bootstrap(&mut self, cluster: &Cluster) {
        let image = crate::bootstrap::image(cluster);
        self.metadata.apply(&image, |_| {});
        for (partition, registration) in &image.partitions {
            let Some(index) = self.replica_index(*partition) else { continue };
            let replica = &mut self.partitions[index];
            match registration.leader {
                Some(leader) if leader == self.id => {
                    replica.make_leader(cluster, registration, Instant::START);
                    let epoch = registration.leader_epoch;
                    match replica.internal {
                        Some(InternalTopic::TransactionState) => {
                            self.transactions.settled(*partition, epoch);
                        }
                        Some(InternalTopic::ConsumerOffsets) => {
                            self.groups.settled(*partition, epoch);
                        }
                        None => {}
                    }
                }
                Some(leader) => {
                    replica.make_follower(registration);
                    self.fetchers[leader.index()].add(*partition, registration.leader_epoch);
                }
                None => {
                    replica.make_follower(registration);
                }
            }
        }
    }

    /// Which broker it is.
    pub const fn id(&self) -> BrokerId {
        self.id
    }

    /// Where in the table of replicas a partition is.
    #[inline]
    fn replica_index(&self, partition: TopicPartition) -> Option<usize> {
        self.hosted.get(partition.index()).copied().flatten().map(usize::from)
    }
}
