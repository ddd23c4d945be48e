//! Processes that start, end and stand still.

use super::{Event, Later, World, env_of};
use crate::packet::Parcel;
use inflight_des::{Agenda, Span};
use inflight_producer::Producer;
use inflight_protocol::fact::{LossCause, StopCause, Surviving};
use inflight_protocol::{BrokerId, ClientId, Fact, FactKind, Node, SessionId};
use inflight_trace::Observer;

impl<O: Observer> World<'_, O> {
    /// A client process starts: its producer is constructed, its application begins.
    pub(super) fn start_client(&mut self, agenda: &mut Agenda<'_, Event>, client: usize) {
        let setup = self.setup;
        if setup.clients[client].producer.is_some() {
            self.start_producer(agenda, client);
        }
        if setup.clients[client].consumer.is_some() {
            self.start_consumer(agenda, client);
        }
        self.application_starts(agenda, client);
        self.rearm_client(agenda, client);
    }

    fn start_producer(&mut self, agenda: &mut Agenda<'_, Event>, client: usize) {
        let session = SessionId::new(self.sessions);
        self.sessions += 1;
        let own = &mut self.clients[client];
        own.session = session;
        let id = ClientId::new(client as u16);
        let env = env_of(self.setup, client);
        let first = own.first.take().filter(|first| first.session() == session);
        own.producer =
            Some(first.unwrap_or_else(|| {
                Producer::new(&env, id, session, own.streams, own.next_connection)
            }));
        self.call_producer(agenda, client, |producer, env, turn| producer.start(env, turn));
    }

    /// A process is killed, or its machine loses power.
    pub(super) fn crash(
        &mut self,
        agenda: &mut Agenda<'_, Event>,
        node: Node,
        surviving: Surviving,
    ) {
        if !self.state(node).is_up() {
            return;
        }
        match node {
            Node::Controller => {}
            Node::Broker(broker) => {
                self.process_ends(agenda, node, surviving);
                let now = agenda.now();
                self.brokers[broker.index()].crash(&self.setup.cluster, now, surviving);
                self.did(agenda, FactKind::BrokerCrashed, || Fact::BrokerCrashed {
                    broker,
                    surviving,
                });
            }
            Node::Client(client) => {
                self.client_ends(agenda, client.index(), StopCause::Crashed, surviving);
            }
        }
    }

    /// A client process is gone, and with it everything that it had in memory.
    pub(super) fn client_ends(
        &mut self,
        agenda: &mut Agenda<'_, Event>,
        client: usize,
        how: StopCause,
        surviving: Surviving,
    ) {
        let id = ClientId::new(client as u16);
        self.process_ends(agenda, Node::Client(id), surviving);
        let own = &mut self.clients[client];
        let session = own.session;
        if let Some(producer) = own.producer.take() {
            own.next_connection = producer.next_connection();
            if !producer.has_ended() {
                self.did(agenda, FactKind::ProducerStopped, || Fact::ProducerStopped {
                    client: id,
                    session,
                    how,
                });
            }
        }
        self.consumer_ends(agenda, client, how);
        self.threads_active -= self.clients[client].application.crash();
    }

    /// What every end of a process means: nobody is at its ends of connections any more. The kernel
    /// of a machine that lives tells the other ends; a machine without power tells nobody.
    fn process_ends(&mut self, agenda: &mut Agenda<'_, Event>, node: Node, surviving: Surviving) {
        let index = self.index_of(node);
        self.nodes[usize::from(index)].ends();
        let host_up = surviving == Surviving::Appended;
        self.nodes[usize::from(index)].host_up = host_up;
        let inbox = std::mem::take(&mut self.nodes[usize::from(index)].inbox);
        let unsent = if host_up { Vec::new() } else { self.topology.power_lost(index) };
        for parcel in inbox.into_iter().chain(unsent) {
            self.lose(agenda, parcel, LossCause::Down);
        }
        for (slot, side) in self.connections.of_node(index) {
            if host_up {
                self.close(agenda, slot, side);
            } else {
                self.connections.close(slot, side);
            }
        }
    }

    /// A broker process has come to its own end. Kafka: the end of BrokerServer.shutdown.
    pub(super) fn exits(&mut self, agenda: &mut Agenda<'_, Event>, node: Node) {
        self.process_ends(agenda, node, Surviving::Appended);
    }

    /// A process is started. One that runs is left alone, and so is a client for which there is no
    /// number left.
    pub(super) fn restart(&mut self, agenda: &mut Agenda<'_, Event>, node: Node) {
        let is_nameless = matches!(node, Node::Client(_))
            && (self.sessions == u16::MAX || self.consumers == u16::MAX);
        if self.state(node).is_up() || is_nameless {
            return;
        }
        self.state_mut(node).begins();
        self.reset_broken_connections(agenda, node);
        match node {
            Node::Controller => {}
            Node::Broker(broker) => {
                self.with_broker(agenda, broker, |machine, cluster, turn| {
                    machine.restart(cluster, turn);
                });
            }
            Node::Client(client) => {
                self.threads_active += self.clients[client.index()]
                    .application
                    .revive(&self.setup.clients[client.index()]);
                self.start_client(agenda, client.index());
            }
        }
    }

    /// Peers that sent bytes to a machine without power learn that their connections are gone when
    /// TCP tries again.
    fn reset_broken_connections(&mut self, agenda: &mut Agenda<'_, Event>, node: Node) {
        let index = self.index_of(node);
        let mut broken: Vec<_> = (self.connections.iter())
            .filter(|(_, known)| known.is_broken())
            .map(|(slot, known)| (known.key, slot, known.side_of(index)))
            .filter(|(_, slot, side)| self.connections[*slot].node(*side) == index)
            .collect();
        broken.sort_unstable_by_key(|(key, ..)| *key);
        for (_, slot, side) in broken {
            self.ship_bare(agenda, slot, side, Parcel::Closed(slot, side.other()));
        }
    }

    /// A process stands still for a while.
    pub(super) fn pause(&mut self, agenda: &mut Agenda<'_, Event>, node: Node, span: Span) {
        if !self.state(node).is_up() || node == Node::Controller {
            return;
        }
        self.state_mut(node).pauses += 1;
        let life = self.state(node).life;
        self.tell_pause(agenda, node);
        self.put_off(agenda, span, Later::Resume(node, life));
    }

    /// A process goes on: first what arrived meanwhile, then what it was waiting for.
    pub(super) fn resume(&mut self, agenda: &mut Agenda<'_, Event>, node: Node, life: u32) {
        let state = self.state_mut(node);
        if state.life != life || state.pauses == 0 {
            return;
        }
        state.pauses -= 1;
        if state.is_paused() {
            return;
        }
        state.armed = inflight_des::Instant::NEVER;
        let inbox = std::mem::take(&mut state.inbox);
        match node {
            Node::Controller => {}
            Node::Broker(broker) => {
                self.did(agenda, FactKind::BrokerResumed, || Fact::BrokerResumed { broker });
            }
            Node::Client(client) => {
                self.did(agenda, FactKind::ProducerResumed, || Fact::ProducerResumed { client });
            }
        }
        for parcel in inbox {
            if self.state(node).life == life {
                self.deliver(agenda, parcel);
            } else {
                self.lose(agenda, parcel, LossCause::Down);
            }
        }
        if self.state(node).life == life {
            self.rearm_node(agenda, node);
            if let Node::Client(client) = node {
                self.threads_resume(agenda, client.index());
            }
        }
    }

    fn tell_pause(&mut self, agenda: &mut Agenda<'_, Event>, node: Node) {
        match node {
            Node::Controller => {}
            Node::Broker(broker) => {
                self.did(agenda, FactKind::BrokerPaused, || Fact::BrokerPaused { broker });
            }
            Node::Client(client) => {
                self.did(agenda, FactKind::ProducerPaused, || Fact::ProducerPaused { client });
            }
        }
    }

    /// Asks a broker to stop.
    pub(super) fn shut_down(&mut self, agenda: &mut Agenda<'_, Event>, broker: BrokerId) {
        if self.state(Node::Broker(broker)).is_up() {
            self.state_mut(Node::Broker(broker)).is_stopping = true;
            self.with_broker(agenda, broker, |machine, cluster, turn| {
                machine.shut_down(cluster, turn);
            });
        }
    }
}
