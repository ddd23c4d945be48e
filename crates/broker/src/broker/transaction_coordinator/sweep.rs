//! Transactions that are over their time, and ids that nobody uses.
//!
//! Kafka: TransactionCoordinator.abortTimedOutTransactions,
//! TransactionStateManager.removeExpiredTransactionalIds. Both are looked for at intervals; where
//! the looks fall in their intervals is drawn when it first matters.

use super::EndCaller;
use crate::broker::Broker;
use crate::broker::coordinator_append::{AppendOrder, Then};
use crate::broker::inter_broker::REQUEST_TIMEOUT;
use crate::broker::timers::Timer;
use crate::broker::transaction_state_manager::CacheEntry;
use crate::transaction_metadata::{End, EndOrigin, TransactionMetadata};
use inflight_des::{Instant, Span};
use inflight_protocol::transaction::{InternalRecord, TransactionLogValue};
use inflight_protocol::{
    Cluster, Defect, Fact, FactKind, ProducerIdAndEpoch, Timestamp, TransactionResult,
    TransactionState, TransactionVersion, TransactionalId, Turn,
};
use smallvec::SmallVec;

impl Broker {
    /// A transactional id has changed: sees to it that it is looked at when its time is over.
    pub(in crate::broker) fn watch_transaction(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        value: &TransactionLogValue,
    ) {
        match (value.state, value.start) {
            (TransactionState::Ongoing, Some(start)) => {
                self.watch_timeout(cluster, turn, start, value.timeout_ms);
            }
            (
                TransactionState::Empty
                | TransactionState::CompleteCommit
                | TransactionState::CompleteAbort,
                _,
            ) => self.watch_expiry(cluster, turn, value.last_update),
            _ => {}
        }
    }

    /// As [`Broker::watch_transaction`], for all ids.
    pub(in crate::broker) fn watch_transactions(&mut self, cluster: &Cluster, turn: &mut Turn<'_>) {
        let all = self.transactions.loaded().flat_map(|entry| &entry.ids);
        let ongoing = all.clone().filter(|metadata| metadata.state == TransactionState::Ongoing);
        let ends = ongoing.filter_map(|metadata| Some((metadata.start?, metadata.timeout_ms)));
        let first = ends.min_by_key(|(start, timeout)| start.get() + i64::from(*timeout));
        let oldest = all.map(|metadata| metadata.last_update).min();
        if let Some((start, timeout_ms)) = first {
            self.watch_timeout(cluster, turn, start, timeout_ms);
        }
        if let Some(oldest) = oldest {
            self.watch_expiry(cluster, turn, oldest);
        }
    }

    fn watch_timeout(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        start: Timestamp,
        timeout_ms: u32,
    ) {
        let config = cluster.broker(self.id);
        let period = config.transaction_abort_timed_out_transaction_cleanup_interval;
        let stream = self.streams.transaction_abort_phase;
        let phase = &mut self.transactions.abort_phase;
        let phase = *phase.get_or_insert_with(|| draw_phase(turn, stream, period));
        // It has to be over for a whole millisecond.
        let over = instant_of(start) + Span::from_millis(u64::from(timeout_ms) + 1);
        self.timers.arm(Timer::AbortTransactions, tick(phase, period, over, turn.now()));
    }

    /// An id that nobody uses from this time on is looked at when it may be forgotten.
    pub(super) fn watch_expiry(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        last_update: Timestamp,
    ) {
        let config = cluster.broker(self.id);
        let period = config.transaction_remove_expired_transaction_cleanup_interval;
        let stream = self.streams.transaction_expire_phase;
        let phase = &mut self.transactions.expire_phase;
        let phase = *phase.get_or_insert_with(|| draw_phase(turn, stream, period));
        let over = instant_of(last_update) + config.transactional_id_expiration;
        self.timers.arm(Timer::ExpireTransactions, tick(phase, period, over, turn.now()));
    }

    /// Aborts the transactions that are over their time, each with a raised epoch, so that its
    /// producer is fenced.
    pub(in crate::broker) fn abort_timed_out_transactions(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
    ) {
        let now = Timestamp::at(turn.now());
        let ids = self.transactions.loaded().flat_map(|entry| &entry.ids);
        let ids = ids.filter(|metadata| metadata.is_timed_out(now));
        let ids: SmallVec<[TransactionalId; 4]> = ids.map(|metadata| metadata.id).collect();
        for id in ids {
            self.abort_timed_out(cluster, turn, id);
        }
        self.watch_transactions(cluster, turn);
    }

    fn abort_timed_out(&mut self, cluster: &Cluster, turn: &mut Turn<'_>, id: TransactionalId) {
        let keeps_epoch = cluster.defects.has(Defect::TimeoutWithoutEpochBump);
        let broker = self.id;
        let fenced = self.with_transaction(cluster, id, |_, _, metadata| {
            let metadata = metadata?;
            let own = ProducerIdAndEpoch { id: metadata.producer_id, epoch: metadata.epoch() };
            turn.did(FactKind::TransactionTimedOut.set(), || Fact::TransactionTimedOut {
                broker,
                transactional_id: id,
                producer_id: own.id,
                producer_epoch: own.epoch,
            });
            Some(if keeps_epoch { own } else { metadata.prepare_fence() })
        });
        let Ok(Some(producer)) = fenced else { return };
        let version =
            if keeps_epoch { TransactionVersion::V0 } else { cluster.transaction_version };
        let (result, origin) = (TransactionResult::Abort, EndOrigin::Coordinator);
        let end = End { producer, result, version, origin };
        self.end_transaction(cluster, turn, id, end, EndCaller::Timeout);
    }

    /// Forgets the ids that were not used for transactional.id.expiration.ms: tombstones are
    /// written, one batch a partition.
    pub(in crate::broker) fn remove_expired_transactional_ids(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
    ) {
        let now = Timestamp::at(turn.now());
        let after = cluster.broker(self.id).transactional_id_expiration.as_millis() as i64;
        let mut orders: SmallVec<[AppendOrder; 1]> = SmallVec::new();
        for entry in self.transactions.loaded_mut() {
            let records = expire(entry, now, after);
            if !records.is_empty() {
                let (partition, epoch) = (entry.partition, entry.epoch);
                let (timeout, then) = (REQUEST_TIMEOUT, Then::Forget);
                orders.push(AppendOrder { partition, epoch, records, timeout, then });
            }
        }
        for order in orders {
            self.order_append(order);
        }
        self.watch_transactions(cluster, turn);
    }
}

fn expire(entry: &mut CacheEntry, now: Timestamp, after: i64) -> SmallVec<[InternalRecord; 1]> {
    let expired = entry.ids.iter_mut().filter(|metadata| metadata.is_expired(now, after));
    let forget = |metadata: &mut TransactionMetadata| {
        metadata.prepare_dead();
        InternalRecord::TransactionForgotten(metadata.id)
    };
    expired.map(forget).collect()
}

fn draw_phase(turn: &mut Turn<'_>, stream: inflight_des::StreamId, period: Span) -> Span {
    Span::from_nanos(turn.chance().pick(stream, period.as_nanos().max(1)))
}

/// The first look at or after `at` that is still to come.
fn tick(phase: Span, period: Span, at: Instant, now: Instant) -> Instant {
    let at = at.max(now + Span::from_nanos(1));
    let period = Span::from_nanos(period.as_nanos().max(1));
    let since = at.since(Instant::START + phase).as_nanos();
    Instant::START + phase + period.times(since.div_ceil(period.as_nanos()))
}

/// The instant at which every wall clock reads this.
fn instant_of(timestamp: Timestamp) -> Instant {
    let millis = timestamp.get() - Timestamp::RUN_START.get();
    Instant::START + Span::from_millis(u64::try_from(millis).unwrap_or(0))
}
