//! What is said about mistakes.

use super::{load, story};
use expect_test::{Expect, expect};

/// The diagnostics, one a line, without their places.
fn said(text: &str) -> String {
    match load(text) {
        Ok(_) => "nothing\n".to_owned(),
        Err(diagnostics) => diagnostics.iter().map(|one| format!("{one}\n")).collect(),
    }
}

#[track_caller]
fn check(more: &str, expected: Expect) {
    expected.assert_eq(&said(&story(more)));
}

/// A mistake in a fault.
#[track_caller]
fn fault(rule: &str, expected: Expect) {
    check(&format!(r#""faults": [{{ {rule} }}]"#), expected);
}

#[test]
fn a_place_has_its_line_and_a_caret() {
    let text = story(
        r#""faults": [{ "when": { "happened": "BatchApended" }, "then": { "crash": "b1" } }]"#,
    );
    let diagnostics = load(&text).unwrap_err();
    expect![[r#"
        error: unknown fact "BatchApended"
         --> story.json:6:38 (faults[0].when.happened)
          |
        6 |   "faults": [{ "when": { "happened": "BatchApended" }, "then": { "crash": "b1" } }]
          |                                      ^^^^^^^^^^^^^^ did you mean "BatchAppended"?

    "#]]
    .assert_eq(&diagnostics.to_string());
    expect![[r#"
        [
          {
            "column": 38,
            "end-column": 52,
            "end-line": 6,
            "expected": null,
            "file": "story.json",
            "hint": null,
            "line": 6,
            "nearest": "BatchAppended",
            "path": "faults[0].when.happened",
            "problem": "unknown fact \"BatchApended\"",
            "severity": "error"
          }
        ]"#]]
    .assert_eq(&format!("{:#}", diagnostics.to_json()));
}

#[test]
fn what_is_not_json_is_said_once() {
    for (text, problem) in [
        ("", "the text is empty, expected an object in JSON"),
        ("// nothing", "the text is empty, expected an object in JSON"),
        ("[1, 2]", "a list, expected an object"),
        ("{ \"title\": 'x' }", "not JSON: single-quoted strings are not allowed"),
        ("{ title: 1 }", "not JSON: expected string for object property"),
        ("{ \"a\": 1 \"b\": 2 }", "not JSON: expected comma"),
        ("{ \"a\": 0x10 }", "not JSON: hexadecimal numbers are not allowed"),
    ] {
        assert_eq!(said(text), format!("{problem}\n"), "{text}");
    }
    assert!(said(&"[".repeat(100_000)).starts_with("not JSON"));
}

#[test]
fn everything_that_is_missing_is_said() {
    expect![[r#"
        "title" is missing, expected a text
        "cluster" is missing, expected an object such as { "brokers": 3 }
        "topics" is missing, expected a list
    "#]]
    .assert_eq(&said("{}"));
}

#[test]
fn keys_are_known_and_stand_once() {
    check(
        r#""sead": 7, "seed": 1, "seed": 2"#,
        expect![[r#"
        sead: unknown key "sead"; did you mean "seed"?
        seed: "seed" stands here twice
    "#]],
    );
    check(
        r#""colour": "red""#,
        expect![[r#"
            colour: unknown key "colour", expected one of title, teaches, kafka, seed, cluster, topics, producers, consumers, network, faults, limits, expect, …
        "#]],
    );
}

#[test]
fn quantities_have_units() {
    check(
        r#""limits": { "horizon": 5, "settle": "5", "events": "5" }"#,
        expect![[r#"
        limits.horizon: 5 without a unit, expected a duration with its unit such as "1.5ms"; did you mean "5ms"?
        limits.settle: "5", expected a duration with its unit such as "1.5ms": a duration ends with its unit: ns, us, ms, s, m or h
        limits.events: "5", expected a whole number from 0 on
    "#]],
    );
    check(
        r#""network": { "latency": { "uniform": ["2ms", "1ms"] }, "loss": 0.1, "bandwidth": 5 }"#,
        expect![[r#"
        network.latency: the first is above the second, expected ascending order
        network.loss: 0.1, expected odds such as "1 in 100" or "0.5%"
        network.bandwidth: 5 without a unit, expected a rate with its unit such as "100 MB/s" or "1 Gbit/s"; did you mean "5 MB/s"?
    "#]],
    );
}

#[test]
fn transactions_to_abort_are_there() {
    let abort = |records: u32, list: &str| {
        said(&format!(
            r#"{{ "title": "Aborts", "cluster": {{ "brokers": 1 }}, "topics": [{{ "name": "orders", "replication": 1 }}],
              "producers": [{{ "name": "p1", "config": {{ "transactional.id": "t" }},
                "workload": [
                  {{ "topic": "orders", "records": {records}, "transactions": {{ "records": 2, "abort": {list} }} }}] }}] }}"#
        ))
    };
    expect![[r#"
        producers[0].workload[0].transactions.abort[1]: there is no transaction 99, expected a number from 0 to 2, as there are 3
        producers[0].workload[0].transactions.abort[3]: there is no transaction 3, expected a number from 0 to 2, as there are 3
    "#]]
    .assert_eq(&abort(5, "[2, 99, 0, 3]"));
    expect![[r#"
        producers[0].workload[0].transactions.abort[0]: there is no transaction 1, expected 0, as there is one
    "#]]
    .assert_eq(&abort(1, "[1]"));
    expect![[r#"
        producers[0].workload[0].transactions.abort[0]: there is no transaction 0, expected "never", as no records are sent
    "#]]
    .assert_eq(&abort(0, "[0]"));
    assert_eq!(abort(6, "[0, 1, 2]"), "nothing\n");
    assert_eq!(abort(6, "\"always\""), "nothing\n");
}

#[test]
fn a_consumer_reads_something() {
    check(
        r#""consumers": [{ "name": "r1", "topics": [], "config": { "group.id": "g" } },
             { "name": "r2", "partitions": [] }, { "name": "r3", "partitions": ["ordrs-0"] }]"#,
        expect![[r#"
            consumers[0].topics: an empty list, expected at least one element
            consumers[1].partitions: an empty list, expected at least one element
            consumers[2].partitions[0]: unknown partition "ordrs-0"; did you mean "orders-0"?
        "#]],
    );
}

#[test]
fn facts_have_their_fields() {
    fault(
        r#""when": { "happened": "BatchAppended", "where": { "brokr": 1, "partition": "orders-2",
            "origin": "clinet", "sequence": true, "broker": 4 } }, "then": { "crash": "b1" }"#,
        expect![[r#"
            faults[0].when.where.brokr: BatchAppended has no field "brokr"; did you mean "broker"?
            faults[0].when.where.partition: unknown partition "orders-2"; did you mean "orders-0"?
            faults[0].when.where.origin: unknown value "clinet"; did you mean "client"?
            faults[0].when.where.sequence: true, expected a whole number
            faults[0].when.where.broker: there is no broker 4, expected a broker from b1 to b3
        "#]],
    );
}

#[test]
fn messages_are_caught_where_there_is_one() {
    fault(
        r#""when": { "at": "1s" }, "then": { "lose": "this" }"#,
        expect![[r#"
        faults[0].then: no message set this rule off, expected "happened": "MessageSent"
    "#]],
    );
    fault(
        r#""when": { "happened": "MessageSent" }, "after": "1ms", "then": [{ "delay": "this", "by": "1ms" }]"#,
        expect![[r#"
        faults[0].then[0]: "this" message is gone after a while, expected no "after"
    "#]],
    );
    fault(
        r#""when": { "happened": "MessageDelivered" }, "then": { "answer": "this", "error": "NOT_LEADER" }"#,
        expect![[r#"
        faults[0].then.error: unknown error "NOT_LEADER"; did you mean "NOT_LEADER_OR_FOLLOWER"?
    "#]],
    );
    fault(
        r#""when": { "happened": "MessageDelivered" }, "then": { "answer": "this", "error": "CORRUPT_MESSAGE" }"#,
        expect![[r#"
            faults[0].then: no request of one kind, expected "where": { "api": "Produce", "direction": "request" } or another api
        "#]],
    );
    fault(
        r#""when": { "at": "1s" }, "then": { "answer": { "next": "response" }, "error": "CORRUPT_MESSAGE" }"#,
        expect![[r#"
            faults[0].then.answer: no request of one kind, expected "next": "request" and "api": "Produce" or another
        "#]],
    );
}

#[test]
fn people_exist_and_fit() {
    fault(
        r#""when": { "at": "1s" }, "then": [{ "crash": "p2" }, { "crash": "controller" }, { "shut-down": "p1" },
        { "pause": "the broker", "for": "1s" }, { "crash": "third follower of orders-0" }]"#,
        expect![[r#"
            faults[0].then[0].crash: nobody is called "p2", expected p1, b1, b2, b3, controller, the broker, the client, any broker, leader of orders-0, leader of orders-1, follower of orders-0 or follower of orders-1
            faults[0].then[1]: the controller never fails here, expected a broker or a producer
            faults[0].then[2]: a producer is no broker, expected a broker
            faults[0].then[3]: this rule is about no fact, expected somebody by name
            faults[0].then[4]: the partition has 2 followers, expected one of them
        "#]],
    );
    fault(
        r#""when": { "happened": "RecordsAcked" }, "then": [{ "crash": "the client" }, { "isolate": "any broker" }, { "crash": "any broker" }]"#,
        expect![[r#"
        faults[0].then[0]: RecordsAcked is about no broker and no client, expected somebody by name
        faults[0].then[2]: a second "any broker" in one rule, expected one of them
    "#]],
    );
}

#[test]
fn rules_say_how_often() {
    fault(
        r#""when": { "happened": "RecordsAcked", "odds": "1 in 2", "nth": 0 }, "then": { "crash": "b1" }"#,
        expect![[r#"
        faults[0].when.nth: 0, expected a number from 1 on
    "#]],
    );
    fault(
        r#""when": { "happened": "RecordsAcked", "odds": "1 in 2" }, "then": { "crash": "b1" }"#,
        expect![[r#"
        faults[0].when.odds: odds without a limit, expected a "limit" beside them: how often at most
    "#]],
    );
    fault(
        r#""when": { "at": "1s", "every": "1s" }, "after": "1s", "then": []"#,
        expect![[r#"
        faults[0].when: both "at" and "every", expected one of them
        faults[0].then: an empty list, expected at least one element
    "#]],
    );
    fault(
        r#""when": { "every": "1s", "limit": 3 }, "after": "1s", "then": { "crash": "b1", "at": "5s" }"#,
        expect![[r#"
        faults[0].after: "after" beside a time, expected a later time, or "after" something that happened
        faults[0].then.at: unknown key "at", expected crash or restart-after
    "#]],
    );
}

#[test]
fn expectations_speak_of_what_can_be_known() {
    check(
        r#""expect": { "verdict": "okay", "checkers": { "no-lost": "ok" }, "counts": { "lost": { "at-least": 2, "at-most": 1 } },
             "facts": [{ "never": "LeaderElected", "where": { "leader": "leader of orders-0" } }] }"#,
        expect![[r#"
            expect.verdict: unknown verdict "okay", expected vacuous, ok, allowed, possible or violation
            expect.checkers.no-lost: unknown checker "no-lost"; did you mean "no-loss"?
            expect.counts.lost: no number is in this range, expected at-least below at-most
            expect.facts[0].where.leader: "leader of orders-0" is not known when a run is over, expected a broker such as 1 or "b1"
        "#]],
    );
}

#[test]
fn a_fix_is_checked_in_its_place() {
    check(
        r#""fix": { "why": "It helps.", "set": { "ack": "all", "acks": "most" } }"#,
        expect![[r#"
        unknown key "ack", expected a key of Kafka's, one behind p1. or orders., or a path such as network.latency; did you mean "acks"?
        producers[0].config.acks: acks=most, expected one of all, -1, 0, 1
    "#]],
    );
}

#[test]
fn settings_of_kafka_are_checked_as_kafka_does() {
    let config = |config: &str| {
        let text = story(r#""seed": 1"#);
        text.replace(r#""name": "p1""#, &format!(r#""name": "p1", "config": {{ {config} }}"#))
    };
    let check = |text: &str, expected: Expect| expected.assert_eq(&said(&config(text)));
    check(
        r#""linger": 5, "acks": 1, "enable.idempotence": true"#,
        expect![[r#"
        producers[0].config.linger: unknown key "linger": not a setting of a producer; did you mean "linger.ms"?
        producers[0].config.acks: acks=1 with enable.idempotence=true, expected acks=all for an idempotent producer
    "#]],
    );
    check(
        r#""linger.ms": "5ms", "transactional.id": "", "batch.size": null"#,
        expect![[r#"
            producers[0].config["linger.ms"]: linger.ms=5ms, expected a whole number of at least 0; did you mean "5"?
            producers[0].config["transactional.id"]: transactional.id="", expected a text that is not empty
            producers[0].config["batch.size"]: null, expected a value as Kafka spells it
        "#]],
    );
}

#[test]
fn a_mistake_does_not_hide_others() {
    let text = r#"{
      "title": 5,
      "cluster": { "brokers": "three", "config": { "num.io.thread": 1 } },
      "topics": [{ "name": "orders", "replication": 9, "config": { "segment.byte": 1 } }, { "name": "orders", "missing": true }],
      "producers": [{ "name": "p1", "config": { "ack": 1 }, "workload": [{ "topic": "odrers", "records": 1 }] }],
      "faults": [{ "when": { "at": "1s" }, "then": { "crash": "b9" } }],
    }"#;
    expect![[r#"
        title: 5, expected a text in quotation marks
        cluster.brokers: "three", expected a whole number from 0 to 255
        cluster.config["num.io.thread"]: unknown key "num.io.thread": not a setting of a broker; did you mean "num.io.threads"?
        topics[0].config["segment.byte"]: unknown key "segment.byte"; did you mean "segment.bytes"?
        topics[1].name: a second topic called "orders", expected another name
        producers[0].config.ack: unknown key "ack": not a setting of a producer; did you mean "acks"?
        producers[0].workload[0].topic: unknown topic "odrers"; did you mean "orders"?
    "#]]
    .assert_eq(&said(text));
}

#[test]
fn too_much_is_refused() {
    let text = story(r#""seed": 1"#);
    let many = text.replace(r#""partitions": 2"#, r#""partitions": 40000"#);
    let more = many.replace(
        r#""topics": ["#,
        r#""topics": [{ "name": "more", "partitions": 40000, "replication": 1 }, "#,
    );
    expect![[r#"
        topics: 80000 partitions in all, expected at most 65535
    "#]]
    .assert_eq(&said(&more));
    let brokers = text.replace(r#""brokers": 3"#, r#""brokers": 65"#);
    expect![[r#"
        cluster.brokers: 65, expected a whole number from 1 to 64
    "#]]
    .assert_eq(&said(&brokers));
    let records = text.replace(r#""records": 3"#, r#""records": 1000000000000000000"#);
    expect![[r#"
        producers[0].workload[0].records: 1000000000000000000, expected a whole number from 0 to 1000000000
    "#]]
    .assert_eq(&said(&records));
}

/// Facts name a client, whether it sends or reads.
#[test]
fn clients_have_names_of_their_own() {
    let consumer = |name: &str, config: &str, more: &str| {
        story(&format!(
            r#""consumers": [{{ "name": "{name}", "config": {{ {config} }}, {more} }}]"#
        ))
    };
    let topics = r#""topics": ["orders"]"#;
    expect![[r#"
        consumers[0].name: a second client called "p1", expected another name
    "#]]
    .assert_eq(&said(&consumer("p1", r#""group.id": "g""#, topics)));
    expect![[r#"
        consumers[0].config: an empty group.id, expected the name of a group, or no group.id
    "#]]
    .assert_eq(&said(&consumer("r1", r#""group.id": """#, topics)));
    expect![[r#"
        consumers[0].name: "c1", expected a name that is not a client's number, such as "p1"
    "#]]
    .assert_eq(&said(&consumer("c1", r#""group.id": "g""#, topics)));
    let transform = r#""partitions": ["orders-0"], "transform": { "to": "orders" }"#;
    expect![[r#"
        consumers[0].transform: a transform without group.id, expected group.id in "config" of the consumer
    "#]]
    .assert_eq(&said(&consumer("r1", "", transform)));
}

#[test]
fn a_coordinator_is_named_without_doubt() {
    let text = story(
        r#""consumers": [{ "name": "r1", "config": { "group.id": "g" }, "topics": ["orders"] }],
          "faults": [{ "when": { "at": "1s" }, "then": { "crash": "coordinator of g" } }]"#,
    );
    let own = r#""name": "p1", "config": { "transactional.id": "g" }"#;
    let text = text.replace(r#""records": 3"#, r#""records": 3, "transactions": { "records": 1 }"#);
    expect![[r#"
        faults[0].then.crash: "g" is a transactional id and a group, expected another group.id
    "#]]
    .assert_eq(&said(&text.replace(r#""name": "p1""#, own)));
}

#[test]
fn the_members_of_a_group_speak_one_protocol() {
    let group = |first: &str, second: &str| {
        story(&format!(
            r#""consumers": [
                {{ "name": "r1", "config": {{ "group.id": "g" }}, {first} }},
                {{ "name": "r2", "config": {{ "group.id": "g", "group.protocol": "consumer" }}, {second} }},
            ]"#
        ))
    };
    let topics = r#""topics": ["orders"]"#;
    expect![[r#"
        consumers[1].config: another group.protocol than that of a member before, expected one protocol a group
    "#]]
    .assert_eq(&said(&group(topics, topics)));
    expect![[r#"
        nothing
    "#]]
    .assert_eq(&said(&group(r#""partitions": ["orders-0"]"#, topics)));
}
