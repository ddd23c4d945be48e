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
}

const TIMERS: usize = Timer::AlterPartition as usize + 1;

/// For each timer an instant that is not after the earliest thing it waits for. What is finished
/// early leaves its instant behind: waking up for nothing is cheaper than looking for the next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timers {
    at: [Instant; TIMERS],
}

impl Timers {
    /// Nothing is waited for.
    pub(crate) const fn new() -> Self {
        Self { at: [Instant::NEVER; TIMERS] }
    }

    /// Wakes at `at` at the latest.
    #[inline]
    pub(crate) fn arm(&mut self, timer: Timer, at: Instant) {
        let slot = &mut self.at[timer as usize];
        *slot = at.min(*slot);
    }

    /// Wakes at `at`, not before.
    #[inline]
    pub(crate) fn set(&mut self, timer: Timer, at: Instant) {
        self.at[timer as usize] = at;
    }

    /// The earliest instant.
    #[inline]
    pub(crate) fn next(&self) -> Option<Instant> {
        let next = self.at.iter().copied().min().unwrap_or(Instant::NEVER);
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
