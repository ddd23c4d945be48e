//! Applications that read: what they are given, and where they go on.

use inflight::protocol::{ConsumerId, Fact, fact::StopCause};
use inflight::{Keep, Options, Played, load_text, play};

fn played(text: &str) -> Played {
    let loaded = load_text("readers.json", text, &Options::default());
    play(&loaded.unwrap_or_else(|wrong| panic!("{wrong}")), Keep::Everything)
}

/// Long runs forget what no machine needs. A consumer that has not begun yet needs it all.
#[test]
fn a_reader_that_comes_late_is_given_everything() {
    let played = played(
        r#"{ "title": "late", "cluster": { "brokers": 3 },
          "topics": [{ "name": "orders", "replication": 3 }],
          "producers": [{ "name": "p1", "workload": [{ "topic": "orders", "records": 1000, "every": "10ms" }] }],
          "consumers": [{ "name": "reader", "start": "60s", "partitions": ["orders-0"],
            "config": { "auto.offset.reset": "earliest" } }] }"#,
    );
    assert!(played.events > 4096, "long enough to forget something");
    assert_eq!(played.judgement.counts.returned, 1000);
}

/// commitSync() of a cooperative member throws RebalanceInProgressException now and then.
#[test]
fn an_application_goes_on_when_its_commit_meets_a_rebalance() {
    let member = |name: &str, start: u32| {
        format!(
            r#"{{ "name": "{name}", "topics": ["orders"], "processing": "1ms", "commit": "after", "start": "{start}s",
              "config": {{ "group.id": "g", "auto.offset.reset": "earliest", "enable.auto.commit": false,
                "partition.assignment.strategy": "org.apache.kafka.clients.consumer.CooperativeStickyAssignor" }} }}"#
        )
    };
    let members = [member("x0", 0), member("x1", 5), member("x2", 10)].join(", ");
    let played = played(&format!(
        r#"{{ "title": "together", "cluster": {{ "brokers": 3 }},
          "topics": [{{ "name": "orders", "partitions": 6, "replication": 3 }}],
          "producers": [{{ "name": "p1", "workload":
            [{{ "topic": "orders", "records": 3000, "every": "10ms", "key": {{ "numbered": 50 }} }}] }}],
          "consumers": [{members}] }}"#
    ));
    let is_refused = |fact: &Fact| match *fact {
        Fact::OffsetCommitReturned { error, .. } => {
            error.is_some_and(|error| format!("{error:?}").contains("RebalanceInProgress"))
        }
        _ => false,
    };
    assert!(played.facts.iter().any(|(_, fact)| is_refused(fact)), "it happened");
    let stops = |fact: &Fact| match fact {
        Fact::ConsumerStopped { how, .. } => *how == StopCause::Exited,
        _ => false,
    };
    assert!(!played.facts.iter().any(|(_, fact)| stops(fact)), "nobody gave up");
    assert_eq!((played.judgement.counts.skipped, played.unmet.len()), (0, 0));
}

/// commitSync() commits the position, which is behind the markers.
#[test]
fn a_commit_is_behind_the_marker_of_what_was_returned() {
    let played = played(
        r#"{ "title": "markers", "cluster": { "brokers": 1 },
          "topics": [{ "name": "orders", "replication": 1 }],
          "producers": [{ "name": "p1", "config": { "transactional.id": "id" }, "workload":
            [{ "topic": "orders", "records": 2, "start": "5s", "every": "1s", "transactions": { "records": 1 } }] }],
          "consumers": [{ "name": "reader", "topics": ["orders"], "commit": "after",
            "config": { "group.id": "g", "auto.offset.reset": "earliest", "isolation.level": "read_committed",
              "enable.auto.commit": false } }] }"#,
    );
    let commits = played.facts.iter().filter_map(|(_, fact)| match fact {
        Fact::GroupOffsetCommitted { offset, .. } => Some(offset.get()),
        _ => None,
    });
    assert_eq!(commits.collect::<Vec<_>>(), [2, 4], "record, marker, record, marker");
}

/// A committed offset carries its leader epoch, so that who goes on from it sees that the log was
/// cut there, and reads on from where the logs part.
#[test]
fn who_goes_on_from_a_commit_sees_the_truncation() {
    let played = played(
        r#"{ "title": "cut",
          "cluster": { "brokers": 3, "eligible.leader.replicas": false, "coordinators": { "g": "b3" },
            "config": { "unclean.leader.election.enable": true, "broker.session.timeout.ms": 2000,
              "broker.heartbeat.interval.ms": 500 } },
          "topics": [{ "name": "orders", "assignment": [["b1", "b2"]],
            "config": { "min.insync.replicas": 1, "unclean.leader.election.enable": true } }],
          "producers": [{ "name": "p1", "config": { "acks": "1", "enable.idempotence": false }, "workload": [
            { "topic": "orders", "records": 29, "every": "1s" },
            { "topic": "orders", "records": 5, "start": "60s", "every": "1s" }] }],
          "consumers": [{ "name": "reader", "topics": ["orders"], "commit": "after",
            "config": { "group.id": "g", "auto.offset.reset": "earliest", "enable.auto.commit": false,
              "session.timeout.ms": 6000 } }],
          "faults": [
            { "when": { "at": "8s" }, "then": { "crash": "b2", "restart-after": "22s" } },
            { "when": { "at": "28500ms" }, "then": { "crash": "reader", "restart-after": "12s" } },
            { "when": { "at": "29s" }, "then": { "power-loss": "b1", "restart-after": "10s" } }] }"#,
    );
    let second = ConsumerId::new(1);
    let starts = played.facts.iter().filter_map(|(_, fact)| match *fact {
        Fact::PositionSet { consumer, offset, source, .. } if consumer == second => {
            Some(format!("{} {source:?}", offset.get()))
        }
        _ => None,
    });
    assert_eq!(starts.collect::<Vec<_>>(), ["29 Committed", "8 Truncation"]);
}

/// ConsumerRecords.nextOffsets() has the partitions of that poll(), not all that are assigned.
#[test]
fn a_transaction_has_the_offsets_of_what_it_was_made_of() {
    let played = played(
        r#"{ "title": "one of two", "cluster": { "brokers": 1 },
          "topics": [{ "name": "orders", "partitions": 2, "replication": 1 },
            { "name": "bills", "replication": 1 }],
          "producers": [{ "name": "p1", "workload":
            [{ "topic": "orders", "partition": 1, "records": 3, "start": "4s" }] }],
          "consumers": [{ "name": "app", "topics": ["orders"],
            "config": { "group.id": "g", "auto.offset.reset": "earliest",
              "enable.auto.commit": false },
            "transform": { "to": "bills", "config": { "transactional.id": "x" } } }] }"#,
    );
    let added = played.facts.iter().filter_map(|(_, fact)| match fact {
        Fact::OffsetsAddedToTransaction { offset, .. } => Some(offset.get()),
        _ => None,
    });
    assert_eq!(added.max(), Some(3));
    let zero = |fact: &Fact| matches!(fact, Fact::OffsetsAddedToTransaction { offset, .. } if offset.get() == 0);
    assert!(!played.facts.iter().any(|(_, fact)| zero(fact)), "nothing was read of the other");
}
