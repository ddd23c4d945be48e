//! The Kafka producer client as a machine.
//!
//! ```text
//!  application threads          sender thread
//!  ───────────────────          ─────────────────────────────────────────────
//!  send ─ metadata wait ─┐      pass: sequences in doubt, epoch bump, producer id
//!         partition      │            ready ─ drain ─ expire ─ produce requests
//!         buffer memory  ▼      poll: metadata, network, timeouts, callbacks
//!        RecordAccumulator ────────▶ Sender ───▶ NetworkClient ───▶ brokers
//! ```
//!
//! [`Producer`] is a plain struct without clock, network or thread. Each call gets a turn and leaves
//! an ordered list of effects: requests and facts. The application calls [`Producer::send`],
//! [`Producer::flush`], [`Producer::close`]; what arrives comes through [`Producer::handle`];
//! [`Producer::next_timeout`] says when [`Producer::handle_timeout`] is due; and what the
//! application gets to know lies in [`Producer::completions`].
//!
//! Time is what `System.currentTimeMillis()` would say: whole milliseconds, as in Kafka.

mod accumulator;
mod batch;
mod buffer_pool;
mod call;
mod compression;
mod env;
mod in_flight;
mod metadata;
mod network_client;
mod partitioner;
mod producer;
mod sender;
mod sequencer;
mod transaction_call;
mod transaction_manager;

use inflight_client::{backoff, connection_states};

pub use batch::Reports;
pub use call::SendRequest;
pub use env::{Env, Streams};
pub use partitioner::Destination;
pub use producer::{Completion, Producer};
pub use transaction_call::CallError;
