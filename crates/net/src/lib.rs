//! Links and connections: when a message arrives, if it does.
//!
//! Nodes are numbers, payloads are not looked at. A [`Link`] is directed and has a delay, a
//! bandwidth, and a chance of losing packets; a [`Connection`] keeps the order of what is sent on
//! it. A cut link holds what is sent on it until it is healed, as TCP retransmits (the default), or
//! loses it, as in diagrams for teaching.

pub mod connection;
pub mod link;
pub mod topology;

pub use connection::{Connection, ConnectionSlot, Connections, Side};
pub use link::{Link, LinkSettings, LossMode, Outbound, Transit};
pub use topology::{NetworkSettings, Topology};
