//! What a log is told to do, as the Java program `Log` reads it.

use serde_json::{Value, json};

/// A batch that is sent to a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    /// The producer id, or -1 for none.
    pub(crate) pid: i64,
    /// The producer epoch.
    pub(crate) epoch: i16,
    /// The sequence of the first record.
    pub(crate) sequence: i32,
    /// How many records.
    pub(crate) count: u32,
    /// The epoch of the leader.
    pub(crate) leader: u32,
}

/// One thing that is done to a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A producer's batch comes to the leader.
    Append(Batch),
    /// The leader's batch comes to a follower.
    Follow(Batch),
    /// A leader epoch starts at the end of the log.
    Lead(u32),
    /// The log is cut at an offset.
    Truncate(u64),
    /// Everything is written to disk.
    Flush,
    /// So many seconds pass.
    Wait(u64),
    /// A clean shutdown and a start.
    Close,
    /// The process dies and starts.
    Kill,
    /// The machine loses power and what was not flushed, and starts.
    Power,
}

/// What is done to one log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Script {
    /// segment.bytes
    pub(crate) segment: u32,
    /// From first to last.
    pub(crate) steps: Vec<Step>,
}

impl Step {
    fn to_json(self) -> Value {
        let batch = |name, batch: Batch| {
            json!([name, batch.pid, batch.epoch, batch.sequence, batch.count, batch.leader])
        };
        match self {
            Self::Append(it) => batch("append", it),
            Self::Follow(it) => batch("follow", it),
            Self::Lead(epoch) => json!(["lead", epoch]),
            Self::Truncate(offset) => json!(["truncate", offset]),
            Self::Flush => json!(["flush"]),
            Self::Wait(seconds) => json!(["wait", seconds]),
            Self::Close => json!(["close"]),
            Self::Kill => json!(["kill"]),
            Self::Power => json!(["power"]),
        }
    }

    fn from_json(json: &Value) -> Option<Self> {
        let number = |at: usize| json.get(at).and_then(Value::as_i64);
        let batch = || {
            Some(Batch {
                pid: number(1)?,
                epoch: number(2)?.try_into().ok()?,
                sequence: number(3)?.try_into().ok()?,
                count: number(4)?.try_into().ok()?,
                leader: number(5)?.try_into().ok()?,
            })
        };
        Some(match json.get(0)?.as_str()? {
            "append" => Self::Append(batch()?),
            "follow" => Self::Follow(batch()?),
            "lead" => Self::Lead(number(1)?.try_into().ok()?),
            "truncate" => Self::Truncate(number(1)?.try_into().ok()?),
            "flush" => Self::Flush,
            "wait" => Self::Wait(number(1)?.try_into().ok()?),
            "close" => Self::Close,
            "kill" => Self::Kill,
            "power" => Self::Power,
            _ => return None,
        })
    }
}

impl Script {
    /// The line that the Java program reads.
    pub(crate) fn to_json(&self) -> Value {
        let steps: Vec<Value> = self.steps.iter().map(|step| step.to_json()).collect();
        json!({ "segment": self.segment, "steps": steps })
    }

    /// The script in such a line.
    pub(crate) fn from_json(json: &Value) -> Option<Self> {
        let steps = json["steps"].as_array()?.iter().map(Step::from_json);
        let segment = json["segment"].as_u64()?.try_into().ok()?;
        Some(Self { segment, steps: steps.collect::<Option<_>>()? })
    }
}
