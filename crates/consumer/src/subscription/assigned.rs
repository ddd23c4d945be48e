//! A partition that is assigned, and the position in it.

use crate::metadata::CurrentLeader;
use inflight_protocol::{LeaderEpoch, Offset, TopicPartition};

/// Where a consumer is in a partition. Kafka: SubscriptionState.FetchPosition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FetchPosition {
    /// The next offset to return.
    pub(crate) offset: Offset,
    /// The leader epoch of the record before it.
    pub(crate) offset_epoch: Option<LeaderEpoch>,
    /// Who led when the position was last compared with the metadata.
    pub(crate) leader: CurrentLeader,
}

/// Kafka: SubscriptionState.FetchStates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum FetchState {
    /// Assigned, without a position.
    #[default]
    Initializing,
    /// There is a position to fetch from.
    Fetching,
    /// The position is to be found by asking for the beginning or the end.
    AwaitReset,
    /// The leader has changed: the position is to be compared with its log.
    AwaitValidation,
}

/// Where to reset a position to. Kafka: AutoOffsetResetStrategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResetTo {
    /// The beginning.
    Earliest,
    /// The end.
    Latest,
}

/// An assigned partition. Kafka: SubscriptionState.TopicPartitionState.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Assigned {
    pub(crate) partition: TopicPartition,
    pub(super) state: FetchState,
    pub(super) position: Option<FetchPosition>,
    pub(super) paused: bool,
    pub(super) pending_revocation: bool,
    pub(super) reset: Option<ResetTo>,
    pub(super) next_retry_ms: Option<i64>,
}

impl Assigned {
    pub(super) const fn new(partition: TopicPartition) -> Self {
        Self {
            partition,
            state: FetchState::Initializing,
            position: None,
            paused: false,
            pending_revocation: false,
            reset: None,
            next_retry_ms: None,
        }
    }

    /// The last position, valid or not.
    pub(crate) const fn position(&self) -> Option<FetchPosition> {
        self.position
    }

    /// Kafka: hasValidPosition.
    pub(crate) fn has_valid_position(&self) -> bool {
        self.state == FetchState::Fetching
    }

    /// Kafka: isFetchable.
    pub(crate) fn is_fetchable(&self) -> bool {
        !self.paused && !self.pending_revocation && self.has_valid_position()
    }

    pub(super) fn is_initializing(&self) -> bool {
        self.state == FetchState::Initializing && !self.pending_revocation
    }

    pub(super) fn may_retry(&self, now_ms: i64) -> bool {
        self.next_retry_ms.is_none_or(|at| now_ms >= at)
    }

    pub(super) fn reset_to(&mut self, to: ResetTo) {
        self.state = FetchState::AwaitReset;
        self.position = None;
        self.reset = Some(to);
        self.next_retry_ms = None;
    }

    /// Kafka: seekValidated.
    pub(super) fn seek_validated(&mut self, position: FetchPosition) {
        self.state = FetchState::Fetching;
        self.position = Some(position);
        self.reset = None;
        self.next_retry_ms = None;
    }

    /// Kafka: validatePosition.
    pub(super) fn validate(&mut self, position: FetchPosition) {
        let comparable = position.offset_epoch.is_some() && position.leader.epoch.is_some();
        self.state = if comparable { FetchState::AwaitValidation } else { FetchState::Fetching };
        self.position = Some(position);
        self.next_retry_ms = None;
    }

    /// The leader may be another one. Kafka: maybeValidatePosition.
    pub(crate) fn maybe_validate(&mut self, leader: CurrentLeader) {
        if self.state == FetchState::AwaitReset || leader.leader.is_none() {
            return;
        }
        if let Some(position) = self.position.filter(|position| position.leader != leader) {
            self.validate(FetchPosition { leader, ..position });
        }
    }
}
