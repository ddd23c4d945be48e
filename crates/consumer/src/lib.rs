//! The Kafka consumer client as a machine.
//!
//! ```text
//!  application's thread                                   heartbeat thread
//!  ─────────────────────────────────────────────────      ────────────────
//!  poll ─ coordinator ─ membership ─ positions ─┐          every 100 ms:
//!           commits        (join, sync)         │          heartbeat, session,
//!                                               ▼          time since poll
//!         SubscriptionState ◀── Fetcher ── Network ───▶ brokers
//! ```
//!
//! [`Consumer`] is a plain struct without clock, network or thread. Each call gets a turn and leaves
//! an ordered list of effects: requests and facts. The application's one thread calls
//! [`Consumer::poll`], [`Consumer::commit_sync`], [`Consumer::commit_async`], [`Consumer::seek`],
//! [`Consumer::close`] and so on; what arrives comes through [`Consumer::handle`];
//! [`Consumer::next_timeout`] says when [`Consumer::handle_timeout`] is due; and what the
//! application gets to know lies in [`Consumer::completions`].
//!
//! As in Kafka nothing is read from the network unless somebody polls: the application inside a
//! call, or the heartbeat thread of a member of a group, which looks every retry.backoff.ms. What
//! arrives in the meantime waits. With the consumer protocol (KIP-848) there is a network thread
//! instead, which is always there:
//!
//! ```text
//!  application's thread                 network thread (background)
//!  ───────────────────────────────      ─────────────────────────────────────────
//!  poll ── what there is to do ◀──────── membership: join, reconcile, fenced, leave
//!   │      (revoke, assign, throw)       heartbeats, commits, committed offsets, lookup
//!   ▼                                          │
//!  Fetcher ── SubscriptionState ───────────────┴── Network ───▶ brokers
//! ```
//!
//! The facts are stated where Kafka calls the application back or returns to it.
//!
//! Time is what `System.currentTimeMillis()` would say: whole milliseconds, as in Kafka.

mod assignor;
mod background;
mod call;
mod close;
mod completed_fetch;
mod completion;
mod consumer;
mod coordinator;
mod env;
mod fetcher;
mod metadata;
mod network;
mod offsets;
mod request;
mod subscription;
mod wait;

pub use completion::Completion;
pub use consumer::Consumer;
pub use env::{Env, Streams};
