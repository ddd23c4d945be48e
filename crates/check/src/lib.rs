//! Guarantees, checkers and verdicts over a stream of facts, with explanations.
//!
//! A [`History`] observes a run or reads a recording. [`judge`] asks every checker
//! ([`CheckerId`]) and gives a [`Judgement`]: a [`Verdict`] with the number of things examined for
//! each, [`Counts`] over all records, and [`Finding`]s. What is promised depends on the settings
//! and on what happened: [`guarantee`] has the table, [`promise`] applies it. [`explain`] tells in a
//! second step which facts led to a finding, by which [`Mechanism`], and what would have prevented
//! it; [`judge_recording`] does all of it from a recording.
//!
//! Two views of every run: in [`View::User`] checkers know what applications were told and what a
//! reader finds in the end, in [`View::Oracle`] every log too. The user's view never finds a
//! violation where the oracle's view finds nothing.
//!
//! What the simulator promises about its verdicts:
//!
//! - *violation*: a promise is broken whatever became of records whose outcome is unknown;
//! - *possible*: some outcome breaks it, or real clients are known to fall short there;
//! - *allowed*: it is broken and was never promised after what happened;
//! - *ok*: it holds, and something was examined; *vacuous*: nothing was.
//!
//! Beside the consumers of a run there is a final read: the leader's log below its high watermark,
//! and what of it counts for who reads committed records only.
//!
//! ```
//! use inflight_check::{CheckerId, Verdict, judge_recording};
//! use inflight_trace::Description;
//!
//! let report = judge_recording(&Description::default(), &[]);
//! assert_eq!(report.judgement.opinion(CheckerId::NoLoss).verdict, Verdict::Vacuous);
//! assert!(report.explanations.is_empty());
//! ```

mod checkers;
mod coordinated;
mod entry;
mod explain;
pub mod guarantee;
mod history;
mod incident;
mod judge;
mod logs;
mod partition;
mod plan;
mod pool;
mod producers;
pub mod promise;
mod read;
mod recording;
mod runs;
mod seen;
mod told;
mod verdict;

#[cfg(test)]
mod script;
#[cfg(test)]
mod tests;

pub use explain::{Explanation, Mechanism, Remedy, Report, Step, explain, judge_recording};
pub use guarantee::Guarantee;
pub use history::History;
pub use judge::{Judge, judge};
pub use promise::{Happened, Promise, Reason, promised};
pub use recording::judge_facts;
pub use runs::{Run, Runs};
pub use verdict::{
    Aspect, CheckerId, Counts, FactRef, Finding, Judgement, Opinion, Records, Subject,
    TransactionName, Verdict, View,
};
