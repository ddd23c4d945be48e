//! A member's place in its group.

use inflight_protocol::transaction::MemberId;

/// Kafka: AbstractCoordinator.Generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Generation {
    /// The generation of the group.
    pub(crate) id: Option<u32>,
    /// The name that the coordinator gave to this member.
    pub(crate) member: Option<MemberId>,
}

impl Generation {
    /// Kafka: NO_GENERATION.
    pub(crate) const NONE: Self = Self { id: None, member: None };
}

/// Whether the member id goes with the generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResetMember {
    /// It does: the coordinator does not know it.
    Forget,
    /// It stays: only the generation is another one.
    Keep,
}

/// Kafka: AbstractCoordinator.MemberState.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MemberState {
    /// Not in the group.
    Unjoined,
    /// JoinGroup was sent.
    PreparingRebalance,
    /// JoinGroup was answered, the assignment is not there.
    CompletingRebalance,
    /// In the group.
    Stable,
}

impl MemberState {
    /// Kafka: hasNotJoinedGroup.
    pub(crate) const fn has_not_joined(self) -> bool {
        matches!(self, Self::Unjoined | Self::PreparingRebalance)
    }
}
