//! B5m, message order: the first copies of one client's messages are in the application's order.
//!
//! Kafka never promises it. It is looked at where messages were sent again; elsewhere it is the
//! order of the session.

use super::{Found, NEVER, UserView};
use crate::read::Fate;
use crate::runs::Run;
use crate::seen::{Oddity, Seen};
use crate::verdict::{Aspect, CheckerId, Judgement};
use inflight_protocol::ClientId;
use inflight_protocol::ids::TopicPartition;

const CHECKER: CheckerId = CheckerId::MessageOrder;

pub(super) fn check(user: &UserView<'_>, into: &mut Judgement) {
    let mut clients: Vec<_> = user.told.resends().iter().map(|resend| resend.client).collect();
    clients.sort_unstable();
    clients.dedup();
    for client in clients {
        for partition in 0..user.read.parts.len() {
            check_partition(user, client, TopicPartition::new(partition as u16), into);
        }
    }
}

/// Reads the messages of one client in one partition.
fn check_partition(
    user: &UserView<'_>,
    client: ClientId,
    partition: TopicPartition,
    into: &mut Judgement,
) {
    let mut seen = Seen::default();
    for piece in user.read.pieces(partition) {
        let Some(lane) = user.told.find_lane(piece.session, partition) else { continue };
        let lane = &user.told.lanes()[lane];
        if lane.client != Some(client) || piece.fate == Fate::Aborted {
            continue;
        }
        for (run, send) in lane.sends_of(piece.run) {
            let first = send.message + (run.start - send.run.start);
            into.examined(CHECKER, run.len());
            seen.absorb(Run::of(first, run.len()), |oddity, messages| {
                if oddity == Oddity::Overtaken {
                    into.add(Found {
                        checker: CHECKER,
                        aspect: Aspect::Plain,
                        verdict: NEVER.verdict(),
                        armed: NEVER,
                        session: lane.session,
                        partition,
                        run: Run::of(run.start + (messages.start - first), messages.len()),
                        offset: None,
                    });
                }
            });
        }
    }
}
