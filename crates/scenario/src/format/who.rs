//! Whom a text means.

use crate::census::Lookup;
use crate::diagnostic::Diagnostic;
use crate::document::{Node, quoted};
use crate::form::Form;
use crate::nearest::nearest;
use crate::read::Reader;
use crate::schema::{self, Schemas};
use crate::source::Place;
use inflight_protocol::{BrokerId, GroupId, Node as Process, TopicPartition, TransactionalId};
use inflight_sim::fault::Who;
use serde_json::{Value as Json, json};

/// Ordinals before "follower of".
const ORDINALS: [&str; 5] = ["first", "second", "third", "fourth", "fifth"];

/// What a text about somebody says, before names are looked up.
enum Phrase<'t> {
    Broker(u64),
    Controller,
    Subject,
    AnyBroker,
    LeaderOf(&'t str),
    CoordinatorOf(&'t str),
    FollowerOf(&'t str, u8),
    Name(&'t str),
}

fn phrase(text: &str) -> Phrase<'_> {
    match text {
        "controller" => return Phrase::Controller,
        "the broker" | "the client" => return Phrase::Subject,
        "any broker" => return Phrase::AnyBroker,
        _ => {}
    }
    if let Some(partition) = text.strip_prefix("leader of ") {
        return Phrase::LeaderOf(partition.trim());
    }
    if let Some(name) = text.strip_prefix("coordinator of ") {
        return Phrase::CoordinatorOf(name.trim());
    }
    if let Some(partition) = text.strip_prefix("follower of ") {
        return Phrase::FollowerOf(partition.trim(), 0);
    }
    for (nth, ordinal) in (0..).zip(ORDINALS) {
        let rest = text.strip_prefix(ordinal).and_then(|rest| rest.strip_prefix(" follower of "));
        if let Some(partition) = rest {
            return Phrase::FollowerOf(partition.trim(), nth);
        }
    }
    match broker_number(text) {
        Some(number) => Phrase::Broker(number),
        None => Phrase::Name(text),
    }
}

/// The number in `b2`.
fn broker_number(text: &str) -> Option<u64> {
    let digits = text.strip_prefix('b')?;
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    (plain && !digits.starts_with('0')).then(|| digits.parse().ok()).flatten()
}

impl Form for Who {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(text) = node.as_text() else {
            reader.mismatch(node, EXPECTED);
            return None;
        };
        let place = node.place;
        match phrase(text.trim()) {
            Phrase::Controller => Some(Self::Controller),
            Phrase::Subject => Some(Self::Subject),
            Phrase::AnyBroker => Some(Self::AnyBroker),
            Phrase::Broker(number) => broker(number, place, reader).map(Self::Broker),
            Phrase::LeaderOf(name) => partition(name, place, reader).map(Self::LeaderOf),
            Phrase::CoordinatorOf(name) => coordinated(name, place, reader).map(Self::LeaderOf),
            Phrase::FollowerOf(name, nth) => {
                let partition = partition(name, place, reader)?;
                Some(Self::FollowerOf(partition, nth))
            }
            Phrase::Name(name) => match reader.census.producer(name) {
                Lookup::Known(client) => Some(Self::Client(client)),
                Lookup::Unclear => None,
                Lookup::Unknown => {
                    nobody(name, place, &everybody(reader), reader);
                    None
                }
            },
        }
    }

    fn schema(schemas: &mut Schemas) -> Json {
        schemas.define("Who", |_| {
            schema::text(
                "Somebody: a broker (b1), a producer by its name, \"controller\", \"leader of \
                 orders-0\", \"follower of orders-0\", \"second follower of orders-0\", \"the \
                 broker\" or \"the client\" that the fact is about, or \"any broker\", which is \
                 drawn.",
                None,
                &[
                    "b1",
                    "p1",
                    "leader of orders-0",
                    "coordinator of payments-1",
                    "follower of orders-0",
                    "the broker",
                    "any broker",
                    "controller",
                ],
            )
        })
    }

    fn expected() -> Option<&'static str> {
        Some(EXPECTED)
    }
}

const EXPECTED: &str = "somebody: \"b1\", \"p1\", \"leader of orders-0\", \"the broker\" and so on";

/// A process by its name: a broker, a producer, or the controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Named(pub(crate) Process);

impl Form for Named {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        const EXPECTED: &str = "the name of a broker, of a producer, or \"controller\"";
        let Some(text) = node.as_text() else {
            reader.mismatch(node, EXPECTED);
            return None;
        };
        match Who::read(node, reader)? {
            Who::Broker(broker) => Some(Self(Process::Broker(broker))),
            Who::Client(client) => Some(Self(Process::Client(client))),
            Who::Controller => Some(Self(Process::Controller)),
            Who::LeaderOf(_) | Who::FollowerOf(..) | Who::Subject | Who::AnyBroker => {
                let problem = format!("{} changes during a run", quoted(text));
                reader.report(Diagnostic::error(node.place, problem).expected(EXPECTED));
                None
            }
        }
    }

    fn schema(_: &mut Schemas) -> Json {
        schema::text(
            "A broker (b1), a producer by its name, or \"controller\".",
            None,
            &["b1", "p1"],
        )
    }
}

/// A broker, as a number or as `b` and a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broker(pub(crate) BrokerId);

impl Form for Broker {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let named = node.as_text().and_then(broker_number);
        let number = named.or_else(|| node.as_number().and_then(|number| number.parse().ok()));
        let Some(number) = number else {
            reader.mismatch(node, "a broker such as 1 or \"b1\"");
            return None;
        };
        broker(number, node.place, reader).map(Self)
    }

    fn schema(schemas: &mut Schemas) -> Json {
        schemas.define("Broker", |_| {
            let number = json!({ "type": "integer", "minimum": 1, "maximum": BrokerId::MAX });
            let name = schema::text("A broker.", Some("^b[1-9][0-9]*$"), &["b1"]);
            schema::any_of("A broker: 1 or \"b1\".", [number, name])
        })
    }

    fn expected() -> Option<&'static str> {
        Some("a broker such as 1 or \"b1\"")
    }
}

/// A partition: topic, hyphen, number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PartitionName(pub(crate) TopicPartition);

impl Form for PartitionName {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(text) = node.as_text() else {
            reader.mismatch(node, "a partition such as \"orders-0\"");
            return None;
        };
        partition(text, node.place, reader).map(Self)
    }

    fn schema(schemas: &mut Schemas) -> Json {
        schemas.define("Partition", |_| {
            schema::text("A partition: topic, hyphen, number.", Some("-[0-9]+$"), &["orders-0"])
        })
    }

    fn expected() -> Option<&'static str> {
        Some("a partition such as \"orders-0\"")
    }
}

/// A producer by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Client(pub(crate) inflight_protocol::ClientId);

impl Form for Client {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = String::read(node, reader)?;
        match reader.census.producer(&text) {
            Lookup::Known(client) => Some(Self(client)),
            Lookup::Unclear => None,
            Lookup::Unknown => {
                let names: Vec<&str> = reader.census.producer_names().collect();
                reader.unknown((node.place, "producer", &text), names);
                None
            }
        }
    }

    fn schema(_: &mut Schemas) -> Json {
        schema::text("A producer by its name.", None, &["p1"])
    }
}

/// A transactional id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Transactional(pub(crate) TransactionalId);

impl Form for Transactional {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = String::read(node, reader)?;
        let ids = reader.census.transactional_ids();
        if let Some(index) = ids.iter().position(|known| *known == text) {
            return Some(Self(TransactionalId::new(index as u16)));
        }
        let names: Vec<&str> = ids.iter().map(String::as_str).collect();
        reader.unknown((node.place, "transactional id", &text), names);
        None
    }

    fn schema(_: &mut Schemas) -> Json {
        schema::text("A transactional id.", None, &["payments-1"])
    }
}

/// A group by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Group(pub(crate) GroupId);

impl Form for Group {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = String::read(node, reader)?;
        let groups = reader.census.groups();
        if let Some(index) = groups.iter().position(|known| *known == text) {
            return Some(Self(GroupId::new(index as u16)));
        }
        let names: Vec<&str> = groups.iter().map(String::as_str).collect();
        reader.unknown((node.place, "group", &text), names);
        None
    }

    fn schema(_: &mut Schemas) -> Json {
        schema::text("A consumer group by its group.id.", None, &["billing"])
    }
}

fn broker(number: u64, place: Place, reader: &mut Reader<'_>) -> Option<BrokerId> {
    match reader.census.broker(number) {
        Lookup::Known(broker) => Some(broker),
        Lookup::Unclear => None,
        Lookup::Unknown => {
            let problem = format!("there is no broker {number}");
            let expected = match reader.census.brokers() {
                Some(brokers) => format!("a broker from b1 to b{brokers}"),
                None => format!("a broker from b1 to b{}", BrokerId::MAX),
            };
            reader.report(Diagnostic::error(place, problem).expected(expected));
            None
        }
    }
}

/// The partition of an internal topic that a transactional id or a group belongs to.
pub(super) fn coordinated(
    name: &str,
    place: Place,
    reader: &mut Reader<'_>,
) -> Option<TopicPartition> {
    let census = reader.census;
    let is = |list: &[String]| list.iter().any(|known| known == name);
    if is(census.transactional_ids()) && is(census.groups()) {
        let problem = format!("{} is a transactional id and a group", quoted(name));
        reader.report(Diagnostic::error(place, problem).expected("another group.id"));
        return None;
    }
    let found = reader.census.coordinated(name);
    if found.is_none() {
        let names: Vec<&str> = reader.census.coordinated_names().collect();
        reader.unknown((place, "transactional id or group", name), names);
    }
    found
}

fn partition(name: &str, place: Place, reader: &mut Reader<'_>) -> Option<TopicPartition> {
    match reader.census.partition(name) {
        Lookup::Known(partition) => Some(partition),
        Lookup::Unclear => None,
        Lookup::Unknown => {
            let names = reader.census.partition_names();
            reader.unknown((place, "partition", name), names.iter().map(String::as_str));
            None
        }
    }
}

/// Everything that names somebody.
fn everybody(reader: &Reader<'_>) -> Vec<String> {
    let census = reader.census;
    let mut names: Vec<String> = census.producer_names().map(str::to_owned).collect();
    names.extend(census.broker_names());
    names.extend(["controller", "the broker", "the client", "any broker"].map(String::from));
    let partitions = census.partition_names();
    let of = |what: &'static str| partitions.iter().map(move |name| format!("{what} of {name}"));
    let roles: Vec<String> = of("leader").chain(of("follower")).collect();
    names.extend(roles);
    names
}

fn nobody(name: &str, place: Place, names: &[String], reader: &mut Reader<'_>) {
    let names = || names.iter().map(String::as_str);
    let problem = format!("nobody is called {}", quoted(name));
    let mut diagnostic = Diagnostic::error(place, problem);
    match nearest(name, names()) {
        Some(near) => diagnostic = diagnostic.nearest(Some(near)),
        None => diagnostic = diagnostic.expected(crate::read::one_of(names())),
    }
    reader.report(diagnostic);
}
