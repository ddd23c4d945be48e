//! Which partition a record goes to. Kafka: KafkaProducer.partition,
//! clients/producer/internals/BuiltInPartitioner, clients/producer/RoundRobinPartitioner.

use crate::env::Ctx;
use crate::metadata::ProducerMetadata;
use inflight_protocol::config::Partitioner;
use inflight_protocol::{TopicId, TopicPartition, Topics};
use smallvec::SmallVec;

/// What a record says about its partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Destination {
    /// A partition number of the topic.
    Partition(u16),
    /// A key.
    Key {
        /// The murmur2 hash of its bytes.
        hash: i32,
        /// Where the scenario's custom partitioner puts it, if it names the key.
        table: Option<u16>,
    },
    /// Neither: the producer chooses.
    Any,
}

/// The partition that a record goes to, or that it goes wherever the sticky partition is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    Fixed(TopicPartition),
    Sticky,
}

/// The sticky partition of a topic. Kafka: BuiltInPartitioner.StickyPartitionInfo.
#[derive(Clone, Copy, Debug)]
struct Sticky {
    partition: TopicPartition,
    produced_bytes: u32,
    /// Counts switches, to tell one stop at a partition from the next.
    stop: u32,
}

/// The partitioner state of one topic.
#[derive(Debug)]
pub(crate) struct TopicPartitioner {
    sticky: Option<Sticky>,
    stops: u32,
    /// Cumulative weights by queue length, empty if the choice is uniform.
    load: Vec<(u32, TopicPartition)>,
    round_robin: u32,
}

inflight_des::clone_fields!(TopicPartitioner { sticky, stops, load, round_robin });

/// Names one stop of the sticky partitioner at a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stop {
    pub(crate) partition: TopicPartition,
    number: u32,
}

impl TopicPartitioner {
    pub(crate) fn new() -> Self {
        Self { sticky: None, stops: 0, load: Vec::new(), round_robin: 0 }
    }

    /// Kafka: KafkaProducer.partition.
    pub(crate) fn choose(
        &mut self,
        ctx: &Ctx<'_, '_>,
        metadata: &ProducerMetadata,
        topic: TopicId,
        destination: Destination,
    ) -> Choice {
        let topics = ctx.env.topics;
        let count = topics.partition_count(topic);
        let fixed = |number: u16| {
            let partition = topics.partition(topic, number);
            Choice::Fixed(partition.expect("the metadata wait has seen this partition"))
        };
        if let Destination::Partition(number) = destination {
            return fixed(number);
        }
        match (&ctx.env.config.partitioner, destination) {
            (Partitioner::RoundRobin, _) => {
                Choice::Fixed(self.next_in_turn(metadata, topics, topic))
            }
            (Partitioner::Table(_), Destination::Key { hash, table }) => {
                fixed(table.unwrap_or_else(|| partition_for_hash(hash, count)))
            }
            (Partitioner::Table(_), _) => fixed(0),
            (Partitioner::BuiltIn, Destination::Key { hash, .. })
                if !ctx.env.config.partitioner_ignore_keys =>
            {
                fixed(partition_for_hash(hash, count))
            }
            (Partitioner::BuiltIn, _) => Choice::Sticky,
        }
    }

    /// Kafka: RoundRobinPartitioner.partition.
    fn next_in_turn(
        &mut self,
        metadata: &ProducerMetadata,
        topics: &Topics,
        topic: TopicId,
    ) -> TopicPartition {
        let turn = self.round_robin as usize;
        self.round_robin = (self.round_robin + 1) & i32::MAX as u32;
        pick_available(metadata, topics, topic, turn)
    }

    /// The current sticky partition, chosen now if there is none.
    /// Kafka: BuiltInPartitioner.peekCurrentPartitionInfo.
    pub(crate) fn peek(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        metadata: &ProducerMetadata,
        topic: TopicId,
    ) -> Stop {
        let sticky = match self.sticky {
            Some(sticky) => sticky,
            None => self.switch(ctx, metadata, topic),
        };
        Stop { partition: sticky.partition, number: sticky.stop }
    }

    /// Kafka: BuiltInPartitioner.isPartitionChanged.
    pub(crate) fn has_left(&self, stop: Stop) -> bool {
        self.sticky.is_none_or(|sticky| sticky.stop != stop.number)
    }

    /// Bytes that may be appended at the current stop before it is over in any case: from twice
    /// batch.size on the partition switches even in the middle of a batch.
    pub(crate) fn bytes_until_forced_switch(&self, batch_size: u32) -> u32 {
        let produced = self.sticky.map_or(0, |sticky| sticky.produced_bytes);
        (2 * batch_size).saturating_sub(produced)
    }

    /// Counts bytes and switches if the rule says so. Returns whether the stop is over.
    /// Kafka: BuiltInPartitioner.updatePartitionInfo.
    pub(crate) fn produced(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        metadata: &ProducerMetadata,
        topic: TopicId,
        bytes: u32,
        may_switch: bool,
    ) -> bool {
        let batch_size = ctx.env.config.batch_size;
        let Some(sticky) = &mut self.sticky else { return false };
        sticky.produced_bytes += bytes;
        let produced = sticky.produced_bytes;
        let switches = produced >= batch_size && may_switch || produced >= 2 * batch_size;
        if switches {
            self.switch(ctx, metadata, topic);
        }
        switches
    }

    fn switch(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        metadata: &ProducerMetadata,
        topic: TopicId,
    ) -> Sticky {
        self.stops += 1;
        let partition = self.next_partition(ctx, metadata, topic);
        let sticky = Sticky { partition, produced_bytes: 0, stop: self.stops };
        self.sticky = Some(sticky);
        sticky
    }

    /// Kafka: BuiltInPartitioner.nextPartition.
    fn next_partition(
        &self,
        ctx: &mut Ctx<'_, '_>,
        metadata: &ProducerMetadata,
        topic: TopicId,
    ) -> TopicPartition {
        // A 31-bit number whose remainder is taken, as Kafka does.
        let random = ctx.turn.chance().pick(ctx.streams.sticky, 1 << 31);
        let Some((total, _)) = self.load.last() else {
            return pick_available(metadata, ctx.env.topics, topic, random as usize);
        };
        let weight = (random % u64::from(*total)) as u32;
        let index = self.load.partition_point(|(cumulative, _)| *cumulative <= weight);
        self.load[index].1
    }

    /// Takes in the queue lengths of the partitions with a known leader. `None` makes the choice
    /// uniform. Kafka: BuiltInPartitioner.updatePartitionLoadStats.
    pub(crate) fn update_load(&mut self, stats: Option<&LoadStats>) {
        self.load.clear();
        let Some(stats) = stats else { return };
        let lengths = &stats.lengths;
        if lengths.is_empty() || stats.queues < 2 {
            return;
        }
        let all_equal = lengths.iter().all(|(length, _)| *length == lengths[0].0);
        if all_equal && lengths.len() == stats.queues {
            return;
        }
        let longest = lengths.iter().map(|(length, _)| *length).max().unwrap_or(0);
        let mut cumulative = 0;
        for (length, partition) in lengths {
            cumulative += longest + 1 - length;
            self.load.push((cumulative, *partition));
        }
    }
}

/// Queue lengths in batches, as one pass of the sender sees them.
#[derive(Clone, Debug, Default)]
pub(crate) struct LoadStats {
    /// How many queues the topic has, with or without a known leader.
    pub(crate) queues: usize,
    /// The lengths of those that count.
    pub(crate) lengths: SmallVec<[(u32, TopicPartition); 16]>,
    left_over: u32,
}

impl LoadStats {
    /// Nothing known yet of so many queues.
    pub(crate) fn new(queues: usize) -> Self {
        Self { queues, ..Self::default() }
    }

    /// The next queue with a known leader is empty. It counts even if its broker cannot be reached,
    /// and if the queue before was left out, with the length of that: Kafka reuses its place in the
    /// array without clearing it.
    pub(crate) fn empty(&mut self, partition: TopicPartition) {
        self.lengths.push((std::mem::take(&mut self.left_over), partition));
    }

    /// The next queue with a known leader has batches. It is left out if its broker cannot be
    /// reached. Kafka: the test of partitioner.availability.timeout.ms in partitionReady.
    pub(crate) fn waiting(&mut self, length: u32, partition: TopicPartition, is_available: bool) {
        if is_available {
            self.lengths.push((length, partition));
            self.left_over = 0;
        } else {
            self.left_over = length;
        }
    }
}

/// The `turn`-th of the partitions with a leader, cyclically; of all partitions if none has one.
fn pick_available(
    metadata: &ProducerMetadata,
    topics: &Topics,
    topic: TopicId,
    turn: usize,
) -> TopicPartition {
    let has_leader = |partition: &TopicPartition| metadata.leader(*partition).is_some();
    let available = topics.partitions(topic).filter(has_leader).count();
    let (start, count) = (topics.range(topic).start, usize::from(topics.partition_count(topic)));
    if available == count || available == 0 {
        return TopicPartition::new(start + (turn % count) as u16);
    }
    let mut with_leader = topics.partitions(topic).filter(has_leader);
    with_leader.nth(turn % available).expect("the remainder is below the count")
}

/// Kafka: BuiltInPartitioner.partitionForKey.
fn partition_for_hash(hash: i32, partitions: u16) -> u16 {
    ((hash & i32::MAX) % i32::from(partitions)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partitioner(lengths: &[u32], queues: usize) -> TopicPartitioner {
        let mut partitioner = TopicPartitioner::new();
        let lengths = lengths
            .iter()
            .enumerate()
            .map(|(index, length)| (*length, TopicPartition::new(index as u16)))
            .collect();
        partitioner.update_load(Some(&LoadStats { lengths, ..LoadStats::new(queues) }));
        partitioner
    }

    /// The vector of producer internals: lengths 1, 7, 2 weigh 7, 1, 6.
    #[test]
    fn short_queues_are_chosen_more_often() {
        let load = partitioner(&[1, 7, 2], 3).load;
        let cumulative: Vec<u32> = load.iter().map(|(weight, _)| *weight).collect();
        assert_eq!(cumulative, [7, 8, 14]);
        let chosen: Vec<u16> = (0..14)
            .map(|weight| {
                let index = load.partition_point(|(cumulative, _)| *cumulative <= weight);
                load[index].1.get()
            })
            .collect();
        assert_eq!(chosen, [0, 0, 0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 2, 2]);
    }

    #[test]
    fn an_empty_queue_behind_one_that_is_left_out_counts_with_its_length() {
        let partition = TopicPartition::new;
        let mut stats = LoadStats::new(4);
        stats.waiting(3, partition(0), false);
        stats.empty(partition(1));
        stats.empty(partition(2));
        stats.waiting(5, partition(3), false);
        assert_eq!(stats.lengths.as_slice(), [(3, partition(1)), (0, partition(2))]);
    }

    #[test]
    fn equal_queues_and_single_queues_are_chosen_uniformly() {
        assert!(partitioner(&[3, 3, 3], 3).load.is_empty());
        assert!(partitioner(&[3], 1).load.is_empty());
        assert!(partitioner(&[], 3).load.is_empty());
        // One of three has no leader: the table is used although the rest are equal.
        assert_eq!(partitioner(&[3, 3], 3).load.len(), 2);
    }
}
