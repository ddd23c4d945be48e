//! The order of connections about which a poll learns the same. Kafka's selector and its
//! NetworkClient keep them in hash maps by the text of the node's id.

use super::Network;
use inflight_client::connection_states::Peer;
use inflight_protocol::ConnectionId;

/// The slot of a node id's text in a java.util.HashMap of sixteen, as it is with up to twelve keys.
/// Keys of one slot stay in the order in which they came.
const fn slot(node_id: i32) -> u32 {
    let mut digits = node_id.unsigned_abs();
    let (mut hash, mut weight) = (0_u32, 1_u32);
    // String.hashCode, from the last character on.
    loop {
        hash = hash.wrapping_add((b'0' as u32 + digits % 10).wrapping_mul(weight));
        weight = weight.wrapping_mul(31);
        digits /= 10;
        if digits == 0 {
            break;
        }
    }
    if node_id < 0 {
        hash = hash.wrapping_add((b'-' as u32).wrapping_mul(weight));
    }
    (hash ^ (hash >> 16)) & 15
}

impl Network {
    /// The place of a connection among others.
    pub(super) fn slot_of(&self, connection: ConnectionId) -> u32 {
        self.states.peer_with(connection).map_or(0, |peer| slot(self.node_id(peer)))
    }

    /// The id that Kafka gives a node: bootstrap addresses count down from -1, and coordinators from
    /// Integer.MAX_VALUE.
    fn node_id(&self, peer: Peer) -> i32 {
        let Some(broker) = self.states.broker_of(peer) else { return -1 - peer.index() as i32 };
        match broker.get().checked_sub(self.brokers) {
            None | Some(0) => broker.get().into(),
            Some(coordinator) => i32::MAX - i32::from(coordinator),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_java() {
        // What a JDK 17 has for Integer.toString(id).hashCode(), spread as HashMap.hash does.
        let known = [
            (-1, 4),
            (1, 1),
            (2, 2),
            (3, 3),
            (i32::MAX - 1, 5),
            (i32::MAX - 2, 4),
            (i32::MAX - 3, 7),
        ];
        for (id, expected) in known {
            assert_eq!(slot(id), expected, "{id}");
        }
    }
}
