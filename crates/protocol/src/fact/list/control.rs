//! What the controller decides, and the run itself.

macro_rules! control_facts {
    ([$next:ident $($rest:ident)*] { $($before:tt)* }) => { $next! { [$($rest)*] { $($before)*

    // --- the controller --------------------------------------------------------------------------

    /// The controller gave a broker a new broker epoch.
    /// Kafka: ClusterControlManager.registerBroker.
    BrokerRegistered {
        /// The broker.
        broker: BrokerId,
        /// Its new epoch.
        broker_epoch: BrokerEpoch,
        /// Whether its last stop was clean.
        after: LastStop,
    }
    /// The controller fenced a broker: it leads nothing and is in no ISR.
    /// Kafka: ReplicationControlManager.handleBrokerFenced.
    BrokerFenced {
        /// The broker.
        broker: BrokerId,
    }
    /// The controller lets a broker lead and be in sync again.
    BrokerUnfenced {
        /// The broker.
        broker: BrokerId,
    }
    /// The controller committed another in-sync replica set.
    IsrChanged {
        /// The partition.
        partition: TopicPartition,
        /// The set before.
        from: BrokerSet,
        /// The set now.
        to: BrokerSet,
        /// The eligible leader replicas now.
        elr: BrokerSet,
        /// The partition epoch now.
        partition_epoch: PartitionEpoch,
    }
    /// The controller committed another leader, or that there is none.
    LeaderElected {
        /// The partition.
        partition: TopicPartition,
        /// The leader, if there is one.
        leader: Option<BrokerId>,
        /// The leader epoch.
        leader_epoch: LeaderEpoch,
        /// How the leader was chosen.
        election: Election,
    }

    // --- the run ---------------------------------------------------------------------------------

    /// A fault of the scenario took effect.
    FaultInjected {
        /// Its position in the scenario, from 0; random faults count on behind.
        fault: u32,
    }
    /// The run is over.
    RunEnded {
        /// Why.
        halt: Halt,
    }

    } } };
}
