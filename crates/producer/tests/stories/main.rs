//! What a producer does, story by story. Each expectation comes from Kafka's sources or from the
//! names of its own tests; see the comments.

mod bench;
mod coordinator;
mod failures;
mod idempotence;
mod pipeline;
mod transaction_errors;
mod transactions;
