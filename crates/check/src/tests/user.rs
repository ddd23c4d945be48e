//! The checkers of the user's view.

use super::*;
use inflight_protocol::fact::{Election, SendError, StopCause};
use inflight_protocol::{Acks, ErrorCode};

const OK: (Verdict, Option<Aspect>, u64) = (Verdict::Ok, None, 0);
const VACUOUS: (Verdict, Option<Aspect>, u64) = (Verdict::Vacuous, None, 0);

/// Four records that go through without any trouble.
fn quiet() -> Script {
    Script::new().queue(0, 4).send(0, 0, 4, 1, 0).append(1, 0, 0, 4).replicate(1).ack(0, 0, 4, 1)
}

#[test]
fn a_quiet_run_breaks_nothing() {
    let judgement = judged(&quiet().end());
    assert_eq!(judgement.worst(), Verdict::Ok);
    assert!(judgement.findings.is_empty());
    let counts = judgement.counts;
    assert_eq!((counts.sent, counts.acked, counts.read), (4, 4, 4));
    for (checker, opinion) in judgement.opinions() {
        // Nothing was sent again or elected, and there are neither consumers nor transactions.
        let seen = [
            CheckerId::Integrity,
            CheckerId::OffsetAgreement,
            CheckerId::NoLoss,
            CheckerId::TransportDuplicate,
            CheckerId::SessionOrder,
            CheckerId::Prefix,
            CheckerId::TruthfulErrors,
            CheckerId::SpuriousFatal,
            CheckerId::Progress,
            CheckerId::LogMatching,
            CheckerId::Sequences,
            CheckerId::DoubleAppend,
            CheckerId::ProducerState,
        ];
        let expected = if !seen.contains(&checker) { Verdict::Vacuous } else { Verdict::Ok };
        assert_eq!(opinion.verdict, expected, "{checker}");
    }
}

// --- B1, integrity ------------------------------------------------------------------------------

#[test]
fn a_record_that_nobody_sent_is_no_integrity() {
    let run = quiet().append(1, 0, 7, 1).replicate(1).end();
    let found = (Verdict::Violation, Some(Aspect::NeverSent), 1);
    assert_eq!(says(&run, CheckerId::Integrity), found);
    let run = quiet().session(1).append(1, 1, 0, 2).replicate(1).end();
    let found = (Verdict::Violation, Some(Aspect::NeverSent), 2);
    assert_eq!(says(&run, CheckerId::Integrity), found);
}

#[test]
fn a_failed_record_that_is_there_was_sent() {
    let run = Script::new().queue(0, 1).send(0, 0, 1, 1, 0).append(1, 0, 0, 1).replicate(1);
    let run = run.fail(0, 0, 1, SendError::DeliveryTimeout).end();
    assert_eq!(says(&run, CheckerId::Integrity), OK);
    assert_eq!(judged(&run).counts.failed_but_present, 1);
}

// --- B2, offset agreement -----------------------------------------------------------------------

#[test]
fn a_record_elsewhere_than_told_disagrees() {
    let run = Script::new().queue(0, 2).append(1, 0, 0, 2).replicate(1);
    let run = run.ack_at(0, 0, 1, Some(1)).ack_at(0, 1, 1, Some(0)).end();
    let found = (Verdict::Violation, Some(Aspect::Elsewhere), 2);
    assert_eq!(says(&run, CheckerId::OffsetAgreement), found);
}

#[test]
fn an_ack_without_offset_says_nothing_and_one_copy_is_enough() {
    let run = Script::new().queue(0, 1).append(1, 0, 0, 1).replicate(1);
    assert_eq!(says(&run.ack_at(0, 0, 1, None).end(), CheckerId::OffsetAgreement), VACUOUS);
    let twice = Script::new().plain().queue(0, 1).append(1, 0, 0, 1).append(1, 0, 0, 1);
    let twice = twice.replicate(1).ack_at(0, 0, 1, Some(1)).end();
    assert_eq!(says(&twice, CheckerId::OffsetAgreement), OK);
}

/// The first copy is committed, and the leader alone has the one that was answered.
#[test]
fn an_offset_that_nobody_can_read_yet_may_still_be_right() {
    let run = Script::new().plain().acks(Acks::Leader).queue(0, 1);
    let run = run.append(1, 0, 0, 1).replicate(1).append(1, 0, 0, 1).ack_at(0, 0, 1, Some(1)).end();
    let found = (Verdict::Possible, Some(Aspect::Elsewhere), 1);
    assert_eq!(says(&run, CheckerId::OffsetAgreement), found);
}

#[test]
fn an_offset_that_acks_1_told_may_be_given_away() {
    let run = Script::new().acks(Acks::Leader).queue(0, 1).append(1, 0, 0, 1).ack(0, 0, 1, 1);
    let run = run.crash(1).elect(2, Election::Clean).queue(0, 1).append(2, 0, 1, 1).commit(2);
    let found = (Verdict::Allowed, Some(Aspect::Replaced), 1);
    assert_eq!(says(&run.end(), CheckerId::OffsetAgreement), found);
}

// --- B3, no loss --------------------------------------------------------------------------------

#[test]
fn an_acked_record_that_a_clean_leader_lacks_is_lost() {
    let run = Script::new().queue(0, 3).append(1, 0, 0, 3).copy(2, 1).commit(1).ack(0, 0, 3, 1);
    let run = run.elect(3, Election::Clean).end();
    let found = (Verdict::Violation, Some(Aspect::Storage), 3);
    assert_eq!(says(&run, CheckerId::NoLoss), found);
    assert_eq!(judged(&run).counts.lost, 3);
}

#[test]
fn a_record_of_unknown_outcome_is_never_lost() {
    let run = quiet().queue(0, 1).send(0, 4, 1, 1, 0);
    let run = run.fail(0, 4, 1, SendError::DeliveryTimeout).end();
    assert_eq!(says(&run, CheckerId::NoLoss), OK);
    assert_eq!(judged(&run).counts.lost, 0);
}

#[test]
fn acks_1_may_lose_with_the_leader_and_not_without() {
    let run = Script::new().acks(Acks::Leader).queue(0, 2).append(1, 0, 0, 2).ack(0, 0, 2, 1);
    let lost = run.clone().crash(1).elect(2, Election::Clean).end();
    let found = (Verdict::Allowed, Some(Aspect::Storage), 2);
    assert_eq!(says(&lost, CheckerId::NoLoss), found);
    assert_eq!(says(&run.replicate(1).end(), CheckerId::NoLoss), OK);
}

#[test]
fn an_unclean_election_may_lose() {
    let run = quiet().isr(&[1, 2, 3], &[1]).queue(0, 1).append(1, 0, 4, 1).commit(1);
    let run = run.ack(0, 4, 1, 1).crash(1).elect(2, Election::Unclean).commit(2).end();
    let found = (Verdict::Allowed, Some(Aspect::Storage), 1);
    assert_eq!(says(&run, CheckerId::NoLoss), found);
}

#[test]
fn power_loss_within_the_budget_must_not_lose() {
    // Broker 1 loses the records and is elected all the same, although 2 and 3 have them.
    let run = quiet().power_loss(1, 2).elect(1, Election::Clean).commit(1).end();
    let found = (Verdict::Violation, Some(Aspect::Storage), 2);
    assert_eq!(says(&run, CheckerId::NoLoss), found);
}

#[test]
fn the_last_replica_standing_may_lose() {
    let run = quiet().isr(&[1, 2, 3], &[1]).power_loss(1, 2).elect(1, Election::Clean);
    let found = (Verdict::Allowed, Some(Aspect::Storage), 2);
    assert_eq!(says(&run.commit(1).end(), CheckerId::NoLoss), found);
}

#[test]
fn where_nobody_leads_a_loss_is_possible() {
    let run = Script::new().queue(0, 2).append(1, 0, 0, 2).copy(2, 1).copy(3, 1);
    let run = run.commit(1).ack(0, 0, 2, 1).power_loss(1, 0).elect_nobody().end();
    assert_eq!(says(&run, CheckerId::NoLoss).0, Verdict::Ok, "everybody in sync has it");
    let run = Script::new().queue(0, 2).append(1, 0, 0, 2).ack(0, 0, 2, 1);
    let run = run.crash(1).elect_nobody().end();
    let found = (Verdict::Possible, Some(Aspect::Unreadable), 2);
    assert_eq!(says(&run, CheckerId::NoLoss), found);
}

#[test]
fn above_the_high_watermark_is_not_lost_yet() {
    let run = Script::new().queue(0, 2).append(1, 0, 0, 2).ack(0, 0, 2, 1).stop_run();
    let found = (Verdict::Possible, Some(Aspect::Unreadable), 2);
    assert_eq!(says(&run, CheckerId::NoLoss), found);
    assert_eq!((judged(&run).counts.lost, judged(&run).counts.unreadable), (2, 2));
}

// --- B4a and B4b, duplicates --------------------------------------------------------------------

/// Two records that a leader appends, and again when they come again.
fn twice(script: Script) -> Script {
    let run = script.queue(0, 2).send(0, 0, 2, 1, 0).append(1, 0, 0, 2).lose_response(0, 1);
    run.requeue(0, 0, 2, ErrorCode::NetworkException).send(0, 0, 2, 1, 1)
}

#[test]
fn two_copies_break_idempotence_and_nothing_else() {
    let again = |script| twice(script).append(1, 0, 0, 2).replicate(1).ack(0, 0, 2, 1).end();
    let found = (Verdict::Violation, Some(Aspect::Plain), 2);
    assert_eq!(says(&again(Script::new()), CheckerId::TransportDuplicate), found);
    let found = (Verdict::Allowed, Some(Aspect::Plain), 2);
    let plain = again(Script::new().plain());
    assert_eq!(says(&plain, CheckerId::TransportDuplicate), found);
    assert_eq!(judged(&plain).counts.duplicated, 2);
    assert_eq!(says(&plain, CheckerId::SessionOrder), OK);
    let found = (Verdict::Violation, Some(Aspect::Plain), 2);
    let never = again(Script::new().plain().retries(0));
    assert_eq!(says(&never, CheckerId::TransportDuplicate), found);
}

#[test]
fn a_recognised_retry_is_no_duplicate() {
    let run = twice(Script::new()).recognise(1, 0, 0, 2, 0).replicate(1).ack(0, 0, 2, 1).end();
    assert_eq!(says(&run, CheckerId::TransportDuplicate), OK);
    assert_eq!(judged(&run).worst(), Verdict::Ok);
}

#[test]
fn after_an_error_a_duplicate_is_possible() {
    let run = twice(Script::new()).append(1, 0, 0, 2).replicate(1);
    let run = run.fail(0, 0, 2, SendError::DeliveryTimeout).end();
    let found = (Verdict::Possible, Some(Aspect::Plain), 2);
    assert_eq!(says(&run, CheckerId::TransportDuplicate), found);
}

#[test]
fn a_message_sent_again_by_the_application_is_there_twice() {
    let failed = Script::new().queue(0, 3).send(0, 0, 1, 1, 0).append(1, 0, 0, 3).replicate(1);
    let failed = failed.fail(0, 0, 1, SendError::DeliveryTimeout).ack(0, 1, 2, 1);
    let run = failed.queue_again(0, 1, 0).append(1, 0, 3, 1).replicate(1).ack(0, 3, 1, 1).end();
    let found = (Verdict::Allowed, Some(Aspect::Plain), 1);
    assert_eq!(says(&run, CheckerId::MessageDuplicate), found);
    assert_eq!(says(&run, CheckerId::TransportDuplicate), OK, "two send() calls");
    assert_eq!(says(&run, CheckerId::MessageOrder), OK, "the first copy counts");
}

#[test]
fn a_message_whose_first_copy_is_missing_is_there_once_but_late() {
    let failed = Script::new().queue(0, 3).fail(0, 0, 1, SendError::DeliveryTimeout);
    let run = failed.append(1, 0, 1, 2).replicate(1).ack(0, 1, 2, 1);
    let run = run.queue_again(0, 1, 0).append(1, 0, 3, 1).replicate(1).ack(0, 3, 1, 1).end();
    assert_eq!(says(&run, CheckerId::MessageDuplicate), OK);
    let late = (Verdict::Allowed, Some(Aspect::Plain), 1);
    assert_eq!(says(&run, CheckerId::MessageOrder), late);
    assert_eq!(says(&run, CheckerId::SessionOrder), OK);
    let gap = (Verdict::Allowed, Some(Aspect::Gap), 1);
    assert_eq!(says(&run, CheckerId::Prefix), gap);
}

#[test]
fn a_restarted_producer_sends_what_is_there_already() {
    let run = Script::new().queue(0, 2).append(1, 0, 0, 2).replicate(1);
    let run = run.stop(0, StopCause::Crashed).session(0).queue_again(1, 2, 0);
    let run = run.append(1, 1, 0, 2).replicate(1).ack(1, 0, 2, 1).end();
    let found = (Verdict::Allowed, Some(Aspect::Plain), 2);
    assert_eq!(says(&run, CheckerId::MessageDuplicate), found);
    assert_eq!(judged(&run).counts.unknown, 2);
    assert_eq!(says(&run, CheckerId::Progress), OK, "the first producer is gone");
}

// --- B5, order ----------------------------------------------------------------------------------

#[test]
fn an_overtaken_record_is_out_of_order() {
    let swapped = |script: Script| {
        script.queue(0, 2).append(1, 0, 1, 1).append(1, 0, 0, 1).replicate(1).end()
    };
    let found = (Verdict::Violation, Some(Aspect::Plain), 1);
    let one = swapped(Script::new().plain().in_flight(1));
    assert_eq!(says(&one, CheckerId::SessionOrder), found);
    assert_eq!(says(&swapped(Script::new()), CheckerId::SessionOrder), found);
    let found = (Verdict::Allowed, Some(Aspect::Plain), 1);
    assert_eq!(says(&swapped(Script::new().plain()), CheckerId::SessionOrder), found);
    assert_eq!(judged(&one).counts.reordered, 1);
}

#[test]
fn a_later_copy_overtakes_nobody() {
    let run = Script::new().plain().in_flight(1).queue(0, 2);
    let run = run.append(1, 0, 0, 1).append(1, 0, 1, 1).append(1, 0, 0, 1).replicate(1).end();
    assert_eq!(says(&run, CheckerId::SessionOrder), OK);
}

#[test]
fn a_missing_end_is_no_gap() {
    let run = quiet().queue(0, 2).fail(0, 4, 2, SendError::DeliveryTimeout).end();
    assert_eq!(says(&run, CheckerId::Prefix), OK);
}

// --- B6, append order ---------------------------------------------------------------------------

#[test]
fn a_record_before_one_that_was_acked_before_it_was_sent() {
    let run = Script::new().session(1).append(1, 1, 0, 1).queue(0, 1).append(1, 0, 0, 1);
    let run = run.replicate(1).ack(0, 0, 1, 1).queue(1, 1).ack(1, 0, 1, 1).end();
    let found = (Verdict::Violation, Some(Aspect::Plain), 1);
    assert_eq!(says(&run, CheckerId::AppendOrder), found);
}

#[test]
fn a_record_sent_before_the_ack_may_be_anywhere() {
    let run = Script::new().session(1).queue(1, 1).append(1, 1, 0, 1).queue(0, 1);
    let run = run.append(1, 0, 0, 1).replicate(1).ack(0, 0, 1, 1).ack(1, 0, 1, 1);
    let run = run.queue(1, 1).append(1, 1, 1, 1).replicate(1).ack(1, 1, 1, 1).end();
    assert_eq!(says(&run, CheckerId::AppendOrder), OK);
}

// --- B18, truthful errors -----------------------------------------------------------------------

#[test]
fn an_ack_for_what_was_never_appended_is_false() {
    let run = Script::new().queue(0, 2).append(1, 0, 0, 1).replicate(1).ack_at(0, 0, 2, Some(0));
    let found = (Verdict::Violation, Some(Aspect::FalseAck), 1);
    assert_eq!(says(&run.end(), CheckerId::TruthfulErrors), found);
    let run = Script::new().acks(Acks::None).queue(0, 2).ack_at(0, 0, 2, None).end();
    assert_eq!(says(&run, CheckerId::TruthfulErrors), OK, "acks=0 claims nothing");
}

#[test]
fn a_certain_refusal_of_what_is_there_is_false() {
    let sent = Script::new().queue(0, 1).send(0, 0, 1, 1, 0).append(1, 0, 0, 1).replicate(1);
    let refused = SendError::Code(ErrorCode::NotEnoughReplicas);
    let run = sent.clone().fail(0, 0, 1, refused).end();
    let found = (Verdict::Violation, Some(Aspect::FalseFailure), 1);
    assert_eq!(says(&run, CheckerId::TruthfulErrors), found);

    let doubt = sent.clone().requeue(0, 0, 1, ErrorCode::NetworkException).send(0, 0, 1, 1, 1);
    let run = doubt.fail(0, 0, 1, refused).end();
    assert_eq!(says(&run, CheckerId::TruthfulErrors), OK, "the first attempt is in doubt");
    let run = sent.fail(0, 0, 1, SendError::Code(ErrorCode::UnknownServerError)).end();
    assert_eq!(says(&run, CheckerId::TruthfulErrors), OK, "that error is no certain refusal");
}

#[test]
fn an_error_that_ends_the_producer_says_nothing_of_what_is_under_way() {
    // The client gives it to every batch that waits for an answer.
    let sent = Script::new().queue(0, 1).send(0, 0, 1, 1, 0).append(1, 0, 0, 1).replicate(1);
    for code in [ErrorCode::ProducerFenced, ErrorCode::InvalidTxnState] {
        let run = sent.clone().fail(0, 0, 1, SendError::Code(code)).end();
        assert_eq!(says(&run, CheckerId::TruthfulErrors), OK, "{code}");
        let refused = sent.clone().reject(1, 0, 0, 1, code);
        let run = refused.fail(0, 0, 1, SendError::Code(code)).end();
        let found = (Verdict::Violation, Some(Aspect::FalseFailure), 1);
        assert_eq!(says(&run, CheckerId::TruthfulErrors), found, "{code}");
    }
    let queued = Script::new().queue(0, 1).append(1, 0, 0, 1).replicate(1);
    let run = queued.fail(0, 0, 1, SendError::Code(ErrorCode::ProducerFenced)).end();
    let found = (Verdict::Violation, Some(Aspect::FalseFailure), 1);
    assert_eq!(says(&run, CheckerId::TruthfulErrors), found, "it never left the client");
}

// --- B19 and B20 --------------------------------------------------------------------------------

#[test]
fn a_fatal_error_for_nothing_is_a_warning() {
    let failed = |code| quiet().queue(0, 1).fail(0, 4, 1, SendError::Code(code)).end();
    let found = (Verdict::Possible, Some(Aspect::Plain), 1);
    let out_of_order = failed(ErrorCode::OutOfOrderSequenceNumber);
    assert_eq!(says(&out_of_order, CheckerId::SpuriousFatal), found);
    let ordinary = failed(ErrorCode::NotLeaderOrFollower);
    assert_eq!(says(&ordinary, CheckerId::SpuriousFatal), OK);
}

#[test]
fn a_send_without_an_answer_is_no_progress() {
    let found = (Verdict::Violation, Some(Aspect::Unanswered), 1);
    let waiting = quiet().queue(0, 1);
    assert_eq!(says(&waiting.clone().end(), CheckerId::Progress), found);
    let late = waiting.clone().wait_ms(121_500).stop_run();
    assert_eq!(says(&late, CheckerId::Progress), found);
    assert_eq!(says(&waiting.clone().wait_ms(119_000).stop_run(), CheckerId::Progress), OK);
    let gone = waiting.stop(0, StopCause::Crashed).end();
    assert_eq!(says(&gone, CheckerId::Progress), OK);
    assert_eq!(judged(&gone).counts.unknown, 1);
}

#[test]
fn a_send_that_never_returns_is_no_progress() {
    let found = (Verdict::Violation, Some(Aspect::Blocked), 0);
    assert_eq!(says(&quiet().block(0).end(), CheckerId::Progress), found);
    assert_eq!(says(&quiet().block(0).wait_ms(30_000).stop_run(), CheckerId::Progress), OK);
    assert_eq!(says(&quiet().block(0).wait_ms(62_000).stop_run(), CheckerId::Progress), found);
}
