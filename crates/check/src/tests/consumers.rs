//! The checkers of consumers.

use super::transactions::start;
use super::*;
use crate::script::READ_COMMITTED;
use inflight_protocol::TransactionResult::{Abort, Commit};
use inflight_protocol::fact::{Election, PositionSource, SendError};
use inflight_protocol::message::IsolationLevel;
use inflight_trace::CommitStyle;

const OK: (Verdict, Option<Aspect>, u64) = (Verdict::Ok, None, 0);

fn found(verdict: Verdict, aspect: Aspect, total: u64) -> (Verdict, Option<Aspect>, u64) {
    (verdict, Some(aspect), total)
}

/// Six records that everybody has, and a consumer at their beginning.
pub(super) fn six(commits: CommitStyle) -> Script {
    let run = Script::new().reading(commits).queue(0, 6).append(1, 0, 0, 6).replicate(1);
    run.ack(0, 0, 6, 1).join(0, 1, 1)
}

/// A pipeline: four inputs in the first partition, outputs in the second one.
pub(super) fn pipeline() -> Script {
    let run = Script::new().reading(CommitStyle::Transaction).transactional(2).session(1);
    let run = run.queue(1, 4).append(1, 1, 0, 4).replicate(1).ack(1, 0, 4, 1);
    run.partition().init(0).on(0).join(0, 0, 1)
}

/// Some inputs are read, made into messages, and end with their offset.
pub(super) fn turn(
    run: Script,
    (offset, count): (u64, u32),
    end: inflight_protocol::TransactionResult,
) -> Script {
    let run = run.on(0).poll(0, offset, count.into()).begin(0).transform(0, offset, count, 0);
    let run = run.on(1).add_partition(0);
    let first = run.queued(0);
    let run = run.queue(0, count).append(1, 0, first, count).replicate(1).ack(0, first, count, 1);
    let run = run.on(0).send_offset(0, offset + u64::from(count)).on(1);
    run.end_as(0, end).on(0)
}

#[test]
fn a_quiet_consumer_breaks_nothing() {
    let run = six(CommitStyle::ProcessFirst).poll(0, 0, 6).process(0, 0, 6);
    let run = run.commit_offset(0, 6, None).end();
    let judgement = judged(&run);
    assert_eq!(judgement.worst(), Verdict::Ok, "{:?}", judgement.findings);
    let counts = judgement.counts;
    assert_eq!((counts.returned, counts.processed), (6, 6));
    assert_eq!((counts.processed_twice, counts.skipped), (0, 0));
    for checker in [
        CheckerId::ReaderOrder,
        CheckerId::RepeatableRead,
        CheckerId::ProcessedAtLeastOnce,
        CheckerId::ProcessedAtMostOnce,
        CheckerId::Ownership,
    ] {
        assert_eq!(judgement.opinion(checker).verdict, Verdict::Ok, "{checker}");
    }
}

// --- B7, reader order ---------------------------------------------------------------------------

#[test]
fn a_consumer_reads_on_from_where_it_is() {
    let run = six(CommitStyle::Auto).poll(0, 0, 3);
    let back = run.clone().poll(0, 1, 1).end();
    let expected = found(Verdict::Violation, Aspect::Backwards, 1);
    assert_eq!(says(&back, CheckerId::ReaderOrder), expected);
    let ahead = run.clone().poll(0, 5, 1).end();
    let expected = found(Verdict::Violation, Aspect::PassedOver, 2);
    assert_eq!(says(&ahead, CheckerId::ReaderOrder), expected);
    let sought = run.clone().place(0, 5, PositionSource::Seek).poll(0, 5, 1);
    let sought = sought.place(0, 1, PositionSource::Seek).poll(0, 1, 1).end();
    assert_eq!(says(&sought, CheckerId::ReaderOrder), OK, "it was told to");
    let moved = run.revoke(0).assign(0, 2).place(0, 1, PositionSource::Committed).poll(0, 1, 2);
    assert_eq!(says(&moved.end(), CheckerId::ReaderOrder), OK, "a rebalance lies between");
}

#[test]
fn what_came_after_a_log_was_cut_was_not_passed_over() {
    // At offset 1 was something that nobody is given; the log was cut, and now a record is there.
    let passed = six(CommitStyle::Auto).poll(0, 0, 1).poll(0, 2, 1);
    let expected = found(Verdict::Violation, Aspect::PassedOver, 1);
    assert_eq!(says(&passed.clone().end(), CheckerId::ReaderOrder), expected);
    for source in [PositionSource::Truncation, PositionSource::Earliest] {
        let cut = |to| passed.clone().place(0, to, source).poll(0, to, 3).end();
        assert_eq!(says(&cut(1), CheckerId::ReaderOrder), OK, "{source:?}");
        assert_eq!(says(&cut(2), CheckerId::ReaderOrder), expected, "behind it");
    }
    let sought = passed.place(0, 1, PositionSource::Seek).poll(0, 1, 3).end();
    assert_eq!(says(&sought, CheckerId::ReaderOrder), expected);
}

#[test]
fn a_consumer_that_is_gone_before_it_sees_the_cut_passed_nothing_over() {
    // It was given 0 and 2; at 1 was a marker. The log is cut, and others come to 1 and 2.
    let read = six(CommitStyle::Auto).poll(0, 0, 1).give(0, 2, 0, 9).stop_consumer(0, 1).end();
    assert_eq!(says(&read, CheckerId::ReaderOrder), OK);
    // As long as what it was given behind it is there, the log was not cut before it.
    let read = six(CommitStyle::Auto).poll(0, 0, 1).poll(0, 2, 1).stop_consumer(0, 1).end();
    let expected = found(Verdict::Violation, Aspect::PassedOver, 1);
    assert_eq!(says(&read, CheckerId::ReaderOrder), expected);
}

#[test]
fn markers_and_aborted_records_are_no_gap() {
    let run = start(2).write(0, 2).end_as(0, Commit).write(0, 2).end_as(0, Abort);
    let run = run.write(0, 1).end_as(0, Commit);
    // Offsets: 0 1 C 3 4 A 6 C.
    let read = run.clone().join(0, 1, 1).poll(0, 0, 2).poll(0, 6, 1).end();
    assert_eq!(says(&read, CheckerId::ReaderOrder), OK);
    let everything = run.clone().consumer(0, 1, IsolationLevel::ReadUncommitted).assign(0, 1);
    let everything = everything.place(0, 0, PositionSource::Earliest);
    let passed = everything.poll(0, 0, 2).poll(0, 6, 1).end();
    let expected = found(Verdict::Violation, Aspect::PassedOver, 2);
    assert_eq!(says(&passed, CheckerId::ReaderOrder), expected);
    let lost = run.join(0, 1, 1).poll(0, 6, 1).end();
    let expected = found(Verdict::Violation, Aspect::PassedOver, 2);
    assert_eq!(says(&lost, CheckerId::ReaderOrder), expected, "two that count");
}

// --- B8, repeatable read ------------------------------------------------------------------------

#[test]
fn what_was_given_stays() {
    let run = six(CommitStyle::Auto).poll(0, 0, 5).give(0, 5, 0, 4).end();
    let expected = found(Verdict::Violation, Aspect::Replaced, 1);
    assert_eq!(says(&run, CheckerId::RepeatableRead), expected);
    let run = six(CommitStyle::Auto).give(0, 6, 0, 5).end();
    let expected = found(Verdict::Violation, Aspect::Vanished, 1);
    assert_eq!(says(&run, CheckerId::RepeatableRead), expected);
}

#[test]
fn what_an_unclean_leader_gives_up_may_vanish() {
    let run = six(CommitStyle::Auto).isr(&[1, 2, 3], &[1]).queue(0, 1).append(1, 0, 6, 1);
    let run = run.commit(1).poll(0, 0, 7).elect(2, Election::Unclean).commit(2).end();
    let expected = found(Verdict::Allowed, Aspect::Vanished, 1);
    assert_eq!(says(&run, CheckerId::RepeatableRead), expected);
}

#[test]
fn what_the_new_leader_has_above_its_mark_may_come_back() {
    let run = six(CommitStyle::Auto).poll(0, 0, 6).elect(2, Election::Clean).stop_run();
    let expected = found(Verdict::Possible, Aspect::Vanished, 6);
    assert_eq!(says(&run, CheckerId::RepeatableRead), expected);
}

// --- B15, at least once -------------------------------------------------------------------------

/// The consumer has committed and is gone before it processed.
fn committed_first(commits: CommitStyle) -> Script {
    six(commits).poll(0, 0, 6).commit_offset(0, 6, None).process(0, 0, 2).stop_consumer(0, 1)
}

#[test]
fn what_was_committed_was_processed() {
    let broken = committed_first(CommitStyle::ProcessFirst).end();
    let expected = found(Verdict::Violation, Aspect::Plain, 4);
    assert_eq!(says(&broken, CheckerId::ProcessedAtLeastOnce), expected);
    assert_eq!(judged(&broken).counts.skipped, 4);
    let allowed = committed_first(CommitStyle::CommitFirst).end();
    let expected = found(Verdict::Allowed, Aspect::Plain, 4);
    assert_eq!(says(&allowed, CheckerId::ProcessedAtLeastOnce), expected);
    // The next consumer goes on at the committed offset; nobody has committed more.
    let early = six(CommitStyle::ProcessFirst).poll(0, 0, 6).process(0, 0, 6);
    let early = early.commit_offset(0, 2, None).stop_consumer(0, 1).end();
    assert_eq!(says(&early, CheckerId::ProcessedAtLeastOnce), OK);
}

#[test]
fn what_a_consumer_has_in_its_hands_may_yet_be_processed() {
    let run = six(CommitStyle::CommitFirst).poll(0, 0, 6).commit_offset(0, 6, None);
    assert_eq!(says(&run.clone().stop_run(), CheckerId::ProcessedAtLeastOnce), OK);
    let expected = found(Verdict::Allowed, Aspect::Plain, 6);
    assert_eq!(says(&run.end(), CheckerId::ProcessedAtLeastOnce), expected);
}

#[test]
fn a_commit_that_failed_leaves_nothing_behind() {
    let failed = Some(SendError::CommitFailed);
    let run = six(CommitStyle::ProcessFirst).poll(0, 0, 6).commit_offset(0, 6, failed).end();
    assert_eq!(says(&run, CheckerId::ProcessedAtLeastOnce).0, Verdict::Vacuous);
}

#[test]
fn what_lies_before_the_first_position_is_nobodys_work() {
    let run = Script::new().reading(CommitStyle::ProcessFirst).queue(0, 6).append(1, 0, 0, 6);
    let run = run.replicate(1).ack(0, 0, 6, 1).consumer(0, 1, READ_COMMITTED).assign(0, 1);
    let run = run.place(0, 4, PositionSource::Latest).poll(0, 4, 2).process(0, 4, 2);
    assert_eq!(says(&run.commit_offset(0, 6, None).end(), CheckerId::ProcessedAtLeastOnce), OK);
}

#[test]
fn a_record_that_took_the_offset_of_another_was_never_processed() {
    // The second record was read and processed when another one was at its offset.
    let read = six(CommitStyle::ProcessFirst).poll(0, 0, 1).give(0, 1, 0, 9).poll(0, 2, 4);
    let skipped = read.process(0, 0, 6).commit_offset(0, 6, None);
    let expected = found(Verdict::Violation, Aspect::Plain, 1);
    assert_eq!(says(&skipped.clone().end(), CheckerId::ProcessedAtLeastOnce), expected);
    assert_eq!(judged(&skipped.clone().end()).counts.skipped, 1);
    let back = skipped.clone().place(0, 1, PositionSource::Truncation).poll(0, 1, 1);
    assert_eq!(says(&back.process(0, 1, 1).end(), CheckerId::ProcessedAtLeastOnce), OK);
    // Where committed records may be lost nobody promises it.
    let cut = skipped.isr(&[1, 2, 3], &[1]).elect(2, Election::Unclean).commit(2).end();
    let expected = found(Verdict::Allowed, Aspect::Plain, 1);
    assert_eq!(says(&cut, CheckerId::ProcessedAtLeastOnce), expected);
}

#[test]
fn a_reset_to_the_end_skips_by_design() {
    let run = six(CommitStyle::ProcessFirst).poll(0, 0, 2).process(0, 0, 2);
    let run = run.place(0, 6, PositionSource::Latest).commit_offset(0, 6, None).end();
    let expected = found(Verdict::Allowed, Aspect::Plain, 4);
    assert_eq!(says(&run, CheckerId::ProcessedAtLeastOnce), expected);
}

// --- B16, at most once --------------------------------------------------------------------------

/// The first consumer has processed and is gone before it committed; the next one begins anew.
fn processed_twice(commits: CommitStyle) -> Script {
    let run = six(commits).poll(0, 0, 6).process(0, 0, 6).stop_consumer(0, 1).join(1, 1, 2);
    run.poll(1, 0, 6)
}

#[test]
fn who_commits_first_processes_once() {
    let twice = |commits| processed_twice(commits).process(1, 0, 6).end();
    let expected = found(Verdict::Allowed, Aspect::Plain, 6);
    let process_first = twice(CommitStyle::ProcessFirst);
    assert_eq!(says(&process_first, CheckerId::ProcessedAtMostOnce), expected);
    assert_eq!(judged(&process_first).counts.processed_twice, 6);
    let expected = found(Verdict::Violation, Aspect::Plain, 6);
    assert_eq!(says(&twice(CommitStyle::CommitFirst), CheckerId::ProcessedAtMostOnce), expected);
}

#[test]
fn another_record_at_the_same_offset_is_processed_for_the_first_time() {
    // The log was cut after the second record was read, and then came the seventh.
    let cut = six(CommitStyle::CommitFirst).poll(0, 0, 2).process(0, 0, 2);
    let cut = cut.place(0, 1, PositionSource::Truncation).queue(0, 1).give(0, 1, 0, 6);
    let run = cut.clone().process(0, 1, 1).end();
    assert_eq!(says(&run, CheckerId::ProcessedAtMostOnce), OK);
    let counts = judged(&run).counts;
    assert_eq!((counts.processed, counts.processed_twice), (3, 0));
    // One after the other: what was read before, and what is there now.
    let both = cut.place(0, 0, PositionSource::Seek).give(0, 0, 0, 0).give(0, 1, 0, 6);
    let run = both.process(0, 0, 2).process(0, 1, 1).end();
    let expected = found(Verdict::Violation, Aspect::Plain, 2);
    assert_eq!(says(&run, CheckerId::ProcessedAtMostOnce), expected);
    let judgement = judged(&run);
    let records = judgement.findings_of(CheckerId::ProcessedAtMostOnce).flat_map(|f| &f.records);
    let records: Vec<_> = records.map(|records| records.run.start).collect();
    assert_eq!(records, [0, 6], "the second is no more at its offset");
}

#[test]
fn a_sink_that_knows_its_records_has_one_effect_of_each() {
    let knows = |known| {
        let run = processed_twice(CommitStyle::ProcessFirst);
        run.process_known(1, 0, 6, known).readers(|reader| reader.deduplicates = true).end()
    };
    assert_eq!(says(&knows(6), CheckerId::ProcessedAtMostOnce), OK);
    assert_eq!(judged(&knows(6)).counts.processed_twice, 0);
    let expected = found(Verdict::Violation, Aspect::Plain, 6);
    assert_eq!(says(&knows(5), CheckerId::ProcessedAtMostOnce), expected);
    assert_eq!(judged(&knows(5)).counts.processed_twice, 1);
}

// --- B17, exactly once --------------------------------------------------------------------------

#[test]
fn each_input_has_one_output() {
    let run = turn(turn(pipeline(), (0, 2), Commit), (2, 2), Commit).end();
    let judgement = judged(&run);
    assert_eq!(judgement.opinion(CheckerId::ExactlyOnce).verdict, Verdict::Ok);
    assert_eq!(judgement.opinion(CheckerId::ExactlyOnce).examined, 4);
    assert_eq!(judgement.worst(), Verdict::Violation, "the group never took the offsets over");
    let fine = judgement.findings.iter();
    let only = CheckerId::TransactionalOffsets;
    assert!(fine.map(|finding| finding.checker).all(|checker| checker == only));
}

#[test]
fn who_aborts_and_reads_on_skips() {
    let run = turn(turn(pipeline(), (0, 2), Abort), (2, 2), Commit).end();
    let expected = found(Verdict::Violation, Aspect::PassedOver, 2);
    assert_eq!(says(&run, CheckerId::ExactlyOnce), expected);
    let careless = run.readers(|reader| reader.rewinds_after_abort = false);
    let expected = found(Verdict::Allowed, Aspect::PassedOver, 2);
    assert_eq!(says(&careless, CheckerId::ExactlyOnce), expected);
    assert_eq!(says(&careless, CheckerId::ProcessedAtLeastOnce).0, Verdict::Allowed);
    let back = turn(pipeline(), (0, 2), Abort).place(0, 0, PositionSource::Seek);
    let run = turn(turn(back, (0, 2), Commit), (2, 2), Commit).end();
    assert_eq!(says(&run, CheckerId::ExactlyOnce), OK);
}

#[test]
fn another_record_at_the_same_offset_has_an_output_of_its_own() {
    let run = turn(pipeline(), (0, 1), Commit).place(0, 0, PositionSource::Truncation);
    let run = run.queue(1, 1).give(0, 0, 1, 4).begin(0).transform(0, 0, 1, 0).on(1);
    let run = run.add_partition(0).queue(0, 1).append(1, 0, 1, 1).replicate(1).ack(0, 1, 1, 1);
    let run = run.on(0).send_offset(0, 1).on(1).end_as(0, Commit).on(0).end();
    assert_eq!(says(&run, CheckerId::ExactlyOnce), OK);
}

#[test]
fn an_input_that_was_read_twice_and_committed_twice_has_two_outputs() {
    let run = turn(pipeline(), (0, 2), Commit).place(0, 0, PositionSource::Seek);
    let run = turn(run, (0, 2), Commit).end();
    let expected = found(Verdict::Violation, Aspect::Repeated, 2);
    assert_eq!(says(&run, CheckerId::ExactlyOnce), expected);
    let alone = run.readers(|reader| reader.sends_group_metadata = false);
    let expected = found(Verdict::Allowed, Aspect::Repeated, 2);
    assert_eq!(says(&alone, CheckerId::ExactlyOnce), expected);
}

#[test]
fn an_output_that_is_undecided_is_neither_there_nor_missing() {
    let run = pipeline().poll(0, 0, 2).begin(0).transform(0, 0, 2, 0).on(1).add_partition(0);
    let run = run.queue(0, 2).append(1, 0, 0, 2).replicate(1).ack(0, 0, 2, 1).on(0);
    let run = run.send_offset(0, 2).ending(0, Commit).decide(0, Commit).ended(0, Commit);
    assert_eq!(says(&run.stop_run(), CheckerId::ExactlyOnce), OK);
}

#[test]
fn a_pipeline_without_transactions_may_do_anything() {
    let run = Script::new().reading(CommitStyle::ProcessFirst).session(1).queue(1, 2);
    let run = run.append(1, 1, 0, 2).replicate(1).ack(1, 0, 2, 1).partition().on(0).join(0, 0, 1);
    let twice = |run: Script| {
        let run = run.on(0).poll(0, 0, 2).transform(0, 0, 2, 0).on(1);
        let first = run.queued(0);
        run.queue(0, 2).append(1, 0, first, 2).replicate(1).ack(0, first, 2, 1).on(0)
    };
    let run = twice(run).place(0, 0, PositionSource::Committed);
    let run = twice(run).commit_offset(0, 2, None).end();
    let expected = found(Verdict::Allowed, Aspect::Repeated, 2);
    assert_eq!(says(&run, CheckerId::ExactlyOnce), expected);
    assert_eq!(says(&run, CheckerId::ProcessedAtLeastOnce), OK);
}

// --- B21, ownership -----------------------------------------------------------------------------

#[test]
fn a_partition_has_one_owner_in_one_generation() {
    let two = six(CommitStyle::Auto).consumer(1, 0, READ_COMMITTED);
    let both = two.clone().assign(1, 1).end();
    let expected = found(Verdict::Violation, Aspect::Plain, 0);
    assert_eq!(says(&both, CheckerId::Ownership), expected);
    let zombie = two.clone().assign(1, 2).end();
    assert_eq!(says(&zombie, CheckerId::Ownership), OK, "the first one has missed a rebalance");
    let revoked = two.clone().revoke(0).assign(1, 1).end();
    assert_eq!(says(&revoked, CheckerId::Ownership), OK);
    let gone = two.clone().stop_consumer(0, 1).assign(1, 1).end();
    assert_eq!(says(&gone, CheckerId::Ownership), OK);
    // A coordinator that has lost its group begins with the first generation again.
    let lost = two.partition().keeping_offsets().on(1).isr(&[1, 2, 3], &[1]);
    let lost = lost.elect(2, Election::Unclean).on(0).assign(1, 1).end();
    let expected = found(Verdict::Allowed, Aspect::Plain, 0);
    assert_eq!(says(&lost, CheckerId::Ownership), expected);
}
