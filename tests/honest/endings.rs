//! When a run is over: not before everybody has what they can have, and not never.

use inflight::protocol::{ConsumerId, Fact};
use inflight::{Instant, Keep, Options, Played, Span, load_text, play};

fn played(text: &str) -> Played {
    let loaded = load_text("endings.json", text, &Options::default());
    play(&loaded.unwrap_or_else(|wrong| panic!("{wrong}")), Keep::Everything)
}

/// Followers learn of a high watermark with the next records: with commits more often than that
/// they never have it.
#[test]
fn a_consumer_that_commits_by_itself_all_the_time_lets_a_run_end() {
    let played = played(
        r#"{ "title": "restless", "cluster": { "brokers": 3 },
          "topics": [{ "name": "orders", "replication": 3 }],
          "producers": [{ "name": "p1", "workload": [{ "topic": "orders", "records": 1 }] }],
          "consumers": [{ "name": "reader", "topics": ["orders"],
            "config": { "group.id": "g", "auto.offset.reset": "earliest",
              "auto.commit.interval.ms": 100 } }] }"#,
    );
    assert!(played.settled && played.end < Instant::START + Span::from_secs(10));
    assert_eq!(played.judgement.counts.returned, 1);
}

/// Everything was read long before the second member comes. It still gets its share.
#[test]
fn a_member_that_comes_late_has_its_partitions_at_the_end() {
    for protocol in ["classic", "consumer"] {
        let played = played(&format!(
            r#"{{ "title": "late", "cluster": {{ "brokers": 1 }},
              "topics": [{{ "name": "orders", "partitions": 2, "replication": 1 }}],
              "producers": [{{ "name": "p1", "workload": [{{ "topic": "orders", "records": 4 }}] }}],
              "consumers": [{{ "name": "early", "topics": ["orders"],
                "config": {{ "group.id": "g", "group.protocol": "{protocol}" }} }},
                {{ "name": "late", "start": "30s", "topics": ["orders"],
                "config": {{ "group.id": "g", "group.protocol": "{protocol}" }} }}] }}"#
        ));
        let late = ConsumerId::new(1);
        let is_given = |fact: &Fact| matches!(*fact, Fact::PartitionAssigned { consumer, .. } if consumer == late);
        let given = played.facts.iter().filter(|(_, fact)| is_given(fact)).count();
        assert_eq!((given, played.settled), (1, true), "{protocol}");
    }
}

/// The log is cut and grows again to where the reader is, with other records.
#[test]
fn a_reader_of_another_log_as_long_finds_out() {
    let played = played(
        r#"{ "title": "diverged", "cluster": { "brokers": 2, "coordinators": { "g": "b2" } },
          "topics": [{ "name": "orders", "assignment": [["b1"]] }],
          "producers": [
            { "name": "p1", "workload": [{ "topic": "orders", "records": 1, "start": "2s" }] },
            { "name": "p2", "workload": [{ "topic": "orders", "records": 1, "start": "20s" }] }],
          "consumers": [{ "name": "reader", "topics": ["orders"],
            "config": { "group.id": "g", "auto.offset.reset": "earliest" } }],
          "faults": [{ "when": { "at": "4s" },
            "then": { "power-loss": "b1", "restart-after": "1s" } }] }"#,
    );
    assert_eq!((played.judgement.counts.returned, played.settled), (2, true));
}

/// A member that joins again takes the place of its first request, which is never answered.
#[test]
fn a_request_that_nobody_waits_for_lets_a_run_end() {
    let played = played(
        r#"{ "title": "joins twice", "cluster": { "brokers": 3 },
          "topics": [{ "name": "orders", "replication": 2 }],
          "producers": [],
          "consumers": [{ "name": "reader", "topics": ["orders"], "config": { "group.id": "g" } }],
          "faults": [{ "when": { "at": "1s" }, "then": { "reset": "reader" } }] }"#,
    );
    assert!(played.settled && played.end < Instant::START + Span::from_secs(20));
}

/// Producers have a number of two bytes. A process that can never begin uses them up.
#[test]
fn a_process_that_ends_again_and_again_is_not_started_for_ever() {
    let played = played(
        r#"{ "title": "restless", "cluster": { "brokers": 1 },
          "topics": [{ "name": "orders", "replication": 1 }],
          "producers": [{ "name": "p1", "on-fatal": "restart",
            "config": { "transactional.id": "x", "transaction.timeout.ms": 1000000 },
            "workload": [{ "topic": "orders", "records": 1, "transactions": { "records": 1 } }] }],
          "limits": { "horizon": "20h" } }"#,
    );
    let starts = |fact: &Fact| matches!(fact, Fact::ProducerStarted { .. });
    let started = played.facts.iter().filter(|(_, fact)| starts(fact)).count();
    assert_eq!((started, played.settled), (65_535, true));
}
