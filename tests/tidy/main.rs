//! What nobody notices until it is too late: who may know whom, what would make a run differ from
//! machine to machine, and scenarios that teach nothing.

mod crates;
mod documented;
mod scenarios;
mod sources;
