//! B12, no cycle: no two committed transactions have read each other's records, over however many
//! others.
//!
//! Only what was read counts: the order in which transactions write to a partition is promised to
//! nobody.

use super::{About, UserView};
use crate::promise::Armed;
use crate::told::{Outcome, Readers, Transactions};
use crate::verdict::{Aspect, CheckerId, Judgement, TransactionName};
use inflight_protocol::ids::TopicPartition;

const CHECKER: CheckerId = CheckerId::Cycles;

pub(super) fn check(user: &UserView<'_>, transactions: &Transactions, into: &mut Judgement) {
    let Some(readers) = user.told.readers() else { return };
    let edges = edges(user, transactions, readers);
    into.examined(CHECKER, edges.len() as u64);
    for at in cycles(transactions.list().len(), &edges) {
        let Some(transaction) = transactions.get(at) else { continue };
        let armed = transactions
            .records_of(at)
            .next()
            .map_or(super::NEVER, |(lane, _)| user.cases[lane].atomic());
        let (session, number) = (transaction.session, transaction.number);
        let name = Some(TransactionName { session, number });
        let about = About { transaction: name, ..About::default() };
        into.add_fact((CHECKER, Aspect::Plain), (armed, Armed::verdict(armed)), about);
    }
}

/// Who wrote what whom read, among committed transactions: ascending and without repetition.
fn edges(user: &UserView<'_>, transactions: &Transactions, readers: &Readers) -> Vec<(u32, u32)> {
    let is_committed = |at: u32| {
        let outcome = transactions.get(at).map(|transaction| transaction.outcome());
        match outcome {
            Some(Outcome::Committed) => true,
            Some(Outcome::Unknown) => user.read.sides(at).inside > 0,
            _ => false,
        }
    };
    let mut edges = Vec::new();
    for duty in &readers.duties {
        for transformed in &duty.transformed {
            let Some(reader) = transformed.transaction.filter(|at| is_committed(*at)) else {
                continue;
            };
            for writer in writers(user, transactions, duty.partition, transformed.given.offsets) {
                if writer != reader && is_committed(writer) {
                    edges.push((writer, reader));
                }
            }
        }
    }
    edges.sort_unstable();
    edges.dedup();
    edges
}

/// The transactions of the records at some offsets.
fn writers<'a>(
    user: &'a UserView<'_>,
    transactions: &'a Transactions,
    partition: TopicPartition,
    offsets: crate::runs::Run,
) -> impl Iterator<Item = u32> + 'a {
    let pieces = user.read.pieces_within(partition, offsets);
    pieces.flat_map(move |piece| {
        let lane = user.told.find_lane(piece.session, partition);
        let members = lane.map(|lane| transactions.members_of(lane, piece.run));
        members.into_iter().flatten().map(|member| member.transaction)
    })
}

/// One node of each cycle: the one through which a search in the order of the edges closes it.
fn cycles(nodes: usize, edges: &[(u32, u32)]) -> Vec<u32> {
    const UNSEEN: u8 = 0;
    const ON_THE_WAY: u8 = 1;
    const DONE: u8 = 2;
    let next = |node: u32, from: usize| {
        edges[from..].first().filter(|(writer, _)| *writer == node).map(|(_, reader)| *reader)
    };
    let mut state = vec![UNSEEN; nodes];
    let mut closing = Vec::new();
    for start in 0..nodes as u32 {
        if state[start as usize] != UNSEEN {
            continue;
        }
        let mut way = vec![(start, edges.partition_point(|(writer, _)| *writer < start))];
        state[start as usize] = ON_THE_WAY;
        while let Some((node, at)) = way.last_mut() {
            let Some(reader) = next(*node, *at) else {
                state[*node as usize] = DONE;
                way.pop();
                continue;
            };
            *at += 1;
            match state[reader as usize] {
                UNSEEN => {
                    state[reader as usize] = ON_THE_WAY;
                    let from = edges.partition_point(|(writer, _)| *writer < reader);
                    way.push((reader, from));
                }
                ON_THE_WAY => closing.push(reader),
                _ => {}
            }
        }
    }
    closing.dedup();
    closing
}

#[cfg(test)]
mod tests {
    use super::cycles;

    #[test]
    fn cycles_are_found_and_diamonds_are_none() {
        assert!(cycles(4, &[(0, 1), (0, 2), (1, 3), (2, 3)]).is_empty());
        assert_eq!(cycles(3, &[(0, 1), (1, 2), (2, 0)]), [0]);
        assert_eq!(cycles(4, &[(0, 1), (2, 3), (3, 2)]), [2]);
        assert!(cycles(0, &[]).is_empty());
    }
}
