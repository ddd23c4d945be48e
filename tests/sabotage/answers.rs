//! Rules about what a broker answers and what it writes.

use crate::story::Story;
use inflight::CheckerId::{
    DoubleAppend, Integrity, NoLoss, OffsetAgreement, TransportDuplicate, TruthfulErrors,
};
use inflight::{Mechanism, Verdict};

/// A record is appended and fails, and the answer to the next one is lost. UNKNOWN_SERVER_ERROR
/// promises nothing, so nothing is wrong so far. But the producer raises its epoch after an error
/// and gives the next record a new sequence number, and that record is appended again. After an
/// error, clients are known to fall short of exactly once: this can never be more than possible.
pub(crate) const FAIL_AFTER_APPEND: Story = Story {
    defect: "fail-after-append",
    brokers: 3,
    cluster: "",
    partitions: None,
    producers: r#"{
      "name": "p1",
      "config": { "linger.ms": 0 },
      "workload": [
        { "topic": "orders", "records": 1 },
        { "topic": "orders", "records": 2, "start": "1s", "every": "5ms" },
      ],
    }"#,
    faults: r#"{
      "when": { "at": "900ms" },
      "then": { "lose": { "next": "response", "to": "p1", "nth": 2 } },
    }"#,
    consumers: "",
    verdict: Verdict::Possible,
    red: &[TransportDuplicate, DoubleAppend],
    mechanism: Mechanism::SequenceRewritten,
};

/// Nothing goes wrong besides.
pub(crate) const ACK_WITHOUT_APPEND: Story = Story {
    defect: "ack-without-append",
    brokers: 3,
    cluster: "",
    partitions: None,
    producers: r#"{ "name": "p1", "workload": [{ "topic": "orders", "records": 3 }] }"#,
    faults: "",
    consumers: "",
    verdict: Verdict::Violation,
    red: &[NoLoss, TruthfulErrors],
    mechanism: Mechanism::AckWithoutAppend,
};

/// Two producers, and the second sends one record more than the first.
pub(crate) const SWAP_PAYLOAD: Story = Story {
    defect: "swap-payload",
    brokers: 3,
    cluster: "",
    partitions: None,
    producers: r#"
    { "name": "p1", "workload": [{ "topic": "orders", "records": 3 }] },
    { "name": "p2", "workload": [{ "topic": "orders", "records": 4, "start": "1s" }] },
    "#,
    faults: "",
    consumers: "",
    verdict: Verdict::Violation,
    red: &[Integrity, OffsetAgreement, NoLoss, TruthfulErrors],
    mechanism: Mechanism::ForeignRecord,
};

#[test]
fn a_broker_that_fails_what_it_has_appended() {
    FAIL_AFTER_APPEND.check();
}

#[test]
fn a_broker_that_answers_for_what_it_never_appended() {
    ACK_WITHOUT_APPEND.check();
}

#[test]
fn a_broker_that_writes_records_under_a_wrong_name() {
    SWAP_PAYLOAD.check();
}
