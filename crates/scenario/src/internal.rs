//! The internal topics: of each only those partitions that a transactional id or a group of the
//! scenario belongs to.

use inflight_protocol::cluster::Coordinated;
use inflight_protocol::transaction::{
    CONSUMER_OFFSETS_TOPIC, TRANSACTION_STATE_TOPIC, coordinator_partition,
};
use inflight_protocol::{TopicPartition, Topics};

/// transaction.state.log.num.partitions and offsets.topic.num.partitions: Kafka's default.
const PARTITIONS: u32 = 50;

/// Adds the internal topics that are used behind all others.
pub(crate) fn add(topics: &mut Topics, ids: &[String], groups: &[String]) -> Coordinated {
    Coordinated {
        transactional_ids: spread(topics, TRANSACTION_STATE_TOPIC, ids),
        groups: spread(topics, CONSUMER_OFFSETS_TOPIC, groups),
    }
}

fn spread(topics: &mut Topics, topic: &str, names: &[String]) -> Vec<(String, TopicPartition)> {
    if names.is_empty() {
        return Vec::new();
    }
    let number = |name: &String| coordinator_partition(name, PARTITIONS) as u16;
    let mut numbers: Vec<u16> = names.iter().map(number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let topic = topics.add_sparse(topic, &numbers);
    let partition = |name: &String| {
        let index = numbers.binary_search(&number(name)).unwrap_or_default();
        let found = topics.partitions(topic).nth(index);
        (name.clone(), found.unwrap_or_default())
    };
    names.iter().map(partition).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_share_a_partition_share_a_coordinator() {
        let mut topics = Topics::new([("orders", 2)]);
        let names = ["hello", "polygenelubricants", ""].map(str::to_owned);
        let found = add(&mut topics, &names, &["hello".to_owned()]);
        let shown = |(name, partition): &(String, TopicPartition)| {
            format!("{name} {}", topics.display(*partition))
        };
        let ids: Vec<String> = found.transactional_ids.iter().map(shown).collect();
        assert_eq!(
            ids,
            [
                "hello __transaction_state-22",
                "polygenelubricants __transaction_state-0",
                " __transaction_state-0"
            ]
        );
        let groups: Vec<String> = found.groups.iter().map(shown).collect();
        assert_eq!(groups, ["hello __consumer_offsets-22"]);
    }
}
