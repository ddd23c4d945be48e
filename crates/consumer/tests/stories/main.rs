//! Whole stories of a consumer: against a script that plays the brokers, and against brokers.

mod answers;
mod bench;
mod cluster;
mod commits;
mod groups;
mod membership;
mod polls;
mod reading;
mod reassigned;
mod together;
