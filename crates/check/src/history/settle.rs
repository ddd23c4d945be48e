//! Memory for a long run: what every replica has and is committed is read once and forgotten.

use super::History;
use crate::entry::{self, Entry};
use crate::runs::Run;
use crate::seen::Oddity;
use crate::verdict::Aspect;
use inflight_protocol::ids::{SessionId, TopicPartition};

/// How many entries of one log are kept. Neighbouring batches of one producer are one entry, so
/// most runs never have as many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// With so many some are forgotten.
    pub(crate) max: usize,
    /// So many of the newest stay.
    pub(crate) kept: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max: 4_096, kept: 1_024 }
    }
}

/// With so many entries it no longer matters what a lagging replica has.
const ENTRIES_LAGGING: usize = 65_536;
/// So many oddities in the forgotten part are kept; more are only counted.
const ODDITIES_MAX: usize = 4_096;

/// What was odd in the parts of logs that were forgotten.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    pub(crate) oddities: Vec<Odd>,
    /// The entries being forgotten; kept for its memory.
    scratch: Vec<Entry>,
    /// Acked offsets that were held against the log.
    pub(crate) acks: u64,
    /// Records that were held against what was acked before they were sent.
    pub(crate) bounds: u64,
    pub(crate) limits: Limits,
}

inflight_des::clone_fields!(Settled { oddities, scratch, acks, bounds, limits });

/// Something odd that a reader comes upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Odd {
    pub(crate) what: What,
    pub(crate) session: SessionId,
    pub(crate) partition: TopicPartition,
    pub(crate) run: Run,
    pub(crate) offset: u64,
}

/// In which way something is odd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Records were read before.
    Repeated,
    /// A later record was read before.
    Overtaken,
    /// The session did not send them.
    NeverSent,
    /// Told to be elsewhere.
    Misplaced(Aspect),
    /// They lie before a record that was acked before they were sent.
    Ahead,
}

impl From<Oddity> for What {
    fn from(oddity: Oddity) -> Self {
        match oddity {
            Oddity::Repeated => Self::Repeated,
            Oddity::Overtaken => Self::Overtaken,
        }
    }
}

impl Settled {
    pub(super) fn clear(&mut self) {
        self.oddities.clear();
        (self.acks, self.bounds) = (0, 0);
    }

    fn note(&mut self, odd: Odd) {
        if self.oddities.len() < ODDITIES_MAX {
            self.oddities.push(odd);
        }
    }
}

impl History {
    /// Forgets the settled part of a partition's log.
    #[cold]
    pub(super) fn settle(&mut self, partition: TopicPartition) {
        let state = &mut self.partitions[partition.index()];
        let Some(owner) = state.logs.owner() else { return };
        let committed = state.logs.known(owner).map_or(0, |replica| replica.high_watermark);
        let members = state.plan.map_or_else(Default::default, |plan| plan.replicas);
        let lagging = members.iter().filter_map(|b| state.logs.known(b)).map(|r| r.agrees).min();
        let below = match lagging {
            Some(lagging) if state.logs.entries() < ENTRIES_LAGGING => lagging.min(committed),
            _ => committed,
        };
        let mut entries = std::mem::take(&mut self.settled.scratch);
        entries.clear();
        state.logs.forget(below, self.settled.limits.kept, |entry| entries.push(*entry));
        for entry in &entries {
            self.producers[partition.index()].forget(entry);
            self.read(partition, entry, &entries);
        }
        if let Some(start) = entries.first().map(|entry| entry.offset) {
            self.settle_lanes(partition, start, &entries);
        }
        self.settled.scratch = entries;
    }

    /// Reads an entry that is about to be forgotten.
    fn read(&mut self, partition: TopicPartition, entry: &Entry, entries: &[Entry]) {
        let (session, run) = (entry.session, Run::of(entry.first, entry.count));
        let lane = self.lane(session, partition);
        let odd = |what, run: Run| {
            let offset = entry.offset.saturating_add(run.start.saturating_sub(entry.first));
            Odd { what, session, partition, run, offset }
        };
        let (told, settled) = (&self.told.lanes()[lane], &mut self.settled);
        for stranger in told.queued.missing(run) {
            settled.note(odd(What::NeverSent, stranger));
        }
        let logs = &self.partitions[partition.index()].logs;
        for (part, send) in told.sends_of(run) {
            let Some(bound) = send.bound else { continue };
            settled.bounds += part.len();
            let placed = odd(What::Ahead, part);
            let one = Run::of(bound.ordinal, 1);
            let held = match bound.offset < logs.start() {
                true => entry::holds(entries, bound.offset, bound.session, one),
                false => logs.holds(bound.offset, bound.session, one),
            };
            if bound.offset >= placed.offset && held {
                settled.note(placed);
            }
        }
        let seen = &mut self.traces[lane].seen;
        seen.absorb(run, |oddity, run| settled.note(odd(oddity.into(), run)));
    }

    /// Forgets what lanes need to know of entries that are forgotten.
    fn settle_lanes(&mut self, partition: TopicPartition, start: u64, entries: &[Entry]) {
        let end = self.partitions[partition.index()].logs.start();
        for lane in 0..self.told.lanes().len() {
            let told = self.told.lane_mut(lane);
            if told.partition != partition || self.traces.len() <= lane {
                continue;
            }
            let top = self.traces[lane].seen.present.end();
            let untold = told.untold().next().map_or(told.queued.end(), |run| run.start);
            told.forget_sends(top.min(untold));
            let (session, settled) = (told.session, &mut self.settled);
            told.acks.retain(|ack| {
                let behind = ack.offset.saturating_add(ack.run.len());
                if behind > end {
                    return true;
                }
                // What was forgotten before the ack came cannot be held against it.
                let held =
                    ack.offset < start || entry::holds(entries, ack.offset, session, ack.run);
                settled.acks += ack.run.len();
                if !held {
                    let what = What::Misplaced(Aspect::Replaced);
                    let (run, offset) = (ack.run, ack.offset);
                    settled.note(Odd { what, session, partition, run, offset });
                }
                false
            });
        }
    }
}
