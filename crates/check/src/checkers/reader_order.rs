//! B7, reader order: a consumer is given the records of a partition in order and without a gap.
//!
//! It starts anew where it was told to read elsewhere, by a rebalance, a reset or seek(). Offsets
//! without a record that it may see are no gap: markers, and aborted records for who reads committed
//! ones. Where the log has another record behind such offsets by now, it was cut, and what they
//! have now came later.

use super::{ALWAYS, About, Found, UserView};
use crate::read::Fate;
use crate::runs::Run;
use crate::told::{Passed, Readers};
use crate::verdict::{Aspect, CheckerId, Judgement, Verdict};
use inflight_protocol::ids::TopicPartition;

const CHECKER: CheckerId = CheckerId::ReaderOrder;

pub(super) fn check(user: &UserView<'_>, readers: &Readers, into: &mut Judgement) {
    into.examined(CHECKER, readers.returned);
    for known in &readers.backwards {
        let found = Found {
            checker: CHECKER,
            aspect: Aspect::Backwards,
            verdict: Verdict::Violation,
            armed: ALWAYS,
            session: known.session,
            partition: known.partition,
            run: known.run,
            offset: Some(known.offset),
        };
        let (consumer, decisive) = (Some(known.consumer), Some(known.fact));
        into.add_about(found, About { consumer, decisive, ..About::default() });
    }
    for lane in &readers.lanes {
        let partition = lane.partition;
        let Some(armed) = user.committed_armed(partition) else { continue };
        let reads_committed = readers.reads_committed(lane.consumer);
        let is_seen = |fate| !reads_committed || matches!(fate, Fate::Plain | Fate::Committed);
        for passed in lane.passed.iter().filter(|passed| stayed(user, partition, passed)) {
            let pieces = user.read.pieces_within(partition, passed.offsets);
            for piece in pieces.filter(|piece| is_seen(piece.fate)) {
                let found = Found {
                    checker: CHECKER,
                    aspect: Aspect::PassedOver,
                    verdict: user.weigh(partition, armed),
                    armed,
                    session: piece.session,
                    partition,
                    run: Run { start: piece.run.start, end: piece.run.end },
                    offset: Some(piece.offset),
                };
                let consumer = Some(lane.consumer);
                into.add_about(found, About { consumer, ..About::default() });
            }
        }
    }
}

/// Whether the log is what it was when a consumer passed over some of its offsets.
fn stayed(user: &UserView<'_>, partition: TopicPartition, passed: &Passed) -> bool {
    passed.behind.is_none_or(|behind| {
        let mut there = user.read.pieces_within(partition, Run::of(passed.offsets.end, 1));
        there.any(|piece| (piece.session, piece.run.start) == behind)
    })
}
