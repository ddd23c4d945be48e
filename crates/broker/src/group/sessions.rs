//! How long members of the consumer protocol may be silent, and how long they may keep what they
//! have to give up. Kafka: CoordinatorTimer, as GroupMetadataManager uses it. Nothing of this is
//! written: a new coordinator begins anew.

use inflight_protocol::GroupId;
use inflight_protocol::fact::LeaveCause;
use inflight_protocol::transaction::MemberId;
use std::collections::BTreeMap;

/// The timers of a member, in milliseconds of the clock.
#[derive(Clone, Copy, Debug, Default)]
struct Timers {
    session_ms: Option<i64>,
    /// With the member epoch that the member must have left by then.
    rebalance: Option<(i64, u32)>,
}

impl Timers {
    fn next_ms(&self) -> Option<i64> {
        self.session_ms.into_iter().chain(self.rebalance.map(|(at_ms, _)| at_ms)).min()
    }
}

/// A timer that has run down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) group: GroupId,
    pub(super) member: MemberId,
    pub(super) why: LeaveCause,
    /// It counts only for a member in this epoch.
    pub(super) epoch: Option<u32>,
}

/// The timers of all members.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    timers: BTreeMap<(GroupId, MemberId), Timers>,
}

inflight_des::clone_fields!(Sessions { timers });

impl Sessions {
    /// Kafka: scheduleConsumerGroupSessionTimeout.
    pub(super) fn begin_session(&mut self, group: GroupId, member: MemberId, until_ms: i64) {
        self.timers.entry((group, member)).or_default().session_ms = Some(until_ms);
    }

    /// Kafka: scheduleConsumerGroupRebalanceTimeout, cancelGroupRebalanceTimeout.
    pub(super) fn set_rebalance(
        &mut self,
        group: GroupId,
        member: MemberId,
        rebalance: Option<(i64, u32)>,
    ) {
        self.timers.entry((group, member)).or_default().rebalance = rebalance;
    }

    /// Kafka: cancelTimers.
    pub(super) fn cancel(&mut self, group: GroupId, member: MemberId) {
        self.timers.remove(&(group, member));
    }

    /// When the next timer runs down.
    pub(super) fn next_ms(&self) -> Option<i64> {
        self.timers.values().filter_map(Timers::next_ms).min()
    }

    /// Takes a timer that has run down, if there is one.
    pub(super) fn take_due(&mut self, now_ms: i64) -> Option<Due> {
        let is_due = |timers: &Timers| timers.next_ms().is_some_and(|at_ms| at_ms <= now_ms);
        let ((group, member), timers) =
            self.timers.iter_mut().find(|(_, timers)| is_due(timers))?;
        let (group, member) = (*group, *member);
        if let Some((_, epoch)) = timers.rebalance.filter(|(at_ms, _)| *at_ms <= now_ms) {
            timers.rebalance = None;
            let why = LeaveCause::RebalanceTimeout;
            return Some(Due { group, member, why, epoch: Some(epoch) });
        }
        timers.session_ms = None;
        Some(Due { group, member, why: LeaveCause::SessionTimeout, epoch: None })
    }
}
