//! Transactions that go well, and what they cost: requests, sleeps, epochs.

use crate::bench::{Bench, failures};
use crate::coordinator::{COORDINATOR, Coordinator};
use inflight_protocol::fact::SendError;
use inflight_protocol::{ApiKey, BatchKind, ErrorCode, ProducerConfig, TransactionVersion};

pub(crate) fn config() -> ProducerConfig {
    let id = Some("t".to_owned());
    ProducerConfig { linger_ms: 0, transactional_id: id, ..ProducerConfig::default() }
}

/// A producer that is initialised, 100 ms after its start.
pub(crate) fn ready(version: TransactionVersion) -> Bench {
    let mut bench = Bench::transactional(4, config(), Coordinator::new(version));
    bench.init();
    bench.pass_ms(100);
    bench.take_log();
    bench
}

/// With a transaction begun and one record of partition 0 on its way.
pub(crate) fn sending(version: TransactionVersion) -> Bench {
    let mut bench = ready(version);
    bench.begin();
    bench.send(0, 1, 10);
    assert_eq!(bench.in_flight(1), ["p0 s0+1"]);
    bench.take_log();
    bench
}

const V0: TransactionVersion = TransactionVersion::V0;
const V2: TransactionVersion = TransactionVersion::V2;

/// Sharp edge 9: the coordinator is not known, so the request for the producer id counts as a
/// retry and sleeps before it is sent for the first time.
#[test]
fn the_first_init_transactions_sleeps_for_a_retry_backoff() {
    let mut bench = Bench::transactional(1, config(), Coordinator::new(V2));
    bench.init();
    bench.pass_ms(100);
    assert_eq!(
        bench.take_log(),
        [
            "0 is initializing",
            "0 any <- find transaction",
            "100 b2 <- init",
            "100 id 1001",
            "100 is ready",
            "100 init 1001/0"
        ]
    );
}

/// testBasicTransaction.
#[test]
fn with_version_1_partitions_are_added_before_their_records_go() {
    let mut bench = ready(V0);
    bench.coordinator().holds = Some(ApiKey::AddPartitionsToTxn);
    bench.begin();
    bench.send(0, 1, 10);
    bench.pass_ms(50);
    assert!(bench.received.is_empty(), "testNoDrainWhenPartitionsPending");
    bench.release();
    let produced = &bench.received[0].request;
    assert_eq!(produced.batches[0].1.kind, BatchKind::Transactional);
    assert_eq!(produced.transaction.unwrap().version, V0);
    bench.send(0, 2, 10);
    bench.commit();
    assert!(!bench.log.iter().any(|line| line.contains("commit e0")), "batches are on their way");
    bench.ack(1, 0);
    bench.ack(1, 1);
    assert_eq!(
        bench.take_story(),
        [
            "100 begin 0",
            "100 b2 <- add p0",
            "150 b1 <- p0 s0+1",
            "150 b1 <- p0 s1+2",
            "150 commit 0 begins",
            "150 ack p0 0+1 @0",
            "150 ack p0 1+2 @1",
            "150 b2 <- commit e0",
            "150 commit 0 done"
        ]
    );
}

/// testTransactionV2AddPartitionAndOffsets, testEpochUpdateAfterBumpFromEndTxnResponseInV2.
#[test]
fn with_version_2_leaders_add_partitions_and_each_end_brings_an_epoch() {
    let mut bench = ready(V2);
    for epoch in ["", "e1 "] {
        bench.begin();
        bench.send(0, 1, 10);
        bench.send(0, 1, 10);
        assert_eq!(bench.in_flight(1), [format!("p0 {epoch}s0+1"), format!("p0 {epoch}s1+1")]);
        bench.ack(1, 0);
        bench.ack(1, 1);
        bench.commit();
    }
    let requests: Vec<String> =
        bench.take_story().into_iter().filter(|line| line.contains("b2 <-")).collect();
    assert_eq!(requests, ["100 b2 <- commit e0", "100 b2 <- commit e1"]);
}

/// A7: a sequence is never used twice under one epoch. Version 1 counts on.
#[test]
fn with_version_1_sequences_count_on_over_transactions() {
    let mut bench = sending(V0);
    bench.ack(1, 0);
    bench.commit();
    bench.begin();
    bench.send(0, 1, 10);
    assert_eq!(bench.in_flight(1), ["p0 s1+1"]);
}

#[test]
fn a_transaction_without_records_ends_without_a_request() {
    for version in [V0, V2] {
        let mut bench = ready(version);
        bench.begin();
        bench.commit();
        bench.begin();
        bench.abort();
        let expected = [
            "100 begin 0",
            "100 commit 0 begins",
            "100 commit 0 done",
            "100 begin 1",
            "100 abort 1 begins",
            "100 abort 1 done",
        ];
        assert_eq!(bench.take_story(), expected, "{version:?}");
    }
}

#[test]
fn with_version_1_offsets_take_two_requests_and_another_coordinator() {
    let mut bench = ready(V0);
    bench.begin();
    bench.send_offsets(7);
    bench.pass_ms(200);
    bench.commit();
    assert_eq!(
        bench.take_story(),
        [
            "100 begin 0",
            "100 b2 <- add offsets",
            "100 any <- find group",
            "200 b3 <- offsets p0@7",
            "200 offset p0 7",
            "300 commit 0 begins",
            "300 b2 <- commit e0",
            "300 commit 0 done"
        ]
    );
}

#[test]
fn with_version_2_offsets_take_one_request() {
    let mut bench = ready(V2);
    bench.begin();
    bench.send_offsets(7);
    bench.pass_ms(200);
    let requests: Vec<String> =
        bench.take_story().into_iter().filter(|line| line.contains("<-")).collect();
    assert_eq!(requests, ["100 any <- find group", "200 b3 <- offsets p0@7"]);
}

/// testCommitTransactionWithUnsentProduceRequest: commit flushes, whatever linger.ms says.
#[test]
fn commit_sends_what_lingers() {
    let lingering = ProducerConfig { linger_ms: 5_000, ..config() };
    let mut bench = Bench::transactional(1, lingering, Coordinator::new(V2));
    bench.init();
    bench.pass_ms(100);
    bench.begin();
    bench.send(0, 1, 10);
    bench.pass_ms(10);
    assert!(bench.received.is_empty());
    bench.commit();
    assert_eq!(bench.in_flight(1), ["p0 s0+1"]);
}

/// testCancelUnsentAddPartitionsAndProduceOnAbort.
#[test]
fn abort_drops_what_was_not_sent() {
    let lingering = ProducerConfig { linger_ms: 5_000, ..config() };
    let mut bench = Bench::transactional(1, lingering, Coordinator::new(V0));
    bench.init();
    bench.pass_ms(100);
    bench.take_log();
    bench.begin();
    bench.coordinator().holds = Some(ApiKey::AddPartitionsToTxn);
    bench.send(0, 3, 10);
    bench.abort();
    bench.release();
    assert_eq!(
        bench.take_story(),
        [
            "100 begin 0",
            "100 b2 <- add p0",
            "100 abort 0 begins",
            "100 fail p0 0+3 transaction-aborted",
            "100 b2 <- abort e0",
            "100 abort 0 done"
        ]
    );
}

/// testAbortResendsProduceRequestIfRetried: what has a sequence is sent until it is answered.
#[test]
fn abort_waits_for_what_was_sent() {
    let mut bench = sending(V2);
    bench.refuse(1, ErrorCode::NotEnoughReplicas);
    bench.abort();
    bench.pass_ms(120);
    assert_eq!(bench.in_flight(1), ["p0 s0+1"]);
    bench.ack(1, 0);
    assert!(bench.take_story().last().unwrap().ends_with("abort 0 done"));
}

/// Nothing is drained while a request of the transaction is unanswered; answers are heard.
#[test]
fn records_wait_while_a_coordinator_is_asked() {
    let mut bench = ready(V0);
    bench.begin();
    bench.send(0, 1, 10);
    bench.coordinator().holds = Some(ApiKey::AddPartitionsToTxn);
    bench.send(3, 1, 10);
    bench.send(0, 1, 10);
    assert_eq!(bench.in_flight(1), ["p0 s0+1"]);
    bench.ack(1, 0);
    assert!(bench.take_story().last().unwrap().contains("ack p0"));
    bench.release();
    assert_eq!(bench.in_flight(1), ["p3 s0+1, p0 s1+1"]);
}

/// Kafka's constant of 20 ms, and testAddPartitionToTransactionOverridesRetryBackoffForConcurrent-
/// Transactions with its two opposites.
#[test]
fn the_first_partitions_are_added_again_after_20_ms() {
    let mut bench = ready(V0);
    let errors = &mut bench.coordinator().errors;
    errors.push((ApiKey::AddPartitionsToTxn, ErrorCode::ConcurrentTransactions));
    errors.push((ApiKey::AddPartitionsToTxn, ErrorCode::CoordinatorLoadInProgress));
    bench.begin();
    bench.send(0, 1, 10);
    bench.pass_ms(120);
    let errors = &mut bench.coordinator().errors;
    errors.push((ApiKey::AddPartitionsToTxn, ErrorCode::ConcurrentTransactions));
    bench.send(1, 1, 10);
    bench.pass_ms(100);
    let adds: Vec<String> =
        bench.take_story().into_iter().filter(|line| line.contains("<- add")).collect();
    assert_eq!(
        adds,
        [
            "100 b2 <- add p0",
            "120 b2 <- add p0",
            "220 b2 <- add p0",
            "220 b2 <- add p1",
            "320 b2 <- add p1"
        ]
    );
}

/// testLookupCoordinatorOnNotCoordinatorError, testLookupCoordinatorOnDisconnectAfterSend.
#[test]
fn a_coordinator_that_moved_or_went_is_looked_for() {
    let mut bench = sending(V2);
    bench.ack(1, 0);
    let coordinator = bench.coordinator();
    coordinator.errors.push((ApiKey::EndTxn, ErrorCode::NotCoordinator));
    bench.commit();
    bench.coordinator().holds = Some(ApiKey::EndTxn);
    bench.pass_ms(100);
    // As long as the lost one cannot be connected to, another broker is asked for it again and
    // again. Here it takes the time that this lasts.
    bench.coordinator().holds = Some(ApiKey::FindCoordinator);
    bench.disconnect(COORDINATOR);
    bench.pass_ms(60);
    bench.release();
    bench.pass_ms(200);
    let story = bench.take_story();
    let asked: Vec<_> = story.iter().filter(|line| line.contains("<- ")).collect();
    assert_eq!(asked.len(), 5, "{story:?}");
    assert!(asked[1].contains("find transaction") && asked[3].contains("find transaction"));
    assert!(story.last().unwrap().ends_with("commit 0 done"), "{story:?}");
}

// --- calls that time out --------------------------------------------------------------------------

/// testRetryCommitTransactionAfterTimeout, testRetryAbortTransactionAfterCommitTimeout; A1 begins
/// here: the request is still out.
#[test]
fn a_commit_that_timed_out_can_only_be_waited_for_again() {
    let mut bench = sending(V2);
    bench.ack(1, 0);
    bench.take_log();
    bench.coordinator().holds = Some(ApiKey::EndTxn);
    bench.config.max_block_ms = 20;
    bench.commit();
    bench.pass_ms(20);
    bench.abort();
    bench.begin();
    bench.send_offsets(1);
    bench.send(0, 1, 10);
    bench.commit();
    bench.release();
    assert_eq!(
        bench.take_story(),
        [
            "100 commit 0 begins",
            "100 b2 <- commit e0",
            "120 commit throws call-timeout, leaves retry",
            "120 abort throws illegal-state, leaves none",
            "120 begin throws illegal-state, leaves none",
            "120 send-offsets throws illegal-state, leaves none",
            "120 send throws illegal-state, leaves none",
            "120 epoch 1",
            "120 commit 0 done"
        ]
    );
}

/// testRetryInitTransactionsAfterTimeout.
#[test]
fn an_initialisation_that_timed_out_goes_on() {
    let mut bench = Bench::transactional(
        1,
        ProducerConfig { max_block_ms: 50, ..config() },
        Coordinator::new(V2),
    );
    bench.init();
    bench.pass_ms(60);
    bench.init();
    bench.pass_ms(40);
    let story = bench.take_story();
    assert_eq!(story.iter().filter(|line| line.contains("<- init")).count(), 1);
    assert!(story.contains(&"50 init throws call-timeout, leaves retry".to_owned()), "{story:?}");
    assert_eq!(story.last().unwrap(), "100 init 1001/0");
}

// --- calls that are out of place ------------------------------------------------------------------

/// testInitializeTransactionsTwiceRaisesError, testForegroundInvalidStateTransitionIsRecoverable.
#[test]
fn a_call_out_of_place_changes_nothing() {
    let mut bench = Bench::transactional(1, config(), Coordinator::new(V2));
    bench.begin();
    bench.init();
    bench.pass_ms(100);
    bench.init();
    bench.commit();
    bench.begin();
    bench.begin();
    let thrown: Vec<String> =
        bench.take_story().into_iter().filter(|line| line.contains("throws")).collect();
    assert_eq!(
        thrown,
        [
            "0 begin throws illegal-state, leaves none",
            "100 init throws illegal-state, leaves none",
            "100 commit throws illegal-state, leaves none",
            "100 begin throws illegal-state, leaves none"
        ]
    );
}

#[test]
fn a_producer_without_a_transactional_id_has_no_transactions() {
    let mut bench = Bench::new(1, ProducerConfig::default());
    bench.take_log();
    bench.begin();
    assert_eq!(bench.take_log(), ["0 begin throws illegal-state, leaves none"]);
}

/// Sharp edge 20: send() throws, the record is in the accumulator, stands in the way of its broker,
/// and goes out in the next transaction with that partition.
#[test]
fn a_record_sent_outside_of_a_transaction_comes_into_the_next_one() {
    let mut bench = ready(V2);
    bench.send(0, 2, 10);
    bench.pass_ms(10);
    assert_eq!(
        bench.take_story(),
        ["100 send throws illegal-state, leaves none", "100 refuse 1 illegal-state"]
    );
    assert_eq!(failures(&bench.completions), [SendError::IllegalState]);
    bench.begin();
    bench.send(3, 1, 10);
    assert!(bench.received.is_empty(), "broker 1 leads both, and partition 0 comes first");
    bench.send(0, 1, 10);
    assert_eq!(bench.in_flight(1), ["p0 s0+2, p3 s0+1"]);
}

// --- close ----------------------------------------------------------------------------------------

#[test]
fn close_aborts_the_open_transaction() {
    let mut bench = sending(V2);
    bench.ack(1, 0);
    bench.take_log();
    bench.close(1_000);
    assert_eq!(bench.take_story(), ["100 b2 <- abort e0", "100 epoch 1", "100 stopped closed"]);
}

#[test]
fn close_finishes_a_commit() {
    let mut bench = sending(V2);
    bench.commit();
    bench.take_log();
    bench.close(1_000);
    bench.ack(1, 0);
    assert_eq!(
        bench.take_story(),
        [
            "100 ack p0 0+1 @0",
            "100 b2 <- commit e0",
            "100 epoch 1",
            "100 commit 0 done",
            "100 stopped closed"
        ]
    );
}

/// testSenderShutdownWithPendingTransactions; TransactionManager.close.
#[test]
fn close_at_once_fails_who_waits() {
    let mut bench = sending(V2);
    bench.commit();
    bench.take_log();
    bench.close(0);
    assert_eq!(
        bench.take_story(),
        [
            "100 fail p0 0+1 producer-closed-forcefully",
            "100 commit throws producer-closed-forcefully, leaves close",
            "100 stopped closed"
        ]
    );
}

/// The cached result of a call belongs to every thread that makes it.
#[test]
fn two_threads_that_commit_wait_for_one_end() {
    let mut bench = sending(V2);
    bench.commit();
    bench.commit();
    bench.ack(1, 0);
    let done = bench.take_story().into_iter().filter(|line| line.ends_with("commit 0 done"));
    assert_eq!(done.count(), 2);
    bench.begin();
    assert_eq!(bench.take_story(), ["100 begin 1"]);
}
