//! Scripts: what the application, the brokers and the network do, and when.

use serde::{Deserialize, Serialize};

/// A script for both consumers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Script {
    /// What it is called in messages.
    pub(crate) id: String,
    pub(crate) config: Config,
    pub(crate) brokers: u8,
    /// The first leader of each partition.
    pub(crate) leaders: Vec<u8>,
    /// Where the log of each partition begins.
    pub(crate) starts: Vec<u64>,
    /// Whether the consumer has a group.id.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) group: bool,
    /// The first coordinator of the group.
    pub(crate) coordinator: u8,
    pub(crate) steps: Vec<Step>,
    /// The millisecond at which it is over.
    pub(crate) end: u64,
}

/// The settings that scripts choose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Config {
    /// Whether isolation.level is `read_committed`.
    pub(crate) committed: bool,
    /// auto.offset.reset
    pub(crate) reset: String,
    pub(crate) max_poll_records: u32,
    pub(crate) request_timeout_ms: i64,
    pub(crate) default_api_timeout_ms: i64,
    pub(crate) retry_backoff_ms: i64,
    pub(crate) retry_backoff_max_ms: i64,
    pub(crate) reconnect_backoff_ms: i64,
    pub(crate) reconnect_backoff_max_ms: i64,
    /// auto.commit.interval.ms, with enable.auto.commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) auto_commit_ms: Option<i64>,
}

/// Something that happens at a millisecond.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Step {
    pub(crate) at: u64,
    #[serde(flatten)]
    pub(crate) what: What,
}

/// What a call commits, unless it is everything that was returned.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) partition: u16,
    pub(crate) offset: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub(crate) enum What {
    /// The application calls assign() with partitions in ascending order.
    Assign { partitions: Vec<u16> },
    /// poll()
    Poll { ms: u64 },
    /// seek()
    Seek { partition: u16, offset: u64 },
    /// seekToBeginning()
    Beginning { partition: u16 },
    /// seekToEnd()
    End { partition: u16 },
    /// pause()
    Pause { partition: u16 },
    /// resume()
    Resume { partition: u16 },
    /// commitSync()
    Commit {
        #[serde(flatten)]
        place: Option<Place>,
    },
    /// commitAsync()
    CommitAsync {
        #[serde(flatten)]
        place: Option<Place>,
    },
    /// close()
    Close { ms: u64 },
    /// The oldest request of the n-th broker that has one is answered.
    Answer {
        nth: usize,
        /// For partitions 0, 1, … in turn; none means success.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        errors: Vec<String>,
        /// For all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
        /// How many batches a fetch brings of each partition.
        #[serde(default, skip_serializing_if = "is_zero")]
        batches: usize,
        /// Whether errors about the leader name it (KIP-951).
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        hint: bool,
    },
    /// The leader of a partition appends a batch, some offsets behind the end of the log.
    Append {
        partition: u16,
        count: u32,
        #[serde(default, skip_serializing_if = "is_none_at_all")]
        gap: u64,
        #[serde(default)]
        kind: Kind,
        producer: u64,
    },
    /// The last batches of a log are gone.
    Truncate { partition: u16, batches: usize },
    /// A partition gets a leader and a leader epoch; 0 is nobody.
    Lead { partition: u16, leader: u8 },
    /// The group gets a coordinator.
    Coordinate { node: u8 },
    /// What a broker says gets through no more.
    Hold { node: u8 },
    /// All that a held broker has said gets through.
    Release { node: u8 },
    /// Connections to a broker do not come about any more.
    Hide { node: u8 },
    /// New ones do again.
    Show { node: u8 },
    /// The connections of a broker break.
    Disconnect { node: u8 },
}

/// What a batch is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    #[default]
    Plain,
    Txn,
    Commit,
    Abort,
}

impl What {
    /// An answer that is a success, with so many batches if it is to a fetch.
    pub(crate) const fn success(nth: usize, batches: usize) -> Self {
        Self::Answer { nth, errors: Vec::new(), error: None, batches, hint: false }
    }

    /// Whether the application does it.
    pub(crate) const fn is_call(&self) -> bool {
        matches!(
            self,
            Self::Assign { .. }
                | Self::Poll { .. }
                | Self::Seek { .. }
                | Self::Beginning { .. }
                | Self::End { .. }
                | Self::Pause { .. }
                | Self::Resume { .. }
                | Self::Commit { .. }
                | Self::CommitAsync { .. }
                | Self::Close { .. }
        )
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_zero(number: &usize) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_none_at_all(number: &u64) -> bool {
    *number == 0
}

/// A script and what a consumer did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Recorded {
    pub(crate) script: Script,
    pub(crate) lines: Vec<String>,
}

impl Recorded {
    /// What both consumers must agree on: in each millisecond first what goes out to each broker, and
    /// to it as coordinator, in its order, then what calls return, in theirs.
    pub(crate) fn comparable(lines: &[String]) -> Vec<String> {
        let mut sorted = lines.to_vec();
        for run in sorted.chunk_by_mut(|one, other| at(one) == at(other)) {
            run.sort_by_key(|line| (broker(line).unwrap_or(u8::MAX), to_coordinator(line)));
        }
        sorted
    }
}

/// The millisecond.
fn at(line: &str) -> &str {
    line.split(' ').next().unwrap_or("")
}

/// The broker that something goes to.
fn broker(line: &str) -> Option<u8> {
    line.split(' ').nth(2)?.strip_prefix('b')?.parse().ok()
}

/// Whether it goes to a broker as coordinator, which has a connection of its own.
fn to_coordinator(line: &str) -> bool {
    let what = line.split(' ').nth(1).unwrap_or("");
    ["commit", "committed", "join", "sync", "heartbeat", "leave"].contains(&what)
}
