//! Which guarantees stand in a run: the table applied to settings and to what happened.

mod exactly_once;
mod reason;

pub(crate) use exactly_once::Behind;
pub use reason::Reason;

use crate::guarantee::Guarantee;
use crate::plan::{ClientPlan, ClusterPlan, PartitionPlan, Plan, Role};
use crate::verdict::Verdict;
use inflight_protocol::Acks;
use inflight_trace::Description;

/// What happened to one partition, as far as promises depend on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartitionHappened {
    /// How many times a leader took over after the first.
    pub leader_changes: u32,
    /// How many leaders were elected that need not have been in sync, and were said to be so.
    pub unclean_elections: u32,
    /// How many of those made the last known leader leader again, which had lost records.
    pub last_known_elections: u32,
    /// More replicas lost unflushed records at a time than min.insync.replicas - 1.
    pub over_budget: bool,
    /// There was a time when every in-sync replica had lost unflushed records.
    pub none_survived: bool,
    /// A replica forgot a producer id because it was idle for too long.
    pub state_expired: bool,
}

impl PartitionHappened {
    /// Whether only replicas were elected that had everything.
    fn only_clean_elections(self) -> Result<(), Reason> {
        refuse(self.unclean_elections > self.last_known_elections, Reason::UncleanElection)?;
        refuse(self.unclean_elections > 0, Reason::LastKnownElection)
    }
}

/// What happened in a run, as far as promises depend on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Happened {
    /// By partition.
    pub partitions: Vec<PartitionHappened>,
    /// Whether any producer told its application an error, by client.
    pub errors: Vec<bool>,
}

/// One client, one partition, and what happened to both.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) client: ClientPlan,
    pub(crate) partition: PartitionPlan,
    /// `None` before the run.
    pub(crate) happened: Option<PartitionHappened>,
    pub(crate) error_surfaced: bool,
    pub(crate) cluster: ClusterPlan,
    /// Whether the internal topics are sound.
    pub(crate) behind: Behind,
}

/// Whether a property is promised in a case, and by which guarantee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Armed {
    /// It is.
    Promised(Guarantee),
    /// It is by the letter, but real clients are known to fall short after what happened.
    Weak(Guarantee, Reason),
    /// It is not.
    Excused(Guarantee, Reason),
}

impl Armed {
    /// The verdict on something that breaks the property.
    pub(crate) const fn verdict(self) -> Verdict {
        match self {
            Self::Promised(_) => Verdict::Violation,
            Self::Weak(..) => Verdict::Possible,
            Self::Excused(..) => Verdict::Allowed,
        }
    }

    pub(crate) const fn guarantee(self) -> Guarantee {
        match self {
            Self::Promised(guarantee) | Self::Weak(guarantee, _) | Self::Excused(guarantee, _) => {
                guarantee
            }
        }
    }

    pub(crate) const fn excuse(self) -> Option<Reason> {
        match self {
            Self::Promised(_) => None,
            Self::Weak(_, reason) | Self::Excused(_, reason) => Some(reason),
        }
    }
}

impl Case {
    /// Whether a guarantee stands.
    pub(crate) fn standing(&self, guarantee: Guarantee) -> Result<(), Reason> {
        if guarantee >= Guarantee::Transactional {
            return self.standing_exactly_once(guarantee);
        }
        refuse(!self.client.produces && guarantee != Guarantee::Always, Reason::NoProducer)?;
        match guarantee {
            Guarantee::Always => Ok(()),
            Guarantee::AtMostOnce => {
                refuse(self.client.retries > 0 && self.client.acks != Acks::None, Reason::Retries)
            }
            Guarantee::LeaderDurable => {
                refuse(self.client.acks == Acks::None, Reason::AcksZero)?;
                refuse(self.client.acks == Acks::All, Reason::AcksAll)?;
                refuse(self.now().leader_changes > 0, Reason::LeaderChanged)?;
                refuse(self.now().none_survived, Reason::NoneSurvived)
            }
            Guarantee::Durable => {
                self.acks_all()?;
                refuse(self.partition.min_isr < 2, Reason::MinIsrOne)?;
                refuse(self.partition.replicas.len() < 3, Reason::FewReplicas)?;
                self.clean()?;
                refuse(self.now().over_budget, Reason::OverBudget)?;
                refuse(self.now().none_survived, Reason::NoneSurvived)
            }
            Guarantee::DurableWhileOneSurvives => {
                self.acks_all()?;
                self.clean()?;
                refuse(self.now().none_survived, Reason::NoneSurvived)
            }
            Guarantee::InOrder => {
                refuse(self.client.idempotence, Reason::Idempotent)?;
                refuse(self.client.max_in_flight > 1, Reason::InFlight)?;
                // Then a request is over when it is written, and the next one does not wait.
                refuse(self.client.acks == Acks::None, Reason::AcksZero)?;
                // A request that the producer gave up may be carried out behind the next one.
                refuse(self.error_surfaced, Reason::ErrorSurfaced)
            }
            Guarantee::IdempotentSession => {
                refuse(!self.client.idempotence, Reason::NotIdempotent)?;
                let happened = self.now();
                happened.only_clean_elections()?;
                refuse(happened.none_survived, Reason::NoneSurvived)?;
                refuse(happened.over_budget, Reason::OverBudget)?;
                refuse(happened.state_expired, Reason::StateExpired)?;
                refuse(self.error_surfaced, Reason::ErrorSurfaced)
            }
            Guarantee::Unclean => {
                let unclean = self.partition.unclean_enabled || self.now().unclean_elections > 0;
                refuse(!unclean, Reason::CleanOnly)
            }
            _ => self.standing_exactly_once(guarantee),
        }
    }

    fn now(&self) -> PartitionHappened {
        self.happened.unwrap_or_default()
    }

    fn acks_all(&self) -> Result<(), Reason> {
        match self.client.acks {
            Acks::None => Err(Reason::AcksZero),
            Acks::Leader => Err(Reason::AcksOne),
            Acks::All => Ok(()),
        }
    }

    /// No unclean election: none happened, or none can if nothing happened yet.
    fn clean(&self) -> Result<(), Reason> {
        match self.happened {
            None => refuse(self.partition.unclean_enabled, Reason::UncleanEnabled),
            Some(happened) => happened.only_clean_elections(),
        }
    }

    /// Whether acked records are promised to stay.
    pub(crate) fn durable(&self) -> Armed {
        let closest = match self.client.acks {
            Acks::None | Acks::Leader => Guarantee::LeaderDurable,
            Acks::All if self.partition.min_isr < 2 || self.partition.replicas.len() < 3 => {
                Guarantee::DurableWhileOneSurvives
            }
            Acks::All => Guarantee::Durable,
        };
        let order = [closest, Guarantee::DurableWhileOneSurvives, Guarantee::Durable];
        self.first_of(&order)
    }

    /// Whether what was committed is promised to stay in a partition, whoever sent it.
    pub(crate) fn committed(partition: PartitionPlan, happened: PartitionHappened) -> Armed {
        let any = ClientPlan {
            acks: Acks::All,
            idempotence: false,
            retries: 0,
            max_in_flight: 1,
            delivery_timeout_ms: 0,
            max_block_ms: 0,
            produces: true,
            transactional: false,
            transaction_timeout_ms: 0,
            reader: None,
        };
        let (happened, cluster, behind) = (Some(happened), ClusterPlan::default(), Behind::SOUND);
        Self { client: any, partition, happened, error_surfaced: false, cluster, behind }.durable()
    }

    /// Whether records are promised to be in the log at most once.
    pub(crate) fn once(&self) -> Armed {
        self.first_of(&[Guarantee::IdempotentSession, Guarantee::AtMostOnce])
    }

    /// Whether records are promised to be in order.
    pub(crate) fn ordered(&self) -> Armed {
        self.first_of(&[Guarantee::IdempotentSession, Guarantee::InOrder])
    }

    /// The first guarantee that stands, or why the first of all does not.
    fn first_of(&self, guarantees: &[Guarantee]) -> Armed {
        if let Some(standing) = guarantees.iter().find(|g| self.standing(**g).is_ok()) {
            return Armed::Promised(*standing);
        }
        let first = guarantees.first().copied().unwrap_or(Guarantee::Always);
        match self.standing(first) {
            Ok(()) => Armed::Promised(first),
            Err(reason @ Reason::ErrorSurfaced) => Armed::Weak(first, reason),
            Err(reason) => Armed::Excused(first, reason),
        }
    }
}

fn refuse(when: bool, reason: Reason) -> Result<(), Reason> {
    if when { Err(reason) } else { Ok(()) }
}

/// Whether a guarantee stands for one client and one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// The guarantee.
    pub guarantee: Guarantee,
    /// The client's name.
    pub client: String,
    /// The topic's name.
    pub topic: String,
    /// That it stands, or why it does not.
    pub standing: Result<(), Reason>,
}

/// Which guarantees stand, before a run (`None`) or after it: for each client and topic that is not
/// internal. What is about sending is listed for topics that the client writes to, what is about
/// reading for those that it reads. If a description does not say which those are, it may be any.
pub fn promised(description: &Description, happened: Option<&Happened>) -> Vec<Promise> {
    let plan = Plan::new(description);
    let parts = plan.partitions.iter().enumerate().map(|(index, partition)| {
        let known = |h: &Happened| h.partitions.get(index).copied().unwrap_or_default();
        (*partition, happened.map(known))
    });
    let behind = Behind::of(parts);
    let is_data = |number| {
        let mut partitions = plan.partitions.iter();
        !partitions.any(|p| p.topic == number && p.role != Role::Data)
    };
    let mut promises = Vec::new();
    for (index, client) in description.clients.iter().enumerate() {
        let cases = |number: usize| {
            let partitions = plan.partitions.iter().enumerate();
            partitions.filter(move |(_, partition)| partition.topic == number).map(
                |(partition, settings)| Case {
                    client: plan.clients[index],
                    partition: *settings,
                    happened: happened
                        .map(|h| h.partitions.get(partition).copied().unwrap_or_default()),
                    error_surfaced: happened.is_some_and(|h| h.errors.get(index) == Some(&true)),
                    cluster: plan.cluster,
                    behind,
                },
            )
        };
        let data = description.topics.iter().enumerate().filter(|(number, _)| is_data(*number));
        let outputs: Vec<Case> = data
            .clone()
            .filter(|(_, topic)| is_among(client.writes.as_deref(), &topic.name))
            .flat_map(|(number, _)| cases(number))
            .collect();
        for (number, topic) in data {
            let writes = is_among(client.writes.as_deref(), &topic.name);
            let reads = is_among(client.reads.as_deref(), &topic.name);
            let concerns = |guarantee: Guarantee| {
                (writes && !guarantee.is_about_reading())
                    || (reads && !guarantee.is_about_sending())
            };
            let rows = crate::guarantee::GUARANTEES.iter();
            for guarantee in rows.map(|row| row.guarantee).filter(|row| concerns(*row)) {
                let standing = cases(number).try_for_each(|case| case.standing(guarantee));
                // What becomes of the outputs decides as well.
                let standing = standing.and_then(|()| match guarantee {
                    Guarantee::ExactlyOncePipeline => {
                        outputs.iter().try_for_each(|case| case.standing(case.transactions()))
                    }
                    _ => Ok(()),
                });
                let (client, topic) = (client.name.clone(), topic.name.clone());
                promises.push(Promise { guarantee, client, topic, standing });
            }
        }
    }
    promises
}

/// Whether a topic is one of those that are known.
fn is_among(known: Option<&[String]>, topic: &str) -> bool {
    known.is_none_or(|known| known.iter().any(|name| name == topic))
}

#[cfg(test)]
mod tests;
