//! Readers of the stream of facts: they watch a run or read a file, and change nothing.
//!
//! - [`Observer`] is who watches; observers are types and compose as tuples. [`Recorder`] keeps
//!   facts, [`TraceDigest`] digests them, [`Forbid`] waits for what must not occur.
//! - [`Description`] is what a reader must know of the setup; [`jsonl`] is the file with both.
//! - [`sentence`] tells a fact in English, with the names of a [`Namer`]; [`lanes`] draws a run as
//!   text, one line a fact.
//!
//! Everything here works from a file that was written yesterday. Nothing here knows a machine, the
//! simulator or a checker.
//!
//! ```
//! use inflight_des::Instant;
//! use inflight_protocol::{BrokerId, Fact};
//! use inflight_trace::{Description, Observer, Recorder, lanes};
//!
//! let mut recorder = Recorder::default();
//! recorder.offer(Instant::START, &Fact::BrokerStarted { broker: BrokerId::new(2) });
//!
//! let description = Description { brokers: 2, ..Description::default() };
//! let text = lanes::render(&description, recorder.facts(), &lanes::Options::default());
//! assert_eq!(
//!     text,
//!     "         time  fact  ctl b1 b2\n     0.000 ms     1         (   started    b2\n"
//! );
//! ```

pub mod description;
pub mod digest;
pub mod jsonl;
pub mod lanes;
pub mod names;
pub mod observer;
pub mod recorder;
pub mod story;

pub use description::{
    ClientDescription, CommitStyle, ConsumerDescription, Description, DescriptionError,
    TopicDescription,
};
pub use digest::{Divergence, TraceDigest, first_divergence};
pub use names::Names;
pub use observer::{Forbid, Observer};
pub use recorder::{Recorder, replay};
pub use story::{ENGLISH, Namer, Nouns, sentence, sentence_by};
