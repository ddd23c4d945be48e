//! Requests and responses: when each left and what became of it.

use inflight_des::Instant;
use inflight_protocol::fact::{Direction, LossCause};
use inflight_protocol::ids::{ConnectionId, CorrelationId, Node};
use inflight_protocol::{ApiKey, Fact};
use std::collections::BTreeMap;

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It arrived, at this fact.
    Arrived(usize),
    /// It was lost, at this fact.
    Lost(usize, LossCause),
    /// The recording ends before.
    Open,
}

/// A message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message {
    pub(crate) from: Node,
    pub(crate) to: Node,
    pub(crate) connection: ConnectionId,
    pub(crate) correlation: CorrelationId,
    pub(crate) api: ApiKey,
    pub(crate) direction: Direction,
    /// The fact that says that it left.
    pub(crate) sent: usize,
    pub(crate) end: End,
}

impl Message {
    /// The fact that says what became of it.
    pub(crate) const fn ended(&self) -> Option<usize> {
        match self.end {
            End::Arrived(index) | End::Lost(index, _) => Some(index),
            End::Open => None,
        }
    }
}

/// All messages, in the order in which they left.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    pub(crate) list: Vec<Message>,
    by_sent: BTreeMap<usize, usize>,
    by_end: BTreeMap<usize, usize>,
}

type Key = (ConnectionId, CorrelationId, Direction);

impl Messages {
    pub(crate) fn of(facts: &[(Instant, Fact)]) -> Self {
        let mut messages = Self::default();
        let mut under_way: BTreeMap<Key, usize> = BTreeMap::new();
        for (index, (_, fact)) in facts.iter().enumerate() {
            match *fact {
                Fact::MessageSent { from, to, connection, correlation, api, direction, .. } => {
                    let sent = index;
                    let end = End::Open;
                    let message =
                        Message { from, to, connection, correlation, api, direction, sent, end };
                    under_way.insert((connection, correlation, direction), messages.list.len());
                    messages.by_sent.insert(index, messages.list.len());
                    messages.list.push(message);
                }
                Fact::MessageDelivered { connection, correlation, direction, .. } => {
                    let key = (connection, correlation, direction);
                    messages.close(under_way.remove(&key), index, End::Arrived(index));
                }
                Fact::MessageLost { connection, correlation, direction, why, .. } => {
                    let key = (connection, correlation, direction);
                    messages.close(under_way.remove(&key), index, End::Lost(index, why));
                }
                _ => {}
            }
        }
        messages
    }

    fn close(&mut self, message: Option<usize>, index: usize, end: End) {
        if let Some(place) = message {
            self.list[place].end = end;
            self.by_end.insert(index, place);
        }
    }

    /// The message that left at a fact.
    pub(crate) fn sent_at(&self, fact: usize) -> Option<(usize, &Message)> {
        let place = *self.by_sent.get(&fact)?;
        Some((place, &self.list[place]))
    }

    /// The message that ended at a fact.
    pub(crate) fn ended_at(&self, fact: usize) -> Option<(usize, &Message)> {
        let place = *self.by_end.get(&fact)?;
        Some((place, &self.list[place]))
    }

    /// The last fetch response that reached a node at or before a fact, at the same instant or not.
    pub(crate) fn fetched_before(&self, node: Node, fact: usize) -> Option<(usize, &Message)> {
        let earlier = self.by_end.range(..=fact).rev().map(|(_, place)| *place);
        let mut earlier = earlier.map(|place| (place, &self.list[place]));
        earlier.find(|(_, message)| {
            message.to == node
                && message.api == ApiKey::Fetch
                && message.direction == Direction::Response
                && matches!(message.end, End::Arrived(_))
        })
    }
}
