//! What goes wrong inside the cluster, noted at the fact that shows it.

use crate::promise::Armed;
use crate::runs::Run;
use crate::verdict::{Aspect, CheckerId, FactRef};
use inflight_protocol::ids::{SessionId, TopicPartition};

/// Something that contradicts an invariant, seen at one fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Incident {
    pub(crate) checker: CheckerId,
    pub(crate) aspect: Aspect,
    pub(crate) fact: FactRef,
    /// The partition concerned. Means nothing if it is about a client alone.
    pub(crate) partition: TopicPartition,
    /// The records concerned, if it is about records.
    pub(crate) records: Option<(SessionId, Run)>,
    /// The offset concerned, if it is about one.
    pub(crate) offset: Option<u64>,
    /// What was promised at that moment, if it depends on the moment.
    pub(crate) armed: Option<Armed>,
}

impl FactRef {
    /// Something that this fact shows.
    pub(crate) const fn incident(
        self,
        checker: CheckerId,
        aspect: Aspect,
        partition: TopicPartition,
    ) -> Incident {
        let (records, offset, armed) = (None, None, None);
        Incident { checker, aspect, fact: self, partition, records, offset, armed }
    }
}

impl Incident {
    pub(crate) const fn at_offset(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }

    pub(crate) const fn about(mut self, session: SessionId, run: Run) -> Self {
        self.records = Some((session, run));
        self
    }

    pub(crate) const fn armed(mut self, armed: Armed) -> Self {
        self.armed = Some(armed);
        self
    }
}

/// The incidents of a run. More than a limit are counted and not kept.
#[derive(Debug, Default)]
pub(crate) struct Incidents {
    list: Vec<Incident>,
    /// How many were seen.
    seen: u64,
}

inflight_des::clone_fields!(Incidents { list, seen });

/// How many incidents are kept.
const KEPT_MAX: usize = 4_096;

impl Incidents {
    pub(crate) fn clear(&mut self) {
        self.list.clear();
        self.seen = 0;
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.seen == 0
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Incident> {
        self.list.iter()
    }

    #[cold]
    pub(crate) fn push(&mut self, incident: Incident) {
        self.seen += 1;
        if self.list.len() < KEPT_MAX {
            self.list.push(incident);
        }
    }
}

/// How many facts each invariant was held against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Examined {
    pub(crate) watermarks: u64,
    pub(crate) leaders: u64,
    pub(crate) truncations: u64,
    pub(crate) appends: u64,
    pub(crate) sequences: u64,
    pub(crate) decisions: u64,
    pub(crate) identities: u64,
}
