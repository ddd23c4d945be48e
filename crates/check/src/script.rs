//! Runs written by hand, for tests.
//!
//! A script is a list of facts with just enough memory to fill in offsets and numbers: it knows
//! each broker's log and how many records a session has queued. It decides nothing; every step is
//! what the test says, possible or not. One millisecond lies between two facts.

mod cluster;
mod consumers;
mod transactions;

pub(crate) use transactions::READ_COMMITTED;

use inflight_des::{Halt, Instant};
use inflight_protocol::fact::{
    BlockedOn, CloseCause, Direction, DrainReason, ExpiryPlace, LossCause, SendError, StopCause,
};
use inflight_protocol::ids::*;
use inflight_protocol::{Acks, ApiKey, ErrorCode, Fact, Sequence};
use inflight_trace::{ClientDescription, Description, TopicDescription};

/// One record in a log: session, ordinal, leader epoch, and who sent it.
type Record = (u16, u64, u32, Wire);

/// How a batch calls itself on the wire: producer id and epoch and the sequence of the record.
type Wire = Option<(u64, i16, i32)>;

/// One partition.
#[derive(Clone, Debug, Default)]
struct Shelf {
    logs: [Vec<Record>; 3],
    marks: [u64; 3],
    epoch: u32,
    /// By session.
    queued: Vec<u64>,
    /// By session, the record that has sequence 0.
    bases: Vec<u64>,
}

/// A run in the making.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) description: Description,
    pub(crate) facts: Vec<(Instant, Fact)>,
    /// The partition that steps are about.
    here: usize,
    shelves: Vec<Shelf>,
    messages: Vec<u64>,
    clients: Vec<u16>,
    batches: u32,
    transactional: transactions::Memory,
}

fn b(number: u8) -> BrokerId {
    BrokerId::new(number)
}

impl Script {
    /// Three brokers, one partition `t-0` with three replicas and min.insync.replicas=2, and one
    /// client `p1` with Kafka's defaults and one session. Broker 1 leads in leader epoch 0.
    pub(crate) fn new() -> Self {
        let client = |name: &str| ClientDescription { name: name.to_owned(), ..Default::default() };
        let description = Description {
            title: "a script".to_owned(),
            format: inflight_trace::description::FORMAT,
            brokers: 3,
            topics: vec![TopicDescription {
                name: "t".to_owned(),
                replicas: vec![vec![1, 2, 3]],
                numbers: Vec::new(),
                min_insync_replicas: 2,
                unclean_leader_election_enable: false,
            }],
            clients: vec![client("p1"), client("p2")],
            ..Description::default()
        };
        let script = Self {
            description,
            facts: Vec::new(),
            here: 0,
            shelves: vec![Shelf::default()],
            messages: vec![0, 0],
            clients: Vec::new(),
            batches: 0,
            transactional: transactions::Memory::default(),
        };
        script.lead(1, 0).session(0)
    }

    /// Adds a partition like the first one and goes on with it.
    pub(crate) fn partition(mut self) -> Self {
        self.description.topics[0].replicas.push(vec![1, 2, 3]);
        self.shelves.push(Shelf::default());
        self.here = self.shelves.len() - 1;
        let sessions = self.clients.len();
        self.shelf().queued.resize(sessions, 0);
        self.shelf().bases.resize(sessions, 0);
        self.lead(1, 0)
    }

    /// Goes on with another partition.
    pub(crate) const fn on(mut self, partition: usize) -> Self {
        self.here = partition;
        self
    }

    fn shelf(&mut self) -> &mut Shelf {
        &mut self.shelves[self.here]
    }

    const fn at(&self) -> TopicPartition {
        TopicPartition::new(self.here as u16)
    }

    fn replica(&self, broker: u8) -> &[Record] {
        &self.shelves[self.here].logs[b(broker).index()]
    }

    pub(crate) fn min_isr(mut self, min_isr: u32) -> Self {
        self.description.topics[0].min_insync_replicas = min_isr;
        self
    }

    /// No idempotence, and this many acks.
    pub(crate) fn acks(mut self, acks: Acks) -> Self {
        for client in &mut self.description.clients {
            (client.acks, client.enable_idempotence) = (acks, false);
        }
        self
    }

    /// Not idempotent, acks=all.
    pub(crate) fn plain(self) -> Self {
        self.acks(Acks::All)
    }

    pub(crate) fn in_flight(mut self, max: u32) -> Self {
        self.description.clients.iter_mut().for_each(|client| client.max_in_flight = max);
        self
    }

    pub(crate) fn retries(mut self, retries: u32) -> Self {
        self.description.clients.iter_mut().for_each(|client| client.retries = retries);
        self
    }

    pub(crate) fn fact(mut self, fact: Fact) -> Self {
        let last = self.facts.last().map_or(0, |(at, _)| at.as_nanos());
        self.facts.push((Instant::from_nanos(last + 1_000_000), fact));
        self
    }

    /// Lets time pass before the next fact: empty facts in between.
    pub(crate) fn wait_ms(mut self, ms: u64) -> Self {
        let last = self.facts.last().map_or(0, |(at, _)| at.as_nanos());
        let fact = Fact::MetadataApplied { broker: b(1), version: 0 };
        self.facts.push((Instant::from_nanos(last + ms * 1_000_000), fact));
        self
    }

    /// What a part of the script says happens at one instant.
    pub(crate) fn together(self, part: impl FnOnce(Self) -> Self) -> Self {
        let from = self.facts.len();
        let mut script = part(self);
        let at = script.facts[from].0;
        script.facts[from..].iter_mut().for_each(|fact| fact.0 = at);
        script
    }

    /// A client starts a producer: the next session.
    pub(crate) fn session(mut self, client: u16) -> Self {
        let session = SessionId::new(self.clients.len() as u16);
        self.clients.push(client);
        for shelf in &mut self.shelves {
            shelf.queued.push(0);
            shelf.bases.push(0);
        }
        self.fact(Fact::ProducerStarted { client: ClientId::new(client), session })
    }

    pub(crate) fn stop(self, session: u16, how: StopCause) -> Self {
        let (session, client) =
            (SessionId::new(session), ClientId::new(self.clients[session as usize]));
        self.fact(Fact::ProducerStopped { client, session, how })
    }

    /// A session queues its next records, which are the client's next messages.
    pub(crate) fn queue(mut self, session: u16, count: u32) -> Self {
        let client = usize::from(self.clients[usize::from(session)]);
        let message = self.messages[client];
        self.messages[client] += u64::from(count);
        self.queue_again(session, count, message)
    }

    /// A session queues its next records, which are messages that were numbered before.
    pub(crate) fn queue_again(mut self, session: u16, count: u32, message: u64) -> Self {
        let first = self.queued(session);
        self.shelf().queued[usize::from(session)] += u64::from(count);
        let batch = self.next_batch();
        let partition = self.at();
        self.fact(Fact::RecordsQueued {
            session: SessionId::new(session),
            thread: ThreadId::new(0),
            partition,
            first,
            count,
            message,
            batch,
            bytes: 100 * count,
        })
    }

    /// How many records a session has queued.
    pub(crate) fn queued(&self, session: u16) -> u64 {
        self.shelves[self.here].queued[usize::from(session)]
    }

    fn next_batch(&mut self) -> BatchId {
        self.batches += 1;
        BatchId::new(self.batches - 1)
    }

    /// What records of a session say of themselves, if its client is idempotent.
    fn wire(&self, session: u16, first: u64) -> Wire {
        let client = usize::from(self.clients[usize::from(session)]);
        let idempotent = self.description.clients[client].enable_idempotence;
        let base = self.shelves[self.here].bases[usize::from(session)];
        let (id, epoch) = self.transactional.identity(session).unwrap_or((session.into(), 0));
        idempotent.then_some((id, epoch, first.wrapping_sub(base) as i32))
    }

    /// A batch goes to a broker; `attempt` counts from 0.
    pub(crate) fn send(self, session: u16, first: u64, count: u32, to: u8, attempt: u32) -> Self {
        let wire = self.wire(session, first);
        let correlation = CorrelationId::new(self.facts.len() as u32);
        let partition = self.at();
        self.fact(Fact::BatchDrained {
            session: SessionId::new(session),
            partition,
            batch: BatchId::new(first as u32),
            first,
            count,
            bytes: 100 * count,
            broker: b(to),
            correlation,
            attempt,
            sequence: wire.and_then(|(_, _, sequence)| Sequence::new(sequence)),
            producer_epoch: wire.map(|(_, epoch, _)| ProducerEpoch::new(epoch)),
            reason: if attempt == 0 { DrainReason::Linger } else { DrainReason::Retry },
        })
    }

    /// The request of an attempt to send a batch reaches its broker.
    pub(crate) fn reach(self, session: u16, ordinal: u64, nth: u32) -> Self {
        let client = Node::Client(ClientId::new(self.clients[usize::from(session)]));
        let sent = self.facts.iter().find_map(|(_, fact)| match *fact {
            Fact::BatchDrained { session: s, first, attempt, broker, correlation, .. }
                if (s.get(), first, attempt) == (session, ordinal, nth) =>
            {
                Some((broker, correlation))
            }
            _ => None,
        });
        let (broker, correlation) = sent.expect("a batch is sent before its request arrives");
        self.fact(Fact::MessageDelivered {
            from: client,
            to: Node::Broker(broker),
            connection: ConnectionId { owner: client, number: nth },
            correlation,
            api: ApiKey::Produce,
            direction: Direction::Request,
        })
    }

    /// The response to the latest batch that a session sent to a broker is lost.
    pub(crate) fn lose_response(self, session: u16, from: u8) -> Self {
        let client = ClientId::new(self.clients[usize::from(session)]);
        let sent = self.facts.iter().rev().find_map(|(_, fact)| match fact {
            Fact::BatchDrained { session: s, broker, correlation, .. }
                if s.get() == session && broker.get() == from =>
            {
                Some(*correlation)
            }
            _ => None,
        });
        self.fact(Fact::MessageLost {
            from: Node::Broker(b(from)),
            to: Node::Client(client),
            connection: ConnectionId { owner: Node::Client(client), number: u32::from(from) },
            correlation: sent.expect("a batch was sent before its response is lost"),
            api: ApiKey::Produce,
            direction: Direction::Response,
            why: LossCause::Fault,
        })
    }

    /// A client learns that its connection to a broker is gone.
    pub(crate) fn disconnect(self, client: u16, broker: u8, why: CloseCause) -> Self {
        let node = Node::Client(ClientId::new(client));
        let connection = ConnectionId { owner: node, number: u32::from(broker) };
        self.fact(Fact::ConnectionClosed { connection, at: node, why })
    }

    /// An application is told that records are delivered, at the offset at which broker `by` has
    /// them.
    pub(crate) fn ack(self, session: u16, first: u64, count: u32, by: u8) -> Self {
        let at = self.replica(by).iter().position(|(s, o, ..)| (*s, *o) == (session, first));
        let offset = at.expect("the broker has what it acks") as u64;
        self.ack_at(session, first, count, Some(offset))
    }

    pub(crate) fn ack_at(self, session: u16, first: u64, count: u32, offset: Option<u64>) -> Self {
        let partition = self.at();
        self.fact(Fact::RecordsAcked {
            session: SessionId::new(session),
            partition,
            batch: BatchId::new(first as u32),
            first,
            count,
            base_offset: offset.map(Offset::new),
        })
    }

    pub(crate) fn fail(self, session: u16, first: u64, count: u32, error: SendError) -> Self {
        let partition = self.at();
        self.fact(Fact::RecordsFailed {
            session: SessionId::new(session),
            partition,
            batch: BatchId::new(first as u32),
            first,
            count,
            error,
        })
    }

    pub(crate) fn expire(self, session: u16, first: u64, count: u32, place: ExpiryPlace) -> Self {
        let batch = BatchId::new(first as u32);
        let session = SessionId::new(session);
        let partition = self.at();
        self.fact(Fact::BatchExpired { session, partition, batch, first, count, place })
    }

    pub(crate) fn requeue(self, session: u16, first: u64, count: u32, error: ErrorCode) -> Self {
        let partition = self.at();
        self.fact(Fact::BatchRequeued {
            session: SessionId::new(session),
            partition,
            batch: BatchId::new(first as u32),
            first,
            count,
            attempts: 1,
            error,
        })
    }

    pub(crate) fn identify(self, session: u16) -> Self {
        let id = ProducerId::new(u64::from(session));
        let (session, producer_epoch) = (SessionId::new(session), ProducerEpoch::new(0));
        self.fact(Fact::ProducerIdAssigned { session, producer_id: id, producer_epoch })
    }

    pub(crate) fn renumber(self, session: u16, first: u64, count: u32, epoch: i16) -> Self {
        let batch = BatchId::new(first as u32);
        let (session, producer_epoch) = (SessionId::new(session), ProducerEpoch::new(epoch));
        let from = Sequence::new(first as i32).expect("ordinals are not negative");
        let to = Sequence::ZERO;
        let partition = self.at();
        self.fact(Fact::SequenceRewritten {
            session,
            partition,
            batch,
            first,
            count,
            from,
            to,
            producer_epoch,
        })
    }

    pub(crate) fn block(self, session: u16) -> Self {
        let (session, thread) = (SessionId::new(session), ThreadId::new(0));
        self.fact(Fact::SendBlocked { session, thread, on: BlockedOn::Memory })
    }

    /// Nothing is left to happen.
    pub(crate) fn end(self) -> Self {
        self.fact(Fact::RunEnded { halt: Halt::Quiescent })
    }

    /// The run is stopped.
    pub(crate) fn stop_run(self) -> Self {
        self.fact(Fact::RunEnded { halt: Halt::Horizon })
    }
}
