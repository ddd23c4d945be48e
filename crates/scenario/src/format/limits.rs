//! Limits of a run.

use inflight_des::{Budget, Instant, Span};
use inflight_sim::Setup;

object! {
    /// Limits of a run.
    struct Limits {
        /// The longest time of a run.
        "horizon" horizon: optional Span,
        /// The greatest number of events.
        "events" events: optional u64,
        /// How long the cluster may take to settle when all work and all faults are over.
        "settle" settle: optional Span,
    }
}

impl Limits {
    /// The limits, with those that every run has.
    pub(crate) fn complete(limits: Option<&Self>) -> (Budget, Span) {
        let common = Setup::default_budget();
        let horizon = limits.and_then(|limits| limits.horizon);
        let horizon = horizon.map_or(common.horizon, |span| Instant::START + span);
        let events = limits.and_then(|limits| limits.events).unwrap_or(common.events);
        let settle = limits.and_then(|limits| limits.settle).unwrap_or(Setup::SETTLE);
        (Budget { events, horizon }, settle)
    }
}
