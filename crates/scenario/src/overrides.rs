//! Changes to a document: overrides from a command line, and what a fix sets.
//!
//! A key of Kafka's goes where it belongs: a producer's to all producers, or to one as `p1.acks`; a
//! topic's to all topics, or to one as `orders.min.insync.replicas`; a broker's to the cluster.
//! Anything else is a path into the file: `network.latency`, `producers[0].workload[0].records`.

use crate::diagnostic::Diagnostic;
use crate::document::{Node, Value, parse, quoted};
use crate::nearest::nearest;
use crate::source::{Place, SourceId, Sources};
use inflight_protocol::config::keys::{
    consumer_families, consumer_keys, producer_families, producer_keys, server_keys, topic_keys,
};

/// Why a change cannot be made.
type Refusal = Box<Diagnostic>;

/// One change.
pub(crate) struct Change<'c> {
    pub(crate) key: &'c str,
    pub(crate) key_place: Place,
    pub(crate) value: Node,
}

/// The first step of every path.
const SECTIONS: [&str; 14] = [
    "$schema",
    "title",
    "teaches",
    "kafka",
    "seed",
    "cluster",
    "topics",
    "producers",
    "consumers",
    "network",
    "faults",
    "limits",
    "expect",
    "fix",
];

/// The keys of the format itself that have dots, all of the cluster.
const DOTTED: [&str; 2] = ["eligible.leader.replicas", "transaction.version"];

/// Applies an override such as `acks=1`.
pub(crate) fn apply_text(
    root: &mut Node,
    text: &str,
    sources: &mut Sources,
) -> Result<(), Refusal> {
    let source = sources.add("--set", text);
    let whole = Place::new(source, 0, text.len());
    let Some((key, value)) = text.split_once('=') else {
        return Err(Diagnostic::error(whole, quoted(text)).expected("key=value").into());
    };
    let key_place = Place::new(source, 0, key.len());
    let value = value_of(source, value, key.len() + 1);
    apply(root, &Change { key: key.trim(), key_place, value })
}

/// A value as JSON if it is JSON, or else as text.
fn value_of(source: SourceId, text: &str, offset: usize) -> Node {
    let place = Place::new(source, offset, offset + text.len());
    match parse(source, text) {
        Ok(mut node) => {
            shift(&mut node, u32::try_from(offset).unwrap_or(u32::MAX));
            node
        }
        Err(_) => Node::text(place, text),
    }
}

fn shift(node: &mut Node, by: u32) {
    let move_place = |place: &mut Place| {
        place.start = place.start.saturating_add(by);
        place.end = place.end.saturating_add(by);
    };
    move_place(&mut node.place);
    match &mut node.value {
        Value::List(elements) => elements.iter_mut().for_each(|element| shift(element, by)),
        Value::Object(members) => {
            for member in members {
                move_place(&mut member.key_place);
                shift(&mut member.node, by);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {}
    }
}

/// Applies a change.
pub(crate) fn apply(root: &mut Node, change: &Change<'_>) -> Result<(), Refusal> {
    let key = change.key;
    let (head, rest) = first_step(key);
    if head == "cluster" && server_keys().any(|known| known.name == rest) {
        return in_config(root.get_mut("cluster"), rest, change);
    }
    if DOTTED.contains(&key) {
        return in_path(root, &format!("cluster.{key}"), change);
    }
    if SECTIONS.contains(&head) {
        return in_path(root, key, change);
    }
    if is_producer_key(key) {
        return in_all(root, "producers", change);
    }
    if is_consumer_key(key) {
        return in_all(root, "consumers", change);
    }
    if let Some((element, rest)) = named(root, "producers", key) {
        let own = ["name", "properties", "bootstrap", "resume", "workload", "config"];
        let ours = own.contains(&first_step(rest).0) || first_step(rest).0.contains('-');
        let rest = rest.to_owned();
        return into(element, &rest, ours, change);
    }
    if let Some((element, rest)) = named(root, "consumers", key) {
        let ours = !is_consumer_key(rest);
        let rest = rest.to_owned();
        return into(element, &rest, ours, change);
    }
    if let Some((element, rest)) = named(root, "topics", key) {
        let own = ["name", "partitions", "replication", "assignment", "missing", "config"];
        let ours = own.contains(&first_step(rest).0);
        let rest = rest.to_owned();
        return into(element, &rest, ours, change);
    }
    if topic_keys().any(|known| known.name == key) {
        return in_all(root, "topics", change);
    }
    if server_keys().any(|known| known.name == key) {
        return in_config(root.get_mut("cluster"), key, change);
    }
    Err(unknown(root, change).into())
}

fn into(element: &mut Node, rest: &str, ours: bool, change: &Change<'_>) -> Result<(), Refusal> {
    if ours { in_path(element, rest, change) } else { in_config(Some(element), rest, change) }
}

fn is_producer_key(key: &str) -> bool {
    producer_keys().any(|known| known.name == key)
        || producer_families().iter().any(|family| key.starts_with(family.prefix))
}

fn is_consumer_key(key: &str) -> bool {
    consumer_keys().any(|known| known.name == key)
        || consumer_families().iter().any(|family| key.starts_with(family.prefix))
}

/// The rest of a path behind the dot that joins it.
fn without_dot(rest: &str) -> &str {
    rest.strip_prefix('.').unwrap_or(rest)
}

/// A path up to the first dot or bracket, and what is behind.
fn first_step(path: &str) -> (&str, &str) {
    match path.find(['.', '[']) {
        Some(at) => (&path[..at], without_dot(&path[at..])),
        None => (path, ""),
    }
}

/// The element of a list whose name a key starts with, and the rest of the key.
fn named<'r, 'k>(root: &'r mut Node, list: &str, key: &'k str) -> Option<(&'r mut Node, &'k str)> {
    let Value::List(elements) = &mut root.get_mut(list)?.value else { return None };
    elements.iter_mut().find_map(|element| {
        let name = element.get("name").and_then(Node::as_text)?;
        let rest = key.strip_prefix(name)?.strip_prefix('.')?;
        Some((element, rest))
    })
}

/// Sets a key in the `config` of every element of a list.
fn in_all(root: &mut Node, list: &str, change: &Change<'_>) -> Result<(), Refusal> {
    let Some(Value::List(elements)) = root.get_mut(list).map(|node| &mut node.value) else {
        return Ok(());
    };
    elements.iter_mut().try_for_each(|element| in_config(Some(element), change.key, change))
}

/// Sets a key in the `config` of an object. Null takes it out.
fn in_config(object: Option<&mut Node>, key: &str, change: &Change<'_>) -> Result<(), Refusal> {
    let Some(object) = object else { return Ok(()) };
    if object.get("config").is_none() {
        object.set("config", change.key_place, Node::object(change.key_place, Vec::new()));
    }
    let Some(config) = object.get_mut("config") else { return Ok(()) };
    if change.value.value == Value::Null {
        config.remove(key);
    } else {
        config.set(key, change.key_place, change.value.clone());
    }
    Ok(())
}

/// Sets what a path leads to.
fn in_path(node: &mut Node, path: &str, change: &Change<'_>) -> Result<(), Refusal> {
    let wrong = |problem: String, expected: &str| {
        Err(Diagnostic::error(change.key_place, problem).expected(expected).into())
    };
    match &mut node.value {
        Value::List(elements) => {
            let (step, rest) = match path.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
                Some((step, rest)) => (step, without_dot(rest)),
                None => first_step(path),
            };
            let count = elements.len();
            let index = step.parse().ok().filter(|index| *index < count).or_else(|| {
                let named = |node: &Node| node.get("name").and_then(Node::as_text) == Some(step);
                elements.iter().position(named)
            });
            match index.map(|index| &mut elements[index]) {
                Some(element) if rest.is_empty() => *element = change.value.clone(),
                Some(element) => return in_path(element, rest, change),
                None => {
                    let expected = format!("a number below {count} or a name");
                    return wrong(format!("no element {}", quoted(step)), &expected);
                }
            }
            Ok(())
        }
        Value::Object(_) => {
            let (key, rest) = object_step(node, path);
            let (key, rest) = (key.to_owned(), rest.to_owned());
            if key.is_empty() || (rest.starts_with('[') && node.get(&key).is_none()) {
                return wrong(format!("no list at {}", quoted(path)), "the path to a value");
            }
            if rest.is_empty() {
                node.set(&key, change.key_place, change.value.clone());
                return Ok(());
            }
            if key == "config" {
                return in_config(Some(node), &rest, change);
            }
            if node.get(&key).is_none() {
                node.set(&key, change.key_place, Node::object(change.key_place, Vec::new()));
            }
            match node.get_mut(&key) {
                Some(member) => in_path(member, &rest, change),
                None => Ok(()),
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {
            wrong(format!("{} has no {}", node.describe(), quoted(path)), "the path to a value")
        }
    }
}

/// The key of an object that a path goes on with. Keys may have dots of their own.
fn object_step<'p>(node: &Node, path: &'p str) -> (&'p str, &'p str) {
    let members = node.members().unwrap_or_default().iter().map(|member| member.key.as_str());
    let longest = members
        .chain(DOTTED)
        .filter(|key| {
            let rest = path.strip_prefix(key);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
        .max_by_key(|key| key.len());
    match longest {
        Some(key) => (&path[..key.len()], without_dot(&path[key.len()..])),
        None => first_step(path),
    }
}

fn unknown(root: &Node, change: &Change<'_>) -> Diagnostic {
    let elements = |list: &str| {
        let elements = root.get(list).and_then(Node::elements).unwrap_or_default();
        elements.iter().filter_map(|element| element.get("name").and_then(Node::as_text))
    };
    let keys = producer_keys().map(|key| key.name);
    let keys = keys.chain(consumer_keys().map(|key| key.name));
    let keys = keys.chain(topic_keys().map(|key| key.name));
    let keys = keys.chain(server_keys().map(|key| key.name)).chain(SECTIONS).chain(DOTTED);
    let near = nearest(change.key, keys).map(str::to_owned).or_else(|| {
        let (head, rest) = first_step(change.key);
        let names = ["producers", "consumers", "topics"].into_iter().flat_map(elements);
        let names = SECTIONS.into_iter().chain(names);
        nearest(head, names).map(|name| format!("{name}.{rest}"))
    });
    let problem = format!("unknown key {}", quoted(change.key));
    let diagnostic = Diagnostic::error(change.key_place, problem);
    let name = |list| elements(list).next().map(|name| format!("{name}."));
    let names: Vec<String> =
        ["producers", "consumers", "topics"].into_iter().filter_map(name).collect();
    let of_one = match names.as_slice() {
        [] => String::new(),
        names => format!("one behind {}, ", names.join(" or ")),
    };
    let expected = format!("a key of Kafka's, {of_one}or a path such as network.latency");
    diagnostic.expected(expected).nearest(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{ "cluster": { "brokers": 3 }, "topics": [{ "name": "orders.eu" }],
        "producers": [{ "name": "p1", "workload": [{ "records": 1 }] }, { "name": "p2" }] }"#;

    fn changed(text: &str) -> Result<String, String> {
        let mut sources = Sources::default();
        let file = sources.add("file", FILE);
        let mut root = parse(file, FILE).unwrap();
        match apply_text(&mut root, text, &mut sources) {
            Ok(()) => Ok(root.to_string().replace(['\n', ' '], "")),
            Err(diagnostic) => Err(diagnostic.to_string()),
        }
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = changed(text).unwrap();
        assert!(found.contains(expected), "{found}");
    }

    #[test]
    fn keys_of_kafka_go_where_they_belong() {
        check("acks=1", r#""name":"p2","config":{"acks":1}"#);
        check("p1.acks=all", r#""config":{"acks":"all"}}"#);
        check("orders.eu.min.insync.replicas=2", r#""config":{"min.insync.replicas":2}"#);
        check("cluster.replica.lag.time.max.ms=9", r#""config":{"replica.lag.time.max.ms":9}"#);
        check("num.io.threads=1", r#""brokers":3,"config":{"num.io.threads":1}"#);
    }

    #[test]
    fn paths_lead_into_the_file() {
        check("network.latency=5ms", r#""network":{"latency":"5ms"}"#);
        check("producers[0].workload[0].records=9", r#""records":9"#);
        check("producers.p2.resume=next-unsent", r#""resume":"next-unsent""#);
        check("p1.workload[0].every=\"2ms\"", r#""every":"2ms""#);
        check("cluster.eligible.leader.replicas=false", r#""eligible.leader.replicas":false"#);
        check("cluster.transaction.version=1", r#""transaction.version":1"#);
        check("transaction.version=1", r#""cluster":{"brokers":3,"transaction.version":1}"#);
        check("seed=7", r#""seed":7"#);
    }

    #[test]
    fn what_leads_nowhere_is_refused() {
        let near = changed("ack=1").unwrap_err();
        assert!(near.contains("did you mean \"acks\"?"), "{near}");
        assert!(changed("p3.acks=1").unwrap_err().contains("one behind p1. or orders.eu., or"));
        assert!(changed("producers[7].name=x").unwrap_err().contains("no element \"7\""));
        assert!(changed("producers[0].w[1].x=1").unwrap_err().contains("no list at \"w[1].x\""));
        assert!(changed("producers[0]..x=1").unwrap_err().contains("no list at \".x\""));
        assert!(changed("cluster.brokers.x=1").unwrap_err().contains("3 has no \"x\""));
        assert!(changed("acks").unwrap_err().contains("key=value"));
    }
}
