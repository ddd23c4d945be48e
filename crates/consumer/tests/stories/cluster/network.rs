//! The brokers of the world, and what lies between them and everybody else.

use super::{DELAY, Event, World, b};
use inflight_broker::{Broker, Controller};
use inflight_des::{Instant, Kinds};
use inflight_protocol::fact::Surviving;
use inflight_protocol::{BrokerId, Cluster, ConnectionId, Effect, Incoming, Node, Outgoing, Turn};

impl World {
    /// The process of a broker is gone.
    pub(crate) fn crash(&mut self, id: u8) {
        let (cluster, now) = (&self.cluster, self.now);
        self.brokers[b(id).index()].crash(cluster, now, Surviving::Appended);
        self.up = self.up.without(b(id));
        self.lives[b(id).index()] += 1;
        let node = Node::Broker(b(id));
        let wires: Vec<_> = self.wires.iter().map(|(id, to)| (*id, *to)).collect();
        for (connection, to) in wires {
            if to == b(id) || connection.owner == node {
                self.close(node, connection);
            }
        }
    }

    pub(super) fn control(&mut self, call: impl FnOnce(&mut Controller, &Cluster, &mut Turn<'_>)) {
        let mut outbox = Vec::new();
        let mut turn = Turn::new(self.now, &mut self.chance, &mut outbox, Kinds::ALL);
        call(&mut self.controller, &self.cluster, &mut turn);
        for effect in outbox {
            match effect {
                Effect::Send(Outgoing::ToBroker(id, word)) => {
                    self.send(Node::Broker(id), Incoming::ToBroker(word));
                }
                Effect::Did(fact) => self.facts.push((self.now, fact)),
                other => panic!("the controller left {other:?}"),
            }
        }
        self.arm(Node::Controller, self.controller.next_timeout());
    }

    pub(super) fn broker_turn(
        &mut self,
        id: BrokerId,
        call: impl FnOnce(&mut Broker, &Cluster, &mut Turn<'_>),
    ) {
        let mut outbox = Vec::new();
        let mut turn = Turn::new(self.now, &mut self.chance, &mut outbox, Kinds::ALL);
        call(&mut self.brokers[id.index()], &self.cluster, &mut turn);
        loop {
            let mut again = false;
            for effect in std::mem::take(&mut outbox) {
                match effect {
                    Effect::Again => again = true,
                    Effect::Did(fact) => self.facts.push((self.now, fact)),
                    Effect::Send(outgoing) => self.route(Node::Broker(id), outgoing),
                }
            }
            if !again {
                break;
            }
            let mut turn = Turn::new(self.now, &mut self.chance, &mut outbox, Kinds::ALL);
            self.brokers[id.index()].step(&self.cluster, &mut turn);
        }
        let held = self.brokers[id.index()].invariants(&self.cluster);
        assert_eq!(held, Ok(()), "at {}", self.now);
        let next = self.brokers[id.index()].next_timeout();
        self.arm(Node::Broker(id), next);
    }

    pub(super) fn route(&mut self, from: Node, outgoing: Outgoing) {
        match outgoing {
            Outgoing::Connect { connection, to: Node::Broker(to) } => {
                self.schedule(self.now + DELAY, Event::Connect(connection, to));
            }
            Outgoing::Close { connection } => self.close(from, connection),
            Outgoing::Request { connection, correlation, request } => {
                if let Some(to) = self.wires.get(&connection).copied() {
                    let incoming = Incoming::Request { connection, correlation, request };
                    self.send(Node::Broker(to), incoming);
                }
            }
            Outgoing::Response { connection, correlation, response } => {
                if !self.closed.contains(&connection) {
                    let incoming = Incoming::Response { connection, correlation, response };
                    self.send(connection.owner, incoming);
                }
            }
            Outgoing::ToController(word) => {
                self.send(Node::Controller, Incoming::ToController(word));
            }
            other => panic!("{from} said {other:?}"),
        }
    }

    /// A side closes a connection; the other one hears of it.
    pub(super) fn close(&mut self, by: Node, connection: ConnectionId) {
        let Some(to) = self.wires.remove(&connection) else { return };
        self.closed.insert(connection);
        let other = if by == connection.owner { Node::Broker(to) } else { connection.owner };
        self.send(other, Incoming::Disconnected { connection });
    }

    pub(super) fn send(&mut self, to: Node, incoming: Incoming) {
        let life = match to {
            Node::Broker(id) => self.lives[id.index()],
            Node::Controller | Node::Client(_) => 0,
        };
        self.schedule(self.now + DELAY, Event::Deliver(to, life, incoming));
    }

    pub(super) fn schedule(&mut self, at: Instant, event: Event) {
        self.serial += 1;
        self.events.insert((at, self.serial), event);
    }

    pub(super) fn arm(&mut self, node: Node, next: Option<Instant>) {
        let Some(next) = next else { return };
        let next = next.max(self.now);
        if self.armed.get(&node).is_none_or(|armed| next < *armed) {
            self.armed.insert(node, next);
            self.schedule(next, Event::Wake(node));
        }
    }
}
