//! The observer that all checkers share.
//!
//! It keeps the user's view ([`Told`]), every log, and what each invariant saw go wrong. A fact
//! costs a few nanoseconds: batches are runs, runs that continue one another merge, and what every
//! replica has and is committed is read once and forgotten.

mod oracle;
mod records;
mod settle;
mod transactions;

pub(crate) use oracle::{ends_producer, is_certain};
#[cfg(test)]
pub(crate) use settle::Limits;
pub(crate) use settle::{Odd, What};

use crate::coordinated::{Calm, Coordinated};
use crate::incident::{Examined, Incidents};
use crate::partition::Partition;
use crate::plan::{ClientPlan, Plan};
use crate::pool;
use crate::producers::Producers;
use crate::promise::{Behind, Case, Happened};
use crate::runs::Runs;
use crate::seen::Seen;
use crate::told::{self, Told};
use crate::verdict::FactRef;
use inflight_des::{Instant, Kinds};
use inflight_protocol::fact::kinds;
use inflight_protocol::ids::{ProducerEpoch, ProducerId, SessionId, TopicPartition};
use inflight_protocol::{Fact, FactKind};
use inflight_trace::{Description, Observer};
use settle::Settled;

/// Everything that checkers remember of a run.
#[derive(Debug)]
pub struct History {
    pub(crate) plan: Plan,
    pub(crate) told: Told,
    pub(crate) partitions: Vec<Partition>,
    /// What the oracle knows of each lane.
    pub(crate) traces: Vec<LaneTrace>,
    /// By partition, what the leader's log says of producers.
    producers: Vec<Producers>,
    /// By session, the producer id and what became of its epoch.
    identities: Vec<Identity>,
    /// By client, whether it ever stopped running for a while.
    pub(crate) paused: Vec<bool>,
    pub(crate) incidents: Incidents,
    pub(crate) examined: Examined,
    pub(crate) settled: Settled,
    /// What coordinators decide. Most runs have none.
    pub(crate) coordinated: Option<Box<Coordinated>>,
    pub(crate) calm: Calm,
    /// How many facts were observed.
    index: u64,
}

impl Clone for History {
    fn clone(&self) -> Self {
        let mut copy = Self {
            plan: Plan::default(),
            told: Told::default(),
            partitions: Vec::new(),
            traces: Vec::new(),
            producers: Vec::new(),
            identities: Vec::new(),
            paused: Vec::new(),
            incidents: Incidents::default(),
            examined: Examined::default(),
            settled: Settled::default(),
            coordinated: None,
            calm: Calm::default(),
            index: 0,
        };
        copy.clone_from(self);
        copy
    }

    /// As `clone`, but keeps the memory that `self` has: how a run is reset by copying.
    fn clone_from(&mut self, source: &Self) {
        let Self {
            plan,
            told,
            partitions,
            traces,
            producers,
            identities,
            paused,
            incidents,
            examined,
            settled,
            coordinated,
            calm,
            index,
        } = source;
        self.plan.clone_from(plan);
        self.told.clone_from(told);
        self.partitions.clone_from(partitions);
        pool::copy(&mut self.traces, traces, LaneTrace::clear);
        self.producers.clone_from(producers);
        self.identities.clone_from(identities);
        self.paused.clone_from(paused);
        self.incidents.clone_from(incidents);
        self.settled.clone_from(settled);
        self.coordinated.clone_from(coordinated);
        self.calm.clone_from(calm);
        (self.examined, self.index) = (*examined, *index);
    }
}

/// What the oracle knows of one lane.
#[derive(Debug, Default)]
pub(crate) struct LaneTrace {
    /// The records that any leader ever appended.
    pub(crate) appended: Runs,
    /// The records that ever left the client.
    pub(crate) drained: Runs,
    /// The records with an attempt whose outcome nobody told the client for certain.
    pub(crate) doubtful: Runs,
    /// The records that a leader refused with an error that ends the producer.
    pub(crate) refused: Runs,
    /// What a reader finds in the part of the log that was forgotten.
    pub(crate) seen: Seen,
}

inflight_des::clone_fields!(LaneTrace { appended, drained, doubtful, refused, seen });

impl LaneTrace {
    fn clear(&mut self) {
        self.appended.clear();
        self.drained.clear();
        self.doubtful.clear();
        self.refused.clear();
        self.seen.clear();
    }
}

/// What a session calls itself on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Identity {
    id: Option<ProducerId>,
    epoch: ProducerEpoch,
    /// Whether it ever had another one.
    has_changed: bool,
}

/// The kinds that only the oracle sees.
const ORACLE: Kinds = kinds(&[
    FactKind::ProducerPaused,
    FactKind::ProducerIdAssigned,
    FactKind::ProducerEpochBumped,
    FactKind::BatchDrained,
    FactKind::BatchRequeued,
    FactKind::BatchAppended,
    FactKind::DuplicateRecognized,
    FactKind::ProducerStateExpired,
    FactKind::BatchRejected,
    FactKind::HighWatermarkAdvanced,
    FactKind::HighWatermarkRegressed,
    FactKind::LogTruncated,
    FactKind::LogFlushed,
    FactKind::LogRecovered,
    FactKind::IsrProposed,
    FactKind::BecameLeader,
    FactKind::BecameFollower,
    FactKind::BrokerCrashed,
    FactKind::BrokerStarted,
    FactKind::BrokerRegistered,
    FactKind::BrokerStopped,
    FactKind::IsrChanged,
    FactKind::LeaderElected,
])
.and(COORDINATED);

/// Those of them that only runs with transactions or groups have, and what disturbs a cluster.
const COORDINATED: Kinds = kinds(&[
    FactKind::InternalRecordsAppended,
    FactKind::MarkerAppended,
    FactKind::LastStableOffsetAdvanced,
    FactKind::TransactionStatePending,
    FactKind::TransactionStateChanged,
    FactKind::TransactionPartitionAdded,
    FactKind::TransactionVerified,
    FactKind::TransactionTimedOut,
    FactKind::CoordinatorLoaded,
    FactKind::CoordinatorUnloaded,
    FactKind::GroupOffsetPending,
    FactKind::GroupOffsetCommitted,
    FactKind::LinkCut,
    FactKind::LinkHealed,
    FactKind::BrokerPaused,
    FactKind::BrokerResumed,
]);

impl Observer for History {
    const INTEREST: Kinds = told::INTEREST.and(ORACLE);

    #[inline]
    fn on_fact(&mut self, at: Instant, fact: &Fact) {
        let index = self.index;
        self.index += 1;
        self.observe(FactRef { index, at, kind: fact.kind() }, fact);
    }
}

impl History {
    /// A history of a run of this setup, before it starts.
    pub fn new(description: &Description) -> Self {
        let plan = Plan::new(description);
        let partition = |settings| Partition::new(plan.brokers, Some(settings));
        Self {
            partitions: plan.partitions.iter().copied().map(partition).collect(),
            producers: plan.partitions.iter().map(|_| Producers::default()).collect(),
            plan,
            told: Told::default(),
            traces: Vec::new(),
            identities: Vec::new(),
            paused: Vec::new(),
            incidents: Incidents::default(),
            examined: Examined::default(),
            settled: Settled::default(),
            coordinated: None,
            calm: Calm::default(),
            index: 0,
        }
    }

    /// Forgets the run and keeps the memory.
    pub fn reset(&mut self) {
        self.told.reset();
        self.partitions.iter_mut().for_each(Partition::reset);
        self.traces.iter_mut().for_each(LaneTrace::clear);
        self.producers.iter_mut().for_each(Producers::reset);
        self.identities.clear();
        self.paused.clear();
        self.incidents.clear();
        self.examined = Examined::default();
        self.settled.clear();
        if let Some(coordinated) = &mut self.coordinated {
            coordinated.reset();
        }
        self.calm.reset();
        self.index = 0;
    }

    /// What happened so far, as far as promises depend on it.
    pub fn happened(&self) -> Happened {
        let failed = |index| {
            let lanes = self.told.lanes().iter().filter(|lane| lane.has_failed());
            lanes.filter_map(|lane| lane.client).any(|client| client.index() == index)
        };
        Happened {
            partitions: self.partitions.iter().map(|partition| partition.happened).collect(),
            errors: (0..self.plan.clients.len()).map(failed).collect(),
        }
    }

    /// How many facts were observed.
    pub const fn facts(&self) -> u64 {
        self.index
    }

    /// Takes in a fact with its position. Facts of other kinds change nothing.
    #[inline]
    pub(crate) fn observe(&mut self, seen: FactRef, fact: &Fact) {
        self.told.on_fact(seen, fact);
        self.on_oracle_fact(seen, fact);
    }

    /// The number of a partition in the tables, which grow if it is unknown.
    #[inline]
    fn at(&mut self, partition: TopicPartition) -> usize {
        if self.partitions.len() <= partition.index() {
            self.grow(partition);
        }
        partition.index()
    }

    #[cold]
    fn grow(&mut self, partition: TopicPartition) {
        let brokers = self.plan.brokers;
        self.partitions.resize_with(partition.index() + 1, || Partition::new(brokers, None));
        self.producers.resize_with(partition.index() + 1, Producers::default);
    }

    /// The lane of a session and partition, with a place for what the oracle knows of it.
    #[inline]
    fn lane(&mut self, session: SessionId, partition: TopicPartition) -> usize {
        let lane = self.told.lane(session, partition);
        if self.traces.len() <= lane {
            self.traces.resize_with(lane + 1, LaneTrace::default);
        }
        lane
    }

    /// What is promised to a lane.
    pub(crate) fn case(&self, lane: usize) -> Case {
        let lane = &self.told.lanes()[lane];
        let case = self.case_of(self.plan.client(lane.client), lane.partition);
        Case { error_surfaced: lane.has_failed(), ..case }
    }

    /// What is promised to a client about a partition.
    pub(crate) fn case_of(&self, client: ClientPlan, partition: TopicPartition) -> Case {
        let partition = self.partitions.get(partition.index());
        Case {
            client,
            partition: partition.and_then(|p| p.plan).unwrap_or(crate::partition::UNKNOWN),
            happened: Some(partition.map(|p| p.happened).unwrap_or_default()),
            error_surfaced: false,
            cluster: self.plan.cluster,
            behind: if self.plan.is_coordinated { self.behind() } else { Behind::SOUND },
        }
    }

    /// Whether the internal topics are as sound as promises need them.
    fn behind(&self) -> Behind {
        let parts = self.partitions.iter();
        Behind::of(parts.filter_map(|p| Some((p.plan?, Some(p.happened)))))
    }
}
