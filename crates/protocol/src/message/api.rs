//! What requests and responses are called, and how long they are.

use super::{Request, Response};

/// Bytes of a request or response around the record batches: lengths, header, client id, topic id
/// and the fixed fields, rounded. Only bandwidth looks at it.
const ENVELOPE_BYTES: u32 = 96;
/// Bytes a partition entry takes besides its batches.
const PARTITION_BYTES: u32 = 32;

const fn entries(count: usize) -> u32 {
    PARTITION_BYTES * count as u32
}

impl Request {
    /// The estimated size on the wire.
    pub fn bytes(&self) -> u32 {
        ENVELOPE_BYTES
            + match self {
                Self::ApiVersions
                | Self::InitProducerId(_)
                | Self::FindCoordinator(_)
                | Self::AddOffsetsToTxn(_)
                | Self::EndTxn(_)
                | Self::Heartbeat(_)
                | Self::LeaveGroup(_) => 0,
                Self::Metadata(request) => 16 * request.topics.len() as u32,
                Self::Produce(request) => {
                    request.batches.iter().map(|(_, batch)| PARTITION_BYTES + batch.bytes).sum()
                }
                Self::Fetch(request) => entries(request.partitions.len()),
                Self::AddPartitionsToTxn(request) => entries(request.partitions.len()),
                Self::LeaderAddPartitions(request) => {
                    request.transactions.iter().map(|one| entries(1 + one.partitions.len())).sum()
                }
                Self::TxnOffsetCommit(request) => entries(request.offsets.len()),
                Self::WriteTxnMarkers(request) => {
                    request.markers.iter().map(|one| entries(1 + one.partitions.len())).sum()
                }
                Self::ConsumerFetch(request) => entries(request.partitions.len()),
                Self::ListOffsets(request) => entries(request.partitions.len()),
                Self::OffsetForLeaderEpoch(request) => entries(request.partitions.len()),
                Self::OffsetCommit(request) => entries(request.offsets.len()),
                Self::OffsetFetch(request) => entries(request.partitions.len()),
                Self::JoinGroup(request) => entries(request.topics.len() + request.owned.len()),
                Self::SyncGroup(request) => entries(request.assignments.len()),
                Self::ConsumerGroupHeartbeat(request) => {
                    let topics = request.topics.as_ref().map_or(0, |list| list.len());
                    let owned = request.owned.as_ref().map_or(0, |list| list.len());
                    entries(topics + owned)
                }
            }
    }

    /// Its name.
    pub const fn api(&self) -> ApiKey {
        match self {
            Self::ApiVersions => ApiKey::ApiVersions,
            Self::Metadata(_) => ApiKey::Metadata,
            Self::InitProducerId(_) => ApiKey::InitProducerId,
            Self::Produce(_) => ApiKey::Produce,
            Self::Fetch(_) => ApiKey::Fetch,
            Self::FindCoordinator(_) => ApiKey::FindCoordinator,
            Self::AddPartitionsToTxn(_) => ApiKey::AddPartitionsToTxn,
            Self::LeaderAddPartitions(_) => ApiKey::AddPartitionsToTxn,
            Self::AddOffsetsToTxn(_) => ApiKey::AddOffsetsToTxn,
            Self::TxnOffsetCommit(_) => ApiKey::TxnOffsetCommit,
            Self::EndTxn(_) => ApiKey::EndTxn,
            Self::WriteTxnMarkers(_) => ApiKey::WriteTxnMarkers,
            Self::ConsumerFetch(_) => ApiKey::Fetch,
            Self::ListOffsets(_) => ApiKey::ListOffsets,
            Self::OffsetForLeaderEpoch(_) => ApiKey::OffsetForLeaderEpoch,
            Self::OffsetCommit(_) => ApiKey::OffsetCommit,
            Self::OffsetFetch(_) => ApiKey::OffsetFetch,
            Self::JoinGroup(_) => ApiKey::JoinGroup,
            Self::SyncGroup(_) => ApiKey::SyncGroup,
            Self::Heartbeat(_) => ApiKey::Heartbeat,
            Self::LeaveGroup(_) => ApiKey::LeaveGroup,
            Self::ConsumerGroupHeartbeat(_) => ApiKey::ConsumerGroupHeartbeat,
        }
    }
}

impl Response {
    /// The estimated size on the wire.
    pub fn bytes(&self) -> u32 {
        ENVELOPE_BYTES
            + match self {
                Self::ApiVersions => 512,
                Self::InitProducerId(_)
                | Self::FindCoordinator(_)
                | Self::AddOffsetsToTxn(_)
                | Self::EndTxn(_)
                | Self::Heartbeat(_)
                | Self::LeaveGroup(_) => 0,
                Self::Metadata(response) => {
                    PARTITION_BYTES * (response.brokers.len() + response.partitions.len() as u32)
                }
                Self::Produce(response) => entries(response.partitions.len()),
                Self::Fetch(response) => {
                    entries(response.partitions.len())
                        + response.batches.iter().map(|batch| batch.bytes).sum::<u32>()
                }
                Self::AddPartitionsToTxn(response) => entries(response.partitions.len()),
                Self::LeaderAddPartitions(response) => entries(response.results.len()),
                Self::TxnOffsetCommit(response) => entries(response.partitions.len()),
                Self::WriteTxnMarkers(response) => entries(response.results.len()),
                Self::ConsumerFetch(response) => {
                    entries(response.partitions.len())
                        + response.batches.iter().map(|batch| batch.bytes).sum::<u32>()
                }
                Self::ListOffsets(response) => entries(response.partitions.len()),
                Self::OffsetForLeaderEpoch(response) => entries(response.partitions.len()),
                Self::OffsetCommit(response) => entries(response.partitions.len()),
                Self::OffsetFetch(response) => entries(response.partitions.len()),
                Self::JoinGroup(response) => entries(response.members.len()),
                Self::SyncGroup(response) => entries(response.assignment.len()),
                Self::ConsumerGroupHeartbeat(response) => {
                    response.assignment.as_ref().map_or(0, |list| entries(list.len()))
                }
            }
    }

    /// Its name.
    pub const fn api(&self) -> ApiKey {
        match self {
            Self::ApiVersions => ApiKey::ApiVersions,
            Self::Metadata(_) => ApiKey::Metadata,
            Self::InitProducerId(_) => ApiKey::InitProducerId,
            Self::Produce(_) => ApiKey::Produce,
            Self::Fetch(_) => ApiKey::Fetch,
            Self::FindCoordinator(_) => ApiKey::FindCoordinator,
            Self::AddPartitionsToTxn(_) => ApiKey::AddPartitionsToTxn,
            Self::LeaderAddPartitions(_) => ApiKey::AddPartitionsToTxn,
            Self::AddOffsetsToTxn(_) => ApiKey::AddOffsetsToTxn,
            Self::TxnOffsetCommit(_) => ApiKey::TxnOffsetCommit,
            Self::EndTxn(_) => ApiKey::EndTxn,
            Self::WriteTxnMarkers(_) => ApiKey::WriteTxnMarkers,
            Self::ConsumerFetch(_) => ApiKey::Fetch,
            Self::ListOffsets(_) => ApiKey::ListOffsets,
            Self::OffsetForLeaderEpoch(_) => ApiKey::OffsetForLeaderEpoch,
            Self::OffsetCommit(_) => ApiKey::OffsetCommit,
            Self::OffsetFetch(_) => ApiKey::OffsetFetch,
            Self::JoinGroup(_) => ApiKey::JoinGroup,
            Self::SyncGroup(_) => ApiKey::SyncGroup,
            Self::Heartbeat(_) => ApiKey::Heartbeat,
            Self::LeaveGroup(_) => ApiKey::LeaveGroup,
            Self::ConsumerGroupHeartbeat(_) => ApiKey::ConsumerGroupHeartbeat,
        }
    }
}

macro_rules! api_keys {
    ($($name:ident, $key:literal, $text:literal;)*) => {
        /// The name of a request and its response. Kafka: common/protocol/ApiKeys.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ApiKey {
            $(#[doc = concat!("Key ", $key, ".")] $name,)*
        }

        impl ApiKey {
            /// Every one that the simulation uses, by number.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
            /// Their names.
            pub const NAMES: &'static [&'static str] = &[$($text),*];

            /// Kafka's name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Kafka's number.
            pub const fn key(self) -> i16 {
                match self { $(Self::$name => $key,)* }
            }
        }
    };
}

api_keys! {
    Produce, 0, "Produce";
    Fetch, 1, "Fetch";
    ListOffsets, 2, "ListOffsets";
    Metadata, 3, "Metadata";
    OffsetCommit, 8, "OffsetCommit";
    OffsetFetch, 9, "OffsetFetch";
    FindCoordinator, 10, "FindCoordinator";
    JoinGroup, 11, "JoinGroup";
    Heartbeat, 12, "Heartbeat";
    LeaveGroup, 13, "LeaveGroup";
    SyncGroup, 14, "SyncGroup";
    ApiVersions, 18, "ApiVersions";
    InitProducerId, 22, "InitProducerId";
    OffsetForLeaderEpoch, 23, "OffsetForLeaderEpoch";
    AddPartitionsToTxn, 24, "AddPartitionsToTxn";
    AddOffsetsToTxn, 25, "AddOffsetsToTxn";
    EndTxn, 26, "EndTxn";
    WriteTxnMarkers, 27, "WriteTxnMarkers";
    TxnOffsetCommit, 28, "TxnOffsetCommit";
    ConsumerGroupHeartbeat, 68, "ConsumerGroupHeartbeat";
}
