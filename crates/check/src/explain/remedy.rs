//! What would have helped, without what was in force and did not.

use super::mechanism::{Mechanism, Remedy};
use crate::verdict::Finding;
use inflight_des::Instant;
use inflight_protocol::fact::{LeaveCause, Value};
use inflight_protocol::ids::{ConsumerId, TopicPartition};
use inflight_protocol::{Acks, Fact, TransactionResult};
use inflight_trace::{
    ClientDescription, ConsumerDescription, Description, Namer, TopicDescription,
};

/// The remedies of some mechanisms that were not in force, each once.
pub(super) fn of(
    description: &Description,
    facts: &[(Instant, Fact)],
    finding: &Finding,
    mechanisms: &[Mechanism],
) -> Vec<Remedy> {
    let circumstances = Circumstances::of(description, facts, finding);
    let all = || mechanisms.iter().flat_map(|mechanism| mechanism.remedies());
    let offers_acks = all().any(|remedy| remedy.what == ACKS_ALL);
    let mut remedies: Vec<Remedy> = Vec::new();
    for remedy in all() {
        let known = remedies.iter().any(|other| other.what == remedy.what);
        if !known && circumstances.permit(remedy.what, offers_acks) {
            remedies.push(*remedy);
        }
    }
    remedies
}

const ACKS_ALL: &str = "acks=all";

/// Settings and facts that decide whether a remedy is one. Where there are several clients or
/// topics and it is not known which is meant, no setting is in force.
struct Circumstances<'a> {
    description: &'a Description,
    /// The client whose records the finding is about.
    client: Option<&'a ClientDescription>,
    /// The consumer that the decisive fact is about.
    consumer: Option<&'a ConsumerDescription>,
    topic: Option<&'a TopicDescription>,
    /// What the coordinator decided about the transaction whose marker it left out.
    decided: Option<TransactionResult>,
    loss: Loss,
}

/// How a consumer lost the partition that the decisive fact is about.
#[derive(Clone, Copy, Debug, Default)]
struct Loss {
    /// Why it left its group, if it did.
    why: Option<LeaveCause>,
    /// Whether its group has the consumer protocol (KIP-848).
    has_consumer_protocol: bool,
}

impl<'a> Circumstances<'a> {
    fn of(description: &'a Description, facts: &[(Instant, Fact)], finding: &Finding) -> Self {
        let namer = Namer::of(description, facts);
        let first = finding.records.first();
        let decisive = finding.decisive.and_then(|fact| usize::try_from(fact.index).ok());
        let decisive = decisive.filter(|index| *index < facts.len());
        let fact = decisive.map(|index| facts[index].1);
        let about = fact.and_then(|fact| partition_of(&fact));
        let client =
            first.and_then(|records| description.client(namer.client_of(records.session)?));
        let partition = first.map(|records| records.partition).or(about);
        let reader = fact.and_then(|fact| consumer_of(&fact));
        let consumer = reader.and_then(|consumer| {
            description.client(namer.client_of_consumer(consumer)?)?.consumer.as_ref()
        });
        let decided = fact.and_then(|fact| match fact {
            Fact::MarkerSkipped { result, .. } => Some(result),
            _ => None,
        });
        let loss = partition.zip(reader).zip(decisive).and_then(|((partition, reader), index)| {
            Loss::of(&facts[..index], &namer, (partition, reader))
        });
        Self {
            description,
            client,
            consumer,
            topic: partition.and_then(|partition| description.topic_of(partition)),
            decided,
            loss: loss.unwrap_or_default(),
        }
    }

    /// Whether a remedy is one here: it is not in force, and would not make it worse.
    fn permit(&self, what: &str, offers_acks: bool) -> bool {
        let Self { description, decided, loss, .. } = *self;
        let client = |test: fn(&ClientDescription) -> bool| self.client.is_some_and(test);
        let topic = |test: fn(&TopicDescription) -> bool| self.topic.is_some_and(test);
        match what {
            ACKS_ALL => !client(|client| client.acks == Acks::All),
            "enable.idempotence=true" => !client(|client| client.enable_idempotence),
            "max.in.flight.requests.per.connection=1" => !client(|c| c.max_in_flight == 1),
            // It is about acks=all only.
            "min.insync.replicas=2" => {
                let counts = offers_acks || !client(|client| client.acks != Acks::All);
                counts && !topic(|topic| topic.min_insync_replicas >= 2)
            }
            "unclean.leader.election.enable=false" => {
                !topic(|topic| !topic.unclean_leader_election_enable)
            }
            "eligible.leader.replicas.version=1" => !description.eligible_leader_replicas,
            "transaction.version=2" => description.transaction_version.is_none_or(|v| v < 2),
            "transaction.partition.verification.enable=true" => {
                description.transaction_partition_verification_enable == Some(false)
            }
            "transactional.id" => !client(|client| client.transactional_id.is_some()),
            "enable.auto.commit=false" => match self.consumer {
                Some(consumer) => consumer.enable_auto_commit,
                None => {
                    let mut all = description.clients.iter().filter_map(|c| c.consumer.as_ref());
                    all.any(|consumer| consumer.enable_auto_commit)
                }
            },
            // It would abort what everybody was told to be committed.
            "kafka-transactions.sh abort" => decided != Some(TransactionResult::Commit),
            SESSION_TIMEOUT => loss.is_silence() && !loss.has_consumer_protocol,
            GROUP_SESSION_TIMEOUT => loss.is_silence() && loss.has_consumer_protocol,
            MAX_POLL_INTERVAL => loss.why.is_some() && !loss.is_silence(),
            _ => true,
        }
    }
}

const SESSION_TIMEOUT: &str = "session.timeout.ms above the longest pause";
const GROUP_SESSION_TIMEOUT: &str = "group.consumer.session.timeout.ms above the longest pause";
const MAX_POLL_INTERVAL: &str = "max.poll.interval.ms above the longest work between two polls";

impl Loss {
    /// How the owner before a reader lost a partition, before some moment.
    fn of(
        before: &[(Instant, Fact)],
        namer: &Namer,
        (partition, reader): (TopicPartition, ConsumerId),
    ) -> Option<Self> {
        let owner = before.iter().rev().find_map(|(_, fact)| match *fact {
            Fact::PartitionAssigned { consumer, partition: of, .. } if of == partition => {
                (consumer != reader).then_some(consumer)
            }
            _ => None,
        })?;
        let client = namer.client_of_consumer(owner)?;
        let why = before.iter().rev().find_map(|(_, fact)| match *fact {
            Fact::MemberRemoved { client: who, why, .. } if who == client => Some(why),
            _ => None,
        });
        let has_consumer_protocol = before.iter().any(|(_, fact)| {
            matches!(*fact, Fact::MemberStateChanged { consumer, .. } if consumer == owner)
        });
        Some(Self { why, has_consumer_protocol })
    }

    /// Whether the coordinator missed its heartbeats.
    fn is_silence(self) -> bool {
        self.why == Some(LeaveCause::SessionTimeout)
    }
}

/// The consumer that did something.
const fn consumer_of(fact: &Fact) -> Option<ConsumerId> {
    match *fact {
        Fact::RecordsProcessed { consumer, .. }
        | Fact::RecordsTransformed { consumer, .. }
        | Fact::OffsetCommitReturned { consumer, .. } => Some(consumer),
        _ => None,
    }
}

fn partition_of(fact: &Fact) -> Option<TopicPartition> {
    let mut about = None;
    fact.for_each_field(|_, value| {
        if let Value::Partition(partition) = value {
            about = Some(partition);
        }
    });
    about
}
