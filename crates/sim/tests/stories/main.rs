//! Whole runs.
#![expect(clippy::unwrap_used, reason = "a test may")]

mod bench;
mod crashes;
mod delivery;
mod determinism;
mod links;
mod pauses;
mod random;
mod rules;
