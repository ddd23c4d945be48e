//! The schema that editors complete keys by.

use super::EVERYTHING;
use inflight_protocol::FactKind;
use inflight_protocol::config::keys::{producer_keys, server_keys, topic_keys};
use inflight_scenario::schema;
use serde_json::Value as Json;
use std::collections::BTreeSet;

fn definition(schema: &Json, name: &str) -> Json {
    schema["$defs"][name].clone()
}

#[test]
fn every_reference_leads_somewhere_and_everything_is_explained() {
    let schema = schema();
    let mut references = BTreeSet::new();
    walk(&schema, &mut |value| {
        if let Some(Json::String(reference)) = value.get("$ref") {
            references.insert(reference.clone());
        }
    });
    assert!(references.len() > 40);
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(schema.pointer(pointer).is_some_and(Json::is_object), "{reference}");
    }
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        for (key, property) in definition["properties"].as_object().into_iter().flatten() {
            assert!(property["description"].is_string(), "{name}.{key}");
        }
    }
}

fn walk(value: &Json, visit: &mut impl FnMut(&Json)) {
    visit(value);
    match value {
        Json::Object(members) => members.values().for_each(|value| walk(value, visit)),
        Json::Array(elements) => elements.iter().for_each(|value| walk(value, visit)),
        _ => {}
    }
}

#[test]
fn kafkas_keys_are_completed_with_docs_and_defaults() {
    let schema = schema();
    let check = |definition: &Json, name: &str, doc: &str, default: Option<&str>| {
        let property = &definition["properties"][name];
        let text = property["description"].as_str().unwrap();
        assert!(text.starts_with(doc), "{name}");
        assert_eq!(property["default"].is_null(), default.is_none(), "{name}");
    };
    let producer = definition(&schema, "ProducerConfig");
    producer_keys().for_each(|key| check(&producer, key.name, key.doc, key.default));
    let topic = definition(&schema, "TopicConfig");
    topic_keys().for_each(|key| check(&topic, key.name, key.doc, key.default));
    let broker = definition(&schema, "BrokerConfig");
    server_keys().for_each(|key| check(&broker, key.name, key.doc, key.default));
    assert_eq!(producer["properties"]["linger.ms"]["default"], 5);
    assert_eq!(producer["properties"]["enable.idempotence"]["default"], true);
}

#[test]
fn facts_are_completed_with_their_fields() {
    let schema = schema();
    let facts = definition(&schema, "Fact")["oneOf"].as_array().unwrap().len();
    assert_eq!(facts, FactKind::ALL.len());
    for kind in FactKind::ALL {
        let fields = definition(&schema, &format!("Where-{}", kind.name()));
        let names = fields["properties"].as_object().unwrap();
        assert_eq!(names.len(), kind.fields().len(), "{}", kind.name());
    }
}

#[test]
fn every_key_of_the_format_is_used_by_the_file_that_uses_every_key() {
    let schema = schema();
    let foreign = ["ProducerConfig", "ConsumerConfig", "TopicConfig", "BrokerConfig"];
    let ours = |name: &str| !foreign.contains(&name) && !name.starts_with("Where-");
    let mut unused = Vec::new();
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        for key in definition["properties"].as_object().into_iter().flatten().map(|(key, _)| key) {
            if ours(name) && !EVERYTHING.contains(&format!("\"{key}\"")) {
                unused.push(format!("{name}.{key}"));
            }
        }
    }
    assert_eq!(unused, ["Consumer.properties", "Producer.properties"], "which need files");
}
