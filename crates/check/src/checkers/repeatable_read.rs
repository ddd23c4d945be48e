//! B8, repeatable read: what a consumer was given is in the log in the end, at the same offset.
//!
//! Everything that is given was committed: it was below a high watermark.

use super::{About, Found, UserView};
use crate::promise::Armed;
use crate::read::{Fate, PartState};
use crate::runs::Run;
use crate::told::Readers;
use crate::verdict::{Aspect, CheckerId, Judgement, Verdict};
use inflight_protocol::ids::{ConsumerId, SessionId, TopicPartition};

const CHECKER: CheckerId = CheckerId::RepeatableRead;

/// Records that a consumer was given.
#[derive(Clone, Copy)]
struct Given {
    consumer: ConsumerId,
    partition: TopicPartition,
    session: SessionId,
    run: Run,
    offset: u64,
}

impl Given {
    /// The part of it within some offsets.
    fn part(self, from: u64, to: u64) -> Self {
        let end = self.offset.saturating_add(self.run.len());
        let (from, to) = (from.clamp(self.offset, end), to.clamp(self.offset, end));
        let start = self.run.start + (from - self.offset);
        let run = Run { start, end: start + to.saturating_sub(from) };
        Self { run, offset: from, ..self }
    }
}

pub(super) fn check(user: &UserView<'_>, readers: &Readers, into: &mut Judgement) {
    for lane in &readers.lanes {
        let partition = lane.partition;
        let Some(part) = user.read.parts.get(partition.index()) else { continue };
        let Some(armed) = user.committed_armed(partition) else { continue };
        let reads_committed = readers.reads_committed(lane.consumer);
        for returned in &lane.returned {
            let consumer = lane.consumer;
            let (session, run, offset) = (returned.session, returned.run, returned.offset);
            let given = Given { consumer, partition, session, run, offset };
            // What was read and forgotten cannot be held against anything.
            let given = given.part(part.from, u64::MAX);
            into.examined(CHECKER, given.run.len());
            let there = given.part(given.offset, part.end);
            compare(user, there, (armed, reads_committed), into);
            let gone = given.part(part.end, u64::MAX);
            if !gone.run.is_empty() {
                let verdict = match user.weigh(partition, armed) {
                    Verdict::Violation if part.state != PartState::Whole => Verdict::Possible,
                    verdict => verdict,
                };
                tell(gone, Aspect::Vanished, (armed, verdict), into);
            }
        }
    }
}

/// Holds what was given against what is at its offsets in the end.
fn compare(
    user: &UserView<'_>,
    given: Given,
    (armed, reads_committed): (Armed, bool),
    into: &mut Judgement,
) {
    let verdict = user.weigh(given.partition, armed);
    let mut at = given.offset;
    let end = given.offset.saturating_add(given.run.len());
    let offsets = Run { start: at, end };
    for piece in user.read.pieces_within(given.partition, offsets) {
        // A marker, or records of a coordinator.
        let other = given.part(at, piece.offset);
        if !other.run.is_empty() {
            tell(other, Aspect::Replaced, (armed, verdict), into);
        }
        let same = given.part(piece.offset, piece.end());
        at = piece.end();
        if (same.session, same.run) != (piece.session, piece.run) {
            tell(same, Aspect::Replaced, (armed, verdict), into);
        } else if reads_committed && piece.fate == Fate::Aborted {
            let case = user.told.find_lane(same.session, same.partition);
            let armed = case.map_or(armed, |lane| user.cases[lane].atomic());
            tell(same, Aspect::Undone, (armed, user.weigh(given.partition, armed)), into);
        }
    }
    let rest = given.part(at, end);
    if !rest.run.is_empty() {
        tell(rest, Aspect::Replaced, (armed, verdict), into);
    }
}

fn tell(given: Given, aspect: Aspect, (armed, verdict): (Armed, Verdict), into: &mut Judgement) {
    let found = Found {
        checker: CHECKER,
        aspect,
        verdict,
        armed,
        session: given.session,
        partition: given.partition,
        run: given.run,
        offset: Some(given.offset),
    };
    let consumer = Some(given.consumer);
    into.add_about(found, About { consumer, ..About::default() });
}
