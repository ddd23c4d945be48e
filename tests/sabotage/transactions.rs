//! Rules of the transaction coordinator that are broken on purpose.

use crate::story::Story;
use inflight::CheckerId::{
    AbortedRead, Atomicity, EarlyRead, Fencing, Markers, NoLoss, ProducerState, RepeatableRead,
    TruthfulErrors,
};
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
    consumers: "",
    verdict: Verdict::Violation,
    red: &[NoLoss, Atomicity, TruthfulErrors, Markers],
    mechanism: Mechanism::TransactionTimedOut,
};

/// Aborted transactions, in front of a reader of committed records.
const READER: &str = r#"{
    "name": "reader",
    "config": { "isolation.level": "read_committed", "auto.offset.reset": "earliest" },
    "partitions": ["orders-0"],
}"#;
/// A transaction that is open for a second, and then aborted.
const ABORTED: &str = r#"{
    "name": "p1",
    "config": { "transactional.id": "t1" },
    "workload": [{
        "topic": "orders", "records": 1, "transactions": { "records": 1, "hold": "1s", "abort": [0] },
    }],
}"#;

/// The reader is there before the transaction is decided.
pub(crate) const READ_ABOVE_STABLE: Story = Story {
    defect: "read-above-stable",
    brokers: 3,
    cluster: "",
    partitions: None,
    producers: ABORTED,
    faults: "",
    consumers: READER,
    verdict: Verdict::Violation,
    red: &[RepeatableRead, AbortedRead, EarlyRead],
    mechanism: Mechanism::ReadAboveStable,
};

/// The reader waits for the decision, and does not mind it.
pub(crate) const GIVE_ABORTED: Story = Story {
    defect: "give-aborted",
    brokers: 3,
    cluster: "",
    partitions: None,
    producers: ABORTED,
    faults: "",
    consumers: READER,
    verdict: Verdict::Violation,
    red: &[RepeatableRead, AbortedRead, EarlyRead],
    mechanism: Mechanism::ReadAboveStable,
};

/// A zombie writes into the transaction of its successor.
pub(crate) const IGNORE_PRODUCER_EPOCHS: Story = Story {
    defect: "ignore-producer-epochs",
    brokers: 3,
    cluster: r#""transaction.version": 1, "config": { "transaction.partition.verification.enable": false }"#,
    partitions: None,
    producers: r#"{
        "name": "zombie",
        "config": { "transactional.id": "t1" },
        "workload": [{
            "topic": "orders", "records": 2, "every": "1s",
            "transactions": { "records": 2, "on-failure": "give-up" },
        }],
    }, {
        "name": "successor",
        "config": { "transactional.id": "t1" },
        "workload": [{
            "topic": "orders", "records": 1, "start": "2s", "transactions": { "records": 1, "hold": "4s" },
        }],
    }"#,
    faults: r#"{
        "when": { "happened": "RecordsAcked", "where": { "session": 0 } },
        "then": { "pause": "zombie", "for": "4s" },
    }"#,
    consumers: READER,
    verdict: Verdict::Violation,
    red: &[NoLoss, Atomicity, Fencing, Markers, ProducerState],
    // What the first of them tells: why the first record of the zombie does not count.
    mechanism: Mechanism::AbortedByRival,
};

#[test]
fn a_transaction_that_timed_out_is_committed_by_half() {
    TIMEOUT_WITHOUT_EPOCH_BUMP.check();
}

#[test]
fn undecided_records_are_given_away() {
    READ_ABOVE_STABLE.check();
}

#[test]
fn aborted_records_are_given_away() {
    GIVE_ABORTED.check();
}

#[test]
fn a_zombie_is_let_in() {
    IGNORE_PRODUCER_EPOCHS.check();
}
