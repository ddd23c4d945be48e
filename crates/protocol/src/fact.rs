//! The vocabulary of facts: everything observable about a run, in one closed enum.
//!
//! A fact is small, `Copy` and in the past tense. Triggers, recorder, checkers, digest,
//! explanations and diagrams all read this one stream and nothing else. Names and fields are
//! stable: they appear in scenario files and traces.

use crate::error_code::ErrorCode;
use crate::ids::{
    BatchId, BrokerEpoch, BrokerId, BrokerSet, ClientId, ConnectionId, ConsumerId, CorrelationId,
    GroupId, LeaderEpoch, Node, Offset, PartitionEpoch, ProducerEpoch, ProducerId, SessionId,
    ThreadId, TopicPartition, TransactionalId,
};
use crate::message::{ApiKey, IsolationLevel};
use crate::sequence::Sequence;
use crate::transaction::{CoordinatorEpoch, TransactionResult, TransactionState};
use inflight_des::{Halt, Kinds, Span};

#[macro_use]
mod declare;
mod value;
mod words;
pub use value::{FactField, FieldType, Value};
pub use words::{
    AppendOrigin, BlockedOn, CloseCause, CommitMode, Direction, DrainReason, Election, ExpiryPlace,
    LastStop, LeaveCause, LossCause, MetadataSource, PositionSource, ProducerState, Recovery,
    RevokeCause, SendError, StopCause, Surviving, TransactionCall,
};

/// One field of a kind of fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldSpec {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// The type of its values.
    pub field_type: FieldType,
}

impl FactKind {
    /// The set of this one kind.
    #[inline]
    pub const fn set(self) -> Kinds {
        Kinds::of(self as u8)
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

/// The set of several kinds.
pub const fn kinds(list: &[FactKind]) -> Kinds {
    let mut set = Kinds::NONE;
    let mut index = 0;
    while index < list.len() {
        set = set.and(list[index].set());
        index += 1;
    }
    set
}

/// The facts that an application can know: what it sent and what it was told. A checker of the
/// user's view reads no other.
pub const USER_VIEW: Kinds = kinds(&[
    FactKind::ProducerStarted,
    FactKind::ProducerStopped,
    FactKind::RecordsQueued,
    FactKind::SendBlocked,
    FactKind::SendReturned,
    FactKind::SendRefused,
    FactKind::RecordsAcked,
    FactKind::RecordsFailed,
    FactKind::TransactionsInitialized,
    FactKind::TransactionBegun,
    FactKind::OffsetsAddedToTransaction,
    FactKind::TransactionEnding,
    FactKind::TransactionEnded,
    FactKind::TransactionCallFailed,
    FactKind::ConsumerStarted,
    FactKind::ConsumerStopped,
    FactKind::PartitionAssigned,
    FactKind::PartitionRevoked,
    FactKind::PositionSet,
    FactKind::RecordsReturned,
    FactKind::RecordsProcessed,
    FactKind::RecordsTransformed,
    FactKind::OffsetCommitRequested,
    FactKind::OffsetCommitReturned,
    FactKind::ConsumerFailed,
    FactKind::RunEnded,
]);

facts! {
    // --- the application and its producer -----------------------------------------------------

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

    // --- transactions, as the producer and its application know them ---------------------------

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

    // --- consumers and their applications ------------------------------------------------------

    /// A consumer object was constructed. Kafka: KafkaConsumer constructor.
    ConsumerStarted {
        /// The client process.
        client: ClientId,
        /// The new consumer.
        consumer: ConsumerId,
        /// Its group, if it has one.
        group: Option<GroupId>,
        /// isolation.level
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

    // --- the network --------------------------------------------------------------------------

    /// A connection can be used by the node that opened it.
    ConnectionOpened {
        /// The connection.
        connection: ConnectionId,
        /// The node at the other end.
        to: Node,
    }
    /// A node gave up a connection or learned that it is gone.
    ConnectionClosed {
        /// The connection.
        connection: ConnectionId,
        /// The node that knows it.
        at: Node,
        /// Why.
        why: CloseCause,
    }
    /// A request or response left a node.
    MessageSent {
        /// The sender.
        from: Node,
        /// The receiver.
        to: Node,
        /// The connection.
        connection: ConnectionId,
        /// The request's number.
        correlation: CorrelationId,
        /// Which request it is, or is answered.
        api: ApiKey,
        /// Request or response.
        direction: Direction,
        /// Size in bytes.
        bytes: u32,
    }
    /// A request or response reached a node.
    MessageDelivered {
        /// The sender.
        from: Node,
        /// The receiver.
        to: Node,
        /// The connection.
        connection: ConnectionId,
        /// The request's number.
        correlation: CorrelationId,
        /// Which request it is, or is answered.
        api: ApiKey,
        /// Request or response.
        direction: Direction,
    }
    /// A request or response will never reach its receiver.
    MessageLost {
        /// The sender.
        from: Node,
        /// The receiver.
        to: Node,
        /// The connection.
        connection: ConnectionId,
        /// The request's number.
        correlation: CorrelationId,
        /// Which request it is, or is answered.
        api: ApiKey,
        /// Request or response.
        direction: Direction,
        /// Why.
        why: LossCause,
    }
    /// A link stopped delivering.
    LinkCut {
        /// The sending side.
        from: Node,
        /// The receiving side.
        to: Node,
    }
    /// A link delivers again.
    LinkHealed {
        /// The sending side.
        from: Node,
        /// The receiving side.
        to: Node,
    }
    /// A link became slower or fast again.
    LinkSlowed {
        /// The sending side.
        from: Node,
        /// The receiving side.
        to: Node,
        /// Added to every delay.
        by: Span,
    }

    // --- brokers ------------------------------------------------------------------------------

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

    // --- coordinators and transactions on brokers ----------------------------------------------

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
    /// A leader's last stable offset moved. Kafka: UnifiedLog.lastStableOffset.
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

    // --- the controller -----------------------------------------------------------------------

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

    // --- the run ------------------------------------------------------------------------------

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
}

#[cfg(test)]
mod tests;
