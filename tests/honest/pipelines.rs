//! Whatever dies and whatever is late: under transaction.version 2 a pipeline that reads, transforms
//! and writes in transactions does everything exactly once, and what is torn is never read.
//!
//! The same seeds every time; `PROPTEST_CASES=100000` looks further. Every other one has a group of
//! the consumer protocol.

use inflight::{CheckerId, Keep, Options, Verdict, load_text, play};
use std::collections::BTreeMap;

/// How many seeds, unless PROPTEST_CASES asks for more.
const CASES: u64 = 60;

/// Transactions into one topic, from there into another, and a reader behind both.
const PIPELINE: &str = r#"{
  "title": "A pipeline in bad weather",
  "cluster": {
    "brokers": 3,
    "config": {
      "group.consumer.session.timeout.ms": 6000, "group.consumer.min.session.timeout.ms": 6000,
      "group.consumer.heartbeat.interval.ms": 1000,
      "group.consumer.min.heartbeat.interval.ms": 1000,
    },
  },
  "topics": [
    { "name": "orders", "partitions": 2, "replication": 3, "config": { "min.insync.replicas": 2 } },
    { "name": "bills", "partitions": 2, "replication": 3, "config": { "min.insync.replicas": 2 } },
  ],
  "producers": [{
    "name": "source",
    "config": { "transactional.id": "source-1" },
    "on-fatal": "restart",
    "workload": [{
      "topic": "orders", "records": 40, "start": "2s", "every": "300ms", "key": ["k0", "k1", "k2"],
      "transactions": { "records": 4, "hold": "20ms", "abort": [3] },
    }],
  }],
  "consumers": [
    {
      "name": "app",
      "config": {
        "group.id": "billing", "isolation.level": "read_committed", "auto.offset.reset": "earliest",
        "enable.auto.commit": false, PROTOCOL
      },
      "topics": ["orders"],
      "on-fatal": "restart",
      "transform": { "to": "bills", "config": { "transactional.id": "billing-1" }, "hold": "20ms" },
    },
    {
      "name": "reader",
      "config": { "isolation.level": "read_committed", "auto.offset.reset": "earliest" },
      "partitions": ["bills-0", "bills-1"],
    },
  ],
  "network": { "latency": { "exponential": "2ms", "floor": "200us" } },
  "faults": [
    {
      "when": { "every": { "exponential": "6s" }, "limit": 3 },
      "then": { "crash": "any broker", "restart-after": "4s" },
    },
    {
      "when": { "happened": "OffsetsAddedToTransaction", "odds": "1 in 12", "limit": 2 },
      "then": { "crash": "app", "restart-after": "500ms" },
    },
    {
      "when": { "happened": "TransactionEnding", "odds": "1 in 12", "limit": 2 },
      "then": { "pause": "source", "for": "3s" },
    },
    {
      "when": { "happened": "MessageSent", "where": { "api": "EndTxn" }, "odds": "1 in 15", "limit": 2 },
      "then": { "lose": "this", "connection": "silent" },
    },
    {
      "when": {
        "happened": "MessageSent", "where": { "api": "Produce", "direction": "request" },
        "odds": "1 in 40", "limit": 2,
      },
      "then": { "delay": "this", "by": "5s" },
    },
  ],
}"#;

#[test]
fn a_pipeline_in_transactions_does_everything_exactly_once() {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let mut examined: BTreeMap<CheckerId, u64> = BTreeMap::new();
    for seed in 1..=asked.unwrap_or(CASES) {
        let protocol = match seed % 2 {
            0 => r#""group.protocol": "consumer","#,
            _ => r#""session.timeout.ms": 6000,"#,
        };
        let text = PIPELINE.replace("PROTOCOL", protocol);
        let loaded = load_text("pipeline", &text, &Options::default());
        let loaded = loaded.unwrap_or_else(|wrong| panic!("{wrong}")).with_seed(seed);
        let played = play(&loaded, Keep::Expected);
        let judgement = &played.judgement;
        assert!(judgement.worst() <= Verdict::Allowed, "seed {seed}: {:?}", judgement.findings);
        for (checker, opinion) in judgement.opinions() {
            *examined.entry(checker).or_default() += opinion.examined;
        }
    }
    for checker in [CheckerId::Atomicity, CheckerId::AbortedRead, CheckerId::ExactlyOnce] {
        assert!(examined[&checker] > 0, "nothing was there for {checker} to examine");
    }
}
