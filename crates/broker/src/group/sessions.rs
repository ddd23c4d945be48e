//! How long members of the consumer protocol may be silent, and how long they may keep what they
//! have to give up. Kafka: CoordinatorTimer, as GroupMetadataManager uses it. Nothing of this is
//! written: a new coordinator begins anew.

use inflight_protocol::GroupId;
use inflight_protocol::fact::LeaveCause;
use inflight_protocol::transaction::MemberId;
use std::collections::BTreeMap;

/// When a timer runs down, in milliseconds of the clock, and its number: those of one millisecond
/// run down in the order in which they began.
type Until = (i64, u64);

/// The timers of a member.
#[derive(Clone, Copy, Debug, Default)]
struct Timers {
    session: Option<Until>,
    /// With the member epoch that the member must have left by then.
    rebalance: Option<(Until, u32)>,
}

impl Timers {
    fn next(&self) -> Option<Until> {
        self.session.into_iter().chain(self.rebalance.map(|(until, _)| until)).min()
    }
}

/// What is tried again is tried after this many milliseconds.
/// Kafka: CoordinatorTimerImpl.schedule.
const RETRY_BACKOFF_MS: i64 = 500;

/// A timer that has run down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Due {
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
    /// How many timers have begun.
    begun: u64,
}

inflight_des::clone_fields!(Sessions { timers, begun });

impl Sessions {
    fn until(&mut self, at_ms: i64) -> Until {
        self.begun += 1;
        (at_ms, self.begun)
    }

    /// Kafka: scheduleConsumerGroupSessionTimeout.
    pub(super) fn begin_session(&mut self, group: GroupId, member: MemberId, until_ms: i64) {
        let until = self.until(until_ms);
        self.timers.entry((group, member)).or_default().session = Some(until);
    }

    /// The time runs in which a member has to leave this epoch, or does not.
    /// Kafka: scheduleConsumerGroupRebalanceTimeout, cancelGroupRebalanceTimeout.
    pub(super) fn set_rebalance(
        &mut self,
        group: GroupId,
        member: MemberId,
        rebalance: Option<(i64, u32)>,
    ) {
        let rebalance = rebalance.map(|(at_ms, epoch)| (self.until(at_ms), epoch));
        self.timers.entry((group, member)).or_default().rebalance = rebalance;
    }

    /// Kafka: cancelTimers.
    pub(super) fn cancel(&mut self, group: GroupId, member: MemberId) {
        self.timers.remove(&(group, member));
    }

    /// What a timer led to was not committed in time: it runs again, in place of the one that the
    /// member has by now, if it has come back. Kafka: CoordinatorTimerImpl.schedule, which knows
    /// timers by the member's name.
    pub(super) fn retry(&mut self, due: Due, now_ms: i64) {
        let again_ms = now_ms + RETRY_BACKOFF_MS;
        match due.epoch {
            Some(epoch) => self.set_rebalance(due.group, due.member, Some((again_ms, epoch))),
            None => self.begin_session(due.group, due.member, again_ms),
        }
    }

    /// When the next timer runs down.
    pub(super) fn next_ms(&self) -> Option<i64> {
        self.timers.values().filter_map(Timers::next).min().map(|(at_ms, _)| at_ms)
    }

    /// Takes the timer that has run down first, if there is one.
    pub(super) fn take_due(&mut self, now_ms: i64) -> Option<Due> {
        let timers = self.timers.iter_mut();
        let next = timers.filter_map(|(whose, timers)| Some((timers.next()?, whose, timers)));
        let (until, (group, member), timers) = next.min_by_key(|(until, ..)| *until)?;
        if until.0 > now_ms {
            return None;
        }
        let (group, member) = (*group, *member);
        if let Some((_, epoch)) = timers.rebalance.filter(|(rebalance, _)| *rebalance == until) {
            timers.rebalance = None;
            let why = LeaveCause::RebalanceTimeout;
            return Some(Due { group, member, why, epoch: Some(epoch) });
        }
        timers.session = None;
        Some(Due { group, member, why: LeaveCause::SessionTimeout, epoch: None })
    }
}
