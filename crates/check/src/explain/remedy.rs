//! What would have helped, without what was in force and did not.

use super::mechanism::{Mechanism, Remedy};
use crate::verdict::Finding;
use inflight_des::Instant;
use inflight_protocol::fact::Value;
use inflight_protocol::ids::TopicPartition;
use inflight_protocol::{Acks, Fact};
use inflight_trace::{ClientDescription, Description, Namer, TopicDescription};

/// The remedies of some mechanisms that were not in force, each once.
pub(super) fn of(
    description: &Description,
    facts: &[(Instant, Fact)],
    finding: &Finding,
    mechanisms: &[Mechanism],
) -> Vec<Remedy> {
    let first = finding.records.first();
    let decisive = finding.decisive.and_then(|fact| usize::try_from(fact.index).ok());
    let about = decisive.and_then(|index| partition_of(&facts.get(index)?.1));
    let client = first.and_then(|records| {
        description.client(Namer::of(description, facts).client_of(records.session)?)
    });
    let topic = first.map(|records| records.partition).or(about);
    let topic = topic.and_then(|partition| topic_of(description, partition));
    let mut remedies: Vec<Remedy> = Vec::new();
    for remedy in mechanisms.iter().flat_map(|mechanism| mechanism.remedies()) {
        let known = remedies.iter().any(|other| other.what == remedy.what);
        if !known && !in_force(remedy.what, description, client, topic) {
            remedies.push(*remedy);
        }
    }
    remedies
}

/// Whether a setting has the value already. Where there are several clients or topics and it is not
/// known which is meant, nothing is in force.
fn in_force(
    what: &str,
    description: &Description,
    client: Option<&ClientDescription>,
    topic: Option<&TopicDescription>,
) -> bool {
    let client = |test: fn(&ClientDescription) -> bool| client.is_some_and(test);
    let topic = |test: fn(&TopicDescription) -> bool| topic.is_some_and(test);
    match what {
        "acks=all" => client(|client| client.acks == Acks::All),
        "enable.idempotence=true" => client(|client| client.enable_idempotence),
        "max.in.flight.requests.per.connection=1" => client(|client| client.max_in_flight == 1),
        "min.insync.replicas=2" => topic(|topic| topic.min_insync_replicas >= 2),
        "unclean.leader.election.enable=false" => {
            topic(|topic| !topic.unclean_leader_election_enable)
        }
        "eligible.leader.replicas.version=1" => description.eligible_leader_replicas,
        "transaction.version=2" => description.transaction_version.is_some_and(|v| v >= 2),
        "transaction.partition.verification.enable=true" => {
            description.transaction_partition_verification_enable.unwrap_or(true)
        }
        "transactional.id" => client(|client| client.transactional_id.is_some()),
        _ => false,
    }
}

fn topic_of(description: &Description, partition: TopicPartition) -> Option<&TopicDescription> {
    let mut below = 0;
    description.topics.iter().find(|topic| {
        below += topic.replicas.len();
        partition.index() < below
    })
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
