//! What machines ask of the network, and what the network makes of it.

use super::{Event, MessageInHand, World};
use crate::fault::Loss;
use crate::packet::{BARE_BYTES, Letter, Parcel, bytes_of};
use inflight_des::{Agenda, Instant, Span};
use inflight_net::{ConnectionSlot, LossMode, Outbound, Side, Transit};
use inflight_protocol::fact::{Direction, LossCause};
use inflight_protocol::{ApiKey, ConnectionId, CorrelationId, Fact, FactKind, Outgoing};
use inflight_trace::Observer;

/// A request or response in the words of facts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message {
    pub(super) connection: ConnectionId,
    pub(super) correlation: CorrelationId,
    pub(super) api: ApiKey,
    pub(super) direction: Direction,
}

impl<O: Observer> World<'_, O> {
    /// Does what a machine asks for. What can be moved out of `outgoing` is.
    #[inline(never)]
    pub(super) fn dispatch(
        &mut self,
        agenda: &mut Agenda<'_, Event>,
        from: u16,
        outgoing: &mut Outgoing,
    ) {
        match outgoing {
            Outgoing::Connect { connection, to } => {
                let to = self.index_of(*to);
                let slot = self.connections.open(*connection, from, to);
                self.ship_bare(agenda, slot, Side::Opener, Parcel::Open(slot));
            }
            Outgoing::Close { connection } => {
                if let Some(slot) = self.connections.find(*connection) {
                    let side = self.connections[slot].side_of(from);
                    self.close(agenda, slot, side);
                }
            }
            Outgoing::Request { connection, correlation, .. } => {
                self.digest.absorb(1 << 32 | u64::from(correlation.get()));
                let connection = *connection;
                self.send_message(agenda, from, connection, Side::Opener, outgoing);
            }
            Outgoing::Response { connection, correlation, .. } => {
                self.digest.absorb(2 << 32 | u64::from(correlation.get()));
                let connection = *connection;
                self.send_message(agenda, from, connection, Side::Acceptor, outgoing);
            }
            Outgoing::ToController(_) => {
                let slot = self.channels[usize::from(from) - 1];
                self.ship_letter(agenda, slot, Side::Opener, outgoing, Span::ZERO);
            }
            Outgoing::ToBroker(broker, _) => {
                let slot = self.channels[broker.index()];
                self.ship_letter(agenda, slot, Side::Acceptor, outgoing, Span::ZERO);
            }
            Outgoing::Exit => self.exits(agenda, self.node_at(from)),
        }
    }

    /// Sends a request or response, unless a rule has something against it.
    fn send_message(
        &mut self,
        agenda: &mut Agenda<'_, Event>,
        from: u16,
        connection: ConnectionId,
        side: Side,
        body: &mut Outgoing,
    ) {
        let slot = self.connections.find(connection);
        let Some(slot) = slot.filter(|slot| self.connections[*slot].is_open(side)) else {
            // Both ends are closed: a broker answers a client that has hung up.
            if let Some(message) = message_in(body) {
                let owner = self.index_of(connection.owner);
                self.tell_lost(agenda, (from, owner), message, LossCause::Closed);
            }
            return;
        };
        let mut delayed = Span::ZERO;
        if self.wanted.meets(FactKind::MessageSent.set())
            && let Some(message) = message_in(body)
        {
            let to = self.connections[slot].node(side.other());
            let life = self.nodes[usize::from(from)].life;
            self.message = MessageInHand { message: Some(message), ..MessageInHand::default() };
            let Message { connection, correlation, api, direction } = message;
            let sent = Fact::MessageSent {
                from: self.node_at(from),
                to: self.node_at(to),
                connection,
                correlation,
                api,
                direction,
                bytes: bytes_of(body),
            };
            self.happened(agenda, &sent);
            let in_hand = std::mem::take(&mut self.message);
            if self.nodes[usize::from(from)].life != life {
                return;
            }
            if let Some(how) = in_hand.lost {
                self.tell_lost(agenda, (from, to), message, LossCause::Fault);
                self.lose_on_purpose(agenda, slot, side, how);
                return;
            }
            delayed = in_hand.delayed;
        }
        self.ship_letter(agenda, slot, side, body, delayed);
    }

    /// A rule takes a message away.
    fn lose_on_purpose(
        &mut self,
        agenda: &mut Agenda<'_, Event>,
        slot: ConnectionSlot,
        side: Side,
        how: Loss,
    ) {
        match (how, self.setup.network.mode) {
            (Loss::Reset, _) => self.reset_connection(agenda, slot, side),
            (Loss::Silence, LossMode::Drop) => {}
            // TCP delivers nothing behind a hole.
            (Loss::Silence, LossMode::Retransmit) => {
                self.connections[slot].arrives(side, Instant::NEVER);
            }
        }
    }

    /// Both ends get a reset, first the one that `side` talks to.
    pub(super) fn reset_connection(
        &mut self,
        agenda: &mut Agenda<'_, Event>,
        slot: ConnectionSlot,
        side: Side,
    ) {
        let other = side.other();
        self.ship_bare(agenda, slot, side, Parcel::Closed(slot, other));
        self.ship_bare(agenda, slot, other, Parcel::Closed(slot, side));
    }

    pub(super) fn tell_lost(
        &mut self,
        agenda: &mut Agenda<'_, Event>,
        (from, to): (u16, u16),
        Message { connection, correlation, api, direction }: Message,
        why: LossCause,
    ) {
        let (from, to) = (self.node_at(from), self.node_at(to));
        self.did(agenda, FactKind::MessageLost, || Fact::MessageLost {
            from,
            to,
            connection,
            correlation,
            api,
            direction,
            why,
        });
    }

    /// Closes one end of a connection and tells the other.
    pub(super) fn close(
        &mut self,
        agenda: &mut Agenda<'_, Event>,
        slot: ConnectionSlot,
        side: Side,
    ) {
        self.ship_bare(agenda, slot, side, Parcel::Closed(slot, side.other()));
        self.connections.close(slot, side);
    }

    /// Puts a letter on its way, `late` by so much more than others take.
    fn ship_letter(
        &mut self,
        agenda: &mut Agenda<'_, Event>,
        on: ConnectionSlot,
        from: Side,
        body: &mut Outgoing,
        late: Span,
    ) {
        let number = match self.letters.reuse() {
            Some(number) => number,
            None => self.letters.insert(Letter { on, from, body: Outgoing::Exit }),
        };
        let letter = &mut self.letters[number];
        (letter.on, letter.from) = (on, from);
        std::mem::swap(&mut letter.body, body);
        self.produces_under_way += u32::from(letter.is_produce());
        self.connections[on].departed();
        self.route(agenda, (on, from), Parcel::Letter(number), late);
    }

    /// Puts a parcel without a message in it on its way.
    pub(super) fn ship_bare(
        &mut self,
        agenda: &mut Agenda<'_, Event>,
        on: ConnectionSlot,
        from: Side,
        parcel: Parcel,
    ) {
        self.connections[on].departed();
        self.route(agenda, (on, from), parcel, Span::ZERO);
    }

    /// Asks the link what becomes of a parcel.
    #[inline]
    fn route(
        &mut self,
        agenda: &mut Agenda<'_, Event>,
        (on, from): (ConnectionSlot, Side),
        parcel: Parcel,
        late: Span,
    ) {
        let connection = &mut self.connections[on];
        let not_before = connection.last_arrival(from);
        if not_before == Instant::NEVER {
            self.lose(agenda, parcel, LossCause::Fault);
            return;
        }
        let ends = (connection.node(from), connection.node(from.other()));
        let network = &self.setup.network;
        let bytes = match parcel {
            Parcel::Letter(number) if network.is_narrow() => bytes_of(&self.letters[number].body),
            Parcel::Letter(_) | Parcel::Open(_) | Parcel::Accepted(_) | Parcel::Closed(..) => {
                BARE_BYTES
            }
        };
        let outbound = Outbound { bytes, now: agenda.now(), not_before };
        match self.topology.send(network, &mut self.chance, ends, parcel, outbound) {
            Transit::Arrives(at) => {
                let at = at + late;
                connection.arrives(from, at);
                agenda.at(at, Event::Arrive(parcel));
            }
            Transit::Held => {}
            Transit::Lost => self.lose(agenda, parcel, LossCause::Cut),
        }
    }

    /// A parcel will not arrive.
    pub(super) fn lose(&mut self, agenda: &mut Agenda<'_, Event>, parcel: Parcel, why: LossCause) {
        let (on, from) = self.course_of(parcel);
        let connection = &self.connections[on];
        let ends = (connection.node(from), connection.node(from.other()));
        self.connections.landed(on);
        if let Parcel::Letter(number) = parcel {
            self.free_letter(number);
            if let Some(message) = message_in(&self.letters[number].body) {
                self.tell_lost(agenda, ends, message, why);
            }
        }
    }

    /// A letter is not on its way any more. What is in it can be read until the next one is sent.
    #[inline]
    pub(super) fn free_letter(&mut self, number: u32) {
        self.letters.free(number);
        self.produces_under_way -= u32::from(self.letters[number].is_produce());
    }

    /// The connection that a parcel travels on, and the side that it comes from.
    #[inline]
    pub(super) fn course_of(&self, parcel: Parcel) -> (ConnectionSlot, Side) {
        match parcel {
            Parcel::Open(slot) => (slot, Side::Opener),
            Parcel::Accepted(slot) => (slot, Side::Acceptor),
            Parcel::Closed(slot, to) => (slot, to.other()),
            Parcel::Letter(number) => {
                let letter = &self.letters[number];
                (letter.on, letter.from)
            }
        }
    }

    /// Sends what a link held back, in order, now that it works again.
    pub(super) fn send_held(&mut self, agenda: &mut Agenda<'_, Event>, from: u16, to: u16) {
        for parcel in self.topology.heal(from, to) {
            self.route(agenda, self.course_of(parcel), parcel, Span::ZERO);
        }
    }
}

/// The request or response in a letter.
pub(super) fn message_in(body: &Outgoing) -> Option<Message> {
    match body {
        Outgoing::Request { connection, correlation, request } => Some(Message {
            connection: *connection,
            correlation: *correlation,
            api: request.api(),
            direction: Direction::Request,
        }),
        Outgoing::Response { connection, correlation, response } => Some(Message {
            connection: *connection,
            correlation: *correlation,
            api: response.api(),
            direction: Direction::Response,
        }),
        Outgoing::Connect { .. }
        | Outgoing::Close { .. }
        | Outgoing::ToController(_)
        | Outgoing::ToBroker(..)
        | Outgoing::Exit => None,
    }
}
