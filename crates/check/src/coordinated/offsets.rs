//! Positions that transactions bring to groups.

use crate::verdict::FactRef;
use inflight_protocol::ids::{GroupId, ProducerId, TopicPartition};
use inflight_protocol::{Fact, TransactionResult};

/// The positions of groups that come with transactions.
#[derive(Debug, Default)]
pub(crate) struct Offsets {
    /// Those that wait for the end of their transaction. They are in the log: a coordinator that
    /// takes over reads them there and says nothing.
    pending: Vec<Pending>,
    /// Those that count.
    pub(crate) materialised: Vec<Materialised>,
    /// Those that count although nothing was pending.
    pub(crate) strangers: Vec<Materialised>,
    /// Those of committed transactions that need not count, since a commit outside of any
    /// transaction was written after them. The fact is that of the marker.
    /// Kafka: OffsetMetadataManager.replayEndTransactionMarker.
    pub(crate) overtaken: Vec<Materialised>,
}

inflight_des::clone_fields!(Offsets { pending, materialised, strangers, overtaken });

/// A position that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pending {
    group: GroupId,
    partition: TopicPartition,
    offset: u64,
    producer: ProducerId,
    /// Whether a commit outside of any transaction came after it.
    is_overtaken: bool,
    /// Whether its transaction has its marker.
    is_ended: bool,
}

impl Pending {
    fn is(&self, counts: &Materialised, by: ProducerId) -> bool {
        (self.group, self.partition, self.offset, self.producer)
            == (counts.group, counts.partition, counts.offset, by)
    }
}

/// A position that a transaction brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Materialised {
    pub(crate) group: GroupId,
    pub(crate) partition: TopicPartition,
    pub(crate) offset: u64,
    pub(crate) fact: FactRef,
}

impl Offsets {
    pub(crate) fn reset(&mut self) {
        self.pending.clear();
        self.materialised.clear();
        self.strangers.clear();
        self.overtaken.clear();
    }

    /// A marker is in a partition of `__consumer_offsets`.
    pub(crate) fn on_marker(
        &mut self,
        seen: FactRef,
        producer: ProducerId,
        result: TransactionResult,
    ) {
        self.pending.retain(|pending| pending.producer != producer || !pending.is_ended);
        for pending in self.pending.iter_mut().filter(|pending| pending.producer == producer) {
            pending.is_ended = true;
            if pending.is_overtaken && result == TransactionResult::Commit {
                let Pending { group, partition, offset, .. } = *pending;
                self.overtaken.push(Materialised { group, partition, offset, fact: seen });
            }
        }
    }

    /// Takes in a fact about positions.
    pub(crate) fn on_fact(&mut self, seen: FactRef, fact: &Fact) {
        match *fact {
            Fact::GroupOffsetPending { group, partition, offset, producer_id, .. } => {
                let (offset, producer) = (offset.get(), producer_id);
                let (is_overtaken, is_ended) = (false, false);
                let pending =
                    Pending { group, partition, offset, producer, is_overtaken, is_ended };
                self.pending.push(pending);
            }
            Fact::GroupOffsetCommitted { group, partition, producer_id: None, .. } => {
                let about =
                    |known: &&mut Pending| (known.group, known.partition) == (group, partition);
                self.pending.iter_mut().filter(about).for_each(|known| known.is_overtaken = true);
            }
            Fact::GroupOffsetCommitted {
                group,
                partition,
                offset,
                producer_id: Some(producer),
                ..
            } => {
                let offset = offset.get();
                let counts = Materialised { group, partition, offset, fact: seen };
                let before = self.pending.len();
                self.pending.retain(|pending| !pending.is(&counts, producer));
                let same = |known: &Materialised| {
                    (known.group, known.partition, known.offset) == (group, partition, offset)
                };
                // A coordinator that reads its log again finds what counted before.
                let is_known = self.materialised.iter().any(same);
                if self.pending.len() == before && !is_known {
                    self.strangers.push(counts);
                }
                self.materialised.push(counts);
            }
            // The marker may have been lost with the end of its log, and come again.
            Fact::CoordinatorLoaded { .. } => {
                self.pending.iter_mut().for_each(|known| known.is_ended = false);
            }
            _ => {}
        }
    }
}
