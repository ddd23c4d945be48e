//! Rules of the transaction coordinator that are broken on purpose.

use crate::story::Story;
use inflight::CheckerId::{Atomicity, Markers, NoLoss, TruthfulErrors};
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

#[test]
fn a_transaction_that_timed_out_is_committed_by_half() {
    TIMEOUT_WITHOUT_EPOCH_BUMP.check();
}
