//! What brokers do with logs, replicas and processes.

macro_rules! broker_facts {
    ([$next:ident $($rest:ident)*] { $($before:tt)* }) => { $next! { [$($rest)*] { $($before)*

    /// A batch was written to a replica's log. Kafka: UnifiedLog.append.
    BatchAppended {
        /// The broker.
        broker: BrokerId,
        /// The partition.
        partition: TopicPartition,
        /// The offset of the first record.
        base_offset: Offset,
        /// How many records.
        count: u32,
        /// The session that sent them.
        session: SessionId,
        /// The ordinal of the first record.
        first: u64,
        /// The epoch of the leader that assigned the offsets.
        leader_epoch: LeaderEpoch,
        /// The producer id, if the producer is idempotent.
        producer_id: Option<ProducerId>,
        /// The producer epoch, if the producer is idempotent.
        producer_epoch: Option<ProducerEpoch>,
        /// The sequence of the first record, if the producer is idempotent.
        sequence: Option<Sequence>,
        /// As leader, from a producer, or as follower, from the leader.
        origin: AppendOrigin,
    }
    /// A leader recognised a batch that it has already and answered with the old offset.
    /// Kafka: UnifiedLog.analyzeAndValidateProducerState.
    DuplicateRecognized {
        /// The broker.
        broker: BrokerId,
        /// The partition.
        partition: TopicPartition,
        /// The offset of the first record of the batch it has.
        base_offset: Offset,
        /// How many records.
        count: u32,
        /// The session that sent them.
        session: SessionId,
        /// The ordinal of the first record.
        first: u64,
        /// The producer id.
        producer_id: ProducerId,
        /// The producer epoch.
        producer_epoch: ProducerEpoch,
        /// The sequence of the first record.
        sequence: Sequence,
    }
    /// A replica forgot what it knew of a producer id: producer.id.expiration.ms is over.
    /// Kafka: ProducerStateManager.removeExpiredProducers.
    ProducerStateExpired {
        /// The broker.
        broker: BrokerId,
        /// The partition.
        partition: TopicPartition,
        /// The producer id.
        producer_id: ProducerId,
    }
    /// A broker refused a batch and wrote nothing.
    BatchRejected {
        /// The broker.
        broker: BrokerId,
        /// The partition.
        partition: TopicPartition,
        /// The session that sent it.
        session: SessionId,
        /// The ordinal of the first record.
        first: u64,
        /// How many records.
        count: u32,
        /// The sequence of the first record, with idempotence.
        sequence: Option<Sequence>,
        /// Why.
        error: ErrorCode,
    }
    /// A produce request waits for the in-sync replicas. Kafka: DelayedProduce in the purgatory.
    ProduceDelayed {
        /// The broker.
        broker: BrokerId,
        /// The partition.
        partition: TopicPartition,
        /// The session that sent the batch.
        session: SessionId,
        /// The ordinal of the first record.
        first: u64,
        /// How many records.
        count: u32,
        /// The high watermark that satisfies it.
        required_offset: Offset,
    }
    /// A broker knows what it will answer for a batch that it had appended or recognised.
    ProduceDecided {
        /// The broker.
        broker: BrokerId,
        /// The partition.
        partition: TopicPartition,
        /// The session that sent the batch.
        session: SessionId,
        /// The ordinal of the first record.
        first: u64,
        /// How many records.
        count: u32,
        /// The error, if it is not success.
        error: Option<ErrorCode>,
    }
    /// A replica's high watermark rose.
    HighWatermarkAdvanced {
        /// The broker.
        broker: BrokerId,
        /// The partition.
        partition: TopicPartition,
        /// Where it was.
        from: Offset,
        /// Where it is.
        to: Offset,
    }
    /// A replica's high watermark fell: after a truncation, a restart, or as a follower of a leader
    /// that knows less.
    HighWatermarkRegressed {
        /// The broker.
        broker: BrokerId,
        /// The partition.
        partition: TopicPartition,
        /// Where it was.
        from: Offset,
        /// Where it is.
        to: Offset,
    }
    /// A leader learned how far a follower's log goes. Kafka: Replica.updateFetchStateOrThrow.
    FollowerAdvanced {
        /// The leader.
        broker: BrokerId,
        /// The partition.
        partition: TopicPartition,
        /// The follower.
        follower: BrokerId,
        /// Its log end offset.
        log_end_offset: Offset,
    }
    /// A replica cut its log. Kafka: UnifiedLog.truncateTo.
    LogTruncated {
        /// The broker.
        broker: BrokerId,
        /// The partition.
        partition: TopicPartition,
        /// The log end offset before.
        from: Offset,
        /// The log end offset after.
        to: Offset,
    }
    /// A replica's log up to here survives a loss of power. Kafka: UnifiedLog.flush.
    LogFlushed {
        /// The broker.
        broker: BrokerId,
        /// The partition.
        partition: TopicPartition,
        /// The first offset that does not.
        to: Offset,
    }
    /// A restarted broker has read a log again. Kafka: LogLoader.load.
    LogRecovered {
        /// The broker.
        broker: BrokerId,
        /// The partition.
        partition: TopicPartition,
        /// The log end offset before the crash.
        from: Offset,
        /// The log end offset now.
        to: Offset,
        /// The high watermark from the checkpoint.
        high_watermark: Offset,
    }
    /// A leader wants another in-sync replica set. Kafka: Partition.maybeShrinkIsr, maybeExpandIsr.
    IsrProposed {
        /// The leader.
        broker: BrokerId,
        /// The partition.
        partition: TopicPartition,
        /// The committed set.
        from: BrokerSet,
        /// The proposed set.
        to: BrokerSet,
    }
    /// A replica became the leader, as far as it knows. Kafka: Partition.makeLeader.
    BecameLeader {
        /// The broker.
        broker: BrokerId,
        /// The partition.
        partition: TopicPartition,
        /// The leader epoch.
        leader_epoch: LeaderEpoch,
        /// Where the epoch starts: the log end offset.
        start_offset: Offset,
        /// The high watermark that it knows.
        high_watermark: Offset,
    }
    /// A replica follows a leader, or knows none. Kafka: Partition.makeFollower.
    BecameFollower {
        /// The broker.
        broker: BrokerId,
        /// The partition.
        partition: TopicPartition,
        /// The leader epoch.
        leader_epoch: LeaderEpoch,
        /// The leader, if there is one.
        leader: Option<BrokerId>,
    }
    /// A broker process is gone.
    BrokerCrashed {
        /// The broker.
        broker: BrokerId,
        /// What is left of its logs.
        surviving: Surviving,
    }
    /// A broker process was started.
    BrokerStarted {
        /// The broker.
        broker: BrokerId,
    }
    /// A broker process ended after a controlled shutdown. Kafka: BrokerServer.shutdown.
    BrokerStopped {
        /// The broker.
        broker: BrokerId,
    }
    /// A broker process stopped running for a while.
    BrokerPaused {
        /// The broker.
        broker: BrokerId,
    }
    /// A paused broker process went on.
    BrokerResumed {
        /// The broker.
        broker: BrokerId,
    }
    /// A broker's disk became slower or fast again.
    DiskSlowed {
        /// The broker.
        broker: BrokerId,
        /// Added to every append.
        by: Span,
    }
    /// A broker has applied a commit of the metadata log.
    MetadataApplied {
        /// The broker.
        broker: BrokerId,
        /// The version.
        version: u64,
    }

    } } };
}
