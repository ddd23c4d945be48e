//! The invariants of the oracle's view.

use super::*;
use inflight_protocol::fact::Election;
use inflight_protocol::{Acks, BrokerId, ErrorCode, Fact};

const OK: (Verdict, Option<Aspect>, u64) = (Verdict::Ok, None, 0);
const BROKEN: (Verdict, Option<Aspect>, u64) = (Verdict::Violation, Some(Aspect::Plain), 0);
const ALLOWED: (Verdict, Option<Aspect>, u64) = (Verdict::Allowed, Some(Aspect::Plain), 0);

/// Two records that everybody has, and two that only broker 1 has.
fn ahead() -> Script {
    Script::new().queue(0, 4).append(1, 0, 0, 2).replicate(1).append(1, 0, 2, 2)
}

// --- W1, log matching ---------------------------------------------------------------------------

#[test]
fn replicas_that_differ_below_both_marks_do_not_match() {
    // Broker 2 has other records than broker 1, and both say that they are committed.
    let run = ahead().append_as(2, 0, 3, 1, None).append_as(2, 0, 2, 1, None);
    let run = run.commit(1).commit(2).end();
    assert_eq!(says(&run, CheckerId::LogMatching), BROKEN);
}

#[test]
fn replicas_may_differ_above_the_lower_mark() {
    let run = ahead().append_as(2, 0, 3, 1, None).commit_to(2, 2).commit(1).end();
    assert_eq!(says(&run, CheckerId::LogMatching), OK);
}

#[test]
fn after_an_unclean_election_only_the_end_counts() {
    let run = ahead().commit(1).crash(1).elect(2, Election::Unclean);
    let run = run.append(2, 0, 2, 1).append(2, 0, 3, 1).copy(3, 2).commit(2).start(1).commit(1);
    let stays = run.clone().end();
    let found = (Verdict::Possible, Some(Aspect::NotConverged), 0);
    assert_eq!(says(&stays, CheckerId::LogMatching), found);
    let follows = run.truncate(1, 2).copy(1, 2).end();
    assert_eq!(says(&follows, CheckerId::LogMatching), OK);
}

/// Broker 2 hears of its election when another is over, and broker 1 follows it all the same.
#[test]
fn replicas_that_know_nothing_of_the_newest_leader_may_agree() {
    let run = Script::new().acks(Acks::Leader).queue(0, 3).append(1, 0, 0, 1);
    let run = run.elected(Some(BrokerId::new(2)), 1, Election::Clean);
    let run = run.elected(None, 2, Election::None).lead(2, 1).truncate(1, 0);
    let run = run.append(2, 0, 1, 1).copy(1, 2).commit(2).commit(1);
    let run = run.append(2, 0, 2, 1).copy(1, 2).commit(2).commit(1).end();
    assert_eq!(says(&run, CheckerId::LogMatching), OK);
}

// --- W2, leader completeness --------------------------------------------------------------------

#[test]
fn a_leader_without_committed_records_is_incomplete() {
    let lagging = Script::new().queue(0, 2).isr(&[1, 2, 3], &[1, 2]).append(1, 0, 0, 2).copy(2, 1);
    let lagging = lagging.commit(1);
    let run = lagging.clone().elect(3, Election::Clean).end();
    assert_eq!(says(&run, CheckerId::LeaderCompleteness), BROKEN);
    let run = lagging.clone().elect(3, Election::Unclean).end();
    assert_eq!(says(&run, CheckerId::LeaderCompleteness), ALLOWED);
    assert_eq!(says(&lagging.elect(2, Election::Clean).end(), CheckerId::LeaderCompleteness), OK);
}

/// It finds in old metadata that it leads, before anybody can reach it, and another is elected.
#[test]
fn a_leader_that_starts_again_without_its_log_is_no_new_leader() {
    let data = Script::new().queue(0, 2).append(1, 0, 0, 2).replicate(1).power_loss(1, 0);
    let known = data.clone().lead(1, 0).elect(2, Election::Clean).end();
    assert_eq!(says(&known, CheckerId::LeaderCompleteness), BROKEN);
    let unknown = data.fact(Fact::BrokerStarted { broker: BrokerId::new(1) });
    let unknown = unknown.lead(1, 0).elect(2, Election::Clean).end();
    assert_eq!(says(&unknown, CheckerId::LeaderCompleteness), OK);
}

/// A follower may join that has everything below the leader's high watermark, and no more.
#[test]
fn what_no_leader_called_committed_may_be_lost() {
    let data = Script::new().queue(0, 3).isr(&[1, 2, 3], &[1, 2]).append(1, 0, 0, 2).replicate(1);
    let data = data.append(1, 0, 2, 1).copy(2, 1);
    let joined = data.clone().isr(&[1, 2], &[1, 2, 3]).elect(3, Election::Clean).end();
    assert_eq!(says(&joined, CheckerId::LeaderCompleteness), OK);
    let said = data.commit(1).isr(&[1, 2], &[1, 2, 3]).elect(3, Election::Clean).end();
    assert_eq!(says(&said, CheckerId::LeaderCompleteness), BROKEN);
}

#[test]
fn a_leader_may_lack_what_was_not_committed() {
    let run = ahead().elect(2, Election::Clean).end();
    assert_eq!(says(&run, CheckerId::LeaderCompleteness), OK);
    // With one replica in sync and min.insync.replicas=2 nothing is committed.
    let frozen = ahead().isr(&[1, 2, 3], &[1]).commit(1).elect(2, Election::Eligible).end();
    assert_eq!(says(&frozen, CheckerId::LeaderCompleteness), OK);
    let single = Script::new().min_isr(1).queue(0, 2).isr(&[1, 2, 3], &[1]).append(1, 0, 0, 2);
    let single = single.commit(1).elect(2, Election::Clean).end();
    assert_eq!(says(&single, CheckerId::LeaderCompleteness), BROKEN);
}

// --- W5, no committed truncation ----------------------------------------------------------------

#[test]
fn committed_records_must_not_be_cut() {
    let run = ahead().truncate(2, 1).end();
    assert_eq!(says(&run, CheckerId::Truncation), BROKEN);
}

#[test]
fn what_was_not_committed_may_be_cut() {
    let run = ahead().elect(2, Election::Clean).truncate(1, 2).end();
    assert_eq!(says(&run, CheckerId::Truncation), OK);
    // Once an unclean leader has lost it, nobody is to blame for following.
    let lost = Script::new().queue(0, 2).isr(&[1, 2, 3], &[1, 2]).append(1, 0, 0, 2).copy(2, 1);
    let run = lost.elect(3, Election::Unclean).truncate(1, 0).truncate(2, 0).end();
    assert_eq!(says(&run, CheckerId::Truncation), OK);
}

// --- W7, sequences ------------------------------------------------------------------------------

#[test]
fn sequences_have_neither_gap_nor_repetition() {
    let one = Script::new().queue(0, 9).append(1, 0, 0, 2);
    let skipped = one.clone().append(1, 0, 3, 1).end();
    let found = (Verdict::Violation, Some(Aspect::Skipped), 1);
    assert_eq!(says(&skipped, CheckerId::Sequences), found);
    let repeated = one.clone().append(1, 0, 0, 2).end();
    let found = (Verdict::Violation, Some(Aspect::Repeated), 2);
    assert_eq!(says(&repeated, CheckerId::Sequences), found);
    let next_epoch = one.append_as(1, 0, 2, 1, Some((0, 1, 0))).end();
    assert_eq!(says(&next_epoch, CheckerId::Sequences), OK);
    let unanchored = Script::new().queue(0, 9).append(1, 0, 4, 1).end();
    let found = (Verdict::Possible, Some(Aspect::Unanchored), 1);
    assert_eq!(says(&unanchored, CheckerId::Sequences), found);
}

#[test]
fn a_sequence_that_was_lost_with_the_leader_comes_again() {
    let run = Script::new().queue(0, 4).append(1, 0, 0, 2).copy(2, 1).append(1, 0, 2, 2);
    let run = run.elect(2, Election::Clean).append(2, 0, 2, 2).end();
    assert_eq!(says(&run, CheckerId::Sequences), OK);
    assert_eq!(says(&run, CheckerId::DoubleAppend), OK);
}

// --- W8, no double append -----------------------------------------------------------------------

#[test]
fn a_record_appended_twice_is_told_where() {
    let run = Script::new().plain().queue(0, 3).append(1, 0, 0, 3).append(1, 0, 1, 2).end();
    let judgement = judged(&run);
    let finding = judgement.findings_of(CheckerId::DoubleAppend).next().unwrap();
    assert_eq!((finding.verdict, finding.total, finding.offset), (Verdict::Allowed, 2, Some(1)));
    assert_eq!(finding.decisive.map(|fact| fact.index), Some(4));
}

// --- W12, producer state ------------------------------------------------------------------------

#[test]
fn a_batch_taken_for_another_one_is_no_duplicate() {
    let run = Script::new().queue(0, 4).append(1, 0, 0, 2);
    let wrong = run.clone().recognise(1, 0, 2, 2, 0).end();
    let found = (Verdict::Violation, Some(Aspect::WrongDuplicate), 2);
    assert_eq!(says(&wrong, CheckerId::ProducerState), found);
    assert_eq!(says(&run.recognise(1, 0, 0, 2, 0).end(), CheckerId::ProducerState), OK);
}

#[test]
fn a_repetition_is_accepted_only_by_who_forgot_the_producer() {
    let once = Script::new().queue(0, 2).append(1, 0, 0, 2);
    let found = (Verdict::Violation, Some(Aspect::Repeated), 2);
    let accepted = once.clone().append(1, 0, 0, 2).end();
    assert_eq!(says(&accepted, CheckerId::ProducerState), found);
    let forgotten = once.forget_producer(1, 0).append(1, 0, 0, 2).end();
    assert_eq!(says(&forgotten, CheckerId::ProducerState), OK);
    assert_eq!(says(&forgotten, CheckerId::TransportDuplicate).0, Verdict::Vacuous);
}

#[test]
fn refusals_must_fit_the_log() {
    let refuse = |first, count| {
        let run = Script::new().identify(0).queue(0, 9).append(1, 0, 0, 2);
        run.reject(1, 0, first, count, ErrorCode::OutOfOrderSequenceNumber).end()
    };
    let found = (Verdict::Violation, Some(Aspect::RefusedNext), 1);
    assert_eq!(says(&refuse(2, 1), CheckerId::ProducerState), found);
    let found = (Verdict::Violation, Some(Aspect::RefusedDuplicate), 2);
    assert_eq!(says(&refuse(0, 2), CheckerId::ProducerState), found);
    assert_eq!(says(&refuse(4, 1), CheckerId::ProducerState), OK, "there is a gap");
}
