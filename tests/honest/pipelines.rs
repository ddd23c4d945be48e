//! Whatever dies and whatever is late: under transaction.version 2 a pipeline that reads, transforms
//! and writes in transactions does everything exactly once, and what is torn is never read. Under
//! version 1 late requests tear it.
//!
//! The same seeds every time; `PROPTEST_CASES=100000` looks further. Every other one has a group of
//! the consumer protocol.

use crate::law::RENUMBERED;
use inflight::check::Explanation;
use inflight::{CheckerId, Keep, Loaded, Mechanism, Options, Played, Verdict, load_text, play};
use std::collections::BTreeMap;

/// How many seeds, unless PROPTEST_CASES asks for more.
const CASES: u64 = 60;
/// In how many seeds the flaws of version 1 are to be seen. The first shows after a few dozen.
const CASES_BEFORE: u64 = 400;

/// Transactions into one topic, from there into another, and a reader behind both.
const PIPELINE: &str = r#"{
  "title": "A pipeline in bad weather",
  "cluster": {
    "brokers": 3,
    "transaction.version": VERSION,
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
    "config": {
      "transactional.id": "source-1", "request.timeout.ms": 1500, "delivery.timeout.ms": 4000,
    },
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
      "transform": {
        "to": "bills", "hold": "20ms",
        "config": {
          "transactional.id": "billing-1", "request.timeout.ms": 1500, "delivery.timeout.ms": 4000,
        },
      },
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
    {
      "when": {
        "happened": "MessageSent", "where": { "api": "Produce", "direction": "request" },
        "odds": "1 in 30", "limit": 2,
      },
      "then": { "delay": "this", "by": "2500ms" },
    },
    {
      "when": {
        "happened": "MessageSent", "where": { "api": "EndTxn", "direction": "request" },
        "odds": "1 in 20", "limit": 2,
      },
      "then": { "delay": "this", "by": "1700ms" },
    },
  ],
}"#;

fn pipeline(version: u8, seed: u64) -> Loaded {
    let protocol = match seed % 2 {
        0 => r#""group.protocol": "consumer","#,
        _ => r#""session.timeout.ms": 6000,"#,
    };
    let text = PIPELINE.replace("VERSION", &version.to_string()).replace("PROTOCOL", protocol);
    let loaded = load_text("pipeline", &text, &Options::default());
    loaded.unwrap_or_else(|wrong| panic!("{wrong}")).with_seed(seed)
}

fn cases(usual: u64) -> u64 {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    asked.unwrap_or(usual)
}

/// How the broken promises of a run came about.
fn mechanisms(loaded: &Loaded, played: &Played) -> Vec<Mechanism> {
    if played.judgement.worst() < Verdict::Violation {
        return Vec::new();
    }
    let told = play(loaded, Keep::Everything).explain(&loaded.description).explanations;
    let violations = told.iter().filter(|told| told.finding.verdict == Verdict::Violation);
    violations.map(|Explanation { mechanism, .. }| *mechanism).collect()
}

#[test]
fn a_pipeline_in_transactions_does_everything_exactly_once() {
    let mut examined: BTreeMap<CheckerId, u64> = BTreeMap::new();
    let (all, mut skipped) = (cases(CASES), 0);
    for seed in 1..=all {
        let loaded = pipeline(2, seed);
        let played = play(&loaded, Keep::Expected);
        // When all replicas of a partition are down, Kafka itself falls short, and what was torn has
        // consequences. A batch that is renumbered is told a wrong offset, in a transaction that is
        // aborted.
        let found = mechanisms(&loaded, &played);
        let is_torn = found.contains(&Mechanism::MarkerSkipped);
        let is_known = is_torn || found.iter().all(|mechanism| RENUMBERED.contains(mechanism));
        skipped += u64::from(is_torn);
        assert!(is_known, "seed {seed}: {found:?} {:?}", played.judgement.findings);
        for (checker, opinion) in played.judgement.opinions() {
            *examined.entry(checker).or_default() += opinion.examined;
        }
    }
    assert!(skipped * 100 < all, "{skipped} of {all}: that is hardly the exception");
    for checker in [CheckerId::Atomicity, CheckerId::AbortedRead, CheckerId::ExactlyOnce] {
        assert!(examined[&checker] > 0, "nothing was there for {checker} to examine");
    }
}

/// KAFKA-17754 and KIP-890: one producer epoch for all transactions of a producer.
#[test]
fn before_version_2_late_requests_tear_transactions() {
    let flaws = [Mechanism::LateEnd, Mechanism::LateBatchJoined];
    let mut seen: BTreeMap<Mechanism, u64> = BTreeMap::new();
    for seed in 1..=cases(CASES_BEFORE) {
        let loaded = pipeline(1, seed);
        let played = play(&loaded, Keep::Expected);
        for mechanism in mechanisms(&loaded, &played) {
            *seen.entry(mechanism).or_default() += 1;
        }
        if flaws.iter().all(|flaw| seen.contains_key(flaw)) {
            return;
        }
    }
    panic!("{flaws:?} were looked for, and {seen:?} found");
}
