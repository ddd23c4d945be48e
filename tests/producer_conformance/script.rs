//! Scripts: what the application, the brokers and the network do, and when.

use serde::{Deserialize, Serialize};

/// A script for both producers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Script {
    /// What it is called in messages.
    pub(crate) id: String,
    pub(crate) config: Config,
    pub(crate) brokers: u8,
    /// The first leader of each partition.
    pub(crate) leaders: Vec<u8>,
    /// Answers to InitProducerId requests that come before success.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) id_errors: Vec<String>,
    pub(crate) steps: Vec<Step>,
    /// The millisecond at which it is over.
    pub(crate) end: u64,
}

/// The settings that scripts choose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Config {
    pub(crate) acks: i8,
    pub(crate) idempotence: bool,
    pub(crate) retries: u32,
    pub(crate) max_in_flight: u32,
    pub(crate) linger_ms: i64,
    pub(crate) batch_size: u32,
    pub(crate) request_timeout_ms: i64,
    pub(crate) delivery_timeout_ms: i64,
    pub(crate) retry_backoff_ms: i64,
    pub(crate) retry_backoff_max_ms: i64,
    pub(crate) reconnect_backoff_ms: i64,
    pub(crate) reconnect_backoff_max_ms: i64,
}

/// Something that happens at a millisecond.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Step {
    pub(crate) at: u64,
    #[serde(flatten)]
    pub(crate) what: What,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase")]
pub(crate) enum What {
    /// A record without key and headers, its value so many bytes long.
    Send { partition: u16, size: u32 },
    /// The application calls flush() on a thread of its own.
    Flush,
    /// The oldest produce request of the n-th broker that has one is answered. The
    /// errors are for partitions 0, 1, … in turn; none means success.
    Answer {
        nth: usize,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        errors: Vec<String>,
        /// Whether NOT_LEADER_OR_FOLLOWER names the leader (KIP-951).
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        hint: bool,
    },
    /// The connections of a broker break.
    Disconnect { node: u8 },
    /// A partition gets a leader and a leader epoch; 0 is nobody.
    Lead { partition: u16, leader: u8 },
}

/// A script and what a producer did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Recorded {
    pub(crate) script: Script,
    pub(crate) lines: Vec<String>,
}

impl Recorded {
    /// What both producers must agree on: all, but for the order of failures at one millisecond,
    /// as Kafka aborts the batches of a hash set.
    pub(crate) fn comparable(lines: &[String]) -> Vec<String> {
        let mut sorted = lines.to_vec();
        let at = |line: &str| failure(line).map(|(at, _)| at.to_owned());
        for run in sorted.chunk_by_mut(|one, other| at(one).is_some() && at(one) == at(other)) {
            run.sort_by_key(|line| failure(line).map(|(_, record)| record));
        }
        sorted
    }
}

/// The millisecond of a failure, and its record.
fn failure(line: &str) -> Option<(&str, u32)> {
    let (at, what) = line.split_once(' ')?;
    let (record, _) = what.strip_prefix("fail r")?.split_once(' ')?;
    Some((at, record.parse().ok()?))
}
