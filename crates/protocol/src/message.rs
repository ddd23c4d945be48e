//! What travels on a connection between a client or a follower and a broker.
//!
//! Requests and responses carry what their Kafka counterparts carry, as far as the simulation
//! looks at it. Sizes on the wire are estimates; see [`Request::bytes`].

use crate::batch::RecordBatch;
use crate::error_code::ErrorCode;
use crate::ids::{
    BrokerEpoch, BrokerId, BrokerSet, ConnectionId, CorrelationId, LeaderEpoch, Node, Offset,
    ProducerIdAndEpoch, Timestamp, TopicId, TopicPartition,
};
use crate::transaction::InternalRecord;
use smallvec::SmallVec;

mod api;
mod consumer;
mod transaction;
pub use api::ApiKey;
pub use consumer::*;
pub use transaction::*;

/// How many acknowledgements a producer waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Acks {
    /// `acks=0`: none, not even a response.
    None,
    /// `acks=1`: the leader's own append.
    Leader,
    /// `acks=all`: every in-sync replica.
    #[default]
    All,
}

/// A request. Kafka: common/requests/*Request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// First request on every client connection.
    ApiVersions,
    /// Asks for brokers and for the partitions of topics.
    Metadata(MetadataRequest),
    /// Asks for a producer id. Without a transactional id it can go to any broker.
    InitProducerId(InitProducerIdRequest),
    /// Record batches to append.
    Produce(ProduceRequest),
    /// A follower asks its leader for records.
    Fetch(FetchRequest),
    /// Asks for the coordinator of a transactional id or a group.
    FindCoordinator(FindCoordinatorRequest),
    /// A client adds partitions to its transaction.
    AddPartitionsToTxn(AddPartitionsToTxnRequest),
    /// A leader adds a partition to a transaction or asks whether it is in it.
    LeaderAddPartitions(LeaderAddPartitionsRequest),
    /// A client adds a group's offsets to its transaction.
    AddOffsetsToTxn(AddOffsetsToTxnRequest),
    /// Offsets to be committed with a transaction.
    TxnOffsetCommit(TxnOffsetCommitRequest),
    /// Commits or aborts.
    EndTxn(EndTxnRequest),
    /// A coordinator ends transactions in the partitions of a leader.
    WriteTxnMarkers(WriteTxnMarkersRequest),
    /// A consumer asks for records.
    ConsumerFetch(ConsumerFetchRequest),
    /// Where a partition begins or ends.
    ListOffsets(ListOffsetsRequest),
    /// Where a leader epoch ends.
    OffsetForLeaderEpoch(OffsetForLeaderEpochRequest),
    /// Commits offsets of a group.
    OffsetCommit(OffsetCommitRequest),
    /// Asks for the committed offsets of a group.
    OffsetFetch(OffsetFetchRequest),
    /// Classic protocol: joins a group, or its next generation.
    JoinGroup(Box<JoinGroupRequest>),
    /// Classic protocol: brings or gets the assignment.
    SyncGroup(SyncGroupRequest),
    /// Classic protocol: the member is alive.
    Heartbeat(GroupIdentity),
    /// Classic protocol: the member leaves.
    LeaveGroup(GroupIdentity),
    /// Consumer protocol: joins, lives, leaves.
    ConsumerGroupHeartbeat(Box<ConsumerGroupHeartbeatRequest>),
}

/// A response. Kafka: common/requests/*Response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// The connection is ready for requests.
    ApiVersions,
    /// Brokers and partitions as this broker knows them.
    Metadata(MetadataResponse),
    /// A producer id with epoch 0, or why there is none.
    InitProducerId(Result<ProducerIdAndEpoch, ErrorCode>),
    /// What became of each batch.
    Produce(ProduceResponse),
    /// Records for a follower.
    Fetch(FetchResponse),
    /// Who the coordinator is.
    FindCoordinator(FindCoordinatorResponse),
    /// Which partitions are in the transaction.
    AddPartitionsToTxn(AddPartitionsToTxnResponse),
    /// The same, for a leader.
    LeaderAddPartitions(LeaderAddPartitionsResponse),
    /// Whether the offsets may come.
    AddOffsetsToTxn(Option<ErrorCode>),
    /// Which offsets will be committed.
    TxnOffsetCommit(OffsetCommitResponse),
    /// Whether the end is decided, and who the producer is then.
    EndTxn(EndTxnResponse),
    /// Which partitions have their marker.
    WriteTxnMarkers(WriteTxnMarkersResponse),
    /// Records for a consumer.
    ConsumerFetch(ConsumerFetchResponse),
    /// Offsets.
    ListOffsets(ListOffsetsResponse),
    /// Where the epochs end.
    OffsetForLeaderEpoch(OffsetForLeaderEpochResponse),
    /// Which offsets are committed.
    OffsetCommit(OffsetCommitResponse),
    /// The committed offsets.
    OffsetFetch(OffsetFetchResponse),
    /// The member's place in the new generation.
    JoinGroup(Box<JoinGroupResponse>),
    /// The member's partitions.
    SyncGroup(SyncGroupResponse),
    /// REBALANCE_IN_PROGRESS and others.
    Heartbeat(Option<ErrorCode>),
    /// Whether the member has left.
    LeaveGroup(Option<ErrorCode>),
    /// The member's epoch and partitions.
    ConsumerGroupHeartbeat(Box<ConsumerGroupHeartbeatResponse>),
}

/// Kafka: MetadataRequest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetadataRequest {
    /// The topics asked for.
    pub topics: SmallVec<[TopicId; 4]>,
}

/// Kafka: MetadataResponse.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetadataResponse {
    /// Brokers that are alive: registered and not fenced.
    pub brokers: BrokerSet,
    /// Topics that could not be told about. The others are known.
    pub topic_errors: SmallVec<[(TopicId, ErrorCode); 1]>,
    /// The partitions of the known topics, in order.
    pub partitions: SmallVec<[PartitionMetadata; 2]>,
}

/// One partition in a metadata response. Kafka: MetadataResponse.PartitionMetadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartitionMetadata {
    /// The partition.
    pub partition: TopicPartition,
    /// LEADER_NOT_AVAILABLE if there is no leader.
    pub error: Option<ErrorCode>,
    /// The leader, if there is one and it is alive.
    pub leader: Option<BrokerId>,
    /// The leader epoch.
    pub leader_epoch: LeaderEpoch,
}

/// Kafka: ProduceRequest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProduceRequest {
    /// Required acknowledgements.
    pub acks: Acks,
    /// How long the broker may wait for acknowledgements, in milliseconds (request.timeout.ms).
    pub timeout_ms: u32,
    /// Of a transactional producer.
    pub transaction: Option<ProduceTransaction>,
    /// At most one batch a partition.
    pub batches: SmallVec<[(TopicPartition, RecordBatch); 1]>,
}

/// Kafka: ProduceResponse.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProduceResponse {
    /// One entry a batch, in the order of the request.
    pub partitions: SmallVec<[ProducePartitionResponse; 1]>,
    /// For how long the client should not send, in milliseconds.
    pub throttle_time_ms: u32,
}

/// Kafka: ProduceResponse.PartitionResponse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducePartitionResponse {
    /// The partition.
    pub partition: TopicPartition,
    /// Why the batch was not acknowledged, if it was not.
    pub error: Option<ErrorCode>,
    /// Where the first record lies.
    pub base_offset: Option<Offset>,
    /// The log's own time, if the topic uses LogAppendTime.
    pub log_append_time: Option<Timestamp>,
    /// The first offset of the log.
    pub log_start_offset: Option<Offset>,
    /// With NOT_LEADER_OR_FOLLOWER: who leads now, as far as this broker knows (KIP-951).
    pub current_leader: Option<LeaderAndEpoch>,
}

/// A leader and its epoch. Kafka: Metadata.LeaderIdAndEpoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LeaderAndEpoch {
    /// The leader.
    pub leader: BrokerId,
    /// Its epoch.
    pub epoch: LeaderEpoch,
}

/// Kafka: FetchRequest, as a follower sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchRequest {
    /// The follower.
    pub replica: BrokerId,
    /// The follower's broker epoch.
    pub replica_epoch: BrokerEpoch,
    /// How long the leader may hold the request back if there is nothing to send.
    pub max_wait_ms: u32,
    /// How many bytes end the wait.
    pub min_bytes: u32,
    /// How many bytes the response may have.
    pub max_bytes: u32,
    /// What to fetch.
    pub partitions: SmallVec<[FetchPartition; 1]>,
}

/// Kafka: FetchRequest.PartitionData.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchPartition {
    /// The partition.
    pub partition: TopicPartition,
    /// The leader epoch that the follower knows.
    pub current_leader_epoch: LeaderEpoch,
    /// Where to read from: the follower's log end offset.
    pub fetch_offset: Offset,
    /// The leader epoch of the follower's last batch.
    pub last_fetched_epoch: Option<LeaderEpoch>,
    /// The follower's log start offset.
    pub log_start_offset: Offset,
    /// How many bytes of this partition; one batch is always returned.
    pub max_bytes: u32,
}

/// Kafka: FetchResponse.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FetchResponse {
    /// One entry a partition that has something to tell.
    pub partitions: SmallVec<[FetchPartitionResponse; 1]>,
    /// The batches of all entries, one entry after the other.
    pub batches: SmallVec<[RecordBatch; 1]>,
    /// The values of the records in batches of internal topics, one batch after the other.
    pub values: Vec<InternalRecord>,
}

/// Kafka: FetchResponseData.PartitionData.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchPartitionResponse {
    /// The partition.
    pub partition: TopicPartition,
    /// Why there is no data.
    pub error: Option<ErrorCode>,
    /// The leader's high watermark as read before this fetch was taken into account.
    pub high_watermark: Offset,
    /// The leader's log start offset.
    pub log_start_offset: Offset,
    /// Where the follower's log parts from the leader's, if it does.
    pub diverging_epoch: Option<EpochEndOffset>,
    /// How many of the batches are this entry's.
    pub batches: u32,
}

/// A leader epoch and the offset where it ends. Kafka: FetchResponseData.EpochEndOffset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EpochEndOffset {
    /// The epoch.
    pub epoch: LeaderEpoch,
    /// One past its last offset.
    pub end_offset: Offset,
}

/// What a machine asks of the network or of the controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// Open a connection. The opener has chosen its id.
    Connect {
        /// The new connection.
        connection: ConnectionId,
        /// The node to connect to.
        to: Node,
    },
    /// Close a connection, from whichever side.
    Close {
        /// The connection.
        connection: ConnectionId,
    },
    /// Send a request, by the side that opened the connection.
    Request {
        /// The connection.
        connection: ConnectionId,
        /// Numbers the sender's requests.
        correlation: CorrelationId,
        /// The request.
        request: Request,
    },
    /// Send a response, by the other side. Responses leave in the order of the requests.
    Response {
        /// The connection.
        connection: ConnectionId,
        /// The request's number.
        correlation: CorrelationId,
        /// The response.
        response: Response,
    },
    /// A broker tells the controller.
    ToController(crate::control::ToController),
    /// The controller tells a broker.
    ToBroker(BrokerId, crate::control::ToBroker),
    /// The process that says this ends: its connections are closed.
    Exit,
}

/// What reaches a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A connection that this node asked for is open.
    Connected {
        /// The connection.
        connection: ConnectionId,
    },
    /// A connection that this node asked for was refused, or an open one was closed or reset by
    /// the other side.
    Disconnected {
        /// The connection.
        connection: ConnectionId,
    },
    /// A request arrived.
    Request {
        /// The connection.
        connection: ConnectionId,
        /// The request's number.
        correlation: CorrelationId,
        /// The request.
        request: Request,
    },
    /// A response arrived.
    Response {
        /// The connection.
        connection: ConnectionId,
        /// The request's number.
        correlation: CorrelationId,
        /// The response.
        response: Response,
    },
    /// A broker's word to the controller.
    ToController(crate::control::ToController),
    /// The controller's word to this broker.
    ToBroker(crate::control::ToBroker),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_moderate() {
        assert!(size_of::<Outgoing>() <= 256, "{}", size_of::<Outgoing>());
        assert!(size_of::<Incoming>() <= 256, "{}", size_of::<Incoming>());
    }
}
