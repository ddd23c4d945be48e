//! A follower takes over what its leader sent: batch by batch, or a cut.
//!
//! Kafka: AbstractFetcherThread.processFetchRequest, ReplicaFetcherThread.processPartitionData.

use crate::broker::Broker;
use crate::broker::work::{Progress, Task};
use crate::log::{Truncation, expiration};
use crate::partition::follow::{EveryOther, Replicated};
use inflight_protocol::fact::AppendOrigin;
use inflight_protocol::message::FetchPartitionResponse;
use inflight_protocol::{
    BrokerId, Cluster, Defect, ErrorCode, Fact, FactKind, RecordBatch, TopicPartition, Turn,
};

/// How far one entry of a response is taken over.
enum EntryStep {
    /// It is done with, and something durable has changed.
    DoneDurably,
    /// It is done with.
    Done,
    /// A batch was written, and more are there.
    More,
}

impl Broker {
    /// Takes over the next batch or the next cut of a leader's response; then the next fetch is
    /// sent.
    pub(super) fn replicate(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        source: BrokerId,
    ) -> Progress {
        let index = source.index();
        loop {
            let fetcher = &mut self.fetchers[index];
            if !fetcher.is_writing() {
                return Progress::Volatile;
            }
            let cursor = fetcher.cursor;
            let Some(entry) = fetcher.incoming.partitions.get(cursor.entry).copied() else {
                self.fetcher_written(cluster, turn, index);
                return Progress::Volatile;
            };
            let step = self.take_over(cluster, turn, index, &entry);
            let fetcher = &mut self.fetchers[index];
            if let EntryStep::More = step {
                fetcher.cursor.written += 1;
                self.tasks.push_front(Task::Replicate(source));
                self.flush_before_going_on(cluster, entry.partition);
                return Progress::Durable;
            }
            fetcher.cursor.entry += 1;
            fetcher.cursor.first_batch += entry.batches as usize;
            fetcher.cursor.written = 0;
            fetcher.skip_values();
            if let EntryStep::DoneDurably = step {
                let is_last = fetcher.cursor.entry == fetcher.incoming.partitions.len();
                let flushes = self.flush_before_going_on(cluster, entry.partition);
                if is_last && !flushes {
                    self.fetcher_written(cluster, turn, index);
                } else {
                    self.tasks.push_back(Task::Replicate(source));
                }
                return Progress::Durable;
            }
            if turn.effects() > 0 {
                // The next entry may change something that lasts.
                self.tasks.push_front(Task::Replicate(source));
                return Progress::Volatile;
            }
        }
    }

    /// With flush.messages an append returns only when the flush is done.
    fn flush_before_going_on(&mut self, cluster: &Cluster, partition: TopicPartition) -> bool {
        let Some(index) = self.replica_index(partition) else { return false };
        let replica = &self.partitions[index];
        let due = replica.log.flush_messages_due(replica.config(cluster));
        if let Some(to) = due {
            self.tasks.push_front(Task::Flush(partition, to));
        }
        due.is_some()
    }

    /// Takes over the next piece of one entry, unless the partition has another leader or epoch by
    /// now, or is at another offset.
    fn take_over(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        fetcher_index: usize,
        entry: &FetchPartitionResponse,
    ) -> EntryStep {
        let now = turn.now();
        let Some(index) = self.replica_index(entry.partition) else { return EntryStep::Done };
        let fetcher = &mut self.fetchers[fetcher_index];
        let cursor = fetcher.cursor;
        let end = self.partitions[index].log.end();
        let Some(state) = fetcher.state_mut(entry.partition) else { return EntryStep::Done };
        let is_current = state.requested.is_some_and(|offset| cursor.written > 0 || offset == end);
        if !is_current || state.ready_at > now {
            return EntryStep::Done;
        }
        if let Some(error) = entry.error {
            self.fetch_refused(cluster, turn, fetcher_index, entry.partition, error);
            return EntryStep::Done;
        }
        if let Some(diverging) = entry.diverging_epoch {
            let expiration = expiration(cluster.broker(self.id));
            let cut = self.partitions[index].truncate_to_divergence(diverging, now, expiration);
            let Some(cut) = cut else { return EntryStep::Done };
            self.did_truncate(turn, index, cut);
            return EntryStep::DoneDurably;
        }
        let epoch = state.epoch;
        let first = cursor.first_batch + cursor.written;
        let left = entry.batches as usize - cursor.written;
        // What a leader of a later epoch wrote is left for the fetch in that epoch (KAFKA-18723).
        let batch = fetcher.incoming.batches.get(first).copied();
        let batch = batch.filter(|batch| left > 0 && batch.leader_epoch <= epoch);
        let Some(batch) = batch else {
            self.follow_high_watermark(turn, index, entry);
            return EntryStep::Done;
        };
        self.replicate_batch(cluster, turn, (fetcher_index, index), batch);
        if left > 1 {
            return EntryStep::More;
        }
        self.follow_high_watermark(turn, index, entry);
        EntryStep::DoneDurably
    }

    #[inline]
    fn replicate_batch(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        (fetcher_index, index): (usize, usize),
        batch: RecordBatch,
    ) {
        let is_skipping = cluster.defects.has(Defect::SkipReplication);
        let every_other = if is_skipping { EveryOther::Skipped } else { EveryOther::Written };
        let (id, expiration) = (self.id, expiration(cluster.broker(self.id)));
        let replica = &mut self.partitions[index];
        let (partition, topic) = (replica.id, replica.config(cluster));
        replica.log.expire_producers(turn.now(), expiration, |producer_id| {
            turn.did(FactKind::ProducerStateExpired.set(), || Fact::ProducerStateExpired {
                broker: id,
                partition,
                producer_id,
            });
        });
        let values = self.fetchers[fetcher_index].take_values(&batch);
        let replicated = replica.replicate(batch, values, topic, every_other);
        if let Replicated::Written(completed) = replicated {
            self.did_append(turn, partition, &batch, completed, AppendOrigin::Replication);
        }
        self.flush_soon(cluster, turn.now(), index);
    }

    fn follow_high_watermark(
        &mut self,
        turn: &mut Turn<'_>,
        index: usize,
        entry: &FetchPartitionResponse,
    ) {
        let replica = &mut self.partitions[index];
        if let Some(before) = replica.follow_high_watermark(entry.high_watermark, turn.now()) {
            self.did_move_high_watermark(turn, index, before.high_watermark);
        }
    }

    /// The leader has an error for a partition: it is delayed, or left alone until metadata tells
    /// of another epoch. Kafka: AbstractFetcherThread.onPartitionFenced, delayPartitions.
    ///
    /// OFFSET_OUT_OF_RANGE would make Kafka ask for the leader's offsets. It cannot happen here:
    /// nothing is deleted at the start of a log, and whoever is past the leader's end diverges.
    fn fetch_refused(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        fetcher_index: usize,
        partition: TopicPartition,
        error: ErrorCode,
    ) {
        let until = turn.now() + cluster.broker(self.id).replica_fetch_backoff;
        let fetcher = &mut self.fetchers[fetcher_index];
        if error == ErrorCode::FencedLeaderEpoch {
            fetcher.remove(partition);
        } else if let Some(state) = fetcher.state_mut(partition) {
            state.ready_at = until;
        }
    }

    /// Says that a log was cut.
    pub(super) fn did_truncate(&self, turn: &mut Turn<'_>, index: usize, cut: Truncation) {
        let (broker, partition) = (self.id, self.partitions[index].id);
        let (from, to) = cut.end;
        turn.did(FactKind::LogTruncated.set(), || Fact::LogTruncated {
            broker,
            partition,
            from,
            to,
        });
        let (from, to) = cut.high_watermark;
        if to < from {
            turn.did(FactKind::HighWatermarkRegressed.set(), || Fact::HighWatermarkRegressed {
                broker,
                partition,
                from,
                to,
            });
        }
    }
}
