//! Runs in which nothing is odd.
//!
//! Each number here is what the checkers would find by reading; a test holds the two against each
//! other.

use crate::history::History;
use crate::runs::Run;
use crate::verdict::{CheckerId, Counts, Judgement, View};

/// Judges a history if nothing in it is odd. Tells whether it was judged.
pub(super) fn judge(history: &History, view: View, into: &mut Judgement) -> bool {
    if !is_plain(history) {
        return false;
    }
    let told = &history.told;
    let (mut acks, mut bounds) = (history.settled.acks, history.settled.bounds);
    let (mut records, mut idempotent) = (0, 0);
    for (lane, trace) in told.lanes().iter().zip(&history.traces) {
        let count = lane.acked.len();
        records += count;
        acks += lane.acks.iter().map(|ack| ack.run.len()).sum::<u64>();
        let unread = Run { start: trace.seen.present.end(), end: count };
        let bound = lane.sends().filter(|send| send.bound.is_some());
        bounds += bound.map(|send| send.run.meet(unread).len()).sum::<u64>();
        if history.plan.client(lane.client).idempotence {
            idempotent += count;
        }
    }
    for checker in [
        CheckerId::Integrity,
        CheckerId::NoLoss,
        CheckerId::TransportDuplicate,
        CheckerId::SessionOrder,
        CheckerId::Prefix,
        CheckerId::TruthfulErrors,
        CheckerId::Progress,
    ] {
        into.examined(checker, records);
    }
    into.examined(CheckerId::OffsetAgreement, acks);
    into.examined(CheckerId::AppendOrder, bounds);
    into.examined(CheckerId::SpuriousFatal, idempotent);
    if view == View::Oracle {
        let examined = &history.examined;
        into.examined(CheckerId::LogMatching, examined.watermarks);
        into.examined(CheckerId::LeaderCompleteness, examined.leaders);
        into.examined(CheckerId::Truncation, examined.truncations);
        into.examined(CheckerId::UniqueIdentity, examined.identities);
        into.examined(CheckerId::Sequences, examined.sequences);
        into.examined(CheckerId::DoubleAppend, examined.appends);
        into.examined(CheckerId::ProducerState, examined.decisions);
    }
    let (sent, refused) = (told.sent, told.refused);
    into.counts = Counts { sent, refused, acked: records, read: records, ..Counts::default() };
    true
}

/// Whether every record was queued, appended once and in order, committed and acked where it is.
fn is_plain(history: &History) -> bool {
    let told = &history.told;
    let quiet = history.incidents.is_empty()
        && told.resends().is_empty()
        && told.is_simple()
        && history.settled.oddities.is_empty()
        && told.sessions().all(|(_, session)| session.blocked.is_empty());
    quiet
        && history.partitions.iter().all(|partition| {
            let (logs, end) = (&partition.logs, partition.logs.end());
            partition.is_plain
                && logs.replicas().all(|(_, replica)| !replica.differs())
                && (end == 0 || (partition.leader().is_some() && partition.readable() == end))
        })
        && told.lanes().iter().enumerate().all(|(index, lane)| {
            let count = lane.queued.len();
            let trace = history.traces.get(index);
            lane.failed.is_empty()
                && (lane.acked.len(), lane.acked.end()) == (count, count)
                && lane.queued.end() == count
                && trace.is_some_and(|trace| {
                    (trace.appended.len(), trace.appended.end()) == (count, count)
                })
        })
}
