//! What a leader knows of one follower.

use inflight_des::{Instant, Span};
use inflight_protocol::{BrokerEpoch, BrokerId, ConnectionId, Offset};

/// A follower as its leader sees it. Kafka: server/replica/Replica, ReplicaState.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Remote {
    /// The follower.
    pub(crate) broker: BrokerId,
    /// The offset that it last fetched from, which is where its log ends. `None` before its first
    /// fetch from this leader.
    pub(crate) log_end: Option<Offset>,
    /// The latest instant at which it was known to have all that the leader had.
    pub(crate) last_caught_up: Option<Instant>,
    /// The broker epoch in its last fetch.
    pub(crate) epoch: Option<BrokerEpoch>,
    /// When it last fetched, and where the leader's log ended then.
    last_fetch: Option<(Instant, Offset)>,
    /// Which fetch request that was, in the leader's count.
    pub(crate) fetch: u32,
    /// The high watermark that it was last told, and on which connection.
    /// Kafka: FetchSession.CachedPartition.
    pub(crate) told: Option<(ConnectionId, Offset)>,
}

impl Remote {
    /// A follower of which nothing is known.
    pub(crate) const fn new(broker: BrokerId) -> Self {
        Self {
            broker,
            log_end: None,
            last_caught_up: None,
            epoch: None,
            last_fetch: None,
            fetch: 0,
            told: None,
        }
    }

    /// A new leader epoch starts at `leader_end`. A follower in sync counts as caught up now, any
    /// other one not at all, so that it does not hold the high watermark back.
    /// Kafka: Replica.resetReplicaState.
    pub(crate) fn reset(&mut self, now: Instant, leader_end: Offset, term: Term, in_sync: InSync) {
        self.last_caught_up = match in_sync {
            InSync::Yes => Some(now),
            InSync::No => None,
        };
        self.told = None;
        match term {
            Term::First => {
                self.log_end = None;
                self.epoch = None;
                self.last_fetch = None;
            }
            Term::Again => {
                self.last_fetch = self.last_caught_up.map(|at| (at, leader_end));
            }
        }
    }

    /// A fetch from `offset` arrived while the leader's log ended at `leader_end`.
    /// Kafka: Replica.updateFetchStateOrThrow, after its check of the broker epoch.
    #[inline]
    pub(crate) fn fetched(
        &mut self,
        offset: Offset,
        leader_end: Offset,
        now: Instant,
        epoch: BrokerEpoch,
    ) {
        if offset >= leader_end {
            self.last_caught_up = Some(now);
        } else if let Some((at, end_then)) = self.last_fetch
            && offset >= end_then
        {
            self.last_caught_up = self.last_caught_up.max(Some(at));
        }
        let end_then = self.last_fetch.map_or(leader_end, |(_, end)| end.max(leader_end));
        self.last_fetch = Some((now, end_then));
        self.log_end = Some(offset);
        self.epoch = Some(epoch);
    }

    /// Whether it has everything, or had everything not long ago. Kafka: ReplicaState.isCaughtUp.
    #[inline]
    pub(crate) fn is_caught_up(&self, leader_end: Offset, now: Instant, lag_max: Span) -> bool {
        self.log_end == Some(leader_end)
            || self.last_caught_up.is_some_and(|at| now.since(at) <= lag_max)
    }
}

/// Whether the leader led already when its new epoch began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Term {
    /// It did not.
    First,
    /// It did.
    Again,
}

/// Whether a follower is in the in-sync replica set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InSync {
    /// It is.
    Yes,
    /// It is not.
    No,
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAG_MAX: Span = Span::from_secs(30);

    const fn secs(seconds: u64) -> Instant {
        Instant::from_nanos(seconds * 1_000_000_000)
    }

    fn fetched(remote: &mut Remote, offset: u64, leader_end: u64, at: u64) {
        remote.fetched(Offset::new(offset), Offset::new(leader_end), secs(at), BrokerEpoch::new(1));
    }

    #[test]
    fn a_follower_that_always_trails_a_little_is_caught_up() {
        let mut remote = Remote::new(BrokerId::new(2));
        remote.reset(secs(0), Offset::ZERO, Term::First, InSync::Yes);
        // Each fetch has what the leader had at the fetch before, never what it has now.
        for second in 1..100 {
            fetched(&mut remote, second * 10 - 10, second * 10, second);
        }
        assert_eq!(remote.last_caught_up, Some(secs(98)));
        assert!(remote.is_caught_up(Offset::new(2_000), secs(120), LAG_MAX));
        assert!(!remote.is_caught_up(Offset::new(2_000), secs(129), LAG_MAX));
    }

    #[test]
    fn an_idle_follower_with_the_same_end_is_caught_up_for_ever() {
        let mut remote = Remote::new(BrokerId::new(2));
        remote.reset(secs(0), Offset::ZERO, Term::First, InSync::Yes);
        fetched(&mut remote, 7, 7, 1);
        assert!(remote.is_caught_up(Offset::new(7), secs(1_000), LAG_MAX));
        assert!(!remote.is_caught_up(Offset::new(8), secs(1_000), LAG_MAX));
    }

    #[test]
    fn a_follower_out_of_sync_is_not_caught_up_before_it_fetched() {
        let mut remote = Remote::new(BrokerId::new(2));
        remote.reset(secs(1), Offset::ZERO, Term::First, InSync::No);
        assert!(!remote.is_caught_up(Offset::ZERO, secs(1), LAG_MAX));
        fetched(&mut remote, 0, 5, 2);
        assert!(!remote.is_caught_up(Offset::new(5), secs(2), LAG_MAX));
    }

    #[test]
    fn a_leader_that_is_elected_again_keeps_what_it_knows() {
        let mut remote = Remote::new(BrokerId::new(2));
        fetched(&mut remote, 7, 9, 1);
        remote.reset(secs(2), Offset::new(9), Term::Again, InSync::Yes);
        assert_eq!(remote.log_end, Some(Offset::new(7)));
        assert_eq!(remote.epoch, Some(BrokerEpoch::new(1)));
        remote.reset(secs(3), Offset::new(9), Term::First, InSync::Yes);
        assert_eq!(remote.log_end, None);
    }
}
