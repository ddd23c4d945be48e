//! `inflight run`

use super::{DUPLICATE, Place};
use expect_test::expect;
use std::io::Read;
use std::process::Stdio;

#[test]
fn a_run_tells_its_story() {
    let place = Place::new("story");
    place.write("lost.json", DUPLICATE);
    let ran = place.run(&["run", "lost.json"]);
    ran.ends(0);
    assert_eq!(ran.err, "");
    assert!(!ran.out.contains('\u{1b}'), "no colour in a pipe");
    let (head, rest) = ran.out.split_once("What happened\n").unwrap();
    expect![[r#"
        A lost response
          A retry is a new batch to a broker that does not know the sender.
          Kafka 4.4, seed 1, inflight 0.1.0

        Settings
          cluster  3 brokers
          orders   1 partition of 3 replicas
                   min.insync.replicas=2 (default 1)
          p1       enable.idempotence=false (default true)

        What Kafka promises with them
          yes  G0  always: What the log holds was sent as it is, a committed offset holds one record, every
                   call is answered, and a consumer reads on from where it is.
          no   G1  at most once, because failed batches are sent again (retries is above 0)
          yes  G3  durable: Every acked record is in the log.
          yes  G3' durable while one survives: Every acked record is in the log while one in-sync replica
                   keeps its log.
          no   G4  in order, because max.in.flight.requests.per.connection is above 1
          no   G5  idempotent session, because enable.idempotence is false

    "#]]
    .assert_eq(head);
    let (lanes, verdict) = rest.split_once("Verdict: ").unwrap();
    assert!(lanes.contains("time  fact  p1 ctl b1 b2 b3"), "{lanes}");
    assert!(lanes.contains("~         LOST"), "{lanes}");
    assert!(lanes.contains("--all shows them"), "{lanes}");
    assert!(verdict.starts_with("allowed, something went wrong"), "{verdict}");
    for text in [
        "  2 sent, 2 acked, 0 lost, 1 duplicated, 0 reordered\n",
        "B4a no-transport-duplicate: allowed\n",
        "G5 (idempotent session) does not hold: enable.idempotence is false.\n",
        "  + enable.idempotence=true: ",
        "All 3 expectations are met.\n",
        "The fix: enable.idempotence=true\n  The leader recognises the retry.\n",
        "  as it is      allowed          2        2        0        0           1          0\n",
        "  with the fix  ok               2        2        0        0           0          0\n",
        "again: inflight run lost.json --seed 1\n",
    ] {
        assert!(verdict.contains(text), "{text:?} is not in:\n{verdict}");
    }
}

const TRANSACTIONAL: &str = r#""transactional.id": "t""#;

#[test]
fn a_client_that_an_error_stopped_is_told() {
    const NONE: &str = r#"{
      "title": "Nowhere to begin",
      "cluster": { "brokers": 1 },
      "topics": [{ "name": "orders", "replication": 1 }],
      "producers": [{ "name": "p1", "workload": [{ "topic": "orders", "records": 3 }] }],
      "consumers": [{
        "name": "r1",
        "config": { "group.id": "g", "auto.offset.reset": "none", "enable.auto.commit": false },
        "topics": ["orders"],
      }],
    }"#;
    let place = Place::new("stopped");
    place.write("none.json", NONE);
    let ran = place.run(&["run", "none.json"]);
    ran.ends(0).out("Verdict: ok, everything holds that was examined\n");
    ran.out("\n  r1 was stopped by an error: no-offset\n");
    assert!(!ran.out.contains("p1 was stopped"), "{}", ran.out);
    let object = place.run(&["run", "none.json", "--format", "json"]).json();
    assert_eq!(object["stopped"], serde_json::json!([{ "client": "r1", "error": "no-offset" }]));
    let earliest = ["run", "none.json", "--set", "r1.auto.offset.reset=earliest"];
    let ran = place.run(&earliest);
    assert!(!ran.ends(0).out.contains("stopped by an error"), "{}", ran.out);
}

/// Whatever call it is that throws: an application that does not know what to do exits.
#[test]
fn an_application_that_ends_with_an_exception_is_told() {
    const READER: &str = r#"{ "name": "r1", "topics": ["orders"], "commit": "after",
      "config": { "group.id": "g", "auto.offset.reset": "earliest", "enable.auto.commit": false } }"#;
    const COPIER: &str = r#"{ "name": "r1", "topics": ["orders"], "transform": { "to": "bills" },
      "config": { "group.id": "g", "auto.offset.reset": "earliest", "enable.auto.commit": false } }"#;
    let place = Place::new("thrown");
    for (config, consumers, api, from, error, stopped) in [
        ("", READER, "OffsetCommit", "r1", "GROUP_AUTHORIZATION_FAILED", Some("r1")),
        ("", READER, "JoinGroup", "r1", "NETWORK_EXCEPTION", Some("r1")),
        ("", READER, "ListOffsets", "r1", "TOPIC_AUTHORIZATION_FAILED", Some("r1")),
        ("", COPIER, "Produce", "r1", "INVALID_RECORD", Some("r1")),
        (TRANSACTIONAL, "", "InitProducerId", "p1", "TRANSACTION_ABORTABLE", Some("p1")),
        // What can be lived with ends nobody.
        ("", READER, "OffsetCommit", "r1", "ILLEGAL_GENERATION", None),
        ("", READER, "OffsetCommit", "r1", "NOT_COORDINATOR", None),
        ("", "", "Produce", "p1", "INVALID_RECORD", None),
    ] {
        let transactions =
            if config.is_empty() { "" } else { r#", "transactions": { "records": 1 }"# };
        place.write(
            "thrown.json",
            &format!(
                r#"{{ "title": "Thrown", "cluster": {{ "brokers": 1 }},
                  "topics": [{{ "name": "orders", "replication": 1 }}, {{ "name": "bills", "replication": 1 }}],
                  "producers": [{{ "name": "p1", "config": {{ {config} }},
                    "workload": [{{ "topic": "orders", "records": 3, "every": "1s"{transactions} }}] }}],
                  "consumers": [{consumers}],
                  "faults": [{{ "when": {{ "happened": "MessageDelivered",
                      "where": {{ "api": "{api}", "direction": "request", "from": "{from}" }} }},
                    "then": {{ "answer": "this", "error": "{error}" }} }}] }}"#
            ),
        );
        let object = place.run(&["run", "thrown.json", "--format", "json"]).json();
        let expected =
            stopped.map(|client| serde_json::json!({ "client": client, "error": error }));
        let expected: Vec<_> = expected.into_iter().collect();
        assert_eq!(object["stopped"], serde_json::json!(expected), "{api} {error}");
    }
}

/// Nobody has looked at why there is no coordinator before the next commitAsync() does.
#[test]
fn a_commit_async_that_throws_is_told() {
    const LATER: &str = r#"{
      "title": "No coordinator",
      "cluster": { "brokers": 1 },
      "topics": [{ "name": "orders", "replication": 1 }],
      "producers": [{ "name": "p1", "workload": [{ "topic": "orders", "records": 5, "every": "1s" }] }],
      "consumers": [{
        "name": "r1",
        "config": { "group.id": "g", "auto.offset.reset": "earliest", "enable.auto.commit": false },
        "partitions": ["orders-0"],
        "commit": "after-async",
      }],
      "faults": [
        { "when": { "happened": "MessageDelivered", "where": { "api": "OffsetCommit", "direction": "request" } },
          "then": { "answer": "this", "error": "NOT_COORDINATOR" } },
        { "when": { "happened": "MessageDelivered",
            "where": { "api": "FindCoordinator", "direction": "request" }, "nth": 2 },
          "then": { "answer": "this", "error": "GROUP_AUTHORIZATION_FAILED" } },
      ],
    }"#;
    let place = Place::new("later");
    place.write("later.json", LATER);
    let object = place.run(&["run", "later.json", "--format", "json"]).json();
    let told = serde_json::json!([{ "client": "r1", "error": "GROUP_AUTHORIZATION_FAILED" }]);
    assert_eq!(object["stopped"], told);
}

#[test]
fn a_run_in_which_nothing_happens_says_nothing() {
    let place = Place::new("vacuous");
    place.write("lost.json", DUPLICATE);
    let ran = place.run(&["run", "lost.json", "--no-twin", "--set", "limits.horizon=0s"]);
    ran.ends(0).out("Verdict: vacuous, nothing was examined\n");
}

#[test]
fn promises_name_what_a_client_sends_to_and_reads_from() {
    const PIPELINE: &str = r#"{
      "title": "A pipeline",
      "cluster": { "brokers": 1 },
      "topics": [{ "name": "orders", "replication": 1 }, { "name": "bills", "replication": 1 }],
      "producers": [{ "name": "p1", "workload": [{ "topic": "orders", "records": 1 }] }],
      "consumers": [{
        "name": "app",
        "config": { "group.id": "g", "enable.auto.commit": false },
        "topics": ["orders"],
        "transform": { "to": "bills", "config": { "transactional.id": "t" } },
      }],
    }"#;
    let place = Place::new("pipeline");
    place.write("pipeline.json", PIPELINE);
    let ran = place.run(&["run", "pipeline.json"]);
    let (_, promises) = ran.ends(0).out.split_once("What Kafka promises with them\n").unwrap();
    let (promises, _) = promises.split_once("What happened").unwrap();
    let is_heading = |line: &&str| [" to ", " from "].iter().any(|way| line.contains(way));
    let short = promises.lines().filter(|line| line.split_whitespace().count() == 3);
    let headings: Vec<&str> = short.filter(is_heading).collect();
    assert_eq!(headings, ["  p1 to orders", "  app from orders", "  app to bills"], "{promises}");
}

#[test]
fn the_same_run_has_the_same_bytes() {
    let place = Place::new("same");
    place.write("lost.json", DUPLICATE);
    let first = place.run(&["run", "lost.json", "--all"]);
    assert_eq!(first.out, place.run(&["run", "lost.json", "--all"]).out);
    assert_ne!(first.out, place.run(&["run", "lost.json", "--all", "--seed", "2"]).out);
}

#[test]
fn programs_get_one_object() {
    let place = Place::new("object");
    place.write("lost.json", DUPLICATE);
    let ran = place.run(&["run", "lost.json", "--format", "json"]);
    let object = ran.ends(0).json();
    let digest = object["digest"].as_str().unwrap();
    assert!(digest.len() == 32 && digest.chars().all(|c| c.is_ascii_hexdigit()), "{digest}");
    assert_eq!(object["title"], "A lost response");
    assert_eq!(object["seed"], 1);
    assert_eq!(object["verdict"], "allowed");
    assert_eq!(object["counts"]["duplicated"], 1);
    assert_eq!(object["repeated"], 0);
    assert!(object["findings"][0]["otherwise"].is_null());
    assert_eq!(object["checkers"]["no-loss"]["verdict"], "ok");
    assert_eq!(object["findings"][0]["checker"], "no-transport-duplicate");
    assert_eq!(object["findings"][0]["remedies"][0]["what"], "enable.idempotence=true");
    assert_eq!(object["twin"]["verdict"], "ok");
    assert_eq!(object["twin"]["set"]["enable.idempotence"], "true");
    assert_eq!(object["unmet"].as_array().unwrap().len(), 0);
    let alone = place.run(&["run", "lost.json", "--format", "json", "--no-twin"]).json();
    assert!(alone["twin"].is_null());
    assert_eq!(alone["digest"], object["digest"]);
}

#[test]
fn settings_can_be_changed() {
    let place = Place::new("set");
    place.write("lost.json", DUPLICATE);
    let ran = place.run(&["run", "lost.json", "--set", "enable.idempotence=true", "--no-twin"]);
    ran.ends(0).out("Verdict: ok, everything holds that was examined");
    ran.out("\nWhat the file expects is not judged: settings were changed (--set).\n");
    assert!(!ran.out.contains("expectation"), "{}", ran.out);
    ran.out("again: inflight run lost.json --seed 1 --set enable.idempotence=true\n");
    let ran = place.run(&["run", "lost.json", "--set", "enable.idempotence=true"]);
    assert!(!ran.ends(0).out.contains("expectation"), "{}", ran.out);
    let ran = place.run(&["run", "lost.json", "--set", "acks=most", "--set", "p1.linger=5"]);
    ran.ends(2).err("--set:1:6 (producers[0].config.acks)");
    ran.err("did you mean \"linger.ms\"?").err("2 errors\n");
    assert_eq!(ran.out, "");
}

#[test]
fn a_trace_is_judged_again() {
    let place = Place::new("trace");
    place.write("lost.json", DUPLICATE);
    let run = place.run(&["run", "lost.json", "--trace", "run.jsonl", "--no-twin"]);
    let again = place.run(&["run", "run.jsonl"]);
    again.ends(0).out("again: inflight run run.jsonl\n");
    let story = |out: &str| {
        let from = out.find("What happened").unwrap();
        let to = out.find("digest ").unwrap();
        out[from..to].replace("\nAll 3 expectations are met.\n", "")
    };
    assert_eq!(story(&again.out).trim_end(), story(&run.out).trim_end());
    let own = place.run(&["run", "lost.json", "--format", "json"]).json();
    let read = place.run(&["run", "run.jsonl", "--format", "json"]).json();
    for key in ["digest", "verdict", "counts", "findings", "promises", "title", "seed"] {
        assert_eq!(read[key], own[key], "{key}");
    }
    let ran = place.run(&["run", "run.jsonl", "--seed", "2"]);
    ran.ends(2).err("error: a trace is judged as it is");
    let text =
        place.read("run.jsonl").replacen("\"fact\":\"RecordsQueued\"", "\"fact\":\"Nothing\"", 1);
    place.write("broken.jsonl", &text);
    place.run(&["run", "broken.jsonl"]).ends(2).err("unknown fact \"Nothing\"");
    place.run(&["run", "absent.jsonl"]).ends(2).err("cannot read absent.jsonl");
}

#[test]
fn mistakes_are_told_with_their_place() {
    let place = Place::new("mistakes");
    place.write("wrong.json", &DUPLICATE.replace("\"records\": 2", "\"recrods\": 2"));
    let ran = place.run(&["run", "wrong.json"]);
    ran.ends(2).err("error: unknown key \"recrods\"\n --> wrong.json:9:39 ");
    ran.err("^^^^^^^^^ did you mean \"records\"?");
    assert_eq!(ran.out, "");
    let ran = place.run(&["run", "wrong.json", "--format", "json"]);
    let object: serde_json::Value = serde_json::from_str(&ran.ends(2).err).unwrap();
    assert_eq!(object["diagnostics"][0]["line"], 9);
    place.run(&["run", "absent.json"]).ends(2).err("cannot read absent.json");
    place.run(&["run"]).ends(2).err("Usage: inflight run");
    place.run(&["run", "wrong.json", "--format", "xml"]).ends(2).err("possible values: text, json");
}

#[test]
fn no_file_is_half_written() {
    let place = Place::new("half");
    place.write("lost.json", DUPLICATE);
    let ran = place.run(&["run", "lost.json", "--trace", "absent/run.jsonl"]);
    ran.ends(2).err("cannot write absent/run.jsonl");
    place.run(&["run", "lost.json", "--trace", "run.jsonl"]).ends(0);
    let names = std::fs::read_dir(&place.0).unwrap();
    let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["lost.json", "run.jsonl"]);
}

#[test]
fn a_broken_pipe_is_fine() {
    let place = Place::new("pipe");
    let long = DUPLICATE.replace("\"records\": 2", "\"records\": 2000").replace("allowed", "ok");
    place.write(
        "long.json",
        &long.replace(
            r#""expect": { "verdict": "ok", "counts": { "acked": 2, "duplicated": 1 } },"#,
            "",
        ),
    );
    let mut command = place.command(&["run", "long.json", "--all", "--no-twin"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut first = [0; 20];
    out.read_exact(&mut first).unwrap();
    drop(out);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn colour_is_a_choice() {
    let place = Place::new("colour");
    place.write("lost.json", DUPLICATE);
    place.run(&["run", "lost.json", "--color", "always"]).ends(0).out("\u{1b}[33mallowed\u{1b}[0m");
    let plain = place.run(&["run", "lost.json", "--color", "never"]);
    assert_eq!(plain.out, place.run(&["run", "lost.json"]).out);
    let ascii = place.run(&["run", "lost.json", "--ascii"]);
    assert!(!ascii.out.contains('✓'), "{}", ascii.out);
}

#[test]
fn programs_are_told_whose_transaction_it_was() {
    let place = Place::new("whose");
    place.write(
        "abort.json",
        r#"{
  "title": "An aborted record is read",
  "cluster": { "brokers": 1, "defects": ["give-aborted"] },
  "topics": [{ "name": "t", "replication": 1 }],
  "producers": [{ "name": "p", "config": { "transactional.id": "id" },
    "workload": [{ "topic": "t", "records": 1, "transactions": { "records": 1, "abort": [0], "hold": "1s" } }] }],
  "consumers": [{ "name": "c", "partitions": ["t-0"],
    "config": { "isolation.level": "read_committed", "auto.offset.reset": "earliest" } }]
}"#,
    );
    let object = place.run(&["run", "abort.json", "--format", "json"]).json();
    let findings = object["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["checker"] == "no-aborted-read").unwrap();
    assert_eq!(found["transaction"]["producer"], "p");
    assert_eq!(found["transaction"]["number"], 0);
    assert_eq!(found["consumer"], "c");
    let text = place.run(&["run", "abort.json"]);
    text.ends(0).out("isolation.level=read_committed (default read_uncommitted)");
}
