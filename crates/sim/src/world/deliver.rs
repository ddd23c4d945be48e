//! Parcels that arrive.

use super::readers::CONNECTIONS;
use super::send::message_in;
use super::{Event, MessageInHand, World};
use crate::packet::Parcel;
use inflight_des::Agenda;
use inflight_net::{ConnectionSlot, Side};
use inflight_protocol::fact::LossCause;
use inflight_protocol::{Fact, FactKind, Incoming, Node, Outgoing};
use inflight_trace::Observer;

impl<O: Observer> World<'_, O> {
    /// A parcel reaches the machine it was sent to.
    pub(super) fn deliver(&mut self, agenda: &mut Agenda<'_, Event>, parcel: Parcel) {
        let (on, from) = self.course_of(parcel);
        let to = self.connections[on].node(from.other());
        let state = &mut self.nodes[usize::from(to)];
        if !state.host_up {
            self.connections[on].broke();
            self.lose(agenda, parcel, LossCause::Down);
            return;
        }
        // The kernel completes handshakes of a process that stands still; all else has to wait.
        if state.is_paused() && !matches!(parcel, Parcel::Open(_)) {
            state.inbox.push(parcel);
            return;
        }
        match parcel {
            Parcel::Open(slot) => self.asked_to_open(agenda, slot),
            Parcel::Accepted(slot) => {
                let known = &self.connections[slot];
                let (key, is_open) = (known.key, known.is_open(Side::Opener));
                self.connections.landed(slot);
                if is_open {
                    self.hand_over(agenda, to, Incoming::Connected { connection: key });
                }
            }
            Parcel::Closed(slot, side) => self.closed_by_peer(agenda, slot, side),
            Parcel::Letter(number) => self.deliver_letter(agenda, (on, from, to), number),
        }
    }

    /// Somebody wants a connection: a broker that listens takes it, a machine without one refuses.
    fn asked_to_open(&mut self, agenda: &mut Agenda<'_, Event>, slot: ConnectionSlot) {
        let acceptor = self.connections[slot].node(Side::Acceptor);
        let listens = match self.node_at(acceptor) {
            Node::Broker(broker) => self.brokers[broker.index()].is_listening(),
            Node::Controller | Node::Client(_) => false,
        };
        let answer = if listens && self.nodes[usize::from(acceptor)].is_up() {
            self.connections[slot].accept();
            Parcel::Accepted(slot)
        } else {
            Parcel::Closed(slot, Side::Opener)
        };
        self.ship_bare(agenda, slot, Side::Acceptor, answer);
        self.connections.landed(slot);
    }

    /// The other end of a connection is closed, or it was refused.
    fn closed_by_peer(&mut self, agenda: &mut Agenda<'_, Event>, slot: ConnectionSlot, side: Side) {
        let known = &self.connections[slot];
        let (connection, at, is_open) = (known.key, known.node(side), known.is_open(side));
        if is_open {
            self.connections.close(slot, side);
        }
        self.connections.landed(slot);
        if is_open && self.nodes[usize::from(at)].is_up() {
            self.hand_over(agenda, at, Incoming::Disconnected { connection });
        }
    }

    /// A letter arrives. Its reader may have closed the connection.
    fn deliver_letter(
        &mut self,
        agenda: &mut Agenda<'_, Event>,
        (on, from, to): (ConnectionSlot, Side, u16),
        number: u32,
    ) {
        let known = &self.connections[on];
        let is_open = known.is_open(from.other());
        let sender = known.node(from);
        if let Some(message) = message_in(&self.letters[number].body) {
            if !is_open {
                self.free_letter(number);
                self.tell_lost(agenda, (sender, to), message, LossCause::Closed);
                // The kernel answers bytes for a connection that it does not have with a reset.
                self.ship_bare(agenda, on, from.other(), Parcel::Closed(on, from));
                self.connections.landed(on);
                return;
            }
            if self.wanted.meets(FactKind::MessageDelivered.set()) {
                let life = self.nodes[usize::from(to)].life;
                self.message = MessageInHand { message: Some(message), ..MessageInHand::default() };
                let delivered = Fact::MessageDelivered {
                    from: self.node_at(sender),
                    to: self.node_at(to),
                    connection: message.connection,
                    correlation: message.correlation,
                    api: message.api,
                    direction: message.direction,
                };
                self.happened(agenda, &delivered);
                self.message = MessageInHand::default();
                if self.nodes[usize::from(to)].life != life {
                    self.free_letter(number);
                    self.connections.landed(on);
                    return;
                }
            }
        }
        self.connections.landed(on);
        self.free_letter(number);
        let letter = &mut self.letters[number];
        match std::mem::replace(&mut letter.body, Outgoing::Exit) {
            Outgoing::Request { connection, correlation, request } => {
                self.hand_over(agenda, to, Incoming::Request { connection, correlation, request });
            }
            Outgoing::Response { connection, correlation, response } => {
                let incoming = Incoming::Response { connection, correlation, response };
                self.hand_over(agenda, to, incoming);
            }
            Outgoing::ToController(message) => {
                self.with_controller(agenda, |controller, cluster, turn| {
                    controller.handle(cluster, turn, message);
                });
            }
            Outgoing::ToBroker(_, message) => {
                if self.nodes[usize::from(to)].is_up() {
                    self.hand_over(agenda, to, Incoming::ToBroker(message));
                }
            }
            Outgoing::Connect { .. } | Outgoing::Close { .. } | Outgoing::Exit => {}
        }
    }

    /// Calls the machine that something arrived for.
    #[inline]
    fn hand_over(&mut self, agenda: &mut Agenda<'_, Event>, to: u16, incoming: Incoming) {
        match self.node_at(to) {
            Node::Controller => unreachable!("the controller has no connections"),
            Node::Broker(broker) => {
                self.with_broker(agenda, broker, |machine, cluster, turn| {
                    machine.handle(cluster, turn, incoming);
                });
            }
            Node::Client(client) if is_readers(&incoming) => {
                self.with_consumer(agenda, client.index(), |machine, env, turn| {
                    machine.handle(env, turn, incoming);
                });
            }
            Node::Client(client) => {
                self.with_producer(agenda, client.index(), |machine, env, turn| {
                    machine.handle(env, turn, incoming);
                });
            }
        }
    }
}

/// Whether something that arrives at a client is for its consumer.
const fn is_readers(incoming: &Incoming) -> bool {
    match incoming {
        Incoming::Connected { connection }
        | Incoming::Disconnected { connection }
        | Incoming::Request { connection, .. }
        | Incoming::Response { connection, .. } => connection.number >= CONNECTIONS,
        Incoming::ToController(_) | Incoming::ToBroker(_) => false,
    }
}
