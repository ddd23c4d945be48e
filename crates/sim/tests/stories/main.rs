//! Whole runs.

mod bench;
mod crashes;
mod delivery;
mod determinism;
mod links;
mod pauses;
mod random;
mod rules;
