//! A deterministic simulator of Kafka producer delivery semantics.
