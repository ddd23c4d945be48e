//! When a broker wants to be woken.

use inflight_des::Instant;

/// What a broker waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Timer {
    /// The next word to the controller: heartbeat or registration.
    Lifecycle,
    /// A commit of the metadata log is to be applied.
    Metadata,
    /// A request handler is done with a request.
    Handler,
    /// A produce request in the purgatory expires.
    Produce,
    /// A fetch request in the purgatory expires.
    Fetch,
    /// A fetcher's backoff, connection attempt or request is over.
    Fetcher,
    /// A follower may be out of sync.
    Isr,
    /// Logs whose flush.ms is over are looked for.
    Flush,
    /// The controller has not answered a proposal, or is to be asked again.
    AlterPartition,
    /// A leader's channel to a coordinator has to connect again or is not answered.
    AddPartitions,
    /// A coordinator is to be asked again about a batch.
    Verification,
    /// The same as for coordinators, for the markers of a coordinator.
    Markers,
    /// What a coordinator has written was not committed in time.
    Append,
    /// A coordinator has read its partition.
    Load,
    /// A transaction may be over its time.
    AbortTransactions,
    /// A transactional id may be forgotten.
    ExpireTransactions,
    /// A consumer's fetch in the purgatory expires.
    Reader,
    /// A group coordinator has read its partition.
    GroupLoad,
    /// A group has something to do, or what was written for one was not committed in time.
    Groups,
}

const TIMERS: usize = Timer::Groups as usize + 1;
/// How many of them, the first ones, a run without transactions and consumers needs.
const USUAL: usize = Timer::AlterPartition as usize + 1;

/// For each timer an instant that is not after the earliest thing it waits for. What is finished
/// early leaves its instant behind: waking up for nothing is cheaper than looking for the next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timers {
    at: [Instant; TIMERS],
    /// Not after the earliest of those that only transactions need.
    unusual: Instant,
}

impl Timers {
    /// Nothing is waited for.
    pub(crate) const fn new() -> Self {
        Self { at: [Instant::NEVER; TIMERS], unusual: Instant::NEVER }
    }

    /// Wakes at `at` at the latest.
    #[inline]
    pub(crate) fn arm(&mut self, timer: Timer, at: Instant) {
        let slot = &mut self.at[timer as usize];
        *slot = at.min(*slot);
        if timer as usize >= USUAL {
            self.unusual = at.min(self.unusual);
        }
    }

    /// Wakes at `at`, not before.
    #[inline]
    pub(crate) fn set(&mut self, timer: Timer, at: Instant) {
        debug_assert!((timer as usize) < USUAL, "a timer of transactions is armed");
        self.at[timer as usize] = at;
    }

    /// Whether a timer that only transactions need may be due; the caller looks at all of them.
    #[inline]
    pub(crate) fn unusual_due(&mut self, now: Instant) -> bool {
        let due = self.unusual <= now;
        if due {
            let later = self.at[USUAL..].iter().copied().filter(|at| *at > now);
            self.unusual = later.min().unwrap_or(Instant::NEVER);
        }
        due
    }

    /// The earliest instant.
    #[inline]
    pub(crate) fn next(&self) -> Option<Instant> {
        let usual = self.at[..USUAL].iter().copied().min().unwrap_or(Instant::NEVER);
        let next = usual.min(self.unusual);
        (next != Instant::NEVER).then_some(next)
    }

    /// Whether a timer is due; if so, it is disarmed.
    #[inline]
    pub(crate) fn take_due(&mut self, timer: Timer, now: Instant) -> bool {
        let slot = &mut self.at[timer as usize];
        let due = *slot <= now;
        if due {
            *slot = Instant::NEVER;
        }
        due
    }
}
