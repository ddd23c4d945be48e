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
    /// What stands for chance when a sticky partition is chosen, in turn and over again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) choices: Vec<u32>,
    /// Of a transactional producer. Then the script answers every request about transactions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) transactions: Option<Transactions>,
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
    #[serde(flatten)]
    pub(crate) rare: Rare,
}

/// Settings that only some spaces choose; what is not named is Kafka's default, or as the fields say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Rare {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_block_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) buffer_memory: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_request_size: Option<u32>,
    /// 10 seconds by default, and never longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) setup_timeout_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) setup_timeout_max_ms: Option<i64>,
    /// How many quarters of a batch compression leaves; none by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) compressed_quarters: Option<u8>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) round_robin: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) ignore_keys: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) not_adaptive: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) availability_timeout_ms: Option<i64>,
}

/// What scripts with transactions choose besides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Transactions {
    /// The level of transaction.version.
    pub(crate) version: u8,
    /// The broker that coordinates the transactional id.
    pub(crate) coordinator: u8,
    /// The broker that coordinates the group.
    pub(crate) group_coordinator: u8,
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
    /// A thread of its own sends a record without headers, its value so many bytes long. The key
    /// is `key` and the number.
    Send {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        partition: Option<u16>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<u32>,
        size: u32,
    },
    /// The application calls flush() on a thread of its own.
    Flush,
    /// The application calls close() on a thread of its own.
    Close { timeout_ms: i64 },
    /// The oldest produce request of the n-th broker that has one is answered. The
    /// errors are for partitions 0, 1, … in turn; none means success.
    Answer {
        nth: usize,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        errors: Vec<String>,
        /// Whether NOT_LEADER_OR_FOLLOWER names the leader (KIP-951).
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        hint: bool,
        /// For how many milliseconds the client is to send nothing more.
        #[serde(default, skip_serializing_if = "is_zero")]
        throttle: u32,
        /// The error if the request is about transactions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// initTransactions(), each call on a thread of its own.
    Init,
    /// beginTransaction()
    Begin,
    /// sendOffsetsToTransaction()
    Offsets { partition: u16, offset: u64 },
    /// commitTransaction()
    Commit,
    /// abortTransaction()
    Abort,
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
    /// A partition gets a leader and a leader epoch; 0 is nobody.
    Lead { partition: u16, leader: u8 },
}

impl What {
    /// An answer to the oldest request of the n-th broker that has one.
    pub(crate) fn answer(nth: usize, errors: Vec<String>) -> Self {
        Self::Answer { nth, errors, hint: false, throttle: 0, error: None }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A script and what a producer did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Recorded {
    pub(crate) script: Script,
    pub(crate) lines: Vec<String>,
}

impl Recorded {
    /// What both producers must agree on: all, but for the order of failures at one millisecond,
    /// as Kafka aborts the batches of a hash set, and that of acks=0, which it takes from a hash map
    /// too small to have an order. That flush() and close() return comes last in its
    /// millisecond: their threads are woken, and may take their time. That send() throws because the
    /// producer is in a fatal state is left out: its record fails as well.
    pub(crate) fn comparable(lines: &[String]) -> Vec<String> {
        let fatal = |line: &&String| line.contains(" throw ") && line.ends_with(" KafkaException");
        let lines = crate::calls::comparable(lines);
        let mut sorted: Vec<String> = lines.iter().filter(|line| !fatal(line)).cloned().collect();
        for run in sorted.chunk_by_mut(|one, other| at(one) == at(other)) {
            run.sort_by_key(|line| {
                (line.ends_with(" closed") && !line.contains(" throw "), line.contains(" flushed "))
            });
        }
        for run in sorted.chunk_by_mut(|one, other| {
            failure(one).is_some() && failure(other).is_some() && at(one) == at(other)
        }) {
            run.sort_by_key(|line| failure(line));
        }
        let unsure = |line: &str| line.ends_with(" @?");
        for run in
            sorted.chunk_by_mut(|one, other| unsure(one) && unsure(other) && at(one) == at(other))
        {
            run.sort_by(|one, other| one.split(' ').nth(3).cmp(&other.split(' ').nth(3)));
        }
        sorted
    }
}

/// The millisecond.
fn at(line: &str) -> &str {
    line.split(' ').next().unwrap_or("")
}

/// The record of a failure.
fn failure(line: &str) -> Option<u32> {
    let record = line.split(' ').skip_while(|word| *word != "fail").nth(1)?;
    record.strip_prefix('r')?.parse().ok()
}
