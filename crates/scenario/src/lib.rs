//! The scenario file: format, schema, diagnostics, lowering to a setup.
//!
//! A scenario is one JSON file (comments and trailing commas are allowed) that tells one story:
//! brokers, topics, producers with their workloads, faults, and what must come out. Keys with dots
//! are Kafka's own, with Kafka's values; ours have hyphens. Durations, sizes and odds are texts
//! with their units.
//!
//! ```
//! # use inflight_scenario::{Options, load_text};
//! let text = r#"{
//!   "title": "A lost response makes a duplicate",
//!   "teaches": "Without idempotence a broker cannot tell a retry from a new batch.",
//!   "seed": 1,
//!   "cluster": { "brokers": 3, "config": { "replica.lag.time.max.ms": 10000 } },
//!   "topics": [
//!     // Partition 0 is on b1, b2, b3, partition 1 on b2, b3, b1.
//!     { "name": "orders", "partitions": 2, "replication": 3, "config": { "min.insync.replicas": 2 } },
//!   ],
//!   "producers": [
//!     {
//!       "name": "p1",
//!       "config": { "acks": "all", "enable.idempotence": false },
//!       // One application thread: ten records of 1 KiB, about one every 5 ms.
//!       "workload": [
//!         { "topic": "orders", "records": 10, "value": "1 KiB", "key": ["a", "b"], "every": { "exponential": "5ms" } },
//!       ],
//!     },
//!   ],
//!   "network": { "latency": { "exponential": "200us", "floor": "50us" }, "loss": "1 in 10000" },
//!   "faults": [
//!     {
//!       // Right after the second append of a leader, its next answer to p1 is lost.
//!       "when": { "happened": "BatchAppended", "where": { "broker": "leader of orders-0" }, "nth": 2 },
//!       "then": { "lose": { "next": "response", "from": "leader of orders-0", "to": "p1" } },
//!     },
//!     { "when": { "at": "10s" }, "then": { "crash": "any broker", "restart-after": "5s" } },
//!   ],
//!   "expect": { "verdict": ["ok", "allowed"], "counts": { "acked": 10, "lost": 0 } },
//!   "fix": {
//!     "why": "The retry carries the same sequence number.",
//!     "set": { "enable.idempotence": true },
//!     "expect": { "verdict": "ok", "counts": { "duplicated": 0 } },
//!   },
//! }"#;
//! let loaded = load_text("story.json", text, &Options::default())?;
//! assert_eq!(loaded.setup.clients[0].name, "p1");
//! # Ok::<(), inflight_scenario::Diagnostics>(())
//! ```
//!
//! [`load_file`] and [`load_text`] read a scenario and give a [`Loaded`], with nothing left to fill
//! in, or [`Diagnostics`]: everything that is wrong with it, each with its place. [`schema()`] is
//! the JSON Schema for editors, which has every key with its documentation. [`realised()`] writes a
//! scenario that repeats a run.
//!
//! # Overrides
//!
//! [`Options::overrides`] changes a file before it is read, as `key=value`, and so does the `set`
//! of a `fix`. A key of Kafka's goes where it belongs: a producer's to all producers, or to one as
//! `p1.acks`; a topic's to all topics, or to one as `orders.min.insync.replicas`; a broker's to the
//! cluster. Anything else is a path into the file: `network.latency`, `seed`,
//! `producers[0].workload[0].records`, `topics.orders.partitions`. Null takes a key of Kafka's out.
//!
//! # How it is made
//!
//! Reading goes over the file once, piece by piece, and goes on after an error. What a piece may
//! be, how it is read and its schema come from one table each, in `format`. Names are looked up in
//! a `census` that is taken before, so that one wrong declaration is reported once.

#[macro_use]
mod form;
mod census;
mod config;
mod diagnostic;
mod document;
mod expectation;
mod format;
mod internal;
mod load;
mod nearest;
mod overrides;
mod quantity;
mod read;
mod realised;
mod schema;
mod source;
mod words;

pub use diagnostic::{Colour, Diagnostic, Diagnostics, Severity};
pub use expectation::{Count, Expectations, FactCount, Range, Unmet};
pub use load::{Fix, Loaded, Options, load_file, load_text};
pub use realised::realised;
pub use schema::schema;
pub use source::{Place, Position, Source, SourceId, Sources};
