//! Whatever dies and whatever is late: members of a group that commit what they have processed do
//! everything at least once, and nobody breaks a rule of Kafka's.
//!
//! The same seeds every time; `PROPTEST_CASES=100000` looks further. Seeds take turns at the two
//! protocols and at ways to commit.

use inflight::{CheckerId, Keep, Options, Verdict, load_text, play};
use std::collections::BTreeMap;

/// How many seeds, unless PROPTEST_CASES asks for more.
const CASES: u64 = 60;

/// Three members that come, sleep and die, among brokers that do.
const GROUP: &str = r#"{
  "title": "Members in bad weather",
  "cluster": {
    "brokers": 3,
    "config": {
      "group.consumer.session.timeout.ms": 6000, "group.consumer.min.session.timeout.ms": 6000,
      "group.consumer.heartbeat.interval.ms": 1000,
      "group.consumer.min.heartbeat.interval.ms": 1000,
    },
  },
  "topics": [
    { "name": "orders", "partitions": 4, "replication": 3, "config": { "min.insync.replicas": 2 } },
  ],
  "producers": [{
    "name": "source",
    "workload": [{
      "topic": "orders", "records": 120, "start": "2s", "every": "150ms",
      "key": ["k0", "k1", "k2", "k3", "k4"],
    }],
  }],
  "consumers": [
    {
      "name": "one", "config": { SETTINGS }, "topics": ["orders"], "on-fatal": "restart",
      "commit": "COMMIT", "processing": "20ms",
    },
    {
      "name": "two", "config": { SETTINGS }, "topics": ["orders"], "on-fatal": "restart",
      "commit": "COMMIT", "processing": "20ms", "start": "4s",
    },
    {
      "name": "three", "config": { SETTINGS }, "topics": ["orders"], "on-fatal": "restart",
      "commit": "COMMIT", "processing": "20ms", "start": "8s",
    },
  ],
  "network": { "latency": { "exponential": "2ms", "floor": "200us" } },
  "faults": [
    {
      "when": { "every": { "exponential": "6s" }, "limit": 3 },
      "then": { "crash": "any broker", "restart-after": "4s" },
    },
    {
      "when": { "happened": "RecordsProcessed", "odds": "1 in 60", "limit": 3 },
      "then": { "crash": "two", "restart-after": "500ms" },
    },
    {
      "when": { "happened": "PartitionAssigned", "odds": "1 in 8", "limit": 2 },
      "then": { "pause": "one", "for": "8s" },
    },
    {
      "when": { "happened": "MessageSent", "where": { "api": "HEARTBEAT" }, "odds": "1 in 30", "limit": 3 },
      "then": { "lose": "this", "connection": "silent" },
    },
    {
      "when": {
        "happened": "MessageSent", "where": { "api": "OffsetCommit", "direction": "request" },
        "odds": "1 in 20", "limit": 2,
      },
      "then": { "delay": "this", "by": "5s" },
    },
  ],
}"#;

/// The scenario of a seed.
fn text(seed: u64) -> String {
    let (protocol, heartbeat) = match seed % 2 {
        0 => (r#""group.protocol": "consumer""#, "ConsumerGroupHeartbeat"),
        _ => (r#""session.timeout.ms": 6000"#, "Heartbeat"),
    };
    let (commit, automatic) =
        [("after", false), ("after-async", false), ("auto", true)][(seed / 2 % 3) as usize];
    let settings = format!(
        r#""group.id": "billing", "auto.offset.reset": "earliest", "max.poll.interval.ms": 20000,
           "enable.auto.commit": {automatic}, {protocol}"#
    );
    GROUP.replace("SETTINGS", &settings).replace("HEARTBEAT", heartbeat).replace("COMMIT", commit)
}

#[test]
fn members_of_either_protocol_do_everything_at_least_once() {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let mut examined: BTreeMap<CheckerId, u64> = BTreeMap::new();
    for seed in 1..=asked.unwrap_or(CASES) {
        let loaded = load_text("group", &text(seed), &Options::default());
        let loaded = loaded.unwrap_or_else(|wrong| panic!("{wrong}")).with_seed(seed);
        let played = play(&loaded, Keep::Expected);
        let judgement = &played.judgement;
        assert!(judgement.worst() <= Verdict::Allowed, "seed {seed}: {:?}", judgement.findings);
        for (checker, opinion) in judgement.opinions() {
            *examined.entry(checker).or_default() += opinion.examined;
        }
        let missed = judgement
            .findings
            .iter()
            .filter(|finding| finding.checker == CheckerId::ProcessedAtLeastOnce);
        assert_eq!(missed.count(), 0, "seed {seed}: a record was never processed");
    }
    for checker in [CheckerId::ProcessedAtLeastOnce, CheckerId::Ownership, CheckerId::ReaderOrder] {
        assert!(examined[&checker] > 0, "nothing was there for {checker} to examine");
    }
}
