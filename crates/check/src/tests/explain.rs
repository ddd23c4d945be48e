//! Mechanisms are recognised from facts, and the story reads well.

mod answered;
mod exactly_once;
mod order;

use super::*;
use crate::{Mechanism, Step, explain, judge_recording};
use expect_test::{Expect, expect};
use inflight_protocol::fact::{CloseCause, Election, ExpiryPlace, SendError, StopCause};
use inflight_protocol::{Acks, ErrorCode};

/// The mechanism of the first finding of a checker.
fn mechanism(script: &Script, checker: CheckerId) -> Mechanism {
    let judgement = judged(script);
    let finding = judgement.findings_of(checker).next().expect("something is found");
    explain(&script.description, &script.facts, finding).mechanism
}

/// What would have helped with the first finding of a checker.
fn remedies(script: &Script, checker: CheckerId) -> Vec<&'static str> {
    let judgement = judged(script);
    let finding = judgement.findings_of(checker).next().expect("something is found");
    let explanation = explain(&script.description, &script.facts, finding);
    explanation.remedies.iter().map(|remedy| remedy.what).collect()
}

fn story(script: &Script, checker: CheckerId, expected: Expect) {
    use std::fmt::Write;
    let report = judge_recording(&script.description, &script.facts);
    let found = report.explanations.iter().find(|e| e.finding.checker == checker);
    let explanation = found.expect("something is found");
    let mut text = String::new();
    let verdict = explanation.finding.verdict;
    writeln!(text, "{}: {}, {}", explanation.finding.checker, verdict, explanation.headline)
        .unwrap();
    if let Some(excuse) = explanation.finding.excuse {
        writeln!(text, "not promised: {excuse}").unwrap();
    }
    let decisive = explanation.finding.decisive.map(|fact| fact.index as usize);
    for step in &explanation.chain {
        let mark = if Some(step.index) == decisive { '>' } else { ' ' };
        writeln!(text, "{mark} {:>3} {}", step.index + 1, step.sentence).unwrap();
    }
    writeln!(text, "{}", explanation.mechanism.sentence()).unwrap();
    if let Some(otherwise) = &explanation.otherwise {
        writeln!(text, "{otherwise}").unwrap();
    }
    for remedy in &explanation.remedies {
        writeln!(text, "+ {}: {}", remedy.what, remedy.why).unwrap();
    }
    expected.assert_eq(&text);
}

// --- losses -------------------------------------------------------------------------------------

#[test]
fn acks_1_and_the_leader_crashes() {
    let run = Script::new().acks(Acks::Leader).queue(0, 2).send(0, 0, 2, 1, 0).append(1, 0, 0, 2);
    let run = run.ack(0, 0, 2, 1).crash(1).isr(&[1, 2, 3], &[2, 3]).elect(2, Election::Clean);
    let run = run.start(1).truncate(1, 0).end();
    story(
        &run,
        CheckerId::NoLoss,
        expect![[r#"
        B3: allowed, records 0..1 of p1 in t-0 were acked and are lost
        not promised: another leader took over
            3 p1 queued records 0..1 for t-0 (messages 0..1 of its application)
            4 p1 sent records 0..1 of t-0 to broker 1, 1st attempt
            5 broker 1 appended records 0..1 of p1 to t-0 at offsets 0..1 (leader epoch 0)
            6 p1 was told that t-0 has records 0..1 at offsets 0..1
            7 broker 1 crashed (its process died and its logs are whole)
            8 the in-sync replicas of t-0 are {2,3} instead of {1,2,3}
        >   9 the controller made broker 2 leader of t-0 (leader epoch 1, in sync)
           10 broker 2 leads t-0 from offset 0 (leader epoch 1)
           13 broker 1 cut its log of t-0 from end 2 to end 0
        The leader answered when it alone had the record, and another led before a follower had copied it.
        + acks=all: the leader answers when every in-sync replica has the record
    "#]],
    );
}

#[test]
fn acks_1_below_min_insync_replicas() {
    let run = Script::new().acks(Acks::Leader).isr_and_elr(&[1, 2, 3], &[1], &[2]).queue(0, 1);
    let run = run.append(1, 0, 0, 1).ack(0, 0, 1, 1).crash(1).elect(2, Election::Eligible).end();
    assert_eq!(mechanism(&run, CheckerId::NoLoss), Mechanism::LeaderAlone);
}

#[test]
fn acks_0_and_the_request_is_lost() {
    let run = Script::new().acks(Acks::None).queue(0, 1).send(0, 0, 1, 1, 0).ack_at(0, 0, 1, None);
    assert_eq!(mechanism(&run.end(), CheckerId::NoLoss), Mechanism::AcksZero);
}

#[test]
fn with_acks_1_nobody_waits_for_those_in_sync() {
    let alone = Script::new().acks(Acks::Leader).min_isr(1).queue(0, 1).append(1, 0, 0, 1);
    let alone = alone.isr(&[1, 2, 3], &[1]).commit(1).ack(0, 0, 1, 1);
    let passed = alone.clone().crash(1).elect(2, Election::Unclean).end();
    assert_eq!(mechanism(&passed, CheckerId::NoLoss), Mechanism::UncleanElection);
    let mut unclean = passed;
    unclean.description.topics[0].unclean_leader_election_enable = true;
    // min.insync.replicas says nothing of acks=1.
    assert_eq!(remedies(&unclean, CheckerId::NoLoss), ["unclean.leader.election.enable=false"]);
    let lost = alone.power_loss(1, 0).elect(1, Election::Clean).commit(1).end();
    assert_eq!(mechanism(&lost, CheckerId::NoLoss), Mechanism::PowerLoss);
}

#[test]
fn a_zombie_leader_answers() {
    let run = Script::new().acks(Acks::Leader).queue(0, 1).elect(2, Election::Clean);
    let run = run.append(1, 0, 0, 1).ack(0, 0, 1, 1).truncate(1, 0).end();
    assert_eq!(mechanism(&run, CheckerId::NoLoss), Mechanism::ZombieLeader);
}

#[test]
fn unclean_elections_and_lone_leaders() {
    let all = Script::new().queue(0, 1).append(1, 0, 0, 1);
    let two = all.clone().isr(&[1, 2, 3], &[1, 2]).copy(2, 1).commit(1).ack(0, 0, 1, 1);
    let run = two.clone().crash(1).crash(2).elect(3, Election::Unclean).end();
    assert_eq!(mechanism(&run, CheckerId::NoLoss), Mechanism::UncleanElection);
    assert_eq!(mechanism(&run, CheckerId::LeaderCompleteness), Mechanism::UncleanElection);
    let run = two.elect(3, Election::Clean).end();
    assert_eq!(mechanism(&run, CheckerId::NoLoss), Mechanism::OutOfSyncElection);

    let one = all.clone().min_isr(1).isr(&[1, 2, 3], &[1]).commit(1).ack(0, 0, 1, 1);
    let run = one.clone().crash(1).elect(2, Election::Unclean).end();
    assert_eq!(mechanism(&run, CheckerId::NoLoss), Mechanism::LoneInSync);
    let run = one.power_loss(1, 0).elect(1, Election::Clean).commit(1).end();
    assert_eq!(mechanism(&run, CheckerId::NoLoss), Mechanism::LoneInSync);
    let early = all.ack(0, 0, 1, 1).elect(2, Election::Clean).end();
    assert_eq!(mechanism(&early, CheckerId::NoLoss), Mechanism::AckedTooEarly);
}

#[test]
fn power_is_lost() {
    let everywhere = Script::new().queue(0, 1).append(1, 0, 0, 1).replicate(1).ack(0, 0, 1, 1);
    let run = everywhere.clone().power_loss(1, 0).power_loss(2, 0).power_loss(3, 0);
    let run = run.elect(1, Election::Clean).commit(1).end();
    assert_eq!(mechanism(&run, CheckerId::NoLoss), Mechanism::PowerLoss);

    let run = everywhere.isr(&[1, 2, 3], &[1]).power_loss(1, 0).elect(1, Election::Clean);
    let run = run.truncate(2, 0).truncate(3, 0).end();
    story(
        &run,
        CheckerId::NoLoss,
        expect![[r#"
        B3: allowed, record 0 of p1 in t-0 was acked and is lost
        not promised: every in-sync replica lost unflushed records
            3 p1 queued record 0 for t-0 (message 0 of its application)
            4 broker 1 appended record 0 of p1 to t-0 at offset 0 (leader epoch 0, sequence 0)
            5 broker 2 copied record 0 of p1 to t-0 at offset 0 (leader epoch 0, sequence 0)
            6 broker 3 copied record 0 of p1 to t-0 at offset 0 (leader epoch 0, sequence 0)
            7 the high watermark of t-0 on broker 1 rose from 0 to 1
            8 p1 was told that t-0 has record 0 at offset 0
            9 the in-sync replicas of t-0 are {1} instead of {1,2,3}
           10 broker 1 crashed (its machine lost power and with it what was not flushed)
           13 broker 1 read its log of t-0 again: end 0, before it was 1
        >  14 the controller made broker 1 leader of t-0 (leader epoch 1, in sync)
           16 broker 2 cut its log of t-0 from end 1 to end 0
           17 broker 3 cut its log of t-0 from end 1 to end 0
        The in-sync replicas had shrunk to one, which lost power with unflushed records and was elected again; complete replicas that were out of sync followed it.
        + eligible.leader.replicas.version=1: replicas that have everything stay electable
        + flush.messages=1: a record is on the disk before it is answered, at a high price
    "#]],
    );
}

#[test]
fn the_last_known_leader_has_lost_everything() {
    let run = Script::new().min_isr(1).queue(0, 2).append(1, 0, 0, 1).replicate(1).ack(0, 0, 1, 1);
    let run = run.isr(&[1, 2, 3], &[1]).append(1, 0, 1, 1).commit(1).ack(0, 1, 1, 1);
    let run = run.power_loss(1, 0).isr(&[1], &[]).elect(1, Election::LastKnown);
    let run = run.truncate(2, 0).truncate(3, 0).end();
    let report = judge_recording(&run.description, &run.facts);
    let lost = report.explanations.iter().find(|e| e.finding.checker == CheckerId::NoLoss).unwrap();
    assert_eq!(lost.mechanism, Mechanism::LastReplicaStanding);
    let otherwise = lost.otherwise.as_deref().unwrap();
    let start = "record 1 of p1 in t-0 was on broker 1 alone when it was acked: the leader was";
    assert!(otherwise.starts_with(start), "{otherwise}");
    let remedies: Vec<_> = lost.remedies.iter().map(|remedy| remedy.what).collect();
    assert_eq!(
        remedies,
        ["min.insync.replicas=2", "eligible.leader.replicas.version=1", "flush.messages=1"]
    );
}

#[test]
fn what_was_in_force_is_no_remedy() {
    let two = Script::new().queue(0, 1).append(1, 0, 0, 1).isr(&[1, 2, 3], &[1, 2]).copy(2, 1);
    let two = two.commit(1).ack(0, 0, 1, 1).crash(1).crash(2).elect(3, Election::Unclean).end();
    let remedies = |run: &Script, checker| -> Vec<_> {
        let report = judge_recording(&run.description, &run.facts);
        let found = report.explanations.iter().find(|e| e.finding.checker == checker).unwrap();
        found.remedies.iter().map(|remedy| remedy.what).collect()
    };
    let nothing: [&str; 0] = [];
    assert_eq!(remedies(&two, CheckerId::NoLoss), nothing);
    assert_eq!(remedies(&two, CheckerId::LeaderCompleteness), nothing);
    let mut unclean = two.min_isr(1);
    unclean.description.topics[0].unclean_leader_election_enable = true;
    let both = ["unclean.leader.election.enable=false", "min.insync.replicas=2"];
    assert_eq!(remedies(&unclean, CheckerId::NoLoss), both);
    assert_eq!(remedies(&unclean, CheckerId::LeaderCompleteness), both);
}

#[test]
fn brokers_break_their_rules() {
    let everywhere = Script::new().queue(0, 1).append(1, 0, 0, 1).replicate(1).ack(0, 0, 1, 1);
    let run = everywhere.clone().truncate(2, 0).crash(1).elect(2, Election::Clean).end();
    assert_eq!(mechanism(&run, CheckerId::NoLoss), Mechanism::TruncatedTooFar);
    let run = everywhere.clone().queue(0, 1).ack_at(0, 1, 1, Some(1)).end();
    assert_eq!(mechanism(&run, CheckerId::TruthfulErrors), Mechanism::AckWithoutAppend);
    let run = everywhere.queue(0, 1).recognise(1, 0, 1, 1, 0).ack_at(0, 1, 1, Some(0)).end();
    assert_eq!(mechanism(&run, CheckerId::NoLoss), Mechanism::PayloadSwap);
    assert_eq!(mechanism(&run, CheckerId::ProducerState), Mechanism::PayloadSwap);
}

#[test]
fn a_producer_gives_a_sequence_away_again() {
    let failed = Script::new().queue(0, 1).append(1, 0, 0, 1).replicate(1);
    let failed = failed.fail(0, 0, 1, SendError::Code(ErrorCode::RequestTimedOut));
    let run = failed.queue(0, 1).recognise(1, 0, 1, 1, 0).ack_at(0, 1, 1, Some(0)).end();
    for checker in [CheckerId::NoLoss, CheckerId::ProducerState] {
        assert_eq!(mechanism(&run, checker), Mechanism::SequenceReused);
    }
}

// --- duplicates ---------------------------------------------------------------------------------

/// A batch that is appended once, by a producer without idempotence.
fn once() -> Script {
    Script::new().plain().queue(0, 1).send(0, 0, 1, 1, 0).append(1, 0, 0, 1)
}

#[test]
fn a_response_is_lost() {
    let run = once().replicate(1).lose_response(0, 1).disconnect(0, 1, CloseCause::RequestTimeout);
    let run = run.requeue(0, 0, 1, ErrorCode::NetworkException).send(0, 0, 1, 1, 1);
    let run = run.append(1, 0, 0, 1).replicate(1).ack(0, 0, 1, 1).end();
    story(
        &run,
        CheckerId::TransportDuplicate,
        expect![[r#"
        B4a: allowed, record 0 of p1 in t-0 is in the log more than once, again at offset 1
        not promised: enable.idempotence is false
            3 p1 queued record 0 for t-0 (message 0 of its application)
            4 p1 sent record 0 of t-0 to broker 1, 1st attempt
            5 broker 1 appended record 0 of p1 to t-0 at offset 0 (leader epoch 0)
            6 broker 2 copied record 0 of p1 to t-0 at offset 0 (leader epoch 0)
            7 broker 3 copied record 0 of p1 to t-0 at offset 0 (leader epoch 0)
            8 the high watermark of t-0 on broker 1 rose from 0 to 1
            9 Produce response 3 from broker 1 to p1 was lost (a fault took it)
           10 p1 lost connection p1#1 (a request was not answered in time)
           11 p1 put record 0 of t-0 back into its queue after NETWORK_EXCEPTION
           12 p1 sent record 0 of t-0 to broker 1, 2nd attempt
        >  13 broker 1 appended record 0 of p1 to t-0 at offset 1 (leader epoch 0)
           14 broker 2 copied record 0 of p1 to t-0 at offset 1 (leader epoch 0)
           15 broker 3 copied record 0 of p1 to t-0 at offset 1 (leader epoch 0)
           16 the high watermark of t-0 on broker 1 rose from 1 to 2
           17 p1 was told that t-0 has record 0 at offset 0
        The record was appended, the response was lost, and the retry was appended as new.
        + enable.idempotence=true: the leader recognises the retry by its sequence number
    "#]],
    );
}

#[test]
fn a_retry_has_other_reasons() {
    let again = |run: Script, broker| {
        let run = run.send(0, 0, 1, broker, 1).append(broker, 0, 0, 1).commit(broker).end();
        mechanism(&run, CheckerId::TransportDuplicate)
    };
    let network = ErrorCode::NetworkException;
    let crashed = once().copy(2, 1).crash(1).disconnect(0, 1, CloseCause::Peer);
    let crashed = crashed.requeue(0, 0, 1, network).elect(2, Election::Clean);
    assert_eq!(again(crashed, 2), Mechanism::LeaderGone);
    let late = once().disconnect(0, 1, CloseCause::RequestTimeout).requeue(0, 0, 1, network);
    assert_eq!(again(late, 1), Mechanism::RequestTimeout);
    let error = once().requeue(0, 0, 1, ErrorCode::NotEnoughReplicasAfterAppend);
    assert_eq!(again(error, 1), Mechanism::ErrorAfterAppend);
    let ghost = Script::new().plain().queue(0, 1).send(0, 0, 1, 1, 0).requeue(0, 0, 1, network);
    let ghost = ghost.append(1, 0, 0, 1);
    assert_eq!(again(ghost, 1), Mechanism::GhostRequest);
}

#[test]
fn idempotence_is_not_enough() {
    let once = Script::new().identify(0).queue(0, 1).send(0, 0, 1, 1, 0).append(1, 0, 0, 1);
    let again = once.clone().append(1, 0, 0, 1).commit(1).end();
    assert_eq!(mechanism(&again, CheckerId::TransportDuplicate), Mechanism::ProducerStateLost);
    assert_eq!(mechanism(&again, CheckerId::Sequences), Mechanism::ProducerStateLost);
    let expired = once.clone().forget_producer(1, 0).append(1, 0, 0, 1).commit(1).end();
    assert_eq!(mechanism(&expired, CheckerId::TransportDuplicate), Mechanism::StateExpired);
    let bumped = once.clone().renumber(0, 0, 1, 1).append_as(1, 0, 0, 1, Some((0, 1, 0)));
    let bumped = bumped.commit(1).end();
    assert_eq!(mechanism(&bumped, CheckerId::TransportDuplicate), Mechanism::SequenceRewritten);
    let other = once.append_as(1, 0, 0, 1, Some((7, 0, 0))).commit(1).end();
    assert_eq!(mechanism(&other, CheckerId::TransportDuplicate), Mechanism::NewProducerId);
}

#[test]
fn the_application_sends_again() {
    let sent = Script::new().queue(0, 1).send(0, 0, 1, 1, 0).append(1, 0, 0, 1).replicate(1);
    let expired = sent.clone().expire(0, 0, 1, ExpiryPlace::InFlight);
    let expired = expired.fail(0, 0, 1, SendError::DeliveryTimeout).queue_again(0, 1, 0);
    let expired = expired.send(0, 1, 1, 1, 0).append(1, 0, 1, 1).replicate(1).ack(0, 1, 1, 1);
    story(
        &expired.end(),
        CheckerId::MessageDuplicate,
        expect![[r#"
        B4b: allowed, record 1 of p1 in t-0 repeats a message that the log has already, as record 0
        not promised: Kafka promises this under no configuration
            3 p1 queued record 0 for t-0 (message 0 of its application)
            4 p1 sent record 0 of t-0 to broker 1, 1st attempt, sequence 0
            5 broker 1 appended record 0 of p1 to t-0 at offset 0 (leader epoch 0, sequence 0)
            6 broker 2 copied record 0 of p1 to t-0 at offset 0 (leader epoch 0, sequence 0)
            7 broker 3 copied record 0 of p1 to t-0 at offset 0 (leader epoch 0, sequence 0)
            8 the high watermark of t-0 on broker 1 rose from 0 to 1
            9 p1 gave up record 0 of t-0 after delivery.timeout.ms (in a request without an answer)
           10 p1 was told that record 0 of t-0 failed: delivery-timeout
           11 p1 queued record 1 for t-0 (message 0 of its application)
           12 p1 sent record 1 of t-0 to broker 1, 1st attempt, sequence 1
        >  13 broker 1 appended record 1 of p1 to t-0 at offset 1 (leader epoch 0, sequence 1)
           14 broker 2 copied record 1 of p1 to t-0 at offset 1 (leader epoch 0, sequence 1)
           15 broker 3 copied record 1 of p1 to t-0 at offset 1 (leader epoch 0, sequence 1)
           16 the high watermark of t-0 on broker 1 rose from 1 to 2
           17 p1 was told that t-0 has record 1 at offset 1
        The producer gave up after delivery.timeout.ms although the record was or would be appended, and the application sent the message again.
        + delivery.timeout.ms longer than any outage: the producer finds out what became of it
        + a sink that ignores repeated messages: a repetition does no harm
    "#]],
    );
    let told = sent.clone().fail(0, 0, 1, SendError::Code(ErrorCode::UnknownServerError));
    let told = told.queue_again(0, 1, 0).append(1, 0, 1, 1).replicate(1).end();
    assert_eq!(mechanism(&told, CheckerId::MessageDuplicate), Mechanism::ResentByApplication);
    let restarted = sent.stop(0, StopCause::Crashed).session(0).queue_again(1, 1, 0);
    let restarted = restarted.append(1, 1, 0, 1).replicate(1).ack(1, 0, 1, 1).end();
    assert_eq!(mechanism(&restarted, CheckerId::MessageDuplicate), Mechanism::RestartedProducer);
}
