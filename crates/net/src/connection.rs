//! Connections: who has one open, and in which order what is sent on them arrives.

use inflight_des::Instant;

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The one that opened it.
    Opener,
    /// The other one.
    Acceptor,
}

impl Side {
    /// The side that messages of this side go to.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Opener => Self::Acceptor,
            Self::Acceptor => Self::Opener,
        }
    }

    const fn index(self) -> usize {
        self as usize
    }
}

/// Where a connection lies, as long as it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionSlot(u32);

impl ConnectionSlot {
    /// Its number.
    #[inline]
    pub const fn index(self) -> u32 {
        self.0
    }
}

/// A connection that a side has open, or on which something is on its way.
#[derive(Clone, Copy, Debug)]
pub struct Connection<K> {
    /// Its name.
    pub key: K,
    /// The nodes at both ends: opener, acceptor.
    nodes: [u16; 2],
    open: [bool; 2],
    /// Whether a message was lost for good on its way to a side that was not there.
    broken: bool,
    /// Packets on their way, in both directions.
    on_the_way: u32,
    /// When the last packet from each side arrives.
    last_arrival: [Instant; 2],
}

impl<K: Copy> Connection<K> {
    /// The node at one end.
    #[inline]
    pub const fn node(&self, side: Side) -> u16 {
        self.nodes[side.index()]
    }

    /// Whether a side has it open.
    #[inline]
    pub const fn is_open(&self, side: Side) -> bool {
        self.open[side.index()]
    }

    /// The side that a node is.
    #[inline]
    pub const fn side_of(&self, node: u16) -> Side {
        if self.nodes[0] == node { Side::Opener } else { Side::Acceptor }
    }

    /// When the last packet from a side arrives: the next one arrives no earlier.
    #[inline]
    pub const fn last_arrival(&self, from: Side) -> Instant {
        self.last_arrival[from.index()]
    }

    /// A packet from a side will arrive then.
    #[inline]
    pub fn arrives(&mut self, from: Side, at: Instant) {
        self.last_arrival[from.index()] = at;
    }

    /// The acceptor takes the connection.
    pub fn accept(&mut self) {
        self.open[Side::Acceptor.index()] = true;
    }

    /// Notes that bytes were lost which TCP would send again and again: if the peer comes back, it
    /// answers with a reset.
    pub fn broke(&mut self) {
        self.broken = true;
    }

    /// Whether bytes were lost on it.
    pub const fn is_broken(&self) -> bool {
        self.broken
    }

    /// A packet is on its way; [`Connections::landed`] is to be told of its end.
    #[inline]
    pub fn departed(&mut self) {
        self.on_the_way += 1;
    }

    #[inline]
    const fn is_over(&self) -> bool {
        !self.open[0] && !self.open[1] && self.on_the_way == 0
    }
}

/// All connections. Few live at a time, so their keys are a list that is searched.
#[derive(Debug)]
pub struct Connections<K> {
    /// The key of each slot as one word, or that it is free.
    keys: Vec<u64>,
    slots: Vec<Connection<K>>,
    free: Vec<u32>,
}

/// What no key is.
const FREE: u64 = u64::MAX;

impl<K: Copy + Into<u64>> Connections<K> {
    /// None.
    pub const fn new() -> Self {
        Self { keys: Vec::new(), slots: Vec::new(), free: Vec::new() }
    }

    /// A node opens a connection to another, which has yet to accept it.
    pub fn open(&mut self, key: K, opener: u16, acceptor: u16) -> ConnectionSlot {
        let connection = Connection {
            key,
            nodes: [opener, acceptor],
            open: [true, false],
            broken: false,
            on_the_way: 0,
            last_arrival: [Instant::START; 2],
        };
        if let Some(slot) = self.free.pop() {
            self.keys[slot as usize] = key.into();
            self.slots[slot as usize] = connection;
            return ConnectionSlot(slot);
        }
        let slot = u32::try_from(self.slots.len()).expect("fewer than 2^32 connections");
        self.keys.push(key.into());
        self.slots.push(connection);
        ConnectionSlot(slot)
    }

    /// A channel that is always there: it has no ends that open or close, it only keeps order.
    pub fn channel(&mut self, key: K, opener: u16, acceptor: u16) -> ConnectionSlot {
        let slot = self.open(key, opener, acceptor);
        self[slot].departed();
        self.close(slot, Side::Opener);
        slot
    }

    /// Where the connection of this name lies, as long as it lives.
    #[inline]
    pub fn find(&self, key: K) -> Option<ConnectionSlot> {
        let key = key.into();
        let slot = self.keys.iter().position(|other| *other == key)?;
        Some(ConnectionSlot(slot as u32))
    }

    /// The connection of this name, as long as it lives.
    #[inline]
    pub fn get(&self, key: K) -> Option<&Connection<K>> {
        self.find(key).map(|slot| &self[slot])
    }

    /// A side closes its end. What is on its way to the other side still arrives there.
    pub fn close(&mut self, slot: ConnectionSlot, side: Side) {
        self[slot].open[side.index()] = false;
        self.forget_if_over(slot);
    }

    /// A packet has arrived or will never do so.
    #[inline]
    pub fn landed(&mut self, slot: ConnectionSlot) {
        self[slot].on_the_way -= 1;
        self.forget_if_over(slot);
    }

    #[inline]
    fn forget_if_over(&mut self, slot: ConnectionSlot) {
        if self[slot].is_over() {
            self.keys[slot.0 as usize] = FREE;
            self.free.push(slot.0);
        }
    }

    /// The open ends of a node, in the order of the connections' names.
    pub fn of_node(&self, node: u16) -> Vec<(ConnectionSlot, Side)>
    where
        K: Ord,
    {
        let mut ends = Vec::new();
        for (slot, connection) in self.iter() {
            for side in [Side::Opener, Side::Acceptor] {
                if connection.node(side) == node && connection.is_open(side) {
                    ends.push((slot, side));
                }
            }
        }
        ends.sort_unstable_by_key(|(slot, _)| self[*slot].key);
        ends
    }

    /// All connections, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (ConnectionSlot, &Connection<K>)> {
        let used = self.keys.iter().zip(&self.slots).enumerate();
        used.filter(|(_, (key, _))| **key != FREE)
            .map(|(slot, (_, connection))| (ConnectionSlot(slot as u32), connection))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<K> std::ops::Index<ConnectionSlot> for Connections<K> {
    type Output = Connection<K>;

    #[inline]
    fn index(&self, slot: ConnectionSlot) -> &Connection<K> {
        &self.slots[slot.0 as usize]
    }
}

impl<K> std::ops::IndexMut<ConnectionSlot> for Connections<K> {
    #[inline]
    fn index_mut(&mut self, slot: ConnectionSlot) -> &mut Connection<K> {
        &mut self.slots[slot.0 as usize]
    }
}

impl<K: Copy + Into<u64>> Default for Connections<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Copy> Clone for Connections<K> {
    fn clone(&self) -> Self {
        Self { keys: self.keys.clone(), slots: self.slots.clone(), free: self.free.clone() }
    }

    fn clone_from(&mut self, source: &Self) {
        self.keys.clone_from(&source.keys);
        self.slots.clone_from(&source.slots);
        self.free.clone_from(&source.free);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_lives_until_both_sides_have_closed_it() {
        let mut connections = Connections::new();
        let slot = connections.open('x', 4, 1);
        assert!(!connections[slot].is_open(Side::Acceptor));
        connections[slot].accept();
        connections.close(slot, Side::Opener);
        assert!(connections.get('x').unwrap().is_open(Side::Acceptor));
        connections.close(slot, Side::Acceptor);
        assert!(connections.get('x').is_none());
    }

    #[test]
    fn it_lives_on_while_something_is_on_its_way() {
        let mut connections = Connections::new();
        let slot = connections.open('x', 4, 1);
        connections[slot].departed();
        connections.close(slot, Side::Opener);
        let other = connections.open('y', 4, 1);
        assert_ne!(slot, other);
        connections.landed(slot);
        assert_eq!(connections.find('x'), None);
        assert_eq!(connections.open('z', 4, 2), slot, "its slot is free");
    }

    #[test]
    fn the_ends_of_a_node_are_listed_in_order() {
        let mut connections = Connections::new();
        let b = connections.open('b', 4, 1);
        let a = connections.open('a', 1, 2);
        let c = connections.open('c', 5, 1);
        assert_eq!(connections.of_node(1), [(a, Side::Opener)]);
        connections[b].accept();
        connections[c].accept();
        let ends = connections.of_node(1);
        assert_eq!(ends, [(a, Side::Opener), (b, Side::Acceptor), (c, Side::Acceptor)]);
    }
}
