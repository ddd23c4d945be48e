//! Positions that transactions bring to groups.

use crate::verdict::FactRef;
use inflight_protocol::Fact;
use inflight_protocol::ids::{GroupId, ProducerId, TopicPartition};

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
}

inflight_des::clone_fields!(Offsets { pending, materialised, strangers });

/// A position that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pending {
    group: GroupId,
    partition: TopicPartition,
    offset: u64,
    producer: ProducerId,
}

/// A position that a transaction brought and that counts.
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
    }

    /// Takes in a fact about positions.
    pub(crate) fn on_fact(&mut self, seen: FactRef, fact: &Fact) {
        match *fact {
            Fact::GroupOffsetPending { group, partition, offset, producer_id, .. } => {
                let (offset, producer) = (offset.get(), producer_id);
                self.pending.push(Pending { group, partition, offset, producer });
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
                let wanted = Pending { group, partition, offset, producer };
                let before = self.pending.len();
                self.pending.retain(|pending| *pending != wanted);
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
            _ => {}
        }
    }
}
