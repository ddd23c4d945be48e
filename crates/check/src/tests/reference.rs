//! Counting by hand: record by record, in sets and lists, from the facts alone.

use inflight_des::Instant;
use inflight_protocol::Fact;
use inflight_protocol::fact::Election;
use std::collections::{BTreeMap, BTreeSet};

type Name = (u16, u64);

/// What counting finds.
#[derive(Debug)]
pub(super) struct Reference {
    pub(super) sent: u64,
    pub(super) acked: u64,
    pub(super) failed: u64,
    pub(super) unknown: u64,
    /// What a reader finds, if somebody leads.
    pub(super) read: Option<Read>,
}

/// What a reader finds.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) records: u64,
    pub(super) lost: u64,
    pub(super) duplicated: u64,
    pub(super) reordered: u64,
    pub(super) failed_but_present: u64,
}

#[derive(Default)]
struct Cluster {
    logs: [Vec<Option<Name>>; 3],
    marks: [u64; 3],
    down: [bool; 3],
    leader: Option<usize>,
    elected: Option<usize>,
}

impl Cluster {
    fn on_fact(&mut self, fact: &Fact) {
        match *fact {
            Fact::BatchAppended { broker, base_offset, count, session, first, .. } => {
                let log = &mut self.logs[broker.index()];
                log.resize(base_offset.get() as usize, None);
                log.extend((0..u64::from(count)).map(|n| Some((session.get(), first + n))));
            }
            Fact::LogTruncated { broker, to, .. } => self.cut(broker.index(), to.get()),
            Fact::LogRecovered { broker, to, high_watermark, .. } => {
                self.cut(broker.index(), to.get());
                self.marks[broker.index()] = high_watermark.get();
            }
            Fact::HighWatermarkAdvanced { broker, to, .. } => {
                self.marks[broker.index()] = to.get();
            }
            Fact::BrokerCrashed { broker, .. } => {
                self.down[broker.index()] = true;
                if self.leader == Some(broker.index()) {
                    self.leader = None;
                }
            }
            Fact::BrokerStarted { broker } => self.down[broker.index()] = false,
            Fact::LeaderElected { leader, election, .. } => {
                assert!(election != Election::None || leader.is_none());
                self.elected = leader.map(|broker| broker.index());
            }
            Fact::BecameLeader { broker, high_watermark, .. } => {
                self.leader = Some(broker.index());
                self.down[broker.index()] = false;
                self.marks[broker.index()] = high_watermark.get();
            }
            _ => {}
        }
    }

    fn cut(&mut self, broker: usize, to: u64) {
        self.logs[broker].truncate(to as usize);
        self.marks[broker] = self.marks[broker].min(to);
    }
}

impl Reference {
    pub(super) fn of(facts: &[(Instant, Fact)]) -> Self {
        let (mut queued, mut acked, mut failed) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut cluster = Cluster::default();
        let names = |session: u16, first: u64, count: u32| {
            (first..first + u64::from(count)).map(move |ordinal| (session, ordinal))
        };
        for (_, fact) in facts {
            cluster.on_fact(fact);
            match *fact {
                Fact::RecordsQueued { session, first, count, .. } => {
                    queued.extend(names(session.get(), first, count));
                }
                Fact::RecordsAcked { session, first, count, .. } => {
                    acked.extend(names(session.get(), first, count));
                }
                Fact::RecordsFailed { session, first, count, .. } => {
                    failed.extend(names(session.get(), first, count));
                }
                _ => {}
            }
        }
        let told = |name: &&Name| acked.contains(*name) || failed.contains(*name);
        let leader = cluster.leader.filter(|leader| {
            !cluster.down[*leader] && cluster.elected.is_none_or(|elected| elected == *leader)
        });
        Self {
            sent: queued.len() as u64,
            acked: acked.len() as u64,
            failed: failed.len() as u64,
            unknown: queued.iter().filter(|name| !told(name)).count() as u64,
            read: leader.map(|leader| {
                let mark = cluster.marks[leader] as usize;
                Read::of(cluster.logs[leader].iter().take(mark).flatten(), &acked, &failed)
            }),
        }
    }
}

impl Read {
    fn of<'a>(
        log: impl Iterator<Item = &'a Name>,
        acked: &BTreeSet<Name>,
        failed: &BTreeSet<Name>,
    ) -> Self {
        let mut places: BTreeMap<Name, Vec<usize>> = BTreeMap::new();
        let mut records = 0;
        for (place, name) in log.enumerate() {
            places.entry(*name).or_default().push(place);
            records += 1;
        }
        let overtaken = |(session, ordinal): &Name| {
            let first = places[&(*session, *ordinal)][0];
            places.iter().any(|((s, o), at)| s == session && o > ordinal && at[0] < first)
        };
        let count = |number: usize| number as u64;
        Self {
            records,
            lost: count(acked.iter().filter(|name| !places.contains_key(name)).count()),
            duplicated: count(places.values().map(|at| at.len() - 1).sum()),
            reordered: count(places.keys().filter(|name| overtaken(name)).count()),
            failed_but_present: count(
                failed.iter().filter(|name| places.contains_key(name)).count(),
            ),
        }
    }
}
