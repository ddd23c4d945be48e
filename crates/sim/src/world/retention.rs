//! What no machine will look at again is forgotten, so that long runs need little memory.

use super::World;
use crate::setup::Setup;
use inflight_protocol::{Defects, Offset, TopicPartition};
use inflight_trace::Observer;

/// After so many events the logs are looked at.
const EVENTS: u32 = 1 << 12;

/// Whether batches below every high watermark are out of reach. A fault may bring a replica back
/// with less than that (a loss of power), an unclean election may cut what was committed, and a
/// consumer may read from anywhere.
pub(super) fn is_safe(setup: &Setup) -> bool {
    setup.faults.is_empty()
        && setup.cluster.defects == Defects::NONE
        && setup.clients.iter().all(|client| client.consumer.is_none())
        && setup.cluster.topic_configs.iter().all(|topic| !topic.unclean_leader_election_enable)
}

impl<O: Observer> World<'_, O> {
    /// Counts an event; now and then forgets what lies below the high watermarks of all replicas.
    #[inline]
    pub(super) fn count_towards_forgetting(&mut self) {
        self.events_until_forgetting -= 1;
        if self.events_until_forgetting == 0 {
            self.events_until_forgetting = EVENTS;
            if self.forgets {
                self.forget();
            }
        }
    }

    fn forget(&mut self) {
        for index in 0..self.setup.cluster.topics.partitions_in_all() {
            let partition = TopicPartition::new(index as u16);
            let marks = self.brokers.iter().filter_map(|broker| broker.replica(partition));
            let Some(lowest) = marks.map(|replica| replica.high_watermark).min() else { continue };
            if lowest == Offset::ZERO {
                continue;
            }
            for broker in &mut self.brokers {
                broker.forget_below(partition, lowest);
            }
        }
    }
}

/// The count that a world starts with.
pub(super) const FIRST: u32 = EVENTS;
