//! Links and connections.

use super::*;

impl World {
    pub(crate) fn send_message(&mut self, from: Node, to: Node, incoming: Incoming) {
        let life = match to {
            Node::Broker(id) => self.lives[id.index()],
            Node::Controller | Node::Client(_) => 0,
        };
        self.send(from, to, Event::Deliver { from, to, life, incoming });
    }

    pub(crate) fn send(&mut self, from: Node, to: Node, event: Event) {
        if self.cuts.contains(&(from, to)) {
            self.held.push((from, to, event));
            return;
        }
        let delay = self.delays.get(&(from, to)).copied().unwrap_or(DELAY);
        let last = self.last_delivery.entry((from, to)).or_insert(Instant::START);
        *last = (*last).max(self.now + delay);
        let at = *last;
        self.schedule(at, event);
    }

    pub(crate) fn schedule(&mut self, at: Instant, event: Event) {
        self.serial += 1;
        self.events.insert((at, self.serial), event);
    }

    pub(crate) fn connect_arrived(&mut self, connection: ConnectionId, to: Node) {
        let Node::Broker(id) = to else { panic!("only brokers are connected to") };
        let is_open = self.up.contains(id) && self.brokers[id.index()].is_listening();
        if is_open {
            let wire = Wire { peer: to, closed_by_owner: false, closed_by_peer: false };
            self.wires.insert(connection, wire);
            self.send_message(to, connection.owner, Incoming::Connected { connection });
        } else {
            self.send_message(to, connection.owner, Incoming::Disconnected { connection });
        }
    }

    /// `by` closes a connection: it hears nothing more of it, and the other end will.
    pub(crate) fn close(&mut self, by: Node, connection: ConnectionId) {
        let Some(wire) = self.wires.get_mut(&connection) else { return };
        let other = if by == connection.owner {
            wire.closed_by_owner = true;
            wire.peer
        } else {
            wire.closed_by_peer = true;
            connection.owner
        };
        self.send_message(by, other, Incoming::Disconnected { connection });
    }

    pub(crate) fn deliver(&mut self, from: Node, to: Node, life: u32, incoming: Incoming) {
        let connection = match &incoming {
            Incoming::Connected { connection }
            | Incoming::Disconnected { connection }
            | Incoming::Request { connection, .. }
            | Incoming::Response { connection, .. } => Some(*connection),
            Incoming::ToController(_) | Incoming::ToBroker(_) => None,
        };
        if let Some(wire) = connection.and_then(|id| self.wires.get(&id)) {
            let is_owner = connection.is_some_and(|id| id.owner == to);
            if (is_owner && wire.closed_by_owner) || (!is_owner && wire.closed_by_peer) {
                return;
            }
        }
        match (to, incoming) {
            (Node::Controller, Incoming::ToController(word)) => {
                self.control(|controller, cluster, turn| controller.handle(cluster, turn, word));
            }
            (Node::Broker(id), incoming) => {
                if self.lives[id.index()] == life && self.up.contains(id) {
                    self.turn(id, |broker, cluster, turn| broker.handle(cluster, turn, incoming));
                } else if let (Incoming::Request { connection, .. }, Node::Client(_)) =
                    (incoming, from)
                {
                    self.close(to, connection);
                }
            }
            (Node::Client(_), Incoming::Response { connection, correlation, response }) => {
                self.answers.push((self.now, connection, correlation, response));
            }
            (Node::Client(_), Incoming::Disconnected { connection }) => {
                self.closed.push((self.now, connection));
            }
            (node, incoming) => panic!("{incoming:?} reached {node}"),
        }
    }
}
