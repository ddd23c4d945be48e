//! What a transaction coordinator is asked and what happens to it, as the Java program
//! `Transactions` reads it.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A producer id and epoch; without one -1 and -1.
pub(crate) type Producer = (i64, i16);

/// What is written down about an id, with everything that a record may have: the id's number, the
/// state, producer id and epoch, the producer ids before and after, the timeout, the partitions,
/// start, last update and the client's version. An id alone is a tombstone.
pub(crate) type Record = Value;

/// One thing that is done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// InitProducerId with a timeout.
    Init(u16, u32, Producer),
    /// AddPartitionsToTxn as a client asks it.
    Add(u16, Producer, Vec<u16>),
    /// AddPartitionsToTxn as a leader asks it.
    Join(u16, Producer, Vec<u16>),
    /// A leader asks whether partitions are in the transaction.
    Verify(u16, Producer, Vec<u16>),
    /// AddOffsetsToTxn.
    Offsets(u16, Producer),
    /// EndTxn: whether it commits, and the version.
    End(u16, Producer, bool, u8),
    /// A leader answers with an error for the partition at a place, or for all.
    Markers(u8, String, i32),
    /// The connection to a leader ends.
    Lost(u8),
    /// The follower has so many more records, 0 for all.
    Replicate(u64),
    /// So many replicas are in sync.
    InSync(u32),
    /// Another broker leads.
    Resign,
    /// This broker leads in a new epoch.
    Elect,
    /// The other leader has written something.
    Wrote(Record),
    /// So many milliseconds pass.
    Wait(u64),
}

/// What is done to one coordinator.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Script {
    /// The level of transaction.version.
    pub(crate) version: u8,
    /// How many milliseconds it takes to read the partition.
    pub(crate) load: u64,
    /// At how many microseconds transactions are first looked at whose time is over.
    pub(crate) abort: u64,
    /// At how many microseconds ids are first looked at that nobody uses.
    pub(crate) expire: u64,
    /// From first to last.
    pub(crate) steps: Vec<Step>,
}

const fn result(commits: bool) -> &'static str {
    if commits { "commit" } else { "abort" }
}

impl Step {
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Init(id, timeout, (pid, epoch)) => json!(["init", id, timeout, pid, epoch]),
            Self::Add(id, (pid, epoch), partitions) => json!(["add", id, pid, epoch, partitions]),
            Self::Join(id, (pid, epoch), partitions) => json!(["join", id, pid, epoch, partitions]),
            Self::Verify(id, (pid, epoch), partitions) => {
                json!(["verify", id, pid, epoch, partitions])
            }
            Self::Offsets(id, (pid, epoch)) => json!(["offsets", id, pid, epoch]),
            Self::End(id, (pid, epoch), commits, version) => {
                json!(["end", id, pid, epoch, result(*commits), version])
            }
            Self::Markers(broker, error, place) => json!(["markers", broker, error, place]),
            Self::Lost(broker) => json!(["lost", broker]),
            Self::Replicate(count) => json!(["replicate", count]),
            Self::InSync(replicas) => json!(["isr", replicas]),
            Self::Resign => json!(["resign"]),
            Self::Elect => json!(["elect"]),
            Self::Wrote(record) => json!(["wrote", record]),
            Self::Wait(ms) => json!(["wait", ms]),
        }
    }

    fn from_json(json: &Value) -> Option<Self> {
        let (kind, about) = json.as_array()?.split_first()?;
        Some(match kind.as_str()? {
            "init" => {
                let (id, timeout, pid, epoch) = read(about)?;
                Self::Init(id, timeout, (pid, epoch))
            }
            "add" => adding(about, Self::Add)?,
            "join" => adding(about, Self::Join)?,
            "verify" => adding(about, Self::Verify)?,
            "offsets" => {
                let (id, pid, epoch) = read(about)?;
                Self::Offsets(id, (pid, epoch))
            }
            "end" => {
                let (id, pid, epoch, how, version): (_, _, _, String, _) = read(about)?;
                Self::End(id, (pid, epoch), how == result(true), version)
            }
            "markers" => {
                let (broker, error, place) = read(about)?;
                Self::Markers(broker, error, place)
            }
            "lost" => Self::Lost(read::<(u8,)>(about)?.0),
            "replicate" => Self::Replicate(read::<(u64,)>(about)?.0),
            "isr" => Self::InSync(read::<(u32,)>(about)?.0),
            "resign" => Self::Resign,
            "elect" => Self::Elect,
            "wrote" => Self::Wrote(about.first()?.clone()),
            "wait" => Self::Wait(read::<(u64,)>(about)?.0),
            _ => return None,
        })
    }
}

fn read<T: DeserializeOwned>(about: &[Value]) -> Option<T> {
    serde_json::from_value(Value::Array(about.to_vec())).ok()
}

fn adding(about: &[Value], step: impl Fn(u16, Producer, Vec<u16>) -> Step) -> Option<Step> {
    let (id, pid, epoch, partitions) = read(about)?;
    Some(step(id, (pid, epoch), partitions))
}

impl Script {
    /// Whether another broker writes only while it leads, and nobody is elected again while it still
    /// reads: then Kafka reads twice at once, and may not notice that it has resigned.
    pub(crate) fn is_sound(&self) -> bool {
        let (mut leads, mut now, mut loaded) = (true, 0, 0);
        self.steps.iter().all(|step| match step {
            Step::Wait(ms) => {
                now += ms;
                true
            }
            Step::Elect => {
                let was_loaded = !leads || loaded <= now;
                (leads, loaded) = (true, now + self.load);
                was_loaded
            }
            Step::Resign => {
                leads = false;
                true
            }
            Step::Wrote(_) => !leads,
            _ => true,
        })
    }

    /// The line that the Java program reads.
    pub(crate) fn to_json(&self) -> Value {
        let steps: Vec<Value> = self.steps.iter().map(Step::to_json).collect();
        json!({
            "version": self.version,
            "load": self.load,
            "abort": self.abort,
            "expire": self.expire,
            "steps": steps,
        })
    }

    /// The script in such a line.
    pub(crate) fn from_json(json: &Value) -> Option<Self> {
        let steps = json["steps"].as_array()?.iter().map(Step::from_json);
        Some(Self {
            version: json["version"].as_u64()?.try_into().ok()?,
            load: json["load"].as_u64()?,
            abort: json["abort"].as_u64()?,
            expire: json["expire"].as_u64()?,
            steps: steps.collect::<Option<_>>()?,
        })
    }
}
