//! The log against a naive model, and its producer state against a rebuild.

mod transactions;

use super::append::{AppendSettings, Appended};
use super::*;
use inflight_des::Span;
use inflight_protocol::{BatchProducer, ProducerEpoch, RecordRun, Sequence, SessionId, Timestamp};
use proptest::prelude::*;

fn topic() -> TopicConfig {
    TopicConfig { segment_bytes: 500, ..TopicConfig::default() }
}

fn log() -> PartitionLog {
    PartitionLog::new(Instant::START, &BrokerConfig::default())
}

const fn at(offset: u64) -> Offset {
    Offset::new(offset)
}

const fn secs(seconds: u64) -> Instant {
    Instant::from_nanos(seconds * 1_000_000_000)
}

fn batch(count: u32) -> RecordBatch {
    RecordBatch {
        kind: inflight_protocol::BatchKind::Plain,
        base_offset: Offset::ZERO,
        records: RecordRun { first: 0, count, session: SessionId::new(0) },
        producer: None,
        max_timestamp: Timestamp::RUN_START,
        bytes: 50 + 10 * count,
        leader_epoch: LeaderEpoch::new(0),
    }
}

fn produced(pid: u64, epoch: i16, sequence: i32, count: u32) -> RecordBatch {
    let base_sequence = Sequence::new(sequence).unwrap();
    let producer =
        BatchProducer { id: ProducerId::new(pid), base_sequence, epoch: ProducerEpoch::new(epoch) };
    RecordBatch { producer: Some(producer), ..batch(count) }
}

fn append(log: &mut PartitionLog, batch: RecordBatch, epoch: u32) -> Appended {
    let (topic, broker) = (topic(), BrokerConfig::default());
    let settings = AppendSettings::new(&topic, &broker, Defects::NONE);
    log.append_as_leader(batch, LeaderEpoch::new(epoch), settings)
}

fn base(appended: Appended) -> Option<u64> {
    match appended {
        Appended::Written(batch) => Some(batch.base_offset.get()),
        Appended::Duplicate(_) | Appended::Pretended(_) | Appended::Refused(_) => None,
    }
}

fn truncate(log: &mut PartitionLog, to: u64) -> Option<Truncation> {
    log.truncate(at(to), Instant::START, expiration(&BrokerConfig::default()))
}

#[test]
fn a_cut_takes_epochs_state_and_high_watermark_along() {
    let mut log = log();
    append(&mut log, produced(7, 0, 0, 3), 1);
    append(&mut log, produced(7, 0, 3, 2), 2);
    log.set_high_watermark(at(5), Instant::START);
    let cut = truncate(&mut log, 3).unwrap();
    assert_eq!(cut.end, (at(5), at(3)));
    assert_eq!(cut.high_watermark, (at(5), at(3)));
    assert_eq!(log.epochs().latest(), Some(LeaderEpoch::new(1)));
    // The state has gone back with the log, so the same batch is next again.
    assert_eq!(base(append(&mut log, produced(7, 0, 3, 2), 3)), Some(3));
}

#[test]
fn a_cut_at_the_end_drops_an_epoch_that_wrote_nothing() {
    let mut log = log();
    append(&mut log, batch(3), 1);
    log.start_epoch(LeaderEpoch::new(4));
    assert_eq!(truncate(&mut log, 3), None);
    assert_eq!(log.epochs().latest(), Some(LeaderEpoch::new(1)));
}

#[test]
fn after_a_cut_all_five_batches_are_known_unless_a_snapshot_is_in_the_way() {
    let mut log = log();
    for sequence in 0..6 {
        append(&mut log, produced(7, 0, sequence, 1), 1);
    }
    truncate(&mut log, 5);
    let known = |log: &PartitionLog| log.producers().entries()[0].batches().len();
    assert_eq!(known(&log), 5, "the whole log was read again");
    append(&mut log, produced(7, 0, 5, 1), 1);
    append(&mut log, produced(7, 0, 6, 1), 1);
    truncate(&mut log, 6);
    assert_eq!(known(&log), 2, "the first cut has left a snapshot with one batch at 5");
}

#[test]
fn a_replay_sees_the_last_epoch_of_a_segment_only() {
    let mut log = log();
    let whole = TopicConfig::default();
    append(&mut log, produced(7, 0, 0, 1), 1);
    append(&mut log, produced(7, 0, 1, 1), 1);
    truncate(&mut log, 1);
    for (epoch, offset) in [(1, 1), (0, 2), (0, 3)] {
        let batch = RecordBatch { base_offset: at(offset), ..produced(7, epoch, 9, 1) };
        log.append_as_follower(batch, &[], &whole);
    }
    let known = |log: &PartitionLog| {
        let entry = &log.producers().entries()[0];
        entry.batches().map(|batch| batch.first_offset.get()).collect::<Vec<_>>()
    };
    assert_eq!(known(&log), [2, 3], "each new epoch has made it forget the one before");
    truncate(&mut log, 3);
    assert_eq!(known(&log), [0, 2], "the snapshot at 1 and the end of the segment have one epoch");
}

#[test]
fn a_log_that_dies_before_it_is_read_again_still_says_what_it_had() {
    let mut log = log();
    append(&mut log, produced(7, 0, 0, 4), 1);
    log.crash(secs(1), Surviving::Flushed);
    log.crash(secs(2), Surviving::Appended);
    assert_eq!(log.recover(secs(3), &BrokerConfig::default(), Defects::NONE).0, at(4));
    log.crash(secs(4), Surviving::Appended);
    assert_eq!(log.recover(secs(5), &BrokerConfig::default(), Defects::NONE).0, at(0));
}

#[test]
fn a_restart_leaves_one_batch_a_producer() {
    for surviving in [Surviving::Appended, Surviving::Flushed] {
        let mut log = log();
        for sequence in 0..4 {
            append(&mut log, produced(7, 0, sequence, 1), 1);
        }
        append(&mut log, produced(8, 2, 0, 2), 1);
        log.flush(at(3), Instant::START);
        log.set_high_watermark(at(6), secs(6));
        log.set_high_watermark(at(6), secs(6));
        log.crash(secs(7), surviving);
        let end = match surviving {
            Surviving::Appended => at(6),
            Surviving::Flushed => at(3),
        };
        assert_eq!((log.end(), log.high_watermark()), (end, Offset::ZERO), "{surviving}");
        let before = log.recover(secs(8), &BrokerConfig::default(), Defects::NONE);
        assert_eq!(before, (at(6), at(6)));
        let last = |pid| {
            let entries = log.producers().entries();
            let entry = entries.iter().find(|entry| entry.id == ProducerId::new(pid))?;
            Some((entry.batches().len(), entry.last()?.next_offset().get()))
        };
        match surviving {
            Surviving::Appended => assert_eq!((last(7), last(8)), (Some((1, 4)), Some((1, 6)))),
            Surviving::Flushed => assert_eq!((last(7), last(8)), (Some((1, 3)), None)),
        }
    }
}

#[test]
fn an_old_record_time_makes_a_producer_be_forgotten_at_the_next_check() {
    let mut log = log();
    let expiration = expiration(&BrokerConfig::default());
    let day = 86_400_000;
    let old = RecordBatch {
        max_timestamp: Timestamp::new(Timestamp::RUN_START.get() - day + 700_000),
        ..produced(7, 0, 0, 1)
    };
    append(&mut log, old, 1);
    append(&mut log, produced(8, 0, 0, 1), 1);
    let mut forgotten = Vec::new();
    let mut check = |log: &mut PartitionLog, seconds| {
        log.expire_producers(secs(seconds), expiration, |id| forgotten.push((seconds, id.get())));
    };
    check(&mut log, 600);
    check(&mut log, 1_199);
    check(&mut log, 1_200);
    check(&mut log, 90_000);
    assert_eq!(forgotten, [(1_200, 7), (90_000, 8)], "a day by the records' time");
    assert_eq!(base(append(&mut log, produced(7, 0, 40, 1), 1)), Some(2), "any sequence goes");
}

#[test]
fn a_rolled_segment_is_to_be_flushed() {
    let (mut log, topic) = (log(), topic());
    for _ in 0..4 {
        append(&mut log, batch(10), 1);
        assert_eq!(log.flush_messages_due(&topic), None);
    }
    // Three batches of 150 bytes fit into 500.
    assert_eq!(log.flush_rolled_due(), Some(at(30)));
    assert!(log.flush(at(30), Instant::START));
    assert_eq!(log.flush_rolled_due(), None);
    let often = TopicConfig { flush_messages: 10, ..topic };
    assert_eq!(log.flush_messages_due(&often), Some(at(40)));
}

#[test]
fn the_first_batch_is_read_whatever_its_size() {
    let mut log = log();
    for _ in 0..3 {
        append(&mut log, batch(5), 1);
    }
    let read = |offset, max_bytes, first| {
        let mut out = SmallVec::new();
        log.read(at(offset), max_bytes, first, &mut out);
        out.iter().map(|batch| batch.base_offset.get()).collect::<Vec<_>>()
    };
    assert_eq!(read(0, 1_000, FirstBatch::IfItFits), [0, 5, 10]);
    assert_eq!(read(5, 199, FirstBatch::Always), [5]);
    assert_eq!(read(5, 200, FirstBatch::Always), [5, 10]);
    assert_eq!(read(0, 99, FirstBatch::Always), [0]);
    assert_eq!(read(0, 99, FirstBatch::IfItFits), [0; 0]);
    assert_eq!(read(15, 1_000, FirstBatch::Always), [0; 0]);
}

#[test]
fn forgotten_batches_are_remembered_by_the_state() {
    let mut log = log();
    for sequence in 0..4 {
        append(&mut log, produced(7, 0, sequence, 1), 1);
    }
    log.forget_below(at(2));
    assert_eq!(log.batches().iter().len(), 2);
    append(&mut log, produced(7, 0, 4, 1), 1);
    truncate(&mut log, 4);
    assert_eq!(log.producers().entries()[0].batches().len(), 4);
    assert_eq!(base(append(&mut log, produced(7, 0, 4, 1), 2)), Some(4));
}

/// What happens to a log.
#[derive(Clone, Debug)]
enum Step {
    /// A producer sends its next batch, with this many records, in the current epoch.
    Next { pid: u64, count: u32 },
    /// A producer starts a new epoch.
    NewEpoch { pid: u64 },
    /// A new leader takes over.
    NewLeader,
    /// The log is cut by so many batches.
    Cut { batches: usize },
    /// The process restarts.
    Restart,
    /// Half of the log is forgotten.
    Forget,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        12 => (0..3_u64, 1..4_u32).prop_map(|(pid, count)| Step::Next { pid, count }),
        1 => (0..3_u64).prop_map(|pid| Step::NewEpoch { pid }),
        1 => Just(Step::NewLeader),
        2 => (0..4_usize).prop_map(|batches| Step::Cut { batches }),
        1 => Just(Step::Restart),
        1 => Just(Step::Forget),
    ];
    proptest::collection::vec(step, 0..60)
}

/// The next sequence and the epoch of each producer according to a list of batches.
fn next_of(model: &[RecordBatch], pid: u64) -> (i16, i32) {
    let last = model.iter().rev().find_map(|batch| {
        let producer = batch.producer.filter(|producer| producer.id.get() == pid)?;
        let next = producer.last_sequence(batch.records.count).plus(1);
        Some((producer.epoch.get(), next.get()))
    });
    last.unwrap_or((0, 0))
}

proptest! {
    #[test]
    fn the_log_agrees_with_a_list_and_its_state_with_the_log(steps in steps()) {
        let (mut log, mut model) = (log(), Vec::<RecordBatch>::new());
        let (mut epoch, mut kept_from) = (1, 0);
        for step in steps {
            match step {
                Step::Next { pid, count } => {
                    let (producer_epoch, sequence) = next_of(&model, pid);
                    let batch = produced(pid, producer_epoch, sequence, count);
                    let Appended::Written(written) = append(&mut log, batch, epoch) else {
                        panic!("the next batch is in sequence");
                    };
                    model.push(written);
                }
                Step::NewEpoch { pid } => {
                    let (producer_epoch, _) = next_of(&model, pid);
                    let batch = produced(pid, producer_epoch + 1, 0, 1);
                    let Appended::Written(written) = append(&mut log, batch, epoch) else {
                        panic!("a new epoch starts at 0");
                    };
                    model.push(written);
                }
                Step::NewLeader => {
                    epoch += 1;
                    log.start_epoch(LeaderEpoch::new(epoch));
                }
                Step::Cut { batches } => {
                    let left = model.len().saturating_sub(batches);
                    let to = model.get(left).map_or(log.end(), |batch| batch.base_offset);
                    if to.get() >= kept_from {
                        truncate(&mut log, to.get());
                        model.truncate(left);
                    }
                }
                Step::Restart => {
                    log.crash(Instant::START, Surviving::Appended);
                    log.recover(Instant::START, &BrokerConfig::default(), Defects::NONE);
                }
                Step::Forget => {
                    let half = model.get(model.len() / 2);
                    if let Some(offset) = half.map(|batch| batch.base_offset) {
                        kept_from = kept_from.max(offset.get());
                        log.forget_below(offset);
                    }
                }
            }
            let kept: Vec<_> = log.batches().iter().copied().collect();
            prop_assert_eq!(&kept[..], &model[model.len() - kept.len()..]);
            let end = model.last().map_or(Offset::ZERO, RecordBatch::next_offset);
            prop_assert_eq!(log.end(), end);
            prop_assert!(log.producers().agrees_with(log.batches()));
            // Whatever a rebuild has lost, the last batch of each producer is recognised.
            for pid in 0..3 {
                let last = model.iter().rev().find(|batch| {
                    batch.producer.is_some_and(|producer| producer.id.get() == pid)
                });
                if let Some(last) = last {
                    let repeat = RecordBatch { base_offset: Offset::ZERO, ..*last };
                    let known = append(&mut log, repeat, epoch);
                    let Appended::Duplicate(known) = known else {
                        return Err(TestCaseError::fail(format!("{known:?} for a repeat")));
                    };
                    prop_assert_eq!(known.first_offset, last.base_offset);
                }
            }
        }
    }

    #[test]
    fn live_state_is_the_state_rebuilt_from_the_whole_log(
        counts in proptest::collection::vec((0..3_u64, 1..4_u32), 1..40),
    ) {
        let (mut log, mut model) = (log(), Vec::new());
        for (pid, count) in counts {
            let (epoch, sequence) = next_of(&model, pid);
            let appended = append(&mut log, produced(pid, epoch, sequence, count), 1);
            if let Appended::Written(written) = appended {
                model.push(written);
            }
        }
        // With one segment there is no snapshot, so a rebuild reads the whole log.
        let whole = TopicConfig::default();
        let mut again = self::log();
        for batch in &model {
            again.append_as_follower(*batch, &[], &whole);
        }
        let mut rebuilt = again.clone();
        let end = rebuilt.end();
        rebuilt.producers.rebuild(
            end,
            &again.batches,
            &again.segments,
            Instant::START,
            expiration(&BrokerConfig::default()),
        );
        let describe = |log: &PartitionLog| {
            let entries = log.producers().entries().iter();
            entries
                .map(|entry| (entry.id, entry.epoch, entry.batches().copied().collect::<Vec<_>>()))
                .collect::<Vec<_>>()
        };
        prop_assert_eq!(describe(&log), describe(&again), "followers build what leaders have");
        prop_assert_eq!(describe(&again), describe(&rebuilt));
    }
}

#[test]
fn the_checkpointed_high_watermark_is_what_a_restart_knows() {
    let mut log = log();
    append(&mut log, batch(10), 1);
    log.set_high_watermark(at(4), secs(3));
    log.set_high_watermark(at(7), secs(8));
    log.crash(secs(9), Surviving::Appended);
    assert_eq!(log.high_watermark(), at(4), "as of second 5");
    log.recover(secs(10), &BrokerConfig::default(), Defects::NONE);
    assert_eq!((log.end(), log.high_watermark()), (at(10), at(4)));
    assert!(log.checkpoint.read(at(4), secs(10) + Span::from_secs(1)) == at(4));
}
