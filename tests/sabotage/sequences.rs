//! Rules about producer ids and sequence numbers.

use crate::story::Story;
use inflight::CheckerId::{
    DoubleAppend, NoLoss, OffsetAgreement, ProducerState, Sequences, SessionOrder,
    TransportDuplicate, TruthfulErrors, UniqueIdentity,
};
use inflight::{Mechanism, Verdict};

/// The answer to an appended batch is lost, and the producer sends it again.
pub(crate) const FORGET_DUPLICATES: Story = Story {
    defect: "forget-duplicates",
    brokers: 3,
    cluster: "",
    partitions: None,
    producers: r#"{ "name": "p1", "workload": [{ "topic": "orders", "records": 1 }] }"#,
    faults: r#"{
      "when": { "happened": "BatchAppended", "where": { "broker": "leader of orders-0" } },
      "then": { "lose": { "next": "response", "to": "p1" } },
    }"#,
    consumers: "",
    verdict: Verdict::Violation,
    red: &[TransportDuplicate, Sequences, DoubleAppend, ProducerState],
    mechanism: Mechanism::ProducerStateLost,
};

/// The first of two batches on their way is refused; the second one must be, too.
pub(crate) const IGNORE_SEQUENCES: Story = Story {
    defect: "ignore-sequences",
    brokers: 3,
    cluster: "",
    partitions: None,
    producers: r#"{
      "name": "p1",
      "config": { "linger.ms": 0 },
      "workload": [
        { "topic": "orders", "records": 1 },
        { "topic": "orders", "records": 2, "start": "1s", "every": "1ms" },
      ],
    }"#,
    faults: r#"{
      "when": { "at": "900ms" },
      "then": { "answer": { "next": "request" }, "error": "NOT_ENOUGH_REPLICAS" },
    }"#,
    consumers: "",
    verdict: Verdict::Violation,
    red: &[SessionOrder, Sequences, ProducerState],
    mechanism: Mechanism::AcceptedOutOfOrder,
};

/// The answer never comes. Before the producer asks again, a follower is killed and comes back,
/// and then leads.
pub(crate) const LOSE_PRODUCER_STATE: Story = Story {
    defect: "lose-producer-state",
    brokers: 3,
    cluster: "",
    partitions: None,
    producers: r#"{ "name": "p1", "workload": [{ "topic": "orders", "records": 1 }] }"#,
    faults: r#"
    {
      "when": { "happened": "RecordsQueued" },
      "then": { "lose": { "next": "response", "to": "p1" }, "connection": "silent" },
    },
    { "when": { "at": "1s" }, "then": { "crash": "b2", "restart-after": "1s" } },
    { "when": { "at": "20s" }, "then": { "crash": "b1", "restart-after": "60s" } },
    "#,
    consumers: "",
    verdict: Verdict::Violation,
    red: &[TransportDuplicate, Sequences, DoubleAppend, ProducerState],
    mechanism: Mechanism::ProducerStateLost,
};

/// A second producer starts when the first has sent three records.
pub(crate) const REPEAT_PRODUCER_IDS: Story = Story {
    defect: "repeat-producer-ids",
    brokers: 1,
    cluster: "",
    partitions: None,
    producers: r#"
    { "name": "p1", "workload": [{ "topic": "orders", "records": 3 }] },
    { "name": "p2", "workload": [{ "topic": "orders", "records": 3, "start": "1s" }] },
    "#,
    faults: "",
    consumers: "",
    verdict: Verdict::Violation,
    red: &[OffsetAgreement, NoLoss, TruthfulErrors, UniqueIdentity, ProducerState],
    mechanism: Mechanism::PayloadSwap,
};

/// Two batches fail together and come back. The broker, which knows nothing of the producer yet,
/// takes whichever comes first, and the connection breaks once more before it can say so.
pub(crate) const REQUEUE_OUT_OF_ORDER: Story = Story {
    defect: "requeue-out-of-order",
    brokers: 3,
    cluster: "",
    partitions: None,
    producers: r#"{
      "name": "p1",
      "config": { "linger.ms": 0, "batch.size": 0 },
      "workload": [{ "topic": "orders", "records": 2 }],
    }"#,
    faults: r#"
    {
      "when": { "happened": "BatchDrained" },
      "then": { "lose": { "next": "request", "from": "p1" } },
    },
    {
      "when": { "happened": "BatchAppended", "where": { "broker": "leader of orders-0" } },
      "then": { "lose": { "next": "response", "to": "p1" } },
    },
    "#,
    consumers: "",
    verdict: Verdict::Violation,
    red: &[SessionOrder],
    mechanism: Mechanism::FirstBatchOvertaken,
};

#[test]
fn a_broker_that_forgets_duplicates() {
    FORGET_DUPLICATES.check();
}

#[test]
fn a_broker_that_ignores_sequences() {
    IGNORE_SEQUENCES.check();
}

#[test]
fn a_broker_that_comes_back_without_producer_state() {
    LOSE_PRODUCER_STATE.check();
}

#[test]
fn a_broker_that_gives_two_producers_one_id() {
    REPEAT_PRODUCER_IDS.check();
}

#[test]
fn a_producer_that_sends_again_in_the_order_of_failure() {
    REQUEUE_OUT_OF_ORDER.check();
}
