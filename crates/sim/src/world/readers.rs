//! Clients with a consumer: their thread goes on, call by call.

use super::{Event, World};
use crate::consuming::{ConsumerStep, Consuming, Offsets, Returned};
use crate::setup::{ConsumerSetup, Effect, OffsetsBy, OnFatal, Reading, Setup, Work};
use inflight_consumer::{Completion as Read, Consumer, Env, Streams};
use inflight_des::{Agenda, Chance, Effect as Left, Turn as AnyTurn};
use inflight_producer::{Completion as Sent, Destination, Reports, SendRequest};
use inflight_protocol::fact::{Fact, FactKind, StopCause, Surviving};
use inflight_protocol::message::{GroupIdentity, IsolationLevel};
use inflight_protocol::{
    ClientId, ConsumerId, GroupId, Node, ThreadId, TopicPartition, TransactionResult, Turn,
};
use inflight_trace::Observer;

/// Connections of a process's consumer are numbered from here, those of its producer from 0.
pub(super) const CONNECTIONS: u32 = 1_000_000;

/// The consumer of a client process, and the thread that uses it.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) consumer: Option<Consumer>,
    id: ConsumerId,
    pub(crate) thread: Consuming,
    streams: Streams,
    next_connection: u32,
    /// The records of the poll() that is about to return.
    returned: Vec<Returned>,
}

inflight_des::clone_fields!(Reader { consumer, id, thread, streams, next_connection, returned });

impl Reader {
    pub(super) fn new(name: &str, chance: &mut Chance) -> Self {
        Self {
            consumer: None,
            id: ConsumerId::new(0),
            thread: Consuming::new(name, chance),
            streams: Streams::register(name, chance),
            next_connection: CONNECTIONS,
            returned: Vec::new(),
        }
    }
}

/// The surroundings of a client's consumer.
fn env_of<'s>(setup: &'s Setup, client: usize) -> (Env<'s>, &'s ConsumerSetup) {
    let own = &setup.clients[client];
    let consumer = own.consumer.as_ref().expect("a client that reads has a consumer");
    let env = Env {
        config: &consumer.config,
        topics: &setup.cluster.topics,
        brokers: setup.cluster.brokers,
        bootstrap: &own.bootstrap,
        group: consumer.group,
        defects: setup.cluster.defects,
    };
    (env, consumer)
}

impl<O: Observer> World<'_, O> {
    /// A consumer is constructed; its thread begins when it is time.
    pub(super) fn start_consumer(&mut self, agenda: &mut Agenda<'_, Event>, client: usize) {
        let id = ConsumerId::new(self.consumers);
        self.consumers += 1;
        let (env, setup) = env_of(self.setup, client);
        let now = agenda.now();
        let Some(reader) = &mut self.clients[client].reader else { return };
        reader.id = id;
        let ids = (ClientId::new(client as u16), id);
        reader.consumer =
            Some(Consumer::new(&env, now, ids, reader.streams, reader.next_connection));
        reader.thread.start(setup, now);
        self.call_consumer(agenda, client, |consumer, env, turn| consumer.start(env, turn));
    }

    /// The process is gone, and its consumer with it.
    pub(super) fn consumer_ends(
        &mut self,
        agenda: &mut Agenda<'_, Event>,
        client: usize,
        how: StopCause,
    ) {
        let Some(reader) = &mut self.clients[client].reader else { return };
        reader.thread.crash();
        reader.returned.clear();
        let Some(consumer) = reader.consumer.take() else { return };
        reader.next_connection = consumer.next_connection();
        let id = reader.id;
        if !consumer.has_ended() {
            let client = ClientId::new(client as u16);
            self.did(agenda, FactKind::ConsumerStopped, || Fact::ConsumerStopped {
                client,
                consumer: id,
                how,
            });
        }
    }

    /// Calls a client's consumer; then the thread goes on with what it got to know.
    pub(super) fn with_consumer(
        &mut self,
        agenda: &mut Agenda<'_, Event>,
        client: usize,
        call: impl FnOnce(&mut Consumer, &Env<'_>, &mut Turn<'_>),
    ) {
        self.call_consumer(agenda, client, call);
        self.reader_goes_on(agenda, client);
        self.rearm_client(agenda, client);
    }

    /// Calls a client's consumer and interprets what it leaves.
    fn call_consumer(
        &mut self,
        agenda: &mut Agenda<'_, Event>,
        client: usize,
        call: impl FnOnce(&mut Consumer, &Env<'_>, &mut Turn<'_>),
    ) {
        let index = self.index_of_client(client);
        let (env, _) = env_of(self.setup, client);
        let reader = self.clients[client].reader.as_mut();
        let Some(consumer) = reader.and_then(|reader| reader.consumer.as_mut()) else { return };
        let mut outbox: Vec<Left<_, _>> = self.outboxes.pop().unwrap_or_default();
        let mut turn = AnyTurn::new(agenda.now(), &mut self.chance, &mut outbox, self.wanted);
        call(consumer, &env, &mut turn);
        self.interpret(agenda, index, outbox);
    }

    /// The thread takes in what its consumer and its producer have to say, and goes on until it
    /// has to wait.
    pub(super) fn reader_goes_on(&mut self, agenda: &mut Agenda<'_, Event>, client: usize) {
        let node = Node::Client(ClientId::new(client as u16));
        while self.state(node).is_up() && !self.state(node).is_paused() {
            if !self.reader_hears(agenda, client) && !self.reader_acts(agenda, client) {
                return;
            }
        }
    }

    // --- what calls return ----------------------------------------------------------------------

    /// Takes in one thing that a machine has to say. Returns whether there was one.
    fn reader_hears(&mut self, agenda: &mut Agenda<'_, Event>, client: usize) -> bool {
        let own = &mut self.clients[client];
        let Some(reader) = &mut own.reader else { return false };
        if let Some(consumer) = &mut reader.consumer
            && !consumer.completions().is_empty()
        {
            let read = consumer.completions().remove(0);
            self.reader_read(agenda, client, read);
            return true;
        }
        if let Some(producer) = &mut own.producer
            && !producer.completions().is_empty()
        {
            let sent = producer.completions().remove(0);
            self.reader_sent(agenda, client, sent);
            return true;
        }
        false
    }

    fn reader_read(&mut self, agenda: &mut Agenda<'_, Event>, client: usize, read: Read) {
        let (_, setup) = env_of(self.setup, client);
        let is_transactional = self.is_transactional(client);
        let Some(reader) = &mut self.clients[client].reader else { return };
        match read {
            Read::Records { partition, base_offset, run } => reader.returned.push(Returned {
                partition,
                base_offset,
                count: run.count,
                session: run.session,
                first: run.first,
            }),
            Read::Polled { .. } => {
                let returned = reader.returned.drain(..);
                let now = agenda.now();
                let next = reader.consumer.iter().flat_map(Consumer::next_offsets);
                let thread = &mut reader.thread;
                thread.polled(setup, is_transactional, returned, next, now, &mut self.chance);
            }
            Read::PollFailed { .. } => reader.thread.failed(),
            Read::CommittedSync { error } => {
                let result = error.map_or(Ok(()), Err);
                let back = reader.thread.committed(setup, result, agenda.now(), &mut self.chance);
                self.reader_goes_back(agenda, client, back);
            }
            Read::Assigned { .. }
            | Read::Revoked { .. }
            | Read::CommittedAsync { .. }
            | Read::Closed => {}
        }
    }

    fn reader_sent(&mut self, agenda: &mut Agenda<'_, Event>, client: usize, sent: Sent) {
        let (_, setup) = env_of(self.setup, client);
        let (now, is_transactional) = (agenda.now(), self.is_transactional(client));
        let Some(reader) = &mut self.clients[client].reader else { return };
        match sent {
            Sent::SendReturned { .. } | Sent::Flushed { .. } => {
                reader.thread.sent(setup, is_transactional, now);
            }
            Sent::Transaction { call: inflight_protocol::fact::TransactionCall::Send, .. } => {}
            Sent::Transaction { result, .. } => {
                let result = result.map_err(|thrown| (thrown.error, thrown.recovery));
                let back = reader.thread.transactional_call_returned(setup, result, now);
                self.reader_goes_back(agenda, client, back);
            }
            Sent::Failed { .. } if !is_transactional => reader.thread.failed(),
            Sent::Acked { .. } | Sent::Failed { .. } | Sent::Closed { .. } => {}
        }
    }

    /// The thread seeks to where it was.
    fn reader_goes_back(
        &mut self,
        agenda: &mut Agenda<'_, Event>,
        client: usize,
        back: Option<Offsets>,
    ) {
        for (partition, offset) in back.into_iter().flatten() {
            self.call_consumer(agenda, client, |consumer, env, turn| {
                consumer.seek(env, turn, partition, offset);
            });
        }
    }

    fn is_transactional(&self, client: usize) -> bool {
        let producer = self.setup.clients[client].producer.as_ref();
        producer.is_some_and(|producer| producer.transactional_id.is_some())
    }

    // --- what the thread does -------------------------------------------------------------------

    /// The thread does one thing. Returns whether it may go on at once.
    fn reader_acts(&mut self, agenda: &mut Agenda<'_, Event>, client: usize) -> bool {
        let (_, setup) = env_of(self.setup, client);
        let (now, is_transactional) = (agenda.now(), self.is_transactional(client));
        let Some(reader) = &mut self.clients[client].reader else { return false };
        let step = reader.thread.next_step(setup, is_transactional, now, &mut self.chance);
        match step {
            ConsumerStep::Listen => return false,
            ConsumerStep::WaitUntil(at) => {
                agenda.at(at, Event::Thread { client: client as u16, thread: 0 });
                return false;
            }
            ConsumerStep::Subscribe => self.reader_subscribes(agenda, client),
            ConsumerStep::Poll => {
                self.call_consumer(agenda, client, |consumer, env, turn| {
                    consumer.poll(env, turn, setup.poll_timeout);
                });
            }
            ConsumerStep::CommitSync => {
                self.call_consumer(agenda, client, |consumer, env, turn| {
                    consumer.commit_sync(env, turn, None);
                });
            }
            ConsumerStep::CommitAsync => {
                let mut throws = false;
                self.call_consumer(agenda, client, |consumer, env, turn| {
                    throws = consumer.commit_async(env, turn, None).is_err();
                });
                if let Some(reader) = self.clients[client].reader.as_mut().filter(|_| throws) {
                    reader.thread.failed();
                }
            }
            ConsumerStep::Process(run) => self.process(agenda, client, run),
            ConsumerStep::Send(run, message) => self.transform(agenda, client, run, message),
            ConsumerStep::Stop => self.reader_stops(agenda, client),
            ConsumerStep::Flush
            | ConsumerStep::Init
            | ConsumerStep::Begin
            | ConsumerStep::SendOffsets(_)
            | ConsumerStep::End(_) => self.reader_calls_producer(agenda, client, &step),
        }
        true
    }

    fn reader_subscribes(&mut self, agenda: &mut Agenda<'_, Event>, client: usize) {
        let (_, setup) = env_of(self.setup, client);
        self.call_consumer(agenda, client, |consumer, env, turn| match &setup.reading {
            Reading::Topics(topics) => consumer.subscribe(env, turn, topics),
            Reading::Partitions(partitions) => consumer.assign(env, turn, partitions),
        });
    }

    /// Records have their effect.
    fn process(&mut self, agenda: &mut Agenda<'_, Event>, client: usize, run: Returned) {
        let (_, setup) = env_of(self.setup, client);
        let Returned { partition, base_offset, count, .. } = run;
        let known = match setup.effect {
            Effect::EachTime => 0,
            Effect::Deduplicated => self.sink.take(partition, base_offset.get(), count),
        };
        let Some(reader) = &self.clients[client].reader else { return };
        let consumer = reader.id;
        self.did(agenda, FactKind::RecordsProcessed, || Fact::RecordsProcessed {
            consumer,
            partition,
            base_offset,
            count,
            known,
        });
    }

    /// Messages are made of records and sent.
    fn transform(
        &mut self,
        agenda: &mut Agenda<'_, Event>,
        client: usize,
        run: Returned,
        message: u64,
    ) {
        let (_, setup) = env_of(self.setup, client);
        let Work::Transform(plan) = &setup.work else { return };
        let Returned { partition, base_offset, count, .. } = run;
        let own = &self.clients[client];
        let Some(reader) = &own.reader else { return };
        let (consumer, session) = (reader.id, own.session);
        self.did(agenda, FactKind::RecordsTransformed, || Fact::RecordsTransformed {
            consumer,
            partition,
            base_offset,
            count,
            session,
            message,
        });
        let is_transactional = self.is_transactional(client);
        let request = SendRequest {
            thread: ThreadId::new(0),
            topic: plan.to,
            destination: Destination::Any,
            shape: plan.shape,
            message,
            count,
            reports: if is_transactional { Reports::Ignored } else { Reports::Wanted },
        };
        self.call_producer(agenda, client, |producer, env, turn| producer.send(env, turn, request));
    }

    fn reader_calls_producer(
        &mut self,
        agenda: &mut Agenda<'_, Event>,
        client: usize,
        step: &ConsumerStep,
    ) {
        let (_, setup) = env_of(self.setup, client);
        let thread = ThreadId::new(0);
        let identity = self.identity(client, setup);
        self.call_producer(agenda, client, |producer, env, turn| match step {
            ConsumerStep::Flush => producer.flush(env, turn, thread),
            ConsumerStep::Init => producer.init_transactions(env, turn, thread),
            ConsumerStep::Begin => producer.begin_transaction(env, turn, thread),
            ConsumerStep::SendOffsets(offsets) => {
                producer.send_offsets_to_transaction(env, turn, thread, offsets, identity);
            }
            ConsumerStep::End(TransactionResult::Commit) => {
                producer.commit_transaction(env, turn, thread);
            }
            ConsumerStep::End(TransactionResult::Abort) => {
                producer.abort_transaction(env, turn, thread);
            }
            _ => unreachable!("the other steps are none of the producer's"),
        });
    }

    /// Who commits the offsets that go into a transaction.
    fn identity(&self, client: usize, setup: &ConsumerSetup) -> GroupIdentity {
        let nobody = GroupIdentity { group: group_of(setup), member: None };
        let full = match &setup.work {
            Work::Transform(plan) => plan.offsets == OffsetsBy::GroupMetadata,
            _ => false,
        };
        let reader = self.clients[client].reader.as_ref().filter(|_| full);
        let consumer = reader.and_then(|reader| reader.consumer.as_ref());
        consumer.and_then(Consumer::group_metadata).unwrap_or(nobody)
    }

    fn reader_stops(&mut self, agenda: &mut Agenda<'_, Event>, client: usize) {
        match self.setup.clients[client].on_fatal {
            OnFatal::Stop => {
                self.client_ends(agenda, client, StopCause::Exited, Surviving::Appended);
            }
            OnFatal::Restart => self.begin_again(agenda, client),
        }
    }

    // --- when a run is over ---------------------------------------------------------------------

    /// Whether no thread has records in its hands, or something to commit.
    pub(super) fn readers_are_idle(&self) -> bool {
        self.clients
            .iter()
            .filter_map(|client| client.reader.as_ref())
            .all(|reader| !reader.thread.is_busy())
    }

    /// Whether everything that can be read has been returned, by somebody where a group reads.
    pub(super) fn readers_have_read_all(&self) -> bool {
        let readers = || {
            self.clients.iter().enumerate().filter_map(|(client, own)| {
                let reader = own.reader.as_ref().filter(|reader| reader.thread.is_alive())?;
                Some((env_of(self.setup, client).1, reader.consumer.as_ref()?))
            })
        };
        readers().all(|(setup, consumer)| {
            consumer.has_joined()
                && consumer.assignment().all(|(partition, position)| {
                    let end = self.visible_end(partition, setup.config.isolation_level);
                    position.is_some_and(|position| position.get() >= end)
                        && self.has_heard_of_the_leader(consumer, partition)
                })
        }) && readers().all(|(setup, _)| match &setup.reading {
            Reading::Partitions(_) => true,
            Reading::Topics(topics) => topics
                .iter()
                .flat_map(|topic| self.setup.cluster.topics.partitions(*topic))
                .all(|partition| {
                    readers().any(|(other, consumer)| {
                        other.group == setup.group
                            && consumer.assignment().any(|(own, _)| own == partition)
                    })
                }),
        })
    }

    /// Whether a consumer's position was compared with the log of the partition's leader: another
    /// log may be as long, with other records.
    fn has_heard_of_the_leader(&self, consumer: &Consumer, partition: TopicPartition) -> bool {
        let registration = self.controller.partition(partition);
        registration.leader.is_none()
            || consumer.leader_epoch_of(partition) == Some(registration.leader_epoch)
    }

    /// The offset behind the last record that a reader may see.
    fn visible_end(&self, partition: TopicPartition, isolation: IsolationLevel) -> u64 {
        let leader = self.controller.partition(partition).leader;
        let view = leader.and_then(|leader| self.brokers[leader.index()].replica(partition));
        view.map_or(0, |view| match isolation {
            IsolationLevel::ReadUncommitted => view.high_watermark.get(),
            IsolationLevel::ReadCommitted => view.last_stable.get(),
        })
    }
}

fn group_of(setup: &ConsumerSetup) -> GroupId {
    setup.group.expect("who commits offsets has a group")
}
