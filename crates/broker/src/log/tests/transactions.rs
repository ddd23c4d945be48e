//! Transactions in one log: the vectors of the last stable offset, markers, verification.

use super::*;
use crate::log::coordinate::Coordinated;
use crate::log::transaction_index::AbortedTxn;
use crate::log::verification::VerificationGuard;
use inflight_protocol::transaction::{CoordinatorEpoch, InternalRecord, Marker};
use inflight_protocol::{
    BatchKind, ProducerIdAndEpoch, TransactionResult, TransactionVersion, TransactionalId,
};
use std::collections::BTreeMap;

const V0: TransactionVersion = TransactionVersion::V0;
const V2: TransactionVersion = TransactionVersion::V2;
const COMMIT: TransactionResult = TransactionResult::Commit;
const ABORT: TransactionResult = TransactionResult::Abort;

fn transactional(pid: u64, epoch: i16, sequence: i32, count: u32) -> RecordBatch {
    RecordBatch { kind: BatchKind::Transactional, ..produced(pid, epoch, sequence, count) }
}

fn who(pid: u64, epoch: i16) -> ProducerIdAndEpoch {
    ProducerIdAndEpoch { id: ProducerId::new(pid), epoch: ProducerEpoch::new(epoch) }
}

/// Appends without any verification.
fn write(log: &mut PartitionLog, batch: RecordBatch) -> i16 {
    let off = BrokerConfig {
        transaction_partition_verification_enable: false,
        ..BrokerConfig::default()
    };
    let topic = topic();
    let settings = AppendSettings::new(&topic, &off, Defects::NONE);
    code(log.append_as_leader(batch, LeaderEpoch::new(1), settings))
}

/// Appends with a guard.
fn write_guarded(
    log: &mut PartitionLog,
    batch: RecordBatch,
    guard: Option<VerificationGuard>,
) -> i16 {
    let (topic, broker) = (topic(), BrokerConfig::default());
    let settings = AppendSettings::new(&topic, &broker, Defects::NONE).with_guard(guard);
    code(log.append_as_leader(batch, LeaderEpoch::new(1), settings))
}

/// 0, the error code, or -100 for a duplicate.
fn code(appended: Appended) -> i16 {
    match appended {
        Appended::Written(_) | Appended::Pretended(_) => 0,
        Appended::Duplicate(_) => -100,
        Appended::Refused(error) => error.number(),
    }
}

fn marker(
    log: &mut PartitionLog,
    (pid, epoch): (u64, i16),
    result: TransactionResult,
    coordinator: u32,
    version: TransactionVersion,
) -> Result<Coordinated, i16> {
    let (topic, broker) = (topic(), BrokerConfig::default());
    let settings = AppendSettings::new(&topic, &broker, Defects::NONE);
    let marker = Marker { result, coordinator_epoch: CoordinatorEpoch(coordinator) };
    let at = (LeaderEpoch::new(1), Timestamp::RUN_START);
    log.append_marker(who(pid, epoch), marker, version, at, settings)
        .map_err(inflight_protocol::ErrorCode::number)
}

fn verify(
    log: &mut PartitionLog,
    (pid, epoch): (u64, i16),
    sequence: i32,
    version: TransactionVersion,
) -> Result<Option<VerificationGuard>, i16> {
    log.start_verification(who(pid, epoch), Sequence::new(sequence), version, Timestamp::RUN_START)
        .map_err(inflight_protocol::ErrorCode::number)
}

fn stable(log: &mut PartitionLog, high_watermark: u64) -> u64 {
    log.set_high_watermark(at(high_watermark), Instant::START);
    log.last_stable_offset().get()
}

fn aborted(log: &PartitionLog, from: u64, upper: u64) -> Vec<(u64, u64)> {
    let found = log.aborted_transactions(at(from), at(upper));
    found.map(|aborted| (aborted.producer_id.get(), aborted.first_offset.get())).collect()
}

#[test]
fn the_last_stable_offset_waits_for_the_marker_to_be_committed() {
    for (result, index) in [(COMMIT, vec![]), (ABORT, vec![(1, 0)])] {
        let mut log = log();
        assert_eq!(write(&mut log, transactional(1, 0, 0, 5)), 0);
        assert_eq!(write(&mut log, produced(2, 0, 0, 2)), 0);
        assert_eq!(stable(&mut log, 5), 0);
        let done = marker(&mut log, (1, 0), result, 0, V0).unwrap();
        assert_eq!(done.batch.base_offset, at(7));
        assert_eq!(done.completed.unwrap().first, at(0));
        assert_eq!(stable(&mut log, 7), 0, "the marker is not below the high watermark");
        assert_eq!(stable(&mut log, 8), 8);
        assert_eq!(aborted(&log, 0, 8), index);
        let entry =
            AbortedTxn { id: ProducerId::new(1), first: at(0), last: at(7), last_stable: at(8) };
        assert_eq!(log.aborted.entries().first().copied(), (result == ABORT).then_some(entry));
    }
}

#[test]
fn one_open_transaction_holds_back_what_others_have_ended() {
    let mut log = log();
    write(&mut log, transactional(1, 0, 0, 1));
    write(&mut log, transactional(2, 0, 0, 1));
    marker(&mut log, (2, 0), ABORT, 0, V0).unwrap();
    assert_eq!(stable(&mut log, 3), 0);
    assert_eq!(log.aborted.entries()[0].last_stable, at(0), "the first is still open");
    marker(&mut log, (1, 0), COMMIT, 0, V0).unwrap();
    assert_eq!(stable(&mut log, 4), 4);
}

#[test]
fn a_marker_without_data_ends_nothing() {
    let mut log = log();
    let done = marker(&mut log, (1, 3), ABORT, 0, V0).unwrap();
    assert_eq!(done.completed, None);
    assert_eq!(aborted(&log, 0, 1), []);
    assert_eq!(write(&mut log, transactional(1, 2, 0, 1)), 47, "but it fences");
    assert_eq!(stable(&mut log, 1), 1);
}

#[test]
fn with_version_1_the_sequences_go_on_behind_the_marker() {
    let mut log = log();
    assert_eq!(write(&mut log, transactional(1, 0, 0, 10)), 0);
    marker(&mut log, (1, 0), COMMIT, 0, V0).unwrap();
    assert_eq!(write(&mut log, transactional(1, 0, 0, 10)), -100, "a retry from before the marker");
    assert_eq!(write(&mut log, transactional(1, 0, 10, 5)), 0);
    assert_eq!(write(&mut log, transactional(1, 0, 16, 1)), 45);
}

#[test]
fn with_version_2_each_transaction_has_its_own_epoch() {
    let mut log = log();
    assert_eq!(write(&mut log, transactional(1, 0, 0, 10)), 0);
    marker(&mut log, (1, 1), COMMIT, 0, V2).unwrap();
    assert_eq!(write(&mut log, transactional(1, 0, 10, 1)), 47, "of the first transaction, late");
    assert_eq!(write(&mut log, transactional(1, 0, 0, 10)), 47, "not even a repeat");
    assert_eq!(write(&mut log, transactional(1, 1, 0, 1)), 0);
    assert_eq!(log.producers().entries()[0].batches().len(), 1);
}

#[test]
fn markers_are_fenced_by_producer_and_coordinator_epoch() {
    let mut log = log();
    assert_eq!(write(&mut log, transactional(1, 5, 0, 1)), 0);
    let refused = |log: &mut PartitionLog, epoch, coordinator, version| {
        marker(log, (1, epoch), COMMIT, coordinator, version).map(|_| ()).unwrap_err()
    };
    assert_eq!(refused(&mut log, 4, 3, V0), 47);
    assert_eq!(refused(&mut log, 5, 3, V2), 47, "version 2 has raised the epoch");
    assert!(marker(&mut log, (1, 5), COMMIT, 3, V0).is_ok(), "version 0 has not");
    assert_eq!(refused(&mut log, 5, 2, V0), 52);
    assert_eq!(refused(&mut log, 4, 3, V2), 47);
    assert_eq!(write(&mut log, transactional(1, 5, 1, 1)), 0);
    assert!(marker(&mut log, (1, 6), COMMIT, 3, V2).is_ok());
    // KAFKA-19999: the coordinator has not heard that it is written.
    let again = marker(&mut log, (1, 6), COMMIT, 4, V2).unwrap();
    assert_eq!(again.completed, None);
    assert_eq!(refused(&mut log, 6, 3, V2), 52);
}

#[test]
fn the_last_epoch_of_all_can_be_aborted() {
    let mut log = log();
    assert_eq!(write(&mut log, transactional(1, i16::MAX, 0, 1)), 0);
    assert!(marker(&mut log, (1, i16::MAX), ABORT, 0, V2).is_ok());
}

#[test]
fn a_plain_batch_has_no_place_in_an_open_transaction() {
    let mut log = log();
    assert_eq!(write(&mut log, transactional(1, 0, 0, 1)), 0);
    assert_eq!(write(&mut log, produced(1, 0, 1, 1)), 48);
    marker(&mut log, (1, 0), COMMIT, 0, V0).unwrap();
    assert_eq!(write(&mut log, produced(1, 0, 1, 1)), 0);
}

#[test]
fn a_transaction_is_opened_with_its_own_guard_only() {
    let mut log = log();
    assert_eq!(write_guarded(&mut log, transactional(1, 0, 0, 1), None), 48);
    let first = verify(&mut log, (1, 0), 0, V0).unwrap();
    assert_eq!(verify(&mut log, (1, 0), 0, V0), Ok(first), "it is still the same verification");
    // The answer is on its way when the transaction ends and another one begins.
    marker(&mut log, (1, 0), ABORT, 0, V0).unwrap();
    assert_eq!(write_guarded(&mut log, transactional(1, 0, 0, 1), first), 48);
    let second = verify(&mut log, (1, 0), 0, V0).unwrap();
    assert_ne!(first, second);
    assert_eq!(write_guarded(&mut log, transactional(1, 0, 0, 1), first), 48);
    assert_eq!(write_guarded(&mut log, transactional(1, 0, 0, 1), second), 0);
    assert_eq!(verify(&mut log, (1, 0), 1, V0), Ok(None), "it is open");
    assert_eq!(write_guarded(&mut log, transactional(1, 0, 1, 1), None), 0);
    assert_eq!(verify(&mut log, (1, -1), 1, V0), Err(47));
}

#[test]
fn a_marker_of_the_epoch_to_come_leaves_the_guard_of_version_2() {
    for (version, expected) in [(V2, 0), (V0, 48)] {
        let mut log = log();
        let first = verify(&mut log, (1, 0), 0, version).unwrap();
        write_guarded(&mut log, transactional(1, 0, 0, 1), first);
        // The producer has been told its next epoch before the marker is here.
        let next = verify(&mut log, (1, 1), 0, version).unwrap();
        marker(&mut log, (1, 1), COMMIT, 0, V2).unwrap();
        assert_eq!(write_guarded(&mut log, transactional(1, 1, 0, 1), next), expected);
    }
}

#[test]
fn what_comes_behind_an_unverified_batch_waits_for_it() {
    let mut log = log();
    let guard = verify(&mut log, (1, 0), 5, V0).unwrap();
    verify(&mut log, (1, 0), 2, V0).unwrap();
    assert_eq!(write_guarded(&mut log, transactional(1, 0, 5, 1), guard), 45);
    assert_eq!(write_guarded(&mut log, transactional(1, 0, 2, 1), guard), 0);
}

#[test]
fn with_version_2_an_unknown_producer_starts_at_0() {
    for (version, expected) in [(V2, 45), (V0, 0)] {
        let mut log = log();
        let guard = verify(&mut log, (1, 0), 37, version).unwrap();
        assert_eq!(write_guarded(&mut log, transactional(1, 0, 37, 4), guard), expected);
    }
    assert_eq!(write(&mut log(), produced(1, 0, 37, 4)), 0);
}

#[test]
fn an_open_transaction_is_never_forgotten() {
    let mut log = log();
    write(&mut log, transactional(1, 0, 0, 1));
    write(&mut log, produced(2, 0, 0, 1));
    let day = secs(2 * 86_400);
    let mut forgotten = Vec::new();
    log.expire_producers(day, expiration(&BrokerConfig::default()), |id| forgotten.push(id.get()));
    assert_eq!(forgotten, [2]);
    marker(&mut log, (1, 0), ABORT, 0, V0).unwrap();
    let later = secs(3 * 86_400);
    log.expire_producers(later, expiration(&BrokerConfig::default()), |id| {
        forgotten.push(id.get());
    });
    assert_eq!(forgotten, [2, 1]);
}

#[test]
fn a_cut_marker_was_never_written() {
    let mut log = log();
    write(&mut log, transactional(1, 0, 0, 3));
    marker(&mut log, (1, 0), ABORT, 0, V0).unwrap();
    stable(&mut log, 4);
    assert_eq!(aborted(&log, 0, 4), [(1, 0)]);
    truncate(&mut log, 3);
    assert_eq!(aborted(&log, 0, 4), []);
    assert_eq!(log.last_stable_offset(), at(0));
    marker(&mut log, (1, 0), COMMIT, 0, V0).unwrap();
    assert_eq!(stable(&mut log, 4), 4);
}

#[test]
fn a_restarted_log_knows_its_open_transactions() {
    let mut log = log();
    write(&mut log, transactional(1, 0, 0, 3));
    write(&mut log, transactional(2, 0, 0, 1));
    marker(&mut log, (2, 1), ABORT, 7, V2).unwrap();
    log.crash(secs(1), Surviving::Appended);
    log.recover(secs(2), &BrokerConfig::default(), Defects::NONE);
    assert_eq!(stable(&mut log, 5), 0);
    assert_eq!(aborted(&log, 0, 5), [(2, 3)]);
    assert_eq!(marker(&mut log, (2, 2), COMMIT, 6, V2).map(|_| ()), Err(52), "so is the term");
    assert_eq!(write(&mut log, transactional(2, 0, 1, 1)), 47);
    marker(&mut log, (1, 1), COMMIT, 0, V2).unwrap();
    assert_eq!(stable(&mut log, 6), 6);
}

#[test]
fn values_share_the_fate_of_their_batches() {
    let mut log = log();
    let (topic, broker) = (topic(), BrokerConfig::default());
    let forgotten = |id| InternalRecord::TransactionForgotten(TransactionalId::new(id));
    for (first, count) in [(0, 2), (2, 1), (3, 2)] {
        let records: Vec<_> = (first..first + count).map(forgotten).collect();
        let settings = AppendSettings::new(&topic, &broker, Defects::NONE);
        let at = (LeaderEpoch::new(1), Timestamp::RUN_START);
        log.append_records(&records, None, at, settings).unwrap();
    }
    let read = |log: &PartitionLog| -> Vec<InternalRecord> {
        log.batches().iter().flat_map(|batch| log.values_of(batch).cloned()).collect()
    };
    assert_eq!(read(&log), (0..5).map(forgotten).collect::<Vec<_>>());
    truncate(&mut log, 3);
    assert_eq!(read(&log), (0..3).map(forgotten).collect::<Vec<_>>());
    log.flush(at(2), Instant::START);
    log.crash(secs(1), Surviving::Flushed);
    log.recover(secs(2), &broker, Defects::NONE);
    assert_eq!(read(&log), (0..2).map(forgotten).collect::<Vec<_>>());
}

#[derive(Clone, Copy, Debug)]
enum Op {
    Write(u64, u32),
    End(u64, bool),
    Commit(u64),
    Cut(u64),
    Crash,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0..3_u64, 1..4_u32).prop_map(|(pid, count)| Op::Write(pid, count)),
        3 => (0..3_u64, any::<bool>()).prop_map(|(pid, abort)| Op::End(pid, abort)),
        2 => (0..5_u64).prop_map(Op::Commit),
        1 => (0..6_u64).prop_map(Op::Cut),
        1 => Just(Op::Crash),
    ]
}

/// The transactions of a log, from its batches: (first, marker, aborted) of each.
fn transactions_of(log: &PartitionLog) -> Vec<(u64, Option<u64>, bool)> {
    let mut open = BTreeMap::new();
    let mut all = Vec::new();
    for batch in log.batches().iter() {
        let pid = batch.producer.unwrap().id;
        match batch.kind {
            BatchKind::Marker(marker) => {
                if let Some(first) = open.remove(&pid) {
                    let is_aborted = marker.result == ABORT;
                    all.push((first, Some(batch.base_offset.get()), is_aborted));
                }
            }
            _ => _ = open.entry(pid).or_insert(batch.base_offset.get()),
        }
    }
    all.extend(open.into_values().map(|first| (first, None, false)));
    all
}

proptest! {
    #[test]
    fn stable_offset_and_index_follow_from_the_batches(ops in prop::collection::vec(op(), 0..60)) {
        let mut log = log();
        let mut sequences = [0; 3];
        // A cut or restart may forget which markers are not committed: snapshots have no room
        // for that.
        let mut has_forgotten = false;
        for op in ops {
            match op {
                Op::Write(pid, count) => {
                    let code = write(&mut log, transactional(pid, 0, sequences[pid as usize], count));
                    if code == 0 {
                        sequences[pid as usize] += count as i32;
                    }
                }
                Op::End(pid, abort) => {
                    let result = if abort { ABORT } else { COMMIT };
                    marker(&mut log, (pid, 0), result, 0, V0).unwrap();
                }
                Op::Commit(behind) => {
                    let to = log.end().get().saturating_sub(behind).max(log.high_watermark().get());
                    stable(&mut log, to);
                }
                Op::Cut(behind) => {
                    has_forgotten = true;
                    let end = log.end().get().saturating_sub(behind);
                    truncate(&mut log, end);
                }
                Op::Crash => {
                    has_forgotten = true;
                    log.flush(log.high_watermark(), Instant::START);
                    log.crash(secs(1), Surviving::Flushed);
                    log.recover(secs(1), &BrokerConfig::default(), Defects::NONE);
                    let end = log.end().get();
                    stable(&mut log, end);
                }
            }
            for (pid, sequence) in sequences.iter_mut().enumerate() {
                let entry = log.producers().entry(ProducerId::new(pid as u64));
                let last = entry.and_then(|entry| entry.last());
                *sequence = last.map_or(0, |last| last.first_sequence.get() + last.count as i32);
            }
            prop_assert!(log.producers().agrees_with(log.batches()));
            let all = transactions_of(&log);
            let high_watermark = log.high_watermark().get();
            let unstable = all.iter().filter(|(_, marker, _)| {
                marker.is_none_or(|marker| marker >= high_watermark)
            });
            let expected = unstable.map(|(first, ..)| *first).min().unwrap_or(high_watermark);
            has_forgotten &= log.high_watermark() < log.end();
            if !has_forgotten {
                prop_assert_eq!(log.last_stable_offset().get(), expected.min(high_watermark));
            }
            let mut index: Vec<_> = all.iter().filter(|(.., aborted)| *aborted).collect();
            index.sort_by_key(|(_, marker, _)| *marker);
            let found = log.aborted.entries().iter().map(|entry| (entry.first.get(), Some(entry.last.get()), true));
            prop_assert_eq!(found.collect::<Vec<_>>(), index.into_iter().copied().collect::<Vec<_>>());
        }
    }
}
