//! As even as it goes if members subscribe to different topics.
//! Kafka: assignor/UniformHeterogeneousAssignmentBuilder.

use super::balancer::Balancer;
use super::{Candidate, Partitions};
use inflight_protocol::{TopicId, TopicPartition, Topics};
use std::cmp::Reverse;

/// How often all topics are gone through at most. Kafka: MAX_ITERATION_COUNT.
const ROUNDS_MAX: usize = 16;

/// An assignment that is being made. Members are numbered in their order.
struct Builder<'a> {
    names: &'a Topics,
    /// The topics that somebody subscribes to, those with the most partitions per subscriber first.
    topics: Vec<(TopicId, Vec<usize>)>,
    /// Whose each partition is.
    owners: Vec<Option<usize>>,
    /// How many partitions each member has.
    sizes: Vec<i64>,
    balancer: Balancer,
}

/// The new target assignment of each member.
pub(super) fn assign(members: &[Candidate], names: &Topics) -> Vec<Partitions> {
    let mut builder = Builder::new(members, names);
    builder.keep(members);
    builder.assign_remaining();
    builder.balance();
    let mut assignment = vec![Partitions::new(); members.len()];
    for (index, owner) in builder.owners.iter().enumerate() {
        if let Some(owner) = owner {
            assignment[*owner].push(TopicPartition::new(index as u16));
        }
    }
    assignment
}

impl<'a> Builder<'a> {
    fn new(members: &[Candidate], names: &'a Topics) -> Self {
        let subscribers = |topic| -> Vec<usize> {
            (0..members.len()).filter(|place| members[*place].topics.contains(&topic)).collect()
        };
        let topics = names.ids().map(|topic| (topic, subscribers(topic)));
        let mut topics: Vec<_> = topics.filter(|(_, takers)| !takers.is_empty()).collect();
        // Kafka: topicComparator.
        topics.sort_by(|(one, ours), (other, theirs)| {
            let shares = |topic: TopicId, others: &[usize]| {
                usize::from(names.partition_count(topic)) * others.len()
            };
            let order = Reverse(shares(*one, theirs)).cmp(&Reverse(shares(*other, ours)));
            order.then(ours.len().cmp(&theirs.len())).then(one.cmp(other))
        });
        let all = names.ids().flat_map(|topic| names.partitions(topic));
        let owners = vec![None; all.map(|partition| partition.index() + 1).max().unwrap_or(0)];
        let sizes = vec![0; members.len()];
        Self { names, topics, owners, sizes, balancer: Balancer::default() }
    }

    /// Everybody keeps what they subscribe to. Kafka: maybeRevokePartitions.
    fn keep(&mut self, members: &[Candidate]) {
        for (place, member) in members.iter().enumerate() {
            for partition in &member.target {
                if member.topics.contains(&self.names.split(*partition).0) {
                    self.sizes[place] += 1;
                    self.owners[partition.index()] = Some(place);
                }
            }
        }
    }

    fn give(&mut self, partition: TopicPartition, member: usize) {
        if let Some(before) = self.owners[partition.index()].replace(member) {
            self.sizes[before] -= 1;
        }
        self.sizes[member] += 1;
    }

    /// What nobody has goes to whoever has the fewest. Kafka: assignRemainingPartitions.
    fn assign_remaining(&mut self) {
        let topics = std::mem::take(&mut self.topics);
        for (topic, subscribers) in &topics {
            self.balancer.begin(subscribers, &self.sizes);
            for partition in self.names.partitions(*topic) {
                if self.owners[partition.index()].is_none() {
                    let member = self.balancer.next_least(&self.sizes);
                    self.give(partition, member);
                }
            }
        }
        self.topics = topics;
    }

    /// Topic by topic, until a whole round has moved nothing. Kafka: balanceTopics.
    fn balance(&mut self) {
        let mut topics = std::mem::take(&mut self.topics);
        topics.retain(|(_, subscribers)| subscribers.len() > 1);
        let mut last = None;
        for _ in 0..ROUNDS_MAX {
            for (place, (topic, subscribers)) in topics.iter().enumerate() {
                if last == Some(place) {
                    return;
                }
                if self.balance_topic(*topic, subscribers) > 0 || last.is_none() {
                    last = Some(place);
                }
            }
        }
    }

    /// Returns how many partitions were moved. Kafka: balanceTopic.
    fn balance_topic(&mut self, topic: TopicId, subscribers: &[usize]) -> usize {
        if self.balancer.begin(subscribers, &self.sizes) <= 1 {
            return 0;
        }
        // What each member may give up: what it had when this began, the last one first.
        let mut had = vec![Vec::new(); self.sizes.len()];
        for partition in self.names.partitions(topic) {
            if let Some(owner) = self.owners[partition.index()] {
                had[owner].push(partition);
            }
        }
        let mut moved = 0;
        while !self.balancer.is_balanced() {
            let Some(most) = self.balancer.next_most(&self.sizes) else { break };
            let Some(partition) = had[most].pop() else {
                self.balancer.exclude_most();
                continue;
            };
            let least = self.balancer.next_least(&self.sizes);
            if self.balancer.is_balanced() {
                break;
            }
            self.give(partition, least);
            moved += 1;
        }
        moved
    }
}
