//! The list of facts, in parts. Each part hands itself and those before it on to the next one; the
//! last one is `facts!`, which makes the enum of them.

#[macro_use]
mod broker;
#[macro_use]
mod client;
#[macro_use]
mod control;
#[macro_use]
mod coordinator;
#[macro_use]
mod network;
