//! What things are called in files and pictures, and back.
//!
//! Names come from the description. A client whose name could be taken for something else is
//! called `c` and its number, so that every name means one thing; so is anything that the
//! description does not know.

use crate::description::Description;
use inflight_protocol::{
    BrokerId, ClientId, ConnectionId, GroupId, Node, TopicPartition, TransactionalId,
};

/// The names of clients and partitions, in both directions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    clients: Vec<String>,
    partitions: Vec<String>,
    transactional_ids: Vec<String>,
    groups: Vec<String>,
    faults: Vec<String>,
}

/// The name of the controller.
pub const CONTROLLER: &str = "controller";

/// The number after a letter: `b12`. Only digits, and no leading zero.
fn numbered<T: std::str::FromStr>(text: &str, letter: char) -> Option<T> {
    let digits = text.strip_prefix(letter)?;
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    (plain && (digits == "0" || !digits.starts_with('0'))).then(|| digits.parse().ok()).flatten()
}

/// The position of a name, or the number after `#` of one that has no name.
fn find(names: &[String], name: &str) -> Option<u16> {
    let given = names.iter().position(|known| known == name);
    given
        .map(|index| index as u16)
        .or_else(|| numbered(name, '#').filter(|index| usize::from(*index) >= names.len()))
}

impl Names {
    /// The names that a description gives.
    pub fn new(description: &Description) -> Self {
        let given: Vec<&str> = description.clients.iter().map(|c| c.name.as_str()).collect();
        let name = |(index, name): (usize, &&str)| {
            let unique = given.iter().filter(|other| *other == name).count() == 1;
            let reserved = name.is_empty()
                || *name == CONTROLLER
                || name.contains('#')
                || numbered::<u64>(name, 'b').is_some()
                || numbered::<u64>(name, 'c').is_some();
            if unique && !reserved { (*name).to_owned() } else { format!("c{index}") }
        };
        let partitions = description.topics.iter().flat_map(|topic| {
            let number = |index| topic.numbers.get(index).map_or(index, |n| usize::from(*n));
            (0..topic.replicas.len()).map(move |index| format!("{}-{}", topic.name, number(index)))
        });
        Self {
            clients: given.iter().enumerate().map(name).collect(),
            partitions: partitions.collect(),
            transactional_ids: description.transactional_ids.clone(),
            groups: description.groups.clone(),
            faults: description.faults.clone(),
        }
    }

    /// A client's name.
    pub fn client(&self, client: ClientId) -> String {
        self.clients.get(client.index()).cloned().unwrap_or_else(|| format!("c{client}"))
    }

    /// A partition's name: topic, hyphen, number.
    pub fn partition(&self, partition: TopicPartition) -> String {
        self.partitions.get(partition.index()).cloned().unwrap_or_else(|| format!("#{partition}"))
    }

    /// A transactional id.
    pub fn transactional(&self, id: TransactionalId) -> String {
        self.transactional_ids.get(id.index()).cloned().unwrap_or_else(|| format!("#{id}"))
    }

    /// A group's name.
    pub fn group(&self, group: GroupId) -> String {
        self.groups.get(group.index()).cloned().unwrap_or_else(|| format!("#{group}"))
    }

    /// The transactional id of this name.
    pub fn find_transactional(&self, name: &str) -> Option<TransactionalId> {
        find(&self.transactional_ids, name).map(TransactionalId::new)
    }

    /// The group of this name.
    pub fn find_group(&self, name: &str) -> Option<GroupId> {
        find(&self.groups, name).map(GroupId::new)
    }

    /// All transactional ids, in order.
    pub fn transactional_ids(&self) -> &[String] {
        &self.transactional_ids
    }

    /// All names of groups, in order.
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// What a fault does, in words.
    pub fn fault(&self, fault: u64) -> String {
        let known = usize::try_from(fault).ok().and_then(|index| self.faults.get(index));
        known.cloned().unwrap_or_else(|| format!("fault {fault} of the scenario"))
    }

    /// A node's name: a client's, `b` and a broker's number, or `controller`.
    pub fn node(&self, node: Node) -> String {
        match node {
            Node::Controller => CONTROLLER.to_owned(),
            Node::Broker(broker) => format!("b{broker}"),
            Node::Client(client) => self.client(client),
        }
    }

    /// A connection's name: its opener, `#` and a number.
    pub fn connection(&self, connection: ConnectionId) -> String {
        format!("{}#{}", self.node(connection.owner), connection.number)
    }

    /// The client of this name.
    pub fn find_client(&self, name: &str) -> Option<ClientId> {
        let given = self.clients.iter().position(|known| known == name);
        let index = given.map(|index| index as u16).or_else(|| {
            numbered(name, 'c').filter(|index| usize::from(*index) >= self.clients.len())
        })?;
        Some(ClientId::new(index))
    }

    /// The partition of this name.
    pub fn find_partition(&self, name: &str) -> Option<TopicPartition> {
        find(&self.partitions, name).map(TopicPartition::new)
    }

    /// The node of this name.
    pub fn find_node(&self, name: &str) -> Option<Node> {
        if name == CONTROLLER {
            return Some(Node::Controller);
        }
        match numbered::<u64>(name, 'b') {
            Some(number @ 1..=64) => Some(Node::Broker(BrokerId::new(number as u8))),
            Some(_) => None,
            None => self.find_client(name).map(Node::Client),
        }
    }

    /// The connection of this name.
    pub fn find_connection(&self, name: &str) -> Option<ConnectionId> {
        let (owner, number) = name.rsplit_once('#')?;
        let number = number.parse().ok().filter(|n: &u32| n.to_string() == number)?;
        Some(ConnectionId { owner: self.find_node(owner)?, number })
    }

    /// All names of clients, in order.
    pub fn clients(&self) -> &[String] {
        &self.clients
    }

    /// All names of partitions, in order.
    pub fn partitions(&self) -> &[String] {
        &self.partitions
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::description::{ClientDescription, TopicDescription};

    fn names(clients: &[&str]) -> Names {
        let client =
            |name: &&str| ClientDescription { name: (*name).to_owned(), ..Default::default() };
        let topic = |name: &str, partitions| TopicDescription {
            name: name.to_owned(),
            replicas: vec![vec![1]; partitions],
            numbers: Vec::new(),
            min_insync_replicas: 1,
            unclean_leader_election_enable: false,
        };
        Names::new(&Description {
            clients: clients.iter().map(client).collect(),
            topics: vec![topic("a", 2), topic("a-0", 1)],
            ..Description::default()
        })
    }

    #[test]
    fn every_name_means_one_thing() {
        let odd = ["p1", "b1", "c0", "controller", "twin", "twin", "", "a#b", "주문", "b01"];
        let names = names(&odd);
        for index in 0..20 {
            let client = ClientId::new(index);
            let name = names.client(client);
            assert_eq!(names.find_client(&name), Some(client), "{name}");
            assert_eq!(names.find_node(&name), Some(Node::Client(client)), "{name}");
        }
        assert_eq!(names.client(ClientId::new(0)), "p1");
        assert_eq!(names.client(ClientId::new(1)), "c1");
        assert_eq!(names.client(ClientId::new(8)), "주문");
        assert_eq!(names.find_node("b1"), Some(Node::Broker(BrokerId::new(1))));
        assert_eq!(names.find_node("b65"), None);
        assert_eq!(names.find_node("nobody"), None);
    }

    #[test]
    fn partitions_and_connections_are_found_by_name() {
        let names = names(&["p1"]);
        for index in 0..5 {
            let partition = TopicPartition::new(index);
            assert_eq!(names.find_partition(&names.partition(partition)), Some(partition));
        }
        assert_eq!(names.partition(TopicPartition::new(2)), "a-0-0");
        let connection = ConnectionId { owner: Node::Client(ClientId::new(0)), number: 7 };
        assert_eq!(names.connection(connection), "p1#7");
        assert_eq!(names.find_connection("p1#7"), Some(connection));
        assert_eq!(names.find_connection("p1#07"), None);
    }
}
