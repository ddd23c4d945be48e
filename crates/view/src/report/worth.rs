//! Which pictures say something of a scenario. The others would only be long.

use super::Told;
use crate::Story;
use crate::kind::Kind;
use inflight_des::Span;
use inflight_protocol::Fact;
use inflight_protocol::fact::{DrainReason, ExpiryPlace};

/// From when on it is worth showing that a call of send() waited.
const LONG_WAIT: Span = Span::from_millis(50);

/// What happened in one run or its twin.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Worth {
    /// Calls waited, batches expired before they left, or the twin makes other batches.
    waits: bool,
    /// A batch was sent again, or its delivery failed.
    retries: bool,
    /// A leader recognised or refused a batch.
    compares: bool,
}

impl Worth {
    pub(super) fn of(told: &Told<'_>) -> Self {
        let runs = std::iter::once(&told.story).chain(told.cure.iter().map(|cure| &cure.story));
        let mut worth = Self::default();
        for story in runs {
            for (_, fact) in story.facts {
                worth.on_fact(fact);
            }
        }
        // Where nothing fails, batches that differ are what the fix is about.
        if let Some(cure) = &told.cure {
            worth.waits |= !worth.retries && batches(&told.story) != batches(&cure.story);
        }
        worth
    }

    fn on_fact(&mut self, fact: &Fact) {
        match fact {
            Fact::SendReturned { waited, .. } => self.waits |= *waited >= LONG_WAIT,
            Fact::BatchExpired { place, .. } => {
                self.waits |= *place == ExpiryPlace::Queued;
                self.retries = true;
            }
            Fact::BatchRequeued { .. } | Fact::RecordsFailed { .. } => self.retries = true,
            Fact::DuplicateRecognized { .. } | Fact::BatchRejected { .. } => self.compares = true,
            _ => {}
        }
    }

    /// Whether a page has a picture of this kind.
    pub(super) const fn shows(self, kind: Kind) -> bool {
        match kind {
            Kind::Sequence | Kind::Log | Kind::Txn | Kind::Truth | Kind::Overview => true,
            Kind::Pipeline => self.waits,
            Kind::Latency => self.waits || self.retries,
            Kind::Dedup => self.compares,
        }
    }
}

/// How many batches a run sends for the first time.
fn batches(story: &Story<'_>) -> usize {
    let first = |fact: &Fact| matches!(fact, Fact::BatchDrained { attempt: 0, reason, .. } if *reason != DrainReason::Retry);
    story.facts.iter().filter(|(_, fact)| first(fact)).count()
}
