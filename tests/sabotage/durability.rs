//! Rules about what is committed.

use crate::story::Story;
use inflight::CheckerId::{LeaderCompleteness, LogMatching, NoLoss, OffsetAgreement, Truncation};
use inflight::{Mechanism, Verdict};

/// The followers cannot be reached, the leader answers all the same, and dies.
pub(crate) const ACK_BEFORE_HIGH_WATERMARK: Story = Story {
    defect: "ack-before-high-watermark",
    brokers: 3,
    cluster: "",
    partitions: None,
    producers: r#"{
      "name": "p1",
      "workload": [{ "topic": "orders", "records": 5, "every": "100ms" }],
    }"#,
    faults: r#"
    {
      "when": { "at": "150ms" },
      "then": [
        { "cut": { "from": "b1", "to": "b2" }, "heal-after": "10s" },
        { "cut": { "from": "b1", "to": "b3" }, "heal-after": "10s" },
      ],
    },
    { "when": { "at": "320ms" }, "then": { "crash": "b1", "restart-after": "30s" } },
    "#,
    consumers: "",
    verdict: Verdict::Violation,
    red: &[OffsetAgreement, NoLoss],
    mechanism: Mechanism::AckedTooEarly,
};

/// Followers have the record and do not know yet that it is committed when the leader dies. One of
/// them leads, the other cannot reach it, and leads next. KIP-101 was made for this.
pub(crate) const TRUNCATE_TO_HIGH_WATERMARK: Story = Story {
    defect: "truncate-to-high-watermark",
    brokers: 3,
    cluster: "",
    partitions: None,
    producers: r#"{ "name": "p1", "workload": [{ "topic": "orders", "records": 1 }] }"#,
    faults: r#"
    {
      "when": { "happened": "RecordsAcked" },
      "then": [
        { "crash": "b1", "restart-after": "60s" },
        { "cut": { "from": "b2", "to": "b3" }, "heal-after": "30s" },
      ],
    },
    {
      "when": { "happened": "LeaderElected", "where": { "leader": 2 } },
      "after": "1s",
      "then": { "crash": "b2", "restart-after": "60s" },
    },
    "#,
    consumers: "",
    verdict: Verdict::Violation,
    red: &[NoLoss, LeaderCompleteness, Truncation],
    mechanism: Mechanism::TruncatedTooFar,
};

/// One follower is out of sync when a record is committed and the leader dies.
pub(crate) const ELECT_OUT_OF_SYNC: Story = Story {
    defect: "elect-out-of-sync",
    brokers: 3,
    cluster: "",
    partitions: None,
    producers: r#"{
      "name": "p1",
      "workload": [{ "topic": "orders", "records": 1, "start": "40s" }],
    }"#,
    faults: r#"
    { "when": { "at": "1s" }, "then": { "cut": { "from": "b1", "to": "b3" } } },
    {
      "when": { "happened": "RecordsAcked" },
      "then": { "crash": "b1", "restart-after": "60s" },
    },
    "#,
    consumers: "",
    verdict: Verdict::Violation,
    red: &[NoLoss, LeaderCompleteness],
    mechanism: Mechanism::OutOfSyncElection,
};

/// The leader dies when the followers say that they have everything.
pub(crate) const SKIP_REPLICATION: Story = Story {
    defect: "skip-replication",
    brokers: 3,
    cluster: "",
    partitions: None,
    producers: r#"{
      "name": "p1",
      "workload": [{ "topic": "orders", "records": 5, "every": "100ms" }],
    }"#,
    faults: r#"{
      "when": { "happened": "RecordsAcked", "nth": 5 },
      "then": { "crash": "b1", "restart-after": "60s" },
    }"#,
    consumers: "",
    verdict: Verdict::Violation,
    red: &[NoLoss, LogMatching],
    mechanism: Mechanism::ReplicasDiffer,
};

#[test]
fn a_leader_that_answers_before_the_in_sync_replicas_have_it() {
    ACK_BEFORE_HIGH_WATERMARK.check();
}

#[test]
fn a_follower_that_cuts_its_log_to_the_high_watermark() {
    TRUNCATE_TO_HIGH_WATERMARK.check();
}

#[test]
fn a_controller_that_elects_out_of_sync() {
    ELECT_OUT_OF_SYNC.check();
}

#[test]
fn a_follower_that_skips_batches() {
    SKIP_REPLICATION.check();
}
