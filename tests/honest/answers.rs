//! A broker may answer any request with any error: clients and brokers go on, and runs end.

use inflight::protocol::fact::{SendError, StopCause};
use inflight::protocol::{ApiKey, ErrorCode, Fact};
use inflight::{Keep, Options, load_text, play};

/// A transforming application and a plain reader, with both kinds of groups.
fn pipeline(api: ApiKey, error: ErrorCode, when: &str, protocol: &str) -> String {
    let (api, error) = (api.name(), error.name());
    let version = if protocol == "classic" { 1 } else { 2 };
    format!(
        r#"{{ "title": "An answer", "cluster": {{ "brokers": 3, "transaction.version": {version} }}, "limits": {{ "horizon": "40s" }},
          "topics": [{{ "name": "orders", "replication": 3 }}, {{ "name": "bills", "replication": 3 }}],
          "producers": [{{ "name": "p1", "workload": [{{ "topic": "orders", "records": 8, "every": "1s" }}] }}],
          "consumers": [
            {{ "name": "app", "topics": ["orders"], "transform": {{ "to": "bills", "config": {{ "transactional.id": "t" }} }},
              "on-fatal": "restart",
              "config": {{ "group.id": "a", "group.protocol": "{protocol}", "auto.offset.reset": "earliest", "enable.auto.commit": false }} }},
            {{ "name": "reader", "topics": ["bills"], "commit": "after",
              "config": {{ "group.id": "b", "group.protocol": "{protocol}", "isolation.level": "read_committed",
                "auto.offset.reset": "earliest", "enable.auto.commit": false }} }}],
          "faults": [{{ "when": {{ "happened": "MessageDelivered", "where": {{ "api": "{api}", "direction": "request" }}, "nth": 1 }},
            "then": {{ "answer": "this", "error": "{error}", "when": "{when}" }} }}] }}"#
    )
}

#[test]
fn every_error_in_answer_to_every_request_can_be_lived_with() {
    let is_answered = |api: &&ApiKey| !matches!(api, ApiKey::ApiVersions | ApiKey::Metadata);
    let ways = [
        ("before-append", "classic"),
        ("after-append", "consumer"),
        ("before-append", "consumer"),
        ("after-append", "classic"),
    ];
    let mut never = Vec::new();
    for api in ApiKey::ALL.iter().filter(is_answered) {
        let mut answered = 0;
        for (error, (when, protocol)) in ErrorCode::ALL.iter().zip(ways.iter().cycle()) {
            let text = pipeline(*api, *error, when, protocol);
            let loaded = load_text("answers.json", &text, &Options::default());
            let loaded = loaded.unwrap_or_else(|wrong| panic!("{wrong}"));
            answered += play(&loaded, Keep::Expected).faults.len();
        }
        never.extend((answered == 0).then_some(api.name()));
    }
    assert_eq!(never, ["LeaveGroup", "OffsetForLeaderEpoch"], "nobody leaves, no leader changes");
}

/// A broker that says "duplicate" of what it has never seen: the client believes it.
#[test]
fn a_lie_of_the_scenario_is_not_held_against_kafka() {
    let text = r#"{ "title": "A lie", "cluster": { "brokers": 3 },
      "topics": [{ "name": "orders", "replication": 3, "config": { "min.insync.replicas": 2 } }],
      "producers": [{ "name": "p1", "workload": [{ "topic": "orders", "records": 1 }] }],
      "faults": [{ "when": { "happened": "MessageDelivered", "where": { "api": "Produce", "direction": "request" } },
        "then": { "answer": "this", "error": "DUPLICATE_SEQUENCE_NUMBER" } }] }"#;
    let loaded = load_text("lie.json", text, &Options::default());
    let loaded = loaded.unwrap_or_else(|wrong| panic!("{wrong}"));
    let played = play(&loaded, Keep::Everything);
    assert_eq!((played.judgement.counts.acked, played.judgement.counts.lost), (1, 1));
    let report = played.explain(&loaded.description);
    let mechanisms: Vec<_> = report.explanations.iter().map(|found| found.mechanism).collect();
    assert_eq!(mechanisms[0].word(), "answer-injected", "{mechanisms:?}");
}

/// A fetch session that is lost is nobody's loss.
#[test]
fn a_reader_whose_fetch_session_is_lost_reads_on() {
    for error in [
        "FETCH_SESSION_ID_NOT_FOUND",
        "INVALID_FETCH_SESSION_EPOCH",
        "FETCH_SESSION_TOPIC_ID_ERROR",
    ] {
        for protocol in ["classic", "consumer"] {
            let text = format!(
                r#"{{ "title": "A session", "cluster": {{ "brokers": 3 }},
                  "topics": [{{ "name": "orders", "replication": 3 }}],
                  "producers": [{{ "name": "p1", "workload": [{{ "topic": "orders", "records": 4, "every": "1s" }}] }}],
                  "consumers": [{{ "name": "r1", "topics": ["orders"], "config": {{ "group.id": "g",
                    "group.protocol": "{protocol}", "auto.offset.reset": "earliest", "enable.auto.commit": false }} }}],
                  "faults": [{{ "when": {{ "happened": "MessageDelivered", "where":
                      {{ "api": "Fetch", "direction": "request", "from": "r1" }}, "nth": 2 }},
                    "then": {{ "answer": "this", "error": "{error}" }} }}] }}"#
            );
            let loaded = load_text("session.json", &text, &Options::default());
            let loaded = loaded.unwrap_or_else(|wrong| panic!("{wrong}"));
            let played = play(&loaded, Keep::Everything);
            assert_eq!(played.faults.len(), 1);
            let read = played.facts.iter().map(|(_, fact)| match fact {
                Fact::RecordsProcessed { count, .. } => *count,
                Fact::ConsumerFailed { error, .. } => panic!("{error:?}"),
                _ => 0,
            });
            assert_eq!(read.sum::<u32>(), 4, "{error} {protocol}");
        }
    }
}

/// Kafka: with the consumer protocol OffsetCommit has no REBALANCE_IN_PROGRESS, and so a
/// KafkaException comes of it, which no application takes for a RebalanceInProgressException.
#[test]
fn an_application_goes_on_after_a_rebalance_of_the_classic_protocol_alone() {
    for (protocol, exits) in [("classic", false), ("consumer", true)] {
        let text = format!(
            r#"{{ "title": "A rebalance", "cluster": {{ "brokers": 3 }},
              "topics": [{{ "name": "orders", "replication": 3 }}],
              "producers": [{{ "name": "p1", "workload": [{{ "topic": "orders", "records": 4, "every": "1s" }}] }}],
              "consumers": [{{ "name": "r1", "topics": ["orders"], "commit": "after", "config": {{ "group.id": "g",
                "group.protocol": "{protocol}", "auto.offset.reset": "earliest", "enable.auto.commit": false }} }}],
              "faults": [{{ "when": {{ "happened": "MessageDelivered", "where":
                  {{ "api": "OffsetCommit", "direction": "request", "from": "r1" }} }},
                "then": {{ "answer": "this", "error": "REBALANCE_IN_PROGRESS" }} }}] }}"#
        );
        let loaded = load_text("rebalance.json", &text, &Options::default());
        let loaded = loaded.unwrap_or_else(|wrong| panic!("{wrong}"));
        let played = play(&loaded, Keep::Everything);
        let exited = |(_, fact): &(_, Fact)| {
            matches!(fact, Fact::ConsumerStopped { how: StopCause::Exited, .. })
        };
        assert_eq!(played.facts.iter().any(exited), exits, "{protocol}");
    }
}

/// What is only read is not read: executed all the same or not, the answer is the error.
#[test]
fn a_read_that_is_executed_all_the_same_is_answered_with_the_error() {
    for api in ["Fetch", "ListOffsets", "OffsetFetch", "FindCoordinator"] {
        for when in ["before-append", "after-append"] {
            let text = format!(
                r#"{{ "title": "A read", "cluster": {{ "brokers": 1 }},
                  "topics": [{{ "name": "orders", "replication": 1 }}],
                  "producers": [{{ "name": "p1", "workload": [{{ "topic": "orders", "records": 1 }}] }}],
                  "consumers": [{{ "name": "r1", "topics": ["orders"], "config": {{ "group.id": "g",
                    "auto.offset.reset": "earliest" }} }}],
                  "faults": [{{ "when": {{ "happened": "MessageDelivered", "where":
                      {{ "api": "{api}", "direction": "request", "from": "r1" }} }},
                    "then": {{ "answer": "this", "error": "TOPIC_AUTHORIZATION_FAILED", "when": "{when}" }} }}] }}"#
            );
            let loaded = load_text("read.json", &text, &Options::default());
            let loaded = loaded.unwrap_or_else(|wrong| panic!("{wrong}"));
            let played = play(&loaded, Keep::Everything);
            let refused = SendError::Code(ErrorCode::TopicAuthorizationFailed);
            let is_thrown = |(_, fact): &(_, Fact)| matches!(fact, Fact::ConsumerFailed { error, .. } if *error == refused);
            assert!(played.facts.iter().any(is_thrown), "{api} {when}");
        }
    }
}
