//! Dependencies between crates point down, and libraries stay where they belong.

use inflight_tests::{text_of, workspace};
use std::collections::BTreeSet;
use std::fs;

/// Each crate, bottom up, and which of the project's crates it may use.
const LAYERS: [(&str, &[&str]); 14] = [
    // No Kafka in it.
    ("des", &[]),
    // Names and numbers, and nothing that decides.
    ("protocol", &["des"]),
    // It carries anything.
    ("net", &["des"]),
    // What both clients are made of.
    ("client", &["des", "protocol"]),
    // Clients know no brokers, and brokers no clients.
    ("producer", &["client", "des", "protocol"]),
    ("consumer", &["client", "des", "protocol"]),
    ("broker", &["des", "protocol"]),
    // Both work from a file that was written yesterday.
    ("trace", &["des", "protocol"]),
    ("check", &["des", "protocol", "trace"]),
    // The only one that puts machines together.
    ("sim", &["broker", "consumer", "des", "net", "producer", "protocol", "trace"]),
    ("scenario", &["check", "des", "net", "protocol", "sim", "trace"]),
    // It draws from a recording and runs nothing.
    ("view", &["check", "des", "protocol", "trace"]),
    ("inflight", &["check", "des", "protocol", "scenario", "sim", "trace"]),
    ("cli", &["check", "des", "inflight", "protocol", "scenario", "sim", "trace", "view"]),
];

/// What the tests of a crate may use beyond that.
const FOR_TESTS: [(&str, &[&str]); 2] = [("consumer", &["broker"]), ("sim", &["check"])];

/// Libraries that only some crates may use.
const LIBRARIES: [(&str, &[&str]); 10] = [
    ("clap", &["cli"]),
    ("jsonc-parser", &["scenario"]),
    ("libm", &["des"]),
    ("rand", &["des"]),
    ("rand_chacha", &["des"]),
    ("rayon", &[]),
    ("serde", &["scenario", "trace"]),
    ("serde_json", &["cli", "scenario", "trace", "view"]),
    ("tiny-skia", &["view"]),
    ("ttf-parser", &["view"]),
];

/// A section of a manifest and the packages in it.
fn dependencies(manifest: &str, sections: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut is_inside = false;
    for line in manifest.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            is_inside = sections.contains(&section.trim_end_matches(']'));
        } else if is_inside && !line.is_empty() && !line.starts_with('#') {
            let end = line.find(['.', '=', ' ']).unwrap_or(line.len());
            found.insert(line[..end].to_owned());
        }
    }
    found
}

/// The directory of one of the project's packages.
fn directory_of(package: &str) -> Option<&str> {
    if package == "inflight" { Some(package) } else { package.strip_prefix("inflight-") }
}

fn manifest_of(name: &str) -> String {
    text_of(&workspace().join("crates").join(name).join("Cargo.toml"))
}

fn allowed<'a>(table: &[(&str, &'a [&'a str])], name: &str) -> &'a [&'a str] {
    table.iter().find(|(known, _)| *known == name).map_or(&[], |(_, allowed)| allowed)
}

#[test]
fn every_crate_has_its_layer() {
    let entries = fs::read_dir(workspace().join("crates")).expect("there are crates");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let found: BTreeSet<String> = names.map(|name| name.to_string_lossy().into()).collect();
    let known: BTreeSet<String> = LAYERS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(found, known);
}

#[test]
fn layers_point_down() {
    for (index, (name, below)) in LAYERS.iter().enumerate() {
        for other in *below {
            let place = LAYERS.iter().position(|(known, _)| known == other);
            assert!(place.is_some_and(|place| place < index), "{name} above {other}");
        }
    }
}

#[test]
fn crates_use_what_lies_below_them() {
    for (name, below) in LAYERS {
        let manifest = manifest_of(name);
        let check = |sections: &[&str], allowed: &[&str]| {
            for package in dependencies(&manifest, sections) {
                let Some(other) = directory_of(&package) else { continue };
                assert!(allowed.contains(&other), "{name} must not use {other}");
            }
        };
        check(&["dependencies", "build-dependencies"], below);
        check(&["dev-dependencies"], &[below, allowed(&FOR_TESTS, name)].concat());
    }
}

#[test]
fn libraries_stay_where_they_belong() {
    for (name, _) in LAYERS {
        let used = dependencies(&manifest_of(name), &["dependencies", "build-dependencies"]);
        for (library, by) in LIBRARIES {
            let is_fine = !used.contains(library) || by.contains(&name);
            assert!(is_fine, "{library} is used by {name}");
        }
    }
}

#[test]
fn manifests_are_read_section_by_section() {
    let manifest = "[package]\nname = \"a\"\n[dependencies]\n# one\ninflight-des.workspace = true\n\
                    serde = { version = \"1\" }\n\n[dev-dependencies]\ninflight = \"1\"\n";
    let found = |section| dependencies(manifest, &[section]).into_iter().collect::<Vec<_>>();
    assert_eq!(found("dependencies"), ["inflight-des", "serde"]);
    assert_eq!(found("dev-dependencies"), ["inflight"]);
    assert_eq!(directory_of("inflight-des"), Some("des"));
    assert_eq!(directory_of("serde"), None);
}
