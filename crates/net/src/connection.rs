//! Connections: who has one open, and in which order messages arrive.

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
        match self {
            Self::Opener => 0,
            Self::Acceptor => 1,
        }
    }
}

/// A connection that at least one side has open.
#[derive(Clone, Copy, Debug)]
pub struct Connection<K> {
    /// Its name.
    pub key: K,
    /// The nodes at both ends: opener, acceptor.
    nodes: [u16; 2],
    open: [bool; 2],
    /// When the last message from each side arrives.
    last_arrival: [Instant; 2],
    /// Whether a message was lost for good on its way to a side that was not there.
    broken: bool,
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
    pub fn side_of(&self, node: u16) -> Side {
        if self.nodes[0] == node { Side::Opener } else { Side::Acceptor }
    }

    /// When the last message from a side arrives: the next one arrives no earlier.
    #[inline]
    pub const fn last_arrival(&self, from: Side) -> Instant {
        self.last_arrival[from.index()]
    }

    /// A message from a side will arrive then.
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
}

/// All connections. Few are open at a time, so they are a list that is searched from its end.
#[derive(Debug)]
pub struct Connections<K> {
    list: Vec<Connection<K>>,
}

impl<K: Copy + Eq> Connections<K> {
    /// None.
    pub const fn new() -> Self {
        Self { list: Vec::new() }
    }

    /// A node opens a connection to another, which has yet to accept it.
    pub fn open(&mut self, key: K, opener: u16, acceptor: u16) {
        self.list.push(Connection {
            key,
            nodes: [opener, acceptor],
            open: [true, false],
            last_arrival: [Instant::START; 2],
            broken: false,
        });
    }

    /// The connection of this name, unless both sides have closed it.
    #[inline]
    pub fn get_mut(&mut self, key: K) -> Option<&mut Connection<K>> {
        self.list.iter_mut().rev().find(|connection| connection.key == key)
    }

    /// The connection of this name, unless both sides have closed it.
    #[inline]
    pub fn get(&self, key: K) -> Option<&Connection<K>> {
        self.list.iter().rev().find(|connection| connection.key == key)
    }

    /// A side closes its end. What is on its way to the other side still arrives there.
    pub fn close(&mut self, key: K, side: Side) {
        let Some(index) = self.list.iter().rposition(|connection| connection.key == key) else {
            return;
        };
        self.list[index].open[side.index()] = false;
        if !self.list[index].open[side.other().index()] {
            self.list.swap_remove(index);
        }
    }

    /// The open ends of a node, in the order in which the connections were named.
    pub fn of_node(&self, node: u16) -> Vec<(K, Side)>
    where
        K: Ord,
    {
        let mut ends: Vec<(K, Side)> = Vec::new();
        for connection in &self.list {
            for side in [Side::Opener, Side::Acceptor] {
                if connection.node(side) == node && connection.is_open(side) {
                    ends.push((connection.key, side));
                }
            }
        }
        ends.sort_unstable_by_key(|(key, _)| *key);
        ends
    }

    /// All connections, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &Connection<K>> {
        self.list.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl<K: Copy + Eq> Default for Connections<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Copy> Clone for Connections<K> {
    fn clone(&self) -> Self {
        Self { list: self.list.clone() }
    }

    fn clone_from(&mut self, source: &Self) {
        self.list.clone_from(&source.list);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_lives_until_both_sides_have_closed_it() {
        let mut connections = Connections::new();
        connections.open('x', 4, 1);
        assert!(!connections.get('x').unwrap().is_open(Side::Acceptor));
        connections.get_mut('x').unwrap().accept();
        connections.close('x', Side::Opener);
        assert!(connections.get('x').unwrap().is_open(Side::Acceptor));
        connections.close('x', Side::Acceptor);
        assert!(connections.get('x').is_none());
    }

    #[test]
    fn a_refused_connection_ends_with_its_opener() {
        let mut connections = Connections::new();
        connections.open('x', 4, 1);
        connections.close('x', Side::Opener);
        assert!(connections.is_empty());
    }

    #[test]
    fn the_ends_of_a_node_are_listed_in_order() {
        let mut connections = Connections::new();
        connections.open('b', 4, 1);
        connections.open('a', 1, 2);
        connections.open('c', 5, 1);
        connections.get_mut('c').unwrap().accept();
        let ends = connections.of_node(1);
        assert_eq!(ends, [('a', Side::Opener), ('c', Side::Acceptor)]);
    }
}
