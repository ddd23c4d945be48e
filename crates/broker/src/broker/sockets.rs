//! Connections that others opened to this broker.
//!
//! A connection has one request in execution; whatever else arrived on it waits unread, and that
//! includes the time an `acks=all` request spends in the purgatory. When the peer has closed the
//! connection, the broker does not know it before it writes: it goes on with what was delivered
//! until a response cannot be written any more. The first write after the peer's close still
//! enters the socket, the second one fails.
//! Kafka: core/network/SocketServer (Processor), common/network/Selector.

use crate::broker::produce::BatchOutcome;
use crate::broker::verification::TransactionCheck;
use inflight_des::Instant;
use inflight_protocol::message::{FetchRequest, ProduceRequest};
use inflight_protocol::{
    ConnectionId, CorrelationId, ErrorCode, Node, Request, TopicPartition, TransactionalId,
};
use smallvec::SmallVec;
use std::collections::VecDeque;

/// A connection to this broker. Kafka: common/network/KafkaChannel with its mute state.
#[derive(Debug)]
pub(crate) struct Connection {
    /// Its id.
    pub(crate) id: ConnectionId,
    /// Whether the peer is still there.
    pub(crate) peer: Peer,
    /// Requests that have arrived and not been read.
    pub(crate) backlog: VecDeque<(CorrelationId, Request)>,
    /// What happens to the request in execution.
    pub(crate) stage: Stage,
    /// The number of the request in execution.
    pub(crate) correlation: CorrelationId,
    /// The request in execution.
    pub(crate) request: Request,
    /// What became of the batches of a produce request so far.
    pub(crate) outcomes: SmallVec<[BatchOutcome; 1]>,
    /// How many batches of a produce request wait in the purgatory.
    pub(crate) undecided: u32,
    /// When a request in the purgatory expires.
    pub(crate) deadline: Instant,
    /// The verification of a transactional produce request.
    pub(crate) check: TransactionCheck,
    /// What has become of the transactions of a leader's request so far.
    pub(crate) additions: Vec<(TransactionalId, TopicPartition, Option<ErrorCode>)>,
}

inflight_des::clone_fields!(Connection {
    id,
    peer,
    backlog,
    stage,
    correlation,
    request,
    outcomes,
    undecided,
    deadline,
    check,
    additions,
});

/// What is known of the other side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// It is there.
    Open,
    /// It has closed the connection, and nothing was written since.
    Gone,
    /// It has closed the connection, and one response was written since.
    GoneAndWritten,
}

/// Where a connection's request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// There is none.
    Idle,
    /// In the queue for a request handler.
    Queued,
    /// With a request handler.
    InService,
    /// Being executed, step by step.
    Executing,
    /// Waiting for the transaction coordinator.
    Verifying,
    /// In the purgatory, or waiting until something is committed.
    Delayed,
}

impl Connection {
    fn new(id: ConnectionId) -> Self {
        Self {
            id,
            peer: Peer::Open,
            backlog: VecDeque::new(),
            stage: Stage::Idle,
            correlation: CorrelationId::default(),
            request: Request::ApiVersions,
            outcomes: SmallVec::new(),
            undecided: 0,
            deadline: Instant::NEVER,
            check: TransactionCheck::default(),
            additions: Vec::new(),
        }
    }

    /// The request in execution, if it is a produce request.
    #[inline]
    pub(crate) const fn produce(&self) -> Option<&ProduceRequest> {
        match &self.request {
            Request::Produce(request) => Some(request),
            _ => None,
        }
    }

    /// Whether the request in execution appends batches and waits for the high watermark.
    #[inline]
    pub(crate) const fn appends(&self) -> bool {
        matches!(&self.request, Request::Produce(_) | Request::WriteTxnMarkers(_))
    }

    /// The request in execution, if it is a fetch request.
    #[inline]
    pub(crate) const fn fetch(&self) -> Option<&FetchRequest> {
        match &self.request {
            Request::Fetch(request) => Some(request),
            _ => None,
        }
    }

    /// Whether nothing is left to do on it.
    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        self.stage == Stage::Idle && self.backlog.is_empty()
    }
}

/// All connections to this broker, in slots that are used again.
#[derive(Debug, Default)]
pub(crate) struct Sockets {
    slots: Vec<Connection>,
    /// Which slots hold a connection.
    used: Vec<bool>,
    free: Vec<u32>,
    /// The slot of each node's newest connection: the one that nearly all requests come on.
    newest: Vec<Option<u32>>,
}

inflight_des::clone_fields!(Sockets { slots, used, free, newest });

/// The position of a node in the table of newest connections: brokers first.
const fn node_index(node: Node) -> usize {
    match node {
        Node::Controller => 0,
        Node::Broker(broker) => broker.get() as usize,
        Node::Client(client) => inflight_protocol::BrokerId::MAX as usize + 1 + client.index(),
    }
}

impl Sockets {
    /// The slot of a connection.
    #[inline]
    pub(crate) fn find(&self, id: ConnectionId) -> Option<u32> {
        let newest = self.newest.get(node_index(id.owner)).copied().flatten()?;
        if self.slots[newest as usize].id == id && self.used[newest as usize] {
            return Some(newest);
        }
        let found =
            (0..self.slots.len()).find(|slot| self.used[*slot] && self.slots[*slot].id == id);
        found.map(|slot| slot as u32)
    }

    /// The slot of a connection, which is new if nothing ever came on it.
    #[inline]
    pub(crate) fn find_or_open(&mut self, id: ConnectionId) -> u32 {
        if let Some(slot) = self.find(id) {
            return slot;
        }
        let slot = match self.free.pop() {
            Some(slot) => {
                let connection = &mut self.slots[slot as usize];
                connection.id = id;
                connection.peer = Peer::Open;
                slot
            }
            None => {
                self.slots.push(Connection::new(id));
                self.used.push(false);
                self.slots.len() as u32 - 1
            }
        };
        self.used[slot as usize] = true;
        let index = node_index(id.owner);
        if self.newest.len() <= index {
            self.newest.resize(index + 1, None);
        }
        self.newest[index] = Some(slot);
        slot
    }

    /// Forgets a connection and whatever came on it.
    pub(crate) fn close(&mut self, slot: u32) {
        debug_assert!(self.used[slot as usize], "a connection is closed once");
        let connection = &mut self.slots[slot as usize];
        connection.backlog.clear();
        connection.stage = Stage::Idle;
        connection.request = Request::ApiVersions;
        connection.outcomes.clear();
        connection.check.reset();
        connection.additions.clear();
        self.used[slot as usize] = false;
        self.free.push(slot);
    }

    /// Forgets all connections.
    pub(crate) fn clear(&mut self) {
        for slot in 0..self.slots.len() as u32 {
            if self.used[slot as usize] {
                self.close(slot);
            }
        }
        self.newest.fill(None);
    }

    /// The slots in use.
    pub(crate) fn slots(&self) -> impl Iterator<Item = u32> {
        (0..self.slots.len() as u32).filter(|slot| self.used[*slot as usize])
    }

    /// Whether a request of a client is in execution or waits to be.
    pub(crate) fn has_client_work(&self) -> bool {
        self.slots().any(|slot| {
            let connection = &self[slot];
            // A consumer's fetch that waits for records is no work. Nor is what waits for somebody
            // who is gone: a member that joins again takes the place of its first request, which
            // is never answered.
            let is_parked = connection.stage == Stage::Delayed
                && (matches!(connection.request, Request::ConsumerFetch(_))
                    || connection.peer == Peer::Gone)
                && connection.backlog.is_empty();
            matches!(connection.id.owner, Node::Client(_)) && !connection.is_idle() && !is_parked
        })
    }
}

impl std::ops::Index<u32> for Sockets {
    type Output = Connection;

    #[inline]
    fn index(&self, slot: u32) -> &Connection {
        &self.slots[slot as usize]
    }
}

impl std::ops::IndexMut<u32> for Sockets {
    #[inline]
    fn index_mut(&mut self, slot: u32) -> &mut Connection {
        &mut self.slots[slot as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use inflight_protocol::ClientId;

    fn connection(client: u16, number: u32) -> ConnectionId {
        ConnectionId { owner: Node::Client(ClientId::new(client)), number }
    }

    #[test]
    fn an_old_connection_is_found_beside_a_new_one() {
        let mut sockets = Sockets::default();
        let old = sockets.find_or_open(connection(3, 0));
        let new = sockets.find_or_open(connection(3, 1));
        assert_eq!(sockets.find(connection(3, 0)), Some(old));
        assert_eq!(sockets.find(connection(3, 1)), Some(new));
        sockets.close(old);
        assert_eq!(sockets.find(connection(3, 0)), None);
        assert_eq!(sockets.find_or_open(connection(4, 0)), old, "slots are used again");
        sockets.clear();
        assert_eq!(sockets.slots().count(), 0);
        assert_eq!(sockets.find(connection(3, 1)), None);
    }
}
