//! What brokers and the controller do.

use super::transactions::MARKER;
use super::{Script, Wire, b};
use inflight_protocol::fact::{AppendOrigin, Election, LastStop, Surviving};
use inflight_protocol::ids::*;
use inflight_protocol::{ErrorCode, Fact, Sequence};

fn set(brokers: &[u8]) -> BrokerSet {
    brokers.iter().copied().map(BrokerId::new).collect()
}

impl Script {
    /// A leader appends records at the end of its log.
    pub(crate) fn append(self, broker: u8, session: u16, first: u64, count: u32) -> Self {
        let wire = self.wire(session, first);
        self.append_as(broker, session, first, count, wire)
    }

    pub(crate) fn append_as(
        mut self,
        broker: u8,
        session: u16,
        first: u64,
        count: u32,
        wire: Wire,
    ) -> Self {
        let epoch = self.shelf().epoch;
        let log = &mut self.shelf().logs[b(broker).index()];
        let offset = log.len() as u64;
        for n in 0..u64::from(count) {
            let at = wire.map(|(id, epoch, sequence)| (id, epoch, sequence + n as i32));
            log.push((session, first + n, epoch, at));
        }
        self.appended(broker, offset, count, AppendOrigin::Client)
    }

    /// The fact that a broker appended the last records of its log.
    pub(super) fn appended(
        self,
        broker: u8,
        offset: u64,
        count: u32,
        origin: AppendOrigin,
    ) -> Self {
        let (session, first, epoch, wire) = self.replica(broker)[offset as usize];
        if session == MARKER {
            return self.marked(broker, offset, origin);
        }
        let partition = self.at();
        self.fact(Fact::BatchAppended {
            broker: b(broker),
            partition,
            base_offset: Offset::new(offset),
            count,
            session: SessionId::new(session),
            first,
            leader_epoch: LeaderEpoch::new(epoch),
            producer_id: wire.map(|(id, ..)| ProducerId::new(id)),
            producer_epoch: wire.map(|(_, epoch, _)| ProducerEpoch::new(epoch)),
            sequence: wire.and_then(|(.., sequence)| Sequence::new(sequence)),
            origin,
        })
    }

    /// A follower copies what it lacks of another broker's log.
    pub(crate) fn copy(mut self, broker: u8, from: u8) -> Self {
        let start = self.replica(broker).len();
        for at in start..self.replica(from).len() {
            let record = self.replica(from)[at];
            self.shelf().logs[b(broker).index()].push(record);
            self = self.appended(broker, at as u64, 1, AppendOrigin::Replication);
        }
        self
    }

    /// A replica's high watermark rises to the end of its log.
    pub(crate) fn commit(self, broker: u8) -> Self {
        let end = self.replica(broker).len() as u64;
        self.commit_to(broker, end)
    }

    pub(crate) fn commit_to(mut self, broker: u8, to: u64) -> Self {
        let from = std::mem::replace(&mut self.shelf().marks[b(broker).index()], to);
        let (from, to) = (Offset::new(from), Offset::new(to));
        let partition = self.at();
        self.fact(Fact::HighWatermarkAdvanced { broker: b(broker), partition, from, to })
    }

    /// Both followers of a leader copy everything, and the leader commits it.
    pub(crate) fn replicate(mut self, leader: u8) -> Self {
        for follower in (1..4).filter(|broker| *broker != leader) {
            self = self.copy(follower, leader);
        }
        self.commit(leader)
    }

    pub(crate) fn reject(
        self,
        broker: u8,
        session: u16,
        first: u64,
        count: u32,
        error: ErrorCode,
    ) -> Self {
        let wire = self.wire(session, first);
        let partition = self.at();
        self.fact(Fact::BatchRejected {
            broker: b(broker),
            partition,
            session: SessionId::new(session),
            first,
            count,
            sequence: wire.and_then(|(.., sequence)| Sequence::new(sequence)),
            error,
        })
    }

    /// A leader takes a batch for what it has at an offset.
    pub(crate) fn recognise(
        self,
        broker: u8,
        session: u16,
        first: u64,
        count: u32,
        offset: u64,
    ) -> Self {
        let (id, epoch, sequence) = self.wire(session, first).expect("the client is idempotent");
        let partition = self.at();
        self.fact(Fact::DuplicateRecognized {
            broker: b(broker),
            partition,
            base_offset: Offset::new(offset),
            count,
            session: SessionId::new(session),
            first,
            producer_id: ProducerId::new(id),
            producer_epoch: ProducerEpoch::new(epoch),
            sequence: Sequence::new(sequence).expect("ordinals are not negative"),
        })
    }

    pub(crate) fn forget_producer(self, broker: u8, session: u16) -> Self {
        let producer_id = ProducerId::new(u64::from(session));
        let partition = self.at();
        self.fact(Fact::ProducerStateExpired { broker: b(broker), partition, producer_id })
    }

    pub(crate) fn crash(self, broker: u8) -> Self {
        self.fact(Fact::BrokerCrashed { broker: b(broker), surviving: Surviving::Appended })
    }

    /// A broker's machine loses power and comes back with a log that ends at `to`.
    pub(crate) fn power_loss(mut self, broker: u8, to: u64) -> Self {
        let from = Offset::new(self.replica(broker).len() as u64);
        self.shelf().logs[b(broker).index()].truncate(to as usize);
        let (partition, to) = (self.at(), Offset::new(to));
        self.fact(Fact::BrokerCrashed { broker: b(broker), surviving: Surviving::Flushed })
            .start(broker)
            .fact(Fact::LogRecovered { broker: b(broker), partition, from, to, high_watermark: to })
    }

    pub(crate) fn start(self, broker: u8) -> Self {
        self.fact(Fact::BrokerStarted { broker: b(broker) }).fact(Fact::BrokerRegistered {
            broker: b(broker),
            broker_epoch: BrokerEpoch::new(1),
            after: LastStop::Unclean,
        })
    }

    pub(crate) fn truncate(mut self, broker: u8, to: u64) -> Self {
        let from = Offset::new(self.replica(broker).len() as u64);
        self.shelf().logs[b(broker).index()].truncate(to as usize);
        let (partition, to) = (self.at(), Offset::new(to));
        self.fact(Fact::LogTruncated { broker: b(broker), partition, from, to })
    }

    pub(crate) fn isr(self, from: &[u8], to: &[u8]) -> Self {
        self.isr_and_elr(from, to, &[])
    }

    pub(crate) fn isr_and_elr(self, from: &[u8], to: &[u8], elr: &[u8]) -> Self {
        let partition = self.at();
        self.fact(Fact::IsrChanged {
            partition,
            from: set(from),
            to: set(to),
            elr: set(elr),
            partition_epoch: PartitionEpoch::new(1),
        })
    }

    /// The controller elects a leader, which takes over at once.
    pub(crate) fn elect(self, broker: u8, election: Election) -> Self {
        let epoch = self.shelves[self.here].epoch + 1;
        let leader = Some(b(broker));
        self.elected(leader, epoch, election).lead(broker, epoch)
    }

    pub(crate) fn elect_nobody(self) -> Self {
        let epoch = self.shelves[self.here].epoch + 1;
        self.elected(None, epoch, Election::None)
    }

    pub(crate) fn elected(self, leader: Option<BrokerId>, epoch: u32, election: Election) -> Self {
        let leader_epoch = LeaderEpoch::new(epoch);
        let partition = self.at();
        self.fact(Fact::LeaderElected { partition, leader, leader_epoch, election })
    }

    pub(crate) fn lead(mut self, broker: u8, epoch: u32) -> Self {
        self.shelf().epoch = epoch;
        let end = Offset::new(self.replica(broker).len() as u64);
        let mark = self.shelves[self.here].marks[b(broker).index()];
        let mark = Offset::new(mark.min(end.get()));
        let partition = self.at();
        self.fact(Fact::BecameLeader {
            broker: b(broker),
            partition,
            leader_epoch: LeaderEpoch::new(epoch),
            start_offset: end,
            high_watermark: mark,
        })
    }
}
