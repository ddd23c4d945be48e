//! Whoever is affected by what applications do, and remembers what was done already.

use inflight_protocol::TopicPartition;

/// The records that have had their effect, by partition, in ranges of offsets.
#[derive(Debug, Default)]
pub(crate) struct Sink {
    done: Vec<Vec<(u64, u64)>>,
}

inflight_des::clone_fields!(Sink { done });

impl Sink {
    /// Takes the effects of `count` records from `base` on. Returns how many of them it knew.
    pub(crate) fn take(&mut self, partition: TopicPartition, base: u64, count: u32) -> u32 {
        if self.done.len() <= partition.index() {
            self.done.resize_with(partition.index() + 1, Vec::new);
        }
        let (ranges, end) = (&mut self.done[partition.index()], base + u64::from(count));
        let overlap = |(from, to): &(u64, u64)| (*to).min(end).saturating_sub((*from).max(base));
        let known: u64 = ranges.iter().map(overlap).sum();
        // What touches the new range becomes one with it.
        let (mut low, mut high) = (base, end);
        ranges.retain(|(from, to)| {
            let apart = *to < low || *from > high;
            if !apart {
                (low, high) = (low.min(*from), high.max(*to));
            }
            apart
        });
        let place = ranges.partition_point(|(from, _)| *from < low);
        ranges.insert(place, (low, high));
        known as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_before_is_known() {
        let mut sink = Sink::default();
        let p = TopicPartition::new(3);
        assert_eq!(sink.take(p, 0, 5), 0);
        assert_eq!(sink.take(p, 10, 5), 0);
        assert_eq!(sink.take(p, 3, 9), 4, "3, 4, 10 and 11");
        assert_eq!(sink.take(p, 0, 15), 15);
        assert_eq!(sink.take(TopicPartition::new(0), 0, 1), 0, "another partition");
    }
}
