//! What a user may name is described where a user looks.

use inflight::FactKind;
use std::collections::BTreeMap;

/// The constants of a choice in the schema with their descriptions.
fn words(of: &serde_json::Value) -> BTreeMap<&str, &str> {
    let words = of["oneOf"].as_array().expect("a choice of words").iter();
    let described = words.map(|word| (word["const"].as_str(), word["description"].as_str()));
    described.map(|(word, doc)| (word.unwrap_or_default(), doc.unwrap_or_default())).collect()
}

#[test]
fn every_fact_is_in_the_schema_with_what_it_means() {
    let schema = inflight::schema();
    let facts = words(&schema["$defs"]["Fact"]);
    let known: Vec<&str> = FactKind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(facts.len(), known.len());
    for kind in known {
        let doc = facts.get(kind).unwrap_or_else(|| panic!("{kind} is missing"));
        assert!(doc.ends_with('.'), "{kind}: {doc}");
    }
}

#[test]
fn every_field_of_a_fact_says_what_it_is() {
    for kind in FactKind::ALL {
        for field in kind.fields() {
            assert!(!field.doc.trim().is_empty(), "{}: {}", kind.name(), field.name);
        }
    }
}
