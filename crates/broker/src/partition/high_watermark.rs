//! The rule of the high watermark. Kafka: Partition.maybeIncrementLeaderHW.

use crate::log::Marks;
use crate::metadata_cache::MetadataCache;
use crate::partition::{Leadership, Partition};
use inflight_des::{Instant, Span};
use inflight_protocol::Offset;

impl Partition {
    /// Lets the high watermark of a leader rise as far as it may. Returns what was before, if it
    /// rose.
    #[inline]
    pub(crate) fn maybe_increment_high_watermark(
        &mut self,
        now: Instant,
        lag_max: Span,
        metadata: &MetadataCache,
    ) -> Option<Marks> {
        let leadership = self.leadership.as_ref()?;
        if self.is_under_min_isr(leadership) {
            return None;
        }
        let candidate = leadership.high_watermark(self.log.end(), now, lag_max, metadata)?;
        if candidate <= self.log.high_watermark() {
            return None;
        }
        self.log.set_high_watermark(candidate, now)
    }

    /// Whether too few replicas are in sync for the high watermark to rise.
    /// Kafka: Partition.isUnderMinIsr.
    #[inline]
    pub(crate) const fn is_under_min_isr(&self, leadership: &Leadership) -> bool {
        leadership.in_sync.committed().len() < self.min_isr
    }
}

impl Leadership {
    /// The smallest log end of the leader, the maximal in-sync replica set, and of whoever else
    /// is caught up and may join it soon. `None` as long as one of these has not fetched yet.
    #[inline]
    fn high_watermark(
        &self,
        leader_end: Offset,
        now: Instant,
        lag_max: Span,
        metadata: &MetadataCache,
    ) -> Option<Offset> {
        let maximal = self.in_sync.maximal();
        let mut candidate = leader_end;
        for remote in &self.remotes {
            if remote.log_end.is_some_and(|end| end >= candidate) {
                continue;
            }
            let waits = maximal.contains(remote.broker)
                || (remote.is_caught_up(leader_end, now, lag_max)
                    && metadata.may_join(remote.broker, remote.epoch));
            if waits {
                candidate = remote.log_end?;
            }
        }
        Some(candidate)
    }
}
