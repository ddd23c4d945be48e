//! Which records a reader gets of what was fetched.

use super::*;
use inflight_protocol::transaction::{CoordinatorEpoch, Marker};
use inflight_protocol::{BatchProducer, ProducerEpoch, Sequence, SessionId, Timestamp};

const P0: TopicPartition = TopicPartition::new(0);

fn producer(id: u64) -> Option<BatchProducer> {
    let (epoch, base_sequence) = (ProducerEpoch::new(0), Sequence::ZERO);
    Some(BatchProducer { id: ProducerId::new(id), base_sequence, epoch })
}

/// A batch of `count` records; the ordinal of a record is its offset.
fn batch(base: u64, count: u32, of: Option<BatchProducer>, kind: BatchKind) -> RecordBatch {
    RecordBatch {
        base_offset: Offset::new(base),
        records: RecordRun { first: base, count, session: SessionId::new(0) },
        producer: of,
        max_timestamp: Timestamp::RUN_START,
        bytes: 100,
        leader_epoch: LeaderEpoch::new(4),
        kind,
    }
}

fn plain(base: u64, count: u32) -> RecordBatch {
    batch(base, count, None, BatchKind::Plain)
}

fn data(base: u64, count: u32, of: u64) -> RecordBatch {
    batch(base, count, producer(of), BatchKind::Transactional)
}

fn marker(at: u64, of: u64, result: TransactionResult) -> RecordBatch {
    let marker = Marker { result, coordinator_epoch: CoordinatorEpoch(0) };
    batch(at, 1, producer(of), BatchKind::Marker(marker))
}

fn aborted(of: u64, first: u64) -> AbortedTransaction {
    AbortedTransaction { first_offset: Offset::new(first), producer_id: ProducerId::new(of) }
}

struct Read {
    fetch: CompletedFetch,
    returned: Vec<u64>,
    skipped: Vec<(u64, u32)>,
}

impl Read {
    fn committed(from: u64, batches: &[RecordBatch], aborted: &[AbortedTransaction]) -> Self {
        Self::of(IsolationLevel::ReadCommitted, from, batches, aborted)
    }

    fn of(
        isolation: IsolationLevel,
        from: u64,
        batches: &[RecordBatch],
        aborted: &[AbortedTransaction],
    ) -> Self {
        let (batches, aborted) = (batches.to_vec(), aborted.to_vec());
        let fetch = CompletedFetch::new(P0, Offset::new(from), isolation, None, batches, aborted);
        Self { fetch, returned: Vec::new(), skipped: Vec::new() }
    }

    fn take(&mut self, most: u32) -> u32 {
        let Self { fetch, returned, skipped } = self;
        fetch.take(most, |piece| match piece {
            Piece::Records(base, run) => {
                assert_eq!(base.get(), run.first, "offset and ordinal go together");
                returned.extend(run.first..run.end());
            }
            Piece::Aborted(base, count, _) => skipped.push((base.get(), count)),
        })
    }

    fn all(mut self) -> (Vec<u64>, u64) {
        self.take(u32::MAX);
        assert!(self.fetch.is_exhausted());
        (self.returned, self.fetch.next_offset().get())
    }
}

const COMMIT: TransactionResult = TransactionResult::Commit;
const ABORT: TransactionResult = TransactionResult::Abort;

#[test]
fn an_aborted_transaction_is_skipped_and_the_rest_is_returned() {
    // Producer 1 has 0-4 and aborts at 7; 5-6 are somebody else's.
    let log = [data(0, 5, 1), plain(5, 2), marker(7, 1, ABORT)];
    let mut read = Read::committed(0, &log, &[aborted(1, 0)]);
    read.take(500);
    assert_eq!((read.returned, read.skipped), (vec![5, 6], vec![(0, 5)]));
    assert_eq!(read.fetch.next_offset(), Offset::new(8));
    assert_eq!(read.fetch.last_epoch(), Some(LeaderEpoch::new(4)));
}

#[test]
fn whoever_reads_uncommitted_gets_aborted_records_but_no_markers() {
    let log = [data(0, 5, 1), plain(5, 2), marker(7, 1, ABORT)];
    let read = Read::of(IsolationLevel::ReadUncommitted, 0, &log, &[]);
    assert_eq!(read.all(), ((0..7).collect(), 8));
}

#[test]
fn the_transaction_after_an_aborted_one_counts() {
    let log =
        [data(0, 2, 1), marker(2, 1, ABORT), data(3, 2, 1), marker(5, 1, COMMIT), plain(6, 1)];
    assert_eq!(Read::committed(0, &log, &[aborted(1, 0)]).all(), (vec![3, 4, 6], 7));
}

#[test]
fn two_transactions_that_overlap_are_told_apart() {
    let log = [
        data(0, 2, 1),
        data(2, 2, 2),
        data(4, 1, 1),
        marker(5, 1, COMMIT),
        data(6, 1, 2),
        marker(7, 2, ABORT),
    ];
    assert_eq!(Read::committed(0, &log, &[aborted(2, 2)]).all(), (vec![0, 1, 4], 8));
}

#[test]
fn an_aborted_transaction_that_began_before_the_fetch_is_skipped() {
    let log = [data(10, 3, 1), marker(13, 1, ABORT)];
    assert_eq!(Read::committed(10, &log, &[aborted(1, 2)]).all(), (vec![], 14));
}

#[test]
fn two_aborted_transactions_of_one_producer_are_both_skipped() {
    let log = [data(0, 1, 1), marker(1, 1, ABORT), data(2, 1, 1), marker(3, 1, ABORT)];
    let aborts = [aborted(1, 2), aborted(1, 0)];
    assert_eq!(Read::committed(0, &log, &aborts).all(), (vec![], 4));
}

#[test]
fn plain_records_of_an_idempotent_producer_are_never_skipped() {
    let log = [batch(0, 2, producer(1), BatchKind::Plain), data(2, 1, 1), marker(3, 1, ABORT)];
    assert_eq!(Read::committed(0, &log, &[aborted(1, 0)]).all(), (vec![0, 1], 4));
}

#[test]
fn a_position_inside_a_batch_skips_what_is_before_it() {
    assert_eq!(Read::committed(3, &[plain(0, 5), plain(5, 1)], &[]).all(), (vec![3, 4, 5], 6));
}

#[test]
fn a_poll_takes_so_many_records_and_the_next_one_goes_on() {
    let mut read = Read::committed(0, &[plain(0, 3), plain(3, 4)], &[]);
    assert_eq!(read.take(5), 5);
    assert_eq!(
        (read.returned.clone(), read.fetch.next_offset()),
        (vec![0, 1, 2, 3, 4], Offset::new(5))
    );
    assert!(!read.fetch.is_exhausted());
    assert_eq!(read.take(5), 2);
    assert_eq!(read.returned.len(), 7);
    assert!(read.fetch.is_exhausted());
}

#[test]
fn a_marker_behind_the_last_record_waits_for_the_next_poll() {
    let mut read = Read::committed(0, &[data(0, 2, 1), marker(2, 1, COMMIT)], &[]);
    assert_eq!(read.take(2), 2);
    assert_eq!(read.fetch.next_offset(), Offset::new(2));
    assert!(!read.fetch.is_exhausted());
    assert_eq!(read.take(2), 0);
    assert_eq!(read.fetch.next_offset(), Offset::new(3), "the position moves without a record");
}
