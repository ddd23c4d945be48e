//! The final read: what a reader finds who reads every partition from its beginning.
//!
//! It is made from the leaders' logs below their high watermarks: one reader at each isolation
//! level, after everything else. Checkers of the user's view get it and nothing else of the logs.

mod committed;
mod missing;

pub(crate) use committed::{Fate, Fates, Sides};
pub(crate) use missing::Gone;

use crate::entry::Entry;
use crate::history::{History, Odd, What};
use crate::runs::{Run, Runs};
use crate::seen::Seen;
use crate::told::Told;
use crate::verdict::Aspect;
use inflight_protocol::TransactionResult;
use inflight_protocol::ids::{ProducerId, SessionId, TopicPartition};
use std::ops::Range;

/// What a reader finds in the end.
#[derive(Debug, Default)]
pub(crate) struct FinalRead {
    /// By partition.
    pub(crate) parts: Vec<Part>,
    /// The records of all partitions, one partition after the other.
    entries: Vec<Piece>,
    /// By lane, what was found of it.
    pub(crate) seen: Vec<Seen>,
    /// By lane, what transactions made of what was found. Empty without transactions.
    fates: Vec<Fates>,
    /// By transaction, in the order in which they began, what became of its records.
    sides: Vec<Sides>,
    /// The markers of the partition that is being read.
    markers: Vec<Marker>,
    /// What is odd about it.
    pub(crate) oddities: Vec<Odd>,
    /// How many records were read, copies included.
    pub(crate) records: u64,
    /// How many acked offsets were held against it.
    pub(crate) acks: u64,
    /// How many records were held against what was acked before they were sent.
    pub(crate) bounds: u64,
}

/// Records that follow one another in a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) offset: u64,
    pub(crate) run: Run,
    pub(crate) session: SessionId,
    pub(crate) fate: Fate,
    producer_id: Option<ProducerId>,
}

/// A control record that ends a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Marker {
    offset: u64,
    producer_id: Option<ProducerId>,
    result: TransactionResult,
}

impl Piece {
    const fn of(entry: &Entry) -> Self {
        Self {
            offset: entry.offset,
            run: Run::of(entry.first, entry.count),
            session: entry.session,
            fate: Fate::Plain,
            producer_id: entry.producer_id,
        }
    }

    /// The part of it at some offsets, of which it has one at least.
    fn part(&self, offsets: Run) -> Self {
        let (from, to) = (self.offset.max(offsets.start), self.end().min(offsets.end));
        let start = self.run.start + (from - self.offset);
        Self { offset: from, run: Run { start, end: start + (to - from) }, ..*self }
    }

    /// One past the offset of the last record.
    pub(crate) const fn end(&self) -> u64 {
        self.offset.saturating_add(self.run.len())
    }
}

/// What a reader finds in one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) state: PartState,
    /// What lies below was read earlier and is not in the list.
    pub(crate) from: u64,
    /// Up to here everybody reads: the high watermark.
    pub(crate) end: u64,
    /// Up to here who wants committed records reads: the last stable offset.
    pub(crate) stable: u64,
    entries: Range<usize>,
}

/// How final a read is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PartState {
    /// There is a leader and everything in its log is committed.
    Whole,
    /// There is a leader, but part of its log is not committed.
    Unsettled,
    /// Nobody leads: what is found may come back or go.
    Leaderless,
}

impl FinalRead {
    /// Reads everything that a history knows of.
    pub(crate) fn take(&mut self, history: &History) {
        self.parts.clear();
        self.entries.clear();
        self.oddities.clear();
        self.oddities.extend_from_slice(&history.settled.oddities);
        (self.acks, self.bounds) = (history.settled.acks, history.settled.bounds);
        let lanes = history.told.lanes().len();
        self.seen.iter_mut().for_each(Seen::clear);
        if self.seen.len() < lanes {
            self.seen.resize_with(lanes, Seen::default);
        }
        for (seen, trace) in self.seen.iter_mut().zip(&history.traces) {
            seen.clone_from(&trace.seen);
        }
        self.fates.iter_mut().for_each(Fates::clear);
        for (index, partition) in history.partitions.iter().enumerate() {
            let (from, to) = (partition.logs.start(), partition.readable());
            let start = self.entries.len();
            self.markers.clear();
            for entry in partition.logs.spine(from, to) {
                if entry.is_records() {
                    self.entries.push(Piece::of(&entry));
                } else if let Some(result) = entry.content.result() {
                    let (offset, producer_id) = (entry.offset, entry.producer_id);
                    self.markers.push(Marker { offset, producer_id, result });
                }
            }
            let name = TopicPartition::new(index as u16);
            let stable = self.decide(&history.told, name, start, to.max(from));
            let state = match partition.leader() {
                _ if partition.logs.end() == 0 => PartState::Whole,
                None => PartState::Leaderless,
                Some(_) if to < partition.logs.end() => PartState::Unsettled,
                Some(_) => PartState::Whole,
            };
            let (end, entries) = (to.max(from), start..self.entries.len());
            self.parts.push(Part { state, from, end, stable, entries });
        }
        self.survey(&history.told);
        self.take_sides(&history.told);
        let count = |seen: &Seen| seen.present.len() + seen.duplicated;
        self.records = self.seen.iter().map(count).sum();
    }

    /// What was found in a partition, without what was read earlier.
    pub(crate) fn pieces(&self, partition: TopicPartition) -> &[Piece] {
        let part = self.parts.get(partition.index());
        part.map_or(&[], |part| &self.entries[part.entries.clone()])
    }

    /// What was found at some offsets of a partition, cut to them.
    pub(crate) fn pieces_within(
        &self,
        partition: TopicPartition,
        offsets: Run,
    ) -> impl Iterator<Item = Piece> + '_ {
        let offsets = if offsets.is_empty() { Run::default() } else { offsets };
        let pieces = self.pieces(partition);
        let from = pieces.partition_point(|piece| piece.end() <= offsets.start);
        let inside = pieces[from..].iter().take_while(move |piece| piece.offset < offsets.end);
        inside.map(move |piece| piece.part(offsets))
    }

    /// Whether nobody can read an offset yet: the leader's log has it above its high watermark.
    pub(crate) fn is_ahead(&self, partition: TopicPartition, offset: u64) -> bool {
        let Some(part) = self.parts.get(partition.index()) else { return false };
        part.state == PartState::Unsettled && offset >= part.end
    }

    /// How final the read of a partition is.
    pub(crate) fn state(&self, partition: TopicPartition) -> PartState {
        self.parts.get(partition.index()).map_or(PartState::Whole, |part| part.state)
    }

    /// Reads piece by piece and notes what is odd.
    fn survey(&mut self, told: &Told) {
        let Self { parts, entries, seen, oddities, bounds, .. } = self;
        for (index, part) in parts.iter().enumerate() {
            let partition = TopicPartition::new(index as u16);
            let pieces = &entries[part.entries.clone()];
            for piece in pieces {
                let session = piece.session;
                let odd = |what, run: Run| {
                    let offset = piece.offset.saturating_add(run.start - piece.run.start);
                    Odd { what, session, partition, run, offset }
                };
                let Some(lane) = told.find_lane(session, partition) else {
                    oddities.push(odd(What::NeverSent, piece.run));
                    continue;
                };
                let sender = &told.lanes()[lane];
                let strangers = sender.queued.missing(piece.run);
                oddities.extend(strangers.map(|run| odd(What::NeverSent, run)));
                seen[lane].absorb(piece.run, |oddity, run| oddities.push(odd(oddity.into(), run)));
                for (run, send) in sender.sends_of(piece.run) {
                    let Some(bound) = send.bound else { continue };
                    *bounds += run.len();
                    let placed = odd(What::Ahead, run);
                    let one = Run::of(bound.ordinal, 1);
                    let behind = bound.offset >= placed.offset;
                    if behind && holds(pieces, bound.offset, bound.session, one) {
                        oddities.push(placed);
                    }
                }
            }
        }
        self.survey_acks(told);
    }

    /// Holds what was told of offsets against what is there.
    fn survey_acks(&mut self, told: &Told) {
        for (lane, seen) in told.lanes().iter().zip(&self.seen) {
            let Some(part) = self.parts.get(lane.partition.index()) else { continue };
            let pieces = &self.entries[part.entries.clone()];
            let session = lane.session;
            for ack in &lane.acks {
                // What was read earlier cannot be held against an ack that came later.
                let skipped = part.from.saturating_sub(ack.offset).min(ack.run.len());
                let run = Run { start: ack.run.start + skipped, end: ack.run.end };
                let offset = ack.offset + skipped;
                self.acks += ack.run.len();
                if run.is_empty() || holds(pieces, offset, session, run) {
                    continue;
                }
                for (run, offset, aspect) in misplaced(pieces, offset, session, run, seen) {
                    let (what, partition) = (What::Misplaced(aspect), lane.partition);
                    self.oddities.push(Odd { what, session, partition, run, offset });
                }
            }
        }
    }
}

/// Whether pieces have these records at an offset.
fn holds(pieces: &[Piece], offset: u64, session: SessionId, run: Run) -> bool {
    let from = pieces.partition_point(|piece| piece.end() <= offset);
    let (mut at, mut first) = (offset, run.start);
    for piece in &pieces[from..] {
        let shift = piece.run.start.wrapping_sub(piece.offset);
        let same = piece.session == session && shift == first.wrapping_sub(at);
        if first >= run.end || piece.offset > at || !same {
            break;
        }
        first = first.saturating_add(piece.end() - at);
        at = piece.end();
    }
    first >= run.end
}

/// The parts of acked records that are not where their sender was told, each with its offset.
fn misplaced(
    pieces: &[Piece],
    offset: u64,
    session: SessionId,
    run: Run,
    seen: &Seen,
) -> Vec<(Run, u64, Aspect)> {
    let mut found = Vec::new();
    let end = offset.saturating_add(run.len());
    let mut tell = |from: u64, to: u64, replaced: bool| {
        let part = Run { start: run.start + (from - offset), end: run.start + (to - offset) };
        if part.is_empty() {
            return;
        }
        let at = |known: Run| from + (known.start - part.start);
        let elsewhere = seen.present.iter().map(|known| known.meet(part));
        let elsewhere = elsewhere.filter(|known| !known.is_empty());
        found.extend(elsewhere.map(|known| (known, at(known), Aspect::Elsewhere)));
        if replaced {
            let lost = seen.present.missing(part);
            found.extend(lost.map(|lost| (lost, at(lost), Aspect::Replaced)));
        }
    };
    let mut at = offset;
    let from = pieces.partition_point(|piece| piece.end() <= offset);
    for piece in pieces[from..].iter().take_while(|piece| piece.offset < end) {
        let (start, stop) = (piece.offset.max(at), piece.end().min(end));
        tell(at, start, false);
        let shift = piece.run.start.wrapping_sub(piece.offset);
        if piece.session != session || shift != run.start.wrapping_sub(offset) {
            tell(start, stop, true);
        }
        at = stop;
    }
    tell(at, end, false);
    found
}

/// What lies in leaders' logs above what a reader finds. Only the oracle sees it.
#[derive(Debug, Default)]
pub(crate) struct Beyond {
    /// By lane.
    lanes: Vec<Runs>,
}

impl Beyond {
    pub(crate) fn take(&mut self, history: &History) {
        let lanes = history.told.lanes().len();
        self.lanes.iter_mut().for_each(Runs::clear);
        if self.lanes.len() < lanes {
            self.lanes.resize_with(lanes, Runs::new);
        }
        for (index, partition) in history.partitions.iter().enumerate() {
            let name = TopicPartition::new(index as u16);
            for entry in partition.logs.spine(partition.readable(), partition.logs.end()) {
                let lane = history.told.find_lane(entry.session, name);
                if let Some(lane) = lane.filter(|_| entry.is_records()) {
                    self.lanes[lane].insert(Run::of(entry.first, entry.count));
                }
            }
        }
    }

    /// The records of a lane that its leader has and a reader does not find.
    pub(crate) fn lane(&self, lane: usize) -> &Runs {
        &self.lanes[lane]
    }
}
