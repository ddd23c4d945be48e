//! What clients and their applications do and are told.

macro_rules! client_facts {
    ([$next:ident $($rest:ident)*] { $($before:tt)* }) => { $next! { [$($rest)*] { $($before)*

    // --- the application and its producer --------------------------------------------------------

    /// A producer object was constructed. Kafka: KafkaProducer constructor.
    ProducerStarted {
        /// The client process.
        client: ClientId,
        /// The new session.
        session: SessionId,
    }
    /// A producer object is gone, with everything that was in its memory.
    ProducerStopped {
        /// The client process.
        client: ClientId,
        /// The session that ended.
        session: SessionId,
        /// How it ended.
        how: StopCause,
    }
    /// A client process stopped running for a while: a long garbage collection, say.
    ProducerPaused {
        /// The client process.
        client: ClientId,
    }
    /// A paused client process went on.
    ProducerResumed {
        /// The client process.
        client: ClientId,
    }
    /// Records entered the accumulator: send() appended them. Kafka: RecordAccumulator.append.
    RecordsQueued {
        /// The session.
        session: SessionId,
        /// The application thread that called send().
        thread: ThreadId,
        /// The partition chosen.
        partition: TopicPartition,
        /// The ordinal of the first record in this session and partition.
        first: u64,
        /// How many records.
        count: u32,
        /// The application's number of the first message; a re-send has the number of the
        /// message that it repeats.
        message: u64,
        /// The batch they were appended to.
        batch: BatchId,
        /// Bytes that they added to the batch.
        bytes: u32,
    }
    /// send() does not return for now. Kafka: KafkaProducer.waitOnMetadata, BufferPool.allocate.
    SendBlocked {
        /// The session.
        session: SessionId,
        /// The application thread.
        thread: ThreadId,
        /// What it waits for.
        on: BlockedOn,
    }
    /// A blocked send() goes on.
    SendReturned {
        /// The session.
        session: SessionId,
        /// The application thread.
        thread: ThreadId,
        /// For how long it was blocked.
        waited: Span,
    }
    /// send() refused messages: they never entered the accumulator.
    SendRefused {
        /// The session.
        session: SessionId,
        /// The application thread.
        thread: ThreadId,
        /// The application's number of the first message.
        message: u64,
        /// How many messages.
        count: u32,
        /// Why.
        error: SendError,
    }
    /// The producer got a producer id. Kafka: InitProducerIdHandler.handleResponse.
    ProducerIdAssigned {
        /// The session.
        session: SessionId,
        /// The producer id.
        producer_id: ProducerId,
        /// The producer epoch.
        producer_epoch: ProducerEpoch,
    }
    /// The producer raised its own epoch. Kafka: TransactionManager.bumpIdempotentProducerEpoch.
    ProducerEpochBumped {
        /// The session.
        session: SessionId,
        /// The producer id.
        producer_id: ProducerId,
        /// The new producer epoch.
        producer_epoch: ProducerEpoch,
    }
    /// A batch that already had sequence numbers got others.
    /// Kafka: TxnPartitionEntry.startSequencesAtBeginning.
    SequenceRewritten {
        /// The session.
        session: SessionId,
        /// The partition.
        partition: TopicPartition,
        /// The batch.
        batch: BatchId,
        /// The ordinal of its first record.
        first: u64,
        /// How many records.
        count: u32,
        /// The sequence that it had.
        from: Sequence,
        /// The sequence that it has now.
        to: Sequence,
        /// The producer epoch that it has now.
        producer_epoch: ProducerEpoch,
    }
    /// It is unknown whether a sent batch was written, and no retry will tell.
    /// Kafka: TransactionManager.markSequenceUnresolved.
    SequenceUnresolved {
        /// The session.
        session: SessionId,
        /// The partition.
        partition: TopicPartition,
        /// The sequence after the batch in doubt.
        next_sequence: Sequence,
    }
    /// A batch left the accumulator and goes into a request.
    /// Kafka: RecordAccumulator.drainBatchesForOneNode, Sender.sendProduceRequest.
    BatchDrained {
        /// The session.
        session: SessionId,
        /// The partition.
        partition: TopicPartition,
        /// The batch.
        batch: BatchId,
        /// The ordinal of its first record.
        first: u64,
        /// How many records.
        count: u32,
        /// Size in bytes.
        bytes: u32,
        /// The broker it is sent to.
        broker: BrokerId,
        /// The request it goes into.
        correlation: CorrelationId,
        /// How many attempts came before.
        attempt: u32,
        /// The sequence of the first record, with idempotence.
        sequence: Option<Sequence>,
        /// The producer epoch, with idempotence.
        producer_epoch: Option<ProducerEpoch>,
        /// Why the batch was ready.
        reason: DrainReason,
    }
    /// A batch failed in a way that permits another attempt and is in the accumulator again.
    /// Kafka: RecordAccumulator.reenqueue.
    BatchRequeued {
        /// The session.
        session: SessionId,
        /// The partition.
        partition: TopicPartition,
        /// The batch.
        batch: BatchId,
        /// The ordinal of its first record.
        first: u64,
        /// How many records.
        count: u32,
        /// How many attempts it has made.
        attempts: u32,
        /// Why the last one failed.
        error: ErrorCode,
    }
    /// A batch was too large for the broker and became several.
    /// Kafka: RecordAccumulator.splitAndReenqueue.
    BatchSplit {
        /// The session.
        session: SessionId,
        /// The partition.
        partition: TopicPartition,
        /// The batch that is no more.
        batch: BatchId,
        /// The first of the new batches.
        first_child: BatchId,
        /// How many batches it became.
        children: u32,
    }
    /// delivery.timeout.ms is over for a batch. Kafka: Sender.failExpiredBatches.
    BatchExpired {
        /// The session.
        session: SessionId,
        /// The partition.
        partition: TopicPartition,
        /// The batch.
        batch: BatchId,
        /// The ordinal of its first record.
        first: u64,
        /// How many records.
        count: u32,
        /// Where it was.
        place: ExpiryPlace,
    }
    /// The application was told that records are delivered. Kafka: ProducerBatch.complete.
    RecordsAcked {
        /// The session.
        session: SessionId,
        /// The partition.
        partition: TopicPartition,
        /// The batch.
        batch: BatchId,
        /// The ordinal of the first record.
        first: u64,
        /// How many records.
        count: u32,
        /// The offset of the first record, if the producer knows it.
        base_offset: Option<Offset>,
    }
    /// The application was told that records are not delivered.
    /// Kafka: ProducerBatch.completeExceptionally and abort.
    RecordsFailed {
        /// The session.
        session: SessionId,
        /// The partition.
        partition: TopicPartition,
        /// The batch.
        batch: BatchId,
        /// The ordinal of the first record.
        first: u64,
        /// How many records.
        count: u32,
        /// What it was told.
        error: SendError,
    }
    /// The producer took over what a broker knows of the cluster.
    /// Kafka: Metadata.update and updatePartitionLeadership.
    MetadataUpdated {
        /// The session.
        session: SessionId,
        /// The broker that told it.
        broker: BrokerId,
        /// Through which response.
        through: MetadataSource,
    }

    // --- transactions, as the producer and its application know them -----------------------------

    /// initTransactions() returned. Kafka: KafkaProducer.initTransactions.
    TransactionsInitialized {
        /// The session.
        session: SessionId,
        /// The transactional id.
        transactional_id: TransactionalId,
        /// The producer id.
        producer_id: ProducerId,
        /// The producer epoch.
        producer_epoch: ProducerEpoch,
    }
    /// beginTransaction() returned. Kafka: KafkaProducer.beginTransaction.
    TransactionBegun {
        /// The session.
        session: SessionId,
        /// Counts the transactions of the session from 0. Not on the wire.
        transaction: u32,
    }
    /// sendOffsetsToTransaction() returned. One fact a partition.
    /// Kafka: KafkaProducer.sendOffsetsToTransaction.
    OffsetsAddedToTransaction {
        /// The session.
        session: SessionId,
        /// Its transaction.
        transaction: u32,
        /// The group.
        group: GroupId,
        /// The partition.
        partition: TopicPartition,
        /// The next offset to read.
        offset: Offset,
    }
    /// commitTransaction() or abortTransaction() was called.
    TransactionEnding {
        /// The session.
        session: SessionId,
        /// Its transaction.
        transaction: u32,
        /// Which of the two.
        result: TransactionResult,
    }
    /// commitTransaction() or abortTransaction() returned: the end is decided.
    TransactionEnded {
        /// The session.
        session: SessionId,
        /// Its transaction.
        transaction: u32,
        /// Which of the two.
        result: TransactionResult,
    }
    /// A transactional call threw an exception.
    TransactionCallFailed {
        /// The session.
        session: SessionId,
        /// Its transaction, or the next one if none is open.
        transaction: u32,
        /// The call.
        call: TransactionCall,
        /// What was thrown.
        error: SendError,
        /// What is left to the application.
        recovery: Recovery,
    }
    /// A transactional producer is in another state. Kafka: TransactionManager.transitionTo.
    ProducerStateChanged {
        /// The session.
        session: SessionId,
        /// The state before.
        from: ProducerState,
        /// The state now.
        to: ProducerState,
    }

    // --- consumers and their applications --------------------------------------------------------

    /// A consumer object was constructed. Kafka: KafkaConsumer constructor.
    ConsumerStarted {
        /// The client process.
        client: ClientId,
        /// The new consumer.
        consumer: ConsumerId,
        /// Its group, if it has one.
        group: Option<GroupId>,
        /// Its isolation.level.
        isolation: IsolationLevel,
    }
    /// A consumer object is gone.
    ConsumerStopped {
        /// The client process.
        client: ClientId,
        /// The consumer.
        consumer: ConsumerId,
        /// How it ended.
        how: StopCause,
    }
    /// A member of a group is in another state, with the consumer protocol.
    /// Kafka: AbstractMembershipManager.transitionTo.
    MemberStateChanged {
        /// The consumer.
        consumer: ConsumerId,
        /// The state before.
        from: MembershipState,
        /// The state now.
        to: MembershipState,
    }
    /// A consumer may read a partition: by a rebalance, or by assign().
    PartitionAssigned {
        /// The consumer.
        consumer: ConsumerId,
        /// The partition.
        partition: TopicPartition,
        /// The generation or member epoch; 0 without a group protocol.
        generation: u32,
    }
    /// A consumer may not read a partition any more.
    PartitionRevoked {
        /// The consumer.
        consumer: ConsumerId,
        /// The partition.
        partition: TopicPartition,
        /// Why.
        why: RevokeCause,
    }
    /// A consumer will read on from here. Kafka: SubscriptionState.seek and its resets.
    PositionSet {
        /// The consumer.
        consumer: ConsumerId,
        /// The partition.
        partition: TopicPartition,
        /// The next offset to return.
        offset: Offset,
        /// From where it has that.
        source: PositionSource,
    }
    /// poll() returned records, all of one batch. Kafka: FetchCollector.collectFetch.
    RecordsReturned {
        /// The consumer.
        consumer: ConsumerId,
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
    }
    /// A consumer moved past records of an aborted transaction.
    /// Kafka: CompletedFetch.isBatchAborted.
    AbortedRecordsSkipped {
        /// The consumer.
        consumer: ConsumerId,
        /// The partition.
        partition: TopicPartition,
        /// The offset of the first record.
        base_offset: Offset,
        /// How many records.
        count: u32,
        /// The producer id.
        producer_id: ProducerId,
    }
    /// The application did with records what they are there for: an effect outside of Kafka.
    RecordsProcessed {
        /// The consumer.
        consumer: ConsumerId,
        /// The partition.
        partition: TopicPartition,
        /// The offset of the first record.
        base_offset: Offset,
        /// How many records.
        count: u32,
        /// How many of them had no effect, because the application knew them already.
        known: u32,
    }
    /// The application made messages of records: the record at `base_offset + i` became the
    /// message `message + i` of the session's application.
    RecordsTransformed {
        /// The consumer.
        consumer: ConsumerId,
        /// The partition read from.
        partition: TopicPartition,
        /// The offset of the first record.
        base_offset: Offset,
        /// How many records.
        count: u32,
        /// The session that sends the messages.
        session: SessionId,
        /// The application's number of the first message.
        message: u64,
    }
    /// A consumer wants an offset committed.
    OffsetCommitRequested {
        /// The consumer.
        consumer: ConsumerId,
        /// The partition.
        partition: TopicPartition,
        /// The next offset to read.
        offset: Offset,
        /// By which call.
        mode: CommitMode,
    }
    /// A consumer was told what became of a commit.
    OffsetCommitReturned {
        /// The consumer.
        consumer: ConsumerId,
        /// The partition.
        partition: TopicPartition,
        /// The next offset to read.
        offset: Offset,
        /// By which call.
        mode: CommitMode,
        /// Why it failed, if it did.
        error: Option<SendError>,
    }
    /// poll() or another call of a consumer threw an exception that is not about a commit.
    ConsumerFailed {
        /// The consumer.
        consumer: ConsumerId,
        /// What was thrown.
        error: SendError,
    }

    } } };
}
