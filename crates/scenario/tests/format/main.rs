//! The format from outside: what loads, what does not, and what is said about it.
#![expect(clippy::unwrap_used, reason = "a test may")]

mod anything;
mod diagnostics;
mod lowering;
mod realising;
mod schema;

use inflight_scenario::{Diagnostics, Loaded, Options, load_text};

/// A scenario that uses every key.
const EVERYTHING: &str = include_str!("everything.json");

fn load(text: &str) -> Result<Loaded, Diagnostics> {
    load_text("story.json", text, &Options::default())
}

#[track_caller]
fn loaded(text: &str) -> Loaded {
    load(text).unwrap_or_else(|diagnostics| panic!("{diagnostics}"))
}

/// A small scenario with something more at the top level.
fn story(more: &str) -> String {
    format!(
        r#"{{
  "title": "A story",
  "cluster": {{ "brokers": 3 }},
  "topics": [{{ "name": "orders", "partitions": 2, "replication": 3 }}],
  "producers": [{{ "name": "p1", "workload": [{{ "topic": "orders", "records": 3 }}] }}],
  {more}
}}"#
    )
}
