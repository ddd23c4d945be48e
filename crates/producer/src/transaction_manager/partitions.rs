//! A small set of partitions. Kafka's are hash sets.

use inflight_protocol::TopicPartition;
use smallvec::SmallVec;

/// Partitions in ascending order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PartitionSet(SmallVec<[TopicPartition; 4]>);

impl PartitionSet {
    #[inline]
    pub(crate) fn contains(&self, partition: TopicPartition) -> bool {
        self.0.binary_search(&partition).is_ok()
    }

    pub(crate) fn insert(&mut self, partition: TopicPartition) {
        if let Err(place) = self.0.binary_search(&partition) {
            self.0.insert(place, partition);
        }
    }

    pub(crate) fn remove(&mut self, partition: TopicPartition) {
        if let Ok(place) = self.0.binary_search(&partition) {
            self.0.remove(place);
        }
    }

    /// Takes over what is in the other set, which is empty then.
    pub(crate) fn append(&mut self, other: &mut Self) {
        for partition in other.0.drain(..) {
            self.insert(partition);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = TopicPartition> + '_ {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_in_it_once_and_in_its_place() {
        let [p0, p1, p2] = [0, 1, 2].map(TopicPartition::new);
        let mut set = PartitionSet::default();
        [p2, p0, p2].into_iter().for_each(|partition| set.insert(partition));
        let mut more = PartitionSet::default();
        [p1, p0].into_iter().for_each(|partition| more.insert(partition));
        set.append(&mut more);
        assert!(more.is_empty());
        assert_eq!(set.iter().collect::<Vec<_>>(), [p0, p1, p2]);
        set.remove(p1);
        assert!(set.contains(p2) && !set.contains(p1));
    }
}
