//! Epochs and sequences of one producer id.

use super::*;
use inflight_protocol::RecordRun;

fn producer(epoch: i16, sequence: i32) -> BatchProducer {
    BatchProducer {
        id: ProducerId::new(9),
        base_sequence: Sequence::new(sequence).unwrap(),
        epoch: ProducerEpoch::new(epoch),
    }
}

fn batch(offset: u64, count: u32) -> RecordBatch {
    RecordBatch {
        kind: BatchKind::Plain,
        base_offset: Offset::new(offset),
        records: RecordRun { count, ..RecordRun::default() },
        producer: None,
        max_timestamp: Timestamp::RUN_START,
        bytes: 100,
        leader_epoch: inflight_protocol::LeaderEpoch::new(0),
    }
}

/// Epoch 3 with the sequences 0-4 at 100, 5-9 at 105 and 10 at 110 (broker.md, section 10).
fn three_batches() -> ProducerStateEntry {
    let mut entry = ProducerStateEntry::new(producer(3, 0), &batch(100, 5));
    entry.append(producer(3, 5), &batch(105, 5));
    entry.append(producer(3, 10), &batch(110, 1));
    entry
}

#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Appended,
    Known(u64),
    Refused(i16),
}

fn check(entry: &ProducerStateEntry, epoch: i16, first: i32, last: i32) -> Seen {
    let count = (i64::from(last) - i64::from(first)).rem_euclid(1 << 31) as u32 + 1;
    match entry.check(producer(epoch, first), count) {
        SequenceCheck::Accept => Seen::Appended,
        SequenceCheck::Duplicate(known) => Seen::Known(known.first_offset.get()),
        SequenceCheck::Refuse(error) => Seen::Refused(error.number()),
    }
}

#[test]
fn a_batch_is_known_next_or_out_of_order() {
    let entry = three_batches();
    for (epoch, first, last, expected) in [
        (3, 5, 9, Seen::Known(105)),
        (3, 0, 4, Seen::Known(100)),
        (3, 10, 10, Seen::Known(110)),
        (3, 5, 10, Seen::Refused(45)),
        (3, 6, 9, Seen::Refused(45)),
        (3, 11, 12, Seen::Appended),
        (3, 12, 13, Seen::Refused(45)),
        (2, 11, 12, Seen::Refused(47)),
        (2, 5, 9, Seen::Refused(47)),
        (4, 0, 1, Seen::Appended),
        (4, 1, 2, Seen::Refused(45)),
    ] {
        assert_eq!(check(&entry, epoch, first, last), expected, "e{epoch} {first}-{last}");
    }
}

#[test]
fn a_new_epoch_forgets_the_batches_of_the_old_one() {
    let mut entry = three_batches();
    entry.append(producer(4, 0), &batch(111, 2));
    assert_eq!(entry.batches().len(), 1);
    assert_eq!(check(&entry, 4, 0, 1), Seen::Known(111));
    assert_eq!(check(&entry, 3, 5, 9), Seen::Refused(47), "only equal epochs are compared");
}

#[test]
fn the_sixth_batch_back_is_not_recognised() {
    let mut entry = ProducerStateEntry::new(producer(0, 0), &batch(0, 1));
    for sequence in 1..=5 {
        assert_eq!(check(&entry, 0, 0, 0), Seen::Known(0), "before batch {sequence}");
        entry.append(producer(0, sequence), &batch(sequence as u64, 1));
    }
    assert_eq!(check(&entry, 0, 0, 0), Seen::Refused(45));
    assert_eq!(check(&entry, 0, 1, 1), Seen::Known(1));
}

#[test]
fn sequences_go_on_behind_the_greatest_number() {
    let near = i32::MAX - 1;
    let mut entry = ProducerStateEntry::new(producer(0, near), &batch(0, 2));
    assert_eq!(check(&entry, 0, 0, 3), Seen::Appended);
    entry.append(producer(0, 0), &batch(2, 4));
    assert_eq!(check(&entry, 0, near, i32::MAX), Seen::Known(0));
    // A batch may straddle the wrap.
    let mut entry = ProducerStateEntry::new(producer(0, near), &batch(0, 1));
    assert_eq!(check(&entry, 0, i32::MAX, 1), Seen::Appended);
    entry.append(producer(0, i32::MAX), &batch(1, 3));
    assert_eq!(check(&entry, 0, i32::MAX, 1), Seen::Known(1));
    assert_eq!(check(&entry, 0, 2, 2), Seen::Appended);
}

#[test]
fn what_follows_the_last_batch_may_be_a_repeat() {
    // A leader that had forgotten the producer has taken 0-4 behind 5-9.
    let mut entry = ProducerStateEntry::new(producer(0, 5), &batch(0, 5));
    entry.append(producer(0, 0), &batch(5, 5));
    assert_eq!(check(&entry, 0, 5, 9), Seen::Known(0));
    assert_eq!(check(&entry, 0, 5, 8), Seen::Appended);
}

#[test]
fn without_a_known_batch_the_epoch_starts_at_zero() {
    let id = ProducerId::new(9);
    let entry =
        ProducerStateEntry::without_batches(id, ProducerEpoch::new(3), Timestamp::RUN_START);
    assert_eq!(check(&entry, 3, 0, 0), Seen::Appended);
    assert_eq!(check(&entry, 3, 7, 7), Seen::Refused(45));
}
