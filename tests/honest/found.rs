//! What random scenarios have brought to light, told as small stories.

use inflight::{CheckerId, Keep, Options, Played, Verdict, load_text, play};

/// Runs a story on so many brokers, all of which have a replica of `orders-0`.
fn told(brokers: u8, producers: &str, faults: &str) -> Played {
    let text = format!(
        r#"{{
          "title": "found",
          "cluster": {{ "brokers": {brokers} }},
          "topics": [{{
            "name": "orders", "replication": {brokers}, "config": {{ "min.insync.replicas": 1 }}
          }}],
          "producers": [{producers}],
          "faults": [{faults}],
          "limits": {{ "horizon": "20m" }},
        }}"#
    );
    let loaded = load_text("found.json", &text, &Options::default());
    play(&loaded.unwrap_or_else(|wrong| panic!("{wrong}")), Keep::Everything)
}

/// The run was once over when the producer was.
#[test]
fn requests_without_answers_arrive_after_their_producer_is_gone() {
    let producer = r#"{
      "name": "p1",
      "config": { "acks": 0, "enable.idempotence": false, "linger.ms": 0, "batch.size": 0 },
      "workload": [{ "topic": "orders", "records": 5 }],
    }"#;
    let played = told(1, producer, "");
    assert_eq!(played.judgement.worst(), Verdict::Ok);
    assert_eq!((played.judgement.counts.acked, played.judgement.counts.read), (5, 5));
}

/// In the turn in which it sends its last record it closes, too, but it does not get so far.
#[test]
fn a_producer_that_is_killed_before_it_closes_did_not_close() {
    let producer = r#"{
      "name": "p1",
      "config": { "acks": 0, "enable.idempotence": false, "linger.ms": 0, "batch.size": 0 },
      "workload": [{ "topic": "orders", "records": 5 }],
    }"#;
    let fault = r#"{
      "when": { "happened": "BatchDrained" },
      "then": { "crash": "p1", "restart-after": "1ms" },
    }"#;
    let played = told(1, producer, fault);
    assert_eq!(played.judgement.opinion(CheckerId::Progress).verdict, Verdict::Ok);
    assert_eq!((played.judgement.counts.acked, played.judgement.counts.unknown), (5, 5));
}

/// A link is cut while a request is on its way. The machine that sent it would send it again until
/// it arrives, even if the process is gone, but not without power.
#[test]
fn what_a_cut_link_holds_back_is_lost_with_the_power_of_its_sender() {
    let producer = r#"{
      "name": "p1",
      "config": { "acks": 0, "enable.idempotence": false, "linger.ms": 0 },
      "workload": [{ "topic": "orders", "records": 2, "every": "1s", "then": "stay" }],
    }"#;
    for (end, read) in [("crash", 2), ("power-loss", 1)] {
        let faults = format!(
            r#"
            {{
              "when": {{ "at": "900ms" }},
              "then": {{
                "cut": {{ "from": "p1", "to": "b1" }}, "ways": "one", "heal-after": "5s"
              }},
            }},
            {{ "when": {{ "at": "2s" }}, "then": {{ "{end}": "p1" }} }},
            "#
        );
        let played = told(1, producer, &faults);
        assert_eq!(played.judgement.counts.read, read, "{end}");
    }
}

/// A leader answers one request and takes the next one. Killed in between it has not taken it.
#[test]
fn a_broker_that_dies_after_an_answer_has_not_begun_with_the_next_request() {
    let producer = r#"{
      "name": "p1",
      "config": {
        "acks": "all", "enable.idempotence": false, "linger.ms": 0, "batch.size": 0,
        "max.in.flight.requests.per.connection": 2,
      },
      "workload": [{ "topic": "orders", "records": 3 }],
    }"#;
    let fault = r#"{
      "when": { "happened": "HighWatermarkAdvanced", "where": { "broker": 1 } },
      "then": { "crash": "b1", "restart-after": "20s" },
    }"#;
    let played = told(2, producer, fault);
    assert!(played.judgement.worst() < Verdict::Violation, "{:?}", played.judgement.findings);
    let ends = played.facts.iter().filter_map(|(_, fact)| match *fact {
        inflight::Fact::LogRecovered { broker, to, .. } => Some((broker.get(), to.get())),
        _ => None,
    });
    assert_eq!(ends.collect::<Vec<_>>(), [(1, 1)], "it has what it said that it has");
}

/// With one request in flight nothing overtakes, but a request that was given up may still come.
#[test]
fn a_request_that_was_given_up_comes_behind_the_next_one() {
    let producer = r#"{
      "name": "p1",
      "config": {
        "acks": 1, "enable.idempotence": false, "retries": 0, "linger.ms": 0,
        "max.in.flight.requests.per.connection": 1,
        "request.timeout.ms": 1000, "delivery.timeout.ms": 1000,
      },
      "workload": [{ "topic": "orders", "records": 3, "every": "500ms" }],
    }"#;
    let fault = r#"{
      "when": { "at": "400ms" },
      "then": { "delay": { "next": "request", "from": "p1" }, "by": "5s" },
    }"#;
    let played = told(1, producer, fault);
    let order = played.judgement.opinion(CheckerId::SessionOrder).verdict;
    assert_eq!((order, played.judgement.counts.reordered), (Verdict::Allowed, 1));
}

/// The old leader has taken nothing yet when another is elected, and takes a record after that.
#[test]
fn an_old_leader_without_a_record_is_an_old_leader_all_the_same() {
    let producer = r#"{
      "name": "p1",
      "bootstrap": ["b1"],
      "config": { "acks": 1, "enable.idempotence": false, "linger.ms": 0 },
      "workload": [{ "topic": "orders", "records": 1, "start": "1s" }],
    }"#;
    let fault = r#"
    { "when": { "at": "100ms" }, "then": { "cut": { "from": "b1", "to": "b2" } } },
    {
      "when": { "at": "900ms" },
      "then": [
        { "cut": { "from": "controller", "to": "b1" }, "ways": "one", "heal-after": "3s" },
        { "elect": "orders-0", "leader": "b2" },
      ],
    },
    "#;
    let played = told(2, producer, fault);
    let loss = played.judgement.opinion(CheckerId::NoLoss).verdict;
    assert_eq!((loss, played.judgement.counts.lost), (Verdict::Allowed, 1));
}

/// Kafka's own: no producer id, no look at delivery.timeout.ms.
#[test]
fn without_a_producer_id_nothing_times_out() {
    let producer = r#"{
      "name": "p1",
      "config": { "linger.ms": 0, "request.timeout.ms": 1000, "delivery.timeout.ms": 2000 },
      "workload": [{ "topic": "orders", "records": 1 }],
    }"#;
    let fault = r#"{
      "when": { "happened": "MessageDelivered", "where": { "api": "InitProducerId" } },
      "then": { "crash": "b1" },
    }"#;
    let played = told(1, producer, fault);
    assert_eq!(played.judgement.opinion(CheckerId::Progress).verdict, Verdict::Violation);
    assert_eq!(played.judgement.counts.unknown, 1);
}
