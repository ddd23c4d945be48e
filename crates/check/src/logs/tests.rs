//! Logs with a spine are the same as logs kept apart.

use super::*;
use crate::entry::Content;
use inflight_protocol::Sequence;
use inflight_protocol::ids::{ProducerEpoch, SessionId};
use proptest::prelude::*;

fn b(number: u8) -> BrokerId {
    BrokerId::new(number)
}

fn entry(offset: u64, count: u64, first: u64, epoch: u32) -> Entry {
    Entry {
        offset,
        count,
        first,
        producer_id: None,
        leader_epoch: LeaderEpoch::new(epoch),
        sequence: Sequence::ZERO,
        session: SessionId::new(0),
        producer_epoch: ProducerEpoch::new(0),
        content: Content::Records,
    }
}

/// What one replica has, record by record: ordinal and leader epoch.
fn contents(logs: &Logs, broker: BrokerId) -> Vec<(u64, u64, u32)> {
    let replica = logs.known(broker).unwrap();
    let shared = logs.spine(0, replica.agrees);
    let all = shared.chain(replica.own.iter().copied());
    all.flat_map(|e| (0..e.count).map(move |n| (e.offset + n, e.first + n, e.leader_epoch.get())))
        .collect()
}

#[test]
fn followers_agree_and_leaders_change() {
    let mut logs = Logs::new(3);
    use AppendOrigin::{Client, Replication};
    assert_eq!(logs.append(b(1), entry(0, 4, 0, 0), Client), Appended::Grown);
    logs.append(b(2), entry(0, 2, 0, 0), Replication);
    logs.append(b(2), entry(2, 2, 2, 0), Replication);
    logs.append(b(3), entry(0, 2, 0, 0), Replication);
    let ends = |logs: &Logs| logs.replicas().map(|(_, r)| (r.agrees, r.end)).collect::<Vec<_>>();
    assert_eq!(ends(&logs), [(4, 4), (4, 4), (2, 2)]);
    assert_eq!(logs.entries(), 1);

    // Broker 3 takes over with a shorter log; the others keep what it lacks as their own.
    assert_eq!(logs.take_over(b(3), LeaderEpoch::new(1)), 2);
    assert_eq!(ends(&logs), [(2, 4), (2, 4), (2, 2)]);
    logs.append(b(3), entry(2, 1, 2, 1), Client);
    logs.cut(b(1), 2);
    logs.append(b(1), entry(2, 1, 2, 1), Replication);
    assert_eq!(ends(&logs), [(3, 3), (2, 4), (3, 3)]);
    assert!(logs.known(b(2)).unwrap().differs());

    // And back: broker 2's log is what counts again.
    assert_eq!(logs.take_over(b(2), LeaderEpoch::new(2)), 2);
    assert_eq!(ends(&logs), [(2, 3), (4, 4), (2, 3)]);
    assert_eq!(contents(&logs, b(2)), [(0, 0, 0), (1, 1, 0), (2, 2, 0), (3, 3, 0)]);
}

#[test]
fn a_zombie_writes_into_its_own_log() {
    let mut logs = Logs::new(2);
    logs.append(b(1), entry(0, 1, 0, 0), AppendOrigin::Client);
    logs.append(b(2), entry(0, 1, 0, 0), AppendOrigin::Replication);
    logs.take_over(b(2), LeaderEpoch::new(1));
    assert_eq!(logs.append(b(1), entry(1, 1, 1, 0), AppendOrigin::Client), Appended::Copied);
    assert_eq!(logs.end(), 1);
    logs.append(b(2), entry(1, 1, 1, 1), AppendOrigin::Client);
    assert_eq!(contents(&logs, b(1)), [(0, 0, 0), (1, 1, 0)]);
    assert_eq!(contents(&logs, b(2)), [(0, 0, 0), (1, 1, 1)]);
}

#[test]
fn what_is_forgotten_is_told_once_and_believed() {
    let mut logs = Logs::new(2);
    for n in 0..10 {
        // Every second record is missing, so that nothing merges.
        logs.append(b(1), entry(n, 1, n * 2, 0), AppendOrigin::Client);
    }
    let mut told = Vec::new();
    logs.forget(7, 4, |entry| told.push(entry.offset));
    assert_eq!(told, [0, 1, 2, 3, 4, 5]);
    assert_eq!((logs.start(), logs.end(), logs.entries()), (6, 10, 4));
    assert!(logs.holds(2, SessionId::new(0), Run::of(99, 1)));
    logs.append(b(2), entry(0, 5, 77, 0), AppendOrigin::Replication);
    logs.append(b(2), entry(5, 1, 10, 0), AppendOrigin::Replication);
    logs.append(b(2), entry(6, 1, 12, 0), AppendOrigin::Replication);
    assert_eq!(logs.known(b(2)).unwrap().agrees, 7);
}

/// What can happen to the logs of three replicas.
#[derive(Clone, Debug)]
enum Step {
    Append(u8, u64),
    Copy(u8, u8, u64),
    Cut(u8, u64),
    TakeOver(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (1..4_u8, 1..4_u64).prop_map(|(b, n)| Step::Append(b, n)),
        (1..4_u8, 1..4_u8, 1..5_u64).prop_map(|(from, to, n)| Step::Copy(from, to, n)),
        (1..4_u8, 0..12_u64).prop_map(|(b, to)| Step::Cut(b, to)),
        (1..4_u8).prop_map(Step::TakeOver),
    ]
}

proptest! {
    #[test]
    fn a_spine_is_as_good_as_three_logs(steps in proptest::collection::vec(step(), 1..40)) {
        let mut logs = Logs::new(3);
        let mut plain: [Vec<(u64, u64, u32)>; 3] = Default::default();
        let (mut epoch, mut next) = (0, 0);
        for step in steps {
            match step {
                Step::Append(broker, count) => {
                    let log = &mut plain[b(broker).index()];
                    let offset = log.len() as u64;
                    log.extend((0..count).map(|n| (offset + n, next + n, epoch)));
                    logs.append(b(broker), entry(offset, count, next, epoch), AppendOrigin::Client);
                    next += count;
                }
                Step::Copy(from, to, count) if from != to => {
                    let at = plain[b(to).index()].len();
                    let copied: Vec<_> =
                        plain[b(from).index()].iter().skip(at).take(count as usize).copied().collect();
                    for record in copied {
                        plain[b(to).index()].push(record);
                        let (offset, first, epoch) = record;
                        let copy = entry(offset, 1, first, epoch);
                        logs.append(b(to), copy, AppendOrigin::Replication);
                    }
                }
                Step::Copy(..) => {}
                Step::Cut(broker, to) => {
                    plain[b(broker).index()].truncate(to as usize);
                    logs.cut(b(broker), to);
                }
                Step::TakeOver(broker) => {
                    epoch += 1;
                    logs.take_over(b(broker), LeaderEpoch::new(epoch));
                }
            }
            for broker in 1..4 {
                prop_assert_eq!(&contents(&logs, b(broker)), &plain[b(broker).index()]);
                prop_assert_eq!(
                    logs.known(b(broker)).unwrap().end,
                    plain[b(broker).index()].len() as u64
                );
            }
        }
    }
}
