//! What of a replica is on disk, and what a crash leaves of it.
//!
//! An append reaches the page cache, which outlives the process but not the machine. Only a flush
//! makes it durable: when a segment is rolled, every flush.messages, every flush.ms if the broker
//! looks, and at a clean shutdown. The leader epochs are written through, and the high watermark
//! is checkpointed every few seconds.
//! Kafka: UnifiedLog.flush, LogManager.flushDirtyLogs, ReplicaManager.checkpointHighWatermarks.

use inflight_des::{Instant, Span};
use inflight_protocol::Offset;

/// The high watermark in the checkpoint file, worked out instead of written: it is the one that
/// held at the last multiple of the interval. Kafka: ReplicaManager.checkpointHighWatermarks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HighWatermarkCheckpoint {
    /// What the file says, as long as `due` is not over.
    value: Offset,
    /// When the file is written next.
    due: Instant,
    interval: Span,
}

impl HighWatermarkCheckpoint {
    /// The broker starts at `started`, and its first write is then.
    pub(crate) fn new(value: Offset, started: Instant, interval: Span) -> Self {
        let interval = interval.max(Span::from_nanos(1));
        Self { value, due: started + interval, interval }
    }

    /// The high watermark is about to change from `from` at `now`.
    #[inline]
    pub(crate) fn before_change(&mut self, from: Offset, now: Instant) {
        if now >= self.due {
            self.value = from;
            let passed = now.since(self.due).as_nanos() / self.interval.as_nanos();
            self.due += self.interval.times(passed + 1);
        }
    }

    /// The process is gone: the file says this from now on.
    pub(crate) const fn write(&mut self, value: Offset) {
        self.value = value;
        self.due = Instant::NEVER;
    }

    /// What the file says at `now` if the high watermark is `current`.
    pub(crate) fn read(&self, current: Offset, now: Instant) -> Offset {
        if now >= self.due { current } else { self.value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_up_to_five_seconds_old() {
        let (at, offset) = (|secs| Instant::START + Span::from_secs(secs), Offset::new);
        let mut checkpoint =
            HighWatermarkCheckpoint::new(Offset::ZERO, Instant::START, Span::from_secs(5));
        checkpoint.before_change(offset(0), at(1));
        assert_eq!(checkpoint.read(offset(10), at(4)), offset(0));
        assert_eq!(checkpoint.read(offset(10), at(5)), offset(10));
        checkpoint.before_change(offset(10), at(6));
        checkpoint.before_change(offset(11), at(9));
        assert_eq!(checkpoint.read(offset(12), at(9)), offset(10), "as of second 5");
        checkpoint.before_change(offset(12), at(31));
        assert_eq!(checkpoint.read(offset(13), at(32)), offset(12), "as of second 30");
    }
}
