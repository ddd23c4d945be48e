//! What a group coordinator is asked and what happens to it, as the Java program `Groups` reads it.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The number of a member's name, -1 without one, and the generation.
pub(crate) type Member = (i32, i32);
/// Partitions, each with an offset.
pub(crate) type Offsets = Vec<(u16, u64)>;

/// One thing that is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// JoinGroup.
    Join(Join),
    /// SyncGroup, with what everybody gets.
    Sync(Member, Vec<(i32, Vec<u16>)>),
    /// Heartbeat.
    Heartbeat(Member),
    /// LeaveGroup.
    Leave(i32),
    /// OffsetCommit.
    Commit(Member, Offsets),
    /// OffsetFetch, of a member of the consumer protocol or of nobody in particular.
    Fetch(Vec<u16>, Member),
    /// ConsumerGroupHeartbeat.
    Beat(Beat),
    /// TxnOffsetCommit of a producer id.
    Txn(u64, Member, Offsets),
    /// The transaction of a producer id ends: whether it commits.
    End(u64, bool),
    /// The follower has so many more records, 0 for all.
    Replicate(u64),
    /// Another broker leads.
    Resign,
    /// This broker leads in a new epoch.
    Elect,
    /// So many milliseconds pass.
    Wait(u64),
}

/// A member wants to join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Join {
    /// The number of its name, or -1.
    pub(crate) member: i32,
    /// session.timeout.ms
    pub(crate) session_ms: u32,
    /// max.poll.interval.ms
    pub(crate) rebalance_ms: u32,
    /// 0 is eager, 1 cooperative.
    pub(crate) protocol: u8,
    /// What it owns.
    pub(crate) owned: Vec<u16>,
    /// Its last generation, or -1.
    pub(crate) generation: i32,
}

/// A member of the consumer protocol joins, lives or leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Beat {
    /// The number of its name.
    pub(crate) member: i32,
    /// Its epoch, or -1 to leave.
    pub(crate) epoch: i32,
    /// max.poll.interval.ms, or -1.
    pub(crate) rebalance_ms: i32,
    /// Its topics, if it names them.
    pub(crate) topics: Option<Vec<u16>>,
    /// group.remote.assignor, if it names one.
    pub(crate) assignor: Option<String>,
    /// What it owns, if it says so.
    pub(crate) owned: Option<Vec<u16>>,
}

/// What is done to one coordinator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Script {
    /// How many milliseconds it takes to read the partition.
    pub(crate) load: u64,
    /// How many names there are from the beginning: those that members of the consumer protocol
    /// take.
    pub(crate) own: u32,
    /// From first to last.
    pub(crate) steps: Vec<Step>,
}

const fn result(commits: bool) -> &'static str {
    if commits { "commit" } else { "abort" }
}

impl Step {
    fn to_json(&self) -> Value {
        match self {
            Self::Join(join) => json!([
                "join",
                join.member,
                join.session_ms,
                join.rebalance_ms,
                join.protocol,
                join.owned,
                join.generation,
            ]),
            Self::Sync((member, generation), given) => json!(["sync", member, generation, given]),
            Self::Heartbeat((member, generation)) => json!(["heartbeat", member, generation]),
            Self::Leave(member) => json!(["leave", member]),
            Self::Commit((member, generation), offsets) => {
                json!(["commit", member, generation, offsets])
            }
            Self::Fetch(partitions, (-1, _)) => json!(["fetch", partitions]),
            Self::Fetch(partitions, (member, epoch)) => json!(["fetch", partitions, member, epoch]),
            Self::Beat(beat) => json!([
                "beat",
                beat.member,
                beat.epoch,
                beat.rebalance_ms,
                beat.topics,
                beat.assignor,
                beat.owned,
            ]),
            Self::Txn(pid, (member, generation), offsets) => {
                json!(["txn", pid, member, generation, offsets])
            }
            Self::End(pid, commits) => json!(["end", pid, result(*commits)]),
            Self::Replicate(count) => json!(["replicate", count]),
            Self::Resign => json!(["resign"]),
            Self::Elect => json!(["elect"]),
            Self::Wait(ms) => json!(["wait", ms]),
        }
    }

    fn from_json(json: &Value) -> Option<Self> {
        let (kind, about) = json.as_array()?.split_first()?;
        Some(match kind.as_str()? {
            "join" => {
                let (member, session_ms, rebalance_ms, protocol, owned, generation) = read(about)?;
                let join = Join { member, session_ms, rebalance_ms, protocol, owned, generation };
                Self::Join(join)
            }
            "sync" => {
                let (member, generation, given) = read(about)?;
                Self::Sync((member, generation), given)
            }
            "heartbeat" => Self::Heartbeat(read(about)?),
            "leave" => Self::Leave(read::<(i32,)>(about)?.0),
            "commit" => {
                let (member, generation, offsets) = read(about)?;
                Self::Commit((member, generation), offsets)
            }
            "fetch" if about.len() == 1 => Self::Fetch(read::<(Vec<u16>,)>(about)?.0, (-1, -1)),
            "fetch" => {
                let (partitions, member, epoch) = read(about)?;
                Self::Fetch(partitions, (member, epoch))
            }
            "beat" => {
                let (member, epoch, rebalance_ms, topics, assignor, owned) = read(about)?;
                Self::Beat(Beat { member, epoch, rebalance_ms, topics, assignor, owned })
            }
            "txn" => {
                let (pid, member, generation, offsets) = read(about)?;
                Self::Txn(pid, (member, generation), offsets)
            }
            "end" => {
                let (pid, how): (u64, String) = read(about)?;
                Self::End(pid, how == result(true))
            }
            "replicate" => Self::Replicate(read::<(u64,)>(about)?.0),
            "resign" => Self::Resign,
            "elect" => Self::Elect,
            "wait" => Self::Wait(read::<(u64,)>(about)?.0),
            _ => return None,
        })
    }
}

fn read<T: DeserializeOwned>(about: &[Value]) -> Option<T> {
    serde_json::from_value(Value::Array(about.to_vec())).ok()
}

impl Script {
    /// Whether nobody is elected while the partition is still being read: what Kafka's two readers do
    /// then is a race.
    pub(crate) fn is_sound(&self) -> bool {
        let (mut now, mut loaded) = (0, 0);
        self.steps.iter().all(|step| {
            match step {
                Step::Wait(ms) => now += ms,
                Step::Elect if loaded > now => return false,
                Step::Elect => loaded = now + self.load,
                Step::Replicate(_) | Step::Resign => {}
                // A millisecond passes before each request.
                _ => now += 1,
            }
            true
        })
    }

    /// The line that the Java program reads.
    pub(crate) fn to_json(&self) -> Value {
        let steps: Vec<Value> = self.steps.iter().map(Step::to_json).collect();
        json!({ "load": self.load, "own": self.own, "steps": steps })
    }

    /// The script in such a line.
    pub(crate) fn from_json(json: &Value) -> Option<Self> {
        let steps = json["steps"].as_array()?.iter().map(Step::from_json);
        let own = json["own"].as_u64().unwrap_or_default() as u32;
        Some(Self { load: json["load"].as_u64()?, own, steps: steps.collect::<Option<_>>()? })
    }
}
