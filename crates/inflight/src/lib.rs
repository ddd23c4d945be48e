//! A deterministic simulator of Kafka producer delivery semantics.
//!
//! Give it a scenario: a cluster, producers with their settings, a workload, faults, a seed. It
//! says what was lost, duplicated, reordered or torn, why, and which setting would have prevented
//! it. The same scenario and seed give the same run, byte for byte, on every machine.
//!
//! ```
//! use inflight::{Keep, Options, Verdict, load_text, play};
//!
//! let scenario = r#"{
//!   "title": "A lost response makes a duplicate",
//!   "cluster": { "brokers": 1 },
//!   "topics": [{ "name": "orders", "replication": 1 }],
//!   "producers": [{
//!     "name": "p1",
//!     "config": { "enable.idempotence": false },
//!     "workload": [{ "topic": "orders", "records": 1 }],
//!   }],
//!   "faults": [{
//!     "when": { "happened": "BatchAppended" },
//!     "then": { "lose": { "next": "response", "to": "p1" } },
//!   }],
//! }"#;
//! let loaded = load_text("story.json", scenario, &Options::default())?;
//! let played = play(&loaded, Keep::Everything);
//!
//! assert_eq!(played.judgement.worst(), Verdict::Allowed);
//! assert_eq!(played.judgement.counts.duplicated, 1);
//! for explanation in played.explain(&loaded.description).explanations {
//!     println!("{}: {}", explanation.headline, explanation.mechanism.sentence());
//! }
//! # Ok::<(), inflight::Diagnostics>(())
//! ```
//!
//! [`load_file`] and [`load_text`] read scenarios, [`play`] runs one and judges it,
//! [`Played::explain`] tells why. For many runs of one scenario, tests that look in between, or
//! setups made by code, see [`sim`].

mod play;

pub use inflight_check::{
    CheckerId, Counts, Explanation, Finding, Guarantee, Judgement, Mechanism, Opinion, Promise,
    Reason, Remedy, Report, Verdict, judge_recording, promised,
};
pub use inflight_des::{Halt, Instant, Script, Seed, Span};
pub use inflight_protocol::{Fact, FactKind};
pub use inflight_scenario::{
    Colour, Count, Diagnostic, Diagnostics, Expectations, Fix, Loaded, Options, Severity, Unmet,
    load_file, load_text, realised, schema,
};
pub use inflight_trace::Description;
pub use play::{Keep, Played, play};

/// Checkers, guarantees, verdicts and explanations.
pub use inflight_check as check;
/// Facts and what they are made of.
pub use inflight_protocol as protocol;
/// The simulator itself.
pub use inflight_sim as sim;
/// Recordings, their file form, sentences and lanes.
pub use inflight_trace as trace;
