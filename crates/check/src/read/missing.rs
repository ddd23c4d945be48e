//! What a sender was promised and a reader does not find.
//!
//! A record in a transaction is owed to readers once the transaction is committed. Of an aborted one
//! nothing is owed.

use super::FinalRead;
use crate::runs::Run;
use crate::told::{Outcome, Told};

/// Acked records that no reader finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    pub(crate) run: Run,
    pub(crate) how: Gone,
}

/// Where they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    /// Not below the high watermark.
    Absent,
    /// In the log, and a marker says that they do not count.
    Undone,
    /// In the log, and no marker says whether they count.
    Undecided,
    /// Not in the log; nobody knows whether their transaction is committed.
    Doubtful,
}

impl FinalRead {
    /// The acked records of a lane that no reader finds although they are owed to readers.
    pub(crate) fn missing(&self, told: &Told, lane: usize) -> Vec<Missing> {
        let (sender, present) = (&told.lanes()[lane], &self.seen[lane].present);
        let transactions = told.transactions().filter(|_| told.is_transactional(lane));
        let Some(transactions) = transactions else {
            let absent = sender.acked.without(present);
            return absent.map(|run| Missing { run, how: Gone::Absent }).collect();
        };
        let mut missing = Vec::new();
        let fates = self.fates(lane);
        for member in transactions.members(lane) {
            let Some(transaction) = transactions.get(member.transaction) else { continue };
            let sides = self.sides(member.transaction);
            let is_owed = match transaction.outcome() {
                Outcome::Committed => Some(true),
                Outcome::Aborted | Outcome::Unasked => Some(false),
                Outcome::Unknown if sides.inside > 0 => Some(true),
                Outcome::Unknown if sides.aborted > 0 => Some(false),
                Outcome::Unknown => None,
            };
            for acked in sender.acked.common_runs(member.run).filter(|_| is_owed != Some(false)) {
                let absent = present.missing(acked);
                let how = if is_owed.is_some() { Gone::Absent } else { Gone::Doubtful };
                missing.extend(absent.map(|run| Missing { run, how }));
                if is_owed.is_none() {
                    continue;
                }
                let undone = fates.outside_of(acked).flat_map(|run| present.common_runs(run));
                missing.extend(undone.map(|run| Missing { run, how: Gone::Undone }));
                let open = fates.open_of(acked);
                missing.extend(open.map(|run| Missing { run, how: Gone::Undecided }));
            }
        }
        missing
    }
}
