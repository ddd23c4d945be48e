//! What coordinators decide, and what partitions know of transactions: what no user sees.
//!
//! Most runs have nothing of it, and then it is not there.

mod calm;
mod ids;
mod offsets;
mod stable;

pub(crate) use calm::Calm;
pub(crate) use offsets::{Materialised, Offsets};

use ids::Id;
use inflight_protocol::TransactionResult;
use stable::Stable;

/// Coordinators and partitions.
#[derive(Debug, Default)]
pub(crate) struct Coordinated {
    /// By transactional id.
    ids: Vec<Id>,
    /// By partition, the open transactions in the leader's log.
    stable: Vec<Stable>,
    /// By transaction, in the order in which they began: how markers ended it.
    marked: Vec<Option<TransactionResult>>,
    pub(crate) offsets: Offsets,
    pub(crate) examined: Looked,
}

inflight_des::clone_fields!(Coordinated { ids, stable, marked, offsets, examined });

/// How many facts each invariant was held against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Looked {
    /// Batches of transactional producers that a leader appended.
    pub(crate) batches: u64,
    /// Markers that a leader appended.
    pub(crate) markers: u64,
    /// Last stable offsets.
    pub(crate) stable: u64,
    /// Commits of transactional ids that have more than one instance.
    pub(crate) fenced: u64,
}

impl Coordinated {
    pub(crate) fn reset(&mut self) {
        self.ids.clear();
        self.stable.iter_mut().for_each(Stable::reset);
        self.marked.clear();
        self.offsets.reset();
        self.examined = Looked::default();
    }

    /// A marker ended a transaction. Tells how another one did before, in another partition.
    pub(crate) fn mark(
        &mut self,
        transaction: u32,
        result: TransactionResult,
    ) -> Option<TransactionResult> {
        let at = transaction as usize;
        if self.marked.len() <= at {
            self.marked.resize(at + 1, None);
        }
        let before = self.marked[at];
        self.marked[at] = before.or(Some(result));
        before
    }

    /// The open transactions of a partition.
    pub(crate) fn stable(&mut self, partition: usize) -> &mut Stable {
        if self.stable.len() <= partition {
            self.stable.resize_with(partition + 1, Stable::default);
        }
        &mut self.stable[partition]
    }

    /// A partition's log became another one.
    pub(crate) fn lapse(&mut self, partition: usize) {
        if let Some(stable) = self.stable.get_mut(partition) {
            stable.lapse();
        }
    }
}
