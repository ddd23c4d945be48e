//! The keys of a broker that matter to transactions.
//!
//! Kafka: TransactionStateManagerConfig, TransactionLogConfig, AddPartitionsToTxnConfig.

use super::K;
use crate::config::keys::Whole;
use crate::config::kind::{Kind, Range};
use inflight_des::Span;

const SPREAD: &str = "an internal topic has 50 partitions, of which only those in use exist";

pub(super) static KEYS: &[K] = &[
    millis!(
        K::new(
            "transaction.max.timeout.ms",
            Kind::Int(Range::at_least(1)),
            "900000",
            "The longest transaction.timeout.ms that a producer may ask for."
        ),
        transaction_max_timeout
    ),
    millis!(
        K::new(
            "transactional.id.expiration.ms",
            Kind::Int(Range::at_least(1)),
            "604800000",
            "How long a transactional id is remembered that is not used."
        ),
        transactional_id_expiration
    ),
    millis!(
        K::new(
            "transaction.abort.timed.out.transaction.cleanup.interval.ms",
            Kind::Int(Range::at_least(1)),
            "10000",
            "How often a coordinator looks for transactions that are over their time."
        ),
        transaction_abort_timed_out_transaction_cleanup_interval
    ),
    millis!(
        K::new(
            "transaction.remove.expired.transaction.cleanup.interval.ms",
            Kind::Int(Range::at_least(1)),
            "3600000",
            "How often a coordinator looks for transactional ids to forget."
        ),
        transaction_remove_expired_transaction_cleanup_interval
    ),
    K::new(
        "transaction.partition.verification.enable",
        Kind::Bool,
        "true",
        "Whether a leader asks the coordinator if a partition is part of a transaction.",
    )
    .flag(
        |c| c.broker.transaction_partition_verification_enable,
        |c, yes| c.broker.transaction_partition_verification_enable = yes,
    ),
    K::new(
        "transaction.state.log.num.partitions",
        Kind::Int(Range::at_least(1)),
        "50",
        "Over how many partitions the coordinators' log of transactions is spread.",
    )
    .without_effect(SPREAD),
    number!(
        K::new(
            "transaction.state.log.replication.factor",
            Kind::Int(Range::at_least(1)),
            "3",
            "How many replicas the coordinators' log of transactions has."
        ),
        transaction_state_log_replication_factor
    ),
    number!(
        K::new(
            "transaction.state.log.min.isr",
            Kind::Int(Range::at_least(1)),
            "2",
            "The min.insync.replicas of the coordinators' log of transactions."
        ),
        transaction_state_log_min_isr
    ),
    K::new(
        "offsets.topic.num.partitions",
        Kind::Int(Range::at_least(1)),
        "50",
        "Over how many partitions the coordinators' log of groups is spread.",
    )
    .without_effect(SPREAD),
    number!(
        K::new(
            "offsets.topic.replication.factor",
            Kind::Int(Range::at_least(1)),
            "3",
            "How many replicas the coordinators' log of groups has."
        ),
        offsets_topic_replication_factor
    ),
    millis!(
        K::new(
            "add.partitions.to.txn.retry.backoff.ms",
            Kind::Int(Range::at_least(1)),
            "20",
            "The pause before a leader asks the coordinator again."
        ),
        add_partitions_to_txn_retry_backoff
    ),
    millis!(
        K::new(
            "add.partitions.to.txn.retry.backoff.max.ms",
            Kind::Int(Range::at_least(0)),
            "100",
            "How long a leader goes on asking the coordinator."
        ),
        add_partitions_to_txn_retry_backoff_max
    ),
];
