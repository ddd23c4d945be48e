//! Stories: a few brokers and a controller with scripted clients and faults. Each test is named
//! after its situation; what is expected comes from Kafka's source by way of the specification.

mod connections;
mod consumer_groups;
mod coordinators;
mod defects;
mod durability;
mod elections;
mod failover;
mod groups;
mod harness;
mod idempotence;
mod interleavings;
mod lifecycle;
mod produce;
mod random_transactions;
mod readers;
mod replication;
mod timeouts;
mod transactions;
mod verification;
