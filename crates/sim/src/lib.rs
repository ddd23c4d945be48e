//! The world: machines, network, chance, rules and observers in one run.
//!
//! [`setup::Setup`] is the validated input; [`run::run`] executes it once, [`run::Runner`] many
//! times with other luck. [`world::World`] is the only place where producers meet brokers: it calls
//! one machine at a time, interprets what it leaves effect by effect, and lets faults take place
//! between two effects.

mod application;
mod consuming;
pub mod fault;
mod node;
mod packet;
pub mod run;
pub mod setup;
mod sink;
mod trigger;
pub mod world;

pub use run::{Outline, Run, Runner, Stepper, run};
pub use setup::Setup;
pub use world::World;
