//! What coordinators decide, and what transactions do in partitions.

macro_rules! coordinator_facts {
    ([$next:ident $($rest:ident)*] { $($before:tt)* }) => { $next! { [$($rest)*] { $($before)*

    /// A broker has read a partition of an internal topic and coordinates what is in it.
    /// Kafka: TransactionStateManager.loadTransactionsForTxnTopicPartition,
    /// CoordinatorRuntime.scheduleLoadOperation.
    CoordinatorLoaded {
        /// The broker.
        broker: BrokerId,
        /// The partition of the internal topic.
        partition: TopicPartition,
        /// The coordinator's term: the leader epoch.
        coordinator_epoch: CoordinatorEpoch,
    }
    /// A broker coordinates a partition of an internal topic no more.
    CoordinatorUnloaded {
        /// The broker.
        broker: BrokerId,
        /// The partition of the internal topic.
        partition: TopicPartition,
    }
    /// Records of a coordinator were written to a replica of an internal topic.
    InternalRecordsAppended {
        /// The broker.
        broker: BrokerId,
        /// The partition.
        partition: TopicPartition,
        /// The offset of the first record.
        base_offset: Offset,
        /// How many records.
        count: u32,
        /// The epoch of the leader that assigned the offsets.
        leader_epoch: LeaderEpoch,
        /// As leader or as follower.
        origin: AppendOrigin,
    }
    /// A coordinator has written down that a transactional id changes its state, and waits until
    /// that is committed. Kafka: TransactionMetadata.prepareTransitionTo.
    TransactionStatePending {
        /// The coordinator.
        broker: BrokerId,
        /// The transactional id.
        transactional_id: TransactionalId,
        /// The state before.
        from: TransactionState,
        /// The state to come.
        to: TransactionState,
        /// The producer id to come.
        producer_id: ProducerId,
        /// The producer epoch to come.
        producer_epoch: ProducerEpoch,
    }
    /// A transactional id has another state. Kafka: TransactionMetadata.completeTransitionTo.
    TransactionStateChanged {
        /// The coordinator.
        broker: BrokerId,
        /// The transactional id.
        transactional_id: TransactionalId,
        /// The state before.
        from: TransactionState,
        /// The state now.
        to: TransactionState,
        /// The producer id.
        producer_id: ProducerId,
        /// The producer epoch.
        producer_epoch: ProducerEpoch,
        /// The coordinator's term.
        coordinator_epoch: CoordinatorEpoch,
    }
    /// A partition is in a transaction, as far as the coordinator goes.
    TransactionPartitionAdded {
        /// The coordinator.
        broker: BrokerId,
        /// The transactional id.
        transactional_id: TransactionalId,
        /// The partition.
        partition: TopicPartition,
        /// The producer id.
        producer_id: ProducerId,
        /// The producer epoch.
        producer_epoch: ProducerEpoch,
    }
    /// A coordinator found a transaction open for too long and aborts it.
    /// Kafka: TransactionCoordinator.abortTimedOutTransactions.
    TransactionTimedOut {
        /// The coordinator.
        broker: BrokerId,
        /// The transactional id.
        transactional_id: TransactionalId,
        /// The producer id.
        producer_id: ProducerId,
        /// The producer epoch of the transaction.
        producer_epoch: ProducerEpoch,
    }
    /// A coordinator refused a request about a transactional id.
    TransactionRequestRejected {
        /// The coordinator.
        broker: BrokerId,
        /// The transactional id.
        transactional_id: TransactionalId,
        /// The request.
        api: ApiKey,
        /// The producer epoch in the request, if it has one.
        producer_epoch: Option<ProducerEpoch>,
        /// Why.
        error: ErrorCode,
    }
    /// A leader was told whether a partition is in a transaction (verified or added).
    /// Kafka: AddPartitionsToTxnManager.
    TransactionVerified {
        /// The leader.
        broker: BrokerId,
        /// The partition.
        partition: TopicPartition,
        /// The producer id.
        producer_id: ProducerId,
        /// The producer epoch.
        producer_epoch: ProducerEpoch,
        /// Why it is not, or why that is not known.
        error: Option<ErrorCode>,
    }
    /// A marker was written to a replica: the producer's transaction is over there.
    /// Kafka: UnifiedLog.appendEndTxnMarker, ProducerStateManager.completeTxn.
    MarkerAppended {
        /// The broker.
        broker: BrokerId,
        /// The partition.
        partition: TopicPartition,
        /// The marker's offset.
        offset: Offset,
        /// Commit or abort.
        result: TransactionResult,
        /// The producer id.
        producer_id: ProducerId,
        /// The producer epoch of the marker.
        producer_epoch: ProducerEpoch,
        /// The term of the coordinator that sent it.
        coordinator_epoch: CoordinatorEpoch,
        /// The epoch of the leader that assigned the offset.
        leader_epoch: LeaderEpoch,
        /// Where the transaction begins in this partition, if it has data there.
        first_offset: Option<Offset>,
        /// As leader or as follower.
        origin: AppendOrigin,
    }
    /// A coordinator left a marker out, since its metadata named no leader for the partition: it
    /// takes such a partition for a deleted one. The transaction stays open there.
    /// Kafka: TransactionMarkerChannelManager.addTxnMarkersToBrokerQueue,
    /// KRaftMetadataCache.getPartitionLeaderEndpoint.
    MarkerSkipped {
        /// The coordinator.
        broker: BrokerId,
        /// The transactional id.
        transactional_id: TransactionalId,
        /// The partition.
        partition: TopicPartition,
        /// Commit or abort.
        result: TransactionResult,
        /// The producer id.
        producer_id: ProducerId,
        /// The producer epoch of the marker.
        producer_epoch: ProducerEpoch,
    }
    /// A leader refused a marker.
    MarkerRejected {
        /// The leader.
        broker: BrokerId,
        /// The partition.
        partition: TopicPartition,
        /// The producer id.
        producer_id: ProducerId,
        /// The producer epoch of the marker.
        producer_epoch: ProducerEpoch,
        /// Why.
        error: ErrorCode,
    }
    /// A leader's last stable offset moved, and was or is below the high watermark: without open
    /// transactions the two are the same and move together. Kafka: UnifiedLog.lastStableOffset.
    LastStableOffsetAdvanced {
        /// The leader.
        broker: BrokerId,
        /// The partition.
        partition: TopicPartition,
        /// Where it was.
        from: Offset,
        /// Where it is.
        to: Offset,
    }
    /// A group has a new committed offset. Kafka: OffsetMetadataManager.replay.
    GroupOffsetCommitted {
        /// The coordinator.
        broker: BrokerId,
        /// The group.
        group: GroupId,
        /// The partition.
        partition: TopicPartition,
        /// The next offset to read.
        offset: Offset,
        /// The producer id, if a transaction brought it.
        producer_id: Option<ProducerId>,
    }
    /// A group's coordinator has an offset that counts once its transaction commits.
    GroupOffsetPending {
        /// The coordinator.
        broker: BrokerId,
        /// The group.
        group: GroupId,
        /// The partition.
        partition: TopicPartition,
        /// The next offset to read.
        offset: Offset,
        /// The producer id.
        producer_id: ProducerId,
    }
    /// A member is in a group. Kafka: ClassicGroup.add, ConsumerGroup.updateMember.
    MemberJoined {
        /// The coordinator.
        broker: BrokerId,
        /// The group.
        group: GroupId,
        /// The member's client.
        client: ClientId,
    }
    /// A member is not in a group any more.
    MemberRemoved {
        /// The coordinator.
        broker: BrokerId,
        /// The group.
        group: GroupId,
        /// The member's client.
        client: ClientId,
        /// Why.
        why: LeaveCause,
    }
    /// A group has a new generation or group epoch.
    GroupRebalanced {
        /// The coordinator.
        broker: BrokerId,
        /// The group.
        group: GroupId,
        /// The generation or group epoch.
        generation: u32,
        /// How many members.
        members: u32,
    }
    /// A coordinator has computed who is to have which partitions, with the consumer protocol.
    /// Kafka: TargetAssignmentBuilder.build.
    TargetAssigned {
        /// The coordinator.
        broker: BrokerId,
        /// The group.
        group: GroupId,
        /// The group epoch that it is of.
        epoch: u32,
        /// How many members.
        members: u32,
    }
    /// A member is further on its way to its target assignment, with the consumer protocol.
    /// Kafka: CurrentAssignmentBuilder.build.
    MemberReconciled {
        /// The coordinator.
        broker: BrokerId,
        /// The group.
        group: GroupId,
        /// The member's client.
        client: ClientId,
        /// The member epoch.
        epoch: u32,
        /// How far it is.
        state: ReconciliationState,
        /// How many partitions it may read.
        assigned: u32,
        /// How many partitions it has to give up.
        revoking: u32,
    }
    /// A coordinator refused a heartbeat of the consumer protocol, or a commit of a member.
    GroupRequestRejected {
        /// The coordinator.
        broker: BrokerId,
        /// The group.
        group: GroupId,
        /// The client that asked.
        client: ClientId,
        /// The request.
        api: ApiKey,
        /// The member epoch or generation in the request, if it has one.
        epoch: Option<u32>,
        /// Why.
        error: ErrorCode,
    }

    } } };
}
