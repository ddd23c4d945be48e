//! Mechanisms of transactions and consumers.

use super::super::consumers::{pipeline, six, turn};
use super::super::transactions::{late_batch, late_end, start};
use super::*;
use crate::script::READ_COMMITTED;
use inflight_protocol::Fact;
use inflight_protocol::TransactionResult::{Abort, Commit};
use inflight_protocol::TransactionState::{CompleteCommit, PrepareCommit};
use inflight_protocol::fact::{LeaveCause, MembershipState, PositionSource, Recovery};
use inflight_protocol::ids::*;
use inflight_protocol::message::IsolationLevel;
use inflight_protocol::transaction::TRANSACTION_STATE_TOPIC;
use inflight_trace::CommitStyle;

// --- transactions -------------------------------------------------------------------------------

#[test]
fn a_late_end_is_told() {
    story(
        &late_end(Commit),
        CheckerId::Atomicity,
        expect![[r#"
            B11: violation, transaction 1 of p1 is torn: record 1 of p1 in t-0 is on the wrong side
               13 p1 asked for the commit of transaction 0
               20 p1 was told that transaction 0 is committed
               21 p1 began transaction 1
               22 t1 is Ongoing, it was Empty (producer id 100, producer epoch 0, coordinator broker 1)
               24 p1 queued record 1 for t-0 (message 1 of its application)
               25 broker 1 appended record 1 of p1 to t-0 at offset 2 (leader epoch 0, sequence 1)
               26 broker 2 copied record 1 of p1 to t-0 at offset 2 (leader epoch 0, sequence 1)
               27 broker 3 copied record 1 of p1 to t-0 at offset 2 (leader epoch 0, sequence 1)
               28 the high watermark of t-0 on broker 1 rose from 2 to 3
               29 p1 was told that t-0 has record 1 at offset 2
               30 t1 is PrepareCommit, it was Ongoing (producer id 100, producer epoch 0, coordinator broker 1)
            >  31 broker 1 wrote a commit marker to t-0 at offset 3 (producer id 100, producer epoch 0, transaction from offset 0)
               35 t1 is CompleteCommit, it was PrepareCommit (producer id 100, producer epoch 0, coordinator broker 1)
               36 t1 is Ongoing, it was Empty (producer id 100, producer epoch 0, coordinator broker 1)
               44 p1 asked for the abort of transaction 1
               45 t1 is PrepareAbort, it was Ongoing (producer id 100, producer epoch 0, coordinator broker 1)
               50 t1 is CompleteAbort, it was PrepareAbort (producer id 100, producer epoch 0, coordinator broker 1)
               51 p1 was told that transaction 1 is aborted
            A request to end one transaction was late and ended the next one: they have one producer epoch, so the coordinator cannot tell them apart. That is a known flaw of the protocol before transaction.version 2 (KAFKA-17754).
            + transaction.version=2: each transaction has its own producer epoch
            + a new producer after a time-out of commitTransaction() or abortTransaction(): initTransactions() raises the producer epoch before the next transaction
        "#]],
    );
    assert_eq!(mechanism(&late_end(Abort), CheckerId::NoLoss), Mechanism::LateEnd);
    assert_eq!(mechanism(&late_end(Commit), CheckerId::AbortedRead), Mechanism::LateEnd);
    assert_eq!(mechanism(&late_end(Commit), CheckerId::Markers), Mechanism::LateEnd);
}

#[test]
fn a_late_batch_joins() {
    let run = late_batch(true).end();
    story(
        &run,
        CheckerId::AbortedRead,
        expect![[r#"
        B9: violation, record 0 of p1 in t-0 counts, although transaction 0 of p1 was not committed
            4 p1 began transaction 0
            5 t1 is Ongoing, it was Empty (producer id 100, producer epoch 0, coordinator broker 1)
            7 p1 queued record 0 for t-0 (message 0 of its application)
            8 p1 sent record 0 of t-0 to broker 1, 1st attempt, sequence 0
            9 p1 was told that record 0 of t-0 failed: delivery-timeout
           10 p1 asked for the abort of transaction 0
           11 t1 is PrepareAbort, it was Ongoing (producer id 100, producer epoch 0, coordinator broker 1)
           16 t1 is CompleteAbort, it was PrepareAbort (producer id 100, producer epoch 0, coordinator broker 1)
           17 p1 was told that transaction 0 is aborted
           19 t1 is Ongoing, it was Empty (producer id 100, producer epoch 0, coordinator broker 1)
        >  21 broker 1 appended record 0 of p1 to t-0 at offset 1 (leader epoch 0, sequence 0)
           24 broker 2 copied record 0 of p1 to t-0 at offset 1 (leader epoch 0, sequence 0)
           26 broker 3 copied record 0 of p1 to t-0 at offset 1 (leader epoch 0, sequence 0)
           28 the high watermark of t-0 on broker 1 rose from 1 to 3
           31 t1 is PrepareCommit, it was Ongoing (producer id 100, producer epoch 0, coordinator broker 1)
           32 broker 1 wrote a commit marker to t-0 at offset 3 (producer id 100, producer epoch 0, transaction from offset 1)
           36 t1 is CompleteCommit, it was PrepareCommit (producer id 100, producer epoch 0, coordinator broker 1)
        A batch of a transaction that was over arrived late, when the next transaction of its producer was open, and became part of it: both have one producer epoch. That is a known flaw of the protocol before transaction.version 2 (KIP-890).
        + transaction.version=2: the leader refuses a batch of an older producer epoch
    "#]],
    );
}

/// A transaction is over for its application, which begins another one, before its marker is there.
/// What is written then is aborted, and somebody reads everything.
fn marker_after_the_next_begin(version: u8) -> Script {
    let epoch = i16::from(version >= 2);
    let run = start(version).write(0, 1).ending(0, Commit).decide(0, Commit).ended(0, Commit);
    let run = run.begin(0).marker_of(epoch, Commit).replicate(1);
    let run = run.state(PrepareCommit, CompleteCommit, epoch).add_partition(0);
    let run = run.queue(0, 1).append(1, 0, 1, 1).replicate(1).ack(0, 1, 1, 1);
    let run = run.consumer(0, 1, IsolationLevel::ReadUncommitted).assign(0, 1);
    run.place(0, 0, PositionSource::Earliest).poll(0, 0, 3).end_as(0, Abort)
}

#[test]
fn the_marker_of_the_transaction_before_makes_no_batch_late() {
    for version in [1, 2] {
        let run = marker_after_the_next_begin(version).end();
        assert_eq!(mechanism(&run, CheckerId::AbortedRead), Mechanism::ReadUncommitted);
    }
    // A follower copies the marker late.
    let run = start(1).write(0, 1).ending(0, Commit).decide(0, Commit).marker_of(0, Commit);
    let run = run.complete(0, Commit).ended(0, Commit).begin(0).copy(2, 1).add_partition(0);
    let run = run.queue(0, 1).append(1, 0, 1, 1).replicate(1).ack(0, 1, 1, 1).end_as(0, Commit);
    let undone = run.ending(0, Abort).ended(0, Abort).end();
    assert_ne!(mechanism(&undone, CheckerId::AbortedRead), Mechanism::LateBatchJoined);
}

#[test]
fn no_batch_joins_where_each_transaction_has_an_epoch() {
    // The leader takes a batch of the epoch before, which breaks Kafka's rule.
    let run = start(2).begin(0).add_partition(0).queue(0, 1).send(0, 0, 1, 1, 0);
    let run = run.fail(0, 0, 1, SendError::DeliveryTimeout).end_as(0, Abort).begin(0);
    let run = run.add_partition(0).append_as(1, 0, 0, 1, Some((100, 0, 0))).queue(0, 1);
    let run = run.append(1, 0, 1, 1).replicate(1).ack(0, 1, 1, 1).end_as(0, Commit).end();
    for checker in [CheckerId::AbortedRead, CheckerId::Markers] {
        assert_ne!(mechanism(&run, checker), Mechanism::LateBatchJoined, "{checker}");
    }
}

#[test]
fn a_late_batch_explains_why_a_marker_ends_two_transactions() {
    let run = late_batch(true).end();
    let report = judge_recording(&run.description, &run.facts);
    let found = report.explanations.iter().filter(|e| e.finding.checker == CheckerId::Markers);
    let found: Vec<_> = found.map(|e| (e.finding.aspect, e.mechanism)).collect();
    // The second is about a record of the other transaction.
    let joined = Mechanism::LateBatchJoined;
    assert_eq!(found, [(Aspect::WrongEnd, joined), (Aspect::Mixed, joined)]);
}

#[test]
fn a_late_batch_hangs() {
    let run = late_batch(false).end();
    story(
        &run,
        CheckerId::StableProgress,
        expect![[r#"
        B13: violation, who reads committed records waits before record 0 of p1 in t-0 at offset 1 and will not get on
            4 p1 began transaction 0
            5 t1 is Ongoing, it was Empty (producer id 100, producer epoch 0, coordinator broker 1)
            7 p1 queued record 0 for t-0 (message 0 of its application)
            8 p1 sent record 0 of t-0 to broker 1, 1st attempt, sequence 0
            9 p1 was told that record 0 of t-0 failed: delivery-timeout
           10 p1 asked for the abort of transaction 0
           11 t1 is PrepareAbort, it was Ongoing (producer id 100, producer epoch 0, coordinator broker 1)
           16 t1 is CompleteAbort, it was PrepareAbort (producer id 100, producer epoch 0, coordinator broker 1)
           17 p1 was told that transaction 0 is aborted
        >  18 broker 1 appended record 0 of p1 to t-0 at offset 1 (leader epoch 0, sequence 0)
        A batch arrived late, after the marker of its transaction, and opened a transaction that the coordinator knows nothing of: no marker will ever end it (KAFKA-14402).
        + transaction.version=2: the leader refuses a batch of an older producer epoch
        + kafka-transactions.sh abort: it ends the transaction by hand
    "#]],
    );
    assert_eq!(mechanism(&run, CheckerId::KnownTransactions), Mechanism::HangingTransaction);
}

#[test]
fn an_open_transaction_is_no_late_batch() {
    let run = start(2).write(0, 1).stop(0, StopCause::Crashed).end();
    assert_eq!(mechanism(&run, CheckerId::StableProgress), Mechanism::OpenTransaction);
}

#[test]
fn a_marker_is_lost_with_the_end_of_its_log() {
    let run = start(2).write(0, 1).end_as(0, Commit);
    let run = run.power_loss(1, 1).power_loss(2, 1).power_loss(3, 1);
    let run = run.elect(1, Election::Clean).commit(1).end();
    assert_eq!(mechanism(&run, CheckerId::StableProgress), Mechanism::MarkerLost);
}

#[test]
fn a_coordinator_forgets_a_transaction_with_its_log() {
    let forgotten = |cuts: bool| {
        let run = start(2).partition();
        let mut run = run.on(0).write(0, 1).ending(0, Commit);
        let mut internal = run.description.topics[0].clone();
        let replicas = run.description.topics[0].replicas.pop();
        internal.name = TRANSACTION_STATE_TOPIC.to_owned();
        internal.replicas = replicas.into_iter().collect();
        run.description.topics.push(internal);
        if cuts {
            run = run.fact(Fact::LogRecovered {
                broker: BrokerId::new(1),
                partition: TopicPartition::new(1),
                from: Offset::new(5),
                to: Offset::new(0),
                high_watermark: Offset::new(0),
            });
        }
        let run = run.stop(0, StopCause::Crashed).session(0);
        let next = Fact::TransactionsInitialized {
            session: SessionId::new(1),
            transactional_id: TransactionalId::new(0),
            producer_id: ProducerId::new(1000),
            producer_epoch: ProducerEpoch::new(0),
        };
        mechanism(&run.fact(next).end(), CheckerId::StableProgress)
    };
    assert_eq!(forgotten(true), Mechanism::TransactionForgotten);
    assert_eq!(forgotten(false), Mechanism::OpenTransaction);
}

#[test]
fn a_marker_that_was_left_out_explains_both_transactions() {
    let run = start(2).write(0, 1).ending(0, Commit).decide(0, Commit).skip_marker(0, Commit);
    let open = run.clone().complete(0, Commit).ended(0, Commit).end();
    assert_eq!(mechanism(&open, CheckerId::StableProgress), Mechanism::MarkerSkipped);
    let run = run.complete(0, Commit).ended(0, Commit).begin(0).write(0, 1).end_as(0, Abort).end();
    assert_eq!(mechanism(&run, CheckerId::NoLoss), Mechanism::MarkerSkipped);
    assert_eq!(mechanism(&run, CheckerId::Atomicity), Mechanism::MarkerSkipped);
    assert_eq!(mechanism(&run, CheckerId::Markers), Mechanism::MarkerSkipped);
}

#[test]
fn a_marker_that_was_left_out_explains_the_other_partitions_and_no_zombie() {
    // Its coordinator gives it up; one partition has no leader then, and is committed with the next.
    let two = start(1).partition().on(0).write(0, 1).on(1).add_partition(0).queue(0, 1);
    let two = two.append(1, 0, 0, 1).replicate(1).ack(0, 0, 1, 1);
    let leave_out = |run: Script| {
        let run = run.decide(0, Abort).skip_marker(0, Abort).on(0).marker(0, Abort);
        run.complete(0, Abort)
    };
    let next = |run: Script, session| {
        let run = run.begin(session).on(1).add_partition(session).queue(session, 1);
        let first = run.queued(session) - 1;
        let run = run.append(1, session, first, 1).replicate(1).ack(session, first, 1, 1);
        run.end_as(session, Commit).end()
    };
    let failed = leave_out(two.clone().ending(0, Commit).time_out(0));
    let run = next(failed.end_fails(0, SendError::CallTimeout, Recovery::Close), 0);
    assert_eq!(mechanism(&run, CheckerId::Atomicity), Mechanism::MarkerSkipped);
    assert_eq!(mechanism(&run, CheckerId::NoLoss), Mechanism::MarkerSkipped);
    let aborted = leave_out(two.ending(0, Abort)).ended(0, Abort);
    let run = next(aborted.session(0).init(1), 1);
    assert_eq!(mechanism(&run, CheckerId::Fencing), Mechanism::MarkerSkipped);
}

#[test]
fn what_nobody_answered_for_is_lost_with_its_leader() {
    let run = six(CommitStyle::Auto).isr(&[1, 2, 3], &[1]).queue(0, 1).append(1, 0, 6, 1);
    let read = run.commit(1).poll(0, 0, 7);
    let unclean = read.clone().elect(2, Election::Unclean).commit(2).end();
    assert_eq!(mechanism(&unclean, CheckerId::RepeatableRead), Mechanism::UncleanElection);
    let power = read.power_loss(1, 6).start(1).elect(1, Election::LastKnown).commit(1).end();
    assert_eq!(mechanism(&power, CheckerId::RepeatableRead), Mechanism::PowerLoss);
}

#[test]
fn a_marker_is_left_out_when_the_next_transaction_has_begun() {
    let open = start(1).write(0, 1).ending(0, Commit).decide(0, Commit).ended(0, Commit).begin(0);
    let left_out = open.skip_marker(0, Commit).complete(0, Commit);
    let next = |run: Script, ordinal| {
        let run = run.add_partition(0).queue(0, 1).append(1, 0, ordinal, 1).replicate(1);
        run.ack(0, ordinal, 1, 1)
    };
    let run = next(left_out.clone(), 1).end_as(0, Commit).end();
    assert_eq!(mechanism(&run, CheckerId::Markers), Mechanism::MarkerSkipped);
    // The record comes late, when the one after it is open.
    let late = left_out.add_partition(0).queue(0, 1).send(0, 1, 1, 1, 0);
    let late = late.fail(0, 1, 1, SendError::DeliveryTimeout).ending(0, Abort);
    let late = late.decide(0, Abort).complete(0, Abort).ended(0, Abort).begin(0);
    let late = late.add_partition(0).append(1, 0, 1, 1).replicate(1).end_as(0, Commit).end();
    assert_eq!(mechanism(&late, CheckerId::Markers), Mechanism::MarkerSkipped);
}

#[test]
fn a_marker_that_was_left_out_is_not_blamed_for_ever() {
    let skip = |run: Script| {
        let run = run.ending(0, Commit).decide(0, Commit).skip_marker(0, Commit);
        run.complete(0, Commit).ended(0, Commit)
    };
    // Long after the record's own transaction was ended.
    let read = start(2).write(0, 1).consumer(0, 1, IsolationLevel::ReadUncommitted).assign(0, 1);
    let read = read.place(0, 0, PositionSource::Earliest).poll(0, 0, 1).end_as(0, Abort);
    let run = skip(read.write(0, 1)).end();
    assert_eq!(mechanism(&run, CheckerId::AbortedRead), Mechanism::ReadUncommitted);
    // Before another marker ended what it had left open.
    let run = skip(start(1).write(0, 1)).write(0, 1).end_as(0, Commit);
    let run = run.begin(0).add_partition(0).queue(0, 1).send(0, 2, 1, 1, 0);
    let run = run.fail(0, 2, 1, SendError::DeliveryTimeout).end_as(0, Abort);
    let run = run.begin(0).add_partition(0).append(1, 0, 2, 1).queue(0, 1);
    let run = run.append(1, 0, 3, 1).replicate(1).ack(0, 3, 1, 1).end_as(0, Commit).end();
    let report = judge_recording(&run.description, &run.facts);
    let found = report.explanations.iter().filter(|e| e.finding.checker == CheckerId::Markers);
    let found: Vec<_> = found.map(|e| e.mechanism).collect();
    let (skipped, joined) = (Mechanism::MarkerSkipped, Mechanism::LateBatchJoined);
    assert_eq!(found, [skipped, joined, joined]);
}

#[test]
fn what_was_committed_is_not_aborted_by_hand() {
    const BY_HAND: &str = "kafka-transactions.sh abort";
    let skipped = |end| {
        let run = start(2).write(0, 1).ending(0, end).decide(0, end).skip_marker(0, end);
        run.complete(0, end).ended(0, end).end()
    };
    let found = remedies(&skipped(Commit), CheckerId::StableProgress);
    assert!(!found.is_empty() && !found.contains(&BY_HAND), "{found:?}");
    assert!(remedies(&skipped(Abort), CheckerId::StableProgress).contains(&BY_HAND));
    assert!(remedies(&late_batch(false).end(), CheckerId::StableProgress).contains(&BY_HAND));
}

#[test]
fn verification_helps_where_it_is_off() {
    const VERIFIES: &str = "transaction.partition.verification.enable=true";
    let mut run = late_batch(false).end();
    for (setting, helps) in [(None, false), (Some(true), false), (Some(false), true)] {
        run.description.transaction_partition_verification_enable = setting;
        let found = remedies(&run, CheckerId::StableProgress);
        assert_eq!(found.contains(&VERIFIES), helps, "{setting:?}: {found:?}");
    }
}

#[test]
fn offsets_whose_marker_was_left_out_do_not_count() {
    let sent = || {
        let run = pipeline().partition().keeping_offsets().on(0).poll(0, 0, 2).begin(0);
        let run = run.transform(0, 0, 2, 0).on(1).add_partition(0).queue(0, 2);
        let run = run.append(1, 0, 0, 2).replicate(1).ack(0, 0, 2, 1).on(0);
        run.send_offset(0, 2).pend_offset(2).ending(0, Commit).decide(0, Commit)
    };
    let over = |run: Script| run.on(0).complete(0, Commit).ended(0, Commit);
    let skipped = over(sent().on(1).marker(0, Commit).on(2).skip_marker(0, Commit));
    let once = skipped.clone().end();
    let cause = mechanism(&once, CheckerId::TransactionalOffsets);
    assert_eq!(cause, Mechanism::MarkerSkipped);
    let whole = over(sent().on(1).marker(0, Commit).on(2).marker(0, Commit)).end();
    let cause = mechanism(&whole, CheckerId::TransactionalOffsets);
    assert_eq!(cause, Mechanism::OffsetsApart);
    // The next consumer begins before the records and does them again.
    let run = skipped.place(0, 0, PositionSource::Committed);
    let again = turn(run, (0, 2), Commit).end();
    assert_eq!(mechanism(&again, CheckerId::ExactlyOnce), Mechanism::MarkerSkipped);
}

#[test]
fn outputs_whose_marker_was_left_out_are_aborted_with_the_next() {
    let run = pipeline().poll(0, 0, 2).begin(0).transform(0, 0, 2, 0).on(1).add_partition(0);
    let run = run.queue(0, 2).append(1, 0, 0, 2).replicate(1).ack(0, 0, 2, 1).on(0);
    let run = run.send_offset(0, 2).ending(0, Commit).decide(0, Commit).on(1);
    let run = run.skip_marker(0, Commit).on(0).complete(0, Commit).ended(0, Commit);
    // The application goes back to where the second transaction began, not before the first.
    let run = turn(run, (2, 2), Abort).place(0, 2, PositionSource::Committed);
    let run = turn(run, (2, 2), Commit).end();
    assert_eq!(mechanism(&run, CheckerId::ExactlyOnce), Mechanism::MarkerSkipped);
}

#[test]
fn a_transaction_that_was_too_old_is_half_committed() {
    let run = start(1).write(0, 1).wait_ms(60_000).time_out(0).marker_of(0, Abort).replicate(1);
    let run = run.complete(0, Abort).add_partition(0).queue(0, 1).append(1, 0, 1, 1);
    let run = run.replicate(1).ack(0, 1, 1, 1).end_as(0, Commit).end();
    assert_eq!(mechanism(&run, CheckerId::Atomicity), Mechanism::TransactionTimedOut);
    assert_eq!(mechanism(&run, CheckerId::NoLoss), Mechanism::TransactionTimedOut);
    let falsely = start(1).write(0, 1).wait_ms(60_000).time_out(0).marker_of(0, Abort);
    let falsely = falsely.replicate(1).ending(0, Commit).ended(0, Commit).end();
    let truth = mechanism(&falsely, CheckerId::TruthfulErrors);
    assert_eq!(truth, Mechanism::TransactionTimedOut);
}

#[test]
fn a_committed_transaction_goes_down_with_its_log() {
    let gone = |run: Script| {
        let run = run.power_loss(1, 0).power_loss(2, 0).power_loss(3, 0);
        run.elect(1, Election::Clean).commit(1).end()
    };
    let run = gone(start(2).write(0, 1).end_as(0, Commit));
    assert_eq!(mechanism(&run, CheckerId::Atomicity), Mechanism::PowerLoss);
    // That its marker was left out is of no account then.
    let skipped = start(2).write(0, 1).ending(0, Commit).decide(0, Commit).skip_marker(0, Commit);
    let run = gone(skipped.complete(0, Commit).ended(0, Commit));
    assert_eq!(mechanism(&run, CheckerId::Atomicity), Mechanism::PowerLoss);
}

#[test]
fn an_abort_whose_reason_nobody_knows_is_read_all_the_same() {
    let run = start(2).write(0, 1).consumer(0, 1, IsolationLevel::ReadUncommitted).assign(0, 1);
    let run = run.place(0, 0, PositionSource::Earliest).poll(0, 0, 1).decide(0, Abort);
    let run = run.marker(0, Abort).complete(0, Abort).ending(0, Abort).ended(0, Abort).end();
    assert_eq!(mechanism(&run, CheckerId::AbortedRead), Mechanism::ReadUncommitted);
}

#[test]
fn the_messages_of_an_aborted_transaction_are_sent_again_in_another_order() {
    let swapped = |run: Script| {
        let run = run.queue_again(0, 1, 1).queue_again(0, 1, 0).append(1, 0, 2, 2).replicate(1);
        run.ack(0, 2, 2, 1)
    };
    let aborted = start(2).write(0, 2).end_as(0, Abort).begin(0).add_partition(0);
    let run = swapped(aborted).end_as(0, Commit).end();
    assert_eq!(mechanism(&run, CheckerId::MessageOrder), Mechanism::ResentAfterAbort);
    // Nothing shows why the application does so.
    let run = swapped(Script::new().queue(0, 2)).end();
    assert_eq!(mechanism(&run, CheckerId::MessageOrder), Mechanism::Unknown);
}

#[test]
fn a_zombie_is_not_fenced() {
    let run = start(1).write(0, 1).session(0).init(1);
    let run = run.ending(0, Commit).marker(0, Commit).ended(0, Commit).end();
    story(
        &run,
        CheckerId::Fencing,
        expect![[r#"
        B14: violation, record 0 of p1 in t-0 of an instance that was replaced counts
            4 p1 began transaction 0
            5 t1 is Ongoing, it was Empty (producer id 100, producer epoch 0, coordinator broker 1)
            7 p1 queued record 0 for t-0 (message 0 of its application)
            8 broker 1 appended record 0 of p1 to t-0 at offset 0 (leader epoch 0, sequence 0)
            9 broker 2 copied record 0 of p1 to t-0 at offset 0 (leader epoch 0, sequence 0)
           10 broker 3 copied record 0 of p1 to t-0 at offset 0 (leader epoch 0, sequence 0)
           11 the high watermark of t-0 on broker 1 rose from 0 to 1
           12 p1 was told that t-0 has record 0 at offset 0
        >  14 initTransactions() of p1 (2nd session) returned: producer id 100 with producer epoch 1 for t1
           15 p1 asked for the commit of transaction 0
           16 broker 1 wrote a commit marker to t-0 at offset 1 (producer id 100, producer epoch 0, transaction from offset 0)
           20 p1 was told that transaction 0 is committed
        An instance that was replaced committed all the same: coordinator or leader broke Kafka's rule.
    "#]],
    );
    let aborted = start(1).write(0, 1).ending(0, Commit).session(0).init(1);
    let aborted = aborted.marker_of(1, Abort).replicate(1).ended(0, Commit).end();
    assert_eq!(mechanism(&aborted, CheckerId::NoLoss), Mechanism::AbortedByRival);
}

#[test]
fn who_reads_everything_is_given_aborted_records() {
    let run = start(2).write(0, 2).consumer(0, 1, IsolationLevel::ReadUncommitted).assign(0, 1);
    let run = run.place(0, 0, PositionSource::Earliest).poll(0, 0, 2).end_as(0, Abort).end();
    story(
        &run,
        CheckerId::AbortedRead,
        expect![[r#"
            B9: allowed, p2 was given records 0..1 of p1 in t-0 at offset 0 of transaction 0 of p1, which was aborted
            not promised: isolation.level is read_uncommitted
                4 p1 began transaction 0
                5 t1 is Ongoing, it was Empty (producer id 100, producer epoch 0, coordinator broker 1)
                7 p1 queued records 0..1 for t-0 (messages 0..1 of its application)
                8 broker 1 appended records 0..1 of p1 to t-0 at offsets 0..1 (leader epoch 0, sequences 0..1)
                9 broker 2 copied record 0 of p1 to t-0 at offset 0 (leader epoch 0, sequence 0)
               11 broker 3 copied record 0 of p1 to t-0 at offset 0 (leader epoch 0, sequence 0)
               13 the high watermark of t-0 on broker 1 rose from 0 to 2
               14 p1 was told that t-0 has records 0..1 at offsets 0..1
            >  18 poll() gave p2 offset 0 of t-0: record 0 of p1
               20 p1 asked for the abort of transaction 0
               21 t1 is PrepareAbort, it was Ongoing (producer id 100, producer epoch 1, coordinator broker 1)
               22 broker 1 wrote an abort marker to t-0 at offset 2 (producer id 100, producer epoch 1, transaction from offset 0)
               26 t1 is CompleteAbort, it was PrepareAbort (producer id 100, producer epoch 1, coordinator broker 1)
               27 p1 was told that transaction 0 is aborted
            The consumer reads everything below the high watermark, whatever becomes of its transaction.
            + isolation.level=read_committed: records are given when their transaction is committed
        "#]],
    );
}

#[test]
fn a_reader_sees_above_the_stable_offset() {
    let run = start(2).write(0, 1).consumer(0, 1, READ_COMMITTED).assign(0, 1);
    let run = run.place(0, 0, PositionSource::Earliest).poll(0, 0, 1).end_as(0, Abort).end();
    assert_eq!(mechanism(&run, CheckerId::EarlyRead), Mechanism::ReadAboveStable);
    assert_eq!(mechanism(&run, CheckerId::AbortedRead), Mechanism::ReadAboveStable);
    let stable = start(2).write(0, 1).stable(0, 1).end();
    assert_eq!(mechanism(&stable, CheckerId::StableOffset), Mechanism::StableOffsetWrong);
}

// --- consumers ----------------------------------------------------------------------------------

#[test]
fn a_commit_before_processing_is_told() {
    let run = six(CommitStyle::CommitFirst).poll(0, 0, 6).commit_offset(0, 6, None);
    let run = run.process(0, 0, 2).stop_consumer(0, 1).end();
    story(
        &run,
        CheckerId::ProcessedAtLeastOnce,
        expect![[r#"
            B15: allowed, records 2..5 of p1 in t-0 at offset 2 were never processed, though a later offset was committed
            not promised: the application commits before it processes
                3 p1 queued records 0..5 for t-0 (messages 0..5 of its application)
                4 broker 1 appended records 0..5 of p1 to t-0 at offsets 0..5 (leader epoch 0, sequences 0..5)
                7 broker 2 copied record 2 of p1 to t-0 at offset 2 (leader epoch 0, sequence 2)
               13 broker 3 copied record 2 of p1 to t-0 at offset 2 (leader epoch 0, sequence 2)
               17 the high watermark of t-0 on broker 1 rose from 0 to 6
               18 p1 was told that t-0 has records 0..5 at offsets 0..5
               24 poll() gave p2 offset 2 of t-0: record 2 of p1
            >  29 p2 was told about the commit of offset 6 of t-0: success
               31 the consumer of p2 is gone: crashed
            The offset was committed before the record was processed, and the consumer that had it was gone or had lost the partition before it came to that.
            + commit after processing: what is committed was processed
        "#]],
    );
}

#[test]
fn a_crash_before_the_commit_processes_again() {
    let run = six(CommitStyle::ProcessFirst).poll(0, 0, 2).process(0, 0, 2).stop_consumer(0, 1);
    let run = run.join(1, 1, 2).poll(1, 0, 2).process(1, 0, 2).commit_offset(1, 2, None).end();
    story(
        &run,
        CheckerId::ProcessedAtMostOnce,
        expect![[r#"
            B16: allowed, records 0..1 of p1 in t-0 at offset 0 were processed twice
            not promised: the application processes before it commits
                3 p1 queued records 0..5 for t-0 (messages 0..5 of its application)
                4 broker 1 appended records 0..5 of p1 to t-0 at offsets 0..5 (leader epoch 0, sequences 0..5)
                5 broker 2 copied record 0 of p1 to t-0 at offset 0 (leader epoch 0, sequence 0)
               11 broker 3 copied record 0 of p1 to t-0 at offset 0 (leader epoch 0, sequence 0)
               17 the high watermark of t-0 on broker 1 rose from 0 to 6
               18 p1 was told that t-0 has records 0..5 at offsets 0..5
               22 poll() gave p2 offset 0 of t-0: record 0 of p1
               24 p2 processed offsets 0..1 of t-0 (0 left out, as processed before)
               25 the consumer of p2 is gone: crashed
               27 p2 (2nd consumer) was given t-0 (generation 2)
               28 p2 (2nd consumer) reads t-0 from offset 0 (the beginning)
               29 poll() gave p2 (2nd consumer) offset 0 of t-0: record 0 of p1
            >  31 p2 (2nd consumer) processed offsets 0..1 of t-0 (0 left out, as processed before)
               33 p2 (2nd consumer) was told about the commit of offset 2 of t-0: success
            The record was processed, and the consumer was gone before the offset was committed, so that the next one began before it.
            + sendOffsetsToTransaction() with the results: results and offset become one, as long as the results go to Kafka
            + a sink that ignores repeated messages: a repetition does no harm
            + commit before processing: nothing is processed twice, and something may be skipped
        "#]],
    );
}

#[test]
fn a_slow_consumer_and_its_successor_both_process() {
    let run = six(CommitStyle::ProcessFirst).poll(0, 0, 2).join(1, 0, 2).poll(1, 0, 2);
    let run = run.process(1, 0, 2).commit_offset(1, 2, None).process(0, 0, 2).end();
    let twice = mechanism(&run, CheckerId::ProcessedAtMostOnce);
    assert_eq!(twice, Mechanism::RebalanceRedelivery);
}

#[test]
fn who_was_removed_is_told_what_would_have_kept_it() {
    let removed = |why: Option<LeaveCause>, protocol: bool| {
        let mut run = six(CommitStyle::ProcessFirst).poll(0, 0, 2);
        if protocol {
            run = run.fact(Fact::MemberStateChanged {
                consumer: ConsumerId::new(0),
                from: MembershipState::Joining,
                to: MembershipState::Stable,
            });
        }
        if let Some(why) = why {
            run = run.fact(Fact::MemberRemoved {
                broker: BrokerId::new(1),
                group: GroupId::new(0),
                client: ClientId::new(1),
                why,
            });
        }
        let run = run.join(1, 0, 2).poll(1, 0, 2).process(0, 0, 2).process(1, 0, 2).end();
        let found = remedies(&run, CheckerId::ProcessedAtMostOnce).into_iter();
        let is_time = |what: &&str| what.contains("timeout.ms") || what.contains("interval.ms");
        found.filter(is_time).collect::<Vec<_>>()
    };
    assert_eq!(removed(None, false), [""; 0]);
    let silent = Some(LeaveCause::SessionTimeout);
    assert_eq!(removed(silent, false), ["session.timeout.ms above the longest pause"]);
    assert_eq!(
        removed(silent, true),
        ["group.consumer.session.timeout.ms above the longest pause"]
    );
    for slow in [LeaveCause::RebalanceTimeout, LeaveCause::Left] {
        let helps = ["max.poll.interval.ms above the longest work between two polls"];
        assert_eq!(removed(Some(slow), false), helps);
    }
}

#[test]
fn automatic_commits_are_named_where_they_are_on() {
    const BY_HAND: &str = "enable.auto.commit=false";
    let run = six(CommitStyle::CommitFirst).poll(0, 0, 6).commit_offset(0, 6, None);
    let run = run.process(0, 0, 2).stop_consumer(0, 1).end();
    assert!(!remedies(&run, CheckerId::ProcessedAtLeastOnce).contains(&BY_HAND));
    let run = run.readers(|reader| reader.enable_auto_commit = true);
    assert!(remedies(&run, CheckerId::ProcessedAtLeastOnce).contains(&BY_HAND));
}

#[test]
fn an_abort_without_going_back_skips() {
    let run = turn(turn(pipeline(), (0, 2), Abort), (2, 2), Commit);
    let run = run.readers(|reader| reader.rewinds_after_abort = false).end();
    story(
        &run,
        CheckerId::ExactlyOnce,
        expect![[r#"
        B17: allowed, records 0..1 of p2 in t-0 at offset 0 were committed and no message that was made of it counts
        not promised: the application does not go back to the committed offsets after an abort
            4 p2 queued records 0..3 for t-0 (messages 0..3 of its application)
            5 broker 1 appended records 0..3 of p2 to t-0 at offsets 0..3 (leader epoch 0, sequences 0..3)
            6 broker 2 copied record 0 of p2 to t-0 at offset 0 (leader epoch 0, sequence 0)
           10 broker 3 copied record 0 of p2 to t-0 at offset 0 (leader epoch 0, sequence 0)
           14 the high watermark of t-0 on broker 1 rose from 0 to 4
           15 p2 was told that t-0 has records 0..3 at offsets 0..3
           21 poll() gave p1 offset 0 of t-0: record 0 of p2
           24 p1 made messages 0..1 of offsets 0..1 of t-0
           35 p1 added offset 2 of t-0 for g to transaction 0
        >  43 p1 was told that transaction 0 is aborted
        The transaction was aborted, and the application read on where the consumer was: an abort does not take the consumer back.
        + seek() to the committed offsets after abortTransaction(): the records come again
    "#]],
    );
    assert_eq!(mechanism(&run, CheckerId::ProcessedAtLeastOnce), Mechanism::NoRewind);
}

#[test]
fn a_reset_to_the_beginning_is_recognised() {
    // Nobody takes the partition away; the log was out of range for a while.
    let run = six(CommitStyle::ProcessFirst).poll(0, 0, 2).process(0, 0, 2);
    let back = run.clone().place(0, 0, PositionSource::Earliest).poll(0, 0, 2).process(0, 0, 2);
    let back = back.end();
    assert_eq!(mechanism(&back, CheckerId::ProcessedAtMostOnce), Mechanism::ResetToEarliest);
    // The group has committed, and the next owner finds nothing.
    let next = |run: Script| run.join(1, 1, 2).poll(1, 0, 2).process(1, 0, 2).end();
    let forgotten = next(run.clone().commit_offset(0, 2, None).stop_consumer(0, 1));
    assert_eq!(mechanism(&forgotten, CheckerId::ProcessedAtMostOnce), Mechanism::ResetToEarliest);
    // It has not committed.
    let lost = next(run.clone().stop_consumer(0, 1));
    assert_eq!(mechanism(&lost, CheckerId::ProcessedAtMostOnce), Mechanism::CommitLost);
    let moved = mechanism(&next(run), CheckerId::ProcessedAtMostOnce);
    assert_eq!(moved, Mechanism::RebalanceRedelivery);
}

#[test]
fn the_work_of_one_group_is_not_that_of_another() {
    let other = Fact::ConsumerStarted {
        client: ClientId::new(0),
        consumer: ConsumerId::new(1),
        group: None,
        isolation: READ_COMMITTED,
    };
    let run = six(CommitStyle::ProcessFirst).poll(0, 0, 2).process(0, 0, 2).stop_consumer(0, 1);
    let run = run.join(2, 1, 2).poll(2, 0, 2).process(2, 0, 2);
    // A reader without a group does the same work for itself, and later.
    let run = run.fact(other).assign(1, 0).place(1, 0, PositionSource::Earliest);
    let run = run.poll(1, 0, 2).process(1, 0, 2).end();
    assert_eq!(mechanism(&run, CheckerId::ProcessedAtMostOnce), Mechanism::CommitLost);
    let judgement = judged(&run);
    let finding = judgement.findings_of(CheckerId::ProcessedAtMostOnce).next().unwrap();
    let decisive = explain(&run.description, &run.facts, finding).finding.decisive.unwrap();
    let fact = run.facts[decisive.index as usize].1;
    assert!(matches!(fact, Fact::RecordsProcessed { consumer, .. } if consumer.get() == 2));
}

#[test]
fn another_record_at_the_same_offset_is_another_story() {
    let run = six(CommitStyle::ProcessFirst).poll(0, 0, 1).process(0, 0, 1);
    // The log was cut, another record is there, and the consumer that processed it is gone.
    let run = run.place(0, 0, PositionSource::Truncation).queue(0, 1).give(0, 0, 0, 6);
    let run = run.process(0, 0, 1).stop_consumer(0, 1).join(1, 1, 2).give(1, 0, 0, 6);
    let run = run.process(1, 0, 1).end();
    let judgement = judged(&run);
    let finding = judgement.findings_of(CheckerId::ProcessedAtMostOnce).next().unwrap();
    assert_eq!((finding.total, finding.records[0].run.start), (1, 6));
    let explanation = explain(&run.description, &run.facts, finding);
    assert_eq!(explanation.mechanism, Mechanism::CommitLost);
    assert!(explanation.chain.iter().all(|step| !step.sentence.contains("record 0 of p1")));
}

#[test]
fn an_effect_outside_of_kafka_is_not_taken_back() {
    let turn = |run: Script, end| {
        let run = run.poll(0, 0, 2).process(0, 0, 2).place(0, 0, PositionSource::Seek);
        turn(run, (0, 2), end)
    };
    let run = turn(pipeline(), Abort).place(0, 0, PositionSource::Committed);
    let run = turn(run, Commit).end();
    assert_eq!(mechanism(&run, CheckerId::ProcessedAtMostOnce), Mechanism::EffectOutside);
}

#[test]
fn two_members_without_group_metadata_both_have_outputs() {
    let run = turn(pipeline(), (0, 2), Commit);
    let run = run.place(0, 0, PositionSource::Seek);
    let run = turn(run, (0, 2), Commit).readers(|reader| reader.sends_group_metadata = false);
    let cause = mechanism(&run.end(), CheckerId::ExactlyOnce);
    assert_eq!(cause, Mechanism::Unknown, "the application did it itself");
}

#[test]
fn a_record_at_the_offset_of_another_is_recognised() {
    let run = six(CommitStyle::ProcessFirst).poll(0, 0, 1).give(0, 1, 0, 9).process(0, 0, 2);
    let reused = run.commit_offset(0, 2, None).end();
    let expected = Mechanism::OffsetReused;
    assert_eq!(mechanism(&reused, CheckerId::ProcessedAtLeastOnce), expected);
    let unread = six(CommitStyle::ProcessFirst).poll(0, 0, 1).process(0, 0, 1);
    let unread = unread.commit_offset(0, 2, None).end();
    let expected = Mechanism::ConsumerBroke;
    assert_eq!(mechanism(&unread, CheckerId::ProcessedAtLeastOnce), expected);
}

#[test]
fn a_reset_to_the_end_is_recognised() {
    let run = six(CommitStyle::ProcessFirst).place(0, 6, PositionSource::Latest);
    let run = run.commit_offset(0, 6, None).end();
    let cause = mechanism(&run, CheckerId::ProcessedAtLeastOnce);
    assert_eq!(cause, Mechanism::ResetToLatest);
}

#[test]
fn a_consumer_or_a_group_that_breaks_the_rules() {
    let run = six(CommitStyle::Auto).poll(0, 3, 1).poll(0, 1, 1).end();
    assert_eq!(mechanism(&run, CheckerId::ReaderOrder), Mechanism::ConsumerBroke);
    let run = six(CommitStyle::Auto).consumer(1, 0, READ_COMMITTED).assign(1, 1).end();
    assert_eq!(mechanism(&run, CheckerId::Ownership), Mechanism::TwoOwners);
    let run = six(CommitStyle::Auto).isr(&[1, 2, 3], &[1]).queue(0, 1).append(1, 0, 6, 1);
    let run = run.commit(1).ack(0, 6, 1, 1).poll(0, 0, 7).crash(1).elect(2, Election::Unclean);
    let run = run.commit(2).end();
    assert_eq!(mechanism(&run, CheckerId::RepeatableRead), Mechanism::LoneInSync);
}
