//! High watermarks and in-sync replica sets of the partitions that this broker leads.

use crate::broker::Broker;
use crate::broker::timers::Timer;
use crate::broker::work::{Progress, Task};
use crate::log::{FlushLook, Marks};
use crate::partition::lead::Proposal;
use inflight_des::{Instant, Span};
use inflight_protocol::{Cluster, Fact, FactKind, Offset, TopicPartition, Turn};

impl Broker {
    /// Lets a leader's high watermark rise as far as it may. Returns whether it rose.
    #[inline]
    pub(super) fn raise_high_watermark(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        index: usize,
    ) -> bool {
        let lag_max = cluster.broker(self.id).replica_lag_time_max;
        let replica = &mut self.partitions[index];
        let from = replica.maybe_increment_high_watermark(turn.now(), lag_max, &self.metadata);
        let Some(before) = from else { return false };
        self.did_move_high_watermark(turn, index, before.high_watermark);
        self.did_move_last_stable(turn, index, before);
        true
    }

    /// As [`Broker::raise_high_watermark`], and answers the requests that waited for it.
    #[inline]
    pub(super) fn raise_high_watermark_and_wake(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        index: usize,
    ) {
        if self.raise_high_watermark(cluster, turn, index) {
            self.wake_produces(turn, self.partitions[index].id);
        }
    }

    /// Says that a high watermark has moved away from `from`.
    #[inline]
    pub(super) fn did_move_high_watermark(&self, turn: &mut Turn<'_>, index: usize, from: Offset) {
        let replica = &self.partitions[index];
        let (broker, partition, to) = (self.id, replica.id, replica.log.high_watermark());
        if to > from {
            turn.did(FactKind::HighWatermarkAdvanced.set(), || Fact::HighWatermarkAdvanced {
                broker,
                partition,
                from,
                to,
            });
        } else {
            turn.did(FactKind::HighWatermarkRegressed.set(), || Fact::HighWatermarkRegressed {
                broker,
                partition,
                from,
                to,
            });
        }
    }

    /// Says that a leader's last stable offset has moved, unless it is the high watermark that has
    /// moved and there are no transactions.
    #[inline]
    fn did_move_last_stable(&self, turn: &mut Turn<'_>, index: usize, before: Marks) {
        let replica = &self.partitions[index];
        let (broker, partition, after) = (self.id, replica.id, replica.log.marks());
        let (from, to) = (before.last_stable, after.last_stable);
        if (from < before.high_watermark || to < after.high_watermark) && from < to {
            turn.did(FactKind::LastStableOffsetAdvanced.set(), || Fact::LastStableOffsetAdvanced {
                broker,
                partition,
                from,
                to,
            });
        }
    }

    /// A leader's log or in-sync replica set changed: sees to it that a follower that falls behind
    /// is looked for. No follower can be out of sync before it was not caught up for
    /// replica.lag.time.max.ms, so the periodic look is armed no earlier.
    #[inline]
    pub(super) fn watch_in_sync_replicas(&mut self, cluster: &Cluster, index: usize) {
        let leadership = self.partitions[index].leadership();
        if let Some(at) = leadership.and_then(|leadership| leadership.earliest_caught_up()) {
            self.timers.arm(Timer::Isr, at + cluster.broker(self.id).replica_lag_time_max);
        }
    }

    /// The periodic look for followers that are out of sync, every half of
    /// replica.lag.time.max.ms. Kafka: ReplicaManager.maybeShrinkIsr.
    pub(super) fn check_in_sync_replicas(&mut self, cluster: &Cluster, turn: &mut Turn<'_>) {
        let now = turn.now();
        let lag_max = cluster.broker(self.id).replica_lag_time_max;
        let period = Span::from_nanos((lag_max.as_nanos() / 2).max(1));
        let tick = self.isr_tick(turn, period, now);
        if tick > now {
            self.timers.arm(Timer::Isr, tick);
            return;
        }
        let mut next: Option<Instant> = None;
        for index in 0..self.partitions.len() {
            if let Some(proposal) = self.partitions[index].maybe_shrink_isr(now, lag_max) {
                self.propose(turn, index, proposal);
            }
            let replica = &self.partitions[index];
            let Some(leadership) = replica.leadership() else { continue };
            if leadership.is_any_behind(replica.log.end()) {
                let at = leadership.earliest_caught_up().map(|at| at + lag_max);
                next = next.into_iter().chain(at).min();
            }
        }
        if let Some(at) = next {
            let later = now + Span::from_nanos(1);
            let tick = self.isr_tick(turn, period, at.max(later));
            self.timers.arm(Timer::Isr, tick);
        }
    }

    /// The first periodic look at or after `at`. Where the looks fall in their period is drawn
    /// when it first matters.
    fn isr_tick(&mut self, turn: &mut Turn<'_>, period: Span, at: Instant) -> Instant {
        let stream = self.streams.isr_phase;
        let phase = *self
            .isr_phase
            .get_or_insert_with(|| Span::from_nanos(turn.chance().pick(stream, period.as_nanos())));
        let since = at.since(Instant::START + phase).as_nanos();
        Instant::START + phase + period.times(since.div_ceil(period.as_nanos()))
    }

    /// Asks the controller for another in-sync replica set.
    pub(super) fn propose(&mut self, turn: &mut Turn<'_>, index: usize, proposal: Proposal) {
        let partition = self.partitions[index].id;
        turn.did(FactKind::IsrProposed.set(), || Fact::IsrProposed {
            broker: self.id,
            partition,
            from: proposal.from,
            to: proposal.to,
        });
        self.submit_proposal(turn, index, proposal);
    }

    /// Flushes behind a segment that was rolled, once the work at hand is done, and sees to it
    /// that flush.ms is looked after.
    #[inline]
    pub(super) fn flush_soon(&mut self, cluster: &Cluster, now: Instant, index: usize) {
        let replica = &self.partitions[index];
        if let Some(to) = replica.log.flush_rolled_due() {
            self.tasks.push_back(Task::Flush(replica.id, to));
        }
        if let Some(interval) = cluster.broker(self.id).log_flush_scheduler_interval
            && replica.config(cluster).flush_interval.is_some()
        {
            self.timers.arm(Timer::Flush, next_multiple(now, interval));
        }
    }

    /// The periodic look for logs whose flush.ms is over. Kafka: LogManager.flushDirtyLogs.
    pub(super) fn flush_old_logs(&mut self, cluster: &Cluster, now: Instant) {
        let Some(interval) = cluster.broker(self.id).log_flush_scheduler_interval else { return };
        for replica in &self.partitions {
            match replica.log.flush_interval_due(replica.config(cluster), now) {
                FlushLook::Flush(to) => self.tasks.push_back(Task::Flush(replica.id, to)),
                FlushLook::Later => self.timers.arm(Timer::Flush, next_multiple(now, interval)),
                FlushLook::Clean => {}
            }
        }
    }

    /// Flushes a log.
    pub(super) fn flush_to(
        &mut self,
        turn: &mut Turn<'_>,
        partition: TopicPartition,
        to: Offset,
    ) -> Progress {
        let Some(index) = self.replica_index(partition) else { return Progress::Volatile };
        let log = &mut self.partitions[index].log;
        if !log.flush(to, turn.now()) {
            return Progress::Volatile;
        }
        let (broker, to) = (self.id, log.flushed());
        turn.did(FactKind::LogFlushed.set(), || Fact::LogFlushed { broker, partition, to });
        Progress::Durable
    }
}

/// The first multiple of `interval` after `now`.
fn next_multiple(now: Instant, interval: Span) -> Instant {
    let nanos = interval.as_nanos().max(1);
    Instant::from_nanos((now.as_nanos() / nanos + 1).saturating_mul(nanos))
}
