//! Rules of the transaction coordinator that are broken on purpose.

use crate::story::Story;
use inflight::CheckerId::{Atomicity, Markers, NoLoss, StableProgress, TruthfulErrors};
use inflight::{Mechanism, Verdict};

/// The transaction is aborted for its time; the next record opens another one, and its commit is
/// taken for the commit of both.
pub(crate) const TIMEOUT_WITHOUT_EPOCH_BUMP: Story = Story {
    defect: "timeout-without-epoch-bump",
    brokers: 3,
    cluster: r#""transaction.version": 1"#,
    partitions: Some(r#""replication": 3, "partitions": 2"#),
    producers: r#"{
        "name": "p1",
        "config": { "transactional.id": "t1", "transaction.timeout.ms": 5000 },
        "workload": [{
            "topic": "orders", "records": 2, "key": ["k3", "k0"], "every": "20s",
            "transactions": { "records": 2, "on-failure": "give-up" },
        }],
    }"#,
    faults: "",
    verdict: Verdict::Violation,
    red: &[NoLoss, Atomicity, TruthfulErrors, Markers],
    mechanism: Mechanism::TransactionTimedOut,
};

/// The commit is decided while the partition has no leader, and the marker never comes.
pub(crate) const DROP_MARKERS_OF_LEADERLESS: Story = Story {
    defect: "drop-markers-of-leaderless",
    brokers: 3,
    cluster: r#""coordinators": { "t1": "b2" }"#,
    partitions: Some(r#""assignment": [["b1"]]"#),
    producers: r#"{
        "name": "p1",
        "config": { "transactional.id": "t1" },
        "workload": [{
            "topic": "orders", "records": 1,
            "transactions": { "records": 1, "hold": "15s", "on-failure": "give-up" },
        }],
    }"#,
    faults: r#"{
        "when": { "happened": "RecordsAcked" },
        "then": { "crash": "b1", "restart-after": "25s" },
    }"#,
    // Of one replica nothing is promised.
    verdict: Verdict::Allowed,
    red: &[NoLoss, StableProgress],
    mechanism: Mechanism::NotCommittedYet,
};

#[test]
fn a_transaction_that_timed_out_is_committed_by_half() {
    TIMEOUT_WITHOUT_EPOCH_BUMP.check();
}

#[test]
fn a_partition_without_a_leader_never_learns_of_the_commit() {
    DROP_MARKERS_OF_LEADERLESS.check();
}
