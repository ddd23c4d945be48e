//! Calls into machines, and the interpretation of what they leave.

use super::{Event, Outbox, World, env_of};
use inflight_broker::{Broker, Controller};
use inflight_des::{Agenda, Effect, Instant};
use inflight_producer::{Env, Producer};
use inflight_protocol::fact::StopCause;
use inflight_protocol::{BrokerId, Cluster, Fact, FactKind, Node, Outgoing, Turn};
use inflight_trace::Observer;

impl<O: Observer> World<'_, O> {
    pub(super) fn with_controller(
        &mut self,
        agenda: &mut Agenda<'_, Event>,
        call: impl FnOnce(&mut Controller, &Cluster, &mut Turn<'_>),
    ) {
        let mut outbox = self.outboxes.pop().unwrap_or_default();
        let mut turn = Turn::new(agenda.now(), &mut self.chance, &mut outbox, self.wanted);
        call(&mut self.controller, &self.setup.cluster, &mut turn);
        self.interpret(agenda, 0, outbox);
        self.rearm(agenda, 0, self.controller.next_timeout());
    }

    /// Calls a broker, and goes on calling its step as long as it asks for it.
    pub(super) fn with_broker(
        &mut self,
        agenda: &mut Agenda<'_, Event>,
        broker: BrokerId,
        call: impl FnOnce(&mut Broker, &Cluster, &mut Turn<'_>),
    ) {
        let index = broker.index();
        let cluster = &self.setup.cluster;
        let mut outbox = self.outboxes.pop().unwrap_or_default();
        let mut turn = Turn::new(agenda.now(), &mut self.chance, &mut outbox, self.wanted);
        call(&mut self.brokers[index], cluster, &mut turn);
        while self.interpret(agenda, index as u16 + 1, outbox) {
            outbox = self.outboxes.pop().unwrap_or_default();
            let mut turn = Turn::new(agenda.now(), &mut self.chance, &mut outbox, self.wanted);
            self.brokers[index].step(cluster, &mut turn);
        }
        self.rearm(agenda, index as u16 + 1, self.brokers[index].next_timeout());
    }

    /// Calls a client's producer; then the application goes on with what it got to know.
    pub(super) fn with_producer(
        &mut self,
        agenda: &mut Agenda<'_, Event>,
        client: usize,
        call: impl FnOnce(&mut Producer, &Env<'_>, &mut Turn<'_>),
    ) {
        self.call_producer(agenda, client, call);
        self.application_goes_on(agenda, client);
        self.rearm_client(agenda, client);
    }

    /// Calls a client's producer and interprets what it leaves.
    pub(super) fn call_producer(
        &mut self,
        agenda: &mut Agenda<'_, Event>,
        client: usize,
        call: impl FnOnce(&mut Producer, &Env<'_>, &mut Turn<'_>),
    ) {
        let index = self.index_of_client(client);
        let Some(producer) = &mut self.clients[client].producer else { return };
        let env = env_of(self.setup, client);
        let mut outbox = self.outboxes.pop().unwrap_or_default();
        let mut turn = Turn::new(agenda.now(), &mut self.chance, &mut outbox, self.wanted);
        call(producer, &env, &mut turn);
        self.interpret(agenda, index, outbox);
    }

    /// Interprets an outbox, effect by effect. A fault may end the node in between: what it had
    /// still in its outbox never happens. Returns whether the machine wants to be called again.
    #[inline]
    pub(super) fn interpret(
        &mut self,
        agenda: &mut Agenda<'_, Event>,
        index: u16,
        mut outbox: Outbox,
    ) -> bool {
        let again = !outbox.is_empty() && self.interpret_each(agenda, index, &mut outbox);
        self.outboxes.push(outbox);
        again
    }

    #[inline(never)]
    fn interpret_each(
        &mut self,
        agenda: &mut Agenda<'_, Event>,
        index: u16,
        outbox: &mut Outbox,
    ) -> bool {
        let mut again = false;
        let life = self.nodes[usize::from(index)].life;
        let mut effects = outbox.iter_mut();
        while let Some(effect) = effects.next() {
            match effect {
                Effect::Did(fact) => self.happened(agenda, fact),
                Effect::Send(outgoing) => self.dispatch(agenda, index, outgoing),
                Effect::Again => again = true,
            }
            if self.nodes[usize::from(index)].life != life {
                again = false;
                self.stop_killed(agenda, effects.as_slice());
                break;
            }
        }
        outbox.clear();
        again
    }

    /// A producer that was killed in the turn in which it closed did not get as far as that.
    fn stop_killed(
        &mut self,
        agenda: &mut Agenda<'_, Event>,
        unreached: &[Effect<Outgoing, Fact>],
    ) {
        for effect in unreached {
            if let Effect::Did(Fact::ProducerStopped { client, session, .. }) = *effect {
                let how = StopCause::Crashed;
                self.did(agenda, FactKind::ProducerStopped, || Fact::ProducerStopped {
                    client,
                    session,
                    how,
                });
            }
        }
    }

    /// Makes sure that a producer is called when it wants to be.
    pub(super) fn rearm_client(&mut self, agenda: &mut Agenda<'_, Event>, client: usize) {
        let own = &mut self.clients[client];
        let wants = own.producer.as_ref().and_then(Producer::next_timeout);
        let reader = own.reader.as_mut().and_then(|reader| reader.consumer.as_mut());
        let reads = reader.and_then(|consumer| consumer.next_timeout(agenda.now()));
        let wants = wants.into_iter().chain(reads).min();
        self.rearm(agenda, self.index_of_client(client), wants);
    }

    /// Makes sure that the machine is called when it wants to be.
    #[inline]
    fn rearm(&mut self, agenda: &mut Agenda<'_, Event>, index: u16, wants: Option<Instant>) {
        let Some(at) = wants else { return };
        let state = &mut self.nodes[usize::from(index)];
        if at < state.armed && state.is_up() && !state.is_paused() {
            let at = at.max(agenda.now());
            state.armed = at;
            agenda.at(at, Event::Wake(index));
        }
    }

    /// Makes sure that the machine of a node is called when it wants to be.
    pub(super) fn rearm_node(&mut self, agenda: &mut Agenda<'_, Event>, node: Node) {
        match node {
            Node::Controller => self.rearm(agenda, 0, self.controller.next_timeout()),
            Node::Broker(broker) => {
                let wants = self.brokers[broker.index()].next_timeout();
                self.rearm(agenda, broker.index() as u16 + 1, wants);
            }
            Node::Client(client) => self.rearm_client(agenda, client.index()),
        }
    }

    /// A wake-up is due. One that was overtaken by an earlier one finds nothing to do.
    pub(super) fn wake(&mut self, agenda: &mut Agenda<'_, Event>, index: u16) {
        let state = &mut self.nodes[usize::from(index)];
        if state.armed != agenda.now() || !state.is_up() || state.is_paused() {
            return;
        }
        state.armed = Instant::NEVER;
        match self.node_at(index) {
            Node::Controller => {
                self.with_controller(agenda, |machine, cluster, turn| {
                    machine.handle_timeout(cluster, turn);
                });
            }
            Node::Broker(broker) => {
                self.with_broker(agenda, broker, |machine, cluster, turn| {
                    machine.handle_timeout(cluster, turn);
                });
            }
            Node::Client(client) => {
                self.with_producer(agenda, client.index(), |machine, env, turn| {
                    machine.handle_timeout(env, turn);
                });
                if self.clients[client.index()].reader.is_some() {
                    self.with_consumer(agenda, client.index(), |machine, env, turn| {
                        machine.handle_timeout(env, turn);
                    });
                }
            }
        }
    }
}
