//! Answers that a fault of the scenario gave.

use super::super::consumers::six;
use super::super::transactions::start;
use super::*;
use inflight_protocol::Fact;
use inflight_protocol::TransactionResult::Commit;
use inflight_protocol::fact::{Direction, PositionSource};
use inflight_protocol::ids::{ClientId, ConnectionId, CorrelationId, Node};
use inflight_protocol::{ApiKey, BrokerId};
use inflight_trace::CommitStyle;

const TOO_LARGE: ErrorCode = ErrorCode::MessageTooLarge;
const FENCED: ErrorCode = ErrorCode::InvalidProducerEpoch;

/// A run with one fault, which answers a request.
fn faulty() -> Script {
    let mut run = Script::new();
    run.description.faults = vec!["answer this MESSAGE_TOO_LARGE".to_owned()];
    run
}

fn strike(run: Script) -> Script {
    run.fact(Fact::FaultInjected { fault: 0 })
}

/// A request of a client or broker arrives.
fn arrive(run: Script, from: Node) -> Script {
    run.fact(request(from, ApiKey::InitProducerId))
}

fn request(from: Node, api: ApiKey) -> Fact {
    Fact::MessageDelivered {
        from,
        to: Node::Broker(BrokerId::new(1)),
        connection: ConnectionId { owner: from, number: 9 },
        correlation: CorrelationId::new(999),
        api,
        direction: Direction::Request,
    }
}

fn told(run: &Script, checker: CheckerId) -> (Mechanism, Vec<String>) {
    let judgement = judged(run);
    let finding = judgement.findings_of(checker).next().expect("something is found");
    let explanation = explain(&run.description, &run.facts, finding);
    let chain = explanation.chain.into_iter().map(|step| step.sentence);
    (explanation.mechanism, chain.filter(|words| words.contains("answer this")).collect())
}

#[test]
fn a_definite_error_after_the_append_is_the_faults() {
    let sent = || faulty().queue(0, 1).send(0, 0, 1, 1, 0).reach(0, 0, 0);
    let answered = |run: Script| {
        let run = run.append(1, 0, 0, 1).replicate(1);
        run.fail(0, 0, 1, SendError::Code(TOO_LARGE)).end()
    };
    let (mechanism, words) = told(&answered(strike(sent())), CheckerId::TruthfulErrors);
    assert_eq!((mechanism, words.len()), (Mechanism::AnswerInjected, 1));
    // Without a fault, and with one that struck a request of another client.
    let honest = told(&answered(sent()), CheckerId::TruthfulErrors);
    assert_eq!(honest, (Mechanism::FailedAfterAppend, Vec::new()));
    let other = strike(arrive(faulty(), Node::Client(ClientId::new(1))));
    let other = other.queue(0, 1).send(0, 0, 1, 1, 0).reach(0, 0, 0);
    let honest = told(&answered(other), CheckerId::TruthfulErrors);
    assert_eq!(honest, (Mechanism::FailedAfterAppend, Vec::new()));
}

#[test]
fn a_request_is_not_taken_for_that_of_the_next_process() {
    let sent = strike(faulty().queue(0, 1).send(0, 0, 1, 1, 0).reach(0, 0, 0));
    let run = sent.append(1, 0, 0, 1).replicate(1).fail(0, 0, 1, SendError::Code(TOO_LARGE));
    // Its connections and requests have the same numbers.
    let run = run.reach(0, 0, 0).end();
    assert_eq!(told(&run, CheckerId::TruthfulErrors).0, Mechanism::AnswerInjected);
}

#[test]
fn a_fatal_error_of_a_fault_is_told() {
    let sent = faulty().queue(0, 1).send(0, 0, 1, 1, 0).reach(0, 0, 0);
    let run = strike(sent).reject(1, 0, 0, 1, FENCED).fail(0, 0, 1, SendError::Code(FENCED)).end();
    let (mechanism, words) = told(&run, CheckerId::SpuriousFatal);
    assert_eq!((mechanism, words.len()), (Mechanism::AnswerInjected, 1));
}

#[test]
fn an_answer_to_somebody_else_explains_nothing() {
    let run = |from| {
        let run = strike(arrive(faulty(), from)).queue(0, 1).send(0, 0, 1, 1, 0);
        let run = run.reject(1, 0, 0, 1, FENCED).fail(0, 0, 1, SendError::Code(FENCED)).end();
        told(&run, CheckerId::SpuriousFatal)
    };
    let ours = Node::Client(ClientId::new(0));
    for (from, expected) in [
        (ours, Mechanism::AnswerInjected),
        (Node::Broker(BrokerId::new(2)), Mechanism::AnswerInjected),
        (Node::Client(ClientId::new(1)), Mechanism::Unknown),
    ] {
        let (mechanism, words) = run(from);
        assert_eq!(mechanism, expected, "{from:?}");
        assert_eq!(words.len(), usize::from(expected == Mechanism::AnswerInjected));
    }
}

#[test]
fn an_error_that_a_fault_gave_is_in_the_story_of_what_came_of_it() {
    // The retry is appended as new.
    let mut run = faulty();
    run = run.plain().queue(0, 1).send(0, 0, 1, 1, 0).reach(0, 0, 0);
    let error = ErrorCode::NotEnoughReplicasAfterAppend;
    let run = strike(run).append(1, 0, 0, 1).requeue(0, 0, 1, error).send(0, 0, 1, 1, 1);
    let run = run.append(1, 0, 0, 1).replicate(1).ack(0, 0, 1, 1).end();
    let (mechanism, words) = told(&run, CheckerId::TransportDuplicate);
    assert_eq!((mechanism, words.len()), (Mechanism::ErrorAfterAppend, 1));
}

#[test]
fn an_offset_out_of_range_that_a_fault_gave_is_what_began_a_reset() {
    let told = |words: &str, from: u16| {
        let mut run = six(CommitStyle::ProcessFirst);
        run.description.faults = vec![words.to_owned()];
        let run = run.poll(0, 0, 6).process(0, 0, 6).commit_offset(0, 6, None);
        let run = strike(arrive(run, Node::Client(ClientId::new(from))));
        let run = run.place(0, 0, PositionSource::Earliest).poll(0, 0, 6).process(0, 0, 6).end();
        told(&run, CheckerId::ProcessedAtMostOnce)
    };
    let (mechanism, words) = told("answer this OFFSET_OUT_OF_RANGE", 1);
    assert_eq!((mechanism, words.len()), (Mechanism::AnswerInjected, 1));
    for (words, from) in
        [("answer this NOT_COORDINATOR", 1), ("answer this OFFSET_OUT_OF_RANGE", 0)]
    {
        assert_eq!(told(words, from), (Mechanism::ResetToEarliest, Vec::new()));
    }
}

#[test]
fn a_refusal_that_a_fault_gave_is_no_leaders() {
    let error = ErrorCode::OutOfOrderSequenceNumber;
    let refused = |run: Script| run.reject(1, 0, 1, 1, error).requeue(0, 1, 1, error).end();
    let sent = faulty().identify(0).queue(0, 2).append(1, 0, 0, 1).commit(1);
    let sent = sent.send(0, 1, 1, 1, 0).reach(0, 1, 0);
    let lost = told(&refused(sent.clone()), CheckerId::ProducerState);
    assert_eq!(lost, (Mechanism::ProducerStateLost, Vec::new()));
    let (mechanism, words) = told(&refused(strike(sent)), CheckerId::ProducerState);
    assert_eq!((mechanism, words.len()), (Mechanism::AnswerInjected, 1));
}

#[test]
fn a_marker_that_a_fault_kept_from_its_coordinator_leaves_a_transaction_open() {
    let open = |api| {
        let mut run = start(1);
        run.description.faults = vec!["answer this TRANSACTION_COORDINATOR_FENCED".to_owned()];
        let run = run.write(0, 1).ending(0, Commit).decide(0, Commit);
        let run = run.fact(request(Node::Broker(BrokerId::new(2)), api));
        told(&strike(run).ended(0, Commit).end(), CheckerId::StableProgress)
    };
    let (mechanism, words) = open(ApiKey::WriteTxnMarkers);
    assert_eq!((mechanism, words.len()), (Mechanism::AnswerInjected, 1));
    assert_eq!(open(ApiKey::Fetch), (Mechanism::OpenTransaction, Vec::new()));
}
