//! What transactions make of a log: who reads committed records finds some of it.
//!
//! A record in a transaction counts if the next marker of its producer says so. Kafka tells readers
//! by a list of aborted transactions (FetchResponse.abortedTransactions); reading the markers
//! backwards gives the same.

use super::{FinalRead, Marker, Piece};
use crate::runs::{Run, Runs};
use crate::told::Told;
use inflight_protocol::TransactionResult;
use inflight_protocol::ids::{ProducerId, TopicPartition};

/// What became of a record that is in the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is in no transaction.
    #[default]
    Plain,
    /// Its transaction is committed.
    Committed,
    /// Its transaction is aborted.
    Aborted,
    /// Its transaction has no marker that is committed.
    Open,
}

/// What became of one lane's records in transactions.
#[derive(Debug, Default)]
pub(crate) struct Fates {
    /// The records that count.
    pub(crate) committed: Runs,
    /// Those that do not.
    pub(crate) aborted: Runs,
    /// Those of which that is not known.
    pub(crate) open: Runs,
}

impl Fates {
    pub(super) fn clear(&mut self) {
        self.committed.clear();
        self.aborted.clear();
        self.open.clear();
    }
}

/// How many records of a transaction are on which side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sides {
    /// They count.
    pub(crate) inside: u64,
    /// Nobody knows yet.
    pub(crate) open: u64,
    /// They are in the log and do not count.
    pub(crate) aborted: u64,
    /// They are not in the log.
    pub(crate) absent: u64,
}

/// Nothing in transactions.
const NONE: Fates = Fates { committed: Runs::new(), aborted: Runs::new(), open: Runs::new() };

impl FinalRead {
    /// What became of a lane's records in transactions.
    pub(crate) fn fates(&self, lane: usize) -> &Fates {
        self.fates.get(lane).unwrap_or(const { &NONE })
    }

    /// The records of a lane that count for who reads committed ones, wherever they are.
    pub(crate) fn counting(&self, told: &Told, lane: usize) -> &Runs {
        match told.is_transactional(lane) {
            true => &self.fates(lane).committed,
            false => &self.seen[lane].present,
        }
    }

    /// What became of the records of a transaction.
    pub(crate) fn sides(&self, transaction: u32) -> Sides {
        self.sides.get(transaction as usize).copied().unwrap_or_default()
    }

    /// Counts what became of the records of each transaction.
    pub(super) fn take_sides(&mut self, told: &Told) {
        self.sides.clear();
        let Some(transactions) = told.transactions() else { return };
        self.sides.resize(transactions.list().len(), Sides::default());
        for lane in 0..told.lanes().len() {
            for member in transactions.members(lane) {
                let present = self.seen[lane].present.overlap(member.run);
                let fates = self.fates(lane);
                let inside = fates.committed.overlap(member.run);
                let open: u64 = fates.open_of(member.run).map(Run::len).sum();
                let sides = &mut self.sides[member.transaction as usize];
                sides.inside += inside;
                sides.open += open;
                sides.aborted += present.saturating_sub(inside + open);
                sides.absent += member.run.len() - present;
            }
        }
    }

    /// Finds out what became of the records of a partition, whose pieces begin at `start` of the
    /// list. Tells the last stable offset.
    pub(super) fn decide(
        &mut self,
        told: &Told,
        partition: TopicPartition,
        start: usize,
        end: u64,
    ) -> u64 {
        let Some(transactions) = told.transactions() else { return end };
        if self.fates.len() < told.lanes().len() {
            self.fates.resize_with(told.lanes().len(), Fates::default);
        }
        let mut stable = end;
        let mut markers = self.markers.iter().rev().peekable();
        let mut next: Vec<(Option<ProducerId>, TransactionResult)> = Vec::new();
        for piece in self.entries[start..].iter_mut().rev() {
            while let Some(marker) = markers.next_if(|marker| marker.offset > piece.offset) {
                note(&mut next, marker);
            }
            if !transactions.is_transactional(piece.session) {
                continue;
            }
            let decided = next.iter().find(|(id, _)| *id == piece.producer_id);
            piece.fate = match decided {
                Some((_, TransactionResult::Commit)) => Fate::Committed,
                Some((_, TransactionResult::Abort)) => Fate::Aborted,
                None => Fate::Open,
            };
            if piece.fate == Fate::Open {
                stable = piece.offset;
            }
            if let Some(lane) = told.find_lane(piece.session, partition) {
                self.fates[lane].note(piece);
            }
        }
        stable
    }
}

impl Fates {
    fn note(&mut self, piece: &Piece) {
        match piece.fate {
            Fate::Plain => 0,
            Fate::Committed => self.committed.insert(piece.run),
            Fate::Aborted => self.aborted.insert(piece.run),
            Fate::Open => self.open.insert(piece.run),
        };
    }

    /// The parts of a run of which nobody knows yet whether they count.
    pub(crate) fn open_of(&self, run: Run) -> impl Iterator<Item = Run> + '_ {
        self.open.common_runs(run).flat_map(|open| self.committed.missing(open))
    }

    /// The parts of a run that do not count and never will, in the log or not.
    pub(crate) fn outside_of(&self, run: Run) -> impl Iterator<Item = Run> + '_ {
        self.committed.missing(run).flat_map(|rest| self.open.missing(rest))
    }
}

/// Notes a marker before those that come behind it.
fn note(next: &mut Vec<(Option<ProducerId>, TransactionResult)>, marker: &Marker) {
    match next.iter_mut().find(|(id, _)| *id == marker.producer_id) {
        Some(known) => known.1 = marker.result,
        None => next.push((marker.producer_id, marker.result)),
    }
}
