//! Groups and committed offsets, as their coordinator keeps them: state without log or network.
//!
//! Kafka: group-coordinator: classic/ClassicGroup, modern/consumer/ConsumerGroup,
//! GroupMetadataManager, OffsetMetadataManager. What
//! is to be answered and written comes out as a list of [`Action`]s, in order.

pub(crate) mod assignor;
pub(crate) mod classic;
pub(crate) mod consumer;
mod join;
pub(crate) mod offsets;
mod sessions;
pub(crate) mod shard;
mod sync;
mod timers;

pub(crate) use sessions::Due;

use inflight_protocol::config::ConsumerGroupConfig;
use inflight_protocol::consumer_group::{ConsumerGroupRecord, CurrentAssignment};
use inflight_protocol::fact::LeaveCause;
use inflight_protocol::message::{JoinGroupResponse, SyncGroupResponse};
use inflight_protocol::transaction::GroupMetadataValue;
use inflight_protocol::transaction::MemberId;
use inflight_protocol::{BrokerConfig, ErrorCode, GroupId};

/// Whoever waits for an answer: the slot of a connection.
pub(crate) type Caller = u32;
/// Whoever was told something else and is not there any more.
pub(crate) const NOBODY: Caller = u32::MAX;

/// Something that follows from a request or from time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// A JoinGroup is answered, at once.
    Join(Caller, JoinGroupResponse),
    /// A SyncGroup is answered, at once.
    Sync(Caller, SyncGroupResponse),
    /// A generation is to be written down.
    Write(GroupMetadataValue, AfterWrite),
    /// A member is in the group.
    Joined(GroupId, MemberId),
    /// A member is not in the group any more.
    Removed(GroupId, MemberId, LeaveCause),
    /// There is a new generation or group epoch, and so many members.
    Rebalanced(GroupId, u32, u32),
    /// There is a target assignment of a group epoch, for so many members.
    Targeted(GroupId, u32, u32),
    /// A member has other partitions, or another epoch.
    Reconciled(GroupId, MemberId, Box<CurrentAssignment>),
    /// This is to be written about a group of the consumer protocol, which changes then.
    WriteConsumerGroup(GroupId, Vec<ConsumerGroupRecord>),
    /// What follows is caused by this timer, which runs again if that is not committed in time.
    Again(Due),
    /// A group is none of the classic protocol any more; that is to be written.
    ForgetClassic(GroupId),
}

/// What follows when a generation is written down and committed, or is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AfterWrite {
    /// Nothing.
    Nothing,
    /// The members of this generation get their partitions.
    Assign(u32),
}

/// The settings that groups go by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    initial_delay_ms: i64,
    max_size: usize,
    consumer: ConsumerGroupConfig,
}

impl Rules {
    /// Those of a broker.
    pub(crate) fn of(config: &BrokerConfig) -> Self {
        Self {
            initial_delay_ms: config.group_initial_rebalance_delay.as_millis() as i64,
            max_size: config.group_max_size as usize,
            consumer: config.consumer_groups,
        }
    }
}

/// A JoinGroup that is refused, with the member id that it gets or has.
const fn refused(error: ErrorCode, member: Option<MemberId>) -> JoinGroupResponse {
    JoinGroupResponse {
        error: Some(error),
        generation: 0,
        member,
        leader: None,
        members: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
