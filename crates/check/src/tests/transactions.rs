//! The checkers of transactions.

use super::*;
use crate::script::READ_COMMITTED;
use inflight_protocol::TransactionResult::{Abort, Commit};
use inflight_protocol::fact::{
    Election, PositionSource, ProducerState, Recovery, SendError, StopCause, TransactionCall,
};
use inflight_protocol::message::IsolationLevel;
use inflight_protocol::transaction::CoordinatorEpoch;
use inflight_protocol::{
    BrokerId, ErrorCode, Fact, ProducerEpoch, ProducerId, SessionId, TopicPartition,
    TransactionState,
};

const OK: (Verdict, Option<Aspect>, u64) = (Verdict::Ok, None, 0);
const VACUOUS: (Verdict, Option<Aspect>, u64) = (Verdict::Vacuous, None, 0);

/// What was found, if all of it is a violation.
fn broken(aspect: Aspect, total: u64) -> (Verdict, Option<Aspect>, u64) {
    (Verdict::Violation, Some(aspect), total)
}

/// A transactional producer that is initialised.
pub(super) fn start(version: u8) -> Script {
    Script::new().transactional(version).init(0)
}

/// One transaction is committed, then one is aborted.
fn quiet(version: u8) -> Script {
    start(version).write(0, 2).end_as(0, Commit).write(0, 3).end_as(0, Abort)
}

/// The request to end the first transaction was carried out and comes again when the second one is
/// open: it ends that one. What is written then ends as its application wants it.
pub(super) fn late_end(first: inflight_protocol::TransactionResult) -> Script {
    let run = start(1).write(0, 1).end_as(0, first);
    let run = run.write(0, 1).decide(0, first).marker(0, first).complete(0, first);
    let second = if first == Commit { Abort } else { Commit };
    let run = run.add_partition(0).queue(0, 1).append(1, 0, 2, 1).replicate(1).ack(0, 2, 1, 1);
    run.end_as(0, second).end()
}

/// A batch of an aborted transaction arrives when its marker is there, and its producer has not yet
/// begun another transaction, or has.
pub(super) fn late_batch(joins: bool) -> Script {
    let run = start(1).begin(0).add_partition(0).queue(0, 1).send(0, 0, 1, 1, 0);
    let run = run.fail(0, 0, 1, SendError::DeliveryTimeout).end_as(0, Abort);
    if !joins {
        return run.append(1, 0, 0, 1).replicate(1);
    }
    let run = run.begin(0).add_partition(0).append(1, 0, 0, 1).queue(0, 1);
    run.append(1, 0, 1, 1).replicate(1).ack(0, 1, 1, 1).end_as(0, Commit)
}

#[test]
fn a_quiet_run_with_transactions_breaks_nothing() {
    for version in [1, 2] {
        let run = quiet(version).end();
        let judgement = judged(&run);
        assert_eq!(judgement.worst(), Verdict::Ok, "{:?}", judgement.findings);
        let counts = judgement.counts;
        assert_eq!((counts.transactions_committed, counts.transactions_aborted), (1, 1));
        assert_eq!((counts.acked, counts.read, counts.lost), (5, 5, 0));
        for checker in [
            CheckerId::Atomicity,
            CheckerId::AbortedRead,
            CheckerId::StableProgress,
            CheckerId::Markers,
            CheckerId::KnownTransactions,
            CheckerId::TruthfulErrors,
        ] {
            assert_eq!(judgement.opinion(checker).verdict, Verdict::Ok, "{checker}");
        }
    }
}

#[test]
fn without_transactions_nothing_of_the_kind_is_examined() {
    let run = Script::new().queue(0, 1).append(1, 0, 0, 1).replicate(1).ack(0, 0, 1, 1).end();
    for checker in [
        CheckerId::ReaderOrder,
        CheckerId::RepeatableRead,
        CheckerId::AbortedRead,
        CheckerId::EarlyRead,
        CheckerId::Atomicity,
        CheckerId::Cycles,
        CheckerId::StableProgress,
        CheckerId::Fencing,
        CheckerId::ProcessedAtLeastOnce,
        CheckerId::ProcessedAtMostOnce,
        CheckerId::ExactlyOnce,
        CheckerId::Ownership,
        CheckerId::UniqueIdentity,
        CheckerId::KnownTransactions,
        CheckerId::Markers,
        CheckerId::StableOffset,
        CheckerId::TransactionalOffsets,
    ] {
        assert_eq!(says(&run, checker), VACUOUS, "{checker}");
    }
}

// --- B3, loss -----------------------------------------------------------------------------------

#[test]
fn a_record_of_an_aborted_transaction_is_not_lost() {
    let gone = |end| {
        let run = start(2).begin(0).add_partition(0).queue(0, 1).append(1, 0, 0, 1).commit(1);
        run.ack(0, 0, 1, 1).ending(0, end).ended(0, end).elect(2, Election::Clean).end()
    };
    assert_eq!(says(&gone(Abort), CheckerId::NoLoss), OK);
    assert_eq!(says(&gone(Commit), CheckerId::NoLoss), broken(Aspect::Storage, 1));
}

#[test]
fn a_record_of_a_transaction_with_an_unknown_end_may_be_lost() {
    let run = start(2).begin(0).add_partition(0).queue(0, 1).append(1, 0, 0, 1).commit(1);
    let run = run.ack(0, 0, 1, 1).ending(0, Commit);
    let run = run.end_fails(0, SendError::CallTimeout, Recovery::Retry);
    let run = run.elect(2, Election::Clean).end();
    assert_eq!(says(&run, CheckerId::NoLoss), (Verdict::Possible, Some(Aspect::Plain), 1));
    assert_eq!(judged(&run).counts.lost, 0);
    assert_eq!(judged(&run).counts.transactions_unknown, 1);
}

#[test]
fn a_record_that_was_committed_and_aborted_by_its_marker_is_lost_to_readers() {
    let run = start(1).write(0, 2).ending(0, Commit).marker(0, Abort).ended(0, Commit).end();
    assert_eq!(says(&run, CheckerId::NoLoss), broken(Aspect::Undone, 2));
    assert_eq!(judged(&run).counts.lost, 2);
}

// --- B9 and B10, reads --------------------------------------------------------------------------

#[test]
fn an_aborted_record_that_counts_was_read_aborted() {
    let run = start(1).write(0, 2).ending(0, Abort).marker(0, Commit).ended(0, Abort).end();
    assert_eq!(says(&run, CheckerId::AbortedRead), broken(Aspect::Visible, 2));
    assert_eq!(says(&run, CheckerId::TruthfulErrors), broken(Aspect::FalseAbort, 2));
    assert_eq!(says(&run, CheckerId::Atomicity), broken(Aspect::FalseAbort, 2));
}

#[test]
fn a_reader_of_committed_records_must_not_be_given_aborted_ones() {
    let given = |isolation| {
        let run = quiet(2).consumer(0, 1, isolation).assign(0, 1);
        run.place(0, 0, PositionSource::Earliest).poll(0, 0, 6).end()
    };
    let committed = given(READ_COMMITTED);
    assert_eq!(says(&committed, CheckerId::AbortedRead), broken(Aspect::Plain, 3));
    let everything = given(IsolationLevel::ReadUncommitted);
    let allowed = (Verdict::Allowed, Some(Aspect::Plain), 3);
    assert_eq!(says(&everything, CheckerId::AbortedRead), allowed);
    let fine = quiet(2).join(0, 1, 1).poll(0, 0, 3).end();
    assert_eq!(says(&fine, CheckerId::AbortedRead), OK);
}

#[test]
fn what_was_read_of_an_unknown_end_may_have_been_aborted() {
    let run = start(2).write(0, 1).ending(0, Commit).join(0, 1, 1).poll(0, 0, 1);
    let run = run.end_fails(0, SendError::CallTimeout, Recovery::Retry).marker(0, Abort).end();
    let possible = (Verdict::Possible, Some(Aspect::Plain), 1);
    assert_eq!(says(&run, CheckerId::AbortedRead), possible);
}

#[test]
fn nothing_may_be_read_before_its_commit_was_asked_for() {
    let open = start(2).write(0, 1).join(0, 1, 1);
    let early = open.clone().poll(0, 0, 1).end_as(0, Commit).end();
    assert_eq!(says(&early, CheckerId::EarlyRead), broken(Aspect::Plain, 1));
    // Between the call and its return the coordinator may have decided.
    let asked = open.ending(0, Commit).decide(0, Commit).marker(0, Commit).poll(0, 0, 1);
    assert_eq!(says(&asked.ended(0, Commit).end(), CheckerId::EarlyRead), OK);
}

// --- B11, atomicity -----------------------------------------------------------------------------

#[test]
fn a_late_end_tears_the_next_transaction() {
    let run = late_end(Commit);
    // Told to be aborted, and one of two counts.
    assert_eq!(says(&run, CheckerId::Atomicity), broken(Aspect::Torn, 1));
    assert_eq!(says(&run, CheckerId::AbortedRead), broken(Aspect::Visible, 1));
    assert_eq!(says(&run, CheckerId::Markers).0, Verdict::Violation);
    let run = late_end(Abort);
    assert_eq!(says(&run, CheckerId::Atomicity), broken(Aspect::Torn, 1));
    assert_eq!(says(&run, CheckerId::NoLoss), broken(Aspect::Undone, 1));
    assert_eq!(says(&run, CheckerId::AbortedRead), OK);
}

#[test]
fn a_transaction_with_an_unknown_end_is_one_or_the_other() {
    let two = start(2).partition().on(0).write(0, 1);
    let two = two.on(1).add_partition(0).queue(0, 1).append(1, 0, 0, 1).replicate(1);
    let two = two.ack(0, 0, 1, 1).ending(0, Commit);
    let two = two.end_fails(0, SendError::CallTimeout, Recovery::Retry);
    let torn = two.clone().on(0).marker(0, Commit).on(1).marker(0, Abort).end();
    assert_eq!(says(&torn, CheckerId::Atomicity), broken(Aspect::Torn, 1));
    assert_eq!(says(&torn, CheckerId::Markers), broken(Aspect::Disagreed, 1));
    for end in [Commit, Abort] {
        let whole = two.clone().on(0).marker(0, end).on(1).marker(0, end).end();
        assert_eq!(says(&whole, CheckerId::Atomicity), OK);
    }
    // The marker of one partition is still to come.
    let open = two.on(0).marker(0, Commit).stop_run();
    assert_eq!(says(&open, CheckerId::Atomicity), OK);
}

#[test]
fn a_record_that_nobody_acked_is_no_part_of_an_unknown_end() {
    let run = start(2).write(0, 1).queue(0, 1).stop(0, StopCause::Crashed);
    let begun = run.clone().marker(0, Abort).end();
    assert_eq!(says(&begun, CheckerId::Atomicity), OK);
    let asked = run.ending(0, Commit).marker(0, Commit).end();
    assert_eq!(says(&asked, CheckerId::Atomicity), OK);
}

#[test]
fn after_an_unclean_election_a_transaction_may_be_torn() {
    let run = start(2).isr(&[1, 2, 3], &[1]).begin(0).add_partition(0).queue(0, 2);
    let run = run.append(1, 0, 0, 1).replicate(1).append(1, 0, 1, 1).commit(1).ack(0, 0, 2, 1);
    let run = run.elect(2, Election::Unclean).ending(0, Commit).ended(0, Commit).end();
    assert_eq!(says(&run, CheckerId::Atomicity).0, Verdict::Allowed);
    // The end is not written there, so nothing counts yet.
    assert_eq!(says(&run, CheckerId::NoLoss).0, Verdict::Allowed);
}

#[test]
fn transactions_of_two_producers_may_lie_between_each_other() {
    let run = start(2).session(1).write(0, 1).queue(1, 1).append(1, 1, 0, 1).replicate(1);
    let run = run.ack(1, 0, 1, 1).queue(0, 1).append(1, 0, 1, 1).replicate(1).ack(0, 1, 1, 1);
    let run = run.end_as(0, Commit).end();
    assert_eq!(judged(&run).worst(), Verdict::Ok, "{:?}", judged(&run).findings);
}

// --- B12, cycles --------------------------------------------------------------------------------

/// Two transactional producers, of which the second one has its own transactional id.
fn two_readers() -> Script {
    use inflight_protocol::{ProducerEpoch, ProducerId, TransactionalId};
    let run = start(2).session(1).consumer(0, 0, READ_COMMITTED).consumer(1, 1, READ_COMMITTED);
    run.fact(Fact::TransactionsInitialized {
        session: SessionId::new(1),
        transactional_id: TransactionalId::new(1),
        producer_id: ProducerId::new(200),
        producer_epoch: ProducerEpoch::new(0),
    })
}

#[test]
fn transactions_that_read_each_other_are_a_cycle() {
    let begun = |number| Fact::TransactionBegun { session: SessionId::new(1), transaction: number };
    let end = |number| Fact::TransactionEnded {
        session: SessionId::new(1),
        transaction: number,
        result: Commit,
    };
    let wire = |n| Some((200, 0, n));
    let run = two_readers().write(0, 1).fact(begun(0)).queue(1, 1);
    let run = run.append_as(1, 1, 0, 1, wire(0)).replicate(1).poll(1, 0, 1).transform(1, 0, 1, 1);
    let cycle = run.clone().poll(0, 1, 1).transform(0, 1, 1, 0);
    let both = |run: Script| run.ending(0, Commit).marker(0, Commit).ended(0, Commit).fact(end(0));
    let found = (Verdict::Violation, Some(Aspect::Plain), 0);
    assert_eq!(says(&both(cycle).end(), CheckerId::Cycles), found);
    assert_eq!(says(&both(run).end(), CheckerId::Cycles), OK, "only one of them has read");
}

// --- B13 and W9, hanging transactions -----------------------------------------------------------

#[test]
fn a_batch_behind_its_marker_holds_readers_back_for_ever() {
    let run = late_batch(false);
    assert_eq!(says(&run, CheckerId::KnownTransactions), broken(Aspect::Plain, 1));
    let soon = run.clone().wait_ms(60_000).stop_run();
    assert_eq!(says(&soon, CheckerId::StableProgress), OK, "it may still be ended");
    let late = run.clone().wait_ms(81_000).stop_run();
    assert_eq!(says(&late, CheckerId::StableProgress), broken(Aspect::Plain, 1));
    assert_eq!(says(&run.clone().end(), CheckerId::StableProgress), broken(Aspect::Plain, 1));
    let mut unverified = run.end();
    unverified.description.transaction_partition_verification_enable = Some(false);
    let allowed = (Verdict::Allowed, Some(Aspect::Plain), 1);
    assert_eq!(says(&unverified, CheckerId::StableProgress), allowed);
}

#[test]
fn an_open_transaction_that_its_coordinator_knows_is_no_orphan() {
    let run = start(2).write(0, 1).stop_run();
    assert_eq!(says(&run, CheckerId::KnownTransactions), OK);
    assert_eq!(says(&run, CheckerId::StableProgress), OK);
    // Between decision and marker the partition still is in the transaction.
    let deciding = start(1).begin(0).add_partition(0).decide(0, Abort).queue(0, 1);
    let run = deciding.append(1, 0, 0, 1).marker(0, Abort).complete(0, Abort).end();
    assert_eq!(says(&run, CheckerId::KnownTransactions), OK);
}

#[test]
fn while_a_link_is_cut_nobody_need_get_on() {
    use inflight_protocol::BrokerId;
    use inflight_protocol::ids::Node;
    let (from, to) = (Node::Broker(BrokerId::new(1)), Node::Broker(BrokerId::new(2)));
    let cut = late_batch(false).wait_ms(81_000).fact(Fact::LinkCut { from, to });
    let possible = (Verdict::Possible, Some(Aspect::Plain), 1);
    let run = cut.clone().wait_ms(90_000).stop_run();
    assert_eq!(says(&run, CheckerId::StableProgress), OK);
    assert_eq!(says(&cut.clone().end(), CheckerId::StableProgress), possible);
    let healed = cut.fact(Fact::LinkHealed { from, to });
    let soon = healed.clone().wait_ms(60_000).stop_run();
    assert_eq!(says(&soon, CheckerId::StableProgress), OK);
    let late = healed.wait_ms(81_000).stop_run();
    assert_eq!(says(&late, CheckerId::StableProgress), broken(Aspect::Plain, 1));
}

// --- B14, fencing -------------------------------------------------------------------------------

#[test]
fn a_replaced_instance_must_not_commit() {
    let zombie = start(1).write(0, 1).session(0).init(1);
    let commits = zombie.clone().ending(0, Commit).marker(0, Commit).ended(0, Commit).end();
    assert_eq!(says(&commits, CheckerId::Fencing).0, Verdict::Violation);
    let aborted = zombie.marker_of(1, Abort).replicate(1).write(1, 1).end_as(1, Commit).end();
    assert_eq!(says(&aborted, CheckerId::Fencing), OK);
}

#[test]
fn a_commit_that_was_asked_for_before_may_still_be_carried_out() {
    let run = start(1).write(0, 1).ending(0, Commit).decide(0, Commit).session(0).init(1);
    let run = run.marker(0, Commit).ended(0, Commit).end();
    assert_eq!(says(&run, CheckerId::Fencing), OK);
    // The oracle sees a coordinator that decides too late.
    let run = start(1).write(0, 1).ending(0, Commit).session(0).init(1).decide(0, Commit);
    let run = run.marker(0, Commit).end();
    let found = (Verdict::Violation, Some(Aspect::ZombieCommit), 0);
    assert_eq!(says(&run, CheckerId::Fencing), found);
}

/// Answers to initTransactions() may come in another order than that of the epochs.
#[test]
fn who_has_the_higher_epoch_replaces_whoever_hears_of_it_later() {
    let late = Fact::TransactionsInitialized {
        session: SessionId::new(2),
        transactional_id: inflight_protocol::TransactionalId::new(0),
        producer_id: ProducerId::new(100),
        producer_epoch: ProducerEpoch::new(0),
    };
    let run = start(1).session(0).init(1).session(0).fact(late);
    let run = run.write(1, 1).end_as(1, Commit).end();
    assert_eq!(says(&run, CheckerId::Fencing), OK);
}

#[test]
fn a_replaced_instance_may_end_what_has_nothing_in_it() {
    let run = start(2).begin(0).session(0).init(1).ending(0, Commit).ended(0, Commit).end();
    assert_eq!(says(&run, CheckerId::Fencing), OK);
}

// --- B18 to B20 ---------------------------------------------------------------------------------

#[test]
fn a_commit_that_did_not_happen_was_told_falsely() {
    let run = start(1).write(0, 2).ending(0, Commit).marker(0, Abort).ended(0, Commit).end();
    assert_eq!(says(&run, CheckerId::TruthfulErrors), broken(Aspect::FalseCommit, 2));
    let unknown = start(1).write(0, 2).ending(0, Commit).marker(0, Abort);
    let unknown = unknown.end_fails(0, SendError::CallTimeout, Recovery::Retry).end();
    assert_eq!(says(&unknown, CheckerId::TruthfulErrors), OK);
}

#[test]
fn a_fatal_error_without_a_rival_is_a_warning() {
    let fenced = SendError::Code(ErrorCode::ProducerFenced);
    let failed = |run: Script| run.end_fails(0, fenced, Recovery::Close).end();
    let asked = start(2).write(0, 1).ending(0, Commit);
    let found = (Verdict::Possible, Some(Aspect::Call), 0);
    assert_eq!(says(&failed(asked.clone()), CheckerId::SpuriousFatal), found);
    let rival = asked.clone().session(0).init(1);
    assert_eq!(says(&failed(rival), CheckerId::SpuriousFatal), OK);
    let old = asked.wait_ms(61_000);
    assert_eq!(says(&failed(old), CheckerId::SpuriousFatal), OK, "it was given up");
}

#[test]
fn a_commit_that_never_returns_is_no_progress() {
    let asked = start(2).write(0, 1).ending(0, Commit);
    let found = (Verdict::Violation, Some(Aspect::Waiting), 0);
    assert_eq!(says(&asked.clone().end(), CheckerId::Progress), found);
    assert_eq!(says(&asked.clone().wait_ms(59_000).stop_run(), CheckerId::Progress), OK);
    assert_eq!(says(&asked.clone().wait_ms(62_000).stop_run(), CheckerId::Progress), found);
    let failed = asked.clone().end_fails(0, SendError::CallTimeout, Recovery::Retry).end();
    assert_eq!(says(&failed, CheckerId::Progress), OK);
    let gone = asked.stop(0, StopCause::Crashed).end();
    assert_eq!(says(&gone, CheckerId::Progress), OK);
}

#[test]
fn an_init_that_never_returns_is_no_progress() {
    let called = Script::new().transactional(2).fact(Fact::ProducerStateChanged {
        session: SessionId::new(0),
        from: ProducerState::Uninitialized,
        to: ProducerState::Initializing,
    });
    let found = (Verdict::Violation, Some(Aspect::Initializing), 0);
    assert_eq!(says(&called.clone().end(), CheckerId::Progress), found);
    assert_eq!(says(&called.clone().wait_ms(59_000).stop_run(), CheckerId::Progress), VACUOUS);
    assert_eq!(says(&called.clone().wait_ms(62_000).stop_run(), CheckerId::Progress), found);
    assert_eq!(says(&called.clone().init(0).end(), CheckerId::Progress), VACUOUS);
    let failed = called.clone().fact(Fact::TransactionCallFailed {
        session: SessionId::new(0),
        transaction: 0,
        call: TransactionCall::Init,
        error: SendError::CallTimeout,
        recovery: Recovery::Retry,
    });
    assert_eq!(says(&failed.end(), CheckerId::Progress), VACUOUS);
    assert_eq!(says(&called.stop(0, StopCause::Crashed).end(), CheckerId::Progress), VACUOUS);
}

#[test]
fn a_call_out_of_place_ends_nothing() {
    let run = start(2).write(0, 1).fact(Fact::TransactionCallFailed {
        session: SessionId::new(0),
        transaction: 0,
        call: TransactionCall::Begin,
        error: SendError::IllegalState,
        recovery: Recovery::None,
    });
    assert_eq!(judged(&run.end_as(0, Commit).end()).worst(), Verdict::Ok);
}

// --- W6 and W7 ----------------------------------------------------------------------------------

#[test]
fn two_live_producers_have_two_names() {
    let same = |run: Script| {
        run.fact(Fact::ProducerIdAssigned {
            session: SessionId::new(1),
            producer_id: ProducerId::new(0),
            producer_epoch: ProducerEpoch::new(0),
        })
    };
    let two = Script::new().identify(0).session(1);
    let found = (Verdict::Violation, Some(Aspect::Plain), 0);
    assert_eq!(says(&same(two.clone()).end(), CheckerId::UniqueIdentity), found);
    let gone = same(two.stop(0, StopCause::Crashed));
    assert_eq!(says(&gone.end(), CheckerId::UniqueIdentity), OK);
    let fenced = start(2).session(0).init(1).end();
    assert_eq!(says(&fenced, CheckerId::UniqueIdentity), OK, "the epoch is another one");
}

#[test]
fn a_marker_of_the_next_epoch_starts_the_sequence_afresh() {
    let run = quiet(2).write(0, 1).end_as(0, Commit).end();
    assert_eq!(says(&run, CheckerId::Sequences), OK);
    let run = quiet(1).write(0, 1).end_as(0, Commit).end();
    assert_eq!(says(&run, CheckerId::Sequences), OK);
}

// --- W1 and W2 with markers ---------------------------------------------------------------------

#[test]
fn a_replica_with_another_marker_does_not_match() {
    use inflight_protocol::fact::AppendOrigin;
    let run = start(2).write(0, 1).ending(0, Commit).marker_of(1, Commit).commit(1);
    let Some((_, Fact::MarkerAppended { .. })) = run.facts.iter().rev().nth(1) else {
        panic!("the marker is the fact before the last");
    };
    let copied = |result| {
        let (_, fact) = run.facts[run.facts.len() - 2];
        let Fact::MarkerAppended {
            partition,
            offset,
            producer_id,
            producer_epoch,
            coordinator_epoch,
            leader_epoch,
            ..
        } = fact
        else {
            panic!("{fact:?}");
        };
        run.clone().fact(Fact::MarkerAppended {
            broker: BrokerId::new(2),
            partition,
            offset,
            result,
            producer_id,
            producer_epoch,
            coordinator_epoch,
            leader_epoch,
            first_offset: None,
            origin: AppendOrigin::Replication,
        })
    };
    let same = copied(Commit).commit_to(2, 2).end();
    assert_eq!(says(&same, CheckerId::LogMatching), OK);
    let other = copied(Abort).commit_to(2, 2).end();
    assert_eq!(says(&other, CheckerId::LogMatching), broken(Aspect::Plain, 0));
}

// --- W10, markers -------------------------------------------------------------------------------

#[test]
fn a_late_batch_joins_the_next_transaction() {
    let run = late_batch(true).end();
    let judgement = judged(&run);
    let aspects: Vec<_> =
        judgement.findings_of(CheckerId::Markers).map(|finding| finding.aspect).collect();
    assert_eq!(aspects, [Aspect::WrongEnd, Aspect::Mixed]);
    assert_eq!(says(&run, CheckerId::AbortedRead), broken(Aspect::Visible, 1));
    assert_eq!(says(&run, CheckerId::StableProgress), OK, "the next marker ends both");
}

#[test]
fn coordinators_abort_of_their_own_accord() {
    let old = start(1).write(0, 1).time_out(0).marker_of(0, Abort).replicate(1).end();
    assert_eq!(says(&old, CheckerId::Markers), OK, "the transaction was too old");
    let fenced = start(1).write(0, 1).marker_of(1, Abort).replicate(1).end();
    assert_eq!(says(&fenced, CheckerId::Markers), OK, "the epoch was raised");
    let nobody = start(1).write(0, 1).marker_of(0, Abort).replicate(1).end();
    assert_eq!(says(&nobody, CheckerId::Markers), broken(Aspect::WrongEnd, 1));
}

#[test]
fn markers_of_one_transaction_agree() {
    let two = start(2).partition().on(0).write(0, 1);
    let two = two.on(1).add_partition(0).queue(0, 1).append(1, 0, 0, 1).replicate(1);
    let two = two.ending(0, Commit).ending(0, Abort).on(0).marker(0, Commit).on(1);
    let apart = two.clone().marker(0, Abort).end();
    assert_eq!(says(&apart, CheckerId::Markers), broken(Aspect::Disagreed, 1));
    assert_eq!(says(&two.marker(0, Commit).end(), CheckerId::Markers), OK);
}

// --- W11, stable offset -------------------------------------------------------------------------

#[test]
fn the_last_stable_offset_stays_before_the_first_undecided_transaction() {
    let open = start(2).write(0, 2);
    let found = broken(Aspect::Plain, 0);
    assert_eq!(says(&open.clone().stable(0, 2).end(), CheckerId::StableOffset), found);
    let marked = open.ending(0, Commit).marker_of(1, Commit);
    let early = marked.clone().stable(0, 2).end();
    assert_eq!(says(&early, CheckerId::StableOffset), found, "the marker is not committed");
    let run = marked.replicate(1).stable(0, 3).end();
    assert_eq!(says(&run, CheckerId::StableOffset), OK);
}

#[test]
fn a_new_leader_finds_open_transactions_in_its_log() {
    let run = start(2).write(0, 2).elect(2, Election::Clean);
    let Script { facts, .. } = &run;
    assert!(facts.len() > 5);
    let stable = |run: Script, to| {
        run.fact(Fact::LastStableOffsetAdvanced {
            broker: BrokerId::new(2),
            partition: TopicPartition::new(0),
            from: inflight_protocol::Offset::new(0),
            to: inflight_protocol::Offset::new(to),
        })
    };
    let high = stable(run.clone().commit(2), 2).end();
    assert_eq!(says(&high, CheckerId::StableOffset), broken(Aspect::Plain, 0));
    assert_eq!(says(&stable(run.commit(2), 0).end(), CheckerId::StableOffset), OK);
}

// --- W13, transactional offsets -----------------------------------------------------------------

#[test]
fn a_group_has_the_offsets_of_committed_transactions_only() {
    let sent = |end| {
        let run = start(2).write(0, 1).send_offset(0, 5).pend_offset(5);
        run.end_as(0, end)
    };
    assert_eq!(says(&sent(Commit).count_offset(5).end(), CheckerId::TransactionalOffsets), OK);
    assert_eq!(says(&sent(Abort).end(), CheckerId::TransactionalOffsets), OK);
    let missing = (Verdict::Violation, Some(Aspect::FalseCommit), 0);
    assert_eq!(says(&sent(Commit).end(), CheckerId::TransactionalOffsets), missing);
    let counts = (Verdict::Violation, Some(Aspect::FalseAbort), 0);
    let aborted = sent(Abort).count_offset(5).end();
    assert_eq!(says(&aborted, CheckerId::TransactionalOffsets), counts);
    let stranger = start(2).count_offset(7).end();
    let found = (Verdict::Violation, Some(Aspect::NeverSent), 0);
    assert_eq!(says(&stranger, CheckerId::TransactionalOffsets), found);
}

/// Another coordinator has read what it needs.
fn coordinator_loads(run: Script) -> Script {
    let (broker, partition) = (BrokerId::new(2), TopicPartition::new(9));
    run.fact(Fact::CoordinatorLoaded { broker, partition, coordinator_epoch: CoordinatorEpoch(1) })
}

#[test]
fn a_marker_that_was_lost_and_came_again_brings_its_offsets() {
    let run = start(2).partition().keeping_offsets().on(0).write(0, 1);
    let run = run.send_offset(0, 5).pend_offset(5).ending(0, Commit).decide(0, Commit);
    let run = run.marker(0, Commit).on(1).marker_of(1, Commit);
    let again = |run: Script| {
        let run = run.marker_of(1, Commit).on(0).count_offset(5);
        run.complete(0, Commit).ended(0, Commit).end()
    };
    let came = again(coordinator_loads(run.clone()));
    assert_eq!(says(&came, CheckerId::TransactionalOffsets), OK);
    let stranger = (Verdict::Violation, Some(Aspect::NeverSent), 0);
    assert_eq!(says(&again(run), CheckerId::TransactionalOffsets), stranger);
}

#[test]
fn a_coordinator_that_takes_over_knows_what_the_first_one_had_no_time_to_tell() {
    let (empty, ongoing) = (TransactionState::Empty, TransactionState::Ongoing);
    let run = start(1).begin(0).state(empty, ongoing, 0).queue(0, 1);
    let partition = TopicPartition::new(0);
    let (producer_id, producer_epoch) = (ProducerId::new(100), ProducerEpoch::new(0));
    let broker = BrokerId::new(1);
    let verified =
        Fact::TransactionVerified { broker, partition, producer_id, producer_epoch, error: None };
    let append = |run: Script| run.fact(verified).append(1, 0, 0, 1).stop_run();
    assert_eq!(says(&append(coordinator_loads(run.clone())), CheckerId::KnownTransactions), OK);
    assert_eq!(says(&append(run), CheckerId::KnownTransactions), broken(Aspect::Plain, 1));
}

#[test]
fn a_younger_commit_outside_of_transactions_wins() {
    let sent = || {
        let run = start(2).partition().keeping_offsets().on(0);
        run.write(0, 1).send_offset(0, 5).pend_offset(5)
    };
    let ended = |run: Script| {
        let run = run.ending(0, Commit).decide(0, Commit).marker(0, Commit);
        run.on(1).marker(0, Commit).on(0).complete(0, Commit).ended(0, Commit)
    };
    let missing = (Verdict::Violation, Some(Aspect::FalseCommit), 0);
    let younger = ended(sent().commit_plainly(3));
    assert_eq!(says(&younger.end(), CheckerId::TransactionalOffsets), OK);
    let late = ended(sent()).commit_plainly(3).end();
    assert_eq!(says(&late, CheckerId::TransactionalOffsets), missing, "it should have counted");
    let run = start(2).partition().keeping_offsets().on(0).commit_plainly(3);
    let older = ended(run.write(0, 1).send_offset(0, 5).pend_offset(5)).end();
    assert_eq!(says(&older, CheckerId::TransactionalOffsets), missing);
}

#[test]
fn an_aborted_offset_that_a_later_transaction_brings_again_counts() {
    let run = start(2).write(0, 1).send_offset(0, 5).pend_offset(5).end_as(0, Abort);
    let run = run.write(0, 1).send_offset(0, 5).pend_offset(5).end_as(0, Commit).count_offset(5);
    assert_eq!(says(&run.end(), CheckerId::TransactionalOffsets), OK);
}

#[test]
fn an_id_that_expires_leaves_nothing_open() {
    let run = quiet(1).state(TransactionState::CompleteAbort, TransactionState::Dead, 0);
    assert_eq!(says(&run.end(), CheckerId::KnownTransactions), OK);
}
