//! Records out of order, missing or repeated.

use super::*;
use inflight_protocol::fact::Direction;
use inflight_protocol::{ApiKey, BrokerId, ClientId, ConnectionId, Fact, Node};

#[test]
fn batches_come_back_in_reverse() {
    let sent = Script::new().plain().queue(0, 2).send(0, 0, 1, 1, 0).send(0, 1, 1, 1, 0);
    let sent = sent.disconnect(0, 1, CloseCause::Peer).together(|run| {
        let network = ErrorCode::NetworkException;
        run.requeue(0, 0, 1, network).requeue(0, 1, 1, network)
    });
    let run = sent.send(0, 1, 1, 1, 1).append(1, 0, 1, 1).send(0, 0, 1, 1, 1).append(1, 0, 0, 1);
    let run = run.replicate(1).ack(0, 1, 1, 1).ack(0, 0, 1, 1).end();
    story(
        &run,
        CheckerId::SessionOrder,
        expect![[r#"
        B5: allowed, record 0 of p1 in t-0 is in the log at offset 1, behind a record that was sent later
        not promised: enable.idempotence is false
            3 p1 queued records 0..1 for t-0 (messages 0..1 of its application)
            4 p1 sent record 0 of t-0 to broker 1, 1st attempt
            5 p1 sent record 1 of t-0 to broker 1, 1st attempt
            6 p1 lost connection p1#1 (the other side closed it)
            7 p1 put record 0 of t-0 back into its queue after NETWORK_EXCEPTION
            8 p1 put record 1 of t-0 back into its queue after NETWORK_EXCEPTION
            9 p1 sent record 1 of t-0 to broker 1, 2nd attempt
           10 broker 1 appended record 1 of p1 to t-0 at offset 0 (leader epoch 0)
           11 p1 sent record 0 of t-0 to broker 1, 2nd attempt
        >  12 broker 1 appended record 0 of p1 to t-0 at offset 1 (leader epoch 0)
           13 broker 2 copied record 1 of p1 to t-0 at offset 0 (leader epoch 0)
           14 broker 2 copied record 0 of p1 to t-0 at offset 1 (leader epoch 0)
           15 broker 3 copied record 1 of p1 to t-0 at offset 0 (leader epoch 0)
           16 broker 3 copied record 0 of p1 to t-0 at offset 1 (leader epoch 0)
           17 the high watermark of t-0 on broker 1 rose from 0 to 2
           18 p1 was told that t-0 has record 1 at offset 0
           19 p1 was told that t-0 has record 0 at offset 1
        Several batches of the partition were in flight when their requests failed; each was put at the front of the queue, so they were sent again in reverse.
        + enable.idempotence=true: batches are sent again by sequence number
        + max.in.flight.requests.per.connection=1: there is one batch to send again
    "#]],
    );
}

/// Two batches in flight that come back together.
fn both_come_back(why: CloseCause) -> Script {
    let sent = Script::new().plain().queue(0, 2).send(0, 0, 1, 1, 0).send(0, 1, 1, 1, 0);
    sent.disconnect(0, 1, why).together(|run| {
        let network = ErrorCode::NetworkException;
        run.requeue(0, 0, 1, network).requeue(0, 1, 1, network)
    })
}

#[test]
fn retries_in_reverse_may_be_on_their_way_together() {
    let sent = both_come_back(CloseCause::Peer).send(0, 1, 1, 1, 1).send(0, 0, 1, 1, 1);
    let run = sent.reach(0, 1, 1).append(1, 0, 1, 1).reach(0, 0, 1).append(1, 0, 0, 1);
    let run = run.commit(1).end();
    assert_eq!(mechanism(&run, CheckerId::SessionOrder), Mechanism::RequeuedInReverse);
    // The second retry was refused; what is appended is the third.
    let late = both_come_back(CloseCause::Peer).send(0, 1, 1, 1, 1).send(0, 0, 1, 1, 1);
    let error = ErrorCode::NotEnoughReplicas;
    let run = late.reach(0, 0, 1).reject(1, 0, 0, 1, error).requeue(0, 0, 1, error);
    let run = run.reach(0, 1, 1).append(1, 0, 1, 1).send(0, 0, 1, 1, 2).append(1, 0, 0, 1);
    assert_eq!(
        mechanism(&run.commit(1).end(), CheckerId::SessionOrder),
        Mechanism::RequeuedInReverse
    );
    // In order again, and the first is refused.
    let sent = both_come_back(CloseCause::Peer).send(0, 0, 1, 1, 1).send(0, 1, 1, 1, 1);
    let run = sent.reject(1, 0, 0, 1, error).append(1, 0, 1, 1).requeue(0, 0, 1, error);
    let run = run.send(0, 0, 1, 1, 2).append(1, 0, 0, 1).commit(1).end();
    assert_eq!(mechanism(&run, CheckerId::SessionOrder), Mechanism::OvertakenWhileRefused);
}

#[test]
fn batches_that_are_refused_one_by_one_come_back_in_reverse() {
    let error = ErrorCode::NotLeaderOrFollower;
    let sent = Script::new().plain().queue(0, 2).send(0, 0, 1, 1, 0).send(0, 1, 1, 1, 0);
    let first = sent.clone().reject(1, 0, 0, 1, error).requeue(0, 0, 1, error);
    let both = first.wait_ms(5).reject(1, 0, 1, 1, error).requeue(0, 1, 1, error);
    let run = both.send(0, 1, 1, 1, 1).send(0, 0, 1, 1, 1).append(1, 0, 1, 1).append(1, 0, 0, 1);
    let run = run.commit(1).end();
    assert_eq!(mechanism(&run, CheckerId::SessionOrder), Mechanism::RequeuedInReverse);
    // Once reversed, they are refused again one by one, and sent again at once.
    let both = sent.clone().together(|run| run.requeue(0, 0, 1, error).requeue(0, 1, 1, error));
    let run = both.send(0, 1, 1, 1, 1).send(0, 0, 1, 1, 1).requeue(0, 1, 1, error);
    let run = run.send(0, 1, 1, 1, 2).requeue(0, 0, 1, error).send(0, 0, 1, 1, 2);
    let run = run.append(1, 0, 1, 1).append(1, 0, 0, 1).commit(1).end();
    assert_eq!(mechanism(&run, CheckerId::SessionOrder), Mechanism::RequeuedInReverse);
    // The later one came back first, and the earlier one was put in front of it.
    let second = sent.reject(1, 0, 1, 1, error).requeue(0, 1, 1, error);
    let both = second.reject(1, 0, 0, 1, error).requeue(0, 0, 1, error);
    let run = both.send(0, 1, 1, 1, 1).send(0, 0, 1, 1, 1).append(1, 0, 1, 1).append(1, 0, 0, 1);
    let run = run.commit(1).end();
    assert_ne!(mechanism(&run, CheckerId::SessionOrder), Mechanism::RequeuedInReverse);
}

#[test]
fn a_ghost_is_known_by_its_request() {
    // The retry waits in the broker while the old connection brings the first attempt.
    let sent = both_come_back(CloseCause::RequestTimeout).send(0, 1, 1, 1, 1).send(0, 0, 1, 1, 1);
    let run = sent.reach(0, 1, 1).append(1, 0, 1, 1).reach(0, 0, 1);
    let run = run.reach(0, 0, 0).append(1, 0, 0, 1).append(1, 0, 0, 1).commit(1).end();
    assert_eq!(mechanism(&run, CheckerId::SessionOrder), Mechanism::GhostRequest);
    assert_eq!(mechanism(&run, CheckerId::TransportDuplicate), Mechanism::GhostRequest);
}

#[test]
fn without_numbers_nothing_is_accepted_out_of_order() {
    let sent = Script::new().plain().queue(0, 2).send(0, 0, 1, 1, 0).send(0, 1, 1, 1, 0);
    let run = sent.append(1, 0, 1, 1).append(1, 0, 0, 1).commit(1).end();
    assert_eq!(mechanism(&run, CheckerId::SessionOrder), Mechanism::Unknown);
    let run = Script::new().plain().queue(0, 2).append(1, 0, 1, 1).append(1, 0, 0, 1).commit(1);
    assert_eq!(mechanism(&run.end(), CheckerId::SessionOrder), Mechanism::Unknown);
}

#[test]
fn records_are_overtaken_in_other_ways() {
    let sent = Script::new().plain().queue(0, 2).send(0, 0, 1, 1, 0).send(0, 1, 1, 1, 0);
    let refused = sent.clone().reject(1, 0, 0, 1, ErrorCode::NotEnoughReplicas);
    let refused = refused.append(1, 0, 1, 1).requeue(0, 0, 1, ErrorCode::NotEnoughReplicas);
    let refused = refused.send(0, 0, 1, 1, 1).append(1, 0, 0, 1).commit(1).end();
    assert_eq!(mechanism(&refused, CheckerId::SessionOrder), Mechanism::OvertakenWhileRefused);

    let one = Script::new().plain().queue(0, 2).send(0, 0, 1, 1, 0);
    let moved = one.elect(2, Election::Clean).send(0, 1, 1, 2, 0).append(2, 0, 1, 1);
    let moved = moved.requeue(0, 0, 1, ErrorCode::NotLeaderOrFollower).send(0, 0, 1, 2, 1);
    let moved = moved.append(2, 0, 0, 1).commit(2).end();
    assert_eq!(mechanism(&moved, CheckerId::SessionOrder), Mechanism::LeaderMoved);

    let ghost = sent.requeue(0, 0, 1, ErrorCode::NetworkException).append(1, 0, 1, 1);
    let ghost = ghost.append(1, 0, 0, 1).send(0, 0, 1, 1, 1).commit(1).end();
    assert_eq!(mechanism(&ghost, CheckerId::SessionOrder), Mechanism::GhostRequest);

    let anchored = Script::new().queue(0, 2).append(1, 0, 1, 1).append(1, 0, 0, 1).commit(1).end();
    assert_eq!(mechanism(&anchored, CheckerId::SessionOrder), Mechanism::AcceptedOutOfOrder);
    assert_eq!(mechanism(&anchored, CheckerId::Sequences), Mechanism::AcceptedOutOfOrder);
}

#[test]
fn a_retry_that_the_broker_forgot_is_renumbered() {
    let once = Script::new().identify(0).queue(0, 1).send(0, 0, 1, 1, 0).append(1, 0, 0, 1);
    let out_of_order = ErrorCode::OutOfOrderSequenceNumber;
    let run = once.requeue(0, 0, 1, ErrorCode::NetworkException).send(0, 0, 1, 1, 1);
    let run = run.reject(1, 0, 0, 1, out_of_order).requeue(0, 0, 1, out_of_order);
    let run = run.renumber(0, 0, 1, 1).send(0, 0, 1, 1, 2);
    let run = run.append_as(1, 0, 0, 1, Some((0, 1, 0))).replicate(1).ack_at(0, 0, 1, Some(1));
    let run = run.end();
    assert_eq!(mechanism(&run, CheckerId::TransportDuplicate), Mechanism::ForgottenBatch);
    assert_eq!(mechanism(&run, CheckerId::DoubleAppend), Mechanism::ForgottenBatch);
}

#[test]
fn a_later_batch_may_come_first() {
    let out_of_order = ErrorCode::OutOfOrderSequenceNumber;
    let first = Script::new().identify(0).queue(0, 2).send(0, 0, 1, 1, 0).send(0, 1, 1, 1, 0);
    let first = first.reject(1, 0, 0, 1, ErrorCode::NotEnoughReplicas).append(1, 0, 1, 1);
    let first = first.requeue(0, 0, 1, ErrorCode::NotEnoughReplicas).send(0, 0, 1, 1, 1);
    let refused = first.reject(1, 0, 0, 1, out_of_order).requeue(0, 0, 1, out_of_order);
    let run = refused.clone().renumber(0, 0, 1, 1).renumber(0, 1, 1, 1);
    let run = run.append_as(1, 0, 0, 1, Some((0, 1, 0))).append_as(1, 0, 1, 1, Some((0, 1, 1)));
    let run = run.commit(1).end();
    assert_eq!(mechanism(&run, CheckerId::TransportDuplicate), Mechanism::FirstBatchOvertaken);
    assert_eq!(mechanism(&run, CheckerId::SessionOrder), Mechanism::FirstBatchOvertaken);
    let gap = refused.fail(0, 0, 1, SendError::DeliveryTimeout).commit(1).ack(0, 1, 1, 1).end();
    assert_eq!(mechanism(&gap, CheckerId::Prefix), Mechanism::FirstBatchShutOut);
}

#[test]
fn many_attempts_are_folded() {
    let error = ErrorCode::NotEnoughReplicas;
    let story = |attempts: u32| {
        let queued = Script::new().plain().queue(0, 2);
        let refused = (0..attempts).fold(queued, |run, attempt| {
            let run = run.send(0, 0, 1, 1, attempt).reject(1, 0, 0, 1, error);
            run.requeue(0, 0, 1, error)
        });
        let run = refused.fail(0, 0, 1, SendError::DeliveryTimeout);
        let run = run.append(1, 0, 1, 1).replicate(1).ack(0, 1, 1, 1).end();
        let report = judge_recording(&run.description, &run.facts);
        let gap = report.explanations.iter().find(|e| e.finding.checker == CheckerId::Prefix);
        gap.unwrap().chain.clone()
    };
    let sent =
        |chain: &[Step]| chain.iter().filter(|step| step.sentence.contains(" attempt")).count();
    assert_eq!(sent(&story(6)), 6);
    let folded = story(7);
    let sentences: Vec<_> = folded.iter().map(|step| step.sentence.as_str()).collect();
    assert!(sentences.contains(&"… and so on, 7 attempts"), "{sentences:#?}");
    assert!(sentences.iter().any(|sentence| sentence.ends_with("2nd attempt")));
    assert!(sentences.iter().any(|sentence| sentence.ends_with("7th attempt")));
    assert_eq!(sent(&folded), 4);
}

#[test]
fn the_answered_copy_goes_and_another_stays() {
    // Two copies; the second one is answered, and lost with its leader.
    let run = Script::new().acks(Acks::Leader).queue(0, 1).append(1, 0, 0, 1).copy(2, 1);
    let run = run.append(1, 0, 0, 1).ack_at(0, 0, 1, Some(1)).crash(1);
    let run = run.elect(2, Election::Clean).commit(2).end();
    assert_eq!(mechanism(&run, CheckerId::OffsetAgreement), Mechanism::OtherCopyStayed);
}

#[test]
fn a_late_leader_of_an_old_epoch_leads_nobody() {
    let data = Script::new().queue(0, 2).append(1, 0, 0, 2).copy(3, 1).isr(&[1, 2, 3], &[1, 3]);
    let data = data.commit(1).ack(0, 0, 2, 1);
    // Broker 2 hears of its election when broker 3 has been elected after it.
    let run = data.elect(3, Election::Clean).lead(2, 0).commit(3).end();
    assert_eq!(judged(&run).worst(), Verdict::Ok);
}

#[test]
fn gaps_have_reasons() {
    let gap = |run: Script| run.append(1, 0, 1, 1).replicate(1).ack(0, 1, 1, 1).end();
    let given_up = Script::new().queue(0, 2).fail(0, 0, 1, SendError::DeliveryTimeout);
    assert_eq!(mechanism(&gap(given_up), CheckerId::Prefix), Mechanism::GivenUp);
    let refused = SendError::Code(ErrorCode::InvalidRecord);
    let refused = Script::new().queue(0, 2).fail(0, 0, 1, refused);
    assert_eq!(mechanism(&gap(refused), CheckerId::Prefix), Mechanism::Refused);
}

#[test]
fn the_next_connection_is_faster() {
    let client = Node::Client(ClientId::new(0));
    let send_on = |run: Script, ordinal, number| {
        let run = run.queue(0, 1).send(0, ordinal, 1, 1, 0);
        let Some((_, Fact::BatchDrained { correlation, .. })) = run.facts.last().copied() else {
            panic!("a batch was sent");
        };
        run.fact(Fact::MessageSent {
            from: client,
            to: Node::Broker(BrokerId::new(1)),
            connection: ConnectionId { owner: client, number },
            correlation,
            api: ApiKey::Produce,
            direction: Direction::Request,
            bytes: 100,
        })
    };
    let acked = |run: Script, ordinal| run.ack_at(0, ordinal, 1, None);
    let run = |second| {
        let run = acked(send_on(Script::new().acks(Acks::None).plain(), 0, 1), 0);
        let run = acked(send_on(run, 1, second), 1);
        run.append(1, 0, 1, 1).append(1, 0, 0, 1).commit(1).end()
    };
    assert_eq!(mechanism(&run(2), CheckerId::SessionOrder), Mechanism::OldConnection);
    assert_eq!(mechanism(&run(1), CheckerId::SessionOrder), Mechanism::Unknown);
}
